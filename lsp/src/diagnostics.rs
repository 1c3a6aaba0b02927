//! Findings of the compiler as the protocol's diagnostics, word for word.

use std::hash::{Hash as _, Hasher as _};

use kait_compiler::diagnostics::{Diagnostic as Finding, Severity, explain};
use tower_lsp::ls_types::{
    CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
    NumberOrString, Uri,
};

use crate::disk::page;
use crate::snapshot::{Opened, Snapshot};

/// Most further places that one finding shows.
const MAX_RELATED: usize = 64;

/// The findings in a file, in the order of the text.
pub(crate) fn of_file(opened: &Opened, snapshot: &Snapshot) -> Vec<Diagnostic> {
    let findings = opened.analysis.diagnostics(opened.file);
    findings.filter_map(|finding| one(opened, snapshot, finding)).collect()
}

/// One finding.
pub(crate) fn one(opened: &Opened, snapshot: &Snapshot, finding: &Finding) -> Option<Diagnostic> {
    let file = opened.analysis.source(finding.primary.span.file)?;
    let related = finding.labels.iter().take(MAX_RELATED).filter_map(|label| {
        let location = opened.location(snapshot, label.span)?;
        Some(DiagnosticRelatedInformation { location, message: label.text.clone() })
    });
    let related: Vec<_> = match snapshot.client.related_information {
        true => related.collect(),
        false => Vec::new(),
    };
    let unused = finding.severity == Severity::Warning && finding.message.ends_with("never used");
    Some(Diagnostic {
        range: snapshot.range(file, finding.primary.span),
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
            Severity::Note => DiagnosticSeverity::INFORMATION,
        }),
        code: Some(NumberOrString::String(finding.code.clone())),
        code_description: description(&finding.code),
        source: Some("kait".to_owned()),
        message: message(finding),
        related_information: (!related.is_empty()).then_some(related),
        tags: unused.then(|| vec![DiagnosticTag::UNNECESSARY]),
        data: None,
    })
}

/// The sentence, then what stands under its place, the notes and the help: a line each, in the words that `kait check`
/// prints.
fn message(finding: &Finding) -> String {
    let mut text = finding.message.clone();
    let mut line = |before: &str, words: &str| {
        if !words.is_empty() {
            text.push('\n');
            text.push_str(before);
            text.push_str(words);
        }
    };
    line("", &finding.primary.text);
    for note in &finding.notes {
        line("note: ", note);
    }
    if let Some(help) = &finding.help {
        line("help: ", help);
    }
    text
}

/// Where the page of a code is.
fn description(code: &str) -> Option<CodeDescription> {
    let path = page(&format!("{code}.md"), explain(code)?)?;
    Some(CodeDescription { href: Uri::from_file_path(path)? })
}

/// A name for what was found: the same exactly if the findings are the same.
pub(crate) fn result_id(findings: &[Diagnostic]) -> String {
    let mut hasher = rustc_hash::FxHasher::default();
    // Strings and numbers only: this cannot fail.
    serde_json::to_string(findings).unwrap_or_default().hash(&mut hasher);
    format!("{}-{:016x}", findings.len(), hasher.finish())
}
