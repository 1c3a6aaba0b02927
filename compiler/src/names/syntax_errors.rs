//! Syntax errors as diagnostics, and which declarations they leave unreliable.

use kait_syntax::ast::Decl;
use kait_syntax::{SyntaxError, SyntaxTree, TextRange};

use super::load::span_of;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Edit, FileId, Severity};

/// The declarations that a syntax error touches: nothing that is found inside is reported, and what they declare is
/// taken for anything, so that no second error follows from the first. Where the parser is sure what was meant, only the
/// place of the error itself.
pub(super) fn damage(tree: &SyntaxTree, errors: &[SyntaxError]) -> Vec<TextRange> {
    let mut damaged = Vec::new();
    let errors: Vec<_> = errors
        .iter()
        .filter(|error| error.severity() == kait_syntax::Severity::Error && !is_looked_up(error))
        .collect();
    if errors.is_empty() {
        return damaged;
    }
    let nodes: Vec<_> = tree.root().children().collect();
    let children: Vec<TextRange> = nodes.iter().map(|node| node.range()).collect();
    for error in errors {
        if error.understood {
            damaged.push(error.range);
            continue;
        }
        let before = damaged.len();
        for place in std::iter::once(error.range).chain(error.related.as_ref().map(|r| r.0)) {
            let first = children.partition_point(|child| child.end() < place.start());
            let count = children
                .iter()
                .skip(first)
                .take_while(|child| child.start() <= place.end())
                .count();
            damaged.extend(children.iter().skip(first).take(count));
            let touching = nodes.iter().skip(first).take(count);
            if touching.into_iter().any(|node| Decl::cast(*node).is_none()) {
                // Text between declarations was meant to belong to the one before, or is the start of the next.
                // What follows an early end looks like declarations that do not begin their line.
                let before = (0..first).rev();
                for index in before {
                    damaged.extend(children.get(index));
                    let start = children.get(index).map_or(0, |child| child.start().into());
                    if starts_line(tree.text(), start) {
                        break;
                    }
                }
                damaged.extend(children.get(first + count));
            }
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

/// Whether an error is about the spelling of a name that is declared elsewhere, if at all: whoever looks it up says what
/// it is called there, for no declaration can be spelt so.
fn is_looked_up(error: &SyntaxError) -> bool {
    error.code == kait_syntax::Code::LowerCase && error.fix.is_none()
}

fn starts_line(text: &str, offset: usize) -> bool {
    text.get(..offset).is_none_or(|before| before.is_empty() || before.ends_with('\n'))
}

/// Reports the errors. Behind one that no edit repairs the parser has to guess, so the rest of that declaration's errors
/// are left out: they may follow from the guess.
pub(super) fn report(
    file: FileId,
    errors: &[SyntaxError],
    damage: &[TextRange],
    diagnostics: &mut Diagnostics,
) {
    let mut guessed: Option<TextRange> = None;
    for error in errors.iter().filter(|error| !is_looked_up(error)) {
        if guessed.is_some_and(|declaration| declaration.contains_range(error.range)) {
            continue;
        }
        if error.severity() == kait_syntax::Severity::Error
            && error.fix.is_none()
            && !error.understood
        {
            // The largest damaged place around it is its declaration.
            let around = damage.iter().filter(|place| place.contains_range(error.range));
            guessed = around.max_by_key(|place| place.len()).copied();
        }
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
        finding = if fix.safe {
            finding.fix(fix.title.clone(), edits)
        } else {
            finding.guess(fix.title.clone(), edits)
        };
    }
    finding
}
