//! Starting the command, and what every test asks of what comes out.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use kait_engine::segment::{Segment, SegmentLog};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The command, run at the repository's root, with no profile of the machine in reach.
pub fn kait(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kait"));
    command.args(args).current_dir(root()).stdin(Stdio::null());
    command.env("HOME", root().join("tests")).env_remove("XDG_CONFIG_HOME");
    command.env("XDG_DATA_HOME", data()).env_remove("KAIT_PROFILE").env("NO_COLOR", "1");
    command
}

/// Where a command keeps what it records: nobody else's.
fn data() -> PathBuf {
    static BASE: LazyLock<PathBuf> = LazyLock::new(|| {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("data");
        // What earlier tests have left.
        let _ = std::fs::remove_dir_all(&base);
        base
    });
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    BASE.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string())
}

/// What it wrote and how it ended.
pub struct Done {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// The exit code.
    pub code: i32,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

impl Done {
    /// It ended with that code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Stderr has all of these parts.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "`{part}` is missing in:\n{}", self.err);
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }
}

/// Runs it to its end.
pub fn run(args: &[&str]) -> Done {
    kait(args).output().unwrap().into()
}

/// Runs it with something on standard input.
pub fn run_with(args: &[&str], input: &[u8]) -> Done {
    let mut child = kait(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The command may end before it has read everything: that is its right.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap().into()
}

/// A run with every record on stdout; the records hold the invariants of the log.
pub fn log_of(args: &[&str]) -> Vec<Segment> {
    let mut words = args.to_vec();
    words.push("--json=lines");
    let done = run(&words);
    let records: Vec<Segment> = done
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    assert!(!records.is_empty(), "no records; stderr:\n{}", done.err);
    SegmentLog::check(&records).unwrap_or_else(|e| panic!("{args:?}: {e}"));
    records
}

/// A directory with one program in it.
pub fn program(text: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("program.kait");
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (directory, path)
}
