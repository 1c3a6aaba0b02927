//! Inference over a program: what callers must know of each declaration, callees first.
//!
//! Only declarations from which a place that takes clear values can be reached are looked at, and those that they call:
//! a program that uses no authority costs nothing but the question whether it does.

use super::channels::Channels;
use super::flow::{Cx, Flow, Summary, without_root};
use super::label::Label;
use super::sinks::{Sink, SinkKind};
use super::types::{Axis, TypeFacts, Word};
use crate::check::Types;
use crate::effects::Effects;
use crate::hir::{
    Builtin, Callable, CallableKind, Callee, Def, DefId, DefKind, Expr, Hir, MessageRole,
    PromptItem, Stmt, TypeRef,
};

/// What inference found.
pub(super) struct Found<'a> {
    pub cx: Cx<'a>,
    /// Marked values at places that take only clear ones, by the declaration in which both are.
    pub violations: Vec<(DefId, Sink)>,
}

/// Infers what is needed to find every violation; `None` if there can be none. With `all`, every declaration is looked
/// at.
pub(super) fn infer<'a>(
    hir: &'a Hir,
    types: &'a Types,
    effects: &'a Effects,
    axis: Axis,
    all: bool,
) -> Option<Found<'a>> {
    let facts = TypeFacts::of(hir, types, axis);
    // Messages may be made anywhere, also where nothing else is looked at.
    let all = all || facts.has_messages(&types.interner);
    let wanted = if all { vec![true; hir.defs.len()] } else { wanted(hir, effects, axis)? };
    let channels = match axis {
        Axis::Trust => Channels::of(hir, types, &facts),
        Axis::Secrecy => Channels::default(),
    };
    let mut cx = Cx {
        hir,
        types,
        effects,
        axis,
        facts,
        channels,
        summaries: vec![Summary::default(); hir.defs.len()],
    };
    let mut violations = Vec::new();
    for group in effects.groups.iter() {
        let is_wanted = |def: &DefId| wanted.get(def.index()).copied().unwrap_or(false);
        if !group.iter().any(is_wanted) {
            continue;
        }
        let is_recursive = group.len() > 1
            || group.iter().any(|def| {
                let calls = effects.defs.get(def.index()).map_or(&[][..], |found| &found.calls);
                calls.iter().any(|(callee, _)| callee == def)
            });
        let before = violations.len();
        loop {
            violations.truncate(before);
            let mut changed = false;
            for def in group {
                let summary = declaration(&cx, *def, &mut violations);
                if let Some(slot) = cx.summaries.get_mut(def.index()) {
                    changed |= *slot != summary;
                    *slot = summary;
                }
            }
            // Labels only grow, so this ends.
            if !changed || !is_recursive {
                break;
            }
        }
    }
    Some(Found { cx, violations })
}

/// One declaration, with what is known of its callees so far.
fn declaration(cx: &Cx<'_>, def: DefId, violations: &mut Vec<(DefId, Sink)>) -> Summary {
    let Some(declared) = cx.hir.defs.get(def.index()) else { return Summary::default() };
    // The headers of externs say all.
    let is_extern = matches!(
        &declared.kind,
        DefKind::Callable(Callable { kind: CallableKind::Extern { .. }, .. })
    );
    let flow = if is_extern { None } else { Flow::of(cx, def) };
    let (mut needs, mut told, mut seen) = (Label::CLEAR, Label::CLEAR, Label::CLEAR);
    if let Some(flow) = &flow {
        flow.sinks(&mut |sink| {
            if sink.label.is_marked() {
                violations.push((def, sink));
            }
            let slot = match sink.kind {
                SinkKind::Prompt | SinkKind::Told { .. } => &mut told,
                SinkKind::Seen { .. } => &mut seen,
                _ => &mut needs,
            };
            *slot = slot.join(sink.label.params());
        });
    }
    let mut summary = match &declared.kind {
        DefKind::Callable(callable) => of_callable(cx, def, callable, flow.as_ref()),
        DefKind::Const { ty } => Summary {
            result: worded(cx, ty.as_ref(), flow.as_ref().map_or(Label::CLEAR, root)),
            ..Summary::default()
        },
        // Their defaults, for whoever leaves a field out.
        DefKind::Record(record) => {
            let defaults = record.fields.iter().filter(|field| cx.declared(&field.ty).is_none());
            Summary {
                result: defaults
                    .filter_map(|field| Some(flow.as_ref()?.label(field.default?)))
                    .fold(Label::CLEAR, Label::join),
                ..Summary::default()
            }
        }
        DefKind::Enum(declared) => {
            let fields = declared.variants.iter().flat_map(|variant| &variant.fields);
            Summary {
                result: fields
                    .filter_map(|field| Some(flow.as_ref()?.label(field.default?)))
                    .fold(Label::CLEAR, Label::join),
                ..Summary::default()
            }
        }
        _ => Summary::default(),
    };
    summary.needs = summary.needs.join(needs);
    Summary { told, seen, ..summary }
}

