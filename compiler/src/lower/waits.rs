//! Where what a model writes, or a list that comes item by item, must be finished before the program goes on: for people
//! who wonder why something does not stream. It reads the analysis of growth and changes nothing.

use super::growth::{Growth, Growths, named};
use super::{Input, Lowerer};
use crate::diagnostics::Span;
use crate::effects::walk;
use crate::hir::{Arg, Body, Callable, CallableKind, Callee, DefId, DefKind, Expr, ExprId};

/// A value that grows, at a place that takes it only whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The declaration that it is in.
    pub owner: DefId,
    /// The value.
    pub span: Span,
    /// Why it waits here, as a sentence without full stop.
    pub why: String,
}

/// Every wait of the package's own graphs and tests, in the order of the declarations and of the text. Values grow that
/// models write, that `for` collects and that segmenters cut; what comes in from outside is taken as there.
#[must_use]
pub fn waits(input: Input<'_>) -> Vec<Wait> {
    let lowerer = Lowerer::new(input, rustc_hash::FxHashMap::default());
    let mut roots = Vec::new();
    for (index, def) in input.hir.defs.iter().enumerate() {
        let id = DefId(u32::try_from(index).unwrap_or(u32::MAX));
        let is_std = input.hir.modules.get(def.module.index()).is_none_or(|module| module.is_std);
        let runs = match &def.kind {
            DefKind::Callable(callable) => {
                matches!(callable.kind, CallableKind::Graph | CallableKind::Trigger)
            }
            _ => false,
        };
        if runs && !is_std {
            roots.push(id);
        }
    }
    let growths = Growths::from_within(&lowerer, &roots);
    let mut found = Vec::new();
    for owner in roots {
        let Some(body) = input.hir.body(owner) else { continue };
        let finder = Finder { lowerer: &lowerer, growths: &growths, owner, body };
        for id in walk::parts_first(body) {
            finder.at(id, &mut found);
        }
    }
    found.sort_by_key(|wait: &Wait| (wait.span.file.0, wait.span.start, wait.span.end));
    found.dedup_by_key(|wait| wait.span);
    found
}

struct Finder<'l, 'a> {
    lowerer: &'l Lowerer<'a>,
    growths: &'l Growths,
    owner: DefId,
    body: &'l Body,
}

impl Finder<'_, '_> {
    fn growth(&self, id: ExprId) -> Growth {
        self.growths.expr(self.owner, id)
    }

    /// The parts of an expression that it takes only whole.
    fn at(&self, id: ExprId, found: &mut Vec<Wait>) {
        let mut wait = |part: ExprId, why: &str| {
            if self.growth(part) == Growth::No {
                return;
            }
            let Some(span) = self.body.expr_spans.get(part.index()) else { return };
            found.push(Wait { owner: self.owner, span: *span, why: why.to_owned() });
        };
        match walk::expr(self.body, id) {
            Expr::If { condition, .. } => wait(*condition, "the condition needs the whole value"),
            Expr::Match { scrutinee, arms } => {
                wait(*scrutinee, "which arm fits is known only when the value is whole");
                for guard in arms.iter().filter_map(|arm| arm.guard) {
                    wait(guard, "the condition needs the whole value");
                }
            }
            Expr::For { source, body: inner, filter, .. } => {
                if self.growth(*source) == Growth::Again && self.has_effects(*inner) {
                    wait(
                        *source,
                        "it may be begun anew, so nothing is started from a part of it; `with (repair: 0)` and no `retry` or `fallback` let the first items start at once",
                    );
                }
                if let Some(filter) = filter {
                    wait(*filter, "the condition needs the whole value");
                }
            }
            Expr::Call { callee, args, .. } => self.call(callee, args, &mut wait),
            Expr::Loop { vars, .. } => {
                for (_, _, first) in vars {
                    wait(*first, "a round begins with whole values");
                }
            }
            Expr::Next(args) => walk::arg_parts(args, |part| {
                wait(part, "a round begins with whole values");
            }),
            Expr::With { policies, .. } => {
                let other = policies.iter().filter(|arg| !named(arg, "fallback"));
                for arg in other {
                    walk::arg_parts(std::slice::from_ref(arg), |part| {
                        wait(part, "a policy needs the whole value");
                    });
                }
            }
            // These pass on what grows, part by part.
            Expr::Template(_)
            | Expr::List(_)
            | Expr::Field { .. }
            | Expr::Done(_)
            | Expr::Block(_)
            | Expr::Catch { .. }
            | Expr::Race { .. } => {}
            Expr::Try(inner) => wait(*inner, "`try` gives a `Result` when the call is over"),
            other => walk::parts(other, |part| wait(part, "this needs the whole value")),
        }
    }

