//! Expressions: the dispatcher, operators, fields, lists and maps.

use kait_syntax::ast::{self, Expr as AstExpr};

use super::resolve::Lower;
use super::{Lowerer, forms, list_for};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::hir::{BinaryOp, Expr, ExprId, Literal, UnaryOp};

impl<'a> Lowerer<'a> {
    pub(super) fn opt_expr(&mut self, expr: Option<AstExpr<'a>>, place: Span) -> ExprId {
        match expr {
            Some(expr) => self.expr(expr),
            None => self.missing(place),
        }
    }

    /// Lowers one expression. The arms are calls, so that the frame of the recursion stays small.
    pub(super) fn expr(&mut self, expr: AstExpr<'a>) -> ExprId {
        match expr {
            AstExpr::Fail(expr) => {
                let span = self.span(expr.range());
                let value = self.opt_expr(expr.value(), span);
                self.alloc(Expr::Fail(value), span)
            }
            AstExpr::Done(expr) => self.done(expr),
            AstExpr::Next(expr) => self.next(expr),
            AstExpr::Catch(expr) => self.catch(expr),
            AstExpr::Undo(expr) => self.undo(expr, None),
            AstExpr::Pipe(expr) => self.pipe(expr),
            AstExpr::Coalesce(expr) => {
                let span = self.span(expr.range());
                let value = self.opt_expr(expr.value(), span);
                let fallback = self.opt_expr(expr.fallback(), span);
                self.alloc(Expr::Coalesce(value, fallback), span)
            }
            AstExpr::Binary(expr) => self.binary(expr),
            AstExpr::Unary(expr) => self.unary(expr),
            AstExpr::In(expr) => {
                let span = self.span(expr.range());
                let item = self.opt_expr(expr.item(), span);
                let list = self.opt_expr(expr.list(), span);
                self.alloc(Expr::In(item, list), span)
            }
            AstExpr::Is(expr) => self.is(expr),
            AstExpr::Field(expr) => self.field(expr),
            AstExpr::OptField(expr) => {
                let span = self.span(expr.range());
                let base = self.opt_expr(expr.base(), span);
                self.field_of(base, expr.name(), expr.dot(), true, span)
            }
            AstExpr::UidField(expr) => self.upper_path_value(expr),
            AstExpr::Call(expr) => self.call(expr, None),
            AstExpr::With(expr) => self.with(expr, None),
            AstExpr::Index(expr) => {
                let span = self.span(expr.range());
                let base = self.opt_expr(expr.base(), span);
                let index = self.opt_expr(expr.index(), span);
                self.alloc(Expr::Index { base, index }, span)
            }
            AstExpr::Name(expr) => match expr.name() {
                Some(name) => self.name_value(name),
                None => self.missing(self.span(expr.range())),
            },
            AstExpr::UName(expr) => match expr.name() {
                Some(name) => self.upper_value(name),
                None => self.missing(self.span(expr.range())),
            },
            AstExpr::Number(expr) => {
                let span = self.span(expr.range());
                let literal = expr.token().and_then(|token| self.number(token.text(), false, span));
                self.literal(literal, span)
            }
            AstExpr::Str(expr) => {
                let span = self.span(expr.range());
                self.text(expr, span)
            }
            AstExpr::Bool(expr) => {
                let span = self.span(expr.range());
                self.literal(Some(Literal::Bool(expr.value())), span)
            }
            AstExpr::None(expr) => {
                let span = self.span(expr.range());
                self.literal(Some(Literal::None), span)
            }
            AstExpr::List(expr) => self.list(expr),
            AstExpr::Map(expr) => self.map(expr),
            AstExpr::Paren(expr) => {
                let span = self.span(expr.range());
                self.opt_expr(expr.inner(), span)
            }
            AstExpr::If(expr) => self.if_expr(expr),
            AstExpr::Match(expr) => self.match_expr(expr),
            AstExpr::For(expr) => self.for_expr(expr),
            AstExpr::Loop(expr) => self.loop_expr(expr),
            AstExpr::Race(expr) => self.race(expr),
            AstExpr::Selector(expr) => {
                let span = self.span(expr.range());
                self.misplaced(span, "`.name` can only be an argument, such as `by: .name`");
                self.missing(span)
            }
            AstExpr::Spread(expr) => {
                let span = self.span(expr.range());
                self.misplaced(span, "`..value` can only be an argument or an item of a list");
                self.missing(span)
            }
        }
    }

    fn misplaced(&mut self, span: Span, message: &str) {
        self.report(Diagnostic::new(Code::MisplacedSelector, span, message));
    }

    fn literal(&mut self, literal: Option<Literal>, span: Span) -> ExprId {
        match literal {
            Some(literal) => self.alloc(Expr::Literal(literal), span),
            None => self.missing(span),
        }
    }

