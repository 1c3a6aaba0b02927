//! Starting and ending the real server.

use std::io::{BufRead as _, BufReader};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tempfile::TempDir;

use super::client::{Client, PATIENCE};
use crate::support::kait;

/// Programs that tests host.
pub const PROGRAM: &str = r#"
model fast

prompt say(text: text) -> text {
  model fast
  user text
}

/// Says it again.
pub graph echo(text: text) -> text {
  say(text)
}

/// Waits, and says where it stands.
pub graph wait(time: duration, result: text = "done") -> text {
  out.status("begun")
  clock.sleep(time)
  out.status("over")
  result
}

/// Counts aloud.
pub graph count(to: int where (min: 0, max: 100_000), filler: text = "") -> int {
  for n in list.range(0, to: to) max 100_000 {
    out.status("${n}${filler}")
  }
  to
}

/// Adds.
pub graph add(a: int, b: int = 1) -> int {
  a + b
}

/// Fails.
pub graph fails(why: text) -> text {
  fail why
}

/// The whole conversation.
pub graph chat(messages: [Message]) -> text {
  let lines = for m in messages {
    match m {
      System(content) => "system: ${content}"
      User(content) => "user: ${content}"
      Assistant(content) => "assistant: ${content}"
      ToolResult(call, content) => "${call}: ${content}"
    }
  }
  text.join(lines, with: "\n")
}

record Order {
  id: text where (min_len: 1, max_len: 8)
  items: [text] where (max: 3)
}

/// Takes a record apart.
pub graph place(order: Order) -> [text] {
  order.items
}

/// Takes longer than it may.
pub graph slow() -> text {
  clock.sleep(5s) with (timeout: 10ms)
  "never"
}

/// Reads a file.
pub graph reads(path: text) -> text {
  file.read(path)
}
"#;

/// A server, with the directory that it hosts and the home that it has. It ends with its test.
pub struct Server {
    process: Child,
    client: Client,
    pub directory: TempDir,
    home: Arc<TempDir>,
    said: Arc<Mutex<String>>,
}

impl Deref for Server {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Server {
    /// Hosts [`PROGRAM`] as `tests.kait`.
    pub fn start(args: &[&str]) -> Self {
        Self::host(&[("tests.kait", PROGRAM)], args)
    }

    /// Hosts these files.
    pub fn host(files: &[(&str, &str)], args: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self::begin(directory, Arc::new(tempfile::tempdir().unwrap()), None, args)
    }

    fn begin(
        directory: TempDir,
        home: Arc<TempDir>,
        known: Option<(u16, String)>,
        args: &[&str],
    ) -> Self {
        let port = known.as_ref().map_or(0, |(port, _)| *port);
        let listen = format!("127.0.0.1:{port}");
        let mut process = command(directory.path(), home.path())
            .args(["serve", "--listen", &listen, "--offline"])
            .args(args)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let (mut token, mut port, mut seen) = (None, None, String::new());
        for line in lines.by_ref().map_while(Result::ok) {
            seen.push_str(&line);
            seen.push('\n');
            if let Some(found) = line.strip_prefix("token: ") {
                token = Some(found.to_owned());
            }
            if let Some(found) = line.strip_prefix("listening on http://127.0.0.1:") {
                port = found.parse().ok();
            }
            if line.starts_with("graphs: ") || line.starts_with("no graphs") {
                break;
            }
        }
        assert_eq!(token.is_some(), known.is_none(), "the token is shown once: {seen}");
        let token = token.or(known.map(|(_, token)| token)).expect("a token");
        let port = port.unwrap_or_else(|| panic!("it does not listen: {seen}"));
        let said = Arc::new(Mutex::new(seen));
        let more = Arc::clone(&said);
        // Its pipe must not fill up while it serves.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut said = more.lock().unwrap();
                said.push_str(&line);
                said.push('\n');
            }
        });
        Self { process, client: Client { port, token }, directory, home, said }
    }

    /// Kills it like a crash, and starts another on the same address.
    pub fn crash_and_restart(mut self, args: &[&str]) -> Self {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let empty = tempfile::tempdir().unwrap();
        let directory = std::mem::replace(&mut self.directory, empty);
        let known = (self.client.port, self.client.token.clone());
        Self::begin(directory, Arc::clone(&self.home), Some(known), args)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    /// The command where the server's files and home are.
    pub fn command(&self) -> Command {
        command(self.directory.path(), self.home.path())
    }

    /// A client with another token.
    pub fn with_scopes(&self, scopes: &str) -> String {
        let made = self.command().args(["serve", "--new-token", scopes]).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }

    pub fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits for its end: its exit code.
    #[track_caller]
    pub fn ended(&mut self) -> i32 {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(begin.elapsed() < PATIENCE, "it does not end: {}", self.said());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// The file of its tokens.
    pub fn tokens(&self) -> std::path::PathBuf {
        self.home.path().join(".config/kait/profiles/local.tokens.json")
    }

    /// Waits until it says something on stderr.
    #[track_caller]
    pub fn says(&self, words: &str) {
        let begin = Instant::now();
        while !self.said().contains(words) {
            assert!(begin.elapsed() < PATIENCE, "it never says `{words}`: {}", self.said());
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// What it has said on stderr.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !std::thread::panicking() {
            assert!(!self.said().contains("panicked"), "{}", self.said());
        }
    }
}

fn command(directory: &Path, home: &Path) -> Command {
    let mut command = kait(&[]);
    command.current_dir(directory).env("HOME", home).env_remove("XDG_CONFIG_HOME");
    command
}
