//! Lowering: HIR, types and effects to a program as data.
//!
//! Only what the roots need is lowered. Pure code becomes expressions, everything else becomes nodes in textual order,
//! each with a stable path; what follows from the nodes (edges, gates) is filled in at the end, and the result is
//! verified. Programs with errors are never lowered; should an earlier stage and this one contradict each other, that
//! is a diagnostic of its own, never a panic.

mod body;
mod builtins;
mod calls;
mod control;
mod externs;
mod graphs;
mod growth;
mod patterns;
mod people;
mod policies;
mod regions;
mod sessions;
mod shape;
mod testing;
#[cfg(test)]
pub(crate) mod tests;
mod types;
mod undo;
mod values;
mod waits;

pub use waits::{Wait, waits};

use std::rc::Rc;

use kait_ir::program::{Program, RoleDecl};
use kait_ir::types::TypeId;
use kait_ir::{ExprId, FunctionId, GraphId, LeafId, ResourceId, TargetId};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use crate::check::Types;
use crate::diagnostics::{Code, Diagnostic, FileId, Span};
use crate::effects::{Effects, Resource};
use crate::hir::{CallableKind, Def, DefId, DefKind, Hir};
use crate::labels::Vouched;
use crate::sources::Files;
pub(crate) use calls::class as class_of;
use growth::Growths;
use shape::Shape;
use types::TypeTable;
pub(crate) use types::{bound as bound_of, primitive as primitive_of};

/// What lowering looks at: the results of all earlier stages.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// The files, for paths and the text of expectations.
    pub files: &'a Files,
    /// The program with its names resolved.
    pub hir: &'a Hir,
    /// Its types.
    pub types: &'a Types,
    /// Its effects.
    pub effects: &'a Effects,
}

/// Lowers the callables `roots` and what they need; they are the first graphs of the program, in that order. Roots that
/// cannot be called (and `fn`s, which are no graphs) are left out.
///
/// # Errors
/// A diagnostic, if code is nested too deeply to run or the compiler contradicts itself.
pub fn lower(input: Input<'_>, roots: &[DefId]) -> Result<Program, Box<Diagnostic>> {
    lower_graphs(input, roots, false)
}

/// As [`lower`], for a program that is kept rather than run now: calls of leaves that this version does not reach are in
/// it like others.
///
/// # Errors
/// As [`lower`].
pub fn lower_to_keep(input: Input<'_>, roots: &[DefId]) -> Result<Program, Box<Diagnostic>> {
    lower_graphs(input, roots, true)
}

fn lower_graphs(
    input: Input<'_>,
    roots: &[DefId],
    keeps: bool,
) -> Result<Program, Box<Diagnostic>> {
    let mut lowerer = Lowerer::new(input, FxHashMap::default());
    lowerer.keeps = keeps;
    lowerer.growths = Growths::of(&lowerer, roots);
    for root in roots {
        if matches!(lowerer.callable_kind(*root), Some(CallableKind::Graph | CallableKind::Prompt))
        {
            lowerer.graph(*root, &[]);
        }
    }
    lowerer.finish()
}

/// Lowers one test and what it needs: its block is the first graph. Callables that it stubs become
/// [`kait_ir::NodeKind::Stubbed`], those whose calls it asks about are counted.
///
/// # Errors
/// As [`lower`].
pub fn lower_test(input: Input<'_>, test: DefId) -> Result<Program, Box<Diagnostic>> {
    let (targets, names) = testing::targets(input, test);
    let mut lowerer = Lowerer::new(input, targets);
    lowerer.program.targets = names;
    lowerer.in_test = true;
    lowerer.growths = Growths::of(&lowerer, &[test]);
    lowerer.test(test);
    lowerer.finish()
}

/// What a leaf is that this version checks and does not reach, in words; nothing, if it reaches it.
#[must_use]
pub fn leaf_not_run(kind: &str, locator: &str) -> Option<String> {
    match kind {
        "native" => {
            let is_later = kait_stdlib::not_run().contains(&locator);
            let name = locator.strip_prefix("prelude.").unwrap_or(locator);
            is_later.then(|| format!("calls of `{name}`"))
        }
        "http" | "process" => None,
        "mcp" => Some("tools of MCP servers".to_owned()),
        kind => Some(format!("externs from `{kind}`")),
    }
}

/// Something that a test stubs or counts.
#[derive(Clone, Copy, Debug)]
struct Target {
    id: TargetId,
    stubbed: bool,
}

/// A declaration with the types that its type parameters stand for.
type Instance = (DefId, Rc<[TypeId]>);

