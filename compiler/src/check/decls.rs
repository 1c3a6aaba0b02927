//! Declarations: records that can be built, names on the wire, defaults, constants, and the way into each body.

use rustc_hash::FxHashMap;
use smol_str::{SmolStr, SmolStrBuilder};

use super::infer::{BodyCx, Expect, Why};
use super::policies::Place;
use super::ty::{Ty, TyKind};
use super::{Checker, DefTypes, State};
use crate::diagnostics::names_of;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{
    Body, Callable, CallableKind, Def, DefId, DefKind, Enum, Field, Literal, Record, TypeRef,
};
use crate::names::suggest;

/// Longest chain of constants that need each other.
const MAX_CHAIN: u32 = 128;

/// What a model role can need: name, and whether it is a number rather than `true` or `false`.
pub const NEEDS: [(&str, bool); 7] = [
    ("tools", false),
    ("images", false),
    ("audio", false),
    ("files", false),
    ("structured", false),
    ("context", true),
    ("embedding", true),
];

impl<'a> Checker<'a> {
    /// What can be said about declarations without a body.
    pub(super) fn check_declarations(&mut self, types: &[DefTypes]) {
        let hir = self.hir;
        for (id, def) in (0u32..).map(DefId).zip(&hir.defs) {
            match &def.kind {
                DefKind::Record(record) => self.wire_fields(&record.fields, false),
                DefKind::Session(record) => {
                    self.wire_fields(&record.fields, false);
                    self.session_fields(id, def, &record.fields, types);
                }
                DefKind::Enum(one) => self.wire_variants(def, one),
                DefKind::Model { needs } => self.model_needs(needs),
                _ => {}
            }
        }
        self.endless_types(types);
    }

    // ---- names on the wire ----

    fn wire_fields(&mut self, fields: &[Field], is_payload: bool) {
        // Where the last one of each name stands, and whether it says that name.
        let mut seen: FxHashMap<&SmolStr, (Span, bool)> = FxHashMap::default();
        for field in fields {
            let wire = field.wire.as_ref().unwrap_or(&field.name);
            if is_payload && wire == "kind" {
                self.report(
                    Diagnostic::new(
                        Code::WireName,
                        field.span,
                        "`kind` is reserved in variants: in JSON it says which variant a value is",
                    )
                    .help("give the field another name"),
                );
                continue;
            }
            let is_written = field.wire.is_some();
            // The same name twice in the program is reported as such.
            if let Some((first, first_is_written)) = seen.insert(wire, (field.span, is_written))
                && (is_written || first_is_written)
            {
                self.same_wire(wire, field.span, first);
            }
        }
    }

    fn same_wire(&mut self, wire: &str, span: Span, first: Span) {
        self.report(
            Diagnostic::new(
                Code::WireName,
                span,
                format!("the name `{wire}` is used twice in JSON"),
            )
            .label(first, "first used here")
            .help("give one of them another name with `as \"…\"`"),
        );
    }

    fn wire_variants(&mut self, def: &Def, one: &Enum) {
        if one.variants.is_empty() {
            self.report(
                Diagnostic::new(
                    Code::EndlessType,
                    def.name_span,
                    format!("`{}` has no variants, so it has no values", def.name),
                )
                .help("write at least one"),
            );
        }
        let mut seen: FxHashMap<SmolStr, (Span, &SmolStr)> = FxHashMap::default();
        for variant in &one.variants {
            // `Failure.Budget(kind)` has its form from the engine.
            self.wire_fields(&variant.fields, !self.in_std(def));
            let wire = variant.wire.clone().unwrap_or_else(|| snake_case(&variant.name));
            if let Some((first, name)) = seen.insert(wire.clone(), (variant.span, &variant.name))
                && *name != variant.name
            {
                self.same_wire(&wire, variant.span, first);
            }
        }
    }

    fn in_std(&self, def: &Def) -> bool {
        self.hir.modules.get(def.module.index()).is_some_and(|module| module.is_std)
    }

