//! The verifier: what must hold for every program that is loaded, from whatever source.
//!
//! It proves what the engine relies on without looking again: indices are in range, expressions and slots refer only
//! backwards, regions form trees, recursion and nesting are bounded, and the facts that order effects (gates, guards,
//! edges, what is read and written) are the ones that follow from the nodes themselves. It never trusts a field
//! that it can recompute. Time and memory are linear in the program's size, but for expressions that are shared
//! between nodes, whose repeated walks are bounded by [`MAX_SHARING`].

use std::fmt;

use smol_str::SmolStr;

use crate::expr::ExprId;
use crate::program::{FunctionId, GraphId, LeafId, Program, RegionId, ResourceId, TargetId};
use crate::types::TypeId;

mod approvals;
mod exprs;
mod graphs;
mod regions;
mod tables;
mod words;

/// How deep regions may nest within one graph.
pub const MAX_NESTING: u32 = 128;

/// How deep expressions may nest; what evaluates them bounds its recursion by the same number.
pub const MAX_EXPR_DEPTH: u32 = 256;

/// Most locals of one evaluation.
pub const MAX_LOCALS: u32 = 1 << 16;

/// How often, on average, an expression may be walked because several nodes share it.
pub const MAX_SHARING: usize = 8;

/// After that many errors the verifier stops looking.
pub const MAX_ERRORS: usize = 20;

/// A part of a program that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl std::error::Error for VerifyError {}

/// A part of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The program as a whole.
    Program,
    /// A type.
    Type(TypeId),
    /// An expression.
    Expr(ExprId),
    /// A function.
    Function(FunctionId),
    /// A leaf's declaration.
    Leaf(LeafId),
    /// A graph.
    Graph(GraphId),
    /// A region.
    Region(RegionId),
    /// A node of a region.
    Node(RegionId, u32),
    /// A stub.
    Stub(u32),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Program => f.write_str("program"),
            Place::Type(id) => write!(f, "type {}", id.0),
            Place::Expr(id) => write!(f, "expression {}", id.0),
            Place::Function(id) => write!(f, "function {}", id.0),
            Place::Leaf(id) => write!(f, "leaf {}", id.0),
            Place::Graph(id) => write!(f, "graph {}", id.0),
            Place::Region(id) => write!(f, "region {}", id.0),
            Place::Node(id, node) => write!(f, "node {node} of region {}", id.0),
            Place::Stub(index) => write!(f, "stub {index}"),
        }
    }
}

