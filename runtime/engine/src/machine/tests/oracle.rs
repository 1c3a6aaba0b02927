//! Order and failing, held against running from top to bottom.
//!
//! Random programs (reads, writes that may be undone, models, guards, approvals, questions, calls, `try`, sequential `for`, `match`) are run twice: by a few
//! lines that know nothing but "from top to bottom", and by the machine under a random schedule. Both must agree on
//! all that anyone can observe: the writes in order, which versions each read saw, the failure that is reported, and
//! what each `try` gave. Nothing below a guard may start before the guard has succeeded, and nothing of a block's value
//! may be shown before all guards of the block, and of those around it, have.

use std::collections::HashMap;

use kait_ir::program::{Approve, Approved, Arm, Ask, Map, Undo};
use kait_ir::{
    EffectClass, Expr, ExprId, Failure, Gate, NodeKind, Pattern, RegionId, ResourceId, Type, Value,
};

use super::{Driver, custom};
use crate::builder::{NodeExt, ProgramBuilder, graph_call, leaf_call, node};
use crate::event::{Answer, Command, EffectId, Event, Outcome, Source, Start};

const RESOURCES: [&str; 4] = ["a", "a.x", "a.y", "b"];
const OUT: &str = "out";

/// xorshift64*: good enough to pick, and the same everywhere.
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        for _ in 0..4 {
            rng.below(2);
        }
        rng
    }

    pub(super) fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize) % n
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    Model,
    /// A person who approves or denies: nobody reads it, but its order can be told like that of a write.
    Approve,
    /// A question to a person: it waits for all above it but questions.
    Ask,
    /// Fails or not by itself, and everything below waits for it.
    Guard,
    Call,
    Try,
    /// A `for` over its blocks, one after the other.
    Seq,
    /// A `match` that runs one of its blocks: the last.
    Switch,
}

#[derive(Clone, Debug)]
struct Item {
    kind: Kind,
    name: String,
    resource: &'static str,
    fails: bool,
    blocks: Vec<Vec<Item>>,
    /// How a write is undone: by another one.
    undo: Option<Box<Item>>,
    /// As (blocks outwards, place in that block).
    deps: Vec<(usize, usize)>,
}

fn overlaps(r: &str, s: &str) -> bool {
    let below = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('.'));
    r == s || below(r, s) || below(s, r)
}

/// `above` are the kinds of what stands above in each enclosing block, outermost first.
fn generate(
    rng: &mut Rng,
    depth: usize,
    above: &mut Vec<Vec<Kind>>,
    count: &mut usize,
) -> Vec<Item> {
    let mut block = Vec::new();
    above.push(Vec::new());
    for _ in 0..1 + rng.below(5) {
        *count += 1;
        let name = format!("n{count}");
        let mut deps = Vec::new();
        for (out, kinds) in above.iter().rev().enumerate() {
            for (place, kind) in kinds.iter().enumerate() {
                if *kind != Kind::Guard && rng.chance(if out == 0 { 25 } else { 12 }) {
                    deps.push((out, place));
                }
            }
        }
        let mut kind = match rng.below(48) {
            42..45 => Kind::Approve,
            45..48 => Kind::Ask,
            0..8 => Kind::Read,
            8..16 => Kind::Write,
            16..22 => Kind::Model,
            22..26 => Kind::Guard,
            26..31 => Kind::Call,
            31..35 => Kind::Try,
            35..38 => Kind::Seq,
            _ => Kind::Switch,
        };
        let nests = matches!(kind, Kind::Call | Kind::Try | Kind::Seq | Kind::Switch);
        if nests && depth >= 3 {
            kind = Kind::Read;
        }
        let nests = nests && depth < 3;
        // A question does not fail by being answered.
        let fails = !nests && kind != Kind::Ask && rng.chance(12);
        let resource = match kind {
            Kind::Read => RESOURCES[rng.below(4)],
            Kind::Write => [RESOURCES[rng.below(4)], OUT][usize::from(rng.chance(20))],
            _ => "",
        };
        let blocks = if nests {
            let n = if matches!(kind, Kind::Seq | Kind::Switch) { 1 + rng.below(3) } else { 1 };
            // A callee sees nothing of its caller but arguments, and those it waits for.
            let mut nothing = Vec::new();
            let seen = if kind == Kind::Call { &mut nothing } else { &mut *above };
            (0..n).map(|_| generate(rng, depth + 1, seen, count)).collect()
        } else {
            Vec::new()
        };
        if let Some(kinds) = above.last_mut() {
            kinds.push(kind);
        }
        let undo = (kind == Kind::Write && rng.chance(50)).then(|| {
            Box::new(Item {
                kind: Kind::Write,
                name: format!("not {name}"),
                resource: RESOURCES[rng.below(4)],
                fails: rng.chance(25),
                blocks: Vec::new(),
                undo: None,
                deps: Vec::new(),
            })
        });
        block.push(Item { kind, name, resource, fails, blocks, undo, deps });
    }
    above.pop();
    block
}

