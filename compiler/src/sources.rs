//! Where source text comes from, and the table of the files of a compilation.
//!
//! The compiler never opens a file: it asks a [`Sources`]. A command line reads a disk, a language server its
//! editor's buffers, a test a map.

use std::collections::BTreeMap;
use std::sync::Arc;

use kait_syntax::{LineIndex, SyntaxTree};

use crate::diagnostics::{FileId, Span};

/// Why a text could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// There is no such file.
    NotFound,
    /// There is one, but it cannot be read; the text says why.
    Unreadable(String),
}

/// Source texts by path. Paths are relative to the package's root, with `/` between their parts.
pub trait Sources {
    /// The text of a file.
    ///
    /// # Errors
    /// [`SourceError`] if it does not exist, cannot be read, or is no UTF-8.
    fn read(&self, path: &str) -> Result<Arc<str>, SourceError>;

    /// The paths of all `.kait` files of the package: for did-you-mean only, so it may be incomplete.
    fn list(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Sources that are held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemorySources {
    texts: BTreeMap<String, Arc<str>>,
}

impl MemorySources {
    /// Only this file.
    pub fn single(path: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        let mut sources = Self::default();
        sources.insert(path, text);
        sources
    }

    /// Adds or replaces a file.
    pub fn insert(&mut self, path: impl Into<String>, text: impl Into<Arc<str>>) {
        self.texts.insert(path.into(), text.into());
    }
}

impl Sources for MemorySources {
    fn read(&self, path: &str) -> Result<Arc<str>, SourceError> {
        self.texts.get(path).cloned().ok_or(SourceError::NotFound)
    }

    fn list(&self) -> Vec<String> {
        self.texts.keys().cloned().collect()
    }
}

/// A file of a compilation.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path, or `std/text.kait` for a module of the standard library.
    pub path: Arc<str>,
    /// Its syntax tree; holds the text.
    pub tree: Arc<SyntaxTree>,
    /// Where its lines start.
    pub lines: LineIndex,
}

impl File {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.tree.text()
    }
}

/// The files of a compilation, by [`FileId`].
#[derive(Clone, Debug, Default)]
pub struct Files {
    files: Vec<File>,
}

impl Files {
    /// Adds a file.
    pub(crate) fn add(&mut self, path: Arc<str>, tree: Arc<SyntaxTree>) -> FileId {
        let lines = LineIndex::new(tree.text());
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(File { path, tree, lines });
        id
    }

    /// Shows the package's files below a directory: `prefix` is written before their paths, as it is, but for what the
    /// `..`s of another package's files lead back out of.
    pub fn show_below(&mut self, prefix: &str) {
        if prefix.is_empty() {
            return;
        }
        for file in &mut self.files {
            if !file.path.starts_with("std/") {
                let (mut prefix, mut path) = (prefix, &*file.path);
                while let Some(rest) = path.strip_prefix("../")
                    && let Some(name) = prefix.strip_suffix('/')
                    && !matches!(name.rsplit('/').next(), Some("" | "." | ".."))
                {
                    prefix = name.rfind('/').map_or("", |slash| prefix.get(..=slash).unwrap_or(""));
                    path = rest;
                }
                file.path = format!("{prefix}{path}").into();
            }
        }
    }

    /// The file of an id.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&File> {
        self.files.get(id.0 as usize)
    }

    /// All files with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &File)> {
        (0u32..).map(FileId).zip(&self.files)
    }

    /// The id of the file with a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<FileId> {
        self.iter().find(|(_, file)| &*file.path == path).map(|(id, _)| id)
    }

    /// `path:line:column` of a place in a lowered program.
    #[must_use]
    pub fn place(&self, span: kait_ir::program::Span) -> Option<String> {
        self.position(FileId(span.file), span.start)
    }

    /// `path:line:column` of a place in a text, from 1.
    #[must_use]
    pub fn place_of(&self, span: Span) -> Option<String> {
        self.position(span.file, span.start)
    }

    fn position(&self, file: FileId, start: u32) -> Option<String> {
        let file = self.get(file)?;
        let at = file.lines.line_col(start.into());
        let column = file.lines.char_col(file.text(), start.into());
        Some(format!("{}:{}:{}", file.path, at.line + 1, column + 1))
    }

    /// The number of the line in which a place is, from 1.
    #[must_use]
    pub fn line_of(&self, span: Span) -> Option<u32> {
        Some(self.get(span.file)?.lines.line_col(span.start.into()).line + 1)
    }

    /// The text of a place; empty if the place lies outside of its file.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file)
            .and_then(|file| file.text().get(span.start as usize..span.end as usize))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_sources_know_their_files() {
        let mut sources = MemorySources::single("a.kait", "model a");
        sources.insert("b/c.kait", "model c");
        assert_eq!(sources.read("a.kait").as_deref(), Ok("model a"));
        assert_eq!(sources.read("x.kait"), Err(SourceError::NotFound));
        assert_eq!(sources.list(), ["a.kait", "b/c.kait"]);
    }

    #[test]
    fn slices_outside_are_empty() {
        let mut files = Files::default();
        let parse = kait_syntax::parse("model a");
        let id = files.add("a.kait".into(), Arc::new(parse.tree));
        assert_eq!(files.slice(Span::new(id, 0, 5)), "model");
        assert_eq!(files.slice(Span::new(id, 6, 50)), "");
        assert_eq!(files.slice(Span::new(FileId(7), 0, 1)), "");
        assert_eq!(files.find("a.kait"), Some(id));
    }

    #[test]
    fn files_of_other_packages_are_shown_without_detours() {
        for (prefix, path, shown) in [
            ("app/", "a.kait", "app/a.kait"),
            ("app/", "../acme/a.kait", "acme/a.kait"),
            ("work/app/", "../acme/a.kait", "work/acme/a.kait"),
            ("app/", "../../acme/a.kait", "../acme/a.kait"),
            ("../app/", "../acme/a.kait", "../acme/a.kait"),
            ("../", "../acme/a.kait", "../../acme/a.kait"),
            ("/w/app/", "../acme/a.kait", "/w/acme/a.kait"),
        ] {
            let mut files = Files::default();
            let id = files.add(path.into(), Arc::new(kait_syntax::parse("").tree));
            files.show_below(prefix);
            assert_eq!(files.get(id).map(|file| &*file.path), Some(shown), "{prefix} {path}");
        }
    }
}
