//! Each habit gives its code, and its fix, applied, gives a text without errors.

use crate::codes::Code;
use crate::{Severity, parse};

/// A text, the code of its one error, and the text after the fix (none if there is no fix).
fn check(place: &str, cases: &[(&str, Code, Option<&str>)]) {
    for &(source, code, fixed) in cases {
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
    use Code::*;
    check(
        "graph g() -> int {\n  @\n}\n",
        &[
            ("return a + 1", Return, Some("a + 1")),
            ("const a = 1", Const, Some("let a = 1")),
            ("var a: int = 1", Const, Some("let a: int = 1")),
            ("let mut a = 1", Mutation, Some("let a = 1")),
            ("a = 1", ColonForEquals, Some("let a = 1")),
            ("a := 1", ColonForEquals, Some("let a = 1")),
            ("let a := 1", ColonForEquals, Some("let a = 1")),
            ("a: 1", ColonForEquals, Some("let a = 1")),
            ("a: int = 1", ColonForEquals, Some("let a: int = 1")),
            ("a += 1", Mutation, None),
            ("a++", Mutation, None),
            ("f();", Semicolon, Some("f()")),
            ("f(); g()", Semicolon, Some("f()\n  g()")),
            ("while a { b }", While, None),
            ("switch a { B => 1 }", Switch, Some("match a { B => 1 }")),
            ("await f()", Async, Some("f()")),
            ("let a = await f()", Async, Some("let a = f()")),
            (
                "if a { 1 } elif b { 2 } else { 3 }",
                Elif,
                Some("if a { 1 } else if b { 2 } else { 3 }"),
            ),
            ("if a = 1 { b }", AssignInCondition, Some("if a == 1 { b }")),
            ("if a === 1 { b }", Equality, Some("if a == 1 { b }")),
            ("if a !== 1 { b }", Equality, Some("if a != 1 { b }")),
            ("if !a { b }", LogicOperator, Some("if not a { b }")),
            ("match a { B -> 1 }", ArrowKind, Some("match a { B => 1 }")),
            ("match a {\n    B: 1\n  }", ArrowKind, Some("match a {\n    B => 1\n  }")),
            ("match a { else => 1 }", DefaultArm, Some("match a { _ => 1 }")),
            ("match a { case B => 1 }", Switch, Some("match a { B => 1 }")),
            ("let a: int", LetWithoutValue, None),
            ("R { a: 1 }", RecordLiteral, Some("R ( a: 1 )")),
            ("def f(x) { x }", FunctionWord, None),
            ("fn f(x: int) -> int { x }", FunctionWord, None),
            ("if a\n  { b }", BraceOnNextLine, Some("if a { b }")),
            ("throw Failed", Return, Some("fail Failed")),
        ],
    );
}

#[test]
fn in_expressions() {
    use Code::*;
    check(
        "let x = @\n",
        &[
            ("a && b", LogicOperator, Some("a and b")),
            ("a || b", LogicOperator, Some("a or b")),
            ("!a", LogicOperator, Some("not a")),
            ("'it'", Quotes, Some("\"it\"")),
            ("'say \"a\"'", Quotes, Some("\"say \\\"a\\\"\"")),
            ("`a ${b}`", Quotes, Some("\"a ${b}\"")),
            ("\u{201c}a\u{201d}", Quotes, Some("\"a\"")),
            ("f\"a\"", FString, Some("\"a\"")),
            ("f(x => x + 1)", Lambda, None),
            ("f(|a| a)", Lambda, None),
            ("f(a, name = 1)", NamedArgument, Some("f(a, name: 1)")),
            ("f(...a)", Spread, Some("f(..a)")),
            ("a ? b : c", Ternary, Some("if a { b } else { c }")),
            ("a < b < c", ChainedComparison, None),
            ("{ \"a\": 1 }", RecordLiteral, Some("[ \"a\": 1 ]")),
            ("new R(a: 1)", RecordLiteral, Some("R(a: 1)")),
            ("5seconds", BadNumber, Some("5s")),
            ("\"\\d\"", BadEscape, Some("\"\\\\d\"")),
            ("1 /* one */", CommentStyle, Some("1 // one")),
            ("1 # one", CommentStyle, Some("1 // one")),
            ("\"a", UnclosedText, Some("\"a\"")),
            ("\"a ${b", UnclosedText, Some("\"a ${b}\"")),
            ("f(a", UnclosedBracket, None),
            ("f(a]", StrayCloser, Some("f(a)")),
            ("a @ b", UnknownCharacter, None),
            ("userName", LowerCase, Some("user_name")),
        ],
    );
}

#[test]
fn in_declarations() {
    use Code::*;
    check(
        "@\n",
        &[
            ("def f(a: int) -> int { a }", FunctionWord, Some("graph f(a: int) -> int { a }")),
            ("async graph f() -> int { 1 }", Async, Some("graph f() -> int { 1 }")),
            (
                "export graph f() -> int { 1 }",
                ForeignDeclaration,
                Some("pub graph f() -> int { 1 }"),
            ),
            ("struct R { a: int }", ForeignDeclaration, Some("record R { a: int }")),
            ("type R { a: int }", ForeignDeclaration, Some("record R { a: int }")),
            ("type R = { a: int }", ForeignDeclaration, Some("record R { a: int }")),
            ("import a.b", ForeignDeclaration, Some("use a.b")),
            ("const a = 1", Const, Some("let a = 1")),
            ("a = 1", ColonForEquals, Some("let a = 1")),
            ("graph f() => int { 1 }", ArrowKind, Some("graph f() -> int { 1 }")),
            ("graph f(): int { 1 }", ArrowKind, Some("graph f() -> int { 1 }")),
            ("graph f(text a) -> int { 1 }", ParameterType, Some("graph f(a: text) -> int { 1 }")),
            ("record R { a: text[] }", TypeForm, Some("record R { a: [text] }")),
            ("graph f() -> int\n{ 1 }", BraceOnNextLine, Some("graph f() -> int { 1 }")),
            ("record r { a: int }", UpperCase, Some("record R { a: int }")),
            (
                "graph F() -> int { 1 }\nlet a = F()",
                LowerCase,
                Some("graph f() -> int { 1 }\nlet a = f()"),
            ),
            ("let match = 1", ReservedWord, Some("let match_ = 1")),
            ("grpah f() -> int { 1 }", Unexpected, Some("graph f() -> int { 1 }")),
            ("model a model b", MissingNewline, None),
            (
                "prompt p() -> text {\n  user: \"a\"\n}",
                ColonForEquals,
                Some("prompt p() -> text {\n  user \"a\"\n}"),
            ),
            ("graph f -> int { 1 }", Unexpected, Some("graph f() -> int { 1 }")),
        ],
    );
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
fn foreign_names_have_codes() {
    for name in ["null", "None", "True", "return", "await", "break", "while", "switch"] {
        assert!(super::foreign_name(name).is_some(), "{name}");
        // They are well-formed: only whoever resolves names can tell.
        assert!(parse(&format!("let a = {name}\n")).errors.is_empty(), "{name}");
    }
    assert!(super::foreign_name("draft").is_none());
}
