//! Runs the tests that stand in a program, with the same engine as any program, and says what each did wrong.

use std::sync::Arc;

use kait_compiler::Compilation;
use kait_compiler::diagnostics::FileId;
use kait_compiler::hir::{DefId, DefKind};
use kait_engine::event::Outcome;
use kait_engine::{Loaded, Site};
use kait_ir::GraphId;
use kait_ir::program::GraphKind;
use kait_runtime::report::words;
use kait_runtime::simulate::simulate;

/// Why a test did not pass.
pub struct Wrong {
    /// The name of the test.
    pub test: String,
    /// The line of the program that it is about, from 1; the test's own if there is none.
    pub line: usize,
    /// The code that `kait test` shows.
    pub code: &'static str,
    /// What happened.
    pub message: String,
}

/// Runs every test of the first module of a program without errors: how many there are, and what went wrong.
pub fn run_tests(compilation: &Compilation) -> (usize, Vec<Wrong>) {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (index, def) in (0u32..).zip(&compilation.hir.defs) {
        if def.module.index() != 0 || !matches!(def.kind, DefKind::Test(_)) {
            continue;
        }
        count += 1;
        let test = def.name.to_string();
        let line_at = |file: FileId, start: u32| {
            let file = compilation.files.get(file);
            file.map_or(0, |file| file.lines.line_col(start.into()).line as usize + 1)
        };
        let own = line_at(def.name_span.file, def.name_span.start);
        let program = match compilation.lower_test(DefId(index)) {
            Ok(program) => program,
            Err(fault) => {
                let message = format!("it is not lowered: {}: {}", fault.code, fault.message);
                wrong.push(Wrong { test, line: own, code: "K0091", message });
                continue;
            }
        };
        let loaded = Arc::new(Loaded::new(program).expect("a lowered program loads"));
        let graphs = &loaded.program().graphs;
        let graph = graphs.iter().position(|g| g.kind == GraphKind::Test).unwrap_or(0);
        let end = simulate(&loaded, GraphId(u32::try_from(graph).unwrap_or(0)));
        let line = |site: Site| {
            let region = loaded.program().regions.get(site.region.index());
            let node = region.and_then(|region| region.nodes.get(site.node as usize));
            let span = node.and_then(|node| node.span);
            span.map_or(own, |span| line_at(FileId(span.file), span.start))
        };
        let mut add = |line, code, message| {
            wrong.push(Wrong { test: test.clone(), line, code, message });
        };
        for call in &end.unstubbed {
            let given = call.args.join(", ");
            add(line(call.site), "K0801", format!("`{}` has no stub for ({given})", call.name));
        }
        for failed in &end.failed {
            let mut message = format!("expected {}", failed.source);
            for (source, value) in &failed.shows {
                message.push_str(&format!("; {source} is {value}"));
            }
            if let Some(failure) = &failed.failure {
                let (code, words, _) = words(failure);
                message.push_str(&format!("; it failed: {words} ({code})"));
            }
            add(line(failed.site), "K0804", message);
        }
        if let Outcome::Failed(failure) = &end.outcome
            && end.unstubbed.is_empty()
        {
            let (code, words, _) = words(failure);
            add(own, code, words);
        }
    }
    (count, wrong)
}
