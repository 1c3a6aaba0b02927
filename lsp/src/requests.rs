//! Every question of the protocol: what it asks of `kait_ide`, and what becomes of the answer.
//!
//! Each is a function of a snapshot and the parameters. They run on workers, side by side, and never see the state.

use std::path::PathBuf;

use kait_compiler::diagnostics::Span;
use kait_ide::{FoldKind, HighlightKind, InlayKind};
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::request::{GotoTypeDefinitionParams, GotoTypeDefinitionResponse};
use tower_lsp::ls_types::*;

use crate::capabilities::FIX_ALL;
use crate::diagnostics;
use crate::disk::{is_page, package_of, programs};
use crate::documents::{is_unsaved, path_of};
use crate::snapshot::{Opened, Snapshot};
use crate::to_proto;

/// A place in a text that is asked about.
fn at(snapshot: &Snapshot, params: &TextDocumentPositionParams) -> Result<Option<(Opened, u32)>> {
    let Some(opened) = snapshot.open(&params.text_document.uri)? else { return Ok(None) };
    let offset = opened.offset(snapshot, params.position);
    Ok(Some((opened, offset)))
}

pub(crate) fn hover(snapshot: &Snapshot, params: HoverParams) -> Result<Option<Hover>> {
    let Some((opened, offset)) = at(snapshot, &params.text_document_position_params)? else {
        return Ok(None);
    };
    let found = opened.analysis.hover(opened.file, offset);
    Ok(found.map(|found| to_proto::hover(&opened, snapshot, found)))
}

pub(crate) fn definition(
    snapshot: &Snapshot,
    params: GotoDefinitionParams,
) -> Result<Option<GotoDefinitionResponse>> {
    let Some((opened, offset)) = at(snapshot, &params.text_document_position_params)? else {
        return Ok(None);
    };
    let found = opened.analysis.definition(opened.file, offset);
    let location = found.and_then(|span| opened.location(snapshot, span));
    Ok(location.map(GotoDefinitionResponse::Scalar))
}

pub(crate) fn type_definition(
    snapshot: &Snapshot,
    params: GotoTypeDefinitionParams,
) -> Result<Option<GotoTypeDefinitionResponse>> {
    let Some((opened, offset)) = at(snapshot, &params.text_document_position_params)? else {
        return Ok(None);
    };
    let found = opened.analysis.type_definition(opened.file, offset);
    let location = found.and_then(|span| opened.location(snapshot, span));
    Ok(location.map(GotoTypeDefinitionResponse::Scalar))
}

pub(crate) fn references(
    snapshot: &Snapshot,
    params: ReferenceParams,
) -> Result<Option<Vec<Location>>> {
    let uri = &params.text_document_position.text_document.uri;
    if is_page(&path_of(uri)) {
        return references_of_page(snapshot, &params);
    }
    let Some(opened) = snapshot.open_package(uri)? else { return Ok(None) };
    let offset = opened.offset(snapshot, params.text_document_position.position);
    let declaration = params.context.include_declaration;
    let found = opened.analysis.references(opened.file, offset, declaration);
    Ok(Some(found.into_iter().filter_map(|span| opened.location(snapshot, span)).collect()))
}

/// The uses of what stands on a page of the standard library: on the page itself, and in all packages of the workspace
/// that read that module.
fn references_of_page(
    snapshot: &Snapshot,
    params: &ReferenceParams,
) -> Result<Option<Vec<Location>>> {
    let position = &params.text_document_position;
    let page = path_of(&position.text_document.uri);
    let Some(opened) = snapshot.open(&position.text_document.uri)? else { return Ok(None) };
    let offset = opened.offset(snapshot, position.position);
    let declaration = params.context.include_declaration;
    let found = opened.analysis.references(opened.file, offset, declaration);
    let mut out: Vec<Location> =
        found.into_iter().filter_map(|span| opened.location(snapshot, span)).collect();
    let Some(name) = page.file_name().and_then(|name| name.to_str()) else { return Ok(Some(out)) };
    let module = format!("std/{name}");
    for (root, first) in packages(snapshot)? {
        if is_page(&root.join(&first)) {
            continue;
        }
        let analysis = snapshot.package(&root, &first)?;
        let Some(file) = analysis.file(&module).filter(|file| analysis.is_std(*file)) else {
            continue;
        };
        // A page of another version has other places.
        let text =
            |source: Option<&kait_compiler::sources::File>| source.map(|f| f.text().to_owned());
        if text(analysis.source(file)) != text(opened.source()) {
            continue;
        }
        let found = analysis.references(file, offset, false);
        let package = Opened { analysis, file, root };
        out.extend(found.into_iter().filter_map(|span| package.location(snapshot, span)));
    }
    Ok(Some(out))
}

