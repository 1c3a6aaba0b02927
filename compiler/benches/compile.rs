//! `k-compile` and `k-edit`: what compiling costs, from text to a checked program with its diagnostics.
//!
//! The texts are the example programs, as often as needed in one file, every copy with names of its own; they compile
//! without an error, which is asserted each time. The limit is parsing the same text alone. The slope is the cost of a
//! line in the largest text over its cost in the smallest.

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../../tests/measure/mod.rs"]
mod measure;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use kait_compiler::sources::MemorySources;
use kait_compiler::{Cache, Compilation, compile, compile_with};
use rustc_hash::FxHashSet;

/// The examples: their texts without the comment on the file, and the names that they declare.
fn examples() -> Vec<(String, FxHashSet<String>)> {
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
fn renamed(text: &str, names: &FxHashSet<String>, copy: usize, out: &mut String) {
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
fn program(lines: usize) -> Arc<str> {
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

fn compiled(text: &Arc<str>) -> Compilation {
    let sources = MemorySources::single("main.kait", Arc::clone(text));
    compile(&sources, &["main.kait"])
}

fn assert_clean(found: &Compilation) {
    let first = found.diagnostics.iter().find(|d| d.is_error());
    assert!(first.is_none(), "{first:?}");
}

fn k_compile() {
    let mut cost_of_line = Vec::new();
    for (lines, repetitions) in [(1_000, 101), (20_000, 15), (100_000, 7)] {
        let text = program(lines);
        let count = text.lines().count() as f64;
        let tests = text.lines().filter(|line| line.starts_with("test ")).count();
        let parse = measure::sample(repetitions, || {
            let (seconds, _) = measure::seconds(|| kait_syntax::parse_shared(Arc::clone(&text)));
            seconds * 1e9 / count
        });
        let all = measure::sample(repetitions, || {
            let (seconds, found) = measure::seconds(|| compiled(black_box(&text)));
            assert_clean(&found);
            assert!(found.hir.defs.len() > tests, "every test is a declaration");
            seconds * 1e9 / count
        });
        parse.print(&format!("limit: parse {lines} lines"), "ns/line", None);
        all.print(&format!("k-compile {lines} lines"), "ns/line", Some(&parse));
        println!(
            "{:<44} median {:.0} lines/s, best {:.0}",
            "",
            1e9 / all.median(),
            1e9 / all.min()
        );
        cost_of_line.push(all.min());
    }
    if let [small, middle, large] = cost_of_line.as_slice() {
        println!("slope 1k to 20k {:.2}, 20k to 100k {:.2}", middle / small, large / middle);
    }
}

/// A letter is typed into the body of a function in the middle of the file, and taken away again: with a cache, as
/// editors compile, and without.
fn k_edit() {
    let text = program(10_000);
    let middle = text.len() / 2;
    let place = middle + text[middle..].find("let ").expect("a let") + "let ".len();
    let edited: Arc<str> = format!("{}x{}", &text[..place], &text[place..]).into();
    let broken = compiled(&edited);
    assert!(broken.has_errors(), "its uses do not know the new name");
    let mut typed = false;
    let mut cache = Cache::new();
    let edit = measure::sample(201, || {
        typed = !typed;
        let text = if typed { &edited } else { &text };
        let sources = MemorySources::single("main.kait", Arc::clone(text));
        let (seconds, found) =
            measure::seconds(|| compile_with(black_box(&sources), &["main.kait"], &mut cache));
        assert_eq!(found.has_errors(), typed);
        seconds * 1e3
    });
    assert!(cache.reused() > 0, "what is not typed into stays as it was");
    let fresh = measure::sample(101, || {
        typed = !typed;
        let text = if typed { &edited } else { &text };
        let (seconds, found) = measure::seconds(|| compiled(black_box(text)));
        assert_eq!(found.has_errors(), typed);
        seconds * 1e3
    });
    let parse = measure::sample(101, || {
        measure::seconds(|| kait_syntax::parse_shared(Arc::clone(&text))).0 * 1e3
    });
    parse.print("limit: parse 10000 lines", "ms", None);
    edit.print("k-edit: a keystroke in 10000 lines", "ms", Some(&parse));
    fresh.print("the same without a cache", "ms", Some(&parse));
}

fn main() {
    measure::print_load();
    k_compile();
    k_edit();
}
