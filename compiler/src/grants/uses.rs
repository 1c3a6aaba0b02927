//! What one declaration does itself, and whom it calls, place by place.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::{Part, What};
use crate::Compilation;
use crate::diagnostics::Span;
use crate::effects::{Effect, walk};
use crate::hir::{
    Arg, ArgValue, Body, Builtin, Callable, CallableKind, Callee, DefId, DefKind, Expr, ExprId,
    Literal, LocalId, Pat, PromptItem, Stmt, TemplatePart,
};

/// Steps by which a text is looked up through names.
const MAX_STEPS: u32 = 32;

/// What a declaration does, in textual order.
#[derive(Clone, Debug, Default)]
pub(super) struct Uses {
    /// What it does itself.
    pub own: Vec<(What, Span)>,
    /// What leaves that it calls do.
    pub leaves: Vec<Leaf>,
    /// Whom else it calls; a prompt perhaps with another role than its own.
    pub calls: Vec<(DefId, Option<DefId>, Span)>,
}

/// What the call of a leaf does.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub def: DefId,
    pub what: What,
    /// Where it is called.
    pub span: Span,
    /// Where its declaration says it.
    pub declared: Span,
}

/// The uses of a declaration; `role`: the one that its caller names for its model.
pub(super) fn uses(compiled: &Compilation, id: DefId, role: Option<DefId>) -> Uses {
    let mut found = Uses::default();
    let Some(def) = compiled.hir.defs.get(id.index()) else { return found };
    let own = compiled.effects.defs.get(id.index()).map_or(&[][..], |effects| &effects.own);
    let body = compiled.hir.body(id);
    let DefKind::Callable(callable) = &def.kind else {
        // A constant calls nothing that does anything; a test is nobody's to grant.
        return found;
    };
    if let CallableKind::Extern { .. } = callable.kind {
        // Whoever calls it has its effects, at the call.
        return found;
    }
    let looker = Looker::new(compiled, body);
    for (effect, span) in own {
        match effect {
            Effect::Model => {
                let (declared, place) = model_line(callable);
                found.own.push((What::Model(role.or(declared)), place.unwrap_or(*span)));
            }
            Effect::Human => found.own.push((What::Human(looker.who(*span)), *span)),
            other => {
                found.own.push((What::whole(*other, &compiled.effects.resources), *span));
            }
        }
    }
    for item in &callable.items {
        let PromptItem::Tools { tools, .. } = item else { continue };
        for tool in tools {
            if let Some(target) = tool.target {
                // The model chooses the arguments.
                looker.call(target, None, &[], tool.path_span, &mut found);
            }
        }
    }
    looker.calls(&mut found);
    found
}

/// The role of a prompt, and where it stands.
fn model_line(callable: &Callable) -> (Option<DefId>, Option<Span>) {
    let found = callable.items.iter().find_map(|item| match item {
        PromptItem::Model { role, span, .. } => Some((*role, Some(*span))),
        _ => None,
    });
    found.unwrap_or_default()
}

/// The values of a body's `let`s.
fn lets(body: &Body) -> FxHashMap<LocalId, ExprId> {
    let mut found = FxHashMap::default();
    for expr in &body.exprs {
        let Expr::Block(stmts) = expr else { continue };
        for stmt in stmts {
            if let Stmt::Let { pat, value, .. } = stmt
                && let Some(Pat::Bind(local)) = body.pats.get(pat.index())
            {
                found.insert(*local, *value);
            }
        }
    }
    found
}

/// The argument of that name.
pub(crate) fn named<'a>(args: &'a [Arg], wanted: &str) -> Option<&'a Arg> {
    args.iter().find(|arg| arg.name.as_ref().is_some_and(|(name, _)| name == wanted))
}

/// The beginning of a URL up to its host, if it is known where that ends.
fn beginning(text: &str) -> Option<SmolStr> {
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?', '#', '\\'])?;
    Some(SmolStr::from(format!("{scheme}://{}/", rest.get(..end)?)))
}

/// The program that the locator of a process begins with.
fn program(locator: &str) -> Part {
    match locator.split_whitespace().next() {
        Some(program) if !program.contains(['{', '\'']) => Part::Known(program.into()),
        _ => Part::Whole,
    }
}

