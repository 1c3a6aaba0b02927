//! Declarations.

use kait_syntax::ast::{self, Decl, PromptItem as AstItem, TestItem as AstTestItem};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::resolve::Lower;
use super::{Lowerer, Trace, forms, list_for};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::groups::Groups;
use crate::hir::{
    Alias, Builtin, Callable, CallableKind, Callee, DefId, DefKind, EffectRef, Enum, Expr, Field,
    Literal, LocalKind, MessageRole, Param, PromptItem, Record, Stmt, Stub, Test, TestItem, Tool,
    TypeRef, Variant,
};
use crate::names::{HeadKind, suggest};

/// Where the code of an extern can come from.
const EXTERN_KINDS: &[&str] = &["native", "stable", "trigger", "wasm", "process", "http", "mcp"];

/// Whose parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ParamsOf {
    Extern,
    /// A graph may take a secret, to pass it on.
    Graph,
    Other,
}

/// The words that stand behind `does`.
/// What std reads and writes.
const RESOURCES: &[&str] =
    &["net", "file", "db", "git", "mail", "process", "chat", "event", "http", "web"];

const EFFECTS: &[&str] = &["read", "write", "model", "human", "clock", "random", "emit"];

impl<'a> Lowerer<'a> {
    pub(super) fn item(&mut self, decl: Decl<'a>) -> DefKind {
        let span = self.span(decl.syntax().range());
        match decl {
            // Not collected: they declare nothing.
            Decl::Use(_) => DefKind::Secret,
            Decl::Let(decl) => {
                let ty = self.annotation(decl.ty());
                let value = self.opt_expr(decl.value(), span);
                self.body.root = Some(value);
                DefKind::Const { ty }
            }
            Decl::Record(decl) => {
                self.type_params(decl.type_params());
                DefKind::Record(self.record(decl.fields()))
            }
            Decl::Enum(decl) => {
                self.type_params(decl.type_params());
                DefKind::Enum(self.enumeration(decl))
            }
            Decl::TypeAlias(decl) => {
                self.type_params(decl.type_params());
                let ty = self.ty(decl.ty(), span, None);
                DefKind::Alias(Alias { type_params: self.type_params.clone(), ty })
            }
            Decl::Model(decl) => DefKind::Model { needs: self.model_needs(decl) },
            Decl::Secret(_) => DefKind::Secret,
            Decl::Fn(decl) => DefKind::Callable(self.function(decl, span)),
            Decl::Graph(decl) => DefKind::Callable(self.graph(decl, span)),
            Decl::Prompt(decl) => DefKind::Callable(self.prompt(decl, span)),
            Decl::Extern(decl) => DefKind::Callable(self.external(decl, span)),
            Decl::Session(decl) => DefKind::Session(self.record(decl.fields())),
            Decl::Trigger(decl) => DefKind::Callable(self.trigger(decl, span)),
            Decl::Test(decl) => DefKind::Test(self.test(decl)),
        }
    }

    fn type_params(&mut self, params: Option<ast::TypeParams<'a>>) {
        let mut known = FxHashSet::default();
        for token in params.into_iter().flat_map(ast::TypeParams::names) {
            let (name, span) = self.token(token);
            if !known.insert(name.clone()) {
                self.report(Diagnostic::new(
                    Code::Duplicate,
                    span,
                    format!("two type parameters are called `{name}`"),
                ));
            }
            self.type_params.push(name);
        }
    }

    fn record(&mut self, fields: impl Iterator<Item = ast::Field<'a>> + Clone) -> Record {
        let mut lowered: Vec<Field> = Vec::with_capacity(fields.clone().count());
        let mut known = std::mem::take(&mut self.known_fields);
        for field in fields {
            let place = self.span(field.range());
            let (name, span) = match field.name() {
                Some(name) => self.token(name),
                None => (SmolStr::default(), place),
            };
            self.duplicate_field(&mut known, &name, span);
            let ty = self.ty(field.ty(), place, None);
            let default = field.default().map(|default| self.expr(default));
            let wire = field.wire_name().and_then(|wire| self.fixed_text(wire, "the name in JSON"));
            let docs = docs(field.doc_text());
            lowered.push(Field { name, span, docs, ty, default, wire });
        }
        self.forget_fields(known);
        Record { type_params: self.type_params.clone(), fields: lowered }
    }

