//! What is said about a marked value where only clear ones may be: the way that it took, and what to do.

use rustc_hash::FxHashSet;

use super::flow::{Cx, Flow, Source, Target, joined};
use super::leaves;
use super::sinks::{Held, Sink, SinkKind};
use super::types::{Axis, Word, field_of};
use crate::check::SESSION_ID;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::effects::walk;
use crate::hir::{
    Arg, Body, CallableKind, DefId, DefKind, Expr, ExprId, Hir, MessageRole, PromptItem,
};

/// Most places between where a value comes from and where it arrives that are shown.
const MAX_STEPS: usize = 3;

/// Most expressions that are followed back: a way that is longer is cut.
const MAX_WAY: usize = 1_000;

/// A place on the way of a value.
#[derive(Clone, Debug)]
struct Step {
    span: Span,
    text: String,
}

/// Where to look next for where a value comes from.
enum Next {
    /// Here.
    Source(Step),
    /// At an expression of this declaration.
    Go(Option<Step>, ExprId),
    /// At an expression of another one.
    Into(Option<Step>, DefId, ExprId),
    /// It is not known: the way ends.
    Lost,
}

/// What is to be said of a marked value at a place that takes only clear ones.
pub(super) fn report(flow: &Flow<'_, '_>, sink: &Sink) -> Option<Diagnostic> {
    let (cx, owner) = (flow.cx, flow.owner);
    let def = cx.hir.defs.get(owner.index())?;
    let at = match (sink.value, sink.kind) {
        (Some(value), _) => span_of(flow.body, value)?,
        (None, SinkKind::Tool { at, .. }) => at,
        (None, _) => def.name_span,
    };
    let way = match sink.value {
        Some(value) => way(flow, value),
        None => model_way(flow),
    };
    let finding = Diagnostic::new(code(sink.kind), at, message(cx, owner, sink.kind));
    let mut finding = match way.first() {
        Some(source) if at.contains(source.span) => finding.here(format!("this {}", source.text)),
        _ => finding.here(match sink.kind {
            SinkKind::Tool { .. } => "the model writes it",
            _ => "not trusted",
        }),
    };
    let (source, steps) = match way.split_first() {
        Some((source, steps)) => (Some(source), steps),
        None => (None, &[][..]),
    };
    if let Some(source) = source.filter(|source| !at.contains(source.span)) {
        finding = finding.label(source.span, format!("this {}", source.text));
    }
    let shown = steps.iter().rev().filter(|step| !at.contains(step.span)).take(MAX_STEPS);
    for step in shown.collect::<Vec<_>>().into_iter().rev() {
        finding = finding.label(step.span, step.text.clone());
    }
    for step in arrival(cx, sink.kind) {
        finding = finding.label(step.span, step.text);
    }
    finding = finding.help(help(cx, sink.kind));
    Some(with_fixes(finding, cx, flow, sink))
}

fn code(kind: SinkKind) -> Code {
    match kind {
        SinkKind::Name { .. }
        | SinkKind::Result { .. }
        | SinkKind::Answer { .. }
        | SinkKind::Decoded { .. } => Code::UntrustedAsTrusted,
        _ => Code::UntrustedArgument,
    }
}

