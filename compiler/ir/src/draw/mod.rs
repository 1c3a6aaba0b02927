//! Drawings of graphs: one model of what is to be seen, and its renderings as text, Mermaid, JSON and SVG.
//!
//! A drawing shows one graph: its inputs, its nodes, blocks within nodes, and its result, with four kinds of edges:
//! data flows, order without data, gates (what others could tell the order by waits for all above it), and control (a
//! form and the blocks that it may run). A block names the values that
//! it takes from outside, so that no edge crosses its border. The same program always gives the same drawing.

mod formats;
mod labels;
mod layout;
mod plan;
mod svg;

use smol_str::{SmolStr, format_smolstr};

use crate::expr::{Expr, ExprId};
use crate::program::{
    Approved, EffectClass, Graph, GraphId, GraphKind, Node, NodeKind, Program, RegionId,
};
use crate::types::TypeId;

pub use formats::{json, mermaid, text};
pub use plan::{Plan, Step, Waits, plan};
pub use svg::svg;

/// Items of one drawing; what is beyond is left out, and said so.
pub const MAX_ITEMS: usize = 5_000;

/// What is to be seen of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// `support(message: text) -> Answer`
    pub title: String,
    /// The graph's name.
    pub name: SmolStr,
    /// Everything that is drawn. Those that enclose others come before them.
    pub items: Vec<Item>,
    /// What connects them.
    pub edges: Vec<Edge>,
    /// Whether items were left out because there are more than [`MAX_ITEMS`].
    pub cut: bool,
}

/// Something that is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The item that encloses it, by index.
    pub parent: Option<usize>,
    /// What it is.
    pub kind: ItemKind,
    /// Its path within the graph: `reply.0/answer_billing`; empty for items that are no nodes.
    pub path: String,
    /// Its name.
    pub label: String,
    /// What it does, in a few words.
    pub detail: String,
    /// The type of its value, if it has one.
    pub ty: Option<String>,
    /// Whether its value can be seen while it grows.
    pub grows: bool,
    /// Whether it waits for everything above it.
    pub gated: bool,
    /// Whether everything below it waits for it.
    pub guard: bool,
    /// What it reads.
    pub reads: Vec<SmolStr>,
    /// What it, or anything in it, writes.
    pub writes: Vec<SmolStr>,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A parameter of the graph or of a block.
    Input,
    /// A value from outside of the block.
    Outer,
    /// The value of the graph or of a block.
    Result,
    /// Pure code.
    Pure,
    /// A call of another graph.
    Call,
    /// A model.
    Model,
    /// A leaf that reads.
    Read,
    /// A leaf that changes the world.
    Write,
    /// A person who approves a call or is asked.
    Person,
    /// A leaf that shows something, looks at the clock, or draws by chance.
    Other,
    /// A form with blocks: a choice, map, loop, race, handler, policies.
    Form,
    /// A block of a form.
    Block,
}

impl ItemKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Outer => "outer",
            Self::Result => "result",
            Self::Pure => "pure",
            Self::Call => "call",
            Self::Model => "model",
            Self::Read => "read",
            Self::Write => "write",
            Self::Person => "person",
            Self::Other => "effect",
            Self::Form => "form",
            Self::Block => "block",
        }
    }
}

/// A connection between two items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// Where it begins, by index.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    /// What it is.
    pub kind: EdgeKind,
}

/// What an edge is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// A value flows.
    Data,
    /// One waits for the other though no value flows.
    Order,
    /// One waits for all that stands above it, of which the other is the last part.
    Gate,
    /// A form runs a block.
    Control,
}

impl EdgeKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Order => "order",
            Self::Gate => "gate",
            Self::Control => "control",
        }
    }
}

/// What is to be seen of a graph of a verified program.
pub fn drawing(program: &Program, id: GraphId) -> Drawing {
    let mut drawer =
        Drawer { program, items: Vec::new(), edges: Vec::new(), scopes: Vec::new(), cut: false };
    let (mut title, mut name) = (String::new(), SmolStr::default());
    if let Some(graph) = program.graphs.get(id.index()) {
        title = head(program, graph);
        name = graph.name.clone();
        let params = graph.params.iter().map(|param| (param.name.clone(), Some(param.ty)));
        drawer.region(graph.body, None, "", params.collect(), false);
    }
    let Drawer { items, mut edges, cut, .. } = drawer;
    edges.sort_unstable();
    edges.dedup();
    Drawing { title, name, items, edges, cut }
}

