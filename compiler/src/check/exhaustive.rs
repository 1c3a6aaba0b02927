//! Whether a `match` covers all cases and each arm adds one, whether a `let` always fits: HIR patterns as the small
//! language of `usefulness`, and its answers as messages.

use super::flat::{Domain, Flat, is_flat};
use super::infer::BodyCx;
use super::ty::{LiteralKey, Prim, Ty, TyKind};
use super::usefulness::{Ctor, P, Question, Shapes, TooLarge, int_ranges, list_lengths};
use super::{Cause, Checker, DefTypes};
use crate::diagnostics::{Code, Diagnostic, Edit};
use crate::hir::{Arm, DefId, DefKind, ExprId, Literal, Pat, PatId};

/// Most missing cases that one message names.
const MAX_NAMED: usize = 4;

/// Fields of a tag that are all shown, and most that are shown of more.
const MAX_FIELDS: usize = 4;

/// Failures that `_` in a `catch` does not cover (language reference, failures).
const NEVER_BY_NAME: [&str; 1] = ["Unknown"];
const NEVER_BY_ANY: [&str; 3] = ["Unknown", "Denied", "Unanswered"];

impl BodyCx<'_, '_> {
    /// All cases covered, and no arm for nothing.
    pub(super) fn exhaustive(&mut self, e: ExprId, scrutinee: ExprId, ty: Ty, arms: &[Arm]) {
        let ty = self.resolve(ty);
        if self.cx.interner.has_error(ty) || ty == Ty::NEVER {
            return;
        }
        let mut spoiled = false;
        let rows: Vec<P> =
            arms.iter().map(|arm| self.lower_pat(arm.pat, ty, &mut spoiled)).collect();
        if spoiled {
            return;
        }
        let named = match self.flat(&rows, ty, arms).map_or_else(|| self.deep(&rows, ty, arms), Ok)
        {
            Ok(named) => named,
            Err(TooLarge) => return self.too_large(e),
        };
        if !named.is_empty() {
            self.not_exhaustive(e, scrutinee, ty, arms, &named);
        }
    }

    /// The missing cases of arms that look at the outermost constructor only.
    fn flat(&mut self, rows: &[P], ty: Ty, arms: &[Arm]) -> Option<Vec<P>> {
        let optional = matches!(self.kind(ty), TyKind::Optional(_));
        if !rows.iter().all(|row| is_flat(row, optional)) {
            return None;
        }
        let inner = self.present(ty);
        let domain = match self.kind(inner) {
            TyKind::List(_) => return None,
            TyKind::Prim(Prim::Int) => {
                let (low, high) = self.cx.int_bounds(inner);
                Domain::Ints(low, high)
            }
            _ => match self.cx.all(inner, &[]) {
                Some(all) => Domain::Ctors(
                    all.into_iter()
                        .map(|ctor| {
                            let count = self.cx.parts(inner, &ctor).len();
                            (ctor, count)
                        })
                        .collect(),
                ),
                None => Domain::Endless,
            },
        };
        let mut flat = Flat::new(domain, optional);
        for (index, (arm, row)) in arms.iter().zip(rows).enumerate() {
            if !flat.useful(row) {
                self.redundant(arms, index);
            }
            if arm.guard.is_none() {
                flat.cover(row);
            }
        }
        Some(flat.missing(MAX_NAMED + 1))
    }

    /// The missing cases of any arms.
    fn deep(&mut self, rows: &[P], ty: Ty, arms: &[Arm]) -> Result<Vec<P>, TooLarge> {
        let mut covering: Vec<&P> = Vec::with_capacity(rows.len());
        let mut redundant = Vec::new();
        let mut question = Question::new(&mut *self.cx);
        for (index, (arm, row)) in arms.iter().zip(rows).enumerate() {
            if !question.useful(&covering, ty, row)? {
                redundant.push(index);
            }
            if arm.guard.is_none() {
                covering.push(row);
            }
        }
        let mut named: Vec<P> = Vec::new();
        while named.len() <= MAX_NAMED {
            let mut all = covering.clone();
            all.extend(&named);
            match question.missing(&all, ty) {
                Ok(None) => break,
                Ok(Some(found)) => named.push(found),
                Err(TooLarge) if named.is_empty() => return Err(TooLarge),
                Err(TooLarge) => break,
            }
        }
        for index in redundant {
            self.redundant(arms, index);
        }
        Ok(named)
    }

