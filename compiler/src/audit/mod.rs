//! What whoever answers for a program wants to see of each graph: what it needs of the world and by which way, who approves
//! and who is asked, what is endorsed and why, which secrets and which agents with which tools it uses.
//!
//! All of it is read off the HIR and the effects, as data with places; nothing is judged here, and nothing but tools asks for
//! it.

#[cfg(test)]
mod tests;

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use crate::Compilation;
use crate::diagnostics::Span;
use crate::grants::{Looker, Needed, Needs, named, roots};
use crate::hir::{
    Arg, ArgValue, Body, Builtin, Callable, CallableKind, Callee, DefId, DefKind, Expr, ExprId,
    Literal, PromptItem, Qualifier, TypeRef,
};
use crate::labels::{self, Labels, Need, Outflow};

/// What is to be said of one graph.
#[derive(Clone, Debug)]
pub struct Audited {
    /// The graph, prompt, agent or trigger.
    pub def: DefId,
    /// What it needs, each with the way to it.
    pub needs: Vec<Needed>,
    /// Calls that somebody approves.
    pub approvals: Vec<Approval>,
    /// Questions to people.
    pub questions: Vec<Question>,
    /// What becomes trusted, and by what right.
    pub endorsements: Vec<Endorsement>,
    /// Secrets that are used, and where.
    pub secrets: Vec<SecretUse>,
    /// Agents.
    pub agents: Vec<Agent>,
    /// Parameters that whoever begins it must vouch for.
    pub vouched: Vec<SmolStr>,
    /// Where something private leaves the program.
    pub outflows: Vec<Outflow>,
}

/// Where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The declaration that it is in.
    pub owner: DefId,
    /// Where.
    pub span: Span,
}

/// A call that somebody approves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What is called.
    pub callee: DefId,
    /// Who approves, if the text says it.
    pub by: Option<SmolStr>,
    /// How long they may take, as it is written.
    pub within: Option<SmolStr>,
    /// What they may change, as it is written.
    pub edit: Option<SmolStr>,
    /// Where.
    pub place: Place,
}

/// A question to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// `ask` or `choose`.
    pub form: &'static str,
    /// What is asked, as it is written.
    pub text: SmolStr,
    /// Who is asked, if the text says it.
    pub to: Option<SmolStr>,
    /// How long they may take, as it is written.
    pub within: Option<SmolStr>,
    /// The answer if nobody answers, as it is written.
    pub fallback: Option<SmolStr>,
    /// Where.
    pub place: Place,
}

/// By what right a value becomes trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// `allow(x, only: …)`: one of these, as it is written.
    Only(SmolStr),
    /// `allow(x, matching: …)`: all of it matches this, as it is written.
    Matching(SmolStr),
    /// `endorse(x, because: …)`: what is written there.
    Because(SmolStr),
    /// A person saw it and let it pass.
    Approval,
    /// A person said it.
    Answer,
    /// An extern gives it as `trusted`.
    Extern,
}

/// Something that becomes trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// What it is, as it is written; of an extern, its name.
    pub what: SmolStr,
    /// Why.
    pub right: Right,
    /// When it would be untrusted otherwise.
    pub need: Need,
    /// Where.
    pub place: Place,
}

/// A secret that is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUse {
    /// Its declaration.
    pub secret: DefId,
    /// Where.
    pub place: Place,
}

/// An agent, with what it may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its declaration.
    pub def: DefId,
    /// The role whose model decides.
    pub role: Option<DefId>,
    /// Its tools.
    pub tools: Vec<Tool>,
}

/// A tool of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// What is called.
    pub def: DefId,
    /// As the agent writes it.
    pub name: SmolStr,
    /// Who approves its calls.
    pub approved: Option<SmolStr>,
    /// How often it may be called, as it is written.
    pub max_calls: Option<SmolStr>,
    /// Where it stands among the tools.
    pub span: Span,
}

/// A field that vouches for itself: what is decoded into it counts as trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedField {
    /// The record, or the session.
    pub record: DefId,
    /// The field.
    pub field: SmolStr,
    /// Where.
    pub span: Span,
}

/// What is to be said of each graph of the file that is begun from outside (see [`roots`]).
#[must_use]
pub fn audit(compiled: &Compilation) -> Vec<Audited> {
    let (mut needs, labels) = (crate::grants::needs(compiled), labels::labels(compiled));
    roots(compiled).into_iter().map(|root| audited(compiled, &mut needs, &labels, root)).collect()
}

/// What is to be said of one declaration.
#[must_use]
pub fn audit_of(compiled: &Compilation, def: DefId) -> Audited {
    audited(compiled, &mut crate::grants::needs(compiled), &labels::labels(compiled), def)
}

