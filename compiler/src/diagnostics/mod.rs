//! Diagnostics as plain data: what is wrong, where, which other place matters, what to do.
//!
//! A stage builds them with [`Diagnostic::new`] and hands them to the [`Diagnostics`] sink, which keeps order, drops
//! repetitions and everything that only follows from an earlier mistake. Rendering is elsewhere: `render` draws them
//! for a terminal or as JSON; a language server maps them itself.

mod codes;
pub mod fixes;
mod places;
pub mod render;
mod sink;

use serde::{Deserialize, Serialize};

pub use codes::{Code, CodeInfo, explain};
pub(crate) use places::Places;
pub use sink::{Diagnostics, MAX_PER_FILE};

/// Index of a source file in the compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A place: bytes of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The place from `start` to before `end`.
    #[must_use]
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Self { file, start, end: end.max(start) }
    }

    /// The empty place in front of this one: where an insertion goes.
    #[must_use]
    pub fn before(self) -> Self {
        Self { end: self.start, ..self }
    }

    /// The empty place behind this one.
    #[must_use]
    pub fn after(self) -> Self {
        Self { start: self.end, ..self }
    }

    /// The smallest place that contains both; this one if the other is in another file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        if self.file != other.file {
            return self;
        }
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether the other place lies inside this one.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The program does not run.
    Error,
    /// It runs, but probably not as meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word in front of a message.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A place with words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What there is to say about it; may be empty for the primary place.
    pub text: String,
}

/// A replacement of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// The new text.
    pub insert: String,
}

impl Edit {
    /// Puts `insert` in the place of `span`.
    pub fn new(span: Span, insert: impl Into<String>) -> Self {
        Self { span, insert: insert.into() }
    }
}

/// A change that a tool can make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What it does, in the imperative: "rename it to `order_id`".
    pub title: String,
    /// The edits, none overlapping.
    pub edits: Vec<Edit>,
    /// Whether it may be applied without a person looking: the result means what was surely meant.
    pub safe: bool,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// `K0501`: one row in the table of codes, one page of documentation.
    pub code: String,
    /// How bad.
    pub severity: Severity,
    /// One plain sentence, lower case, no full stop: what is wrong.
    pub message: String,
    /// Where.
    pub primary: Label,
    /// The other places that matter.
    pub labels: Vec<Label>,
    /// Further facts.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// Changes that a tool can make.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// A finding with the severity of its code and nothing but its sentence.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code: code.as_str().to_owned(),
            severity: code.info().severity,
            message: message.into(),
            primary: Label { span, text: String::new() },
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }

    /// "`what` is not supported yet": a part of the language that this version does not run.
    #[must_use]
    pub fn not_supported(span: Span, what: &str) -> Self {
        Self::new(Code::NotSupported, span, format!("{what} is not supported yet"))
            .here("this version of KAIT cannot do this yet")
    }

    /// "`what` are checked, but this version does not run them yet": a part of the language that ends at checking.
    #[must_use]
    pub fn not_run(span: Span, what: &str) -> Self {
        Self::new(
            Code::NotSupported,
            span,
            format!("{what} are checked, but this version does not run them yet"),
        )
        .here("this would have to run")
        .help("in a test, put a `stub` in its place")
    }

    /// Words under the primary place.
    #[must_use]
    pub fn here(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Another place that matters, with what is to be said about it.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into() });
        self
    }

    /// A further fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// What to do; the last one wins.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// What to do, if there is something to say.
    #[must_use]
    pub fn maybe_help(mut self, text: Option<String>) -> Self {
        self.help = text.or(self.help);
        self
    }

    /// A fix that surely means what was meant: `kait check --fix` applies it unseen.
    #[must_use]
    pub fn fix(self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.with_fix(title, edits, true)
    }

    /// A fix that is a guess (a similar name, a placeholder): offered, never applied unseen.
    #[must_use]
    pub fn guess(self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.with_fix(title, edits, false)
    }

    /// Another severity than its code's.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Whether the program does not run because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn with_fix(mut self, title: impl Into<String>, edits: Vec<Edit>, safe: bool) -> Self {
        self.fixes.push(Fix { title: title.into(), edits, safe });
        self
    }
}

/// `` `a` ``, `` `b` and `c` ``: a short list for a message, at most eight names. Of a longer list that says how long it is
/// only those are looked at, so that very many messages about very many names cost no more each.
pub(crate) fn names_of<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 8;
    let mut all = all.into_iter();
    let (least, most) = all.size_hint();
    let mut shown: Vec<&str> = all.by_ref().take(MOST + 1).collect();
    let more = if shown.len() <= MOST {
        0
    } else {
        shown.truncate(MOST - 2);
        let count = if most == Some(least) { least } else { MOST + 1 + all.count() };
        count.saturating_sub(shown.len())
    };
    let shown: Vec<String> = shown.iter().map(|name| format!("`{name}`")).collect();
    if more > 0 {
        return format!("{} and {more} more", shown.join(", "));
    }
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, front)) => format!("{} and {last}", front.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_names_read_well() {
        assert_eq!(names_of(["a"]), "`a`");
        assert_eq!(names_of(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(names_of([]), "");
        assert_eq!(names_of(["a"; 8]), "`a`, `a`, `a`, `a`, `a`, `a`, `a` and `a`");
        let nine = "`b`, `b`, `b`, `b`, `b`, `b` and 3 more";
        assert_eq!(names_of(["b"; 9]), nine);
        assert_eq!(names_of(["b"; 9].into_iter().filter(|name| *name == "b")), nine);
    }

    #[test]
    fn a_diagnostic_is_built_in_one_expression() {
        let at = Span::new(FileId(0), 4, 8);
        let finding = Diagnostic::new(Code::UnknownName, at, "`ab` is not known here")
            .here("no such name")
            .label(at.before(), "perhaps this")
            .note("a fact")
            .help("do this")
            .fix("rename it to `abc`", vec![Edit::new(at, "abc")])
            .guess("rename it to `abd`", vec![Edit::new(at, "abd")]);
        assert_eq!(finding.code, "K0201");
        assert!(finding.is_error());
        assert_eq!(finding.fixes.iter().map(|fix| fix.safe).collect::<Vec<_>>(), [true, false]);
        assert_eq!(at.before().to(at.after()), at);
    }
}
