//! Externs over HTTP against servers of their own, and of programs as they are on every machine.

use std::sync::Arc;
use std::time::Duration;

use kait_connect::{
    Access, Config, Connections, Env, Grower, LeafJob, Limits, SecretBinding, Secrets,
};
use kait_engine::Outcome;
use kait_engine::check::TypeTable;
use kait_ir::program::{Auth, Calling, HeaderText, KeyPlace, Param};
use kait_ir::{
    Bound, EffectClass, Failure, FieldType, LeafDecl, RecordType, Type, TypeId, Types, Value,
};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wiremock::matchers::{body_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::{EFFECT, Only, ended, t};

const TEXT: TypeId = TypeId(0);
const INT: TypeId = TypeId(1);
const JSON: TypeId = TypeId(2);
const SECRET: TypeId = TypeId(3);
const TEXTS: TypeId = TypeId(4);
const MAYBE: TypeId = TypeId(5);
const ORDER: TypeId = TypeId(7);
const BYTES: TypeId = TypeId(8);

/// `Order { id: text (pattern), total as Total: int }` besides what has a name above.
fn table() -> Arc<TypeTable> {
    let mut types = Types::default();
    for ty in
        [Type::Text, Type::Int, Type::Json, Type::Secret, Type::List(TEXT), Type::Optional(TEXT)]
    {
        types.push(ty);
    }
    let id = types.push(Type::Refined {
        name: None,
        base: TEXT,
        bounds: vec![Bound::Pattern("^ord_[a-z]+$".into())],
    });
    let field = |name: &str, wire: &str, ty| FieldType {
        name: name.into(),
        wire: wire.into(),
        docs: "".into(),
        ty,
        default: None,
        trust: None,
    };
    let fields = vec![field("id", "id", id), field("total", "Total", INT)];
    types.push(Type::Record(RecordType { name: "Order".into(), docs: "".into(), fields }));
    types.push(Type::Bytes);
    Arc::new(TypeTable::new(types).unwrap())
}

fn extern_of(kind: &str, locator: &str, params: &[(&str, TypeId)], result: TypeId) -> LeafDecl {
    let param = |(name, ty): &(&str, TypeId)| Param {
        name: (*name).into(),
        docs: "".into(),
        ty: *ty,
        default: None,
        stream: false,
        trust: None,
    };
    let reads = locator.starts_with("GET") || locator.starts_with("HEAD");
    LeafDecl {
        name: "shop".into(),
        kind: kind.into(),
        locator: locator.into(),
        params: params.iter().map(param).collect(),
        result,
        class: if reads { EffectClass::Read } else { EffectClass::Write { keyed: false } },
        reads: vec![],
        writes: vec![],
        guarded: false,
        trust: None,
        with: Calling::default(),
    }
}

async fn call(
    cx: &Connections,
    decl: &LeafDecl,
    args: &[Value],
    key: Option<&str>,
) -> Result<Value, Failure> {
    let job = LeafJob {
        decl,
        table: &table(),
        args,
        key: key.map(t),
        path: "main/shop".into(),
        grower: Grower::new(EFFECT, None),
    };
    match ended(cx.start(&job)).await.outcome {
        Outcome::Ok(value) => Ok(value),
        Outcome::Failed(failure) => Err(failure),
    }
}

/// Connections that know the secret `token`, which is `s3cr3t/+key`.
fn knowing() -> Connections {
    let secrets: Secrets =
        [("token".into(), SecretBinding::Env("TOKEN".into()))].into_iter().collect();
    let env: Env = Arc::new(|name| (name == "TOKEN").then(|| "s3cr3t/+key".to_owned()));
    Connections::new(Config { secrets, env, ..Config::default() })
}

#[tokio::test]
async fn parameters_stand_in_the_address_the_query_or_the_body() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/orders/a%2Fb%3F%20c"))
        .and(query_param("of", "x&y"))
        .and(query_param("limit", "7"))
        .and(header("accept", "application/json"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"id": "ord_a", "Total": 3})))
        .mount(&server)
        .await;
    let params = [("id", TEXT), ("of", TEXT), ("limit", INT), ("tags", TEXTS), ("none", MAYBE)];
    let locator = format!("GET {}/orders/{{id}}?of={{of}}", server.uri());
    let decl = extern_of("http", &locator, &params, ORDER);
    let tags = Value::list(vec![t("red"), t("blue tea")]);
    let args = [t("a/b? c"), t("x&y"), Value::Int(7), tags, Value::None];
    let order = call(&knowing(), &decl, &args, None).await.unwrap();
    assert_eq!(order, Value::record([t("ord_a"), Value::Int(3)]));
    let asked: Vec<Request> = server.received_requests().await.unwrap();
    assert_eq!(
        asked[0].url.as_str().split_once('?').unwrap().1,
        "of=x%26y&limit=7&tags=red&tags=blue+tea"
    );

    Mock::given(method("POST"))
        .and(path("/orders"))
        .and(header("content-type", "application/json"))
        .and(body_json(json!({"order": {"id": "ord_b", "Total": 4}, "note": null})))
        .respond_with(ResponseTemplate::new(201).set_body_string("made"))
        .mount(&server)
        .await;
    let locator = format!("POST {}/orders", server.uri());
    let decl = extern_of("http", &locator, &[("order", ORDER), ("note", MAYBE)], TEXT);
    let order = Value::record([t("ord_b"), Value::Int(4)]);
    assert_eq!(call(&knowing(), &decl, &[order, Value::None], None).await, Ok(t("made")));
}

