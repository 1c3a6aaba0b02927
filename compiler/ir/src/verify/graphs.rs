//! Last step of the verifier: gates, writes and reads follow from the leaves, through regions and calls; races do not
//! write; recursion is bounded.

use super::exprs::first_cycle;
use super::{Errors, Place, Problem};
use crate::program::{EffectClass, Gate, GraphId, Node, NodeKind, Program, RegionId, ResourceId};

/// What a node or graph does, at any depth and through calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Facts {
    gated: bool,
    /// Whether anything writes, named resource or not.
    write: bool,
    /// Sorted, each once.
    writes: Vec<ResourceId>,
}

impl Facts {
    fn add(&mut self, other: &Facts) {
        self.gated |= other.gated;
        self.write |= other.write;
        for resource in &other.writes {
            if let Err(at) = self.writes.binary_search(resource) {
                self.writes.insert(at, *resource);
            }
        }
    }
}

pub(super) fn check(program: &Program, errors: &mut Errors) {
    let calls: Vec<Vec<usize>> = program.graphs.iter().map(|g| callees(program, g.body)).collect();
    let bounded = |graph: usize| program.graphs.get(graph).is_some_and(|g| g.depth.is_some());
    if let Some(graph) = first_cycle(&calls, bounded) {
        errors.add(Place::Graph(GraphId(graph as u32)), Problem::Recursion);
    }
    let facts = summaries(program, &calls);
    let mut checker = Checker { program, graphs: &facts };
    for graph in &program.graphs {
        checker.region(graph.body, Some(&mut *errors));
    }
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

/// What each graph does, as the least fixpoint over the calls. Callees come first, so programs without recursion
/// need one pass, and one more to see that nothing changes.
fn summaries(program: &Program, calls: &[Vec<usize>]) -> Vec<Facts> {
    let order = callees_first(calls);
    let mut facts = vec![Facts::default(); program.graphs.len()];
    loop {
        let mut changed = false;
        for graph in &order {
            let Some(body) = program.graphs.get(*graph).map(|g| g.body) else { continue };
            let found = Checker { program, graphs: &facts }.region(body, None);
            if let Some(known) = facts.get_mut(*graph).filter(|known| **known != found) {
                *known = found;
                changed = true;
            }
        }
        if !changed {
            return facts;
        }
    }
}

fn callees_first(calls: &[Vec<usize>]) -> Vec<usize> {
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

struct Checker<'p> {
    program: &'p Program,
    graphs: &'p [Facts],
}

impl Checker<'_> {
    /// What a region does; with `errors`, differences from what its nodes say are reported.
    fn region(&mut self, id: RegionId, mut errors: Option<&mut Errors>) -> Facts {
        let mut all = Facts::default();
        let nodes = self.program.regions.get(id.index()).into_iter().flat_map(|r| &r.nodes);
        for (index, node) in (0..).zip(nodes) {
            let facts = self.node(node, Place::Node(id, index), errors.as_deref_mut());
            all.add(&facts);
        }
        all
    }

    fn node(&mut self, node: &Node, place: Place, mut errors: Option<&mut Errors>) -> Facts {
        let mut facts = Facts::default();
        let mut gate = Gate::Free;
        let mut reads: &[ResourceId] = &[];
        match &node.kind {
            NodeKind::Leaf(call) => {
                if let Some(leaf) = self.program.leaves.get(call.leaf.index()) {
                    gate = leaf.class.gate();
                    reads = &leaf.reads;
                    facts.write = leaf.class.is_write();
                    facts.writes.clone_from(&leaf.writes);
                    if call.key.is_some()
                        && leaf.class != (EffectClass::Write { keyed: true })
                        && let Some(errors) = errors.as_deref_mut()
                    {
                        errors.add(place, Problem::Rule("the leaf cannot send a key"));
                    }
                }
            }
            // What stands in for a call in a test waits as the call would.
            NodeKind::Stubbed { .. } => {
                gate = node.gate;
                reads = &node.reads;
                facts.writes.clone_from(&node.writes);
                facts.write = !node.writes.is_empty();
            }
            NodeKind::Expect { .. } => gate = Gate::All,
            NodeKind::Call(call) => {
                if let Some(callee) = self.graphs.get(call.graph.index()) {
                    facts.add(callee);
                }
            }
            NodeKind::Race { arms, .. } => {
                for arm in arms {
                    facts.add(&self.region(*arm, errors.as_deref_mut()));
                }
                if let Some(errors) = errors.as_deref_mut().filter(|_| facts.write) {
                    errors.add(place, Problem::Rule("an arm of a race writes"));
                }
            }
            kind => {
                let mut inner = Vec::new();
                kind.for_each_region(|region| inner.push(region));
                for region in inner {
                    facts.add(&self.region(region, errors.as_deref_mut()));
                }
            }
        }
        facts.gated |= gate != Gate::Free;
        if let Some(errors) = errors {
            let sequential = match &node.kind {
                NodeKind::Map(map) => map.sequential == (facts.gated && map.parallel.is_none()),
                _ => true,
            };
            let checks = [
                (node.gate == gate, "gate"),
                (node.holds_gate == facts.gated, "holds_gate"),
                (node.writes == facts.writes, "writes"),
                (node.reads == reads, "reads"),
                (sequential, "sequential"),
            ];
            for (_, name) in checks.iter().filter(|(holds, _)| !holds) {
                errors.add(place, Problem::Fact(name));
            }
        }
        facts
    }
}
