//! `let`s that nothing needs: they do not run, unless someone could tell.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::walk;
use super::{ExprEffects, Sets};
use crate::hir::{Body, DefId, DefKind, Expr, ExprId, Hir, LocalId, Pat, PatId, Stmt, TestItem};

/// The values of `let`s that nothing needs and that are not gated.
pub(super) fn find(
    hir: &Hir,
    sets: &Sets,
    owner: DefId,
    body: &Body,
    exprs: &[ExprEffects],
) -> FxHashSet<ExprId> {
    let mut finder = Finder {
        body,
        sets,
        exprs,
        needed: SmallVec::from_elem(false, body.locals.len()),
        stack: SmallVec::new(),
        dead: FxHashSet::default(),
    };
    match hir.defs.get(owner.index()).map(|def| &def.kind) {
        Some(DefKind::Test(test)) => {
            // Stubs see the lets of their test, and may be called by whatever stands above or below them.
            for item in &test.items {
                match item {
                    TestItem::Stub(stub) => stub.outcomes.iter().for_each(|(e, _)| finder.need(*e)),
                    TestItem::Expect { .. } | TestItem::Stmt(_) => {}
                }
            }
            for item in test.items.iter().rev() {
                match item {
                    TestItem::Expect { expr, .. } => finder.need(*expr),
                    TestItem::Stmt(stmt) => finder.stmt(stmt),
                    TestItem::Stub(_) => {}
                }
            }
        }
        Some(DefKind::Callable(_)) => body.root.into_iter().for_each(|root| finder.need(root)),
        _ => {}
    }
    finder.dead
}

struct Finder<'a> {
    body: &'a Body,
    sets: &'a Sets,
    exprs: &'a [ExprEffects],
    /// By [`LocalId`].
    needed: SmallVec<[bool; 32]>,
    /// What is still to be looked at, innermost statement last.
    stack: SmallVec<[ExprId; 32]>,
    dead: FxHashSet<ExprId>,
}

impl Finder<'_> {
    /// Marks everything that an expression needs. Uses stand below definitions, so blocks are walked upwards.
    fn need(&mut self, root: ExprId) {
        let outer = self.stack.len();
        self.stack.push(root);
        while self.stack.len() > outer {
            let Some(id) = self.stack.pop() else { return };
            match walk::expr(self.body, id) {
                Expr::Local(local) => {
                    if let Some(needed) = self.needed.get_mut(local.index()) {
                        *needed = true;
                    }
                }
                Expr::Block(stmts) => stmts.iter().rev().for_each(|stmt| self.stmt(stmt)),
                other => walk::parts(other, |part| self.stack.push(part)),
            }
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Expr(value) => self.need(*value),
            Stmt::Let { pat, value, .. } => {
                let effects = self.exprs.get(value.index());
                let gated = effects.is_some_and(|found| self.sets.get(found.set).is_gated());
                if gated || self.binds_needed(*pat) {
                    self.need(*value);
                } else {
                    self.dead.insert(*value);
                }
            }
        }
    }

    fn binds_needed(&self, pat: PatId) -> bool {
        let mut any = false;
        binders(self.body, pat, &mut |local| {
            any |= self.needed.get(local.index()).copied().unwrap_or(false);
        });
        any
    }
}

/// Calls `f` with every local that a pattern binds.
pub(crate) fn binders(body: &Body, pat: PatId, f: &mut impl FnMut(LocalId)) {
    match body.pats.get(pat.index()) {
        Some(Pat::Bind(local)) => f(*local),
        Some(Pat::Tag { args: Some(args), .. }) => {
            args.iter().for_each(|arg| binders(body, arg.pat, f));
        }
        Some(Pat::List { items, rest }) => {
            items.iter().for_each(|item| binders(body, *item, f));
            if let Some(Some(local)) = rest {
                f(*local);
            }
        }
        Some(Pat::Or(all)) => all.iter().for_each(|inner| binders(body, *inner, f)),
        _ => {}
    }
}
