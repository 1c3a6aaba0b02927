//! What this server can do, and what of that the client can take.

use kait_ide::{InlayKinds, TokenKind};
use tower_lsp::ls_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability,
    CompletionOptions, CompletionOptionsCompletionItem, DiagnosticOptions,
    DiagnosticServerCapabilities, FoldingRangeProviderCapability, HoverProviderCapability,
    MarkupKind, OneOf, RenameOptions, SemanticTokenModifier, SemanticTokenType,
    SemanticTokensFullOptions, SemanticTokensLegend, SemanticTokensOptions,
    SemanticTokensServerCapabilities, ServerCapabilities, SignatureHelpOptions,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions, TypeDefinitionProviderCapability,
    WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use crate::positions::Encoding;

/// The name of the action that applies all certain fixes.
pub(crate) const FIX_ALL: CodeActionKind = CodeActionKind::new("source.fixAll.kait");

/// What the client can take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClientSupport {
    pub encoding: Encoding,
    /// It asks for findings, so they are not sent unasked.
    pub pulls: bool,
    pub refreshes_diagnostics: bool,
    pub registers_watchers: bool,
    pub snippets: bool,
    pub markdown: bool,
    pub nested_symbols: bool,
    pub document_changes: bool,
    pub code_action_literals: bool,
    pub related_information: bool,
    /// Which inlay hints its user wants, as its initialization options say it.
    pub inlays: InlayKinds,
}

impl ClientSupport {
    pub(crate) fn of(client: &ClientCapabilities, options: Option<&serde_json::Value>) -> Self {
        let offered =
            client.general.as_ref().and_then(|general| general.position_encodings.as_deref());
        let document = client.text_document.as_ref();
        let workspace = client.workspace.as_ref();
        let yes = |flag: Option<bool>| flag == Some(true);
        let item = document
            .and_then(|document| document.completion.as_ref())
            .and_then(|completion| completion.completion_item.as_ref());
        Self {
            encoding: Encoding::choose(offered.unwrap_or_default()),
            pulls: document.is_some_and(|document| document.diagnostic.is_some()),
            refreshes_diagnostics: workspace
                .and_then(|workspace| workspace.diagnostics.as_ref())
                .is_some_and(|diagnostics| yes(diagnostics.refresh_support)),
            registers_watchers: workspace
                .and_then(|workspace| workspace.did_change_watched_files.as_ref())
                .is_some_and(|watched| yes(watched.dynamic_registration)),
            snippets: item.is_some_and(|item| yes(item.snippet_support)),
            markdown: document
                .and_then(|document| document.hover.as_ref())
                .and_then(|hover| hover.content_format.as_ref())
                .is_none_or(|formats| formats.contains(&MarkupKind::Markdown)),
            nested_symbols: document
                .and_then(|document| document.document_symbol.as_ref())
                .is_some_and(|symbols| yes(symbols.hierarchical_document_symbol_support)),
            document_changes: workspace
                .and_then(|workspace| workspace.workspace_edit.as_ref())
                .is_some_and(|edit| yes(edit.document_changes)),
            code_action_literals: document
                .and_then(|document| document.code_action.as_ref())
                .is_some_and(|actions| actions.code_action_literal_support.is_some()),
            related_information: document
                .and_then(|document| document.publish_diagnostics.as_ref())
                .is_some_and(|publish| yes(publish.related_information))
                || document
                    .and_then(|document| document.diagnostic.as_ref())
                    .is_some_and(|pull| yes(pull.related_information)),
            inlays: inlays(options),
        }
    }
}

/// `{ "inlayHints": { "waits": true } }`: what is not said, or not as it should be, is as without options.
fn inlays(options: Option<&serde_json::Value>) -> InlayKinds {
    let hints = options.and_then(|options| options.get("inlayHints"));
    let wants = |name: &str, otherwise: bool| {
        let said = hints.and_then(|hints| hints.get(name)).and_then(serde_json::Value::as_bool);
        said.unwrap_or(otherwise)
    };
    let known = InlayKinds::default();
    InlayKinds {
        types: wants("types", known.types),
        effects: wants("effects", known.effects),
        cost: wants("cost", known.cost),
        waits: wants("waits", known.waits),
    }
}

