//! Files and directories that were named on the command line.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use smol_str::SmolStr;

use crate::exit::{Coded, Exit};

/// Directories that never hold programs of a project.
const SKIPPED: &[&str] = &["target", "node_modules"];

/// Most files that one command takes, so that `kait check /` ends.
const MAX_FILES: usize = 100_000;

/// Whether a word of the command line names a program: `FILE.kait`, `FILE.kir`, or one of them with `:GRAPH`.
pub fn names_program(word: &str) -> bool {
    is_program(split(word).0)
}

/// Whether a name is that of a source or of a compiled program.
fn is_program(name: &str) -> bool {
    name.ends_with(".kait") || crate::compiled::ENDS.iter().any(|end| name.ends_with(end))
}

/// `FILE:GRAPH` → file and graph. A colon that belongs to the path (a drive, a file of that name) stays in it.
pub fn split(word: &str) -> (&str, Option<&str>) {
    match word.rsplit_once(':') {
        Some((file, graph))
            if !graph.is_empty() && !graph.contains(['/', '\\']) && is_program(file) =>
        {
            (file, Some(graph))
        }
        _ => (word, None),
    }
}

/// The `.kait` files that paths name: files as they are, directories with all that is below them, sorted. A path that
/// does not exist stays in the list, so that whoever reads it says so and goes on with the others.
///
/// # Errors
/// If a directory cannot be read, or nothing was found.
pub fn programs(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    if found.is_empty() {
        let names: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
        return Err(unreadable(format!("there is no `.kait` file in {}", names.join(", "))));
    }
    Ok(found)
}

fn walk(directory: &Path, found: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let mut queue = vec![directory.to_path_buf()];
    while let Some(directory) = queue.pop() {
        let entries = std::fs::read_dir(&directory)
            .with_context(|| format!("cannot read the directory `{}`", directory.display()))?;
        let mut entries: Vec<_> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            // Links are not followed: they can make circles.
            let Ok(kind) = std::fs::symlink_metadata(&path) else { continue };
            if kind.is_dir() && !name.starts_with('.') && !SKIPPED.contains(&name) {
                queue.push(path);
            } else if kind.is_file() && name.ends_with(".kait") {
                found.push(path);
            }
        }
        if found.len() > MAX_FILES {
            let shown = directory.display();
            return Err(unreadable(format!(
                "there are more than {MAX_FILES} programs below `{shown}`"
            )));
        }
    }
    found.sort();
    Ok(())
}

/// What a path of the command line hosts.
#[derive(Debug, Default)]
pub struct Hosted {
    /// Programs, sorted.
    pub programs: Vec<PathBuf>,
    /// What is left out, a line each.
    pub left_out: Vec<String>,
}

/// The programs that a server hosts of a path: as [`programs`], and what links lead to as long as that lies below the
/// path. What cannot be read at the moment is left out.
pub fn hosted(named: &Path) -> Hosted {
    let mut found = Hosted::default();
    if !named.is_dir() {
        found.programs.push(named.to_path_buf());
        return found;
    }
    let Ok(root) = std::fs::canonicalize(named) else { return found };
    // Each with the real directories that the way to it leads through.
    let mut queue = vec![(named.to_path_buf(), vec![root.clone()])];
    let mut looked_at = 0;
    while let Some((directory, way)) = queue.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else {
            found
                .left_out
                .push(format!("`{}` cannot be read, and is not hosted\n", directory.display()));
            continue;
        };
        let mut entries: Vec<_> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            looked_at += 1;
            if name.starts_with('.') || SKIPPED.contains(&name) {
                continue;
            }
            let Ok(kind) = std::fs::symlink_metadata(&path) else { continue };
            let is_program = name.ends_with(".kait");
            if !kind.is_symlink() {
                if kind.is_dir() {
                    let mut way = way.clone();
                    way.extend(way.last().map(|here| here.join(name)));
                    queue.push((path, way));
                } else if kind.is_file() && is_program {
                    found.programs.push(path);
                }
                continue;
            }
            let target = std::fs::canonicalize(&path);
            let is_dir = target.as_ref().is_ok_and(|target| target.is_dir());
            if !is_dir && !is_program {
                continue;
            }
            let why = match target {
                Err(_) => "is a link to nothing",
                Ok(target) if !target.starts_with(&root) => "is a link to what lies outside",
                Ok(target) if is_dir && way.iter().any(|there| there.starts_with(&target)) => {
                    "is a link that leads in a circle"
                }
                Ok(target) => {
                    if is_dir {
                        let mut way = way.clone();
                        way.push(target);
                        queue.push((path, way));
                    } else if target.is_file() {
                        found.programs.push(path);
                    }
                    continue;
                }
            };
            found.left_out.push(format!("`{}` {why}, and is not hosted\n", path.display()));
        }
        if looked_at > MAX_FILES {
            let shown = named.display();
            found.left_out.push(format!(
                "there are more than {MAX_FILES} files below `{shown}`; some are not hosted\n"
            ));
            break;
        }
    }
    found.programs.sort();
    found.left_out.sort();
    found
}