/// What is wrong with a part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// An index points behind the end of its table.
    #[error("there is no {what} {index}")]
    Missing {
        /// The table.
        what: &'static str,
        /// The index.
        index: u32,
    },
    /// An expression refers to one that does not come before it.
    #[error("it refers to expression {0}, which does not come before it")]
    Forward(u32),
    /// Something nests too deep.
    #[error("{what} nest deeper than {limit}")]
    TooDeep {
        /// What nests.
        what: &'static str,
        /// The limit.
        limit: u32,
    },
    /// Nodes share expressions so much that checking them would not be linear.
    #[error("its expressions are shared too often")]
    Sharing,
    /// A local is read where nothing has written it.
    #[error("local {0} is read before it is written")]
    Unwritten(u32),
    /// A local is written while its value is still needed.
    #[error("local {0} is written twice")]
    Rewritten(u32),
    /// A local lies beyond [`Program::max_locals`], or there are more than [`MAX_LOCALS`].
    #[error("local {0} is out of range")]
    Local(u32),
    /// The alternatives of a pattern bind different locals, or there are none.
    #[error("the alternatives of a pattern bind different names")]
    Alternatives,
    /// A slot is read that is not known where it is read.
    #[error("slot {slot} of {up} regions outwards is not known here")]
    Slot {
        /// Regions outwards.
        up: u32,
        /// The slot.
        slot: u32,
    },
    /// A count is not what its declaration says.
    #[error("it has {found} {what}, not {wanted}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// A region is used more than once, or never.
    #[error("it is used {0} times, not once")]
    Uses(u32),
    /// A derived field differs from what follows from the node.
    #[error("`{0}` is not what follows from the node")]
    Fact(&'static str),
    /// An edge is missing, points downwards, or is out of order.
    #[error("its edges are not in order: {0}")]
    Edges(&'static str),
    /// Types that contain themselves without a record or enum between.
    #[error("the type contains itself")]
    Cycle,
    /// A call cycle without bound.
    #[error("it calls itself without a depth")]
    Recursion,
    /// A call that needs approval can be reached without its own, or an approve node does not belong to one call.
    #[error("{0}")]
    Approval(SmolStr),
    /// What nobody vouches for can get to where only trusted values may ([`crate::trust`]).
    #[error("{0}")]
    Trust(SmolStr),
    /// Anything else that is against the rules.
    #[error("{0}")]
    Rule(&'static str),
}

/// Checks a program. An error means that it was not made by this compiler, or was damaged since.
pub fn verify(program: &Program) -> Result<(), Vec<VerifyError>> {
    let mut errors = Errors::default();
    // Each step relies on the ones before it, so the first step with errors is the last.
    tables::check(program, &mut errors);
    errors.stop()?;
    exprs::check(program, &mut errors);
    errors.stop()?;
    regions::uses(program, &mut errors);
    errors.stop()?;
    // First what people have to know: whoever takes an approval away breaks other rules, too.
    approvals::check(program, &mut errors);
    regions::check(program, &mut errors);
    errors.stop()?;
    graphs::check(program, &mut errors);
    errors.stop()
}

/// Whether regions form trees that are not too deep, so that one can walk through them; of any program.
pub(crate) fn is_forest(program: &Program) -> bool {
    let mut errors = Errors::default();
    regions::uses(program, &mut errors);
    errors.stop().is_ok()
}

/// Errors so far, at most [`MAX_ERRORS`].
#[derive(Default)]
struct Errors(Vec<VerifyError>);

impl Errors {
    fn add(&mut self, place: Place, problem: Problem) {
        if self.0.len() < MAX_ERRORS {
            self.0.push(VerifyError { place, problem });
        }
    }

    fn stop(&mut self) -> Result<(), Vec<VerifyError>> {
        if self.0.is_empty() { Ok(()) } else { Err(std::mem::take(&mut self.0)) }
    }

    /// Reports an index that is out of range.
    fn index(&mut self, place: Place, what: &'static str, index: u32, len: usize) {
        if index as usize >= len {
            self.add(place, Problem::Missing { what, index });
        }
    }

    fn count(&mut self, place: Place, what: &'static str, found: usize, wanted: usize) {
        if found != wanted {
            self.add(place, Problem::Count { what, found, wanted });
        }
    }
}

/// The sizes of a program's tables, to check ids against.
struct Sizes<'a>(&'a Program);

impl Sizes<'_> {
    fn ty(&self, errors: &mut Errors, place: Place, id: TypeId) {
        errors.index(place, "type", id.0, self.0.types.len());
    }

    fn expr(&self, errors: &mut Errors, place: Place, id: ExprId) {
        errors.index(place, "expression", id.0, self.0.exprs.len());
    }

    fn function(&self, errors: &mut Errors, place: Place, id: FunctionId) {
        errors.index(place, "function", id.0, self.0.functions.len());
    }

    fn graph(&self, errors: &mut Errors, place: Place, id: GraphId) {
        errors.index(place, "graph", id.0, self.0.graphs.len());
    }

    fn region(&self, errors: &mut Errors, place: Place, id: RegionId) {
        errors.index(place, "region", id.0, self.0.regions.len());
    }

    fn leaf(&self, errors: &mut Errors, place: Place, id: LeafId) {
        errors.index(place, "leaf", id.0, self.0.leaves.len());
    }

    fn target(&self, errors: &mut Errors, place: Place, id: TargetId) {
        errors.index(place, "target", id.0, self.0.targets.len());
    }

    fn resources(&self, errors: &mut Errors, place: Place, ids: &[ResourceId]) {
        for id in ids {
            errors.index(place, "resource", id.0, self.0.resources.len());
        }
        if !ids.is_sorted_by(|a, b| a < b) {
            errors.add(place, Problem::Edges("resources are not sorted"));
        }
    }
}
