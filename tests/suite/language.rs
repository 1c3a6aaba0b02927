//! The tests that stand in the examples and in the programs of the corpus pass, run by the same engine as any program.

use std::fs;

use kait_compiler::compile;
use kait_compiler::sources::MemorySources;
use kait_tests::sources;

use crate::running::run_tests;

const NAME: &str = "main.kait";

/// Runs every test of a text; gives how many there were, and what went wrong.
fn run(name: &str, text: &str) -> (usize, Vec<String>) {
    let compilation = compile(&MemorySources::single(NAME, text), &[NAME]);
    let errors: Vec<String> = compilation
        .diagnostics
        .iter()
        .filter(|found| found.is_error())
        .map(|found| format!("{name}: {}: {}", found.code, found.message))
        .collect();
    if !errors.is_empty() {
        return (0, errors);
    }
    let (count, wrong) = run_tests(&compilation);
    let shown = wrong.into_iter().map(|wrong| {
        format!("{name}:{}, {:?}: {}: {}", wrong.line, wrong.test, wrong.code, wrong.message)
    });
    (count, shown.collect())
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
