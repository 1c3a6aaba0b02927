//! What a program says about trust, as data: which parameters must be vouched for, where the program itself vouches for
//! something, and where what is private leaves it.

use smol_str::SmolStr;

use super::flow::{Cx, Flow, Target, policy, shows_all, value_of};
use super::infer::{Found, infer};
use super::label::Label;
use super::leaves;
use super::sinks::{Sink, SinkKind};
use super::types::{Axis, Word};
use crate::Compilation;
use crate::check::Types;
use crate::check::ty::{Ty, TyKind};
use crate::diagnostics::Span;
use crate::effects::{Effects, walk};
use crate::hir::{
    Builtin, Callable, CallableKind, DefId, DefKind, Expr, ExprId, Hir, Literal, PromptItem,
};

/// What is written in front of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// `trusted`
    Trusted,
    /// `untrusted`
    Untrusted,
}

/// What is known of a parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParamLabels {
    /// What its declaration says.
    pub declared: Option<Trust>,
    /// Whether whoever gives it must vouch for it: it is declared `trusted`, or is used where that is needed. Never set
    /// where its type lets it only choose, as a `bool` does.
    pub must_be_trusted: bool,
    /// Whether its type has fields that are declared `trusted`: whoever gives it vouches for those.
    pub has_trusted_fields: bool,
    /// Whether its declaration says `private`.
    pub is_private: bool,
}

impl ParamLabels {
    /// Whether it may be taken from outside only from who may vouch for something.
    #[must_use]
    pub fn needs_vouching(&self) -> bool {
        self.must_be_trusted || self.has_trusted_fields
    }
}

/// What is known of a callable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefLabels {
    /// Its parameters, in order.
    pub params: Vec<ParamLabels>,
    /// Whether what it gives is untrusted, whatever it is given.
    pub gives_untrusted: bool,
    /// Whether what it gives is private, whatever it is given.
    pub gives_private: bool,
    /// The parameters of which what it gives has the trust, by position.
    pub depends_on: Vec<u32>,
}

impl DefLabels {
    /// Whether it may be called from outside only by who may vouch for something: a graph that a server hosts is run
    /// only for tokens that may.
    #[must_use]
    pub fn needs_vouching(&self) -> bool {
        self.params.iter().any(ParamLabels::needs_vouching)
    }
}

/// How a program vouches for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Vouching {
    /// A person approves a call with its arguments; the role, if it is written out.
    Approval(Option<SmolStr>),
    /// A person answers a question or chooses; the role, if it is written out.
    Answer(Option<SmolStr>),
    /// `allow` lets through what is known.
    Allow,
    /// `endorse`, with its reason if that is written out.
    Endorse(Option<SmolStr>),
    /// An extern is declared to give something trusted.
    Extern(DefId),
    /// A record comes in from outside whose declaration trusts some of its fields; from which extern or source, or, for
    /// the event of a trigger, none.
    Fields(Option<DefId>),
}

/// When what is vouched for would be untrusted otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Always.
    Always,
    /// Where callers give something untrusted.
    FromCallers,
    /// Never: nothing changes without it.
    Never,
}

/// A place where the program vouches for a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endorsement {
    /// In which declaration.
    pub owner: DefId,
    /// Where.
    pub span: Span,
    /// How.
    pub how: Vouching,
    /// Whether it is needed.
    pub need: Need,
}

/// To whom private data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// A leaf that reaches other people or machines, or a graph that passes it on to one.
    Leaf(DefId),
    /// The model of a prompt or agent, or a graph that passes it on to one.
    Model(DefId),
    /// Whatever reads what is declared `public`.
    Public,
}

/// A place where private data leaves the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outflow {
    /// In which declaration.
    pub owner: DefId,
    /// Where.
    pub span: Span,
    /// To whom.
    pub to: Receiver,
    /// Whether a person sees it first.
    pub is_approved: bool,
}

impl Outflow {
    /// Whether a profile with `strict = true` refuses it (K0604).
    #[must_use]
    pub fn is_refused_if_strict(&self) -> bool {
        !self.is_approved && !matches!(self.to, Receiver::Model(_))
    }
}

