//! `kait run`: a program from its text to its streamed answer.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kait_compiler::Compilation;
use kait_compiler::diagnostics::Code;
use kait_compiler::diagnostics::render::{json as diagnostics, terminal};
use kait_compiler::hir::DefId;
use kait_connect::{All, Config, Connections, Grants, ModelBinding};
use kait_engine::{Loaded, json};
use kait_ir::Graph;
use kait_runtime::{InputError, Plan, Profile, report};
use serde_json::{Value as Json, json};
use smol_str::SmolStr;

use super::plan::Planned;
use crate::archive::{self, Meta};
use crate::args::RunArgs;
use crate::driving::{self, Started, View};
use crate::exit::{Coded, Exit};
use crate::grants::UserGrants;
use crate::{compile, compiled as built, files, given, local_model, out};

/// Runs it.
pub fn run(args: &RunArgs) -> anyhow::Result<Exit> {
    let done = begin(args);
    if let Err(error) = &done
        && let Some(coded) = error.chain().find_map(|cause| cause.downcast_ref::<Coded>())
    {
        refuse(args, json!({ "code": coded.code, "message": format!("{error:#}") }))?;
    }
    done
}

/// For programs that read what is printed: why there was no run.
fn refuse(args: &RunArgs, error: Json) -> anyhow::Result<()> {
    match args.json {
        Some(_) => out::line(
            &json!({ "schema": report::SCHEMA, "state": "refused", "error": error }).to_string(),
        ),
        None => Ok(()),
    }
}

/// What the table says of the code, with what belongs to it.
fn coded(code: Code, key: &str, what: Json) -> Json {
    let info = code.info();
    json!({ "code": info.code, "message": info.title, key: what })
}

/// The graph that is meant, of a program that has no errors but that this version does not run it.
fn only_checked(compiled: &Compilation, wanted: Option<&str>) -> Option<DefId> {
    let mut errors = compiled.diagnostics.iter().filter(|finding| finding.is_error());
    let later = Code::NotSupported.as_str();
    errors.all(|finding| finding.code == later).then(|| compile::meant(compiled, wanted))?
}

/// Whether what is private leaves a program without approval, which a strict profile refuses; that is said.
fn leaks(args: &RunArgs, text: &Compilation) -> anyhow::Result<bool> {
    let found = kait_compiler::labels::check_private(text);
    let Some(first) = found.first() else { return Ok(false) };
    let shown = diagnostics::render(&found, &text.files);
    let report: Json = serde_json::from_str(&shown)?;
    let mut error = json!({ "diagnostics": report["diagnostics"] });
    error["code"] = json!(first.code);
    error["message"] = json!(first.message);
    anstream::eprintln!("{}", terminal::render(&found, &text.files, compile::style()));
    refuse(args, error)?;
    Ok(true)
}

