//! `loop`: bounded rounds, each begun when the one before has ended.

use kait_ir::program::Loop;
use kait_ir::{NodeKind, Value};
use smallvec::SmallVec;

use super::Run;
use super::control::{Control, LoopControl};
use super::state::{Fail, NONE, Role};

impl Run<'_> {
    pub(crate) fn start_loop(&mut self, at: u32, node: u32, rounds: &Loop) -> Result<(), Fail> {
        let (max, state) = self.eval(at, |e| {
            let max = e.int(rounds.max)?;
            let mut state: SmallVec<[Value; 4]> = SmallVec::with_capacity(rounds.init.len());
            for init in &rounds.init {
                state.push(e.eval(*init)?);
            }
            Ok((max, state))
        })?;
        let max = u32::try_from(max.max(0)).unwrap_or(u32::MAX - 1);
        self.new_control(at, node, Control::Loop(LoopControl { max, frame: NONE }));
        let result = self.round(at, node, rounds, 0, max, state);
        if result.is_err() {
            self.free_control(at, node);
        }
        result
    }

    fn round(
        &mut self,
        at: u32,
        node: u32,
        rounds: &Loop,
        index: u32,
        max: u32,
        state: SmallVec<[Value; 4]>,
    ) -> Result<(), Fail> {
        let (region, role) = if index < max {
            (rounds.body, Role::Round)
        } else {
            (rounds.otherwise, Role::Otherwise)
        };
        let scope = self.frame(at).scope;
        let frame = self.spawn(at, node, region, role, index, scope, state)?;
        if let Control::Loop(control) = self.control(at, node) {
            control.frame = frame;
        }
        self.grow_into_child(at, node, frame);
        Ok(())
    }

    /// A round ended with `next`.
    pub(crate) fn next_round(&mut self, frame: u32, state: SmallVec<[Value; 4]>) {
        let (at, node, index) = {
            let f = self.frame(frame);
            (f.parent, f.node, f.index)
        };
        self.free_frame(frame);
        let NodeKind::Loop(rounds) = &self.node(at, node).kind else { return };
        let Control::Loop(LoopControl { max, .. }) = *self.control(at, node) else { return };
        if let Err(fail) = self.round(at, node, rounds, index + 1, max, state) {
            self.free_control(at, node);
            self.node_failed(at, node, fail);
        }
    }
}
