//! Where an extern's code is: the text behind `from KIND`, taken apart. Pure functions over that text; what the parts
//! mean for the declaration is asked by [`super::externs`].
//!
//! | kind | form |
//! |---|---|
//! | `http` | `METHOD https://host/path/{parameter}?name={parameter}` |
//! | `process` | `program word 'word with blanks' {parameter}`: an argument vector, never a shell |
//! | `wasm` | `file.wasm#export`, the file below the package's root |
//! | `mcp` | `server/tool` |

use std::ops::Range;

use crate::names::suggest;

/// The methods of HTTP (RFC 9110, section 9, and RFC 5789) that an extern may use.
pub(crate) const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// What of a shell's language is no part of an argument vector.
const SHELL: &[char] = &['|', '&', ';', '<', '>', '$', '`', '*'];

/// What is wrong with a locator: the first thing only.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flaw {
    /// Bytes of the locator.
    pub range: Range<usize>,
    pub message: String,
    pub help: String,
    /// What to write in the place of the range.
    pub instead: Option<Repair>,
}

/// A repair of a locator.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repair {
    pub range: Range<usize>,
    pub insert: String,
    /// Whether it is surely what was meant.
    pub safe: bool,
}

/// A locator without flaw.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Locator<'a> {
    /// `{name}`s: the braces' bytes, and the name.
    pub placeholders: Vec<(Range<usize>, &'a str)>,
    /// Of HTTP: the method.
    pub method: Option<&'a str>,
    /// Of HTTP: whether what is sent can be read on its way (`http:` to another machine).
    pub is_open: bool,
}

pub(super) fn parse<'a>(kind: &str, text: &'a str) -> Result<Locator<'a>, Flaw> {
    match kind {
        "http" => http(text),
        "process" => process(text),
        "wasm" => wasm(text),
        "mcp" => mcp(text),
        _ => Ok(Locator::default()),
    }
}

fn flaw(range: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Flaw {
    Flaw { range, message: message.into(), help: help.into(), instead: None }
}

impl Flaw {
    fn instead(self, range: Range<usize>, insert: impl Into<String>, safe: bool) -> Self {
        Self { instead: Some(Repair { range, insert: insert.into(), safe }), ..self }
    }
}

fn http(text: &str) -> Result<Locator<'_>, Flaw> {
    const FORM: &str =
        "write a method and an address, such as \"GET https://api.example.com/items\"";
    let whole = 0..text.len();
    let Some((method, url)) = text.split_once(' ') else {
        let finding = flaw(whole, "the address has no method such as `GET`", FORM);
        return Err(if text.contains("://") {
            finding.instead(0..0, "GET ", false)
        } else {
            finding
        });
    };
    if !METHODS.contains(&method) {
        let upper = method.to_ascii_uppercase();
        let place = 0..method.len();
        let all = METHODS.map(|method| format!("`{method}`")).join(", ");
        let finding = flaw(
            place.clone(),
            format!("there is no method `{method}`"),
            format!("use one of {all}"),
        );
        return Err(if METHODS.contains(&upper.as_str()) {
            finding.instead(place, upper, true)
        } else if let Some(near) = suggest(&upper, METHODS) {
            finding.instead(place, near, false)
        } else {
            finding
        });
    }
    let start = method.len() + 1;
    if let Some(at) = url.find(char::is_whitespace) {
        let at = start + at;
        return Err(flaw(at..at + 1, "an address cannot contain spaces", "write a space as `%20`"));
    }
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        let finding = flaw(start..text.len(), "the address must begin with `https://`", FORM);
        return Err(if url.contains("://") || url.is_empty() || url.starts_with('/') {
            finding
        } else {
            finding.instead(start..start, "https://", false)
        });
    };
    let rest_at = text.len() - rest.len();
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host_place = rest_at..rest_at + host.len();
    if host.contains(['{', '}']) {
        return Err(flaw(
            host_place,
            "the host of the address cannot be a parameter",
            "write one extern for each host; the path may contain parameters",
        ));
    }
    if host.contains('@') {
        return Err(flaw(
            host_place,
            "an address cannot contain a user name or a password",
            "declare a `secret` and give it with `auth: basic(user, secret)`",
        ));
    }
    let is_host =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if host.is_empty() || !host.chars().all(is_host) {
        let place = if host.is_empty() { rest_at..rest_at } else { host_place };
        return Err(flaw(place, "the address has no host, or not the name of one", FORM));
    }
    if let Some(at) = rest.find('#') {
        return Err(flaw(
            rest_at + at..text.len(),
            "the part of an address after `#` is never sent",
            "leave it out",
        )
        .instead(rest_at + at..text.len(), "", true));
    }
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let is_local = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let is_open = url.starts_with("http://") && !is_local;
    let placeholders = placeholders(text, rest_at)?;
    Ok(Locator { placeholders, method: Some(method), is_open })
}

