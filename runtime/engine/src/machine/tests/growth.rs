//! Growing values: which sinks are asked for, what is bound and put, and maps that start early.

use kait_ir::program::{Arm, Loop, Map, ModelCall, Policy};
use kait_ir::{EffectClass, Expr, Failure, Node, NodeKind, Pattern, TemplatePart, TypeId, Value};

use super::people::policy;
use super::{Driver, Value2, custom, int};
use crate::builder::{NodeExt, ProgramBuilder, graph_call, leaf_call, node};
use crate::event::{Arg, Command, Event, Outcome, SinkId, SinkSpec, Source, Start};

fn model(b: &mut ProgramBuilder, name: &str) -> Node {
    let call = ModelCall {
        prompt: name.into(),
        docs: "".into(),
        role: name.into(),
        options: vec![],
        messages: vec![],
        output: TypeId(0),
        repair: 0,
    };
    let _ = b;
    node(name, NodeKind::Model(Box::new(call))).grows()
}

fn any(body: kait_ir::RegionId) -> Arm {
    Arm { pattern: Pattern::Any, guard: None, body }
}

fn watched(b: ProgramBuilder, args: Vec<Arg>) -> Driver {
    let graph = kait_ir::GraphId(b.program.graphs.len() as u32 - 1);
    let mut d = Driver::new(b.load_as_is().unwrap());
    let start = Start { args, sink: true, ..Start::new(graph, vec![]) };
    d.event(Event::Start(Box::new(start)));
    d
}

/// The commands about sinks, in short.
fn flows(d: &Driver) -> Vec<String> {
    let name = |source: &Source| match source {
        Source::Effect(effect) => d
            .commands
            .iter()
            .find_map(|c| match c {
                Command::Model { effect: e, request } if e == effect => {
                    Some(request.role.to_string())
                }
                Command::Leaf { effect: e, leaf, .. } if e == effect => {
                    Some(d.program().leaves[leaf.index()].name.to_string())
                }
                _ => None,
            })
            .unwrap_or_default(),
        Source::Input(n) => format!("input {n}"),
    };
    d.commands
        .iter()
        .filter_map(|c| match c {
            Command::Sink { sink, spec } => Some(match spec {
                SinkSpec::Field { parent, variant: None, index } => {
                    format!("{} = {}.{index}", sink.0, parent.0)
                }
                SinkSpec::Field { parent, variant: Some(v), index } => {
                    format!("{} = {}:{v}.{index}", sink.0, parent.0)
                }
                SinkSpec::Item { parent, index } => format!("{} = {}[{index}]", sink.0, parent.0),
                SinkSpec::Part { parent, index, of, .. } => {
                    format!("{} = {} part {index}/{of}", sink.0, parent.0)
                }
                SinkSpec::Select { to, index } => format!("{} .{index} -> {}", sink.0, to.0),
                SinkSpec::Segments { to, segmenter, .. } => {
                    format!("{} {segmenter} -> {}", sink.0, to.0)
                }
                SinkSpec::Cuts { .. } => format!("{} cuts", sink.0),
            }),
            Command::Bind { source, sink } => Some(format!("{} <- {}", sink.0, name(source))),
            Command::Put { sink, value } => {
                Some(format!("{} := {}", sink.0, crate::render::plain(value)))
            }
            Command::Reset(sink) => Some(format!("reset {}", sink.0)),
            _ => None,
        })
        .collect()
}

#[test]
fn a_prompt_called_as_the_result_is_bound_to_the_result() {
    let mut b = ProgramBuilder::new();
    let ask = model(&mut b, "ask");
    let result = b.slot(0, 0);
    let body = b.region(0, vec![ask], result);
    let prompt = b.graph("ask", body);
    let body = b.region(0, vec![node("ask", graph_call(prompt, vec![]))], result);
    b.graph("main", body);
    let mut d = watched(b, vec![]);
    assert_eq!(flows(&d), ["0 <- ask"]);
    d.ok("ask", "hello");
    assert_eq!(flows(&d).len(), 1, "the effect completes its sink");
    d.ended_with("hello");
}

