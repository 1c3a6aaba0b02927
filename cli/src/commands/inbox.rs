//! `kait inbox`: what runs wait for from people, and the answers.
//!
//! An answer is checked against what is asked before it is taken, and it counts as soon as it is durable, whether the run is
//! under way or not. The first one counts.

use std::sync::Arc;

use kait_engine::event::{Command, Promise as Asked};
use kait_engine::journal::Entry;
use kait_engine::{Loaded, Machine, State};
use kait_ir::Failure;
use kait_store::{Answer, Batch, Promise, PromiseQuery, Read, Refused, Store as _, StoreError};
use serde_json::{Map, Value as Json, json};

use crate::answer::shown;
use crate::archive;
use crate::args::{InboxArgs, InboxCommand};
use crate::exit::{Coded, Exit};
use crate::{asking, out};

/// Does it.
pub fn run(args: &InboxArgs) -> anyhow::Result<Exit> {
    let profile = args.profile.as_deref().unwrap_or("local");
    match &args.command {
        None | Some(InboxCommand::List) => list(profile, args.json),
        Some(InboxCommand::Show { question }) => show(profile, question, args.json),
        Some(InboxCommand::Approve { question, edit }) => {
            let mut edits = Map::new();
            for edit in edit {
                let (name, value) = edited(edit)?;
                edits.insert(name, value);
            }
            let mut given = json!({ "decision": "approve" });
            if !edits.is_empty() {
                given["edit"] = Json::Object(edits);
            }
            answer(profile, question, &given)
        }
        Some(InboxCommand::Reject { question, why }) => {
            answer(profile, question, &json!({ "decision": "deny", "why": why }))
        }
        Some(InboxCommand::Answer { question, answer: given }) => {
            // A word that is no JSON is a text.
            let given = serde_json::from_str(given).unwrap_or_else(|_| json!(given));
            answer(profile, question, &json!({ "answer": given }))
        }
    }
}

fn edited(edit: &str) -> anyhow::Result<(String, Json)> {
    let parted = edit.split_once(":=").map(|(name, value)| {
        (
            name,
            serde_json::from_str(value).map_err(|error| format!("`{value}` is not JSON: {error}")),
        )
    });
    let parted =
        parted.or_else(|| edit.split_once('=').map(|(name, text)| (name, Ok(json!(text)))));
    match parted {
        Some((name, Ok(value))) => Ok((name.to_owned(), value)),
        Some((_, Err(message))) => Err(Coded { code: "K9041", message }.into()),
        None => {
            let message = format!("`{edit}`: write `name=text` or `name:=json`");
            Err(Coded { code: "K9041", message }.into())
        }
    }
}

/// What is asked, in a line.
pub fn words(promise: &Promise) -> String {
    let about = about(promise);
    let to = about["to"].as_str().map(|to| format!(" ({})", shown(to))).unwrap_or_default();
    match about["asks"].as_str() {
        Some("approval") => {
            format!("may `{}` be called?{to}", shown(about["call"].as_str().unwrap_or_default()))
        }
        _ => format!("{}{to}", shown(about["question"].as_str().unwrap_or("which of these?"))),
    }
}

fn about(promise: &Promise) -> Json {
    serde_json::from_slice(&promise.question.shown).unwrap_or_default()
}

fn open(store: &impl Read) -> anyhow::Result<Vec<Promise>> {
    Ok(store.promises(&PromiseQuery::default()).map_err(Coded::from)?)
}

fn list(profile: &str, as_json: bool) -> anyhow::Result<Exit> {
    let open = match archive::read(profile)? {
        Some(store) => open(&store)?,
        None => Vec::new(),
    };
    if as_json {
        let all: Vec<_> = open.iter().map(document).collect();
        out::line(&serde_json::to_string_pretty(&all)?)?;
        return Ok(Exit::Done);
    }
    if open.is_empty() {
        anstream::eprintln!("nobody is asked anything");
    }
    for promise in &open {
        let due = about(promise)["due"].as_str().map(|due| format!(", until {due}"));
        out::line(&format!(
            "{}  {}  {}{}",
            promise.number,
            promise.run,
            words(promise),
            due.unwrap_or_default()
        ))?;
    }
    Ok(Exit::Done)
}

fn document(promise: &Promise) -> Json {
    let mut document = about(promise);
    document["question_id"] = promise.number.into();
    document["run"] = promise.run.as_str().into();
    document["node"] = promise.question.key.as_str().into();
    document
}

