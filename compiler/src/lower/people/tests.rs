//! What a person approves is what runs: every program that differs from a lowered one by a single step around an approve
//! node is refused by the verifier, however carefully its facts are made to fit again.

use kait_ir::expr::{Expr, ExprId, Pattern};
use kait_ir::program::{Approved, Arm, Loop, Map, Node, NodeKind, Policy, Program, RegionId};
use kait_ir::types::Type;
use kait_ir::verify::Problem;
use kait_ir::{EffectClass, LeafId, Value};

use super::super::tests::program;

/// The program, whose files only people let it touch: as if their declarations said `needs approval`.
fn guarded(text: &str) -> Program {
    let mut program = program(text);
    for leaf in &mut program.leaves {
        leaf.guarded = leaf.name.starts_with("file.");
    }
    program
}

/// Approvals in every kind of place.
const PROGRAMS: [(&str, &str); 10] = [
    (
        "alone",
        r#"
pub graph go(content: text) -> none {
  file.write("a", content) with (approve: "lead", within: 1h)
}
"#,
    ),
    (
        "edited and shown",
        r#"
pub graph go(content: text) -> none {
  file.write("a", content) with (approve: "lead", within: 1h, edit: [.content], show: "look")
}
"#,
    ),
    (
        "with policies",
        r#"
pub graph go(content: text) -> none {
  file.write("a", content) with (approve: "lead", within: 1h, rate: 10, per: 5s, fallback: none)
}
"#,
    ),
    (
        "twice",
        r#"
pub graph go(content: text) -> none {
  file.write("a", content) with (approve: "lead", within: 1h)
  file.write("b", content) with (approve: "boss", within: 1h)
}
"#,
    ),
    (
        "two effects",
        r#"
pub graph go(content: text) -> none {
  file.write("a", content) with (approve: "lead", within: 1h)
  file.append("b", content) with (approve: "lead", within: 1h)
}
"#,
    ),
    (
        "outside and inside of a loop",
        r#"
pub graph go(content: text) -> none {
  file.write("a", content) with (approve: "lead", within: 1h)
  for name in ["b", "c"] {
    file.write("c", name) with (approve: "lead", within: 1h)
  }
  none
}
"#,
    ),
    (
        "in a branch",
        r#"
pub graph go(content: text, really: bool) -> none {
  file.append("a", content) with (approve: "lead", within: 1h)
  if really {
    file.append("b", content) with (approve: "lead", within: 1h)
  }
}
"#,
    ),
    (
        "in rounds",
        r#"
pub graph go(content: text) -> text {
  file.write("a", content) with (approve: "lead", within: 1h)
  loop n = 0 max 3 {
    file.write("b", content) with (approve: "lead", within: 1h)
    if n == 2 { done content } else { next(n: n + 1) }
  } else {
    content
  }
}
"#,
    ),
    (
        "tried, caught and piped",
        r#"
pub graph go(content: text) -> none {
  let tried: Result<none> = try file.write("a", content) with (approve: "lead", within: 1h)
  file.write("b", content) with (approve: "lead", within: 1h) catch { Denied => none }
  "c" |> file.append(content: content) with (approve: "lead", within: 1h)
}
"#,
    ),
    (
        "in a graph that is called",
        r#"
graph inner(content: text) -> none {
  file.write("a", content) with (approve: "lead", within: 1h)
}

pub graph go(content: text) -> none {
  inner(content) with (approve: "lead", within: 1h)
  inner("twice") with (approve: "boss", within: 1h, edit: [.content])
}
"#,
    ),
];

/// An approve node, and the call that it is for.
#[derive(Clone, Copy, Debug)]
struct Pair {
    region: RegionId,
    approve: u32,
    /// The node of the same block that is the call, or its policies.
    at: u32,
    /// The block of the call, and the call in it.
    inner: RegionId,
    call: u32,
    /// Blocks between the two.
    up: u32,
}

fn node(program: &mut Program, region: RegionId, node: u32) -> &mut Node {
    &mut program.regions[region.index()].nodes[node as usize]
}

