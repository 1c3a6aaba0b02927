//! `k-cold`: the whole command, from starting the process to the first byte that it prints, and the most memory it had.
//!
//! `kait run` reads, compiles, plans, runs and prints a program that asks no model. The limits of the same run: a
//! process that does nothing, and `kait --version`, which is this binary doing nothing.

#![allow(missing_docs, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

#[path = "../../tests/measure/mod.rs"]
mod measure;

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Starts a command at the repository's root and reads all that it prints: milliseconds to the first byte, or to the
/// end if there is none.
fn start(command: &str, args: &[&str], expected: &str) -> f64 {
    let began = Instant::now();
    let mut child = Command::new(command)
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let mut out = child.stdout.take().expect("its output is piped");
    let mut printed = vec![0];
    let read = out.read(&mut printed).expect("its output can be read");
    let first = began.elapsed().as_secs_f64() * 1e3;
    printed.truncate(read);
    out.read_to_end(&mut printed).expect("its output can be read");
    assert!(child.wait().expect("it ends").success());
    let printed = String::from_utf8(printed).expect("it prints text");
    assert!(printed.contains(expected), "{printed}");
    first
}

/// Peak resident memory of a command in MB, as last seen before it ended: the kernel keeps the peak, so only growth in
/// the last moments can be missed.
fn peak(command: &str, args: &[&str]) -> f64 {
    let mut child = Command::new(command)
        .args(args)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    let process = child.id().to_string();
    let mut peak: f64 = 0.0;
    loop {
        peak = peak.max(measure::memory_mb(&process, "VmHWM").unwrap_or_default());
        if let Some(status) = child.try_wait().expect("it ends") {
            assert!(status.success());
            return peak;
        }
    }
}

fn main() {
    let kait = env!("CARGO_BIN_EXE_kait");
    let report = ["run", "examples/csv_report.kait", "path=examples/data/sales.csv"];
    let expected = "570 units in 3 regions.";
    measure::print_load();
    let nothing = measure::sample(41, || start("true", &[], ""));
    let version = measure::sample(41, || start(kait, &["--version"], "kait"));
    let cold = measure::sample(41, || start(kait, &report, expected));
    nothing.print("limit: a process that does nothing", "ms", None);
    version.print("limit: kait --version", "ms", Some(&nothing));
    cold.print("k-cold: kait run, to the first byte", "ms", Some(&version));
    measure::sample(21, || peak("true", &[])).print("limit: memory of nothing", "MB", None);
    measure::sample(21, || peak(kait, &report)).print("k-cold: peak memory", "MB", None);
}
