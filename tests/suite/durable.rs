//! Runs that are killed: at every operation of the store and of the world, before and after it. What is taken up again ends as the
//! record says, nothing without a key is done twice, and every key once.
//!
//! Whatever is asked answers differently every time, so that an answer that is used though it was not recorded shows.

mod world;

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use kait_compiler::compile;
use kait_compiler::hir::{CallableKind, DefId, DefKind};
use kait_compiler::sources::MemorySources;
use kait_connect::ModelBinding;
use kait_engine::Loaded;
use kait_engine::event::{Arg, Event, Outcome};
use kait_engine::journal::Entry;
use kait_engine::segment::{SegmentKind, SegmentOp};
use kait_ir::{Failure, GraphId, Value};
use kait_runtime::driver::Called;
use kait_runtime::people::AnswerReceiver;
use kait_runtime::{Plan, Profile, Recorder, Run, RunEnd, RunLog, RunStart, Shared, recorder};
use kait_store::{
    MemoryStore, NewRun, PromiseQuery, Read as _, Refused, RunId, RunState, Store, StoreError,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use world::{Life, Mortal, Outside, World};

/// Graphs of one shape each.
const PROGRAM: &str = r#"
model fast

extern look(of: text) -> text does read crm from http "GET https://crm.example.com"
extern rate(of: text) -> text does read bank from http "GET https://bank.example.com"

extern charge(card: text) -> text
  does write payments
  with (key: header("Idempotency-Key"))
  from http "POST https://pay.example.com/charges"

extern letter(text: text) -> text
  does write mail
  from http "POST https://mail.example.com/letters"

prompt draft(about: text) -> text {
  model fast
  user about
}

pub graph reads(card: text) -> text {
  let a = look(card)
  let b = rate(a)
  "${a} ${b}"
}

pub graph keyed(card: text) -> text {
  let a = look(card)
  let paid = charge(a) with (key: "order ${card}")
  let b = look(paid)
  "${a} ${paid} ${b}"
}

pub graph two_keyed(card: text) -> text {
  let a = charge(look("one")) with (key: "one")
  let b = charge("${a} ${look("two")}") with (key: "two")
  "${a} ${b}"
}

pub graph unkeyed(card: text) -> text {
  let a = look(card)
  let sent = letter(a)
  let b = rate(sent)
  "${sent} ${b}"
}

pub graph handled(card: text) -> text {
  let a = look(card)
  let sent = letter(a) catch { Unknown(call: what) => "perhaps ${what}" }
  let again = letter(rate("x")) catch { Unknown(call: what) => "perhaps ${what}" }
  "${sent} ${again}"
}

pub graph items(card: text) -> [text] {
  for n in ["a", "b", "c"] { "${look(n)} ${rate(n)}" }
}

pub graph written_items(card: text) -> [text] {
  for n in ["a", "b", "c"] { charge("${n} ${look(n)}") with (key: n) }
}

pub graph rounds(card: text) -> text {
  loop so_far = card, n = 0 max 3 {
    let more = look(so_far)
    let paid = charge(more) with (key: "round ${n}")
    if n == 1 { done paid } else { next(so_far: paid, n: n + 1) }
  } else { so_far }
}

pub graph raced(card: text) -> text {
  let first = race { look("a"), rate("b") }
  charge(first) with (key: "race")
}

pub graph tried(card: text) -> text {
  let a = try look(card)
  let kept = match a { Ok(v) => v, Failed(_) => "none" }
  charge(kept) with (key: "tried") catch { Timeout => "late" }
}

pub graph guarded(card: text) -> text {
  let a = look(card)
  if a == "" { fail "empty" }
  let paid = charge(a) with (key: "guarded")
  if paid == "" { fail "unpaid" }
  letter(paid) catch { Unknown(call: _) => "perhaps" }
}

pub graph failing(card: text) -> text {
  let paid = charge(look(card)) with (key: "failing")
  fail "no: ${paid}"
}

pub graph prompted(card: text) -> text {
  let words = draft(card)
  let paid = charge(words) with (key: "prompted")
  "${words} ${paid}"
}

pub graph sentences(card: text) -> [text] {
  for s in text.sentences(draft(card)) max 10 { look(s) }
}

pub graph written_sentences(card: text) -> [text] {
  for s in text.sentences(draft(card)) max 10 { charge(s) with (key: s) }
}

pub graph shown(card: text) -> text {
  out.status("looking")
  let a = look(card)
  out.status("found ${a}")
  let paid = charge(a) with (key: "shown")
  paid
}

pub graph inner(card: text) -> text {
  let a = look(card)
  charge(a) with (key: "inner ${card}")
}

pub graph nested(card: text) -> text {
  let a = inner("one")
  let b = inner("two")
  letter("${a} ${b}") catch { Unknown(call: _) => "perhaps" }
}

pub graph approved(card: text) -> text {
  let a = look(card)
  let paid = charge(a) with (key: "approved", approve: "boss", within: 1h)
  "${a} ${paid}"
}

pub graph asked(card: text) -> text {
  let a = look(card)
  let sure: bool = ask("Pay ${a}?", to: "boss") with (within: 1h, fallback: false)
  if sure { charge(a) with (key: "asked") } else { "not paid" }
}

pub graph told_apart(card: text) -> text {
  let a = look(card)
  let sure: bool = ask("Pay ${a}?", to: "boss") with (within: 1h, fallback: false)
  let both: bool = ask("And tell?", to: "clerk") with (within: 1h, fallback: false)
  let paid = charge("${a} ${sure} ${both}") with (key: "apart")
  letter(paid) catch { Unknown(call: _) => "perhaps" }
}

extern cancel(paid: text) -> text
  does write payments
  with (key: header("Idempotency-Key"))
  from http "POST https://pay.example.com/cancellations"

pub graph undone(card: text) -> text {
  let a = charge(look("one")) with (key: "one") undo { cancel(a) with (key: "not ${a}") }
  let b = charge(look("two")) with (key: "two") undo {
    let seen = look(b)
    cancel("${a} ${b} ${seen}") with (key: "not ${b}")
  }
  fail "no: ${a} ${b}"
}

pub graph not_undone(card: text) -> text {
  let a = charge(look("one")) with (key: "one") undo { cancel(a) with (key: "not ${a}") }
  let sent = letter(a) catch { Unknown(call: _) => "perhaps" } undo { cancel("letter") with (key: "letter") }
  "${a} ${sent}"
}

pub graph undone_without_key(card: text) -> text {
  let a = charge(look("one")) with (key: "one") undo { cancel(a) with (key: "not ${a}") }
  let b = charge(look("two")) with (key: "two") undo { letter("not ${b}") }
  let c = charge(look("three")) with (key: "three") undo { cancel(c) with (key: "not ${c}") }
  fail "no: ${a} ${b} ${c}"
}

graph undone_inside(card: text) -> text {
  let a = charge(look(card)) with (key: "in ${card}") undo { cancel(a) with (key: "not ${a}") }
  if card == "two" { fail "not ${a}" }
  a
}

pub graph undone_nested(card: text) -> text {
  let a = undone_inside("one") undo { cancel(a) with (key: "all of ${a}") }
  let b = undone_inside("two") catch { Custom(message: why) => charge(why) with (key: "instead") } undo {
    cancel(b) with (key: "both ${b}")
  }
  let c = charge(b) with (key: "last")
  fail "no: ${c}"
}

pub graph undone_items(card: text) -> [text] {
  for n in ["a", "b", "c"] {
    let paid = charge("${n} ${look(n)}") with (key: n) undo { cancel("${n} ${paid}") with (key: "not ${n}") }
    if n == "c" { fail "no ${n}" }
    paid
  }
}

pub graph undone_rounds(card: text) -> text {
  loop so_far = card, n = 0 max 3 {
    let paid = charge(look(so_far)) with (key: "round ${n}") undo { cancel("${so_far} ${n}") with (key: "not ${n}") }
    next(so_far: paid, n: n + 1)
  } else { fail "too long: ${so_far}" }
}

pub graph undone_by_person(card: text) -> text {
  let a = charge(look("one")) with (key: "one") undo {
    let sure: bool = ask("Cancel ${a}?", to: "boss") with (within: 1h, fallback: false)
    if sure { cancel(a) with (key: "not ${a}") }
  }
  fail "no: ${a}"
}
"#;

fn plan() -> (Arc<Plan>, Vec<(String, GraphId)>) {
    let compilation = compile(&MemorySources::single("durable.kait", PROGRAM), &["durable.kait"]);
    let errors: Vec<_> = compilation.diagnostics.iter().filter(|d| d.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let roots: Vec<DefId> = (0u32..)
        .zip(&compilation.hir.defs)
        .filter(|(_, def)| {
            let is_graph =
                matches!(&def.kind, DefKind::Callable(c) if c.kind == CallableKind::Graph);
            def.module.index() == 0 && def.is_pub && is_graph
        })
        .map(|(index, _)| DefId(index))
        .collect();
    // What is called over HTTP is answered by the world of the test.
    let kept = compilation.lower_to_keep(&roots).expect("it lowers");
    let graphs = (0..).map(GraphId).zip(&kept.program.graphs);
    let names = graphs.filter(|(_, g)| g.public).map(|(id, g)| (g.name.to_string(), id)).collect();
    let loaded = Arc::new(Loaded::new(kept.program).expect("it loads"));
    let plan = Plan::link(loaded, &Profile::default(), &ModelBinding::echo());
    (Arc::new(plan), names)
}

/// A store, what is outside, and the processes that come and go.
struct Case {
    plan: Arc<Plan>,
    graph: GraphId,
    store: Arc<MemoryStore>,
    outside: Arc<Outside>,
    run: RunId,
}

impl Case {
    fn new(plan: &Arc<Plan>, graph: GraphId) -> Self {
        Self {
            plan: Arc::clone(plan),
            graph,
            store: Arc::new(MemoryStore::new()),
            outside: Arc::default(),
            run: "r_1".into(),
        }
    }

    /// One life of a process. Nothing, if it died.
    async fn live(&self, life: &Arc<Life>) -> Option<RunEnd> {
        let run = self.drive(life, None, RunLog::new("r_1".into(), 10_000));
        tokio::select! {
            biased;
            () = life.ends() => None,
            end = run => Some(end),
        }
        .filter(|_| !life.is_dead())
    }

    /// Begins the run, or takes it up, and drives it, in a process of its own.
    async fn drive(
        &self,
        life: &Arc<Life>,
        people: Option<AnswerReceiver>,
        log: Arc<RunLog>,
    ) -> RunEnd {
        let store: Arc<dyn Store> =
            Arc::new(Mortal { store: self.store.another(), life: Arc::clone(life) });
        let known = kait_store::Read::run(&*self.store, &self.run).expect("the store can be read");
        let (recorder, journal) = match known {
            Some(_) => Recorder::go_on(store, &self.run).expect("the journal can be read"),
            None => {
                let hash = recorder::hash(kait_ir::hash(self.plan.program()));
                let run = NewRun::new(self.run.clone(), hash, "graph", 0);
                (Recorder::begin(store, run, self.plan.program()), Vec::new())
            }
        };
        let start = RunStart {
            run: "r_1".into(),
            graph: self.graph,
            args: vec![Arg::Ready(Value::text("4242"))],
            growing: Vec::new(),
            traced: false,
            parallel: 16,
            people,
            recorder: Some(recorder),
            leave: CancellationToken::new(),
            journal,
        };
        let world = World { outside: Arc::clone(&self.outside), life: Arc::clone(life) };
        Run::start(
            Arc::clone(&self.plan),
            Arc::new(world),
            Arc::new(Shared::default()),
            start,
            log,
            life.cancel.clone(),
        )
        .await
    }

    /// Lives until the run has ended; whoever is asked says yes.
    async fn go_on(&self) -> (Option<RunEnd>, u64) {
        let mut operations = 0;
        for _ in 0..20 {
            if self.state().is_some_and(RunState::is_final) {
                return (None, operations);
            }
            let life = Life::until(u64::MAX, true);
            let end = self.live(&life).await.expect("nothing kills it");
            operations += life.operations();
            if !end.suspended {
                return (Some(end), operations);
            }
            self.answer().await;
        }
        panic!("the run does not come to an end");
    }

    async fn answer(&self) {
        let open = kait_store::Read::promises(&*self.store, &PromiseQuery::default());
        for promise in open.expect("the store can be read") {
            let shown: serde_json::Value =
                serde_json::from_slice(&promise.question.shown).expect("it is JSON");
            let value = match shown["asks"].as_str() {
                Some("approval") => json!({ "decision": "approve" }),
                _ => json!({ "answer": true }),
            };
            let answer =
                kait_store::Answer { by: "ada".into(), at: 1, value: value.to_string().into() };
            let mut batch = kait_store::Batch::new();
            batch.answer(&promise.run, promise.question.key.clone(), answer);
            self.store.commit(batch).await.expect("it is asked");
        }
    }

    /// Whether the graph takes back all that it has done, as it always fails.
    fn undoes(&self) -> bool {
        let graph = self.plan.program().graphs.get(self.graph.index());
        let name = graph.map_or("", |graph| graph.name.as_str());
        ["undone", "undone_items", "undone_rounds", "undone_without_key"].contains(&name)
    }

    /// Each payment was taken back once, the last first, and nothing was paid after that; only of a letter is it not known.
    fn is_undone(&self, log: &[world::Done], what: &str) {
        let paid: Vec<_> = log.iter().filter(|done| done.name == "charge").collect();
        let undone: Vec<_> = log.iter().filter(|done| done.name != "charge").collect();
        let letters = self.journal().into_iter().filter(
            |entry| matches!(entry, Entry::Intent { path, .. } if path.ends_with("b.undo/letter")),
        );
        let letters = letters.count() - log.iter().filter(|done| done.name == "letter").count();
        assert_eq!(paid.len(), undone.len() + letters, "{what}: {log:#?}");
        let place = |done: &&world::Done| {
            let path = done.path.split(".undo").next().unwrap_or_default();
            paid.iter().position(|paid| paid.path == path)
        };
        let order: Vec<_> = undone.iter().map(place).collect();
        assert!(order.iter().all(Option::is_some), "{what}: {log:#?}");
        assert!(order.is_sorted_by(|a, b| a > b), "{what}: {log:#?}");
        let last = log.iter().rposition(|done| done.name == "charge");
        let first = log.iter().position(|done| done.name != "charge");
        assert!(first.is_none() || last < first, "{what}: {log:#?}");
    }

    fn state(&self) -> Option<RunState> {
        let run = kait_store::Read::run(&*self.store, &self.run);
        run.expect("the store can be read").map(|run| run.state)
    }

    fn journal(&self) -> Vec<Entry> {
        recorder::entries(&*self.store, &self.run).expect("the journal can be read")
    }

    /// What holds of every run that has ended, however often it was killed. Its end, if it was seen.
    async fn holds(&self, end: Option<&RunEnd>, what: &str) {
        // The record alone gives the same end.
        let journal = self.journal();
        let log = RunLog::new("r_1".into(), 10_000);
        let replayed =
            Run::replayed(Arc::clone(&self.plan), self.graph, journal.clone(), log, true).await;
        let replayed = replayed.unwrap_or_else(|diverged| panic!("{what}: {diverged}"));
        let Some(RunEnd { outcome, .. }) = replayed.end else {
            panic!("{what}: the journal does not come to an end");
        };
        // What a person is shown of the run tells of every write.
        let shown = replayed
            .steps
            .iter()
            .filter(|step| matches!(&step.call, Called::Leaf { writes: true, .. }));
        let shown: HashSet<_> = shown.map(|step| step.path.to_string()).collect();
        let wanted = match &outcome {
            Outcome::Ok(_) => RunState::Done,
            Outcome::Failed(Failure::Cancelled) => RunState::Cancelled,
            Outcome::Failed(_) => RunState::Failed,
        };
        assert_eq!(self.state(), Some(wanted), "{what}");
        if let Some(end) = end {
            assert_eq!(end.unrecorded.as_ref().map(ToString::to_string), None, "{what}");
            assert_eq!(end.diverged, None, "{what}");
            assert_eq!(end.outcome, outcome, "{what}");
        }
        // What was done was intended, with these very arguments, and once.
        let log = self.outside.log.lock().expect("nobody panics").clone();
        let mut paths = HashSet::new();
        for done in &log {
            assert!(paths.insert(done.path.clone()), "{what}: {} was done twice", done.path);
            assert!(shown.contains(&done.path), "{what}: {} is not shown", done.path);
            let intended = journal.iter().any(|entry| {
                matches!(entry, Entry::Intent { path, args, .. } if *path == done.path && *args == done.args)
            });
            assert!(intended, "{what}: {done:?} was not intended: {journal:?}");
        }
        if self.undoes() {
            self.is_undone(&log, what);
        }
        let keys: HashSet<_> = log.iter().filter_map(|done| done.key.clone()).collect();
        let keyed = log.iter().filter(|done| done.key.is_some()).count();
        assert_eq!(keys.len(), keyed, "{what}");
        // What a model said in a life that ended before it had said it all is used nowhere.
        let said = |entry: &Entry| match entry {
            Entry::Happened { event: Event::Done { outcome: Outcome::Ok(value), .. }, .. } => {
                value.as_text().filter(|text| text.starts_with("One of model")).map(models)
            }
            _ => None,
        };
        let said: BTreeSet<String> = journal.iter().filter_map(said).flatten().collect();
        let used = models(&format!("{outcome:?}"));
        assert!(used.is_subset(&said), "{what}: {outcome:?} uses more than {said:?}");
        // Only a write without key, of which nobody knows, is unknown; and each that was begun has an end.
        for entry in &journal {
            let Entry::Happened { event: Event::Done { outcome, .. }, .. } = entry else {
                continue;
            };
            if let Outcome::Failed(failure) = outcome {
                assert_eq!(*failure, Failure::Unknown { call: "letter".into() }, "{what}");
            }
        }
    }
}

/// Which answers of models a text is made of.
fn models(text: &str) -> BTreeSet<String> {
    let found = text.match_indices("model-").map(|(at, _)| {
        let rest = &text[at..];
        rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default()
    });
    found.map(str::to_owned).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Kills at every operation, before and after it, of every graph.
#[test]
fn a_run_that_is_killed_anywhere_ends_as_its_record_says() {
    let (plan, graphs) = plan();
    assert!(graphs.len() >= 20);
    runtime().block_on(async {
        for (name, graph) in &graphs {
            let whole = Case::new(&plan, *graph);
            let (end, operations) = whole.go_on().await;
            whole.holds(end.as_ref(), name).await;
            assert!(operations >= 2, "{name}");
            for at in 1..=operations {
                for after in [false, true] {
                    let what = format!(
                        "{name}, killed at operation {at}, {}",
                        if after { "after it" } else { "before it" }
                    );
                    let case = Case::new(&plan, *graph);
                    if let Some(end) = case.live(&Life::until(at, after)).await {
                        assert!(end.suspended, "{what}");
                        case.answer().await;
                    }
                    let (end, _) = case.go_on().await;
                    case.holds(end.as_ref(), &what).await;
                }
            }
        }
    });
}

/// Killed again and again while it is taken up.
#[test]
fn a_run_that_is_killed_again_and_again_comes_to_its_end() {
    let (plan, graphs) = plan();
    let mut random = fastrand::Rng::with_seed(7);
    runtime().block_on(async {
        for (name, graph) in &graphs {
            for round in 0..20 {
                let case = Case::new(&plan, *graph);
                for _ in 0..random.usize(1..6) {
                    let life = Life::until(random.u64(1..9), random.bool());
                    if case.state().is_some_and(RunState::is_final) {
                        break;
                    }
                    match case.live(&life).await {
                        Some(end) if end.suspended => case.answer().await,
                        Some(_) => break,
                        None => {}
                    }
                }
                let what = format!("{name}, round {round}");
                let (end, _) = case.go_on().await;
                case.holds(end.as_ref(), &what).await;
            }
        }
    });
}

/// Cancelled at every operation, and then killed at every one that follows: whatever had been done is taken back.
#[test]
fn a_run_that_is_cancelled_anywhere_is_undone() {
    let (plan, graphs) = plan();
    runtime().block_on(async {
        let mut cancelled = 0;
        for (name, graph) in &graphs {
            let whole = Case::new(&plan, *graph);
            if !whole.undoes() {
                continue;
            }
            let (_, operations) = whole.go_on().await;
            for at in 1..=operations {
                // Beyond the last operation, nothing kills it.
                for killed in at + 1..=operations + 6 {
                    let what = format!("{name}, cancelled at operation {at}, killed at {killed}");
                    let case = Case::new(&plan, *graph);
                    let life = Life::cancelled(at, killed);
                    let end = match case.live(&life).await {
                        Some(end) => Some(end),
                        None => case.go_on().await.0,
                    };
                    case.holds(end.as_ref(), &what).await;
                    cancelled += u32::from(case.state() == Some(RunState::Cancelled));
                }
            }
        }
        assert!(cancelled > 100, "hardly any run was cancelled: {cancelled}");
    });
}

/// Somebody could answer where the run is, and somebody else answers in another process.
#[test]
fn what_is_answered_in_another_process_is_heard_where_the_run_is() {
    let (plan, graphs) = plan();
    let (_, graph) = graphs.iter().find(|(name, _)| name == "told_apart").expect("it is there");
    let case = Case::new(&plan, *graph);
    let log = RunLog::new("r_1".into(), 10_000);
    let (_answers, people) = tokio::sync::mpsc::unbounded_channel();
    let life = Life::until(u64::MAX, true);
    let answered = async {
        let open = || case.store.promises(&PromiseQuery::default()).expect("it can be read").len();
        while !case.state().is_some_and(RunState::is_final) {
            if open() > 0 {
                // Nobody else takes the run from under its process.
                let holder = case.store.holder(&case.run).expect("it can be read");
                assert!(holder.is_some_and(|holder| holder.owner != case.store.owner()));
                let other = Arc::clone(&case.store) as Arc<dyn Store>;
                let refused = Recorder::go_on(other, &case.run).map(drop);
                let Err(StoreError::Refused(Refused::OwnedElsewhere { .. })) = refused else {
                    panic!("{refused:?}")
                };
                case.answer().await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let end = runtime().block_on(async {
        let run = case.drive(&life, Some(people), Arc::clone(&log));
        let both = async { tokio::join!(run, answered).0 };
        tokio::time::timeout(Duration::from_secs(30), both).await.expect("it hears of it")
    });
    assert!(!end.suspended && matches!(end.outcome, Outcome::Ok(_)), "{:?}", end.outcome);
    assert_eq!(case.state(), Some(RunState::Done));
    runtime().block_on(case.holds(Some(&end), "answered elsewhere"));
    // Both questions are closed in the log, as answered by whoever it was.
    let mut records = Vec::new();
    log.read().read_now(&mut records);
    let asked = records
        .iter()
        .filter(|record| matches!(record.op, SegmentOp::Open { kind: SegmentKind::Question, .. }));
    let asked: HashSet<u64> = asked.map(|record| record.segment).collect();
    let closed: Vec<_> = records
        .iter()
        .filter(|record| asked.contains(&record.segment))
        .filter_map(|record| match &record.op {
            SegmentOp::Close { value } => value["by"].as_str(),
            _ => None,
        })
        .collect();
    assert_eq!(closed, ["ada", "ada"]);
}
