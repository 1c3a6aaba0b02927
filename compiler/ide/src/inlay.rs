//! Types that the text does not say, shown beside the names.

use kait_compiler::check::ty::{Ty, TyKind};
use kait_compiler::diagnostics::Span;
use kait_compiler::hir::{Callee, Expr, LocalId, LocalKind, Pat, Stmt};
use kait_syntax::SyntaxKind;

use crate::Analysis;
use crate::analysis::range_of;

/// Longest type that is shown, in characters.
const MAX_LENGTH: usize = 60;

/// A type to show behind a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlay {
    /// Where: behind the name.
    pub offset: u32,
    /// What is shown: `: [int]`.
    pub text: String,
    /// Whether it may be written into the text as it is.
    pub insertable: bool,
}

impl Analysis {
    /// The types of names without annotation that a place holds, in the order of the text. Names whose value says its
    /// type by itself (a literal, a record that is built) have none.
    #[must_use]
    pub fn inlays(&self, place: Span) -> Vec<Inlay> {
        let Some(module) = self.module_of(place.file).and_then(|module| self.module(module)) else {
            return Vec::new();
        };
        let Some(tree) = self.tree(place.file) else { return Vec::new() };
        let mut out = Vec::new();
        for id in &module.defs {
            let (Some(def), Some(body)) = (self.def(*id), self.body(*id)) else { continue };
            if def.span.end < place.start || def.span.start > place.end {
                continue;
            }
            let mut plain: Vec<LocalId> = Vec::new();
            let blocks = body.exprs.iter().filter_map(|expr| match expr {
                Expr::Block(stmts) => Some(stmts.as_slice()),
                _ => None,
            });
            let in_test = match &def.kind {
                kait_compiler::hir::DefKind::Test(test) => test.items.as_slice(),
                _ => &[],
            };
            let in_test = in_test.iter().filter_map(|item| match item {
                kait_compiler::hir::TestItem::Stmt(stmt) => Some(stmt),
                _ => None,
            });
            for stmt in blocks.flatten().chain(in_test) {
                let Stmt::Let { pat, ty, value, .. } = stmt else { continue };
                if let Some(Pat::Bind(local)) = body.pats.get(pat.index())
                    && (ty.is_some()
                        || body.exprs.get(value.index()).is_some_and(|value| self.is_plain(value)))
                {
                    plain.push(*local);
                }
            }
            for expr in &body.exprs {
                let Expr::Loop { vars, .. } = expr else { continue };
                let said = vars.iter().filter(|(_, ty, value)| {
                    ty.is_some()
                        || body.exprs.get(value.index()).is_some_and(|value| self.is_plain(value))
                });
                plain.extend(said.map(|(local, ..)| *local));
            }
            for (index, local) in (0u32..).zip(&body.locals) {
                let inside = place.start <= local.span.end && local.span.start <= place.end;
                let id_of = LocalId(index);
                if local.kind == LocalKind::Param || !inside || plain.contains(&id_of) {
                    continue;
                }
                let ty = self.compilation.types.ty_of_local(*id, id_of);
                if !self.is_worth_showing(ty) {
                    continue;
                }
                let shown = self.show(ty, *id);
                if shown.chars().count() > MAX_LENGTH {
                    continue;
                }
                let binder = tree.covering_node(range_of(local.span));
                let insertable = binder.kind() == SyntaxKind::LoopVar
                    || binder.parent().is_some_and(|node| node.kind() == SyntaxKind::Let);
                out.push(Inlay { offset: local.span.end, text: format!(": {shown}"), insertable });
            }
        }
        out.sort_by_key(|inlay| inlay.offset);
        out
    }

    /// Whether a value's type is plain to whoever reads it.
    fn is_plain(&self, value: &Expr) -> bool {
        match value {
            Expr::Literal(_) | Expr::Template(_) | Expr::Variant(..) | Expr::BareVariant { .. } => {
                true
            }
            Expr::Call { callee: Callee::Def(def), .. } => self.fields(*def).is_some(),
            Expr::Call { callee, .. } => {
                matches!(callee, Callee::Variant(..) | Callee::BareVariant { .. })
            }
            _ => false,
        }
    }

    fn is_worth_showing(&self, ty: Ty) -> bool {
        let interner = &self.compilation.types.interner;
        !matches!(interner.kind(ty), TyKind::Error | TyKind::Never | TyKind::Var(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::snapshot;

    #[test]
    fn inlays() {
        snapshot(
            "inlay",
            &[
                (
                    "lets, loops and patterns",
                    "fn f(words: [text]) -> int {\n  let a = 1\n  let b = list.length(words)\n  let c: int = b\n  let d = for w in words { text.length(w) }\n  let e = match list.first(d) {\n    none => 0\n    n => n\n  }\n  loop x = a, y = d max 3 {\n    done x + c + e + list.length(y)\n  } else {\n    0\n  }\n}\n",
                ),
                (
                    "in a test",
                    "fn f() -> [int] {\n  [1]\n}\n\ntest \"t\" {\n  let x = f()\n  expect x == [1]\n}\n",
                ),
                (
                    "what is not known has none",
                    "fn f() -> int {\n  let a = what()\n  let b = 1 +\n",
                ),
            ],
            |analysis, file, _| {
                let text = analysis.source(file).unwrap().text();
                let all = Span::new(file, 0, u32::try_from(text.len()).unwrap());
                let mut out = String::new();
                let mut done = 0;
                for inlay in analysis.inlays(all) {
                    let at = inlay.offset as usize;
                    out += &text[done..at];
                    out += &format!(
                        "«{}{}»",
                        inlay.text,
                        if inlay.insertable { "" } else { " (only shown)" }
                    );
                    done = at;
                }
                out + &text[done..]
            },
        );
    }
}
