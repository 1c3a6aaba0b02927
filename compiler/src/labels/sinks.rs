//! The places of a body that take only clear values: where authority is used, or where a type says so.

use crate::check::ArgSource;
use crate::check::ty::Ty;
use crate::diagnostics::Span;
use crate::effects::walk;
use crate::hir::{
    Arg, Builtin, Callable, CallableKind, DefId, DefKind, Expr, ExprId, LocalId, MessageRole, Pat,
    PromptItem, Stmt, TestItem, TypeRef,
};

use super::flow::{Flow, Target, context, policy, value_of};
use super::label::Label;
use super::leaves;
use super::types::{Axis, Word, field_of};

/// What takes only clear values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SinkKind {
    /// A parameter of what is called here.
    Param { callee: DefId, index: u32, call: ExprId },
    /// A field of a record or variant that is made here.
    Field { def: DefId, variant: Option<u32>, index: u32 },
    /// A field of the session that is saved here.
    Saved { session: DefId, index: u32 },
    /// Who is asked or approves.
    Person,
    /// What `allow` compares with.
    Allowed,
    /// A name that is declared so, at this place.
    Name { declared: Span },
    /// What the declaration gives, which is declared so.
    Result { declared: Span },
    /// Instructions for a model.
    System { item: Span },
    /// The contents of a prompt whose result has a field that is declared so.
    Answer { of: Held },
    /// A text that is decoded into something with a field that is declared so.
    Decoded { of: Held },
    /// What is sent to where it is read back as something with a field that is declared so, which is read there.
    Channel { read: Span },
    /// What names the session in which this is called, where that is used as such a value.
    Session { callee: DefId },
    /// A parameter of a tool, whose arguments a model writes.
    Tool { tool: DefId, index: u32, at: Span },
    /// What goes to other people or machines (only private values are looked for).
    Sent { callee: DefId },
    /// What a model reads (only private values are looked for).
    Prompt,
    /// What the model of something that is called here reads (only private values are looked for).
    Told { callee: DefId },
    /// What goes to other people or machines once a person has seen it (only private values are looked for).
    Seen { callee: DefId },
}

/// What a type has that takes only clear values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Fields that a declaration calls so.
    Fields,
    /// Messages, which may instruct.
    Messages,
}

/// A value at such a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sink {
    pub label: Label,
    /// The value; none where a model writes it.
    pub value: Option<ExprId>,
    pub kind: SinkKind,
}

impl Flow<'_, '_> {
    /// Calls `f` with every value of the body at a place that takes only clear ones, and that is not clear.
    pub fn sinks(&self, f: &mut dyn FnMut(Sink)) {
        let f = &mut |sink: Sink| {
            if !sink.label.is_clear() {
                f(sink);
            }
        };
        self.header(f);
        for id in walk::parts_first(self.body) {
            match walk::expr(self.body, id) {
                Expr::Call { callee, args, .. } => {
                    self.call_sinks(id, self.target(id, callee), args, f);
                }
                Expr::Block(stmts) => stmts.iter().for_each(|stmt| self.let_sink(stmt, f)),
                Expr::Loop { vars, .. } => {
                    for (local, ty, first) in vars {
                        self.state_sinks(*local, ty.as_ref(), *first, f);
                    }
                }
                Expr::With { policies, .. } => {
                    if let Some(role) = policy(policies, "approve").and_then(value_of)
                        && self.cx.axis == Axis::Trust
                    {
                        f(self.sink(role, SinkKind::Person));
                    }
                }
                _ => {}
            }
        }
        for (id, _) in self.types.coercions.iter() {
            let label = self.label(id);
            if !label.is_clear()
                && let Some(of) = self.decodes(id)
            {
                f(Sink { label, value: Some(id), kind: SinkKind::Decoded { of } });
            }
        }
    }

    fn sink(&self, value: ExprId, kind: SinkKind) -> Sink {
        Sink { label: self.label(value), value: Some(value), kind }
    }

