//! What the engine commands is begun here: calls, questions, evaluations, what is shown on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::{BoxFuture, abortable};
use kait_connect::{Access, Emission, Grower, LeafJob, ModelJob, Started, emission};
use kait_engine::event::{
    Args, Command, Computed, EffectId, Event, ModelRequest, Nanos, Outcome, Site, Source,
};
use kait_engine::json;
use kait_engine::segment::{SegmentKind, SegmentOp, SegmentRole};
use kait_ir::{EffectClass, Failure, LeafDecl, LeafId, NodeKind, Value};
use serde_json::json;
use smol_str::SmolStr;

use super::{Happened, Run, Wanted};
use crate::report::fail_record;

/// A call of a leaf that is to be made.
pub(super) struct Call {
    pub(super) effect: EffectId,
    pub(super) leaf: LeafId,
    pub(super) site: Site,
    pub(super) args: Args,
    pub(super) key: Option<Value>,
}

/// Whether it is the leaf that only lets time pass.
pub(super) fn is_sleep(leaf: &LeafDecl) -> bool {
    leaf.kind == "native" && leaf.name == "clock.sleep"
}

impl Run {
    pub(super) fn command(&mut self, command: Command, now: Nanos) {
        let Some(command) = self.hold_back(command) else { return };
        match command {
            Command::Leaf { effect, leaf, site, args, key } => {
                let Some(decl) = self.plan.program().leaves.get(leaf.index()) else { return };
                let call = Call { effect, leaf, site, args, key };
                if is_sleep(decl) {
                    return self.sleep(&call, now);
                }
                match (decl.class, &mut self.recorder) {
                    (EffectClass::Emit, _) => self.emit(effect, leaf, &call.args),
                    // The journal is ahead of the world.
                    (EffectClass::Write { .. }, Some(_)) => self.intend(now, call),
                    _ => self.call(call),
                }
            }
            Command::Model { effect, request } => self.model(effect, &request),
            Command::Promise { effect, site, promise } => self.promise(effect, site, promise),
            Command::Compute { effect, job } => {
                let (loaded, wanted) =
                    (Arc::clone(&self.plan.loaded), Arc::new(AtomicBool::new(true)));
                self.computing.insert(effect, Wanted(Arc::clone(&wanted)));
                let task = tokio::task::spawn_blocking(move || {
                    job.run(&loaded, &|| !wanted.load(Ordering::Relaxed))
                });
                let computed = Box::pin(async move {
                    let result = task.await.unwrap_or_else(|_| Computed {
                        outcome: Outcome::Failed(Failure::trap("an evaluation was lost")),
                        blamed: None,
                    });
                    Some(Happened::Computed(effect, result))
                });
                self.poll(effect, computed);
            }
            Command::Resume => self.resumes = true,
            Command::Abandon(effect) => {
                self.computing.remove(&effect);
                self.held.remove(&effect);
                self.sleeps.retain(|(_, asleep)| *asleep != effect);
                if let Some(handle) = self.in_flight.remove(&effect) {
                    handle.abort();
                }
                self.plane.forget(Source::Effect(effect));
                self.withdraw(effect, now);
            }
            Command::Timer { timer, due } => {
                self.timers.insert((due, timer));
                self.due.insert(timer, due);
            }
            Command::CancelTimer(timer) => {
                if let Some(due) = self.due.remove(&timer) {
                    self.timers.remove(&(due, timer));
                }
            }
            Command::Lookup { effect, key } => {
                let value = self.shared.lookup(&key, now);
                self.queue.push_back(Event::Cached { effect, value });
            }
            Command::Store { key, value, ttl } => self.shared.store(*key, value, now, ttl),
            Command::Acquire { effect, rate } => {
                let permit = Arc::clone(&self.shared).acquire(*rate);
                let granted =
                    Box::pin(async move { Some(Happened::Granted(effect, permit.await)) });
                self.poll(effect, granted);
            }
            Command::Release(effect) => {
                self.permits.remove(&effect);
                if let Some(handle) = self.in_flight.remove(&effect) {
                    handle.abort();
                }
            }
            Command::Sink { sink, spec } => self.plane.sink(sink, spec),
            Command::Bind { source, sink } => self.plane.bind(source, sink, &mut self.result),
            Command::Put { sink, value } => self.plane.put(sink, value, &mut self.result),
            Command::Reset(sink) => self.plane.reset(sink, &mut self.result),
            Command::NodeStarted { effect, .. } => {
                let node = self.path(effect);
                let segment = self.writer.open(node.clone(), SegmentKind::Node, None, None);
                self.nodes.insert(effect, (segment, node));
            }
            Command::NodeEnded { effect, site, outcome } => self.node_ended(effect, site, outcome),
            Command::UndoFailed(failed) => {
                let (node, role) = (failed.undo.clone(), Some(SegmentRole::Progress));
                let segment = self.writer.open(node.clone(), SegmentKind::Undo, role, None);
                self.writer.write(node, segment, fail_record(&failed.failure, Some(&failed.at)));
                self.not_undone.push(*failed);
            }
            // Only tests have expectations and stubs, and those run in the simulator.
            Command::ExpectFailed(_) | Command::Unstubbed { .. } => {}
            Command::Finish(outcome) => self.ended = Some(outcome),
        }
    }