    fn call(&self, callee: &Callee, args: &[Arg], wait: &mut dyn FnMut(ExprId, &str)) {
        let declared = match callee {
            Callee::Def(def) => self.lowerer.def(*def).map(|def| (&def.kind, &def.name)),
            // Parts of records and variants come one by one.
            Callee::Variant(..) | Callee::BareVariant { .. } | Callee::Missing => return,
            Callee::Builtin(_) => None,
        };
        let why = match declared {
            Some((DefKind::Callable(Callable { kind, params, .. }), name)) => match kind {
                // It says itself what waits there.
                CallableKind::Graph => return,
                CallableKind::Extern { .. } if params.iter().any(|param| param.stream) => return,
                CallableKind::Prompt | CallableKind::Agent => {
                    format!("a model is asked with the whole value (`{name}`)")
                }
                _ => format!("`{name}` takes the whole value"),
            },
            Some(_) => return,
            None => "this call takes the whole value".to_owned(),
        };
        walk::arg_parts(args, |part| wait(part, &why));
    }

    fn has_effects(&self, id: ExprId) -> bool {
        !self.lowerer.input.effects.of_expr(self.owner, id).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use crate::sources::MemorySources;

    fn waits(text: &str) -> Vec<(String, String)> {
        let text = format!(
            "model m\n\nprompt say(s: text) -> text {{\n  model m\n  user s\n}}\n\nrecord Point {{\n  title: text\n  notes: [text]\n}}\n\nprompt points(s: text) -> [Point] where (max: 9) {{\n  model m\n  user s\n}}\n\n{text}"
        );
        let sources = MemorySources::single("main.kait", text.as_str());
        let compiled = crate::compile(&sources, &["main.kait"]);
        assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
        let shown = |span: crate::diagnostics::Span| {
            text[span.start as usize..span.end as usize].to_owned()
        };
        compiled.waits().into_iter().map(|wait| (shown(wait.span), wait.why)).collect()
    }

    #[test]
    fn what_passes_growth_on_does_not_wait() {
        for body in [
            "say(s)",
            "\"Dear: ${say(s)}\"",
            "let a = say(s)\n  if s == \"x\" { a } else { \"none\" }",
            "say(s) catch { Timeout => \"none\" }",
        ] {
            let found = waits(&format!("pub graph f(s: text) -> text {{\n  {body}\n}}\n"));
            assert_eq!(found, [], "{body}");
        }
        let found = waits(
            "pub graph f(s: text) -> [text] {\n  for line in text.lines(say(s)) max 5 { say(line) }\n}\n",
        );
        assert_eq!(found, []);
    }

    #[test]
    fn what_takes_the_whole_waits_where_it_does() {
        for (body, place, why) in [
            ("text.upper(say(s))", "say(s)", "`upper` takes the whole value"),
            ("let a = say(s)\n  say(a)", "a", "a model is asked with the whole value (`say`)"),
            (
                "let a = say(s)\n  if a == \"x\" { a } else { \"none\" }",
                "a",
                "this needs the whole value",
            ),
        ] {
            let found = waits(&format!("pub graph f(s: text) -> text {{\n  {body}\n}}\n"));
            assert_eq!(found, [(place.to_owned(), why.to_owned())], "{body}");
        }
        // A list that may be repaired begins work only when it is there.
        let found =
            waits("pub graph f(s: text) -> [text] {\n  for p in points(s) { say(p.title) }\n}\n");
        let at: Vec<&str> = found.iter().map(|(place, _)| place.as_str()).collect();
        assert!(at.contains(&"points(s)"), "{found:?}");
    }
}