fn message(cx: &Cx<'_>, owner: DefId, kind: SinkKind) -> String {
    let hir = cx.hir;
    match kind {
        SinkKind::Param { callee, index, .. } => {
            let (param, callee) = (param_name(cx, callee, index), shown(hir, callee));
            format!("`{param}` of `{callee}` must be trusted, and this value is not")
        }
        SinkKind::Field { def, variant, index } => {
            let field = field_of(hir, def, variant, index).map_or("", |field| field.name.as_str());
            let made = maker(hir, def, variant);
            format!("`{field}` of `{made}` must be trusted, and this value is not")
        }
        SinkKind::Saved { session, index } => {
            let field = field_of(hir, session, None, index).map_or("", |f| f.name.as_str());
            let session = shown(hir, session);
            format!("`{field}` of the session `{session}` keeps only trusted values")
        }
        SinkKind::Person => "who is asked must be trusted, and this value is not".to_owned(),
        SinkKind::Allowed => "what `allow` compares with must be trusted itself".to_owned(),
        SinkKind::Name { .. } => "this value is not trusted, but is declared to be".to_owned(),
        SinkKind::Result { .. } => {
            let name = shown(hir, owner);
            format!("`{name}` promises a trusted result, and gives one that is not")
        }
        SinkKind::System { .. } => {
            "instructions for a model must be trusted, and this value is not".to_owned()
        }
        SinkKind::Answer { of: Held::Messages } => {
            "a model that reads what is not trusted may answer with `System` messages".to_owned()
        }
        SinkKind::Answer { of: Held::Fields } => {
            "a model that reads what is not trusted cannot vouch for its answer".to_owned()
        }
        SinkKind::Decoded { of: Held::Messages } => {
            "nobody vouches for the `System` messages that may come in here".to_owned()
        }
        SinkKind::Channel { .. } => {
            "this is read back as a record with `trusted` fields, and is not trusted".to_owned()
        }
        SinkKind::Session { callee } => {
            let callee = shown(hir, callee);
            format!(
                "`{callee}` uses the name of its session where it must be trusted, and this is not"
            )
        }
        SinkKind::Decoded { of: Held::Fields } => {
            "nobody vouches for the `trusted` fields of what is decoded here".to_owned()
        }
        SinkKind::Tool { tool, index, .. } => {
            let (param, name) = (param_name(cx, tool, index), shown(hir, tool));
            if !cx.summary(tool).needs.has(index as usize) {
                return format!(
                    "`{param}` of `{name}` has parts that must be trusted, and this model has read what is not"
                );
            }
            let tool = name;
            format!("`{param}` of `{tool}` must be trusted, and this model has read what is not")
        }
        // These are only of the other kind of labels, which raises nothing.
        SinkKind::Sent { .. }
        | SinkKind::Prompt
        | SinkKind::Told { .. }
        | SinkKind::Seen { .. } => "private data leaves here".to_owned(),
    }
}

fn help(cx: &Cx<'_>, kind: SinkKind) -> String {
    let declare = "allow only what you know (`allow(x, only: [...])` or `matching: r\"...\"`), or vouch for it: `endorse(x, because: \"...\")`";
    match kind {
        SinkKind::Param { callee, index, .. } if instructs(cx, callee, index) => format!(
            "put it into a `user` line of `{}`, where it is data; else {declare}",
            shown(cx.hir, callee)
        ),
        SinkKind::Param { callee, .. } if is_extern(cx, callee) => format!(
            "let somebody approve the call (`with (approve: \"role\", within: 2d)`), {declare}"
        ),
        SinkKind::Param { .. } => {
            format!("let somebody approve the call that uses it, {declare}")
        }
        SinkKind::Tool { .. } => {
            "let somebody approve the calls of this tool (`with (approve: \"role\", within: 2d)`), or give the model a graph instead that fixes this argument or looks at it with `allow`".to_owned()
        }
        SinkKind::Answer { of: Held::Messages } | SinkKind::Decoded { of: Held::Messages } => {
            "take a record of your own instead (`role: text, content: text`), and make `User` and `Assistant` messages of it; or vouch for where they come from: `endorse(text, because: \"...\")` around what is decoded, `-> trusted [Message]` of an extern".to_owned()
        }
        SinkKind::Channel { .. } => {
            format!("send a value of the type that is read there, whose `trusted` fields are looked at where it is made; else {declare}")
        }
        SinkKind::Answer { of: Held::Fields } => {
            "leave `trusted` out of the type of the answer, and look at the answer: `allow(x, only: [...])` or a person's approval".to_owned()
        }
        SinkKind::Decoded { of: Held::Fields } => {
            "vouch for what is decoded (`endorse(text, because: \"...\")`), or leave `trusted` out of the fields".to_owned()
        }
        SinkKind::System { .. } => format!("put it into a `user` line, where it is data; else {declare}"),
        SinkKind::Name { .. } | SinkKind::Result { .. } => {
            format!("leave `trusted` out, {declare}")
        }
        _ => declare.to_owned(),
    }
}

