//! Syntax trees to HIR: names resolved, sugar removed, literals read.
//!
//! One [`Lowerer`] walks all declarations in order. It reports what can be said without types; whatever it cannot read
//! or resolve becomes `Missing`, once reported, so that later stages stay silent about it. It must never look at types.
//!
//! Recursion is as deep as the syntax tree, whose depth the parser bounds.

pub(crate) mod ahead;
mod calls;
mod control;
mod exprs;
mod forms;
mod items;
mod literals;
mod patterns;
mod resolve;
mod scope;
mod sessions;
#[cfg(test)]
mod tests;
mod types;
mod unknown;

use std::sync::Arc;

use kait_syntax::ast::{AstNode, Decl};
use kait_syntax::{SyntaxToken, TextRange};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::{
    Body, CallableKind, Candidates, Def, DefId, DefKind, Expr, ExprId, Hir, Local, LocalId,
    LocalKind, Module, ModuleId, Pat, PatId,
};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, FileId, Span};
use crate::names::{Head, Names, span_of};
use crate::sources::{Files, Sources};
use crate::threads::Threads;
use scope::Locals;
use types::SignatureParams;
use unknown::Unknowns;

/// A declaration, lowered: all that the lowering of others and later stages need of it.
#[derive(Clone, Debug)]
pub(crate) struct Lowered {
    pub def: Arc<Def>,
    pub body: Option<Arc<Body>>,
    pub trace: Trace,
}

/// What lowering a declaration did besides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    /// The imports that it uses, by their names in the file.
    pub imports: Vec<SmolStr>,
    /// The constants and callables that it needs, and where.
    pub mentions: Vec<(DefId, Span)>,
    /// Nothing was said about it.
    pub is_clean: bool,
}

/// Lowers every declaration of every module but those that are known, by [`DefId`]. The weights are those of the
/// declarations.
pub(crate) fn lower(
    sources: &dyn Sources,
    names: &Names,
    files: &Files,
    mut known: Vec<Option<Lowered>>,
    (weights, threads): (&[u32], Threads),
    diagnostics: &mut Diagnostics,
) -> (Hir, Vec<Trace>) {
    if threads.count() > 1 {
        ahead::lower(names, files, &mut known, (weights, threads));
    }
    let mut lowerer = Lowerer::new(sources, names, files, diagnostics);
    let mut hir = Hir::default();
    hir.defs.reserve(names.heads.len());
    hir.bodies.reserve(names.heads.len());
    let mut traces = Vec::with_capacity(names.heads.len());
    for (index, module) in (0u32..).zip(&names.modules) {
        let id = ModuleId(index);
        let Some(file) = files.get(module.file) else { continue };
        let tree = &file.tree;
        lowerer.enter_module(id, module.file);
        for def in &module.defs {
            let lowered = match known.get_mut(def.index()).and_then(Option::take) {
                Some(known) => known,
                None => {
                    let Some(head) = names.head(*def) else { continue };
                    let decl = tree.node(head.node).and_then(Decl::cast);
                    let Some(decl) = decl else { continue };
                    lowerer.declaration(*def, head, decl)
                }
            };
            lowerer.used_imports.extend(lowered.trace.imports.iter().cloned());
            hir.defs.push(lowered.def);
            hir.bodies.push(lowered.body);
            traces.push(lowered.trace);
        }
        lowerer.leave_module();
        let source = kait_syntax::ast::SourceFile::cast(tree.root());
        hir.modules.push(Module {
            file: module.file,
            name: module.name.clone(),
            docs: source.and_then(|s| s.doc_text()).map(SmolStr::from).unwrap_or_default(),
            is_std: module.is_std,
            defs: module.defs.clone(),
        });
    }
    lowerer.const_cycles(&hir, &traces);
    (hir, traces)
}

/// What `session` means in a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SessionScope {
    /// Nothing.
    None,
    /// The header names something that is no session, which was reported.
    Broken,
    /// The state of that session.
    Of(DefId),
}

