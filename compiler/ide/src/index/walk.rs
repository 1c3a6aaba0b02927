//! One walk over the HIR of a file.

use kait_compiler::check::BodyTypes;
use kait_compiler::check::ty::{Ty, TyKind};
use kait_compiler::diagnostics::{FileId, Span};
use kait_compiler::hir::{
    Arg, ArgValue, Body, Builtin, Callable, Callee, Def, DefId, DefKind, Expr, ExprId, Field, Pat,
    PatId, PatTarget, PromptItem, Stmt, TestItem, TypeRef,
};
use kait_syntax::ast::{self, Expr as AstExpr};
use kait_syntax::{SyntaxKind, SyntaxToken, SyntaxTree};

use super::Ref;
use crate::analysis::range_of;
use crate::{Analysis, Symbol};

/// The names of a file.
pub(super) fn refs(analysis: &Analysis, file: FileId) -> Vec<Ref> {
    let module = analysis.module_of(file).and_then(|module| analysis.module(module));
    walked(analysis, file, true, module.map(|module| module.defs.as_slice()).unwrap_or_default())
}

/// The names of the declaration around an offset, or of the imports outside of all.
pub(super) fn refs_around(analysis: &Analysis, file: FileId, offset: u32) -> Vec<Ref> {
    let around = analysis.def_at(file, offset);
    walked(analysis, file, around.is_none(), around.as_slice())
}

fn walked(analysis: &Analysis, file: FileId, imports: bool, defs: &[DefId]) -> Vec<Ref> {
    let Some(tree) = analysis.tree(file) else { return Vec::new() };
    let mut walk = Walk { analysis, tree, refs: Vec::new() };
    if imports {
        walk.imports(file);
    }
    for id in defs {
        if let Some(def) = analysis.def(*id) {
            walk.def(*id, def);
        }
    }
    walk.refs
}

pub(super) struct Walk<'a> {
    pub analysis: &'a Analysis,
    pub tree: &'a SyntaxTree,
    refs: Vec<Ref>,
}

impl<'a> Walk<'a> {
    pub(super) fn record(&mut self, token: SyntaxToken<'_>, symbol: Symbol) {
        self.add(token.range().start().into(), token.range().end().into(), symbol, false);
    }

    fn record_span(&mut self, span: Span, symbol: Symbol) {
        self.add(span.start, span.end, symbol, false);
    }

    fn declare(&mut self, span: Span, symbol: Symbol) {
        self.add(span.start, span.end, symbol, true);
    }

    fn add(&mut self, start: u32, end: u32, symbol: Symbol, declares: bool) {
        if start < end {
            self.refs.push(Ref { start, end, symbol, declares });
        }
    }

