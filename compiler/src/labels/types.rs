//! What types say about labels: the words in front of written ones, and which kinds of values a type can hold.

use std::cell::RefCell;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::check::lang::Lang;
use crate::check::ty::{Interner, Prim, Ty, TyKind};
use crate::check::{DefTypes, Types};
use crate::hir::groups::Groups;
use crate::hir::{DefId, DefKind, Field, Hir, Qualifier, TypeRef, TypeRefKind};

/// Which of the two kinds of labels a pass is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    /// `untrusted` is marked, `trusted` clear.
    Trust,
    /// `private` is marked, `public` clear.
    Secrecy,
}

/// What a written type says of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `trusted`, `public`
    Clear,
    /// `untrusted`, `private`
    Marked,
}

impl Axis {
    fn word(self, qualifier: Qualifier) -> Option<Word> {
        match (self, qualifier) {
            (Self::Trust, Qualifier::Trusted) | (Self::Secrecy, Qualifier::Public) => {
                Some(Word::Clear)
            }
            (Self::Trust, Qualifier::Untrusted) | (Self::Secrecy, Qualifier::Private) => {
                Some(Word::Marked)
            }
            _ => None,
        }
    }

    /// What a written type says of its values, in front of it or of a part of it: a word on the items is one on the
    /// list, because a list has the label of its items.
    pub fn declared(self, hir: &Hir, ty: &TypeRef) -> Option<Word> {
        // Nearly all types say nothing.
        if ty.quals.is_empty() && matches!(ty.kind, TypeRefKind::Primitive(_)) {
            return None;
        }
        // Of two different words it is the careful one.
        let Words { clear, marked } = self.words(hir, ty);
        match (marked, clear) {
            (true, _) => Some(Word::Marked),
            (false, true) => Some(Word::Clear),
            (false, false) => None,
        }
    }

    /// Whether a place of this written type takes only clear values: every part that says so must be obeyed, so a type
    /// that says it anywhere does.
    pub fn wants_clear(self, hir: &Hir, ty: &TypeRef) -> bool {
        if ty.quals.is_empty() && matches!(ty.kind, TypeRefKind::Primitive(_)) {
            return false;
        }
        self.words(hir, ty).clear
    }

    fn words(self, hir: &Hir, ty: &TypeRef) -> Words {
        let mut found = Words::default();
        self.collect(hir, ty, &mut { MAX_PARTS }, &mut found);
        found
    }

    fn collect(self, hir: &Hir, ty: &TypeRef, fuel: &mut u32, found: &mut Words) {
        for word in ty.quals.iter().filter_map(|qualifier| self.word(*qualifier)) {
            found.clear |= word == Word::Clear;
            found.marked |= word == Word::Marked;
        }
        let Some(rest) = fuel.checked_sub(1) else {
            // Whatever it says, this is careful.
            *found = Words { clear: true, marked: true };
            return;
        };
        *fuel = rest;
        match &ty.kind {
            TypeRefKind::List(inner) | TypeRefKind::Optional(inner) => {
                self.collect(hir, inner, fuel, found);
            }
            TypeRefKind::Map(key, value) => {
                self.collect(hir, key, fuel, found);
                self.collect(hir, value, fuel, found);
            }
            TypeRefKind::Named(def, args) => {
                if let Some(DefKind::Alias(alias)) = hir.defs.get(def.index()).map(|def| &def.kind)
                {
                    self.collect(hir, &alias.ty, fuel, found);
                }
                args.iter().for_each(|arg| self.collect(hir, arg, fuel, found));
            }
            TypeRefKind::Missing
            | TypeRefKind::Primitive(_)
            | TypeRefKind::Param(_)
            | TypeRefKind::Selector(..) => {}
        }
    }
}

/// Which words stand in a written type.
#[derive(Clone, Copy, Debug, Default)]
struct Words {
    clear: bool,
    marked: bool,
}

/// Most parts of a written type that are looked at, those of the aliases that it names included: aliases that name
/// others twice would have no end.
const MAX_PARTS: u32 = 512;

/// What values of a type can be and hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    /// All that they say was foreseen by the program: they only choose.
    closed: bool,
    /// They may hold a field that is declared `untrusted` (or `private`), whatever the label of the whole.
    holds_marked: bool,
    /// They may hold a field that is declared `trusted` (or `public`).
    holds_clear: bool,
    /// They may hold a message to a model, which may instruct it.
    instructs: bool,
}

impl Facts {
    const CLOSED: Self =
        Self { closed: true, holds_marked: false, holds_clear: false, instructs: false };
    const OPEN: Self = Self { closed: false, ..Self::CLOSED };

