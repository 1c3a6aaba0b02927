//! Segments: the one ordered log of what a client sees of a run.
//!
//! Every transport is a projection of this log. [`SegmentLog`] checks its invariants; it runs over every log of
//! every test. This module describes and checks; it never sends or stores anything.
//!
//! A record on the wire:
//!
//! ```json
//! {"run":"r_1","seq":41,"node":"support/reply","segment":7,"op":"open","kind":"text","role":"result","attempt":1}
//! {"run":"r_1","seq":42,"node":"support/reply","segment":7,"op":"delta","text":"Your invoice"}
//! ```

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use smol_str::SmolStr;

/// One record of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// The run.
    pub run: SmolStr,
    /// Position in the log: ascending, without gaps within one life of the process.
    pub seq: u64,
    /// Path of the node that it comes from; the graph's name for the run itself.
    pub node: SmolStr,
    /// The segment, unique in the run.
    pub segment: u64,
    /// What happens to it.
    #[serde(flatten)]
    pub op: SegmentOp,
}

/// What happens to a segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum SegmentOp {
    /// It begins: exactly once, before anything else.
    Open {
        /// What it is.
        kind: SegmentKind,
        /// What it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<SegmentRole>,
        /// Which attempt of its call, from 1.
        #[serde(default = "one", skip_serializing_if = "is_one")]
        attempt: u32,
        /// What its kind needs besides: a question's form schema, a card's schema name, a tool's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Json>,
    },
    /// Text is appended: to the segment, or to the text at `at` in a value.
    Delta {
        /// What is appended.
        text: String,
        /// JSON pointer into a `value`; empty for the whole.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        at: String,
        /// The part at `at` (a text, list or record that grew) is complete. With an empty text it only says so.
        #[serde(default, skip_serializing_if = "is_false")]
        done: bool,
    },
    /// A part of a value is there, complete.
    Set {
        /// JSON pointer; empty for the whole. Containers on the way that are not there yet are made: a list where the
        /// key is `0`, else an object. Setting index `n` of a list of `n` items appends.
        at: String,
        /// The part.
        value: Json,
    },
    /// It ends well.
    Close {
        /// Its finished value; what was filled in before agrees with it.
        #[serde(default, skip_serializing_if = "Json::is_null")]
        value: Json,
    },
    /// It is empty again and open: another attempt begins.
    Reset {
        /// Which attempt begins, from 1.
        attempt: u32,
    },
    /// It ends badly.
    Fail {
        /// The failure's wire form.
        failure: Json,
        /// Its words: `code`, `message`, and where they are known `help`, `node` and `limit`.
        #[serde(default, skip_serializing_if = "Json::is_null")]
        error: Json,
    },
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(b: &bool) -> bool {
    !*b
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(n: &u32) -> bool {
    *n == 1
}

/// What a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentKind {
    /// A text that grows by deltas.
    Text,
    /// A typed value that fills in.
    Value,
    /// An item of a list.
    Item,
    /// A status line.
    Status,
    /// A typed value to show.
    Card,
    /// What a model thinks before it answers.
    Thinking,
    /// A call of a tool: its arguments grow, then its result follows.
    Tool,
    /// A question to a person, with the schema of its form.
    Question,
    /// What a call used up.
    Usage,
    /// A node for tracing views: open is its start, close or fail its end.
    Node,
    /// A compensation that has failed, named by the path of its `undo`: what it was to undo is perhaps not undone.
    Undo,
    /// The run itself: opened first, ended last.
    Run,
}

/// What a segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentRole {
    /// It is (a part of) the run's result.
    Result,
    /// It is shown on the way.
    Progress,
}

/// A broken invariant: which record broke which rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("segment log, record {seq}: {rule}")]
pub struct Violation {
    /// The record's `seq`, or the number of the next one when the log ended too early.
    pub seq: u64,
    /// The rule, in words.
    pub rule: String,
}

/// Checks the invariants of a log, record by record.
///
/// A segment is opened once; all else follows its open and precedes its end; it ends by exactly one close or fail;
/// what was appended and set since its last reset is in the closing value; `seq` ascends without gaps; there is
/// exactly one `run` segment, its end is the last record, and all other segments have ended by then.
#[derive(Debug, Default)]
pub struct SegmentLog {
    run: Option<SmolStr>,
    next: Option<u64>,
    open: FxHashMap<u64, Live>,
    ended: rustc_hash::FxHashSet<u64>,
    run_segment: Option<u64>,
    over: bool,
}

#[derive(Debug)]
struct Live {
    kind: SegmentKind,
    attempt: u32,
    text: String,
    value: Json,
    /// Pointers that were set or appended to.
    touched: Vec<String>,
}

