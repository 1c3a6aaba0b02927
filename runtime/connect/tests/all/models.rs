//! Calls of models over real HTTP: every fault has its failure, and nothing depends on how bytes were cut.

use std::sync::Arc;
use std::time::Duration;

use kait_connect::{Config, Connections, Grower, Growth, ModelBinding, ModelJob, Path, Step};
use kait_engine::check::TypeTable;
use kait_engine::{Outcome, Usage};
use kait_ir::program::{Message, MessageRole, ModelCall};
use kait_ir::{
    Blob, Bound, ExprId, Failure, FieldType, Program, RecordType, Type, TypeId, Types, Value,
};
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

use crate::model_server::{Reply, Server, event};
use crate::support::{EFFECT, ended, t};

const KEY: &str = "sk-very-secret-0123456789";

/// `Summary { headline: text, points: [text](2..=3) }`, and plain types.
struct Prompts {
    table: Arc<TypeTable>,
    text: TypeId,
    image: TypeId,
    short: TypeId,
    summary: TypeId,
    messages: TypeId,
}

fn prompts() -> Prompts {
    let mut types = Types::default();
    let text = types.push(Type::Text);
    let image = types.push(Type::Image);
    let short =
        types.push(Type::Refined { name: None, base: text, bounds: vec![Bound::MaxLen(5)] });
    let list = types.push(Type::List(text));
    let bounds = vec![Bound::Min(Value::Int(2)), Bound::Max(Value::Int(3))];
    let points = types.push(Type::Refined { name: None, base: list, bounds });
    let field = |name: &str, ty| FieldType {
        name: name.into(),
        wire: name.into(),
        docs: "".into(),
        ty,
        default: None,
        trust: None,
    };
    let fields = vec![field("headline", text), field("points", points)];
    let summary =
        types.push(Type::Record(RecordType { name: "Summary".into(), docs: "".into(), fields }));
    let messages = types.push(Type::List(text));
    Prompts {
        table: Arc::new(TypeTable::new(types).unwrap()),
        text,
        image,
        short,
        summary,
        messages,
    }
}

fn binding(url: &str) -> ModelBinding {
    ModelBinding {
        provider: "openai".into(),
        model: "tea-1".into(),
        base_url: Some(url.into()),
        key_env: Some("TEA_KEY".into()),
        connect_timeout: Some(2),
        first_token_timeout: Some(1),
        idle_timeout: Some(1),
        structured: None,
        ..ModelBinding::echo()
    }
}

fn connect(bindings: Vec<ModelBinding>) -> Connections {
    Connections::new(Config {
        models: [("fast".into(), bindings)].into_iter().collect(),
        env: Arc::new(|name| (name == "TEA_KEY").then(|| KEY.to_owned())),
        ..Config::default()
    })
}

struct Answered {
    result: Result<Value, Failure>,
    grown: Vec<Growth>,
    usage: Usage,
}