/// Looks up what a body says before anything runs.
pub(crate) struct Looker<'a> {
    compiled: &'a Compilation,
    body: Option<&'a Body>,
    lets: FxHashMap<LocalId, ExprId>,
}

impl<'a> Looker<'a> {
    pub(crate) fn new(compiled: &'a Compilation, body: Option<&'a Body>) -> Self {
        Self { compiled, body, lets: body.map(lets).unwrap_or_default() }
    }

    /// The text that an expression is, also through names of `let`s and constants.
    pub(crate) fn known(&self, id: ExprId) -> Option<SmolStr> {
        self.text(self.body?, id, MAX_STEPS)
    }

    fn calls(&self, found: &mut Uses) {
        let Some(body) = self.body else { return };
        // Policies stand around the call that they are of.
        let mut policies: FxHashMap<ExprId, &[Arg]> = FxHashMap::default();
        for expr in &body.exprs {
            if let Expr::With { expr, policies: of } = expr {
                policies.insert(*expr, of);
            }
        }
        for ((id, expr), span) in walk::parts_first(body).zip(&body.exprs).zip(&body.expr_spans) {
            match expr {
                Expr::Call { callee: Callee::Def(def), args, .. } => {
                    let with = policies.get(&id).copied().unwrap_or_default();
                    let role = named(with, "model").and_then(|arg| self.role(body, arg));
                    self.call(*def, role, args, *span, found);
                }
                // A constant, by its name.
                Expr::Def(def) => found.calls.push((*def, None, *span)),
                _ => {}
            }
        }
    }

    fn role(&self, body: &Body, arg: &Arg) -> Option<DefId> {
        match arg.value {
            ArgValue::Expr(value) => match walk::expr(body, value) {
                Expr::Def(role) => Some(*role),
                _ => None,
            },
            _ => None,
        }
    }

    fn call(&self, def: DefId, role: Option<DefId>, args: &[Arg], span: Span, found: &mut Uses) {
        let hir = &self.compiled.hir;
        let Some(called) = hir.defs.get(def.index()) else { return };
        let DefKind::Callable(callable) = &called.kind else { return };
        let CallableKind::Extern { kind, locator } = &callable.kind else {
            let is_asked = matches!(callable.kind, CallableKind::Prompt | CallableKind::Agent);
            if let (Some(role), false) = (role, is_asked) {
                found.own.push((What::Model(Some(role)), span));
            }
            found.calls.push((def, role.filter(|_| is_asked), span));
            return;
        };
        let resources = &self.compiled.effects.resources;
        let is_std = hir.modules.get(called.module.index()).is_some_and(|module| module.is_std);
        let own = self.compiled.effects.defs.get(def.index()).map_or(&[][..], |own| &own.own);
        let mut add = |what: What, declared: Span| {
            found.leaves.push(Leaf { def, what, span, declared });
        };
        for (effect, declared) in own {
            let what = match (What::whole(*effect, resources), kind.as_str()) {
                (What::Read(resource, _), "native") if is_std => {
                    let part = self.part(callable, &resource, args);
                    What::Read(resource, part)
                }
                (What::Write(resource, _), "native") if is_std => {
                    let part = self.part(callable, &resource, args);
                    What::Write(resource, part)
                }
                (What::Write(resource, _), "process") if !callable.has_does => {
                    What::Write(resource, program(locator))
                }
                (What::Model(_), _) => {
                    let given = || named(args, "model").and_then(|arg| self.role(self.body?, arg));
                    What::Model(role.or_else(given))
                }
                (what, _) => what,
            };
            add(what, *declared);
        }
        // What its header calls it is one thing, and the host or program that it reaches another: both are asked for.
        if callable.has_does {
            let declared = callable.locator_span.unwrap_or(called.name_span);
            let writes = own.iter().any(|(effect, _)| matches!(effect, Effect::Write(_)));
            match kind.as_str() {
                "http" => {
                    let url = locator.split_once(' ').map_or(locator.as_str(), |(_, url)| url);
                    // No parameter can stand in its host.
                    let part = Part::Known(beginning(url).unwrap_or_else(|| url.into()));
                    let net = SmolStr::new_static("net");
                    add(
                        if writes { What::Write(net, part) } else { What::Read(net, part) },
                        declared,
                    );
                }
                "process" => add(What::Write("process".into(), program(locator)), declared),
                _ => {}
            }
        }
    }