/// The state of the walk: what is fixed for the compilation, for the module, and for the declaration.
struct Lowerer<'a> {
    /// Asked for the package's files, if a module is not known.
    sources: &'a dyn Sources,
    /// The modules that they are, once they were asked.
    listed: Option<Vec<SmolStr>>,
    names: &'a Names,
    files: &'a Files,
    diagnostics: &'a mut Diagnostics,

    module: ModuleId,
    file: FileId,
    is_std: bool,
    unknown: Unknowns,
    used_imports: FxHashSet<SmolStr>,
    /// The variants of each name that was met in the module, and whether one of their enums could not be read.
    variants: FxHashMap<SmolStr, (Candidates, bool)>,

    def: DefId,
    body: Body,
    locals: Locals,
    type_params: Vec<SmolStr>,
    /// Depth of loops around the place, for `done` and `next`.
    loops: u32,
    in_test: bool,
    /// Which callable is declared, if it is one with a block.
    callable: Option<CallableKind>,
    /// The session that the declaration runs in.
    session: SessionScope,
    /// In the block of an `undo`, which nothing leaves but by its end.
    in_undo: bool,
    /// In the header of an extern, where `header(…)` and `bearer(…)` say how a value is sent.
    in_extern: bool,
    /// Its parameters there, which it does not see: name, place, and whether the type could not be read.
    header_params: Vec<(SmolStr, Span, bool)>,
    /// In the pattern of an `is`, which binds nothing.
    no_bind: bool,
    /// In a default value, where parameters are not known.
    hidden_params: SignatureParams<'a>,
    /// Modules that the declaration calls, with the first place.
    called_modules: FxHashMap<SmolStr, Span>,
    /// See [`Trace`]: of the declaration at hand.
    imports: Vec<SmolStr>,
    mentions: Vec<(DefId, Span)>,
    /// How often something was said that is not about an unknown name.
    reports: usize,
    /// The fields of a declaration so far: empty between them.
    known_fields: FxHashMap<SmolStr, Span>,
    /// A name of the declaration was taken, so that others may be missing.
    has_clash: bool,
    /// Names of the file that locals have taken, with the other places.
    taken: FxHashMap<SmolStr, usize>,
    taken_findings: Vec<Diagnostic>,
}