fn with_fixes(finding: Diagnostic, cx: &Cx<'_>, flow: &Flow<'_, '_>, sink: &Sink) -> Diagnostic {
    let Some(value) = sink.value else {
        let SinkKind::Tool { at, .. } = sink.kind else { return finding };
        let tools = flow.cx.callable(flow.owner).into_iter().flat_map(|callable| &callable.items);
        let policies = tools
            .filter_map(|item| match item {
                PromptItem::Tools { tools, .. } => tools.iter().find(|tool| tool.path_span == at),
                _ => None,
            })
            .map(|tool| (tool.policies.last(), tool.span))
            .next();
        let Some((last, span)) = policies else { return finding };
        return finding.guess("let `reviewer` approve its calls", vec![approval(last, span)]);
    };
    if matches!(sink.kind, SinkKind::Answer { .. } | SinkKind::Decoded { .. })
        || matches!(sink.kind, SinkKind::Session { .. } if flow.session_by() != Some(value))
    {
        return finding;
    }
    let Some(at) = span_of(flow.body, value) else { return finding };
    let finding = match sink.kind {
        SinkKind::Param { callee, call, .. }
            if is_extern(cx, callee) && cx.effects.of(callee).writes_anything() =>
        {
            match span_of(flow.body, call) {
                Some(span) => {
                    let given = policies_of(flow.body, call).and_then(<[Arg]>::last);
                    finding.guess("let `reviewer` approve this call", vec![approval(given, span)])
                }
                None => finding,
            }
        }
        _ => finding,
    };
    finding.guess(
        "vouch for it, with a reason",
        vec![
            Edit::new(at.before(), "endorse("),
            Edit::new(at.after(), ", because: \"say why this can be trusted\")"),
        ],
    )
}

/// Adds an approval behind the last policy, or behind a call that has none.
fn approval(last: Option<&Arg>, call: Span) -> Edit {
    let added = "approve: \"reviewer\", within: 2d";
    match last {
        Some(last) => Edit::new(last.span.after(), format!(", {added}")),
        None => Edit::new(call.after(), format!(" with ({added})")),
    }
}

fn policies_of(body: &Body, call: ExprId) -> Option<&[Arg]> {
    body.exprs.iter().find_map(|expr| match expr {
        Expr::With { expr, policies } if *expr == call => Some(policies.as_slice()),
        _ => None,
    })
}

/// Whether a parameter of a prompt or agent becomes part of the instructions: a call of such is approved by nobody.
fn instructs(cx: &Cx<'_>, callee: DefId, index: u32) -> bool {
    let is_asked = cx.callable(callee).is_some_and(|callable| {
        matches!(callable.kind, CallableKind::Prompt | CallableKind::Agent)
            && callable
                .params
                .get(index as usize)
                .is_some_and(|param| !cx.axis.wants_clear(cx.hir, &param.ty))
    });
    let mut found = false;
    if is_asked && let Some(flow) = Flow::of(cx, callee) {
        flow.sinks(&mut |sink| {
            found |= matches!(sink.kind, SinkKind::System { .. }) && sink.label.has(index as usize);
        });
    }
    found
}

fn is_extern(cx: &Cx<'_>, def: DefId) -> bool {
    cx.callable(def).is_some_and(|found| matches!(found.kind, CallableKind::Extern { .. }))
}

fn span_of(body: &Body, id: ExprId) -> Option<Span> {
    body.expr_spans.get(id.index()).copied()
}

fn param_name<'a>(cx: &Cx<'a>, callee: DefId, index: u32) -> &'a str {
    let param = cx.callable(callee).and_then(|callable| callable.params.get(index as usize));
    param.map_or("", |param| param.name.as_str())
}

