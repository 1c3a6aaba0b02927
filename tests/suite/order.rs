//! Order, as anybody outside sees it: compiled programs under random schedules, in which calls end in any order, fail, and
//! are answered by people sooner or later.
//!
//! What changes the world never overlaps and never swaps, and nothing is changed below what has failed; reads overlap.
//! `ORDER=1000000` tries so many schedules instead of 10,000.

use std::sync::Arc;

use kait_compiler::hir::{CallableKind, DefId, DefKind};
use kait_compiler::sources::MemorySources;
use kait_compiler::{Compilation, compile};
use kait_engine::event::{Answer, Command, EffectId, Event, Outcome, Start};
use kait_engine::machine::State;
use kait_engine::{Loaded, Machine};
use kait_ir::{Failure, GraphId, Value};

/// What a shop does, in graphs of one shape each. Three reads, a charge, a receipt; the receipt needs nothing of the charge.
const SHOP: &str = r#"
extern history(of: text) -> text does read crm from http "GET https://crm.example.com"
extern stock(of: text) -> text does read warehouse from http "GET https://stock.example.com"
extern rates(of: text) -> text does read bank from http "GET https://bank.example.com"

extern charge(card: text) -> text
  does write payments
  from http "POST https://pay.example.com/charges"

extern receipt(text: text) -> text
  does write mail
  from http "POST https://mail.example.com/letters"

graph pay(card: text) -> text {
  charge(card)
}

graph tell(words: text) -> text {
  let letter = receipt(words)
  letter
}

pub graph plain(card: text) -> text {
  let a = history(card)
  let b = stock("tea")
  let c = rates("eur")
  let paid = charge(card)
  let sent = receipt("thank you")
  "${a}${b}${c}${paid}${sent}"
}

pub graph called(card: text) -> text {
  let a = history(card)
  let paid = pay(card)
  let b = stock("tea")
  let sent = tell("thank you")
  let c = rates("eur")
  "${a}${b}${c}${paid}${sent}"
}

pub graph branched(card: text) -> text {
  let sent = if card == "" { "" } else {
    let a = history(card)
    charge(card)
    a
  }
  let c = rates("eur")
  let b = stock("tea")
  match card {
    "" => receipt("nothing")
    _ => receipt("thank you ${b}${c}${sent}")
  }
}

pub graph tried(card: text) -> text {
  let a = history(card)
  let b = stock("tea")
  let c = rates("eur")
  let paid = charge(card) catch { Custom(code: "soft", message: _) => fail "not paid" }
  let letters = for n in ["one", "two"] { receipt("${n}") }
  "${a}${b}${c}${paid}${letters}"
}

pub graph approved(card: text) -> text {
  let a = history(card)
  let b = stock("tea")
  let c = rates("eur")
  let paid = charge(card) with (approve: "boss", within: 1h)
  let sure: bool = ask("Tell them?") with (within: 1h, fallback: true)
  let sent = receipt("thank you ${sure}") with (approve: "boss", within: 1h)
  "${a}${b}${c}${paid}${sent}"
}
"#;

const READS: [&str; 3] = ["history", "stock", "rates"];

fn shop() -> (Arc<Loaded>, Vec<(String, GraphId)>) {
    let compilation: Compilation =
        compile(&MemorySources::single("shop.kait", SHOP), &["shop.kait"]);
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
    // Nothing is called over HTTP here: the schedule answers.
    let kept = compilation.lower_to_keep(&roots).expect("it lowers");
    let graphs = (0..).map(GraphId).zip(&kept.program.graphs);
    let names = graphs.filter(|(_, g)| g.public).map(|(id, g)| (g.name.to_string(), id)).collect();
    (Arc::new(Loaded::new(kept.program).expect("it loads")), names)
}

/// What could be seen from outside, in order.
#[derive(Clone, Debug, PartialEq)]
enum Seen {
    Begins(String),
    Succeeds(String),
    Fails(String),
    Dropped(String),
}

