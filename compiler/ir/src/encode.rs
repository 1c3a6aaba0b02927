//! The one binary form of a program: what is hashed, stored and sent.
//!
//! The encoding is canonical: equal programs give equal bytes, and every byte string that [`decode`] accepts is the
//! encoding of what it gives. Places in the source (spans and file names) are left out, so moving code around does not
//! change a plan. Numbers are LEB128 varints (signed ones zigzag), texts and lists carry their length in front,
//! floats are their IEEE 754 bits in little-endian order.
//!
//! Decoding trusts nothing: any bytes give a program or an error, in time and memory linear in their number. Whether the
//! decoded program makes sense is for [`crate::verify`] to say.

use std::fmt;
use std::sync::Arc;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use crate::expr::{
    BinaryOp, CallShape, Expr, ExprArm, ExprId, LogQuery, Pattern, TemplatePart, UnaryOp,
};
use crate::program::{
    Approve, Approved, Arm, Ask, Call, Choose, EffectClass, Function, FunctionId, Gate, Graph,
    GraphId, GraphKind, LeafCall, LeafDecl, LeafId, Loop, Map, Message, MessageRole, ModelCall,
    Node, NodeKind, Param, Policy, Program, Rate, Region, RegionId, ResourceId, RoleDecl, Stub,
    StubOutcome, TargetId,
};
use crate::types::{Bound, EnumType, FieldType, RecordType, Type, TypeId, Types, VariantType};
use crate::value::{Blob, Currency, Money, Value, ValueMap};

/// What an encoding begins with.
const MAGIC: &[u8; 4] = b"KAIT";

/// Version of the encoding; a decoder refuses all others.
pub const FORMAT: u32 = 1;

/// Largest encoding that is decoded: 64 MiB.
pub const MAX_BYTES: usize = 64 << 20;

/// How deep constants and patterns may nest in an encoding.
pub const MAX_DEPTH: u32 = 200;

/// A plan's identity: BLAKE3 over its encoding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanHash(pub [u8; 32]);

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why bytes are not the encoding of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// They do not begin as an encoding does.
    #[error("this is not a compiled KAIT program")]
    Magic,
    /// They are of another version of the format.
    #[error("the compiled program has format {0}; this version reads format {FORMAT}")]
    Version(u32),
    /// There are more than [`MAX_BYTES`].
    #[error("the compiled program is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// They end too early.
    #[error("the compiled program ends in the middle (byte {0})")]
    Truncated(usize),
    /// Something is nested deeper than [`MAX_DEPTH`].
    #[error("a constant or pattern is nested deeper than {MAX_DEPTH} (byte {0})")]
    TooDeep(usize),
    /// A part has a value that no encoding has.
    #[error("the compiled program is damaged: {what} (byte {at})")]
    Damaged {
        /// What is wrong.
        what: &'static str,
        /// Where.
        at: usize,
    },
}

/// The canonical bytes of a program.
pub fn encode(program: &Program) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + program.exprs.len() * 8);
    out.extend_from_slice(MAGIC);
    FORMAT.put(&mut out);
    program.put(&mut out);
    out
}

/// The plan's identity.
pub fn hash(program: &Program) -> PlanHash {
    PlanHash(*blake3::hash(&encode(program)).as_bytes())
}

/// The program that the bytes encode; it is still to be verified.
pub fn decode(bytes: &[u8]) -> Result<Program, DecodeError> {
    if bytes.len() > MAX_BYTES {
        return Err(DecodeError::TooLarge);
    }
    let rest = bytes.strip_prefix(MAGIC.as_slice()).ok_or(DecodeError::Magic)?;
    let mut reader = Reader { bytes: rest, at: 0, depth: 0 };
    let version = u32::get(&mut reader)?;
    if version != FORMAT {
        return Err(DecodeError::Version(version));
    }
    let program = Program::get(&mut reader)?;
    if reader.at < rest.len() {
        return Err(reader.damaged("bytes follow its end"));
    }
    Ok(program)
}

/// The bytes that are still to be read.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    fn damaged(&self, what: &'static str) -> DecodeError {
        DecodeError::Damaged { what, at: self.at + MAGIC.len() }
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = self.bytes.get(self.at).ok_or(DecodeError::Truncated(self.at + MAGIC.len()))?;
        self.at += 1;
        Ok(*byte)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(DecodeError::Truncated(self.at + MAGIC.len()))?;
        let taken = self.bytes.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(taken)
    }

    /// A length of something whose items take at least a byte each.
    fn len(&mut self) -> Result<usize, DecodeError> {
        let len = u64::get(self)?;
        let left = self.bytes.len() - self.at;
        usize::try_from(len)
            .ok()
            .filter(|len| *len <= left)
            .ok_or(DecodeError::Truncated(self.at + MAGIC.len()))
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        if self.depth >= MAX_DEPTH {
            return Err(DecodeError::TooDeep(self.at + MAGIC.len()));
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }
}

