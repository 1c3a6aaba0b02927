//! `/api/runs/{run}/socket`: the log of a run over a WebSocket, and requests to cancel it in the other direction.
//!
//! Every message is one JSON object: a record of the log with its `id`, or `{"op":"snapshot"}` with records. The client
//! sends `{"op":"cancel"}`; to anything else the answer is `{"op":"error"}` with a problem.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, StatusCode};
use kait_compiler::diagnostics::Code;
use kait_runtime::inputs::parse_json;
use serde_json::json;

use super::events::After;
use super::request::{Asked, Part};
use crate::app::{App, Place};
use crate::feed::FeedReader;
use crate::guard::{MayRead, PROTOCOL, Sender, require};
use crate::problem::Problem;
use crate::runs::RunHandle;
use crate::tokens::{Principal, Scope};

/// Bytes of a message from a client.
const MAX_MESSAGE: usize = 64 << 10;
/// Messages that are made at once.
const BATCH: usize = 256;

/// `GET /api/runs/{run}/socket`
#[expect(clippy::too_many_arguments, reason = "each is a part of the request")]
pub(crate) async fn socket(
    State(app): State<App>,
    _: MayRead,
    Sender(principal): Sender,
    Part(name): Part,
    Asked(after): Asked<After>,
    place: Option<Extension<Place>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Box<Problem>> {
    let run = app.runs.get(&name)?;
    let upgrade = upgrade.map_err(|rejection| {
        let response = rejection.status();
        let detail = format!("no WebSocket can be opened: {}", rejection.body_text());
        let problem = Problem::new(response, Code::BadRequest, detail);
        if response == StatusCode::UPGRADE_REQUIRED {
            problem.help("send `Upgrade: websocket`")
        } else {
            problem
        }
    })?;
    let (reader, _) = after.reader(&headers, &run.feed()?)?;
    let heartbeat = app.config.limits.heartbeat;
    let upgrade =
        upgrade.protocols([PROTOCOL]).max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE);
    Ok(upgrade
        .on_upgrade(move |socket| async move {
            talk(socket, reader, &run, &principal, heartbeat).await;
            drop(place);
        })
        .into_response())
}

async fn talk(
    socket: WebSocket,
    mut reader: FeedReader,
    run: &RunHandle,
    principal: &Principal,
    heartbeat: Duration,
) {
    let (mut to, mut from) = socket.split();
    let mut messages = Vec::new();
    loop {
        let goes_on = reader.take_messages(BATCH, &mut messages);
        let some = !messages.is_empty();
        for message in messages.drain(..) {
            // Each waits until those before it are on their way, so that no more than one waits in memory, whatever its
            // size.
            if to.feed(Message::text(message)).await.is_err() {
                return;
            }
        }
        if some && to.flush().await.is_err() {
            return;
        }
        if !goes_on {
            let frame = CloseFrame { code: close_code::NORMAL, reason: "the log is over".into() };
            let _ = to.send(Message::Close(Some(frame))).await;
            return;
        }
        // Between batches, what the client has sent meanwhile is heard; with nothing to send, it is waited for.
        tokio::select! {
            biased;
            heard = from.next() => match heard {
                None | Some(Err(_) | Ok(Message::Close(_))) => return,
                Some(Ok(Message::Text(text))) => {
                    if let Err(problem) = hear(text.as_bytes(), run, principal) {
                        let error = json!({ "op": "error", "problem": problem });
                        if to.send(Message::text(error.to_string())).await.is_err() {
                            return;
                        }
                    }
                }
                Some(Ok(Message::Binary(_))) => {
                    let error = json!({ "op": "error", "problem": wrong("messages are texts") });
                    if to.send(Message::text(error.to_string())).await.is_err() {
                        return;
                    }
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            },
            () = principal.revoked.cancelled() => {
                let reason = "the token was taken back".into();
                let frame = CloseFrame { code: close_code::POLICY, reason };
                let _ = to.send(Message::Close(Some(frame))).await;
                return;
            }
            () = reader.wait() => {}
            () = tokio::time::sleep(heartbeat) => {
                if to.send(Message::Ping(bytes::Bytes::new())).await.is_err() {
                    return;
                }
            }
        }
    }
}

fn hear(text: &[u8], run: &RunHandle, principal: &Principal) -> Result<(), Box<Problem>> {
    let message = parse_json(text).map_err(|error| Problem::input(&[error]))?;
    match message.get("op").and_then(serde_json::Value::as_str) {
        Some("cancel") => {
            require(principal, Scope::Run)?;
            run.cancel.cancel();
            Ok(())
        }
        _ => Err(wrong("a message is {\"op\":\"cancel\"}")),
    }
}

fn wrong(detail: &str) -> Box<Problem> {
    Problem::bad_request(detail)
}
