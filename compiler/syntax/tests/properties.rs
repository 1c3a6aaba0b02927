//! What holds for every text: nothing is lost, everything ends, trees are bounded, and one mistake
//! gives one error.

#![expect(clippy::expect_used, reason = "tests")]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use kait_syntax::limits::{MAX_DEPTH, MAX_ERRORS};
use kait_syntax::{Parse, Severity, SyntaxElement, SyntaxKind, parse};
use proptest::prelude::*;

/// The acceptance programs and the standard library: name and text.
fn programs() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    for folder in ["tests/corpus/programs", "stdlib"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "kait") {
                let text = std::fs::read_to_string(&path).expect("a text");
                found.push((path.display().to_string(), text));
            }
        }
    }
    found.sort();
    assert!(found.len() >= 20, "only {} programs found", found.len());
    found
}

/// The number of errors, warnings left out.
fn errors(parse: &Parse) -> usize {
    parse.errors.iter().filter(|error| error.severity() == Severity::Error).count()
}

fn shown(parse: &Parse) -> String {
    parse.errors.iter().fold(String::new(), |mut out, error| {
        let _ = writeln!(out, "  {} at {:?}: {}", error.code, error.range, error.message);
        out
    })
}

/// Checks all that must hold for any text.
fn check(text: &str) -> Parse {
    let parse = parse(text);
    let joined: String = parse.tree.tokens().map(|token| token.text()).collect();
    assert_eq!(joined, text, "the tree loses text");
    assert!(parse.errors.len() <= MAX_ERRORS + 1, "{} errors", parse.errors.len());
    let mut heights = vec![0u32; parse.tree.len()];
    for element in parse.tree.elements() {
        let parent = match element {
            SyntaxElement::Node(node) => node.parent(),
            SyntaxElement::Token(token) => Some(token.parent()),
        };
        let Some(parent) = parent else { continue };
        assert!(parent.index() < element.index());
        assert!(
            parent.range().contains_range(element.range()),
            "{element:?} is not inside {parent:?}"
        );
        let height = heights[parent.index() as usize] + 1;
        assert!(height <= MAX_DEPTH * 4, "the tree is too high");
        heights[element.index() as usize] = height;
    }
    for error in &parse.errors {
        let (start, end) = (usize::from(error.range.start()), usize::from(error.range.end()));
        assert!(text.get(start..end).is_some(), "{error:?} is outside of the text");
        assert!(!error.message.is_empty());
        let edits = error.fix.iter().flat_map(|fix| &fix.edits);
        let mut last = 0;
        for edit in edits {
            let (start, end) = (usize::from(edit.range.start()), usize::from(edit.range.end()));
            assert!(last <= start, "the edits of {error:?} overlap or are out of order");
            assert!(text.get(start..end).is_some(), "{edit:?} is outside of the text");
            last = end;
        }
    }
    // Two damaged nodes never go unreported.
    let damaged = parse.tree.root().descendants().any(|node| node.kind() == SyntaxKind::Error);
    assert!(!damaged || errors(&parse) > 0, "a damaged tree without an error:\n{text}");
    parse
}

#[test]
fn programs_parse_without_errors() {
    for (name, text) in programs() {
        let parse = check(&text);
        assert!(parse.errors.is_empty(), "{name}:\n{}", shown(&parse));
    }
}

#[test]
fn every_prefix_ends() {
    for (_, text) in programs() {
        let step = if text.len() > 4_000 { 7 } else { 1 };
        for end in (0..text.len()).step_by(step).filter(|&end| text.is_char_boundary(end)) {
            let parse = check(&text[..end]);
            assert!(errors(&parse) <= 1, "{}\n---\n{}", shown(&parse), &text[..end]);
        }
    }
}

/// The significant tokens of a text.
fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    parse(text)
        .tree
        .tokens()
        .filter(|token| !token.kind().is_trivia())
        .map(|token| token.range().start().into()..token.range().end().into())
        .collect()
}

/// Replaces each token by each of `by` and counts the texts with more than one error.
fn more_than_one(by: &[&str]) -> (usize, usize, String) {
    let (mut total, mut wrong, mut report) = (0, 0, String::new());
    for (name, text) in programs().into_iter().filter(|(name, _)| name.contains("corpus")) {
        for token in tokens(&text) {
            for by in by {
                let (before, behind) = (&text[..token.start], &text[token.end..]);
                let changed = format!("{before}{by}{behind}");
                let parse = check(&changed);
                total += 1;
                if errors(&parse) > 1 {
                    wrong += 1;
                    let line = before.matches('\n').count() + 1;
                    let old = &text[token.clone()];
                    let _ = writeln!(report, "{name}:{line} {old:?} -> {by:?}\n{}", shown(&parse));
                }
            }
        }
    }
    (total, wrong, report)
}

#[test]
fn a_deleted_token_gives_at_most_one_error() {
    let (total, wrong, report) = more_than_one(&[""]);
    assert!(total > 3_000);
    assert_eq!(wrong, 0, "{report}");
}

#[test]
fn a_changed_token_gives_one_error_but_for_a_few() {
    let (total, wrong, report) = more_than_one(&[" x ", " 1 ", " let ", " ) ", " } ", " { ", "\""]);
    // What is left are changes that turn one well-formed construct into the start of another.
    assert!(wrong * 1_000 <= total, "{wrong} of {total}:\n{report}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_characters(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_tokens(words in proptest::collection::vec(0usize..PIECES.len(), 0..120)) {
        let text: String = words.into_iter().map(|i| PIECES[i]).collect();
        check(&text);
    }
}

