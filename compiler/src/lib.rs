//! From syntax trees to a checked, lowered program, with every mistake as data.
//!
//! One way through: `names` → `hir` → `check` → `effects` → `lower`; each stage has its own result type and nothing
//! reaches back. No file, clock, network or environment access: source text comes in through a trait,
//! [`sources::Sources`].
//!
//! [`compile`] runs all of it; [`resolve`] stops at the HIR.

pub mod check;
pub mod diagnostics;
pub mod fmt;
pub mod hir;
pub mod names;
pub mod sources;

use diagnostics::{Diagnostic, Diagnostics};
use hir::Hir;
use sources::{Files, Sources};

/// What [`compile`] gives: whatever could be understood, and every mistake.
#[derive(Debug, Default)]
pub struct Compilation {
    /// The files that were read, std modules included.
    pub files: Files,
    /// The program with its names resolved.
    pub hir: Hir,
    /// Its types.
    pub types: check::Types,
    /// What was found, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

impl Compilation {
    /// Whether the program cannot run.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

/// Reads `roots` (paths) and everything that they import, down to the HIR. The module of the first root is the first
/// of the result, and nameless.
pub fn resolve(
    sources: &dyn Sources,
    roots: &[&str],
    diagnostics: &mut Diagnostics,
) -> (Files, Hir) {
    let mut files = Files::default();
    let names = names::resolve(sources, roots, &mut files, diagnostics);
    let hir = hir::lower::lower(&names, &files, diagnostics);
    (files, hir)
}

/// Compiles `roots` (paths) and everything that they import. Never fails: mistakes are data.
#[must_use]
pub fn compile(sources: &dyn Sources, roots: &[&str]) -> Compilation {
    let mut diagnostics = Diagnostics::new();
    let (files, hir) = resolve(sources, roots, &mut diagnostics);
    let types = check::check(&hir, &mut diagnostics);
    Compilation { files, hir, types, diagnostics: diagnostics.finish() }
}
