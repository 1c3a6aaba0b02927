//! `std.web` and `std.http` against servers of their own.

use std::path::Path;
use std::time::Duration;

use kait_connect::{Access, Config, Connections, Limits};
use kait_ir::{Failure, Value};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{at, call, granted, keyed, t, words};

async fn serve(at: &str, answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path(at)).respond_with(answer).mount(&server).await;
    server
}

fn html(body: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.as_bytes().to_vec(), "text/html; charset=utf-8")
}

#[tokio::test]
async fn a_page_is_fetched_through_redirects() {
    let server = serve("/page", html("<h1>Tea</h1>")).await;
    let redirect = ResponseTemplate::new(302).insert_header("location", "/page");
    Mock::given(path("/old")).respond_with(redirect).mount(&server).await;
    let page = call(&at(Path::new(".")), "web.fetch", &[t(&format!("{}/old", server.uri()))]).await;
    let url = format!("{}/page", server.uri());
    assert_eq!(
        page,
        Ok(Value::record([t(&url), Value::Int(200), t("<h1>Tea</h1>"), t("text/html")]))
    );
}

#[tokio::test]
async fn failures_of_pages_have_their_kinds() {
    let server = serve("/missing", ResponseTemplate::new(404).set_body_string("no tea")).await;
    let picture = ResponseTemplate::new(200).set_body_raw(b"x".to_vec(), "image/png");
    Mock::given(path("/picture")).respond_with(picture).mount(&server).await;
    let turning = ResponseTemplate::new(301).insert_header("location", "/turning");
    Mock::given(path("/turning")).respond_with(turning).mount(&server).await;
    let elsewhere = ResponseTemplate::new(301).insert_header("location", "file:///etc/passwd");
    Mock::given(path("/elsewhere")).respond_with(elsewhere).mount(&server).await;
    Mock::given(path("/large")).respond_with(html(&"x".repeat(5000))).mount(&server).await;
    Mock::given(path("/slow"))
        .respond_with(html("x").set_delay(Duration::from_secs(30)))
        .mount(&server)
        .await;

    let limits = Limits { body: 4000, request: Duration::from_millis(300), ..Limits::default() };
    let cx = Connections::new(Config { limits, ..Config::default() });
    let fetch =
        async |path: &str| call(&cx, "web.fetch", &[t(&format!("{}{path}", server.uri()))]).await;
    assert_eq!(fetch("/missing").await, Err(Failure::Http { status: 404, body: "no tea".into() }));
    assert!(words(fetch("/picture").await).contains("`image/png`, not text"));
    assert!(words(fetch("/turning").await).contains("more than 10 times"));
    assert!(words(fetch("/elsewhere").await).contains("only `http` and `https`"));
    assert!(words(fetch("/large").await).contains("too large"));
    assert_eq!(fetch("/slow").await, Err(Failure::Timeout));
    assert!(
        words(call(&cx, "web.fetch", &[t("example.com")]).await)
            .contains("it begins with `https://`")
    );
    assert!(words(call(&cx, "web.fetch", &[t("ftp://example.com")]).await).contains("only `http`"));
}

#[tokio::test]
async fn a_server_that_is_not_there_or_breaks_off_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cx = at(Path::new("."));
    let broken = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 1024];
        let _ = socket.read(&mut buffer).await.unwrap();
        let head =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nhalf";
        socket.write_all(head).await.unwrap();
        // The listener is dropped with the task: the port is closed afterwards.
    });
    assert!(
        words(call(&cx, "web.fetch", &[t(&format!("http://{address}/"))]).await)
            .contains("broke off")
    );
    broken.await.unwrap();
    assert!(
        words(call(&cx, "web.fetch", &[t(&format!("http://{address}/"))]).await)
            .contains("cannot be reached")
    );
}

