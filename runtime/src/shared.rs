//! What the runs of one process share: the cache of successes and the rate limits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kait_engine::event::{CacheKey, Nanos, RateRequest};
use kait_ir::Value;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Most entries of the cache; when it is full, what has expired goes, then what was stored first.
pub const CACHE_ENTRIES: usize = 10_000;

/// Shared by all runs of a process.
#[derive(Default)]
pub struct Shared {
    cache: Mutex<Cache>,
    limits: Mutex<FxHashMap<SmolStr, Arc<Limit>>>,
}

#[derive(Default)]
struct Cache {
    entries: FxHashMap<(SmolStr, Vec<Value>), (Nanos, Value)>,
    order: VecDeque<(SmolStr, Vec<Value>)>,
}

struct Limit {
    parallel: Option<Arc<Semaphore>>,
    /// Starts of calls within the last period.
    started: tokio::sync::Mutex<VecDeque<Instant>>,
}

/// Holds a place under a rate limit until it is dropped.
pub struct Permit(#[expect(dead_code, reason = "held for its drop")] Option<OwnedSemaphorePermit>);

impl Shared {
    /// A cached success that may still be used at `now`.
    pub fn lookup(&self, key: &CacheKey, now: Nanos) -> Option<Value> {
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (key.call.clone(), key.args.clone());
        cache.entries.get(&key).filter(|(until, _)| *until > now).map(|(_, value)| value.clone())
    }

    /// Keeps a success until `now + ttl`.
    pub fn store(&self, key: CacheKey, value: Value, now: Nanos, ttl: i64) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (key.call, key.args);
        if cache.entries.insert(key.clone(), (now.saturating_add(ttl), value)).is_none() {
            cache.order.push_back(key);
        }
        if cache.entries.len() > CACHE_ENTRIES {
            cache.entries.retain(|_, (until, _)| *until > now);
            let Cache { entries, order } = &mut *cache;
            order.retain(|key| entries.contains_key(key));
            while entries.len() > CACHE_ENTRIES {
                let Some(oldest) = order.pop_front() else { break };
                entries.remove(&oldest);
            }
        }
    }

    /// Waits until a call may begin under its shared limit.
    pub async fn acquire(self: Arc<Self>, rate: RateRequest) -> Permit {
        let limit = self.limit(&rate);
        let permit = match &limit.parallel {
            Some(semaphore) => Arc::clone(semaphore).acquire_owned().await.ok(),
            None => None,
        };
        if let (Some(calls), Some(per)) = (rate.calls, rate.per) {
            let calls = usize::try_from(calls.max(1)).unwrap_or(usize::MAX);
            let per = Duration::from_nanos(u64::try_from(per).unwrap_or(0));
            // Held while waiting: callers pass one after the other, in the order in which they came.
            let mut started = limit.started.lock().await;
            if started.len() >= calls
                && let Some(oldest) = started.pop_front()
            {
                tokio::time::sleep_until(oldest + per).await;
            }
            started.push_back(Instant::now());
        }
        Permit(permit)
    }

    fn limit(&self, rate: &RateRequest) -> Arc<Limit> {
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = limits.entry(rate.name.clone()).or_insert_with(|| {
            let parallel = rate.parallel.map(|n| {
                let n = usize::try_from(n.max(1)).unwrap_or(1).min(Semaphore::MAX_PERMITS);
                Arc::new(Semaphore::new(n))
            });
            Arc::new(Limit { parallel, started: tokio::sync::Mutex::default() })
        });
        Arc::clone(limit)
    }
}
