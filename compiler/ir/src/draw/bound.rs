//! How often a run asks models at most, as far as the program's own numbers say it.

use rustc_hash::FxHashMap;

use super::labels;
use crate::expr::{Expr, ExprId};
use crate::program::{Arm, GraphId, NodeKind, Program, RegionId};
use crate::types::{Bound as TypeBound, Type, TypeId};
use crate::value::Value;

/// Model calls and repairs in the worst case; `None` where nothing in the program bounds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// Calls.
    pub calls: Option<u64>,
    /// Further calls when answers do not fit.
    pub repairs: Option<u64>,
}

impl Bound {
    const NONE: Self = Self { calls: Some(0), repairs: Some(0) };

    fn both(self, other: Self, by: impl Fn(u64, u64) -> u64) -> Self {
        let join = |a: Option<u64>, b: Option<u64>| Some(by(a?, b?));
        Self { calls: join(self.calls, other.calls), repairs: join(self.repairs, other.repairs) }
    }

    fn and(self, other: Self) -> Self {
        self.both(other, u64::saturating_add)
    }

    fn or(self, other: Self) -> Self {
        self.both(other, u64::max)
    }

    /// As often as `times` says; nothing stays nothing, however often.
    fn times(self, times: Option<u64>) -> Self {
        let each = |one: Option<u64>| match (one, times) {
            (Some(0), _) => Some(0),
            (Some(one), Some(times)) => Some(one.saturating_mul(times)),
            _ => None,
        };
        Self { calls: each(self.calls), repairs: each(self.repairs) }
    }
}

/// The bound of a graph of a verified program.
pub fn bound(program: &Program, id: GraphId) -> Bound {
    Counter { program, known: FxHashMap::default(), scopes: Vec::new() }.graph(id)
}

struct Counter<'p> {
    program: &'p Program,
    /// `None` while a graph is being counted: whoever meets it again recurses, and recursion is not summed up.
    known: FxHashMap<GraphId, Option<Bound>>,
    scopes: Vec<(RegionId, Vec<Option<TypeId>>)>,
}

impl Counter<'_> {
    fn graph(&mut self, id: GraphId) -> Bound {
        match self.known.get(&id) {
            Some(Some(known)) => return *known,
            Some(None) => return Bound::default(),
            None => {}
        }
        self.known.insert(id, None);
        let Some(graph) = self.program.graphs.get(id.index()) else { return Bound::NONE };
        let params = graph.params.iter().map(|param| Some(param.ty)).collect();
        let outer = std::mem::take(&mut self.scopes);
        let found = self.region(graph.body, params);
        self.scopes = outer;
        self.known.insert(id, Some(found));
        found
    }

    fn region(&mut self, id: RegionId, params: Vec<Option<TypeId>>) -> Bound {
        self.scopes.push((id, params));
        let nodes = self.program.regions.get(id.index()).map_or(&[][..], |region| &region.nodes);
        let sum = nodes.iter().fold(Bound::NONE, |sum, node| sum.and(self.node(&node.kind)));
        self.scopes.pop();
        sum
    }

    fn plain(&mut self, id: RegionId) -> Bound {
        let params = self.program.regions.get(id.index()).map_or(0, |region| region.params);
        self.region(id, vec![None; params as usize])
    }

    fn arms(&mut self, arms: &[Arm]) -> Bound {
        arms.iter().fold(Bound::NONE, |most, arm| most.or(self.plain(arm.body)))
    }

    fn node(&mut self, kind: &NodeKind) -> Bound {
        match kind {
            NodeKind::Model(call) => {
                Bound { calls: Some(1), repairs: Some(u64::from(call.repair)) }
            }
            NodeKind::Call(call) => {
                let callee = self.graph(call.graph);
                match call.repair {
                    // It is meant for the prompts of this call.
                    Some(repair) => {
                        let repairs = callee.calls.map(|n| n.saturating_mul(u64::from(repair)));
                        Bound { repairs, ..callee }
                    }
                    None => callee,
                }
            }
            NodeKind::Switch { arms, .. } => self.arms(arms),
            NodeKind::Map(map) => {
                let items =
                    map.max.and_then(|max| self.count(max)).or_else(|| self.items(map.source));
                self.plain(map.body).times(items)
            }
            NodeKind::Loop(repeat) => {
                let rounds = self.count(repeat.max);
                self.plain(repeat.body).times(rounds).and(self.plain(repeat.otherwise))
            }
            NodeKind::Race { arms, .. } => {
                arms.iter().fold(Bound::NONE, |sum, arm| sum.and(self.plain(*arm)))
            }
            NodeKind::Catch { body, arms } => self.plain(*body).and(self.arms(arms)),
            NodeKind::Try(body) => self.plain(*body),
            NodeKind::Policy(policy) => {
                let attempts = match policy.retry {
                    Some(retry) => self.count(retry).map(|n| n.saturating_add(1)),
                    None => Some(1),
                };
                let call = self.plain(policy.body).times(attempts);
                policy.fallback.map_or(call, |fallback| call.and(self.plain(fallback)))
            }
            NodeKind::Pure(_)
            | NodeKind::Leaf(_)
            | NodeKind::Approve(_)
            | NodeKind::Ask(_)
            | NodeKind::Stubbed { .. }
            | NodeKind::Expect { .. } => Bound::NONE,
        }
    }

    fn count(&self, id: ExprId) -> Option<u64> {
        match self.program.exprs.get(id.0 as usize)? {
            Expr::Const(Value::Int(n)) => u64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// How many items a list has at most, by its form or type.
    fn items(&self, id: ExprId) -> Option<u64> {
        match self.program.exprs.get(id.0 as usize)? {
            Expr::Const(Value::List(items)) => return u64::try_from(items.len()).ok(),
            Expr::List(items) if items.iter().all(|(_, spread)| !spread) => {
                return u64::try_from(items.len()).ok();
            }
            _ => {}
        }
        let mut ty = labels::type_of(self.program, id, &|up, slot| {
            let (region, params) = self.scopes.iter().rev().nth(up)?;
            labels::slot_type(self.program, *region, params, slot)
        })?;
        // The verifier bounds chains of refinements by their number.
        for _ in 0..self.program.types.len() {
            let Type::Refined { base, bounds, .. } = self.program.types.get(ty) else { break };
            let max = bounds.iter().find_map(|bound| match bound {
                TypeBound::Max(Value::Int(n)) => u64::try_from(*n).ok(),
                _ => None,
            });
            if max.is_some() {
                return max;
            }
            ty = *base;
        }
        None
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.calls, self.repairs) {
            (Some(0), _) => f.write_str("none"),
            (Some(calls), Some(0)) => write!(f, "at most {calls}"),
            (Some(calls), Some(1)) => write!(f, "at most {calls}, and 1 repair"),
            (Some(calls), Some(repairs)) => write!(f, "at most {calls}, and {repairs} repairs"),
            (Some(calls), None) => write!(f, "at most {calls}, repairs unbounded"),
            (None, _) => f.write_str("nothing in the program bounds them"),
        }
    }
}
