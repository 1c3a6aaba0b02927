//! Cases with the cursor marked as `$0`, and answers drawn under the text.

use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::sources::MemorySources;

use crate::Analysis;

/// The files of a case: `//- name.kait` begins another one. The cursor is `$0`, in one of them or nowhere.
pub(crate) struct Case {
    pub sources: MemorySources,
    pub path: String,
    pub offset: u32,
}

pub(crate) fn case(text: &str) -> Case {
    let mut files: Vec<(String, String)> = vec![("main.kait".to_owned(), String::new())];
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("//- ") {
            files.push((name.trim().to_owned(), String::new()));
        } else {
            files.last_mut().unwrap().1.push_str(line);
        }
    }
    if files[0].1.is_empty() {
        files.remove(0);
    }
    let mut sources = MemorySources::default();
    let mut cursor = None;
    for (path, text) in &mut files {
        if let Some(at) = text.find("$0") {
            text.replace_range(at..at + 2, "");
            cursor = Some((path.clone(), u32::try_from(at).unwrap()));
        }
        sources.insert(path.clone(), text.as_str());
    }
    let (path, offset) = cursor.unwrap_or((files[0].0.clone(), 0));
    Case { sources, path, offset }
}

/// Runs a question on every case and compares all answers with the snapshot of that name.
#[track_caller]
pub(crate) fn snapshot(
    name: &str,
    cases: &[(&str, &str)],
    ask: impl Fn(&Analysis, FileId, u32) -> String,
) {
    let mut out = String::new();
    for (title, text) in cases {
        let case = case(text);
        let analysis = Analysis::new(&case.sources, &[&case.path]);
        let file = analysis.file(&case.path).unwrap();
        let answer = ask(&analysis, file, case.offset);
        write_case(&mut out, title, text, &answer);
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, out);
    });
}

pub(crate) fn write_case(out: &mut String, title: &str, text: &str, answer: &str) {
    out.push_str(&format!("## {title}\n\n{}\n", text.trim_end()));
    out.push_str("----\n");
    out.push_str(answer.trim_end());
    out.push_str("\n\n\n");
}

/// The lines of places, each with the place underlined and a word behind it.
pub(crate) fn underlined(analysis: &Analysis, places: &[(Span, &str)]) -> String {
    let mut out = String::new();
    let mut shown: Option<(FileId, u32)> = None;
    for (span, word) in places {
        let file = analysis.source(span.file).unwrap();
        let from = file.lines.line_col(span.start.into());
        let to = file.lines.line_col(span.end.into());
        if shown.is_none_or(|(id, _)| id != span.file) {
            out.push_str(&format!("{}\n", file.path));
        }
        let start = usize::from(file.lines.line_start(from.line).unwrap());
        let end = usize::from(file.lines.line_end(from.line).unwrap());
        let line = &file.text()[start..end];
        if shown != Some((span.file, from.line)) {
            out.push_str(&format!("{:>3} | {}\n", from.line + 1, line.trim_end()));
        }
        shown = Some((span.file, from.line));
        let pad = line[..from.col as usize].chars().count();
        let width = if to.line == from.line {
            file.text()[span.start as usize..span.end as usize].chars().count().max(1)
        } else {
            line.trim_end().chars().count().saturating_sub(pad).max(1)
        };
        let more = if to.line == from.line { "" } else { "…" };
        let mark = format!("    | {}{}{more} {word}", " ".repeat(pad), "^".repeat(width));
        out.push_str(mark.trim_end());
        out.push('\n');
    }
    out
}
