//! `kait run`: a program from its text to its streamed answer.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use kait_connect::{Config, Connections, ModelBinding};
use kait_engine::event::Outcome;
use kait_engine::segment::{Segment, SegmentKind, SegmentOp};
use kait_engine::{Loaded, json};
use kait_ir::{Failure, Graph, GraphId};
use kait_runtime::driver::GrowingInput;
use kait_runtime::inputs::parse_json;
use kait_runtime::{
    InputError, Inputs, Plan, Profile, Run, RunEnd, RunLog, RunStart, Shared, report,
};
use rustc_hash::FxHashMap;
use serde_json::Value as Json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use crate::answer::{self, Answer, Mode, Style};
use crate::args::{JsonForm, RunArgs};
use crate::exit::{Coded, Exit};
use crate::grants::UserGrants;
use crate::{compile, failures, files, local_model, out};

/// Most bytes of an input file, and of text that comes in over a pipe.
const MAX_INPUT: u64 = 16 * 1024 * 1024;

/// Bodies of one `for` at once where the program says nothing.
const PARALLEL: u32 = 16;

/// Runs it.
pub fn run(args: &RunArgs) -> anyhow::Result<Exit> {
    let (file, graph) = files::split(&args.file);
    let Some(compiled) = compile::program(Path::new(file))? else { return Ok(Exit::Failed) };
    let loaded = Arc::new(compile::load(compiled.program.clone())?);
    let directory = Path::new(file).parent().unwrap_or(Path::new("."));
    let profile = match Profile::load(directory, args.profile.as_deref()) {
        Ok(profile) => profile,
        Err(error) => return Err(Coded { code: "K0902", message: error.to_string() }.into()),
    };
    let default = default_model(args, &loaded, &profile);
    let mut plan = Plan::link(loaded, &profile, &default);
    if args.offline {
        for binding in plan.roles.values_mut() {
            *binding = ModelBinding::echo();
        }
    }
    let graph = match plan.entry(graph) {
        Ok(graph) => graph,
        Err(names) => return no_graph(file, graph, &names),
    };
    if args.plan {
        out::write(&kait_ir::draw::plan(plan.program(), graph).to_string())?;
        return Ok(Exit::Done);
    }
    let mut growing = Vec::new();
    let given = match inputs(args, &plan.loaded, graph, &mut growing)? {
        Ok(given) => given,
        Err(errors) => return bad_inputs(file, &errors),
    };
    say_models(args, &plan, &default);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let exit = runtime.block_on(drive(args, Arc::new(plan), graph, given, growing, &compiled))?;
    // A reader of standard input may still wait for it; it has nothing left to do.
    runtime.shutdown_background();
    Ok(exit)
}

async fn drive(
    args: &RunArgs,
    plan: Arc<Plan>,
    graph: GraphId,
    given: Vec<kait_engine::event::Arg>,
    growing: Vec<(u32, UnboundedReceiver<GrowingInput>)>,
    compiled: &compile::Compiled,
) -> anyhow::Result<Exit> {
    let run = run_name();
    let log = RunLog::new(run.as_str().into(), kait_runtime::segments::RING_RECORDS);
    let mut reader = log.read();
    let cancel = CancellationToken::new();
    let models = plan.roles.iter().map(|(role, model)| (role.clone(), vec![model.clone()]));
    let config = Config {
        grants: Arc::new(UserGrants { offline: args.offline }),
        models: models.collect(),
        ..Config::default()
    };
    let start = RunStart {
        run: run.as_str().into(),
        graph,
        args: given,
        growing,
        traced: args.json == Some(JsonForm::Lines),
        parallel: PARALLEL,
    };
    let connections = Arc::new(Connections::new(config));
    let shared = Arc::new(Shared::default());
    let driven = tokio::spawn(Run::start(
        Arc::clone(&plan),
        connections,
        shared,
        start,
        Arc::clone(&log),
        cancel.clone(),
    ));
    let interrupts = tokio::spawn(interrupt(cancel));

    let terminal = std::io::stdout().is_terminal();
    let mode = match args.json {
        Some(JsonForm::Lines) => Mode::Lines,
        Some(JsonForm::Object) => Mode::Quiet,
        None if args.buffer => Mode::Quiet,
        None if terminal => Mode::Stream(Style::Readable),
        None => Mode::Stream(Style::Json),
    };
    let program = plan.program();
    let ty = program.graphs.get(graph.index()).map_or(kait_ir::TypeId(0), |g| g.result);
    let table = plan.loaded.shared_table();
    let mut answer = Answer::new(mode, &table, ty, terminal);
    let mut notices = Notices::default();
    let mut records = Vec::new();
    while reader.read(&mut records).await {
        answer.take(&records)?;
        if mode != Mode::Lines {
            notices.take(&records);
        }
        records.clear();
    }
    answer.end()?;
    let end = driven.await.context("the run's task ended in a fault of ours")?;
    interrupts.abort();
    finish(args, &plan, graph, &run, &end, answer.spoiled, compiled)
}

