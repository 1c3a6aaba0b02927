//! A program that holds one of everything.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::expr::*;
use crate::program::*;
use crate::types::*;
use crate::value::*;

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
            trust: None,
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
        trust: Some(Trust::Mixed),
        with: Calling {
            auth: Some(Auth::Basic { user: "shop".into(), secret: "pay_token".into() }),
            headers: vec![
                ("Accept".into(), HeaderText::Text("application/json".into())),
                ("X-Shop".into(), HeaderText::Secret("shop_token".into())),
            ],
            key: Some(KeyPlace::Header("Idempotency-Key".into())),
            timeout: Some(10_000_000_000),
            ..Calling::default()
        },
    }];
    let order = Param {
        name: "order".into(),
        docs: "".into(),
        ty: TypeId(0),
        default: None,
        stream: false,
        trust: Some(Trust::Trusted),
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
    for ty in [Type::None, Type::Role, Type::Secret, Type::Selector] {
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
        trust: Some(Trust::Untrusted),
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
    b.0.functions.push(Function {
        name: "same".into(),
        params: vec![TypeId(0)],
        result: TypeId(0),
        body: local,
    });
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
    parts.push(b.expr(Expr::Vouch(a, Voucher::Endorsed("we wrote it".into()))));
    parts.push(b.expr(Expr::Vouch(a, Voucher::Allowed)));
    parts.push(b.expr(Expr::Check(a, TypeId(0), "stars".into())));
    parts.push(b.expr(Expr::CallLog(Box::new(LogQuery::Calls(TargetId(0))))));
    parts.push(b.expr(Expr::CallLog(Box::new(LogQuery::Attempts(TargetId(0))))));
    let shape = CallShape { target: TargetId(0), args: vec![(0, a)] };
    parts.push(b.expr(Expr::CallLog(Box::new(LogQuery::Called(shape.clone())))));
    parts.push(b.expr(Expr::CallLog(Box::new(LogQuery::Order(vec![shape])))));
    let body = b.expr(Expr::List(parts.into_iter().map(|part| (part, false)).collect()));
    b.0.functions.push(Function {
        name: "all".into(),
        params: vec![TypeId(0)],
        result: TypeId(0),
        body,
    });
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
        trust: None,
    };
    let fields = vec![field("by"), field("order"), field("key")];
    let approved = RecordType { name: "Approved<refund>".into(), docs: "".into(), fields };
    let approved = b.ty(Type::Record(approved));
    let (arg, key, role) = (b.slot(0, 1), b.text("k"), b.text("lead"));
    let within = b.expr(Expr::Const(Value::Duration(1)));
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
    let (question, to, max) = (b.text("Which?"), b.text("lead"), b.int(1));
    let within = b.expr(Expr::Const(Value::Duration(1)));
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
