//! Cases of the lexer.

use super::{Significant, lex};
use crate::SyntaxKind as K;

fn kinds(text: &str) -> Vec<K> {
    lex(text).significant.iter().map(|token| token.kind).collect()
}

/// The texts of the tokens before which a newline ends a statement.
fn separated(text: &str) -> Vec<&str> {
    let lexed = lex(text);
    lexed
        .significant
        .iter()
        .filter(|token| token.has(Significant::SEPARATOR))
        .map(|token| {
            let index = token.index as usize;
            &text[lexed.tokens[index].start as usize..lexed.tokens[index + 1].start as usize]
        })
        .collect()
}

#[test]
fn nothing_is_lost() {
    for text in
        ["", " ", "let x = \"a ${b} c\" // d\r\n", "\u{feff}let", "€\u{a0}'", "/* a", "\"\\"]
    {
        let tokens = lex(text).tokens;
        assert_eq!(tokens.first().map(|t| t.start), Some(0));
        assert!(tokens.windows(2).all(|w| w[0].start < w[1].start), "{text:?}");
        assert_eq!(tokens.last().map(|t| t.start as usize), Some(text.len()));
    }
}

#[test]
fn words_and_names() {
    assert_eq!(
        kinds("let letter _ _a Ab user"),
        [K::LetKw, K::Lid, K::Underscore, K::Lid, K::Uid, K::UserKw]
    );
    assert_eq!(kinds("userName User_name"), [K::Lid, K::Uid]);
    assert_eq!(lex("userName User_name").errors.len(), 2);
}

#[test]
fn numbers() {
    assert_eq!(
        kinds("1 1_000 1.5 1..3 2d 0.40usd 1.x"),
        [
            K::Number,
            K::Number,
            K::Number,
            K::Number,
            K::DotDot,
            K::Number,
            K::Number,
            K::Number,
            K::Number,
            K::Dot,
            K::Lid
        ]
    );
    assert_eq!(
        lex("5seconds").errors[0].fix.as_ref().map(|f| f.apply("5seconds")),
        Some("5s".into())
    );
    assert_eq!(lex("0x1f 1e5 3q").errors.len(), 3);
}

#[test]
fn texts_nest() {
    assert_eq!(
        kinds(r#""a${f("}" + "${x}")}b\n""#),
        [
            K::StrStart,
            K::StrText,
            K::InterpStart,
            K::Lid,
            K::LParen,
            K::StrStart,
            K::StrText,
            K::StrEnd,
            K::Plus,
            K::StrStart,
            K::InterpStart,
            K::Lid,
            K::InterpEnd,
            K::StrEnd,
            K::RParen,
            K::InterpEnd,
            K::StrText,
            K::StrEscape,
            K::StrEnd
        ]
    );
    assert_eq!(kinds(r#"r"a\${b""#), [K::StrStart, K::StrText, K::StrEnd]);
    assert_eq!(kinds("\"\"\"a\"b\n\"\"\""), [K::StrStart, K::StrText, K::StrEnd]);
    assert_eq!(kinds("\"\" \"\"\"\"\"\""), [K::StrStart, K::StrEnd, K::StrStart, K::StrEnd]);
}

#[test]
fn an_unclosed_text_ends_on_its_line() {
    let lexed = lex("f(\"a ${b(\nc");
    assert_eq!(lexed.breaks.len(), 1);
    assert_eq!((lexed.breaks[0].at, lexed.breaks[0].open), (7, 0));
    let inside = lex("\"\"\"${\"a\n}\"\"\"");
    assert_eq!(inside.breaks[0].open, 1);
    assert!(!inside.unclosed_triple);
}

#[test]
fn an_unclosed_long_text_ends_at_a_declaration() {
    let lexed = lex("let a = \"\"\"x\ngraph b() -> int {\n");
    assert!(lexed.unclosed_triple);
    assert!(lexed.significant.iter().any(|token| token.kind == K::GraphKw));
    let lexed = lex("let a = \"\"\"x ${y\ngraph b() -> int {\n");
    assert!(lexed.unclosed_triple);
    assert_eq!(lexed.breaks.len(), 1);
    let over = lex("\"\"\"${`\ngraph f() -> int {\n`}");
    assert!(over.unclosed_triple);
    assert!(lex("\"\"\"x\n").unclosed_triple);
    assert!(lex("\"\"\"x ${\n").unclosed_triple);
}

#[test]
fn newlines_that_count() {
    assert_eq!(separated("a\nb"), ["b"]);
    assert_eq!(separated("a\n  |> b\n  .c\n + d\n - e\n catch"), [""; 0]);
    assert_eq!(separated("f(\na)\n(b)\n[c]"), ["(", "["]);
    assert_eq!(separated("a =\nb"), [""; 0]);
    assert_eq!(separated("x.in\nb"), ["b"]);
    assert_eq!(separated("a: int\nin: text\nwith: text"), ["in", "with"]);
    assert_eq!(separated("t?\nu"), ["u"]);
    assert_eq!(separated("\"a\"\n\"b\""), ["\""]);
    assert_eq!(separated("a // c\n\n /// d\n b"), ["b"]);
}

#[test]
fn foreign_marks() {
    assert_eq!(
        kinds("'a' `b` && || ! ; := === !== ++ += ..."),
        [
            K::SingleQuoted,
            K::BacktickQuoted,
            K::AmpAmp,
            K::BarBar,
            K::Bang,
            K::Semicolon,
            K::ColonEq,
            K::EqEqEq,
            K::NotEqEq,
            K::PlusPlus,
            K::PlusEq,
            K::DotDotDot
        ]
    );
    assert_eq!(kinds("a /* b */ c # d\ne"), [K::Lid, K::Lid, K::Lid]);
    let text = "let a = 1 /* one\n * two */\n";
    let fix = lex(text).errors.remove(0).fix.map(|fix| fix.apply(text));
    assert_eq!(fix.as_deref(), Some("let a = 1 // one\n// two\n"));
    assert_eq!(kinds("don't"), [K::Lid, K::Lid]);
    assert_eq!(lex("don't").errors.len(), 1);
    assert_eq!(lex("a\u{a0}b").errors.len(), 1);
}

#[test]
fn words_match_the_tables() {
    for &kind in crate::keywords::RESERVED.iter().chain(crate::keywords::CONTEXTUAL) {
        let text = kind.fixed_text().expect("words have a text");
        assert_eq!(kinds(text), [kind]);
    }
    for &kind in crate::keywords::CONTINUATIONS {
        assert!(super::continues(kind), "{kind:?}");
    }
}
