//! Agents that can be talked into sending out what is private.
//!
//! A model does what it reads. One that has read private data, and what strangers wrote, and can send something out, does
//! for the strangers what they could not do themselves. Any two of the three are harmless; so are all three where a person
//! sees what goes out.
//!
//! *Private* is what comes from the profile's files, mails, databases, repositories and sessions, or is declared `private`:
//! whether a tool gives it, or it stands in the prompt. *Untrusted* is what nobody vouches for, from a tool or in the
//! prompt. What stands in the prompt may come from parameters, so an agent may be harmless by itself and not with what a
//! caller gives it; then the call is refused. *Outward* goes whatever a tool is called with that ends as an argument of a
//! leaf that sends: over the network, to a server of tools, another program, a mail or a chat. A tool whose parameters only
//! choose sends nothing that the model wrote.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use super::explain::{shown, source_of};
use super::flow::{Cx, Flow, Target, context, gives_marked, policy};
use super::infer::{Found, infer};
use super::label::Label;
use super::leaves;
use super::types::Axis;
use crate::check::ty::Ty;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::effects::walk;
use crate::hir::{Callable, CallableKind, Callee, DefId, DefKind, Expr, ExprId, PromptItem, Tool};

/// An agent that is refused, or a call that makes it one, and why.
pub(super) struct Refused {
    /// In which declaration: the agent, or whoever gives it what completes the three.
    pub owner: DefId,
    pub finding: Diagnostic,
}

/// Most agents that one declaration hands its parameters on to and that are told apart. Beyond, all of them count as the
/// last one, which refuses more, never less.
const MAX_LEAKS: usize = 32;

/// What an agent would need to send out what is private, in the parameters of whoever calls it, or who calls that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leak {
    agent: DefId,
    /// What is private of what it has read (on the axis of secrecy).
    private: Label,
    /// What of it nobody vouches for (on the axis of trust).
    untrusted: Label,
}

impl Leak {
    fn is_possible(self) -> bool {
        !self.private.is_clear() && !self.untrusted.is_clear()
    }

    fn is_certain(self) -> bool {
        self.private.is_marked() && self.untrusted.is_marked()
    }
}

/// An agent that can send something out.
struct Sender<'a> {
    callable: &'a Callable,
    /// Its tools that send what its model writes, without that a person sees it, and the leaf by which they do.
    outward: Vec<(&'a Tool, DefId)>,
}

/// The question about a whole program, on both axes.
struct Leaks<'f, 'a> {
    trust: &'f Cx<'a>,
    secret: &'f Cx<'a>,
    senders: &'f FxHashMap<DefId, Sender<'a>>,
    /// By [`DefId`]: the agents to which it hands its parameters on.
    of: Vec<Vec<Leak>>,
    refused: Vec<Refused>,
}

/// Looks at every agent, and at what it is given.
pub(super) fn check(found: &Found<'_>) -> Vec<Refused> {
    let cx = &found.cx;
    let mut senders_of = None;
    let mut all = FxHashMap::default();
    for (agent, def) in (0u32..).map(DefId).zip(&cx.hir.defs) {
        let DefKind::Callable(callable) = &def.kind else { continue };
        if callable.kind != CallableKind::Agent || tools(callable).next().is_none() {
            continue;
        }
        let senders = senders_of.get_or_insert_with(|| senders(cx));
        let outward: Vec<(&Tool, DefId)> =
            tools(callable).filter_map(|tool| Some((tool, outward(cx, senders, tool)?))).collect();
        if !outward.is_empty() {
            all.insert(agent, Sender { callable, outward });
        }
    }
    if all.is_empty() {
        return Vec::new();
    }
    // Only now is it worth knowing what is private.
    let Some(secrecy) = infer(cx.hir, cx.types, cx.effects, Axis::Secrecy, true) else {
        return Vec::new();
    };
    let of = vec![Vec::new(); cx.hir.defs.len()];
    let mut leaks =
        Leaks { trust: cx, secret: &secrecy.cx, senders: &all, of, refused: Vec::new() };
    leaks.all();
    leaks.refused
}

