//! `kait check`: one error for one mistake, as text and as data, and fixes that apply.

use crate::support::{program, run};

/// Six mistakes, each of another kind.
const SIX: &str = r#"model fast

record Ticket {
  body: text
  priority: int where (min: 1, max: 5)
}

enum Label { Bug, Feature }

prompt classify(body: text) -> Label {
  model fast
  user body
}

fn first(t: Ticket) -> text {
  return t.body
}

fn second(t: Ticket) -> text {
  t.bdy
}

fn third() -> Ticket {
  Ticket(body: "x", priority: 9)
}

fn fourth(l: Label) -> text {
  match l {
    Bug => "bug"
  }
}

fn fifth(a: int) -> text {
  "n " + "${a}"
}

pub graph sixth(body: text) -> text {
  let label = clasify(body)
  "${label}"
}
"#;

fn codes(path: &str) -> Vec<(String, u64)> {
    let done = run(&["check", path, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(json["schema"], "kait.diagnostics/1");
    let found = json["diagnostics"].as_array().unwrap().iter();
    found
        .map(|d| {
            assert!(!d["message"].as_str().unwrap().is_empty());
            (
                d["code"].as_str().unwrap().to_owned(),
                d["primary"]["start"]["line"].as_u64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn six_mistakes_give_six_errors_and_no_seventh() {
    let (_dir, path) = program(SIX);
    let found = codes(&path);
    let lines: Vec<_> = found.iter().map(|(_, line)| *line).collect();
    assert_eq!(lines, [16, 20, 24, 28, 34, 38], "{found:?}");
    let done = run(&["check", &path]).exits(1).says(&[
        "K0012",
        "did you mean `body`?",
        "`max: 5`",
        "`Feature`",
        "did you mean `classify`?",
        "1 file checked: 6 errors",
    ]);
    for (code, _) in &found {
        assert!(done.err.contains(&format!("kait explain {code}")), "{code}");
        run(&["explain", code]).exits(0);
    }
}

#[test]
fn fixes_are_applied_and_the_rest_stays() {
    let (_dir, path) = program(SIX);
    let before = codes(&path).len();
    let offered = run(&["check", &path]).err.matches("= fix:").count();
    assert!(offered >= 2);
    run(&["check", "--fix", &path]).exits(1).says(&[&format!("{offered} fixes applied")]);
    assert_eq!(codes(&path).len(), before - offered);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("return"));
}

/// What `--fix` would leave out, because it makes matters worse, is not announced; neither is what is mended in a file
/// that is only imported.
#[test]
fn what_is_announced_is_applied() {
    let (dir, path) = program(
        "use shop\n\nfn f(words: [text]) -> text {\n  words[0 ?? \"none\"\n}\n\nfn g(a: bool) -> bool {\n  \
         a && shop.h()\n}\n",
    );
    std::fs::write(dir.path().join("shop.kait"), "pub fn h() -> bool {\n  !true\n}\n").unwrap();
    let alone = run(&["check", &path]).exits(1).says(&["K0002", "K0014"]);
    assert_eq!(alone.err.matches("= fix:").count(), 1, "{}", alone.err);
    let folder = dir.path().display().to_string();
    let all = run(&["check", &folder]).exits(1);
    assert_eq!(all.err.matches("= fix:").count(), 2, "{}", all.err);
    let fixed = run(&["check", "--fix", &folder]).exits(1).says(&["2 fixes applied"]);
    assert_eq!(fixed.err.matches("= fix:").count(), 0, "{}", fixed.err);
}

/// `=` for `:` is what everybody writes who comes from elsewhere; the argument has a name already.
#[test]
fn one_argument_gets_one_fix() {
    let (_dir, path) =
        program("fn shout(s: text) -> text {\n  text.replace(s, old = \".\", new = \"!\")\n}\n");
    run(&["check", "--fix", &path]).exits(0);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("text.replace(s, old: \".\", new: \"!\")"), "{text}");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let (dir, path) = program("use pipe\n\npub graph main() -> int {\n  1\n}\n");
    let pipe = dir.path().join("pipe.kait");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    run(&["check", &path]).exits(1).says(&["K0901", "is a pipe, a socket or a device"]);
    let pipe = pipe.display().to_string();
    run(&["check", &pipe]).says(&["K0901", "is a pipe, a socket or a device"]);
    run(&["fmt", "--check", &pipe]).says(&["is a pipe, a socket or a device"]);
}

#[test]
fn formatting_shows_and_makes_changes() {
    let (_dir, path) = program("pub graph main( )->int{\n1\n}\n");
    run(&["fmt", "--check", &path]).exits(1);
    let diff = run(&["fmt", "--diff", &path]).exits(1);
    assert!(diff.out.contains("+pub graph main() -> int {"), "{}", diff.out);
    run(&["fmt", &path]).exits(0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "pub graph main() -> int {\n  1\n}\n");
    run(&["fmt", "--check", &path]).exits(0);
    let (_dir, broken) = program("pub graph main( -> int {\n");
    run(&["fmt", &broken]).exits(1);
}

/// The checker says of this name what the parser would have said less well.
#[test]
fn formatting_says_why_it_does_nothing() {
    let (_dir, path) = program(
        "record Order {\n  first_name: text\n}\n\nfn name(order: Order) -> text {\n  order.firstName\n}\n",
    );
    run(&["fmt", &path]).exits(1).says(&["K0402", "did you mean `first_name`?"]);
}

#[test]
fn tests_that_fail_say_why() {
    let (_dir, path) = program(
        "pub graph twice(n: int) -> int {\n  n + n\n}\n\npub graph reads() -> text {\n  file.read(\"a\")\n}\n\n\
         test \"wrong\" {\n  expect twice(2) == 5\n}\n\ntest \"no stub\" {\n  expect reads() == \"\"\n}\n\n\
         test \"no stub fits\" {\n  stub file.read(\"b\") => \"\"\n  expect reads() == \"\"\n}\n",
    );
    run(&["test", &path]).exits(1).says(&[
        "K0804: expected twice(2) == 5",
        "twice(2) is 4",
        "K0801",
        "`file.read` has no stub that fits this call",
        "0 passed, 3 failed",
    ]);
    run(&["test", &path, "-k", "no fits"]).exits(1).says(&["0 passed, 1 failed"]);
    let json: serde_json::Value =
        serde_json::from_str(&run(&["test", &path, "--json"]).exits(1).out).unwrap();
    assert_eq!(json["failed"], 3);
}
