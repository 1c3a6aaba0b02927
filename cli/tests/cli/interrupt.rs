//! Ctrl-C in the middle of a run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Done, kait, program};

#[test]
fn an_interrupted_run_ends_soon_and_leaves_nothing_half_written() {
    let (dir, path) = program(
        "pub graph main(target: text) -> text {\n  out.status(\"begun\")\n  clock.sleep(10m)\n  file.write(target, content: \"done\")\n  \"done\"\n}\n",
    );
    let target = dir.path().join("out.txt");
    let word = format!("target={}", target.display());
    let args = ["run", path.as_str(), word.as_str(), "--no-record"];
    for (args, said) in [(&args[..3], "kait resume r_"), (&args[..], "K9011")] {
        interrupted(args, &target, said);
    }
}

/// What is recorded is kept as it stands, what is not is over.
fn interrupted(args: &[&str], target: &Path, said: &str) {
    let child = kait(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(800));
    let begin = Instant::now();
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let done: Done = child.wait_with_output().unwrap().into();
    assert!(begin.elapsed() < Duration::from_secs(60));
    done.exits(130).says(&["begun", said]);
    assert!(!target.exists());
}
