//! Lists and maps: what their items have in common.

use super::Coercion;
use super::infer::{BodyCx, Expect, Fit, Why};
use super::refine::Verdict;
use super::ty::{Prim, Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Expr, ExprId, Literal};

impl BodyCx<'_, '_> {
    /// The item type that an expected list type asks for; `Err` if something else is expected.
    pub(super) fn wanted_item(&self, expect: Expect) -> Option<Ty> {
        match self.kind(self.present(expect.ty?)) {
            TyKind::List(item) => Some(*item),
            TyKind::Error => Some(Ty::ERROR),
            _ => None,
        }
    }

    pub(super) fn list(&mut self, e: ExprId, items: &[(ExprId, bool)], expect: Expect) -> Ty {
        let wanted = self.wanted_item(expect);
        let why = if matches!(expect.why, Why::Condition) { Why::Nothing } else { expect.why };
        let mut common = wanted;
        let mut first: Option<ExprId> = None;
        for (item, spread) in items {
            let expected = common.map(|ty| if *spread { self.cx.interner.list(ty) } else { ty });
            let because =
                if wanted.is_some() { why } else { first.map_or(Why::Nothing, Why::Because) };
            let ty = match (wanted, *spread) {
                // What is no list at all was not meant to be spread.
                (Some(_), true) if self.is_no_list(*item) => self.expr(*item, Expect::ANY),
                (Some(_), _) => {
                    self.expr(*item, Expect { ty: expected, why: because, discard: false })
                }
                // Without an expectation the items decide together; what is there so far is only a hint.
                (None, _) => self.expr(*item, Expect::ANY),
            };
            let item_ty = if *spread { self.spread_item(*item, ty) } else { ty };
            if wanted.is_none() {
                common = Some(match common {
                    None => item_ty,
                    Some(so_far) => self.common(*item, so_far, item_ty, first),
                });
                first.get_or_insert(*item);
            }
        }
        let item = match common {
            Some(ty) => ty,
            None => self.fresh(),
        };
        if wanted.is_none() {
            for (item_expr, _) in items {
                self.adapt(*item_expr, item);
            }
        }
        let ty = self.cx.interner.list(item);
        self.note_list_max(e, items);
        self.fit_list(e, ty, items, expect)
    }

    /// Two values that must have something in common; reports the second if they have not.
    pub(super) fn common(&mut self, e: ExprId, so_far: Ty, ty: Ty, first: Option<ExprId>) -> Ty {
        self.common_because(e, so_far, ty, first.map_or(Why::Nothing, Why::Because))
    }

    /// The same with what decided so far.
    pub(super) fn common_because(&mut self, e: ExprId, so_far: Ty, ty: Ty, why: Why) -> Ty {
        // One of them an integer literal, the other a float.
        let (base, other) = (self.base(self.present(so_far)), self.base(self.present(ty)));
        if base == Ty::FLOAT && other == Ty::INT && self.int_literal(e).is_some() {
            return so_far;
        }
        if base == Ty::INT && other == Ty::FLOAT {
            return ty;
        }
        if let Some(common) = self.join(so_far, ty) {
            return common;
        }
        self.mismatch(e, ty, Expect::of(so_far, why));
        Ty::ERROR
    }

    /// Whether an expression is a name of something that is no list, or a text.
    fn is_no_list(&self, e: ExprId) -> bool {
        match self.node(e) {
            Expr::Template(_) | Expr::Literal(_) => true,
            Expr::Local(local) => {
                let ty = self.out.locals.get(local.index()).copied().unwrap_or(Ty::ERROR);
                matches!(self.kind(self.base(ty)), TyKind::Prim(_) | TyKind::Map(..))
            }
            _ => false,
        }
    }

    /// The `..` in front of an item.
    fn dots_before(&self, e: ExprId) -> Span {
        let span = self.span(e);
        Span { start: span.start.saturating_sub(2), end: span.start, ..span }
    }

    /// `for` over what is no list.
    pub(super) fn not_a_list(&mut self, source: ExprId, ty: Ty) {
        let span = self.span(source);
        let shown = self.show(ty);
        let finding =
            Diagnostic::new(Code::NotAList, span, format!("`for` needs a list, found `{shown}`"));
        let finding = match self.kind(ty).clone() {
            TyKind::Optional(_) => finding.note("the list may be `none`").fix(
                "take an empty list instead",
                vec![Edit::new(span.before(), "("), Edit::new(span.after(), " ?? [])")],
            ),
            // Elsewhere the keys are meant, or the entries.
            TyKind::Map(..) => finding
                .help("`map.keys(m)`, `map.values(m)` and `map.entries(m)` are lists")
                .guess(
                    "go through its keys",
                    vec![Edit::new(span.before(), "map.keys("), Edit::new(span.after(), ")")],
                )
                .guess(
                    "go through its entries",
                    vec![Edit::new(span.before(), "map.entries("), Edit::new(span.after(), ")")],
                ),
            TyKind::Prim(Prim::Text) => finding
                .help(
                    "split it first, with `text.lines`, `text.sentences`, `text.paragraphs` or `text.words`",
                )
                .guess(
                    "go through its lines",
                    vec![Edit::new(span.before(), "text.lines("), Edit::new(span.after(), ")")],
                ),
            TyKind::Prim(Prim::Int) => finding.guess(
                "count from 1",
                vec![Edit::new(span.before(), "list.range(1, to: "), Edit::new(span.after(), ")")],
            ),
            _ => finding,
        };
        self.report(finding);
    }

