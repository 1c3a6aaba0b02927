//! The result's segment: steps of growth become records that a client can apply one after the other.
//!
//! What is known and what was sent are kept apart: items of a list go out in order, and what a retry changes is sent
//! again after a `reset`. Whatever has flowed before, at its end the segment agrees with the finished value.

use std::fmt::Write as _;
use std::sync::Arc;

use kait_connect::{Growth, Path, Step};
use kait_engine::check::TypeTable;
use kait_engine::segment::{SegmentKind, SegmentOp, SegmentRole};
use kait_engine::{json, render};
use kait_ir::{Failure, Type, TypeId, Value};
use serde_json::json;
use smol_str::SmolStr;

use super::Writer;
use crate::plane::{Live, Watcher};
use crate::report::fail_record;

/// The segment of a run's result.
pub struct ResultSegment {
    node: SmolStr,
    ty: TypeId,
    table: Arc<TypeTable>,
    known: Live,
    sent: Live,
    segment: u64,
    attempt: u32,
    kind: SegmentKind,
    out: Vec<SegmentOp>,
}

impl ResultSegment {
    /// Opens the segment of a result of that type.
    pub fn open(node: SmolStr, ty: TypeId, table: Arc<TypeTable>, writer: &mut Writer) -> Self {
        let kind = match table.types().base(ty) {
            Type::Text => SegmentKind::Text,
            _ => SegmentKind::Value,
        };
        let segment = writer.open(node.clone(), kind, Some(SegmentRole::Result), None);
        Self {
            node,
            ty,
            table,
            known: Live::Empty,
            sent: Live::Empty,
            segment,
            attempt: 1,
            kind,
            out: Vec::new(),
        }
    }

    /// Writes what has come up since the last call.
    pub fn write(&mut self, writer: &mut Writer) {
        for op in self.out.drain(..) {
            writer.write(self.node.clone(), self.segment, op);
        }
    }

    /// Ends the segment with the run's outcome.
    pub fn end(&mut self, outcome: Result<&Value, &Failure>, writer: &mut Writer) {
        match outcome {
            Ok(value) => {
                self.grow(&Growth::Set { path: Path::new(), value: value.clone() });
                let value = json::encode(&self.table, self.ty, value);
                self.out.push(SegmentOp::Close { value });
            }
            Err(failure) => {
                self.out.push(fail_record(failure, None));
            }
        }
        self.write(writer);
    }

    /// Sends one step, as far as what stands before it has been sent.
    fn send(&mut self, growth: &Growth) {
        match growth {
            Growth::Append { path, text } => {
                if self.open_path(path) {
                    let at = self.pointer(path);
                    self.out.push(SegmentOp::Delta { at, text: text.to_string(), done: false });
                    self.sent.apply(growth);
                }
            }
            Growth::Tag { path, variant } => {
                if self.open_path(path) {
                    self.send_tag(path, *variant);
                }
            }
            Growth::Set { path, value } => {
                if self.open_path(path) && !self.complete(path, value) {
                    self.start_again();
                }
            }
            Growth::Restart => self.start_again(),
        }
    }

    fn send_tag(&mut self, path: &Path, variant: u32) {
        if matches!(self.sent.at(path), Some(Live::Variant(known, _)) if *known == variant) {
            return;
        }
        let Some(Type::Enum(choice)) = self.type_at(path) else { return };
        let Some(wire) = choice.variants.get(variant as usize).map(|v| v.wire.clone()) else {
            return;
        };
        let at = format!("{}/{}", self.pointer(path), json::KIND);
        self.out.push(SegmentOp::Set { at, value: json!(wire.as_str()) });
        self.sent.apply(&Growth::Tag { path: path.clone(), variant });
    }

    /// Notes the containers above a place (readers make them by themselves), if everything before it in lists is there.
    fn open_path(&mut self, path: &Path) -> bool {
        for depth in 0..path.len() {
            let above = Path::from_slice(path.get(..depth).unwrap_or_default());
            let empty = self.sent.at(&above).is_none_or(is_empty);
            match path.get(depth) {
                Some(Step::Item(index)) => {
                    let length = match self.sent.at(&above) {
                        Some(Live::List(items)) => items.len(),
                        Some(Live::Done(_)) => return false,
                        _ => 0,
                    };
                    if *index as usize > length {
                        return false;
                    }
                    if empty {
                        self.put_sent(&above, Live::List(Vec::new()));
                    }
                }
                Some(Step::Field(_)) => {
                    if matches!(self.sent.at(&above), Some(Live::Done(_))) {
                        return false;
                    }
                    if empty {
                        match self.known.at(&above) {
                            Some(Live::Variant(variant, _)) => {
                                let variant = *variant;
                                self.send_tag(&above, variant);
                            }
                            _ => self.put_sent(&above, Live::Record(Vec::new())),
                        }
                    }
                }
                None => {}
            }
        }
        true
    }