fn root(flow: &Flow<'_, '_>) -> Label {
    flow.body.root.map_or(Label::CLEAR, |root| flow.label(root))
}

fn worded(cx: &Cx<'_>, ty: Option<&TypeRef>, label: Label) -> Label {
    match ty.and_then(|ty| cx.declared(ty)) {
        Some(Word::Clear) => Label::CLEAR,
        Some(Word::Marked) => Label::MARKED,
        None => label,
    }
}

fn of_callable(
    cx: &Cx<'_>,
    def: DefId,
    callable: &Callable,
    flow: Option<&Flow<'_, '_>>,
) -> Summary {
    let found = match (flow, &callable.kind) {
        (Some(flow), CallableKind::Fn | CallableKind::Graph | CallableKind::Trigger) => {
            Summary { result: root(flow), ..Summary::default() }
        }
        _ => without_root(flow, cx, def, callable),
    };
    if matches!(callable.kind, CallableKind::Extern { .. }) {
        return found;
    }
    let result = cx
        .types
        .signature(def)
        .map_or(Label::CLEAR, |signature| cx.of_type(found.result, signature.result));
    let mut summary = Summary { result: worded(cx, Some(&callable.result), result), ..found };
    summary.conjures = flow.is_some_and(|flow| flow.conjures(callable));
    for (index, param) in callable.params.iter().enumerate() {
        if cx.axis.wants_clear(cx.hir, &param.ty) {
            summary.needs = summary.needs.join(Label::param(index));
        }
        let ty = cx.types.signature(def).and_then(|signature| signature.params.get(index));
        if ty.is_some_and(|ty| cx.types.interner.has_param(*ty)) {
            // Within, nobody knows which fields it has.
            summary.opaque = summary.opaque.join(Label::param(index));
        }
    }
    summary
}

/// The declarations from which a place that takes clear values can be reached, and whom those call; `None` if there is no
/// such place.
fn wanted(hir: &Hir, effects: &Effects, axis: Axis) -> Option<Vec<bool>> {
    let has_words: Vec<bool> = hir.defs.iter().map(|def| has_word(hir, axis, &def.kind)).collect();
    let word = |def: DefId| has_words.get(def.index()).copied().unwrap_or(false);
    // A value with a clear field may be made anywhere, also where nothing else is looked at.
    let is_own_type = |def: &Def| {
        matches!(def.kind, DefKind::Record(_) | DefKind::Enum(_))
            && !hir.modules.get(def.module.index()).is_some_and(|module| module.is_std)
    };
    if hir.defs.iter().zip(&has_words).any(|(def, word)| *word && is_own_type(def)) {
        return Some(vec![true; hir.defs.len()]);
    }
    let mut wanted = vec![false; hir.defs.len()];
    let mut any = false;
    for group in effects.groups.iter() {
        let found = group.iter().any(|def| {
            let calls = effects.defs.get(def.index()).map_or(&[][..], |found| &found.calls);
            let reaches = |callee: &DefId| {
                word(*callee) || wanted.get(callee.index()).copied().unwrap_or(false)
            };
            let is_own = hir.defs.get(def.index()).is_some_and(|declared| match &declared.kind {
                DefKind::Callable(Callable { kind: CallableKind::Extern { .. }, .. }) => false,
                DefKind::Callable(callable) => word(*def) || instructs(hir, *def, callable),
                _ => word(*def),
            });
            is_own || calls.iter().any(|(callee, _)| reaches(callee)) || has_sink(hir, *def, axis)
        });
        if found {
            any = true;
            for def in group {
                if let Some(slot) = wanted.get_mut(def.index()) {
                    *slot = true;
                }
            }
        }
    }
    if !any {
        return None;
    }
    // Whatever these call says what they get.
    let groups: Vec<&[DefId]> = effects.groups.iter().collect();
    for group in groups.into_iter().rev() {
        let is_wanted = |def: &DefId| wanted.get(def.index()).copied().unwrap_or(false);
        if !group.iter().any(is_wanted) {
            continue;
        }
        for def in group {
            let calls = effects.defs.get(def.index()).map_or(&[][..], |found| &found.calls);
            for called in calls.iter().map(|(callee, _)| callee).chain([def]) {
                if let Some(slot) = wanted.get_mut(called.index()) {
                    *slot = true;
                }
            }
        }
    }
    Some(wanted)
}

