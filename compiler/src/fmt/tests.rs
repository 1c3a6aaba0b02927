//! Before and after, rule by rule. Every result is formatted again, which must change nothing. That the
//! programs of the corpus are fixed points is tested with the other sources, in `tests/suite/format.rs`.

use super::{FormatError, format};

fn formatted(text: &str) -> String {
    let parse = kait_syntax::parse(text);
    match format(&parse) {
        Ok(formatted) => formatted,
        Err(error) => panic!("{error}\n{text}\n{:#?}", parse.errors),
    }
}

/// The text before, and after formatting.
fn check(before: &str, after: &str) {
    let once = formatted(before);
    assert_eq!(once, after, "\n--- before ---\n{before}\n--- formatted ---\n{once}");
    let twice = formatted(&once);
    assert_eq!(twice, once, "\n--- once ---\n{once}\n--- twice ---\n{twice}");
}

fn unchanged(text: &str) {
    check(text, text);
}

/// Statements in a graph, without its header and indentation.
fn check_body(before: &str, after: &str) {
    let wrap = |body: &str, indent: &str| {
        let mut text = "graph g() -> none {\n".to_owned();
        for line in body.lines() {
            if !line.is_empty() {
                text.push_str(indent);
            }
            text.push_str(line);
            text.push('\n');
        }
        text + "}\n"
    };
    check(&wrap(before, ""), &wrap(after, "  "));
}

fn body_unchanged(text: &str) {
    check_body(text, text);
}

/// A name of that many columns.
fn name(columns: usize) -> String {
    "n".repeat(columns)
}

#[test]
fn blanks_are_normalised() {
    check("model   fast   needs(context:32_000)\n", "model fast needs (context: 32_000)\n");
    check("use  mcp . files  as   f\n", "use mcp.files as f\n");
    check("type  A<T> =[ T ]? where( max :3 )", "type A<T> = [T]? where (max: 3)\n");
    check("type M=[text:[int]]\n", "type M = [text: [int]]\n");
    check("let x:untrusted text=\"a\"\n", "let x: untrusted text = \"a\"\n");
    check(
        "fn f < A,B >(x:A,y :B=1)->Pair<A,B>{x}\n",
        "fn f<A, B>(x: A, y: B = 1) -> Pair<A, B> { x }\n",
    );
    check("secret\tkey", "secret key\n");
}

#[test]
fn blanks_in_expressions_are_normalised() {
    check_body("let x=a+b*-c-d%e", "let x = a + b * -c - d % e");
    check_body("a==b and not(c or d)", "a == b and not (c or d)");
    check_body("f (a , b:c , ..d)", "f(a, b: c, ..d)");
    check_body("f(. name, by : .other)", "f(.name, by: .other)");
    check_body("a . b ?. c [ 0 ] . D", "a.b?.c[0].D");
    check_body("[ 1,2 , ..xs ]", "[1, 2, ..xs]");
    check_body("[ \"a\":1,\"b\" : 2 ]", "[\"a\": 1, \"b\": 2]");
    check_body("[ : ]", "[:]");
    check_body("x|>f()|>g( y:1 )", "x |> f() |> g(y: 1)");
    check_body("x??fail\"no\"", "x ?? fail \"no\"");
    check_body("f(x)with(retry:3)", "f(x) with (retry: 3)");
    check_body("x is Some( y )", "x is Some(y)");
    check_body("done  try f( )", "done try f()");
    check_body("next( a:1 )", "next(a: 1)");
}

#[test]
fn blanks_in_patterns_are_normalised() {
    check_body(
        "match x {\n- 1 .. 5=>a\n\"t\"  =>b\nm . E . V( p,q : _ )=>c\n[ a,..rest ]  =>d\nA|B  if  c=>e\n_=>f\n}",
        "match x {\n  -1..5 => a\n  \"t\" => b\n  m.E.V(p, q: _) => c\n  [a, ..rest] => d\n  A | B if c => e\n  _ => f\n}",
    );
}

