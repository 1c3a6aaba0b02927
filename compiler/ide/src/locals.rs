//! Where an offset is, also in a file that is being written: the nodes around it, and the names that are bound there.

use kait_compiler::check::ty::{Ty, TyKind};
use kait_compiler::diagnostics::FileId;
use kait_compiler::hir::{ArgValue, Body, Callee, DefId, Expr, ExprId, LocalId};
use kait_syntax::ast;
use kait_syntax::{SyntaxKind, SyntaxNode, SyntaxToken, SyntaxTree, TextRange, TextSize};

use crate::index::FileIndex;
use crate::{Analysis, Symbol};

/// How many steps from an expression to a part whose type is known.
const MAX_STEPS: u8 = 8;

/// The last token that is no trivia and starts before an offset.
pub(crate) fn token_before(tree: &SyntaxTree, offset: u32) -> Option<SyntaxToken<'_>> {
    let mut token = tree.token_at(TextSize::from(offset.checked_sub(1)?))?;
    // At the end of a file an empty token may be found.
    while token.kind().is_trivia() || u32::from(token.range().start()) >= offset {
        token = token.prev_token()?;
    }
    Some(token)
}

/// The nodes around an offset, from the inside out. A node whose closing bracket is missing goes on to the end of what
/// it could hold, and so do the nodes around it.
pub(crate) fn around(tree: &SyntaxTree, offset: u32) -> Vec<SyntaxNode<'_>> {
    let at = TextSize::from(offset);
    let Some(left) = token_before(tree, offset) else { return vec![tree.root()] };
    let mut open = false;
    let mut out = Vec::new();
    for node in left.parent().ancestors() {
        let range = node.range();
        open |= is_unclosed(node);
        if range.start() < at && (at <= range.end() || open) && !closed_before(node, at) {
            out.push(node);
        }
    }
    if out.last().is_none_or(|last| last.kind() != SyntaxKind::SourceFile) {
        out.push(tree.root());
    }
    out
}

/// A bracket stands open in the node itself.
fn is_unclosed(node: SyntaxNode<'_>) -> bool {
    let mut open = 0i32;
    for token in node.tokens() {
        match token.kind() {
            SyntaxKind::LBrace
            | SyntaxKind::LParen
            | SyntaxKind::LBracket
            | SyntaxKind::InterpStart => open += 1,
            SyntaxKind::RBrace
            | SyntaxKind::RParen
            | SyntaxKind::RBracket
            | SyntaxKind::InterpEnd => open -= 1,
            _ => {}
        }
    }
    open > 0
}

/// The offset stands behind the bracket that closes the node: `f(a)|` is not in the arguments any more.
fn closed_before(node: SyntaxNode<'_>, at: TextSize) -> bool {
    let bracketed = matches!(
        node.kind(),
        SyntaxKind::Args
            | SyntaxKind::Params
            | SyntaxKind::PatArgs
            | SyntaxKind::Block
            | SyntaxKind::Arms
            | SyntaxKind::ListExpr
            | SyntaxKind::MapExpr
            | SyntaxKind::ParenExpr
            | SyntaxKind::ListPat
            | SyntaxKind::ListType
            | SyntaxKind::MapType
            | SyntaxKind::Interpolation
            | SyntaxKind::TypeArgs
            | SyntaxKind::TypeParams
    );
    let closing = |token: SyntaxToken<'_>| {
        matches!(
            token.kind(),
            SyntaxKind::RParen
                | SyntaxKind::RBrace
                | SyntaxKind::RBracket
                | SyntaxKind::InterpEnd
                | SyntaxKind::Gt
        )
    };
    bracketed && node.tokens().last().is_some_and(|last| closing(last) && last.range().end() <= at)
}

/// A name that is bound where one looks from.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub name: String,
    /// What it is, if the compiler could tell.
    pub local: Option<(DefId, LocalId)>,
}