fn tools(callable: &Callable) -> impl Iterator<Item = &Tool> {
    callable
        .items
        .iter()
        .filter_map(|item| match item {
            PromptItem::Tools { tools, .. } => Some(tools),
            _ => None,
        })
        .flatten()
}

/// The messages of a prompt.
fn messages(callable: &Callable) -> impl Iterator<Item = ExprId> {
    callable.items.iter().filter_map(|item| match item {
        PromptItem::Message { expr, .. } => Some(*expr),
        _ => None,
    })
}

impl<'a> Leaks<'_, 'a> {
    /// Callees first; those that call each other until nothing more is found.
    fn all(&mut self) {
        let effects = self.trust.effects;
        for group in effects.groups.iter() {
            let before = self.refused.len();
            loop {
                self.refused.truncate(before);
                let mut changed = false;
                for def in group {
                    changed |= self.declaration(*def);
                }
                // Labels only grow, and their number has a limit, so this ends.
                if !changed || group.len() == 1 {
                    break;
                }
            }
        }
    }

    /// Whether more is known of a declaration than before.
    fn declaration(&mut self, def: DefId) -> bool {
        let sender = self.senders.get(&def);
        let calls = self.trust.effects.defs.get(def.index()).map_or(&[][..], |found| &found.calls);
        let hands_on = calls
            .iter()
            .any(|(callee, _)| self.of.get(callee.index()).is_some_and(|known| !known.is_empty()));
        if sender.is_none() && !hands_on {
            return false;
        }
        let (Some(trust), Some(secret)) = (Flow::of(self.trust, def), Flow::of(self.secret, def))
        else {
            return false;
        };
        let mut found = Vec::new();
        let mut is_refused = false;
        if let Some(sender) = sender {
            let leak = self.own(def, sender, &trust, &secret);
            if leak.is_certain() {
                is_refused = true;
                let finding = self.agent(def, sender, &trust, &secret);
                self.refused.extend(finding.map(|finding| Refused { owner: def, finding }));
            } else if leak.is_possible() {
                found.push(leak);
            }
        }
        if hands_on {
            self.calls(&trust, &secret, is_refused, &mut found);
        }
        let Some(known) = self.of.get_mut(def.index()) else { return false };
        let mut changed = false;
        for leak in found {
            changed |= add(known, leak);
        }
        changed
    }

    /// What an agent has read before anybody calls it with something.
    fn own(
        &self,
        agent: DefId,
        sender: &Sender<'_>,
        trust: &Flow<'_, '_>,
        secret: &Flow<'_, '_>,
    ) -> Leak {
        let mut leak = Leak { agent, private: Label::CLEAR, untrusted: Label::CLEAR };
        for expr in messages(sender.callable) {
            leak.untrusted = leak.untrusted.join(trust.opaque(expr));
            leak.private = leak.private.join(secret.opaque(expr));
        }
        if tools(sender.callable).any(|tool| self.brings(tool)) {
            leak.untrusted = leak.untrusted.join(Label::MARKED);
        }
        if tools(sender.callable).any(|tool| self.gives_private(tool)) {
            leak.private = leak.private.join(Label::MARKED);
        }
        leak
    }

    fn brings(&self, tool: &Tool) -> bool {
        tool.target.is_some_and(|target| gives_marked(self.trust, target))
    }

    fn gives_private(&self, tool: &Tool) -> bool {
        // What only chooses carries nothing of what was read.
        tool.target.is_some_and(|target| {
            let result = self.trust.types.signature(target).map_or(Ty::ERROR, |found| found.result);
            !self.trust.facts.is_closed(&self.trust.types.interner, result)
                && gives_marked(self.secret, target)
        })
    }

    /// What a body, and the model of an agent by its tools, hands on to agents.
    fn calls(
        &mut self,
        trust: &Flow<'_, '_>,
        secret: &Flow<'_, '_>,
        is_refused: bool,
        found: &mut Vec<Leak>,
    ) {
        let owner = trust.owner;
        for id in walk::parts_first(trust.body) {
            let Expr::Call { callee, args, .. } = walk::expr(trust.body, id) else { continue };
            let (Target::Callable(callee), Some(call)) =
                (trust.target(id, callee), trust.types.calls.get(&id))
            else {
                continue;
            };
            let known = self.of.get(callee.index()).map_or(&[][..], Vec::as_slice);
            if known.is_empty() {
                continue;
            }
            let labels = |flow: &Flow<'_, '_>| -> SmallVec<[Label; 8]> {
                let opaque = flow.cx.summary(callee).opaque;
                let given = 0..call.args.len();
                // A person has seen what an approved call is made with.
                let label = |index: usize| match flow.is_vouched(id) {
                    true => Label::CLEAR,
                    false => flow.arg(call, args, index, opaque.has(index)).0,
                };
                given.map(label).collect()
            };
            let untrusted = labels(trust);
            let mut private = labels(secret);
            for (label, ty) in private.iter_mut().zip(&call.params) {
                if self.trust.facts.is_closed(&self.trust.types.interner, *ty) {
                    *label = Label::CLEAR;
                }
            }
            for leak in known.iter().copied() {
                let here = Leak {
                    agent: leak.agent,
                    private: leak.private.applied(&private, secret.session_id()),
                    untrusted: leak.untrusted.applied(&untrusted, trust.session_id()),
                };
                if here.is_certain() {
                    let place = |labels: &[Label], of: Label| {
                        let is_of = |at: &usize| {
                            of.has(*at) && labels.get(*at).is_some_and(|label| label.is_marked())
                        };
                        let at = (0..labels.len()).find(is_of)?;
                        trust.arg(call, args, at, false).1
                    };
                    // What it has by itself is shown there.
                    let of = |labels: &[Label], of: Label| {
                        if of.is_marked() { None } else { place(labels, of) }
                    };
                    let given = (of(&private, leak.private), of(&untrusted, leak.untrusted));
                    let finding = self.call(&leak, (trust, secret), id, given);
                    self.refused.extend(finding.map(|finding| Refused { owner, finding }));
                } else if here.is_possible() {
                    found.push(here);
                }
            }
        }
        let Some(callable) = self.trust.callable(owner) else { return };
        if callable.kind != CallableKind::Agent || is_refused {
            return;
        }
        // What its model writes for a tool is made of all that it has read.
        let (untrusted, private) = (context(trust, callable), context(secret, callable));
        for tool in tools(callable) {
            let Some(target) = tool.target else { continue };
            if policy(&tool.policies, "approve").is_some() {
                continue;
            }
            for leak in self.of.get(target.index()).cloned().unwrap_or_default() {
                let of = |label: Label, all: Label| {
                    let mark = if label.is_marked() { Label::MARKED } else { Label::CLEAR };
                    if label.params().is_clear() { mark } else { mark.join(all) }
                };
                let here = Leak {
                    agent: leak.agent,
                    private: of(leak.private, private),
                    untrusted: of(leak.untrusted, untrusted),
                };
                // Marked on both sides, such a tool sends by itself, and was looked at as one that does.
                if here.is_possible() && !here.is_certain() {
                    found.push(here);
                }
            }
        }
    }

    // ---- findings ----

    /// The part of an agent that holds something private, and why it does.
    fn private_part(&self, sender: &Sender<'_>, secret: Option<&Flow<'_, '_>>) -> Option<Part> {
        let tool = tools(sender.callable).find(|tool| self.gives_private(tool));
        if let Some(tool) = tool {
            return Some(Part { span: tool.path_span, text: private_text(self.trust, tool) });
        }
        let secret = secret?;
        let is_private = |expr: &ExprId| secret.opaque(*expr).is_marked();
        let expr = messages(sender.callable).find(is_private)?;
        read_part(secret, expr, "its model reads what is private")
    }

    /// The part of an agent that nobody vouches for: another one than `other`, if there is one.
    fn untrusted_part(
        &self,
        sender: &Sender<'_>,
        trust: Option<&Flow<'_, '_>>,
        other: Span,
    ) -> Option<Part> {
        let brings = || tools(sender.callable).filter(|tool| self.brings(tool));
        // Three tools say more than one that can do it all, but that is enough.
        let tool = brings().find(|tool| tool.path_span != other).or_else(|| brings().next());
        if let Some(tool) = tool {
            return Some(Part { span: tool.path_span, text: untrusted_text(self.trust, tool) });
        }
        let trust = trust?;
        let is_marked = |expr: &ExprId| trust.opaque(*expr).is_marked();
        let expr = messages(sender.callable).find(is_marked)?;
        read_part(trust, expr, "its model reads what strangers may have written")
    }

    /// An agent that is refused for itself.
    fn agent(
        &self,
        agent: DefId,
        sender: &Sender<'_>,
        trust: &Flow<'_, '_>,
        secret: &Flow<'_, '_>,
    ) -> Option<Diagnostic> {
        let def = self.trust.hir.defs.get(agent.index())?;
        let private = self.private_part(sender, Some(secret))?;
        let untrusted = self.untrusted_part(sender, Some(trust), private.span)?;
        let mut finding = Diagnostic::new(
            Code::AgentCanLeak,
            def.name_span,
            format!("`{}` can be talked into sending out what is private", def.name),
        )
        .here("a model does what it reads");
        for Part { span, text } in self.joined(vec![private, untrusted], sender) {
            finding = finding.label(span, text);
        }
        Some(advised(finding, self.trust, sender, def.name_span))
    }

    /// A call that gives an agent what completes the three: something private, or what strangers may have written.
    fn call(
        &self,
        leak: &Leak,
        (trust, secret): (&Flow<'_, '_>, &Flow<'_, '_>),
        call: ExprId,
        (private, untrusted): (Option<ExprId>, Option<ExprId>),
    ) -> Option<Diagnostic> {
        let def = self.trust.hir.defs.get(leak.agent.index())?;
        let sender = self.senders.get(&leak.agent)?;
        let span = |id: ExprId| trust.body.expr_spans.get(id.index()).copied();
        let at = private.or(untrusted).and_then(span).or_else(|| span(call))?;
        let name = shown(self.trust.hir, leak.agent);
        let finding = Diagnostic::new(
            Code::AgentCanLeak,
            at,
            format!("with this, `{name}` can be talked into sending out what is private"),
        );
        let inner_secret = Flow::of(self.secret, leak.agent);
        let inner_trust = Flow::of(self.trust, leak.agent);
        let mut parts = Vec::new();
        match private {
            Some(value) => parts.extend(given(secret, value, "this is private")),
            None => parts.extend(self.private_part(sender, inner_secret.as_ref())),
        }
        let other = parts.first().map_or(at, |part| part.span);
        match untrusted {
            Some(value) => parts.extend(given(trust, value, "nobody vouches for it")),
            None => parts.extend(self.untrusted_part(sender, inner_trust.as_ref(), other)),
        }
        // Where it comes from, if that is somewhere else.
        let all = [(private, secret), (untrusted, trust)];
        let mut sources = all.into_iter().filter_map(|(value, flow)| source_of(flow, value?));
        if let Some((span, why)) = sources.next().filter(|(span, _)| !at.contains(*span)) {
            parts.push(Part { span, text: format!("this {why}") });
        }
        let text = "its model reads what it is given".to_owned();
        parts.push(Part { span: def.name_span, text });
        let mut finding = finding;
        let mut is_said = false;
        for Part { span, text } in self.joined(parts, sender) {
            if span == at && !is_said {
                is_said = true;
                finding = finding.here(text);
            } else {
                finding = finding.label(span, text);
            }
        }
        Some(advised(finding, self.trust, sender, at))
    }

    /// The parts and the tools that send, each place once.
    fn joined(&self, mut parts: Vec<Part>, sender: &Sender<'_>) -> Vec<Part> {
        let outward = sender.outward.iter().take(MAX_SHOWN);
        parts.extend(
            outward.map(|one| Part { span: one.0.path_span, text: outward_text(self.trust, one) }),
        );
        let mut all: Vec<Part> = Vec::new();
        for Part { span, text } in parts {
            match all.iter_mut().find(|known| known.span == span) {
                Some(known) => {
                    known.text.push_str(", and ");
                    known.text.push_str(&text);
                }
                None => all.push(Part { span, text }),
            }
        }
        all
    }
}

