//! The files of the project, and every piece of KAIT in them: programs, the standard library,
//! examples, and the snippets of the documentation. It only reads.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A text in KAIT and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path from the workspace's folder; a snippet adds `:` and its line.
    pub name: String,
    /// The text.
    pub text: String,
}

/// All files of the project, sorted, with paths from the workspace's folder. What is built or
/// downloaded is left out.
///
/// # Errors
/// A folder cannot be read.
pub fn files() -> io::Result<Vec<PathBuf>> {
    fn walk(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(root().join(folder))? {
            let entry = entry?;
            let name = entry.file_name();
            let path = folder.join(&name);
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if !matches!(name.to_str(), Some("target" | ".git" | ".venv" | "node_modules")) {
                    walk(&path, into)?;
                }
            } else if kind.is_file() && name != ".git" {
                into.push(path);
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    walk(Path::new(""), &mut files)?;
    files.sort();
    Ok(files)
}

/// Every text in KAIT: `.kait` files, and the code blocks marked `kait` in Markdown.
///
/// # Errors
/// A file cannot be read.
pub fn kait() -> io::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in files()? {
        let name = path.to_string_lossy().replace('\\', "/");
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("kait") => {
                let text = String::from_utf8_lossy(&fs::read(root().join(&path))?).into_owned();
                sources.push(Source { name, text });
            }
            Some("md") => sources.extend(
                snippets(&fs::read_to_string(root().join(&path))?)
                    .map(|(line, text)| Source { name: format!("{name}:{line}"), text }),
            ),
            _ => {}
        }
    }
    Ok(sources)
}

/// The code blocks of a Markdown text whose language is `kait` (`kait ignore` and the like too),
/// with the number of their first line.
pub fn snippets(markdown: &str) -> impl Iterator<Item = (usize, String)> {
    let mut lines = markdown.lines().enumerate();
    std::iter::from_fn(move || {
        loop {
            let (_, line) = lines.next()?;
            let indent = line.len() - line.trim_start().len();
            let Some(info) = line.trim_start().strip_prefix("```") else { continue };
            let wanted = info.split([' ', ',']).next() == Some("kait");
            let mut first = None;
            let mut text = String::new();
            for (number, line) in lines.by_ref() {
                if line.trim() == "```" {
                    break;
                }
                first.get_or_insert(number + 1);
                text.push_str(line.get(indent..).unwrap_or_default());
                text.push('\n');
            }
            if wanted {
                return Some((first.unwrap_or_default(), text));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_are_found_with_their_lines() {
        let text =
            "a\n```kait\nmodel m\n```\n```rust\nx\n```\n  ```kait ignore\n  a\n    b\n  ```\n";
        let found: Vec<_> = snippets(text).collect();
        assert_eq!(found, [(3, "model m\n".to_owned()), (9, "a\n  b\n".to_owned())]);
    }

    #[test]
    fn sources_hold_programs_and_the_standard_library() {
        let sources = kait().unwrap();
        let count = |start: &str| sources.iter().filter(|s| s.name.starts_with(start)).count();
        assert!(count("tests/corpus/programs/") >= 14);
        assert!(count("stdlib/") >= 20);
    }
}
