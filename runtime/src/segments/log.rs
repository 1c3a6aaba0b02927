//! The log of one run: one writer, any number of readers, bounded memory.
//!
//! The newest records stay in a ring. A reader that fell behind what the ring holds gets a snapshot: every live
//! segment as it stands, every finished one as its value. A slow reader never slows the run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kait_engine::segment::{Segment, SegmentKind, SegmentOp, SegmentRole};
use serde_json::Value as Json;
use smol_str::SmolStr;
use tokio::sync::Notify;

/// Records that a ring keeps.
pub const RING_RECORDS: usize = 65_536;

/// The log of a run; shared by its writer and its readers.
pub struct RunLog {
    run: SmolStr,
    ring: Mutex<Ring>,
    changed: Notify,
}

struct Ring {
    records: VecDeque<Segment>,
    /// `seq` of the next record.
    next: u64,
    capacity: usize,
    /// Kept only once records have been dropped: how every segment stands before the first record of the ring.
    folded: BTreeMap<u64, Folded>,
    over: bool,
}

/// A segment as it stands.
struct Folded {
    node: SmolStr,
    open: SegmentOp,
    text: String,
    value: Json,
    end: Option<SegmentOp>,
}

impl RunLog {
    /// An empty log that keeps `capacity` records (at least 1).
    pub fn new(run: SmolStr, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            run,
            ring: Mutex::new(Ring {
                records: VecDeque::new(),
                next: 0,
                capacity: capacity.max(1),
                folded: BTreeMap::new(),
                over: false,
            }),
            changed: Notify::new(),
        })
    }

    /// The run's name.
    pub fn run(&self) -> &SmolStr {
        &self.run
    }

    /// A reader from the first record on.
    pub fn read(self: &Arc<Self>) -> Reader {
        self.read_from(0)
    }

    /// A reader from record `seq` on.
    pub fn read_from(self: &Arc<Self>, seq: u64) -> Reader {
        Reader { log: Arc::clone(self), next: seq }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // A panic while the lock was held cannot leave a record half written: they are pushed whole.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, record: Segment) {
        if self.records.len() >= self.capacity
            && let Some(old) = self.records.pop_front()
        {
            self.fold(old);
        }
        self.next = record.seq + 1;
        self.records.push_back(record);
    }

    /// Adds a record that leaves the ring to the snapshot.
    fn fold(&mut self, record: Segment) {
        match record.op {
            open @ SegmentOp::Open { .. } => {
                self.folded.insert(
                    record.segment,
                    Folded {
                        node: record.node,
                        open,
                        text: String::new(),
                        value: Json::Null,
                        end: None,
                    },
                );
            }
            op => {
                let Some(folded) = self.folded.get_mut(&record.segment) else { return };
                match op {
                    SegmentOp::Delta { text, at, .. } if at.is_empty() => {
                        folded.text.push_str(&text)
                    }
                    SegmentOp::Delta { text, done: true, .. } if text.is_empty() => {}
                    SegmentOp::Delta { text, at, .. } => {
                        if let Some(Json::String(so_far)) = folded.value.pointer_mut(&at) {
                            so_far.push_str(&text);
                        } else {
                            place(&mut folded.value, &at, Json::String(text));
                        }
                    }
                    SegmentOp::Set { at, value } => place(&mut folded.value, &at, value),
                    SegmentOp::Reset { attempt } => {
                        folded.text.clear();
                        folded.value = Json::Null;
                        if let SegmentOp::Open { attempt: first, .. } = &mut folded.open {
                            *first = attempt;
                        }
                    }
                    end @ (SegmentOp::Close { .. } | SegmentOp::Fail { .. }) => {
                        folded.text = String::new();
                        folded.value = Json::Null;
                        folded.end = Some(end);
                    }
                    SegmentOp::Open { .. } => {}
                }
            }
        }
    }

    /// The records that bring a reader to where the ring begins. They carry the `seq` before the ring.
    fn snapshot(&self, run: &SmolStr, seq: u64) -> Vec<Segment> {
        let mut out = Vec::new();
        for (segment, folded) in &self.folded {
            let mut push = |op: SegmentOp| {
                out.push(Segment {
                    run: run.clone(),
                    seq,
                    node: folded.node.clone(),
                    segment: *segment,
                    op,
                });
            };
            push(folded.open.clone());
            if let Some(end) = &folded.end {
                push(end.clone());
            } else if !folded.text.is_empty() {
                push(SegmentOp::Delta {
                    text: folded.text.clone(),
                    at: String::new(),
                    done: false,
                });
            } else if !folded.value.is_null() {
                push(SegmentOp::Set { at: String::new(), value: folded.value.clone() });
            }
        }
        out
    }
}

