//! Programs for every rule of trust, accepted and refused.

mod acceptance;
mod audit;
mod model;
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
