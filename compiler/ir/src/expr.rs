//! Pure expressions: what the engine evaluates at once, without leaving the state machine.
//!
//! Expressions live in one arena per program ([`crate::Program::exprs`]) and refer to each other by [`ExprId`];
//! an expression only refers to smaller ids, so the arena is acyclic by construction (the verifier checks).

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::program::{FunctionId, TargetId};
use crate::types::TypeId;
use crate::value::Value;

/// Index into [`crate::Program::exprs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExprId(pub u32);

/// A pure operation.
///
/// Locals are registers of one evaluation: patterns, `Let` and `For` write them, `Local` reads them. In a function
/// the parameters are the first locals. [`crate::Program::max_locals`] bounds them all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// A constant.
    Const(Value),
    /// A parameter or node of a region: `up` regions outwards from the one that evaluates, slot `slot`.
    Slot {
        /// How many regions outwards; 0 is the region itself.
        up: u32,
        /// Parameters come first, then one slot a node.
        slot: u32,
    },
    /// A local.
    Local(u32),
    /// `value` is stored in `local`, then `body` gives the result.
    Let {
        /// The register.
        local: u32,
        /// What is stored.
        value: ExprId,
        /// The result.
        body: ExprId,
    },
    /// One operand.
    Unary(UnaryOp, ExprId),
    /// Two operands, both evaluated.
    Binary(BinaryOp, ExprId, ExprId),
    /// Short-circuit conjunction.
    And(ExprId, ExprId),
    /// Short-circuit disjunction.
    Or(ExprId, ExprId),
    /// `a ?? b`: `b` only if `a` is `none`.
    Coalesce(ExprId, ExprId),
    /// A choice; the other side is not evaluated.
    If(ExprId, ExprId, ExprId),
    /// The first arm whose pattern and guard hold; no arm is a `Trap` (the checker proves exhaustiveness).
    Match {
        /// What is matched.
        scrutinee: ExprId,
        /// The arms in order.
        arms: Vec<ExprArm>,
    },
    /// Whether the pattern matches; binds nothing.
    Is(ExprId, Pattern),
    /// A record from its fields in declaration order.
    Record(Vec<ExprId>),
    /// A variant; without fields it is a tag.
    Variant(u32, Vec<ExprId>),
    /// A list; items marked `true` are lists that are spread.
    List(Vec<(ExprId, bool)>),
    /// A map from keys to values; a key that appears again wins.
    Map(Vec<(ExprId, ExprId)>),
    /// A field of a record (or, after a match, of a variant) by index.
    Field(ExprId, u32),
    /// `a?.b`: `none` if `a` is `none`.
    OptField(ExprId, u32),
    /// `xs[i]` or `m[k]`: `none` when there is nothing. Negative indices are nothing.
    Index(ExprId, ExprId),
    /// A template.
    Template(Vec<TemplatePart>),
    /// A stable native of std, by its full name such as `text.trim`.
    Native {
        /// The name.
        name: SmolStr,
        /// The arguments in declaration order, defaults filled in.
        args: Vec<ExprId>,
        /// The type of the result, for natives that decode.
        result: TypeId,
        /// The types of the arguments as instantiated, for natives that encode.
        params: Vec<TypeId>,
    },
    /// A function that is not inlined.
    CallFn(FunctionId, Vec<ExprId>),
    /// A pure `for`.
    For {
        /// The list.
        source: ExprId,
        /// Binds the item; an item that does not match is left out.
        pattern: Pattern,
        /// Only items for which it holds.
        filter: Option<ExprId>,
        /// One result an item.
        body: ExprId,
        /// A longer list fails with `Budget("items")`.
        max: Option<ExprId>,
    },
    /// A pure `loop`. `body` gives `Variant(0, [value])` for `done`, `Variant(1, [state…])` for `next`.
    Loop {
        /// Locals of the state and their first values.
        state: Vec<(u32, ExprId)>,
        /// Most rounds.
        max: ExprId,
        /// One round.
        body: ExprId,
        /// The value when the rounds are used up; sees the last state.
        otherwise: ExprId,
    },
    /// `e catch { … }`: the failure's value is matched; what matches no arm passes on.
    Catch {
        /// What may fail.
        body: ExprId,
        /// The handlers.
        arms: Vec<ExprArm>,
    },
    /// `try e`: `Variant(0, [v])` for `Ok`, `Variant(1, [failure])` for `Failed`.
    Try(ExprId),
    /// `fail e`, where `e` is a value of the prelude's `Failure`.
    Fail(ExprId),
    /// The value, after its refinements (and those of its parts) were checked; else `Invalid`, whose path begins with
    /// the text: the field or parameter that the value is for (a key of a JSON Pointer), or empty.
    Check(ExprId, TypeId, SmolStr),
    /// The value itself, for which the program vouches: from here on it is trusted.
    Vouch(ExprId, Voucher),
    /// A question to the record of calls: only in tests.
    CallLog(Box<LogQuery>),
}

/// How a program vouches for a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voucher {
    /// `endorse(x, because: …)`, with the reason if it is written out.
    Endorsed(SmolStr),
    /// `allow(x, …)`: the value is tested against what the program knows. The verifier sees that it is.
    Allowed,
}

/// An arm of a pure match or catch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExprArm {
    /// What it covers.
    pub pattern: Pattern,
    /// A further condition.
    pub guard: Option<ExprId>,
    /// Its value.
    pub body: ExprId,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplatePart {
    /// Text as it stands.
    Text(SmolStr),
    /// A value, rendered by its type (language reference, templates).
    Value(ExprId, TypeId),
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Neg,
    /// An `int` where a `float` is expected.
    ToFloat,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BinaryOp {
    /// `+` on numbers, money, durations, time and duration, sizes.
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`: on ints it truncates toward zero.
    Div,
    /// `%`
    Rem,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`: item of a list, key of a map, part of a text.
    In,
}

/// A pattern. Binders write locals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// `_`
    Any,
    /// A name: everything, stored in the local.
    Bind(u32),
    /// Equal to a constant (also `none`, `true`, `false`).
    Const(Value),
    /// Between two numbers, both included.
    Range(Value, Value),
    /// A variant: its index, and patterns for some of its fields by index.
    Variant(u32, Vec<(u32, Pattern)>),
    /// A record: patterns for some of its fields by index.
    Record(Vec<(u32, Pattern)>),
    /// A list of exactly these items, or with a rest (`Some(None)` ignores it, `Some(Some(local))` binds it).
    List(Vec<Pattern>, Option<Option<u32>>),
    /// Any of these; all bind the same locals.
    Or(Vec<Pattern>),
    /// Not `none`, and the pattern.
    Some(Box<Pattern>),
}

/// A question about the calls of a test so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogQuery {
    /// `calls(f)`: logical calls.
    Calls(TargetId),
    /// `attempts(f)`: calls with those that retries made.
    Attempts(TargetId),
    /// `called(f, …)`: whether a call matched; patterns by parameter, left-out ones match anything.
    Called(CallShape),
    /// `order(a, b, …)`: whether calls that match stand in this order.
    Order(Vec<CallShape>),
}

/// A call that a test asks about: a target and what its arguments must equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallShape {
    /// What was called.
    pub target: TargetId,
    /// Expected arguments by parameter index; left-out ones are anything.
    pub args: Vec<(u32, ExprId)>,
}