    fn put_sent(&mut self, path: &Path, live: Live) {
        // An empty container has no step of growth of its own: make the place, then fill it.
        self.sent.apply(&Growth::Append { path: path.clone(), text: SmolStr::default() });
        if let Some(place) = self.sent.at_mut(path) {
            *place = live;
        }
    }

    /// Sends what is missing of a finished value; `false` if what was sent does not agree with it.
    fn complete(&mut self, path: &Path, value: &Value) -> bool {
        let sent = self.sent.at(path).cloned().unwrap_or_default();
        let agreed = match (&sent, value) {
            (Live::Done(known), value) => known == value,
            (Live::Text(prefix), Value::Text(text)) => match text.strip_prefix(prefix.as_str()) {
                Some(rest) => {
                    self.part_done(path, rest);
                    true
                }
                None => false,
            },
            (Live::List(parts), Value::List(items)) => {
                parts.len() <= items.len()
                    && self.complete_parts(path, items, Step::Item)
                    && self.part_done(path, "")
            }
            (Live::Record(parts), Value::Record(fields)) => {
                parts.len() <= fields.len()
                    && self.complete_parts(path, fields, Step::Field)
                    && self.part_done(path, "")
            }
            (Live::Variant(known, parts), Value::Variant(tag, fields)) => {
                known == tag
                    && parts.len() <= fields.len()
                    && self.complete_parts(path, fields, Step::Field)
                    && self.part_done(path, "")
            }
            (Live::Variant(known, _), Value::Tag(tag)) => known == tag,
            (Live::Empty, _) => {
                match value {
                    // A text segment has deltas only.
                    Value::Text(text) if self.kind == SegmentKind::Text => {
                        if !text.is_empty() {
                            self.out.push(SegmentOp::Delta {
                                at: String::new(),
                                text: text.to_string(),
                                done: false,
                            });
                        }
                    }
                    value => {
                        let ty = self.type_id_at(path);
                        let value = json::encode(&self.table, ty, value);
                        let at = self.pointer(path);
                        self.out.push(SegmentOp::Set { at, value });
                    }
                }
                true
            }
            _ => false,
        };
        if agreed {
            self.sent.apply(&Growth::Set { path: path.clone(), value: value.clone() });
        }
        agreed
    }

    /// Sends the rest of a part and says that it is complete; the whole is complete with its `close`.
    fn part_done(&mut self, path: &Path, rest: &str) -> bool {
        let done = !path.is_empty();
        if done || !rest.is_empty() {
            let at = self.pointer(path);
            self.out.push(SegmentOp::Delta { at, text: rest.to_owned(), done });
        }
        true
    }

    fn complete_parts(&mut self, path: &Path, parts: &[Value], step: fn(u32) -> Step) -> bool {
        (0..).zip(parts).all(|(index, part)| {
            let mut path = path.clone();
            path.push(step(index));
            self.complete(&path, part)
        })
    }

    /// Empties the segment and sends what is known again.
    fn start_again(&mut self) {
        if self.sent != Live::Empty {
            self.attempt += 1;
            self.out.push(SegmentOp::Reset { attempt: self.attempt });
            self.sent = Live::Empty;
        }
        let mut steps = Vec::new();
        self.known.replay(&mut |step| steps.push(step));
        for step in &steps {
            self.send(step);
        }
    }

    /// After an item was sent, those behind it that waited for it.
    fn send_waiting(&mut self, path: &Path) {
        let Some(depth) = path.iter().position(|step| matches!(step, Step::Item(_))) else {
            return;
        };
        let list = Path::from_slice(path.get(..depth).unwrap_or_default());
        loop {
            let Some(Live::List(sent)) = self.sent.at(&list) else { return };
            let next = u32::try_from(sent.len()).unwrap_or(u32::MAX);
            let mut path = list.clone();
            path.push(Step::Item(next));
            let Some(part) = self.known.at(&path).filter(|part| !is_empty(part)) else { return };
            let mut steps = Vec::new();
            part.replay(&mut |step| steps.push(step));
            for mut step in steps {
                if let Growth::Append { path: inner, .. }
                | Growth::Tag { path: inner, .. }
                | Growth::Set { path: inner, .. } = &mut step
                {
                    inner.insert_many(0, path.iter().copied());
                }
                self.send(&step);
            }
            if self.sent.at(&path).is_none_or(is_empty) {
                return;
            }
        }
    }