#[tokio::test]
async fn grants_hold_for_hosts_redirects_and_resolved_addresses() {
    let server = serve("/page", html("x")).await;
    let port = server.address().port();
    let away = ResponseTemplate::new(302).insert_header("location", "http://forbidden.example/");
    Mock::given(path("/away")).respond_with(away).mount(&server).await;

    let no_private = granted(Path::new("."), |access| match access {
        Access::Address { address, .. } => !kait_connect::is_private(address),
        _ => true,
    });
    for url in [
        format!("{}/page", server.uri()),
        format!("http://localhost:{port}/page"),
        format!("http://[::1]:{port}/"),
    ] {
        let result = call(&no_private, "web.fetch", &[t(&url)]).await;
        assert!(matches!(result, Err(Failure::Refused { .. })), "{url}: {result:?}");
    }
    let one_host = granted(Path::new("."), |access| match access {
        Access::Host { host, write, .. } => host == "127.0.0.1" && !write,
        _ => true,
    });
    let fetch = async |path: &str| {
        call(&one_host, "web.fetch", &[t(&format!("{}{path}", server.uri()))]).await
    };
    fetch("/page").await.unwrap();
    assert!(matches!(fetch("/away").await, Err(Failure::Refused { .. })));
    let args = [t(&server.uri()), t("POST"), Value::Map(Default::default()), t("")];
    assert!(matches!(call(&one_host, "http.request", &args).await, Err(Failure::Refused { .. })));
}

#[tokio::test]
async fn requests_carry_headers_body_and_key() {
    let server = MockServer::start().await;
    Mock::given(method("PUT"))
        .and(header("content-type", "application/json"))
        .and(header("idempotency-key", "order-7"))
        .and(body_string("{}"))
        .respond_with(ResponseTemplate::new(201).set_body_string("made").insert_header("x-id", "7"))
        .mount(&server)
        .await;
    let headers = [(t("content-type"), t("application/json"))].into_iter().collect();
    let args = [t(&server.uri()), t("put"), Value::Map(std::sync::Arc::new(headers)), t("{}")];
    let cx = at(Path::new("."));
    let answer = keyed(&cx, "http.request", &args, Some(t("order-7"))).await.unwrap();
    assert_eq!((&answer.fields()[0], &answer.fields()[2]), (&Value::Int(201), &t("made")));
    let Value::Map(headers) = &answer.fields()[1] else { panic!() };
    assert_eq!(headers[&t("x-id")], t("7"));
    // Without the key nothing matches.
    assert!(matches!(
        call(&cx, "http.request", &args).await,
        Err(Failure::Http { status: 404, .. })
    ));
}

#[tokio::test]
async fn a_write_whose_answer_never_came_is_unknown_unless_it_has_a_key() {
    let serve_once = || async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 1024];
            let _ = socket.read(&mut buffer).await.unwrap();
        });
        format!("http://{address}/")
    };
    let cx = at(Path::new("."));
    let args = |url: &str| [t(url), t("POST"), Value::Map(Default::default()), t("x")];
    let lost = call(&cx, "http.request", &args(&serve_once().await)).await;
    assert_eq!(lost, Err(Failure::Unknown { call: "main/call".into() }));
    let with_key = keyed(&cx, "http.request", &args(&serve_once().await), Some(t("k"))).await;
    assert!(matches!(with_key, Err(Failure::Tool { .. })), "{with_key:?}");
    // Nobody listens there: nothing was sent, so it is certain that nothing happened.
    let never = call(&cx, "http.request", &args("http://127.0.0.1:1/")).await;
    assert!(words(never).contains("cannot be reached"));
}

#[tokio::test]
async fn a_page_that_asks_for_time_gets_it() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "1");
    Mock::given(path("/")).respond_with(busy).up_to_n_times(1).mount(&server).await;
    Mock::given(path("/")).respond_with(html("here")).mount(&server).await;
    let cx = at(Path::new("."));
    let url = [t(&format!("{}/", server.uri()))];
    let refused = call(&cx, "web.fetch", &url).await.unwrap_err();
    assert!(matches!(refused, Failure::Http { status: 503, .. }) && refused.is_retryable());
    let begun = std::time::Instant::now();
    call(&cx, "web.fetch", &url).await.unwrap();
    assert!(begun.elapsed() >= std::time::Duration::from_millis(900), "{:?}", begun.elapsed());
}
