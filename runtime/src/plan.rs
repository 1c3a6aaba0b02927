//! Plans: a program that was loaded and verified, linked with what a profile binds.

use std::sync::Arc;

use indexmap::IndexMap;
use kait_connect::{ModelBinding, Prices};
use kait_engine::Loaded;
use kait_engine::event::ModelTerms;
use kait_ir::{GraphId, NodeKind, Program, RegionId};
use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use crate::profile::Profile;

/// A program that can run.
#[derive(Clone)]
pub struct Plan {
    /// The program with the engine's tables.
    pub loaded: Arc<Loaded>,
    /// Which model answers for each role that the program uses.
    pub roles: IndexMap<SmolStr, ModelBinding>,
    /// What these models take and cost.
    pub terms: Arc<[(SmolStr, ModelTerms)]>,
}

impl Plan {
    /// Links a program with a profile. Roles that the profile does not bind are bound to `otherwise`.
    pub fn link(loaded: Arc<Loaded>, profile: &Profile, otherwise: &ModelBinding) -> Self {
        let mut roles = IndexMap::new();
        for role in used_roles(loaded.program(), None) {
            let binding = profile.binding(&role).unwrap_or(otherwise).clone();
            roles.insert(role, binding);
        }
        let terms = roles.iter().map(|(role, binding)| (role.clone(), terms(binding))).collect();
        Self { loaded, roles, terms }
    }

    /// The roles that a run of the graph may ask and that the profile leaves open: only if there are any, somebody
    /// needs to look for a local model.
    pub fn open_roles(program: &Program, graph: GraphId, profile: &Profile) -> Vec<SmolStr> {
        let mut roles = used_roles(program, Some(graph));
        roles.retain(|role| profile.binding(role).is_none());
        roles
    }

    /// The program.
    pub fn program(&self) -> &Program {
        self.loaded.program()
    }

    /// The graph that runs if no name is given: the only public one, or the one named `main`; else the names to
    /// choose from.
    ///
    /// # Errors
    /// The public graphs, if there is not exactly one to take.
    pub fn entry(program: &Program, name: Option<&str>) -> Result<GraphId, Vec<SmolStr>> {
        let public = || (0..).map(GraphId).zip(&program.graphs).filter(|(_, graph)| graph.public);
        let wanted: Vec<_> = match name {
            Some(name) => public().filter(|(_, graph)| graph.name == name).collect(),
            None => {
                let main: Vec<_> = public().filter(|(_, graph)| graph.name == "main").collect();
                if main.is_empty() { public().collect() } else { main }
            }
        };
        match wanted.as_slice() {
            [(id, _)] => Ok(*id),
            _ => Err(public().map(|(_, graph)| graph.name.clone()).collect()),
        }
    }
}

/// What a profile says that a model takes and costs.
fn terms(binding: &ModelBinding) -> ModelTerms {
    ModelTerms {
        context: binding.context,
        max_output: binding.max_output,
        price: Prices::of(binding).per_token(),
    }
}

/// The roles that prompts of the program, or of what a run of one graph may reach, ask: in the order of first use.
fn used_roles(program: &Program, from: Option<GraphId>) -> Vec<SmolStr> {
    let mut roles = Vec::new();
    let reached = from.map(|graph| reachable(program, graph));
    for (id, region) in (0..).map(RegionId).zip(&program.regions) {
        if reached.as_ref().is_some_and(|reached| !reached.contains(&id)) {
            continue;
        }
        for node in &region.nodes {
            let role = match &node.kind {
                NodeKind::Model(call) => Some(&call.role),
                NodeKind::Call(call) => call.model.as_ref(),
                _ => None,
            };
            if let Some(role) = role
                && !roles.contains(role)
            {
                roles.push(role.clone());
            }
        }
    }
    roles
}

/// The regions that a run of the graph may enter.
fn reachable(program: &Program, graph: GraphId) -> FxHashSet<RegionId> {
    let mut reached = FxHashSet::default();
    let mut open: Vec<_> = program.graphs.get(graph.index()).map(|g| g.body).into_iter().collect();
    while let Some(id) = open.pop() {
        let Some(region) = program.regions.get(id.index()) else { continue };
        if !reached.insert(id) {
            continue;
        }
        for node in &region.nodes {
            node.kind.for_each_region(|inside| open.push(inside));
            if let NodeKind::Call(call) = &node.kind {
                open.extend(program.graphs.get(call.graph.index()).map(|g| g.body));
            }
        }
    }
    reached
}