/// Most tools that are shown with what they send.
const MAX_SHOWN: usize = 4;

/// A place that has a part in it, and which.
struct Part {
    span: Span,
    text: String,
}

/// What stands in a prompt.
fn read_part(flow: &Flow<'_, '_>, expr: ExprId, what: &str) -> Option<Part> {
    match source_of(flow, expr) {
        Some((span, why)) => Some(Part { span, text: format!("{what}: this {why}") }),
        None => {
            let span = *flow.body.expr_spans.get(expr.index())?;
            Some(Part { span, text: what.to_owned() })
        }
    }
}

/// An argument of a call.
fn given(flow: &Flow<'_, '_>, value: ExprId, what: &str) -> Option<Part> {
    let span = *flow.body.expr_spans.get(value.index())?;
    let text = match source_of(flow, value) {
        Some((source, why)) if span.contains(source) => format!("{what}: it {why}"),
        _ => what.to_owned(),
    };
    Some(Part { span, text })
}

/// Adds what is known of an agent; whether that is more.
fn add(known: &mut Vec<Leak>, leak: Leak) -> bool {
    if known.contains(&leak) {
        return false;
    }
    if known.len() < MAX_LEAKS {
        known.push(leak);
        return true;
    }
    let Some(last) = known.last_mut() else { return false };
    let before = *last;
    last.private = last.private.join(leak.private);
    last.untrusted = last.untrusted.join(leak.untrusted);
    *last != before
}

