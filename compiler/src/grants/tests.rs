//! What graphs need, and what a profile lacks.

use super::{Missing, Need, Part, Profile, Verdict, check, needs, roots};
use crate::diagnostics::render::terminal::{self, Style};
use crate::sources::MemorySources;
use crate::{Compilation, compile};

fn compiled(text: &str) -> Compilation {
    let compiled = compile(&MemorySources::single("t.kait", text), &["t.kait"]);
    assert!(!compiled.has_errors(), "{:#?}\n{text}", compiled.diagnostics);
    compiled
}

fn say(need: Need<'_>) -> String {
    let part = |part: &Part| match part {
        Part::Whole => String::new(),
        Part::Unknown => " ?".into(),
        Part::Known(text) => format!(" {text}"),
    };
    match need {
        Need::Resource { write, resource, part: of } => {
            format!("{} {resource}{}", if write { "write" } else { "read" }, part(of))
        }
        Need::Model(role) => format!("model {}", role.unwrap_or("?")),
        Need::Human(who) => format!("human {}", who.unwrap_or("?")),
        Need::Clock => "clock".into(),
        Need::Random => "random".into(),
        Need::Emit => "emit".into(),
    }
}

/// The needs of each root, in words.
fn all(text: &str) -> Vec<String> {
    let compiled = compiled(text);
    let mut needs = needs(&compiled);
    let roots = roots(&compiled);
    roots
        .into_iter()
        .map(|root| {
            let found: Vec<String> =
                needs.of(root).iter().map(|needed| needs.say(&needed.what, say)).collect();
            format!("{}: {}", compiled.hir.defs[root.index()].name, found.join(", "))
        })
        .collect()
}

/// Grants all but what one of its words begins.
struct Lacks(&'static [&'static str]);

impl Profile for Lacks {
    fn verdict(&self, need: Need<'_>) -> Verdict {
        let effect = say(need);
        match self.0.iter().any(|lacked| effect.starts_with(lacked)) {
            false => Verdict::Granted,
            true => Verdict::Missing(Missing {
                advice: format!("allow {effect}"),
                effect,
                files: vec!["kait.toml".into()],
            }),
        }
    }
}

fn shown(text: &str, lacks: &'static [&'static str]) -> String {
    let compiled = compiled(text);
    let found = check(&compiled, &Lacks(lacks));
    terminal::render(&found, &compiled.files, Style::default())
}

#[test]
fn what_the_text_says_of_a_part_is_known() {
    let text = r#"
let base = "https://api.example.com"

graph one(path: text, id: int) -> none {
  let fixed = "notes/a.md"
  let a = file.read(fixed)
  let b = file.read(path)
  let c = web.fetch("https://a.example/x")
  let d = web.fetch("${base}/items/${id}")
  let e = web.fetch("https://b.example:8443/${path}")
  let f = web.fetch("https://c.example.${path}/x")
  let g = web.fetch(path)
  let h = "d.txt" |> file.read()
  let i = file.list(dir: "docs")
  file.write("out/a.md", "${a}${b}${c.body}${d.body}${e.body}${f.body}${g.body}${h}${i}")
  let j = process.run(["git", path])
  out.status("${j.status}")
}
"#;
    assert_eq!(
        all(text),
        ["one: read file notes/a.md, read file ?, read net https://a.example/x, \
          read net https://api.example.com/, read net https://b.example:8443/, read net ?, read file d.txt, \
          read file docs, write file out/a.md, write process git, emit"]
    );
}

#[test]
fn roles_are_those_that_answer() {
    let text = r#"
model fast
model smart

prompt say(x: text) -> text {
  model fast
  user x
}

pub graph own(x: text) -> text {
  say(x)
}

pub graph other(x: text) -> text {
  say(x) with (model: smart)
}

pub graph both(x: text) -> text {
  other(own(x))
}

graph hidden() -> time {
  clock.now()
}
"#;
    assert_eq!(
        all(text),
        ["own: model fast", "other: model smart", "both: model fast, model smart"]
    );
}

