//! Drives a run at a terminal: its answer goes to stdout while it grows, everything else to stderr, and whoever sits there is
//! asked what it asks.

use std::io::IsTerminal as _;
use std::sync::Arc;

use anyhow::Context as _;
use kait_connect::Connections;
use kait_engine::event::{Arg, Outcome};
use kait_engine::journal::Entry;
use kait_engine::json;
use kait_engine::segment::{Segment, SegmentKind, SegmentOp};
use kait_ir::{Failure, GraphId};
use kait_runtime::driver::GrowingInput;
use kait_runtime::report::{self, RunDocument};
use kait_runtime::{Plan, Recorder, Run, RunEnd, RunLog, RunStart, Shared};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;
use smol_str::SmolStr;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use crate::answer::{self, Answer, Mode, Style};
use crate::args::JsonForm;
use crate::asking::{self, Asking};
use crate::exit::Exit;
use crate::{compile, failures, out};

/// Bodies of one `for` at once where the program says nothing.
pub const PARALLEL: u32 = 16;

/// How the answer is shown, and whether anybody may be asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// As JSON, in this form.
    pub json: Option<JsonForm>,
    /// Only when it is final.
    pub buffer: bool,
    /// Nobody is asked anything.
    pub no_input: bool,
}

/// What is run, and with what.
pub struct Started {
    /// The run's name.
    pub run: String,
    /// The graph, as `kait serve` calls it.
    pub name: String,
    /// The program.
    pub plan: Arc<Plan>,
    /// Its way to the world.
    pub connections: Arc<Connections>,
    /// The graph.
    pub graph: GraphId,
    /// Its arguments; none, if it is taken up.
    pub given: Vec<Arg>,
    /// Those that still arrive.
    pub growing: Vec<(u32, UnboundedReceiver<GrowingInput>)>,
    /// Where it is recorded.
    pub recorder: Option<Recorder>,
    /// What was recorded of it, if it is taken up.
    pub journal: Vec<Entry>,
    /// Whether it is taken up only to be cancelled.
    pub cancelled: bool,
}

/// Drives it to its end, or until it waits for somebody who is not here.
///
/// # Errors
/// If the answer cannot be written.
pub async fn drive(
    view: View,
    started: Started,
    compiled: &compile::Compiled,
) -> anyhow::Result<Exit> {
    let Started {
        run,
        name,
        plan,
        connections,
        graph,
        given,
        growing,
        recorder,
        journal,
        cancelled,
    } = started;
    let hash = kait_ir::hash(plan.program()).to_string();
    let begun = RunDocument::begun(&run, &name, &hash, jiff::Timestamp::now());
    let log = RunLog::new(run.as_str().into(), kait_runtime::segments::RING_RECORDS);
    let mut reader = log.read();
    let cancel = CancellationToken::new();
    let leave = CancellationToken::new();
    // What is recorded can be taken up later; of all else nothing is left.
    let interrupted = if recorder.is_some() { leave.clone() } else { cancel.clone() };
    if cancelled {
        cancel.cancel();
    }
    let (asker, people) = people(view, !growing.is_empty());
    let start = RunStart {
        run: run.as_str().into(),
        graph,
        args: given,
        growing,
        traced: view.json == Some(JsonForm::Lines),
        parallel: PARALLEL,
        people,
        recorder,
        leave: leave.clone(),
        journal,
    };
    let shared = Arc::new(Shared::default());
    let driven = tokio::spawn(Run::start(
        Arc::clone(&plan),
        connections,
        shared,
        start,
        Arc::clone(&log),
        cancel.clone(),
    ));
    let stop = cancel.clone();
    let interrupts = tokio::spawn(interrupt(interrupted));

    let terminal = std::io::stdout().is_terminal();
    let mode = match view.json {
        Some(JsonForm::Lines) => Mode::Lines,
        Some(JsonForm::Object) => Mode::Quiet,
        // In a file nobody watches the answer grow, and what is written there should be the answer and nothing else.
        None if view.buffer || out::is_file() => Mode::Quiet,
        None if terminal => Mode::Stream(Style::Readable),
        None => Mode::Stream(Style::Json),
    };
    let program = plan.program();
    let ty = program.graphs.get(graph.index()).map_or(kait_ir::TypeId(0), |g| g.result);
    let table = plan.loaded.shared_table();
    let mut answer = Answer::new(mode, &table, ty, terminal);
    let mut notices = Notices::default();
    let mut records = Vec::new();
    let mut closed = false;
    while reader.read(&mut records).await {
        match answer.take(&records) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe && !closed => {
                // Nobody reads the answer any more. The run ends as if interrupted: what it has begun to write, it
                // finishes.
                closed = true;
                stop.cancel();
            }
            Err(error) if !closed => return Err(error.into()),
            _ => {}
        }
        if mode != Mode::Lines {
            notices.take(&records, &mut answer);
        }
        if let Some(asker) = &asker {
            for record in &records {
                if asking::is_question(record) {
                    answer.make_room();
                    asker.take(record);
                } else if let Some(words) = asker.hear(record) {
                    answer.make_room();
                    anstream::eprintln!("{words}");
                }
            }
        }
        records.clear();
    }
    let end = driven.await.context("the run's task ended in a fault of ours")?;
    interrupts.abort();
    if closed {
        anstream::eprintln!("standard output was closed before the end of the answer");
    } else {
        answer.end()?;
    }
    finish(view, &plan, graph, &begun, &end, &answer, compiled)
}

