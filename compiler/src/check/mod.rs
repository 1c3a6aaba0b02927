//! Types: inference, exhaustiveness, refinements of literals, and what later stages need to know per expression.
//!
//! [`check`] reads the HIR and gives [`Types`]; it never changes the HIR. Inference is local and goes both ways:
//! what a place expects flows in, what an expression gives flows out. A mistake is reported once, where it stands;
//! its type is then `Error`, which fits everywhere, so nothing else follows from it.

mod agents;
mod ahead;
mod arguments;
mod blame;
mod calls;
mod control;
mod cron;
mod decls;
pub mod display;
mod exhaustive;
mod exprs;
mod externs;
mod fallback;
mod flat;
mod idmap;
mod infer;
mod items;
pub(crate) mod lang;
mod lists;
mod locator;
mod mismatch;
mod operators;
mod patterns;
pub(crate) mod people;
mod policies;
mod prompts;
mod refine;
mod sessions;
mod signatures;
mod testing;
mod triggers;
pub mod ty;
mod usefulness;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::diagnostics::{Code, Diagnostic, Diagnostics, Span};
use crate::hir::{DefId, ExprId, Hir, LocalId, ModuleId, PatId};
use crate::threads::Threads;
use lang::Lang;
use ty::{Interner, Ty};

pub use decls::NEEDS;
pub(crate) use decls::snake_case;
pub use idmap::IdMap;
pub use policies::{
    Place as PolicyPlace, Value as PolicyValue, every_policy, policy_names, policy_value,
};
pub use refine::{FORMATS, bound_names};
pub(crate) use sessions::SESSION_ID;
pub use signatures::{DefTypes, ItemBound, Signature};
pub(crate) use triggers::has_content;

/// What the checker found out about one body.
#[derive(Debug, Default)]
pub struct BodyTypes {
    /// Type of every expression, by [`ExprId`], after coercion to what its place expects.
    pub exprs: Vec<Ty>,
    /// Type of every pattern, by [`PatId`]: of what it is matched against.
    pub pats: Vec<Ty>,
    /// Type of every local, by [`LocalId`].
    pub locals: Vec<Ty>,
    /// Which variant a bare name means.
    pub variants: IdMap<ExprId, (DefId, u32)>,
    /// Which variant or record a pattern's tag means.
    pub pat_variants: IdMap<PatId, (DefId, u32)>,
    /// Calls: where each parameter's (or field's) value comes from, by declaration order.
    pub calls: IdMap<ExprId, CallTypes>,
    /// Index of the field that a `Field` expression reads.
    pub fields: IdMap<ExprId, u32>,
    /// Conversions that stand around an expression, innermost first.
    pub coercions: IdMap<ExprId, Vec<Coercion>>,
    /// Names in patterns that bind a value with `none` excluded.
    pub non_none: Vec<PatId>,
    /// Patterns' fields: index by position of the argument.
    pub pat_fields: IdMap<PatId, Vec<u32>>,
    /// `next(…)`: for each state variable, the argument that gives it (by index), or none to keep it.
    pub nexts: IdMap<ExprId, Vec<Option<u32>>>,
    /// Static length bound of list-typed expressions, where one is known.
    pub max_items: IdMap<ExprId, u64>,
}

impl BodyTypes {
    /// Every type that is kept of the body.
    fn each_type(&mut self, f: &mut impl FnMut(&mut Ty)) {
        self.exprs.iter_mut().chain(&mut self.pats).chain(&mut self.locals).for_each(&mut *f);
        for call in self.calls.values_mut() {
            call.params.iter_mut().chain(&mut call.type_args).for_each(&mut *f);
            f(&mut call.result);
        }
        for coercion in self.coercions.values_mut().flatten() {
            if let Coercion::Check(ty) | Coercion::Decode(ty) = coercion {
                f(ty);
            }
        }
    }
}

