//! Tests of the evaluator.

use kait_ir::{
    BinaryOp, Currency, Expr, ExprArm, ExprId, Failure, Function, FunctionId, Money, Pattern,
    TemplatePart, Type, TypeId, UnaryOp, Value,
};

use super::Evaluator;
use crate::builder::ProgramBuilder;
use crate::machine::state::NONE;

fn eval_with(b: ProgramBuilder, id: ExprId, steps: u64) -> Result<Value, Failure> {
    let loaded = b.load_as_is().unwrap();
    let mut locals = Vec::new();
    let mut evaluator = Evaluator::new(&loaded, &[], NONE, &[], &mut locals).with_steps(steps);
    evaluator.eval(id).map_err(|failure| *failure)
}

fn eval(build: impl FnOnce(&mut ProgramBuilder) -> ExprId) -> Result<Value, Failure> {
    let mut b = ProgramBuilder::new();
    let id = build(&mut b);
    eval_with(b, id, 1_000_000)
}

fn op(op: BinaryOp, a: Value, b: Value) -> Result<Value, Failure> {
    eval(|e| {
        let (a, b) = (e.value(a), e.value(b));
        e.expr(Expr::Binary(op, a, b))
    })
}

fn usd(text: &str) -> Value {
    money(text, "usd")
}

fn money(text: &str, currency: &str) -> Value {
    let currency = Currency::parse(currency).unwrap();
    Value::Money(Money { amount: text.parse().unwrap(), currency })
}

const fn int(n: i64) -> Value {
    Value::Int(n)
}

#[test]
fn arithmetic_is_exact_or_traps() {
    use BinaryOp::{Add, Div, Mul, Rem, Sub};
    let time = |text: &str| Value::Time(text.parse().unwrap());
    let hour = 3_600_000_000_000;
    for (operator, a, b, result) in [
        (Add, int(2), int(3), int(5)),
        (Div, int(-7), int(2), int(-3)),
        (Rem, int(-7), int(2), int(-1)),
        (Mul, Value::Float(0.5), int(3), Value::Float(1.5)),
        (Add, usd("0.10"), usd("0.20"), usd("0.30")),
        (Mul, usd("19.99"), int(3), usd("59.97")),
        (Mul, Value::Float(0.5), usd("3"), usd("1.5")),
        (Div, usd("10"), usd("4"), Value::Float(2.5)),
        (Div, usd("10"), int(4), usd("2.5")),
        (Sub, time("2026-01-01T01:00:00Z"), time("2026-01-01T00:00:00Z"), Value::Duration(hour)),
        (Add, time("2026-01-01T00:00:00Z"), Value::Duration(hour), time("2026-01-01T01:00:00Z")),
        (Mul, Value::Duration(hour), int(2), Value::Duration(2 * hour)),
        (Div, Value::Duration(hour), Value::Duration(hour / 4), Value::Float(4.0)),
        (Div, Value::Duration(hour), Value::Float(0.5), Value::Duration(2 * hour)),
        (Rem, Value::Duration(7), Value::Duration(4), Value::Duration(3)),
        (Sub, Value::Size(10), Value::Size(4), Value::Size(6)),
        (Mul, int(3), Value::Size(4), Value::Size(12)),
    ] {
        assert_eq!(op(operator, a.clone(), b.clone()), Ok(result), "{operator:?} {a:?} {b:?}");
    }
    for (operator, a, b, why) in [
        (Add, int(i64::MAX), int(1), "the result of `+` is out of range"),
        (Div, int(i64::MIN), int(-1), "the result of `/` is out of range"),
        (Div, int(1), int(0), "division by zero"),
        (Rem, int(1), int(0), "division by zero"),
        (Div, Value::Float(1.0), Value::Float(0.0), "division by zero"),
        (Mul, Value::Float(1e300), Value::Float(1e300), "the result of `*` is out of range"),
        (Add, usd("1"), money("1", "eur"), "mixed currencies: usd and eur"),
        (BinaryOp::Lt, usd("1"), money("1", "eur"), "mixed currencies: usd and eur"),
        (Div, usd("1"), int(0), "division by zero"),
        (Div, usd("1"), usd("0"), "division by zero"),
        (Sub, Value::Size(1), Value::Size(2), "the result of `-` is out of range"),
        (Mul, Value::Duration(i64::MAX), int(2), "the result of `*` is out of range"),
        (Div, Value::Duration(1), int(0), "division by zero"),
        (Rem, Value::Duration(1), Value::Duration(0), "division by zero"),
        (Mul, Value::Duration(i64::MAX), Value::Float(2.0), "the result of `*` is out of range"),
        (Add, Value::text("a"), int(1), "an operator on values of other types than it takes"),
    ] {
        assert_eq!(op(operator, a.clone(), b.clone()), Err(Failure::trap(why)), "{a:?} {b:?}");
    }
    let negated = eval(|e| {
        let least = e.int(i64::MIN);
        e.expr(Expr::Unary(UnaryOp::Neg, least))
    });
    assert!(matches!(negated, Err(Failure::Trap { .. })));
}

