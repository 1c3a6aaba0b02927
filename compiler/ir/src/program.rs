//! Graphs, regions and nodes: the control structure of a program.
//!
//! A graph's body is a region (a block); a region is a list of nodes in textual order, each with one slot for its
//! value. Control forms hold further regions, nested as trees: there is no goto and no free join. Order that the
//! language promises is spelled out per node: `data` and `order` edges to nodes above it in the same region,
//! `outer` uses of enclosing regions, `gated` for what must wait for everything above it, at every level.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::expr::{Expr, ExprId, Pattern};
use crate::types::{Trust, TypeId, Types};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $name(pub u32);
        impl $name {
            /// The position in the table.
            pub fn index(self) -> usize { self.0 as usize }
        }
    )*};
}

ids! {
    /// Index into [`Program::graphs`].
    GraphId
    /// Index into [`Program::regions`].
    RegionId
    /// Index into [`Program::functions`].
    FunctionId
    /// Index into [`Program::leaves`].
    LeafId
    /// Index into [`Program::resources`].
    ResourceId
    /// Index into [`Program::targets`].
    TargetId
}

/// The longest pause between two attempts of a call, in nanoseconds.
pub const LONGEST_PAUSE: u64 = 30_000_000_000;

/// The most tools that an agent calls in one of its turns: what its model asks beyond is refused to it.
pub const TOOLS_PER_TURN: u64 = 16;

/// A whole program: everything that a run needs, and nothing of where it came from but spans.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// Name of the root module.
    pub name: SmolStr,
    /// The callable graphs and prompts.
    pub graphs: Vec<Graph>,
    /// Every region of every graph.
    pub regions: Vec<Region>,
    /// Pure functions that are not inlined.
    pub functions: Vec<Function>,
    /// The expression arena.
    pub exprs: Vec<Expr>,
    /// Where expressions stand in the source, by [`ExprId`]; may be shorter. Not part of the hash.
    #[serde(skip)]
    pub expr_spans: Vec<Option<Span>>,
    /// The type table.
    pub types: Types,
    /// What the program calls in the world.
    pub leaves: Vec<LeafDecl>,
    /// Dotted resource paths that effects read and write: `net.api`, `file`, `payments`.
    pub resources: Vec<SmolStr>,
    /// Model roles that the program declares, with what they need.
    pub roles: Vec<RoleDecl>,
    /// Tests only: what can be stubbed or counted, by full name.
    pub targets: Vec<SmolStr>,
    /// Tests only: the stubs, in the order of their text.
    pub stubs: Vec<Stub>,
    /// Most locals that any expression of the program needs.
    pub max_locals: u32,
    /// Source files, for spans: display paths.
    #[serde(skip)]
    pub files: Vec<SmolStr>,
}

impl Program {
    /// The graph of that (unqualified or qualified) name.
    pub fn graph(&self, name: &str) -> Option<(GraphId, &Graph)> {
        (0..).map(GraphId).zip(&self.graphs).find(|(_, g)| g.name == name)
    }

    /// Where an expression stands in the source, if it is known.
    pub fn expr_span(&self, id: ExprId) -> Option<Span> {
        self.expr_spans.get(id.0 as usize).copied().flatten()
    }
}

/// What a graph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GraphKind {
    /// A `graph`.
    Graph,
    /// A `prompt`: its body is one [`NodeKind::Model`].
    Prompt,
    /// A `test`.
    Test,
}

/// A callable graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graph {
    /// Its name, qualified if it is not of the root module.
    pub name: SmolStr,
    /// What it is.
    pub kind: GraphKind,
    /// Whether it is offered to users.
    pub public: bool,
    /// Documentation.
    pub docs: SmolStr,
    /// Parameters: the first slots of the body.
    pub params: Vec<Param>,
    /// The type of its value.
    pub result: TypeId,
    /// The block.
    pub body: RegionId,
    /// Budgets of the header: `time` (a duration), `calls`, `tokens`, `cost`, … each a constant.
    pub budgets: Vec<(SmolStr, ExprId)>,
    /// Frames that recursion may use, the first counted; only set for recursive graphs.
    pub depth: Option<u32>,
    /// Where it is declared.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its name.
    pub name: SmolStr,
    /// Documentation.
    pub docs: SmolStr,
    /// Its type.
    pub ty: TypeId,
    /// The default, evaluated without slots.
    pub default: Option<ExprId>,
    /// Whether a growing argument is passed on while it grows.
    pub stream: bool,
    /// What its declaration says of who vouches for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
}

