//! Every fix that is offered helps, and a safe one does no harm: for every wrong program of the project, and for a fixed
//! sample of changes of one token of its right ones. `cargo run --release -p kait-tests --bin fixes` tries all changes.

use kait_compiler::Cache;
use kait_tests::fixes::{self, Mistakes};
use kait_tests::{mutations, wrong};

/// Changes that are tried per program.
const TRIES: usize = 30;

#[test]
fn fixes_help() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut cache = Cache::new();
    let (mut tried, mut found) = (0, Vec::new());
    let mut attempt = |name: &str, text: &str, mistakes: Mistakes| {
        let (count, faults) = fixes::faults(text, mistakes, &mut cache);
        tried += count;
        found.extend(faults.iter().map(|fault| format!("{name}\n{fault}")));
    };
    for program in wrong::programs().unwrap() {
        attempt(&program.name, &program.text, Mistakes::Several);
    }
    for program in mutations::programs().unwrap() {
        let tokens = mutations::tokens(&program.text);
        for _ in 0..TRIES {
            if let Some(change) = mutations::any_change(&program.text, &tokens, &mut random) {
                attempt(&program.name, &change.of(&program.text), Mistakes::One);
            }
        }
    }
    assert!(tried > 500, "only {tried} fixes");
    assert!(found.is_empty(), "{} of {tried} do not hold\n{}", found.len(), found.join("\n"));
}
