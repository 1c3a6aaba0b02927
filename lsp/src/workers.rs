//! Threads that compute answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Something to compute.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// Most threads: more would only take turns on what one program gives to do.
const MAX_THREADS: usize = 8;

/// A few threads that take jobs in the order in which they came. They end when this is dropped.
pub(crate) struct Workers {
    jobs: Sender<Job>,
}

impl Workers {
    /// As many as the machine runs at once, but at least two, so that a long one does not hold up all others.
    pub(crate) fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let (jobs, waiting) = channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..threads.clamp(2, MAX_THREADS) {
            let waiting = Arc::clone(&waiting);
            // Without a thread the others have more to do; without any, questions are not answered, but nothing breaks.
            let _ = std::thread::Builder::new()
                .name(format!("kait-lsp-worker-{number}"))
                .stack_size(STACK)
                .spawn(move || work(&waiting));
        }
        Self { jobs }
    }

    pub(crate) fn spawn(&self, job: Job) {
        // Fails only if no thread is left.
        let _ = self.jobs.send(job);
    }
}

/// Bytes of stack: the compiler recurses as deep as the syntax tree is.
pub(crate) const STACK: usize = 64 << 20;

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A fault of ours costs one answer, never the server. What the job held is dropped, so whoever waits hears it.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_panics_does_not_end_the_others() {
        let workers = Workers::new();
        let (sender, receiver) = channel();
        for number in 0..20 {
            let sender = sender.clone();
            workers.spawn(Box::new(move || {
                assert!(number % 2 == 0, "odd ones fail");
                sender.send(number).unwrap();
            }));
        }
        drop(sender);
        let mut done: Vec<i32> = receiver.iter().collect();
        done.sort_unstable();
        assert_eq!(done, (0..20).step_by(2).collect::<Vec<_>>());
    }
}
