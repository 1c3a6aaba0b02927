//! Errors of the verifier in words that name what they are about, for people who have no use for numbers.

use std::fmt::Write as _;

use super::{Place, VerifyError};
use crate::program::{Program, RegionId};

impl VerifyError {
    /// The error with the names of what it is about: `graph issue, node receipt: it calls …`. Takes time linear in the
    /// size of the program.
    pub fn in_words(&self, program: &Program) -> String {
        let place = match self.place {
            Place::Graph(id) => {
                program.graphs.get(id.index()).map(|g| format!("graph `{}`", g.name))
            }
            Place::Leaf(id) => program.leaves.get(id.index()).map(|l| format!("leaf `{}`", l.name)),
            Place::Function(id) => {
                program.functions.get(id.index()).map(|f| format!("fn `{}`", f.name))
            }
            Place::Region(id) => path(program, id, None),
            Place::Node(id, node) => path(program, id, Some(node)),
            _ => None,
        };
        match place {
            Some(place) => format!("{place}: {}", self.problem),
            None => self.to_string(),
        }
    }
}

/// Where a region or one of its nodes stands, from its graph inwards. Only of regions that form trees.
fn path(program: &Program, id: RegionId, node: Option<u32>) -> Option<String> {
    // What holds each region: the region and node around it.
    let mut holders: Vec<Option<(RegionId, u32)>> = vec![None; program.regions.len()];
    for (outer, region) in (0..).map(RegionId).zip(&program.regions) {
        for (index, node) in (0..).zip(&region.nodes) {
            node.kind.for_each_region(|inner| {
                if let Some(holder) = holders.get_mut(inner.index()) {
                    *holder = Some((outer, index));
                }
            });
        }
    }
    let name = |region: RegionId, node: u32| {
        let region = program.regions.get(region.index())?;
        Some(region.nodes.get(node as usize)?.path.as_str())
    };
    let mut parts: Vec<&str> = node.and_then(|node| name(id, node)).into_iter().collect();
    let mut at = id;
    // A damaged program may hold regions in circles.
    for _ in 0..=super::MAX_NESTING {
        let Some((outer, node)) = holders.get(at.index()).copied().flatten() else { break };
        parts.push(name(outer, node)?);
        at = outer;
    }
    let graph = program.graphs.iter().find(|graph| graph.body == at)?;
    let mut text = format!("graph `{}`", graph.name);
    if !parts.is_empty() {
        parts.reverse();
        let _ = write!(text, ", node `{}`", parts.join("/"));
    }
    Some(text)
}