// ---- from top to bottom

#[derive(Default, Debug, PartialEq)]
struct World {
    writes: Vec<(String, &'static str)>,
    /// By read: how many writes to what it overlaps it saw.
    seen: HashMap<String, Vec<String>>,
    tries: HashMap<String, Option<String>>,
    /// By approval and question: how much had been written when it was shown.
    shown: HashMap<String, usize>,
}

impl World {
    fn version(&self, resource: &str) -> Vec<String> {
        let hits = self.writes.iter().filter(|(_, r)| overlaps(r, resource));
        hits.map(|(name, _)| name.clone()).collect()
    }

    /// A graph: when it fails, what had succeeded is undone, the last first.
    fn graph(&mut self, block: &[Item]) -> Option<String> {
        let mut undos = Vec::new();
        let failure = self.sequential(block, &mut undos)?;
        for undo in undos.into_iter().rev().filter(|undo| !undo.fails) {
            self.writes.push((undo.name.clone(), undo.resource));
        }
        Some(failure)
    }

    fn sequential<'a>(&mut self, block: &'a [Item], undos: &mut Vec<&'a Item>) -> Option<String> {
        for item in block {
            let mut failure = None;
            match item.kind {
                Kind::Call => failure = self.graph(&item.blocks[0]),
                Kind::Try | Kind::Seq => {
                    failure = item.blocks.iter().find_map(|inner| self.sequential(inner, undos));
                    if item.kind == Kind::Try {
                        self.tries.insert(item.name.clone(), failure.take());
                    }
                }
                Kind::Switch => {
                    failure = item.blocks.last().and_then(|inner| self.sequential(inner, undos));
                }
                Kind::Read
                | Kind::Write
                | Kind::Model
                | Kind::Guard
                | Kind::Approve
                | Kind::Ask => {
                    if matches!(item.kind, Kind::Approve | Kind::Ask) {
                        self.shown.insert(item.name.clone(), self.writes.len());
                    }
                    if item.kind == Kind::Read {
                        self.seen.insert(item.name.clone(), self.version(item.resource));
                    }
                    if item.fails {
                        failure = Some(item.name.clone());
                    } else if matches!(item.kind, Kind::Write | Kind::Approve) {
                        self.writes.push((item.name.clone(), item.resource));
                        undos.extend(item.undo.as_deref());
                    }
                }
            }
            if failure.is_some() {
                return failure;
            }
        }
        None
    }
}

// ---- as a program

/// What a block says about itself to whoever encloses it.
struct Summary {
    region: RegionId,
    writes: Vec<ResourceId>,
    guard: bool,
}

struct Lowering {
    b: ProgramBuilder,
    guards: Vec<String>,
    /// Blocks give all their values, and somebody watches.
    shown: bool,
    /// Blocks so far: each shows its number.
    blocks: usize,
    /// For each block around the place: the nodes of its items.
    nodes: Vec<Vec<u32>>,
}