/// Whether the header of a declaration takes only clear values somewhere.
fn has_word(hir: &Hir, axis: Axis, kind: &DefKind) -> bool {
    let clear = |ty: &TypeRef| axis.wants_clear(hir, ty);
    match kind {
        DefKind::Callable(callable) => {
            let gives = !matches!(callable.kind, CallableKind::Extern { .. });
            callable.params.iter().any(|param| clear(&param.ty)) || gives && clear(&callable.result)
        }
        DefKind::Record(record) | DefKind::Session(record) => {
            record.fields.iter().any(|field| clear(&field.ty))
        }
        DefKind::Enum(declared) => {
            declared.variants.iter().flat_map(|variant| &variant.fields).any(|f| clear(&f.ty))
        }
        DefKind::Alias(alias) => clear(&alias.ty),
        DefKind::Const { ty } => ty.as_ref().is_some_and(clear),
        DefKind::Model { .. } | DefKind::Secret | DefKind::Test(_) => false,
    }
}

/// Whether a prompt has instructions that are put together, or tools.
fn instructs(hir: &Hir, def: DefId, callable: &Callable) -> bool {
    let Some(body) = hir.body(def) else { return false };
    callable.items.iter().any(|item| match item {
        PromptItem::Message { role: MessageRole::System, expr, .. } => {
            !matches!(body.exprs.get(expr.index()), Some(Expr::Literal(_) | Expr::Missing))
        }
        PromptItem::Tools { tools, .. } => !tools.is_empty(),
        PromptItem::Message { .. } | PromptItem::Model { .. } => false,
    })
}

/// Whether a body has a place of its own that takes clear values.
fn has_sink(hir: &Hir, def: DefId, axis: Axis) -> bool {
    let Some(body) = hir.body(def) else { return false };
    body.exprs.iter().any(|expr| match expr {
        Expr::Call { callee: Callee::Builtin(form), .. } => {
            matches!(form, Builtin::Allow | Builtin::Ask | Builtin::Choose | Builtin::SessionSave)
        }
        Expr::Call { callee: Callee::BareVariant { candidates, .. }, .. } => {
            let kind = |def: &DefId| hir.defs.get(def.index()).map(|def| &def.kind);
            candidates.iter().any(|(def, _)| kind(def).is_some_and(|k| has_word(hir, axis, k)))
        }
        Expr::Block(stmts) => stmts.iter().any(|stmt| match stmt {
            Stmt::Let { ty: Some(ty), .. } => axis.wants_clear(hir, ty),
            _ => false,
        }),
        Expr::Loop { vars, .. } => {
            let mut types = vars.iter().filter_map(|(_, ty, _)| ty.as_ref());
            types.any(|ty| axis.wants_clear(hir, ty))
        }
        _ => false,
    })
}
