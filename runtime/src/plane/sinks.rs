//! Sinks: a forest of places, each of which passes what flows into it to the place that it was derived from.

use kait_connect::{Growth, Path, Step};
use kait_engine::event::{Event, SinkId, SinkSpec, Source};
use kait_engine::std::segment::Segmenter;
use kait_ir::{TypeId, Value};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::Live;

/// Who sees the run's result grow.
pub trait Watcher {
    /// A step of growth of the result.
    fn grow(&mut self, growth: &Growth);
    /// What was seen at the path is void.
    fn reset(&mut self, path: &[Step]);
    /// The text of a value in a template.
    fn render(&self, ty: TypeId, value: &Value) -> SmolStr;
}

/// What flows between sinks.
enum Flow {
    Grow(Growth),
    Reset(Path),
}

/// The sinks of one run, and its growing sources.
#[derive(Default)]
pub struct Plane {
    sinks: Vec<Sink>,
    sources: FxHashMap<Source, Growing>,
    /// For the engine: complete items and superseded cuts, in order.
    events: Vec<Event>,
}

#[derive(Default)]
struct Growing {
    seen: Live,
    sinks: Vec<SinkId>,
}

enum Sink {
    /// The run's result.
    Result,
    /// A field or item of what grows in `parent`.
    Inside { parent: SinkId, variant: Option<u32>, step: Step },
    /// A part of a text.
    Part { parent: SinkId, index: u32, ty: TypeId },
    /// Only one field goes on.
    Select { to: SinkId, index: u32 },
    /// A text comes in, a list of its segments goes on.
    Segments { to: SinkId, machine: Box<Segmenter>, fresh: Box<Segmenter>, taken: usize, cut: u32 },
    /// Complete items go to the engine.
    Cuts { next: u32, generation: u32, waiting: FxHashMap<u32, Value> },
    /// It was derived from a sink that was reset, or its specification made no sense.
    Gone,
    /// A text that is made of parts (what the sink was before is inside).
    Concat { inner: Box<Sink>, parts: Vec<PartText>, current: usize },
}

#[derive(Default, Clone)]
struct PartText {
    text: String,
    /// How many bytes of it have flowed on.
    sent: usize,
    complete: bool,
}

impl Plane {
    /// The sinks of a run, with [`SinkId::RESULT`] if somebody watches.
    pub fn new() -> Self {
        Self { sinks: vec![Sink::Result], ..Self::default() }
    }

