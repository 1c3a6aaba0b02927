//! The KAIT language server: the Language Server Protocol around [`kait_ide`].
//!
//! Three rules keep it right under load; each was measured when it was broken:
//!
//! 1. A message goes into the mailbox of the main loop *before the first await* of its handler: handlers run side by
//!    side, so whatever awaits first may be overtaken, and edits would arrive out of order.
//! 2. The transport runs up to [`CONCURRENCY`] handlers: with few, some slow questions would hold up an edit.
//! 3. One thread owns the state ([`main_loop`]). Questions are answered by workers from immutable snapshots. An edit
//!    makes all answers that are under way stale; the owner, who knows, sends `ContentModified` in their place.
//!
//! Nothing here decides what an answer is: that is `kait_ide`'s. This crate reads files (of the workspace only) and
//! writes copies of the standard library's modules into the user's cache, so that editors can show them.

mod backend;
mod capabilities;
mod diagnostics;
mod disk;
mod documents;
mod framing;
mod main_loop;
mod positions;
mod requests;
mod snapshot;
mod to_proto;
mod workers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncWrite};
use tower_lsp::{LspService, Server};

use backend::Backend;

/// How many messages are handled at the same time; see the second rule.
pub const CONCURRENCY: usize = 1024;

/// How a session with a client ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client said `shutdown` first: exit code 0.
    Properly,
    /// It did not: exit code 1.
    WithoutShutdown,
}

/// Speaks the protocol over two streams until the client says `exit` or closes its end. Must be called on a tokio
/// runtime.
pub async fn serve<I, O>(input: I, output: O) -> Ended
where
    I: AsyncRead + Unpin + Send + 'static,
    O: AsyncWrite,
{
    let shut_down = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&shut_down);
    let (service, socket) = LspService::build(|client| Backend::new(client, flag))
        .custom_method(framing::MALFORMED, Backend::malformed)
        .finish();
    let (checked, checking) = framing::checked(input);
    Server::new(checked, output, socket).concurrency_level(CONCURRENCY).serve(service).await;
    checking.abort();
    if shut_down.load(Ordering::SeqCst) { Ended::Properly } else { Ended::WithoutShutdown }
}

/// Speaks the protocol on standard input and output.
pub async fn serve_stdio() -> Ended {
    serve(tokio::io::stdin(), tokio::io::stdout()).await
}
