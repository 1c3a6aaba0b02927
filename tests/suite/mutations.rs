//! One mistake makes one error: a right program in which one token was changed has at most one.
//!
//! Every program of the corpus, every token of it, one change after the other, chosen by a fixed seed. Warnings do not
//! count, and neither does a change that happens to be right.

use std::collections::BTreeMap;

use kait_compiler::compile;
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::sources::MemorySources;
use kait_tests::mutations;

const NAME: &str = "program.kait";

/// Changes that are tried per program; `MUTATIONS=n` tries more.
const TRIES: usize = 60;

/// Of a hundred changed programs so many may have a second error: some changes are two mistakes, such as a declared
/// name that is changed to that of another declaration.
const TOLERATED: f64 = 1.0;

#[test]
fn one_change_makes_at_most_one_error() {
    let tries = std::env::var("MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(TRIES);
    let mut random = fastrand::Rng::with_seed(7);
    let (mut changed, mut several) = (0u32, Vec::new());
    let mut pairs: BTreeMap<String, u32> = BTreeMap::new();
    for source in mutations::programs().unwrap() {
        let tokens = mutations::tokens(&source.text);
        for _ in 0..tries {
            let Some(change) = mutations::any_change(&source.text, &tokens, &mut random) else {
                continue;
            };
            let text = change.of(&source.text);
            let compiled = compile(&MemorySources::single(NAME, text.as_str()), &[NAME]);
            changed += 1;
            let errors: Vec<_> =
                compiled.diagnostics.iter().filter(|one| one.is_error()).cloned().collect();
            if errors.len() > 1 {
                let codes: Vec<_> = errors.iter().map(|one| one.code.as_str()).collect();
                *pairs.entry(codes.join(" ")).or_default() += 1;
                let old = &source.text[change.start..change.end];
                let shown = terminal::render(&errors, &compiled.files, Style::default());
                several.push(format!("{}: `{old}` → `{}`\n{shown}", source.name, change.insert));
            }
        }
    }
    assert!(changed > 200, "only {changed} programs");
    let share = f64::from(u32::try_from(several.len()).unwrap()) * 100.0 / f64::from(changed);
    assert!(
        share <= TOLERATED,
        "{} of {changed} ({share:.1} %) have several errors\n{}\n{pairs:#?}",
        several.len(),
        several.join("\n")
    );
}