/// The program so far, and what is still to be lowered.
struct Lowerer<'a> {
    input: Input<'a>,
    program: Program,
    table: TypeTable,
    graphs: FxHashMap<Instance, GraphId>,
    functions: FxHashMap<Instance, FunctionId>,
    leaves: FxHashMap<Instance, LeafId>,
    resources: FxHashMap<Resource, ResourceId>,
    roles: FxHashSet<SmolStr>,
    targets: FxHashMap<DefId, Target>,
    /// A test is lowered: what this version does not run is a leaf there, which a stub answers.
    in_test: bool,
    /// The program is kept, not run now: leaves that this version does not reach are in it.
    keeps: bool,
    /// What its stubs answer beside calls.
    people: people::People,
    /// Labels of arguments: made when the first call is to be approved.
    vouched: Option<Vouched<'a>>,
    /// Graphs and functions whose ids are given out and whose bodies are still to be lowered, last one first.
    pending: Vec<Pending>,
    /// Declarations that cannot be evaluated as an expression.
    nodes: Vec<bool>,
    shapes: FxHashMap<DefId, Rc<Shape>>,
    growths: Growths,
    /// Values of constants that were asked for, where they have one without being evaluated.
    constants: FxHashMap<DefId, Option<kait_ir::Value>>,
    fault: Option<Box<Diagnostic>>,
}

enum Pending {
    Graph(GraphId, Instance),
    Function(FunctionId, Instance),
}