    /// Keeps the memory of a map of fields for the next one.
    fn forget_fields(&mut self, mut known: FxHashMap<SmolStr, Span>) {
        known.clear();
        self.known_fields = known;
    }

    fn duplicate_field(
        &mut self,
        known: &mut FxHashMap<SmolStr, Span>,
        name: &SmolStr,
        span: Span,
    ) {
        if name.is_empty() {
            return;
        }
        let first = *known.entry(name.clone()).or_insert(span);
        if first != span {
            let finding =
                Diagnostic::new(Code::Duplicate, span, format!("two fields are called `{name}`"))
                    .label(first, "first declared here");
            self.report(finding);
        }
    }

    fn fixed_text(&mut self, text: ast::StrExpr<'a>, what: &str) -> Option<SmolStr> {
        let constant = text.constant();
        if constant.is_none() {
            let span = self.span(text.range());
            self.report(
                Diagnostic::new(Code::OtherLiteral, span, format!("{what} must be a fixed text"))
                    .help("leave out `${…}`"),
            );
        }
        constant.map(SmolStr::from)
    }

    /// Where an extern comes from. Parameters are named there without `$`.
    fn locator(&mut self, text: ast::StrExpr<'a>) -> Option<SmolStr> {
        let constant = text.constant();
        if constant.is_none() {
            let span = self.span(text.range());
            let source = self.files.slice(span);
            let dollars = source.match_indices("${").map(|(at, _)| {
                let start = span.start + u32::try_from(at).unwrap_or(0);
                Edit::new(Span { start, end: start + 1, ..span }, "")
            });
            let edits: Vec<Edit> = dollars.collect();
            let finding = Diagnostic::new(
                Code::OtherLiteral,
                span,
                "the address or command of an extern must be a fixed text",
            )
            .help(
                "to put a parameter into an address, write its name in braces without `$`: `{id}`",
            );
            let is_plain = !source.contains("\\") && text.parts().iter().all(is_text_or_name);
            self.report(if is_plain && !edits.is_empty() {
                finding.guess("leave out `$`", edits)
            } else {
                finding
            });
        }
        constant.map(SmolStr::from)
    }

    fn enumeration(&mut self, decl: ast::Enum<'a>) -> Enum {
        let mut variants = list_for(Some(decl));
        for variant in decl.variants() {
            let place = self.span(variant.range());
            let Some((name, span)) = variant.name().map(|name| self.token(name)) else { continue };
            let mut fields: Vec<Field> = list_for(variant.params());
            let mut known = std::mem::take(&mut self.known_fields);
            for param in variant.params().into_iter().flat_map(ast::Params::params) {
                let place = self.span(param.range());
                let (name, span) = match param.name() {
                    Some(name) => self.token(name),
                    None => (SmolStr::default(), place),
                };
                self.duplicate_field(&mut known, &name, span);
                let ty = self.ty(param.ty(), place, None);
                let default = param.default().map(|default| self.expr(default));
                let docs = docs(param.doc_text());
                fields.push(Field { name, span, docs, ty, default, wire: None });
            }
            self.forget_fields(known);
            let wire =
                variant.wire_name().and_then(|wire| self.fixed_text(wire, "the name in JSON"));
            let docs = docs(variant.doc_text());
            variants.push(Variant { name, span: place.to(span), docs, fields, wire });
        }
        Enum { type_params: self.type_params.clone(), variants }
    }

