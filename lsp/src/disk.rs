//! Files on disk: read once as long as they do not change, found below a directory within limits, and pages for
//! editors to show.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use etcetera::BaseStrategy as _;
use kait_compiler::sources::{SourceError, Sources};
use rustc_hash::FxHashMap;

use crate::documents::{Documents, is_unsaved};

/// Most directory entries that one search looks at, so that a program in a home directory does not make it walk
/// through everything.
pub(crate) const MAX_ENTRIES: usize = 20_000;

/// Directories that never hold programs of a project.
const SKIPPED: &[&str] = &["target", "node_modules"];

/// Texts of files as they were when they were last looked at.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    known: Mutex<FxHashMap<PathBuf, Known>>,
}

#[derive(Clone, Debug)]
struct Known {
    changed: Option<SystemTime>,
    length: u64,
    text: Arc<str>,
}

impl Disk {
    /// The text of a file, in the words of `kait check` if it cannot be had.
    fn read(&self, path: &Path, shown: &str) -> Result<Arc<str>, SourceError> {
        let unreadable = |why: String| SourceError::Unreadable(why);
        let data = std::fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => SourceError::NotFound,
            _ => unreadable(error.to_string()),
        })?;
        if data.is_dir() {
            return Err(unreadable(format!("`{shown}` is a directory, not a file")));
        }
        // To open a pipe waits for whoever writes into it.
        if !data.is_file() {
            let why = format!("`{shown}` is a pipe, a socket or a device, not a file");
            return Err(unreadable(why));
        }
        let (changed, length) = (data.modified().ok(), data.len());
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(path)
            && known.changed == changed
            && changed.is_some()
            && known.length == length
        {
            return Ok(Arc::clone(&known.text));
        }
        let bytes = std::fs::read(path)
            .map_err(|error| unreadable(format!("`{shown}` cannot be read: {error}")))?;
        let text: Arc<str> = match String::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                return Err(unreadable(format!(
                    "`{shown}` is not UTF-8 text: the byte at offset {at} is not part of a character"
                )));
            }
        };
        all.insert(path.to_owned(), Known { changed, length, text: Arc::clone(&text) });
        Ok(text)
    }
}

/// The files of a package: what is open in the editor wins over what is on disk.
pub(crate) struct PackageSources<'a> {
    pub root: &'a Path,
    pub documents: &'a Documents,
    pub disk: &'a Disk,
}

