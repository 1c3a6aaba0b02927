//! Compares the production parser with the grammar over any number of random programs:
//! `cargo run --release -p kait-tests --bin differential -- --count 100000 --seed 1`.
#![expect(clippy::print_stdout, reason = "a command for developers")]

use std::process::ExitCode;

use clap::Parser;
use kait_tests::{differential, sources};

/// Compare the production parser with the grammar.
#[derive(Parser)]
struct Options {
    /// How many texts.
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// Where the series starts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many disagreements are shown.
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let sources = sources::kait()?;
    let mut found: Vec<_> = sources.iter().filter_map(differential::compare).collect();
    found.extend(differential::run(&sources, options.seed, options.count, options.limit));
    for disagreement in &found {
        println!("{disagreement}");
    }
    println!("{} texts, {} disagreements", options.count + sources.len() as u64, found.len());
    Ok(if found.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
