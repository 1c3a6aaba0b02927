//! Which declarations a failure `Unanswered` can leave so that nothing handles it, over all calls of the program.
//!
//! A question may leave its handling to whoever calls: all of them, on every way from outside. What can be called from
//! outside (a public declaration, a trigger, a tool of an agent, a run of its own, or what nobody calls) has nobody above it.

use std::collections::VecDeque;

use super::rules::named;
use super::walk;
use crate::diagnostics::Span;
use crate::hir::{
    Body, Callee, DefId, DefKind, Expr, ExprId, Hir, Pat, PatId, PatTarget, PromptItem,
};

/// Whether a declaration can fail with `Unanswered` and nothing handles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exposed {
    /// Whoever calls it handles it.
    No,
    /// It can be called from outside.
    FromOutside,
    /// It is called here, in a declaration that is exposed itself.
    By(Span),
}

/// By [`DefId`].
pub(super) fn exposed(hir: &Hir) -> Vec<Exposed> {
    let mut exposed = vec![Exposed::No; hir.defs.len()];
    let mut is_called = vec![false; hir.defs.len()];
    // By caller: whom it calls where nothing handles what may happen.
    let mut open: Vec<Vec<(DefId, Span)>> = vec![Vec::new(); hir.defs.len()];
    let mut queue = VecDeque::new();
    for (index, def) in (0u32..).zip(&hir.defs) {
        let (caller, DefKind::Callable(callable)) = (DefId(index), &def.kind) else { continue };
        for item in &callable.items {
            let PromptItem::Tools { tools, .. } = item else { continue };
            queue.extend(tools.iter().filter_map(|tool| Some((tool.target?, tool.path_span))));
        }
        let Some(body) = hir.body(caller) else { continue };
        let handled = handled(hir, body);
        for (at, (expr, span)) in body.exprs.iter().zip(&body.expr_spans).enumerate() {
            match expr {
                Expr::Call { callee: Callee::Def(callee), .. } => {
                    if *callee != caller
                        && let Some(called) = is_called.get_mut(callee.index())
                    {
                        *called = true;
                    }
                    if handled.get(at) == Some(&false)
                        && let Some(open) = open.get_mut(caller.index())
                    {
                        open.push((*callee, *span));
                    }
                }
                Expr::With { expr, policies } => {
                    let is_detached = policies.iter().any(|arg| named(arg, "detach"));
                    if let Expr::Call { callee: Callee::Def(callee), .. } = walk::expr(body, *expr)
                        && is_detached
                    {
                        queue.push_back((*callee, *span));
                    }
                }
                _ => {}
            }
        }
    }
    let mut queue: VecDeque<(DefId, Exposed)> =
        queue.into_iter().map(|(def, span)| (def, Exposed::By(span))).collect();
    for (index, def) in (0u32..).zip(&hir.defs) {
        let is_called = is_called.get(index as usize).copied().unwrap_or_default();
        if matches!(def.kind, DefKind::Callable(_)) && (def.is_pub || !is_called) {
            queue.push_front((DefId(index), Exposed::FromOutside));
        }
    }
    while let Some((def, how)) = queue.pop_front() {
        let Some(slot) = exposed.get_mut(def.index()).filter(|slot| **slot == Exposed::No) else {
            continue;
        };
        *slot = how;
        let calls = open.get_mut(def.index()).map(std::mem::take).unwrap_or_default();
        queue.extend(calls.into_iter().map(|(callee, span)| (callee, Exposed::By(span))));
    }
    exposed
}

/// By [`ExprId`]: whether it stands where `Unanswered` is handled, by a `try` or a `catch` that names it.
pub(super) fn handled(hir: &Hir, body: &Body) -> Vec<bool> {
    let mut handled = vec![false; body.exprs.len()];
    let order: Vec<ExprId> = walk::parts_first(body).collect();
    for id in order.into_iter().rev() {
        let own = handled.get(id.index()).copied().unwrap_or(false);
        let expr = walk::expr(body, id);
        let inner = match expr {
            Expr::Try(inner) => Some(*inner),
            Expr::Catch { body: inner, arms } => arms
                .iter()
                .any(|arm| arm.guard.is_none() && names_unanswered(hir, body, arm.pat))
                .then_some(*inner),
            _ => None,
        };
        walk::parts(expr, |part| {
            if let Some(slot) = handled.get_mut(part.index()) {
                *slot = own || inner == Some(part);
            }
        });
    }
    handled
}

fn names_unanswered(hir: &Hir, body: &Body, pat: PatId) -> bool {
    match body.pats.get(pat.index()) {
        // It was reported, and may have been meant.
        Some(Pat::Missing) => true,
        Some(Pat::Or(all)) => all.iter().any(|pat| names_unanswered(hir, body, *pat)),
        Some(Pat::Tag { target, .. }) => match target {
            PatTarget::Missing => true,
            PatTarget::Bare { name, .. } => name == "Unanswered",
            PatTarget::Variant(def, index) => {
                match hir.defs.get(def.index()).map(|def| &def.kind) {
                    Some(DefKind::Enum(one)) => one
                        .variants
                        .get(*index as usize)
                        .is_some_and(|variant| variant.name == "Unanswered"),
                    _ => false,
                }
            }
            PatTarget::Record(_) => false,
        },
        _ => false,
    }
}
