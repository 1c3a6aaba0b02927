//! The rules about effects: purity, promises of headers, races, policies on writes, bounds, recursion.

use rustc_hash::{FxHashMap, FxHashSet};

use super::fewest::Measure;
use super::set::{Effect, EffectSet, Resources};
use super::unused::stmts;
use super::{Effects, Step, infer, walk};
use crate::check::Types;
use crate::check::display::duration;
use crate::check::ty::{Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Edit, Span};
use crate::hir::{
    Arg, ArgValue, Arm, Body, Callable, CallableKind, Callee, Def, DefId, DefKind, Expr, ExprId,
    Hir, Pat, PromptItem, Stmt, TestItem, Tool,
};

/// Steps of a way from one declaration to another that are named.
const MAX_STEPS: usize = 12;

pub(super) fn check(hir: &Hir, types: &Types, effects: &Effects, sink: &mut Diagnostics) {
    let has_budget = |def: &Def, name: &str| match &def.kind {
        DefKind::Callable(callable) => callable.policies.iter().any(|arg| named(arg, name)),
        _ => false,
    };
    let least = |budget: &str, measure| {
        let is_asked = hir.defs.iter().any(|def| has_budget(def, budget));
        if is_asked { super::fewest::least(hir, effects, measure) } else { FxHashMap::default() }
    };
    let fewest = least("calls", Measure::Calls);
    let sleeps = least("time", Measure::Sleep);
    let mut rules = Rules { hir, types, effects, sink, fewest, sleeps, exposed: None };
    for (index, def) in hir.defs.iter().enumerate() {
        // The standard library is checked by its own tests; its files are nobody's to mend here.
        if hir.modules.get(def.module.index()).is_some_and(|module| module.is_std) {
            continue;
        }
        rules.def(DefId(u32::try_from(index).unwrap_or(u32::MAX)), def);
    }
    rules.recursion();
    rules.webhooks();
}

pub(super) struct Rules<'a> {
    pub(super) hir: &'a Hir,
    pub(super) types: &'a Types,
    pub(super) effects: &'a Effects,
    pub(super) sink: &'a mut Diagnostics,
    /// The fewest model calls of each declaration.
    fewest: FxHashMap<DefId, u64>,
    /// How long each declaration sleeps at least, in nanoseconds.
    sleeps: FxHashMap<DefId, u64>,
    /// What nobody handles who calls a declaration, once a question asks.
    pub(super) exposed: Option<Vec<super::unanswered::Exposed>>,
}

