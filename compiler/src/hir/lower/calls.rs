//! Calls: what is called, with which arguments, policies and pipes.

use kait_syntax::ast::{self, Expr as AstExpr};
use kait_syntax::{SyntaxKind, SyntaxToken, TextRange};

use super::resolve::{Lower, Upper};
use super::unknown::std_module_with;
use super::{Lowerer, forms, list_for};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Arg, ArgValue, Builtin, Callee, DefId, Expr, ExprId};
use crate::names::{HeadKind, ModuleRef};

impl<'a> Lowerer<'a> {
    /// A call; `piped` is the value that a pipe passes as the first argument.
    pub(super) fn call(&mut self, expr: ast::CallExpr<'a>, piped: Option<Piped>) -> ExprId {
        let span = self.span(expr.range());
        let callee = match expr.callee() {
            Some(callee) => self.callee(callee),
            None => Callee::Missing,
        };
        let callables = match &callee {
            Callee::Builtin(form) => forms::callable_arguments(*form),
            _ => 0,
        };
        let is_piped = piped.is_some();
        let count = expr.args().map_or(0, |args| args.args().count());
        let mut args: Vec<Arg> = Vec::with_capacity(count + usize::from(is_piped));
        if let Some(Piped { value, span }) = piped {
            args.push(Arg { name: None, value: ArgValue::Expr(value), span });
        }
        for arg in expr.args().into_iter().flat_map(ast::Args::args) {
            let lowered = if args.len() < callables { self.callable_arg(arg) } else { None };
            let lowered = match lowered {
                Some(lowered) => lowered,
                None => self.arg(arg),
            };
            args.push(lowered);
        }
        self.alloc(Expr::Call { callee, args, piped: is_piped }, span)
    }

    pub(super) fn args(&mut self, args: Option<ast::Args<'a>>) -> Vec<Arg> {
        let mut lowered = list_for(args);
        lowered.extend(args.into_iter().flat_map(ast::Args::args).map(|arg| self.arg(arg)));
        lowered
    }

    pub(super) fn policies(&mut self, policies: Option<ast::Policies<'a>>) -> Vec<Arg> {
        self.args(policies.and_then(ast::Policies::args))
    }

    fn arg(&mut self, arg: ast::Arg<'a>) -> Arg {
        let span = self.span(arg.range());
        let name = arg.name().map(|name| self.token(name));
        let value = match arg.value() {
            Some(AstExpr::Selector(selector)) => match selector.name() {
                Some(name) => {
                    let (name, place) = self.token(name);
                    ArgValue::Selector(name, place)
                }
                None => ArgValue::Expr(self.missing(span)),
            },
            Some(AstExpr::Spread(spread)) => ArgValue::Spread(self.opt_expr(spread.value(), span)),
            Some(AstExpr::List(list)) => match self.selectors(list) {
                Some(selectors) => ArgValue::Selectors(selectors),
                None => ArgValue::Expr(self.expr(AstExpr::List(list))),
            },
            value => ArgValue::Expr(self.opt_expr(value, span)),
        };
        Arg { name, value, span }
    }

    /// `[.amount, .note]`; an empty list is an ordinary one.
    fn selectors(&self, list: ast::ListExpr<'a>) -> Option<Vec<(smol_str::SmolStr, Span)>> {
        let mut selectors = Vec::new();
        for element in list.elements() {
            let AstExpr::Selector(selector) = element else { return None };
            selectors.push(self.token(selector.name()?));
        }
        (!selectors.is_empty()).then_some(selectors)
    }

