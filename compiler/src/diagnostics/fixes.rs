//! Applying fixes to texts.
//!
//! Fixes are applied whole or not at all. Of two that are about the same place the first in the text wins; the other may
//! be applied in a next round, after compiling again. [`settle`] goes on until none is left, and keeps no fix that the
//! compiler does not find right: whatever a fix says of itself, its result is compiled. [`prove`] finds out the same
//! beforehand, so that what is announced is what can be done.

mod proof;

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use self::proof::Before;
use super::{Diagnostic, Edit, FileId, Fix, Span};

/// Rounds of compiling and fixing after which a tool stops: fixes that undo each other must not loop.
pub const MAX_ROUNDS: usize = 8;

/// Most compilations of one [`settle`] or [`prove`]: finding out which of many fixes is wrong takes some.
pub const MAX_COMPILATIONS: usize = 64;

/// Bytes that are compiled for it at most, beyond [`FEWEST_COMPILATIONS`]: with large files there are fewer compilations.
const MAX_BYTES: usize = 16 << 20;

/// Compilations that any text is worth.
const FEWEST_COMPILATIONS: usize = 4;

fn compilations(text: &str) -> usize {
    (MAX_BYTES / text.len().max(1)).clamp(FEWEST_COMPILATIONS, MAX_COMPILATIONS)
}

/// Which fixes to apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Those that surely mean what was meant.
    Safe,
    /// Also guesses, such as a similar name: the first of each finding.
    All,
}

/// The text of a file with the fixes of the findings applied, and how many were. Not checked: see [`settle`].
#[must_use]
pub fn apply(file: FileId, text: &str, findings: &[Diagnostic], choice: Choice) -> (String, usize) {
    let chosen = choose(file, text, &offered(findings, choice));
    (write(text, &chosen), chosen.len())
}

/// The text of a file with all fixes applied, until none is left, and how many were. `first` is what compiling the text
/// as it is gave: the number of the file and all findings, those of other files included; `compile` gives the same for
/// another text. Fixes that leave what they were to mend, or bring errors that were not there, are left out.
#[must_use]
pub fn settle(
    text: &str,
    first: (FileId, &[Diagnostic]),
    choice: Choice,
    mut compile: impl FnMut(&str) -> Option<(FileId, Vec<Diagnostic>)>,
) -> (String, usize) {
    let (mut file, mut findings) = (first.0, first.1.to_vec());
    let mut left = compilations(text);
    let (mut text, mut applied) = (text.to_owned(), 0);
    for _ in 0..MAX_ROUNDS {
        let offered = offered(&findings, choice);
        let chosen = choose(file, &text, &offered);
        let before = Before { file, text: &text, findings: &findings };
        let mut round = Round::new(before, &mut left, &mut compile);
        round.keep(&chosen);
        let (count, Some((next, now, found))) = (round.kept.len(), round.result) else { break };
        if next == text {
            break;
        }
        (text, file, findings, applied) = (next, now, found, applied + count);
    }
    (text, applied)
}

/// Calls no fix of a file safe that [`settle`] would leave out now: for tools that announce fixes before they apply them.
/// The arguments are those of `settle`; findings of other files stay as they are.
pub fn prove(
    text: &str,
    file: FileId,
    findings: &mut [Diagnostic],
    compile: impl FnMut(&str) -> Option<(FileId, Vec<Diagnostic>)>,
) {
    prove_some(text, file, findings, |_| true, compile);
}