#[tokio::test]
async fn a_parameter_neither_leaves_its_place_nor_adds_one() {
    let server = MockServer::start().await;
    let at = server.uri();
    for (address, value) in [
        ("/orders/{id}/items", ".."),
        ("/orders/{id}/items", "."),
        ("/orders/{id}/items", ""),
        ("/orders/{id}.", "."),
        ("/orders/%2e{id}", "."),
    ] {
        let decl = extern_of("http", &format!("GET {at}{address}"), &[("id", TEXT)], TEXT);
        let result = call(&knowing(), &decl, &[t(value)], None).await;
        assert!(
            matches!(&result, Err(Failure::Invalid { path, .. }) if path == "id"),
            "{address} {value:?}: {result:?}"
        );
    }
    assert!(server.received_requests().await.unwrap().is_empty());
    let decl = extern_of("http", &format!("GET {at}/a/{{id}}"), &[("id", TEXT)], TEXT);
    for (value, expected) in [
        ("../b", "/a/..%2Fb"),
        ("b\\..", "/a/b%5C.."),
        ("#?&=", "/a/%23%3F%26%3D"),
        ("a\r\nb", "/a/a%0D%0Ab"),
    ] {
        let _ = call(&knowing(), &decl, &[t(value)], None).await;
        let asked = server.received_requests().await.unwrap();
        assert_eq!(asked.last().unwrap().url.path(), expected);
    }
}

#[tokio::test]
async fn answers_fit_their_types_or_say_where_not() {
    let server = MockServer::start().await;
    for (at, answer) in [
        ("/wrong", ResponseTemplate::new(200).set_body_json(json!({"id": "x", "Total": 3}))),
        ("/page", ResponseTemplate::new(200).set_body_string("<p>")),
        ("/none", ResponseTemplate::new(204)),
        ("/bytes", ResponseTemplate::new(200).set_body_bytes(vec![0u8, 255])),
        ("/gone", ResponseTemplate::new(410).set_body_string("long gone")),
        (
            "/latin",
            ResponseTemplate::new(200).set_body_raw(vec![0xe4], "text/plain; charset=latin1"),
        ),
    ] {
        Mock::given(path(at)).respond_with(answer).mount(&server).await;
    }
    let cx = knowing();
    let get = async |at: &str, result| {
        call(&cx, &extern_of("http", &format!("GET {}{at}", server.uri()), &[], result), &[], None)
            .await
    };
    assert!(
        matches!(get("/wrong", ORDER).await, Err(Failure::Invalid { path, .. }) if path == "/id" || path == "id")
    );
    assert!(
        matches!(get("/page", ORDER).await, Err(Failure::Invalid { why, .. }) if why.contains("not JSON"))
    );
    assert!(
        matches!(get("/none", ORDER).await, Err(Failure::Invalid { why, .. }) if why.contains("empty"))
    );
    assert_eq!(get("/none", MAYBE).await, Ok(Value::None));
    assert_eq!(get("/page", TEXT).await, Ok(t("<p>")));
    assert_eq!(get("/latin", TEXT).await, Ok(t("ä")));
    assert_eq!(get("/bytes", BYTES).await, Ok(Value::Bytes([0, 255].into())));
    let gone = Failure::Http { status: 410, body: "long gone".into() };
    assert_eq!(get("/gone", TEXT).await, Err(gone));
    let limits = Limits { body: 1, ..Limits::default() };
    let small = Connections::new(Config { limits, ..Config::default() });
    let decl = extern_of("http", &format!("GET {}/page", server.uri()), &[], TEXT);
    let large = call(&small, &decl, &[], None).await;
    assert!(
        matches!(&large, Err(Failure::Tool { message, .. }) if message.contains("too large")),
        "{large:?}"
    );
}