    /// An argument that names something to call: `calls(refine)`, `order(f, g)`. Calls are ordinary arguments.
    fn callable_arg(&mut self, arg: ast::Arg<'a>) -> Option<Arg> {
        let span = self.span(arg.range());
        let place = arg.value().map(|value| self.span(value.range()))?;
        let def = match arg.value()? {
            AstExpr::Name(name) => {
                let token = name.name()?;
                match self.lower_name(token.text()) {
                    Lower::Def(def) => Some(def),
                    Lower::Broken => None,
                    Lower::Unknown => {
                        self.unknown_value(token.text(), place, true);
                        None
                    }
                    _ => {
                        self.not_callable(
                            place,
                            token.text(),
                            "is not a function, graph or prompt",
                            None,
                        );
                        None
                    }
                }
            }
            AstExpr::Field(field) => {
                let AstExpr::Name(base) = field.base()? else { return None };
                let (module, name) = (base.name()?, field.name()?);
                if self.locals.get(module.text()).is_some() {
                    return None;
                }
                match self.module_before_dot(module) {
                    Some(module) => self.member_value(module, name),
                    None => None,
                }
            }
            _ => return None,
        };
        let def = def.filter(|def| self.must_be_callable(*def, place));
        Some(Arg {
            name: arg.name().map(|name| self.token(name)),
            value: ArgValue::Callable(def, place),
            span,
        })
    }

    fn must_be_callable(&mut self, def: DefId, span: Span) -> bool {
        let Some(head) = self.names.head(def) else { return false };
        if head.kind == HeadKind::Callable {
            return true;
        }
        if head.kind == HeadKind::Trigger {
            if self.in_test {
                return true;
            }
            let finding = Diagnostic::new(
                Code::NotCallable,
                span,
                format!("`{}` is a trigger: only a test can call it", head.name),
            )
            .label(head.name_span, "declared here")
            .help("put what it does into a graph, and call that");
            self.report(finding);
            return false;
        }
        let (name, what, place) = (head.name.clone(), format!("is {}", head.noun), head.name_span);
        self.not_callable(span, &name, &what, Some(place));
        false
    }

    fn not_callable(&mut self, span: Span, name: &str, what: &str, declared: Option<Span>) {
        let mut finding = Diagnostic::new(
            Code::NotCallable,
            span,
            format!("`{name}` {what}: it cannot be called"),
        );
        if let Some(declared) = declared {
            finding = finding.label(declared, "declared here");
        }
        self.report(finding);
    }

    fn callee(&mut self, callee: AstExpr<'a>) -> Callee {
        match callee {
            AstExpr::Name(name) => match name.name() {
                Some(token) => self.named_callee(token),
                None => Callee::Missing,
            },
            AstExpr::UName(name) => match name.name() {
                Some(token) => self.upper_callee(token),
                None => Callee::Missing,
            },
            AstExpr::UidField(path) => match self.upper_path(path) {
                Some(Upper::Variant(def, index)) => Callee::Variant(def, index),
                Some(Upper::Type(def)) => self.type_callee(def, self.span(path.range())),
                None => Callee::Missing,
            },
            AstExpr::Field(field) => self.member_callee(field),
            AstExpr::OptField(field) => {
                let span = self.span(field.range());
                let base = self.opt_expr(field.base(), span);
                if let Some(name) = field.name() {
                    self.method(base, name, span);
                }
                Callee::Missing
            }
            AstExpr::Paren(paren) => match paren.inner() {
                Some(inner) => self.callee(inner),
                None => Callee::Missing,
            },
            other => {
                let span = self.span(other.range());
                self.expr(other);
                self.report(
                    Diagnostic::new(Code::NotCallable, span, "a value cannot be called").help(
                        "call a function, a graph, a prompt, an agent, an extern, a record or a variant",
                    ),
                );
                Callee::Missing
            }
        }
    }

    fn named_callee(&mut self, token: SyntaxToken<'_>) -> Callee {
        let (name, span) = self.token(token);
        match self.lower_name(&name) {
            Lower::Local(local) => {
                self.use_local(local);
                let place = self.body.locals.get(local.index()).map(|local| local.span);
                self.not_callable(span, &name, "is a value", place);
                Callee::Missing
            }
            Lower::Def(def) => {
                if !self.must_be_callable(def, span) {
                    return Callee::Missing;
                }
                self.mention(def, span);
                Callee::Def(def)
            }
            Lower::Form(form) => self.form(form, &name, span),
            Lower::Session | Lower::Module(_) => {
                let what = if name == "session" { "is the session" } else { "is a module" };
                self.not_callable(span, &name, what, None);
                Callee::Missing
            }
            Lower::Broken => Callee::Missing,
            Lower::Unknown => match forms::transport(&name).filter(|_| self.in_extern) {
                Some(form) => Callee::Builtin(form),
                None => {
                    self.unknown_value(&name, span, true);
                    Callee::Missing
                }
            },
        }
    }

