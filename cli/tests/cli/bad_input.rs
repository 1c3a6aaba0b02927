//! Wrong words, wrong values, wrong files: each a clear message with a code, and the right exit code.

use crate::support::{program, root, run, run_with};

const TRIAGE: &str = "examples/triage.kait";

#[test]
fn parameters_that_are_missing_surplus_or_ill_typed() {
    run(&["run", TRIAGE]).exits(2).says(&["K9041", "`message` is missing (text)"]);
    run(&["run", TRIAGE, "mesage=x"]).exits(2).says(&["K9041", "did you mean `message`"]);
    run(&["run", TRIAGE, "message=x", "message=y"]).exits(2).says(&["given twice"]);
    run(&["run", TRIAGE, "hello"]).exits(2).says(&["K9041", "write `name=hello`"]);
    let (_dir, path) = program(
        "enum Size { Small, Large }\n\npub graph main(n: int where (max: 3), size: Size, days: duration, xs: [int]) -> int {\n  n + list.length(xs)\n}\n",
    );
    run(&["run", &path, "n=9", "size=huge", "days=soon", "xs=[1, \"a\"]"]).exits(2).says(&[
        "`n` does not fit",
        "one of small, large",
        "duration such as 90s",
        "`xs` at `/1` does not fit",
    ]);
    let done = run(&["run", &path, "n=1", "size=Small", "days=2d", "xs:=[1, 2]"]).exits(0);
    assert_eq!(done.out, "3\n");
}

#[test]
fn an_optional_parameter_may_be_left_out() {
    let (_dir, path) = program(
        "pub graph main(name: text?, n: int? where (max: 3)) -> text {\n  \"${name ?? \"you\"} ${n ?? 0}\"\n}\n",
    );
    assert_eq!(run(&["run", &path]).exits(0).out, "you 0\n");
    assert_eq!(run(&["run", &path, "name=Ada"]).exits(0).out, "Ada 0\n");
    assert_eq!(run_with(&["run", &path, "--input", "-"], b"{\"n\": 2}").exits(0).out, "you 2\n");
    run(&["run", &path, "n=7"]).exits(2).says(&["K9041", "`n` does not fit"]);
}

#[test]
fn a_generic_prompt_is_asked_for_what_each_call_wants() {
    let (_dir, path) = program(
        "model fast\n\nrecord Point {\n  x: int\n}\n\nprompt read<T>(s: text) -> T {\n  model fast\n  user s\n}\n\npub graph main(s: text) -> int {\n  let point: Point = read(s)\n  let points: [Point] = read(s)\n  point.x * 0 + list.length(points) * 0\n}\n",
    );
    assert_eq!(run(&["run", &path, "s=x", "--offline"]).exits(0).out, "0\n");
}

#[test]
fn calls_that_nest_too_deep_are_said_shortly() {
    let (_dir, path) = program(
        "pub graph d(n: int) -> int with (depth: 100000) {\n  if n == 0 { 0 } else { 1 + d(n - 1) }\n}\n",
    );
    let done = run(&["run", &path, "n=20000"]).exits(1);
    let done = done.says(&["K9020", "the limit is 10000 blocks within each other"]);
    assert!(done.err.len() < 2_000, "{}", done.err);
}

#[test]
fn inputs_from_files_and_json() {
    let done = run(&["run", "examples/hello.kait", "name=@rustfmt.toml", "--offline"]).exits(0);
    assert!(done.out.contains("max_width"));
    run(&["run", "examples/hello.kait", "name=@nothing.txt"]).exits(2).says(&["there is no file"]);
    run(&["run", "examples/hello.kait", "name:=7"]).exits(2).says(&["K9041", "`name`"]);
    run(&["run", "examples/hello.kait", "name:=[", "--offline"]).exits(2).says(&["not valid JSON"]);
    let done = run_with(
        &["run", "examples/hello.kait", "--input", "-", "--offline"],
        b"{\"name\": \"Ada\"}",
    );
    assert!(done.exits(0).out.contains("Ada"));
    run_with(&["run", "examples/hello.kait", "--input", "-"], b"[1]").exits(2).says(&["a list"]);
    run_with(&["run", "examples/hello.kait", "--input", "-"], b"{")
        .exits(2)
        .says(&["not valid JSON"]);
    run_with(&["run", "examples/hello.kait", "name=@-", "--offline"], b"\xff\xfe")
        .exits(1)
        .says(&["not UTF-8"]);
}

#[test]
fn files_that_are_not_programs() {
    for command in ["run", "check", "test", "fmt", "graph"] {
        let done = run(&[command, "examples/helo.kait"]);
        assert_ne!(done.code, 0, "{command}");
        done.says(&["K0901", "did you mean `examples/hello.kait`?"]);
    }
    run(&["run", "examples"]).exits(2).says(&["K0901", "is a directory"]);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bytes.kait");
    std::fs::write(&path, b"\xff\xfe\x00graph").unwrap();
    let path = path.to_str().unwrap();
    run(&["run", path]).exits(2).says(&["K0901", "not UTF-8"]);
    run(&["check", path]).exits(1).says(&["K0901", "not UTF-8"]);
    run(&["check", directory.path().join("nothing").to_str().unwrap()]).exits(2).says(&["K0901"]);
}

