//! Work on several threads, joined in the order in which one thread would have done it: how many there are is never seen
//! in a result.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread;

/// More are not used: most of a compilation is then what one thread does alone.
const MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);

/// Address space for the stack of a thread: bodies nest as deep as the parser allows.
const STACK: usize = 8 << 20;

/// On how many threads a compilation may work. What it gives is the same with any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threads {
    count: NonZeroUsize,
    /// Fewer bytes of declarations are not worth a thread of their own.
    least: u32,
}

impl Threads {
    /// The caller's alone.
    pub const ONE: Self = Self { count: NonZeroUsize::MIN, least: u32::MAX };

    /// So many, but at most eight.
    #[must_use]
    pub fn at_most(count: NonZeroUsize) -> Self {
        Self { count: count.min(MAX), least: 32 << 10 }
    }

    /// As many as the process may run at once, at most eight. The system is asked once.
    #[must_use]
    pub fn available() -> Self {
        static COUNT: OnceLock<NonZeroUsize> = OnceLock::new();
        let ask = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self::at_most(*COUNT.get_or_init(ask))
    }

    /// The same, also for the smallest programs.
    #[cfg(test)]
    pub(crate) fn always(self) -> Self {
        Self { least: 1, ..self }
    }

    /// What is done in parts of at least so much work that a thread is worth it, for so many bytes of declarations.
    pub(crate) fn for_work(self, bytes: u32) -> Self {
        let worth = usize::try_from(bytes / self.least.max(1)).unwrap_or(usize::MAX);
        Self {
            count: NonZeroUsize::new(worth).map_or(NonZeroUsize::MIN, |n| n.min(self.count)),
            ..self
        }
    }

    /// The weights of what is not known, and what they are worth.
    pub(crate) fn for_unknown<T>(self, weights: &[u32], known: &[Option<T>]) -> (Vec<u32>, Self) {
        let is_known = |at: usize| known.get(at).is_some_and(Option::is_some);
        let weights = weights.iter().enumerate();
        let weights: Vec<u32> =
            weights.map(|(at, all)| if is_known(at) { 0 } else { *all }).collect();
        let sum = weights.iter().fold(0u32, |sum, one| sum.saturating_add(*one));
        (weights, self.for_work(sum))
    }

    /// How many they are.
    pub(crate) fn count(self) -> usize {
        self.count.get()
    }

    /// Does one thing here and each of `others` on a thread of its own; all of it here if there are no others, or none
    /// can be started.
    pub(crate) fn beside<A, B: Send>(
        self,
        here: impl FnOnce() -> A,
        others: Range<usize>,
        work: impl Fn(usize) -> B + Sync,
    ) -> (A, Vec<B>) {
        if self.count() == 1 {
            return (here(), others.map(work).collect());
        }
        thread::scope(|scope| {
            let work = &work;
            let start = |nth: usize| {
                let builder = thread::Builder::new().stack_size(STACK);
                (nth, builder.spawn_scoped(scope, move || work(nth)))
            };
            let started: Vec<_> = others.map(start).collect();
            let here = here();
            let found = started.into_iter().map(|(nth, thread)| match thread {
                Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                Err(_) => work(nth),
            });
            (here, found.collect())
        })
    }
}

impl Threads {
    /// Does two things, the other one on a thread of its own if there may be some.
    pub(crate) fn with<A, B: Send>(
        self,
        here: impl FnOnce() -> A,
        other: impl Fn() -> B + Sync,
    ) -> (A, B) {
        let (here, mut others) = self.beside(here, 0..1, |_| other());
        let found = others.pop().unwrap_or_else(other);
        (here, found)
    }
}

impl Default for Threads {
    fn default() -> Self {
        Self::available()
    }
}

/// The positions of elements with these weights, in at most so many parts that follow one another and weigh about the
/// same.
pub(crate) fn parts(weights: &[u32], count: usize) -> Vec<Range<usize>> {
    let sum: u64 = weights.iter().copied().map(u64::from).sum();
    let share = sum.div_ceil(u64::try_from(count.max(1)).unwrap_or(u64::MAX)).max(1);
    let mut all: Vec<Range<usize>> = Vec::with_capacity(count);
    let (mut start, mut before) = (0, 0u64);
    for (at, weight) in weights.iter().enumerate() {
        before += u64::from(*weight);
        let done = u64::try_from(all.len() + 1).unwrap_or(u64::MAX).saturating_mul(share);
        if before >= done && all.len() + 1 < count {
            all.push(start..at + 1);
            start = at + 1;
        }
    }
    if start < weights.len() {
        all.push(start..weights.len());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(count: usize) -> Threads {
        Threads::at_most(NonZeroUsize::new(count).unwrap())
    }

    #[test]
    fn what_is_done_beside_comes_in_order() {
        for count in 1..5 {
            let (here, others) = threads(count).beside(|| 0, 1..9, |nth| nth * 10);
            assert_eq!((here, others), (0, vec![10, 20, 30, 40, 50, 60, 70, 80]));
        }
    }

    #[test]
    fn little_work_stays_here() {
        assert_eq!(threads(4).for_work(10).count(), 1);
        assert_eq!(threads(4).for_work(100 << 10).count(), 3);
        assert_eq!(threads(4).for_work(u32::MAX).count(), 4);
        assert_eq!(threads(100).count(), 8);
        assert_eq!(threads(4).always().for_work(3).count(), 3);
        assert_eq!(Threads::ONE.for_work(u32::MAX).count(), 1);
    }

    #[test]
    fn parts_cover_everything_once_and_weigh_the_same() {
        for count in 1..6 {
            for weights in [&[][..], &[0, 0, 0], &[9], &[1; 20], &[100, 1, 1, 1], &[1, 1, 1, 100]] {
                let parts = parts(weights, count);
                let all: Vec<usize> = parts.iter().cloned().flatten().collect();
                assert_eq!(all, (0..weights.len()).collect::<Vec<_>>());
                assert!(parts.len() <= count, "{parts:?}");
            }
        }
        assert_eq!(parts(&[1; 10], 2), [0..5, 5..10]);
    }
}
