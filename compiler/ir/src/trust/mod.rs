//! Trust, proven on the program itself: nothing that nobody vouches for comes to where authority is used.
//!
//! The compiler infers labels over the source and reports what is wrong there, with the way that the data took. This
//! pass asks the same of a program as data, which somebody may have edited, and believes nothing of how it was made: a
//! value that comes from outside reaches a `trusted` parameter only through what a person approved or answered, what
//! `endorse` or `allow` vouch for, or a choice among what the program foresaw. What a leaf of the library does and asks
//! for is the library's to say ([`Library`]); of leaves that the program declares itself, and of tools of servers,
//! nobody but the program knows, so there its word is taken.
//!
//! Forward over structured regions, callees first, to a fixpoint: labels only grow. Tests are left out; nothing of them
//! is offered to anybody. Expects a program that [`crate::verify`] accepts.

mod exprs;
mod flow;
mod label;
mod nodes;
#[cfg(test)]
mod tests;
mod types;

use smol_str::SmolStr;

use crate::program::{GraphId, GraphKind, LeafDecl, Program};
use crate::types::{Trust, TypeId};
use crate::verify::VerifyError;

/// What the library says of one of its functions or leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Per parameter, the word in front of its type.
    pub params: Vec<Option<Trust>>,
    /// The word in front of the type of what it gives.
    pub result: Option<Trust>,
    /// Where it only moves values about: per parameter, whether what it gives is made of it. Without, it may be made of
    /// every part of all of them.
    pub moves: Option<Vec<bool>>,
}

/// What a program is held against: the declarations of the library that it was built with.
pub trait Library {
    /// A leaf of the library, by its locator.
    ///
    /// # Errors
    /// In words, what the program says of it otherwise than the library does.
    fn leaf(&self, program: &Program, leaf: &LeafDecl) -> Result<Known, SmolStr>;

    /// A pure function of the library with the types that a call gives it.
    ///
    /// # Errors
    /// In words, why there is no such function with such types.
    fn function(
        &self,
        program: &Program,
        name: &str,
        params: &[TypeId],
        result: TypeId,
    ) -> Result<Known, SmolStr>;
}

/// What is known of a program in which trust holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    graphs: Vec<Vec<u32>>,
}

impl Trusted {
    /// The parameters of a graph that whoever calls it from outside must vouch for, by position.
    pub fn vouched(&self, graph: GraphId) -> &[u32] {
        self.graphs.get(graph.index()).map_or(&[], Vec::as_slice)
    }
}

/// Proves that trust holds in a program.
///
/// # Errors
/// Each place where it does not, and each leaf of which the program says what the library does not say.
pub fn check(program: &Program, library: &dyn Library) -> Result<Trusted, Vec<VerifyError>> {
    let is_test = |kind| kind == GraphKind::Test;
    if program.graphs.iter().any(|graph| is_test(graph.kind)) || !program.targets.is_empty() {
        return Ok(Trusted::default());
    }
    nodes::check(program, library)
}
