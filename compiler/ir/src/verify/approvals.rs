//! Between the third and the fourth step of the verifier: what a person approves is what runs.
//!
//! A call of a leaf that needs approval is made with exactly what one approve node gives, and an approve node serves
//! exactly one call. The two stand in the same block (the call may have one node of policies around it), so whatever
//! repeats the call asks again. Nothing here trusts how a program was made: a file that was edited by hand, and in which
//! such a call can be reached in any other way, is refused.

use smol_str::{SmolStr, format_smolstr};

use super::{Errors, Place, Problem};
use crate::expr::{Expr, ExprId};
use crate::program::{Approve, Approved, Node, NodeKind, Program, Region, RegionId};
use crate::types::{Type, TypeId};

pub(super) fn check(program: &Program, errors: &mut Errors) {
    let guards = program.leaves.iter().any(|leaf| leaf.guarded);
    let approves =
        |region: &Region| region.nodes.iter().any(|node| matches!(node.kind, NodeKind::Approve(_)));
    if !guards && !program.regions.iter().any(approves) {
        return;
    }
    let mut checker = Checker { program, around: Vec::new() };
    for graph in &program.graphs {
        checker.region(graph.body, None, errors);
    }
}

/// A call of something that can be approved.
struct MadeCall<'p> {
    what: Approved,
    args: &'p [ExprId],
    key: Option<ExprId>,
}

fn call_of(kind: &NodeKind) -> Option<MadeCall<'_>> {
    Some(match kind {
        NodeKind::Leaf(call) => {
            MadeCall { what: Approved::Leaf(call.leaf), args: &call.args, key: call.key }
        }
        NodeKind::Call(call) => {
            MadeCall { what: Approved::Graph(call.graph), args: &call.args, key: None }
        }
        NodeKind::Stubbed { target, args, .. } => {
            MadeCall { what: Approved::Stub(*target), args, key: None }
        }
        _ => return None,
    })
}

struct Checker<'p> {
    program: &'p Program,
    /// The regions that enclose the place, innermost last.
    around: Vec<RegionId>,
}

