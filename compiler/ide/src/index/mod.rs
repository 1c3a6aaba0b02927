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
        Self::of(walk::refs(analysis, file))
    }

    /// Only the names that stand near an offset: those of the same declaration.
    pub(crate) fn around(analysis: &Analysis, file: FileId, offset: u32) -> Self {
        Self::of(walk::refs_around(analysis, file, offset))
    }

    fn of(mut refs: Vec<Ref>) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::case;

    #[test]
    fn one_name_means_the_same_without_the_whole_file() {
        let case = case(
            "use b\n\n/// Docs.\nrecord R<T> {\n  a: T\n  e: E\n}\n\nenum E {\n  A\n  B(x: int)\n}\n\nlet limit = 3\n\nfn f(r: R<int>, n: int = 1) -> int {\n  let m = match r.e {\n    A => b.g(n)\n    B(x) => x + limit\n  }\n  m + list.len([r.a])\n}\n\ntest \"t\" {\n  expect f(R(a: 1, e: A)) == 1\n}\n\nfn broken(n: int -> int {\n  n +\n//- b.kait\npub fn g(n: int) -> int {\n  n\n}\n",
        );
        let analysis = Analysis::new(&case.sources, &["main.kait"]);
        let file = analysis.file("main.kait").unwrap();
        let starts: Vec<u32> = analysis
            .tree(file)
            .unwrap()
            .tokens()
            .map(|token| token.range().start().into())
            .collect();
        let near: Vec<_> = starts.iter().map(|start| analysis.name_at(file, *start)).collect();
        let index = analysis.index(file).unwrap();
        let whole: Vec<_> = starts.iter().map(|start| index.at(*start)).collect();
        assert_eq!(near, whole);
        assert!(near.iter().flatten().count() > 30);
    }
}
