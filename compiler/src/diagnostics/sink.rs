//! Where all stages put what they find.
//!
//! The sink keeps three promises: a finding is kept once, no file has more than [`MAX_PER_FILE`] errors, nor warnings, and nothing is
//! kept that stands in a *poisoned* place, where an earlier stage could not read the text.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Code, Diagnostic, FileId, Places, Severity, Span};

/// Errors that are kept per file, and warnings; one more says how many were left out.
pub const MAX_PER_FILE: usize = 100;

/// The findings of a compilation.
#[derive(Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    seen: FxHashSet<(String, Span)>,
    errors: FxHashMap<FileId, usize>,
    warnings: FxHashMap<FileId, usize>,
    left_out: FxHashMap<(FileId, Severity), (Span, usize)>,
    poisoned: Places,
}

impl Diagnostics {
    /// An empty sink.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a finding, unless the same code was raised at the same place or the place is poisoned.
    pub fn push(&mut self, finding: Diagnostic) {
        if !self.is_poisoned(finding.primary.span) {
            self.push_always(finding);
        }
    }

    /// Keeps a finding also in a poisoned place: for the stage that poisons.
    pub fn push_always(&mut self, finding: Diagnostic) {
        let span = finding.primary.span;
        if !self.seen.insert((finding.code.clone(), span)) {
            return;
        }
        let known = match finding.severity {
            Severity::Error => Some(&mut self.errors),
            Severity::Warning => Some(&mut self.warnings),
            Severity::Note => None,
        };
        if let Some(known) = known.map(|known| known.entry(span.file).or_default()) {
            *known += 1;
            if *known > MAX_PER_FILE {
                self.left_out.entry((span.file, finding.severity)).or_insert((span, 0)).1 += 1;
                return;
            }
        }
        self.found.push(finding);
    }

    /// Keeps a finding unless an error was already found inside its place: for mistakes that may only follow from it.
    pub fn push_follow_up(&mut self, finding: Diagnostic) {
        if !self.has_error_in(finding.primary.span) {
            self.push(finding);
        }
    }

    /// From now on nothing is kept inside this place: its text could not be read, so whatever is found there follows.
    pub fn poison(&mut self, span: Span) {
        self.poisoned.insert(span);
    }

    /// Whether a place lies inside a poisoned one.
    #[must_use]
    pub fn is_poisoned(&self, span: Span) -> bool {
        self.poisoned.cover(span)
    }

    /// Whether no more errors of a file are kept: then what would be said besides is not worth its time.
    #[must_use]
    pub fn is_full(&self, file: FileId) -> bool {
        self.errors.get(&file).is_some_and(|errors| *errors >= MAX_PER_FILE)
    }

    /// Whether there is an error inside a place. Linear in the number of findings, so: not on the good path.
    #[must_use]
    pub fn has_error_in(&self, span: Span) -> bool {
        self.found.iter().any(|one| one.is_error() && span.contains(one.primary.span))
    }

    /// Drops warnings about what is never needed in declarations that have errors: the use may be what is wrong.
    pub fn drop_unused_beside_errors(&mut self, declarations: impl Iterator<Item = Span>) {
        let unused = [Code::UnusedLet.as_str(), Code::UnusedAnswer.as_str()];
        if !self.has_errors() || !self.found.iter().any(|one| unused.contains(&one.code.as_str())) {
            return;
        }
        let errors = self.found.iter().filter(|one| one.is_error());
        let errors: Vec<Span> = errors.map(|one| one.primary.span).collect();
        let is_wrong = |span: &Span| errors.iter().any(|error| span.contains(*error));
        let wrong: Vec<Span> = declarations.filter(is_wrong).collect();
        self.found.retain(|one| {
            !unused.contains(&one.code.as_str())
                || !wrong.iter().any(|span| span.contains(one.primary.span))
        });
    }

    /// Drops that a list may be of any length, where a part of the file could not be read: the bound may stand there.
    pub fn drop_unbounded_beside_damage(&mut self) {
        let unbounded = Code::UnboundedFor.as_str();
        if !self.found.iter().any(|one| one.code == unbounded) {
            return;
        }
        let is_damage = |one: &&Diagnostic| one.is_error() && one.code.as_str() < "K0070";
        let damaged: Vec<FileId> =
            self.found.iter().filter(is_damage).map(|one| one.primary.span.file).collect();
        self.found.retain(|one| one.code != unbounded || !damaged.contains(&one.primary.span.file));
    }

