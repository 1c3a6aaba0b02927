//! The tree-sitter grammar of the editors agrees with the compiler: what the compiler accepts has no
//! mistake in its tree, the words are the same, the committed parser is the one that the grammar
//! gives, and the queries fit it.

use std::collections::BTreeSet;
use std::fs;

use ::tree_sitter::{Language, Parser, Query};
use kait_syntax::{Code, Severity, keywords};
use kait_tests::sources::{self, Source};
use kait_tests::tree_sitter::{
    Case, Evaluate, folder, generate, mistake, outline, parser, read_corpus, write_corpus,
};

/// Deletions that may make a text which only tree-sitter accepts, of a thousand.
const LENIENT: usize = 5;

fn accepted(text: &str) -> bool {
    kait_syntax::parse(text).errors.iter().all(|error| error.severity() != Severity::Error)
}

fn refused_with(text: &str) -> Vec<Code> {
    kait_syntax::parse(text).errors.iter().map(|error| error.code).collect()
}

fn found(parser: &mut Parser, text: &str) -> Option<String> {
    mistake(&parser.parse(text, None).unwrap())
}

fn report(findings: &[String]) {
    assert!(findings.is_empty(), "{}\n{} texts", findings.join("\n"), findings.len());
}

/// Programs that somebody wrote: examples, acceptance programs, the standard library, documentation.
fn programs() -> Vec<Source> {
    sources::kait()
        .unwrap()
        .into_iter()
        .filter(|s| !s.name.starts_with("tests/corpus/fuzz"))
        .collect()
}

#[test]
fn every_program_is_accepted_exactly_where_the_compiler_accepts_it() {
    let mut parser = parser().unwrap();
    let mut findings = Vec::new();
    for source in sources::kait().unwrap() {
        match (accepted(&source.text), found(&mut parser, &source.text)) {
            (true, Some(mistake)) => findings.push(format!("{}:{mistake}", source.name)),
            // A `{` on a line of its own is refused with a fix, but everybody sees what it means.
            (false, None) if refused_with(&source.text) == [Code::BraceOnNextLine] => {}
            (false, None) => findings.push(format!("{}: the compiler refuses it", source.name)),
            _ => {}
        }
    }
    report(&findings);
}

#[test]
fn generated_programs_are_accepted() {
    let mut parser = parser().unwrap();
    let mut findings = Vec::new();
    let count = std::env::var("GENERATED").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    for seed in 0..count {
        let text = kait_grammar::generate(seed, 40 + usize::try_from(seed % 5).unwrap() * 20);
        if accepted(&text)
            && let Some(mistake) = found(&mut parser, &text)
        {
            findings.push(format!("seed {seed}:{mistake}\n{text}"));
        }
    }
    report(&findings);
}

