//! What is hosted: the public graphs of the files, as they are at this moment.
//!
//! A [`Snapshot`] never changes; a reload puts another one in its place, and runs in flight keep the plan that they
//! began with. A file that has errors keeps the last version that had none. This module never opens a file: a
//! [`Programs`] does.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use bytes::Bytes;
use http::StatusCode;
use indexmap::IndexMap;
use kait_compiler::diagnostics::Code;
use kait_compiler::sources::Files;
use kait_engine::{json, render};
use kait_ir::program::Graph;
use kait_ir::{GraphId, Type};
use kait_runtime::inputs::is_required;
use kait_runtime::{Connections, Plan};
use rustc_hash::FxHashMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use smol_str::SmolStr;

use crate::instructions::is_message;
use crate::problem::Problem;

/// Reads and compiles the files that are hosted.
pub trait Programs: Send + Sync {
    /// Every file, as it is now.
    fn load(&self) -> Vec<Source>;
}

/// One file as it was found.
#[derive(Clone)]
pub struct Source {
    /// Its path, as findings show it.
    pub path: SmolStr,
    /// The name that it is hosted by, before those of its graphs: `support`, `a.b`.
    pub module: SmolStr,
    /// The names of its public graphs, also of those with errors.
    pub graphs: Vec<SmolStr>,
    /// What the compiler found, as `kait check --json` prints it.
    pub findings: Vec<Json>,
    /// The program, unless the file has errors.
    pub program: Option<Program>,
}

/// A program that can run, with its way to the world. Cheap to clone.
#[derive(Clone)]
pub struct Program {
    /// The plan: compiled once, shared by all runs.
    pub plan: Arc<Plan>,
    /// What its leaves use.
    pub connections: Arc<Connections>,
    /// Where its nodes stand.
    pub files: Arc<Files>,
    /// By the name of a graph: its parameters that must be trusted, which nobody may give who may not vouch for them.
    pub vouched: Arc<FxHashMap<SmolStr, Vec<SmolStr>>>,
    /// By the name of a graph: how often it asks models at most, in words, as far as that is known.
    pub bounds: Arc<FxHashMap<SmolStr, String>>,
}

/// The state of a hosted file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// What is hosted is what is in the file.
    Current,
    /// The file has errors; the last version without errors is hosted.
    Stale,
    /// The file has errors, and no earlier version is known: none of its graphs can run.
    Broken,
}

/// A hosted file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HostedFile {
    /// Its path.
    pub path: String,
    /// The name before those of its graphs: its path below the hosted directory, with dots.
    pub module: String,
    /// How it stands.
    pub state: FileState,
    /// The hash of the plan that is hosted.
    pub plan: Option<String>,
    /// What the compiler found in the file as it is now, as `kait check --json` prints it.
    pub diagnostics: Vec<Json>,
    #[serde(skip)]
    graphs: Vec<SmolStr>,
    #[serde(skip)]
    #[schemars(skip)]
    program: Option<ProgramSlot>,
}

/// A program without a `Debug` of its megabytes.
#[derive(Clone)]
struct ProgramSlot(Program);

impl std::fmt::Debug for ProgramSlot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Program")
    }
}

/// A graph that can be run.
pub struct Hosted {
    /// Its name: module and graph, `support.triage`.
    pub name: SmolStr,
    /// The file that it is in.
    pub file: SmolStr,
    /// Which graph of the program.
    pub graph: GraphId,
    /// The program.
    pub program: Program,
    /// The plan's hash.
    pub hash: SmolStr,
    /// How a chat is given to it, if it is of text to text.
    pub chat: Option<Chat>,
    about: OnceLock<GraphDocument>,
}

/// Which parameter of a graph takes a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chat {
    /// A text: the user's last message.
    Text(SmolStr),
    /// A list of messages: the whole conversation.
    Messages(SmolStr),
}

/// A graph in the list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GraphSummary {
    /// Its name: module and graph. The graph's name alone serves, too, where it is the only one.
    pub name: String,
    /// The file that it is in.
    pub file: String,
    /// The first line of its documentation.
    pub docs: String,
    /// Its head, as the program writes it, with the values of its defaults.
    pub signature: String,
    /// The hash of its plan.
    pub plan: String,
    /// Whether it is a model of the OpenAI-compatible door.
    pub chat: bool,
}