impl Lowering {
    /// `hops` are the regions between each block and the one around it, `params` how many parameters each has.
    fn block(&mut self, block: &[Item], hops: &mut Vec<u32>, params: &mut Vec<u32>) -> Summary {
        let mut nodes = Vec::new();
        let mut summary = Summary { region: RegionId(0), writes: Vec::new(), guard: false };
        let mut guard_above = None;
        let number = self.blocks;
        self.blocks += 1;
        let own_params = params.last().copied().unwrap_or(0);
        self.nodes.push(Vec::new());
        for item in block {
            let place = nodes.len() as u32;
            let (mut data, mut outer, mut reads_of) = (Vec::new(), Vec::new(), Vec::new());
            for (out, slot) in &item.deps {
                let slot = self.nodes[self.nodes.len() - 1 - out][*slot];
                if *out == 0 {
                    data.push(slot);
                    reads_of.push(self.b.slot(0, own_params + slot));
                } else {
                    let up: u32 = hops[hops.len() - out..].iter().sum();
                    let offset = params[params.len() - 1 - out];
                    outer.push((up, offset + slot));
                    reads_of.push(self.b.slot(up, offset + slot));
                }
            }
            let mut inner = Vec::new();
            for sub in &item.blocks {
                if item.kind == Kind::Call {
                    inner.push(self.block(sub, &mut Vec::new(), &mut vec![0]));
                    continue;
                }
                let extra = matches!(item.kind, Kind::Seq) as u32;
                hops.push(1 + extra);
                params.push(0);
                inner.push(self.block(sub, hops, params));
                hops.pop();
                params.pop();
            }
            let writes: Vec<ResourceId> = inner.iter().flat_map(|s| s.writes.clone()).collect();
            let inner_guard = inner.iter().any(|s| s.guard);
            let has_writes = !writes.is_empty();
            // Dependencies of a control form are read by an expression of its own.
            let args = reads_of.clone();
            let kind = match item.kind {
                Kind::Read | Kind::Write | Kind::Model | Kind::Guard => {
                    let class = match item.kind {
                        Kind::Write => EffectClass::Write { keyed: false },
                        Kind::Model => EffectClass::Model,
                        _ => EffectClass::Read,
                    };
                    let leaf = self.b.leaf(&item.name, class);
                    leaf_call(leaf, args)
                }
                Kind::Approve => {
                    let leaf = self.b.leaf(&item.name, EffectClass::Read);
                    let within = self.b.value(Value::Duration(super::SECOND));
                    NodeKind::Approve(Box::new(Approve {
                        what: Approved::Leaf(leaf),
                        args,
                        key: None,
                        edit: vec![],
                        untrusted: vec![],
                        role: self.b.text("lead"),
                        within,
                        show: None,
                        target: None,
                    }))
                }
                Kind::Ask => NodeKind::Ask(Box::new(Ask {
                    question: Some(self.list(&args)),
                    to: None,
                    show: None,
                    start: None,
                    choose: None,
                    within: self.b.value(Value::Duration(super::SECOND)),
                    target: None,
                })),
                Kind::Call => {
                    let graph = self.b.graph(&item.name, inner[0].region);
                    graph_call(graph, vec![])
                }
                Kind::Switch => {
                    // Of a switch the last arm is taken: the others match nothing.
                    let scrutinee = self.list(&args);
                    let last = inner.len() - 1;
                    let arms = inner
                        .iter()
                        .enumerate()
                        .map(|(k, s)| Arm {
                            pattern: if k == last {
                                Pattern::Any
                            } else {
                                Pattern::Const(Value::Tag(9))
                            },
                            guard: None,
                            body: s.region,
                        })
                        .collect();
                    NodeKind::Switch { scrutinee, arms }
                }
                Kind::Try => NodeKind::Try(inner[0].region),
                Kind::Seq => {
                    // Item `i` runs block `i`: a sequential map over a switch.
                    let scrutinee = self.b.slot(0, 0);
                    let arms = (0..)
                        .zip(&inner)
                        .map(|(k, s)| Arm {
                            pattern: Pattern::Const(Value::Int(k)),
                            guard: None,
                            body: s.region,
                        })
                        .collect();
                    let mut switch = node("block", NodeKind::Switch { scrutinee, arms });
                    switch.writes.clone_from(&writes);
                    switch.guard = inner_guard;
                    let result = self.b.slot(0, 1);
                    let body = self.b.region(1, vec![switch], result);
                    let numbers = (0..inner.len() as i64).map(Value::Int).collect();
                    let source = self.b.value(Value::list(numbers));
                    NodeKind::Map(Box::new(Map {
                        source,
                        pattern: Pattern::Bind(0),
                        filter: None,
                        max: None,
                        parallel: None,
                        sequential: true,
                        early: false,
                        body,
                    }))
                }
            };
            let mut node = node(item.name.as_str(), kind).after_data(&data).outer(&outer);
            node.grows = self.shown;
            node.order.extend(guard_above);
            node.writes = writes;
            node.holds_gate = has_writes;
            let mut guards = item.kind == Kind::Guard;
            match item.kind {
                Kind::Read => node.reads.push(self.b.resource(item.resource)),
                Kind::Write => {
                    node.writes.push(self.b.resource(item.resource));
                    node.gate = Gate::All;
                    node.holds_gate = true;
                }
                Kind::Approve => {
                    node.gate = Gate::All;
                    node.holds_gate = true;
                }
                Kind::Ask => {
                    node.ty = self.b.ty(Type::Text);
                    node.gate = Gate::Ask;
                    node.holds_gate = true;
                }
                Kind::Guard => self.guards.push(item.name.clone()),
                Kind::Try => {}
                _ => guards |= inner_guard,
            }
            node.guard = guards;
            if guards {
                guard_above = Some(place);
            }
            summary.guard |= guards;
            summary.writes.extend(node.writes.iter().copied());
            nodes.push(node);
            self.nodes.last_mut().expect("pushed above").push(place);
            if let Some(undo) = &item.undo {
                let node = self.undo(undo, place, guard_above);
                summary.writes.push(self.b.resource(undo.resource));
                nodes.push(node);
            }
        }
        let places = self.nodes.pop().expect("pushed above");
        let tries: Vec<_> = places
            .iter()
            .zip(block)
            .filter(|(_, item)| item.kind == Kind::Try)
            .map(|(i, _)| own_params + i)
            .collect();
        let result = if self.shown {
            let marker = self.b.value(Value::text(format!("block {number}")));
            let slots = places.iter().map(|i| self.b.slot(0, own_params + i));
            let all: Vec<_> = std::iter::once(marker).chain(slots.collect::<Vec<_>>()).collect();
            self.list(&all)
        } else {
            self.b.slots(&tries)
        };
        summary.region = self.b.region(own_params, nodes, result);
        summary
    }

