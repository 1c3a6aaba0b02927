//! A compilation that can be asked, and how to tell that it is out of date.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use kait_compiler::diagnostics::{Diagnostic, FileId, Span};
use kait_compiler::hir::{Body, Def, DefId, Hir, Module, ModuleId};
use kait_compiler::labels::{Labels, labels};
use kait_compiler::lower::Wait;
use kait_compiler::sources::{File, SourceError, Sources};
use kait_compiler::{Cache, Compilation};
use kait_syntax::{SyntaxToken, SyntaxTree, TextRange, TextSize};
use rustc_hash::FxHashMap;

use crate::index::{FileIndex, Ref};

/// A path that was asked for, and what came of it.
type Input = (String, Result<Arc<str>, SourceError>);

/// Some files, compiled: the answers to every question about them.
#[derive(Debug)]
pub struct Analysis {
    pub(crate) compilation: Compilation,
    /// What was read, in order: whoever has the same texts has the same answers.
    inputs: Inputs,
    /// The names of each file, looked up when somebody asks.
    indexes: Vec<OnceLock<FileIndex>>,
    /// What the program says about trust, found out when somebody asks.
    labels: OnceLock<Labels>,
    /// Made when somebody asks where something waits.
    waits: OnceLock<Vec<Wait>>,
    module_of_file: FxHashMap<FileId, ModuleId>,
    /// How many files at the start were asked for, rather than imported.
    roots: usize,
}

/// The texts that an analysis was made from, or was not because they are not there.
#[derive(Clone, Debug, Default)]
pub struct Inputs(Arc<[Input]>);

impl Inputs {
    /// Whether the sources still give what was read. Linear in the number of files; texts that are shared are not
    /// compared.
    #[must_use]
    pub fn are_current(&self, sources: &dyn Sources) -> bool {
        self.0.iter().all(|(path, known)| match (sources.read(path), known) {
            (Ok(now), Ok(then)) => Arc::ptr_eq(&now, then) || now == *then,
            (Err(now), Err(then)) => now == *then,
            _ => false,
        })
    }

    /// The paths that were read, also those that were looked for in vain.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(path, _)| path.as_str())
    }
}

/// Sources with some texts in the place of what is there: what an editor has open, what a rename would write.
pub struct Overlay<'s> {
    /// The other texts.
    pub base: &'s dyn Sources,
    /// The texts that win, by path.
    pub texts: FxHashMap<String, Arc<str>>,
}

impl Sources for Overlay<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, SourceError> {
        match self.texts.get(path) {
            Some(text) => Ok(Arc::clone(text)),
            None => self.base.read(path),
        }
    }

    fn list(&self) -> Vec<String> {
        self.base.list()
    }
}

/// Notes what the compiler reads.
struct Recorder<'s> {
    base: &'s dyn Sources,
    read: RefCell<Vec<Input>>,
}

impl Sources for Recorder<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, SourceError> {
        let text = self.base.read(path);
        self.read.borrow_mut().push((path.to_owned(), text.clone()));
        text
    }

    fn list(&self) -> Vec<String> {
        self.base.list()
    }
}

impl Analysis {
    /// Compiles files (paths of `sources`) and whatever they import.
    #[must_use]
    pub fn new(sources: &dyn Sources, roots: &[&str]) -> Self {
        Self::with_cache(sources, roots, &mut Cache::new())
    }

    /// The same, taking over what did not change since the last time with this cache: for one keystroke after the
    /// other in a file.
    #[must_use]
    pub fn with_cache(sources: &dyn Sources, roots: &[&str], cache: &mut Cache) -> Self {
        let recorder = Recorder { base: sources, read: RefCell::default() };
        let compilation = kait_compiler::compile_with(&recorder, roots, cache);
        let indexes = compilation.files.iter().map(|_| OnceLock::new()).collect();
        let module_of_file = (0u32..)
            .zip(&compilation.hir.modules)
            .map(|(index, module)| (module.file, ModuleId(index)))
            .collect();
        let inputs = Inputs(recorder.read.into_inner().into());
        let (labels, waits, roots) = (OnceLock::new(), OnceLock::new(), roots.len());
        Self { compilation, inputs, indexes, labels, waits, module_of_file, roots }
    }

    /// Where something that grows must be finished.
    pub(crate) fn waits(&self) -> &[Wait] {
        self.waits.get_or_init(|| self.compilation.waits())
    }

    /// What the program says about trust.
    pub(crate) fn labels(&self) -> &Labels {
        self.labels.get_or_init(|| labels(&self.compilation))
    }

    /// Compiles a file together with all other files of its package: for questions about all uses of a name.
    #[must_use]
    pub fn of_package(sources: &dyn Sources, first: &str) -> Self {
        let mut others = sources.list();
        others.sort_unstable();
        let roots: Vec<&str> = std::iter::once(first)
            .chain(others.iter().map(String::as_str).filter(|path| *path != first))
            .collect();
        Self::new(sources, &roots)
    }

    /// What was read.
    #[must_use]
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// What the compiler found out.
    #[must_use]
    pub fn compilation(&self) -> &Compilation {
        &self.compilation
    }

