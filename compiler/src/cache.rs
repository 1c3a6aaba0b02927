//! What one compilation leaves to the next: trees, declarations and the types of bodies that were free of mistakes.
//!
//! What a declaration is lowered to follows from its own tree and from what names mean in its module; where both are as
//! they were, it is taken over, moved to where it stands now. A body's types follow besides from the interfaces of its
//! module and of all that this imports, directly or not. Trees and texts are compared, not hashes of them. Names and
//! effects are done anew each time, and so is everything about which something was said: so nothing that a compilation
//! gives depends on whether there was one before.
//!
//! While a declaration cannot be read, the last compilation in which all could be is kept, for the keystroke that mends it.
//! Of that one everything is taken over but what mentions a damaged declaration, whose users are told nothing.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use kait_syntax::SyntaxTree;
use smol_str::SmolStr;

use crate::check::ty::{Interner, Ty};
use crate::check::{BodyTypes, Checked, Known};
use crate::diagnostics::Span;
use crate::hir::lower::{Lowered, Trace};
use crate::hir::moved::{Move, Moved};
use crate::hir::{Body, CallableKind, Def, DefId, DefKind, Hir, ModuleId, PromptItem};
use crate::names::{Head, HeadKind, Names, Scope, span_of};
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
    /// What of the last compilation the one at hand can use.
    fit: Fit,
    lowered: usize,
    reused: usize,
}

/// How far the declarations of a compilation are those of the last one.
#[derive(Debug, Default)]
enum Fit {
    /// Names may mean something else.
    #[default]
    None,
    /// Each name means what it meant.
    Same,
    /// So it does, but some declarations cannot be read any more.
    Damaged {
        /// By [`DefId`]: those, and whoever mentions them.
        found: Vec<bool>,
        /// Some of them are types: what mentions them has another interface, then.
        has_types: bool,
    },
}

/// What is remembered of a compilation.
#[derive(Debug)]
struct Last {
    /// Some declaration could not be read.
    is_damaged: bool,
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

    /// The declarations that need not be lowered again, by [`DefId`]. Nothing if names may mean something else than
    /// before.
    pub(crate) fn declarations(&mut self, names: &Names, files: &Files) -> Vec<Option<Lowered>> {
        self.fit = self.last.as_ref().map_or(Fit::None, |last| last.fit(names, files));
        if matches!(self.fit, Fit::None) && !self.stays(names) {
            self.last = None;
        }
        let ids = (0..u32::try_from(names.heads.len()).unwrap_or(u32::MAX)).map(DefId);
        let last = self.last.as_ref().filter(|_| !matches!(self.fit, Fit::None));
        let fits = |def: &DefId| !self.fit.is_damaged(*def);
        let known: Vec<_> = ids
            .map(|def| Some(def).filter(fits).and_then(|def| last?.lowered(def, names, files)))
            .collect();
        self.lowered = known.iter().flatten().count();
        known
    }

    /// Whether the last compilation is worth more to the next one than a compilation of these names: it could be read.
    fn stays(&self, names: &Names) -> bool {
        is_damaged(names) && self.last.as_ref().is_some_and(|last| !last.is_damaged)
    }

