//! Syntax errors as diagnostics, and which declarations they leave unreliable.

use kait_syntax::{SyntaxError, SyntaxTree, TextRange};

use super::load::span_of;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Edit, FileId, Severity};

/// The declarations that a syntax error touches: nothing that is found inside is reported, and what they declare is
/// taken for anything, so that no second error follows from the first.
pub(super) fn damage(tree: &SyntaxTree, errors: &[SyntaxError]) -> Vec<TextRange> {
    let mut damaged = Vec::new();
    let errors: Vec<_> =
        errors.iter().filter(|error| error.severity() == kait_syntax::Severity::Error).collect();
    if errors.is_empty() {
        return damaged;
    }
    let children: Vec<TextRange> = tree.root().children().map(|node| node.range()).collect();
    for error in errors {
        let before = damaged.len();
        for place in std::iter::once(error.range).chain(error.related.as_ref().map(|r| r.0)) {
            let first = children.partition_point(|child| child.end() < place.start());
            let touching =
                children.iter().skip(first).take_while(|child| child.start() <= place.end());
            damaged.extend(touching.copied());
        }
        if damaged.len() == before {
            // Between declarations: it may belong to either.
            let next = children.partition_point(|child| child.end() < error.range.start());
            damaged.extend(next.checked_sub(1).and_then(|i| children.get(i)));
            damaged.extend(children.get(next));
        }
        damaged.push(error.range);
    }
    damaged.sort_unstable_by_key(|range| (range.start(), range.end()));
    damaged.dedup();
    damaged
}

pub(super) fn report(
    file: FileId,
    errors: &[SyntaxError],
    damage: &[TextRange],
    diagnostics: &mut Diagnostics,
) {
    for error in errors {
        diagnostics.push_always(diagnostic(file, error));
    }
    for range in damage {
        diagnostics.poison(span_of(file, *range));
    }
}

/// A syntax error as a diagnostic.
fn diagnostic(file: FileId, error: &SyntaxError) -> Diagnostic {
    let code = Code::parse(error.code.as_str()).unwrap_or(Code::Internal);
    let severity = match error.severity() {
        kait_syntax::Severity::Warning => Severity::Warning,
        kait_syntax::Severity::Error => Severity::Error,
    };
    let mut finding = Diagnostic::new(code, span_of(file, error.range), error.message.clone())
        .severity(severity)
        .maybe_help(error.help.clone());
    if let Some((range, text)) = &error.related {
        finding = finding.label(span_of(file, *range), text.clone());
    }
    if let Some(fix) = &error.fix {
        let edits = fix
            .edits
            .iter()
            .map(|edit| Edit::new(span_of(file, edit.range), edit.text.clone()))
            .collect();
        finding = finding.fix(fix.title.clone(), edits);
    }
    finding
}