/// A pure function: parameters are the first locals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    /// Its name.
    pub name: SmolStr,
    /// The types of its parameters.
    pub params: Vec<TypeId>,
    /// The type of its value.
    pub result: TypeId,
    /// Its value.
    pub body: ExprId,
}

impl Function {
    /// How many parameters it has.
    pub fn arity(&self) -> u32 {
        u32::try_from(self.params.len()).unwrap_or(u32::MAX)
    }
}

/// A place in the source; bytes. Not part of the hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Index into [`Program::files`].
    pub file: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// A block: parameters, nodes in textual order, and the value when all nodes have succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// How many parameters: slots `0..params`.
    pub params: u32,
    /// Node `i` has slot `params + i`.
    pub nodes: Vec<Node>,
    /// The block's value, evaluated in the block when all its nodes have succeeded.
    pub result: ExprId,
}

/// One node of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name within its region: stable across edits elsewhere (`draft`, `draft#2`, `match.Revise`).
    pub path: SmolStr,
    /// What it does.
    pub kind: NodeKind,
    /// Nodes of this region whose values it (not its inner regions) reads. Ascending.
    #[serde(skip)]
    pub data: Vec<u32>,
    /// Nodes of this region that must have succeeded first though no value flows: the nearest guard above,
    /// `after:`. Ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<u32>,
    /// Slots of enclosing regions that its own expressions read, as (`up`, slot), `up >= 1`.
    #[serde(skip)]
    pub outer: Vec<(u32, u32)>,
    /// For leaves: it starts only when every node above it, in its region and in every enclosing one, has succeeded.
    #[serde(skip)]
    pub gate: Gate,
    /// Whether it (or, for a control form or call, anything inside it) is gated.
    #[serde(skip)]
    pub holds_gate: bool,
    /// Whether everything below it waits for it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub guard: bool,
    /// For leaves: what it reads.
    #[serde(skip)]
    pub reads: Vec<ResourceId>,
    /// What it, or anything inside it and its calls, writes as a gated node.
    #[serde(skip)]
    pub writes: Vec<ResourceId>,
    /// Whether its value can be seen while it grows (text, list or record that a model or input delivers).
    #[serde(default, skip_serializing_if = "is_false")]
    pub grows: bool,
    /// Type of its value.
    pub ty: TypeId,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(b: &bool) -> bool {
    !*b
}

/// How a leaf waits for what stands above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Gate {
    /// Not at all: pure code, models, reads.
    #[default]
    Free,
    /// For everything above.
    All,
    /// For everything above but questions to people: adjacent questions open together.
    Ask,
}

