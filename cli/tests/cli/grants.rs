//! What `[grants]` lets a run do: the real command, with real files, links and programs.

use std::fs;
use std::path::Path;

use crate::support::{Done, kait};

const PROGRAM: &str = "\
model fast

prompt say(line: text) -> text {
  model fast
  user line
}

pub graph copy(from: text, to: text) -> none {
  file.write(allow(to, matching: r\".*\"), file.read(from))
}

pub graph shown(path: text) -> text {
  file.read(path) catch {
    Refused(why) => why
  }
}

pub graph spoken(line: text) -> text {
  say(line)
}

pub graph page(url: text) -> text {
  let found = web.fetch(url)
  found.body
}

pub graph listed(name: text) -> text {
  let ended = process.run([allow(name, matching: r\".*\"), \"x\"])
  ended.stdout
}
";

struct Project(tempfile::TempDir);

impl Project {
    fn new(own: &str, users: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let project = Self(directory);
        project.write("work/program.kait", PROGRAM);
        project.write("work/kait.toml", own);
        project.write("work/notes/a.md", "tea\n");
        project.write("work/key.txt", "key\n");
        if !users.is_empty() {
            project.write(".config/kait/profiles/local.toml", users);
        }
        project
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn kait(&self, args: &[&str]) -> Done {
        let mut command = kait(args);
        command.current_dir(self.path().join("work")).env("HOME", self.path());
        command.output().unwrap().into()
    }

    fn run(&self, graph: &str, inputs: &[&str]) -> Done {
        let program = format!("program.kait:{graph}");
        let mut args = vec!["run", &program];
        args.extend(inputs);
        self.kait(&args)
    }
}

#[test]
fn a_run_is_held_to_what_kait_toml_grants() {
    let project = Project::new(
        "[grants]\nread = [\"file notes\"]\nwrite = [\"file out\", \"process echo\"]\nmodel = [\"fast\"]\n",
        "",
    );
    project.run("copy", &["from=notes/a.md", "to=out/b.md"]).exits(0);
    assert_eq!(fs::read_to_string(project.path().join("work/out/b.md")).unwrap(), "tea\n");
    project.run("copy", &["from=notes/a.md", "to=notes/b.md"]).exits(1).says(&[
        "K9014",
        "`write file notes/b.md` is not granted in kait.toml: add \"file notes/b.md\" to `write` under [grants]",
    ]);
    for path in ["key.txt", "notes/../key.txt", "/etc/passwd", "nothing"] {
        let done = project.run("copy", &[&format!("from={path}"), "to=out/b.md"]);
        done.exits(1).says(&["K9014", &format!("`read file {path}` is not granted")]);
    }
    // A program can go on from it.
    let shown = project.run("shown", &["path=key.txt"]).exits(0).out;
    assert!(shown.contains("`read file key.txt` is not granted in kait.toml"), "{shown}");
    project.run("spoken", &["line=hello"]).exits(0);
    project
        .run("page", &["url=http://127.0.0.1:1/"])
        .exits(1)
        .says(&["K9014", "\"net 127.0.0.1:1\" to `read`"]);
    assert_eq!(project.run("listed", &["name=echo"]).exits(0).out, "x\n");
    project.run("listed", &["name=cat"]).exits(1).says(&["K9014", "\"process cat\" to `write`"]);
}

#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_it() {
    let project = Project::new("[grants]\nread = [\"file notes\"]\n", "");
    std::os::unix::fs::symlink("../key.txt", project.path().join("work/notes/link")).unwrap();
    project.run("shown", &["path=notes/link"]).exits(0);
    let shown = project.run("shown", &["path=notes/link"]).out;
    assert!(shown.contains("`read file notes/link` is not granted"), "{shown}");
}

#[test]
fn a_profile_narrows_what_its_project_grants() {
    let own = "[grants]\nread = true\nmodel = true\n";
    let project = Project::new(own, "[grants]\nread = [\"file ~/work/notes\"]\n");
    assert_eq!(project.run("shown", &["path=notes/a.md"]).exits(0).out, "tea\n");
    let shown = project.run("shown", &["path=key.txt"]).exits(0).out;
    assert!(shown.contains("is not granted in ~/.config/kait/profiles/local.toml"), "{shown}");
    project.run("spoken", &["line=x"]).exits(1).says(&["`model fast` is not granted in ~/.config"]);
    // What a profile grants, the project need not.
    let project = Project::new("[grants]\nmodel = true\n", "[grants]\nread = true\n");
    let shown = project.run("shown", &["path=notes/a.md"]).exits(0).out;
    assert!(shown.contains("is not granted in kait.toml"), "{shown}");
    // Without a table, all is as the user may do it.
    let project = Project::new("", "");
    assert_eq!(project.run("shown", &["path=key.txt"]).exits(0).out, "key\n");
    let doctor = project.kait(&["doctor", "--offline"]).out;
    assert!(doctor.contains("no [grants]: a run may do what you may"), "{doctor}");
}

#[test]
fn a_table_that_cannot_be_understood_is_an_error_with_its_line() {
    for (table, said) in [
        ("reads = []", "did you mean `read`?"),
        ("read = [\"net.api.example.com\"]", "write \"net api.example.com\""),
        ("model = \"fast\"", "`model` takes a list of texts, or `true`"),
        ("write = [\"process git log\"]", "name the program alone"),
    ] {
        let project = Project::new(&format!("[grants]\n{table}\n"), "");
        let done = project.run("spoken", &["line=x"]);
        done.exits(2).says(&["K0907", "`kait.toml`, line 2", said]);
        project.kait(&["cost", "program.kait"]).exits(2).says(&["K0907", said]);
    }
    let project = Project::new("", "[grants]\nread = [\"file notes\"]\n");
    let done = project.run("spoken", &["line=x"]);
    done.exits(2).says(&["K0907", "local.toml`, line 2", "begins nowhere"]);
    project.kait(&["explain", "K0907"]).exits(0);
    project.kait(&["explain", "K0510"]).exits(0);
}

#[test]
fn what_a_profile_does_not_grant_is_found_before_it_runs() {
    let own = "[grants]\nread = [\"file notes\", \"net *.example.com\"]\nwrite = [\"file out\"]\nmodel = true\n";
    let project = Project::new(own, "");
    project.write(
        "work/digest.kait",
        "\
graph keep(body: text) -> none {
  file.write(\"out/digest.md\", body)
  file.write(\"../digest.md\", body)
}

pub graph digest(path: text) -> none {
  let page = web.fetch(\"https://news.example.com/${path}\")
  let other = web.fetch(\"https://evil.example/${path}\")
  keep(\"${page.body} ${other.body} ${file.read(path)} ${file.read(\"notes/a.md\")}\")
}

trigger daily on schedule.every(1d) {
  digest(\"a\")
}
",
    );
    let check = |profile: &str| project.kait(&["check", "digest.kait", "--profile", profile]);
    let done = check("local").exits(1);
    assert_eq!(done.err.matches("error K0510").count(), 2, "{}", done.err);
    let done = done.says(&[
        "`digest` needs `write file ../digest.md`, which kait.toml does not grant",
        "`digest` calls `keep` here",
        "note: `daily` needs it, too",
        "add \"file ../digest.md\" to `write` under [grants] in kait.toml, or do without it",
        "`digest` needs `read net evil.example`, which kait.toml does not grant",
        "1 file checked: 2 errors, 0 warnings",
    ]);
    assert!(!done.err.contains("news"), "{}", done.err);
    // Of a profile of the user's, by its name.
    project.write(".config/kait/profiles/cloud.toml", "[grants]\nread = [\"net\"]\nwrite = true\n");
    check("cloud").exits(1).says(&[
        "which kait.toml does not grant",
        "`digest` needs `read file`, which ~/.config/kait/profiles/cloud.toml does not grant",
        "add \"file\" to `read`, or a part such as \"file notes\" under [grants]",
    ]);
    check("nobody").exits(2).says(&["K0902", "nobody"]);
    project.kait(&["check", "digest.kait"]).exits(0);
    let json = project.kait(&["check", "digest.kait", "--profile", "local", "--json"]).exits(1).out;
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let labels = report["diagnostics"][0]["labels"].as_array().unwrap();
    assert!(
        labels.iter().any(|label| label["text"].as_str().unwrap().contains("calls `keep`")),
        "{json}"
    );
    let project = Project::new("", "");
    project
        .kait(&["check", "program.kait", "--profile", "local"])
        .exits(0)
        .says(&["nothing is refused"]);
}

#[test]
fn what_is_shown_and_who_is_asked_is_granted_too() {
    let project = Project::new("[grants]\nhuman = [\"lead\"]\n", "");
    project.write(
        "work/people.kait",
        "\
pub graph says() -> text {
  out.status(\"working\")
  \"done\"
}

pub graph asks() -> bool {
  let sure: bool = ask(\"Ship it?\", to: \"boss\") with (within: 1d, fallback: false)
  sure
}

pub graph granted() -> bool {
  let sure: bool = ask(\"Ship it?\", to: \"lead\") with (within: 1d, fallback: false)
  sure
}
",
    );
    let run = |graph: &str| project.kait(&["run", &format!("people.kait:{graph}")]);
    let done = run("says").exits(1).says(&["K9014", "`emit` is not granted in kait.toml"]);
    assert!(!done.err.contains("working"), "{}", done.err);
    // A refusal is a failure like any other, so the fallback counts.
    assert_eq!(run("asks").exits(0).out.trim(), "false");
    // Who may be asked is asked, and nobody is there.
    run("granted").exits(3).says(&["waits: a question is to be answered by `lead`"]);
}

/// `strict = true` of either file: what is private leaves only with approval.
#[test]
fn a_strict_profile_lets_nothing_private_out() {
    let project = Project::new("", "");
    let report = "pub graph report(path: text) -> text {\n  web.fetch(\"http://127.0.0.1:9/?q=${file.read(path)}\").body\n}\n";
    project.write("work/report.kait", report);
    project.write("work/plain.kait", "pub graph plain(x: text) -> text {\n  x\n}\n");
    let check = |file: &str| project.kait(&["check", file, "--profile", "local"]);
    check("report.kait").exits(0);
    let shown = project.kait(&["audit", "report.kait"]).exits(0);
    assert!(shown.out.contains("warning: nobody approves it"), "{}", shown.out);
    let run = || project.kait(&["run", "report.kait", "path=notes/a.md"]);
    assert!(!run().err.contains("K0604"));
    for (own, users) in [("strict = true\n", ""), ("", "strict = true\n")] {
        project.write("work/kait.toml", own);
        project.write(".config/kait/profiles/local.toml", users);
        let done = check("report.kait").exits(1);
        done.says(&[
            "error K0604",
            "`web.fetch` sends this out, and it is private",
            "comes from a file",
        ]);
        run().exits(1).says(&["K0604"]);
        let refused = project.kait(&["run", "report.kait", "--json", "path=notes/a.md"]).exits(1);
        let refused: serde_json::Value = serde_json::from_str(&refused.out).unwrap();
        assert_eq!(
            (&refused["state"], &refused["error"]["code"]),
            (&"refused".into(), &"K0604".into())
        );
        let audited = project.kait(&["audit", "report.kait", "--json"]).exits(0);
        let audited: serde_json::Value = serde_json::from_str(&audited.out).unwrap();
        let out = &audited["files"][0]["graphs"][0]["outflows"][0];
        assert_eq!((&out["severity"], &out["approved"]), (&"error".into(), &false.into()), "{out}");
        check("plain.kait").exits(0);
        project.kait(&["run", "plain.kait", "x=tea"]).exits(0);
        // Without a profile, the program alone is looked at.
        project.kait(&["check", "report.kait"]).exits(0);
    }
    project.write("work/kait.toml", "strict = \"yes\"\n");
    check("report.kait").exits(2).says(&["K0902", "expected `true` or `false`"]);
}
