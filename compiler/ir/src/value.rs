//! Values as the runtime holds them: compact, cheap to clone, compared and hashed structurally.
//!
//! A value does not carry its type: records and variants hold their parts by index, and whoever
//! renders or encodes a value brings the [`crate::TypeId`]. JSON exists only at the edges.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexMap;
use rust_decimal::Decimal;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// A map value: insertion order is kept and is part of what a program can see, but not of equality.
pub type ValueMap = IndexMap<Value, Value, FxBuildHasher>;

/// A lower-case ISO 4217 code such as `usd`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency(pub [u8; 3]);

impl Currency {
    /// The currency named by three ASCII letters (any case), or `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.as_bytes().try_into().ok()?;
        bytes
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(bytes.map(|b| b.to_ascii_lowercase())))
    }

    /// The lower-case code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An exact amount in one currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Money {
    /// The amount; scale is kept as written (`20.00` stays `20.00`).
    pub amount: Decimal,
    /// The currency.
    pub currency: Currency,
}

/// Bytes with what is known of their origin: the value of `file`, `image` and `audio`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Blob {
    /// File name or URL, for messages; may be empty.
    pub name: SmolStr,
    /// MIME type such as `image/png`.
    pub media_type: SmolStr,
    /// The content.
    pub bytes: Arc<[u8]>,
}

/// A finished value.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "crate::file::ValueForm", into = "crate::file::ValueForm")]
pub enum Value {
    /// The only value of type `none`, and an absent optional.
    #[default]
    None,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `float`; never NaN or infinite (such results are a `Trap`).
    Float(f64),
    /// `text`
    Text(SmolStr),
    /// `bytes`
    Bytes(Arc<[u8]>),
    /// `json`: opaque until decoded.
    Json(Arc<serde_json::Value>),
    /// `time`: an instant.
    Time(jiff::Timestamp),
    /// `duration` in nanoseconds.
    Duration(i64),
    /// `money`
    Money(Money),
    /// `size` in bytes.
    Size(u64),
    /// `file`, `image`, `audio`
    Blob(Arc<Blob>),
    /// `[T]`
    List(Arc<Vec<Value>>),
    /// `[K: V]`
    Map(Arc<ValueMap>),
    /// A record: its fields in declaration order.
    Record(Arc<[Value]>),
    /// A variant without payload, by its index in the declaration.
    Tag(u32),
    /// A variant with payload: its index and its fields in declaration order.
    Variant(u32, Arc<[Value]>),
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<SmolStr>) -> Self {
        Self::Text(text.into())
    }

    /// A list value.
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }

    /// A record value from its fields in declaration order.
    pub fn record(fields: impl Into<Arc<[Value]>>) -> Self {
        Self::Record(fields.into())
    }

    /// A variant: `Tag` when there is no payload.
    pub fn variant(tag: u32, fields: Vec<Value>) -> Self {
        if fields.is_empty() { Self::Tag(tag) } else { Self::Variant(tag, fields.into()) }
    }

    /// The text inside, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The items inside, if it is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The integer inside, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    /// The truth value inside, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(b) = self { Some(*b) } else { None }
    }

    /// The index of the variant, if it is one.
    pub fn tag(&self) -> Option<u32> {
        match self {
            Self::Tag(tag) | Self::Variant(tag, _) => Some(*tag),
            _ => None,
        }
    }

    /// The parts of a record or variant; empty for anything else.
    pub fn fields(&self) -> &[Value] {
        match self {
            Self::Record(fields) | Self::Variant(_, fields) => fields,
            _ => &[],
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::None => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Float(_) => 3,
            Self::Text(_) => 4,
            Self::Bytes(_) => 5,
            Self::Json(_) => 6,
            Self::Time(_) => 7,
            Self::Duration(_) => 8,
            Self::Money(_) => 9,
            Self::Size(_) => 10,
            Self::Blob(_) => 11,
            Self::List(_) => 12,
            Self::Map(_) => 13,
            Self::Record(_) => 14,
            Self::Tag(_) | Self::Variant(..) => 15,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b || a.to_bits() == b.to_bits(),
            (Self::Int(a), Self::Float(b)) | (Self::Float(b), Self::Int(a)) => *a as f64 == *b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Json(a), Self::Json(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a == b,
            (Self::Money(a), Self::Money(b)) => a.currency == b.currency && a.amount == b.amount,
            (Self::Size(a), Self::Size(b)) => a == b,
            (Self::Blob(a), Self::Blob(b)) => a == b,
            (Self::List(a), Self::List(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Map(a), Self::Map(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Record(a), Self::Record(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Tag(a), Self::Tag(b)) => a == b,
            (Self::Variant(a, x), Self::Variant(b, y)) => a == b && x == y,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal values of `int` and `float` must hash alike, so both hash as the float.
        match self {
            Self::None => 0u8.hash(state),
            Self::Bool(b) => b.hash(state),
            Self::Int(n) => (*n as f64).to_bits().hash(state),
            Self::Float(x) => (if *x == 0.0 { 0.0 } else { *x }).to_bits().hash(state),
            Self::Text(text) => text.hash(state),
            Self::Bytes(bytes) => bytes.hash(state),
            Self::Json(json) => json.to_string().hash(state),
            Self::Time(time) => time.hash(state),
            Self::Duration(nanos) => nanos.hash(state),
            Self::Money(money) => {
                money.currency.hash(state);
                money.amount.normalize().hash(state);
            }
            Self::Size(bytes) => bytes.hash(state),
            Self::Blob(blob) => blob.hash(state),
            Self::List(items) => items.hash(state),
            // Order does not count for equality, so it must not count here.
            Self::Map(map) => map.len().hash(state),
            Self::Record(fields) => fields.hash(state),
            Self::Tag(tag) => tag.hash(state),
            Self::Variant(tag, fields) => {
                tag.hash(state);
                fields.hash(state);
            }
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Value {
    /// A total order: numbers by size, texts by Unicode scalar values, enums by declaration, lists and
    /// records part by part; money by currency first. Used for sorting; `<` on unlike kinds never type-checks.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) if a == b => std::cmp::Ordering::Equal,
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Int(a), Self::Float(b)) => (*a as f64).total_cmp(b),
            (Self::Float(a), Self::Int(b)) => a.total_cmp(&(*b as f64)),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            (Self::Json(a), Self::Json(b)) => a.to_string().cmp(&b.to_string()),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Duration(a), Self::Duration(b)) => a.cmp(b),
            (Self::Money(a), Self::Money(b)) => {
                a.currency.cmp(&b.currency).then_with(|| a.amount.cmp(&b.amount))
            }
            (Self::Size(a), Self::Size(b)) => a.cmp(b),
            (Self::Blob(a), Self::Blob(b)) => a.bytes.cmp(&b.bytes),
            (Self::List(a), Self::List(b)) => a.cmp(b),
            (Self::Map(a), Self::Map(b)) => a.iter().cmp(b.iter()),
            (Self::Record(a), Self::Record(b)) => a.cmp(b),
            (Self::Tag(_) | Self::Variant(..), Self::Tag(_) | Self::Variant(..)) => {
                self.tag().cmp(&other.tag()).then_with(|| self.fields().cmp(other.fields()))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}
