//! Answers of `kait_ide` in the protocol's types.

use kait_compiler::diagnostics::Span;
use kait_ide::{Completion, CompletionKind, Outline, OutlineKind, SemanticToken, TextEdit};
use tower_lsp::ls_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, DocumentChanges, DocumentSymbol,
    Documentation, Hover, HoverContents, InsertTextFormat, Location, MarkupContent, MarkupKind,
    OneOf, OptionalVersionedTextDocumentIdentifier, Range, SemanticToken as ProtoToken,
    SymbolInformation, SymbolKind, TextDocumentEdit, TextEdit as ProtoEdit, Uri, WorkspaceEdit,
};

use crate::capabilities::{DECLARATION, DEFAULT_LIBRARY, READONLY, token_type};
use crate::documents::path_of;
use crate::snapshot::{Opened, Snapshot};

/// Text for people: as Markdown if the client shows it.
pub(crate) fn markup(snapshot: &Snapshot, markdown: String) -> MarkupContent {
    let kind = if snapshot.client.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText };
    MarkupContent { kind, value: markdown }
}

pub(crate) fn hover(opened: &Opened, snapshot: &Snapshot, hover: kait_ide::Hover) -> Hover {
    Hover {
        range: opened.source().map(|file| snapshot.range(file, hover.span)),
        contents: HoverContents::Markup(markup(snapshot, hover.markdown)),
    }
}

/// Edits of one file of the analysis.
pub(crate) fn edits(opened: &Opened, snapshot: &Snapshot, edits: &[TextEdit]) -> Vec<ProtoEdit> {
    edits
        .iter()
        .filter_map(|edit| {
            let file = opened.analysis.source(edit.span.file)?;
            Some(ProtoEdit::new(snapshot.range(file, edit.span), edit.insert.clone()))
        })
        .collect()
}

/// Edits of several files: of those that are open, of the version that they were made for.
pub(crate) fn workspace_edit(
    opened: &Opened,
    snapshot: &Snapshot,
    all: &[TextEdit],
) -> Option<WorkspaceEdit> {
    let mut by_file: Vec<(Uri, Vec<ProtoEdit>)> = Vec::new();
    for edit in all {
        let uri = opened.uri(snapshot, edit.span.file)?;
        let made = edits(opened, snapshot, std::slice::from_ref(edit));
        match by_file.iter_mut().find(|(known, _)| *known == uri) {
            Some((_, known)) => known.extend(made),
            None => by_file.push((uri, made)),
        }
    }
    if !snapshot.client.document_changes {
        return Some(WorkspaceEdit {
            changes: Some(by_file.into_iter().collect()),
            ..WorkspaceEdit::default()
        });
    }
    let changes = by_file.into_iter().map(|(uri, edits)| {
        let version = snapshot.document(&path_of(&uri)).map(|document| document.version);
        TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier { uri, version },
            edits: edits.into_iter().map(OneOf::Left).collect(),
        }
    });
    Some(WorkspaceEdit {
        document_changes: Some(DocumentChanges::Edits(changes.collect())),
        ..WorkspaceEdit::default()
    })
}

pub(crate) fn completion(
    opened: &Opened,
    snapshot: &Snapshot,
    position: usize,
    item: Completion,
) -> Option<CompletionItem> {
    let range = snapshot.range(opened.source()?, item.replace);
    let snippet = item.snippet.filter(|_| snapshot.client.snippets);
    let format = snippet.as_ref().map(|_| InsertTextFormat::SNIPPET);
    Some(CompletionItem {
        kind: Some(match item.kind {
            CompletionKind::Local => CompletionItemKind::VARIABLE,
            CompletionKind::Field => CompletionItemKind::FIELD,
            CompletionKind::Argument => CompletionItemKind::PROPERTY,
            CompletionKind::Constant => CompletionItemKind::CONSTANT,
            CompletionKind::Function => CompletionItemKind::FUNCTION,
            CompletionKind::Record => CompletionItemKind::STRUCT,
            CompletionKind::Enum => CompletionItemKind::ENUM,
            CompletionKind::Variant => CompletionItemKind::ENUM_MEMBER,
            CompletionKind::Type => CompletionItemKind::CLASS,
            CompletionKind::TypeParameter => CompletionItemKind::TYPE_PARAMETER,
            CompletionKind::Module => CompletionItemKind::MODULE,
            CompletionKind::Role => CompletionItemKind::INTERFACE,
            CompletionKind::Policy => CompletionItemKind::PROPERTY,
            CompletionKind::Keyword => CompletionItemKind::KEYWORD,
        }),
        detail: item.detail,
        documentation: item.docs.map(|docs| Documentation::MarkupContent(markup(snapshot, docs))),
        additional_text_edits: (!item.also.is_empty()).then(|| edits(opened, snapshot, &item.also)),
        sort_text: Some(format!("{position:05}")),
        insert_text_format: format,
        text_edit: Some(CompletionTextEdit::Edit(ProtoEdit::new(
            range,
            snippet.unwrap_or(item.insert),
        ))),
        label: item.label,
        ..CompletionItem::default()
    })
}

