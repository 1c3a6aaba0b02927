//! What would go on without end when values and types are built: a default that needs itself, a generic declaration
//! that needs itself with ever larger types.
//!
//! Types are known here and nothing was lowered, so lowering may put defaults in place of arguments and make an
//! instance per list of type arguments, and both end.

use rustc_hash::{FxHashMap, FxHashSet};

use super::walk;
use crate::check::ty::{Ty, TyKind};
use crate::check::{ArgSource, CallTypes, DefTypes, Types};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Span};
use crate::hir::groups::Groups;
use crate::hir::{
    Body, Callable, CallableKind, Callee, Def, DefId, DefKind, Expr, ExprId, Field, Hir,
};

/// Reports every circle.
pub(super) fn check(hir: &Hir, types: &Types, sink: &mut Diagnostics) {
    defaults(hir, types, sink);
    expansions(hir, types, sink);
}

// ---- defaults

/// A default value of a declaration.
struct Default<'a> {
    owner: DefId,
    expr: ExprId,
    name: &'a str,
    /// The field or parameter that it belongs to.
    span: Span,
}

/// A parameter or field: its name, its place, its default.
type Part<'a> = (&'a str, Span, Option<ExprId>);

/// The defaults of a declaration: of its parameters, of its fields, or of the fields of each variant.
fn parts_of(def: &Def) -> Vec<Vec<Part<'_>>> {
    fn fields(all: &[Field]) -> Vec<Part<'_>> {
        all.iter().map(|field| (field.name.as_str(), field.span, field.default)).collect()
    }
    match &def.kind {
        DefKind::Callable(callable) => {
            let params = &callable.params;
            vec![params.iter().map(|one| (one.name.as_str(), one.span, one.default)).collect()]
        }
        DefKind::Record(record) | DefKind::Session(record) => vec![fields(&record.fields)],
        DefKind::Enum(one) => one.variants.iter().map(|v| fields(&v.fields)).collect(),
        _ => Vec::new(),
    }
}

/// Every default that needs itself, by way of others, of constants and of functions. Circles of functions alone, and
/// of constants alone, are reported elsewhere.
fn defaults(hir: &Hir, types: &Types, sink: &mut Diagnostics) {
    let mut all: Vec<Default<'_>> = Vec::new();
    // By declaration, variant and index of the parameter or field.
    let mut numbers: FxHashMap<(DefId, usize, usize), usize> = FxHashMap::default();
    for (id, def) in (0u32..).map(DefId).zip(&hir.defs) {
        for (variant, parts) in parts_of(def).into_iter().enumerate() {
            for (index, (name, span, default)) in parts.into_iter().enumerate() {
                if let Some(expr) = default {
                    numbers.insert((id, variant, index), hir.defs.len() + all.len());
                    all.push(Default { owner: id, expr, name, span });
                }
            }
        }
    }
    let places = Places { hir, types, numbers: &numbers };
    let of_defaults: Vec<Vec<(DefId, Span)>> =
        all.iter().map(|default| places.needs(default.owner, default.expr)).collect();
    // Most defaults are literals.
    if of_defaults.iter().all(Vec::is_empty) {
        return;
    }
    let mut edges: Vec<Vec<(DefId, Span)>> = Vec::with_capacity(hir.defs.len() + all.len());
    for (id, def) in (0u32..).map(DefId).zip(&hir.defs) {
        let is_value = match &def.kind {
            DefKind::Const { .. } => true,
            DefKind::Callable(callable) => callable.kind == CallableKind::Fn,
            _ => false,
        };
        let root = hir.body(id).and_then(|body| body.root).filter(|_| is_value);
        edges.push(root.map_or_else(Vec::new, |root| places.needs(id, root)));
    }
    edges.extend(of_defaults);

    let of = |node: usize| edges.get(node).map(Vec::as_slice).unwrap_or_default();
    let groups = Groups::of(edges.len(), |node, nth| of(node).get(nth).map(|(to, _)| *to));
    for group in groups.iter() {
        let default = |node: DefId| all.get(node.index().checked_sub(hir.defs.len())?);
        let is_fn = |node: &DefId| {
            let def = hir.defs.get(node.index()).map(|def| &def.kind);
            matches!(def, Some(DefKind::Callable(_)))
        };
        // Through a function it is that function that calls itself.
        if group.iter().any(is_fn) {
            continue;
        }
        let members: FxHashSet<DefId> = group.iter().copied().collect();
        let inside = |node: DefId| of(node.index()).iter().find(|(to, _)| members.contains(to));
        let mut found: Vec<_> =
            group.iter().filter_map(|node| Some((default(*node)?, inside(*node)?.1))).collect();
        found.sort_unstable_by_key(|(default, _)| default.span);
        let Some((first, edge)) = found.first() else { continue };
        let mut finding = Diagnostic::new(
            Code::EndlessType,
            *edge,
            format!("the default of `{}` needs itself, without end", first.name),
        )
        .here("built with the default again")
        .label(first.span, "this default");
        let constants = group.iter().filter_map(|node| hir.defs.get(node.index()));
        for constant in constants {
            finding = finding.label(constant.name_span, "this constant needs it, too");
        }
        sink.push(
            finding.help(
                "give the value here, or let the default be a value without it: `none`, `[]`",
            ),
        );
    }
}

