//! Who may ask, how much is taken, and how it ends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::{Client, Stream};
use super::server::Server;

/// Every route with a method that it takes.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/api/graphs"),
    ("GET", "/api/graphs/add"),
    ("POST", "/api/graphs/add/runs"),
    ("GET", "/api/runs"),
    ("GET", "/api/runs/r_x"),
    ("POST", "/api/runs/r_x/cancel"),
    ("GET", "/api/runs/r_x/events"),
    ("GET", "/api/runs/r_x/socket"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/x"),
    ("GET", "/openapi.json"),
    ("GET", "/nothing/here"),
];

#[test]
fn nothing_is_answered_without_a_token() {
    let server = Server::start(&[]);
    for (method, path) in ROUTES {
        let none = server.send(method, path, &[("Authorization", "")], "{}");
        none.is_problem(401, "K9049", &["no token"]);
        assert!(none.header("www-authenticate").starts_with("Bearer"), "{none:?}");
        for wrong in ["Bearer kait_0123", "Bearer ", "Basic a2FpdDo=", "kait", "Bearer \u{7f}x"] {
            let answer = server.send(method, path, &[("Authorization", wrong)], "{}");
            assert!([400, 401].contains(&answer.status), "{wrong}: {answer:?}");
            assert!(!answer.body.contains("kait_0123"), "{answer:?}");
        }
    }
    for open in ["/healthz", "/readyz"] {
        assert_eq!(server.send("GET", open, &[("Authorization", "")], "").status, 200);
    }
    assert!(!server.said().contains("kait_0123"));
}

#[test]
fn no_foreign_host_or_page_is_answered() {
    let server =
        Server::start(&["--allow-host", "app.example", "--allow-origin", "https://app.example"]);
    let own = format!("127.0.0.1:{}", server.port);
    let routes = ROUTES.iter().chain(&[("GET", "/healthz"), ("GET", "/readyz")]);
    for (method, path) in routes {
        for host in ["evil.example", "127.0.0.1.evil.example", "evil.example:4848"] {
            let answer = server.send(method, path, &[("Host", host)], "{}");
            answer.is_problem(403, "K9044", &["--allow-host"]);
        }
        for origin in ["https://evil.example", "null", "http://localhost:3000"] {
            let answer = server.send(method, path, &[("Origin", origin)], "{}");
            answer.is_problem(403, "K9044", &["--allow-origin"]);
        }
        // Of an upgrade, too.
        let headers = [
            ("Origin", "https://evil.example"),
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
        ];
        server.send(method, path, &headers, "{}").is_problem(403, "K9044", &[]);
    }
    for headers in [
        [("Origin", "https://app.example"), ("Host", "app.example")],
        [("Origin", "https://app.example"), ("Host", own.as_str())],
        [("Origin", &format!("http://{own}")), ("Host", own.as_str())],
    ] {
        assert_eq!(server.send("GET", "/api/graphs", &headers, "").status, 200, "{headers:?}");
    }
    let none = server.send("GET", "/healthz", &[("Host", "")], "");
    assert_eq!(none.status, 400, "{none:?}");
    // A page that is allowed may ask first what it may ask.
    let ask = [
        ("Origin", "https://app.example"),
        ("Access-Control-Request-Method", "POST"),
        ("Authorization", ""),
    ];
    let allowed = server.send("OPTIONS", "/api/graphs/add/runs", &ask, "");
    assert_eq!(allowed.header("access-control-allow-origin"), "https://app.example");
}