/// What random programs are thrown together from.
const PIECES: &[&str] = &[
    "\n",
    "\n",
    "\n",
    " ",
    " ",
    "  ",
    "a ",
    "b",
    "Foo",
    "_",
    "1",
    "2.5usd",
    "\"",
    "\"\"\"",
    "r\"",
    "${",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    ",",
    ":",
    ".",
    "..",
    "?.",
    "?",
    "??",
    "|",
    "|>",
    "->",
    "=>",
    "=",
    "==",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    "&&",
    "||",
    "!",
    ";",
    ":=",
    "===",
    "++",
    "+=",
    "'",
    "`",
    "\\",
    "@",
    "é",
    "\u{202e}",
    "// c\n",
    "/// d\n",
    "//! f\n",
    "/* b */",
    "/*",
    "# h\n",
    "\ngraph f() -> int {\n",
    "\nrecord R {\n",
    "\nlet x = ",
    "let ",
    "if ",
    "else ",
    "match ",
    "for ",
    "in ",
    "loop ",
    "max ",
    "race ",
    "try ",
    "catch {",
    "undo {",
    "fail ",
    "done ",
    "next(",
    "with (",
    "and ",
    "or ",
    "not ",
    "is ",
    "true ",
    "none ",
    "fn ",
    "graph ",
    "use ",
    "pub ",
    "enum ",
    "type ",
    "model ",
    "prompt ",
    "extern ",
    "session ",
    "trigger ",
    "test \"",
    "stub ",
    "expect ",
    "return ",
    "await ",
    "elif ",
    "while ",
    "switch ",
    "case ",
    "def ",
    "class ",
    "const ",
    "f\"",
    "...",
    "userName ",
];

#[test]
fn nesting_is_bounded() {
    let n = 100_000;
    for (open, close) in [
        ("[", "]"),
        ("(", ")"),
        ("{", "}"),
        ("[(", ")]"),
        ("f(", ")"),
        ("\"${", "}\""),
        ("-", ""),
        ("not ", ""),
        ("try ", ""),
        ("fail ", ""),
        ("a.b(", ")"),
        ("if a { ", "}"),
        ("return ", ""),
        ("await ", ""),
        ("match ", ""),
        ("for x in ", ""),
        ("[A(", ")]"),
        ("x is [", "]"),
        ("..", ""),
    ] {
        for closed in [true, false] {
            let closers = if closed { close.repeat(n) } else { String::new() };
            let text = format!("graph f() -> int {{\n{}1{closers}\n}}\n", open.repeat(n));
            let parse = check(&text);
            let limit = if open == "return " || open == "await " { MAX_ERRORS + 1 } else { 1 };
            assert!((1..=limit).contains(&errors(&parse)), "{open:?}: {}", shown(&parse));
        }
    }
    for (name, chain) in [
        ("fields", ".b"),
        ("sums", " + b"),
        ("defaults", " ?? b"),
        ("pipes", " |> b"),
        ("calls", "()"),
        ("indexes", "[1]"),
        ("handlers", " catch { _ => b }"),
        ("policies", " with ()"),
        ("conjunctions", " and b"),
    ] {
        let parse = check(&format!("let a = b{}\n", chain.repeat(n)));
        assert_eq!(errors(&parse), 1, "{name}: {}", shown(&parse));
        assert_eq!(parse.errors[0].code, kait_syntax::Code::TooDeep);
        let fits = check(&format!("let a = b{}\n", chain.repeat(200)));
        assert_eq!(errors(&fits), 0, "{name}: {}", shown(&fits));
    }
}

#[test]
fn large_texts_end_in_linear_time() {
    // Ten times the text may take ten times the time; thirty would be worse than linear. Times on a
    // busy machine jump, so the best of some runs counts.
    let time = |text: &str| {
        (0..3)
            .map(|_| {
                let start = Instant::now();
                let parse = parse(text);
                assert!(parse.errors.len() <= MAX_ERRORS + 1);
                start.elapsed()
            })
            .min()
            .unwrap_or(Duration::ZERO)
    };
    for piece in [
        "let x = @\n",
        "let userName = 1\n",
        "let Foo = 1\n",
        "graph f() -> int {\n",
        "let x = [\n",
        "let x = \"a\n",
        "let x = \"\"\"${\n",
        "a;",
        "`",
        "'",
        "/*",
        "#",
        "}",
        ")",
        "({[",
        "\"${",
        "a b ",
        "=",
        "x => ",
        "if ",
        "{(",
        "f(a] ",
        "graph ",
        "\"",
        "let x = a[]\n",
        "A { a: 1 }\n",
        "// \u{202e}\n",
        "/// d\n",
        "a ? b : c ",
        "- 1\n",
        "|",
        "@ ",
        "ä",
    ] {
        let small = piece.repeat(20_000 / piece.len());
        let large = piece.repeat(200_000 / piece.len());
        let (small, large) = (time(&small), time(&large));
        let floor = Duration::from_millis(20);
        assert!(
            large < small.max(floor) * 30,
            "{piece:?}: {small:?} for 20 kB, {large:?} for 200 kB"
        );
    }
}

#[test]
fn errors_are_capped() {
    let parse = check(&"let x = @\n".repeat(500));
    assert_eq!(parse.errors.len(), MAX_ERRORS + 1);
    let last = parse.errors.last().expect("errors");
    assert_eq!(last.code, kait_syntax::Code::FurtherErrors);
    assert!(last.message.contains("100"), "{}", last.message);
}
