//! Sessions: `in Chat` of a header, `session.field`, `session.id` and `session.save(…)`.

use kait_syntax::SyntaxToken;
use smol_str::SmolStr;

use super::{Lowerer, SessionScope};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Builtin, CallableKind, Callee, Expr, ExprId, InSession};
use crate::names::{HeadKind, suggest};

/// The one function of a session.
const SAVE: &str = "save";

impl Lowerer<'_> {
    /// `in name` of a graph's header: what `session` means in its block.
    pub(super) fn session_named(&mut self, name: SmolStr, span: Span) -> InSession {
        self.session = SessionScope::Broken;
        let declared = self.names.type_def(self.module, &name);
        let head = declared.and_then(|def| self.names.head(def));
        let def = match (declared, head) {
            (_, Some(head)) if head.damaged => None,
            (Some(def), Some(head)) if head.kind == HeadKind::Session => {
                self.session = SessionScope::Of(def);
                Some(def)
            }
            (_, Some(head)) => {
                let finding = Diagnostic::new(
                    Code::NotASession,
                    span,
                    format!("`{name}` is {}, not a session", head.noun),
                )
                .label(head.name_span, "declared here")
                .help(format!(
                    "declare what a graph keeps between its runs with `session {name} {{ … }}`"
                ));
                self.report(finding);
                None
            }
            _ => {
                self.unknown_session(&name, span);
                None
            }
        };
        InSession { def, name, span }
    }

    fn unknown_session(&mut self, name: &str, span: Span) {
        let Some(scope) = self.names.scope(self.module) else { return };
        if self.may_be_damaged(name) || scope.is_incomplete {
            return;
        }
        let is_session = |def| self.names.head(def).is_some_and(|h| h.kind == HeadKind::Session);
        let mut sessions: Vec<&str> = scope
            .types
            .iter()
            .filter(|(_, def)| is_session(**def))
            .map(|(name, _)| name.as_str())
            .collect();
        sessions.sort_unstable();
        let finding =
            Diagnostic::new(Code::NotASession, span, format!("there is no session `{name}`"));
        let finding = match suggest(name, sessions.iter().copied()) {
            Some(near) => super::unknown::did_you_mean(finding, span, near),
            None => finding.help(format!("declare it: `session {name} {{ field: type = value }}`")),
        };
        self.report(finding);
    }

    /// `session.name`
    pub(super) fn session_field(
        &mut self,
        name: Option<SyntaxToken<'_>>,
        word: Span,
        span: Span,
    ) -> ExprId {
        match self.session {
            SessionScope::Of(def) => {
                let Some(name) = name else { return self.missing(span) };
                let (name, name_span) = self.token(name);
                if name == SAVE {
                    self.report(
                        Diagnostic::new(
                            Code::NotAValue,
                            name_span,
                            "`session.save` must be called",
                        )
                        .help("write `session.save(field: value)`"),
                    );
                    return self.missing(span);
                }
                self.alloc(Expr::Session { def, name, name_span }, span)
            }
            SessionScope::Broken => self.missing(span),
            SessionScope::None => {
                self.outside_session(word);
                self.missing(span)
            }
        }
    }

    /// The word `session` by itself.
    pub(super) fn session_value(&mut self, span: Span) -> ExprId {
        match self.session {
            SessionScope::Of(_) => self.report(
                Diagnostic::new(Code::NotAValue, span, "`session` is not a value by itself")
                    .help("read one of its fields, `session.field`, or `session.id`"),
            ),
            SessionScope::Broken => {}
            SessionScope::None => self.outside_session(span),
        }
        self.missing(span)
    }

    /// `session.name(…)`
    pub(super) fn session_call(&mut self, name: SyntaxToken<'_>, word: Span) -> Callee {
        match self.session {
            SessionScope::Of(_) => {}
            SessionScope::Broken => return Callee::Missing,
            SessionScope::None => {
                self.outside_session(word);
                return Callee::Missing;
            }
        }
        let (name, span) = self.token(name);
        if name == SAVE {
            return Callee::Builtin(Builtin::SessionSave);
        }
        let finding =
            Diagnostic::new(Code::NotCallable, span, format!("`session` has no function `{name}`"));
        let is_near = suggest(&name, [SAVE]).is_some()
            || matches!(name.as_str(), "set" | "update" | "put" | "write" | "store");
        self.report(if is_near {
            finding
                .help("change a session with `session.save(field: value)`")
                .guess("write `save`", vec![Edit::new(span, SAVE)])
        } else {
            finding.help(
                "read a field with `session.field`, change it with `session.save(field: value)`",
            )
        });
        Callee::Missing
    }

    /// Reports `session` where the declaration runs in none.
    fn outside_session(&mut self, span: Span) {
        let (message, help) = match self.callable {
            _ if self.in_test => (
                "a test has no session of its own",
                "call a graph that runs in the session, and expect what it gives",
            ),
            Some(CallableKind::Fn) => {
                ("a `fn` cannot use the session", "pass the field to it as a parameter")
            }
            Some(CallableKind::Graph) => (
                "this graph has no session",
                "name the session in its header: `graph name(…) -> Type in Session { … }`",
            ),
            Some(CallableKind::Trigger) => (
                "a trigger has no session of its own",
                "call a graph that runs in the session; `with (by: …)` says which one it is",
            ),
            _ => (
                "there is no session here",
                "read it in a graph with `in Session` in its header, and pass on what is needed",
            ),
        };
        // One mistake, however often the word stands in the declaration.
        let key = format!("{} session", self.def.0);
        if self.unknown.again(Code::OutsideSession, &key, span) {
            return;
        }
        let finding = Diagnostic::new(Code::OutsideSession, span, message).help(help);
        self.unknown.add(Code::OutsideSession, &key, finding);
    }
}