    fn binary(&mut self, expr: ast::BinaryExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let left = self.opt_expr(expr.lhs(), span);
        let right = self.opt_expr(expr.rhs(), span);
        let Some(op) = expr.op() else { return self.missing(span) };
        let op = match op {
            ast::BinaryOp::Or => BinaryOp::Or,
            ast::BinaryOp::And => BinaryOp::And,
            ast::BinaryOp::Eq => BinaryOp::Eq,
            ast::BinaryOp::Ne => BinaryOp::Ne,
            ast::BinaryOp::Lt => BinaryOp::Lt,
            ast::BinaryOp::Gt => BinaryOp::Gt,
            ast::BinaryOp::Le => BinaryOp::Le,
            ast::BinaryOp::Ge => BinaryOp::Ge,
            ast::BinaryOp::Add => BinaryOp::Add,
            ast::BinaryOp::Sub => BinaryOp::Sub,
            ast::BinaryOp::Mul => BinaryOp::Mul,
            ast::BinaryOp::Div => BinaryOp::Div,
            ast::BinaryOp::Rem => BinaryOp::Rem,
        };
        self.alloc(Expr::Binary(op, left, right), span)
    }

    fn unary(&mut self, expr: ast::UnaryExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let Some(op) = expr.op() else { return self.missing(span) };
        if op == ast::UnaryOp::Neg
            && let Some(AstExpr::Number(number)) = expr.operand()
        {
            // A negative number is a literal, so that the smallest `int` can be written and bounds can be checked.
            let literal = number.token().and_then(|token| self.number(token.text(), true, span));
            return self.literal(literal, span);
        }
        let operand = self.opt_expr(expr.operand(), span);
        let lowered = match op {
            ast::UnaryOp::Not => Expr::Unary(UnaryOp::Not, operand),
            ast::UnaryOp::Neg => Expr::Unary(UnaryOp::Neg, operand),
            ast::UnaryOp::Try => Expr::Try(operand),
        };
        self.alloc(lowered, span)
    }

    fn is(&mut self, expr: ast::IsExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let operand = self.opt_expr(expr.operand(), span);
        let outer = std::mem::replace(&mut self.no_bind, true);
        let pat = self.opt_pattern(expr.pattern(), span, crate::hir::LocalKind::Pattern);
        self.no_bind = outer;
        self.alloc(Expr::Is(operand, pat), span)
    }

    /// `base.name`: a constant of a module, or a field of a value.
    fn field(&mut self, expr: ast::FieldExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        if let Some(AstExpr::Name(base)) = expr.base()
            && let Some(token) = base.name()
        {
            match self.lower_name(token.text()) {
                Lower::Module(module) => {
                    let Some(name) = expr.name() else { return self.missing(span) };
                    return match self.member_value(module, name) {
                        Some(def) => self.def_value(def, span),
                        None => self.missing(span),
                    };
                }
                Lower::Broken => return self.missing(span),
                Lower::Session => {
                    let place = self.span(token.range());
                    return self.session_field(expr.name(), place, span);
                }
                Lower::Unknown => {
                    let place = self.span(token.range());
                    self.unknown_base(token.text(), place);
                    return self.missing(span);
                }
                Lower::Local(_) | Lower::Def(_) | Lower::Form(_) => {}
            }
        }
        let base = self.opt_expr(expr.base(), span);
        self.field_of(base, expr.name(), expr.dot(), false, span)
    }

    /// An unknown name in front of a dot may have been meant as a value or as a module.
    pub(super) fn unknown_base(&mut self, name: &str, span: Span) {
        if crate::names::is_planned_module(name) {
            self.unknown_module(name, span);
        } else {
            self.unknown_value(name, span, false);
        }
    }

    fn field_of(
        &mut self,
        base: ExprId,
        name: Option<kait_syntax::SyntaxToken<'_>>,
        dot: Option<kait_syntax::SyntaxToken<'_>>,
        optional: bool,
        span: Span,
    ) -> ExprId {
        let (Some(token), Some(dot)) = (name, dot) else { return self.missing(span) };
        let (name, name_span) = self.token(token);
        let dot = u32::from(dot.range().start());
        self.alloc(Expr::Field { base, name, name_span, dot, optional }, span)
    }

    fn list(&mut self, expr: ast::ListExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let mut items = list_for(Some(expr));
        for element in expr.elements() {
            items.push(match element {
                AstExpr::Spread(spread) => {
                    let place = self.span(spread.range());
                    (self.opt_expr(spread.value(), place), true)
                }
                other => (self.expr(other), false),
            });
        }
        self.alloc(Expr::List(items), span)
    }

    fn map(&mut self, expr: ast::MapExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let mut entries = list_for(Some(expr));
        for entry in expr.entries() {
            let place = self.span(entry.range());
            let key = self.opt_expr(entry.key(), place);
            let value = self.opt_expr(entry.value(), place);
            entries.push((key, value));
        }
        self.alloc(Expr::Map(entries), span)
    }

    /// Reports a form of tests outside of a test.
    pub(super) fn only_in_tests(&mut self, form: crate::hir::Builtin, name: &str, span: Span) {
        if forms::is_for_tests(form) && !self.in_test {
            self.report(
                Diagnostic::new(
                    Code::OnlyInTests,
                    span,
                    format!("`{name}` can only be used in a test"),
                )
                .help("use it in an `expect` of a `test`"),
            );
        }
    }
}