    fn model_needs(&mut self, needs: &[(SmolStr, Literal, Span)]) {
        let mut seen: Vec<(&SmolStr, Span)> = Vec::new();
        for (name, value, span) in needs {
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == name) {
                self.report(
                    Diagnostic::new(
                        Code::RepeatedPolicy,
                        *span,
                        format!("`{name}` is given twice"),
                    )
                    .label(*first, "first given here"),
                );
                continue;
            }
            seen.push((name, *span));
            let Some((_, number)) = NEEDS.iter().find(|(known, _)| known == name) else {
                let all = NEEDS.iter().map(|(known, _)| *known);
                let mut finding = Diagnostic::new(
                    Code::UnknownPolicy,
                    *span,
                    format!("`{name}` is not a requirement of a model"),
                );
                let near = foreign_need(name).or_else(|| suggest(name, all.clone()));
                finding = match near {
                    Some(near) => {
                        let end = span.start + u32::try_from(name.len()).unwrap_or(0);
                        let place = Span { end: end.min(span.end), ..*span };
                        finding
                            .help(format!("did you mean `{near}`?"))
                            .guess(format!("write `{near}`"), vec![Edit::new(place, near)])
                    }
                    None => finding.help(format!("use {}", names_of(all))),
                };
                self.report(finding);
                continue;
            };
            let fits = match value {
                Literal::Int(n) => *number && *n > 0,
                Literal::Bool(_) => !number,
                _ => false,
            };
            if !fits {
                let wanted =
                    if *number { "a whole number above zero" } else { "`true` or `false`" };
                self.report(
                    Diagnostic::new(Code::PolicyValue, *span, format!("`{name}` needs {wanted}"))
                        .here(format!("found `{}`", super::display::literal(value))),
                );
            }
        }
    }

    // ---- types without values ----

    /// A record that needs a value of itself can never be built. Linear: a type is looked at again only when one that
    /// it needs turned out to have values.
    fn endless_types(&mut self, types: &[DefTypes]) {
        let count = self.hir.defs.len();
        // One entry per record and per variant: whose it is, and how many of its fields still wait.
        let mut ways: Vec<(usize, usize)> = Vec::new();
        let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); count];
        let mut settled = vec![true; count];
        let mut ready: Vec<usize> = Vec::new();
        for (owner, def) in types.iter().enumerate() {
            let fields: Vec<&[Ty]> = match def {
                DefTypes::Record(fields) => vec![fields],
                DefTypes::Enum(all) if !all.is_empty() => all.iter().map(Vec::as_slice).collect(),
                _ => continue,
            };
            settled[owner] = false;
            for fields in fields {
                let needs: Vec<usize> =
                    fields.iter().filter_map(|ty| self.needed(types, *ty)).collect();
                if needs.is_empty() {
                    ready.push(owner);
                }
                for need in &needs {
                    if let Some(list) = waiting.get_mut(*need) {
                        list.push(ways.len());
                    }
                }
                ways.push((owner, needs.len()));
            }
        }
        let mut next = 0;
        loop {
            while let Some(owner) = ready.pop() {
                if std::mem::replace(&mut settled[owner], true) {
                    continue;
                }
                for way in std::mem::take(&mut waiting[owner]) {
                    let (owner, open) = &mut ways[way];
                    *open -= 1;
                    if *open == 0 {
                        ready.push(*owner);
                    }
                }
            }
            // The first is reported and taken as repaired: what only needs it is no mistake of its own.
            while settled.get(next) == Some(&true) {
                next += 1;
            }
            if next >= count {
                return;
            }
            self.endless(types, DefId(u32::try_from(next).unwrap_or(u32::MAX)));
            ready.push(next);
        }
    }

    /// The record or enum that a value of the type always holds one of.
    fn needed(&self, types: &[DefTypes], ty: Ty) -> Option<usize> {
        match self.interner.kind(self.interner.base(ty)) {
            TyKind::Named(def, _) => match types.get(def.index())? {
                DefTypes::Enum(all) if all.is_empty() => None,
                _ => Some(def.index()),
            },
            _ => None,
        }
    }

    fn endless(&mut self, all: &[DefTypes], id: DefId) {
        let Some(def) = self.hir.defs.get(id.index()) else { return };
        let mut finding = Diagnostic::new(
            Code::EndlessType,
            def.name_span,
            format!("no `{}` can ever be built: each needs another one", def.name),
        )
        .here("this type always contains itself");
        let fields: &[Field] = match &def.kind {
            DefKind::Record(Record { fields, .. }) => fields,
            DefKind::Enum(one) => one.variants.first().map_or(&[], |variant| &variant.fields),
            _ => &[],
        };
        let types: &[Ty] = match all.get(id.index()) {
            Some(DefTypes::Record(types)) => types,
            Some(DefTypes::Enum(all)) => all.first().map_or(&[], Vec::as_slice),
            _ => &[],
        };
        // The field that is to blame: of its own type, else the first that holds another.
        let named = |ty: &Ty| match self.interner.kind(self.interner.base(*ty)) {
            TyKind::Named(def, _) => Some(*def),
            _ => None,
        };
        let index = types
            .iter()
            .position(|ty| named(ty) == Some(id))
            .or_else(|| types.iter().position(|ty| named(ty).is_some()));
        if let Some(field) = index.and_then(|index| fields.get(index)) {
            let end = field.ty.span;
            finding = finding
                .label(field.span, "here it needs another one")
                .guess("make it optional", vec![Edit::new(end.after(), "?")]);
        }
        self.report(finding.help("make the field optional (`T?`) or a list (`[T]`)"));
    }

    // ---- bodies ----

    /// Checks the body of a definition, if it has one.
    pub(super) fn def(&mut self, id: DefId) {
        let hir = self.hir;
        let Some(def) = hir.defs.get(id.index()) else { return };
        let Some(Some(body)) = hir.bodies.get(id.index()) else {
            // A constant without a body was not readable.
            if matches!(def.kind, DefKind::Const { .. }) {
                self.found.insert(id, Ty::ERROR);
            }
            return;
        };
        match &def.kind {
            DefKind::Const { .. } => {
                self.constant(id);
            }
            DefKind::Record(record) | DefKind::Session(record) => {
                let types = match self.defs.get(id.index()) {
                    Some(DefTypes::Record(types)) => types.as_slice(),
                    _ => &[],
                };
                let mut cx = BodyCx::new(self, body, id);
                for (field, ty) in record.fields.iter().zip(types) {
                    if let Some(default) = field.default {
                        cx.expr(default, Expect::of(*ty, Why::Declared(field.span)));
                    }
                }
                cx.finish();
            }
            DefKind::Enum(one) => {
                let types = match self.defs.get(id.index()) {
                    Some(DefTypes::Enum(types)) => types.as_slice(),
                    _ => &[],
                };
                let mut cx = BodyCx::new(self, body, id);
                for (variant, types) in one.variants.iter().zip(types) {
                    for (field, ty) in variant.fields.iter().zip(types) {
                        if let Some(default) = field.default {
                            cx.expr(default, Expect::of(*ty, Why::Declared(field.span)));
                        }
                    }
                }
                cx.finish();
            }
            DefKind::Callable(callable) => self.callable(id, def, callable),
            DefKind::Test(test) => {
                let mut cx = BodyCx::new(self, body, id);
                cx.test(test);
                cx.finish();
            }
            DefKind::Alias(_) | DefKind::Model { .. } | DefKind::Secret => {}
        }
    }

    fn callable(&mut self, id: DefId, def: &Def, callable: &'a Callable) {
        let hir = self.hir;
        let Some(Some(body)) = hir.bodies.get(id.index()) else { return };
        let Some(DefTypes::Callable(signature)) = self.defs.get(id.index()) else { return };
        let (params, result) = (&signature.params, signature.result);
        let mut cx = BodyCx::new(self, body, id);
        for (param, ty) in callable.params.iter().zip(params) {
            if let Some(slot) = cx.out.locals.get_mut(param.local.index()) {
                *slot = *ty;
            }
        }
        for (param, ty) in callable.params.iter().zip(params) {
            if let Some(default) = param.default {
                cx.expr(default, Expect::of(*ty, Why::Declared(param.span)));
            }
        }
        match &callable.kind {
            CallableKind::Extern { kind, locator } => {
                cx.external(def, callable, (kind, locator), params, result);
            }
            CallableKind::Fn => {}
            CallableKind::Trigger => cx.trigger(callable),
            CallableKind::Graph => {
                cx.header_policies(Place::Graph, &callable.policies);
                cx.session_policies(callable);
            }
            CallableKind::Prompt => cx.header_policies(Place::Prompt, &callable.policies),
            CallableKind::Agent => cx.header_policies(Place::Agent, &callable.policies),
        }
        if matches!(callable.kind, CallableKind::Prompt | CallableKind::Agent) {
            cx.prompt(def, callable, result);
        }
        if let Some(root) = body.root {
            let expect = match callable.kind {
                CallableKind::Trigger => Expect::DISCARD,
                _ => Expect::of(result, Why::Result(id)),
            };
            cx.expr(root, expect);
        }
        cx.finish();
    }

    /// The type of a constant, found on first use.
    pub(super) fn constant(&mut self, id: DefId) -> Ty {
        if let Some(ty) = self.found.get(&id) {
            return *ty;
        }
        let hir = self.hir;
        let (Some(def), Some(Some(body))) = (hir.defs.get(id.index()), hir.bodies.get(id.index()))
        else {
            return Ty::ERROR;
        };
        let DefKind::Const { ty: written } = &def.kind else { return Ty::ERROR };
        match self.states.get(id.index()) {
            Some(State::Fresh) if self.depth <= MAX_CHAIN => {}
            Some(State::Fresh) => {
                self.report(Diagnostic::new(
                    Code::EndlessType,
                    def.name_span,
                    format!("constants need each other more than {MAX_CHAIN} times"),
                ));
                return Ty::ERROR;
            }
            // Being checked: constants that need themselves were reported.
            _ => return Ty::ERROR,
        }
        self.states[id.index()] = State::Busy;
        self.depth += 1;
        let ty = self.watched(id, |checker| checker.constant_body(id, body, written.as_ref()));
        self.depth -= 1;
        self.states[id.index()] = State::Done;
        self.found.insert(id, ty);
        ty
    }

    fn constant_body(&mut self, id: DefId, body: &'a Body, written: Option<&TypeRef>) -> Ty {
        let annotation = written.map(|written| (self.ty(written), written.span));
        let mut cx = BodyCx::new(self, body, id);
        let given = match (body.root, annotation) {
            (Some(root), Some((ty, span))) => {
                cx.expr(root, Expect::of(ty, Why::Annotation(span)));
                ty
            }
            (Some(root), None) => cx.expr(root, Expect::ANY),
            (None, Some((ty, _))) => ty,
            (None, None) => Ty::ERROR,
        };
        let given = cx.settled_now(given);
        cx.finish();
        given
    }
}