/// How a secret is sent, and the header or query that comes of it.
fn ways() -> [(Auth, &'static str, &'static str); 4] {
    let secret = || "token".into();
    [
        (Auth::Bearer { secret: secret() }, "authorization", "Bearer s3cr3t/+key"),
        (
            Auth::Basic { user: "shop".into(), secret: secret() },
            "authorization",
            "Basic c2hvcDpzM2NyM3QvK2tleQ==",
        ),
        (Auth::Header { name: "X-Key".into(), secret: secret() }, "x-key", "s3cr3t/+key"),
        (Auth::Query { name: "key".into(), secret: secret() }, "", "key=s3cr3t%2F%2Bkey"),
    ]
}

#[tokio::test]
async fn secrets_are_sent_and_never_come_back() {
    // Whatever it is told, it tells back, in every form.
    let echo = |request: &Request| {
        let mut said: Vec<String> =
            request.headers.iter().map(|(_, value)| value.to_str().unwrap().to_owned()).collect();
        said.push(request.url.to_string());
        said.push(String::from_utf8(request.body.clone()).unwrap());
        let text = json!(said).to_string().replace('/', "\\/").replace('3', "\\u0033");
        let status = if request.url.path() == "/fails" { 400 } else { 200 };
        ResponseTemplate::new(status).set_body_raw(text.into_bytes(), "application/json")
    };
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any()).respond_with(echo).mount(&server).await;
    let cx = knowing();
    for (auth, name, expected) in ways() {
        let mut decl = extern_of("http", &format!("GET {}/said", server.uri()), &[], JSON);
        decl.with.auth = Some(auth);
        decl.with.headers = vec![
            ("X-Other".into(), HeaderText::Secret("token".into())),
            ("X-Plain".into(), HeaderText::Text("plain".into())),
        ];
        let said = call(&cx, &decl, &[], None).await.unwrap();
        let asked = server.received_requests().await.unwrap();
        let asked = asked.last().unwrap();
        assert_eq!(asked.headers["x-other"], "s3cr3t/+key");
        assert_eq!(asked.headers["x-plain"], "plain");
        match name {
            "" => assert_eq!(asked.url.query(), Some(expected)),
            name => assert_eq!(asked.headers[name], expected),
        }
        let shown = format!("{said:?}");
        assert!(shown.contains("[secret token]") && shown.contains("plain"), "{shown}");
        for form in ["s3cr3t", "czNjcjN0", "zM2NyM3QvK2tle"] {
            assert!(!shown.contains(form), "{shown}");
        }
        decl.locator = format!("GET {}/fails", server.uri()).into();
        let failed = format!("{:?}", call(&cx, &decl, &[], None).await.unwrap_err());
        assert!(!failed.contains("s3cr3t/"), "{failed}");
    }
    // As an argument: its name goes in, its value goes out.
    let decl = extern_of("http", &format!("POST {}/said", server.uri()), &[("key", SECRET)], TEXT);
    let said = call(&cx, &decl, &[t("token")], None).await.unwrap();
    let asked = server.received_requests().await.unwrap();
    let sent: serde_json::Value = serde_json::from_slice(&asked.last().unwrap().body).unwrap();
    assert_eq!(sent, json!({"key": "s3cr3t/+key"}));
    assert!(!format!("{said:?}").contains("s3cr3t/"), "{said:?}");
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_named() {
    let mut decl = extern_of("http", "GET http://127.0.0.1:1/", &[], TEXT);
    decl.with.auth = Some(Auth::Bearer { secret: "other".into() });
    let unbound = Err(Failure::Unbound { name: "secret other".into() });
    assert_eq!(call(&knowing(), &decl, &[], None).await, unbound);
    let secrets = [("other".into(), SecretBinding::Env("NOWHERE".into()))].into_iter().collect();
    let cx = Connections::new(Config { secrets, env: Arc::new(|_| None), ..Config::default() });
    let result = call(&cx, &decl, &[], None).await;
    assert!(
        matches!(&result, Err(Failure::Refused { why }) if why.contains("NOWHERE is not set")),
        "{result:?}"
    );
    let secrets = [("other".into(), SecretBinding::Env("LINES".into()))].into_iter().collect();
    let env: Env = Arc::new(|_| Some("hunter\n2".to_owned()));
    let cx = Connections::new(Config { secrets, env, ..Config::default() });
    let result = call(&cx, &decl, &[], None).await;
    assert!(
        matches!(&result, Err(Failure::Refused { why }) if why.contains("line break") && !why.contains("hunter")),
        "{result:?}"
    );
}

