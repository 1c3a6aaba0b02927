//! Budgets of headers: what calls of models may use up. It is set aside before a call begins and settled when it has ended.
//!
//! A call begins when every budget around it has room for all that it may use up. Where that is not known beforehand, or
//! more than there is, it begins when no other call is under way in that budget: so calls of models and their repairs never
//! go beyond a budget, and tokens and money of those that end by at most what one call uses up. A call that must wait stands in the queue of
//! the budget that has no room, and is looked at again when a call inside of it has ended. Its clocks stand still.

use std::collections::VecDeque;

use kait_ir::program::ModelCall;
use kait_ir::{Currency, Failure, Money, Value};
use rust_decimal::Decimal;
use smol_str::{SmolStr, format_smolstr};

use super::Run;
use super::scope::ScopeKind;
use super::state::{Fail, NONE, Waiter};
use crate::event::{EffectId, Usage};
use crate::{json, render};

/// The link of a call that waits for room in a budget.
pub(crate) const WAITS: u32 = NONE - 1;

/// The link of one that is looked at again.
pub(crate) const RESUMES: u32 = NONE - 2;

/// Tokens that a message needs beside its text, at most: its role, and what providers put around it.
const AROUND_MESSAGE: i64 = 64;
/// Bytes of a token, in most texts.
const BYTES_OF_TOKEN: i64 = 4;
/// Tokens of what a repair says about the answer before, at most.
const AROUND_REPAIR: i64 = 512;

/// Limits of a header, and what was used.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets {
    calls: Option<i64>,
    tokens: Option<i64>,
    cost: Option<Money>,
    used_calls: i64,
    used_tokens: i64,
    used_cost: Decimal,
    /// What calls under way may still use up.
    held: Held,
    /// Calls under way.
    under_way: u32,
    /// Those of them of which is not known what they use up.
    open_ended: u32,
    /// Calls that wait for room here, the first come in front.
    waiting: VecDeque<Waiter>,
}

/// What is set aside.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    repairs: i64,
    tokens: i64,
    cost: Decimal,
}

/// What a call uses up at most, repairs included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    repair: u32,
    /// What counts if it is dropped, and nobody learns what it has used up: what one answer reads by its text and may have at
    /// most, as far as the program says it.
    dropped: i64,
    /// `None` if nobody knows.
    tokens: Option<i64>,
    cost: Price,
}

/// What a call costs at most.
#[derive(Clone, Copy, Debug)]
enum Price {
    /// Nobody knows.
    Open,
    /// Nothing that a budget counts.
    None,
    /// So much.
    Most(Money),
}

/// What a call under way holds in the budgets around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reservation {
    need: Need,
    repairs: i64,
}

/// What a call may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Granted {
    /// Tokens that budgets leave, if any counts them.
    pub(crate) tokens_left: Option<u64>,
    /// Further calls.
    pub(crate) repair: u32,
}

/// What a budget says to a call.
enum Room {
    Now {
        repair: u32,
        tokens: Option<i64>,
    },
    /// Once others have ended.
    Later,
    /// Never: this is used up.
    Over(&'static str),
}

impl Need {
    /// What nobody knows of a call without repairs.
    pub(crate) const OPEN: Self = Self { repair: 0, dropped: 0, tokens: None, cost: Price::Open };
}

impl Run<'_> {
    /// What a call uses up at most, as far as it can be known: the bytes of its text are more than its tokens.
    pub(crate) fn need(
        &self,
        at: u32,
        call: &ModelCall,
        role: &str,
        messages: &[Value],
        written: Option<i64>,
        repair: u32,
    ) -> Need {
        let mut need = Need { repair, dropped: written.unwrap_or(0), ..Need::OPEN };
        if !self.counts_tokens(at) {
            return need;
        }
        let terms = self.s.terms.iter().find(|(known, _)| known == role).map(|(_, terms)| terms);
        if terms.is_some_and(|terms| terms.price.is_none()) {
            need.cost = Price::None;
        }
        let limit = |n: Option<u64>| n.map(|n| i64::try_from(n).unwrap_or(i64::MAX));
        let context = terms.and_then(|terms| limit(terms.context));
        let answer = terms.and_then(|terms| limit(terms.max_output));
        let answer = [answer, written].into_iter().flatten().min();
        let text = self.input_of(call, messages);
        let usual = text.map_or(0, |bytes| bytes / BYTES_OF_TOKEN);
        need.dropped = need.dropped.saturating_add(usual);
        let input = [text, context].into_iter().flatten().min();
        let (Some(input), Some(answer)) = (input, answer) else { return need };
        // Each repair is told all that was said before.
        let (repairs, requests) = (i64::from(repair), i64::from(repair) + 1);
        let again = answer.saturating_add(AROUND_REPAIR);
        let again = again.saturating_mul(repairs.saturating_mul(requests) / 2);
        let read = input.saturating_mul(requests).saturating_add(again);
        let written = answer.saturating_mul(requests);
        need.tokens = Some(read.saturating_add(written).max(1));
        if let Some(price) = terms.and_then(|terms| terms.price) {
            let amount = price.read.saturating_mul(read.into());
            let amount = amount.saturating_add(price.written.saturating_mul(written.into()));
            need.cost = Price::Most(Money { amount, currency: price.currency });
        }
        need
    }

