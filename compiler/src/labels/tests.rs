//! Programs for every rule of trust, accepted and refused.

mod acceptance;
mod audit;
mod model;
mod outside;
mod rules;

use crate::diagnostics::Diagnostic;
use crate::sources::MemorySources;
use crate::{Compilation, compile};

/// What programs of these tests may use.
const HEAD: &str = "\
model fast
model smart needs (tools: true)

prompt say(about: text) -> text {
  model fast
  user about
}

graph pay(to: trusted text) -> text {
  to
}

graph outside() -> text {
  web.fetch(\"https://example.com\").body
}

";

fn compiled(text: &str) -> Compilation {
    let text = format!("{HEAD}{text}");
    compile(&MemorySources::single("main.kait", text), &["main.kait"])
}

fn findings(text: &str) -> Vec<Diagnostic> {
    compiled(text).diagnostics.into_iter().filter(|found| found.primary.span.file.0 == 0).collect()
}

fn accepts(text: &str) {
    let all: Vec<_> = findings(text).into_iter().filter(Diagnostic::is_error).collect();
    assert!(all.is_empty(), "{text}\n{all:#?}");
}

/// The one error of a text.
#[track_caller]
fn refuses(text: &str, code: &str) -> Diagnostic {
    let mut all: Vec<_> = findings(text).into_iter().filter(Diagnostic::is_error).collect();
    assert_eq!(all.len(), 1, "{text}\n{all:#?}");
    let one = all.remove(0);
    assert_eq!(one.code, code, "{one:#?}");
    one
}

/// What a place of a finding covers.
fn at(text: &str, span: crate::diagnostics::Span) -> String {
    let text = format!("{HEAD}{text}");
    text.get(span.start as usize..span.end as usize).unwrap_or_default().to_owned()
}

/// These would take longer than anybody waits if something were looked at as often as it is named.
#[test]
fn what_names_others_twice_ends() {
    let mut text =
        String::from("record Two<A, B> {\n  a: A\n  b: trusted B\n}\n\ntype A0 = text\n");
    for at in 1..60 {
        text.push_str(&format!("type A{at} = Two<A{before}, A{before}>\n", before = at - 1));
    }
    text.push_str("\ngraph g(x: A59, y: untrusted A40) -> text {\n  pay(\"${x.b.b}\")\n}\n");
    accepts(&text);
    refuses(&text.replace("${x.b.b}", "${y.a}"), "K0601");
    // Graphs that all call each other.
    let mut text = String::new();
    for at in 0..200 {
        let (next, other) = ((at + 1) % 200, (at * 7 + 3) % 200);
        text.push_str(&format!("graph r{at}(a: text, b: text, c: text) -> text with (depth: 3) {{\n  if a == b {{ r{next}(b, b: c, c: a) }} else {{ if c == a {{ r{other}(c, b: a, c: b) }} else {{ pay(a) }} }}\n}}\n"));
    }
    text.push_str("graph top() -> text {\n  r0(\"a\", b: \"b\", c: VALUE)\n}\n");
    accepts(&text.replace("VALUE", "\"c\""));
    refuses(&text.replace("VALUE", "outside()"), "K0601");
}
