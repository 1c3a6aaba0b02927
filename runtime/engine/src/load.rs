//! A program made ready to run: everything that can be computed once and is looked up on the hot path.
//!
//! [`Loaded::new`] lets the verifier look at every program first; this module never asks what a program means.

use std::sync::Arc;

use kait_ir::{
    EffectClass, Expr, ExprId, Gate, GraphId, LeafDecl, Node, NodeKind, Program, RegionId,
    ResourceId, TargetId,
};

use crate::check::{TypeError, TypeTable};
use crate::limits::MAX_EXPR_DEPTH;
use crate::machine::state::{Cell, NONE, NodeState};
use crate::std::{NativeFn, lookup};

/// A program that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A type that cannot be made ready.
    #[error(transparent)]
    Type(#[from] TypeError),
    /// A native that this version does not have.
    #[error("the program uses `{0}`, which this version does not have")]
    Native(String),
    /// The verifier refuses it.
    #[error("the program does not verify: {0}")]
    Unverified(String),
    /// A reference to something that is not there, or regions that are no trees.
    #[error("the program is damaged: {0}")]
    Damaged(String),
}

/// A program with its tables.
#[derive(Debug)]
pub struct Loaded {
    program: Arc<Program>,
    table: Arc<TypeTable>,
    /// By expression: the native that it calls.
    natives: Vec<Option<NativeFn>>,
    pub(crate) regions: Vec<RegionTable>,
    /// Row by row: whether two resources overlap.
    overlaps: Vec<bool>,
    /// By target: the stubs for it, in the order of their text.
    stubs: Vec<Vec<u32>>,
    /// By expression: how it can fail by the program's own will.
    refusals: Vec<Refusal>,
    /// By expression: whether it is the last read of a local.
    last_reads: Vec<bool>,
    /// By region and node: the targets that it may call whose stubs give one outcome after the other. Empty if there
    /// are none.
    turns: Vec<Vec<Vec<TargetId>>>,
    /// Whether there is anything to be undone.
    undoes: bool,
}

/// How an expression can refuse to give a value because the program says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Refusal {
    /// It does not.
    #[default]
    Never,
    /// A check of the finished value is in it, such as `allow`.
    Check,
    /// A `fail` is in it.
    Fail,
}

/// What is computed once for a region.
#[derive(Debug)]
pub(crate) struct RegionTable {
    /// The graph it belongs to.
    pub(crate) graph: GraphId,
    /// How a frame's nodes begin.
    pub(crate) cells: Vec<Cell>,
    /// Nodes that need no other node of the region.
    pub(crate) roots: Vec<u32>,
    /// Where each node's successors begin in `succ`; one more than nodes.
    succ_at: Vec<u32>,
    succ: Vec<u32>,
    /// Nodes that write something.
    pub(crate) writers: Vec<u32>,
    /// By node: whether it is a question to a person, with nothing around it but policies and handlers.
    asks: Vec<bool>,
    /// Whether any is.
    pub(crate) has_asks: bool,
    /// Slots of enclosing regions that the result reads.
    pub(crate) result_outer: Vec<(u32, u32)>,
    /// Maps that may start on items of a list that still grows.
    pub(crate) early: Vec<u32>,
    /// Nodes for which everything below them waits.
    pub(crate) guards: Vec<u32>,
    /// Nodes that change the world or ask a person, at any depth: what stands below them is not shown before they have
    /// succeeded, because it may say that they have.
    pub(crate) shields: Vec<u32>,
}

impl RegionTable {
    pub(crate) fn successors(&self, node: u32) -> &[u32] {
        let at = node as usize;
        match (self.succ_at.get(at), self.succ_at.get(at + 1)) {
            (Some(&from), Some(&to)) => self.succ.get(from as usize..to as usize).unwrap_or(&[]),
            _ => &[],
        }
    }

    pub(crate) fn is_ask(&self, node: u32) -> bool {
        self.has_asks && self.asks.get(node as usize).copied().unwrap_or(false)
    }
}

