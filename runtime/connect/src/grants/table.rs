//! The table `[grants]` of `kait.toml` and of profiles: what a run may do, in the words of the language.
//!
//! ```toml
//! [grants]
//! read = ["file notes", "net api.example.com", "db"]
//! write = ["file out", "process git", "mcp.github"]
//! model = ["fast"]                 # roles; or `true` for all
//! human = ["support-lead"]         # who may be asked; or `true`
//! clock = true
//! random = true
//! emit = true
//! private = ["crm.internal", "10.1.0.0/16"]
//! ```
//!
//! Each entry of `read` and `write` is what a header writes behind that word: a resource, which stands for all below it,
//! and for `file`, `net` and `process` the part of it that is meant, with or without quotes. Nothing here opens a file but
//! to see where the granted paths lead.

use std::ops::Range;
use std::path::{Path, PathBuf};

use smol_str::{SmolStr, format_smolstr};
use toml::de::{DeTable, DeValue};

use super::host::{Host, Private};
use crate::place;

/// The keys of the table.
const KEYS: [&str; 8] = ["read", "write", "model", "human", "clock", "random", "emit", "private"];

/// The resources of the standard library, for the spelling of whoever means one of them.
const RESOURCES: [&str; 10] =
    ["file", "net", "process", "git", "db", "mail", "event", "session", "chat", "mcp"];

/// Most entries of one key.
const MAX_ENTRIES: usize = 10_000;

/// A table that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`, line {line}: {message}{}", help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
pub struct BadGrant {
    /// The file, as its user would name it.
    pub file: SmolStr,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// A table of grants. What it does not grant is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantTable {
    /// The file that it stands in, as its user would name it.
    pub file: SmolStr,
    pub(super) read: Resources,
    pub(super) write: Resources,
    pub(super) model: Names,
    pub(super) human: Names,
    pub(super) clock: bool,
    pub(super) random: bool,
    pub(super) emit: bool,
    pub(super) private: Private,
}

/// Resources that are granted.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Resources {
    /// All there are.
    pub all: bool,
    /// Dotted paths, each for all below it.
    pub paths: Vec<SmolStr>,
    /// Files and directories, each for all below it: absolute, links resolved.
    pub files: Vec<PathBuf>,
    /// Hosts.
    pub hosts: Vec<Host>,
    /// Programs.
    pub programs: Vec<Program>,
}

/// A program that is granted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Program {
    /// As it is written; `~` and the directory of the file are put in front of a path.
    pub name: PathBuf,
}

/// Roles of models or people.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Names {
    pub all: bool,
    pub some: Vec<SmolStr>,
}

impl Names {
    pub fn has(&self, name: &str) -> bool {
        self.all || self.some.iter().any(|own| own == name)
    }
}

impl GrantTable {
    /// Reads the table of a file's text, if it has one. `base` is where relative paths begin, if they have a place to
    /// begin; `home` is what `~/` stands for.
    ///
    /// # Errors
    /// If there is a table that cannot be understood. A text that is no TOML has none.
    pub fn parse(
        text: &str,
        file: &str,
        base: Option<&Path>,
        home: Option<&Path>,
    ) -> Result<Option<Self>, BadGrant> {
        let Ok(document) = DeTable::parse(text) else { return Ok(None) };
        let Some(found) = document.get_ref().get("grants") else { return Ok(None) };
        let mut reader = Reader { text, file, base, home };
        let DeValue::Table(table) = found.get_ref() else {
            return Err(reader
                .bad(found.span(), "`grants` must be a table")
                .help("write `[grants]`, and below it what is granted, such as `model = true`"));
        };
        reader.table(table).map(Some)
    }
}

/// A text of a list, and where it stands.
type Entry<'v> = (Range<usize>, &'v str);

struct Reader<'a> {
    text: &'a str,
    file: &'a str,
    base: Option<&'a Path>,
    home: Option<&'a Path>,
}

impl BadGrant {
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }
}

