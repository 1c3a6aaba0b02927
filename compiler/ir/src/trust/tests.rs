//! Trust over programs that were made by hand, with a library of three leaves and one function.

use smol_str::SmolStr;

use super::{Known, Library, Trusted, check};
use crate::expr::{Expr, ExprId, Pattern, TemplatePart, Voucher};
use crate::program::*;
use crate::types::{Bound, EnumType, FieldType, RecordType, Trust, Type, TypeId, VariantType};
use crate::value::Value;
use crate::verify::verify;

struct Std;

impl Library for Std {
    fn leaf(&self, _: &Program, leaf: &LeafDecl) -> Result<Known, SmolStr> {
        let params = match leaf.name.as_str() {
            "read" => vec![None],
            "write" => vec![Some(Trust::Trusted)],
            other => return Err(other.into()),
        };
        Ok(Known { params, ..Known::default() })
    }

    fn function(&self, _: &Program, name: &str, _: &[TypeId], _: TypeId) -> Result<Known, SmolStr> {
        match name {
            "decode" => Ok(Known { params: vec![None], ..Known::default() }),
            "take" => Ok(Known {
                params: vec![None, None],
                moves: Some(vec![true, false]),
                ..Known::default()
            }),
            other => Err(other.into()),
        }
    }
}

const TEXT: TypeId = TypeId(0);
const NONE: TypeId = TypeId(1);
const DIGIT: TypeId = TypeId(3);
const TEAM: TypeId = TypeId(4);
const ORDER: TypeId = TypeId(5);

struct Build {
    program: Program,
    nodes: Vec<Node>,
}

fn field(name: &str, ty: TypeId, trust: Option<Trust>) -> FieldType {
    FieldType { name: name.into(), wire: name.into(), docs: "".into(), ty, default: None, trust }
}

impl Build {
    fn new() -> Self {
        let mut program = Program { name: "t".into(), max_locals: 8, ..Program::default() };
        program.types.push(Type::Text);
        program.types.push(Type::None);
        let int = program.types.push(Type::Int);
        let bounds = vec![Bound::Min(Value::Int(0)), Bound::Max(Value::Int(9))];
        program.types.push(Type::Refined { name: None, base: int, bounds });
        let variants = ["Sales", "Support"].map(|name| VariantType {
            name: name.into(),
            wire: name.into(),
            docs: "".into(),
            fields: vec![],
        });
        program.types.push(Type::Enum(EnumType {
            name: "Team".into(),
            docs: "".into(),
            variants: variants.into(),
        }));
        let fields = vec![
            field("id", TEXT, Some(Trust::Trusted)),
            field("note", TEXT, Some(Trust::Untrusted)),
            field("title", TEXT, None),
        ];
        program.types.push(Type::Record(RecordType {
            name: "Order".into(),
            docs: "".into(),
            fields,
        }));
        program.resources = vec!["file".into()];
        let leaf = |name: &str, class, result| LeafDecl {
            name: name.into(),
            kind: "native".into(),
            locator: name.into(),
            params: vec![param("path", TEXT)],
            result,
            class,
            reads: vec![],
            writes: vec![],
            guarded: false,
            with: Calling::default(),
            trust: None,
        };
        let file = vec![ResourceId(0)];
        program.leaves = vec![
            LeafDecl { reads: file.clone(), ..leaf("read", EffectClass::Read, TEXT) },
            LeafDecl { writes: file, ..leaf("write", EffectClass::Write { keyed: false }, NONE) },
        ];
        Self { program, nodes: Vec::new() }
    }

    fn expr(&mut self, expr: Expr) -> ExprId {
        self.program.exprs.push(expr);
        ExprId(self.program.exprs.len() as u32 - 1)
    }

    fn text(&mut self, text: &str) -> ExprId {
        self.expr(Expr::Const(Value::text(text)))
    }