#[tokio::test]
async fn credentials_never_follow_to_another_host() {
    let (own, other) = (MockServer::start().await, MockServer::start().await);
    let to = |to: String| ResponseTemplate::new(307).insert_header("location", to.as_str());
    Mock::given(path("/near")).respond_with(to("/end".into())).mount(&own).await;
    Mock::given(path("/far")).respond_with(to(format!("{}/end", other.uri()))).mount(&own).await;
    let leak = format!("{}/end?key=s3cr3t%2F%2Bkey", other.uri());
    Mock::given(path("/leak")).respond_with(to(leak)).mount(&own).await;
    let end = || ResponseTemplate::new(200).set_body_string("end");
    Mock::given(path("/end")).respond_with(end()).mount(&own).await;
    Mock::given(path("/end")).respond_with(end()).mount(&other).await;
    let cx = knowing();
    let get = |at: &str| {
        let mut decl = extern_of("http", &format!("GET {}{at}", own.uri()), &[], TEXT);
        decl.with.auth = Some(Auth::Bearer { secret: "token".into() });
        decl.with.headers = vec![("X-Key".into(), HeaderText::Secret("token".into()))];
        decl
    };
    assert_eq!(call(&cx, &get("/near"), &[], None).await, Ok(t("end")));
    assert!(own.received_requests().await.unwrap()[1].headers.contains_key("authorization"));
    assert_eq!(call(&cx, &get("/far"), &[], None).await, Ok(t("end")));
    let leaked = call(&cx, &get("/leak"), &[], None).await;
    assert!(matches!(leaked, Err(Failure::Refused { .. })), "{leaked:?}");
    let asked = other.received_requests().await.unwrap();
    assert_eq!(asked.len(), 1);
    assert!(
        !asked[0].headers.contains_key("authorization") && !asked[0].headers.contains_key("x-key")
    );
    // What is no read is sent once, and nowhere else.
    let mut decl = extern_of("http", &format!("POST {}/far", own.uri()), &[], TEXT);
    decl.with = get("/").with;
    let result = call(&cx, &decl, &[], None).await;
    assert!(matches!(result, Err(Failure::Http { status: 307, .. })), "{result:?}");
    assert_eq!(other.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn grants_hold_at_every_hop() {
    let server = MockServer::start().await;
    let away = ResponseTemplate::new(302).insert_header("location", "http://forbidden.example/");
    Mock::given(path("/away")).respond_with(away).mount(&server).await;
    let page = ResponseTemplate::new(200).set_body_string("x");
    Mock::given(path("/page")).respond_with(page).mount(&server).await;
    let only = |allow: fn(Access<'_>) -> bool| {
        Connections::new(Config { grants: Arc::new(Only(allow)), ..Config::default() })
    };
    let reads = only(|access| match access {
        Access::Host { host, write, .. } => host == "127.0.0.1" && !write,
        _ => true,
    });
    let of = |locator: &str| extern_of("http", &locator.replace("AT", &server.uri()), &[], TEXT);
    assert_eq!(call(&reads, &of("GET AT/page"), &[], None).await, Ok(t("x")));
    for locator in ["GET AT/away", "POST AT/page"] {
        let result = call(&reads, &of(locator), &[], None).await;
        assert!(matches!(result, Err(Failure::Refused { .. })), "{locator}: {result:?}");
    }
    let public = only(|access| match access {
        Access::Address { address, .. } => !kait_connect::is_private(address),
        _ => true,
    });
    let result = call(&public, &of("GET AT/page"), &[], None).await;
    assert!(matches!(result, Err(Failure::Refused { .. })), "{result:?}");
}

/// A server that reads a request and hangs up.
async fn hangs_up() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
        }
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn what_breaks_off_is_unknown_unless_it_may_be_sent_again() {
    let (cx, at) = (knowing(), hangs_up().await);
    let unknown = Err(Failure::Unknown { call: "main/shop".into() });
    let may_try_again = |result: &Result<Value, Failure>| matches!(result, Err(failure @ Failure::Http { status: 0, .. }) if failure.is_retryable());
    let mut pay = extern_of("http", &format!("POST {at}"), &[], TEXT);
    assert_eq!(call(&cx, &pay, &[], None).await, unknown);
    pay.class = EffectClass::Write { keyed: true };
    pay.with.key = Some(KeyPlace::Header("Idempotency-Key".into()));
    assert_eq!(call(&cx, &pay, &[], None).await, unknown);
    let result = call(&cx, &pay, &[], Some("order-7")).await;
    assert!(may_try_again(&result), "{result:?}");
    let result = call(&cx, &extern_of("http", &format!("GET {at}"), &[], TEXT), &[], None).await;
    assert!(may_try_again(&result), "{result:?}");
    // Nobody was reached: it is certain that nothing has happened.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let pay = extern_of("http", &format!("POST http://{closed}/"), &[], TEXT);
    let result = call(&cx, &pay, &[], None).await;
    assert!(may_try_again(&result), "{result:?}");

    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(20));
    Mock::given(wiremock::matchers::any()).respond_with(slow).mount(&server).await;
    let mut read = extern_of("http", &format!("GET {}", server.uri()), &[], TEXT);
    read.with.timeout = Some(100_000_000);
    assert_eq!(call(&cx, &read, &[], None).await, Err(Failure::Timeout));
    let mut pay = extern_of("http", &format!("POST {}", server.uri()), &[], TEXT);
    pay.with.timeout = Some(100_000_000);
    assert_eq!(call(&cx, &pay, &[], None).await, unknown);
}