    fn model_needs(&mut self, decl: ast::Model<'a>) -> Vec<(SmolStr, Literal, Span)> {
        let mut needs = Vec::new();
        for arg in decl.needs().into_iter().flat_map(ast::Args::args) {
            let span = self.span(arg.range());
            let Some(value) = arg.value() else { continue };
            let name = arg.name().map(|name| name.text().into()).unwrap_or_default();
            match self.literal_of(value) {
                Some(literal) => needs.push((name, literal, span)),
                None if matches!(value, ast::Expr::Number(_)) => {}
                None => {
                    let place = self.span(value.range());
                    self.report(
                        Diagnostic::new(
                            Code::OtherLiteral,
                            place,
                            "`needs` takes only fixed values",
                        )
                        .help("write the value itself, such as `tools: true` or `context: 64_000`"),
                    );
                }
            }
        }
        needs
    }

    /// Parameters: types and defaults first, then the locals, so that no default sees a parameter.
    fn params(&mut self, params: Option<ast::Params<'a>>, of: ParamsOf) -> Vec<Param> {
        let is_extern = of == ParamsOf::Extern;
        let mut lowered: Vec<Param> = list_for(params);
        for param in params.into_iter().flat_map(ast::Params::params) {
            let place = self.span(param.range());
            let (name, span) = match param.name() {
                Some(name) => self.token(name),
                None => (SmolStr::default(), place),
            };
            let ty = match of {
                ParamsOf::Extern | ParamsOf::Graph => self.param_ty(param.ty(), place, params),
                ParamsOf::Other => self.ty(param.ty(), place, params),
            };
            self.hidden_params = params;
            let default = param.default().map(|default| self.expr(default));
            self.hidden_params = None;
            let docs = docs(param.doc_text());
            let stream = param.is_stream();
            let stream_span = if stream { self.stream_span(place, span) } else { None };
            if stream && !is_extern {
                self.misplaced_stream(stream_span, span);
            }
            let local = crate::hir::LocalId(0);
            lowered.push(Param { name, span, docs, ty, default, stream, stream_span, local });
        }
        let mut known = std::mem::take(&mut self.known_fields);
        for i in 0..lowered.len() {
            let Some((name, span)) = lowered.get(i).map(|p| (p.name.clone(), p.span)) else {
                continue;
            };
            let local = if is_extern || name.is_empty() {
                let first = *known.entry(name.clone()).or_insert(span);
                if first != span && !name.is_empty() {
                    let finding = Diagnostic::new(
                        Code::Duplicate,
                        span,
                        format!("two parameters are called `{name}`"),
                    )
                    .label(first, "first declared here");
                    self.report(finding);
                }
                self.alloc_local(name, span, LocalKind::Param)
            } else {
                self.bind(name, span, LocalKind::Param)
            };
            if let Some(param) = lowered.get_mut(i) {
                param.local = local;
            }
        }
        self.forget_fields(known);
        lowered
    }

    /// The word `stream` of a parameter, with what is between it and the name.
    fn stream_span(&self, param: Span, name: Span) -> Option<Span> {
        let before = Span { end: name.start, ..param };
        let at = self.files.slice(before).rfind("stream")?;
        Some(Span { start: param.start + u32::try_from(at).ok()?, ..before })
    }

    /// Only the code of an extern sees a text while it grows; everything else passes it on by itself.
    fn misplaced_stream(&mut self, word: Option<Span>, name: Span) {
        let finding = Diagnostic::new(
            Code::StreamParameter,
            name,
            "only the parameters of an extern can be marked `stream`",
        );
        self.report(match word {
            Some(word) => finding.fix("leave `stream` out", vec![Edit::new(word, "")]),
            None => finding.help("leave `stream` out"),
        });
    }

    fn function(&mut self, decl: ast::Fn<'a>, span: Span) -> Callable {
        self.callable = Some(CallableKind::Fn);
        self.type_params(decl.type_params());
        let params = self.params(decl.params(), ParamsOf::Other);
        let result = self.ty(decl.result(), span, decl.params());
        self.body.root = Some(self.opt_block(decl.body(), span));
        Callable { result, ..self.callable(CallableKind::Fn, params) }
    }