    /// The node that keeps how to undo a write.
    fn undo(&mut self, undo: &Item, write: u32, guard: Option<u32>) -> kait_ir::Node {
        let leaf = self.b.leaf(&undo.name, EffectClass::Write { keyed: false });
        let mut call = node(undo.name.as_str(), leaf_call(leaf, vec![]));
        call.gate = Gate::All;
        call.holds_gate = true;
        call.writes.push(self.b.resource(undo.resource));
        let result = self.b.value(Value::None);
        let body = self.b.region(0, vec![call], result);
        let mut kept = node(
            format!("{} kept", undo.name).as_str(),
            NodeKind::Undo(Undo { args: vec![], body }),
        );
        kept.order.push(write);
        kept.order.extend(guard);
        kept.order.sort_unstable();
        kept
    }

    fn list(&mut self, items: &[ExprId]) -> ExprId {
        let items = items.iter().map(|id| (*id, false)).collect();
        self.b.expr(Expr::List(items))
    }
}

/// Which items stand below which guards, at any level.
fn below_guards(block: &[Item], open: &mut Vec<String>, found: &mut HashMap<String, Vec<String>>) {
    let before = open.len();
    for item in block {
        found.insert(item.name.clone(), open.clone());
        if let Some(undo) = &item.undo {
            // It runs because something has failed.
            found.insert(undo.name.clone(), Vec::new());
        }
        for inner in &item.blocks {
            below_guards(inner, open, found);
        }
        if item.kind == Kind::Guard {
            open.push(item.name.clone());
        }
    }
    open.truncate(before);
}

