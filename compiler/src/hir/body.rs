//! The code of one declaration: its expressions, statements and patterns, each in an arena of the body.

use std::sync::Arc;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{DefId, ExprId, LocalId, PatId, TypeRef};
use crate::diagnostics::Span;

/// The code of one declaration.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// Expressions, parts before wholes.
    pub exprs: Vec<Expr>,
    /// Where each stands.
    pub expr_spans: Vec<Span>,
    /// Patterns.
    pub pats: Vec<Pat>,
    /// Where each stands.
    pub pat_spans: Vec<Span>,
    /// Parameters, lets, binders.
    pub locals: Vec<Local>,
    /// The block or expression; `None` where there is none (records with defaults, prompts, externs).
    pub root: Option<ExprId>,
}

/// A name bound in a body.
#[derive(Clone, Debug)]
pub struct Local {
    /// The name.
    pub name: SmolStr,
    /// Where it is bound.
    pub span: Span,
    /// What bound it.
    pub kind: LocalKind,
    /// How often it is used.
    pub uses: u32,
}

/// What bound a local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalKind {
    /// A parameter.
    Param,
    /// A `let`.
    Let,
    /// A pattern of match, for, catch, stub.
    Pattern,
    /// State of a loop.
    LoopVar,
}

/// A literal.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `int`
    Int(i64),
    /// `float`
    Float(f64),
    /// `text` without interpolation
    Text(SmolStr),
    /// `true`, `false`
    Bool(bool),
    /// `none`
    None,
    /// Nanoseconds.
    Duration(i64),
    /// Bytes.
    Size(u64),
    /// Amount and lower-case currency.
    Money(Decimal, [u8; 3]),
}

/// A statement of a block.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// `let pattern: type = value`; the pattern is irrefutable.
    Let {
        /// Binds.
        pat: PatId,
        /// The annotation.
        ty: Option<TypeRef>,
        /// The value.
        value: ExprId,
        /// Where.
        span: Span,
    },
    /// An expression for its effect.
    Expr(ExprId),
}

/// An expression.
#[derive(Clone, Debug)]
pub enum Expr {
    /// Could not be read or resolved; already reported. Has any type.
    Missing,
    /// A literal.
    Literal(Literal),
    /// A text with interpolations.
    Template(Vec<TemplatePart>),
    /// A local.
    Local(LocalId),
    /// A constant, model role or secret.
    Def(DefId),
    /// A variant without arguments whose enum is known: `Label.Bug`.
    Variant(DefId, u32),
    /// A bare upper-case name: a variant by the expected type, else the only one in scope (`candidates`).
    BareVariant {
        /// The name.
        name: SmolStr,
        /// Variants of that name that are in scope, own ones first.
        candidates: Candidates,
    },
    /// A call. A pipe `a |> f(b)` is the call with `a` as first argument.
    Call {
        /// What is called.
        callee: Callee,
        /// Arguments in textual order.
        args: Vec<Arg>,
        /// Written with `|>`.
        piped: bool,
    },
    /// `e with (…)`
    With {
        /// The call.
        expr: ExprId,
        /// The policies in textual order.
        policies: Vec<Arg>,
    },
    /// `e.name`
    Field {
        /// The record.
        base: ExprId,
        /// The field.
        name: SmolStr,
        /// The name's place.
        name_span: Span,
        /// Where the `.` or `?.` begins.
        dot: u32,
        /// `?.`
        optional: bool,
    },
    /// `session.name` in a graph that runs in a session: a field of it, or its `id`.
    Session {
        /// The session.
        def: DefId,
        /// The field.
        name: SmolStr,
        /// The name's place.
        name_span: Span,
    },
    /// `e[i]`
    Index {
        /// List or map.
        base: ExprId,
        /// Index or key.
        index: ExprId,
    },
    /// `not e`, `-e`
    Unary(UnaryOp, ExprId),
    /// Arithmetic and comparison.
    Binary(BinaryOp, ExprId, ExprId),
    /// `a in b`
    In(ExprId, ExprId),
    /// `a is pattern`
    Is(ExprId, PatId),
    /// `a ?? b`
    Coalesce(ExprId, ExprId),
    /// `if`
    If {
        /// The condition.
        condition: ExprId,
        /// A block.
        then: ExprId,
        /// A block or another `if`.
        otherwise: Option<ExprId>,
    },
    /// `match`
    Match {
        /// What is matched.
        scrutinee: ExprId,
        /// The arms.
        arms: Vec<Arm>,
    },
    /// `for`
    For {
        /// Binds the item.
        pat: PatId,
        /// The list.
        source: ExprId,
        /// The condition.
        filter: Option<ExprId>,
        /// The bound.
        max: Option<ExprId>,
        /// How many at once.
        parallel: Option<ExprId>,
        /// A block.
        body: ExprId,
    },
    /// `loop`
    Loop {
        /// State: local, annotation, first value.
        vars: Vec<(LocalId, Option<TypeRef>, ExprId)>,
        /// The bound.
        max: ExprId,
        /// A block.
        body: ExprId,
        /// A block.
        otherwise: ExprId,
    },
    /// `race`
    Race {
        /// How many must succeed, if written; 0 stands for a count that was refused.
        need: Option<u32>,
        /// The competitors.
        arms: Vec<ExprId>,
    },
    /// `e catch { … }`
    Catch {
        /// What may fail.
        body: ExprId,
        /// The handlers.
        arms: Vec<Arm>,
    },
    /// `e undo { … }`
    Undo {
        /// The call.
        body: ExprId,
        /// The compensation.
        undo: ExprId,
    },
    /// `try e`
    Try(ExprId),
    /// `fail e`
    Fail(ExprId),
    /// `done e`
    Done(ExprId),
    /// `next(…)`
    Next(Vec<Arg>),
    /// `{ … }`; the value is the last statement's, if it is an expression.
    Block(Vec<Stmt>),
    /// `[a, ..b]`: `true` marks a spread.
    List(Vec<(ExprId, bool)>),
    /// `[k: v]`
    Map(Vec<(ExprId, ExprId)>),
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum TemplatePart {
    /// Text.
    Text(SmolStr),
    /// `${…}`
    Expr(ExprId),
}

/// Variants that a bare name could mean, own ones first: all uses of a name in a module share them.
pub type Candidates = Arc<[(DefId, u32)]>;

/// What a call calls.
#[derive(Clone, Debug)]
pub enum Callee {
    /// Unknown; already reported.
    Missing,
    /// A callable, record, or refined alias.
    Def(DefId),
    /// A variant whose enum is known.
    Variant(DefId, u32),
    /// A bare variant.
    BareVariant {
        /// The name.
        name: SmolStr,
        /// Variants of that name that are in scope.
        candidates: Candidates,
    },
    /// A form of the language that is called like a function.
    Builtin(Builtin),
}

/// Forms that are called like functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// `ask(…)`
    Ask,
    /// `choose(…)`
    Choose,
    /// `allow(x, only: | matching:)`
    Allow,
    /// `endorse(x, because:)`
    Endorse,
    /// `session.save(…)`
    SessionSave,
    /// `calls(f)` in tests
    Calls,
    /// `attempts(f)` in tests
    Attempts,
    /// `called(f, …)` in tests
    Called,
    /// `order(…)` in tests
    Order,
    /// `header("Name")`, `header("Name", secret)` in the header of an extern
    Header,
    /// `query("name")`, `query("name", secret)` in the header of an extern
    Query,
    /// `bearer(secret)` in the header of an extern
    Bearer,
    /// `basic("user", secret)` in the header of an extern
    Basic,
}

