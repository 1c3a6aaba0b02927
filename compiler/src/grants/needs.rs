//! What graphs need, each with the shortest way to whoever needs it.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::uses::{Uses, uses};
use super::{Need, What};
use crate::Compilation;
use crate::effects::Step;
use crate::hir::{CallableKind, DefId, DefKind};

/// Something that a graph needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// What.
    pub what: What,
    /// The way to it: each step's place is where the next one is called, the last one's where the effect is.
    pub way: Vec<Step>,
}

/// What the graphs of a compilation need.
pub struct Needs<'a> {
    compiled: &'a Compilation,
    uses: FxHashMap<Node, Uses>,
}

/// A declaration, and the role that its caller names for its model.
type Node = (DefId, Option<DefId>);

/// The needs of a compilation: computed for what is asked.
#[must_use]
pub fn needs(compiled: &Compilation) -> Needs<'_> {
    Needs { compiled, uses: FxHashMap::default() }
}

/// What of the file itself is begun from outside: public graphs, prompts and agents, and triggers; without any of these,
/// all graphs.
#[must_use]
pub fn roots(compiled: &Compilation) -> Vec<DefId> {
    let hir = &compiled.hir;
    let defs = hir.modules.first().map_or(&[][..], |module| &module.defs);
    let mut open = Vec::new();
    let mut all = Vec::new();
    for id in defs {
        let Some(def) = hir.defs.get(id.index()) else { continue };
        let DefKind::Callable(callable) = &def.kind else { continue };
        match callable.kind {
            CallableKind::Trigger => open.push(*id),
            CallableKind::Graph | CallableKind::Prompt | CallableKind::Agent => {
                all.push(*id);
                if def.is_pub {
                    open.push(*id);
                }
            }
            CallableKind::Fn | CallableKind::Extern { .. } => {}
        }
    }
    if open.is_empty() { all } else { open }
}

impl Needs<'_> {
    /// What calling a declaration needs: each thing once, in the order of its distance.
    pub fn of(&mut self, root: DefId) -> Vec<Needed> {
        let mut found = Vec::new();
        let mut known: FxHashSet<What> = FxHashSet::default();
        let mut seen: FxHashSet<Node> = FxHashSet::from_iter([(root, None)]);
        // Each with the one that led to it, and where.
        let mut visited: Vec<(DefId, Option<(usize, crate::diagnostics::Span)>)> = Vec::new();
        let mut queue: VecDeque<(Node, Option<(usize, crate::diagnostics::Span)>)> =
            VecDeque::from([((root, None), None)]);
        let way =
            |visited: &[(DefId, Option<(usize, crate::diagnostics::Span)>)], last: usize, span| {
                let mut steps = Vec::new();
                let (mut at, mut span) = (Some(last), span);
                while let Some((def, from)) = at.and_then(|at| visited.get(at)) {
                    steps.push(Step { def: *def, span });
                    at = from.map(|(at, place)| {
                        span = place;
                        at
                    });
                }
                steps.reverse();
                steps
            };
        while let Some((node, from)) = queue.pop_front() {
            let at = visited.len();
            visited.push((node.0, from));
            let compiled = self.compiled;
            let uses = self.uses.entry(node).or_insert_with(|| uses(compiled, node.0, node.1));
            for (what, span) in &uses.own {
                if known.insert(what.clone()) {
                    found.push(Needed { what: what.clone(), way: way(&visited, at, *span) });
                }
            }
            for leaf in &uses.leaves {
                if known.insert(leaf.what.clone()) {
                    let mut steps = way(&visited, at, leaf.span);
                    steps.push(Step { def: leaf.def, span: leaf.declared });
                    found.push(Needed { what: leaf.what.clone(), way: steps });
                }
            }
            for (callee, role, span) in &uses.calls {
                if seen.insert((*callee, *role)) {
                    queue.push_back(((*callee, *role), Some((at, *span))));
                }
            }
        }
        found
    }

    /// Calls `f` with a need in words.
    pub fn say<T>(&self, what: &What, f: impl FnOnce(Need<'_>) -> T) -> T {
        match what {
            What::Read(resource, part) => f(Need::Resource { write: false, resource, part }),
            What::Write(resource, part) => f(Need::Resource { write: true, resource, part }),
            What::Model(role) => {
                let name = role.map(|role| self.role_name(role));
                f(Need::Model(name.as_deref()))
            }
            What::Human(who) => f(Need::Human(who.as_deref())),
            What::Clock => f(Need::Clock),
            What::Random => f(Need::Random),
            What::Emit => f(Need::Emit),
        }
    }

    /// A role as a profile binds it: with its module in front, if it is not of this file.
    fn role_name(&self, role: DefId) -> SmolStr {
        let hir = &self.compiled.hir;
        let Some(def) = hir.defs.get(role.index()) else { return SmolStr::default() };
        match hir.modules.get(def.module.index()).map(|module| module.name.as_str()) {
            Some(module) if !module.is_empty() => format!("{module}.{}", def.name).into(),
            _ => def.name.clone(),
        }
    }
}
