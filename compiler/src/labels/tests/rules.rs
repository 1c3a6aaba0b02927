//! The rules one by one.

use super::{accepts, at, refuses};

#[track_caller]
fn untrusted(value: &str) {
    refuses(&format!("graph g() -> text {{\n  pay({value})\n}}\n"), "K0601");
}

#[track_caller]
fn trusted(value: &str) {
    accepts(&format!("graph g() -> text {{\n  pay({value})\n}}\n"));
}

#[test]
fn a_result_has_the_labels_of_its_inputs() {
    trusted("\"a\"");
    trusted("text.upper(\"a\")");
    trusted("say(\"a\")");
    for value in [
        "outside()",
        "\"a ${outside()}\"",
        "text.upper(outside())",
        "text.replace(\"a\", old: \"a\", new: outside())",
        "say(outside())",
        "say(say(\"a ${outside()}\"))",
        "text.join([\"a\", outside()])",
        "[\"a\", outside()][0] ?? \"b\"",
        "[\"a\"][0] ?? outside()",
        "[\"a\": outside()][\"a\"] ?? \"b\"",
        "race { outside(), outside() }",
        "outside() |> text.trim",
        "json.encode([outside()])",
        "if clock.now() > clock.now() { \"a\" } else { outside() }",
        "(outside() catch { _ => \"a\" })",
        "say(\"a\") with (fallback: outside())",
        "for x in [outside()] { \"x\" } |> text.join(with: outside())",
    ] {
        let value = value.replace("text.trim", "text.trim()");
        untrusted(&value);
    }
}

#[test]
fn leaves_bring_in_what_nobody_vouches_for() {
    for value in [
        "file.read(\"a\")",
        "\"${mail.unread()}\"",
        "web.fetch(\"https://example.com\").url",
        "process.run([\"ls\"]).stdout",
        "git.diff()",
        "text.join(db.tables(), with: \",\")",
        "http.request(\"https://example.com\").body",
    ] {
        untrusted(value);
    }
    trusted("random.uuid()");
    trusted("clock.today()");
    trusted("git.commit(\"a\")");
    accepts(
        "graph g() -> none {\n  for m in mail.unread() max 50 {\n    mail.reply(m.id, body: say(m.body))\n  }\n  none\n}\n",
    );
}

#[test]
fn externs_are_what_their_kind_says() {
    let wasm = "extern p(x: text) -> text from wasm \"p.wasm#p\"\n";
    accepts(&format!("{wasm}graph g() -> text {{\n  pay(p(\"a\"))\n}}\n"));
    refuses(&format!("{wasm}graph g() -> text {{\n  pay(p(outside()))\n}}\n"), "K0601");
    let process = "extern p(x: text) -> text from process \"p\"\n";
    refuses(&format!("{process}graph g() -> text {{\n  pay(p(\"a\"))\n}}\n"), "K0601");
    // Whatever it says that it does, it is another program.
    let clock = "extern p(x: text) -> text does clock from process \"p\"\n";
    refuses(&format!("{clock}graph g() -> text {{\n  pay(p(\"a\"))\n}}\n"), "K0601");
    // Whoever declares it vouches for it.
    let vouched = "extern p(x: text) -> trusted text from process \"p\"\n";
    accepts(&format!("{vouched}graph g() -> text {{\n  pay(p(outside()))\n}}\n"));
    let takes = "extern p(x: trusted text) -> text from process \"p\"\n";
    refuses(&format!("{takes}graph g() -> text {{\n  p(outside())\n}}\n"), "K0601");
}