/// What a whole program says about trust.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    defs: Vec<Option<DefLabels>>,
    endorsements: Vec<Endorsement>,
    outflows: Vec<Outflow>,
}

impl Labels {
    /// What is known of a callable; none for what cannot be called.
    #[must_use]
    pub fn of(&self, def: DefId) -> Option<&DefLabels> {
        self.defs.get(def.index())?.as_ref()
    }

    /// The names of the parameters of a callable that whoever calls it from outside must vouch for.
    #[must_use]
    pub fn vouched(&self, hir: &Hir, def: DefId) -> Vec<SmolStr> {
        let declared = hir.defs.get(def.index()).map(|def| &def.kind);
        let (Some(DefKind::Callable(callable)), Some(known)) = (declared, self.of(def)) else {
            return Vec::new();
        };
        let params = callable.params.iter().zip(&known.params);
        let needed = params.filter(|(_, labels)| labels.needs_vouching());
        needed.map(|(param, _)| param.name.clone()).collect()
    }

    /// Every place where the program vouches for something, by declaration and place.
    #[must_use]
    pub fn endorsements(&self) -> &[Endorsement] {
        &self.endorsements
    }

    /// Every place where something private leaves the program, by declaration and place.
    #[must_use]
    pub fn outflows(&self) -> &[Outflow] {
        &self.outflows
    }
}

/// What a program says about trust. Expects one without errors; of broken parts it says nothing.
#[must_use]
pub fn labels(compiled: &Compilation) -> Labels {
    let Compilation { hir, types, effects, .. } = compiled;
    let trust = infer(hir, types, effects, Axis::Trust, true);
    let secrecy = infer(hir, types, effects, Axis::Secrecy, true);
    let (Some(trust), Some(secrecy)) = (trust, secrecy) else { return Labels::default() };
    let mut found = Labels::default();
    for (def, declared) in (0u32..).map(DefId).zip(&hir.defs) {
        let labels = match &declared.kind {
            DefKind::Callable(callable) => Some(callable_labels(&trust, &secrecy, def, callable)),
            _ => None,
        };
        found.defs.push(labels);
        endorsements(&trust.cx, def, &mut found.endorsements);
    }
    found.endorsements.sort_by_key(|one| (one.owner, one.span.start, one.span.end));
    for (owner, sink) in &secrecy.violations {
        found.outflows.extend(outflow(&secrecy.cx, *owner, sink));
    }
    found.outflows.sort_by_key(|one| (one.owner, one.span.start, one.span.end));
    found.outflows.dedup();
    found
}

fn callable_labels(
    trust: &Found<'_>,
    secrecy: &Found<'_>,
    def: DefId,
    callable: &Callable,
) -> DefLabels {
    let (cx, summary) = (&trust.cx, trust.cx.summary(def));
    let interner = &cx.types.interner;
    let signature = cx.types.signature(def);
    let params = callable.params.iter().enumerate().map(|(index, param)| {
        let ty = signature.and_then(|found| found.params.get(index)).copied().unwrap_or(Ty::ERROR);
        ParamLabels {
            declared: cx.declared(&param.ty).map(|word| match word {
                Word::Clear => Trust::Trusted,
                Word::Marked => Trust::Untrusted,
            }),
            must_be_trusted: summary.needs.has(index) && !cx.facts.is_closed(interner, ty),
            has_trusted_fields: cx.facts.holds_clear(interner, ty),
            is_private: secrecy.cx.declared(&param.ty) == Some(Word::Marked),
        }
    });
    let params: Vec<ParamLabels> = params.collect();
    let depends_on = (0..params.len()).filter(|index| summary.result.has(*index));
    DefLabels {
        depends_on: depends_on.filter_map(|index| u32::try_from(index).ok()).collect(),
        params,
        gives_untrusted: summary.result.is_marked(),
        gives_private: secrecy.cx.summary(def).result.is_marked(),
    }
}