pub(crate) fn highlights(
    snapshot: &Snapshot,
    params: DocumentHighlightParams,
) -> Result<Option<Vec<DocumentHighlight>>> {
    let Some((opened, offset)) = at(snapshot, &params.text_document_position_params)? else {
        return Ok(None);
    };
    let found = opened.analysis.highlights(opened.file, offset);
    let found = found.into_iter().filter_map(|one| {
        let kind = match one.kind {
            HighlightKind::Write => DocumentHighlightKind::WRITE,
            HighlightKind::Read => DocumentHighlightKind::READ,
        };
        let range = to_proto::range(&opened, snapshot, one.span)?;
        Some(DocumentHighlight { range, kind: Some(kind) })
    });
    Ok(Some(found.collect()))
}

pub(crate) fn prepare_rename(
    snapshot: &Snapshot,
    params: TextDocumentPositionParams,
) -> Result<Option<PrepareRenameResponse>> {
    not_std(&params.text_document.uri)?;
    let Some((opened, offset)) = at(snapshot, &params)? else { return Ok(None) };
    match opened.analysis.prepare_rename(opened.file, offset) {
        Ok(span) => {
            let Some(file) = opened.source() else { return Ok(None) };
            let placeholder = opened.analysis.compilation().files.slice(span).to_owned();
            let range = snapshot.range(file, span);
            Ok(Some(PrepareRenameResponse::RangeWithPlaceholder { range, placeholder }))
        }
        Err(refused) => Err(refusal(refused.to_string())),
    }
}

pub(crate) fn rename(snapshot: &Snapshot, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
    let uri = &params.text_document_position.text_document.uri;
    not_std(uri)?;
    let Some(opened) = snapshot.open_package(uri)? else { return Ok(None) };
    let offset = opened.offset(snapshot, params.text_document_position.position);
    let sources = snapshot.sources(&opened.root);
    let renamed = opened.analysis.rename(&sources, opened.file, offset, &params.new_name);
    match renamed {
        Ok(rename) => {
            let edits: Vec<_> = rename.edits.into_iter().flat_map(|(_, edits)| edits).collect();
            Ok(to_proto::workspace_edit(&opened, snapshot, &edits))
        }
        Err(refused) => Err(refusal(refused.to_string())),
    }
}

/// The pages that show the standard library are copies: what is changed there changes nothing.
fn not_std(uri: &Uri) -> Result<()> {
    match is_page(&path_of(uri)) {
        true => Err(refusal("this is a copy of the standard library, which nobody renames".into())),
        false => Ok(()),
    }
}

/// "It cannot be done, because …": what a person is shown.
fn refusal(why: String) -> Error {
    // The protocol's `RequestFailed`: the request was right, but it cannot be done.
    Error { code: ErrorCode::ServerError(-32803), message: why.into(), data: None }
}

pub(crate) fn completion(
    snapshot: &Snapshot,
    params: CompletionParams,
) -> Result<Option<CompletionResponse>> {
    let Some((opened, offset)) = at(snapshot, &params.text_document_position)? else {
        return Ok(None);
    };
    let sources = snapshot.sources(&opened.root);
    let found = opened.analysis.completions_among(&sources, opened.file, offset);
    let items = found
        .into_iter()
        .enumerate()
        .filter_map(|(position, item)| to_proto::completion(&opened, snapshot, position, item))
        .collect();
    // With more letters there may be more: functions of std are found by their own names.
    Ok(Some(CompletionResponse::List(CompletionList { is_incomplete: true, items })))
}