impl Loaded {
    /// Verifies a program and makes it ready: whatever its source, nothing runs unverified.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn new(program: impl Into<Arc<Program>>) -> Result<Self, LoadError> {
        let program = program.into();
        kait_ir::verify(&program).map_err(|errors| {
            let errors: Vec<String> = errors.iter().map(|e| e.in_words(&program)).collect();
            LoadError::Unverified(errors.join("; "))
        })?;
        Self::prepare(program)
    }

    /// Computes the tables. What they rely on is checked here again: tests of the machine run programs whose facts are
    /// set by hand.
    pub(crate) fn prepare(program: Arc<Program>) -> Result<Self, LoadError> {
        let table = Arc::new(TypeTable::new(program.types.clone())?);
        check_expressions(&program)?;
        let mut natives = vec![None; program.exprs.len()];
        for (slot, expr) in natives.iter_mut().zip(&program.exprs) {
            if let Expr::Native { name, .. } = expr {
                *slot = Some(lookup(name).ok_or_else(|| LoadError::Native(name.to_string()))?);
            }
        }
        let owners = check_regions(&program)?;
        let shields = shields(&program);
        let mut regions = Vec::with_capacity(program.regions.len());
        for (index, owner) in owners.iter().enumerate() {
            regions.push(region_table(&program, &shields, index, owner.unwrap_or(GraphId(0))));
        }
        let mut stubs = vec![Vec::new(); program.targets.len()];
        for (index, stub) in (0u32..).zip(&program.stubs) {
            if let Some(list) = stubs.get_mut(stub.target.index()) {
                list.push(index);
            }
        }
        let overlaps = overlaps(&program);
        let refusals = refusals(&program, &table);
        let turns = turns(&program);
        let last_reads = crate::moves::last_reads(&program);
        let mut nodes = program.regions.iter().flat_map(|region| &region.nodes);
        let undoes = nodes.any(|node| matches!(node.kind, NodeKind::Undo(_)));
        Ok(Self {
            program,
            table,
            natives,
            regions,
            overlaps,
            stubs,
            refusals,
            last_reads,
            turns,
            undoes,
        })
    }

    /// Whether the program has anything to be undone.
    pub(crate) fn undoes(&self) -> bool {
        self.undoes
    }

    /// The value of an expression that reads no slot: a parameter's default, a budget.
    ///
    /// # Errors
    /// The failure that it raises.
    pub fn constant(&self, expr: ExprId) -> Result<kait_ir::Value, kait_ir::Failure> {
        let mut locals = vec![kait_ir::Value::None; self.program.max_locals as usize];
        let mut evaluator = crate::eval::Evaluator::new(self, &[], u32::MAX, &[], &mut locals);
        evaluator.eval(expr).map_err(|failure| *failure)
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The program, shared.
    pub fn shared_program(&self) -> Arc<Program> {
        Arc::clone(&self.program)
    }

    /// Its types.
    pub fn table(&self) -> &TypeTable {
        &self.table
    }

    /// Its types, shared.
    pub fn shared_table(&self) -> Arc<TypeTable> {
        Arc::clone(&self.table)
    }

    /// The graph that a region belongs to.
    pub fn graph_of(&self, region: RegionId) -> GraphId {
        self.regions.get(region.index()).map_or(GraphId(0), |r| r.graph)
    }

    /// The node at a place.
    pub fn node(&self, site: crate::Site) -> Option<&Node> {
        self.program.regions.get(site.region.index())?.nodes.get(site.node as usize)
    }

    /// The leaf that a node calls, if it calls one.
    pub fn leaf_at(&self, site: crate::Site) -> Option<&LeafDecl> {
        match &self.node(site)?.kind {
            NodeKind::Leaf(call) => self.program.leaves.get(call.leaf.index()),
            _ => None,
        }
    }

    pub(crate) fn native(&self, id: ExprId) -> Option<NativeFn> {
        self.natives.get(id.0 as usize).copied().flatten()
    }

    /// Whether a read of a local is its last, so that the value may be taken.
    pub(crate) fn is_last_read(&self, id: ExprId) -> bool {
        self.last_reads.get(id.0 as usize).copied().unwrap_or(false)
    }

    /// How an expression can fail by the program's own will.
    pub(crate) fn refusal(&self, id: ExprId) -> Refusal {
        self.refusals.get(id.0 as usize).copied().unwrap_or_default()
    }

    /// Whether a stub of the target gives one outcome after the other.
    pub(crate) fn takes_turns(&self, target: TargetId) -> bool {
        let several = |index: &u32| {
            self.program.stubs.get(*index as usize).is_some_and(|stub| stub.outcomes.len() > 1)
        };
        self.stubs_of(target).iter().any(several)
    }

    /// Whether a node, or anything inside it and its calls, may call a target of which [`Self::takes_turns`] holds.
    pub(crate) fn may_call(&self, region: u32, node: u32, target: TargetId) -> bool {
        let of = self.turns.get(region as usize).and_then(|nodes| nodes.get(node as usize));
        of.is_some_and(|targets| targets.contains(&target))
    }

    pub(crate) fn stubs_of(&self, target: TargetId) -> &[u32] {
        self.stubs.get(target.index()).map_or(&[], Vec::as_slice)
    }

    /// Whether what is read can be changed by what is written: equal, or one below the other.
    pub(crate) fn overlap(&self, reads: &[ResourceId], writes: &[ResourceId]) -> bool {
        let n = self.program.resources.len();
        reads.iter().any(|r| {
            writes
                .iter()
                .any(|w| self.overlaps.get(r.index() * n + w.index()).copied().unwrap_or(r == w))
        })
    }
}