fn args(program: &Program, pair: Pair) -> Vec<ExprId> {
    match &program.regions[pair.inner.index()].nodes[pair.call as usize].kind {
        NodeKind::Leaf(call) => call.args.clone(),
        NodeKind::Call(call) => call.args.clone(),
        other => panic!("{other:?} is no call"),
    }
}

fn set_args(program: &mut Program, pair: Pair, new: Vec<ExprId>) {
    match &mut node(program, pair.inner, pair.call).kind {
        NodeKind::Leaf(call) => call.args = new,
        NodeKind::Call(call) => call.args = new,
        other => panic!("{other:?} is no call"),
    }
}

fn expr(program: &mut Program, expr: Expr) -> ExprId {
    program.exprs.push(expr);
    ExprId(program.exprs.len() as u32 - 1)
}

fn what(program: &Program, pair: Pair) -> Approved {
    match &program.regions[pair.region.index()].nodes[pair.approve as usize].kind {
        NodeKind::Approve(approve) => approve.what,
        other => panic!("{other:?} is no approval"),
    }
}

fn is_call_of(kind: &NodeKind, what: Approved) -> bool {
    match kind {
        NodeKind::Leaf(call) => what == Approved::Leaf(call.leaf),
        NodeKind::Call(call) => what == Approved::Graph(call.graph),
        _ => false,
    }
}

fn pairs(program: &Program) -> Vec<Pair> {
    let mut found = Vec::new();
    for (region, block) in (0..).map(RegionId).zip(&program.regions) {
        for (approve, node) in (0u32..).zip(&block.nodes) {
            let NodeKind::Approve(kind) = &node.kind else { continue };
            let (at, below) = (0u32..)
                .zip(&block.nodes)
                .find(|(_, other)| other.order.contains(&approve))
                .expect("a call waits for its approval");
            let (inner, up) = match &below.kind {
                NodeKind::Policy(policy) => (policy.body, 1),
                _ => (region, 0),
            };
            let nodes = &program.regions[inner.index()].nodes;
            let call = if up == 0 {
                at
            } else {
                nodes.iter().position(|n| is_call_of(&n.kind, kind.what)).unwrap() as u32
            };
            found.push(Pair { region, approve, at, inner, call, up });
        }
    }
    found
}

/// The slot of an approve node.
fn slot(program: &Program, pair: Pair) -> u32 {
    program.regions[pair.region.index()].params + pair.approve
}

/// A leaf or graph parameter's number of arguments is kept; all come from elsewhere.
fn take_from(program: &mut Program, pair: Pair, up: u32, slot: u32) {
    let count = args(program, pair).len() as u32;
    let new = (0..count)
        .map(|index| {
            let base = expr(program, Expr::Slot { up, slot });
            expr(program, Expr::Field(base, index + 1))
        })
        .collect();
    set_args(program, pair, new);
}

/// Makes the approve node what only looks like one: the same values, and nobody is asked.
fn without_person(program: &mut Program, pair: Pair) {
    let NodeKind::Approve(approve) = node(program, pair.region, pair.approve).kind.clone() else {
        panic!("no approval")
    };
    let by = expr(program, Expr::Const(Value::text("nobody")));
    let fields = std::iter::once(by).chain(approve.args).chain(approve.key).collect();
    let record = expr(program, Expr::Record(fields));
    node(program, pair.region, pair.approve).kind = NodeKind::Pure(record);
}

/// Puts the call (with its policies) into a block of its own, which a node at its place holds.
fn wrap(
    program: &mut Program,
    pair: Pair,
    params: u32,
    hold: impl FnOnce(&mut Program, RegionId) -> NodeKind,
) {
    let mut inner = node(program, pair.region, pair.at).clone();
    inner.order.clear();
    let block = RegionId(program.regions.len() as u32);
    let result = expr(program, Expr::Const(Value::None));
    if pair.up == 0 {
        // What the call reads stands one block further outwards now.
        let slot = slot(program, pair);
        program.regions.push(kait_ir::Region { params, nodes: vec![inner], result });
        let moved = Pair { inner: block, call: 0, up: 1, ..pair };
        take_from(program, moved, 1, slot);
    } else {
        program.regions.push(kait_ir::Region { params, nodes: vec![inner], result });
        let slot = slot(program, pair);
        take_from(program, pair, 2, slot);
    }
    let kind = hold(program, block);
    node(program, pair.region, pair.at).kind = kind;
}

