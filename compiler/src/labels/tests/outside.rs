//! What comes back in: messages to models, what the program sends itself, and names of sessions.

use super::{accepts, at, refuses};

const CHAT: &str = "prompt respond(history: [Message], last: text) -> text {\n  model fast\n  messages history\n  user last\n}\n\n";

#[track_caller]
fn messages(body: &str, code: &str) {
    let text = format!(
        "{CHAT}graph g(url: text, h: [Message]) -> text {{\n  {body}\n}}\n\ngraph one(c: text) -> [Message] {{\n  [User(c), System(c)]\n}}\n"
    );
    if code.is_empty() { accepts(&text) } else { drop(refuses(&text, code)) }
}

#[test]
fn instructions_among_messages_are_looked_at_where_they_are_made() {
    messages("respond([System(outside()), User(\"a\")], last: \"b\")", "K0601");
    messages("respond([System(content: \"be ${outside()}\")], last: \"b\")", "K0601");
    messages("respond([Message.System(content: say(outside()))], last: \"b\")", "K0601");
    messages("respond(one(outside()), last: \"b\")", "K0601");
    messages("let m = System(outside())\n  respond(list.append(h, [m]), last: \"b\")", "K0601");
    messages("let m = System(\"a\")\n  respond(list.append(h, [m]), last: \"b\")", "");
    messages(
        "respond([System(\"Be brief.\"), User(outside()), Assistant(say(url))], last: \"b\")",
        "",
    );
    messages("respond([ToolResult(call: \"a\", content: outside())], last: outside())", "");
    messages("respond([System(endorse(outside(), because: \"ours\"))], last: \"b\")", "");
    messages("respond([System(url)], last: \"b\")", "");
    // What stands in them was looked at.
    messages("match h {\n    [System(content: c), ..] => pay(c)\n    _ => \"\"\n  }", "");
    messages("match h {\n    [User(content: c), ..] => pay(c)\n    _ => \"\"\n  }", "");
    messages(
        "match one(url) {\n    [User(content: c), ..] => pay(\"${c}${outside()}\")\n    _ => \"\"\n  }",
        "K0601",
    );
}

#[test]
fn nobody_vouches_for_instructions_that_are_decoded() {
    messages("let m: [Message] = json.decode(outside())\n  respond(m, last: \"b\")", "K0603");
    messages("respond(json.decode(outside()), last: \"b\")", "K0603");
    messages("let m: Message = yaml.decode(file.read(url))\n  respond([m], last: \"b\")", "K0603");
    messages("respond(json.decode(url), last: \"b\")", "");
    messages("respond(json.decode(endorse(outside(), because: \"ours\")), last: \"b\")", "");
    let held = format!(
        "{CHAT}record Talk {{\n  about: text\n  said: [Message]\n}}\n\nfn read<T>(x: text) -> T {{\n  json.decode(x)\n}}\n\nprompt invent(x: text) -> [Message] {{\n  model fast\n  user x\n}}\n\ngraph kept(id: text) -> text {{\n  let talk: Talk = db.get(id, table: \"talks\") ?? fail \"none\"\n  respond(talk.said, last: \"b\")\n}}\n\ngraph g(url: text) -> text {{\n  VALUE\n}}\n"
    );
    let with = |value: &str| held.replace("VALUE", value);
    refuses(&with("let talk: Talk = read(outside())\n  respond(talk.said, last: \"\")"), "K0603");
    refuses(
        &with(
            "let j: json = json.decode(outside())\n  let talk: Talk = j\n  respond(talk.said, last: \"\")",
        ),
        "K0603",
    );
    accepts(&with("respond(invent(url), last: \"\")"));
    accepts(&with("respond(read(url), last: \"\")"));
    refuses(
        &held
            .replace("  user x\n", "  user \"${x}${file.read(\"a\")}\"\n")
            .replace("VALUE", "respond(invent(url), last: \"\")"),
        "K0603",
    );
}

#[test]
fn an_extern_says_whether_it_vouches_for_instructions() {
    let text = format!(
        "extern talk(id: text) -> WORD[Message] from process \"talk\"\n\n{CHAT}graph g(id: text) -> text {{\n  respond(talk(id), last: \"b\")\n}}\n"
    );
    let one = refuses(&text.replace("WORD", ""), "K0603");
    assert!(one.help.is_some_and(|help| help.contains("-> trusted [Message]")));
    accepts(&text.replace("WORD", "trusted "));
    let hook = "secret hook\n\nrecord Talk {\n  said: [Message]\n}\n\ntrigger t on http.webhook(\"/t\"SIGNED) as talk: Talk {\n  out.status(\"${list.length(talk.said)}\")\n}\n";
    refuses(&hook.replace("SIGNED", ""), "K0603");
    accepts(&hook.replace("SIGNED", ", signature: hook"));
}