/// That paths host any program.
///
/// # Errors
/// If they do not.
pub fn hosts_something(paths: &[PathBuf]) -> anyhow::Result<()> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let found: Vec<_> = paths.iter().map(|path| hosted(path)).collect();
    if found.iter().any(|found| !found.programs.is_empty()) {
        return Ok(());
    }
    let names: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
    let left_out: String = found.into_iter().flat_map(|found| found.left_out).collect();
    let why = left_out.trim_end().replace('\n', "; ");
    let why = if why.is_empty() { why } else { format!(": {why}") };
    Err(unreadable(format!("there is no `.kait` file in {}{why}", names.join(", "))))
}

/// What stood in files when they were looked at: a hash of each, or that it could not be read.
pub type Prints = rustc_hash::FxHashMap<PathBuf, Option<blake3::Hash>>;

/// The print of a file now; each is read once.
pub fn print_of(path: &Path, prints: &mut Prints) -> Option<blake3::Hash> {
    if let Some(known) = prints.get(path) {
        return *known;
    }
    let is_file = std::fs::metadata(path).is_ok_and(|data| data.is_file());
    let print =
        if is_file { std::fs::read(path).ok().map(|bytes| blake3::hash(&bytes)) } else { None };
    prints.insert(path.to_owned(), print);
    print
}

fn unreadable(message: String) -> anyhow::Error {
    Coded { code: "K0901", message }.into()
}

/// That every path is something.
///
/// # Errors
/// For the first that is nothing, with the nearest name that is something.
pub fn are_there(paths: &[PathBuf]) -> anyhow::Result<()> {
    paths.iter().try_for_each(|path| kind_of(path).map(drop))
}

/// What a path is; if it is nothing, an error with the nearest name that is something.
fn kind_of(path: &Path) -> anyhow::Result<std::fs::Metadata> {
    std::fs::metadata(path).map_err(|error| {
        let shown = path.display();
        unreadable(match (error.kind(), similar(path)) {
            (std::io::ErrorKind::NotFound, Some(near)) => {
                format!("there is no file `{shown}`; did you mean `{near}`?")
            }
            (std::io::ErrorKind::NotFound, None) => format!("there is no file `{shown}`"),
            _ => format!("`{shown}` cannot be read: {error}"),
        })
    })
}

fn similar(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty());
    if path.exists() {
        return None;
    }
    let entries = std::fs::read_dir(directory.unwrap_or(Path::new("."))).ok()?;
    entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .map(|other| (strsim::jaro_winkler(name, &other), other))
        .filter(|(score, _)| *score > 0.85)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, other)| match directory {
            Some(directory) => directory.join(other).display().to_string(),
            None => other,
        })
}

/// A file's content, of at most `most` bytes.
///
/// # Errors
/// If it is not there, is a directory, is longer, or cannot be read: each in its own words.
pub fn read_bytes(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let shown = path.display();
    if kind_of(path)?.is_dir() {
        return Err(unreadable(format!("`{shown}` is a directory, not a file")));
    }
    let cannot = |error| unreadable(format!("`{shown}` cannot be read: {error}"));
    let file = std::fs::File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > most {
        return Err(unreadable(format!("`{shown}` is longer than {most} bytes")));
    }
    Ok(bytes)
}

/// The exit after findings: a path that does not exist is wrong usage.
pub fn exit_for(paths: &[PathBuf], failed: bool) -> Exit {
    if !failed {
        Exit::Done
    } else if paths.iter().any(|path| !path.exists()) {
        Exit::Usage
    } else {
        Exit::Failed
    }
}

/// The text of a program. Only what is a file in earnest is read: to open a pipe waits for whoever writes into it.
///
/// # Errors
/// As [`read_text`], and if it is a pipe, a socket or a device.
pub fn read_program(path: &Path) -> anyhow::Result<String> {
    is_plain(path)?;
    read_text(path)
}

/// That a path is no pipe, socket or device.
///
/// # Errors
/// If it is, or is nothing.
pub fn is_plain(path: &Path) -> anyhow::Result<()> {
    let kind = kind_of(path)?;
    if !kind.is_file() && !kind.is_dir() {
        let shown = path.display();
        return Err(unreadable(format!("`{shown}` is a pipe, a socket or a device, not a file")));
    }
    Ok(())
}

/// A file's text.
///
/// # Errors
/// If it is not there, is a directory, or is not UTF-8: each in its own words.
pub fn read_text(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let bytes = read_bytes(path, u64::MAX)?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        unreadable(format!(
            "`{shown}` is not UTF-8 text: the byte at offset {at} is not part of a character"
        ))
    })
}

/// The name that a file is hosted by: its path below the directory that was named, with dots; so it does not depend on
/// what else is there. A file that was named itself is called like itself.
pub fn hosted_name(named: &Path, path: &Path) -> SmolStr {
    let inner = path.strip_prefix(named).ok().filter(|inner| !inner.as_os_str().is_empty());
    let inner = inner.unwrap_or_else(|| Path::new(path.file_name().unwrap_or_default()));
    // Of a compiled program both parts of its ending.
    let compiled = inner.to_str().and_then(|name| name.strip_suffix(".kir.json"));
    let inner = compiled.map_or_else(|| inner.with_extension(""), PathBuf::from);
    let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
    parts.join(".").into()
}
