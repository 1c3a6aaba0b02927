//! The production parser reports no syntax error exactly where the grammar accepts: over all KAIT
//! in the project, and over a fixed sample of random programs. For more of them:
//! `cargo run --release -p kait-tests --bin differential -- --count 100000`.

use kait_tests::{differential, sources};

fn report(found: &[differential::Disagreement]) {
    let texts: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{} disagreements\n\n{}", found.len(), texts.join("\n"));
}

#[test]
fn parser_and_grammar_agree_on_everything_written() {
    let found: Vec<_> = sources::kait().unwrap().iter().filter_map(differential::compare).collect();
    report(&found);
}

#[test]
fn parser_and_grammar_agree_on_random_programs() {
    report(&differential::run(&sources::kait().unwrap(), 0, 6_000, 10));
}
