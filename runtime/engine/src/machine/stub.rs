//! Tests in the language: stubbed calls, the record of calls, expectations.

use kait_ir::program::Stub;
use kait_ir::{ExprId, Failure, NodeKind, TargetId, TypeId, Value};
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::Run;
use super::control::Control;
use super::state::{CallRecord, Fail, NodeState, Role, TimerUse, Waiter};
use crate::event::{Command, ExpectFailed};

/// In the cell of a stubbed call that takes its time.
const ANSWER_COMES: u32 = 0;

impl<'a> Run<'a> {
    /// Answers a call from the stubs: the first one that matches.
    pub(crate) fn start_stubbed(
        &mut self,
        at: u32,
        node: u32,
        target: TargetId,
        args: &'a [ExprId],
        model: bool,
    ) -> Result<(), Fail> {
        let values: SmallVec<[Value; 2]> = self.eval(at, |e| {
            let mut values = SmallVec::with_capacity(args.len());
            for arg in args {
                values.push(e.eval(*arg)?);
            }
            Ok(values)
        })?;
        self.answer_from_stubs(at, node, target, values, model)
    }

    /// The same of a call, approval or question whose arguments are known.
    pub(crate) fn answer_from_stubs(
        &mut self,
        at: u32,
        node: u32,
        target: TargetId,
        values: SmallVec<[Value; 2]>,
        model: bool,
    ) -> Result<(), Fail> {
        let program = self.loaded.program();
        let root = 0;
        for &index in self.loaded.stubs_of(target) {
            let stub: &'a Stub = &program.stubs[index as usize];
            let fits = self.eval_now(root, |e| {
                Ok(stub.params.iter().all(|(param, pattern)| {
                    values.get(*param as usize).is_some_and(|value| e.matches(pattern, value))
                }))
            })?;
            if !fits {
                continue;
            }
            // Lets of the test that the stub reads are slots like others: it waits for them.
            let params = self.region(root).params;
            for above in &stub.data {
                let cell = self.frame(root).cells.get(*above as usize);
                if cell.is_some_and(|c| matches!(c.state, NodeState::Failed | NodeState::Cancelled))
                {
                    // It is asked while the failure of the test is being undone.
                    return Err(Failure::Cancelled.into());
                }
                if !self.slot_is_there(root, params + above) {
                    let waiter = self.waiter(at, node);
                    self.frame_mut(at).cells[node as usize].state = NodeState::Waiting;
                    self.wait_for_slot(root, params + above, waiter);
                    return Ok(());
                }
            }
            // `then` gives outcomes as if from top to bottom: this call's is known when those above have theirs.
            if self.loaded.takes_turns(target) && !self.is_its_turn(at, node, target) {
                self.frame_mut(at).cells[node as usize].state = NodeState::Waiting;
                let waiter = self.waiter(at, node);
                self.s.turns.push(waiter);
                return Ok(());
            }
            if model {
                self.count_stubbed(at, node)?;
            }
            self.log_call(at, target, values.clone());
            return self.give_stub(at, node, index, stub, &values);
        }
        self.log_call(at, target, values.clone());
        let site = self.site(at, node);
        self.out.push(Command::Unstubbed { site, target, args: values });
        let name = program.targets[target.index()].clone();
        Err(Failure::Unbound { name }.into())
    }

    /// Whether every call of the target that stands above a node has been given its outcome, or will not be made.
    fn is_its_turn(&self, mut at: u32, mut node: u32, target: TargetId) -> bool {
        // Frames that stand above: all nodes in them must have had their turn. No recursion: runs are deep.
        let mut todo: Vec<u32> = Vec::new();
        loop {
            let frame = self.frame(at);
            if !(0..node).all(|above| self.has_had_its_turn(at, above, target, &mut todo)) {
                return false;
            }
            let (role, index, parent) = (frame.role, frame.index, frame.parent);
            if matches!(role, Role::Root | Role::Undo) {
                break;
            }
            // Items and competitors before this one stand above it, too.
            let link = self.frame(parent).cells[frame.node as usize].link;
            let before: &[u32] = match self.s.controls.get(link as usize) {
                Some(Control::Map(map)) if role == Role::Item => &map.children,
                Some(Control::Race(race)) if role == Role::Racer => &race.frames,
                _ => &[],
            };
            todo.extend(before.get(..index as usize).unwrap_or_default());
            (at, node) = (parent, frame.node);
        }
        while let Some(at) = todo.pop() {
            let Some(frame) = self.s.frames.get(at as usize).filter(|f| f.alive) else { continue };
            let count = frame.cells.len() as u32;
            if !(0..count).all(|node| self.has_had_its_turn(at, node, target, &mut todo)) {
                return false;
            }
        }
        true
    }

    /// The same of one node; frames inside it are left to be looked at.
    fn has_had_its_turn(&self, at: u32, node: u32, target: TargetId, todo: &mut Vec<u32>) -> bool {
        let frame = self.frame(at);
        if !self.loaded.may_call(frame.region, node, target) {
            return true;
        }
        let Some(cell) = frame.cells.get(node as usize) else { return true };
        match cell.state {
            NodeState::Ok | NodeState::Failed | NodeState::Cancelled => return true,
            NodeState::Waiting | NodeState::Gated | NodeState::Computing => return false,
            NodeState::Running => {}
        }
        match &self.node(at, node).kind {
            // It only takes its time.
            NodeKind::Stubbed { .. } | NodeKind::Approve(_) | NodeKind::Ask(_) => true,
            NodeKind::Call(_) | NodeKind::Switch { .. } | NodeKind::Try(_) => {
                todo.push(cell.link);
                true
            }
            _ => match self.s.controls.get(cell.link as usize) {
                Some(Control::Map(map)) => {
                    todo.extend(&map.children);
                    map.complete && map.next == map.kept
                }
                Some(Control::Race(race)) => {
                    todo.extend(&race.frames);
                    true
                }
                // Another round, attempt or handler may call it again.
                _ => false,
            },
        }
    }

