//! Third and fourth step of the verifier: regions form trees; slots are read only where they are known, and edges are exactly
//! what the expressions read.

use super::exprs::Walker;
use super::{Errors, MAX_NESTING, Place, Problem};
use crate::expr::{ExprId, Pattern};
use crate::program::{GraphKind, Node, NodeKind, Program, Region, RegionId};

pub(super) fn check(program: &Program, errors: &mut Errors) {
    let mut checker = Checker { program, walker: Walker::new(program), known: Vec::new() };
    for graph in &program.graphs {
        checker.region(graph.body, graph.params.len(), errors);
        if graph.kind == GraphKind::Test {
            checker.stubs(graph.body, errors);
        }
    }
}

/// Every region hangs on exactly one graph or node; then, as each is used once, those reachable from graphs form trees.
pub(super) fn uses(program: &Program, errors: &mut Errors) {
    let mut uses = vec![0u32; program.regions.len()];
    let mut stack: Vec<(RegionId, u32)> = program.graphs.iter().map(|g| (g.body, 0)).collect();
    while let Some((id, depth)) = stack.pop() {
        let Some(count) = uses.get_mut(id.index()) else { continue };
        *count += 1;
        if *count > 1 {
            continue;
        }
        if depth > MAX_NESTING {
            let problem = Problem::TooDeep { what: "blocks", limit: MAX_NESTING };
            errors.add(Place::Region(id), problem);
            continue;
        }
        let nodes = program.regions.get(id.index()).into_iter().flat_map(|region| &region.nodes);
        nodes.for_each(|node| node.kind.for_each_region(|inner| stack.push((inner, depth + 1))));
    }
    for (id, count) in (0..).map(RegionId).zip(uses) {
        if count != 1 {
            errors.add(Place::Region(id), Problem::Uses(count));
        }
    }
}

struct Checker<'p> {
    program: &'p Program,
    walker: Walker<'p>,
    /// For each region that encloses the place, innermost last: how many of its slots are known there, and how many
    /// parameters it has.
    known: Vec<(u32, u32)>,
}

