//! Checking on several threads, ahead of the walk over all bodies.
//!
//! A body about which nothing is said follows from itself and from the types of the declarations, as when it is taken over
//! from an earlier compilation. Those are taken; what is said about others is said by the walk, in its order. The parts
//! follow one another in the program, and so do the types that each adds: all have the handles that one thread would
//! have given them, if nothing is said.

use std::sync::Arc;

use super::ty::{Interner, Ty};
use super::{BodyTypes, Checker, DefTypes};
use crate::diagnostics::Diagnostics;
use crate::hir::DefId;
use crate::threads::{Threads, parts};

/// See [`super::Known::bodies`].
type Bodies = Vec<Option<(Arc<BodyTypes>, Option<Ty>)>>;

/// What a part of the bodies was found to be.
struct Part {
    interner: Interner,
    bodies: Vec<Found>,
}

/// A body without findings.
struct Found {
    owner: DefId,
    types: Arc<BodyTypes>,
    /// Of a constant.
    constant: Option<Ty>,
    /// One of its types is new.
    is_new: bool,
}

/// Adds to what is known the bodies about which nothing is said, and to the checker their types.
pub(super) fn check(
    first: &mut Checker<'_>,
    known: &mut Bodies,
    defs: &[DefTypes],
    (weights, threads): (&[u32], Threads),
) {
    let (weights, threads) = threads.for_unknown(weights, known);
    if threads.count() == 1 {
        return;
    }
    known.resize_with(weights.len(), || None);
    let parts = parts(&weights, threads.count());
    let before = &*known;
    let (hir, interner, states) = (first.hir, &first.interner, &first.states);
    // Those of aliases, and of the constants that are known.
    let mut found = first.found.clone();
    for (id, known) in (0u32..).map(DefId).zip(before) {
        found.extend(known.as_ref().and_then(|(_, constant)| constant.map(|ty| (id, ty))));
    }
    let (found, old) = (&found, interner.len());
    let part = |nth: usize| {
        let mut said = Diagnostics::new();
        let mut checker = Checker {
            interner: interner.clone(),
            found: found.clone(),
            states: states.clone(),
            defs,
            ..Checker::new(hir, &mut said)
        };
        let range = parts.get(nth).cloned().unwrap_or_default();
        let mut bodies = Vec::with_capacity(range.len());
        for at in range {
            let owner = DefId(u32::try_from(at).unwrap_or(u32::MAX));
            if before.get(at).is_some_and(Option::is_some) {
                continue;
            }
            if !checker.is_known(owner) {
                checker.watched(owner, |checker| checker.def(owner));
            }
            let is_clean = checker.clean.get(at).copied().unwrap_or(false);
            let types = checker.bodies.get_mut(at).filter(|_| is_clean).and_then(Option::take);
            if let Some(mut types) = types {
                let constant = checker.found.get(&owner).copied();
                let mut is_new = constant.is_some_and(|ty| is_later(ty, old));
                if let Some(types) = Arc::get_mut(&mut types) {
                    types.each_type(&mut |ty| is_new |= is_later(*ty, old));
                }
                bodies.push(Found { owner, types, constant, is_new });
            }
        }
        let Checker { interner, .. } = checker;
        Part { interner, bodies }
    };
    let (here, others) = threads.beside(|| part(0), 1..parts.len(), part);
    first.interner = here.interner;
    keep(known, here.bodies);
    for Part { interner, mut bodies } in others {
        let handles = first.interner.adopt(&interner, old);
        let rename = |ty: &mut Ty| {
            let new = (ty.0 as usize).checked_sub(old).and_then(|at| handles.get(at));
            *ty = new.copied().unwrap_or(*ty);
        };
        for body in bodies.iter_mut().filter(|body| body.is_new) {
            body.constant.iter_mut().for_each(rename);
            if let Some(types) = Arc::get_mut(&mut body.types) {
                types.each_type(&mut |ty| rename(ty));
            }
        }
        keep(known, bodies);
    }
}

/// Whether a type is not among the first `old` ones.
fn is_later(ty: Ty, old: usize) -> bool {
    ty.0 as usize >= old
}

fn keep(known: &mut Bodies, bodies: Vec<Found>) {
    for Found { owner, types, constant, .. } in bodies {
        if let Some(slot) = known.get_mut(owner.index()) {
            *slot = Some((types, constant));
        }
    }
}
