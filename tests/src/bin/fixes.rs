//! Tries the fixes of every wrong program of the project, and of every change of one token of its right ones:
//! `cargo run --release -p kait-tests --bin fixes`. `--every 10` tries every tenth change.
#![expect(clippy::print_stdout, reason = "a command for developers")]

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::Parser;
use kait_compiler::Cache;
use kait_tests::fixes::{self, Mistakes};
use kait_tests::mutations::{self, WAYS};
use kait_tests::wrong;

/// Try the fixes of wrong programs.
#[derive(Parser)]
struct Options {
    /// Try every how-manieth change.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// The first change that is tried.
    #[arg(long, default_value_t = 0)]
    skip: usize,
    /// Which tokens replace others.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many faults are shown of each kind.
    #[arg(long, default_value_t = 3)]
    limit: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let mut random = fastrand::Rng::with_seed(options.seed);
    let mut cache = Cache::new();
    let (mut texts, mut tried) = (0usize, 0usize);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut attempt = |name: &str, text: &str, mistakes: Mistakes| {
        let (count, faults) = fixes::faults(text, mistakes, &mut cache);
        texts += 1;
        tried += count;
        for fault in faults {
            let key = format!("{} {}", fault.code, fault.title);
            found.entry(key).or_default().push(format!("{name}\n{fault}"));
        }
    };
    for program in wrong::programs()? {
        attempt(&program.name, &program.text, Mistakes::Several);
    }
    let mut number = 0usize;
    for program in mutations::programs()? {
        let tokens = mutations::tokens(&program.text);
        for (index, way) in (0..tokens.len()).flat_map(|index| WAYS.map(|way| (index, way))) {
            number += 1;
            let Some(change) = mutations::change(&program.text, &tokens, index, way, &mut random)
            else {
                continue;
            };
            if number % options.every.max(1) == options.skip {
                let name = format!("{} `{}` {way:?}", program.name, change.insert.trim());
                attempt(&name, &change.of(&program.text), Mistakes::One);
            }
        }
    }
    let count: usize = found.values().map(Vec::len).sum();
    for (key, all) in &found {
        println!("==== {key}: {}", all.len());
        for fault in all.iter().take(options.limit) {
            println!("{fault}");
        }
    }
    println!("{texts} texts, {tried} fixes, {count} that do not hold");
    Ok(if count == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