/// `support(message: text) -> Answer`
fn head(program: &Program, graph: &Graph) -> String {
    let params: Vec<String> = graph
        .params
        .iter()
        .map(|param| format!("{}: {}", param.name, program.type_text(param.ty)))
        .collect();
    match graph.kind {
        GraphKind::Test => format!("test {:?}", graph.name.as_str()),
        _ => {
            format!("{}({}) -> {}", graph.name, params.join(", "), program.type_text(graph.result))
        }
    }
}

struct Drawer<'p> {
    program: &'p Program,
    items: Vec<Item>,
    edges: Vec<Edge>,
    scopes: Vec<Scope>,
    cut: bool,
}

/// A region that is being drawn.
struct Scope {
    parent: Option<usize>,
    /// Items of its slots: parameters first; `None` for a parameter that nobody reads yet.
    slots: Vec<Option<usize>>,
    params: Vec<(SmolStr, Option<TypeId>)>,
    region: RegionId,
    /// Items that stand for slots of enclosing regions: slot and item.
    outer: Vec<((u32, u32), usize)>,
    /// The item of the form around it, in the region that encloses it.
    form: Option<usize>,
    /// Its value says how a loop goes on.
    flows: bool,
    /// Nodes that the next gated one waits for: those since the last gated one, and that.
    above: Vec<usize>,
}

impl<'p> Drawer<'p> {
    fn item(&mut self, item: Item) -> Option<usize> {
        if self.items.len() >= MAX_ITEMS {
            self.cut = true;
            return None;
        }
        self.items.push(item);
        Some(self.items.len() - 1)
    }

    fn plain(&mut self, kind: ItemKind, label: &str, ty: Option<TypeId>) -> Option<usize> {
        let parent = self.scopes.last().and_then(|scope| scope.parent);
        let ty = ty.map(|ty| self.program.type_text(ty));
        self.item(Item { parent, ty, ..item(kind, label) })
    }

    fn edge(&mut self, from: usize, to: usize, kind: EdgeKind) {
        if from != to {
            self.edges.push(Edge { from, to, kind });
        }
    }

    fn region(
        &mut self,
        id: RegionId,
        parent: Option<usize>,
        path: &str,
        params: Vec<(SmolStr, Option<TypeId>)>,
        flows: bool,
    ) {
        let program = self.program;
        let Some(region) = program.regions.get(id.index()) else { return };
        let is_root = self.scopes.is_empty();
        // The form stands in the region around this one; the block is inside it.
        let form = parent.and_then(|block| self.items.get(block)).and_then(|block| block.parent);
        let count = params.len();
        self.scopes.push(Scope {
            parent,
            slots: vec![None; count],
            params,
            region: id,
            outer: Vec::new(),
            form,
            flows,
            above: Vec::new(),
        });
        if is_root {
            for slot in 0..count as u32 {
                self.source(0, slot);
            }
        }
        for (index, node) in (region.params..).zip(&region.nodes) {
            let result = program.exprs.get(region.result.0 as usize);
            let ends = result == Some(&Expr::Slot { up: 0, slot: index });
            let drawn = self.node(node, path, flows && ends);
            if let Some(scope) = self.scopes.last_mut() {
                scope.slots.push(drawn);
            }
        }
        let trivial = matches!(
            program.exprs.get(region.result.0 as usize),
            Some(Expr::Const(crate::Value::None))
        );
        if is_root || !trivial {
            let label = self.result(region.result);
            let result = self.plain(ItemKind::Result, &label, None);
            if let Some(result) = result {
                self.reads(result, &[region.result]);
            }
        }
        self.scopes.pop();
    }

    /// A block's result in a few words.
    fn result(&mut self, id: ExprId) -> String {
        let flows = self.scopes.last().is_some_and(|scope| scope.flows);
        match self.program.exprs.get(id.0 as usize) {
            Some(Expr::Slot { up, slot }) => {
                let source = self.source(*up, *slot).and_then(|source| self.items.get(source));
                source.map(|item| item.label.clone()).unwrap_or_default()
            }
            Some(Expr::Variant(0, _)) if flows => "done".into(),
            Some(Expr::Variant(1, _)) if flows => "next".into(),
            _ => self.program.result_text(id),
        }
    }

