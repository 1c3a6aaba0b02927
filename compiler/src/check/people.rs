//! What people are asked: questions (`ask`, `choose`), approvals of calls, and what stubs of both give. Whether somebody
//! must approve, and what happens when nobody answers, is asked with the effects, not here.

use smol_str::SmolStr;

use super::calls::Target;
use super::exprs::ShownTo;
use super::infer::{BodyCx, Expect, Why};
use super::ty::{Ty, TyKind};
use super::{ArgSource, CallTypes, DefTypes};
use crate::diagnostics::names_of;
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Arg, ArgValue, Builtin, CallableKind, Callee, DefKind, Expr, ExprId, Stub};
use crate::names::suggest;

/// The places of `ask`, in order.
pub(crate) const ASK: [&str; 4] = ["question", "to", "show", "start"];

/// The places of `choose`, in order.
pub(crate) const CHOOSE: [&str; 6] = ["items", "label", "max", "question", "to", "show"];

/// What a stub of a question can tell questions apart by.
pub(crate) const ASKED: [&str; 2] = ["question", "to"];

/// Policies that a question takes.
const OF_QUESTIONS: [&str; 3] = ["within", "fallback", "after"];

/// Policies that mean nothing for a run that goes on by itself.
const NOT_DETACHED: [&str; 7] =
    ["retry", "timeout", "deadline", "cache", "fallback", "repair", "model"];

fn policy<'p>(policies: &'p [Arg], name: &str) -> Option<(&'p Arg, Span)> {
    policies.iter().find_map(|arg| match &arg.name {
        Some((own, span)) if own == name => Some((arg, *span)),
        _ => None,
    })
}