struct Schedule {
    machine: Machine,
    state: State,
    random: fastrand::Rng,
    now: i64,
    in_flight: Vec<(EffectId, String, bool)>,
    log: Vec<Seen>,
    outcome: Option<Outcome>,
}

impl Schedule {
    fn run(loaded: &Arc<Loaded>, graph: GraphId, seed: u64) -> (Vec<Seen>, Outcome) {
        let mut schedule = Self {
            machine: Machine::new(Arc::clone(loaded)),
            state: State::new(),
            random: fastrand::Rng::with_seed(seed),
            now: 0,
            in_flight: Vec::new(),
            log: Vec::new(),
            outcome: None,
        };
        let args = vec![Value::text("4242")];
        schedule.event(Event::Start(Box::new(Start::new(graph, args))));
        while schedule.outcome.is_none() {
            assert!(!schedule.in_flight.is_empty(), "nothing can happen: {:?}", schedule.log);
            schedule.step();
        }
        (schedule.log, schedule.outcome.expect("it has ended"))
    }

    /// Whatever is in flight may end next, well or badly.
    fn step(&mut self) {
        let at = self.random.usize(..self.in_flight.len());
        let (effect, name, is_promise) = self.in_flight.swap_remove(at);
        let fails = self.random.u8(..8) == 0;
        self.log.push(if fails { Seen::Fails(name.clone()) } else { Seen::Succeeds(name.clone()) });
        self.now += 1;
        if is_promise {
            let answer = match (name.starts_with("approve"), fails) {
                (true, false) => Answer::Approved { by: "ada".into(), edits: Vec::new() },
                (true, true) => Answer::Denied { by: "ada".into(), why: "no".into() },
                // Nobody says no to a question: they say something else.
                (false, _) => Answer::Given(Value::Bool(!fails)),
            };
            return self.event(Event::Answered { effect, answer: Box::new(answer) });
        }
        let outcome = match fails {
            true => Outcome::Failed(Failure::failed(format!("{name} failed"))),
            false => Outcome::Ok(Value::text(name.as_str())),
        };
        self.event(Event::Done { effect, outcome, usage: None });
    }

    fn event(&mut self, event: Event) {
        let mut commands = Vec::new();
        self.machine.on(&mut self.state, self.now, event, &mut commands);
        for command in commands {
            match command {
                Command::Leaf { effect, leaf, .. } => {
                    let name =
                        self.machine.loaded().program().leaves[leaf.index()].name.to_string();
                    self.log.push(Seen::Begins(name.clone()));
                    self.in_flight.push((effect, name, false));
                }
                Command::Promise { effect, .. } => {
                    let path = self.machine.path(&self.state, effect).unwrap_or_default();
                    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
                    self.log.push(Seen::Begins(name.clone()));
                    self.in_flight.push((effect, name, true));
                }
                Command::Abandon(effect) => {
                    let at = self.in_flight.iter().position(|(other, ..)| *other == effect);
                    if let Some(at) = at {
                        let (_, name, _) = self.in_flight.remove(at);
                        self.log.push(Seen::Dropped(name));
                    }
                }
                Command::Finish(outcome) => self.outcome = Some(outcome),
                _ => {}
            }
        }
    }
}

fn is_write(name: &str) -> bool {
    name == "charge" || name == "receipt"
}