    /// Nothing else can happen in this event: whose turn it is now goes on. `true` if somebody does.
    pub(crate) fn next_turn(&mut self) -> bool {
        if self.s.turns.is_empty() {
            return false;
        }
        let waiting = std::mem::take(&mut self.s.turns);
        let before = waiting.len();
        for waiter in waiting {
            self.try_start(waiter);
        }
        self.s.turns.len() < before || !self.s.ready.is_empty() || !self.s.ended.is_empty()
    }

    fn give_stub(
        &mut self,
        at: u32,
        node: u32,
        index: u32,
        stub: &'a Stub,
        values: &[Value],
    ) -> Result<(), Fail> {
        let Some(uses) = self.s.stub_uses.get_mut(index as usize) else { return Ok(()) };
        let turn = *uses as usize;
        *uses = uses.saturating_add(1);
        let Some(outcome) = stub.outcomes.get(turn).or(stub.outcomes.last()) else {
            return Err(Failure::trap("a stub without outcome").into());
        };
        // Binders of its patterns are locals again: another evaluation may have run since they were matched.
        let result = self.eval_now(0, |e| {
            for (param, pattern) in &stub.params {
                if let Some(value) = values.get(*param as usize) {
                    e.matches(pattern, value);
                }
            }
            e.eval(outcome.value)
        });
        let mut result = match &self.node(at, node).kind {
            NodeKind::Approve(approve) => {
                result.and_then(|said| self.stub_approved(at, node, approve, values, &said))
            }
            _ => result.and_then(|value| self.checked(at, node, value)),
        };
        let mut after = outcome.after;
        // People who take longer than they may have not answered.
        if let Some(within) = self.patience(at, node)?
            && after > within
        {
            after = within;
            result = Err(Failure::Unanswered.into());
        }
        if after <= 0 {
            match result {
                Ok(value) => self.node_ok(at, node, value),
                Err(fail) => self.node_failed(at, node, fail),
            }
            return Ok(());
        }
        let waiter = self.waiter(at, node);
        self.frame_mut(at).cells[node as usize].link = ANSWER_COMES;
        if self.stub_works(at, node) {
            self.enter(self.frame(at).scope);
        }
        let due = self.s.now.saturating_add(after);
        let timer = self.set_timer(due, TimerUse::Stub(waiter));
        self.s.stub_answers.push((waiter, timer, result));
        Ok(())
    }

    /// Whether a stubbed call keeps clocks running: a question to a person does not.
    pub(crate) fn stub_works(&self, at: u32, node: u32) -> bool {
        let node = self.node(at, node);
        !matches!(node.kind, NodeKind::Approve(_)) && node.gate != kait_ir::Gate::Ask
    }

    /// A stub has taken its time.
    pub(crate) fn stub_answers(&mut self, waiter: Waiter) {
        let Some(found) = self.s.stub_answers.iter().position(|(w, ..)| *w == waiter) else {
            return;
        };
        let (_, _, result) = self.s.stub_answers.remove(found);
        if self.is_running(waiter) {
            if self.stub_works(waiter.frame, waiter.node) {
                self.leave(self.frame(waiter.frame).scope);
            }
            self.node_ended(waiter.frame, waiter.node, result);
        }
    }

    /// A stubbed call that takes its time was cancelled.
    pub(crate) fn drop_stub_answer(&mut self, waiter: Waiter) {
        if let Some(found) = self.s.stub_answers.iter().position(|(w, ..)| *w == waiter) {
            let (_, timer, _) = self.s.stub_answers.remove(found);
            self.cancel_timer(timer);
        }
    }

    /// Keeps a call in the record of a test.
    pub(crate) fn log_call(&mut self, at: u32, target: TargetId, args: SmallVec<[Value; 2]>) {
        let frame = self.frame(at);
        // Only the body of a policy makes the same call again.
        let again = frame.role == Role::Body && frame.index > 1;
        self.s.log.push(CallRecord { target, args, again });
    }

    /// Looks whether an expectation holds. The test goes on if it does not.
    pub(crate) fn expect(
        &mut self,
        at: u32,
        node: u32,
        condition: ExprId,
        shows: &'a [(SmolStr, ExprId, TypeId)],
        source: &SmolStr,
    ) {
        let held = self.eval(at, |e| e.truth(condition));
        if !matches!(held, Ok(true)) {
            let mut shown = Vec::with_capacity(shows.len());
            for (text, expr, ty) in shows {
                // What fails has failed the whole, which is reported in words of its own.
                if let Ok(value) = self.eval(at, |e| e.eval(*expr)) {
                    let value = crate::render::shown(self.loaded.table(), *ty, &value);
                    shown.push((text.clone(), value));
                }
            }
            self.out.push(Command::ExpectFailed(Box::new(ExpectFailed {
                site: self.site(at, node),
                source: source.clone(),
                shows: shown,
                failure: held.err().map(|fail| *fail.failure),
            })));
        }
        self.node_ok(at, node, Value::None);
    }
}
