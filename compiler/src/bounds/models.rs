//! What prompts and agents cost, and what the budgets of headers do.

use rustc_hash::FxHashSet;

use super::amount::{Amount, Size};
use super::infer::{Finder, Own, policy};
use super::text::size_name;
use super::{Cost, DefCost, RoleCost, RoleTerms, Stop, TOOLS_PER_TURN};
use crate::check::ty::{Prim, TyKind};
use crate::diagnostics::Span;
use crate::effects::walk;
use crate::hir::{Arg, Callable, CallableKind, DefId, Expr, ExprId, Literal, PromptItem, Tool};

impl Finder<'_> {
    /// A prompt, or an agent.
    pub(super) fn model(
        &mut self,
        id: DefId,
        callable: &Callable,
        circle: &FxHashSet<DefId>,
    ) -> Own {
        let mut own = match self.hir.body(id) {
            Some(body) => self.parts_of(id, body, circle),
            None => Own { cost: DefCost::default(), circle: Amount::default() },
        };
        for item in &callable.items {
            if let PromptItem::Tools { tools, .. } = item {
                let turns = self.turns(id, callable);
                let (called, circle) = self.tools(id, tools, &turns, circle);
                own.cost.cost = self.plus(&own.cost.cost, &called);
                own.circle = own.circle.plus(&circle, &self.sizes);
            }
        }
        own.cost.beside = own.cost.cost.clone();
        let asked = self.asked(id, callable, None, None);
        own.cost.cost = self.plus(&own.cost.cost, &asked);
        own
    }

    /// How often an agent asks its model; a prompt does once.
    fn turns(&mut self, id: DefId, callable: &Callable) -> Amount {
        match policy(&callable.policies, "turns") {
            Some(turns) if callable.kind == CallableKind::Agent => self.number(id, turns),
            _ => 1.into(),
        }
    }

    /// What the calls of its model are, with another role or number of repairs if a call says so.
    pub(super) fn asked(
        &mut self,
        id: DefId,
        callable: &Callable,
        role: Option<DefId>,
        repairs: Option<Amount>,
    ) -> Cost {
        let line = callable.items.iter().find_map(|item| match item {
            PromptItem::Model { role: Some(role), policies, .. } => Some((*role, policies)),
            _ => None,
        });
        let Some((declared, policies)) = line else { return Cost::default() };
        let turns = self.turns(id, callable);
        let repairs = match (repairs, policy(&callable.policies, "repair")) {
            // A repair of an agent is one of its turns.
            _ if callable.kind == CallableKind::Agent => Amount::default(),
            (Some(repairs), _) => repairs,
            (None, Some(repairs)) => self.number(id, repairs),
            (None, None) if self.is_plain(id) => Amount::default(),
            (None, None) => 1.into(),
        };
        let output = policy(policies, "max_tokens").map(|tokens| self.number(id, tokens));
        let time = self.no_time(id);
        self.calls_of(role.unwrap_or(declared), turns, repairs, output, time)
    }

    /// Calls of the model that plays a role.
    fn calls_of(
        &mut self,
        role: DefId,
        calls: Amount,
        repairs: Amount,
        output: Option<Amount>,
        time: Amount,
    ) -> Cost {
        let terms = self.terms_of(role);
        let requests = calls.clone().plus(&repairs, &self.sizes);
        let name = self.qualified(role);
        let span = self.hir.defs.get(role.index()).map(|def| def.name_span);
        let one_input = match terms.context {
            Some(tokens) => tokens.into(),
            None => self.open(format!("the profile gives no `context` for `{name}`: how many tokens its model reads at most"), span),
        };
        let one_output = match (output, terms.output) {
            (Some(written), Some(limit)) => written.at_most(limit, &mut self.sizes),
            (Some(written), None) => written,
            (None, Some(limit)) => limit.into(),
            (None, None) => self.open(
                format!("nothing says how many tokens `{name}` may answer: give `max_tokens` at the `model` line, or `max_output` in the profile"),
                span,
            ),
        };
        let input = requests.times(&one_input, &self.sizes);
        let output = requests.times(&one_output, &self.sizes);
        let mut cost = Cost {
            tokens: input.clone().plus(&output, &self.sizes),
            time: requests.times(&time, &self.sizes),
            ..Cost::default()
        };
        match terms.price {
            Some((read, written)) => {
                let read = input.times(&read.into(), &self.sizes);
                cost.money = read.plus(&output.times(&written.into(), &self.sizes), &self.sizes);
            }
            None => cost.unpriced.push(role),
        }
        cost.calls = calls.clone();
        cost.repairs = repairs.clone();
        cost.requests = requests;
        cost.roles.insert(role, RoleCost { calls, repairs, input, output });
        cost
    }

    fn terms_of(&self, role: DefId) -> RoleTerms {
        // A profile names the role of another module with the module in front of it.
        let own = self.terms.roles.get(self.qualified(role).as_str());
        own.or(self.terms.default.as_ref()).copied().unwrap_or_default()
    }

    /// Whether a prompt gives what any answer is.
    fn is_plain(&self, id: DefId) -> bool {
        let result =
            self.types.signature(id).map(|signature| self.types.interner.kind(signature.result));
        matches!(result, Some(TyKind::Prim(Prim::Text)))
    }

    /// Tools of an agent, which may call any of them in each turn.
    fn tools(
        &mut self,
        id: DefId,
        tools: &[Tool],
        turns: &Amount,
        circle: &FxHashSet<DefId>,
    ) -> (Cost, Amount) {
        let any = turns.times(&TOOLS_PER_TURN.into(), &self.sizes);
        let (mut limited, mut largest) = (Cost::default(), Cost::default());
        let mut circular = Amount::default();
        for tool in tools {
            let Some(target) = tool.target else { continue };
            let attempts = match policy(&tool.policies, "retry") {
                Some(retry) => self.number(id, retry).plus(&1.into(), &self.sizes),
                None => 1.into(),
            };
            let most = match policy(&tool.policies, "max_calls") {
                Some(most) => {
                    let most = self.number(id, most);
                    Some(match most.number() {
                        Some(most) => any.clone().at_most(most, &mut self.sizes),
                        None => most,
                    })
                }
                None => None,
            };
            if circle.contains(&target) {
                let calls = most.as_ref().unwrap_or(&any).times(&attempts, &self.sizes);
                circular = circular.plus(&calls, &self.sizes);
                continue;
            }
            let called =
                self.defs.get(target.index()).map(|cost| cost.cost.clone()).unwrap_or_default();
            let called = self.chosen_by_model(target, &called);
            let mut one = self.times(&called, &attempts);
            if let Some(limit) = policy(&tool.policies, "timeout") {
                one.time = self.duration(id, limit).times(&attempts, &self.sizes);
            }
            if let Some(limit) = policy(&tool.policies, "deadline") {
                one.time = self.duration(id, limit);
            }
            if policy(&tool.policies, "approve").is_some() {
                let asked = self.question(id, &tool.policies, Some(tool.span));
                one = self.plus(&one, &asked);
            }
            match most {
                Some(most) => {
                    let all = self.times(&one, &most);
                    limited = self.plus(&limited, &all);
                }
                None => largest = self.larger(largest, one),
            }
        }
        let unlimited = self.times(&largest, &any);
        (self.plus(&limited, &unlimited), circular)
    }

    /// A cost whose sizes a model chooses.
    fn chosen_by_model(&mut self, tool: DefId, cost: &Cost) -> Cost {
        self.map(cost, |this, amount| {
            this.substitute(amount, |this, size| match size {
                Size::Of { limit: Some(limit), .. } => (*limit).into(),
                Size::Of { param, fields, .. } => {
                    let name = size_name(this.hir, tool, *param, fields);
                    let span = this.hir.defs.get(tool.index()).map(|def| def.name_span);
                    let what = this.qualified(tool);
                    this.open(format!("the model chooses `{name}` of the tool `{what}`, and its type sets no `max`"), span)
                }
                Size::Largest(_) | Size::Least(..) => Amount::default(),
            })
        })
    }

    /// A question, with how long it may wait.
    pub(super) fn question(&mut self, owner: DefId, policies: &[Arg], span: Option<Span>) -> Cost {
        let time = match policy(policies, "within") {
            Some(within) => self.duration(owner, within),
            None => self
                .open("nothing says how long the person may take: add `within:`".to_owned(), span),
        };
        Cost { questions: 1.into(), time, ..Cost::default() }
    }

    // ---- budgets ----

    /// What a header allows no more than.
    pub(super) fn budgets(&mut self, id: DefId, callable: &Callable, found: &mut DefCost) {
        if matches!(callable.kind, CallableKind::Extern { .. }) {
            return;
        }
        for budget in ["calls", "tokens", "cost", "time"] {
            let Some(value) = policy(&callable.policies, budget) else { continue };
            let limit = match budget {
                "time" => self.duration(id, value).number(),
                "cost" => self.money(id, value),
                _ => self.number(id, value).most(&self.sizes),
            };
            let Some(limit) = limit else { continue };
            let cost = &mut found.cost;
            let without = match budget {
                "calls" => &cost.requests,
                "tokens" => &cost.tokens,
                "cost" => &cost.money,
                _ => &cost.time,
            };
            let is_unknown = budget == "cost" && !cost.unpriced.is_empty();
            let sizes = &self.sizes;
            let is_beyond = |amount: &Amount| amount.most(sizes).is_none_or(|most| most > limit);
            if !is_unknown && !is_beyond(without) {
                continue;
            }
            found.stops.push(Stop { budget, limit, without: without.clone() });
            // Calls and their repairs are set aside before they are made, so that there is none too many. Of tokens and
            // money only estimates are: the call that uses up the budget may go beyond.
            match budget {
                "calls" => {
                    let roles = cost.roles.values_mut();
                    let roles = roles.flat_map(|role| [&mut role.calls, &mut role.repairs]);
                    let all = [&mut cost.calls, &mut cost.repairs, &mut cost.requests];
                    for amount in roles.chain(all).filter(|amount| is_beyond(amount)) {
                        *amount = limit.into();
                    }
                }
                "time" => cost.time = limit.into(),
                _ => {}
            }
        }
    }

    /// Money that is written down, in the currency of the prices.
    fn money(&self, owner: DefId, value: ExprId) -> Option<u64> {
        use rust_decimal::prelude::ToPrimitive as _;
        match walk::expr(self.hir.body(owner)?, value) {
            Expr::Literal(Literal::Money(amount, currency))
                if self.terms.currency.is_none_or(|c| c == *currency) =>
            {
                amount.checked_mul(super::MONEY_UNIT.into())?.ceil().to_u64()
            }
            _ => None,
        }
    }
}
