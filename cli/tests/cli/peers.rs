//! The command against a model server that others wrote: answers, their growth, and every way to fail.
//!
//! The server is `@copilotkit/aimock`, installed by `npm ci --prefix tests/peers --ignore-scripts`. Where it is not
//! installed these tests say so and do nothing, unless `KAIT_PEERS=required` is set. What the server answers is in
//! `tests/peers/fixtures`. It listens on loopback only, takes calls with the right key only, and ends with its test.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::support::{Done, kait, root};

/// Far more than it can take; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// The key that the server wants, in the variable that the profile names.
const KEY: &str = "sk-peers-1f0c";
const KEY_ENV: &str = "KAIT_PEERS_KEY";

/// A typed answer, asked for once, or twice if the first call fails.
const PLACE: &str = r#"
model fast

record Place {
  city: text
  people: int
}

prompt place(kind: text) -> Place {
  model fast
  system "Answer for ${kind}."
  user "case: ${kind}"
}

pub graph once(kind: text) -> Place {
  place(kind)
}

pub graph twice(kind: text) -> Place {
  place(kind) with (retry: 1)
}
"#;

/// The server, and a directory with programs and the profile that leads to it.
struct Peer {
    server: Child,
    port: u16,
    directory: TempDir,
}

impl Peer {
    /// Starts it with these answers; `None` where it is not installed and need not be.
    fn start(fixtures: &str) -> Option<Self> {
        let binary = root().join("tests/peers/node_modules/.bin/llmock");
        if !binary.exists() {
            let why = format!(
                "{} is missing: npm ci --prefix tests/peers --ignore-scripts",
                binary.display()
            );
            assert!(std::env::var_os("KAIT_PEERS").is_none_or(|v| v != "required"), "{why}");
            eprintln!("skipped: {why}");
            return None;
        }
        let fixtures = root().join("tests/peers/fixtures").join(fixtures);
        // Between finding a free port and using it someone else may take it.
        let (server, port) = (0..5).find_map(|_| serve(&binary, &fixtures)).expect("a server");
        let peer = Self { server, port, directory: tempfile::tempdir().unwrap() };
        let profile = format!(
            "[models.default]\nprovider = \"openai\"\nmodel = \"gpt-x\"\n\
             base_url = \"http://127.0.0.1:{port}/v1\"\nkey_env = \"{KEY_ENV}\"\n"
        );
        peer.write("kait.toml", &profile);
        Some(peer)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.directory.path().join(name), text).unwrap();
    }

    /// Copies a program of the corpus next to the profile.
    fn copy(&self, program: &str) {
        let from = root().join("tests/corpus").join(program);
        let name = from.file_name().unwrap();
        std::fs::copy(&from, self.directory.path().join(name)).unwrap();
    }

    /// `kait run` where the programs are.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = kait(&["run"]);
        command.args(args).current_dir(self.directory.path()).env(KEY_ENV, KEY);
        command
    }

    /// Runs it to its end; the key is nowhere in what it writes.
    #[track_caller]
    fn run(&self, args: &[&str]) -> Done {
        let done = Done::from(self.command(args).output().unwrap());
        assert!(!done.out.contains(KEY) && !done.err.contains(KEY), "{}{}", done.out, done.err);
        done
    }

    /// A program of the corpus, run well: what it answered.
    #[track_caller]
    fn answer(&self, program: &str, graph: &str, input: &str) -> String {
        self.copy(&format!("programs/{program}.kait"));
        self.run(&[&format!("{program}.kait:{graph}"), input]).exits(0).out
    }

    /// How often the server was asked with that text in the request.
    fn asked(&self, text: &str) -> usize {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(
            stream,
            "GET /__aimock/journal HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {KEY}\r\n\r\n"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        let journal: Json = serde_json::from_str(body).unwrap();
        let entries = journal.as_array().unwrap();
        entries.iter().filter(|entry| entry["body"].to_string().contains(text)).count()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Starts the server on a free port and waits until it listens; `None` if it ended instead.
fn serve(binary: &Path, fixtures: &Path) -> Option<(Child, u16)> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(binary)
        .args(["-p", &port.to_string(), "--validate-on-load", "-f"])
        .arg(fixtures)
        .env("AIMOCK_API_KEYS", KEY)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let listens = lines.by_ref().map_while(Result::ok).any(|line| line.contains("listening on"));
    // Its pipe must not fill up while it serves.
    std::thread::spawn(move || lines.for_each(drop));
    if listens {
        return Some((server, port));
    }
    let _ = server.wait();
    None
}

/// What comes out of a run, as it comes.
struct Shown {
    pieces: Receiver<Vec<u8>>,
    seen: Vec<u8>,
}

impl Shown {
    fn of(mut stdout: ChildStdout) -> Self {
        let (sender, pieces) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = stdout.read(&mut buffer) {
                if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { pieces, seen: Vec::new() }
    }

    /// Everything up to the piece in which that text is there.
    #[track_caller]
    fn until(&mut self, text: &str) -> String {
        loop {
            let seen = String::from_utf8_lossy(&self.seen).into_owned();
            if seen.contains(text) {
                return seen;
            }
            match self.pieces.recv_timeout(PATIENCE) {
                Ok(piece) => self.seen.extend(piece),
                Err(_) => panic!("`{text}` did not come; what came:\n{seen}"),
            }
        }
    }

    /// Everything, once it has ended.
    fn all(mut self) -> String {
        while let Ok(piece) = self.pieces.recv_timeout(PATIENCE) {
            self.seen.extend(piece);
        }
        String::from_utf8(self.seen).unwrap()
    }
}

#[track_caller]
fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

#[test]
fn programs_give_the_answers_of_the_model() {
    let Some(peer) = Peer::start("programs.json") else { return };
    assert_eq!(peer.answer("01_hello", "hello", "name=Ada"), "Good to see you, Ada!\n");

    peer.write("tides.txt", "The sea rises and falls.");
    assert_eq!(
        parsed(&peer.answer("02_summarise", "summarise_file", "path=tides.txt")),
        json!({
            "headline": "Tides follow the moon.",
            "points": [
                "High tide comes twice a day.",
                "Spring tides come with the full moon.",
                "Neap tides are small.",
            ],
        })
    );
    assert_eq!(peer.asked("The sea rises and falls."), 1);

    assert_eq!(
        parsed(&peer.answer("03_route", "support", "message=My invoice is missing")),
        json!({
            "route": { "topic": "billing", "urgency": 2 },
            "reply": "The invoice was sent again.",
        })
    );

    // One of the three reviews fails and is caught; the server knows the report's request by its sorted findings.
    assert_eq!(
        peer.answer("04_review", "review_change", "diff=fn greet"),
        "# Review\n\n1. b.rs:9 is quadratic.\n"
    );
    assert_eq!(peer.asked("You review code for clarity"), 1);

    assert_eq!(
        parsed(&peer.answer("05_refine", "refine", "topic=tea")),
        json!({ "body": "Assam, 2 g.", "accepted": true })
    );
    assert_eq!(peer.asked("Rewrite the note."), 1);
}

#[test]
fn a_headline_is_shown_before_the_points_have_come() {
    let Some(peer) = Peer::start("programs.json") else { return };
    peer.copy("programs/02_summarise.kait");
    peer.write("tides.txt", "The sea rises and falls.");
    let mut child = peer
        .command(&["02_summarise.kait:summarise_file", "path=tides.txt"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut shown = Shown::of(child.stdout.take().unwrap());
    let seen = shown.until("Tides follow the moon.");
    assert!(!seen.contains("High tide"), "{seen}");
    assert!(child.try_wait().unwrap().is_none(), "it has ended already");
    assert_eq!(parsed(&shown.all())["points"][2], "Neap tides are small.");
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_sentence_is_translated_while_the_speaker_still_speaks() {
    let Some(peer) = Peer::start("translate.json") else { return };
    peer.copy("adapted/11_translate.kait");
    let mut child = peer
        .command(&["11_translate.kait", "speech=@-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut shown = Shown::of(child.stdout.take().unwrap());
    stdin.write_all(b"The first sentence. And the sec").unwrap();
    let seen = shown.until("Der erste Satz.");
    assert!(!seen.contains("Und"), "{seen}");
    stdin.write_all(b"ond one.").unwrap();
    drop(stdin);
    assert_eq!(parsed(&shown.all()), json!(["Der erste Satz.", "Und der zweite."]));
    assert!(child.wait().unwrap().success());
}

#[test]
fn every_failure_has_its_code_and_leaves_nothing_that_looks_final() {
    let Some(peer) = Peer::start("failures.json") else { return };
    peer.write("place.kait", PLACE);
    let cases: &[(&str, &[&str], usize)] = &[
        // The server repeats the key in its refusal of it: the words are not passed on.
        ("bad key", &["K9014", KEY_ENV, "401"], 1),
        ("always busy", &["K9016", "429", "slow down"], 1),
        // Here too it says the key, which is blanked out.
        ("broken server", &["K9016", "500", "our key was [key]"], 1),
        ("cut", &["K9016", "broke off"], 1),
        ("garbled", &["K9017", "not JSON"], 1),
        ("prose", &["K9015", "no JSON"], 2),
        ("stubborn", &["K9015", "/people", "lots"], 2),
    ];
    for (kind, words, calls) in cases {
        let input = format!("kind={kind}");
        let done = peer.run(&["place.kait:once", &input]).exits(1).says(words);
        assert!(done.err.contains("place.kait:"), "no place in:\n{}", done.err);
        assert!(serde_json::from_str::<Json>(&done.out).is_err(), "{kind} left:\n{}", done.out);
        assert_eq!(peer.asked(&format!("case: {kind}")), *calls, "calls for {kind}");
        let done = peer.run(&["place.kait:once", &input, "--buffer"]).exits(1).says(words);
        assert_eq!(done.out, "", "{kind}");
        let done = peer.run(&["place.kait:once", &input, "--json"]).exits(1);
        let object = parsed(&done.out);
        assert_eq!((&object["error"]["code"], object.get("result")), (&json!(words[0]), None));
    }
}

#[test]
fn a_wrong_key_is_refused_and_not_shown() {
    let Some(peer) = Peer::start("failures.json") else { return };
    peer.write("place.kait", PLACE);
    let mut command = peer.command(&["place.kait:once", "kind=mended"]);
    let wrong = "sk-of-someone-else";
    let done = Done::from(command.env(KEY_ENV, wrong).output().unwrap());
    let done = done.exits(1).says(&["K9014", KEY_ENV, "401"]);
    assert!(!done.err.contains(wrong) && done.out.is_empty(), "{}{}", done.out, done.err);
}

#[test]
fn a_busy_server_is_asked_again_when_it_said() {
    let Some(peer) = Peer::start("failures.json") else { return };
    peer.write("place.kait", PLACE);
    let begun = Instant::now();
    let done = peer.run(&["place.kait:twice", "kind=busy"]).exits(0);
    assert_eq!(parsed(&done.out), json!({ "city": "Graz", "people": 300_000 }));
    // `Retry-After` says one second.
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(peer.asked("case: busy"), 2);
}

#[test]
fn an_answer_of_the_wrong_shape_is_mended_once() {
    let Some(peer) = Peer::start("failures.json") else { return };
    peer.write("place.kait", PLACE);
    let done = peer.run(&["place.kait:once", "kind=mended"]).exits(0);
    assert_eq!(parsed(&done.out), json!({ "city": "Graz", "people": 300_000 }));
    assert_eq!(peer.asked("case: mended"), 2);
    // The model is told what was wrong, and where.
    assert_eq!(peer.asked("the value at `/people` is wrong"), 1);
}