impl SegmentLog {
    /// An empty log.
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks a whole log.
    ///
    /// # Errors
    /// The first broken invariant.
    pub fn check<'a>(log: impl IntoIterator<Item = &'a Segment>) -> Result<(), Violation> {
        let mut checker = Self::new();
        for record in log {
            checker.push(record)?;
        }
        checker.finish()
    }

    /// Checks the next record.
    ///
    /// # Errors
    /// The invariant that it breaks.
    pub fn push(&mut self, record: &Segment) -> Result<(), Violation> {
        let bad = |rule: String| Err(Violation { seq: record.seq, rule });
        if self.over {
            return bad("nothing follows the end of the run".into());
        }
        if self.next.is_some_and(|next| next != record.seq) {
            return bad(format!("seq should be {}", self.next.unwrap_or_default()));
        }
        self.next = Some(record.seq + 1);
        match &self.run {
            None => self.run = Some(record.run.clone()),
            Some(run) if *run != record.run => return bad("it belongs to another run".into()),
            Some(_) => {}
        }
        let id = record.segment;
        if let SegmentOp::Open { kind, attempt, .. } = &record.op {
            if self.open.contains_key(&id) || self.ended.contains(&id) {
                return bad(format!("segment {id} was opened before"));
            }
            if *attempt == 0 {
                return bad("attempts count from 1".into());
            }
            if *kind == SegmentKind::Run && self.run_segment.replace(id).is_some() {
                return bad("there is a second run segment".into());
            }
            let live = Live {
                kind: *kind,
                attempt: *attempt,
                text: String::new(),
                value: Json::Null,
                touched: Vec::new(),
            };
            self.open.insert(id, live);
            return Ok(());
        }
        let Some(live) = self.open.get_mut(&id) else {
            let why = if self.ended.contains(&id) { "has ended" } else { "was never opened" };
            return bad(format!("segment {id} {why}"));
        };
        let result = match &record.op {
            SegmentOp::Open { .. } => Ok(()),
            SegmentOp::Delta { text, done: true, .. } if text.is_empty() => Ok(()),
            SegmentOp::Delta { text, at, .. } => live.append(text, at),
            SegmentOp::Set { at, value } => live.set(at, value),
            SegmentOp::Reset { attempt } if *attempt < live.attempt => {
                Err("attempts never go back".into())
            }
            SegmentOp::Reset { attempt } => {
                live.attempt = *attempt;
                live.text.clear();
                live.value = Json::Null;
                live.touched.clear();
                Ok(())
            }
            SegmentOp::Close { value } => live.closes_with(value),
            SegmentOp::Fail { .. } => Ok(()),
        };
        if let Err(rule) = result {
            return bad(format!("segment {id}: {rule}"));
        }
        if matches!(record.op, SegmentOp::Close { .. } | SegmentOp::Fail { .. }) {
            self.open.remove(&id);
            self.ended.insert(id);
            if self.run_segment == Some(id) {
                if !self.open.is_empty() {
                    return bad(format!("the run ended before {} other segments", self.open.len()));
                }
                self.over = true;
            }
        }
        Ok(())
    }

    /// Checks that the log is complete.
    ///
    /// # Errors
    /// If the run has not ended.
    pub fn finish(&self) -> Result<(), Violation> {
        if self.over {
            return Ok(());
        }
        let rule = if self.run_segment.is_some() {
            "the log ends before its run segment"
        } else {
            "the log has no run segment"
        };
        Err(Violation { seq: self.next.unwrap_or_default(), rule: rule.into() })
    }
}

impl Live {
    fn append(&mut self, text: &str, at: &str) -> Result<(), String> {
        if at.is_empty() && !matches!(self.value, Json::String(_)) && self.touched.is_empty() {
            self.text.push_str(text);
            return Ok(());
        }
        let place = place(&mut self.value, at)?;
        match place {
            Json::Null => *place = Json::String(text.to_owned()),
            Json::String(so_far) => so_far.push_str(text),
            _ => return Err(format!("text is appended at `{at}`, where no text is")),
        }
        self.touch(at);
        Ok(())
    }

    fn set(&mut self, at: &str, value: &Json) -> Result<(), String> {
        if !self.text.is_empty() {
            return Err("a text that grows is not set".into());
        }
        *place(&mut self.value, at)? = value.clone();
        self.touch(at);
        Ok(())
    }

    fn touch(&mut self, at: &str) {
        if !self.touched.iter().any(|t| t == at) {
            self.touched.push(at.to_owned());
        }
    }

    fn closes_with(&self, closing: &Json) -> Result<(), String> {
        if !self.text.is_empty() {
            if matches!(self.kind, SegmentKind::Tool) {
                return Ok(()); // arguments grow, the closing value is the tool's result
            }
            return if closing.as_str() == Some(&self.text) {
                Ok(())
            } else {
                Err(format!("its deltas make {:?}, it closes with {closing}", self.text))
            };
        }
        for at in &self.touched {
            let (was, is) = (self.value.pointer(at), closing.pointer(at));
            if was != is {
                return Err(format!("at `{at}` it had {was:?}, it closes with {is:?}"));
            }
        }
        Ok(())
    }
}

