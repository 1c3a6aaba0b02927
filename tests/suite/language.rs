//! The tests that stand in the examples and in the programs of the corpus pass, run by the same engine as any program.

use std::fs;
use std::sync::Arc;

use kait_compiler::compile;
use kait_compiler::hir::{DefId, DefKind};
use kait_compiler::sources::MemorySources;
use kait_engine::Loaded;
use kait_ir::GraphId;
use kait_runtime::simulate::simulate;
use kait_tests::sources;

const NAME: &str = "main.kait";

/// Runs every test of a text; gives how many there were, and what went wrong.
fn run(name: &str, text: &str) -> (usize, Vec<String>) {
    let compilation = compile(&MemorySources::single(NAME, text), &[NAME]);
    let mut wrong: Vec<String> = compilation
        .diagnostics
        .iter()
        .filter(|found| found.is_error())
        .map(|found| format!("{name}: {}: {}", found.code, found.message))
        .collect();
    if !wrong.is_empty() {
        return (0, wrong);
    }
    let mut count = 0;
    for (index, def) in (0u32..).zip(&compilation.hir.defs) {
        if def.module.index() != 0 || !matches!(def.kind, DefKind::Test(_)) {
            continue;
        }
        count += 1;
        let label = format!("{name}, {:?}", def.name.as_str());
        match compilation.lower_test(DefId(index)) {
            Err(error) => wrong.push(format!("{label}: {}: {}", error.code, error.message)),
            Ok(program) => {
                let loaded = Arc::new(Loaded::new(program).expect("a lowered program loads"));
                let end = simulate(&loaded, GraphId(0));
                if !end.passed() {
                    wrong.push(format!(
                        "{label}: {:?}, failed: {:#?}, unstubbed: {:?}",
                        end.outcome, end.failed, end.unstubbed
                    ));
                }
            }
        }
    }
    (count, wrong)
}

#[test]
fn tests_of_programs_pass() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for path in sources::files().unwrap() {
        let name = path.to_string_lossy().replace('\\', "/");
        let runs = (name.starts_with("examples/") && name.ends_with(".kait"))
            || (1..=5).any(|n| name.starts_with(&format!("tests/corpus/programs/0{n}_")));
        if !runs {
            continue;
        }
        let text = fs::read_to_string(sources::root().join(&path)).unwrap();
        let (found, bad) = run(&name, &text);
        count += found;
        wrong.extend(bad);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 10, "only {count} tests were found");
}