    /// The file with a path: as it was asked for, or `std/text.kait` for a module of the standard library.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<FileId> {
        self.compilation.files.find(path)
    }

    /// A file's path, text and lines.
    #[must_use]
    pub fn source(&self, file: FileId) -> Option<&File> {
        self.compilation.files.get(file)
    }

    /// Whether a file belongs to the standard library: it is not on a disk, and nothing in it can be changed.
    #[must_use]
    pub fn is_std(&self, file: FileId) -> bool {
        self.module_of(file)
            .and_then(|module| self.hir().modules.get(module.index()))
            .is_some_and(|module| module.is_std)
    }

    /// The findings in one file, in the order of the text.
    pub fn diagnostics(&self, file: FileId) -> impl Iterator<Item = &Diagnostic> {
        self.compilation.diagnostics.iter().filter(move |found| found.primary.span.file == file)
    }

    /// The files that were asked for.
    pub fn roots(&self) -> impl Iterator<Item = FileId> {
        (0u32..).take(self.roots).map(FileId)
    }

    pub(crate) fn hir(&self) -> &Hir {
        &self.compilation.hir
    }

    pub(crate) fn tree(&self, file: FileId) -> Option<&SyntaxTree> {
        self.source(file).map(|file| &*file.tree)
    }

    pub(crate) fn def(&self, id: DefId) -> Option<&Def> {
        self.hir().defs.get(id.index()).map(|def| &**def)
    }

    pub(crate) fn body(&self, id: DefId) -> Option<&Body> {
        self.hir().body(id)
    }

    pub(crate) fn module(&self, id: ModuleId) -> Option<&Module> {
        self.hir().modules.get(id.index())
    }

    pub(crate) fn module_of(&self, file: FileId) -> Option<ModuleId> {
        self.module_of_file.get(&file).copied()
    }

    pub(crate) fn index(&self, file: FileId) -> Option<&FileIndex> {
        let cell = self.indexes.get(file.0 as usize)?;
        Some(cell.get_or_init(|| FileIndex::build(self, file)))
    }

    /// What the name means that starts at an offset. The index of the whole file is not made for one name.
    pub(crate) fn name_at(&self, file: FileId, start: u32) -> Option<Ref> {
        match self.indexes.get(file.0 as usize)?.get() {
            Some(index) => index.at(start),
            None => FileIndex::around(self, file, start).at(start),
        }
    }

    /// The declaration around an offset.
    pub(crate) fn def_at(&self, file: FileId, offset: u32) -> Option<DefId> {
        let module = self.module(self.module_of(file)?)?;
        // Declarations stand in the order of the text.
        let after = module
            .defs
            .partition_point(|id| self.def(*id).is_some_and(|def| def.span.start <= offset));
        let id = *module.defs.get(after.checked_sub(1)?)?;
        (offset <= self.def(id)?.span.end).then_some(id)
    }

    /// The word at an offset, or the one that ends there.
    pub(crate) fn word_at(&self, file: FileId, offset: u32) -> Option<SyntaxToken<'_>> {
        let tree = self.tree(file)?;
        let token = tree.token_at(TextSize::from(offset))?;
        if is_word(token) {
            return Some(token);
        }
        let before = token.prev_token()?;
        (u32::from(before.range().end()) == offset && is_word(before)).then_some(before)
    }
}

/// A name or a word of the language.
pub(crate) fn is_word(token: SyntaxToken<'_>) -> bool {
    let kind = token.kind();
    kind.can_be_field_name() || kind == kait_syntax::SyntaxKind::Uid
}

pub(crate) fn span_of(file: FileId, range: TextRange) -> Span {
    Span::new(file, range.start().into(), range.end().into())
}

pub(crate) fn range_of(span: Span) -> TextRange {
    TextRange::new(span.start.into(), span.end.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kait_compiler::sources::MemorySources;

    #[test]
    fn an_analysis_knows_when_it_is_out_of_date() {
        let mut sources = MemorySources::single("a.kait", "use b\n\nfn f() -> int {\n  b.g()\n}\n");
        sources.insert("b.kait", "pub fn g() -> int {\n  1\n}\n");
        let analysis = Analysis::new(&sources, &["a.kait"]);
        assert!(analysis.inputs().are_current(&sources));
        assert_eq!(
            analysis.inputs().paths().collect::<Vec<_>>(),
            ["a.kait", "kait.toml", "b.kait"]
        );
        assert_eq!(analysis.compilation.diagnostics, []);
        sources.insert("c.kait", "");
        assert!(analysis.inputs().are_current(&sources));
        sources.insert("b.kait", "pub fn g() -> int {\n  2\n}\n");
        assert!(!analysis.inputs().are_current(&sources));
    }

    #[test]
    fn a_file_that_appears_makes_it_out_of_date() {
        let mut sources = MemorySources::single("a.kait", "use b\n");
        let analysis = Analysis::new(&sources, &["a.kait"]);
        sources.insert("b.kait", "");
        assert!(!analysis.inputs().are_current(&sources));
    }

    #[test]
    fn nothing_at_all() {
        let analysis = Analysis::new(&MemorySources::default(), &[]);
        assert!(analysis.def_at(FileId(0), 0).is_none() || analysis.is_std(FileId(0)));
        assert!(analysis.word_at(FileId(99), 7).is_none());
        assert!(analysis.index(FileId(99)).is_none());
    }
}