/// The place that a JSON pointer names, made if it is the next of a list, a new key, or below a `null`: what every
/// reader of `set` and `delta` does.
///
/// # Errors
/// What is wrong with the pointer: it leaves a gap in a list, or goes through something that is not an object or a list.
pub fn place<'a>(root: &'a mut Json, at: &str) -> Result<&'a mut Json, String> {
    let mut here = root;
    if at.is_empty() {
        return Ok(here);
    }
    let Some(rest) = at.strip_prefix('/') else {
        return Err(format!("`{at}` is no JSON pointer"));
    };
    for token in rest.split('/') {
        let key = token.replace("~1", "/").replace("~0", "~");
        if here.is_null() {
            *here = match key.parse::<usize>() {
                Ok(0) => Json::Array(Vec::new()),
                _ => Json::Object(serde_json::Map::new()),
            };
        }
        here = match here {
            Json::Object(fields) => fields.entry(key).or_insert(Json::Null),
            Json::Array(items) => {
                let index: usize =
                    key.parse().map_err(|_| format!("`{key}` in `{at}` is not an index"))?;
                if index == items.len() {
                    items.push(Json::Null);
                }
                items.get_mut(index).ok_or_else(|| format!("`{at}` leaves a gap"))?
            }
            _ => {
                return Err(format!(
                    "`{at}` goes through something that is not an object or a list"
                ));
            }
        };
    }
    Ok(here)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn log(ops: Vec<(u64, SegmentOp)>) -> Result<(), Violation> {
        let records: Vec<_> = (0..)
            .zip(ops)
            .map(|(seq, (segment, op))| Segment {
                run: "r".into(),
                seq,
                node: "g".into(),
                segment,
                op,
            })
            .collect();
        SegmentLog::check(&records)
    }

    fn open(kind: SegmentKind) -> SegmentOp {
        SegmentOp::Open { kind, role: None, attempt: 1, about: None }
    }

    fn delta(text: &str, at: &str) -> SegmentOp {
        SegmentOp::Delta { text: text.into(), at: at.into(), done: false }
    }

    fn close(value: Json) -> SegmentOp {
        SegmentOp::Close { value }
    }

    #[test]
    fn a_good_log_passes() {
        let set = SegmentOp::Set { at: "/route".into(), value: json!("billing") };
        log(vec![
            (0, open(SegmentKind::Run)),
            (1, open(SegmentKind::Text)),
            (2, open(SegmentKind::Value)),
            (1, delta("wrong", "")),
            (1, SegmentOp::Reset { attempt: 2 }),
            (1, delta("Your ", "")),
            (2, set),
            (2, delta("a", "/points/0")),
            (2, delta("b", "/points/1")),
            (2, delta("!", "/points/1")),
            (1, delta("invoice", "")),
            (1, close(json!("Your invoice"))),
            (2, close(json!({"route": "billing", "points": ["a", "b!"], "more": 1}))),
            (0, close(Json::Null)),
        ])
        .unwrap();
    }

    #[test]
    fn each_broken_rule_is_named() {
        let run = || (0, open(SegmentKind::Run));
        let end = || (0, close(Json::Null));
        let text = || (1, open(SegmentKind::Text));
        for (ops, rule) in [
            (vec![run()], "ends before its run segment"),
            (vec![text(), (1, close(Json::Null))], "no run segment"),
            (vec![run(), (1, delta("x", ""))], "never opened"),
            (vec![run(), text(), text()], "opened before"),
            (vec![run(), text(), (1, close(json!(""))), (1, delta("x", ""))], "has ended"),
            (vec![run(), end(), text()], "nothing follows"),
            (vec![run(), text(), end()], "ended before 1 other"),
            (vec![run(), (1, open(SegmentKind::Run))], "second run"),
            (vec![run(), text(), (1, delta("x", "")), (1, close(json!("y")))], "closes with"),
            (vec![run(), text(), (1, delta("x", "/3/a"))], ""),
        ] {
            match log(ops.clone()) {
                Err(violation) => assert!(violation.rule.contains(rule), "{violation}"),
                Ok(()) => panic!("{ops:?} should break: {rule}"),
            }
        }
    }

    #[test]
    fn the_wire_form_is_flat_and_comes_back() {
        let record = Segment {
            run: "r_1".into(),
            seq: 41,
            node: "support/reply".into(),
            segment: 7,
            op: SegmentOp::Open {
                kind: SegmentKind::Text,
                role: Some(SegmentRole::Result),
                attempt: 1,
                about: None,
            },
        };
        let wire = serde_json::to_value(&record).unwrap();
        let expected = json!({
            "run": "r_1", "seq": 41, "node": "support/reply", "segment": 7,
            "op": "open", "kind": "text", "role": "result"
        });
        assert_eq!(wire, expected);
        assert_eq!(serde_json::from_value::<Segment>(wire).unwrap(), record);
    }
}
