//! Diagnostics as plain data: what is wrong, where, which other place matters, what to do.
//!
//! Rendering is elsewhere: one module draws them for a terminal, another as JSON; a language server maps them itself.

use serde::{Deserialize, Serialize};

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