/// Operands stand before what they are operands of, so one pass does, and one more for each level of functions.
fn refusals(program: &Program, table: &TypeTable) -> Vec<Refusal> {
    let mut found = vec![Refusal::Never; program.exprs.len()];
    loop {
        let mut changed = false;
        for (index, expr) in program.exprs.iter().enumerate() {
            let of = |id: ExprId| found.get(id.0 as usize).copied().unwrap_or_default();
            let mut sum = match expr {
                Expr::Fail(_) => Refusal::Fail,
                Expr::Check(_, ty, _) if table.is_whole(*ty) => Refusal::Check,
                Expr::CallFn(id, _) => {
                    program.functions.get(id.index()).map_or(Refusal::Never, |f| of(f.body))
                }
                _ => Refusal::Never,
            };
            if !matches!(expr, Expr::Try(_)) {
                children(expr, &mut |child| sum = sum.max(of(child)));
            }
            if let Some(known) = found.get_mut(index)
                && *known != sum
            {
                *known = sum;
                changed = true;
            }
        }
        if !changed {
            return found;
        }
    }
}

/// What each node may call, of the targets whose stubs give one outcome after the other: a fixed point over the calls.
fn turns(program: &Program) -> Vec<Vec<Vec<TargetId>>> {
    if !program.stubs.iter().any(|stub| stub.outcomes.len() > 1) {
        return Vec::new();
    }
    let in_turn = |target: TargetId| {
        program.stubs.iter().any(|stub| stub.target == target && stub.outcomes.len() > 1)
    };
    let empty = |region: &kait_ir::Region| vec![Vec::new(); region.nodes.len()];
    let mut found: Vec<Vec<Vec<TargetId>>> = program.regions.iter().map(empty).collect();
    loop {
        let mut changed = false;
        // Regions inside others stand before them.
        for (index, region) in program.regions.iter().enumerate() {
            for (at, node) in region.nodes.iter().enumerate() {
                let mut all: Vec<TargetId> = Vec::new();
                let mut inside = |region: RegionId| {
                    let nodes = found.get(region.index()).into_iter().flatten();
                    nodes.for_each(|targets| all.extend(targets));
                };
                match &node.kind {
                    NodeKind::Call(call) => {
                        let graph = program.graphs.get(call.graph.index());
                        graph.into_iter().for_each(|graph| inside(graph.body));
                    }
                    kind => kind.for_each_region(&mut inside),
                }
                let target = match &node.kind {
                    NodeKind::Stubbed { target, .. } => Some(*target),
                    NodeKind::Approve(approve) => approve.target,
                    NodeKind::Ask(ask) => ask.target,
                    _ => None,
                };
                all.extend(target.filter(|target| in_turn(*target)));
                all.sort_unstable();
                all.dedup();
                if let Some(known) = found.get_mut(index).and_then(|nodes| nodes.get_mut(at))
                    && *known != all
                {
                    *known = all;
                    changed = true;
                }
            }
        }
        if !changed {
            return found;
        }
    }
}

fn overlaps(program: &Program) -> Vec<bool> {
    let below = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('.'));
    let names = &program.resources;
    names
        .iter()
        .flat_map(|a| names.iter().map(move |b| a == b || below(a, b) || below(b, a)))
        .collect()
}

