//! What the reader of TOML finds wrong in a profile, in the words of this program: a key or a value, what it should be,
//! and a key that is near. What it says of the syntax itself is its own.

/// The place of a mistake, as a line counted from 1, and what is wrong there.
pub(super) fn explain(text: &str, error: &toml::de::Error) -> (Option<usize>, String) {
    let span = error.span().filter(|span| text.get(span.clone()).is_some());
    let line = span.as_ref().map(|span| {
        text.get(..span.start).unwrap_or_default().bytes().filter(|b| *b == b'\n').count() + 1
    });
    let there = span.and_then(|span| text.get(span)).unwrap_or_default().trim();
    let message = error.message().trim();
    let words = unknown_key(message)
        .or_else(|| missing_key(message))
        .or_else(|| wrong_kind(message))
        .or_else(|| {
            (message == "duplicate key").then(|| format!("`{there}` is given a second time"))
        })
        .unwrap_or_else(|| message.to_owned());
    (line, words)
}

/// ``unknown field `a`, expected one of `b`, `c` ``
fn unknown_key(message: &str) -> Option<String> {
    let rest = message.strip_prefix("unknown field `")?;
    let (key, expected) = rest.split_once('`')?;
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let near = known.iter().map(|one| (strsim::jaro_winkler(key, one), one));
    let near = near.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(score, _)| *score > 0.8);
    Some(match (near, known.as_slice()) {
        (Some((_, near)), _) => format!("there is no key `{key}`; did you mean `{near}`?"),
        (None, []) => format!("there is no key `{key}`"),
        (None, known) => format!("there is no key `{key}`; there are `{}`", known.join("`, `")),
    })
}

/// ``missing field `a` ``
fn missing_key(message: &str) -> Option<String> {
    let key = message.strip_prefix("missing field `")?.strip_suffix('`')?;
    Some(format!("this table needs the key `{key}`"))
}

/// ``invalid type: integer `3`, expected a string``
fn wrong_kind(message: &str) -> Option<String> {
    let rest = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    let (kind, value) = match found.split_once(' ') {
        Some((kind, value)) => (kind, Some(value)),
        None => (found, None),
    };
    let found = match (kind, value) {
        ("map", _) => "a table".to_owned(),
        ("sequence", _) => "a list".to_owned(),
        ("string", Some(value)) => format!("the text `{value}`"),
        ("integer" | "float", Some("point")) => "a number".to_owned(),
        ("integer", Some(value)) => format!("the number {}", value.trim_matches('`')),
        ("floating", Some(value)) => {
            format!("the number {}", value.trim_start_matches("point ").trim_matches('`'))
        }
        ("boolean", Some(value)) => value.to_owned(),
        _ => found.to_owned(),
    };
    let expected = match expected {
        "a string" | "string" => "a text in quotes",
        "a map" => "a table",
        "a sequence" => "a list",
        "a boolean" => "`true` or `false`",
        "u64" | "u32" | "usize" | "i64" | "a nonzero u64" | "a nonzero u32" => "a whole number",
        "f64" => "a number",
        // A table is read into a structure, whose name says nothing to whoever writes it.
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    Some(format!("expected {expected}, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> (Option<usize>, String) {
        let error = toml::from_str::<super::super::ProjectFile>(text).expect_err(text);
        explain(text, &error)
    }

    #[test]
    fn mistakes_have_our_words_and_their_line() {
        for (text, line, wanted) in [
            ("[pakage]\nname = \"x\"", 1, "there is no key `pakage`; did you mean `package`?"),
            (
                "[models.fast]\nprovder = \"x\"",
                2,
                "there is no key `provder`; did you mean `provider`?",
            ),
            ("[models.fast]\nmodel = \"x\"", 1, "this table needs the key `provider`"),
            (
                "[models.fast]\nprovider = \"echo\"\nmodel = 3",
                3,
                "expected a text in quotes, found the number 3",
            ),
            ("models = 3", 1, "expected a table, found the number 3"),
            (
                "[models.fast]\nprovider = \"echo\"\nprovider = \"echo\"",
                3,
                "`provider` is given a second time",
            ),
            (
                "[dependencies]\na = \"../x\"",
                2,
                "expected a table such as { path = \"../acme\" }, found the text `\"../x\"`",
            ),
            (
                "[package]\nname = \"a\"\ncolour = 1",
                3,
                "there is no key `colour`; there are `name`, `version`",
            ),
        ] {
            assert_eq!(words(text), (Some(line), wanted.to_owned()), "{text}");
        }
        // What is wrong with the syntax is said as it is.
        assert!(words("[models.fast\n").1.contains("table"));
    }
}
