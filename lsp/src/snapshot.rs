//! What a question is answered from: the texts at one moment, and the analyses made of them.

use std::hash::BuildHasher as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::sources::File;
use kait_ide::{Analysis, Inputs};
use rustc_hash::{FxBuildHasher, FxHashMap};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::{Diagnostic, Location, Position, Range, Uri};

use crate::capabilities::ClientSupport;
use crate::disk::{Disk, PackageSources, below, package_of, page};
use crate::documents::{Document, Documents, path_of};

/// What is found in a file as long as what was read stays the same.
type Findings = (Inputs, Arc<Vec<Diagnostic>>);

/// Analyses of open files, and findings of others, by path: shared by all snapshots, brought up to date on demand.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    files: Mutex<FxHashMap<PathBuf, Entry>>,
    packages: Mutex<FxHashMap<PathBuf, Entry>>,
    /// Of files that are not open only the findings are kept: whole analyses of a workspace would be too much.
    findings: Mutex<FxHashMap<PathBuf, Findings>>,
    /// Analyses that nobody asks any more: large, so they are freed when no answer waits for it.
    retired: Mutex<Vec<Slot>>,
}

/// An analysis that is made once, by whoever needs it first; others wait for it.
type Slot = Arc<OnceLock<Arc<Analysis>>>;

#[derive(Clone, Debug, Default)]
struct Entry {
    /// The state of the texts for which it is known to be right.
    revision: u64,
    slot: Slot,
    /// What the compiler takes over from one state of the texts to the next.
    compiler: Arc<Mutex<kait_compiler::Cache>>,
}

impl Cache {
    /// Forgets a file that is not open any more.
    pub(crate) fn close(&self, path: &Path) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        // Of packages without an open file nothing is kept.
        self.packages.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Frees what is out of date: for workers that have given their answer.
    pub(crate) fn sweep(&self) {
        let retired = std::mem::take(&mut *self.retired());
        drop(retired);
    }

