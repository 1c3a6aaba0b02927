//! What a commit gives at once: a promise that says later whether the batch is durable.
//!
//! It needs no runtime: whoever is async awaits it, whoever is not calls [`Ticket::wait`].

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::error::StoreError;

type Outcome = Result<(), StoreError>;

/// Whether a batch is durable: a future, and something to wait for. To drop it changes nothing for the batch.
#[derive(Debug)]
#[must_use = "a batch is durable only when its ticket says so"]
pub struct Ticket(Arc<Shared>);

/// The other end of a [`Ticket`]. Dropped without a word, it says that the store was closed.
#[derive(Debug)]
pub(crate) struct Resolver(Option<Arc<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    resolved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    pub(crate) fn pair() -> (Self, Resolver) {
        let shared = Arc::<Shared>::default();
        (Self(Arc::clone(&shared)), Resolver(Some(shared)))
    }

    /// One that is resolved.
    pub(crate) fn ready(outcome: Outcome) -> Self {
        let state = Mutex::new(State { outcome: Some(outcome), waker: None });
        Self(Arc::new(Shared { state, resolved: Condvar::new() }))
    }

    /// Blocks this thread until the batch is durable.
    ///
    /// # Errors
    /// If it was refused, or could not be made durable.
    pub fn wait(self) -> Result<(), StoreError> {
        let waiting = self.0.resolved.wait_while(self.0.state(), |state| state.outcome.is_none());
        let state = waiting.unwrap_or_else(PoisonError::into_inner);
        state.outcome.clone().unwrap_or(Ok(()))
    }

    /// What is known now: `None` while the batch is under way.
    pub fn outcome(&self) -> Option<Result<(), StoreError>> {
        self.0.state().outcome.clone()
    }
}

impl Future for Ticket {
    type Output = Result<(), StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none @ None => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl Resolver {
    pub(crate) fn resolve(mut self, outcome: Outcome) {
        self.tell(outcome);
    }

    fn tell(&mut self, outcome: Outcome) {
        let Some(shared) = self.0.take() else { return };
        let waker = {
            let mut state = shared.state();
            state.outcome = Some(outcome);
            state.waker.take()
        };
        shared.resolved.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.tell(Err(StoreError::Closed { why: "it ended before the batch was durable".into() }));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn whoever_polls_is_woken_once() {
        let woken = Arc::<Counted>::default();
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let (mut ticket, resolver) = Ticket::pair();
        assert!(Pin::new(&mut ticket).poll(&mut context).is_pending());
        assert!(ticket.outcome().is_none());
        resolver.resolve(Ok(()));
        assert_eq!(woken.0.load(Ordering::Relaxed), 1);
        assert!(matches!(Pin::new(&mut ticket).poll(&mut context), Poll::Ready(Ok(()))));
    }

    #[test]
    fn waiting_ends_when_another_thread_resolves_or_gives_up() {
        for gives_up in [false, true] {
            let (ticket, resolver) = Ticket::pair();
            let other = std::thread::spawn(move || {
                std::thread::yield_now();
                if gives_up { drop(resolver) } else { resolver.resolve(Ok(())) }
            });
            assert_eq!(matches!(ticket.wait(), Err(StoreError::Closed { .. })), gives_up);
            other.join().unwrap();
        }
    }
}