/// What no schedule may show.
fn broken(log: &[Seen], graph: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut begun: Vec<&str> = Vec::new();
    let mut succeeded: Vec<&str> = Vec::new();
    for seen in log {
        match seen {
            Seen::Begins(name) => {
                let name = name.as_str();
                let person = name.starts_with("approve") || name == "ask" || name == "sure";
                if (is_write(name) || person) && open.iter().any(|other| is_write(other)) {
                    return Some(format!("{name} begins while {open:?} are under way"));
                }
                if is_write(name) {
                    if name == "receipt" && !succeeded.contains(&"charge") {
                        return Some("the receipt is sent before the charge".to_owned());
                    }
                    if name == "charge" && begun.contains(&"receipt") {
                        return Some("the charge comes after the receipt".to_owned());
                    }
                    // What stands below may have failed already: that is found out from top to bottom, too.
                    let above: &[&str] = match (graph, name) {
                        ("called" | "branched", "charge") => &["history"],
                        ("called", _) => &["history", "stock"],
                        _ => &READS,
                    };
                    if let Some(read) = above.iter().find(|read| !succeeded.contains(read)) {
                        return Some(format!("{name} begins before {read} has succeeded"));
                    }
                    let approvals = succeeded.iter().filter(|n| n.starts_with("approve")).count();
                    let writes = begun.iter().filter(|n| is_write(n)).count();
                    if graph == "approved" && approvals != writes + 1 {
                        return Some(format!("{name} begins without its own approval"));
                    }
                }
                open.push(name);
                begun.push(name);
            }
            Seen::Succeeds(name) => {
                open.retain(|other| other != name);
                succeeded.push(name);
            }
            Seen::Fails(name) => open.retain(|other| other != name),
            Seen::Dropped(name) => {
                if is_write(name) {
                    return Some(format!("{name} is torn while it is under way"));
                }
                open.retain(|other| other != name);
            }
        }
    }
    None
}

#[test]
fn charge_and_receipt_never_overlap_or_swap_and_reads_overlap() {
    let schedules = std::env::var("ORDER").ok().and_then(|n| n.parse().ok()).unwrap_or(10_000u64);
    let (loaded, graphs) = shop();
    assert_eq!(graphs.len(), 5);
    let begins = |log: &[Seen], name: &str| {
        log.iter().any(|seen| matches!(seen, Seen::Begins(other) if other == name))
    };
    let (mut all_well, mut charge_failed, mut overlapped) = (0, 0, 0);
    for seed in 0..schedules {
        let (name, graph) = &graphs[(seed % graphs.len() as u64) as usize];
        let (log, outcome) = Schedule::run(&loaded, *graph, seed);
        if let Some(why) = broken(&log, name) {
            panic!("{name}, seed {seed}: {why}\n{log:#?}");
        }
        if log.contains(&Seen::Fails("charge".into())) {
            charge_failed += 1;
            assert!(!begins(&log, "receipt"), "{name}, seed {seed}: paid by nobody, and told so");
            assert!(matches!(outcome, Outcome::Failed(_)), "{name}, seed {seed}: {outcome:?}");
        }
        if matches!(outcome, Outcome::Ok(_)) {
            all_well += 1;
        }
        if name == "plain" || name == "tried" || name == "approved" {
            let first: Vec<_> = log.iter().take(3).collect();
            let together = READS.iter().all(|read| first.contains(&&Seen::Begins((*read).into())));
            assert!(together, "{name}, seed {seed}: three reads begin at once: {log:?}");
            overlapped += 1;
        }
    }
    // Else the schedules show nothing.
    assert!(
        all_well > schedules / 5 && charge_failed > schedules / 20 && overlapped > schedules / 2
    );
}

/// The test itself can fail: a program without the rule breaks it at once.
#[test]
fn the_rule_is_what_keeps_them_apart() {
    let (loaded, graphs) = shop();
    let plain = graphs.iter().find(|(name, _)| name == "plain").expect("it is there").1;
    let mut program = loaded.program().clone();
    for leaf in &mut program.leaves {
        leaf.class = kait_ir::EffectClass::Read;
        leaf.writes.clear();
    }
    kait_ir::fill(&mut program);
    let loaded = Arc::new(Loaded::new(program).expect("it loads"));
    let found =
        (0..200).any(|seed| broken(&Schedule::run(&loaded, plain, seed).0, "plain").is_some());
    assert!(found, "nothing keeps reads apart, and the test does not notice");
}
