//! Leaves and models: calls of the world.

use kait_ir::program::{LeafCall, ModelCall};
use kait_ir::{EffectClass, Failure, NodeKind, Value};

use super::Run;
use super::budget::Need;
use super::state::{Fail, NONE, NodeState};
use crate::event::{Args, Command, EffectId, ModelRequest, Outcome, Usage};

impl Run<'_> {
    pub(crate) fn start_leaf(&mut self, at: u32, node: u32, call: &LeafCall) -> Result<(), Fail> {
        let class = self.loaded.program().leaves[call.leaf.index()].class;
        let (effect, site) = (self.effect_id(at, node), self.site(at, node));
        // The command is filled where it will stand: arguments are big, and moving them costs more than all else.
        let (leaf, place) = (call.leaf, self.out.len());
        self.out.push(Command::Leaf { effect, leaf, site, args: Args::new(), key: None });
        if let Err(fail) = self.fill_arguments(at, place, call) {
            self.out.truncate(place);
            return Err(fail);
        }
        if class == EffectClass::Model {
            let granted = self.reserve(at, node, Need::OPEN);
            if !matches!(granted, Ok(Some(_))) {
                self.out.truncate(place);
                return granted.map(|_| ());
            }
        }
        if let Some(target) = call.target
            && let Some(Command::Leaf { args, .. }) = self.out.get(place)
        {
            let args = args.clone();
            self.log_call(at, target, args);
        }
        let scope = self.frame(at).scope;
        if scope != NONE && self.counts_as_work(class) {
            self.enter(scope);
        }
        self.grow_effect(at, node);
        Ok(())
    }

    fn fill_arguments(&mut self, at: u32, place: usize, call: &LeafCall) -> Result<(), Fail> {
        for &arg in &call.args {
            let value = match self.at_hand(at, arg) {
                Some(value) => value.clone(),
                None => self.eval(at, |e| e.eval(arg))?,
            };
            if let Some(Command::Leaf { args, .. }) = self.out.get_mut(place) {
                args.push(value);
            }
        }
        if let Some(expr) = call.key {
            let value = self.eval(at, |e| e.eval(expr))?;
            if let Some(Command::Leaf { key, .. }) = self.out.get_mut(place) {
                *key = Some(value);
            }
        }
        Ok(())
    }

    pub(crate) fn start_model(&mut self, at: u32, node: u32, call: &ModelCall) -> Result<(), Fail> {
        let (options, messages) = self.eval(at, |e| {
            let mut options = Vec::with_capacity(call.options.len());
            for (_, option) in &call.options {
                options.push(e.eval(*option)?);
            }
            let mut messages = Vec::with_capacity(call.messages.len());
            for message in &call.messages {
                messages.push(e.eval(message.content)?);
            }
            Ok((options, messages))
        })?;
        let max_tokens = call.options.iter().zip(&options).find_map(|((name, _), value)| {
            if name == "max_tokens" { value.as_int() } else { None }
        });
        let repair = self.repair_override(at).unwrap_or(call.repair);
        let role = self.model_override(at).unwrap_or_else(|| call.role.clone());
        let need = self.need(at, call, &role, &messages, max_tokens, repair);
        let Some(granted) = self.reserve(at, node, need)? else { return Ok(()) };
        self.enter(self.frame(at).scope);
        let effect = self.effect_id(at, node);
        let request = Box::new(ModelRequest {
            site: self.site(at, node),
            role,
            options,
            messages,
            output: call.output,
            repair: granted.repair,
            tokens_left: granted.tokens_left,
        });
        self.out.push(Command::Model { effect, request });
        self.grow_effect(at, node);
        Ok(())
    }

    /// An effect has ended.
    pub(crate) fn effect_done(
        &mut self,
        effect: EffectId,
        outcome: Outcome,
        usage: Option<Box<Usage>>,
    ) {
        let (at, node) = (effect.frame, effect.node);
        let running = self.s.frames.get(at as usize).is_some_and(|f| {
            f.alive
                && f.generation == effect.generation
                && f.cells.get(node as usize).is_some_and(|c| c.state == NodeState::Running)
        });
        if !running {
            self.drained(effect);
            return;
        }
        let scope = self.frame(at).scope;
        let mut over = None;
        let works = match &self.node(at, node).kind {
            NodeKind::Leaf(call) => {
                let class = self.loaded.program().leaves[call.leaf.index()].class;
                if class == EffectClass::Model {
                    over = self.settle(scope, effect, usage.as_deref());
                }
                self.counts_as_work(class)
            }
            NodeKind::Model(_) => {
                over = self.settle(scope, effect, usage.as_deref());
                true
            }
            // The driver may not ask: nobody is waited for.
            NodeKind::Approve(_) | NodeKind::Ask(_) => {
                self.forget_promise(effect);
                false
            }
            _ => return, // not an effect: somebody made this event up
        };
        if works && scope != NONE {
            self.leave(scope);
        }
        // A call that comes back over the budget fails there, whatever it brought.
        if let Some(fail) = over {
            return self.node_failed(at, node, fail);
        }
        match outcome {
            Outcome::Ok(value) => self.node_ok(at, node, value),
            Outcome::Failed(failure) => self.node_failed(at, node, failure.into()),
        }
    }

    /// The failure for a value that does not fit the type of the node that gives it.
    pub(crate) fn checked(&self, at: u32, node: u32, value: Value) -> Result<Value, Fail> {
        let ty = self.node(at, node).ty;
        match self.loaded.table().check(ty, &value) {
            Ok(()) => Ok(value),
            Err(failure) => Err(Fail::from(Box::<Failure>::new(failure))),
        }
    }
}