/// With what to do: which tools still send without that anybody looks, and what to write behind them.
fn advised(finding: Diagnostic, cx: &Cx<'_>, sender: &Sender<'_>, at: Span) -> Diagnostic {
    let outward = &sender.outward;
    let mut names: Vec<String> = outward
        .iter()
        .take(MAX_SHOWN)
        .map(|(tool, _)| {
            format!("`{}`", tool.target.map(|of| shown(cx.hir, of)).unwrap_or_default())
        })
        .collect();
    if outward.len() > MAX_SHOWN {
        names.push(format!("{} more", outward.len() - MAX_SHOWN));
    }
    let (sends, behind) = match outward.len() {
        1 => ("sends", "behind it"),
        _ => ("send", "behind each of them"),
    };
    let listed = match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    };
    let help = format!(
        "{listed} still {sends} without that anybody looks: write `with (approve: \"role\", within: 2d)` {behind}, or give what strangers wrote to a model of its own that has no other tools"
    );
    let finding = finding.help(help);
    // What stands in another file is not this one's to change.
    if outward.iter().any(|(tool, _)| tool.span.file != at.file) {
        return finding;
    }
    let edits = outward.iter().map(|(tool, _)| {
        let added = "approve: \"reviewer\", within: 2d";
        match tool.policies.last() {
            Some(last) => Edit::new(last.span.after(), format!(", {added}")),
            None => Edit::new(tool.span.after(), format!(" with ({added})")),
        }
    });
    finding.guess("let `reviewer` approve what goes out", edits.collect())
}

