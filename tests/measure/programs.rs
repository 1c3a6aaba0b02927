//! Long programs for benchmarks: the examples, as often as needed, every copy with names of its own. Included by path;
//! no target of its own.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The examples: their texts without the comment on the file, and the names that they declare.
fn examples() -> Vec<(String, BTreeSet<String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the examples are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "kait"))
        .collect();
    paths.sort();
    let programs = paths.iter().map(|path| {
        let text = std::fs::read_to_string(path).expect("a text");
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("//!")).collect();
        let names = lines.iter().filter_map(|line| declared(line)).collect();
        (lines.join("\n"), names)
    });
    programs.collect()
}

/// The name that a line at the outermost level declares.
fn declared(line: &str) -> Option<String> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let (keyword, rest) = line.split_once(' ')?;
    let declares = ["model", "record", "enum", "prompt", "fn", "graph", "const", "type"];
    declares.contains(&keyword).then(|| rest.chars().take_while(|c| is_word(*c)).collect())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The text with every whole word out of `names` made one of the copy's own, and the titles of tests as well.
/// A member (`.name`, `name:`) is no use of a declaration.
fn renamed(text: &str, names: &BTreeSet<String>, copy: usize, out: &mut String) {
    let mut before = ' ';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if end == 0 {
            out.push(c);
            before = c;
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let (word, after) = rest.split_at(end);
        out.push_str(word);
        if before != '.' && !after.starts_with(':') && names.contains(word) {
            out.push_str(&format!("_{copy}"));
            if word.starts_with(char::is_uppercase) {
                // Type names carry no `_`.
                let number = out.len() - copy.to_string().len() - 1;
                out.replace_range(number..=number, "N");
            }
        }
        before = ' ';
        rest = after;
        if word == "test" && rest.starts_with(" \"") {
            out.push_str(&format!(" \"{copy}: "));
            rest = &rest[2..];
        }
    }
    out.push('\n');
}

/// One text of at least so many lines.
pub fn program(lines: usize) -> Arc<str> {
    let examples = examples();
    let mut out = String::new();
    let mut count = 0;
    for (copy, (text, names)) in examples.iter().cycle().enumerate() {
        renamed(text, names, copy, &mut out);
        count += text.lines().count() + 1;
        if count >= lines {
            break;
        }
    }
    out.into()
}
