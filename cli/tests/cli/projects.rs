//! `kait new`, `kait doctor`, `kait explain`: from nothing to a project that runs, and what is said about it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value as Json, json};

use crate::serve::server::Server;
use crate::support::{Done, kait, run};

/// The command in a directory.
fn within(directory: &Path, args: &[&str]) -> Command {
    let mut command = kait(args);
    command.current_dir(directory).env("HOME", directory);
    command.env_remove("HTTPS_PROXY").env_remove("https_proxy");
    command.env_remove("ALL_PROXY").env_remove("all_proxy");
    command
}

fn done(mut command: Command) -> Done {
    command.output().unwrap().into()
}

/// A new project from a template.
fn project(template: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let name = format!("my-{template}");
    let made = done(within(directory.path(), &["new", &name, "--template", template])).exits(0);
    assert!(made.out.contains("kait test") && made.out.contains("kait doctor"), "{}", made.out);
    directory
}

#[test]
fn every_template_checks_is_in_standard_form_tests_and_runs() {
    let runs: &[(&str, &[&str], &str)] = &[
        ("hello", &["run", "hello.kait", "name=Ada", "--offline"], "Greet Ada"),
        (
            "chat",
            &["run", "chat.kait", r#"messages:=[{"kind":"user","content":"Hi"}]"#, "--offline"],
            "Hi",
        ),
        ("agent", &["run", "agent.kait", "question=When is tea?", "--offline"], ""),
        (
            "service",
            &["run", "service.kait:triage", "--input", "ticket.json", "--offline"],
            "urgency",
        ),
    ];
    let listed = run(&["new", "--list"]).exits(0).out;
    assert_eq!(listed.lines().count(), runs.len());
    for (template, words, expected) in runs {
        assert!(listed.contains(template), "{listed}");
        let made = project(template);
        let here = made.path().join(format!("my-{template}"));
        done(within(&here, &["check"])).exits(0).says(&["0 errors, 0 warnings"]);
        done(within(&here, &["fmt", "--check"])).exits(0);
        let tested = done(within(&here, &["test"])).exits(0);
        assert!(!tested.err.contains("0 passed"), "{}", tested.err);
        let ran = done(within(&here, words)).exits(0);
        assert!(!ran.out.trim().is_empty() && ran.out.contains(expected), "{}", ran.out);
        for file in ["kait.toml", "README.md"] {
            let text = std::fs::read_to_string(here.join(file)).unwrap();
            assert!(text.contains(&format!("my-{template}")) && !text.contains("{{"), "{text}");
        }
        assert!(here.join(".gitignore").is_file());
        let looked = done(within(&here, &["doctor", "--offline"])).exits(0);
        assert!(looked.out.contains("1 program, no errors"), "{}", looked.out);
    }
}

#[test]
fn templates_can_be_served() {
    let chat = include_str!("../../templates/chat/chat.kait");
    let service = include_str!("../../templates/service/service.kait");
    let files = [("chat.kait", chat), ("service.kait", service)];
    let server = Server::host(&files, &[]);
    let request = json!({"model": "chat.chat", "messages": [{"role": "user", "content": "Hi"}]});
    let answer = server.post("/v1/chat/completions", &request.to_string()).json();
    let said = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(said.ends_with("Hi"), "{said}");
    let ticket = include_str!("../../templates/service/ticket.json");
    let ended = server.post("/api/graphs/triage/runs", ticket).json();
    assert!(ended["result"]["urgency"].is_i64(), "{ended}");
    let refused = server.post("/api/graphs/triage/runs", r#"{"ticket": {"body": ""}}"#);
    refused.is_problem(422, "K9041", &["needs at least 1"]);
}

#[test]
fn nothing_is_ever_written_over() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    std::fs::create_dir(here.join("full")).unwrap();
    std::fs::write(here.join("full/notes.txt"), "mine").unwrap();
    std::fs::write(here.join("file"), "mine").unwrap();
    std::fs::create_dir(here.join("empty")).unwrap();
    done(within(here, &["new", "full"])).exits(2).says(&["not empty; nothing was written"]);
    assert_eq!(std::fs::read_dir(here.join("full")).unwrap().count(), 1);
    done(within(here, &["new", "file"])).exits(2).says(&["not a directory"]);
    done(within(here, &["new", "empty"])).exits(0);
    done(within(here, &["new", "My Notes"])).exits(2).says(&["`my-notes` would do"]);
    done(within(here, &["new", "a", "-t", "agnet"])).exits(2).says(&["did you mean `agent`"]);
    done(within(here, &["new", "a", "-t", "x"])).exits(2).says(&["hello, chat, agent, service"]);
    assert!(!here.join("a").exists());
    done(within(here, &["new"])).exits(2).says(&["NAME"]);
}

#[test]
fn the_doctor_finds_what_will_not_work_and_never_shows_a_key() {
    let made = project("hello");
    let here = made.path().join("my-hello");
    // A port that was just closed: nobody answers there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let open = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bindings = format!(
        "[models.fast]\nprovider = \"openai\"\nmodel = \"m\"\nbase_url = \"http://{closed}/v1\"\nkey_env = \"THE_KEY\"\n\
         [models.fsat]\nprovider = \"openai\"\nmodel = \"m\"\nbase_url = \"http://u:hunter2@{}/v1?k=hunter3\"\n",
        open.local_addr().unwrap()
    );
    std::fs::write(here.join("kait.toml"), bindings).unwrap();
    let missing = done(within(&here, &["doctor"])).exits(1);
    for part in ["THE_KEY", "export THE_KEY=", "can be reached", "did you mean `fast`", "1 problem"]
    {
        assert!(missing.out.contains(part), "{part} in\n{}", missing.out);
    }
    let mut command = within(&here, &["doctor", "--json"]);
    command.env("THE_KEY", "hunter1");
    let found = done(command).exits(1);
    let json: Json = serde_json::from_str(&found.out).unwrap();
    assert_eq!((&json["schema"], &json["ok"]), (&json!("kait.doctor/1"), &json!(false)));
    let problems: Vec<&Json> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["state"] == "problem")
        .collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0]["what"].as_str().unwrap().contains("cannot be reached"));
    assert!(problems[0]["todo"].is_string());
    let mut command = within(&here, &["doctor", "--offline"]);
    command.env("THE_KEY", "hunter1");
    let offline = done(command).exits(0);
    for text in [&missing.out, &found.out, &offline.out, &missing.err, &found.err] {
        assert!(!text.contains("hunter"), "{text}");
    }
    // A connection was all that the server saw.
    open.set_nonblocking(true).unwrap();
    while let Ok((mut stream, _)) = open.accept() {
        let mut seen = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut seen).unwrap();
        assert!(seen.is_empty(), "{seen:?}");
    }

    std::fs::write(here.join("kait.toml"), "[models\n").unwrap();
    let broken = done(within(&here, &["doctor", "--offline"])).exits(1);
    assert!(broken.out.contains("unclosed table"), "{}", broken.out);
    std::fs::remove_file(here.join("kait.toml")).unwrap();
    std::fs::write(here.join("hello.kait"), "graph g( {").unwrap();
    let wrong = done(within(&here, &["doctor", "--offline"])).exits(1);
    assert!(wrong.out.contains("errors in") && wrong.out.contains("kait check"), "{}", wrong.out);
    done(within(&here, &["doctor", "nowhere"])).exits(1);
}