/// By region: whether anything in it, at any depth and through calls, changes the world or asks a person.
fn shields(program: &Program) -> Vec<bool> {
    let mut found = vec![false; program.regions.len()];
    // A fixed point over nesting and calls; each round finds more.
    loop {
        let mut changed = false;
        for (index, region) in program.regions.iter().enumerate() {
            if found.get(index) == Some(&false)
                && region.nodes.iter().any(|node| is_shield(program, &found, node))
                && let Some(known) = found.get_mut(index)
            {
                *known = true;
                changed = true;
            }
        }
        if !changed {
            return found;
        }
    }
}

fn is_shield(program: &Program, regions: &[bool], node: &kait_ir::Node) -> bool {
    let holds = |id: RegionId| regions.get(id.index()).copied().unwrap_or(false);
    match &node.kind {
        NodeKind::Leaf(call) => {
            program.leaves.get(call.leaf.index()).is_some_and(|leaf| leaf.class.is_write())
        }
        NodeKind::Approve(_) | NodeKind::Ask(_) => true,
        NodeKind::Stubbed { .. } => !node.writes.is_empty(),
        NodeKind::Call(call) => {
            program.graphs.get(call.graph.index()).is_some_and(|graph| holds(graph.body))
        }
        kind => {
            let mut any = false;
            kind.for_each_region(|inner| any |= holds(inner));
            any
        }
    }
}

fn region_table(program: &Program, shields: &[bool], index: usize, graph: GraphId) -> RegionTable {
    let mut table = RegionTable {
        graph,
        cells: Vec::new(),
        roots: Vec::new(),
        succ_at: vec![0],
        succ: Vec::new(),
        writers: Vec::new(),
        asks: Vec::new(),
        has_asks: false,
        result_outer: Vec::new(),
        early: Vec::new(),
        guards: Vec::new(),
        shields: Vec::new(),
    };
    let Some(region) = program.regions.get(index) else { return table };
    table.succ_at.resize(region.nodes.len() + 1, 0);
    // Counting sort of the edges: successors in the order of the text.
    let mut edges: Vec<(u32, u32)> = Vec::new();
    for (at, node) in (0u32..).zip(&region.nodes) {
        let mut above: Vec<u32> = node.data.iter().chain(&node.order).copied().collect();
        above.sort_unstable();
        above.dedup();
        table.cells.push(Cell {
            unmet: u32::try_from(above.len()).unwrap_or(u32::MAX),
            link: NONE,
            state: NodeState::Waiting,
            waited: false,
            plain: node.outer.is_empty()
                && node.gate == Gate::Free
                && node.reads.is_empty()
                && !matches!(node.kind, NodeKind::Expect { .. }),
        });
        if above.is_empty() {
            table.roots.push(at);
        }
        edges.extend(above.into_iter().map(|from| (from, at)));
        if !node.writes.is_empty() {
            table.writers.push(at);
        }
        if matches!(&node.kind, NodeKind::Map(map) if map.early) {
            table.early.push(at);
        }
        if node.guard {
            table.guards.push(at);
        }
        if is_shield(program, shields, node) {
            table.shields.push(at);
        }
        let ask = is_ask(program, node);
        table.asks.push(ask);
        table.has_asks |= ask;
    }
    edges.sort_unstable();
    for (from, to) in edges {
        if let Some(count) = table.succ_at.get_mut(from as usize + 1) {
            *count += 1;
        }
        table.succ.push(to);
    }
    let mut sum = 0;
    for at in &mut table.succ_at {
        sum += *at;
        *at = sum;
    }
    let mut outer = Vec::new();
    slots_of(program, region.result, &mut |up, slot| {
        if up > 0 {
            outer.push((up, slot));
        }
    });
    outer.sort_unstable();
    outer.dedup();
    table.result_outer = outer;
    table
}

/// Whether the node is a question, or policies and handlers around nothing but one.
fn is_ask(program: &Program, node: &Node) -> bool {
    let body = match &node.kind {
        NodeKind::Leaf(_) | NodeKind::Ask(_) | NodeKind::Stubbed { .. } => {
            return node.gate == Gate::Ask;
        }
        NodeKind::Policy(policy) => policy.body,
        NodeKind::Catch { body, .. } | NodeKind::Try(body) => *body,
        _ => return false,
    };
    let Some(region) = program.regions.get(body.index()) else { return false };
    let quiet = |n: &Node| matches!(n.kind, NodeKind::Pure(_)) && !n.guard;
    let mut asks = 0;
    for inner in &region.nodes {
        if is_ask(program, inner) {
            asks += 1;
        } else if !quiet(inner) {
            return false;
        }
    }
    asks > 0
}