#[test]
fn a_model_vouches_for_no_part_of_what_it_writes_for_a_tool() {
    let text = "record Order {\n  id: trusted text\n  note: text\n}\n\ngraph order(o: Order) -> text {\n  pay(o.id)\n}\n\ngraph tell(h: [Message]) -> text {\n  \"${list.length(h)}\"\n}\n\nagent clerk(q: text) -> text with (turns: 3, tokens: 1_000) {\n  model smart\n  user q\n  tools [TOOLS]\n}\n";
    let one = refuses(&text.replace("TOOLS", "web.search, order"), "K0601");
    assert!(one.message.contains("has parts that must be trusted"), "{}", one.message);
    refuses(&text.replace("TOOLS", "web.search, tell"), "K0601");
    accepts(&text.replace("TOOLS", "order, tell"));
    accepts(&text.replace("TOOLS", "web.search, order with (approve: \"lead\", within: 1h)"));
}

const ORDERS: &str = "record Order {\n  id: trusted text\n  note: text\n}\n\nrecord Copy {\n  id: text\n  note: text\n}\n\ntrigger ordered on event.on(\"ordered\") as order: Order {\n  out.status(pay(order.id))\n}\n\ngraph kept(id: text) -> text {\n  let order: Order = db.get(id, table: \"orders\") ?? fail \"none\"\n  pay(order.id)\n}\n\n";

#[track_caller]
fn sends(body: &str, code: &str) {
    let text = format!("{ORDERS}graph g(x: text, y: untrusted text) -> none {{\n  {body}\n}}\n");
    if code.is_empty() {
        accepts(&text);
    } else {
        let one = refuses(&text, code);
        let is_shown = one.labels.iter().any(|label| {
            let place = at(&text, label.span);
            place.starts_with("event.on(") || place.starts_with("db.")
        });
        assert!(is_shown || one.message.contains("`id` of `Order`"), "{one:#?}");
    }
}

#[test]
fn what_is_read_back_as_trusted_is_sent_as_that() {
    sends("event.emit(\"ordered\", data: Copy(id: y, note: y))", "K0601");
    sends("event.emit(\"ordered\", data: [\"id\": outside(), \"note\": \"\"])", "K0601");
    sends("event.emit(x, data: Copy(id: \"a\", note: y))", "K0601");
    sends("event.emit(\"ordered\", data: Order(id: y, note: y))", "K0601");
    sends("event.emit(\"ordered\", data: Order(id: x, note: y))", "");
    sends("event.emit(\"ordered\", data: Copy(id: x, note: \"a\"))", "");
    sends("event.emit(\"other\", data: Copy(id: y, note: y))", "");
    sends("event.emit(\"ordered\", data: endorse(Copy(id: y, note: y), because: \"ours\"))", "");
    let row = |table: &str, id: &str| {
        format!(
            "let n = db.upsert([Copy(id: {id}, note: y)], into: {table}, key: .id)\n  out.status(\"${{n}}\")"
        )
    };
    sends(&row("\"orders\"", "y"), "K0601");
    sends(&row("x", "y"), "K0601");
    sends(&row("\"copies\"", "y"), "");
    sends(&row("\"orders\"", "y").replace("Copy(id: y", "Order(id: x"), "");
    let sql =
        |sql: &str| format!("let n = db.execute(\"{sql}\", args: [y])\n  out.status(\"${{n}}\")");
    sends(&sql("insert into orders (id) values (?)"), "K0601");
    sends(&sql("INSERT OR IGNORE INTO main.Orders VALUES (?)"), "K0601");
    sends(&sql("insert into copies (id) values (?)"), "");
}

#[test]
fn a_statement_reads_the_tables_that_it_names() {
    let text = "record Order {\n  id: trusted text\n}\n\nrecord Copy {\n  id: text\n}\n\ngraph read() -> text {\n  let all: [Order] = db.query(\"select id from orders o join items i on i.o = o.id\")\n  pay((list.first(all) ?? fail \"none\").id)\n}\n\ngraph g(y: untrusted text) -> text {\n  let n = db.upsert([Copy(id: y)], into: \"TABLE\", key: .id)\n  \"${n}\"\n}\n";
    refuses(&text.replace("TABLE", "items"), "K0601");
    accepts(&text.replace("TABLE", "pages"));
}