/// A part of a program that can be written and read.
trait Codec: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError>;
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

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
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

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        u32::try_from(u64::get(r)?).map_err(|_| r.damaged("a number is too large"))
    }
}

impl Codec for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((*self << 1) ^ (*self >> 63)) as u64).put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let zigzag = u64::get(r)?;
        Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }
}

impl Codec for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
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

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
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

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let len = r.len()?;
        let bytes = r.take(len)?;
        std::str::from_utf8(bytes).map(SmolStr::new).map_err(|_| r.damaged("a text is not UTF-8"))
    }
}

impl Codec for Arc<[u8]> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let len = r.len()?;
        Ok(r.take(len)?.into())
    }
}

impl<T: Codec> Codec for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|item| item.put(out));
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let len = r.len()?;
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

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(if bool::get(r)? { Some(T::get(r)?) } else { None })
    }
}

impl<T: Codec> Codec for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        T::get(r).map(Box::new)
    }
}

impl<A: Codec, B: Codec> Codec for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::get(r)?, B::get(r)?))
    }
}

impl<A: Codec, B: Codec, C: Codec> Codec for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((A::get(r)?, B::get(r)?, C::get(r)?))
    }
}

/// Numbered ids are written as their number.
macro_rules! ids {
    ($($name:ident)*) => {$(
        impl Codec for $name {
            fn put(&self, out: &mut Vec<u8>) { self.0.put(out); }
            fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> { u32::get(r).map(Self) }
        }
    )*};
}

ids! { ExprId TypeId GraphId RegionId FunctionId LeafId ResourceId TargetId }

/// Structs are written field by field; those after `without` are left out and read as their default.
macro_rules! structs {
    ($($name:ident { $($field:ident)* } $(without $($skip:ident)*)?;)*) => {$(
        impl Codec for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)*
            }
            fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self { $($field: Codec::get(r)?,)* $($($skip: Default::default(),)*)? })
            }
        }
    )*};
}

/// Enums are written as a number, which is never reused, and their fields.
macro_rules! enums {
    ($($name:ident { $($tag:literal $variant:ident $(($($arg:ident)*))? $({$($field:ident)*})?;)* })*) => {$(
        impl Codec for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {$(
                    Self::$variant $(($($arg),*))? $({$($field),*})? => {
                        out.push($tag);
                        $($($arg.put(out);)*)?
                        $($($field.put(out);)*)?
                    }
                )*}
            }
            fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match r.byte()? {
                    $($tag => r.nested(|r| {
                        $($(let $arg = Codec::get(r)?;)*)?
                        $($(let $field = Codec::get(r)?;)*)?
                        let _ = r;
                        Ok(Self::$variant $(($($arg),*))? $({$($field),*})?)
                    }),)*
                    _ => Err(r.damaged(concat!("no such ", stringify!($name)))),
                }
            }
        }
    )*};
}

structs! {
    Program { name graphs regions functions exprs types leaves resources roles targets stubs max_locals } without files expr_spans;
    Graph { name kind public docs params result body budgets depth } without span;
    Param { name docs ty default stream };
    Function { name params body };
    Region { params nodes result };
    Node { path kind data order outer gate holds_gate guard reads writes grows ty } without span;
    Call { graph args model repair target };
    LeafCall { leaf args key target };
    ModelCall { prompt docs role options messages output repair };
    Message { role content ty };
    Arm { pattern guard body };
    Map { source pattern filter max parallel sequential early body };
    Loop { init max body otherwise };
    Policy { body fallback deadline cache cache_key retry timeout rate };
    Rate { name calls per parallel };
    LeafDecl { name kind locator params result class reads writes guarded };
    Approve { what args key edit untrusted role within show target };
    Ask { question to show start choose within target };
    Choose { items label max };
    RoleDecl { name needs };
    Stub { target params outcomes data } without span;
    StubOutcome { value after };
    ExprArm { pattern guard body };
    CallShape { target args };
    RecordType { name docs fields };
    FieldType { name wire docs ty default };
    EnumType { name docs variants };
    VariantType { name wire docs fields };
}

