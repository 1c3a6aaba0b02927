//! The rule about saves of one session that run side by side: items of a `for … parallel` that each read what the session
//! holds and save something else would lose what the others have saved.

use super::rules::{Rules, named};
use super::walk;
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Body, Builtin, Callable, Callee, DefId, Expr, ExprId};

/// What resources of sessions begin with.
const SESSION: &str = "session.";

impl Rules<'_> {
    /// The body of a `for … parallel` saves no session that its items share.
    pub(super) fn side_by_side(&mut self, owner: DefId, body: &Body, id: ExprId, inner: ExprId) {
        let saves = |expr: ExprId| {
            let writes = self.effects.of_expr(owner, expr).writes();
            writes.iter().any(|one| self.effects.resources.path(*one).starts_with(SESSION))
        };
        if !saves(inner) || !self.is_parallel(body, walk::expr(body, id)) {
            return;
        }
        // Only parts that save lead to a save, so what does not is passed over.
        let mut found: Option<ExprId> = None;
        let mut open = vec![inner];
        while let Some(at) = open.pop() {
            let expr = walk::expr(body, at);
            if !saves(at) || self.is_parallel(body, expr) || is_detached(expr) {
                // A `for` of its own says the same, and a run of its own waits for its turn.
                continue;
            }
            if self.saves_shared(owner, expr) && found.is_none_or(|first| at < first) {
                found = Some(at);
            }
            walk::parts(expr, |part| open.push(part));
        }
        let span = |id: ExprId| body.expr_spans.get(id.index()).copied();
        let Some((found, place)) = found.and_then(|found| Some((found, span(found)?))) else {
            return;
        };
        let finding = Diagnostic::new(
            Code::ParallelSaves,
            place,
            "items that run side by side cannot save the same session",
        )
        .here(match walk::expr(body, found) {
            Expr::Call { callee: Callee::Def(def), .. } => {
                let name = self.hir.defs.get(def.index()).map_or("", |def| def.name.as_str());
                format!("`{name}` saves it")
            }
            _ => "this saves it".to_owned(),
        })
        .note("each of them reads what the session held before, so a save can undo that of another item")
        .help("let the `for` give values and save them once below it, or leave `parallel` out: then one item comes after the other");
        let limit = match walk::expr(body, id) {
            Expr::For { parallel: Some(limit), .. } => span(*limit),
            _ => None,
        };
        self.sink.push(match limit {
            Some(limit) => finding.label(limit, "so many items run side by side"),
            None => finding,
        });
    }

    /// Whether an expression is a `for` whose items run side by side: more than one, or nobody knows how many.
    fn is_parallel(&self, body: &Body, expr: &Expr) -> bool {
        let Expr::For { parallel: Some(limit), .. } = expr else { return false };
        walk::whole_number(self.hir, body, *limit).is_none_or(|limit| limit > 1)
    }

    /// Whether a call, made by `owner`, saves a session that is the same one for every item.
    fn saves_shared(&self, owner: DefId, expr: &Expr) -> bool {
        let Expr::Call { callee, .. } = expr else { return false };
        let def = match callee {
            Callee::Builtin(Builtin::SessionSave) => return true,
            Callee::Def(def) => *def,
            _ => return false,
        };
        let session = |callable: Option<&Callable>| callable?.session.as_ref()?.def;
        let Some(wanted) = session(self.callable(def)) else { return false };
        if session(self.callable(owner)) == Some(wanted) {
            return true;
        }
        // Which one it is, it computes from its inputs, and runs of one wait for each other. Tests put a stub there.
        self.callable(def).is_some_and(|callable| !callable.policies.iter().any(|a| named(a, "by")))
    }
}

/// Whether an expression starts a run of its own.
fn is_detached(expr: &Expr) -> bool {
    let Expr::With { policies, .. } = expr else { return false };
    policies.iter().any(|arg| named(arg, "detach"))
}