    /// The words of a path whose last one means `target`: enums and modules before it mean themselves.
    pub(super) fn path(&mut self, tokens: &[SyntaxToken<'_>], target: Symbol) {
        let Some((last, before)) = tokens.split_last() else { return };
        self.record(*last, target);
        let def = match target {
            Symbol::Def(def) | Symbol::Variant(def, _) => def,
            _ => return,
        };
        let Some(module) = self.analysis.def(def).map(|def| def.module) else { return };
        for token in before {
            match (token.kind(), target) {
                (SyntaxKind::Uid, Symbol::Variant(..)) => self.record(*token, Symbol::Def(def)),
                (SyntaxKind::Uid, _) => {}
                _ => self.record(*token, Symbol::Module(module)),
            }
        }
    }

    /// The words inside a place: the last one means `target`.
    fn path_in(&mut self, span: Span, target: Symbol) {
        let tokens = self.tree.tokens_in(range_of(span));
        let tokens: Vec<_> = tokens.filter(|token| crate::analysis::is_word(*token)).collect();
        self.path(&tokens, target);
    }

    fn imports(&mut self, file: FileId) {
        let Some(source) = ast::SourceFile::cast(self.tree.root()) else { return };
        for decl in source.decls() {
            let ast::Decl::Use(decl) = decl else { continue };
            let (Some(path), Some(bound)) = (decl.path(), decl.bound_name()) else { continue };
            let Some(module) = self.analysis.imported(file, &path.to_text()) else { continue };
            if let Some(last) = path.segments().last() {
                self.record(last, Symbol::Module(module));
            }
            let range = bound.range();
            self.add(range.start().into(), range.end().into(), Symbol::Module(module), true);
        }
    }

    fn def(&mut self, id: DefId, def: &Def) {
        if !def.name.is_empty() && !matches!(def.kind, DefKind::Test(_)) {
            self.declare(def.name_span, Symbol::Def(id));
        }
        if let Some(node) = self.analysis.decl_node(def)
            && let Some(params) = node.first_child(SyntaxKind::TypeParams)
        {
            let names = params.tokens().filter(|token| token.kind() == SyntaxKind::Uid);
            for (index, token) in (0u32..).zip(names) {
                let range = token.range();
                let symbol = Symbol::TypeParam(id, index);
                self.add(range.start().into(), range.end().into(), symbol, true);
            }
        }
        match &def.kind {
            DefKind::Const { ty } => self.annotation(ty.as_ref(), id),
            DefKind::Record(record) | DefKind::Session(record) => {
                self.fields(&record.fields, id, |index| Symbol::Field(id, index));
            }
            DefKind::Enum(declared) => {
                for (number, variant) in (0u32..).zip(&declared.variants) {
                    let name = self.analysis.variant_name(variant);
                    self.declare(name, Symbol::Variant(id, number));
                    self.fields(&variant.fields, id, |index| Symbol::Payload(id, number, index));
                }
            }
            DefKind::Alias(alias) => self.type_ref(&alias.ty, id, None),
            DefKind::Callable(callable) => self.callable(id, callable),
            DefKind::Model { .. } | DefKind::Secret | DefKind::Test(_) => {}
        }
        if let Some(body) = self.analysis.body(id) {
            self.body(id, body);
            if let DefKind::Test(test) = &def.kind {
                self.test(id, body, &test.items);
            }
        }
    }

    fn fields(&mut self, fields: &[Field], owner: DefId, symbol: impl Fn(u32) -> Symbol) {
        for (index, field) in (0u32..).zip(fields) {
            self.declare(field.span, symbol(index));
            self.type_ref(&field.ty, owner, None);
        }
    }

    fn annotation(&mut self, ty: Option<&TypeRef>, owner: DefId) {
        if let Some(ty) = ty {
            self.type_ref(ty, owner, None);
        }
    }

    fn callable(&mut self, id: DefId, callable: &Callable) {
        if let Some(session) = &callable.session
            && let Some(def) = session.def
        {
            self.record_span(session.span, Symbol::Def(def));
        }
        for param in &callable.params {
            self.type_ref(&param.ty, id, Some(callable));
        }
        self.type_ref(&callable.result, id, Some(callable));
        if let Some(source) = callable.source
            && let Some(body) = self.analysis.body(id)
            && let Some(Expr::Call { callee: Callee::Def(source), .. }) =
                body.exprs.get(source.index())
        {
            let node = self.analysis.def(id).and_then(|def| self.analysis.decl_node(def));
            let path = node.and_then(ast::Trigger::cast).and_then(ast::Trigger::source);
            if let Some(path) = path {
                let tokens: Vec<_> = path.segments().collect();
                self.path(&tokens, Symbol::Def(*source));
            }
        }
        for item in &callable.items {
            match item {
                PromptItem::Model { role: Some(role), span, .. } => {
                    let node = self.tree.covering_node(range_of(*span));
                    let item = node.ancestors().find_map(ast::PromptModel::cast);
                    if let Some(token) = item.and_then(ast::PromptModel::role) {
                        self.record(token, Symbol::Def(*role));
                    }
                }
                PromptItem::Tools { tools, .. } => {
                    for tool in tools {
                        let node = self.tree.covering_node(range_of(tool.span));
                        let node = node.ancestors().find_map(ast::Tool::cast);
                        let path = node.and_then(ast::Tool::path);
                        if let (Some(target), Some(path)) = (tool.target, path) {
                            let tokens: Vec<_> = path.segments().collect();
                            self.path(&tokens, Symbol::Def(target));
                        }
                    }
                }
                PromptItem::Model { role: None, .. } | PromptItem::Message { .. } => {}
            }
        }
    }

    fn test(&mut self, id: DefId, body: &Body, items: &[TestItem]) {
        for item in items {
            match item {
                TestItem::Stub(stub) => {
                    let Some(target) = stub.target else { continue };
                    self.path_in(stub.path_span, Symbol::Def(target));
                    for (name, _, span) in &stub.params {
                        if let Some(name) = name
                            && let Some(symbol) = self.argument_of(&Callee::Def(target), None, name)
                        {
                            self.named(*span, name, symbol);
                        }
                    }
                }
                TestItem::Stmt(stmt) => self.stmt(id, stmt),
                TestItem::Expect { .. } => {}
            }
        }
        let _ = body;
    }

    fn stmt(&mut self, owner: DefId, stmt: &Stmt) {
        if let Stmt::Let { ty, .. } = stmt {
            self.annotation(ty.as_ref(), owner);
        }
    }

    /// The word `name` at the start of a place.
    fn named(&mut self, span: Span, name: &str, symbol: Symbol) {
        let end = span.start + u32::try_from(name.len()).unwrap_or(0);
        let at = Span::new(span.file, span.start, end);
        if self.analysis.compilation.files.slice(at) == name {
            self.record_span(at, symbol);
        }
    }

    fn body(&mut self, owner: DefId, body: &Body) {
        static NO_TYPES: std::sync::LazyLock<BodyTypes> =
            std::sync::LazyLock::new(BodyTypes::default);
        let types = self.analysis.compilation.types.body(owner).unwrap_or(&NO_TYPES);
        for (index, local) in (0u32..).zip(&body.locals) {
            let symbol = Symbol::Local(owner, kait_compiler::hir::LocalId(index));
            self.declare(local.span, symbol);
        }
        for (index, (expr, span)) in (0u32..).zip(body.exprs.iter().zip(&body.expr_spans)) {
            self.expr(owner, body, types, ExprId(index), expr, *span);
        }
        for (index, (pat, span)) in (0u32..).zip(body.pats.iter().zip(&body.pat_spans)) {
            self.pat(owner, types, PatId(index), pat, *span);
        }
    }

    fn expr(
        &mut self,
        owner: DefId,
        body: &Body,
        types: &BodyTypes,
        id: ExprId,
        expr: &Expr,
        span: Span,
    ) {
        match expr {
            Expr::Local(local) => self.record_span(span, Symbol::Local(owner, *local)),
            Expr::Def(def) => self.path_in(span, Symbol::Def(*def)),
            Expr::Variant(def, index) => self.path_in(span, Symbol::Variant(*def, *index)),
            Expr::BareVariant { candidates, .. } => {
                if let Some((def, index)) = chosen(types.variants.get(&id), candidates) {
                    self.record_span(span, Symbol::Variant(def, index));
                }
            }
            Expr::Call { callee, args, .. } => {
                if let Callee::Builtin(Builtin::SessionSave) = callee {
                    self.saved(owner, args);
                }
                self.call(types, id, callee, args, span);
            }
            Expr::Session { def, name_span, .. } => {
                if let Some(index) = types.fields.get(&id) {
                    self.record_span(*name_span, Symbol::Field(*def, *index));
                }
            }
            Expr::Field { base, name_span, .. } => {
                if let (Some(index), Some(ty)) =
                    (types.fields.get(&id), types.exprs.get(base.index()))
                    && let Some(def) = self.record_of(*ty)
                {
                    self.record_span(*name_span, Symbol::Field(def, *index));
                }
            }
            Expr::Loop { vars, .. } => {
                for (_, ty, _) in vars {
                    self.annotation(ty.as_ref(), owner);
                }
            }
            Expr::Next(args) => self.next(owner, body, args, span),
            Expr::Block(stmts) => {
                for stmt in stmts {
                    self.stmt(owner, stmt);
                }
            }
            _ => {}
        }
    }

    /// `session.save(field: value)`: the names are fields of the session.
    fn saved(&mut self, owner: DefId, args: &[Arg]) {
        let Some(session) = self.analysis.session_of(owner) else { return };
        let Some(fields) = self.analysis.fields(session) else { return };
        for (name, span) in args.iter().filter_map(|arg| arg.name.as_ref()) {
            if let Some(index) = position(fields, name) {
                self.record_span(*span, Symbol::Field(session, index));
            }
        }
    }

    fn call(&mut self, types: &BodyTypes, id: ExprId, callee: &Callee, args: &[Arg], span: Span) {
        let variant = types.variants.get(&id).copied();
        let target = match callee {
            Callee::Missing => return,
            Callee::Def(def) => Some(Symbol::Def(*def)),
            Callee::Variant(def, index) => Some(Symbol::Variant(*def, *index)),
            Callee::BareVariant { candidates, .. } => {
                chosen(variant.as_ref(), candidates).map(|(def, i)| Symbol::Variant(def, i))
            }
            Callee::Builtin(form) => Some(Symbol::Builtin(*form)),
        };
        if let Some(target) = target
            && let Some(callee) = call_at(self.tree, span).and_then(ast::CallExpr::callee)
        {
            let mut tokens = Vec::new();
            words(callee, &mut tokens);
            self.path(&tokens, target);
        }
        for (position, arg) in (0u32..).zip(args) {
            if let Some((name, span)) = &arg.name
                && let Some(symbol) = self.argument_of(callee, variant, name)
            {
                self.record_span(*span, symbol);
            }
            match &arg.value {
                ArgValue::Selector(_, span) => {
                    let Some(call) = types.calls.get(&id) else { continue };
                    let field = call.selectors.iter().find(|(arg, _)| *arg == position);
                    let record = call.args.iter().zip(&call.params).find_map(|(source, ty)| {
                        let here = kait_compiler::check::ArgSource::Arg(position) == *source;
                        here.then(|| self.selected_record(*ty)).flatten()
                    });
                    if let (Some((_, field)), Some(record)) = (field, record) {
                        self.record_span(*span, Symbol::Field(record, *field));
                    }
                }
                ArgValue::Callable(Some(def), span) => self.path_in(*span, Symbol::Def(*def)),
                _ => {}
            }
        }
    }

    /// What the name of an argument means.
    fn argument_of(
        &self,
        callee: &Callee,
        variant: Option<(DefId, u32)>,
        name: &str,
    ) -> Option<Symbol> {
        let (def, variant) = match callee {
            Callee::Def(def) => (*def, None),
            Callee::Variant(def, index) => (*def, Some(*index)),
            Callee::BareVariant { candidates, .. } => {
                let (def, index) = chosen(variant.as_ref(), candidates)?;
                (def, Some(index))
            }
            Callee::Missing | Callee::Builtin(_) => return None,
        };
        if let Some(variant) = variant {
            let index = position(&self.analysis.variant(def, variant)?.fields, name)?;
            return Some(Symbol::Payload(def, variant, index));
        }
        match &self.analysis.def(def)?.kind {
            DefKind::Callable(callable) => {
                let param = callable.params.iter().find(|param| param.name == name)?;
                Some(Symbol::Local(def, param.local))
            }
            DefKind::Record(record) => Some(Symbol::Field(def, position(&record.fields, name)?)),
            _ => None,
        }
    }

    /// `next(name: value)`: the name is a variable of the loop around it.
    fn next(&mut self, owner: DefId, body: &Body, args: &[Arg], span: Span) {
        let innermost = body
            .exprs
            .iter()
            .zip(&body.expr_spans)
            .filter_map(|(expr, place)| match expr {
                Expr::Loop { vars, .. } if place.contains(span) => Some((vars, place)),
                _ => None,
            })
            .max_by_key(|(_, place)| place.start);
        let Some((vars, _)) = innermost else { return };
        for (name, span) in args.iter().filter_map(|arg| arg.name.as_ref()) {
            let var = vars.iter().find(|(local, ..)| {
                body.locals.get(local.index()).is_some_and(|local| local.name == *name)
            });
            if let Some((local, ..)) = var {
                self.record_span(*span, Symbol::Local(owner, *local));
            }
        }
    }

    fn pat(&mut self, owner: DefId, types: &BodyTypes, id: PatId, pat: &Pat, span: Span) {
        match pat {
            // The alternatives of a pattern bind one local in several places.
            Pat::Bind(local) => self.declare(span, Symbol::Local(owner, *local)),
            Pat::Tag { target, args } => {
                let variant = match target {
                    PatTarget::Missing => return,
                    PatTarget::Record(def) => {
                        self.tag(span, Symbol::Def(*def));
                        for arg in args.iter().flatten() {
                            if let Some((name, span)) = &arg.name
                                && let Some(index) =
                                    self.analysis.fields(*def).and_then(|f| position(f, name))
                            {
                                self.record_span(*span, Symbol::Field(*def, index));
                            }
                        }
                        return;
                    }
                    PatTarget::Variant(def, index) => Some((*def, *index)),
                    PatTarget::Bare { candidates, .. } => {
                        chosen(types.pat_variants.get(&id), candidates)
                    }
                };
                let Some((def, index)) = variant else { return };
                self.tag(span, Symbol::Variant(def, index));
                let fields = self.analysis.variant(def, index).map(|v| v.fields.as_slice());
                for arg in args.iter().flatten() {
                    if let Some((name, span)) = &arg.name
                        && let Some(field) = fields.and_then(|fields| position(fields, name))
                    {
                        self.record_span(*span, Symbol::Payload(def, index, field));
                    }
                }
            }
            _ => {}
        }
    }

    fn tag(&mut self, span: Span, target: Symbol) {
        let node = self.tree.covering_node(range_of(span));
        let tag = node.descendants().find_map(ast::Tag::cast);
        if let Some(tag) = tag {
            let tokens: Vec<_> = tag.segments().collect();
            self.path(&tokens, target);
        }
    }

    /// The record whose fields a value of that type has.
    fn record_of(&self, ty: Ty) -> Option<DefId> {
        self.analysis.record_of(ty)
    }

    fn selected_record(&self, ty: Ty) -> Option<DefId> {
        let interner = &self.analysis.compilation.types.interner;
        match interner.kind(interner.base(interner.present(ty))) {
            TyKind::Selector(of, _) => self.record_of(*of),
            _ => None,
        }
    }
}

impl Analysis {
    /// The record or session whose fields a value of that type has, also if it may be `none`.
    pub(crate) fn record_of(&self, ty: Ty) -> Option<DefId> {
        let interner = &self.compilation.types.interner;
        match interner.kind(interner.base(interner.present(ty))) {
            TyKind::Named(def, _) => self.fields(*def).map(|_| *def),
            _ => None,
        }
    }
}

fn position(fields: &[Field], name: &str) -> Option<u32> {
    let index = fields.iter().position(|field| field.name == name)?;
    u32::try_from(index).ok()
}

/// The variant that a bare name means: what the checker chose, else the only one there is.
fn chosen(known: Option<&(DefId, u32)>, candidates: &[(DefId, u32)]) -> Option<(DefId, u32)> {
    known.copied().or(match candidates {
        [only] => Some(*only),
        _ => None,
    })
}

/// The call that has a place in the HIR. A pipe's call has the place of the whole pipe.
pub(crate) fn call_at(tree: &SyntaxTree, span: Span) -> Option<ast::CallExpr<'_>> {
    let range = range_of(span);
    let covering = tree.covering_node(range);
    let mut exact: Option<AstExpr<'_>> = None;
    for node in covering.ancestors().take_while(|node| node.range() == range) {
        if let Some(call) = ast::CallExpr::cast(node) {
            return Some(call);
        }
        exact = AstExpr::cast(node).or(exact);
    }
    match exact? {
        AstExpr::Pipe(pipe) => called(pipe.target()?),
        other => called(other),
    }
}

