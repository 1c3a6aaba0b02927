//! The log of one run: one writer, any number of readers, bounded memory.
//!
//! The newest records stay in a ring; readers share them, nothing is copied for each. A reader that fell behind what
//! the ring holds gets a snapshot: the run, every live segment and the result as they stand, and of the segments that
//! have ended the newest, as many as a bound allows. A slow reader never slows the run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kait_engine::segment::{Segment, SegmentKind, SegmentOp, SegmentRole, place};
use serde_json::Value as Json;
use smol_str::SmolStr;
use tokio::sync::Notify;

/// Records that a ring keeps.
pub const RING_RECORDS: usize = 65_536;

/// Which part of a log's bytes may be ended segments that have left the ring: one in so many.
const ENDED_SHARE: usize = 16;

/// The log of a run; shared by its writer and its readers.
pub struct RunLog {
    run: SmolStr,
    ring: Mutex<Ring>,
    changed: Notify,
}

struct Ring {
    records: VecDeque<Arc<Segment>>,
    /// `seq` of the next record.
    next: u64,
    capacity: usize,
    /// What the records of the ring take, in bytes, and how much they may.
    bytes: usize,
    most_bytes: usize,
    /// Kept only once records have been dropped: how segments stand before the first record of the ring.
    folded: BTreeMap<u64, Folded>,
    /// Those of them that have ended, in that order, with their bytes: the oldest are left out when they are too many.
    ended: VecDeque<(u64, usize)>,
    ended_bytes: usize,
    most_ended: usize,
    left_out: u64,
    /// The last result that has ended: it is never left out.
    result: Option<u64>,
    over: bool,
}

/// How a run stands where its ring begins.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Records that open segments and say how they stand. They carry the `seq` before the ring.
    pub records: Vec<Arc<Segment>>,
    /// The `seq` to read on from.
    pub next: u64,
    /// How many segments have ended and are not told of any more.
    pub left_out: u64,
}

/// A segment as it stands.
struct Folded {
    node: SmolStr,
    open: SegmentOp,
    text: String,
    value: Json,
    end: Option<SegmentOp>,
}

impl Folded {
    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        let end = self.end.as_ref().map_or(0, weight_of);
        let open = self.node.len() + weight_of(&self.open);
        size_of::<Self>() + open + self.text.len() + weight_of_json(&self.value) + end
    }
}

impl RunLog {
    /// An empty log that keeps `capacity` records (at least 1).
    pub fn new(run: SmolStr, capacity: usize) -> Arc<Self> {
        Self::bounded(run, capacity, usize::MAX)
    }