    /// Adds a node to the block that is being made, whose one parameter is a text; gives what reads it.
    fn node(&mut self, kind: NodeKind, ty: TypeId) -> ExprId {
        let slot = self.nodes.len() as u32 + 1;
        let path = format!("n{slot}").into();
        self.nodes.push(Node {
            path,
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
            ty,
            span: None,
        });
        self.expr(Expr::Slot { up: 0, slot })
    }

    fn leaf(&mut self, leaf: u32, arg: ExprId) -> ExprId {
        let call = LeafCall { leaf: LeafId(leaf), args: vec![arg], key: None, target: None };
        let ty = if leaf == 0 { TEXT } else { NONE };
        self.node(NodeKind::Leaf(call), ty)
    }

    /// What stands in a file.
    fn read(&mut self) -> ExprId {
        let path = self.text("a.txt");
        self.leaf(0, path)
    }

    fn write(&mut self, path: ExprId) {
        self.leaf(1, path);
    }

    fn region(&mut self, params: u32, result: ExprId) -> RegionId {
        let nodes = std::mem::take(&mut self.nodes);
        self.program.regions.push(Region { params, nodes, result });
        RegionId(self.program.regions.len() as u32 - 1)
    }

    fn graph(&mut self, name: &str, result: TypeId, value: ExprId) -> GraphId {
        let body = self.region(1, value);
        self.program.graphs.push(Graph {
            name: name.into(),
            kind: GraphKind::Graph,
            public: true,
            docs: "".into(),
            params: vec![param("p", TEXT)],
            result,
            body,
            budgets: vec![],
            depth: None,
            span: None,
        });
        GraphId(self.program.graphs.len() as u32 - 1)
    }

    fn check(&mut self) -> Result<Trusted, Vec<String>> {
        crate::fill(&mut self.program);
        verify(&self.program).unwrap();
        check(&self.program, &Std)
            .map_err(|errors| errors.iter().map(|error| error.in_words(&self.program)).collect())
    }
}

fn param(name: &str, ty: TypeId) -> Param {
    Param { name: name.into(), docs: "".into(), ty, default: None, stream: false, trust: None }
}

/// A graph `main` that writes to the path that `make` gives.
fn writes_to(make: impl FnOnce(&mut Build) -> ExprId) -> Result<Trusted, Vec<String>> {
    let mut b = Build::new();
    let path = make(&mut b);
    b.write(path);
    let none = b.expr(Expr::Const(Value::None));
    b.graph("main", NONE, none);
    b.check()
}

#[track_caller]
fn refused(found: Result<Trusted, Vec<String>>, wanted: &str) {
    let errors = found.unwrap_err();
    assert!(errors.iter().any(|error| error.contains(wanted)), "{errors:#?}");
}

#[test]
fn what_comes_from_outside_reaches_no_trusted_parameter() {
    refused(writes_to(Build::read), "graph `main`, node `n2`: `path` of `write`");
    refused(
        writes_to(|b| {
            let (path, dir) = (b.read(), b.text("out/"));
            let parts = [dir, path].map(|part| TemplatePart::Value(part, TEXT));
            b.expr(Expr::Template(parts.into()))
        }),
        "`path` of `write`",
    );
    writes_to(|b| b.text("out.txt")).unwrap();
}

#[test]
fn a_parameter_that_gets_there_must_be_vouched_for() {
    let mut b = Build::new();
    let path = b.expr(Expr::Slot { up: 0, slot: 0 });
    b.write(path);
    let none = b.expr(Expr::Const(Value::None));
    let save = b.graph("save", NONE, none);
    assert_eq!(b.check().unwrap().vouched(save), [0]);
    // Through a call, however it is made.
    let text = b.read();
    let call = Call { graph: save, args: vec![text], model: None, repair: None, target: None };
    let value = b.node(NodeKind::Call(call), NONE);
    b.graph("outer", NONE, value);
    refused(b.check(), "graph `outer`, node `n2`: `p` of `save`");
}

