//! Externs of programs as a user runs them: a server on this machine, real programs, secrets that are bound by reference. All that
//! is written anywhere is searched for the secret.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;

use crate::support::{Done, kait, program, run};

const SECRET: &str = "sk-4711-quite+secret/x";

/// A server that answers each request with its own text, as JSON: the requests as they came.
fn echo() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut asked = Vec::new();
            let mut buffer = [0; 4096];
            loop {
                let count = socket.read(&mut buffer).unwrap();
                asked.extend_from_slice(&buffer[..count]);
                let text = String::from_utf8_lossy(&asked).to_lowercase();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.split_once("content-length: ");
                let length = length.map_or(0, |(_, rest)| {
                    rest.split("\r\n").next().unwrap().parse::<usize>().unwrap()
                });
                if body.len() >= length || count == 0 {
                    break;
                }
            }
            let asked = String::from_utf8(asked).unwrap();
            let body = serde_json::json!({ "said": asked }).to_string();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            // First this: whoever has the answer looks for the request.
            let _ = send.send(asked);
            let _ = socket.write_all(head.as_bytes());
        }
    });
    (address, receive)
}

/// Nothing that was written holds the secret.
fn keeps_it(done: &Done, directory: &Path) {
    let mut all = vec![done.out.clone(), done.err.clone()];
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().is_some_and(|name| name != "key") {
            all.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
        }
    }
    for text in all {
        for form in [SECRET, "sk-4711", "quite%2Bsecret"] {
            assert!(!text.contains(form), "{text}");
        }
    }
}

fn shop(address: &str) -> String {
    format!(
        r#"secret shop_token

record Said {{
  said: text
}}

extern asked(item: trusted text, note: text, key: secret text) -> Said
  with (auth: bearer(shop_token), headers: ["X-Shop": "tea"], timeout: 10s)
  from http "POST http://{address}/items/{{item}}"

extern told(words: text) -> text from process "tr a-z A-Z"

pub graph main(note: text) -> text {{
  asked("a b", note: note, key: shop_token).said
}}

pub graph loud(words: text) -> text {{
  told(words)
}}
"#
    )
}

#[test]
fn a_request_is_sent_with_its_secret_and_nothing_shows_it() {
    let (address, asked) = echo();
    let (dir, path) = program(&shop(&address));
    let main = format!("{path}:main");
    run(&["run", &main, "note=n"]).exits(1).says(&[
        "K9021",
        "the secret `shop_token`",
        "shop_token = { env = \"SHOP_TOKEN\" }",
    ]);
    let bind = |text: &str| std::fs::write(dir.path().join("kait.toml"), text).unwrap();
    bind("[secrets]\nshop_token = { env = \"SHOP_TOKEN\" }\n");
    run(&["run", &main, "note=n"]).exits(1).says(&["K9014", "SHOP_TOKEN is not set"]);
    for json in ["--json", "--json=lines"] {
        let mut command = kait(&["run", &main, "note=n", json]);
        let done: Done = command.env("SHOP_TOKEN", SECRET).output().unwrap().into();
        keeps_it(&done, dir.path());
        let done = done.exits(0);
        assert!(done.out.contains("[secret shop_token]"), "{}", done.out);
        let asked = asked.recv().unwrap();
        assert!(asked.starts_with("POST /items/a%20b HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains(&format!("authorization: Bearer {SECRET}\r\n")), "{asked}");
        assert!(asked.contains("x-shop: tea\r\n"), "{asked}");
        let body: serde_json::Value =
            serde_json::from_str(asked.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body, serde_json::json!({ "note": "n", "key": SECRET }));
    }
    // Compiled it is the same, and its secret stays a name.
    let out = dir.path().join("shop.kir.json");
    run(&["build", &path, "-o", out.to_str().unwrap()]).exits(0);
    let mut command = kait(&["run", &format!("{}:main", out.display()), "note=n"]);
    let done: Done = command.env("SHOP_TOKEN", SECRET).output().unwrap().into();
    keeps_it(&done, dir.path());
    done.exits(0);
    assert!(asked.recv().unwrap().contains(SECRET));
}

#[cfg(unix)]
#[test]
fn a_secret_in_a_file_is_its_owners_alone_and_doctor_says_where_it_is() {
    use std::os::unix::fs::PermissionsExt as _;
    let (address, _asked) = echo();
    let (dir, path) = program(&shop(&address));
    let key = dir.path().join("key");
    std::fs::write(&key, format!("{SECRET}\n")).unwrap();
    std::fs::write(dir.path().join("kait.toml"), "[secrets]\nshop_token = { file = \"key\" }\n")
        .unwrap();
    let main = format!("{path}:main");
    let mode =
        |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    run(&["run", &main, "note=n"]).exits(1).says(&["K9014", "chmod 600"]);
    let project = dir.path().to_str().unwrap();
    let done = run(&["doctor", project, "--offline"]).exits(1);
    assert!(done.out.contains("`shop_token` is not there"), "{}", done.out);
    keeps_it(&done, dir.path());
    mode(0o600);
    keeps_it(&run(&["run", &main, "note=n"]).exits(0), dir.path());
    let done = run(&["doctor", project, "--offline"]);
    assert!(done.out.contains("`shop_token` is in the file"), "{}", done.out);
    keeps_it(&done, dir.path());
}

#[test]
fn a_secret_that_is_written_down_is_refused_and_not_repeated() {
    let (dir, path) = program(&shop("127.0.0.1:9"));
    for text in [
        format!("[secrets]\nshop_token = \"{SECRET}\"\n"),
        format!("[secrets]\nshop_token = {SECRET}\n"),
        format!("[secrets]\nshop_token = {{ value = \"{SECRET}\" }}\n"),
    ] {
        std::fs::write(dir.path().join("kait.toml"), text).unwrap();
        let done = run(&["run", &format!("{path}:main"), "note=n"]).exits(2).says(&["K0902"]);
        assert!(!done.err.contains("sk-4711") && !done.out.contains("sk-4711"), "{}", done.err);
    }
}

#[test]
fn nobody_outside_names_a_secret() {
    let text = "secret token\n\npub graph main(key: secret text) -> text {\n  tell(key)\n}\n\nextern tell(key: secret text) -> text from http \"POST http://127.0.0.1:9/\"\n";
    let (_dir, path) = program(text);
    run(&["run", &path, "key=token"]).exits(2).says(&["K9041", "is a secret"]);
}

#[cfg(unix)]
#[test]
fn a_program_is_run_and_its_grant_is_asked() {
    let (dir, path) = program(&shop("127.0.0.1:9"));
    let loud = format!("{path}:loud");
    assert_eq!(run(&["run", &loud, "words=green tea"]).exits(0).out, "GREEN TEA\n");
    std::fs::write(dir.path().join("kait.toml"), "[grants]\nwrite = [\"process cat\"]\n").unwrap();
    run(&["run", &loud, "words=x"]).exits(1).says(&["K9014", "write process tr"]);
}