    /// Whether an expression decodes `json` into something with a field that is declared clear.
    fn decodes(&self, id: ExprId) -> Option<Held> {
        let coercions = self.types.coercions.get(&id).into_iter().flatten();
        coercions.into_iter().find_map(|one| match one {
            crate::check::Coercion::Decode(ty) => self.held(*ty),
            _ => None,
        })
    }

    /// What values of a type may hold that takes only clear values.
    fn held(&self, ty: Ty) -> Option<Held> {
        let (facts, interner) = (&self.cx.facts, &self.cx.types.interner);
        if facts.holds_clear(interner, ty) {
            Some(Held::Fields)
        } else {
            facts.instructs(interner, ty).then_some(Held::Messages)
        }
    }

    /// What the declaration's own header asks of its parts.
    fn header(&self, f: &mut dyn FnMut(Sink)) {
        let Some(def) = self.cx.hir.defs.get(self.owner.index()) else { return };
        match &def.kind {
            DefKind::Callable(callable) => self.callable_header(callable, f),
            DefKind::Const { ty: Some(ty) } => {
                if let (Some(root), true) = (self.body.root, self.wants_clear(ty)) {
                    f(self.sink(root, SinkKind::Name { declared: ty.span }));
                }
            }
            DefKind::Record(record) | DefKind::Session(record) => {
                for (index, field) in (0u32..).zip(&record.fields) {
                    if let (Some(default), true) = (field.default, self.wants_clear(&field.ty)) {
                        let kind = SinkKind::Field { def: self.owner, variant: None, index };
                        f(self.sink(default, kind));
                    }
                }
            }
            DefKind::Test(test) => {
                for item in &test.items {
                    if let TestItem::Stmt(stmt) = item {
                        self.let_sink(stmt, f);
                    }
                }
            }
            _ => {}
        }
    }

    /// The expression that gives a block its value.
    fn value_of_block(&self, mut id: ExprId) -> ExprId {
        while let Expr::Block(stmts) = walk::expr(self.body, id)
            && let Some(Stmt::Expr(last)) = stmts.last()
        {
            id = *last;
        }
        id
    }

    fn wants_clear(&self, ty: &TypeRef) -> bool {
        self.cx.axis.wants_clear(self.cx.hir, ty)
    }

    fn callable_header(&self, callable: &Callable, f: &mut dyn FnMut(Sink)) {
        for param in &callable.params {
            if let (Some(default), true) = (param.default, self.wants_clear(&param.ty)) {
                f(self.sink(default, SinkKind::Name { declared: param.ty.span }));
            }
        }
        match callable.kind {
            CallableKind::Fn | CallableKind::Graph => {
                if let (Some(root), true) = (self.body.root, self.wants_clear(&callable.result)) {
                    let kind = SinkKind::Result { declared: callable.result.span };
                    f(self.sink(self.value_of_block(root), kind));
                }
            }
            CallableKind::Prompt | CallableKind::Agent => self.prompt(callable, f),
            CallableKind::Trigger | CallableKind::Extern { .. } => {}
        }
    }

    fn prompt(&self, callable: &Callable, f: &mut dyn FnMut(Sink)) {
        let result = self.cx.types.signature(self.owner).map_or(Ty::ERROR, |found| found.result);
        let answers = match self.held(result) {
            None if self.wants_clear(&callable.result) => Some(Held::Fields),
            held => held,
        };
        for item in &callable.items {
            match item {
                PromptItem::Message { role, expr, span } => {
                    let label = self.opaque(*expr);
                    let value = Some(*expr);
                    match (self.cx.axis, role) {
                        (Axis::Trust, MessageRole::System) => {
                            f(Sink { label, value, kind: SinkKind::System { item: *span } });
                        }
                        (Axis::Secrecy, _) => f(Sink { label, value, kind: SinkKind::Prompt }),
                        _ => {}
                    }
                    if let Some(of) = answers {
                        f(Sink { label, value, kind: SinkKind::Answer { of } });
                    }
                }
                PromptItem::Tools { tools, .. } => {
                    let label = context(self, callable);
                    if let Some(of) = answers
                        && label.is_marked()
                    {
                        let kind = SinkKind::Answer { of };
                        f(Sink { label: Label::MARKED, value: None, kind });
                    }
                    for tool in tools {
                        let Some(target) = tool.target else { continue };
                        if policy(&tool.policies, "approve").is_some() || self.must_be_asked(target)
                        {
                            continue;
                        }
                        self.tool(target, tool.path_span, label, f);
                    }
                }
                PromptItem::Model { .. } => {}
            }
        }
    }