    /// An empty log that keeps at most that many records and bytes, but always the last record, and how all stands that
    /// has not ended.
    pub fn bounded(run: SmolStr, records: usize, bytes: usize) -> Arc<Self> {
        let most_ended = bytes / ENDED_SHARE;
        Arc::new(Self {
            run,
            ring: Mutex::new(Ring {
                records: VecDeque::new(),
                next: 0,
                capacity: records.max(1),
                bytes: 0,
                most_bytes: bytes - most_ended,
                folded: BTreeMap::new(),
                ended: VecDeque::new(),
                ended_bytes: 0,
                most_ended,
                left_out: 0,
                result: None,
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

    /// Shows at most `most` records from `seq` on, without copying them. The log cannot be written meanwhile, so `see`
    /// should be quick.
    pub fn visit(&self, seq: u64, most: usize, mut see: impl FnMut(&Arc<Segment>)) -> Visited {
        let ring = self.ring();
        let first = ring.first();
        if seq < first {
            return Visited::Behind;
        }
        let skip = usize::try_from(seq - first).unwrap_or(usize::MAX);
        let mut next = seq.min(ring.next);
        for record in ring.records.iter().skip(skip).take(most) {
            see(record);
            next = record.seq + 1;
        }
        Visited::Seen { next, over: ring.over && next >= ring.next }
    }

    /// How the run stands before the ring, for a reader that fell behind.
    pub fn snapshot(&self) -> Snapshot {
        let ring = self.ring();
        let next = ring.first();
        let records = ring.snapshot(&self.run, next.saturating_sub(1));
        Snapshot { records, next, left_out: ring.left_out }
    }

    /// `seq` of the first record that readers can still get.
    pub fn first(&self) -> u64 {
        self.ring().first()
    }

    /// Waits until there is a record `seq`, or the log is over.
    pub async fn wait(&self, seq: u64) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that nothing that comes between is missed.
            changed.as_mut().enable();
            {
                let ring = self.ring();
                if ring.next > seq || ring.over {
                    return;
                }
            }
            changed.await;
        }
    }

    /// `seq` of the next record, and whether there will be none.
    pub fn head(&self) -> (u64, bool) {
        let ring = self.ring();
        (ring.next, ring.over)
    }

    /// About how much memory the log takes, in bytes. Costs what has left the ring has segments.
    pub fn bytes(&self) -> usize {
        let ring = self.ring();
        ring.bytes + ring.folded.values().map(Folded::bytes).sum::<usize>()
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // A panic while the lock was held cannot leave a record half written: they are pushed whole.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a visit of a log came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visited {
    /// The record has left the ring: [`RunLog::snapshot`] says how things stand.
    Behind,
    /// Records were shown, or none is there yet.
    Seen {
        /// The `seq` to go on with.
        next: u64,
        /// Whether nothing will follow.
        over: bool,
    },
}

/// About how much memory a record takes.
fn weight(record: &Segment) -> usize {
    size_of::<Segment>() + weight_of(&record.op)
}

fn weight_of(op: &SegmentOp) -> usize {
    match op {
        SegmentOp::Delta { text, at, .. } => text.len() + at.len(),
        SegmentOp::Set { at, value } => at.len() + weight_of_json(value),
        SegmentOp::Close { value } => weight_of_json(value),
        SegmentOp::Fail { failure, error } => weight_of_json(failure) + weight_of_json(error),
        SegmentOp::Open { about, .. } => about.as_ref().map_or(0, weight_of_json),
        SegmentOp::Reset { .. } => 0,
    }
}

fn weight_of_json(value: &Json) -> usize {
    match value {
        Json::String(text) => text.len(),
        Json::Array(items) => {
            items.iter().map(|item| size_of::<Json>() + weight_of_json(item)).sum()
        }
        Json::Object(fields) => fields
            .iter()
            .map(|(key, value)| 64 + size_of::<Json>() + key.len() + weight_of_json(value))
            .sum(),
        _ => 0,
    }
}

impl Ring {
    /// `seq` of the first record that the ring still has.
    fn first(&self) -> u64 {
        self.next - self.records.len() as u64
    }

    fn push(&mut self, record: Arc<Segment>) {
        let weight_of_record = weight(&record);
        while self.records.len() >= self.capacity
            || self.bytes.saturating_add(weight_of_record) > self.most_bytes
        {
            let Some(old) = self.records.pop_front() else { break };
            self.bytes -= weight(&old);
            // Only a reader that holds on to it makes this a copy.
            self.fold(Arc::unwrap_or_clone(old));
        }
        self.bytes += weight_of_record;
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
                    // The writer's pointers lead somewhere: every log of every test is held to that.
                    SegmentOp::Delta { text, at, .. } => match place(&mut folded.value, &at) {
                        Ok(Json::String(so_far)) => so_far.push_str(&text),
                        Ok(part) => *part = Json::String(text),
                        Err(_) => {}
                    },
                    SegmentOp::Set { at, value } => {
                        if let Ok(part) = place(&mut folded.value, &at) {
                            *part = value;
                        }
                    }
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
                        self.ended(record.segment);
                    }
                    SegmentOp::Open { .. } => {}
                }
            }
        }
    }

