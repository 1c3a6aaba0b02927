//! Packages: directories of modules, and the words by which one names another.
//!
//! A package is a directory; its `kait.toml` may say which other packages its files import from:
//!
//! ```toml
//! [dependencies]
//! acme = { path = "../acme" }
//! ```
//!
//! Then `use acme.support` is the file `../acme/support.kait`. Nothing is fetched. The words of a `use` are those of the
//! package in which it stands, so a package means the same whoever imports it. A directory is one package, whatever it is
//! called on the way to it.

use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use smol_str::SmolStr;

use super::mcp::Flaw;
use crate::sources::{SourceError, Sources};

/// Most packages of one compilation.
const MAX_PACKAGES: usize = 1_000;

/// The file that makes a directory a package.
const MANIFEST: &str = "kait.toml";

/// A package of the compilation; the first one is that of the roots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PackageId(u32);

impl PackageId {
    /// The package of the roots.
    pub const ROOT: Self = Self(0);
}

/// The packages that were met so far.
pub(super) struct Packages {
    all: Vec<Package>,
    by_directory: FxHashMap<String, PackageId>,
}

struct Package {
    /// From the root of the first package, without a `/` at its end; empty for that one.
    directory: String,
    /// What its modules are called by: the words that lead to it from the first package.
    name: SmolStr,
    /// Read when the first import asks.
    dependencies: Option<Result<IndexMap<SmolStr, String>, Fault>>,
}

/// Why a word cannot stand for a package, or for a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The `kait.toml` of that path cannot be read: why.
    Manifest(String, String),
    /// The `kait.lock` of that path cannot be used: why.
    Lock(String, Flaw),
    /// A row of a `kait.toml` makes no sense: what is wrong, and what to do.
    Dependency(String, String),
}

#[derive(Deserialize)]
struct Manifest {
    // The other tables are the profile's.
    #[serde(default)]
    dependencies: IndexMap<SmolStr, Dependency>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table such as { path = \"../acme\" }")]
struct Dependency {
    path: String,
}

impl Packages {
    pub fn new() -> Self {
        let root =
            Package { directory: String::new(), name: SmolStr::default(), dependencies: None };
        Self {
            all: vec![root],
            by_directory: FxHashMap::from_iter([(String::new(), PackageId::ROOT)]),
        }
    }

    /// The package that a word names in another one, if it is a dependency of it.
    pub fn dependency(
        &mut self,
        sources: &dyn Sources,
        of: PackageId,
        word: &str,
    ) -> Result<Option<PackageId>, Fault> {
        let Some(directory) = self.dependencies(sources, of)?.get(word).cloned() else {
            return Ok(None);
        };
        if let Some(known) = self.by_directory.get(&directory) {
            return Ok(Some(*known));
        }
        let id = PackageId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        let outer = self.all.get(of.0 as usize).map_or("", |package| package.name.as_str());
        let dot = if outer.is_empty() { "" } else { "." };
        let name = SmolStr::from(format!("{outer}{dot}{word}"));
        self.by_directory.insert(directory.clone(), id);
        self.all.push(Package { directory, name, dependencies: None });
        Ok(Some(id))
    }

    /// The dependency below whose directory a file of the package lies, if one does.
    pub fn owner(&mut self, sources: &dyn Sources, of: PackageId, file: &str) -> Option<SmolStr> {
        let all = self.dependencies(sources, of).ok()?;
        let owns = |directory: &str| {
            file.strip_prefix(directory).is_some_and(|inner| inner.starts_with('/'))
        };
        all.iter().find(|(_, directory)| owns(directory)).map(|(word, _)| word.clone())
    }

    /// The path of a file in a package's directory.
    pub fn beside(&self, package: PackageId, file: &str) -> String {
        let directory = self.directory(package);
        let slash = if directory.is_empty() { "" } else { "/" };
        format!("{directory}{slash}{file}")
    }

