//! Inference: own effects and calls of each declaration, then everything else along the call graph, callees first.

use rustc_hash::FxHashSet;
use smol_str::{SmolStr, format_smolstr};

use super::set::{Effect, EffectSet, Resource, Resources, SetId, Sets, Union};
use super::{BodyEffects, DefEffects, Effects, ExprEffects, dead, walk};
use crate::hir::groups::Groups;
use crate::hir::{
    Arg, Body, Builtin, Callable, CallableKind, Callee, Def, DefId, DefKind, EffectRef, Expr,
    ExprId, Hir, PromptItem,
};

pub(super) fn infer(hir: &Hir) -> Effects {
    let mut effects = Effects::default();
    effects.defs.reserve(hir.defs.len());
    effects.bodies.resize_with(hir.bodies.len(), || None);
    for (index, def) in hir.defs.iter().enumerate() {
        let body = hir.bodies.get(index).and_then(Option::as_deref);
        let Effects { resources, sets, .. } = &mut effects;
        let found = own(hir, def, body, resources, sets);
        effects.defs.push(found);
    }
    mark_unkeyed(hir, &mut effects);
    let groups = Groups::of(effects.defs.len(), |def, nth| {
        effects.defs.get(def)?.calls.get(nth).map(|(callee, _)| *callee)
    });
    for group in groups.iter() {
        declarations(hir, group, &mut effects);
        bodies(hir, group, &mut effects);
    }
    effects.groups = groups;
    effects
}

/// The effects of declarations that call each other: those of all of them together, and of whom they call.
fn declarations(hir: &Hir, group: &[DefId], effects: &mut Effects) {
    let mut all = Union::default();
    for def in group {
        let Some(effects_of) = effects.defs.get(def.index()) else { continue };
        all.add(&mut effects.sets, effects_of.set);
        for (callee, _) in &effects_of.calls {
            // A callee of the same group adds nothing yet, and is joined as a member.
            let mut set =
                effects.defs.get(callee.index()).map_or_else(SetId::default, |callee| callee.set);
            if !set.is_empty() && is_extern(hir, *callee) {
                // Whether a call of a leaf gives a key was seen at the call.
                set = effects.sets.unkeyed(set, false);
            }
            all.add(&mut effects.sets, set);
        }
    }
    let all = all.finish(&mut effects.sets);
    for def in group {
        if let Some(effects_of) = effects.defs.get_mut(def.index()) {
            effects_of.set = all;
        }
    }
}

/// The effects of every expression of declarations that call each other, and which of them may end by a `fail`: that is
/// a fixpoint, because it depends on the same of whom they call.
fn bodies(hir: &Hir, group: &[DefId], effects: &mut Effects) {
    loop {
        let mut changed = false;
        for def in group {
            let Some(body) = hir.body(*def) else { continue };
            let Some(declared) = hir.defs.get(def.index()) else { continue };
            let found = exprs(hir, declared, body, effects);
            let guards =
                body.root.and_then(|root| found.get(root.index())).is_some_and(|e| e.guards);
            let dead = dead::find(hir, &effects.sets, *def, body, &found);
            if let Some(slot) = effects.bodies.get_mut(def.index()) {
                *slot = Some(BodyEffects { exprs: found, dead });
            }
            if let Some(effects_of) = effects.defs.get_mut(def.index())
                && guards
                && !effects_of.guards
            {
                effects_of.guards = true;
                changed |=
                    group.len() > 1 || effects_of.calls.iter().any(|(callee, _)| callee == def);
            }
        }
        if !changed {
            return;
        }
    }
}