/// The fields of the program's own records and sessions that are declared `trusted`.
#[must_use]
pub fn trusted_fields(compiled: &Compilation) -> Vec<TrustedField> {
    let mut found = Vec::new();
    for module in compiled.hir.modules.iter().filter(|module| !module.is_std) {
        for record in &module.defs {
            let Some(def) = compiled.hir.defs.get(record.index()) else { continue };
            let (DefKind::Record(fields) | DefKind::Session(fields)) = &def.kind else { continue };
            for field in &fields.fields {
                if is_trusted(&field.ty) {
                    let (field, span) = (field.name.clone(), field.span);
                    found.push(TrustedField { record: *record, field, span });
                }
            }
        }
    }
    found
}

fn is_trusted(ty: &TypeRef) -> bool {
    ty.quals.contains(&Qualifier::Trusted)
}

fn audited(compiled: &Compilation, needs: &mut Needs<'_>, labels: &Labels, root: DefId) -> Audited {
    let mut found = Audited {
        def: root,
        needs: needs.of(root),
        approvals: Vec::new(),
        questions: Vec::new(),
        endorsements: Vec::new(),
        secrets: Vec::new(),
        agents: Vec::new(),
        vouched: vouched(compiled, labels, root),
        outflows: Vec::new(),
    };
    let mut reached = reached(compiled, root);
    // As they stand in the program.
    let place = |def: &DefId| {
        let def = compiled.hir.defs.get(def.index());
        def.map(|def| (def.module, def.span.start))
    };
    reached.sort_by_key(place);
    for def in reached {
        let left = labels.outflows().iter().filter(|one| one.owner == def);
        found.outflows.extend(left.cloned());
        Reader { compiled, labels, owner: def, found: &mut found }.declaration();
    }
    found
}

/// The parameters that whoever begins a graph must vouch for. Of an event, its source vouches for what its type trusts.
fn vouched(compiled: &Compilation, labels: &Labels, root: DefId) -> Vec<SmolStr> {
    match compiled.hir.defs.get(root.index()).map(|def| &def.kind) {
        Some(DefKind::Callable(callable)) if callable.kind != CallableKind::Trigger => {
            labels.vouched(&compiled.hir, root)
        }
        _ => Vec::new(),
    }
}

/// Everything that a run of it may enter.
fn reached(compiled: &Compilation, root: DefId) -> Vec<DefId> {
    let mut seen = FxHashSet::from_iter([root]);
    let mut all = vec![root];
    let mut at = 0;
    while let Some(def) = all.get(at) {
        at += 1;
        let Some(effects) = compiled.effects.defs.get(def.index()) else { continue };
        all.extend(effects.calls.iter().map(|(callee, _)| *callee).filter(|def| seen.insert(*def)));
    }
    all
}

struct Reader<'a> {
    compiled: &'a Compilation,
    labels: &'a Labels,
    owner: DefId,
    found: &'a mut Audited,
}