    /// Events for the engine that came up, in order.
    pub fn take_events(&mut self) -> impl Iterator<Item = Event> + '_ {
        self.events.drain(..)
    }

    /// Whether there are events for the engine.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Makes a sink.
    pub fn sink(&mut self, id: SinkId, spec: SinkSpec) {
        let sink = match spec {
            SinkSpec::Field { parent, variant, index } => {
                Sink::Inside { parent, variant, step: Step::Field(index) }
            }
            SinkSpec::Item { parent, index } => {
                Sink::Inside { parent, variant: None, step: Step::Item(index) }
            }
            SinkSpec::Part { parent, index, of, ty } => {
                self.make_concat(parent, of);
                Sink::Part { parent, index, ty }
            }
            SinkSpec::Select { to, index } => Sink::Select { to, index },
            SinkSpec::Segments { to, segmenter, args } => match Segmenter::of(&segmenter, &args) {
                Some(Ok(machine)) => Sink::Segments {
                    to,
                    fresh: Box::new(machine.clone()),
                    machine: Box::new(machine),
                    taken: 0,
                    cut: 0,
                },
                // Bad arguments fail when the whole list is evaluated; until then nothing flows.
                _ => Sink::Gone,
            },
            SinkSpec::Cuts { .. } => {
                Sink::Cuts { next: 0, generation: 0, waiting: FxHashMap::default() }
            }
        };
        let at = id.0 as usize;
        if self.sinks.len() <= at {
            self.sinks.resize_with(at + 1, || Sink::Gone);
        }
        if let Some(slot) = self.sinks.get_mut(at) {
            *slot = sink;
        }
    }

    fn make_concat(&mut self, parent: SinkId, parts: u32) {
        if let Some(slot) = self.sinks.get_mut(parent.0 as usize)
            && !matches!(slot, Sink::Concat { .. })
        {
            let inner = Box::new(std::mem::replace(slot, Sink::Gone));
            let parts = vec![PartText::default(); parts as usize];
            *slot = Sink::Concat { inner, parts, current: 0 };
        }
    }

    /// Connects a source to a sink; what the source has given so far flows at once.
    pub fn bind(&mut self, source: Source, sink: SinkId, watcher: &mut impl Watcher) {
        let growing = self.sources.entry(source).or_default();
        growing.sinks.push(sink);
        let mut steps = Vec::new();
        growing.seen.replay(&mut |step| steps.push(step));
        for step in steps {
            self.flow(sink, Flow::Grow(step), watcher);
        }
    }

    /// A source has grown.
    pub fn grow(&mut self, source: Source, growth: Growth, watcher: &mut impl Watcher) {
        let growing = self.sources.entry(source).or_default();
        growing.seen.apply(&growth);
        let sinks = growing.sinks.clone();
        for sink in sinks {
            let flow = match &growth {
                Growth::Restart => Flow::Reset(Path::new()),
                growth => Flow::Grow(growth.clone()),
            };
            self.flow(sink, flow, watcher);
        }
    }

    /// A source has ended well: its sinks are complete.
    pub fn finished(&mut self, source: Source, value: &Value, watcher: &mut impl Watcher) {
        if let Some(growing) = self.sources.remove(&source) {
            for sink in growing.sinks {
                self.put(sink, value.clone(), watcher);
            }
        }
    }

    /// A source has failed or is not wanted any more; what it gave stays until the engine resets it.
    pub fn forget(&mut self, source: Source) {
        self.sources.remove(&source);
    }

    /// Whether what the source gives goes anywhere.
    pub fn is_bound(&self, source: Source) -> bool {
        self.sources.get(&source).is_some_and(|growing| !growing.sinks.is_empty())
    }

    /// An event that came of growth before a record was made: the items that it tells of are not told of again.
    pub fn catch_up(&mut self, event: &Event) {
        let (sink, to_generation, to_next) = match event {
            Event::Cut { sink, generation, index, .. } => {
                (*sink, *generation, index.saturating_add(1))
            }
            Event::Superseded { sink, generation } => (*sink, *generation, 0),
            _ => return,
        };
        if let Some(Sink::Cuts { next, generation, waiting }) = self.sinks.get_mut(sink.0 as usize)
        {
            if *generation != to_generation {
                waiting.clear();
            }
            (*next, *generation) = (to_next, to_generation);
            waiting.retain(|index, _| *index >= to_next);
        }
    }

    /// A finished value arrives.
    pub fn put(&mut self, sink: SinkId, value: Value, watcher: &mut impl Watcher) {
        self.flow(sink, Flow::Grow(Growth::Set { path: Path::new(), value }), watcher);
    }

    /// What has flowed into the sink is void; derived sinks are gone.
    pub fn reset(&mut self, sink: SinkId, watcher: &mut impl Watcher) {
        self.drop_derived(sink);
        if let Some(slot) = self.sinks.get_mut(sink.0 as usize)
            && let Sink::Concat { inner, .. } = slot
        {
            *slot = std::mem::replace(inner, Sink::Gone);
        }
        self.flow(sink, Flow::Reset(Path::new()), watcher);
        for growing in self.sources.values_mut() {
            growing.sinks.retain(|s| *s != sink);
        }
    }

    /// Sinks that pass on to this one are made after it, so one walk forward finds them all.
    fn drop_derived(&mut self, sink: SinkId) {
        let mut gone = vec![sink];
        for at in sink.0 as usize + 1..self.sinks.len() {
            let derived = self.sinks.get(at).and_then(next_of).is_some_and(|to| gone.contains(&to));
            if derived {
                if let Some(slot) = self.sinks.get_mut(at) {
                    *slot = Sink::Gone;
                }
                gone.push(SinkId(u32::try_from(at).unwrap_or(u32::MAX)));
            }
        }
    }

    /// Passes one step on until it reaches the result, the engine, or nobody.
    fn flow(&mut self, mut at: SinkId, mut flow: Flow, watcher: &mut impl Watcher) {
        loop {
            let Some(sink) = self.sinks.get_mut(at.0 as usize) else { return };
            let sink = match sink {
                // What flows into the whole of a text made of parts (a reset, the finished text) belongs to the place.
                Sink::Concat { inner, .. } => inner.as_mut(),
                sink => sink,
            };
            match sink {
                Sink::Result => {
                    match flow {
                        Flow::Grow(growth) => watcher.grow(&growth),
                        Flow::Reset(path) => watcher.reset(&path),
                    }
                    return;
                }
                Sink::Inside { parent, variant, step } => {
                    let (parent, step) = (*parent, *step);
                    if let Some(variant) = variant.take() {
                        let tag = Growth::Tag { path: Path::new(), variant };
                        self.flow(parent, Flow::Grow(tag), watcher);
                    }
                    flow.prefix(step);
                    at = parent;
                }
                Sink::Part { parent, index, ty } => {
                    let (parent, index, ty) = (*parent, *index as usize, *ty);
                    return self.part(parent, index, ty, flow, watcher);
                }
                Sink::Select { to, index } => {
                    let (to, index) = (*to, *index);
                    match flow.select(index) {
                        Some(rest) => flow = rest,
                        None => return,
                    }
                    at = to;
                }
                Sink::Segments { to, machine, fresh, taken, cut } => {
                    let mut out = Vec::new();
                    match flow {
                        Flow::Reset(_) => {
                            *machine = fresh.clone();
                            (*taken, *cut) = (0, 0);
                            at = *to;
                            flow = Flow::Reset(Path::new());
                            continue;
                        }
                        Flow::Grow(Growth::Append { text, .. }) => {
                            *taken += text.len();
                            machine.push(&text, &mut out);
                        }
                        Flow::Grow(Growth::Set { value, .. }) => {
                            let text = value.as_text().unwrap_or_default();
                            machine.push(text.get(*taken..).unwrap_or_default(), &mut out);
                            machine.finish(&mut out);
                        }
                        Flow::Grow(_) => return,
                    }
                    let (to, first) = (*to, *cut);
                    *cut += u32::try_from(out.len()).unwrap_or(0);
                    for (index, segment) in (first..).zip(out) {
                        let path = Path::from_slice(&[Step::Item(index)]);
                        let value = Value::Text(segment);
                        self.flow(to, Flow::Grow(Growth::Set { path, value }), watcher);
                    }
                    return;
                }
                Sink::Cuts { next, generation, waiting } => {
                    match flow {
                        Flow::Reset(path) if path.is_empty() => {
                            *generation += 1;
                            *next = 0;
                            waiting.clear();
                            self.events
                                .push(Event::Superseded { sink: at, generation: *generation });
                        }
                        Flow::Grow(Growth::Set { path, value }) => match path.as_slice() {
                            [Step::Item(index)] => {
                                waiting.insert(*index, value);
                            }
                            [] => {
                                for (index, item) in (0..).zip(value.as_list().unwrap_or_default())
                                {
                                    if index >= *next {
                                        waiting.insert(index, item.clone());
                                    }
                                }
                            }
                            _ => {}
                        },
                        _ => {}
                    }
                    while let Some(value) = waiting.remove(next) {
                        self.events.push(Event::Cut {
                            sink: at,
                            generation: *generation,
                            index: *next,
                            value,
                        });
                        *next += 1;
                    }
                    return;
                }
                Sink::Gone | Sink::Concat { .. } => return,
            }
        }
    }

    /// Something flows into part `index` of the text in `parent`.
    fn part(
        &mut self,
        parent: SinkId,
        index: usize,
        ty: TypeId,
        flow: Flow,
        watcher: &mut impl Watcher,
    ) {
        let Some(Sink::Concat { parts, current, .. }) = self.sinks.get_mut(parent.0 as usize)
        else {
            return;
        };
        let Some(part) = parts.get_mut(index) else { return };
        match flow {
            Flow::Reset(_) => {
                let was_sent = part.sent > 0 || *current > index;
                *part = PartText::default();
                if was_sent {
                    // The text is one place: what stands before the part flows again.
                    parts.iter_mut().for_each(|part| part.sent = 0);
                    *current = 0;
                    self.flow(parent, Flow::Reset(Path::new()), watcher);
                }
            }
            Flow::Grow(Growth::Append { path, text }) if path.is_empty() => {
                part.text.push_str(&text);
            }
            Flow::Grow(Growth::Set { path, value }) if path.is_empty() => {
                let text = watcher.render(ty, &value);
                if text.starts_with(part.text.as_str()) || part.sent == 0 {
                    part.text = text.to_string();
                    part.complete = true;
                } else {
                    *part = PartText { text: text.to_string(), sent: 0, complete: true };
                    parts.iter_mut().for_each(|part| part.sent = 0);
                    *current = 0;
                    self.flow(parent, Flow::Reset(Path::new()), watcher);
                }
            }
            Flow::Grow(_) => return,
        }
        self.send_parts(parent, watcher);
    }

    /// Sends what is in order: complete parts, then what the current one has so far.
    fn send_parts(&mut self, parent: SinkId, watcher: &mut impl Watcher) {
        let Some(Sink::Concat { parts, current, .. }) = self.sinks.get_mut(parent.0 as usize)
        else {
            return;
        };
        let mut text = String::new();
        while let Some(part) = parts.get_mut(*current) {
            text.push_str(part.text.get(part.sent..).unwrap_or_default());
            part.sent = part.text.len();
            if !part.complete {
                break;
            }
            *current += 1;
        }
        let whole = (*current == parts.len())
            .then(|| Value::text(parts.iter().map(|p| p.text.as_str()).collect::<String>()));
        if !text.is_empty() {
            self.flow(parent, Flow::Grow(Growth::text(text)), watcher);
        }
        if let Some(value) = whole {
            self.put(parent, value, watcher);
        }
    }
}