/// A resolved call.
#[derive(Debug, Clone)]
pub struct CallTypes {
    /// Sources by parameter.
    pub args: SmallVec<[ArgSource; 2]>,
    /// Types of the parameters as instantiated.
    pub params: SmallVec<[Ty; 4]>,
    /// The result as instantiated, before coercion.
    pub result: Ty,
    /// The instantiation of the callee's type parameters.
    pub type_args: SmallVec<[Ty; 4]>,
    /// Selectors among the arguments: index of the argument, index of the field that it selects.
    pub selectors: Vec<(u32, u32)>,
}

/// Where a parameter's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgSource {
    /// The argument at this index (an expression, or a selector: then the value is the field's index).
    Arg(u32),
    /// A field of the spread record: the argument's index, the field's index.
    Spread(u32, u32),
    /// The declaration's default.
    Default,
    /// Not given and optional: `none`.
    None,
    /// Missing; already reported.
    Missing,
}

/// A conversion around an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Coercion {
    /// `int` to `float`.
    ToFloat,
    /// The refinements of the type are checked when it is evaluated.
    Check(Ty),
    /// `json` is decoded to the type.
    Decode(Ty),
}

/// The types of a whole program.
#[derive(Debug, Default)]
pub struct Types {
    /// Every type, once.
    pub interner: Interner,
    /// Types of the declarations, by [`DefId`].
    pub defs: Vec<DefTypes>,
    /// Types of the bodies, by the [`DefId`] of their owner; `None` where the HIR has no body. Compilations of nearly
    /// the same text share them.
    pub bodies: Vec<Option<Arc<BodyTypes>>>,
}

impl Types {
    /// The signature of a `fn`, `graph`, `prompt`, `agent` or `extern`.
    #[must_use]
    pub fn signature(&self, def: DefId) -> Option<&Signature> {
        match self.defs.get(def.index())? {
            DefTypes::Callable(signature) => Some(signature),
            _ => None,
        }
    }

    /// The types of a record's (or session's) fields, in the declaration's type parameters.
    #[must_use]
    pub fn fields(&self, def: DefId) -> Option<&[Ty]> {
        match self.defs.get(def.index())? {
            DefTypes::Record(fields) => Some(fields),
            _ => None,
        }
    }

    /// The types of a variant's fields, in the enum's type parameters.
    #[must_use]
    pub fn variant(&self, def: DefId, index: u32) -> Option<&[Ty]> {
        match self.defs.get(def.index())? {
            DefTypes::Enum(variants) => variants.get(index as usize).map(Vec::as_slice),
            _ => None,
        }
    }

    /// The type of a constant.
    #[must_use]
    pub fn constant(&self, def: DefId) -> Option<Ty> {
        match self.defs.get(def.index())? {
            DefTypes::Const(ty) => Some(*ty),
            _ => None,
        }
    }

    /// The types of a declaration's body.
    #[must_use]
    pub fn body(&self, owner: DefId) -> Option<&BodyTypes> {
        self.bodies.get(owner.index())?.as_deref()
    }

    /// The type of an expression of a declaration's body.
    #[must_use]
    pub fn ty_of_expr(&self, owner: DefId, expr: ExprId) -> Ty {
        self.body(owner).and_then(|body| body.exprs.get(expr.index())).copied().unwrap_or(Ty::ERROR)
    }

    /// The type of a name that is bound in a declaration's body.
    #[must_use]
    pub fn ty_of_local(&self, owner: DefId, local: LocalId) -> Ty {
        self.body(owner)
            .and_then(|body| body.locals.get(local.index()))
            .copied()
            .unwrap_or(Ty::ERROR)
    }

    /// A type as it would be written in `module`.
    #[must_use]
    pub fn display(&self, hir: &Hir, ty: Ty, module: Option<ModuleId>) -> String {
        display::display(hir, &self.interner, ty, module)
    }
}

/// What is known of a program before it is checked.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The types that there are.
    pub interner: Interner,
    /// How many there were when the first body was checked; `None` if none was.
    pub first_types: Option<usize>,
    /// By [`DefId`]: types of a body, and of the constant that it is.
    pub bodies: Vec<Option<(Arc<BodyTypes>, Option<Ty>)>>,
}

/// A checked program.
#[derive(Debug)]
pub(crate) struct Checked {
    pub types: Types,
    /// By [`DefId`]: whether nothing was said about the body, and nothing that was said elsewhere was asked for.
    pub clean: Vec<bool>,
    /// See [`Known::first_types`].
    pub first_types: usize,
}

