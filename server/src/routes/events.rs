//! `/api/runs/{run}/events`: the log of a run as server-sent events, resumed where a client left it.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;

use super::request::{Asked, Part};
use crate::app::App;
use crate::feed::{FeedReader, Taken};
use crate::guard::MayRead;
use crate::problem::Problem;
use crate::runs::RunHandle;

/// What a browser sends when it connects again.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// A comment, so that nobody on the way takes an idle stream for a dead one.
const HEARTBEAT: Bytes = Bytes::from_static(b": alive\n\n");
/// How soon a browser connects again, in milliseconds.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");

/// Where to go on.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct After {
    /// The id of the last record that the client has; for clients that cannot set headers.
    after: Option<String>,
}

impl After {
    /// The reader that the request asks for: from the first record on, or behind the last one that the client has.
    /// An id that says nothing here (of another life of the server, or nonsense) begins with a snapshot.
    pub(crate) fn reader(&self, headers: &HeaderMap, run: &RunHandle) -> (FeedReader, Option<u64>) {
        let sent = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
        let from = match sent.filter(|id| !id.is_empty()).or(self.after.as_deref()) {
            Some(id) => run.feed.after(id),
            None => Some(0),
        };
        (run.feed.read(from), from)
    }
}

/// `GET /api/runs/{run}/events`
pub(crate) async fn events(
    State(app): State<App>,
    _: MayRead,
    Part(name): Part,
    Asked(after): Asked<After>,
    headers: HeaderMap,
) -> Result<Response, Box<Problem>> {
    let run = app.runs.get(&name)?;
    let (reader, from) = after.reader(&headers, &run);
    let (next, over) = run.feed.log().head();
    if over && from == Some(next) && next > 0 {
        // The client has everything. This status tells a browser not to connect again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(stream_of(reader, app.config.limits.heartbeat))
}

/// The answer that streams a log.
pub fn stream_of(reader: FeedReader, heartbeat: Duration) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // Proxies that hold answers back are told not to.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(pieces(reader, heartbeat))).into_response()
}

fn pieces(
    reader: FeedReader,
    heartbeat: Duration,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((reader, true), move |(mut reader, first)| async move {
        if first {
            return Some((Ok(RETRY), (reader, false)));
        }
        loop {
            match reader.take() {
                Taken::Events(events, _) | Taken::Snapshot(events, _) => {
                    return Some((Ok(events), (reader, false)));
                }
                Taken::Over => return None,
                Taken::Nothing => {
                    if tokio::time::timeout(heartbeat, reader.wait()).await.is_err() {
                        return Some((Ok(HEARTBEAT), (reader, false)));
                    }
                }
            }
        }
    })
}
