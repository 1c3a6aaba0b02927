//! Which declarations need each other, in an order in which what is needed comes first.

use super::DefId;

/// The strongly connected components of a graph of declarations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    members: Vec<DefId>,
    /// Where each group ends in `members`.
    ends: Vec<u32>,
}

impl Groups {
    /// The groups, callees before callers.
    pub fn iter(&self) -> impl Iterator<Item = &[DefId]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts
            .zip(&self.ends)
            .filter_map(|(start, end)| self.members.get(start as usize..*end as usize))
    }

    /// The groups of `count` declarations; `call` gives the nth callee of one, `None` behind the last.
    ///
    /// Tarjan's algorithm (*Depth-first search and linear graph algorithms*, 1972) over the calls as they are: without
    /// a copy of the graph, and without recursion, because a chain of calls can be as long as a program.
    pub fn of(count: usize, call: impl Fn(usize, usize) -> Option<DefId>) -> Self {
        let mut search = Search {
            number: vec![UNSEEN; count],
            open: Vec::new(),
            path: Vec::new(),
            found: Self { members: Vec::with_capacity(count), ends: Vec::with_capacity(count) },
            next: 0,
        };
        for index in 0..count {
            search.from(index, &call);
        }
        search.found
    }
}

/// Not met yet.
const UNSEEN: u32 = u32::MAX;
/// In a group that is complete.
const CLOSED: u32 = u32::MAX - 1;

struct Search {
    /// In the order in which they were met.
    number: Vec<u32>,
    /// Met, but not yet in a group.
    open: Vec<DefId>,
    /// The declarations whose calls are being followed, callers first.
    path: Vec<Frame>,
    found: Groups,
    next: u32,
}

/// A declaration whose calls are being followed.
struct Frame {
    def: usize,
    number: u32,
    /// The smallest number that can be reached from it.
    low: u32,
    /// The call that is next.
    call: usize,
}

impl Search {
    fn from(&mut self, start: usize, call: &impl Fn(usize, usize) -> Option<DefId>) {
        self.enter(start);
        while let Some(frame) = self.path.last_mut() {
            if let Some(callee) = call(frame.def, frame.call) {
                frame.call += 1;
                match self.number.get(callee.index()) {
                    Some(&UNSEEN) => self.enter(callee.index()),
                    Some(&number) if number != CLOSED => frame.low = frame.low.min(number),
                    _ => {}
                }
                continue;
            }
            let Some(done) = self.path.pop() else { return };
            if done.low == done.number {
                self.close(done.def);
            }
            if let Some(caller) = self.path.last_mut() {
                caller.low = caller.low.min(done.low);
            }
        }
    }

    /// Follows the calls of a declaration that was not met yet.
    fn enter(&mut self, def: usize) {
        let Some(slot) = self.number.get_mut(def).filter(|number| **number == UNSEEN) else {
            return;
        };
        let number = self.next;
        *slot = number;
        self.next += 1;
        self.open.push(DefId(u32::try_from(def).unwrap_or(u32::MAX)));
        self.path.push(Frame { def, number, low: number, call: 0 });
    }

    /// What was met since `def`, itself included, is a group.
    fn close(&mut self, def: usize) {
        while let Some(member) = self.open.pop() {
            if let Some(number) = self.number.get_mut(member.index()) {
                *number = CLOSED;
            }
            self.found.members.push(member);
            if member.index() == def {
                break;
            }
        }
        self.found.ends.push(u32::try_from(self.found.members.len()).unwrap_or(u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(calls: &[&[u32]]) -> Vec<Vec<u32>> {
        let call = |def: usize, nth: usize| calls.get(def)?.get(nth).copied().map(DefId);
        let sorted = |group: &[DefId]| {
            let mut group: Vec<u32> = group.iter().map(|def| def.0).collect();
            group.sort_unstable();
            group
        };
        Groups::of(calls.len(), call).iter().map(sorted).collect()
    }

    #[test]
    fn callees_come_before_callers() {
        assert_eq!(groups(&[&[1, 2], &[2], &[]]), [[2], [1], [0]]);
    }

    #[test]
    fn who_calls_each_other_is_one_group() {
        let found = groups(&[&[1], &[2, 3], &[1], &[4, 9], &[4]]);
        assert_eq!(found, [vec![4], vec![3], vec![1, 2], vec![0]]);
    }

    #[test]
    fn a_chain_may_be_long() {
        let calls: Vec<Vec<u32>> = (1..=200_000).map(|next| vec![next]).collect();
        let calls: Vec<&[u32]> = calls.iter().map(Vec::as_slice).collect();
        let found = groups(&calls);
        assert_eq!((found.len(), found.first()), (200_000, Some(&vec![199_999])));
    }
}