struct Ask {
    output: TypeId,
    messages: Vec<(MessageRole, TypeId, Value)>,
    options: Vec<(&'static str, Value)>,
    repair: u32,
}

impl Ask {
    fn user(output: TypeId, text_ty: TypeId, said: &str) -> Self {
        Self {
            output,
            messages: vec![(MessageRole::User, text_ty, t(said))],
            options: vec![],
            repair: 0,
        }
    }
}

async fn ask(cx: &Connections, prompts: &Prompts, ask: Ask) -> Answered {
    let call = ModelCall {
        prompt: "app.distil".into(),
        docs: "Distils.".into(),
        role: "fast".into(),
        options: ask.options.iter().map(|(name, _)| ((*name).into(), ExprId(0))).collect(),
        messages: ask
            .messages
            .iter()
            .map(|(role, ty, _)| Message { role: *role, content: ExprId(0), ty: *ty })
            .collect(),
        output: ask.output,
        repair: ask.repair,
    };
    let (sender, mut receiver) = unbounded_channel();
    let job = ModelJob {
        program: &Program::default(),
        table: &prompts.table,
        call: &call,
        role: "fast",
        options: &ask.options.into_iter().map(|(_, value)| value).collect::<Vec<_>>(),
        messages: &ask.messages.into_iter().map(|(_, _, value)| value).collect::<Vec<_>>(),
        output: ask.output,
        repair: ask.repair,
        tokens_left: None,
        grower: Grower::new(EFFECT, Some(sender)),
    };
    let started = cx.model(&job);
    drop(job);
    let ended = ended(started).await;
    let mut grown = Vec::new();
    while let Ok((_, growth)) = receiver.try_recv() {
        match (grown.last_mut(), growth) {
            // How a text was cut does not count.
            (Some(Growth::Append { path, text }), Growth::Append { path: next, text: more })
                if *path == next =>
            {
                *text = format!("{text}{more}").into();
            }
            (_, growth) => grown.push(growth),
        }
    }
    let result = match ended.outcome {
        Outcome::Ok(value) => Ok(value),
        Outcome::Failed(failure) => Err(failure),
    };
    Answered { result, grown, usage: ended.usage.unwrap_or_default() }
}

/// One plain question to a server with these replies.
async fn plain(replies: Vec<Reply>) -> (Answered, Server) {
    let (prompts, server) = (prompts(), Server::start(replies).await);
    let cx = connect(vec![binding(&server.url)]);
    let answered = ask(&cx, &prompts, Ask::user(prompts.text, prompts.text, "Hi")).await;
    (answered, server)
}

/// One structured question.
async fn typed(replies: Vec<Reply>, repair: u32) -> (Answered, Server) {
    let (prompts, server) = (prompts(), Server::start(replies).await);
    let cx = connect(vec![binding(&server.url)]);
    let mut question = Ask::user(prompts.summary, prompts.text, "Tea");
    question.repair = repair;
    let answered = ask(&cx, &prompts, question).await;
    (answered, server)
}

fn summary() -> Value {
    Value::record([t("Tea"), Value::list(vec![t("hot"), t("green")])])
}

const SUMMARY: &str = r#"{"headline":"Tea","points":["hot","green"]}"#;

#[tokio::test]
async fn text_streams_with_usage() {
    let (answered, server) = plain(vec![Reply::stream(&["Hello", " Ada", "!"], "stop")]).await;
    assert_eq!(answered.result, Ok(t("Hello Ada!")));
    assert_eq!(answered.grown, [Growth::text("Hello Ada!")]);
    let usage = Usage { calls: 1, input_tokens: 11, output_tokens: 7, cost: None };
    assert_eq!(answered.usage, usage);
    let asked = server.asked(0);
    assert!(asked.headers.contains(&("authorization".into(), format!("Bearer {KEY}"))));
    let expected = json!({
        "model": "tea-1", "stream": true, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": "Hi"}],
    });
    assert_eq!(asked.body, expected);
}

#[tokio::test]
async fn messages_parts_and_options_are_sent() {
    let (prompts, server) = (prompts(), Server::start(vec![Reply::stream(&["ok"], "stop")]).await);
    let blob = |name: &str, media_type: &str, bytes: &[u8]| {
        Value::Blob(Arc::new(Blob {
            name: name.into(),
            media_type: media_type.into(),
            bytes: bytes.into(),
        }))
    };
    let history = Value::list(vec![
        Value::Variant(1, vec![t("Hi")].into()),
        Value::Variant(2, vec![t("Hello")].into()),
        Value::Variant(3, vec![t("look"), t("tea")].into()),
    ]);
    let pictures = Value::list(vec![
        blob("a.png", "image/png", b"123"),
        blob("b.md", "text/markdown", b"# B"),
    ]);
    let question = Ask {
        output: prompts.text,
        messages: vec![
            (MessageRole::System, prompts.text, t("Be brief.")),
            (MessageRole::Messages, prompts.messages, history),
            (MessageRole::User, prompts.messages, pictures),
        ],
        options: vec![
            ("temperature", Value::Float(0.2)),
            ("max_tokens", Value::Int(40)),
            ("seed", Value::None),
        ],
        repair: 0,
    };
    let _ = prompts.image;
    ask(&connect(vec![binding(&server.url)]), &prompts, question).await.result.unwrap();
    let body = server.asked(0).body;
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello"},
            {"role": "user", "content": "Result of `look`:\ntea"},
            {"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,MTIz"}},
                {"type": "text", "text": "File `b.md`:\n# B"},
            ]},
        ])
    );
    assert_eq!(
        (&body["temperature"], &body["max_tokens"], &body["seed"]),
        (&json!(0.2), &json!(40), &json!(null))
    );
}