    fn and(self, other: Self) -> Self {
        Self {
            closed: self.closed && other.closed,
            holds_marked: self.holds_marked || other.holds_marked,
            holds_clear: self.holds_clear || other.holds_clear,
            instructs: self.instructs || other.instructs,
        }
    }
}

/// The facts of all types that the program declares.
#[derive(Debug)]
pub(super) struct TypeFacts {
    /// The `Message` of the prelude: its `System` instructs, so it takes only trusted text. The program did not say so
    /// itself, and whoever sends a list of messages vouches for nothing by that: it is told apart from declared fields.
    message: Option<DefId>,
    /// By [`DefId`]; of what is no record or enum they say nothing. Type parameters count as closed: what stands for
    /// them is looked at where they are given.
    defs: Vec<Facts>,
    /// Of types with several parts, which others may name again and again; and whether type parameters count as open.
    known: RefCell<FxHashMap<(Ty, bool), Facts>>,
}

impl TypeFacts {
    /// Looks at every record and enum once, what is held before what holds it. A type that holds itself is open: its
    /// values have no bound.
    pub fn of(hir: &Hir, types: &Types, axis: Axis) -> Self {
        let mut held: Vec<Vec<DefId>> = Vec::with_capacity(hir.defs.len());
        for (index, def) in hir.defs.iter().enumerate() {
            let mut all = Vec::new();
            let mut seen = FxHashSet::default();
            each_field(&def.kind, types.defs.get(index), |_, ty| {
                defs_in(&types.interner, ty, &mut seen, &mut all);
            });
            held.push(all);
        }
        let message = match axis {
            Axis::Trust => Lang::find(hir).message,
            Axis::Secrecy => None,
        };
        let mut facts =
            Self { message, defs: vec![Facts::CLOSED; hir.defs.len()], known: RefCell::default() };
        let groups = Groups::of(held.len(), |def, nth| held.get(def)?.get(nth).copied());
        for group in groups.iter() {
            let holds_itself = group.len() > 1
                || group.iter().any(|def| held.get(def.index()).is_some_and(|h| h.contains(def)));
            let start = if holds_itself { Facts::OPEN } else { Facts::CLOSED };
            let mut all = start;
            for def in group {
                let Some(declared) = hir.defs.get(def.index()) else { continue };
                if message == Some(*def) {
                    all = all.and(Facts { instructs: true, ..Facts::OPEN });
                    continue;
                }
                each_field(&declared.kind, types.defs.get(def.index()), |field, ty| {
                    let inner = facts.of_part(&types.interner, ty, Facts::CLOSED);
                    let word = axis.declared(hir, &field.ty);
                    all = all.and(Facts {
                        closed: inner.closed || word == Some(Word::Clear),
                        holds_marked: inner.holds_marked || word == Some(Word::Marked),
                        holds_clear: inner.holds_clear || axis.wants_clear(hir, &field.ty),
                        instructs: inner.instructs,
                    });
                });
            }
            for def in group {
                if let Some(slot) = facts.defs.get_mut(def.index()) {
                    *slot = all;
                }
            }
            // What was found of types of this group was not all.
            facts.known.get_mut().clear();
        }
        facts
    }

    /// Whether values of the type only choose among what the program foresaw: truths, enums, numbers within bounds, and
    /// whatever is made of nothing else.
    pub fn is_closed(&self, interner: &Interner, ty: Ty) -> bool {
        self.of_ty(interner, ty).closed
    }

    /// Whether values of the type may hold a field that is declared `untrusted` (or `private`).
    pub fn holds_marked(&self, interner: &Interner, ty: Ty) -> bool {
        self.of_ty(interner, ty).holds_marked
    }

    /// Whether values of the type may hold a field that is declared `trusted` (or `public`).
    pub fn holds_clear(&self, interner: &Interner, ty: Ty) -> bool {
        self.of_ty(interner, ty).holds_clear
    }

    /// Whether values of the type may hold messages, of which one may instruct a model.
    pub fn instructs(&self, interner: &Interner, ty: Ty) -> bool {
        self.of_ty(interner, ty).instructs
    }

    /// Whether values of the type may hold a part that takes only clear values: a declared field, or instructions.
    pub fn takes_clear(&self, interner: &Interner, ty: Ty) -> bool {
        let Facts { holds_clear, instructs, .. } = self.of_ty(interner, ty);
        holds_clear || instructs
    }

    /// Whether anything in the program may hold a part that takes only clear values; asked before types are looked at.
    pub fn any_takes_clear(&self) -> bool {
        self.defs.iter().any(|facts| facts.holds_clear || facts.instructs)
    }