/// All that is known of a graph before it runs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GraphDocument {
    /// Its name: module and graph.
    pub name: String,
    /// The file that it is in.
    pub file: String,
    /// Its documentation.
    pub docs: String,
    /// Its head, as the program writes it, with the values of its defaults.
    pub signature: String,
    /// The hash of its plan.
    pub plan: String,
    /// Whether it is a model of the OpenAI-compatible door.
    pub chat: bool,
    /// JSON Schema (2020-12) of the object that a run takes.
    pub input: Json,
    /// JSON Schema (2020-12) of the result.
    pub output: Json,
    /// What a run may do to the world.
    pub effects: Vec<String>,
    /// The model roles that it asks.
    pub models: Vec<String>,
    /// How often models are asked at most, in words; a program that was built into a file does not say it.
    pub bound: Option<String>,
    /// Budgets of its header, as written.
    pub budgets: Vec<String>,
    /// Its parameters that must be trusted: giving one needs a token that may vouch.
    pub vouched: Vec<String>,
}

impl Hosted {
    fn decl(&self) -> Option<&Graph> {
        self.program.plan.program().graphs.get(self.graph.index())
    }

    /// All that is known of it; made when it is first asked for.
    pub fn about(&self) -> &GraphDocument {
        self.about.get_or_init(|| {
            let program = self.program.plan.program();
            let steps = kait_ir::draw::plan(program, self.graph);
            GraphDocument {
                name: self.name.to_string(),
                file: self.file.to_string(),
                docs: self.decl().map(|graph| graph.docs.to_string()).unwrap_or_default(),
                signature: self.signature(),
                plan: self.hash.to_string(),
                chat: self.chat.is_some(),
                input: self.input_schema(),
                output: self.output_schema(),
                effects: steps.effects,
                models: steps.models,
                bound: self.bound(),
                budgets: steps.budgets,
                vouched: self.vouched().iter().map(ToString::to_string).collect(),
            }
        })
    }

    fn bound(&self) -> Option<String> {
        let name = self.decl().map(|graph| &graph.name)?;
        self.program.bounds.get(name).cloned()
    }

    /// Its parameters that must be trusted.
    pub fn vouched(&self) -> &[SmolStr] {
        let name = self.decl().map(|graph| &graph.name);
        name.and_then(|name| self.program.vouched.get(name)).map_or(&[], Vec::as_slice)
    }

    fn signature(&self) -> String {
        let loaded = &self.program.plan.loaded;
        let (Some(graph), program) = (self.decl(), loaded.program()) else { return String::new() };
        let params = graph.params.iter().map(|param| {
            let default = match param.default.map(|default| loaded.constant(default)) {
                Some(Ok(value)) => {
                    format!(" = {}", render::shown(loaded.table(), param.ty, &value))
                }
                _ => String::new(),
            };
            format!("{}: {}{default}", param.name, program.type_text(param.ty))
        });
        let params: Vec<_> = params.collect();
        format!("{}({}) -> {}", graph.name, params.join(", "), program.type_text(graph.result))
    }

    fn summary(&self) -> GraphSummary {
        let about = self.about();
        GraphSummary {
            name: about.name.clone(),
            file: about.file.clone(),
            docs: about.docs.lines().next().unwrap_or_default().to_owned(),
            signature: about.signature.clone(),
            plan: about.plan.clone(),
            chat: about.chat,
        }
    }

    /// The object of its parameters. Keys that no parameter has are refused, so it is closed.
    fn input_schema(&self) -> Json {
        let loaded = &self.program.plan.loaded;
        let (mut properties, mut required, mut defs) = (Map::new(), Vec::new(), Map::new());
        for param in self.decl().map(|graph| graph.params.as_slice()).unwrap_or_default() {
            let mut schema = json::input_schema(loaded.table(), param.ty);
            if let Json::Object(schema) = &mut schema {
                if let Some(Json::Object(inner)) = schema.remove("$defs") {
                    defs.extend(inner);
                }
                if !param.docs.is_empty() {
                    // What the value's form and bounds are stays behind it.
                    let told = schema.get("description").and_then(Json::as_str);
                    let docs = told.map_or_else(
                        || param.docs.to_string(),
                        |told| format!("{}\n{told}", param.docs),
                    );
                    schema.insert("description".into(), docs.into());
                }
                match param.default.map(|default| loaded.constant(default)) {
                    Some(Ok(value)) => {
                        let value = json::encode(loaded.table(), param.ty, &value);
                        schema.insert("default".into(), value);
                    }
                    Some(Err(_)) => {}
                    None if is_required(loaded.table(), param) => {
                        required.push(json!(param.name.as_str()));
                    }
                    None => {}
                }
            }
            properties.insert(param.name.to_string(), schema);
        }
        let mut schema = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        if !defs.is_empty() {
            schema["$defs"] = Json::Object(defs);
        }
        schema
    }

