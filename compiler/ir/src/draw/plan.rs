//! What a run would do, before anything runs: the steps in order, through calls, with effects, models and questions.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::{blocks, describe, head, labels};
use crate::expr::ExprId;
use crate::program::{EffectClass, Gate, GraphId, Node, NodeKind, Program, RegionId};
use crate::types::TypeId;

/// Steps of one listing; what is beyond is left out, and said so.
const MAX_STEPS: usize = 2_000;

/// A listing of what a run of a graph would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// `support(message: text) -> Answer`
    pub title: String,
    /// The plan's hash.
    pub hash: String,
    /// Budgets of the header, as written: `time 1m`.
    pub budgets: Vec<String>,
    /// The steps, in textual order.
    pub steps: Vec<Step>,
    /// What may be done to the world: `read net`, `write file`, `clock`.
    pub effects: Vec<String>,
    /// The model roles that may be asked, with what they need.
    pub models: Vec<String>,
    /// What people may be asked.
    pub questions: Vec<SmolStr>,
    /// Whether steps were left out because there are too many.
    pub cut: bool,
}

/// A step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// How deep it stands in blocks and calls.
    pub depth: usize,
    /// Its number among the steps (`2.1`), or the block's name.
    pub number: String,
    /// Its name.
    pub name: String,
    /// What it does.
    pub what: String,
    /// Its own effects, as a header writes them.
    pub effects: Vec<String>,
    /// What it waits for besides the values that it needs.
    pub waits: Waits,
    /// Whether all below it waits for it.
    pub holds: bool,
}

/// What a step waits for besides values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waits {
    /// Nothing.
    #[default]
    No,
    /// Until all that stands above it has succeeded.
    All,
    /// As [`Waits::All`], but not for questions to people: they open side by side.
    AllButQuestions,
}

/// Lists what a run of a graph of a verified program would do.
pub fn plan(program: &Program, id: GraphId) -> Plan {
    let mut lister = Lister {
        program,
        plan: Plan { hash: crate::hash(program).to_string(), ..Plan::default() },
        effects: BTreeSet::new(),
        models: BTreeSet::new(),
        scopes: Vec::new(),
        open: FxHashSet::default(),
    };
    if let Some(graph) = program.graphs.get(id.index()) {
        lister.plan.title = head(program, graph);
        for (name, value) in &graph.budgets {
            lister.plan.budgets.push(format!("{name} {}", program.expr_text(*value)));
        }
        lister.graph(id, 0, "");
    }
    let Lister { mut plan, effects, models, .. } = lister;
    plan.effects = effects.into_iter().collect();
    plan.models = models.into_iter().map(|role| needs(program, &role)).collect();
    plan
}

fn needs(program: &Program, role: &SmolStr) -> String {
    let declared = program.roles.iter().find(|declared| declared.name == *role);
    let needs: Vec<String> = declared
        .map_or(&[][..], |role| &role.needs)
        .iter()
        .map(|(name, value)| format!("{name}: {}", crate::display::ValueText(value)))
        .collect();
    if needs.is_empty() { role.to_string() } else { format!("{role} ({})", needs.join(", ")) }
}

struct Lister<'p> {
    program: &'p Program,
    plan: Plan,
    effects: BTreeSet<String>,
    models: BTreeSet<SmolStr>,
    /// The regions that enclose the place, innermost last, with the types of their parameters as far as they are known.
    scopes: Vec<(RegionId, Vec<Option<TypeId>>)>,
    /// Graphs on the way, so that recursion ends.
    open: FxHashSet<GraphId>,
}

