//! The usual `match` in linear time: arms that only look at the outermost constructor (variants with nothing told apart
//! inside, literals, ranges, `none`). Gives the same answers as `usefulness`, which takes the others.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;

use super::usefulness::{Ctor, P};

/// What values a flat match goes over.
pub(super) enum Domain {
    /// Those of these constructors, each with its number of parts.
    Ctors(Vec<(Ctor, usize)>),
    /// Whole numbers from the first to the second.
    Ints(i64, i64),
    /// Endlessly many.
    Endless,
}

/// What the arms so far cover.
pub(super) struct Flat {
    domain: Domain,
    optional: bool,
    none: bool,
    /// Everything that is not `none`.
    rest: bool,
    exact: FxHashSet<Ctor>,
    /// Covered numbers as disjoint ranges: start to end.
    ints: BTreeMap<i64, i64>,
}

/// Whether a pattern looks at the outermost constructor only (inside an optional, at the one below).
pub(super) fn is_flat(pattern: &P, optional: bool) -> bool {
    match pattern {
        P::Any => true,
        P::Or(all) => all.iter().all(|one| is_flat(one, optional)),
        P::Ctor(Ctor::None, _) => true,
        P::Ctor(Ctor::Some, parts) if optional => parts.iter().all(|one| is_flat(one, false)),
        P::Ctor(Ctor::List(..) | Ctor::Some, _) => false,
        P::Ctor(_, parts) => parts.iter().all(|one| matches!(one, P::Any)),
    }
}

impl Flat {
    pub fn new(domain: Domain, optional: bool) -> Self {
        Self {
            domain,
            optional,
            none: !optional,
            rest: false,
            exact: FxHashSet::default(),
            ints: BTreeMap::new(),
        }
    }

    /// Whether the pattern matches something that is not covered yet.
    pub fn useful(&self, pattern: &P) -> bool {
        match pattern {
            P::Any => !self.none || !self.complete(),
            P::Or(all) => all.iter().any(|one| self.useful(one)),
            P::Ctor(Ctor::None, _) => !self.none,
            P::Ctor(Ctor::Some, parts) => parts.iter().all(|one| self.useful_inside(one)),
            inside => self.useful_inside(inside),
        }
    }

    fn useful_inside(&self, pattern: &P) -> bool {
        match pattern {
            P::Any => !self.complete(),
            P::Or(all) => all.iter().any(|one| self.useful_inside(one)),
            _ if self.rest => false,
            P::Ctor(Ctor::Range(low, high), _) => !self.covers(*low, *high),
            P::Ctor(ctor, _) => !self.exact.contains(ctor),
        }
    }

    fn covers(&self, low: i64, high: i64) -> bool {
        self.ints.range(..=low).next_back().is_some_and(|(_, end)| *end >= high)
    }

    fn complete(&self) -> bool {
        self.rest
            || match &self.domain {
                Domain::Ctors(all) => all.iter().all(|(ctor, _)| self.exact.contains(ctor)),
                Domain::Ints(low, high) => self.covers(*low, *high),
                Domain::Endless => false,
            }
    }

    /// Counts a pattern as covered.
    pub fn cover(&mut self, pattern: &P) {
        match pattern {
            P::Any => {
                self.none = true;
                self.rest = true;
            }
            P::Or(all) => all.iter().for_each(|one| self.cover(one)),
            P::Ctor(Ctor::None, _) => self.none = true,
            P::Ctor(Ctor::Some, parts) => parts.iter().for_each(|one| self.cover_inside(one)),
            inside => self.cover_inside(inside),
        }
    }

    fn cover_inside(&mut self, pattern: &P) {
        match pattern {
            P::Any => self.rest = true,
            P::Or(all) => all.iter().for_each(|one| self.cover_inside(one)),
            P::Ctor(Ctor::Range(low, high), _) => self.cover_range(*low, *high),
            P::Ctor(ctor, _) => {
                self.exact.insert(ctor.clone());
            }
        }
    }

