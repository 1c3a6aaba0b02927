//! Scopes: clocks (and budgets: `budget`) over everything inside a frame or a policy.
//!
//! The clocks of `timeout`, `deadline` and the header's `time` stand still while all unfinished work in their scope
//! waits at a gate, a guard or for a person: a clock runs exactly while something inside is under way in the world.
//! Clocks are started and stopped once, at the end of an event.

use kait_ir::{EffectClass, Failure, GraphId, Value};
use smol_str::format_smolstr;

use super::Run;
use super::budget::Budgets;
use super::state::{Fail, NONE, Role, TimerUse, Waiter};
use crate::event::Nanos;

/// What a scope bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ScopeKind {
    /// Not in use.
    Free,
    /// One attempt of the policy at this node.
    Timeout(Waiter),
    /// All attempts of the policy at this node.
    Deadline(Waiter),
    /// The call whose frame this is, by its header.
    Header(u32, u32),
}

/// A clock that can stand still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// Nanoseconds in all.
    whole: i64,
    /// Nanoseconds left when it was last stopped.
    left: i64,
    /// While it runs: since when, and the timer.
    running: Option<(Nanos, u64)>,
}

/// A scope.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) parent: u32,
    pub(crate) kind: ScopeKind,
    /// How much is under way inside.
    active: u32,
    clock: Option<Clock>,
    pub(crate) budgets: Option<Box<Budgets>>,
    dirty: bool,
}

impl Run<'_> {
    /// Opens a scope with a clock.
    pub(crate) fn open_scope(&mut self, parent: u32, kind: ScopeKind, left: i64) -> u32 {
        let clock = Some(Clock { whole: left.max(0), left: left.max(0), running: None });
        self.push_scope(Scope { parent, kind, active: 0, clock, budgets: None, dirty: false })
    }

    fn push_scope(&mut self, scope: Scope) -> u32 {
        match self.s.free_scopes.pop() {
            Some(at) => {
                self.s.scopes[at as usize] = scope;
                at
            }
            None => {
                self.s.scopes.push(scope);
                (self.s.scopes.len() - 1) as u32
            }
        }
    }

    /// Closes a scope. Everything inside has ended or was dropped.
    pub(crate) fn close_scope(&mut self, at: u32) {
        let Some(scope) = self.s.scopes.get_mut(at as usize) else { return };
        if matches!(scope.kind, ScopeKind::Free) {
            return;
        }
        scope.kind = ScopeKind::Free;
        scope.budgets = None;
        if let Some(Clock { running: Some((_, timer)), .. }) = scope.clock.take() {
            self.cancel_timer(timer);
        }
        self.s.free_scopes.push(at);
    }

    /// Something is under way inside the scope and those around it.
    pub(crate) fn enter(&mut self, mut at: u32) {
        while let Some(scope) = self.s.scopes.get_mut(at as usize) {
            scope.active += 1;
            if scope.active == 1 && !scope.dirty {
                scope.dirty = true;
                self.s.dirty_scopes.push(at);
            }
            at = scope.parent;
        }
    }

    /// It is over.
    pub(crate) fn leave(&mut self, mut at: u32) {
        while let Some(scope) = self.s.scopes.get_mut(at as usize) {
            scope.active = scope.active.saturating_sub(1);
            if scope.active == 0 && !scope.dirty {
                scope.dirty = true;
                self.s.dirty_scopes.push(at);
            }
            at = scope.parent;
        }
    }

    /// Whether an effect of this class keeps clocks running.
    pub(crate) fn counts_as_work(&self, class: EffectClass) -> bool {
        class != EffectClass::Human
    }

    /// Starts and stops clocks as what happened in this event demands.
    pub(crate) fn clocks(&mut self) {
        while let Some(at) = self.s.dirty_scopes.pop() {
            let now = self.s.now;
            let Some(scope) = self.s.scopes.get_mut(at as usize) else { continue };
            scope.dirty = false;
            let active = scope.active > 0 && !matches!(scope.kind, ScopeKind::Free);
            let Some(clock) = &mut scope.clock else { continue };
            match (active, clock.running) {
                (true, None) => {
                    let due = now.saturating_add(clock.left);
                    let timer = self.set_timer(due, TimerUse::Scope(at));
                    if let Some(Some(clock)) =
                        self.s.scopes.get_mut(at as usize).map(|s| &mut s.clock)
                    {
                        clock.running = Some((now, timer));
                    }
                }
                (false, Some((since, timer))) => {
                    clock.left = (clock.left - (now - since)).max(0);
                    clock.running = None;
                    self.cancel_timer(timer);
                }
                _ => {}
            }
        }
    }

    /// The clock of a scope has run out.
    pub(crate) fn scope_is_over(&mut self, at: u32) {
        let Some(scope) = self.s.scopes.get_mut(at as usize) else { return };
        let mut whole = 0;
        if let Some(clock) = &mut scope.clock {
            whole = clock.whole;
            clock.left = 0;
            clock.running = None;
        }
        match scope.kind {
            ScopeKind::Free => {}
            ScopeKind::Timeout(policy) => self.attempt_timed_out(policy),
            ScopeKind::Deadline(policy) => self.deadline_is_over(policy),
            ScopeKind::Header(frame, generation) => {
                let call = Waiter { frame, generation, node: NONE };
                if !self.is_current(call) {
                    return;
                }
                let failure = Failure::Budget { kind: "time".into() };
                let limit = format_smolstr!("time: {}", super::blame::duration(whole));
                let fail = Fail::limited(failure, limit);
                let frame = self.frame(frame);
                if frame.role == Role::Root {
                    return self.give_up_failed(fail);
                }
                let target = self.waiter(frame.parent, frame.node);
                if self.loaded.undoes() {
                    if !self.is_failing(call) {
                        self.close(call.frame, Some(target), fail);
                    }
                    return;
                }
                let torn = self.kill(&[call.frame], true);
                self.drain_or_fail(target, torn, fail);
            }
        }
    }

    // ---- headers

    /// Opens the scope of a call's header.
    pub(crate) fn open_header(&mut self, at: u32, graph: GraphId) -> Result<(), Fail> {
        let callee = &self.loaded.program().graphs[graph.index()];
        let mut budgets = Budgets::default();
        let (mut counts, mut clock) = (false, None);
        for (name, expr) in &callee.budgets {
            let value = self.eval(NONE, |e| e.eval(*expr))?;
            match (name.as_str(), value) {
                ("time", Value::Duration(nanos)) => {
                    clock = Some(Clock { whole: nanos.max(0), left: nanos.max(0), running: None });
                }
                // Others are bounds that are not the run's to enforce, such as `depth`.
                (name, value) => counts |= budgets.limit_to(name, value),
            }
        }
        if !counts && clock.is_none() {
            return Ok(());
        }
        let parent = self.frame(at).scope;
        let kind = ScopeKind::Header(at, self.frame(at).generation);
        let budgets = counts.then(|| Box::new(budgets));
        let scope =
            self.push_scope(Scope { parent, kind, active: 0, clock, budgets, dirty: false });
        self.frame_mut(at).scope = scope;
        Ok(())
    }

    /// Closes the scope of a call's header, if it has one.
    pub(crate) fn close_header(&mut self, at: u32) {
        let scope = self.frame(at).scope;
        if let Some(Scope { kind: ScopeKind::Header(frame, _), .. }) =
            self.s.scopes.get(scope as usize)
            && *frame == at
        {
            self.close_scope(scope);
        }
    }
}