#[test]
fn comparisons_and_membership() {
    use BinaryOp::{Eq, Ge, In, Lt, Ne};
    let list = Value::list(vec![int(1), int(2)]);
    for (operator, a, b, holds) in [
        (Eq, Value::Float(1.0), int(1), true),
        (Ne, usd("20.00"), usd("20"), false),
        (Lt, Value::text("a"), Value::text("b"), true),
        (Ge, Value::Tag(1), Value::Tag(0), true),
        (In, int(2), list.clone(), true),
        (In, int(3), list, false),
        (In, Value::text("ell"), Value::text("hello"), true),
    ] {
        assert_eq!(op(operator, a, b), Ok(Value::Bool(holds)));
    }
}

#[test]
fn only_the_chosen_side_is_evaluated() {
    let failing = |e: &mut ProgramBuilder| {
        let failure = e.value(Failure::failed("no").to_value());
        e.expr(Expr::Fail(failure))
    };
    for (name, result) in [
        ("and", Value::Bool(false)),
        ("or", Value::Bool(true)),
        ("if", int(1)),
        ("coalesce", int(1)),
    ] {
        let got = eval(|e| {
            let bad = failing(e);
            let one = e.int(1);
            let (yes, no) = (e.value(Value::Bool(true)), e.value(Value::Bool(false)));
            e.expr(match name {
                "and" => Expr::And(no, bad),
                "or" => Expr::Or(yes, bad),
                "if" => Expr::If(yes, one, bad),
                _ => Expr::Coalesce(one, bad),
            })
        });
        assert_eq!(got, Ok(result), "{name}");
    }
    assert_eq!(eval(failing), Err(Failure::failed("no")));
}

#[test]
fn patterns_bind_what_they_match() {
    let value = Value::Variant(1, [Value::list(vec![int(1), int(2), int(3)])].into());
    let pattern = Pattern::Variant(
        1,
        vec![(0, Pattern::List(vec![Pattern::Const(int(1)), Pattern::Bind(0)], Some(Some(1))))],
    );
    let got = eval(|e| {
        let scrutinee = e.value(value);
        let (second, rest) = (e.expr(Expr::Local(0)), e.expr(Expr::Local(1)));
        let both = e.expr(Expr::List(vec![(second, false), (rest, true)]));
        let zero = e.int(0);
        e.expr(Expr::Match {
            scrutinee,
            arms: vec![
                ExprArm { pattern: Pattern::Variant(0, vec![]), guard: None, body: zero },
                ExprArm { pattern, guard: None, body: both },
            ],
        })
    });
    assert_eq!(got, Ok(Value::list(vec![int(2), int(3)])));
    let is = |value: Value, pattern: Pattern| {
        eval(|e| {
            let value = e.value(value);
            e.expr(Expr::Is(value, pattern))
        })
    };
    let range = Pattern::Range(int(1), int(3));
    assert_eq!(is(int(3), range.clone()), Ok(Value::Bool(true)));
    assert_eq!(is(int(4), range), Ok(Value::Bool(false)));
    let some = Pattern::Some(Box::new(Pattern::Any));
    assert_eq!(is(Value::None, some), Ok(Value::Bool(false)));
    let exactly_one = Pattern::List(vec![Pattern::Any], None);
    assert_eq!(is(Value::list(vec![]), exactly_one), Ok(Value::Bool(false)));
}