    /// What a model writes for the parameters of a tool.
    fn tool(&self, tool: DefId, at: Span, label: Label, f: &mut dyn FnMut(Sink)) {
        let needs = self.cx.summary(tool).needs;
        let Some(signature) = self.cx.types.signature(tool) else { return };
        for (index, ty) in signature.params.iter().enumerate() {
            // A model vouches for no part of what it writes either.
            if !needs.has(index) && self.held(*ty).is_none() {
                continue;
            }
            let label = self.cx.of_type(label, *ty);
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            f(Sink { label, value: None, kind: SinkKind::Tool { tool, index, at } });
        }
        if self.cx.axis == Axis::Secrecy && leaves::sends(self.cx, tool) {
            f(Sink { label, value: None, kind: SinkKind::Sent { callee: tool } });
        }
    }

    /// Whether a call of it without approval was refused already: whoever is going to approve it sees its arguments.
    fn must_be_asked(&self, callee: DefId) -> bool {
        let needs = self.cx.callable(callee).and_then(|callable| callable.needs.as_ref());
        self.cx.axis == Axis::Trust && needs.is_some_and(|(word, _)| word == "approval")
    }

    fn let_sink(&self, stmt: &Stmt, f: &mut dyn FnMut(Sink)) {
        let Stmt::Let { ty: Some(ty), value, pat, .. } = stmt else { return };
        if !self.wants_clear(ty) || matches!(self.body.pats.get(pat.index()), Some(Pat::Missing)) {
            return;
        }
        f(self.sink(*value, SinkKind::Name { declared: ty.span }));
    }

    fn state_sinks(
        &self,
        local: LocalId,
        ty: Option<&TypeRef>,
        first: ExprId,
        f: &mut dyn FnMut(Sink),
    ) {
        let Some(ty) = ty.filter(|ty| self.wants_clear(ty)) else { return };
        let kind = SinkKind::Name { declared: ty.span };
        f(self.sink(first, kind));
        self.handed_on(local).into_iter().for_each(|value| f(self.sink(value, kind)));
    }

    fn call_sinks(&self, id: ExprId, target: Target, args: &[Arg], f: &mut dyn FnMut(Sink)) {
        let Some(call) = self.types.calls.get(&id) else { return };
        let index_of = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        match target {
            Target::Callable(callee) => {
                let summary = self.cx.summary(callee);
                if let Some((data, read)) =
                    self.cx.channels.sent(self.cx, self.body, callee, call, args)
                    && !self.is_vouched(id)
                {
                    let (label, value) = self.arg(call, args, data, true);
                    f(Sink { label, value, kind: SinkKind::Channel { read } });
                }
                if self.cx.axis == Axis::Secrecy {
                    return self.private_sinks(id, callee, call, args, f);
                }
                if summary.needs.has_session() {
                    let (label, value) = (self.session_id(), self.session_by().or(Some(id)));
                    f(Sink { label, value, kind: SinkKind::Session { callee } });
                }
                if summary.needs.is_clear() || self.is_vouched(id) || self.must_be_asked(callee) {
                    return self.decoded(id, callee, args, f);
                }
                for index in 0..call.args.len() {
                    if !summary.needs.has(index) {
                        continue;
                    }
                    let (label, value) = self.arg(call, args, index, summary.opaque.has(index));
                    let kind = SinkKind::Param { callee, index: index_of(index), call: id };
                    f(Sink { label, value, kind });
                }
                self.decoded(id, callee, args, f);
            }
            Target::Record(def) => self.fields(def, None, call, args, f),
            Target::Variant(def, variant) => self.fields(def, Some(variant), call, args, f),
            Target::Alias(def) => {
                if let Some(DefKind::Alias(alias)) =
                    self.cx.hir.defs.get(def.index()).map(|def| &def.kind)
                    && self.wants_clear(&alias.ty)
                {
                    let (label, value) = self.arg(call, args, 0, false);
                    f(Sink { label, value, kind: SinkKind::Name { declared: alias.ty.span } });
                }
            }
            Target::Form(form) => self.form(form, call, args, f),
            Target::Unknown => {}
        }
    }