/// Calls `f` for every slot that the expression reads, functions not entered.
pub(crate) fn slots_of(program: &Program, id: ExprId, f: &mut impl FnMut(u32, u32)) {
    let mut todo = vec![id];
    while let Some(id) = todo.pop() {
        let Some(expr) = program.exprs.get(id.0 as usize) else { continue };
        if let Expr::Slot { up, slot } = expr {
            f(*up, *slot);
        }
        children(expr, &mut |child| todo.push(child));
    }
}

/// Calls `f` for every operand of an expression.
pub(crate) fn children(expr: &Expr, f: &mut impl FnMut(ExprId)) {
    use kait_ir::{LogQuery, TemplatePart};
    match expr {
        Expr::Const(_) | Expr::Slot { .. } | Expr::Local(_) => {}
        Expr::Unary(_, a)
        | Expr::Is(a, _)
        | Expr::Field(a, _)
        | Expr::OptField(a, _)
        | Expr::Try(a)
        | Expr::Fail(a)
        | Expr::Vouch(a, _)
        | Expr::Check(a, ..) => f(*a),
        Expr::Let { value: a, body: b, .. }
        | Expr::Binary(_, a, b)
        | Expr::And(a, b)
        | Expr::Or(a, b)
        | Expr::Coalesce(a, b)
        | Expr::Index(a, b) => {
            f(*a);
            f(*b);
        }
        Expr::If(a, b, c) => [*a, *b, *c].into_iter().for_each(f),
        Expr::Match { scrutinee: first, arms } | Expr::Catch { body: first, arms } => {
            f(*first);
            for arm in arms {
                arm.guard.into_iter().for_each(&mut *f);
                f(arm.body);
            }
        }
        Expr::Record(all) | Expr::Variant(_, all) | Expr::CallFn(_, all) => {
            all.iter().copied().for_each(f);
        }
        Expr::Native { args, .. } => args.iter().copied().for_each(f),
        Expr::List(items) => items.iter().for_each(|(id, _)| f(*id)),
        Expr::Map(entries) => entries.iter().for_each(|(k, v)| {
            f(*k);
            f(*v);
        }),
        Expr::Template(parts) => {
            for part in parts {
                if let TemplatePart::Value(id, _) = part {
                    f(*id);
                }
            }
        }
        Expr::For { source, filter, body, max, .. } => {
            f(*source);
            filter.iter().chain(max).copied().for_each(&mut *f);
            f(*body);
        }
        Expr::Loop { state, max, body, otherwise } => {
            state.iter().for_each(|(_, init)| f(*init));
            [*max, *body, *otherwise].into_iter().for_each(f);
        }
        Expr::CallLog(query) => match &**query {
            LogQuery::Calls(_) | LogQuery::Attempts(_) => {}
            LogQuery::Called(shape) => shape.args.iter().for_each(|(_, id)| f(*id)),
            LogQuery::Order(shapes) => {
                shapes.iter().flat_map(|s| &s.args).for_each(|(_, id)| f(*id));
            }
        },
    }
}

fn damaged(what: impl Into<String>) -> LoadError {
    LoadError::Damaged(what.into())
}

/// Every expression only refers to smaller ones, so no evaluation can go round in a circle but through functions,
/// whose calls are counted.
fn check_expressions(program: &Program) -> Result<(), LoadError> {
    // Fields of fields are looked up by recursion.
    let mut fields = vec![0u32; program.exprs.len()];
    for (index, expr) in program.exprs.iter().enumerate() {
        let mut ok = true;
        if let Expr::Field(record, _) = expr {
            let depth = fields.get(record.0 as usize).copied().unwrap_or(0) + 1;
            if depth > MAX_EXPR_DEPTH {
                return Err(damaged(format!("more than {MAX_EXPR_DEPTH} fields in a row")));
            }
            if let Some(slot) = fields.get_mut(index) {
                *slot = depth;
            }
        }
        children(expr, &mut |child| ok &= (child.0 as usize) < index);
        if let Expr::CallFn(function, _) = expr {
            ok &= function.index() < program.functions.len();
        }
        if !ok {
            return Err(damaged(format!("expression {index} refers to one that is not before it")));
        }
    }
    if program.max_locals > 4096 {
        return Err(damaged("an expression needs more than 4,096 locals"));
    }
    Ok(())
}

