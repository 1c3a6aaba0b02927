//! What is written and never used, as warnings: lets, names of arms, parameters that no message of a prompt mentions,
//! answers of models. Parameters of functions and graphs are no part of it: who calls them decides what they take.

use super::rules::Rules;
use super::set::Effect;
use crate::check::ty::Ty;
use crate::diagnostics::{Code, Diagnostic, Edit};
use crate::hir::{
    Arm, Body, Callable, CallableKind, Callee, DefId, DefKind, Expr, ExprId, Hir, Pat, Stmt,
    TestItem,
};

impl Rules<'_> {
    /// Lets that nothing needs, or only other dead lets.
    pub(super) fn dead(&mut self, owner: DefId, body: &Body) {
        let effects = self.effects.bodies.get(owner.index()).and_then(Option::as_ref);
        let Some(dead) = effects.map(|effects| &effects.dead).filter(|dead| !dead.is_empty())
        else {
            return;
        };
        for stmt in stmts(self.hir, owner, body) {
            let Stmt::Let { pat, value, .. } = stmt else { continue };
            if !dead.contains(value) {
                continue;
            }
            let mut named = None;
            super::dead::binders(body, *pat, &mut |local| {
                named = named.or(body.locals.get(local.index()));
            });
            // What only dead values use follows from them.
            let Some(local) = named.filter(|local| !local.name.starts_with('_') && local.uses == 0)
            else {
                continue;
            };
            let message = format!("`{}` is never used", local.name);
            self.sink.push(
                Diagnostic::new(Code::UnusedLet, local.span, message)
                    .here("so it is not computed")
                    .help("remove it, or use it below"),
            );
        }
    }

    /// `other => value` where `_` says the same, and says it to the reader: `default` is a name here, no word.
    pub(super) fn unused_names(&mut self, body: &Body, arms: &[Arm]) {
        for arm in arms.iter().filter(|arm| arm.guard.is_none()) {
            let Some(Pat::Bind(local)) = body.pats.get(arm.pat.index()) else { continue };
            let Some(local) = body.locals.get(local.index()) else { continue };
            if local.uses > 0 || local.name.starts_with('_') {
                continue;
            }
            let message =
                format!("`{}` is a new name for any value, and is never used", local.name);
            self.sink.push(
                Diagnostic::new(Code::UnusedLet, local.span, message)
                    .help("write `_` for all other values")
                    .fix("write `_`", vec![Edit::new(local.span, "_")]),
            );
        }
    }

    /// What a prompt or an agent takes and never says: the model does not see it.
    pub(super) fn unused_params(&mut self, callable: &Callable, body: Option<&Body>) {
        if !matches!(callable.kind, CallableKind::Prompt | CallableKind::Agent) {
            return;
        }
        let Some(body) = body else { return };
        for param in &callable.params {
            let uses = body.locals.get(param.local.index()).map_or(1, |local| local.uses);
            if uses > 0 || param.name.is_empty() || param.name.starts_with('_') {
                continue;
            }
            let name = &param.name;
            self.sink.push(
                Diagnostic::new(
                    Code::UnusedLet,
                    param.span,
                    format!("the parameter `{name}` is never used"),
                )
                .here("the model does not see it")
                .help(format!("put it into a message, `${{{name}}}`, or remove it")),
            );
        }
    }

    /// A model that is asked, and nobody reads what it answers.
    pub(super) fn unused_answers(&mut self, owner: DefId, body: &Body, stmts: &[Stmt]) {
        let Some((_, before)) = stmts.split_last() else { return };
        for stmt in before {
            let Stmt::Expr(id) = stmt else { continue };
            if !self.only_asks(owner, body, *id) {
                continue;
            }
            let Some(span) = body.expr_spans.get(id.index()) else { continue };
            self.sink.push(
                Diagnostic::new(
                    Code::UnusedAnswer,
                    *span,
                    "a model is asked, and its answer is not used",
                )
                .help("give the answer a name with `let` and use it, or leave the call out"),
            );
        }
    }

    /// Whether an expression is a call that asks models, gives a value, and does nothing that anyone else could notice.
    fn only_asks(&self, owner: DefId, body: &Body, id: ExprId) -> bool {
        let expr = |id: ExprId| body.exprs.get(id.index());
        let call = match expr(id) {
            Some(Expr::With { expr: call, .. }) => expr(*call),
            other => other,
        };
        if !matches!(call, Some(Expr::Call { callee: Callee::Def(_), .. })) {
            return false;
        }
        let mut effects = self.effects.of_expr(owner, id).iter();
        if !effects.any(|effect| effect == Effect::Model) {
            return false;
        }
        let quiet =
            |effect: Effect| matches!(effect, Effect::Model | Effect::Read(_) | Effect::Random);
        let found = self.effects.bodies.get(owner.index()).and_then(Option::as_ref);
        let is_guard =
            found.and_then(|found| found.exprs.get(id.index())).is_none_or(|found| found.guards);
        let ty = self.types.body(owner).and_then(|types| types.exprs.get(id.index()));
        !is_guard
            && self.effects.of_expr(owner, id).iter().all(quiet)
            && ty.is_some_and(|ty| *ty != Ty::NONE && *ty != Ty::ERROR)
    }
}

/// Every statement of a body.
pub(super) fn stmts<'a>(
    hir: &'a Hir,
    owner: DefId,
    body: &'a Body,
) -> impl Iterator<Item = &'a Stmt> {
    let in_test = match hir.defs.get(owner.index()).map(|def| &def.kind) {
        Some(DefKind::Test(test)) => test.items.as_slice(),
        _ => &[],
    };
    let in_test = in_test.iter().filter_map(|item| match item {
        TestItem::Stmt(stmt) => Some(stmt),
        _ => None,
    });
    let in_blocks = body.exprs.iter().flat_map(|expr| match expr {
        Expr::Block(stmts) => stmts.as_slice(),
        _ => &[],
    });
    in_test.chain(in_blocks)
}
