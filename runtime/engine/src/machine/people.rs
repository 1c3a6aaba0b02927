//! Approvals and questions: promises that people keep, or stubs of a test.
//!
//! Arguments are frozen when the promise is made: whoever answers later answers to what was shown. While only people are
//! waited for, clocks stand still; the promise's own deadline is in the time of the world.

use kait_ir::program::{Approve, Approved, Ask};
use kait_ir::{Failure, NodeKind, Type, Value};
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::Run;
use super::state::{Fail, Pending, TimerUse, Waiter};
use crate::eval::{Eval, Evaluator};
use crate::event::{Args, Command, EffectId};
use crate::promise::{Answer, Asks, Promise, Shown};

impl<'a> Run<'a> {
    /// Asks a person to approve a call.
    pub(crate) fn start_approve(
        &mut self,
        at: u32,
        node: u32,
        approve: &'a Approve,
    ) -> Result<(), Fail> {
        let values: Args = self.eval(at, |e| {
            approve.args.iter().chain(&approve.key).map(|arg| e.eval(*arg)).collect()
        })?;
        if let Some(target) = approve.target {
            let mut args = values;
            args.truncate(approve.args.len());
            return self.answer_from_stubs(at, node, target, args, false);
        }
        let (to, within, show) = self.eval(at, |e| {
            let to = text(e.eval(approve.role)?);
            Ok((to, e.duration(approve.within)?, shown(e, approve.show)?))
        })?;
        let asks = self.approval(at, node, approve, values);
        self.promise(at, node, Promise { to, due: 0, show, asks }, within);
        Ok(())
    }

    /// The call that is to be approved, with its arguments as they are shown.
    fn approval(
        &self,
        at: u32,
        node: u32,
        approve: &Approve,
        values: impl IntoIterator<Item = Value>,
    ) -> Asks {
        let program = self.loaded.program();
        let call = match approve.what {
            Approved::Leaf(id) => program.leaves.get(id.index()).map(|leaf| &leaf.name),
            Approved::Graph(id) => program.graphs.get(id.index()).map(|graph| &graph.name),
            Approved::Stub(id) => program.targets.get(id.index()),
        };
        let fields = match program.types.get(self.node(at, node).ty) {
            Type::Record(record) => record.fields.get(1..).unwrap_or_default(),
            _ => &[],
        };
        let args = (0u32..).zip(fields).zip(values).map(|((index, field), value)| Shown {
            name: field.name.clone(),
            ty: field.ty,
            value,
            editable: approve.edit.contains(&index),
            untrusted: approve.untrusted.contains(&index),
        });
        Asks::Approval { call: call.cloned().unwrap_or_default(), args: args.collect() }
    }

    /// Asks a person a question.
    pub(crate) fn start_ask(&mut self, at: u32, node: u32, ask: &'a Ask) -> Result<(), Fail> {
        let (question, to) = self.eval(at, |e| {
            let question = ask.question.map(|question| e.eval(question)).transpose()?;
            Ok((question, ask.to.map(|to| e.eval(to)).transpose()?))
        })?;
        if let Some(target) = ask.target {
            // A selection may leave out what it asks; a stub then sees no text.
            let question = question.unwrap_or_else(|| Value::text(""));
            let args = SmallVec::from_buf([question, to.unwrap_or_default()]);
            return self.answer_from_stubs(at, node, target, args, false);
        }
        let (within, show) =
            self.eval(at, |e| Ok((e.duration(ask.within)?, shown(e, ask.show)?)))?;
        let ty = self.node(at, node).ty;
        let asks = match &ask.choose {
            None => {
                let start = match ask.start {
                    Some(start) => Some(self.eval(at, |e| e.eval(start))?),
                    None => None,
                };
                let question = question.and_then(text).unwrap_or_default();
                Asks::Question { question, ty, start }
            }
            Some(choose) => {
                let (items, max) = self.eval(at, |e| {
                    let items = e.eval(choose.items)?;
                    Ok((items, choose.max.map(|max| e.int(max)).transpose()?))
                })?;
                let item = match self.loaded.table().types().base(ty) {
                    Type::List(item) => *item,
                    _ => ty,
                };
                Asks::Selection {
                    question: question.and_then(text),
                    item,
                    items: items.as_list().unwrap_or_default().to_vec(),
                    label: choose.label,
                    max,
                }
            }
        };
        let to = to.and_then(text);
        self.promise(at, node, Promise { to, due: 0, show, asks }, within);
        Ok(())
    }