    /// The path of a module's file, which need not exist: `a.b` is `a/b.kait` below the package's directory.
    pub fn file(&self, package: PackageId, dotted: &str) -> String {
        self.beside(package, &format!("{}.kait", dotted.replace('.', "/")))
    }

    /// The name of a module among all modules.
    pub fn module(&self, package: PackageId, dotted: &str) -> SmolStr {
        match self.all.get(package.0 as usize) {
            Some(package) if !package.name.is_empty() => {
                SmolStr::from(format!("{}.{dotted}", package.name))
            }
            _ => dotted.into(),
        }
    }

    /// Where a package lies, from the root of the first one.
    pub fn directory(&self, package: PackageId) -> &str {
        self.all.get(package.0 as usize).map_or("", |package| package.directory.as_str())
    }

    fn dependencies(
        &mut self,
        sources: &dyn Sources,
        of: PackageId,
    ) -> Result<&IndexMap<SmolStr, String>, Fault> {
        let is_full = self.all.len() >= MAX_PACKAGES;
        let none =
            Fault::Manifest(MANIFEST.to_owned(), format!("more than {MAX_PACKAGES} packages"));
        let Some(package) = self.all.get_mut(of.0 as usize).filter(|_| !is_full) else {
            return Err(none);
        };
        let directory = package.directory.as_str();
        let found = package.dependencies.get_or_insert_with(|| read(sources, directory));
        found.as_ref().map_err(Clone::clone)
    }
}

/// The dependencies that the `kait.toml` of a directory names, with their directories.
fn read(sources: &dyn Sources, directory: &str) -> Result<IndexMap<SmolStr, String>, Fault> {
    let slash = if directory.is_empty() { "" } else { "/" };
    let path = format!("{directory}{slash}{MANIFEST}");
    let text = match sources.read(&path) {
        Ok(text) => text,
        Err(SourceError::NotFound) => return Ok(IndexMap::default()),
        Err(SourceError::Unreadable(why)) => return Err(Fault::Manifest(path, why)),
    };
    let manifest: Manifest = match toml::from_str(&text) {
        Ok(manifest) => manifest,
        Err(error) => return Err(Fault::Manifest(path, error.message().to_owned())),
    };
    let mut all = IndexMap::default();
    for (word, Dependency { path: to }) in manifest.dependencies {
        let fault = |what: String, help: &str| Fault::Dependency(what, help.to_owned());
        let is_name = word.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !is_name {
            return Err(fault(
                format!("`{word}` in `{path}` cannot be the name of a dependency"),
                "use only lower-case letters, digits and `_`",
            ));
        }
        if word == "mcp" || kait_stdlib::module(&word).is_some() {
            return Err(fault(
                format!("`{word}` in `{path}` is the name of a module that is always there"),
                "give the dependency another name; only this package uses it",
            ));
        }
        if to.starts_with('/') || to.contains('\\') || to.contains(':') {
            return Err(fault(
                format!("the path of `{word}` in `{path}` must be relative"),
                "count it from the folder of that `kait.toml`, with `/` between the parts",
            ));
        }
        let to = joined(directory, &to);
        if to == directory {
            return Err(fault(
                format!("the dependency `{word}` in `{path}` is the package itself"),
                "remove it: a package imports its own modules by their path from its root",
            ));
        }
        all.insert(word, to);
    }
    Ok(all)
}

/// A directory, and a relative path from it, as one path without `.` and, but for its beginning, without `..`.
fn joined(directory: &str, path: &str) -> String {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_without_detours() {
        for (directory, path, joined_path) in [
            ("", "../acme", "../acme"),
            ("", "./libs//acme/", "libs/acme"),
            ("../acme", "../util", "../util"),
            ("../acme", "../../util", "../../util"),
            ("libs/acme", "..", "libs"),
            ("libs", "..", ""),
        ] {
            assert_eq!(joined(directory, path), joined_path, "{directory} + {path}");
        }
    }
}