/// Puts a value where a pointer names an existing place, the next of a list, or a new key.
fn place(root: &mut Json, at: &str, value: Json) {
    let Some((parent, key)) = at.rsplit_once('/') else {
        *root = value;
        return;
    };
    match root.pointer_mut(parent) {
        Some(Json::Object(fields)) => {
            fields.insert(key.replace("~1", "/").replace("~0", "~"), value);
        }
        Some(Json::Array(items)) => match key.parse::<usize>() {
            Ok(index) if index < items.len() => items[index] = value,
            Ok(index) if index == items.len() => items.push(value),
            _ => {}
        },
        _ => {}
    }
}

/// Reads a log from a place on; dropping it stops nothing.
pub struct Reader {
    log: Arc<RunLog>,
    next: u64,
}

impl Reader {
    /// Appends what is there to `out` without waiting; `false` once the log is over and read.
    pub fn read_now(&mut self, out: &mut Vec<Segment>) -> bool {
        let ring = self.log.ring();
        let first = ring.next - ring.records.len() as u64;
        if self.next < first {
            out.extend(ring.snapshot(&self.log.run, first.saturating_sub(1)));
            self.next = first;
        }
        let skip = usize::try_from(self.next - first).unwrap_or(usize::MAX);
        out.extend(ring.records.iter().skip(skip).cloned());
        let ended = ring.over && self.next >= ring.next;
        self.next = ring.next;
        !ended
    }

    /// Waits until something is there and appends all of it; `false` once the log is over and read.
    pub async fn read(&mut self, out: &mut Vec<Segment>) -> bool {
        loop {
            let log = Arc::clone(&self.log);
            let changed = log.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that nothing that comes between is missed.
            changed.as_mut().enable();
            let before = out.len();
            if !self.read_now(out) {
                return false;
            }
            if out.len() > before {
                return true;
            }
            changed.await;
        }
    }
}

/// Writes the log of one run.
pub struct Writer {
    log: Arc<RunLog>,
    seq: u64,
    segments: u64,
    /// Records that the next flush shows to readers.
    batch: Vec<Segment>,
    /// Every log of every test is held to the invariants as it is written.
    #[cfg(debug_assertions)]
    invariants: kait_engine::SegmentLog,
}

impl Writer {
    /// The writer of an empty log.
    pub fn new(log: Arc<RunLog>) -> Self {
        Self {
            log,
            seq: 0,
            segments: 0,
            batch: Vec::new(),
            #[cfg(debug_assertions)]
            invariants: kait_engine::SegmentLog::new(),
        }
    }

    /// Opens a segment and gives its number.
    pub fn open(
        &mut self,
        node: SmolStr,
        kind: SegmentKind,
        role: Option<SegmentRole>,
        about: Option<Json>,
    ) -> u64 {
        let segment = self.segments;
        self.segments += 1;
        self.write(node, segment, SegmentOp::Open { kind, role, attempt: 1, about });
        segment
    }

    /// Appends a record.
    pub fn write(&mut self, node: SmolStr, segment: u64, op: SegmentOp) {
        let record = Segment { run: self.log.run.clone(), seq: self.seq, node, segment, op };
        self.seq += 1;
        #[cfg(debug_assertions)]
        {
            let held = self.invariants.push(&record);
            debug_assert!(held.is_ok(), "{held:?}: {record:?}");
        }
        self.batch.push(record);
    }

    /// Shows everything that was written to the readers: once per wake-up of the driver, not once per record.
    pub fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let mut ring = self.log.ring();
        for record in self.batch.drain(..) {
            ring.push(record);
        }
        drop(ring);
        self.log.changed.notify_waiters();
    }

    /// The log is over: nothing follows.
    pub fn end(&mut self) {
        self.flush();
        self.log.ring().over = true;
        self.log.changed.notify_waiters();
    }
}