impl Lister<'_> {
    fn step(&mut self, depth: usize, number: &str, name: &str, what: String) {
        if self.plan.steps.len() >= MAX_STEPS {
            self.plan.cut = true;
            return;
        }
        let (number, name) = (number.to_owned(), name.to_owned());
        self.plan.steps.push(Step { depth, number, name, what, ..Step::default() });
    }

    fn graph(&mut self, id: GraphId, depth: usize, number: &str) {
        if !self.open.insert(id) {
            return;
        }
        if let Some(graph) = self.program.graphs.get(id.index()) {
            let params = graph.params.iter().map(|param| Some(param.ty)).collect();
            self.region(graph.body, params, depth, number);
        }
        self.open.remove(&id);
    }

    fn region(&mut self, id: RegionId, params: Vec<Option<TypeId>>, depth: usize, number: &str) {
        self.scopes.push((id, params));
        let nodes = self.program.regions.get(id.index()).map_or(&[][..], |region| &region.nodes);
        let mut count = 0;
        for node in nodes {
            if self.plan.cut {
                break;
            }
            // Pure code is no step: it takes no time and does nothing.
            if matches!(node.kind, NodeKind::Pure(_)) && !node.guard {
                continue;
            }
            count += 1;
            let number =
                if number.is_empty() { format!("{count}") } else { format!("{number}.{count}") };
            self.node(node, depth, &number);
        }
        self.scopes.pop();
    }

    fn type_of(&self, id: ExprId) -> Option<TypeId> {
        labels::type_of(self.program, id, &|up, slot| {
            let (region, params) = self.scopes.iter().rev().nth(up)?;
            labels::slot_type(self.program, *region, params, slot)
        })
    }

    fn node(&mut self, node: &Node, depth: usize, number: &str) {
        let (_, mut what) = describe(self.program, node);
        let mut own: Vec<String> = Vec::new();
        match &node.kind {
            NodeKind::Leaf(call) => {
                if let Some(leaf) = self.program.leaves.get(call.leaf.index()) {
                    what = leaf.name.to_string();
                    let effects = leaf_effects(self.program, leaf);
                    if !effects.is_empty() {
                        let _ = write!(what, ": {}", effects.join(", "));
                    }
                    if leaf.class == EffectClass::Human && !self.plan.questions.contains(&leaf.name)
                    {
                        self.plan.questions.push(leaf.name.clone());
                    }
                    own.clone_from(&effects);
                    self.effects.extend(effects);
                }
            }
            NodeKind::Model(call) => {
                own.push(format!("model {}", call.role));
                what = self.model(call.role.clone(), call.repair, &call.output);
            }
            NodeKind::Call(call) => {
                let prompt = self.prompt(call.graph);
                if let Some((role, repair, output)) = prompt {
                    let role = call.model.clone().unwrap_or(role);
                    own.push(format!("model {role}"));
                    let asked = self.model(role, call.repair.unwrap_or(repair), &output);
                    let name = self.program.graphs.get(call.graph.index()).map_or("?", |g| &g.name);
                    what = format!("{name}: {asked}");
                }
            }
            NodeKind::Approve(_) | NodeKind::Ask(_) => {
                if let Some(within) = self.within(&node.kind) {
                    let _ = write!(what, ", at most {within}");
                }
                own.push("human".into());
                self.effects.insert("human".into());
                let question = SmolStr::from(what.as_str());
                if !self.plan.questions.contains(&question) {
                    self.plan.questions.push(question);
                }
            }
            NodeKind::Pure(_) => what = "may end the run".into(),
            _ => {}
        }
        if node.guard && !matches!(node.kind, NodeKind::Pure(_)) {
            what.push_str(" (all below waits)");
        }
        self.step(depth, number, &node.path, what);
        if let Some(step) = self.plan.steps.last_mut().filter(|_| !self.plan.cut) {
            step.effects = own;
            step.holds = node.guard;
            step.waits = match node.gate {
                Gate::Free => Waits::No,
                Gate::All => Waits::All,
                Gate::Ask => Waits::AllButQuestions,
            };
        }
        let matched = match &node.kind {
            NodeKind::Switch { scrutinee, .. } => self.type_of(*scrutinee),
            _ => None,
        };
        for (label, region, params) in blocks(self.program, &node.kind, matched) {
            let has_steps =
                self.program.regions.get(region.index()).is_some_and(|r| !r.nodes.is_empty());
            if has_steps {
                self.step(depth + 1, "", &label, String::new());
                self.region(region, vec![None; params.len()], depth + 2, number);
            }
        }
        if let NodeKind::Call(call) = &node.kind
            && self.prompt(call.graph).is_none()
        {
            if self.open.contains(&call.graph) {
                self.step(depth + 1, "", "…", "calls itself, as above".into());
            } else {
                self.graph(call.graph, depth + 1, number);
            }
        }
    }

    /// How long a person may take, if it is written out.
    fn within(&self, kind: &NodeKind) -> Option<String> {
        let within = match kind {
            NodeKind::Approve(approve) => approve.within,
            NodeKind::Ask(ask) => ask.within,
            _ => return None,
        };
        Some(self.program.expr_text(within))
    }

    fn model(&mut self, role: SmolStr, repair: u32, output: &TypeId) -> String {
        self.effects.insert("model".into());
        let repairs = match repair {
            0 => String::new(),
            1 => ", 1 repair".into(),
            n => format!(", {n} repairs"),
        };
        let text = format!("asks {role} for {}{repairs}", self.program.type_text(*output));
        self.models.insert(role);
        text
    }

    /// The model call of a prompt that does nothing else.
    fn prompt(&self, id: GraphId) -> Option<(SmolStr, u32, TypeId)> {
        let graph = self.program.graphs.get(id.index())?;
        match self.program.regions.get(graph.body.index())?.nodes.as_slice() {
            [Node { kind: NodeKind::Model(call), .. }] => {
                Some((call.role.clone(), call.repair, call.output))
            }
            _ => None,
        }
    }
}

