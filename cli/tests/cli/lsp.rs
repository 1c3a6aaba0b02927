//! A client of `kait lsp` that asks one thing at a time, over the command's real pipes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value as Json, json};

pub struct Editor {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next_id: i64,
    /// What came unasked and was not looked at yet.
    unread: Vec<Json>,
}

impl Editor {
    /// A session about a folder, with what the editor can take.
    pub fn start(mut command: Command, folder: &Path, capabilities: Json) -> Self {
        let mut process = command
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let input = process.stdin.take();
        let output = BufReader::new(process.stdout.take().unwrap());
        let mut editor = Self { process, input, output, next_id: 1, unread: Vec::new() };
        let folders = json!([{ "uri": uri(folder), "name": "test" }]);
        editor.ask(
            "initialize",
            json!({ "processId": null, "rootUri": null, "capabilities": capabilities, "workspaceFolders": folders }),
        );
        editor.tell("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: &Json) {
        let body = message.to_string();
        let input = self.input.as_mut().unwrap();
        write!(input, "Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    }

    pub fn tell(&mut self, method: &str, params: Json) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The result of a request, which must not fail.
    #[track_caller]
    pub fn ask(&mut self, method: &str, params: Json) -> Json {
        let id = self.next_id;
        self.next_id += 1;
        let mut request = json!({ "jsonrpc": "2.0", "id": id, "method": method });
        if !params.is_null() {
            request["params"] = params;
        }
        self.send(&request);
        loop {
            let message = self.read();
            if message["id"] == id && message.get("method").is_none() {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.unread.push(message);
        }
    }

    /// The next notification of a method.
    pub fn told(&mut self, method: &str) -> Json {
        if let Some(at) = self.unread.iter().position(|message| message["method"] == method) {
            return self.unread.remove(at)["params"].take();
        }
        loop {
            let mut message = self.read();
            if message["method"] == method {
                return message["params"].take();
            }
            self.unread.push(message);
        }
    }

    fn read(&mut self) -> Json {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server has hung up");
            match line.trim() {
                "" => break,
                header => {
                    if let Some(value) = header.strip_prefix("Content-Length: ") {
                        length = value.parse().unwrap();
                    }
                }
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    pub fn open(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "kait", "version": 1, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    pub fn close(&mut self, uri: &str) {
        self.tell("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }

    /// Says goodbye; the server must end well.
    pub fn finish(mut self) {
        self.ask("shutdown", Json::Null);
        self.send(&json!({ "jsonrpc": "2.0", "method": "exit" }));
        self.input = None;
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The URI of a path that needs no escapes.
pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}