#[tokio::test]
async fn a_typed_answer_grows_by_field_and_item() {
    let (answered, server) = typed(
        vec![Reply::stream(
            &["{\"headline\":\"T", "ea\",\"poi", "nts\":[\"hot\",\"green\"]}"],
            "stop",
        )],
        0,
    )
    .await;
    assert_eq!(answered.result, Ok(summary()));
    let path = |steps: &[Step]| Path::from_slice(steps);
    let (headline, points) = (Step::Field(0), Step::Field(1));
    let text = |p: &[Step], s: &str| {
        [
            Growth::Append { path: path(p), text: s.into() },
            Growth::Set { path: path(p), value: t(s) },
        ]
    };
    let mut expected = Vec::new();
    expected.extend(text(&[headline], "Tea"));
    expected.extend(text(&[points, Step::Item(0)], "hot"));
    expected.extend(text(&[points, Step::Item(1)], "green"));
    expected.push(Growth::Set {
        path: path(&[points]),
        value: Value::list(vec![t("hot"), t("green")]),
    });
    assert_eq!(answered.grown, expected);
    let format = &server.asked(0).body["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["json_schema"]["name"], "app_distil");
    assert_eq!(format["json_schema"]["description"], "Distils.");
    assert_eq!(format["json_schema"]["strict"], true);
    assert_eq!(format["json_schema"]["schema"]["required"], json!(["headline", "points"]));
}

#[tokio::test]
async fn nothing_depends_on_how_the_bytes_were_cut() {
    let contents = [
        "<think>h",
        "m</think>",
        "```json\n{\"headline\":\"T\\ud83d",
        "\\ude00é\"",
        ",'points':[\"a\",",
        "\"b\"]}\n```",
    ];
    let whole = Reply::stream(&contents, "stop");
    let (expected, _) = typed(vec![whole.clone()], 0).await;
    assert_eq!(expected.result, Ok(Value::record([t("T😀é"), Value::list(vec![t("a"), t("b")])])));
    for cut in [1, 2, 3, 5, 7, 16, 61] {
        for end in ["\n", "\r\n", "\r"] {
            let body = String::from_utf8(whole.body.clone()).unwrap().replace('\n', end);
            let reply = Reply { cut, body: body.into_bytes(), ..whole.clone() };
            let (answered, _) = typed(vec![reply], 0).await;
            assert_eq!(answered.result, expected.result, "cut {cut}");
            assert_eq!(answered.grown, expected.grown, "cut {cut}");
            assert_eq!(answered.usage, expected.usage, "cut {cut}");
        }
    }
}

#[tokio::test]
async fn servers_without_schemas_get_a_tool_and_then_a_prompt_and_it_is_remembered() {
    let tool = |arguments: &str| json!({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]});
    let (prompts, server) = (
        prompts(),
        Server::start(vec![
            Reply::error(
                400,
                "'response_format' of type 'json_schema' is not supported by this model",
            ),
            Reply::deltas(
                [tool("{\"headline\":\"Tea\",\"po"), tool("ints\":[\"hot\",\"green\"]}")],
                "tool_calls",
            ),
            Reply::error(422, "tools are not supported"),
            Reply::stream(&["Here: ", SUMMARY, " Enjoy!"], "stop"),
            Reply::stream(&[SUMMARY], "stop"),
        ])
        .await,
    );
    let cx = connect(vec![binding(&server.url)]);
    let question = || Ask::user(prompts.summary, prompts.text, "Tea");
    assert_eq!(ask(&cx, &prompts, question()).await.result, Ok(summary()));
    let body = server.asked(1).body;
    assert_eq!(body["tool_choice"]["function"]["name"], "app_distil");
    assert_eq!(body["tools"][0]["function"]["parameters"]["type"], "object");
    assert!(body.get("response_format").is_none());
    // The next call begins where the last one ended.
    assert_eq!(ask(&cx, &prompts, question()).await.result, Ok(summary()));
    let body = server.asked(3).body;
    assert!(body.get("tools").is_none());
    let words = body["messages"][0]["content"].as_str().unwrap();
    assert!(words.contains("JSON Schema") && words.contains("\"headline\""), "{words}");
    assert_eq!(ask(&cx, &prompts, question()).await.result, Ok(summary()));
    assert_eq!(server.count(), 5);
}