#[test]
fn nobody_watching_costs_nothing() {
    let mut b = ProgramBuilder::new();
    let ask = model(&mut b, "ask");
    let result = b.slot(0, 0);
    let body = b.region(0, vec![ask], result);
    b.graph("main", body);
    let d = Driver::started(b.load_as_is().unwrap(), vec![]);
    assert!(flows(&d).is_empty());
}

/// The shape of `support`: a route, and a reply from the arm that was chosen.
#[test]
fn fields_fill_as_their_nodes_do() {
    let mut b = ProgramBuilder::new();
    let route = model(&mut b, "route");
    let reply = model(&mut b, "reply");
    let result = b.slot(0, 0);
    let arm = b.region(0, vec![reply], result);
    let topic = b.slot(0, 0);
    let switch = node("match", NodeKind::Switch { scrutinee: topic, arms: vec![any(arm)] });
    let (route_slot, reply_slot) = (b.slot(0, 0), b.slot(0, 1));
    let answer = b.expr(Expr::Record(vec![route_slot, reply_slot]));
    let body = b.region(0, vec![route, switch.after_data(&[0])], answer);
    b.graph("main", body);
    let mut d = watched(b, vec![]);
    assert_eq!(flows(&d), ["1 = 0.0", "2 = 0.1", "1 <- route"]);
    d.ok("route", "billing");
    assert_eq!(flows(&d)[3..], ["2 <- reply"]);
    d.ok("reply", "Dear Ada");
    assert_eq!(flows(&d).len(), 4);
    d.ended_with(Value::record(vec![Value::text("billing"), Value::text("Dear Ada")]));
}

#[test]
fn templates_flow_in_parts_and_finished_parts_are_put() {
    let mut b = ProgramBuilder::new();
    let text = b.ty(kait_ir::Type::Text);
    let ask = model(&mut b, "ask");
    let (name, answer) = (b.slot(0, 0), b.slot(0, 1));
    let one = b.expr(Expr::Record(vec![name]));
    let first = b.expr(Expr::Field(one, 0));
    let template = b.expr(Expr::Template(vec![
        TemplatePart::Value(first, text),
        TemplatePart::Text(": ".into()),
        TemplatePart::Value(answer, text),
    ]));
    let body = b.region(1, vec![ask], template);
    b.graph("main", body);
    let mut d = watched(b, vec![Arg::Ready(Value::text("Ada"))]);
    assert_eq!(
        flows(&d),
        ["1 = 0 part 0/3", "1 := Ada", "2 = 0 part 1/3", "2 := : ", "3 = 0 part 2/3", "3 <- ask"]
    );
    d.ok("ask", "hi");
    d.ended_with("Ada: hi");
}

#[test]
fn only_the_value_of_done_flows_out_of_a_loop() {
    // loop _ = 0 max 2 { let r = ask(); if r == "again" { next } else { done r } }: decided after the fact, so put.
    // The region's arm `done draft()` is bound while it grows.
    let mut b = ProgramBuilder::new();
    let check = model(&mut b, "check");
    let draft = model(&mut b, "draft");
    let first = b.slot(0, 0);
    let done = b.expr(Expr::Variant(0, vec![first]));
    let again = b.expr(Expr::Variant(1, vec![first]));
    let yes = b.region(0, vec![draft.clone()], done);
    let no = b.region(0, vec![draft], again);
    let arms = vec![Arm { pattern: Pattern::Const(int(1)), guard: None, body: yes }, any(no)];
    let scrutinee = b.slot(0, 1);
    let switch = node("match", NodeKind::Switch { scrutinee, arms }).after_data(&[0]);
    let step = b.slot(0, 2);
    let body = b.region(1, vec![check, switch], step);
    let last = b.slot(0, 0);
    let otherwise = b.region(1, vec![], last);
    let (init, max) = (b.int(0), b.int(3));
    let rounds = Loop { init: vec![init], max, body, otherwise };
    let result = b.slot(0, 0);
    let body = b.region(0, vec![node("loop", NodeKind::Loop(Box::new(rounds)))], result);
    b.graph("main", body);
    let mut d = watched(b, vec![]);
    d.ok("check", 0);
    d.ok("draft", "first");
    assert!(flows(&d).is_empty(), "{:?}", flows(&d));
    d.ok("check", 1);
    assert_eq!(flows(&d), ["0 <- draft"]);
    d.ok("draft", "second");
    assert_eq!(flows(&d).len(), 1);
    d.ended_with("second");
}

