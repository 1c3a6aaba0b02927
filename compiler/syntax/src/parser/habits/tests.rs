//! Each habit gives its code, and its fix, applied, gives a text without errors.

mod cases;

use crate::codes::Code;
use crate::{Severity, parse};
use cases::Habits;

/// Each text gives its one error, and its fix the text that the table says.
fn check(habits: &Habits) {
    let place = habits.place;
    for &(source, code, fixed) in habits.cases {
        let text = place.replace("@", source);
        let result = parse(&text);
        let codes: Vec<_> = result.errors.iter().map(|error| error.code).collect();
        assert_eq!(codes, [code], "{text}\n{:?}", result.errors);
        let error = &result.errors[0];
        let applied = error.fix.as_ref().map(|fix| fix.apply(&text));
        assert_eq!(applied, fixed.map(|fixed| place.replace("@", fixed)), "{text}\n{error:?}");
        if let Some(applied) = applied {
            let again = parse(&applied);
            assert!(again.errors.is_empty(), "{applied}\n{:?}", again.errors);
        }
        assert!(
            error.fix.is_some() || error.help.is_some() || error.related.is_some(),
            "{error:?}"
        );
    }
}

#[test]
fn in_blocks() {
    check(&cases::BLOCKS);
}

#[test]
fn the_first_mistake_is_named_where_it_is() {
    for (text, code, at) in [
        (
            "fn a() -> text {\n  \"\"\"abc\n}\n\nfn b() -> text { \"x\" }\n",
            Code::UnclosedText,
            "\"\"\"",
        ),
        ("fn a() -> int {\n  if b\n    1\n}\n\nfn c() -> int { 1 }\n", Code::Unexpected, ""),
        (
            "fn a() -> int {\n  if b {\n    1\n}\n\nfn c() -> int { 1 }\n",
            Code::UnclosedBracket,
            "{",
        ),
    ] {
        let errors = parse(text).errors;
        assert_eq!(errors.len(), 1, "{text}\n{errors:?}");
        let range = errors[0].range;
        assert_eq!((errors[0].code, &text[range]), (code, at), "{text}");
    }
}

#[test]
fn names_keep_apart_and_fields_their_wire() {
    check(&cases::NAMES);
    // Externs and parts of variants are never used by their bare name.
    assert!(
        parse("extern f(in: int) -> int from wasm \"a\"\nenum E { A(in: int) }\n")
            .errors
            .is_empty()
    );
    let shebang = "#!/usr/bin/env kait\nlet a = 1\n";
    assert!(parse(shebang).errors.is_empty());
    assert_eq!(parse(&format!("\n{shebang}")).errors.len(), 1);
}

#[test]
fn in_expressions() {
    check(&cases::EXPRESSIONS);
}

#[test]
fn in_declarations() {
    check(&cases::DECLARATIONS);
}

#[test]
fn warnings_do_not_refuse() {
    let result = parse("/// nothing\n\n// a\u{202e}\n");
    let codes: Vec<_> = result.errors.iter().map(|error| error.code).collect();
    assert_eq!(codes, [Code::MisplacedDoc, Code::BidiControl]);
    assert!(result.errors.iter().all(|error| error.severity() == Severity::Warning));
    assert!(!result.has_errors());
}

#[test]
fn a_foreign_word_that_a_for_goes_through_is_a_name() {
    for clauses in ["max 3", "parallel 3", "max // so many\n  3", "max\n  most", "\n  max 3"] {
        let text = format!("graph f() -> none {{\n  for x in return {clauses} {{ g(x) }}\n}}\n");
        assert!(parse(&text).errors.is_empty(), "{text}");
    }
    // A block that begins so is none.
    assert!(!parse("graph f() -> int {\n  return max\n}\n").errors.is_empty());
}

#[test]
fn foreign_names_have_codes() {
    for name in ["null", "None", "True", "return", "await", "break", "while", "switch"] {
        assert!(super::foreign_name(name).is_some(), "{name}");
        // They are well-formed: only whoever resolves names can tell.
        assert!(parse(&format!("let a = {name}\n")).errors.is_empty(), "{name}");
    }
    assert!(super::foreign_name("draft").is_none());
}
