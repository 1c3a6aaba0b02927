//! Files that change while they are hosted.

use serde_json::json;

use super::server::Server;

fn version(word: &str) -> String {
    format!(
        "pub graph say() -> text {{\n  out.status(\"begun\")\n  clock.sleep(1s)\n  \"{word}\"\n}}\n\npub graph quick() -> text {{\n  \"{word}\"\n}}\n"
    )
}

fn quick(server: &Server) -> String {
    let run = server.post("/api/graphs/quick/runs", "{}").json();
    run["result"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_changed_file_is_loaded_and_runs_keep_their_plan() {
    let server = Server::host(&[("a.kait", &version("one"))], &[]);
    assert_eq!(quick(&server), "one");
    let files = server.get("/api/graphs").json()["files"].clone();
    assert_eq!(files[0]["state"], "current");
    let first = files[0]["plan"].clone();
    let run = server.begin("say", "{}");
    server.write("a.kait", &version("two"));
    server.until("/api/graphs", |graphs| graphs["files"][0]["plan"] != first);
    assert_eq!(quick(&server), "two");
    let ended = server.until(&run, |run| run["state"] != "running");
    assert_eq!((&ended["result"], &ended["plan"]), (&json!("one"), &first));

    // A broken file keeps its last good version, and says what is wrong as `kait check` does.
    server.write("a.kait", "pub graph quick() -> text {\n  wrong\n}\n");
    let graphs = server.until("/api/graphs", |graphs| graphs["files"][0]["state"] == "stale");
    let check = server.command().args(["check", "--json", "a.kait"]).output().unwrap();
    let check: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!(graphs["files"][0]["diagnostics"], check["diagnostics"]);
    assert_eq!(graphs["files"][0]["diagnostics"][0]["code"], "K0201");
    assert_eq!(quick(&server), "two");
    server.says("K0201");
    server.says("its last good version is hosted");

    server.write("a.kait", &version("three"));
    server.until("/api/graphs", |graphs| graphs["files"][0]["state"] == "current");
    assert_eq!(quick(&server), "three");
}

#[test]
fn files_come_and_go() {
    let server = Server::host(&[("a.kait", &version("one"))], &[]);
    server.write("b.kait", "pub graph other() -> int {\n  1\n}\n");
    server.until("/api/graphs", |graphs| graphs["graphs"].to_string().contains("b.other"));
    assert_eq!(server.post("/api/graphs/b.other/runs", "{}").json()["result"], 1);
    // With two of that name, the name alone does not say which.
    server.write("b.kait", "pub graph quick() -> int {\n  1\n}\n");
    server.until("/api/graphs", |graphs| graphs["graphs"].to_string().contains("b.quick"));
    let which = server.post("/api/graphs/quick/runs", "{}");
    which.is_problem(404, "K9040", &["a.quick", "b.quick"]);
    std::fs::remove_file(server.directory.path().join("b.kait")).unwrap();
    server.until("/api/graphs", |graphs| !graphs["graphs"].to_string().contains("b.quick"));
    assert_eq!(quick(&server), "one");
    let described = server.get("/openapi.json").body;
    assert!(described.contains("a.quick") && !described.contains("b.quick"));
}

#[test]
fn a_file_that_never_was_good_says_so_wherever_it_is_asked_for() {
    let wrong = "pub graph sum(a: int) -> int {\n  a + b\n}\n";
    let server = Server::host(&[("a.kait", wrong)], &[]);
    let check = server.command().args(["check", "--json", "a.kait"]).output().unwrap();
    let check: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    let findings = &check["diagnostics"];
    assert_eq!(findings.as_array().unwrap().len(), 1, "{findings}");
    let text = server.command().args(["check", "a.kait"]).output().unwrap();
    let text = String::from_utf8(text.stderr).unwrap();
    for graph in ["sum", "a.sum", "a.anything"] {
        let answer = server.post(&format!("/api/graphs/{graph}/runs"), r#"{"a": 1}"#);
        let code = findings[0]["code"].as_str().unwrap();
        let problem = answer.is_problem(409, code, &["a.kait"]);
        assert_eq!(problem["diagnostics"], *findings, "word for word");
        assert_eq!(problem["detail"], findings[0]["message"]);
        // The first line that `kait check` prints, and that the server printed.
        let line = format!("error {code}: {}", problem["detail"].as_str().unwrap());
        assert!(text.contains(&line) && server.said().contains(&line), "{line}\n{text}");
    }
    assert_eq!(server.get("/readyz").status, 503);
    server.write("a.kait", "pub graph sum(a: int) -> int {\n  a + 1\n}\n");
    server.until("/readyz", |ready| ready["status"] == "ready");
    assert_eq!(server.post("/api/graphs/sum/runs", r#"{"a": 1}"#).json()["result"], 2);
}

fn says(word: &str) -> String {
    format!("pub graph go() -> text {{\n  \"{word}\"\n}}\n")
}

#[test]
fn a_name_is_the_path_below_the_hosted_directory() {
    let (billing, sales) = (says("billing"), says("sales"));
    let files = [("billing/refunds.kait", billing.as_str()), ("sales/refunds.kait", &sales)];
    let server = Server::host(&files, &[]);
    for part in ["billing", "sales"] {
        let run = server.post(&format!("/api/graphs/{part}.refunds.go/runs"), "{}").json();
        assert_eq!(
            (&run["result"], run["graph"].as_str()),
            (&json!(part), Some(&*format!("{part}.refunds.go")))
        );
    }
    server.post("/api/graphs/go/runs", "{}").is_problem(404, "K9040", &["sales.refunds.go"]);
}

#[test]
fn of_two_files_with_one_name_the_first_keeps_it_and_the_other_says_so() {
    let (billing, sales) = (says("billing"), says("sales"));
    let files = [("sales/refunds.kait", sales.as_str()), ("billing/other.kait", "")];
    // A path that is named twice is hosted once.
    let server = Server::host(&files, &["billing", "sales", "./sales"]);
    let go = || server.post("/api/graphs/refunds.go/runs", "{}").json()["result"].clone();
    assert_eq!(go(), "sales");
    assert_eq!(server.get("/api/graphs").json()["files"].as_array().unwrap().len(), 2);
    // Another file of that name comes: first in the order of the command line, but not the first that was hosted.
    server.write("billing/refunds.kait", &billing);
    let graphs =
        server.until("/api/graphs", |graphs| graphs["files"].as_array().unwrap().len() == 3);
    let files = graphs["files"].as_array().unwrap();
    let state = |path: &str| {
        let file = files.iter().find(|file| file["path"] == path).unwrap();
        (file["state"].clone(), file["diagnostics"][0]["code"].clone())
    };
    assert_eq!(state("billing/refunds.kait"), (json!("broken"), json!("K9050")));
    assert_eq!(state("sales/refunds.kait"), (json!("current"), json!(null)));
    assert_eq!(go(), "sales");
    server.says("`sales/refunds.kait` is hosted as `refunds` already");
    // The name becomes free.
    std::fs::remove_file(server.directory.path().join("sales/refunds.kait")).unwrap();
    server.until("/api/graphs", |graphs| graphs["files"].as_array().unwrap().len() == 2);
    assert_eq!(go(), "billing");
}

#[test]
fn what_changed_is_said_and_nothing_else() {
    let files = [
        ("a.kait", says("one")),
        ("b.kait", "pub graph no() -> text {\n  5\n}\n".to_owned()),
        ("c/kait.toml", "[models.fast]\nprovider = 5\n".to_owned()),
        ("c/d.kait", says("d")),
        ("c/e.kait", says("e")),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let server = Server::host(&files, &[]);
    let begun = server.said();
    assert_eq!(begun.matches("K0902").count(), 1, "one mistake is said once: {begun}");
    assert!(begun.contains("b.kait: has errors; none of its graphs can run"), "{begun}");
    let news = || server.said()[begun.len()..].to_owned();
    server.write("a.kait", &says("two"));
    server.says("a.kait: loaded again");
    assert_eq!(news(), "a.kait: loaded again\n");
    server.write("f.kait", &says("f"));
    server.says("new graphs: f.go");
    assert_eq!(news(), "a.kait: loaded again\nf.kait: is hosted now\nnew graphs: f.go\n");
    std::fs::remove_file(server.directory.path().join("f.kait")).unwrap();
    server.says("graphs that are gone: f.go");
    server.write("c/kait.toml", "");
    server.says("new graphs: c.d.go, c.e.go");
    let said = news();
    assert!(!said.contains("b.kait") && !said.contains("K0902"), "{said}");
}

#[test]
fn paths_begin_at_the_package_or_the_hosted_directory() {
    let reads = "pub graph go(path: text = \"note.txt\") -> text {\n  file.read(path)\n}\n";
    let files = [
        ("apps/plain.kait", reads),
        ("apps/note.txt", "hosted"),
        ("apps/deep/down.kait", reads),
        ("apps/pack/kait.toml", ""),
        ("apps/pack/inner/own.kait", reads),
        ("apps/pack/note.txt", "package"),
        ("note.txt", "outside"),
    ];
    let server = Server::host(&files, &["apps"]);
    for (graph, text) in
        [("plain.go", "hosted"), ("deep.down.go", "hosted"), ("pack.inner.own.go", "package")]
    {
        let run = server.post(&format!("/api/graphs/{graph}/runs"), "{}").json();
        assert_eq!(run["result"], text, "{run}");
        let out =
            server.post(&format!("/api/graphs/{graph}/runs"), r#"{"path": "../../note.txt"}"#);
        assert_eq!(out.json()["state"], "failed", "{out:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_release_behind_a_link_is_hosted_and_replaced() {
    let files = [("releases/7/app.kait", says("seven")), ("releases/8/app.kait", says("eight"))];
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let server = Server::host(&files, &[]);
    let link = |to: &str| {
        let new = server.directory.path().join("new");
        std::os::unix::fs::symlink(to, &new).unwrap();
        std::fs::rename(new, server.directory.path().join("current")).unwrap();
    };
    let go = |word: &str| {
        server.until("/api/graphs", |graphs| graphs.to_string().contains("current.app.go"));
        let begin = std::time::Instant::now();
        while server.post("/api/graphs/current.app.go/runs", "{}").json()["result"] != word {
            assert!(begin.elapsed() < super::client::PATIENCE, "{}", server.said());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    link("releases/7");
    go("seven");
    link("releases/8");
    go("eight");
    link("/etc");
    server.says("current` is a link to what lies outside, and is not hosted");
}
