//! People who answer a run: its open questions, and the way by which answers come in.
//!
//! A question is a segment of the log; its number names it. Whoever holds the [`AnswerSender`] of a run decides who may
//! answer: nothing here knows people. The first answer that fits wins.

use kait_engine::check::TypeTable;
use kait_engine::event::{Answer, Asks, EffectId, Nanos, Promise, Site};
use kait_ir::Failure;
use rustc_hash::FxHashMap;
use serde_json::{Value as Json, json};
use smol_str::SmolStr;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

/// An answer of somebody to a question of a run.
#[derive(Debug)]
pub struct Given {
    /// The question: the number of its segment.
    pub question: u64,
    /// Who answers.
    pub by: SmolStr,
    /// The answer, as [`Promise::read_answer`] reads it. One whose `decision` is `try` is read as an approval, and never
    /// taken: whoever is typing hears whether what they have changed fits.
    pub answer: Json,
    /// Told whether the answer was taken: not before it is durable, if the run is recorded.
    pub taken: Taken,
}

/// Where somebody waits to hear whether an answer was taken.
pub type Taken = oneshot::Sender<Result<(), NotTaken>>;

/// Why an answer was not taken.
#[derive(Clone, Debug, PartialEq)]
pub enum NotTaken {
    /// It does not fit: the question stays open.
    Wrong(Failure),
    /// It was only tried, and fits: the question stays open.
    Fits,
    /// The question is not open: it was answered, is too late, or there never was one.
    Closed,
    /// It could not be recorded, so it does not count: why.
    Unrecorded(SmolStr),
}

/// Where answers to the questions of a run are sent.
pub type AnswerSender = UnboundedSender<Given>;
/// Where a run hears them.
pub type AnswerReceiver = UnboundedReceiver<Given>;

/// The questions of a run that are open.
#[derive(Default)]
pub(crate) struct Questions {
    open: FxHashMap<u64, Question>,
    segments: FxHashMap<EffectId, u64>,
}

/// A question that is open.
pub(crate) struct Question {
    pub(crate) effect: EffectId,
    pub(crate) node: SmolStr,
    site: Site,
    promise: Box<Promise>,
}

impl Question {
    /// Whether its time is over.
    pub(crate) fn is_late(&self, now: Nanos) -> bool {
        now >= self.promise.due
    }
}

impl Questions {
    /// The oldest that is open: its node's path, where it stands, and what it asks.
    pub(crate) fn first(&self) -> Option<(SmolStr, Site, Box<Promise>)> {
        let (_, question) = self.open.iter().min_by_key(|(segment, _)| **segment)?;
        Some((question.node.clone(), question.site, question.promise.clone()))
    }

    pub(crate) fn add(
        &mut self,
        segment: u64,
        effect: EffectId,
        node: SmolStr,
        site: Site,
        promise: Box<Promise>,
    ) {
        self.segments.insert(effect, segment);
        self.open.insert(segment, Question { effect, node, site, promise });
    }

    /// Takes the question of an effect away, with its segment.
    pub(crate) fn close(&mut self, effect: EffectId) -> Option<(u64, Question)> {
        let segment = self.segments.remove(&effect)?;
        Some((segment, self.open.remove(&segment)?))
    }

    /// All that are open, with their segments, in the order in which they were asked.
    pub(crate) fn drain(&mut self) -> Vec<(u64, Question)> {
        self.segments.clear();
        let mut all: Vec<_> = self.open.drain().collect();
        all.sort_unstable_by_key(|(segment, _)| *segment);
        all
    }

    /// What an answer says, if it fits.
    pub(crate) fn read(
        &self,
        table: &TypeTable,
        segment: u64,
        by: &str,
        given: &Json,
    ) -> Result<Answer, NotTaken> {
        let question = self.open.get(&segment).ok_or(NotTaken::Closed)?;
        let mut given = std::borrow::Cow::Borrowed(given);
        let is_tried = given.get("decision").is_some_and(|decision| decision == "try");
        if is_tried && let Some(decision) = given.to_mut().get_mut("decision") {
            *decision = "approve".into();
        }
        match question.promise.read_answer(table, by, &given) {
            Ok(_) if is_tried => Err(NotTaken::Fits),
            read => read.map_err(NotTaken::Wrong),
        }
    }

    /// The question is open no more.
    pub(crate) fn answered(&mut self, segment: u64) -> Option<Question> {
        let question = self.open.remove(&segment)?;
        self.segments.remove(&question.effect);
        Some(question)
    }

    /// The path of the node whose question it is.
    pub(crate) fn node(&self, segment: u64) -> Option<&SmolStr> {
        self.open.get(&segment).map(|question| &question.node)
    }

    /// All that are open, with the paths of their nodes, in the order in which they were asked.
    pub(crate) fn nodes(&self) -> Vec<(u64, SmolStr)> {
        let nodes = self.open.iter().map(|(segment, question)| (*segment, question.node.clone()));
        let mut nodes: Vec<_> = nodes.collect();
        nodes.sort_unstable();
        nodes
    }

    /// Whether none is open.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

/// What the segment of a question ends with: who has answered, and what.
pub(crate) fn closing(by: &str, given: &Json) -> Json {
    let mut value = json!({ "by": by });
    if let (Json::Object(value), Json::Object(given)) = (&mut value, given) {
        value.extend(given.iter().map(|(key, item)| (key.clone(), item.clone())));
    }
    value
}

/// What a promise asks, in a few words: for whoever finds that nobody can be asked.
pub(crate) fn wanted(promise: &Promise) -> String {
    let to = promise.to.as_ref().map_or(String::new(), |to| format!(" by `{to}`"));
    match &promise.asks {
        Asks::Approval { call, .. } => format!("a call of `{call}` is to be approved{to}"),
        Asks::Question { question, .. } => format!("a question is to be answered{to}: {question}"),
        Asks::Selection { question: Some(question), .. } => {
            format!("a selection is to be made{to}: {question}")
        }
        Asks::Selection { .. } => format!("a selection is to be made{to}"),
    }
}