impl Sources for PackageSources<'_> {
    fn read(&self, path: &str) -> Result<Arc<str>, SourceError> {
        let full = below(self.root, path);
        match self.documents.get(&full) {
            Some(document) => Ok(Arc::clone(&document.text)),
            None if is_unsaved(&full) => Err(SourceError::NotFound),
            None => self.disk.read(&full, path),
        }
    }

    fn list(&self) -> Vec<String> {
        let open = self.documents.keys().filter(|path| path.starts_with(self.root)).cloned();
        let mut found: Vec<String> = programs(self.root)
            .into_iter()
            .chain(open)
            .filter_map(|path| {
                Some(path.strip_prefix(self.root).ok()?.to_str()?.replace('\\', "/"))
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// A path of a package (`/` between its parts, `..` at its beginning if it is of another package) on this machine,
/// without detours, as clients write paths.
pub(crate) fn below(root: &Path, path: &str) -> PathBuf {
    let mut full = root.to_path_buf();
    for part in path.split('/') {
        match part {
            ".." => {
                full.pop();
            }
            part => full.push(part),
        }
    }
    full
}

/// The package that a file belongs to, and the file's path in it: the package's root is where the nearest `kait.toml`
/// is, else the file's own directory.
pub(crate) fn package_of(path: &Path) -> Option<(PathBuf, String)> {
    let directory = path.parent()?;
    let manifest = |directory: &&Path| directory.join("kait.toml").is_file();
    let root = match is_unsaved(path) {
        true => directory,
        false => directory.ancestors().find(manifest).unwrap_or(directory),
    };
    let inner = path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/");
    Some((root.to_path_buf(), inner))
}

/// The `.kait` files below a directory, sorted; links are not followed, because they can make circles.
pub(crate) fn programs(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut queue = std::collections::VecDeque::from([directory.to_path_buf()]);
    let mut seen = 0;
    // Near directories first: what is cut off by the limit is far away.
    while let Some(directory) = queue.pop_front() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.filter_map(Result::ok) {
            seen += 1;
            if seen > MAX_ENTRIES {
                found.sort_unstable();
                return found;
            }
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&&*name) {
                queue.push_back(entry.path());
            } else if kind.is_file() && name.ends_with(".kait") {
                found.push(entry.path());
            }
        }
    }
    found.sort_unstable();
    found
}

/// Where the pages are that editors may show: the modules of std and the page of each code, for this version.
fn pages_directory() -> Option<PathBuf> {
    let cache = etcetera::choose_base_strategy().ok()?.cache_dir();
    Some(cache.join("kait").join(concat!("pages-", env!("CARGO_PKG_VERSION"))))
}

/// Whether a file is one of those pages: nobody's program, so nothing is found in it.
pub(crate) fn is_page(path: &Path) -> bool {
    pages_directory().is_some_and(|directory| path.starts_with(directory))
}

/// The file that shows a page, written if it is not there as it should be. Looked at once per page and process.
pub(crate) fn page(name: &str, text: &str) -> Option<PathBuf> {
    static KNOWN: Mutex<BTreeMap<String, Option<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(name.to_owned()).or_insert_with(|| write_page(name, text)).clone()
}

fn write_page(name: &str, text: &str) -> Option<PathBuf> {
    let directory = pages_directory()?;
    let path = directory.join(name);
    // Nobody should write into what others read, too.
    let protect = |path: &Path| {
        let mut mode = std::fs::metadata(path)?.permissions();
        mode.set_readonly(true);
        std::fs::set_permissions(path, mode)
    };
    if std::fs::read_to_string(&path).is_ok_and(|known| known == text) {
        // Of a former version, which did not.
        let _ = protect(&path);
        return Some(path);
    }
    std::fs::create_dir_all(&directory).ok()?;
    let draft = directory.join(format!(".{name}.{}.tmp", std::process::id()));
    let written = std::fs::write(&draft, text)
        .and_then(|()| protect(&draft))
        .and_then(|()| std::fs::rename(&draft, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written.ok().map(|()| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_when_it_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.kait");
        let disk = Disk::default();
        assert_eq!(disk.read(&path, "a.kait"), Err(SourceError::NotFound));
        std::fs::write(&path, "one").unwrap();
        let first = disk.read(&path, "a.kait").unwrap();
        assert!(Arc::ptr_eq(&first, &disk.read(&path, "a.kait").unwrap()));
        std::fs::write(&path, "three").unwrap();
        assert_eq!(&*disk.read(&path, "a.kait").unwrap(), "three");
        std::fs::write(&path, b"ab\xff").unwrap();
        let error = disk.read(&path, "a.kait").unwrap_err();
        assert!(matches!(&error, SourceError::Unreadable(why) if why.contains("offset 2")));
        assert!(matches!(disk.read(directory.path(), "d"), Err(SourceError::Unreadable(_))));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_not_opened() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pipe.kait");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = Disk::default().read(&path, "pipe.kait").unwrap_err();
        assert!(matches!(&error, SourceError::Unreadable(why) if why.contains("is a pipe")));
    }

    #[test]
    fn packages_and_their_files() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir_all(root.join("shop/.hidden")).unwrap();
        std::fs::create_dir_all(root.join("node_modules")).unwrap();
        for file in ["a.kait", "shop/b.kait", "shop/.hidden/c.kait", "node_modules/d.kait"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        let file = root.join("shop/b.kait");
        assert_eq!(package_of(&file), Some((root.join("shop"), "b.kait".to_owned())));
        std::fs::write(root.join("kait.toml"), "").unwrap();
        assert_eq!(package_of(&file), Some((root.to_path_buf(), "shop/b.kait".to_owned())));
        let (documents, disk) = (Documents::default(), Disk::default());
        let sources = PackageSources { root, documents: &documents, disk: &disk };
        assert_eq!(sources.list(), ["a.kait", "shop/b.kait"]);
        assert_eq!(sources.read("a.kait").as_deref(), Ok(""));
        assert_eq!(sources.read("missing.kait"), Err(SourceError::NotFound));
    }
}