#[test]
fn a_new_attempt_and_a_handler_reset_what_has_flowed() {
    let mut b = ProgramBuilder::new();
    let ask = model(&mut b, "ask");
    let result = b.slot(0, 0);
    let body = b.region(0, vec![ask], result);
    let retry = b.int(1);
    let policies = Policy { retry: Some(retry), ..policy(body, None) };
    let call = node("call", NodeKind::Policy(Box::new(policies)));
    let body = b.region(0, vec![call], result);
    let sorry = b.text("sorry");
    let handler = b.region(0, vec![], sorry);
    let caught = node("catch", NodeKind::Catch { body, arms: vec![any(handler)] });
    let body = b.region(0, vec![caught], result);
    b.graph("main", body);
    let mut d = watched(b, vec![]);
    d.fail("ask", Failure::Timeout);
    d.tick();
    d.fail("ask", custom("broken"));
    assert_eq!(flows(&d), ["0 <- ask", "reset 0", "0 <- ask", "reset 0", "0 := sorry"]);
    d.ended_with("sorry");
}

fn list_of(b: &mut ProgramBuilder, source: kait_ir::ExprId, early: bool) -> Map {
    let each = model(b, "each");
    let result = b.slot(0, 1);
    let body = b.region(1, vec![each], result);
    Map {
        source,
        pattern: Pattern::Bind(0),
        filter: None,
        max: None,
        parallel: None,
        sequential: false,
        early,
        body,
    }
}

#[test]
fn items_flow_into_their_places() {
    let mut b = ProgramBuilder::new();
    let source = b.slot(0, 0);
    let map = list_of(&mut b, source, false);
    let result = b.slot(0, 1);
    let body = b.region(1, vec![node("for", NodeKind::Map(Box::new(map)))], result);
    b.graph("main", body);
    let mut d = watched(b, vec![Arg::Ready(Value2::from(vec![1, 2]).0)]);
    assert_eq!(flows(&d), ["1 = 0[0]", "2 = 0[1]", "1 <- each", "2 <- each"]);
    d.ok("each", "a");
    d.ok("each", "b");
    assert_eq!(flows(&d)[4..], ["0 := a list of 2"], "the list is complete");
    d.ended_with(vec!["a", "b"]);
}

/// `for t in plan() { each(t) }`, where the plan's list grows.
fn early() -> ProgramBuilder {
    let mut b = ProgramBuilder::new();
    let plan = model(&mut b, "plan");
    let source = b.slot(0, 0);
    let map = list_of(&mut b, source, true);
    let result = b.slot(0, 1);
    let nodes = vec![plan, node("for", NodeKind::Map(Box::new(map))).after_data(&[0])];
    let body = b.region(0, nodes, result);
    b.graph("main", body);
    b
}

fn cut(d: &mut Driver, generation: u32, index: u32, n: i64) {
    d.event(Event::Cut { sink: SinkId(1), generation, index, value: int(n) });
}

#[test]
fn an_early_map_starts_on_complete_items() {
    let mut d = Driver::started(early().load_as_is().unwrap(), vec![]);
    assert_eq!(flows(&d), ["1 cuts", "1 <- plan"]);
    cut(&mut d, 0, 0, 1);
    cut(&mut d, 0, 1, 2);
    assert_eq!(d.flying(), ["plan", "each", "each"]);
    d.ok("each", 10);
    d.ok("plan", vec![1, 2, 3]);
    assert_eq!(d.flying(), ["each", "each"], "the third starts, the first is not started again");
    d.ok("each", 20);
    d.ok("each", 30);
    d.ended_with(vec![10, 20, 30]);
}

