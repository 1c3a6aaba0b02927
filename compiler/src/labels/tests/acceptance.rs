//! What the pass is for: agents, and the programs that everything is measured by.

use std::path::Path;

use super::{accepts, at, compiled, refuses};
use crate::sources::MemorySources;
use crate::{Compilation, compile};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/programs")
}

fn program(name: &str, change: impl Fn(String) -> String) -> Compilation {
    with_lock(name, change, |lock| lock)
}

fn with_lock(
    name: &str,
    change: impl Fn(String) -> String,
    lock: impl Fn(String) -> String,
) -> Compilation {
    let read = |name: &str| std::fs::read_to_string(folder().join(name)).expect("it is there");
    let mut sources = MemorySources::single("main.kait", change(read(name)));
    sources.insert("kait.lock", lock(read("kait.lock")));
    compile(&sources, &["main.kait"])
}

#[test]
fn all_programs_check_without_findings() {
    let mut count = 0;
    for entry in std::fs::read_dir(folder()).expect("it is there") {
        let name = entry.expect("it is there").file_name().to_string_lossy().into_owned();
        if name.ends_with(".kait") {
            count += 1;
            let found = program(&name, |text| text).diagnostics;
            assert!(found.is_empty(), "{name}: {found:#?}");
        }
    }
    assert_eq!(count, 14);
}

#[test]
fn a_reply_that_nobody_approves_is_refused() {
    let unapproved = |text: String| {
        let changed = text.replace(" with (approve: \"maintainer\", within: 1d)", "");
        assert_ne!(changed, text);
        changed
    };
    let found = program("10_triage.kait", unapproved).diagnostics;
    assert_eq!(found.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["K0601"]);
    assert_eq!(
        found[0].message,
        "`body` of `github.add_comment` must be trusted, and this value is not"
    );
}

/// Whoever keeps the lock says which texts of a tool anybody may have written.
#[test]
fn what_the_lock_calls_data_needs_nobody() {
    let unapproved = |text: String| text.replace(" with (approve: \"maintainer\", within: 1d)", "");
    let data = |lock: String| {
        let changed = lock.replace(
            "[mcp.github.tools.add_comment]\n",
            "[mcp.github.tools.add_comment]\ndata = [\"body\"]\n",
        );
        assert_ne!(changed, lock);
        changed
    };
    let found = with_lock("10_triage.kait", unapproved, data).diagnostics;
    assert!(found.is_empty(), "{found:#?}");
    // The repository is no data: it says where.
    let anywhere = |text: String| {
        let changed = unapproved(text).replace("repo: repo, body", "repo: event.repo, body");
        assert!(changed.contains("repo: event.repo"));
        changed
    };
    let found = with_lock("10_triage.kait", anywhere, data).diagnostics;
    assert_eq!(found.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["K0601"]);
    assert!(found[0].message.starts_with("`repo` of `github.add_comment`"));
}

#[test]
fn what_must_be_approved_and_is_not_is_said_once() {
    let unapproved = |text: String| {
        let start = text.find(" with (\n    key:").expect("it is there");
        let end = text[start..].find("\n  )").expect("it is there") + start + 4;
        format!("{}{}", &text[..start], &text[end..])
    };
    let found = program("08_refund.kait", unapproved).diagnostics;
    assert_eq!(found.iter().map(|one| one.code.as_str()).collect::<Vec<_>>(), ["K0501"]);
}

#[test]
fn a_mail_to_whoever_a_page_names_is_refused() {
    let text = "record Page {\n  author: text\n}\n\nprompt read(body: text) -> Page {\n  model fast\n  user body\n}\n\ngraph g(url: text) -> none {\n  let page = read(web.fetch(url).body)\n  mail.send(to: page.author, subject: \"a\", body: \"b\")\n}\n";
    let one = refuses(text, "K0601");
    assert_eq!(at(text, one.primary.span), "page.author");
}

const SENDER: &str = "graph send(to: text, body: text) -> none {\n  let known = allow(to, only: [\"ada@example.com\"])\n  mail.send(to: known, subject: \"a\", body: body)\n}\n\n";

fn agent(tools: &str) -> String {
    format!(
        "{SENDER}agent clerk(q: text) -> text with (turns: 3, tokens: 1_000) {{\n  model smart\n  user q\n  tools [{tools}]\n}}\n"
    )
}

