//! Last step of the verifier: gates, writes and reads follow from the leaves, through regions and calls; races do not
//! write; recursion is bounded.

use super::exprs::first_cycle;
use super::{Errors, Place, Problem};
use crate::facts::Facts;
use crate::program::{EffectClass, GraphId, Node, NodeKind, Program, RegionId};

pub(super) fn check(program: &Program, errors: &mut Errors) {
    let calls = crate::facts::calls(program);
    let bounded = |graph: usize| program.graphs.get(graph).is_some_and(|g| g.depth.is_some());
    if let Some(graph) = first_cycle(&calls, bounded) {
        errors.add(Place::Graph(GraphId(graph as u32)), Problem::Recursion);
    }
    let facts = Facts::of(program, &calls);
    for (id, region) in (0..).map(RegionId).zip(&program.regions) {
        for (index, node) in (0..).zip(&region.nodes) {
            self::node(program, &facts, node, Place::Node(id, index), errors);
        }
    }
}

fn node(program: &Program, facts: &Facts, node: &Node, place: Place, errors: &mut Errors) {
    let found = facts.node(program, node);
    let sequential = match &node.kind {
        NodeKind::Map(map) => map.sequential == found.sequential,
        _ => true,
    };
    let checks = [
        (node.gate == found.gate, "gate"),
        (node.holds_gate == found.holds_gate, "holds_gate"),
        (node.writes == found.writes, "writes"),
        (node.reads == found.reads, "reads"),
        (sequential, "sequential"),
    ];
    for (_, name) in checks.iter().filter(|(holds, _)| !holds) {
        errors.add(place, Problem::Fact(name));
    }
    if matches!(node.kind, NodeKind::Race { .. }) && found.changes {
        errors.add(place, Problem::Rule("an arm of a race writes"));
    }
    if let NodeKind::Leaf(call) = &node.kind {
        let keyed = program
            .leaves
            .get(call.leaf.index())
            .is_some_and(|leaf| leaf.class == (EffectClass::Write { keyed: true }));
        if call.key.is_some() && !keyed {
            errors.add(place, Problem::Rule("the leaf cannot send a key"));
        }
    }
}