/// What is left to say when the run is over.
fn finish(
    args: &RunArgs,
    plan: &Plan,
    graph: GraphId,
    run: &str,
    end: &RunEnd,
    spoiled: bool,
    compiled: &compile::Compiled,
) -> anyhow::Result<Exit> {
    if args.json == Some(JsonForm::Object) {
        out::line(&report::run_json(run, plan, graph, end).to_string())?;
    } else if args.buffer
        && args.json.is_none()
        && let Outcome::Ok(value) = &end.outcome
        && let Some(decl) = plan.program().graphs.get(graph.index())
    {
        match json::encode(plan.loaded.table(), decl.result, value) {
            Json::String(text) => out::line(text.trim_end_matches('\n'))?,
            other => out::line(&serde_json::to_string_pretty(&other)?)?,
        }
    }
    match &end.outcome {
        Outcome::Failed(failure) => {
            failures::print(failure, end.failed_at.as_ref(), compiled);
            Ok(Exit::of(failure))
        }
        Outcome::Ok(_) if spoiled => {
            anstream::eprintln!(
                "error: the answer was made again after a part of it had been written, and it came out \
                 differently;\nwhat was written is not the answer. Run again with --buffer to get only what is final"
            );
            Ok(Exit::Failed)
        }
        Outcome::Ok(_) => Ok(Exit::Done),
    }
}

/// The first Ctrl-C cancels the run, which ends what it has begun; the second ends the process.
async fn interrupt(cancel: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        cancel.cancel();
        anstream::eprintln!("interrupted: ending the run (Ctrl-C again ends it at once)");
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(130);
    }
}

/// Status lines and cards, on stderr.
#[derive(Default)]
struct Notices {
    open: FxHashMap<u64, SegmentKind>,
}

impl Notices {
    fn take(&mut self, records: &[Arc<Segment>]) {
        for record in records {
            match &record.op {
                SegmentOp::Open {
                    kind: kind @ (SegmentKind::Status | SegmentKind::Card), ..
                } => {
                    self.open.insert(record.segment, *kind);
                }
                SegmentOp::Close { value } => {
                    if let Some(kind) = self.open.remove(&record.segment)
                        && let Some(text) = answer::notice(kind, value)
                    {
                        anstream::eprintln!("{text}");
                    }
                }
                _ => {}
            }
        }
    }
}

/// The model for roles that the profile does not bind: a local Ollama if it answers, else the built-in echo.
fn default_model(args: &RunArgs, loaded: &Loaded, profile: &Profile) -> ModelBinding {
    if args.offline || args.plan || !Plan::needs_default(loaded.program(), profile) {
        return ModelBinding::echo();
    }
    local_model::find().unwrap_or_else(ModelBinding::echo)
}

