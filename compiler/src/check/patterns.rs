//! Patterns against the type that they are matched with: bare tags find their variant, fields their place, names their
//! type. Whether all cases are covered is asked elsewhere.

use std::sync::Arc;

use smallvec::SmallVec;

use super::blame::Origin;
use super::infer::{BodyCx, Expect, Fit, UNSET};
use super::ty::{Prim, Ty, TyKind};
use super::{Cause, DefTypes, FEW_NAMES, positions};
use crate::diagnostics::names_of;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{DefId, DefKind, ExprId, Field, Literal, LocalId, Pat, PatArg, PatId, PatTarget};

impl BodyCx<'_, '_> {
    /// Checks a pattern against a type, and gives its names their types.
    pub(super) fn pattern(&mut self, id: PatId, ty: Ty) {
        if let Some(slot) = self.out.pats.get_mut(id.index()) {
            *slot = ty;
        }
        let Some(pat) = self.body.pats.get(id.index()) else { return };
        match pat {
            Pat::Missing | Pat::Any => {}
            Pat::Bind(local) => self.bind_local(*local, ty, id),
            Pat::Literal(value) => self.literal_pattern(id, value, ty),
            Pat::Range(low, high) => self.range_pattern(id, low, high, ty),
            Pat::Or(all) => {
                for one in all {
                    self.pattern(*one, ty);
                }
            }
            Pat::List { items, rest } => self.list_pattern(id, items, *rest, ty),
            Pat::Tag { target, args } => self.tag_pattern(id, target, args.as_deref(), ty),
        }
    }

    fn bind_local(&mut self, local: LocalId, ty: Ty, pat: PatId) {
        let Some(known) = self.out.locals.get(local.index()).copied() else { return };
        // Alternatives bind the same name: it has what they have in common.
        let new = if known == UNSET {
            ty
        } else {
            match self.join(known, ty) {
                Some(common) => common,
                None => {
                    let (one, other) = (self.show(known), self.show(ty));
                    let name = self.body.locals.get(local.index()).map_or("", |l| l.name.as_str());
                    self.report(
                        Diagnostic::new(
                            Code::PatternMismatch,
                            self.pat_span(pat),
                            format!(
                                "`{name}` is `{one}` in one alternative and `{other}` in another"
                            ),
                        )
                        .help("split the arm into one arm per alternative"),
                    );
                    Ty::ERROR
                }
            }
        };
        if let Some(slot) = self.out.locals.get_mut(local.index()) {
            *slot = new;
        }
        if let Some(note) = self.notes.get_mut(local.index()) {
            note.origin = self.matched;
        }
    }

    /// Gives the names of a pattern whose type makes no sense the type `Error`.
    fn spoiled(&mut self, id: PatId) {
        self.pattern(id, Ty::ERROR);
    }

    /// Reports `None` and the like of other languages.
    fn foreign_none(&mut self, id: PatId, name: &str) -> bool {
        let Some((code, Some(ours), words)) = kait_syntax::foreign_name(name) else { return false };
        let span = self.pat_span(id);
        let code = Code::parse(code.as_str()).unwrap_or(Code::PatternMismatch);
        self.report(
            Diagnostic::new(code, span, words)
                .fix(format!("write `{ours}`"), vec![Edit::new(span, ours)]),
        );
        true
    }

    fn misfit(&mut self, id: PatId, what: &str, ty: Ty, wanted: Ty) {
        if self.is_error(ty) {
            return;
        }
        self.misfit = true;
        let places = self.matched_places();
        if self.blamed(&places, wanted) {
            return;
        }
        let shown = self.show(ty);
        let finding = Diagnostic::new(
            Code::PatternMismatch,
            self.pat_span(id),
            format!("{what} cannot match a value of type `{shown}`"),
        )
        .here(format!("the value is `{shown}`"));
        self.report(if matches!(what, "`Ok`" | "`Failed`" | "a pattern of `Result`") {
            self.with_try(finding)
        } else {
            finding
        });
    }

    /// Whether a call succeeds is asked with `try`.
    fn with_try(&self, finding: Diagnostic) -> Diagnostic {
        let finding = finding.help(
            "write `try` in front of the call: then it gives `Ok(value)` or `Failed(failure)`",
        );
        match self.matched {
            Origin::Value(e)
                if matches!(
                    self.node(e),
                    crate::hir::Expr::Call { .. } | crate::hir::Expr::With { .. }
                ) =>
            {
                finding.guess("insert `try`", vec![Edit::new(self.span(e).before(), "try ")])
            }
            _ => finding,
        }
    }

