//! What the editors know of the language besides its tree-sitter grammar: their words are the
//! compiler's, and Neovim, where it is installed, opens, colours and indents every example.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use kait_syntax::keywords;
use kait_tests::sources;

/// Every word of small letters in a text.
fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_lowercase()).filter(|word| !word.is_empty()).collect()
}

#[test]
fn every_keyword_is_coloured_in_every_editor() {
    for file in ["vscode/syntaxes/kait.tmLanguage.json", "neovim/syntax/kait.vim"] {
        let text = fs::read_to_string(sources::root().join("editors").join(file)).unwrap();
        // Of the TextMate grammar only its patterns, not the names of its scopes and rules; a `\b` is
        // no letter.
        let patterns: String = text
            .lines()
            .filter(|line| line.contains("\"match\": ") || line.starts_with("syntax "))
            .map(|line| line.replace("\\b", " ").replace("\\s", " ").replace("\\zs", " ") + "\n")
            .collect();
        let known = words(&patterns);
        let all = keywords::texts(keywords::RESERVED).chain(keywords::texts(keywords::CONTEXTUAL));
        let missing: Vec<_> = all.filter(|word| !known.contains(word)).collect();
        assert!(missing.is_empty(), "{file} lacks {missing:?}");
        for unit in keywords::DURATION_UNITS.iter().chain(keywords::SIZE_UNITS) {
            assert!(unit.len() == 1 || known.contains(unit), "{file} lacks the unit {unit}");
        }
    }
}

#[test]
fn neovim_colours_and_indents_every_example() {
    let found = Command::new("nvim").arg("--version").output().is_ok_and(|it| it.status.success());
    if !found {
        println!("skipped: nvim is not installed");
        return;
    }
    let files: Vec<_> = sources::files()
        .unwrap()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "kait"))
        .filter(|path| path.starts_with("examples") || path.starts_with("tests/corpus/programs"))
        .collect();
    assert!(files.len() > 20);
    let home = tempfile::tempdir().unwrap();
    let output = Command::new("nvim")
        .args(["--headless", "-u", "NONE", "-i", "NONE", "--cmd", "set rtp^=editors/neovim"])
        .args(["-c", "luafile editors/neovim/test/check.lua"])
        .args(files)
        .current_dir(sources::root())
        .env("XDG_DATA_HOME", home.path())
        .env("XDG_STATE_HOME", home.path())
        .env("XDG_CACHE_HOME", home.path())
        .output()
        .unwrap();
    // Neovim prints to standard error.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.trim_end().ends_with(" declarations, 0 wrong"), "{said}");
    assert!(!said.trim_end().ends_with("\n0 declarations, 0 wrong"), "{said}");
}
