//! Whatever happens, a run ends and leaves nothing behind.
//!
//! Random programs of all control forms meet random outcomes, timers, late answers and cancelling. Each run must end;
//! then no frame, control block, scope or timer may be left, what was acquired was released, no write was torn, and
//! the same events must give the same commands.

use kait_ir::program::{Arm, Loop, Map, Policy, Rate};
use kait_ir::{EffectClass, Expr, ExprId, Failure, Gate, Node, NodeKind, Pattern, RegionId, Value};

use super::oracle::Rng;
use super::people::policy;
use super::{Driver, SECOND, custom, int};
use crate::builder::{NodeExt, ProgramBuilder, graph_call, leaf_call, node};
use crate::event::{Command, Event, Outcome};
use crate::machine::control::Control;
use crate::machine::scope::ScopeKind;

struct Maker<'a> {
    b: ProgramBuilder,
    rng: &'a mut Rng,
    names: u32,
}

impl Maker<'_> {
    /// A block whose value is the list of its slots; `writes` says whether it may write.
    fn block(&mut self, depth: u32, params: u32, writes: bool) -> RegionId {
        let mut nodes: Vec<Node> = Vec::new();
        for place in 0..1 + self.rng.below(3) as u32 {
            let above = (place > 0 && self.rng.below(2) == 0).then(|| place - 1);
            let arg = match above {
                Some(slot) => self.b.slot(0, params + slot),
                None => self.b.int(1),
            };
            let mut made = self.node(depth, arg, writes);
            made.data.extend(above);
            nodes.push(made);
        }
        let slots: Vec<u32> = (0..params + nodes.len() as u32).collect();
        let result = self.b.slots(&slots);
        self.b.region(params, nodes, result)
    }

    fn node(&mut self, depth: u32, arg: ExprId, writes: bool) -> Node {
        self.names += 1;
        let name = format!("n{}", self.names);
        if depth == 0 || self.rng.below(3) == 0 {
            let class = match self.rng.below(6) {
                0 if writes => EffectClass::Write { keyed: self.rng.below(2) == 0 },
                1 => EffectClass::Human,
                2 => EffectClass::Emit,
                _ => EffectClass::Read,
            };
            let leaf = self.b.leaf(&name, class);
            let gate = match class {
                EffectClass::Write { .. } | EffectClass::Emit => Gate::All,
                EffectClass::Human => Gate::Ask,
                _ => Gate::Free,
            };
            return node(name, leaf_call(leaf, vec![arg])).gate(gate);
        }
        let below = depth - 1;
        let any = |body| Arm { pattern: Pattern::Any, guard: None, body };
        let kind = match self.rng.below(8) {
            0 => {
                let body = self.block(below, 0, writes);
                let handler = self.block(below, 0, writes);
                NodeKind::Catch { body, arms: vec![any(handler)] }
            }
            1 => NodeKind::Try(self.block(below, 0, writes)),
            2 => {
                let arms =
                    (0..2 + self.rng.below(2)).map(|_| self.block(below, 0, false)).collect();
                NodeKind::Race { need: 1, list: false, arms }
            }
            3 => {
                let items = (0..self.rng.below(5) as i64).map(int).collect();
                let source = self.b.value(Value::list(items));
                let sequential = self.rng.below(2) == 0;
                let two = self.b.int(2);
                let body = self.block(below, 1, writes);
                let mut made = node(
                    name,
                    NodeKind::Map(Box::new(Map {
                        source,
                        pattern: Pattern::Bind(0),
                        filter: None,
                        max: None,
                        parallel: (!sequential).then_some(two),
                        sequential,
                        early: false,
                        body,
                    })),
                );
                made.holds_gate = true;
                return made;
            }
            4 => {
                let leaf = self.b.leaf(&name, EffectClass::Read);
                let got = self.b.slot(0, 1);
                let done = self.b.expr(Expr::Variant(0, vec![got]));
                let next = self.b.expr(Expr::Variant(1, vec![got]));
                let seven = self.b.int(7);
                let is = self.b.expr(Expr::Binary(kait_ir::BinaryOp::Eq, got, seven));
                let result = self.b.expr(Expr::If(is, done, next));
                let state = self.b.slot(0, 0);
                let body = self.b.region(1, vec![node("f", leaf_call(leaf, vec![state]))], result);
                let otherwise = self.block(below, 1, writes);
                let (init, max) = (self.b.int(0), self.b.int(self.rng.below(4) as i64));
                NodeKind::Loop(Box::new(Loop { init: vec![init], max, body, otherwise }))
            }
            5 | 6 => self.policy(below, writes),
            _ => {
                let body = self.block(below, 0, writes);
                let graph = self.b.graph(&name, body);
                if self.rng.below(3) == 0 {
                    let time = self.b.value(Value::Duration(30 * SECOND));
                    self.b.program.graphs[graph.index()].budgets.push(("time".into(), time));
                }
                graph_call(graph, vec![])
            }
        };
        node(name, kind)
    }

    fn policy(&mut self, below: u32, writes: bool) -> NodeKind {
        let body = self.block(below, 0, writes);
        let fallback = (self.rng.below(3) == 0).then(|| self.block(below, 0, false));
        let mut policies: Policy = policy(body, fallback);
        let duration = |m: &mut Self, seconds| m.b.value(Value::Duration(seconds * SECOND));
        if self.rng.below(2) == 0 {
            policies.timeout = Some(duration(self, 3));
        }
        if self.rng.below(3) == 0 {
            policies.deadline = Some(duration(self, 8));
        }
        if self.rng.below(2) == 0 {
            policies.retry = Some(self.b.int(2));
        }
        if self.rng.below(4) == 0 {
            policies.cache = Some(duration(self, 60));
            policies.cache_key = Some(("f".into(), vec![]));
        }
        if self.rng.below(4) == 0 {
            let name = "api".into();
            policies.rate = Some(Rate { name, calls: None, per: None, parallel: None });
        }
        NodeKind::Policy(Box::new(policies))
    }
}