    fn output_schema(&self) -> Json {
        let table = self.program.plan.loaded.table();
        self.decl().map_or(Json::Null, |graph| json::output_schema(table, graph.result))
    }
}

/// How a chat is given to a graph: its result is text, and one parameter takes the conversation (`[Message]`) or its
/// last message (a text). That is the only one without a default, or the only one at all.
fn chat_of(plan: &Plan, graph: &Graph) -> Option<Chat> {
    let types = plan.loaded.table().types();
    if *types.base(graph.result) != Type::Text {
        return None;
    }
    let is_messages = |ty| {
        let Type::List(item) = types.base(ty) else { return false };
        let Type::Enum(choice) = types.base(*item) else { return false };
        is_message(choice)
    };
    let mut required = graph.params.iter().filter(|param| is_required(plan.loaded.table(), param));
    let param = match (required.next(), required.next(), graph.params.as_slice()) {
        (Some(param), None, _) | (None, None, [param]) => param,
        _ => return None,
    };
    if is_messages(param.ty) {
        Some(Chat::Messages(param.name.clone()))
    } else if *types.base(param.ty) == Type::Text {
        Some(Chat::Text(param.name.clone()))
    } else {
        None
    }
}

/// Everything that is hosted at one moment.
#[derive(Default)]
pub struct Snapshot {
    files: Vec<HostedFile>,
    graphs: IndexMap<SmolStr, Arc<Hosted>>,
    /// The description of the HTTP interface; made when it is first asked for.
    pub(crate) openapi: OnceLock<Bytes>,
}

impl Snapshot {
    /// The next snapshot: what was found now, and the last good version of what has errors.
    fn next(&self, mut found: Vec<Source>) -> Self {
        let mut next = Self::default();
        let taken = self.taken(&found);
        for (source, holder) in found.iter_mut().zip(taken) {
            if let Some(holder) = holder {
                source.findings.insert(0, name_taken(source, &holder));
                source.program = None;
            }
        }
        for source in found {
            let before = self.files.iter().find(|file| file.path == source.path);
            let before = before.and_then(|file| file.program.clone());
            let (state, slot) = match (source.program, before) {
                (Some(program), _) => (FileState::Current, Some(ProgramSlot(program))),
                (None, Some(before)) => (FileState::Stale, Some(before)),
                (None, None) => (FileState::Broken, None),
            };
            let hash = slot.as_ref().map(|slot| kait_ir::hash(slot.0.plan.program()).to_string());
            if let (Some(ProgramSlot(program)), Some(hash)) = (&slot, &hash) {
                let graphs = (0..).map(GraphId).zip(&program.plan.program().graphs);
                for (id, graph) in graphs.filter(|(_, graph)| graph.public) {
                    let name = SmolStr::from(format!("{}.{}", source.module, graph.name));
                    let hosted = Hosted {
                        name: name.clone(),
                        file: source.path.clone(),
                        graph: id,
                        program: program.clone(),
                        hash: hash.as_str().into(),
                        chat: chat_of(&program.plan, graph),
                        about: OnceLock::new(),
                    };
                    next.graphs.insert(name, Arc::new(hosted));
                }
            }
            next.files.push(HostedFile {
                path: source.path.to_string(),
                module: source.module.to_string(),
                state,
                plan: hash,
                diagnostics: source.findings,
                graphs: source.graphs,
                program: slot,
            });
        }
        next
    }

    /// Of each file the other one that has its name: the one that had it before, else the first.
    fn taken(&self, found: &[Source]) -> Vec<Option<SmolStr>> {
        let had = |source: &Source| {
            let same = |file: &HostedFile| file.path == source.path && file.module == source.module;
            self.files.iter().any(|file| same(file) && file.program.is_some())
        };
        let mut holders: FxHashMap<&str, (&SmolStr, bool)> = FxHashMap::default();
        for source in found {
            let known = (&source.path, had(source));
            let holder = holders.entry(&source.module).or_insert(known);
            if known.1 && !holder.1 {
                *holder = known;
            }
        }
        let holder = |source: &Source| holders.get(source.module.as_str()).map(|(path, _)| *path);
        let other = |source: &Source| holder(source).filter(|path| **path != source.path).cloned();
        found.iter().map(other).collect()
    }

