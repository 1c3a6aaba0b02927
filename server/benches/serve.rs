//! `k-http`, `k-sse` and idle streams: what the server costs, over real sockets on loopback.
//!
//! Server and clients are one process, the clients on a thread of their own, so both sides share the machine's cores;
//! the limits are a trivial axum handler, and a handler that streams ready-made bytes, in the same process, under the
//! same clients. `k-http`: requests that start a run, wait for it and get its result, over 64 connections. `k-sse`:
//! events of a log that has been written, one client or 64, from the log to the client's hands. Idle: resident memory
//! of 1,000 streams of a run that waits.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark"
)]

#[path = "../../tests/measure/mod.rs"]
mod measure;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use bytes::Bytes;
use hyper_util::rt::TokioIo;
use kait_compiler::compile;
use kait_compiler::sources::MemorySources;
use kait_engine::Loaded;
use kait_engine::segment::{SegmentKind, SegmentOp, SegmentRole};
use kait_runtime::segments::Writer;
use kait_runtime::{Connections, Plan, RunLog};
use kait_server::feed::Feed;
use kait_server::{Catalog, Config, Program, Programs, Scope, Source, Tokens};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

const PROGRAM: &str = "pub graph greet(name: text) -> text {\n  \"Hello, ${name}!\"\n}\n\n\
                       pub graph wait() -> text {\n  clock.sleep(1h)\n  \"over\"\n}\n";
const CONNECTIONS: usize = 64;
/// Requests of one sample, all connections together.
const REQUESTS: usize = 16_384;
const EVENTS: usize = 60_000;

struct Fixed;

impl Programs for Fixed {
    fn load(&self) -> Vec<Source> {
        let compiled = compile(&MemorySources::single("bench.kait", PROGRAM), &["bench.kait"]);
        let roots = &compiled.hir.modules[0].defs;
        let program = compiled.lower(roots).expect("it compiles");
        let plan = Plan {
            loaded: Arc::new(Loaded::new(program).expect("it loads")),
            roles: indexmap::IndexMap::default(),
            terms: Arc::default(),
        };
        let connections = Arc::new(Connections::new(Default::default()));
        let files = Arc::new(compiled.files);
        let program = Some(Program {
            plan: Arc::new(plan),
            connections,
            files,
            vouched: Arc::default(),
            bounds: Arc::default(),
        });
        let (graphs, findings) = (Vec::new(), Vec::new());
        vec![Source {
            path: "bench.kait".into(),
            module: "bench".into(),
            graphs,
            findings,
            program,
        }]
    }
}

