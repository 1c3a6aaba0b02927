//! What one compilation leaves to the next: trees, declarations and the types of bodies that were free of mistakes.
//!
//! What a declaration is lowered to follows from its own tree and from what names mean in its module; where both are as
//! they were, it is taken over, moved to where it stands now. A body's types follow besides from the interfaces of its
//! module and of all that this imports, directly or not. Trees and texts are compared, not hashes of them. Names and
//! effects are done anew each time, and so is everything about which something was said: so nothing that a compilation
//! gives depends on whether there was one before.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use kait_syntax::SyntaxTree;

use crate::check::ty::{Interner, Ty};
use crate::check::{BodyTypes, Checked, Known};
use crate::diagnostics::Span;
use crate::hir::lower::{Lowered, Trace};
use crate::hir::moved::{Move, Moved};
use crate::hir::{Body, CallableKind, Def, DefId, DefKind, Hir, ModuleId, PromptItem};
use crate::names::{Head, Names, Scope, span_of};
use crate::sources::Files;
use crate::trees::Trees;

/// Types that nothing uses any more are dropped with all the others once there are so many more than at first.
const MAX_STALE_TYPES: usize = 50_000;

/// What is kept between compilations of nearly the same texts, such as those after each keystroke. One that fits nothing
/// of the next compilation does no harm.
#[derive(Debug, Default)]
pub struct Cache {
    trees: Trees,
    last: Option<Last>,
    lowered: usize,
    reused: usize,
}

/// What is remembered of a compilation.
#[derive(Debug)]
struct Last {
    names: Names,
    /// By [`crate::diagnostics::FileId`].
    trees: Vec<Arc<SyntaxTree>>,
    /// By [`DefId`].
    defs: Vec<Arc<Def>>,
    /// By [`DefId`].
    hir_bodies: Vec<Option<Arc<Body>>>,
    /// By [`DefId`].
    traces: Vec<Trace>,
    /// By [`DefId`].
    places: Vec<Place>,
    interner: Interner,
    /// How many types there were when the first body was checked.
    first_types: usize,
    /// By [`DefId`]: types of the bodies without findings.
    bodies: Vec<Option<Arc<BodyTypes>>>,
    /// By [`DefId`]: types of the constants.
    constants: Vec<Option<Ty>>,
}

/// Where a declaration stands, and how far what others see of it reaches.
#[derive(Clone, Copy, Debug)]
struct Place {
    whole: Span,
    interface: Span,
}

impl Cache {
    /// A cache in which nothing is.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many declarations the last compilation took over instead of lowering them.
    #[must_use]
    pub fn lowered(&self) -> usize {
        self.lowered
    }

    /// How many bodies the last compilation took over instead of checking them.
    #[must_use]
    pub fn reused(&self) -> usize {
        self.reused
    }

    /// What parsing takes over.
    pub(crate) fn trees(&mut self) -> &mut Trees {
        &mut self.trees
    }

    /// The declarations that need not be lowered again, by [`DefId`]. Forgets everything if names may mean something
    /// else than before.
    pub(crate) fn declarations(&mut self, names: &Names, files: &Files) -> Vec<Option<Lowered>> {
        self.last = self.last.take().filter(|last| same_declarations(&last.names, names));
        let ids = (0..u32::try_from(names.heads.len()).unwrap_or(u32::MAX)).map(DefId);
        let last = self.last.as_ref();
        let known: Vec<_> = ids.map(|def| last?.lowered(def, names, files)).collect();
        self.lowered = known.iter().flatten().count();
        known
    }

    /// What is known of a program before its bodies are checked. The cache is empty afterwards.
    pub(crate) fn take(&mut self, names: &Names, files: &Files, hir: &Hir) -> Known {
        self.reused = 0;
        let Some(last) = self.last.take() else { return Known::default() };
        let is_full = last.interner.len() > last.first_types + MAX_STALE_TYPES;
        if is_full {
            return Known::default();
        }
        let fresh: Vec<Place> = hir.defs.iter().zip(&hir.bodies).map(Place::of).collect();
        let same = |old: Span, new: Span| last.slice(old) == Some(files.slice(new));
        let changed = changed_modules(&last, &fresh, hir, names, same);
        let old = last.places.iter().zip(&fresh).zip(last.bodies.iter().zip(&last.constants));
        let bodies = hir.defs.iter().zip(old).map(|(def, ((old, new), (types, constant)))| {
            let is_as_it_was = changed.get(def.module.index()) == Some(&false)
                && types.is_some()
                && same(old.whole, new.whole);
            types.clone().filter(|_| is_as_it_was).map(|types| (types, *constant))
        });
        let bodies: Vec<_> = bodies.collect();
        self.reused = bodies.iter().flatten().count();
        Known { first_types: Some(last.first_types), interner: last.interner, bodies }
    }