fn all<'a>(block: &'a [Item], into: &mut HashMap<String, &'a Item>) {
    for item in block {
        into.insert(item.name.clone(), item);
        into.extend(item.undo.iter().map(|undo| (undo.name.clone(), &**undo)));
        item.blocks.iter().for_each(|inner| all(inner, into));
    }
}

/// The name that a failure carries.
fn named(failure: &Failure) -> String {
    match failure {
        Failure::Custom { message: name, .. } | Failure::Denied { why: name, .. } => {
            name.to_string()
        }
        other => format!("{other:?}"),
    }
}

/// How an effect ends: a person answers, and says no where the program is to fail.
fn ending(item: &Item, effect: EffectId, outcome: Outcome) -> Event {
    let answer = match (item.kind, &outcome) {
        (Kind::Approve, Outcome::Ok(_)) => {
            Answer::Approved { by: item.name.as_str().into(), edits: vec![] }
        }
        (Kind::Approve, Outcome::Failed(_)) => {
            Answer::Denied { by: "somebody".into(), why: item.name.as_str().into() }
        }
        (Kind::Ask, Outcome::Ok(value)) => Answer::Given(value.clone()),
        _ => return Event::Done { effect, outcome, usage: None },
    };
    Event::Answered { effect, answer: Box::new(answer) }
}

