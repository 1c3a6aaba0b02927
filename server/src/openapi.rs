//! `/openapi.json`: OpenAPI 3.1 of every route, from the types that the answers are made of, and of every graph that
//! is hosted, from its types.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use rustc_hash::FxHashSet;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

use crate::app::App;
use crate::catalog::{GraphDocument, Snapshot};
use crate::guard::MayRead;
use crate::problem::{MEDIA_TYPE, Problem};
use crate::routes::{ChatAnswer, ChatRequest, GraphList, ModelList, ModelRow, RunList};
use crate::runs::RunDocument;

/// `GET /openapi.json`
pub(crate) async fn document(State(app): State<App>, _: MayRead) -> Response {
    let now = app.catalog.now();
    let document = now.openapi.get_or_init(|| describe(&now)).clone();
    ([(CONTENT_TYPE, "application/json")], document).into_response()
}

fn describe(now: &Snapshot) -> Bytes {
    let mut schemas = Schemas::default();
    let mut paths = routes(&mut schemas);
    let chats: Vec<_> = now.graphs().filter(|hosted| hosted.chat.is_some()).collect();
    if let Some(request) = schemas.0.get_mut("ChatRequest").filter(|_| !chats.is_empty()) {
        let names: Vec<_> = chats.iter().map(|hosted| hosted.name.as_str()).collect();
        request["properties"]["model"]["enum"] = json!(names);
    }
    let mut names = Names::default();
    for hosted in now.graphs() {
        let about = hosted.about();
        let path = format!("/api/graphs/{}/runs", part_of_path(&about.name));
        paths.insert(path, graph_path(about, &names.of(&about.name), &mut schemas));
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "KAIT",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Graphs, their runs, and the logs of the runs. Errors are problem documents (RFC 9457) \
                whose codes `kait explain` knows. Requests that come from a foreign host or page are refused (403) \
                on every route.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.0,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{ "token": [] }],
    });
    // Texts and numbers only: this cannot fail.
    serde_json::to_vec(&document).unwrap_or_default().into()
}

/// The schemas by name.
#[derive(Default)]
struct Schemas(BTreeMap<String, Json>);

impl Schemas {
    /// A reference to the schema of a type that is sent.
    fn sent<T: JsonSchema>(&mut self) -> Json {
        self.of::<T>(SchemaSettings::draft2020_12().for_serialize())
    }

    /// A reference to the schema of a type that is taken.
    fn taken<T: JsonSchema>(&mut self) -> Json {
        self.of::<T>(SchemaSettings::draft2020_12())
    }

    fn of<T: JsonSchema>(&mut self, settings: SchemaSettings) -> Json {
        let name = T::schema_name().into_owned();
        let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
        if let Json::Object(object) = &mut schema {
            object.remove("$schema");
            object.remove("title");
        }
        self.add(&name, "", schema)
    }

    /// Adds a schema, its `$defs` beside it, and gives a reference to it.
    fn add(&mut self, name: &str, prefix: &str, mut schema: Json) -> Json {
        let defs = match &mut schema {
            Json::Object(object) => object.remove("$defs"),
            _ => None,
        };
        if let Some(Json::Object(defs)) = defs {
            for (inner, mut def) in defs {
                refer(&mut def, prefix);
                self.0.insert(format!("{prefix}{inner}"), def);
            }
        }
        refer(&mut schema, prefix);
        self.0.insert(name.to_owned(), schema);
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }
}

/// References lead to the components of the document.
fn refer(schema: &mut Json, prefix: &str) {
    match schema {
        Json::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Json::String(to) if key == "$ref" => {
                        if let Some(name) = to.strip_prefix("#/$defs/") {
                            *to = format!("#/components/schemas/{prefix}{name}");
                        }
                    }
                    value => refer(value, prefix),
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| refer(item, prefix)),
        _ => {}
    }
}

/// A name as components and operations may have it: letters, digits and `_`. Which of two names that come out alike is
/// meant, says a number.
#[derive(Default)]
struct Names(FxHashSet<String>);

impl Names {
    fn of(&mut self, name: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = name.chars().map(plain).collect();
        let mut unique = name.clone();
        let mut number = 1;
        while !self.0.insert(unique.clone()) {
            number += 1;
            unique = format!("{name}_{number}");
        }
        unique
    }
}

