//! The log of a run as events for clients: each record is written once, however many clients read it.
//!
//! A feed keeps the last events as the bytes that go out. Clients that are close to the end of the log share them;
//! one that fell behind has its own written from the log, and one that fell behind that gets a snapshot. Nobody who
//! reads slowly holds up anybody else.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{BufMut as _, Bytes, BytesMut};
use kait_engine::segment::{Segment, SegmentOp};
use kait_runtime::RunLog;
use kait_runtime::segments::{Snapshot, Visited};
use serde::Serialize;
use serde_json::json;
use smol_str::SmolStr;

/// Bytes of events that go out in one piece.
const PIECE: usize = 64 << 10;
/// Bytes of events that a feed keeps for clients close to the end.
const WINDOW: usize = 256 << 10;
/// Records that are written while the log is held: a few microseconds.
const VISIT: usize = 64;
/// About how long an event is, to ask for memory once.
const EVENT: usize = 144;

/// The events of one run.
pub struct Feed {
    log: Arc<RunLog>,
    epoch: SmolStr,
    /// `{"run":"r_…","seq":`
    head: String,
    /// `id: <epoch>.`
    id: String,
    window: Mutex<Window>,
    readers: AtomicUsize,
}

#[derive(Default)]
struct Window {
    pieces: VecDeque<Piece>,
    bytes: usize,
    /// `seq` of the record behind the last piece.
    next: u64,
    /// The last snapshot that was made, and the `seq` to go on with.
    snapshot: Option<(u64, Bytes)>,
}

struct Piece {
    first: u64,
    bytes: Bytes,
}

/// A snapshot as clients get it.
#[derive(Serialize)]
struct SnapshotMessage<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Option<String>>,
    run: &'s str,
    seq: Option<u64>,
    op: &'static str,
    #[serde(skip_serializing_if = "is_zero")]
    left_out: u64,
    records: Vec<&'s Segment>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What was written of a log.
enum Written {
    /// Events, and the `seq` to go on with.
    Events(Bytes, u64),
    /// The records have left the log.
    Behind,
    /// Nothing yet.
    Nothing,
    /// Nothing any more.
    Over,
}

/// What there is for a reader.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// Events, and the `seq` to go on with.
    Events(Bytes, u64),
    /// How things stand, as one event, and the `seq` to go on with.
    Snapshot(Bytes, u64),
    /// Nothing yet.
    Nothing,
    /// Nothing any more.
    Over,
}

impl Feed {
    /// The feed of a log. `epoch` names this life of the process.
    pub fn new(log: Arc<RunLog>, epoch: SmolStr) -> Self {
        let head = format!("{{\"run\":{},\"seq\":", json!(log.run().as_str()));
        let id = format!("id: {epoch}.");
        let (window, readers) = (Mutex::default(), AtomicUsize::new(0));
        Self { log, epoch, head, id, window, readers }
    }

    /// The log.
    pub fn log(&self) -> &Arc<RunLog> {
        &self.log
    }

    /// The id of a record: `epoch.seq`.
    pub fn id_of(&self, seq: u64) -> String {
        format!("{}.{seq}", self.epoch)
    }

    /// The `seq` behind the record with that id; `None` if the id is of another life of the process, or of no record
    /// that there is.
    pub fn after(&self, id: &str) -> Option<u64> {
        let (epoch, seq) = id.trim().split_once('.')?;
        let next = seq.parse::<u64>().ok()?.checked_add(1)?;
        (epoch == self.epoch && next <= self.log.head().0).then_some(next)
    }

    /// A reader from a record on; from `None`, one that must first hear how things stand.
    pub fn read(self: &Arc<Self>, from: Option<u64>) -> FeedReader {
        self.readers.fetch_add(1, Ordering::Relaxed);
        FeedReader { feed: Arc::clone(self), next: from }
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        // Pieces are pushed whole: a panic cannot leave half of one.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, from: u64) -> Taken {
        let mut window = self.window();
        if from < window.next {
            let at = window.pieces.partition_point(|piece| piece.first <= from);
            let Some(piece) = at.checked_sub(1).and_then(|at| window.pieces.get(at)) else {
                return self.written(self.write(from), &mut window);
            };
            let next = window.pieces.get(at).map_or(window.next, |piece| piece.first);
            return Taken::Events(skip_events(&piece.bytes, from - piece.first), next);
        }
        // At the end, or beyond what anybody has read: the first to come writes for all.
        let written = self.write(from);
        if let Written::Events(bytes, next) = &written {
            if from > window.next {
                *window = Window::default();
            }
            window.bytes += bytes.len();
            window.pieces.push_back(Piece { first: from, bytes: bytes.clone() });
            window.next = *next;
            while window.bytes > WINDOW && window.pieces.len() > 1 {
                let Some(old) = window.pieces.pop_front() else { break };
                window.bytes -= old.bytes.len();
            }
        }
        self.written(written, &mut window)
    }

