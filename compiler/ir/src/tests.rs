//! Tests of encoding, verifier and dump over a program that holds one of everything.

use std::sync::Arc;

use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::codec::{CodecError, MAX_DEPTH};
use crate::encode::{decode, encode, hash};
use crate::expr::*;
use crate::program::*;
use crate::types::*;
use crate::value::*;
use crate::verify::{Place, Problem, verify};

mod specimen;

pub(crate) use specimen::specimen;

#[test]
fn the_specimen_is_valid_and_survives_encoding() {
    let program = specimen();
    assert_eq!(verify(&program), Ok(()));
    let bytes = encode(&program);
    let back = decode(&bytes).unwrap();
    assert_eq!(back, program.clone().without_spans());
    assert_eq!(encode(&back), bytes);
    assert_eq!(verify(&back), Ok(()));
}

#[test]
fn the_hash_ignores_places_and_nothing_else() {
    let program = specimen();
    assert_eq!(hash(&program), hash(&program.clone().without_spans()));
    let mut other = program.clone();
    other.graphs[1].docs = "Another text for the model.".into();
    assert_ne!(hash(&program), hash(&other));
    assert_eq!(hash(&program).to_string().len(), 64);
}

#[test]
fn decoding_refuses_what_encoding_does_not_write() {
    let bytes = encode(&specimen());
    assert!(decode(b"").is_err() && decode(b"KAIT").is_err());
    assert!(decode(&[&bytes[..], &[0]].concat()).is_err(), "bytes after the end");
    for end in 0..bytes.len() {
        assert!(decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    let mut deep = Value::Int(1);
    for _ in 0..MAX_DEPTH + 1 {
        deep = Value::list(vec![deep]);
    }
    let program = Program { exprs: vec![Expr::Const(deep)], ..Program::default() };
    assert!(matches!(
        decode(&encode(&program)),
        Err(crate::DecodeError::Damaged(CodecError::TooDeep(_)))
    ));
}

proptest! {
    #[test]
    fn any_bytes_decode_to_an_error_or_to_what_they_encode(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = encode(&specimen());
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.remove(cut.index(bytes.len()));
        }
        if let Ok(program) = decode(&bytes) {
            prop_assert_eq!(encode(&program), bytes);
            // Whatever came out, looking at it never panics.
            let _ = verify(&program);
            let _ = program.to_string();
        }
    }

    #[test]
    fn bytes_from_nowhere_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        let _ = decode(&[b"KAIT\x01", &bytes[..]].concat());
    }

    #[test]
    fn values_survive_encoding(value in value()) {
        let program = Program { exprs: vec![Expr::Const(value)], ..Program::default() };
        prop_assert_eq!(decode(&encode(&program)).unwrap(), program);
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::None),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-1e300f64..1e300).prop_map(Value::Float),
        ".*".prop_map(Value::text),
        any::<i64>().prop_map(Value::Duration),
        any::<u64>().prop_map(Value::Size),
        (any::<i64>(), 0u32..28).prop_map(|(n, scale)| Value::Money(Money {
            amount: Decimal::new(n, scale),
            currency: Currency(*b"eur"),
        })),
        (-1_000_000_000i64..1_000_000_000, -999_999_999i32..1_000_000_000)
            .prop_map(|(s, n)| Value::Time(jiff::Timestamp::new(s, n).unwrap())),
        any::<u32>().prop_map(Value::Tag),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::list),
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::record),
            (any::<u32>(), proptest::collection::vec(inner.clone(), 1..4))
                .prop_map(|(tag, fields)| Value::variant(tag, fields)),
            proptest::collection::vec((inner.clone(), inner), 0..4)
                .prop_map(|entries| Value::Map(Arc::new(entries.into_iter().collect()))),
        ]
    })
}

/// What the verifier says about the specimen after a change.
fn broken(change: impl FnOnce(&mut Program)) -> Vec<Problem> {
    let mut program = specimen();
    change(&mut program);
    let errors = verify(&program).expect_err("the change should be noticed");
    errors.into_iter().map(|error| error.problem).collect()
}

fn main_body(program: &mut Program) -> &mut Region {
    let body = program.graphs[0].body;
    &mut program.regions[body.index()]
}

