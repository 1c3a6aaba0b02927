//! Plans: a program that was loaded and verified, linked with what a profile binds.

use std::sync::Arc;

use indexmap::IndexMap;
use kait_connect::ModelBinding;
use kait_engine::Loaded;
use kait_ir::{GraphId, NodeKind, Program};
use smol_str::SmolStr;

use crate::profile::Profile;

/// A program that can run.
#[derive(Clone)]
pub struct Plan {
    /// The program with the engine's tables.
    pub loaded: Arc<Loaded>,
    /// Which model answers for each role that the program uses.
    pub roles: IndexMap<SmolStr, ModelBinding>,
    /// Roles that the profile does not bind, and that the built-in model answers for.
    pub unbound: Vec<SmolStr>,
}

impl Plan {
    /// Links a program with a profile. Roles that the profile does not bind are bound to `otherwise`.
    pub fn link(loaded: Arc<Loaded>, profile: &Profile, otherwise: &ModelBinding) -> Self {
        let mut roles = IndexMap::new();
        let mut unbound = Vec::new();
        for role in used_roles(loaded.program()) {
            let binding = profile.binding(&role).cloned().unwrap_or_else(|| {
                unbound.push(role.clone());
                otherwise.clone()
            });
            roles.insert(role, binding);
        }
        Self { loaded, roles, unbound }
    }

    /// Whether any role that the profile leaves open is used: only then somebody needs to look for a local model.
    pub fn needs_default(program: &Program, profile: &Profile) -> bool {
        used_roles(program).iter().any(|role| profile.binding(role).is_none())
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
    pub fn entry(&self, name: Option<&str>) -> Result<GraphId, Vec<SmolStr>> {
        let program = self.program();
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

/// The roles that prompts of the program ask, in the order of first use.
fn used_roles(program: &Program) -> Vec<SmolStr> {
    let mut roles = Vec::new();
    for node in program.regions.iter().flat_map(|region| &region.nodes) {
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
    roles
}
