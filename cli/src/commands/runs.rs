//! `kait runs`: what has run in a profile, and what each run did; `kait replay`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use kait_connect::ModelBinding;
use kait_engine::event::Outcome;
use kait_engine::json;
use kait_ir::GraphId;
use kait_runtime::driver::{Called, Replayed, Step};
use kait_runtime::report::{self, RunUsage};
use kait_runtime::{Plan, Profile, Run as Driver, RunLog};
use kait_store::{PromiseQuery, Read, Run, RunQuery, RunState, SqliteReader, Store as _};
use serde_json::{Value as Json, json};

use crate::answer::shown;
use crate::archive::{self, Meta};
use crate::args::{ReplayArgs, RunsArgs, RunsCommand, StateName};
use crate::exit::{Coded, Exit};
use crate::out;

/// Columns of a value in a list of steps.
const SHOWN: usize = 100;

/// Does it.
pub fn run(args: &RunsArgs) -> anyhow::Result<Exit> {
    let profile = args.profile.as_deref().unwrap_or("local");
    match &args.command {
        None => list(profile, &[], 20, args.json),
        Some(RunsCommand::List { state, limit }) => list(profile, state, *limit, args.json),
        Some(RunsCommand::Show { run }) => show(profile, run, args.json),
        Some(RunsCommand::Export { run, output }) => export(profile, run, output.as_ref()),
        Some(RunsCommand::Prune { days }) => prune(profile, *days),
    }
}

fn store(profile: &str) -> anyhow::Result<SqliteReader> {
    archive::read(profile)?.ok_or_else(|| {
        let message = format!("nothing has been recorded in the profile `{profile}` yet");
        Coded { code: "K9046", message }.into()
    })
}

