//! HIR: the program with names resolved and sugar removed, one arena per body.
//!
//! Items of all modules of a compilation (std modules included, as far as they are used) share one table of
//! [`Def`]s. Types are still as written ([`TypeRef`]), bare variants and named arguments are still to be resolved by
//! the checker, because they need types. Broken parts are `Missing`, which no later stage reports again.

pub(crate) mod groups;
pub(crate) mod lower;
pub(crate) mod moved;
mod types;

use std::sync::Arc;

use rust_decimal::Decimal;
use smol_str::SmolStr;

pub use types::{BoundRef, BoundValue, Qualifier, TypeRef, TypeRefKind};

use crate::diagnostics::{FileId, Span};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);
        impl $name {
            /// The position in its table.
            pub fn index(self) -> usize { self.0 as usize }
        }
    )*};
}

ids! {
    /// Index into [`Hir::modules`].
    ModuleId
    /// Index into [`Hir::defs`].
    DefId
    /// Index into [`Body::exprs`].
    ExprId
    /// Index into [`Body::pats`].
    PatId
    /// Index into [`Body::locals`].
    LocalId
}

/// All modules of a compilation.
#[derive(Debug, Default)]
pub struct Hir {
    /// The modules; the root module is the first that the caller asked for.
    pub modules: Vec<Module>,
    /// The definitions of all modules. Compilations of nearly the same text share them, and the bodies.
    pub defs: Vec<Arc<Def>>,
    /// The bodies, by [`DefId`] of their owner: consts, callables, tests, …
    pub bodies: Vec<Option<Arc<Body>>>,
}

impl Hir {
    /// The body of a definition.
    #[must_use]
    pub fn body(&self, owner: DefId) -> Option<&Body> {
        self.bodies.get(owner.index())?.as_deref()
    }
}

/// One file.
#[derive(Debug)]
pub struct Module {
    /// Where it was read.
    pub file: FileId,
    /// Dotted name: `acme.support`, `text` for std modules, empty for the root file.
    pub name: SmolStr,
    /// `//!` documentation.
    pub docs: SmolStr,
    /// Whether its text is nobody's to change: the standard library's, or made from `kait.lock`.
    pub is_std: bool,
    /// Its definitions in textual order.
    pub defs: Vec<DefId>,
}

/// A definition.
#[derive(Clone, Debug)]
pub struct Def {
    /// Its name.
    pub name: SmolStr,
    /// Where it is declared.
    pub module: ModuleId,
    /// Whether other modules may use it.
    pub is_pub: bool,
    /// `///` documentation.
    pub docs: SmolStr,
    /// The name's place.
    pub name_span: Span,
    /// The whole declaration.
    pub span: Span,
    /// What it is.
    pub kind: DefKind,
}

/// What a definition is.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "most definitions are the largest kind: callables")]
pub enum DefKind {
    /// `let name: type = expr` at the top: its value is the body's root.
    Const {
        /// The annotation.
        ty: Option<TypeRef>,
    },
    /// `record`
    Record(Record),
    /// `enum`
    Enum(Enum),
    /// `type X = …`
    Alias(Alias),
    /// `model role needs (…)`: the arguments' values are literals.
    Model {
        /// What it needs: name and literal.
        needs: Vec<(SmolStr, Literal, Span)>,
    },
    /// `secret name`
    Secret,
    /// `fn`, `graph`, `prompt`, `agent`, `extern`, `trigger`
    Callable(Callable),
    /// `session X { … }`
    Session(Record),
    /// `test "…"`
    Test(Test),
}

/// A record, or the fields of a session.
#[derive(Clone, Debug)]
pub struct Record {
    /// Type parameters.
    pub type_params: Vec<SmolStr>,
    /// Fields in textual order.
    pub fields: Vec<Field>,
}

/// A field, of a record or of a variant's payload.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: SmolStr,
    /// Where.
    pub span: Span,
    /// Documentation.
    pub docs: SmolStr,
    /// Its type.
    pub ty: TypeRef,
    /// The default, an expression of the owner's body.
    pub default: Option<ExprId>,
    /// The name on the wire, if `as` says one.
    pub wire: Option<SmolStr>,
}

/// An enum.
#[derive(Clone, Debug)]
pub struct Enum {
    /// Type parameters.
    pub type_params: Vec<SmolStr>,
    /// Variants in textual order.
    pub variants: Vec<Variant>,
}

/// A variant.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Its name.
    pub name: SmolStr,
    /// Where.
    pub span: Span,
    /// Documentation.
    pub docs: SmolStr,
    /// Its payload.
    pub fields: Vec<Field>,
    /// The name on the wire, if `as` says one.
    pub wire: Option<SmolStr>,
}

/// `type X<T> = …`
#[derive(Clone, Debug)]
pub struct Alias {
    /// Type parameters.
    pub type_params: Vec<SmolStr>,
    /// What it stands for.
    pub ty: TypeRef,
}

