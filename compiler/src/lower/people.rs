//! Approvals and questions.
//!
//! An approval is a node of its own in front of the call: its value says who approved it and with what the call is made,
//! which takes all of its arguments from there. In a test stubs answer both.

use kait_ir::expr::Expr as Ir;
use kait_ir::program::{Approve, Approved, Ask, Choose, NodeKind, Stub as IrStub};
use kait_ir::types::{FieldType, RecordType, Type, TypeId};
use kait_ir::{ExprId as IrId, TargetId};
use smol_str::{SmolStr, format_smolstr};

use super::Lowerer;
use super::body::BodyLowerer;
use super::calls::{Prepared, What};
use super::growth::named;
use super::policies::policy;
use super::regions::NewNode;
use crate::check::people::{ASK, CHOOSE};
use crate::check::{ArgSource, CallTypes};
use crate::hir::{Arg, ArgValue, Builtin, Callee, DefId, DefKind, Expr, ExprId, Stub};

#[cfg(test)]
mod tests;

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

    /// What an approval gives: who said yes, what the call is made with, and its key if it has one.
    fn approval_type(&mut self, def: DefId, params: &[TypeId], key: Option<TypeId>) -> TypeId {
        let field = |name: &str, ty| FieldType {
            name: name.into(),
            wire: name.into(),
            docs: SmolStr::default(),
            default: None,
            ty,
            trust: None,
        };
        let text = self.plain(Type::Text);
        let names: Vec<SmolStr> = match self.def(def).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => {
                callable.params.iter().map(|param| param.name.clone()).collect()
            }
            _ => Vec::new(),
        };
        let mut fields = vec![field("by", text)];
        fields.extend(names.iter().zip(params).map(|(name, ty)| field(name, *ty)));
        fields.extend(key.map(|ty| field("key", ty)));
        let name = format_smolstr!("Approved<{}>", self.qualified(def));
        self.plain(Type::Record(RecordType { name, docs: SmolStr::default(), fields }))
    }
}