impl Checker<'_> {
    fn region(&mut self, id: RegionId, params: usize, errors: &mut Errors) {
        let Some(region) = self.program.regions.get(id.index()) else { return };
        errors.count(Place::Region(id), "parameters", region.params as usize, params);
        self.known.push((region.params, region.params));
        for (index, node) in (0u32..).zip(&region.nodes) {
            self.node(region, id, index, node, errors);
            if let Some((known, _)) = self.known.last_mut() {
                *known += 1;
            }
        }
        let place = Place::Region(id);
        self.walker.walk(region.result, &[], place, errors);
        let slots = self.walker.slots();
        self.slots(&slots, place, errors);
        self.known.pop();
        paths(region, id, errors);
    }

    fn slots(&self, slots: &[(u32, u32)], place: Place, errors: &mut Errors) {
        for (up, slot) in slots.iter().copied() {
            let known = self.known.iter().rev().nth(up as usize).map_or(0, |(known, _)| *known);
            if slot >= known {
                errors.add(place, Problem::Slot { up, slot });
            }
        }
    }

    fn node(
        &mut self,
        region: &Region,
        id: RegionId,
        index: u32,
        node: &Node,
        errors: &mut Errors,
    ) {
        let place = Place::Node(id, index);
        match &node.kind {
            NodeKind::Switch { scrutinee, arms } => {
                self.walker.walk(*scrutinee, &[], place, errors);
                for arm in arms {
                    self.walker.guarded(arm.guard, &arm.pattern, place, errors);
                }
            }
            NodeKind::Catch { arms, .. } => {
                for arm in arms {
                    self.walker.guarded(arm.guard, &arm.pattern, place, errors);
                }
            }
            NodeKind::Map(map) => {
                let own = [Some(map.source), map.max, map.parallel];
                own.into_iter().flatten().for_each(|e| self.walker.walk(e, &[], place, errors));
                self.walker.guarded(map.filter, &map.pattern, place, errors);
            }
            kind => {
                let mut own: Vec<ExprId> = Vec::new();
                kind.for_each_expr(|expr| own.push(expr));
                own.into_iter().for_each(|expr| self.walker.walk(expr, &[], place, errors));
            }
        }
        let slots = self.walker.slots();
        self.slots(&slots, place, errors);
        self.edges(region, index, node, &slots, place, errors);
        self.inner(node, place, errors);
    }

    fn edges(
        &self,
        region: &Region,
        index: u32,
        node: &Node,
        slots: &[(u32, u32)],
        place: Place,
        errors: &mut Errors,
    ) {
        let own = slots.iter().filter(|(up, _)| *up == 0).map(|(_, slot)| *slot);
        let data = own.filter_map(|slot| slot.checked_sub(region.params));
        if !data.eq(node.data.iter().copied()) {
            errors.add(place, Problem::Fact("data"));
        }
        if !slots.iter().filter(|(up, _)| *up > 0).eq(&node.outer) {
            errors.add(place, Problem::Fact("outer"));
        }
        if !node.order.is_sorted_by(|a, b| a < b) || node.order.iter().any(|other| *other >= index)
        {
            errors.add(place, Problem::Edges("they must ascend and point upwards"));
        }
        let above = region.nodes.get(..index as usize).unwrap_or_default();
        if let Some(guard) = above.iter().rposition(|other| other.guard) {
            let guard = guard as u32;
            if !node.order.contains(&guard) && !node.data.contains(&guard) {
                errors.add(place, Problem::Edges("the guard above is missing"));
            }
        }
    }

    fn inner(&mut self, node: &Node, place: Place, errors: &mut Errors) {
        let mut arm = |this: &mut Self, pattern: &Pattern, body: RegionId| {
            let binders = pattern.binders();
            if !binders.iter().copied().eq(0..binders.len() as u32) {
                errors.add(place, Problem::Rule("binders of an arm are not its first locals"));
            }
            this.region(body, binders.len(), errors);
        };
        match &node.kind {
            NodeKind::Switch { arms, .. } => {
                arms.iter().for_each(|a| arm(self, &a.pattern, a.body));
            }
            NodeKind::Catch { body, arms } => {
                arm(self, &Pattern::Any, *body);
                arms.iter().for_each(|a| arm(self, &a.pattern, a.body));
            }
            NodeKind::Map(map) => arm(self, &map.pattern, map.body),
            NodeKind::Loop(repeat) => {
                self.region(repeat.body, repeat.init.len(), errors);
                self.region(repeat.otherwise, repeat.init.len(), errors);
            }
            // Whatever stands around it is gone when it runs.
            NodeKind::Undo(undo) => {
                let around = std::mem::take(&mut self.known);
                self.region(undo.body, undo.args.len(), errors);
                self.known = around;
            }
            kind => kind.for_each_region(|inner| self.region(inner, 0, errors)),
        }
    }

    /// Stubs see the whole block of their test, and the values that their patterns bind.
    fn stubs(&mut self, body: RegionId, errors: &mut Errors) {
        let Some(region) = self.program.regions.get(body.index()) else { return };
        let slots = region.params + region.nodes.len() as u32;
        self.known.push((slots, region.params));
        for (index, stub) in (0..).zip(&self.program.stubs) {
            let place = Place::Stub(index);
            let mut binders = Vec::new();
            for (_, pattern) in &stub.params {
                pattern.for_each_binder(&mut |local| binders.push(local));
            }
            for outcome in &stub.outcomes {
                self.walker.walk(outcome.value, &binders, place, errors);
            }
            let slots = self.walker.slots();
            self.slots(&slots, place, errors);
            let data = slots.iter().filter_map(|(_, slot)| slot.checked_sub(region.params));
            if !data.eq(stub.data.iter().copied()) {
                errors.add(place, Problem::Fact("data"));
            }
        }
        self.known.pop();
    }
}

/// Paths name nodes across versions of a program, so they are unique within their region.
fn paths(region: &Region, id: RegionId, errors: &mut Errors) {
    let mut seen = rustc_hash::FxHashSet::default();
    for (index, node) in (0..).zip(&region.nodes) {
        if node.path.is_empty() || !seen.insert(&node.path) {
            errors.add(Place::Node(id, index), Problem::Rule("its path is empty or taken"));
        }
    }
}