#[test]
fn loops_maps_and_calls() {
    // fn twice(n) { n + n }; for n in [1, 2, none, 3] (some) if n != 2 { twice(n) }
    let got = eval(|e| {
        let n = e.expr(Expr::Local(0));
        let body = e.expr(Expr::Binary(BinaryOp::Add, n, n));
        e.program.functions.push(Function {
            name: "twice".into(),
            params: vec![TypeId(0)],
            result: TypeId(0),
            body,
        });
        let source = e.value(Value::list(vec![int(1), int(2), Value::None, int(3)]));
        let item = e.expr(Expr::Local(3));
        let two = e.int(2);
        let filter = e.expr(Expr::Binary(BinaryOp::Ne, item, two));
        let call = e.expr(Expr::CallFn(FunctionId(0), vec![item]));
        e.expr(Expr::For {
            source,
            pattern: Pattern::Some(Box::new(Pattern::Bind(3))),
            filter: Some(filter),
            body: call,
            max: None,
        })
    });
    assert_eq!(got, Ok(Value::list(vec![int(2), int(6)])));

    // loop a = 0, b = 1 max 10 { next(a: b, b: a + b) } else { a }
    let fibonacci = |max: i64| {
        eval(|e| {
            let (a, b) = (e.expr(Expr::Local(0)), e.expr(Expr::Local(1)));
            let sum = e.expr(Expr::Binary(BinaryOp::Add, a, b));
            let next = e.expr(Expr::Variant(1, vec![b, sum]));
            let (zero, one) = (e.int(0), e.int(1));
            let max = e.int(max);
            let state = vec![(0, zero), (1, one)];
            e.expr(Expr::Loop { state, max, body: next, otherwise: a })
        })
    };
    assert_eq!(fibonacci(10), Ok(int(55)));
    assert_eq!(fibonacci(0), Ok(int(0)));
    assert_eq!(fibonacci(200), Err(Failure::trap("the result of `+` is out of range")));
}

#[test]
fn catch_and_try_cover_what_they_may() {
    let with = |failure: Failure, pattern: Pattern| {
        eval(|e| {
            let value = e.value(failure.to_value());
            let body = e.expr(Expr::Fail(value));
            let seven = e.int(7);
            let arms = vec![ExprArm { pattern, guard: None, body: seven }];
            e.expr(Expr::Catch { body, arms })
        })
    };
    let denied = Failure::Denied { by: "a".into(), why: "b".into() };
    assert_eq!(with(Failure::Timeout, Pattern::Any), Ok(int(7)));
    assert_eq!(with(denied.clone(), Pattern::Any), Err(denied.clone()));
    assert_eq!(with(denied, Pattern::Bind(0)), Ok(int(7)));
    let tried = eval(|e| {
        let value = e.value(Failure::Timeout.to_value());
        let body = e.expr(Expr::Fail(value));
        e.expr(Expr::Try(body))
    });
    assert_eq!(tried, Ok(Value::Variant(1, [Value::Tag(0)].into())));
}