fn private_text(cx: &Cx<'_>, tool: &Tool) -> String {
    let read = tool.target.and_then(|target| leaves::reads_private(cx, target));
    match read {
        Some(effect) => {
            format!("it gives what is private: it {}", effect.verb(&cx.effects.resources))
        }
        None => "it gives what is declared `private`".to_owned(),
    }
}

fn untrusted_text(cx: &Cx<'_>, tool: &Tool) -> String {
    let origin = tool.target.map(|target| leaves::origin(cx, target));
    format!("it brings in what strangers may have written: it comes {}", origin.unwrap_or_default())
}

fn outward_text(cx: &Cx<'_>, (tool, leaf): &(&Tool, DefId)) -> String {
    if tool.target == Some(*leaf) && !cx.effects.of(*leaf).writes_anything() {
        "it sends out what the model asks for".to_owned()
    } else if tool.target == Some(*leaf) {
        "it sends what the model writes out".to_owned()
    } else {
        format!("it sends what the model writes out, by `{}`", shown(cx.hir, *leaf))
    }
}

/// By declaration: the leaf by which it sends what it is called with, or something else, and that nobody approves.
fn senders(cx: &Cx<'_>) -> Vec<Option<DefId>> {
    let mut senders: Vec<Option<DefId>> = vec![None; cx.hir.defs.len()];
    let mut called = Vec::new();
    for group in cx.effects.groups.iter() {
        // Callees come first, but for those of the same group.
        loop {
            let mut changed = false;
            for def in group {
                let known = senders.get(def.index()).copied().flatten();
                let (None, Some(callable)) = (known, cx.callable(*def)) else { continue };
                let found = if matches!(callable.kind, CallableKind::Extern { .. }) {
                    // What must be approved and is not was said as that.
                    (callable.needs.is_none() && leaves::sends(cx, *def)).then_some(*def)
                } else {
                    called.clear();
                    unapproved(cx, *def, callable, &mut called);
                    called.iter().find_map(|callee| senders.get(callee.index()).copied().flatten())
                };
                if let Some(slot) = senders.get_mut(def.index()) {
                    *slot = found;
                    changed |= found.is_some();
                }
            }
            if !changed || group.len() == 1 {
                break;
            }
        }
    }
    senders
}