    fn form(&mut self, form: Builtin, name: &str, span: Span) -> Callee {
        self.only_in_tests(form, name, span);
        Callee::Builtin(form)
    }

    fn upper_callee(&mut self, token: SyntaxToken<'_>) -> Callee {
        let (name, span) = self.token(token);
        let (candidates, damaged) = self.variants(&name);
        let own = self.names.scope(self.module).and_then(|scope| scope.types.get(&name)).copied();
        let def = match own {
            Some(def) => Some(def),
            None if candidates.is_empty() => self.names.type_def(self.module, &name),
            None => None,
        };
        // A record wins over a variant of its name; an enum is never called, so there the variant is meant.
        if let Some(def) = def
            && (candidates.is_empty()
                || self.names.head(def).is_some_and(|head| head.kind != HeadKind::Enum))
        {
            return self.type_callee(def, span);
        }
        if damaged || (candidates.is_empty() && self.may_be_damaged(&name)) {
            return Callee::Missing;
        }
        Callee::BareVariant { name, candidates }
    }

    fn type_callee(&mut self, def: DefId, span: Span) -> Callee {
        let Some(head) = self.names.head(def) else { return Callee::Missing };
        match head.kind {
            _ if head.damaged => Callee::Missing,
            HeadKind::Record | HeadKind::Alias => Callee::Def(def),
            _ => {
                let name = head.name.clone();
                let mut finding = Diagnostic::new(
                    Code::NotCallable,
                    span,
                    format!("`{name}` is {}: it cannot be called", head.noun),
                )
                .label(head.name_span, "declared here");
                if let Some(variant) = head.variants.first() {
                    finding =
                        finding.help(format!("write a variant of it, such as `{name}.{variant}`"));
                }
                self.report(finding);
                Callee::Missing
            }
        }
    }

    /// `base.name(…)`: a call of a module's function; values have no methods.
    fn member_callee(&mut self, field: ast::FieldExpr<'a>) -> Callee {
        let span = self.span(field.range());
        let (Some(base), Some(name)) = (field.base(), field.name()) else {
            return Callee::Missing;
        };
        let AstExpr::Name(module) = base else {
            if let AstExpr::UName(upper) = base
                && self.upper_module(upper, name, span)
            {
                return Callee::Missing;
            }
            let base = self.expr(base);
            self.method(base, name, span);
            return Callee::Missing;
        };
        let Some(module) = module.name() else { return Callee::Missing };
        let (module_name, module_span) = self.token(module);
        match self.names.module(self.module, &module_name) {
            Some(ModuleRef::Module(module)) => {
                self.module_ref(&module_name);
                self.called_modules.entry(module_name).or_insert(module_span);
                let Some(def) = self.member_value(module, name) else { return Callee::Missing };
                if !self.must_be_callable(def, self.span(name.range())) {
                    return Callee::Missing;
                }
                self.mention(def, span);
                Callee::Def(def)
            }
            Some(ModuleRef::Broken) => {
                self.module_ref(&module_name);
                Callee::Missing
            }
            None if module_name == "session" && self.locals.get("session").is_none() => {
                self.session_call(name, module_span)
            }
            None => {
                match self.lower_name(&module_name) {
                    Lower::Unknown => self.unknown_module(&module_name, module_span),
                    Lower::Broken => {}
                    _ => {
                        let base = self.expr(base);
                        self.method(base, name, span);
                    }
                }
                Callee::Missing
            }
        }
    }