    fn too_large(&mut self, e: ExprId) {
        self.report(
            Diagnostic::new(
                Code::MatchTooLarge,
                self.span(e),
                "the cases of this `match` are too many to compare",
            )
            .note(format!("the limit is {} steps", super::usefulness::MAX_STEPS))
            .help("match one part after the other, each in a `match` of its own"),
        );
    }

    fn redundant(&mut self, arms: &[Arm], index: usize) {
        let Some(arm) = arms.get(index) else { return };
        let mut finding = Diagnostic::new(
            Code::RedundantArm,
            self.pat_span(arm.pat),
            "this arm never runs: the ones above cover it",
        )
        .here("already covered");
        let is_read = !self.cx.sink.is_full(self.pat_span(arm.pat).file);
        let above = arms.iter().take(if is_read { index } else { 0 }).rev().find(|above| {
            above.guard.is_none()
                && matches!(self.body.pats.get(above.pat.index()), Some(Pat::Any | Pat::Bind(_)))
        });
        if let Some(above) = above {
            let at = self.pat_span(above.pat);
            finding = finding.label(at, "this covers everything");
            finding = match self.meant_variant(above.pat) {
                Some((name, variant)) => finding
                    .help(format!(
                        "`{name}` is a new name for any value; the variant is called `{variant}`"
                    ))
                    .guess(format!("write `{variant}`"), vec![Edit::new(at, variant.as_str())]),
                None => finding.help("move the arm for everything else to the end"),
            };
        } else if is_read
            && let Some(above) = arms
                .iter()
                .take(index)
                .find(|above| above.guard.is_none() && self.is_same_case(above.pat, arm.pat))
        {
            finding = finding.label(self.pat_span(above.pat), "covered here");
        }
        self.report(finding);
    }

    /// A name in a pattern that is that of a variant in lower case, and the variant.
    fn meant_variant(
        &self,
        pat: crate::hir::PatId,
    ) -> Option<(smol_str::SmolStr, smol_str::SmolStr)> {
        let Some(Pat::Bind(local)) = self.body.pats.get(pat.index()) else { return None };
        let name = &self.body.locals.get(local.index())?.name;
        let ty = self.out.locals.get(local.index()).copied()?;
        let TyKind::Named(def, _) = self.kind(self.present(ty)) else { return None };
        let Some(DefKind::Enum(all)) = self.cx.hir.defs.get(def.index()).map(|def| &def.kind)
        else {
            return None;
        };
        let upper = kait_syntax::upper_camel(name);
        let variant = all.variants.iter().find(|one| one.name == upper && one.fields.is_empty())?;
        Some((name.clone(), variant.name.clone()))
    }

    /// Whether two patterns are the same literal, or the same tag without its values.
    fn is_same_case(&self, one: crate::hir::PatId, other: crate::hir::PatId) -> bool {
        use crate::hir::PatTarget;
        let pats = &self.body.pats;
        match (pats.get(one.index()), pats.get(other.index())) {
            (Some(Pat::Literal(a)), Some(Pat::Literal(b))) => a == b,
            (Some(Pat::Tag { target: a, args: None }), Some(Pat::Tag { target: b, .. })) => {
                match (a, b) {
                    (PatTarget::Variant(a, i), PatTarget::Variant(b, j)) => a == b && i == j,
                    (PatTarget::Bare { name: a, .. }, PatTarget::Bare { name: b, .. }) => a == b,
                    (PatTarget::Record(a), PatTarget::Record(b)) => a == b,
                    _ => false,
                }
            }
            _ => false,
        }
    }