/// Says on stderr which roles the built-in model answers for, so that nobody takes its words for a model's.
fn say_models(args: &RunArgs, plan: &Plan, default: &ModelBinding) {
    if args.offline && !plan.roles.is_empty() {
        anstream::eprintln!(
            "offline: the built-in echo model answers; it only repeats what it is given"
        );
    } else if !plan.unbound.is_empty() {
        let roles = plan.unbound.join(", ");
        if default.provider == "echo" {
            anstream::eprintln!(
                "no model is bound to {roles}: the built-in echo model answers; it only repeats what it is given"
            );
        } else {
            anstream::eprintln!(
                "{roles}: {} at {}",
                default.model,
                default.base_url.as_deref().unwrap_or_default()
            );
        }
    }
}

fn no_graph(file: &str, wanted: Option<&str>, names: &[smol_str::SmolStr]) -> anyhow::Result<Exit> {
    match (wanted, names) {
        (_, []) => anstream::eprintln!(
            "error K9040: `{file}` has no `pub graph`, so there is nothing to run\n   = write `pub` before the graph that is to be run"
        ),
        (Some(wanted), names) => {
            anstream::eprintln!("error K9040: `{file}` has no public graph `{wanted}`");
            list_graphs(file, names);
        }
        (None, names) => {
            anstream::eprintln!(
                "error K9040: `{file}` has {} public graphs; say which one",
                names.len()
            );
            list_graphs(file, names);
        }
    }
    Ok(Exit::Usage)
}

fn list_graphs(file: &str, names: &[smol_str::SmolStr]) {
    for name in names {
        anstream::eprintln!("   kait run {file}:{name}");
    }
}

/// The arguments, from words, files, standard input and JSON.
fn inputs(
    args: &RunArgs,
    loaded: &Loaded,
    graph: GraphId,
    growing: &mut Vec<(u32, UnboundedReceiver<GrowingInput>)>,
) -> anyhow::Result<Result<Vec<kait_engine::event::Arg>, Vec<InputError>>> {
    let mut inputs = Inputs::new(loaded, graph);
    if let Some(path) = &args.input {
        let text = if path == Path::new("-") { read_stdin()? } else { files::read_text(path)? };
        match parse_json(text.as_bytes()) {
            Ok(json) => inputs.give_object(&json),
            Err(error) => return Ok(Err(vec![error])),
        }
    }
    for word in &args.inputs {
        let Some((name, value)) = word.split_once('=') else {
            return Err(input(format!(
                "`{word}` is no input: write `name={word}`, or `name=@{word}` for the text of a file"
            )));
        };
        if let Some(name) = name.strip_suffix(':') {
            match serde_json::from_str(value) {
                Ok(json) => inputs.give_json(name, &json),
                Err(error) => {
                    inputs.give_nothing(name, format!("`{value}` is not valid JSON: {error}"))
                }
            }
        } else if value == "@-" && inputs.is_text(name) {
            if let Some(param) = inputs.give_growing(name) {
                let (sender, pieces) = unbounded_channel();
                std::thread::spawn(move || pump_stdin(&sender));
                growing.push((param, pieces));
            }
        } else if value == "@-" {
            let text = read_stdin()?;
            inputs.give_text(name, &text);
        } else if let Some(path) = value.strip_prefix('@') {
            match files::read_text(&PathBuf::from(path)) {
                Ok(text) => inputs.give_text(name, &text),
                Err(error) => inputs.give_nothing(name, format!("{error:#}")),
            }
        } else {
            inputs.give_text(name, value);
        }
    }
    if !args.no_input && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        ask_missing(&mut inputs, loaded)?;
    }
    Ok(inputs.finish())
}

/// On a terminal, missing parameters are asked for.
fn ask_missing(inputs: &mut Inputs<'_>, loaded: &Loaded) -> anyhow::Result<()> {
    for param in inputs.missing() {
        let ty = kait_runtime::inputs::describe(loaded.table(), param.ty);
        let docs = param.docs.lines().next().unwrap_or_default();
        if !docs.is_empty() {
            anstream::eprintln!("{docs}");
        }
        anstream::eprint!("{} ({ty}): ", param.name);
        let mut line = String::new();
        if std::io::stdin().read_line(&mut line)? == 0 {
            break;
        }
        inputs.give_text(&param.name, line.trim_end_matches(['\n', '\r']));
    }
    Ok(())
}

