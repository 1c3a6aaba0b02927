//! `/api/graphs/{graph}/runs` and `/api/runs`: starting, finding and cancelling runs.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode};
use kait_compiler::diagnostics::Code;
use kait_runtime::Inputs;
use kait_runtime::inputs::parse_json;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use smol_str::SmolStr;

use super::events;
use super::request::{Asked, Little, Part, Question, Whole};
use crate::app::App;
use crate::guard::{MayRead, MayRun, Sender, vouches, vouches_for_instructions};
use crate::problem::Problem;
use crate::runs::{Filter, Once, RunHandle, RunState, shown};

/// RFC 7240.
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Names a request, so that sending it again starts no second run.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const MAX_KEY: usize = 255;

/// Runs of a page, if the request says nothing, and at most.
const PAGE: usize = 50;
const MAX_PAGE: usize = 200;

/// A page of the list of runs, newest first.
#[derive(Serialize, JsonSchema)]
pub(crate) struct RunList {
    /// The runs: documents as `GET /api/runs/{run}` gives them.
    #[schemars(with = "Vec<crate::runs::RunDocument>")]
    runs: Vec<Box<RawValue>>,
    /// `before` of the next page; none on the last one.
    next: Option<String>,
}

/// How a run is started.
#[derive(Debug, Default)]
pub(crate) struct Start {
    /// Whether its log tells of every node.
    trace: bool,
}

impl Question for Start {
    fn take(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        if name == "trace" {
            self.trace = value.parse().map_err(|_| "is `true` or `false`")?;
        }
        Ok(())
    }
}

/// What the client wants to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// The run when it has ended.
    Document,
    /// Its log.
    Events,
    /// Where it is found.
    Place,
}

/// `POST /api/graphs/{graph}/runs`
pub(crate) async fn start(
    State(app): State<App>,
    _: MayRun,
    Sender(principal): Sender,
    Part(name): Part,
    Asked(asked): Asked<Start>,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Result<Response, Box<Problem>> {
    let wanted = wanted(&headers)?;
    let now = app.catalog.now();
    let hosted = now.graph(&name)?;
    let mut inputs = Inputs::new(&hosted.program.plan.loaded, hosted.graph);
    let given = match parse_json(&body) {
        Ok(json) => {
            let given = json.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
            vouches(&principal, hosted, given)?;
            inputs.give_object(&json);
            json
        }
        Err(error) => return Err(Problem::input(&[error])),
    };
    let args = inputs.finish().map_err(|errors| Problem::input(&errors))?;
    vouches_for_instructions(&principal, hosted, &args, |name| given.get(name).is_some())?;
    let once = key(&headers)?.map(|key| {
        let mut request = blake3::Hasher::new();
        request.update(hosted.name.as_bytes()).update(&[0, asked.trace.into()]).update(&body);
        Once { sender: principal.id, key, request: request.finalize() }
    });
    let (run, task) = app.runs.start(hosted, args, asked.trace, once)?;
    let place = place_of(&run);
    match wanted {
        Wanted::Document => {
            // Dropping the task would not end the run: a client that breaks off finds it again.
            drop(task);
            run.over.cancelled().await;
            Ok(([(LOCATION, place)], document(run.document())).into_response())
        }
        Wanted::Events => {
            let mut response = events::stream_of(
                run.feed()?.read(Some(0)),
                app.config.limits.heartbeat,
                principal.revoked.clone(),
            );
            response.headers_mut().insert(LOCATION, place);
            Ok(response)
        }
        Wanted::Place => {
            let applied = HeaderValue::from_static("respond-async");
            let headers = [(LOCATION, place), (PREFERENCE_APPLIED, applied)];
            Ok((StatusCode::ACCEPTED, headers, document(run.document())).into_response())
        }
    }
}

/// The request's name, by which it can be sent again.
fn key(headers: &HeaderMap) -> Result<Option<SmolStr>, Box<Problem>> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (value, None) = (values.next(), values.next()) else {
        return Err(Problem::bad_request("there is more than one `Idempotency-Key`"));
    };
    let Some(value) = value else { return Ok(None) };
    match value.to_str().ok().map(str::trim) {
        Some(key) if (1..=MAX_KEY).contains(&key.len()) => Ok(Some(key.into())),
        _ => Err(Problem::bad_request(format!(
            "an `Idempotency-Key` has from 1 to {MAX_KEY} visible characters of ASCII"
        ))),
    }
}

fn place_of(run: &RunHandle) -> HeaderValue {
    // Names of runs are letters and digits.
    HeaderValue::try_from(format!("/api/runs/{}", run.name))
        .unwrap_or_else(|_| HeaderValue::from_static("/api/runs"))
}

fn document(json: Bytes) -> Response {
    ([(CONTENT_TYPE, "application/json")], Body::from(json)).into_response()
}