/// Gives how the run ended and how many events it took.
fn run(seed: u64) -> (Outcome, usize) {
    let mut rng = Rng::new(seed);
    let mut maker = Maker { b: ProgramBuilder::new(), rng: &mut rng, names: 0 };
    let body = maker.block(3, 0, true);
    maker.b.graph("chaos", body);
    let loaded = maker.b.load_as_is().unwrap();
    let mut d = Driver::new(loaded);
    let graph = kait_ir::GraphId(d.program().graphs.len() as u32 - 1);
    let start = crate::Start { traced: true, ..crate::Start::new(graph, vec![]) };
    d.event(Event::Start(Box::new(start)));
    let cancel_at = rng.below(60);
    let mut asked = 0;
    let mut waiting: Vec<Event> = Vec::new();
    for turn in 0.. {
        assert!(turn < 5_000, "seed {seed}: it does not end");
        for command in &d.others[asked..] {
            waiting.extend(match command {
                Command::Lookup { effect, .. } => {
                    let value = (rng.below(4) == 0).then(|| int(4));
                    Some(Event::Cached { effect: *effect, value })
                }
                Command::Acquire { effect, .. } => Some(Event::Granted(*effect)),
                _ => None,
            });
        }
        asked = d.others.len();
        if d.outcome.is_some() {
            break;
        }
        if turn == cancel_at && rng.below(3) == 0 {
            d.event(Event::Cancel);
            continue;
        }
        let choices = d.in_flight.len() + waiting.len();
        if choices == 0 || (!d.timers.is_empty() && rng.below(4) == 0) {
            assert!(d.tick(), "seed {seed}: nothing can happen, and the run is not over");
            continue;
        }
        let pick = rng.below(choices);
        if pick >= d.in_flight.len() {
            let event = waiting.swap_remove(pick - d.in_flight.len());
            d.event(event);
            continue;
        }
        let effect = d.in_flight.remove(pick).effect;
        let outcome = match rng.below(10) {
            0 => Outcome::Failed(custom("x")),
            1 => Outcome::Failed(Failure::Timeout),
            2 => Outcome::Failed(Failure::Unanswered),
            3 => Outcome::Ok(int(7)),
            _ => Outcome::Ok(int(1)),
        };
        d.event(Event::Done { effect, outcome, usage: None });
        // A late answer for something that is over must change nothing.
        let before = d.commands.len();
        d.event(Event::Done { effect, outcome: Outcome::Ok(int(0)), usage: None });
        assert_eq!(d.commands.len(), before, "seed {seed}: a second answer counted");
    }

    let s = &d.state;
    assert!(d.in_flight.is_empty(), "seed {seed}: in flight after the end: {:?}", d.flying());
    let alive = s.frames.iter().skip(1).filter(|f| f.alive).count();
    assert_eq!(alive, 0, "seed {seed}: frames are left");
    let controls = s.controls.iter().filter(|c| !matches!(c, Control::Free)).count();
    assert_eq!(controls, 0, "seed {seed}: control blocks are left");
    assert!(s.scopes.iter().all(|x| matches!(x.kind, ScopeKind::Free)), "seed {seed}: scopes");
    assert!(s.timers.is_empty() && d.timers.is_empty(), "seed {seed}: timers are left");
    let count = |f: fn(&Command) -> bool| d.commands.iter().filter(|c| f(c)).count();
    let (acquired, released) = (
        count(|c| matches!(c, Command::Acquire { .. })),
        count(|c| matches!(c, Command::Release(_))),
    );
    assert_eq!(acquired, released, "seed {seed}: a rate limit is held");
    let (started, ended) = (
        count(|c| matches!(c, Command::NodeStarted { .. })),
        count(|c| matches!(c, Command::NodeEnded { .. })),
    );
    assert_eq!(started, ended, "seed {seed}: a node began and did not end");
    if seed.is_multiple_of(16) {
        d.rebuild();
    }
    (d.outcome.clone().unwrap(), d.events.len())
}

#[test]
fn every_run_ends_and_leaves_nothing_behind() {
    let (mut ok, mut failed, mut cancelled, mut events) = (0, 0, 0, 0);
    for seed in 0..4000 {
        let (outcome, n) = run(seed);
        events += n;
        match outcome {
            Outcome::Ok(_) => ok += 1,
            Outcome::Failed(Failure::Cancelled) => cancelled += 1,
            Outcome::Failed(_) => failed += 1,
        }
    }
    assert!(ok > 500 && failed > 500 && cancelled > 100, "{ok} {failed} {cancelled}");
    assert!(events > 20_000, "{events}");
}
