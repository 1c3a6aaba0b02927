//! What each name of a file means: built once per file from the HIR, sorted by place.
//!
//! The HIR knows what was meant; where the words of a path or a call stand, only the syntax tree knows. So `walk` goes
//! through the HIR and looks up places in the tree. Names that could not be resolved are left out.

pub(crate) use walk::{called, words};

mod types;
mod walk;

use kait_compiler::diagnostics::FileId;

use crate::{Analysis, Symbol};

/// A name that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ref {
    /// First byte.
    pub start: u32,
    /// One past the last.
    pub end: u32,
    /// What it means.
    pub symbol: Symbol,
    /// Whether it introduces what it means.
    pub declares: bool,
}

/// The names of one file.
#[derive(Debug, Default)]
pub(crate) struct FileIndex {
    refs: Vec<Ref>,
}

impl FileIndex {
    pub(crate) fn build(analysis: &Analysis, file: FileId) -> Self {
        let mut refs = walk::refs(analysis, file);
        // Of two meanings of one word the one that introduces it wins: it was recorded from the declaration itself.
        refs.sort_by_key(|found| (found.start, found.end, !found.declares));
        refs.dedup_by_key(|found| found.start);
        Self { refs }
    }

    /// The name that starts at an offset.
    pub(crate) fn at(&self, start: u32) -> Option<Ref> {
        let index = self.refs.binary_search_by_key(&start, |found| found.start).ok()?;
        self.refs.get(index).copied()
    }

    /// All names in the order of the text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Ref> {
        self.refs.iter().copied()
    }
}
