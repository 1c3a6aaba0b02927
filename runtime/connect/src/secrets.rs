//! Secrets: where a profile says that they are, looked up at the last moment, and taken out of whatever comes back.
//!
//! Programs, journals and traces know a secret by its name alone. What the name stands for exists here only, from the moment
//! of sending to the end of the call, and nothing in here shows it: [`Secret`] has no form to print.

use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kait_ir::Failure;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;
use smol_str::{SmolStr, format_smolstr};
use toml::de::{DeTable, DeValue};

use crate::connections::Config;
use crate::place;

/// Longest secret, in bytes.
const MAX_SECRET: u64 = 64 << 10;

/// Most secrets of one file.
const MAX_SECRETS: usize = 10_000;

/// Where a secret is. Never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretBinding {
    /// In the environment variable of that name.
    Env(SmolStr),
    /// In a file that nobody else may read, without the line break at its end.
    File {
        /// The file, absolute.
        path: PathBuf,
        /// The directory that it must be in, links resolved: of bindings that a project brings along.
        below: Option<PathBuf>,
    },
}

/// The secrets of a profile, by the names that programs give them.
pub type Secrets = FxHashMap<SmolStr, SecretBinding>;

/// A table `[secrets]` that cannot be understood. It names no value that stands there: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`, line {line}: {message}; {help}")]
pub struct BadSecret {
    /// The file, as its user would name it.
    pub file: SmolStr,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl SecretBinding {
    /// Reads the table of a file's text, if it has one. `project` is the directory of a project's file: paths begin there and
    /// stay below. Without it paths begin with `/`, or with `~/`, which stands for `home`.
    ///
    /// # Errors
    /// If there is a table that cannot be understood. A text that is no TOML has none.
    pub fn parse(
        text: &str,
        file: &str,
        project: Option<&Path>,
        home: Option<&Path>,
    ) -> Result<Secrets, BadSecret> {
        let mut secrets = Secrets::default();
        let Ok(document) = DeTable::parse(text) else { return Ok(secrets) };
        let Some(found) = document.get_ref().get("secrets") else { return Ok(secrets) };
        let bad = |at: Range<usize>, message: String, help: String| {
            let before = text.get(..at.start).unwrap_or(text);
            let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
            BadSecret { file: file.into(), line, message, help }
        };
        let DeValue::Table(table) = found.get_ref() else {
            let help = "write `[secrets]`, and below it where each one is";
            return Err(bad(found.span(), "`secrets` must be a table".into(), help.into()));
        };
        if table.len() > MAX_SECRETS {
            let message = format!("there are more than {MAX_SECRETS} secrets");
            return Err(bad(found.span(), message, "leave out those that no program uses".into()));
        }
        for (name, value) in table {
            let (name, at) = (name.get_ref().as_ref(), value.span());
            let variable = name.to_ascii_uppercase().replace(['.', '-'], "_");
            let example = format!("write `{} = {{ env = \"{variable}\" }}`", key(name));
            let DeValue::Table(place) = value.get_ref() else {
                let message = format!("`{name}` under [secrets] must say where the secret is");
                let help = format!("a secret is never written down here: {example}, or `file`");
                return Err(bad(at, message, help));
            };
            let mut places = place.iter();
            let (Some((kind, where_)), None) = (places.next(), places.next()) else {
                let message = format!("`{name}` under [secrets] must have one place");
                return Err(bad(at, message, example));
            };
            let kind = kind.get_ref().as_ref();
            if let DeValue::Table(_) = where_.get_ref() {
                let message = format!("`{name}` under [secrets] holds further tables");
                let help = "put a name with dots in quotes, such as `\"shop.api.token\"`".into();
                return Err(bad(at, message, help));
            }
            let text = match where_.get_ref() {
                DeValue::String(text) if !text.trim().is_empty() => text.trim(),
                _ => {
                    let message = format!("`{kind}` of the secret `{name}` must be a text");
                    return Err(bad(at, message, example));
                }
            };
            let binding = match kind {
                "env" if is_variable(text) => Self::Env(text.into()),
                "env" => {
                    let message = format!("`env` of the secret `{name}` is no name of a variable");
                    return Err(bad(at, message, example));
                }
                "file" => match file_of(text, project, home) {
                    Ok(binding) => binding,
                    Err((message, help)) => return Err(bad(at, message, help)),
                },
                _ => {
                    let message = format!("the secret `{name}` cannot be in `{kind}`");
                    let help = "it is in a variable of the environment, `env`, or in a `file`";
                    return Err(bad(at, message, help.into()));
                }
            };
            secrets.insert(name.into(), binding);
        }
        Ok(secrets)
    }

    /// Where the secret is, for people.
    pub fn place(&self) -> String {
        match self {
            Self::Env(name) => format!("the environment variable {name}"),
            Self::File { path, .. } => format!("the file {}", path.display()),
        }
    }

    /// Whether there is a secret at this place now, without giving it.
    ///
    /// # Errors
    /// Why not, and what to do, in plain words.
    pub fn examine(&self, env: &crate::Env) -> Result<(), String> {
        self.value(env).map(drop)
    }

    fn value(&self, env: &crate::Env) -> Result<String, String> {
        let value = match self {
            Self::Env(name) => env(name).ok_or_else(|| format!("{} is not set", self.place()))?,
            Self::File { path, below } => {
                read(path, below.as_deref()).map_err(|why| format!("{} {why}", self.place()))?
            }
        };
        if value.is_empty() {
            return Err(format!("{} is empty", self.place()));
        }
        if value.len() as u64 > MAX_SECRET {
            return Err(format!("{} holds more than {MAX_SECRET} bytes", self.place()));
        }
        Ok(value)
    }
}

/// A name as a key of TOML.
fn key(name: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        toml::Value::String(name.to_owned()).to_string()
    }
}