    fn written(&self, written: Written, window: &mut Window) -> Taken {
        match written {
            Written::Events(bytes, next) => Taken::Events(bytes, next),
            Written::Behind => self.snapshot(window),
            Written::Nothing => Taken::Nothing,
            Written::Over => Taken::Over,
        }
    }

    fn write(&self, from: u64) -> Written {
        let expected = self.log.head().0.saturating_sub(from);
        let expected = usize::try_from(expected).unwrap_or(usize::MAX).saturating_mul(EVENT);
        let mut out = BytesMut::with_capacity(expected.min(PIECE + EVENT * VISIT));
        let mut seq = from;
        loop {
            match self.log.visit(seq, VISIT, |record| self.write_event(record, &mut out)) {
                Visited::Behind if out.is_empty() => return Written::Behind,
                Visited::Behind => break,
                Visited::Seen { next, over } => {
                    let done = next == seq || over;
                    seq = next;
                    if out.is_empty() {
                        return if over { Written::Over } else { Written::Nothing };
                    }
                    if done || out.len() >= PIECE {
                        break;
                    }
                }
            }
        }
        Written::Events(out.freeze(), seq)
    }

    /// How things stand, as one event: made once, and shared by all who fell behind at the same place.
    fn snapshot(&self, window: &mut Window) -> Taken {
        let first = self.log.first();
        if let Some((next, event)) = &window.snapshot
            && *next == first
        {
            return Taken::Snapshot(event.clone(), first);
        }
        let snapshot = self.log.snapshot();
        let next = snapshot.next;
        let id = next.checked_sub(1).map(|seq| format!("id: {}\n", self.id_of(seq)));
        let message = self.snapshot_message(&snapshot, None);
        let event =
            [id.as_deref().unwrap_or_default(), "event: snapshot\ndata: ", &message, "\n\n"];
        let event = Bytes::from(event.concat());
        window.snapshot = Some((next, event.clone()));
        Taken::Snapshot(event, next)
    }

    /// A snapshot as JSON; over a WebSocket it carries its `id` itself.
    fn snapshot_message(&self, snapshot: &Snapshot, id: Option<Option<String>>) -> String {
        let message = SnapshotMessage {
            id,
            run: self.log.run(),
            seq: snapshot.next.checked_sub(1),
            op: "snapshot",
            left_out: snapshot.left_out,
            records: snapshot.records.iter().map(|record| &**record).collect(),
        };
        // Keys are texts and numbers are finite: this cannot fail.
        serde_json::to_string(&message).unwrap_or_default()
    }

    fn write_event(&self, record: &Segment, out: &mut BytesMut) {
        let mut seq = Decimal::default();
        let seq = seq.of(record.seq);
        out.put_slice(self.id.as_bytes());
        out.put_slice(seq);
        out.put_slice(b"\ndata: ");
        out.put_slice(self.head.as_bytes());
        out.put_slice(seq);
        write_rest(record, out);
        out.put_slice(b"\n\n");
    }
}

/// Reads a feed; the last one to go empties its window.
pub struct FeedReader {
    feed: Arc<Feed>,
    next: Option<u64>,
}

impl FeedReader {
    /// What there is now.
    pub fn take(&mut self) -> Taken {
        let taken = match self.next {
            Some(next) => self.feed.take(next),
            None => self.feed.snapshot(&mut self.feed.window()),
        };
        if let Taken::Events(_, next) | Taken::Snapshot(_, next) = &taken {
            self.next = Some(*next);
        }
        taken
    }

    /// Waits until there is something to take.
    pub async fn wait(&self) {
        self.feed.log.wait(self.next.unwrap_or(0)).await;
    }