fn to_u32(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Calls of write leaves without `key:` mark whoever makes them. Those of the tools of an agent are made by a model, which
/// gives no key.
fn mark_unkeyed(hir: &Hir, effects: &mut Effects) {
    let mut marked = Vec::new();
    for (index, found) in effects.defs.iter().enumerate() {
        let writes = |def: DefId| {
            !effects.set_of(def).is_empty()
                && is_extern(hir, def)
                && effects.of(def).writes_anything()
        };
        if !found.calls.iter().any(|(callee, _)| writes(*callee)) {
            continue;
        }
        let by_tool = hir.defs.get(index).is_some_and(|def| match &def.kind {
            DefKind::Callable(callable) => callable.items.iter().any(|item| match item {
                PromptItem::Tools { tools, .. } => {
                    tools.iter().filter_map(|tool| tool.target).any(writes)
                }
                _ => false,
            }),
            _ => false,
        });
        let unkeyed = by_tool
            || hir.bodies.get(index).and_then(Option::as_deref).is_some_and(|body| {
                let keyed = keyed_calls(body);
                body.exprs.iter().enumerate().any(|(at, expr)| match expr {
                    Expr::Call { callee: Callee::Def(def), .. } => {
                        writes(*def) && !keyed.contains(&ExprId(to_u32(at)))
                    }
                    _ => false,
                })
            });
        if unkeyed {
            marked.push(index);
        }
    }
    for index in marked {
        if let Some(effects_of) = effects.defs.get_mut(index) {
            effects_of.set = effects.sets.unkeyed(effects_of.set, true);
        }
    }
}

fn is_extern(hir: &Hir, def: DefId) -> bool {
    let kind = hir.defs.get(def.index()).map(|def| &def.kind);
    matches!(kind, Some(DefKind::Callable(Callable { kind: CallableKind::Extern { .. }, .. })))
}

/// What a declaration does itself, and whom it calls.
fn own(
    hir: &Hir,
    def: &Def,
    body: Option<&Body>,
    resources: &mut Resources,
    sets: &mut Sets,
) -> DefEffects {
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
            CallableKind::Fn | CallableKind::Graph | CallableKind::Trigger => {}
        }
        // What a header promises is compared with these.
        for promised in &callable.does {
            effect(promised, |path| Some(resources.intern(path)));
        }
        for item in &callable.items {
            if let PromptItem::Tools { tools, .. } = item {
                let known = tools.iter().filter_map(|tool| Some((tool.target?, tool.path_span)));
                effects.calls.extend(known);
            }
        }
    }
    if let Some(body) = body {
        calls(hir, def, body, resources, &mut effects);
    }
    let mut set = EffectSet::default();
    effects.own.iter().for_each(|(effect, _)| set.add(*effect));
    effects.set = sets.intern(set);
    let is_leaf =
        matches!(&def.kind, DefKind::Callable(Callable { kind: CallableKind::Extern { .. }, .. }));
    if is_leaf && sets.get(effects.set).writes_anything() {
        effects.set = sets.unkeyed(effects.set, true);
    }
    effects
}

fn calls(hir: &Hir, def: &Def, body: &Body, resources: &mut Resources, effects: &mut DefEffects) {
    for (expr, span) in body.exprs.iter().zip(&body.expr_spans) {
        match expr {
            Expr::Call { callee: Callee::Def(def) | Callee::Variant(def, _), .. }
            // Constants are used by name.
            | Expr::Def(def) => effects.calls.push((*def, *span)),
            Expr::Call { callee: Callee::Builtin(builtin), .. } => {
                if let Some(effect) = builtin_effect(*builtin, hir, def, resources) {
                    effects.own.push((effect, *span));
                }
            }
            Expr::Session { def, name, .. } => {
                if let Some(effect) = session_read(hir, *def, name, resources) {
                    effects.own.push((effect, *span));
                }
            }
            Expr::With { policies, .. } => {
                let all = of_policies(policies);
                effects.own.extend(all.into_iter().flatten().map(|effect| (effect, *span)));
            }
            _ => {}
        }
    }
    effects.calls.sort_by_key(|(_, span)| (span.file, span.start, span.end));
    effects.own.sort_by_key(|(_, span)| (span.file, span.start, span.end));
}

/// What a session's fields are read from and saved to: `session.Chat`.
fn session_resource(hir: &Hir, session: DefId, resources: &mut Resources) -> Option<Resource> {
    let name = &hir.defs.get(session.index())?.name;
    Some(resources.intern(&format_smolstr!("session.{name}")))
}

/// What reading a part of a session does: its id never changes.
fn session_read(
    hir: &Hir,
    session: DefId,
    field: &str,
    resources: &mut Resources,
) -> Option<Effect> {
    if field == crate::check::SESSION_ID {
        return None;
    }
    session_resource(hir, session, resources).map(Effect::Read)
}