impl Analysis {
    /// The names that are bound at an offset, the innermost first.
    pub(crate) fn bound_at(&self, file: FileId, offset: u32) -> Vec<Bound> {
        let Some(tree) = self.tree(file) else { return Vec::new() };
        let at = TextSize::from(offset);
        let mut tokens: Vec<SyntaxToken<'_>> = Vec::new();
        let nodes = around(tree, offset);
        let body_starts = |node: SyntaxNode<'_>| {
            node.children()
                .find(|child| child.kind() == SyntaxKind::Block)
                .map(|b| b.range().start())
        };
        for node in &nodes {
            let node = *node;
            match node.kind() {
                SyntaxKind::Block | SyntaxKind::Test => {
                    let before: Vec<_> = node
                        .children()
                        .filter_map(ast::Let::cast)
                        .filter(|stmt| stmt.range().end() < at && !nodes.contains(&stmt.syntax()))
                        .collect();
                    for stmt in before.into_iter().rev() {
                        tokens.extend(stmt.binder().into_iter().flat_map(|p| binders(p.syntax())));
                    }
                }
                SyntaxKind::Arm => {
                    let pattern = ast::Arm::cast(node).and_then(ast::Arm::pattern);
                    if let Some(pattern) = pattern.filter(|pattern| pattern.range().end() < at) {
                        tokens.extend(binders(pattern.syntax()));
                    }
                }
                SyntaxKind::ForExpr => {
                    let Some(form) = ast::ForExpr::cast(node) else { continue };
                    let behind_list = form.list().is_some_and(|list| list.range().end() < at);
                    if let Some(pattern) = form.pattern().filter(|_| behind_list) {
                        tokens.extend(binders(pattern.syntax()));
                    }
                }
                SyntaxKind::LoopExpr if body_starts(node).is_some_and(|start| start < at) => {
                    let vars = ast::LoopExpr::cast(node).into_iter().flat_map(|l| l.vars());
                    tokens.extend(vars.filter_map(ast::LoopVar::name));
                }
                SyntaxKind::Stub => {
                    let args = node.children().find(|child| child.kind() == SyntaxKind::PatArgs);
                    if let Some(args) = args.filter(|args| args.range().end() < at) {
                        tokens.extend(binders(args));
                    }
                }
                SyntaxKind::Fn | SyntaxKind::Graph | SyntaxKind::Prompt | SyntaxKind::Extern => {
                    let params = node.first_child(SyntaxKind::Params);
                    if let Some(params) = params.filter(|params| params.range().end() <= at) {
                        let names = params.children().filter_map(ast::Param::cast);
                        tokens.extend(names.filter_map(ast::Param::name));
                    }
                }
                _ => {}
            }
        }
        // What is bound at a place belongs to the declaration around it.
        let inside = tokens.first().map_or(offset, |token| token.range().start().into());
        let index = FileIndex::around(self, file, inside);
        let mut out: Vec<Bound> = Vec::new();
        for token in tokens {
            if out.iter().any(|known| known.name == token.text()) {
                continue;
            }
            let found = index.at(token.range().start().into());
            let local = match found.map(|found| found.symbol) {
                Some(Symbol::Local(def, local)) => Some((def, local)),
                _ => None,
            };
            out.push(Bound { name: token.text().to_owned(), local });
        }
        out
    }

    /// The type of the expression that has exactly that place, if it can be told.
    pub(crate) fn type_of_range(&self, file: FileId, range: TextRange) -> Option<Ty> {
        let start = range.start().into();
        let owner = self.def_at(file, start)?;
        let body = self.body(owner)?;
        (0u32..)
            .zip(&body.expr_spans)
            .filter(|(_, span)| span.start == start && span.end == u32::from(range.end()))
            .find_map(|(index, _)| self.type_of(owner, body, ExprId(index), 0))
    }

    /// An expression's type. What stands in a broken statement was not checked, so simple forms are looked up by their
    /// parts, as far as one step each tells it.
    fn type_of(&self, owner: DefId, body: &Body, expr: ExprId, depth: u8) -> Option<Ty> {
        let types = &self.compilation.types;
        let interner = &types.interner;
        let known = types.ty_of_expr(owner, expr);
        if known != Ty::ERROR {
            return Some(known);
        }
        if depth >= MAX_STEPS {
            return None;
        }
        let part = |part: ExprId| self.type_of(owner, body, part, depth + 1);
        match body.exprs.get(expr.index())? {
            Expr::Local(local) => Some(types.ty_of_local(owner, *local)),
            Expr::Def(def) => types.constant(*def),
            Expr::With { expr, .. } => part(*expr),
            Expr::Field { base, name, .. } => {
                let record = self.record_of(part(*base)?)?;
                let index = self.fields(record)?.iter().position(|field| field.name == *name)?;
                types.fields(record)?.get(index).copied()
            }
            Expr::Index { base, .. } => match interner.kind(interner.base(part(*base)?)) {
                TyKind::List(item) | TyKind::Map(_, item) => Some(*item),
                _ => None,
            },
            Expr::Call { callee: Callee::Def(def), args, .. } => {
                let Some(signature) = types.signature(*def) else { return self.type_named(*def) };
                let result = interner.present(signature.result);
                let TyKind::Param(wanted) = interner.kind(result) else { return Some(result) };
                signature.params.iter().zip(args).find_map(|(param, arg)| {
                    let ArgValue::Expr(value) = arg.value else { return None };
                    let (param, given) = (interner.base(*param), interner.base(part(value)?));
                    match (interner.kind(param), interner.kind(given)) {
                        (TyKind::Param(index), _) if index == wanted => Some(given),
                        (TyKind::List(item), TyKind::List(given)) => {
                            (interner.kind(*item) == &TyKind::Param(*wanted)).then_some(*given)
                        }
                        _ => None,
                    }
                })
            }
            _ => None,
        }
    }

    /// The type that a declaration without type parameters declares, if the program mentions it.
    pub(crate) fn type_named(&self, def: DefId) -> Option<Ty> {
        let interner = &self.compilation.types.interner;
        (0..interner.len()).filter_map(|index| u32::try_from(index).ok()).map(Ty).find(|ty| {
            matches!(interner.kind(*ty), TyKind::Named(known, args) if *known == def && args.is_empty())
        })
    }
}

/// The names that a pattern binds.
fn binders(pattern: SyntaxNode<'_>) -> impl Iterator<Item = SyntaxToken<'_>> {
    pattern.descendants().filter_map(|node| match node.kind() {
        SyntaxKind::NamePat => ast::NamePat::cast(node)?.name(),
        SyntaxKind::RestPat => ast::RestPat::cast(node)?.name(),
        _ => None,
    })
}