    /// The item that gives a slot's value where it is read.
    fn source(&mut self, up: u32, slot: u32) -> Option<usize> {
        let depth = self.scopes.len();
        if up == 0 {
            let scope = self.scopes.last()?;
            if let Some(known) = scope.slots.get(slot as usize).copied().flatten() {
                return Some(known);
            }
            let (name, ty) = scope.params.get(slot as usize)?.clone();
            let input = self.plain(ItemKind::Input, &name, ty)?;
            if let Some(place) = self.scopes.last_mut()?.slots.get_mut(slot as usize) {
                *place = Some(input);
            }
            return Some(input);
        }
        let at = depth.checked_sub(1 + up as usize)?;
        if let Some((_, known)) =
            self.scopes.last()?.outer.iter().find(|(key, _)| *key == (up, slot))
        {
            return Some(*known);
        }
        // The value flows into each form on the way inwards.
        let inner: Vec<Scope> = self.scopes.drain(at + 1..).collect();
        let source = self.source(0, slot);
        let form = inner.first().and_then(|scope| scope.form);
        self.scopes.extend(inner);
        let source = source?;
        if let Some(form) = form {
            self.edge(source, form, EdgeKind::Data);
        }
        let label = self.items.get(source).map(|item| item.label.clone()).unwrap_or_default();
        let outer = self.plain(ItemKind::Outer, &label, None)?;
        self.scopes.last_mut()?.outer.push(((up, slot), outer));
        Some(outer)
    }

    /// Data edges from everything that expressions read.
    fn reads(&mut self, to: usize, roots: &[ExprId]) {
        let mut stack: Vec<ExprId> = roots.to_vec();
        let mut slots = Vec::new();
        let mut seen = rustc_hash::FxHashSet::default();
        while let Some(id) = stack.pop() {
            match self.program.exprs.get(id.0 as usize) {
                Some(Expr::Slot { up, slot }) => slots.push((*up, *slot)),
                Some(expr) if seen.insert(id) => expr.for_each_child(|child| stack.push(child)),
                _ => {}
            }
        }
        slots.sort_unstable();
        slots.dedup();
        for (up, slot) in slots {
            if let Some(from) = self.source(up, slot) {
                self.edge(from, to, EdgeKind::Data);
            }
        }
    }

    /// The type of what an expression gives, where it is easily seen.
    fn type_of(&self, id: ExprId) -> Option<TypeId> {
        labels::type_of(self.program, id, &|up, slot| {
            let scope = self.scopes.iter().rev().nth(up)?;
            let types = scope.params.iter().map(|(_, ty)| *ty).collect::<Vec<_>>();
            labels::slot_type(self.program, scope.region, &types, slot)
        })
    }

    fn node(&mut self, node: &'p Node, path: &str, ends: bool) -> Option<usize> {
        let program = self.program;
        let own =
            if path.is_empty() { node.path.to_string() } else { format!("{path}/{}", node.path) };
        let names = |ids: &[crate::ResourceId]| {
            let name = |id: &crate::ResourceId| program.resources.get(id.index()).cloned();
            ids.iter().filter_map(name).collect()
        };
        let parent = self.scopes.last().and_then(|scope| scope.parent);
        let (kind, detail) = describe(program, node);
        let drawn = self.item(Item {
            parent,
            kind,
            path: own.clone(),
            label: node.path.to_string(),
            detail,
            ty: Some(program.type_text(node.ty)),
            grows: node.grows,
            gated: node.gate != crate::Gate::Free,
            guard: node.guard,
            reads: names(&node.reads),
            writes: names(&node.writes),
        })?;
        let mut roots = Vec::new();
        node.kind.for_each_expr(|expr| roots.push(expr));
        self.reads(drawn, &roots);
        // What flows is waited for anyway.
        for other in node.order.iter().filter(|other| !node.data.contains(other)) {
            let params = self.scopes.last().map_or(0, |scope| scope.params.len());
            let from = self
                .scopes
                .last()
                .and_then(|s| s.slots.get(params + *other as usize))
                .copied()
                .flatten();
            if let Some(from) = from {
                self.edge(from, drawn, EdgeKind::Order);
            }
        }
        self.gates(drawn, node);
        let matched = match &node.kind {
            NodeKind::Switch { scrutinee, .. } => self.type_of(*scrutinee),
            _ => None,
        };
        for (index, (label, region, params)) in
            blocks(program, &node.kind, matched).into_iter().enumerate()
        {
            let block = self.item(Item { parent: Some(drawn), ..item(ItemKind::Block, &label) })?;
            self.edge(drawn, block, EdgeKind::Control);
            let params = params.into_iter().map(|name| (name, None)).collect();
            let flows = match &node.kind {
                NodeKind::Loop(_) => index == 0,
                NodeKind::Switch { .. } => ends,
                _ => false,
            };
            // As in the paths of a run: alternatives are told apart by their number.
            let inner = match &node.kind {
                NodeKind::Switch { .. } | NodeKind::Race { .. } => format!("{own}.{index}"),
                NodeKind::Loop(_) if index == 1 => format!("{own}.else"),
                NodeKind::Policy(_) if index == 1 => format!("{own}.fallback"),
                NodeKind::Catch { .. } if index > 0 => format!("{own}.catch{}", index - 1),
                _ => own.clone(),
            };
            self.region(region, Some(block), &inner, params, flows);
        }
        Some(drawn)
    }
}