fn run(seed: u64) -> Result<usize, String> {
    let mut rng = Rng::new(seed);
    let block = generate(&mut rng, 0, &mut Vec::new(), &mut 0);
    let mut expected = World::default();
    let failure = expected.graph(&block);

    let mut lowering = Lowering {
        b: ProgramBuilder::new(),
        guards: Vec::new(),
        shown: false,
        blocks: 0,
        nodes: vec![],
    };
    let body = lowering.block(&block, &mut Vec::new(), &mut vec![0]).region;
    let graph = lowering.b.graph("random", body);
    let mut items = HashMap::new();
    all(&block, &mut items);
    let mut guards = HashMap::new();
    below_guards(&block, &mut Vec::new(), &mut guards);

    let mut driver = Driver::new(lowering.b.load_as_is().map_err(|e| e.to_string())?);
    driver.people_are_effects = true;
    driver.event(Event::Start(Box::new(Start::new(graph, vec![]))));
    let mut world = World::default();
    let mut known = 0;
    let mut passed: Vec<String> = Vec::new();
    let mut started = Vec::new();
    while driver.outcome.is_none() {
        for flying in &driver.in_flight[known.min(driver.in_flight.len())..] {
            let item = items[&flying.name];
            for guard in &guards[&flying.name] {
                if !passed.contains(guard) {
                    return Err(format!("{} started below the open guard {guard}", flying.name));
                }
            }
            started.push(flying.name.clone());
            if matches!(item.kind, Kind::Approve | Kind::Ask) {
                world.shown.insert(flying.name.clone(), world.writes.len());
            }
            if item.kind == Kind::Read {
                world.seen.insert(flying.name.clone(), world.version(item.resource));
            }
        }
        if driver.in_flight.is_empty() {
            return Err("nothing is in flight, and the run is not over".into());
        }
        let pick = rng.below(driver.in_flight.len());
        let flying = driver.in_flight.remove(pick);
        let item = items[&flying.name];
        let outcome = if item.fails {
            Outcome::Failed(custom(&item.name))
        } else {
            if matches!(item.kind, Kind::Write | Kind::Approve) {
                world.writes.push((item.name.clone(), item.resource));
            }
            passed.push(item.name.clone());
            Outcome::Ok(Value::text(item.name.as_str()))
        };
        known = driver.in_flight.len();
        let before = driver.abandoned.len();
        driver.event(ending(item, flying.effect, outcome));
        // What was abandoned stood before what was started in this event.
        known -= driver.abandoned.len() - before;
    }
    let got = match driver.outcome.clone() {
        Some(Outcome::Failed(failure)) => Some(named(&failure)),
        Some(Outcome::Ok(_)) => None,
        other => return Err(format!("an unexpected end: {other:?}")),
    };
    if got != failure {
        return Err(format!("reported {got:?}, from top to bottom {failure:?}"));
    }
    if world.writes != expected.writes {
        return Err(format!("writes {:?}, not {:?}", world.writes, expected.writes));
    }
    for (person, before) in &expected.shown {
        if world.shown.get(person).is_some_and(|shown| shown != before) {
            return Err(format!("{person} was shown after {:?} writes", world.shown[person]));
        }
    }
    for (read, version) in &expected.seen {
        if world.seen.get(read).is_some_and(|saw| saw != version) {
            return Err(format!("{read} saw {:?}, not {version:?}", world.seen[read]));
        }
        if failure.is_none() && !world.seen.contains_key(read) {
            return Err(format!("{read} never ran"));
        }
    }
    if let Some(Outcome::Ok(value)) = &driver.outcome {
        let tries: Vec<_> = block.iter().filter(|i| i.kind == Kind::Try).collect();
        let gave = value.as_list().unwrap_or_default();
        for (item, gave) in tries.iter().zip(gave) {
            let message =
                (gave.tag() == Some(1)).then(|| named(&Failure::from_value(&gave.fields()[0])));
            if message != expected.tries[&item.name] {
                return Err(format!("{} gave {gave:?}", item.name));
            }
        }
    }
    if seed.is_multiple_of(64) {
        driver.rebuild();
    }
    Ok(started.len())
}

#[test]
fn any_schedule_agrees_with_running_from_top_to_bottom() {
    let mut effects = 0;
    for seed in 0..6000 {
        match run(seed) {
            Ok(n) => effects += n,
            Err(why) => {
                let mut rng = Rng::new(seed);
                let block = generate(&mut rng, 0, &mut Vec::new(), &mut 0);
                panic!("seed {seed}: {why}\n{block:#?}");
            }
        }
    }
    assert!(effects > 30_000, "the programs are too small to show anything: {effects} effects");
}

/// What must have succeeded before a block, or a node of it, is shown: all guards at any depth (but in a `try`) of the
/// block and of those around it, and what stands above and changes the world or asks a person. Blocks are counted as [`Lowering::block`] does.
fn before_shown(
    block: &[Item],
    around: &[String],
    count: &mut usize,
    found: &mut HashMap<String, Vec<String>>,
) {
    let mut guards = around.to_vec();
    guards_of(block, &mut guards);
    let own = format!("block {count}");
    *count += 1;
    let mut above = guards;
    for item in block {
        found.insert(format!("{} says", item.name), above.clone());
        for inner in &item.blocks {
            // What is never run is never shown.
            before_shown(inner, &above, count, found);
        }
        changes_of(std::slice::from_ref(item), &mut above);
    }
    found.insert(own, above);
}

fn changes_of(block: &[Item], into: &mut Vec<String>) {
    for item in block {
        match item.kind {
            Kind::Write | Kind::Approve | Kind::Ask => into.push(item.name.clone()),
            Kind::Call | Kind::Seq => item.blocks.iter().for_each(|b| changes_of(b, into)),
            Kind::Switch => item.blocks.iter().rev().take(1).for_each(|b| changes_of(b, into)),
            _ => {}
        }
    }
}