fn is_variable(name: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    name.bytes().all(is_part) && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn file_of(
    text: &str,
    project: Option<&Path>,
    home: Option<&Path>,
) -> Result<SecretBinding, (String, String)> {
    let rest = text.strip_prefix("~/");
    let Some(project) = project else {
        let path = match (rest, home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        };
        if !path.is_absolute() {
            let message = "the file of a secret begins nowhere: a profile is used by many projects";
            return Err((message.into(), "write a path that begins with `/` or `~/`".into()));
        }
        return Ok(SecretBinding::File { path, below: None });
    };
    let is_inside = rest.is_none()
        && Path::new(text).components().all(|part| {
            matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir)
        });
    if !is_inside {
        // A project is somebody else's perhaps: it does not choose among your files.
        let message = "the file of a secret in kait.toml lies outside of the project";
        return Err((message.into(), "bind it in your profile, where any path may stand".into()));
    }
    Ok(SecretBinding::File { path: project.join(text), below: Some(project.to_owned()) })
}

/// The text of a file that nobody else may read.
fn read(path: &Path, below: Option<&Path>) -> Result<String, String> {
    let cannot = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "is not there".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    let absolute = std::path::absolute(path).map_err(cannot)?;
    let real = place::resolve(&absolute).map_err(cannot)?;
    if let Some(below) = below {
        let below = std::path::absolute(below).and_then(|below| place::resolve(&below));
        if !real.starts_with(below.map_err(cannot)?) {
            return Err("is a link that leads out of the project".into());
        }
    }
    let file = place::read(&real).map_err(cannot)?;
    let meta = file.metadata().map_err(cannot)?;
    if !meta.is_file() {
        return Err("is no file".into());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(format!(
                "can be read or written by others: take that away with `chmod 600 {}`",
                path.display()
            ));
        }
    }
    let mut text = String::new();
    file.take(MAX_SECRET + 3).read_to_string(&mut text).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => "is not UTF-8 text".to_owned(),
        _ => cannot(error),
    })?;
    let end = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text));
    Ok(end.map(str::to_owned).unwrap_or(text))
}

/// A secret that is about to be sent.
struct Secret {
    name: SmolStr,
    value: String,
}

/// The secrets of one call.
#[derive(Default)]
pub(crate) struct Sent {
    secrets: Vec<Secret>,
    /// What a secret may look like in what comes back, and what is put in its place; the longest first.
    forms: Vec<(String, SmolStr)>,
}

impl Sent {
    /// What a name stands for, from the profile.
    ///
    /// # Errors
    /// `Unbound` if no profile says where it is, `Refused` if it is not there.
    pub fn resolve(&mut self, config: &Config, name: &str) -> Result<String, Failure> {
        if let Some(known) = self.secrets.iter().find(|secret| secret.name == name) {
            return Ok(known.value.clone());
        }
        let Some(binding) = config.secrets.get(name) else {
            return Err(Failure::Unbound { name: format_smolstr!("secret {name}") });
        };
        let value = binding.value(&config.env).map_err(|why| Failure::Refused {
            why: format_smolstr!("the secret `{name}` cannot be looked up: {why}"),
        })?;
        self.hide(name, &value);
        self.secrets.push(Secret { name: name.into(), value: value.clone() });
        Ok(value)
    }