fn process(text: &str) -> Result<Locator<'_>, Flaw> {
    const FORM: &str =
        "write the program and its arguments, such as \"pandoc --from markdown --to html\"";
    let mut quoted = None;
    let mut program_end = None;
    let mut first = None;
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = if quoted.is_some() { None } else { Some(at) },
            _ if quoted.is_some() => {}
            c if c.is_whitespace() => program_end = program_end.or(first.map(|_| at)),
            c if SHELL.contains(&c) => {
                return Err(flaw(
                    at..at + c.len_utf8(),
                    format!("`{c}` has no effect: the program is started without a shell"),
                    "write only the program and its arguments; put an argument with such characters in '…'",
                ));
            }
            _ => {}
        }
        if !c.is_whitespace() {
            first.get_or_insert(at);
        }
    }
    if let Some(at) = quoted {
        return Err(flaw(
            at..text.len(),
            "the quote `'` is not closed",
            "write `'` where the argument ends",
        ));
    }
    let Some(first) = first else {
        return Err(flaw(0..text.len(), "the command has no program", FORM));
    };
    let program = first..program_end.unwrap_or(text.len());
    if text.get(program.clone()).is_some_and(|word| word.contains(['{', '}'])) {
        return Err(flaw(
            program,
            "the program itself cannot be a parameter",
            "write one extern for each program; its arguments may be parameters",
        ));
    }
    let placeholders = placeholders(text, program.end)?;
    Ok(Locator { placeholders, ..Locator::default() })
}

fn wasm(text: &str) -> Result<Locator<'_>, Flaw> {
    const FORM: &str =
        "write the file and the name of the function, such as \"plugins/filter.wasm#clean\"";
    let Some((file, export)) = text.split_once('#') else {
        return Err(flaw(
            0..text.len(),
            "the name of the function is missing after the file",
            FORM,
        ));
    };
    let place = 0..file.len();
    if file.is_empty() {
        return Err(flaw(place, "the name of the file is missing before `#`", FORM));
    }
    let outside = file.starts_with('/')
        || file.contains(['\\', ':'])
        || file.split('/').any(|part| part == "..");
    if outside {
        return Err(flaw(
            place,
            "the file must be inside the package",
            "write its path from the package's root, with `/` between the parts and without `..`",
        ));
    }
    if !file.ends_with(".wasm") {
        return Err(flaw(place, "the file must be a `.wasm` file", FORM));
    }
    let at = file.len() + 1;
    let is_name =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | ':' | '.' | '@');
    if export.is_empty() || !export.chars().all(is_name) {
        return Err(flaw(at..text.len(), "there is no name of a function after `#`", FORM));
    }
    Ok(Locator::default())
}

fn mcp(text: &str) -> Result<Locator<'_>, Flaw> {
    match text.split_once('/') {
        Some((server, tool)) if !server.is_empty() && !tool.is_empty() => Ok(Locator::default()),
        _ => Err(flaw(
            0..text.len(),
            "an extern from `mcp` needs a server and a tool",
            "write both with `/` between them, such as \"github/add_labels\"",
        )),
    }
}

