//! Patterns. In an expression binders take locals that are free; in an arm that becomes a region they are the first
//! locals, which are the first slots of the region.

use kait_ir::Value;
use kait_ir::expr::Pattern;
use smol_str::SmolStr;

use super::body::{BodyLowerer, Place};
use super::values::literal;
use crate::hir::{DefKind, LocalId, Pat, PatId, PatTarget};

impl BodyLowerer<'_, '_> {
    /// A pattern; its names are readable as locals from here on. The caller gives the locals free again.
    pub(super) fn pattern(&mut self, pat: PatId) -> Pattern {
        let mut bound = Vec::new();
        self.sub_pattern(pat, &mut bound)
    }

    /// A pattern whose binders become the parameters of a region: gives the names in the order of the parameters.
    pub(super) fn arm_pattern(&mut self, pat: PatId) -> (Pattern, Vec<LocalId>) {
        self.next_local = 0;
        let mut bound = Vec::new();
        let pattern = self.sub_pattern(pat, &mut bound);
        (pattern, bound.into_iter().map(|(local, _)| local).collect())
    }

    /// Makes names the parameters of the innermost region.
    pub(super) fn enter(&mut self, names: &[LocalId]) {
        let depth = self.depth();
        for (slot, local) in (0u32..).zip(names) {
            let name = self.local_name(*local);
            self.set_place(*local, Place::Slot(depth, slot, Default::default()));
            // Alternatives may bind a name of their own each; all of them mean the same value.
            self.alias(&name, *local);
        }
    }

    fn local_name(&self, local: LocalId) -> SmolStr {
        self.body.locals.get(local.index()).map(|local| local.name.clone()).unwrap_or_default()
    }

    /// Names of the same text that were bound by other alternatives follow `local`.
    fn alias(&mut self, name: &SmolStr, local: LocalId) {
        let Some(twins) = self.twins.remove(&local) else { return };
        let place = self.places.get(local.index()).cloned().flatten();
        for twin in twins {
            debug_assert_eq!(self.local_name(twin), *name, "twins have one name");
            if let Some(place) = place.clone() {
                self.set_place(twin, place);
            }
        }
    }

    fn sub_pattern(&mut self, pat: PatId, bound: &mut Vec<(LocalId, u32)>) -> Pattern {
        let body = self.body;
        match body.pats.get(pat.index()) {
            None | Some(Pat::Missing | Pat::Any) => Pattern::Any,
            Some(Pat::Bind(local)) => {
                let bind = Pattern::Bind(self.binder(*local, bound));
                if self.types.non_none.contains(&pat) {
                    Pattern::Some(Box::new(bind))
                } else {
                    bind
                }
            }
            Some(Pat::Literal(value)) => Pattern::Const(literal(value)),
            Some(Pat::Range(from, to)) => Pattern::Range(literal(from), literal(to)),
            Some(Pat::Tag { target, args }) => {
                let fields = self.types.pat_fields.get(&pat);
                let mut inner = Vec::new();
                for (index, arg) in args.iter().flatten().enumerate() {
                    let Some(field) = fields.and_then(|fields| fields.get(index)).copied() else {
                        continue;
                    };
                    match self.sub_pattern(arg.pat, bound) {
                        Pattern::Any => {}
                        pattern => inner.push((field, pattern)),
                    }
                }
                match self.variant_of(pat, target) {
                    Some(index) => Pattern::Variant(index, inner),
                    None => Pattern::Record(inner),
                }
            }
            Some(Pat::List { items, rest }) => {
                let items = items.iter().map(|item| self.sub_pattern(*item, bound)).collect();
                let rest = rest.map(|rest| rest.map(|local| self.binder(local, bound)));
                Pattern::List(items, rest)
            }
            Some(Pat::Or(all)) => {
                Pattern::Or(all.iter().map(|one| self.sub_pattern(*one, bound)).collect())
            }
        }
    }

    fn binder(&mut self, local: LocalId, bound: &mut Vec<(LocalId, u32)>) -> u32 {
        let name = self.local_name(local);
        let twin =
            bound.iter().find(|(known, _)| *known == local || self.local_name(*known) == name);
        let register = match twin.copied() {
            Some((first, register)) => {
                if first != local {
                    self.twins.entry(first).or_default().push(local);
                }
                register
            }
            None => {
                let register = self.local();
                bound.push((local, register));
                register
            }
        };
        self.set_place(local, Place::Local(register, Default::default()));
        register
    }

    /// The variant that a tag names; `None` for a record.
    fn variant_of(&self, pat: PatId, target: &PatTarget) -> Option<u32> {
        if let Some((def, index)) = self.types.pat_variants.get(&pat) {
            let is_enum = matches!(self.low.def(*def).map(|def| &def.kind), Some(DefKind::Enum(_)));
            return is_enum.then_some(*index);
        }
        match target {
            PatTarget::Variant(_, index) => Some(*index),
            _ => None,
        }
    }
}

/// What a test of truth takes for yes.
pub(super) fn yes() -> Pattern {
    Pattern::Const(Value::Bool(true))
}