#[test]
fn what_stands_on_one_line_stays_there() {
    let (a, b) = (name(90), name(80));
    for text in [
        format!("let x = f({a}, y: {b})"),
        format!("let x = [{a}, {b}]"),
        format!("let x = [{a}: 1, {b}: 2]"),
        format!("let x = ({a} + {b})"),
        format!("let x = {a} + {b} ?? {a}"),
        format!("x |> {a}() |> {b}()"),
        format!("f({a}) with (key: k, approve: \"{b}\")"),
        format!("f([{a}, {b}])"),
        format!("if {a} and {b} {{ {a} }} else {{ {b} }}"),
        format!("f({a}) catch {{ Trap(message) => {b} }}"),
        format!("match x {{ [{a}, {b}, ..rest] => y, {a} | A => \"{b}\" }}"),
        format!("loop a = {a}, b = {b} max 4 {{ done a }} else {{ b }}"),
        format!("race {{ {a}, -{b}, c }}"),
        format!("if x in [{a}, {b}] {{\n  x\n}}"),
    ] {
        body_unchanged(&text);
    }
    for text in [
        format!("graph g({a}: text, {b}: text) -> [text] where (max: 3) {{\n  x\n}}\n"),
        format!("graph g() -> text does write {a}, write {b} {{\n  x\n}}\n"),
        format!("extern f({a}: text) -> text does model from native \"{b}\"\n"),
        format!("trigger t on http(\"{a}\", s: {b}) as e: E with (dedupe: e.id) {{\n  f(e)\n}}\n"),
        format!("record R {{ {a}: int, {b}: int }}\n"),
        format!("test \"t\" {{\n  stub f(_) => \"{a}\" after 5s then \"{b}\"\n}}\n"),
    ] {
        unchanged(&text);
    }
}

#[test]
fn brackets_with_a_line_break_behind_the_opening_one_have_one_item_a_line() {
    check_body("f(\n  a, b)", "f(\n  a,\n  b,\n)");
    check_body("[\n  a,\n  b]", "[\n  a,\n  b,\n]");
    check_body("[\n\"a\": 1,\n\"b\": 2]", "[\n  \"a\": 1,\n  \"b\": 2,\n]");
    check_body("(\na + b)", "(\n  a + b\n)");
    check_body("f(\n[a])", "f(\n  [a],\n)");
    check_body(
        "match x {\n[\na, ..rest] => y\n}",
        "match x {\n  [\n    a,\n    ..rest\n  ] => y\n}",
    );
    check_body(
        "let x = f(a) with (\nkey: k, within: 2d)",
        "let x = f(a) with (\n  key: k,\n  within: 2d,\n)",
    );
    check("fn f(\nx: int) -> int { x }\n", "fn f(\n  x: int,\n) -> int { x }\n");
    check_body("f(\n)", "f()");
}

#[test]
fn other_line_breaks_in_brackets_are_joined_if_they_fit() {
    check_body("f(a,\n  b)", "f(a, b)");
    check_body("[a, b\n]", "[a, b]");
    check_body("f([\n  a\n]\n)", "f([\n  a,\n])");
    check("fn f(x: int,\n  y: int\n) -> int { x }\n", "fn f(x: int, y: int) -> int { x }\n");
    let (a, b) = (name(60), name(40));
    check_body(&format!("f({a},\n{b})"), &format!("f(\n  {a},\n  {b},\n)"));
    check_body(&format!("[{a}, {b}\n]"), &format!("[\n  {a},\n  {b},\n]"));
    // Something over several lines does not fit on one.
    check_body("f(a,\ng(\nb))", "f(\n  a,\n  g(\n    b,\n  ),\n)");
    // What moves up to its header may not fit there.
    check(
        &format!(
            "prompt p({a}: text) -> text\n  with (turns: 12, tokens: 60_000) {{\n  user x\n}}\n"
        ),
        &format!(
            "prompt p({a}: text) -> text with (\n  turns: 12,\n  tokens: 60_000,\n) {{\n  user x\n}}\n"
        ),
    );
}