/// The leaf by which a tool sends what a model writes, unless somebody approves it first.
fn outward(cx: &Cx<'_>, senders: &[Option<DefId>], tool: &Tool) -> Option<DefId> {
    let target = tool.target?;
    let signature = cx.types.signature(target)?;
    let is_open = |ty: &Ty| !cx.facts.is_closed(&cx.types.interner, *ty);
    if policy(&tool.policies, "approve").is_some() || !signature.params.iter().any(is_open) {
        return None;
    }
    senders.get(target.index()).copied().flatten()
}

/// Whom a declaration calls without that a person sees it first.
fn unapproved(cx: &Cx<'_>, def: DefId, callable: &Callable, found: &mut Vec<DefId>) {
    for item in &callable.items {
        if let PromptItem::Tools { tools, .. } = item {
            let tools = tools.iter().filter(|tool| policy(&tool.policies, "approve").is_none());
            found.extend(tools.filter_map(|tool| tool.target));
        }
    }
    let Some(body) = cx.hir.body(def) else { return };
    let approved: FxHashSet<_> = body
        .exprs
        .iter()
        .filter_map(|expr| match expr {
            Expr::With { expr, policies } => policy(policies, "approve").is_some().then_some(*expr),
            _ => None,
        })
        .collect();
    for (id, expr) in (0u32..).map(crate::hir::ExprId).zip(&body.exprs) {
        if let Expr::Call { callee: Callee::Def(callee), .. } = expr
            && !approved.contains(&id)
        {
            found.push(*callee);
        }
    }
}
