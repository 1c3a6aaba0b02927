//! Whether fixes hold, judged by what compiling their result finds: what they were to mend is gone, and nothing is wrong
//! that was not wrong before.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::Offered;
use crate::diagnostics::{Diagnostic, Edit, FileId, Span};

/// A text and what is wrong with it.
pub(super) struct Before<'a> {
    pub file: FileId,
    pub text: &'a str,
    pub findings: &'a [Diagnostic],
}

impl Before<'_> {
    /// Whether fixes hold that lead to these findings.
    pub fn holds(&self, chosen: &[Offered<'_>], file: FileId, after: &[Diagnostic]) -> bool {
        let moves = Moves::new(chosen);
        let left = Spans::of(file, after.iter());
        let mended = chosen.iter().all(|one| {
            let place = one.finding.primary.span;
            !left.meet(&one.finding.code, moves.moved(place))
        });
        mended && !self.is_worse(chosen, &moves, file, after)
    }

    /// Whether there are errors that were not there. With fewer syntax errors more can be read, and what was wrong
    /// there is not the fault of a fix, unless it is in the lines that the fix is about. Where something is missing or
    /// too many, whatever is wrong then may come from putting it in the wrong place.
    fn is_worse(
        &self,
        chosen: &[Offered<'_>],
        moves: &Moves,
        file: FileId,
        after: &[Diagnostic],
    ) -> bool {
        let errors = |all: &[Diagnostic]| all.iter().filter(|one| is_syntax(one)).count();
        let reads_more = errors(after) < errors(self.findings)
            && chosen.iter().all(|one| one.finding.code.as_str() >= FIRST_HABIT);
        let known = self.findings.iter().filter(|one| one.is_error());
        let known = Spans::moved(self.file, known, moves);
        let about: Vec<Span> = if reads_more {
            chosen.iter().map(|one| self.lines(one, moves)).collect()
        } else {
            Vec::new()
        };
        after.iter().filter(|one| one.is_error()).any(|one| {
            let span = one.primary.span;
            let place = Span { file: self.file, ..span };
            let is_known =
                if span.file == file { known.meet(&one.code, place) } else { known.has(&one.code) };
            let is_hidden =
                || reads_more && !is_syntax(one) && !about.iter().any(|lines| meet(*lines, place));
            !is_known && !is_hidden()
        })
    }

    /// The lines that a fix is about, where they are afterwards.
    fn lines(&self, chosen: &Offered<'_>, moves: &Moves) -> Span {
        let finding = chosen.finding;
        let labels = finding.labels.iter().map(|label| label.span).filter(|s| s.file == self.file);
        let places = labels.chain(chosen.fix.edits.iter().map(|edit| edit.span));
        let all = places.fold(finding.primary.span, Span::to);
        let before = self.text.get(..all.start as usize).unwrap_or_default();
        let after = self.text.get(all.end as usize..).unwrap_or_default();
        let back = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let ahead = after.find('\n').unwrap_or(after.len());
        let cut = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let (start, end) = (all.start - cut(back).min(all.start), all.end + cut(ahead));
        moves.moved(Span::new(self.file, start, end))
    }
}

/// Below it are brackets, quotes and commas that are missing or too many; from here on, habits of other languages.
const FIRST_HABIT: &str = "K0011";

/// The parser's codes end there.
fn is_syntax(finding: &Diagnostic) -> bool {
    finding.is_error() && finding.code.as_str() < "K0070"
}

/// Whether two places of a file have something in common; one that is empty, whether it touches the other.
fn meet(a: Span, b: Span) -> bool {
    if a.start == a.end || b.start == b.end {
        a.start <= b.end && b.start <= a.end
    } else {
        a.start < b.end && b.start < a.end
    }
}

/// Where edits that are apart lead what stands around them.
struct Moves {
    /// What is replaced, by how much is put there, in the order of the text.
    edits: Vec<(Range<u32>, u32)>,
    /// By how much the text before each edit has grown.
    grown: Vec<i64>,
}

impl Moves {
    fn new(chosen: &[Offered<'_>]) -> Self {
        let length = |edit: &Edit| u32::try_from(edit.insert.len()).unwrap_or(u32::MAX);
        let mut edits: Vec<_> = chosen
            .iter()
            .flat_map(|one| &one.fix.edits)
            .map(|edit| (edit.span.start..edit.span.end, length(edit)))
            .collect();
        edits.sort_unstable_by_key(|(range, _)| (range.start, range.end));
        let mut sum = 0;
        let grown = edits.iter().map(|(range, length)| {
            let before = sum;
            sum += i64::from(*length) - i64::from(range.end - range.start);
            before
        });
        let mut grown: Vec<i64> = grown.collect();
        grown.push(sum);
        Self { edits, grown }
    }

    /// A place after the edits: what is put at its ends belongs to it.
    fn moved(&self, place: Span) -> Span {
        let start = {
            // An edit that ends where the place begins is before it, unless it begins there, too.
            let at = place.start;
            let before =
                self.edits.partition_point(|(range, _)| range.end <= at && range.start < at);
            let inside = self.edits.get(before).filter(|(range, _)| range.start < at);
            self.after(inside.map_or(at, |(range, _)| range.start), before)
        };
        let end = {
            let at = place.end;
            let before = self.edits.partition_point(|(range, _)| range.end <= at);
            match self.edits.get(before).filter(|(range, _)| range.start < at) {
                Some((range, length)) => self.after(range.start, before) + length,
                None => self.after(at, before),
            }
        };
        Span::new(place.file, start, end)
    }

    fn after(&self, at: u32, edits: usize) -> u32 {
        let grown = self.grown.get(edits).copied().unwrap_or_default();
        u32::try_from(i64::from(at) + grown).unwrap_or_default()
    }
}

/// The places of findings in one file, by code.
#[derive(Default)]
struct Spans<'a>(FxHashMap<&'a str, OfCode>);

/// In the order of their starts, and how long the longest is.
#[derive(Default)]
struct OfCode {
    spans: Vec<Span>,
    longest: u32,
}

impl<'a> Spans<'a> {
    fn of(file: FileId, findings: impl Iterator<Item = &'a Diagnostic>) -> Self {
        Self::collect(file, findings, |span| span)
    }

    fn moved(file: FileId, findings: impl Iterator<Item = &'a Diagnostic>, moves: &Moves) -> Self {
        Self::collect(file, findings, |span| moves.moved(span))
    }

    /// Findings of other files are known by their codes alone.
    fn collect(
        file: FileId,
        findings: impl Iterator<Item = &'a Diagnostic>,
        place: impl Fn(Span) -> Span,
    ) -> Self {
        let mut found = Self::default();
        for finding in findings {
            let of_code = found.0.entry(finding.code.as_str()).or_default();
            if finding.primary.span.file == file {
                let span = place(finding.primary.span);
                of_code.longest = of_code.longest.max(span.end - span.start);
                of_code.spans.push(span);
            }
        }
        for of_code in found.0.values_mut() {
            of_code.spans.sort_unstable_by_key(|span| span.start);
        }
        found
    }

    fn has(&self, code: &str) -> bool {
        self.0.contains_key(code)
    }

    fn meet(&self, code: &str, place: Span) -> bool {
        let Some(OfCode { spans, longest }) = self.0.get(code) else { return false };
        let first = place.start.saturating_sub(*longest);
        let from = spans.partition_point(|span| span.start < first);
        let near = spans.iter().skip(from).take_while(|span| span.start <= place.end);
        near.into_iter().any(|span| meet(*span, place))
    }
}