/// What a node does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Evaluates an expression. A guard `fail` is one, too.
    Pure(ExprId),
    /// Runs another graph in a frame of its own.
    Call(Call),
    /// Calls the world.
    Leaf(LeafCall),
    /// Calls a model.
    Model(Box<ModelCall>),
    /// Runs the first arm that matches.
    Switch {
        /// What is matched; evaluated with the node's slots.
        scrutinee: ExprId,
        /// The arms: their binders become the parameters of their regions, local `i` → slot `i`.
        arms: Vec<Arm>,
    },
    /// One region per item.
    Map(Box<Map>),
    /// Bounded rounds.
    Loop(Box<Loop>),
    /// The first `need` successes win, the others are cancelled.
    Race {
        /// How many must succeed.
        need: u32,
        /// Whether the value is a list: `race 2 { … }` gives one, `race { … }` the winner itself.
        list: bool,
        /// The competitors.
        arms: Vec<RegionId>,
    },
    /// Handles a failure of its body.
    Catch {
        /// What may fail.
        body: RegionId,
        /// Handlers: the failure's value is matched.
        arms: Vec<Arm>,
    },
    /// `Ok(value)` or `Failed(failure)`.
    Try(RegionId),
    /// Policies around a body that makes one call.
    Policy(Box<Policy>),
    /// Asks a person to approve a call; its value is what the call is made with.
    Approve(Box<Approve>),
    /// Asks a person a question; its value is the answer.
    Ask(Box<Ask>),
    /// From here on there is something to be taken back, should the graph fail or be cancelled later. Its value is `none`.
    Undo(Undo),
    /// Tests: a stubbed call; the engine answers it from [`Program::stubs`].
    Stubbed {
        /// What was called.
        target: TargetId,
        /// Its arguments in declaration order.
        args: Vec<ExprId>,
        /// Whether it stands for a call of a model, which budgets count.
        model: bool,
    },
    /// Tests: an expectation; waits for everything above it.
    Expect {
        /// Must be true.
        condition: ExprId,
        /// What to show when it is not: source text and value of both sides of a comparison.
        shows: Vec<(SmolStr, ExprId, TypeId)>,
        /// The source of the expectation.
        source: SmolStr,
    },
}

/// A call of a graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The callee.
    pub graph: GraphId,
    /// Arguments in declaration order, defaults filled in.
    pub args: Vec<ExprId>,
    /// `with (model: role)`: the role for the prompts of this call.
    pub model: Option<SmolStr>,
    /// `with (repair: n)`.
    pub repair: Option<u32>,
    /// Tests: count it as a call of this target.
    pub target: Option<TargetId>,
}

/// A call of a leaf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeafCall {
    /// Which.
    pub leaf: LeafId,
    /// Arguments in declaration order, defaults filled in.
    pub args: Vec<ExprId>,
    /// The idempotency key, if the call gives one.
    pub key: Option<ExprId>,
    /// Tests: count it as a call of this target.
    pub target: Option<TargetId>,
}

/// How to take back what nodes above it have done: it waits for these (`order`) and for what it reads.
///
/// The block runs when the frames around it are over, so it is closed: it reads its parameters and nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// The values of the block's parameters, evaluated when what is to be undone has succeeded.
    pub args: Vec<ExprId>,
    /// What runs; its value is not used.
    pub body: RegionId,
}

/// What a person approves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Approved {
    /// A call of a leaf.
    Leaf(LeafId),
    /// A call of a graph.
    Graph(GraphId),
    /// Tests: a call that is stubbed.
    Stub(TargetId),
}

/// Asks a person to approve one call, which is made below it in the same block (policies may stand around it).
///
/// The value is a record: who approved it, then the arguments as they were shown or edited, then the idempotency key if
/// the call has one. The call takes all that it is made with from there, argument `i` from field `i + 1`, and from nowhere
/// else; the verifier sees to it that there is exactly one such call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// What is called.
    pub what: Approved,
    /// What it is to be called with, in declaration order; evaluated once, before anybody is asked.
    pub args: Vec<ExprId>,
    /// The idempotency key, if the call gives one.
    pub key: Option<ExprId>,
    /// Which arguments the person may change. Ascending.
    pub edit: Vec<u32>,
    /// Which arguments come, or may come, from where nobody vouches for them: they are shown as such. Ascending.
    pub untrusted: Vec<u32>,
    /// Who may approve: a text.
    pub role: ExprId,
    /// How long the person may take: a duration. Beyond, the node fails with `Unanswered`.
    pub within: ExprId,
    /// What is shown besides the arguments.
    pub show: Option<(ExprId, TypeId)>,
    /// Tests: what stubs of the approval are for.
    pub target: Option<TargetId>,
}