    /// Makes a promise: from here on only its answer or its deadline ends the node.
    fn promise(&mut self, at: u32, node: u32, mut promise: Promise, within: i64) {
        promise.due = self.s.now.saturating_add(within.max(0));
        let waiter = self.waiter(at, node);
        let timer = self.set_timer(promise.due, TimerUse::Promise(waiter));
        self.s.promises.insert(waiter, Pending { timer, asks: promise.asks.clone() });
        let (effect, site) = (self.effect_id(at, node), self.site(at, node));
        self.out.push(Command::Promise { effect, site, promise: Box::new(promise) });
    }

    /// Somebody has answered. What comes too late, or a second time, changes nothing.
    pub(crate) fn answered(&mut self, effect: EffectId, answer: &Answer) {
        let waiter =
            Waiter { frame: effect.frame, generation: effect.generation, node: effect.node };
        let Some(Pending { timer, asks }) = self.s.promises.remove(&waiter) else { return };
        self.cancel_timer(timer);
        if !self.is_running(waiter) {
            return;
        }
        let result = asks.settle(self.loaded.table(), answer);
        // Of a selection the list itself has a type, too.
        let result = result.map_err(Fail::from);
        let result = result.and_then(|value| self.checked(waiter.frame, waiter.node, value));
        self.node_ended(waiter.frame, waiter.node, result);
    }

    /// Nobody has answered in time.
    pub(crate) fn promise_is_over(&mut self, waiter: Waiter) {
        if self.s.promises.remove(&waiter).is_some() && self.is_running(waiter) {
            self.out.push(Command::Abandon(self.effect_id(waiter.frame, waiter.node)));
            self.node_failed(waiter.frame, waiter.node, Failure::Unanswered.into());
        }
    }

    /// A promise that was refused before anybody was asked.
    pub(crate) fn forget_promise(&mut self, effect: EffectId) {
        let waiter =
            Waiter { frame: effect.frame, generation: effect.generation, node: effect.node };
        if let Some(Pending { timer, .. }) = self.s.promises.remove(&waiter) {
            self.cancel_timer(timer);
        }
    }

    /// Nobody wants the answer any more.
    pub(crate) fn drop_promise(&mut self, waiter: Waiter) {
        if let Some(Pending { timer, .. }) = self.s.promises.remove(&waiter) {
            self.cancel_timer(timer);
            self.out.push(Command::Abandon(self.effect_id(waiter.frame, waiter.node)));
        }
    }

    /// What a stub of an approval says, as what the approval gives: who approved it, and per argument a list of at most one
    /// value that it was changed to.
    pub(crate) fn stub_approved(
        &mut self,
        at: u32,
        node: u32,
        approve: &'a Approve,
        args: &[Value],
        said: &Value,
    ) -> Result<Value, Fail> {
        let Some((by, edited)) = said.fields().split_first() else {
            return Err(Failure::trap("a stub of an approval that decides nothing").into());
        };
        let edits = (0u32..)
            .zip(edited)
            .filter_map(|(index, edited)| Some((index, edited.as_list()?.first()?.clone())));
        let by = text(by.clone()).unwrap_or_default();
        let answer = Answer::Approved { by, edits: edits.collect() };
        let key = match approve.key {
            Some(key) => Some(self.eval_now(at, |e| e.eval(key))?),
            None => None,
        };
        let asks = self.approval(at, node, approve, args.iter().cloned().chain(key));
        asks.settle(self.loaded.table(), &answer).map_err(Fail::from)
    }

    /// How long a person may take, if the node asks one.
    pub(crate) fn patience(&mut self, at: u32, node: u32) -> Result<Option<i64>, Fail> {
        let within = match &self.node(at, node).kind {
            NodeKind::Approve(approve) => approve.within,
            NodeKind::Ask(ask) => ask.within,
            _ => return Ok(None),
        };
        self.eval_now(at, |e| e.duration(within)).map(|within| Some(within.max(0)))
    }
}

fn text(value: Value) -> Option<SmolStr> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn shown(
    e: &mut Evaluator<'_>,
    show: Option<(kait_ir::ExprId, kait_ir::TypeId)>,
) -> Eval<Option<(kait_ir::TypeId, Value)>> {
    match show {
        Some((value, ty)) => Ok(Some((ty, e.eval(value)?))),
        None => Ok(None),
    }
}