#[test]
fn a_person_a_reason_and_a_list_vouch() {
    let vouched = |how: Voucher| {
        writes_to(|b| {
            let text = b.read();
            b.expr(Expr::Vouch(text, how))
        })
    };
    vouched(Voucher::Endorsed("we write this file".into())).unwrap();
    // Who says that it was tested must test it.
    refused(vouched(Voucher::Allowed), "nothing tests the value");
    writes_to(|b| {
        let text = b.read();
        let bounds = vec![Bound::Pattern("^(?:[a-z]+)$".into())];
        let ty = b.program.types.push(Type::Refined { name: None, base: TEXT, bounds });
        let tested = b.expr(Expr::Check(text, ty, "".into()));
        b.expr(Expr::Vouch(tested, Voucher::Allowed))
    })
    .unwrap();
    writes_to(|b| {
        let (to, within) = (b.text("lead"), b.expr(Expr::Const(Value::Duration(1))));
        let ask = Ask {
            question: Some(to),
            to: Some(to),
            show: None,
            start: None,
            choose: None,
            within,
            target: None,
        };
        b.node(NodeKind::Ask(Box::new(ask)), TEXT)
    })
    .unwrap();
}

#[test]
fn who_is_asked_is_somebody_with_time() {
    let asked = |to: &str, nanos: i64| {
        writes_to(|b| {
            let (to, within) = (b.text(to), b.expr(Expr::Const(Value::Duration(nanos))));
            let ask = Ask {
                question: Some(to),
                to: Some(to),
                show: None,
                start: None,
                choose: None,
                within,
                target: None,
            };
            b.node(NodeKind::Ask(Box::new(ask)), TEXT)
        })
    };
    asked("lead", 1).unwrap();
    refused(asked("lead", 0), "no time");
    refused(asked("lead", -5), "no time");
    refused(asked(" ", 1), "the role is empty");
}

#[test]
fn what_only_chooses_is_free() {
    // Out of a text, only what was tested chooses; a type that is only claimed does not.
    writes_to(|b| {
        let text = b.read();
        let decoded = b.expr(Expr::Native {
            name: "decode".into(),
            args: vec![text],
            result: TEAM,
            params: vec![TEXT],
        });
        b.expr(Expr::Template(vec![TemplatePart::Value(decoded, TEAM)]))
    })
    .unwrap();
    refused(
        writes_to(|b| {
            let text = b.read();
            let claimed = b.node(NodeKind::Pure(text), TEAM);
            b.expr(Expr::Template(vec![TemplatePart::Value(claimed, TEAM)]))
        }),
        "`path` of `write`",
    );
    refused(
        writes_to(|b| {
            let text = b.read();
            let claimed = b.expr(Expr::Check(text, DIGIT, "".into()));
            b.expr(Expr::Template(vec![TemplatePart::Value(claimed, DIGIT)]))
        }),
        "`path` of `write`",
    );
    // Which of two is free, too.
    writes_to(|b| {
        let text = b.read();
        let (a, c) = (b.text("a"), b.text("c"));
        let test = b.expr(Expr::Is(text, Pattern::Const(Value::text("x"))));
        b.expr(Expr::If(test, a, c))
    })
    .unwrap();
    // How many are taken says nothing of what they are; what they are does.
    let take = |b: &mut Build, xs: ExprId, n: ExprId| {
        b.expr(Expr::Native {
            name: "take".into(),
            args: vec![xs, n],
            result: TEXT,
            params: vec![TEXT, TEXT],
        })
    };
    writes_to(|b| {
        let (n, xs) = (b.read(), b.text("x"));
        take(b, xs, n)
    })
    .unwrap();
    refused(
        writes_to(|b| {
            let (xs, n) = (b.read(), b.text("x"));
            take(b, xs, n)
        }),
        "`path` of `write`",
    );
}

