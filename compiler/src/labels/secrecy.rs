//! K0604: what is private and goes to other people or machines, or is declared to be for everybody.
//!
//! A profile asks for this (`strict = true`); without, `kait audit` lists the same places. It is no matter of the program
//! alone: whether a mail of somebody's files is a leak or the purpose, who runs it knows. What a person approves with its
//! arguments, and what the model of a role reads that the profile binds, is listed and never refused.

use super::explain::{declared_place, shown, source_of};
use super::flow::Flow;
use super::infer::infer;
use super::sinks::{Sink, SinkKind};
use super::types::{Axis, Word, field_of};
use crate::Compilation;
use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::hir::DefId;

/// Whether a profile may refuse what stands at such a place.
pub(super) fn is_refused(kind: SinkKind) -> bool {
    !matches!(kind, SinkKind::Prompt | SinkKind::Told { .. } | SinkKind::Seen { .. })
}

/// Where what is private leaves the program, and nobody approves it. Expects a program without errors.
#[must_use]
pub fn check_private(compiled: &Compilation) -> Vec<Diagnostic> {
    let Compilation { hir, types, effects, .. } = compiled;
    let mut diagnostics = Diagnostics::new();
    let Some(found) = infer(hir, types, effects, Axis::Secrecy, true) else { return Vec::new() };
    let mut flow: Option<Flow<'_, '_>> = None;
    for (owner, sink) in found.violations.iter().filter(|(_, sink)| is_refused(sink.kind)) {
        if flow.as_ref().is_none_or(|known| known.owner != *owner) {
            flow = Flow::of(&found.cx, *owner);
        }
        diagnostics.extend(flow.as_ref().and_then(|flow| finding(flow, *owner, sink)));
    }
    diagnostics.finish()
}

fn finding(flow: &Flow<'_, '_>, owner: DefId, sink: &Sink) -> Option<Diagnostic> {
    let cx = flow.cx;
    let at = match (sink.value, sink.kind) {
        (Some(value), _) => *flow.body.expr_spans.get(value.index())?,
        (None, SinkKind::Tool { at, .. }) => at,
        (None, _) => cx.hir.defs.get(owner.index())?.name_span,
    };
    let mut finding = Diagnostic::new(Code::PrivateLeaves, at, message(flow, owner, sink.kind));
    let source = match sink.value {
        Some(value) => source_of(flow, value),
        None => None,
    };
    finding = match &source {
        Some((span, why)) if at.contains(*span) => finding.here(format!("this {why}")),
        _ if sink.value.is_none() => finding.here("the model writes it"),
        _ => finding.here("private"),
    };
    if let Some((span, why)) = source.filter(|(span, _)| !at.contains(*span)) {
        finding = finding.label(span, format!("this {why}"));
    }
    if let Some((span, text)) = declared_place(cx, sink.kind) {
        finding = finding.label(span, text);
    }
    let help = match sink.kind {
        SinkKind::Name { .. }
        | SinkKind::Result { .. }
        | SinkKind::Field { .. }
        | SinkKind::Saved { .. } => "leave `public` out, or give something that is not private",
        _ => {
            "let a person approve what goes out (`with (approve: \"role\", within: 2d)`), or send something that is not private"
        }
    };
    Some(finding.help(help))
}

fn message(flow: &Flow<'_, '_>, owner: DefId, kind: SinkKind) -> String {
    let (cx, hir) = (flow.cx, flow.cx.hir);
    let param = |callee: DefId, index: u32| {
        let callable = cx.callable(callee);
        callable.and_then(|callable| callable.params.get(index as usize))
    };
    let field = |def: DefId, variant: Option<u32>, index: u32| {
        field_of(hir, def, variant, index).map_or("", |field| field.name.as_str())
    };
    match kind {
        SinkKind::Sent { callee } => {
            format!("`{}` sends this out, and it is private", shown(hir, callee))
        }
        SinkKind::Param { callee, index, .. } => {
            let (name, of) = (param(callee, index), shown(hir, callee));
            let is_public = name.is_some_and(|param| cx.declared(&param.ty) == Some(Word::Clear));
            let name = name.map_or("", |param| param.name.as_str());
            if is_public {
                format!("`{name}` of `{of}` is `public`, and this value is private")
            } else {
                format!("`{of}` sends `{name}` out, and this value is private")
            }
        }
        SinkKind::Tool { tool, index, .. } => {
            let name = param(tool, index).map_or("", |param| param.name.as_str());
            let of = shown(hir, tool);
            format!("`{of}` sends `{name}` out, and this model has read what is private")
        }
        SinkKind::Field { def, variant, index } => {
            format!("`{}` is `public`, and this value is private", field(def, variant, index))
        }
        SinkKind::Saved { session, index } => {
            format!("`{}` is `public`, and this value is private", field(session, None, index))
        }
        SinkKind::Name { .. } => "this value is private, but is declared to be `public`".to_owned(),
        SinkKind::Result { .. } => {
            let name = shown(hir, owner);
            format!("`{name}` promises a public result, and gives one that is private")
        }
        _ => "this becomes public, and it is private".to_owned(),
    }
}
