//! HIR: the program with names resolved and sugar removed, one arena per body.
//!
//! Items of all modules of a compilation (std modules included, as far as they are used) share one table of
//! [`Def`]s. Types are still as written ([`TypeRef`]), bare variants and named arguments are still to be resolved by
//! the checker, because they need types. Broken parts are `Missing`, which no later stage reports again.

mod body;
pub(crate) mod groups;
pub(crate) mod lower;
pub(crate) mod moved;
mod types;

use std::sync::Arc;

use smol_str::SmolStr;

pub use body::{
    Arg, ArgValue, Arm, BinaryOp, Body, Builtin, Callee, Candidates, Expr, Literal, Local,
    LocalKind, Pat, PatArg, PatTarget, Stmt, TemplatePart, UnaryOp,
};
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