/// A graph's name as a part of a path: files may be called anything.
fn part_of_path(name: &str) -> String {
    let mut part = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            part.push(char::from(byte));
        } else {
            let _ = write!(part, "%{byte:02X}");
        }
    }
    part
}

/// Answers by status.
struct Answers<'s> {
    schemas: &'s mut Schemas,
    answers: Map<String, Json>,
}

impl<'s> Answers<'s> {
    /// The answers that every route with a token can give.
    fn new(schemas: &'s mut Schemas) -> Self {
        Self { schemas, answers: Map::new() }
            .problem(400, "The request cannot be understood.")
            .problem(401, "There is no token, or it is not known.")
            .problem(
                403,
                "The token lacks a scope, or the request comes from a foreign host or page.",
            )
            .answer(
                414,
                "The address is longer than 64 KiB. Said by the HTTP layer, without a document.",
                Json::Null,
            )
            .problem(431, "The request's line and headers are too long.")
            .problem(503, "The server is about to end, or too many connections are open.")
    }

    fn answer(mut self, status: u16, what: &str, content: Json) -> Self {
        let mut answer = json!({ "description": what });
        if !content.is_null() {
            answer["content"] = content;
        }
        if matches!(status, 429 | 503) {
            answer["headers"] = json!({ "Retry-After": { "schema": { "type": "integer" } } });
        }
        self.answers.insert(status.to_string(), answer);
        self
    }

    fn json(self, status: u16, what: &str, schema: &Json) -> Self {
        self.answer(status, what, json!({ "application/json": { "schema": schema } }))
    }

    fn problem(self, status: u16, what: &str) -> Self {
        let schema = self.schemas.sent::<Problem>();
        self.answer(status, what, json!({ MEDIA_TYPE: { "schema": schema } }))
    }

    /// What a body can be refused for.
    fn takes_body(self) -> Self {
        self.problem(408, "The body did not arrive in time.")
            .problem(413, "The body is too large.")
            .problem(415, "The `Content-Type` is not `application/json`, or the body is encoded.")
            .problem(501, "The `Transfer-Encoding` is not `chunked`.")
    }

    fn knows_graph(self) -> Self {
        self.problem(404, "There is no such graph.")
            .problem(409, "The graph's file has errors: `diagnostics` lists them.")
    }

    fn knows_run(self) -> Self {
        self.problem(404, "There is no such run.")
            .problem(410, "The run is forgotten: it ended long ago, or a restart has lost it.")
    }

    /// What starting a run can come to.
    fn starts(self, document: &Json) -> Self {
        let streams = json!({
            "application/json": { "schema": document },
            "text/event-stream": { "schema": event() },
        });
        self.answer(200, "The run when it has ended, or its log as it is written.", streams)
            .json(202, "The run has begun; `Location` says where it is found.", document)
            .takes_body()
            .problem(406, "`Accept` names nothing that can be had.")
            .problem(
                409,
                "The graph's file has errors: `diagnostics` lists them; or the `Idempotency-Key` came with another request.",
            )
            .problem(422, "The input does not fit: `errors` lists the mistakes.")
            .problem(429, "As many runs are under way as the server takes.")
    }
}

fn operation(id: &str, what: &str, scope: &str, parameters: Json, answers: Answers<'_>) -> Json {
    json!({
        "operationId": id,
        "summary": what,
        "description": format!("Needs the scope `{scope}`."),
        "parameters": parameters,
        "responses": answers.answers,
    })
}

fn with_body(mut operation: Json, schema: &Json) -> Json {
    operation["requestBody"] = json!({
        "required": true,
        "content": { "application/json": { "schema": schema } },
    });
    operation
}

/// One server-sent event: its fields.
fn event() -> Json {
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "event": { "type": "string" },
            "data": { "type": "string" },
            "retry": { "type": "integer" },
        },
    })
}

fn in_path(name: &str, what: &str) -> Json {
    let schema = json!({ "type": "string", "minLength": 1 });
    json!({ "name": name, "in": "path", "required": true, "description": what, "schema": schema })
}

