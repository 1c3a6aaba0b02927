//! Answers texts that nobody writes: `cargo run --release -p kait-tests --bin stress`.
//!
//! Each family of texts has a process of its own, so that a stack that overflows, memory that runs out and a pass that
//! never ends are findings like others. A pass may take `--factor` times what an ordinary text of as many bytes takes in
//! the same process, and a second; a process may hold so many bytes for each byte of its text, and 128 MB.
#![expect(clippy::print_stdout, reason = "a command for developers")]

use std::fs;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use kait_tests::fuzz::{Runner, TARGETS};
use kait_tests::stress::{CASES, Case, PASSES, Pass, ordinary, programs, seconds};

/// Answer texts that nobody writes, in bounded time and memory.
#[derive(Parser)]
struct Options {
    /// Only families whose names contain this.
    #[arg(long, default_value = "")]
    only: String,
    /// Part of the full size, in percent.
    #[arg(long, default_value_t = 100.0)]
    percent: f64,
    /// How many times longer than an ordinary text of as many bytes a text may take.
    #[arg(long, default_value_t = 20.0)]
    factor: f64,
    /// How many bytes a process may hold for each byte of the text.
    #[arg(long, default_value_t = 400)]
    memory: usize,
    /// Seconds after which a process is stopped.
    #[arg(long, default_value_t = 120)]
    timeout: u64,
    /// Try every beginning of every program instead, and each without one of its tokens or with one twice.
    #[arg(long)]
    edits: bool,
    /// Do not start processes: run one family here.
    #[arg(long, hide = true)]
    here: bool,
}

/// The stack of a server's worker, the smallest that passes run on.
const STACK: usize = 2 << 20;

/// The size of the ordinary text.
const ORDINARY: usize = 1 << 20;

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    if options.edits {
        return edits();
    }
    let cases: Vec<&Case> = CASES.iter().filter(|case| case.name.contains(&options.only)).collect();
    anyhow::ensure!(!cases.is_empty(), "no family has a name with `{}`", options.only);
    if options.here {
        let case = CASES.iter().find(|case| case.name == options.only);
        let case = *case.ok_or_else(|| anyhow::anyhow!("no family `{}`", options.only))?;
        let worker = std::thread::Builder::new().stack_size(STACK);
        let sound = worker.spawn(move || here(&case, &options))?.join();
        return Ok(if matches!(sound, Ok(true)) { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    let mut failed = Vec::new();
    for case in cases {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--here", "--only", case.name])
            .args(["--percent", &options.percent.to_string()])
            .args(["--factor", &options.factor.to_string()])
            .args(["--memory", &options.memory.to_string()])
            .stdin(Stdio::null())
            .spawn()?;
        let end = Instant::now() + Duration::from_secs(options.timeout);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() > end {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        match status {
            Some(status) if status.success() => continue,
            Some(status) => println!("{}: FAILED ({status})", case.name),
            None => println!("{}: FAILED (stopped after {} s)", case.name, options.timeout),
        }
        failed.push(case.name);
    }
    println!("{} failed: {}", failed.len(), failed.join(", "));
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the targets of the fuzzer over all edits of all programs.
fn edits() -> anyhow::Result<ExitCode> {
    let (mut tried, mut failed) = (0u64, 0u64);
    for program in programs()? {
        let mut runner = Runner::new()?;
        for text in kait_tests::stress::edits(&program.text) {
            tried += 1;
            for target in TARGETS {
                if let Err(failure) = runner.run(target, &text) {
                    failed += 1;
                    println!("{}: {}: {}\n{text}\n", program.name, failure.target, failure.what);
                    runner = Runner::new()?;
                }
            }
        }
        println!("{}: {tried} texts so far, {failed} failures", program.name);
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs all passes over a text of a family, and says whether they kept within their bounds.
fn here(case: &Case, options: &Options) -> bool {
    let text: Arc<str> = ordinary(ORDINARY).into();
    let costs: Vec<(&Pass, f64)> =
        PASSES.iter().map(|pass| (pass, seconds(pass, &text) / text.len() as f64)).collect();
    drop(text);
    let pieces = (case.full as f64 * options.percent / 100.0).ceil() as usize;
    let text: Arc<str> = (case.make)(pieces).into();
    let mut line = format!("{:<34} {:>9} bytes", case.name, text.len());
    let mut sound = true;
    for (pass, cost) in costs {
        let took = seconds(pass, &text);
        let usual = cost * text.len() as f64;
        let too_slow = took > options.factor * usual + 1.0;
        sound &= !too_slow;
        let mark = if too_slow { " TOO SLOW" } else { "" };
        line += &format!("  {} {took:.3} s ({:.1}×){mark}", pass.name, took / usual.max(1e-9));
    }
    if let Some(held) = most_held() {
        let too_much = held > options.memory * text.len() + (128 << 20);
        sound &= !too_much;
        let mark = if too_much { " TOO MUCH" } else { "" };
        line += &format!("  {} MB{mark}", held >> 20);
    }
    println!("{line}");
    sound
}

/// The most memory that this process ever had, in bytes, where the system says it.
fn most_held() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse::<usize>().ok().map(|kilobytes| kilobytes << 10)
}
