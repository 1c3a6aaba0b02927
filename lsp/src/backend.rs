//! The handlers of the transport. Each puts its message into the mailbox before it awaits anything; see the crate's
//! first rule.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::request::{GotoTypeDefinitionParams, GotoTypeDefinitionResponse};
use tower_lsp::ls_types::*;
use tower_lsp::{Client, LanguageServer};

use crate::capabilities::{self, ClientSupport};
use crate::documents::path_of;
use crate::main_loop::{self, Event, Outgoing};
use crate::requests;
use crate::snapshot::Snapshot;
use crate::workers::STACK;

/// One session with a client.
pub(crate) struct Backend {
    client: Client,
    mailbox: Sender<Event>,
    shut_down: Arc<AtomicBool>,
    registers_watchers: AtomicBool,
}

impl Backend {
    /// Starts the main loop. Must be called on a tokio runtime. `shut_down` is set when the client says `shutdown`.
    pub(crate) fn new(client: Client, shut_down: Arc<AtomicBool>) -> Self {
        let (mailbox, events) = channel();
        let (outgoing, unasked) = unbounded_channel();
        let answers = mailbox.clone();
        // Without this thread no question is answered: the client is told so by errors, question by question.
        let _ = std::thread::Builder::new()
            .name("kait-lsp-main".to_owned())
            .stack_size(STACK)
            .spawn(move || main_loop::run(&events, answers, outgoing));
        tokio::spawn(send_unasked(client.clone(), unasked));
        Self { client, mailbox, shut_down, registers_watchers: AtomicBool::new(false) }
    }

    /// The answer to what was no message; see [`crate::framing`].
    pub(crate) async fn malformed(&self) -> Result<()> {
        Err(Error::parse_error())
    }

    fn tell(&self, event: Event) {
        // Fails only if the main loop is gone, which questions report.
        let _ = self.mailbox.send(event);
    }

    /// Puts a question into the mailbox, at once, and gives what waits for its answer.
    fn ask<R, F>(&self, answer: F) -> impl Future<Output = Result<R>> + use<R, F>
    where
        R: Send + 'static,
        F: FnOnce(&Snapshot) -> Result<R> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel::<Result<R>>();
        self.tell(Event::Ask(Box::new(move |snapshot| {
            // Cancelled: nobody waits.
            if sender.is_closed() {
                return None;
            }
            let answer = snapshot.check().and_then(|()| answer(snapshot));
            Some(Box::new(move |is_stale| {
                let answer = if is_stale { Err(Error::content_modified()) } else { answer };
                let _ = sender.send(answer);
            }))
        })));
        async move {
            // Dropped without an answer: computing it panicked.
            receiver.await.unwrap_or_else(|_| {
                let mut error = Error::internal_error();
                error.message = "the language server contradicted itself; please report it".into();
                Err(error)
            })
        }
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.tell(Event::Stop);
    }
}

async fn send_unasked(client: Client, mut unasked: UnboundedReceiver<Outgoing>) {
    while let Some(message) = unasked.recv().await {
        match message {
            Outgoing::Publish { uri, version, findings } => {
                client.publish_diagnostics(uri, findings, version).await;
            }
            Outgoing::Refresh => {
                // The client answers when it likes; nothing waits for it.
                let client = client.clone();
                tokio::spawn(async move {
                    let _ = client.workspace_diagnostic_refresh().await;
                });
            }
        }
    }
}

/// For pulled findings there is an error of its own that says: ask again.
fn ask_again(error: Error) -> Error {
    if error.code != ErrorCode::ContentModified {
        return error;
    }
    Error {
        code: ErrorCode::ServerError(-32802),
        message: error.message,
        data: Some(serde_json::json!({ "retriggerRequest": true })),
    }
}