/// Regions are trees, each under one graph; edges point up; expressions exist. Gives each region's graph.
fn check_regions(program: &Program) -> Result<Vec<Option<GraphId>>, LoadError> {
    let mut owners: Vec<Option<GraphId>> = vec![None; program.regions.len()];
    for (index, graph) in (0..).map(GraphId).zip(&program.graphs) {
        let mut todo = vec![graph.body];
        while let Some(id) = todo.pop() {
            let (Some(owner), Some(region)) =
                (owners.get_mut(id.index()), program.regions.get(id.index()))
            else {
                return Err(damaged(format!("`{}` refers to a missing region", graph.name)));
            };
            if owner.replace(index).is_some() {
                return Err(damaged(format!("region {} is used twice", id.0)));
            }
            for (at, node) in (0u32..).zip(&region.nodes) {
                if node.data.iter().chain(&node.order).any(|above| *above >= at) {
                    return Err(damaged(format!("`{}` depends on what is below it", node.path)));
                }
                check_node(program, node)?;
                node.kind.for_each_region(|inner| todo.push(inner));
            }
            if program.exprs.get(region.result.0 as usize).is_none() {
                return Err(damaged("a region without a result"));
            }
        }
        let body = program.regions.get(graph.body.index()).map_or(0, |r| r.params);
        if body as usize != graph.params.len() {
            return Err(damaged(format!("the parameters of `{}` do not fit", graph.name)));
        }
    }
    Ok(owners)
}

fn check_node(program: &Program, node: &Node) -> Result<(), LoadError> {
    let ok = match &node.kind {
        NodeKind::Call(call) => program
            .graphs
            .get(call.graph.index())
            .is_some_and(|graph| graph.params.len() == call.args.len()),
        NodeKind::Leaf(call) => program.leaves.get(call.leaf.index()).is_some(),
        NodeKind::Stubbed { target, .. } => program.targets.get(target.index()).is_some(),
        _ => true,
    };
    if ok { Ok(()) } else { Err(damaged(format!("`{}` calls what is not there", node.path))) }
}

/// Whether effects of this class change the world, so that one in flight is awaited rather than torn.
pub(crate) fn is_write(class: EffectClass) -> bool {
    matches!(class, EffectClass::Write { .. })
}

#[cfg(test)]
mod tests {
    use kait_ir::{BinaryOp, EffectClass, Expr, ExprId, NodeKind};

    use super::*;
    use crate::builder::{NodeExt, ProgramBuilder, leaf_call, node};

    fn chain() -> ProgramBuilder {
        let mut b = ProgramBuilder::new();
        let leaf = b.leaf("read", EffectClass::Read);
        let first = b.slot(0, 0);
        let one = b.int(1);
        let sum = b.expr(Expr::Binary(BinaryOp::Add, first, one));
        let result = b.slot(0, 1);
        let nodes = vec![
            node("a", leaf_call(leaf, vec![])),
            node("b", NodeKind::Pure(sum)).after_data(&[0]),
        ];
        let body = b.region(0, nodes, result);
        b.graph("chain", body);
        b
    }

    #[test]
    fn a_good_program_loads() {
        assert!(chain().load().is_ok());
    }

    #[test]
    fn nothing_runs_unverified() {
        let refused = |damage: fn(&mut Program)| {
            let mut b = chain();
            kait_ir::fill(&mut b.program);
            damage(&mut b.program);
            matches!(Loaded::new(b.program), Err(LoadError::Unverified(_)))
        };
        assert!(refused(|p| p.regions[0].nodes[1].data.clear()), "a missing edge");
        assert!(refused(|p| p.regions[0].result = ExprId(99)), "a missing expression");
        assert!(refused(|p| p.exprs[2] = Expr::Binary(BinaryOp::Add, ExprId(2), ExprId(1))));
        assert!(
            refused(|p| p.regions[0].nodes[0].gate = Gate::All),
            "a gate that nothing asks for"
        );
        assert!(!refused(|_| {}));
    }
}