    fn literal_pattern(&mut self, id: PatId, value: &Literal, ty: Ty) {
        if *value == Literal::None {
            let fits = matches!(
                self.kind(ty),
                TyKind::Optional(_)
                    | TyKind::Prim(Prim::None)
                    | TyKind::Error
                    | TyKind::Never
                    | TyKind::Var(_)
            );
            if !fits {
                self.misfit(id, "`none`", ty, Ty::ERROR);
            }
            return;
        }
        let literal = super::exprs::literal_ty(value);
        let base = self.base(self.present(ty));
        let fits = base == literal
            || (base == Ty::FLOAT && literal == Ty::INT)
            || matches!(self.kind(base), TyKind::Error | TyKind::Never);
        if fits {
            return;
        }
        if let TyKind::Var(_) = self.kind(base) {
            self.fit(literal, base);
            return;
        }
        let shown = super::display::literal(value);
        self.misfit(id, &format!("`{shown}`"), ty, literal);
    }

    fn range_pattern(&mut self, id: PatId, low: &Literal, high: &Literal, ty: Ty) {
        self.literal_pattern(id, low, ty);
        let (a, b) = (super::exprs::literal_ty(low), super::exprs::literal_ty(high));
        let numbers = [a, b].iter().all(|ty| matches!(*ty, Ty::INT | Ty::FLOAT));
        let span = self.pat_span(id);
        if a != b && !numbers {
            self.misfit = true;
            self.report(Diagnostic::new(
                Code::PatternMismatch,
                span,
                "the ends of the range have different types",
            ));
        } else if super::refine::compare(low, high) == Some(std::cmp::Ordering::Greater) {
            self.misfit = true;
            self.report(
                Diagnostic::new(Code::PatternMismatch, span, "the range is empty")
                    .here("the first end is above the second")
                    .help("write the lower end first; both ends belong to the range"),
            );
        }
    }

    fn list_pattern(&mut self, id: PatId, items: &[PatId], rest: Option<Option<LocalId>>, ty: Ty) {
        let present = self.present(ty);
        let item = match self.kind(present).clone() {
            TyKind::List(item) => item,
            TyKind::Error | TyKind::Never => Ty::ERROR,
            TyKind::Var(_) => {
                let item = self.fresh();
                let list = self.cx.interner.list(item);
                self.fit(present, list);
                item
            }
            _ => {
                self.misfit(id, "a list", ty, Ty::ERROR);
                Ty::ERROR
            }
        };
        for one in items {
            self.pattern(*one, item);
        }
        if let Some(Some(local)) = rest {
            let list = self.cx.interner.list(item);
            self.bind_local(local, list, id);
        }
    }

    fn tag_pattern(&mut self, id: PatId, target: &PatTarget, args: Option<&[PatArg]>, ty: Ty) {
        let hir = self.cx.hir;
        let present = self.present(ty);
        let Some((def, index)) = self.tag_target(id, target, present) else {
            for arg in args.unwrap_or_default() {
                self.spoiled(arg.pat);
            }
            return;
        };
        // The type arguments come from what is matched.
        let type_args = match self.kind(present).clone() {
            TyKind::Named(found, args) if found == def => args,
            TyKind::Error | TyKind::Never => Arc::default(),
            TyKind::Var(_) => {
                let args = self.fresh_args(def);
                let named = self.cx.interner.named(def, &args);
                self.fit(present, named);
                args.into()
            }
            _ => {
                let name = hir.defs.get(def.index()).map_or("", |def| def.name.as_str());
                let what = format!("a pattern of `{name}`");
                let wanted = self.cx.interner.named(def, &[]);
                self.misfit(id, &what, ty, wanted);
                for arg in args.unwrap_or_default() {
                    self.spoiled(arg.pat);
                }
                return;
            }
        };
        self.out.pat_variants.insert(id, (def, index));
        let Some(args) = args else { return };
        let (fields, types, name): (&[Field], &[Ty], &str) =
            match hir.defs.get(def.index()).map(|def| &def.kind) {
                Some(DefKind::Record(record)) => {
                    let types = match self.cx.defs.get(def.index()) {
                        Some(DefTypes::Record(types)) => types.as_slice(),
                        _ => &[],
                    };
                    (&record.fields, types, hir.defs[def.index()].name.as_str())
                }
                Some(DefKind::Enum(declared)) => {
                    let Some(variant) = declared.variants.get(index as usize) else { return };
                    let types = match self.cx.defs.get(def.index()) {
                        Some(DefTypes::Enum(all)) => {
                            all.get(index as usize).map_or(&[][..], Vec::as_slice)
                        }
                        _ => &[],
                    };
                    (&variant.fields, types, variant.name.as_str())
                }
                _ => return,
            };
        let types: SmallVec<[Ty; 8]> =
            types.iter().map(|ty| self.cx.interner.subst(*ty, &type_args)).collect();
        self.tag_args(id, def, name, fields, &types, args);
    }