pub(crate) fn symbol_kind(kind: OutlineKind) -> SymbolKind {
    match kind {
        OutlineKind::Const => SymbolKind::CONSTANT,
        OutlineKind::Record => SymbolKind::STRUCT,
        OutlineKind::Enum => SymbolKind::ENUM,
        OutlineKind::Variant => SymbolKind::ENUM_MEMBER,
        OutlineKind::Field => SymbolKind::FIELD,
        OutlineKind::Alias => SymbolKind::CLASS,
        OutlineKind::Model => SymbolKind::INTERFACE,
        OutlineKind::Secret => SymbolKind::KEY,
        OutlineKind::Fn | OutlineKind::Extern => SymbolKind::FUNCTION,
        OutlineKind::Graph | OutlineKind::Prompt | OutlineKind::Agent => SymbolKind::METHOD,
        OutlineKind::Session => SymbolKind::OBJECT,
        OutlineKind::Trigger | OutlineKind::Test => SymbolKind::EVENT,
    }
}

#[expect(deprecated, reason = "the type has a field that nobody uses any more")]
pub(crate) fn document_symbol(
    opened: &Opened,
    snapshot: &Snapshot,
    outline: Outline,
) -> Option<DocumentSymbol> {
    let file = opened.source()?;
    let children: Vec<_> = outline
        .children
        .into_iter()
        .filter_map(|child| document_symbol(opened, snapshot, child))
        .collect();
    Some(DocumentSymbol {
        name: outline.name,
        detail: (!outline.detail.is_empty()).then_some(outline.detail),
        kind: symbol_kind(outline.kind),
        tags: None,
        deprecated: None,
        range: snapshot.range(file, outline.span),
        selection_range: snapshot.range(file, outline.name_span),
        children: (!children.is_empty()).then_some(children),
    })
}

/// A symbol in a list, for clients that know no tree, and for the workspace.
#[expect(deprecated, reason = "the type has a field that nobody uses any more")]
pub(crate) fn symbol_information(
    name: String,
    kind: OutlineKind,
    location: Location,
    container_name: Option<String>,
) -> SymbolInformation {
    SymbolInformation {
        name,
        kind: symbol_kind(kind),
        tags: None,
        deprecated: None,
        location,
        container_name,
    }
}

/// Tokens as the protocol sends them: each relative to the one before, none over several lines.
pub(crate) fn tokens(
    opened: &Opened,
    snapshot: &Snapshot,
    tokens: &[SemanticToken],
) -> Vec<ProtoToken> {
    let Some(file) = opened.source() else { return Vec::new() };
    let encoding = snapshot.client.encoding;
    let mut out = Vec::with_capacity(tokens.len());
    let (mut line, mut column) = (0, 0);
    for token in tokens {
        let mut start = token.span.start;
        let mut modifiers = 0;
        for (on, bit) in [
            (token.declares, DECLARATION),
            (token.is_std, DEFAULT_LIBRARY),
            (token.kind == kait_ide::TokenKind::Constant, READONLY),
        ] {
            modifiers |= if on { bit } else { 0 };
        }
        while start < token.span.end {
            let at = start;
            let of_line = file.lines.line_end(file.lines.line_col(at.into()).line);
            start = of_line.map_or(token.span.end, u32::from).clamp(at + 1, token.span.end);
            let part = file.text().get(at as usize..start as usize).unwrap_or_default();
            let shown = part.trim_end_matches(['\r', '\n']);
            if shown.is_empty() {
                continue;
            }
            let at = encoding.position(file.text(), &file.lines, at);
            let delta_start = if at.line == line { at.character - column } else { at.character };
            out.push(ProtoToken {
                delta_line: at.line - line,
                delta_start,
                length: encoding.length(shown),
                token_type: token_type(token.kind),
                token_modifiers_bitset: modifiers,
            });
            (line, column) = (at.line, at.character);
        }
    }
    out
}

/// A range of a file of the analysis.
pub(crate) fn range(opened: &Opened, snapshot: &Snapshot, span: Span) -> Option<Range> {
    Some(snapshot.range(opened.analysis.source(span.file)?, span))
}