    /// Drops errors that stand beside another one of the same mistake: a call that says in the wrong place how deep it may
    /// go, and a question that cannot be asked.
    pub fn drop_what_follows(&mut self) {
        let depths: Vec<Span> = self
            .found
            .iter()
            .filter(|one| {
                one.code == Code::MisplacedPolicy.as_str() && one.message.starts_with("`depth`")
            })
            .map(|one| one.primary.span)
            .collect();
        let questions: Vec<Span> = self
            .found
            .iter()
            .filter(|one| one.code == Code::NotAForm.as_str())
            .map(|one| one.primary.span)
            .collect();
        if depths.is_empty() && questions.is_empty() {
            return;
        }
        self.found.retain(|one| {
            let span = one.primary.span;
            // The policies follow the call that leads back.
            let is_depth = one.code == Code::UnboundedRecursion.as_str()
                && depths.iter().any(|at| {
                    at.file == span.file && at.start >= span.end && at.start - span.end < 16
                });
            let is_question = one.code == Code::Unanswered.as_str() && questions.contains(&span);
            !is_depth && !is_question
        });
    }

    /// Whether there is any error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// The findings so far, in the order in which they came.
    #[must_use]
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.found
    }

    /// The findings by file and place; at one place errors first.
    #[must_use]
    pub fn finish(mut self) -> Vec<Diagnostic> {
        let has_errors = self.has_errors();
        for ((_, severity), (span, count)) in self.left_out {
            let (what, others) = match severity {
                Severity::Error => ("error", "repair those first"),
                // What is wrong may be why; then nobody knows how many there are.
                Severity::Warning | Severity::Note if has_errors => continue,
                Severity::Warning | Severity::Note => {
                    ("warning", "the others come when those are mended")
                }
            };
            let message = if count == 1 {
                format!("1 more {what} is not shown")
            } else {
                format!("{count} more {what}s are not shown")
            };
            let help = format!("at most {MAX_PER_FILE} {what}s per file are kept; {others}");
            let finding = Diagnostic::new(Code::FurtherErrors, span, message);
            self.found.push(finding.severity(severity).help(help));
        }
        self.found.sort_by(|a, b| {
            let key =
                |one: &Diagnostic| (one.primary.span.file, one.primary.span.start, one.severity);
            key(a)
                .cmp(&key(b))
                .then(a.primary.span.end.cmp(&b.primary.span.end))
                .then(a.code.cmp(&b.code))
        });
        self.found
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, findings: T) {
        findings.into_iter().for_each(|finding| self.push(finding));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: u32, end: u32) -> Span {
        Span::new(FileId(0), start, end)
    }

    fn error(start: u32, end: u32) -> Diagnostic {
        Diagnostic::new(Code::UnknownName, at(start, end), "m")
    }

    #[test]
    fn the_same_code_at_the_same_place_counts_once() {
        let mut sink = Diagnostics::new();
        sink.push(error(3, 4));
        sink.push(error(3, 4));
        sink.push(Diagnostic::new(Code::UnknownType, at(3, 4), "m"));
        assert_eq!(sink.finish().len(), 2);
    }

    #[test]
    fn findings_are_sorted_by_place() {
        let mut sink = Diagnostics::new();
        sink.push(Diagnostic::new(Code::UnusedLet, at(5, 6), "w"));
        sink.push(error(5, 6));
        sink.push(error(1, 2));
        let starts: Vec<_> =
            sink.finish().iter().map(|one| (one.primary.span.start, one.severity)).collect();
        assert_eq!(starts, [(1, Severity::Error), (5, Severity::Error), (5, Severity::Warning)]);
    }

    #[test]
    fn what_follows_is_dropped() {
        let mut sink = Diagnostics::new();
        sink.poison(at(10, 20));
        sink.push(error(12, 13));
        assert!(!sink.has_errors());
        sink.push(error(9, 13));
        sink.push_follow_up(Diagnostic::new(Code::UnknownType, at(0, 30), "m"));
        assert_eq!(sink.finish().len(), 1);
    }

    #[test]
    fn a_file_has_a_limited_number_of_errors() {
        let mut sink = Diagnostics::new();
        for n in 0..1_000 {
            sink.push(error(n, n + 1));
        }
        let all = sink.finish();
        assert_eq!(all.len(), MAX_PER_FILE + 1);
        let last = all.last().expect("not empty");
        assert_eq!(
            (last.code.as_str(), last.message.as_str()),
            ("K0099", "900 more errors are not shown")
        );
    }

    #[test]
    fn a_file_has_a_limited_number_of_warnings_besides() {
        let mut sink = Diagnostics::new();
        for n in 0..102 {
            sink.push(Diagnostic::new(Code::UnusedLet, at(n, n + 1), "w"));
        }
        sink.push(Diagnostic::new(Code::UnusedLet, Span::new(FileId(1), 0, 1), "w"));
        let all = sink.finish();
        assert!(!all.iter().any(Diagnostic::is_error));
        let further: Vec<_> =
            all.iter().filter(|one| one.code == "K0099").map(|one| one.message.as_str()).collect();
        assert_eq!((all.len(), further), (102, vec!["2 more warnings are not shown"]));
        let mut sink = Diagnostics::new();
        for n in 0..102 {
            sink.push(Diagnostic::new(Code::UnusedLet, at(n, n + 1), "w"));
        }
        sink.push(error(5, 6));
        assert_eq!(sink.finish().len(), MAX_PER_FILE + 1, "errors come first");
    }
}