    fn tag_args(
        &mut self,
        id: PatId,
        def: DefId,
        name: &str,
        fields: &[Field],
        types: &[Ty],
        args: &[PatArg],
    ) {
        let mut indices = Vec::with_capacity(args.len());
        let mut seen: SmallVec<[bool; 16]> = smallvec::smallvec![false; fields.len()];
        let mut position = 0usize;
        let mut broken = false;
        let names = || fields.iter().map(|one| one.name.as_str());
        let known = (args.len() > FEW_NAMES).then(|| positions(names()));
        for arg in args {
            let index = match &arg.name {
                Some((field, span)) => {
                    let found = match &known {
                        Some(known) => known.get(field.as_str()).map(|index| *index as usize),
                        None => names().position(|name| name == field),
                    };
                    if found.is_none() {
                        broken = true;
                        self.unknown_pattern_field(def, name, fields, field, *span);
                    }
                    found
                }
                None => {
                    position += 1;
                    (position <= fields.len()).then_some(position - 1)
                }
            };
            match index {
                Some(index) if !seen[index] => {
                    seen[index] = true;
                    let ty = types.get(index).copied().unwrap_or(Ty::ERROR);
                    let outer =
                        std::mem::replace(&mut self.matched, Origin::Place(fields[index].span));
                    // The type of a generic field comes from what is matched.
                    if matches!(fields[index].ty.kind, crate::hir::TypeRefKind::Param(_)) {
                        self.matched = outer;
                    }
                    self.pattern(arg.pat, ty);
                    self.matched = outer;
                    indices.push(u32::try_from(index).unwrap_or(u32::MAX));
                }
                Some(index) => {
                    if !broken {
                        broken = true;
                        let finding = self.twice(args, arg, &fields[index]);
                        self.report(finding);
                    }
                    self.spoiled(arg.pat);
                    // What the arm covers is not known.
                    indices.push(u32::MAX);
                }
                None => {
                    self.spoiled(arg.pat);
                    indices.push(u32::MAX);
                }
            }
        }
        self.out.pat_fields.insert(id, indices);
        if broken || position == 0 && !args.is_empty() {
            return;
        }
        // By position all fields are named, so that a new field is not overlooked.
        let by_name = args.len() - position;
        if position + by_name == fields.len() || (args.is_empty() && fields.is_empty()) {
            return;
        }
        let declared = fields.first().map(|field| field.span);
        let count = fields.len();
        let has = match count {
            0 => "has no values".to_owned(),
            1 => "has one value".to_owned(),
            _ => format!("has {count} values"),
        };
        let mut finding = Diagnostic::new(
            Code::PatternFields,
            self.pat_span(id),
            format!("`{name}` {has}, but the pattern names {}", args.len()),
        );
        if let Some(span) = declared {
            finding = finding.label(span, "declared here");
        }
        let cause = Cause::Missing(declared.unwrap_or_else(|| self.pat_span(id)));
        let finding =
            finding.help("name all by position, or some by field: `Name(field: pattern)`");
        self.cx.report_once(cause, finding);
    }

