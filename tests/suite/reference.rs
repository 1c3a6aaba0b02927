//! The reference of words and names: complete, true, and printed in `docs/stdlib.md`.
//!
//! `UPDATE=1` writes the page anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kait_compiler::check::{every_policy, ty::Prim};
use kait_compiler::compile;
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::fmt;
use kait_compiler::sources::MemorySources;
use kait_ide::reference::{Entry, EntryKind, reference};
use kait_stdlib::language;
use kait_syntax::keywords::{CONTEXTUAL, RESERVED, texts};

use crate::std::run_tests;

/// What is checked but not run yet is no mistake of an example.
const NOT_RUN: &str = "K0090";

#[test]
fn examples_of_words_check_are_in_standard_form_and_run() {
    let mut wrong = Vec::new();
    for word in language() {
        let place = format!("stdlib/language.md:{} {}", word.line, word.names.join(", "));
        let mut sources = MemorySources::single("example.kait", word.example);
        // The example of `use`.
        sources.insert("notes/minutes.kait", "pub let limit = 3\n");
        let compiled = compile(&sources, &["example.kait"]);
        let found: Vec<_> = compiled
            .diagnostics
            .iter()
            .filter(|found| word.run || found.code.as_str() != NOT_RUN)
            .cloned()
            .collect();
        if !found.is_empty() {
            let shown = terminal::render(&found, &compiled.files, Style::default());
            wrong.push(format!("{place}\n{shown}"));
            continue;
        }
        let formatted = fmt::format(&kait_syntax::parse(word.example)).unwrap();
        if formatted != word.example {
            wrong.push(format!("{place}\nis not in standard form; this is:\n{formatted}"));
        }
        if word.run
            && let Err(fault) = run_tests(&compiled)
        {
            wrong.push(format!("{place}\n{fault}"));
        }
    }
    assert!(wrong.is_empty(), "{} entries:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn every_word_of_the_language_is_explained() {
    let explained: BTreeSet<&str> =
        language().iter().flat_map(|w| w.names.iter().copied()).collect();
    let of = |kind: &str, name: &str| {
        language().iter().any(|word| word.kind == kind && word.names.contains(&name))
    };
    let mut missing: Vec<String> = texts(RESERVED)
        .chain(texts(CONTEXTUAL))
        .filter(|word| !explained.contains(word))
        .map(str::to_owned)
        .collect();
    // `parallel` is explained as a clause.
    let unknown = every_policy().filter(|name| !of("policy", name) && *name != "parallel");
    missing.extend(unknown.map(|name| format!("policy {name}")));
    let types = Prim::ALL.iter().map(|prim| prim.as_str());
    missing.extend(types.filter(|name| !of("type", name)).map(|name| format!("type {name}")));
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "stdlib/language.md says nothing of {missing:?}");
}

#[test]
fn related_names_exist() {
    let words = language().iter().flat_map(|word| word.names.iter().copied());
    let entries = reference().iter().flat_map(|module| &module.entries).map(|e| e.name.as_str());
    let known: BTreeSet<&str> = words.chain(entries).collect();
    for word in language() {
        for name in &word.see {
            assert!(known.contains(name), "{} leads to `{name}`", word.names.join(", "));
        }
    }
}

/// The page of the whole library.
fn page() -> String {
    let mut text = String::from(
        "# The standard library\n\n<!-- Written by a test from stdlib/*.kait; `UPDATE=1 cargo test -p kait-tests reference` \
         writes it anew. -->\n\nAlways in scope: a function is called with its module's name, `text.trim(s)`. Names of the \
         prelude need no module. In an example, a line without `let` is a condition that holds; a test runs them all. \
         `kait explain text.trim` prints an entry; [`stdlib/language.md`](../stdlib/language.md) says the same of the words \
         of the language.\n\nThe first argument is what a function works on; at most two go without a name. Positions count \
         from 0, and ends of ranges are included. What is not there is `none`. Functions without effects give the same for \
         the same arguments; a `Budget` bounds what they make (16 MiB of text, ten million items).\n\n",
    );
    for module in reference() {
        let _ = write!(text, "[{0}](#{0}) ", module.name);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    for module in reference() {
        let _ = write!(text, "\n## {}\n\n{}\n", module.name, module.docs);
        for entry in module.entries.iter().filter(|entry| entry.kind != EntryKind::Variant) {
            show(&mut text, entry, &module.entries);
        }
    }
    text
}

fn show(text: &mut String, entry: &Entry, all: &[Entry]) {
    let _ = write!(
        text,
        "\n### {}\n\n```kait\n{}\n```\n",
        entry.name,
        entry.signature.trim_start_matches("pub ")
    );
    if let Some(effects) = &entry.effects {
        let _ = write!(text, "\nEffects: `{effects}`\n");
    }
    if !entry.docs.is_empty() {
        let _ = write!(text, "\n{}\n", entry.docs);
    }
    let variants_of = format!("{}.", entry.name);
    let variants =
        all.iter().filter(|other| other.name.starts_with(&variants_of) && !other.docs.is_empty());
    for (index, variant) in variants.filter(|v| v.kind == EntryKind::Variant).enumerate() {
        let gap = if index == 0 { "\n" } else { "" };
        let name = variant.name.trim_start_matches(&variants_of);
        let _ = writeln!(text, "{gap}* `{name}`: {}", variant.docs.replace('\n', " "));
    }
    for example in &entry.examples {
        let _ = write!(text, "\n```kait\n{}```\n", example.code);
    }
}

#[test]
fn the_page_of_the_library_is_up_to_date() {
    let path = format!("{}/../docs/stdlib.md", env!("CARGO_MANIFEST_DIR"));
    let page = page();
    if ::std::env::var_os("UPDATE").is_some() {
        ::std::fs::write(&path, &page).unwrap();
    }
    let there = ::std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == page,
        "docs/stdlib.md is out of date: `UPDATE=1 cargo test -p kait-tests reference` writes it"
    );
}