impl<'a> BodyLowerer<'_, 'a> {
    /// Puts an approval in front of a call, which then takes all that it is made with from there. Gives the approval: the
    /// call is to start after it.
    pub(super) fn approve(
        &mut self,
        call: ExprId,
        callee: &Callee,
        prepared: &mut Prepared,
        policies: &'a [Arg],
    ) -> Option<IrId> {
        let span = self.span(call);
        let Callee::Def(def) = callee else { return None };
        let What::Node(kind) = &mut prepared.what else {
            // Pure code is approved like anything else, but there is no call whose arguments could be taken.
            self.low.not_run(span, "approvals of functions");
            return None;
        };
        let (what, own, key) = match kind {
            NodeKind::Call(call) => {
                (Approved::Graph(call.graph), std::mem::take(&mut call.args), None)
            }
            NodeKind::Leaf(call) => {
                (Approved::Leaf(call.leaf), std::mem::take(&mut call.args), call.key.take())
            }
            NodeKind::Stubbed { target, args, .. } => {
                (Approved::Stub(*target), std::mem::take(args), None)
            }
            _ => return None,
        };
        let count = own.len();
        let role = policy(policies, "approve")?;
        let Some(within) = policy(policies, "within") else {
            self.broken(call, "an approval without end");
            return None;
        };
        let role = self.value(role);
        let within = self.value(within);
        let show = policy(policies, "show").map(|show| {
            let ty = self.ty(show);
            (self.value(show), ty)
        });
        let params = self.approved_types(call, what);
        let key_type = key.map(|_| self.low.plain(Type::Text));
        let ty = self.low.approval_type(*def, &params, key_type);
        let target = self.low.in_test.then(|| self.low.approval(*def));
        let vouched = self.low.vouched().arguments(self.owner, call);
        let count_of = u32::try_from(count).unwrap_or(u32::MAX);
        let approve = Approve {
            what,
            untrusted: (0..count_of).filter(|index| !vouched.contains(index)).collect(),
            args: own,
            key,
            edit: self.editable(*def, policies),
            role,
            within,
            show,
            target,
        };
        let kind = NodeKind::Approve(Box::new(approve));
        let name = "approve";
        let node = self.node(NewNode { kind, name, ty, grows: false, span: Some(span) });
        let mut taken = |field: usize| {
            let node = self.low.copy(node);
            self.low.expr(Ir::Field(node, u32::try_from(field).unwrap_or(u32::MAX)))
        };
        let given: Vec<IrId> = (1..=count).map(&mut taken).collect();
        let key = key.map(|_| taken(count + 1));
        if let What::Node(kind) = &mut prepared.what {
            match kind {
                NodeKind::Call(call) => call.args = given,
                NodeKind::Leaf(call) => (call.args, call.key) = (given, key),
                NodeKind::Stubbed { args, .. } => *args = given,
                _ => {}
            }
        }
        Some(node)
    }

    /// The types of the parameters of a call that is approved: what a person edits is checked against them.
    fn approved_types(&mut self, call: ExprId, what: Approved) -> Vec<TypeId> {
        let program = &self.low.program;
        let declared = match what {
            Approved::Leaf(id) => program.leaves.get(id.index()).map(|leaf| &leaf.params),
            Approved::Graph(id) => program.graphs.get(id.index()).map(|graph| &graph.params),
            Approved::Stub(_) => None,
        };
        if let Some(params) = declared {
            return params.iter().map(|param| param.ty).collect();
        }
        let (subst, types) = (std::rc::Rc::clone(&self.subst), self.types);
        let params = types.calls.get(&call).map_or(&[][..], |call| &call.params);
        params.iter().map(|ty| self.low.ty(*ty, &subst)).collect()
    }

    /// Indices of the parameters that `edit:` lists.
    fn editable(&self, def: DefId, policies: &[Arg]) -> Vec<u32> {
        let Some(DefKind::Callable(callable)) = self.low.def(def).map(|def| &def.kind) else {
            return Vec::new();
        };
        let listed =
            policies.iter().filter(|arg| named(arg, "edit")).flat_map(|arg| match &arg.value {
                ArgValue::Selectors(list) => list.as_slice(),
                _ => &[],
            });
        let index = |name: &SmolStr| callable.params.iter().position(|param| param.name == *name);
        let mut found: Vec<u32> = listed
            .filter_map(|(name, _)| index(name).and_then(|index| u32::try_from(index).ok()))
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// `ask(…)` and `choose(…)`, with the policies behind it.
    pub(super) fn question(
        &mut self,
        id: ExprId,
        form: Builtin,
        args: &'a [Arg],
        policies: &'a [Arg],
        name: Option<&str>,
    ) -> IrId {
        let span = self.span(id);
        let types = self.types;
        let Some(call) = types.calls.get(&id) else {
            return self.broken(id, "a question that was not resolved");
        };
        let Some(within) = policy(policies, "within") else {
            return self.broken(id, "a question without end");
        };
        let exprs: Vec<ExprId> = args
            .iter()
            .filter_map(|arg| match arg.value {
                ArgValue::Expr(value) => Some(value),
                _ => None,
            })
            .collect();
        let lowered = self.operands(&exprs);
        let names: &[&str] = if form == Builtin::Ask { &ASK } else { &CHOOSE };
        // The argument of a place, and its place among the arguments that are values.
        let given = |wanted: &str| {
            let place = names.iter().position(|name| *name == wanted)?;
            let Some(ArgSource::Arg(index)) = call.args.get(place) else { return None };
            let before = args.iter().take(*index as usize);
            let position = before.filter(|arg| matches!(arg.value, ArgValue::Expr(_))).count();
            Some((*lowered.get(position)?, *exprs.get(position)?))
        };
        let value = |wanted: &str| given(wanted).map(|(value, _)| value);
        let (question, to, start) = (value("question"), value("to"), value("start"));
        let show = given("show").map(|(value, of)| (value, self.ty(of)));
        let choose = match form {
            Builtin::Ask => None,
            _ => match value("items") {
                Some(items) => {
                    let label = call.selectors.first().map(|(_, field)| *field);
                    Some(Choose { items, label, max: value("max") })
                }
                None => return self.broken(id, "a selection from nothing"),
            },
        };
        let within = self.value(within);
        let subst = std::rc::Rc::clone(&self.subst);
        let ty = self.low.ty(call.result, &subst);
        let target = self.low.in_test.then(|| self.low.asked(form, ty));
        let word = if form == Builtin::Ask { "ask" } else { "choose" };
        let ask = Ask { question, to, show, start, choose, within, target };
        let kind = NodeKind::Ask(Box::new(ask));
        self.node(NewNode { kind, name: name.unwrap_or(word), ty, grows: false, span: Some(span) })
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

    /// `Approved(by: …, amount: …)` as what a stub of an approval gives: who approved it, and per parameter what was
    /// edited, as a list of at most one value.
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
