//! `loop`: bounded rounds, each begun when the one before has ended.

use kait_ir::program::Loop;
use kait_ir::{Expr, ExprId, NodeKind, Value};

use super::Run;
use super::control::{Control, LoopControl};
use super::state::{Fail, Frame, NONE, Role};
use crate::limits::{DEPTH_CHECK_EVERY, is_too_deep, too_deep};

impl Run<'_> {
    pub(crate) fn start_loop(&mut self, at: u32, node: u32, rounds: &Loop) -> Result<(), Fail> {
        let mut state = std::mem::take(&mut self.s.next_state);
        state.clear();
        let max = self.eval(at, |e| {
            for init in &rounds.init {
                state.push(e.eval(*init)?);
            }
            e.int(rounds.max)
        });
        self.s.next_state = state;
        let max = u32::try_from(max?.max(0)).unwrap_or(u32::MAX - 1);
        self.new_control(at, node, Control::Loop(LoopControl { frame: NONE }));
        let result = self.begin_round(at, node, rounds, 0, max);
        if result.is_err() {
            self.free_control(at, node);
        }
        result
    }

    /// Begins a round, or the `else` when the rounds are used up, with the state in `next_state`.
    fn begin_round(
        &mut self,
        at: u32,
        node: u32,
        rounds: &Loop,
        index: u32,
        max: u32,
    ) -> Result<(), Fail> {
        let (region, role) = if index < max {
            (rounds.body, Role::Round)
        } else {
            (rounds.otherwise, Role::Otherwise)
        };
        let scope = self.frame(at).scope;
        let mut state = std::mem::take(&mut self.s.next_state);
        let frame = self.spawn(at, node, region, role, index, scope, state.drain(..));
        self.s.next_state = state;
        let frame = frame?;
        self.frame_mut(frame).rounds = max;
        if let Control::Loop(control) = self.control(at, node) {
            control.frame = frame;
        }
        self.grow_into_child(at, node, frame);
        Ok(())
    }

    /// All nodes of a round have succeeded: it is done, or the next one begins.
    pub(crate) fn round_complete(&mut self, frame: u32, result: ExprId) {
        if !self.next_at_hand(frame, result) {
            let mut state = std::mem::take(&mut self.s.next_state);
            state.clear();
            self.soft = Some((NONE, 0));
            let done = self.eval(frame, |e| e.round(result, &mut state));
            self.soft = None;
            self.s.next_state = state;
            if let Some(put_off) = self.put_off.take() {
                return self.compute(frame, NONE, put_off);
            }
            match done {
                Ok(None) => {}
                Ok(Some(value)) => return self.end_frame(frame, Ok(value)),
                Err(fail) => return self.end_frame(frame, Err(fail)),
            }
        }
        let Frame { parent: at, node, index, rounds: max, .. } = self.s.frames[frame as usize];
        if index % DEPTH_CHECK_EVERY == 0 && self.s.next_state.iter().any(is_too_deep) {
            self.s.next_state.clear();
            return self.end_frame(frame, Err(too_deep().into()));
        }
        if index + 1 < max {
            // The usual case: the frame is used again where it is.
            self.renew(frame);
            return self.grow_into_child(at, node, frame);
        }
        self.free_frame(frame);
        let NodeKind::Loop(rounds) = &self.node(at, node).kind else { return };
        if let Err(fail) = self.begin_round(at, node, rounds, index + 1, max) {
            self.free_control(at, node);
            self.node_failed(at, node, fail);
        }
    }

    /// Takes the next state if the round says `next` with nothing but slots.
    fn next_at_hand(&mut self, at: u32, result: ExprId) -> bool {
        let exprs = &self.loaded.program().exprs;
        let Some(Expr::Variant(1, fields)) = exprs.get(result.0 as usize) else { return false };
        let slots = &self.s.frames[at as usize].slots;
        let next = &mut self.s.next_state;
        next.clear();
        for field in fields {
            match exprs.get(field.0 as usize) {
                Some(Expr::Slot { up: 0, slot }) => match slots.get(*slot as usize) {
                    Some(value) => next.push(value.clone()),
                    None => return false,
                },
                _ => return false,
            }
        }
        true
    }

    /// Makes a round's frame that of the next round, with the state in `next_state`.
    fn renew(&mut self, at: u32) {
        let frame = &mut self.s.frames[at as usize];
        let table = &self.loaded.regions[frame.region as usize];
        let params = frame.slots.len() - frame.cells.len();
        frame.generation = frame.generation.wrapping_add(1);
        frame.index += 1;
        frame.prefix = 0;
        frame.ask_prefix = 0;
        frame.fail_at = NONE;
        frame.cleared = false;
        if frame.extra.is_some() {
            frame.extra = None;
        }
        let next = &mut self.s.next_state;
        if next.len() != params {
            next.resize(params, Value::None);
        }
        let (state, values) = frame.slots.split_at_mut(params);
        for (slot, value) in state.iter_mut().zip(next) {
            std::mem::swap(slot, value);
        }
        for value in values {
            *value = Value::None;
        }
        for (cell, fresh) in frame.cells.iter_mut().zip(&table.cells) {
            *cell = *fresh;
        }
        self.begin_frame(at);
    }
}