/// The `{name}`s from a byte on.
fn placeholders(text: &str, from: usize) -> Result<Vec<(Range<usize>, &str)>, Flaw> {
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    for (at, c) in text.char_indices().skip_while(|(at, _)| *at < from) {
        match (c, open) {
            ('{', None) => open = Some(at),
            ('}', Some(start)) => {
                open = None;
                let name = text.get(start + 1..at).unwrap_or_default();
                let is_name = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
                    && name
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
                if !is_name {
                    return Err(flaw(
                        start..at + 1,
                        "only the name of a parameter can be between `{` and `}`",
                        "to write a brace itself, use `%7B` or `%7D`",
                    ));
                }
                found.push((start..at + 1, name));
            }
            ('{', Some(_)) | ('}', None) => {
                return Err(flaw(
                    at..at + 1,
                    match c {
                        '{' => "the `{` before this one is not closed",
                        _ => "the `}` has no `{` before it",
                    },
                    "write a parameter as `{name}`",
                ));
            }
            _ => {}
        }
    }
    match open {
        Some(at) => Err(flaw(at..at + 1, "the `{` is not closed", "write a parameter as `{name}`")),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(kind: &str, text: &str) -> (String, String) {
        let flaw = parse(kind, text).expect_err(text);
        assert!(text.get(flaw.range.clone()).is_some(), "{text}: {flaw:?}");
        let repaired = flaw.instead.map_or_else(String::new, |repair| {
            let mut text = text.to_owned();
            text.replace_range(repair.range, &repair.insert);
            text
        });
        (flaw.message, repaired)
    }

    #[test]
    fn good_locators_have_their_parts() {
        let found =
            parse("http", "POST https://pay.example.com/v1/{account}/refunds?of={id}").unwrap();
        let names: Vec<_> = found.placeholders.iter().map(|(_, name)| *name).collect();
        assert_eq!((found.method, names), (Some("POST"), vec!["account", "id"]));
        assert!(parse("http", "GET http://api.example.com/").unwrap().is_open);
        assert!(!parse("http", "GET http://localhost:8080/").unwrap().is_open);
        let found = parse("process", "sed -e 's/a;b|c/d/' {file}").unwrap();
        assert_eq!(found.placeholders.len(), 1);
        assert!(parse("wasm", "plugins/a.wasm#clean").is_ok());
        assert!(parse("mcp", "github/add_labels").is_ok());
    }

    #[test]
    fn flaws_are_named_and_repaired_where_that_is_clear() {
        for (kind, text, message, repaired) in [
            ("http", "https://a.b/c", "has no method such as", "GET https://a.b/c"),
            ("http", "post https://a.b", "no method `post`", "POST https://a.b"),
            ("http", "PSOT https://a.b", "no method `PSOT`", "POST https://a.b"),
            ("http", "GET a.b/c", "must begin", "GET https://a.b/c"),
            ("http", "GET ftp://a.b/c", "must begin", ""),
            ("http", "GET https://{host}/c", "host of the address cannot be", ""),
            ("http", "GET https://me:pw@a.b/c", "cannot contain a user name", ""),
            ("http", "GET https:///c", "has no host", ""),
            ("http", "GET https://a.b/c d", "cannot contain spaces", ""),
            ("http", "GET https://a.b/c#d", "never sent", "GET https://a.b/c"),
            ("http", "GET https://a.b/{c", "not closed", ""),
            ("http", "GET https://a.b/{C}", "name of a parameter", ""),
            ("http", "GET https://a.b/c}", "has no `{`", ""),
            ("process", "", "has no program", ""),
            ("process", "cat a | wc", "without a shell", ""),
            ("process", "echo $HOME", "without a shell", ""),
            ("process", "{tool} a", "program itself cannot be", ""),
            ("process", "echo 'a", "not closed", ""),
            ("wasm", "a.wasm", "name of the function is missing", ""),
            ("wasm", "../a.wasm#b", "inside the package", ""),
            ("wasm", "a.wat#b", "`.wasm` file", ""),
            ("wasm", "a.wasm#", "no name of a function", ""),
            ("mcp", "github", "a server and a tool", ""),
        ] {
            let found = wrong(kind, text);
            assert!(found.0.contains(message), "{text}: {found:?}");
            assert_eq!(found.1, repaired, "{text}");
        }
    }
}
