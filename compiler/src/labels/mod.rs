//! Trust labels: who vouches for a value, and where that matters.
//!
//! Every value is trusted or untrusted, by where it comes from; nobody writes it down. A result has the labels of what
//! it is made of, and what a leaf brings in from outside is untrusted. Where authority is used (a recipient, a command,
//! a path that is written), a parameter is declared `trusted` and takes nothing else. Untrusted data may choose among
//! what the program foresaw, so a test never taints and values of closed types are always trusted.
//!
//! Labels are inferred per declaration in its parameters, callees first, as effects are. The same pass over other words
//! follows what is private. This stage reads the HIR, the types and the effects, and changes nothing; nothing but tools
//! and people reads it.

mod agents;
mod audit;
mod channels;
mod explain;
mod flow;
mod infer;
mod label;
mod leaves;
mod secrecy;
mod sinks;
#[cfg(test)]
mod tests;
mod types;
mod webhooks;

pub(crate) use audit::Vouched;
pub use audit::{
    DefLabels, Endorsement, Labels, Need, Outflow, ParamLabels, Receiver, Trust, Vouching, labels,
};

pub use secrecy::check_private;

use crate::check::Types;
use crate::diagnostics::Diagnostics;
use crate::effects::Effects;
use crate::hir::{DefId, Hir, TypeRef};
use types::{Axis, Word};

/// The word that a written type has in front of it or of a part of it, as programs keep it.
pub(crate) fn word(hir: &Hir, ty: &TypeRef) -> Option<kait_ir::Trust> {
    let (marked, clear) =
        (Axis::Trust.declared(hir, ty) == Some(Word::Marked), Axis::Trust.wants_clear(hir, ty));
    match (marked, clear) {
        (true, true) => Some(kait_ir::Trust::Mixed),
        (true, false) => Some(kait_ir::Trust::Untrusted),
        (false, true) => Some(kait_ir::Trust::Trusted),
        (false, false) => None,
    }
}

/// Where untrusted values reach what takes only trusted ones.
pub(crate) struct Reached<'a>(Option<infer::Found<'a>>);

/// Finds where untrusted values reach what takes only trusted ones. Expects a program whose names, types and effects were
/// checked; broken parts are trusted, so that nothing follows from them.
pub(crate) fn infer<'a>(hir: &'a Hir, types: &'a Types, effects: &'a Effects) -> Reached<'a> {
    Reached(infer::infer(hir, types, effects, Axis::Trust, false))
}

/// Says what was found.
pub(crate) fn check(hir: &Hir, found: Reached<'_>, diagnostics: &mut Diagnostics) {
    let Reached(Some(found)) = found else { return };
    // What is wrong with a declaration otherwise may be why.
    let is_whole = |owner: &DefId| {
        !diagnostics.has_errors()
            || hir.defs.get(owner.index()).is_some_and(|def| {
                !diagnostics.is_full(def.span.file) && !diagnostics.has_error_in(def.span)
            })
    };
    let violations: Vec<_> =
        found.violations.iter().filter(|(owner, _)| is_whole(owner)).copied().collect();
    let refused: Vec<_> =
        agents::check(&found).into_iter().filter(|one| is_whole(&one.owner)).collect();
    let unsigned = webhooks::check(&found.cx).into_iter().filter(|(owner, _)| is_whole(owner));
    let unsigned: Vec<_> = unsigned.map(|(_, finding)| finding).collect();
    let mut flow: Option<flow::Flow<'_, '_>> = None;
    for (owner, sink) in violations {
        // What such an agent writes for its tools follows.
        let is_of_agent = matches!(sink.kind, sinks::SinkKind::Tool { .. })
            && refused.iter().any(|one| one.owner == owner);
        if is_of_agent {
            continue;
        }
        let file = hir.defs.get(owner.index()).map(|def| def.span.file);
        // No more of them are kept, and each way is searched for anew.
        if file.is_some_and(|file| diagnostics.is_full(file)) {
            continue;
        }
        if flow.as_ref().is_none_or(|known| known.owner != owner) {
            flow = flow::Flow::of(&found.cx, owner);
        }
        diagnostics.extend(flow.as_ref().and_then(|flow| explain::report(flow, &sink)));
    }
    diagnostics.extend(refused.into_iter().map(|one| one.finding));
    diagnostics.extend(unsigned);
}