    /// What a call does with private arguments: it sends them out, hands them on to what does, or lets a model read them.
    fn private_sinks(
        &self,
        id: ExprId,
        callee: DefId,
        call: &crate::check::CallTypes,
        args: &[Arg],
        f: &mut dyn FnMut(Sink),
    ) {
        let summary = self.cx.summary(callee);
        let sends = leaves::sends(self.cx, callee);
        let is_seen = self.shape.approved.contains(&id);
        let params = self.cx.callable(callee).map_or(&[][..], |callable| &callable.params);
        for (index, param) in params.iter().enumerate().take(call.args.len()) {
            // Who declares that a parameter takes what is private means it.
            let sends = sends && self.cx.declared(&param.ty) != Some(Word::Marked);
            let needed = summary.needs.has(index);
            let (told, seen) = (summary.told.has(index), summary.seen.has(index));
            if !(sends || needed || told || seen) {
                continue;
            }
            let (label, value) = self.arg(call, args, index, summary.opaque.has(index) || sends);
            if needed || sends {
                let at = u32::try_from(index).unwrap_or(u32::MAX);
                let kind = match (is_seen, needed) {
                    (true, _) => SinkKind::Seen { callee },
                    (false, true) => SinkKind::Param { callee, index: at, call: id },
                    (false, false) => SinkKind::Sent { callee },
                };
                f(Sink { label, value, kind });
            } else if seen {
                f(Sink { label, value, kind: SinkKind::Seen { callee } });
            }
            if told {
                f(Sink { label, value, kind: SinkKind::Told { callee } });
            }
        }
        self.decoded(id, callee, args, f);
    }

    /// A function that makes a value with clear fields out of something else, such as a text: nobody has looked at them.
    fn decoded(&self, id: ExprId, callee: DefId, args: &[Arg], f: &mut dyn FnMut(Sink)) {
        let Some(call) = self.types.calls.get(&id) else { return };
        let Some(of) = self.held(call.result) else { return };
        if of == Held::Messages && self.repeats(callee) {
            return f(Sink {
                label: Label::MARKED,
                value: Some(id),
                kind: SinkKind::Decoded { of },
            });
        }
        if !self.makes(callee) {
            return;
        }
        // Of a type that has nothing but clear fields, the value itself counts as clear.
        let label = self.of_callee(id, callee, call, args);
        f(Sink { label, value: Some(id), kind: SinkKind::Decoded { of } });
    }

    /// Whether a declaration brings in messages from elsewhere: it does not say that it vouches for the instructions among
    /// them, as it does where it declares a field `trusted`.
    fn repeats(&self, callee: DefId) -> bool {
        let cx = self.cx;
        let Some(callable) = cx.callable(callee) else { return false };
        let CallableKind::Extern { kind, .. } = &callable.kind else { return false };
        let is_own = cx.hir.defs.get(callee.index()).is_some_and(|def| {
            !cx.hir.modules.get(def.module.index()).is_some_and(|module| module.is_std)
        });
        cx.axis == Axis::Trust
            && is_own
            && leaves::is_boundary(cx, callee, kind)
            && !self.wants_clear(&callable.result)
    }

