//! What a name means where it stands as a value or in front of a dot.

use kait_syntax::ast::{self, Expr as AstExpr};
use kait_syntax::{SyntaxKind, SyntaxToken, TextRange};
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::{Lowerer, forms};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Candidates, DefId, Expr, ExprId, ModuleId};
use crate::names::{HeadKind, ModuleRef};

/// What a lower-case name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lower {
    Local(crate::hir::LocalId),
    Def(DefId),
    Form(crate::hir::Builtin),
    Session,
    Module(ModuleId),
    /// Reported, here or before.
    Broken,
    Unknown,
}

/// What an upper-case path (`Enum.Variant`, `module.Type`) stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Upper {
    Type(DefId),
    Variant(DefId, u32),
}

impl<'a> Lowerer<'a> {
    /// What a lower-case name stands for, without counting it as used.
    pub(super) fn lower_name(&mut self, name: &str) -> Lower {
        if let Some(local) = self.locals.get(name) {
            return Lower::Local(local);
        }
        if let Some(def) = self.names.value(self.module, name) {
            if self.names.is_damaged(def) {
                return Lower::Broken;
            }
            return Lower::Def(def);
        }
        if name == "session" {
            return Lower::Session;
        }
        match self.module_ref(name) {
            Some(ModuleRef::Module(module)) => return Lower::Module(module),
            Some(ModuleRef::Broken) => return Lower::Broken,
            None => {}
        }
        match forms::builtin(name) {
            Some(form) => Lower::Form(form),
            None => Lower::Unknown,
        }
    }

    pub(super) fn use_local(&mut self, local: crate::hir::LocalId) {
        if let Some(local) = self.body.locals.get_mut(local.index()) {
            local.uses = local.uses.saturating_add(1);
        }
    }

    /// Notes that the declaration needs another: for constants that need themselves.
    pub(super) fn mention(&mut self, def: DefId, span: Span) {
        let head = self.names.head(def);
        if head.is_some_and(|head| matches!(head.kind, HeadKind::Const | HeadKind::Callable)) {
            self.mentions.push((def, span));
        }
    }

    /// The variants of a name that are in scope, and whether one of their enums could not be read.
    pub(super) fn variants(&mut self, name: &SmolStr) -> (Candidates, bool) {
        let (names, module) = (self.names, self.module);
        let found = self.variants.entry(name.clone()).or_insert_with(|| {
            let all = names.variants(module, name);
            let damaged = all.iter().any(|(def, _)| names.is_damaged(*def));
            (all.into(), damaged)
        });
        found.clone()
    }

    /// A lower-case name as a value.
    pub(super) fn name_value(&mut self, token: SyntaxToken<'_>) -> ExprId {
        let (name, span) = self.token(token);
        match self.lower_name(&name) {
            Lower::Local(local) => {
                self.use_local(local);
                self.alloc(Expr::Local(local), span)
            }
            Lower::Def(def) => self.def_value(def, span),
            Lower::Form(_) => self.not_a_value(span, &name, "is a function", true),
            Lower::Session => self.session_value(span),
            Lower::Module(_) => self.not_a_value(span, &name, "is a module", false),
            Lower::Broken => self.missing(span),
            Lower::Unknown if crate::names::is_std_module(&name) => {
                self.not_a_value(span, &name, "is a module", false)
            }
            Lower::Unknown => {
                self.unknown_value(&name, span, false);
                self.missing(span)
            }
        }
    }

    /// A definition as a value.
    pub(super) fn def_value(&mut self, def: DefId, span: Span) -> ExprId {
        let Some(head) = self.names.head(def) else { return self.missing(span) };
        if head.damaged {
            return self.missing(span);
        }
        if !self.names.is_visible(def, self.module) {
            self.report_private(def, span);
            return self.missing(span);
        }
        match head.kind {
            HeadKind::Const | HeadKind::Model | HeadKind::Secret => {
                self.mention(def, span);
                self.alloc(Expr::Def(def), span)
            }
            kind => {
                let what = format!("is {}", head.noun);
                let name = head.name.clone();
                self.not_a_value(span, &name, &what, kind == HeadKind::Callable)
            }
        }
    }

    fn not_a_value(&mut self, span: Span, name: &str, what: &str, callable: bool) -> ExprId {
        if self.unknown.again(Code::NotAValue, name, span) {
            return self.missing(span);
        }
        let mut finding =
            Diagnostic::new(Code::NotAValue, span, format!("`{name}` {what}, not a value"));
        if callable {
            finding = finding
                .help(format!("call it: `{name}(…)`"))
                .guess("call it", vec![Edit::new(span.after(), "()")]);
        }
        self.unknown.add(Code::NotAValue, name, finding);
        self.missing(span)
    }