    fn not_exhaustive(
        &mut self,
        e: ExprId,
        scrutinee: ExprId,
        ty: Ty,
        arms: &[Arm],
        missing: &[P],
    ) {
        let mut shown: Vec<String> =
            missing.iter().take(MAX_NAMED).map(|one| self.show_pattern(one, ty)).collect();
        // Pieces of one range look the same.
        let mut seen = rustc_hash::FxHashSet::default();
        shown.retain(|one| seen.insert(one.clone()));
        let list: Vec<String> = shown.iter().map(|one| format!("`{one}`")).collect();
        let more = if missing.len() > MAX_NAMED { " and others" } else { "" };
        let mut finding = Diagnostic::new(
            Code::NotExhaustive,
            self.span(scrutinee),
            if shown == ["_"] {
                format!("this `match` has no arm for other values of `{}`", self.show(ty))
            } else {
                format!("this `match` has no arm for {}{more}", list.join(", "))
            },
        )
        .here(match shown.as_slice() {
            [one] if one == "_" => "other values have no arm".to_owned(),
            [_] => "one case is missing".to_owned(),
            _ => "some cases are missing".to_owned(),
        });
        if let TyKind::Named(def, _) = self.kind(self.present(ty)).clone()
            && let Some(declared) = self.cx.hir.defs.get(def.index())
        {
            finding = finding.label(declared.name_span, "declared here");
        }
        let new: Vec<String> =
            shown.iter().map(|one| format!("{one} => fail \"not handled yet\"")).collect();
        let edit = match arms.last() {
            // One arm a line, where they are written so.
            Some(Arm { span, indent: Some(indent), .. }) => {
                let indent = " ".repeat(*indent as usize);
                let lines: String = new.iter().map(|arm| format!("\n{indent}{arm}")).collect();
                Edit::new(span.after(), lines)
            }
            Some(last) => Edit::new(last.span.after(), format!(", {}", new.join(", "))),
            None => {
                let span = self.span(e);
                let end = crate::diagnostics::Span { start: span.end.saturating_sub(1), ..span };
                Edit::new(end.before(), format!(" {} ", new.join(", ")))
            }
        };
        if arms.iter().any(|arm| arm.guard.is_some()) {
            finding =
                finding.note("an arm with `if` does not count, because its condition may be false");
        }
        let finding = finding
            .help(match shown.as_slice() {
                [one] if one == "_" => "add `_ => …` for all the others",
                [_] => "add an arm for it, or `_ => …` for all the others",
                _ => "add an arm for each, or `_ => …` for all the others",
            })
            .guess("add the missing arms", vec![edit]);
        // A variant that was added or renamed is missing in many places for one reason.
        match missing.first() {
            Some(P::Ctor(Ctor::Variant(index), _))
                if !matches!(self.cx.interner.kind(ty), TyKind::Optional(_)) =>
            {
                match self.variant_name(ty, *index) {
                    Some(name) if self.cx.has_said(&Cause::Variant(name.clone())) => {}
                    _ => self.report(finding),
                }
            }
            _ => self.report(finding),
        }
    }

    fn variant_name(&self, ty: Ty, index: u32) -> Option<smol_str::SmolStr> {
        let TyKind::Named(def, _) = self.kind(ty) else { return None };
        match &self.cx.hir.defs.get(def.index())?.kind {
            DefKind::Enum(all) => Some(all.variants.get(index as usize)?.name.clone()),
            _ => None,
        }
    }

    /// Arms of a `catch` that the ones above cover. What none covers passes on, so nothing is ever missing.
    pub(super) fn catch_redundancy(&mut self, failure: Ty, arms: &[Arm]) {
        let TyKind::Named(def, _) = self.kind(failure).clone() else { return };
        let mut spoiled = false;
        let rows: Vec<P> = arms
            .iter()
            .map(|arm| match self.body.pats.get(arm.pat.index()) {
                Some(Pat::Any) => self.all_variants_but(def, &NEVER_BY_ANY),
                Some(Pat::Bind(_)) => self.all_variants_but(def, &NEVER_BY_NAME),
                _ => self.lower_pat(arm.pat, failure, &mut spoiled),
            })
            .collect();
        if spoiled {
            return;
        }
        let mut covering: Vec<&P> = Vec::new();
        for (index, (arm, row)) in arms.iter().zip(&rows).enumerate() {
            if Question::new(&mut *self.cx).useful(&covering, failure, row) == Ok(false) {
                self.redundant(arms, index);
            }
            if arm.guard.is_none() {
                covering.push(row);
            }
        }
    }

