//! `kait new`: a project that checks, tests and runs at once, without a key and without a network.
//!
//! Templates are ordinary files in `cli/templates`, embedded as they are; only `{{name}}` is filled in.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::args::NewArgs;
use crate::exit::Exit;
use crate::out;

/// A project to start from.
struct Template {
    name: &'static str,
    /// What it is, for `--list`.
    about: &'static str,
    /// Its files besides the common ones: path and content.
    files: &'static [(&'static str, &'static str)],
    /// What to try, below the project's directory.
    next: &'static [&'static str],
}

macro_rules! files {
    ($template:literal: $($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../templates/", $template, "/", $path)))),*]
    };
}

const TEMPLATES: &[Template] = &[
    Template {
        name: "hello",
        about: "a prompt, a graph and tests: the smallest whole program",
        files: files!("hello": "README.md" "hello.kait"),
        next: &["kait run hello.kait name=Ada"],
    },
    Template {
        name: "chat",
        about: "a conversation, offered to every client of the OpenAI API",
        files: files!("chat": "README.md" "chat.kait"),
        next: &["kait serve"],
    },
    Template {
        name: "agent",
        about: "a model that chooses among tools, in a bounded loop",
        files: files!("agent": "README.md" "agent.kait" "notes/release.md" "notes/tea.md"),
        next: &["kait run agent.kait question=\"When is tea?\""],
    },
    Template {
        name: "service",
        about: "typed graphs behind an HTTP API",
        files: files!("service": "README.md" "service.kait" "ticket.json"),
        next: &["kait run service.kait:triage --input ticket.json", "kait serve"],
    },
];

/// Files of every project.
const COMMON: &[(&str, &str)] = &[
    ("kait.toml", include_str!("../../templates/kait.toml")),
    (".gitignore", include_str!("../../templates/gitignore")),
];

/// Longest name of a project, in bytes.
const MAX_NAME: usize = 64;

/// Makes the project.
pub fn run(args: &NewArgs) -> anyhow::Result<Exit> {
    if args.list {
        for template in TEMPLATES {
            out::line(&format!("{:8} {}", template.name, template.about))?;
        }
        return Ok(Exit::Done);
    }
    let Some(path) = &args.name else { bail!("say the project's name: `kait new notes`") };
    let template = template(&args.template)?;
    let name = name_of(path)?;
    check_is_free(path)?;
    for (file, content) in COMMON.iter().chain(template.files) {
        let target = path.join(file);
        if let Some(directory) = target.parent() {
            std::fs::create_dir_all(directory)
                .with_context(|| format!("cannot make the directory `{}`", directory.display()))?;
        }
        std::fs::write(&target, content.replace("{{name}}", &name))
            .with_context(|| format!("cannot write `{}`", target.display()))?;
    }
    out::line(&format!("made `{name}` in {} from the template {}", path.display(), template.name))?;
    out::line("next:")?;
    let enter = format!("cd {}", path.display());
    for command in
        std::iter::once(enter.as_str()).chain(["kait test"]).chain(template.next.iter().copied())
    {
        out::line(&format!("  {command}"))?;
    }
    out::line(
        "The built-in echo model answers until kait.toml binds another; `kait doctor` says what is bound.",
    )?;
    Ok(Exit::Done)
}

fn template(wanted: &str) -> anyhow::Result<&'static Template> {
    if let Some(found) = TEMPLATES.iter().find(|template| template.name == wanted) {
        return Ok(found);
    }
    let near = TEMPLATES
        .iter()
        .map(|template| (strsim::damerau_levenshtein(wanted, template.name), template.name))
        .min_by_key(|(slips, _)| *slips)
        .filter(|(slips, _)| *slips <= 2);
    let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
    match near {
        Some((_, near)) => bail!("there is no template `{wanted}`; did you mean `{near}`?"),
        None => bail!("there is no template `{wanted}`; there are {}", names.join(", ")),
    }
}

/// The project's name: the last part of the path.
fn name_of(path: &Path) -> anyhow::Result<String> {
    // `.` and `..` have no last part of their own.
    let named = match path.file_name() {
        Some(_) => path.to_path_buf(),
        None => std::path::absolute(path)
            .and_then(|path| path.canonicalize())
            .unwrap_or_else(|_| PathBuf::from(path)),
    };
    let name = named.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let fits = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
    if begins && fits && name.len() <= MAX_NAME {
        return Ok(name.to_owned());
    }
    let better: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .skip_while(|c| !c.is_ascii_lowercase())
        .take(MAX_NAME)
        .collect();
    let better = better.trim_end_matches('-');
    let hint = if better.is_empty() { String::new() } else { format!("; `{better}` would do") };
    bail!(
        "`{name}` is no name of a project: it begins with a lower-case letter and goes on with letters, digits, \
         `-` and `_`, {MAX_NAME} at most{hint}"
    )
}

/// Nothing is ever written over: the directory is new, or empty.
fn check_is_free(path: &Path) -> anyhow::Result<()> {
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => bail!("`{}` cannot be looked at: {error}", path.display()),
        Ok(_) if !path.is_dir() => {
            bail!("`{}` is there already, and is not a directory", path.display())
        }
        Ok(_) => {
            let mut entries = std::fs::read_dir(path)
                .with_context(|| format!("cannot read the directory `{}`", path.display()))?;
            match entries.next() {
                None => Ok(()),
                Some(_) => {
                    bail!("the directory `{}` is not empty; nothing was written", path.display())
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(directory: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                listed(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push(name);
            }
        }
    }

    #[test]
    fn every_file_of_a_template_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
        for template in TEMPLATES {
            let mut found = Vec::new();
            listed(&root.join(template.name), "", &mut found);
            found.sort();
            let embedded: Vec<&str> = template.files.iter().map(|(path, _)| *path).collect();
            assert_eq!(found, embedded, "{}", template.name);
        }
        let directories =
            std::fs::read_dir(root).unwrap().filter(|e| e.as_ref().unwrap().path().is_dir());
        assert_eq!(directories.count(), TEMPLATES.len());
    }

    #[test]
    fn names_are_checked() {
        for good in ["notes", "a", "my-notes_2", "deep/er/notes", "notes/"] {
            assert!(name_of(Path::new(good)).is_ok(), "{good}");
        }
        for (bad, hint) in
            [("My Notes", "`my-notes`"), ("2fast", "`fast`"), ("ä", "no name"), ("a.b", "`a-b`")]
        {
            let error = name_of(Path::new(bad)).unwrap_err().to_string();
            assert!(error.contains(hint), "{error}");
        }
        assert!(name_of(Path::new(&"a".repeat(65))).is_err());
    }
}
