//! Operators: the one table of which operands each takes and what it gives.

use super::infer::{BodyCx, Expect, Fit, Why};
use super::ty::{Prim, Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Edit, Span, names_of};
use crate::hir::{BinaryOp, Def, DefKind, Expr, ExprId, Literal, TemplatePart, UnaryOp};

impl BodyCx<'_, '_> {
    pub(super) fn unary(&mut self, e: ExprId, op: UnaryOp, inner: ExprId, expect: Expect) -> Ty {
        match op {
            UnaryOp::Not => {
                self.expr(inner, Expect::of(Ty::BOOL, Why::Condition));
                Ty::BOOL
            }
            UnaryOp::Neg => {
                // A literal with its sign is a literal: bounds are checked against the whole.
                if let Some(value) = self.literal(e) {
                    let ty = super::exprs::literal_ty(&value);
                    self.set(inner, ty);
                    return self.fit_literal(e, &value, ty, expect);
                }
                let ty = self.expr(inner, Expect::ANY);
                match self.prim(ty) {
                    Some(Prim::Int | Prim::Float | Prim::Money | Prim::Duration) => self.base(ty),
                    _ => {
                        self.bad_operand(e, "-", inner, ty, "a number, an amount or a duration");
                        Ty::ERROR
                    }
                }
            }
        }
    }

