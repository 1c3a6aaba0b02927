//! Runs that are killed and gone on with, answered while nothing runs, shown, replayed and cancelled: with the command itself.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::support::{Done, kait};

const PROGRAM: &str = r#"
pub graph slow(name: text) -> text {
  let a = file.read("a.txt")
  file.append("log.txt", content: "one ${name}\n")
  clock.sleep(2s)
  file.append("log.txt", content: "two ${a}\n")
  "done ${name} ${a}"
}

pub graph asking(words: trusted text) -> text {
  let a = file.read("a.txt")
  file.append("log.txt", content: "asked\n")
  file.write("out.txt", content: words) with (approve: "lead", within: 1h, edit: [.content])
  let sure: bool = ask("Sure about ${a}?", to: "lead") with (within: 1h, fallback: false)
  "written ${sure}"
}
"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("p.kait"), PROGRAM).unwrap();
        std::fs::write(place.path().join("a.txt"), "first").unwrap();
        Self(place)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = kait(args);
        command.current_dir(self.path()).env("HOME", self.path());
        command.env("XDG_DATA_HOME", self.path().join("data"));
        command
    }

    fn kait(&self, args: &[&str]) -> Done {
        self.command(args).output().unwrap().into()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("log.txt")).unwrap_or_default()
    }

    fn runs(&self) -> Vec<Json> {
        let listed = self.kait(&["runs", "--json"]).exits(0);
        serde_json::from_str(&listed.out).unwrap()
    }
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_stood() {
    let place = Place::new();
    let mut child = place
        .command(&["run", "p.kait:slow", "name=x"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !place.log().contains("one") {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    // What was written outside may be ahead of what is recorded of it: then it is not known whether it happened.
    std::thread::sleep(Duration::from_millis(500));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(place.log(), "one x\n");
    assert_eq!(place.runs()[0]["state"], "running");
    // The program and what it read may change: the run goes on with what it had.
    std::fs::write(place.path().join("a.txt"), "second").unwrap();
    std::fs::write(place.path().join("p.kait"), "nothing of a program").unwrap();
    let done = place.kait(&["resume", "last"]).exits(0);
    assert_eq!(done.out, "done x first\n");
    assert_eq!(place.log(), "one x\ntwo first\n");
    // Once it has ended, it is not gone on with.
    place.kait(&["resume", "last"]).exits(2).says(&["K9066"]);
    place.kait(&["replay", "last"]).exits(0).says(&["identical"]);
    let shown = place.kait(&["runs", "show", "last"]).exits(0);
    for part in ["file.read", "→ first", "file.append (writes)", "done x first"] {
        assert!(shown.out.contains(part), "`{part}` is missing in:\n{}", shown.out);
    }
}

#[test]
fn a_run_waits_for_people_who_answer_while_nothing_runs() {
    let place = Place::new();
    place
        .kait(&["run", "p.kait:asking", "words=draft"])
        .exits(3)
        .says(&["`file.write`", "kait inbox"]);
    assert_eq!(place.runs()[0]["state"], "waiting");
    let listed = place.kait(&["inbox"]).exits(0);
    assert!(listed.out.contains("may `file.write` be called? (lead)"), "{}", listed.out);
    let shown = place.kait(&["inbox", "show", "1"]).exits(0);
    assert!(shown.out.contains("out.txt") && shown.out.contains("draft"), "{}", shown.out);
    // Nobody can change what `edit:` does not list, nor answer something else.
    place.kait(&["inbox", "approve", "1", "--edit", "path=x"]).exits(2).says(&["K9041", "edit"]);
    place.kait(&["inbox", "answer", "1", "true"]).exits(2).says(&["K9041"]);
    place.kait(&["inbox", "approve", "9"]).exits(2).says(&["K9065"]);
    place
        .kait(&["inbox", "approve", "1", "--edit", "content=better"])
        .exits(0)
        .says(&["kait resume"]);
    // The first answer counts.
    place.kait(&["inbox", "reject", "1"]).exits(2).says(&["K9065"]);
    place.kait(&["resume", "last"]).exits(3).says(&["Sure about first?"]);
    assert_eq!(std::fs::read_to_string(place.path().join("out.txt")).unwrap(), "better");
    place.kait(&["inbox", "answer", "2", "perhaps"]).exits(2).says(&["K9041"]);
    place.kait(&["inbox", "answer", "2", "true"]).exits(0);
    let done = place.kait(&["resume", "last"]).exits(0);
    assert_eq!(done.out, "written true\n");
    // Nothing above the questions was done again.
    assert_eq!(place.log(), "asked\n");
    place.kait(&["replay", "last"]).exits(0).says(&["identical"]);
    assert!(place.kait(&["inbox"]).exits(0).out.is_empty());
}

#[test]
fn what_is_refused_is_not_done() {
    let place = Place::new();
    place.kait(&["run", "p.kait:asking", "words=draft"]).exits(3);
    place.kait(&["inbox", "reject", "1", "--why", "not now"]).exits(0);
    place.kait(&["resume", "last"]).exits(1).says(&["K9012", "not now"]);
    assert!(!place.path().join("out.txt").exists());
    assert_eq!(place.runs()[0]["state"], "failed");
}

#[test]
fn a_run_that_waits_can_be_cancelled() {
    let place = Place::new();
    place.kait(&["run", "p.kait:asking", "words=draft"]).exits(3);
    place.kait(&["cancel", "last"]).exits(0).says(&["cancelled"]);
    assert_eq!(place.runs()[0]["state"], "cancelled");
    assert!(place.kait(&["inbox"]).exits(0).out.is_empty());
    place.kait(&["resume", "last"]).exits(2).says(&["K9066"]);
}

#[test]
fn without_a_record_nothing_is_left() {
    let place = Place::new();
    let args = ["run", "p.kait:asking", "words=draft", "--no-record"];
    place.kait(&args).exits(3).says(&["K9024"]);
    assert!(place.runs().is_empty());
    place.kait(&["runs", "show", "last"]).exits(2).says(&["K9046"]);
    assert!(!place.path().join("data").exists());
}

#[test]
fn runs_are_named_by_their_beginning_and_pruned_by_their_end() {
    let place = Place::new();
    for _ in 0..2 {
        place.kait(&["run", "p.kait:asking", "words=draft"]).exits(3);
    }
    let names: Vec<_> =
        place.runs().iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect();
    place.kait(&["cancel", &names[0]]).exits(0);
    place.kait(&["runs", "show", "r_zzzz"]).exits(2).says(&["K9046"]);
    place.kait(&["runs", "show", &names[0][..4]]).exits(2).says(&["2 runs begin"]);
    place.kait(&["runs", "prune", "--days", "0"]).exits(0).says(&["removed 1 runs"]);
    assert_eq!(place.runs().len(), 1);
    assert_eq!(place.runs()[0]["run"].as_str().unwrap(), names[1]);
}
