//! Expressions and patterns as text. Operands are always in brackets or commas, so no precedence is needed.

use super::{Dump, MAX_DEPTH, ValueText};
use crate::expr::{
    BinaryOp, CallShape, Expr, ExprArm, ExprId, LogQuery, Pattern, TemplatePart, UnaryOp, Voucher,
};

impl Dump<'_> {
    pub(super) fn expr(&self, id: ExprId) -> String {
        self.expr_at(id, 0)
    }

    fn expr_at(&self, id: ExprId, depth: u32) -> String {
        let Some(expr) = self.program.exprs.get(id.0 as usize) else { return "?".into() };
        let fuel = self.fuel.get();
        if depth > MAX_DEPTH || fuel == 0 {
            return "…".into();
        }
        self.fuel.set(fuel - 1);
        let e = |id: &ExprId| self.expr_at(*id, depth + 1);
        let all = |ids: &[ExprId]| ids.iter().map(e).collect::<Vec<_>>().join(", ");
        let arms = |arms: &[ExprArm]| {
            let text = arms.iter().map(|arm| {
                let guard = arm.guard.map_or(String::new(), |guard| format!(" if {}", e(&guard)));
                format!("{}{guard} => {}", self.pattern(&arm.pattern), e(&arm.body))
            });
            text.collect::<Vec<_>>().join(", ")
        };
        match expr {
            Expr::Const(value) => ValueText(value).to_string(),
            Expr::Slot { up, slot } => self.slot(*up, *slot),
            Expr::Local(local) => format!("%{local}"),
            Expr::Let { local, value, body } => format!("let %{local} = {}; {}", e(value), e(body)),
            Expr::Unary(op, a) => format!("{}({})", unary(*op), e(a)),
            Expr::Binary(op, a, b) => format!("({} {} {})", e(a), binary(*op), e(b)),
            Expr::And(a, b) => format!("({} and {})", e(a), e(b)),
            Expr::Or(a, b) => format!("({} or {})", e(a), e(b)),
            Expr::Coalesce(a, b) => format!("({} ?? {})", e(a), e(b)),
            Expr::If(c, a, b) => format!("if {} {{ {} }} else {{ {} }}", e(c), e(a), e(b)),
            Expr::Match { scrutinee, arms: all } => {
                format!("match {} {{ {} }}", e(scrutinee), arms(all))
            }
            Expr::Is(a, pattern) => format!("({} is {})", e(a), self.pattern(pattern)),
            Expr::Record(fields) => format!("{{{}}}", all(fields)),
            Expr::Variant(tag, fields) if fields.is_empty() => format!("#{tag}"),
            Expr::Variant(tag, fields) => format!("#{tag}({})", all(fields)),
            Expr::List(items) => {
                let items = items.iter().map(|(item, spread)| {
                    format!("{}{}", if *spread { ".." } else { "" }, e(item))
                });
                format!("[{}]", items.collect::<Vec<_>>().join(", "))
            }
            Expr::Map(entries) if entries.is_empty() => "[:]".into(),
            Expr::Map(entries) => {
                let entries =
                    entries.iter().map(|(key, value)| format!("{}: {}", e(key), e(value)));
                format!("[{}]", entries.collect::<Vec<_>>().join(", "))
            }
            Expr::Field(base, index) => format!("{}.{index}", e(base)),
            Expr::OptField(base, index) => format!("{}?.{index}", e(base)),
            Expr::Index(base, index) => format!("{}[{}]", e(base), e(index)),
            Expr::Template(parts) => {
                let parts = parts.iter().map(|part| match part {
                    TemplatePart::Text(text) => text.escape_debug().to_string(),
                    TemplatePart::Value(value, ty) => {
                        format!("${{{}: {}}}", e(value), self.program.type_text(*ty))
                    }
                });
                format!("\"{}\"", parts.collect::<String>())
            }
            Expr::Native { name, args, result, .. } => {
                format!("{name}({}): {}", all(args), self.program.type_text(*result))
            }
            Expr::CallFn(function, args) => {
                let name = self.program.functions.get(function.index());
                format!("{}({})", name.map_or("?", |function| function.name.as_str()), all(args))
            }
            Expr::For { source, pattern, filter, body, max } => {
                let filter = filter.map_or(String::new(), |filter| format!(" if {}", e(&filter)));
                let max = max.map_or(String::new(), |max| format!(" max {}", e(&max)));
                let pattern = self.pattern(pattern);
                format!("for {pattern} in {}{filter}{max} {{ {} }}", e(source), e(body))
            }
            Expr::Loop { state, max, body, otherwise } => {
                let state = state.iter().map(|(local, first)| format!("%{local} = {}", e(first)));
                let state = state.collect::<Vec<_>>().join(", ");
                format!("loop {state} max {} {{ {} }} else {{ {} }}", e(max), e(body), e(otherwise))
            }
            Expr::Catch { body, arms: all } => format!("({} catch {{ {} }})", e(body), arms(all)),
            Expr::Try(body) => format!("try {}", e(body)),
            Expr::Fail(value) => format!("fail {}", e(value)),
            Expr::Check(value, ty, place) => {
                let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
                format!("check({place}{}, {})", e(value), self.program.type_text(*ty))
            }
            Expr::Vouch(value, Voucher::Endorsed(why)) => format!("endorse({}, {why:?})", e(value)),
            Expr::Vouch(value, Voucher::Allowed) => format!("allowed({})", e(value)),
            Expr::CallLog(query) => match &**query {
                LogQuery::Calls(target) => format!("calls({})", self.target(*target)),
                LogQuery::Attempts(target) => format!("attempts({})", self.target(*target)),
                LogQuery::Called(shape) => format!("called({})", self.shape(shape, depth)),
                LogQuery::Order(shapes) => {
                    let shapes = shapes.iter().map(|shape| self.shape(shape, depth));
                    format!("order({})", shapes.collect::<Vec<_>>().join(", "))
                }
            },
        }
    }

    fn shape(&self, shape: &CallShape, depth: u32) -> String {
        let args =
            shape.args.iter().map(|(at, arg)| format!("{at}: {}", self.expr_at(*arg, depth + 1)));
        format!("{}({})", self.target(shape.target), args.collect::<Vec<_>>().join(", "))
    }

    fn slot(&self, up: u32, slot: u32) -> String {
        let mut text = "^".repeat(up.min(16) as usize);
        let Some((region, params)) = self.regions.iter().rev().nth(up as usize) else {
            return format!("{text}?{slot}");
        };
        match slot.checked_sub(region.params) {
            None => {
                text.push('$');
                match params.get(slot as usize) {
                    Some(param) => text.push_str(&param.name),
                    None => text.push_str(&slot.to_string()),
                }
            }
            Some(at) => match region.nodes.get(at as usize) {
                Some(node) => text.push_str(&node.path),
                None => text.push('?'),
            },
        }
        text
    }

    pub(super) fn pattern(&self, pattern: &Pattern) -> String {
        let all = |patterns: &[Pattern]| {
            patterns.iter().map(|p| self.pattern(p)).collect::<Vec<_>>().join(", ")
        };
        let fields = |fields: &[(u32, Pattern)]| {
            let text = fields.iter().map(|(at, p)| format!("{at}: {}", self.pattern(p)));
            text.collect::<Vec<_>>().join(", ")
        };
        match pattern {
            Pattern::Any => "_".into(),
            Pattern::Bind(local) => format!("%{local}"),
            Pattern::Const(value) => ValueText(value).to_string(),
            Pattern::Range(from, to) => format!("{}..{}", ValueText(from), ValueText(to)),
            Pattern::Variant(tag, inner) if inner.is_empty() => format!("#{tag}"),
            Pattern::Variant(tag, inner) => format!("#{tag}({})", fields(inner)),
            Pattern::Record(inner) => format!("{{{}}}", fields(inner)),
            Pattern::List(items, None) => format!("[{}]", all(items)),
            Pattern::List(items, Some(rest)) => {
                let rest = rest.map_or(String::new(), |local| format!("%{local}"));
                let separator = if items.is_empty() { "" } else { ", " };
                format!("[{}{separator}..{rest}]", all(items))
            }
            Pattern::Or(alternatives) => {
                alternatives.iter().map(|p| self.pattern(p)).collect::<Vec<_>>().join(" | ")
            }
            Pattern::Some(inner) => format!("some {}", self.pattern(inner)),
        }
    }
}

fn unary(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Not => "not",
        UnaryOp::Neg => "-",
        UnaryOp::ToFloat => "float",
    }
}

fn binary(op: BinaryOp) -> &'static str {
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
        BinaryOp::In => "in",
    }
}
