//! Facts about nodes that follow from the program: edges, gates, what is read and written at any depth.
//!
//! This is the one place that says how they follow. A compiler fills them in with [`fill`]; the verifier recomputes
//! and compares them, so that nobody who runs a program has to.

use rustc_hash::FxHashSet;

use crate::expr::{Expr, ExprId};
use crate::program::{Gate, Node, NodeKind, Program, Region, RegionId, ResourceId};

/// What a node says about its effects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeFacts {
    pub(crate) gate: Gate,
    pub(crate) holds_gate: bool,
    pub(crate) reads: Vec<ResourceId>,
    pub(crate) writes: Vec<ResourceId>,
    /// Of a map.
    pub(crate) sequential: bool,
    /// Whether anything in it writes, to a named resource or not.
    pub(crate) changes: bool,
}

/// What a region does, at any depth and through calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Summary {
    gated: bool,
    changes: bool,
    /// Sorted, each once.
    writes: Vec<ResourceId>,
}

impl Summary {
    fn add(&mut self, other: &Summary) {
        self.gated |= other.gated;
        self.changes |= other.changes;
        for resource in &other.writes {
            if let Err(at) = self.writes.binary_search(resource) {
                self.writes.insert(at, *resource);
            }
        }
    }
}

/// What every region of a program does.
pub(crate) struct Facts {
    regions: Vec<Summary>,
}

/// What each graph calls: indices, sorted, each once.
pub(crate) fn calls(program: &Program) -> Vec<Vec<usize>> {
    program.graphs.iter().map(|graph| callees(program, graph.body)).collect()
}

