//! Places that matter for other places: whether one of very many lies around a place, or overlaps it.

use std::collections::BTreeMap;

use super::{FileId, Span};

/// A set of places, of which only those are kept that lie in no other: so both start and end ascend, and every question
/// is answered by one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Where each ends, by where it starts.
    ends: BTreeMap<(FileId, u32), u32>,
}

impl Places {
    /// Adds a place.
    pub fn insert(&mut self, place: Span) {
        if self.cover(place) {
            return;
        }
        let from = (place.file, place.start);
        let inside = |(at, end): (&(FileId, u32), &u32)| {
            (at.0 == place.file && *end <= place.end).then_some(*at)
        };
        while let Some(at) = self.ends.range(from..).next().and_then(inside) {
            self.ends.remove(&at);
        }
        self.ends.insert(from, place.end);
    }

    /// Whether one of them contains a place.
    pub fn cover(&self, place: Span) -> bool {
        let before = self.ends.range((place.file, 0)..=(place.file, place.start)).next_back();
        before.is_some_and(|(_, end)| *end >= place.end)
    }

    /// Whether one of them has a byte in common with a place.
    pub fn touch(&self, place: Span) -> bool {
        // Empty ones have no bytes; of the others, the last that starts before the place ends is the one that ends last.
        let before = self.ends.range((place.file, 0)..(place.file, place.end.max(1)));
        let last = before.rev().find(|((_, start), end)| *end > start);
        last.is_some_and(|((_, start), end)| (*start).max(place.start) < (*end).min(place.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_looking_at_each() {
        let span = |(start, end)| Span::new(FileId(1), start, end);
        let mut random = 7u32;
        for _ in 0..500 {
            let mut next = || {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let start = (random >> 8) % 20;
                (start, start + (random >> 20) % 8)
            };
            let all: Vec<Span> = (0..6).map(|_| span(next())).collect();
            let mut places = Places::default();
            all.iter().for_each(|place| places.insert(*place));
            for _ in 0..10 {
                let asked = span(next());
                let covered = all.iter().any(|place| place.contains(asked));
                assert_eq!(places.cover(asked), covered, "{all:?} {asked:?}");
                let touched =
                    all.iter().any(|one| one.start.max(asked.start) < one.end.min(asked.end));
                assert_eq!(places.touch(asked), touched, "{all:?} {asked:?}");
                assert!(!places.cover(Span::new(FileId(0), asked.start, asked.end)));
            }
        }
    }
}