    fn retired(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.retired.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The texts at one moment. Cheap to make; immutable.
#[derive(Clone)]
pub(crate) struct Snapshot {
    /// Grows with every change of any text.
    pub revision: u64,
    /// The revision by now: another one means that nobody waits for this snapshot's answers.
    pub current: Arc<AtomicU64>,
    pub documents: Arc<Documents>,
    pub disk: Arc<Disk>,
    pub cache: Arc<Cache>,
    pub folders: Arc<Vec<PathBuf>>,
    pub client: Arc<ClientSupport>,
}

/// A file of an analysis, looked up by its URI.
pub(crate) struct Opened {
    pub analysis: Arc<Analysis>,
    pub file: FileId,
    pub root: PathBuf,
}

impl Snapshot {
    /// Whether the texts have changed since: whatever is computed would be thrown away.
    pub(crate) fn is_stale(&self) -> bool {
        self.current.load(Ordering::SeqCst) != self.revision
    }

    /// `Err` if the texts have changed since.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_stale() { Err(Error::content_modified()) } else { Ok(()) }
    }

    pub(crate) fn document(&self, path: &Path) -> Option<&Document> {
        self.documents.get(path).map(|document| &**document)
    }

    pub(crate) fn sources<'a>(&'a self, root: &'a Path) -> PackageSources<'a> {
        PackageSources { root, documents: &self.documents, disk: &self.disk }
    }

    /// A file with what it imports.
    pub(crate) fn open(&self, uri: &Uri) -> Result<Option<Opened>> {
        let path = path_of(uri);
        let Some((root, inner)) = package_of(&path) else { return Ok(None) };
        let analysis = self.analysis(&path, &root, &inner)?;
        let Some(file) = analysis.file(&inner) else { return Ok(None) };
        Ok(Some(Opened { analysis, file, root }))
    }

    /// A file with all files of its package.
    pub(crate) fn open_package(&self, uri: &Uri) -> Result<Option<Opened>> {
        let path = path_of(uri);
        let Some((root, inner)) = package_of(&path) else { return Ok(None) };
        let analysis = self.package(&root, &inner)?;
        let Some(file) = analysis.file(&inner) else { return Ok(None) };
        Ok(Some(Opened { analysis, file, root }))
    }

    /// All files of a package; `first` is one of them.
    pub(crate) fn package(&self, root: &Path, first: &str) -> Result<Arc<Analysis>> {
        self.check()?;
        let slot = self.cache.packages.lock().unwrap_or_else(PoisonError::into_inner);
        // A file may have come or gone, so a package's analysis is good for one state of the texts only.
        let (slot, _) = self.slot(slot, root, |_| false)?;
        let make = || Arc::new(Analysis::of_package(&self.sources(root), first));
        let analysis = Arc::clone(slot.get_or_init(make));
        self.check()?;
        if analysis.file(first).is_some() {
            return Ok(analysis);
        }
        Ok(Arc::new(Analysis::of_package(&self.sources(root), first)))
    }

    fn analysis(&self, path: &Path, root: &Path, inner: &str) -> Result<Arc<Analysis>> {
        self.check()?;
        if !self.documents.contains_key(path) {
            return Ok(Arc::new(Analysis::new(&self.sources(root), &[inner])));
        }
        let slot = self.cache.files.lock().unwrap_or_else(PoisonError::into_inner);
        let (slot, compiler) =
            self.slot(slot, path, |known| known.inputs().are_current(&self.sources(root)))?;
        let make = || {
            // What a fault of ours left behind is not used again.
            let mut compiler = compiler.lock().unwrap_or_else(|poisoned| {
                compiler.clear_poison();
                let mut left = poisoned.into_inner();
                *left = kait_compiler::Cache::new();
                left
            });
            Arc::new(Analysis::with_cache(&self.sources(root), &[inner], &mut compiler))
        };
        let analysis = Arc::clone(slot.get_or_init(make));
        self.check()?;
        Ok(analysis)
    }

    /// The place for an analysis of this state of the texts: an older one if it is still right.
    fn slot(
        &self,
        mut entries: MutexGuard<'_, FxHashMap<PathBuf, Entry>>,
        key: &Path,
        still_right: impl Fn(&Analysis) -> bool,
    ) -> Result<(Slot, Arc<Mutex<kait_compiler::Cache>>)> {
        let entry = entries.entry(key.to_owned()).or_default();
        if entry.revision == self.revision {
            // Nobody says that a file on disk has changed: so it is looked at, each time.
            let outdated = !self.client.registers_watchers
                && entry.slot.get().is_some_and(|known| !still_right(known));
            if outdated {
                self.cache.retired().push(std::mem::take(&mut entry.slot));
            }
            return Ok((Arc::clone(&entry.slot), Arc::clone(&entry.compiler)));
        }
        if entry.revision > self.revision {
            return Err(Error::content_modified());
        }
        let right = entry.slot.get().is_some_and(|known| still_right(known));
        if !right {
            self.cache.retired().push(std::mem::take(&mut entry.slot));
        }
        entry.revision = self.revision;
        Ok((Arc::clone(&entry.slot), Arc::clone(&entry.compiler)))
    }

    /// The findings in a file that is not open.
    pub(crate) fn closed_findings(
        &self,
        path: &Path,
        make: impl Fn(&Opened) -> Vec<Diagnostic>,
    ) -> Result<Arc<Vec<Diagnostic>>> {
        self.check()?;
        let Some((root, inner)) = package_of(path) else { return Ok(Arc::default()) };
        let findings = || self.cache.findings.lock().unwrap_or_else(PoisonError::into_inner);
        let known = findings().get(path).cloned();
        if let Some((inputs, found)) = known
            && inputs.are_current(&self.sources(&root))
        {
            return Ok(found);
        }
        let analysis = Arc::new(Analysis::new(&self.sources(&root), &[&inner]));
        let inputs = analysis.inputs().clone();
        let found = match analysis.file(&inner) {
            Some(file) => Arc::new(make(&Opened { analysis, file, root })),
            None => Arc::default(),
        };
        findings().insert(path.to_owned(), (inputs, Arc::clone(&found)));
        Ok(found)
    }

    /// The URI of a file: as the client calls it, if it is open there.
    pub(crate) fn uri(&self, path: &Path) -> Option<Uri> {
        match self.document(path) {
            Some(document) => Some(document.uri.clone()),
            None => Uri::from_file_path(path),
        }
    }

    pub(crate) fn offset(&self, file: &File, position: Position) -> u32 {
        self.client.encoding.offset(file.text(), &file.lines, position)
    }

    pub(crate) fn range(&self, file: &File, span: Span) -> Range {
        self.client.encoding.range(file, span)
    }
}

impl Opened {
    pub(crate) fn source(&self) -> Option<&File> {
        self.analysis.source(self.file)
    }

    /// The offset of a position in the file.
    pub(crate) fn offset(&self, snapshot: &Snapshot, position: Position) -> u32 {
        self.source().map_or(0, |file| snapshot.offset(file, position))
    }

    /// The bytes of a range in the file.
    pub(crate) fn span(&self, snapshot: &Snapshot, range: Range) -> Span {
        let start = self.offset(snapshot, range.start);
        Span::new(self.file, start, self.offset(snapshot, range.end))
    }

    /// Where a file of the analysis is; a module of std or of a lock is put where editors can read it.
    pub(crate) fn uri(&self, snapshot: &Snapshot, file: FileId) -> Option<Uri> {
        let source = self.analysis.source(file)?;
        if self.analysis.is_std(file) {
            let name = match source.path.strip_prefix("std/") {
                Some(name) => name.to_owned(),
                // Projects pin servers of the same name in their own way, and pin them anew.
                None => {
                    let hash = FxBuildHasher.hash_one(source.text());
                    let name = source.path.rsplit('/').next()?;
                    format!("mcp-{}-{hash:016x}.kait", name.strip_suffix(".kait")?)
                }
            };
            return Uri::from_file_path(page(&name, source.text())?);
        }
        snapshot.uri(&below(&self.root, &source.path))
    }

    pub(crate) fn location(&self, snapshot: &Snapshot, span: Span) -> Option<Location> {
        let range = snapshot.range(self.analysis.source(span.file)?, span);
        Some(Location::new(self.uri(snapshot, span.file)?, range))
    }
}