    fn callable(&self, kind: CallableKind, params: Vec<Param>) -> Callable {
        Callable {
            kind,
            type_params: self.type_params.clone(),
            params,
            result: TypeRef {
                kind: crate::hir::TypeRefKind::Missing,
                quals: Vec::new(),
                bounds: Vec::new(),
                span: Span::new(self.file, 0, 0),
            },
            does: Vec::new(),
            has_does: false,
            locator_span: None,
            needs: None,
            policies: Vec::new(),
            session: None,
            source: None,
            items: Vec::new(),
        }
    }

    fn graph(&mut self, decl: ast::Graph<'a>, span: Span) -> Callable {
        self.callable = Some(CallableKind::Graph);
        self.type_params(decl.type_params());
        let params = self.params(decl.params(), ParamsOf::Graph);
        let result = self.ty(decl.result(), span, decl.params());
        let session = decl.session().map(|name| {
            let (name, span) = self.token(name);
            self.session_named(name, span)
        });
        let does = self.effects(decl.does());
        let policies = self.policies(decl.policies());
        self.body.root = Some(self.opt_block(decl.body(), span));
        Callable {
            result,
            has_does: decl.does().is_some(),
            does,
            policies,
            session,
            ..self.callable(CallableKind::Graph, params)
        }
    }

    /// A trigger: its source, which sees nothing of it, then its event and its block.
    fn trigger(&mut self, decl: ast::Trigger<'a>, span: Span) -> Callable {
        self.callable = Some(CallableKind::Trigger);
        let source = decl.source().map(|path| {
            let place = self.span(path.range());
            let callee = self.callable_path(path).map_or(Callee::Missing, Callee::Def);
            let args = self.args(decl.args());
            let end = decl.args().map_or(place, |args| self.span(args.range()));
            self.alloc(Expr::Call { callee, args, piped: false }, place.to(end))
        });
        let mut params = Vec::new();
        if let Some(event) = decl.event() {
            let place = self.span(event.range());
            let (name, at) = match event.name() {
                Some(name) => self.token(name),
                None => (SmolStr::default(), place),
            };
            let ty = self.ty(event.ty(), place, None);
            let local = self.bind(name.clone(), at, LocalKind::Param);
            let docs = SmolStr::default();
            let (default, stream, stream_span) = (None, false, None);
            params.push(Param { name, span: at, docs, ty, default, stream, stream_span, local });
        }
        let policies = self.policies(decl.policies());
        self.body.root = Some(self.opt_block(decl.body(), span));
        let callable = self.callable(CallableKind::Trigger, params);
        // Nobody waits for what it gives.
        let none =
            TypeRef { kind: crate::hir::TypeRefKind::Primitive("none".into()), ..callable.result };
        Callable { result: none, source, policies, ..callable }
    }

    fn prompt(&mut self, decl: ast::Prompt<'a>, span: Span) -> Callable {
        let kind = if decl.is_agent() { CallableKind::Agent } else { CallableKind::Prompt };
        self.type_params(decl.type_params());
        let params = self.params(decl.params(), ParamsOf::Other);
        let result = self.ty(decl.result(), span, decl.params());
        let does = self.effects(decl.does());
        let policies = self.policies(decl.policies());
        let mut items = Vec::with_capacity(decl.items().count());
        items.extend(decl.items().map(|item| self.prompt_item(item)));
        Callable {
            result,
            has_does: decl.does().is_some(),
            does,
            policies,
            items,
            ..self.callable(kind, params)
        }
    }

    fn prompt_item(&mut self, item: AstItem<'a>) -> PromptItem {
        let span = self.span(item.range());
        match item {
            AstItem::Model(item) => {
                let (name, place) = match item.role() {
                    Some(role) => self.token(role),
                    None => (SmolStr::default(), span),
                };
                let role = self.role(&name, place);
                let policies = self.policies(item.policies());
                PromptItem::Model { role, name, policies, span }
            }
            AstItem::Message(item) => {
                let role = match item.role() {
                    Some(ast::MessageRole::System) => MessageRole::System,
                    Some(ast::MessageRole::Assistant) => MessageRole::Assistant,
                    Some(ast::MessageRole::Messages) => MessageRole::Messages,
                    Some(ast::MessageRole::User) | None => MessageRole::User,
                };
                let expr = self.opt_expr(item.value(), span);
                PromptItem::Message { role, expr, span }
            }
            AstItem::Tools(item) => {
                let mut tools = Vec::new();
                for tool in item.tools() {
                    let place = self.span(tool.range());
                    let path = tool.path();
                    tools.push(Tool {
                        target: path.and_then(|path| self.callable_path(path)),
                        path: path.map(|path| path.to_text().into()).unwrap_or_default(),
                        path_span: path.map_or(place, |path| self.span(path.range())),
                        policies: self.policies(tool.policies()),
                        span: place,
                    });
                }
                PromptItem::Tools { tools, span }
            }
        }
    }