    fn counts_tokens(&self, at: u32) -> bool {
        let mut scope = self.frame(at).scope;
        while let Some(s) = self.s.scopes.get(scope as usize) {
            if s.budgets.as_ref().is_some_and(|b| b.tokens.is_some() || b.cost.is_some()) {
                return true;
            }
            scope = s.parent;
        }
        false
    }

    /// Tokens that a model reads at most, if all of it is text.
    fn input_of(&self, call: &ModelCall, messages: &[Value]) -> Option<i64> {
        let table = self.loaded.table();
        let mut bytes = match call.output {
            output if matches!(table.types().base(output), kait_ir::Type::Text) => 0,
            output => json::output_schema(table, output).to_string().len(),
        };
        bytes += call.docs.len();
        let mut count = 1;
        for (message, content) in call.messages.iter().zip(messages) {
            let parts = content.as_list().unwrap_or_default();
            let is_blob = |value: &Value| matches!(value, Value::Blob(_));
            if is_blob(content) || parts.iter().any(is_blob) {
                return None;
            }
            count += 1 + parts.len();
            bytes += render::to_text(table, message.ty, content).len();
        }
        let around = i64::try_from(count).ok()?.checked_mul(AROUND_MESSAGE)?;
        i64::try_from(bytes).ok()?.checked_add(around)
    }

    /// Sets aside what a call needs in every budget around it. `None` if it has to wait: then its node is started again
    /// when there may be room.
    pub(crate) fn reserve(
        &mut self,
        at: u32,
        node: u32,
        need: Need,
    ) -> Result<Option<Granted>, Fail> {
        let (mut repair, mut tokens_left, mut is_counted) = (need.repair, None, false);
        let resumes = self.frame(at).cells[node as usize].link == RESUMES;
        let mut scope = self.frame(at).scope;
        while let Some(s) = self.s.scopes.get(scope as usize) {
            if let (Some(b), ScopeKind::Header(frame, generation)) = (&s.budgets, s.kind) {
                is_counted = true;
                let room = match b.room(&need) {
                    // First come, first served.
                    Room::Now { .. } if !resumes && !b.waiting.is_empty() => Room::Later,
                    room => room,
                };
                match room {
                    Room::Over(kind) => {
                        let fail = over(b, kind, frame, generation);
                        self.wake_waiting(self.frame(at).scope);
                        return Err(fail);
                    }
                    Room::Later => {
                        let waiter = self.waiter(at, node);
                        self.frame_mut(at).cells[node as usize].link = WAITS;
                        let budgets = self.s.scopes[scope as usize].budgets.as_mut();
                        if let Some(b) = budgets {
                            if resumes {
                                b.waiting.push_front(waiter);
                            } else {
                                b.waiting.push_back(waiter);
                            }
                        }
                        return Ok(None);
                    }
                    Room::Now { repair: repairs, tokens } => {
                        repair = repair.min(repairs);
                        tokens_left = [tokens_left, tokens].into_iter().flatten().min();
                    }
                }
            }
            scope = s.parent;
        }
        let tokens_left = tokens_left.and_then(|n: i64| u64::try_from(n).ok());
        self.frame_mut(at).cells[node as usize].link = NONE;
        if is_counted {
            let held = Reservation { need, repairs: repair.into() };
            self.each_budget(self.frame(at).scope, |b| b.hold(&held, 1));
            self.s.reservations.insert(self.effect_id(at, node), held);
            // There may be room for the next ones, too.
            self.wake_waiting(self.frame(at).scope);
        }
        Ok(Some(Granted { tokens_left, repair }))
    }

    /// Counts a stubbed call: it uses up no more than itself.
    pub(crate) fn count_stubbed(&mut self, at: u32, node: u32) -> Result<(), Fail> {
        let need = Need { tokens: Some(0), cost: Price::None, ..Need::OPEN };
        self.reserve(at, node, need)?;
        let usage = Usage { calls: 1, ..Usage::default() };
        self.settle(self.frame(at).scope, self.effect_id(at, node), Some(&usage));
        Ok(())
    }

