//! Inference: own effects and calls of each declaration, then the fixpoint over the call graph, then expressions.

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashSet;
use smol_str::{SmolStr, format_smolstr};

use super::set::{Effect, EffectSet, Resource, Resources};
use super::{BodyEffects, DefEffects, Effects, dead, walk};
use crate::hir::{
    Arg, Body, Builtin, Callable, CallableKind, Callee, Def, DefId, DefKind, EffectRef, Expr,
    ExprId, Hir, PromptItem,
};

pub(super) fn infer(hir: &Hir) -> Effects {
    let mut effects = Effects::default();
    effects.session = effects.resources.intern(&SmolStr::new_static("session"));
    for (index, def) in hir.defs.iter().enumerate() {
        let body = hir.bodies.get(index).and_then(Option::as_ref);
        let found = own(def, body, effects.session, &mut effects.resources);
        effects.defs.push(found);
    }
    mark_unkeyed(hir, &mut effects);
    let groups = groups(&effects.defs);
    for group in &groups {
        let mut all = EffectSet::default();
        for def in group {
            let Some(effects_of) = effects.defs.get(def.index()) else { continue };
            all.join(&effects_of.set);
            for (callee, _) in &effects_of.calls {
                // A callee of the same group adds nothing yet, and is joined as a member.
                let mut set = effects.of(*callee).clone();
                if is_extern(hir, *callee) {
                    // Whether a call of a leaf gives a key was seen at the call.
                    set.set_unkeyed(false);
                }
                all.join(&set);
            }
        }
        for def in group {
            if let Some(effects_of) = effects.defs.get_mut(def.index()) {
                effects_of.set.join(&all);
            }
        }
    }
    guards(hir, &groups, &mut effects);
    for (index, body) in hir.bodies.iter().enumerate() {
        let found = body.as_ref().map(|body| {
            let mut found = exprs(body, &effects);
            found.dead = dead::find(hir, DefId(to_u32(index)), body, &found.exprs);
            found
        });
        effects.bodies.push(found);
    }
    effects
}

fn to_u32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Calls of write leaves without `key:` mark whoever makes them.
fn mark_unkeyed(hir: &Hir, effects: &mut Effects) {
    let mut marked = Vec::new();
    for (index, body) in hir.bodies.iter().enumerate() {
        let Some(body) = body else { continue };
        let keyed = keyed_calls(body);
        let unkeyed = body.exprs.iter().enumerate().any(|(at, expr)| match expr {
            Expr::Call { callee: Callee::Def(def), .. } => {
                is_extern(hir, *def)
                    && effects.of(*def).writes_anything()
                    && !keyed.contains(&ExprId(to_u32(at)))
            }
            _ => false,
        });
        if unkeyed {
            marked.push(index);
        }
    }
    for index in marked {
        if let Some(effects) = effects.defs.get_mut(index) {
            effects.set.set_unkeyed(true);
        }
    }
}

fn is_extern(hir: &Hir, def: DefId) -> bool {
    let kind = hir.defs.get(def.index()).map(|def| &def.kind);
    matches!(kind, Some(DefKind::Callable(Callable { kind: CallableKind::Extern { .. }, .. })))
}

/// What a declaration does itself, and whom it calls.
fn own(def: &Def, body: Option<&Body>, session: Resource, resources: &mut Resources) -> DefEffects {
    let mut effects = DefEffects::default();
    if let DefKind::Callable(callable) = &def.kind {
        match &callable.kind {
            CallableKind::Extern { kind, locator } => {
                declared(callable, kind, locator, def, resources, &mut effects.own);
                effects.guards = locator == "clock.sleep";
            }
            CallableKind::Prompt | CallableKind::Agent => {
                effects.own.push((Effect::Model, def.name_span));
            }
            CallableKind::Fn | CallableKind::Graph => {}
        }
        for item in &callable.items {
            if let PromptItem::Tools { tools, .. } = item {
                let known = tools.iter().filter_map(|(tool, _, span)| Some(((*tool)?, *span)));
                effects.calls.extend(known);
            }
        }
    }
    if let Some(body) = body {
        calls(body, session, &mut effects);
    }
    for (effect, _) in &effects.own {
        effects.set.add(*effect);
    }
    let is_leaf =
        matches!(&def.kind, DefKind::Callable(Callable { kind: CallableKind::Extern { .. }, .. }));
    effects.set.set_unkeyed(is_leaf && effects.set.writes_anything());
    effects
}

