//! What happens outside becomes events for the engine here: ends of calls, growth, timers, answers.

use futures_util::{FutureExt as _, StreamExt as _};
use kait_connect::{Ended, Growth};
use kait_engine::event::{EffectId, Event, Outcome, Source};
use kait_ir::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::{GrowingInput, Happened, Run};

impl Run {
    pub(super) fn listen(&self, param: u32, mut pieces: UnboundedReceiver<GrowingInput>) {
        self.calls.push(Box::pin(async move {
            let piece = pieces.recv().await;
            Some(Happened::Input(param, piece, pieces))
        }));
    }

    pub(super) fn happened(&mut self, happened: Happened) {
        match happened {
            Happened::Ended(effect, ended) => {
                self.in_flight.remove(&effect);
                self.done(effect, ended);
            }
            Happened::Computed(effect, result) => {
                self.in_flight.remove(&effect);
                self.computing.remove(&effect);
                self.queue.push_back(Event::Computed { effect, result });
            }
            Happened::Granted(effect, permit) => {
                self.in_flight.remove(&effect);
                self.permits.insert(effect, permit);
                self.queue.push_back(Event::Granted(effect));
            }
            Happened::GrantedAgain(effect, permit) => {
                self.permits.insert(effect, permit);
            }
            Happened::Durable(effects, result) => self.durable(effects, result),
            Happened::Resolved(resolving, result) => self.resolved(*resolving, result),
            Happened::Input(param, piece, pieces) => {
                let source = Source::Input(param);
                let outcome = match piece {
                    Some(GrowingInput::Text(text)) => {
                        if let Some(so_far) = self.inputs.get_mut(&param) {
                            so_far.push_str(&text);
                        }
                        self.plane.grow(source, Growth::text(text), &mut self.result);
                        self.hear_plane();
                        self.listen(param, pieces);
                        return;
                    }
                    Some(GrowingInput::Failed(failure)) => Outcome::Failed(failure),
                    None => {
                        let text = self.inputs.remove(&param).unwrap_or_default();
                        let value = Value::text(text);
                        self.plane.finished(source, &value, &mut self.result);
                        Outcome::Ok(value)
                    }
                };
                self.hear_plane();
                self.queue.push_back(Event::InputDone { param, outcome });
            }
        }
    }

    pub(super) fn done(&mut self, effect: EffectId, ended: Ended) {
        self.writing.remove(&effect);
        let source = Source::Effect(effect);
        match &ended.outcome {
            Outcome::Ok(value) => self.plane.finished(source, value, &mut self.result),
            Outcome::Failed(_) => self.plane.forget(source),
        }
        // Cuts stand before the end of their source in the record.
        self.hear_plane();
        if let Some(usage) = &ended.usage {
            self.usage.add(usage);
        }
        let usage = ended.usage.map(Box::new);
        self.queue.push_back(Event::Done { effect, outcome: ended.outcome, usage });
    }

    pub(super) fn grow(&mut self, effect: EffectId, growth: Growth) {
        if self.in_flight.contains_key(&effect) {
            self.plane.grow(Source::Effect(effect), growth, &mut self.result);
            self.hear_plane();
        }
    }

    /// What has happened by now, without waiting.
    pub(super) fn take_due(&mut self) {
        self.fire_timers();
        self.take_growth();
        while let Some(Some(happened)) = self.calls.next().now_or_never() {
            self.take_growth();
            if let Some(happened) = happened {
                self.happened(happened);
            }
        }
    }

    /// Growth that is there already: it stands before the end of its call.
    pub(super) fn take_growth(&mut self) {
        while let Ok((effect, growth)) = self.growth.try_recv() {
            self.grow(effect, growth);
        }
    }

    pub(super) fn fire_timers(&mut self) {
        let now = self.clock.now();
        while let Some((due, timer)) = self.timers.first().copied()
            && due <= now
        {
            self.timers.pop_first();
            self.due.remove(&timer);
            self.queue.push_back(Event::Timer(timer));
        }
        while let Some((due, effect)) = self.sleeps.first().copied()
            && due <= now
        {
            self.sleeps.pop_first();
            self.done(effect, Outcome::Ok(Value::None).into());
        }
    }
}
