//! Habits of other languages, the code of each, and what its fix makes of it. Data only: the tests of the whole system
//! read these texts, too.

use super::Code::{self, *};

/// A place of a program, and what is written there out of habit.
pub struct Habits {
    /// The program; `@` is where the texts go.
    pub place: &'static str,
    /// A text, the code of its one error, and the text after the fix (none if there is no fix).
    pub cases: &'static [(&'static str, Code, Option<&'static str>)],
}

/// Statements of a block.
pub const BLOCKS: Habits = Habits {
    place: "graph g() -> int {\n  @\n}\n",
    cases: &[
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
        ("if a { 1 } elif b { 2 } else { 3 }", Elif, Some("if a { 1 } else if b { 2 } else { 3 }")),
        ("if a = 1 { b }", AssignInCondition, Some("if a == 1 { b }")),
        ("if a === 1 { b }", Equality, Some("if a == 1 { b }")),
        ("if a !== 1 { b }", Equality, Some("if a != 1 { b }")),
        ("if !a { b }", LogicOperator, Some("if not a { b }")),
        ("match a { B -> 1 }", ArrowKind, Some("match a { B => 1 }")),
        ("match a {\n    B: 1\n  }", ArrowKind, Some("match a {\n    B => 1\n  }")),
        ("match a { else => 1 }", DefaultArm, Some("match a { _ => 1 }")),
        (
            "match a {\n  1 => 2\n  else => 1\n}",
            DefaultArm,
            Some("match a {\n  1 => 2\n  _ => 1\n}"),
        ),
        (
            "match a {\n  1 => if b { 2 }\n  else => 1\n}",
            DefaultArm,
            Some("match a {\n  1 => if b { 2 }\n  _ => 1\n}"),
        ),
        ("match a { case B => 1 }", Switch, Some("match a { B => 1 }")),
        ("let a: int", LetWithoutValue, None),
        ("R { a: 1 }", RecordLiteral, Some("R(a: 1)")),
        ("def f(x) { x }", FunctionWord, None),
        ("fn f(x: int) -> int { x }", FunctionWord, None),
        ("if a\n  { b }", BraceOnNextLine, Some("if a { b }")),
        ("throw Failed", Return, Some("fail Failed")),
        ("throw new Error(\"no\")", Return, Some("fail \"no\"")),
        ("raise ValueError(\"no ${a}\")", Return, Some("fail \"no ${a}\"")),
        ("let a int = 1", ParameterType, Some("let a: int = 1")),
        ("let int a = 1", ParameterType, Some("let a: int = 1")),
        ("if a then b else c", Ternary, Some("if a { b } else { c }")),
        ("a if b else c", Ternary, Some("if b { a } else { c }")),
        ("[a for x in xs if b]", Lambda, Some("for x in xs if b { a }")),
        ("let a = b = 1", AssignInCondition, Some("let a = b == 1")),
        ("session.a = b + 1", ColonForEquals, Some("session.save(a: b + 1)")),
        ("session.a += 2", Mutation, Some("session.save(a: session.a + 2)")),
        ("expect a == 1", Unexpected, None),
        ("for i in 0..n { i }", Unexpected, Some("for i in list.range(0, to: n - 1) { i }")),
        ("if a { return 1 }\n  2", Return, Some("if a { 1 } else {\n  2\n}")),
        ("0xff", BadNumber, Some("255")),
        ("\"\\x41\"", BadEscape, Some("\"\\u{41}\"")),
        ("let total = 0\n  total = total + 1", Mutation, None),
        ("let match = 3\n  match + 1", ReservedWord, Some("let match_ = 3\n  match_ + 1")),
        (
            "for loop in xs {\n    f(loop, in: loop)\n  }",
            ReservedWord,
            Some("for loop_ in xs {\n    f(loop_, in: loop_)\n  }"),
        ),
        ("match a { done => done }", ReservedWord, Some("match a { done_ => done_ }")),
        ("for x in xs\n    x", Unexpected, None),
        ("for x in xs\n    if x > 1 { x }", BraceOnNextLine, Some("for x in xs if x > 1 { x }")),
    ],
};

/// Names in the wrong case, reserved words as names, fields whose wire name stays.
pub const NAMES: Habits = Habits {
    place: "@\n",
    cases: &[
        ("record myRec { a: int }", UpperCase, Some("record MyRec { a: int }")),
        (
            "let MAX_ITEMS = 3\nfn f() -> int { MAX_ITEMS }",
            LowerCase,
            Some("let max_items = 3\nfn f() -> int { max_items }"),
        ),
        (
            "fn f(myVal: int, my_val: int) -> int { myVal + my_val }",
            LowerCase,
            Some("fn f(my_val_2: int, my_val: int) -> int { my_val_2 + my_val }"),
        ),
        (
            "record R { orderId: text = \"a\", b: int }\nfn f(r: R) -> text { r.orderId }",
            LowerCase,
            Some(
                "record R { order_id: text = \"a\" as \"orderId\", b: int }\nfn f(r: R) -> text { r.order_id }",
            ),
        ),
        ("record R { iD: int as \"i\" }", LowerCase, Some("record R { i_d: int as \"i\" }")),
        (
            "record R { a: text as \"x\" = \"y\" }",
            Unexpected,
            Some("record R { a: text = \"y\" as \"x\" }"),
        ),
        (
            "graph f(in: int) -> int { in + 1 }",
            ReservedWord,
            Some("graph f(in_: int) -> int { in_ + 1 }"),
        ),
    ],
};

/// Expressions.
pub const EXPRESSIONS: Habits = Habits {
    place: "let x = @\n",
    cases: &[
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
        ("list.map(xs, x => x + 1)", Lambda, Some("for x in xs { x + 1 }")),
        ("a.xs.map(x => f(x))", Lambda, Some("for x in a.xs { f(x) }")),
        ("xs.filter(x => x > 1)", Lambda, Some("for x in xs if x > 1 { x }")),
        ("xs.map(x => x).length", Lambda, None),
        ("f\"hi {name}, {{a}} ${b}\"", FString, Some("\"hi ${name}, {a} ${b}\"")),
        ("'it\\'s'", Quotes, Some("\"it's\"")),
        ("f(a, name = 1)", NamedArgument, Some("f(a, name: 1)")),
        ("f(...a)", Spread, Some("f(..a)")),
        ("a ? b : c", Ternary, Some("if a { b } else { c }")),
        ("a < b < c", ChainedComparison, Some("a < b and b < c")),
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
};

/// Declarations.
pub const DECLARATIONS: Habits = Habits {
    place: "@\n",
    cases: &[
        ("def f(a: int) -> int { a }", FunctionWord, Some("graph f(a: int) -> int { a }")),
        ("async graph f() -> int { 1 }", Async, Some("graph f() -> int { 1 }")),
        ("export graph f() -> int { 1 }", ForeignDeclaration, Some("pub graph f() -> int { 1 }")),
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
};