fn begin(args: &RunArgs) -> anyhow::Result<Exit> {
    let (file, graph) = files::split(&args.file);
    let compiled = match compile::program(Path::new(file), graph)? {
        Ok(compiled) => compiled,
        Err(checked) => {
            let found = &checked.compilation.diagnostics;
            if args.plan
                && let Some(def) = only_checked(&checked.compilation, graph)
            {
                let directory = Path::new(file).parent().unwrap_or(Path::new("."));
                let profile =
                    Profile::load(directory, args.profile.as_deref()).map_err(Coded::from)?;
                let compiled = &checked.compilation;
                let planned = Planned { compiled, def, profile: &profile, runs: None };
                planned.print(args.json.is_some())?;
                return Ok(Exit::Failed);
            }
            let shown = diagnostics::render(found, &checked.compilation.files);
            let report: Json = serde_json::from_str(&shown)?;
            let mut error = json!({ "diagnostics": report["diagnostics"] });
            if let Some(first) = found.iter().find(|finding| finding.is_error()) {
                error["code"] = json!(first.code);
                error["message"] = json!(first.message);
            }
            refuse(args, error)?;
            return Ok(Exit::Failed);
        }
    };
    let loaded = Arc::new(compile::load(compiled.program.clone())?);
    let directory = Path::new(file).parent().unwrap_or(Path::new("."));
    let profile = Profile::load(directory, args.profile.as_deref()).map_err(Coded::from)?;
    if let Some(text) = compiled.compilation().filter(|_| profile.strict)
        && leaks(args, text)?
    {
        return Ok(Exit::Failed);
    }
    let entry = match compiled.ambiguous(graph) {
        Some(names) => Err(names),
        None => Plan::entry(loaded.program(), graph),
    };
    let graph = match entry {
        Ok(graph) => graph,
        Err(names) => {
            refuse(args, coded(Code::NoSuchGraph, "graphs", json!(names)))?;
            return no_graph(file, graph, &names);
        }
    };
    if built::is_compiled(Path::new(file)) {
        built::runs(Path::new(file), loaded.program(), graph)?;
    }
    // Offline nothing counts as bound.
    let bound = if args.offline { &Profile::default() } else { &profile };
    let open = Plan::open_roles(loaded.program(), graph, bound);
    let default = default_model(args.offline || args.plan, &open);
    let plan = link(loaded, &profile, &default, args.offline);
    if args.plan {
        let name = plan.program().graphs.get(graph.index()).map(|graph| graph.name.as_str());
        let text = compiled.compilation();
        match text.and_then(|text| Some((text, compile::meant(text, name)?))) {
            Some((compiled, def)) => {
                let runs = Some((&plan, graph));
                let planned = Planned { compiled, def, profile: &profile, runs };
                planned.print(args.json.is_some())?;
            }
            // Of a program that was built, only its steps are known.
            None => out::write(&kait_ir::draw::plan(plan.program(), graph).to_string())?,
        }
        return Ok(Exit::Done);
    }
    let mut growing = Vec::new();
    let given = match given::inputs(args, &plan.loaded, graph, &mut growing)? {
        Ok(given) => given,
        Err(errors) => {
            let inputs = errors.iter().map(|error| {
                json!({ "parameter": error.parameter(), "path": error.path(), "message": error.to_string() })
            });
            refuse(args, coded(Code::BadInput, "inputs", inputs.collect()))?;
            return bad_inputs(file, &errors);
        }
    };
    if let Some(words) = models_words(args.offline, &open, &default) {
        anstream::eprintln!("{words}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let grants =
        All(vec![Arc::new(UserGrants { offline: args.offline }), Arc::new(profile.grants.clone())]);
    let connections = connections(&plan, &profile, Arc::new(grants), PathBuf::from("."));
    let hosted = files::hosted_name(Path::new(file), Path::new(file));
    let named = plan.program().graphs.get(graph.index()).map(|g| g.name.clone());
    let named = named.unwrap_or_default();
    let run = driving::run_name();
    // As `kait serve` calls it.
    let name = format!("{hosted}.{named}");
    let recorder = match args.no_record {
        true => None,
        false => {
            let directory = std::env::current_dir()?;
            let meta = Meta { name: name.clone(), directory, offline: args.offline };
            Some(archive::begin(&profile.name, &run, plan.program(), &named, &meta)?)
        }
    };
    let started = Started {
        run,
        name,
        plan: Arc::new(plan),
        connections,
        graph,
        given,
        growing,
        recorder,
        journal: Vec::new(),
        cancelled: false,
    };
    let view = View { json: args.json, buffer: args.buffer, no_input: args.no_input };
    let exit = runtime.block_on(driving::drive(view, started, &compiled))?;
    // A reader of standard input may still wait for it; it has nothing left to do.
    runtime.shutdown_background();
    Ok(exit)
}

/// A program with the models that answer for it.
pub fn link(loaded: Arc<Loaded>, profile: &Profile, default: &ModelBinding, offline: bool) -> Plan {
    let mut plan = Plan::link(loaded, profile, default);
    if offline {
        for binding in plan.roles.values_mut() {
            *binding = ModelBinding::echo();
        }
    }
    plan
}

/// A plan's way to the world; relative paths begin at `root`.
pub fn connections(
    plan: &Plan,
    profile: &Profile,
    grants: Arc<dyn Grants>,
    root: PathBuf,
) -> Arc<Connections> {
    let models = plan.roles.iter().map(|(role, model)| (role.clone(), vec![model.clone()]));
    let secrets = profile.secrets.clone();
    let database = profile.database_file();
    let models = models.collect();
    let config = Config { root, grants, models, secrets, database, ..Config::default() };
    Arc::new(Connections::new(config))
}

/// The model for roles that the profile does not bind: a local Ollama if it answers, else the built-in echo.
pub fn default_model(alone: bool, open: &[SmolStr]) -> ModelBinding {
    if alone || open.is_empty() {
        return ModelBinding::echo();
    }
    local_model::find().unwrap_or_else(ModelBinding::echo)
}

/// Who answers for roles that the profile leaves open, so that nobody takes the built-in model's words for a model's.
pub fn models_words(offline: bool, open: &[SmolStr], default: &ModelBinding) -> Option<String> {
    if open.is_empty() {
        return None;
    }
    let roles = open.join(", ");
    let echo = "the built-in echo model answers";
    let only = "it only repeats what it is given";
    Some(match &default.base_url {
        _ if offline => format!("offline: {echo} for {roles}; {only}"),
        Some(address) if default.provider != "echo" => {
            format!("{roles}: {} at {address}", default.model)
        }
        _ => format!("no model is bound to {roles}: {echo}; {only}"),
    })
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
    let Ok(Ok(compiled)) = compile::program(Path::new(file), wanted) else { return };
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