fn guards_of(block: &[Item], into: &mut Vec<String>) {
    for item in block {
        match item.kind {
            Kind::Guard => into.push(item.name.clone()),
            Kind::Call | Kind::Seq => item.blocks.iter().for_each(|b| guards_of(b, into)),
            Kind::Switch => item.blocks.iter().rev().take(1).for_each(|b| guards_of(b, into)),
            _ => {}
        }
    }
}

fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Text(text) => into.push(text.to_string()),
        Value::List(items) => items.iter().for_each(|item| texts(item, into)),
        other => other.fields().iter().for_each(|part| texts(part, into)),
    }
}

/// Runs a program that somebody watches; gives how much was shown before the end of what shows it, and in all.
fn watch(seed: u64) -> Result<(usize, usize), String> {
    let mut rng = Rng::new(seed);
    let block = generate(&mut rng, 0, &mut Vec::new(), &mut 0);
    let mut before = HashMap::new();
    before_shown(&block, &[], &mut 0, &mut before);
    let mut lowering = Lowering {
        b: ProgramBuilder::new(),
        guards: Vec::new(),
        shown: true,
        blocks: 0,
        nodes: vec![],
    };
    let body = lowering.block(&block, &mut Vec::new(), &mut vec![0]).region;
    let graph = lowering.b.graph("random", body);
    let mut items = HashMap::new();
    all(&block, &mut items);
    let mut driver = Driver::new(lowering.b.load_as_is().map_err(|e| e.to_string())?);
    driver.people_are_effects = true;
    let start = Start { sink: true, ..Start::new(graph, vec![]) };
    driver.event(Event::Start(Box::new(start)));
    let mut passed: Vec<String> = Vec::new();
    let (mut looked, mut early, mut shown) = (0, 0, 0);
    loop {
        for command in &driver.commands[looked..] {
            let mut names = Vec::new();
            match command {
                Command::Bind { source: Source::Effect(effect), .. } => {
                    early += 1;
                    let flying = driver.in_flight.iter().find(|f| f.effect == *effect);
                    names.extend(flying.map(|f| format!("{} says", f.name)));
                }
                Command::Put { value, .. } => texts(value, &mut names),
                _ => {}
            }
            for name in names {
                shown += 1;
                let Some(guards) = before.get(&name) else { continue };
                if let Some(open) = guards.iter().find(|guard| !passed.contains(guard)) {
                    return Err(format!("{name} is shown before {open} has succeeded"));
                }
            }
        }
        looked = driver.commands.len();
        if driver.outcome.is_some() {
            break;
        }
        let pick = rng.below(driver.in_flight.len());
        let flying = driver.in_flight.remove(pick);
        let item = items[&flying.name];
        let outcome = if item.fails {
            Outcome::Failed(custom(&item.name))
        } else {
            passed.push(item.name.clone());
            Outcome::Ok(Value::text(format!("{} says", item.name)))
        };
        driver.event(ending(item, flying.effect, outcome));
    }
    if seed.is_multiple_of(64) {
        driver.rebuild();
    }
    Ok((early, shown))
}

#[test]
fn nothing_is_shown_before_what_it_waits_for_has_succeeded() {
    let (mut early, mut shown) = (0, 0);
    for seed in 0..6000 {
        match watch(seed) {
            Ok((e, s)) => (early, shown) = (early + e, shown + s),
            Err(why) => {
                let mut rng = Rng::new(seed);
                let block = generate(&mut rng, 0, &mut Vec::new(), &mut 0);
                panic!("seed {seed}: {why}\n{block:#?}");
            }
        }
    }
    assert!(early > 1_000, "hardly anything grows: {early}");
    assert!(shown > 30_000, "hardly anything is shown: {shown}");
}