    fn spread_item(&mut self, e: ExprId, ty: Ty) -> Ty {
        match self.kind(ty) {
            TyKind::List(item) => *item,
            TyKind::Error | TyKind::Never => Ty::ERROR,
            _ => {
                let shown = self.show(ty);
                self.report(
                    Diagnostic::new(
                        Code::BadSpread,
                        self.span(e),
                        format!("`..` in a list needs a list, found `{shown}`"),
                    )
                    .help("leave out `..` to add it as one item")
                    .guess("leave out `..`", vec![Edit::new(self.dots_before(e), "")]),
                );
                Ty::ERROR
            }
        }
    }

    /// Bounds on the number of items of a list literal are checked here and now.
    fn fit_list(&mut self, e: ExprId, ty: Ty, items: &[(ExprId, bool)], expect: Expect) -> Ty {
        let Some(expected) = expect.ty else { return ty };
        let target = self.present(expected);
        let is_refined = matches!(self.cx.interner.kind(target), TyKind::Refined { .. });
        let open = items.iter().any(|(_, spread)| *spread);
        if !is_refined || open || self.fit(ty, self.base(target)) != Fit::Yes {
            return self.coerce_list(e, ty, expect);
        }
        let values: Vec<_> = items.iter().map(|(item, _)| self.literal(*item)).collect();
        match self.cx.list_verdict(target, &values) {
            Verdict::Keeps => target,
            Verdict::Unknown => {
                self.coerced(e, Coercion::Check(target));
                target
            }
            Verdict::Breaks(bound, how) => {
                self.breaks(e, expect.why, target, &bound, &how);
                Ty::ERROR
            }
        }
    }

    /// Like [`Self::coerce`], but a list that is known to be short enough needs no check.
    pub(super) fn coerce_list(&mut self, e: ExprId, ty: Ty, expect: Expect) -> Ty {
        if let Some(expected) = expect.ty {
            let target = self.present(expected);
            if let TyKind::Refined { base, bounds, alias: None } =
                self.cx.interner.kind(target).clone()
                && let Some(max) = self.max_of(e)
                && bounds.iter().all(|bound| match (bound.name.as_str(), &bound.value.0) {
                    ("max", Literal::Int(n)) => u64::try_from(*n).is_ok_and(|n| max <= n),
                    _ => false,
                })
                && self.fit(ty, base) == Fit::Yes
            {
                return target;
            }
        }
        self.coerce(e, ty, expect)
    }

    pub(super) fn map(&mut self, e: ExprId, entries: &[(ExprId, ExprId)], expect: Expect) -> Ty {
        let wanted = match expect.ty.map(|ty| self.kind(self.present(ty)).clone()) {
            Some(TyKind::Map(key, value)) => Some((key, value)),
            Some(TyKind::Error) => Some((Ty::ERROR, Ty::ERROR)),
            _ => None,
        };
        let (key, value) = match wanted {
            Some((key, value)) => {
                for (k, v) in entries {
                    self.expr(*k, Expect::of(key, expect.why));
                    self.expr(*v, Expect::of(value, expect.why));
                }
                (key, value)
            }
            None => {
                let mut common: Option<(Ty, Ty, ExprId, ExprId)> = None;
                for (k, v) in entries {
                    let key = self.expr(*k, Expect::ANY);
                    let value = self.expr(*v, Expect::ANY);
                    common = Some(match common {
                        None => (key, value, *k, *v),
                        Some((key_so_far, value_so_far, first_key, first_value)) => (
                            self.common(*k, key_so_far, key, Some(first_key)),
                            self.common(*v, value_so_far, value, Some(first_value)),
                            first_key,
                            first_value,
                        ),
                    });
                }
                match common {
                    Some((key, value, ..)) => {
                        for (_, v) in entries {
                            self.adapt(*v, value);
                        }
                        (key, value)
                    }
                    None => (self.fresh(), self.fresh()),
                }
            }
        };
        self.repeated_keys(entries);
        // A key type that is written was checked where it stands.
        if wanted.is_none()
            && let Some((first, _)) = entries.first()
        {
            let resolved = self.resolve(key);
            let base = self.base(resolved);
            if !self.cx.keys_maps(base) && base != Ty::NEVER {
                let shown = self.show(resolved);
                self.report(
                    Diagnostic::new(
                        Code::MapKey,
                        self.span(*first),
                        format!("`{shown}` cannot be the key of a map"),
                    )
                    .here("keys are texts, whole numbers, bools, times, amounts or enums without payload"),
                );
                return Ty::ERROR;
            }
        }
        let ty = self.cx.interner.map(key, value);
        self.coerce(e, ty, expect)
    }

    fn repeated_keys(&mut self, entries: &[(ExprId, ExprId)]) {
        let mut seen = rustc_hash::FxHashMap::default();
        for (key, _) in entries {
            let Some(value) = self.literal(*key) else { continue };
            let span = self.span(*key);
            if let Some(first) = seen.insert(super::ty::LiteralKey(value), span) {
                self.report(
                    Diagnostic::new(Code::RepeatedKey, span, "this key is written twice")
                        .label(first, "first written here"),
                );
            }
        }
    }
}
