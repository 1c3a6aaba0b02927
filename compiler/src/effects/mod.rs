//! Effects: what each declaration and each expression may do to the world, and the rules about it.
//!
//! Only leaves declare effects; everything else is inferred here, over the calls, as the least fixpoint. The result is
//! plain data that later stages and tools ask; mistakes go to the sink. This stage never changes the HIR.

mod circles;
mod counts;
mod dead;
mod fewest;
mod infer;
mod people;
mod rules;
mod saves;
mod set;
#[cfg(test)]
mod tests;
mod unanswered;
mod unused;
pub(crate) mod walk;
mod webhooks;

use rustc_hash::FxHashSet;

use crate::check::Types;
use crate::diagnostics::{Diagnostics, Span};
use crate::hir::groups::Groups;
use crate::hir::{DefId, ExprId, Hir};

pub(crate) use dead::binders;
pub use set::{Effect, EffectSet, Resource, Resources, SetId, Sets};

/// What a declaration may do.
#[derive(Clone, Debug, Default)]
pub struct DefEffects {
    /// The effects of calling it: see [`Effects::of`].
    pub set: SetId,
    /// Whether calling it may end by a `fail` or `allow` of the program (not only by a failing leaf), or waits: a bare
    /// statement that calls it is a guard.
    pub guards: bool,
    /// Effects of its own, with the places that have them; for an extern, those that it declares.
    pub own: Vec<(Effect, Span)>,
    /// Whom it calls, and where; in textual order.
    pub calls: Vec<(DefId, Span)>,
}

/// What evaluating an expression may do.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExprEffects {
    /// Its effects: see [`Effects::of_expr`].
    pub set: SetId,
    /// Whether it may end by a `fail` or `allow` that is not under a `try`, or waits on the clock.
    pub guards: bool,
}

/// What the expressions of a body may do.
#[derive(Clone, Debug, Default)]
pub struct BodyEffects {
    /// Every expression, by [`ExprId`].
    pub exprs: Vec<ExprEffects>,
    /// Values of `let`s that nothing needs and nobody could tell from not running: they do not run.
    pub dead: FxHashSet<ExprId>,
}

/// What a compilation may do to the world.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    /// The resource paths.
    pub resources: Resources,
    /// The sets of effects.
    pub sets: Sets,
    /// By [`DefId`].
    pub defs: Vec<DefEffects>,
    /// By [`DefId`] of the owner.
    pub bodies: Vec<Option<BodyEffects>>,
    /// Declarations that call each other, callees before callers.
    pub(crate) groups: Groups,
}

/// One step of the way from a declaration to an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who calls, or has the effect.
    pub def: DefId,
    /// Where.
    pub span: Span,
}

impl Effects {
    /// What calling a declaration may do.
    #[must_use]
    pub fn of(&self, def: DefId) -> &EffectSet {
        self.sets.get(self.set_of(def))
    }

    fn set_of(&self, def: DefId) -> SetId {
        self.defs.get(def.index()).map_or_else(SetId::default, |effects| effects.set)
    }

    /// What evaluating an expression may do.
    #[must_use]
    pub fn of_expr(&self, owner: DefId, expr: ExprId) -> &EffectSet {
        let body = self.bodies.get(owner.index()).and_then(Option::as_ref);
        let found = body.and_then(|body| body.exprs.get(expr.index()));
        self.sets.get(found.map_or_else(SetId::default, |found| found.set))
    }

    /// The shortest way from a declaration to someone who has an effect of its own that `wanted` accepts: each step's
    /// place is where the next one is called, the last one's where the effect is.
    #[must_use]
    pub fn chain(&self, from: DefId, wanted: impl Fn(Effect) -> bool) -> Vec<Step> {
        let mut seen = FxHashSet::default();
        let mut queue = std::collections::VecDeque::from([(from, None::<usize>)]);
        // Visited declarations, each with the index of the one that led to it and the place of the call.
        let mut visited: Vec<(DefId, Option<usize>, Option<Span>)> = Vec::new();
        seen.insert(from);
        let mut spans = std::collections::VecDeque::from([None]);
        while let (Some((def, parent)), Some(span)) = (queue.pop_front(), spans.pop_front()) {
            let at = visited.len();
            visited.push((def, parent, span));
            let Some(effects) = self.defs.get(def.index()) else { continue };
            if let Some((_, place)) = effects.own.iter().find(|(effect, _)| wanted(*effect)) {
                return way(&visited, at, *place);
            }
            for (callee, place) in &effects.calls {
                if seen.insert(*callee) {
                    queue.push_back((*callee, Some(at)));
                    spans.push_back(Some(*place));
                }
            }
        }
        Vec::new()
    }
}

fn way(visited: &[(DefId, Option<usize>, Option<Span>)], last: usize, place: Span) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut span = place;
    let mut at = Some(last);
    while let Some((def, parent, called_at)) = at.and_then(|at| visited.get(at)) {
        steps.push(Step { def: *def, span });
        span = called_at.unwrap_or(span);
        at = *parent;
    }
    steps.reverse();
    steps
}

/// Infers the effects of everything. Broken parts have none.
#[must_use]
pub fn infer(hir: &Hir) -> Effects {
    infer::infer(hir)
}

/// Checks the rules about effects. Expects a program whose names and types were checked; broken parts break no rules.
pub fn check(hir: &Hir, types: &Types, effects: &Effects, diagnostics: &mut Diagnostics) {
    rules::check(hir, types, effects, diagnostics);
    circles::check(hir, types, diagnostics);
}
