//! That the parser ends, whatever it is given: texts that once made it loop, and its fuel.

use std::sync::Arc;

use super::{Parser, parse};
use crate::SyntaxKind;
use crate::lexer;
use crate::limits::MAX_LOOKS;

/// Texts whose second pass ends a declaration inside `${ }`.
const CUT_INSIDE_INTERPOLATION: &[&str] = &[
    include_str!(
        "../../../../tests/corpus/fuzz/declaration-ends-inside-an-interpolation-long.kait"
    ),
    "\"\"\"${\nlet F}\"\"\"\nmodel l needs(",
    "\"\"\"${\nlet f}\nmodel l needs (",
    "let a = \"\"\"${ f(\ngraph F}x${\nmodel b}\"\"\"\ntest \"t\" { (",
    "\"\"\"${\nuse a}}}${\nfn }\nsecret s}\"\"\" [",
];

#[test]
fn the_end_of_an_interpolation_that_is_left_over_is_consumed() {
    for text in CUT_INSIDE_INTERPOLATION {
        for second_pass in [false, true] {
            let mut parser = Parser::new(text, lexer::lex(text), second_pass);
            parser.run();
            assert!(parser.looks.get() > 0, "ran out of looks: {text}");
        }
        let parse = parse(Arc::from(*text));
        assert!(parse.has_errors(), "{text}");
        assert_eq!(parse.tree.root().text(), *text);
    }
}

#[test]
fn without_looks_left_the_parser_ends_and_reports_it() {
    let text = "graph g() -> none {\n  f(\"a ${b}\")\n}\n\nmodel m\nlet x = [\"open\n";
    for second_pass in [false, true] {
        let count = lexer::lex(text).significant.len();
        for consumed in 0..count {
            let mut parser = Parser::new(text, lexer::lex(text), second_pass);
            for _ in 0..consumed {
                parser.bump();
            }
            // As behind a loop that looked without end.
            parser.looks.set(0);
            parser.run();
            assert_eq!(parser.pos, consumed, "nothing more is consumed");
            let (elements, errors) = parser.finish();
            assert!(!errors.is_empty());
            assert_eq!(elements.first().map(|root| root.size() as usize), Some(elements.len()));
        }
    }
}

#[test]
fn looks_run_out_only_if_nothing_is_consumed() {
    let text = "a b";
    let parser = Parser::new(text, lexer::lex(text), false);
    let mut rounds = 0u32;
    while parser.raw() != SyntaxKind::Eof {
        rounds += 1;
    }
    assert_eq!(rounds, MAX_LOOKS);
    let mut parser = Parser::new(text, lexer::lex(text), false);
    parser.looks.set(2);
    parser.bump();
    assert_eq!(parser.looks.get(), MAX_LOOKS);
}

#[test]
fn a_word_that_was_taken_for_a_name_still_starts_a_declaration_for_who_looks_back() {
    // The brackets of `fn record` pair up only if `record` is seen to start the next declaration.
    let parse = parse(Arc::from("fn\nrecord Ticke\nt{a:B=(c\n}\n"));
    assert_eq!(parse.errors.len(), 2, "{:?}", parse.errors);
    assert!(parse.tree.compact_dump().starts_with("SourceFile(Fn(fn record "));
}