fn input(message: String) -> anyhow::Error {
    Coded { code: "K9041", message }.into()
}

fn read_stdin() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(MAX_INPUT + 1)
        .read_to_end(&mut bytes)
        .context("cannot read standard input")?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(input(format!("standard input is longer than {MAX_INPUT} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow::anyhow!(
            "standard input is not UTF-8 text: the byte at offset {at} is no part of a character"
        )
    })
}

/// Passes standard input on as it arrives, cut only between characters.
fn pump_stdin(sender: &UnboundedSender<GrowingInput>) {
    let mut stdin = std::io::stdin().lock();
    let mut buffer = [0u8; 8 * 1024];
    let mut rest: Vec<u8> = Vec::new();
    let mut total = 0u64;
    let fail = |why: String| {
        let _ = sender.send(GrowingInput::Failed(Failure::invalid("", why)));
    };
    loop {
        let count = match stdin.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return fail(format!("standard input cannot be read: {error}")),
        };
        total += count as u64;
        if total > MAX_INPUT {
            let _ = sender.send(GrowingInput::Failed(Failure::Budget { kind: "bytes".into() }));
            return;
        }
        rest.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let valid = match std::str::from_utf8(&rest) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return fail("standard input is not UTF-8 text".into()),
        };
        let tail = rest.split_off(valid);
        let text = String::from_utf8(std::mem::replace(&mut rest, tail)).unwrap_or_default();
        if !text.is_empty() && sender.send(GrowingInput::Text(text)).is_err() {
            return;
        }
    }
    if !rest.is_empty() {
        fail("standard input ends in the middle of a character".into());
    }
}

fn bad_inputs(file: &str, errors: &[InputError]) -> anyhow::Result<Exit> {
    for error in errors {
        anstream::eprintln!("error K9041: {error}");
        if let Some(help) = error.help() {
            anstream::eprintln!("   = {help}");
        }
    }
    anstream::eprintln!(
        "`kait run {file} --help` lists the parameters; `kait explain K9041` says how to write them"
    );
    Ok(Exit::Usage)
}

/// For `kait run FILE --help`: the parameters of the program's graphs.
pub fn print_parameters(word: &str) {
    let (file, wanted) = files::split(word);
    let Ok(Some(compiled)) = compile::program(Path::new(file)) else { return };
    let Ok(loaded) = compile::load(compiled.program) else { return };
    let mut text = String::new();
    for graph in loaded.program().graphs.iter().filter(|g| g.public) {
        if wanted.is_none_or(|wanted| graph.name == wanted) {
            describe_graph(file, graph, &loaded, &mut text);
        }
    }
    // Help is the last thing that is written: nobody is left to hear of a closed pipe.
    let _ = out::write(&text);
}

fn describe_graph(file: &str, graph: &Graph, loaded: &Loaded, text: &mut String) {
    let table = loaded.table();
    let result = kait_runtime::inputs::describe(table, graph.result);
    let _ = writeln!(text, "\n{file}:{} gives {result}", graph.name);
    for line in graph.docs.lines() {
        let _ = writeln!(text, "  {line}");
    }
    for param in &graph.params {
        let ty = kait_runtime::inputs::describe(table, param.ty);
        let default = param.default.and_then(|default| loaded.constant(default).ok());
        let default = default.map(|value| format!(" = {}", json::encode(table, param.ty, &value)));
        let _ = writeln!(text, "  {}: {ty}{}", param.name, default.unwrap_or_default());
        for line in param.docs.lines() {
            let _ = writeln!(text, "      {line}");
        }
    }
}

/// A name for the run: `r_` and time-ordered letters.
fn run_name() -> String {
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
