//! `/api/graphs`: what can be run.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::request::Part;
use crate::app::App;
use crate::catalog::{GraphDocument, GraphSummary, HostedFile};
use crate::guard::MayRead;
use crate::problem::Problem;

/// What is hosted.
#[derive(Serialize, JsonSchema)]
pub(crate) struct GraphList {
    /// The graphs that can be run.
    pub(crate) graphs: Vec<GraphSummary>,
    /// The files, with what is wrong in them.
    pub(crate) files: Vec<HostedFile>,
}

/// `GET /api/graphs`
pub(crate) async fn list(State(app): State<App>, _: MayRead) -> Json<GraphList> {
    let now = app.catalog.now();
    Json(GraphList { graphs: now.summaries(), files: now.files().to_vec() })
}

/// `GET /api/graphs/{graph}`
pub(crate) async fn show(
    State(app): State<App>,
    _: MayRead,
    Part(name): Part,
) -> Result<Json<GraphDocument>, Box<Problem>> {
    let now = app.catalog.now();
    let hosted = Arc::clone(now.graph(&name)?);
    Ok(Json(hosted.about().clone()))
}
