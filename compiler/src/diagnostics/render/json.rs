//! Diagnostics as JSON, for tools.
//!
//! One object with `"schema": "kait.diagnostics/1"` and a list `diagnostics`. Each has `code`, `severity`, `message`,
//! `primary` (a place with its `text`), `labels` (further places), `notes`, `help` (or null), `fixes` (each `title`,
//! `safe`, `edits`: a place and what to `insert` there), and `url`-free: `kait explain CODE` prints the page. A place
//! has `path`, `bytes` (`start` and `end`, from 0, end excluded) and `start` and `end` as `line` and `column`, both from
//! 1, columns in characters. New members may be added under the same schema; none changes its meaning.

use serde::Serialize;

use crate::diagnostics::{Diagnostic, Severity, Span};
use crate::sources::Files;

/// The name of the format.
pub const SCHEMA: &str = "kait.diagnostics/1";

#[derive(Serialize)]
struct Report<'d> {
    schema: &'static str,
    diagnostics: Vec<Entry<'d>>,
}

#[derive(Serialize)]
struct Entry<'d> {
    code: &'d str,
    severity: Severity,
    message: &'d str,
    primary: Label<'d>,
    labels: Vec<Label<'d>>,
    notes: &'d [String],
    help: Option<&'d str>,
    fixes: Vec<Fix<'d>>,
}

#[derive(Serialize)]
struct Label<'d> {
    #[serde(flatten)]
    place: Place<'d>,
    text: &'d str,
}

#[derive(Serialize)]
struct Fix<'d> {
    title: &'d str,
    safe: bool,
    edits: Vec<Edit<'d>>,
}

#[derive(Serialize)]
struct Edit<'d> {
    #[serde(flatten)]
    place: Place<'d>,
    insert: &'d str,
}

#[derive(Serialize)]
struct Place<'d> {
    path: &'d str,
    bytes: Bytes,
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Bytes {
    start: u32,
    end: u32,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
}

/// The findings as one line of JSON.
#[must_use]
pub fn render(findings: &[Diagnostic], files: &Files) -> String {
    let diagnostics = findings.iter().map(|finding| entry(finding, files)).collect();
    // Strings and numbers only: this cannot fail.
    serde_json::to_string(&Report { schema: SCHEMA, diagnostics }).unwrap_or_default()
}

fn entry<'d>(finding: &'d Diagnostic, files: &'d Files) -> Entry<'d> {
    let label = |label: &'d crate::diagnostics::Label| Label {
        place: place(label.span, files),
        text: &label.text,
    };
    Entry {
        code: &finding.code,
        severity: finding.severity,
        message: &finding.message,
        primary: label(&finding.primary),
        labels: finding.labels.iter().map(label).collect(),
        notes: &finding.notes,
        help: finding.help.as_deref(),
        fixes: finding
            .fixes
            .iter()
            .map(|fix| Fix {
                title: &fix.title,
                safe: fix.safe,
                edits: fix
                    .edits
                    .iter()
                    .map(|edit| Edit { place: place(edit.span, files), insert: &edit.insert })
                    .collect(),
            })
            .collect(),
    }
}

fn place(span: Span, files: &Files) -> Place<'_> {
    let position = |offset: u32| match files.get(span.file) {
        Some(file) => {
            let line = file.lines.line_col(offset.into()).line;
            let column = file.lines.char_col(file.text(), offset.into());
            Position { line: line + 1, column: column + 1 }
        }
        None => Position { line: 1, column: 1 },
    };
    Place {
        path: files.get(span.file).map_or("", |file| &file.path),
        bytes: Bytes { start: span.start, end: span.end },
        start: position(span.start),
        end: position(span.end),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostics::{Code, FileId};

    #[test]
    fn places_have_bytes_lines_and_columns() {
        let mut files = Files::default();
        let tree = kait_syntax::parse("model a\n// é x").tree;
        files.add("a.kait".into(), Arc::new(tree));
        let at = Span::new(FileId(0), 14, 15);
        let finding = Diagnostic::new(Code::UnknownName, at, "no `x`")
            .fix("write `y`", vec![crate::diagnostics::Edit::new(at, "y")]);
        let json: serde_json::Value =
            serde_json::from_str(&render(&[finding], &files)).expect("is JSON");
        assert_eq!(json["schema"], SCHEMA);
        let found = &json["diagnostics"][0];
        assert_eq!(found["severity"], "error");
        assert_eq!(found["primary"]["bytes"], serde_json::json!({ "start": 14, "end": 15 }));
        assert_eq!(found["primary"]["start"], serde_json::json!({ "line": 2, "column": 6 }));
        assert_eq!(found["fixes"][0]["edits"][0]["insert"], "y");
        assert_eq!(found["help"], serde_json::Value::Null);
    }
}
