//! The fewest model calls that a declaration makes when it succeeds, and the least time that it sleeps, whatever its
//! inputs: a budget below is an error.
//!
//! Every choice counts with its cheapest way, and nothing is counted that may be cut short: what fails inside a `catch`,
//! what a cache answers. So a result above zero is certain, zero says nothing.

use rustc_hash::FxHashMap;

use super::{Effects, walk};
use crate::hir::{
    Arg, ArgValue, BinaryOp, Body, Callable, CallableKind, Callee, DefId, DefKind, Expr, ExprId,
    Hir, Stmt,
};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// Calls of models.
    Calls,
    /// Nanoseconds in `clock.sleep`: everything below one waits for it, so they add up.
    Sleep,
}

/// The least by declaration; what is missing takes none for certain.
pub(super) fn least(hir: &Hir, effects: &Effects, measure: Measure) -> FxHashMap<DefId, u64> {
    let mut found = FxHashMap::default();
    // Callees stand before their callers; in a circle the call that comes too early counts nothing.
    for def in effects.groups.iter().flatten() {
        let Some(DefKind::Callable(callable)) = hir.defs.get(def.index()).map(|def| &def.kind)
        else {
            continue;
        };
        let own = match measure {
            Measure::Calls => {
                u64::from(matches!(callable.kind, CallableKind::Prompt | CallableKind::Agent))
            }
            Measure::Sleep => 0,
        };
        let known = Known { hir, measure, defs: &found };
        let inner = match hir.body(*def) {
            Some(body) if body.root.is_some() => of_body(body, effects, *def, callable, known),
            _ => 0,
        };
        if own + inner > 0 {
            found.insert(*def, own + inner);
        }
    }
    found
}

/// What is known of callees.
#[derive(Clone, Copy)]
struct Known<'a> {
    hir: &'a Hir,
    measure: Measure,
    defs: &'a FxHashMap<DefId, u64>,
}

impl Known<'_> {
    fn of(self, body: &Body, def: DefId, args: &[Arg]) -> u64 {
        if let Some(known) = self.defs.get(&def) {
            return *known;
        }
        let Some(DefKind::Callable(callable)) = self.hir.defs.get(def.index()).map(|d| &d.kind)
        else {
            return 0;
        };
        match (&callable.kind, args) {
            (CallableKind::Extern { locator, .. }, [Arg { value: ArgValue::Expr(time), .. }])
                if self.measure == Measure::Sleep && locator == "clock.sleep" =>
            {
                let nanos = walk::nanos(self.hir, body, *time).unwrap_or(0);
                u64::try_from(nanos).unwrap_or(0)
            }
            _ => 0,
        }
    }
}

fn of_body(
    body: &Body,
    effects: &Effects,
    owner: DefId,
    callable: &Callable,
    known: Known<'_>,
) -> u64 {
    if callable.kind == CallableKind::Fn {
        return 0;
    }
    let dead = effects.bodies.get(owner.index()).and_then(Option::as_ref).map(|body| &body.dead);
    let runs = |value: &ExprId| dead.is_none_or(|dead| !dead.contains(value));
    let mut all: Vec<u64> = Vec::with_capacity(body.exprs.len());
    for expr in &body.exprs {
        let of = |id: ExprId| all.get(id.index()).copied().unwrap_or_default();
        let mut sum = 0u64;
        walk::parts(expr, |part| sum = sum.saturating_add(of(part)));
        let cheapest = |ways: &mut dyn Iterator<Item = ExprId>| ways.map(of).min().unwrap_or(0);
        let calls = match expr {
            Expr::Call { callee: Callee::Def(def), args, .. } => {
                sum.saturating_add(known.of(body, *def, args))
            }
            Expr::With { policies, .. } if is_cut_short(policies) => 0,
            // A failure inside passes over the rest of it.
            Expr::Catch { .. } | Expr::Try(_) => 0,
            Expr::Undo { body, .. } => of(*body),
            Expr::Binary(BinaryOp::And | BinaryOp::Or, left, _) | Expr::Coalesce(left, _) => {
                of(*left)
            }
            Expr::If { condition, then, otherwise } => {
                let otherwise = otherwise.map_or(0, of);
                of(*condition).saturating_add(of(*then).min(otherwise))
            }
            Expr::Match { scrutinee, arms } => {
                of(*scrutinee).saturating_add(cheapest(&mut arms.iter().map(|arm| arm.body)))
            }
            Expr::For { source, .. } => of(*source),
            Expr::Loop { vars, body, .. } => {
                let first = vars.iter().map(|(_, _, value)| of(*value));
                first.fold(of(*body), u64::saturating_add)
            }
            Expr::Race { arms, .. } => cheapest(&mut arms.iter().copied()),
            Expr::Block(stmts) => {
                let mut sum = 0u64;
                for stmt in stmts {
                    let (Stmt::Let { value, .. } | Stmt::Expr(value)) = stmt;
                    if matches!(stmt, Stmt::Expr(_)) || runs(value) {
                        sum = sum.saturating_add(of(*value));
                    }
                }
                sum
            }
            _ => sum,
        };
        all.push(calls);
    }
    body.root.and_then(|root| all.get(root.index())).copied().unwrap_or(0)
}

/// Whether a call with these policies may give a value without all that it does.
fn is_cut_short(policies: &[Arg]) -> bool {
    policies.iter().any(|policy| {
        policy.name.as_ref().is_some_and(|(name, _)| {
            matches!(name.as_str(), "cache" | "fallback" | "once" | "detach")
        })
    })
}