fn callees(program: &Program, body: RegionId) -> Vec<usize> {
    let mut found = Vec::new();
    let mut stack = vec![body];
    while let Some(id) = stack.pop() {
        let nodes = program.regions.get(id.index()).into_iter().flat_map(|region| &region.nodes);
        for node in nodes {
            if let NodeKind::Call(call) = &node.kind {
                found.push(call.graph.index());
            }
            node.kind.for_each_region(|inner| stack.push(inner));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

impl Facts {
    /// The least fixpoint over the calls; regions must form trees. Callees come first, so programs without recursion
    /// need one pass, and one more to see that nothing changes.
    pub(crate) fn of(program: &Program, calls: &[Vec<usize>]) -> Self {
        let order = callees_first(calls);
        let mut facts = Self { regions: vec![Summary::default(); program.regions.len()] };
        loop {
            let mut changed = false;
            for graph in &order {
                if let Some(graph) = program.graphs.get(*graph) {
                    changed |= facts.update(program, graph.body);
                }
            }
            if !changed {
                return facts;
            }
        }
    }

    /// Sums up a region after those inside it; says whether anything is new.
    fn update(&mut self, program: &Program, id: RegionId) -> bool {
        let Some(region) = program.regions.get(id.index()) else { return false };
        let mut changed = false;
        let mut sum = Summary::default();
        for node in &region.nodes {
            node.kind.for_each_region(|inner| changed |= self.update(program, inner));
            sum.add(&self.summary(program, node));
            if let NodeKind::Undo(undo) = &node.kind {
                // Whoever waits for the block as a whole waits for what is undone, too.
                self.region(undo.body, &mut sum);
            }
        }
        if let Some(known) = self.regions.get_mut(id.index()).filter(|known| **known != sum) {
            *known = sum;
            changed = true;
        }
        changed
    }

    fn region(&self, id: RegionId, into: &mut Summary) {
        if let Some(known) = self.regions.get(id.index()) {
            into.add(known);
        }
    }

    fn summary(&self, program: &Program, node: &Node) -> Summary {
        let mut sum = Summary::default();
        match &node.kind {
            NodeKind::Leaf(call) => {
                if let Some(leaf) = program.leaves.get(call.leaf.index()) {
                    sum.gated = leaf.class.gate() != Gate::Free;
                    sum.changes = leaf.class.is_write();
                    sum.writes.clone_from(&leaf.writes);
                }
            }
            NodeKind::Stubbed { .. } => {
                sum.gated = node.gate != Gate::Free;
                sum.changes = !node.writes.is_empty();
                sum.writes.clone_from(&node.writes);
            }
            NodeKind::Approve(_) | NodeKind::Ask(_) | NodeKind::Expect { .. } => sum.gated = true,
            NodeKind::Call(call) => {
                if let Some(graph) = program.graphs.get(call.graph.index()) {
                    self.region(graph.body, &mut sum);
                }
            }
            // It runs when the graph is over: what stands below it in the same block does not wait for its effects.
            NodeKind::Undo(_) => {}
            kind => kind.for_each_region(|inner| self.region(inner, &mut sum)),
        }
        sum
    }

    /// What a node should say about itself.
    pub(crate) fn node(&self, program: &Program, node: &Node) -> NodeFacts {
        let sum = self.summary(program, node);
        let (gate, reads) = match &node.kind {
            NodeKind::Leaf(call) => program
                .leaves
                .get(call.leaf.index())
                .map(|leaf| (leaf.class.gate(), leaf.reads.clone()))
                .unwrap_or_default(),
            // What stands in for a call in a test waits as the call would: only its maker knows.
            NodeKind::Stubbed { .. } => (node.gate, node.reads.clone()),
            NodeKind::Approve(_) | NodeKind::Expect { .. } => (Gate::All, Vec::new()),
            NodeKind::Ask(_) => (Gate::Ask, Vec::new()),
            _ => Default::default(),
        };
        let sequential =
            matches!(&node.kind, NodeKind::Map(map) if sum.gated && map.parallel.is_none());
        NodeFacts {
            gate,
            holds_gate: sum.gated,
            reads,
            writes: sum.writes,
            sequential,
            changes: sum.changes,
        }
    }
}

/// The graphs in an order in which, but for recursion, callees come before their callers.
pub(crate) fn callees_first(calls: &[Vec<usize>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(calls.len());
    let mut seen = vec![false; calls.len()];
    for start in 0..calls.len() {
        let mut stack = vec![(start, 0)];
        while let Some((at, next)) = stack.pop() {
            let Some(mark) = seen.get_mut(at) else { continue };
            if next == 0 {
                if *mark {
                    continue;
                }
                *mark = true;
            }
            match calls.get(at).and_then(|callees| callees.get(next)) {
                Some(callee) => stack.extend([(at, next + 1), (*callee, 0)]),
                None => order.push(at),
            }
        }
    }
    order
}

/// Fills in everything about nodes that follows from the program: `data`, `outer`, `gate`, `holds_gate`, `reads`,
/// `writes` and whether maps are sequential. Of stubbed calls, `gate`, `reads` and `writes` stay as they are. Regions
/// must form trees.
pub fn fill(program: &mut Program) {
    let facts = Facts::of(program, &calls(program));
    let mut regions = std::mem::take(&mut program.regions);
    for Region { params, nodes, .. } in &mut regions {
        for node in nodes {
            let slots = slots(program, &node.kind);
            let own = slots.iter().filter(|(up, _)| *up == 0);
            node.data = own.filter_map(|(_, slot)| slot.checked_sub(*params)).collect();
            node.outer = slots.into_iter().filter(|(up, _)| *up > 0).collect();
            let found = facts.node(program, node);
            node.gate = found.gate;
            node.holds_gate = found.holds_gate;
            node.reads = found.reads;
            node.writes = found.writes;
            if let NodeKind::Map(map) = &mut node.kind {
                map.sequential = found.sequential;
            }
        }
    }
    let stubs = slots_of_stubs(program, &regions);
    for (stub, data) in program.stubs.iter_mut().zip(stubs) {
        stub.data = data;
    }
    program.regions = regions;
}

/// As [`fill`], of a program of which nothing is known: if its regions do not form trees, nothing is filled in, and the
/// verifier says why.
pub(crate) fn fill_forest(program: &mut Program) {
    if crate::verify::is_forest(program) {
        fill(program);
    }
}

/// The slots that a node itself reads: sorted, each once.
fn slots(program: &Program, kind: &NodeKind) -> Vec<(u32, u32)> {
    let mut roots = Vec::new();
    kind.for_each_expr(|expr| roots.push(expr));
    slots_of(program, roots)
}

fn slots_of(program: &Program, mut stack: Vec<ExprId>) -> Vec<(u32, u32)> {
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    while let Some(id) = stack.pop() {
        match program.exprs.get(id.0 as usize) {
            Some(Expr::Slot { up, slot }) => found.push((*up, *slot)),
            Some(expr) if seen.insert(id) => expr.for_each_child(|child| stack.push(child)),
            _ => {}
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn slots_of_stubs(program: &Program, regions: &[Region]) -> Vec<Vec<u32>> {
    let test = program.graphs.iter().find(|graph| graph.kind == crate::program::GraphKind::Test);
    let params = test.and_then(|test| regions.get(test.body.index())).map_or(0, |r| r.params);
    let of = |stub: &crate::program::Stub| {
        let roots = stub.outcomes.iter().map(|outcome| outcome.value).collect();
        slots_of(program, roots).iter().filter_map(|(_, slot)| slot.checked_sub(params)).collect()
    };
    program.stubs.iter().map(of).collect()
}
