//! Applying fixes to texts.
//!
//! Fixes are applied whole or not at all. Of two that touch the same place the first in the text wins; the other may be
//! applied in a next round, after compiling again: whoever calls does that, at most [`MAX_ROUNDS`] times.

use super::{Diagnostic, Edit, FileId, Fix};

/// Rounds of compiling and fixing after which a tool stops: fixes that undo each other must not loop.
pub const MAX_ROUNDS: usize = 8;

/// Which fixes to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Those that surely mean what was meant.
    Safe,
    /// Also guesses, such as a similar name: the first of each finding.
    All,
}

/// The text of a file with the fixes of the findings applied, and how many were.
#[must_use]
pub fn apply(file: FileId, text: &str, findings: &[Diagnostic], choice: Choice) -> (String, usize) {
    let mut edits: Vec<&Edit> = Vec::new();
    let mut applied = 0;
    for finding in findings {
        let fix = finding.fixes.iter().find(|fix| fix.safe || choice == Choice::All);
        if let Some(fix) = fix.filter(|fix| fits(file, text, fix, &edits)) {
            edits.extend(&fix.edits);
            applied += 1;
        }
    }
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0usize;
    for edit in edits {
        out.push_str(text.get(done..edit.span.start as usize).unwrap_or_default());
        out.push_str(&edit.insert);
        done = edit.span.end as usize;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    (out, applied)
}

/// Whether all edits of a fix are in the file, at character boundaries, and touch none that is applied already.
fn fits(file: FileId, text: &str, fix: &Fix, applied: &[&Edit]) -> bool {
    let inside = |edit: &Edit| {
        edit.span.file == file
            && text.get(edit.span.start as usize..edit.span.end as usize).is_some()
    };
    let apart = |a: &Edit, b: &Edit| {
        let both_insert = a.span.start == a.span.end && b.span == a.span;
        !both_insert && (a.span.end <= b.span.start || b.span.end <= a.span.start)
    };
    let own = |i: usize, edit: &Edit| fix.edits.iter().skip(i + 1).all(|other| apart(edit, other));
    !fix.edits.is_empty()
        && fix.edits.iter().enumerate().all(|(i, edit)| {
            inside(edit) && own(i, edit) && applied.iter().all(|other| apart(edit, other))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Code, Span};

    const FILE: FileId = FileId(0);

    fn finding(edits: &[(u32, u32, &str)], safe: bool) -> Diagnostic {
        let at = |start, end| Span { file: FILE, start, end };
        let edits: Vec<_> =
            edits.iter().map(|(start, end, insert)| Edit::new(at(*start, *end), *insert)).collect();
        let finding = Diagnostic::new(Code::UnknownName, at(0, 1), "m");
        if safe { finding.fix("f", edits) } else { finding.guess("f", edits) }
    }

    fn fixed(text: &str, findings: &[Diagnostic], choice: Choice) -> (String, usize) {
        apply(FILE, text, findings, choice)
    }

    #[test]
    fn edits_are_applied_in_the_order_of_the_text() {
        let findings = [finding(&[(4, 5, "E"), (0, 1, "A")], true), finding(&[(2, 2, "!")], true)];
        assert_eq!(fixed("abcde", &findings, Choice::Safe), ("Ab!cdE".into(), 2));
    }

    #[test]
    fn what_overlaps_waits_and_what_does_not_fit_is_left() {
        let findings = [
            finding(&[(0, 3, "x")], true),
            finding(&[(4, 5, "y"), (2, 3, "z")], true),
            finding(&[(3, 99, "q")], true),
            finding(&[(5, 5, "1"), (5, 5, "2")], true),
        ];
        assert_eq!(fixed("abcde", &findings, Choice::Safe), ("xde".into(), 1));
        assert_eq!(fixed("é", &[finding(&[(1, 2, "e")], true)], Choice::Safe), ("é".into(), 0));
    }

    #[test]
    fn guesses_are_applied_only_when_asked_for() {
        let findings = [finding(&[(0, 1, "A")], false)];
        assert_eq!(fixed("ab", &findings, Choice::Safe), ("ab".into(), 0));
        assert_eq!(fixed("ab", &findings, Choice::All), ("Ab".into(), 1));
    }
}