impl Rules<'_> {
    fn def(&mut self, id: DefId, def: &Def) {
        let body = self.hir.body(id);
        match &def.kind {
            DefKind::Callable(callable) => {
                if callable.kind == CallableKind::Fn {
                    self.pure_fn(id, def);
                }
                if callable.has_does && !matches!(callable.kind, CallableKind::Extern { .. }) {
                    self.promise(id, def, callable);
                }
                self.budget(id, def, callable, body);
                self.time(id, def, callable, body);
                self.unused_params(callable, body);
                for item in &callable.items {
                    if let PromptItem::Tools { tools, .. } = item {
                        tools.iter().for_each(|tool| self.tool_policies(tool));
                    }
                }
                self.head(id, callable, body);
                self.head_counts(id, callable, body);
                for default in callable.params.iter().filter_map(|param| param.default) {
                    self.pure(id, body, default, "a default value");
                }
            }
            DefKind::Const { .. } => {
                if let Some(root) = body.and_then(|body| body.root) {
                    self.pure(id, body, root, "a constant");
                }
            }
            DefKind::Record(record) | DefKind::Session(record) => {
                for default in record.fields.iter().filter_map(|field| field.default) {
                    self.pure(id, body, default, "a default value");
                }
            }
            DefKind::Test(test) => {
                for item in &test.items {
                    if let TestItem::Stub(stub) = item {
                        for (outcome, _) in &stub.outcomes {
                            self.pure(id, body, *outcome, "the outcome of a stub");
                        }
                    }
                }
            }
            DefKind::Enum(_) | DefKind::Alias(_) | DefKind::Model { .. } | DefKind::Secret => {}
        }
        if let Some(body) = body {
            for (index, expr) in body.exprs.iter().enumerate() {
                self.expr(id, body, ExprId(u32::try_from(index).unwrap_or(u32::MAX)), expr);
            }
            self.dead(id, body);
            self.people(id, body);
        }
        self.sessions(id, def);
    }

    /// The way from a declaration to an effect; none where nobody will read it.
    fn steps(&self, id: DefId, def: &Def, effect: Effect) -> Vec<Step> {
        if self.sink.is_full(def.name_span.file) {
            return Vec::new();
        }
        self.effects.chain(id, |found| found == effect)
    }

    /// A `fn` whose own text brings in an effect. That of another `fn`, of a constant or of a default value is reported
    /// there, and what follows from it is not.
    fn pure_fn(&mut self, id: DefId, def: &Def) {
        if self.effects.of(id).is_empty() {
            return;
        }
        let Some((effect, span, callee)) = self.origin(id) else { return };
        let mut steps = vec![Step { def: id, span }];
        if let Some((callee, called)) =
            callee.and_then(|callee| Some((callee, self.hir.defs.get(callee.index())?)))
        {
            steps.extend(self.steps(callee, called, effect));
        }
        let verb = effect.verb(&self.effects.resources);
        let mut finding =
            Diagnostic::new(Code::ImpureFn, span, format!("`{}` is a `fn`, but {verb}", def.name))
                .here(format!("this {verb}"))
                .label(def.name_span, "a `fn` has no effects")
                .help("make it a `graph`, or pass in the value that it needs");
        if let Some(way) = self.way(&steps, effect) {
            finding = finding.note(way);
        }
        self.sink.push(finding);
    }

    /// The first effect that the text of a declaration brings in itself: which one, where, and by a call of whom.
    fn origin(&self, id: DefId) -> Option<(Effect, Span, Option<DefId>)> {
        let found = self.effects.defs.get(id.index())?;
        let own = found.own.first().map(|(effect, span)| (*effect, *span, None));
        let called = found.calls.iter().find_map(|(callee, span)| {
            if self.is_told_there(*callee) {
                return None;
            }
            let effect = self.effects.of(*callee).iter().next()?;
            Some((effect, *span, Some(*callee)))
        });
        match (own, called) {
            (Some(own), Some(called))
                if (called.1.start, called.1.end) < (own.1.start, own.1.end) =>
            {
                Some(called)
            }
            (own, called) => own.or(called),
        }
    }

    /// Whether an effect of a declaration is reported at the declaration: it may have none.
    fn is_told_there(&self, def: DefId) -> bool {
        let Some(declared) = self.hir.defs.get(def.index()) else { return false };
        let is_std = self.hir.modules.get(declared.module.index()).is_none_or(|m| m.is_std);
        let is_pure = match &declared.kind {
            DefKind::Callable(callable) => callable.kind == CallableKind::Fn,
            DefKind::Const { .. } | DefKind::Record(_) | DefKind::Session(_) => true,
            _ => false,
        };
        is_pure && !is_std
    }

    fn promise(&mut self, id: DefId, def: &Def, callable: &Callable) {
        let resources = &self.effects.resources;
        let mut bound = EffectSet::default();
        for written in &callable.does {
            match infer::effect(written, |path| resources.find(path)) {
                Some(effect) => bound.add(effect),
                None => return,
            }
        }
        let Some(effect) = self.effects.of(id).beyond(&bound, resources) else { return };
        let steps = self.steps(id, def, effect);
        let span = steps.first().map_or(def.name_span, |step| step.span);
        let promise =
            callable.does.iter().map(|e| e.span).reduce(Span::to).unwrap_or(def.name_span);
        let verb = effect.verb(resources);
        let listed = effect.written(resources);
        let message = format!("`{}` {verb}, but `does` does not list `{listed}`", def.name);
        let mut finding = Diagnostic::new(Code::BeyondDoes, span, message)
            .here(format!("this {verb}"))
            .label(promise, "only this is allowed")
            .help(format!("add `{listed}` after `does`, or do without it"));
        if let Some(way) = self.way(&steps, effect) {
            finding = finding.note(way);
        }
        self.sink.push(finding);
    }

    /// `calls: n` of a header against the fewest calls that its body makes.
    fn budget(&mut self, id: DefId, def: &Def, callable: &Callable, body: Option<&Body>) {
        let given = callable.policies.iter().find(|arg| named(arg, "calls"));
        let (Some(given), Some(body)) = (given, body) else { return };
        let ArgValue::Expr(value) = given.value else { return };
        let Some(calls) = walk::whole_number(self.hir, body, value) else { return };
        let fewest = self.fewest.get(&id).copied().unwrap_or(0);
        if u64::try_from(calls).is_ok_and(|calls| calls < fewest) {
            self.sink.push(
                Diagnostic::new(
                    Code::BudgetTooSmall,
                    given.span,
                    format!(
                        "`{}` allows too few model calls: it makes at least {fewest}",
                        def.name
                    ),
                )
                .here("not enough")
                .label(def.name_span, "declared here")
                .help(format!("write `calls: {fewest}` or more, or call models less often")),
            );
        }
    }

    /// `time: d` of a header against what its body sleeps.
    fn time(&mut self, id: DefId, def: &Def, callable: &Callable, body: Option<&Body>) {
        let Some(slept) = self.sleeps.get(&id).and_then(|nanos| i64::try_from(*nanos).ok()) else {
            return;
        };
        let given = callable.policies.iter().find(|arg| named(arg, "time"));
        let (Some(given), Some(body)) = (given, body) else { return };
        let ArgValue::Expr(value) = given.value else { return };
        let Some(time) = walk::nanos(self.hir, body, value) else { return };
        // What ends at the same moment may be just in time.
        if time < slept {
            let slept = duration(slept);
            self.sink.push(
                Diagnostic::new(
                    Code::BudgetTooSmall,
                    given.span,
                    format!(
                        "`{}` allows too little time: it sleeps for {slept} at least",
                        def.name
                    ),
                )
                .here("not enough")
                .label(def.name_span, "declared here")
                .help(format!("write more than `time: {slept}`, or sleep less")),
            );
        }
    }

    /// The way from a declaration to an effect, in words, if there is more than one step.
    fn way(&self, steps: &[Step], effect: Effect) -> Option<String> {
        if steps.len() < 2 {
            return None;
        }
        let mut names: Vec<String> =
            steps.iter().take(MAX_STEPS).map(|step| self.name(step.def)).collect();
        if let Some(last) = steps.last().filter(|_| steps.len() > MAX_STEPS) {
            names.push(format!("others, up to {}", self.name(last.def)));
        }
        let verb = effect.verb(&self.effects.resources);
        Some(format!("{}, which {verb}", names.join(" calls ")))
    }

    fn name(&self, def: DefId) -> String {
        self.hir.defs.get(def.index()).map_or_else(|| "?".into(), |def| self.named_callee(def))
    }

    /// Reports an effect where none may stand.
    pub(super) fn pure(&mut self, owner: DefId, body: Option<&Body>, expr: ExprId, what: &str) {
        let Some(effect) = self.effects.of_expr(owner, expr).iter().next() else { return };
        let Some(span) = body.and_then(|body| body.expr_spans.get(expr.index())) else { return };
        let verb = effect.verb(&self.effects.resources);
        self.sink.push(
            Diagnostic::new(Code::ImpurePlace, *span, format!("{what} cannot have effects"))
                .here(format!("this {verb}"))
                .help(match what {
                    "a constant" => "compute it in a graph",
                    "a default value" => {
                        "make it optional, and give the value with `??` where it is used"
                    }
                    "the outcome of a stub" => "write a fixed value",
                    _ => "give it a name with `let` before, and use that here",
                }),
        );
    }

    fn expr(&mut self, owner: DefId, body: &Body, id: ExprId, expr: &Expr) {
        match expr {
            Expr::Match { arms, .. } | Expr::Catch { arms, .. } => {
                self.guards(owner, body, arms);
                self.unused_names(body, arms);
            }
            Expr::Block(stmts) => self.unused_answers(owner, body, stmts),
            Expr::For { source, filter, max, parallel, body: inner, .. } => {
                if let Some(filter) = filter {
                    self.pure(owner, Some(body), *filter, "the condition of a `for`");
                }
                for bound in max.iter().chain(parallel) {
                    self.pure(owner, Some(body), *bound, "a limit");
                }
                if max.is_none() {
                    self.bounded(owner, body, *source, *filter, *inner);
                }
                if parallel.is_some() {
                    self.side_by_side(owner, body, id, *inner);
                }
            }
            Expr::Loop { max, .. } => self.pure(owner, Some(body), *max, "a limit"),
            Expr::Race { arms, .. } => {
                for arm in arms {
                    self.racer(owner, body, *arm);
                }
            }
            Expr::With { expr, policies } => {
                self.counts(owner, body, policies);
                self.policies(owner, body, id, *expr, policies);
            }
            Expr::Undo { body: done, .. } => self.undone(owner, body, *done),
            _ => {}
        }
    }

    fn guards(&mut self, owner: DefId, body: &Body, arms: &[Arm]) {
        for guard in arms.iter().filter_map(|arm| arm.guard) {
            self.pure(owner, Some(body), guard, "the condition of an arm");
        }
    }

    fn bounded(
        &mut self,
        owner: DefId,
        body: &Body,
        source: ExprId,
        filter: Option<ExprId>,
        inner: ExprId,
    ) {
        let Some(effect) = self.effects.of_expr(owner, inner).iter().next() else { return };
        if self.is_bounded(owner, source, 0) {
            return;
        }
        let span = |id: ExprId| body.expr_spans.get(id.index()).copied();
        let (Some(at), Some(last)) = (span(source), span(filter.unwrap_or(source))) else { return };
        let verb = effect.verb(&self.effects.resources);
        self.sink.push(
            Diagnostic::new(Code::UnboundedFor, at, "nothing says how long this list can be")
                .here(format!("for each item, the body {verb}"))
                .help("add the most items that you expect, such as `max 100`; a longer list then fails with `Budget(\"items\")`")
                .guess("allow 100 items", vec![Edit::new(last.after(), " max 100")]),
        );
    }

    /// Whether something says how long a list can be: its form, its type, or those of the `let` or constant it names.
    fn is_bounded(&self, owner: DefId, id: ExprId, depth: u32) -> bool {
        const MAX_HOPS: u32 = 64;
        let hir = self.hir;
        let (Some(types), Some(Some(body))) =
            (self.types.body(owner), hir.bodies.get(owner.index()))
        else {
            // Nothing is known of what was not checked, so nothing is said about it.
            return true;
        };
        let by_type = types.exprs.get(id.index()).is_none_or(|ty| self.has_max(*ty));
        if by_type || types.max_items.contains_key(&id) {
            return true;
        }
        if depth > MAX_HOPS {
            return false;
        }
        match walk::expr(body, id) {
            Expr::Local(local) => {
                let value = stmts(hir, owner, body).find_map(|stmt| match stmt {
                    Stmt::Let { pat, value, .. } => match body.pats.get(pat.index()) {
                        Some(Pat::Bind(bound)) if bound == local => Some(*value),
                        _ => None,
                    },
                    Stmt::Expr(_) => None,
                });
                value.is_some_and(|value| self.is_bounded(owner, value, depth + 1))
            }
            Expr::Def(def) => {
                let root = hir.body(*def);
                let root = root.and_then(|body| body.root);
                root.is_none_or(|root| self.is_bounded(*def, root, depth + 1))
            }
            _ => false,
        }
    }

    fn has_max(&self, ty: Ty) -> bool {
        match self.types.interner.kind(ty) {
            TyKind::Refined { base, bounds, .. } => {
                bounds.iter().any(|bound| bound.name == "max") || self.has_max(*base)
            }
            TyKind::Error => true,
            _ => false,
        }
    }

    fn racer(&mut self, owner: DefId, body: &Body, arm: ExprId) {
        let set = self.effects.of_expr(owner, arm);
        let Some(effect) = set.iter().find(|effect| matches!(effect, Effect::Write(_))) else {
            return;
        };
        let Some(span) = body.expr_spans.get(arm.index()) else { return };
        let verb = effect.verb(&self.effects.resources);
        self.sink.push(
            Diagnostic::new(Code::RaceWrites, *span, "an arm of a race cannot change anything")
                .here(format!("this {verb}"))
                .note("the arms that lose are cancelled, so nobody would know whether it happened")
                .help("let the race give a value, and write it afterwards"),
        );
    }

    fn policies(&mut self, owner: DefId, body: &Body, id: ExprId, call: ExprId, all: &[Arg]) {
        if self.unsent_key(body, call, all) {
            // Whether another policy needs a key is asked again without this one.
            return;
        }
        let set = self.effects.of_expr(owner, id);
        // Arguments that write are calls of their own; only the call itself is meant.
        let set = match walk::expr(body, call) {
            Expr::Call { callee: Callee::Def(def), .. } => {
                let keyed = all.iter().any(|arg| named(arg, "key"));
                let mut set = self.effects.of(*def).clone();
                set.set_unkeyed(set.has_unkeyed_write() && !(keyed && self.is_extern(*def)));
                set
            }
            _ => set.clone(),
        };
        if !set.writes_anything() {
            return;
        }
        let who = self.who_writes(body, call, &self.effects.resources);
        let at = body.expr_spans.get(call.index()).copied();
        let help = if self.is_by_model(body, call) {
            "leave this policy out: a model that calls a tool sends no key"
        } else {
            "leave this policy out, or add `key:` if the write can send one: then a second attempt is recognised"
        };
        self.policies_on_write(&set, all, at, &who, help);
    }

    /// The policies of a tool: of its calls, which give no key.
    fn tool_policies(&mut self, tool: &Tool) {
        self.approved_tool(tool);
        let Some(target) = tool.target else { return };
        let set = self.effects.of(target).clone();
        let verb = set
            .iter()
            .find(|effect| matches!(effect, Effect::Write(_)))
            .map(|write| format!("this tool {}", write.verb(&self.effects.resources)));
        let who = verb.unwrap_or_default();
        let help = "leave this policy out: a model that calls a tool sends no key";
        self.policies_on_write(&set, &tool.policies, Some(tool.path_span), &who, help);
    }

    /// Policies that a write does not take, or not without a key: of a call or tool with these effects, at that place,
    /// of which `who` says what writes, and what to `help` with where a key is missing.
    fn policies_on_write(
        &mut self,
        set: &EffectSet,
        all: &[Arg],
        at: Option<Span>,
        who: &str,
        help: &str,
    ) {
        let Some(write) = set.iter().find(|effect| matches!(effect, Effect::Write(_))) else {
            return;
        };
        let resources = &self.effects.resources;
        // One call, one mistake; and for a run that goes on by itself these policies have no meaning at all.
        let mut told = all.iter().any(|arg| named(arg, "detach"));
        for arg in all {
            let Some((name, name_span)) = &arg.name else { continue };
            match name.as_str() {
                "retry" | "timeout" | "deadline" if told => {}
                "retry" | "timeout" | "deadline" if set.has_unkeyed_write() => {
                    told = true;
                    let message = format!(
                        "`{name}` needs a `key:` here, because the call {}",
                        write.verb(resources)
                    );
                    let finding = Diagnostic::new(Code::WriteWithoutKey, *name_span, message)
                        .here(match name.as_str() {
                            "retry" => "the write could happen twice",
                            _ => "it would be unknown whether the write happened",
                        })
                        .label(at.unwrap_or(*name_span), who)
                        .help(help);
                    self.sink.push(finding);
                }
                "cache" => {
                    let message = format!("a call that {} cannot be cached", write.verb(resources));
                    let finding = Diagnostic::new(Code::CacheOnWrite, *name_span, message)
                        .here("a cached call does not happen again")
                        .label(at.unwrap_or(*name_span), who)
                        .help("leave `cache` out, or cache only the calls that read");
                    self.sink.push(finding);
                }
                _ => {}
            }
        }
    }

    /// `key:` on a call whose declaration does not say how a key is sent: whether it was reported.
    fn unsent_key(&mut self, body: &Body, call: ExprId, all: &[Arg]) -> bool {
        let Some(key) = all.iter().find(|arg| named(arg, "key")) else { return false };
        let writes = match walk::expr(body, call) {
            Expr::Call { callee: Callee::Def(def), .. } => self.effects.of(*def).writes_anything(),
            _ => false,
        };
        let (declared, what) = match walk::expr(body, call) {
            Expr::Call { callee: Callee::Def(def), .. } => match self.callable(*def) {
                Some(callable) if callable.policies.iter().any(|arg| named(arg, "key")) => {
                    return false;
                }
                Some(callable) => {
                    let leaf = matches!(callable.kind, CallableKind::Extern { .. });
                    let why = match (leaf, writes) {
                        (_, false) => "it changes nothing, so it needs no key",
                        (true, true) => "this call has no way to send a key",
                        (false, true) => "the key belongs to the write inside it",
                    };
                    (self.hir.defs.get(def.index()), why)
                }
                // Records and aliases: no call, which was reported.
                None => return false,
            },
            Expr::Call { callee: Callee::Builtin(_), .. } => {
                (None, "it changes nothing outside, so it needs no key")
            }
            _ => return false,
        };
        let name = declared.map_or_else(|| "this call".into(), |def| self.named_callee(def));
        let at = key.name.as_ref().map_or(key.span, |(_, span)| *span);
        let help = if writes {
            "leave `key:` out: only a write that sends it, such as `http.request`, can use it; `once:` keeps a call from happening twice without the other side's help"
        } else {
            "leave `key:` out: only a write that sends it, such as `http.request`, can use it"
        };
        let finding = Diagnostic::new(Code::KeyNotSent, at, format!("{name} cannot use `key:`"))
            .here(what)
            .help(help);
        let own = declared.filter(|def| {
            self.hir.modules.get(def.module.index()).is_some_and(|module| !module.is_std)
        });
        self.sink.push(match own {
            Some(def) => finding.label(def.name_span, "declared here"),
            None => finding,
        });
        true
    }

    fn named_callee(&self, def: &Def) -> String {
        match self.hir.modules.get(def.module.index()) {
            Some(module) if module.is_std => format!("`{}.{}`", module.name, def.name),
            _ => format!("`{}`", def.name),
        }
    }

    /// "calls `a` calls `b`, which writes …", for the label at a call.
    fn who_writes(&self, body: &Body, call: ExprId, resources: &Resources) -> String {
        let Expr::Call { callee: Callee::Def(def), .. } = walk::expr(body, call) else {
            return "this call writes".into();
        };
        let steps = self.effects.chain(*def, |effect| matches!(effect, Effect::Write(_)));
        let write = self.effects.of(*def).iter().find(|e| matches!(e, Effect::Write(_)));
        let verb = write.map_or_else(|| "writes".into(), |write| write.verb(resources));
        match steps.last() {
            Some(last) if steps.len() > 1 => format!("calls {}, which {verb}", self.name(last.def)),
            _ => format!("this {verb}"),
        }
    }

    /// Whether the write of a call is made by the model of an agent.
    fn is_by_model(&self, body: &Body, call: ExprId) -> bool {
        let Expr::Call { callee: Callee::Def(def), .. } = walk::expr(body, call) else {
            return false;
        };
        let steps = self.effects.chain(*def, |effect| matches!(effect, Effect::Write(_)));
        let kind = |step: &Step| self.callable(step.def).map(|callable| &callable.kind);
        steps.iter().any(|step| kind(step) == Some(&CallableKind::Agent))
    }

    fn is_extern(&self, def: DefId) -> bool {
        let kind = self.hir.defs.get(def.index()).map(|def| &def.kind);
        matches!(kind, Some(DefKind::Callable(Callable { kind: CallableKind::Extern { .. }, .. })))
    }

    /// Functions never call themselves, graphs only with a depth.
    fn recursion(&mut self) {
        for group in self.effects.groups.iter() {
            let calls_itself = |def: &DefId| {
                let effects = self.effects.defs.get(def.index());
                effects.is_some_and(|found| found.calls.iter().any(|(callee, _)| callee == def))
            };
            if let [def] = group
                && !calls_itself(def)
            {
                continue;
            }
            let bounded = |def: &DefId| self.depth(*def);
            let members: FxHashSet<DefId> = group.iter().copied().filter(|d| !bounded(d)).collect();
            // Callables only: records refer to themselves, and constants were checked with the names.
            let mut callables: Vec<DefId> =
                members.iter().copied().filter(|def| self.callable(*def).is_some()).collect();
            callables.sort_unstable();
            if let Some(cycle) = callables.iter().find_map(|def| self.cycle(*def, &members)) {
                self.report_cycle(&cycle);
            }
        }
    }

    pub(super) fn callable(&self, def: DefId) -> Option<&Callable> {
        match &self.hir.defs.get(def.index())?.kind {
            DefKind::Callable(callable) => Some(callable),
            _ => None,
        }
    }

    fn depth(&self, def: DefId) -> bool {
        self.callable(def).is_some_and(|callable| {
            callable.kind == CallableKind::Graph
                && callable.policies.iter().any(|arg| named(arg, "depth"))
        })
    }

    /// The shortest way from a declaration back to itself among `members`: each step with the place of the call.
    fn cycle(&self, from: DefId, members: &FxHashSet<DefId>) -> Option<Vec<Step>> {
        let mut came: rustc_hash::FxHashMap<DefId, Step> = rustc_hash::FxHashMap::default();
        let mut queue = std::collections::VecDeque::from([from]);
        while let Some(def) = queue.pop_front() {
            let calls =
                self.effects.defs.get(def.index()).map_or(&[][..], |effects| &effects.calls);
            for (callee, span) in calls {
                if *callee == from {
                    let mut steps = vec![Step { def, span: *span }];
                    let mut at = def;
                    while let Some(step) = came.get(&at).filter(|_| at != from) {
                        steps.push(*step);
                        at = step.def;
                    }
                    steps.reverse();
                    return Some(steps);
                }
                if members.contains(callee) && !came.contains_key(callee) {
                    came.insert(*callee, Step { def, span: *span });
                    queue.push_back(*callee);
                }
            }
        }
        None
    }

    fn report_cycle(&mut self, cycle: &[Step]) {
        let Some(first) = cycle.first() else { return };
        let Some(def) = self.hir.defs.get(first.def.index()) else { return };
        let names: Vec<String> = cycle.iter().map(|step| self.name(step.def)).collect();
        let way = format!("{} calls {}", names.join(" calls "), self.name(first.def));
        let only_fns = cycle
            .iter()
            .all(|step| self.callable(step.def).is_some_and(|c| c.kind == CallableKind::Fn));
        let (code, message, help) = if only_fns {
            let message = format!("`{}` calls itself, with no limit", def.name);
            let help = "use a `loop` with `max`, or a `graph` with `with (depth: 3)`";
            (Code::FnRecursion, message, help.to_owned())
        } else {
            let is_graph = |step: &&Step| {
                self.callable(step.def).is_some_and(|c| c.kind == CallableKind::Graph)
            };
            let help = match cycle.iter().find(is_graph) {
                Some(graph) => {
                    format!("add `with (depth: 3)` to the header of {}", self.name(graph.def))
                }
                None => "leave one of these calls out, or put a graph with a `depth` between them"
                    .to_owned(),
            };
            let message = format!("`{}` calls itself, but no header has a `depth`", def.name);
            (Code::UnboundedRecursion, message, help)
        };
        let mut finding = Diagnostic::new(code, first.span, message)
            .here("this call leads back to it")
            .label(def.name_span, format!("`{}` is declared here", def.name))
            .help(help);
        if cycle.len() > 1 {
            finding = finding.note(way);
        }
        self.sink.push(finding);
    }
}

pub(super) fn named(arg: &Arg, name: &str) -> bool {
    arg.name.as_ref().is_some_and(|(own, _)| own == name)
}