impl Drawer<'_> {
    /// Gates of a node. What is waited for through a node in between is not drawn again, so their number is linear.
    fn gates(&mut self, drawn: usize, node: &Node) {
        let Some(scope) = self.scopes.last_mut() else { return };
        if !node.holds_gate {
            scope.above.push(drawn);
            return;
        }
        let waits = std::mem::replace(&mut scope.above, vec![drawn]);
        let known: rustc_hash::FxHashSet<usize> =
            self.edges.iter().rev().take_while(|e| e.to == drawn).map(|e| e.from).collect();
        for from in waits.into_iter().filter(|from| !known.contains(from)) {
            self.edge(from, drawn, EdgeKind::Gate);
        }
    }
}

fn item(kind: ItemKind, label: &str) -> Item {
    Item {
        parent: None,
        kind,
        path: String::new(),
        label: label.to_owned(),
        detail: String::new(),
        ty: None,
        grows: false,
        gated: false,
        guard: false,
        reads: Vec::new(),
        writes: Vec::new(),
    }
}

/// What a node is and does, in a few words.
fn describe(program: &Program, node: &Node) -> (ItemKind, String) {
    let target = |id: &crate::TargetId| program.targets.get(id.index()).map_or("?", |t| t.as_str());
    match &node.kind {
        NodeKind::Pure(_) => (ItemKind::Pure, String::new()),
        NodeKind::Call(call) => {
            let graph = program.graphs.get(call.graph.index());
            let name = graph.map_or("?", |graph| graph.name.as_str());
            match graph.and_then(|graph| model_of(program, graph)) {
                Some(role) => {
                    let role = call.model.as_ref().unwrap_or(role);
                    (ItemKind::Model, format!("{name}: model {role}"))
                }
                None => (ItemKind::Call, name.to_owned()),
            }
        }
        NodeKind::Leaf(call) => match program.leaves.get(call.leaf.index()) {
            Some(leaf) => {
                let kind = match leaf.class {
                    EffectClass::Read => ItemKind::Read,
                    EffectClass::Write { .. } => ItemKind::Write,
                    EffectClass::Model => ItemKind::Model,
                    _ => ItemKind::Other,
                };
                (kind, leaf.name.to_string())
            }
            None => (ItemKind::Other, "?".into()),
        },
        NodeKind::Model(call) => (ItemKind::Model, format!("model {}", call.role)),
        NodeKind::Switch { .. } => (ItemKind::Form, "one of".into()),
        NodeKind::Map(map) => {
            let word = match (map.sequential, map.early) {
                (true, _) => "for each, one after the other",
                (false, true) => "for each, as they come",
                (false, false) => "for each",
            };
            (ItemKind::Form, word.into())
        }
        NodeKind::Loop(_) => (ItemKind::Form, "loop".into()),
        NodeKind::Race { need, arms, .. } => {
            (ItemKind::Form, format!("the first {need} of {}", arms.len()))
        }
        NodeKind::Catch { .. } => (ItemKind::Form, "catch".into()),
        NodeKind::Try(_) => (ItemKind::Form, "try".into()),
        NodeKind::Undo(_) => (ItemKind::Form, "undo, should the graph fail later".into()),
        NodeKind::Policy(policy) => {
            let parts = [
                ("deadline", policy.deadline.is_some()),
                ("cache", policy.cache.is_some()),
                ("retry", policy.retry.is_some()),
                ("timeout", policy.timeout.is_some()),
                ("rate", policy.rate.is_some()),
                ("fallback", policy.fallback.is_some()),
            ];
            let words: Vec<&str> =
                parts.iter().filter(|(_, on)| *on).map(|(word, _)| *word).collect();
            (ItemKind::Form, format!("with {}", words.join(", ")))
        }
        NodeKind::Approve(approve) => {
            let name = match approve.what {
                Approved::Leaf(id) => program.leaves.get(id.index()).map(|leaf| &leaf.name),
                Approved::Graph(id) => program.graphs.get(id.index()).map(|graph| &graph.name),
                Approved::Stub(id) => program.targets.get(id.index()),
            };
            let name = name.map_or("?", |name| name.as_str());
            let by = constant_text(program, Some(approve.role));
            let by = by.map_or(String::new(), |by| format!(" by {by}"));
            (ItemKind::Person, format!("approval of {name}{by}"))
        }
        NodeKind::Ask(ask) => {
            let to = constant_text(program, ask.to).map_or(String::new(), |to| format!(" {to}"));
            let what = if ask.choose.is_some() { ": a selection" } else { "" };
            (ItemKind::Person, format!("asks{to}{what}"))
        }
        NodeKind::Stubbed { target: id, .. } => {
            (ItemKind::Call, format!("{} (stubbed)", target(id)))
        }
        NodeKind::Expect { source, .. } => (ItemKind::Other, source.to_string()),
    }
}

