//! The rules about what lasts beyond one call and about people: sessions of graphs that call each other, compensations.

use super::rules::{Rules, named};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Body, Callable, CallableKind, Def, DefId, DefKind, ExprId};

impl Rules<'_> {
    /// A graph that runs in a session is called where that session is: from a graph of the same one, from a test, or
    /// where its own header says which one it is (`by:`).
    pub(super) fn sessions(&mut self, id: DefId, def: &Def) {
        let Some(effects) = self.effects.defs.get(id.index()) else { return };
        let own = match &def.kind {
            DefKind::Callable(callable) => callable.session.as_ref(),
            DefKind::Test(_) => return,
            _ => None,
        };
        // What its session is was reported.
        if own.is_some_and(|session| session.def.is_none()) {
            return;
        }
        let mut said: Vec<DefId> = Vec::new();
        for (callee, span) in &effects.calls {
            let Some(callable) = self.callable(*callee) else { continue };
            let Some(session) = &callable.session else { continue };
            let Some(wanted) = session.def else { continue };
            if own.is_some_and(|own| own.def == Some(wanted)) || said.contains(callee) {
                continue;
            }
            if own.is_none() && callable.policies.iter().any(|arg| named(arg, "by")) {
                continue;
            }
            said.push(*callee);
            let Some(declared) = self.hir.defs.get(callee.index()) else { continue };
            let finding = Diagnostic::new(
                Code::OtherSession,
                *span,
                match own {
                    Some(own) => format!(
                        "`{}` runs in a session `{}`, and `{}` in one of `{}`",
                        declared.name, session.name, def.name, own.name
                    ),
                    None => format!(
                        "`{}` runs in a session `{}`, and here is none",
                        declared.name, session.name
                    ),
                },
            )
            .here("which session would it be?")
            .label(session.span, "its session");
            let finding = match own {
                Some(own) => finding
                    .label(own.span, "the session here")
                    .help("a run has one session: pass on what is needed, or give the two graphs the same session"),
                None => self.place_for_in(id, def).map_or_else(
                    || finding.clone().help("call it from a graph with the same session"),
                    |place| {
                        finding
                            .clone()
                            .help(format!(
                                "write `in {0}` in the header of `{1}`, or say in that of `{2}` which session it is: `with (by: …)`",
                                session.name, def.name, declared.name
                            ))
                            .guess(
                                format!("run `{}` in `{}`, too", def.name, session.name),
                                vec![Edit::new(place, format!(" in {}", session.name))],
                            )
                    },
                ),
            };
            self.sink.push(finding);
        }
    }

    /// Where `in Session` would stand in the header of a graph of the program.
    fn place_for_in(&self, id: DefId, def: &Def) -> Option<Span> {
        let DefKind::Callable(Callable { kind: CallableKind::Graph, result, .. }) = &def.kind
        else {
            return None;
        };
        let _ = id;
        Some(result.span.after())
    }

    /// What does nothing has nothing to be undone.
    pub(super) fn undone(&mut self, owner: DefId, body: &Body, done: ExprId) {
        if !self.effects.of_expr(owner, done).is_empty() {
            return;
        }
        let Some(span) = body.expr_spans.get(done.index()) else { return };
        self.sink.push(
            Diagnostic::new(Code::UndoOfNothing, *span, "this does nothing that could be undone")
                .here("it only computes a value")
                .help("put `undo` behind the call that changes something, or delete it"),
        );
    }
}
