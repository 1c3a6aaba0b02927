//! Building regions: nodes with their paths and order edges, and slots counted from where they are read.
//!
//! While a region is being built, expressions name slots by the absolute depth of their region. Only when an expression
//! comes to stand in a node or at the end of a region is the distance known; it is put in then.

use kait_ir::expr::Expr;
use kait_ir::program::{Gate, Node, NodeKind, Region, RegionId, ResourceId};
use kait_ir::types::TypeId;
use kait_ir::{ExprId, Value};
use rustc_hash::FxHashMap;
use smol_str::{SmolStr, format_smolstr};

use super::body::BodyLowerer;
use crate::diagnostics::Span;

/// Marks the `up` of a slot as an absolute depth.
const ABSOLUTE: u32 = 1 << 31;

/// A region that is being built.
pub(super) struct Building {
    params: u32,
    nodes: Vec<Node>,
    /// How often each path was wanted.
    paths: FxHashMap<SmolStr, u32>,
    /// The nearest guard so far.
    guard: Option<u32>,
    /// Nodes after which the next one is to start.
    after: Vec<u32>,
}

/// A node that is to be added.
pub(super) struct NewNode<'s> {
    pub(super) kind: NodeKind,
    /// The name of the `let`, if it has one, else of what is called, or of the form.
    pub(super) name: &'s str,
    pub(super) ty: TypeId,
    pub(super) grows: bool,
    pub(super) span: Option<Span>,
}

impl BodyLowerer<'_, '_> {
    /// How many regions enclose the place.
    pub(super) fn depth(&self) -> u32 {
        u32::try_from(self.regions.len()).unwrap_or(u32::MAX)
    }

    /// Whether nodes can stand here: not in functions, constants, and parts of expressions that may not be evaluated.
    pub(super) fn in_region(&self) -> bool {
        !self.regions.is_empty() && self.pure == 0
    }

    /// A slot of the region at an absolute depth (1 is the outermost).
    pub(super) fn slot(&mut self, depth: u32, slot: u32) -> ExprId {
        self.low.expr(Expr::Slot { up: ABSOLUTE | depth, slot })
    }

    /// The absolute depth and number of a slot, if the expression is one.
    pub(super) fn as_slot(&self, id: ExprId) -> Option<(u32, u32)> {
        match self.low.get(id) {
            Some(Expr::Slot { up, slot }) if up & ABSOLUTE != 0 => Some((up & !ABSOLUTE, *slot)),
            _ => None,
        }
    }

    /// The node that an expression reads, if it stands in the innermost region.
    pub(super) fn as_node(&self, id: ExprId) -> Option<u32> {
        let (depth, slot) = self.as_slot(id)?;
        let region = self.regions.last()?;
        if depth == self.depth() { slot.checked_sub(region.params) } else { None }
    }

    /// Builds a region.
    pub(super) fn region(
        &mut self,
        params: u32,
        build: impl FnOnce(&mut Self) -> ExprId,
    ) -> RegionId {
        self.regions.push(Building {
            params,
            nodes: Vec::new(),
            paths: FxHashMap::default(),
            guard: None,
            after: Vec::new(),
        });
        let result = build(self);
        self.settle(result);
        let (params, nodes) = match self.regions.pop() {
            Some(built) => (built.params, built.nodes),
            None => (params, Vec::new()),
        };
        let regions = &mut self.low.program.regions;
        let id = RegionId(u32::try_from(regions.len()).unwrap_or(u32::MAX));
        regions.push(Region { params, nodes, result });
        id
    }

