//! What is there is shown, while the rest still comes.

use std::io::{Read as _, Write as _};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::kait;

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
