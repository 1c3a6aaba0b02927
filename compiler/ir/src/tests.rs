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

/// Builds programs with little ceremony.
struct Build(Program);

impl Build {
    fn new() -> Self {
        let mut program = Program { name: "specimen".into(), max_locals: 8, ..Program::default() };
        program.types.push(Type::Text);
        Self(program)
    }

    fn ty(&mut self, ty: Type) -> TypeId {
        self.0.types.push(ty)
    }

    fn expr(&mut self, expr: Expr) -> ExprId {
        self.0.exprs.push(expr);
        ExprId(self.0.exprs.len() as u32 - 1)
    }

    fn int(&mut self, n: i64) -> ExprId {
        self.expr(Expr::Const(Value::Int(n)))
    }

    fn text(&mut self, text: &str) -> ExprId {
        self.expr(Expr::Const(Value::text(text)))
    }

    fn slot(&mut self, up: u32, slot: u32) -> ExprId {
        self.expr(Expr::Slot { up, slot })
    }

    fn region(&mut self, params: u32, nodes: Vec<Node>, result: ExprId) -> RegionId {
        self.0.regions.push(Region { params, nodes, result });
        RegionId(self.0.regions.len() as u32 - 1)
    }

    /// A block without nodes that gives a text.
    fn plain(&mut self, params: u32) -> RegionId {
        let result = self.text("plain");
        self.region(params, vec![], result)
    }

    fn graph(&mut self, name: &str, kind: GraphKind, params: usize, body: RegionId) -> GraphId {
        let param = Param {
            name: "p".into(),
            docs: "".into(),
            ty: TypeId(0),
            default: None,
            stream: false,
        };
        self.0.graphs.push(Graph {
            name: name.into(),
            kind,
            public: true,
            docs: "What it does.".into(),
            params: vec![param; params],
            result: TypeId(0),
            body,
            budgets: vec![],
            depth: None,
            span: Some(Span { file: 0, start: 1, end: 2 }),
        });
        GraphId(self.0.graphs.len() as u32 - 1)
    }
}

fn node(path: &str, kind: NodeKind) -> Node {
    Node {
        path: path.into(),
        kind,
        data: vec![],
        order: vec![],
        outer: vec![],
        gate: Gate::Free,
        holds_gate: false,
        guard: false,
        reads: vec![],
        writes: vec![],
        grows: false,
        ty: TypeId(0),
        span: Some(Span { file: 0, start: 3, end: 9 }),
    }
}

/// A program in which every kind of node, expression, pattern, type and bound occurs.
pub(crate) fn specimen() -> Program {
    let mut b = Build::new();
    types(&mut b);
    b.0.files = vec!["specimen.kait".into()];
    b.0.resources = vec!["net".into(), "payments".into()];
    b.0.roles =
        vec![RoleDecl { name: "fast".into(), needs: vec![("tools".into(), Value::Bool(true))] }];
    b.0.targets = vec!["draft".into()];
    b.0.leaves = vec![LeafDecl {
        name: "pay".into(),
        kind: "http".into(),
        locator: "POST https://pay.example.com".into(),
        params: vec![],
        result: TypeId(0),
        class: EffectClass::Write { keyed: true },
        reads: vec![ResourceId(0)],
        writes: vec![ResourceId(1)],
        guarded: false,
    }];
    let order = Param {
        name: "order".into(),
        docs: "".into(),
        ty: TypeId(0),
        default: None,
        stream: false,
    };
    b.0.leaves.push(LeafDecl {
        name: "refund".into(),
        params: vec![order],
        reads: vec![],
        guarded: true,
        ..b.0.leaves[0].clone()
    });
    functions(&mut b);
    let nodes = nodes(&mut b);
    let result = b.slot(0, 1);
    let body = b.region(1, nodes, result);
    b.graph("main", GraphKind::Graph, 1, body);
    let limit = b.int(3);
    b.0.graphs[0].budgets = vec![("calls".into(), limit)];
    let leaf_body = b.plain(1);
    b.graph("callee", GraphKind::Prompt, 1, leaf_body);
    test(&mut b);
    // It holds a test, so nobody is offered anything.
    b.0.graphs.iter_mut().for_each(|graph| graph.public = false);
    b.0
}

