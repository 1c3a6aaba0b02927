//! `/healthz` and `/readyz`: for whoever watches over the process. They need no token and say nothing else.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use kait_compiler::diagnostics::Code;

use crate::app::App;
use crate::problem::Problem;

/// `GET /healthz`: the process answers.
pub(crate) async fn alive() -> Response {
    json(r#"{"status":"alive"}"#)
}

/// `GET /readyz`: runs can be started.
pub(crate) async fn ready(State(app): State<App>) -> Response {
    let busy = |detail: &str| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::ServerBusy, detail)
            .busy()
            .into_response()
    };
    if app.draining.is_cancelled() {
        return busy("the server is about to end");
    }
    if app.catalog.now().graphs().next().is_none() {
        return busy("no graph can be run");
    }
    json(r#"{"status":"ready"}"#)
}

fn json(body: &'static str) -> Response {
    ([(CONTENT_TYPE, "application/json")], body).into_response()
}
