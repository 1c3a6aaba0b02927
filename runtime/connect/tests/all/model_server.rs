//! A server that speaks exactly the bytes it is told to, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// How many bytes are sent at once; 0 sends all.
    pub cut: usize,
    /// Before the head, and before the part of the body after `pause_at`.
    pub delay: Duration,
    pub pause: Option<(usize, Duration)>,
    /// Ends the connection without the last chunk.
    pub broken: bool,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), content_type.into())],
            body: body.into(),
            cut: 0,
            delay: Duration::ZERO,
            pause: None,
            broken: false,
        }
    }

    pub fn error(status: u16, message: &str) -> Self {
        Self::new(status, "application/json", json!({"error": {"message": message}}).to_string())
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A stream of chunks with these contents, a reason and usage.
    pub fn stream(contents: &[&str], reason: &str) -> Self {
        let deltas = contents.iter().map(|text| json!({"content": text}));
        Self::deltas(deltas, reason)
    }

    pub fn deltas(deltas: impl IntoIterator<Item = Json>, reason: &str) -> Self {
        let mut body = String::new();
        for delta in deltas {
            body +=
                &event(&json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]}));
        }
        body += &event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}));
        body +=
            &event(&json!({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7}}));
        body += "data: [DONE]\n\n";
        Self::new(200, "text/event-stream", body)
    }
}

pub fn event(json: &Json) -> String {
    format!("data: {json}\n\n")
}

/// What was asked: headers by lower-case name, and the body.
#[derive(Clone, Debug)]
pub struct Asked {
    pub headers: Vec<(String, String)>,
    pub body: Json,
}

pub struct Server {
    pub url: String,
    pub asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Gives the replies in turn; the last one for ever.
    pub async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let request = read(&mut socket).await;
                let index = {
                    let mut log = log.lock().unwrap();
                    log.push(request);
                    log.len() - 1
                };
                let reply = replies[index.min(replies.len() - 1)].clone();
                tokio::spawn(async move { write(socket, reply).await });
            }
        });
        Self { url, asked }
    }

    pub fn asked(&self, index: usize) -> Asked {
        self.asked.lock().unwrap()[index].clone()
    }

    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

async fn read(socket: &mut TcpStream) -> Asked {
    let mut bytes = Vec::new();
    let (head, body_from, length) = loop {
        let mut buffer = [0; 8192];
        let n = socket.read(&mut buffer).await.unwrap();
        assert!(n > 0, "the client went away");
        bytes.extend_from_slice(&buffer[..n]);
        let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let headers: Vec<(String, String)> = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let length = headers
            .iter()
            .find(|(name, _)| name == "content-length")
            .map_or(0, |(_, v)| v.parse().unwrap());
        break (headers, end + 4, length);
    };
    while bytes.len() < body_from + length {
        let mut buffer = [0; 8192];
        let n = socket.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..n]);
    }
    Asked { headers: head, body: serde_json::from_slice(&bytes[body_from..]).unwrap_or(Json::Null) }
}

async fn write(mut socket: TcpStream, reply: Reply) {
    tokio::time::sleep(reply.delay).await;
    let mut head = format!(
        "HTTP/1.1 {} X\r\nconnection: close\r\ntransfer-encoding: chunked\r\n",
        reply.status
    );
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    if socket.write_all(head.as_bytes()).await.is_err() {
        return;
    }
    let size = if reply.cut == 0 { reply.body.len().max(1) } else { reply.cut };
    let mut sent = 0;
    for piece in reply.body.chunks(size) {
        if let Some((at, pause)) = reply.pause
            && (sent..sent + piece.len()).contains(&at)
        {
            tokio::time::sleep(pause).await;
        }
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        if socket.write_all(&chunk).await.is_err() {
            return;
        }
        let _ = socket.flush().await;
        sent += piece.len();
        if reply.cut != 0 {
            // Otherwise the pieces would be joined on their way.
            tokio::task::yield_now().await;
        }
    }
    if !reply.broken {
        let _ = socket.write_all(b"0\r\n\r\n").await;
    }
    let _ = socket.shutdown().await;
}