#[test]
fn the_line_that_just_fits_is_joined() {
    // Two columns of indentation, `f(`, `, `, `)`.
    let (a, b) = (name(50), name(43));
    check_body(&format!("f({a},\n{b})"), &format!("f({a}, {b})"));
    check_body(&format!("f({a},\n{b}n)"), &format!("f(\n  {a},\n  {b}n,\n)"));
}

#[test]
fn broken_brackets_in_flat_ones_are_not_indented_twice() {
    body_unchanged("f(x, g(\n  a,\n))");
    body_unchanged("f(x, [\n  a,\n], y)");
    body_unchanged("f(g(\n  a,\n  b,\n))");
    body_unchanged("f(x: g(\n  a,\n  b,\n))");
    body_unchanged("let y = a + f(\n  b,\n)");
    body_unchanged("x |> f(\n  b,\n) |> g()");
    body_unchanged("let y = x ?? match z {\n  _ => a\n}");
    body_unchanged("if a { f(\n  b,\n) } else { c }");
    check_body("f(for x in xs {\ng(x)\n})", "f(for x in xs {\n  g(x)\n})");
    check_body("f(x, if a {\ng(x)\n})", "f(x, if a {\n  g(x)\n})");
    check_body("f(\n  // why\n  [a])", "f(\n  // why\n  [a],\n)");
}

#[test]
fn a_signature_breaks_at_its_parameters() {
    let (a, b) = (name(40), name(40));
    check(
        &format!("graph g({a}: text,\n  {b}: text) -> [text] where (max: 3) {{\n  x\n}}\n"),
        &format!("graph g(\n  {a}: text,\n  {b}: text,\n) -> [text] where (max: 3) {{\n  x\n}}\n"),
    );
}

#[test]
fn clauses_of_an_extern_stand_as_written() {
    unchanged("extern f(x: text) -> text from wasm \"a.wasm#f\"\n");
    unchanged("extern f(x: text) -> text\n  from wasm \"a.wasm#f\"\n");
    check(
        "extern f(x: text) -> text does write a, read net \"b.c\"\nneeds approval with (key: k) from http \"POST https://a.b\"\n",
        "extern f(x: text) -> text\n  does write a, read net \"b.c\"\n  needs approval\n  with (key: k)\n  from http \"POST https://a.b\"\n",
    );
    unchanged("extern f(\n  a: text,\n) -> text from native \"x\"\n");
    unchanged("extern f(a: text) -> text\n  with (key: g(\n    a,\n  ))\n  from native \"x\"\n");
    unchanged("extern f(\n  a: text,\n) -> text\n  from native \"x\"\n");
}

#[test]
fn clauses_of_other_headers_stay_on_the_line() {
    check(
        "graph g(x: text) -> text\n  in Chat\n  does model\n  with (time: 1m) {\n  x\n}\n",
        "graph g(x: text) -> text in Chat does model with (time: 1m) {\n  x\n}\n",
    );
    check(
        "trigger t on http.webhook( \"/h\" )\n  as e : Event\n  with (dedupe: e.id) {\n  f(e)\n}\n",
        "trigger t on http.webhook(\"/h\") as e: Event with (dedupe: e.id) {\n  f(e)\n}\n",
    );
    let (a, b) = (name(40), name(40));
    check(
        &format!("graph g() -> text does write {a},\nwrite {b} {{\n  x\n}}\n"),
        &format!("graph g() -> text does write {a},\n    write {b} {{\n  x\n}}\n"),
    );
}

#[test]
fn braces_on_one_line_stay() {
    unchanged("enum Label { Bug, Feature, NeedsInfo as \"needs-info\" }\n");
    unchanged("record Point { x: int, y: int = 0 }\n");
    unchanged("session Chat { history: [Message] where (max: 200) = [] }\n");
    unchanged("test \"adds\" { expect 1 + 1 == 2 }\n");
    body_unchanged("if a { b } else if c { d } else { e }");
    body_unchanged("match x { A => 1, B => 2 }");
    body_unchanged("f() catch { _ => [] }");
    body_unchanged("race 2 { a(), b(), c() }");
    body_unchanged("for x in xs if x > 0 max 10 parallel 2 { f(x) }");
    check_body("let h = f() undo {g(h)}", "let h = f() undo { g(h) }");
    check("enum E {A,B,}\nrecord R {}", "enum E { A, B }\nrecord R {}\n");
}

