//! From syntax trees to a checked, lowered program, with every mistake as data.
//!
//! One way through: `names` → `hir` → `check` → `effects` → `labels` → `lower`; each stage has its own result type and nothing
//! reaches back. No file, clock, network or environment access: source text comes in through a trait,
//! [`sources::Sources`].
//!
//! [`compile`] runs all of it; [`compile_with`] does so with a [`Cache`]; [`resolve`] stops at the HIR.

pub mod audit;
pub mod bounds;
mod cache;
pub mod check;
pub mod diagnostics;
pub mod effects;
pub mod fmt;
pub mod grants;
pub mod hir;
pub mod labels;
pub mod library;
pub mod lower;
pub mod names;
pub mod sources;
mod threads;
mod trees;

pub use cache::Cache;
use check::{Known, Types};
use diagnostics::{Code, Diagnostic, Diagnostics};
use effects::Effects;
use hir::{DefId, Hir};
use kait_ir::Program;
use sources::{Files, Sources};
pub use threads::Threads;
use trees::Trees;

/// What [`compile`] gives: whatever could be understood, and every mistake.
#[derive(Debug, Default)]
pub struct Compilation {
    /// The files that were read, std modules included.
    pub files: Files,
    /// The program with its names resolved.
    pub hir: Hir,
    /// The types of its declarations and bodies.
    pub types: Types,
    /// What its declarations and bodies may do to the world.
    pub effects: Effects,
    /// What was found, by file and place.
    pub diagnostics: Vec<Diagnostic>,
}

/// What of a program can run.
#[derive(Debug)]
pub struct Runnable {
    /// The program.
    pub program: Program,
    /// The roots that are not in it, each with the finding that says what this version does not run.
    pub left_out: Vec<(DefId, Diagnostic)>,
}

impl Compilation {
    /// Whether the program cannot run.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Lowers callables and what they need to a program that can run; see [`lower::lower`]. A compilation with errors
    /// is never lowered: its first error is given back.
    ///
    /// # Errors
    /// Why there is no program.
    pub fn lower(&self, roots: &[DefId]) -> Result<Program, Box<Diagnostic>> {
        lower::lower(self.lowerable()?, roots)
    }

    /// Lowers those of the roots that this version runs, and says of each of the others why it does not. What is only
    /// checked so far (K0090) is known when it is met, so where there is some, each root is lowered by itself first.
    ///
    /// # Errors
    /// As [`Self::lower`], for any other reason.
    pub fn lower_runnable(&self, roots: &[DefId]) -> Result<Runnable, Box<Diagnostic>> {
        self.lower_with(roots, |roots| self.lower(roots))
    }

    /// As [`Self::lower_runnable`], for a program that is kept rather than run now: calls of leaves that this version does
    /// not reach are in it like others.
    ///
    /// # Errors
    /// As [`Self::lower`].
    pub fn lower_to_keep(&self, roots: &[DefId]) -> Result<Runnable, Box<Diagnostic>> {
        self.lower_with(roots, |roots| lower::lower_to_keep(self.lowerable()?, roots))
    }

    fn lower_with(
        &self,
        roots: &[DefId],
        lower: impl Fn(&[DefId]) -> Result<Program, Box<Diagnostic>>,
    ) -> Result<Runnable, Box<Diagnostic>> {
        let is_later = |fault: &Diagnostic| fault.code == Code::NotSupported.as_str();
        match lower(roots) {
            Ok(program) => return Ok(Runnable { program, left_out: Vec::new() }),
            Err(fault) if is_later(&fault) => {}
            Err(fault) => return Err(fault),
        }
        let (mut runs, mut left_out) = (Vec::new(), Vec::new());
        for root in roots {
            match lower(&[*root]) {
                Ok(_) => runs.push(*root),
                Err(fault) if is_later(&fault) => left_out.push((*root, *fault)),
                Err(fault) => return Err(fault),
            }
        }
        Ok(Runnable { program: lower(&runs)?, left_out })
    }