fn calls(body: &Body, session: Resource, effects: &mut DefEffects) {
    for (index, expr) in body.exprs.iter().enumerate() {
        let Expr::Call { callee, .. } = expr else { continue };
        let Some(span) = body.expr_spans.get(index).copied() else { continue };
        match callee {
            Callee::Def(def) | Callee::Variant(def, _) => effects.calls.push((*def, span)),
            Callee::Builtin(builtin) => {
                if let Some(effect) = builtin_effect(*builtin, session) {
                    effects.own.push((effect, span));
                }
            }
            Callee::Missing | Callee::BareVariant { .. } => {}
        }
    }
    // Constants are used by name.
    let names = body.exprs.iter().zip(&body.expr_spans).filter_map(|(expr, span)| match expr {
        Expr::Def(def) => Some((*def, *span)),
        _ => None,
    });
    effects.calls.extend(names);
    effects.calls.sort_by_key(|(_, span)| (span.file, span.start, span.end));
    effects.own.sort_by_key(|(_, span)| (span.file, span.start, span.end));
}

pub(super) fn builtin_effect(builtin: Builtin, session: Resource) -> Option<Effect> {
    match builtin {
        Builtin::Ask | Builtin::Choose => Some(Effect::Human),
        Builtin::Embed => Some(Effect::Model),
        Builtin::SessionSave => Some(Effect::Write(session)),
        Builtin::Allow
        | Builtin::Endorse
        | Builtin::Calls
        | Builtin::Attempts
        | Builtin::Called
        | Builtin::Order => None,
    }
}

/// What an extern declares, or what its kind does where it says nothing.
fn declared(
    callable: &Callable,
    kind: &str,
    locator: &str,
    def: &Def,
    resources: &mut Resources,
    own: &mut Vec<(Effect, crate::diagnostics::Span)>,
) {
    if callable.has_does {
        own.extend(callable.does.iter().filter_map(|e| Some((effect(e, resources)?, e.span))));
        return;
    }
    let path = match kind {
        "http" => {
            let (method, url) = locator.split_once(' ').unwrap_or(("GET", locator));
            let host = url.split_once("://").map_or(url, |(_, rest)| rest);
            let host = host.split(['/', '?', '#']).next().unwrap_or(host);
            let path = format_smolstr!("net.{host}");
            let reads = matches!(method, "GET" | "HEAD");
            Some((reads, path))
        }
        "process" => Some((false, SmolStr::new_static("process"))),
        "mcp" => {
            let server = locator.split(['.', '#', '/']).next().unwrap_or(locator);
            Some((false, format_smolstr!("mcp.{server}")))
        }
        _ => None,
    };
    if let Some((reads, path)) = path {
        let resource = resources.intern(&path);
        let effect = if reads { Effect::Read(resource) } else { Effect::Write(resource) };
        own.push((effect, def.name_span));
    }
}

/// An effect as a header writes it; `None` for a word that is none (already reported).
pub(super) fn effect(written: &EffectRef, resources: &mut Resources) -> Option<Effect> {
    Some(match written.kind.as_str() {
        "read" => Effect::Read(resources.intern(&written.resource)),
        "write" => Effect::Write(resources.intern(&written.resource)),
        "model" => Effect::Model,
        "human" => Effect::Human,
        "clock" => Effect::Clock,
        "random" => Effect::Random,
        "emit" => Effect::Emit,
        _ => return None,
    })
}

