//! Fuzzes the passes that read user text, for as long as one likes:
//! `cargo run --release -p kait-tests --bin fuzz -- --minutes 10`.
//!
//! A text that a target fails for is made small and written to tests/corpus/fuzz, where every run
//! of the tests tries it again: commit it together with the repair.
#![expect(clippy::print_stdout, reason = "a command for developers")]

use std::fs;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use kait_tests::fuzz::{Failure, Inputs, Runner, TARGETS, Target};
use kait_tests::{shrink, sources};

/// Fuzz the passes that read user text.
#[derive(Parser)]
struct Options {
    /// How long.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Where the series starts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this target.
    #[arg(long)]
    target: Option<String>,
    /// Stop after so many failures.
    #[arg(long, default_value_t = 10)]
    failures: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let wanted =
        |target: &&Target| options.target.as_deref().is_none_or(|name| name == target.name);
    let targets: Vec<&'static Target> = TARGETS.iter().filter(wanted).collect();
    let names = |targets: &[&'static Target]| {
        targets.iter().map(|target| target.name).collect::<Vec<_>>().join(", ")
    };
    let all: Vec<_> = TARGETS.iter().collect();
    anyhow::ensure!(!targets.is_empty(), "no such target; there are {}", names(&all));

    let known = sources::kait()?.into_iter().map(|source| source.text);
    let mut inputs = Inputs::new(options.seed, known);
    let mut runner = Runner::new()?;
    let folder = sources::root().join("tests/corpus/fuzz");
    // A stack overflow ends the process, whatever is caught: then this file holds the text.
    let current = std::env::temp_dir().join("kait-fuzz-current.kait");
    let end = Instant::now() + Duration::from_secs_f64(options.minutes.max(0.0) * 60.0);
    let (mut texts, mut failures) = (0u64, Vec::<Failure>::new());
    let mut next_report = Instant::now() + Duration::from_secs(30);
    println!(
        "targets: {}; {} interesting texts; current in {}",
        names(&targets),
        inputs.interesting(),
        current.display()
    );
    while Instant::now() < end && failures.len() < options.failures {
        let text = inputs.draw();
        texts += 1;
        fs::write(&current, &text)?;
        let mut sound = true;
        for target in &targets {
            let Err(failure) = runner.run(target, &text) else { continue };
            sound = false;
            // The same words are the same mistake.
            if failures.contains(&failure) {
                continue;
            }
            let hangs = failure.what.starts_with("took longer");
            let small = if hangs {
                runner = Runner::new()?;
                text.clone()
            } else {
                shrink::shrink(&text, |text| runner.run(target, text).as_ref() == Err(&failure))
            };
            fs::create_dir_all(&folder)?;
            let path = folder.join(format!("{}-{}-{texts}.kait", target.name, options.seed));
            fs::write(&path, &small)?;
            println!("{}: {}\n  kept in {}", failure.target, failure.what, path.display());
            failures.push(failure);
        }
        if sound {
            inputs.keep(&text);
        }
        if Instant::now() > next_report {
            next_report += Duration::from_secs(30);
            println!(
                "{texts} texts, {} interesting, {} failures",
                inputs.interesting(),
                failures.len()
            );
        }
    }
    println!("{texts} texts, {} interesting, {} failures", inputs.interesting(), failures.len());
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