/// Checks a whole program. Whatever is wrong with it goes to `diagnostics`; the result covers every body all the same.
pub fn check(hir: &Hir, diagnostics: &mut Diagnostics) -> Types {
    check_with(hir, Known::default(), (&[], Threads::ONE), diagnostics).types
}

/// Checks what is not known yet. The weights are those of the declarations.
pub(crate) fn check_with(
    hir: &Hir,
    known: Known,
    (weights, threads): (&[u32], Threads),
    diagnostics: &mut Diagnostics,
) -> Checked {
    let Known { interner, first_types, bodies: mut known } = known;
    let mut first = Checker { interner, ..Checker::new(hir, diagnostics) };
    let mut defs = first.declarations();
    let first_types = first_types.unwrap_or(first.interner.len());
    // What is said about declarations may keep bodies from saying the same.
    if threads.count() > 1 && first.reports == 0 {
        ahead::check(&mut first, &mut known, &defs, (weights, threads));
    }
    let mut checker = Checker { defs: &defs, ..first };
    for (id, known) in (0u32..).map(DefId).zip(known) {
        if let Some((types, constant)) = known {
            checker.found.extend(constant.map(|ty| (id, ty)));
            checker.hand_over(id, types);
        }
    }
    for id in (0..u32::try_from(hir.defs.len()).unwrap_or(u32::MAX)).map(DefId) {
        if !checker.is_known(id) {
            checker.watched(id, |checker| checker.def(id));
        }
    }
    let Checker { interner, bodies, found, clean, .. } = checker;
    for (def, ty) in found {
        if let Some(types @ DefTypes::None) = defs.get_mut(def.index()) {
            *types = DefTypes::Const(ty);
        }
    }
    Checked { types: Types { interner, defs, bodies }, clean, first_types }
}

/// What all bodies share while they are checked.
pub(crate) struct Checker<'a> {
    hir: &'a Hir,
    sink: &'a mut Diagnostics,
    interner: Interner,
    lang: Lang,
    /// Types of the declarations, once they are known: before any body is looked at.
    defs: &'a [DefTypes],
    /// Types of aliases and constants, which are found on first use.
    found: FxHashMap<DefId, Ty>,
    bodies: Vec<Option<Arc<BodyTypes>>>,
    /// How far each definition is: aliases while they are resolved, bodies while they are checked.
    states: Vec<State>,
    /// Mistakes whose repetition elsewhere has the same cause, so they are said once.
    said: FxHashSet<Cause>,
    /// Declarations that have the blame for a misfit: what else does not fit them follows from it.
    suspects: FxHashMap<Span, Vec<Ty>>,
    /// Patterns of `where (pattern: …)` that were compiled; `None` for a bad one.
    patterns: FxHashMap<smol_str::SmolStr, Option<regex::Regex>>,
    /// A type that nests too deeply was reported.
    said_too_deep: bool,
    /// How many findings were reported.
    reports: u32,
    /// How often something was reported, or asked that depends on what was reported elsewhere.
    troubles: Cell<u32>,
    /// By [`DefId`]: whether there was no trouble with the body.
    clean: Vec<bool>,
    /// How deep aliases and constants that need each other are being resolved.
    depth: u32,
    /// What a body needs while it is checked, kept for the next one.
    scratch: infer::Scratch,
    /// Of the large declarations that were asked for: where their fields or variants are.
    members: FxHashMap<DefId, FxHashMap<&'a str, u32>>,
}

/// So many names are looked through one by one; more are put into a map first.
const FEW_NAMES: usize = 32;

/// The position of each name, the first of equal ones.
fn positions<'n>(names: impl Iterator<Item = &'n str>) -> FxHashMap<&'n str, u32> {
    let mut positions = FxHashMap::default();
    for (index, name) in (0u32..).zip(names) {
        positions.entry(name).or_insert(index);
    }
    positions
}

/// How far a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Not begun.
    Fresh,
    /// Being worked on: whoever meets it again went in a circle.
    Busy,
    /// Done.
    Done,
}