/// Labels of what calls are made with, for people who are asked to approve them.
pub(crate) struct Vouched<'a>(Option<Found<'a>>);

impl<'a> Vouched<'a> {
    /// Infers the labels of a whole program without errors.
    pub(crate) fn of(hir: &'a Hir, types: &'a Types, effects: &'a Effects) -> Self {
        Self(infer(hir, types, effects, Axis::Trust, true))
    }

    /// The parameters of a call, by position, whose argument is trusted whatever its owner is called with.
    pub(crate) fn arguments(&self, owner: DefId, call: ExprId) -> Vec<u32> {
        let Some(flow) = self.0.as_ref().and_then(|found| Flow::of(&found.cx, owner)) else {
            return Vec::new();
        };
        let Some(types) = flow.types.calls.get(&call) else { return Vec::new() };
        let Expr::Call { args, .. } = walk::expr(flow.body, call) else { return Vec::new() };
        let is_clear = |index: &usize| flow.arg(types, args, *index, false).0.is_clear();
        (0..types.args.len())
            .filter(is_clear)
            .filter_map(|index| u32::try_from(index).ok())
            .collect()
    }
}

fn need(label: Label) -> Need {
    match (label.is_marked(), label.is_clear()) {
        (true, _) => Need::Always,
        (false, false) => Need::FromCallers,
        (false, true) => Need::Never,
    }
}

