//! The rule about webhooks of the whole program: a request goes to one trigger, so a path belongs to one.

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::rules::Rules;
use super::walk;
use crate::check::ArgSource;
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::hir::{
    ArgValue, Body, CallableKind, Callee, Def, DefId, DefKind, Expr, ExprId, Literal,
};

/// Most names that are followed to the text of a path.
const MAX_HOPS: usize = 64;

impl Rules<'_> {
    /// Looks at every trigger of the program.
    pub(super) fn webhooks(&mut self) {
        let hir = self.hir;
        // The first trigger of each path, and where it names it.
        let mut taken: FxHashMap<SmolStr, (&Def, Span)> = FxHashMap::default();
        for (id, def) in (0u32..).map(DefId).zip(&hir.defs) {
            let Some((path, at)) = self.webhook(id, def) else { continue };
            let Some((first, place)) = taken.get(&path).copied() else {
                taken.insert(path, (def, at));
                continue;
            };
            self.sink.push(
                Diagnostic::new(
                    Code::WebhookTaken,
                    at,
                    format!("`{path}` is already the path of the trigger `{}`", first.name),
                )
                .here(format!("requests for it never come to `{}`", def.name))
                .label(place, format!("`{}` takes them", first.name))
                .help("give one of them another path, or do both in one trigger"),
            );
        }
    }

    /// The path of a trigger that is a webhook, and where it is given, if it can be known before anything runs.
    fn webhook(&self, id: DefId, def: &Def) -> Option<(SmolStr, Span)> {
        let DefKind::Callable(callable) = &def.kind else { return None };
        if callable.kind != CallableKind::Trigger {
            return None;
        }
        let (source, body) = (callable.source?, self.hir.body(id)?);
        let Expr::Call { callee: Callee::Def(called), args, .. } = walk::expr(body, source) else {
            return None;
        };
        let webhook = self.callable(*called)?;
        let CallableKind::Extern { kind, locator } = &webhook.kind else { return None };
        if kind != kait_stdlib::TRIGGER || locator != "http.webhook" {
            return None;
        }
        let place = webhook.params.iter().position(|param| param.name == "path")?;
        let call = self.types.body(id)?.calls.get(&source)?;
        let ArgSource::Arg(index) = call.args.get(place)? else { return None };
        let ArgValue::Expr(value) = args.get(*index as usize)?.value else { return None };
        let path = self.text(body, value)?;
        // What is no path was reported as that.
        path.starts_with('/').then_some((path, *body.expr_spans.get(value.index())?))
    }

    /// The text that an expression is before anything runs: written out, or by the name of a constant.
    fn text(&self, body: &Body, value: ExprId) -> Option<SmolStr> {
        let (mut body, mut value) = (body, value);
        for _ in 0..MAX_HOPS {
            match walk::expr(body, value) {
                Expr::Literal(Literal::Text(text)) => return Some(text.clone()),
                Expr::Def(def) => {
                    body = self.hir.body(*def)?;
                    value = body.root?;
                }
                _ => return None,
            }
        }
        None
    }
}
