//! What types say about trust: which values can only choose, and which hold parts that are declared one way or another.

use rustc_hash::FxHashSet;

use crate::program::Program;
use crate::types::{Bound, FieldType, Trust, Type, TypeId};

/// What values of a type can be and hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// All that they say was foreseen by the program: they only choose.
    pub(super) closed: bool,
    /// They may hold a part that only chooses.
    pub(super) holds_closed: bool,
    /// They may hold a field that is declared `untrusted`, whatever the label of the whole.
    pub(super) holds_marked: bool,
    /// They may hold a field that is declared `trusted`.
    pub(super) holds_clear: bool,
}

impl Facts {
    const UNKNOWN: Self =
        Self { closed: false, holds_closed: false, holds_marked: false, holds_clear: false };

    /// Whatever is possible: for types of which too little is known.
    const ANYTHING: Self =
        Self { closed: false, holds_closed: true, holds_marked: true, holds_clear: true };

    /// Whether all parts are alike: a value of it has one label and nothing to be told apart.
    pub(super) fn is_plain(self) -> bool {
        !self.closed && !self.holds_closed && !self.holds_marked && !self.holds_clear
    }
}

/// Types nest in files that people may have written; after so many rounds nothing more is believed.
const MAX_ROUNDS: u32 = 64;

/// Most parts that are compared of two types, so that types that name others twice have an end.
const MAX_COMPARED: u32 = 4096;

/// The facts of all types of a program.
pub(super) struct TypeFacts<'p> {
    program: &'p Program,
    facts: Vec<Facts>,
}

impl<'p> TypeFacts<'p> {
    /// The least fixpoint: a type that holds itself only chooses never, because its values have no bound.
    pub(super) fn of(program: &'p Program) -> Self {
        let mut all = Self { program, facts: vec![Facts::UNKNOWN; program.types.len()] };
        for round in 0.. {
            let mut changed = false;
            for (id, ty) in program.types.iter() {
                let found = if round < MAX_ROUNDS { all.sum(ty) } else { Facts::ANYTHING };
                if let Some(slot) = all.facts.get_mut(id.0 as usize).filter(|slot| **slot != found)
                {
                    *slot = found;
                    changed = true;
                }
            }
            if !changed || round >= MAX_ROUNDS {
                break;
            }
        }
        all
    }

    pub(super) fn get(&self, id: TypeId) -> Facts {
        self.facts.get(id.0 as usize).copied().unwrap_or(Facts::ANYTHING)
    }

    fn sum(&self, ty: &Type) -> Facts {
        let closed = Facts { closed: true, holds_closed: true, ..Facts::UNKNOWN };
        match ty {
            Type::Bool | Type::None | Type::Role | Type::Secret | Type::Selector => closed,
            Type::List(inner) | Type::Optional(inner) => self.get(*inner),
            Type::Map(key, value) => both(self.get(*key), self.get(*value)),
            Type::Record(record) => self.fields(closed, &record.fields),
            Type::Enum(declared) => {
                declared.variants.iter().fold(closed, |all, one| self.fields(all, &one.fields))
            }
            Type::Refined { base, bounds, .. } => {
                let inner = self.get(*base);
                let has = |wanted: fn(&Bound) -> bool| bounds.iter().any(wanted);
                let bounded = *self.program.types.base(*base) == Type::Int
                    && has(|bound| matches!(bound, Bound::Min(_)))
                    && has(|bound| matches!(bound, Bound::Max(_)));
                Facts {
                    closed: inner.closed || bounded,
                    holds_closed: inner.holds_closed || bounded,
                    ..inner
                }
            }
            _ => Facts::UNKNOWN,
        }
    }

    fn fields(&self, start: Facts, fields: &[FieldType]) -> Facts {
        fields.iter().fold(start, |all, field| {
            let inner = self.get(field.ty);
            let only_clear = field.trust == Some(Trust::Trusted);
            both(
                all,
                Facts {
                    closed: inner.closed || only_clear,
                    holds_closed: inner.holds_closed,
                    holds_marked: inner.holds_marked
                        || matches!(field.trust, Some(Trust::Untrusted | Trust::Mixed)),
                    holds_clear: inner.holds_clear || field.trust.is_some_and(Trust::wants_trusted),
                },
            )
        })
    }

    /// The type below refinements and `?`, which say nothing of what a value is made of.
    pub(super) fn strip(&self, mut id: TypeId) -> (TypeId, &'p Type) {
        for _ in 0..128 {
            match self.program.types.get(id) {
                Type::Refined { base: inner, .. } | Type::Optional(inner) => id = *inner,
                other => return (id, other),
            }
        }
        (id, self.program.types.get(id))
    }

    /// Whether a value of the type `from` can be taken for one of `to` as it is: it has the same parts with the same
    /// words, and chooses only where it did before. With `checked`, bounds are looked at when it runs.
    pub(super) fn agree(&self, from: TypeId, to: TypeId, checked: bool) -> bool {
        let mut seen = FxHashSet::default();
        let mut open = vec![(from, to)];
        let mut fuel = MAX_COMPARED;
        while let Some((from, to)) = open.pop() {
            if from == to || !seen.insert((from, to)) {
                continue;
            }
            let Some(rest) = fuel.checked_sub(1) else { return false };
            fuel = rest;
            if !checked && self.get(to).closed && !self.get(from).closed {
                return false;
            }
            match (self.strip(from).1, self.strip(to).1) {
                // `none` is an optional's other value.
                (Type::None, _) if matches!(self.program.types.base(to), Type::Optional(_)) => {}
                (Type::List(a), Type::List(b)) => open.push((*a, *b)),
                (Type::Map(a, b), Type::Map(c, d)) => open.extend([(*a, *c), (*b, *d)]),
                (Type::Record(a), Type::Record(b)) => {
                    if !same_fields(&a.fields, &b.fields, &mut open) {
                        return false;
                    }
                }
                (Type::Enum(a), Type::Enum(b)) => {
                    if a.variants.len() != b.variants.len() {
                        return false;
                    }
                    for (a, b) in a.variants.iter().zip(&b.variants) {
                        if !same_fields(&a.fields, &b.fields, &mut open) {
                            return false;
                        }
                    }
                }
                (a, b) => {
                    if std::mem::discriminant(a) != std::mem::discriminant(b) {
                        return false;
                    }
                }
            }
        }
        true
    }
}

fn same_fields(a: &[FieldType], b: &[FieldType], open: &mut Vec<(TypeId, TypeId)>) -> bool {
    open.extend(a.iter().zip(b).map(|(a, b)| (a.ty, b.ty)));
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.trust == b.trust)
}

fn both(a: Facts, b: Facts) -> Facts {
    Facts {
        closed: a.closed && b.closed,
        holds_closed: a.holds_closed || b.holds_closed,
        holds_marked: a.holds_marked || b.holds_marked,
        holds_clear: a.holds_clear || b.holds_clear,
    }
}
