//! The newline rule, case by case: where a newline separates and where it is white space.

use super::{ARMS, BLOCK, EXPR, FILE, TYPE, check};

#[test]
fn newlines_that_separate() {
    // In braces: a statement ends where its line ends, unless the next line goes on.
    check(
        BLOCK,
        &[
            "a\nb",
            "a\n\n// c\n\nb",
            "a // c\nb",
            "f\n(a)",
            "f\n[a]",
            "a\n\"b\"",
            "a\nif b { }",
            "a\nfor b in c { }",
            "a\nnot b",
            "a\ntry b",
            "a\nfail b",
            "a\nlet max = b",
            "a\nmax",
            "a\nwhere",
            "let a = b\nas(c)",
            "a.in\nb",
            "a is _\nb",
            "a?.with\nb",
        ],
        &[
            "a b",
            "a, b",
            "let a = 1 let b = 2",
            "a; b",
            "a\n: b",
            "a {\n}",
            "let a\n: int = 1",
            "let a: Pair\n(b) = c",
            "let a: int\n? = c",
            "if a\n{ }",
            "if a { } else if b\n{ }",
            "for a in b\n{ }",
            "for a in b\nif c { }",
            "loop a = 1 max 2\n{ } else { }",
            "match a\n{ B => 1 }",
            "race 2\n{ a }",
            "a\n, b",
            "a\n) + b",
        ],
    );
    check(
        FILE,
        &[
            "use a\nuse b",
            "let a = b\n\n\nlet c = d",
            "type A = int\ntype B = A",
            "secret a\nsecret b",
        ],
        &[
            "record A\n{ }",
            "enum A\n{ }",
            "fn f()\n-> int\n{ }",
            "fn f\n() -> int { }",
            "session A\n{ }",
            "prompt p() -> text\n{ model m }",
            "test \"a\"\n{ }",
            "extern e() -> text from wasm\n\"x\"",
            "extern e() -> text does read\ndb from wasm \"x\"",
            "trigger t on a.b\n() { }",
            "model m needs\n(a: 1)\n(b: 2)",
            "record A { a: trusted\nint }",
            "record A { a\n: int }",
        ],
    );
}

#[test]
fn newlines_that_do_not() {
    // After a token that cannot end an expression or type, and before one that goes on.
    check(
        BLOCK,
        &[
            "let\na\n=\n1",
            "a\n|> f()",
            "a |>\nf()",
            "a\n- b",
            "a -\nb",
            "a\n+ b\n* c\n/ d\n% e",
            "a\n.b\n.c()",
            "a.\nb",
            "a\n?.b",
            "f()\nwith (a: 1)",
            "f() with\n(a: 1)",
            "f()\ncatch { _ => 1 }",
            "f() catch\n{ _ => 1 }",
            "f()\nundo { g() }",
            "if a { }\nelse { }",
            "if a { }\nelse\nif b { }\nelse\n{ }",
            "a\nand b\nor c",
            "a\nin b",
            "a\nis B",
            "a\n== b",
            "a\n!= b",
            "a\n< b",
            "a\n> b",
            "a\n<= b",
            "a\n>= b",
            "a\n?? b",
            "a\n?? fail\nb",
            "let a\n= b",
            "a is B\n| C",
            "not\na",
            "try\na",
            "fail\na",
            "done\na",
            "next\n(a: 1)",
            "if\na { }",
            "match\na { B => 1 }",
            "for\na\nin\nb\nmax\n3\nparallel\n4 { }",
            "loop\na = 1\n, b = 2\nmax\n3 { }\nelse { }",
            "race\n{ a\n, b }",
            "race\n2 { a, b }",
            "// c\na // c\n// c\n.b // c",
            "a\n/// doc\n+ b",
            "let a: Pair\n<b\n, c\n> = d",
            "let a: b\n.C\nwhere (d: 1) = e",
            "-1",
            "a -\n-1",
        ],
        &[
            "a\n- ",
            "a\n* * b",
            "a\n.1",
            "a\n|> |> b",
            "a is B\n- c",
            "a\nelse { }",
            "a\nwith (b: 1) c",
        ],
    );
    check(
        FILE,
        &[
            "use a\nas b",
            "pub\nfn\nf\n<T>(a: T)\n->\nint { }",
            "graph g()\n-> text\nin\nChat\ndoes\nread db\n, write db\nwith\n(a: 1) { }",
            "extern e() -> text\ndoes write a\nneeds approval\nwith (b: 1)\nfrom wasm \"x\"",
            "extern e() -> text from\nwasm \"x\"",
            "record A {\n a: text\n where (b: 1)\n = 2\n as \"c\"\n}",
            "record A {\n a: text\n where: text\n as: int\n with: int\n in: int\n}",
            "record A {\n a: text\n\n , b: text\n}",
            "enum A\n<T> {\n B\n , C }",
            "trigger t\non a.b()\nas c: D\nwith (e: 1) { }",
            "test \"a\" {\n stub f()\n => 1\n then 2\n after 3s\n}",
            "model a\nneeds (b: 1)",
            "record\nA { }",
            "secret\na",
        ],
        &["record A { a: int\n as b: int }", "extern e() -> text\nnope from wasm \"x\""],
    );
}