    fn all_variants_but(&self, def: DefId, but: &[&str]) -> P {
        let Some(DefKind::Enum(all)) = self.cx.hir.defs.get(def.index()).map(|def| &def.kind)
        else {
            return P::Any;
        };
        let rows = (0u32..)
            .zip(&all.variants)
            .filter(|(_, variant)| !but.contains(&variant.name.as_str()))
            .map(|(index, variant)| {
                P::Ctor(Ctor::Variant(index), vec![P::Any; variant.fields.len()])
            });
        P::Or(rows.collect())
    }

    /// The pattern of a `let` must fit every value.
    pub(super) fn irrefutable(&mut self, pat: PatId, ty: Ty) {
        if matches!(
            self.body.pats.get(pat.index()),
            None | Some(Pat::Bind(_) | Pat::Any | Pat::Missing)
        ) {
            return;
        }
        let ty = self.resolve(ty);
        if self.cx.interner.has_error(ty) {
            return;
        }
        let mut spoiled = false;
        let row = self.lower_pat(pat, ty, &mut spoiled);
        if spoiled {
            return;
        }
        if let Ok(Some(missing)) = Question::new(&mut *self.cx).missing(&[&row], ty) {
            let shown = self.show_pattern(&missing, ty);
            self.report(
                Diagnostic::new(
                    Code::RefutableLet,
                    self.pat_span(pat),
                    "the pattern of this `let` does not always fit",
                )
                .here(format!("`{shown}` does not fit"))
                .help("use `match`, and say what happens otherwise"),
            );
        }
    }