#[test]
fn wrong_words_are_usage() {
    run(&["rum"]).exits(2);
    run(&["run"]).exits(2);
    run(&["run", TRIAGE, "message=x", "--colour"]).exits(2);
    run(&["run", "tests/corpus/programs/02_summarise.kait"]).exits(2).says(&[
        "K9040",
        "2 public graphs",
        "02_summarise.kait:summarise_page",
    ]);
    run(&["run", "tests/corpus/programs/02_summarise.kait:nothing"]).exits(2).says(&["K9040"]);
    let (_dir, path) = program("graph hidden() -> int {\n  1\n}\n");
    run(&["run", &path]).exits(2).says(&["K9040", "no `pub graph`"]);
}

#[test]
fn a_broken_profile_is_named() {
    let (dir, path) = program("pub graph main() -> int {\n  1\n}\n");
    std::fs::write(dir.path().join("kait.toml"), "[models.fast]\nprovider = 3\n").unwrap();
    run(&["run", &path]).exits(2).says(&["K0902", "kait.toml"]);
    run(&["run", TRIAGE, "message=x", "--profile", "nobody"]).exits(2).says(&["K0902", "nobody"]);
}

#[test]
fn failures_of_a_run_have_codes_places_and_exit_codes() {
    let (_dir, path) = program(
        "pub graph divide(a: int, b: int) -> int {\n  a / b\n}\n\n\
         pub graph slow(wait: duration) -> text with (time: 50ms) {\n  clock.sleep(wait)\n  \"late\"\n}\n\n\
         pub graph own(x: int) -> int {\n  if x > 1 { fail \"too much\" } else { x }\n}\n\n\
         pub graph reads() -> text {\n  file.read(\"nothing.txt\")\n}\n",
    );
    let graph = |name: &str| format!("{path}:{name}");
    run(&["run", &graph("divide"), "a=1", "b=0"]).exits(1).says(&["K9018", "kait explain K9018"]);
    run(&["run", &graph("slow"), "wait=30s"]).exits(4).says(&["K9019"]);
    run(&["run", &graph("own"), "x=5"]).exits(1).says(&["K9023", "too much"]);
    run(&["run", &graph("reads")]).exits(1).says(&["K9017", "nothing.txt", "program.kait:15:3"]);
    let done = run(&["run", &graph("reads"), "--json"]).exits(1);
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(json["failure"]["kind"], "tool");
    assert_eq!(json["error"]["code"], "K9017");
}