    /// A sleep needs no process: it is over when its time has come, however often the run was taken up meanwhile.
    pub(super) fn sleep(&mut self, call: &Call, now: Nanos) {
        if let Err(why) = self.host.allow(Access::Clock) {
            return self.done(call.effect, Outcome::Failed(Failure::Refused { why }).into());
        }
        let nanos = match call.args.first() {
            Some(Value::Duration(nanos)) => (*nanos).max(0),
            _ => 0,
        };
        self.sleeps.insert((now.saturating_add(nanos), call.effect));
    }

    /// Begins a call of a leaf.
    pub(super) fn call(&mut self, call: Call) {
        let Call { effect, leaf, site, args, key } = call;
        let Some(decl) = self.plan.program().leaves.get(leaf.index()) else { return };
        if let EffectClass::Write { .. } = decl.class {
            self.writing.insert(effect);
        }
        let started = self.host.leaf(&LeafJob {
            decl,
            table: &self.table,
            args: &args,
            key,
            path: self.path_of(decl.class, effect),
            grower: self.grower_of(effect, site),
        });
        self.begin(effect, started);
    }

    fn node_ended(&mut self, effect: EffectId, site: Site, outcome: Option<Outcome>) {
        let Some((segment, path)) = self.nodes.remove(&effect) else { return };
        let program = self.plan.program();
        let region = program.regions.get(site.region.index());
        let ty = region.and_then(|r| r.nodes.get(site.node as usize)).map(|node| node.ty);
        let op = match outcome {
            Some(Outcome::Ok(value)) => {
                let table = &self.table;
                let value = ty.map(|ty| json::encode(table, ty, &value)).unwrap_or_default();
                SegmentOp::Close { value }
            }
            Some(Outcome::Failed(failure)) => fail_record(&failure, None),
            None => fail_record(&Failure::Cancelled, None),
        };
        self.writer.write(path, segment, op);
    }

    fn model(&mut self, effect: EffectId, request: &ModelRequest) {
        let program = self.plan.program();
        let region = program.regions.get(request.site.region.index());
        let node = region.and_then(|r| r.nodes.get(request.site.node as usize));
        let Some(NodeKind::Model(call)) = node.map(|node| &node.kind) else { return };
        let job = ModelJob {
            program,
            table: &self.table,
            call,
            role: &request.role,
            options: &request.options,
            messages: &request.messages,
            output: request.output,
            repair: request.repair,
            tokens_left: request.tokens_left,
            grower: self.grower_of(effect, request.site),
        };
        let started = self.host.model(&job);
        self.begin(effect, started);
    }

    /// Paths are rendered only for calls that derive a key from them.
    fn path_of(&self, class: EffectClass, effect: EffectId) -> SmolStr {
        match class {
            EffectClass::Write { .. } => self.path(effect),
            _ => SmolStr::default(),
        }
    }

    /// Growth is only taken apart where somebody may watch.
    fn grower_of(&self, effect: EffectId, site: Site) -> Grower {
        let region = self.plan.program().regions.get(site.region.index());
        let node = region.and_then(|r| r.nodes.get(site.node as usize));
        let grows = node.is_some_and(|node| node.grows);
        Grower::new(effect, grows.then(|| self.grower.clone()))
    }

    fn begin(&mut self, effect: EffectId, started: Started) {
        match started {
            Started::Now(outcome) => self.done(effect, outcome.into()),
            Started::Later(future) => {
                let ended = Box::pin(async move { Some(Happened::Ended(effect, future.await)) });
                self.poll(effect, ended);
            }
        }
    }

    pub(super) fn poll(&mut self, effect: EffectId, future: BoxFuture<'static, Option<Happened>>) {
        let (future, handle) = abortable(future);
        self.in_flight.insert(effect, handle);
        self.calls.push(Box::pin(async move { future.await.ok().flatten() }));
    }

    /// What the program shows on the way: segments of their own.
    fn emit(&mut self, effect: EffectId, leaf: LeafId, args: &[Value]) {
        let outcome = self.show(effect, leaf, args);
        self.done(effect, outcome.into());
    }

    /// Shows it, and says what the call comes to.
    pub(super) fn show(&mut self, effect: EffectId, leaf: LeafId, args: &[Value]) -> Outcome {
        let node = self.path(effect);
        let plan = Arc::clone(&self.plan);
        let Some(decl) = plan.program().leaves.get(leaf.index()) else {
            return Outcome::Failed(Failure::trap("a leaf that does not exist"));
        };
        if let Err(why) = self.host.allow(Access::Emit) {
            return Outcome::Failed(Failure::Refused { why });
        }
        let (kind, value) = match emission(decl, args) {
            Some(Ok(Emission::Status(text))) => (SegmentKind::Status, json!(text.as_str())),
            Some(Ok(Emission::Progress { done, of })) => {
                (SegmentKind::Status, json!({ "done": done, "of": of }))
            }
            Some(Ok(Emission::Card { ty, value })) => {
                (SegmentKind::Card, json::encode(&self.table, ty, &value))
            }
            Some(Err(failure)) => return Outcome::Failed(failure),
            None => return Outcome::Failed(Failure::Unbound { name: decl.name.clone() }),
        };
        let role = Some(SegmentRole::Progress);
        let segment = self.writer.open(node.clone(), kind, role, None);
        self.writer.write(node, segment, SegmentOp::Close { value });
        Outcome::Ok(Value::None)
    }
}
