//! What must become nodes: whatever calls the world or another graph, at any depth; and pure choices and maps whose
//! value somebody may watch growing, so that what grows can be passed through them.

use rustc_hash::FxHashMap;

use super::growth::Growths;
use super::{Input, Target};
use crate::effects::walk;
use crate::hir::{Body, Builtin, CallableKind, Callee, DefId, DefKind, Expr, ExprId, Stmt};

/// What lowering needs to know about the expressions of a body.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Which expressions need nodes, by [`ExprId`].
    pub(super) nodes: Vec<bool>,
}

impl Shape {
    pub(super) fn needs(&self, id: ExprId) -> bool {
        self.nodes.get(id.index()).copied().unwrap_or(false)
    }
}

/// Which declarations cannot be evaluated as an expression, by [`DefId`]: graphs, prompts, leaves that are recorded,
/// what a test stubs or counts, and `fn`s that call one of these.
pub(super) fn nodes(input: Input<'_>, targets: &FxHashMap<DefId, Target>) -> Vec<bool> {
    let mut nodes = vec![false; input.hir.defs.len()];
    for group in input.effects.groups.iter() {
        // A `fn` never calls itself, so callees are known; graphs are nodes whatever they call.
        for def in group {
            let Some(declared) = input.hir.defs.get(def.index()) else { continue };
            let own = match &declared.kind {
                DefKind::Callable(callable) => match &callable.kind {
                    CallableKind::Graph
                    | CallableKind::Prompt
                    | CallableKind::Agent
                    | CallableKind::Trigger => true,
                    CallableKind::Extern { kind, .. } => kind != "stable",
                    CallableKind::Fn => false,
                },
                _ => false,
            };
            let body = input.hir.body(*def);
            let inside =
                || body.is_some_and(|body| body.exprs.iter().any(|expr| is_node(expr, &nodes)));
            let callable = matches!(declared.kind, DefKind::Callable(_) | DefKind::Const { .. });
            let needs = own || targets.contains_key(def) || (callable && inside());
            if let Some(slot) = nodes.get_mut(def.index()) {
                *slot = needs;
            }
        }
    }
    nodes
}

/// Whether an expression is a node by itself, whatever its parts are.
fn is_node(expr: &Expr, nodes: &[bool]) -> bool {
    let of = |def: &DefId| nodes.get(def.index()).copied().unwrap_or(false);
    match expr {
        Expr::Call { callee: Callee::Def(def), .. } | Expr::Def(def) => of(def),
        Expr::Call { callee: Callee::Builtin(builtin), .. } => {
            matches!(builtin, Builtin::Ask | Builtin::Choose | Builtin::SessionSave)
        }
        Expr::With { policies, .. } => !policies.is_empty(),
        Expr::Session { name, .. } => name != crate::check::SESSION_ID,
        Expr::Race { .. } | Expr::Undo { .. } => true,
        _ => false,
    }
}

/// The shape of a body.
pub(super) fn shape(
    input: Input<'_>,
    owner: DefId,
    body: &Body,
    nodes: &[bool],
    growths: &Growths,
) -> Shape {
    let effects = input.effects.bodies.get(owner.index()).and_then(Option::as_ref);
    let mut found = Shape { nodes: vec![false; body.exprs.len()] };
    let forced = growths.forced(owner);
    for id in walk::parts_first(body) {
        let expr = walk::expr(body, id);
        let mut needs = is_node(expr, nodes) || forced.is_some_and(|forced| forced.contains(&id));
        if let Expr::Block(stmts) = expr {
            for stmt in stmts {
                let value = match stmt {
                    Stmt::Expr(value) => *value,
                    Stmt::Let { value, .. } => *value,
                };
                let dead = effects.is_some_and(|effects| effects.dead.contains(&value));
                needs |= !dead && found.needs(value);
            }
        } else {
            walk::parts(expr, |part| needs |= found.needs(part));
        }
        if let Some(slot) = found.nodes.get_mut(id.index()) {
            *slot = needs;
        }
    }
    found
}
