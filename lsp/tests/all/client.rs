//! A client that speaks bare JSON-RPC: it sees exactly what is sent.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use kait_lsp::Ended;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf, split};
use tokio::task::JoinHandle;

/// Far more than an answer can take; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Client {
    input: WriteHalf<DuplexStream>,
    output: ReadHalf<DuplexStream>,
    buffer: Vec<u8>,
    next_id: i64,
    /// What came unasked, or before it was asked for.
    pub unread: VecDeque<Json>,
    server: JoinHandle<Ended>,
}

impl Client {
    /// A server that nobody has spoken to yet.
    pub fn start() -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 22);
        let (input, output) = split(theirs);
        let server = tokio::spawn(kait_lsp::serve(input, output));
        let (output, input) = split(ours);
        let unread = VecDeque::new();
        Self { input, output, buffer: Vec::new(), next_id: 1, unread, server }
    }

    /// A server that is initialized for a folder; findings are pushed.
    pub async fn ready(folder: &Path) -> Self {
        Self::with(folder, json!({})).await
    }

    /// The same, with what the client says that it can take.
    pub async fn with(folder: &Path, capabilities: Json) -> Self {
        let mut client = Self::start();
        client.initialize(folder, capabilities).await;
        client
    }

    pub async fn initialize(&mut self, folder: &Path, capabilities: Json) -> Json {
        let folders = json!([{ "uri": uri(folder), "name": "test" }]);
        let params = json!({
            "processId": null, "rootUri": null,
            "capabilities": capabilities, "workspaceFolders": folders,
        });
        let answer = self.ask("initialize", params).await;
        self.tell("initialized", json!({})).await;
        answer
    }

    pub async fn raw(&mut self, bytes: &[u8]) {
        self.input.write_all(bytes).await.unwrap();
    }

    pub async fn send(&mut self, message: &Json) {
        let body = message.to_string();
        let head = format!("Content-Length: {}\r\n\r\n", body.len());
        self.raw(head.as_bytes()).await;
        self.raw(body.as_bytes()).await;
    }

    pub async fn tell(&mut self, method: &str, params: Json) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends a request and gives its id.
    pub async fn begin(&mut self, method: &str, params: Json) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_null() {
            message["params"] = params;
        }
        self.send(&message).await;
        id
    }

    /// The whole answer to a request.
    pub async fn answer(&mut self, id: i64) -> Json {
        let known = |message: &Json| message["id"] == id && message.get("method").is_none();
        if let Some(at) = self.unread.iter().position(known) {
            return self.unread.remove(at).unwrap();
        }
        loop {
            let message = self.read().await;
            if known(&message) {
                return message;
            }
            self.unread.push_back(message);
        }
    }

    /// The result of a request, which must not fail.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Json) -> impl Future<Output = Json> {
        let method = method.to_owned();
        async move {
            let id = self.begin(&method, params).await;
            let answer = self.answer(id).await;
            assert!(answer.get("error").is_none(), "{method}: {answer}");
            answer["result"].clone()
        }
    }

    /// The error of a request, which must fail.
    pub async fn refused(&mut self, method: &str, params: Json) -> Json {
        let id = self.begin(method, params).await;
        let answer = self.answer(id).await;
        answer.get("error").unwrap_or_else(|| panic!("{method}: {answer}")).clone()
    }

    /// The next message that is of no request of ours.
    pub async fn read(&mut self) -> Json {
        tokio::time::timeout(PATIENCE, self.message()).await.expect("an answer in time")
    }

    async fn message(&mut self) -> Json {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
                let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
                let (start, length) = (end + 4, length.unwrap().parse::<usize>().unwrap());
                if self.buffer.len() >= start + length {
                    let body: Vec<u8> = self.buffer.drain(..start + length).skip(start).collect();
                    let message: Json = serde_json::from_slice(&body).unwrap();
                    // The server may ask for things: a client that agrees to everything.
                    if message.get("method").is_some() && message.get("id").is_some() {
                        let id = message["id"].clone();
                        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": null })).await;
                    }
                    return message;
                }
            }
            let mut more = [0; 1 << 16];
            let count = self.output.read(&mut more).await.unwrap();
            assert!(count > 0, "the server has hung up");
            self.buffer.extend_from_slice(&more[..count]);
        }
    }

    pub async fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "kait", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document })).await;
    }

    pub async fn change(&mut self, uri: &str, version: i32, changes: Json) {
        let document = json!({ "uri": uri, "version": version });
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.tell("textDocument/didChange", params).await;
    }

    pub async fn replace(&mut self, uri: &str, version: i32, text: &str) {
        self.change(uri, version, json!([{ "text": text }])).await;
    }

    /// The findings of a document in a version.
    pub async fn findings(&mut self, uri: &str, version: i32) -> Vec<Json> {
        loop {
            let at = self.unread.iter().position(|message| {
                let params = &message["params"];
                message["method"] == "textDocument/publishDiagnostics"
                    && params["uri"] == uri
                    && params["version"] == version
            });
            if let Some(at) = at {
                let message = self.unread.remove(at).unwrap();
                return message["params"]["diagnostics"].as_array().unwrap().clone();
            }
            let message = self.read().await;
            self.unread.push_back(message);
        }
    }

    /// Waits for the end, which must have been asked for.
    pub async fn end(mut self) -> Ended {
        // The server may have hung up already.
        let _ = self.input.shutdown().await;
        tokio::time::timeout(PATIENCE, self.server).await.expect("an end in time").unwrap()
    }

    /// Says goodbye as clients should.
    pub async fn finish(mut self) {
        assert_eq!(self.ask("shutdown", Json::Null).await, Json::Null);
        self.send(&json!({ "jsonrpc": "2.0", "method": "exit" })).await;
        assert_eq!(self.end().await, Ended::Properly);
    }
}

pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A place in a document; `$0` in a text says where.
pub fn place(uri: &str, marked: &str) -> (String, Json) {
    let at = marked.find("$0").expect("a cursor");
    let text = marked.replacen("$0", "", 1);
    let line = text[..at].matches('\n').count();
    let column = text[..at].rsplit('\n').next().unwrap().encode_utf16().count();
    let position = json!({ "line": line, "character": column });
    (text, json!({ "textDocument": { "uri": uri }, "position": position }))
}