#[test]
fn what_is_left_of_a_program_is_accepted_if_the_compiler_accepts_it() {
    let mut parser = parser().unwrap();
    let mut random = fastrand::Rng::with_seed(3);
    let (mut findings, mut both, mut neither, mut lenient) = (Vec::new(), 0, 0, 0);
    let tries = std::env::var("DELETIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(40);
    for source in programs() {
        let tokens = kait_grammar::tokens(&source.text);
        for _ in 0..tries {
            let mut left = tokens.clone();
            if left.is_empty() {
                break;
            }
            let gone = left.remove(random.usize(..left.len()));
            let text = left.concat();
            match (accepted(&text), found(&mut parser, &text)) {
                (true, Some(mistake)) => {
                    findings.push(format!("{} without {gone:?}:{mistake}", source.name));
                }
                (true, None) => both += 1,
                (false, Some(_)) => neither += 1,
                (false, None) => lenient += 1,
            }
        }
    }
    println!("accepted by both {both}, by neither {neither}, by tree-sitter only {lenient}");
    report(&findings);
    let all: usize = both + neither + lenient;
    assert!(lenient * 1_000 <= all * LENIENT, "{lenient} of {all} accepted by tree-sitter only");
}

#[test]
fn words_are_those_of_the_compiler() {
    let language: Language = tree_sitter_kait::LANGUAGE.into();
    let known: BTreeSet<_> = (0..language.node_kind_count())
        .filter_map(|id| u16::try_from(id).ok())
        .filter(|id| !language.node_kind_is_named(*id) && language.node_kind_is_visible(*id))
        .filter_map(|id| language.node_kind_for_id(id))
        .filter(|kind| kind.bytes().all(|b| b.is_ascii_lowercase()))
        .collect();
    let all = || keywords::texts(keywords::RESERVED).chain(keywords::texts(keywords::CONTEXTUAL));
    assert_eq!(known, all().collect());
    // `grammar.js` and the scanner name them a second and a third time, in the same order.
    let scanner = fs::read_to_string(folder().join("src/scanner.c")).unwrap();
    let macros = scanner.split("enum Token").next().unwrap();
    let scanned: BTreeSet<_> =
        macros.split(" W(").skip(1).filter_map(|word| word.split(',').next()).collect();
    assert_eq!(scanned, all().collect());
    let declares: BTreeSet<_> = macros
        .split(" W(")
        .filter(|word| word.contains(", 'd')"))
        .filter_map(|word| word.split(',').next())
        .filter(|word| *word != "pub")
        .collect();
    assert_eq!(declares, keywords::texts(keywords::DECLARATIONS).collect());
    let clauses: BTreeSet<_> = macros
        .split(" W(")
        .filter(|word| word.contains(", 'l')"))
        .filter_map(|word| word.split(',').next())
        .collect();
    assert_eq!(clauses, keywords::texts(keywords::CLAUSES).collect());
}

/// Node is there wherever the peers of the tests are.
fn node() -> bool {
    let found = std::process::Command::new("node")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    assert!(found || std::env::var_os("KAIT_PEERS").is_none(), "node is not installed");
    found
}

#[test]
fn the_committed_parser_is_what_the_grammar_gives() {
    let made = tempfile::tempdir().unwrap();
    let from = if node() { Evaluate::Javascript } else { Evaluate::Json };
    generate(from, made.path()).unwrap();
    let mut compared = 0;
    for file in ["grammar.json", "node-types.json", "parser.c", "tree_sitter/parser.h"] {
        let Ok(new) = fs::read_to_string(made.path().join(file)) else {
            assert!(file == "grammar.json" && from == Evaluate::Json, "{file} was not made");
            continue;
        };
        let old = fs::read_to_string(folder().join("src").join(file)).unwrap();
        assert!(new == old, "src/{file}: run `cargo run -p kait-tests --bin tree-sitter`");
        compared += 1;
    }
    assert!(compared >= 3);
}

/// The corpus: in `examples.txt` the examples as they are, in the other files small cases. With
/// `UPDATE=1` the trees are written anew.
#[test]
fn trees_are_those_of_the_corpus() {
    let update = std::env::var_os("UPDATE").is_some();
    let corpus = folder().join("test/corpus");
    let examples: Vec<_> = sources::kait()
        .unwrap()
        .into_iter()
        .filter(|source| source.name.starts_with("examples/"))
        .map(|Source { name, text }| Case { title: name, text, tree: String::new() })
        .collect();
    if update {
        fs::write(corpus.join("examples.txt"), write_corpus(&examples)).unwrap();
    }
    let (mut parser, mut cases) = (parser().unwrap(), 0);
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let old = fs::read_to_string(&path).unwrap();
        let expected = read_corpus(&old).unwrap();
        let mut got = expected.clone();
        for case in &mut got {
            let tree = parser.parse(&case.text, None).unwrap();
            case.tree = outline(&tree);
            let broken = case.title.ends_with("(broken)");
            assert_eq!(mistake(&tree).is_some(), broken, "{}: {}", case.title, case.tree);
            assert_eq!(accepted(&case.text), !broken, "{}: what the compiler says", case.title);
            cases += 1;
        }
        if path.ends_with("examples.txt") {
            let texts = |cases: &[Case]| -> Vec<_> {
                cases.iter().map(|case| (case.title.clone(), case.text.clone())).collect()
            };
            assert_eq!(texts(&got), texts(&examples), "UPDATE=1 takes the examples over");
        }
        if update {
            fs::write(&path, write_corpus(&got)).unwrap();
        } else {
            for (got, expected) in got.iter().zip(&expected) {
                assert_eq!(got.tree, expected.tree, "{}: {}", path.display(), got.title);
            }
        }
    }
    assert!(cases >= 30, "only {cases} cases");
}

/// The queries of the grammar, and those that single editors have of their own.
#[test]
fn queries_fit_the_grammar() {
    let language: Language = tree_sitter_kait::LANGUAGE.into();
    let mut queries = 0;
    for path in sources::files().unwrap() {
        if path.extension().is_none_or(|extension| extension != "scm") {
            continue;
        }
        let text = fs::read_to_string(sources::root().join(&path)).unwrap();
        if let Err(error) = Query::new(&language, &text) {
            panic!("{}: {error}", path.display());
        }
        queries += 1;
        if path.ends_with("highlights.scm") {
            let literals = ["true", "false", "none", "trusted", "untrusted", "public", "private"];
            for word in
                keywords::texts(keywords::RESERVED).chain(keywords::texts(keywords::CONTEXTUAL))
            {
                let shown = literals.contains(&word) || text.contains(&format!("\"{word}\""));
                assert!(shown, "{}: `{word}` is not coloured", path.display());
            }
        }
    }
    assert!(queries >= 7, "only {queries} queries");
}
