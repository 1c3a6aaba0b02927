//! `/api/runs/{run}/events`: the log of a run as server-sent events, resumed where a client left it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderMap, StatusCode};
use tokio_util::sync::CancellationToken;

use super::request::{Asked, Part, Question};
use crate::app::App;
use crate::feed::{Feed, FeedReader, Taken};
use crate::guard::{MayRead, Sender};
use crate::problem::Problem;

/// What a browser sends when it connects again.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// A comment, so that nobody on the way takes an idle stream for a dead one.
pub(super) const HEARTBEAT: Bytes = Bytes::from_static(b": alive\n\n");
/// How soon a browser connects again, in milliseconds.
const RETRY: Bytes = Bytes::from_static(b"retry: 1000\n\n");

/// What every stream says about itself.
pub(super) const HEADERS: [(HeaderName, &str); 3] = [
    (CONTENT_TYPE, "text/event-stream"),
    (CACHE_CONTROL, "no-store"),
    // Proxies that hold answers back are told not to.
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// Where to go on.
#[derive(Debug, Default)]
pub(crate) struct After {
    /// The id of the last record that the client has; for clients that cannot set headers.
    after: Option<String>,
}

impl Question for After {
    fn take(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        if name == "after" {
            self.after = Some(value.to_owned());
        }
        Ok(())
    }
}

impl After {
    /// The reader that the request asks for: from the first record on, or behind the last one that the client has.
    ///
    /// # Errors
    /// If the header is not text. An id that says nothing here (of another life of the server, or nonsense) begins with a snapshot.
    pub(crate) fn reader(
        &self,
        headers: &HeaderMap,
        feed: &Arc<Feed>,
    ) -> Result<(FeedReader, Option<u64>), Box<Problem>> {
        let sent = headers.get(LAST_EVENT_ID).map(|value| value.to_str()).transpose();
        let sent = sent.map_err(|_| {
            Problem::bad_request("the header `Last-Event-ID` holds something other than ASCII")
                .help("send the `id` of the last event as it came, or leave the header out")
        })?;
        let from = match sent.filter(|id| !id.is_empty()).or(self.after.as_deref()) {
            Some(id) => feed.after(id),
            None => Some(0),
        };
        Ok((feed.read(from), from))
    }
}

/// `GET /api/runs/{run}/events`
pub(crate) async fn events(
    State(app): State<App>,
    _: MayRead,
    Sender(principal): Sender,
    Part(name): Part,
    Asked(after): Asked<After>,
    headers: HeaderMap,
) -> Result<Response, Box<Problem>> {
    let feed = app.runs.get(&name)?.feed()?;
    let (reader, from) = after.reader(&headers, &feed)?;
    let (next, over) = feed.log().head();
    if over && from == Some(next) && next > 0 {
        // The client has everything. This status tells a browser not to connect again.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(stream_of(reader, app.config.limits.heartbeat, principal.revoked.clone()))
}

/// The answer that streams a log, until it is over or `revoked` is set.
pub fn stream_of(reader: FeedReader, heartbeat: Duration, revoked: CancellationToken) -> Response {
    (HEADERS, Body::from_stream(pieces(reader, heartbeat, revoked))).into_response()
}

fn pieces(
    reader: FeedReader,
    heartbeat: Duration,
    revoked: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((reader, revoked, true), move |(mut reader, revoked, first)| async move {
        if first {
            return Some((Ok(RETRY), (reader, revoked, false)));
        }
        loop {
            if revoked.is_cancelled() {
                return None;
            }
            match reader.take() {
                Taken::Events(events, _) | Taken::Snapshot(events, _) => {
                    return Some((Ok(events), (reader, revoked, false)));
                }
                Taken::Over => return None,
                Taken::Nothing => tokio::select! {
                    () = reader.wait() => {}
                    () = revoked.cancelled() => {}
                    () = tokio::time::sleep(heartbeat) => {
                        return Some((Ok(HEARTBEAT), (reader, revoked, false)));
                    }
                },
            }
        }
    })
}
