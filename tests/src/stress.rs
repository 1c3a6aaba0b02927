//! Texts that nobody writes and that must still be answered: nested without end, of millions of bytes, with a hundred
//! thousand mistakes. Each is made for any size, so that a short run tries small ones.
//!
//! A text is held against what an ordinary program of the same run takes for as many bytes: whatever is not linear
//! exceeds that by far at these sizes. No absolute time is judged.

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use kait_compiler::diagnostics::render::terminal;
use kait_compiler::sources::MemorySources;
use kait_compiler::{Cache, compile, fmt};
use kait_ide::Analysis;

use crate::sources::{self, Source};

/// A family of texts.
#[derive(Clone, Copy)]
pub struct Case {
    /// Its name in reports and on the command line.
    pub name: &'static str,
    /// How many pieces the full size has.
    pub full: usize,
    /// The text with so many pieces.
    pub make: fn(usize) -> String,
}

/// Something that is done with every text.
#[derive(Clone, Copy)]
pub struct Pass {
    /// Its name in reports.
    pub name: &'static str,
    /// Does it.
    pub run: fn(&Arc<str>),
}

/// The name of the text in findings.
const NAME: &str = "stress.kait";

/// All passes.
pub const PASSES: &[Pass] = &[
    Pass { name: "check", run: check },
    Pass { name: "format", run: format },
    Pass { name: "ide", run: ide },
];

/// What `kait check` does: every finding, as it is shown.
fn check(text: &Arc<str>) {
    let compiled = compile(&MemorySources::single(NAME, Arc::clone(text)), &[NAME]);
    let shown =
        terminal::render(&compiled.diagnostics, &compiled.files, terminal::Style::default());
    assert_eq!(shown.is_empty(), compiled.diagnostics.is_empty(), "what is found is shown");
}

fn format(text: &Arc<str>) {
    let parse = kait_syntax::parse_shared(Arc::clone(text));
    if let Ok(formatted) = fmt::format(&parse) {
        assert!(!kait_syntax::parse(&formatted).has_errors(), "what is formatted is a program");
    }
}

/// What an editor asks for after opening a file, and after the next keystroke.
fn ide(text: &Arc<str>) {
    let mut cache = Cache::new();
    let typed: Arc<str> = format!("{text}\nmodel typed\n").into();
    for text in [text, &typed] {
        let sources = MemorySources::single(NAME, Arc::clone(text));
        let analysis = Analysis::with_cache(&sources, &[NAME], &mut cache);
        let file = analysis.file(NAME);
        assert!(file.is_some(), "the file was read");
        let found = file.map_or(0, |file| analysis.diagnostics(file).count());
        assert!(found <= analysis.compilation().diagnostics.len());
    }
}

/// What a program is while it is written: every beginning of it, and it without each of its tokens, and with each twice.
pub fn edits(text: &str) -> impl Iterator<Item = String> {
    let beginnings = text.char_indices().map(|(at, _)| text[..at].to_owned());
    let tree = kait_syntax::parse(text).tree;
    let tokens: Vec<_> = tree.tokens().map(|token| Range::<usize>::from(token.range())).collect();
    beginnings.chain(tokens.into_iter().flat_map(|Range { start, end }| {
        [[&text[..start], &text[end..]].concat(), [&text[..end], &text[start..]].concat()]
    }))
}

/// The programs that are edited: examples, acceptance programs, the standard library.
///
/// # Errors
/// A file cannot be read.
pub fn programs() -> std::io::Result<Vec<Source>> {
    let mut all = sources::kait()?;
    let folders = ["examples/", "tests/corpus/programs/", "stdlib/"];
    all.retain(|source| {
        source.name.ends_with(".kait") && folders.iter().any(|f| source.name.starts_with(f))
    });
    Ok(all)
}

