//! Approvals and questions of tests, which stubs answer. In other runs nobody can be asked yet.
//!
//! An approval is a node of its own in front of the call: its value says who approved it, and per parameter what was
//! edited, as a list of at most one value. The call takes those values where they are.

use kait_ir::expr::{Expr as Ir, ExprArm, Pattern};
use kait_ir::program::{Gate, NodeKind, Stub as IrStub};
use kait_ir::types::{FieldType, RecordType, Type, TypeId};
use kait_ir::{ExprId as IrId, Failure, TargetId, Value};
use smol_str::{SmolStr, format_smolstr};

use super::Lowerer;
use super::body::BodyLowerer;
use super::calls::{Prepared, What};
use super::growth::named;
use super::policies::policy;
use super::regions::NewNode;
use crate::check::people::{ASK, ASKED, CHOOSE};
use crate::check::{ArgSource, CallTypes};
use crate::hir::{Arg, ArgValue, Builtin, Callee, DefId, DefKind, Expr, ExprId, Stub};

/// What stubs of a test answer beside calls.
#[derive(Debug, Default)]
pub(super) struct People {
    /// What approvals of a call are stubbed as.
    approvals: rustc_hash::FxHashMap<DefId, TargetId>,
    /// What questions with that type of answer are stubbed as.
    questions: rustc_hash::FxHashMap<(Builtin, TypeId), TargetId>,
    /// Stubs whose values fit every question of their kind: `fail`, `none`, `[]`.
    anywhere: Vec<(Builtin, Fits, IrStub)>,
}

/// Which questions a value without type of its own answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fits {
    /// Those of exactly that type.
    Of(TypeId),
    /// Every one; whether `none` is an answer is seen when it is given.
    All,
    /// Those that give a list.
    Lists,
}

impl Lowerer<'_> {
    fn new_target(&mut self, name: SmolStr) -> TargetId {
        let id = TargetId(u32::try_from(self.program.targets.len()).unwrap_or(u32::MAX));
        self.program.targets.push(name);
        id
    }

    fn approval(&mut self, def: DefId) -> TargetId {
        if let Some(known) = self.people.approvals.get(&def) {
            return *known;
        }
        let name = format_smolstr!("approve {}", self.qualified(def));
        let id = self.new_target(name);
        self.people.approvals.insert(def, id);
        id
    }

    fn asked(&mut self, form: Builtin, answer: TypeId) -> TargetId {
        let answer = self.answer(answer);
        if let Some(known) = self.people.questions.get(&(form, answer)) {
            return *known;
        }
        let name = if form == Builtin::Ask { "ask" } else { "choose" };
        let id = self.new_target(name.into());
        self.people.questions.insert((form, answer), id);
        id
    }

    /// What tells answers apart: their types, whatever bounds them and whether they may be `none`.
    fn answer(&self, mut answer: TypeId) -> TypeId {
        // As long as the chains that the verifier lets pass.
        for _ in 0..64 {
            match self.program.types.get(answer) {
                Type::Refined { base, .. } => answer = *base,
                Type::Optional(inner) => answer = *inner,
                _ => break,
            }
        }
        answer
    }

    /// Hands stubs that fit several questions to each of them; the first one in the text wins.
    pub(super) fn finish_questions(&mut self) {
        let anywhere = std::mem::take(&mut self.people.anywhere);
        if anywhere.is_empty() {
            return;
        }
        let mut questions: Vec<_> =
            self.people.questions.iter().map(|(key, id)| (*key, *id)).collect();
        questions.sort_by_key(|(_, id)| *id);
        for (form, fits, stub) in anywhere {
            for ((asked, answer), target) in &questions {
                let ty = self.program.types.get(*answer);
                let fits = *asked == form
                    && match fits {
                        Fits::Of(_) | Fits::All => true,
                        Fits::Lists => matches!(ty, Type::List(_)),
                    };
                if fits {
                    self.program.stubs.push(IrStub { target: *target, ..stub.clone() });
                }
            }
        }
        self.program.stubs.sort_by_key(|stub| stub.span.map(|span| (span.file, span.start)));
    }

    /// What an approval gives: who said yes, and per parameter what it was changed to.
    fn approval_type(&mut self, def: DefId, params: &[TypeId]) -> TypeId {
        let field = |name: &str, ty| FieldType {
            name: name.into(),
            wire: name.into(),
            docs: SmolStr::default(),
            default: None,
            ty,
        };
        let text = self.plain(Type::Text);
        let names: Vec<SmolStr> = match self.def(def).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => {
                callable.params.iter().map(|param| param.name.clone()).collect()
            }
            _ => Vec::new(),
        };
        let mut fields = vec![field("by", text)];
        for (name, ty) in names.iter().zip(params) {
            let list = self.plain(Type::List(*ty));
            fields.push(field(name, list));
        }
        let name = format_smolstr!("Approved<{}>", self.qualified(def));
        self.plain(Type::Record(RecordType { name, docs: SmolStr::default(), fields }))
    }
}