    /// Adds a range; ranges that touch or overlap become one.
    fn cover_range(&mut self, mut low: i64, mut high: i64) {
        if low > high {
            return;
        }
        while let Some((start, end)) =
            self.ints.range(..=high.saturating_add(1)).next_back().map(|(a, b)| (*a, *b))
            && end >= low.saturating_sub(1)
        {
            self.ints.remove(&start);
            low = low.min(start);
            high = high.max(end);
        }
        self.ints.insert(low, high);
    }

    /// At most `most` patterns for what is not covered.
    pub fn missing(&self, most: usize) -> Vec<P> {
        let mut all = Vec::new();
        if !self.none {
            all.push(P::Ctor(Ctor::None, Vec::new()));
        }
        let wrap = |pattern: P| {
            if self.optional { P::Ctor(Ctor::Some, vec![pattern]) } else { pattern }
        };
        if self.complete() {
            return all;
        }
        let untouched = self.exact.is_empty() && self.ints.is_empty();
        match &self.domain {
            Domain::Endless => all.push(wrap(P::Any)),
            _ if untouched && self.optional => all.push(wrap(P::Any)),
            Domain::Ctors(ctors) => {
                let open = ctors.iter().filter(|(ctor, _)| !self.exact.contains(ctor));
                all.extend(
                    open.take(most)
                        .map(|(ctor, count)| wrap(P::Ctor(ctor.clone(), vec![P::Any; *count]))),
                );
            }
            Domain::Ints(low, high) => {
                let mut next = Some(*low);
                for (start, end) in &self.ints {
                    if let Some(from) = next
                        && from < *start
                        && from <= *high
                    {
                        let gap = Ctor::Range(from, (start - 1).min(*high));
                        all.push(wrap(P::Ctor(gap, Vec::new())));
                    }
                    if all.len() >= most {
                        return all;
                    }
                    next = end.checked_add(1).map(|after| after.max(*low));
                }
                if let Some(from) = next
                    && from <= *high
                {
                    all.push(wrap(P::Ctor(Ctor::Range(from, *high), Vec::new())));
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(low: i64, high: i64) -> P {
        P::Ctor(Ctor::Range(low, high), Vec::new())
    }

    #[test]
    fn ranges_grow_together() {
        let mut flat = Flat::new(Domain::Ints(0, 9), false);
        flat.cover(&range(5, 6));
        flat.cover(&range(0, 1));
        flat.cover(&range(2, 4));
        assert!(!flat.useful(&range(1, 6)));
        assert!(flat.useful(&range(6, 7)));
        assert!(matches!(flat.missing(9)[..], [P::Ctor(Ctor::Range(7, 9), _)]));
        flat.cover(&range(8, 20));
        assert!(matches!(flat.missing(9)[..], [P::Ctor(Ctor::Range(7, 7), _)]));
        flat.cover(&range(7, 7));
        assert!(flat.missing(9).is_empty());
        assert!(!flat.useful(&P::Any));
    }

    #[test]
    fn the_ends_of_the_numbers_are_no_trap() {
        let mut flat = Flat::new(Domain::Ints(i64::MIN, i64::MAX), false);
        flat.cover(&range(i64::MIN, -1));
        flat.cover(&range(1, i64::MAX));
        assert!(matches!(flat.missing(9)[..], [P::Ctor(Ctor::Range(0, 0), _)]));
        flat.cover(&range(0, 0));
        assert!(flat.missing(9).is_empty());
    }

    #[test]
    fn none_is_apart_from_the_rest() {
        let ctors = vec![(Ctor::Bool(true), 0), (Ctor::Bool(false), 0)];
        let mut flat = Flat::new(Domain::Ctors(ctors), true);
        let some = |b| P::Ctor(Ctor::Some, vec![P::Ctor(Ctor::Bool(b), Vec::new())]);
        flat.cover(&some(true));
        assert_eq!(flat.missing(9).len(), 2);
        assert!(!flat.useful(&some(true)));
        flat.cover(&some(false));
        assert!(matches!(flat.missing(9)[..], [P::Ctor(Ctor::None, _)]));
        flat.cover(&P::Any);
        assert!(flat.missing(9).is_empty());
    }
}