    /// A segment before the ring has ended. Nothing more can be said of it, so it may be left out.
    fn ended(&mut self, segment: u64) {
        let mut segment = segment;
        match self.folded.get(&segment).map(|folded| &folded.open) {
            Some(SegmentOp::Open { kind: SegmentKind::Run, .. }) | None => return,
            // The one before it was not the last one.
            Some(SegmentOp::Open { role: Some(SegmentRole::Result), .. }) => {
                match self.result.replace(segment) {
                    Some(before) => segment = before,
                    None => return,
                }
            }
            Some(_) => {}
        }
        let Some(bytes) = self.folded.get(&segment).map(Folded::bytes) else { return };
        self.ended.push_back((segment, bytes));
        self.ended_bytes += bytes;
        while self.ended_bytes > self.most_ended {
            let Some((oldest, bytes)) = self.ended.pop_front() else { break };
            self.ended_bytes -= bytes;
            self.folded.remove(&oldest);
            self.left_out += 1;
        }
    }

    /// The records that bring a reader to where the ring begins. They carry the `seq` before the ring.
    fn snapshot(&self, run: &SmolStr, seq: u64) -> Vec<Arc<Segment>> {
        let mut out = Vec::new();
        for (segment, folded) in &self.folded {
            let mut push = |op: SegmentOp| {
                let (run, node) = (run.clone(), folded.node.clone());
                out.push(Arc::new(Segment { run, seq, node, segment: *segment, op }));
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

/// Reads a log from a place on; dropping it stops nothing.
pub struct Reader {
    log: Arc<RunLog>,
    next: u64,
}

impl Reader {
    /// Appends what is there to `out` without waiting; `false` once the log is over and read.
    pub fn read_now(&mut self, out: &mut Vec<Arc<Segment>>) -> bool {
        let ring = self.log.ring();
        let first = ring.first();
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
    pub async fn read(&mut self, out: &mut Vec<Arc<Segment>>) -> bool {
        loop {
            let before = out.len();
            if !self.read_now(out) {
                return false;
            }
            if out.len() > before {
                return true;
            }
            self.log.wait(self.next).await;
        }
    }
}

/// Writes the log of one run.
pub struct Writer {
    log: Arc<RunLog>,
    seq: u64,
    segments: u64,
    /// Records that the next flush shows to readers.
    batch: Vec<Arc<Segment>>,
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
        self.batch.push(Arc::new(record));
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

/// A log whose writer is gone is over, also where the run was torn down: no reader waits for ever.
impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use kait_engine::SegmentLog;
    use serde_json::json;

    use super::*;

    /// A run with a text that starts again and a value that fills in.
    fn write(log: &Arc<RunLog>) {
        let mut writer = Writer::new(Arc::clone(log));
        let run = writer.open("g".into(), SegmentKind::Run, None, None);
        let text = writer.open("g/a".into(), SegmentKind::Text, None, None);
        let value = writer.open("g/b".into(), SegmentKind::Value, None, None);
        let delta = |text: &str, at: &str| SegmentOp::Delta {
            text: text.into(),
            at: at.into(),
            done: false,
        };
        for piece in ["wro", "ng"] {
            writer.write("g/a".into(), text, delta(piece, ""));
        }
        writer.write("g/b".into(), value, SegmentOp::Set { at: "/n".into(), value: json!(1) });
        writer.write("g/a".into(), text, SegmentOp::Reset { attempt: 2 });
        for piece in ["ri", "ght"] {
            writer.write("g/a".into(), text, delta(piece, ""));
            writer.write("g/b".into(), value, delta(piece, "/list/0/text"));
        }
        writer.write("g/b".into(), value, SegmentOp::Set { at: "/list/1".into(), value: json!(2) });
        writer.write("g/a".into(), text, SegmentOp::Close { value: json!("right") });
        let whole = json!({ "n": 1, "list": [{ "text": "right" }, 2] });
        writer.write("g/b".into(), value, SegmentOp::Close { value: whole });
        writer.write("g".into(), run, SegmentOp::Close { value: Json::Null });
        writer.end();
    }

    /// The records with new numbers, as the invariants want them.
    fn renumbered(records: Vec<Arc<Segment>>) -> Vec<Segment> {
        let records = records.into_iter().map(Arc::unwrap_or_clone);
        (0..).zip(records).map(|(seq, record)| Segment { seq, ..record }).collect()
    }

    #[test]
    fn a_snapshot_and_the_rest_are_a_log_wherever_the_ring_begins() {
        for capacity in 1..20 {
            let log = RunLog::new("r".into(), capacity);
            write(&log);
            let Snapshot { mut records, next, .. } = log.snapshot();
            let seen = log.visit(next, usize::MAX, |record| records.push(record.clone()));
            assert_eq!(seen, Visited::Seen { next: 15, over: true });
            SegmentLog::check(&renumbered(records)).unwrap_or_else(|e| panic!("{capacity}: {e}"));
        }
    }

    #[test]
    fn bytes_bound_a_ring_too() {
        let log = RunLog::bounded("r".into(), usize::MAX, 4 * size_of::<Segment>());
        write(&log);
        assert_eq!(log.visit(0, 9, |_| {}), Visited::Behind);
        let Snapshot { mut records, next, .. } = log.snapshot();
        assert!((11..15).contains(&next), "{next}");
        log.visit(next, usize::MAX, |record| records.push(record.clone()));
        SegmentLog::check(&renumbered(records)).unwrap();
        assert!(log.bytes() > size_of::<Segment>() && log.bytes() < 10_000);
    }

    #[test]
    fn what_has_ended_is_left_out_in_the_end_but_not_the_result() {
        const BYTES: usize = 160_000;
        let log = RunLog::bounded("r".into(), 50, BYTES);
        let mut writer = Writer::new(Arc::clone(&log));
        let run = writer.open("g".into(), SegmentKind::Run, None, None);
        let role = Some(SegmentRole::Result);
        let result = writer.open("g/a".into(), SegmentKind::Text, role, None);
        let live = writer.open("g/b".into(), SegmentKind::Text, None, None);
        let long = "x".repeat(1_000);
        for (segment, text) in [(result, "the result"), (live, long.as_str())] {
            let delta = SegmentOp::Delta { text: text.into(), at: String::new(), done: false };
            writer.write("g/a".into(), segment, delta);
        }
        writer.write("g/a".into(), result, SegmentOp::Close { value: json!("the result") });
        for n in 0..2_000 {
            let status = writer.open("g/s".into(), SegmentKind::Status, None, None);
            writer.write("g/s".into(), status, SegmentOp::Close { value: json!(format!("{n}")) });
        }
        writer.flush();
        let Snapshot { records, left_out, .. } = log.snapshot();
        let told = |segment: u64| records.iter().filter(|one| one.segment == segment).count();
        assert_eq!((told(run), told(result), told(live)), (1, 2, 2));
        // The newest of the others, the oldest not.
        assert_eq!((told(live + 1), told(live + 1_970)), (0, 2));
        let kept = records.len() as u64 / 2;
        assert!(left_out > 1_500 && left_out + kept > 1_900, "{left_out}, {kept}");
        assert!(log.bytes() <= BYTES, "{}", log.bytes());
        writer.write("g/b".into(), live, SegmentOp::Close { value: json!(long) });
        writer.write("g".into(), run, SegmentOp::Close { value: Json::Null });
        writer.end();
        let Snapshot { mut records, next, .. } = log.snapshot();
        log.visit(next, usize::MAX, |record| records.push(record.clone()));
        SegmentLog::check(&renumbered(records)).unwrap();
    }

    #[test]
    fn a_visit_takes_no_more_than_it_was_asked_for() {
        let log = RunLog::new("r".into(), RING_RECORDS);
        write(&log);
        let mut seen = Vec::new();
        let visited = log.visit(3, 2, |record| seen.push(record.seq));
        assert_eq!((visited, seen), (Visited::Seen { next: 5, over: false }, vec![3, 4]));
        assert_eq!(log.visit(99, 2, |_| unreachable!()), Visited::Seen { next: 15, over: true });
        assert_eq!(log.head(), (15, true));
    }

    #[test]
    fn a_log_whose_writer_is_gone_is_over() {
        let log = RunLog::new("r".into(), 8);
        drop(Writer::new(Arc::clone(&log)));
        assert_eq!(log.head(), (0, true));
    }
}
