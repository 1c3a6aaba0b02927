//! Types that the text does not say, shown beside the names.

use kait_compiler::bounds::{Cost, Sizes};
use kait_compiler::check::ty::{Ty, TyKind};
use kait_compiler::diagnostics::Span;
use kait_compiler::hir::{CallableKind, Callee, DefKind, Expr, LocalId, LocalKind, Pat, Stmt};
use kait_syntax::SyntaxKind;

use crate::Analysis;
use crate::analysis::range_of;

/// Longest type that is shown, in characters.
const MAX_LENGTH: usize = 60;

/// Something to show that the text does not say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlay {
    /// Where: behind what it is about.
    pub offset: u32,
    /// What is shown: `: [int]`.
    pub text: String,
    /// Whether it may be written into the text as it is.
    pub insertable: bool,
    /// What it says.
    pub kind: InlayKind,
    /// More words about it; empty if there is nothing to add.
    pub why: String,
}

/// What an inlay says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InlayKind {
    /// The type of a name.
    Type,
    /// The effects of a graph, prompt or agent.
    Effects,
    /// How many calls of models a graph makes at most.
    Cost,
    /// Something that grows must be finished here.
    Wait,
}

/// Which inlays somebody wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InlayKinds {
    /// Types of names.
    pub types: bool,
    /// Effects, behind headers that do not say them.
    pub effects: bool,
    /// The calls of models at most, behind headers.
    pub cost: bool,
    /// Where something that grows must be finished.
    pub waits: bool,
}

impl Default for InlayKinds {
    fn default() -> Self {
        Self { types: true, effects: false, cost: false, waits: false }
    }
}

impl Analysis {
    /// What of these kinds a place holds, in the order of the text. Names whose value says its type by itself (a literal,
    /// a record that is built) have none. Cost and waits are known of programs without errors only.
    #[must_use]
    pub fn inlays(&self, place: Span, kinds: InlayKinds) -> Vec<Inlay> {
        let mut out = if kinds.types { self.type_inlays(place) } else { Vec::new() };
        if kinds.effects || kinds.cost {
            self.header_inlays(place, kinds, &mut out);
        }
        if kinds.waits {
            let inside = |span: Span| {
                span.file == place.file && place.start <= span.end && span.start <= place.end
            };
            out.extend(self.waits().iter().filter(|wait| inside(wait.span)).map(|wait| Inlay {
                offset: wait.span.end,
                text: " waits here".to_owned(),
                insertable: false,
                kind: InlayKind::Wait,
                why: wait.why.clone(),
            }));
        }
        out.sort_by_key(|inlay| inlay.offset);
        out
    }

    /// Effects and cost, behind the types of results.
    fn header_inlays(&self, place: Span, kinds: InlayKinds, out: &mut Vec<Inlay>) {
        let Some(module) = self.module_of(place.file).and_then(|module| self.module(module)) else {
            return;
        };
        let bounds = (kinds.cost && !self.compilation.has_errors())
            .then(|| kait_compiler::bounds::bounds(&self.compilation, &Default::default()));
        for id in &module.defs {
            let Some(def) = self.def(*id) else { continue };
            let DefKind::Callable(callable) = &def.kind else { continue };
            let at = callable.result.span;
            let is_header = matches!(
                callable.kind,
                CallableKind::Graph | CallableKind::Prompt | CallableKind::Agent
            );
            if !is_header || at.file != place.file || at.end < place.start || at.start > place.end {
                continue;
            }
            let mut add = |text: String, kind: InlayKind, why: &str| {
                let why = why.to_owned();
                out.push(Inlay { offset: at.end, text, insertable: false, kind, why });
            };
            if kinds.effects
                && !callable.has_does
                && let Some(effects) = self.effects_text(*id)
            {
                add(format!(" does {effects}"), InlayKind::Effects, "what calling it may do");
            }
            let cost = bounds.as_ref().and_then(|bounds| Some((bounds, bounds.of(*id)?)));
            if callable.kind == CallableKind::Graph
                && let Some((bounds, found)) = cost
            {
                let Some(text) = calls_text(&found.cost, &bounds.sizes) else { continue };
                add(text, InlayKind::Cost, "calls of models at most; `kait cost` says why");
            }
        }
    }

    /// The types of names without annotation that a place holds.
    fn type_inlays(&self, place: Span) -> Vec<Inlay> {
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
                DefKind::Test(test) => test.items.as_slice(),
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
                out.push(Inlay {
                    offset: local.span.end,
                    text: format!(": {shown}"),
                    insertable,
                    kind: InlayKind::Type,
                    why: String::new(),
                });
            }
        }
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

/// `≤ 9 calls + 4 repairs`; nothing where no model is asked.
fn calls_text(cost: &Cost, sizes: &Sizes) -> Option<String> {
    if cost.calls.is_zero() && cost.repairs.is_zero() {
        return None;
    }
    let Some(calls) = cost.calls.most(sizes) else { return Some(" no bound of calls".to_owned()) };
    let counted = |n: u64, what: &str| match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    };
    let calls = counted(calls, "call");
    Some(match cost.repairs.most(sizes) {
        Some(0) => format!(" \u{2264} {calls}"),
        Some(repairs) => format!(" \u{2264} {calls} + {}", counted(repairs, "repair")),
        None => format!(" \u{2264} {calls}, no bound of repairs"),
    })
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
                (
                    "effects, cost and waits of headers and values",
                    "model m\n\nprompt say(s: text) -> text {\n  model m\n  user s\n}\n\ngraph loud(s: text) -> text {\n  text.upper(say(s))\n}\n\npub graph all(xs: [text] where (max: 3)) -> [text] {\n  for x in xs { loud(x) }\n}\n\ngraph declared(s: text) -> text does model {\n  say(s)\n}\n",
                ),
            ],
            |analysis, file, _| {
                let text = analysis.source(file).unwrap().text();
                let all = Span::new(file, 0, u32::try_from(text.len()).unwrap());
                let mut out = String::new();
                let mut done = 0;
                let kinds = InlayKinds { types: true, effects: true, cost: true, waits: true };
                for inlay in analysis.inlays(all, kinds) {
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