#[test]
fn what_was_superseded_is_dropped() {
    let mut d = Driver::started(early().load_as_is().unwrap(), vec![]);
    cut(&mut d, 0, 0, 1);
    d.event(Event::Superseded { sink: SinkId(1), generation: 1 });
    assert_eq!((d.flying(), d.abandoned.len()), (vec!["plan"], 1));
    cut(&mut d, 0, 1, 2);
    assert_eq!(d.flying(), ["plan"], "cuts of the old generation are ignored");
    cut(&mut d, 1, 0, 5);
    d.ok("each", 50);
    d.ok("plan", vec![5]);
    d.ended_with(vec![50]);
}

#[test]
fn a_finished_list_that_does_not_begin_with_the_cuts_starts_anew() {
    let mut d = Driver::started(early().load_as_is().unwrap(), vec![]);
    cut(&mut d, 0, 0, 1);
    d.ok("plan", vec![2]);
    assert_eq!((d.flying(), d.abandoned.len()), (vec!["each"], 1));
    d.ok("each", 20);
    d.ended_with(vec![20]);
}

#[test]
fn an_early_item_fails_only_after_its_source_has_succeeded() {
    let mut d = Driver::started(early().load_as_is().unwrap(), vec![]);
    cut(&mut d, 0, 0, 1);
    d.fail("each", custom("item"));
    assert_eq!(d.outcome, None);
    d.fail("plan", custom("plan"));
    d.failed_with(custom("plan"));

    let mut d = Driver::started(early().load_as_is().unwrap(), vec![]);
    cut(&mut d, 0, 0, 1);
    d.fail("each", custom("item"));
    d.ok("plan", vec![1]);
    d.failed_with(custom("item"));
}

#[test]
fn cancelling_a_source_drops_what_it_started() {
    let mut d = Driver::started(early().load_as_is().unwrap(), vec![]);
    cut(&mut d, 0, 0, 1);
    d.fail("plan", custom("plan"));
    assert!(d.flying().is_empty());
    d.failed_with(custom("plan"));
}

/// `graph live(speech: text) { for s in text.sentences(speech) { each(s) } }` with text from a pipe.
#[test]
fn segments_of_a_growing_input_start_items() {
    let mut b = ProgramBuilder::new();
    let speech = b.slot(0, 0);
    let sentences = b.leaf("text.sentences", EffectClass::Read);
    let source = b.slot(0, 1);
    let map = list_of(&mut b, source, true);
    let result = b.slot(0, 2);
    let nodes = vec![
        node("sentences", leaf_call(sentences, vec![speech])).grows(),
        node("for", NodeKind::Map(Box::new(map))).after_data(&[0]),
    ];
    let body = b.region(1, nodes, result);
    b.graph("live", body);
    let mut d = watched(b, vec![Arg::Growing]);
    assert_eq!(flows(&d), ["1 cuts", "2 text.sentences -> 1", "2 <- input 0"]);
    assert!(d.flying().is_empty(), "the leaf itself waits for the whole text");
    d.event(Event::Cut { sink: SinkId(1), generation: 0, index: 0, value: Value::text("A.") });
    assert_eq!(d.flying(), ["each"]);
    d.event(Event::InputDone { param: 0, outcome: Outcome::Ok(Value::text("A.")) });
    assert_eq!(d.flying(), ["each", "text.sentences"]);
    d.ok("text.sentences", vec!["A."]);
    d.ok("each", "B.");
    d.ended_with(vec!["B."]);
}

#[test]
fn an_input_that_breaks_off_fails_the_run() {
    let mut b = ProgramBuilder::new();
    let result = b.slot(0, 0);
    let body = b.region(1, vec![], result);
    b.graph("main", body);
    let mut d = watched(b, vec![Arg::Growing]);
    assert_eq!(flows(&d), ["0 <- input 0"]);
    d.event(Event::InputDone { param: 0, outcome: Outcome::Failed(custom("pipe")) });
    d.failed_with(custom("pipe"));
}

