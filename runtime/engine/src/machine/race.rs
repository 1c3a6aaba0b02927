//! `race`: the first successes win, the others are cancelled.

use kait_ir::{Failure, NodeKind, RegionId, Value};

use super::Run;
use super::control::{Control, RaceControl};
use super::state::{Fail, NONE, Role};
use super::undo::{Then, Undos};

impl Run<'_> {
    pub(crate) fn start_race(
        &mut self,
        at: u32,
        node: u32,
        need: u32,
        arms: &[RegionId],
    ) -> Result<(), Fail> {
        if need == 0 || arms.len() < need as usize {
            return Err(Failure::trap("a race that nobody can win").into());
        }
        let control =
            RaceControl { frames: vec![NONE; arms.len()], wins: Vec::new(), need, last: None };
        self.new_control(at, node, Control::Race(Box::new(control)));
        let scope = self.frame(at).scope;
        for (index, arm) in (0u32..).zip(arms) {
            match self.spawn(at, node, *arm, Role::Racer, index, scope, []) {
                Ok(frame) => {
                    if let Control::Race(race) = self.control(at, node) {
                        race.frames[index as usize] = frame;
                    }
                }
                Err(fail) => {
                    let undos = self.end_race(at, node);
                    self.leave_undos(at, undos);
                    return Err(fail);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn racer_ended(
        &mut self,
        at: u32,
        node: u32,
        index: u32,
        result: Result<Value, Fail>,
    ) {
        let Control::Race(race) = self.control(at, node) else { return };
        if let Some(frame) = race.frames.get_mut(index as usize) {
            *frame = NONE;
        }
        match result {
            Ok(value) => race.wins.push(value),
            // The budget of a graph around the race cannot be outrun: it is the failure that is reported.
            Err(fail) if race.last.as_ref().is_none_or(|l| l.bound.is_none()) => {
                race.last = Some(fail);
            }
            Err(_) => {}
        }
        let wins = race.wins.len();
        let left = race.frames.iter().filter(|f| **f != NONE).count();
        if wins >= race.need as usize {
            let mut wins = std::mem::take(&mut race.wins);
            let undos = self.end_race(at, node);
            let list = matches!(self.node(at, node).kind, NodeKind::Race { list: true, .. });
            let value = if list { Value::list(wins) } else { wins.pop().unwrap_or_default() };
            self.undo_first(undos, Then::End(self.waiter(at, node), Ok(value)));
        } else if wins + left < race.need as usize {
            let fail = race.last.take();
            let undos = self.end_race(at, node);
            let fail = fail.unwrap_or_else(|| Failure::trap("a race without a winner").into());
            self.undo_first(undos, Then::End(self.waiter(at, node), Err(fail)));
        }
    }

    /// Drops the arms that still run.
    fn end_race(&mut self, at: u32, node: u32) -> Undos {
        let frames: Vec<u32> = match self.control(at, node) {
            Control::Race(race) => race.frames.iter().copied().filter(|f| *f != NONE).collect(),
            _ => Vec::new(),
        };
        let torn = self.kill(&frames, false);
        self.free_control(at, node);
        torn.undos
    }
}
