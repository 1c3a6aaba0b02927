//! Diagnostics as text for people. The only module that knows `ariadne`, and the one that keeps its traps away:
//!
//! * it counts characters, not bytes, and panics on spans inside a character: spans are converted;
//! * it panics on reversed spans and prints nothing for spans past the end: spans are put in order and clamped;
//! * it draws labels of one file apart unless they come in the order of the lines: labels are sorted;
//! * a label over many lines draws all of them: labels are cut at the end of their first line;
//! * it writes spaces at the ends of lines: they are stripped;
//! * it writes whatever the source holds: what a terminal would obey, or reorder, is shown as `�`.

use std::fmt::Write as _;
use std::ops::Range;

use ariadne::{CharSet, Color, Config, LabelAttach, Report, ReportKind, Source};
use rustc_hash::FxHashMap;

use crate::diagnostics::{Diagnostic, FileId, Severity, Span};
use crate::sources::Files;

/// Labels that are drawn besides the primary one; further ones are counted.
const MAX_LABELS: usize = 6;

/// Longer lines, in bytes, are not drawn as a whole.
const MAX_LINE: u32 = 2_000;

/// Characters of such a line that are shown.
const EXCERPT: usize = 100;

/// How to draw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// With ANSI colours.
    pub color: bool,
    /// With ASCII instead of box-drawing characters.
    pub ascii: bool,
}

/// Draws findings, one after the other with an empty line between, each ending in a line break.
#[must_use]
pub fn render(findings: &[Diagnostic], files: &Files, style: Style) -> String {
    let mut cache = Cache { files, sources: FxHashMap::default() };
    let mut out = String::new();
    for (i, finding) in findings.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        draw(finding, &mut cache, style, &mut out);
    }
    out
}

/// Draws one finding.
#[must_use]
pub fn render_one(finding: &Diagnostic, files: &Files, style: Style) -> String {
    render(std::slice::from_ref(finding), files, style)
}

fn draw(finding: &Diagnostic, cache: &mut Cache<'_>, style: Style, out: &mut String) {
    let color = match finding.severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Note => Color::Blue,
    };
    heading(finding, style, out);
    let main = finding.primary.span;
    if cache.has_long_lines(finding) {
        excerpts(finding, cache, out);
        return words(finding, out);
    }
    let place = Place { file: main.file, range: cache.chars(main) };
    let config = Config::default()
        .with_color(style.color)
        .with_label_attach(LabelAttach::Start)
        .with_char_set(if style.ascii { CharSet::Ascii } else { CharSet::Unicode })
        .with_tab_width(2);
    let mut report = Report::build(ReportKind::Error, place).with_config(config);

    let mut labels = vec![(main, finding.primary.text.as_str(), true)];
    labels.extend(finding.labels.iter().take(MAX_LABELS).map(|l| (l.span, l.text.as_str(), false)));
    labels.sort_by_key(|(span, _, _)| (span.file != main.file, *span));
    let parts_speak = finding.labels.iter().any(|label| {
        main.contains(label.span) && main != label.span && cache.on_one_line(label.span, main)
    });
    let shares_line = finding.labels.iter().any(|label| cache.on_one_line(label.span, main));
    for (order, (span, text, is_main)) in (0..).zip(labels) {
        let range = cache.chars(span);
        let mut label = ariadne::Label::new(Place { file: span.file, range })
            .with_order(order)
            .with_color(if is_main { color } else { Color::Cyan });
        if is_main {
            label = label.with_priority(1);
        }
        // Parts that have words say it all.
        if is_main && text.is_empty() && parts_speak {
            continue;
        }
        // Without words there would be no underline; next to others, an arrow without words would dangle.
        let stand_in = if shares_line { "here" } else { " " };
        label = label.with_message(harmless(if text.is_empty() { stand_in } else { text }));
        report = report.with_label(label);
    }

    let mut bytes = Vec::new();
    // Writing into memory does not fail; if it did, the words below would still come.
    let _ = report.finish().write(&mut *cache, &mut bytes);
    snippet(&String::from_utf8_lossy(&bytes), out);
    words(finding, out);
}

