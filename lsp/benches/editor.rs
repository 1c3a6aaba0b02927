//! What a person waits for who writes: from a keystroke to its findings, and the questions that editors ask all the time,
//! over the protocol, in files of 2,000 and 10,000 lines.
//!
//! A client in this process writes messages and reads the answers; time runs from the first byte written to the whole
//! answer read. The limit is parsing the same text once, which the fastest answer must do.

#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark"
)]

#[path = "../../tests/measure/mod.rs"]
mod measure;
#[path = "../../tests/measure/programs.rs"]
mod programs;

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

const FILE: &str = "file:///nowhere/main.kait";

/// Samples of each figure.
const REPETITIONS: usize = 201;

struct Client {
    stream: DuplexStream,
    buffer: Vec<u8>,
    next: i64,
}

impl Client {
    async fn send(&mut self, message: &Json) {
        let body = message.to_string();
        let whole = format!("Content-Length: {}\r\n\r\n{body}", body.len());
        self.stream.write_all(whole.as_bytes()).await.expect("the server reads");
    }

    async fn tell(&mut self, method: &str, params: Json) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    async fn ask(&mut self, method: &str, params: &Json) -> Json {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        loop {
            let message = self.read().await;
            if message["id"] == id && message.get("method").is_none() {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    async fn findings(&mut self, version: i32) -> usize {
        loop {
            let message = self.read().await;
            if message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["version"] == version
            {
                return message["params"]["diagnostics"].as_array().expect("a list").len();
            }
        }
    }

    async fn read(&mut self) -> Json {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end]).expect("a header");
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
                let length: usize = length.expect("a length").parse().expect("a number");
                let start = end + 4;
                if self.buffer.len() >= start + length {
                    let message = serde_json::from_slice(&self.buffer[start..start + length]);
                    self.buffer.drain(..start + length);
                    return message.expect("a message");
                }
            }
            let mut more = vec![0; 1 << 16];
            let count = self.stream.read(&mut more).await.expect("an answer");
            assert!(count > 0, "the server has hung up");
            self.buffer.extend_from_slice(&more[..count]);
        }
    }
}

fn position(text: &str, offset: usize) -> Json {
    let line = text[..offset].matches('\n').count();
    let column = text[..offset].rsplit('\n').next().unwrap_or("").encode_utf16().count();
    json!({ "line": line, "character": column })
}

fn measured(lines: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let text = programs::program(lines);
    let repetitions = if lines > 5_000 { 101 } else { REPETITIONS };
    let parse = measure::sample(repetitions, || {
        measure::seconds(|| kait_syntax::parse_shared(Arc::clone(&text))).0 * 1e3
    });
    parse.print(&format!("limit: parse {lines} lines"), "ms", None);

    let (ours, theirs) = tokio::io::duplex(1 << 22);
    let (input, output) = tokio::io::split(theirs);
    let server = runtime.spawn(kait_lsp::serve(input, output));
    let mut client = Client { stream: ours, buffer: Vec::new(), next: 0 };
    let general = json!({ "positionEncodings": ["utf-8"] });
    let start =
        json!({ "processId": null, "rootUri": null, "capabilities": { "general": general } });
    runtime.block_on(client.ask("initialize", &start));
    runtime.block_on(client.tell("initialized", json!({})));
    let document = json!({ "uri": FILE, "languageId": "kait", "version": 1, "text": &*text });
    runtime.block_on(client.tell("textDocument/didOpen", json!({ "textDocument": document })));
    let clean = runtime.block_on(client.findings(1));

    // A letter into the name of a `let` in the middle, and away again.
    let middle = text.len() / 2;
    let place = middle + text[middle..].find("let ").expect("a let") + "let ".len();
    let (from, to) = (position(&text, place), position(&text, place));
    let behind =
        json!({ "line": from["line"], "character": from["character"].as_u64().unwrap_or(0) + 1 });
    let mut version = 1;
    let keystroke = measure::sample(repetitions, || {
        version += 1;
        let change = if version % 2 == 0 {
            json!([{ "range": { "start": from, "end": to }, "text": "x" }])
        } else {
            json!([{ "range": { "start": from, "end": behind }, "text": "" }])
        };
        let params = json!({
            "textDocument": { "uri": FILE, "version": version }, "contentChanges": change,
        });
        let (seconds, found) = measure::seconds(|| {
            runtime.block_on(async {
                client.tell("textDocument/didChange", params).await;
                client.findings(version).await
            })
        });
        assert_eq!(found > clean, version % 2 == 0, "its uses do not know the new name");
        seconds * 1e3
    });
    keystroke.print(&format!("keystroke to findings, {lines} lines"), "ms", Some(&parse));
    println!("{:<44} p95 {:.3} ms", "", keystroke.at(0.95));

    // The questions: of a text that is analysed already, and, for completion, right after a keystroke.
    let document = json!({ "uri": FILE });
    let name = position(&text, place);
    let range = json!({ "start": position(&text, middle), "end": position(&text, (middle + 4000).min(text.len())) });
    let at = json!({ "textDocument": document, "position": name });
    for (what, method, params) in [
        ("hover", "textDocument/hover", at.clone()),
        ("definition", "textDocument/definition", at.clone()),
        (
            "tokens, whole file",
            "textDocument/semanticTokens/full",
            json!({ "textDocument": document }),
        ),
        (
            "tokens, a screen",
            "textDocument/semanticTokens/range",
            json!({ "textDocument": document, "range": range }),
        ),
        ("outline", "textDocument/documentSymbol", json!({ "textDocument": document })),
    ] {
        let samples = measure::sample(repetitions, || {
            let (seconds, answer) =
                measure::seconds(|| runtime.block_on(client.ask(method, &params)));
            assert!(!answer.is_null(), "{what}");
            seconds * 1e3
        });
        samples.print(&format!("{what}, {lines} lines"), "ms", Some(&parse));
        println!("{:<44} p95 {:.3} ms", "", samples.at(0.95));
    }
    // The value of the `let`: behind its `=`.
    let value = place + text[place..].find("= ").expect("a value") + 2;
    let at = json!({ "textDocument": document, "position": position(&text, value) });
    let completion = measure::sample(repetitions, || {
        version += 1;
        let change = if version % 2 == 0 {
            json!([{ "range": { "start": from, "end": to }, "text": "x" }])
        } else {
            json!([{ "range": { "start": from, "end": behind }, "text": "" }])
        };
        let change = json!({
            "textDocument": { "uri": FILE, "version": version }, "contentChanges": change,
        });
        let (seconds, answer) = measure::seconds(|| {
            runtime.block_on(async {
                client.tell("textDocument/didChange", change).await;
                client.ask("textDocument/completion", &at).await
            })
        });
        assert!(
            answer["items"].as_array().is_some_and(|items| !items.is_empty()) || version % 2 == 0
        );
        seconds * 1e3
    });
    completion.print(&format!("keystroke to completion, {lines} lines"), "ms", Some(&parse));
    println!("{:<44} p95 {:.3} ms", "", completion.at(0.95));
    if let (Some(now), Some(peak)) =
        (measure::memory_mb("self", "VmRSS"), measure::memory_mb("self", "VmHWM"))
    {
        println!("{:<44} {now:.1} MB, at most {peak:.1} MB (client and texts included)", "memory");
    }
    server.abort();
    runtime.shutdown_background();
}

fn main() {
    measure::print_load();
    measured(2_000);
    measured(10_000);
}