struct Places<'a> {
    hir: &'a Hir,
    types: &'a Types,
    numbers: &'a FxHashMap<(DefId, usize, usize), usize>,
}

impl Places<'_> {
    /// What evaluating an expression needs: constants, functions, and defaults that are left out in a call.
    fn needs(&self, owner: DefId, root: ExprId) -> Vec<(DefId, Span)> {
        let mut found = Vec::new();
        let Some(body) = self.hir.body(owner) else { return found };
        let calls = self.types.body(owner);
        let mut open = vec![root];
        while let Some(id) = open.pop() {
            let expr = walk::expr(body, id);
            walk::parts(expr, |part| open.push(part));
            let Some(span) = span_of(body, id) else { continue };
            match expr {
                Expr::Def(def) => found.push((*def, span)),
                // A variant without parentheses has no fields that could have defaults.
                Expr::Call { callee, .. } => {
                    let Some(call) = calls.and_then(|types| types.calls.get(&id)) else { continue };
                    let (def, variant) = match callee {
                        Callee::Def(def) => (*def, 0),
                        Callee::Variant(def, index) => (*def, *index as usize),
                        Callee::BareVariant { .. } => {
                            let known = calls.and_then(|types| types.variants.get(&id));
                            let Some((def, index)) = known else { continue };
                            (*def, *index as usize)
                        }
                        Callee::Missing | Callee::Builtin(_) => continue,
                    };
                    found.push((def, span));
                    for (index, source) in call.args.iter().enumerate() {
                        let default = self.numbers.get(&(def, variant, index));
                        if let (ArgSource::Default, Some(number)) = (source, default) {
                            let number = u32::try_from(*number).unwrap_or(u32::MAX);
                            found.push((DefId(number), span));
                        }
                    }
                }
                _ => {}
            }
        }
        found
    }
}

fn span_of(body: &Body, id: ExprId) -> Option<Span> {
    body.expr_spans.get(id.index()).copied()
}

// ---- instances

/// A type parameter of a declaration.
type Param = (DefId, u32);

/// One declaration that uses another with one of its own type parameters.
struct Use {
    to: usize,
    span: Span,
    /// The parameter stands inside of the argument, which therefore is larger.
    grows: bool,
}