/// The name of a declaration as another file writes it.
pub(super) fn shown(hir: &Hir, def: DefId) -> String {
    let Some(declared) = hir.defs.get(def.index()) else { return String::new() };
    let module = hir.modules.get(declared.module.index()).map_or("", |module| &module.name);
    // A module is called by the last part of its name.
    let module = module.rsplit('.').next().unwrap_or(module);
    if module.is_empty() || module == "prelude" {
        declared.name.to_string()
    } else {
        format!("{module}.{}", declared.name)
    }
}

fn maker(hir: &Hir, def: DefId, variant: Option<u32>) -> String {
    match (hir.defs.get(def.index()).map(|def| &def.kind), variant) {
        (Some(DefKind::Enum(declared)), Some(variant)) => {
            declared.variants.get(variant as usize).map_or("", |v| v.name.as_str()).to_owned()
        }
        _ => shown(hir, def),
    }
}

// ---- where it arrives ----

/// The places on the way from an argument to what needs it trusted, the last one being that.
fn arrival(cx: &Cx<'_>, kind: SinkKind) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut kind = kind;
    let mut seen = FxHashSet::default();
    loop {
        let (callee, index) = match kind {
            SinkKind::Param { callee, index, .. } => (callee, index),
            SinkKind::Tool { tool, index, .. } => (tool, index),
            other => {
                steps.extend(declaration(cx, other));
                return steps;
            }
        };
        let Some(callable) = cx.callable(callee) else { return steps };
        let Some(param) = callable.params.get(index as usize) else { return steps };
        if cx.axis.wants_clear(cx.hir, &param.ty) {
            let text = format!("`{}` is declared `trusted`", param.name);
            steps.push(Step { span: param.ty.span, text });
            return steps;
        }
        if !seen.insert((callee, index)) || steps.len() >= MAX_STEPS {
            return steps;
        }
        let Some(flow) = Flow::of(cx, callee) else { return steps };
        let mut next: Option<Sink> = None;
        flow.sinks(&mut |sink| {
            if next.is_none() && sink.label.has(index as usize) {
                next = Some(sink);
            }
        });
        let Some(found) = next else { return steps };
        let span = match (found.value, found.kind) {
            (Some(value), _) => span_of(flow.body, value),
            (None, SinkKind::Tool { at, .. }) => Some(at),
            _ => None,
        };
        if let Some(span) = span {
            let text = match found.kind {
                SinkKind::Param { callee, index, .. } => {
                    let name = param_name(cx, callee, index);
                    format!(
                        "`{}` is handed on to `{name}` of `{}`",
                        param.name,
                        shown(cx.hir, callee)
                    )
                }
                SinkKind::System { .. } => {
                    format!("`{}` becomes part of a model's instructions", param.name)
                }
                SinkKind::Tool { tool, .. } => {
                    format!(
                        "a model that has read `{}` calls `{}`",
                        param.name,
                        shown(cx.hir, tool)
                    )
                }
                _ => format!("`{}` must be trusted here", param.name),
            };
            steps.push(Step { span, text });
        }
        if matches!(found.kind, SinkKind::System { .. }) {
            return steps;
        }
        kind = found.kind;
    }
}

/// Where it is declared that a place is public, or takes what leaves the program.
pub(super) fn declared_place(cx: &Cx<'_>, kind: SinkKind) -> Option<(Span, String)> {
    let (callee, index) = match kind {
        SinkKind::Param { callee, index, .. } => (callee, index),
        SinkKind::Tool { tool, index, .. } => (tool, index),
        other => {
            return declaration(cx, other)
                .map(|step| (step.span, "declared `public` here".to_owned()));
        }
    };
    let param = cx.callable(callee)?.params.get(index as usize)?;
    if cx.declared(&param.ty) == Some(Word::Clear) {
        return Some((param.ty.span, "declared `public` here".to_owned()));
    }
    // The next place on its way out.
    let flow = Flow::of(cx, callee)?;
    let mut next = None;
    flow.sinks(&mut |sink| {
        if next.is_none() && super::secrecy::is_refused(sink.kind) && sink.label.has(index as usize)
        {
            next = sink.value;
        }
    });
    Some((span_of(flow.body, next?)?, "it leaves here".to_owned()))
}

