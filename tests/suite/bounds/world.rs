//! A world for runs that is as bad as it may be: models use up all that they may and are repaired as often as they may be,
//! whatever is called is late, fails or answers, by chance. Time is virtual; all that happens is counted.

use std::collections::BTreeSet;
use std::sync::Arc;

use kait_compiler::bounds::{MONEY_UNIT, RoleTerms};
use kait_engine::event::{
    Command, EffectId, Event, ModelRequest, Nanos, Outcome, Start, TimerId, Usage,
};
use kait_engine::machine::State;
use kait_engine::{Loaded, Machine};
use kait_ir::{Currency, Failure, GraphId, Money, NodeKind, Value};

/// What a run has used up.
#[derive(Debug, Default)]
pub struct Used {
    /// Calls of models, without repairs.
    pub calls: u64,
    /// Repairs.
    pub repairs: u64,
    /// Tokens, read and written.
    pub tokens: u64,
    /// Those of calls that have ended: of others nobody learns.
    pub reported: u64,
    /// Their price, in [`MONEY_UNIT`]s.
    pub money: u64,
    /// Calls of all else.
    pub tools: u64,
    /// How long it took, in nanoseconds.
    pub time: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Timer(TimerId),
    Answer(EffectId),
}

struct World<'a> {
    terms: &'a RoleTerms,
    random: fastrand::Rng,
    loaded: Arc<Loaded>,
    now: Nanos,
    due: BTreeSet<(Nanos, Due)>,
    /// What comes when an answer is due.
    answers: Vec<(EffectId, Option<Box<Usage>>)>,
    queue: Vec<Event>,
    used: Used,
}

/// Runs the graph of that name with arguments by chance.
pub fn run(
    loaded: &Arc<Loaded>,
    graph: &str,
    terms: &RoleTerms,
    mut random: fastrand::Rng,
) -> Used {
    let at = loaded.program().graphs.iter().position(|g| g.name == graph).expect("it is lowered");
    let items = (0..random.usize(..5)).map(|nth| Value::text(format!("i{nth}"))).collect();
    let n = Value::Int(random.i64(1..=3));
    let args = vec![Value::text("x"), Value::List(Arc::new(items)), n];
    let graph = GraphId(u32::try_from(at).expect("few graphs"));
    let mut start = Start::new(graph, args);
    start.parallel = random.u32(1..9);
    let world = World {
        terms,
        random,
        loaded: Arc::clone(loaded),
        now: 0,
        due: BTreeSet::new(),
        answers: Vec::new(),
        queue: vec![Event::Start(Box::new(start))],
        used: Used::default(),
    };
    world.run()
}

impl World<'_> {
    fn run(mut self) -> Used {
        let machine = Machine::new(Arc::clone(&self.loaded));
        let (mut state, mut commands) = (State::default(), Vec::new());
        loop {
            let event = match self.queue.pop() {
                Some(event) => event,
                None => {
                    let (due, what) = self.due.pop_first().expect("a run that has not ended waits");
                    self.now = self.now.max(due);
                    match what {
                        Due::Timer(timer) => Event::Timer(timer),
                        Due::Answer(effect) => self.answer(effect),
                    }
                }
            };
            machine.on(&mut state, self.now, event, &mut commands);
            for command in commands.drain(..) {
                if self.command(command) {
                    self.used.time = self.now.unsigned_abs();
                    return self.used;
                }
            }
        }
    }

    /// Whether it was the last one.
    fn command(&mut self, command: Command) -> bool {
        match command {
            Command::Model { effect, request } => {
                let usage = self.ask(&request);
                self.begin(effect, Some(Box::new(usage)));
            }
            Command::Leaf { effect, .. } => {
                self.used.tools += 1;
                self.begin(effect, None);
            }
            Command::Timer { timer, due } => {
                self.due.insert((due, Due::Timer(timer)));
            }
            Command::CancelTimer(timer) => self.due.retain(|(_, due)| *due != Due::Timer(timer)),
            Command::Abandon(effect) => self.due.retain(|(_, due)| *due != Due::Answer(effect)),
            Command::Compute { effect, job } => {
                let result = job.run(&self.loaded, &|| false);
                self.queue.push(Event::Computed { effect, result });
            }
            Command::Resume => self.queue.push(Event::Resume),
            Command::Finish(_) => return true,
            _ => {}
        }
        false
    }

    /// All that one call of a model may use up.
    fn ask(&mut self, request: &ModelRequest) -> Usage {
        let region = &self.loaded.program().regions[request.site.region.index()];
        let NodeKind::Model(call) = &region.nodes[request.site.node as usize].kind else {
            unreachable!("only prompts ask models");
        };
        let max = call.options.iter().zip(&request.options);
        let max = max.filter(|((name, _), _)| name == "max_tokens");
        let max = max.filter_map(|(_, value)| u64::try_from(value.as_int()?).ok());
        let limits = max.chain(request.tokens_left).chain(self.terms.output);
        let written = limits.min().expect("the terms have a limit");
        let read = self.terms.context.expect("the terms have a limit");
        let repairs = if self.random.bool() { request.repair } else { 0 };
        let calls = u64::from(repairs) + 1;
        let (read, written) = (read * calls, written * calls);
        let (read_price, written_price) = self.terms.price.expect("the terms have a price");
        let units = read * read_price + written * written_price;
        self.used.calls += 1;
        self.used.repairs += u64::from(repairs);
        self.used.tokens += read + written;
        self.used.money += units;
        let amount = rust_decimal::Decimal::from(units) / rust_decimal::Decimal::from(MONEY_UNIT);
        let currency = Currency::parse("usd").expect("a currency");
        Usage {
            calls: repairs + 1,
            input_tokens: read,
            output_tokens: written,
            cost: Some(Money { amount, currency }),
        }
    }

    /// What was called answers after a while, or never: only a limit of its own ends that.
    fn begin(&mut self, effect: EffectId, usage: Option<Box<Usage>>) {
        let millis = match self.random.u32(..8) {
            0 => 100_000_000,
            _ => self.random.i64(0..3_000),
        };
        self.due.insert((self.now + millis * 1_000_000, Due::Answer(effect)));
        self.answers.push((effect, usage));
    }

    fn answer(&mut self, effect: EffectId) -> Event {
        let at = self.answers.iter().position(|(known, _)| *known == effect).expect("it was begun");
        let (_, usage) = self.answers.swap_remove(at);
        if let Some(usage) = &usage {
            self.used.reported += usage.input_tokens + usage.output_tokens;
        }
        let outcome = match self.random.u32(..6) {
            0 => Outcome::Failed(Failure::Timeout),
            1 => Outcome::Failed(Failure::invalid("", "no")),
            _ => Outcome::Ok(Value::text(["a", "bb", "cccc"][self.random.usize(..3)])),
        };
        Event::Done { effect, outcome, usage }
    }
}
