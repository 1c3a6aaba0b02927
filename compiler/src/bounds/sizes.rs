//! How many items lists have at most, and what whole numbers are at most: in the sizes of the parameters where they
//! come from there.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::amount::{Amount, Size};
use super::infer::Finder;
use super::text::size_name;
use crate::check::ty::{Ty, TyKind};
use crate::check::{ArgSource, ItemBound};
use crate::effects::walk;
use crate::hir::{
    Arg, ArgValue, Body, Callee, DefId, DefKind, Expr, ExprId, Literal, LocalId, LocalKind, Pat,
    Stmt,
};

/// The longest chain of names that stand for each other.
const MAX_HOPS: u32 = 64;

/// Where a value comes from: a parameter, and the fields on the way.
struct Path {
    param: u32,
    fields: Vec<SmolStr>,
}

impl Finder<'_> {
    /// How many items the list has that an expression gives.
    pub(super) fn items(&mut self, owner: DefId, expr: ExprId) -> Amount {
        self.size(owner, expr, true, 0)
    }

    /// What a whole number is at most.
    pub(super) fn number(&mut self, owner: DefId, expr: ExprId) -> Amount {
        self.size(owner, expr, false, 0)
    }

    fn size(&mut self, owner: DefId, id: ExprId, counted: bool, hops: u32) -> Amount {
        if let Some(known) = self.known_sizes.get(&(owner, id, counted)) {
            return known.clone();
        }
        let Some(body) = self.hir.body(owner) else { return Amount::default() };
        let limit = self.limit(owner, id, counted);
        let found =
            if hops > MAX_HOPS { None } else { self.by_form(owner, body, id, counted, hops) };
        let size = match (found, limit) {
            (Some(found), Some(limit)) => found.at_most(limit, &mut self.sizes),
            (Some(found), None) => found,
            (None, Some(limit)) => limit.into(),
            (None, None) => self.open_size(body, id, counted),
        };
        self.known_sizes.insert((owner, id, counted), size.clone());
        size
    }

    fn open_size(&mut self, body: &Body, id: ExprId, counted: bool) -> Amount {
        let what = if counted {
            "nothing says how long this list can be: bound its type by `where (max: n)`, or the `for` by `max n`"
        } else {
            "nothing says how large this number can be: bound its type by `where (max: n)`"
        };
        self.open(what.to_owned(), body.expr_spans.get(id.index()).copied())
    }

    /// What the type of an expression, or the checker, says.
    fn limit(&self, owner: DefId, id: ExprId, counted: bool) -> Option<u64> {
        let by_type = self.type_limit(self.types.ty_of_expr(owner, id));
        let noted = if counted {
            self.types.body(owner).and_then(|types| types.max_items.get(&id)).copied()
        } else {
            None
        };
        by_type.into_iter().chain(noted).min()
    }

    /// The `max` of a type: of a list's items, of a number.
    fn type_limit(&self, ty: Ty) -> Option<u64> {
        match self.types.interner.kind(ty) {
            TyKind::Refined { base, bounds, .. } => {
                let own =
                    bounds.iter().filter(|bound| bound.name == "max").filter_map(
                        |bound| match bound.value.0 {
                            Literal::Int(n) => Some(u64::try_from(n).unwrap_or(0)),
                            _ => None,
                        },
                    );
                own.chain(self.type_limit(*base)).min()
            }
            TyKind::Optional(inner) => self.type_limit(*inner),
            _ => None,
        }
    }

    /// What the form of an expression says; `None` if nothing.
    fn by_form(
        &mut self,
        owner: DefId,
        body: &Body,
        id: ExprId,
        counted: bool,
        hops: u32,
    ) -> Option<Amount> {
        if let Some(path) = self.path(owner, body, id, hops) {
            let limit = self.limit(owner, id, counted);
            let Path { param, fields } = path;
            return Some(self.sizes.amount(Size::Of { param, fields, counted, limit }));
        }
        let inner = |this: &mut Self, id: ExprId| this.size(owner, id, counted, hops + 1);
        Some(match walk::expr(body, id) {
            Expr::Literal(Literal::Int(n)) if !counted => u64::try_from(*n).unwrap_or(0).into(),
            Expr::Local(local) => {
                let value = self.value_of(owner, *local)?;
                inner(self, value)
            }
            Expr::Def(def) => {
                let root = self.hir.body(*def)?.root?;
                self.size(*def, root, counted, hops + 1)
            }
            Expr::List(items) if counted => {
                let mut sum = Amount::default();
                for (item, spread) in items {
                    let count = if *spread { inner(self, *item) } else { 1.into() };
                    sum = sum.plus(&count, &self.sizes);
                }
                sum
            }
            Expr::For { source, max, .. } if counted => {
                let (source, max) = (*source, *max);
                let found = inner(self, source);
                match max {
                    Some(max) => self.capped(owner, found, max),
                    None => found,
                }
            }
            Expr::If { then, otherwise: Some(otherwise), .. } => {
                let (a, b) = (inner(self, *then), inner(self, *otherwise));
                a.or(b, &mut self.sizes)
            }
            Expr::Coalesce(a, b) => {
                let (a, b) = (inner(self, *a), inner(self, *b));
                a.or(b, &mut self.sizes)
            }
            Expr::Match { arms, .. } => {
                let mut most = Amount::default();
                for arm in arms {
                    let one = if self.never(owner, arm.body) {
                        Amount::default()
                    } else {
                        inner(self, arm.body)
                    };
                    most = most.or(one, &mut self.sizes);
                }
                most
            }
            Expr::Block(stmts) => match stmts.last() {
                Some(Stmt::Expr(last)) => inner(self, *last),
                _ => return None,
            },
            Expr::With { expr, policies }
                if !policies.iter().any(|arg| super::infer::is(arg, "fallback")) =>
            {
                inner(self, *expr)
            }
            Expr::Fail(_) | Expr::Done(_) | Expr::Next(_) => Amount::default(),
            Expr::Call { callee: Callee::Def(def), args, .. } => {
                return self.of_call(owner, id, *def, args, counted, hops);
            }
            _ => return None,
        })
    }

    fn never(&self, owner: DefId, id: ExprId) -> bool {
        self.types.ty_of_expr(owner, id) == Ty::NEVER
    }

    /// The smaller one of an amount and the number that an expression gives.
    pub(super) fn capped(&mut self, owner: DefId, amount: Amount, max: ExprId) -> Amount {
        let max = self.number(owner, max);
        match max.most(&self.sizes) {
            Some(max) => amount.at_most(max, &mut self.sizes),
            // Either one is a bound; the one that is known is the better one.
            None if amount.reasons().is_empty() => amount,
            None => max,
        }
    }

    /// The result of a call whose declaration says how long it is, or how long in terms of its arguments.
    fn of_call(
        &mut self,
        owner: DefId,
        call: ExprId,
        def: DefId,
        args: &[Arg],
        counted: bool,
        hops: u32,
    ) -> Option<Amount> {
        if !counted {
            return None;
        }
        let bound = self.types.signature(def)?.max_items?;
        let argument = |this: &Self, index: u32| this.argument(owner, call, index, args);
        Some(match bound {
            ItemBound::Fixed(n) => n.into(),
            ItemBound::Value(index) => {
                let value = argument(self, index)?;
                self.size(owner, value, false, hops + 1)
            }
            ItemBound::Length(index) => {
                let value = argument(self, index)?;
                self.size(owner, value, true, hops + 1)
            }
            ItemBound::Take => {
                let (list, count) = (argument(self, 0)?, argument(self, 1)?);
                let all = self.size(owner, list, true, hops + 1);
                self.capped(owner, all, count)
            }
            ItemBound::Append => {
                let (a, b) = (argument(self, 0)?, argument(self, 1)?);
                let a = self.size(owner, a, true, hops + 1);
                let b = self.size(owner, b, true, hops + 1);
                a.plus(&b, &self.sizes)
            }
            // No longer than their first list; what the checker knows of them beside that is a number.
            ItemBound::Zip | ItemBound::Chunks | ItemBound::Slice => {
                let list = argument(self, 0)?;
                self.size(owner, list, true, hops + 1)
            }
            ItemBound::Range | ItemBound::Concat => return None,
        })
    }

    /// The expression that a call gives for a parameter.
    pub(super) fn argument(
        &self,
        owner: DefId,
        call: ExprId,
        index: u32,
        args: &[Arg],
    ) -> Option<ExprId> {
        let resolved = self.types.body(owner)?.calls.get(&call)?;
        match resolved.args.get(index as usize)? {
            ArgSource::Arg(arg) => match args.get(*arg as usize)?.value {
                ArgValue::Expr(value) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    /// The parameter, or the field of one, that an expression names.
    fn path(&self, owner: DefId, body: &Body, id: ExprId, hops: u32) -> Option<Path> {
        let mut fields = Vec::new();
        let mut at = id;
        for _ in hops..MAX_HOPS {
            match walk::expr(body, at) {
                Expr::Field { base, name, .. } => {
                    fields.push(name.clone());
                    at = *base;
                }
                Expr::Local(local) => {
                    let bound = body.locals.get(local.index())?;
                    match bound.kind {
                        LocalKind::Param => {
                            let param = self.param(owner, *local)?;
                            fields.reverse();
                            return Some(Path { param, fields });
                        }
                        LocalKind::Let => at = self.value_of(owner, *local)?,
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
        None
    }

    /// The value of the `let` that binds a name whole.
    fn value_of(&self, owner: DefId, local: LocalId) -> Option<ExprId> {
        self.lets.get(owner.index())?.get(&local).copied()
    }

    fn param(&self, owner: DefId, local: LocalId) -> Option<u32> {
        let DefKind::Callable(callable) = &self.hir.defs.get(owner.index())?.kind else {
            return None;
        };
        let at = callable.params.iter().position(|param| param.local == local)?;
        u32::try_from(at).ok()
    }

    /// What a call gives for a size of the declaration that it calls.
    pub(super) fn given(
        &mut self,
        owner: DefId,
        call: ExprId,
        callee: DefId,
        args: &[Arg],
        size: &Size,
    ) -> Amount {
        let Size::Of { param, fields, counted, limit } = size else { return Amount::default() };
        let resolved = self.types.body(owner).and_then(|types| types.calls.get(&call));
        let source = resolved.and_then(|call| call.args.get(*param as usize)).copied();
        let found = match source {
            Some(ArgSource::Arg(_)) => self
                .argument(owner, call, *param, args)
                .map(|value| self.field_of(owner, value, fields, *counted, *limit)),
            Some(ArgSource::Default) if fields.is_empty() => {
                let default = match self.hir.defs.get(callee.index()).map(|def| &def.kind) {
                    Some(DefKind::Callable(callable)) => {
                        callable.params.get(*param as usize).and_then(|param| param.default)
                    }
                    _ => None,
                };
                default.map(|default| self.size(callee, default, *counted, 0))
            }
            Some(ArgSource::None) => Some(Amount::default()),
            _ => None,
        };
        match (found, limit) {
            (Some(found), Some(limit)) => found.at_most(*limit, &mut self.sizes),
            (Some(found), None) => found,
            (None, Some(limit)) => (*limit).into(),
            (None, None) => {
                let span = self
                    .hir
                    .body(owner)
                    .and_then(|body| body.expr_spans.get(call.index()))
                    .copied();
                let name = size_name(self.hir, callee, *param, fields);
                self.open(format!("nothing says how large `{name}` is that this call gives"), span)
            }
        }
    }

    /// A field of a value: of a record that is built there, of a parameter, or of anything with that type.
    fn field_of(
        &mut self,
        owner: DefId,
        value: ExprId,
        fields: &[SmolStr],
        counted: bool,
        limit: Option<u64>,
    ) -> Amount {
        let Some((first, rest)) = fields.split_first() else {
            return self.size(owner, value, counted, 0);
        };
        let Some(body) = self.hir.body(owner) else { return Amount::default() };
        if let Some(Path { param, fields: mut before }) = self.path(owner, body, value, 0) {
            before.extend(fields.iter().cloned());
            return self.sizes.amount(Size::Of { param, fields: before, counted, limit });
        }
        let mut at = value;
        for _ in 0..MAX_HOPS {
            match walk::expr(body, at) {
                Expr::Local(local) => match self.value_of(owner, *local) {
                    Some(value) => at = value,
                    None => break,
                },
                Expr::Call { callee: Callee::Def(def), args, .. } => {
                    let Some(DefKind::Record(record)) =
                        self.hir.defs.get(def.index()).map(|def| &def.kind)
                    else {
                        break;
                    };
                    let Some(index) = record.fields.iter().position(|field| field.name == *first)
                    else {
                        break;
                    };
                    let index = u32::try_from(index).unwrap_or(u32::MAX);
                    return match self.argument(owner, at, index, args) {
                        Some(value) => self.field_of(owner, value, rest, counted, limit),
                        None => break,
                    };
                }
                _ => break,
            }
        }
        match limit {
            Some(limit) => limit.into(),
            None => self.open_size(body, value, counted),
        }
    }
}

/// The values of the `let`s of a body that bind a name whole.
pub(super) fn lets(body: &Body) -> FxHashMap<LocalId, ExprId> {
    let blocks = body.exprs.iter().filter_map(|expr| match expr {
        Expr::Block(stmts) => Some(stmts),
        _ => None,
    });
    let named = blocks.flatten().filter_map(|stmt| match stmt {
        Stmt::Let { pat, value, .. } => match body.pats.get(pat.index()) {
            Some(Pat::Bind(local)) => Some((*local, *value)),
            _ => None,
        },
        Stmt::Expr(_) => None,
    });
    named.collect()
}
