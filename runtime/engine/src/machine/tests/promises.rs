//! Approvals and questions that people answer: what they are shown, what their answers come to, when it is too late, and
//! what clocks do meanwhile.

use kait_ir::program::{Approve, Approved, Ask, Choose, LeafCall};
use kait_ir::types::{Bound, FieldType, RecordType};
use kait_ir::{EffectClass, Expr, ExprId, Failure, LeafId, Node, NodeKind, Type, TypeId, Value};
use serde_json::json;

use super::people::policy;
use super::{Driver, SECOND, int};
use crate::builder::{NodeExt, ProgramBuilder, leaf_call, node};
use crate::event::{Answer, Asks, EffectId, Event};

/// A guarded leaf `refund(order: text, amount: int where (max: 100))`, and the types around it.
struct Refunds {
    b: ProgramBuilder,
    leaf: LeafId,
    /// `Approved<refund>`
    approved: TypeId,
}

fn refunds() -> Refunds {
    let mut b = ProgramBuilder::new();
    let text = b.ty(Type::Text);
    let number = b.ty(Type::Int);
    let bounds = vec![Bound::Max(int(100))];
    let amount = b.ty(Type::Refined { name: None, base: number, bounds });
    let leaf = b.leaf_with("refund", EffectClass::Write { keyed: false }, 2);
    let decl = &mut b.program.leaves[leaf.index()];
    decl.guarded = true;
    for (param, (name, ty)) in decl.params.iter_mut().zip([("order", text), ("amount", amount)]) {
        (param.name, param.ty) = (name.into(), ty);
    }
    let field = |name: &str, ty| FieldType {
        name: name.into(),
        wire: name.into(),
        docs: "".into(),
        ty,
        default: None,
        trust: None,
    };
    let fields = vec![field("by", text), field("order", text), field("amount", amount)];
    let record = RecordType { name: "Approved<refund>".into(), docs: "".into(), fields };
    let approved = b.ty(Type::Record(record));
    Refunds { b, leaf, approved }
}

impl Refunds {
    /// The approval as node `at` of its block, and the call below it.
    fn approved(&mut self, at: u32, args: [ExprId; 2], edit: Vec<u32>) -> [Node; 2] {
        let (role, within) = (self.b.text("lead"), self.b.value(Value::Duration(3600 * SECOND)));
        let approve = Approve {
            what: Approved::Leaf(self.leaf),
            args: args.to_vec(),
            key: None,
            edit,
            untrusted: vec![0],
            role,
            within,
            show: None,
            target: None,
        };
        let mut approve = node("approve", NodeKind::Approve(Box::new(approve)));
        approve.ty = self.approved;
        let mut field = |index| {
            let base = self.b.slot(0, at);
            self.b.expr(Expr::Field(base, index))
        };
        let args = vec![field(1), field(2)];
        let call = LeafCall { leaf: self.leaf, args, key: None, target: None };
        [approve, node("refund", NodeKind::Leaf(call)).after(&[at])]
    }

    fn run(mut self, nodes: Vec<Node>, result: u32) -> Driver {
        let result = self.b.slot(0, result);
        let body = self.b.region(0, nodes, result);
        self.b.graph("main", body);
        // It is verified: these are programs as the compiler makes them.
        Driver::started(self.b.load().unwrap(), vec![])
    }
}

fn answer(d: &mut Driver, answer: Answer) {
    let effect = d.asked.last().expect("something is asked").0;
    d.event(Event::Answered { effect, answer: Box::new(answer) });
}

fn yes(edits: Vec<(u32, Value)>) -> Answer {
    Answer::Approved { by: "ada".into(), edits }
}

fn simple(edit: Vec<u32>) -> Driver {
    let mut r = refunds();
    let args = [r.b.text("ord_1"), r.b.int(20)];
    let nodes = r.approved(0, args, edit);
    r.run(nodes.into(), 1)
}

#[test]
fn nothing_is_called_before_it_is_approved_and_exactly_what_was_shown_is() {
    let mut d = simple(vec![]);
    assert_eq!(d.flying(), Vec::<&str>::new());
    let (_, promise) = &d.asked[0];
    assert_eq!((promise.to.as_deref(), promise.due), (Some("lead"), 3600 * SECOND));
    let Asks::Approval { call, args } = &promise.asks else { panic!("{promise:?}") };
    assert_eq!(call, "refund");
    let shown: Vec<_> =
        args.iter().map(|a| (a.name.as_str(), a.value.clone(), a.editable, a.untrusted)).collect();
    assert_eq!(
        shown,
        [("order", Value::text("ord_1"), false, true), ("amount", int(20), false, false)]
    );
    answer(&mut d, yes(vec![]));
    assert_eq!(d.in_flight[0].args, [Value::text("ord_1"), int(20)]);
    d.ok("refund", "done");
    d.ended_with("done");
}

