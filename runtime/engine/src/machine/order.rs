//! When a node may start (language reference, effects and order).
//!
//! - Rule 1: data edges, and slots of enclosing regions.
//! - Rule 2: a gated leaf waits until everything above it has succeeded, at every level up to the run.
//! - Rule 3: guards are edges already.
//! - Rule 4: a leaf that reads waits for gated nodes above that write what overlaps, at every level.
//!
//! A node that must wait registers with exactly one thing, and is looked at again when that has happened; nothing
//! scans all nodes.

use std::cmp::Reverse;

use kait_ir::{Gate, Node, NodeKind};
use smallvec::SmallVec;

use super::Run;
use super::budget::{RESUMES, WAITS};
use super::state::{Extra, Frame, NodeState, PART, Role, Waiter};
use crate::load::RegionTable;

impl<'a> Run<'a> {
    /// Starts the node if nothing holds it back; else it waits.
    pub(crate) fn try_start(&mut self, waiter: Waiter) {
        let (at, index) = (waiter.frame, waiter.node);
        let Some(frame) = self.s.frames.get_mut(at as usize) else { return };
        if !frame.alive || frame.generation != waiter.generation {
            return;
        }
        let cell = &mut frame.cells[index as usize];
        let resumes = cell.state == NodeState::Running && cell.link == WAITS;
        if resumes {
            cell.link = RESUMES;
        } else if cell.state != NodeState::Waiting || cell.unmet > 0 {
            return;
        }
        let node = &self.loaded.program().regions[frame.region as usize].nodes[index as usize];
        if resumes {
            return self.go(at, index, node);
        }
        // Of a root, arguments may still grow: then it has extras.
        let inputs = frame.role == Role::Root && frame.extra.is_some();
        if (!cell.plain || inputs) && !self.nothing_holds_back(waiter, node) {
            return;
        }
        self.start(at, index, node);
    }

    fn nothing_holds_back(&mut self, waiter: Waiter, node: &Node) -> bool {
        if !node.outer.is_empty() && !self.outer_is_there(waiter, &node.outer) {
            return false;
        }
        if self.frame(waiter.frame).role == Role::Root && !self.inputs_are_there(waiter, node) {
            return false;
        }
        let gate = if matches!(node.kind, NodeKind::Expect { .. }) { Gate::All } else { node.gate };
        if gate != Gate::Free && !self.gate_is_open(waiter, gate == Gate::Ask) {
            return false;
        }
        node.reads.is_empty() || self.writes_are_done(waiter, node)
    }

    /// The frame of the region that is `up` regions outwards.
    pub(crate) fn outwards(&self, mut frame: u32, up: u32) -> u32 {
        for _ in 0..up {
            match self.s.frames.get(frame as usize) {
                Some(f) => frame = f.parent,
                None => break,
            }
        }
        frame
    }

    /// Whether a slot is filled.
    pub(crate) fn slot_is_there(&self, frame: u32, slot: u32) -> bool {
        let Some(f) = self.s.frames.get(frame as usize) else { return true };
        let params = f.slots.len() - f.cells.len();
        match (slot as usize).checked_sub(params) {
            Some(node) => f.cells.get(node).is_none_or(|c| c.state == NodeState::Ok),
            None => f.extra.as_ref().is_none_or(|e| !e.growing.contains(&slot)),
        }
    }

    /// Wakes somebody when a slot is filled.
    pub(crate) fn wait_for_slot(&mut self, frame: u32, slot: u32, waiter: Waiter) {
        let f = self.frame_mut(frame);
        let params = f.slots.len() - f.cells.len();
        if let Some(cell) = (slot as usize).checked_sub(params).and_then(|n| f.cells.get_mut(n)) {
            cell.waited = true;
        }
        f.extra().waiters.push((slot, waiter));
    }

    /// A slot is filled: who waited for it is looked at again. Parts of growing results are sent at once: the frame
    /// that they belong to may be over, and used for something else, when the others have their turn.
    pub(crate) fn wake_slot(&mut self, frame: u32, slot: u32) {
        let ready = &mut self.s.ready;
        let mut parts: SmallVec<[u32; 4]> = SmallVec::new();
        if let Some(extra) = &mut self.s.frames[frame as usize].extra {
            extra.waiters.retain(|(wanted, waiter)| {
                if *wanted == slot {
                    match waiter.node {
                        PART => parts.push(waiter.generation),
                        _ => ready.push_back(*waiter),
                    }
                }
                *wanted != slot
            });
        }
        for part in parts {
            self.part_ready(part);
        }
    }

    pub(crate) fn outer_is_there(&mut self, waiter: Waiter, outer: &[(u32, u32)]) -> bool {
        for (up, slot) in outer {
            let at = self.outwards(waiter.frame, *up);
            if !self.slot_is_there(at, *slot) {
                self.wait_for_slot(at, *slot, waiter);
                return false;
            }
        }
        true
    }

    /// Whether the arguments of the run that the node reads are finished.
    fn inputs_are_there(&mut self, waiter: Waiter, node: &Node) -> bool {
        let growing = match &self.frame(waiter.frame).extra {
            Some(extra) if !extra.growing.is_empty() => extra.growing.clone(),
            _ => return true,
        };
        let mut missing = None;
        node.kind.for_each_expr(|expr| {
            crate::load::slots_of(self.loaded.program(), expr, &mut |up, slot| {
                if up == 0 && growing.contains(&slot) {
                    missing = Some(slot);
                }
            });
        });
        match missing {
            Some(slot) => {
                self.wait_for_slot(waiter.frame, slot, waiter);
                false
            }
            None => true,
        }
    }