#[tokio::test]
async fn a_key_is_sent_where_the_declaration_says() {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(ResponseTemplate::new(200).set_body_string("ok"))
        .mount(&server)
        .await;
    let mut decl = extern_of("http", &format!("POST {}", server.uri()), &[], TEXT);
    decl.class = EffectClass::Write { keyed: true };
    for place in [KeyPlace::Header("X-Key".into()), KeyPlace::Query("key".into())] {
        decl.with.key = Some(place);
        call(&knowing(), &decl, &[], Some("a b")).await.unwrap();
    }
    let asked = server.received_requests().await.unwrap();
    assert_eq!(asked[0].headers["x-key"], "a b");
    assert_eq!(asked[1].url.query(), Some("key=a+b"));
    decl.with.key = Some(KeyPlace::Header("X-Key".into()));
    let result = call(&knowing(), &decl, &[], Some("a\nb")).await;
    assert!(matches!(&result, Err(Failure::Invalid { path, .. }) if path == "key"), "{result:?}");
}

#[cfg(unix)]
mod programs {
    use super::*;

    fn program(command: &str, params: &[(&str, TypeId)], result: TypeId) -> LeafDecl {
        extern_of("process", command, params, result)
    }

    #[tokio::test]
    async fn arguments_are_never_a_shells() {
        let cx = knowing();
        let said = program("printf %s|%s 'a  b' {x}", &[("x", TEXT)], TEXT);
        let odd = "$(touch x); `id` 'q' \"*\"";
        assert_eq!(call(&cx, &said, &[t(odd)], None).await, Ok(t(&format!("a  b|{odd}"))));
        let result = call(&cx, &said, &[t("a\0b")], None).await;
        assert!(matches!(&result, Err(Failure::Invalid { path, .. }) if path == "x"), "{result:?}");
    }

