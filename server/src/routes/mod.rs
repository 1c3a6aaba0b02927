//! The routes: one module a group. A handler reads the request, asks `catalog` or `runs`, and shapes the answer.

mod chat_request;
mod events;
mod graphs;
mod health;
mod openai;
mod request;
mod runs;
mod socket;

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use kait_compiler::diagnostics::Code;

use crate::app::App;
use crate::problem::Problem;
use crate::runs::shown;

pub(crate) use chat_request::ChatRequest;
pub use events::stream_of;
pub(crate) use graphs::GraphList;
pub(crate) use openai::{ChatAnswer, ModelList, ModelRow};
pub(crate) use runs::RunList;

/// All routes.
pub(crate) fn router(app: &App) -> Router {
    Router::new()
        .route("/api/graphs", get(graphs::list))
        .route("/api/graphs/{graph}", get(graphs::show))
        .route("/api/graphs/{graph}/runs", post(runs::start))
        .route("/api/runs", get(runs::list))
        .route("/api/runs/{run}", get(runs::show))
        .route("/api/runs/{run}/cancel", post(runs::cancel))
        .route("/api/runs/{run}/events", get(events::events))
        .route("/api/runs/{run}/socket", get(socket::socket))
        .route("/v1/chat/completions", post(openai::completions))
        .route("/v1/models", get(openai::models))
        .route("/v1/models/{model}", get(openai::model))
        .route("/openapi.json", get(crate::openapi::document))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .fallback(nothing_here)
        .method_not_allowed_fallback(no_such_method)
        .with_state(Arc::clone(app))
}

async fn nothing_here(OriginalUri(uri): OriginalUri) -> Response {
    let detail = format!("there is nothing at `{}`", shown(uri.path()));
    let problem = Problem::new(StatusCode::NOT_FOUND, Code::BadRequest, detail)
        .help("/openapi.json describes what there is");
    shaped(uri.path(), problem)
}

async fn no_such_method(request: Request) -> Response {
    let path = request.uri().path();
    let detail = format!("`{}` does not take {}", shown(path), shown(request.method().as_str()));
    shaped(path, Problem::new(StatusCode::METHOD_NOT_ALLOWED, Code::BadRequest, detail))
}

/// A problem as the clients of that path read it.
fn shaped(path: &str, problem: Box<Problem>) -> Response {
    if path.starts_with("/v1/") {
        problem.for_openai().into_response()
    } else {
        problem.into_response()
    }
}