fn types(b: &mut Build) {
    for ty in [Type::Int, Type::Float, Type::Bool, Type::Bytes, Type::Json, Type::Time] {
        b.ty(ty);
    }
    for ty in [Type::Duration, Type::Money, Type::Size, Type::Image, Type::Audio, Type::File] {
        b.ty(ty);
    }
    for ty in [Type::None, Type::Role, Type::Selector] {
        b.ty(ty);
    }
    let list = b.ty(Type::List(TypeId(0)));
    b.ty(Type::Map(TypeId(0), list));
    b.ty(Type::Optional(TypeId(1)));
    let bounds = vec![
        Bound::Min(Value::Int(1)),
        Bound::Max(Value::Float(2.5)),
        Bound::MinLen(1),
        Bound::MaxLen(9),
        Bound::Pattern("^a".into()),
        Bound::Format("uri".into()),
        Bound::MultipleOf(Value::Int(2)),
        Bound::Unique,
    ];
    let refined = b.ty(Type::Refined { name: Some("Id".into()), base: TypeId(0), bounds });
    let field = FieldType {
        name: "from".into(),
        wire: "FROM".into(),
        docs: "Whose.".into(),
        ty: refined,
        default: Some(Value::text("x")),
    };
    b.ty(Type::Record(RecordType {
        name: "R".into(),
        docs: "".into(),
        fields: vec![field.clone()],
    }));
    b.ty(Type::Enum(EnumType {
        name: "E".into(),
        docs: "".into(),
        variants: vec![VariantType {
            name: "A".into(),
            wire: "a".into(),
            docs: "".into(),
            fields: vec![field],
        }],
    }));
}

