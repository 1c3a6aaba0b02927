//! What the control forms keep while they run. Which file handles each: `map`, `looping`, `race`, `policy`.

use std::sync::Arc;

use kait_ir::Value;

use super::state::{Fail, NONE};
use crate::event::{CacheKey, SinkId};

/// A control form under way.
#[derive(Clone, Debug)]
pub(crate) enum Control {
    /// Not in use.
    Free,
    Map(Box<MapControl>),
    Loop(LoopControl),
    Race(Box<RaceControl>),
    Policy(Box<PolicyControl>),
}

/// A `for`.
#[derive(Clone, Debug)]
pub(crate) struct MapControl {
    /// The list, as far as it is known.
    pub(crate) source: Arc<Vec<Value>>,
    /// How many items of it have been looked at.
    pub(crate) seen: usize,
    /// Each item is one parameter: then parameters come straight from the source.
    pub(crate) simple: bool,
    /// Else: the parameters of the items that passed, `stride` each.
    pub(crate) params: Vec<Value>,
    pub(crate) stride: usize,
    /// How many items passed.
    pub(crate) kept: u32,
    pub(crate) results: Vec<Value>,
    /// By item: its frame while it runs.
    pub(crate) children: Vec<u32>,
    /// By item: whether it has succeeded.
    pub(crate) done: Vec<bool>,
    /// The next item to start.
    pub(crate) next: u32,
    pub(crate) running: u32,
    /// How many leading items have succeeded.
    pub(crate) ok_prefix: u32,
    /// Most at once.
    pub(crate) limit: u32,
    /// The first item known to have failed.
    pub(crate) fail_at: u32,
    pub(crate) failure: Option<Fail>,
    /// Bodies that write were declared independent: after a failure those that have started end.
    pub(crate) independent: bool,
    /// Whether the whole list is known.
    pub(crate) complete: bool,
    /// While the list grows: whether items may start, where they come from, and in which generation.
    pub(crate) open: bool,
    pub(crate) sink: Option<SinkId>,
    pub(crate) generation: u32,
}

impl Default for MapControl {
    fn default() -> Self {
        Self {
            source: Arc::default(),
            seen: 0,
            simple: false,
            params: Vec::new(),
            stride: 0,
            kept: 0,
            results: Vec::new(),
            children: Vec::new(),
            done: Vec::new(),
            next: 0,
            running: 0,
            ok_prefix: 0,
            limit: 1,
            fail_at: NONE,
            failure: None,
            independent: false,
            complete: false,
            open: false,
            sink: None,
            generation: 0,
        }
    }
}

/// A `loop`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoopControl {
    /// The round (or `else`) under way.
    pub(crate) frame: u32,
}

/// A `race`.
#[derive(Clone, Debug)]
pub(crate) struct RaceControl {
    /// By arm: its frame while it runs.
    pub(crate) frames: Vec<u32>,
    pub(crate) wins: Vec<Value>,
    pub(crate) need: u32,
    pub(crate) last: Option<Fail>,
}

/// Where a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It waits for the cache's answer.
    Lookup,
    /// It waits for the rate limit.
    Acquire,
    /// An attempt runs.
    Attempt,
    /// It pauses before the next attempt.
    Backoff,
    /// The fallback runs.
    Fallback,
}

/// Policies around a call.
#[derive(Clone, Debug)]
pub(crate) struct PolicyControl {
    pub(crate) phase: Phase,
    /// The attempt, from 1.
    pub(crate) attempt: u32,
    /// Most attempts.
    pub(crate) attempts: u32,
    /// Nanoseconds per attempt.
    pub(crate) timeout: Option<i64>,
    /// Nanoseconds for all attempts.
    pub(crate) deadline: Option<i64>,
    pub(crate) deadline_scope: u32,
    pub(crate) timeout_scope: u32,
    /// The attempt or fallback under way.
    pub(crate) frame: u32,
    /// What a success is kept under, and for how many nanoseconds.
    pub(crate) cache: Option<(CacheKey, i64)>,
    /// Whether the rate limit was asked and not yet released.
    pub(crate) acquired: bool,
    /// The timer of the pause.
    pub(crate) timer: Option<u64>,
}
