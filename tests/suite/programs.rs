//! Acceptance programs: those that this version checks have no findings, and their tests pass.

use std::fs;

use kait_compiler::compile;
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::sources::MemorySources;
use kait_tests::sources;

use crate::running::run_tests;

/// What a program needs beside its text.
const LOCK: &str = "kait.lock";

/// The programs that check without findings.
const CHECKED: &[&str] = &["01", "02", "03", "04", "05", "07", "11", "12", "14"];

#[test]
fn programs_check_and_their_tests_pass() {
    let folder = sources::root().join("tests/corpus/programs");
    let lock = fs::read_to_string(folder.join(LOCK)).ok();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !CHECKED.iter().any(|number| name.starts_with(number)) {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        let mut sources = MemorySources::single(name.as_str(), text);
        if let Some(lock) = &lock {
            sources.insert(LOCK, lock.as_str());
        }
        let compiled = compile(&sources, &[name.as_str()]);
        if !compiled.diagnostics.is_empty() {
            let shown = terminal::render(&compiled.diagnostics, &compiled.files, Style::default());
            wrong.push(format!("{name}:\n{shown}"));
            continue;
        }
        let (_, failed) = run_tests(&compiled);
        wrong.extend(
            failed
                .iter()
                .map(|wrong| format!("{name}:{}: {}: {}", wrong.line, wrong.code, wrong.message)),
        );
    }
    assert_eq!(seen, CHECKED.len(), "programs are missing");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