    /// What of its resource a leaf of the standard library touches.
    fn part(&self, callable: &Callable, resource: &str, args: &[Arg]) -> Part {
        if !matches!(resource, "file" | "net" | "process") {
            // What it touches stands in no argument: the whole of it.
            return Part::Whole;
        }
        let first = callable.params.first().map_or("", |param| param.name.as_str());
        let given = args.iter().find(|arg| arg.name.is_none());
        let given = named(args, first).or(given).map(|arg| &arg.value);
        let (Some(body), Some(ArgValue::Expr(value))) = (self.body, given) else {
            return Part::Unknown;
        };
        let known = match (resource, first) {
            ("file", "path" | "dir") => self.text(body, *value, MAX_STEPS),
            ("net", "url") => {
                self.text(body, *value, MAX_STEPS).or_else(|| self.beginning(body, *value))
            }
            ("process", "argv") => match walk::expr(body, self.value(body, *value)) {
                Expr::List(items) => match items.first() {
                    Some((program, false)) => self.text(body, *program, MAX_STEPS),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        };
        known.map_or(Part::Unknown, Part::Known)
    }

    /// What a name of a `let` stands for.
    fn value(&self, body: &Body, mut id: ExprId) -> ExprId {
        for _ in 0..MAX_STEPS {
            match walk::expr(body, id) {
                Expr::Local(local) => match self.lets.get(local) {
                    Some(value) => id = *value,
                    None => return id,
                },
                Expr::Call {
                    callee: Callee::Builtin(Builtin::Endorse | Builtin::Allow),
                    args,
                    ..
                } => match args.first().map(|arg| &arg.value) {
                    Some(ArgValue::Expr(value)) => id = *value,
                    _ => return id,
                },
                _ => return id,
            }
        }
        id
    }

    /// The text that an expression is before anything runs.
    fn text(&self, body: &Body, id: ExprId, steps: u32) -> Option<SmolStr> {
        let steps = steps.checked_sub(1)?;
        match walk::expr(body, self.value(body, id)) {
            Expr::Literal(Literal::Text(text)) => Some(text.clone()),
            Expr::Def(def) => {
                let body = self.compiled.hir.body(*def)?;
                // The names in it are of its own body.
                let inner = Looker::new(self.compiled, Some(body));
                inner.text(body, body.root?, steps)
            }
            _ => None,
        }
    }

    /// The beginning of a URL that ends behind its host: what follows leads to no other one.
    fn beginning(&self, body: &Body, id: ExprId) -> Option<SmolStr> {
        let Expr::Template(parts) = walk::expr(body, self.value(body, id)) else { return None };
        let mut text = String::new();
        for part in parts {
            match part {
                TemplatePart::Text(more) => text.push_str(more),
                TemplatePart::Expr(value) => match self.text(body, *value, MAX_STEPS) {
                    Some(more) => text.push_str(&more),
                    None => break,
                },
            }
        }
        beginning(&text)
    }

    /// Who is asked at a place, if the text says it.
    fn who(&self, place: Span) -> Option<SmolStr> {
        let body = self.body?;
        let asks = |(expr, span): (&Expr, &Span)| -> Option<ExprId> {
            if *span != place {
                return None;
            }
            let arg = match expr {
                Expr::Call {
                    callee: Callee::Builtin(Builtin::Ask | Builtin::Choose),
                    args,
                    ..
                } => named(args, "to"),
                Expr::With { policies, .. } => named(policies, "approve"),
                _ => None,
            };
            match arg?.value {
                ArgValue::Expr(value) => Some(value),
                _ => None,
            }
        };
        let value = body.exprs.iter().zip(&body.expr_spans).find_map(asks)?;
        self.text(body, value, MAX_STEPS)
    }
}