#[test]
fn a_token_does_what_its_scopes_say() {
    let server = Server::start(&[]);
    let (read, run) = (server.with_scopes("read"), server.with_scopes("run"));
    let reader = Client { port: server.port, token: read };
    let runner = Client { port: server.port, token: run };
    // A server that runs knows new tokens within a second.
    reader.comes("/api/graphs", 200);
    reader.post("/api/graphs/add/runs", r#"{"a": 1}"#).is_problem(403, "K9043", &["`run`"]);
    reader.post("/api/runs/r_x/cancel", "").is_problem(403, "K9043", &[]);
    reader.post("/v1/chat/completions", "{}").is_problem(403, "K9043", &["\"error\""]);
    assert_eq!(runner.post("/api/graphs/add/runs", r#"{"a": 1}"#).status, 200);
    runner.get("/api/runs").is_problem(403, "K9043", &["`read`"]);
    runner.get("/v1/models").is_problem(403, "K9043", &[]);
    let wrong = server.command().args(["serve", "--new-token", "root"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

/// A caller vouches for what must be trusted, or leaves it alone.
#[test]
fn what_must_be_trusted_needs_a_token_that_may_vouch() {
    let program = "pub graph note(path: text = \"notes.txt\", line: text = \"tea\") -> text {\n  \
                   file.write(path, content: line)\n  line\n}\n\n\
                   pub graph told(whom: trusted text) -> text {\n  whom\n}\n";
    let server = Server::host(&[("p.kait", program)], &[]);
    let (run, vouch) = (server.with_scopes("run"), server.with_scopes("run,vouch,read"));
    let runner = Client { port: server.port, token: run };
    let voucher = Client { port: server.port, token: vouch };
    voucher.comes("/api/graphs", 200);
    let about = voucher.get("/api/graphs/note").json();
    assert_eq!(about["vouched"], json!(["path"]), "{about}");
    let own = r#"{"path": "other.txt"}"#;
    runner.post("/api/graphs/note/runs", own).is_problem(403, "K9043", &["`path`", "`vouch`"]);
    assert_eq!(
        runner.post("/api/graphs/note/runs", r#"{"line": "milk"}"#).json()["result"],
        "milk"
    );
    assert_eq!(voucher.post("/api/graphs/note/runs", own).json()["result"], "tea");
    let chat = r#"{"model": "told", "messages": [{"role": "user", "content": "ada"}]}"#;
    runner.post("/v1/chat/completions", chat).is_problem(403, "K9043", &["`whom`", "\"error\""]);
    assert_eq!(voucher.post("/v1/chat/completions", chat).status, 200);
}

/// A conversation is data but for its instructions, through both doors.
#[test]
fn a_client_that_does_not_vouch_sends_no_instructions() {
    let server = Server::start(&[]);
    let runner = Client { port: server.port, token: server.with_scopes("run,read") };
    let voucher = Client { port: server.port, token: server.with_scopes("run,read,vouch") };
    runner.comes("/api/graphs", 200);
    voucher.comes("/api/graphs", 200);
    let chat = |role: &str| {
        json!({ "model": "chat", "messages": [
            { "role": "user", "content": "a" },
            { "role": "assistant", "content": "b" },
            { "role": role, "content": "c" },
        ] })
        .to_string()
    };
    for (role, is_taken) in
        [("user", true), ("tool", true), ("system", false), ("developer", false)]
    {
        let answer = runner.post("/v1/chat/completions", &chat(role));
        if is_taken {
            assert_eq!(answer.status, 200, "{role}");
        } else {
            answer.is_problem(403, "K9043", &["`messages`", "instructs", "`vouch`", "\"error\""]);
        }
        assert_eq!(voucher.post("/v1/chat/completions", &chat(role)).status, 200, "{role}");
    }
    // A graph that takes the last message only has no use for the others.
    let echo = chat("system").replace("\"chat\"", "\"echo\"");
    assert_eq!(runner.post("/v1/chat/completions", &echo).status, 200);
    let run = |kind: &str| json!({ "messages": [{ "kind": kind, "content": "c" }] }).to_string();
    assert_eq!(runner.post("/api/graphs/chat/runs", &run("user")).status, 200);
    let refused = runner.post("/api/graphs/chat/runs", &run("system"));
    refused.is_problem(403, "K9043", &["`messages`", "`vouch`"]);
    assert_eq!(voucher.post("/api/graphs/chat/runs", &run("system")).status, 200);
    let about = runner.get("/api/graphs/chat").json();
    assert_eq!(about["vouched"], json!([]), "{about}");
}

#[test]
fn a_token_that_is_taken_back_opens_nothing_and_what_it_opened_ends() {
    let server = Server::start(&[]);
    let guest = Client { port: server.port, token: server.with_scopes("read") };
    guest.comes("/api/graphs", 200);
    let run = server.begin("wait", r#"{"time": "PT1H"}"#);
    let mut stream = guest.open("GET", &format!("{run}/events"), &[], "");
    stream.events_until(|event| event.data.contains("begun"));
    let file = server.tokens();
    let tokens = std::fs::read_to_string(&file).unwrap();
    // A file that is being written says nothing.
    std::fs::write(&file, "{").unwrap();
    server.signal("-HUP");
    server.says("the tokens stay as they were");
    assert_eq!(guest.get("/api/graphs").status, 200);
    let mut tokens: serde_json::Value = serde_json::from_str(&tokens).unwrap();
    tokens["tokens"].as_array_mut().unwrap().retain(|token| token["name"] == "first");
    std::fs::write(&file, tokens.to_string()).unwrap();
    guest.comes("/api/graphs", 401);
    assert!(stream.events().is_empty(), "the stream goes on");
    // The run, and the other token, are as they were.
    assert_eq!(server.get(&run).json()["state"], "running");
}

#[test]
fn a_client_that_reads_nothing_is_given_up() {
    let server = Server::start(&["--write-timeout", "1", "--max-connections", "2"]);
    let body = json!({ "to": 20_000, "filler": "x".repeat(1_000) }).to_string();
    let accept = [("Accept", "text/event-stream")];
    let stuck = server.open("POST", "/api/graphs/count/runs", &accept, &body);
    let other = server.open("POST", "/api/graphs/count/runs", &accept, &body);
    // They hold all places; when they are given up, others are served.
    server.comes("/healthz", 503);
    server.comes("/healthz", 200);
    // What they began goes on, and ends.
    server.until("/api/runs?state=done", |runs| {
        // While the places of those given up are cleared, the answer may still be that there is none.
        runs["runs"].as_array().is_some_and(|all| all.len() == 2)
    });
    drop((stuck, other));
}

#[test]
fn bodies_are_bounded_in_every_way() {
    let server = Server::start(&["--max-body", "10000"]);
    let path = "/api/graphs/add/runs";
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(4_000));
    server.post(path, &deep).is_problem(400, "K9041", &["deeper than 127 levels"]);
    for broken in ["", "{", "{\"a\":}", "nul", "{\"a\": 1} x", "\u{0}", "\"\\ud800\""] {
        server.post(path, broken).is_problem(400, "K9041", &["not valid JSON"]);
    }
    let large = json!({ "a": "x".repeat(20_000) }).to_string();
    server.post(path, &large).is_problem(413, "K9045", &["10000 bytes"]);
    // Also where nobody said before how long it would be.
    let mut chunked = server.request(
        "POST",
        path,
        &[("Content-Length", ""), ("Transfer-Encoding", "chunked")],
        "",
    );
    chunked.extend(format!("4e20\r\n{}\r\n0\r\n\r\n", "x".repeat(20_000)).bytes());
    assert_eq!(Stream::send(server.port, &chunked).status, 413);
    for media_type in ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
    {
        let answer = server.send("POST", path, &[("Content-Type", media_type)], "{}");
        answer.is_problem(415, "K9045", &["application/json"]);
    }
    let json_with_charset = [("Content-Type", "Application/JSON; charset=utf-8")];
    assert_eq!(server.send("POST", path, &json_with_charset, r#"{"a": 1}"#).status, 200);
    let header = "x".repeat(100_000);
    let long = server.send("GET", "/healthz", &[("X-Long", &header)], "");
    long.is_problem(431, "K9045", &["65536 bytes"]);
    let many: Vec<_> = (0..300).map(|_| ("X-Many", "x")).collect();
    assert_eq!(server.send("GET", "/healthz", &many, "").status, 431);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn what_is_not_there_is_said() {
    let server = Server::start(&[]);
    server.get("/nothing/here").is_problem(404, "K9045", &["/nothing/here"]);
    server.get("/v1/nothing").is_problem(404, "K9045", &["\"error\""]);
    server.get("/api/graphs/ad").is_problem(404, "K9040", &["did you mean `tests.add`?"]);
    server.get("/api/graphs/%ff").is_problem(400, "K9045", &[]);
    server.get("/api/runs/%00").is_problem(404, "K9046", &[]);
    let method = server.send("DELETE", "/api/graphs", &[], "");
    method.is_problem(405, "K9045", &["DELETE"]);
    assert!(method.header("allow").contains("GET"), "{method:?}");
    let accept =
        server.send("POST", "/api/graphs/add/runs", &[("Accept", "image/png")], r#"{"a":1}"#);
    accept.is_problem(406, "K9045", &["text/event-stream"]);
}

#[test]
fn runs_and_connections_are_bounded() {
    let server = Server::start(&["--max-runs", "2", "--max-connections", "5"]);
    let runs: Vec<_> = (0..2).map(|_| server.begin("wait", r#"{"time": "PT1H"}"#)).collect();
    let full = server.post("/api/graphs/add/runs", r#"{"a": 1}"#);
    full.is_problem(429, "K9047", &["2 runs are under way"]);
    assert_eq!(full.header("retry-after"), "1");
    server.post(&format!("{}/cancel", runs[0]), "");
    server.until(&runs[0], |run| run["state"] == "cancelled");
    assert_eq!(server.post("/api/graphs/add/runs", r#"{"a": 1}"#).status, 200);
    let mut open = Vec::new();
    let begin = Instant::now();
    while open.len() < 5 {
        // The connections of the requests before may take a moment to close.
        let stream = server.open("GET", &format!("{}/events", runs[1]), &[], "");
        if stream.status == 200 {
            open.push(stream);
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{} are open", open.len());
    }
    let full = server.get("/healthz");
    full.is_problem(503, "K9047", &["5 connections"]);
    assert_eq!(full.header("retry-after"), "1");
    drop(open);
    server.until("/healthz", |health| health["status"] == "alive");
}

#[test]
fn callers_lead_programs_to_no_foreign_files() {
    let server = Server::start(&[]);
    server.write("notes.txt", "mine");
    let read = |server: &Server, path: &str| {
        server.post("/api/graphs/reads/runs", &json!({ "path": path }).to_string()).json()
    };
    assert_eq!(read(&server, "notes.txt")["result"], "mine");
    for path in ["/etc/hostname", "../../../../../../etc/hostname"] {
        let run = read(&server, path);
        assert_eq!(run["error"]["code"], "K9014", "{run}");
        assert!(run["error"]["message"].as_str().unwrap().contains("--unrestricted"), "{run}");
    }
    let server = server.crash_and_restart(&["--unrestricted"]);
    assert_eq!(read(&server, "/etc/hostname")["state"], "done");
}

/// What the server lets callers do and what the profile grants: both must allow it.
#[test]
fn the_grants_of_the_package_hold_for_callers_and_without_limits_too() {
    let program = "pub graph save(path: text, body: text) -> text {\n  file.write(path, content: body)\n  \"saved\"\n}\n\npub graph reads(path: text) -> text {\n  file.read(path)\n}\n";
    let grants = "[grants]\nread = true\nwrite = [\"file out\"]\n";
    let server = Server::host(&[("notes.kait", program), ("kait.toml", grants)], &[]);
    let run = |server: &Server, graph: &str, path: &str| {
        let mut input = json!({ "path": path });
        if graph == "save" {
            input["body"] = json!("x");
        }
        server.post(&format!("/api/graphs/{graph}/runs"), &input.to_string()).json()
    };
    let refused = |answer: &serde_json::Value, words: &str| {
        assert_eq!(answer["error"]["code"], "K9014", "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(words), "{answer}");
    };
    assert_eq!(run(&server, "save", "out/a.txt")["result"], "saved");
    assert_eq!(run(&server, "reads", "out/a.txt")["result"], "x");
    refused(&run(&server, "save", "b.txt"), "`write file b.txt` is not granted in ");
    refused(&run(&server, "reads", "/etc/hostname"), "--unrestricted");
    // There or not, and whatever links say: nothing is learnt from the refusal.
    for path in ["/etc/hostname", "/etc/no-such-file"] {
        let said = run(&server, "reads", path)["error"]["message"].to_string();
        assert_eq!(
            said.replace(path, "PATH"),
            run(&server, "reads", "/etc/fstab")["error"]["message"]
                .to_string()
                .replace("/etc/fstab", "PATH")
        );
    }
    let server = server.crash_and_restart(&["--unrestricted"]);
    assert_eq!(run(&server, "reads", "/etc/hostname")["state"], "done");
    refused(&run(&server, "save", "b.txt"), "`write file b.txt` is not granted in ");
    // A table that changes holds from then on.
    server.write("kait.toml", "[grants]\nread = [\"file out\"]\n");
    server.until("/api/graphs", |_| run(&server, "reads", "/etc/hostname")["state"] == "failed");
    refused(
        &run(&server, "reads", "/etc/hostname"),
        "`read file /etc/hostname` is not granted in ",
    );
}

/// What is hosted is loaded again when it changes, so whoever writes it decides what runs, and which models are asked
/// with whose keys.
#[test]
fn callers_write_nothing_that_is_hosted() {
    let program = "pub graph save(path: text, body: text) -> text {\n  file.write(path, content: body)\n  \"saved\"\n}\n\npub graph reads(path: text) -> text {\n  file.read(path)\n}\n";
    let server = Server::host(&[("notes.kait", program), (".env", "KEY=secret")], &[]);
    let save = |path: &str| {
        let input = json!({ "path": path, "body": "pub graph evil() -> text {\n  \"evil\"\n}\n" });
        server.post("/api/graphs/save/runs", &input.to_string()).json()
    };
    assert_eq!(save("a.txt")["result"], "saved");
    std::os::unix::fs::symlink("kait.toml", server.directory.path().join("link.txt")).unwrap();
    server.write("kait.toml", "");
    for path in [
        "kait.toml",
        "./kait.toml",
        "a/../kait.toml",
        "link.txt",
        "KAIT.TOML",
        "kait.lock",
        "evil.kait",
        "notes.kait",
        "deep/evil.kait",
        ".env",
        ".git/hooks/pre-commit",
    ] {
        let run = save(path);
        assert_eq!(run["error"]["code"], "K9014", "{path}: {run}");
        assert!(run["error"]["message"].as_str().unwrap().contains("--unrestricted"), "{run}");
    }
    let read = server.post("/api/graphs/reads/runs", r#"{"path": ".env"}"#).json();
    assert_eq!(read["error"]["code"], "K9014", "{read}");
    let mut there: Vec<_> = std::fs::read_dir(server.directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort_unstable();
    assert_eq!(there, [".env", "a.txt", "kait.toml", "link.txt", "notes.kait"]);
}

#[test]
fn other_machines_are_let_in_only_on_purpose() {
    let server = Server::start(&[]);
    for (args, words) in [
        (&["--listen", "0.0.0.0:0"][..], "--expose"),
        (&["--listen", "0.0.0.0:0", "--expose"], "--allow-host"),
        (&["--listen", "nonsense"], "not an address"),
        (&["--allow-host", "app.example:8080"], "without scheme, port"),
        (&["--allow-host", "http://app.example"], "without scheme, port"),
        (&["--allow-origin", "https://app.example/"], "without a path"),
        (&["--allow-origin", "app.example"], "with its scheme"),
        (&["--max-runs", "0"], "--max-runs 0"),
        (&["--listen", &format!("127.0.0.1:{}", server.port)], "cannot listen"),
    ] {
        let done = server.command().arg("serve").args(args).output().unwrap();
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains("K9048") && said.contains(words), "{said}");
    }
}

#[test]
fn what_is_named_must_be_there_at_the_start() {
    let server = Server::start(&[]);
    let done = server.command().args(["serve", "test.kait"]).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("K0901") && said.contains("did you mean `tests.kait`?"), "{said}");
    assert!(!said.contains("listening"), "{said}");
}

#[test]
fn a_slow_head_is_given_up() {
    let server = Server::start(&[]);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: loc").unwrap();
    let begin = Instant::now();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(begin.elapsed() < Duration::from_secs(30), "it waits for ever");
}

#[test]
fn what_is_under_way_may_end_before_the_server_does() {
    let mut server = Server::start(&[]);
    let run = server.begin("wait", r#"{"time": "PT1.5S", "result": "in time"}"#);
    let mut stream = server.open("GET", &format!("{run}/events"), &[], "");
    stream.events_until(|event| event.data.contains("begun"));
    server.signal("-TERM");
    std::thread::sleep(Duration::from_millis(300));
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err(), "nobody listens any more");
    let rest = stream.events();
    assert!(rest.iter().any(|event| event.data.contains("in time")), "{rest:?}");
    assert!(rest.last().unwrap().data.contains("\"value\":\"done\""), "{rest:?}");
    assert_eq!(server.ended(), 0);
    assert!(server.said().contains("nothing new begins"), "{}", server.said());
}

#[test]
fn what_does_not_end_in_time_is_cancelled() {
    let mut server = Server::start(&["--drain", "1"]);
    let run = server.begin("wait", r#"{"time": "PT1H"}"#);
    let mut stream = server.open("GET", &format!("{run}/events"), &[], "");
    stream.events_until(|event| event.data.contains("begun"));
    let begin = Instant::now();
    server.signal("-INT");
    let rest = stream.events();
    assert!(rest.last().unwrap().data.contains("cancelled"), "{rest:?}");
    assert_eq!(server.ended(), 0);
    assert!(begin.elapsed() >= Duration::from_millis(900), "it did not wait");
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut server = Server::start(&[]);
    let run = server.begin("wait", r#"{"time": "PT1H"}"#);
    let mut stream = server.open("GET", &format!("{run}/events"), &[], "");
    stream.events_until(|event| event.data.contains("begun"));
    server.signal("-TERM");
    std::thread::sleep(Duration::from_millis(200));
    server.signal("-TERM");
    let begin = Instant::now();
    assert_eq!(server.ended(), 0);
    assert!(begin.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_body_comes_as_it_is() {
    let server = Server::start(&[]);
    let path = "/api/graphs/add/runs";
    let packed = server.send("POST", path, &[("Content-Encoding", "gzip")], "{\"a\": 1}");
    packed.is_problem(415, "K9045", &["gzip"]);
    let plain = server.send("POST", path, &[("Content-Encoding", "identity")], "{\"a\": 1}");
    assert_eq!(plain.status, 200, "{plain:?}");
    let coded = [("Transfer-Encoding", "gzip, chunked"), ("Content-Length", "")];
    let coded = server.send("POST", path, &coded, "8\r\n{\"a\": 1}\r\n0\r\n\r\n");
    coded.is_problem(501, "K9045", &["gzip"]);
    // What is to be cancelled is in the path: a body may be left out, and then need not be called anything.
    let run = server.begin("wait", r#"{"time": "PT60S"}"#);
    let cancel = format!("{run}/cancel");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    server.send("POST", &cancel, &form, "a=1").is_problem(415, "K9045", &["application/json"]);
    server.send("POST", &cancel, &form, "").is_problem(415, "K9045", &[]);
    assert_eq!(server.send("POST", &cancel, &[("Content-Type", "")], "").status, 202);
    server.until(&run, |run| run["state"] == "cancelled");
    // A run has one name.
    let odd = format!("{}0{}", &run[..run.len() - 5], &run[run.len() - 5..]);
    server.get(&odd).is_problem(404, "K9046", &[]);
}

#[test]
fn the_description_can_be_used_by_generators() {
    let weird = "/// Says it.\npub graph go(n: int where (min: 1) = 5, note: text = \"a\") -> text {\n  note\n}\n";
    let files = [("my file.kait", weird), ("my-file.kait", weird), ("b/my_file.kait", weird)];
    let server = Server::host(&files, &[]);
    let document = server.get("/openapi.json").json();
    let mut names = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(!path.contains(' '), "{path}");
        for (_, operation) in methods.as_object().unwrap() {
            names.push(operation["operationId"].as_str().unwrap().to_owned());
            assert!(operation["responses"]["414"].is_object(), "{operation}");
        }
    }
    assert_eq!(names.len(), 17);
    let plain = |name: &String| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    assert!(names.iter().all(plain), "{names:?}");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 17, "each has its own");
    let shown = server.get("/api/graphs/my-file.go").json();
    assert_eq!(shown["signature"], "go(n: int where (min: 1) = 5, note: text = \"a\") -> text");
    assert_eq!(shown["input"]["properties"]["n"]["maximum"], i64::MAX);
    assert_eq!(server.post("/api/graphs/my%20file.go/runs", "{}").json()["result"], "a");
    let long = server.get(&format!("/{}", "x".repeat(70_000)));
    assert_eq!(long.status, 414, "{long:?}");
}
