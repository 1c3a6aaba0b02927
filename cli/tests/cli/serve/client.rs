//! A small HTTP client that a test can cut, slow down and mislead as it likes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value as Json;

/// Far more than anything takes; only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An answer, whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// A header's value; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        header(&self.head, name)
    }

    #[track_caller]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// It is a problem document with that status and code, and says all of these.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str, words: &[&str]) -> Json {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["type"], format!("urn:kait:error:{code}"));
        for word in words {
            assert!(self.body.contains(word), "`{word}` is missing in {problem}");
        }
        problem
    }
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value.trim())
}

/// An open connection whose answer is read as it comes.
pub struct Stream {
    reader: BufReader<TcpStream>,
    pub status: u16,
    pub head: String,
    chunked: bool,
}

/// An event of a stream: its id, its name, its data.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: String,
}

impl Stream {
    /// Sends a request as it is and reads the answer's head.
    pub fn send(port: u16, request: &[u8]) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(request);
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while reader.read_line(&mut head).unwrap_or(0) > 2 {}
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(0);
        let chunked = header(&head, "transfer-encoding") == "chunked";
        Self { reader, status, head, chunked }
    }

    /// The next piece of the body; none at its end, and where the connection breaks.
    pub fn piece(&mut self) -> Option<Vec<u8>> {
        if !self.chunked {
            let length = header(&self.head, "content-length").parse().unwrap_or(0);
            let mut body = vec![0; length];
            self.reader.read_exact(&mut body).ok()?;
            self.head.push_str("content-length: 0\r\n");
            self.head = self.head.replacen("content-length", "x-had", 1);
            return (length > 0).then_some(body);
        }
        let mut line = String::new();
        self.reader.read_line(&mut line).ok()?;
        let length = usize::from_str_radix(line.trim(), 16).ok()?;
        let mut piece = vec![0; length + 2];
        self.reader.read_exact(&mut piece).ok()?;
        piece.truncate(length);
        (length > 0).then_some(piece)
    }

    /// Everything that still comes.
    pub fn rest(&mut self) -> String {
        let mut body = Vec::new();
        while let Some(piece) = self.piece() {
            body.extend(piece);
        }
        String::from_utf8(body).unwrap()
    }

    /// Events until one fits (that one included), or to the end.
    pub fn events_until(&mut self, mut fits: impl FnMut(&Event) -> bool) -> Vec<Event> {
        let (mut text, mut events) = (String::new(), Vec::new());
        while let Some(piece) = self.piece() {
            text.push_str(std::str::from_utf8(&piece).unwrap());
            while let Some((block, rest)) = text.split_once("\n\n") {
                let event = event(block);
                text = rest.to_owned();
                if let Some(event) = event {
                    let last = fits(&event);
                    events.push(event);
                    if last {
                        return events;
                    }
                }
            }
        }
        assert_eq!(text, "", "the stream ends between events");
        events
    }

    pub fn events(&mut self) -> Vec<Event> {
        self.events_until(|_| false)
    }
}

/// Comments and settings are no events.
fn event(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned()
    };
    let data = field("data:");
    (!data.is_empty()).then(|| Event { id: field("id:"), name: field("event:"), data })
}

/// A server to talk to, with a token.
#[derive(Clone, Debug)]
pub struct Client {
    pub port: u16,
    pub token: String,
}

impl Client {
    /// The text of a request; headers override the usual ones, an empty value leaves one out.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Vec<u8> {
        let authorization = format!("Bearer {}", self.token);
        let (host, length) = (format!("127.0.0.1:{}", self.port), body.len().to_string());
        let mut all = vec![
            ("Host", host.as_str()),
            ("Authorization", &authorization),
            ("Connection", "close"),
        ];
        if method != "GET" {
            all.push(("Content-Type", "application/json"));
            all.push(("Content-Length", &length));
        }
        all.retain(|(name, _)| headers.iter().all(|(other, _)| !other.eq_ignore_ascii_case(name)));
        all.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        let mut request = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in all {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        request.push_str(body);
        request.into_bytes()
    }

    pub fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Stream {
        Stream::send(self.port, &self.request(method, path, headers, body))
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = self.open(method, path, headers, body);
        let (status, head) = (stream.status, stream.head.clone());
        Answer { status, head, body: stream.rest() }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[], body)
    }

    /// Starts a run and does not wait for it: its path.
    #[track_caller]
    pub fn begin(&self, graph: &str, input: &str) -> String {
        let path = format!("/api/graphs/{graph}/runs");
        let answer = self.send("POST", &path, &[("Prefer", "respond-async")], input);
        assert_eq!(answer.status, 202, "{answer:?}");
        assert_eq!(answer.json()["state"], "running");
        let place = answer.header("location").to_owned();
        assert!(place.starts_with("/api/runs/r_"), "{answer:?}");
        place
    }

    /// Waits until a path is answered with that status.
    #[track_caller]
    pub fn comes(&self, path: &str, status: u16) {
        let begin = std::time::Instant::now();
        while self.get(path).status != status {
            assert!(begin.elapsed() < PATIENCE, "it never came");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn until(&self, path: &str, mut fits: impl FnMut(&Json) -> bool) -> Json {
        let begin = std::time::Instant::now();
        loop {
            let json = self.get(path).json();
            if fits(&json) {
                return json;
            }
            assert!(begin.elapsed() < PATIENCE, "it never came: {json}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
