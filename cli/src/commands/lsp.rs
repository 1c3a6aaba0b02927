//! `kait lsp`: the language server on standard input and output.

use kait_lsp::Ended;

use crate::args::LspArgs;
use crate::exit::Exit;

/// Serves one editor until it says goodbye.
pub fn run(_: &LspArgs) -> anyhow::Result<Exit> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let ended = runtime.block_on(kait_lsp::serve_stdio());
    // Somebody may still wait for standard input, which cannot be interrupted.
    runtime.shutdown_background();
    Ok(match ended {
        Ended::Properly => Exit::Done,
        Ended::WithoutShutdown => Exit::Failed,
    })
}