/// The same for the findings that are `wanted`, as when somebody asks about one place: the others stay as they are.
pub fn prove_some(
    text: &str,
    file: FileId,
    findings: &mut [Diagnostic],
    wanted: impl Fn(&Diagnostic) -> bool,
    mut compile: impl FnMut(&str) -> Option<(FileId, Vec<Diagnostic>)>,
) {
    let known = findings.to_vec();
    let is_meant = |one: &Diagnostic| one.primary.span.file == file && wanted(one);
    let is_here = |one: &Offered<'_>| is_meant(one.finding);
    let mut open: Vec<_> = offered(&known, Choice::Safe).into_iter().filter(is_here).collect();
    let mut left = compilations(text);
    let mut held = FxHashSet::default();
    while left > 0 && !open.is_empty() {
        let chosen = choose(file, text, &open);
        if chosen.is_empty() {
            break;
        }
        let before = Before { file, text, findings: &known };
        let mut round = Round::new(before, &mut left, &mut compile);
        round.keep(&chosen);
        held.extend(round.kept.iter().map(|one| one.number));
        // What is about the same place as another one is tried alone.
        let tried: FxHashSet<usize> = chosen.iter().map(|one| one.number).collect();
        open.retain(|one| !tried.contains(&one.number));
    }
    for (number, finding) in findings.iter_mut().enumerate() {
        if is_meant(finding) && !held.contains(&number) {
            finding.fixes.iter_mut().for_each(|fix| fix.safe = false);
        }
    }
}

/// Fixes that are tried together, by halves if they are not right together.
struct Round<'a, C> {
    before: Before<'a>,
    /// What is right so far, and what came of it.
    kept: Vec<Offered<'a>>,
    result: Option<(String, FileId, Vec<Diagnostic>)>,
    /// Compilations that are left.
    left: &'a mut usize,
    compile: C,
}

impl<'a, C> Round<'a, C>
where
    C: FnMut(&str) -> Option<(FileId, Vec<Diagnostic>)>,
{
    fn new(before: Before<'a>, left: &'a mut usize, compile: C) -> Self {
        Self { before, kept: Vec::new(), result: None, left, compile }
    }

    fn keep(&mut self, chosen: &[Offered<'a>]) {
        if chosen.is_empty() || *self.left == 0 {
            return;
        }
        *self.left -= 1;
        let all: Vec<_> = self.kept.iter().chain(chosen).copied().collect();
        let next = write(self.before.text, &all);
        let Some((file, found)) = (self.compile)(&next) else { return };
        if self.before.holds(&all, file, &found) {
            (self.kept, self.result) = (all, Some((next, file, found)));
        } else if chosen.len() > 1 {
            let (one, other) = chosen.split_at(chosen.len() / 2);
            self.keep(one);
            self.keep(other);
        }
    }
}

/// A fix, and what it mends.
#[derive(Clone, Copy)]
struct Offered<'a> {
    /// Which finding it is.
    number: usize,
    finding: &'a Diagnostic,
    fix: &'a Fix,
}

/// One fix of each finding.
fn offered(findings: &[Diagnostic], choice: Choice) -> Vec<Offered<'_>> {
    let chosen = |finding: &'_ Diagnostic| {
        finding.fixes.iter().position(|fix| fix.safe || choice == Choice::All)
    };
    let of = findings.iter().enumerate().filter_map(|(number, finding)| {
        let fix = finding.fixes.get(chosen(finding)?)?;
        Some(Offered { number, finding, fix })
    });
    of.collect()
}

/// Fixes that can be applied together: none is about a place that another is about.
fn choose<'a>(file: FileId, text: &str, offered: &[Offered<'a>]) -> Vec<Offered<'a>> {
    let mut taken = Taken::default();
    let mut chosen = Vec::new();
    for one in offered.iter().filter(|one| fits(file, text, one.fix)) {
        let about = Some(one.finding.primary.span).filter(|span| span.file == file);
        let places = || about.into_iter().chain(one.fix.edits.iter().map(|edit| edit.span));
        if places().all(|place| taken.is_free(place)) {
            places().for_each(|place| taken.take(place));
            chosen.push(*one);
        }
    }
    chosen
}

/// Places that fixes are about: from their starts to their ends, none in another.
#[derive(Default)]
struct Taken(BTreeMap<u32, u32>);

impl Taken {
    /// Whether a place overlaps none that is taken; an insertion must not touch one, either.
    fn is_free(&self, place: Span) -> bool {
        let touches = place.start == place.end;
        let near = |(start, end): (&u32, &u32)| {
            let touched = touches || start == end;
            let apart = if touched {
                *end < place.start || place.end < *start
            } else {
                *end <= place.start || place.end <= *start
            };
            !apart
        };
        let before = self.0.range(..=place.start).next_back();
        let after = self.0.range(place.start..).take(2);
        !before.into_iter().chain(after).any(near)
    }