#[test]
fn what_is_edited_is_checked_again() {
    type Edits = Vec<(u32, Value)>;
    let edited = |edit: Vec<u32>, edits: Edits| {
        let mut d = simple(edit);
        answer(&mut d, yes(edits));
        d
    };
    let d = edited(vec![1], vec![(1, int(5))]);
    assert_eq!(d.in_flight[0].args, [Value::text("ord_1"), int(5)]);
    let wrong: [(Vec<u32>, Edits, &str); 5] = [
        (vec![1], vec![(1, int(101))], "/amount"),
        (vec![1], vec![(1, Value::text("5"))], "/amount"),
        (vec![1], vec![(0, Value::text("ord_2"))], "/order"),
        (vec![1], vec![(1, int(1)), (1, int(2))], "/amount"),
        (vec![1], vec![(7, int(1))], "/"),
    ];
    for (edit, edits, place) in wrong {
        let d = edited(edit, edits);
        assert!(d.flying().is_empty(), "nothing is called with what does not fit");
        let Some(crate::Outcome::Failed(Failure::Invalid { path, .. })) = &d.outcome else {
            panic!("{:?}", d.outcome)
        };
        assert_eq!(path, place);
        d.rebuild();
    }
}

#[test]
fn a_person_may_say_no_and_only_the_first_answer_counts() {
    let mut d = simple(vec![]);
    let effect = d.asked[0].0;
    let no = Answer::Denied { by: "ada".into(), why: "too much".into() };
    let other = EffectId { generation: effect.generation + 1, ..effect };
    d.event(Event::Answered { effect: other, answer: Box::new(yes(vec![])) });
    assert!(d.outcome.is_none(), "another question was meant");
    answer(&mut d, no);
    d.event(Event::Answered { effect, answer: Box::new(yes(vec![])) });
    d.failed_with(Failure::Denied { by: "ada".into(), why: "too much".into() });

    let mut d = simple(vec![]);
    let effect = d.asked[0].0;
    answer(&mut d, yes(vec![]));
    d.event(Event::Answered { effect, answer: Box::new(yes(vec![])) });
    assert_eq!(d.flying(), ["refund"], "approved once, called once");
    assert!(d.timers.is_empty(), "nobody waits any more");
}

#[test]
fn nobody_answers_in_time() {
    let mut d = simple(vec![]);
    d.pass(3599 * SECOND);
    assert!(d.outcome.is_none());
    d.pass(2 * SECOND);
    assert!(d.asked.is_empty() && d.abandoned.len() == 1, "the question is taken back");
    d.failed_with(Failure::Unanswered);
}

#[test]
fn clocks_stand_still_while_people_are_waited_for() {
    // A deadline of a second around an approval of an hour and its call.
    let mut r = refunds();
    let args = [r.b.text("ord_1"), r.b.int(20)];
    let nodes = r.approved(0, args, vec![]);
    let result = r.b.slot(0, 1);
    let body = r.b.region(0, nodes.into(), result);
    let mut bound = policy(body, None);
    bound.deadline = Some(r.b.value(Value::Duration(SECOND)));
    let mut d = r.run(vec![node("bound", NodeKind::Policy(Box::new(bound)))], 0);
    d.pass(1800 * SECOND);
    answer(&mut d, yes(vec![]));
    assert_eq!(d.flying(), ["refund"]);
    d.ok("refund", "done");
    d.ended_with("done");
}

#[test]
fn whoever_is_cancelled_takes_the_question_back() {
    let mut d = simple(vec![]);
    let effect = d.asked[0].0;
    d.event(Event::Cancel);
    assert_eq!(d.abandoned, [effect]);
    assert!(d.timers.is_empty());
    d.failed_with(Failure::Cancelled);
}