#[test]
fn braces_on_several_lines_have_one_item_a_line_and_no_commas() {
    check("enum E { A,\nB }\n", "enum E {\n  A\n  B\n}\n");
    check("record R {\n  a: int, b: int,\n}\n", "record R {\n  a: int\n  b: int\n}\n");
    check_body("match x {\nA => 1, B => { 2 },\n}", "match x {\n  A => 1\n  B => { 2 }\n}");
    check_body("race {\na(), b()\n}", "race {\n  a()\n  b()\n}");
    check_body("if a {\nb } else { c }", "if a {\n  b\n} else {\n  c\n}");
    check_body("if a { b } else { c\n}", "if a {\n  b\n} else {\n  c\n}");
    check_body("if a {\n}", "if a {}");
}

#[test]
fn a_race_keeps_the_comma_before_a_minus() {
    check_body("race { a, -b,\nc }", "race {\n  a,\n  -b\n  c\n}");
    check_body("match x {\n1 => a, -1 => b\n}", "match x {\n  1 => a\n  -1 => b\n}");
}

#[test]
fn operators_begin_lines() {
    let (a, b, c) = (name(40), name(40), name(40));
    check_body(&format!("let x = {a} +\n{b} - {c}"), &format!("let x = {a}\n  + {b}\n  - {c}"));
    check_body(&format!("{a}\nor {b} and {c}"), &format!("{a}\n  or {b} and {c}"));
    check_body(
        &format!("let x = {a} ??\n{b} ?? fail {c}"),
        &format!("let x = {a}\n  ?? {b}\n  ?? fail {c}"),
    );
    check_body(&format!("{a}({b}) ==\n{c}"), &format!("{a}({b})\n  == {c}"));
    check_body(
        &format!("if {a} and {b}\nand {c} {{\nx\n}}"),
        &format!("if {a}\n    and {b}\n    and {c} {{\n  x\n}}"),
    );
    check_body(
        &format!("match x {{\n{} | {} |\nB => y\n}}", "A".repeat(50), "C".repeat(50)),
        &format!("match x {{\n  {}\n    | {}\n    | B => y\n}}", "A".repeat(50), "C".repeat(50)),
    );
    check_body("a +\nb", "a + b");
    check_body("a + b +\nf(\nc)", "a\n  + b\n  + f(\n    c,\n  )");
    body_unchanged("if x in [\n  a,\n] {\n  x\n}");
    check_body("x // one\n== [y]", "x // one\n  == [y]");
    check_body("x == // one\n[y]", "x == // one\n  [y]");
    check_body(&format!("(\n{a} + {b} +\n{c})"), &format!("(\n  {a}\n    + {b}\n    + {c}\n)"));
}

#[test]
fn pipes_begin_lines_if_written_so() {
    body_unchanged("x |> f() |> g()");
    body_unchanged("x\n  |> f()\n  |> g()");
    check_body("x |> f()\n|> g()", "x\n  |> f()\n  |> g()");
    check_body("x |>\nf()", "x |> f()");
    let (a, b) = (name(50), name(50));
    check_body(&format!("x |>\n{a}() |> {b}()"), &format!("x\n  |> {a}()\n  |> {b}()"));
    check_body("let y = x\n|> f() catch { _ => z }", "let y = x\n  |> f()\n  catch { _ => z }");
    check_body(
        "let y = x\n|> f() undo { g() } catch {\n_ => z }",
        "let y = x\n  |> f()\n  undo { g() }\n  catch {\n    _ => z\n  }",
    );
}

