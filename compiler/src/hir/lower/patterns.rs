//! Patterns: what they name and what they bind.

use kait_syntax::ast::{self, Pattern};
use kait_syntax::{SyntaxKind, SyntaxToken};
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::{Lowerer, list_for};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{DefId, Literal, LocalId, LocalKind, Pat, PatArg, PatId, PatTarget};
use crate::names::HeadKind;

impl<'a> Lowerer<'a> {
    pub(super) fn opt_pattern(
        &mut self,
        pattern: Option<Pattern<'a>>,
        place: Span,
        kind: LocalKind,
    ) -> PatId {
        match pattern {
            Some(pattern) => self.pattern(pattern, kind),
            None => self.alloc_pat(Pat::Missing, place),
        }
    }

    /// A pattern; its names are bound in the current scope.
    pub(super) fn pattern(&mut self, pattern: Pattern<'a>, kind: LocalKind) -> PatId {
        let mut alternatives = None;
        self.pattern_in(pattern, kind, &mut alternatives)
    }

    /// `first` holds the names that the first alternative around this pattern bound: others bind the same locals.
    fn pattern_in(
        &mut self,
        pattern: Pattern<'a>,
        kind: LocalKind,
        first: &mut Option<Alternative>,
    ) -> PatId {
        let span = self.span(pattern.range());
        let pat = match pattern {
            Pattern::Wildcard(_) => Pat::Any,
            Pattern::Name(pattern) => match pattern.name() {
                Some(name) => self.binder(name, kind, first),
                None => Pat::Missing,
            },
            Pattern::Number(pattern) => self.number_pattern(pattern),
            Pattern::Str(pattern) => self.text_pattern(pattern, span),
            Pattern::Bool(pattern) => Pat::Literal(Literal::Bool(pattern.value())),
            Pattern::None(_) => Pat::Literal(Literal::None),
            Pattern::Variant(pattern) => self.tag_pattern(pattern, kind, first),
            Pattern::List(pattern) => {
                let items =
                    pattern.items().map(|item| self.pattern_in(item, kind, first)).collect();
                let rest = pattern.rest().map(|rest| {
                    let name = rest.name()?;
                    match self.binder(name, kind, first) {
                        Pat::Bind(local) => Some(local),
                        _ => None,
                    }
                });
                Pat::List { items, rest }
            }
            Pattern::Or(pattern) => self.alternatives(pattern, kind, first, span),
        };
        self.alloc_pat(pat, span)
    }

    fn binder(
        &mut self,
        token: SyntaxToken<'_>,
        kind: LocalKind,
        first: &mut Option<Alternative>,
    ) -> Pat {
        let (name, span) = self.token(token);
        if self.no_bind {
            if self.is_variant(&name) {
                // A variant in the wrong case, which its declaration tells.
                return Pat::Any;
            }
            let finding =
                Diagnostic::new(Code::BindingInIs, span, "a pattern after `is` cannot name values")
                    .here(format!("`{name}` would be a new name"));
            let variant = kait_syntax::upper_camel(&name);
            let finding = if self.is_variant(&variant) {
                finding
                    .help("variants are written in upper case")
                    .guess(format!("write `{variant}`"), vec![Edit::new(span, variant)])
            } else if self.is_used_below(token) {
                // Where it is used, nothing knows it: that follows from this.
                self.unknown.expect(self.def, &name);
                finding.help("take the value apart with `match`, whose arms name its parts")
            } else {
                finding
                    .help("to use the value that is here, take the whole apart with `match`")
                    .fix("write `_`", vec![Edit::new(span, "_")])
            };
            self.report(finding);
            return Pat::Any;
        }
        if let Some(alternative) = first {
            let known = alternative.names.iter().find(|(known, _)| *known == name);
            return match known {
                Some((_, local)) => {
                    let local = *local;
                    alternative.seen.push(name);
                    Pat::Bind(local)
                }
                None => {
                    let other = alternative.names.first();
                    let other = other.and_then(|(_, local)| self.body.locals.get(local.index()));
                    let mut finding = Diagnostic::new(
                        Code::DifferentBindings,
                        span,
                        format!("`{name}` is missing in another alternative"),
                    )
                    .here("the first alternative does not have it")
                    .help("use the same names in every alternative, or write one arm for each");
                    if let Some(other) = other {
                        finding =
                            finding.label(other.span, format!("this one has `{}`", other.name));
                    }
                    self.report(finding);
                    // Bound all the same, so that its uses are not reported as well.
                    Pat::Bind(self.bind(name, span, kind))
                }
            };
        }
        Pat::Bind(self.bind(name, span, kind))
    }