/// The question that a word names: its number, or the run that asks if it asks one thing.
fn find(store: &impl Read, word: &str) -> anyhow::Result<Promise> {
    let open = open(store)?;
    let numbered = word.parse().ok();
    let named =
        |promise: &&Promise| numbered == Some(promise.number) || promise.run.as_str() == word;
    let found: Vec<_> = open.iter().filter(named).collect();
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let message = format!(
                "nothing that is open is called `{word}`\n   = `kait inbox` lists what is asked"
            );
            Err(Coded { code: "K9065", message }.into())
        }
        several => {
            let message = format!(
                "run `{word}` asks {} things: name one by its number in `kait inbox`",
                several.len()
            );
            Err(Coded { code: "K9065", message }.into())
        }
    }
}

fn show(profile: &str, word: &str, as_json: bool) -> anyhow::Result<Exit> {
    let Some(store) = archive::read(profile)? else {
        return Err(archive::no_run(word).into());
    };
    let promise = find(&store, word)?;
    if as_json {
        out::line(&serde_json::to_string_pretty(&document(&promise))?)?;
        return Ok(Exit::Done);
    }
    let mut text = Vec::new();
    asking::describe(&about(&promise), &mut text)?;
    out::write(String::from_utf8_lossy(&text).trim_start_matches('\n'))?;
    out::line(&format!("asked by {} in {}", promise.run, promise.question.key))?;
    Ok(Exit::Done)
}

fn answer(profile: &str, word: &str, given: &Json) -> anyhow::Result<Exit> {
    let store = archive::open(profile)?;
    let promise = find(&*store, word)?;
    check(&*store, &promise, given)?;
    let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
    let by = asking::person();
    let answer = Answer { by: by.as_str().into(), at: now, value: given.to_string().into_bytes() };
    let mut batch = Batch::new();
    batch.answer(&promise.run, promise.question.key.clone(), answer);
    match store.commit(batch).wait() {
        Ok(()) => {
            match store.holder(&promise.run).map_err(Coded::from)? {
                Some(_) => anstream::eprintln!("recorded: run {} goes on", promise.run),
                None => {
                    anstream::eprintln!(
                        "recorded. `kait resume {}` goes on with the run",
                        promise.run
                    );
                }
            }
            Ok(Exit::Done)
        }
        Err(StoreError::Refused(Refused::Answered { answer, .. })) => {
            let message = format!("{} has answered this already", answer.by);
            Err(Coded { code: "K9065", message }.into())
        }
        Err(error) => Err(Coded::from(error).into()),
    }
}

/// Whether the answer is one: goes through the run's journal to the question, and reads the answer by its type.
fn check(store: &impl Read, promise: &Promise, given: &Json) -> anyhow::Result<()> {
    let Some(run) = store.run(&promise.run).map_err(Coded::from)? else {
        return Err(archive::no_run(promise.run.as_str()).into());
    };
    let loaded = Arc::new(archive::program(store, &run)?);
    let (journal, _) = archive::journal(store, &run)?;
    let Some(asked) = asked(&loaded, journal, &promise.question.key) else {
        let message = format!("run `{}` does not ask this any more", run.id);
        return Err(Coded { code: "K9065", message }.into());
    };
    match asked.read_answer(loaded.table(), &asking::person(), given) {
        Ok(_) => Ok(()),
        Err(failure) => {
            let message = match &failure {
                Failure::Invalid { path, why } if path.is_empty() => why.to_string(),
                Failure::Invalid { path, why } => format!("`{path}`: {why}"),
                other => kait_runtime::report::words(other).1,
            };
            Err(Coded { code: "K9041", message: format!("this is not an answer: {message}") }
                .into())
        }
    }
}

/// What the node of that path asks, by the record.
fn asked(loaded: &Arc<Loaded>, journal: Vec<Entry>, path: &str) -> Option<Asked> {
    let machine = Machine::new(Arc::clone(loaded));
    let mut state = State::default();
    let mut commands = Vec::new();
    let mut found = None;
    for entry in journal {
        let Entry::Happened { at, event, .. } = entry else { continue };
        machine.on(&mut state, at, event, &mut commands);
        for command in commands.drain(..) {
            if let Command::Promise { effect, promise, .. } = command
                && machine.path(&state, effect).as_deref() == Some(path)
            {
                found = Some(*promise);
            }
        }
    }
    found
}