/// Declarations that call each other, callees before callers.
pub(super) fn groups(defs: &[DefEffects]) -> Vec<Vec<DefId>> {
    let mut graph: DiGraph<(), (), u32> = DiGraph::with_capacity(defs.len(), defs.len());
    for _ in defs {
        graph.add_node(());
    }
    for (index, effects) in defs.iter().enumerate() {
        let mut seen = FxHashSet::default();
        for (callee, _) in &effects.calls {
            if callee.index() < defs.len() && seen.insert(*callee) {
                graph.add_edge(NodeIndex::new(index), NodeIndex::new(callee.index()), ());
            }
        }
    }
    tarjan_scc(&graph)
        .into_iter()
        .map(|group| group.into_iter().map(|node| DefId(to_u32(node.index()))).collect())
        .collect()
}

/// Effects of every expression, once those of the declarations are known.
fn exprs(body: &Body, effects: &Effects) -> BodyEffects {
    let mut found = BodyEffects {
        exprs: vec![EffectSet::default(); body.exprs.len()],
        guards: vec![false; body.exprs.len()],
        dead: FxHashSet::default(),
    };
    let keyed = keyed_calls(body);
    for id in walk::parts_first(body) {
        let expr = walk::expr(body, id);
        let mut set = EffectSet::default();
        if let Expr::Call { callee, .. } = expr {
            match callee {
                Callee::Def(def) => {
                    set.join(effects.of(*def));
                    if keyed.contains(&id) {
                        set.set_unkeyed(false);
                    }
                }
                Callee::Builtin(builtin) => {
                    if let Some(effect) = builtin_effect(*builtin, effects.session) {
                        set.add(effect);
                    }
                }
                _ => {}
            }
        }
        walk::parts(expr, |part| {
            if let Some(part) = found.exprs.get(part.index()) {
                set.join(part);
            }
        });
        let guards = guards_at(body, id, effects, &found.guards);
        if let Some(slot) = found.exprs.get_mut(id.index()) {
            *slot = set;
        }
        if let Some(slot) = found.guards.get_mut(id.index()) {
            *slot = guards;
        }
    }
    found
}

/// The calls that give a `key:`.
fn keyed_calls(body: &Body) -> FxHashSet<ExprId> {
    let named = |policies: &[Arg], wanted: &str| {
        policies.iter().any(|arg| arg.name.as_ref().is_some_and(|(name, _)| name == wanted))
    };
    let keyed = body.exprs.iter().filter_map(|expr| match expr {
        Expr::With { expr, policies } if named(policies, "key") => Some(*expr),
        _ => None,
    });
    keyed.collect()
}

/// Whether an expression may end by a `fail` or `allow`, given the same of its parts.
fn guards_at(body: &Body, id: ExprId, effects: &Effects, known: &[bool]) -> bool {
    let expr = walk::expr(body, id);
    let own = match expr {
        Expr::Fail(_) => true,
        Expr::Call { callee: Callee::Def(def), .. } => {
            effects.defs.get(def.index()).is_some_and(|effects| effects.guards)
        }
        Expr::Call { callee: Callee::Builtin(builtin), .. } => *builtin == Builtin::Allow,
        Expr::Try(_) => return false,
        _ => false,
    };
    let mut any = own;
    walk::parts(expr, |part| any |= known.get(part.index()).copied().unwrap_or(false));
    any
}

/// Which declarations may end by a `fail`: the fixpoint over the calls, callees first.
fn guards(hir: &Hir, groups: &[Vec<DefId>], effects: &mut Effects) {
    for group in groups {
        loop {
            let mut changed = false;
            for def in group {
                let Some(body) = hir.bodies.get(def.index()).and_then(Option::as_ref) else {
                    continue;
                };
                if effects.defs.get(def.index()).is_none_or(|effects| effects.guards) {
                    continue;
                }
                let mut known = vec![false; body.exprs.len()];
                for id in walk::parts_first(body) {
                    let guards = guards_at(body, id, effects, &known);
                    if let Some(slot) = known.get_mut(id.index()) {
                        *slot = guards;
                    }
                }
                let any = body.root.is_some_and(|root| known.get(root.index()) == Some(&true));
                if let Some(effects) = effects.defs.get_mut(def.index()).filter(|_| any) {
                    effects.guards = true;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
    }
}