    fn alternatives(
        &mut self,
        pattern: ast::OrPat<'a>,
        kind: LocalKind,
        outer: &mut Option<Alternative>,
        span: Span,
    ) -> Pat {
        if outer.is_some() {
            // Inside a later alternative: the names to bind are already known.
            return Pat::Or(
                pattern.alternatives().map(|one| self.pattern_in(one, kind, outer)).collect(),
            );
        }
        let before = self.body.locals.len();
        let mut pats: Vec<PatId> = Vec::new();
        let mut first: Option<Alternative> = None;
        for alternative in pattern.alternatives() {
            match &mut first {
                None => {
                    pats.push(self.pattern_in(alternative, kind, outer));
                    let names = self.bound_since(before);
                    first = Some(Alternative { names, seen: Vec::new() });
                }
                Some(names) => {
                    names.seen.clear();
                    let place = self.span(alternative.range());
                    pats.push(self.pattern_in(alternative, kind, &mut first));
                    self.missing_bindings(first.as_ref(), place, span);
                }
            }
        }
        Pat::Or(pats)
    }

    fn bound_since(&self, before: usize) -> Vec<(SmolStr, LocalId)> {
        let locals = self.body.locals.iter().enumerate().skip(before);
        locals.map(|(i, local)| (local.name.clone(), LocalId(super::index(i)))).collect()
    }

    fn missing_bindings(&mut self, first: Option<&Alternative>, place: Span, whole: Span) {
        let Some(first) = first else { return };
        if self.diagnostics.has_error_in(place) {
            // Another name in its place was reported.
            self.reports += 1;
            return;
        }
        let missing = first.names.iter().find(|(name, _)| !first.seen.contains(name));
        if let Some((name, local)) = missing {
            let bound = self.body.locals.get(local.index()).map_or(whole, |local| local.span);
            let finding = Diagnostic::new(
                Code::DifferentBindings,
                place,
                format!("`{name}` is missing in this alternative"),
            )
            .label(bound, "another one has it here")
            .help("use the same names in every alternative, or write one arm for each");
            self.report(finding);
        }
    }

