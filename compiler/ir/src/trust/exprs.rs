//! Expressions: where what they give comes from. Operands are looked at in the order in which they are evaluated, so that
//! each local is known where it is read.

use smol_str::format_smolstr;

use super::flow::{Flow, Shape};
use super::label::Label;
use super::nodes::{Checker, StateOf};
use crate::expr::{BinaryOp, Expr, ExprArm, ExprId, Pattern, TemplatePart, UnaryOp, Voucher};
use crate::program::FunctionId;
use crate::types::{Bound, Trust, Type, TypeId};

impl Checker<'_> {
    /// The value of an expression. Long blocks of `let`s are flat.
    pub(super) fn eval(&mut self, mut id: ExprId) -> Flow {
        let program = self.program;
        loop {
            match program.exprs.get(id.0 as usize) {
                Some(Expr::Let { local, value, body }) => {
                    let value = self.eval(*value);
                    self.set(*local, value);
                    id = *body;
                }
                Some(expr) => return self.eval_one(id, expr),
                None => return Flow::OUTSIDE,
            }
        }
    }

    fn all(&mut self, ids: &[ExprId]) -> Vec<Flow> {
        ids.iter().map(|id| self.eval(*id)).collect()
    }

    fn eval_one(&mut self, id: ExprId, expr: &Expr) -> Flow {
        match expr {
            Expr::Const(_) | Expr::CallLog(_) => Flow::ANY,
            Expr::Slot { up, slot } => self.slot(*up, *slot),
            Expr::Local(local) => {
                self.locals.get(*local as usize).cloned().unwrap_or(Flow::OUTSIDE)
            }
            Expr::Let { .. } => self.eval(id),
            Expr::Unary(op, a) => {
                let a = self.eval(*a);
                match op {
                    UnaryOp::Not => Flow::ANY,
                    UnaryOp::Neg | UnaryOp::ToFloat => Flow::of(a.label, Shape::Number),
                }
            }
            Expr::Binary(op, a, b) => {
                let (a, b) = (self.eval(*a), self.eval(*b));
                match op {
                    BinaryOp::Add
                    | BinaryOp::Sub
                    | BinaryOp::Mul
                    | BinaryOp::Div
                    | BinaryOp::Rem => {
                        let label = self.values.opaque(&a).join(self.values.opaque(&b));
                        Flow::of(label, Shape::Number)
                    }
                    // A test never taints.
                    _ => Flow::ANY,
                }
            }
            Expr::And(a, b) | Expr::Or(a, b) => {
                self.eval(*a);
                self.eval(*b);
                Flow::ANY
            }
            Expr::Is(a, _) => {
                self.eval(*a);
                Flow::ANY
            }
            Expr::Coalesce(a, b) => {
                let a = self.eval(*a);
                let b = self.eval(*b);
                self.values.join(&a, &b)
            }
            Expr::If(condition, yes, no) => {
                self.eval(*condition);
                let yes = self.eval(*yes);
                let no = self.eval(*no);
                self.values.join(&yes, &no)
            }
            Expr::Match { scrutinee, arms } => {
                let value = self.eval(*scrutinee);
                self.arms(Flow::ANY, &value, arms)
            }
            Expr::Catch { body, arms } => {
                let body = self.eval(*body);
                // A failure may say what somebody outside wrote, whatever its fields are declared to be.
                self.arms(body, &Flow::OUTSIDE, arms)
            }
            Expr::Try(body) => {
                let value = self.eval(*body);
                self.tried(value)
            }
            Expr::Fail(value) => {
                self.eval(*value);
                Flow::ANY
            }
            Expr::Record(fields) => {
                let fields = self.all(fields);
                self.values.record(fields)
            }
            Expr::Variant(tag, fields) => {
                let fields = self.all(fields);
                self.values.variant(*tag, fields)
            }
            Expr::List(items) => {
                let mut joined = Flow::ANY;
                for (item, is_spread) in items {
                    let mut item = self.eval(*item);
                    if *is_spread {
                        item = self.values.item(&item);
                    }
                    joined = self.values.join(&joined, &item);
                }
                self.values.list(joined)
            }
            Expr::Map(entries) => {
                let (mut keys, mut values) = (Flow::ANY, Flow::ANY);
                for (key, value) in entries {
                    let key = self.eval(*key);
                    keys = self.values.join(&keys, &key);
                    let value = self.eval(*value);
                    values = self.values.join(&values, &value);
                }
                self.values.map(keys, values)
            }
            Expr::Field(base, index) | Expr::OptField(base, index) => {
                let base = self.eval(*base);
                self.values.field(&base, None, *index)
            }
            Expr::Index(base, index) => {
                let base = self.eval(*base);
                self.eval(*index);
                self.values.item(&base)
            }
            Expr::Template(parts) => {
                let mut label = Label::CLEAR;
                for part in parts {
                    if let TemplatePart::Value(value, _) = part {
                        let value = self.eval(*value);
                        label = label.join(self.values.opaque(&value));
                    }
                }
                Flow::of(label, Shape::Plain)
            }
            Expr::Native { name, args, result, params } => {
                let args = self.all(args);
                self.native(id, name, &args, params, *result)
            }
            Expr::CallFn(function, args) => {
                let args = self.all(args);
                self.call_function(*function, &args)
            }
            Expr::For { source, pattern, filter, body, max } => {
                let source = self.eval(*source);
                max.iter().for_each(|max| drop(self.eval(*max)));
                let item = self.values.item(&source);
                self.bind(pattern, &item);
                filter.iter().for_each(|filter| drop(self.eval(*filter)));
                let item = self.eval(*body);
                self.values.list(item)
            }
            Expr::Loop { state, max, body, otherwise } => {
                let mut first = Vec::with_capacity(state.len());
                for (_, value) in state {
                    first.push(self.eval(*value));
                }
                self.eval(*max);
                let of = StateOf::Expr(id);
                let known = self.states(of, first);
                for ((local, _), value) in state.iter().zip(known) {
                    self.set(*local, value);
                }
                let step = self.eval(*body);
                let done = self.stepped(of, &step);
                let known = self.states(of, Vec::new());
                for ((local, _), value) in state.iter().zip(known) {
                    self.set(*local, value);
                }
                let otherwise = self.eval(*otherwise);
                self.values.join(&done, &otherwise)
            }
            Expr::Check(value, ty, _) => {
                let value = self.eval(*value);
                self.at_type(&value, *ty, true)
            }
            Expr::Vouch(value, how) => {
                let inner = self.eval(*value);
                if *how == Voucher::Allowed {
                    self.allowed(*value);
                }
                let shape = match inner.shape {
                    Shape::Typed(ty) => Shape::Typed(ty),
                    Shape::Plain => Shape::Plain,
                    Shape::Number => Shape::Number,
                    _ => Shape::Any,
                };
                Flow::of(Label::CLEAR, shape)
            }
        }
    }

    /// `Ok(value)` or `Failed(failure)`: the second is another's word.
    pub(super) fn tried(&mut self, value: Flow) -> Flow {
        let ok = self.values.variant(0, vec![value]);
        let failed = self.values.variant(1, vec![Flow::OUTSIDE]);
        self.values.join(&ok, &failed)
    }

    pub(super) fn set(&mut self, local: u32, value: Flow) {
        if let Some(slot) = self.locals.get_mut(local as usize) {
            *slot = value;
        }
    }

    fn arms(&mut self, mut joined: Flow, value: &Flow, arms: &[ExprArm]) -> Flow {
        for arm in arms {
            self.bind(&arm.pattern, value);
            arm.guard.iter().for_each(|guard| drop(self.eval(*guard)));
            let body = self.eval(arm.body);
            joined = self.values.join(&joined, &body);
        }
        joined
    }

    /// Writes the locals of a pattern.
    pub(super) fn bind(&mut self, pattern: &Pattern, value: &Flow) {
        match pattern {
            Pattern::Any | Pattern::Const(_) | Pattern::Range(..) => {}
            Pattern::Bind(local) => self.set(*local, value.clone()),
            Pattern::Variant(tag, fields) => {
                for (index, inner) in fields {
                    let part = self.values.field(value, Some(*tag), *index);
                    self.bind(inner, &part);
                }
            }
            Pattern::Record(fields) => {
                for (index, inner) in fields {
                    let part = self.values.field(value, None, *index);
                    self.bind(inner, &part);
                }
            }
            Pattern::List(items, rest) => {
                let item = self.values.item(value);
                items.iter().for_each(|inner| self.bind(inner, &item));
                if let Some(Some(local)) = rest {
                    self.set(*local, value.clone());
                }
            }
            Pattern::Or(alternatives) => {
                let Some((first, others)) = alternatives.split_first() else { return };
                self.bind(first, value);
                let binders = first.binders();
                for other in others {
                    let known: Vec<Flow> = binders
                        .iter()
                        .map(|at| self.locals.get(*at as usize).cloned().unwrap_or(Flow::OUTSIDE))
                        .collect();
                    self.bind(other, value);
                    for (local, known) in binders.iter().zip(&known) {
                        let found = self.locals.get(*local as usize).cloned();
                        let joined = self.values.join(known, &found.unwrap_or(Flow::OUTSIDE));
                        self.set(*local, joined);
                    }
                }
            }
            Pattern::Some(inner) => self.bind(inner, value),
        }
    }

    /// A value where a type is expected; what must be trusted in it is.
    pub(super) fn at_type(&mut self, value: &Flow, ty: TypeId, checked: bool) -> Flow {
        let found = self.values.conform(value, ty, checked);
        let program = self.program;
        self.wants(found.wants, || {
            format_smolstr!(
                "it makes a `{}`, of which a field is `trusted`, out of what nobody vouches for",
                program.type_text(ty)
            )
        });
        found.flow
    }

    /// A pure function of the library.
    fn native(
        &mut self,
        id: ExprId,
        name: &str,
        args: &[Flow],
        params: &[TypeId],
        result: TypeId,
    ) -> Flow {
        let known = self.native_of(id);
        let mut joined = Label::CLEAR;
        for (index, arg) in args.iter().enumerate() {
            let arg = match params.get(index) {
                Some(ty) => self.at_type(arg, *ty, false),
                None => arg.clone(),
            };
            if known.params.get(index).copied().flatten().is_some_and(Trust::wants_trusted) {
                self.wants(arg.label, || wanted(&format!("argument {}", index + 1), name));
            }
            joined = joined.join(match &known.moves {
                Some(moved) if moved.get(index) == Some(&true) => arg.label,
                Some(_) => Label::CLEAR,
                None => self.values.opaque(&arg),
            });
        }
        if known.moves.is_none() && self.values.types.get(result).holds_clear {
            let program = self.program;
            self.wants(joined, || {
                format_smolstr!(
                    "`{name}` makes a `{}`, of which a field is `trusted`, out of what nobody vouches for",
                    program.type_text(result)
                )
            });
        }
        let label = match known.result {
            None => joined,
            Some(Trust::Trusted) => Label::CLEAR,
            Some(_) => Label::MARKED,
        };
        self.values.typed(label, result)
    }

    fn call_function(&mut self, id: FunctionId, args: &[Flow]) -> Flow {
        let program = self.program;
        let Some(function) = program.functions.get(id.index()) else { return Flow::OUTSIDE };
        let summary = self.functions.get(id.index()).copied().unwrap_or_default();
        let mut labels = Vec::with_capacity(args.len());
        for (index, (arg, ty)) in args.iter().zip(&function.params).enumerate() {
            let arg = self.at_type(arg, *ty, false);
            if summary.needs.has(index) {
                let param = format!("argument {}", index + 1);
                self.wants(arg.label, || wanted(&param, &function.name));
            }
            labels.push(arg.label);
        }
        self.applied(summary, &labels, function.result)
    }

    /// That `allow` tests what it lets through against what the program knows.
    fn allowed(&mut self, value: ExprId) {
        let program = self.program;
        let expr = |id: ExprId| program.exprs.get(id.0 as usize);
        let only = match expr(value) {
            Some(Expr::Check(_, ty, _)) => {
                let whole = |bound: &Bound| match bound {
                    Bound::Pattern(regex) => regex.starts_with("^(?:") && regex.ends_with(")$"),
                    _ => false,
                };
                match program.types.get(*ty) {
                    Type::Refined { bounds, .. } if bounds.iter().any(whole) => return,
                    _ => None,
                }
            }
            Some(Expr::Let { local, body, .. }) => match expr(*body) {
                Some(Expr::If(test, yes, no)) => {
                    let is_local = |id| expr(id) == Some(&Expr::Local(*local));
                    match (expr(*test), expr(*no)) {
                        (Some(Expr::Binary(BinaryOp::In, tested, only)), Some(Expr::Fail(_)))
                            if is_local(*tested) && is_local(*yes) =>
                        {
                            Some(*only)
                        }
                        _ => None,
                    }
                }
                _ => None,
            },
            _ => None,
        };
        let Some(only) = only else {
            return self.refuse(
                "it says that `allow` has looked at a value, but nothing tests the value".into(),
            );
        };
        let only = self.eval(only);
        self.wants(only.label, || {
            "what `allow` compares with must be trusted itself, and nobody vouches for it".into()
        });
    }
}

/// What is wrong with a value at a place that takes only trusted ones.
pub(super) fn wanted(param: &str, callee: &str) -> smol_str::SmolStr {
    format_smolstr!(
        "`{param}` of `{callee}` takes only what somebody vouches for, and what it is given comes from outside: it needs \
         an approve node that shows it to a person, or `allow` or `endorse` on its way"
    )
}
