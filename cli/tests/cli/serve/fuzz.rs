//! The description of the interface against the interface: schemathesis sends what it allows and what it does not.

use std::process::Command;

use super::server::Server;
use crate::support::root;

/// Graphs with parameters of every kind, that all end by themselves.
const PROGRAM: &str = r#"
model fast

prompt say(text: text) -> text {
  model fast
  user text
}

/// Says it again.
pub graph echo(text: text) -> text {
  say(text)
}

/// The whole conversation.
pub graph chat(messages: [Message]) -> text {
  "${list.length(messages)} messages"
}

enum Size { Small, Large }

enum Shape { Circle(radius: float where (min: 0)), Square(side: float), Nothing }

record Order {
  /// What it is known by.
  id: text where (min_len: 1, max_len: 8, pattern: r"[a-z0-9]+")
  items: [text] where (max: 3)
  size: Size = Small
  note: text?
}

/// Takes everything.
pub graph all(
  order: Order,
  shape: Shape,
  scores: [text: int],
  at: time?,
  flag: bool = true,
  share: float where (min: 0, max: 1) = 0.5,
  any: json = json.decode("{}"),
) -> Order {
  order
}

/// Fails, with anything.
pub graph fails(why: text) -> int {
  fail why
}

/// A sum.
pub graph sum(numbers: [int] where (max: 5)) -> int {
  list.sum(numbers)
}
"#;

#[test]
fn every_answer_is_described_and_none_is_a_fault() {
    let tool = root().join("tests/peers/.venv/bin/schemathesis");
    if !tool.exists() {
        let why = format!(
            "{} is missing: python3 -m venv tests/peers/.venv && tests/peers/.venv/bin/pip install -r tests/peers/requirements.txt",
            tool.display()
        );
        assert!(std::env::var_os("KAIT_PEERS").is_none_or(|v| v != "required"), "{why}");
        eprintln!("skipped: {why}");
        return;
    }
    let server = Server::host(&[("tests.kait", PROGRAM)], &[]);
    assert_eq!(
        server.get("/api/graphs").json()["files"][0]["state"],
        "current",
        "{}",
        server.said()
    );
    let done = Command::new(tool)
        .args(["--config-file"])
        .arg(root().join("tests/peers/schemathesis.toml"))
        .arg("run")
        .arg(format!("http://127.0.0.1:{}/openapi.json", server.port))
        .args(["--header", &format!("Authorization: Bearer {}", server.token)])
        .current_dir(server.directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
}