    /// A pattern as `usefulness` knows it. `spoiled` is set where something was reported about it.
    fn lower_pat(&mut self, id: PatId, ty: Ty, spoiled: &mut bool) -> P {
        let Some(pat) = self.body.pats.get(id.index()) else { return P::Any };
        let is_none = matches!(pat, Pat::Literal(Literal::None));
        let ty = self.shallow(ty);
        if let TyKind::Optional(inner) = self.kind(ty).clone() {
            return match pat {
                Pat::Any | Pat::Missing | Pat::Bind(_) => {
                    if self.out.non_none.contains(&id) {
                        P::Ctor(Ctor::Some, vec![P::Any])
                    } else {
                        P::Any
                    }
                }
                Pat::Or(all) => {
                    P::Or(all.iter().map(|one| self.lower_pat(*one, ty, spoiled)).collect())
                }
                _ if is_none => P::Ctor(Ctor::None, Vec::new()),
                _ => P::Ctor(Ctor::Some, vec![self.lower_pat(id, inner, spoiled)]),
            };
        }
        match pat {
            Pat::Missing => {
                *spoiled = true;
                P::Any
            }
            Pat::Any | Pat::Bind(_) => P::Any,
            Pat::Or(all) => {
                P::Or(all.iter().map(|one| self.lower_pat(*one, ty, spoiled)).collect())
            }
            Pat::Literal(Literal::None) => P::Ctor(Ctor::Only, Vec::new()),
            Pat::Literal(Literal::Bool(b)) => P::Ctor(Ctor::Bool(*b), Vec::new()),
            Pat::Literal(Literal::Int(n)) if self.base(ty) == Ty::INT => {
                P::Ctor(Ctor::Range(*n, *n), Vec::new())
            }
            Pat::Literal(value) => P::Ctor(Ctor::Literal(LiteralKey(value.clone())), Vec::new()),
            Pat::Range(Literal::Int(a), Literal::Int(b)) if self.base(ty) == Ty::INT => {
                P::Ctor(Ctor::Range(*a, *b), Vec::new())
            }
            // Ranges of other numbers never cover everything; two of them are rarely the same.
            Pat::Range(low, high) => {
                let key =
                    format!("{}..{}", super::display::literal(low), super::display::literal(high));
                P::Ctor(Ctor::Literal(LiteralKey(Literal::Text(key.into()))), Vec::new())
            }
            Pat::List { items, rest } => {
                let item = self.cx.interner.item(ty).unwrap_or(Ty::ERROR);
                let parts: Vec<P> =
                    items.iter().map(|one| self.lower_pat(*one, item, spoiled)).collect();
                let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
                P::Ctor(Ctor::List(count, rest.is_some()), parts)
            }
            Pat::Tag { args, .. } => {
                let Some((def, index)) = self.out.pat_variants.get(&id).copied() else {
                    *spoiled = true;
                    return P::Any;
                };
                let ctor = match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
                    Some(DefKind::Enum(_)) => Ctor::Variant(index),
                    _ => Ctor::Only,
                };
                let types = self.cx.parts(ty, &ctor);
                let mut parts = vec![P::Any; types.len()];
                let indices = self.out.pat_fields.get(&id).cloned().unwrap_or_default();
                for (arg, index) in args.iter().flatten().zip(indices) {
                    let slot = index as usize;
                    match (parts.get(slot), types.get(slot).copied()) {
                        (Some(_), Some(ty)) => parts[slot] = self.lower_pat(arg.pat, ty, spoiled),
                        _ => *spoiled = true,
                    }
                }
                P::Ctor(ctor, parts)
            }
        }
    }

    /// A missing case as it would be written.
    fn show_pattern(&mut self, pattern: &P, ty: Ty) -> String {
        let P::Ctor(ctor, parts) = pattern else { return "_".to_owned() };
        let types = self.cx.parts(ty, ctor);
        let plain = parts.iter().all(|part| matches!(part, P::Any));
        match ctor {
            Ctor::Bool(b) => b.to_string(),
            Ctor::None => "none".to_owned(),
            Ctor::Some => match (parts.first(), types.first().copied()) {
                (Some(part @ P::Ctor(..)), Some(ty)) => self.show_pattern(part, ty),
                _ => "value".to_owned(),
            },
            Ctor::Literal(value) => super::display::literal(&value.0),
            Ctor::Range(a, b) if a == b => a.to_string(),
            Ctor::Range(i64::MIN, _) | Ctor::Range(_, i64::MAX) => "_".to_owned(),
            Ctor::Range(a, b) => format!("{a}..{b}"),
            Ctor::List(_, open) => {
                let mut shown = self.show_parts(parts, &types);
                if *open {
                    shown.push("..".to_owned());
                }
                format!("[{}]", shown.join(", "))
            }
            Ctor::Only | Ctor::Variant(_) => {
                let Some(name) = self.tag_name(ty, ctor) else { return "_".to_owned() };
                if plain {
                    return name;
                }
                let shown = self.show_parts(parts, &types);
                if parts.len() > MAX_FIELDS {
                    return self.show_fields(&name, ty, ctor, parts, &shown);
                }
                format!("{name}({})", shown.join(", "))
            }
        }
    }

    /// A tag with many fields: only those that matter, by name, and of those a few.
    fn show_fields(
        &self,
        name: &str,
        ty: Ty,
        ctor: &Ctor,
        parts: &[P],
        shown: &[String],
    ) -> String {
        let fields = self.field_names(ty, ctor);
        let matters = parts.iter().zip(shown).zip(&fields);
        let said: Vec<String> = matters
            .filter(|((part, _), _)| !matches!(part, P::Any))
            .take(MAX_FIELDS)
            .map(|((_, shown), field)| format!("{field}: {shown}"))
            .collect();
        format!("{name}({})", said.join(", "))
    }

    fn field_names(&self, ty: Ty, ctor: &Ctor) -> Vec<smol_str::SmolStr> {
        let TyKind::Named(def, _) = self.kind(ty) else { return Vec::new() };
        let declared = self.cx.hir.defs.get(def.index()).map(|def| &def.kind);
        let fields = match (declared, ctor) {
            (Some(DefKind::Record(record)), _) => &record.fields,
            (Some(DefKind::Enum(all)), Ctor::Variant(index)) => {
                let Some(variant) = all.variants.get(*index as usize) else { return Vec::new() };
                &variant.fields
            }
            _ => return Vec::new(),
        };
        fields.iter().map(|field| field.name.clone()).collect()
    }

    fn show_parts(&mut self, parts: &[P], types: &[Ty]) -> Vec<String> {
        parts
            .iter()
            .zip(types.iter().copied().chain(std::iter::repeat(Ty::ERROR)))
            .map(|(part, ty)| self.show_pattern(part, ty))
            .collect()
    }

    fn tag_name(&self, ty: Ty, ctor: &Ctor) -> Option<String> {
        let TyKind::Named(def, _) = self.kind(ty) else { return Some("none".to_owned()) };
        let declared = self.cx.hir.defs.get(def.index())?;
        match (&declared.kind, ctor) {
            (DefKind::Enum(all), Ctor::Variant(index)) => {
                Some(all.variants.get(*index as usize)?.name.to_string())
            }
            (DefKind::Record(_), _) => Some(declared.name.to_string()),
            _ => None,
        }
    }
}