    fn number_pattern(&mut self, pattern: ast::NumberPat<'a>) -> Pat {
        let mut read = |number: Option<ast::SignedNumber<'a>>| {
            let number = number?;
            let span = self.span(number.number.range());
            self.number(number.number.text(), number.negative, span)
        };
        let start = read(pattern.start());
        if !pattern.is_range() {
            return start.map_or(Pat::Missing, Pat::Literal);
        }
        match (start, read(pattern.end())) {
            (Some(start), Some(end)) => Pat::Range(start, end),
            _ => Pat::Missing,
        }
    }

    fn text_pattern(&mut self, pattern: ast::StrPat<'a>, span: Span) -> Pat {
        let Some(text) = pattern.text() else { return Pat::Missing };
        match text.constant() {
            Some(text) => Pat::Literal(Literal::Text(text.into())),
            None => {
                self.report(
                    Diagnostic::new(Code::OtherLiteral, span, "a pattern cannot contain `${…}`")
                        .help("name the value and compare it after `if`: `line if line == \"…\" => value`"),
                );
                Pat::Missing
            }
        }
    }

    fn tag_pattern(
        &mut self,
        pattern: ast::VariantPat<'a>,
        kind: LocalKind,
        first: &mut Option<Alternative>,
    ) -> Pat {
        let target = match pattern.tag() {
            Some(tag) => self.pattern_target(tag),
            None => PatTarget::Missing,
        };
        let args = pattern.args().map(|args| {
            let mut lowered = list_for(Some(args));
            lowered.extend(args.args().map(|arg| {
                let place = self.span(arg.range());
                let name = arg.name().map(|name| self.token(name));
                let pat = match arg.pattern() {
                    Some(pattern) => self.pattern_in(pattern, kind, first),
                    None => self.alloc_pat(Pat::Missing, place),
                };
                PatArg { name, pat }
            }));
            lowered
        });
        Pat::Tag { target, args }
    }

    /// What the tag of a pattern names, as far as that is known without types.
    fn pattern_target(&mut self, tag: ast::Tag<'a>) -> PatTarget {
        let segments: SmallVec<[SyntaxToken<'_>; 4]> = tag.segments().collect();
        match segments.as_slice() {
            [name] => self.bare_target(*name),
            [module, name] if module.kind() == SyntaxKind::Lid => {
                let Some(module) = self.module_before_dot(*module) else {
                    return PatTarget::Missing;
                };
                self.member_target(module, *name)
            }
            [of, variant] => {
                let (name, span) = self.token(*of);
                match self.names.type_def(self.module, &name) {
                    Some(def) => self.variant_target(def, *variant),
                    None => {
                        self.unknown_type(&name, span);
                        PatTarget::Missing
                    }
                }
            }
            [module, of, variant] => {
                let Some(module) = self.module_before_dot(*module) else {
                    return PatTarget::Missing;
                };
                let (name, span) = self.token(*of);
                match self.member_type(module, &name) {
                    Some(def) => self.variant_target(def, *variant),
                    None => {
                        self.unknown_member(module, &name, span);
                        PatTarget::Missing
                    }
                }
            }
            _ => PatTarget::Missing,
        }
    }

    fn bare_target(&mut self, token: SyntaxToken<'_>) -> PatTarget {
        let (name, _) = self.token(token);
        let (candidates, damaged) = self.variants(&name);
        if damaged {
            return PatTarget::Missing;
        }
        if candidates.is_empty() {
            if let Some(def) = self.names.type_def(self.module, &name)
                && self.names.head(def).is_some_and(|head| head.kind == HeadKind::Record)
            {
                return self.record_target(def);
            }
            if self.may_be_damaged(&name) {
                return PatTarget::Missing;
            }
        }
        PatTarget::Bare { name, candidates }
    }

    fn record_target(&self, def: DefId) -> PatTarget {
        if self.names.is_damaged(def) { PatTarget::Missing } else { PatTarget::Record(def) }
    }

    fn member_target(&mut self, module: crate::hir::ModuleId, token: SyntaxToken<'_>) -> PatTarget {
        let (name, span) = self.token(token);
        if let Some(def) = self.member_type(module, &name) {
            if !self.names.is_visible(def, self.module) {
                self.report_private(def, span);
                return PatTarget::Missing;
            }
            return self.record_target(def);
        }
        match self.member_variant(module, &name, span) {
            Some((def, index)) => PatTarget::Variant(def, index),
            None => PatTarget::Missing,
        }
    }

    /// A variant that is written behind its module; reports it if there is none, or more than one.
    pub(super) fn member_variant(
        &mut self,
        module: crate::hir::ModuleId,
        name: &str,
        span: Span,
    ) -> Option<(DefId, u32)> {
        let known = self.names.scope(module).and_then(|scope| scope.variants.get(name));
        match known.map(|known| known.as_slice()) {
            Some([one]) => {
                let (def, index) = *one;
                if self.names.is_damaged(def) {
                    return None;
                }
                if !self.names.is_visible(def, self.module) {
                    self.report_private(def, span);
                    return None;
                }
                Some((def, index))
            }
            Some([first, ..]) => {
                let of = self.names.head(first.0).map(|head| head.name.clone()).unwrap_or_default();
                self.report(
                    Diagnostic::new(
                        Code::AmbiguousVariant,
                        span,
                        format!("`{name}` is a variant of several enums of the module"),
                    )
                    .help(format!("say which one, such as `{of}.{name}`")),
                );
                None
            }
            _ => {
                self.unknown_member(module, name, span);
                None
            }
        }
    }

    fn variant_target(&mut self, def: DefId, token: SyntaxToken<'_>) -> PatTarget {
        match self.enum_variant(def, token) {
            Some(index) => PatTarget::Variant(def, index),
            None => PatTarget::Missing,
        }
    }

    /// The variant of an enum; reports what is no enum and variants that it does not have.
    pub(super) fn enum_variant(&mut self, def: DefId, token: SyntaxToken<'_>) -> Option<u32> {
        let (name, span) = self.token(token);
        let head = self.names.head(def)?;
        if head.damaged {
            return None;
        }
        if !self.names.is_visible(def, self.module) {
            self.report_private(def, span);
            return None;
        }
        if head.kind != HeadKind::Enum {
            let finding = Diagnostic::new(
                Code::UnknownVariant,
                span,
                format!("`{}` is {}: it has no variants", head.name, head.noun),
            )
            .label(head.name_span, "declared here");
            self.report(finding);
            return None;
        }
        let index = self.names.variant(def, &name);
        if index.is_none() {
            self.unknown_variant(def, &name, span);
        }
        index
    }
}

/// What the first alternative of a pattern bound, and which of it the current one binds, too.
struct Alternative {
    names: Vec<(SmolStr, LocalId)>,
    seen: Vec<SmolStr>,
}