    pub(super) fn binary(
        &mut self,
        e: ExprId,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        expect: Expect,
    ) -> Ty {
        if self.is_secret_name(left) && self.is_secret_name(right) {
            // One mistake, not two.
            self.expr(right, Expect::ERROR);
            self.expr(left, Expect::ANY);
            return Ty::ERROR;
        }
        match op {
            BinaryOp::And | BinaryOp::Or => {
                self.expr(left, Expect::of(Ty::BOOL, Why::Condition));
                self.expr(right, Expect::of(Ty::BOOL, Why::Condition));
                Ty::BOOL
            }
            BinaryOp::Eq | BinaryOp::Ne => self.equality(e, left, right),
            BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                self.comparison(e, op, left, right)
            }
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem => {
                self.arithmetic(e, op, left, right, expect)
            }
        }
    }

    // ---- equality and order ----

    fn equality(&mut self, e: ExprId, left: ExprId, right: ExprId) -> Ty {
        let (a, b) = self.both(left, right);
        if self.is_error(a) || self.is_error(b) {
            return Ty::BOOL;
        }
        if self.converted(left, right, a, b) || self.never_none(e, left, right, a, b) {
            return Ty::BOOL;
        }
        if self.join(a, b).is_none() {
            self.incomparable(e, left, right, a, b);
        }
        Ty::BOOL
    }

    /// `x == none` where `x` is always there: whether it was reported, or follows from what was.
    fn never_none(&mut self, e: ExprId, left: ExprId, right: ExprId, a: Ty, b: Ty) -> bool {
        let (value, ty) = match (self.literal(left), self.literal(right)) {
            (_, Some(Literal::None)) => (left, self.shallow(a)),
            (Some(Literal::None), _) => (right, self.shallow(b)),
            _ => return false,
        };
        match self.kind(ty) {
            TyKind::Optional(_) | TyKind::Var(_) | TyKind::Error | TyKind::Never => return false,
            _ if self.base(ty) == Ty::NONE => return false,
            _ => {}
        }
        let places = self.origins(value);
        if self.blamed(&places, Ty::ERROR) {
            return true;
        }
        let shown = self.show(ty);
        self.report(
            Diagnostic::new(
                Code::NeverNone,
                self.span(e),
                format!("this is never `none`, because it is `{shown}`"),
            )
            .label(self.span(value), format!("this is `{shown}`, there is always a value")),
        );
        true
    }

    /// Both operands, each side's type being what the other's bare variants and literals mean.
    fn both(&mut self, left: ExprId, right: ExprId) -> (Ty, Ty) {
        if self.needs_context(left) && !self.needs_context(right) {
            let b = self.expr(right, Expect::ANY);
            let a = self.operand(left, b);
            return (a, b);
        }
        let a = self.expr(left, Expect::ANY);
        let b = self.operand(right, a);
        (a, b)
    }

    /// An operand whose bare names mean variants of the other operand's type.
    fn operand(&mut self, e: ExprId, other: Ty) -> Ty {
        if !self.needs_context(e) {
            return self.expr(e, Expect::ANY);
        }
        let present = self.present(other);
        let wanted = self.base(present);
        if self.is_error(wanted) {
            return self.expr(e, Expect::ERROR);
        }
        // Only a hint: what does not fit is said by the operator.
        let hinted = match self.node(e) {
            Expr::List(_) | Expr::Map(_) => {
                matches!(self.kind(wanted), TyKind::List(_) | TyKind::Map(..))
            }
            _ => matches!(self.kind(wanted), TyKind::Named(..)),
        };
        if hinted {
            self.expr(e, Expect::of(wanted, Why::Nothing))
        } else {
            self.expr(e, Expect::ANY)
        }
    }

    fn needs_context(&self, e: ExprId) -> bool {
        match self.node(e) {
            Expr::BareVariant { .. } | Expr::List(_) | Expr::Map(_) => true,
            Expr::Call { callee, .. } => matches!(callee, crate::hir::Callee::BareVariant { .. }),
            _ => false,
        }
    }

    /// An integer literal beside a float is a float.
    fn converted(&mut self, left: ExprId, right: ExprId, a: Ty, b: Ty) -> bool {
        let (x, y) = (self.base(self.present(a)), self.base(self.present(b)));
        if x == Ty::FLOAT && y == Ty::INT && self.int_literal(right).is_some() {
            self.adapt(right, Ty::FLOAT);
            return true;
        }
        if x == Ty::INT && y == Ty::FLOAT && self.int_literal(left).is_some() {
            self.adapt(left, Ty::FLOAT);
            return true;
        }
        false
    }

    fn incomparable(&mut self, e: ExprId, left: ExprId, right: ExprId, a: Ty, b: Ty) {
        if self.blamed_sides(left, right, b, a) {
            return;
        }
        let (x, y) = (self.show(a), self.show(b));
        let mut finding = Diagnostic::new(
            Code::BadOperands,
            self.span(e),
            format!("`{x}` and `{y}` are never equal"),
        )
        .label(self.span(left), format!("this is `{x}`"))
        .label(self.span(right), format!("this is `{y}`"));
        finding = self.number_help(finding, left, right, a, b);
        finding = self.text_help(finding, a, b);
        self.report(finding);
    }

    fn comparison(&mut self, e: ExprId, op: BinaryOp, left: ExprId, right: ExprId) -> Ty {
        let (a, b) = self.both(left, right);
        if self.is_error(a) || self.is_error(b) {
            return Ty::BOOL;
        }
        if self.converted(left, right, a, b) {
            return Ty::BOOL;
        }
        let (x, y) = (self.base(a), self.base(b));
        if self.opened(x, y) || (x == y && self.ordered(x)) {
            return Ty::BOOL;
        }
        self.bad_operands(e, symbol(op), left, right, a, b);
        Ty::BOOL
    }

    /// An operand whose type nobody has said yet is of the other's.
    fn opened(&mut self, a: Ty, b: Ty) -> bool {
        let open = |cx: &Self, ty| matches!(cx.kind(ty), TyKind::Var(_));
        (open(self, a) || open(self, b)) && self.fit(a, b) == Fit::Yes
    }

    /// Whether values of the type have an order: numbers, times, texts, and enums by declaration.
    pub(super) fn ordered(&self, ty: Ty) -> bool {
        match self.kind(ty) {
            TyKind::Prim(prim) => matches!(
                prim,
                Prim::Int
                    | Prim::Float
                    | Prim::Money
                    | Prim::Time
                    | Prim::Duration
                    | Prim::Size
                    | Prim::Text
            ),
            TyKind::Named(def, _) => matches!(
                self.cx.hir.defs.get(def.index()).map(|def| &def.kind),
                Some(DefKind::Enum(_))
            ),
            TyKind::Error | TyKind::Never | TyKind::Var(_) => true,
            _ => false,
        }
    }

    // ---- arithmetic ----

    fn arithmetic(
        &mut self,
        e: ExprId,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        expect: Expect,
    ) -> Ty {
        // A chain of sums that begins with texts is one text: the outermost `+` says so.
        let outer = self.sum_above;
        self.sum_above = op == BinaryOp::Add;
        let a = self.expr(left, Expect::ANY);
        self.sum_above = false;
        let b = self.expr(right, Expect::ANY);
        self.sum_above = outer;
        if self.is_error(a) || self.is_error(b) {
            return Ty::ERROR;
        }
        if a == Ty::NEVER || b == Ty::NEVER {
            return Ty::NEVER;
        }
        let (base_a, base_b) = (self.base(a), self.base(b));
        self.opened(base_a, base_b);
        let (x, y) = (self.prim(a), self.prim(b));
        if let (Some(x), Some(y)) = (x, y) {
            // An integer literal serves where a float is expected, beside one included.
            let (x, y) = match (x, y) {
                (Prim::Int, Prim::Float) if self.int_literal(left).is_some() => {
                    self.adapt(left, Ty::FLOAT);
                    (Prim::Float, y)
                }
                (Prim::Float, Prim::Int) if self.int_literal(right).is_some() => {
                    self.adapt(right, Ty::FLOAT);
                    (x, Prim::Float)
                }
                other => other,
            };
            if let Some(result) = table(op, x, y) {
                self.literal_fault(e, op, left, right);
                return self.float_sum(left, right, result, expect);
            }
        }
        if op == BinaryOp::Add && self.text_plus(e, left, right, a, b) {
            return if self.sum_above { Ty::TEXT } else { Ty::ERROR };
        }
        self.bad_operands(e, symbol(op), left, right, a, b);
        Ty::ERROR
    }

    /// `1 / 2` where a float is expected: literals on both sides serve as floats.
    fn float_sum(&mut self, left: ExprId, right: ExprId, result: Prim, expect: Expect) -> Ty {
        if result == Prim::Int
            && let Some(expected) = expect.ty
            && self.base(self.present(expected)) == Ty::FLOAT
            && self.int_literal(left).is_some()
            && self.int_literal(right).is_some()
        {
            self.adapt(left, Ty::FLOAT);
            self.adapt(right, Ty::FLOAT);
            return Ty::FLOAT;
        }
        result.ty()
    }

    /// What surely traps, in the text already.
    fn literal_fault(&mut self, e: ExprId, op: BinaryOp, left: ExprId, right: ExprId) {
        let (a, b) = (self.literal(left), self.literal(right));
        let finding = match (op, a, b) {
            (BinaryOp::Div | BinaryOp::Rem, _, Some(zero)) if is_zero(&zero) => {
                Diagnostic::new(Code::AlwaysTraps, self.span(right), "this divides by zero")
                    .here("this is zero")
            }
            (
                BinaryOp::Add | BinaryOp::Sub,
                Some(Literal::Money(_, one)),
                Some(Literal::Money(_, other)),
            ) if one != other => Diagnostic::new(
                Code::AlwaysTraps,
                self.span(e),
                "amounts in two currencies cannot be used together",
            )
            .help("convert one of them: `money.convert(…, to:, rate:)`"),
            (op, Some(Literal::Int(a)), Some(Literal::Int(b))) => {
                let result = match op {
                    BinaryOp::Add => a.checked_add(b),
                    BinaryOp::Sub => a.checked_sub(b),
                    BinaryOp::Mul => a.checked_mul(b),
                    _ => Some(0),
                };
                if result.is_some() {
                    return;
                }
                Diagnostic::new(
                    Code::AlwaysTraps,
                    self.span(e),
                    "the result does not fit into an `int`, which has 64 bits",
                )
            }
            _ => return,
        };
        self.report(finding);
    }

    // ---- messages ----

    /// Whether what either operand comes from already has the blame; the types are those that they could be meant to
    /// have.
    fn blamed_sides(&mut self, left: ExprId, right: ExprId, left_ty: Ty, right_ty: Ty) -> bool {
        // What is wrong inside may come from the same misunderstanding.
        if [left, right].iter().any(|side| self.cx.sink.has_error_in(self.span(*side))) {
            return true;
        }
        let (a, b) = (self.origins(left), self.origins(right));
        self.both_blamed((&a, left_ty), (&b, right_ty))
    }

    fn bad_operand(&mut self, e: ExprId, op: &str, operand: ExprId, ty: Ty, wanted: &str) {
        if matches!(self.shallow(ty), Ty::ERROR | Ty::NEVER) {
            return;
        }
        let places = self.origins(operand);
        if self.blamed(&places, Ty::ERROR) {
            return;
        }
        let shown = self.show(ty);
        self.report(
            Diagnostic::new(
                Code::BadOperands,
                self.span(e),
                format!("`{op}` needs {wanted}, found `{shown}`"),
            )
            .label(self.span(operand), format!("this is `{shown}`")),
        );
    }

    fn bad_operands(&mut self, e: ExprId, op: &str, left: ExprId, right: ExprId, a: Ty, b: Ty) {
        if a == Ty::NEVER || b == Ty::NEVER {
            return;
        }
        let compares = matches!(op, "<" | "<=" | ">" | ">=");
        let (left_wanted, right_wanted) = if compares { (b, a) } else { (Ty::ERROR, Ty::ERROR) };
        if self.blamed_sides(left, right, left_wanted, right_wanted) {
            return;
        }
        for (operand, ty) in [(left, a), (right, b)] {
            if let TyKind::Optional(_) = self.kind(ty) {
                let shown = self.show(ty);
                let span = self.span(operand);
                self.report(
                    Diagnostic::new(
                        Code::MaybeNone,
                        span,
                        format!("`{op}` cannot be used: the value may be `none`"),
                    )
                    .here(format!("this is `{shown}`"))
                    .help("give another value: `(value ?? other)`"),
                );
                return;
            }
        }
        let (x, y) = (self.show(a), self.show(b));
        let finding = Diagnostic::new(
            Code::BadOperands,
            self.span(e),
            format!("`{op}` cannot be used with `{x}` and `{y}`"),
        )
        .label(self.span(left), format!("this is `{x}`"))
        .label(self.span(right), format!("this is `{y}`"));
        let finding = self.tried_operand(finding, left, right);
        let finding = self.number_help(finding, left, right, a, b);
        let finding = if compares { self.text_help(finding, a, b) } else { finding };
        let finding = match (op, self.kind(a), self.kind(b)) {
            ("+", TyKind::List(_), TyKind::List(_)) => {
                let (at, to) = (self.span(left), self.span(right));
                let between = Span { start: at.end, end: to.start, ..at };
                finding.fix(
                    "write one list of both",
                    vec![
                        Edit::new(at.before(), "[.."),
                        Edit::new(between, ", .."),
                        Edit::new(to.after(), "]"),
                    ],
                )
            }
            _ => self.operand_help(finding, op, (left, a), (right, b)),
        };
        self.report(finding);
    }

    /// What to write instead of an operator that does not take these.
    fn operand_help(
        &self,
        finding: Diagnostic,
        op: &str,
        (left, a): (ExprId, Ty),
        (right, b): (ExprId, Ty),
    ) -> Diagnostic {
        let (at, to) = (self.span(left), self.span(right));
        let between = Span { start: at.end, end: to.start, ..at };
        let compares = matches!(op, "<" | "<=" | ">" | ">=");
        match (op, self.kind(self.base(a)), self.kind(self.base(b))) {
            ("+", TyKind::List(_), _) => finding.help("add an item: `[..list, item]`").guess(
                "add it as an item",
                vec![
                    Edit::new(at.before(), "[.."),
                    Edit::new(between, ", "),
                    Edit::new(to.after(), "]"),
                ],
            ),
            ("+", _, TyKind::List(_)) => finding.help("add an item: `[item, ..list]`").guess(
                "add it as an item",
                vec![
                    Edit::new(at.before(), "["),
                    Edit::new(between, ", .."),
                    Edit::new(to.after(), "]"),
                ],
            ),
            ("*", TyKind::Prim(Prim::Text), TyKind::Prim(Prim::Int)) => {
                finding.help("write a text several times with `text.repeat(s, n)`")
            }
            (_, TyKind::Prim(Prim::Text), TyKind::Prim(Prim::Int)) if compares => finding.help(
                "compare its length, `text.length(s)`, or read it as a number, `text.to_int(s)`",
            ),
            (_, TyKind::List(_), TyKind::Prim(Prim::Int)) if compares => {
                finding.help("compare its length: `list.length(xs)`")
            }
            (_, TyKind::Prim(with_unit), TyKind::Prim(Prim::Int)) => {
                self.unit_help(finding, op, *with_unit, right)
            }
            (_, TyKind::Prim(Prim::Int), TyKind::Prim(with_unit)) => {
                self.unit_help(finding, op, *with_unit, left)
            }
            _ => finding,
        }
    }

    /// `try a / b`: `try` takes the first operand alone.
    fn tried_operand(&self, finding: Diagnostic, left: ExprId, right: ExprId) -> Diagnostic {
        let Expr::Try(inner) = self.node(left) else { return finding };
        finding.help("`try` takes only the value right after it: write `try (a + b)`").fix(
            "put the whole in parentheses",
            vec![
                Edit::new(self.span(*inner).before(), "("),
                Edit::new(self.span(right).after(), ")"),
            ],
        )
    }

    /// A number beside something with a unit needs one, too.
    fn unit_help(
        &self,
        finding: Diagnostic,
        op: &str,
        with_unit: Prim,
        number: ExprId,
    ) -> Diagnostic {
        let (example, unit) = match with_unit {
            Prim::Duration => ("5s", "s"),
            Prim::Size => ("5kb", "kb"),
            Prim::Money => ("5usd", "usd"),
            _ => return finding,
        };
        if matches!(op, "*" | "/" | "%") {
            return finding;
        }
        let finding = finding.help(format!("give the number a unit, such as `{example}`"));
        match self.literal(number) {
            Some(Literal::Int(_)) => {
                let edit = Edit::new(self.span(number).after(), unit);
                finding.guess(format!("write the unit `{unit}`"), vec![edit])
            }
            _ => finding,
        }
    }

    fn number_help(
        &mut self,
        finding: Diagnostic,
        left: ExprId,
        right: ExprId,
        a: Ty,
        b: Ty,
    ) -> Diagnostic {
        let int = match (self.prim(a), self.prim(b)) {
            (Some(Prim::Int), Some(Prim::Float)) => left,
            (Some(Prim::Float), Some(Prim::Int)) => right,
            _ => return finding,
        };
        let span = self.span(int);
        finding
            .note("only a number written in the code, such as `2`, becomes a `float` by itself")
            .fix(
                "convert it with `math.to_float`",
                vec![Edit::new(span.before(), "math.to_float("), Edit::new(span.after(), ")")],
            )
    }

    /// A text beside an enum or a number: often what a model wrote, which should have been asked for as that.
    fn text_help(&self, finding: Diagnostic, a: Ty, b: Ty) -> Diagnostic {
        let other = match (self.prim(a), self.prim(b)) {
            (Some(Prim::Text), _) => b,
            (_, Some(Prim::Text)) => a,
            _ => return finding,
        };
        match self.kind(self.base(other)) {
            TyKind::Prim(Prim::Int) => {
                finding.help("`text.to_int` gives the number that a text spells, or `none`")
            }
            TyKind::Prim(Prim::Float) => {
                finding.help("`text.to_float` gives the number that a text spells, or `none`")
            }
            TyKind::Named(def, _) => match self.cx.hir.defs.get(def.index()).map(AsRef::as_ref) {
                Some(Def { name, kind: DefKind::Enum(declared), .. }) => {
                    let variants = declared.variants.iter().map(|variant| variant.name.as_str());
                    finding.help(format!("the values of `{name}` are {}", names_of(variants)))
                }
                _ => finding,
            },
            _ => finding,
        }
    }

    /// `"a" + b`: texts are put together by templates.
    fn text_plus(&mut self, e: ExprId, left: ExprId, right: ExprId, a: Ty, b: Ty) -> bool {
        let text = |ty| self.prim(ty) == Some(Prim::Text);
        // A number plus a text: only clearly a template if a text is written here.
        let written = |e: &ExprId| {
            matches!(self.node(*e), Expr::Literal(Literal::Text(_)) | Expr::Template(_))
        };
        let chain = matches!(self.node(left), Expr::Binary(BinaryOp::Add, ..)) && text(a);
        let both = text(a) && text(b);
        if !(both || chain || (text(a) || text(b)) && [left, right].iter().any(written)) {
            return false;
        }
        if self.sum_above {
            return true;
        }
        let mut parts = Vec::new();
        self.sum_parts(e, &mut parts);
        let edits = self.template_edits(&parts);
        self.report(
            Diagnostic::new(Code::TextPlus, self.span(e), "texts cannot be joined with `+`")
                .here("write one text: `\"${a}${b}\"`")
                .fix("put the values into one text", edits),
        );
        true
    }

    fn sum_parts(&self, e: ExprId, parts: &mut Vec<ExprId>) {
        // Sums lean to the left, so this loop is the whole chain.
        let mut e = e;
        while let Expr::Binary(BinaryOp::Add, left, right) = self.node(e) {
            parts.push(*right);
            e = *left;
        }
        parts.push(e);
        parts.reverse();
    }

    /// Whether what stands between the quotes of a text can stand in another text as it is.
    ///
    /// Only its length tells how a text was written: between simple quotes and without escapes its source is longer
    /// by the quotes alone.
    fn is_plain_text(&self, e: ExprId) -> bool {
        let span = self.span(e);
        let (text, end) = match self.node(e) {
            Expr::Literal(Literal::Text(text)) => (text.as_str(), span.end),
            Expr::Template(parts) => match parts.as_slice() {
                [TemplatePart::Expr(first), ..] => ("", self.span(*first).start - 1),
                [TemplatePart::Text(text), TemplatePart::Expr(first), ..] => {
                    (text.as_str(), self.span(*first).start - 1)
                }
                _ => return false,
            },
            _ => return false,
        };
        let length = u32::try_from(text.len()).ok().and_then(|n| n.checked_add(2));
        length == Some(end - span.start) && !text.contains(['"', '\\', '\n', '$'])
    }

    /// Edits that turn a chain of sums into one text: a plain text gives its content, others stand in `${}`.
    fn template_edits(&self, parts: &[ExprId]) -> Vec<Edit> {
        let plain = |e: ExprId| self.is_plain_text(e);
        let mut edits = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let span = self.span(*part);
            let is_plain = plain(*part);
            if index == 0 && !is_plain {
                edits.push(Edit::new(span.before(), "\"${"));
            }
            match parts.get(index + 1) {
                Some(next) => {
                    let to = self.span(*next);
                    let from = if is_plain { span.end - 1 } else { span.end };
                    let next_plain = plain(*next);
                    let until = if next_plain { to.start + 1 } else { to.start };
                    let mut glue = String::new();
                    if !is_plain {
                        glue.push('}');
                    }
                    if !next_plain {
                        glue.push_str("${");
                    }
                    edits.push(Edit::new(Span { start: from, end: until, ..span }, glue));
                }
                None if !is_plain => edits.push(Edit::new(span.after(), "}\"")),
                None => {}
            }
        }
        edits
    }

    // ---- in ----

    /// `a in b`: item of a list, key of a map, part of a text.
    pub(super) fn in_(&mut self, left: ExprId, right: ExprId) -> Ty {
        // `x in [A, B]`: the items are of the type of what is looked for.
        if self.needs_context(right) && !self.needs_context(left) {
            let item = self.expr(left, Expect::ANY);
            let item = self.base(self.present(item));
            let container = match self.node(right) {
                Expr::Map(_) => {
                    let value = self.fresh();
                    self.cx.interner.map(item, value)
                }
                _ => self.cx.interner.list(item),
            };
            let container = self.operand(right, container);
            return self.is_in(left, right, container, Some(item));
        }
        let container = self.expr(right, Expect::ANY);
        self.is_in(left, right, container, None)
    }

    /// The same, the container being known, and perhaps the item.
    fn is_in(&mut self, left: ExprId, right: ExprId, container: Ty, item: Option<Ty>) -> Ty {
        let wanted = match self.kind(container).clone() {
            TyKind::List(item) => item,
            TyKind::Map(key, _) => key,
            TyKind::Prim(Prim::Text) => Ty::TEXT,
            TyKind::Error | TyKind::Never => {
                if item.is_none() {
                    self.expr(left, Expect::ERROR);
                }
                return Ty::BOOL;
            }
            other => {
                if item.is_none() {
                    self.expr(left, Expect::ERROR);
                }
                let shown = self.show(container);
                let mut finding = Diagnostic::new(
                    Code::BadOperands,
                    self.span(right),
                    format!("`in` needs a list, a map or a text, found `{shown}`"),
                );
                if let TyKind::Optional(_) = other {
                    finding = finding.help("it may be `none`: give another value with `??`");
                }
                let places = self.origins(right);
                if !self.blamed(&places, Ty::ERROR) {
                    self.report(finding);
                }
                return Ty::BOOL;
            }
        };
        let wanted = self.base(wanted);
        let ty = match item {
            Some(item) => item,
            None => self.operand(left, wanted),
        };
        if self.is_error(ty) || self.fit(ty, wanted) == Fit::Yes {
            return Ty::BOOL;
        }
        if self.converted_item(left, ty, wanted) || self.join(ty, wanted).is_some() {
            return Ty::BOOL;
        }
        let blamed = self.blamed_sides(left, right, wanted, ty);
        let (found, wanted) = (self.show(ty), self.show(wanted));
        if !blamed {
            self.report(
                Diagnostic::new(
                    Code::BadOperands,
                    self.span(left),
                    format!("a value of type `{found}` can never be in it"),
                )
                .here(format!("expected `{wanted}`, found `{found}`")),
            );
        }
        Ty::BOOL
    }

    fn converted_item(&mut self, e: ExprId, ty: Ty, wanted: Ty) -> bool {
        let fits = self.base(self.present(wanted)) == Ty::FLOAT
            && ty == Ty::INT
            && self.int_literal(e).is_some();
        if fits {
            self.adapt(e, Ty::FLOAT);
        }
        fits
    }
}