#[test]
fn people_tools_and_externs_are_needs() {
    let text = r#"
model smart needs (tools: true)

extern refund(order: text) -> text does write payments needs approval from http "POST https://pay.example.com/refunds"
extern lookup(order: text) -> text from http "GET https://pay.example.com/orders"

agent helper(q: text) -> text with (turns: 3, tokens: 1_000) {
  model smart
  user q
  tools [web.fetch, lookup]
}

pub graph support(q: text, who: text) -> text {
  let answer = helper(q)
  let sure: bool = ask("Sure?", to: "lead") with (within: 1d, fallback: false)
  if sure {
    refund(answer) with (approve: "support-lead", within: 2d)
  } else {
    "no"
  }
}

trigger daily on schedule.every(1d) {
  out.status(random.uuid())
}
"#;
    assert_eq!(
        all(text),
        [
            "support: human lead, human support-lead, write payments, write net https://pay.example.com/, \
             model smart, read net ?, read net.pay.example.com",
            "daily: random, emit",
        ]
    );
}

#[test]
fn of_an_extern_what_it_reaches_is_needed_beside_what_it_says() {
    let text = r#"
extern search(q: text) -> json does read index from http "POST https://api.example.com:8443/search"
extern html(s: text) -> text from process "pandoc --to html"
extern count(s: text) -> text does read words from process "wc -w"
extern soft(s: text) -> text from wasm "a.wasm#soft"

pub graph all(q: text) -> text {
  soft(html(count(json.encode(search(q)))))
}
"#;
    assert_eq!(
        all(text),
        ["all: read index, read net https://api.example.com:8443/, read words, write process wc, \
          write process pandoc"]
    );
}

#[test]
fn what_is_missing_shows_each_step_of_the_way() {
    let text = "\
graph deeper(body: text) -> none {
  mail.send(\"boss@example.com\", subject: \"digest\", body: body)
}

graph helper(body: text) -> none {
  deeper(body)
}

pub graph digest(body: text) -> none {
  helper(body)
}

pub graph again(body: text) -> none {
  helper(body)
}
";
    assert_eq!(shown(text, &["read"]), "");
    let found = shown(text, &["write mail"]);
    assert_eq!(
        found,
        "\
error K0510: `digest` needs `write mail`, which kait.toml does not grant
   t.kait:2:3
  2 │   mail.send(\"boss@example.com\", subject: \"digest\", body: body)
    │   ──────────────────────────────────────────────────────────── `mail.send` writes `mail`
    │
  6 │   deeper(body)
    │   ──────────── `helper` calls `deeper` here
    │
  9 │ pub graph digest(body: text) -> none {
    │           ────── this is what is run
 10 │   helper(body)
    │   ──────────── `digest` calls `helper` here
   = note: `again` needs it, too
   = help: allow write mail under [grants] in kait.toml, or do without it
   = more: kait explain K0510
"
    );
}

#[test]
fn of_an_extern_its_call_and_its_declaration_are_shown() {
    let text = "\
extern pay(order: text) -> text does write payments from http \"POST https://pay.example.com/x\"

pub graph order(id: text) -> text {
  pay(id)
}
";
    let found = shown(text, &["write payments"]);
    assert!(found.contains("t.kait:4:3") && found.contains("`pay` writes `payments`"), "{found}");
    assert!(found.contains("────── declared here"), "{found}");
}

#[test]
fn a_long_way_is_shown_from_both_ends() {
    let mut text = String::from("graph g0() -> none {\n  out.status(\"x\")\n}\n");
    for n in 1..40 {
        text.push_str(&format!("graph g{n}() -> none {{\n  g{}()\n}}\n", n - 1));
    }
    text.push_str("pub graph top() -> none {\n  g39()\n}\n");
    let found = shown(&text, &["emit"]);
    for part in [
        "`top` calls `g39` here",
        "`g1` calls `g0` here",
        "`out.status` shows something",
        "8 more calls",
    ] {
        assert!(found.contains(part), "{part}:\n{found}");
    }
    assert!(!found.contains("`g20` calls"), "{found}");
}

#[test]
fn a_thing_that_is_missing_at_two_places_of_one_graph_is_said_once() {
    let text = "\
pub graph two() -> none {
  file.write(\"a\", \"x\")
  file.write(\"a\", \"y\")
  file.write(\"b\", \"x\")
}
";
    let found = shown(text, &["write"]);
    assert_eq!(found.matches("K0510: ").count(), 2, "{found}");
    assert!(found.contains("`write file a`") && found.contains("`write file b`"), "{found}");
}