    /// Has a text taken out of what comes back, in each form that it is likely to have there.
    pub fn hide(&mut self, name: &str, value: &str) {
        let shown = format_smolstr!("[secret {name}]");
        let escaped = Json::String(value.to_owned()).to_string();
        let escaped = escaped.get(1..escaped.len().saturating_sub(1)).unwrap_or_default();
        let mut form = String::new();
        form.extend(
            reqwest::Url::parse_with_params("x:", [("", value)])
                .ok()
                .iter()
                .filter_map(|url| url.query()?.strip_prefix('=')),
        );
        let encoded = super::externs::percent_encoded(value);
        for form in [
            value.to_owned(),
            escaped.to_owned(),
            escaped.replace('/', "\\/"),
            form,
            encoded.to_lowercase(),
            encoded,
            BASE64.encode(value),
        ] {
            if !form.is_empty() && !self.forms.iter().any(|(known, _)| *known == form) {
                self.forms.push((form, shown.clone()));
            }
        }
        self.forms.sort_by_key(|(form, _)| std::cmp::Reverse(form.len()));
    }

    /// Bytes without the secrets.
    pub fn blank_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        let mut bytes = bytes;
        for (form, shown) in &self.forms {
            let form = form.as_bytes();
            let mut rest = bytes.as_slice();
            let mut clean: Option<Vec<u8>> = None;
            while let Some(at) = rest.windows(form.len()).position(|window| window == form) {
                let (before, after) = rest.split_at(at);
                let clean = clean.get_or_insert_with(Vec::new);
                clean.extend_from_slice(before);
                clean.extend_from_slice(shown.as_bytes());
                rest = after.get(form.len()..).unwrap_or_default();
            }
            if let Some(mut clean) = clean {
                clean.extend_from_slice(rest);
                bytes = clean;
            }
        }
        bytes
    }

    /// A text without the secrets.
    pub fn blank(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (form, shown) in &self.forms {
            if text.contains(form.as_str()) {
                text = text.replace(form.as_str(), shown);
            }
        }
        text
    }

    /// Whether a text holds one of them.
    pub fn is_in(&self, text: &str) -> bool {
        self.forms.iter().any(|(form, _)| text.contains(form.as_str()))
    }

    /// JSON without the secrets, whatever escapes its texts were written with.
    pub fn blank_json(&self, json: Json) -> Json {
        if self.forms.is_empty() {
            return json;
        }
        match json {
            Json::String(text) if self.is_in(&text) => Json::String(self.blank(&text)),
            Json::Array(items) => {
                Json::Array(items.into_iter().map(|item| self.blank_json(item)).collect())
            }
            Json::Object(entries) => Json::Object(
                entries
                    .into_iter()
                    .map(|(key, value)| (self.blank(&key), self.blank_json(value)))
                    .collect(),
            ),
            // A secret of digits is a number as well.
            Json::Number(number) if self.is_in(&number.to_string()) => {
                Json::String(self.blank(&number.to_string()))
            }
            other => other,
        }
    }

    /// A failure without the secrets.
    pub fn blank_failure(&self, failure: Failure) -> Failure {
        let clean = |text: SmolStr| if self.is_in(&text) { self.blank(&text).into() } else { text };
        match failure {
            Failure::Refused { why } => Failure::Refused { why: clean(why) },
            Failure::Invalid { path, why } => {
                Failure::Invalid { path: clean(path), why: clean(why) }
            }
            Failure::Http { status, body } => Failure::Http { status, body: clean(body) },
            Failure::Tool { name, message } => Failure::Tool { name, message: clean(message) },
            Failure::Trap { message } => Failure::Trap { message: clean(message) },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn parse(text: &str, project: Option<&Path>) -> Result<Secrets, BadSecret> {
        let text = format!("[secrets]\n{text}\n");
        SecretBinding::parse(&text, "kait.toml", project, Some(Path::new("/home/me")))
    }

    #[test]
    fn a_binding_names_a_place() {
        let project = Path::new("/project");
        let found = parse(
            "token = { env = \"TOKEN\" }\n\"shop.api.key\" = { file = \"keys/shop\" }",
            Some(project),
        );
        let found = found.unwrap();
        assert_eq!(found["token"], SecretBinding::Env("TOKEN".into()));
        let file = SecretBinding::File {
            path: "/project/keys/shop".into(),
            below: Some("/project".into()),
        };
        assert_eq!(found["shop.api.key"], file);
        let found = parse("a = { file = \"~/keys/a\" }", None).unwrap();
        let file = SecretBinding::File { path: "/home/me/keys/a".into(), below: None };
        assert_eq!(found["a"], file);
        assert_eq!(SecretBinding::parse("x = 1", "f", None, None), Ok(Secrets::default()));
    }

    #[test]
    fn what_cannot_be_understood_is_explained_without_what_stands_there() {
        for (text, expected) in [
            ("token = \"hunter2\"", "never written down"),
            ("token = 4711", "must say where the secret is"),
            ("token = { value = \"hunter2\" }", "cannot be in `value`"),
            ("token = { env = 4711 }", "must be a text"),
            ("token = { env = \"hunter2 4711\" }", "no name of a variable"),
            ("token = { env = \"A\", file = \"b\" }", "must have one place"),
            ("shop.token = { env = \"A\" }", "put a name with dots in quotes"),
            ("token = { file = \"../a\" }", "outside of the project"),
            ("token = { file = \"/etc/a\" }", "outside of the project"),
            ("token = { file = \"~/a\" }", "outside of the project"),
        ] {
            let bad = parse(text, Some(Path::new("/project"))).unwrap_err().to_string();
            assert!(bad.contains(expected) && bad.contains("line 2"), "{text}: {bad}");
            assert!(!bad.contains("hunter2") && !bad.contains("4711"), "{bad}");
        }
        let bad = parse("token = { file = \"a\" }", None).unwrap_err().to_string();
        assert!(bad.contains("begins nowhere"), "{bad}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let path = root.join("token");
        let env: crate::Env = Arc::new(|_| None);
        let binding = SecretBinding::File { path: path.clone(), below: Some(root.clone()) };
        assert!(binding.value(&env).unwrap_err().contains("is not there"));
        std::fs::write(&path, "s3cret\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(binding.value(&env).unwrap_err().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(binding.value(&env).unwrap(), "s3cret");
        std::fs::write(&path, "\n").unwrap();
        assert!(binding.value(&env).unwrap_err().contains("is empty"));
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("x"), "other").unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(outside.path().join("x"), &path).unwrap();
        assert!(binding.value(&env).unwrap_err().contains("leads out of the project"));
        let unset = SecretBinding::Env("NOT_THERE".into());
        assert!(unset.value(&env).unwrap_err().contains("NOT_THERE is not set"));
    }

    #[test]
    fn what_comes_back_is_blanked_in_every_form() {
        let mut sent = Sent::default();
        let value = "k\"ey/+ä 1";
        sent.hide("token", value);
        let forms = [
            value.to_owned(),
            Json::String(value.into()).to_string(),
            Json::String(value.into()).to_string().replace('/', "\\/"),
            crate::externs::percent_encoded(value),
            "k%22ey%2F%2B%C3%A4+1".to_owned(),
            BASE64.encode(value),
        ];
        for form in forms {
            let text = sent.blank(&format!("<{form}>"));
            assert!(text.contains("[secret token]") && !text.contains("ey"), "{form}: {text}");
            let bytes = sent.blank_bytes(format!("\u{1}{form}{form}").into_bytes());
            assert!(!String::from_utf8(bytes).unwrap().contains("1,"), "{form}");
        }
        let json = serde_json::from_str(r#"{"k\u0022ey/+\u00e4 1": ["k\"ey\/+ä 1", 7]}"#).unwrap();
        let clean = sent.blank_json(json).to_string();
        assert_eq!(clean, r#"{"[secret token]":["[secret token]",7]}"#);
        let failure = sent.blank_failure(Failure::invalid(value, format!("`{value}` is wrong")));
        assert_eq!(failure, Failure::invalid("[secret token]", "`[secret token]` is wrong"));
        let mut sent = Sent::default();
        sent.hide("pin", "4711");
        assert_eq!(sent.blank_json(serde_json::json!([14711])).to_string(), r#"["1[secret pin]"]"#);
    }
}
