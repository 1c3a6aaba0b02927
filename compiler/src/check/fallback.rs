//! `a ?? b`: another value where there is none.

use super::infer::{BodyCx, Expect, Why};
use super::ty::{Prim, Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{BinaryOp, Expr, ExprId};

impl BodyCx<'_, '_> {
    pub(super) fn coalesce(
        &mut self,
        e: ExprId,
        left: ExprId,
        right: ExprId,
        expect: Expect,
    ) -> Ty {
        let wanted = expect.ty.map(|ty| {
            let ty = self.shallow(ty);
            self.cx.interner.optional(ty)
        });
        let inner = Expect { ty: wanted, why: expect.why, discard: false };
        let compared = self.compared_fallback(left, right);
        let left_ty = self.expr(left, if compared.is_some() { Expect::ANY } else { inner });
        if let Some((op, first)) = compared
            && let TyKind::Optional(value) = *self.kind(left_ty)
            && !matches!(self.base(value), Ty::BOOL | Ty::ERROR)
        {
            self.expr(right, Expect::ERROR);
            let (at, to) = (self.span(left), self.span(first));
            let shown = self.show(left_ty);
            self.report(
                Diagnostic::new(
                    Code::Mismatch,
                    self.span(right),
                    format!("`??` takes in the whole comparison that follows it, `{op}` and all"),
                )
                .here("this is `bool`")
                .label(at, format!("this is `{shown}`"))
                .help("put the value and what replaces it in parentheses: `(value ?? other)`")
                .fix(
                    "put `??` in parentheses",
                    vec![Edit::new(at.before(), "("), Edit::new(to.after(), ")")],
                ),
            );
            return Ty::ERROR;
        }
        let left_span = self.span(left);
        let present = match self.kind(left_ty).clone() {
            TyKind::Optional(inner) => inner,
            TyKind::Prim(Prim::None) => Ty::NEVER,
            TyKind::Error | TyKind::Never | TyKind::Var(_) => left_ty,
            _ => {
                let shown = self.show(left_ty);
                let rest = Span { start: left_span.end, ..self.span(e) };
                self.report(
                    Diagnostic::new(
                        Code::NeverNone,
                        left_span,
                        format!("`??` has no use here: `{shown}` is never `none`"),
                    )
                    .here("there is always a value")
                    .guess("delete `??` and what follows", vec![Edit::new(rest, "")]),
                );
                self.expr(right, Expect::ERROR);
                return Ty::ERROR;
            }
        };
        let right_expect = match expect.ty {
            Some(_) => Expect { discard: false, ..expect },
            None if self.may_be_optional(right) => {
                let ty = self.cx.interner.optional(present);
                Expect::of(ty, Why::Because(left))
            }
            None => Expect::of(present, Why::Because(left)),
        };
        let right_ty = self.expr(right, right_expect);
        if let (Some(a), Some(b)) = (self.max_of(left), self.max_of(right)) {
            self.out.max_items.insert(e, a.max(b));
        }
        let ty = self.join(present, right_ty).unwrap_or(present);
        if expect.discard { self.discarded_coalesce(e, right, ty) } else { ty }
    }

    /// `x ?? 0 == 3`: the operator, and the operand in front of it, if nothing keeps the comparison together.
    fn compared_fallback(&self, left: ExprId, right: ExprId) -> Option<(&'static str, ExprId)> {
        let (op, first) = match self.node(right) {
            Expr::Binary(op, first, _) => (compares(*op)?, *first),
            Expr::In(first, _) => ("in", *first),
            Expr::Is(first, _) => ("is", *first),
            _ => return None,
        };
        // Between them is room for ` ?? ` alone, and none for a parenthesis.
        let gap = self.span(first).start.checked_sub(self.span(left).end)?;
        (gap <= 4).then_some((op, first))
    }

    /// `x ?? y` as a statement does nothing, unless the right side ends the block.
    fn discarded_coalesce(&mut self, e: ExprId, right: ExprId, ty: Ty) -> Ty {
        let right_ty = self.out.exprs.get(right.index()).copied().unwrap_or(Ty::ERROR);
        if right_ty != Ty::NEVER && !self.is_error(ty) && self.literal(right).is_some() {
            self.report(
                Diagnostic::new(Code::UnusedValue, self.span(e), "this value is not used")
                    .help("give it a name with `let`, or delete it"),
            );
        }
        Ty::NONE
    }
}

/// How a comparison is written; `None` for other operators.
fn compares(op: BinaryOp) -> Option<&'static str> {
    Some(match op {
        BinaryOp::Eq => "==",
        BinaryOp::Ne => "!=",
        BinaryOp::Lt => "<",
        BinaryOp::Le => "<=",
        BinaryOp::Gt => ">",
        BinaryOp::Ge => ">=",
        _ => return None,
    })
}