impl<'p> Checker<'p> {
    fn get(&self, id: RegionId) -> Option<&'p Region> {
        self.program.regions.get(id.index())
    }

    /// `of_policy` is the node of the region around this one, if this is the body of its policies.
    fn region(&mut self, id: RegionId, of_policy: Option<u32>, errors: &mut Errors) {
        let Some(region) = self.get(id) else { return };
        self.around.push(id);
        // How many calls each approve node of this block serves.
        let mut served = vec![0u32; region.nodes.len()];
        for (index, node) in (0u32..).zip(&region.nodes) {
            let mut serve = |this: &Self, call: &MadeCall<'p>, up: u32| {
                for by in this.approvals(region, index, call, up) {
                    if let Some(count) = served.get_mut(by as usize) {
                        *count += 1;
                    }
                }
            };
            if let Some(call) = call_of(&node.kind) {
                serve(self, &call, 0);
                let place = Place::Node(id, index);
                if let Err(problem) = self.guarded(region, index, of_policy, &call) {
                    errors.add(place, Problem::Approval(problem));
                }
            }
            let body = match &node.kind {
                NodeKind::Policy(policy) => Some(policy.body),
                _ => None,
            };
            for inner in body.and_then(|body| self.get(body)).iter().flat_map(|body| &body.nodes) {
                if let Some(call) = call_of(&inner.kind) {
                    serve(self, &call, 1);
                }
            }
            node.kind.for_each_region(|inner| {
                self.region(inner, (Some(inner) == body).then_some(index), errors);
            });
        }
        self.around.pop();
        for ((index, node), count) in (0u32..).zip(&region.nodes).zip(served) {
            let NodeKind::Approve(approve) = &node.kind else { continue };
            let name = self.name(approve.what);
            let problem = match count {
                1 => self.well_formed(node, approve),
                0 => Err(format_smolstr!(
                    "a person is asked to approve a call of `{name}`, but no call below it in the same block is made \
                     with exactly what was approved"
                )),
                _ => Err(format_smolstr!(
                    "{count} calls of `{name}` are made with one approval: each needs its own"
                )),
            };
            if let Err(problem) = problem {
                errors.add(Place::Node(id, index), Problem::Approval(problem));
            }
        }
    }

    /// The approve nodes of a block that serve a call, which is made by node `at` of the block (`up` 0) or in its body.
    fn approvals(&self, region: &Region, at: u32, call: &MadeCall<'_>, up: u32) -> Vec<u32> {
        let Some(node) = region.nodes.get(at as usize) else { return Vec::new() };
        let serves = |by: u32| match region.nodes.get(by as usize).map(|node| &node.kind) {
            Some(NodeKind::Approve(approve)) => {
                approve.what == call.what
                    && self.not_from(call, up, region.params + by, approve).is_none()
            }
            _ => false,
        };
        node.order.iter().copied().filter(|by| serves(*by)).collect()
    }

    /// The first argument of a call (or its key) that does not come from an approve node.
    fn not_from(
        &self,
        call: &MadeCall<'_>,
        up: u32,
        slot: u32,
        approve: &Approve,
    ) -> Option<SmolStr> {
        let from = |expr: ExprId, field: u32| match self.program.exprs.get(expr.0 as usize) {
            Some(Expr::Field(base, at)) if *at == field => {
                self.program.exprs.get(base.0 as usize) == Some(&Expr::Slot { up, slot })
            }
            _ => false,
        };
        let wrong = (0u32..).zip(call.args).find(|(index, arg)| !from(**arg, index + 1));
        if let Some((index, _)) = wrong {
            return Some(self.param(call.what, index));
        }
        let last = u32::try_from(call.args.len()).unwrap_or(u32::MAX - 1) + 1;
        if call.args.len() != approve.args.len() {
            return Some("one that nobody was shown".into());
        }
        match (call.key, approve.key) {
            (None, None) => None,
            (Some(key), Some(_)) if from(key, last) => None,
            _ => Some("key".into()),
        }
    }

    /// A call of what needs approval has it; else in words why not.
    fn guarded(
        &self,
        region: &Region,
        at: u32,
        of_policy: Option<u32>,
        call: &MadeCall<'p>,
    ) -> Result<(), SmolStr> {
        let Approved::Leaf(leaf) = call.what else { return Ok(()) };
        if !self.program.leaves.get(leaf.index()).is_some_and(|leaf| leaf.guarded) {
            return Ok(());
        }
        if !self.approvals(region, at, call, 0).is_empty() {
            return Ok(());
        }
        let around = self.around.iter().rev().nth(1).and_then(|id| self.get(*id));
        if let (Some(policy), Some(around)) = (of_policy, around)
            && !self.approvals(around, policy, call, 1).is_empty()
        {
            return Ok(());
        }
        Err(self.why_not(region, at, of_policy, call))
    }

    fn why_not(
        &self,
        region: &Region,
        at: u32,
        of_policy: Option<u32>,
        call: &MadeCall<'_>,
    ) -> SmolStr {
        let name = self.name(call.what);
        let near = |up: u32| up == 0 || (up == 1 && of_policy.is_some());
        let around = self.around.iter().rev().nth(1).and_then(|id| self.get(*id));
        // What stands nearest to being its approval: what an argument comes from, else what it waits for.
        let of_args = call.args.iter().chain(&call.key).find_map(|arg| self.comes_from(*arg));
        let waits = |region: &'p Region, at: u32, up: u32| {
            let node = region.nodes.get(at as usize)?;
            let by = node.order.iter().find(|by| approve_at(region, **by).is_some())?;
            Some((up, *by, approve_at(region, *by)?))
        };
        let own = self.around.last().and_then(|id| self.get(*id));
        let found = of_args
            .or_else(|| own.and_then(|own| waits(own, at, 0)))
            .or_else(|| waits(around?, of_policy?, 1));
        let Some((up, by, approve)) = found else {
            return format_smolstr!(
                "it calls `{name}`, which needs approval, but there is no approve node for it: a person must see all of \
                 its arguments before it runs"
            );
        };
        if !near(up) {
            return format_smolstr!(
                "it calls `{name}`, which needs approval, with what was approved in another block: the approve node must \
                 stand in the block of the call, so that each call is approved by itself"
            );
        }
        if approve.what != call.what {
            let other = self.name(approve.what);
            return format_smolstr!(
                "it calls `{name}`, which needs approval, with what a person has approved for `{other}`"
            );
        }
        let block = if up == 0 { Some(region) } else { around };
        let params = block.map_or(0, |block| block.params);
        match self.not_from(call, up, params + by, approve) {
            Some(param) => format_smolstr!(
                "it calls `{name}`, which needs approval, but the argument `{param}` does not come from what the person \
                 has approved"
            ),
            None => format_smolstr!(
                "it calls `{name}`, which needs approval, but does not wait for its approve node"
            ),
        }
    }

    /// The approve node whose value, or a part of it, an expression is: how many regions outwards, which, and what it is.
    fn comes_from(&self, mut expr: ExprId) -> Option<(u32, u32, &'p Approve)> {
        // Operands have smaller numbers, so this ends.
        loop {
            match self.program.exprs.get(expr.0 as usize)? {
                Expr::Field(base, _) => expr = *base,
                Expr::Slot { up, slot } => {
                    let id = self.around.iter().rev().nth(*up as usize)?;
                    let region = self.get(*id)?;
                    let by = slot.checked_sub(region.params)?;
                    return Some((*up, by, approve_at(region, by)?));
                }
                _ => return None,
            }
        }
    }

    /// What an approve node itself must be.
    fn well_formed(&self, node: &Node, approve: &Approve) -> Result<(), SmolStr> {
        let count = approve.args.len();
        let listed = |list: &[u32]| {
            list.is_sorted_by(|a, b| a < b) && list.last().is_none_or(|at| (*at as usize) < count)
        };
        if !listed(&approve.edit) || !listed(&approve.untrusted) {
            return Err("it lists arguments that the call does not have".into());
        }
        let Type::Record(record) = self.program.types.get(node.ty) else {
            return Err("its value is not a record of what is approved".into());
        };
        let keyed = usize::from(approve.key.is_some());
        if record.fields.len() != 1 + count + keyed {
            return Err("its value does not have a field for each argument".into());
        }
        let declared = |index: usize| -> Option<TypeId> {
            match approve.what {
                Approved::Leaf(id) => {
                    Some(self.program.leaves.get(id.index())?.params.get(index)?.ty)
                }
                Approved::Graph(id) => {
                    Some(self.program.graphs.get(id.index())?.params.get(index)?.ty)
                }
                Approved::Stub(_) => record.fields.get(index + 1).map(|field| field.ty),
            }
        };
        for (index, field) in record.fields.iter().skip(1).take(count).enumerate() {
            if declared(index) != Some(field.ty) {
                return Err(format_smolstr!(
                    "what it gives for `{}` has another type than the parameter: what a person edits would not be checked",
                    field.name
                ));
            }
        }
        let by = record.fields.first().map(|field| self.program.types.get(field.ty));
        if by != Some(&Type::Text) {
            return Err("its value does not say who has approved".into());
        }
        Ok(())
    }

    fn name(&self, what: Approved) -> &'p str {
        let name = match what {
            Approved::Leaf(id) => self.program.leaves.get(id.index()).map(|leaf| &leaf.name),
            Approved::Graph(id) => self.program.graphs.get(id.index()).map(|graph| &graph.name),
            Approved::Stub(id) => self.program.targets.get(id.index()),
        };
        name.map_or("?", |name| name.as_str())
    }

    fn param(&self, what: Approved, index: u32) -> SmolStr {
        let at = index as usize;
        let param = match what {
            Approved::Leaf(id) => self.program.leaves.get(id.index()).map(|leaf| &leaf.params),
            Approved::Graph(id) => self.program.graphs.get(id.index()).map(|graph| &graph.params),
            Approved::Stub(_) => None,
        };
        match param.and_then(|params| params.get(at)) {
            Some(param) => param.name.clone(),
            None => format_smolstr!("{}", index + 1),
        }
    }
}

fn approve_at(region: &Region, node: u32) -> Option<&Approve> {
    match &region.nodes.get(node as usize)?.kind {
        NodeKind::Approve(approve) => Some(approve),
        _ => None,
    }
}