#[test]
fn the_name_of_a_session_is_as_good_as_what_it_is_made_of() {
    let text = "session Visits {\n  count: int = 0\n}\n\ngraph visit(name: text) -> text in Visits with (by: name) {\n  VISIT\n}\n\ngraph inner() -> text in Visits {\n  pay(session.id)\n}\n\ngraph g(x: text) -> text {\n  visit(VALUE)\n}\n";
    let with = |visit: &str, value: &str| text.replace("VISIT", visit).replace("VALUE", value);
    accepts(&with("pay(session.id)", "x"));
    refuses(&with("pay(session.id)", "outside()"), "K0601");
    accepts(&with("session.id", "outside()"));
    refuses(&with("session.id", "x").replace("visit(x)", "pay(visit(outside()))"), "K0601");
    // The caller's session is the callee's.
    accepts(&with("inner()", "x"));
    refuses(&with("inner()", "outside()"), "K0601");
    let computed = with("inner()", "x").replace("visit(name: text)", "visit(name: untrusted text)");
    let one = refuses(&computed, "K0601");
    assert!(one.message.contains("the name of its session"), "{}", one.message);
    let trigger = with("\"\"", "x")
        + "\ntrigger t on file.changed(\"notes\") as change: file.Change with (by: change.path) {\n  out.status(inner())\n}\n";
    refuses(&trigger, "K0601");
    accepts(&trigger.replace("by: change.path", "by: \"all\""));
}

const SEND: &str = "graph send(body: text) -> none {\n  mail.send(to: \"ada@example.com\", subject: \"a\", body: body)\n}\n\ngraph seen(body: text) -> none {\n  mail.send(to: \"ada@example.com\", subject: \"a\", body: body) with (approve: \"lead\", within: 1h)\n}\n\nextern redact(x: private text) -> public text from process \"redact\"\n\nrecord Note {\n  title: public text\n  body: text\n}\n\ngraph show(x: public text) -> text {\n  x\n}\n\n";

/// What a strict profile refuses of a graph with this body: the places.
fn private_places(body: &str) -> Vec<String> {
    let text = format!("{SEND}graph g(x: text, own: private text) -> text {{\n  {body}\n}}\n");
    let compiled = super::compiled(&text);
    assert!(!compiled.has_errors(), "{text}\n{:#?}", compiled.diagnostics);
    let found = crate::labels::check_private(&compiled);
    assert!(found.iter().all(|one| one.code == "K0604"));
    let listed = crate::labels::labels(&compiled);
    let refused = listed.outflows().iter().filter(|one| one.is_refused_if_strict());
    // The audit says the same.
    assert_eq!(refused.count(), found.len(), "{found:#?}");
    found.iter().map(|one| at(&text, one.primary.span)).collect()
}

#[test]
fn a_strict_profile_refuses_what_is_private_and_leaves() {
    for (body, place) in [
        ("send(own)\n  x", "own"),
        ("send(\"a ${file.read(x)}\")\n  x", "\"a ${file.read(x)}\""),
        ("web.fetch(\"https://example.com/?q=${own}\").body", "\"https://example.com/?q=${own}\""),
        ("send(say(own))\n  x", "say(own)"),
        ("send(endorse(own, because: \"ours\"))\n  x", "endorse(own, because: \"ours\")"),
        ("show(own)", "own"),
        ("let y: public text = own\n  y", "own"),
        ("Note(title: own, body: x).title", "own"),
        ("process.run([\"cat\"], stdin: file.read(\"a\")).stdout", "file.read(\"a\")"),
        ("for m in mail.unread() { send(m.body) }\n  x", "m.body"),
    ] {
        assert_eq!(private_places(body), [place], "{body}");
    }
    for body in [
        "send(x)\n  own",
        "seen(own)\n  x",
        "say(own)",
        "send(redact(own))\n  x",
        "send(if own == x { \"a\" } else { \"b\" })\n  x",
        "send(if file.exists(x) { \"a\" } else { \"b\" })\n  x",
        "file.write(\"b\", content: own)\n  x",
        "Note(title: x, body: own).title",
        "send(Note(title: x, body: own).title)\n  x",
        "web.fetch(x).body",
    ] {
        assert_eq!(private_places(body), [""; 0], "{body}");
    }
}