/// What is written below the source: how many places are not drawn, notes, help and fixes.
fn words(finding: &Diagnostic, out: &mut String) {
    if finding.labels.len() > MAX_LABELS {
        let more = finding.labels.len() - MAX_LABELS;
        footer(out, "note", &format!("{more} more places matter"));
    }
    for note in &finding.notes {
        footer(out, "note", note);
    }
    if let Some(help) = &finding.help {
        footer(out, "help", help);
    }
    let (safe, guesses): (Vec<_>, Vec<_>) = finding.fixes.iter().partition(|fix| fix.safe);
    for fix in &safe {
        footer(out, "fix", &format!("{} (`kait check --fix` does it)", fix.title));
    }
    // A help says what a guess would do, in more words.
    if let (None, true, Some(guess)) = (&finding.help, safe.is_empty(), guesses.first()) {
        footer(out, "try", &guess.title);
    }
    footer(out, "more", &format!("kait explain {}", finding.code));
}

/// The places of a finding in lines that nobody can see as a whole: a part of each line, with the place in it underlined.
fn excerpts(finding: &Diagnostic, cache: &Cache<'_>, out: &mut String) {
    let others = finding.labels.iter().take(MAX_LABELS);
    for label in std::iter::once(&finding.primary).chain(others) {
        let Some(file) = cache.files.get(label.span.file) else { continue };
        let range = cache.bytes(label.span);
        let text = file.text();
        let (before, rest) = text.split_at(range.start);
        let before = before.rsplit(is_line_break).next().unwrap_or_default();
        let rest = rest.split(is_line_break).next().unwrap_or_default();
        let skipped = before.chars().count().saturating_sub(EXCERPT / 2);
        let shown: String = before.chars().skip(skipped).collect();
        let behind: String = rest.chars().take(EXCERPT / 2).collect();
        let more = if rest.len() > behind.len() { "…" } else { "" };
        let less = if skipped > 0 { "…" } else { "" };
        let place = file.lines.line_col(label.span.start.into());
        let path = harmless(&file.path);
        let line = harmless(&format!("{less}{shown}{behind}{more}")).replace('\t', " ");
        let marked = text.get(range).map_or(1, |inside| inside.chars().count());
        let marks = "^".repeat(marked.clamp(1, behind.chars().count().max(1)));
        let gap = " ".repeat(less.chars().count() + shown.chars().count());
        let said = format!("{gap}{marks} {}", harmless(&label.text));
        let _ = write!(
            out,
            "   {path}:{}:{}\n   | {}\n   | {}\n",
            place.line + 1,
            before.chars().count() + 1,
            line.trim_end(),
            said.trim_end()
        );
    }
}

/// `error K0501: message`
fn heading(finding: &Diagnostic, style: Style, out: &mut String) {
    let words = format!("{} {}:", finding.severity.as_str(), finding.code);
    if style.color {
        let number = match finding.severity {
            Severity::Error => 31,
            Severity::Warning => 33,
            Severity::Note => 34,
        };
        out.push_str(&format!("\u{1b}[1;{number}m{words}\u{1b}[0m "));
    } else {
        out.push_str(&words);
        out.push(' ');
    }
    for (i, line) in harmless(&finding.message).lines().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        out.push_str(line.trim_end());
    }
    out.push('\n');
}