#[test]
fn templates_render_and_are_bounded() {
    let mut b = ProgramBuilder::new();
    let (text, n) = (b.ty(Type::Text), b.ty(Type::Int));
    let (name, count) = (b.text("Ada"), b.int(3));
    let id = b.expr(Expr::Template(vec![
        TemplatePart::Text("Hello ".into()),
        TemplatePart::Value(name, text),
        TemplatePart::Text(", ".into()),
        TemplatePart::Value(count, n),
    ]));
    assert_eq!(eval_with(b, id, 1000), Ok(Value::text("Hello Ada, 3")));

    // loop s = "0123456789…" max 60 { next(s: "${s}${s}") }: it stops at the limit, not when memory is gone.
    let bounded = eval(|e| {
        let state = e.expr(Expr::Local(0));
        let twice = e.expr(Expr::Template(vec![
            TemplatePart::Value(state, TypeId(0)),
            TemplatePart::Value(state, TypeId(0)),
        ]));
        let next = e.expr(Expr::Variant(1, vec![twice]));
        let first = e.text("0123456789");
        let max = e.int(60);
        e.expr(Expr::Loop { state: vec![(0, first)], max, body: next, otherwise: state })
    });
    assert_eq!(bounded, Err(Failure::Budget { kind: "bytes".into() }));
}

#[test]
fn nothing_hangs_or_overflows_the_stack() {
    // A function that calls itself for ever.
    let mut b = ProgramBuilder::new();
    let n = b.expr(Expr::Local(0));
    let call = b.expr(Expr::CallFn(FunctionId(0), vec![n]));
    b.program.functions.push(Function {
        name: "f".into(),
        params: vec![TypeId(0)],
        result: TypeId(0),
        body: call,
    });
    let one = b.int(1);
    let again = b.expr(Expr::CallFn(FunctionId(0), vec![one]));
    let why = "an expression nests deeper than 256 levels";
    assert_eq!(eval_with(b, again, 1_000_000), Err(Failure::trap(why)));
    // A loop of a billion rounds.
    let endless = eval(|e| {
        let next = e.expr(Expr::Variant(1, vec![]));
        let (max, zero) = (e.int(i64::MAX), e.int(0));
        e.expr(Expr::Loop { state: vec![], max, body: next, otherwise: zero })
    });
    assert!(matches!(endless, Err(Failure::Trap { message }) if message.contains("steps")));
    // Ten thousand `let`s in a row are no nesting at all.
    let flat = eval(|e| {
        let mut body = e.expr(Expr::Local(0));
        let one = e.int(1);
        for _ in 0..10_000 {
            body = e.expr(Expr::Let { local: 0, value: one, body });
        }
        body
    });
    assert_eq!(flat, Ok(int(1)));
}

#[test]
fn values_do_not_nest_without_end() {
    // loop x = 0 max 1_000_000 { next(x: [x]) }
    let nested = eval(|e| {
        let state = e.expr(Expr::Local(0));
        let list = e.expr(Expr::List(vec![(state, false)]));
        let next = e.expr(Expr::Variant(1, vec![list]));
        let (zero, max) = (e.int(0), e.int(1_000_000));
        e.expr(Expr::Loop { state: vec![(0, zero)], max, body: next, otherwise: state })
    });
    assert_eq!(nested, Err(Failure::trap("a value nests deeper than 1000 levels")));
}

#[test]
fn damaged_programs_trap_instead_of_panicking() {
    for expr in [
        Expr::Slot { up: 3, slot: 9 },
        Expr::Field(ExprId(0), 7),
        Expr::Index(ExprId(0), ExprId(0)),
        Expr::Is(ExprId(0), Pattern::Variant(3, vec![(9, Pattern::Any)])),
        Expr::Match { scrutinee: ExprId(0), arms: vec![] },
        Expr::For {
            source: ExprId(0),
            pattern: Pattern::Any,
            filter: None,
            body: ExprId(0),
            max: None,
        },
        Expr::And(ExprId(0), ExprId(0)),
        Expr::Loop { state: vec![], max: ExprId(0), body: ExprId(0), otherwise: ExprId(0) },
    ] {
        let _ = eval(|e| {
            e.int(1);
            e.expr(expr.clone())
        });
    }
}
