//! Holding back calls to a host that asked for it: `Retry-After`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use kait_ir::Failure;
use reqwest::header::HeaderMap;
use rustc_hash::FxHashMap;
use tokio::time::{Instant, sleep_until};

/// Longest time that a wish to wait is followed; a longer one fails at once and says so.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Most hosts of which a wish is remembered; beyond that those whose time has passed are forgotten.
const MAX_HOSTS: usize = 1_024;

/// Which hosts want no calls for how long.
#[derive(Default)]
pub(crate) struct Pace {
    not_before: Mutex<FxHashMap<String, Instant>>,
}

impl Pace {
    /// Remembers what the host wishes; a day at most.
    pub(crate) fn hold(&self, host: &str, wait: Duration) {
        let now = Instant::now();
        let mut hosts = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MAX_HOSTS {
            hosts.retain(|_, at| *at > now);
        }
        if hosts.len() < MAX_HOSTS {
            hosts.insert(host.to_owned(), now + wait.min(Duration::from_secs(86_400)));
        }
    }

    /// Waits as long as the host asked.
    ///
    /// # Errors
    /// `Http(429)` if that is longer than [`MAX_WAIT`].
    pub(crate) async fn turn(&self, host: &str) -> Result<(), Failure> {
        let wanted = {
            let hosts = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
            hosts.get(host).copied()
        };
        let Some(at) = wanted else { return Ok(()) };
        let left = at.saturating_duration_since(Instant::now());
        if left > MAX_WAIT {
            let body = format!("`{host}` wants no calls for another {} s", left.as_secs());
            return Err(Failure::Http { status: 429, body: body.into() });
        }
        sleep_until(at).await;
        Ok(())
    }
}

/// How long the other side asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|value| value.parse::<u64>().ok()) {
        return Some(Duration::from_millis(millis));
    }
    let value = text("retry-after")?;
    match value.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_host_that_asks_for_time_gets_it_and_no_other_host_waits() {
        let pace = Pace::default();
        let start = Instant::now();
        pace.hold("a", Duration::from_millis(200));
        pace.hold("c", Duration::from_secs(50));
        pace.turn("b").await.unwrap();
        pace.turn("a").await.unwrap();
        assert!(start.elapsed() >= Duration::from_millis(200));
        pace.turn("a").await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(40), "only `c` waits that long");
        pace.hold("a", Duration::from_secs(3_600));
        let refused = pace.turn("a").await.unwrap_err();
        assert!(matches!(refused, Failure::Http { status: 429, .. }), "{refused:?}");
    }

    #[test]
    fn both_forms_of_the_wish_are_read() {
        let of = |name: &'static str, value: &str| {
            retry_after(&HeaderMap::from_iter([(
                reqwest::header::HeaderName::from_static(name),
                reqwest::header::HeaderValue::from_str(value).unwrap(),
            )]))
        };
        assert_eq!(of("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(of("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        let soon = SystemTime::now() + Duration::from_secs(100);
        let wait = of("retry-after", &httpdate::fmt_http_date(soon)).unwrap();
        assert!((98..=100).contains(&wait.as_secs()), "{wait:?}");
        assert_eq!(of("retry-after", "soon"), None);
        assert_eq!(of("retry-after", "-1"), None);
    }
}