fn ask(b: &mut ProgramBuilder, name: &str, ty: TypeId, choose: Option<Choose>) -> Node {
    let (question, within) = (b.text(name), b.value(Value::Duration(60 * SECOND)));
    let ask = Ask {
        question: Some(question),
        to: None,
        show: None,
        start: None,
        choose,
        within,
        target: None,
    };
    let mut node = node(name, NodeKind::Ask(Box::new(ask)));
    node.ty = ty;
    node
}

#[test]
fn adjacent_questions_open_together_and_answers_are_checked() {
    let mut b = ProgramBuilder::new();
    let number = b.ty(Type::Int);
    let small = b.ty(Type::Refined { name: None, base: number, bounds: vec![Bound::Max(int(9))] });
    let write = b.leaf("write", EffectClass::Write { keyed: false });
    let nodes = vec![
        ask(&mut b, "first", small, None),
        ask(&mut b, "second", small, None),
        node("write", leaf_call(write, vec![])),
    ];
    let result = b.slots(&[0, 1]);
    let body = b.region(0, nodes, result);
    b.graph("main", body);
    let mut d = Driver::started(b.load().unwrap(), vec![]);
    let asked: Vec<EffectId> = d.asked.iter().map(|(effect, _)| *effect).collect();
    assert_eq!(asked.len(), 2);
    let given = |n| Box::new(Answer::Given(int(n)));
    d.event(Event::Answered { effect: asked[1], answer: given(2) });
    assert!(d.flying().is_empty(), "what is written waits for both");
    d.event(Event::Answered { effect: asked[0], answer: given(1) });
    d.ok("write", 0);
    d.ended_with(vec![1, 2]);
}

#[test]
fn items_are_taken_in_their_order_and_never_too_many() {
    let taken = |places: Vec<u32>| {
        let mut b = ProgramBuilder::new();
        let text = b.ty(Type::Text);
        let list = b.ty(Type::List(text));
        let items = b.value(Value::list(["a", "b", "c"].map(Value::text).to_vec()));
        let choose = Choose { items, label: None, max: Some(b.int(2)) };
        let nodes = vec![ask(&mut b, "which", list, Some(choose))];
        let result = b.slot(0, 0);
        let body = b.region(0, nodes, result);
        b.graph("main", body);
        let mut d = Driver::started(b.load().unwrap(), vec![]);
        answer(&mut d, Answer::Taken(places));
        d
    };
    taken(vec![2, 0]).ended_with(vec!["a", "c"]);
    taken(vec![]).ended_with(Value::list(vec![]));
    for wrong in [vec![0, 1, 2], vec![3], vec![1, 1]] {
        let d = taken(wrong);
        let failed = matches!(&d.outcome, Some(crate::Outcome::Failed(Failure::Invalid { .. })));
        assert!(failed, "{:?}", d.outcome);
    }
}

#[test]
fn answers_are_read_from_json_and_told_what_is_wrong() {
    let d = simple(vec![1]);
    let (_, promise) = &d.asked[0];
    let table = d.machine.loaded().table();
    let read = |given| promise.read_answer(table, "ada", &given);
    assert_eq!(read(json!({ "decision": "approve" })), Ok(yes(vec![])));
    let edit = json!({ "decision": "approve", "edit": { "amount": 7 } });
    assert_eq!(read(edit), Ok(yes(vec![(1, int(7))])));
    let denied = Answer::Denied { by: "ada".into(), why: "no".into() };
    assert_eq!(read(json!({ "decision": "deny", "why": "no" })), Ok(denied));
    let path = |given| match read(given) {
        Err(Failure::Invalid { path, .. }) => path.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(path(json!({})), "/decision");
    assert_eq!(path(json!([])), "");
    assert_eq!(path(json!({ "decision": "approve", "why": "x" })), "/why");
    assert_eq!(path(json!({ "decision": "approve", "edit": { "order": "x" } })), "/edit/order");
    assert_eq!(path(json!({ "decision": "approve", "edit": { "amount": "x" } })), "/edit/amount");
    assert_eq!(path(json!({ "decision": "approve", "edit": { "amount": 101 } })), "/edit/amount");
    assert_eq!(path(json!({ "decision": "approve", "edit": { "none": 1 } })), "/edit/none");
    let about = promise.about(table);
    assert_eq!(about["arguments"][1]["schema"]["maximum"], 100);
    assert_eq!((about["call"].as_str(), about["to"].as_str()), (Some("refund"), Some("lead")));
    assert_eq!(about["arguments"][0]["untrusted"], true);
}
