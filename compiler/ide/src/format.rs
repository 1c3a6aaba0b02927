//! Text edits: the formatter's result as the least change, and applying them.

use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::fmt::FormatError;

use crate::Analysis;

/// A replacement of text in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// The new text.
    pub insert: String,
}

impl TextEdit {
    /// Puts `insert` in the place of `span`.
    pub fn new(span: Span, insert: impl Into<String>) -> Self {
        Self { span, insert: insert.into() }
    }

    /// The text with edits applied. They must not overlap; one that does not fit the text is left out.
    #[must_use]
    pub fn apply(text: &str, edits: &[Self]) -> String {
        let mut sorted: Vec<&Self> = edits.iter().collect();
        sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let mut out = String::with_capacity(text.len());
        let mut done = 0usize;
        for edit in sorted {
            let Some(before) = text.get(done..edit.span.start as usize) else { continue };
            out.push_str(before);
            out.push_str(&edit.insert);
            done = edit.span.end as usize;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}

impl Analysis {
    /// The edits that bring a file into its standard form; none if it has it.
    ///
    /// # Errors
    /// A file with syntax errors is not formatted.
    pub fn format(&self, file: FileId) -> Result<Vec<TextEdit>, FormatError> {
        let Some(source) = self.source(file) else { return Ok(Vec::new()) };
        let formatted =
            kait_compiler::fmt::format(&kait_syntax::parse_shared(source.tree.shared_text()))?;
        Ok(difference(file, source.text(), &formatted))
    }
}

/// The edits from one text to another. If they differ in little but blanks, as before and after formatting, only those
/// are replaced, so that cursors, marks and folds stay where they are; else whole lines.
#[must_use]
pub fn difference(file: FileId, old: &str, new: &str) -> Vec<TextEdit> {
    blanks(file, old, new).unwrap_or_else(|| lines(file, old, new))
}

/// The edits between texts that have the same letters, apart from a few that come or go (a comma, brackets).
fn blanks(file: FileId, old: &str, new: &str) -> Option<Vec<TextEdit>> {
    let mut edits = Vec::new();
    // Up to there both are the same.
    let (mut i, mut j) = (0usize, 0usize);
    loop {
        let (before, after) = (old.get(i..)?, new.get(j..)?);
        let (a, b) = (before.trim_start(), after.trim_start());
        let (skip_old, skip_new) = if a.is_empty() && b.is_empty() {
            (before.len(), after.len())
        } else {
            let (more_old, more_new) = letters(a, b)?;
            (before.len() - a.len() + more_old, after.len() - b.len() + more_new)
        };
        let (gap_old, gap_new) = (before.get(..skip_old)?, after.get(..skip_new)?);
        if gap_old != gap_new {
            let same = |(a, b): &(char, char)| a == b;
            let head: usize = gap_old
                .chars()
                .zip(gap_new.chars())
                .take_while(same)
                .map(|(c, _)| c.len_utf8())
                .sum();
            let (rest_old, rest_new) = (gap_old.get(head..)?, gap_new.get(head..)?);
            let tail: usize = rest_old
                .chars()
                .rev()
                .zip(rest_new.chars().rev())
                .take_while(same)
                .map(|(c, _)| c.len_utf8())
                .sum();
            let span = Span::new(file, byte(i + head), byte(i + skip_old - tail));
            edits.push(TextEdit::new(span, rest_new.get(..rest_new.len() - tail)?));
        }
        if i + skip_old == old.len() && j + skip_new == new.len() {
            return Some(edits);
        }
        // The letters that both have from here on.
        let (a, b) = (old.get(i + skip_old..)?, new.get(j + skip_new..)?);
        let equal = |(a, b): &(char, char)| a == b && !a.is_whitespace();
        let same: usize =
            a.chars().zip(b.chars()).take_while(equal).map(|(c, _)| c.len_utf8()).sum();
        (i, j) = (i + skip_old + same, j + skip_new + same);
    }
}

/// How many bytes to leave out on both sides until some letters are the same: none, or a few.
fn letters(a: &str, b: &str) -> Option<(usize, usize)> {
    /// So many letters may come or go at one place.
    const WINDOW: usize = 4;
    /// So many must be the same behind them.
    const SAME: usize = 4;
    let begin_alike = |a: &str, b: &str, least: usize| {
        let solid = |text: &str| {
            text.chars().filter(|c| !c.is_whitespace()).take(least).collect::<Vec<_>>()
        };
        solid(a) == solid(b)
    };
    let starts = |text: &str| {
        text.char_indices()
            .filter(|(_, c)| !c.is_whitespace())
            .map(|(at, _)| at)
            .chain(std::iter::once(text.trim_end().len()))
            .take(WINDOW + 1)
            .collect::<Vec<_>>()
    };
    if a.chars().next() == b.chars().next() {
        return Some((0, 0));
    }
    let (olds, news) = (starts(a), starts(b));
    (1..=WINDOW).find_map(|sum| {
        (0..=sum).find_map(|old| {
            let (from, to) = (*olds.get(old)?, *news.get(sum - old)?);
            begin_alike(a.get(from..)?, b.get(to..)?, SAME).then_some((from, to))
        })
    })
}

/// The edits from one text to another, whole lines: lines that both have at their ends are kept, and between them
/// every line that stands in both once is too. So cursors and marks in lines that did not change stay where they are.
fn lines(file: FileId, old: &str, new: &str) -> Vec<TextEdit> {
    if old == new {
        return Vec::new();
    }
    let before: Vec<&str> = old.split_inclusive('\n').collect();
    let after: Vec<&str> = new.split_inclusive('\n').collect();
    let mut edits = Vec::new();
    // Both texts have the same lines in the same order, apart from what the formatter changed, so one step of looking
    // ahead for the next common line is enough; what it misses is only replaced by itself.
    let (mut i, mut j, mut offset) = (0usize, 0usize, 0usize);
    while i < before.len() || j < after.len() {
        if let (Some(a), Some(b)) = (before.get(i), after.get(j))
            && a == b
        {
            offset += a.len();
            i += 1;
            j += 1;
            continue;
        }
        let (skip_old, skip_new) = next_common(&before, &after, i, j);
        let length: usize = before.iter().skip(i).take(skip_old).map(|line| line.len()).sum();
        let insert: String = after.iter().skip(j).take(skip_new).copied().collect();
        edits.push(TextEdit::new(Span::new(file, byte(offset), byte(offset + length)), insert));
        offset += length;
        i += skip_old;
        j += skip_new;
    }
    edits
}

/// How many lines to leave out on both sides until lines are the same again: the nearest pair that is not blank,
/// within a window, else all.
fn next_common(before: &[&str], after: &[&str], i: usize, j: usize) -> (usize, usize) {
    const WINDOW: usize = 64;
    for sum in 1..=2 * WINDOW {
        for old in 0..=sum.min(WINDOW) {
            let new = sum - old;
            if new > WINDOW {
                continue;
            }
            if let (Some(a), Some(b)) = (before.get(i + old), after.get(j + new))
                && a == b
                && !a.trim().is_empty()
            {
                return (old, new);
            }
        }
    }
    (before.len().saturating_sub(i), after.len().saturating_sub(j))
}

fn byte(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::case;

    #[test]
    fn only_what_changed_is_replaced() {
        let text = "fn f() -> int {\n    1\n}\n\n\n\nfn g() -> int {\n  2\n}\n";
        let case = case(text);
        let analysis = Analysis::new(&case.sources, &[&case.path]);
        let file = analysis.file(&case.path).unwrap();
        let edits = analysis.format(file).unwrap();
        assert_eq!(
            TextEdit::apply(text, &edits),
            "fn f() -> int {\n  1\n}\n\nfn g() -> int {\n  2\n}\n"
        );
        assert_eq!(edits.len(), 2, "{edits:?}");
        assert!(edits.iter().all(|edit| edit.span.end - edit.span.start < 10), "{edits:?}");
    }

    #[test]
    fn blanks_are_all_that_is_replaced() {
        let old = "fn f(a:int,b :int)->int{\n\tlet x=1\n\t\tx // é\n}\n";
        let new = "fn f(a: int, b: int) -> int {\n  let x = 1\n  x // é\n}\n";
        let edits = difference(FileId(0), old, new);
        assert_eq!(TextEdit::apply(old, &edits), new);
        let blank = |text: &str| text.chars().all(char::is_whitespace);
        for edit in &edits {
            let replaced = &old[edit.span.start as usize..edit.span.end as usize];
            assert!(blank(replaced) && blank(&edit.insert), "{edit:?}");
        }
        // A comma that comes.
        let (old, new) = ("f(alpha, beta)\n", "f(\n  alpha,\n  beta,\n)\n");
        let edits = difference(FileId(0), old, new);
        assert_eq!(TextEdit::apply(old, &edits), new);
        assert_eq!(edits.iter().map(|edit| edit.insert.trim()).collect::<String>(), ",");
    }

    #[test]
    fn differences_lead_from_one_text_to_the_other() {
        let texts = [
            "",
            "a",
            "a\n",
            "a\nb\n",
            "b\na\n",
            "a\n\n\nb\n",
            "x\na\ny\nb",
            "a\nb\nc\nd\n",
            "d\n",
            " ",
            "f( é,b )\n",
            "f(\n  é,\n  b,\n)\n",
            "{\n 1 }\n",
            "1",
        ];
        for old in texts {
            for new in texts {
                let edits = difference(FileId(0), old, new);
                assert_eq!(TextEdit::apply(old, &edits), new, "{old:?} → {new:?}: {edits:?}");
                let edits = lines(FileId(0), old, new);
                assert_eq!(TextEdit::apply(old, &edits), new, "{old:?} → {new:?}: {edits:?}");
            }
        }
    }

    #[test]
    fn a_broken_file_is_left_alone() {
        let case = case("fn f( -> {\n");
        let analysis = Analysis::new(&case.sources, &[&case.path]);
        let file = analysis.file(&case.path).unwrap();
        assert_eq!(analysis.format(file), Err(FormatError::SyntaxErrors));
        assert_eq!(analysis.format(FileId(99)), Ok(Vec::new()));
    }
}