/// What this server can do.
pub(crate) fn server(client: &ClientSupport) -> ServerCapabilities {
    let letters = |text: &str| Some(text.chars().map(String::from).collect());
    ServerCapabilities {
        position_encoding: Some(client.encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: letters("."),
            completion_item: Some(CompletionOptionsCompletionItem {
                label_details_support: Some(false),
            }),
            ..CompletionOptions::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: letters("(,"),
            retrigger_characters: letters(")"),
            ..SignatureHelpOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        type_definition_provider: Some(TypeDefinitionProviderCapability::Simple(true)),
        references_provider: Some(OneOf::Left(true)),
        document_highlight_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        code_action_provider: client.code_action_literals.then(|| {
            CodeActionProviderCapability::Options(CodeActionOptions {
                code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, FIX_ALL]),
                ..CodeActionOptions::default()
            })
        }),
        document_formatting_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: Default::default(),
        })),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        semantic_tokens_provider: Some(SemanticTokensServerCapabilities::SemanticTokensOptions(
            SemanticTokensOptions {
                legend: legend(),
                range: Some(true),
                full: Some(SemanticTokensFullOptions::Bool(true)),
                work_done_progress_options: Default::default(),
            },
        )),
        inlay_hint_provider: Some(OneOf::Left(true)),
        diagnostic_provider: Some(DiagnosticServerCapabilities::Options(DiagnosticOptions {
            identifier: Some("kait".to_owned()),
            inter_file_dependencies: true,
            workspace_diagnostics: true,
            work_done_progress_options: Default::default(),
        })),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..ServerCapabilities::default()
    }
}

/// Bits of modifiers, in the order of the legend.
pub(crate) const DECLARATION: u32 = 1;
pub(crate) const DEFAULT_LIBRARY: u32 = 2;
pub(crate) const READONLY: u32 = 4;

const TYPES: &[SemanticTokenType] = &[
    SemanticTokenType::COMMENT,
    SemanticTokenType::KEYWORD,
    SemanticTokenType::STRING,
    SemanticTokenType::NUMBER,
    SemanticTokenType::OPERATOR,
    SemanticTokenType::NAMESPACE,
    SemanticTokenType::TYPE,
    SemanticTokenType::ENUM,
    SemanticTokenType::STRUCT,
    SemanticTokenType::TYPE_PARAMETER,
    SemanticTokenType::ENUM_MEMBER,
    SemanticTokenType::PROPERTY,
    SemanticTokenType::PARAMETER,
    SemanticTokenType::VARIABLE,
    SemanticTokenType::FUNCTION,
    SemanticTokenType::REGEXP,
    SemanticTokenType::CLASS,
];

fn legend() -> SemanticTokensLegend {
    SemanticTokensLegend {
        token_types: TYPES.to_vec(),
        token_modifiers: vec![
            SemanticTokenModifier::DECLARATION,
            SemanticTokenModifier::DEFAULT_LIBRARY,
            SemanticTokenModifier::READONLY,
        ],
    }
}

/// The number of a kind in the legend.
pub(crate) fn token_type(kind: TokenKind) -> u32 {
    let wanted = match kind {
        TokenKind::Comment => SemanticTokenType::COMMENT,
        TokenKind::Keyword => SemanticTokenType::KEYWORD,
        TokenKind::String => SemanticTokenType::STRING,
        TokenKind::Escape => SemanticTokenType::REGEXP,
        TokenKind::Number => SemanticTokenType::NUMBER,
        TokenKind::Operator => SemanticTokenType::OPERATOR,
        TokenKind::Namespace => SemanticTokenType::NAMESPACE,
        TokenKind::Type => SemanticTokenType::TYPE,
        TokenKind::Enum => SemanticTokenType::ENUM,
        TokenKind::Struct => SemanticTokenType::STRUCT,
        TokenKind::TypeParameter => SemanticTokenType::TYPE_PARAMETER,
        TokenKind::EnumMember => SemanticTokenType::ENUM_MEMBER,
        TokenKind::Property => SemanticTokenType::PROPERTY,
        TokenKind::Parameter => SemanticTokenType::PARAMETER,
        TokenKind::Variable | TokenKind::Constant => SemanticTokenType::VARIABLE,
        TokenKind::Function => SemanticTokenType::FUNCTION,
        TokenKind::Model => SemanticTokenType::CLASS,
    };
    let found = TYPES.iter().position(|known| *known == wanted).unwrap_or(0);
    u32::try_from(found).unwrap_or(0)
}