/// Where it is declared that a place takes only trusted values.
fn declaration(cx: &Cx<'_>, kind: SinkKind) -> Option<Step> {
    let declared = |span: Span| Step { span, text: "declared `trusted` here".to_owned() };
    match kind {
        SinkKind::Field { def, variant, index } => {
            field_of(cx.hir, def, variant, index).map(|field| declared(field.ty.span))
        }
        SinkKind::Saved { session, index } => {
            field_of(cx.hir, session, None, index).map(|field| declared(field.ty.span))
        }
        SinkKind::Name { declared: span } | SinkKind::Result { declared: span } => {
            Some(declared(span))
        }
        SinkKind::Channel { read } => {
            Some(Step { span: read, text: "it is read back here".to_owned() })
        }
        _ => None,
    }
}

// ---- where it comes from ----

/// Where the mark of an expression comes from: the place, and what is said of it behind "this …".
pub(super) fn source_of(flow: &Flow<'_, '_>, value: ExprId) -> Option<(Span, String)> {
    way(flow, value).into_iter().next().map(|source| (source.span, source.text))
}

/// The way of a marked value to an expression: where it comes from, then the places in between.
fn way(start: &Flow<'_, '_>, value: ExprId) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut seen = FxHashSet::default();
    let (mut owner, mut at) = (start.owner, value);
    let mut other: Option<Flow<'_, '_>> = None;
    loop {
        let here = other.as_ref().unwrap_or(start);
        if seen.len() > MAX_WAY || !seen.insert((owner, at)) {
            break;
        }
        match next(here, at) {
            Next::Source(step) => {
                steps.push(step);
                break;
            }
            Next::Lost => break,
            Next::Go(step, to) => {
                steps.extend(step);
                at = to;
            }
            Next::Into(step, def, to) => {
                steps.extend(step);
                (owner, at) = (def, to);
                match Flow::of(start.cx, def) {
                    Some(flow) => other = Some(flow),
                    None => break,
                }
            }
        }
    }
    steps.reverse();
    steps
}

/// The way of what a model has read: from a tool, or from a part of its prompt.
fn model_way(flow: &Flow<'_, '_>) -> Vec<Step> {
    match model(flow, flow.owner) {
        Next::Source(step) => vec![step],
        Next::Go(step, to) | Next::Into(step, _, to) => {
            let mut steps = way(flow, to);
            steps.extend(step);
            steps
        }
        Next::Lost => Vec::new(),
    }
}

/// What marked thing a model reads.
fn model(flow: &Flow<'_, '_>, def: DefId) -> Next {
    let Some(callable) = flow.cx.callable(def) else { return Next::Lost };
    for item in &callable.items {
        match item {
            PromptItem::Message { expr, role, .. }
                if flow.opaque(*expr).is_marked() && *role != MessageRole::Assistant =>
            {
                return Next::Into(None, def, *expr);
            }
            PromptItem::Tools { tools, .. } => {
                for tool in tools {
                    let Some(target) = tool.target else { continue };
                    if super::flow::gives_marked(flow.cx, target) {
                        let text =
                            format!("brings in what comes {}", leaves::origin(flow.cx, target));
                        return Next::Source(Step { span: tool.path_span, text });
                    }
                }
            }
            _ => {}
        }
    }
    let assistant = callable.items.iter().find_map(|item| match item {
        PromptItem::Message { expr, .. } if flow.opaque(*expr).is_marked() => Some(*expr),
        _ => None,
    });
    assistant.map_or(Next::Lost, |expr| Next::Into(None, def, expr))
}

/// What a declaration says that calls something untrusted, or private: behind "this …".
fn says(cx: &Cx<'_>, what: &str) -> String {
    match cx.axis {
        Axis::Trust => format!("says that nobody vouches for {what}"),
        Axis::Secrecy => format!("says that {what} is private"),
    }
}

