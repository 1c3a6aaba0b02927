//! A source file in memory: its number, its name, its text and its lines.
//!
//! Nothing here reads a disk; whoever loads files makes these.

use std::sync::Arc;

use crate::LineIndex;

/// The number of a file within one compilation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FileId(pub u32);

/// A text with a name. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct SourceFile {
    id: FileId,
    path: Arc<str>,
    text: Arc<str>,
    line_index: Arc<LineIndex>,
}

impl SourceFile {
    /// `path` is a name for people; nothing is opened.
    #[must_use]
    pub fn new(id: FileId, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let line_index = Arc::new(LineIndex::new(&text));
        Self { id, path: path.into(), text, line_index }
    }

    /// The file's number.
    #[must_use]
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The file's name.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text, shared.
    #[must_use]
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// Lines and columns of the text.
    #[must_use]
    pub fn line_index(&self) -> &LineIndex {
        &self.line_index
    }
}