    /// `JSON.parse(…)`, `Math.round(…)`: a module in upper case. Whether it was one, and was reported.
    fn upper_module(
        &mut self,
        upper: ast::UNameExpr<'a>,
        name: SyntaxToken<'a>,
        span: Span,
    ) -> bool {
        let Some(token) = upper.name() else { return false };
        let (written, at) = self.token(token);
        let lower = written.to_lowercase();
        let Some((module, source)) =
            kait_stdlib::modules().iter().find(|(module, _)| *module == lower)
        else {
            return false;
        };
        let (function, _) = self.token(name);
        let has = |function: &str| declares(source, function);
        let snake = kait_syntax::snake(&function);
        let ours = crate::names::our_member(&snake).filter(|ours| has(ours));
        let ours =
            has(&snake).then_some(snake.as_str()).or(ours).or(match (*module, snake.as_str()) {
                ("json", "parse" | "loads" | "load") => Some("decode"),
                ("json", "stringify" | "dumps" | "dump") => Some("encode"),
                _ => None,
            });
        let finding =
            Diagnostic::new(Code::UnknownModule, at, format!("there is no module `{written}`"));
        self.report(match ours {
            Some(ours) => {
                let full = format!("{module}.{ours}");
                finding
                    .help(format!("did you mean `{full}`?"))
                    .guess(format!("write `{full}`"), vec![Edit::new(span, full)])
            }
            None => super::unknown::did_you_mean(finding, at, module),
        });
        true
    }

    /// Reports `value.name(…)`, with the function that is probably meant.
    fn method(&mut self, base: ExprId, name: SyntaxToken<'_>, span: Span) {
        let (name, name_span) = self.token(name);
        if self.is_missing(base) {
            return;
        }
        let mut finding = Diagnostic::new(
            Code::NotCallable,
            name_span,
            format!("values have no methods, so `.{name}(…)` cannot be called"),
        );
        let module = self.written_module(base);
        if module == Some("list")
            && matches!(name.as_str(), "append" | "push" | "add")
            && self.names.value(self.module, &name).is_none()
            && let Some(finding) = self.added_item(&finding, base, span)
        {
            return self.report(finding);
        }
        let base = self.body.expr_spans.get(base.index()).copied();
        let own = self.names.value(self.module, &name);
        let ours = crate::names::our_member(&kait_syntax::snake(&name));
        let function = match own {
            Some(_) => Some(name.to_string()),
            None => module
                .and_then(|module| {
                    let function = [Some(name.as_str()), ours]
                        .into_iter()
                        .flatten()
                        .find(|function| std_has(module, function))?;
                    Some(format!("{module}.{function}"))
                })
                .or_else(|| std_module_with(&name).map(|module| format!("{module}.{name}"))),
        };
        finding = match (function, base) {
            (Some(function), Some(base)) => {
                let value = self.files.slice(base);
                let whole = format!("{function}({value}");
                let open = Span::new(self.file, span.start, span.end + 1);
                // `x.f()` becomes `m.f(x)`, `x.f(y)` becomes `m.f(x, y)`.
                let rest = self.files.get(self.file).and_then(|file| {
                    file.text()
                        .get(open.end as usize..)
                        .map(|rest| rest.trim_start().starts_with(')'))
                });
                let (insert, shown) = match rest {
                    Some(true) => (whole.clone(), format!("{whole})")),
                    _ => (format!("{whole}, "), format!("{whole}, …)")),
                };
                let edits = vec![Edit::new(open, insert)];
                // Only one module has a function of that name; a declaration of the file may mean something else.
                if own.is_none() {
                    finding.fix(format!("write `{shown}`"), edits)
                } else {
                    finding.guess(format!("write `{shown}`"), edits)
                }
            }
            _ => finding.help(super::unknown::foreign_function(&name).unwrap_or(
                "use a function of the module for its type, such as `list.append(xs, …)`",
            )),
        };
        self.report(finding);
    }

