//! The grammar held against tables: for every production, texts that are KAIT and texts that are
//! not. The newline rule has tables of its own.

mod newlines;

use std::path::Path;

use kait_grammar::accepts;

/// Holds a table, where each text is put into a frame.
fn check(frame: &str, good: &[&str], bad: &[&str]) {
    let mut wrong = Vec::new();
    for (texts, wanted) in [(good, true), (bad, false)] {
        for text in texts {
            let file = frame.replace('§', text);
            let result = accepts(&file);
            if result.is_ok() != wanted {
                wrong.push(format!("{file}\n   is {:?}\n", result.map_err(|e| e.to_string())));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

const FILE: &str = "§";
const EXPR: &str = "let v = §";
const TYPE: &str = "let v: § = x";
const BLOCK: &str = "fn f() -> int {\n§\n}";
const ARMS: &str = "let v = match x {\n§\n}";
const PATTERN: &str = "let v = match x { § => 1 }";
const TEST: &str = "test \"t\" {\n§\n}";
const PROMPT: &str = "prompt p() -> text {\n§\n}";

#[test]
fn the_programs_are_accepted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/programs");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "kait") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(accepts(&text), Ok(()), "{}", path.display());
        // A program with one bracket less is none.
        let at = text.rfind(['}', ')']).unwrap();
        assert!(accepts(&format!("{}{}", &text[..at], &text[at + 1..])).is_err());
        seen += 1;
    }
    assert!(seen >= 14, "only {seen} programs");
}

#[test]
fn files() {
    check(
        FILE,
        &[
            "",
            "\n\n",
            "// nothing",
            "//! What the file is for.\n\nmodel fast\n",
            "\u{FEFF}model fast",
            "model fast\r\nmodel smart\r\n",
            "  model fast",
            "model fast // comment\n/// doc\nmodel smart",
            "/// doc of nothing",
            "/// a\n/// b\npub /// c\nfn f() -> int { 1 }",
            "model fast /// trailing",
        ],
        &[
            "model fast model smart",
            "model fast, model smart",
            "model fast;",
            "f(x)",
            "{}",
            "pub",
            "/* no */ model fast",
            "# no\nmodel fast",
            "model fast\n\u{FEFF}model smart",
            "let x = 1 +",
            "}",
        ],
    );
}

#[test]
fn declarations() {
    check(
        FILE,
        &[
            "use acme.support",
            "use acme.support as support",
            "use mcp.in.type",
            "pub let a = 1",
            "let a: int = 1",
            "let Pair(a, second: _) = p",
            "let acme.Pair(a) = p",
            "record A {}",
            "record A<T, U> { a: T\n  b: U }",
            "record A { a: int, b: text, }",
            "record A {\n a: int,\n b: text\n c: bool\n}",
            "record A { /// d\n /// e\n a: int /// trailing\n /// of nothing\n }",
            "record A { type: text, in: int, let: bool, true: int, model: text as \"m\" }",
            "record A { a: text where (max_len: 4) = \"x\" as \"b\" }",
            "enum A {}",
            "enum A { B, C(a: int), D as \"d\", E(t: text) as \"e\" }",
            "enum A {\n B\n C,\n /// doc\n D\n}",
            "enum Option<T> { Some(value: T), None }",
            "type A = text where (pattern: r\"^a\\d$\")",
            "type A<T> = [T]",
            "model smart needs (tools: true, context: 64_000)",
            "model m needs ()",
            "secret s",
            "fn f() -> int { 1 }",
            "fn f<T>(a: T, b: int = 2,) -> T { a }",
            "fn f(/// doc\n a: int, /// doc\n b: int) -> int { a }",
            "graph g() -> none {}",
            "graph g() -> text in Chat does read db, write net \"a-b.com\", model with (cost: 1usd) { x }",
            "graph g() -> text does emit, read db.orders { x }",
            "extern e(stream s: text, stream: int) -> text from wasm \"p.wasm#f\"",
            "extern e() -> trusted text does write payments needs approval with (a: 1) from http \"POST u\"",
            "extern e() -> secret\n needs approval from native \"x\"",
            "session S { history: [Message] = [] }",
            "trigger t on schedule.cron(\"0 7 * * *\") { f() }",
            "trigger t on http.webhook(\"/h\", signature: s) as event: Event with (by: event.id) { f(event) }",
        ],
        &[
            "use Acme.support",
            "use acme.*",
            "use acme { a }",
            "let a",
            "let in = 1",
            "let true: int = 1",
            "let A = 1",
            "let _ = 1",
            "let a = b = c",
            "record a {}",
            "record A { a int }",
            "record A { a: int b: int }",
            "record A { a: int,, b: int }",
            "record A { , }",
            "record A",
            "record A { A: int }",
            "record A { a: int as b }",
            "enum A { b }",
            "enum A { B C }",
            "type A text",
            "type a = text",
            "model Fast",
            "model fast needs tools",
            "secret s = 1",
            "fn f() { 1 }",
            "fn f() -> int",
            "fn f -> int { 1 }",
            "fn f(a) -> int { 1 }",
            "fn f(a: int b: int) -> int { 1 }",
            "fn f(,) -> int { 1 }",
            "fn f<>() -> int { 1 }",
            "fn f() -> int in Chat { 1 }",
            "fn f() -> int does read db { 1 }",
            "fn return() -> int { 1 } x",
            "graph g() -> int with (a: 1) does read db { 1 }",
            "graph in() -> int { 1 }",
            "graph g() -> int does { 1 }",
            "extern e() -> text from \"x\"",
            "extern e() -> text from wasm \"x\" {}",
            "extern e() -> text from r\"x\"",
            "trigger t on a.b() as with: C { }",
            "extern e() -> text does needs approval from wasm \"x\"",
            "extern e() -> text does read from wasm \"x\" from wasm",
            "extern e() -> text with (a: 1) needs approval from wasm \"x\"",
            "session s { }",
            "trigger t on cron { f() }",
            "trigger t on a.b() as e { f() }",
        ],
    );
}

#[test]
fn prompts() {
    check(
        PROMPT,
        &[
            "model fast",
            "model fast with (temperature: 0.2)\nsystem \"a\"\nuser b\nassistant c\nmessages h",
            "user \"a\" + 1",
            "user [a, b]",
            "user (a)",
            "user -1",
            "user user",
            "system\n\"a\"",
            "tools []",
            "tools [web.search with (max_calls: 6), fetch,]",
            "tools [\n web.search\n with (a: 1)\n , fetch ]",
        ],
        &[
            "",
            "model fast, user x",
            "model fast user x",
            "user",
            "other x",
            "user: x",
            "let a = 1",
            "tools web.search",
            "tools [f()]",
            "tools [,]",
            "model fast.x",
        ],
    );
    check(
        FILE,
        &["agent a(q: text) -> T with (turns: 1, tokens: 2) {\n model m\n user q\n tools [f] }"],
        &["prompt p() -> text { }", "prompt p() { model m }", "agent A() -> text { model m }"],
    );
}

#[test]
fn tests_in_the_language() {
    check(
        TEST,
        &[
            "",
            "expect f() == 1",
            "expect not f() is Declined",
            "expect (a)",
            "expect -1 < a",
            "let x = f()\nx\nstub f => 1",
            "stub f(_, a: _) => \"x\" then fail Timeout then { let y = 1\n y } after 5s",
            "stub approve refund(_) => Approved(by: \"ada\")",
            "stub approve(_) => 1",
            "stub approve => 1",
            "stub clock.now() => 1 after 20ms\nstub B.C(x) => 1",
            "expect.f()",
            "stub.x",
            "f(stub: 1, expect: 2)",
            "stub f() => 1\n  then 2\n  after 3s\n  then 3",
            "stub f() => 1\nafter(x)",
        ],
        &[
            "expect",
            "stub f()",
            "stub f() = 1",
            "stub f() => 1 then",
            "stub f() => 1 after x",
            "stub f() => 1 after 1s after 1s",
            "stub f()() => 1",
            "expect a, expect b",
            "expect = 1",
            "stub approve expect x",
            "stub f() => 1\nthen == 2",
        ],
    );
    check(
        FILE,
        &["test \"t\" with (live: true, runs: 10) { }", "test r\"t\" { }"],
        &["test t { }", "test \"t\"", "test { }"],
    );
}

#[test]
fn types() {
    check(
        TYPE,
        &[
            "int",
            "none",
            "text?",
            "text ?",
            "[int]",
            "[text: [int]]",
            "[ text\n: int ]",
            "Ticket",
            "mail.Message",
            "a.b.C",
            "a.b",
            "Outcome.Ok",
            "Result<text>",
            "Pair<text, [int?]>?",
            "Result < Result<a> >",
            "trusted text",
            "secret trusted [untrusted int]",
            "secret",
            "trusted?",
            "[private: int]",
            "private.x",
            "text where (min_len: 1)",
            "[int] where (max: 7, unique: true)",
            "int? where ()",
            "trusted int where (min: 1)",
            "none?",
            "a.in.none",
        ],
        &[
            "",
            "int??",
            "int?.",
            "[int",
            "[]",
            "[:]",
            "{a: int}",
            "Result<>",
            "Result<a,>",
            "a<b",
            "(int)",
            "\"a\"",
            "1",
            "text where",
            "text where max: 1",
            "text where (a: 1) where (b: 1)",
            "none<int>",
            "A.B.C",
            "A.b",
            "in",
            "int trusted",
            "a | b",
        ],
    );
    // `>=` is one token.
    check(FILE, &["let v: A<int> = x"], &["let v: A<int>= x", "type A<T>= int"]);
}

#[test]
fn expressions() {
    check(
        EXPR,
        &[
            "a",
            "A",
            "a.b.c",
            "a.B",
            "a.B(1)",
            "a?.b",
            "a?.in",
            "a.let.true",
            "f()",
            "f(1)(2)",
            "a[0]",
            "a[0][1]",
            "f(x).y[z] with (retry: 1).w",
            "f() with (a: 1) with ()",
            "-1",
            "--1",
            "- - 1",
            "try f()",
            "try try f()",
            "-try f()",
            "not a",
            "not not a == b",
            "a + b - c",
            "a * b / c % d",
            "a+b",
            "a-b",
            "a -b",
            "a < b",
            "a<b",
            "a<-b",
            "a in b",
            "a in -b",
            "a is B(c: 1) | D",
            "a is none",
            "a and not b or c",
            "a ?? b ?? c",
            "a ?? fail \"x\"",
            "a ?? b ?? fail c",
            "a |> f() |> g(x)",
            "f() catch { _ => 1 }",
            "f() catch { A => 1 } catch { B => 2 }",
            "f() undo { g() } catch { _ => 1 }",
            "fail \"x\"",
            "fail fail x",
            "done v",
            "done fail x",
            "next()",
            "next(a: 1,)",
            "(a)",
            "((((a))))",
            "(fail x)",
            "[]",
            "[ ]",
            "[1]",
            "[1, 2,]",
            "[..a, 1, ..b]",
            "[..a]",
            "[.a, .b]",
            "[:]",
            "[ : ]",
            "[a: 1]",
            "[\"a\": 1, b: 2,]",
            "[true: 1, false: 2]",
            "[none: 1]",
            "[in: 1, if: 2]",
            "[fail: 1]",
            "[not: 1, match: 2, next: 3]",
            "[f(): 1]",
            "[[a: 1]: [b: 2]]",
            "f(a: 1, b: .c, .d, ..e, f)",
            "f(in: 1, with: 2, true: 3)",
            "f(a,)",
            "if a { 1 }",
            "if a { 1 } else { 2 }",
            "if a { } else if b { } else if c { } else { }",
            "if if a { b } else { c } { d }",
            "match a { A => 1 }",
            "match a { A => 1, B => 2, }",
            "match a { A if b => { }, C => 1 }",
            "for a in b { c }",
            "for Ok(a) in b if c max 3 parallel 4 { a }",
            "for [a, ..b] in c { }",
            "for max in max max max { max }",
            "loop a = 1 max 3 { next() } else { a }",
            "loop a: int = 1, b = 2 max n { } else { }",
            "race { a, b }",
            "race 2 { a, { b }, c, }",
            "race { fail x }",
            "f(for a in b { c }, if d { e })",
            "if a { b }.c",
            "true.x",
            "1.x",
            "model",
            "max",
            "type.model",
            "then + after",
            "a.b |> c.d",
            "session.save(a: b)",
            "f(a)(b: c)[d]?.e.F",
            "a // comment",
            "a /// doc",
            "a /\nb",
            "not (a) is b",
        ],
        &[
            "",
            "in",
            "let",
            "_",
            "f(a b)",
            "f(,)",
            "f(a,,)",
            "f(.a.b)",
            "f(a: )",
            "f(a = 1)",
            "a.",
            "a.1",
            "a..b",
            "a ? b : c",
            "a && b",
            "a || b",
            "!a",
            "a = b",
            "a == b == c",
            "a < b < c",
            "a is b is c",
            "a in b in c",
            "a == not b",
            "a + not b",
            "a ?? fail b ?? c",
            "a |> fail b",
            "try fail x",
            "not fail x",
            "a is",
            "a is 1 + 1",
            "a ++ b",
            "a - > b",
            "+1",
            "a->b",
            "a with b",
            "a with",
            "[",
            "[1 2]",
            "[,]",
            "[1,,2]",
            "[a: 1, 2]",
            "[1, a: 2]",
            "[: 1]",
            "[a:]",
            "[..a: 1]",
            "(a, b)",
            "()",
            "{ a }",
            "{}",
            "if a",
            "if a b",
            "if { }",
            "if a { } else",
            "if a { } else b",
            "match a { }",
            "match { A => 1 }",
            "match a { A -> 1 }",
            "match a { A => 1 B => 2 }",
            "match a { => 1 }",
            "for a { }",
            "for a in { }",
            "for in b { }",
            "for a in b parallel 2 max 3 { }",
            "for a in b",
            "for A.b in c { }",
            "loop a = 1 { } else { }",
            "loop max 3 { } else { }",
            "loop a = 1 max 3 { }",
            "loop a max 3 { } else { }",
            "race { }",
            "race { , }",
            "race { a b }",
            "race x { a }",
            "f() catch { }",
            "f() catch x",
            "f() undo x",
            "next",
            "next a",
            "done",
            "fail",
            "return a",
            "x -> y",
            "a => b",
            "fooBar",
            "Foo_bar",
            "a'b'",
            "a;",
            "a ? .b",
            "a . . b",
            "a.(b)",
            "@a",
            "$a",
            "#a",
            "ä",
            "a\\",
            "`a`",
            "nul\u{0}l",
            "f(_: 1)",
        ],
    );
}

#[test]
fn names_and_keywords() {
    check(
        BLOCK,
        &[
            "let model = 1",
            "let where = 1",
            "let _a = 1",
            "let a_1 = 1",
            "let letter = 1\niffy(letter)",
            "let record: int = 1\nrecord",
            "ifx",
            "nonesuch",
            "a.for.in.let",
        ],
        &[
            "let if = 1",
            "let in: int = 1",
            "loop next: int = 1 max 2 { } else { }",
            "let graph = 1",
            "let none: int = 1",
            "let 1a = 1",
            "let a-b = 1",
            "let aB = 1",
            "leta = 1",
            "for with in x { }",
            "loop next = 1 max 2 { } else { }",
            "in.x",
            "let a",
            "record A {}",
        ],
    );
    for word in kait_grammar::keywords().contextual {
        check(BLOCK, &[&format!("let {word} = 1\n{word}")], &[]);
    }
    for word in kait_grammar::keywords().reserved {
        let name = |form: &str| form.replace('§', word);
        check(BLOCK, &[&name("a.§"), &name("f(§: 1)")], &[&name("let § = 1")]);
        if !["true", "false", "none"].contains(&word) {
            check(EXPR, &[], &[&name("a + § * b")]);
        }
        check(FILE, &[&name("record A { §: int }")], &[&name("graph §() -> int { 1 }")]);
    }
}

#[test]
fn patterns() {
    check(
        PATTERN,
        &[
            "_",
            "a",
            "1",
            "-1",
            "- 1",
            "1..2",
            "-2 .. -1",
            "1.5..2.5",
            "5s",
            "\"a\"",
            "r\"a\"",
            "true",
            "none",
            "A",
            "A.B",
            "a.B",
            "a.B.C",
            "A()",
            "A(b, _)",
            "A(b: c, d: 1,)",
            "A(in: x)",
            "A(B(C))",
            "[]",
            "[a]",
            "[a, b]",
            "[a, ..]",
            "[a, ..b]",
            "[..]",
            "[..a]",
            "[[], [a]]",
            "A | B",
            "A|B|_",
            "A(b | c)",
            "1 | 2..3",
            "A if b",
            "A | B if c > 1",
        ],
        &[
            "", "1..", "..1", "1...2", "a..b", "-a", "a.b", "a.b.C", "A.B.C", "a(b)", "1(a)",
            "[a,]", "[..a, b]", "[..1]", "A(..b)", "A(b: )", "A(,)", "in", "a: A", "A |", "| A",
            "A || B", "{a}", "(a)", "a + 1", "f()", "-\"a\"", "if a",
        ],
    );
}

#[test]
fn numbers_and_texts() {
    check(
        EXPR,
        &[
            "0",
            "00",
            "1_000_000",
            "1.5",
            "1.0_5",
            "10ms",
            "1.5h",
            "2d",
            "64kb",
            "64mb",
            "1gb",
            "20.00usd",
            "5eur",
            "1.0.x",
            r#""""#,
            r#""a b""#,
            r#""\n\t\"\\\$\u{1F600}\u{0}\u{10FFFF}""#,
            r#""$a $ $$""#,
            r#""${a}""#,
            r#""a${b}c${d}""#,
            r#""${"${"a"}"}""#,
            r#""${ a }""#,
            r#""${for f in fs { "- ${f}" }}""#,
            r#""${[a: "}"]}""#,
            r#""$${a}""#,
            r#""{a}""#,
            "\"\"\"\n  a \"b\" \"\"c\n  ${d}\n  \"\"\"",
            "\"\"\"\"\"\"",
            "\"\"\"a\"\"\"",
            r#"r"\d${a}""#,
            "r\"\"\"a\n\"b\"\\\"\"\"",
            r#"r"""#,
            r#"f("a", r"b")"#,
            "\"\u{1F600}\t\"",
            "\"\"\"${match a {\n A => 1\n -1 => 2 }}\"\"\"",
            "1__0_",
            "\"a//b\"",
            r#""\u{00D7FF}""#,
        ],
        &[
            "1.",
            "1e5",
            "0x1F",
            "1k",
            "1kibi",
            "1min1",
            "1MB",
            "5USD",
            "5dollars",
            "1 000",
            "1,5",
            r#"""#,
            r#""a"#,
            "\"a\nb\"",
            r#""\q""#,
            r#""\r""#,
            r#""\u""#,
            r#""\u{}""#,
            r#""\u{110000}""#,
            r#""\u{D800}""#,
            r#""\u{00dfff}""#,
            r#""\u{1234567}""#,
            r#""\u0041""#,
            r#""${}""#,
            r#""${a""#,
            r#""${a b}""#,
            r#""${a}"#,
            r#""${let a = 1}""#,
            "\"\"\"a",
            "\"\"\"a\"\"",
            "\"\"\"\"\"\"\"",
            "r\"a\nb\"",
            "r\"a",
            r#""a" "b""#,
            r#"f"a""#,
            "'a'",
            "\"\\\n\"",
            "\"${a\nb}\"",
            "\"${\na}\"",
            "\"${f(a,\nb)}\"",
            "\"${a // c\n}\"",
            "\"${\"\"\"\n\"\"\"}\"",
            "\"${r\"\"\"\n\"\"\"}\"",
            "\"${[\"\"\"${\na}\"\"\"]}\"",
        ],
    );
}

#[test]
fn deep_nesting_is_linear() {
    for (open, close) in [("(", ")"), ("[", "]"), ("\"${", "}\""), ("f(a: ", ")"), ("[a: ", "]")] {
        for (depth, closed) in [(200, 200), (200, 199), (2_000, 2_000)] {
            let text = format!("let x = {}1{}", open.repeat(depth), close.repeat(closed));
            assert_eq!(accepts(&text).is_ok(), depth == closed, "{open} {depth}");
        }
    }
    let text = format!("let x = {}1{}", "if a { ".repeat(500), " } else { 2 }".repeat(500));
    assert_eq!(accepts(&text), Ok(()));
    for long in ["- ", "try ", "not ", "fail ", "a ?? ", "a + ", "a |> ", "if a { } else "] {
        let end = if long.ends_with("else ") { "{ }" } else { "a" };
        assert_eq!(accepts(&format!("let x = {}{end}", long.repeat(20_000))), Ok(()), "{long}");
    }
}

#[test]
fn what_no_stack_holds_is_refused_not_fatal() {
    let rejection = accepts(&format!("let x = {}", "(".repeat(300_000))).unwrap_err();
    assert_eq!(rejection.expected, ["stack limit reached"]);
    let long = " ".repeat(kait_grammar::MAX_LEN + 1);
    assert!(accepts(&long).unwrap_err().to_string().contains("at most"));
}

#[test]
fn a_rejection_says_where_and_what() {
    let rejection = accepts("let x = 1\nlet y = (é, 2)").unwrap_err();
    assert_eq!((rejection.line, rejection.col), (2, 10));
    let rejection = accepts("record A {\n  a int\n}").unwrap_err();
    assert_eq!((rejection.line, rejection.col), (2, 5));
    let rejection = accepts("fn f() -> { 1 }").unwrap_err();
    assert_eq!(rejection.expected, ["type"]);
}