    fn role(&mut self, name: &SmolStr, span: Span) -> Option<DefId> {
        if name.is_empty() {
            return None;
        }
        let Some(def) = self.names.value(self.module, name) else {
            self.unknown_role(name, span);
            return None;
        };
        let head = self.names.head(def)?;
        if head.damaged {
            return None;
        }
        if head.kind != HeadKind::Model {
            let finding = Diagnostic::new(
                Code::UnknownRole,
                span,
                format!("`{name}` is {}, not a model role", head.noun),
            )
            .label(head.name_span, "declared here");
            self.report(finding);
            return None;
        }
        Some(def)
    }

    fn external(&mut self, decl: ast::Extern<'a>, span: Span) -> Callable {
        self.type_params(decl.type_params());
        let params = self.params(decl.params(), ParamsOf::Extern);
        let result = self.ty(decl.result(), span, decl.params());
        let does = self.effects(decl.does());
        let needs = decl.needs().map(|word| self.token(word));
        let from = decl.from();
        let kind: SmolStr =
            from.and_then(|from| from.kind()).map(|kind| kind.text().into()).unwrap_or_default();
        let locator: SmolStr = from
            .and_then(|from| from.locator())
            .and_then(|text| self.locator(text))
            .unwrap_or_default();
        if let Some(word) = from.and_then(|from| from.kind()) {
            let place = self.span(word.range());
            self.extern_kind(&kind, place);
        }
        let locator_span = from.and_then(|from| from.locator()).map(|text| {
            let whole = self.span(text.range());
            let quotes = self.files.slice(whole);
            let open = quotes.find('"').map_or(0, |at| at + 1);
            let inner = Span {
                start: whole.start + u32::try_from(open).unwrap_or(0),
                end: whole.end.saturating_sub(1),
                ..whole
            };
            if self.files.slice(inner) == locator { inner } else { whole }
        });
        if let Some((_, place)) = needs.as_ref().filter(|(word, _)| word != "approval") {
            self.unknown_need(*place);
        }
        self.in_extern = true;
        self.header_params = params
            .iter()
            .map(|param| {
                let is_damaged = matches!(param.ty.kind, crate::hir::TypeRefKind::Missing);
                (param.name.clone(), param.span, is_damaged)
            })
            .collect();
        let policies = self.policies(decl.policies());
        self.header_params.clear();
        self.in_extern = false;
        Callable {
            result,
            has_does: decl.does().is_some(),
            does,
            locator_span,
            needs,
            policies,
            ..self.callable(CallableKind::Extern { kind, locator }, params)
        }
    }

    /// Natives are what the standard library is made of: a program that bound them itself could leave out their
    /// effects.
    fn extern_kind(&mut self, kind: &str, span: Span) {
        if self.is_std {
            return;
        }
        match kind {
            "wasm" | "process" | "http" | "mcp" => {}
            "native" | "stable" | "trigger" => self.report(
                Diagnostic::new(
                    Code::UnknownExternKind,
                    span,
                    format!("only the standard library can declare an extern from `{kind}`"),
                )
                .help("call the function of the standard library instead"),
            ),
            _ => {
                let finding = Diagnostic::new(
                    Code::UnknownExternKind,
                    span,
                    format!("`{kind}` is not a kind of extern"),
                );
                let finding = match suggest(kind, EXTERN_KINDS.iter().copied()) {
                    Some(near) => super::unknown::did_you_mean(finding, span, near),
                    None => finding.help("use `wasm`, `process`, `http` or `mcp`"),
                };
                self.report(finding);
            }
        }
    }

