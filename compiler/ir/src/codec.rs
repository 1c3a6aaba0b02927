//! How values and ids become bytes: the alphabet of every binary form, of programs ([`crate::encode`]) as of what is recorded of
//! runs.
//!
//! Canonical: equal things give equal bytes, and what reads accepts nothing else. Numbers are LEB128 varints (signed ones
//! zigzag), texts and lists carry their length in front, floats are their IEEE 754 bits in little-endian order. Reading
//! trusts nothing: any bytes give a value or an error, in time and memory linear in their number.

use std::sync::Arc;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::expr::ExprId;
use crate::failure::Failure;
use crate::program::{FunctionId, GraphId, LeafId, RegionId, ResourceId, TargetId};
use crate::types::TypeId;
use crate::value::{Blob, Currency, Money, Value, ValueMap};

/// How deep values and patterns may nest in an encoding.
pub const MAX_DEPTH: u32 = 200;

/// Why bytes are not what they should encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// They end too early.
    #[error("it ends in the middle (byte {0})")]
    Truncated(usize),
    /// Something is nested deeper than [`MAX_DEPTH`], or whatever the reader allows.
    #[error("a value is nested too deeply (byte {0})")]
    TooDeep(usize),
    /// A part has a value that no encoding has.
    #[error("{what} (byte {at})")]
    Damaged {
        /// What is wrong.
        what: &'static str,
        /// Where.
        at: usize,
    },
}

/// The bytes that are still to be read.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
    most: u32,
}

impl<'a> Reader<'a> {
    /// A reader of all of the bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::nesting(bytes, MAX_DEPTH)
    }

    /// The same, of bytes in which values nest more deeply than [`MAX_DEPTH`]. Each level takes stack.
    pub fn nesting(bytes: &'a [u8], most: u32) -> Self {
        Self { bytes, at: 0, depth: 0, most }
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// What is wrong at this place.
    pub fn damaged(&self, what: &'static str) -> CodecError {
        CodecError::Damaged { what, at: self.at }
    }

    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, CodecError> {
        let byte = self.bytes.get(self.at).ok_or(CodecError::Truncated(self.at))?;
        self.at += 1;
        Ok(*byte)
    }

    /// The next bytes.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(CodecError::Truncated(self.at))?;
        let taken = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(taken)
    }

    /// A length of something whose items take at least a byte each.
    pub fn length(&mut self) -> Result<usize, CodecError> {
        let len = u64::get(self)?;
        let left = self.bytes.len() - self.at;
        usize::try_from(len).ok().filter(|len| *len <= left).ok_or(CodecError::Truncated(self.at))
    }

    /// Reads what stands one level deeper.
    pub fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, CodecError>,
    ) -> Result<T, CodecError> {
        if self.depth >= self.most {
            return Err(CodecError::TooDeep(self.at));
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }
}

/// Something that can be written and read.
pub trait Codec: Sized {
    /// Appends its encoding.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads one.
    ///
    /// # Errors
    /// If the bytes are not the encoding of anything.
    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError>;
}

impl Codec for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = r.byte()?;
            let part = u64::from(byte & 0x7f);
            if (shift == 63 && part > 1) || (shift > 0 && byte == 0) {
                return Err(r.damaged("a number is not in its shortest form"));
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(r.damaged("a number is too large"))
    }
}

impl Codec for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        u64::from(*self).put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        u32::try_from(u64::get(r)?).map_err(|_| r.damaged("a number is too large"))
    }
}

impl Codec for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((*self << 1) ^ (*self >> 63)) as u64).put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let zigzag = u64::get(r)?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }
}

impl Codec for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        match r.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(r.damaged("a truth value is neither 0 nor 1")),
        }
    }
}

impl Codec for f64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bits().to_le_bytes());
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut bits = [0; 8];
        bits.copy_from_slice(r.take(8)?);
        let value = f64::from_bits(u64::from_le_bytes(bits));
        if value.is_finite() { Ok(value) } else { Err(r.damaged("a float is not finite")) }
    }
}