    /// Rule 2.
    fn gate_is_open(&mut self, waiter: Waiter, ask: bool) -> bool {
        let own = self.frame_mut(waiter.frame);
        if own.reach(ask) < waiter.node {
            own.cells[waiter.node as usize].state = NodeState::Gated;
            return false;
        }
        let mut at = waiter.frame;
        while !self.frame(at).cleared {
            let (parent, node) = (self.frame(at).parent, self.frame(at).node);
            let above = self.frame_mut(parent);
            if above.reach(ask) < node {
                let extra: &mut Extra = above.extra();
                let gates = if ask { &mut extra.ask_gates } else { &mut extra.gates };
                gates.push(Reverse((node, waiter)));
                return false;
            }
            at = parent;
        }
        if !ask {
            // It stays so: the next gated leaf need not climb again.
            let top = at;
            let mut at = waiter.frame;
            while at != top {
                let frame = self.frame_mut(at);
                frame.cleared = true;
                at = frame.parent;
            }
        }
        true
    }

    /// Rule 4.
    fn writes_are_done(&mut self, waiter: Waiter, node: &Node) -> bool {
        let (mut at, mut index) = (waiter.frame, waiter.node);
        loop {
            let frame = self.frame(at);
            let region = &self.loaded.regions[frame.region as usize];
            let above = region.writers.partition_point(|w| *w < index);
            let nodes = &self.loaded.program().regions[frame.region as usize].nodes;
            let open = region.writers[..above]
                .iter()
                .rev()
                .copied()
                .take_while(|w| *w >= frame.prefix)
                .find(|w| {
                    frame.cells[*w as usize].state != NodeState::Ok
                        && self.loaded.overlap(&node.reads, &nodes[*w as usize].writes)
                });
            if let Some(writer) = open {
                let slot = (frame.slots.len() - frame.cells.len()) as u32 + writer;
                self.wait_for_slot(at, slot, waiter);
                return false;
            }
            if frame.quiet {
                return true;
            }
            (at, index) = (frame.parent, frame.node);
        }
    }

    /// A node at the front has succeeded: what waited for that is looked at again.
    pub(crate) fn advance(&mut self, at: u32) {
        let frame = &mut self.s.frames[at as usize];
        let table = &self.loaded.regions[frame.region as usize];
        let count = frame.cells.len() as u32;
        while frame.prefix < count && frame.cells[frame.prefix as usize].state == NodeState::Ok {
            frame.prefix += 1;
        }
        let generation = frame.generation;
        if !table.has_asks && frame.extra.is_none() {
            // Nobody outside waits, and nobody asks: only the node at the front can have waited for this.
            let node = frame.prefix;
            if let Some(cell) = frame.cells.get_mut(node as usize)
                && cell.state == NodeState::Gated
            {
                cell.state = NodeState::Waiting;
                self.s.ready.push_back(Waiter { frame: at, generation, node });
            }
            return;
        }
        let mut woken: SmallVec<[(u32, Waiter); 4]> = SmallVec::new();
        let mut wake = |frame: &mut Frame, node: u32| {
            if let Some(cell) = frame.cells.get_mut(node as usize)
                && cell.state == NodeState::Gated
            {
                cell.state = NodeState::Waiting;
                woken.push((node, Waiter { frame: at, generation, node }));
            }
        };
        let prefix = frame.prefix;
        wake(frame, prefix);
        if table.has_asks || frame.extra.as_ref().is_some_and(|e| !e.ask_gates.is_empty()) {
            let before = frame.ask_prefix;
            frame.step_over_asks(table);
            for node in before..=frame.ask_prefix {
                if table.is_ask(node) {
                    wake(frame, node);
                }
            }
        }
        let ask_prefix = frame.ask_prefix.max(frame.prefix);
        if let Some(extra) = &mut frame.extra {
            for (gates, reach) in [(&mut extra.gates, prefix), (&mut extra.ask_gates, ask_prefix)] {
                while gates.peek().is_some_and(|Reverse((node, _))| *node <= reach) {
                    woken.extend(gates.pop().map(|Reverse(gate)| gate));
                }
            }
        }
        if woken.len() > 1 {
            woken.sort_by_key(|(node, _)| *node);
        }
        self.s.ready.extend(woken.into_iter().map(|(_, waiter)| waiter));
    }
}

impl Frame {
    /// How many leading nodes a gate need not wait for.
    fn reach(&self, ask: bool) -> u32 {
        if ask { self.ask_prefix.max(self.prefix) } else { self.prefix }
    }

    /// Moves `ask_prefix` over what has succeeded and over questions.
    pub(crate) fn step_over_asks(&mut self, table: &RegionTable) {
        self.ask_prefix = self.ask_prefix.max(self.prefix);
        while let Some(cell) = self.cells.get(self.ask_prefix as usize)
            && (cell.state == NodeState::Ok || table.is_ask(self.ask_prefix))
        {
            self.ask_prefix += 1;
        }
    }
}
