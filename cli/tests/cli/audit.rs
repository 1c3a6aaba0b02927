//! `kait audit`: what graphs do, what is granted of it, and who decides.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::support::{Done, kait};

const PROGRAM: &str = "\
model smart needs (tools: true)

agent helper(q: text) -> text with (turns: 3, tokens: 1_000) {
  model smart
  user q
  tools [web.fetch with (max_calls: 2)]
}

graph keep(body: text) -> none {
  file.write(\"out/a.md\", endorse(body, because: \"only kept\"))
}

pub graph digest(path: text) -> none {
  let sure: bool = ask(\"Ship it?\", to: \"lead\") with (within: 1d, fallback: false)
  if sure {
    keep(\"${helper(\"q\")} ${file.read(path)}\")
  }
}

trigger daily on schedule.every(1d) {
  digest(\"notes/a.md\")
}
";

const GRANTS: &str = "[grants]\nread = [\"file notes\"]\nmodel = true\nhuman = true\n";

fn audit(directory: &Path, args: &[&str]) -> Done {
    let mut command = kait(&["audit"]);
    command.args(args).current_dir(directory).env("HOME", directory);
    command.output().unwrap().into()
}

fn project(grants: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("digest.kait"), PROGRAM).unwrap();
    fs::write(directory.path().join("kait.toml"), grants).unwrap();
    directory
}

#[test]
fn each_need_has_its_way_and_its_grant() {
    let directory = project(GRANTS);
    let shown = audit(directory.path(), &[]).exits(0).out;
    assert_eq!(
        shown,
        "\
graph digest   digest.kait:13:11
  needs
    write file out/a.md  not granted in kait.toml  digest › keep › file.write (digest.kait:10:3)
    read file …          decided when it runs      digest › file.read (digest.kait:16:28)
    read net …           not granted in kait.toml  digest › helper › web.fetch (digest.kait:6:10)
    model smart          granted                   digest › helper (digest.kait:4:3)
    human lead           granted                   digest (digest.kait:14:20)
  questions
    Ship it?  to lead, within 1d, else false  in digest (digest.kait:14:20)
  endorsements
    body      because: only kept, for callers who do not vouch  in keep (digest.kait:10:26)
    Ship it?  a person answers it                               in digest (digest.kait:14:20)
  agent helper, asks smart
    web.fetch  read net  at most 2 calls

trigger daily   digest.kait:20:9
  needs
    write file out/a.md  not granted in kait.toml  daily › digest › keep › file.write (digest.kait:10:3)
    read file …          decided when it runs      daily › digest › file.read (digest.kait:16:28)
    read net …           not granted in kait.toml  daily › digest › helper › web.fetch (digest.kait:6:10)
    model smart          granted                   daily › digest › helper (digest.kait:4:3)
    human lead           granted                   daily › digest (digest.kait:14:20)
  questions
    Ship it?  to lead, within 1d, else false  in digest (digest.kait:14:20)
  endorsements
    body      because: only kept, for callers who do not vouch  in keep (digest.kait:10:26)
    Ship it?  a person answers it                               in digest (digest.kait:14:20)
  agent helper, asks smart
    web.fetch  read net  at most 2 calls
"
    );
}

#[test]
fn programs_read_it_as_json() {
    let directory = project(GRANTS);
    let report: Json =
        serde_json::from_str(&audit(directory.path(), &["--json"]).exits(0).out).unwrap();
    assert_eq!(report["schema"], "kait.audit/1");
    let file = &report["files"][0];
    assert_eq!((&file["errors"], &file["grants"][0]), (&false.into(), &"kait.toml".into()));
    let graph = &file["graphs"][0];
    assert_eq!((graph["name"].as_str(), graph["kind"].as_str()), (Some("digest"), Some("graph")));
    let need = |effect: &str| {
        let needs = graph["needs"].as_array().unwrap();
        needs
            .iter()
            .find(|need| need["effect"] == effect)
            .unwrap_or_else(|| panic!("{effect}: {graph}"))
    };
    assert_eq!(need("write file out/a.md")["granted"], "no");
    assert_eq!(need("write file out/a.md")["lacking"][0], "kait.toml");
    assert_eq!(need("write file out/a.md")["grant"]["entry"], "file out/a.md");
    assert_eq!(need("read file")["granted"], "when it runs");
    assert_eq!(need("read file")["known"], false);
    let way: Vec<_> = need("write file out/a.md")["way"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["name"].as_str().unwrap())
        .collect();
    assert_eq!(way, ["digest", "keep", "file.write"]);
    assert_eq!(graph["questions"][0]["to"], "lead");
    assert_eq!(graph["endorsements"][0]["says"], "only kept");
    assert_eq!(graph["agents"][0]["tools"][0]["does"][0], "read net");
    assert_eq!(graph["agents"][0]["tools"][0]["max_calls"], "2");
    // Without a table there is nothing to compare.
    let directory = project("");
    let report: Json =
        serde_json::from_str(&audit(directory.path(), &["--json"]).exits(0).out).unwrap();
    assert!(report["files"][0]["graphs"][0]["needs"][0]["granted"].is_null(), "{report}");
}

/// The table that it prints grants all that can be known.
#[test]
fn the_table_that_it_prints_is_enough() {
    let directory = project("");
    let table = audit(directory.path(), &["--grants"]).exits(0).out;
    assert_eq!(
        table,
        "\
[grants]
read = [\"file\", \"net\"]
write = [\"file out/a.md\"]
model = [\"smart\"]
human = [\"lead\"]
# `read file`: which, is known when it runs; a part of it may be enough
# `read net`: which, is known when it runs; a part of it may be enough
"
    );
    fs::write(directory.path().join("kait.toml"), &table).unwrap();
    let mut command = kait(&["check", "--profile", "local"]);
    let done: Done = command
        .current_dir(directory.path())
        .env("HOME", directory.path())
        .output()
        .unwrap()
        .into();
    done.exits(0).says(&["0 errors"]);
}

#[test]
fn what_cannot_be_read_is_said() {
    let directory = project("");
    fs::write(directory.path().join("digest.kait"), "pub graph a() -> int {\n  b\n}\n").unwrap();
    let done = audit(directory.path(), &[]).exits(1);
    assert!(done.err.contains("K0201"), "{}", done.err);
    let report: Json =
        serde_json::from_str(&audit(directory.path(), &["--json"]).exits(1).out).unwrap();
    assert_eq!(report["files"][0]["errors"], true);
    audit(directory.path(), &["nowhere.kait"]).exits(2);
    audit(directory.path(), &["--profile", "nobody"]).exits(2).says(&["K0902"]);
}