pub(crate) fn signature_help(
    snapshot: &Snapshot,
    params: SignatureHelpParams,
) -> Result<Option<SignatureHelp>> {
    let Some((opened, offset)) = at(snapshot, &params.text_document_position_params)? else {
        return Ok(None);
    };
    let Some(help) = opened.analysis.signature_help(opened.file, offset) else { return Ok(None) };
    let doc = |docs: String| Documentation::MarkupContent(to_proto::markup(snapshot, docs));
    // Said of none, clients take the first; a number behind the last one marks none in most of them.
    let active = help.active.unwrap_or(help.params.len());
    let active = u32::try_from(active).ok();
    let parameters = help.params.into_iter().map(|param| ParameterInformation {
        label: ParameterLabel::Simple(
            help.label.get(param.range.0..param.range.1).unwrap_or(&param.name).to_owned(),
        ),
        documentation: param.docs.map(doc),
    });
    let parameters = parameters.collect();
    let signature = SignatureInformation {
        label: help.label,
        documentation: help.docs.map(doc),
        parameters: Some(parameters),
        active_parameter: active,
    };
    Ok(Some(SignatureHelp {
        signatures: vec![signature],
        active_signature: Some(0),
        active_parameter: active,
    }))
}

pub(crate) fn document_symbols(
    snapshot: &Snapshot,
    params: DocumentSymbolParams,
) -> Result<Option<DocumentSymbolResponse>> {
    let uri = params.text_document.uri;
    let Some(opened) = snapshot.open(&uri)? else { return Ok(None) };
    let outline = opened.analysis.outline(opened.file);
    if snapshot.client.nested_symbols {
        let nested = outline
            .into_iter()
            .filter_map(|one| to_proto::document_symbol(&opened, snapshot, one))
            .collect();
        return Ok(Some(DocumentSymbolResponse::Nested(nested)));
    }
    let mut flat = Vec::new();
    for one in outline {
        let container = one.name.clone();
        for (one, container) in
            one.children.clone().into_iter().map(|child| (child, Some(container.clone())))
        {
            if let Some(location) = opened.location(snapshot, one.name_span) {
                flat.push(to_proto::symbol_information(one.name, one.kind, location, container));
            }
        }
        if let Some(location) = opened.location(snapshot, one.name_span) {
            flat.push(to_proto::symbol_information(one.name, one.kind, location, None));
        }
    }
    Ok(Some(DocumentSymbolResponse::Flat(flat)))
}

/// The packages of the workspace, each with one of its files.
fn packages(snapshot: &Snapshot) -> Result<Vec<(PathBuf, String)>> {
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    for path in workspace_files(snapshot)? {
        if let Some((root, inner)) = package_of(&path)
            && !found.iter().any(|(known, _)| *known == root)
        {
            found.push((root, inner));
        }
    }
    // A folder of single files holds those of the folders below, too: they are asked once.
    let roots: Vec<PathBuf> = found.iter().map(|(root, _)| root.clone()).collect();
    found.retain(|(root, _)| !roots.iter().any(|other| other != root && root.starts_with(other)));
    Ok(found)
}

/// Every program of the workspace folders, and what else is open.
fn workspace_files(snapshot: &Snapshot) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = snapshot.documents.keys().cloned().collect();
    for folder in snapshot.folders.iter() {
        snapshot.check()?;
        paths.extend(programs(folder));
    }
    paths.sort_unstable();
    paths.dedup();
    Ok(paths)
}

pub(crate) fn workspace_symbols(
    snapshot: &Snapshot,
    params: WorkspaceSymbolParams,
) -> Result<Option<WorkspaceSymbolResponse>> {
    let mut out = Vec::new();
    for (root, first) in packages(snapshot)? {
        let analysis = snapshot.package(&root, &first)?;
        let Some(file) = analysis.file(&first) else { continue };
        let opened = Opened { analysis, file, root };
        for found in opened.analysis.search(&params.query) {
            if let Some(location) = opened.location(snapshot, found.span) {
                let module = Some(found.module);
                out.push(to_proto::symbol_information(found.name, found.kind, location, module));
            }
        }
    }
    Ok(Some(WorkspaceSymbolResponse::Flat(out)))
}

pub(crate) fn semantic_tokens(
    snapshot: &Snapshot,
    params: SemanticTokensParams,
) -> Result<Option<SemanticTokensResult>> {
    let Some(opened) = snapshot.open(&params.text_document.uri)? else { return Ok(None) };
    let found = opened.analysis.semantic_tokens(opened.file, None);
    let data = to_proto::tokens(&opened, snapshot, &found);
    Ok(Some(SemanticTokensResult::Tokens(SemanticTokens { result_id: None, data })))
}