/// The effects of a leaf, as a header writes them.
fn leaf_effects(program: &Program, leaf: &crate::LeafDecl) -> Vec<String> {
    let path =
        |id: &crate::ResourceId| program.resources.get(id.index()).map_or("", |p| p.as_str());
    let mut effects: Vec<String> = Vec::new();
    effects
        .extend(leaf.writes.iter().map(|id| format!("write {}", path(id)).trim_end().to_owned()));
    effects.extend(leaf.reads.iter().map(|id| format!("read {}", path(id)).trim_end().to_owned()));
    let word = match leaf.class {
        EffectClass::Read => None,
        EffectClass::Write { .. } => leaf.writes.is_empty().then_some("write"),
        EffectClass::Emit => Some("emit"),
        EffectClass::Clock => Some("clock"),
        EffectClass::Random => Some("random"),
        EffectClass::Model => Some("model"),
        EffectClass::Human => Some("human"),
    };
    effects.extend(word.map(str::to_owned));
    effects
}

impl Plan {
    /// The steps, one a line.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_steps(&self, f: &mut impl Write) -> fmt::Result {
        for step in &self.steps {
            let indent = "  ".repeat(step.depth + 1);
            match (step.number.as_str(), step.what.as_str()) {
                ("", "") => write!(f, "{indent}{}:", step.name)?,
                ("", what) => write!(f, "{indent}{} {what}", step.name)?,
                (number, "") => write!(f, "{indent}{number}. {}", step.name)?,
                (number, what) if what == step.name => write!(f, "{indent}{number}. {what}")?,
                (number, what) => write!(f, "{indent}{number}. {} = {what}", step.name)?,
            }
            match step.waits {
                Waits::No => writeln!(f)?,
                Waits::All => writeln!(f, " (after all above)")?,
                Waits::AllButQuestions => writeln!(f, " (after all above but questions)")?,
            }
        }
        if self.cut {
            writeln!(f, "  … (more than {MAX_STEPS} steps)")?;
        }
        Ok(())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        let short = self.hash.get(..16).unwrap_or(&self.hash);
        writeln!(f, "  plan {short}")?;
        if !self.budgets.is_empty() {
            writeln!(f, "  at most {}", self.budgets.join(", "))?;
        }
        self.write_steps(f)?;
        let list = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        writeln!(f, "effects: {}", list(&self.effects))?;
        writeln!(f, "models: {}", list(&self.models))?;
        let questions: Vec<String> = self.questions.iter().map(ToString::to_string).collect();
        writeln!(f, "questions to people: {}", list(&questions))
    }
}