impl<'a> Lowerer<'a> {
    fn vouched(&mut self) -> &Vouched<'a> {
        let Input { hir, types, effects, .. } = self.input;
        self.vouched.get_or_insert_with(|| Vouched::of(hir, types, effects))
    }

    fn new(input: Input<'a>, targets: FxHashMap<DefId, Target>) -> Self {
        let mut program = Program::default();
        if let Some(module) = input.hir.modules.first() {
            let path = input.files.get(module.file).map(|file| stem(&file.path));
            program.name = path.unwrap_or_default();
        }
        program.files = input.files.iter().map(|(_, file)| SmolStr::new(&file.path)).collect();
        let nodes = shape::nodes(input, &targets);
        Self {
            input,
            program,
            table: TypeTable::default(),
            graphs: FxHashMap::default(),
            functions: FxHashMap::default(),
            leaves: FxHashMap::default(),
            resources: FxHashMap::default(),
            roles: FxHashSet::default(),
            targets,
            in_test: false,
            keeps: false,
            people: people::People::default(),
            vouched: None,
            pending: Vec::new(),
            nodes,
            shapes: FxHashMap::default(),
            growths: Growths::default(),
            constants: FxHashMap::default(),
            fault: None,
        }
    }

    /// Lowers what is pending, fills in what follows, and verifies.
    fn finish(mut self) -> Result<Program, Box<Diagnostic>> {
        loop {
            // First come first served, so that the order of the tables follows the text.
            let work = std::mem::take(&mut self.pending);
            let idle = work.is_empty();
            for pending in work {
                match pending {
                    Pending::Graph(id, (def, subst)) => self.graph_body(id, def, &subst),
                    Pending::Function(id, (def, subst)) => self.function_body(id, def, &subst),
                }
            }
            if idle && !self.fill_type() {
                break;
            }
        }
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        self.finish_questions();
        kait_ir::fill(&mut self.program);
        match kait_ir::verify(&self.program) {
            Ok(()) => Ok(self.program),
            Err(errors) => {
                let deep = errors
                    .iter()
                    .any(|error| matches!(error.problem, kait_ir::verify::Problem::TooDeep { .. }));
                let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
                Err(Box::new(if deep {
                    Diagnostic::new(
                        Code::NestedTooDeep,
                        self.input.start(),
                        "code is nested too deeply to run",
                    )
                    .help("give parts of the longest expressions names with `let`")
                } else {
                    internal(
                        self.input.start(),
                        &format!("the program does not verify: {}", all.join("; ")),
                    )
                }))
            }
        }
    }

    /// Notes that earlier stages and this one contradict each other; the first one counts.
    fn broken(&mut self, span: Span, what: &str) -> ExprId {
        self.fault.get_or_insert_with(|| Box::new(internal(span, what)));
        self.constant(kait_ir::Value::None)
    }

    /// Notes that a part of the language is not lowered by this version.
    fn not_supported(&mut self, span: Span, what: &str) -> ExprId {
        self.fault.get_or_insert_with(|| Box::new(Diagnostic::not_supported(span, what)));
        self.constant(kait_ir::Value::None)
    }

    /// Notes that this version checks something and does not run it.
    fn not_run(&mut self, span: Span, what: &str) -> ExprId {
        let in_test = self.in_test;
        self.fault.get_or_insert_with(|| {
            let mut finding = Diagnostic::not_run(span, what);
            if in_test {
                // This is the test: what is met here was not stubbed, or cannot be.
                finding.help =
                    Some("stub the graph that does this, or test the parts around it".into());
            }
            Box::new(finding)
        });
        self.constant(kait_ir::Value::None)
    }

    fn def(&self, id: DefId) -> Option<&'a Def> {
        self.input.hir.defs.get(id.index()).map(|def| &**def)
    }

    fn callable_kind(&self, id: DefId) -> Option<&'a CallableKind> {
        match &self.def(id)?.kind {
            DefKind::Callable(callable) => Some(&callable.kind),
            _ => None,
        }
    }

    /// Whether calling it takes a node rather than an expression.
    fn is_node(&self, def: DefId) -> bool {
        self.nodes.get(def.index()).copied().unwrap_or(false)
    }

    fn graph(&mut self, def: DefId, subst: &[TypeId]) -> GraphId {
        let key: Instance = (def, subst.into());
        if let Some(known) = self.graphs.get(&key) {
            return *known;
        }
        let id = self.new_graph(def, subst);
        self.graphs.insert(key.clone(), id);
        self.pending.push(Pending::Graph(id, key));
        id
    }

    fn function(&mut self, def: DefId, subst: &[TypeId]) -> FunctionId {
        let key: Instance = (def, subst.into());
        if let Some(known) = self.functions.get(&key) {
            return *known;
        }
        let id = FunctionId(u32::try_from(self.program.functions.len()).unwrap_or(u32::MAX));
        let name = self.instance_name(def, subst);
        let signature = self.input.types.signature(def);
        let params = signature.map_or(&[][..], |found| &found.params);
        let params = params.iter().map(|ty| self.ty(*ty, subst)).collect();
        let result = match signature {
            Some(found) => self.ty(found.result, subst),
            None => self.plain(kait_ir::Type::None),
        };
        self.program.functions.push(kait_ir::Function { name, params, result, body: ExprId(0) });
        self.functions.insert(key.clone(), id);
        self.pending.push(Pending::Function(id, key));
        id
    }

    /// A declaration's name with the types that it is instantiated with: `headline`, `first<text>`.
    fn instance_name(&self, def: DefId, subst: &[TypeId]) -> SmolStr {
        let name = self.qualified(def);
        if subst.is_empty() {
            return name;
        }
        let args: Vec<String> = subst.iter().map(|arg| self.program.type_text(*arg)).collect();
        format!("{name}<{}>", args.join(", ")).into()
    }

    fn resource(&mut self, resource: Resource) -> ResourceId {
        if let Some(known) = self.resources.get(&resource) {
            return *known;
        }
        let id = ResourceId(u32::try_from(self.program.resources.len()).unwrap_or(u32::MAX));
        self.program.resources.push(self.input.effects.resources.path(resource).into());
        self.resources.insert(resource, id);
        id
    }

    fn resources(&mut self, all: &[Resource]) -> Vec<ResourceId> {
        let mut ids: Vec<ResourceId> = all.iter().map(|one| self.resource(*one)).collect();
        ids.sort_unstable();
        ids
    }

    /// Declares a model role of the program.
    fn role(&mut self, def: DefId) -> SmolStr {
        let name = self.qualified(def);
        if self.roles.insert(name.clone()) {
            let needs = match self.def(def).map(|def| &def.kind) {
                Some(DefKind::Model { needs }) => {
                    { needs.iter().map(|(name, value, _)| (name.clone(), values::literal(value))) }
                        .collect()
                }
                _ => Vec::new(),
            };
            self.program.roles.push(RoleDecl { name: name.clone(), needs });
        }
        name
    }

    /// The place of a span in the program's own table of files.
    fn span(span: Span) -> Option<kait_ir::program::Span> {
        Some(kait_ir::program::Span { file: span.file.0, start: span.start, end: span.end })
    }
}

impl Input<'_> {
    /// The beginning of the root file: where faults stand that have no better place.
    fn start(&self) -> Span {
        let file = self.hir.modules.first().map_or(FileId(0), |module| module.file);
        Span::new(file, 0, 0)
    }
}

fn internal(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::Internal, span, "the compiler contradicted itself while lowering")
        .note(what)
        .help("this is a fault of the compiler, not of the program: please report it")
}

/// `examples/route.kait` → `route`.
fn stem(path: &str) -> SmolStr {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".kait").unwrap_or(name).into()
}