/// A block that gives `none`.
fn nothing(program: &mut Program, params: u32) -> RegionId {
    let result = expr(program, Expr::Const(Value::None));
    program.regions.push(kait_ir::Region { params, nodes: vec![], result });
    RegionId(program.regions.len() as u32 - 1)
}

fn policy(body: RegionId, fallback: Option<RegionId>) -> NodeKind {
    NodeKind::Policy(Box::new(Policy {
        body,
        fallback,
        deadline: None,
        cache: None,
        cache_key: None,
        retry: None,
        timeout: None,
        rate: None,
    }))
}

/// Every program that is one step away.
fn mutants(original: &Program) -> Vec<(String, Program)> {
    let mut found: Vec<(String, Program)> = Vec::new();
    let all = pairs(original);
    let mut add = |name: String, change: &mut dyn FnMut(&mut Program)| {
        let mut mutant = original.clone();
        change(&mut mutant);
        found.push((name, mutant));
    };
    for pair in all.iter().copied() {
        let own = slot(original, pair);
        // Nothing says of a graph that its calls need approval: there it only must not be feigned.
        let is_needed = matches!(what(original, pair), Approved::Leaf(_));
        if is_needed {
            add("nobody is asked".into(), &mut |p| without_person(p, pair));
        }
        let given = match &original.regions[pair.region.index()].nodes[pair.approve as usize].kind {
            NodeKind::Approve(approve) => approve.args.clone(),
            _ => Vec::new(),
        };
        if pair.up == 0 {
            add("the call takes what was to be approved".into(), &mut |p| {
                set_args(p, pair, given.clone());
            });
        }
        let count = args(original, pair).len();
        for index in 0..count {
            add(format!("argument {index} is a constant"), &mut |p| {
                let mut args = args(p, pair);
                args[index] = expr(p, Expr::Const(Value::text("another")));
                set_args(p, pair, args);
            });
            add(format!("argument {index} is another field"), &mut |p| {
                let mut args = args(p, pair);
                let base = expr(p, Expr::Slot { up: pair.up, slot: own });
                args[index] = expr(p, Expr::Field(base, (index as u32 + 2) % (count as u32 + 1)));
                set_args(p, pair, args);
            });
            add(format!("argument {index} is computed from what was approved"), &mut |p| {
                let mut args = args(p, pair);
                let other = expr(p, Expr::Const(Value::text("another")));
                args[index] = expr(p, Expr::Coalesce(args[index], other));
                set_args(p, pair, args);
            });
        }
        add("the call does not wait".into(), &mut |p| {
            node(p, pair.region, pair.at).order.retain(|by| *by != pair.approve);
        });
        add("the call is made twice".into(), &mut |p| {
            let mut again = node(p, pair.region, pair.at).clone();
            again.path = "again".into();
            if let NodeKind::Policy(policy) = &mut again.kind {
                let body = p.regions[policy.body.index()].clone();
                policy.body = RegionId(p.regions.len() as u32);
                p.regions.push(body);
                policy.fallback = None;
            }
            p.regions[pair.region.index()].nodes.push(again);
        });
        add("something else was approved".into(), &mut |p| {
            let other = (0..p.leaves.len() as u32)
                .map(LeafId)
                .find(|id| Approved::Leaf(*id) != what(p, pair))
                .unwrap_or_else(|| {
                    p.leaves.push(p.leaves[0].clone());
                    LeafId(p.leaves.len() as u32 - 1)
                });
            if let NodeKind::Approve(approve) = &mut node(p, pair.region, pair.approve).kind {
                approve.what = Approved::Leaf(other);
            }
        });
        add("one may edit what is not there".into(), &mut |p| {
            if let NodeKind::Approve(approve) = &mut node(p, pair.region, pair.approve).kind {
                approve.edit = vec![9];
            }
        });
        add("what is edited is not checked".into(), &mut |p| {
            let ty = node(p, pair.region, pair.approve).ty;
            let Type::Record(mut record) = p.types.get(ty).clone() else { panic!("no record") };
            record.fields[1].ty = p.types.push(Type::Json);
            let ty = p.types.push(Type::Record(record));
            node(p, pair.region, pair.approve).ty = ty;
        });
        if pair.up == 0 {
            add("another key".into(), &mut |p| {
                let key = expr(p, Expr::Const(Value::text("key")));
                let keyed = EffectClass::Write { keyed: true };
                p.leaves.iter_mut().for_each(|leaf| leaf.class = keyed);
                match &mut node(p, pair.inner, pair.call).kind {
                    NodeKind::Leaf(call) => call.key = Some(key),
                    // A graph has no key: what is approved has one argument more instead.
                    _ => {
                        if let NodeKind::Approve(approve) =
                            &mut node(p, pair.region, pair.approve).kind
                        {
                            approve.key = Some(key);
                        }
                    }
                }
            });
        }
        add("the call moves into a `try`".into(), &mut |p| {
            wrap(p, pair, 0, |_, b| NodeKind::Try(b))
        });
        add("the call moves into a branch".into(), &mut |p| {
            wrap(p, pair, 0, |p, body| {
                let scrutinee = expr(p, Expr::Const(Value::Bool(true)));
                let arms = vec![Arm { pattern: Pattern::Any, guard: None, body }];
                NodeKind::Switch { scrutinee, arms }
            });
        });
        add("the call moves into a map".into(), &mut |p| {
            wrap(p, pair, 0, |p, body| {
                let items = vec![Value::Int(1), Value::Int(2)];
                NodeKind::Map(Box::new(Map {
                    source: expr(p, Expr::Const(Value::list(items))),
                    pattern: Pattern::Any,
                    filter: None,
                    max: None,
                    parallel: None,
                    sequential: true,
                    early: false,
                    body,
                }))
            });
        });
        add("the call moves into rounds".into(), &mut |p| {
            wrap(p, pair, 0, |p, body| {
                let otherwise = nothing(p, 0);
                let max = expr(p, Expr::Const(Value::Int(3)));
                NodeKind::Loop(Box::new(Loop { init: vec![], max, body, otherwise }))
            });
        });
        add("the call moves into a handler".into(), &mut |p| {
            wrap(p, pair, 0, |p, body| {
                let arms = vec![Arm { pattern: Pattern::Any, guard: None, body }];
                NodeKind::Catch { body: nothing(p, 0), arms }
            });
        });
        add("the call moves into a fallback".into(), &mut |p| {
            wrap(p, pair, 0, |p, fallback| policy(nothing(p, 0), Some(fallback)));
        });
        if pair.up == 1 {
            add("the call moves into further policies".into(), &mut |p| {
                wrap(p, pair, 0, |_, body| policy(body, None));
            });
        }
        for other in all.iter().copied() {
            if other.approve == pair.approve && other.region == pair.region {
                continue;
            }
            let theirs = slot(original, other);
            // Of a block that encloses the call's, or its own.
            let found = outwards(original, pair.region, pair.at, other.region);
            let Some((out, _)) = found.filter(|(_, at)| other.approve < *at) else { continue };
            add("the call takes what was approved for another".into(), &mut |p| {
                take_from(p, pair, pair.up + out, theirs);
            });
            add(
                "the call takes what was approved for another, and waits for it".into(),
                &mut |p| {
                    take_from(p, pair, pair.up + out, theirs);
                    if out == 0 {
                        let order = &mut node(p, pair.region, pair.at).order;
                        order.push(other.approve);
                        order.sort_unstable();
                    }
                    if is_needed {
                        without_person(p, pair);
                    }
                },
            );
            add("one argument was approved for another".into(), &mut |p| {
                let mut args = args(p, pair);
                let base = expr(p, Expr::Slot { up: pair.up + out, slot: theirs });
                args[0] = expr(p, Expr::Field(base, 1));
                set_args(p, pair, args);
            });
        }
    }
    found
}