#[test]
fn a_field_of_a_growing_record_is_selected() {
    let mut b = ProgramBuilder::new();
    let ask = model(&mut b, "ask");
    let record = b.slot(0, 0);
    let body_field = b.expr(Expr::Field(record, 1));
    let body = b.region(0, vec![ask], body_field);
    b.graph("main", body);
    let mut d = watched(b, vec![]);
    assert_eq!(flows(&d), ["1 .1 -> 0", "1 <- ask"]);
    d.ok("ask", Value::record(vec![int(1), Value::text("x")]));
    d.ended_with("x");
}

/// The body gives a pure value of what its model gave, by a node of its own or as its result: each item is shown when
/// it is complete, not when the list is.
#[test]
fn items_that_are_computed_are_put_one_by_one() {
    computed_items(true);
    computed_items(false);
}

fn computed_items(by_a_node: bool) {
    let mut b = ProgramBuilder::new();
    let plan = model(&mut b, "plan");
    let each = model(&mut b, "each");
    let got = b.slot(0, 1);
    let two = b.int(2);
    let twice = b.expr(Expr::Binary(kait_ir::BinaryOp::Mul, got, two));
    let computed = b.slot(0, 2);
    let pure = node("twice", NodeKind::Pure(twice)).after_data(&[0]);
    let body = if by_a_node {
        b.region(1, vec![each, pure], computed)
    } else {
        b.region(1, vec![each], twice)
    };
    let source = b.slot(0, 0);
    let map = Map { body, ..list_of(&mut b, source, true) };
    let result = b.slot(0, 1);
    let nodes = vec![plan, node("for", NodeKind::Map(Box::new(map))).after_data(&[0])];
    let body = b.region(0, nodes, result);
    b.graph("main", body);
    let mut d = watched(b, vec![]);
    d.event(Event::Cut { sink: SinkId(1), generation: 0, index: 0, value: int(1) });
    d.ok("each", 10);
    assert_eq!(flows(&d), ["1 cuts", "1 <- plan", "2 = 0[0]", "2 := 20"]);
    d.ok("plan", vec![1, 2]);
    d.ok("each", 20);
    assert_eq!(flows(&d)[4..], ["3 = 0[1]", "3 := 40", "0 := a list of 2"]);
    d.ended_with(vec![20, 40]);
}

/// `if … { fail … }` above a result that is there already, or grows already.
#[test]
fn a_guard_holds_back_the_value_of_its_block() {
    let mut b = ProgramBuilder::new();
    let ask = model(&mut b, "ask");
    let leaf = b.leaf("check", EffectClass::Read);
    let guard = node("check", leaf_call(leaf, vec![])).guard();
    let (first, fixed) = (b.slot(0, 0), b.value(Value::text("the secret")));
    let both = b.expr(Expr::List(vec![(fixed, false), (first, false)]));
    let body = b.region(0, vec![ask, guard], both);
    b.graph("main", body);
    let mut d = watched(b, vec![]);
    assert!(flows(&d).is_empty(), "{:?}", flows(&d));
    d.ok("check", 0);
    assert_eq!(flows(&d), ["1 = 0[0]", "1 := the secret", "2 = 0[1]", "2 <- ask"]);
    d.ok("ask", "hi");
    d.ended_with(vec!["the secret", "hi"]);
}

#[test]
fn a_guard_that_fails_has_shown_nothing() {
    let mut b = ProgramBuilder::new();
    let ask = model(&mut b, "ask");
    let result = b.slot(0, 0);
    let says = b.value(custom("blocked").to_value());
    let fail = b.expr(Expr::Fail(says));
    let guard = node("if", NodeKind::Pure(fail)).after_data(&[0]).guard();
    let body = b.region(0, vec![ask, guard], result);
    b.graph("main", body);
    let mut d = watched(b, vec![]);
    d.ok("ask", "what must not be said");
    assert!(flows(&d).is_empty(), "{:?}", flows(&d));
    d.failed_with(custom("blocked"));
}