/// The call in what a pipe leads into.
pub(crate) fn called(mut expr: AstExpr<'_>) -> Option<ast::CallExpr<'_>> {
    loop {
        expr = match expr {
            AstExpr::Call(call) => return Some(call),
            AstExpr::With(with) => with.operand()?,
            AstExpr::Paren(paren) => paren.inner()?,
            AstExpr::Unary(unary) => unary.operand()?,
            AstExpr::Coalesce(coalesce) => coalesce.value()?,
            _ => return None,
        };
    }
}

/// The words of a path that is written as an expression: `text.trim`, `mail.Outcome.Sent`.
pub(crate) fn words<'t>(mut expr: AstExpr<'t>, out: &mut Vec<SyntaxToken<'t>>) {
    // From the last word to the first, then turned around.
    let start = out.len();
    loop {
        let (name, base) = match expr {
            AstExpr::Name(name) => (name.name(), None),
            AstExpr::UName(name) => (name.name(), None),
            AstExpr::Field(field) => (field.name(), field.base()),
            AstExpr::UidField(field) => (field.name(), field.base()),
            AstExpr::Paren(paren) => (None, paren.inner()),
            _ => break,
        };
        out.extend(name);
        match base {
            Some(base) => expr = base,
            None => break,
        }
    }
    if let Some(found) = out.get_mut(start..) {
        found.reverse();
    }
}