/// Every generic declaration that needs itself with ever larger types: the graph of type parameters has a circle with
/// a growing edge (ECMA-335, II.9.2; Kennedy and Pierce, *On decidability of nominal subtyping*, 2007).
fn expansions(hir: &Hir, types: &Types, sink: &mut Diagnostics) {
    let mut graph = Expansions { types, numbers: FxHashMap::default(), uses: Vec::new() };
    for (id, def) in (0u32..).map(DefId).zip(&hir.defs) {
        match (&def.kind, types.defs.get(id.index())) {
            (DefKind::Record(record), Some(DefTypes::Record(fields))) => {
                graph.fields(id, &record.fields, fields);
            }
            (DefKind::Enum(one), Some(DefTypes::Enum(all))) => {
                for (variant, fields) in one.variants.iter().zip(all) {
                    graph.fields(id, &variant.fields, fields);
                }
            }
            (DefKind::Callable(Callable { type_params, .. }), _) if !type_params.is_empty() => {
                let (Some(body), Some(types)) = (hir.body(id), types.body(id)) else { continue };
                for (expr, call) in body.exprs.iter().zip(0u32..) {
                    if let Expr::Call { callee: Callee::Def(callee), .. } = expr
                        && let Some(CallTypes { type_args, .. }) = types.calls.get(&ExprId(call))
                        && let Some(span) = span_of(body, ExprId(call))
                    {
                        graph.arguments(id, *callee, type_args, span);
                    }
                }
            }
            _ => {}
        }
    }
    let Expansions { uses, .. } = graph;
    if !uses.iter().flatten().any(|(_, one)| one.grows) {
        return;
    }
    let of = |node: usize| uses.get(node).map(Vec::as_slice).unwrap_or_default();
    let number = |to: usize| DefId(u32::try_from(to).unwrap_or(u32::MAX));
    let groups =
        Groups::of(uses.len(), |node, nth| of(node).get(nth).map(|(_, one)| number(one.to)));
    let mut said = FxHashSet::default();
    for group in groups.iter() {
        let members: FxHashSet<usize> = group.iter().map(|node| node.index()).collect();
        let mut growing: Vec<&(DefId, Use)> = group
            .iter()
            .flat_map(|node| of(node.index()))
            .filter(|(_, one)| one.grows && members.contains(&one.to))
            .collect();
        growing.sort_unstable_by_key(|(_, one)| one.span);
        let Some((owner, one)) = growing.first() else { continue };
        let Some(def) = hir.defs.get(owner.index()).filter(|_| said.insert(*owner)) else {
            continue;
        };
        sink.push(
            Diagnostic::new(
                Code::EndlessType,
                one.span,
                format!("`{}` needs itself with ever larger types, without end", def.name),
            )
            .here("a larger type each time")
            .label(def.name_span, "declared here")
            .help(
                "let the type parameter stand by itself where the declaration comes back to itself",
            ),
        );
    }
}

struct Expansions<'a> {
    types: &'a Types,
    numbers: FxHashMap<Param, usize>,
    /// By number of the parameter: who uses it for what.
    uses: Vec<Vec<(DefId, Use)>>,
}

impl Expansions<'_> {
    fn number(&mut self, param: Param) -> usize {
        let next = self.uses.len();
        let number = *self.numbers.entry(param).or_insert(next);
        if number == next {
            self.uses.push(Vec::new());
        }
        number
    }

    fn fields(&mut self, owner: DefId, fields: &[Field], types: &[Ty]) {
        for (field, ty) in fields.iter().zip(types) {
            self.ty(owner, *ty, field.span);
        }
    }

    /// The records and enums that a type of a declaration names.
    fn ty(&mut self, owner: DefId, ty: Ty, span: Span) {
        let interner = &self.types.interner;
        match interner.kind(ty) {
            TyKind::List(item) | TyKind::Optional(item) => self.ty(owner, *item, span),
            TyKind::Refined { base, .. } => self.ty(owner, *base, span),
            TyKind::Map(key, value) | TyKind::Selector(key, value) => {
                let (key, value) = (*key, *value);
                self.ty(owner, key, span);
                self.ty(owner, value, span);
            }
            TyKind::Named(def, args) => {
                let args = args.clone();
                self.arguments(owner, *def, &args, span);
                for arg in args.iter() {
                    self.ty(owner, *arg, span);
                }
            }
            _ => {}
        }
    }

    /// A declaration is used with these type arguments.
    fn arguments(&mut self, owner: DefId, def: DefId, args: &[Ty], span: Span) {
        for (index, arg) in (0u32..).zip(args) {
            let mut params = Vec::new();
            self.params(*arg, &mut params);
            let grows = !matches!(self.types.interner.kind(*arg), TyKind::Param(_));
            for param in params {
                let to = self.number((def, index));
                let from = self.number((owner, param));
                if let Some(uses) = self.uses.get_mut(from) {
                    uses.push((owner, Use { to, span, grows }));
                }
            }
        }
    }

    /// The type parameters in a type, each once.
    fn params(&self, ty: Ty, found: &mut Vec<u32>) {
        match self.types.interner.kind(ty) {
            TyKind::Param(index) if !found.contains(index) => found.push(*index),
            TyKind::List(item) | TyKind::Optional(item) => self.params(*item, found),
            TyKind::Refined { base, .. } => self.params(*base, found),
            TyKind::Map(key, value) | TyKind::Selector(key, value) => {
                self.params(*key, found);
                self.params(*value, found);
            }
            TyKind::Named(_, args) => args.iter().for_each(|arg| self.params(*arg, found)),
            _ => {}
        }
    }
}
