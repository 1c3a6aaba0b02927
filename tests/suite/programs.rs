//! Acceptance programs: they have no findings, and their tests pass. What they import from MCP servers is pinned beside them.

use std::fs;

use kait_compiler::compile;
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::sources::MemorySources;
use kait_tests::sources;

use crate::running::run_tests;

/// What a program needs beside its text.
const LOCK: &str = "kait.lock";

/// How many there are, and how many tests are in them.
const COUNTS: (usize, usize) = (14, 5);

#[test]
fn programs_check_and_their_tests_pass() {
    let folder = sources::root().join("tests/corpus/programs");
    let lock = fs::read_to_string(folder.join(LOCK)).unwrap();
    let mut wrong = Vec::new();
    let mut seen = (0, 0);
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !name.ends_with(".kait") {
            continue;
        }
        seen.0 += 1;
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        let mut sources = MemorySources::single(name.as_str(), text);
        sources.insert(LOCK, lock.as_str());
        let compiled = compile(&sources, &[name.as_str()]);
        if !compiled.diagnostics.is_empty() {
            let shown = terminal::render(&compiled.diagnostics, &compiled.files, Style::default());
            wrong.push(format!("{name}:\n{shown}"));
            continue;
        }
        let (count, failed) = run_tests(&compiled);
        seen.1 += count;
        wrong.extend(
            failed
                .iter()
                .map(|wrong| format!("{name}:{}: {}: {}", wrong.line, wrong.code, wrong.message)),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert_eq!(seen, COUNTS, "programs or tests are missing");
}