impl Shapes for Checker<'_> {
    type Ty = Ty;

    fn all(&mut self, ty: Ty, seen: &[Ctor]) -> Option<Vec<Ctor>> {
        match self.interner.kind(self.interner.base(ty)) {
            TyKind::Prim(Prim::Bool) => Some(vec![Ctor::Bool(true), Ctor::Bool(false)]),
            TyKind::Prim(Prim::None) => Some(vec![Ctor::Only]),
            TyKind::Prim(Prim::Int) => {
                let (low, high) = self.int_bounds(ty);
                Some(int_ranges(seen, low, high))
            }
            TyKind::Optional(_) => Some(vec![Ctor::None, Ctor::Some]),
            TyKind::List(_) => Some(list_lengths(seen)),
            TyKind::Named(def, _) => match &self.hir.defs.get(def.index())?.kind {
                DefKind::Enum(all) => {
                    let count = u32::try_from(all.variants.len()).unwrap_or(u32::MAX);
                    Some((0..count).map(Ctor::Variant).collect())
                }
                DefKind::Record(_) => Some(vec![Ctor::Only]),
                _ => None,
            },
            _ => None,
        }
    }

    fn parts(&mut self, ty: Ty, ctor: &Ctor) -> Vec<Ty> {
        match (self.interner.kind(self.interner.base(ty)).clone(), ctor) {
            (TyKind::Optional(inner), Ctor::Some) => vec![inner],
            (TyKind::List(item), Ctor::List(count, _)) => vec![item; *count as usize],
            (TyKind::Named(def, args), ctor) => {
                let fields = match (self.defs.get(def.index()), ctor) {
                    (Some(DefTypes::Record(fields)), _) => fields.clone(),
                    (Some(DefTypes::Enum(all)), Ctor::Variant(index)) => {
                        all.get(*index as usize).cloned().unwrap_or_default()
                    }
                    _ => Vec::new(),
                };
                fields.into_iter().map(|ty| self.interner.subst(ty, &args)).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Checker<'_> {
    /// The whole numbers that a type has: its bounds are kept by every value.
    fn int_bounds(&self, mut ty: Ty) -> (i64, i64) {
        let (mut low, mut high) = (i64::MIN, i64::MAX);
        while let TyKind::Refined { base, bounds, .. } = self.interner.kind(ty) {
            for bound in bounds.iter() {
                match (bound.name.as_str(), &bound.value.0) {
                    ("min", Literal::Int(n)) => low = low.max(*n),
                    ("max", Literal::Int(n)) => high = high.min(*n),
                    _ => {}
                }
            }
            ty = *base;
        }
        if low <= high { (low, high) } else { (i64::MIN, i64::MAX) }
    }
}
