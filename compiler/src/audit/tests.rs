//! What is read off a program.

use super::{Right, audit, trusted_fields};
use crate::labels::{Need, Receiver};
use crate::sources::MemorySources;
use crate::{Compilation, compile};

const PROGRAM: &str = r#"
model smart needs (tools: true)
secret shop_token

let lead = "support-lead"

record Order {
  id: trusted text
  note: text
}

extern refund(order: trusted text, amount: money) -> text
  does write payments
  needs approval
  with (auth: bearer(shop_token))
  from http "POST https://pay.example.com/refunds"
extern vouched(text: text) -> trusted text from process "vouch"

agent helper(q: text) -> text with (turns: 3, tokens: 1_000) {
  model smart
  user q
  tools [web.fetch with (max_calls: 2)]
}

fn chosen(repo: text) -> text {
  allow(repo, only: ["kait-lang/kait"])
}

graph close(order: Order, amount: money) -> text {
  refund(order.id, amount: amount) with (approve: lead, within: 2d, edit: [.amount])
}

pub graph support(order: Order, q: text) -> text {
  let repo = chosen(q)
  let checked = endorse(helper(q), because: "only shown")
  let id = allow(q, matching: r"[a-z]+")
  let sure: bool = ask("Refund ${q}?", to: "lead") with (within: 1d, fallback: false)
  if sure {
    "${close(order, amount: 5eur)} ${vouched(checked)} ${repo} ${id}"
  } else {
    "no"
  }
}

pub graph nothing(n: int) -> int {
  n + 1
}
"#;

fn compiled() -> Compilation {
    let compiled = compile(&MemorySources::single("t.kait", PROGRAM), &["t.kait"]);
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    compiled
}

#[test]
fn whoever_decides_is_found_through_calls() {
    let compiled = compiled();
    let name = |def: crate::hir::DefId| compiled.hir.defs[def.index()].name.as_str();
    let all = audit(&compiled);
    let [support, nothing] = all.as_slice() else { panic!("{all:#?}") };
    assert_eq!((name(support.def), name(nothing.def)), ("support", "nothing"));

    let [approval] = support.approvals.as_slice() else { panic!("{:#?}", support.approvals) };
    assert_eq!((name(approval.callee), name(approval.place.owner)), ("refund", "close"));
    let said = [&approval.by, &approval.within, &approval.edit].map(|text| text.as_deref());
    assert_eq!(said, [Some("support-lead"), Some("2d"), Some("[.amount]")]);

    let [question] = support.questions.as_slice() else { panic!("{:#?}", support.questions) };
    let said = [&question.to, &question.within, &question.fallback].map(|text| text.as_deref());
    assert_eq!((question.form, question.text.as_str()), ("ask", "\"Refund ${q}?\""));
    assert_eq!(said, [Some("lead"), Some("1d"), Some("false")]);

    let rights: Vec<_> =
        support.endorsements.iter().map(|one| (one.what.as_str(), one.right.clone())).collect();
    assert_eq!(
        rights,
        [
            ("vouched", Right::Extern),
            ("repo", Right::Only("[\"kait-lang/kait\"]".into())),
            ("refund", Right::Approval),
            ("helper(q)", Right::Because("only shown".into())),
            ("q", Right::Matching("[a-z]+".into())),
            ("\"Refund ${q}?\"", Right::Answer),
        ]
    );

    let [agent] = support.agents.as_slice() else { panic!("{:#?}", support.agents) };
    assert_eq!((name(agent.def), agent.role.map(name)), ("helper", Some("smart")));
    let [tool] = agent.tools.as_slice() else { panic!("{:#?}", agent.tools) };
    assert_eq!((tool.name.as_str(), tool.max_calls.as_deref()), ("web.fetch", Some("2")));

    let secrets: Vec<_> = support.secrets.iter().map(|one| name(one.secret)).collect();
    assert_eq!(secrets, ["shop_token"]);
    assert!(nothing.needs.is_empty() && nothing.endorsements.is_empty());

    let fields = trusted_fields(&compiled);
    let fields: Vec<_> = fields.iter().map(|f| (name(f.record), f.field.as_str())).collect();
    assert_eq!(fields, [("Order", "id")]);
}

#[test]
fn what_is_trusted_anyway_and_where_private_data_goes_is_said() {
    let text = r#"model fast

prompt brief(mails: [mail.Message], note: text) -> text {
  model fast
  user "${note} ${for m in mails { m.subject }}"
}

pub graph digest(to: text, note: text) -> none {
  let mails = mail.unread(since: 1d, limit: 3)
  let greeting = endorse("hello", because: "we wrote it")
  let noted = endorse(note, because: "it is read by hand")
  let page = endorse(web.fetch("https://example.com/").body, because: "ours")
  mail.send(to: to, subject: "${greeting}${noted}${page}", body: brief(mails, note: note))
}
"#;
    let compiled = compile(&MemorySources::single("t.kait", text), &["t.kait"]);
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    let all = audit(&compiled);
    let [digest] = all.as_slice() else { panic!("{all:#?}") };
    let needs: Vec<Need> = digest.endorsements.iter().map(|one| one.need).collect();
    assert_eq!(needs, [Need::Never, Need::FromCallers, Need::Always]);
    assert_eq!(digest.vouched, ["to"]);
    let name = |def: crate::hir::DefId| compiled.hir.defs[def.index()].name.as_str();
    let to: Vec<_> = digest.outflows.iter().map(|one| one.to).collect();
    let [Receiver::Leaf(leaf), Receiver::Model(model)] = to.as_slice() else { panic!("{to:?}") };
    assert_eq!((name(*model), name(*leaf)), ("brief", "send"));
}
