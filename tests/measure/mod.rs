//! What the whole-piece benchmarks share: repeating, ordering, printing. Included by path; no target of its own.
//!
//! A figure is printed with its median, minimum and maximum, and with its ratio to a limit that was measured in the
//! same process: absolute times of another run or another machine say little. Nothing here judges a time.

#![allow(
    dead_code,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "shared by benchmarks, which print"
)]

use std::time::Instant;

/// Samples of one figure, ascending.
pub struct Samples(Vec<f64>);

/// How often to repeat: `wanted` times under `cargo bench`, once where benchmarks are only tried out.
pub fn repetitions(wanted: usize) -> usize {
    if std::env::args().any(|arg| arg == "--bench") { wanted } else { 1 }
}

/// Runs `work` once to warm up, then for every sample; it gives its own figure.
pub fn sample(wanted: usize, mut work: impl FnMut() -> f64) -> Samples {
    work();
    let mut samples: Vec<f64> = (0..repetitions(wanted)).map(|_| work()).collect();
    samples.sort_by(f64::total_cmp);
    Samples(samples)
}

/// Seconds that `work` takes, result aside.
pub fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = work();
    (start.elapsed().as_secs_f64(), value)
}

impl Samples {
    /// The value that a share of the samples (0 to 1) does not exceed.
    pub fn at(&self, share: f64) -> f64 {
        let last = self.0.len() - 1;
        self.0[((last as f64) * share).round() as usize]
    }

    /// The smallest.
    pub fn min(&self) -> f64 {
        self.at(0.0)
    }

    /// The middle.
    pub fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// One line: median, minimum, 99th percentile, maximum, and the ratio of the minima to a limit of this run: what
    /// else the machine does disturbs minima least.
    pub fn print(&self, name: &str, unit: &str, limit: Option<&Self>) {
        let ratio = limit.map_or(String::new(), |limit| {
            format!("  x{:.2} of the limit", self.min() / limit.min())
        });
        println!(
            "{name:<44} median {:>10.3} {unit}  min {:.3}  p99 {:.3}  max {:.3}  n={}{ratio}",
            self.median(),
            self.min(),
            self.at(0.99),
            self.at(1.0),
            self.0.len(),
        );
    }
}

/// A value of `/proc/<process>/status` in MB, where there is such a thing.
pub fn memory_mb(process: &str, key: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kilobytes: f64 =
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// How busy the machine is, for the reader of the figures.
pub fn print_load() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!(
        "load {}on {cores} cores",
        load.split(' ').take(3).map(|n| format!("{n} ")).collect::<String>()
    );
}
