//! The one binary form of a program: what is hashed, stored and sent.
//!
//! The encoding is canonical: equal programs give equal bytes, and every byte string that [`decode`] accepts is the
//! encoding of what it gives. Places in the source (spans and file names) are left out, so moving code around does not
//! change a plan. How numbers, texts and values are written says [`crate::codec`].
//!
//! Decoding trusts nothing: any bytes give a program or an error, in time and memory linear in their number. Whether the
//! decoded program makes sense is for [`crate::verify`] to say.

use std::fmt;

use crate::codec::{Codec, CodecError, Reader};
use crate::expr::{
    BinaryOp, CallShape, Expr, ExprArm, LogQuery, Pattern, TemplatePart, UnaryOp, Voucher,
};
use crate::program::{
    Approve, Approved, Arm, Ask, Auth, Call, Calling, Choose, EffectClass, Function, Gate, Graph,
    GraphKind, HeaderText, KeyPlace, LeafCall, LeafDecl, Loop, Map, Message, MessageRole,
    ModelCall, Node, NodeKind, Param, Policy, Program, Rate, Region, RoleDecl, Stub, StubOutcome,
    Undo,
};
use crate::types::{Bound, EnumType, FieldType, RecordType, Trust, Type, Types, VariantType};

/// What an encoding begins with.
const MAGIC: &[u8; 4] = b"KAIT";

/// Version of the encoding; a decoder refuses all others.
pub const FORMAT: u32 = 2;

/// Largest encoding that is decoded: 64 MiB.
pub const MAX_BYTES: usize = 64 << 20;

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
    /// They are no program.
    #[error("the compiled program is damaged: {0}")]
    Damaged(#[from] CodecError),
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
    let mut reader = Reader::new(rest);
    let version = u32::get(&mut reader)?;
    if version != FORMAT {
        return Err(DecodeError::Version(version));
    }
    let program = Program::get(&mut reader)?;
    if !reader.is_at_end() {
        return Err(reader.damaged("bytes follow its end").into());
    }
    Ok(program)
}

codec_structs! {
    Program { name graphs regions functions exprs types leaves resources roles targets stubs max_locals } without files expr_spans;
    Graph { name kind public docs params result body budgets depth } without span;
    Param { name docs ty default stream trust };
    Function { name params result body };
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
    LeafDecl { name kind locator params result class reads writes guarded trust with };
    Calling { auth headers key timeout memory time };
    Approve { what args key edit untrusted role within show target };
    Ask { question to show start choose within target };
    Choose { items label max };
    Undo { args body };
    RoleDecl { name needs };
    Stub { target params outcomes data } without span;
    StubOutcome { value after };
    ExprArm { pattern guard body };
    CallShape { target args };
    RecordType { name docs fields };
    FieldType { name wire docs ty default trust };
    EnumType { name docs variants };
    VariantType { name wire docs fields };
}

codec_enums! {
    GraphKind { 0 Graph; 1 Prompt; 2 Test; }
    Approved { 0 Leaf(leaf); 1 Graph(graph); 2 Stub(target); }
    Gate { 0 Free; 1 All; 2 Ask; }
    MessageRole { 0 System; 1 User; 2 Assistant; 3 Messages; }
    Auth {
        0 Bearer { secret };
        1 Basic { user secret };
        2 Header { name secret };
        3 Query { name secret };
    }
    HeaderText { 0 Text(text); 1 Secret(name); }
    KeyPlace { 0 Header(name); 1 Query(name); }
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
        15 Undo(undo);
    }
    Trust { 0 Trusted; 1 Untrusted; 2 Mixed; }
    Voucher { 0 Endorsed(because); 1 Allowed; }
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
        29 Vouch(value voucher);
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
        22 Secret;
    }
}

impl Codec for Types {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|(_, ty)| ty.put(out));
    }

    fn get(r: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut types = Types::default();
        for ty in Vec::<Type>::get(r)? {
            types.push(ty);
        }
        Ok(types)
    }
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