    /// Whether a declaration makes values out of something else, of a type that its caller chooses.
    fn makes(&self, callee: DefId) -> bool {
        let cx = self.cx;
        match cx.callable(callee).map(|callable| &callable.kind) {
            Some(CallableKind::Extern { kind, .. }) => {
                matches!(kind.as_str(), "stable" | "native")
                    && !leaves::is_boundary(cx, callee, kind)
                    && !cx.summary(callee).opaque.is_clear()
            }
            _ => cx.summary(callee).conjures,
        }
    }

    /// Whether values of the declaration's own type parameters are made here out of something else.
    pub fn conjures(&self, callable: &Callable) -> bool {
        if callable.type_params.is_empty() {
            return false;
        }
        let has_param = |ty: Ty| self.cx.types.interner.has_param(ty);
        if matches!(callable.kind, CallableKind::Prompt | CallableKind::Agent) {
            let result = self.cx.types.signature(self.owner).map_or(Ty::ERROR, |s| s.result);
            return has_param(result);
        }
        let decodes = |one: &crate::check::Coercion| match one {
            crate::check::Coercion::Decode(ty) => has_param(*ty),
            _ => false,
        };
        let mut coercions = self.types.coercions.iter();
        coercions.any(|(_, all)| all.iter().any(decodes))
            || walk::parts_first(self.body).any(|id| {
                let Expr::Call { callee, .. } = walk::expr(self.body, id) else { return false };
                let (Target::Callable(callee), Some(call)) =
                    (self.target(id, callee), self.types.calls.get(&id))
                else {
                    return false;
                };
                has_param(call.result) && self.makes(callee)
            })
    }

    fn fields(
        &self,
        def: DefId,
        variant: Option<u32>,
        call: &crate::check::CallTypes,
        args: &[Arg],
        f: &mut dyn FnMut(Sink),
    ) {
        for index in 0..call.args.len() {
            if matches!(call.args.get(index), Some(ArgSource::Default)) {
                continue;
            }
            let at = u32::try_from(index).unwrap_or(u32::MAX);
            let Some(field) = field_of(self.cx.hir, def, variant, at) else { continue };
            if self.wants_clear(&field.ty) {
                let (label, value) = self.arg(call, args, index, false);
                f(Sink { label, value, kind: SinkKind::Field { def, variant, index: at } });
            }
        }
    }

    fn form(
        &self,
        form: Builtin,
        call: &crate::check::CallTypes,
        args: &[Arg],
        f: &mut dyn FnMut(Sink),
    ) {
        let mut place = |index: usize, kind: SinkKind| {
            let (label, value) = self.arg(call, args, index, false);
            f(Sink { label, value, kind });
        };
        match (form, self.cx.axis) {
            // `allow(x, only: …)`, `allow(x, matching: …)`
            (Builtin::Allow, Axis::Trust) => {
                place(1, SinkKind::Allowed);
                place(2, SinkKind::Allowed);
            }
            (Builtin::Ask, Axis::Trust) => place(1, SinkKind::Person),
            (Builtin::Choose, Axis::Trust) => place(4, SinkKind::Person),
            (Builtin::SessionSave, _) => {
                let session = self.cx.callable(self.owner).and_then(|c| c.session.as_ref());
                let Some(session) = session.and_then(|session| session.def) else { return };
                for arg in args {
                    let Some((name, _)) = &arg.name else { continue };
                    let Some((index, field)) = self.session_field(session, name) else { continue };
                    if self.wants_clear(&field.ty)
                        && let Some(value) = value_of(arg)
                    {
                        f(self.sink(value, SinkKind::Saved { session, index }));
                    }
                }
            }
            _ => {}
        }
    }
}
