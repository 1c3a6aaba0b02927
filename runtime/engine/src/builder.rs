//! Programs built by hand: for tests, benchmarks and tools that have no source text.
//!
//! It only saves typing. What it builds is checked like any other program when it is loaded.

use kait_ir::program::{Call, Calling, GraphKind, LeafCall, Param};
use kait_ir::{
    EffectClass, Expr, ExprId, Gate, Graph, GraphId, LeafDecl, LeafId, Node, NodeKind, Program,
    Region, RegionId, ResourceId, Type, TypeId, Value,
};
use smol_str::SmolStr;

use crate::load::{LoadError, Loaded};

/// A program under construction.
#[derive(Clone, Debug, Default)]
pub struct ProgramBuilder {
    /// What was built so far; open for whatever has no method here.
    pub program: Program,
}

fn next(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl ProgramBuilder {
    /// A program with the types `json` (id 0: anything goes) and nothing else.
    pub fn new() -> Self {
        let mut builder = Self::default();
        builder.program.types.push(Type::Json);
        builder.program.max_locals = 8;
        builder
    }

    /// Fills in the facts that follow from the nodes (gates, edges, what is read and written), and makes the program
    /// ready to run.
    ///
    /// # Errors
    /// See [`Loaded::new`].
    pub fn load(mut self) -> Result<Loaded, LoadError> {
        kait_ir::fill(&mut self.program);
        Loaded::new(self.program)
    }

    /// Makes the program ready with the facts as they were set, for tests of what the machine does with them.
    #[cfg(test)]
    pub(crate) fn load_as_is(self) -> Result<Loaded, LoadError> {
        Loaded::prepare(self.program.into())
    }

    /// Adds a type.
    pub fn ty(&mut self, ty: Type) -> TypeId {
        self.program.types.push(ty)
    }

    /// Adds an expression.
    pub fn expr(&mut self, expr: Expr) -> ExprId {
        self.program.exprs.push(expr);
        ExprId(next(self.program.exprs.len()) - 1)
    }

    /// A constant.
    pub fn value(&mut self, value: Value) -> ExprId {
        self.expr(Expr::Const(value))
    }

    /// An integer.
    pub fn int(&mut self, n: i64) -> ExprId {
        self.value(Value::Int(n))
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> ExprId {
        self.value(Value::text(text))
    }

    /// A slot, `up` regions outwards.
    pub fn slot(&mut self, up: u32, slot: u32) -> ExprId {
        self.expr(Expr::Slot { up, slot })
    }

    /// The list of some slots of the same region.
    pub fn slots(&mut self, slots: &[u32]) -> ExprId {
        let items = slots.iter().map(|s| (self.slot(0, *s), false)).collect();
        self.expr(Expr::List(items))
    }

    /// A resource.
    pub fn resource(&mut self, name: &str) -> ResourceId {
        let names = &mut self.program.resources;
        let at = names.iter().position(|n| n == name).unwrap_or_else(|| {
            names.push(name.into());
            names.len() - 1
        });
        ResourceId(next(at))
    }

    /// A leaf without parameters.
    pub fn leaf(&mut self, name: &str, class: EffectClass) -> LeafId {
        self.leaf_with(name, class, 0)
    }

    /// A leaf with so many parameters.
    pub fn leaf_with(&mut self, name: &str, class: EffectClass, params: u32) -> LeafId {
        self.program.leaves.push(LeafDecl {
            name: name.into(),
            kind: "native".into(),
            locator: name.into(),
            params: (0..params).map(parameter).collect(),
            result: TypeId(0),
            class,
            reads: Vec::new(),
            writes: Vec::new(),
            guarded: false,
            trust: None,
            with: Calling::default(),
        });
        LeafId(next(self.program.leaves.len()) - 1)
    }

    /// A region.
    pub fn region(&mut self, params: u32, nodes: Vec<Node>, result: ExprId) -> RegionId {
        self.program.regions.push(Region { params, nodes, result });
        RegionId(next(self.program.regions.len()) - 1)
    }

    /// A graph over a body.
    pub fn graph(&mut self, name: &str, body: RegionId) -> GraphId {
        let params = self.program.regions.get(body.index()).map_or(0, |r| r.params);
        self.program.graphs.push(Graph {
            name: name.into(),
            kind: GraphKind::Graph,
            public: true,
            docs: "".into(),
            params: (0..params).map(parameter).collect(),
            result: TypeId(0),
            body,
            budgets: Vec::new(),
            depth: None,
            span: None,
        });
        GraphId(next(self.program.graphs.len()) - 1)
    }
}

fn parameter(index: u32) -> Param {
    Param {
        name: SmolStr::from(format!("p{index}")),
        docs: "".into(),
        ty: TypeId(0),
        default: None,
        stream: false,
        trust: None,
    }
}

/// A node that nothing orders: what it does, and nothing else.
pub fn node(path: impl Into<SmolStr>, kind: NodeKind) -> Node {
    Node {
        path: path.into(),
        kind,
        data: Vec::new(),
        order: Vec::new(),
        outer: Vec::new(),
        gate: Gate::Free,
        holds_gate: false,
        guard: false,
        reads: Vec::new(),
        writes: Vec::new(),
        grows: false,
        ty: TypeId(0),
        span: None,
    }
}

/// A call of a leaf.
pub fn leaf_call(leaf: LeafId, args: Vec<ExprId>) -> NodeKind {
    NodeKind::Leaf(LeafCall { leaf, args, key: None, target: None })
}

/// A call of a graph.
pub fn graph_call(graph: GraphId, args: Vec<ExprId>) -> NodeKind {
    NodeKind::Call(Call { graph, args, model: None, repair: None, target: None })
}

/// The same node with what it needs and touches.
pub trait NodeExt: Sized {
    /// Nodes above whose values it reads.
    #[must_use]
    fn after_data(self, nodes: &[u32]) -> Self;
    /// Nodes above that come first.
    #[must_use]
    fn after(self, nodes: &[u32]) -> Self;
    /// Slots of enclosing regions that it reads.
    #[must_use]
    fn outer(self, slots: &[(u32, u32)]) -> Self;
    /// Its gate.
    #[must_use]
    fn gate(self, gate: Gate) -> Self;
    /// It grows.
    #[must_use]
    fn grows(self) -> Self;
    /// Everything below waits for it.
    #[must_use]
    fn guard(self) -> Self;
}

impl NodeExt for Node {
    fn after_data(mut self, nodes: &[u32]) -> Self {
        self.data = nodes.to_vec();
        self
    }

    fn after(mut self, nodes: &[u32]) -> Self {
        self.order = nodes.to_vec();
        self
    }

    fn outer(mut self, slots: &[(u32, u32)]) -> Self {
        self.outer = slots.to_vec();
        self
    }

    fn gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self.holds_gate = gate != Gate::Free;
        self
    }

    fn grows(mut self) -> Self {
        self.grows = true;
        self
    }

    fn guard(mut self) -> Self {
        self.guard = true;
        self
    }
}