#[test]
fn choosing_is_free() {
    let head = "enum Kind {\n  Good\n  Bad\n}\n\nprompt kind(x: text) -> Kind {\n  model fast\n  user x\n}\n\nprompt level(x: text) -> int where (min: 1, max: 3) {\n  model fast\n  user x\n}\n\nprompt count(x: text) -> int {\n  model fast\n  user x\n}\n\n";
    let body = |body: &str| format!("{head}graph g() -> text {{\n  {body}\n}}\n");
    accepts(&body("pay(\"${kind(outside())}\")"));
    accepts(&body("pay(\"${level(outside())}\")"));
    refuses(&body("pay(\"${count(outside())}\")"), "K0601");
    accepts(&body("pay(\"${outside() == \"a\"}\")"));
    accepts(&body("pay(if outside() == \"a\" { \"a\" } else { \"b\" })"));
    accepts(&body("pay(match outside() { \"a\" => \"a\", _ => \"b\" })"));
    refuses(&body("pay(match outside() { \"a\" => \"a\", x => x })"), "K0601");
    accepts(&body("pay([\"a\", \"b\"][count(outside())] ?? \"c\")"));
    accepts(&body("pay([\"a\": \"b\"][outside()] ?? \"c\")"));
    accepts(&body("pay(list.first(list.take([\"a\"], count(outside()))) ?? \"c\")"));
    accepts(&body("pay(\"${list.length(text.lines(outside()))}\")"));
    refuses(&body("pay(list.first(list.take([outside()], 1)) ?? \"c\")"), "K0601");
    accepts(&body("pay(map.get([\"a\": \"b\"], key: outside()) ?? \"c\")"));
    accepts(&body("pay(text.join(for x in text.lines(outside()) { \"x\" }, with: \"\"))"));
    accepts(&body(
        "pay(if outside() in [\"a\"] and not (outside() is \"b\") { \"x\" } else { \"y\" })",
    ));
}

#[test]
fn declared_parameters_are_fixed_and_others_are_what_they_are_given() {
    refuses("graph g(x: untrusted text) -> text {\n  pay(x)\n}\n", "K0601");
    accepts("graph g(x: trusted text) -> text {\n  pay(x)\n}\n");
    accepts("graph g(x: text) -> text {\n  pay(x)\n}\ngraph h() -> text {\n  g(\"a\")\n}\n");
    let far = "graph g(x: text, y: text) -> text {\n  pay(x)\n  y\n}\ngraph h(a: text) -> text {\n  g(a, y: \"\")\n}\ngraph i() -> text {\n  h(outside())\n}\n";
    let one = refuses(far, "K0601");
    assert_eq!(at(far, one.primary.span), "outside()");
    accepts(&far.replace("pay(x)\n  y", "pay(y)\n  x"));
    // One that only says `untrusted` takes anything, and gives what it makes of it.
    let same = "graph same(x: untrusted text) -> text {\n  x\n}\n";
    refuses(&format!("{same}graph g() -> text {{\n  pay(same(\"a\"))\n}}\n"), "K0601");
}

#[test]
fn functions_are_polymorphic_in_labels() {
    let head = "fn second(a: text, b: text) -> text {\n  b\n}\nfn id<T>(x: T) -> T {\n  x\n}\n";
    let body = |body: &str| format!("{head}graph g() -> text {{\n  {body}\n}}\n");
    accepts(&body("pay(second(outside(), b: \"b\"))"));
    refuses(&body("pay(second(\"a\", b: outside()))"), "K0601");
    accepts(&body("pay(id(\"a\"))"));
    refuses(&body("pay(id(outside()))"), "K0601");
}

#[test]
fn recursion_reaches_its_fixpoint() {
    let text = "graph a(x: text, y: text, n: int) -> text with (depth: 5) {\n  if n > 3 { x } else { b(y, y: x, n: n + 1) }\n}\ngraph b(x: text, y: text, n: int) -> text with (depth: 5) {\n  a(x, y: y, n: n + 1)\n}\ngraph g() -> text {\n  pay(a(\"a\", y: VALUE, n: 0))\n}\n";
    accepts(&text.replace("VALUE", "\"b\""));
    refuses(&text.replace("VALUE", "outside()"), "K0601");
    let sink = "graph a(x: text, y: text, n: int) -> text with (depth: 5) {\n  if n > 3 { pay(x) } else { a(y, y: x, n: n + 1) }\n}\ngraph g() -> text {\n  a(\"a\", y: VALUE, n: 0)\n}\n";
    accepts(&sink.replace("VALUE", "\"b\""));
    refuses(&sink.replace("VALUE", "outside()"), "K0601");
}