    /// Takes records instead of events, at most `most`, each with its id; `false` once the log is over.
    pub fn take_messages(&mut self, most: usize, out: &mut Vec<String>) -> bool {
        let feed = &self.feed;
        let seen = match self.next {
            None => Visited::Behind,
            Some(next) => feed.log.visit(next, most, |record| {
                let mut message = BytesMut::with_capacity(EVENT);
                message.put_slice(b"{\"id\":\"");
                message.put_slice(feed.id_of(record.seq).as_bytes());
                message.put_slice(b"\",");
                let mut seq = Decimal::default();
                message.put_slice(feed.head.as_bytes().get(1..).unwrap_or_default());
                message.put_slice(seq.of(record.seq));
                write_rest(record, &mut message);
                out.push(String::from_utf8(message.into()).unwrap_or_default());
            }),
        };
        match seen {
            Visited::Behind => {
                let snapshot = feed.log.snapshot();
                let next = snapshot.next;
                let id = next.checked_sub(1).map(|seq| feed.id_of(seq));
                out.push(feed.snapshot_message(&snapshot, Some(id)));
                self.next = Some(next);
                true
            }
            Visited::Seen { next, over } => {
                self.next = Some(next);
                !(over && out.is_empty())
            }
        }
    }
}

impl Drop for FeedReader {
    fn drop(&mut self) {
        if self.feed.readers.fetch_sub(1, Ordering::AcqRel) == 1 {
            *self.feed.window() = Window::default();
        }
    }
}

/// A piece without its first `count` events. Events end with an empty line, and JSON has no line breaks.
fn skip_events(piece: &Bytes, count: u64) -> Bytes {
    let Some(last) = usize::try_from(count).ok().and_then(|count| count.checked_sub(1)) else {
        return piece.clone();
    };
    let end = memchr::memmem::find_iter(piece, b"\n\n").nth(last).map_or(piece.len(), |at| at + 2);
    piece.slice(end..)
}

/// A record from behind its `seq` on, as `serde_json` writes it. Pieces of text, by far the most, are written here.
fn write_rest(record: &Segment, out: &mut BytesMut) {
    let mut number = Decimal::default();
    out.put_slice(b",\"node\":");
    write_text(&record.node, out);
    out.put_slice(b",\"segment\":");
    out.put_slice(number.of(record.segment));
    match &record.op {
        SegmentOp::Delta { text, at, done } => {
            out.put_slice(b",\"op\":\"delta\",\"text\":");
            write_text(text, out);
            if !at.is_empty() {
                out.put_slice(b",\"at\":");
                write_text(at, out);
            }
            out.put_slice(if *done { b",\"done\":true}" } else { b"}" });
        }
        op => {
            // An object with at least `op`: this cannot fail, and it begins with a brace.
            let op = serde_json::to_vec(op).unwrap_or_default();
            out.put_u8(b',');
            out.put_slice(op.get(1..).unwrap_or_default());
        }
    }
}

fn write_text(text: &str, out: &mut BytesMut) {
    let plain = |byte: &u8| *byte >= 0x20 && *byte != b'"' && *byte != b'\\';
    if text.as_bytes().iter().all(plain) {
        out.put_u8(b'"');
        out.put_slice(text.as_bytes());
        out.put_u8(b'"');
    } else {
        out.put_slice(&serde_json::to_vec(text).unwrap_or_default());
    }
}

/// A number's digits, without an allocation.
#[derive(Default)]
struct Decimal {
    digits: [u8; 20],
}

