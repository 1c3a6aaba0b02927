//! The standard library compiles, and so does every example in its documentation.

use kait_compiler::compile;
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::sources::MemorySources;
use kait_stdlib::{Example, examples};

/// The example as a program: its expressions are expected in a test, or it is the body of a graph.
fn program(example: &Example) -> String {
    let mut text = String::new();
    if example.run {
        text.push_str("test \"example\" {\n");
        for line in example.code.lines() {
            let word = if line.starts_with("let ") { "" } else { "expect " };
            text.push_str(&format!("  {word}{line}\n"));
        }
    } else {
        text.push_str("pub graph example() -> none {\n");
        for line in example.code.lines() {
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str("  none\n");
    }
    text + "}\n"
}

#[test]
fn every_example_compiles() {
    let mut wrong = Vec::new();
    let all = examples();
    assert!(all.len() > 100, "only {} examples were found", all.len());
    for example in all {
        let name = format!("std/{}.kait:{}", example.module, example.line);
        let text = program(&example);
        let compiled = compile(&MemorySources::single("example.kait", text.as_str()), &["example.kait"]);
        if compiled.has_errors() {
            let shown = terminal::render(&compiled.diagnostics, &compiled.files, Style::default());
            wrong.push(format!("{name}\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{} of the examples:\n{}", wrong.len(), wrong.join("\n"));
}
