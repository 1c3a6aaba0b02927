//! `with (…)`: policies around one call, in their one fixed order.

use kait_ir::program::{NodeKind, Policy, Rate};
use kait_ir::{ExprId as IrId, NodeKind as Kind};

use super::body::BodyLowerer;
use super::calls::What;
use super::growth::named;
use super::regions::NewNode;
use crate::hir::{Arg, ArgValue, Builtin, Callable, Callee, DefKind, Expr, ExprId};

impl<'a> BodyLowerer<'_, 'a> {
    /// A call with policies. Its arguments are evaluated once, before and outside of them.
    pub(super) fn with(
        &mut self,
        id: ExprId,
        call: ExprId,
        policies: &'a [Arg],
        name: Option<&str>,
    ) -> IrId {
        let Expr::Call { callee, args, .. } = self.hir(call) else {
            return self.broken(id, "policies around what is no call");
        };
        match callee {
            Callee::Builtin(Builtin::Ask | Builtin::Choose) => {
                return self.question_with(id, call, policies, name);
            }
            Callee::Builtin(_) => return self.named_value(call, name),
            _ => {}
        }
        if !self.in_region() {
            return self.broken(id, "policies where no node can stand");
        }
        let Some(mut prepared) = self.prepare(call, callee, args) else { return self.nothing() };
        self.of_the_call(&mut prepared.what, policies);
        if policy(policies, "detach").is_some() {
            let span = self.span(id);
            return self.low.not_run(span, "runs of their own (`detach`)");
        }
        if policy(policies, "once").is_some() {
            let span = self.span(id);
            return self.low.not_run(span, "calls with `once`");
        }
        let approved = match policy(policies, "approve") {
            Some(_) => self.approve(call, callee, &mut prepared, policies),
            None => None,
        };
        let part =
            |this: &mut Self, name: &str| policy(policies, name).map(|value| this.value(value));
        let deadline = part(self, "deadline");
        let cache = part(self, "cache");
        let retry = part(self, "retry");
        let timeout = part(self, "timeout");
        let rate = self.rate(callee, policies);
        let fallback = policy(policies, "fallback");
        let wraps = [deadline, cache, retry, timeout].iter().any(Option::is_some)
            || rate.is_some()
            || fallback.is_some();
        // Only now, as the policies' own values may take nodes.
        let start_after = |this: &mut Self| {
            if let Some(after) = policy(policies, "after") {
                this.start_after(after);
            }
            if let Some(approved) = approved {
                this.after(approved);
            }
        };
        if !wraps {
            start_after(self);
            let value = self.make(call, prepared, name);
            return self.coerced(call, value);
        }
        let cache_key = cache.map(|_| {
            let args: Vec<IrId> = match &prepared.what {
                What::Node(NodeKind::Call(call)) => call.args.clone(),
                What::Node(NodeKind::Leaf(call)) => call.args.clone(),
                What::Node(NodeKind::Stubbed { args, .. }) => args.clone(),
                _ => Vec::new(),
            };
            let args = args.into_iter().map(|arg| self.low.copy(arg)).collect();
            (prepared.callee.clone(), args)
        });
        let label = prepared.callee.clone();
        let body = self.arm_region(|this| {
            let value = this.make(call, prepared, None);
            this.coerced(call, value)
        });
        let fallback = fallback.map(|value| self.arm_region(|this| this.value(value)));
        let policy = Policy { body, fallback, deadline, cache, cache_key, retry, timeout, rate };
        let name = name.unwrap_or(&label);
        let ty = self.ty(id);
        let (grows, span) = (self.grows(id), Some(self.span(id)));
        let sleeps = self.effects_guard(call, callee);
        let kind = Kind::Policy(Box::new(policy));
        start_after(self);
        let node = self.node(NewNode { kind, name, ty, grows, span });
        if sleeps {
            self.guard(node);
        }
        node
    }

    /// Whether the call is the clock's `sleep`.
    fn effects_guard(&self, _call: ExprId, callee: &Callee) -> bool {
        let Callee::Def(def) = callee else { return false };
        matches!(
            self.low.callable_kind(*def),
            Some(crate::hir::CallableKind::Extern { locator, .. }) if locator == "clock.sleep"
        )
    }

    /// A question with what happens when nobody answers.
    fn question_with(
        &mut self,
        id: ExprId,
        call: ExprId,
        policies: &'a [Arg],
        name: Option<&str>,
    ) -> IrId {
        let Expr::Call { callee: Callee::Builtin(form), args, .. } = self.hir(call) else {
            return self.broken(id, "policies around what is no question");
        };
        let ask = |this: &mut Self, name| {
            let answer = this.question(call, *form, args, policies, name);
            this.coerced(call, answer)
        };
        if !self.in_region() {
            return self.broken(id, "a question where no node can stand");
        }
        let start_after = |this: &mut Self| {
            if let Some(after) = policy(policies, "after") {
                this.start_after(after);
            }
        };
        let Some(fallback) = policy(policies, "fallback") else {
            start_after(self);
            return ask(self, name);
        };
        let body = self.arm_region(|this| ask(this, None));
        let fallback = Some(self.arm_region(|this| this.value(fallback)));
        let policy = Policy {
            body,
            fallback,
            deadline: None,
            cache: None,
            cache_key: None,
            retry: None,
            timeout: None,
            rate: None,
        };
        let ty = self.ty(id);
        let span = Some(self.span(id));
        let kind = Kind::Policy(Box::new(policy));
        start_after(self);
        self.node(NewNode { kind, name: name.unwrap_or("ask"), ty, grows: false, span })
    }

    /// Policies that belong to the call itself: `model`, `repair`, `key`.
    fn of_the_call(&mut self, what: &mut What, policies: &'a [Arg]) {
        match what {
            What::Node(NodeKind::Call(call)) => {
                if let Some(Expr::Def(role)) = policy(policies, "model").map(|role| self.hir(role))
                {
                    call.model = Some(self.low.role(*role));
                }
                if let Some(repairs) = self.repairs(policies) {
                    call.repair = Some(repairs);
                }
            }
            What::Node(NodeKind::Leaf(call)) => {
                if let Some(key) = policy(policies, "key") {
                    call.key = Some(self.value(key));
                }
            }
            _ => {}
        }
    }

    /// `after: x` or `after: [x, y]`.
    fn start_after(&mut self, after: ExprId) {
        match self.hir(after) {
            Expr::List(items) => {
                for (item, _) in items {
                    self.start_after(*item);
                }
            }
            Expr::Local(_) => {
                let named = self.value(after);
                self.after(named);
            }
            _ => {}
        }
    }

    /// A limit that the whole profile shares: the call's own, else that of the declaration.
    fn rate(&mut self, callee: &Callee, policies: &'a [Arg]) -> Option<Rate> {
        let Callee::Def(def) = callee else { return None };
        let names = ["rate", "per", "parallel"];
        if names.iter().any(|name| policy(policies, name).is_some()) {
            let [calls, per, parallel] =
                names.map(|name| policy(policies, name).map(|value| self.value(value)));
            return Some(Rate { name: self.low.qualified(*def), calls, per, parallel });
        }
        let Some(DefKind::Callable(Callable { policies, .. })) =
            self.low.def(*def).map(|def| &def.kind)
        else {
            return None;
        };
        if !names.iter().any(|name| policy(policies, name).is_some()) {
            return None;
        }
        let [calls, per, parallel] = names
            .map(|name| policy(policies, name).map(|value| self.low.default(*def, value, &[])));
        Some(Rate { name: self.low.qualified(*def), calls, per, parallel })
    }
}

/// The expression of a policy, if it is given.
pub(super) fn policy(policies: &[Arg], name: &str) -> Option<ExprId> {
    let found = policies.iter().find(|arg| named(arg, name))?;
    match &found.value {
        ArgValue::Expr(value) => Some(*value),
        _ => None,
    }
}