impl Reader<'_> {
    fn bad(&self, at: Range<usize>, message: impl Into<String>) -> BadGrant {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        BadGrant { file: self.file.into(), line, message: message.into(), help: None }
    }

    fn table(&mut self, table: &DeTable<'_>) -> Result<GrantTable, BadGrant> {
        let mut grants = GrantTable {
            file: self.file.into(),
            read: Resources::default(),
            write: Resources::default(),
            model: Names::default(),
            human: Names::default(),
            clock: false,
            random: false,
            emit: false,
            private: Private::default(),
        };
        for (key, value) in table {
            let (at, value) = (value.span(), value.get_ref());
            match key.get_ref().as_ref() {
                "read" => grants.read = self.resources("read", at, value)?,
                "write" => grants.write = self.resources("write", at, value)?,
                "model" => grants.model = self.names("model", at, value)?,
                "human" => grants.human = self.names("human", at, value)?,
                "clock" => grants.clock = self.flag("clock", at, value)?,
                "random" => grants.random = self.flag("random", at, value)?,
                "emit" => grants.emit = self.flag("emit", at, value)?,
                "private" => grants.private = self.private(at, value)?,
                other => return Err(self.unknown(key.span(), other)),
            }
        }
        Ok(grants)
    }

    /// A key that there is not.
    fn unknown(&self, at: Range<usize>, key: &str) -> BadGrant {
        let bad = self.bad(at, format!("`{key}` under [grants] means nothing"));
        let known = KEYS.join("`, `");
        // What is a resource, and stands where an effect stands.
        let effect = match key {
            "net" | "web" | "http" | "network" => Some("`read = [\"net api.example.com\"]`"),
            "file" | "files" | "fs" => Some("`read = [\"file notes\"]`"),
            "process" | "processes" | "run" => Some("`write = [\"process git\"]`"),
            "mcp" | "mail" | "db" => Some("`write = [\"mail\"]`"),
            _ => None,
        };
        match (effect, near(key, &KEYS)) {
            (Some(effect), _) => {
                bad.help(format!("effects stand here, with what they touch: {effect}"))
            }
            (None, Some(near)) => bad.help(format!("did you mean `{near}`?")),
            (None, None) => bad.help(format!("there is `{known}`")),
        }
    }

    fn flag(&self, key: &str, at: Range<usize>, value: &DeValue<'_>) -> Result<bool, BadGrant> {
        value.as_bool().ok_or_else(|| {
            self.bad(at, format!("`{key}` is granted or not")).help(format!("write `{key} = true`"))
        })
    }

    /// The texts of a list; none for `true` and `false`, which are given back.
    fn texts<'v>(
        &self,
        key: &str,
        example: &str,
        at: Range<usize>,
        value: &'v DeValue<'_>,
    ) -> Result<(bool, Vec<Entry<'v>>), BadGrant> {
        let help = || format!("write `{key} = [\"{example}\"]`, or `{key} = true` for all");
        let wrong =
            |at| self.bad(at, format!("`{key}` takes a list of texts, or `true`")).help(help());
        let items = match value {
            DeValue::Boolean(all) => return Ok((*all, Vec::new())),
            DeValue::Array(items) => items,
            _ => return Err(wrong(at)),
        };
        if items.len() > MAX_ENTRIES {
            return Err(self.bad(at, format!("`{key}` has more than {MAX_ENTRIES} entries")));
        }
        let text = |item: &'v toml::Spanned<DeValue<'_>>| match item.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok((item.span(), text.trim())),
            _ => Err(wrong(item.span())),
        };
        Ok((false, items.iter().map(text).collect::<Result<_, _>>()?))
    }

    fn names(&self, key: &str, at: Range<usize>, value: &DeValue<'_>) -> Result<Names, BadGrant> {
        let example = if key == "model" { "fast" } else { "support-lead" };
        let (all, texts) = self.texts(key, example, at, value)?;
        Ok(Names { all, some: texts.into_iter().map(|(_, text)| text.into()).collect() })
    }

    fn private(&self, at: Range<usize>, value: &DeValue<'_>) -> Result<Private, BadGrant> {
        let (all, texts) = self.texts("private", "crm.internal", at, value)?;
        let mut private = Private { all, ..Private::default() };
        for (at, text) in texts {
            private.add(text).map_err(|why| {
                self.bad(at, why).help("write a host, such as `crm.internal`, or a range of addresses, such as `10.1.0.0/16`")
            })?;
        }
        Ok(private)
    }

    fn resources(
        &self,
        key: &str,
        at: Range<usize>,
        value: &DeValue<'_>,
    ) -> Result<Resources, BadGrant> {
        let (all, texts) = self.texts(key, "file notes", at, value)?;
        let mut granted = Resources { all, ..Resources::default() };
        for (at, text) in texts {
            self.resource(key, at, text, &mut granted)?;
        }
        Ok(granted)
    }

    /// One entry: `net api.example.com`.
    fn resource(
        &self,
        key: &str,
        at: Range<usize>,
        text: &str,
        granted: &mut Resources,
    ) -> Result<(), BadGrant> {
        // As a header writes it, but also with the dot that the whole has as a path.
        let (path, part) = match text.find([' ', '\t', '"']) {
            Some(blank) => text.split_at(blank),
            None => (text, ""),
        };
        let (path, part) = (path.strip_suffix('.').unwrap_or(path), unquoted(part.trim()));
        if matches!(path, "read" | "write") && !part.is_empty() {
            return Err(self
                .bad(at, format!("`{text}` says twice what is done"))
                .help(format!("`{key}` says it already; write \"{part}\"")));
        }
        let head = path.split(['.', '/', '\\', '~']).next().unwrap_or(path);
        let tail = path.get(head.len()..).unwrap_or_default();
        let special = matches!(head, "file" | "net" | "process");
        if special && !tail.is_empty() {
            let meant = tail.strip_prefix('.').unwrap_or(tail);
            return Err(self
                .bad(at, format!("`{text}` is not how a part of `{head}` is written"))
                .help(format!("write \"{head} {meant}\"")));
        }
        let is_name = |name: &str| {
            name.bytes().next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        };
        if !path.split('.').all(is_name) {
            return Err(self
                .bad(at, format!("`{text}` names no resource"))
                .maybe_help(guess(text)));
        }
        if !special
            && !RESOURCES.contains(&head)
            && let Some(near) = near(head, &RESOURCES)
            && !part.is_empty()
        {
            return Err(self
                .bad(at, format!("`{head}` has no part `{part}`"))
                .help(format!("did you mean \"{near} {part}\"?")));
        }
        match (head, part) {
            (_, "") => granted.paths.push(path.into()),
            ("file", part) => granted.files.push(self.place(at, part)?),
            ("net", part) => granted.hosts.push(Host::parse(part).map_err(|(why, meant)| {
                let help = meant.map(|meant| match meant.as_str() {
                    "" => "write \"net\" for all hosts, or \"net *.example.com\"".to_owned(),
                    meant => format!("write \"net {meant}\""),
                });
                self.bad(at, why).maybe_help(help)
            })?),
            ("process", part) => granted.programs.push(self.program(at, part)?),
            (_, part) => granted.paths.push(format_smolstr!("{path}.{part}")),
        }
        Ok(())
    }

    /// Where a granted path leads.
    fn place(&self, at: Range<usize>, part: &str) -> Result<PathBuf, BadGrant> {
        if part.contains(['*', '?', '\0']) {
            return Err(self
                .bad(at, format!("`{part}` is a pattern, and a grant names a file or a directory"))
                .help("a directory stands for all below it"));
        }
        let path = self.path(at.clone(), part)?;
        std::path::absolute(&path)
            .and_then(|path| place::resolve(&path))
            .map_err(|error| self.bad(at, format!("`{part}` leads nowhere: {error}")))
    }

    fn path(&self, at: Range<usize>, part: &str) -> Result<PathBuf, BadGrant> {
        let home =
            part.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\']));
        match (home, self.base) {
            (Some(rest), _) => match self.home {
                Some(home) => Ok(home.join(rest.trim_start_matches(['/', '\\']))),
                None => Err(self.bad(at, "there is no home directory for `~`")),
            },
            _ if Path::new(part).is_absolute() => Ok(part.into()),
            (None, Some(base)) => Ok(base.join(part)),
            (None, None) => Err(self
                .bad(at, format!("`{part}` begins nowhere: a profile is used by many projects"))
                .help("write a path that begins with `/` or `~/`")),
        }
    }

    fn program(&self, at: Range<usize>, part: &str) -> Result<Program, BadGrant> {
        if part.contains(char::is_whitespace) {
            return Err(self
                .bad(at, format!("`{part}` is more than a program"))
                .help("a program is granted with whatever arguments: name the program alone"));
        }
        let is_path = part.contains('/') || part.contains('\\') || part.starts_with('~');
        Ok(Program { name: if is_path { self.path(at, part)? } else { part.into() } })
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// What may be meant by an entry that is no resource at all.
fn guess(text: &str) -> Option<String> {
    let is_path = text.starts_with(['/', '~', '.']);
    let is_host =
        !is_path && text.contains('.') && Host::parse(text).is_ok() || text.contains("://");
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or(host);
    match (is_path, is_host) {
        (true, _) => Some(format!("write \"file {text}\"")),
        (_, true) => Some(format!("write \"net {host}\"")),
        _ => Some(format!(
            "a resource is one of {}, or what an `extern` names",
            RESOURCES.join(", ")
        )),
    }
}

fn near<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let score = |known: &&&'k str| (strsim::jaro_winkler(word, known) * 1000.0) as u32;
    known.iter().max_by_key(score).copied().filter(|best| strsim::jaro_winkler(word, best) > 0.84)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<GrantTable, BadGrant> {
        let text = format!("[grants]\n{text}\n");
        let (base, home) = (Path::new("/project"), Path::new("/home/me"));
        GrantTable::parse(&text, "kait.toml", Some(base), Some(home)).map(Option::unwrap)
    }

    #[test]
    fn entries_are_what_headers_write() {
        let table = parse(
            r#"
            read = ["file notes", 'file "my notes"', "file ~/work", "file.\"/data\"", "db", "session.Chat"]
            write = ['net "api.example.com"', "net", "process git", "process tools/build", 'payments "eu-1"']
            model = ["fast"]
            human = true
            clock = true
            "#,
        )
        .unwrap();
        let files = ["/project/notes", "/project/my notes", "/home/me/work", "/data"];
        assert_eq!(table.read.files, files.map(PathBuf::from));
        assert_eq!(table.read.paths, ["db", "session.Chat"]);
        assert_eq!(table.write.hosts, [Host::parse("api.example.com").unwrap()]);
        assert_eq!(table.write.paths, ["net", "payments.eu-1"]);
        let names: Vec<_> = table.write.programs.iter().map(|p| p.name.clone()).collect();
        assert_eq!(names, ["git", "/project/tools/build"].map(PathBuf::from));
        assert!(table.model.has("fast") && !table.model.has("smart") && table.human.has("anyone"));
        assert!(table.clock && !table.random && !table.emit);
        assert!(parse("read = true").unwrap().read.all);
        assert_eq!(GrantTable::parse("[models]", "x", None, None), Ok(None));
    }

    #[test]
    fn what_cannot_be_understood_says_what_was_meant() {
        for (text, line, expected) in [
            ("\nreed = []", 3, "did you mean `read`?"),
            ("writes = []", 2, "did you mean `write`?"),
            ("net = []", 2, "`read = [\"net api.example.com\"]`"),
            ("zzz = 1", 2, "there is `read`, `write`, `model`"),
            ("read = \"file\"", 2, "takes a list of texts, or `true`"),
            ("read = [\n \"db\",\n 7]", 4, "takes a list of texts"),
            ("read = [\"\"]", 2, "takes a list of texts"),
            ("clock = [\"x\"]", 2, "write `clock = true`"),
            ("read = [\"file./home/me\"]", 2, "write \"file /home/me\""),
            ("read = [\"file/home\"]", 2, "write \"file /home\""),
            ("read = [\"net.api.example.com\"]", 2, "write \"net api.example.com\""),
            ("read = [\"net https://api.example.com/v1\"]", 2, "write \"net api.example.com\""),
            ("read = [\"https://api.example.com/v1\"]", 2, "write \"net api.example.com\""),
            ("read = [\"/etc\"]", 2, "write \"file /etc\""),
            ("read = [\"read file notes\"]", 2, "write \"file notes\""),
            ("read = [\"files notes\"]", 2, "did you mean \"file notes\"?"),
            ("read = [\"net *\"]", 2, "write \"net\" for all hosts"),
            ("read = [\"file notes/*.md\"]", 2, "a directory stands for all below it"),
            ("write = [\"process git log\"]", 2, "name the program alone"),
            ("private = [\"10.0.0.0/99\"]", 2, "is not a range of addresses"),
            ("private = [\"a:80\"]", 2, "`private` says which hosts"),
        ] {
            let bad = parse(text).unwrap_err();
            assert!(bad.to_string().contains(expected) && bad.line == line, "{text}: {bad}");
        }
        let bad = GrantTable::parse("grants = 1", "kait.toml", None, None).unwrap_err();
        assert!(bad.to_string().contains("must be a table"), "{bad}");
        let text = "[grants]\nread = [\"file notes\"]";
        let bad = GrantTable::parse(text, "me.toml", None, None).unwrap_err();
        assert!(bad.to_string().contains("begins nowhere"), "{bad}");
    }
}