pub(crate) fn semantic_tokens_range(
    snapshot: &Snapshot,
    params: SemanticTokensRangeParams,
) -> Result<Option<SemanticTokensRangeResult>> {
    let Some(opened) = snapshot.open(&params.text_document.uri)? else { return Ok(None) };
    let span = opened.span(snapshot, params.range);
    let found = opened.analysis.semantic_tokens(opened.file, Some(span));
    let data = to_proto::tokens(&opened, snapshot, &found);
    Ok(Some(SemanticTokensRangeResult::Tokens(SemanticTokens { result_id: None, data })))
}

pub(crate) fn folding(
    snapshot: &Snapshot,
    params: FoldingRangeParams,
) -> Result<Option<Vec<FoldingRange>>> {
    let Some(opened) = snapshot.open(&params.text_document.uri)? else { return Ok(None) };
    let folds = opened.analysis.folds(opened.file).into_iter().filter_map(|fold| {
        let range = to_proto::range(&opened, snapshot, fold.span)?;
        Some(FoldingRange {
            start_line: range.start.line,
            start_character: None,
            end_line: match fold.kind {
                // The line of the closing bracket stays.
                FoldKind::Region => range.end.line.saturating_sub(1).max(range.start.line),
                FoldKind::Comment | FoldKind::Imports => range.end.line,
            },
            end_character: None,
            kind: match fold.kind {
                FoldKind::Region => None,
                FoldKind::Comment => Some(FoldingRangeKind::Comment),
                FoldKind::Imports => Some(FoldingRangeKind::Imports),
            },
            collapsed_text: None,
        })
    });
    Ok(Some(folds.filter(|fold| fold.start_line < fold.end_line).collect()))
}

pub(crate) fn formatting(
    snapshot: &Snapshot,
    params: DocumentFormattingParams,
) -> Result<Option<Vec<TextEdit>>> {
    if is_page(&path_of(&params.text_document.uri)) {
        return Ok(Some(Vec::new()));
    }
    let Some(opened) = snapshot.open(&params.text_document.uri)? else { return Ok(None) };
    // Editors show the words of a refusal; an empty answer would look as if all were well.
    let edits = opened.analysis.format(opened.file).map_err(|why| refusal(why.to_string()))?;
    Ok(Some(to_proto::edits(&opened, snapshot, &edits)))
}

pub(crate) fn inlays(
    snapshot: &Snapshot,
    params: InlayHintParams,
) -> Result<Option<Vec<InlayHint>>> {
    let Some(opened) = snapshot.open(&params.text_document.uri)? else { return Ok(None) };
    let span = opened.span(snapshot, params.range);
    let hints =
        opened.analysis.inlays(span, snapshot.client.inlays).into_iter().filter_map(|inlay| {
            let place = Span::new(opened.file, inlay.offset, inlay.offset);
            let range = to_proto::range(&opened, snapshot, place)?;
            Some(InlayHint {
                position: range.start,
                text_edits: inlay
                    .insertable
                    .then(|| vec![TextEdit::new(range, inlay.text.clone())]),
                label: InlayHintLabel::String(inlay.text),
                // Others have no kind in the protocol.
                kind: (inlay.kind == InlayKind::Type).then_some(InlayHintKind::TYPE),
                tooltip: (!inlay.why.is_empty()).then_some(InlayHintTooltip::String(inlay.why)),
                padding_left: None,
                padding_right: None,
                data: None,
            })
        });
    Ok(Some(hints.collect()))
}