    /// An upper-case name as a value: a variant, or a mistake.
    pub(super) fn upper_value(&mut self, token: SyntaxToken<'_>) -> ExprId {
        let (name, span) = self.token(token);
        let (candidates, damaged) = self.variants(&name);
        if damaged {
            return self.missing(span);
        }
        if candidates.is_empty() {
            if let Some(def) = self.names.type_def(self.module, &name) {
                return self.type_as_value(def, span);
            }
            if self.may_be_damaged(&name) || self.foreign_name(&name, span) {
                return self.missing(span);
            }
        }
        self.alloc(Expr::BareVariant { name, candidates }, span)
    }

    fn type_as_value(&mut self, def: DefId, span: Span) -> ExprId {
        let Some(head) = self.names.head(def) else { return self.missing(span) };
        if !head.damaged {
            let (name, noun) = (head.name.clone(), head.noun);
            let help = match head.kind {
                HeadKind::Record => format!("build one with `{name}(field: value)`"),
                HeadKind::Enum => match head.variants.first() {
                    Some(variant) => format!("write a variant of it, such as `{name}.{variant}`"),
                    None => "it has no variants".to_owned(),
                },
                HeadKind::Session => {
                    format!("read it as `session.field` in a graph with `in {name}` in its header")
                }
                _ => format!("make a value of it with `{name}(…)`"),
            };
            let finding =
                Diagnostic::new(Code::NotAValue, span, format!("`{name}` is {noun}, not a value"))
                    .label(head.name_span, "declared here")
                    .help(help);
            self.report(finding);
        }
        self.missing(span)
    }

    /// `base.Name` as a value.
    pub(super) fn upper_path_value(&mut self, expr: ast::UidFieldExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        match self.upper_path(expr) {
            Some(Upper::Variant(def, index)) => self.alloc(Expr::Variant(def, index), span),
            Some(Upper::Type(def)) => self.type_as_value(def, span),
            None => self.missing(span),
        }
    }

    /// What `base.Name` stands for; reports it if that is nothing.
    pub(super) fn upper_path(&mut self, expr: ast::UidFieldExpr<'a>) -> Option<Upper> {
        let token = expr.name()?;
        let base = expr.base()?;
        match base {
            AstExpr::UName(of) => {
                let (name, span) = self.token(of.name()?);
                let Some(def) = self.names.type_def(self.module, &name) else {
                    self.unknown_type(&name, span);
                    return None;
                };
                self.enum_variant(def, token).map(|index| Upper::Variant(def, index))
            }
            AstExpr::Name(module) => self.upper_member(module.name()?, token),
            AstExpr::UidField(inner) => match self.upper_path(inner)? {
                Upper::Type(def) => {
                    self.enum_variant(def, token).map(|index| Upper::Variant(def, index))
                }
                Upper::Variant(..) => {
                    let (name, span) = self.token(token);
                    self.report(Diagnostic::new(
                        Code::UnknownVariant,
                        span,
                        format!("a variant has no parts, so `.{name}` cannot follow it"),
                    ));
                    None
                }
            },
            other => {
                // Lowered for the mistakes inside of it.
                self.expr(other);
                self.upper_of_value(token);
                None
            }
        }
    }

    fn upper_of_value(&mut self, token: SyntaxToken<'_>) {
        let (name, span) = self.token(token);
        self.report(
            Diagnostic::new(
                Code::NotAValue,
                span,
                format!("`.{name}` is not a field: fields begin with a lower-case letter"),
            )
            .help("write a variant as `Enum.Variant`"),
        );
    }

    fn upper_member(&mut self, module: SyntaxToken<'_>, token: SyntaxToken<'_>) -> Option<Upper> {
        let (module_name, module_span) = self.token(module);
        if let Some(local) = self.locals.get(&module_name)
            && self.names.module(self.module, &module_name).is_none()
        {
            self.use_local(local);
            self.upper_of_value(token);
            return None;
        }
        let module = match self.module_ref(&module_name) {
            Some(ModuleRef::Module(module)) => module,
            Some(ModuleRef::Broken) => return None,
            None => {
                self.unknown_module(&module_name, module_span);
                return None;
            }
        };
        let (name, span) = self.token(token);
        if let Some(def) = self.member_type(module, &name) {
            if self.names.is_damaged(def) {
                return None;
            }
            if !self.names.is_visible(def, self.module) {
                self.report_private(def, span);
                return None;
            }
            return Some(Upper::Type(def));
        }
        let (def, index) = self.member_variant(module, &name, span)?;
        Some(Upper::Variant(def, index))
    }

