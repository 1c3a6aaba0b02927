//! `loop`: bounded rounds, each begun when the one before has ended.

use kait_ir::program::Loop;
use kait_ir::{Expr, ExprId, NodeKind, Value};

use super::Run;
use super::control::{Control, LoopControl};
use super::state::{Fail, NONE, Role};

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
        self.new_control(at, node, Control::Loop(LoopControl { max, frame: NONE }));
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
            let done = self.eval(frame, |e| e.round(result, &mut state));
            self.s.next_state = state;
            match done {
                Ok(None) => {}
                Ok(Some(value)) => return self.end_frame(frame, Ok(value)),
                Err(fail) => return self.end_frame(frame, Err(fail)),
            }
        }
        let (at, node, index) = {
            let f = self.frame(frame);
            (f.parent, f.node, f.index)
        };
        let NodeKind::Loop(rounds) = &self.node(at, node).kind else { return };
        let Control::Loop(LoopControl { max, .. }) = *self.control(at, node) else { return };
        if index + 1 < max {
            // The usual case: the frame is used again where it is.
            self.renew(frame);
            return self.grow_into_child(at, node, frame);
        }
        self.free_frame(frame);
        if let Err(fail) = self.begin_round(at, node, rounds, index + 1, max) {
            self.free_control(at, node);
            self.node_failed(at, node, fail);
        }
    }

    /// Takes the next state if the round says `next` with nothing but slots.
    fn next_at_hand(&mut self, at: u32, result: ExprId) -> bool {
        let Some(Expr::Variant(1, fields)) = self.loaded.program().exprs.get(result.0 as usize)
        else {
            return false;
        };
        let mut state = std::mem::take(&mut self.s.next_state);
        state.clear();
        for field in fields {
            match self.at_hand(at, *field) {
                Some(value) => state.push(value.clone()),
                None => break,
            }
        }
        let all = state.len() == fields.len();
        self.s.next_state = state;
        all
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
        let (state, nodes) = frame.slots.split_at_mut(params);
        let next = &mut self.s.next_state;
        next.resize(params, Value::None);
        state.swap_with_slice(next);
        next.clear();
        nodes.fill(Value::None);
        frame.cells.copy_from_slice(&table.cells);
        self.begin_frame(at);
    }
}