    fn type_id_at(&self, path: &[Step]) -> TypeId {
        let mut ty = self.ty;
        for (depth, step) in path.iter().enumerate() {
            let types = self.table.types();
            let mut base = types.base(ty);
            if let Type::Optional(inner) = base {
                base = types.base(*inner);
            }
            let next = match (base, step) {
                (Type::List(item), Step::Item(_)) => Some(*item),
                (Type::Record(record), Step::Field(i)) => {
                    record.fields.get(*i as usize).map(|f| f.ty)
                }
                (Type::Enum(choice), Step::Field(i)) => self
                    .variant_at(path.get(..depth).unwrap_or_default())
                    .and_then(|tag| choice.variants.get(tag as usize))
                    .and_then(|variant| variant.fields.get(*i as usize))
                    .map(|f| f.ty),
                _ => None,
            };
            match next {
                Some(next) => ty = next,
                None => return ty,
            }
        }
        ty
    }

    fn variant_at(&self, path: &[Step]) -> Option<u32> {
        match (self.sent.at(path), self.known.at(path)) {
            (Some(Live::Variant(tag, _)), _) | (_, Some(Live::Variant(tag, _))) => Some(*tag),
            (_, Some(Live::Done(value))) => value.tag(),
            _ => None,
        }
    }

    fn type_at(&self, path: &[Step]) -> Option<&Type> {
        let types = self.table.types();
        match types.base(self.type_id_at(path)) {
            Type::Optional(inner) => Some(types.base(*inner)),
            other => Some(other),
        }
    }

    /// The JSON pointer of a place: names on the wire.
    fn pointer(&self, path: &[Step]) -> String {
        let mut out = String::new();
        for (depth, step) in path.iter().enumerate() {
            let above = path.get(..depth).unwrap_or_default();
            match step {
                Step::Item(index) => {
                    let _ = write!(out, "/{index}");
                }
                Step::Field(index) => {
                    let wire = match self.type_at(above) {
                        Some(Type::Record(record)) => {
                            record.fields.get(*index as usize).map(|f| f.wire.clone())
                        }
                        Some(Type::Enum(choice)) => self
                            .variant_at(above)
                            .and_then(|tag| choice.variants.get(tag as usize))
                            .and_then(|variant| variant.fields.get(*index as usize))
                            .map(|f| f.wire.clone()),
                        _ => None,
                    };
                    let wire = wire.unwrap_or_else(|| index.to_string().into());
                    out.push('/');
                    out.push_str(&wire.replace('~', "~0").replace('/', "~1"));
                }
            }
        }
        out
    }
}

fn is_empty(live: &Live) -> bool {
    match live {
        Live::Empty => true,
        Live::Text(text) => text.is_empty(),
        _ => false,
    }
}

impl Watcher for ResultSegment {
    fn grow(&mut self, growth: &Growth) {
        self.known.apply(growth);
        self.send(growth);
        match growth {
            Growth::Append { path, .. } | Growth::Tag { path, .. } | Growth::Set { path, .. } => {
                self.send_waiting(&path.clone())
            }
            Growth::Restart => {}
        }
    }

    fn reset(&mut self, path: &[Step]) {
        self.known.reset(path);
        if self.sent.at(path).is_some_and(|live| !is_empty(live)) {
            self.start_again();
        }
    }

    fn render(&self, ty: TypeId, value: &Value) -> SmolStr {
        render::to_text(&self.table, ty, value).into()
    }
}

#[cfg(test)]
mod tests {
    use kait_engine::segment::{Segment, SegmentLog};
    use kait_ir::{FieldType, RecordType, Types};
    use proptest::prelude::*;

    use super::*;
    use crate::segments::RunLog;

    /// `record Note { title: text, points: [text], score: int }`
    fn note() -> (Arc<TypeTable>, TypeId) {
        let mut types = Types::default();
        let text = types.push(Type::Text);
        let int = types.push(Type::Int);
        let list = types.push(Type::List(text));
        let field = |name: &str, ty| FieldType {
            name: name.into(),
            wire: name.into(),
            docs: SmolStr::default(),
            ty,
            default: None,
            trust: None,
        };
        let note = types.push(Type::Record(RecordType {
            name: "Note".into(),
            docs: SmolStr::default(),
            fields: vec![field("title", text), field("points", list), field("score", int)],
        }));
        (Arc::new(TypeTable::new(types).unwrap()), note)
    }

