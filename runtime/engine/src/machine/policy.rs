//! Policies around a call, in their one fixed order: fallback > deadline > cache > retry > timeout > the call.
//!
//! Each attempt is a frame of its own, so that nothing of a failed attempt can be used. The pause before a retry
//! doubles from half a second up to 30 s, and is shortened by up to a half: by how much is a hash of the effect's
//! path, the attempt and the run's seed, so the same record gives the same commands.

use kait_ir::program::{Policy, Rate};
use kait_ir::{Failure, NodeKind, Value};
use smol_str::format_smolstr;

use super::Run;
use super::blame::duration;
use super::control::{Control, Phase, PolicyControl};
use super::scope::ScopeKind;
use super::settle::Torn;
use super::state::{Fail, NONE, Role, TimerUse, Waiter};
use super::undo::{Then, Undos};
use crate::event::{CacheKey, Command, EffectId, RateRequest};

/// The first pause, in nanoseconds.
const FIRST_PAUSE: i64 = 500_000_000;
/// The longest pause, in nanoseconds.
const LONGEST_PAUSE: i64 = kait_ir::program::LONGEST_PAUSE.cast_signed();

impl<'a> Run<'a> {
    pub(crate) fn start_policy(
        &mut self,
        at: u32,
        node: u32,
        policy: &'a Policy,
    ) -> Result<(), Fail> {
        let (deadline, cache, retry, timeout) = self.eval(at, |e| {
            let cache = match (policy.cache, &policy.cache_key) {
                (Some(ttl), Some((call, args))) => {
                    let ttl = e.duration(ttl)?;
                    Some((CacheKey { call: call.clone(), args: e.parts(args)? }, ttl))
                }
                _ => None,
            };
            Ok((
                policy.deadline.map(|d| e.duration(d)).transpose()?,
                cache,
                policy.retry.map(|r| e.int(r)).transpose()?,
                policy.timeout.map(|t| e.duration(t)).transpose()?,
            ))
        })?;
        let attempts =
            u32::try_from(retry.unwrap_or(0).max(0)).unwrap_or(u32::MAX).saturating_add(1);
        let mut control = PolicyControl {
            phase: Phase::Attempt,
            attempt: 0,
            attempts,
            timeout,
            deadline,
            deadline_scope: NONE,
            timeout_scope: NONE,
            frame: NONE,
            cache,
            acquired: false,
            timer: None,
        };
        if let Some(deadline) = deadline {
            let kind = ScopeKind::Deadline(self.waiter(at, node));
            control.deadline_scope = self.open_scope(self.frame(at).scope, kind, deadline);
        }
        let key = control.cache.as_ref().map(|(key, _)| Box::new(key.clone()));
        self.new_control(at, node, Control::Policy(Box::new(control)));
        if let Some(key) = key {
            self.set_phase(at, node, Phase::Lookup);
            let effect = self.effect_id(at, node);
            self.out.push(Command::Lookup { effect, key });
            return Ok(());
        }
        self.next_attempt(at, node, policy);
        Ok(())
    }

    fn policy(&mut self, at: u32, node: u32) -> Option<&mut PolicyControl> {
        match self.control(at, node) {
            Control::Policy(policy) => Some(policy),
            _ => None,
        }
    }