#[test]
fn fields_say_themselves_what_they_are() {
    // A part that is trusted is so wherever the record comes from, and takes nothing else.
    let order = |id: fn(&mut Build) -> ExprId, index: u32, by_node: bool| {
        writes_to(|b| {
            let (text, id) = (b.read(), id(b));
            let title = b.text("t");
            let mut made = b.expr(Expr::Record(vec![id, text, title]));
            if by_node {
                made = b.node(NodeKind::Pure(made), ORDER);
            }
            b.expr(Expr::Field(made, index))
        })
    };
    for by_node in [false, true] {
        order(|b| b.text("o1"), 0, by_node).unwrap();
        order(|b| b.text("o1"), 2, by_node).unwrap();
        refused(order(|b| b.text("o1"), 1, by_node), "`path` of `write`");
    }
    refused(order(Build::read, 2, true), "makes a `Order`, of which a field is `trusted`");
    // Nobody vouches for what is decoded.
    refused(
        writes_to(|b| {
            let text = b.read();
            let made = b.expr(Expr::Native {
                name: "decode".into(),
                args: vec![text],
                result: ORDER,
                params: vec![TEXT],
            });
            b.expr(Expr::Field(made, 0))
        }),
        "`decode` makes a `Order`",
    );
    // A record that is only said to be one.
    refused(
        writes_to(|b| {
            let text = b.read();
            let made = b.node(NodeKind::Pure(text), ORDER);
            b.expr(Expr::Field(made, 0))
        }),
        "makes a `Order`",
    );
}

#[test]
fn what_a_failure_says_comes_from_outside() {
    refused(
        writes_to(|b| {
            let (a, zero) = (b.text("a"), b.expr(Expr::Local(0)));
            let body = b.expr(Expr::Fail(a));
            let arm = crate::expr::ExprArm { pattern: Pattern::Bind(0), guard: None, body: zero };
            b.expr(Expr::Catch { body, arms: vec![arm] })
        }),
        "`path` of `write`",
    );
}

#[test]
fn loops_hand_on_what_they_were_given() {
    // The state begins trusted; the second round has what the first one read.
    let looped = |reads: bool| {
        let mut b = Build::new();
        let state = b.expr(Expr::Slot { up: 0, slot: 0 });
        b.write(state);
        let next = if reads { b.read() } else { b.text("x") };
        let step = b.expr(Expr::Variant(1, vec![next]));
        let body = b.region(1, step);
        let end = b.text("end");
        let otherwise = b.region(1, end);
        let (first, max) = (b.text("first"), b.expr(Expr::Const(Value::Int(3))));
        let repeat = Loop { init: vec![first], max, body, otherwise };
        let value = b.node(NodeKind::Loop(Box::new(repeat)), TEXT);
        b.graph("main", TEXT, value);
        b.check()
    };
    looped(false).unwrap();
    refused(looped(true), "`path` of `write`");
}

#[test]
fn values_whose_parts_are_shared_have_an_end() {
    let mut b = Build::new();
    let mut pair = b.read();
    for _ in 0..200 {
        pair = b.expr(Expr::Record(vec![pair, pair]));
        // A node each, so that no expression is walked too often.
        pair = b.node(NodeKind::Pure(pair), TEXT);
    }
    let none = b.expr(Expr::Const(Value::None));
    b.graph("main", NONE, none);
    b.check().unwrap();
}

#[test]
fn what_the_library_does_not_have_is_refused() {
    let mut b = Build::new();
    b.program.leaves[0].name = "steal".into();
    let none = b.expr(Expr::Const(Value::None));
    b.graph("main", NONE, none);
    refused(b.check(), "leaf `steal`: steal");
}

#[test]
fn a_compensation_is_held_to_the_same() {
    let undone = |outside: bool| {
        let mut b = Build::new();
        let path = b.expr(Expr::Slot { up: 0, slot: 0 });
        b.write(path);
        let none = b.expr(Expr::Const(Value::None));
        let body = b.region(1, none);
        let value = if outside { b.read() } else { b.text("b.txt") };
        b.node(NodeKind::Undo(Undo { args: vec![value], body }), NONE);
        b.graph("main", NONE, none);
        let found = b.check();
        assert_eq!(crate::decode(&crate::encode(&b.program)).unwrap(), b.program);
        found
    };
    undone(false).unwrap();
    refused(undone(true), "`path` of `write`");
}