impl Decimal {
    fn of(&mut self, mut number: u64) -> &[u8] {
        let mut first = self.digits.len();
        for (at, digit) in self.digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
            first = at;
            if number == 0 {
                break;
            }
        }
        self.digits.get(first..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use kait_engine::segment::{SegmentKind, SegmentRole};
    use kait_runtime::segments::Writer;

    use super::*;

    const PIECES: u64 = 3_000;

    fn written(capacity: usize) -> Arc<Feed> {
        let log = RunLog::new("r_1".into(), capacity);
        let mut writer = Writer::new(Arc::clone(&log));
        let run = writer.open("g".into(), SegmentKind::Run, None, None);
        let node = "g/\"n\"";
        let segment = writer.open(node.into(), SegmentKind::Text, Some(SegmentRole::Result), None);
        for n in 0..PIECES {
            let text = if n % 100 == 7 { format!("\n\"{n}\u{1}é\\") } else { n.to_string() };
            let at = String::new();
            writer.write(node.into(), segment, SegmentOp::Delta { text, at, done: n % 9 == 0 });
        }
        writer.write(
            node.into(),
            segment,
            SegmentOp::Fail { failure: json!({ "kind": "x" }), error: json!(null) },
        );
        let at = "/a".to_owned();
        let value = writer.open("g".into(), SegmentKind::Value, None, Some(json!([1])));
        writer.write("g".into(), value, SegmentOp::Delta { text: "t".into(), at, done: true });
        writer.write("g".into(), value, SegmentOp::Close { value: json!({ "a": "t" }) });
        writer.write("g".into(), run, SegmentOp::Close { value: json!("done") });
        writer.end();
        Arc::new(Feed::new(log, "e".into()))
    }

    fn records(events: &[u8]) -> Vec<Segment> {
        let text = std::str::from_utf8(events).unwrap();
        text.split_terminator("\n\n")
            .map(|event| {
                let (id, data) = event.split_once("\ndata: ").unwrap();
                let record: Segment = serde_json::from_str(data).unwrap();
                assert_eq!(id, format!("id: e.{}", record.seq));
                // Every byte as serde would have written it.
                assert_eq!(data, serde_json::to_string(&record).unwrap());
                record
            })
            .collect()
    }

    fn all(reader: &mut FeedReader) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            match reader.take() {
                Taken::Events(events, _) => out.extend_from_slice(&events),
                Taken::Over => return out,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn events_are_the_records_as_serde_writes_them() {
        let feed = written(65_536);
        let whole = all(&mut feed.read(Some(0)));
        let (mut reader, mut log) = (feed.log.read(), Vec::new());
        while reader.read_now(&mut log) {}
        let log: Vec<_> = log.into_iter().map(Arc::unwrap_or_clone).collect();
        assert_eq!(records(&whole), log);
    }

    #[test]
    fn whoever_resumes_gets_exactly_the_rest() {
        let feed = written(65_536);
        let whole = records(&all(&mut feed.read(Some(0))));
        // One reader stays, so that the window stays.
        let mut other = feed.read(Some(0));
        other.take();
        for after in [0, 1, 63, 64, 65, 500, 501, PIECES - 1, PIECES + 3] {
            let from = feed.after(&format!("e.{after}")).unwrap();
            let rest = records(&all(&mut feed.read(Some(from))));
            assert_eq!(rest, whole[after as usize + 1..], "after {after}");
        }
        drop(other);
        assert_eq!(feed.window().pieces.len(), 0);
        assert_eq!(feed.after("e.99999999"), None);
        assert_eq!(feed.after("other.1"), None);
        assert_eq!(feed.after("nonsense"), None);
    }

    #[test]
    fn whoever_fell_behind_gets_a_snapshot_and_the_rest() {
        let feed = written(100);
        let mut reader = feed.read(Some(5));
        let Taken::Snapshot(event, next) = reader.take() else { panic!("no snapshot") };
        let text = String::from_utf8(event.to_vec()).unwrap();
        let head = format!("id: e.{}\nevent: snapshot\ndata: ", next - 1);
        let snapshot: serde_json::Value =
            serde_json::from_str(text.strip_prefix(&head).unwrap().trim_end()).unwrap();
        assert_eq!(snapshot["records"][0]["op"], "open");
        let rest = records(&all(&mut reader));
        assert_eq!(rest.first().map(|record| record.seq), Some(next));
        assert_eq!(rest.len(), 100);
    }

    #[test]
    fn messages_are_the_same_records_with_their_ids() {
        let feed = written(65_536);
        let mut reader = feed.read(Some(0));
        let mut messages = Vec::new();
        loop {
            let mut batch = Vec::new();
            if !reader.take_messages(100, &mut batch) {
                break;
            }
            assert!(batch.len() <= 100);
            messages.extend(batch);
        }
        assert_eq!(messages.len() as u64, PIECES + 7);
        for (seq, message) in messages.iter().enumerate() {
            let json: serde_json::Value = serde_json::from_str(message).unwrap();
            assert_eq!(json["id"], format!("e.{seq}"));
            assert_eq!(json["seq"], seq);
        }
    }
}