#[test]
fn loops_hand_on_what_they_hand_on() {
    let text = "graph g() -> text {\n  let z = loop a = \"x\", b = \"y\", c = VALUE max 5 {\n    if a == \"y\" { done a } else { next(a: b, b: c) }\n  } else { \"e\" }\n  pay(z)\n}\n";
    accepts(&text.replace("VALUE", "\"b\""));
    refuses(&text.replace("VALUE", "outside()"), "K0601");
    let nested = "graph g() -> text {\n  let z = loop a = outside() max 5 {\n    let y = loop b = \"x\" max 2 {\n      if b == a { done b } else { next(b: \"z\") }\n    } else { \"w\" }\n    done y\n  } else { \"e\" }\n  pay(z)\n}\n";
    accepts(nested);
    refuses(&nested.replace("done b }", "done a }"), "K0601");
    refuses(&nested.replace("else { \"e\" }", "else { a }"), "K0601");
}

#[test]
fn fields_say_it_for_themselves() {
    let head = "record Order {\n  id: trusted text\n  note: untrusted text\n  size: text\n}\n\nenum Act {\n  Send(to: trusted text, what: text)\n  Drop\n}\n\ngraph made(x: text) -> Order {\n  Order(id: \"a\", note: x, size: \"s\")\n}\n\n";
    let body = |body: &str| format!("{head}graph g() -> text {{\n  {body}\n}}\n");
    accepts(&body("pay(made(outside()).id)"));
    accepts(&body("pay(made(outside()).size)"));
    refuses(&body("pay(made(\"a\").note)"), "K0601");
    refuses(&body("pay(\"${made(\"a\")}\")"), "K0601");
    refuses(&body("pay(json.encode(made(\"a\")))"), "K0601");
    refuses(&body("pay(Order(id: outside(), note: \"\", size: \"\").id)"), "K0601");
    accepts(&body("pay(Order(..made(\"a\"), size: outside()).id)"));
    refuses(&body("pay(Order(..made(\"a\"), size: outside()).size)"), "K0601");
    let matched = |value: &str, bound: &str| {
        body(&format!(
            "match {value} {{\n    Send(to: to, what: what) => pay({bound})\n    Drop => \"\"\n  }}"
        ))
    };
    accepts(&matched("Send(to: \"a\", what: outside())", "to"));
    refuses(&matched("Send(to: \"a\", what: outside())", "what"), "K0601");
    refuses(&matched("Send(to: outside(), what: \"a\")", "to"), "K0601");
}

#[test]
fn what_a_boundary_decodes_is_trusted_where_its_fields_say_so() {
    let head = "record Row {\n  owner: trusted text\n  note: text\n}\n\n";
    let row = |field: &str| {
        format!(
            "{head}graph g() -> text {{\n  let row: Row? = db.get(\"1\", table: \"rows\")\n  match row {{\n    none => \"\"\n    found => pay(found.{field})\n  }}\n}}\n"
        )
    };
    accepts(&row("owner"));
    refuses(&row("note"), "K0601");
    // A model and a decoder only repeat what they were given.
    refuses(
        &format!("{head}prompt read(x: untrusted text) -> Row {{\n  model fast\n  user x\n}}\n"),
        "K0603",
    );
    accepts(&format!("{head}prompt read(x: trusted text) -> Row {{\n  model fast\n  user x\n}}\n"));
    refuses(&format!("{head}graph g() -> Row {{\n  json.decode(outside())\n}}\n"), "K0603");
    accepts(&format!("{head}graph g(x: text) -> Row {{\n  json.decode(x)\n}}\n"));
}

#[test]
fn sessions_are_read_back_untrusted() {
    let head = "session Chat {\n  owner: trusted text = \"\"\n  last: text = \"\"\n}\n\n";
    let graph = |body: &str| format!("{head}graph g(x: text) -> text in Chat {{\n  {body}\n}}\n");
    accepts(&graph("pay(session.owner)"));
    accepts(&graph("pay(session.id)"));
    refuses(&graph("pay(session.last)"), "K0601");
    refuses(&graph("session.save(owner: outside())\n  x"), "K0601");
    accepts(&graph("session.save(owner: \"ada\", last: outside())\n  x"));
}

