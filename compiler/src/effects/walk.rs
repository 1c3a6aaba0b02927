//! Walking bodies of the HIR: the parts of an expression, and an order in which parts come before wholes.

use crate::hir::{
    Arg, ArgValue, BinaryOp, Body, Expr, ExprId, Hir, Literal, Stmt, TemplatePart, UnaryOp,
};

/// Calls `f` with every part of an expression that is evaluated with it, in textual order.
pub(crate) fn parts(expr: &Expr, mut f: impl FnMut(ExprId)) {
    match expr {
        Expr::Missing
        | Expr::Literal(_)
        | Expr::Local(_)
        | Expr::Def(_)
        | Expr::Variant(..)
        | Expr::BareVariant { .. }
        | Expr::Session { .. } => {}
        Expr::Template(parts) => parts.iter().for_each(|part| {
            if let TemplatePart::Expr(value) = part {
                f(*value);
            }
        }),
        Expr::Call { args, .. } | Expr::Next(args) => arg_parts(args, f),
        Expr::With { expr, policies } => {
            f(*expr);
            arg_parts(policies, f);
        }
        Expr::Field { base: a, .. }
        | Expr::Unary(_, a)
        | Expr::Is(a, _)
        | Expr::Try(a)
        | Expr::Fail(a)
        | Expr::Done(a) => f(*a),
        Expr::Index { base: a, index: b }
        | Expr::Binary(_, a, b)
        | Expr::In(a, b)
        | Expr::Coalesce(a, b)
        | Expr::Undo { body: a, undo: b } => {
            f(*a);
            f(*b);
        }
        Expr::If { condition, then, otherwise } => {
            f(*condition);
            f(*then);
            otherwise.iter().copied().for_each(f);
        }
        Expr::Match { scrutinee: first, arms } | Expr::Catch { body: first, arms } => {
            f(*first);
            for arm in arms {
                arm.guard.iter().copied().for_each(&mut f);
                f(arm.body);
            }
        }
        Expr::For { source, filter, max, parallel, body, .. } => {
            f(*source);
            filter.iter().chain(max).chain(parallel).copied().for_each(&mut f);
            f(*body);
        }
        Expr::Loop { vars, max, body, otherwise } => {
            vars.iter().for_each(|(_, _, first)| f(*first));
            f(*max);
            f(*body);
            f(*otherwise);
        }
        Expr::Race { arms, .. } => arms.iter().copied().for_each(f),
        Expr::Block(stmts) => stmts.iter().for_each(|stmt| match stmt {
            Stmt::Let { value, .. } => f(*value),
            Stmt::Expr(value) => f(*value),
        }),
        Expr::List(items) => items.iter().for_each(|(item, _)| f(*item)),
        Expr::Map(entries) => entries.iter().for_each(|(key, value)| {
            f(*key);
            f(*value);
        }),
    }
}

/// Calls `f` with the expressions among arguments.
pub(crate) fn arg_parts(args: &[Arg], mut f: impl FnMut(ExprId)) {
    for arg in args {
        match &arg.value {
            ArgValue::Expr(value) | ArgValue::Spread(value) => f(*value),
            ArgValue::Selector(..) | ArgValue::Selectors(_) | ArgValue::Callable(..) => {}
        }
    }
}

/// Every expression of a body, parts before wholes: the order in which they were made.
pub(crate) fn parts_first(body: &Body) -> impl Iterator<Item = ExprId> + use<> {
    let count = u32::try_from(body.exprs.len()).unwrap_or(u32::MAX);
    (0..count).map(ExprId)
}

/// Whether the parts of every expression come before it.
pub(crate) fn is_ordered(body: &Body) -> bool {
    (0u32..).zip(&body.exprs).all(|(id, expr)| {
        let mut ordered = true;
        parts(expr, |part| ordered &= part.0 < id);
        ordered
    })
}

/// The expression, or [`Expr::Missing`] for an id of another body.
pub(crate) fn expr(body: &Body, id: ExprId) -> &Expr {
    body.exprs.get(id.index()).unwrap_or(&Expr::Missing)
}

/// The whole number that an expression is before anything runs: a literal, a constant, or sums and products of such.
pub(crate) fn whole_number(hir: &Hir, body: &Body, id: ExprId) -> Option<i64> {
    // Each step costs one; expressions that double by naming constants twice end here, too.
    whole_number_in(hir, body, id, &mut 256)
}

fn whole_number_in(hir: &Hir, body: &Body, id: ExprId, fuel: &mut u32) -> Option<i64> {
    *fuel = fuel.checked_sub(1)?;
    match expr(body, id) {
        Expr::Literal(Literal::Int(n)) => Some(*n),
        Expr::Unary(UnaryOp::Neg, inner) => whole_number_in(hir, body, *inner, fuel)?.checked_neg(),
        Expr::Binary(op, a, b) => {
            let a = whole_number_in(hir, body, *a, fuel)?;
            let b = whole_number_in(hir, body, *b, fuel)?;
            match op {
                BinaryOp::Add => a.checked_add(b),
                BinaryOp::Sub => a.checked_sub(b),
                BinaryOp::Mul => a.checked_mul(b),
                _ => None,
            }
        }
        Expr::Def(def) => {
            let body = hir.body(*def)?;
            whole_number_in(hir, body, body.root?, fuel)
        }
        _ => None,
    }
}

/// A duration that is written out, or a constant that is; in nanoseconds.
pub(crate) fn nanos(hir: &Hir, body: &Body, id: ExprId) -> Option<i64> {
    let (mut body, mut id) = (body, id);
    // Constants may name each other in a circle.
    for _ in 0..64 {
        match expr(body, id) {
            Expr::Literal(Literal::Duration(nanos)) => return Some(*nanos),
            Expr::Def(def) => {
                body = hir.body(*def)?;
                id = body.root?;
            }
            _ => return None,
        }
    }
    None
}

/// The first name in an expression that is bound in its declaration, such as a parameter.
pub(crate) fn first_local(body: &Body, root: ExprId) -> Option<(ExprId, crate::hir::LocalId)> {
    let mut found = None;
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let expr = expr(body, id);
        if let Expr::Local(local) = expr
            && found.is_none_or(|(first, _): (ExprId, _)| id < first)
        {
            found = Some((id, *local));
        }
        parts(expr, |part| open.push(part));
    }
    found
}