/// What an arithmetic operator gives for two primitive types, if it takes them.
fn table(op: BinaryOp, a: Prim, b: Prim) -> Option<Prim> {
    use BinaryOp::{Add, Div, Mul, Rem, Sub};
    use Prim::{Duration, Float, Int, Money, Size, Time};
    match (op, a, b) {
        (Add | Sub | Mul | Div | Rem, Int, Int) => Some(Int),
        (Add | Sub | Mul | Div | Rem, Float, Float) => Some(Float),
        (Add | Sub, Money, Money)
        | (Mul, Money, Int | Float)
        | (Mul, Int | Float, Money)
        | (Div, Money, Int | Float) => Some(Money),
        (Add | Sub, Time, Duration) | (Add, Duration, Time) => Some(Time),
        (Sub, Time, Time)
        | (Add | Sub, Duration, Duration)
        | (Mul, Duration, Int | Float)
        | (Mul, Int | Float, Duration)
        | (Div, Duration, Int | Float) => Some(Duration),
        (Rem, Duration, Duration) => Some(Duration),
        (Add | Sub, Size, Size) | (Mul, Size, Int) | (Mul, Int, Size) | (Div, Size, Int) => {
            Some(Size)
        }
        // How many times one fits into the other.
        (Div, Money, Money) | (Div, Duration, Duration) | (Div, Size, Size) => Some(Float),
        _ => None,
    }
}