    #[tokio::test]
    async fn input_and_output_are_text_or_json() {
        let cx = knowing();
        let upper = program("tr a-z A-Z", &[("words", TEXT)], TEXT);
        assert_eq!(call(&cx, &upper, &[t("green tea\n")], None).await, Ok(t("GREEN TEA\n")));
        let same = program("cat", &[("id", TEXT), ("Total", INT)], ORDER);
        let order = call(&cx, &same, &[t("ord_a"), Value::Int(2)], None).await;
        assert_eq!(order, Ok(Value::record([t("ord_a"), Value::Int(2)])));
        let wrong = call(&cx, &same, &[t("a"), Value::Int(2)], None).await;
        assert!(matches!(wrong, Err(Failure::Invalid { .. })), "{wrong:?}");
        let bytes = program("printf {x}", &[("x", TEXT)], BYTES);
        assert_eq!(call(&cx, &bytes, &[t("\\377")], None).await, Ok(Value::Bytes([255].into())));
    }

    #[tokio::test]
    async fn a_secret_reaches_the_program_and_comes_back_blanked() {
        let cx = knowing();
        let same = program("cat", &[("key", SECRET), ("n", INT)], JSON);
        let said = call(&cx, &same, &[t("token"), Value::Int(1)], None).await.unwrap();
        let json = json!({"key": "[secret token]", "n": 1});
        assert_eq!(said, Value::Json(Arc::new(json)));
        let length = program("wc -c", &[("key", SECRET)], TEXT);
        let said = call(&cx, &length, &[t("token")], None).await.unwrap();
        assert_eq!(said.as_text().unwrap().trim(), "11");
        let complains = program("sh -c 'cat >&2; exit 3'", &[("key", SECRET)], TEXT);
        let result = call(&cx, &complains, &[t("token")], None).await;
        let message = "`sh` ended with status 3: [secret token]".into();
        assert_eq!(result, Err(Failure::Tool { name: "shop".into(), message }));
    }

    #[tokio::test]
    async fn programs_need_their_grant_and_keep_their_time() {
        let none = Connections::new(Config {
            grants: Arc::new(Only(|access| !matches!(access, Access::Process { .. }))),
            ..Config::default()
        });
        let result = call(&none, &program("cat", &[], TEXT), &[], None).await;
        assert!(matches!(result, Err(Failure::Refused { .. })), "{result:?}");
        let cx = knowing();
        let result = call(&cx, &program("no-such-program-here", &[], TEXT), &[], None).await;
        assert!(matches!(result, Err(Failure::Tool { .. })), "{result:?}");
        let mut slow = program("sleep 20", &[], TEXT);
        slow.with.timeout = Some(100_000_000);
        assert_eq!(call(&cx, &slow, &[], None).await, Err(Failure::Timeout));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn programs_keep_to_their_memory_and_processor_time() {
        let cx = knowing();
        // The shell reads after it was limited; then it asks for far more than it has.
        let mut greedy = program(
            "sh -c 'read x; head -c 200000000 /dev/zero | tail -c 200000000 | wc -c'",
            &[("x", TEXT)],
            TEXT,
        );
        greedy.with.memory = Some(64 << 20);
        let result = call(&cx, &greedy, &[t("go\n")], None).await;
        let whole = Ok(t("200000000\n"));
        assert_ne!(result, whole);
        greedy.with.memory = None;
        assert_eq!(call(&cx, &greedy, &[t("go\n")], None).await, whole);
        let mut busy = program("sh -c 'read x; while :; do :; done'", &[("x", TEXT)], TEXT);
        busy.with.time = Some(1_000_000_000);
        let result = call(&cx, &busy, &[t("go\n")], None).await;
        assert_eq!(result, Err(Failure::Budget { kind: "time".into() }));
    }
}

#[test]
fn nothing_shows_a_secret() {
    let shown = format!("{:?}", knowing().config().secrets);
    assert!(shown.contains("TOKEN") && !shown.contains("s3cr3t"), "{shown}");
}
