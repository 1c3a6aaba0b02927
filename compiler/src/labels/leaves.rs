//! What leaves do to labels: what they give comes from outside, or from their arguments; and which leaves send outward.

use super::flow::{Cx, Summary};
use super::label::Label;
use super::types::{Axis, Word};
use crate::check::ty::Ty;
use crate::effects::Effect;
use crate::hir::{Callable, CallableKind, DefId, TypeRef, TypeRefKind};

/// What is read from these is the profile's own: nobody else should see it. Below each of them it holds, too.
const PRIVATE: [&str; 5] = ["file", "mail", "db", "git", "session"];

/// What is written to these leaves the program for other people or machines.
const OUTWARD: [&str; 5] = ["net", "mcp", "mail", "process", "chat"];

/// What reading from these tells others, by what is asked for.
const TOLD: [&str; 2] = ["net", "mcp"];

/// What an extern's header says.
pub(super) fn summary(
    cx: &Cx<'_>,
    def: DefId,
    callable: &Callable,
    kind: &str,
    locator: &str,
) -> Summary {
    let mut needs = Label::CLEAR;
    let mut opaque = Label::CLEAR;
    let mut joined = Label::CLEAR;
    let moves_only = moves_only(cx, def, kind);
    let mut built = Vec::new();
    if moves_only {
        type_params(&callable.result, &mut built);
    }
    // A result that is made of type parameters is made of what has them: such code only moves values about.
    let is_from = |ty: &TypeRef| {
        let mut own = Vec::new();
        type_params(ty, &mut own);
        own.iter().any(|param| built.contains(param))
    };
    let has_source = callable.params.iter().any(|param| is_from(&param.ty));
    for (index, param) in callable.params.iter().enumerate() {
        let bit = Label::param(index);
        if cx.axis.wants_clear(cx.hir, &param.ty) {
            needs = needs.join(bit);
        }
        match (has_source, is_from(&param.ty)) {
            (true, true) => joined = joined.join(bit),
            // It is only compared, counted with or chosen by.
            (true, false) => {}
            (false, _) => {
                joined = joined.join(bit);
                opaque = opaque.join(bit);
            }
        }
    }
    let result = match cx.declared(&callable.result) {
        Some(Word::Clear) => Label::CLEAR,
        Some(Word::Marked) => Label::MARKED,
        None if is_source(cx, def, kind, locator) && !only_chooses(cx, def) => {
            joined.join(Label::MARKED)
        }
        None => joined,
    };
    Summary { result, needs, opaque, ..Summary::default() }
}

/// Whether what an extern gives carries nothing of what it was read from: whether there is a file, say.
fn only_chooses(cx: &Cx<'_>, def: DefId) -> bool {
    let result = cx.types.signature(def).map_or(Ty::ERROR, |signature| signature.result);
    cx.facts.is_closed(&cx.types.interner, result)
}

/// Whether an extern is a function of the library that can do nothing with values of types that it does not know but
/// hand them on. Code from elsewhere is sent all of it and may do what it likes.
fn moves_only(cx: &Cx<'_>, def: DefId, kind: &str) -> bool {
    matches!(kind, "stable" | "native") && !is_boundary(cx, def, kind)
}

/// Whether values come into the program here, from where they were written by others or earlier.
pub(super) fn is_boundary(cx: &Cx<'_>, def: DefId, kind: &str) -> bool {
    let set = cx.effects.of(def);
    // Another program brings in what it likes, whatever its header says that it does.
    matches!(kind, "trigger" | "http" | "process" | "mcp")
        || !set.reads().is_empty()
        || !set.writes().is_empty()
}

fn is_source(cx: &Cx<'_>, def: DefId, kind: &str, locator: &str) -> bool {
    match cx.axis {
        Axis::Trust => is_boundary(cx, def, kind),
        Axis::Secrecy if kind == "trigger" => {
            matches!(locator, "mail.received" | "file.changed")
        }
        Axis::Secrecy => reads_private(cx, def).is_some(),
    }
}

/// The type parameters that a written type is made of; what selectors name is not part of a value.
fn type_params(ty: &TypeRef, found: &mut Vec<u32>) {
    match &ty.kind {
        TypeRefKind::Param(index) => found.push(*index),
        TypeRefKind::List(inner) | TypeRefKind::Optional(inner) => type_params(inner, found),
        TypeRefKind::Map(key, value) => {
            type_params(key, found);
            type_params(value, found);
        }
        TypeRefKind::Named(_, args) => args.iter().for_each(|arg| type_params(arg, found)),
        TypeRefKind::Missing | TypeRefKind::Primitive(_) | TypeRefKind::Selector(..) => {}
    }
}

fn is_below(path: &str, roots: &[&str]) -> bool {
    let first = path.split('.').next().unwrap_or(path);
    roots.contains(&first)
}

/// An effect that reads what is private to whoever runs the program.
pub(super) fn reads_private(cx: &Cx<'_>, def: DefId) -> Option<Effect> {
    let resources = &cx.effects.resources;
    let reads = cx.effects.of(def).reads().iter();
    let found = reads.copied().find(|read| is_below(resources.path(*read), &PRIVATE));
    found.map(Effect::Read)
}

/// Whether what a leaf is called with goes to other people or machines. A tool of a server and an HTTP call do, whatever
/// effects their headers give them.
pub(super) fn sends(cx: &Cx<'_>, def: DefId) -> bool {
    let Some(Callable { kind: CallableKind::Extern { kind, .. }, params, .. }) = cx.callable(def)
    else {
        return false;
    };
    if params.is_empty() || kind == "trigger" {
        return false;
    }
    let resources = &cx.effects.resources;
    let set = cx.effects.of(def);
    matches!(kind.as_str(), "http" | "mcp" | "process")
        || set.writes().iter().any(|path| is_below(resources.path(*path), &OUTWARD))
        || set.reads().iter().any(|path| is_below(resources.path(*path), &TOLD))
}

/// Where what a leaf gives comes from, for people: the end of "this comes …".
pub(super) fn origin(cx: &Cx<'_>, def: DefId) -> String {
    let set = cx.effects.of(def);
    let resources = &cx.effects.resources;
    let path = set.reads().iter().chain(set.writes()).map(|path| resources.path(*path)).next();
    let path = path.unwrap_or_default();
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match (first, rest) {
        ("net", _) => "from the network".to_owned(),
        ("mail", _) => "from a mail".to_owned(),
        ("file", _) => "from a file".to_owned(),
        ("process", _) => "from another program".to_owned(),
        ("git", _) => "from a repository".to_owned(),
        ("db" | "session", _) => "from the store".to_owned(),
        ("event", _) => "from an event".to_owned(),
        ("mcp", "") => "from an MCP server".to_owned(),
        ("mcp", server) => format!("from the MCP server `{server}`"),
        _ => "from outside".to_owned(),
    }
}