impl Reader<'_> {
    fn declaration(&mut self) {
        let hir = &self.compiled.hir;
        let Some(def) = hir.defs.get(self.owner.index()) else { return };
        if hir.modules.get(def.module.index()).is_some_and(|module| module.is_std) {
            // The library vouches for what it says of itself.
            return;
        }
        if let DefKind::Callable(callable) = &def.kind {
            if let CallableKind::Extern { .. } = callable.kind
                && is_trusted(&callable.result)
            {
                let what = def.name.clone();
                self.endorse(what, Right::Extern, callable.result.span);
            }
            if callable.kind == CallableKind::Agent {
                self.agent(callable);
            }
        }
        if let Some(body) = hir.body(self.owner) {
            self.body(body);
        }
    }

    fn endorse(&mut self, what: SmolStr, right: Right, span: Span) {
        let place = Place { owner: self.owner, span };
        // The labels name the call, and this the whole of what is written.
        let is_in = |a: Span, b: Span| a.file == b.file && a.start >= b.start && a.end <= b.end;
        let known = self.labels.endorsements().iter().filter(|one| {
            one.owner == self.owner && (is_in(one.span, span) || is_in(span, one.span))
        });
        let apart = |one: &Span| one.start.abs_diff(span.start) + one.end.abs_diff(span.end);
        let nearest = known.min_by_key(|one| apart(&one.span));
        let need = nearest.map_or(Need::Always, |one| one.need);
        self.found.endorsements.push(Endorsement { what, right, need, place });
    }

    fn body(&mut self, body: &Body) {
        let policies_of = policies(body);
        let looker = Looker::new(self.compiled, Some(body));
        let all = (0u32..).map(ExprId).zip(body.exprs.iter().zip(&body.expr_spans));
        let mut found: Vec<_> = all.collect();
        found.sort_by_key(|(_, (_, span))| (span.start, std::cmp::Reverse(span.end)));
        for (id, (expr, span)) in found {
            let span = *span;
            match expr {
                Expr::With { expr, policies } => {
                    if let Some(by) = named(policies, "approve") {
                        self.approval((body, &looker), *expr, by, policies, span);
                    }
                }
                Expr::Call { callee: Callee::Builtin(builtin), args, .. } => {
                    let with = policies_of.get(&id).copied().unwrap_or_default();
                    self.form((body, &looker), *builtin, args, with, span);
                }
                Expr::Def(def) => {
                    let kind = self.compiled.hir.defs.get(def.index()).map(|def| &def.kind);
                    if let Some(DefKind::Secret) = kind {
                        let place = Place { owner: self.owner, span };
                        self.found.secrets.push(SecretUse { secret: *def, place });
                    }
                }
                _ => {}
            }
        }
    }

    /// What an argument says, as it is written.
    fn written(&self, body: &Body, arg: Option<&Arg>) -> Option<SmolStr> {
        let shown = |span: &Span| self.compiled.files.slice(*span).into();
        match &arg?.value {
            ArgValue::Expr(value) => match body.exprs.get(value.index())? {
                // A text without its quotes.
                Expr::Literal(Literal::Text(text)) => Some(text.clone()),
                _ => body.expr_spans.get(value.index()).map(shown),
            },
            _ => {
                let whole = self.compiled.files.slice(arg?.span);
                Some(whole.split_once(':').map_or(whole, |(_, value)| value).trim().into())
            }
        }
    }

    fn approval(
        &mut self,
        (body, looker): (&Body, &Looker<'_>),
        call: ExprId,
        by: &Arg,
        policies: &[Arg],
        span: Span,
    ) {
        let Some(Expr::Call { callee: Callee::Def(callee), .. }) = body.exprs.get(call.index())
        else {
            return;
        };
        let approval = Approval {
            callee: *callee,
            by: who(looker, Some(by)),
            within: self.written(body, named(policies, "within")),
            edit: self.written(body, named(policies, "edit")),
            place: Place { owner: self.owner, span },
        };
        self.found.approvals.push(approval);
        let name = self.compiled.hir.defs.get(callee.index()).map(|def| def.name.clone());
        self.endorse(name.unwrap_or_default(), Right::Approval, span);
    }

    fn form(
        &mut self,
        (body, looker): (&Body, &Looker<'_>),
        form: Builtin,
        args: &[Arg],
        with: &[Arg],
        span: Span,
    ) {
        let first = args.iter().find(|arg| arg.name.is_none());
        let text = self.written(body, first).unwrap_or_default();
        match form {
            Builtin::Ask | Builtin::Choose => {
                let form = if form == Builtin::Ask { "ask" } else { "choose" };
                let question = Question {
                    form,
                    text: text.clone(),
                    to: who(looker, named(args, "to")),
                    within: self.written(body, named(with, "within")),
                    fallback: self.written(body, named(with, "fallback")),
                    place: Place { owner: self.owner, span },
                };
                self.found.questions.push(question);
                self.endorse(text, Right::Answer, span);
            }
            Builtin::Allow => {
                let right = match (named(args, "only"), named(args, "matching")) {
                    (Some(only), _) => self.written(body, Some(only)).map(Right::Only),
                    (_, matching) => self.written(body, matching).map(Right::Matching),
                };
                if let Some(right) = right {
                    self.endorse(text, right, span);
                }
            }
            Builtin::Endorse => {
                let because = self.written(body, named(args, "because")).unwrap_or_default();
                self.endorse(text, Right::Because(because), span);
            }
            _ => {}
        }
    }

    fn agent(&mut self, callable: &Callable) {
        let mut agent = Agent { def: self.owner, role: None, tools: Vec::new() };
        let body = self.compiled.hir.body(self.owner);
        let looker = Looker::new(self.compiled, body);
        for item in &callable.items {
            match item {
                PromptItem::Model { role, .. } => agent.role = agent.role.or(*role),
                PromptItem::Tools { tools, .. } => {
                    for tool in tools {
                        let Some(def) = tool.target else { continue };
                        let policy = |name| named(&tool.policies, name);
                        agent.tools.push(Tool {
                            def,
                            name: tool.path.clone(),
                            approved: who(&looker, policy("approve")),
                            max_calls: body
                                .and_then(|body| self.written(body, policy("max_calls"))),
                            span: tool.path_span,
                        });
                    }
                }
                PromptItem::Message { .. } => {}
            }
        }
        self.found.agents.push(agent);
    }
}

/// The role that an argument names, if the text says it.
fn who(looker: &Looker<'_>, arg: Option<&Arg>) -> Option<SmolStr> {
    match arg?.value {
        ArgValue::Expr(value) => looker.known(value),
        _ => None,
    }
}

/// The calls of a body that have policies, with these.
fn policies(body: &Body) -> FxHashMap<ExprId, &[Arg]> {
    let with = body.exprs.iter().filter_map(|expr| match expr {
        Expr::With { expr, policies } => Some((*expr, policies.as_slice())),
        _ => None,
    });
    with.collect()
}