/// How many blocks one lies outwards of a node of another, and the node in it that holds that.
fn outwards(program: &Program, from: RegionId, node: u32, to: RegionId) -> Option<(u32, u32)> {
    let mut at = (from, node);
    for up in 0..10 {
        if at.0 == to {
            return Some((up, at.1));
        }
        let holders = (0..).map(RegionId).zip(&program.regions).flat_map(|(id, region)| {
            (0..).zip(&region.nodes).map(move |(index, node)| ((id, index), node))
        });
        let mut holders = holders.filter(|(_, node)| {
            let mut holds = false;
            node.kind.for_each_region(|inner| holds |= inner == at.0);
            holds
        });
        at = holders.next()?.0;
    }
    None
}

#[test]
fn every_single_step_away_from_an_approval_is_refused() {
    let mut count = 0;
    for (name, text) in PROGRAMS {
        let program = guarded(text);
        assert!(!pairs(&program).is_empty(), "{name}");
        assert_eq!(kait_ir::verify(&program), Ok(()), "{name}");
        for (step, mut mutant) in mutants(&program) {
            // Whoever changes a program by hand can make all that follows from the nodes fit again.
            kait_ir::fill(&mut mutant);
            let Err(errors) = kait_ir::verify(&mutant) else {
                panic!("{name}: {step}: it is accepted\n{mutant}");
            };
            let is_about_approval =
                errors.iter().all(|error| matches!(error.problem, Problem::Approval(_)));
            assert!(is_about_approval, "{name}: {step}: {errors:?}\n{mutant}");
            let words = errors[0].in_words(&mutant);
            assert!(words.starts_with("graph `"), "{name}: {step}: {words}");
            // What is encoded is refused like what is not.
            let decoded = kait_ir::decode(&kait_ir::encode(&mutant)).expect("it is well formed");
            assert!(kait_ir::verify(&decoded).is_err(), "{name}: {step}");
            count += 1;
        }
    }
    assert!(count > 250, "only {count} programs were tried");
}