fn wanted(headers: &HeaderMap) -> Result<Wanted, Box<Problem>> {
    let words = |name: HeaderName| {
        let values: Vec<&str> =
            headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        values.join(",").to_ascii_lowercase()
    };
    let later = words(PREFER).split([',', ';']).any(|word| word.trim() == "respond-async");
    if later {
        return Ok(Wanted::Place);
    }
    let accept = words(ACCEPT);
    if accept.split(',').all(|one| one.trim().is_empty()) {
        return Ok(Wanted::Document);
    }
    // The best of what can be had, the first one of equals (RFC 9110, section 12.5.1).
    let mut best: Option<(f32, Wanted)> = None;
    for one in accept.split(',') {
        let mut parts = one.split(';').map(str::trim);
        let can = match parts.next() {
            Some("text/event-stream") => Wanted::Events,
            Some("application/json" | "application/*" | "*/*") => Wanted::Document,
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        if quality > best.map_or(0.0, |(best, _)| best) {
            best = Some((quality, can));
        }
    }
    if let Some((_, wanted)) = best {
        return Ok(wanted);
    }
    let detail = format!("`Accept: {}` cannot be had", shown(&accept));
    Err(Problem::new(StatusCode::NOT_ACCEPTABLE, Code::BadRequest, detail)
        .help("application/json waits for the end of the run, text/event-stream streams its log"))
}

/// What is asked of the list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    limit: Option<usize>,
    before: Option<String>,
    state: Option<RunState>,
    graph: Option<String>,
}

impl Question for Page {
    fn take(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "limit" => {
                let number = value.parse().ok().filter(|n| (1..=MAX_PAGE).contains(n));
                self.limit = Some(number.ok_or("is a whole number from 1 to 200")?);
            }
            "before" => self.before = Some(value.to_owned()),
            "state" => {
                let state = RunState::parse(value);
                self.state = Some(state.ok_or("is running, done, failed or cancelled")?);
            }
            "graph" => self.graph = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }
}

/// `GET /api/runs`
pub(crate) async fn list(
    State(app): State<App>,
    _: MayRead,
    Asked(page): Asked<Page>,
) -> Result<Json<RunList>, Box<Problem>> {
    let most = page.limit.unwrap_or(PAGE);
    let before = match page.before {
        None => None,
        Some(name) => match app.runs.number(&name) {
            Some(number) => Some(number),
            // Of an earlier life of the server, or nonsense: the same words as for the run itself.
            None => {
                return Err(app
                    .runs
                    .get(&name)
                    .err()
                    .unwrap_or_else(|| Problem::bad_request("`before` does not name a run")));
            }
        },
    };
    // A short name stands for the whole one; an unknown one fits no run.
    let graph = page.graph.map(|name| match app.catalog.now().graph(&name) {
        Ok(hosted) => hosted.name.to_string(),
        Err(_) => name,
    });
    let (found, more) = app.runs.list(&Filter { before, state: page.state, graph }, most);
    let next = found.last().filter(|_| more).map(|run| run.name.to_string());
    let raw = |run: &std::sync::Arc<RunHandle>| {
        let text = String::from_utf8(run.document().to_vec()).ok()?;
        RawValue::from_string(text).ok()
    };
    Ok(Json(RunList { runs: found.iter().filter_map(raw).collect(), next }))
}

/// `GET /api/runs/{run}`
pub(crate) async fn show(
    State(app): State<App>,
    _: MayRead,
    Part(name): Part,
) -> Result<Response, Box<Problem>> {
    Ok(document(app.runs.get(&name)?.document()))
}

/// `POST /api/runs/{run}/cancel`: asks the run to end; it has ended when its log has.
pub(crate) async fn cancel(
    State(app): State<App>,
    _: MayRun,
    Part(name): Part,
    Little(body): Little,
) -> Result<Response, Box<Problem>> {
    // Nothing is read from it, but what is there must be what it says it is.
    if !body.is_empty() {
        parse_json(&body).map_err(|error| Problem::no_json(&error))?;
    }
    let run = app.runs.get(&name)?;
    run.cancel.cancel();
    Ok((StatusCode::ACCEPTED, document(run.document())).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(pairs: &[(HeaderName, &'static str)]) -> Option<Wanted> {
        let pairs = pairs.iter();
        let headers =
            pairs.map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        wanted(&headers).ok()
    }

    #[test]
    fn the_client_says_what_it_wants() {
        assert_eq!(wants(&[]), Some(Wanted::Document));
        assert_eq!(wants(&[(ACCEPT, "*/*")]), Some(Wanted::Document));
        assert_eq!(wants(&[(ACCEPT, "application/json")]), Some(Wanted::Document));
        assert_eq!(wants(&[(ACCEPT, "Text/Event-Stream; q=1")]), Some(Wanted::Events));
        assert_eq!(wants(&[(ACCEPT, "text/html, text/event-stream")]), Some(Wanted::Events));
        assert_eq!(wants(&[(ACCEPT, "text/html")]), None);
        let both = "text/event-stream;q=0.5, application/json";
        assert_eq!(wants(&[(ACCEPT, both)]), Some(Wanted::Document));
        assert_eq!(wants(&[(ACCEPT, "text/event-stream;q=0, */*")]), Some(Wanted::Document));
        assert_eq!(wants(&[(ACCEPT, "application/json;q=0")]), None);
        assert_eq!(wants(&[(PREFER, "wait=1, respond-async")]), Some(Wanted::Place));
    }
}
