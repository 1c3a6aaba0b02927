//! What must hold for every fix that a finding offers, whatever the text: it can be applied, and then the finding is gone.
//! One that `kait check` announces as safe is applied without anybody looking, so it also brings no error that was not
//! there.

use std::fmt;

use kait_compiler::diagnostics::fixes::{self, Choice};
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::diagnostics::{Diagnostic, Fix, Span};
use kait_compiler::sources::MemorySources;
use kait_compiler::{Cache, Compilation, compile_with};

const NAME: &str = "program.kait";

/// A fix that does not hold.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The code of the finding.
    pub code: String,
    /// What the fix says that it does.
    pub title: String,
    /// Whether it says that it is safe.
    pub safe: bool,
    /// What does not hold.
    pub why: String,
    /// The finding as it is shown.
    pub shown: String,
    /// The lines with the fix that are not as they were.
    pub lines: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.safe { "safe fix" } else { "guess" };
        writeln!(f, "{}: {kind} \"{}\": {}", self.code, self.title, self.why)?;
        write!(f, "{}{}", self.shown, self.lines)
    }
}

/// How many things are wrong with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistakes {
    /// One: when it is mended, nothing is left.
    One,
    /// Any number. Some hide behind syntax errors, and show when these are mended.
    Several,
}

/// Tries every fix of every finding of a program of one file, each alone: how many were tried, and what does not hold.
#[must_use]
pub fn faults(text: &str, mistakes: Mistakes, cache: &mut Cache) -> (usize, Vec<Fault>) {
    let mut before = compiled(text, cache);
    let (mut tried, mut faults) = (0, Vec::new());
    let Some(file) = before.files.find(NAME) else { return (0, faults) };
    fixes::prove(text, file, &mut before.diagnostics, |text| {
        let after = compiled(text, cache);
        Some((after.files.find(NAME)?, after.diagnostics))
    });
    for finding in &before.diagnostics {
        for fix in &finding.fixes {
            tried += 1;
            let alone = Diagnostic { fixes: vec![fix.clone()], ..finding.clone() };
            let (fixed, count) =
                fixes::apply(file, text, std::slice::from_ref(&alone), Choice::All);
            let why = if count != 1 || fixed == text {
                Some("it cannot be applied, or changes nothing".to_owned())
            } else {
                wrong(&before, (finding, fix), mistakes, &compiled(&fixed, cache))
            };
            faults.extend(why.map(|why| Fault {
                code: finding.code.clone(),
                title: fix.title.clone(),
                safe: fix.safe,
                why,
                shown: terminal::render_one(finding, &before.files, Style::default()),
                lines: difference(text, &fixed),
            }));
        }
    }
    (tried, faults)
}

fn compiled(text: &str, cache: &mut Cache) -> Compilation {
    compile_with(&MemorySources::single(NAME, text), &[NAME], cache)
}

/// What is wrong with a fix, by what there is after it.
fn wrong(
    before: &Compilation,
    (mended, fix): (&Diagnostic, &Fix),
    mistakes: Mistakes,
    after: &Compilation,
) -> Option<String> {
    let is_at = |one: &Diagnostic, other: &Diagnostic| {
        one.code == other.code && meet(moved(other.primary.span, fix), one.primary.span)
    };
    if let Some(left) = after.diagnostics.iter().find(|one| is_at(one, mended)) {
        return Some(format!("it is still there: {}", left.message));
    }
    if !fix.safe {
        return None;
    }
    let errors = |of: &Compilation| -> Vec<Diagnostic> {
        of.diagnostics.iter().filter(|one| one.is_error()).cloned().collect()
    };
    let (known, errors) = (errors(before), errors(after));
    // What could not be read has its own mistakes, and they show when it can be read.
    let syntax = |all: &[Diagnostic]| all.iter().filter(|one| is_syntax(one)).count();
    let reads_more = mistakes == Mistakes::Several && syntax(&errors) < syntax(&known);
    let is_new = |one: &&Diagnostic| !known.iter().any(|other| is_at(one, other));
    let new = errors.iter().filter(|one| !reads_more || is_syntax(one)).find(is_new);
    new.map(|new| format!("a new error {}: {}", new.code, new.message))
}

/// The parser's codes end there.
fn is_syntax(finding: &Diagnostic) -> bool {
    finding.code.as_str() < "K0070"
}

/// A place after the edits of a fix: what is inserted at its ends belongs to it.
fn moved(place: Span, fix: &Fix) -> Span {
    let (mut start, mut end) = (i64::from(place.start), i64::from(place.end));
    for edit in &fix.edits {
        let longer = i64::try_from(edit.insert.len()).unwrap_or(i64::MAX)
            - i64::from(edit.span.end - edit.span.start);
        if edit.span.end <= place.start && edit.span.start < place.start {
            start += longer;
        }
        if edit.span.start <= place.end {
            end += longer;
        }
    }
    let cut = |at: i64| u32::try_from(at).unwrap_or_default();
    Span::new(place.file, cut(start), cut(end.max(start)))
}

fn meet(a: Span, b: Span) -> bool {
    let is_empty = a.start == a.end || b.start == b.end;
    a.file == b.file
        && if is_empty {
            a.start <= b.end && b.start <= a.end
        } else {
            a.start < b.end && b.start < a.end
        }
}

/// The lines of a text that are not in another, with a mark.
fn difference(before: &str, after: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b);
    let end = new.len() - tail.count();
    new.get(same..end).unwrap_or_default().iter().map(|line| format!("   > {line}\n")).collect()
}