#[test]
fn loops_and_stubs() {
    body_unchanged("loop a = f(), b: int = 0 max 4 { done a } else { b }");
    check_body(
        "loop a=f() max 4 {\ndone a } else { b }",
        "loop a = f() max 4 {\n  done a\n} else {\n  b\n}",
    );
    let (a, b) = (name(50), name(50));
    check_body(
        &format!("loop a = {a},\nb = {b} max 4 {{\ndone a\n}} else {{\nb\n}}"),
        &format!("loop a = {a},\n    b = {b}\n    max 4 {{\n  done a\n}} else {{\n  b\n}}"),
    );
    check(
        "test \"t\" {\nstub approve f(_,x:y)=>a  after 5s then fail Timeout\nexpect g()==1\n}\n",
        "test \"t\" {\n  stub approve f(_, x: y) => a after 5s then fail Timeout\n  expect g() == 1\n}\n",
    );
    check(
        &format!("test \"t\" {{\n  stub f(_) => \"{a}\"\nthen \"{b}\"\n}}\n"),
        &format!("test \"t\" {{\n  stub f(_) => \"{a}\"\n    then \"{b}\"\n}}\n"),
    );
}

#[test]
fn prompts() {
    check(
        "agent a(q: text)->T with(turns:2){\nmodel fast with(temperature:0.2)\nsystem \"s\"\nuser  q\nmessages h\ntools[web.search with(max_calls:6),web.fetch,]\n}\n",
        "agent a(q: text) -> T with (turns: 2) {\n  model fast with (temperature: 0.2)\n  system \"s\"\n  user q\n  messages h\n  tools [web.search with (max_calls: 6), web.fetch]\n}\n",
    );
}

#[test]
fn at_most_one_blank_line_is_kept() {
    check_body("let a = 1\n\n\n\nlet b = 2\nb", "let a = 1\n\nlet b = 2\nb");
    check_body("\n\na\n\n", "a");
    check("record R {\n\n  a: int\n\n\n  b: int\n\n}\n", "record R {\n  a: int\n\n  b: int\n}\n");
    check("\n\n\nmodel a\n\n\n\nmodel b\n\n\n", "model a\n\nmodel b\n");
}

#[test]
fn declarations_of_several_lines_have_blank_lines_around_them() {
    unchanged("model a\nmodel b\nsecret c\n");
    check("use a\nmodel b\n", "use a\n\nmodel b\n");
    check(
        "model a\ngraph g() -> none {\n  x\n}\n// why\nmodel b\nmodel c\n",
        "model a\n\ngraph g() -> none {\n  x\n}\n\n// why\nmodel b\nmodel c\n",
    );
    unchanged("enum A { B }\nenum C { D }\n");
    unchanged("/// One.\nmodel a\n/// Two.\nmodel b\n");
    check("//! A file.\nmodel a\n", "//! A file.\n\nmodel a\n");
    check("model a\n\n//\n// x\n\n\n// y", "model a\n\n//\n// x\n\n// y\n");
}

#[test]
fn uses_are_sorted_between_blank_lines_and_comments() {
    check(
        "use b // two\nuse a.c as z\nuse a.b\n\nuse d\n// why\nuse c\nuse a\n",
        "use a.b\nuse a.c as z\nuse b // two\n\nuse d\n// why\nuse a\nuse c\n",
    );
    check("// top\nuse b\nuse a\n", "// top\nuse a\nuse b\n");
    check("use b\n\nmodel m\nuse a\n", "use b\n\nmodel m\nuse a\n");
    check("/// Doc.\nuse c\nuse b\nuse a\n", "/// Doc.\nuse c\nuse a\nuse b\n");
    check("use b\npub use a\n", "pub use a\nuse b\n");
}