impl Codec for SmolStr {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let len = r.length()?;
        let bytes = r.take(len)?;
        std::str::from_utf8(bytes).map(SmolStr::new).map_err(|_| r.damaged("a text is not UTF-8"))
    }
}

impl Codec for Arc<[u8]> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let len = r.length()?;
        Ok(r.take(len)?.into())
    }
}

impl<T: Codec> Codec for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let len = r.length()?;
        // Items may be far larger in memory than on the wire: a claimed length alone must not allocate much.
        let mut items = Vec::with_capacity(len.min(256));
        for _ in 0..len {
            items.push(T::get(r)?);
        }
        Ok(items)
    }
}

impl<T: Codec> Codec for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(if bool::get(r)? { Some(T::get(r)?) } else { None })
    }
}

impl<T: Codec> Codec for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        T::get(r).map(Box::new)
    }
}

impl<A: Codec, B: Codec> Codec for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok((A::get(r)?, B::get(r)?))
    }
}

impl<A: Codec, B: Codec, C: Codec> Codec for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok((A::get(r)?, B::get(r)?, C::get(r)?))
    }
}

/// Numbered ids are written as their number.
macro_rules! ids {
    ($($name:ident)*) => {$(
        impl Codec for $name {
            fn put(&self, out: &mut Vec<u8>) { self.0.put(out); }
            fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> { u32::get(r).map(Self) }
        }
    )*};
}

/// Gives structs a [`Codec`](crate::codec::Codec): written field by field; those after `without` are left out and read as their
/// default.
#[macro_export]
macro_rules! codec_structs {
    ($($name:ident { $($field:ident)* } $(without $($skip:ident)*)?;)*) => {$(
        impl $crate::codec::Codec for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::codec::Codec::put(&self.$field, out);)*
            }
            fn get(r: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::codec::CodecError> {
                Ok(Self {
                    $($field: $crate::codec::Codec::get(r)?,)*
                    $($($skip: Default::default(),)*)?
                })
            }
        }
    )*};
}

/// Gives enums a [`Codec`](crate::codec::Codec): written as a number, which is never reused, and their fields.
#[macro_export]
macro_rules! codec_enums {
    ($($name:ident { $($tag:literal $variant:ident $(($($arg:ident)*))? $({$($field:ident)*})?;)* })*) => {$(
        impl $crate::codec::Codec for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {$(
                    Self::$variant $(($($arg),*))? $({$($field),*})? => {
                        out.push($tag);
                        $($($crate::codec::Codec::put($arg, out);)*)?
                        $($($crate::codec::Codec::put($field, out);)*)?
                    }
                )*}
            }
            fn get(r: &mut $crate::codec::Reader<'_>) -> Result<Self, $crate::codec::CodecError> {
                match r.byte()? {
                    $($tag => r.nested(|r| {
                        $($(let $arg = $crate::codec::Codec::get(r)?;)*)?
                        $($(let $field = $crate::codec::Codec::get(r)?;)*)?
                        let _ = r;
                        Ok(Self::$variant $(($($arg),*))? $({$($field),*})?)
                    }),)*
                    _ => Err(r.damaged(concat!("no such ", stringify!($name)))),
                }
            }
        }
    )*};
}

ids! { ExprId TypeId GraphId RegionId FunctionId LeafId ResourceId TargetId }

codec_enums! {
    Failure {
        0 Timeout;
        1 Cancelled;
        2 Denied { by why };
        3 Unanswered;
        4 Refused { why };
        5 Invalid { path why };
        6 Http { status body };
        7 Tool { name message };
        8 Trap { message };
        9 Budget { kind };
        10 Depth;
        11 Unbound { name };
        12 Unknown { call };
        13 Custom { code message };
    }
}

impl Codec for Currency {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut code = [0; 3];
        code.copy_from_slice(r.take(3)?);
        if code.iter().all(u8::is_ascii_lowercase) {
            Ok(Self(code))
        } else {
            Err(r.damaged("a currency is not three lower-case letters"))
        }
    }
}