#[test]
fn what_is_checked_when_it_is_finished_does_not_grow() {
    for (bound, grows) in [
        (kait_ir::types::Bound::Pattern("^a+$".into()), false),
        (kait_ir::types::Bound::MaxLen(9), true),
    ] {
        let mut b = ProgramBuilder::new();
        let text = b.ty(kait_ir::Type::Text);
        let ty = kait_ir::Type::Refined { name: None, base: text, bounds: vec![bound] };
        let ty = b.ty(ty);
        let ask = model(&mut b, "ask");
        let answer = b.slot(0, 0);
        let checked = b.expr(Expr::Check(answer, ty, Default::default()));
        let body = b.region(0, vec![ask], checked);
        b.graph("main", body);
        let mut d = watched(b, vec![]);
        assert_eq!(flows(&d) == ["0 <- ask"], grows, "{:?}", flows(&d));
        d.ok("ask", "bbbbbbbbbbbb");
        assert!(matches!(d.outcome, Some(Outcome::Failed(Failure::Invalid { .. }))));
        assert!(grows || flows(&d).is_empty(), "{:?}", flows(&d));
    }
}

/// `let _ = if bad { fail … }; "text"` as one expression, and a part of a composed value that refuses.
#[test]
fn what_refuses_within_an_expression_holds_back_what_is_below() {
    let mut b = ProgramBuilder::new();
    let text = b.ty(kait_ir::Type::Text);
    let says = b.value(custom("no").to_value());
    let fail = b.expr(Expr::Fail(says));
    let fixed = b.value(Value::text("secret"));
    let template = b.expr(Expr::Template(vec![
        TemplatePart::Text("the ".into()),
        TemplatePart::Value(fixed, text),
    ]));
    let block = b.expr(Expr::Let { local: 0, value: fail, body: template });
    b.program.max_locals = 1;
    let body = b.region(0, vec![], block);
    b.graph("main", body);
    let d = watched(b, vec![]);
    assert!(!flows(&d).iter().any(|f| f.contains(":=")), "{:?}", flows(&d));
    d.failed_with(custom("no"));

    let mut b = ProgramBuilder::new();
    let says = b.value(custom("no").to_value());
    let fail = b.expr(Expr::Fail(says));
    let fixed = b.value(Value::text("secret"));
    let pair = b.expr(Expr::Record(vec![fixed, fail]));
    let body = b.region(0, vec![], pair);
    b.graph("main", body);
    let d = watched(b, vec![]);
    assert!(!flows(&d).iter().any(|f| f.contains(":=")), "{:?}", flows(&d));
    d.failed_with(custom("no"));
}

/// What was shown cannot be taken back: a text below a write, or below a question, may say that it was done.
#[test]
fn what_stands_below_a_write_is_shown_when_it_has_succeeded() {
    let written = |result: &dyn Fn(&mut ProgramBuilder) -> kait_ir::ExprId, below: bool| {
        let mut b = ProgramBuilder::new();
        let write = b.leaf("write", EffectClass::Write { keyed: false });
        let write = node("write", leaf_call(write, vec![]));
        let ask = model(&mut b, "ask");
        let result = result(&mut b);
        let nodes = if below { vec![write, ask] } else { vec![ask, write] };
        let body = b.region(0, nodes, result);
        b.graph("main", body);
        watched(b, vec![])
    };
    // The text of the program itself.
    let mut d = written(&|b| b.value(Value::text("done")), true);
    assert!(flows(&d).is_empty(), "{:?}", flows(&d));
    d.fail("write", custom("no"));
    assert!(!flows(&d).iter().any(|flow| flow.contains("done")), "{:?}", flows(&d));
    // What a model says below it.
    let mut d = written(&|b| b.slot(0, 1), true);
    assert!(flows(&d).is_empty(), "{:?}", flows(&d));
    d.ok("write", Value::None);
    assert_eq!(flows(&d), ["0 <- ask"]);
    // What stands above it says nothing of it, and does not wait.
    let d = written(&|b| b.slot(0, 0), false);
    assert_eq!(flows(&d), ["0 <- ask"]);
}