    fn effects(&mut self, does: Option<ast::Does<'a>>) -> Vec<EffectRef> {
        let mut effects = Vec::new();
        for effect in does.into_iter().flat_map(ast::Does::effects) {
            let span = self.span(effect.range());
            let kind = effect.word().map(|word| word.text().into()).unwrap_or_default();
            let resource = effect.resource().map(|path| path.to_text());
            let mut resource = resource.unwrap_or_default().into_owned();
            if let Some(quoted) = effect.quoted().and_then(|text| text.constant()) {
                if !resource.is_empty() {
                    resource.push('.');
                }
                resource.push_str(&quoted);
            }
            let written = EffectRef { kind, resource: resource.into(), span };
            self.effect_word(&written);
            effects.push(written);
        }
        effects
    }

    /// An effect is one of seven words, of which two take what they read or write.
    fn effect_word(&mut self, written: &EffectRef) {
        let EffectRef { kind, resource, span } = written;
        if kind.is_empty() {
            return;
        }
        let end = span.start + u32::try_from(kind.len()).unwrap_or(0);
        let word = Span { end: end.min(span.end), ..*span };
        if !EFFECTS.contains(&kind.as_str()) {
            let finding =
                Diagnostic::new(Code::UnknownEffect, word, format!("`{kind}` is not an effect"));
            let finding = match suggest(kind, EFFECTS.iter().copied()) {
                _ if RESOURCES.contains(&kind.as_str()) => finding
                    .help(format!("say what is done with it: `read {kind}` or `write {kind}`"))
                    .guess(
                        format!("write `read {kind}`"),
                        vec![Edit::new(word, format!("read {kind}"))],
                    ),
                Some(near) => super::unknown::did_you_mean(finding, word, near),
                None => finding.help(format!("use one of `{}`", EFFECTS.join("`, `"))),
            };
            self.report(finding);
        } else if !resource.is_empty() && !matches!(kind.as_str(), "read" | "write") {
            self.report(
                Diagnostic::new(
                    Code::UnknownEffect,
                    *span,
                    format!("the effect `{kind}` cannot name a resource"),
                )
                .here(format!("`{resource}` has no meaning here"))
                .fix(format!("write `{kind}`"), vec![Edit::new(*span, kind.as_str())]),
            );
        }
    }

    /// What an extern may need is one word.
    fn unknown_need(&mut self, span: Span) {
        let finding =
            Diagnostic::new(Code::UnknownNeed, span, "`needs` of an extern takes only `approval`");
        self.report(super::unknown::did_you_mean(finding, span, "approval"));
    }

    fn test(&mut self, decl: ast::Test<'a>) -> Test {
        self.in_test = true;
        let policies = self.policies(decl.policies());
        let mut items = Vec::with_capacity(decl.items().count());
        items.extend(decl.items().map(|item| self.test_item(item)));
        Test { policies, items }
    }

    fn test_item(&mut self, item: AstTestItem<'a>) -> TestItem {
        let span = self.span(item.range());
        match item {
            AstTestItem::Stub(stub) => TestItem::Stub(self.stub(stub, span)),
            AstTestItem::Expect(expect) => {
                let expr = self.opt_expr(expect.condition(), span);
                TestItem::Expect { expr, span }
            }
            AstTestItem::Let(stmt) => TestItem::Stmt(self.let_stmt(stmt)),
            AstTestItem::Expr(expr) => TestItem::Stmt(Stmt::Expr(self.expr(expr))),
        }
    }