impl<'a> Lowerer<'a> {
    fn new(
        sources: &'a dyn Sources,
        names: &'a Names,
        files: &'a Files,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        Self {
            sources,
            listed: None,
            names,
            files,
            diagnostics,
            module: ModuleId(0),
            file: FileId(0),
            is_std: false,
            unknown: Unknowns::default(),
            used_imports: FxHashSet::default(),
            variants: FxHashMap::default(),
            def: DefId(0),
            body: Body::default(),
            locals: Locals::default(),
            type_params: Vec::new(),
            loops: 0,
            in_test: false,
            callable: None,
            session: SessionScope::None,
            in_undo: false,
            in_extern: false,
            header_params: Vec::new(),
            no_bind: false,
            hidden_params: None,
            called_modules: FxHashMap::default(),
            imports: Vec::new(),
            mentions: Vec::new(),
            reports: 0,
            known_fields: FxHashMap::default(),
            has_clash: false,
            taken: FxHashMap::default(),
            taken_findings: Vec::new(),
        }
    }

    fn enter_module(&mut self, module: ModuleId, file: FileId) {
        self.module = module;
        self.file = file;
        self.is_std = self.names.modules.get(module.index()).is_some_and(|module| module.is_std);
        self.used_imports.clear();
        self.variants.clear();
    }

    fn leave_module(&mut self) {
        if !self.taken_findings.is_empty() {
            // A declaration that took the name of locals may have had another name before.
            self.unknown.clear();
            self.taken.clear();
            self.diagnostics.extend(self.taken_findings.drain(..));
        }
        self.unknown.flush(self.diagnostics);
        self.unused_imports();
    }

    fn unused_imports(&mut self) {
        let Some(scope) = self.names.scope(self.module) else { return };
        if !scope.damaged_words.is_empty() {
            return;
        }
        let text = self.files.get(self.file).map_or("", |file| file.text());
        for (name, import) in &scope.modules {
            // That a module imports itself is a mistake of its own.
            let imports_itself = import.target == Some(self.module);
            if import.target.is_none() || imports_itself || self.used_imports.contains(name) {
                continue;
            }
            let finding = Diagnostic::new(
                Code::UnusedImport,
                import.span,
                format!("the import `{name}` is never used"),
            )
            .fix("remove it", vec![crate::names::delete_line(text, import.span)]);
            self.diagnostics.push(finding);
        }
    }

    fn span(&self, range: TextRange) -> Span {
        span_of(self.file, range)
    }

    fn token(&self, token: SyntaxToken<'_>) -> (SmolStr, Span) {
        (token.text().into(), self.span(token.range()))
    }

    fn report(&mut self, finding: Diagnostic) {
        self.reports += 1;
        self.diagnostics.push(finding);
    }

    fn not_supported(&mut self, span: Span, what: &str) {
        self.report(Diagnostic::not_supported(span, what));
    }

    /// How often something was said, or left unsaid because it was said elsewhere.
    fn said(&self) -> usize {
        self.reports + self.unknown.asked()
    }

    fn alloc(&mut self, expr: Expr, span: Span) -> ExprId {
        let id = ExprId(index(self.body.exprs.len()));
        self.body.exprs.push(expr);
        self.body.expr_spans.push(span);
        id
    }

    fn missing(&mut self, span: Span) -> ExprId {
        self.alloc(Expr::Missing, span)
    }

    fn alloc_pat(&mut self, pat: Pat, span: Span) -> PatId {
        let id = PatId(index(self.body.pats.len()));
        self.body.pats.push(pat);
        self.body.pat_spans.push(span);
        id
    }

    fn alloc_local(&mut self, name: SmolStr, span: Span, kind: LocalKind) -> LocalId {
        let id = LocalId(index(self.body.locals.len()));
        self.body.locals.push(Local { name, span, kind, uses: 0 });
        id
    }

    /// Lowers one declaration with a fresh body.
    fn declaration(&mut self, def: DefId, head: &Head, decl: Decl<'a>) -> Lowered {
        let said = self.said();
        let (kind, body) = self.kind_and_body(def, decl);
        let def = Def {
            name: head.name.clone(),
            module: self.module,
            is_pub: head.is_pub,
            docs: decl.doc_text().map(SmolStr::from).unwrap_or_default(),
            name_span: head.name_span,
            span: self.span(decl.syntax().range()),
            kind,
        };
        let trace = Trace {
            imports: moved(&mut self.imports),
            mentions: moved(&mut self.mentions),
            is_clean: self.said() == said,
        };
        Lowered { def: Arc::new(def), body: body.map(Arc::new), trace }
    }

    fn kind_and_body(&mut self, def: DefId, decl: Decl<'a>) -> (DefKind, Option<Body>) {
        self.def = def;
        self.locals.clear();
        self.type_params.clear();
        self.loops = 0;
        self.in_test = false;
        self.callable = None;
        self.session = SessionScope::None;
        self.in_undo = false;
        self.in_extern = false;
        self.no_bind = false;
        self.hidden_params = None;
        self.called_modules.clear();
        self.has_clash = false;
        let unknown = self.unknown.mark();
        let kind = self.item(decl);
        self.locals_that_hide_modules();
        if self.has_clash {
            self.unknown.forget(unknown);
        }
        let body = self.take_body();
        debug_assert!(crate::effects::walk::is_ordered(&body), "parts come before wholes");
        let is_empty = body.exprs.is_empty() && body.pats.is_empty() && body.locals.is_empty();
        // A test runs and a prompt is called, also those in which no expression is written yet.
        let runs = match &kind {
            DefKind::Test(_) => true,
            DefKind::Callable(callable) => match &callable.kind {
                CallableKind::Prompt | CallableKind::Agent => true,
                // What its header says is checked; the library's own are checked by its tests.
                CallableKind::Extern { .. } => !self.is_std,
                CallableKind::Fn | CallableKind::Graph | CallableKind::Trigger => false,
            },
            _ => false,
        };
        let keep = runs || body.root.is_some() || !is_empty;
        (kind, keep.then_some(body))
    }
}

impl Lowerer<'_> {
    /// The body that was made, in memory of just its size; the larger memory in which it grew serves the next one.
    fn take_body(&mut self) -> Body {
        let Body { exprs, expr_spans, pats, pat_spans, locals, root } = &mut self.body;
        Body {
            exprs: moved(exprs),
            expr_spans: moved(expr_spans),
            pats: moved(pats),
            pat_spans: moved(pat_spans),
            locals: moved(locals),
            root: root.take(),
        }
    }
}

/// The elements in memory of just their size; the larger memory stays where it is.
fn moved<T>(elements: &mut Vec<T>) -> Vec<T> {
    let mut exact = Vec::with_capacity(elements.len());
    exact.append(elements);
    exact
}

/// An empty list with room for as many elements as a node has parts: a program holds very many short lists, and lists
/// that grow by themselves leave half of their memory free.
fn list_for<'a, N: AstNode<'a>, T>(node: Option<N>) -> Vec<T> {
    Vec::with_capacity(node.map_or(0, |node| node.syntax().children().count()))
}

/// The index of the next element; a body has less than 2³² of anything, because a file has less than 2³² bytes.
fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