#[test]
fn events_are_untrusted() {
    let head = "record Event {\n  number: trusted int\n  body: text\n}\n\n";
    let trigger = |body: &str| {
        format!(
            "{head}secret hook\n\ntrigger t on http.webhook(\"/t\", signature: hook) as event: Event {{\n  {body}\n}}\n"
        )
    };
    accepts(&trigger("pay(\"${event.number}\")"));
    refuses(&trigger("pay(event.body)"), "K0601");
    refuses(
        "trigger t on mail.received() as mail: mail.Message {\n  pay(mail.sender)\n}\n",
        "K0601",
    );
    accepts(
        "trigger t on mail.received() as message: mail.Message {\n  mail.reply(message.id, body: \"thanks\")\n}\n",
    );
    accepts(
        "trigger t on schedule.every(1h) as tick: schedule.Tick {\n  pay(\"${tick.due}\")\n}\n",
    );
}

#[test]
fn nobody_vouches_for_what_is_sent_without_signature() {
    let head = "record Card {\n  number: trusted text\n}\nrecord Event {\n  cards: [Card] where (max: 3)\n  body: text\n}\nrecord Plain {\n  body: text\n}\n";
    let trigger = |source: &str, event: &str| {
        format!(
            "{head}secret hook\n\ntrigger t on http.webhook({source}) as event: {event} {{\n  out.status(\"it came\")\n}}\n"
        )
    };
    for event in ["Event", "Card", "Card?", "[Event] where (max: 2)", "trusted text"] {
        for source in ["\"/t\"", "\"/t\", signature: none"] {
            let text = trigger(source, event);
            let one = refuses(&text, "K0603");
            assert_eq!(at(&text, one.primary.span), format!("http.webhook({source})"));
            assert_eq!(one.fixes.len(), usize::from(!source.contains("none")), "{one:#?}");
        }
        accepts(&trigger("\"/t\", signature: hook", event));
    }
    accepts(&trigger("\"/t\"", "Plain"));
    let text = trigger("\"/t\"", "Event");
    let one = refuses(&text, "K0603");
    let mut mended = format!("{}{text}", super::HEAD);
    let mut edits = one.fixes[0].edits.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    for edit in edits {
        mended.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.insert);
    }
    accepts(mended.strip_prefix(super::HEAD).unwrap_or_default());
}

#[test]
fn failures_say_what_strangers_wrote() {
    refuses(
        "graph g() -> text {\n  outside() catch {\n    Http(body: body) => pay(body)\n  }\n}\n",
        "K0601",
    );
    let tried = |arms: &str| {
        format!("graph g() -> text {{\n  match try say(\"a\") {{\n    {arms}\n  }}\n}}\n")
    };
    accepts(&tried("Ok(x) => pay(x)\n    Failed(_) => \"\""));
    refuses(
        &tried("Ok(x) => x\n    Failed(Custom(message: why)) => pay(why)\n    Failed(_) => \"\""),
        "K0601",
    );
    accepts(
        "graph g() -> text {\n  let all = for x in [\"a\", \"b\"] { try say(x) }\n  pay(text.join(list.successes(all), with: \"\"))\n}\n",
    );
    refuses(
        "graph g() -> text {\n  let all = for x in [\"a\", \"b\"] { try say(x) }\n  pay(\"${list.failures(all)}\")\n}\n",
        "K0601",
    );
}