#[test]
fn names_of_every_kind_are_explained() {
    for (name, parts) in [
        (
            "list.sort",
            &["descending: bool", "Effects: none", "list.sort([3, 1, 2])", "list.unique"][..],
        ),
        ("web.fetch", &["Effects: read net", "Page"]),
        ("text", &["Unicode text", "text.trim", "----"]),
        ("for", &["for PATTERN in LIST", "test \"map and filter\"", "loop"]),
        ("loop", &["done VALUE"]),
        ("retry", &["(policy)", "timeout"]),
        ("Failure", &["Custom(code: text, message: text)", "Failure.Timeout"]),
        ("Timeout", &["Failure.Timeout (variant)"]),
        ("time.Monday", &["time.Weekday.Monday"]),
        ("prompt", &["One question to a model"]),
        ("session.save", &["keep their value"]),
        ("??", &["if there is `none`"]),
        ("prelude", &["Indexed"]),
        ("k0201", &["# K0201"]),
    ] {
        let page = run(&["explain", name]).exits(0).out;
        for part in parts {
            assert!(page.contains(part), "`{part}` is missing in:\n{page}");
        }
    }
    for (name, near) in [
        ("retyr", "`retry`"),
        ("sort", "`list.sort`"),
        ("string.trim", "`text.trim`"),
        ("list.srot", "`list.sort`"),
        ("Failur", "`Failure`"),
        ("K0210x", "`K0210`"),
    ] {
        run(&["explain", name]).exits(2).says(&["did you mean", near]);
    }
    run(&["explain", "zzzzzz"]).exits(2).says(&["lists what there is"]);
    let all = run(&["explain"]).exits(0).out;
    for name in ["list.sort", "retry", "prompt", "Failure", "K0201", "xml.decode", "session"] {
        assert!(all.contains(name), "{name}");
    }
    let json: Json =
        serde_json::from_str(&run(&["explain", "time", "--json"]).exits(0).out).unwrap();
    let kinds: Vec<&str> =
        json["found"].as_array().unwrap().iter().map(|f| f["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["type", "policy", "module"]);
    let json: Json = serde_json::from_str(&run(&["explain", "--json"]).exits(0).out).unwrap();
    assert!(json["names"]["list"].as_array().unwrap().contains(&json!("list.sort")));
}