#[test]
fn comments_stay_where_they_stand() {
    body_unchanged("// above\nf() // behind\n// below");
    body_unchanged("if a { // here\n  // inside\n}");
    body_unchanged("f() catch {\n  // first\n  _ => a // behind\n\n  // last\n}");
    body_unchanged("if a {\n  b\n} // done\nc");
    body_unchanged("if a {\n  b\n}\n// otherwise\nelse {\n  c\n}");
    body_unchanged("f()\n// failing is fine\ncatch { _ => a }");
    unchanged("record R {\n  // why\n  a: int // one\n\n  // two\n  b: int\n  // end\n}\n");
    unchanged("graph g() -> none {\n  // nothing\n}\n");
    unchanged("model a // one\n// two\n\n// three\n");
    unchanged("// only\n");
    unchanged("//! About.\n\n// only\n");
    check("fn f() -> int {   // x  \n1}", "fn f() -> int { // x\n  1\n}\n");
}

#[test]
fn comments_break_the_brackets_around_them() {
    check_body("f(a, // one\nb)", "f(\n  a, // one\n  b,\n)");
    check_body("f(a // one\n, b // two\n)", "f(\n  a, // one\n  b, // two\n)");
    check_body("f(\n// one\na)", "f(\n  // one\n  a,\n)");
    check_body("f(a,\n// end\n)", "f(\n  a,\n  // end\n)");
    check_body("f( // none\n)", "f( // none\n)");
    check_body("f(\n// none\n)", "f(\n  // none\n)");
    check_body("f(a\n// before the comma\n, b)", "f(\n  a,\n  // before the comma\n  b,\n)");
    check_body("f(a // one\n, // two\nb)", "f(\n  a, // one\n  // two\n  b,\n)");
    check_body("f(g(a), // one\nb)", "f(\n  g(a), // one\n  b,\n)");
    check_body("[a, b // last\n]", "[\n  a,\n  b, // last\n]");
    check_body("f(a) // end", "f(a) // end");
    check(
        "fn f(x: int, // one\ny: int) -> int { x }\n",
        "fn f(\n  x: int, // one\n  y: int,\n) -> int { x }\n",
    );
    check("enum E { A, // one\nB }\n", "enum E {\n  A // one\n  B\n}\n");
    check(
        "fn f(/// Doc.\nx: int) -> int { x }\n",
        "fn f(\n  /// Doc.\n  x: int,\n) -> int { x }\n",
    );
}

#[test]
fn comments_in_chains() {
    body_unchanged("x\n  // first\n  |> f() // one\n  // second\n  |> g()");
    check_body("a + // one\nb", "a\n  + // one\n    b");
    check_body("a // one\n+ b", "a // one\n  + b");
    // A line of a guard that begins with a comparison is not an arm.
    check_body("match a {\nB if c.d\n>= 4 => e\n}", "match a {\n  B if c.d >= 4 => e\n}");
}

#[test]
fn a_comment_makes_a_line_where_none_could_end() {
    check_body("let x = // why\n5", "let x = // why\n  5");
    check_body("let x =\n// why\n5", "let x =\n  // why\n  5");
    check("use // why\n a // there\n", "use // why\n  a // there\n");
    check("model\n// why\nfast\nmodel b", "model\n  // why\n  fast\n\nmodel b\n");
}

#[test]
fn texts_keep_their_value() {
    body_unchanged(
        "let x = \"a  b\\n ${f( \"c  d\" )}\""
            .replace("f( \"", "f(\"")
            .replace("\" )", "\")")
            .as_str(),
    );
    check_body("\"${ a+b }  ${x |>f()}\"", "\"${a + b}  ${x |> f()}\"");
    check_body("\"${if a {\"b\"} else {\"c\"}}\"", "\"${if a { \"b\" } else { \"c\" }}\"");
    let long = name(120);
    body_unchanged(&format!("\"${{f({long}, b)}}\""));
    body_unchanged("r\"^a\\d+  $\"");
}

