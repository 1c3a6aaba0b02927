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
    let mut secrecy = None;
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
        let outward: Vec<(&Tool, DefId)> =
            tools.iter().filter_map(|tool| Some((*tool, outward(cx, tool)?))).collect();
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
        let gives_private = |target| gives_marked(&secret.cx, target);
        let private = tools.iter().find(|tool| tool.target.is_some_and(gives_private));
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

/// The leaf by which a tool sends what a model writes, unless somebody approves it first.
fn outward(cx: &Cx<'_>, tool: &Tool) -> Option<DefId> {
    let target = tool.target?;
    let signature = cx.types.signature(target)?;
    let is_open = |ty: &Ty| !cx.facts.is_closed(&cx.types.interner, *ty);
    if policy(&tool.policies, "approve").is_some() || !signature.params.iter().any(is_open) {
        return None;
    }
    let mut seen = FxHashSet::default();
    let mut open = vec![target];
    while let Some(def) = open.pop() {
        if !seen.insert(def) {
            continue;
        }
        let Some(callable) = cx.callable(def) else { continue };
        if matches!(callable.kind, CallableKind::Extern { .. }) {
            // What must be approved and is not was said as that.
            if callable.needs.is_none() && leaves::sends(cx, def) {
                return Some(def);
            }
            continue;
        }
        unapproved(cx, def, callable, &mut open);
    }
    None
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