    fn run(steps: &[Growth], end: Result<&Value, &Failure>) -> Vec<Segment> {
        let (table, ty) = note();
        let log = RunLog::new("r_1".into(), 1_000_000);
        let mut reader = log.read();
        let mut writer = Writer::new(log);
        let run = writer.open("g".into(), SegmentKind::Run, None, None);
        let mut result = ResultSegment::open("g".into(), ty, table, &mut writer);
        for step in steps {
            match step {
                Growth::Restart => result.reset(&[]),
                step => result.grow(step),
            }
            result.write(&mut writer);
        }
        result.end(end, &mut writer);
        writer.write("g".into(), run, SegmentOp::Close { value: json!(null) });
        writer.end();
        let mut records = Vec::new();
        reader.read_now(&mut records);
        records.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    fn value(title: &str, points: &[String], score: i64) -> Value {
        let points = points.iter().map(Value::text).collect();
        Value::record(vec![Value::text(title), Value::list(points), Value::Int(score)])
    }

    /// The steps of a value that grows, in one of many orders: texts cut anywhere, items interleaved.
    fn steps(title: &str, points: &[String], score: i64, cuts: &[usize]) -> Vec<Growth> {
        let mut cuts = cuts.iter().copied().cycle();
        let mut lanes: Vec<Vec<Growth>> = vec![Vec::new(); points.len() + 2];
        let mut grow = |lane: &mut Vec<Growth>, path: &[Step], text: &str| {
            let path = Path::from_slice(path);
            let mut rest = text;
            while !rest.is_empty() {
                let want = cuts.next().unwrap_or(1).max(1);
                let at = rest.char_indices().nth(want).map_or(rest.len(), |(at, _)| at);
                let (piece, tail) = rest.split_at(at);
                lane.push(Growth::Append { path: path.clone(), text: piece.into() });
                rest = tail;
            }
            lane.push(Growth::Set { path, value: Value::text(text) });
        };
        grow(&mut lanes[0], &[Step::Field(0)], title);
        for (i, point) in points.iter().enumerate() {
            let index = u32::try_from(i).unwrap();
            grow(&mut lanes[i + 1], &[Step::Field(1), Step::Item(index)], point);
        }
        let path = Path::from_slice(&[Step::Field(2)]);
        lanes[points.len() + 1].push(Growth::Set { path, value: Value::Int(score) });
        let mut out = Vec::new();
        while lanes.iter().any(|lane| !lane.is_empty()) {
            let pick = cuts.next().unwrap_or(0) % lanes.len();
            let lane = (0..lanes.len()).map(|i| (i + pick) % lanes.len());
            let lane = lane.into_iter().find(|i| !lanes[*i].is_empty()).unwrap();
            out.push(lanes[lane].remove(0));
        }
        out
    }

    proptest! {
        #[test]
        fn however_it_grows_the_log_holds_and_closes_with_the_value(
            title in ".{0,20}",
            points in proptest::collection::vec(".{0,8}", 0..5),
            score in any::<i64>(),
            cuts in proptest::collection::vec(0usize..7, 1..40),
            restart in proptest::option::of(0usize..20),
        ) {
            let value = value(&title, &points, score);
            let mut all = steps(&title, &points, score, &cuts);
            if let Some(at) = restart {
                // An attempt that broke off, then everything again.
                let mut first = all.clone();
                first.truncate(at);
                first.push(Growth::Restart);
                first.append(&mut all);
                all = first;
            }
            let log = run(&all, Ok(&value));
            prop_assert_eq!(SegmentLog::check(&log), Ok(()));
            let closed = log.iter().find_map(|record| match &record.op {
                SegmentOp::Close { value } if record.segment == 1 => Some(value.clone()),
                _ => None,
            });
            let points: Vec<_> = points.iter().map(|p| json!(p)).collect();
            prop_assert_eq!(closed, Some(json!({ "title": title, "points": points, "score": score })));
        }

        #[test]
        fn a_value_that_differs_from_what_grew_starts_the_segment_again(
            title in "[a-z]{1,9}",
            other in "[A-Z]{1,9}",
        ) {
            let all = steps(&title, &[], 1, &[1]);
            let value = value(&other, &[], 1);
            let log = run(&all, Ok(&value));
            prop_assert_eq!(SegmentLog::check(&log), Ok(()));
            let again = log.iter().any(|r| matches!(r.op, SegmentOp::Reset { attempt: 2 }));
            prop_assert!(again);
        }
    }

    #[test]
    fn a_failed_result_ends_in_fail() {
        let log = run(&steps("half", &[], 1, &[2])[..1], Err(&Failure::Timeout));
        assert_eq!(SegmentLog::check(&log), Ok(()));
        assert!(log.iter().any(
            |r| matches!(&r.op, SegmentOp::Fail { failure, .. } if failure["kind"] == "timeout")
        ));
    }
}