#[test]
fn an_agent_with_all_three_is_refused() {
    let text = agent("file.read, web.search, send");
    let one = refuses(&text, "K0605");
    let labels: Vec<(String, &str)> =
        one.labels.iter().map(|label| (at(&text, label.span), label.text.as_str())).collect();
    assert_eq!(
        labels,
        [
            ("file.read".to_owned(), "it gives what is private: it reads `file`"),
            (
                "web.search".to_owned(),
                "it brings in what strangers may have written: it comes from the network, and it sends out what the model asks for"
            ),
            ("send".to_owned(), "it sends what the model writes out, by `mail.send`"),
        ]
    );
}

#[test]
fn any_two_of_the_three_are_accepted_and_so_is_approval() {
    accepts(&agent("file.read, send with (approve: \"lead\", within: 1h)"));
    accepts(&agent("web.search"));
    accepts(&agent("web.search, web.fetch"));
    accepts(&agent("web.search, send"));
    accepts(&agent("file.read, file.list"));
    let approval = "with (approve: \"lead\", within: 1h)";
    accepts(&agent(&format!("file.read, web.search {approval}, send {approval}")));
    // That there is a file carries nothing of it.
    accepts(&agent("file.exists, web.search, send"));
    // A page's address can carry what is private.
    refuses(&agent("file.read, web.fetch"), "K0605");
    // What a tool sends by itself, with nothing that the model wrote, tells nobody anything.
    accepts(
        "graph ping() -> text {\n  web.fetch(\"https://example.com\").body\n}\nagent clerk(q: text) -> text with (turns: 3, tokens: 1_000) {\n  model smart\n  user q\n  tools [file.read, ping]\n}\n",
    );
}

#[test]
fn approval_inside_a_tool_counts() {
    let text = agent("file.read, send").replace(
        "subject: \"a\", body: body)",
        "subject: \"a\", body: body) with (approve: \"lead\", within: 1h)",
    );
    accepts(&text);
    refuses(&agent("file.read, send"), "K0605");
}

/// An agent with a question and these tools; `more` stands behind the question in its prompt.
fn asked(ty: &str, more: &str, tools: &str) -> String {
    format!(
        "{SENDER}agent clerk(q: {ty}) -> text with (turns: 3, tokens: 1_000) {{\n  model smart\n  user \"${{q}}{more}\"\n  tools [{tools}]\n}}\n"
    )
}

#[test]
fn what_an_agent_is_asked_with_counts_like_what_its_tools_give() {
    let one = refuses(&asked("private text", "", "web.search"), "K0605");
    let text = asked("private text", "", "web.search");
    assert_eq!(at(&text, one.labels[0].span), "private text");
    let own = refuses(&asked("text", "${file.read(\"a\")}", "web.search"), "K0605");
    assert!(own.labels.iter().any(|label| label.text.contains("this comes from a file")));
    // It is private and nobody vouches for it, so a sender is enough.
    refuses(&asked("text", "${file.read(\"a\")}", "send"), "K0605");
    let approved = "web.search with (approve: \"lead\", within: 1h)";
    accepts(&asked("private text", "", approved));
    accepts(&asked("untrusted text", "", "web.search"));
    accepts(&asked("private text", "", "send"));
    accepts(&asked("text", "${file.exists(\"a\")}", "web.search"));
}

#[test]
fn who_gives_an_agent_what_is_private_is_shown() {
    let agent = asked("text", "", "web.search, send");
    let call = |body: &str| {
        format!(
            "{agent}graph mid(x: text, y: text) -> text {{\n  \"${{y}}${{clerk(\"a ${{x}}\")}}\"\n}}\n\npub graph top(own: private text, p: text) -> text {{\n  {body}\n}}\n"
        )
    };
    for (given, place) in [
        ("mid(file.read(\"a\"), y: p)", "file.read(\"a\")"),
        ("mid(own, y: p)", "own"),
        ("clerk(\"b ${own}\")", "\"b ${own}\""),
        ("mid(clerk(p), y: mid(say(own), y: p))", "say(own)"),
    ] {
        let text = call(given);
        let one = refuses(&text, "K0605");
        assert_eq!(at(&text, one.primary.span), place);
        let named = one.labels.iter().any(|label| at(&text, label.span) == "clerk");
        assert!(named, "{one:#?}");
        let help = one.help.expect("it says what to do");
        assert!(help.starts_with("`web.search` and `send` still send"), "{help}");
    }
    accepts(&call("mid(p, y: own)"));
    accepts(&call("mid(outside(), y: file.read(\"a\"))"));
    accepts(&call("clerk(\"${own == p}\")"));
    let trigger = format!(
        "{agent}trigger t on mail.received() as m: mail.Message {{\n  out.status(clerk(m.body))\n}}\n"
    );
    refuses(&trigger, "K0605");
}