/// An ordinary text of at least so many bytes: what the others are compared with.
#[must_use]
pub fn ordinary(bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 1024);
    let mut count = 0;
    while text.len() < bytes {
        count += 1;
        let _ = write!(
            text,
            "/// Number {count}.\nrecord R{count} {{\n  a: int where (min: 0)\n  b: [text]\n}}\n\n\
             fn f{count}(r: R{count}, n: int) -> int {{\n  let m = r.a + n * 2\n  \
             if m > 10 {{ m }} else {{ list.length(r.b) }}\n}}\n\n\
             test \"{count}\" {{\n  expect f{count}(R{count}(a: 1, b: [\"x\"]), n: 2) == 1\n}}\n\n"
        );
    }
    text
}

/// The seconds that a pass takes for a text.
pub fn seconds(pass: &Pass, text: &Arc<str>) -> f64 {
    let start = Instant::now();
    (pass.run)(text);
    start.elapsed().as_secs_f64()
}

/// `open` and `close` so many times around `middle`, behind `before`.
fn nested(before: &str, open: &str, middle: &str, close: &str, n: usize) -> String {
    [before, &open.repeat(n), middle, &close.repeat(n), "\n"].concat()
}

/// `n` numbered pieces between a start and an end.
fn numbered(before: &str, n: usize, piece: impl Fn(usize) -> String, after: &str) -> String {
    let mut text = before.to_owned();
    for i in 0..n {
        text.push_str(&piece(i));
    }
    text.push_str(after);
    text
}

/// Letters for a number, so that names differ in more than their end.
fn word(mut n: usize) -> String {
    let mut word = String::new();
    loop {
        word.insert(0, char::from(b'a' + u8::try_from(n % 26).unwrap_or(0)));
        n /= 26;
        if n == 0 {
            return word;
        }
    }
}

macro_rules! cases {
    ($( $name:literal $full:literal $make:expr; )*) => {
        &[ $( Case { name: $name, full: $full, make: $make }, )* ]
    };
}