/// Why something is wrong, apart from where: the declaration that does not fit, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Cause {
    /// A declaration has no member of that name.
    Member(DefId, smol_str::SmolStr),
    /// A part of a declaration (its place) is not given.
    Missing(Span),
    /// No enum in question has a variant of that name.
    Variant(smol_str::SmolStr),
    /// Values break that bound of a declaration (its place).
    Bound(Span, smol_str::SmolStr),
}

impl<'a> Checker<'a> {
    fn new(hir: &'a Hir, sink: &'a mut Diagnostics) -> Self {
        let count = hir.defs.len();
        let mut bodies = Vec::new();
        bodies.resize_with(count, || None);
        Self {
            hir,
            sink,
            interner: Interner::default(),
            lang: Lang::find(hir),
            defs: &[],
            found: FxHashMap::default(),
            bodies,
            states: vec![State::Fresh; count],
            said: FxHashSet::default(),
            suspects: FxHashMap::default(),
            patterns: FxHashMap::default(),
            said_too_deep: false,
            reports: 0,
            troubles: Cell::new(0),
            clean: vec![true; count],
            depth: 0,
            scratch: infer::Scratch::default(),
            members: FxHashMap::default(),
        }
    }

    /// The position of a field or variant of a declaration; `names` are all that it has. Of a large declaration a map
    /// is kept, so that very many uses of very many members cost no more each.
    fn member(
        &mut self,
        def: DefId,
        name: &str,
        mut names: impl ExactSizeIterator<Item = &'a str>,
    ) -> Option<u32> {
        if names.len() <= FEW_NAMES {
            return names.position(|own| own == name).and_then(|at| u32::try_from(at).ok());
        }
        self.members.entry(def).or_insert_with(|| positions(names)).get(name).copied()
    }

    /// Whether the types of a body are there.
    fn is_known(&self, id: DefId) -> bool {
        self.bodies.get(id.index()).is_some_and(Option::is_some)
    }

    fn hand_over(&mut self, id: DefId, types: Arc<BodyTypes>) {
        if let Some(slot) = self.bodies.get_mut(id.index()) {
            *slot = Some(types);
        }
    }

    /// Checks a body, and notes whether there was trouble with it.
    fn watched<T>(&mut self, id: DefId, check: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.troubles.get();
        let result = check(self);
        if self.troubles.get() != before
            && let Some(clean) = self.clean.get_mut(id.index())
        {
            *clean = false;
        }
        result
    }

    /// Notes that the body at hand is not free of mistakes, or that what is said about it depends on others.
    fn trouble(&self) {
        self.troubles.set(self.troubles.get().wrapping_add(1));
    }

    fn report(&mut self, finding: Diagnostic) {
        self.trouble();
        self.reports += 1;
        self.sink.push(finding);
    }

    /// Reports unless the same cause was reported before.
    fn report_once(&mut self, cause: Cause, finding: Diagnostic) {
        self.trouble();
        self.reports += 1;
        if self.said.insert(cause) {
            self.sink.push(finding);
        }
    }

    /// The name that is probably meant at a place, if anybody will read it.
    fn suggest<'n>(
        &self,
        place: Span,
        wrong: &str,
        names: impl Iterator<Item = &'n str>,
    ) -> Option<&'n str> {
        if self.sink.is_full(place.file) { None } else { crate::names::suggest(wrong, names) }
    }

    /// Whether that cause was reported.
    fn has_said(&self, cause: &Cause) -> bool {
        self.trouble();
        self.said.contains(cause)
    }

    /// Whether a name was already reported as not known: what else is wrong with it follows.
    fn is_unknown(&self, name: &str) -> bool {
        self.trouble();
        let quoted = format!("`{name}`");
        let codes = [Code::UnknownName, Code::UnknownType, Code::UnknownMember].map(Code::as_str);
        self.sink
            .as_slice()
            .iter()
            .any(|one| codes.contains(&one.code.as_str()) && one.message.contains(&quoted))
    }

    fn show(&self, ty: Ty, module: ModuleId) -> String {
        display::display(self.hir, &self.interner, ty, Some(module))
    }
}