    fn stub(&mut self, stub: ast::Stub<'a>, span: Span) -> Stub {
        let path = stub.path();
        let path_span = path.map_or(span, |path| self.span(path.range()));
        let form = path.filter(|_| !stub.is_approve()).and_then(|path| self.stubbed_form(path));
        let target = path.filter(|_| form.is_none()).and_then(|path| self.callable_path(path));
        let mark = self.locals.mark();
        let mut params = list_for(stub.args());
        for arg in stub.args().into_iter().flat_map(ast::PatArgs::args) {
            let place = self.span(arg.range());
            let name = arg.name().map(|name| name.text().into());
            let pat = self.opt_pattern(arg.pattern(), place, LocalKind::Pattern);
            params.push((name, pat, place));
        }
        let mut outcomes = Vec::with_capacity(stub.outcomes().count());
        for outcome in stub.outcomes() {
            let place = self.span(outcome.range());
            let value = self.body_expr(outcome.body(), place);
            let after = outcome.after().map_or(0, |after| self.after(after));
            outcomes.push((value, after));
        }
        self.locals.leave(mark);
        Stub {
            approve: stub.is_approve(),
            target,
            form,
            path: path.map(|path| path.to_text().into()).unwrap_or_default(),
            path_span,
            params,
            outcomes,
            span,
        }
    }

    /// `ask` or `choose`, unless the file has something else of that name.
    fn stubbed_form(&mut self, path: ast::Path<'a>) -> Option<Builtin> {
        let mut segments = path.segments();
        let (first, None) = (segments.next()?, segments.next()) else { return None };
        match self.lower_name(first.text()) {
            Lower::Form(form) if forms::is_asked(form) => Some(form),
            _ => None,
        }
    }

    fn after(&mut self, number: ast::NumberExpr<'a>) -> i64 {
        let span = self.span(number.range());
        let text = number.token().map_or("", |token| token.text());
        match self.number(text, false, span) {
            Some(Literal::Duration(nanos)) => nanos,
            Some(_) => {
                self.report(
                    Diagnostic::new(
                        Code::OtherLiteral,
                        span,
                        format!("`after` needs a duration, found `{text}`"),
                    )
                    .help("write a unit, such as `after 5s`"),
                );
                0
            }
            None => 0,
        }
    }

    /// Constants that need themselves, directly or through others and functions.
    pub(super) fn const_cycles(&mut self, hir: &crate::hir::Hir, traces: &[Trace]) {
        let is_const = |def: DefId| {
            hir.defs.get(def.index()).is_some_and(|def| matches!(def.kind, DefKind::Const { .. }))
        };
        let consts = (0u32..).map(DefId).zip(traces).filter(|(def, _)| is_const(*def));
        if !consts.into_iter().any(|(_, trace)| !trace.mentions.is_empty()) {
            return;
        }
        let of =
            |def: usize| traces.get(def).map(|trace| trace.mentions.as_slice()).unwrap_or_default();
        let groups = Groups::of(hir.defs.len(), |def, nth| of(def).get(nth).map(|(to, _)| *to));
        let mut found = Vec::new();
        for group in groups.iter() {
            let Some(first) = group.iter().copied().filter(|def| is_const(*def)).min() else {
                continue;
            };
            let inside = of(first.index()).iter().filter(|(to, _)| group.contains(to));
            let Some(edge) = inside.map(|(_, span)| *span).min() else { continue };
            let Some(def) = hir.defs.get(first.index()) else { continue };
            let finding = Diagnostic::new(
                Code::ConstCycle,
                def.name_span,
                format!("the value of the constant `{}` depends on itself", def.name),
            )
            .label(edge, "this leads back to it")
            .help("give it a value that does not depend on it");
            found.push((finding, group));
        }
        for (finding, members) in found {
            self.report(finding);
            // Whatever else is wrong with the circle follows.
            for member in members {
                if let Some(def) = hir.defs.get(member.index()) {
                    self.diagnostics.poison(def.span);
                }
            }
        }
    }
}

fn docs(text: Option<String>) -> SmolStr {
    text.map(SmolStr::from).unwrap_or_default()
}

/// Whether a part of a text is literal, or a name put into it.
fn is_text_or_name(part: &kait_syntax::strings::StrPart<'_>) -> bool {
    match part {
        kait_syntax::strings::StrPart::Text(_) => true,
        kait_syntax::strings::StrPart::Interpolation(inner) => {
            matches!(inner.expr(), Some(ast::Expr::Name(_)))
        }
    }
}
