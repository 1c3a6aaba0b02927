//! Runs and their logs: waited for, streamed, cut and resumed, cancelled, lost.

use std::net::TcpStream;

use serde_json::{Value as Json, json};
use tungstenite::WebSocket;

use super::client::{Client, Event, Stream};
use super::server::Server;
use kait_engine::segment::{Segment, SegmentLog};

fn records(events: &[Event]) -> Vec<Segment> {
    let records = events.iter().map(|event| {
        let record: Segment = serde_json::from_str(&event.data).unwrap();
        assert!(event.id.ends_with(&format!(".{}", record.seq)), "{event:?}");
        assert_eq!(event.name, "");
        record
    });
    records.collect()
}

fn resume(client: &Client, run: &str, id: &str) -> Stream {
    client.open("GET", &format!("{run}/events"), &[("Last-Event-ID", id)], "")
}

#[test]
fn a_run_is_waited_for_streamed_or_left_alone() {
    let server = Server::start(&[]);
    let path = "/api/graphs/tests.add/runs";
    let done = server.post(path, r#"{"a": 2}"#);
    assert_eq!(done.status, 200);
    let run = done.json();
    assert_eq!((&run["state"], &run["result"]), (&json!("done"), &json!(3)));
    assert_eq!((&run["schema"], &run["graph"]), (&json!("kait.run/1"), &json!("tests.add")));
    // The graph's name alone serves, too, and the run is found again.
    assert_eq!(server.post("/api/graphs/add/runs", r#"{"a": 2}"#).json()["result"], 3);
    assert_eq!(server.get(done.header("location")).json(), run);

    let accept = [("Accept", "text/event-stream")];
    let mut stream = server.open("POST", path, &accept, r#"{"a": 40, "b": 2}"#);
    assert_eq!(stream.status, 200, "{}", stream.head);
    let log = records(&stream.events());
    SegmentLog::check(&log).unwrap();
    assert!(stream.head.contains(&format!("/api/runs/{}", log[0].run)), "{}", stream.head);

    let run = server.begin("wait", r#"{"time": "PT0.05S", "result": "later"}"#);
    let ended = server.until(&run, |run| run["state"] != "running");
    assert_eq!(ended["result"], "later");

    let failed = server.post("/api/graphs/fails/runs", r#"{"why": "no luck"}"#);
    assert_eq!(failed.status, 200);
    let failed = failed.json();
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["error"]["code"], "K9023");
    assert_eq!(failed["error"]["message"], "no luck");
    assert_eq!(failed["failure"]["kind"], "custom");
}

#[test]
fn a_trace_tells_of_every_node() {
    let server = Server::start(&[]);
    let accept = [("Accept", "text/event-stream")];
    let nodes = |query: &str| {
        let path = format!("/api/graphs/echo/runs{query}");
        let events = server.open("POST", &path, &accept, r#"{"text": "x"}"#).events();
        events.iter().filter(|event| event.data.contains(r#""kind":"node""#)).count()
    };
    assert_eq!(nodes(""), 0);
    assert!(nodes("?trace=true") > 0);
}

#[test]
fn a_log_that_is_cut_and_resumed_is_exactly_the_log() {
    let server = Server::start(&[]);
    let run = server.begin("count", r#"{"to": 400}"#);
    server.until(&run, |run| run["state"] == "done");
    let whole = server.open("GET", &format!("{run}/events"), &[], "").events();
    SegmentLog::check(&records(&whole)).unwrap();
    assert!(whole.len() > 600, "{}", whole.len());
    for cut in [0, 1, 2, 63, 64, 65, 333, whole.len() - 2] {
        let mut stream = server.open("GET", &format!("{run}/events"), &[], "");
        let mut events = stream.events_until(|event| *event == whole[cut]);
        drop(stream);
        let last = events.last().unwrap().id.clone();
        events.extend(resume(&server, &run, &last).events());
        assert_eq!(events, whole, "cut at {cut}");
        // The same by a query, for clients that cannot set headers.
        let path = format!("{run}/events?after={last}");
        assert_eq!(server.open("GET", &path, &[], "").events(), whole[cut + 1..]);
    }
    // Whoever has everything is told not to come again.
    let last = resume(&server, &run, &whole.last().unwrap().id);
    assert_eq!(last.status, 204);
}

#[test]
fn a_running_log_is_cut_and_resumed_too() {
    let server = Server::start(&[]);
    let run = server.begin("wait", r#"{"time": "PT0.5S"}"#);
    let mut stream = server.open("GET", &format!("{run}/events"), &[], "");
    let mut events = stream.events_until(|event| event.data.contains("begun"));
    drop(stream);
    assert!(!events.iter().any(|event| event.data.contains("over")), "it is still under way");
    let last = events.last().unwrap().id.clone();
    events.extend(resume(&server, &run, &last).events());
    SegmentLog::check(&records(&events)).unwrap();
    assert_eq!(events, server.open("GET", &format!("{run}/events"), &[], "").events());
}

#[test]
fn an_id_that_says_nothing_begins_with_a_snapshot() {
    let server = Server::start(&[]);
    let run = server.begin("add", r#"{"a": 1}"#);
    server.until(&run, |run| run["state"] == "done");
    let whole = server.open("GET", &format!("{run}/events"), &[], "").events();
    for id in ["other.3", "nonsense", "..", "99999999999999999999999.1"] {
        let events = resume(&server, &run, id).events();
        assert_eq!(events[0].name, "snapshot", "{id}");
        let snapshot: Json = serde_json::from_str(&events[0].data).unwrap();
        assert_eq!(snapshot["records"], json!([]));
        assert_eq!(events[1..], whole, "{id}");
    }
}

#[test]
fn a_run_is_cancelled() {
    let server = Server::start(&[]);
    let run = server.begin("wait", r#"{"time": "PT1H"}"#);
    let mut stream = server.open("GET", &format!("{run}/events"), &[], "");
    stream.events_until(|event| event.data.contains("begun"));
    assert_eq!(server.post(&format!("{run}/cancel"), "").status, 202);
    let last = stream.events();
    assert!(last.last().unwrap().data.contains("cancelled"), "{last:?}");
    let ended = server.until(&run, |run| run["state"] != "running");
    assert_eq!((&ended["state"], &ended["error"]["code"]), (&json!("cancelled"), &json!("K9011")));
    // Again is no mistake.
    assert_eq!(server.post(&format!("{run}/cancel"), "{}").status, 202);
}

/// A WebSocket about a run.
fn connect(client: &Client, run: &str, query: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", client.port)).unwrap();
    let request = tungstenite::http::Request::builder()
        .uri(format!("ws://127.0.0.1:{}{run}/socket{query}", client.port))
        .header("Host", format!("127.0.0.1:{}", client.port))
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", tungstenite::handshake::client::generate_key())
        .header("Sec-WebSocket-Protocol", format!("kait.v1, bearer.{}", client.token))
        .body(())
        .unwrap();
    let (socket, response) = tungstenite::client(request, stream).unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "kait.v1");
    socket
}

#[test]
fn a_socket_has_the_same_log_and_cancels() {
    let server = Server::start(&[]);
    let run = server.begin("wait", r#"{"time": "PT1H"}"#);
    let mut socket = connect(&server, &run, "");
    let mut messages: Vec<Json> = Vec::new();
    loop {
        match socket.read().unwrap() {
            tungstenite::Message::Text(text) => {
                let message: Json = serde_json::from_str(&text).unwrap();
                if message.to_string().contains("begun") {
                    for sent in ["{\"op\":\"dance\"}", "[[", "{\"op\":\"cancel\"}"] {
                        socket.send(tungstenite::Message::text(sent)).unwrap();
                    }
                }
                messages.push(message);
            }
            tungstenite::Message::Close(_) => break,
            _ => {}
        }
    }
    let (errors, log): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| message["op"] == "error");
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(errors[0]["problem"]["code"], "K9045");
    assert_eq!(errors[1]["problem"]["code"], "K9041");
    let events = server.open("GET", &format!("{run}/events"), &[], "").events();
    assert_eq!(log.len(), events.len());
    for (message, event) in log.iter().zip(&events) {
        assert_eq!(message["id"], event.id);
        let mut record: Json = serde_json::from_str(&event.data).unwrap();
        record["id"] = message["id"].clone();
        assert_eq!(*message, record);
    }
    // Behind a record that the client has.
    let mut socket = connect(&server, &run, &format!("?after={}", events[1].id));
    let first = socket.read().unwrap().into_text().unwrap();
    assert!(first.contains(&format!("\"id\":\"{}\"", events[2].id)), "{first}");
    // What asks for no WebSocket is told so.
    let plain = server.get(&format!("{run}/socket"));
    assert!([400, 426].contains(&plain.status), "{plain:?}");
    assert_eq!(plain.json()["code"], "K9045");
}

#[test]
fn a_list_has_pages() {
    let server = Server::start(&[]);
    for n in 0..7 {
        server.post("/api/graphs/add/runs", &json!({ "a": n }).to_string());
    }
    server.post("/api/graphs/fails/runs", r#"{"why": "x"}"#);
    let mut found = Vec::new();
    let mut path = "/api/runs?limit=3".to_owned();
    let pages = std::iter::from_fn(|| {
        let page = (!path.is_empty()).then(|| server.get(&path).json())?;
        path = match page["next"].as_str() {
            Some(next) => format!("/api/runs?limit=3&before={next}"),
            None => String::new(),
        };
        Some(page["runs"].as_array().unwrap().clone())
    });
    for page in pages {
        assert!(page.len() <= 3);
        found.extend(page);
    }
    assert_eq!(found.len(), 8);
    assert_eq!(found[0]["state"], "failed");
    let results: Vec<_> = found[1..].iter().map(|run| run["result"].as_i64().unwrap()).collect();
    assert_eq!(results, [7, 6, 5, 4, 3, 2, 1]);
    let failed = server.get("/api/runs?state=failed&graph=fails").json();
    assert_eq!(failed["runs"].as_array().unwrap().len(), 1);
    server.get("/api/runs?limit=0").is_problem(400, "K9045", &["limit"]);
    server.get("/api/runs?limit=x").is_problem(400, "K9045", &["query"]);
    server.get("/api/runs?state=sleeping").is_problem(400, "K9045", &["sleeping"]);
    server.get("/api/runs?before=r_x").is_problem(404, "K9046", &[]);
}

#[test]
fn finished_runs_are_forgotten_in_the_end_and_that_is_said() {
    let server = Server::start(&["--keep-runs", "2"]);
    let run = |n: i32| {
        let answer = server.post("/api/graphs/add/runs", &json!({ "a": n }).to_string());
        answer.header("location").to_owned()
    };
    let runs: Vec<_> = (0..4).map(run).collect();
    for gone in &runs[..2] {
        server.get(gone).is_problem(410, "K9046", &["remembers 2 finished runs"]);
        server.get(&format!("{gone}/events")).is_problem(410, "K9046", &[]);
    }
    for kept in &runs[2..] {
        assert_eq!(server.get(kept).status, 200);
    }
}

#[test]
fn after_a_crash_a_hundred_clients_rejoin_and_are_told() {
    let server = Server::start(&[]);
    let run = server.begin("wait", r#"{"time": "PT1H"}"#);
    let mut streams: Vec<_> =
        (0..100).map(|_| server.open("GET", &format!("{run}/events"), &[], "")).collect();
    let ids: Vec<_> = streams
        .iter_mut()
        .map(|stream| {
            stream.events_until(|event| event.data.contains("begun")).last().unwrap().id.clone()
        })
        .collect();
    let server = server.crash_and_restart(&[]);
    for (mut stream, id) in streams.into_iter().zip(&ids) {
        assert!(stream.piece().is_none(), "the stream broke off");
        let mut again = resume(&server, &run, id);
        assert_eq!(again.status, 410);
        let problem: Json = serde_json::from_str(&again.rest()).unwrap();
        assert_eq!(problem["code"], "K9046");
        assert!(problem["detail"].as_str().unwrap().contains("a restart loses them"), "{problem}");
    }
    server.get("/api/runs/r_0000000").is_problem(404, "K9046", &["there is no run"]);
    assert_eq!(server.get("/api/runs").json()["runs"], json!([]));
    assert_eq!(server.post("/api/graphs/add/runs", r#"{"a": 1}"#).json()["result"], 2);
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody() {
    let server = Server::start(&[]);
    let accept = [("Accept", "text/event-stream")];
    let body = json!({ "to": 20_000, "filler": "x".repeat(1_000) }).to_string();
    // Its log is far more than the buffers on the way take, and nobody reads it.
    let mut stuck = server.open("POST", "/api/graphs/count/runs", &accept, &body);
    let place = stuck.head.lines().find_map(|line| line.strip_prefix("location: "));
    let place = place.unwrap().to_owned();
    let ended = server.until(&place, |run| run["state"] != "running");
    assert_eq!(ended["result"], 20_000);
    // When it reads on, a snapshot stands for what the server did not keep.
    let events = stuck.events();
    let snapshot = events.iter().rfind(|event| event.name == "snapshot");
    let snapshot = snapshot.unwrap_or_else(|| panic!("{} events", events.len()));
    // It is bounded itself: of what has ended long ago only the number is told.
    assert!(snapshot.data.len() < 1 << 20, "{} bytes", snapshot.data.len());
    let snapshot: Json = serde_json::from_str(&snapshot.data).unwrap();
    assert!(snapshot["left_out"].as_u64().unwrap() > 100, "{}", snapshot["left_out"]);
    assert_eq!(snapshot["records"][0]["kind"], "run");
    assert!(events.last().unwrap().data.contains(r#""segment":0,"op":"close""#));
}

#[test]
fn a_request_that_is_sent_again_starts_nothing_again() {
    let server = Server::start(&[]);
    let path = "/api/graphs/wait/runs";
    let (body, key) = (r#"{"time": "PT0.3S"}"#, ("Idempotency-Key", "order-17"));
    let first = server.send("POST", path, &[key, ("Prefer", "respond-async")], body);
    assert_eq!(first.status, 202);
    // The run is under way: the same, in every form of an answer.
    let stream = server.open("POST", path, &[key, ("Accept", "text/event-stream")], body);
    assert!(stream.head.contains(first.header("location")), "{}", stream.head);
    let waited = server.send("POST", path, &[key], body);
    assert_eq!((waited.status, waited.header("location")), (200, first.header("location")));
    assert_eq!(waited.json()["result"], "done");
    // It has ended: still the same, also by the graph's other name.
    let again = server.send("POST", "/api/graphs/tests.wait/runs", &[key], body);
    assert_eq!(again.json(), waited.json());
    assert_eq!(server.get("/api/runs").json()["runs"].as_array().unwrap().len(), 1);
    // Another request must have another name.
    for (path, body) in [
        (path, r#"{"time": "PT0.2S"}"#),
        ("/api/graphs/echo/runs", r#"{"text": "x"}"#),
        ("/api/graphs/wait/runs?trace=true", body),
    ] {
        server.send("POST", path, &[key], body).is_problem(409, "K9051", &["`order-17`"]);
    }
    // The names of one client say nothing about those of another.
    let other = Client { port: server.port, token: server.with_scopes("run") };
    other.comes("/api/runs", 403);
    let theirs = other.send("POST", path, &[key], body);
    assert_ne!(theirs.header("location"), first.header("location"));
    for wrong in ["x".repeat(256), "\u{1}".to_owned(), "é".to_owned()] {
        let answer = server.send("POST", path, &[("Idempotency-Key", &wrong)], body);
        assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
    }
    let twice = [key, ("Idempotency-Key", "order-18")];
    server.send("POST", path, &twice, body).is_problem(400, "K9045", &["more than one"]);
}

#[test]
fn many_that_send_one_request_at_once_start_one_run() {
    let server = Server::start(&[]);
    let places: Vec<String> = std::thread::scope(|scope| {
        let one = || {
            let key = [("Idempotency-Key", "k")];
            let answer = server.send("POST", "/api/graphs/add/runs", &key, r#"{"a": 1}"#);
            assert_eq!(answer.json()["result"], 2, "{answer:?}");
            answer.header("location").to_owned()
        };
        let all: Vec<_> = (0..20).map(|_| scope.spawn(one)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
    assert_eq!(server.get("/api/runs").json()["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn large_logs_go_before_small_results() {
    let server = Server::start(&[]);
    let small = server.post("/api/graphs/add/runs", r#"{"a": 1}"#).header("location").to_owned();
    let body = json!({ "to": 5_000, "filler": "x".repeat(1_000) }).to_string();
    let large: Vec<_> = (0..20)
        .map(|_| {
            let run = server.begin("count", &body);
            server.until(&run, |run| run["state"] == "done");
            run
        })
        .collect();
    // More than the server remembers of logs, but hardly anything of results.
    for run in std::iter::once(&small).chain(&large) {
        assert_eq!(server.get(run).json()["state"], "done", "{run}");
    }
    server.get(&format!("{small}/events")).is_problem(410, "K9046", &["is forgotten"]);
    assert_eq!(server.get(&format!("{}/events", large[19])).status, 200);
}

#[test]
fn a_socket_carries_records_of_every_size() {
    let program = "pub graph say(text: text) -> text {\n  text\n}\n";
    let server = Server::host(&[("s.kait", program)], &[]);
    let text = "x".repeat(9_000_000);
    let run = server.begin("say", &json!({ "text": text }).to_string());
    server.until(&run, |run| run["state"] == "done");
    let (mut socket, mut messages) = (connect(&server, &run, ""), Vec::new());
    while let tungstenite::Message::Text(text) = socket.read().unwrap() {
        messages.push(text);
    }
    assert!(messages.iter().any(|message| message.len() > text.len()), "{}", messages.len());
    assert!(messages.last().unwrap().contains(r#""segment":0,"op":"close""#));
}
