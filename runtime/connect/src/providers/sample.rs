//! Valid values of any type, made from the words of a text: the answers of the `echo` model.
//!
//! The same text gives the same value, another text another one. All bounds are respected; where bounds contradict
//! each other no value exists, and what is given then fails the check like any other wrong answer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kait_engine::check::TypeTable;
use kait_engine::json::{KIND, decode, encode};
use kait_ir::{Bound, EnumType, FieldType, Type, TypeId, Value};
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json, json};

use super::pattern::matching;

/// How often a part is made anew until it fits its bounds.
const ATTEMPTS: u64 = 48;

/// Below this depth only what must be there is made, so that recursive types end.
const SHALLOW: u32 = 5;

/// Below this depth nothing is made any more.
const DEEPEST: u32 = 40;

/// After that many parts only what must be there is made, and after four times as many nothing: types that branch
/// and bounds that contradict each other would otherwise take for ever.
const MANY: u32 = 5000;

/// A value of the type, in its wire form.
pub(super) fn sample(table: &TypeTable, ty: TypeId, text: &str) -> Json {
    let mut words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '-'))
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .collect();
    if words.is_empty() {
        words.push("nothing");
    }
    // FNV-1a: small, and the same on every machine.
    let seed = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    Sampler { table, words, state: seed, next_word: 0, made: 0, distinct: 0 }.any(ty, &[], 0)
}

struct Sampler<'a> {
    table: &'a TypeTable,
    words: Vec<&'a str>,
    state: u64,
    next_word: usize,
    /// How many parts were made, attempts included.
    made: u32,
    /// Above 0 while texts must differ from earlier ones: then they begin with it.
    distinct: u64,
}

