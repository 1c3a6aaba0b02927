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

/// Helix takes only keys that it knows: those of its documentation, of what this file says.
#[test]
fn helix_is_told_what_it_knows() {
    const LANGUAGE: &[&str] = &[
        "name",
        "language-id",
        "scope",
        "injection-regex",
        "file-types",
        "shebangs",
        "roots",
        "comment-token",
        "comment-tokens",
        "block-comment-tokens",
        "indent",
        "language-servers",
        "grammar",
        "formatter",
        "soft-wrap",
        "text-width",
        "rulers",
        "auto-format",
        "auto-pairs",
        "diagnostic-severity",
        "workspace-lsp-roots",
        "path-completion",
        "word-completion",
    ];
    const SERVER: &[&str] =
        &["command", "args", "config", "timeout", "environment", "required-root-patterns"];
    let path = sources::root().join("editors/helix/languages.toml");
    let shown = fs::read_to_string(sources::root().join("docs/editor.md")).unwrap();
    let shown = shown.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    for text in [fs::read_to_string(path).unwrap().as_str(), shown] {
        let file: toml::Table = text.parse().unwrap();
        let language = file["language"][0].as_table().unwrap();
        let unknown: Vec<_> =
            language.keys().filter(|key| !LANGUAGE.contains(&key.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(language["file-types"][0].as_str(), Some("kait"));
        let server = language["language-servers"][0].as_str().unwrap();
        let server = file["language-server"][server].as_table().unwrap();
        assert!(server.keys().all(|key| SERVER.contains(&key.as_str())), "{server:?}");
        assert_eq!(server["command"].as_str(), Some("kait"));
        assert_eq!(server["args"][0].as_str(), Some("lsp"));
        let indent = language["indent"].as_table().unwrap();
        assert_eq!(indent["tab-width"].as_integer(), Some(2));
        assert_eq!(indent["unit"].as_str(), Some("  "));
    }
}
