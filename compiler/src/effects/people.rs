//! The rules about what lasts beyond one call and about people: sessions of graphs that call each other, compensations,
//! approvals, questions that nobody may answer.

use rustc_hash::FxHashMap;

use super::rules::{Rules, named};
use super::unanswered::{self, Exposed};
use super::walk;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{
    Arg, ArgValue, Body, Builtin, Callable, CallableKind, Callee, Def, DefId, DefKind, Expr,
    ExprId, Literal, Tool,
};

/// Where the standard library's `event.wait` is implemented.
const EVENT_WAIT: &str = "event.wait";

impl Rules<'_> {
    /// What the head of a trigger says, and which session it is, is computed before anything runs.
    pub(super) fn head(&mut self, id: DefId, callable: &Callable, body: Option<&Body>) {
        // What is no source was reported as that.
        let source = callable.source.zip(body).map(|(call, body)| (walk::expr(body, call), body));
        if let Some((Expr::Call { callee: Callee::Def(source), args, .. }, body)) = source
            && self.effects.of(*source).is_empty()
        {
            for arg in args {
                if let ArgValue::Expr(value) = arg.value {
                    self.pure(id, Some(body), value, "the argument of a source of events");
                }
            }
        }
        for arg in &callable.policies {
            let Some((name, _)) = &arg.name else { continue };
            if let ArgValue::Expr(value) = arg.value {
                self.pure(id, body, value, &format!("`{name}:`"));
            }
        }
    }

    /// Whether a trigger says which session the graphs have that it calls: by a policy, or because messages of a chat
    /// have one.
    fn chooses_session(&self, def: &Def, body: Option<&Body>) -> bool {
        let DefKind::Callable(callable) = &def.kind else { return false };
        let source = callable.source.zip(body).map(|(call, body)| walk::expr(body, call));
        let of_chat = match source {
            Some(Expr::Call { callee: Callee::Def(source), .. }) => {
                self.callable(*source).is_some_and(|source| match &source.kind {
                    CallableKind::Extern { locator, .. } => locator == "chat.message",
                    _ => false,
                })
            }
            _ => false,
        };
        let by = callable.policies.iter().any(|arg| named(arg, "by"));
        callable.kind == CallableKind::Trigger && (of_chat || by)
    }

    /// A graph that runs in a session is called where that session is: from a graph of the same one, from a test, or
    /// where its own header says which one it is (`by:`).
    pub(super) fn sessions(&mut self, id: DefId, def: &Def) {
        let Some(effects) = self.effects.defs.get(id.index()) else { return };
        let own = match &def.kind {
            DefKind::Callable(callable) => callable.session.as_ref(),
            DefKind::Test(_) => return,
            _ => None,
        };
        let body = self.hir.body(id);
        if self.chooses_session(def, body) {
            return;
        }
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
                        "`{}` uses the session `{}`, but `{}` uses `{}`",
                        declared.name, session.name, def.name, own.name
                    ),
                    None => format!(
                        "`{}` needs the session `{}`, but `{}` has none",
                        declared.name, session.name, def.name
                    ),
                },
            )
            .here(match own {
                Some(_) => "called from another session",
                None => "called without a session",
            })
            .label(session.span, "its session");
            let finding = match own {
                Some(own) => finding
                    .label(own.span, "this session")
                    .help("pass on what is needed, or give the two graphs the same session"),
                None => self.place_for_in(def).map_or_else(
                    || finding.clone().help(self.session_for(id, def, declared, &session.name)),
                    |place| {
                        finding
                            .clone()
                            .help(format!(
                                "add `in {0}` to the header of `{1}`, or let `{2}` choose its session with `with (by: …)`",
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

    /// What to do where a declaration that can have no session calls a graph that needs one.
    fn session_for(&self, id: DefId, def: &Def, called: &Def, session: &str) -> String {
        let of_graph = format!("let `{0}` choose its session with `with (by: …)`", called.name);
        let DefKind::Callable(callable) = &def.kind else { return of_graph };
        if callable.kind != CallableKind::Trigger {
            return format!("{of_graph}, or call it from a graph `in {session}`");
        }
        // Events that nobody sent belong to nobody.
        let source = callable.source.zip(self.hir.body(id));
        let has_content = source.is_some_and(|(call, body)| match walk::expr(body, call) {
            Expr::Call { callee: Callee::Def(source), .. } => {
                self.callable(*source).is_some_and(|source| match &source.kind {
                    CallableKind::Extern { locator, .. } => crate::check::has_content(locator),
                    _ => false,
                })
            }
            _ => false,
        });
        if has_content {
            format!(
                "say in the header of `{}` whose session it is, `with (by: …)`, or {of_graph} in its own",
                def.name
            )
        } else {
            of_graph + " in its header"
        }
    }

    /// Where `in Session` would stand in the header of a graph of the program.
    fn place_for_in(&self, def: &Def) -> Option<Span> {
        let DefKind::Callable(Callable { kind: CallableKind::Graph, result, .. }) = &def.kind
        else {
            return None;
        };
        Some(result.span.after())
    }

    /// What does nothing has nothing to be undone.
    pub(super) fn undone(&mut self, owner: DefId, body: &Body, done: ExprId) {
        if !self.effects.of_expr(owner, done).is_empty() {
            return;
        }
        let Some(span) = body.expr_spans.get(done.index()) else { return };
        self.sink.push(
            Diagnostic::new(Code::UndoOfNothing, *span, "there is nothing to undo here")
                .here("it only computes a value")
                .help("put `undo` after the call that changes something, or delete it"),
        );
    }
}

impl Rules<'_> {
    /// What people have to do with the calls of a body: approvals that must be there, questions that nobody may
    /// answer, and what is to happen once.
    pub(super) fn people(&mut self, owner: DefId, body: &Body) {
        let mut policies: FxHashMap<ExprId, &[Arg]> = FxHashMap::default();
        let mut asks = false;
        for expr in &body.exprs {
            match expr {
                Expr::With { expr, policies: all } => {
                    policies.insert(*expr, all);
                }
                Expr::Call { callee: Callee::Builtin(Builtin::Ask | Builtin::Choose), .. } => {
                    asks = true;
                }
                _ => {}
            }
        }
        let answered = if asks { unanswered::handled(self.hir, body) } else { Vec::new() };
        for (index, expr) in (0u32..).zip(&body.exprs) {
            let id = ExprId(index);
            let Expr::Call { callee, .. } = expr else { continue };
            let given = policies.get(&id).copied();
            match callee {
                Callee::Def(def) => {
                    self.approved(body, id, *def, given);
                    self.waited(body, id, *def, given);
                    if let Some(once) =
                        given.and_then(|all| all.iter().find(|arg| named(arg, "once")))
                    {
                        self.once(*def, once);
                    }
                }
                Callee::Builtin(Builtin::Ask | Builtin::Choose) => {
                    let is_answered = answered.get(id.index()).copied().unwrap_or(false);
                    self.question(owner, body, id, given, is_answered);
                }
                _ => {}
            }
        }
    }

    /// A call of what `needs approval` says who approves it.
    fn approved(&mut self, body: &Body, call: ExprId, def: DefId, given: Option<&[Arg]>) {
        let Some((name, declared)) = self.needs_approval(def) else { return };
        if given.is_some_and(|all| all.iter().any(|arg| named(arg, "approve"))) {
            return;
        }
        let Some(at) = body.expr_spans.get(call.index()).copied() else { return };
        let role = self.some_role();
        let within = given.is_some_and(|all| all.iter().any(|arg| named(arg, "within")));
        let added = if within {
            format!("approve: \"{role}\"")
        } else {
            format!("approve: \"{role}\", within: 2d")
        };
        let edit = match given.and_then(<[Arg]>::last) {
            Some(last) => Edit::new(last.span.after(), format!(", {added}")),
            None => Edit::new(at.after(), format!(" with ({added})")),
        };
        let finding = unapproved(&name, at, declared)
            .help(format!("add `with (approve: \"{role}\", within: 2d)`: the call waits until somebody has seen its arguments"))
            .guess(format!("let `{role}` approve it"), vec![edit]);
        self.sink.push(finding);
    }

    /// A run that waits for an event says how long.
    fn waited(&mut self, body: &Body, call: ExprId, def: DefId, given: Option<&[Arg]>) {
        let is_wait = self.callable(def).is_some_and(|callable| match &callable.kind {
            CallableKind::Extern { locator, .. } => locator == EVENT_WAIT,
            _ => false,
        });
        if !is_wait || given.is_some_and(|all| all.iter().any(|arg| named(arg, "within"))) {
            return;
        }
        let Some(at) = body.expr_spans.get(call.index()).copied() else { return };
        let edit = match given.and_then(<[Arg]>::last) {
            Some(last) => Edit::new(last.span.after(), ", within: 2d"),
            None => Edit::new(at.after(), " with (within: 2d)"),
        };
        let finding = Diagnostic::new(
            Code::Unanswered,
            at,
            "nothing says how long to wait for this event",
        )
        .here("the run could wait forever")
        .help("add a limit: `with (within: 2d)`; when it is over, the call fails with `Unanswered`")
        .guess("wait two days", vec![edit]);
        self.sink.push(finding);
    }

    /// The same of a tool, whose calls a model makes.
    pub(super) fn approved_tool(&mut self, tool: &Tool) {
        let Some((name, declared)) = tool.target.and_then(|def| self.needs_approval(def)) else {
            return;
        };
        if tool.policies.iter().any(|arg| named(arg, "approve")) {
            return;
        }
        let role = self.some_role();
        let added = format!("approve: \"{role}\", within: 2d");
        let edit = match tool.policies.last() {
            Some(last) => Edit::new(last.span.after(), format!(", {added}")),
            None => Edit::new(tool.span.after(), format!(" with ({added})")),
        };
        let finding = unapproved(&name, tool.path_span, declared)
            .help(format!("add `with ({added})`: each of its calls waits until somebody has seen its arguments"))
            .guess(format!("let `{role}` approve its calls"), vec![edit]);
        self.sink.push(finding);
    }

    /// The name of what must be approved before it runs, and where its declaration says so.
    fn needs_approval(&self, def: DefId) -> Option<(String, Span)> {
        let (_, declared) =
            self.callable(def)?.needs.as_ref().filter(|(word, _)| word == "approval")?;
        let name = self.hir.defs.get(def.index())?.name.to_string();
        Some((name, *declared))
    }

    /// Who approves elsewhere in the program, for a fix that has to name somebody.
    fn some_role(&self) -> String {
        let bodies = self.hir.bodies.iter().flatten();
        let roles = bodies.flat_map(|body| {
            body.exprs.iter().filter_map(|expr| {
                let Expr::With { policies, .. } = expr else { return None };
                let approve = policies.iter().find(|arg| named(arg, "approve"))?;
                let ArgValue::Expr(role) = approve.value else { return None };
                match walk::expr(body, role) {
                    Expr::Literal(Literal::Text(role)) => Some(role.to_string()),
                    _ => None,
                }
            })
        });
        roles.into_iter().next().unwrap_or_else(|| "reviewer".to_owned())
    }

    /// `once:` keeps a call from changing something twice.
    fn once(&mut self, def: DefId, once: &Arg) {
        if self.effects.of(def).writes_anything() {
            return;
        }
        let span = once.name.as_ref().map_or(once.span, |(_, span)| *span);
        let Some(declared) = self.hir.defs.get(def.index()) else { return };
        let finding = Diagnostic::new(
            Code::OnceOnRead,
            span,
            format!("`once` has no use on `{}`: it changes nothing", declared.name),
        )
        .here("`once` refuses a second call that would change something")
        .help("leave it out; to keep the result of a call, use `cache:`");
        self.sink.push(finding);
    }

    /// A question says how long it stands, and what happens when nobody answers.
    fn question(
        &mut self,
        owner: DefId,
        body: &Body,
        call: ExprId,
        given: Option<&[Arg]>,
        is_answered: bool,
    ) {
        let has = |name: &str| given.is_some_and(|all| all.iter().any(|arg| named(arg, name)));
        let (within, mut handled) = (has("within"), has("fallback") || is_answered);
        let mut called_at = None;
        if !handled {
            let hir = self.hir;
            let exposed = self.exposed.get_or_insert_with(|| unanswered::exposed(hir));
            match exposed.get(owner.index()) {
                // Whoever calls it handles it.
                Some(Exposed::No) => handled = true,
                Some(Exposed::By(span)) => called_at = Some(*span),
                Some(Exposed::FromOutside) | None => {}
            }
        }
        if within && handled {
            return;
        }
        let Some(at) = body.expr_spans.get(call.index()).copied() else { return };
        let behind = |added: &str| match given.and_then(<[Arg]>::last) {
            Some(last) => Edit::new(last.span.after(), format!(", {added}")),
            None => Edit::new(at.after(), format!(" with ({added})")),
        };
        let finding = Diagnostic::new(
            Code::Unanswered,
            at,
            if within {
                "nothing says what happens when nobody answers"
            } else {
                "nothing says how long to wait for an answer"
            },
        );
        let finding = match called_at {
            Some(span) if within => finding.label(span, "nothing handles that here"),
            _ => finding,
        };
        self.sink.push(match (within, handled) {
            (true, _) => finding
                .here("then it fails with `Unanswered`")
                .help("give an answer for that case, `fallback: …`, or handle it: `catch { Unanswered => … }`"),
            (false, true) => finding
                .here("the run could wait forever")
                .help("add a limit: `with (within: 2d)`")
                .guess("wait two days", vec![behind("within: 2d")]),
            (false, false) => finding
                .here("the run could wait forever")
                .help("add a limit and an answer for that case: `with (within: 2d, fallback: …)`"),
        });
    }
}

fn unapproved(name: &str, at: Span, declared: Span) -> Diagnostic {
    Diagnostic::new(Code::NotApproved, at, format!("`{name}` must be approved before it runs"))
        .here("no `approve:` here")
        .label(declared, "declared here")
}
