//! One mistake, one error: which declarations gave a value its type. A declaration whose type was changed misfits at
//! every use; the first misfit is said, and what the same repair of the same declaration would mend is not.

use smallvec::SmallVec;

use super::infer::BodyCx;
use super::ty::{Ty, TyKind};
use crate::diagnostics::Span;
use crate::hir::{BinaryOp, Callee, DefKind, Expr, ExprId, LocalKind, Stmt};

/// Places of declarations.
pub(super) type Places = SmallVec<[Span; 4]>;

/// Most expressions that one search looks at.
const MAX_VISITS: u32 = 64;

/// Where the type of a name in a body comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nobody knows.
    #[default]
    Nowhere,
    /// A value.
    Value(ExprId),
    /// A declaration.
    Place(Span),
}

impl BodyCx<'_, '_> {
    /// Whether one of these declarations already has the blame for a misfit that the same repair would mend; else they
    /// have it from now on. The types are those that they could be meant to have, `Error` if nothing is known.
    /// Declarations of the standard library are never to blame.
    pub(super) fn blamed(&mut self, places: &[Span], wanted: Ty) -> bool {
        self.both_blamed((places, wanted), (&[], wanted))
    }

    /// The same for a misfit that either of two sides could mend.
    pub(super) fn both_blamed(&mut self, one: (&[Span], Ty), other: (&[Span], Ty)) -> bool {
        self.cx.trouble();
        let sides = [(one.0, self.core(one.1)), (other.0, self.core(other.1))];
        let known = sides.iter().any(|(places, wanted)| {
            places.iter().filter_map(|place| self.cx.suspects.get(place)).any(|before| {
                *wanted == Ty::ERROR || before.iter().any(|ty| *ty == Ty::ERROR || ty == wanted)
            })
        });
        if known {
            return true;
        }
        let modules = &self.cx.hir.modules;
        for (places, wanted) in sides {
            for place in places {
                if !modules.iter().any(|module| module.is_std && module.file == place.file) {
                    self.cx.suspects.entry(*place).or_default().push(wanted);
                }
            }
        }
        false
    }

    /// The type inside lists, optionals and refinements: a misfit of a part is a misfit of the whole.
    fn core(&self, ty: Ty) -> Ty {
        let mut ty = ty;
        loop {
            match self.kind(ty) {
                TyKind::List(inner) | TyKind::Optional(inner) => ty = *inner,
                _ => return self.base(ty),
            }
        }
    }

    /// The declarations that give an expression its type. Only asked when something is wrong.
    pub(super) fn origins(&self, e: ExprId) -> Places {
        let mut places = Places::new();
        let mut open: SmallVec<[ExprId; 8]> = smallvec::smallvec![e];
        let mut visits = 0;
        while let Some(e) = open.pop() {
            visits += 1;
            if visits > MAX_VISITS {
                break;
            }
            self.origins_of(e, &mut places, &mut open);
        }
        places
    }

    /// The places behind what is matched.
    pub(super) fn matched_places(&self) -> Places {
        match self.matched {
            Origin::Nowhere => Places::new(),
            Origin::Value(e) => self.origins(e),
            Origin::Place(place) => smallvec::smallvec![place],
        }
    }

    fn origins_of(&self, e: ExprId, places: &mut Places, open: &mut SmallVec<[ExprId; 8]>) {
        let hir = self.cx.hir;
        match self.node(e) {
            Expr::Local(local) => {
                let Some(declared) = self.body.locals.get(local.index()) else { return };
                if declared.kind != LocalKind::Pattern {
                    places.push(declared.span);
                }
                match self.notes.get(local.index()).map(|note| note.origin) {
                    Some(Origin::Value(value)) => open.push(value),
                    Some(Origin::Place(place)) => places.push(place),
                    _ => {}
                }
            }
            Expr::Call { callee: Callee::Def(def), args, .. } => {
                let Some(declared) = hir.defs.get(def.index()) else { return };
                let DefKind::Callable(callable) = &declared.kind else { return };
                if hir.modules.get(declared.module.index()).is_some_and(|module| module.is_std) {
                    // What std gives is mostly of the type of what it takes first.
                    if let Some(crate::hir::ArgValue::Expr(first)) = args.first().map(|a| &a.value)
                    {
                        open.push(*first);
                    }
                } else {
                    places.push(callable.result.span);
                }
            }
            Expr::Def(def) => places.extend(hir.defs.get(def.index()).map(|def| def.name_span)),
            Expr::Field { base, .. } => match self.field_place(e, *base) {
                Some(place) => places.push(place),
                None => open.push(*base),
            },
            Expr::With { expr: inner, .. }
            | Expr::Catch { body: inner, .. }
            | Expr::Try(inner)
            | Expr::Undo { body: inner, .. }
            | Expr::Index { base: inner, .. }
            | Expr::For { body: inner, .. }
            | Expr::Done(inner)
            | Expr::Unary(_, inner) => open.push(*inner),
            Expr::Binary(
                BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Rem,
                a,
                b,
            )
            | Expr::Coalesce(a, b) => open.extend([*b, *a]),
            Expr::If { then, otherwise, .. } => {
                open.extend(*otherwise);
                open.push(*then);
            }
            Expr::Match { arms, .. } => open.extend(arms.iter().map(|arm| arm.body)),
            Expr::Loop { body, otherwise, .. } => open.extend([*otherwise, *body]),
            Expr::List(items) => open.extend(items.first().map(|(item, _)| *item)),
            Expr::Block(stmts) => {
                if let Some(Stmt::Expr(last)) = stmts.last() {
                    open.push(*last);
                }
            }
            _ => {}
        }
    }

    /// Where the field is declared that an expression reads.
    fn field_place(&self, e: ExprId, base: ExprId) -> Option<Span> {
        let index = self.out.fields.get(&e)?;
        let ty = self.out.exprs.get(base.index()).copied()?;
        let TyKind::Named(def, _) = self.kind(self.present(ty)) else { return None };
        match &self.cx.hir.defs.get(def.index())?.kind {
            DefKind::Record(record) => Some(record.fields.get(*index as usize)?.span),
            _ => None,
        }
    }
}