#[test]
fn a_model_that_is_not_there_is_said_without_its_key() {
    let (dir, path) =
        program(&std::fs::read_to_string(root().join("examples/hello.kait")).unwrap());
    let profile = "[models.fast]\nprovider = \"openai\"\nmodel = \"m\"\nbase_url = \"http://127.0.0.1:9/v1\"\nkey_env = \"TEST_KEY\"\n";
    std::fs::write(dir.path().join("kait.toml"), profile).unwrap();
    run(&["run", &path]).exits(1).says(&["`TEST_KEY`", "not set"]);
    let mut command = crate::support::kait(&["run", &path]);
    let done: crate::support::Done =
        command.env("TEST_KEY", "sk-very-secret").output().unwrap().into();
    assert!(!done.err.contains("very-secret") && !done.out.contains("very-secret"));
    done.exits(1).says(&["K9017", "127.0.0.1:9"]);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut child = crate::support::kait(&["grammar"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done: crate::support::Done = child.wait_with_output().unwrap().into();
    done.exits(0).says(&[]);
}

const KINDS: &str = "record Limits {\n  name: text\n  limit: int? = none\n}\n\npub graph main(cap: size = 1kb, raw: bytes? = none, doc: file? = none, pic: image? = none, r: Limits = Limits(name: \"x\"), t: text = \"\") -> text {\n  \"${cap} ${r.limit ?? 0} ${t}\"\n}\n";

#[test]
fn every_kind_of_value_can_be_given() {
    let (dir, path) = program(KINDS);
    let done = run(&["run", &path, "cap=3mb", "raw=aGk="]).exits(0);
    assert!(done.out.starts_with("3000000"), "{}", done.out);
    std::fs::write(dir.path().join("a.bin"), [0xff, 0, 1]).unwrap();
    std::fs::write(dir.path().join("a.png"), b"\x89PNG\r\n\x1a\n....").unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    let (doc, pic) = (format!("doc=@{}", at("a.bin")), format!("pic=@{}", at("a.png")));
    run(&["run", &path, &doc, &pic, &format!("raw=@{}", at("a.bin"))]).exits(0);
    run(&["run", &path, &format!("pic=@{}", at("a.bin"))]).exits(2).says(&["not a PNG, JPEG"]);
    run(&["run", &path, "doc=a.bin"]).exits(2).says(&["behind `@`: `@a.bin`"]);
    run(&["run", &path, "cap=3mib"]).exits(2).says(&["size such as 3mb"]);
}

#[test]
fn all_mistakes_in_a_value_are_found_and_no_key_is_dropped() {
    let (_dir, path) = program(KINDS);
    run(&["run", &path, "r:={\"limmit\": 5, \"limit\": \"x\"}"]).exits(2).says(&[
        "`r` at `/limmit`",
        "did you mean `limit`?",
        "`r` at `/limit`",
        "`r` at `/name` does not fit: is missing",
    ]);
}

#[test]
fn standard_input_is_given_once() {
    let (_dir, path) = program(KINDS);
    run_with(&["run", &path, "t=@-", "raw=@-"], b"x").exits(2).says(&["taken by another input"]);
    run_with(&["run", &path, "--input", "-", "t=@-"], b"{}").exits(2).says(&["taken by another"]);
}

#[test]
fn with_json_stdout_says_why_there_was_no_run() {
    let error = |args: &[&str], code: i32| {
        let done = run(args).exits(code);
        let out: serde_json::Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(out["schema"], "kait.run/1");
        out["error"].clone()
    };
    let (_dir, path) = program(KINDS);
    let inputs = error(&["run", &path, "--json", "cap=x", "y=1"], 2);
    assert_eq!(inputs["code"], "K9041");
    assert_eq!(inputs["inputs"][1]["parameter"], "y");
    let (_dir, wrong) = program("pub graph main() -> int {\n  \"a\"\n}\n");
    let found = error(&["run", &wrong, "--json=lines"], 1);
    assert_eq!(found["code"], found["diagnostics"][0]["code"]);
    assert_eq!(error(&["run", "nothing.kait", "--json"], 2)["code"], "K0901");
    assert_eq!(error(&["run", &format!("{path}:other"), "--json"], 2)["code"], "K9040");
}

#[test]
fn a_graph_without_models_says_nothing_of_models() {
    let (_dir, path) = program(
        "model fast\n\nprompt say(q: text) -> text {\n  model fast\n  user q\n}\n\npub graph plain() -> text {\n  \"no model here\"\n}\n\npub graph ask_it(q: text) -> text {\n  say(q)\n}\n",
    );
    let plain = run(&["run", &format!("{path}:plain"), "--offline"]).exits(0);
    assert_eq!(plain.err, "");
    run(&["run", &format!("{path}:ask_it"), "q=x", "--offline"]).exits(0).says(&["echo"]);
}

#[test]
fn a_reader_that_leaves_ends_the_run() {
    let (dir, path) = program(
        "graph step(i: int) -> text {\n  file.append(\"log.txt\", content: \"${i}\\n\")\n  clock.sleep(20ms)\n  \"line ${i}\\n\"\n}\n\npub graph main() -> [text] {\n  for i in list.range(1, to: 200) max 200 parallel 1 {\n    step(i)\n  }\n}\n",
    );
    let mut child = crate::support::kait(&["run", &path])
        .current_dir(dir.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done: crate::support::Done = child.wait_with_output().unwrap().into();
    done.exits(130).says(&["standard output was closed", "K9011"]);
    let log = std::fs::read_to_string(dir.path().join("log.txt")).unwrap();
    assert!(log.lines().count() < 200 && log.ends_with('\n'), "{log}");
}

#[test]
fn slips_in_commands_and_flags_are_named() {
    run(&["rnu"]).exits(2).says(&["rnu", "'run'"]);
    run(&["chekc"]).exits(2).says(&["'check'"]);
    let done = run(&["check", "--fxi"]).exits(2);
    assert!(!done.err.contains("-- --fxi"), "{}", done.err);
    done.says(&["'--fix'"]);
    run(&["check", "--colour", "never"]).exits(2).says(&["'--color'"]);
    let done = run(&["xyzzy"]).exits(2);
    assert!(!done.err.contains("similar"), "{}", done.err);
}

#[test]
fn no_test_that_matches_is_no_success() {
    run(&["test", "examples", "-k", "no such words"]).exits(2).says(&["no test matches"]);
    let (_dir, path) = program("pub graph main() -> int { 1 }\n");
    run(&["test", &path]).exits(0);
    run(&["test", &path, "-k", "a"]).exits(2).says(&["there is no test in 1 file"]);
}

#[test]
fn a_missing_file_does_not_hide_the_findings_of_others() {
    let (_dir, path) = program("pub graph main() -> int { nope }\n");
    let (_other, right) = program("pub graph main() -> int { 1 }\n");
    for command in ["check", "test", "fmt"] {
        let done = run(&[command, &right, "missing.kait", &path]).exits(2);
        let done = done.says(&["K0901", "there is no file `missing.kait`"]);
        if command != "fmt" {
            done.says(&["K0201", "`nope`"]);
        }
    }
}