/// Serves a plain router, as the server's own loop does.
async fn host(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let router = router.clone();
            let service = hyper::service::service_fn(move |request: hyper::Request<_>| {
                let router = router.clone();
                async move {
                    let answer = router.oneshot(request.map(Body::new)).await;
                    Ok::<_, Infallible>(answer.unwrap_or_else(|never| match never {}))
                }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            let http = http.max_buf_size(64 << 10);
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("a socket");
    stream
}

/// Sends a request again and again, and reads each answer whole: microseconds a request.
async fn requests(address: SocketAddr, request: Bytes, wanted: &'static [u8]) -> f64 {
    let begin = Instant::now();
    let clients = (0..CONNECTIONS).map(|_| {
        let request = request.clone();
        tokio::spawn(async move {
            let mut stream = connect(address).await;
            let mut buffer = vec![0; 8 << 10];
            for _ in 0..REQUESTS / CONNECTIONS {
                stream.write_all(&request).await.expect("it takes the request");
                let mut filled = 0;
                loop {
                    let count = stream.read(&mut buffer[filled..]).await.expect("it answers");
                    assert!(count > 0, "the server closed the connection");
                    filled += count;
                    if whole(&buffer[..filled]) {
                        break;
                    }
                }
                let answer = &buffer[..filled];
                assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(answer));
                assert!(memchr::memmem::find(answer, wanted).is_some());
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("a client ends");
    }
    begin.elapsed().as_secs_f64() * 1e6 / REQUESTS as f64
}

fn whole(answer: &[u8]) -> bool {
    let Some(head) = memchr::memmem::find(answer, b"\r\n\r\n") else { return false };
    let text = std::str::from_utf8(&answer[..head]).expect("a head is text");
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.expect("it has a length").parse().expect("a number");
    answer.len() >= head + 4 + length
}

/// Reads streams to their ends, all at once: nanoseconds an event, all streams together.
async fn streams(address: SocketAddr, clients: usize) -> f64 {
    let begin = Instant::now();
    let readers = (0..clients).map(|_| {
        tokio::spawn(async move {
            let mut stream = connect(address).await;
            let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            stream.write_all(request).await.expect("it takes the request");
            let mut buffer = vec![0; 256 << 10];
            let mut events = 0;
            loop {
                let count = stream.read(&mut buffer).await.expect("it answers");
                if count == 0 {
                    return events;
                }
                // Each event has one line that begins so; a line that two reads share is missed or found once.
                events += memchr::memmem::find_iter(&buffer[..count], b"data: ").count();
            }
        })
    });
    let mut events = 0;
    for reader in readers.collect::<Vec<_>>() {
        events += reader.await.expect("a client ends");
    }
    let (most, least) = (EVENTS * clients, (EVENTS - EVENTS / 100) * clients);
    assert!((least..=most).contains(&events), "{events} of {most}");
    begin.elapsed().as_secs_f64() * 1e9 / most as f64
}

/// A log with as many records as there are events.
fn feed() -> Arc<Feed> {
    let log = RunLog::new("r_00000000bench".into(), EVENTS + 1);
    let mut writer = Writer::new(Arc::clone(&log));
    let segment = writer.open("greet".into(), SegmentKind::Text, Some(SegmentRole::Result), None);
    for _ in 0..EVENTS - 2 {
        let (text, at) = ("token ".to_owned(), String::new());
        writer.write("greet".into(), segment, SegmentOp::Delta { text, at, done: false });
    }
    writer.write("greet".into(), segment, SegmentOp::Close { value: serde_json::Value::Null });
    writer.end();
    Arc::new(Feed::new(log, "0bench00".into()))
}

fn sse(server: &tokio::runtime::Runtime, clients: &tokio::runtime::Runtime) {
    let feed = feed();
    let mut pieces: Vec<Bytes> = Vec::new();
    let mut reader = feed.read(Some(0));
    while let kait_server::feed::Taken::Events(piece, _) = reader.take() {
        pieces.push(piece);
    }
    drop(reader);
    let ready = Router::new().route(
        "/",
        get(move || {
            let pieces = pieces.clone().into_iter().map(Ok::<_, Infallible>);
            async move { Body::from_stream(futures_util::stream::iter(pieces)) }
        }),
    );
    let own = Router::new().route(
        "/",
        get(move || {
            let reader = feed.read(Some(0));
            async move {
                kait_server::stream_of(reader, Duration::from_secs(15), CancellationToken::new())
            }
        }),
    );
    let (ready, own) = (server.block_on(host(ready)), server.block_on(host(own)));
    for (count, samples) in [(1, 41), (CONNECTIONS, 11)] {
        let limit = measure::sample(samples, || clients.block_on(streams(ready, count)));
        let sse = measure::sample(samples, || clients.block_on(streams(own, count)));
        limit.print(&format!("limit: ready-made events, {count} streams"), "ns/event", None);
        sse.print(&format!("k-sse-{count}"), "ns/event", Some(&limit));
        let (median, best) = (1e3 / sse.median(), 1e3 / sse.min());
        println!("{:<44} median {median:.2} M events/s, best {best:.2} M", "");
    }
}

fn main() {
    measure::print_load();
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let server = runtime().expect("a runtime");
    // One thread for all clients, so that the server has the rest.
    let clients = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let clients = clients.expect("a runtime");

    let directory = tempfile::tempdir().expect("a directory");
    let tokens = Tokens::load(&directory.path().join("t.json")).expect("no tokens yet");
    let token = tokens.add("bench", &[Scope::Admin]).expect("a token");
    let app = kait_server::app(Config::local(), Arc::new(Catalog::load(Box::new(Fixed))), tokens);
    let listener = server.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    let stop = CancellationToken::new();
    server.spawn(kait_server::serve(app, listener, stop.clone(), CancellationToken::new()));

    let head = |path: &str, method: &str, length: usize| {
        format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let body = r#"{"name": "Ada"}"#;
    let run = head("/api/graphs/bench.greet/runs", "POST", body.len()) + body;

    // Before anything else has left its traces in the process's memory.
    let waiting = head("/api/graphs/bench.wait/runs", "POST", 2)
        .replace("Content-Type", "Prefer: respond-async\r\nContent-Type")
        + "{}";
    let place = clients.block_on(async {
        let mut stream = connect(address).await;
        stream.write_all(waiting.as_bytes()).await.expect("it takes the request");
        let mut buffer = vec![0; 4 << 10];
        let count = stream.read(&mut buffer).await.expect("it answers");
        let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
        let place = text.lines().find_map(|line| line.strip_prefix("location: "));
        place.expect("a place").to_owned()
    });
    let before = measure::memory_mb("self", "VmRSS").unwrap_or_default();
    let request = head(&format!("{place}/events"), "GET", 0);
    let idle = clients.block_on(async {
        let mut open = Vec::new();
        for _ in 0..1_000 {
            let mut stream = connect(address).await;
            stream.write_all(request.as_bytes()).await.expect("it takes the request");
            let mut first = [0; 512];
            assert!(stream.read(&mut first).await.expect("it answers") > 0);
            open.push(stream);
        }
        open
    });
    let after = measure::memory_mb("self", "VmRSS").unwrap_or_default();
    println!(
        "{:<44} {:.1} MB resident more, both ends",
        "1,000 idle event streams",
        after - before
    );
    drop(idle);

    let trivial = Router::new().route("/", post(|_: Bytes| async { "\"Hello, Ada!\"" }));
    let trivial = server.block_on(host(trivial));
    let plain: Bytes = (head("/", "POST", body.len()) + body).into();
    let run: Bytes = run.into();
    let wanted: &[u8] = b"Hello, Ada!";
    let limit = measure::sample(11, || clients.block_on(requests(trivial, plain.clone(), wanted)));
    let http = measure::sample(11, || clients.block_on(requests(address, run.clone(), wanted)));
    limit.print("limit: a trivial axum handler", "us/request", None);
    http.print("k-http, a run a request", "us/request", Some(&limit));
    println!(
        "{:<44} median {:.0} requests/s, best {:.0}; the limit's best {:.0}",
        "",
        1e6 / http.median(),
        1e6 / http.min(),
        1e6 / limit.min()
    );
    sse(&server, &clients);
    stop.cancel();
}
