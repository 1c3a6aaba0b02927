//! What is wrong with an input is said in the same words by the command and by the server.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value as Json;

use super::server::Server;

#[test]
fn wrong_inputs_are_told_in_the_same_words() {
    let server = Server::start(&[]);
    let deep = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    let never_closed = "{\"a\":".repeat(20_000);
    let long = format!(r#"{{"order": {{"id": "{}", "items": []}}}}"#, "x".repeat(100_000));
    let many = format!(r#"{{"order": {{"id": "x", "items": [{}1]}}}}"#, "1,".repeat(20_000));
    let names: Vec<_> = (0..500).map(|n| format!(r#""n{n}": {n}"#)).collect();
    let unknown = format!("{{{}}}", names.join(", "));
    let number = format!(r#"{{"a": {}}}"#, "9".repeat(10_000));
    for (graph, input) in [
        ("add", "{}"),
        ("add", "[]"),
        ("add", "7"),
        ("add", "{"),
        ("add", ""),
        ("add", &deep),
        ("add", &never_closed),
        ("add", &unknown),
        ("add", &number),
        ("place", &long),
        ("place", &many),
        ("add", "nul"),
        ("add", "{\"a\": 1} x"),
        ("add", "{\"a\": 1,}"),
        ("add", "{'a': 1}"),
        ("add", "\u{feff}{\"a\": 1}"),
        ("add", "\"\\ud800\""),
        ("add", "\u{0}"),
        ("add", "{\"a\": \"\u{1}\"}"),
        ("add", "null"),
        ("add", "\"a\""),
        ("add", r#"{"a": NaN}"#),
        ("add", r#"{"a": 1e999}"#),
        ("add", r#"{"a": 01}"#),
        ("add", r#"{"a": null}"#),
        ("add", r#"{"a": [1]}"#),
        ("add", r#"{"a": {"b": 1}}"#),
        ("add", r#"{"a": "x", "b": "y"}"#),
        ("add", r#"{"A": 1}"#),
        ("add", r#"{"a": 1, "a": 2}"#),
        ("place", r#"{"order": {"id": "x", "items": [], "id": "y"}}"#),
        ("wait", r#"{"time": "1h"}"#),
        ("wait", r#"{"time": "P1M"}"#),
        ("add", r#"{"": 1}"#),
        ("add", "{\"a\\u0000\": 1}"),
        ("add", "{\"\u{1f600}\u{202e}\": 1}"),
        ("count", r#"{"to": -1}"#),
        ("count", r#"{"to": 100001, "filler": 1}"#),
        ("chat", r#"{"messages": [{"role": "nobody"}]}"#),
        ("chat", r#"{"messages": [{"role": "user", "content": 1}]}"#),
        ("chat", r#"{"messages": {}}"#),
        ("place", r#"{"order": {"id": 5, "items": "x", "more": true}}"#),
        ("place", r#"{"order": null}"#),
        ("place", r#"{"order": []}"#),
        ("wait", r#"{"time": 5}"#),
        ("wait", r#"{"time": "P99999999999999999999D"}"#),
        ("add", r#"{"a": "x", "c": 1}"#),
        ("add", r#"{"a": 1.5}"#),
        ("add", r#"{"a": 99999999999999999999}"#),
        ("add", r#"{"a": 1, "bb": 2}"#),
        ("place", r#"{"order": {"id": "", "items": []}}"#),
        ("place", r#"{"order": {"id": "x", "items": [1]}}"#),
        ("place", r#"{"order": {"id": "x", "items": ["a", "b", "c", "d"]}}"#),
        ("place", r#"{"order": {"items": []}}"#),
        ("place", r#"{"ordr": {}}"#),
        ("wait", r#"{"time": "soon"}"#),
    ] {
        let mut command = server.command();
        command.args(["run", &format!("tests.kait:{graph}"), "--offline", "--input", "-"]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{input}: {said}");
        let mut said: Vec<&str> = said
            .lines()
            .filter_map(|line| line.strip_prefix("error K9041: ").or(line.strip_prefix("   = ")))
            .collect();

        let answer = server.post(&format!("/api/graphs/{graph}/runs"), input);
        assert!([400, 422].contains(&answer.status), "{input}: {answer:?}");
        let problem = answer.is_problem(answer.status, "K9041", &[]);
        let mut told = Vec::new();
        for error in problem["errors"].as_array().unwrap() {
            told.extend(error["message"].as_str());
            told.extend(error["help"].as_str());
        }
        said.sort_unstable();
        told.sort_unstable();
        assert_eq!(said, told, "{input}");
        assert!(!told.is_empty(), "{input}");
    }
}

#[test]
fn what_is_no_json_is_told_in_words_of_ours() {
    let server = Server::start(&[]);
    for (input, words) in [
        (r#"{"a": "\ud800"}"#, "a `\\u` escape is half of a character, at line 1, column 14"),
        (r#"{"a": 1, "a": 2}"#, "the key `a` stands twice in one object, at line 1, column 12"),
        ("{\n\"a\": }", "there is no value, at line 2, column 6"),
        (r#"{"a": 1"#, "it ends too early, at line 1, column 7"),
    ] {
        let answer = server.post("/api/graphs/add/runs", input);
        let problem = answer.is_problem(400, "K9041", &[]);
        assert_eq!(problem["detail"], format!("the input is not valid JSON: {words}"));
    }
    let cancel = server.post("/api/runs/r_x/cancel", "{");
    let words = "the body is not valid JSON: it ends too early, at line 1, column 1";
    assert_eq!(cancel.is_problem(400, "K9045", &[])["detail"], words);
    for (query, words) in [
        ("limit=abc", "`limit` is a whole number from 1 to 200, not `abc`"),
        ("state=bogus", "`state` is running, done, failed or cancelled, not `bogus`"),
        ("limit=1&limit=2", "the query has `limit` twice"),
    ] {
        server.get(&format!("/api/runs?{query}")).is_problem(400, "K9045", &[words]);
    }
}

#[test]
fn failures_are_told_in_the_same_words() {
    let server = Server::start(&[]);
    let run = server.post("/api/graphs/fails/runs", r#"{"why": "because"}"#).json();
    let done = server.command().args(["run", "tests.kait:fails", "why=because"]).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    let (code, message) = (&run["error"]["code"], &run["error"]["message"]);
    let line = format!("error {}: {}", code.as_str().unwrap(), message.as_str().unwrap());
    assert!(said.contains(&line), "{line}\n{said}");
}

/// The names of the members of an object, at every depth.
fn shape(value: &Json, at: &str, out: &mut Vec<String>) {
    match value {
        Json::Object(object) => {
            for (key, inner) in object {
                shape(inner, &format!("{at}/{key}"), out);
            }
        }
        other => out.push(format!("{at}: {}", if other.is_null() { "null" } else { "" })),
    }
}

#[test]
fn one_schema_has_one_shape() {
    let server = Server::start(&[]);
    for (graph, input, code) in
        [("add", r#"{"a": 1}"#, 0), ("fails", r#"{"why": "because"}"#, 1), ("slow", "{}", 4)]
    {
        let hosted = server.post(&format!("/api/graphs/tests.{graph}/runs"), input).json();
        let mut command = server.command();
        command.args([
            "run",
            &format!("tests.kait:{graph}"),
            "--offline",
            "--json",
            "--input",
            "-",
        ]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(code));
        let local: Json = serde_json::from_slice(&done.stdout).unwrap();
        let (mut one, mut other) = (Vec::new(), Vec::new());
        shape(&hosted, "", &mut one);
        shape(&local, "", &mut other);
        assert_eq!(one, other);
        for same in ["schema", "graph", "plan", "state", "result", "failure", "error", "usage"] {
            assert_eq!(hosted[same], local[same], "{same}");
        }
        if graph == "slow" {
            assert_eq!(hosted["error"]["limit"], "timeout: 10ms");
            let place = hosted["error"]["place"].as_str().unwrap();
            assert!(place.starts_with("tests.kait:"), "{place}");
        }
        // The log says it, too.
        let run = hosted["run"].as_str().unwrap();
        let log = server.get(&format!("/api/runs/{run}/events")).body;
        let last = log.lines().rfind(|line| line.starts_with("data:")).unwrap();
        let last: Json = serde_json::from_str(last.trim_start_matches("data:")).unwrap();
        for word in ["code", "message", "node", "limit"] {
            assert_eq!(last["error"][word], hosted["error"][word], "{last}");
        }
    }
}