/// What a form does, in the declaration `owner`.
fn builtin_effect(
    builtin: Builtin,
    hir: &Hir,
    owner: &Def,
    resources: &mut Resources,
) -> Option<Effect> {
    match builtin {
        Builtin::Ask | Builtin::Choose => Some(Effect::Human),
        Builtin::SessionSave => match &owner.kind {
            DefKind::Callable(Callable { session: Some(session), .. }) => {
                session_resource(hir, session.def?, resources).map(Effect::Write)
            }
            _ => None,
        },
        Builtin::Allow
        | Builtin::Endorse
        | Builtin::Calls
        | Builtin::Attempts
        | Builtin::Called
        | Builtin::Order
        | Builtin::Header
        | Builtin::Query
        | Builtin::Bearer
        | Builtin::Basic => None,
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
        let does = callable.does.iter();
        own.extend(
            does.filter_map(|e| Some((effect(e, |path| Some(resources.intern(path)))?, e.span))),
        );
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
pub(super) fn effect(
    written: &EffectRef,
    resource: impl FnOnce(&SmolStr) -> Option<Resource>,
) -> Option<Effect> {
    Some(match written.kind.as_str() {
        "read" => Effect::Read(resource(&written.resource)?),
        "write" => Effect::Write(resource(&written.resource)?),
        "model" => Effect::Model,
        "human" => Effect::Human,
        "clock" => Effect::Clock,
        "random" => Effect::Random,
        "emit" => Effect::Emit,
        _ => return None,
    })
}

/// Effects of every expression, once those of the declarations are known.
fn exprs(hir: &Hir, owner: &Def, body: &Body, effects: &mut Effects) -> Vec<ExprEffects> {
    let keyed = keyed_calls(body);
    let mut found: Vec<ExprEffects> = Vec::with_capacity(body.exprs.len());
    for (id, expr) in walk::parts_first(body).zip(&body.exprs) {
        let mut own = ExprEffects::default();
        match expr {
            Expr::Call { callee: Callee::Def(def), .. } => {
                if let Some(called) = effects.defs.get(def.index()) {
                    own = ExprEffects { set: called.set, guards: called.guards };
                }
                if keyed.contains(&id) {
                    own.set = effects.sets.unkeyed(own.set, false);
                }
            }
            Expr::Call { callee: Callee::Builtin(builtin), .. } => {
                own.guards = *builtin == Builtin::Allow;
                if let Some(effect) = builtin_effect(*builtin, hir, owner, &mut effects.resources) {
                    own.set = effects.sets.with(own.set, effect);
                }
            }
            Expr::Session { def, name, .. } => {
                if let Some(effect) = session_read(hir, *def, name, &mut effects.resources) {
                    own.set = effects.sets.with(own.set, effect);
                }
            }
            Expr::Fail(_) => own.guards = true,
            Expr::With { policies, .. } => {
                for effect in of_policies(policies).into_iter().flatten() {
                    own.set = effects.sets.with(own.set, effect);
                }
            }
            _ => {}
        }
        let mut all = Union::of(own.set);
        walk::parts(expr, |id_of| {
            if let Some(part) = found.get(id_of.index()) {
                all.add(&mut effects.sets, part.set);
                // A compensation runs later: that it may fail holds nothing up.
                own.guards |=
                    part.guards && !matches!(expr, Expr::Undo { undo, .. } if *undo == id_of);
            }
        });
        own.set = all.finish(&mut effects.sets);
        let is_alone = match expr {
            Expr::Try(_) => true,
            // What fails in a run of its own fails there.
            Expr::With { policies, .. } => has_policy(policies, "detach"),
            _ => false,
        };
        if is_alone {
            own.guards = false;
        }
        found.push(own);
    }
    found
}

/// What policies of a call do: a person approves it, or a run of its own is started.
fn of_policies(policies: &[Arg]) -> [Option<Effect>; 2] {
    [
        has_policy(policies, "approve").then_some(Effect::Human),
        has_policy(policies, "detach").then_some(Effect::Emit),
    ]
}

fn has_policy(policies: &[Arg], wanted: &str) -> bool {
    policies.iter().any(|arg| arg.name.as_ref().is_some_and(|(name, _)| name == wanted))
}

/// The calls that give a `key:`.
fn keyed_calls(body: &Body) -> FxHashSet<ExprId> {
    let keyed = body.exprs.iter().filter_map(|expr| match expr {
        Expr::With { expr, policies } if has_policy(policies, "key") => Some(*expr),
        _ => None,
    });
    keyed.collect()
}