    /// Counts the slots of an expression from the innermost region.
    pub(super) fn settle(&mut self, root: ExprId) {
        let depth = self.depth();
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            let Some(expr) = self.low.program.exprs.get_mut(id.0 as usize) else { continue };
            match expr {
                Expr::Slot { up, .. } if *up & ABSOLUTE != 0 => {
                    *up = depth.saturating_sub(*up & !ABSOLUTE);
                }
                other => other.for_each_child(|child| stack.push(child)),
            }
        }
    }

    /// Adds a node to the innermost region; gives its slot.
    pub(super) fn node(&mut self, new: NewNode<'_>) -> ExprId {
        let NewNode { kind, name, ty, grows, span } = new;
        let mut own = Vec::new();
        kind.for_each_expr(|expr| own.push(expr));
        let asks_log = own.iter().any(|expr| self.asks_log(*expr));
        own.into_iter().for_each(|expr| self.settle(expr));
        let depth = self.depth();
        let Some(region) = self.regions.last_mut().filter(|_| self.pure == 0) else {
            let span = span.unwrap_or_else(|| self.low.input.start());
            return self.low.broken(span, "a node outside of any block");
        };
        let index = u32::try_from(region.nodes.len()).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = region.guard.into_iter().chain(region.after.drain(..)).collect();
        if asks_log {
            // What was called so far is known when all above has succeeded.
            order = (0..index).collect();
        }
        order.sort_unstable();
        order.dedup();
        let path = region.path(name);
        region.nodes.push(Node {
            path,
            kind,
            data: Vec::new(),
            order,
            outer: Vec::new(),
            gate: Gate::Free,
            holds_gate: false,
            guard: false,
            reads: Vec::new(),
            writes: Vec::new(),
            grows,
            ty,
            span: span.and_then(super::Lowerer::span),
        });
        let slot = region.params + index;
        self.slot(depth, slot)
    }

    /// Says how a stubbed call waits: as the call would that it stands for.
    pub(super) fn stubbed_as(
        &mut self,
        node: ExprId,
        gate: Gate,
        reads: Vec<ResourceId>,
        writes: Vec<ResourceId>,
    ) {
        let at = self.as_node(node);
        if let Some(node) = at.and_then(|at| self.regions.last_mut()?.nodes.get_mut(at as usize)) {
            node.gate = gate;
            node.reads = reads;
            node.writes = writes;
        }
    }

    /// How many nodes the innermost region has so far.
    pub(super) fn node_count(&self) -> u32 {
        let count = self.regions.last().map_or(0, |region| region.nodes.len());
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Lets the last node of the innermost region start after others.
    pub(super) fn last_after(&mut self, others: std::ops::Range<u32>) {
        let last = self.regions.last_mut().and_then(|region| region.nodes.last_mut());
        if let Some(last) = last {
            last.order.extend(others);
            last.order.sort_unstable();
            last.order.dedup();
        }
    }

    /// Builds what stands in no region: nothing around it is known there.
    pub(super) fn apart_from_regions<T>(&mut self, build: impl FnOnce(&mut Self) -> T) -> T {
        let regions = std::mem::take(&mut self.regions);
        let loops = std::mem::take(&mut self.loops);
        let mark = std::mem::replace(&mut self.next_local, 0);
        let built = build(self);
        self.next_local = mark;
        self.loops = loops;
        self.regions = regions;
        built
    }

    /// From here on everything in the block waits for a node.
    pub(super) fn guard(&mut self, node: ExprId) {
        let Some(at) = self.as_node(node) else { return };
        let Some(region) = self.regions.last_mut() else { return };
        if let Some(node) = region.nodes.get_mut(at as usize) {
            node.guard = true;
            region.guard = region.guard.max(Some(at));
        }
    }

    /// The next node of the innermost region starts after what an expression names. If that stands in an enclosing region,
    /// the whole form in between waits for it.
    pub(super) fn after(&mut self, named: ExprId) {
        let Some((depth, slot)) = self.as_slot(named) else { return };
        let region = depth.checked_sub(1).and_then(|at| self.regions.get_mut(at as usize));
        if let Some(region) = region
            && let Some(node) = slot.checked_sub(region.params)
        {
            region.after.push(node);
        }
    }

    /// Whether an expression asks for the calls of a test so far.
    fn asks_log(&self, root: ExprId) -> bool {
        if self.low.targets.is_empty() {
            return false;
        }
        let mut stack = vec![root];
        while let Some(id) = stack.pop() {
            match self.low.get(id) {
                Some(Expr::CallLog(_)) => return true,
                Some(other) => other.for_each_child(|child| stack.push(child)),
                None => {}
            }
        }
        false
    }

    /// The value `none`.
    pub(super) fn nothing(&mut self) -> ExprId {
        self.low.constant(Value::None)
    }
}

impl Building {
    /// A path that is not taken yet: `draft`, then `draft#2`.
    fn path(&mut self, name: &str) -> SmolStr {
        let wanted = SmolStr::new(name);
        let count = self.paths.entry(wanted.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { wanted } else { format_smolstr!("{wanted}#{count}") }
    }
}