    /// Takes a place, and joins it with those of the same fix that it touches.
    fn take(&mut self, place: Span) {
        let (mut start, mut end) = (place.start, place.end);
        while let Some((&from, &to)) =
            self.0.range(..=end).next_back().filter(|(_, to)| **to >= start)
        {
            self.0.remove(&from);
            (start, end) = (start.min(from), end.max(to));
        }
        self.0.insert(start, end);
    }
}

/// The text with the edits of fixes that are apart.
fn write(text: &str, chosen: &[Offered<'_>]) -> String {
    let mut edits: Vec<&Edit> = chosen.iter().flat_map(|one| &one.fix.edits).collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = String::with_capacity(text.len());
    let mut done = 0usize;
    for edit in edits {
        out.push_str(text.get(done..edit.span.start as usize).unwrap_or_default());
        out.push_str(&edit.insert);
        done = edit.span.end as usize;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Whether all edits of a fix are in the file, at character boundaries, and apart from each other.
fn fits(file: FileId, text: &str, fix: &Fix) -> bool {
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
        && fix.edits.iter().enumerate().all(|(i, edit)| inside(edit) && own(i, edit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::{Code, Span};

    const FILE: FileId = FileId(0);

    fn finding(edits: &[(u32, u32, &str)], safe: bool) -> Diagnostic {
        let (start, end, _) = edits[0];
        about((start, end), edits, safe)
    }

    fn about(place: (u32, u32), edits: &[(u32, u32, &str)], safe: bool) -> Diagnostic {
        let at = |start, end| Span { file: FILE, start, end };
        let edits: Vec<_> =
            edits.iter().map(|(start, end, insert)| Edit::new(at(*start, *end), *insert)).collect();
        let finding = Diagnostic::new(Code::UnknownName, at(place.0, place.1), "m");
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

    #[test]
    fn one_place_gets_one_fix_at_a_time() {
        // `new = 1`: `=` is no colon, and the argument has no name. Each is right; both are not.
        let text = "f(new = 1)";
        let findings =
            [about((6, 7), &[(5, 7, ":")], true), about((2, 9), &[(2, 2, "new: ")], true)];
        assert_eq!(fixed(text, &findings, Choice::Safe), ("f(new: 1)".into(), 1));
        let other_way = [findings[1].clone(), findings[0].clone()];
        assert_eq!(fixed(text, &other_way, Choice::Safe), ("f(new: new = 1)".into(), 1));
        // What touches is apart, unless something is put between.
        let beside = [finding(&[(0, 1, "g")], true), finding(&[(1, 2, "[")], true)];
        assert_eq!(fixed(text, &beside, Choice::Safe), ("g[new = 1)".into(), 2));
        let between = [finding(&[(0, 1, "g")], true), finding(&[(1, 1, "!")], true)];
        assert_eq!(fixed(text, &between, Choice::Safe), ("g(new = 1)".into(), 1));
    }

    /// Every letter `a` is an error that a fix makes `b` of; every `x` is one that a fix makes two of, and every `y` one
    /// whose fix makes a syntax error.
    fn compiled(text: &str) -> Option<(FileId, Vec<Diagnostic>)> {
        let all = text.char_indices().filter_map(|(at, letter)| {
            let at = u32::try_from(at).unwrap();
            let span = Span { file: FILE, start: at, end: at + 1 };
            let insert = match letter {
                'a' => "b",
                'x' => "xx",
                'y' => "!",
                '!' => return Some(Diagnostic::new(Code::Unexpected, span, "m")),
                _ => return None,
            };
            let finding = Diagnostic::new(Code::UnknownName, span, "m");
            Some(finding.fix("f", vec![Edit::new(span, insert)]))
        });
        Some((FILE, all.collect()))
    }

    #[test]
    fn a_fix_that_makes_it_worse_is_not_kept() {
        let settled = |text: &str| {
            let (file, found) = compiled(text).unwrap();
            settle(text, (file, &found), Choice::Safe, compiled)
        };
        assert_eq!(settled("a-a-a"), ("b-b-b".into(), 3));
        assert_eq!(settled("a-x-a-a"), ("b-x-b-b".into(), 3));
        assert_eq!(settled("y"), ("y".into(), 0));
        assert_eq!(settled("a-y-x-a"), ("b-y-x-b".into(), 2));
        assert_eq!(settled(""), (String::new(), 0));
    }

    #[test]
    fn fixes_that_undo_each_other_come_to_an_end() {
        let span = Span { file: FILE, start: 0, end: 1 };
        let compile = |text: &str| {
            let (insert, code) =
                if text == "p" { ("q", Code::UnusedLet) } else { ("p", Code::UnusedImport) };
            let finding = Diagnostic::new(code, span, "m");
            Some((FILE, vec![finding.fix("f", vec![Edit::new(span, insert)])]))
        };
        let (_, found) = compile("p").unwrap();
        assert_eq!(settle("p", (FILE, &found), Choice::Safe, compile).1, MAX_ROUNDS);
        assert_eq!(settle("p", (FILE, &found), Choice::Safe, |_| None), ("p".into(), 0));
    }

    #[test]
    fn what_is_announced_is_what_is_applied() {
        let proven = |text: &str| {
            let (file, mut found) = compiled(text).unwrap();
            prove(text, file, &mut found, compiled);
            found.iter().map(|one| one.fixes.iter().all(|fix| fix.safe)).collect::<Vec<_>>()
        };
        assert_eq!(proven("a-a"), [true, true]);
        assert_eq!(proven("a-x-a-y"), [true, false, true, false]);
        assert!(proven("").is_empty());
        // Asked about the second letter only, and so compiled once.
        let (file, mut found) = compiled("yy").unwrap();
        let mut count = 0;
        let is_second = |one: &Diagnostic| one.primary.span.start == 1;
        prove_some("yy", file, &mut found, is_second, |text| {
            count += 1;
            compiled(text)
        });
        let safe: Vec<bool> = found.iter().map(|one| one.fixes[0].safe).collect();
        assert_eq!((safe, count), (vec![true, false], 1));
        // One after the other, as both are about the same place.
        let at = |start, end| Span { file: FILE, start, end };
        let both = [
            Diagnostic::new(Code::UnknownName, at(0, 1), "m"),
            Diagnostic::new(Code::UnknownType, at(0, 1), "m"),
        ];
        let mut both = both.map(|one| one.fix("f", vec![Edit::new(at(0, 1), "b")]));
        prove("a", FILE, &mut both, |_| Some((FILE, Vec::new())));
        assert!(both.iter().all(|one| one.fixes[0].safe));
    }

    #[test]
    fn an_error_that_another_one_hid_is_not_the_fault_of_its_fix() {
        let syntax = |code| {
            let span = Span { file: FILE, start: 0, end: 1 };
            Diagnostic::new(code, span, "m").fix("f", vec![Edit::new(span, "bc")])
        };
        let hidden = |start: u32| {
            let span = Span { file: FILE, start, end: start + 1 };
            vec![Diagnostic::new(Code::UnknownName, span, "m")]
        };
        let settled = |code: Code, shown: u32| {
            let found = [syntax(code)];
            settle("a\nx", (FILE, &found), Choice::Safe, |_| Some((FILE, hidden(shown)))).1
        };
        // On a line below, and on its own line.
        assert_eq!((settled(Code::Return, 3), settled(Code::Return, 1)), (1, 0));
        // What is missing may have been put where it does not belong.
        assert_eq!(settled(Code::Unexpected, 3), 0);
    }

    #[test]
    fn very_many_wrong_fixes_cost_few_compilations() {
        let text = "x".repeat(1_000);
        let (file, found) = compiled(&text).unwrap();
        let mut count = 0;
        let settled = settle(&text, (file, &found), Choice::Safe, |text| {
            count += 1;
            compiled(text)
        });
        assert_eq!(settled, (text, 0));
        assert!(count <= MAX_COMPILATIONS, "{count}");
    }
}