#[test]
fn endorsement_is_explicit() {
    accepts("graph g() -> text {\n  pay(endorse(outside(), because: \"it is ours\"))\n}\n");
    accepts("graph g() -> text {\n  pay(allow(outside(), only: [\"a\"]))\n}\n");
    accepts("graph g() -> text {\n  pay(allow(outside(), matching: r\"[a-z]+\"))\n}\n");
    refuses("graph g() -> text {\n  pay(allow(\"a\", only: [outside()]))\n}\n", "K0601");
    let ask = "graph g() -> text {\n  let to: text = ask(\"Who?\", to: ROLE, show: outside()) with (within: 1d, fallback: \"\")\n  pay(to)\n}\n";
    accepts(&ask.replace("ROLE", "\"lead\""));
    refuses(&ask.replace("ROLE", "outside()"), "K0601");
    // Who chooses has seen what is chosen, unless it was shown by a label.
    accepts(
        "graph g() -> none {\n  let some = choose(text.lines(outside()), max: 2) with (within: 1d, fallback: [])\n  for x in some {\n    pay(x)\n  }\n  none\n}\n",
    );
    let records = "record Row {\n  name: text\n  to: text\n}\ngraph g(rows: untrusted [Row]) -> none {\n  let some = choose(rows, label: .name, max: 2) with (within: 1d, fallback: [])\n  for row in some {\n    pay(row.to)\n  }\n  none\n}\n";
    refuses(records, "K0601");
    let mail = "graph g() -> none {\n  mail.send(to: outside(), subject: \"a\", body: \"b\") with (approve: ROLE, within: 1d)\n}\n";
    accepts(&mail.replace("ROLE", "\"lead\""));
    refuses(&mail.replace("ROLE", "outside()"), "K0601");
}

#[test]
fn names_and_results_keep_what_they_promise() {
    refuses("graph g() -> text {\n  let x: trusted text = outside()\n  x\n}\n", "K0603");
    refuses("graph g() -> trusted text {\n  outside()\n}\n", "K0603");
    refuses("graph g() -> trusted [text] {\n  [\"a\", outside()]\n}\n", "K0603");
    refuses("graph g() -> [trusted text] {\n  [\"a\", outside()]\n}\n", "K0603");
    accepts("graph g() -> trusted text {\n  \"a\"\n}\ngraph h() -> text {\n  pay(g())\n}\n");
    refuses(
        "graph g() -> untrusted text {\n  \"a\"\n}\ngraph h() -> text {\n  pay(g())\n}\n",
        "K0601",
    );
    refuses("graph g() -> text {\n  let x: untrusted text = \"a\"\n  pay(x)\n}\n", "K0601");
    refuses(
        "type Safe = trusted text\ngraph f(x: Safe) -> text {\n  x\n}\ngraph g() -> text {\n  f(outside())\n}\n",
        "K0601",
    );
    refuses(
        "graph g() -> text {\n  loop a: trusted text = \"a\" max 3 {\n    if a == \"b\" { done a } else { next(a: outside()) }\n  } else { \"\" }\n}\n",
        "K0603",
    );
}

#[test]
fn instructions_are_trusted() {
    let prompt = "prompt p(focus: text) -> text {\n  model fast\n  system \"Look for ${focus}.\"\n  user \"x\"\n}\n";
    accepts(&format!("{prompt}graph g() -> text {{\n  p(\"bugs\")\n}}\n"));
    refuses(&format!("{prompt}graph g() -> text {{\n  p(outside())\n}}\n"), "K0601");
    // A choice of the program's own words is no instruction from outside.
    accepts(
        "enum Focus {\n  Speed\n  Safety\n}\nprompt p(focus: untrusted Focus) -> text {\n  model fast\n  system \"Look for ${focus}.\"\n  user \"x\"\n}\n",
    );
}

#[test]
fn a_finding_shows_the_way_of_the_value() {
    let text = "graph g(url: text) -> none {\n  let page = web.fetch(url)\n  let who = say(page.body)\n  tell(who)\n}\ngraph tell(whom: text) -> none {\n  mail.send(to: whom, subject: \"a\", body: \"b\")\n}\n";
    let one = refuses(text, "K0601");
    assert_eq!(one.message, "`whom` of `tell` must be trusted, and this value is not");
    let own: Vec<(String, &str)> = one
        .labels
        .iter()
        .filter(|label| label.span.file.0 == 0)
        .map(|label| (at(text, label.span), label.text.as_str()))
        .collect();
    assert_eq!(
        own,
        [
            ("web.fetch(url)".to_owned(), "this comes from the network"),
            ("page".to_owned(), "it is kept as `page`"),
            (
                "say(page.body)".to_owned(),
                "a model reads it, so nobody vouches for what it answers"
            ),
            ("who".to_owned(), "it is kept as `who`"),
            ("whom".to_owned(), "`whom` is handed on to `to` of `mail.send`"),
        ]
    );
    assert!(one.labels.iter().any(|label| label.text == "`to` is declared `trusted`"));
    assert!(one.help.is_some_and(|help| help.contains("endorse") && help.contains("approve")));
}