/// One function whose body holds every kind of expression that needs no slots.
fn functions(b: &mut Build) {
    let local = b.expr(Expr::Local(0));
    b.0.functions.push(Function { name: "same".into(), params: 1, body: local });
    let mut parts: Vec<ExprId> = values().into_iter().map(|v| b.expr(Expr::Const(v))).collect();
    let one = |b: &mut Build| b.int(1);
    let yes = |b: &mut Build| b.expr(Expr::Const(Value::Bool(true)));
    let (x, y) = (one(b), one(b));
    let bound = b.expr(Expr::Local(1));
    parts.push(b.expr(Expr::Let { local: 1, value: x, body: bound }));
    for op in [UnaryOp::Not, UnaryOp::Neg, UnaryOp::ToFloat] {
        let a = one(b);
        parts.push(b.expr(Expr::Unary(op, a)));
    }
    for op in [
        BinaryOp::Add,
        BinaryOp::Sub,
        BinaryOp::Mul,
        BinaryOp::Div,
        BinaryOp::Rem,
        BinaryOp::Eq,
        BinaryOp::Ne,
        BinaryOp::Lt,
        BinaryOp::Le,
        BinaryOp::Gt,
        BinaryOp::Ge,
        BinaryOp::In,
    ] {
        let (a, c) = (one(b), one(b));
        parts.push(b.expr(Expr::Binary(op, a, c)));
    }
    for make in [Expr::And, Expr::Or, Expr::Coalesce, Expr::Index] {
        let (a, c) = (yes(b), yes(b));
        parts.push(b.expr(make(a, c)));
    }
    let (c, t) = (yes(b), one(b));
    parts.push(b.expr(Expr::If(c, t, y)));
    let s = one(b);
    let arms = arms(b);
    parts.push(b.expr(Expr::Match { scrutinee: s, arms: arms.clone() }));
    let s = one(b);
    parts.push(b.expr(Expr::Is(s, Pattern::Any)));
    let fields = vec![one(b)];
    parts.push(b.expr(Expr::Record(fields)));
    let fields = vec![one(b)];
    parts.push(b.expr(Expr::Variant(0, fields)));
    let entry = (one(b), one(b));
    parts.push(b.expr(Expr::Map(vec![entry])));
    for make in [Expr::Field, Expr::OptField] {
        let base = one(b);
        parts.push(b.expr(make(base, 0)));
    }
    let value = one(b);
    let template = vec![TemplatePart::Text("n = ".into()), TemplatePart::Value(value, TypeId(1))];
    parts.push(b.expr(Expr::Template(template)));
    let arg = one(b);
    parts.push(b.expr(Expr::Native {
        name: "text.trim".into(),
        args: vec![arg],
        result: TypeId(0),
        params: vec![TypeId(0)],
    }));
    let arg = one(b);
    parts.push(b.expr(Expr::CallFn(FunctionId(0), vec![arg])));
    let (source, filter, max) = (one(b), yes(b), one(b));
    let item = b.expr(Expr::Local(2));
    parts.push(b.expr(Expr::For {
        source,
        pattern: Pattern::Bind(2),
        filter: Some(filter),
        body: item,
        max: Some(max),
    }));
    let (first, max) = (one(b), one(b));
    let state = b.expr(Expr::Local(2));
    let body = b.expr(Expr::Variant(1, vec![state]));
    let otherwise = b.expr(Expr::Local(2));
    parts.push(b.expr(Expr::Loop { state: vec![(2, first)], max, body, otherwise }));
    let s = one(b);
    parts.push(b.expr(Expr::Catch { body: s, arms }));
    for make in [Expr::Try as fn(ExprId) -> Expr, Expr::Fail] {
        let a = one(b);
        parts.push(b.expr(make(a)));
    }
    let a = one(b);
    parts.push(b.expr(Expr::Check(a, TypeId(0), "stars".into())));
    parts.push(b.expr(Expr::CallLog(Box::new(LogQuery::Calls(TargetId(0))))));
    parts.push(b.expr(Expr::CallLog(Box::new(LogQuery::Attempts(TargetId(0))))));
    let shape = CallShape { target: TargetId(0), args: vec![(0, a)] };
    parts.push(b.expr(Expr::CallLog(Box::new(LogQuery::Called(shape.clone())))));
    parts.push(b.expr(Expr::CallLog(Box::new(LogQuery::Order(vec![shape])))));
    let body = b.expr(Expr::List(parts.into_iter().map(|part| (part, false)).collect()));
    b.0.functions.push(Function { name: "all".into(), params: 1, body });
}

fn values() -> Vec<Value> {
    let mut map = ValueMap::default();
    map.insert(Value::text("k"), Value::Int(-3));
    vec![
        Value::None,
        Value::Bool(true),
        Value::Int(i64::MIN),
        Value::Float(-0.5),
        Value::text("größe"),
        Value::Bytes(Arc::from([1u8, 2])),
        Value::Json(Arc::new(serde_json::json!({"a": [1, 2.5, null]}))),
        Value::Time("2026-01-05T09:00:00.5Z".parse().unwrap()),
        Value::Duration(-90_000_000_000),
        Value::Money(Money {
            amount: Decimal::new(-2000, 2),
            currency: Currency::parse("usd").unwrap(),
        }),
        Value::Size(u64::MAX),
        Value::Blob(Arc::new(Blob {
            name: "a.png".into(),
            media_type: "image/png".into(),
            bytes: Arc::from([0u8; 3]),
        })),
        Value::list(vec![Value::Int(1)]),
        Value::Map(Arc::new(map)),
        Value::record(vec![Value::Int(1)]),
        Value::Tag(2),
        Value::variant(1, vec![Value::text("x")]),
    ]
}