impl<'a> BodyLowerer<'_, 'a> {
    /// Puts an approval in front of a call, whose arguments then come from it.
    pub(super) fn approve(
        &mut self,
        call: ExprId,
        callee: &Callee,
        prepared: &mut Prepared,
        policies: &'a [Arg],
    ) {
        let span = self.span(call);
        let Callee::Def(def) = callee else { return };
        if !self.low.in_test {
            self.low.not_run(span, "approvals");
            return;
        }
        let What::Node(kind) = &mut prepared.what else {
            // Pure code is approved like anything else, but there is no call whose arguments could be taken.
            self.low.not_run(span, "approvals of functions");
            return;
        };
        let args = match kind {
            NodeKind::Call(call) => &mut call.args,
            NodeKind::Leaf(call) => &mut call.args,
            NodeKind::Stubbed { args, .. } => args,
            _ => return,
        };
        let own = std::mem::take(args);
        for name in ["approve", "within", "show"] {
            if let Some(value) = policy(policies, name) {
                self.value(value);
            }
        }
        let given: Vec<IrId> = own.iter().map(|arg| self.low.copy(*arg)).collect();
        let subst = std::rc::Rc::clone(&self.subst);
        let types = self.types;
        let params: Vec<TypeId> = match types.calls.get(&call) {
            Some(call) => call.params.iter().map(|ty| self.low.ty(*ty, &subst)).collect(),
            None => Vec::new(),
        };
        let target = self.low.approval(*def);
        let ty = self.low.approval_type(*def, &params);
        let kind = NodeKind::Stubbed { target, args: given, model: false };
        let node = self.node(NewNode { kind, name: "approve", ty, grows: false, span: Some(span) });
        self.stubbed_as(node, Gate::All, Vec::new(), Vec::new());
        let editable = self.editable(*def, policies);
        let mut taken = Vec::with_capacity(own.len());
        for (index, arg) in (0u32..).zip(own) {
            let node = self.low.copy(node);
            let edited = self.low.expr(Ir::Field(node, index + 1));
            let may = editable.contains(&(index as usize));
            taken.push(self.edited(edited, arg, may));
        }
        if let What::Node(kind) = &mut prepared.what {
            match kind {
                NodeKind::Call(call) => call.args = taken,
                NodeKind::Leaf(call) => call.args = taken,
                NodeKind::Stubbed { args, .. } => *args = taken,
                _ => {}
            }
        }
        self.after(node);
    }

    /// Indices of the parameters that `edit:` lists.
    fn editable(&self, def: DefId, policies: &[Arg]) -> Vec<usize> {
        let Some(DefKind::Callable(callable)) = self.low.def(def).map(|def| &def.kind) else {
            return Vec::new();
        };
        let listed =
            policies.iter().filter(|arg| named(arg, "edit")).flat_map(|arg| match &arg.value {
                ArgValue::Selectors(list) => list.as_slice(),
                _ => &[],
            });
        listed
            .filter_map(|(name, _)| callable.params.iter().position(|param| param.name == *name))
            .collect()
    }

    /// The value that was edited, if there is one, else the call's own.
    fn edited(&mut self, edited: IrId, own: IrId, may: bool) -> IrId {
        let local = self.local();
        self.next_local = local;
        let value = if may {
            self.low.expr(Ir::Local(local))
        } else {
            let failure = Failure::trap("whoever approved edited what `edit:` does not list");
            let failure = self.low.constant(failure.to_value());
            self.low.expr(Ir::Fail(failure))
        };
        let arms = vec![
            ExprArm {
                pattern: Pattern::List(vec![Pattern::Bind(local)], None),
                guard: None,
                body: value,
            },
            ExprArm { pattern: Pattern::Any, guard: None, body: own },
        ];
        self.low.expr(Ir::Match { scrutinee: edited, arms })
    }

    /// `ask(…)` and `choose(…)`.
    pub(super) fn question(
        &mut self,
        id: ExprId,
        form: Builtin,
        args: &'a [Arg],
        name: Option<&str>,
    ) -> IrId {
        let span = self.span(id);
        if !self.low.in_test {
            return self.low.not_run(span, "questions to people");
        }
        let types = self.types;
        let Some(call) = types.calls.get(&id) else {
            return self.broken(id, "a question that was not resolved");
        };
        let exprs: Vec<ExprId> = args
            .iter()
            .filter_map(|arg| match arg.value {
                ArgValue::Expr(value) => Some(value),
                _ => None,
            })
            .collect();
        let lowered = self.operands(&exprs);
        let of_arg = |index: u32| {
            let before = args.iter().take(index as usize);
            let position = before.filter(|arg| matches!(arg.value, ArgValue::Expr(_))).count();
            lowered.get(position).copied()
        };
        let names: &[&str] = if form == Builtin::Ask { &ASK } else { &CHOOSE };
        let mut given = Vec::with_capacity(ASKED.len());
        for wanted in ASKED {
            let place = names.iter().position(|name| *name == wanted);
            let source = place.and_then(|place| call.args.get(place));
            let value = match source {
                Some(ArgSource::Arg(index)) => of_arg(*index),
                _ => None,
            };
            given.push(match value {
                Some(value) => value,
                // `choose` may leave out what it asks; a stub then sees no text.
                None if wanted == "question" => self.low.constant(Value::text("")),
                None => self.nothing(),
            });
        }
        let subst = std::rc::Rc::clone(&self.subst);
        let ty = self.low.ty(call.result, &subst);
        let target = self.low.asked(form, ty);
        let word = if form == Builtin::Ask { "ask" } else { "choose" };
        let kind = NodeKind::Stubbed { target, args: given, model: false };
        let name = name.unwrap_or(word);
        let node = self.node(NewNode { kind, name, ty, grows: false, span: Some(span) });
        self.stubbed_as(node, Gate::Ask, Vec::new(), Vec::new());
        node
    }

    /// What a stub of an approval or of a question is a stub of; `None` if it fits several.
    pub(super) fn stub_target(&mut self, stub: &'a Stub) -> Option<TargetId> {
        if stub.approve {
            return stub.target.map(|def| self.low.approval(def));
        }
        let form = stub.form?;
        match self.stub_fits(stub) {
            Fits::Of(ty) => Some(self.low.asked(form, ty)),
            _ => None,
        }
    }

    /// Which questions the outcomes of a stub answer.
    fn stub_fits(&mut self, stub: &'a Stub) -> Fits {
        let mut fits = Fits::All;
        for (outcome, _) in &stub.outcomes {
            if matches!(self.hir(*outcome), Expr::Fail(_)) {
                continue;
            }
            let ty = self.ty(*outcome);
            let is_empty = matches!(self.hir(*outcome), Expr::List(items) if items.is_empty());
            let own = match self.low.program.types.get(ty) {
                Type::None => Fits::All,
                _ if is_empty => Fits::Lists,
                _ => Fits::Of(ty),
            };
            if !matches!(fits, Fits::Of(_)) {
                fits = own;
            }
        }
        fits
    }

    /// Keeps a stub of questions until it is known which there are.
    pub(super) fn stub_anywhere(&mut self, of: &'a Stub, stub: IrStub) {
        let fits = self.stub_fits(of);
        if let Some(form) = of.form {
            self.low.people.anywhere.push((form, fits, stub));
        }
    }

    /// `Approved(by: …, amount: …)` as what an approval gives.
    pub(super) fn approved(&mut self, outcome: ExprId) -> Option<IrId> {
        let Expr::Call { args, .. } = self.hir(outcome) else { return None };
        let types = self.types;
        let call: &CallTypes = types.calls.get(&outcome)?;
        let values: Vec<Option<IrId>> = args
            .iter()
            .map(|arg| match arg.value {
                ArgValue::Expr(value) => Some(self.value(value)),
                _ => None,
            })
            .collect();
        let of = |source: &ArgSource| match source {
            ArgSource::Arg(index) => values.get(*index as usize).copied().flatten(),
            _ => None,
        };
        let (by, edited) = call.args.split_first()?;
        let mut fields = vec![of(by)?];
        for source in edited {
            let items = of(source).map(|value| (value, false)).into_iter().collect();
            fields.push(self.low.expr(Ir::List(items)));
        }
        Some(self.low.expr(Ir::Record(fields)))
    }
}
