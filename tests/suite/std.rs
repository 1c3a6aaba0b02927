//! Every example in the documentation of the standard library compiles, and those that can be run hold.

use std::sync::Arc;

use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::hir::{DefId, DefKind};
use kait_compiler::sources::MemorySources;
use kait_compiler::{Compilation, compile};
use kait_engine::Loaded;
use kait_ir::GraphId;
use kait_ir::program::GraphKind;
use kait_runtime::simulate::simulate;
use kait_stdlib::{Example, examples};

/// The example as a program: its expressions are expected in a test, or it is the body of a graph.
fn program(example: &Example) -> String {
    let mut text = String::new();
    if example.file {
        return example.code.clone();
    }
    if example.run {
        text.push_str("test \"example\" {\n");
        for line in example.code.lines() {
            let word = if line.starts_with("let ") { "" } else { "expect " };
            text.push_str(&format!("  {word}{line}\n"));
        }
    } else {
        // The role that examples of `embed` name.
        text.push_str(
            "model vectors_role needs (embedding: 768)\n\npub graph example() -> none {\n",
        );
        for line in example.code.lines() {
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str("  none\n");
    }
    text + "}\n"
}

/// Runs the tests of the program; what does not hold, in words.
pub(crate) fn run_tests(compiled: &Compilation) -> Result<(), String> {
    let is_test = |id: &&DefId| {
        let def = compiled.hir.defs.get(id.index());
        def.is_some_and(|def| matches!(def.kind, DefKind::Test(_)))
    };
    let root = compiled.hir.modules.first().ok_or("there is no module")?;
    let mut count = 0;
    for test in root.defs.iter().filter(is_test) {
        count += 1;
        let program = compiled.lower_test(*test).map_err(|fault| format!("{fault:?}"))?;
        let loaded = Arc::new(Loaded::new(program).map_err(|fault| fault.to_string())?);
        let graphs = &loaded.program().graphs;
        let graph = graphs.iter().position(|graph| graph.kind == GraphKind::Test).unwrap();
        let end = simulate(&loaded, GraphId(graph.try_into().unwrap()));
        if !end.passed() {
            return Err(format!("{:?} {:?} {:?}", end.outcome, end.failed, end.unstubbed));
        }
    }
    if count == 0 { Err("there is no test".to_owned()) } else { Ok(()) }
}

#[test]
fn every_example_compiles_and_holds() {
    let mut wrong = Vec::new();
    let all = examples();
    assert!(all.len() > 100, "only {} examples were found", all.len());
    for example in all {
        let text = program(&example);
        let sources = MemorySources::single("example.kait", text.as_str());
        let compiled = compile(&sources, &["example.kait"]);
        let fault = if compiled.has_errors() {
            terminal::render(&compiled.diagnostics, &compiled.files, Style::default())
        } else if let (true, Err(fault)) = (example.run, run_tests(&compiled)) {
            fault
        } else {
            continue;
        };
        wrong.push(format!("std/{}.kait:{}\n{fault}", example.module, example.line));
    }
    assert!(wrong.is_empty(), "{} of the examples:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn an_example_that_does_not_hold_is_noticed() {
    for (code, holds) in [("text.length(\"tea\") == 3", true), ("text.length(\"tea\") == 4", false)]
    {
        let example =
            Example { module: "text", line: 1, code: format!("{code}\n"), run: true, file: false };
        let text = program(&example);
        let sources = MemorySources::single("example.kait", text.as_str());
        assert_eq!(run_tests(&compile(&sources, &["example.kait"])).is_ok(), holds, "{code}");
    }
}