#[test]
fn the_verifier_recomputes_every_fact() {
    let fact = |name| vec![Problem::Fact(name)];
    assert_eq!(broken(|p| main_body(p).nodes[1].data.clear()), fact("data"));
    assert_eq!(broken(|p| main_body(p).nodes[1].outer.push((1, 0))), fact("outer"));
    assert_eq!(broken(|p| main_body(p).nodes[2].holds_gate = false), fact("holds_gate"));
    assert_eq!(broken(|p| main_body(p).nodes[2].writes.clear()), fact("writes"));
    assert_eq!(broken(|p| main_body(p).nodes[2].reads.clear()), fact("reads"));
    assert_eq!(broken(|p| main_body(p).nodes[2].gate = Gate::Free), fact("gate"));
    assert_eq!(
        broken(|p| {
            if let NodeKind::Map(map) = &mut main_body(p).nodes[5].kind {
                map.sequential = true;
            }
        }),
        fact("sequential")
    );
}

#[test]
fn filling_in_facts_gives_what_the_verifier_wants() {
    let program = specimen();
    let mut bare = program.clone();
    for node in bare.regions.iter_mut().flat_map(|region| &mut region.nodes) {
        node.data.clear();
        node.outer.clear();
        node.gate = Gate::Free;
        node.holds_gate = false;
        node.reads.clear();
        node.writes.clear();
    }
    assert!(verify(&bare).is_err());
    crate::fill(&mut bare);
    assert_eq!(bare, program);
}

#[test]
fn a_long_block_is_not_a_deep_one() {
    let mut program = specimen();
    program.exprs.push(Expr::Const(Value::Int(0)));
    let value = ExprId(program.exprs.len() as u32 - 1);
    let mut body = value;
    for local in 1..20_000 {
        program.exprs.push(Expr::Let { local, value, body });
        body = ExprId(program.exprs.len() as u32 - 1);
    }
    program.max_locals = 20_000;
    program.functions.push(Function {
        name: "long".into(),
        params: vec![],
        result: TypeId(0),
        body,
    });
    assert_eq!(verify(&program), Ok(()));
}

#[test]
fn the_verifier_follows_effects_through_regions_and_calls() {
    // The callee pays: its caller's call, and whatever encloses it, must say so.
    let pay = |p: &mut Program| {
        let body = p.graphs[1].body;
        let paying = main_body(p).nodes[2].clone();
        p.regions[body.index()].nodes.push(paying);
    };
    assert_eq!(broken(pay), vec![Problem::Fact("holds_gate"), Problem::Fact("writes")]);
    let race = |p: &mut Program| {
        let paying = main_body(p).nodes[2].clone();
        let NodeKind::Race { arms, .. } = &main_body(p).nodes[7].kind else { unreachable!() };
        let arm = arms[0];
        p.regions[arm.index()].nodes.push(paying);
    };
    assert!(broken(race).contains(&Problem::Rule("an arm of a race writes")));
}

#[test]
fn slots_locals_and_regions_are_known_where_they_are_used() {
    let slot = |up, slot| Problem::Slot { up, slot };
    assert!(broken(|p| function(p, Expr::Slot { up: 0, slot: 0 })).contains(&slot(0, 0)));
    let below = |p: &mut Program| {
        p.exprs.push(Expr::Slot { up: 0, slot: 9 });
        let last = ExprId(p.exprs.len() as u32 - 1);
        main_body(p).nodes[0].kind = NodeKind::Pure(last);
    };
    assert!(broken(below).contains(&slot(0, 9)));
    assert_eq!(
        broken(|p| p.functions[0].params.clear()),
        vec![Problem::Count { what: "arguments", found: 1, wanted: 0 }]
    );
    assert!(
        broken(|p| {
            p.exprs.push(Expr::Local(5));
            p.functions[0].body = ExprId(p.exprs.len() as u32 - 1);
        })
        .contains(&Problem::Unwritten(5))
    );
    let shared = |p: &mut Program| {
        let body = p.graphs[1].body;
        main_body(p).nodes[9].kind = NodeKind::Try(body);
    };
    assert!(broken(shared).contains(&Problem::Uses(2)));
    assert!(
        broken(|p| p.graphs[2].body = RegionId(999))
            .contains(&Problem::Missing { what: "region", index: 999 })
    );
    let arm = |p: &mut Program| {
        if let NodeKind::Switch { arms, .. } = &mut main_body(p).nodes[4].kind {
            arms[0].pattern = Pattern::Bind(1);
            arms[0].guard = None;
        }
    };
    assert_eq!(broken(arm), vec![Problem::Rule("binders of an arm are not its first locals")]);
}

