//! The tree-sitter grammar of the editors: how its parser is generated, what that parser thinks of a
//! text, and how its trees are written down in its corpus. It changes no file unless it is told where.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tree_sitter::{Node, Parser, Tree};
use tree_sitter_generate::{OptLevel, generate_parser_in_directory};

use crate::sources;

/// The version of the parser's tables. 14 is read by every editor with tree-sitter; 15 has nothing that
/// the grammar needs.
const ABI: usize = 14;

/// What the generation starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evaluate {
    /// `grammar.js`, which node evaluates.
    Javascript,
    /// `src/grammar.json`, what became of it; needs no node.
    Json,
}

/// The folder of the grammar.
#[must_use]
pub fn folder() -> PathBuf {
    sources::root().join("editors/tree-sitter-kait")
}

/// Writes `parser.c`, `node-types.json`, the headers of tree-sitter and, from the JavaScript,
/// `grammar.json` into a folder.
///
/// # Errors
/// The grammar is wrong or has a conflict, node is missing, or a file cannot be written.
pub fn generate(from: Evaluate, into: &Path) -> anyhow::Result<()> {
    let grammar = folder().join(match from {
        Evaluate::Javascript => "grammar.js",
        Evaluate::Json => "src/grammar.json",
    });
    let mut remarks = Vec::new();
    generate_parser_in_directory(
        folder(),
        Some(into),
        Some(grammar),
        ABI,
        None,
        Some("node"),
        true,
        OptLevel::default(),
        &mut remarks,
    )?;
    anyhow::ensure!(remarks.is_empty(), "{remarks:?}");
    Ok(())
}

/// A parser for KAIT.
///
/// # Errors
/// The library does not know the version of the tables.
pub fn parser() -> anyhow::Result<Parser> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_kait::LANGUAGE.into())?;
    Ok(parser)
}

/// The first node of a tree that stands for a mistake, if there is one: where, and what it is.
#[must_use]
pub fn mistake(tree: &Tree) -> Option<String> {
    let mut cursor = tree.walk();
    loop {
        let node = cursor.node();
        if node.is_error() || node.is_missing() {
            let at = node.start_position();
            let what =
                if node.is_missing() { format!("missing {}", node.kind()) } else { "error".into() };
            return Some(format!("{}:{}: {what}", at.row + 1, at.column + 1));
        }
        if node.has_error() && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return None;
            }
        }
    }
}

/// A tree as the corpus of tree-sitter writes it: named and missing nodes with their
/// fields, a node a line.
#[must_use]
pub fn outline(tree: &Tree) -> String {
    let mut out = String::new();
    write_node(tree.root_node(), None, 0, &mut out);
    out
}

fn write_node(node: Node<'_>, field: Option<&str>, depth: usize, out: &mut String) {
    if depth > 0 {
        out.push('\n');
    }
    out.extend(std::iter::repeat_n("  ", depth));
    if let Some(field) = field {
        let _ = write!(out, "{field}: ");
    }
    let quotes = if node.is_named() { "" } else { "\"" };
    let missing = if node.is_missing() { "MISSING " } else { "" };
    let _ = write!(out, "({missing}{quotes}{}{quotes}", node.kind());
    let mut cursor = node.walk();
    if cursor.goto_first_child() {
        loop {
            if cursor.node().is_named() || cursor.node().is_missing() {
                write_node(cursor.node(), cursor.field_name(), depth + 1, out);
            }
            if !cursor.goto_next_sibling() {
                break;
            }
        }
    }
    out.push(')');
}

/// One case of a corpus file: its title, the text, and the tree that is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The line between the rules of `=`.
    pub title: String,
    /// The program.
    pub text: String,
    /// Its tree, as [`outline`] writes it.
    pub tree: String,
}

/// Reads a file of the corpus, in the format of tree-sitter's own.
///
/// # Errors
/// A case without title or tree.
pub fn read_corpus(text: &str) -> anyhow::Result<Vec<Case>> {
    let rule = |line: &str, sign: char| line.len() >= 3 && line.chars().all(|c| c == sign);
    let mut cases = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        anyhow::ensure!(rule(line, '='), "a case begins with a line of `=`: {line}");
        let title = lines.next().unwrap_or_default().to_owned();
        anyhow::ensure!(
            lines.next().is_some_and(|line| rule(line, '=')),
            "{title}: no second rule"
        );
        let mut text = Vec::new();
        loop {
            match lines.next() {
                Some(line) if rule(line, '-') => break,
                Some(line) => text.push(line),
                None => anyhow::bail!("{title}: no line of `-`"),
            }
        }
        let mut tree = Vec::new();
        while let Some(line) = lines.next_if(|line| !rule(line, '=')) {
            tree.push(line);
        }
        let text = format!("{}\n", text.join("\n").trim_matches('\n'));
        let tree = tree.join("\n").trim().to_owned();
        cases.push(Case { title, text, tree });
    }
    Ok(cases)
}

/// The opposite of [`read_corpus`].
#[must_use]
pub fn write_corpus(cases: &[Case]) -> String {
    let rule = "=".repeat(80);
    let one = |case: &Case| {
        let (title, text, tree) = (&case.title, &case.text, &case.tree);
        format!("{rule}\n{title}\n{rule}\n\n{text}\n{}\n\n{tree}\n", "-".repeat(80))
    };
    cases.iter().map(one).collect::<Vec<_>>().join("\n")
}