    /// Whether the program has messages at all.
    pub fn has_messages(&self, interner: &Interner) -> bool {
        self.message.is_some_and(|message| interner.has_named(message))
    }

    /// Types nest at most [`crate::check::ty::MAX_DEPTH`] deep.
    fn of_ty(&self, interner: &Interner, ty: Ty) -> Facts {
        self.of_part(interner, ty, Facts::OPEN)
    }

    /// The facts of a type in whose declaration type parameters are `param`.
    fn of_part(&self, interner: &Interner, ty: Ty, param: Facts) -> Facts {
        let kind = interner.kind(ty);
        let has_parts = match kind {
            TyKind::Map(..) => true,
            TyKind::Named(_, args) => args.len() > 1,
            _ => false,
        };
        if !has_parts {
            return self.of_kind(interner, kind, param);
        }
        let key = (ty, param.closed);
        if let Some(known) = self.known.borrow().get(&key) {
            return *known;
        }
        let found = self.of_kind(interner, kind, param);
        self.known.borrow_mut().insert(key, found);
        found
    }

    fn of_kind(&self, interner: &Interner, kind: &TyKind, param: Facts) -> Facts {
        match kind {
            TyKind::Param(_) => param,
            // A value of an unknown type follows from a mistake that was said.
            TyKind::Error | TyKind::Never | TyKind::Selector(..) => Facts::CLOSED,
            TyKind::Prim(prim) => {
                let closed = matches!(prim, Prim::Bool | Prim::None | Prim::Role | Prim::Secret);
                Facts { closed, ..Facts::OPEN }
            }
            TyKind::List(inner) | TyKind::Optional(inner) => self.of_part(interner, *inner, param),
            TyKind::Map(key, value) => {
                self.of_part(interner, *key, param).and(self.of_part(interner, *value, param))
            }
            TyKind::Named(def, args) => {
                let own = self.defs.get(def.index()).copied().unwrap_or(Facts::OPEN);
                args.iter().fold(own, |all, arg| all.and(self.of_part(interner, *arg, param)))
            }
            TyKind::Refined { base, bounds, .. } => {
                let has = |name: &str| bounds.iter().any(|bound| bound.name == name);
                let inner = self.of_part(interner, *base, param);
                let is_int = interner.base(*base) == Ty::INT;
                Facts { closed: inner.closed || is_int && has("min") && has("max"), ..inner }
            }
            TyKind::Var(_) => Facts::OPEN,
        }
    }
}

/// Calls `f` with every field of a record or session, or of an enum's payloads, and its type.
fn each_field(kind: &DefKind, types: Option<&DefTypes>, mut f: impl FnMut(&Field, Ty)) {
    match (kind, types) {
        (DefKind::Record(record), Some(DefTypes::Record(types))) => {
            record.fields.iter().zip(types).for_each(|(field, ty)| f(field, *ty));
        }
        (DefKind::Enum(declared), Some(DefTypes::Enum(types))) => {
            for (variant, types) in declared.variants.iter().zip(types) {
                variant.fields.iter().zip(types).for_each(|(field, ty)| f(field, *ty));
            }
        }
        _ => {}
    }
}

/// The records and enums that a type names.
fn defs_in(interner: &Interner, ty: Ty, seen: &mut FxHashSet<Ty>, all: &mut Vec<DefId>) {
    if !seen.insert(ty) {
        return;
    }
    match interner.kind(ty) {
        TyKind::List(inner) | TyKind::Optional(inner) | TyKind::Refined { base: inner, .. } => {
            defs_in(interner, *inner, seen, all);
        }
        TyKind::Map(key, value) | TyKind::Selector(key, value) => {
            defs_in(interner, *key, seen, all);
            defs_in(interner, *value, seen, all);
        }
        TyKind::Named(def, args) => {
            all.push(*def);
            args.iter().for_each(|arg| defs_in(interner, *arg, seen, all));
        }
        TyKind::Error | TyKind::Never | TyKind::Prim(_) | TyKind::Param(_) | TyKind::Var(_) => {}
    }
}

/// The field of a record, session or variant that is declared at this place.
pub(super) fn field_of(hir: &Hir, def: DefId, variant: Option<u32>, index: u32) -> Option<&Field> {
    match (&hir.defs.get(def.index())?.kind, variant) {
        (DefKind::Record(record) | DefKind::Session(record), _) => {
            record.fields.get(index as usize)
        }
        (DefKind::Enum(declared), Some(variant)) => {
            declared.variants.get(variant as usize)?.fields.get(index as usize)
        }
        _ => None,
    }
}