/// The drawing without its frame: the line of the place, then lines of code with their labels.
///
/// The first line is a heading of `ariadne`'s own; boxes around paths go; a label that is alone on its line stands next
/// to its underline; empty lines are kept only between lines of code.
fn snippet(drawn: &str, out: &mut String) {
    let mut lines = drawn.lines().skip(1).map(str::trim_end).peekable();
    let mut after_path = false;
    while let Some(line) = lines.next() {
        let plain = without_colors(line);
        if let Some(path) = framed_path(&plain) {
            out.push_str("   ");
            out.push_str(path);
            out.push('\n');
            after_path = true;
            continue;
        }
        let words = plain.trim();
        let is_frame =
            !words.is_empty() && words.chars().all(|c| matches!(c, '─' | '╯' | '-' | '\''));
        let is_gap = matches!(words, "│" | "|");
        let next_is_path =
            lines.peek().is_some_and(|next| framed_path(&without_colors(next)).is_some());
        if is_frame || (is_gap && (after_path || next_is_path || lines.peek().is_none())) {
            continue;
        }
        after_path = false;
        let joined = lines.peek().and_then(|next| join_label(line, &plain, &without_colors(next)));
        match joined {
            Some(joined) => {
                lines.next();
                out.push_str(joined.trim_end());
            }
            None => out.push_str(line),
        }
        out.push('\n');
    }
}

/// The path of a line such as `   ╭─[ refund.kait:4:15 ]`.
fn framed_path(plain: &str) -> Option<&str> {
    let inner = plain.trim_start();
    if !inner.starts_with(['╭', '├', ',', '|']) {
        return None;
    }
    let (frame, path) = inner.split_once("[ ")?;
    let is_frame = frame.chars().all(|c| matches!(c, '╭' | '├' | '─' | ',' | '|' | '-'));
    path.strip_suffix(" ]").filter(|_| is_frame)
}

/// `┬───` and the `╰─── text` below it as `──── text`, if nothing else stands on the two lines.
fn join_label(line: &str, plain: &str, below: &str) -> Option<String> {
    let (_, underline) = plain.split_once('│')?;
    let (_, arrow) = below.split_once('│')?;
    let one_label = underline.trim_start().strip_prefix('┬')?.chars().all(|c| c == '─');
    let text = arrow.trim_start().strip_prefix('╰')?.trim_start_matches('─').trim();
    one_label.then(|| format!("{} {text}", line.replace('┬', "─")))
}

/// A line without ANSI escape sequences.
fn without_colors(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // `ESC [ numbers m`
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            out.push(c);
        }
    }
    out.trim_end().to_owned()
}