    /// A member of a module by its lower-case name; reports one that does not exist or is private.
    pub(super) fn member_value(
        &mut self,
        module: ModuleId,
        token: SyntaxToken<'_>,
    ) -> Option<DefId> {
        let (name, span) = self.token(token);
        let found = self.names.scope(module).and_then(|scope| scope.values.get(&name)).copied();
        let Some(def) = found else {
            self.unknown_member(module, &name, span);
            return None;
        };
        if self.names.is_damaged(def) {
            return None;
        }
        if !self.names.is_visible(def, self.module) {
            self.report_private(def, span);
            return None;
        }
        Some(def)
    }

    /// A path that must name something to call: of a stub or a tool. Gives `None` if it was reported.
    pub(super) fn callable_path(&mut self, path: ast::Path<'a>) -> Option<DefId> {
        let segments: SmallVec<[SyntaxToken<'_>; 4]> = path.segments().collect();
        let span = self.span(path.range());
        let def = match segments.as_slice() {
            [token] if token.kind() == SyntaxKind::Lid => {
                let (name, span) = self.token(*token);
                match self.names.value(self.module, &name) {
                    Some(def) if self.names.is_damaged(def) => return None,
                    Some(def) => def,
                    None if forms::builtin(&name).is_some() => {
                        self.not_supported(span, &format!("`{name}` in this place"));
                        return None;
                    }
                    None => {
                        self.unknown_value(&name, span, true);
                        return None;
                    }
                }
            }
            [module, token] if module.kind() == SyntaxKind::Lid => {
                let module = self.module_before_dot(*module)?;
                self.member_value(module, *token)?
            }
            _ => {
                let text = path.to_text();
                self.report(Diagnostic::new(
                    Code::NotCallable,
                    span,
                    format!("`{text}` cannot be called"),
                ));
                return None;
            }
        };
        let head = self.names.head(def)?;
        if head.kind != HeadKind::Callable {
            let finding = Diagnostic::new(
                Code::NotCallable,
                span,
                format!("`{}` is {}: it cannot be called", head.name, head.noun),
            )
            .label(head.name_span, "declared here");
            self.report(finding);
            return None;
        }
        Some(def)
    }

    /// Whether a `let` further below uses a name of the `let` around a place.
    fn needs_each_other(&self, below: ast::Let<'_>, place: TextRange) -> bool {
        let Some(tree) = self.files.get(self.file).map(|file| &file.tree) else { return false };
        let around = tree.covering_node(place).ancestors().find_map(ast::Let::cast);
        let Some(own) = around.and_then(ast::Let::binder) else { return false };
        let names: Vec<_> = own.syntax().descendants().filter_map(ast::NamePat::cast).collect();
        let names: Vec<&str> =
            names.iter().filter_map(|pattern| Some(pattern.name()?.text())).collect();
        let used = below.syntax().descendants().filter_map(ast::NameExpr::cast);
        used.filter_map(|used| used.name()).any(|used| names.contains(&used.text()))
    }

    /// The error for a name that is bound further below, or whose own value uses it.
    pub(super) fn used_too_early(&self, name: &str, span: Span) -> Option<Diagnostic> {
        let tree = &self.files.get(self.file)?.tree;
        let place = TextRange::new(span.start.into(), span.end.into());
        for node in tree.covering_node(place).ancestors() {
            for stmt in node.children().filter_map(ast::Let::cast) {
                if stmt.range().end() <= place.start() || node.kind() == SyntaxKind::SourceFile {
                    continue;
                }
                let binder =
                    stmt.binder().and_then(|binder| {
                        binder.syntax().descendants().filter_map(ast::NamePat::cast).find(
                            |pattern| pattern.name().is_some_and(|token| token.text() == name),
                        )
                    });
                let Some(binder) = binder else { continue };
                let finding = if stmt.range().contains_range(place) {
                    let before =
                        self.files.slice(Span { end: span.start, ..self.span(stmt.range()) });
                    let is_on_next_line = before.trim_end().ends_with('=') && {
                        let line = before.rsplit('\n').next().unwrap_or_default();
                        before.contains('\n') && line.trim().is_empty()
                    };
                    let finding = Diagnostic::new(
                        Code::UsedTooEarly,
                        span,
                        format!("`{name}` is used in its own definition"),
                    );
                    if is_on_next_line {
                        finding
                            .here("this was taken for the value")
                            .help("write the value after `=`: nothing follows it on its line")
                    } else {
                        finding.help("to build a value step by step, use `loop`")
                    }
                } else if self.needs_each_other(stmt, place) {
                    Diagnostic::new(
                        Code::UsedTooEarly,
                        span,
                        format!("`{name}` is used before its definition, which needs this one"),
                    )
                    .help("two values cannot need each other: compute one of them from something else")
                } else {
                    Diagnostic::new(
                        Code::UsedTooEarly,
                        span,
                        format!("`{name}` is used before its definition"),
                    )
                    .help(format!("move the `let` of `{name}` above this line"))
                };
                return Some(finding.label(self.span(binder.range()), "defined here"));
            }
        }
        None
    }
}
