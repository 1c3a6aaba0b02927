//! Forms of the language that are called like functions.

use kait_ir::expr::{BinaryOp, CallShape, Expr as Ir, LogQuery, Voucher};
use kait_ir::types::{Bound, Type};
use kait_ir::{ExprId as IrId, Failure};
use smol_str::SmolStr;

use super::body::BodyLowerer;
use super::growth::named;
use crate::check::ArgSource;
use crate::hir::{Arg, ArgValue, Builtin, Callee, Expr, ExprId, Literal};

impl<'a> BodyLowerer<'_, 'a> {
    pub(super) fn builtin(
        &mut self,
        id: ExprId,
        builtin: Builtin,
        args: &'a [Arg],
        name: Option<&str>,
    ) -> IrId {
        match builtin {
            Builtin::Allow => self.allow(id, args),
            // What it vouches for is for labels; the value is the same.
            Builtin::Endorse => match expr_of(args.first()) {
                Some(value) => {
                    let because = expr_of(args.iter().find(|arg| named(arg, "because")));
                    let because = match because.map(|why| self.hir(why)) {
                        Some(Expr::Literal(Literal::Text(why))) => why.clone(),
                        _ => SmolStr::default(),
                    };
                    let value = self.value(value);
                    self.low.expr(Ir::Vouch(value, Voucher::Endorsed(because)))
                }
                None => self.broken(id, "`endorse` of nothing"),
            },
            Builtin::Calls | Builtin::Attempts => match self.target_of(args.first()) {
                Some(target) if builtin == Builtin::Calls => self.query(LogQuery::Calls(target)),
                Some(target) => self.query(LogQuery::Attempts(target)),
                None => self.broken(id, "a question about what is not called"),
            },
            Builtin::Called => {
                // `called(f, x)`: what follows are the arguments; `called(f("x"))` is the call itself.
                match self.called(id, args) {
                    Some(shape) => self.query(LogQuery::Called(shape)),
                    None => self.broken(id, "a question about what is not called"),
                }
            }
            Builtin::Order => {
                let shapes: Option<Vec<CallShape>> =
                    args.iter().map(|arg| self.shape_of(arg)).collect();
                match shapes {
                    Some(shapes) => self.query(LogQuery::Order(shapes)),
                    None => self.broken(id, "a question about what is not called"),
                }
            }
            Builtin::Header | Builtin::Query | Builtin::Bearer | Builtin::Basic => {
                self.broken(id, "a way to send a value outside the header of an extern")
            }
            Builtin::Ask | Builtin::Choose => self.question(id, builtin, args, &[], name),
            Builtin::SessionSave => self.session_save(id, args),
        }
    }

    fn query(&mut self, query: LogQuery) -> IrId {
        self.low.expr(Ir::CallLog(Box::new(query)))
    }

    fn target_of(&self, arg: Option<&Arg>) -> Option<kait_ir::TargetId> {
        match &arg?.value {
            ArgValue::Callable(Some(def), _) => self.low.targets.get(def).map(|target| target.id),
            _ => None,
        }
    }

    fn called(&mut self, id: ExprId, args: &'a [Arg]) -> Option<CallShape> {
        let (first, rest) = args.split_first()?;
        if rest.is_empty() {
            return self.shape_of(first);
        }
        let target = self.target_of(Some(first))?;
        let types = self.types;
        let sources = types.calls.get(&id).map(|call| call.args.as_slice()).unwrap_or_default();
        let mut found = Vec::new();
        for (param, source) in (0u32..).zip(sources) {
            // Arguments are counted with the callable in front of them.
            if let ArgSource::Arg(arg) = source
                && let Some(value) = expr_of(args.get(*arg as usize))
            {
                found.push((param, self.value(value)));
            }
        }
        Some(CallShape { target, args: found })
    }

    /// `f`, or `f("a")` with what its arguments must equal.
    fn shape_of(&mut self, arg: &'a Arg) -> Option<CallShape> {
        if let Some(target) = self.target_of(Some(arg)) {
            return Some(CallShape { target, args: Vec::new() });
        }
        let call = expr_of(Some(arg))?;
        let Expr::Call { callee: Callee::Def(def), args, .. } = self.hir(call) else { return None };
        let target = self.low.targets.get(def)?.id;
        let types = self.types;
        let sources = types.calls.get(&call).map(|call| call.args.as_slice()).unwrap_or_default();
        let mut found = Vec::new();
        for (param, source) in (0u32..).zip(sources) {
            if let ArgSource::Arg(arg) = source
                && let Some(value) = expr_of(args.get(*arg as usize))
            {
                found.push((param, self.value(value)));
            }
        }
        Some(CallShape { target, args: found })
    }

    /// `allow(x, only: [...])` and `allow(x, matching: r"...")`: the value, or `Invalid`.
    fn allow(&mut self, id: ExprId, args: &'a [Arg]) -> IrId {
        let Some(value) = expr_of(args.first()) else {
            return self.broken(id, "`allow` of nothing");
        };
        let named_arg = |name: &str| expr_of(args.iter().find(|arg| named(arg, name)));
        let ty = self.ty(value);
        let value = self.value(value);
        if let Some(pattern) = named_arg("matching") {
            let Expr::Literal(Literal::Text(regex)) = self.hir(pattern) else {
                let span = self.span(pattern);
                return self.low.not_supported(span, "`matching:` with a computed pattern");
            };
            // The whole text must match, a bound of a type only somewhere.
            let bounds = vec![Bound::Pattern(format!("^(?:{regex})$").into())];
            let ty = self.low.plain(Type::Refined { name: None, base: ty, bounds });
            let tested = self.low.expr(Ir::Check(value, ty, SmolStr::default()));
            return self.low.expr(Ir::Vouch(tested, Voucher::Allowed));
        }
        let Some(only) = named_arg("only") else {
            return self.broken(id, "`allow` without a list");
        };
        let only = self.value(only);
        let local = self.local();
        let read = [(); 2].map(|()| self.low.expr(Ir::Local(local)));
        let [tested, given] = read;
        let is_allowed = self.low.expr(Ir::Binary(BinaryOp::In, tested, only));
        let failure =
            Failure::invalid("", "it is not among the values that are allowed").to_value();
        let failure = self.low.constant(failure);
        let refused = self.low.expr(Ir::Fail(failure));
        let body = self.low.expr(Ir::If(is_allowed, given, refused));
        self.next_local = local;
        let tested = self.low.expr(Ir::Let { local, value, body });
        self.low.expr(Ir::Vouch(tested, Voucher::Allowed))
    }
}

fn expr_of(arg: Option<&Arg>) -> Option<ExprId> {
    match &arg?.value {
        ArgValue::Expr(value) => Some(*value),
        _ => None,
    }
}
