//! Externs of programs as a user runs them: a server on this machine, real programs, secrets that are bound by reference. All that
//! is written anywhere is searched for the secret.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, mpsc};

use kait_compiler::hir::DefId;
use kait_compiler::sources::MemorySources;
use kait_connect::{Access, Config, Connections, Host, LeafJob, ModelBinding, ModelJob, Started};
use kait_engine::Loaded;
use kait_engine::event::{Arg, Outcome};
use kait_engine::segment::{SegmentKind, SegmentOp};
use kait_ir::{Currency, GraphId, Money, Value};
use kait_runtime::people::Given;
use kait_runtime::{Plan, Profile, Run, RunLog, RunStart, Shared};
use smol_str::SmolStr;
use tokio_util::sync::CancellationToken;

use crate::support::{Done, kait, program, root, run};

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

const SHOP_DATA: &str = r#"record Order {
  id: text
  total: money
  paid_by: text
}

pub graph fill() -> int {
  db.upsert([Order(id: "ord_abcdefghijkl", total: 50usd, paid_by: "card")], into: "orders", key: .id)
}

pub graph cards() -> [text] {
  db.query("select id from orders where paid_by = ?1", args: ["card"])
}
"#;

#[test]
fn a_database_belongs_to_its_profile_and_needs_its_grant() {
    let (dir, path) = program(SHOP_DATA);
    let data = dir.path().join("data");
    let ask = |graph: &str| -> Done {
        let word = format!("{path}:{graph}");
        kait(&["run", &word, "--json"]).env("XDG_DATA_HOME", &data).output().unwrap().into()
    };
    ask("cards").exits(1).says(&["K9017", "there is no table `orders`", "db.upsert"]);
    assert!(ask("fill").exits(0).out.contains("\"result\":1"));
    assert!(ask("cards").exits(0).out.contains("[\"ord_abcdefghijkl\"]"));
    assert!(data.join("kait/profiles/local/data.sqlite").is_file());
    std::fs::write(dir.path().join("kait.toml"), "[grants]\nread = [\"db\"]\n").unwrap();
    ask("cards").exits(0);
    ask("fill").exits(1).says(&["K9014", "write db"]);
}

/// The world as it is, but that the model says what the test says.
struct World {
    outside: Arc<Connections>,
    model: Value,
}

impl Host for World {
    fn leaf(&self, job: &LeafJob<'_>) -> Started {
        self.outside.leaf(job)
    }

    fn model(&self, _: &ModelJob<'_>) -> Started {
        Started::Now(Outcome::Ok(self.model.clone()))
    }

    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr> {
        self.outside.allow(access)
    }
}

/// The order comes from the database, a person approves less than was asked for, and the request has exactly that.
#[tokio::test(flavor = "multi_thread")]
async fn a_refund_is_looked_up_approved_and_paid() {
    let (address, asked) = echo();
    let (dir, path) = program(SHOP_DATA);
    let data = dir.path().join("data");
    let word = format!("{path}:fill");
    let done = kait(&["run", &word]).env("XDG_DATA_HOME", &data).output().unwrap();
    Done::from(done).exits(0);

    let file = root().join("tests/corpus/programs/08_refund.kait");
    let text = std::fs::read_to_string(file).unwrap();
    let text = text.replace("https://pay.example.com", &format!("http://{address}"));
    let sources = MemorySources::single("refund.kait", text);
    let compiled = kait_compiler::compile(&sources, &["refund.kait"]);
    let errors: Vec<_> = compiled.diagnostics.iter().filter(|found| found.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let defs = (0u32..).map(DefId).zip(&compiled.hir.defs);
    let root: Vec<_> =
        defs.filter(|(_, def)| def.name == "handle_refund").map(|(id, _)| id).collect();
    let loaded = Arc::new(Loaded::new(compiled.lower(&root).unwrap()).unwrap());
    let plan = Plan::link(loaded, &Profile::default(), &ModelBinding::echo());
    let outside = Connections::new(Config {
        database: Some(data.join("kait/profiles/local/data.sqlite")),
        ..Config::default()
    });
    let dollars = |amount| {
        let amount = rust_decimal::Decimal::new(amount, 0);
        Value::Money(Money { amount, currency: Currency::parse("usd").unwrap() })
    };
    let model = Value::record([dollars(80), Value::text("late")]);
    let world = World { outside: Arc::new(outside), model };
    let (answers, people) = tokio::sync::mpsc::unbounded_channel();
    let start = RunStart {
        run: "r_1".into(),
        graph: GraphId(0),
        args: ["ord_abcdefghijkl", "It came late."]
            .map(|text| Arg::Ready(Value::text(text)))
            .into(),
        growing: Vec::new(),
        traced: false,
        parallel: 16,
        people: Some(people),
        recorder: None,
        leave: CancellationToken::new(),
        journal: Vec::new(),
    };
    let log = RunLog::new("r_1".into(), 10_000);
    let mut reader = log.read();
    let run = tokio::spawn(Run::start(
        Arc::new(plan),
        Arc::new(world),
        Arc::new(Shared::default()),
        start,
        Arc::clone(&log),
        CancellationToken::new(),
    ));
    let (mut records, mut approved) = (Vec::new(), false);
    while reader.read(&mut records).await {
        for record in records.drain(..) {
            let is_question =
                matches!(record.op, SegmentOp::Open { kind: SegmentKind::Question, .. });
            if is_question && !approved {
                approved = true;
                assert!(asked.try_recv().is_err(), "nothing is sent before it is approved");
                let (taken, _) = tokio::sync::oneshot::channel();
                let answer = serde_json::json!({
                    "decision": "approve", "edit": { "amount": "15.00 usd" },
                });
                let by = "ada".into();
                answers.send(Given { question: record.segment, by, answer, taken }).unwrap();
            }
        }
    }
    let end = run.await.unwrap();
    let sent = asked.try_recv();
    let sent = sent.unwrap_or_else(|_| panic!("nothing was sent: {:?}", end.outcome));
    assert!(sent.starts_with("POST /v1/refunds HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("idempotency-key: ord_abcdefghijkl\r\n"), "{sent}");
    let body: serde_json::Value =
        serde_json::from_str(sent.split_once("\r\n\r\n").unwrap().1).unwrap();
    let wanted = serde_json::json!({ "order": "ord_abcdefghijkl", "amount": "15.00 usd" });
    assert_eq!(body, wanted);
    let Outcome::Ok(outcome) = end.outcome else { panic!("{:?}", end.outcome) };
    // `Refunded(receipt)` with what the server answered.
    assert!(matches!(&outcome, Value::Variant(0, fields) if fields[0].as_text().is_some()));
    assert!(asked.try_recv().is_err(), "it is sent once");
}