impl Codec for Money {
    fn put(&self, out: &mut Vec<u8>) {
        let amount = self.amount;
        // Zero has no sign in the encoding, as it has none in comparisons.
        let negative = amount.is_sign_negative() && !amount.is_zero();
        out.push((amount.scale() as u8) << 1 | u8::from(negative));
        let mantissa = amount.mantissa().unsigned_abs();
        out.extend_from_slice(&mantissa.to_le_bytes()[..12]);
        self.currency.put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let head = r.byte()?;
        let (scale, negative) = (u32::from(head >> 1), head & 1 == 1);
        let mut mantissa = [0; 16];
        mantissa[..12].copy_from_slice(r.take(12)?);
        let mantissa = i128::from_le_bytes(mantissa);
        let signed = if negative { -mantissa } else { mantissa };
        let amount = Decimal::try_from_i128_with_scale(signed, scale).ok();
        let amount = amount.filter(|_| !(negative && mantissa == 0));
        let amount = amount.ok_or_else(|| r.damaged("an amount of money is out of range"))?;
        Ok(Self { amount, currency: Currency::get(r)? })
    }
}

/// Numbers of the kinds of values.
mod kind {
    pub(super) const NONE: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const TEXT: u8 = 5;
    pub(super) const BYTES: u8 = 6;
    pub(super) const JSON: u8 = 7;
    pub(super) const TIME: u8 = 8;
    pub(super) const DURATION: u8 = 9;
    pub(super) const MONEY: u8 = 10;
    pub(super) const SIZE: u8 = 11;
    pub(super) const BLOB: u8 = 12;
    pub(super) const LIST: u8 = 13;
    pub(super) const MAP: u8 = 14;
    pub(super) const RECORD: u8 = 15;
    pub(super) const TAG: u8 = 16;
    pub(super) const VARIANT: u8 = 17;
}

impl Codec for Value {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Value::None => out.push(kind::NONE),
            Value::Bool(false) => out.push(kind::FALSE),
            Value::Bool(true) => out.push(kind::TRUE),
            Value::Int(n) => tagged(out, kind::INT, n),
            Value::Float(x) => tagged(out, kind::FLOAT, x),
            Value::Text(text) => tagged(out, kind::TEXT, text),
            Value::Bytes(bytes) => tagged(out, kind::BYTES, bytes),
            Value::Json(json) => tagged(out, kind::JSON, &SmolStr::from(json.to_string())),
            Value::Time(time) => {
                tagged(out, kind::TIME, &time.as_second());
                i64::from(time.subsec_nanosecond()).put(out);
            }
            Value::Duration(nanos) => tagged(out, kind::DURATION, nanos),
            Value::Money(money) => tagged(out, kind::MONEY, money),
            Value::Size(bytes) => tagged(out, kind::SIZE, bytes),
            Value::Blob(blob) => {
                tagged(out, kind::BLOB, &blob.name);
                blob.media_type.put(out);
                blob.bytes.put(out);
            }
            Value::List(items) => tagged(out, kind::LIST, &**items),
            Value::Map(map) => {
                tagged(out, kind::MAP, &(map.len() as u64));
                for (key, value) in map.iter() {
                    key.put(out);
                    value.put(out);
                }
            }
            Value::Record(fields) => {
                tagged(out, kind::RECORD, &(fields.len() as u64));
                fields.iter().for_each(|field| field.put(out));
            }
            Value::Tag(tag) => tagged(out, kind::TAG, tag),
            Value::Variant(tag, fields) => {
                tagged(out, kind::VARIANT, tag);
                (fields.len() as u64).put(out);
                fields.iter().for_each(|field| field.put(out));
            }
        }
    }

    /// Without recursion: values of a run nest more deeply than a thread has stack for.
    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut open: Vec<Parts> = Vec::new();
        loop {
            if r.depth as usize + open.len() >= r.most as usize {
                return Err(CodecError::TooDeep(r.at));
            }
            let mut value = match head(r)? {
                Head::Whole(value) => value,
                Head::Parts(parts) if parts.missing > 0 => {
                    open.push(parts);
                    continue;
                }
                Head::Parts(parts) => parts.join(r)?,
            };
            loop {
                let Some(around) = open.last_mut() else { return Ok(value) };
                around.parts.push(value);
                around.missing -= 1;
                if around.missing > 0 {
                    break;
                }
                let Some(whole) = open.pop() else { return Err(r.damaged("no such Value")) };
                value = whole.join(r)?;
            }
        }
    }
}