/// `   = help: …`; further lines of the text are indented to match.
fn footer(out: &mut String, word: &str, text: &str) {
    let indent = " ".repeat(word.len() + 7);
    for (i, line) in harmless(text).lines().enumerate() {
        if i == 0 {
            out.push_str("   = ");
            out.push_str(word);
            out.push_str(": ");
        } else {
            out.push_str(&indent);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// A place in characters of a file.
#[derive(Clone, Debug)]
struct Place {
    file: FileId,
    range: Range<usize>,
}

impl ariadne::Span for Place {
    type SourceId = FileId;

    fn source(&self) -> &FileId {
        &self.file
    }

    fn start(&self) -> usize {
        self.range.start
    }

    fn end(&self) -> usize {
        self.range.end
    }
}

struct Cache<'f> {
    files: &'f Files,
    sources: FxHashMap<FileId, Source<String>>,
}

impl Cache<'_> {
    /// Whether two places begin on the same line.
    fn on_one_line(&self, a: Span, b: Span) -> bool {
        let line = |span: Span| {
            self.files.get(span.file).map(|file| file.lines.line_col(span.start.into()).line)
        };
        a.file == b.file && line(a) == line(b)
    }

    /// Whether a place of a finding stands in a line that is too long to be drawn.
    fn has_long_lines(&self, finding: &Diagnostic) -> bool {
        let places =
            std::iter::once(&finding.primary).chain(finding.labels.iter().take(MAX_LABELS));
        places.into_iter().any(|label| {
            self.files.get(label.span.file).is_some_and(|file| {
                let line = file.lines.line_col(label.span.start.into()).line;
                let ends = file.lines.line_start(line).zip(file.lines.line_end(line));
                ends.is_some_and(|(start, end)| u32::from(end - start) > MAX_LINE)
            })
        })
    }

    /// A place in characters: see [`Self::bytes`].
    fn chars(&self, span: Span) -> Range<usize> {
        let Some(file) = self.files.get(span.file) else { return 0..0 };
        let Range { start, end } = self.bytes(span);
        let text = file.text();
        let count = |to: usize| text.get(..to).map_or(0, |before| before.chars().count());
        let first = count(start);
        let length = text.get(start..end).map_or(0, |inside| inside.chars().count());
        first..first + length
    }

    /// A place in bytes: inside its file, in order, not empty if that can be, on one line.
    fn bytes(&self, span: Span) -> Range<usize> {
        let Some(file) = self.files.get(span.file) else { return 0..0 };
        let text = file.text();
        let floor = |offset: u32| {
            let mut offset = (offset as usize).min(text.len());
            while !text.is_char_boundary(offset) {
                offset -= 1;
            }
            offset
        };
        let (mut start, mut end) =
            (floor(span.start.min(span.end)), floor(span.start.max(span.end)));
        // Past the end nothing is drawn, so the last character that is not a line break stands in.
        let content = text.trim_end_matches(is_line_break).len();
        if start >= text.len() && content > 0 && text.ends_with(is_line_break) {
            start = content;
            end = content;
        }
        let rest = text.get(start..).unwrap_or_default();
        let line_end = rest.find(is_line_break).map_or(text.len(), |at| start + at);
        end = end.min(line_end);
        if start >= end {
            // An empty place shows the character behind it, or at the end of a line the one before it.
            let next = rest.chars().next().filter(|c| !is_line_break(*c));
            let before = text.get(..start).and_then(|before| before.chars().next_back());
            match (next, before.filter(|c| !is_line_break(*c))) {
                (Some(c), _) => end = start + c.len_utf8(),
                (None, Some(c)) => {
                    end = start;
                    start -= c.len_utf8();
                }
                (None, None) => end = start,
            }
        }
        start..end
    }
}

/// A text with as many characters, in which nothing tells a terminal to do something, and nothing is displayed elsewhere
/// than where it stands.
fn harmless(text: &str) -> String {
    let is_kept = |c: char| matches!(c, '\n' | '\t') || is_line_break(c);
    let reorders = |c: char| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}');
    let shown = |c: char| if c.is_control() && !is_kept(c) || reorders(c) { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

/// What `ariadne` takes for the end of a line.
fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

impl ariadne::Cache<FileId> for &mut Cache<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &FileId) -> Result<&Source<String>, impl std::fmt::Debug> {
        let files = self.files;
        Ok::<_, std::convert::Infallible>(self.sources.entry(*id).or_insert_with(|| {
            Source::from(files.get(*id).map_or_else(String::new, |file| harmless(file.text())))
        }))
    }

    fn display<'a>(&self, id: &'a FileId) -> Option<impl std::fmt::Display + 'a> {
        Some(self.files.get(*id).map_or_else(|| "?".to_owned(), |file| harmless(&file.path)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::diagnostics::{Code, Edit};

    fn files(text: &str) -> Files {
        let mut files = Files::default();
        files.add("refund.kait".into(), Arc::new(kait_syntax::parse(text).tree));
        files
    }

    fn at(start: u32, end: u32) -> Span {
        Span { file: FileId(0), start, end }
    }

    #[test]
    fn a_finding_is_drawn_with_everything_it_says() {
        let text = "extern refund()\n  needs approval\n\nlet receipt = refund(order.id)\n";
        let finding = Diagnostic::new(Code::UnknownName, at(48, 54), "`refund` must be approved")
            .here("nobody approves this call")
            .label(at(18, 32), "declared here")
            .note("a fact")
            .help("add `with (approve: \"lead\")`\nor something else")
            .fix("do this", vec![Edit::new(at(48, 48), "x")]);
        let drawn = render_one(&finding, &files(text), Style::default());
        assert_eq!(
            drawn,
            "\
error K0201: `refund` must be approved
   refund.kait:4:15
 2 │   needs approval
   │   ────────────── declared here
   │
 4 │ let receipt = refund(order.id)
   │               ────── nobody approves this call
   = note: a fact
   = help: add `with (approve: \"lead\")`
           or something else
   = fix: do this (`kait check --fix` does it)
   = more: kait explain K0201
"
        );
        let colored = render_one(&finding, &files(text), Style { color: true, ascii: false });
        let plain: String = colored.lines().map(|line| without_colors(line) + "\n").collect();
        assert_eq!(plain, drawn);
    }

    #[test]
    fn labels_of_one_line_keep_their_arrows() {
        let text = "let a = b + c\n";
        let finding = Diagnostic::new(Code::UnknownName, at(8, 9), "m")
            .here("first")
            .label(at(12, 13), "second");
        assert_eq!(
            render_one(&finding, &files(text), Style::default()),
            "\
error K0201: m
   refund.kait:1:9
 1 │ let a = b + c
   │         ┬   ┬
   │         ╰────── first
   │             │
   │             ╰── second
   = more: kait explain K0201
"
        );
    }

    #[test]
    fn of_long_lines_a_part_is_shown() {
        let text = format!("let a = 1\n{} + bé + {}\n", "x".repeat(3_000), "y".repeat(3_000));
        let finding = Diagnostic::new(Code::UnknownName, at(3_013, 3_016), "m")
            .here("first")
            .label(at(4, 5), "second");
        assert_eq!(
            render_one(&finding, &files(&text), Style::default()),
            format!(
                "\
error K0201: m
   refund.kait:2:3004
   | …{} + bé + {}…
   | {}^^ first
   refund.kait:1:5
   | let a = 1
   |     ^ second
   = more: kait explain K0201
",
                "x".repeat(47),
                "y".repeat(45),
                " ".repeat(51),
            )
        );
    }

    #[test]
    fn places_without_text_are_drawn() {
        for text in ["", "\n", "a", "a\n", "\r\n\r\n", "é", "漢字\n"] {
            for (start, end) in [(0, 0), (0, 1), (9, 9), (1, 0), (0, 99)] {
                let finding = Diagnostic::new(Code::UnknownName, at(start, end), "message");
                let drawn = render_one(&finding, &files(text), Style::default());
                assert!(drawn.starts_with("error K0201: message\n"), "{text:?}: {drawn}");
                assert!(drawn.contains("refund.kait:"), "{text:?} {start}..{end}: {drawn}");
            }
        }
    }

    #[test]
    fn unknown_files_are_drawn() {
        let place = Span::new(FileId(9), 3, 4);
        let finding = Diagnostic::new(Code::UnknownName, place, "message").label(at(0, 1), "x");
        assert!(render_one(&finding, &files("abc"), Style::default()).contains("message"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_place_over_any_text_is_drawn(
            text in "[a-z \\n\\r\\t漢é😀\u{2028}\u{85}]{0,40}",
            places in prop::collection::vec((0u32..60, 0u32..60), 1..5),
            ascii: bool,
            color: bool,
        ) {
            let mut places = places.into_iter();
            let Some((start, end)) = places.next() else { return Ok(()) };
            let mut finding = Diagnostic::new(Code::UnknownName, at(start, end), "message").here("here");
            for (start, end) in places {
                finding = finding.label(at(start, end), "there");
            }
            let drawn = render_one(&finding, &files(&text), Style { color, ascii });
            prop_assert!(drawn.contains("message"));
            prop_assert!(drawn.contains("refund.kait:"));
            prop_assert!(drawn.lines().all(|line| line.trim_end() == line));
        }
    }
}