fn endorsements(cx: &Cx<'_>, owner: DefId, found: &mut Vec<Endorsement>) {
    let Some(flow) = Flow::of(cx, owner) else { return };
    let mut add = |span: Option<Span>, how: Vouching, label: Label| {
        found.extend(span.map(|span| Endorsement { owner, span, how, need: need(label) }));
    };
    let body = flow.body;
    let span = |id: ExprId| body.expr_spans.get(id.index()).copied();
    let text = |id: Option<ExprId>| match walk::expr(body, id?) {
        Expr::Literal(Literal::Text(text)) => Some(text.clone()),
        _ => None,
    };
    if let Some(callable) = cx.callable(owner) {
        trigger(cx, owner, callable, &mut add);
        for tool in callable.items.iter().filter_map(tools).flatten() {
            if let Some(approve) = policy(&tool.policies, "approve") {
                let label = super::flow::context(&flow, callable);
                add(Some(tool.path_span), Vouching::Approval(text(value_of(approve))), label);
            }
        }
    }
    for id in walk::parts_first(body) {
        match walk::expr(body, id) {
            Expr::With { expr, policies } => {
                let Some(approve) = policy(policies, "approve") else { continue };
                let label = arguments(&flow, *expr);
                add(span(*expr), Vouching::Approval(text(value_of(approve))), label);
            }
            Expr::Call { callee, args, .. } => {
                let Some(call) = flow.types.calls.get(&id) else { continue };
                let arg = |index: usize| flow.arg(call, args, index, true);
                match flow.target(id, callee) {
                    Target::Form(Builtin::Allow) => add(span(id), Vouching::Allow, arg(0).0),
                    Target::Form(Builtin::Endorse) => {
                        add(span(id), Vouching::Endorse(text(arg(1).1)), arg(0).0);
                    }
                    Target::Form(Builtin::Ask) => {
                        add(span(id), Vouching::Answer(text(arg(1).1)), Label::MARKED);
                    }
                    Target::Form(Builtin::Choose) if shows_all(call) => {
                        add(span(id), Vouching::Answer(text(arg(4).1)), arg(0).0);
                    }
                    Target::Callable(callee) => {
                        if let Some(how) = by_extern(cx, callee, call.result) {
                            add(span(id), how, Label::MARKED);
                        }
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }
}

fn tools(item: &PromptItem) -> Option<&[crate::hir::Tool]> {
    match item {
        PromptItem::Tools { tools, .. } => Some(tools),
        _ => None,
    }
}

/// A trigger whose event has trusted fields.
fn trigger(
    cx: &Cx<'_>,
    owner: DefId,
    callable: &Callable,
    add: &mut impl FnMut(Option<Span>, Vouching, Label),
) {
    let Some(event) = callable.params.first() else { return };
    if callable.kind != CallableKind::Trigger {
        return;
    }
    let ty = cx.types.ty_of_local(owner, event.local);
    // The library's own say what their host keeps apart anyway.
    if vouches_by_type(cx, ty) {
        add(Some(event.ty.span), Vouching::Fields(None), Label::MARKED);
    }
}

/// Whether a type that comes in from outside vouches for a part of it, by the word of the program.
fn vouches_by_type(cx: &Cx<'_>, ty: Ty) -> bool {
    let interner = &cx.types.interner;
    cx.facts.instructs(interner, ty) || cx.facts.holds_clear(interner, ty) && !is_of_std(cx, ty)
}

fn is_of_std(cx: &Cx<'_>, ty: Ty) -> bool {
    match cx.types.interner.kind(cx.types.interner.base(ty)) {
        TyKind::Named(def, _) => is_std(cx, *def),
        TyKind::List(inner) | TyKind::Optional(inner) => is_of_std(cx, *inner),
        _ => false,
    }
}

fn is_std(cx: &Cx<'_>, def: DefId) -> bool {
    let module = cx.hir.defs.get(def.index()).map(|def| def.module.index());
    module.and_then(|module| cx.hir.modules.get(module)).is_some_and(|module| module.is_std)
}

/// What an extern of the program vouches for, or whoever answers a leaf.
fn by_extern(cx: &Cx<'_>, callee: DefId, result: Ty) -> Option<Vouching> {
    let callable = cx.callable(callee)?;
    let CallableKind::Extern { kind, .. } = &callable.kind else { return None };
    if kind == "stable" || kind == "trigger" {
        return None;
    }
    if cx.declared(&callable.result) == Some(Word::Clear) {
        return (!is_std(cx, callee)).then_some(Vouching::Extern(callee));
    }
    (vouches_by_type(cx, result) && leaves::is_boundary(cx, callee, kind))
        .then_some(Vouching::Fields(Some(callee)))
}

/// What is not trusted of the arguments of a call that must be, if nobody approved it.
fn arguments(flow: &Flow<'_, '_>, id: ExprId) -> Label {
    let Expr::Call { callee, args, .. } = walk::expr(flow.body, id) else { return Label::CLEAR };
    let (Target::Callable(def), Some(call)) = (flow.target(id, callee), flow.types.calls.get(&id))
    else {
        return Label::CLEAR;
    };
    let summary = flow.cx.summary(def);
    let needed = (0..call.args.len()).filter(|index| summary.needs.has(*index));
    needed
        .map(|index| flow.arg(call, args, index, summary.opaque.has(index)).0)
        .fold(Label::CLEAR, Label::join)
}

fn outflow(cx: &Cx<'_>, owner: DefId, sink: &Sink) -> Option<Outflow> {
    let to = match sink.kind {
        SinkKind::Sent { callee } | SinkKind::Seen { callee } => Receiver::Leaf(callee),
        SinkKind::Told { callee } => Receiver::Model(callee),
        SinkKind::Prompt => Receiver::Model(owner),
        // What takes a parameter that is declared so, besides.
        SinkKind::Param { callee, index, .. } | SinkKind::Tool { tool: callee, index, .. } => {
            let param = cx.callable(callee).and_then(|found| found.params.get(index as usize));
            match param.and_then(|param| cx.declared(&param.ty)) {
                Some(Word::Clear) => Receiver::Public,
                _ => Receiver::Leaf(callee),
            }
        }
        _ => Receiver::Public,
    };
    let body = cx.hir.body(owner)?;
    let span = match (sink.value, sink.kind) {
        (Some(value), _) => body.expr_spans.get(value.index()).copied()?,
        (None, SinkKind::Tool { at, .. }) => at,
        (None, _) => cx.hir.defs.get(owner.index())?.name_span,
    };
    let is_approved = matches!(sink.kind, SinkKind::Seen { .. });
    Some(Outflow { owner, span, to, is_approved })
}