/// Where the mark of an expression comes from.
fn next(flow: &Flow<'_, '_>, id: ExprId) -> Next {
    let Some(span) = span_of(flow.body, id) else { return Next::Lost };
    let source = |text: &str| Next::Source(Step { span, text: text.to_owned() });
    match walk::expr(flow.body, id) {
        Expr::Local(local) => of_local(flow, *local),
        Expr::Def(def) => match flow.cx.hir.body(*def).and_then(|body| body.root) {
            Some(root) => Next::Into(None, *def, root),
            None => Next::Lost,
        },
        Expr::Session { name, .. } if name == SESSION_ID => match flow.session_by() {
            Some(by) => {
                let text = "the session is named by it".to_owned();
                Next::Go(Some(Step { span, text }), by)
            }
            None => Next::Lost,
        },
        Expr::Session { .. } => source("is read back from the session"),
        Expr::Field { base, name, .. } => {
            let field = flow.field(id, *base);
            match field.filter(|field| flow.cx.declared(&field.ty) == Some(Word::Marked)) {
                Some(field) => Next::Source(Step {
                    span: field.ty.span,
                    text: says(flow.cx, &format!("`{name}`")),
                }),
                None => Next::Go(None, *base),
            }
        }
        Expr::Call { callee, args, .. } => of_call(flow, id, flow.target(id, callee), args, span),
        Expr::Loop { otherwise, .. } => {
            let marked = flow.dones(id).find(|done| flow.label(*done).is_marked());
            Next::Go(None, marked.unwrap_or(*otherwise))
        }
        other => {
            let is_template = matches!(other, Expr::Template(_));
            let mut found = None;
            joined(other, |part| {
                let marked = flow.label(part).is_marked();
                if found.is_none() && (marked || is_template && flow.opaque(part).is_marked()) {
                    found = Some((part, marked));
                }
            });
            match found {
                Some((part, true)) => Next::Go(None, part),
                Some((part, false)) => match span_of(flow.body, part) {
                    Some(span) => {
                        let text = match flow.cx.axis {
                            Axis::Trust => "has a field that nobody vouches for",
                            Axis::Secrecy => "has a field that is private",
                        };
                        let text = text.to_owned();
                        Next::Source(Step { span, text })
                    }
                    None => Next::Lost,
                },
                None => Next::Lost,
            }
        }
    }
}

fn of_local(flow: &Flow<'_, '_>, local: crate::hir::LocalId) -> Next {
    let Some(bound) = flow.body.locals.get(local.index()) else { return Next::Lost };
    let source = |text: String| Next::Source(Step { span: bound.span, text });
    let declared = match flow.cx.axis {
        Axis::Trust => "is declared `untrusted`",
        Axis::Secrecy => "is declared `private`",
    };
    match flow.shape.sources.get(local.index()) {
        Some(Source::Param(index)) => {
            let callable = flow.cx.callable(flow.owner);
            let param = callable.and_then(|callable| callable.params.get(*index as usize));
            let Some(param) = param else { return Next::Lost };
            if flow.cx.declared(&param.ty) == Some(Word::Marked) {
                return Next::Source(Step {
                    span: param.ty.span,
                    text: says(flow.cx, &format!("`{}`", bound.name)),
                });
            }
            match (param.default, callable.map(|callable| &callable.kind)) {
                (_, Some(CallableKind::Trigger)) => {
                    source("is what somebody outside sends".to_owned())
                }
                (Some(default), _) => Next::Go(None, default),
                _ => Next::Lost,
            }
        }
        Some(Source::Value { word: Some(_), .. }) => source(declared.to_owned()),
        Some(Source::Value { of, .. }) => {
            let text = format!("it is kept as `{}`", bound.name);
            Next::Go(Some(Step { span: bound.span, text }), *of)
        }
        Some(Source::State { word: Some(_), .. }) => source(declared.to_owned()),
        Some(Source::State { first, .. }) => {
            let handed = flow.handed_on(local);
            let marked = handed.into_iter().find(|value| flow.label(*value).is_marked());
            let from = if flow.label(*first).is_marked() { Some(*first) } else { marked };
            match from {
                Some(from) => {
                    let text = format!("it is kept as `{}`", bound.name);
                    Next::Go(Some(Step { span: bound.span, text }), from)
                }
                None => Next::Lost,
            }
        }
        Some(Source::Failure) => {
            source("is a failure, which may say what somebody outside wrote".to_owned())
        }
        Some(Source::None) | None => Next::Lost,
    }
}

