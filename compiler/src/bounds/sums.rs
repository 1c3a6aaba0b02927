//! Arithmetic of costs: figure by figure, role by role.

use super::amount::Amount;
use super::infer::Finder;
use super::{Cost, RoleCost};
use crate::hir::DefId;

impl Finder<'_> {
    pub(super) fn map(
        &mut self,
        cost: &Cost,
        mut f: impl FnMut(&mut Self, &Amount) -> Amount,
    ) -> Cost {
        let mut roles = std::collections::BTreeMap::new();
        for (role, asked) in &cost.roles {
            roles.insert(
                *role,
                RoleCost {
                    calls: f(self, &asked.calls),
                    repairs: f(self, &asked.repairs),
                    input: f(self, &asked.input),
                    output: f(self, &asked.output),
                },
            );
        }
        Cost {
            roles,
            calls: f(self, &cost.calls),
            repairs: f(self, &cost.repairs),
            requests: f(self, &cost.requests),
            tokens: f(self, &cost.tokens),
            tools: f(self, &cost.tools),
            questions: f(self, &cost.questions),
            money: f(self, &cost.money),
            unpriced: cost.unpriced.clone(),
            time: f(self, &cost.time),
        }
    }

    pub(super) fn times(&mut self, cost: &Cost, times: &Amount) -> Cost {
        if times.number() == Some(1) {
            return cost.clone();
        }
        self.map(cost, |this, amount| amount.times(times, &this.sizes))
    }

    pub(super) fn plus(&mut self, a: &Cost, b: &Cost) -> Cost {
        self.both(a, b, |this, a, b| a.clone().plus(b, &this.sizes))
    }

    pub(super) fn larger(&mut self, a: Cost, b: Cost) -> Cost {
        self.both(&a, &b, |this, a, b| a.clone().or(b.clone(), &mut this.sizes))
    }

    fn both(
        &mut self,
        a: &Cost,
        b: &Cost,
        mut f: impl FnMut(&mut Self, &Amount, &Amount) -> Amount,
    ) -> Cost {
        if *a == Cost::default() {
            return b.clone();
        }
        if *b == Cost::default() {
            return a.clone();
        }
        let none = RoleCost::default();
        let mut roles = a.roles.clone();
        for role in b.roles.keys() {
            roles.entry(*role).or_default();
        }
        for (role, slot) in &mut roles {
            let (a, b) = (a.roles.get(role).unwrap_or(&none), b.roles.get(role).unwrap_or(&none));
            *slot = RoleCost {
                calls: f(self, &a.calls, &b.calls),
                repairs: f(self, &a.repairs, &b.repairs),
                input: f(self, &a.input, &b.input),
                output: f(self, &a.output, &b.output),
            };
        }
        let mut unpriced: Vec<DefId> = a.unpriced.iter().chain(&b.unpriced).copied().collect();
        unpriced.sort_unstable();
        unpriced.dedup();
        Cost {
            roles,
            calls: f(self, &a.calls, &b.calls),
            repairs: f(self, &a.repairs, &b.repairs),
            requests: f(self, &a.requests, &b.requests),
            tokens: f(self, &a.tokens, &b.tokens),
            tools: f(self, &a.tools, &b.tools),
            questions: f(self, &a.questions, &b.questions),
            money: f(self, &a.money, &b.money),
            unpriced,
            time: f(self, &a.time, &b.time),
        }
    }
}
