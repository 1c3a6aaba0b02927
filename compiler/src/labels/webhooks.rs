//! Webhooks that nobody vouches for: the event of one without a `signature:` comes from whoever knows its address, so no
//! part of it can be declared `trusted`.

use super::flow::Cx;
use crate::check::ArgSource;
use crate::check::ty::Ty;
use crate::diagnostics::{Code, Diagnostic, Edit};
use crate::effects::walk;
use crate::hir::{
    ArgValue, CallableKind, Callee, Def, DefId, DefKind, Expr, ExprId, Literal, Param,
};

/// Looks at every trigger.
pub(super) fn check(cx: &Cx<'_>) -> Vec<(DefId, Diagnostic)> {
    let all = (0u32..).map(DefId).zip(&cx.hir.defs);
    all.filter_map(|(id, def)| Some((id, trigger(cx, id, def)?))).collect()
}

fn trigger(cx: &Cx<'_>, id: DefId, def: &Def) -> Option<Diagnostic> {
    let DefKind::Callable(callable) = &def.kind else { return None };
    if callable.kind != CallableKind::Trigger {
        return None;
    }
    let (source, event) = (callable.source?, callable.params.first()?);
    if is_signed(cx, id, source)? || !claims_trust(cx, id, event) {
        return None;
    }
    let body = cx.hir.body(id)?;
    let at = *body.expr_spans.get(source.index())?;
    let finding = Diagnostic::new(
        Code::UntrustedAsTrusted,
        at,
        "nobody vouches for the `trusted` fields of what is sent to this webhook",
    )
    .here("without `signature:`, it takes what anybody sends")
    .label(event.ty.span, "this has `trusted` fields")
    .help("declare a `secret` that the sender signs with, and give it as `signature:`; or leave `trusted` out of the fields");
    let name = format!("{}_secret", def.name);
    let Expr::Call { args, .. } = walk::expr(body, source) else { return Some(finding) };
    let is_taken = cx.hir.defs.iter().any(|one| one.module == def.module && one.name == name);
    // A `signature: none` that is written out is left to its author.
    Some(match args.as_slice() {
        [path] if !is_taken => finding.guess(
            format!("take only what is signed with a secret `{name}`"),
            vec![
                Edit::new(path.span.after(), format!(", signature: {name}")),
                Edit::new(def.span.after(), format!("\n\nsecret {name}")),
            ],
        ),
        _ => finding,
    })
}

/// Whether the source of a trigger checks who sent its events; none if it is no webhook.
fn is_signed(cx: &Cx<'_>, id: DefId, source: ExprId) -> Option<bool> {
    let body = cx.hir.body(id)?;
    let Expr::Call { callee: Callee::Def(def), args, .. } = walk::expr(body, source) else {
        return None;
    };
    let webhook = cx.callable(*def)?;
    let CallableKind::Extern { kind, locator } = &webhook.kind else { return None };
    if kind != kait_stdlib::TRIGGER || locator != "http.webhook" {
        return None;
    }
    let place = webhook.params.iter().position(|param| param.name == "signature")?;
    let call = cx.types.body(id)?.calls.get(&source)?;
    Some(match call.args.get(place)? {
        ArgSource::Default | ArgSource::None => false,
        ArgSource::Arg(index) => match args.get(*index as usize)?.value {
            ArgValue::Expr(value) => {
                !matches!(walk::expr(body, value), Expr::Literal(Literal::None))
            }
            _ => true,
        },
        ArgSource::Spread(..) | ArgSource::Missing => true,
    })
}

/// Whether an event, or a part of it, is declared `trusted`.
fn claims_trust(cx: &Cx<'_>, id: DefId, event: &Param) -> bool {
    let ty = cx.types.signature(id).and_then(|found| found.params.first().copied());
    cx.axis.wants_clear(cx.hir, &event.ty)
        || cx.facts.takes_clear(&cx.types.interner, ty.unwrap_or(Ty::ERROR))
}