#[test]
fn fixes_take_the_mistake_away() {
    let text = "graph g() -> none {\n  mail.send(to: outside(), subject: \"a\", body: \"b\")\n}\n";
    let one = refuses(text, "K0601");
    assert_eq!(one.fixes.len(), 2);
    for fix in &one.fixes {
        let mut mended = format!("{}{text}", super::HEAD);
        let mut edits = fix.edits.clone();
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
        for edit in edits {
            mended.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.insert);
        }
        accepts(mended.strip_prefix(super::HEAD).expect("only the end changed"));
    }
}

#[test]
fn what_is_broken_raises_nothing_here() {
    refuses("graph g() -> text {\n  pay(unheard_of(outside()))\n}\n", "K0201");
    refuses("graph g() -> text {\n  let x: int = outside()\n  pay(\"${outside()}\")\n}\n", "K0401");
}

#[test]
fn tests_are_held_to_the_same() {
    refuses("test \"a\" {\n  expect pay(outside()) == \"a\"\n}\n", "K0601");
    accepts(
        "test \"a\" {\n  stub outside() => \"a\"\n  stub say(x) => x\n  expect pay(\"a\") == \"a\"\n}\n",
    );
}

/// Decoding vouches for nothing, also where there is nothing else in a record than what is declared trusted, and where a
/// generic declaration does it for whoever calls it.
#[test]
fn what_is_decoded_is_not_vouched_for_by_its_type() {
    let head = "record Only {\n  line: trusted text\n}\n\nrecord Mixed {\n  line: trusted text\n  rest: text = \"\"\n}\n\n\
        graph read<X>() -> X {\n  json.decode(outside())\n}\n\nfn made<X>(from: text) -> X {\n  json.decode(from)\n}\n\n\
        fn through<X>(from: text) -> X {\n  made(from)\n}\n\nprompt told<X>(about: text) -> X {\n  model fast\n  user about\n}\n\n\
        fn first_of<X>(all: [X], otherwise: X) -> X {\n  list.first(all) ?? otherwise\n}\n\n";
    for (ty, value, line) in [
        ("Only", "json.decode(outside())", "x.line"),
        ("[Only]", "json.decode(outside())", "(list.first(x) ?? Only(line: \"a\")).line"),
        ("Only?", "json.decode(outside())", "x?.line ?? \"a\""),
        ("Only", "read()", "x.line"),
        ("Mixed", "read()", "x.line"),
        ("Mixed", "made(outside())", "x.line"),
        ("Only", "through(outside())", "x.line"),
        ("Mixed", "told(outside())", "x.line"),
    ] {
        let text = |value: &str| {
            format!("{head}graph g() -> text {{\n  let x: {ty} = {value}\n  pay({line})\n}}\n")
        };
        refuses(&text(value), "K0603");
        if value.contains("outside()") {
            accepts(&text(&value.replace("outside()", "\"{}\"")));
        }
    }
    accepts(&format!(
        "{head}graph g() -> text {{\n  let all = [Mixed(line: \"a\", rest: outside())]\n  \
         pay(first_of(all, otherwise: Mixed(line: \"b\")).line)\n}}\n"
    ));
}

#[test]
fn instructions_that_are_data_belong_into_a_user_line() {
    let program = |callee: &str| {
        format!(
            "prompt act(task: text) -> text {{\n  model fast\n  system task\n  user \"go on\"\n}}\n\ngraph over(task: text) -> text {{\n  act(task)\n}}\n\ngraph g() -> text {{\n  {callee}(outside())\n}}\n"
        )
    };
    let help = |text: &str| refuses(text, "K0601").help.unwrap_or_default();
    let direct = help(&program("act"));
    assert!(direct.starts_with("put it into a `user` line of `act`"), "{direct}");
    assert!(!direct.contains("approve"), "{direct}");
    assert!(!help(&program("over")).contains("`user` line of `over`"));
}