#[test]
fn what_is_wrong_is_said_in_words() {
    let program = guarded(PROGRAMS[5].1);
    let of = |change: &dyn Fn(&mut Program, &[Pair])| {
        let mut mutant = program.clone();
        change(&mut mutant, &pairs(&program));
        kait_ir::fill(&mut mutant);
        let errors = kait_ir::verify(&mutant).expect_err("it is refused");
        errors.iter().map(|error| error.in_words(&mutant)).collect::<Vec<_>>().join("\n")
    };
    let (inside, outside) = {
        let found = pairs(&program);
        let main = program.graphs[0].body;
        let inside = found.iter().position(|pair| pair.region != main);
        let inside = inside.expect("one stands in the loop");
        (inside, 1 - inside)
    };
    let removed = of(&|p, pairs| without_person(p, pairs[outside]));
    assert_eq!(
        removed,
        "graph `go`, node `file.write`: it calls `file.write`, which needs approval, but there is no approve node for it: a person \
         must see all of its arguments before it runs"
    );
    let bypassed = of(&|p, pairs| {
        let mut own = args(p, pairs[outside]);
        own[1] = expr(p, Expr::Const(Value::text("another")));
        set_args(p, pairs[outside], own);
    });
    assert!(
        bypassed.contains("the argument `content` does not come from what the person has approved")
    );
    let hoisted = of(&|p, pairs| {
        let slot = slot(p, pairs[outside]);
        let pair = pairs[inside];
        let (out, _) = outwards(p, pair.region, pair.at, pairs[outside].region).unwrap();
        take_from(p, pairs[inside], out, slot);
        without_person(p, pairs[inside]);
    });
    assert!(hoisted.contains("graph `go`, node `for/file.write`"), "{hoisted}");
    assert!(hoisted.contains("with what was approved in another block"), "{hoisted}");
}