fn list(profile: &str, states: &[StateName], limit: u32, as_json: bool) -> anyhow::Result<Exit> {
    let Some(store) = archive::read(profile)? else {
        if as_json {
            out::line("[]")?;
        } else {
            anstream::eprintln!("nothing has run in the profile `{profile}` yet");
        }
        return Ok(Exit::Done);
    };
    let states = states.iter().map(|state| state.state()).collect();
    let query = RunQuery { states, newest_first: true, limit, ..RunQuery::default() };
    let runs = store.runs(&query).map_err(Coded::from)?;
    let waiting = asked_by(&store)?;
    if as_json {
        let runs: Vec<_> =
            runs.iter().map(|run| document(run, waiting.get(run.id.as_str()))).collect();
        out::line(&serde_json::to_string_pretty(&runs)?)?;
        return Ok(Exit::Done);
    }
    let rows: Vec<[String; 5]> = runs
        .iter()
        .map(|run| {
            let name = Meta::of(run).map_or(run.graph.to_string(), |meta| meta.name);
            let note = note(run, waiting.get(run.id.as_str()));
            [
                run.id.to_string(),
                run.state.to_string(),
                shown(&name).into_owned(),
                when(run.created),
                note,
            ]
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    out::write(&text)?;
    Ok(Exit::Done)
}

/// What runs ask, by run: in words.
fn asked_by(store: &impl Read) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut asked: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for promise in store.promises(&PromiseQuery::default()).map_err(Coded::from)? {
        let words = super::inbox::words(&promise);
        asked.entry(promise.run.to_string()).or_default().push(words);
    }
    Ok(asked)
}

/// What else there is to say of a run, in a few words.
fn note(run: &Run, asked: Option<&Vec<String>>) -> String {
    let summary: Json = serde_json::from_slice(&run.summary).unwrap_or_default();
    match (run.state, asked) {
        (RunState::Waiting, Some(asked)) => asked.join("; "),
        (RunState::Running, _) => "under way, or its process was ended: `kait resume`".into(),
        (RunState::Failed, _) => {
            let code = summary["code"].as_str().unwrap_or_default();
            let message = summary["message"].as_str().unwrap_or_default();
            shown(&format!("{code}: {message}")).into_owned()
        }
        _ => String::new(),
    }
}

/// A run as data.
fn document(run: &Run, asked: Option<&Vec<String>>) -> Json {
    let summary: Json = serde_json::from_slice(&run.summary).unwrap_or_default();
    let mut document = json!({
        "schema": report::SCHEMA,
        "run": run.id.as_str(),
        "graph": Meta::of(run).map_or(run.graph.to_string(), |meta| meta.name),
        "plan": run.program.to_string(),
        "state": run.state.word(),
        "started": time(run.created),
    });
    if let Some(ended) = run.ended {
        document["ended"] = time(ended).into();
    }
    if summary.get("code").is_some() {
        document["error"] = summary;
    }
    if let Some(asked) = asked {
        document["waits_for"] = json!(asked);
    }
    if let Some(parent) = &run.parent {
        document["from"] = parent.run().as_str().into();
    }
    document
}

fn time(nanos: i64) -> String {
    Timestamp::from_nanosecond(nanos.into()).unwrap_or_default().to_string()
}

/// A time as whoever looks at a list wants it.
fn when(nanos: i64) -> String {
    let at = Timestamp::from_nanosecond(nanos.into()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What a journal says, gone through again.
struct Gone {
    plan: Arc<Plan>,
    graph: GraphId,
    replayed: Replayed,
}

fn go_through(store: &impl Read, run: &Run) -> anyhow::Result<Gone> {
    let loaded = Arc::new(archive::program(store, run)?);
    let (journal, graph) = archive::journal(store, run)?;
    let plan = Arc::new(Plan::link(loaded, &Profile::default(), &ModelBinding::echo()));
    let log = RunLog::new(run.id.as_str().into(), 16);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let replayed = Driver::replayed(Arc::clone(&plan), graph, journal, log, true);
    match runtime.block_on(replayed) {
        Ok(replayed) => Ok(Gone { plan, graph, replayed }),
        Err(diverged) => {
            let place = diverged.path.map(|path| format!("\n   in {path}")).unwrap_or_default();
            let message =
                format!("run `{}` does not go the way it went: {}{place}", run.id, diverged.why);
            Err(Coded { code: "K9001", message }.into())
        }
    }
}

fn show(profile: &str, word: &str, as_json: bool) -> anyhow::Result<Exit> {
    let store = store(profile)?;
    let run = archive::find(&store, word)?;
    let asked = asked_by(&store)?;
    let asked = asked.get(run.id.as_str());
    let Gone { plan, graph, replayed } = go_through(&store, &run)?;
    let Replayed { steps, end } = replayed;
    let result = end.as_ref().and_then(|end| match &end.outcome {
        Outcome::Ok(value) => {
            let ty = plan.program().graphs.get(graph.index())?.result;
            Some(json::encode(plan.loaded.table(), ty, value))
        }
        Outcome::Failed(_) => None,
    });
    if as_json {
        let mut document = document(&run, asked);
        document["steps"] = steps.iter().map(step_json).collect();
        if let Some(end) = &end {
            document["usage"] = json!(RunUsage::from(&end.usage));
        }
        if let Some(result) = result {
            document["result"] = result;
        }
        out::line(&serde_json::to_string_pretty(&document)?)?;
        return Ok(Exit::Done);
    }
    let name = Meta::of(&run).map_or(run.graph.to_string(), |meta| meta.name);
    let mut text = format!("{}  {}  {}\n", run.id, run.state, shown(&name));
    let _ = writeln!(text, "began    {}", when(run.created));
    if let Some(ended) = run.ended {
        let _ = writeln!(text, "ended    {}  (after {})", when(ended), took(ended - run.created));
    }
    let note = note(&run, asked);
    if !note.is_empty() {
        let _ = writeln!(text, "         {note}");
    }
    if let Some(end) = &end
        && end.usage.calls > 0
    {
        let usage = RunUsage::from(&end.usage);
        let cost = usage.cost.map(|cost| format!(", {cost}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "models   {} calls, {} tokens read, {} written{cost}",
            usage.calls, usage.input_tokens, usage.output_tokens
        );
    }
    waterfall(&steps, run.created, run.ended, &mut text);
    if let Some(result) = result {
        let _ = writeln!(text, "\nresult   {}", short(&result));
    }
    out::write(&text)?;
    Ok(Exit::Done)
}

/// Every step on a scale of time, with what went in and what came out.
fn waterfall(steps: &[Step], began: i64, ended: Option<i64>, text: &mut String) {
    const WIDTH: i64 = 24;
    let last = steps.iter().filter_map(|step| step.ended).max();
    let whole = ended.or(last).unwrap_or(began).max(began + 1) - began;
    let column = |at: i64| ((at - began).clamp(0, whole) * (WIDTH - 1) / whole).max(0) as usize;
    for step in steps {
        let from = column(step.began);
        let to = step.ended.map_or(WIDTH as usize - 1, column).max(from);
        let bar: String =
            (0..WIDTH as usize).map(|at| if at < from || at > to { '·' } else { '█' }).collect();
        let lasted = match step.ended {
            Some(ended) => took(ended - step.began),
            None => "open".into(),
        };
        let _ = writeln!(text, "\n{bar} {lasted:>8}  {}  {}", shown(&step.path), what(&step.call));
        for (name, value) in inputs(&step.call) {
            let _ = writeln!(text, "    {name}: {}", short(&value));
        }
        match &step.outcome {
            Some(Ok(value)) => {
                let _ = writeln!(text, "    → {}", short(value));
            }
            Some(Err(failure)) => {
                let (code, message, _) = report::words(failure);
                let _ = writeln!(text, "    ✗ {code}: {}", shown(&message));
            }
            None if step.ended.is_some() => text.push_str("    nobody wanted it any more\n"),
            None => {}
        }
        if let Some(usage) = &step.usage {
            let usage = RunUsage::from(usage);
            let cost = usage.cost.map(|cost| format!(", {cost}")).unwrap_or_default();
            let _ = writeln!(
                text,
                "    {} tokens read, {} written{cost}",
                usage.input_tokens, usage.output_tokens
            );
        }
    }
}

fn what(call: &Called) -> String {
    match call {
        Called::Leaf { name, writes: true, .. } => format!("{name} (writes)"),
        Called::Leaf { name, .. } => name.to_string(),
        Called::Model { prompt, role, .. } => format!("{prompt} (model {role})"),
        Called::Person(about) => match about["to"].as_str() {
            Some(role) => format!("asks {}", shown(role)),
            None => "asks".into(),
        },
    }
}

fn inputs(call: &Called) -> Vec<(String, Json)> {
    match call {
        Called::Leaf { args, key, .. } => {
            let mut all: Vec<_> =
                args.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
            all.extend(key.iter().map(|key| ("key".to_owned(), key.clone())));
            all
        }
        Called::Model { messages, .. } => {
            messages.iter().map(|(role, text)| ((*role).to_owned(), text.clone())).collect()
        }
        Called::Person(about) => {
            let words = ["call", "question", "arguments", "items", "show"];
            let found = words.iter().filter_map(|word| Some((*word, about.get(*word)?)));
            found.map(|(word, value)| (word.to_owned(), value.clone())).collect()
        }
    }
}

fn step_json(step: &Step) -> Json {
    let mut document = json!({ "node": step.path.as_str(), "began": time(step.began) });
    match &step.call {
        Called::Leaf { name, writes, args, key } => {
            document["calls"] = name.as_str().into();
            document["writes"] = (*writes).into();
            document["arguments"] =
                args.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
            if let Some(key) = key {
                document["key"] = key.clone();
            }
        }
        Called::Model { prompt, role, messages } => {
            document["prompt"] = prompt.as_str().into();
            document["model"] = role.as_str().into();
            let messages =
                messages.iter().map(|(role, text)| json!({ "role": role, "content": text }));
            document["messages"] = messages.collect();
        }
        Called::Person(about) => document["asks"] = about.clone(),
    }
    if let Some(ended) = step.ended {
        document["ended"] = time(ended).into();
    }
    match &step.outcome {
        Some(Ok(value)) => document["result"] = value.clone(),
        Some(Err(failure)) => {
            document["failure"] = kait_runtime::segments::failure_json(failure);
        }
        None => {}
    }
    if let Some(usage) = &step.usage {
        document["usage"] = json!(RunUsage::from(usage));
    }
    document
}

/// A value on one line, cut where it is too long.
fn short(value: &Json) -> String {
    let text = match value {
        Json::String(text) => text.replace('\n', "⏎"),
        other => other.to_string(),
    };
    let text = shown(&text);
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{} …", &text[..at]),
        None => text.into_owned(),
    }
}

fn took(nanos: i64) -> String {
    let nanos = nanos.max(0);
    match nanos {
        0..1_000_000 => format!("{} µs", nanos / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", nanos / 1_000_000),
        1_000_000_000..120_000_000_000 => {
            format!("{}.{} s", nanos / 1_000_000_000, nanos / 100_000_000 % 10)
        }
        _ => {
            let minutes = nanos / 60_000_000_000;
            match minutes {
                0..120 => format!("{minutes} min"),
                120..2_880 => format!("{} h", minutes / 60),
                _ => format!("{} d", minutes / 1_440),
            }
        }
    }
}

/// Everything of a run as one JSON object.
fn export(profile: &str, word: &str, output: Option<&PathBuf>) -> anyhow::Result<Exit> {
    let store = store(profile)?;
    let run = archive::find(&store, word)?;
    let (journal, _) = archive::journal(&store, &run)?;
    let mut document = document(&run, None);
    let Gone { replayed, .. } = go_through(&store, &run)?;
    document["steps"] = replayed.steps.iter().map(step_json).collect();
    document["entries"] = journal.len().into();
    let text = serde_json::to_string_pretty(&document)?;
    match output {
        Some(path) => std::fs::write(path, text + "\n").map_err(|error| {
            let message = format!("cannot write `{}`: {error}", path.display());
            Coded { code: "K9060", message }
        })?,
        None => out::line(&text)?,
    }
    Ok(Exit::Done)
}

fn prune(profile: &str, days: u32) -> anyhow::Result<Exit> {
    let store = archive::open(profile)?;
    let day = 86_400_000_000_000;
    let now = i64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let before = now.saturating_sub(i64::from(days).saturating_mul(day));
    let pruned = store.prune(before).map_err(Coded::from)?;
    anstream::eprintln!(
        "removed {} runs that ended more than {days} days ago, with {} records",
        pruned.runs,
        pruned.records
    );
    Ok(Exit::Done)
}

/// `kait replay`: whether the record of a run leads where it led, with nothing of the world in reach.
pub fn replay(args: &ReplayArgs) -> anyhow::Result<Exit> {
    let store = store(args.profile.as_deref().unwrap_or("local"))?;
    let run = archive::find(&store, &args.run)?;
    let Gone { plan, graph, replayed } = go_through(&store, &run)?;
    let Replayed { steps, end } = replayed;
    let Some(end) = end else {
        anstream::eprintln!(
            "run `{}` has not ended: its {} steps so far lead where they led",
            run.id,
            steps.len()
        );
        return Ok(Exit::Done);
    };
    match &end.outcome {
        Outcome::Ok(value) => {
            let ty = plan.program().graphs.get(graph.index()).map(|graph| graph.result);
            let value =
                ty.map(|ty| json::encode(plan.loaded.table(), ty, value)).unwrap_or_default();
            match value {
                Json::String(text) => out::line(text.trim_end_matches('\n'))?,
                other => out::line(&serde_json::to_string_pretty(&other)?)?,
            }
        }
        Outcome::Failed(failure) => {
            let (code, message, _) = report::words(failure);
            anstream::eprintln!("it failed then as it does now: {code}: {}", shown(&message));
        }
    }
    anstream::eprintln!("run `{}`: {} steps, identical, nothing was called", run.id, steps.len());
    Ok(Exit::Done)
}
