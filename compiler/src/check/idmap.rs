//! A small map from the ids of one body, for what only few of its expressions have.

/// Values by id, in the order of the ids. Bodies are checked in about the order in which their parts were made, so
/// adding is mostly appending; out of turn it costs as much as there are larger ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdMap<K, V> {
    entries: Vec<(K, V)>,
}

impl<K, V> Default for IdMap<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<K: Copy + Ord, V> IdMap<K, V> {
    fn find(&self, id: K) -> Result<usize, usize> {
        match self.entries.last() {
            Some((last, _)) if *last < id => Err(self.entries.len()),
            None => Err(0),
            _ => self.entries.binary_search_by_key(&id, |(id, _)| *id),
        }
    }

    /// The value of an id.
    #[must_use]
    pub fn get(&self, id: &K) -> Option<&V> {
        let at = self.find(*id).ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// Whether an id has a value.
    #[must_use]
    pub fn contains_key(&self, id: &K) -> bool {
        self.find(*id).is_ok()
    }

    /// All values with their ids, in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.entries.iter().map(|(id, value)| (*id, value))
    }

    /// Gives back the memory that no value uses.
    pub(super) fn shrink(&mut self) {
        self.entries.shrink_to_fit();
    }

    pub(super) fn get_mut(&mut self, id: &K) -> Option<&mut V> {
        let at = self.find(*id).ok()?;
        self.entries.get_mut(at).map(|(_, value)| value)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// Sets the value of an id, whether it has one or not.
    pub(super) fn insert(&mut self, id: K, value: V) {
        match self.find(id) {
            Ok(at) => {
                if let Some((_, known)) = self.entries.get_mut(at) {
                    *known = value;
                }
            }
            Err(at) => self.entries.insert(at, (id, value)),
        }
    }
}

impl<K: Copy + Ord, T> IdMap<K, Vec<T>> {
    /// Adds to the list of an id.
    pub(super) fn push(&mut self, id: K, item: T) {
        match self.get_mut(&id) {
            Some(known) => known.push(item),
            None => self.insert(id, vec![item]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_of_adding_gives_the_same_map() {
        let mut one = IdMap::default();
        let mut other = IdMap::default();
        for id in [1u32, 4, 9] {
            one.insert(id, vec![id]);
        }
        for id in [9u32, 1, 4] {
            other.push(id, id);
        }
        assert_eq!(one, other);
        one.insert(4, Vec::new());
        assert_eq!(one.get(&4), Some(&Vec::new()));
        assert!(one.contains_key(&9) && !one.contains_key(&2) && !one.contains_key(&10));
        assert_eq!(one.iter().map(|(id, _)| id).collect::<Vec<_>>(), [1, 4, 9]);
    }
}