/// Adds a function with that body.
fn function(program: &mut Program, body: Expr) {
    program.exprs.push(body);
    let body = ExprId(program.exprs.len() as u32 - 1);
    program.functions.push(Function { name: "f".into(), params: vec![], result: TypeId(0), body });
}

#[test]
fn everything_ends() {
    // Expressions are acyclic, functions and graphs do not recurse without bound, types have an end.
    assert_eq!(broken(|p| p.exprs[0] = Expr::Try(ExprId(0))), vec![Problem::Forward(0)]);
    let recursive = |p: &mut Program| {
        function(p, Expr::CallFn(FunctionId(2), vec![]));
    };
    assert_eq!(broken(recursive), vec![Problem::Recursion]);
    let calls_itself = |p: &mut Program| {
        if let NodeKind::Call(call) = &mut main_body(p).nodes[1].kind {
            call.graph = GraphId(0);
        }
    };
    assert!(broken(calls_itself).contains(&Problem::Recursion));
    let mut bounded = specimen();
    calls_itself(&mut bounded);
    bounded.graphs[0].depth = Some(3);
    // It is recursive now, so the call is as gated as the graph.
    main_body(&mut bounded).nodes[1].holds_gate = true;
    main_body(&mut bounded).nodes[1].writes = vec![ResourceId(1)];
    assert_eq!(verify(&bounded), Ok(()));
    let list = |p: &mut Program| p.types.set(TypeId(16), Type::List(TypeId(16)));
    assert_eq!(broken(list), vec![Problem::Cycle]);
    let deep = |p: &mut Program| {
        p.exprs.push(Expr::Const(Value::Bool(true)));
        for _ in 0..crate::verify::MAX_EXPR_DEPTH {
            let last = ExprId(p.exprs.len() as u32 - 1);
            p.exprs.push(Expr::Unary(UnaryOp::Not, last));
        }
    };
    assert!(matches!(broken(deep)[..], [Problem::TooDeep { .. }]));
    let shared = |p: &mut Program| {
        p.exprs.push(Expr::Const(Value::Int(1)));
        for _ in 0..60 {
            let last = ExprId(p.exprs.len() as u32 - 1);
            p.exprs.push(Expr::Binary(BinaryOp::Add, last, last));
        }
        let last = ExprId(p.exprs.len() as u32 - 1);
        function(p, Expr::Try(last));
    };
    assert_eq!(broken(shared), vec![Problem::Sharing]);
}

#[test]
fn edges_point_upwards_and_reach_the_guard() {
    let guard = Problem::Edges("the guard above is missing");
    assert_eq!(broken(|p| main_body(p).nodes[3].order.clear()), vec![guard]);
    let upwards = Problem::Edges("they must ascend and point upwards");
    assert_eq!(broken(|p| main_body(p).nodes[1].order.push(1)), vec![upwards]);
    let path = Problem::Rule("its path is empty or taken");
    assert_eq!(broken(|p| main_body(p).nodes[1].path = "pure".into()), vec![path]);
}

#[test]
fn places_and_problems_read_as_sentences() {
    let error =
        crate::VerifyError { place: Place::Node(RegionId(4), 2), problem: Problem::Fact("data") };
    assert_eq!(error.to_string(), "node 2 of region 4: `data` is not what follows from the node");
}

#[test]
fn the_dump_shows_every_node() {
    let text = specimen().to_string();
    for word in [
        "graph main(p: text) -> text calls 3",
        "call: text = counted call callee(pure) model fast repair 2",
        "pay: text = leaf pay() key \"key\"  # gate; guard; reads net; writes payments",
        "model: text = model fast -> text repair 1 max_tokens 1 system \"hi\" user \"hi\"",
        "switch: text = switch pure {  # after pay",
        "use: text = ^pure",
        "map _ in \"list\" if 1 max 1 parallel 2 early {",
        "loop: text = loop (0) max 2 {",
        "race: text = race 2 as list {",
        "stub draft(0: %0) => %0 after 5s",
        "type Id = text where (min: 1, max: 2.5, min_len: 1, max_len: 9, pattern: \"^a\"",
        "-90s",
    ] {
        assert!(text.contains(word), "{word:?} is not in\n{text}");
    }
}