#[test]
fn newlines_in_brackets() {
    check(
        BLOCK,
        &[
            "f(\na\n,\nb: 1\n,\n)",
            "f(a\n(b)\n[c])",
            "(a\n- 1)",
            "(\na\n)",
            "[\n1\n,\n2\n]",
            "[a\n: 1]",
            "a[\n0\n]",
            "f(a\n: 1)",
            "(if a\n{ b })",
            "(match a\n{ B => 1 })",
            // The innermost bracket counts.
            "f(for a in b {\nc\nd\n})",
            "f(match a {\nB => 1\nC => 2\n})",
            "(for a in b { f(c\n(d)) })",
            "\"\"\"${\na\n(b)\n[c]\n}\"\"\"",
            "\"\"\"${match a {\nB => 1\n-1 => 2\n}\n}\"\"\"",
        ],
        &[
            "f(a\nb)",
            "[1\n2]",
            "(a\nb)",
            "f(for a in b { c d })",
            "f(for a in b { if c\n{ } })",
            "(a) b",
            "\"\"\"${a\nb}\"\"\"",
        ],
    );
    check(TYPE, &["[\na\n:\nb\n]", "[a\n?]", "Pair<a\n, b\n>"], &["Pair<a b>", "Pair<a\n?, b>"]);
    check(
        FILE,
        &["fn f(\n\na\n: int\n\n,\n\n/// doc\n\nstream\nb: int\n) -> int { }"],
        &["fn f(a: int\nb: int) -> int { }"],
    );
}

#[test]
fn newlines_in_arms() {
    check(
        ARMS,
        &[
            "1 => a\n-1 => b",
            "1 => a\n- 1 => b",
            "1 => a\n\n// c\n-1..2 => b\n-3 => c",
            "1 => a\n- b",
            "1 => a\n- b\n- 1 => c",
            "1 => a -1",
            "1 => a -\n1",
            "1 => (a\n- 1)",
            "1 => { a\n- 1 }",
            "1 => f(a\n-1)",
            "1 => a\n, 2 => b\n,\n-3 => c",
            "1 =>\na\n2\n=> b",
            "A\n| B => 1",
            "A |\nB => 1",
            "1 => match b {\n1 => c\n-1 => d\n}\n-1 => e",
            "1 => f() catch {\nA => 1\n-1 => 2\n}\n-1 => 3",
        ],
        &[
            "1 => a\n-1",
            "1 => a 2 => b",
            "1 => a\n(b)",
            "A\nif b => 1",
            "A if b\n-1 => c",
            "1 => { a\n-1 => b }",
            "1\n..2 => a",
            "A\n(b) => 1",
        ],
    );
    check(BLOCK, &["a\n-1"], &[]);
    check(EXPR, &["a catch {\nA => b\n-1 => c\n}"], &[]);
}