impl<'a> BodyCx<'_, 'a> {
    // ---- questions ----

    /// `ask(question, to: role, show: value, start: guess)`: the wanted type makes the form.
    pub(super) fn ask(&mut self, e: ExprId, args: &'a [Arg], expect: Expect) -> Ty {
        let found = self.form_args(args, &ASK, "ask");
        let [question, to, show, start] = found.as_slice() else { return Ty::ERROR };
        let answer = self.answer(e, expect);
        let text = |this: &mut Self, given: &Option<(u32, ExprId)>| {
            if let Some((_, given)) = given {
                this.expr(*given, Expect::of(Ty::TEXT, Why::Nothing));
            }
        };
        text(self, question);
        text(self, to);
        let mut shown = Ty::NONE;
        if let Some((_, show)) = show {
            shown = self.expr(*show, Expect::ANY);
            self.shown(*show, shown, ShownTo::Person);
        }
        if let Some((_, start)) = start {
            self.expr(*start, Expect::of(answer, Why::Nothing));
        }
        if question.is_none() {
            self.missing_form_arg(e, "ask", "a question");
        }
        let role = self.cx.interner.optional(Ty::TEXT);
        let start = self.cx.interner.optional(answer);
        self.note_form(e, &found, vec![Ty::TEXT, role, shown, start], answer);
        answer
    }

    /// The type of an answer: what its place wants.
    fn answer(&mut self, e: ExprId, expect: Expect) -> Ty {
        let wanted = expect.ty.map(|ty| self.resolve(ty));
        match wanted {
            Some(ty) if self.is_error(ty) => Ty::ERROR,
            Some(ty) if !self.cx.interner.has_var(ty) => {
                if self.asked_for(self.span(e), ty) {
                    ty
                } else {
                    Ty::ERROR
                }
            }
            _ => {
                self.report(
                    Diagnostic::new(
                        Code::TypeUnknown,
                        self.span(e),
                        "nothing says which answer is asked for",
                    )
                    .here("the type of the answer makes the form, and none is written")
                    .help("write it where the answer is bound: `let answer: Type = ask(…)`"),
                );
                Ty::ERROR
            }
        }
    }

    /// Whether a form can ask for the type; reports if none can.
    fn asked_for(&mut self, span: Span, ty: Ty) -> bool {
        let Some(part) = self.not_a_form(ty, &mut Vec::new()) else { return true };
        let (shown, part) = (self.show(ty), self.show(part));
        let finding = Diagnostic::new(
            Code::NotAForm,
            span,
            format!("a person cannot be asked for `{shown}`"),
        );
        let finding = if part == shown {
            finding.here("there is no form for this type")
        } else {
            finding.here(format!("there is no form for `{part}` in it"))
        };
        self.report(finding.help(
            "ask for texts, numbers, times, amounts, yes or no, enums, or records and lists of them",
        ));
        false
    }

    /// A part of the type that no form can ask for. A record that holds itself would make a form without end.
    fn not_a_form(&mut self, ty: Ty, around: &mut Vec<Ty>) -> Option<Ty> {
        let base = self.base(ty);
        match self.cx.interner.kind(base).clone() {
            TyKind::Prim(prim) if prim.is_plain() => None,
            TyKind::Error | TyKind::Never => None,
            TyKind::List(item) | TyKind::Optional(item) => self.not_a_form(item, around),
            TyKind::Named(def, args) => {
                if around.contains(&base) {
                    return Some(base);
                }
                around.push(base);
                let fields: Vec<Ty> = match self.cx.defs.get(def.index()) {
                    Some(DefTypes::Record(fields)) => fields.clone(),
                    Some(DefTypes::Enum(all)) => all.iter().flatten().copied().collect(),
                    _ => Vec::new(),
                };
                let found = fields.into_iter().find_map(|ty| {
                    let ty = self.cx.interner.subst(ty, &args);
                    self.not_a_form(ty, around)
                });
                around.pop();
                found
            }
            _ => Some(base),
        }
    }

    /// `choose(items, label: .name, max: n)`: those of the items that a person takes.
    pub(super) fn choose(&mut self, e: ExprId, args: &'a [Arg]) -> Ty {
        let found = self.form_args(args, &CHOOSE, "choose");
        let [items, label, max, question, to, show] = found.as_slice() else { return Ty::ERROR };
        for given in [question, to].into_iter().flatten() {
            self.expr(given.1, Expect::of(Ty::TEXT, Why::Nothing));
        }
        let mut shown = Ty::NONE;
        if let Some((_, show)) = show {
            shown = self.expr(*show, Expect::ANY);
            self.shown(*show, shown, ShownTo::Person);
        }
        if let Some((_, max)) = max {
            self.expr(*max, Expect::of(Ty::INT, Why::Nothing));
            if let Some(n) = self.int_literal(*max)
                && n < 1
            {
                self.report(
                    Diagnostic::new(Code::BadCount, self.span(*max), "`max` must be at least 1")
                        .here(format!("found {n}")),
                );
            }
        }
        if let Some((_, label)) = label {
            self.expr(*label, Expect::ERROR);
            self.report(
                Diagnostic::new(
                    Code::BadSelector,
                    self.span(*label),
                    "`label` needs a field such as `.name`",
                )
                .help("write it with a dot in front: `label: .name`"),
            );
        }
        let Some((_, items)) = *items else {
            self.missing_form_arg(e, "choose", "a list");
            return Ty::ERROR;
        };
        let given = self.expr(items, Expect::ANY);
        let item = match self.kind(given).clone() {
            TyKind::List(item) => item,
            TyKind::Error | TyKind::Never => Ty::ERROR,
            _ => {
                let shown = self.show(given);
                self.report(
                    Diagnostic::new(
                        Code::Mismatch,
                        self.span(items),
                        format!("`choose` needs a list, found `{shown}`"),
                    )
                    .here(format!("this is `{shown}`")),
                );
                Ty::ERROR
            }
        };
        let selectors = self.label_of(args, item);
        let list = if item == Ty::ERROR { Ty::ERROR } else { self.cx.interner.list(item) };
        let count = max.and_then(|(_, max)| self.count_of(max));
        let most = [count, self.max_of(items)].into_iter().flatten().min();
        if let Some(most) = most {
            self.out.max_items.insert(e, most);
        }
        let role = self.cx.interner.optional(Ty::TEXT);
        let params = vec![list, Ty::NONE, Ty::INT, role, role, shown];
        self.note_form(e, &found, params, list);
        if let Some(call) = self.out.calls.get_mut(&e) {
            call.selectors = selectors;
        }
        list
    }

    /// `label: .name`: which field of the items a person reads.
    fn label_of(&mut self, args: &'a [Arg], item: Ty) -> Vec<(u32, u32)> {
        let mut selectors = Vec::new();
        for (index, arg) in (0u32..).zip(args) {
            let ArgValue::Selector(name, span) = &arg.value else { continue };
            match &arg.name {
                Some((own, _)) if own == "label" => {}
                // A name that `choose` does not have was reported.
                Some((own, _)) if !CHOOSE.contains(&own.as_str()) => continue,
                _ => {
                    self.report(
                        Diagnostic::new(
                            Code::BadSelector,
                            arg.span,
                            "only `label` takes a field such as `.name`",
                        )
                        .help("write `label: .name`"),
                    );
                    continue;
                }
            }
            if self.is_error(item) {
                continue;
            }
            if let Some((field, ty)) = self.find_field(item, name, *span, None) {
                selectors.push((index, field));
                if !matches!(self.kind(ty), TyKind::Prim(_) | TyKind::Named(..) | TyKind::Error) {
                    let shown = self.show(ty);
                    self.report(
                        Diagnostic::new(
                            Code::BadSelector,
                            *span,
                            format!(
                                "`label` needs a field with a text or a number, found `{shown}`"
                            ),
                        )
                        .here(format!("this field is `{shown}`")),
                    );
                }
            }
        }
        selectors
    }

    // ---- policies about people ----

    /// Policies behind a call that only make sense together, or not for this call.
    pub(super) fn people_policies(&mut self, call: ExprId, policies: &[Arg]) {
        let given = |name: &str| policy(policies, name);
        let Expr::Call { callee, .. } = self.node(call) else { return };
        if let Callee::Builtin(form @ (Builtin::Ask | Builtin::Choose)) = callee {
            let word = if *form == Builtin::Ask { "ask" } else { "choose" };
            for (name, span) in policies.iter().filter_map(|arg| arg.name.as_ref()) {
                if OF_QUESTIONS.contains(&name.as_str()) || !super::policies::is_of_calls(name) {
                    continue;
                }
                let finding = Diagnostic::new(
                    Code::ApprovalPolicy,
                    *span,
                    format!("`{name}` cannot be set on a question"),
                );
                self.report(match name.as_str() {
                    "show" => {
                        finding.help(format!("write it as an argument: `{word}(…, show: value)`"))
                    }
                    "timeout" | "deadline" => {
                        finding.help("say with `within:` how long a person may take")
                    }
                    _ => finding.help("use only `within:` and `fallback:` here"),
                });
            }
            return;
        }
        let approve = given("approve");
        if let (Some((arg, _)), None) = (approve, given("within")) {
            self.report(
                Diagnostic::new(
                    Code::NoWithin,
                    arg.span,
                    "nothing says how long the approval may take",
                )
                .here("the run could wait forever")
                .help("add a limit such as `within: 2d`; after it the call fails with `Unanswered`")
                .guess("give people two days", vec![Edit::new(arg.span.after(), ", within: 2d")]),
            );
        }
        // What must be approved and is not is said once, as that.
        if approve.is_none() && !self.needs_approval(callee) {
            for name in ["within", "edit", "show"] {
                let Some((_, span)) = given(name) else { continue };
                if name == "within" && self.waits(callee) {
                    continue;
                }
                self.report(
                    Diagnostic::new(
                        Code::ApprovalPolicy,
                        span,
                        format!("`{name}` needs `approve:`: nobody is asked here"),
                    )
                    .here(match name {
                        "within" => "how long a person may take",
                        "edit" => "what a person may change",
                        _ => "what a person is shown",
                    })
                    .help(match name {
                        "within" => "name who approves the call: `approve: \"role\"`; to limit the call itself, use `timeout:` or `deadline:`",
                        _ => "name who approves the call: `approve: \"role\"`",
                    }),
                );
            }
        }
        if let Some((arg, span)) = given("detach") {
            self.detached(callee, arg, span, policies);
        }
    }

    fn needs_approval(&self, callee: &Callee) -> bool {
        let Callee::Def(def) = callee else { return false };
        match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => callable.needs.is_some(),
            _ => false,
        }
    }

    /// Whether a call waits for something from outside that may never come.
    fn waits(&self, callee: &Callee) -> bool {
        let Callee::Def(def) = callee else { return matches!(callee, Callee::Missing) };
        match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => matches!(
                &callable.kind,
                CallableKind::Extern { locator, .. } if locator == "event.wait"
            ),
            _ => false,
        }
    }

    fn detached(&mut self, callee: &Callee, arg: &Arg, span: Span, policies: &[Arg]) {
        let (is_graph, noun) = match callee {
            Callee::Missing => return,
            Callee::Def(def) => match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
                Some(DefKind::Callable(callable)) => (
                    callable.kind == CallableKind::Graph,
                    match callable.kind {
                        CallableKind::Fn => "a `fn`",
                        CallableKind::Prompt => "a prompt",
                        CallableKind::Agent => "an agent",
                        _ => "an extern",
                    },
                ),
                _ => (false, "not a graph"),
            },
            _ => (false, "not a graph"),
        };
        if !is_graph {
            self.report(
                Diagnostic::new(Code::BadDetach, span, "`detach` works only on a graph")
                    .here(format!("what is called here is {noun}"))
                    .help("put the call into a `graph`, and call that"),
            );
            return;
        }
        for name in NOT_DETACHED {
            let Some((_, place)) = policy(policies, name) else { continue };
            self.report(
                Diagnostic::new(
                    Code::BadDetach,
                    place,
                    format!("`{name}` has no use with `detach`: nobody waits for the result"),
                )
                .label(arg.span, "the run goes on by itself")
                .help("write the policy where the graph makes its calls"),
            );
        }
    }

    /// `edit: [.amount]`: parameters of the call that whoever approves may change.
    pub(super) fn edited(&mut self, call: ExprId, given: &Arg) {
        let list: &[(SmolStr, Span)] = match &given.value {
            ArgValue::Selectors(list) => list,
            ArgValue::Selector(name, span) => {
                let dot = Span { start: span.start.saturating_sub(1), ..*span };
                self.report(
                    Diagnostic::new(Code::BadEdit, *span, "`edit` needs a list")
                        .help(format!("write `[.{name}]`"))
                        .fix(
                            format!("write `[.{name}]`"),
                            vec![Edit::new(dot.before(), "["), Edit::new(span.after(), "]")],
                        ),
                );
                return;
            }
            ArgValue::Expr(e) | ArgValue::Spread(e) => {
                self.expr(*e, Expect::ERROR);
                self.report(
                    Diagnostic::new(
                        Code::BadEdit,
                        given.span,
                        "`edit` can only list parameters of the call",
                    )
                    .help("write each with a dot in front: `edit: [.amount]`"),
                );
                return;
            }
            ArgValue::Callable(..) => return,
        };
        let Expr::Call { callee: Callee::Def(def), .. } = self.node(call) else { return };
        let Some(target) = self.target(*def) else { return };
        let mut seen: Vec<&SmolStr> = Vec::new();
        for (name, span) in list {
            if seen.contains(&name) {
                self.report(Diagnostic::new(
                    Code::BadEdit,
                    *span,
                    format!("`{name}` is listed twice"),
                ));
                continue;
            }
            seen.push(name);
            let Some(index) = target.find(name) else {
                let finding = Diagnostic::new(
                    Code::BadEdit,
                    *span,
                    format!("`{}` has no parameter `{name}`", target.name),
                )
                .label(target.span, "declared here");
                let finding = match suggest(name, target.names()) {
                    Some(near) => finding
                        .help(format!("did you mean `{near}`?"))
                        .guess(format!("write `{near}`"), vec![Edit::new(*span, near)]),
                    None => finding.help(format!("it takes {}", names_of(target.names()))),
                };
                self.report(finding);
                continue;
            };
            let ty = target.types.get(index).copied().unwrap_or(Ty::ERROR);
            self.asked_for(*span, ty);
        }
    }

    // ---- stubs ----

    /// What the stub of an approval gives: `Approved(by: …)` with whatever was edited, or a failure.
    pub(super) fn approval(&mut self, outcome: ExprId, target: &Target<'a>, type_args: &[Ty]) {
        let approved = self.cx.lang.approved;
        match self.node(outcome) {
            Expr::Fail(_) | Expr::Missing => {
                self.expr(outcome, Expect::ANY);
            }
            Expr::Call { callee: Callee::Missing, args, .. } => self.spoil_args(args),
            Expr::Call { callee: Callee::Def(def), args, .. } if Some(*def) == approved => {
                let ty = self.cx.interner.named(*def, &[]);
                self.set(outcome, ty);
                self.approved(outcome, args, target, type_args, ty);
            }
            _ => {
                self.expr(outcome, Expect::ANY);
                let span = self.span(outcome);
                self.report(
                    Diagnostic::new(
                        Code::ApprovedStub,
                        span,
                        "a stub for an approval must say what the person decided",
                    )
                    .here("this is not a decision")
                    .help(format!(
                        "write `Approved(by: \"…\")` or `fail Denied(by: \"…\", why: \"…\")`; for a result of `{}`, leave out `approve`",
                        target.name
                    ))
                    .guess("approve it", vec![Edit::new(span, "Approved(by: \"someone\")")]),
                );
            }
        }
    }

    fn approved(
        &mut self,
        e: ExprId,
        args: &'a [Arg],
        target: &Target<'a>,
        type_args: &[Ty],
        ty: Ty,
    ) {
        let mut sources = vec![ArgSource::None; target.types.len() + 1];
        let mut params = vec![Ty::TEXT];
        for ty in target.types {
            params.push(self.cx.interner.subst(*ty, type_args));
        }
        let mut given: Vec<Option<Span>> = vec![None; params.len()];
        for (index, arg) in (0u32..).zip(args) {
            let ArgValue::Expr(value) = arg.value else {
                self.spoil_args(std::slice::from_ref(arg));
                self.report(Diagnostic::new(
                    Code::MisplacedSelector,
                    arg.span,
                    "an edited argument must be a value",
                ));
                continue;
            };
            let place = match &arg.name {
                None if index == 0 => Some(0),
                None => None,
                Some((name, _)) if name == "by" => Some(0),
                Some((name, _)) => target.find(name).map(|place| place + 1),
            };
            let Some(place) = place else {
                self.expr(value, Expect::ERROR);
                let (span, shown) = match &arg.name {
                    Some((name, span)) => {
                        (*span, format!("`{}` has no parameter `{name}`", target.name))
                    }
                    None => (arg.span, "an edited argument needs its name".to_owned()),
                };
                let finding = Diagnostic::new(Code::UnknownArgument, span, shown)
                    .label(target.span, "declared here");
                let near = arg.name.as_ref().and_then(|(name, _)| suggest(name, target.names()));
                self.report(match near {
                    Some(near) => finding
                        .help(format!("did you mean `{near}`?"))
                        .guess(format!("write `{near}`"), vec![Edit::new(span, near)]),
                    None => finding.help(format!("it takes {}", names_of(target.names()))),
                });
                continue;
            };
            if let Some(first) = given.get(place).copied().flatten() {
                self.expr(value, Expect::ERROR);
                self.report(
                    Diagnostic::new(Code::RepeatedArgument, arg.span, "this is given twice")
                        .label(first, "first given here"),
                );
                continue;
            }
            let wanted = params.get(place).copied().unwrap_or(Ty::ERROR);
            let why = place.checked_sub(1).and_then(|place| target.place(place));
            self.expr(value, Expect::of(wanted, why.map_or(Why::Nothing, Why::Declared)));
            if let (Some(slot), Some(source)) = (given.get_mut(place), sources.get_mut(place)) {
                *slot = Some(arg.span);
                *source = ArgSource::Arg(index);
            }
        }
        if given.first().copied().flatten().is_none() {
            self.report(
                Diagnostic::new(Code::MissingArgument, self.span(e), "`Approved` needs `by`")
                    .help("say who approved it: `Approved(by: \"ada\")`"),
            );
        }
        self.out.calls.insert(
            e,
            CallTypes {
                args: sources.into(),
                params: params.into(),
                result: ty,
                type_args: smallvec::SmallVec::new(),
                selectors: Vec::new(),
            },
        );
    }

    /// `stub ask(…) => answer`: its value says which questions it answers, by its type.
    pub(super) fn stub_of_question(&mut self, stub: &'a Stub, form: Builtin) {
        let word = if form == Builtin::Ask { "ask" } else { "choose" };
        let mut position = 0usize;
        let mut taken = [false; ASKED.len()];
        for (name, pat, span) in &stub.params {
            let index = match name {
                Some(name) => ASKED.iter().position(|known| known == name),
                None => {
                    position += 1;
                    (position <= ASKED.len()).then_some(position - 1)
                }
            };
            let free = index
                .and_then(|index| taken.get_mut(index))
                .is_some_and(|taken| !std::mem::replace(taken, true));
            let ty = match index {
                Some(0) if free => Ty::TEXT,
                Some(_) if free => self.cx.interner.optional(Ty::TEXT),
                Some(_) => {
                    self.report(Diagnostic::new(
                        Code::RepeatedArgument,
                        *span,
                        "the stub names this twice",
                    ));
                    Ty::ERROR
                }
                None => {
                    self.report(
                        Diagnostic::new(
                            Code::UnknownArgument,
                            *span,
                            format!("a stub of `{word}` can look only at the question and at `to`"),
                        )
                        .help(format!("write it as `stub {word}(\"Ship it?\", to: _) => …`")),
                    );
                    Ty::ERROR
                }
            };
            self.pattern(*pat, ty);
        }
        for (outcome, _) in &stub.outcomes {
            let ty = self.expr(*outcome, Expect::ANY);
            let ty = self.resolve(ty);
            if form == Builtin::Choose
                && !matches!(self.kind(ty), TyKind::List(_) | TyKind::Error | TyKind::Never)
            {
                let shown = self.show(ty);
                self.report(
                    Diagnostic::new(
                        Code::Mismatch,
                        self.span(*outcome),
                        format!("`choose` gives a list, found `{shown}`"),
                    )
                    .here(format!("this is `{shown}`"))
                    .help("write what was chosen as a list: `[…]`"),
                );
            }
        }
    }
}
