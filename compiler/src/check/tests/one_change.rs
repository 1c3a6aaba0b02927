//! One mistake is one error: valid programs with one token changed.

use super::{errors, shown};

const PROGRAMS: [&str; 4] = [
    include_str!("programs/route.kait"),
    include_str!("programs/review.kait"),
    include_str!("programs/refine.kait"),
    include_str!("programs/orders.kait"),
];

/// Tokens as good as a test needs them: words, numbers, texts, and everything else one character at a time.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let bytes = text.as_bytes();
    let mut all = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        match bytes[at] {
            b if word(b) => {
                while at < bytes.len() && word(bytes[at]) {
                    at += 1;
                }
                all.push((start, at));
            }
            b'"' if bytes[at..].starts_with(b"\"\"\"") => {
                at += 3;
                while at < bytes.len() && !bytes[at..].starts_with(b"\"\"\"") {
                    at += 1;
                }
                at += 3;
            }
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                all.push((start, at));
            }
            b'/' if bytes[at..].starts_with(b"//") => {
                while at < bytes.len() && bytes[at] != b'\n' {
                    at += 1;
                }
            }
            b if b.is_ascii_whitespace() => at += 1,
            _ => at += 1,
        }
    }
    all
}

/// Families of codes of the stages before.
const NAMES: [&str; 3] = ["K00", "K01", "K02"];

/// What a token is changed to: other names, other types, other literals.
fn changes(token: &str) -> Vec<String> {
    let first = token.as_bytes()[0];
    let mut all: Vec<String> = match first {
        b'"' => vec!["1".into(), "\"\"".into()],
        b'0'..=b'9' => vec!["\"x\"".into(), "7".into(), "2.5".into()],
        b'A'..=b'Z' => vec!["Zzz".into(), format!("{token}x")],
        _ => vec!["zzz".into(), format!("{token}x")],
    };
    match token {
        "text" | "int" | "bool" | "float" | "money" => {
            all.extend(["text", "int", "bool", "[text]", "money"].map(str::to_owned));
        }
        "Topic" | "Route" | "Answer" | "Verdict" | "Note" | "Finding" | "Severity" | "Order"
        | "Item" => {
            all.extend(["text", "int"].map(str::to_owned));
        }
        _ => {}
    }
    all.retain(|new| new != token);
    all
}

#[test]
fn one_change_gives_at_most_one_error() {
    let mut bad = Vec::new();
    let mut count = 0;
    for program in PROGRAMS {
        let found = errors(program);
        assert!(found.is_empty(), "{}", shown(program, &found));
        for (start, end) in tokens(program) {
            for new in changes(&program[start..end]) {
                let changed = format!("{}{new}{}", &program[..start], &program[end..]);
                let found = errors(&changed);
                count += 1;
                // Several errors about names alone are not the checker's.
                let ours = found.iter().filter(|one| !NAMES.contains(&&one.code[..3])).count();
                if found.len() > 1 && ours > 0 {
                    let line = program[..start].lines().count();
                    let list: Vec<String> =
                        found.iter().map(|one| format!("{} {}", one.code, one.message)).collect();
                    bad.push(format!(
                        "line {line}: `{}` -> `{new}`: {}",
                        &program[start..end],
                        list.join(" / ")
                    ));
                }
            }
        }
    }
    assert!(count > 500, "only {count} changes");
    assert!(bad.is_empty(), "{} of {count}:\n{}", bad.len(), bad.join("\n"));
}