/// The other way round: it has the private data, and is given what strangers wrote.
#[test]
fn who_gives_an_agent_what_nobody_vouches_for_is_shown() {
    let text = format!(
        "extern salary(name: text) -> private trusted text from wasm \"hr.wasm#salary\"\n{}graph ok(x: text) -> text {{\n  clerk(x)\n}}\n\ngraph top(p: text) -> text {{\n  ok(VALUE)\n}}\n",
        asked("text", "", "salary, send")
    );
    accepts(&text.replace("VALUE", "p"));
    accepts(&text.replace("VALUE", "salary(p)"));
    accepts(&text.replace("VALUE", "endorse(outside(), because: \"ours\")"));
    let given = text.replace("VALUE", "outside()");
    let one = refuses(&given, "K0605");
    assert_eq!(at(&given, one.primary.span), "outside()");
}

#[test]
fn graphs_that_call_each_other_hand_on_to_an_agent() {
    let text = format!(
        "{}graph even(q: text, n: int) -> text with (depth: 4) {{\n  if n == 0 {{ clerk(q) }} else {{ odd(q, n: n - 1) }}\n}}\n\ngraph odd(q: text, n: int) -> text with (depth: 4) {{\n  even(q, n: n - 1)\n}}\n\ngraph top(q: text) -> text {{\n  odd(VALUE, n: 2)\n}}\n",
        asked("text", "", "web.search")
    );
    accepts(&text.replace("VALUE", "q"));
    refuses(&text.replace("VALUE", "\"${mail.unread()}\""), "K0605");
}

/// A tool that asks another agent sends what that one sends.
#[test]
fn agents_hand_on_what_they_have_read() {
    let text = |tools: &str| {
        format!(
            "{}agent chief(task: text) -> text with (turns: 3, tokens: 1_000) {{\n  model smart\n  user task\n  tools [{tools}]\n}}\n\ngraph top(own: private text) -> text {{\n  VALUE\n}}\n",
            asked("text", "", "web.search")
        )
    };
    refuses(&text("file.read, clerk").replace("VALUE", "\"\""), "K0605");
    accepts(&text("clerk").replace("VALUE", "chief(\"x\")"));
    refuses(&text("clerk").replace("VALUE", "chief(own)"), "K0605");
}

#[test]
fn what_a_declaration_calls_private_is() {
    let text = "extern salary(name: text) -> private text from wasm \"hr.wasm#salary\"\nagent clerk(q: text) -> text with (turns: 3, tokens: 1_000) {\n  model smart\n  user q\n  tools [salary, web.search]\n}\n";
    let one = refuses(text, "K0605");
    assert!(one.labels.iter().any(|label| label.text.contains("declared `private`")));
}

#[test]
fn a_model_that_has_read_anything_writes_for_no_trusted_parameter() {
    let text = "graph send(to: text, body: text) -> none {\n  mail.send(to: to, subject: \"a\", body: body)\n}\n\nagent clerk(q: text) -> text with (turns: 3, tokens: 1_000) {\n  model smart\n  user q\n  tools [TOOLS]\n}\n";
    let one = refuses(&text.replace("TOOLS", "web.search, send"), "K0601");
    assert!(one.labels.iter().any(|label| label.text.contains("comes from the network")));
    accepts(&text.replace("TOOLS", "web.search, send with (approve: \"lead\", within: 1h)"));
    // Without it, it depends on who asks.
    let only = text.replace("TOOLS", "send");
    accepts(&format!("{only}graph g() -> text {{\n  clerk(\"a\")\n}}\n"));
    refuses(&format!("{only}graph g() -> text {{\n  clerk(outside())\n}}\n"), "K0601");
}

#[test]
fn nothing_is_looked_at_where_nothing_is_trusted() {
    let compiled = compiled("graph g() -> text {\n  say(outside())\n}\n");
    assert!(!compiled.has_errors());
}