    /// The hosted files.
    pub fn files(&self) -> &[HostedFile] {
        &self.files
    }

    /// The hosted graphs.
    pub fn graphs(&self) -> impl Iterator<Item = &Arc<Hosted>> {
        self.graphs.values()
    }

    /// The graphs for the list.
    pub fn summaries(&self) -> Vec<GraphSummary> {
        self.graphs().map(|hosted| hosted.summary()).collect()
    }

    /// The graph of that name: module and graph, or the graph's name alone where it is the only one.
    ///
    /// # Errors
    /// 404 if there is none, with names to choose from; 409 if it is in a file with errors, with those.
    pub fn graph(&self, name: &str) -> Result<&Arc<Hosted>, Box<Problem>> {
        if let Some(hosted) = self.graphs.get(name) {
            return Ok(hosted);
        }
        let short = |hosted: &&Arc<Hosted>| {
            hosted.name.rsplit_once('.').is_some_and(|(_, graph)| graph == name)
        };
        let mut alike = self.graphs.values().filter(short);
        match (alike.next(), alike.next()) {
            (Some(only), None) => return Ok(only),
            (Some(_), Some(_)) => {
                let names: Vec<_> = self.graphs.values().filter(short).map(|h| &*h.name).collect();
                let detail = format!("there are {} graphs `{name}`; say which one", names.len());
                return Err(Problem::new(StatusCode::NOT_FOUND, Code::NoSuchGraph, detail)
                    .help(format!("one of {}", names.join(", "))));
            }
            _ => {}
        }
        let broken =
            self.files.iter().filter(|file| file.state == FileState::Broken).find(|file| {
                name.strip_prefix(file.module.as_str()).is_some_and(|rest| rest.starts_with('.'))
                    || file.graphs.iter().any(|graph| graph == name)
            });
        if let Some(file) = broken {
            return Err(has_errors(file));
        }
        let detail = format!("no file that is hosted has a public graph `{name}`");
        let problem = Problem::new(StatusCode::NOT_FOUND, Code::NoSuchGraph, detail);
        let near = self.graphs.keys().map(|known| {
            let graph = known.rsplit_once('.').map_or(known.as_str(), |(_, graph)| graph);
            (strsim::jaro_winkler(name, known).max(strsim::jaro_winkler(name, graph)), known)
        });
        let near = near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.8);
        Err(match near {
            Some((_, near)) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("GET /api/graphs lists the graphs"),
        })
    }
}

/// What is wrong with a file whose name another one has.
fn name_taken(source: &Source, holder: &str) -> Json {
    let (path, module) = (&source.path, &source.module);
    json!({
        "code": Code::NameTaken.as_str(),
        "severity": "error",
        "message": format!("`{holder}` is hosted as `{module}` already, so `{path}` is not"),
        "primary": { "path": path.as_str(), "text": "" },
        "labels": [],
        "notes": [],
        "help": "host the directory above both, or rename one of them",
        "fixes": [],
    })
}

/// The graph cannot run because its file has errors: the first of them, and all as data.
fn has_errors(file: &HostedFile) -> Box<Problem> {
    let text = |finding: &Json, key: &str| {
        finding.get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
    };
    let first = file.diagnostics.iter().find(|finding| text(finding, "severity") == "error");
    let (code, message) = match first {
        Some(first) => (text(first, "code"), text(first, "message")),
        None => (Code::Internal.as_str().to_owned(), "the file has no program".to_owned()),
    };
    let title = Code::parse(&code).map(|code| code.info().title).unwrap_or_default();
    let mut problem = Problem::coded(StatusCode::CONFLICT, &code, title, message)
        .help(format!("`{}` has errors; correct them, and it is loaded again", file.path));
    problem.diagnostics.clone_from(&file.diagnostics);
    problem
}

/// The hosted graphs, replaced as a whole when files change.
pub struct Catalog {
    programs: Box<dyn Programs>,
    current: RwLock<Arc<Snapshot>>,
}

impl Catalog {
    /// Reads and compiles everything for the first time.
    pub fn load(programs: Box<dyn Programs>) -> Self {
        let first = Snapshot::default().next(programs.load());
        Self { programs, current: RwLock::new(Arc::new(first)) }
    }

    /// What is hosted now.
    pub fn now(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads and compiles everything anew, and hosts it. Runs in flight keep their plan.
    pub fn reload(&self) -> Arc<Snapshot> {
        let next = Arc::new(self.now().next(self.programs.load()));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&next);
        next
    }
}