fn of_call(flow: &Flow<'_, '_>, id: ExprId, target: Target, args: &[Arg], span: Span) -> Next {
    let cx = flow.cx;
    let Some(call) = flow.types.calls.get(&id) else { return Next::Lost };
    let marked_arg = |is_relevant: &dyn Fn(usize) -> bool, is_opaque: &dyn Fn(usize) -> bool| {
        (0..call.args.len()).filter(|index| is_relevant(*index)).find_map(|index| {
            let (label, value) = flow.arg(call, args, index, is_opaque(index));
            if label.is_marked() { value } else { None }
        })
    };
    let made = |def: DefId, variant: Option<u32>| {
        let plain = |index: usize| {
            let field = u32::try_from(index).ok().and_then(|at| field_of(cx.hir, def, variant, at));
            field.is_none_or(|field| cx.declared(&field.ty).is_none())
        };
        marked_arg(&plain, &|_| false).map_or(Next::Lost, |value| Next::Go(None, value))
    };
    match target {
        Target::Record(def) => made(def, None),
        Target::Variant(def, variant) => made(def, Some(variant)),
        Target::Alias(_) | Target::Form(_) => marked_arg(&|index| index == 0, &|_| true)
            .map_or(Next::Lost, |value| Next::Go(None, value)),
        Target::Unknown => Next::Lost,
        Target::Callable(def) => {
            let summary = cx.summary(def);
            let Some(callable) = cx.callable(def) else { return Next::Lost };
            let name = shown(cx.hir, def);
            if summary.result.is_marked() {
                let gives = Some(Step { span, text: format!("`{name}` gives it") });
                return match &callable.kind {
                    CallableKind::Extern { .. }
                        if cx.axis == Axis::Trust
                            || cx.declared(&callable.result) != Some(Word::Marked) =>
                    {
                        let text = format!("comes {}", leaves::origin(cx, def));
                        Next::Source(Step { span, text })
                    }
                    _ if cx.declared(&callable.result) == Some(Word::Marked) => {
                        Next::Source(Step {
                            span: callable.result.span,
                            text: says(cx, &format!("what `{name}` gives")),
                        })
                    }
                    CallableKind::Prompt | CallableKind::Agent => match Flow::of(cx, def) {
                        Some(inner) => match model(&inner, def) {
                            Next::Into(_, def, to) => Next::Into(gives, def, to),
                            other => other,
                        },
                        None => Next::Lost,
                    },
                    _ => match cx.hir.body(def).and_then(|body| body.root) {
                        Some(root) => Next::Into(gives, def, root),
                        None => Next::Lost,
                    },
                };
            }
            let value =
                marked_arg(&|index| summary.result.has(index), &|index| summary.opaque.has(index));
            let step = match callable.kind {
                CallableKind::Prompt | CallableKind::Agent => Some(match cx.axis {
                    Axis::Trust => {
                        "a model reads it, so nobody vouches for what it answers".to_owned()
                    }
                    Axis::Secrecy => "a model reads it, and answers with it".to_owned(),
                }),
                CallableKind::Fn | CallableKind::Graph => Some(format!("it goes through `{name}`")),
                _ => None,
            };
            match value {
                Some(value) => Next::Go(step.map(|text| Step { span, text }), value),
                None => Next::Lost,
            }
        }
    }
}