#[tokio::test]
async fn other_habits_of_servers_are_learned() {
    let (prompts, server) = (
        prompts(),
        Server::start(vec![
            Reply::error(
                400,
                "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            ),
            Reply::error(400, "unknown field stream_options"),
            Reply::new(
                200,
                "application/json",
                json!({"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}],
                       "usage": {"prompt_tokens": 1, "completion_tokens": 2}})
                .to_string(),
            ),
        ])
        .await,
    );
    let cx = connect(vec![binding(&server.url)]);
    let mut question = Ask::user(prompts.text, prompts.text, "Hi");
    question.options = vec![("max_tokens", Value::Int(9))];
    let answered = ask(&cx, &prompts, question).await;
    assert_eq!(answered.result, Ok(t("whole")));
    assert_eq!((answered.usage.calls, answered.usage.output_tokens), (1, 2));
    let body = server.asked(2).body;
    assert_eq!((&body["max_completion_tokens"], body.get("max_tokens")), (&json!(9), None));
    assert!(body.get("stream_options").is_none());
}

#[tokio::test]
async fn a_wrong_answer_is_repaired_once_with_its_place() {
    let short = r#"{"headline":"Tea","points":["hot"]}"#;
    let (answered, server) =
        typed(vec![Reply::stream(&[short], "stop"), Reply::stream(&[SUMMARY], "stop")], 1).await;
    assert_eq!(answered.result, Ok(summary()));
    assert_eq!((answered.usage.calls, answered.usage.input_tokens), (2, 22));
    assert_eq!(answered.grown.iter().filter(|g| **g == Growth::Restart).count(), 1);
    let messages = server.asked(1).body["messages"].clone();
    assert_eq!(messages[1], json!({"role": "assistant", "content": short}));
    let words = messages[2]["content"].as_str().unwrap();
    assert!(words.contains("`/points`") && words.contains('2'), "{words}");

    let (answered, server) = typed(vec![Reply::stream(&[short], "stop")], 1).await;
    let Err(Failure::Invalid { path, .. }) = answered.result else { panic!() };
    assert_eq!((path.as_str(), server.count()), ("/points", 2));
    let (answered, server) =
        typed(vec![Reply::stream(&["I am not in the mood."], "stop")], 0).await;
    assert!(matches!(answered.result, Err(Failure::Invalid { .. })));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_text_that_is_too_long_is_repaired_too() {
    let (prompts, server) = (
        prompts(),
        Server::start(vec![
            Reply::stream(&["much too long"], "stop"),
            Reply::stream(&["ok"], "stop"),
        ])
        .await,
    );
    let mut question = Ask::user(prompts.short, prompts.text, "Hi");
    question.repair = 1;
    let answered = ask(&connect(vec![binding(&server.url)]), &prompts, question).await;
    assert_eq!(answered.result, Ok(t("ok")));
    assert_eq!(
        answered.grown,
        [Growth::text("much too long"), Growth::Restart, Growth::text("ok")]
    );
}

/// The words of a failure, which never hold the key.
fn told(answered: &Answered) -> String {
    let text = format!("{:?}", answered.result.as_ref().unwrap_err());
    assert!(!text.contains(KEY), "{text}");
    text
}

#[tokio::test]
async fn each_refusal_has_its_failure_and_its_words() {
    for (reply, kind, words) in [
        (
            Reply::error(401, &format!("Incorrect API key provided: {KEY}")),
            "Refused",
            "key in `TEA_KEY`",
        ),
        (Reply::error(403, &format!("not you, {KEY}")), "Refused", "not you, [key]"),
        (Reply::error(404, "model not found"), "Refused", "`tea-1`"),
        (
            Reply::error(400, "maximum context length is 8192 tokens"),
            "Refused",
            "maximum context length",
        ),
        (
            Reply::error(429, "slow down").header("retry-after", "7"),
            "Http { status: 429",
            "(wait 7 s): slow down",
        ),
        (Reply::error(429, "You exceeded your quota: insufficient_quota"), "Refused", "no credit"),
        (Reply::error(500, "oops"), "Http { status: 500", "oops"),
        (Reply::new(503, "text/html", "<h1>busy</h1>"), "Http { status: 503", "busy"),
        (
            Reply::error(307, "").header("location", "http://evil.example/"),
            "Refused",
            "redirects (307)",
        ),
        (Reply::stream(&["half of"], "length"), "Invalid", "cut off at the model's own limit"),
        (Reply::stream(&["no"], "content_filter"), "Refused", "filter"),
        (
            Reply::deltas([json!({"refusal": "I can't "}), json!({"refusal": "help."})], "stop"),
            "Refused",
            "I can't help.",
        ),
        (Reply::new(200, "text/event-stream", "data: {oops\n\n"), "Tool", "not JSON"),
        (
            Reply::new(
                200,
                "text/event-stream",
                event(&json!({"error": {"message": "overloaded", "code": 529}})),
            ),
            "Http { status: 529",
            "overloaded",
        ),
        (
            Reply::new(200, "text/event-stream", "event: error\ndata: {\"message\": \"gone\"}\n\n"),
            "Http { status: 500",
            "gone",
        ),
        (
            Reply::new(
                200,
                "text/event-stream",
                event(&json!({"choices": [{"delta": {"content": "ha"}}]})),
            ),
            "Http { status: 0",
            "broke off",
        ),
        (Reply { broken: true, ..Reply::stream(&["ha"; 9], "stop") }, "", ""),
    ] {
        let (answered, server) = plain(vec![reply.clone()]).await;
        if kind.is_empty() {
            // Everything had come before the connection was lost.
            assert_eq!(answered.result, Ok(t(&"ha".repeat(9))));
            continue;
        }
        let text = told(&answered);
        assert!(text.starts_with(kind) && text.contains(words), "{reply:?}\n{text}");
        assert_eq!(server.count(), 1, "{text}");
    }
}

#[tokio::test]
async fn a_lost_connection_and_a_slow_server_are_told_apart() {
    let mut broken = Reply::stream(&["half", " of it"], "stop");
    broken.body.truncate(120);
    broken.broken = true;
    let (answered, _) = plain(vec![broken]).await;
    assert!(told(&answered).starts_with("Http { status: 0"));
    assert_eq!(answered.grown, [Growth::text("half")]);

    let slow = Reply { delay: Duration::from_secs(20), ..Reply::stream(&["x"], "stop") };
    let idle = Reply {
        cut: 40,
        pause: Some((90, Duration::from_secs(20))),
        ..Reply::stream(&["x"; 9], "stop")
    };
    let mut alive = Reply::stream(&["x"], "stop");
    alive.body.splice(0..0, b": still working\n\n".repeat(3));
    alive.cut = 17;
    alive.pause = Some((60, Duration::from_secs(20)));
    for reply in [slow, idle, alive] {
        let started = std::time::Instant::now();
        let (answered, _) = plain(vec![reply]).await;
        assert_eq!(answered.result, Err(Failure::Timeout));
        assert!(started.elapsed() < Duration::from_secs(10));
    }
    let cx = connect(vec![binding("http://127.0.0.1:1/v1")]);
    let prompts = prompts();
    let answered = ask(&cx, &prompts, Ask::user(prompts.text, prompts.text, "Hi")).await;
    assert!(told(&answered).contains("`127.0.0.1:1` cannot be reached"));
}

#[tokio::test]
async fn a_provider_that_asks_to_wait_is_left_alone_until_then() {
    let (prompts, server) = (
        prompts(),
        Server::start(vec![
            Reply::error(429, "slow down").header("retry-after-ms", "400"),
            Reply::stream(&["ok"], "stop"),
        ])
        .await,
    );
    let cx = connect(vec![binding(&server.url)]);
    let question = || Ask::user(prompts.text, prompts.text, "Hi");
    assert!(ask(&cx, &prompts, question()).await.result.unwrap_err().is_retryable());
    let started = std::time::Instant::now();
    assert_eq!(ask(&cx, &prompts, question()).await.result, Ok(t("ok")));
    assert!(started.elapsed() >= Duration::from_millis(300), "{:?}", started.elapsed());

    let server =
        Server::start(vec![Reply::error(429, "tomorrow").header("retry-after", "90000")]).await;
    let cx = connect(vec![binding(&server.url)]);
    for _ in 0..2 {
        assert!(told(&ask(&cx, &prompts, question()).await).starts_with("Http { status: 429"));
    }
    assert_eq!(server.count(), 1, "the second call is not made");
}

#[tokio::test]
async fn another_model_stands_in_before_anything_was_shown() {
    let (prompts, down, up) = (
        prompts(),
        Server::start(vec![Reply::error(503, "down")]).await,
        Server::start(vec![Reply::stream(&["from the other"], "stop")]).await,
    );
    let cx = connect(vec![binding(&down.url), binding(&up.url)]);
    let question = || Ask::user(prompts.text, prompts.text, "Hi");
    let answered = ask(&cx, &prompts, question()).await;
    assert_eq!((answered.result, answered.usage.calls), (Ok(t("from the other")), 2));

    let mut half = Reply::stream(&["half", " of it"], "stop");
    half.body.truncate(120);
    let broken = Server::start(vec![half]).await;
    let cx = connect(vec![binding(&broken.url), binding(&up.url)]);
    assert!(told(&ask(&cx, &prompts, question()).await).starts_with("Http { status: 0"));
}

#[tokio::test]
async fn bindings_that_cannot_work_say_so() {
    let prompts = prompts();
    let question = || Ask::user(prompts.text, prompts.text, "Hi");
    let with = |change: fn(&mut ModelBinding)| {
        let mut binding = binding("http://127.0.0.1:1/v1");
        change(&mut binding);
        connect(vec![binding])
    };
    for (cx, words) in [
        (
            with(|b| b.key_env = Some("NO_KEY".into())),
            "`NO_KEY`, which should hold a key, is not set",
        ),
        (with(|b| b.base_url = Some("localhost".into())), "no URL of an API"),
        (with(|b| b.provider = "oracle".into()), "no model provider `oracle`"),
        (with(|b| b.structured = Some("xml".into())), "not `xml`"),
        (with(|b| (b.base_url, b.key_env) = (None, None)), "OpenAI wants a key"),
    ] {
        let text = told(&ask(&cx, &prompts, question()).await);
        assert!(text.contains(words), "{text}");
    }
    let unbound = Connections::new(Config::default());
    let answered = ask(&unbound, &prompts, question()).await;
    assert_eq!(answered.result, Err(Failure::Unbound { name: "fast".into() }));
}

#[tokio::test]
async fn echo_answers_everything_offline() {
    let prompts = prompts();
    let cx =
        Connections::new(Config { default_model: Some(ModelBinding::echo()), ..Config::default() });
    let answered =
        ask(&cx, &prompts, Ask::user(prompts.text, prompts.text, "Greet Ada warmly.")).await;
    let text = answered.result.unwrap();
    assert_eq!(text, t("[echo: no model is connected] Greet Ada warmly."));
    assert_eq!(answered.grown, [Growth::text(text.as_text().unwrap())]);
    assert_eq!((answered.usage.calls, answered.usage.input_tokens), (1, 3));

    let answered =
        ask(&cx, &prompts, Ask::user(prompts.summary, prompts.text, "Summarise the tea leaves"))
            .await;
    let value = answered.result.unwrap();
    prompts.table.check(prompts.summary, &value).unwrap();
    assert!(value.fields()[0].as_text().unwrap().contains("Summarise"));
    assert!(answered.grown.len() > 4 && !answered.grown.contains(&Growth::Restart));

    let mut question = Ask::user(prompts.text, prompts.text, "one two three");
    question.options = vec![("max_tokens", Value::Int(2))];
    let answered = ask(&cx, &prompts, question).await;
    assert!(told(&answered).contains("limit of 2 tokens"));
}