fn arms(b: &mut Build) -> Vec<ExprArm> {
    let patterns = vec![
        Pattern::Const(Value::Int(1)),
        Pattern::Range(Value::Int(2), Value::Int(5)),
        Pattern::Variant(0, vec![(0, Pattern::Bind(3))]),
        Pattern::Record(vec![(0, Pattern::Any)]),
        Pattern::List(vec![Pattern::Bind(3)], Some(Some(4))),
        Pattern::Or(vec![Pattern::Bind(3), Pattern::Some(Box::new(Pattern::Bind(3)))]),
        Pattern::Any,
    ];
    let arm = |pattern, b: &mut Build| {
        let guard = b.expr(Expr::Const(Value::Bool(false)));
        let body = b.int(1);
        ExprArm { pattern, guard: Some(guard), body }
    };
    patterns.into_iter().map(|pattern| arm(pattern, b)).collect()
}

fn nodes(b: &mut Build) -> Vec<Node> {
    let mut nodes = Vec::new();
    let value = b.slot(0, 0);
    nodes.push(node("pure", NodeKind::Pure(value)));
    let arg = b.slot(0, 1);
    let call = Call {
        graph: GraphId(1),
        args: vec![arg],
        model: Some("fast".into()),
        repair: Some(2),
        target: Some(TargetId(0)),
    };
    nodes.push(Node { data: vec![0], ..node("call", NodeKind::Call(call)) });
    let key = b.text("key");
    let leaf = LeafCall { leaf: LeafId(0), args: vec![], key: Some(key), target: None };
    nodes.push(Node {
        gate: Gate::All,
        holds_gate: true,
        reads: vec![ResourceId(0)],
        writes: vec![ResourceId(1)],
        guard: true,
        ..node("pay", NodeKind::Leaf(leaf))
    });
    let (content, option) = (b.text("hi"), b.int(1));
    let model = ModelCall {
        prompt: "p".into(),
        docs: "".into(),
        role: "fast".into(),
        options: vec![("max_tokens".into(), option)],
        messages: [
            MessageRole::System,
            MessageRole::User,
            MessageRole::Assistant,
            MessageRole::Messages,
        ]
        .map(|role| Message { role, content, ty: TypeId(0) })
        .into(),
        output: TypeId(0),
        repair: 1,
    };
    let below = |node: Node| Node { order: vec![2], ..node };
    nodes.push(below(node("model", NodeKind::Model(Box::new(model)))));
    let scrutinee = b.slot(0, 1);
    let outer = b.slot(1, 1);
    let inner = Node { outer: vec![(1, 1)], ..node("use", NodeKind::Pure(outer)) };
    let result = b.slot(0, 0);
    let body = b.region(1, vec![inner], result);
    let guard = b.expr(Expr::Local(0));
    let arm = Arm { pattern: Pattern::Bind(0), guard: Some(guard), body };
    let switch = NodeKind::Switch { scrutinee, arms: vec![arm] };
    nodes.push(below(Node { data: vec![0], ..node("switch", switch) }));
    let map = Map {
        source: b.text("list"),
        pattern: Pattern::Any,
        filter: Some(b.int(1)),
        max: Some(b.int(1)),
        parallel: Some(b.int(2)),
        sequential: false,
        early: true,
        body: b.plain(0),
    };
    nodes.push(below(node("map", NodeKind::Map(Box::new(map)))));
    let repeat =
        Loop { init: vec![b.int(0)], max: b.int(2), body: b.plain(1), otherwise: b.plain(1) };
    nodes.push(below(node("loop", NodeKind::Loop(Box::new(repeat)))));
    let arms = vec![b.plain(0), b.plain(0)];
    nodes.push(below(node("race", NodeKind::Race { need: 2, list: true, arms })));
    let handler = Arm { pattern: Pattern::Any, guard: None, body: b.plain(0) };
    let body = b.plain(0);
    nodes.push(below(node("catch", NodeKind::Catch { body, arms: vec![handler] })));
    let body = b.plain(0);
    nodes.push(below(node("try", NodeKind::Try(body))));
    let policy = Policy {
        body: b.plain(0),
        fallback: Some(b.plain(0)),
        deadline: Some(b.int(1)),
        cache: Some(b.int(1)),
        cache_key: Some(("p".into(), vec![b.int(1)])),
        retry: Some(b.int(1)),
        timeout: Some(b.int(1)),
        rate: Some(Rate {
            name: "p".into(),
            calls: Some(b.int(1)),
            per: Some(b.int(1)),
            parallel: Some(b.int(1)),
        }),
    };
    nodes.push(below(node("policy", NodeKind::Policy(Box::new(policy)))));
    people(b, &mut nodes);
    nodes
}

