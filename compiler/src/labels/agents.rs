//! Agents that can be talked into sending out what is private.
//!
//! A model does what it reads. One whose tools give it private data, and what strangers wrote, and let it send
//! something out, does for the strangers what they could not do themselves. Any two of the three are harmless; so are all
//! three where a person sees what goes out.
//!
//! *Private* is what a tool gives of the profile's files, mails, databases, repositories and sessions, or of what is
//! declared `private`. *Untrusted* is what a tool gives that nobody vouches for. *Outward* goes whatever a tool is called
//! with that ends as an argument of a leaf that sends: over the network, to a server of tools, another program, a mail or
//! a chat. A tool whose parameters only choose sends nothing that the model wrote.

use rustc_hash::FxHashSet;

use super::explain::shown;
use super::flow::{Cx, gives_marked, policy};
use super::infer::{Found, infer};
use super::leaves;
use super::types::Axis;
use crate::check::ty::Ty;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Callable, CallableKind, Callee, DefId, DefKind, Expr, PromptItem, Tool};

/// An agent that is refused, and why.
pub(super) struct Refused {
    pub agent: DefId,
    pub finding: Diagnostic,
}

/// Looks at every agent.
pub(super) fn check(found: &Found<'_>) -> Vec<Refused> {
    let cx = &found.cx;
    let (mut secrecy, mut senders_of) = (None, None);
    let mut all = Vec::new();
    for (agent, def) in (0u32..).map(DefId).zip(&cx.hir.defs) {
        let DefKind::Callable(callable) = &def.kind else { continue };
        if callable.kind != CallableKind::Agent {
            continue;
        }
        let tools: Vec<&Tool> = callable
            .items
            .iter()
            .filter_map(|item| match item {
                PromptItem::Tools { tools, .. } => Some(tools),
                _ => None,
            })
            .flatten()
            .collect();
        if tools.is_empty() {
            continue;
        }
        let senders = senders_of.get_or_insert_with(|| senders(cx));
        let outward: Vec<(&Tool, DefId)> =
            tools.iter().filter_map(|tool| Some((*tool, outward(cx, senders, tool)?))).collect();
        let brings: Vec<&Tool> = tools
            .iter()
            .filter(|tool| tool.target.is_some_and(|target| gives_marked(cx, target)))
            .copied()
            .collect();
        if outward.is_empty() || brings.is_empty() {
            continue;
        }
        // Only now is it worth knowing what is private.
        let secrecy =
            secrecy.get_or_insert_with(|| infer(cx.hir, cx.types, cx.effects, Axis::Secrecy, true));
        let Some(secret) = secrecy else { continue };
        // What only chooses carries nothing of what was read.
        let gives_private = |target| {
            let result = cx.types.signature(target).map_or(Ty::ERROR, |found| found.result);
            !cx.facts.is_closed(&cx.types.interner, result) && gives_marked(&secret.cx, target)
        };
        let private = tools.iter().find(|tool| tool.target.is_some_and(&gives_private));
        let Some(private) = private else { continue };
        // Three tools say more than one that can do it all, but that is enough.
        let is_other = |a: &Tool, b: &Tool| a.path_span != b.path_span;
        let untrusted = brings.iter().find(|tool| is_other(tool, private)).or(brings.first());
        let Some(untrusted) = untrusted else { continue };
        let sender = outward
            .iter()
            .find(|(tool, _)| is_other(tool, private) && is_other(tool, untrusted))
            .or(outward.first());
        let Some(sender) = sender else { continue };
        let parts = [
            (private.path_span, private_text(cx, private)),
            (untrusted.path_span, untrusted_text(cx, untrusted)),
            (sender.0.path_span, outward_text(cx, sender)),
        ];
        all.push(Refused { agent, finding: finding(&def.name, def.name_span, parts, &outward) });
    }
    all
}

fn finding(
    name: &str,
    at: Span,
    parts: [(Span, String); 3],
    outward: &[(&Tool, DefId)],
) -> Diagnostic {
    let mut finding = Diagnostic::new(
        Code::AgentCanLeak,
        at,
        format!("`{name}` can be talked into sending out what is private"),
    )
    .here("a model does what it reads");
    let mut labels: Vec<(Span, String)> = Vec::new();
    for (span, text) in parts {
        match labels.iter_mut().find(|(known, _)| *known == span) {
            Some((_, known)) => {
                known.push_str(", and ");
                known.push_str(&text);
            }
            None => labels.push((span, text)),
        }
    }
    for (span, text) in labels {
        finding = finding.label(span, text);
    }
    let edits = outward.iter().map(|(tool, _)| {
        let added = "approve: \"reviewer\", within: 2d";
        match tool.policies.last() {
            Some(last) => Edit::new(last.span.after(), format!(", {added}")),
            None => Edit::new(tool.span.after(), format!(" with ({added})")),
        }
    });
    finding
        .help("let somebody approve what goes out (`with (approve: \"role\", within: 2d)` behind the tool), or give what strangers wrote to a model of its own that has no other tools")
        .guess("let `reviewer` approve what goes out", edits.collect())
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
    if tool.target == Some(*leaf) {
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
