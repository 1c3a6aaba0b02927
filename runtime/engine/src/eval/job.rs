//! Evaluations that take too long for the state machine: done elsewhere, from a copy of what they read.
//!
//! A job is plain data, so whoever drives the machine may run it on another thread. Its result comes back as an event,
//! and is part of the record.

use std::collections::BTreeMap;

use kait_ir::{ExprId, Value};

use super::Evaluator;
use crate::event::Outcome;
use crate::limits::MAX_STEPS;
use crate::load::{Loaded, slots_of};
use crate::machine::state::{CallRecord, Frame, NONE};

/// An expression with the values of all that it reads.
#[derive(Clone, Debug, PartialEq)]
pub struct ComputeJob {
    expr: ExprId,
    /// By region, from the inside out: its slots. Those that the expression does not read are `none`.
    slots: Vec<Vec<Value>>,
    locals: Vec<Value>,
    /// Calls of a test so far.
    log: Vec<CallRecord>,
}

/// What a [`ComputeJob`] came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Computed {
    /// The value, or why there is none.
    pub outcome: Outcome,
    /// Which expression failed.
    pub blamed: Option<ExprId>,
}

impl ComputeJob {
    /// Copies what an expression reads: values are shared, not copied.
    pub(crate) fn new(
        loaded: &Loaded,
        frames: &[Frame],
        at: u32,
        expr: ExprId,
        locals: Vec<Value>,
        log: &[CallRecord],
    ) -> Self {
        let mut wanted: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        slots_of(loaded.program(), expr, &mut |up, slot| wanted.entry(up).or_default().push(slot));
        let outermost = wanted.keys().next_back().copied();
        let mut slots = Vec::new();
        let mut frame = frames.get(at as usize);
        for up in 0..outermost.map_or(0, |up| up.saturating_add(1)) {
            let Some(here) = frame else { break };
            let mut values = vec![Value::None; here.slots.len()];
            for slot in wanted.get(&up).into_iter().flatten() {
                let from = here.slots.get(*slot as usize);
                if let (Some(to), Some(from)) = (values.get_mut(*slot as usize), from) {
                    to.clone_from(from);
                }
            }
            slots.push(values);
            frame = frames.get(here.parent as usize);
        }
        Self { expr, slots, locals, log: log.to_vec() }
    }

    /// Evaluates it. Looks every few thousand steps whether it is still wanted; the result of one that is not means
    /// nothing.
    pub fn run(&self, loaded: &Loaded, cancelled: &dyn Fn() -> bool) -> Computed {
        let count = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let frames: Vec<Frame> = (1..=count)
            .zip(&self.slots)
            .map(|(parent, slots)| {
                let parent = if parent == count { NONE } else { parent };
                Frame { parent, slots: slots.clone(), ..Frame::empty() }
            })
            .collect();
        let mut locals = self.locals.clone();
        let at = if frames.is_empty() { NONE } else { 0 };
        let mut evaluator = Evaluator::new(loaded, &frames, at, &self.log, &mut locals);
        evaluator.watched(MAX_STEPS, cancelled);
        let outcome = match evaluator.eval(self.expr) {
            Ok(value) => Outcome::Ok(value),
            Err(failure) => Outcome::Failed(*failure),
        };
        Computed { outcome, blamed: evaluator.blamed }
    }
}