enums! {
    GraphKind { 0 Graph; 1 Prompt; 2 Test; }
    Approved { 0 Leaf(leaf); 1 Graph(graph); 2 Stub(target); }
    Gate { 0 Free; 1 All; 2 Ask; }
    MessageRole { 0 System; 1 User; 2 Assistant; 3 Messages; }
    EffectClass { 0 Read; 1 Write { keyed }; 2 Emit; 3 Clock; 4 Random; 5 Model; 6 Human; }
    NodeKind {
        0 Pure(expr);
        1 Call(call);
        2 Leaf(call);
        3 Model(call);
        4 Switch { scrutinee arms };
        5 Map(map);
        6 Loop(body);
        7 Race { need list arms };
        8 Catch { body arms };
        9 Try(body);
        10 Policy(policy);
        11 Stubbed { target args model };
        12 Expect { condition shows source };
        13 Approve(approve);
        14 Ask(ask);
    }
    Expr {
        0 Const(value);
        1 Slot { up slot };
        2 Local(local);
        3 Let { local value body };
        4 Unary(op a);
        5 Binary(op a b);
        6 And(a b);
        7 Or(a b);
        8 Coalesce(a b);
        9 If(c a b);
        10 Match { scrutinee arms };
        11 Is(a pattern);
        12 Record(fields);
        13 Variant(tag fields);
        14 List(items);
        15 Map(entries);
        16 Field(base index);
        17 OptField(base index);
        18 Index(base index);
        19 Template(parts);
        20 Native { name args result params };
        21 CallFn(function args);
        22 For { source pattern filter body max };
        23 Loop { state max body otherwise };
        24 Catch { body arms };
        25 Try(body);
        26 Fail(value);
        27 Check(value ty place);
        28 CallLog(query);
    }
    TemplatePart { 0 Text(text); 1 Value(expr ty); }
    UnaryOp { 0 Not; 1 Neg; 2 ToFloat; }
    BinaryOp { 0 Add; 1 Sub; 2 Mul; 3 Div; 4 Rem; 5 Eq; 6 Ne; 7 Lt; 8 Le; 9 Gt; 10 Ge; 11 In; }
    Pattern {
        0 Any;
        1 Bind(local);
        2 Const(value);
        3 Range(from to);
        4 Variant(tag fields);
        5 Record(fields);
        6 List(items rest);
        7 Or(alternatives);
        8 Some(inner);
    }
    LogQuery { 0 Calls(target); 1 Attempts(target); 2 Called(shape); 3 Order(shapes); }
    Bound {
        0 Min(value);
        1 Max(value);
        2 MinLen(length);
        3 MaxLen(length);
        4 Pattern(regex);
        5 Format(name);
        6 MultipleOf(value);
        7 Unique;
    }
    Type {
        0 Text;
        1 Int;
        2 Float;
        3 Bool;
        4 Bytes;
        5 Json;
        6 Time;
        7 Duration;
        8 Money;
        9 Size;
        10 Image;
        11 Audio;
        12 File;
        13 None;
        14 Role;
        15 List(item);
        16 Map(key value);
        17 Optional(inner);
        18 Selector;
        19 Record(record);
        20 Enum(enumeration);
        21 Refined { name base bounds };
    }
}

impl Codec for Types {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|(_, ty)| ty.put(out));
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut types = Types::default();
        for ty in Vec::<Type>::get(r)? {
            types.push(ty);
        }
        Ok(types)
    }
}

impl Codec for Currency {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
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

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
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

    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.nested(|r| {
            Ok(match r.byte()? {
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
                        .filter(|t| {
                            t.as_second() == second && i64::from(t.subsec_nanosecond()) == nano
                        });
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
                kind::LIST => Value::List(Arc::new(Codec::get(r)?)),
                kind::MAP => {
                    let len = r.len()?;
                    let mut map = ValueMap::default();
                    for _ in 0..len {
                        if map.insert(Value::get(r)?, Value::get(r)?).is_some() {
                            return Err(r.damaged("a map has a key twice"));
                        }
                    }
                    Value::Map(Arc::new(map))
                }
                kind::RECORD => Value::Record(Vec::get(r)?.into()),
                kind::TAG => Value::Tag(Codec::get(r)?),
                kind::VARIANT => Value::Variant(Codec::get(r)?, Vec::get(r)?.into()),
                _ => return Err(r.damaged("no such Value")),
            })
        })
    }
}

fn tagged(out: &mut Vec<u8>, kind: u8, rest: &impl Codec) {
    out.push(kind);
    rest.put(out);
}

impl Program {
    /// The program without places in the source: what encoding keeps.
    pub fn without_spans(mut self) -> Self {
        self.files.clear();
        self.expr_spans.clear();
        self.graphs.iter_mut().for_each(|graph| graph.span = None);
        self.stubs.iter_mut().for_each(|stub| stub.span = None);
        let nodes = self.regions.iter_mut().flat_map(|region| &mut region.nodes);
        nodes.for_each(|node| node.span = None);
        self
    }
}