    /// The policy that an event is for, if it is in that phase.
    fn policy_in(&mut self, waiter: Waiter, phase: Phase) -> Option<&'a Policy> {
        if !self.is_running(waiter) {
            return None;
        }
        let NodeKind::Policy(policy) = &self.node(waiter.frame, waiter.node).kind else {
            return None;
        };
        (self.policy(waiter.frame, waiter.node)?.phase == phase).then_some(policy)
    }

    /// The scope that bounds all attempts.
    fn outer_scope(&mut self, at: u32, node: u32) -> u32 {
        match self.policy(at, node).map(|p| p.deadline_scope) {
            Some(scope) if scope != NONE => scope,
            _ => self.frame(at).scope,
        }
    }

    /// Waiting for the cache, the rate limit or the end of a pause is work of its own: clocks run.
    fn set_phase(&mut self, at: u32, node: u32, phase: Phase) {
        let waits = |p: Phase| matches!(p, Phase::Lookup | Phase::Acquire | Phase::Backoff);
        let scope = self.outer_scope(at, node);
        let Some(policy) = self.policy(at, node) else { return };
        let before = std::mem::replace(&mut policy.phase, phase);
        match (waits(before), waits(phase)) {
            (false, true) => self.enter(scope),
            (true, false) => self.leave(scope),
            _ => {}
        }
    }

    pub(crate) fn cache_answers(&mut self, effect: EffectId, value: Option<Value>) {
        let waiter =
            Waiter { frame: effect.frame, generation: effect.generation, node: effect.node };
        let Some(policy) = self.policy_in(waiter, Phase::Lookup) else { return };
        let (at, node) = (waiter.frame, waiter.node);
        self.set_phase(at, node, Phase::Attempt);
        match value {
            Some(value) => {
                self.quit_policy(at, node);
                self.free_control(at, node);
                self.node_ok(at, node, value);
            }
            None => self.next_attempt(at, node, policy),
        }
    }

    fn next_attempt(&mut self, at: u32, node: u32, policy: &'a Policy) {
        if let Some(p) = self.policy(at, node) {
            p.attempt += 1;
        }
        let Some(rate) = &policy.rate else { return self.run_attempt(at, node, policy) };
        match self.rate(at, rate) {
            Ok(rate) => {
                self.set_phase(at, node, Phase::Acquire);
                if let Some(p) = self.policy(at, node) {
                    p.acquired = true;
                }
                let effect = self.effect_id(at, node);
                self.out.push(Command::Acquire { effect, rate: Box::new(rate) });
            }
            Err(fail) => self.policy_fails(at, node, policy, fail),
        }
    }

    fn rate(&mut self, at: u32, rate: &Rate) -> Result<RateRequest, Fail> {
        self.eval_now(at, |e| {
            Ok(RateRequest {
                name: rate.name.clone(),
                calls: rate.calls.map(|n| e.int(n)).transpose()?,
                per: rate.per.map(|n| e.duration(n)).transpose()?,
                parallel: rate.parallel.map(|n| e.int(n)).transpose()?,
            })
        })
    }

    pub(crate) fn rate_granted(&mut self, effect: EffectId) {
        let waiter =
            Waiter { frame: effect.frame, generation: effect.generation, node: effect.node };
        if let Some(policy) = self.policy_in(waiter, Phase::Acquire) {
            self.set_phase(waiter.frame, waiter.node, Phase::Attempt);
            self.run_attempt(waiter.frame, waiter.node, policy);
        }
    }

    fn run_attempt(&mut self, at: u32, node: u32, policy: &'a Policy) {
        self.set_phase(at, node, Phase::Attempt);
        let mut scope = self.outer_scope(at, node);
        let Some(p) = self.policy(at, node) else { return };
        let attempt = p.attempt;
        if let Some(timeout) = p.timeout {
            let kind = ScopeKind::Timeout(self.waiter(at, node));
            scope = self.open_scope(scope, kind, timeout);
            if let Some(p) = self.policy(at, node) {
                p.timeout_scope = scope;
            }
        }
        match self.spawn(at, node, policy.body, Role::Body, attempt, scope, []) {
            Ok(frame) => {
                if let Some(p) = self.policy(at, node) {
                    p.frame = frame;
                }
                self.grow_into_child(at, node, frame);
            }
            Err(fail) => self.attempt_ended(at, node, policy, Err(fail)),
        }
    }

    /// An attempt has ended, and its frame is gone.
    pub(crate) fn attempt_ended(
        &mut self,
        at: u32,
        node: u32,
        policy: &'a Policy,
        result: Result<Value, Fail>,
    ) {
        self.close_attempt(at, node);
        let fail = match result {
            Ok(value) => {
                let cache = self.policy(at, node).and_then(|p| p.cache.take());
                if let Some((key, ttl)) = cache {
                    self.out.push(Command::Store { key: Box::new(key), value: value.clone(), ttl });
                }
                self.quit_policy(at, node);
                self.free_control(at, node);
                return self.node_ok(at, node, value);
            }
            Err(fail) => fail,
        };
        let Some(p) = self.policy(at, node) else { return };
        let attempt = p.attempt;
        if fail.bound.is_none() && fail.failure.is_retryable() && attempt < p.attempts {
            self.reset_flows(at, node);
            self.set_phase(at, node, Phase::Backoff);
            let due = self.s.now.saturating_add(self.pause(at, node, attempt));
            let timer = self.set_timer(due, TimerUse::Backoff(self.waiter(at, node)));
            if let Some(p) = self.policy(at, node) {
                p.timer = Some(timer);
            }
            return;
        }
        self.policy_fails(at, node, policy, fail);
    }

    fn pause(&self, at: u32, node: u32, attempt: u32) -> i64 {
        let full = FIRST_PAUSE
            .checked_shl((attempt - 1).min(16))
            .map_or(LONGEST_PAUSE, |pause| pause.clamp(FIRST_PAUSE, LONGEST_PAUSE));
        let path = crate::path::render(self.loaded, self.s, self.effect_id(at, node));
        let mut hasher = blake3::Hasher::new();
        hasher.update(path.unwrap_or_default().as_bytes());
        hasher.update(&attempt.to_le_bytes());
        hasher.update(&self.s.seed.to_le_bytes());
        let hash = hasher.finalize();
        let bytes = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        let jitter = u32::from_le_bytes(bytes);
        let half = full / 2;
        half + (half as i128 * i128::from(jitter) / i128::from(u32::MAX)) as i64
    }

    pub(crate) fn backoff_over(&mut self, waiter: Waiter) {
        if let Some(policy) = self.policy_in(waiter, Phase::Backoff) {
            let (at, node) = (waiter.frame, waiter.node);
            if let Some(p) = self.policy(at, node) {
                p.timer = None;
            }
            self.set_phase(at, node, Phase::Attempt);
            self.next_attempt(at, node, policy);
        }
    }

    /// The time of one attempt is over.
    pub(crate) fn attempt_timed_out(&mut self, waiter: Waiter) {
        if self.is_closing(waiter.frame) {
            return; // its writes are awaited
        }
        if self.policy_in(waiter, Phase::Attempt).is_some() {
            let timeout = self.policy(waiter.frame, waiter.node).and_then(|p| p.timeout);
            let limit = timeout.map(|nanos| ("timeout", nanos));
            let (mut fail, undos) = self.tear_attempt(waiter.frame, waiter.node, limit);
            self.locate(waiter.frame, waiter.node, &mut fail);
            self.undo_first(undos, Then::Attempt(waiter, fail));
        }
    }

    /// An attempt was dropped, and what it had done is undone.
    pub(crate) fn attempt_torn(&mut self, waiter: Waiter, fail: Fail) {
        if self.is_running(waiter)
            && let NodeKind::Policy(policy) = &self.node(waiter.frame, waiter.node).kind
        {
            self.attempt_ended(waiter.frame, waiter.node, policy, Err(fail));
        }
    }

    /// The time of all attempts is over.
    pub(crate) fn deadline_is_over(&mut self, waiter: Waiter) {
        if !self.is_running(waiter) || self.is_closing(waiter.frame) {
            return;
        }
        let (at, node) = (waiter.frame, waiter.node);
        let NodeKind::Policy(_) = &self.node(at, node).kind else { return };
        let deadline = self.policy(at, node).and_then(|p| p.deadline);
        let limit = deadline.map(|nanos| ("deadline", nanos));
        let (fail, undos) = self.tear_attempt(at, node, limit);
        self.close_attempt(at, node);
        self.undo_first(undos, Then::Deadline(waiter, fail));
    }

    /// The time of all attempts is over, and what they had done is undone.
    pub(crate) fn deadline_torn(&mut self, waiter: Waiter, fail: Fail) {
        if self.is_running(waiter)
            && let NodeKind::Policy(policy) = &self.node(waiter.frame, waiter.node).kind
        {
            self.policy_fails(waiter.frame, waiter.node, policy, fail);
        }
    }

    /// Drops the attempt that runs. What it wrote without a key is unknown from here.
    fn tear_attempt(&mut self, at: u32, node: u32, limit: Option<(&str, i64)>) -> (Fail, Undos) {
        let frame = self.policy(at, node).map_or(NONE, |p| std::mem::replace(&mut p.frame, NONE));
        let Torn { unknown, undos, .. } = self.kill(&[frame], false);
        let fail = match unknown {
            Some(call) => Failure::Unknown { call }.into(),
            None => match limit {
                Some((name, nanos)) => {
                    let limit = format_smolstr!("{name}: {}", duration(nanos));
                    Fail::limited(Failure::Timeout, limit)
                }
                None => Failure::Timeout.into(),
            },
        };
        (fail, undos)
    }

    /// Gives back what an attempt holds.
    fn close_attempt(&mut self, at: u32, node: u32) {
        let effect = self.effect_id(at, node);
        let Some(p) = self.policy(at, node) else { return };
        p.frame = NONE;
        let scope = std::mem::replace(&mut p.timeout_scope, NONE);
        let acquired = std::mem::replace(&mut p.acquired, false);
        let timer = p.timer.take();
        if acquired {
            self.out.push(Command::Release(effect));
        }
        if let Some(timer) = timer {
            self.cancel_timer(timer);
        }
        self.close_scope(scope);
    }

    /// Gives back all that a policy holds but its frame.
    pub(crate) fn quit_policy(&mut self, at: u32, node: u32) {
        self.close_attempt(at, node);
        self.set_phase(at, node, Phase::Attempt);
        let scope = self.policy(at, node).map(|p| std::mem::replace(&mut p.deadline_scope, NONE));
        if let Some(scope) = scope {
            self.close_scope(scope);
        }
    }

    /// No attempt is left: the fallback stands in, if there is one and it may.
    fn policy_fails(&mut self, at: u32, node: u32, policy: &'a Policy, fail: Fail) {
        self.quit_policy(at, node);
        let covered = fail.bound.is_none()
            && match &*fail.failure {
                Failure::Unknown { .. } | Failure::Denied { .. } => false,
                // The fallback of a question is the answer when nobody answers.
                Failure::Unanswered => {
                    let table = &self.loaded.regions[self.frame(at).region as usize];
                    table.is_ask(node)
                }
                _ => true,
            };
        let Some(fallback) = policy.fallback.filter(|_| covered) else {
            self.free_control(at, node);
            return self.node_failed(at, node, fail);
        };
        self.reset_flows(at, node);
        self.set_phase(at, node, Phase::Fallback);
        let scope = self.frame(at).scope;
        match self.spawn(at, node, fallback, Role::Fallback, 0, scope, []) {
            Ok(frame) => {
                if let Some(p) = self.policy(at, node) {
                    p.frame = frame;
                }
                self.grow_into_child(at, node, frame);
            }
            Err(fail) => {
                self.free_control(at, node);
                self.node_failed(at, node, fail);
            }
        }
    }
}