pub(crate) fn code_actions(
    snapshot: &Snapshot,
    params: CodeActionParams,
) -> Result<Option<CodeActionResponse>> {
    if is_page(&path_of(&params.text_document.uri)) {
        return Ok(Some(Vec::new()));
    }
    let Some(opened) = snapshot.open(&params.text_document.uri)? else { return Ok(None) };
    let span = opened.span(snapshot, params.range);
    let wants = |kind: &CodeActionKind| {
        params.context.only.as_ref().is_none_or(|only| {
            only.iter().any(|only| {
                let (only, kind) = (only.as_str(), kind.as_str());
                only.is_empty() || kind == only || kind.starts_with(&format!("{only}."))
            })
        })
    };
    let mut actions = Vec::new();
    if wants(&CodeActionKind::QUICKFIX) {
        for fix in opened.analysis.proven_fixes(&snapshot.sources(&opened.root), span) {
            let Some(edit) = to_proto::workspace_edit(&opened, snapshot, &fix.edits) else {
                continue;
            };
            let finding = diagnostics::one(&opened, snapshot, fix.finding);
            actions.push(CodeActionOrCommand::CodeAction(CodeAction {
                title: fix.title.to_owned(),
                kind: Some(CodeActionKind::QUICKFIX),
                diagnostics: finding.map(|finding| vec![finding]),
                edit: Some(edit),
                is_preferred: Some(fix.safe),
                ..CodeAction::default()
            }));
        }
    }
    // Only for whoever asks for it: it compiles the file again until nothing is left to do.
    if params.context.only.is_some() && wants(&FIX_ALL) {
        let edits = opened.analysis.fix_all(&snapshot.sources(&opened.root), opened.file);
        if !edits.is_empty()
            && let Some(edit) = to_proto::workspace_edit(&opened, snapshot, &edits)
        {
            actions.push(CodeActionOrCommand::CodeAction(CodeAction {
                title: "apply all certain fixes of this file".to_owned(),
                kind: Some(FIX_ALL),
                edit: Some(edit),
                ..CodeAction::default()
            }));
        }
    }
    Ok(Some(actions))
}

/// The findings of a file, open or not.
pub(crate) fn findings(snapshot: &Snapshot, uri: &Uri) -> Result<Vec<Diagnostic>> {
    let path = path_of(uri);
    if is_page(&path) {
        return Ok(Vec::new());
    }
    if snapshot.documents.contains_key(&path) {
        let opened = snapshot.open(uri)?;
        return Ok(opened.map_or(Vec::new(), |opened| diagnostics::of_file(&opened, snapshot)));
    }
    let found = snapshot.closed_findings(&path, |opened| diagnostics::of_file(opened, snapshot))?;
    Ok(found.to_vec())
}

pub(crate) fn document_diagnostics(
    snapshot: &Snapshot,
    params: DocumentDiagnosticParams,
) -> Result<DocumentDiagnosticReportResult> {
    let items = findings(snapshot, &params.text_document.uri)?;
    let result_id = diagnostics::result_id(&items);
    let report = if params.previous_result_id.as_ref() == Some(&result_id) {
        DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
            related_documents: None,
            unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport { result_id },
        })
    } else {
        DocumentDiagnosticReport::Full(RelatedFullDocumentDiagnosticReport {
            related_documents: None,
            full_document_diagnostic_report: FullDocumentDiagnosticReport {
                result_id: Some(result_id),
                items,
            },
        })
    };
    Ok(DocumentDiagnosticReportResult::Report(report))
}

pub(crate) fn workspace_diagnostics(
    snapshot: &Snapshot,
    params: WorkspaceDiagnosticParams,
) -> Result<WorkspaceDiagnosticReportResult> {
    let mut items = Vec::new();
    for path in workspace_files(snapshot)? {
        if is_unsaved(&path) || is_page(&path) {
            continue;
        }
        let Some(uri) = snapshot.uri(&path) else { continue };
        let version = snapshot.document(&path).map(|document| i64::from(document.version));
        let found = findings(snapshot, &uri)?;
        let result_id = diagnostics::result_id(&found);
        let known = params
            .previous_result_ids
            .iter()
            .any(|known| known.value == result_id && path_of(&known.uri) == path);
        items.push(if known {
            WorkspaceDocumentDiagnosticReport::Unchanged(
                WorkspaceUnchangedDocumentDiagnosticReport {
                    uri,
                    version,
                    unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport {
                        result_id,
                    },
                },
            )
        } else {
            WorkspaceDocumentDiagnosticReport::Full(WorkspaceFullDocumentDiagnosticReport {
                uri,
                version,
                full_document_diagnostic_report: FullDocumentDiagnosticReport {
                    result_id: Some(result_id),
                    items: found,
                },
            })
        });
    }
    Ok(WorkspaceDiagnosticReportResult::Report(WorkspaceDiagnosticReport { items }))
}