/// The text that an expression is, if it is a constant.
fn constant_text(program: &Program, id: Option<ExprId>) -> Option<&str> {
    match program.exprs.get(id?.0 as usize)? {
        Expr::Const(value) => value.as_text(),
        _ => None,
    }
}

/// The role that a prompt asks.
fn model_of<'p>(program: &'p Program, graph: &Graph) -> Option<&'p SmolStr> {
    if graph.kind != GraphKind::Prompt {
        return None;
    }
    let region = program.regions.get(graph.body.index())?;
    region.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Model(call) => Some(&call.role),
        _ => None,
    })
}

/// The blocks of a form: what each is called, and the names of its parameters. `matched` is the type of what a choice
/// looks at, if it is known.
fn blocks(
    program: &Program,
    kind: &NodeKind,
    matched: Option<TypeId>,
) -> Vec<(String, RegionId, Vec<SmolStr>)> {
    let numbered = |count: usize, word: &str| -> Vec<SmolStr> {
        let name = |at| if count == 1 { word.into() } else { format_smolstr!("{word} {}", at + 1) };
        (0..count).map(name).collect()
    };
    let arms = |arms: &[crate::program::Arm], subject: labels::Subject| {
        let each = arms.iter().map(|arm| {
            let guard = if arm.guard.is_some() { " if …" } else { "" };
            let label = format!("{}{guard}", labels::pattern(program, &arm.pattern, subject));
            (label, arm.body, numbered(arm.pattern.binders().len(), "value"))
        });
        each.collect::<Vec<_>>()
    };
    match kind {
        NodeKind::Switch { arms: all, .. } => {
            arms(all, matched.map_or(labels::Subject::Unknown, labels::Subject::Type))
        }
        NodeKind::Catch { body, arms: all } => {
            let mut blocks = vec![("body".to_owned(), *body, Vec::new())];
            blocks.extend(arms(all, labels::Subject::Failure));
            blocks
        }
        NodeKind::Map(map) => {
            vec![("each item".into(), map.body, numbered(map.pattern.binders().len(), "item"))]
        }
        NodeKind::Loop(repeat) => {
            let state = || numbered(repeat.init.len(), "state");
            vec![
                ("each round".into(), repeat.body, state()),
                ("else".into(), repeat.otherwise, state()),
            ]
        }
        NodeKind::Race { arms, .. } => arms
            .iter()
            .enumerate()
            .map(|(at, arm)| (format!("arm {}", at + 1), *arm, Vec::new()))
            .collect(),
        NodeKind::Try(body) => vec![("body".into(), *body, Vec::new())],
        NodeKind::Undo(undo) => {
            vec![("undo".into(), undo.body, numbered(undo.args.len(), "value"))]
        }
        NodeKind::Policy(policy) => {
            let mut blocks = vec![("each attempt".to_owned(), policy.body, Vec::new())];
            blocks.extend(policy.fallback.map(|body| ("fallback".to_owned(), body, Vec::new())));
            blocks
        }
        _ => Vec::new(),
    }
}