/// How a value begins.
enum Head {
    Whole(Value),
    Parts(Parts),
}

/// A value of which not all parts have been read.
struct Parts {
    kind: u8,
    tag: u32,
    missing: usize,
    parts: Vec<Value>,
}

impl Parts {
    fn join(self, r: &Reader<'_>) -> Result<Value, CodecError> {
        Ok(match self.kind {
            kind::LIST => Value::List(Arc::new(self.parts)),
            kind::RECORD => Value::Record(self.parts.into()),
            kind::VARIANT => Value::Variant(self.tag, self.parts.into()),
            _ => {
                let mut map = ValueMap::default();
                let mut parts = self.parts.into_iter();
                while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
                    if map.insert(key, value).is_some() {
                        return Err(r.damaged("a map has a key twice"));
                    }
                }
                Value::Map(Arc::new(map))
            }
        })
    }
}

fn head(r: &mut Reader<'_>) -> Result<Head, CodecError> {
    let kind = r.byte()?;
    Ok(Head::Whole(match kind {
        kind::NONE => Value::None,
        kind::FALSE => Value::Bool(false),
        kind::TRUE => Value::Bool(true),
        kind::INT => Value::Int(Codec::get(r)?),
        kind::FLOAT => Value::Float(Codec::get(r)?),
        kind::TEXT => Value::Text(Codec::get(r)?),
        kind::BYTES => Value::Bytes(Codec::get(r)?),
        kind::JSON => {
            let text = SmolStr::get(r)?;
            let json = serde_json::from_str::<serde_json::Value>(&text).ok();
            let json = json.filter(|json| json.to_string() == text);
            Value::Json(Arc::new(json.ok_or_else(|| r.damaged("a JSON value is not"))?))
        }
        kind::TIME => {
            let (second, nano) = (i64::get(r)?, i64::get(r)?);
            let time = i32::try_from(nano)
                .ok()
                .and_then(|nano| jiff::Timestamp::new(second, nano).ok())
                .filter(|t| t.as_second() == second && i64::from(t.subsec_nanosecond()) == nano);
            Value::Time(time.ok_or_else(|| r.damaged("an instant is out of range"))?)
        }
        kind::DURATION => Value::Duration(Codec::get(r)?),
        kind::MONEY => Value::Money(Codec::get(r)?),
        kind::SIZE => Value::Size(Codec::get(r)?),
        kind::BLOB => Value::Blob(Arc::new(Blob {
            name: Codec::get(r)?,
            media_type: Codec::get(r)?,
            bytes: Codec::get(r)?,
        })),
        kind::TAG => Value::Tag(Codec::get(r)?),
        kind::LIST | kind::MAP | kind::RECORD | kind::VARIANT => {
            let tag = if kind == kind::VARIANT { u32::get(r)? } else { 0 };
            let count = r.length()?;
            let missing = if kind == kind::MAP { count.saturating_mul(2) } else { count };
            // Items may be far larger in memory than on the wire: a claimed length alone must not allocate much.
            let parts = Vec::with_capacity(missing.min(256));
            return Ok(Head::Parts(Parts { kind, tag, missing, parts }));
        }
        _ => return Err(r.damaged("no such Value")),
    }))
}

fn tagged(out: &mut Vec<u8>, kind: u8, rest: &impl Codec) {
    out.push(kind);
    rest.put(out);
}
