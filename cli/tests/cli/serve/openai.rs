//! The OpenAI-compatible door, by hand and with the official client.

use std::process::Command;

use serde_json::{Value as Json, json};

use super::server::Server;
use crate::support::root;

fn ask(server: &Server, more: Json) -> super::client::Answer {
    let mut request = json!({
        "model": "chat",
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": [{ "type": "text", "text": "Hello" }] },
        ],
    });
    if let (Json::Object(request), Json::Object(more)) = (&mut request, more) {
        request.extend(more);
    }
    server.post("/v1/chat/completions", &request.to_string())
}

#[test]
fn graphs_of_text_to_text_are_models() {
    let server = Server::start(&[]);
    let models = server.get("/v1/models").json();
    let mut names: Vec<_> =
        models["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["tests.chat", "tests.echo", "tests.fails", "tests.reads"]);
    assert_eq!(server.get("/v1/models/chat").json()["id"], "tests.chat");
    server.get("/v1/models/add").is_problem(404, "K9040", &["is no chat"]);

    let answer = ask(&server, json!({ "temperature": 0.3 })).json();
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["content"], "system: Be brief.\nuser: Hello");
    assert_eq!((&answer["object"], &answer["model"]), (&json!("chat.completion"), &json!("chat")));
    let last = ask(&server, json!({ "model": "tests.echo" })).json();
    let said = last["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(said.ends_with("Hello") && !said.contains("brief"), "{said}");
    assert!(last["usage"]["total_tokens"].as_u64().unwrap() > 0);
}

#[test]
fn mistakes_are_told_as_clients_read_them() {
    let server = Server::start(&[]);
    for (more, status, words) in [
        (json!({ "model": "nobody" }), 404, "nobody"),
        (json!({ "model": "add" }), 404, "is no chat"),
        (json!({ "messages": [] }), 400, "messages"),
        (json!({ "messages": "x" }), 400, "does not fit"),
        (
            json!({ "messages": [{ "role": "user", "content": [
                { "type": "text", "text": "What is this?" },
                { "type": "image_url", "image_url": { "url": "https://example.com/a.png" } },
            ] }] }),
            400,
            "`messages[0].content[1]` is of the type `image_url`: graphs are asked with texts only",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": { "text": "x" } }] }),
            400,
            "`messages[0].content` must be a text, or a list of parts",
        ),
        (
            json!({ "model": "echo", "messages": [{ "role": "system", "content": "x" }] }),
            400,
            "role `user`",
        ),
        (json!({ "n": 3 }), 400, "`n`"),
        (json!({ "tools": [{}] }), 400, "`tools`"),
        (json!({ "response_format": { "type": "json_object" } }), 400, "`response_format`"),
        (json!({ "model": "fails" }), 422, "Hello"),
    ] {
        let answer = ask(&server, more.clone());
        assert_eq!(answer.status, status, "{more}: {answer:?}");
        let problem = answer.json();
        let error = &problem["error"];
        assert_eq!(error["code"], problem["code"]);
        assert!(error["message"].as_str().unwrap().contains(words), "{problem}");
        // What was asked was right where the run failed.
        let kind = if status == 422 { "server_error" } else { "invalid_request_error" };
        assert_eq!(error["type"], kind);
    }
}

#[test]
fn a_silent_stream_shows_that_it_is_alive() {
    let program = "pub graph slow(text: text) -> text {\n  clock.sleep(17s)\n  text\n}\n";
    let server = Server::host(&[("s.kait", program)], &[]);
    let body = json!({ "model": "slow", "stream": true, "messages": [{ "role": "user", "content": "x" }] });
    let mut stream = server.open("POST", "/v1/chat/completions", &[], &body.to_string());
    assert!(stream.head.contains("x-accel-buffering: no"), "{}", stream.head);
    let said = stream.rest();
    assert!(said.contains("\n\n: alive\n\n") && said.ends_with("data: [DONE]\n\n"), "{said}");
}

#[test]
fn whoever_breaks_off_cancels() {
    let program = "pub graph slow(text: text) -> text {\n  clock.sleep(1h)\n  text\n}\n";
    let server = Server::host(&[("s.kait", program)], &[]);
    let body = |stream: bool| {
        json!({ "model": "slow", "stream": stream, "messages": [{ "role": "user", "content": "x" }] }).to_string()
    };
    let mut stream = server.open("POST", "/v1/chat/completions", &[], &body(true));
    assert!(stream.piece().is_some());
    drop(stream);
    server.until("/api/runs", |runs| runs["runs"][0]["state"] == "cancelled");
    let waiting = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    use std::io::Write as _;
    (&waiting)
        .write_all(&server.request("POST", "/v1/chat/completions", &[], &body(false)))
        .unwrap();
    server.until("/api/runs?state=running", |runs| runs["runs"].as_array().unwrap().len() == 1);
    drop(waiting);
    server.until("/api/runs?state=running", |runs| runs["runs"].as_array().unwrap().is_empty());
}

/// `tests/peers/openai.mjs` asks with nothing changed but the base URL and the key.
#[test]
fn the_official_client_streams() {
    let peers = root().join("tests/peers");
    if !peers.join("node_modules/openai").exists() {
        let why = "the client is missing: npm ci --prefix tests/peers --ignore-scripts";
        assert!(std::env::var_os("KAIT_PEERS").is_none_or(|v| v != "required"), "{why}");
        eprintln!("skipped: {why}");
        return;
    }
    let server = Server::start(&[]);
    let done = Command::new("node")
        .arg(peers.join("openai.mjs"))
        .env("OPENAI_BASE_URL", format!("http://127.0.0.1:{}/v1", server.port))
        .env("OPENAI_API_KEY", &server.token)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    let heard: Json = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(heard["models"], json!(["tests.echo", "tests.chat"].map(|_| true)), "{heard}");
    assert_eq!(heard["whole"], "system: Be brief.\nuser: Hello");
    assert!(heard["pieces"].as_u64().unwrap() > 3, "{heard}");
    assert!(heard["streamed"].as_str().unwrap().ends_with("one two three four five"), "{heard}");
    assert!(heard["usage"].as_u64().unwrap() > 0, "{heard}");
    assert_eq!(heard["missing"], json!({ "status": 404, "code": "K9040" }));
    assert_eq!(heard["failed"], json!({ "status": 422, "code": "K9023" }));
    assert_eq!(heard["failed_stream"], "K9023");
    assert_eq!(heard["denied"], 401);
}