fn in_query(name: &str, what: &str, schema: Json) -> Json {
    json!({ "name": name, "in": "query", "description": what, "schema": schema })
}

/// Parameters of what starts a run.
fn start_parameters() -> Vec<Json> {
    vec![
        in_query("trace", "Whether the log tells of every node.", json!({ "type": "boolean" })),
        json!({
            "name": "Prefer", "in": "header",
            "description": "`respond-async`: answer 202 at once.",
            "schema": { "type": "string" },
        }),
        json!({
            "name": "Idempotency-Key", "in": "header",
            "description": "A name for this request: if it is sent again with the same body, it leads to the run that it has started.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        }),
    ]
}

/// Parameters of what resumes a log.
fn resume_parameters(run: Json) -> Json {
    json!([
        run,
        in_query("after", "As `Last-Event-ID`.", json!({ "type": "string" })),
        {
            "name": "Last-Event-ID", "in": "header",
            "description": "The id of the last record that the client has.",
            "schema": { "type": "string" },
        },
    ])
}

fn graph_path(about: &GraphDocument, name: &str, schemas: &mut Schemas) -> Json {
    let prefix = format!("{name}.");
    let input = schemas.add(&format!("{prefix}input"), &prefix, about.input.clone());
    let output = schemas.add(&format!("{prefix}output"), &prefix, about.output.clone());
    let run = schemas.sent::<RunDocument>();
    let document = json!({ "allOf": [run, { "properties": { "result": output } }] });
    let id = format!("run_{name}");
    let mut operation = operation(
        &id,
        about.docs.lines().next().unwrap_or_default(),
        "run",
        start_parameters().into(),
        Answers::new(schemas).knows_graph().starts(&document),
    );
    operation["description"] = format!("`{}`\n\n{}", about.signature, about.docs).into();
    json!({ "post": with_body(operation, &input) })
}

fn routes(schemas: &mut Schemas) -> Map<String, Json> {
    let mut paths = Map::new();
    let run = in_path("run", "The run's name.");
    let graph = in_path(
        "graph",
        "The graph's name: module and graph, or the graph's alone where it is the only one.",
    );
    let run_document = schemas.sent::<RunDocument>();
    let mut add = |path: &str, method: &str, operation: Json| {
        paths.entry(path).or_insert_with(|| json!({}))[method] = operation;
    };

    let list = schemas.sent::<GraphList>();
    let answers = Answers::new(schemas).json(200, "The graphs and their files.", &list);
    add(
        "/api/graphs",
        "get",
        operation("listGraphs", "What is hosted.", "read", json!([]), answers),
    );

    let document = schemas.sent::<GraphDocument>();
    let answers = Answers::new(schemas).json(200, "The graph.", &document).knows_graph();
    let show = operation(
        "showGraph",
        "A graph: schemas, documentation, effects.",
        "read",
        json!([graph]),
        answers,
    );
    add("/api/graphs/{graph}", "get", show);

    let mut parameters = vec![graph];
    parameters.extend(start_parameters());
    let answers = Answers::new(schemas).knows_graph().starts(&run_document);
    let start =
        operation("startRun", "Starts a run of a graph.", "run", parameters.into(), answers);
    let object =
        json!({ "type": "object", "description": "The graph's parameters: its `input` schema." });
    add("/api/graphs/{graph}/runs", "post", with_body(start, &object));

    let list = schemas.sent::<RunList>();
    let state = json!({ "type": "string", "enum": ["running", "done", "failed", "cancelled"] });
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 });
    let parameters = json!([
        in_query("limit", "Runs of the page.", limit),
        in_query(
            "before",
            "Only runs before this one: `next` of the page before.",
            json!({ "type": "string" })
        ),
        in_query("state", "Only runs that stand so.", state),
        in_query("graph", "Only runs of this graph.", json!({ "type": "string" })),
    ]);
    let answers = Answers::new(schemas).json(200, "The runs, newest first.", &list).knows_run();
    add(
        "/api/runs",
        "get",
        operation("listRuns", "The runs that the server knows.", "read", parameters, answers),
    );

    let answers = Answers::new(schemas).json(200, "The run.", &run_document).knows_run();
    let show = operation(
        "showRun",
        "A run: how it stands, and with what it ended.",
        "read",
        json!([run]),
        answers,
    );
    add("/api/runs/{run}", "get", show);

    let answers = Answers::new(schemas)
        .json(202, "The run was asked to end; it has ended when its log has.", &run_document)
        .knows_run()
        .takes_body();
    let cancel = operation("cancelRun", "Asks a run to end.", "run", json!([run]), answers);
    let nothing = json!({ "description": "Nothing is read from it; it may be left out." });
    let mut cancel = with_body(cancel, &nothing);
    cancel["requestBody"]["required"] = false.into();
    add("/api/runs/{run}/cancel", "post", cancel);

    let events = json!({ "text/event-stream": { "schema": event() } });
    let answers = Answers::new(schemas)
        .answer(200, "Records of the log; `id` is what `Last-Event-ID` takes. `event: snapshot` replaces all that the client has.", events)
        .answer(204, "The log is over, and the client has all of it.", Json::Null)
        .knows_run();
    let stream = operation(
        "readEvents",
        "The log of a run as server-sent events.",
        "read",
        resume_parameters(run.clone()),
        answers,
    );
    add("/api/runs/{run}/events", "get", stream);

    let answers = Answers::new(schemas)
        .answer(101, "A WebSocket: each message is a record of the log with its id; the client may send {\"op\":\"cancel\"}.", Json::Null)
        .problem(426, "The request does not ask for a WebSocket.")
        .knows_run();
    let socket = operation(
        "openSocket",
        "The log of a run over a WebSocket.",
        "read",
        resume_parameters(run),
        answers,
    );
    add("/api/runs/{run}/socket", "get", socket);

    let request = schemas.taken::<ChatRequest>();
    let answer = schemas.sent::<ChatAnswer>();
    let both = json!({
        "application/json": { "schema": answer },
        "text/event-stream": { "schema": event() },
    });
    let answers = Answers::new(schemas)
        .answer(200, "The answer, or with `stream` its chunks.", both)
        .knows_graph()
        .takes_body()
        .problem(422, "The conversation does not fit the graph, or the run failed.")
        .problem(429, "As many runs are under way as the server takes.");
    let complete = operation(
        "completeChat",
        "OpenAI Chat Completions: the next message of a chat.",
        "run",
        json!([]),
        answers,
    );
    add("/v1/chat/completions", "post", with_body(complete, &request));

    let list = schemas.sent::<ModelList>();
    let answers = Answers::new(schemas).json(200, "The graphs that can be chatted with.", &list);
    add(
        "/v1/models",
        "get",
        operation(
            "listModels",
            "OpenAI Models: the graphs of text to text.",
            "read",
            json!([]),
            answers,
        ),
    );

    let row = schemas.sent::<ModelRow>();
    let answers = Answers::new(schemas).json(200, "The graph.", &row).knows_graph();
    let model = in_path("model", "The graph's name.");
    add(
        "/v1/models/{model}",
        "get",
        operation("showModel", "OpenAI Models: one graph.", "read", json!([model]), answers),
    );

    let any = json!({ "type": "object" });
    let answers = Answers::new(schemas).json(200, "This document.", &any);
    add(
        "/openapi.json",
        "get",
        operation("describe", "This document.", "read", json!([]), answers),
    );

    for (path, what) in
        [("/healthz", "Whether the process answers."), ("/readyz", "Whether runs can be started.")]
    {
        let status = json!({
            "type": "object", "required": ["status"], "properties": { "status": { "type": "string" } },
        });
        let answers = Answers { schemas: &mut *schemas, answers: Map::new() }
            .json(200, "It does.", &status)
            .problem(400, "The request cannot be understood.")
            .problem(403, "The request comes from a foreign host or page.")
            .answer(
                414,
                "The address is longer than 64 KiB. Said by the HTTP layer, without a document.",
                Json::Null,
            )
            .problem(431, "The request's line and headers are too long.")
            .problem(503, "Not now.");
        let mut health = operation(path.trim_start_matches('/'), what, "", json!([]), answers);
        health["description"] = "Needs no token.".into();
        health["security"] = json!([]);
        add(path, "get", health);
    }
    paths
}
