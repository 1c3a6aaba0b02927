//! "Expected this, found that": the one message for a value that does not fit its place, and what to do about it.

use super::blame::Places;
use super::infer::{BodyCx, Expect, Fit, Why};
use super::ty::{Prim, Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{DefId, DefKind, Expr, ExprId, Literal};

impl BodyCx<'_, '_> {
    /// "expected this, found that".
    pub(super) fn mismatch(&mut self, expr: ExprId, actual: Ty, expect: Expect) {
        let (actual, expected) =
            (self.resolve(actual), self.resolve(expect.ty.unwrap_or(Ty::ERROR)));
        if self.cx.interner.has_error(actual) || self.cx.interner.has_error(expected) {
            return;
        }
        let span = self.span(expr);
        let want = self.show(expected);
        if self.empty_list_for_map(expr, expected, &want) {
            return;
        }
        let found = self.show(actual);
        let mut finding =
            Diagnostic::new(Code::Mismatch, span, format!("expected `{want}`, found `{found}`"));
        finding = match expect.why {
            Why::Condition => finding.here(format!("this is `{found}`; a `bool` is needed")),
            _ => finding.here(format!("this is `{found}`")),
        };
        finding = match expect.why {
            Why::Condition => self.explain_condition(finding, actual),
            _ => self.explain(finding, expr, actual, expected),
        };
        self.mismatch_because(finding, expr, actual, expected, expect.why);
    }

    /// `[]` where a map is expected, which has an empty form of its own.
    fn empty_list_for_map(&mut self, expr: ExprId, expected: Ty, want: &str) -> bool {
        let is_map = matches!(self.kind(self.base(self.present(expected))), TyKind::Map(..));
        if !is_map || !matches!(self.node(expr), Expr::List(items) if items.is_empty()) {
            return false;
        }
        let span = self.span(expr);
        self.report(
            Diagnostic::new(
                Code::Mismatch,
                span,
                format!("expected `{want}`, found an empty list"),
            )
            .help("the empty map is `[:]`")
            .fix("write `[:]`", vec![Edit::new(span, "[:]")]),
        );
        true
    }

    /// What to write where a value is taken for true or false.
    fn explain_condition(&self, finding: Diagnostic, actual: Ty) -> Diagnostic {
        if matches!(self.kind(actual), TyKind::Optional(_)) {
            return match self.base(self.present(actual)) {
                Ty::BOOL => finding.help("say what counts if it is `none`: `(value ?? false)`"),
                _ => finding.help("compare it: `value != none`"),
            };
        }
        match self.kind(self.base(actual)) {
            TyKind::Prim(Prim::Int | Prim::Float) => finding.help("compare it, such as `n > 0`"),
            TyKind::Prim(Prim::Text) => finding.help("compare it, such as `s != \"\"`"),
            TyKind::List(_) => finding.help("compare its length: `list.length(xs) > 0`"),
            TyKind::Map(..) => finding.help("compare its length: `map.length(m) > 0`"),
            TyKind::Named(def, _) if Some(*def) == self.cx.lang.result => {
                finding.help("ask whether it is `Ok`: `value is Ok`")
            }
            TyKind::Named(..) => finding.help("ask for a variant with `is`, or compare it"),
            _ => finding,
        }
    }

    /// Adds what to do about a misfit.
    fn explain(
        &mut self,
        finding: Diagnostic,
        expr: ExprId,
        actual: Ty,
        expected: Ty,
    ) -> Diagnostic {
        let span = self.span(expr);
        let want = self.show(expected);
        let present = self.present(actual);
        if self.present(expected) == Ty::SECRET {
            return finding.help(
                "declare it with `secret name` at the top of the file; its value comes from outside of the program",
            );
        }
        if matches!(self.kind(actual), TyKind::Optional(_))
            && !matches!(self.kind(expected), TyKind::Optional(_))
            && self.fit(present, expected) != Fit::No
        {
            return finding
                .note("the value may be `none`")
                .help("give another value with `?? value`, stop with `?? fail \"why\"`, or use `match`")
                .guess(
                    "fail if it is `none`",
                    vec![Edit::new(span.after(), " ?? fail \"missing\"")],
                );
        }
        if let TyKind::Refined { alias: Some(alias), base, .. } =
            self.cx.interner.kind(self.present(expected)).clone()
            && self.fit(actual, base) != Fit::No
        {
            let name = self.cx.hir.defs.get(alias.index()).map_or("", |def| def.name.as_str());
            return finding.help(format!("`{name}(…)` checks a value and makes it one")).fix(
                format!("wrap it in `{name}(…)`"),
                vec![Edit::new(span.before(), format!("{want}(")), Edit::new(span.after(), ")")],
            );
        }
        if let Some(finding) = self.explain_unit(&finding, expr, expected) {
            return finding;
        }
        if let Some(finding) = self.explain_text(&finding, expr, actual, expected) {
            return finding;
        }
        match (self.prim(actual), self.prim(self.present(expected))) {
            (Some(Prim::Int), Some(Prim::Float)) => finding
                .note("only a number written in the code, such as `2`, becomes a `float` by itself")
                .fix(
                    "convert it with `math.to_float`",
                    vec![Edit::new(span.before(), "math.to_float("), Edit::new(span.after(), ")")],
                ),
            (Some(Prim::Float), Some(Prim::Int)) => {
                finding.help("round it: `math.round(…)`, `math.floor(…)` or `math.ceil(…)`")
            }
            (Some(Prim::Json), _) => finding.help("give it a type: `let value: Type = …`"),
            (
                Some(
                    Prim::Int
                    | Prim::Float
                    | Prim::Bool
                    | Prim::Money
                    | Prim::Time
                    | Prim::Duration
                    | Prim::Size,
                ),
                Some(Prim::Text),
            ) => finding.help("put it into a text: `\"${…}\"`").guess(
                "put it into a text",
                vec![Edit::new(span.before(), "\"${"), Edit::new(span.after(), "}\"")],
            ),
            (Some(Prim::Text), Some(Prim::Int | Prim::Float)) if self.literal(expr).is_some() => {
                finding.help("write a number, without quotes")
            }
            (Some(Prim::Text), Some(Prim::Int)) => {
                finding.help("read the text as a number: `text.to_int(…) ?? 0`")
            }
            (Some(Prim::Text), Some(Prim::Float)) => {
                finding.help("read the text as a number: `text.to_float(…) ?? 0.0`")
            }
            (Some(Prim::Text), Some(Prim::Time)) => {
                finding.help("read a point in time with `time.parse(…)`")
            }
            _ => self.explain_shape(finding, expr, actual, expected),
        }
    }

    /// A text that says a number or a variant, and an enum where a text is expected.
    fn explain_text(
        &self,
        finding: &Diagnostic,
        expr: ExprId,
        actual: Ty,
        expected: Ty,
    ) -> Option<Diagnostic> {
        let span = self.span(expr);
        let expected = self.present(expected);
        let variants = |ty: Ty| match self.kind(ty) {
            TyKind::Named(def, _) => match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
                Some(DefKind::Enum(declared)) => Some(&declared.variants),
                _ => None,
            },
            _ => None,
        };
        if self.prim(expected) == Some(Prim::Text)
            && variants(actual).is_some_and(|all| all.iter().all(|one| one.fields.is_empty()))
        {
            return Some(finding.clone().help("a template makes it a text: `\"${…}\"`").guess(
                "put it into a template",
                vec![Edit::new(span.before(), "\"${"), Edit::new(span.after(), "}\"")],
            ));
        }
        let Literal::Text(text) = self.literal(expr)? else { return None };
        if let Some(variants) = variants(expected) {
            let said = kait_syntax::upper_camel(&text);
            let variant = variants
                .iter()
                .find(|one| one.fields.is_empty() && (one.name == *text || one.name == said))?;
            let name = variant.name.clone();
            return Some(
                finding
                    .clone()
                    .help("a variant is written without quotes")
                    .guess(format!("write `{name}`"), vec![Edit::new(span, name.as_str())]),
            );
        }
        let is_number = match self.prim(expected)? {
            Prim::Int => text.parse::<i64>().is_ok(),
            Prim::Float => {
                text.parse::<f64>().is_ok_and(f64::is_finite) && !text.contains(['e', 'E'])
            }
            _ => return None,
        };
        Some(if is_number {
            finding
                .clone()
                .help("a number is written without quotes")
                .guess(format!("write `{text}`"), vec![Edit::new(span, text.as_str())])
        } else {
            finding.clone()
        })
    }

    /// A number where something with a unit is expected.
    fn explain_unit(&self, finding: &Diagnostic, expr: ExprId, expected: Ty) -> Option<Diagnostic> {
        let Literal::Int(_) = self.literal(expr)? else { return None };
        let (help, unit) = match self.prim(self.present(expected))? {
            Prim::Duration => ("write a unit after the number: `ms`, `s`, `m`, `h` or `d`", "s"),
            Prim::Size => ("write a unit after the number: `kb`, `mb` or `gb`", "kb"),
            Prim::Money => ("write a currency after the number, such as `5usd`", "usd"),
            _ => return None,
        };
        let edit = Edit::new(self.span(expr).after(), unit);
        Some(finding.clone().help(help).guess(format!("write the unit `{unit}`"), vec![edit]))
    }

    fn explain_shape(
        &mut self,
        finding: Diagnostic,
        expr: ExprId,
        actual: Ty,
        expected: Ty,
    ) -> Diagnostic {
        let span = self.span(expr);
        if let TyKind::List(item) = self.kind(self.present(expected)) {
            let item = *item;
            if actual == Ty::BOOL && matches!(self.node(expr), Expr::In(..) | Expr::Binary(..)) {
                return finding.help(
                    "`|>` comes after everything in front of it: put the list and what follows it in parentheses",
                );
            }
            if !matches!(self.kind(actual), TyKind::List(_)) && self.fit(actual, item) != Fit::No {
                return finding.guess(
                    "make it a list of one item",
                    vec![Edit::new(span.before(), "["), Edit::new(span.after(), "]")],
                );
            }
        }
        if let TyKind::List(item) = *self.kind(actual)
            && matches!(self.node(expr), Expr::For { .. })
            && self.fit(item, expected) != Fit::No
        {
            let sums = matches!(
                self.prim(expected),
                Some(Prim::Int | Prim::Float | Prim::Money | Prim::Duration)
            );
            let finding = finding.note("a `for` gives a list: one value for each round");
            return if sums {
                finding.help("add them up with `list.sum(…)`, or carry one value through a `loop`")
            } else if self.prim(expected) == Some(Prim::Text) {
                finding.help("join them: `text.join(…, with: \", \")`")
            } else if expected == Ty::NONE {
                finding
            } else {
                finding.help(
                    "take one of them with `list.first(…)`, or carry one value through a `loop`",
                )
            };
        }
        if let TyKind::Named(def, args) = self.kind(actual)
            && Some(*def) == self.cx.lang.result
            && let Some(inner) = args.first().copied()
            && self.fit(inner, expected) != Fit::No
        {
            if let Expr::Catch { body, .. } = self.node(expr)
                && let Expr::Try(inner) = self.node(*body)
            {
                let word = Span { end: self.span(*inner).start, ..self.span(*body) };
                return finding
                    .note("after `try` no failure is left to catch")
                    .help("leave out `try`: `catch` handles the failure")
                    .fix("remove `try`", vec![Edit::new(word, "")]);
            }
            return finding.help("use `match`: `Ok(value) => …`, `Failed(failure) => …`");
        }
        if expected == Ty::NONE {
            return finding.help("end the block with `none`: the value is not used");
        }
        if actual == Ty::NONE && self.literal(expr).is_some() {
            return finding.help("make the type optional (`T?`) if there may be no value");
        }
        if actual == Ty::NONE {
            return finding.note("what is called for its effect gives `none`");
        }
        finding
    }

    /// Points at what decided the expected type, and reports one cause once.
    fn mismatch_because(
        &mut self,
        finding: Diagnostic,
        expr: ExprId,
        actual: Ty,
        expected: Ty,
        why: Why,
    ) {
        // Either what the value comes from was meant to be of the expected type, or what expects it of the value's.
        let given = self.origins(expr);
        let mut wanted = Places::new();
        match why {
            Why::Declared(place) => wanted.push(place),
            Why::Result(def) => wanted.push(self.result_span(def)),
            Why::Because(other) | Why::Branch(other) => wanted.extend(self.origins(other)),
            Why::State(local, first) => {
                wanted.extend(self.body.locals.get(local.index()).map(|local| local.span));
                wanted.extend(self.origins(first));
            }
            Why::Nothing | Why::Annotation(_) | Why::Condition => {}
        }
        if self.both_blamed((&given, expected), (&wanted, actual)) {
            return;
        }
        let finding = match why {
            Why::Nothing | Why::Condition => finding,
            Why::Because(other) | Why::State(_, other) => {
                let shown = self.cx.show(expected, self.module);
                finding.label(self.span(other), format!("this one is `{shown}`"))
            }
            Why::Branch(other) => {
                let shown = self.cx.show(expected, self.module);
                finding
                    .label(self.span(other), format!("this one is `{shown}`"))
                    .note("all branches must give values of one type")
            }
            Why::Annotation(place) => finding.label(place, "the type is written here"),
            Why::Declared(place) => finding.label(place, "declared here"),
            Why::Result(def) => {
                let place = self.result_span(def);
                let name = self.cx.hir.defs.get(def.index()).map_or("", |def| def.name.as_str());
                finding.label(place, format!("the result type of `{name}`"))
            }
        };
        self.report(finding);
    }

    fn result_span(&self, def: DefId) -> Span {
        match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => callable.result.span,
            _ => self.owner_span(),
        }
    }
}