/// `NeedsInfo` as it is on the wire: `needs_info`.
pub(crate) fn snake_case(name: &str) -> SmolStr {
    let mut out = SmolStrBuilder::new();
    let mut before: Option<char> = None;
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_ascii_uppercase() {
            let after_lower = before.is_some_and(|p| p.is_ascii_lowercase() || p.is_ascii_digit());
            let before_lower =
                before.is_some() && chars.peek().is_some_and(char::is_ascii_lowercase);
            if after_lower || before_lower {
                out.push('_');
            }
        }
        out.push(c.to_ascii_lowercase());
        before = Some(c);
    }
    out.finish()
}

/// What others call what a model can do.
fn foreign_need(name: &str) -> Option<&'static str> {
    Some(match name {
        "vision" | "image" | "images_input" | "multimodal" => "images",
        "function_calling" | "functions" | "tool_use" | "tool_calling" => "tools",
        "json" | "json_mode" | "json_schema" | "schema" | "structured_output" => "structured",
        "context_window" | "context_length" | "max_context" | "window" => "context",
        "speech" | "voice" | "sound" => "audio",
        "pdf" | "documents" => "files",
        "embed" | "embeddings" | "vectors" => "embedding",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn variants_are_snake_case_on_the_wire() {
        for (name, wire) in [
            ("Bug", "bug"),
            ("NeedsInfo", "needs_info"),
            ("HTTPError", "http_error"),
            ("V2Beta", "v2_beta"),
        ] {
            assert_eq!(snake_case(name), wire);
        }
    }
}