impl<'a> Sampler<'a> {
    /// The next number of the sequence (SplitMix64).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { self.random() % limit }
    }

    fn word(&mut self) -> &'a str {
        let word =
            self.words.get(self.next_word % self.words.len().max(1)).copied().unwrap_or("nothing");
        self.next_word += 1;
        word
    }

    /// A value of the type that also keeps the bounds of the refinements around it.
    fn any(&mut self, id: TypeId, around: &[Bound], depth: u32) -> Json {
        let mut bounds = around.to_vec();
        let mut base = id;
        for _ in 0..64 {
            match self.table.get(base) {
                Type::Refined { base: inner, bounds: own, .. } => {
                    bounds.extend(own.iter().cloned());
                    base = *inner;
                }
                _ => break,
            }
        }
        let mut made = self.once(base, &bounds, depth, 0);
        for attempt in 1..ATTEMPTS {
            // A part that fits is kept; bounds which stand around it are checked by whoever brought them.
            if bounds.is_empty() || self.made > MANY || self.fits(id, &made) {
                break;
            }
            made = self.once(base, &bounds, depth, attempt);
        }
        made
    }

    fn fits(&self, id: TypeId, made: &Json) -> bool {
        decode(self.table, id, made).is_ok_and(|value| self.table.check(id, &value).is_ok())
    }

    fn once(&mut self, id: TypeId, bounds: &[Bound], depth: u32, attempt: u64) -> Json {
        self.made += 1;
        if depth > DEEPEST || self.made > 4 * MANY {
            return Json::Null;
        }
        let depth = if self.made > MANY { depth.max(SHALLOW + 1) } else { depth };
        let below = depth + 1;
        match self.table.get(id).clone() {
            Type::Text | Type::Role | Type::Secret => self.text(bounds, attempt),
            Type::Int | Type::Selector => json!(self.int(bounds, 0)),
            Type::Size => json!(self.int(bounds, 0).max(0)),
            Type::Float => self.float(bounds),
            Type::Bool => json!(self.random() & 1 == 0),
            Type::Bytes => json!(STANDARD.encode(self.word())),
            Type::Json => json!({ "echo": self.word() }),
            Type::Time => {
                json!(format!("2026-01-{:02}T{:02}:00:00Z", self.below(28) + 1, self.below(24)))
            }
            Type::Duration => self
                .bounded(id, bounds)
                .unwrap_or_else(|| json!(format!("PT{}M", self.below(59) + 1))),
            Type::Money => self
                .bounded(id, bounds)
                .unwrap_or_else(|| json!(format!("{}.00 usd", self.below(90) + 10))),
            Type::Image => self.blob("image/png", PIXEL),
            Type::Audio => self.blob("audio/wav", b"RIFF\x24\0\0\0WAVEfmt "),
            Type::File => {
                let word = self.word().to_owned();
                self.blob("text/plain", word.as_bytes())
            }
            Type::None => Json::Null,
            Type::Optional(inner) => {
                if depth >= SHALLOW {
                    Json::Null
                } else {
                    self.any(inner, bounds, below)
                }
            }
            Type::List(item) => self.list(item, bounds, below),
            Type::Map(key, value) => {
                let key = self.any(key, &[], below);
                let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
                let value = self.any(value, &[], below);
                json!({ key: value })
            }
            Type::Record(record) => Json::Object(self.fields(&record.fields, below)),
            Type::Enum(choice) => self.choice(&choice, below),
            Type::Refined { .. } => self.any(id, bounds, below),
        }
    }

    fn fields(&mut self, fields: &[FieldType], depth: u32) -> Map<String, Json> {
        fields
            .iter()
            .map(|field| (field.wire.to_string(), self.any(field.ty, &[], depth)))
            .collect()
    }

    /// A variant that the words name, else any; deep down one that does not lead deeper.
    fn choice(&mut self, choice: &EnumType, depth: u32) -> Json {
        if choice.variants.is_empty() {
            return Json::Null;
        }
        let named = choice.variants.iter().position(|variant| {
            self.words.iter().any(|word| {
                word.eq_ignore_ascii_case(&variant.name) || word.eq_ignore_ascii_case(&variant.wire)
            })
        });
        let flat = choice.variants.iter().position(|variant| variant.fields.is_empty());
        let drawn = usize::try_from(self.below(choice.variants.len() as u64)).unwrap_or(0);
        let index = if depth > SHALLOW { flat.unwrap_or(drawn) } else { named.unwrap_or(drawn) };
        let Some(variant) = choice.variants.get(index) else { return Json::Null };
        if !choice.has_payload() {
            return json!(variant.wire.as_str());
        }
        let mut object = Map::new();
        object.insert(KIND.into(), json!(variant.wire.as_str()));
        object.extend(self.fields(&variant.fields, depth));
        Json::Object(object)
    }

    fn list(&mut self, item: TypeId, bounds: &[Bound], depth: u32) -> Json {
        let count = |value: &Value| value.as_int().and_then(|n| usize::try_from(n).ok());
        let (mut min, mut max, mut unique) = (0, usize::MAX, false);
        for bound in bounds {
            match bound {
                Bound::Min(n) => min = min.max(count(n).unwrap_or(0)),
                Bound::Max(n) => max = max.min(count(n).unwrap_or(usize::MAX)),
                Bound::Unique => unique = true,
                _ => {}
            }
        }
        let wished = if depth > SHALLOW { 0 } else { 2 };
        // A bound of many thousand items is kept as far as memory is no question.
        let length = wished.max(min).min(max).min(10_000);
        let mut items: Vec<Json> = Vec::with_capacity(length);
        while items.len() < length {
            let mut made = self.any(item, &[], depth);
            for attempt in 1..ATTEMPTS {
                if !unique || !items.contains(&made) {
                    break;
                }
                self.distinct = attempt;
                made = self.any(item, &[], depth);
            }
            self.distinct = 0;
            if unique && items.contains(&made) {
                break;
            }
            items.push(made);
        }
        Json::Array(items)
    }

    fn text(&mut self, bounds: &[Bound], attempt: u64) -> Json {
        let (mut min, mut max) = (0, usize::MAX);
        let (mut pattern, mut format) = (None, None);
        for bound in bounds {
            match bound {
                Bound::MinLen(n) => min = min.max(usize::try_from(*n).unwrap_or(usize::MAX)),
                Bound::MaxLen(n) => max = max.min(usize::try_from(*n).unwrap_or(usize::MAX)),
                Bound::Pattern(p) => pattern = Some(p),
                Bound::Format(f) => format = Some(f),
                _ => {}
            }
        }
        if let Some(pattern) = pattern {
            let mut random = || self.random();
            return json!(matching(pattern, attempt, &mut random).unwrap_or_default());
        }
        if let Some(format) = format {
            return json!(self.formatted(format));
        }
        let wished = usize::try_from(self.below(4)).unwrap_or(0) + 3;
        let mut text = String::new();
        let mut length = 0;
        // A smallest length of many thousand characters is kept, an absurd one is not.
        let min = min.min(1 << 20);
        if self.distinct > 0 {
            text = format!("{} ", self.distinct);
            length = text.len();
        }
        for taken in 0.. {
            if (taken >= wished && length >= min) || (taken > 0 && length >= max) {
                break;
            }
            if taken > 0 {
                text.push(' ');
                length += 1;
            }
            let word = self.word();
            text.push_str(word);
            length += word.chars().count();
        }
        if let Some((at, _)) = text.char_indices().nth(max) {
            text.truncate(at);
        }
        let trimmed = text.trim_end();
        json!(if trimmed.chars().count() >= min { trimmed } else { &text })
    }

    fn formatted(&mut self, format: &str) -> String {
        let ascii: String = self
            .word()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_lowercase();
        let word = if ascii.is_empty() { "echo".to_owned() } else { ascii };
        let (day, hour) = (self.below(28) + 1, self.below(24));
        match format {
            "email" | "idn-email" => format!("{word}@example.com"),
            "uri" | "url" | "iri" => format!("https://example.com/{word}"),
            "uri-reference" | "iri-reference" => format!("/{word}"),
            "hostname" | "idn-hostname" => format!("{word}.example.com"),
            "date" => format!("2026-01-{day:02}"),
            "date-time" => format!("2026-01-{day:02}T{hour:02}:00:00Z"),
            "time" => format!("{hour:02}:00:00Z"),
            "duration" => format!("PT{}H", hour + 1),
            "ipv4" => format!("192.0.2.{}", day),
            "ipv6" => format!("2001:db8::{day:x}"),
            "uuid" => {
                let (a, b) = (self.random(), self.random());
                format!(
                    "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                    a >> 32,
                    (a >> 16) & 0xffff,
                    a & 0xfff,
                    b >> 52,
                    b & 0xffff_ffff_ffff
                )
            }
            "json-pointer" => format!("/{word}"),
            "regex" => word,
            _ => word,
        }
    }

    /// A whole number within the bounds.
    fn int(&mut self, bounds: &[Bound], lowest: i64) -> i64 {
        let (mut min, mut max, mut step) = (None, None, 1i64);
        let whole = |value: &Value, up: bool| match value {
            Value::Int(n) => *n,
            Value::Size(n) => i64::try_from(*n).unwrap_or(i64::MAX),
            Value::Float(x) => (if up { x.ceil() } else { x.floor() }) as i64,
            _ => 0,
        };
        for bound in bounds {
            match bound {
                Bound::Min(n) => min = Some(whole(n, true).max(min.unwrap_or(i64::MIN))),
                Bound::Max(n) => max = Some(whole(n, false).min(max.unwrap_or(i64::MAX))),
                Bound::MultipleOf(n) => step = whole(n, true).checked_abs().unwrap_or(1).max(1),
                _ => {}
            }
        }
        let low = min
            .unwrap_or_else(|| max.map_or(lowest + 1, |max| max.saturating_sub(9).min(lowest + 1)));
        let high = max.unwrap_or_else(|| {
            low.saturating_add(9).max(low.saturating_add(step.saturating_mul(3)))
        });
        let (low, high) = (i128::from(low), i128::from(high));
        let step = i128::from(step);
        let first = low.div_euclid(step) * step + if low.rem_euclid(step) == 0 { 0 } else { step };
        let choices = ((high - first).div_euclid(step) + 1).clamp(1, 1000);
        let drawn = i128::from(self.below(u64::try_from(choices).unwrap_or(1)));
        i64::try_from(first + drawn * step).unwrap_or(0)
    }

    fn float(&mut self, bounds: &[Bound]) -> Json {
        let number = |value: &Value| match value {
            Value::Int(n) => Some(*n as f64),
            Value::Float(x) => Some(*x),
            _ => None,
        };
        let (mut min, mut max, mut step) = (None, None, None);
        for bound in bounds {
            match bound {
                Bound::Min(n) => min = number(n),
                Bound::Max(n) => max = number(n),
                Bound::MultipleOf(n) => step = number(n).filter(|step| *step > 0.0),
                _ => {}
            }
        }
        let low: f64 = min.unwrap_or_else(|| max.map_or(0.0, |max: f64| (max - 1.0).min(0.0)));
        let high: f64 = max.unwrap_or(low + 1.0);
        let part = self.below(101) as f64 / 100.0;
        let drawn = low + (high - low) * part;
        let near = match step {
            Some(step) => (drawn / step).floor() * step,
            // Two digits read better than sixteen.
            None => (drawn * 100.0).round() / 100.0,
        };
        json!(if (low..=high).contains(&near) {
            near
        } else if step.is_some() {
            near + step.unwrap_or(0.0)
        } else {
            drawn
        })
    }

    /// A value at (or half-way between) the bounds, for types whose bounds are values of the type itself.
    fn bounded(&mut self, id: TypeId, bounds: &[Bound]) -> Option<Json> {
        let mut ends: [Option<Value>; 2] = [None, None];
        for bound in bounds {
            match bound {
                Bound::Min(value) => ends[0] = Some(value.clone()),
                Bound::Max(value) => ends[1] = Some(value.clone()),
                _ => {}
            }
        }
        let between = match ends {
            [None, None] => return None,
            [Some(Value::Money(min)), Some(Value::Money(max))] => {
                let mut middle = min;
                let half = Decimal::from(self.below(3)) / Decimal::TWO;
                middle.amount = min
                    .amount
                    .checked_add((max.amount.checked_sub(min.amount)?).checked_mul(half)?)?;
                Value::Money(middle)
            }
            [Some(Value::Duration(min)), Some(Value::Duration(max))] => {
                Value::Duration(min.midpoint(max))
            }
            [Some(only), _] | [None, Some(only)] => only,
        };
        Some(encode(self.table, id, &between))
    }

    fn blob(&mut self, media_type: &str, bytes: &[u8]) -> Json {
        json!({"name": "echo", "media_type": media_type, "data": STANDARD.encode(bytes)})
    }
}

/// A grey PNG of one pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 0x0a, 0x49, 0x44, 0x41, 0x54,
    0x78, 0x9c, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0, 0, 0, 0, 0x49, 0x45,
    0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
