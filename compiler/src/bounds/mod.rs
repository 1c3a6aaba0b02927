//! Bounds: what a run of each declaration costs at most, before anything runs: calls of models by role, repairs,
//! tokens, tool calls, questions to people, money and time.
//!
//! Every figure is an upper bound. Whatever follows one another adds up, of ways of which one is taken the largest
//! counts, a repeated body counts as often as its bound says, and a circle of calls as often as its depth allows.
//! Figures are [`Amount`]s in the sizes of a graph's inputs; where nothing bounds one, it says why. What models can take
//! and cost is no part of a program: it comes in as [`Terms`].
//!
//! This stage reads the effects; nothing but tools and people reads it.

mod amount;
mod infer;
mod models;
mod sizes;
mod sums;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

pub use amount::{Amount, Size, SizeId, Sizes};
pub use text::grouped;

use crate::Compilation;
use crate::diagnostics::Span;
use crate::hir::DefId;

/// The most tools that an agent calls in one of its turns.
pub const TOOLS_PER_TURN: u64 = kait_ir::program::TOOLS_PER_TURN;

/// How much of a currency's unit a figure of [`Cost::money`] is: a millionth of a millionth.
pub const MONEY_UNIT: u64 = 1_000_000_000_000;

/// What the model that plays a role takes and costs, as a profile says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleTerms {
    /// The most tokens that it reads for one answer.
    pub context: Option<u64>,
    /// The most tokens that it writes in one answer.
    pub output: Option<u64>,
    /// What a token costs: read, written; in [`MONEY_UNIT`]s of the profile's currency.
    pub price: Option<(u64, u64)>,
}

/// What the models of a profile take and cost.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// By the name of the role.
    pub roles: FxHashMap<SmolStr, RoleTerms>,
    /// For roles that have no entry of their own.
    pub default: Option<RoleTerms>,
    /// The currency of all prices, in lower case.
    pub currency: Option<[u8; 3]>,
}

/// What the models of one role do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleCost {
    /// Calls; an agent makes one a turn.
    pub calls: Amount,
    /// Further calls because an answer did not fit.
    pub repairs: Amount,
    /// Tokens that they read.
    pub input: Amount,
    /// Tokens that they write.
    pub output: Amount,
}

/// What one run does at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// By the role's declaration.
    pub roles: BTreeMap<DefId, RoleCost>,
    /// Calls of models, without repairs.
    pub calls: Amount,
    /// Further calls because an answer did not fit.
    pub repairs: Amount,
    /// Calls of models with all repairs.
    pub requests: Amount,
    /// Tokens, read and written.
    pub tokens: Amount,
    /// Calls of externs, tools of servers and functions of the standard library that read or change the world.
    pub tools: Amount,
    /// Questions to people, approvals included.
    pub questions: Amount,
    /// What priced models cost, in [`MONEY_UNIT`]s.
    pub money: Amount,
    /// Roles whose model has no price: their calls are not part of `money`.
    pub unpriced: Vec<DefId>,
    /// How long it takes if nothing overlaps, in nanoseconds.
    pub time: Amount,
}

/// A call that takes part in what a declaration costs.
#[derive(Clone, Debug)]
pub struct Part {
    /// What is called.
    pub callee: DefId,
    /// Where.
    pub span: Span,
    /// How often.
    pub times: Amount,
    /// Calls of models for all of it, repairs not included.
    pub calls: Amount,
    /// Repairs for all of it.
    pub repairs: Amount,
}

/// A budget of a header that stops a run before it reaches what it could reach otherwise. One of tokens or money lets the call
/// end that uses it up, and so is no bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// `calls`, `tokens`, `cost` or `time`.
    pub budget: &'static str,
    /// What it allows: calls, tokens, [`MONEY_UNIT`]s or nanoseconds.
    pub limit: u64,
    /// What the run could do without it.
    pub without: Amount,
}

/// What a declaration costs, and why.
#[derive(Clone, Debug, Default)]
pub struct DefCost {
    /// All of it.
    pub cost: Cost,
    /// Its calls that ask models, in textual order.
    pub parts: Vec<Part>,
    /// Its budgets that matter.
    pub stops: Vec<Stop>,
    /// Of a prompt or agent: what it does beside asking its model.
    beside: Cost,
    /// What its compensations do, while they are not part of `cost`.
    undo: Cost,
}

/// Why nothing bounds an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// In plain words, with what to do.
    pub text: String,
    /// Where, if it is a place of the program.
    pub span: Option<Span>,
}

/// What all declarations of a program cost.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// The sizes that amounts speak of.
    pub sizes: Sizes,
    /// Why amounts have no bound.
    pub reasons: Vec<Reason>,
    defs: Vec<DefCost>,
}

impl Bounds {
    /// What a call of a declaration costs, in the sizes of its parameters.
    #[must_use]
    pub fn of(&self, def: DefId) -> Option<&DefCost> {
        self.defs.get(def.index())
    }
}

/// What everything in a compilation costs at most. Expects one without errors: broken parts cost nothing.
#[must_use]
pub fn bounds(compiled: &Compilation, terms: &Terms) -> Bounds {
    infer::infer(compiled, terms)
}