    /// A value that a pattern names a second time; by position and by name, the two were mixed.
    fn twice(&self, args: &[PatArg], arg: &PatArg, field: &Field) -> Diagnostic {
        let span = self.pat_span(arg.pat);
        let name = &field.name;
        let mixed = arg.name.is_none() && args.iter().any(|other| other.name.is_some());
        if !mixed {
            let message = format!("the pattern names `{name}` twice");
            return Diagnostic::new(Code::PatternFields, span, message);
        }
        let finding = Diagnostic::new(
            Code::PatternFields,
            span,
            "a pattern names the values by position or by their names, not both",
        )
        .here(format!("by position this is `{name}`, which has its name already"));
        match self.body.pats.get(arg.pat.index()) {
            Some(crate::hir::Pat::Bind(local)) => {
                let bound = self.body.locals.get(local.index()).map(|local| local.name.as_str());
                let bound = bound.unwrap_or_default();
                finding.help("write the name in front of each: `name: pattern`").guess(
                    format!("write `{bound}: {bound}`"),
                    vec![Edit::new(span.before(), format!("{bound}: "))],
                )
            }
            _ => finding.help("write the name in front of each: `name: pattern`"),
        }
    }

    fn unknown_pattern_field(
        &mut self,
        def: DefId,
        owner: &str,
        fields: &[Field],
        field: &smol_str::SmolStr,
        span: Span,
    ) {
        let names = || fields.iter().map(|field| field.name.as_str());
        let mut finding =
            Diagnostic::new(Code::UnknownField, span, format!("`{owner}` has no field `{field}`"));
        if let Some(declared) = self.cx.hir.defs.get(def.index()) {
            finding = finding.label(declared.name_span, "declared here");
        }
        finding = match self.cx.suggest(span, field, names()) {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("write `{near}`"), vec![Edit::new(span, near)]),
            None if fields.is_empty() => finding.help("it has no fields"),
            None => finding.help(format!("its fields are {}", names_of(names()))),
        };
        self.cx.report_once(Cause::Member(def, field.clone()), finding);
    }

    /// What the tag of a pattern names; bare ones are found by the type that is matched.
    fn tag_target(&mut self, id: PatId, target: &PatTarget, ty: Ty) -> Option<(DefId, u32)> {
        match target {
            PatTarget::Missing => None,
            PatTarget::Record(def) => Some((*def, 0)),
            PatTarget::Variant(def, index) => Some((*def, *index)),
            PatTarget::Bare { name, candidates } => {
                if let TyKind::Named(def, _) = self.kind(ty).clone()
                    && let Some(DefKind::Enum(declared)) =
                        self.cx.hir.defs.get(def.index()).map(|def| &def.kind)
                {
                    let names = declared.variants.iter().map(|variant| variant.name.as_str());
                    return match self.cx.member(def, name, names) {
                        Some(index) => Some((def, index)),
                        None => {
                            self.unknown_variant(def, name, self.pat_span(id));
                            None
                        }
                    };
                }
                if self.is_error(ty) || self.shallow(ty) == Ty::NEVER {
                    return None;
                }
                match &candidates[..] {
                    [only] => Some(*only),
                    [] if self.foreign_none(id, name) => None,
                    _ => {
                        let what = format!("`{name}`");
                        self.misfit(id, &what, ty, Ty::ERROR);
                        None
                    }
                }
            }
        }
    }

    /// An enum that is known has no such variant.
    pub(super) fn unknown_variant(&mut self, def: DefId, name: &smol_str::SmolStr, span: Span) {
        let hir = self.cx.hir;
        let Some(declared) = hir.defs.get(def.index()) else { return };
        let DefKind::Enum(variants) = &declared.kind else { return };
        let names = || variants.variants.iter().map(|variant| variant.name.as_str());
        let end = span.start + u32::try_from(name.len()).unwrap_or(0);
        let place = Span { end: end.min(span.end), ..span };
        let mut finding = Diagnostic::new(
            Code::UnknownVariant,
            place,
            format!("`{}` has no variant `{name}`", declared.name),
        )
        .label(declared.name_span, "declared here");
        finding = match self.cx.suggest(span, name, names()) {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("write `{near}`"), vec![Edit::new(place, near)]),
            None => finding.help(format!("its variants are {}", names_of(names()))),
        };
        self.cx.report_once(Cause::Variant(name.clone()), finding);
    }

    /// Fresh variables for the type parameters of a record or enum.
    pub(super) fn fresh_args(&mut self, def: DefId) -> Vec<Ty> {
        let count = match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
            Some(DefKind::Record(record)) => record.type_params.len(),
            Some(DefKind::Enum(declared)) => declared.type_params.len(),
            _ => 0,
        };
        (0..count).map(|_| self.fresh()).collect()
    }

    // ---- bare variants as values ----

    /// The variant that a bare name means: by the expected type, else the only one in scope.
    pub(super) fn bare_variant(
        &mut self,
        e: ExprId,
        name: &smol_str::SmolStr,
        candidates: &[(DefId, u32)],
        expect: Expect,
    ) -> Option<(DefId, u32)> {
        let span = self.span(e);
        let end = span.start + u32::try_from(name.len()).unwrap_or(0);
        let place = Span { end: end.min(span.end), ..span };
        if let Some(expected) = expect.ty {
            let present = self.present(expected);
            match self.kind(present).clone() {
                TyKind::Named(def, _) => {
                    if let Some(DefKind::Enum(declared)) =
                        self.cx.hir.defs.get(def.index()).map(|def| &def.kind)
                    {
                        let names = declared.variants.iter().map(|variant| variant.name.as_str());
                        if let Some(index) = self.cx.member(def, name, names) {
                            let found = (def, index);
                            self.out.variants.insert(e, found);
                            return Some(found);
                        }
                        // A variant of another enum is a misfit of types; no variant at all a misspelling.
                        if candidates.is_empty() {
                            self.unknown_variant(def, name, place);
                            return None;
                        }
                    }
                }
                TyKind::Error => return None,
                _ => {}
            }
        }
        match candidates {
            [only] => {
                self.out.variants.insert(e, *only);
                Some(*only)
            }
            [] if self.cx.is_unknown(name) => None,
            [] => {
                self.cx.report_once(
                    Cause::Variant(name.clone()),
                    Diagnostic::new(
                        Code::UnknownVariant,
                        place,
                        format!("there is no record or variant `{name}`"),
                    )
                    .help("write a variant of another module with its enum: `module.Enum.Variant`"),
                );
                None
            }
            several => {
                let enums: Vec<&str> = several
                    .iter()
                    .filter_map(|(def, _)| self.cx.hir.defs.get(def.index()))
                    .map(|def| def.name.as_str())
                    .collect();
                let mut finding = Diagnostic::new(
                    Code::AmbiguousVariant,
                    place,
                    format!("`{name}` is a variant of {}", names_of(enums.iter().copied())),
                )
                .help("say which one, with the name of the enum and a dot before it");
                for name_of in &enums {
                    finding = finding.guess(
                        format!("write `{name_of}.{name}`"),
                        vec![Edit::new(place.before(), format!("{name_of}."))],
                    );
                }
                self.report(finding);
                None
            }
        }
    }

    /// `e is pattern`
    pub(super) fn is(&mut self, left: ExprId, pat: PatId) -> Ty {
        let ty = self.expr(left, Expect::ANY);
        self.pattern(pat, ty);
        Ty::BOOL
    }

    /// A variant without arguments: it must have none, or only such as may be left out.
    pub(super) fn unit_variant(&mut self, e: ExprId, def: DefId, index: u32) -> Ty {
        let hir = self.cx.hir;
        let Some(declared) = hir.defs.get(def.index()) else { return Ty::ERROR };
        let DefKind::Enum(all) = &declared.kind else { return Ty::ERROR };
        let Some(variant) = all.variants.get(index as usize) else { return Ty::ERROR };
        if !variant.fields.is_empty() {
            let fields = variant.fields.iter().map(|field| field.name.as_str());
            let shown: Vec<String> = fields.map(|name| format!("{name}: …")).collect();
            self.cx.report_once(
                Cause::Missing(variant.span),
                Diagnostic::new(
                    Code::MissingArgument,
                    self.span(e),
                    format!("`{}` carries values", variant.name),
                )
                .here("its values are missing")
                .label(variant.span, "declared here")
                .help(format!("write `{}({})`", variant.name, shown.join(", "))),
            );
            return Ty::ERROR;
        }
        let args = self.fresh_args(def);
        self.cx.interner.named(def, &args)
    }

    /// Whether an expression stands for a value of that type, without reporting: for the places that take several.
    pub(super) fn fits_quietly(&mut self, ty: Ty, expected: Ty) -> bool {
        self.fit(ty, expected) != Fit::No
    }
}
