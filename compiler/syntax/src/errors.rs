//! Syntax errors as plain data.
//!
//! Rendering, sorting and suppressing across files is the compiler's job; here an error says what is
//! wrong, where, which other place matters, what to do, and, where a machine can do it, the edit.

use text_size::TextRange;

use crate::codes::{Code, Severity};

/// One mistake in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The registered code.
    pub code: Code,
    /// One plain sentence: what is wrong.
    pub message: String,
    /// The place.
    pub range: TextRange,
    /// The other place that matters, with what is to be said about it.
    pub related: Option<(TextRange, String)>,
    /// What to do.
    pub help: Option<String>,
    /// The edit that repairs it.
    pub fix: Option<Fix>,
    /// Whether the tree is what was meant, so that nothing else that is found around it follows from this mistake.
    pub understood: bool,
}

/// An edit that a machine may apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the edit does, as an imperative: "replace `&&` by `and`".
    pub title: String,
    /// Replacements that do not overlap, in the order of the text.
    pub edits: Vec<Edit>,
    /// Whether it surely is what was meant; else it is a guess, which nobody applies unasked.
    pub safe: bool,
}

/// A replacement of a range by a text. An empty range inserts, an empty text deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub range: TextRange,
    /// By what.
    pub text: String,
}

impl SyntaxError {
    /// An error with nothing but its sentence.
    #[must_use]
    pub fn new(code: Code, range: TextRange, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            range,
            related: None,
            help: None,
            fix: None,
            understood: false,
        }
    }

    /// Marks a mistake whose meaning is certain: the tree is that of the right text.
    #[must_use]
    pub fn understood(mut self) -> Self {
        self.understood = true;
        self
    }

    /// Adds the other place that matters.
    #[must_use]
    pub fn with_related(mut self, range: TextRange, label: impl Into<String>) -> Self {
        self.related = Some((range, label.into()));
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a fix of several edits.
    #[must_use]
    pub fn with_fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits, safe: true });
        self
    }

    /// Makes the fix a guess: something else may have been meant.
    #[must_use]
    pub fn guessed(mut self) -> Self {
        if let Some(fix) = &mut self.fix {
            fix.safe = false;
        }
        self
    }

    /// Adds a fix of one replacement.
    #[must_use]
    pub fn with_replacement(
        self,
        title: impl Into<String>,
        range: TextRange,
        text: impl Into<String>,
    ) -> Self {
        self.with_fix(title, vec![Edit { range, text: text.into() }])
    }

    /// Whether the text must be refused, or is only remarked upon.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }
}

impl Fix {
    /// The text with the edits applied; edits that overlap or fall outside are left out.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut done = 0usize;
        for edit in &self.edits {
            let (start, end) = (usize::from(edit.range.start()), usize::from(edit.range.end()));
            let (Some(kept), true) = (text.get(done..start), text.is_char_boundary(end)) else {
                continue;
            };
            out.push_str(kept);
            out.push_str(&edit.text);
            done = end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }
}