/// Handlers that put a question into the mailbox and wait for its answer.
macro_rules! questions {
    ($($method:ident($params:ty) -> $answer:ty = $function:path;)*) => {$(
        async fn $method(&self, params: $params) -> Result<$answer> {
            self.ask(move |snapshot| $function(snapshot, params)).await
        }
    )*};
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let options = params.initialization_options.as_ref();
        let client = ClientSupport::of(&params.capabilities, options);
        self.registers_watchers.store(client.registers_watchers, Ordering::SeqCst);
        let folders = params.workspace_folders.unwrap_or_default();
        let mut folders: Vec<_> = folders.iter().map(|folder| path_of(&folder.uri)).collect();
        #[expect(deprecated, reason = "clients that know no folders still say it")]
        if folders.is_empty() {
            folders.extend(params.root_uri.as_ref().map(path_of));
        }
        self.tell(Event::Start(client, folders));
        Ok(InitializeResult {
            capabilities: capabilities::server(&client),
            server_info: Some(ServerInfo {
                name: "kait".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            ..InitializeResult::default()
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        if !self.registers_watchers.load(Ordering::SeqCst) {
            return;
        }
        let watchers = ["**/*.kait", "**/kait.toml", "**/kait.lock"].map(|glob| {
            FileSystemWatcher { glob_pattern: GlobPattern::String(glob.to_owned()), kind: None }
        });
        let options = DidChangeWatchedFilesRegistrationOptions { watchers: watchers.to_vec() };
        let registration = Registration {
            id: "kait-watched-files".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: serde_json::to_value(options).ok(),
        };
        // A client that refuses is asked about the disk whenever something is compiled.
        let _ = self.client.register_capability(vec![registration]).await;
    }

    async fn shutdown(&self) -> Result<()> {
        self.shut_down.store(true, Ordering::SeqCst);
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.tell(Event::Open(params.text_document));
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.tell(Event::Change(params));
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.tell(Event::Close(params.text_document.uri));
    }

    async fn did_save(&self, _: DidSaveTextDocumentParams) {
        // Whatever else was written at the same time is found: a formatter's, a generator's.
        self.tell(Event::Watched);
    }

    async fn did_change_configuration(&self, _: DidChangeConfigurationParams) {}

    async fn did_change_watched_files(&self, _: DidChangeWatchedFilesParams) {
        self.tell(Event::Watched);
    }

    async fn did_change_workspace_folders(&self, params: DidChangeWorkspaceFoldersParams) {
        self.tell(Event::Folders(params.event));
    }

    questions! {
        hover(HoverParams) -> Option<Hover> = requests::hover;
        goto_definition(GotoDefinitionParams) -> Option<GotoDefinitionResponse>
            = requests::definition;
        goto_type_definition(GotoTypeDefinitionParams) -> Option<GotoTypeDefinitionResponse>
            = requests::type_definition;
        references(ReferenceParams) -> Option<Vec<Location>> = requests::references;
        document_highlight(DocumentHighlightParams) -> Option<Vec<DocumentHighlight>>
            = requests::highlights;
        prepare_rename(TextDocumentPositionParams) -> Option<PrepareRenameResponse>
            = requests::prepare_rename;
        rename(RenameParams) -> Option<WorkspaceEdit> = requests::rename;
        completion(CompletionParams) -> Option<CompletionResponse> = requests::completion;
        signature_help(SignatureHelpParams) -> Option<SignatureHelp> = requests::signature_help;
        document_symbol(DocumentSymbolParams) -> Option<DocumentSymbolResponse>
            = requests::document_symbols;
        symbol(WorkspaceSymbolParams) -> Option<WorkspaceSymbolResponse>
            = requests::workspace_symbols;
        semantic_tokens_full(SemanticTokensParams) -> Option<SemanticTokensResult>
            = requests::semantic_tokens;
        semantic_tokens_range(SemanticTokensRangeParams) -> Option<SemanticTokensRangeResult>
            = requests::semantic_tokens_range;
        folding_range(FoldingRangeParams) -> Option<Vec<FoldingRange>> = requests::folding;
        formatting(DocumentFormattingParams) -> Option<Vec<TextEdit>> = requests::formatting;
        inlay_hint(InlayHintParams) -> Option<Vec<InlayHint>> = requests::inlays;
        code_action(CodeActionParams) -> Option<CodeActionResponse> = requests::code_actions;
    }

    async fn diagnostic(
        &self,
        params: DocumentDiagnosticParams,
    ) -> Result<DocumentDiagnosticReportResult> {
        let answer = self.ask(move |snapshot| requests::document_diagnostics(snapshot, params));
        answer.await.map_err(ask_again)
    }

    async fn workspace_diagnostic(
        &self,
        params: WorkspaceDiagnosticParams,
    ) -> Result<WorkspaceDiagnosticReportResult> {
        let answer = self.ask(move |snapshot| requests::workspace_diagnostics(snapshot, params));
        answer.await.map_err(ask_again)
    }
}