/// The sink that this one passes on to.
fn next_of(sink: &Sink) -> Option<SinkId> {
    match sink {
        Sink::Inside { parent, .. } | Sink::Part { parent, .. } => Some(*parent),
        Sink::Select { to, .. } | Sink::Segments { to, .. } => Some(*to),
        Sink::Concat { inner, .. } => next_of(inner),
        Sink::Result | Sink::Cuts { .. } | Sink::Gone => None,
    }
}

impl Flow {
    fn path_mut(&mut self) -> Option<&mut Path> {
        match self {
            Self::Reset(path)
            | Self::Grow(
                Growth::Append { path, .. } | Growth::Tag { path, .. } | Growth::Set { path, .. },
            ) => Some(path),
            Self::Grow(Growth::Restart) => None,
        }
    }

    fn prefix(&mut self, step: Step) {
        if let Some(path) = self.path_mut() {
            path.insert(0, step);
        }
    }

    /// What is left of it for one field.
    fn select(mut self, index: u32) -> Option<Self> {
        if let Self::Grow(Growth::Set { path, value }) = &self
            && path.is_empty()
        {
            let value = value.fields().get(index as usize)?.clone();
            return Some(Self::Grow(Growth::Set { path: Path::new(), value }));
        }
        let path = self.path_mut()?;
        match path.first() {
            None => matches!(self, Self::Reset(_)).then_some(self),
            Some(Step::Field(i)) if *i == index => {
                path.remove(0);
                Some(self)
            }
            Some(_) => None,
        }
    }
}
