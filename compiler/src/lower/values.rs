//! Literals and constants: values that are known when a program is compiled.

use std::sync::Arc;

use kait_ir::expr::Expr;
use kait_ir::{Currency, ExprId, Money, UnaryOp, Value};
use smol_str::SmolStr;

use super::Lowerer;
use crate::hir::Literal;

/// The value of a literal.
pub(super) fn literal(literal: &Literal) -> Value {
    match literal {
        Literal::Int(n) => Value::Int(*n),
        Literal::Float(x) => Value::Float(*x),
        Literal::Text(text) => Value::Text(text.clone()),
        Literal::Bool(b) => Value::Bool(*b),
        Literal::None => Value::None,
        Literal::Duration(nanos) => Value::Duration(*nanos),
        Literal::Size(bytes) => Value::Size(*bytes),
        Literal::Money(amount, currency) => {
            Value::Money(Money { amount: *amount, currency: Currency(*currency) })
        }
    }
}

impl Lowerer<'_> {
    /// Adds an expression to the arena.
    pub(super) fn expr(&mut self, expr: Expr) -> ExprId {
        let id = ExprId(u32::try_from(self.program.exprs.len()).unwrap_or(u32::MAX));
        self.program.exprs.push(expr);
        id
    }

    /// A constant.
    pub(super) fn constant(&mut self, value: Value) -> ExprId {
        self.expr(Expr::Const(value))
    }

    /// An expression of the arena.
    pub(super) fn get(&self, id: ExprId) -> Option<&Expr> {
        self.program.exprs.get(id.0 as usize)
    }

    /// If the value is checked here, says which field or parameter it is for.
    pub(super) fn check_is_for(&mut self, value: ExprId, name: &SmolStr) {
        if let Some(Expr::Check(_, _, place)) = self.program.exprs.get_mut(value.0 as usize) {
            *place = name.clone();
        }
    }

    /// The value of an expression that consists of constants and constructors only.
    pub(super) fn fold(&self, id: ExprId) -> Option<Value> {
        let all = |ids: &[ExprId]| ids.iter().map(|id| self.fold(*id)).collect::<Option<Vec<_>>>();
        Some(match self.get(id)? {
            Expr::Const(value) => value.clone(),
            Expr::Record(fields) => Value::record(all(fields)?),
            Expr::Variant(tag, fields) => Value::variant(*tag, all(fields)?),
            Expr::List(items) if items.iter().all(|(_, spread)| !spread) => {
                let ids: Vec<ExprId> = items.iter().map(|(item, _)| *item).collect();
                Value::list(all(&ids)?)
            }
            Expr::Map(entries) => {
                let mut map = kait_ir::ValueMap::default();
                for (key, value) in entries {
                    map.insert(self.fold(*key)?, self.fold(*value)?);
                }
                Value::Map(Arc::new(map))
            }
            Expr::Vouch(value, _) => self.fold(*value)?,
            Expr::Unary(op, inner) => match (op, self.fold(*inner)?) {
                (UnaryOp::Neg, Value::Int(n)) => Value::Int(n.checked_neg()?),
                (UnaryOp::Neg, Value::Float(x)) => Value::Float(-x),
                (UnaryOp::ToFloat, Value::Int(n)) => Value::Float(n as f64),
                (UnaryOp::Not, Value::Bool(b)) => Value::Bool(!b),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// A copy of an expression with all its parts: what stands in two places must not be shared, because slots are
    /// counted from where they are read.
    pub(super) fn copy(&mut self, id: ExprId) -> ExprId {
        let Some(mut expr) = self.get(id).cloned() else { return id };
        map_children(&mut expr, |child| self.copy(child));
        self.expr(expr)
    }
}

/// Replaces every operand of an expression.
fn map_children(expr: &mut Expr, mut f: impl FnMut(ExprId) -> ExprId) {
    use kait_ir::{LogQuery, TemplatePart};
    let mut each = |id: &mut ExprId| *id = f(*id);
    match expr {
        Expr::Const(_) | Expr::Slot { .. } | Expr::Local(_) => {}
        Expr::Let { value, body, .. } => {
            each(value);
            each(body);
        }
        Expr::Unary(_, a)
        | Expr::Is(a, _)
        | Expr::Field(a, _)
        | Expr::OptField(a, _)
        | Expr::Try(a)
        | Expr::Fail(a)
        | Expr::Vouch(a, _)
        | Expr::Check(a, ..) => each(a),
        Expr::Binary(_, a, b)
        | Expr::And(a, b)
        | Expr::Or(a, b)
        | Expr::Coalesce(a, b)
        | Expr::Index(a, b) => {
            each(a);
            each(b);
        }
        Expr::If(c, a, b) => {
            each(c);
            each(a);
            each(b);
        }
        Expr::Match { scrutinee: first, arms } | Expr::Catch { body: first, arms } => {
            each(first);
            for arm in arms {
                arm.guard.iter_mut().for_each(&mut each);
                each(&mut arm.body);
            }
        }
        Expr::Record(items)
        | Expr::Variant(_, items)
        | Expr::Native { args: items, .. }
        | Expr::CallFn(_, items) => items.iter_mut().for_each(each),
        Expr::List(items) => items.iter_mut().for_each(|(item, _)| each(item)),
        Expr::Map(entries) => entries.iter_mut().for_each(|(key, value)| {
            each(key);
            each(value);
        }),
        Expr::Template(parts) => parts.iter_mut().for_each(|part| {
            if let TemplatePart::Value(value, _) = part {
                each(value);
            }
        }),
        Expr::For { source, filter, body, max, .. } => {
            each(source);
            filter.iter_mut().chain(max).for_each(&mut each);
            each(body);
        }
        Expr::Loop { state, max, body, otherwise } => {
            state.iter_mut().for_each(|(_, first)| each(first));
            each(max);
            each(body);
            each(otherwise);
        }
        Expr::CallLog(query) => match &mut **query {
            LogQuery::Calls(_) | LogQuery::Attempts(_) => {}
            LogQuery::Called(shape) => shape.args.iter_mut().for_each(|(_, arg)| each(arg)),
            LogQuery::Order(shapes) => {
                shapes.iter_mut().flat_map(|shape| &mut shape.args).for_each(|(_, arg)| each(arg));
            }
        },
    }
}
