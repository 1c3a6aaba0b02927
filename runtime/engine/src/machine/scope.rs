//! Scopes: clocks and budgets over everything inside a frame or a policy.
//!
//! The clocks of `timeout`, `deadline` and the header's `time` stand still while all unfinished work in their scope
//! waits at a gate, a guard or for a person: a clock runs exactly while something inside is under way in the world.
//! Clocks are started and stopped once, at the end of an event.

use kait_ir::{EffectClass, Failure, GraphId, Money, Value};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};

use super::Run;
use super::state::{Fail, NONE, Role, TimerUse, Waiter};
use crate::event::{Nanos, Usage};

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

/// Limits of a header, and what was used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets {
    calls: Option<i64>,
    tokens: Option<i64>,
    cost: Option<Money>,
    used_calls: i64,
    used_tokens: i64,
    used_cost: Decimal,
    /// Tokens that calls in flight may still use.
    reserved: i64,
}

/// A scope.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    parent: u32,
    pub(crate) kind: ScopeKind,
    /// How much is under way inside.
    active: u32,
    clock: Option<Clock>,
    budgets: Option<Box<Budgets>>,
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
                ("calls", Value::Int(n)) => (budgets.calls, counts) = (Some(n), true),
                ("tokens", Value::Int(n)) => (budgets.tokens, counts) = (Some(n), true),
                ("cost", Value::Money(m)) => (budgets.cost, counts) = (Some(m), true),
                _ => {} // bounds that are not the run's to enforce, such as `depth`
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

    /// Reserves one model call, and as many tokens as it may write, from every budget around a frame. Gives what may
    /// be reserved: tokens (all that is left, if a budget counts them) and further calls for repairs.
    pub(crate) fn reserve(
        &mut self,
        at: u32,
        max_tokens: Option<i64>,
        repair: u32,
    ) -> Result<Reserved, Fail> {
        let mut reserved = Reserved { tokens: 0, tokens_left: None, repair };
        let mut scope = self.frame(at).scope;
        while let Some(s) = self.s.scopes.get(scope as usize) {
            if let (Some(b), ScopeKind::Header(frame, generation)) = (&s.budgets, s.kind) {
                let over = |kind: &str| over(b, kind, frame, generation);
                if let Some(most) = b.calls {
                    let left = most - b.used_calls;
                    if left < 1 {
                        return Err(over("calls"));
                    }
                    let repairs = u32::try_from(left - 1).unwrap_or(u32::MAX);
                    reserved.repair = reserved.repair.min(repairs);
                }
                if let Some(most) = b.tokens {
                    let left = most - b.used_tokens - b.reserved;
                    if left < 1 {
                        return Err(over("tokens"));
                    }
                    let so_far = reserved.tokens_left.unwrap_or(i64::MAX);
                    reserved.tokens_left = Some(so_far.min(left));
                }
                if let Some(most) = b.cost
                    && b.used_cost >= most.amount
                {
                    return Err(over("cost"));
                }
            }
            scope = s.parent;
        }
        reserved.tokens = match (max_tokens, reserved.tokens_left) {
            (Some(wanted), Some(left)) => wanted.clamp(0, left),
            _ => 0,
        };
        let tokens = reserved.tokens;
        self.each_budget(self.frame(at).scope, |b| {
            b.used_calls += 1;
            b.reserved += tokens;
        });
        Ok(reserved)
    }

    /// Settles what was reserved by what was used. A call that was dropped has used what was reserved. Gives the failure
    /// of the innermost budget that is exceeded now.
    pub(crate) fn settle_usage(
        &mut self,
        scope: u32,
        reserved: i64,
        usage: Option<&Usage>,
    ) -> Option<Fail> {
        self.each_budget(scope, |b| {
            b.reserved -= reserved;
            let Some(usage) = usage else {
                b.used_tokens += reserved;
                return;
            };
            b.used_calls += i64::from(usage.calls.saturating_sub(1));
            let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
            b.used_tokens = b.used_tokens.saturating_add(i64::try_from(tokens).unwrap_or(i64::MAX));
            if let (Some(cost), Some(limit)) = (usage.cost, b.cost)
                && cost.currency == limit.currency
            {
                b.used_cost = b.used_cost.saturating_add(cost.amount);
            }
        });
        usage?;
        let mut at = scope;
        while let Some(s) = self.s.scopes.get(at as usize) {
            if let (Some(b), ScopeKind::Header(frame, generation)) = (&s.budgets, s.kind)
                && let Some(kind) = b.exceeded()
            {
                return Some(over(b, kind, frame, generation));
            }
            at = s.parent;
        }
        None
    }

    fn each_budget(&mut self, mut scope: u32, mut f: impl FnMut(&mut Budgets)) {
        while let Some(s) = self.s.scopes.get_mut(scope as usize) {
            if let Some(budgets) = &mut s.budgets {
                f(budgets);
            }
            scope = s.parent;
        }
    }
}

impl Budgets {
    /// The budget of which more was used than there is.
    fn exceeded(&self) -> Option<&'static str> {
        if self.calls.is_some_and(|most| self.used_calls > most) {
            Some("calls")
        } else if self.tokens.is_some_and(|most| self.used_tokens > most) {
            Some("tokens")
        } else if self.cost.is_some_and(|most| self.used_cost > most.amount) {
            Some("cost")
        } else {
            None
        }
    }

    /// A limit as it is written, and what was used of it.
    fn limit(&self, kind: &str) -> SmolStr {
        match (kind, self.calls, self.tokens, self.cost) {
            ("calls", Some(most), ..) => format_smolstr!("calls: {most}, used {}", self.used_calls),
            ("tokens", _, Some(most), _) => {
                let held = self.reserved;
                let held = if held > 0 { format!(", set aside {held}") } else { String::new() };
                format_smolstr!("tokens: {most}, used {}{held}", self.used_tokens)
            }
            ("cost", _, _, Some(most)) => {
                let currency = most.currency.as_str();
                format_smolstr!("cost: {}{currency}, used {}", most.amount, self.used_cost)
            }
            _ => kind.into(),
        }
    }
}

/// The failure of a header's budget; nothing inside of what it bounds may handle it.
fn over(budgets: &Budgets, kind: &str, frame: u32, generation: u32) -> Fail {
    let failure = Failure::Budget { kind: kind.into() };
    Fail { bound: Some((frame, generation)), ..Fail::limited(failure, budgets.limit(kind)) }
}

/// What a model call may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reserved {
    /// Tokens that were set aside.
    pub(crate) tokens: i64,
    /// Tokens that budgets leave, if any counts them.
    pub(crate) tokens_left: Option<i64>,
    /// Further calls.
    pub(crate) repair: u32,
}