/// An argument of a call, policy list, `next`, …
#[derive(Clone, Debug)]
pub struct Arg {
    /// Its name, if it is named.
    pub name: Option<(SmolStr, Span)>,
    /// Its value.
    pub value: ArgValue,
    /// Where.
    pub span: Span,
}

/// The value of an argument.
#[derive(Clone, Debug)]
pub enum ArgValue {
    /// An expression.
    Expr(ExprId),
    /// `.field`
    Selector(SmolStr, Span),
    /// `..record`
    Spread(ExprId),
    /// A list of selectors: `[.amount, .note]`.
    Selectors(Vec<(SmolStr, Span)>),
    /// A path that names a callable, where one is expected (`calls(refine)`, `order(f("a"), g)`).
    Callable(Option<DefId>, Span),
}

/// Operators with one operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Neg,
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
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
    /// `and`
    And,
    /// `or`
    Or,
}

impl BinaryOp {
    /// Whether it compares two values, and has no other purpose.
    #[must_use]
    pub fn compares(self) -> bool {
        matches!(self, Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge)
    }
}

/// An arm of a match or catch.
#[derive(Clone, Debug)]
pub struct Arm {
    /// What it covers.
    pub pat: PatId,
    /// `if …`
    pub guard: Option<ExprId>,
    /// Its value.
    pub body: ExprId,
    /// Where.
    pub span: Span,
    /// The spaces before it, if it begins its line: a new arm is written like its neighbours.
    pub indent: Option<u32>,
}

/// A pattern.
#[derive(Clone, Debug)]
pub enum Pat {
    /// Could not be read; already reported. Covers everything.
    Missing,
    /// `_`
    Any,
    /// A name.
    Bind(LocalId),
    /// A literal; `none` included.
    Literal(Literal),
    /// `1..5`, both ends included.
    Range(Literal, Literal),
    /// A tag: variant or record.
    Tag {
        /// What it names.
        target: PatTarget,
        /// `None` for a bare tag, which ignores the payload; else patterns by name or position.
        args: Option<Vec<PatArg>>,
    },
    /// A list; `rest`: `None` for none, `Some(None)` for `..`, `Some(Some(l))` for `..name`.
    List {
        /// Leading items.
        items: Vec<PatId>,
        /// The rest.
        rest: Option<Option<LocalId>>,
    },
    /// `A | B`
    Or(Vec<PatId>),
}

/// What the tag of a pattern names.
#[derive(Clone, Debug)]
pub enum PatTarget {
    /// Unknown; already reported.
    Missing,
    /// A record.
    Record(DefId),
    /// A variant whose enum is known.
    Variant(DefId, u32),
    /// A bare variant: resolved by the type that is matched.
    Bare {
        /// The name.
        name: SmolStr,
        /// Variants of that name that are in scope.
        candidates: Candidates,
    },
}

/// An argument of a tag pattern.
#[derive(Clone, Debug)]
pub struct PatArg {
    /// The field, if it is named.
    pub name: Option<(SmolStr, Span)>,
    /// Its pattern.
    pub pat: PatId,
}