/// Whether nothing can be divided by it.
fn is_zero(value: &Literal) -> bool {
    match value {
        Literal::Int(n) | Literal::Duration(n) => *n == 0,
        Literal::Float(x) => *x == 0.0,
        Literal::Size(n) => *n == 0,
        Literal::Money(amount, _) => amount.is_zero(),
        Literal::Text(_) | Literal::Bool(_) | Literal::None => false,
    }
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Rem => "%",
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_gives_what_the_language_says() {
        use BinaryOp::{Add, Div, Mul, Rem, Sub};
        let cases = [
            (Add, Prim::Int, Prim::Int, Some(Prim::Int)),
            (Rem, Prim::Int, Prim::Int, Some(Prim::Int)),
            (Add, Prim::Int, Prim::Float, None),
            (Mul, Prim::Money, Prim::Int, Some(Prim::Money)),
            (Mul, Prim::Money, Prim::Money, None),
            (Add, Prim::Time, Prim::Duration, Some(Prim::Time)),
            (Add, Prim::Time, Prim::Time, None),
            (Sub, Prim::Time, Prim::Time, Some(Prim::Duration)),
            (Mul, Prim::Duration, Prim::Int, Some(Prim::Duration)),
            (Div, Prim::Duration, Prim::Duration, Some(Prim::Float)),
            (Add, Prim::Text, Prim::Text, None),
        ];
        for (op, a, b, want) in cases {
            assert_eq!(table(op, a, b), want, "{a:?} {op:?} {b:?}");
        }
    }
}