/// Asks a person a question. The type of the node is the type of the answer, and makes the form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// What is asked: a text. Only a selection may do without.
    pub question: Option<ExprId>,
    /// Who is asked: a text.
    pub to: Option<ExprId>,
    /// What is shown besides the question.
    pub show: Option<(ExprId, TypeId)>,
    /// What the form begins with: a value of the answer's type.
    pub start: Option<ExprId>,
    /// The answer is a selection of these.
    pub choose: Option<Choose>,
    /// How long the person may take: a duration. Beyond, the node fails with `Unanswered`.
    pub within: ExprId,
    /// Tests: what stubs of the question are for.
    pub target: Option<TargetId>,
}

/// What a person selects from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choose {
    /// The list; the answer is a list of the same type.
    pub items: ExprId,
    /// The field by which the person knows an item.
    pub label: Option<u32>,
    /// The most items that may be taken: an int.
    pub max: Option<ExprId>,
}

/// One logical model call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCall {
    /// The prompt's name.
    pub prompt: SmolStr,
    /// The prompt's documentation: it names the schema.
    pub docs: SmolStr,
    /// The role; a call's policy may override it.
    pub role: SmolStr,
    /// `temperature`, `max_tokens`, …
    pub options: Vec<(SmolStr, ExprId)>,
    /// The messages in order.
    pub messages: Vec<Message>,
    /// What it must give. `text` is free; anything else is structured output.
    pub output: TypeId,
    /// Further calls with the error's path when the answer does not fit.
    pub repair: u32,
}

/// An item of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// `system`, `user`, `assistant` or `messages` (a list of the prelude's `Message`).
    pub role: MessageRole,
    /// Its content.
    pub content: ExprId,
    /// The content's type: text, image, audio, file, or a list of them.
    pub ty: TypeId,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

impl MessageRole {
    /// How a program writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Messages => "messages",
        }
    }
}

/// An arm of a switch or catch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arm {
    /// What it covers.
    pub pattern: Pattern,
    /// A further pure condition over the binders (locals) and the node's slots.
    pub guard: Option<ExprId>,
    /// What runs; its parameters are the pattern's locals.
    pub body: RegionId,
}

/// A `for` with nodes in its body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// The list.
    pub source: ExprId,
    /// Binds the item: local `i` → slot `i` of the body; an item that does not match is left out.
    pub pattern: Pattern,
    /// Only items for which it holds.
    pub filter: Option<ExprId>,
    /// A longer list fails with `Budget("items")`.
    pub max: Option<ExprId>,
    /// Most bodies at once; without it the profile's default.
    pub parallel: Option<ExprId>,
    /// Bodies hold gated nodes and no `parallel` says that they are independent: one after the other.
    #[serde(skip)]
    pub sequential: bool,
    /// Whether it may start on items of a list that still grows.
    pub early: bool,
    /// One run an item.
    pub body: RegionId,
}

/// A `loop` with nodes in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Loop {
    /// First values of the state.
    pub init: Vec<ExprId>,
    /// Most rounds.
    pub max: ExprId,
    /// One round: parameters are the state; its value is `Variant(0, [value])` for `done`, `Variant(1, [state…])` for `next`.
    pub body: RegionId,
    /// When the rounds are used up: parameters are the last state.
    pub otherwise: RegionId,
}

/// Policies, in their one fixed order: fallback > deadline > cache > retry > timeout > the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The call.
    pub body: RegionId,
    /// What stands in for a failure.
    pub fallback: Option<RegionId>,
    /// Overall time: a duration.
    pub deadline: Option<ExprId>,
    /// How long a success may be used again: a duration.
    pub cache: Option<ExprId>,
    /// What the cached success is looked up by: the call's name and arguments.
    pub cache_key: Option<(SmolStr, Vec<ExprId>)>,
    /// Further attempts.
    pub retry: Option<ExprId>,
    /// Time per attempt: a duration.
    pub timeout: Option<ExprId>,
    /// Shared limit of the profile: calls per period and at once.
    pub rate: Option<Rate>,
}

/// `rate: 10, per: 5s, parallel: 2`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The name that shares the limit.
    pub name: SmolStr,
    /// Calls per period.
    pub calls: Option<ExprId>,
    /// The period: a duration.
    pub per: Option<ExprId>,
    /// At once.
    pub parallel: Option<ExprId>,
}

