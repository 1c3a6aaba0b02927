//! The clock of a run: it never goes back, whatever the system's does.

use std::time::Duration;

use kait_engine::event::Nanos;

/// A clock that goes on where the run's record has come to, if the system's was set back meanwhile.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// The latest time that was told.
    last: Nanos,
    /// How far it is ahead of the system's.
    ahead: Nanos,
}

impl Clock {
    /// The time, in nanoseconds since the Unix epoch.
    pub(super) fn now(&mut self) -> Nanos {
        self.at(now())
    }

    fn at(&mut self, system: Nanos) -> Nanos {
        let now = system.saturating_add(self.ahead);
        if now < self.last {
            // Timers go on from here: they must not wait until the system's clock is where it was.
            self.ahead = self.ahead.saturating_add(self.last - now);
        }
        self.last = self.last.max(now);
        self.last
    }

    /// It is not earlier than this: a record says so.
    pub(super) fn advance(&mut self, to: Nanos) {
        self.last = self.last.max(to);
    }

    /// Waits until a time has come; for ever, if there is none.
    pub(super) async fn sleep_until(&mut self, due: Option<Nanos>) {
        let Some(due) = due else { return std::future::pending().await };
        let wait = u64::try_from(due.saturating_sub(self.now())).unwrap_or(0);
        tokio::time::sleep(Duration::from_nanos(wait)).await;
    }
}

/// What the system's clock says, in nanoseconds since the Unix epoch.
fn now() -> Nanos {
    i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_goes_on() {
        let mut clock = Clock::default();
        assert_eq!(clock.at(1_000), 1_000);
        assert_eq!(clock.at(1_010), 1_010);
        assert_eq!(clock.at(10), 1_010);
        assert_eq!(clock.at(15), 1_015);
        assert_eq!(clock.at(2_000), 3_000);
    }

    #[test]
    fn a_record_of_a_later_time_counts() {
        let mut clock = Clock::default();
        clock.advance(5_000);
        assert_eq!(clock.at(1_000), 5_000);
        assert_eq!(clock.at(1_001), 5_001);
    }
}