/// What is left to say when the run is over.
fn finish(
    view: View,
    plan: &Plan,
    graph: GraphId,
    begun: &RunDocument,
    end: &RunEnd,
    answer: &Answer<'_>,
    compiled: &compile::Compiled,
) -> anyhow::Result<Exit> {
    if view.json == Some(JsonForm::Object) {
        let span = end.failed_at.as_ref().and_then(|at| at.span);
        let place = span.and_then(|span| compiled.place(span));
        let document = begun.clone().ended(plan, graph, end, jiff::Timestamp::now(), place);
        out::line(&serde_json::to_string(&document)?)?;
    } else if view.json.is_none()
        && answer.is_quiet()
        && let Outcome::Ok(value) = &end.outcome
        && let Some(decl) = plan.program().graphs.get(graph.index())
    {
        match json::encode(plan.loaded.table(), decl.result, value) {
            Json::String(text) => out::line(text.trim_end_matches('\n'))?,
            other => out::line(&serde_json::to_string_pretty(&other)?)?,
        }
    }
    if end.suspended {
        let run = &begun.run;
        return Ok(match &end.outcome {
            Outcome::Failed(Failure::Cancelled) => {
                anstream::eprintln!("the run is kept as it stands: kait resume {run}");
                Exit::Interrupted
            }
            Outcome::Failed(failure) => {
                let (_, words, _) = report::words(failure);
                anstream::eprintln!("run {run} {words}");
                anstream::eprintln!(
                    "   = `kait inbox` shows and answers it; then: kait resume {run}"
                );
                Exit::Unasked
            }
            Outcome::Ok(_) => Exit::Done,
        });
    }
    match &end.outcome {
        Outcome::Failed(failure) => {
            failures::print(failure, end, compiled);
            Ok(if end.unasked { Exit::Unasked } else { Exit::of(failure) })
        }
        Outcome::Ok(_) => {
            if answer.made_again {
                anstream::eprintln!(
                    "warning K9042: the answer was made again after a part of it had been written, and came out \
                     differently\n   = the answer is what stands on stdout from the last new beginning on; \
                     with --buffer nothing else is written\n   kait explain K9042"
                );
            }
            Ok(Exit::Done)
        }
    }
}

/// Whoever sits at the terminal is asked, if there is one and standard input is not read otherwise.
fn people(
    view: View,
    stdin_is_read: bool,
) -> (Option<Asking>, Option<kait_runtime::people::AnswerReceiver>) {
    let by_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if view.no_input || stdin_is_read || !by_terminal {
        return (None, None);
    }
    let (answers, people) = tokio::sync::mpsc::unbounded_channel();
    (Some(Asking::begin(answers)), Some(people))
}

/// The first Ctrl-C cancels the run, which ends what it has begun; the second ends the process.
async fn interrupt(cancel: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        cancel.cancel();
        anstream::eprintln!(
            "interrupted: what was begun to be written ends first (Ctrl-C again ends it at once)"
        );
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(130);
    }
}

/// Status lines and cards, on stderr.
#[derive(Default)]
struct Notices {
    open: FxHashMap<u64, (SegmentKind, SmolStr)>,
}

impl Notices {
    fn take(&mut self, records: &[Arc<Segment>], answer: &mut Answer<'_>) {
        for record in records {
            match &record.op {
                SegmentOp::Open {
                    kind: kind @ (SegmentKind::Status | SegmentKind::Card | SegmentKind::Undo),
                    ..
                } => {
                    self.open.insert(record.segment, (*kind, record.node.clone()));
                }
                SegmentOp::Fail { error, .. } => {
                    if let Some((SegmentKind::Undo, node)) = self.open.remove(&record.segment) {
                        answer.make_room();
                        anstream::eprintln!("{}", not_undone(&node, error));
                    }
                }
                SegmentOp::Close { value } => {
                    if let Some((kind, _)) = self.open.remove(&record.segment)
                        && let Some(text) = answer::notice(kind, value)
                    {
                        answer.make_room();
                        anstream::eprintln!("{}", answer::shown(&text));
                    }
                }
                _ => {}
            }
        }
    }
}

/// What is said of a compensation that has failed.
fn not_undone(node: &str, error: &serde_json::Value) -> String {
    let word = |key: &str| answer::shown(error[key].as_str().unwrap_or_default()).into_owned();
    format!(
        "warning K9025: what `{node}` was to undo is perhaps not undone: {}\n   = it failed at {} ({}); all else that \
         was to be undone is tried nevertheless\n   kait explain K9025",
        word("message"),
        word("node"),
        word("code")
    )
}

/// A name for the run: `r_` and time-ordered letters.
pub fn run_name() -> String {
    let nanos = jiff::Timestamp::now().as_nanosecond().unsigned_abs();
    let salted = (nanos << 16) | u128::from(std::process::id() & 0xffff);
    let mut name = String::from("r_");
    let mut rest = salted;
    let mut digits = Vec::new();
    for _ in 0..16 {
        digits.push(b"0123456789abcdefghjkmnpqrstvwxyz"[(rest & 31) as usize]);
        rest >>= 5;
    }
    name.extend(digits.iter().rev().map(|d| char::from(*d)));
    name
}