#[test]
fn texts_over_several_lines_are_indented() {
    check(
        "prompt p() -> text {\n user \"\"\"   \n      one\n        two\n\n    less\n      ${ x }\n      \"\"\"\n}\n",
        "prompt p() -> text {\n  user \"\"\"\n    one\n      two\n\n    less\n    ${x}\n    \"\"\"\n}\n",
    );
    check_body("f(\"\"\"\na\n\"\"\")", "f(\"\"\"\n  a\n  \"\"\")");
    check_body("f(x, \"\"\"\na\n\"\"\")", "f(x, \"\"\"\n  a\n  \"\"\")");
    check_body("f(\nx, \"\"\"\na\n\"\"\")", "f(\n  x,\n  \"\"\"\n  a\n  \"\"\",\n)");
    check_body("\"\"\"\n    a\n  b\n  \"\"\"", "\"\"\"\n  a\nb\n\"\"\"");
    check_body("let x = r\"\"\"\n\\d\n \\w\n\"\"\"", "let x = r\"\"\"\n  \\d\n   \\w\n  \"\"\"");
    check("let x = \"\"\"\r\na\r\n\"\"\"\r\n", "let x = \"\"\"\n  a\n  \"\"\"\n");
    // The first line stands at its quotes, so it is not indented.
    check("let x = \"\"\"a\n  b\n \"\"\"\n", "let x = \"\"\"a\n   b\n  \"\"\"\n");
}

#[test]
fn a_text_behind_an_arrow_keeps_its_line_if_it_does_not_fit() {
    let (a, b) = (name(60), name(60));
    check_body(
        &format!("match x {{\nA if {a} =>\n\"{b}\"\n_ =>\n\"{b}\"\n}}"),
        &format!("match x {{\n  A if {a} =>\n    \"{b}\"\n  _ => \"{b}\"\n}}"),
    );
    check(
        &format!("test \"t\" {{\n  stub f(\"{a}\") =>\n\"{b}\" after 5s\n}}\n"),
        &format!("test \"t\" {{\n  stub f(\"{a}\") =>\n    \"{b}\" after 5s\n}}\n"),
    );
    check_body("match x {\nA => // why\n\"a\"\n}", "match x {\n  A => // why\n    \"a\"\n}");
    check_body("match x {\nA =>\n// why\n\"a\"\n}", "match x {\n  A =>\n    // why\n    \"a\"\n}");
}

#[test]
fn texts_without_closing_indentation_are_untouched() {
    unchanged("let x = \"\"\"\n     a\n  b\"\"\"\n");
    unchanged("let x = \"\"\"${f(\n  a )}\"\"\"\n");
    // Code over several lines in a text that is indented.
    check(
        "let x = \"\"\"\n${f(\n      a )}\n\"\"\"\n",
        "let x = \"\"\"\n  ${f(\n      a )}\n  \"\"\"\n",
    );
}

#[test]
fn whole_programs_of_odd_layout() {
    check("", "");
    check("\n\n", "");
    check("\u{feff}model a\r\nmodel b\r\n", "model a\nmodel b\n");
    check("  model a\n", "model a\n");
}

#[test]
fn files_with_errors_are_not_formatted() {
    let refused = |text: &str| format(&kait_syntax::parse(text));
    assert_eq!(refused("graph g( {\n"), Err(FormatError::SyntaxErrors));
    assert_eq!(refused("model a model b\n"), Err(FormatError::SyntaxErrors));
    assert_eq!(refused("model Fast\n"), Err(FormatError::SyntaxErrors));
    // Remarks do not count.
    let documented = "graph g() -> none {\n  /// Of nothing.\n  x\n}\n";
    assert!(!kait_syntax::parse(documented).errors.is_empty());
    assert_eq!(refused(documented), Ok(documented.to_owned()));
}

#[test]
fn documentation_of_nothing_stays_so() {
    check(
        "fn f(a: int\n/// Of nothing.\n, b: int) -> int { a }\n",
        "fn f(\n  a: int\n  /// Of nothing.\n  ,\n  b: int,\n) -> int { a }\n",
    );
    check(
        "record R { a: int\n/// Of nothing.\n, b: int }\n",
        "record R {\n  a: int\n  /// Of nothing.\n  ,\n  b: int\n}\n",
    );
}