/// Which callable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallableKind {
    /// Pure.
    Fn,
    /// A graph.
    Graph,
    /// One logical model call.
    Prompt,
    /// A bounded turn machine.
    Agent,
    /// What runs when its source says so. A test calls it like a graph, with its event.
    Trigger,
    /// Code from elsewhere: its kind (`native`, `http`, …) and locator.
    Extern {
        /// The kind.
        kind: SmolStr,
        /// The locator.
        locator: SmolStr,
    },
}

/// Something that can be called.
#[derive(Clone, Debug)]
pub struct Callable {
    /// Which.
    pub kind: CallableKind,
    /// Type parameters.
    pub type_params: Vec<SmolStr>,
    /// Parameters.
    pub params: Vec<Param>,
    /// The result as written.
    pub result: TypeRef,
    /// `does …`
    pub does: Vec<EffectRef>,
    /// Whether the header says `does`.
    pub has_does: bool,
    /// Of an extern: where the text of the locator stands, without its quotes. As long as the locator unless that is
    /// written with escapes.
    pub locator_span: Option<Span>,
    /// `needs approval`: the word.
    pub needs: Option<(SmolStr, Span)>,
    /// `with (…)` of the header.
    pub policies: Vec<Arg>,
    /// `in Session`
    pub session: Option<InSession>,
    /// Of a trigger: the call of its source, behind `on`. It is part of no block.
    pub source: Option<ExprId>,
    /// Items of a prompt or agent, in textual order.
    pub items: Vec<PromptItem>,
}

/// `in Session` of a header.
#[derive(Clone, Debug)]
pub struct InSession {
    /// The session, if it exists.
    pub def: Option<DefId>,
    /// The name as written.
    pub name: SmolStr,
    /// Where.
    pub span: Span,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: SmolStr,
    /// Where.
    pub span: Span,
    /// Documentation.
    pub docs: SmolStr,
    /// Its type.
    pub ty: TypeRef,
    /// The default, an expression of the body.
    pub default: Option<ExprId>,
    /// Marked `stream`.
    pub stream: bool,
    /// The word `stream` and the blanks behind it.
    pub stream_span: Option<Span>,
    /// The local that holds it (always set, externs included).
    pub local: LocalId,
}

/// An effect as written: `write net "api.example.com"` is kind `write`, path `net.api.example.com` quoted part apart.
#[derive(Clone, Debug)]
pub struct EffectRef {
    /// `read`, `write`, `model`, `human`, `clock`, `random`, `emit`.
    pub kind: SmolStr,
    /// Dotted resource, the quoted part (if any) as its last segment; empty if there is none.
    pub resource: SmolStr,
    /// Where.
    pub span: Span,
}

/// A line of a prompt.
#[derive(Clone, Debug)]
pub enum PromptItem {
    /// `model role with (…)`
    Model {
        /// The role's definition, if it exists.
        role: Option<DefId>,
        /// The role's name as written.
        name: SmolStr,
        /// The policies: `temperature`, `max_tokens`, …
        policies: Vec<Arg>,
        /// Where.
        span: Span,
    },
    /// `system|user|assistant|messages expr`
    Message {
        /// The word.
        role: MessageRole,
        /// The content.
        expr: ExprId,
        /// Where.
        span: Span,
    },
    /// `tools […]`
    Tools {
        /// The tools in textual order.
        tools: Vec<Tool>,
        /// Where.
        span: Span,
    },
}

/// A tool of an agent.
#[derive(Clone, Debug)]
pub struct Tool {
    /// What is called, if it exists.
    pub target: Option<DefId>,
    /// Its path as written.
    pub path: SmolStr,
    /// Where the path stands.
    pub path_span: Span,
    /// The policies of its calls.
    pub policies: Vec<Arg>,
    /// The path and its policies.
    pub span: Span,
}

/// Who speaks in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRole {
    /// Instructions.
    System,
    /// The user.
    User,
    /// The model, earlier.
    Assistant,
    /// A list of messages.
    Messages,
}

/// `test "name" with (…) { … }`
#[derive(Clone, Debug)]
pub struct Test {
    /// `with (…)`
    pub policies: Vec<Arg>,
    /// Items in textual order.
    pub items: Vec<TestItem>,
}

/// An item of a test.
#[derive(Clone, Debug)]
pub enum TestItem {
    /// A stub.
    Stub(Stub),
    /// An expectation.
    Expect {
        /// What must be true.
        expr: ExprId,
        /// Where.
        span: Span,
    },
    /// A `let` or a bare call.
    Stmt(Stmt),
}

/// `stub path(patterns) => value then …`
#[derive(Clone, Debug)]
pub struct Stub {
    /// `stub approve …`
    pub approve: bool,
    /// What is stubbed, if it exists.
    pub target: Option<DefId>,
    /// The form that is stubbed instead: `ask` or `choose`.
    pub form: Option<Builtin>,
    /// Its path as written.
    pub path: SmolStr,
    /// Where the path stands.
    pub path_span: Span,
    /// Patterns for parameters: by name, or by position.
    pub params: Vec<(Option<SmolStr>, PatId, Span)>,
    /// Outcomes and the virtual time in nanoseconds that each takes. A block's value or an expression.
    pub outcomes: Vec<(ExprId, i64)>,
    /// Where.
    pub span: Span,
}

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
