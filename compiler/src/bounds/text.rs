//! Amounts in words: `3·len(files) + 1`.

use smol_str::SmolStr;

use super::{Amount, Bounds, Size, SizeId};
use crate::hir::{DefId, DefKind, Hir};

impl Bounds {
    /// An amount as a formula in the parameters of the declaration that it belongs to; `unbounded` where nothing bounds
    /// it. A list counts as `len(files)`, a number by its name.
    #[must_use]
    pub fn formula(&self, hir: &Hir, def: DefId, amount: &Amount) -> String {
        if !amount.reasons().is_empty() {
            return "unbounded".to_owned();
        }
        let terms = amount.terms();
        if terms.is_empty() {
            return "0".to_owned();
        }
        let mut parts = Vec::with_capacity(terms.len());
        for (n, sizes) in terms {
            let mut factors = Vec::with_capacity(sizes.len() + 1);
            if n != 1 || sizes.is_empty() {
                factors.push(grouped(n));
            }
            factors.extend(sizes.iter().map(|id| self.size(hir, def, *id)));
            parts.push(factors.join("·"));
        }
        parts.join(" + ")
    }

    /// What the sizes of an amount are at most, as far as something says so: `len(files) ≤ 50`.
    #[must_use]
    pub fn limits(&self, hir: &Hir, def: DefId, amount: &Amount) -> Vec<String> {
        let mut found = Vec::new();
        self.collect_limits(hir, def, amount, &mut found);
        found
    }

    /// The sizes of an amount that nothing limits: `len(files)`.
    #[must_use]
    pub fn unlimited(&self, hir: &Hir, def: DefId, amount: &Amount) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for id in amount.sizes().filter(|id| self.sizes.limit(*id).is_none()) {
            match self.sizes.get(id) {
                Some(Size::Of { .. }) => found.push(self.size(hir, def, id)),
                Some(Size::Largest(all)) => {
                    found.extend(all.iter().flat_map(|one| self.unlimited(hir, def, one)));
                }
                Some(Size::Least(..)) | None => {}
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn collect_limits(&self, hir: &Hir, def: DefId, amount: &Amount, found: &mut Vec<String>) {
        for id in amount.sizes() {
            match self.sizes.get(id) {
                Some(Size::Of { limit: Some(limit), .. }) => {
                    let text = format!("{} ≤ {}", self.size(hir, def, id), grouped(*limit));
                    if !found.contains(&text) {
                        found.push(text);
                    }
                }
                Some(Size::Largest(all)) => {
                    for one in all {
                        self.collect_limits(hir, def, one, found);
                    }
                }
                Some(Size::Least(one, _)) => self.collect_limits(hir, def, one, found),
                Some(Size::Of { .. }) | None => {}
            }
        }
    }

    fn size(&self, hir: &Hir, def: DefId, id: SizeId) -> String {
        match self.sizes.get(id) {
            Some(Size::Of { param, fields, counted, .. }) => {
                let name = size_name(hir, def, *param, fields);
                if *counted { format!("len({name})") } else { name }
            }
            Some(Size::Largest(all)) => {
                let all: Vec<String> = all.iter().map(|one| self.formula(hir, def, one)).collect();
                format!("max({})", all.join(", "))
            }
            Some(Size::Least(one, most)) => {
                format!("min({}, {})", self.formula(hir, def, one), grouped(*most))
            }
            None => "?".to_owned(),
        }
    }
}

/// A parameter, or a field of one, as the program would write it.
pub(super) fn size_name(hir: &Hir, def: DefId, param: u32, fields: &[SmolStr]) -> String {
    let name = match hir.defs.get(def.index()).map(|def| &def.kind) {
        Some(DefKind::Callable(callable)) => {
            callable.params.get(param as usize).map(|param| param.name.as_str())
        }
        _ => None,
    };
    let parts = std::iter::once(name.unwrap_or("?")).chain(fields.iter().map(SmolStr::as_str));
    parts.collect::<Vec<_>>().join(".")
}

/// A number with its digits in groups, as the language writes them: `60_000`.
#[must_use]
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}