    /// Lowers a test and what it needs; see [`lower::lower_test`].
    ///
    /// # Errors
    /// As [`Self::lower`].
    pub fn lower_test(&self, test: DefId) -> Result<Program, Box<Diagnostic>> {
        lower::lower_test(self.lowerable()?, test)
    }

    /// Where something that grows must be finished; nothing is known of a program with errors. See [`lower::waits`].
    #[must_use]
    pub fn waits(&self) -> Vec<lower::Wait> {
        self.lowerable().map(lower::waits).unwrap_or_default()
    }

    fn lowerable(&self) -> Result<lower::Input<'_>, Box<Diagnostic>> {
        // That something is not run was said by lowering itself, and is no mistake in the program.
        let later = Code::NotSupported.as_str();
        let mistake = |found: &&Diagnostic| found.is_error() && found.code != later;
        match self.diagnostics.iter().find(mistake) {
            Some(error) => Err(Box::new(error.clone())),
            None => Ok(lower::Input {
                files: &self.files,
                hir: &self.hir,
                types: &self.types,
                effects: &self.effects,
            }),
        }
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
    let trees = &mut Trees::default();
    let names = names::resolve(sources, roots, trees, &mut files, diagnostics);
    let (hir, _) =
        hir::lower::lower(sources, &names, &files, Vec::new(), (&[], Threads::ONE), diagnostics);
    (files, hir)
}

/// Compiles `roots` (paths) and everything that they import, on as many threads as there are. Never fails: mistakes are
/// data.
#[must_use]
pub fn compile(sources: &dyn Sources, roots: &[&str]) -> Compilation {
    run(sources, roots, Threads::available(), None)
}

/// Compiles like [`compile`], with the same result, on at most these threads: [`Threads::ONE`] starts none.
#[must_use]
pub fn compile_on(sources: &dyn Sources, roots: &[&str], threads: Threads) -> Compilation {
    run(sources, roots, threads, None)
}

/// Compiles like [`compile`], with the same result, but takes over from the last compilation with this cache what did
/// not change since: for editors, which compile after each keystroke.
#[must_use]
pub fn compile_with(sources: &dyn Sources, roots: &[&str], cache: &mut Cache) -> Compilation {
    run(sources, roots, Threads::available(), Some(cache))
}

fn run(
    sources: &dyn Sources,
    roots: &[&str],
    threads: Threads,
    mut cache: Option<&mut Cache>,
) -> Compilation {
    let mut diagnostics = Diagnostics::new();
    let mut files = Files::default();
    let mut fresh = Trees::default();
    let trees = cache.as_mut().map_or(&mut fresh, |cache| cache.trees());
    let names = names::resolve(sources, roots, trees, &mut files, &mut diagnostics);
    let known = cache.as_mut().map(|cache| cache.declarations(&names, &files));
    let known = known.unwrap_or_default();
    let weights = hir::lower::ahead::weights(&names, &files);
    let threads = threads.for_work(weights.iter().fold(0, |sum, one| one.saturating_add(sum)));
    let (hir, traces) =
        hir::lower::lower(sources, &names, &files, known, (&weights, threads), &mut diagnostics);
    let known =
        cache.as_mut().map_or_else(Known::default, |cache| cache.take(&names, &files, &hir));
    // The effects follow from the HIR alone, the labels are of no use to the rules about effects.
    let (checked, effects) = threads.with(
        || check::check_with(&hir, known, (&weights, threads), &mut diagnostics),
        || effects::infer(&hir),
    );
    if let Some(cache) = cache {
        cache.keep(names, &files, &hir, traces, &checked);
    }
    let types = checked.types;
    let ((), reached) = threads.with(
        || effects::check(&hir, &types, &effects, &mut diagnostics),
        || labels::infer(&hir, &types, &effects),
    );
    labels::check(&hir, reached, &mut diagnostics);
    diagnostics.drop_unused_beside_errors(hir.defs.iter().map(|def| def.span));
    diagnostics.drop_unbounded_beside_damage();
    diagnostics.drop_what_follows();
    Compilation { files, hir, types, effects, diagnostics: diagnostics.finish() }
}