    /// `xs.append(x)` is `[..xs, x]`: a list with one item more.
    fn added_item(&self, finding: &Diagnostic, base: ExprId, callee: Span) -> Option<Diagnostic> {
        let tree = &self.files.get(self.file)?.tree;
        let range = TextRange::new(callee.start.into(), callee.end.into());
        let call = tree.covering_node(range).ancestors().find_map(ast::CallExpr::cast)?;
        let call = self.span(call.range());
        let value = self.files.slice(self.body.expr_spans.get(base.index()).copied()?);
        let open = Span { end: callee.end + 1, ..callee };
        let close = Span { start: call.end.checked_sub(1)?, ..call };
        let is_whole = self.files.slice(open).ends_with('(') && self.files.slice(close) == ")";
        (is_whole && open.end < close.start).then(|| {
            finding.clone().help("a list with one item more is a new list").fix(
                format!("write `[..{value}, …]`"),
                vec![Edit::new(open, format!("[..{value}, ")), Edit::new(close, "]")],
            )
        })
    }

    /// The std module for the type that a value is written with: of a literal, or of a name with a written type.
    fn written_module(&self, base: ExprId) -> Option<&'static str> {
        let of = |kind: SyntaxKind, text: &str| match kind {
            SyntaxKind::ListType => Some("list"),
            SyntaxKind::MapType => Some("map"),
            _ => match text {
                "text" => Some("text"),
                "json" => Some("json"),
                "time" => Some("time"),
                "money" => Some("money"),
                "int" | "float" => Some("math"),
                _ => None,
            },
        };
        let local = match self.body.exprs.get(base.index())? {
            Expr::List(_) => return Some("list"),
            Expr::Map(_) => return Some("map"),
            Expr::Template(_) | Expr::Literal(crate::hir::Literal::Text(_)) => return Some("text"),
            Expr::Local(local) => self.body.locals.get(local.index())?,
            _ => return None,
        };
        let tree = &self.files.get(self.file)?.tree;
        let range = TextRange::new(local.span.start.into(), local.span.end.into());
        let ty = tree.covering_node(range).ancestors().find_map(|node| {
            let param = ast::Param::cast(node).map(|param| param.ty());
            param.or_else(|| ast::Let::cast(node).map(|own| own.ty()))
        })??;
        of(ty.syntax().kind(), self.files.slice(self.span(ty.range())))
    }

    /// Whether a value is not known because of something that was reported.
    fn is_missing(&self, mut expr: ExprId) -> bool {
        loop {
            match self.body.exprs.get(expr.index()) {
                Some(Expr::Missing) | None => return true,
                Some(Expr::Call { callee: Callee::Missing, .. }) => return true,
                Some(Expr::Field { base, .. } | Expr::Index { base, .. }) => expr = *base,
                Some(_) => return false,
            }
        }
    }

    /// `e with (…)`; policies belong to a call.
    pub(super) fn with(&mut self, expr: ast::WithExpr<'a>, piped: Option<Piped>) -> ExprId {
        let span = self.span(expr.range());
        let inner = match (expr.operand(), piped) {
            (Some(operand), Some(piped)) => self.pipe_into(operand, piped),
            (operand, _) => self.opt_expr(operand, span),
        };
        let policies = self.policies(expr.policies());
        match self.body.exprs.get_mut(inner.index()) {
            // What is called was reported; how it is called follows.
            Some(Expr::Call { callee: Callee::Missing, .. }) => inner,
            Some(Expr::Call { .. }) => self.alloc(Expr::With { expr: inner, policies }, span),
            // `f() with (a: 1) with (b: 2)` is one list of policies; the whole is made after its parts.
            Some(known @ Expr::With { .. }) => {
                let mut whole = std::mem::replace(known, Expr::Missing);
                if let Expr::With { policies: known, .. } = &mut whole {
                    known.extend(policies);
                }
                self.alloc(whole, span)
            }
            Some(Expr::Missing) | None => inner,
            Some(_) => {
                let operand = expr.operand().map_or(span, |operand| self.span(operand.range()));
                let clause = expr.policies().map_or(span, |policies| self.span(policies.range()));
                self.report(
                    Diagnostic::new(
                        Code::WithOnNoCall,
                        clause,
                        "`with (…)` can only follow a call",
                    )
                    .label(operand, "this is not a call")
                    .help("put it right after the call that it is for"),
                );
                inner
            }
        }
    }

    /// `value |> f(…)`
    pub(super) fn pipe(&mut self, expr: ast::PipeExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let value = self.opt_expr(expr.value(), span);
        let place = expr.value().map_or(span, |value| self.span(value.range()));
        let Some(target) = expr.target() else { return self.missing(span) };
        let lowered = self.pipe_into(target, Piped { value, span: place });
        // The call that the pipe makes begins where its first argument does.
        if let Some(place) = self.body.expr_spans.get_mut(lowered.index()) {
            *place = span;
        }
        lowered
    }

    fn pipe_into(&mut self, target: AstExpr<'a>, piped: Piped) -> ExprId {
        let span = self.span(target.range());
        match target {
            AstExpr::Call(call) => self.call(call, Some(piped)),
            AstExpr::With(with) => self.with(with, Some(piped)),
            AstExpr::Paren(paren) => match paren.inner() {
                Some(inner) => self.pipe_into(inner, piped),
                None => self.missing(span),
            },
            AstExpr::Unary(unary) if unary.op() == Some(ast::UnaryOp::Try) => {
                match unary.operand() {
                    Some(operand) => {
                        let operand = self.pipe_into(operand, piped);
                        self.alloc(Expr::Try(operand), span)
                    }
                    None => self.missing(span),
                }
            }
            // `a |> f() ?? b`: what may be `none` is the result of the call.
            AstExpr::Coalesce(coalesce) => match coalesce.value() {
                Some(value) => {
                    let value = self.pipe_into(value, piped);
                    let fallback = self.opt_expr(coalesce.fallback(), span);
                    self.alloc(Expr::Coalesce(value, fallback), span)
                }
                None => self.missing(span),
            },
            AstExpr::Name(_) | AstExpr::Field(_) | AstExpr::UName(_) | AstExpr::UidField(_) => {
                let mut name = self.files.slice(span).to_owned();
                if matches!(self.lower_name(&name), Lower::Unknown)
                    && let Some(module) = std_module_with(&name)
                {
                    name = format!("{module}.{name}");
                }
                self.report(
                    Diagnostic::new(Code::PipeIntoNoCall, span, "`|>` must be followed by a call")
                        .help("the value before `|>` becomes the first argument of the call")
                        .fix(
                            format!("write `{name}()`"),
                            vec![Edit::new(span, format!("{name}()"))],
                        ),
                );
                self.missing(span)
            }
            _ => {
                let mut finding =
                    Diagnostic::new(Code::PipeIntoNoCall, span, "`|>` must be followed by a call")
                        .here("this is not a call");
                // `a |> f() + 1`: the call is the first operand.
                let first = match target {
                    AstExpr::Binary(binary) => binary.lhs(),
                    AstExpr::In(test) => test.item(),
                    AstExpr::Is(test) => test.operand(),
                    _ => None,
                };
                finding = match first {
                    Some(first @ (AstExpr::Call(_) | AstExpr::With(_))) => {
                        let end = self.span(first.range()).after();
                        finding.help("put the pipe in parentheses: `(value |> call()) + 1`").fix(
                            "put the pipe in parentheses",
                            vec![Edit::new(piped.span.before(), "("), Edit::new(end, ")")],
                        )
                    }
                    _ => {
                        finding.help("put a call after `|>`: the value becomes its first argument")
                    }
                };
                self.report(finding);
                self.missing(span)
            }
        }
    }
}

/// The value that a pipe passes on.
pub(super) struct Piped {
    value: ExprId,
    span: Span,
}

/// Whether a std module has a function of that name.
fn std_has(module: &str, function: &str) -> bool {
    let mut modules = kait_stdlib::modules().iter();
    modules.any(|(name, source)| *name == module && declares(source, function))
}

fn declares(source: &str, function: &str) -> bool {
    source.lines().any(|line| {
        line.strip_prefix("pub extern ")
            .and_then(|rest| rest.split(['(', '<']).next())
            .is_some_and(|name| name == function)
    })
}