    /// Remembers a compilation for the next one.
    pub(crate) fn keep(
        &mut self,
        names: Names,
        files: &Files,
        hir: &Hir,
        traces: Vec<Trace>,
        checked: &Checked,
    ) {
        self.trees.keep_only(files);
        let Checked { types, clean, first_types } = checked;
        let bodies = types.bodies.iter().zip(clean);
        let ids = (0..u32::try_from(hir.defs.len()).unwrap_or(u32::MAX)).map(DefId);
        self.last = Some(Last {
            names,
            trees: files.iter().map(|(_, file)| Arc::clone(&file.tree)).collect(),
            defs: hir.defs.clone(),
            hir_bodies: hir.bodies.clone(),
            traces,
            places: hir.defs.iter().zip(&hir.bodies).map(Place::of).collect(),
            interner: types.interner.clone(),
            first_types: *first_types,
            bodies: bodies.map(|(types, clean)| types.clone().filter(|_| *clean)).collect(),
            constants: ids.map(|def| types.constant(def)).collect(),
        });
    }
}

impl Last {
    fn slice(&self, span: Span) -> Option<&str> {
        let text = self.trees.get(span.file.0 as usize)?.text();
        text.get(span.start as usize..span.end as usize)
    }

    /// A declaration whose tree is as it was, where it stands now.
    fn lowered(&self, id: DefId, names: &Names, files: &Files) -> Option<Lowered> {
        let mut trace = self.traces.get(id.index()).filter(|trace| trace.is_clean)?.clone();
        let (old, new) = (self.names.head(id)?, names.head(id)?);
        let (old_file, file) = (old.name_span.file, new.name_span.file);
        let before = self.trees.get(old_file.0 as usize)?.node(old.node)?;
        let now = files.get(file)?.tree.node(new.node)?;
        if file != old_file || !now.is_like(before) {
            return None;
        }
        let mut def = Arc::clone(self.defs.get(id.index())?);
        let mut body = self.hir_bodies.get(id.index())?.clone();
        let by = Move::new(def.span, span_of(file, now.range()));
        if !by.is_none() {
            Arc::make_mut(&mut def).moved(&by);
            body.iter_mut().for_each(|body| Arc::make_mut(body).moved(&by));
            trace.mentions.moved(&by);
        }
        Some(Lowered { def, body, trace })
    }
}

impl Place {
    fn of((def, body): (&Arc<Def>, &Option<Arc<Body>>)) -> Self {
        let root = body.as_ref().and_then(|body| body.expr_spans.get(body.root?.index()));
        let end = match &def.kind {
            // Nobody refers to a test.
            DefKind::Test(_) => def.span.start,
            DefKind::Callable(callable) => match (&callable.kind, callable.items.first()) {
                (CallableKind::Fn | CallableKind::Graph, _) => {
                    root.map_or(def.span.end, |root| root.start)
                }
                (
                    CallableKind::Prompt | CallableKind::Agent,
                    Some(
                        PromptItem::Model { span, .. }
                        | PromptItem::Message { span, .. }
                        | PromptItem::Tools { span, .. },
                    ),
                ) => span.start,
                _ => def.span.end,
            },
            _ => def.span.end,
        };
        Self { whole: def.span, interface: Span { end, ..def.span } }
    }
}

/// Whether the same declarations stand in the same modules, in the same order, and every name is in scope where it was.
fn same_declarations(old: &Names, new: &Names) -> bool {
    let same_head = |(old, new): (&Head, &Head)| {
        old.module == new.module
            && old.kind == new.kind
            && old.name == new.name
            && old.is_pub == new.is_pub
            && old.damaged == new.damaged
            && old.type_params == new.type_params
            && old.variants == new.variants
    };
    let same_scope = |(old, new): (&Scope, &Scope)| {
        old.is_incomplete == new.is_incomplete
            && old.damaged_words == new.damaged_words
            && old.modules.len() == new.modules.len()
            && old.modules.iter().all(|(name, import)| {
                new.modules.get(name).is_some_and(|other| other.target == import.target)
            })
    };
    let same_module = old.modules.iter().zip(&new.modules).all(|(old, new)| {
        (old.file, &old.name, old.is_std, &old.defs) == (new.file, &new.name, new.is_std, &new.defs)
    });
    same_module
        && old.modules.len() == new.modules.len()
        && old.heads.len() == new.heads.len()
        && old.scopes.len() == new.scopes.len()
        && old.prelude == new.prelude
        && old.std == new.std
        && old.heads.iter().zip(&new.heads).all(same_head)
        && old.scopes.iter().zip(&new.scopes).all(same_scope)
}

/// By module: whether an interface changed that it can see, its own included.
fn changed_modules(
    last: &Last,
    fresh: &[Place],
    hir: &Hir,
    names: &Names,
    same: impl Fn(Span, Span) -> bool,
) -> Vec<bool> {
    let mut importers: Vec<Vec<ModuleId>> = vec![Vec::new(); names.modules.len()];
    for (module, scope) in (0u32..).map(ModuleId).zip(&names.scopes) {
        for target in scope.modules.values().filter_map(|import| import.target) {
            if let Some(all) = importers.get_mut(target.index()) {
                all.push(module);
            }
        }
    }
    let places = last.places.iter().zip(fresh);
    let differ =
        hir.defs.iter().zip(places).filter(|(_, (old, new))| !same(old.interface, new.interface));
    let mut open: Vec<ModuleId> = differ.map(|(def, _)| def.module).collect();
    let mut changed = vec![false; names.modules.len()];
    while let Some(module) = open.pop() {
        if let Some(changed @ false) = changed.get_mut(module.index()) {
            *changed = true;
            open.extend(importers.get(module.index()).into_iter().flatten());
        }
    }
    changed
}