/// All families: nesting, sizes, mistakes, characters.
pub const CASES: &[Case] = cases! {
    "nested-parens" 100_000 |n| nested("let x = ", "(", "1", ")", n);
    "nested-parens-unclosed" 100_000 |n| nested("let x = ", "(", "1", "", n);
    "nested-closers" 100_000 |n| nested("let x = ", "", "1", ")", n);
    "nested-lists" 100_000 |n| nested("let x = ", "[", "1", "]", n);
    "nested-lists-unclosed" 100_000 |n| nested("let x = ", "[", "1", "", n);
    "nested-maps" 100_000 |n| nested("let x = ", "[1: ", "1", "]", n);
    "nested-records" 100_000 |n| nested("record A {\n  a: A?\n}\nlet x = ", "A(a: ", "none", ")", n);
    "nested-calls" 100_000 |n| nested("fn f(a: int) -> int { a }\nlet x = ", "f(", "1", ")", n);
    "nested-calls-unclosed" 100_000 |n| nested("let x = ", "f(", "1", "", n);
    "nested-ifs" 100_000 |n| nested("fn f() -> int { ", "if true { ", "1", " } else { 1 }", n) + "}\n";
    "nested-ifs-unclosed" 100_000 |n| nested("fn f() -> int { ", "if true {\n", "1", "", n);
    "nested-else-ifs" 100_000 |n| nested("fn f(a: int) -> int { ", "if a == 1 { 1 } else ", "{ 2 }", "", n) + "}\n";
    "nested-matches" 100_000 |n| nested("fn f() -> int { ", "match 1 { _ => ", "1", " }", n) + "}\n";
    "nested-matches-unclosed" 100_000 |n| nested("fn f() -> int { ", "match 1 {\n_ => ", "1", "", n);
    "nested-fors" 100_000 |n| nested("fn f() -> int { ", "for a in [1] { ", "1", " }", n) + "}\n";
    "nested-loops" 100_000 |n| nested("fn f() -> int { ", "loop a = 1 max 2 { ", "done 1", " } else { 1 }", n) + "}\n";
    "nested-races" 100_000 |n| nested("graph f() -> int { ", "race { ", "1", " }", n) + "}\n";
    "nested-blocks" 100_000 |n| nested("fn f() -> int ", "{", "1", "}", n);
    "nested-templates" 100_000 |n| nested("let x = ", "\"${", "1", "}\"", n);
    "nested-templates-unclosed" 100_000 |n| nested("let x = ", "\"${", "1", "", n);
    "nested-triple-templates" 100_000 |n| nested("let x = ", "\"\"\"${", "1", "}\"\"\"", n);
    "nested-types" 100_000 |n| nested("fn f(a: ", "[", "int", "]", n) + ") -> int { 1 }\n";
    "nested-map-types" 100_000 |n| nested("type A = ", "[int: ", "int", "]", n);
    "nested-optionals" 100_000 |n| nested("type A = int", "?", "", "", n);
    "nested-generics" 100_000 |n| nested("record T<A> {\n  a: A\n}\ntype B = ", "T<", "int", ">", n);
    "nested-qualifiers" 100_000 |n| nested("type A = ", "trusted ", "int", "", n);
    "nested-refinements" 100_000 |n| nested("type A = int", " where (min: 1)", "", "", n);
    "nested-patterns" 100_000 |n| nested("fn f(a: int) -> int { match a { ", "[", "b", "]", n) + " => 1 } }\n";
    "nested-variant-patterns" 100_000 |n| nested("fn f(a: int) -> int { match a { ", "A(", "b", ")", n) + " => 1 } }\n";
    "nested-nots" 100_000 |n| nested("let x = ", "not ", "true", "", n);
    "nested-minuses" 100_000 |n| nested("let x = ", "- ", "1", "", n);
    "nested-tries" 100_000 |n| nested("graph f() -> int { ", "try ", "1", "", n) + "}\n";
    "nested-fails" 100_000 |n| nested("graph f() -> int { ", "fail ", "1", "", n) + "}\n";
    "nested-catches" 100_000 |n| nested("graph f() -> int { 1", " catch { _ => 1 }", "", "", n) + "}\n";
    "nested-undos" 100_000 |n| nested("graph f() -> int { 1", " undo { 1 }", "", "", n) + "}\n";
    "nested-withs" 100_000 |n| nested("graph f() -> int { f()", " with (key: \"a\")", "", "", n) + "}\n";
    "nested-comments" 100_000 |n| nested("", "/* ", "", " */", n);
    "nested-comments-unclosed" 100_000 |n| nested("", "/* ", "", "", n);
    "chain-plus" 100_000 |n| nested("let x = 1", " + 1", "", "", n);
    "chain-and" 100_000 |n| nested("let x = true", " and true", "", "", n);
    "chain-coalesce" 100_000 |n| nested("let x = none", " ?? 1", "", "", n);
    "chain-fields" 100_000 |n| nested("let x = a", ".b", "", "", n);
    "chain-optional-fields" 100_000 |n| nested("let x = a", "?.b", "", "", n);
    "chain-indexes" 100_000 |n| nested("let x = a", "[0]", "", "", n);
    "chain-calls" 100_000 |n| nested("let x = a", "(1)", "", "", n);
    "chain-pipes" 100_000 |n| nested("fn f(a: int) -> int { a }\nlet x = 1", " |> f()", "", "", n);
    "chain-is" 100_000 |n| nested("let x = 1", " is 1", "", "", n);
    "chain-comparisons" 100_000 |n| nested("let x = 1", " < 1", "", "", n);
    "chain-dots" 1_000_000 |n| nested("let x = a", ".", "", "", n);

    "size-list-on-one-line" 2_000_000 |n| numbered("let x = [", n, |i| format!("{},", i % 999), "]\n");
    "size-list-on-many-lines" 1_000_000 |n| numbered("let x = [\n", n, |i| format!("  {},\n", i % 999), "]\n");
    "size-empty-lines" 10_000_000 |n| nested("", "\n", "", "", n);
    "size-carriage-returns" 10_000_000 |n| nested("", "\r", "", "", n);
    "size-blanks" 10_000_000 |n| nested("", " ", "", "", n);
    "size-string" 10_000_000 |n| nested("let x = \"", "a", "", "", n) + "\"\n";
    "size-string-unclosed" 10_000_000 |n| nested("let x = \"", "a", "", "", n);
    "size-triple-string" 300_000 |n| nested("let x = \"\"\"\n", "  a line of a long text \"quoted\"\n", "", "", n) + "  \"\"\"\n";
    "size-triple-string-unclosed" 300_000 |n| nested("let x = \"\"\"\n", "  a line of a long text \"quoted\"\n", "", "", n);
    "size-escapes" 5_000_000 |n| nested("let x = \"", "\\n", "", "", n) + "\"\n";
    "size-bad-escapes" 1_000_000 |n| nested("let x = \"", "\\q", "", "\"", 0) + &nested("let y = \"", "\\q", "", "", n);
    "size-template" 1_000_000 |n| nested("let y = 1\nlet x = \"", "a ${y} ", "", "", n) + "\"\n";
    "size-quotes" 3_000_000 |n| nested("let x = ", "\"", "", "", n);
    "size-comment" 10_000_000 |n| nested("// ", "a", "", "", n);
    "size-comments" 1_000_000 |n| nested("", "// a\n", "", "", n);
    "size-docs" 1_000_000 |n| nested("", "/// a\n", "model a", "", n);
    "size-stray-docs" 1_000_000 |n| nested("model a\n", "/// a\n", "", "", n);
    "size-file-docs" 1_000_000 |n| nested("", "//! a\n", "", "", n);
    "size-identifier" 10_000_000 |n| nested("model ", "a", "", "", n);
    "size-number" 10_000_000 |n| nested("let x = ", "1", "", "", n);
    "size-models" 1_000_000 |n| numbered("", n, |i| format!("model m{i}\n"), "");
    "size-constants" 300_000 |n| numbered("", n, |i| format!("let c{i} = {i}\n"), "");
    "size-functions" 200_000 |n| numbered("", n, |i| format!("fn f{i}() -> int {{ {i} }}\n"), "");
    "size-tests" 100_000 |n| numbered("", n, |i| format!("test \"{i}\" {{\n  expect true\n}}\n"), "");
    "size-fields" 100_000 |n| numbered("record R {\n", n, |i| format!("  f{i}: int\n"), "}\n");
    "size-field-arguments" 100_000 |n| numbered("record R {\n", n, |i| format!("  f{i}: int\n"), "}\n") + &numbered("let x = R(", n, |i| format!("f{i}: 1,\n"), ")\n");
    "size-session-fields" 100_000 |n| numbered("session S {\n", n, |i| format!("  f{i}: int = 1\n"), "}\n");
    "size-variants" 100_000 |n| numbered("enum E {\n", n, |i| format!("  V{i}\n"), "}\n");
    "size-arms" 100_000 |n| numbered("enum E {\n", n, |i| format!("  V{i}\n"), "}\nfn f(e: E) -> int {\n  match e {\n") + &numbered("", n, |i| format!("    V{i} => {i}\n"), "  }\n}\n");
    "size-number-arms" 100_000 |n| numbered("fn f(a: int) -> int {\n  match a {\n", n, |i| format!("    {i} => 1\n"), "    _ => 2\n  }\n}\n");
    "size-range-arms" 100_000 |n| numbered("fn f(a: int) -> int {\n  match a {\n", n, |i| format!("    {}..{} => 1\n", 10 * i, 10 * i + 5), "    _ => 2\n  }\n}\n");
    "size-text-arms" 100_000 |n| numbered("fn f(a: text) -> int {\n  match a {\n", n, |i| format!("    \"{i}\" => 1\n"), "    _ => 2\n  }\n}\n");
    "size-alternatives" 100_000 |n| numbered("fn f(a: int) -> int {\n  match a {\n    0", n, |i| format!(" | {}", i + 1), " => 1\n    _ => 2\n  }\n}\n");
    "size-type-params" 100_000 |n| numbered("record R<", n, |i| format!("T{i}, "), "> {\n  a: int\n}\n");
    "size-params" 100_000 |n| numbered("fn f(", n, |i| format!("p{i}: int, "), ") -> int { 1 }\n");
    "size-extern-params" 100_000 |n| numbered("extern f(", n, |i| format!("p{i}: int, "), ") -> int from http \"GET https://a.b/c\"\n");
    "size-arguments" 100_000 |n| numbered("fn f(", n, |i| format!("p{i}: int, "), ") -> int { 1 }\n") + &numbered("let x = f(1, ", n.max(2) - 1, |i| format!("p{}: 1, ", i + 1), ")\n");
    "size-statements" 100_000 |n| numbered("fn f() -> int {\n  let v0 = 1\n", n, |i| format!("  let v{} = v{i} + 1\n", i + 1), &format!("  v{n}\n}}\n"));
    "size-map" 100_000 |n| numbered("let x = [", n, |i| format!("{i}: {i},\n"), "]\n");
    "size-stubs" 100_000 |n| numbered("prompt p(a: int) -> text {\n  model m\n  user \"a\"\n}\nmodel m\ntest \"a\" {\n", n, |i| format!("  stub p({i}) => \"a\"\n"), "}\n");
    "size-messages" 100_000 |n| numbered("model m\nprompt p() -> text {\n  model m\n", n, |i| format!("  user \"{i}\"\n"), "}\n");
    "size-tools" 100_000 |n| numbered("model m\nfn f() -> int { 1 }\nagent p() -> text {\n  model m\n  user \"a\"\n  tools [\n", n, |_| "    f,\n".to_owned(), "  ]\n}\n");
    "size-policies" 100_000 |n| numbered("graph g() -> int with (", n, |i| format!("p{i}: 1, "), ") { 1 }\n");
    "size-effects" 100_000 |n| numbered("extern e() -> int does ", n, |i| format!("read a.b{i}, "), "model from http \"GET https://a.b/c\"\n");
    "size-promises" 30_000 |n| numbered("", n, |i| format!("extern e{i}() -> int does read a.b{i} from http \"GET https://a.b/c\"\ngraph g{i}() -> int does read a.b{i} {{ e{i}() }}\n"), "");
    "size-hosts" 30_000 |n| numbered("", n, |i| format!("extern e{i}() -> int from http \"GET https://a{i}.b/c\"\n"), "graph g() -> int {\n") + &numbered("", n, |i| format!("  e{i}()\n"), "  1\n}\n");
    "size-imports" 100_000 |n| numbered("", n, |i| format!("use m{i}\n"), "");
    "size-chained-functions" 100_000 |n| numbered("", n, |i| format!("fn f{i}() -> int {{ f{}() }}\n", i + 1), &format!("fn f{n}() -> int {{ 1 }}\n"));
    "size-circle-of-functions" 100_000 |n| numbered("", n, |i| format!("fn f{i}() -> int {{ f{}() }}\n", (i + 1) % n.max(1)), "");
    "size-chained-constants" 100_000 |n| numbered("", n, |i| format!("let c{i} = c{}\n", i + 1), &format!("let c{n} = 1\n"));
    "size-circle-of-constants" 100_000 |n| numbered("", n, |i| format!("let c{i} = c{}\n", (i + 1) % n.max(1)), "");
    "size-chained-aliases" 100_000 |n| numbered("", n, |i| format!("type A{i} = A{}\n", i + 1), &format!("type A{n} = int\n"));
    "size-circle-of-aliases" 100_000 |n| numbered("", n, |i| format!("type A{i} = A{}\n", (i + 1) % n.max(1)), "");
    "size-chained-records" 100_000 |n| numbered("", n, |i| format!("record A{i} {{\n  a: A{}\n}}\n", i + 1), &format!("record A{n} {{\n  a: int\n}}\n"));
    "size-circle-of-records" 100_000 |n| numbered("", n, |i| format!("record A{i} {{\n  a: A{}\n}}\n", (i + 1) % n.max(1)), "");
    "size-doubling-aliases" 100_000 |n| numbered("record P<A, B> {\n  a: A\n  b: B\n}\ntype A0 = int\n", n, |i| format!("type A{} = P<A{i}, A{i}>\n", i + 1), "");
    "size-impure-functions" 30_000 |n| numbered("", n, |i| format!("fn f{i}() -> int {{ f{}() }}\n", i + 1), &format!("fn f{n}() -> int {{ e() }}\nextern e() -> int does write a.b from http \"POST https://a.b/c\"\n"));

    "errors-syntax" 100_000 |n| nested("", "let = \n", "", "", n);
    "errors-fields" 100_000 |n| nested("record R {\n", "  a: \n", "", "", n) + "}\n";
    "errors-unclosed-declarations" 100_000 |n| numbered("", n, |i| format!("fn f{i}( {{\n"), "");
    "errors-unclosed-texts" 100_000 |n| numbered("", n, |i| format!("let c{i} = \"abc\n"), "");
    "errors-unclosed-triples" 100_000 |n| numbered("", n, |i| format!("let c{i} = \"\"\"abc\n"), "");
    "errors-statements" 100_000 |n| nested("fn f() -> int {\n", "  let 1 = = 2\n", "", "", n) + "  1\n}\n";
    "errors-semicolons" 100_000 |n| nested("fn f() -> int {\n", "  f();\n", "", "", n) + "  1\n}\n";
    "errors-habits" 100_000 |n| nested("", "function f(a) { return null && 'x' }\n", "", "", n);
    "errors-stray-words" 100_000 |n| numbered("", n, |i| format!("{}\n", word(i)), "");
    "errors-wrong-case" 100_000 |n| numbered("", n, |i| format!("let camelCase{i} = 1\nlet d{i} = camelCase{i}\n"), "");
    "errors-wrong-case-fields" 100_000 |n| numbered("record R {\n", n, |i| format!("  camelCase{i}: int\n"), "}\n");
    "errors-reserved-words" 100_000 |n| nested("fn f() -> int {\n", "  let match = 1\n", "", "", n) + "  1\n}\n";
    "errors-damaged-declarations" 100_000 |n| numbered("", n, |i| format!("fn f{i}(a int) -> int {{ g{i}() }}\n"), "");
    "errors-unknown-names" 100_000 |n| numbered("", n, |i| format!("let c{i} = {}_x\n", word(i * 7919 + 1_000_000)), "");
    "errors-near-misses" 100_000 |n| numbered("", n, |i| format!("let value_of_{} = {}\n", word(i * 31), format_args!("valeu_of_{}", word(i * 31))), "");
    "errors-near-miss-calls" 100_000 |n| numbered("", n, |i| format!("fn value_of_{0}() -> int {{ valeu_of_{0}() }}\n", word(i * 31)), "");
    "errors-near-miss-locals" 30_000 |n| numbered("fn f() -> int {\n", n, |i| format!("  let value_of_{0} = valeu_of_{0}\n", word(i * 31)), "  1\n}\n");
    "errors-near-miss-types" 100_000 |n| numbered("", n, |i| format!("record ValueOf{i} {{\n  a: VaeluOf{i}\n}}\n"), "");
    "errors-near-miss-fields" 100_000 |n| numbered("record R {\n", n, |i| format!("  value_of_{i}: int\n"), "}\nfn f(r: R) -> int {\n") + &numbered("", n, |i| format!("  let a{i} = r.vaelu_of_{i}\n"), "  1\n}\n");
    "errors-near-miss-arguments" 100_000 |n| numbered("record R {\n", n, |i| format!("  value_of_{i}: int\n"), "}\n") + &numbered("let x = R(", n, |i| format!("vaelu_of_{i}: 1,\n"), ")\n");
    "errors-near-miss-variants" 100_000 |n| numbered("enum E {\n", n, |i| format!("  ValueOf{i}\n"), "}\n") + &numbered("", n, |i| format!("let c{i}: E = VaelueOf{i}\n"), "");
    "errors-near-miss-patterns" 30_000 |n| numbered("enum E {\n", n, |i| format!("  ValueOf{i}\n"), "}\nfn f(e: E) -> int {\n  match e {\n") + &numbered("", n, |i| format!("    VaelueOf{i} => 1\n"), "  }\n}\n");
    "errors-near-miss-members" 100_000 |n| numbered("", n, |i| format!("let c{i} = text.lenght{}(\"a\")\n", word(i)), "");
    "errors-near-miss-modules" 100_000 |n| numbered("", n, |i| format!("let c{i} = txet{}.length(\"a\")\n", word(i)), "");
    "errors-types" 100_000 |n| numbered("", n, |i| format!("let c{i}: int = \"a\"\n"), "");
    "errors-types-in-one-body" 100_000 |n| numbered("fn f() -> int {\n", n, |i| format!("  let c{i}: int = \"a\"\n"), "  1\n}\n");
    "errors-operators" 100_000 |n| numbered("", n, |i| format!("let c{i} = 1 + \"a\"\n"), "");
    "errors-arguments" 100_000 |n| numbered("fn f(a: int, b: int) -> int { a }\n", n, |i| format!("let c{i} = f(\"a\", c: 2)\n"), "");
    "errors-missing-arguments" 100_000 |n| numbered("record R {\n", n, |i| format!("  f{i}: int\n"), "}\nlet x = R()\n");
    "errors-missing-arms" 100_000 |n| numbered("enum E {\n", n, |i| format!("  V{i}\n"), "}\nfn f(e: E) -> int {\n  match e {\n    V0 => 1\n  }\n}\n");
    "errors-unreachable-arms" 100_000 |n| numbered("fn f(a: int) -> int {\n  match a {\n    _ => 0\n", n, |i| format!("    {i} => 1\n"), "  }\n}\n");
    "errors-duplicates" 100_000 |n| nested("", "fn f() -> int { 1 }\n", "", "", n);
    "errors-duplicate-fields" 100_000 |n| nested("record R {\n", "  a: int\n", "", "", n) + "}\n";
    "errors-duplicate-wire-names" 100_000 |n| numbered("record R {\n", n, |i| format!("  a{i}: int as \"x\"\n"), "}\n");
    "errors-duplicate-variants" 100_000 |n| nested("enum E {\n", "  A\n", "", "", n) + "}\n";
    "errors-duplicate-params" 100_000 |n| nested("fn f(", "a: int, ", "", "", n) + ") -> int { 1 }\n";
    "errors-duplicate-extern-params" 100_000 |n| nested("extern f(", "a: int, ", "", "", n) + ") -> int from http \"GET https://a.b/c\"\n";
    "errors-duplicate-type-params" 100_000 |n| nested("record R<", "T, ", "", "", n) + "> {\n  a: int\n}\n";
    "errors-duplicate-arguments" 100_000 |n| nested("fn f(a: int) -> int { a }\nlet x = f(", "a: 1, ", "", "", n) + ")\n";
    "errors-duplicate-lets" 100_000 |n| nested("fn f() -> int {\n", "  let a = 1\n", "", "", n) + "  a\n}\n";
    "errors-duplicate-keys" 100_000 |n| nested("let x = [", "1: 1, ", "", "", n) + "]\n";
    "errors-duplicate-tests" 100_000 |n| nested("", "test \"a\" {\n  expect true\n}\n", "", "", n);
    "errors-duplicate-imports" 100_000 |n| nested("", "use a\n", "", "", n);
    "errors-duplicate-alternatives" 30_000 |n| nested("fn f(a: int) -> int {\n  match a {\n    1", " | 1", "", "", n) + " => 1\n    _ => 2\n  }\n}\n";
    "errors-unused-lets" 100_000 |n| numbered("fn f() -> int {\n", n, |i| format!("  let v{i} = 1\n"), "  1\n}\n");
    "errors-unused-lets-beside-errors" 100_000 |n| numbered("", n, |i| format!("fn f{i}() -> int {{\n  let v = 1\n  x{i}\n}}\n"), "");
    "errors-effects" 100_000 |n| numbered("extern e() -> int does write a.b from http \"POST https://a.b/c\"\n", n, |i| format!("fn f{i}() -> int {{ e() }}\n"), "");
    "errors-policies" 100_000 |n| numbered("graph g() -> int { 1 }\ngraph h() -> int {\n", n, |i| format!("  g() with (retires: {i})\n"), "  1\n}\n");
    "errors-bounds" 100_000 |n| numbered("record R {\n", n, |i| format!("  a{i}: int where (mn: 1)\n"), "}\n");
    "errors-bad-units" 100_000 |n| numbered("", n, |i| format!("let c{i} = 5sx\n"), "");
    "errors-sessions" 100_000 |n| numbered("", n, |i| format!("graph g{i}() -> int in Nowhere{i} {{ session.a }}\n"), "");

    "characters-nul" 1_000_000 |n| nested("let x = ", "\0", "", "", n);
    "characters-nul-lines" 100_000 |n| nested("", "let x = \0\n", "", "", n);
    "characters-replaced" 1_000_000 |n| nested("let x = ", "\u{fffd}", "", "", n);
    "characters-bidi" 100_000 |n| nested("", "// a\u{202e}b\n", "", "", n);
    "characters-bidi-in-texts" 100_000 |n| nested("let x = \"", "a\u{2066}", "", "", n) + "\"\n";
    "characters-homoglyphs" 100_000 |n| numbered("", n, |i| format!("let \u{430}b{i} = 1\nlet ab{i} = 2\n"), "");
    "characters-line-ends" 300_000 |n| numbered("", n, |i| format!("model a{i}{}", ["\n", "\r\n", "\r", "\n\r", "\u{2028}\n"].get(i % 5).copied().unwrap_or("\n")), "");
    "characters-bom" 300_000 |n| nested("\u{feff}", "\u{feff}", "model a", "", n);
    "characters-tabs" 3_000_000 |n| nested("model a\n", "\t", "", "", n);
    "characters-emoji" 300_000 |n| nested("let x = ", "\u{1f600}", "", "", n);
    "characters-combining" 3_000_000 |n| nested("let x = \"a", "\u{301}", "", "", n) + "\"\n";
    "characters-hashes" 300_000 |n| nested("", "# a\n", "", "", n);
    "characters-backticks" 300_000 |n| nested("let x = ", "`a", "", "", n);
    "characters-single-quotes" 300_000 |n| nested("let x = ", "'", "", "", n);
    "characters-ats" 1_000_000 |n| nested("", "@", "", "", n);
    "characters-colons" 1_000_000 |n| nested("let x ", ":", "", "", n);
    "characters-commas" 1_000_000 |n| nested("let x = [", ",", "", "", n);
    "characters-mixed-closers" 300_000 |n| nested("let x = ", ")]}", "", "", n);
    "characters-mixed-openers" 100_000 |n| nested("let x = ", "([{", "", "", n);
    "characters-crossed-brackets" 100_000 |n| nested("let x = ", "([)]", "", "", n);
};