/// What a leaf does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EffectClass {
    /// Reads: may be done again.
    Read,
    /// Writes; `keyed` if the leaf can send an idempotency key.
    Write {
        /// Whether it can.
        keyed: bool,
    },
    /// Shows something to whoever watches.
    Emit,
    /// The clock.
    Clock,
    /// Randomness.
    Random,
    /// A model behind a leaf (embeddings).
    Model,
    /// Asks a person.
    Human,
}

/// A leaf that the program calls.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeafDecl {
    /// Its full name: `file.read`.
    pub name: SmolStr,
    /// `native`, `http`, `process`, `wasm`, `mcp`.
    pub kind: SmolStr,
    /// What the kind locates it by.
    pub locator: SmolStr,
    /// Its parameters.
    pub params: Vec<Param>,
    /// What it gives, as instantiated at its calls.
    pub result: TypeId,
    /// Its class.
    pub class: EffectClass,
    /// Resources that it reads.
    pub reads: Vec<ResourceId>,
    /// Resources that it writes.
    pub writes: Vec<ResourceId>,
    /// `needs approval`: no call of it is made that a person has not approved ([`NodeKind::Approve`]).
    pub guarded: bool,
    /// What its declaration says of who vouches for what it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<Trust>,
    /// How it is called, of `http` and `process`.
    #[serde(default, skip_serializing_if = "Calling::is_plain")]
    pub with: Calling,
}

/// How an extern is called: what the `with` of its header says. Secrets stand in it by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calling {
    /// What shows who calls. Of `http` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// Headers of every request, by name. Of `http` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(SmolStr, HeaderText)>,
    /// Where the idempotency key of a call is sent. Of `http` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyPlace>,
    /// The longest time for a call, in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// The most memory that the program may take, in bytes. Of `process` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// The most processor time that the program may take, in nanoseconds. Of `process` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
}

impl Calling {
    /// Whether nothing is said.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// How a request shows who sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer {
        /// The secret's name.
        secret: SmolStr,
    },
    /// `Authorization: Basic …` (RFC 7617).
    Basic {
        /// The user, as it is.
        user: SmolStr,
        /// The name of the secret that is the password.
        secret: SmolStr,
    },
    /// In a header.
    Header {
        /// The header.
        name: SmolStr,
        /// The secret's name.
        secret: SmolStr,
    },
    /// In the query of the address.
    Query {
        /// The name in the query.
        name: SmolStr,
        /// The secret's name.
        secret: SmolStr,
    },
}

impl Auth {
    /// The name of the secret that it sends.
    pub fn secret(&self) -> &SmolStr {
        match self {
            Self::Bearer { secret }
            | Self::Basic { secret, .. }
            | Self::Header { secret, .. }
            | Self::Query { secret, .. } => secret,
        }
    }
}

/// What a header holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeaderText {
    /// This text.
    Text(SmolStr),
    /// The secret of that name.
    Secret(SmolStr),
}

/// Where a request has its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyPlace {
    /// In the header of that name.
    Header(SmolStr),
    /// In the query, under that name.
    Query(SmolStr),
}

/// A model role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleDecl {
    /// Its name.
    pub name: SmolStr,
    /// `tools`, `context`, `images`, `embedding`, …
    pub needs: Vec<(SmolStr, crate::Value)>,
}

/// A stub of a test: expressions see the test's block as `up = 0`, parameters' values as locals through the patterns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stub {
    /// What is stubbed.
    pub target: TargetId,
    /// Patterns by parameter index; left-out parameters match anything.
    pub params: Vec<(u32, Pattern)>,
    /// The outcomes: each call takes the next, the last repeats.
    pub outcomes: Vec<StubOutcome>,
    /// Nodes of the test's block that it reads.
    #[serde(skip)]
    pub data: Vec<u32>,
    /// Where it stands.
    #[serde(skip)]
    pub span: Option<Span>,
}

/// One outcome of a stub.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StubOutcome {
    /// Its value; `Fail` makes the call fail.
    pub value: ExprId,
    /// Virtual time that passes first, in nanoseconds.
    pub after: i64,
}