    /// Settles what was set aside for a call by what it has used. One that was dropped counts with all its repairs, and the
    /// tokens of one answer by estimate. Gives the failure of the innermost budget that is exceeded now.
    pub(crate) fn settle(
        &mut self,
        scope: u32,
        effect: EffectId,
        usage: Option<&Usage>,
    ) -> Option<Fail> {
        let held = self.s.reservations.remove(&effect)?;
        self.each_budget(scope, |b| {
            b.hold(&held, -1);
            match usage {
                Some(usage) => b.used(usage),
                None => {
                    b.used_calls = b.used_calls.saturating_add(held.repairs);
                    b.used_tokens = b.used_tokens.saturating_add(held.need.dropped);
                }
            }
        });
        self.wake_waiting(scope);
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

    /// Lets the first call that waits in each budget around have another look: others follow when it has begun.
    pub(crate) fn wake_waiting(&mut self, mut scope: u32) {
        while let Some(s) = self.s.scopes.get_mut(scope as usize) {
            let parent = s.parent;
            let mut next = s.budgets.as_mut().and_then(|b| b.waiting.pop_front());
            while let Some(waiter) = next {
                if self.waits_for_room(waiter) {
                    self.s.ready.push_back(waiter);
                    break;
                }
                let budgets = self.s.scopes[scope as usize].budgets.as_mut();
                next = budgets.and_then(|b| b.waiting.pop_front());
            }
            scope = parent;
        }
    }

    /// Whether a call still waits for room in a budget.
    pub(crate) fn waits_for_room(&self, waiter: Waiter) -> bool {
        self.is_running(waiter)
            && self.frame(waiter.frame).cells[waiter.node as usize].link == WAITS
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
    /// Whether it is a limit that is counted here.
    pub(crate) fn limit_to(&mut self, name: &str, value: Value) -> bool {
        match (name, value) {
            ("calls", Value::Int(n)) => self.calls = Some(n),
            ("tokens", Value::Int(n)) => self.tokens = Some(n),
            ("cost", Value::Money(m)) => self.cost = Some(m),
            _ => return false,
        }
        true
    }

    fn room(&self, need: &Need) -> Room {
        let mut repair = need.repair;
        if let Some(most) = self.calls {
            let left = most - self.used_calls - self.held.repairs;
            if left <= i64::from(repair) && self.held.repairs > 0 {
                return Room::Later; // those under way may not need all of their repairs
            }
            if left < 1 {
                return Room::Over("calls");
            }
            repair = repair.min(u32::try_from(left - 1).unwrap_or(u32::MAX));
        }
        let is_alone = self.under_way == 0;
        let mut tokens = None;
        if let Some(most) = self.tokens {
            let left = most - self.used_tokens - self.held.tokens;
            if self.used_tokens >= most {
                return Room::Over("tokens");
            }
            let fits = self.open_ended == 0 && need.tokens.is_some_and(|tokens| tokens <= left);
            if !is_alone && !fits {
                return Room::Later;
            }
            tokens = Some(left);
        }
        if let Some(most) = self.cost {
            let left = most.amount - self.used_cost - self.held.cost;
            if self.used_cost >= most.amount {
                return Room::Over("cost");
            }
            let fits = match self.costs(need) {
                Some(cost) => self.open_ended == 0 && cost <= left,
                None => false,
            };
            if !is_alone && !fits {
                return Room::Later;
            }
        }
        Room::Now { repair, tokens }
    }

    /// What a call costs at most of what is counted here.
    fn costs(&self, need: &Need) -> Option<Decimal> {
        let counted = |currency: Currency| self.cost.is_some_and(|cost| cost.currency == currency);
        match need.cost {
            Price::Open => None,
            Price::Most(cost) if counted(cost.currency) => Some(cost.amount),
            Price::Most(_) | Price::None => Some(Decimal::ZERO),
        }
    }

    /// A call begins (1) or ends (-1).
    fn hold(&mut self, call: &Reservation, sign: i64) {
        if sign > 0 {
            self.used_calls += 1;
        }
        let cost = self.costs(&call.need);
        let is_open = (self.tokens.is_some() && call.need.tokens.is_none())
            || (self.cost.is_some() && cost.is_none());
        self.under_way = self.under_way.saturating_add_signed(sign as i32);
        if is_open {
            self.open_ended = self.open_ended.saturating_add_signed(sign as i32);
        }
        self.held.repairs += sign * call.repairs;
        let tokens = call.need.tokens.unwrap_or_default();
        self.held.tokens = self.held.tokens.saturating_add(tokens.saturating_mul(sign));
        let cost = cost.unwrap_or_default();
        self.held.cost = self.held.cost.saturating_add(cost.saturating_mul(sign.into()));
    }

    fn used(&mut self, usage: &Usage) {
        self.used_calls += i64::from(usage.calls.saturating_sub(1));
        let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
        let tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
        self.used_tokens = self.used_tokens.saturating_add(tokens);
        if let (Some(cost), Some(limit)) = (usage.cost, self.cost)
            && cost.currency == limit.currency
        {
            self.used_cost = self.used_cost.saturating_add(cost.amount);
        }
    }

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
                format_smolstr!("tokens: {most}, used {}", self.used_tokens)
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
