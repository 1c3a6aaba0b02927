//! What is there is shown, while the rest still comes.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::{Done, kait};

/// Far more than it can take; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_sentence_is_answered_before_the_input_has_ended() {
    let mut child =
        kait(&["run", "tests/corpus/adapted/11_translate.kait", "speech=@-", "--offline"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let (sender, shown) = channel();
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = stdout.read(&mut buffer) {
            if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    stdin.write_all(b"The first sentence. And the sec").unwrap();
    stdin.flush().unwrap();
    let mut seen = String::new();
    while !seen.contains("The first sentence.") {
        let piece = shown.recv_timeout(PATIENCE).expect("the first sentence, while input is open");
        seen.push_str(&String::from_utf8_lossy(&piece));
    }
    assert!(!seen.contains("second"));
    stdin.write_all(b"ond one.").unwrap();
    drop(stdin);
    while let Ok(piece) = shown.recv_timeout(PATIENCE) {
        seen.push_str(&String::from_utf8_lossy(&piece));
    }
    reader.join().unwrap();
    assert!(child.wait().unwrap().success());
    let sentences: Vec<String> = serde_json::from_str(&seen).unwrap();
    assert_eq!(sentences.len(), 2);
    assert!(sentences[1].ends_with("And the second one."), "{sentences:?}");
}

/// A model that gives one answer after the other, each in the pieces that it is written in; gives its base URL.
fn model(answers: &'static [&'static [&'static str]]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut socket, _) = listener.accept().unwrap();
            let mut request = BufReader::new(socket.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while request.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            request.read_exact(&mut vec![0; length]).unwrap();
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            socket.write_all(head.as_bytes()).unwrap();
            for piece in *answer {
                let delta = serde_json::json!({ "choices": [{ "delta": { "content": piece } }] });
                // The command hangs up once an answer cannot fit any more.
                let _ = write!(socket, "data: {delta}\n\n").and_then(|()| socket.flush());
                std::thread::sleep(Duration::from_millis(100));
            }
            let end = serde_json::json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] });
            let _ = write!(socket, "data: {end}\n\ndata: [DONE]\n\n");
        }
    });
    format!("http://{address}/v1")
}

#[test]
fn an_answer_that_is_made_again_follows_whole() {
    let program = "model fast\n\nrecord Place {\n  city: text\n  people: int\n}\n\nprompt place() -> Place {\n  model fast\n  user \"Where?\"\n}\n\npub graph main() -> Place {\n  place()\n}\n";
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("place.kait");
    std::fs::write(&file, program).unwrap();
    let start = |stdout: Stdio| {
        let base = model(&[
            &["{\"city\": \"Atlan", "tis\", ", "\"people\": \"many\"}"],
            &["{\"city\": \"Bern\", ", "\"people\": 134591}"],
        ]);
        let profile =
            format!("[models.fast]\nprovider = \"openai\"\nmodel = \"m\"\nbase_url = \"{base}\"\n");
        std::fs::write(directory.path().join("kait.toml"), profile).unwrap();
        kait(&["run", file.to_str().unwrap()])
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let place = serde_json::json!({ "city": "Bern", "people": 134_591 });
    // On a pipe the repaired answer stands below what cannot be taken back.
    let done: Done = start(Stdio::piped()).wait_with_output().unwrap().into();
    let done = done.exits(0).says(&["K9042", "--buffer"]);
    let (void, answer) = done.out.split_once("\n{").expect("a new beginning");
    assert!(void.contains("Atlan"), "{void}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&format!("{{{answer}")).unwrap(), place);
    // In a file stands the answer alone.
    let path = directory.path().join("answer.json");
    let out = std::fs::File::create(&path).unwrap();
    let done: Done = start(out.into()).wait_with_output().unwrap().into();
    done.exits(0);
    let answer = std::fs::read_to_string(path).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&answer).unwrap(), place);
}
