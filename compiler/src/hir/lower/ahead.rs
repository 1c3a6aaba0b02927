//! Lowering on several threads, ahead of the walk over all declarations.
//!
//! A declaration about which nothing is said follows from its own tree and from what names mean, as when it is taken over
//! from an earlier compilation. Those are taken; what is said about others is said by the walk, in its order.

use super::{Lowered, Lowerer};
use crate::diagnostics::Diagnostics;
use crate::hir::{DefId, ModuleId};
use crate::names::Names;
use crate::sources::{Files, MemorySources};
use crate::threads::{Threads, parts};
use kait_syntax::ast::Decl;

/// How much text each declaration is, about: up to its successor's name.
pub(crate) fn weights(names: &Names, files: &Files) -> Vec<u32> {
    let nexts = names.heads.iter().skip(1).map(Some).chain([None]);
    let weights = names.heads.iter().zip(nexts).map(|(head, next)| {
        let (file, start) = (head.name_span.file, head.name_span.start);
        let same = next.map(|next| next.name_span).filter(|span| span.file == file);
        let end = || files.get(file).map_or(0, |file| file.text().len());
        let end = same.map_or_else(|| u32::try_from(end()).unwrap_or(u32::MAX), |span| span.start);
        end.saturating_sub(start)
    });
    weights.collect()
}

/// Adds to what is known the declarations about which nothing is said.
pub(super) fn lower(
    names: &Names,
    files: &Files,
    known: &mut Vec<Option<Lowered>>,
    (weights, threads): (&[u32], Threads),
) {
    let (weights, threads) = threads.for_unknown(weights, known);
    if threads.count() == 1 {
        return;
    }
    known.resize_with(weights.len(), || None);
    let before = &*known;
    let parts = parts(&weights, threads.count());
    let part = |nth: usize| {
        // Asked about modules that are not known, where something is said anyway.
        let (sources, mut said) = (MemorySources::default(), Diagnostics::new());
        let mut lowerer = Lowerer::new(&sources, names, files, &mut said);
        let mut module = None;
        let range = parts.get(nth).cloned().unwrap_or_default();
        let is_known = |at: usize| before.get(at).is_some_and(Option::is_some);
        range
            .map(|at| if is_known(at) { None } else { one(&mut lowerer, at, &mut module) })
            .collect::<Vec<_>>()
    };
    let (here, others) = threads.beside(|| part(0), 1..parts.len(), part);
    let found = here.into_iter().chain(others.into_iter().flatten());
    for (slot, found) in known.iter_mut().zip(found) {
        if found.is_some() {
            *slot = found;
        }
    }
}

fn one(lowerer: &mut Lowerer<'_>, at: usize, module: &mut Option<ModuleId>) -> Option<Lowered> {
    let def = DefId(super::index(at));
    let head = lowerer.names.head(def)?;
    let file = lowerer.files.get(head.name_span.file)?;
    if *module != Some(head.module) {
        *module = Some(head.module);
        lowerer.enter_module(head.module, head.name_span.file);
    }
    let decl = file.tree.node(head.node).and_then(Decl::cast)?;
    Some(lowerer.declaration(def, head, decl)).filter(|lowered| lowered.trace.is_clean)
}
