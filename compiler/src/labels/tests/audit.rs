//! What a program says about trust, as data.

use super::{at, compiled};
use crate::Compilation;
use crate::hir::DefId;
use crate::labels::{DefLabels, Labels, Need, Receiver, Trust, Vouching, labels};

fn audited(text: &str) -> (Compilation, Labels) {
    let compiled = compiled(text);
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    let labels = labels(&compiled);
    (compiled, labels)
}

fn def(compiled: &Compilation, name: &str) -> DefId {
    let index = compiled.hir.defs.iter().position(|def| def.name == name).expect("it is declared");
    DefId(u32::try_from(index).unwrap_or(0))
}

fn of<'l>(compiled: &Compilation, labels: &'l Labels, name: &str) -> &'l DefLabels {
    labels.of(def(compiled, name)).expect("it can be called")
}

#[test]
fn parameters_say_who_must_vouch_for_them() {
    let (compiled, labels) = audited(
        "record Order {\n  id: trusted text\n  note: text\n}\n\npub graph g(a: text, b: text, c: trusted bool, d: untrusted text, e: trusted text, f: Order) -> text {\n  let x = pay(a)\n  \"${x}${b}${c}${d}${e}${f.id}\"\n}\n\npub graph free(a: text, b: untrusted text, c: private text) -> text {\n  \"${a} ${c}\"\n}\n",
    );
    let g = of(&compiled, &labels, "g");
    let needed: Vec<bool> = g.params.iter().map(|param| param.must_be_trusted).collect();
    assert_eq!(needed, [true, false, false, false, true, false]);
    let declared: Vec<Option<Trust>> = g.params.iter().map(|param| param.declared).collect();
    let (yes, no) = (Some(Trust::Trusted), Some(Trust::Untrusted));
    assert_eq!(declared, [None, None, yes, no, yes, None]);
    assert!(g.params[5].has_trusted_fields && g.needs_vouching() && g.gives_untrusted);
    let free = of(&compiled, &labels, "free");
    assert!(!free.needs_vouching() && !free.gives_untrusted && free.gives_private);
    assert_eq!(free.depends_on, [0, 2]);
}

#[test]
fn every_endorsement_is_listed_with_its_place() {
    let text = "record Event {\n  number: trusted int\n  body: text\n}\n\nextern known(x: text) -> trusted text from process \"crm\"\n\ngraph g(x: text) -> text {\n  let a = endorse(outside(), because: \"it is ours\")\n  let b = endorse(\"a\", because: \"needless\")\n  let c = allow(x, only: [\"a\"])\n  let d: text = ask(\"Who?\", to: \"lead\") with (within: 1d, fallback: \"\")\n  let e: Event? = db.get(\"1\", table: \"events\")\n  mail.send(to: x, subject: d, body: b) with (approve: \"boss\", within: 1d)\n  \"${a}${c}${known(x)}${e}\"\n}\n\nsecret hook\n\ntrigger t on http.webhook(\"/t\", signature: hook) as event: Event {\n  out.status(event.body)\n}\n";
    let (compiled, labels) = audited(text);
    let found: Vec<(String, Vouching, Need)> = labels
        .endorsements()
        .iter()
        .map(|one| (at(text, one.span), one.how.clone(), one.need))
        .collect();
    let words = |text: &str| Some(text.into());
    let place = |part: &str| text[text.find(part).expect("it is there")..].to_owned();
    let expected = [
        ("endorse(outside()", Vouching::Endorse(words("it is ours")), Need::Always),
        ("endorse(\"a\"", Vouching::Endorse(words("needless")), Need::Never),
        ("allow(x", Vouching::Allow, Need::FromCallers),
        ("ask(", Vouching::Answer(words("lead")), Need::Always),
        ("db.get", Vouching::Fields(Some(def(&compiled, "get"))), Need::Always),
        ("mail.send", Vouching::Approval(words("boss")), Need::FromCallers),
        ("known(x)", Vouching::Extern(def(&compiled, "known")), Need::Always),
        ("Event {\n  out", Vouching::Fields(None), Need::Always),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((span, how, need), (part, wanted, wanted_need)) in found.iter().zip(&expected) {
        assert!(place(part).starts_with(span.as_str()), "{span} is not {part}");
        assert_eq!((how, need), (wanted, wanted_need));
    }
}

#[test]
fn what_is_private_is_followed_to_where_it_leaves() {
    let text = "graph tell(x: text) -> none {\n  mail.send(to: \"a@example.com\", subject: \"a\", body: x)\n}\n\ngraph g(x: private text, y: text) -> none {\n  let file = file.read(\"a\")\n  let same = endorse(file, because: \"it is ours\")\n  tell(same)\n  tell(y)\n  let z = say(\"${x}\")\n  let page = web.fetch(\"https://example.com/${list.length([y])}\")\n  let told = web.fetch(\"https://example.com/${z}\")\n  out.status(\"${page}${told}\")\n}\n".replace("let file =", "let kept =").replace("endorse(file,", "endorse(kept,");
    let (compiled, labels) = audited(&text);
    let found: Vec<(String, Receiver)> =
        labels.outflows().iter().map(|one| (at(&text, one.span), one.to)).collect();
    let leaf = |name: &str| Receiver::Leaf(def(&compiled, name));
    assert_eq!(
        found,
        [
            ("same".to_owned(), leaf("tell")),
            ("\"${x}\"".to_owned(), Receiver::Model(def(&compiled, "say"))),
            ("\"https://example.com/${z}\"".to_owned(), leaf("fetch")),
        ]
    );
}