    /// What is known of a program before its bodies are checked. What the cache has of the last compilation is gone
    /// afterwards, unless it stays there.
    pub(crate) fn take(&mut self, names: &Names, files: &Files, hir: &Hir) -> Known {
        self.reused = 0;
        let stays = self.stays(names);
        let Some(last) = &mut self.last else { return Known::default() };
        let is_full = last.interner.len() > last.first_types + MAX_STALE_TYPES;
        if is_full || matches!(self.fit, Fit::None) {
            if !stays {
                self.last = None;
            }
            return Known::default();
        }
        let interner =
            if stays { last.interner.clone() } else { std::mem::take(&mut last.interner) };
        let fresh: Vec<Place> = hir.defs.iter().zip(&hir.bodies).map(Place::of).collect();
        let same = |old: Span, new: Span| last.slice(old) == Some(files.slice(new));
        let changed = changed_modules(last, &fresh, hir, names, &self.fit, same);
        let old = last.places.iter().zip(&fresh).zip(last.bodies.iter().zip(&last.constants));
        let ids = (0u32..).map(DefId).zip(&hir.defs);
        let bodies = ids.zip(old).map(|((id, def), ((old, new), (types, constant)))| {
            let is_as_it_was = changed.get(def.module.index()) == Some(&false)
                && types.is_some()
                && !self.fit.is_damaged(id)
                && same(old.whole, new.whole);
            types.clone().filter(|_| is_as_it_was).map(|types| (types, *constant))
        });
        let bodies: Vec<_> = bodies.collect();
        self.reused = bodies.iter().flatten().count();
        let first_types = Some(last.first_types);
        if !stays {
            self.last = None;
        }
        Known { first_types, interner, bodies }
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
        if self.stays(&names) {
            return;
        }
        let Checked { types, clean, first_types } = checked;
        let bodies = types.bodies.iter().zip(clean);
        let ids = (0..u32::try_from(hir.defs.len()).unwrap_or(u32::MAX)).map(DefId);
        self.last = Some(Last {
            is_damaged: is_damaged(&names),
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

impl Fit {
    fn is_damaged(&self, def: DefId) -> bool {
        match self {
            Self::Damaged { found, .. } => found.get(def.index()).copied().unwrap_or(true),
            Self::None | Self::Same => false,
        }
    }

    /// Whether others may see something else of a declaration although its text is as it was.
    fn is_unsure(&self, id: DefId, def: &Def) -> bool {
        // The type of a constant follows from what it mentions.
        self.is_damaged(id)
            && (matches!(def.kind, DefKind::Const { .. })
                || matches!(self, Self::Damaged { has_types: true, .. }))
    }
}

impl Last {
    fn fit(&self, names: &Names, files: &Files) -> Fit {
        if same_declarations(&self.names, names, true) {
            return Fit::Same;
        }
        if self.is_damaged || !same_declarations(&self.names, names, false) {
            return Fit::None;
        }
        let has_types = names.heads.iter().any(|head| head.damaged && head.kind.is_type());
        mentions(names, files).map_or(Fit::None, |found| Fit::Damaged { found, has_types })
    }

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

/// Whether a declaration could not be read.
fn is_damaged(names: &Names) -> bool {
    names.heads.iter().any(|head| head.damaged)
        || names.scopes.iter().any(|scope| !scope.damaged_words.is_empty())
}

/// By [`DefId`]: the damaged declarations, and those in whose text their names stand, or the names of their variants.
/// `None` if they are too many to look for.
fn mentions(names: &Names, files: &Files) -> Option<Vec<bool>> {
    const MAX_WORDS: usize = 32;
    let mut found: Vec<bool> = names.heads.iter().map(|head| head.damaged).collect();
    // Nobody mentions a test.
    let damaged = names.heads.iter().filter(|head| head.damaged && head.kind != HeadKind::Test);
    let mut words: Vec<&str> = damaged
        .flat_map(|head| std::iter::once(&head.name).chain(&head.variants))
        .map(SmolStr::as_str)
        .filter(|word| !word.is_empty())
        .collect();
    words.sort_unstable();
    words.dedup();
    if words.len() > MAX_WORDS {
        return None;
    }
    for module in names.modules.iter().filter(|module| !module.is_std) {
        let file = files.get(module.file)?;
        let is_word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_' || !c.is_ascii();
        let text = file.text();
        for word in &words {
            for (at, _) in text.match_indices(word) {
                let behind = text.as_bytes().get(at + word.len());
                let before = at.checked_sub(1).and_then(|before| text.as_bytes().get(before));
                if behind.is_some_and(is_word) || before.is_some_and(is_word) {
                    continue;
                }
                let end = |def: &DefId| {
                    let node = names.head(*def).and_then(|head| file.tree.node(head.node));
                    node.map_or(0, |node| usize::from(node.range().end()))
                };
                let index = module.defs.partition_point(|def| end(def) <= at);
                let slot = module.defs.get(index).and_then(|def| found.get_mut(def.index()));
                slot.into_iter().for_each(|slot| *slot = true);
            }
        }
    }
    Some(found)
}

/// Whether the same declarations stand in the same modules, in the same order, and every name is in scope where it was;
/// and the same ones are damaged, if that is of interest.
fn same_declarations(old: &Names, new: &Names, and_damage: bool) -> bool {
    let same_head = |(old, new): (&Head, &Head)| {
        old.module == new.module
            && old.kind == new.kind
            && old.name == new.name
            && old.is_pub == new.is_pub
            && (old.damaged == new.damaged || !and_damage)
            && old.type_params == new.type_params
            && old.variants == new.variants
    };
    let same_damage = |old: &Scope, new: &Scope| {
        old.is_incomplete == new.is_incomplete && old.damaged_words == new.damaged_words
    };
    let same_scope = |(old, new): (&Scope, &Scope)| {
        (!and_damage || same_damage(old, new))
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
    fit: &Fit,
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
    let ids = (0u32..).map(DefId).zip(&hir.defs);
    let differ = ids.zip(places).filter(|((id, def), (old, new))| {
        !same(old.interface, new.interface) || fit.is_unsure(*id, def)
    });
    let mut open: Vec<ModuleId> = differ.map(|((_, def), _)| def.module).collect();
    let mut changed = vec![false; names.modules.len()];
    while let Some(module) = open.pop() {
        if let Some(changed @ false) = changed.get_mut(module.index()) {
            *changed = true;
            open.extend(importers.get(module.index()).into_iter().flatten());
        }
    }
    changed
}