/// A call that a person approves, and a question.
fn people(b: &mut Build, nodes: &mut Vec<Node>) {
    let field = |name: &str| FieldType {
        name: name.into(),
        wire: name.into(),
        docs: "".into(),
        ty: TypeId(0),
        default: None,
    };
    let fields = vec![field("by"), field("order"), field("key")];
    let approved = RecordType { name: "Approved<refund>".into(), docs: "".into(), fields };
    let approved = b.ty(Type::Record(approved));
    let (arg, key, role, within) = (b.slot(0, 1), b.text("k"), b.text("lead"), b.int(1));
    let approve = Approve {
        what: Approved::Leaf(LeafId(1)),
        args: vec![arg],
        key: Some(key),
        edit: vec![0],
        untrusted: vec![0],
        role,
        within,
        show: Some((role, TypeId(0))),
        target: None,
    };
    let gated = |node: Node| Node { gate: Gate::All, holds_gate: true, ..node };
    nodes.push(gated(Node {
        data: vec![0],
        order: vec![2],
        ty: approved,
        ..node("approve", NodeKind::Approve(Box::new(approve)))
    }));
    let (order, key) = (b.slot(0, 12), b.slot(0, 12));
    let (order, key) = (b.expr(Expr::Field(order, 1)), b.expr(Expr::Field(key, 2)));
    let refund =
        LeafCall { leaf: LeafId(1), args: vec![order], key: Some(key), target: Some(TargetId(0)) };
    nodes.push(gated(Node {
        data: vec![11],
        order: vec![2, 11],
        writes: vec![ResourceId(1)],
        ..node("refund", NodeKind::Leaf(refund))
    }));
    let (question, to, within, max) = (b.text("Which?"), b.text("lead"), b.int(1), b.int(1));
    let items = b.text("list");
    let ask = Ask {
        question: Some(question),
        to: Some(to),
        show: Some((question, TypeId(0))),
        start: Some(question),
        choose: Some(Choose { items, label: Some(0), max: Some(max) }),
        within,
        target: None,
    };
    let list = b.ty(Type::List(TypeId(0)));
    nodes.push(Node {
        gate: Gate::Ask,
        holds_gate: true,
        order: vec![2],
        ty: list,
        ..node("ask", NodeKind::Ask(Box::new(ask)))
    });
}

fn test(b: &mut Build) {
    let stubbed = NodeKind::Stubbed { target: TargetId(0), args: vec![b.int(1)], model: false };
    let condition = b.expr(Expr::Const(Value::Bool(true)));
    let shown = b.slot(0, 0);
    let expect = NodeKind::Expect {
        condition,
        shows: vec![("a".into(), shown, TypeId(0))],
        source: "a".into(),
    };
    let expect =
        Node { gate: Gate::All, holds_gate: true, data: vec![0], ..node("expect", expect) };
    let result = b.expr(Expr::Const(Value::None));
    let body = b.region(0, vec![node("stubbed", stubbed), expect], result);
    b.graph("a test", GraphKind::Test, 0, body);
    let value = b.expr(Expr::Local(0));
    b.0.stubs = vec![Stub {
        target: TargetId(0),
        params: vec![(0, Pattern::Bind(0))],
        outcomes: vec![StubOutcome { value, after: 5_000_000_000 }],
        data: vec![],
        span: None,
    }];
}

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
    program.functions.push(Function { name: "long".into(), params: 0, body });
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
        broken(|p| p.functions[0].params = 0),
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
    program.functions.push(Function { name: "f".into(), params: 0, body });
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
