//! `for` with nodes in its body: one frame an item, order kept.
//!
//! Bodies overlap as far as the limit goes, and failing is as if they ran one after the other: items after the first
//! failure are dropped, items before it run to their end. A sequential map runs one body at a time. Where `parallel`
//! says that bodies which write are independent, none starts after a failure and those that have started end. A map
//! may start on complete items of a list that still grows; the finished list must then begin with those items.

use std::sync::Arc;

use kait_ir::program::Map;
use kait_ir::{Failure, NodeKind, Pattern, Value};

use super::Run;
use super::control::{Control, MapControl};
use super::state::{Fail, NONE, NodeState, Role, Waiter};
use crate::event::SinkId;
use crate::limits::MAX_ITEMS;

fn too_many() -> Fail {
    Failure::Budget { kind: "items".into() }.into()
}

impl<'a> Run<'a> {
    pub(crate) fn start_map(&mut self, at: u32, node: u32, map: &'a Map) -> Result<(), Fail> {
        let source = self.eval(at, |e| e.eval(map.source));
        let early = self.frame(at).cells[node as usize].link != NONE;
        let source = match source {
            Ok(Value::List(items)) => items,
            Ok(_) => {
                return Err(self.drop_map(at, node, Failure::trap("a `for` over no list").into()));
            }
            Err(fail) if self.put_off.is_some() => return Err(fail),
            Err(fail) => return Err(self.drop_map(at, node, fail)),
        };
        if early {
            self.stop_listening(at, node);
            let agrees = match self.control(at, node) {
                Control::Map(m) => source.get(..m.source.len()) == Some(&m.source[..]),
                _ => false,
            };
            if !agrees {
                self.restart_map(at, node);
            }
        } else {
            self.new_control(at, node, Control::Map(Box::default()));
        }
        if let Err(fail) = self.set_up(at, node, map, Some(source.len())) {
            return Err(self.drop_map(at, node, fail));
        }
        if let Control::Map(m) = self.control(at, node) {
            m.source = source;
            m.complete = true;
        }
        self.take_items(at, node, map);
        Ok(())
    }

    /// Evaluates limits, once.
    fn set_up(
        &mut self,
        at: u32,
        node: u32,
        map: &'a Map,
        length: Option<usize>,
    ) -> Result<(), Fail> {
        let default = self.s.parallel;
        let (max, parallel) = self.eval_now(at, |e| {
            let max = map.max.map(|max| e.int(max)).transpose()?;
            Ok((max, map.parallel.map(|p| e.int(p)).transpose()?))
        })?;
        let max = max.map_or(MAX_ITEMS, |m| usize::try_from(m.max(0)).unwrap_or(usize::MAX));
        if length.is_some_and(|n| n > max.min(MAX_ITEMS)) {
            return Err(too_many());
        }
        let holds_gate = self.node(at, node).holds_gate;
        let stride = self.loaded.program().regions[map.body.index()].params as usize;
        let Control::Map(m) = self.control(at, node) else { return Ok(()) };
        m.limit = match parallel {
            _ if map.sequential => 1,
            Some(n) => u32::try_from(n.max(1)).unwrap_or(u32::MAX),
            None => default,
        };
        m.independent = holds_gate && !map.sequential;
        m.simple = map.filter.is_none()
            && match map.pattern {
                Pattern::Bind(0) => stride == 1,
                Pattern::Any => stride == 0,
                _ => false,
            };
        m.stride = stride;
        Ok(())
    }

    /// Looks at items that are new, and starts what may start.
    fn take_items(&mut self, at: u32, node: u32, map: &'a Map) {
        let Control::Map(m) = self.control(at, node) else { return };
        if m.simple {
            m.seen = m.source.len();
            m.kept = m.seen as u32;
        } else {
            let source = Arc::clone(&m.source);
            let (seen, stride) = (m.seen, m.stride);
            let passed = self.eval_now(at, |e| {
                let mut params = Vec::new();
                let mut kept = 0u32;
                for item in &source[seen..] {
                    if e.matches(&map.pattern, item)
                        && match map.filter {
                            Some(filter) => e.truth(filter)?,
                            None => true,
                        }
                    {
                        params.extend(e.take_locals(stride as u32));
                        kept += 1;
                    }
                }
                Ok((params, kept))
            });
            let Control::Map(m) = self.control(at, node) else { return };
            m.seen = source.len();
            match passed {
                Ok((params, kept)) => {
                    m.params.extend(params);
                    m.kept += kept;
                }
                Err(fail) => {
                    // As if it stood at the head of the first item that was not looked at.
                    m.fail_at = m.fail_at.min(m.kept);
                    m.failure.get_or_insert(fail);
                }
            }
        }
        let Control::Map(m) = self.control(at, node) else { return };
        let kept = m.kept as usize;
        m.results.resize(kept, Value::None);
        m.children.resize(kept, NONE);
        m.done.resize(kept, false);
        self.pump(at, node, map);
    }

    /// Starts items as far as the limit goes, and ends the map if it is over.
    fn pump(&mut self, at: u32, node: u32, map: &'a Map) {
        let scope = self.frame(at).scope;
        loop {
            let Control::Map(m) = self.control(at, node) else { return };
            if m.fail_at != NONE || m.next >= m.kept || m.running >= m.limit {
                break;
            }
            let index = m.next;
            m.next += 1;
            m.running += 1;
            let frame = if m.simple {
                let item = (m.stride == 1).then(|| m.source[index as usize].clone());
                self.spawn(at, node, map.body, Role::Item, index, scope, item)
            } else {
                let from = index as usize * m.stride;
                let params: smallvec::SmallVec<[Value; 4]> =
                    m.params[from..from + m.stride].iter_mut().map(std::mem::take).collect();
                self.spawn(at, node, map.body, Role::Item, index, scope, params)
            };
            match frame {
                Ok(frame) => {
                    if let Control::Map(m) = self.control(at, node) {
                        m.children[index as usize] = frame;
                    }
                    self.grow_into_child(at, node, frame);
                }
                Err(fail) => return self.item_failed(at, node, map, index, fail),
            }
        }
        let Control::Map(m) = self.control(at, node) else { return };
        if !m.complete {
            return;
        }
        if m.fail_at == NONE {
            if m.ok_prefix == m.kept {
                let results = std::mem::take(&mut m.results);
                self.free_control(at, node);
                self.node_ok(at, node, Value::list(results));
            }
        } else {
            let over = if m.independent { m.running == 0 } else { m.ok_prefix == m.fail_at };
            if over {
                let fail = m.failure.take();
                self.free_control(at, node);
                let fail = fail.unwrap_or_else(|| Failure::trap("no reason").into());
                self.node_failed(at, node, fail);
            }
        }
    }

    pub(crate) fn item_ended(
        &mut self,
        at: u32,
        node: u32,
        index: u32,
        result: Result<Value, Fail>,
    ) {
        let NodeKind::Map(map) = &self.node(at, node).kind else { return };
        match result {
            Ok(value) => {
                let Control::Map(m) = self.control(at, node) else { return };
                m.running -= 1;
                m.children[index as usize] = NONE;
                m.results[index as usize] = value;
                m.done[index as usize] = true;
                while m.done.get(m.ok_prefix as usize) == Some(&true) {
                    m.ok_prefix += 1;
                }
                self.pump(at, node, map);
            }
            Err(fail) => self.item_failed(at, node, map, index, fail),
        }
    }

    fn item_failed(&mut self, at: u32, node: u32, map: &'a Map, index: u32, fail: Fail) {
        let Control::Map(m) = self.control(at, node) else { return };
        m.running -= 1;
        m.children[index as usize] = NONE;
        if index < m.fail_at {
            m.fail_at = index;
            m.failure = Some(fail);
        }
        if !m.independent {
            let below: Vec<u32> = m.children[index as usize + 1..]
                .iter_mut()
                .filter(|c| **c != NONE)
                .map(|c| std::mem::replace(c, NONE))
                .collect();
            m.running -= below.len() as u32;
            let torn = self.kill(&below, false);
            self.leave_undos(at, torn.undos);
        }
        self.pump(at, node, map);
    }

    // ---- lists that grow

    /// An item of a growing list is complete.
    pub(crate) fn cut(&mut self, sink: SinkId, generation: u32, index: u32, value: Value) {
        let Some(waiter) = self.listener(sink) else { return };
        let (at, node) = (waiter.frame, waiter.node);
        let NodeKind::Map(map) = &self.node(at, node).kind else { return };
        if self.frame(at).cells[node as usize].link == NONE {
            let control = MapControl { sink: Some(sink), ..MapControl::default() };
            self.new_control(at, node, Control::Map(Box::new(control)));
        }
        let Control::Map(m) = self.control(at, node) else { return };
        if m.generation != generation
            || m.source.len() != index as usize
            || m.source.len() >= MAX_ITEMS
        {
            return;
        }
        Arc::make_mut(&mut m.source).push(value);
        let (open, length) = (m.open, m.source.len());
        if !open {
            if !self.may_open(at, node, map) {
                return;
            }
            if let Control::Map(m) = self.control(at, node) {
                m.open = true;
            }
        }
        // A longer list fails when it is complete: until then the failure might be the source's own.
        if self.set_up(at, node, map, Some(length)).is_ok() {
            self.take_items(at, node, map);
        }
    }

    /// Whether everything but the growing list itself is there.
    fn may_open(&self, at: u32, node: u32, map: &Map) -> bool {
        let frame = self.frame(at);
        let ok = |above: &u32| frame.cells[*above as usize].state == NodeState::Ok;
        let program = self.loaded.program();
        let params = (frame.slots.len() - frame.cells.len()) as u32;
        let mut source = Vec::new();
        crate::load::slots_of(program, map.source, &mut |up, slot| source.push((up, slot)));
        let mut others = true;
        for expr in [map.filter, map.max, map.parallel].into_iter().flatten() {
            crate::load::slots_of(program, expr, &mut |up, slot| {
                others &= self.slot_is_there(self.outwards(at, up), slot);
            });
        }
        let decl = self.node(at, node);
        others
            && decl.order.iter().all(ok)
            && decl.data.iter().all(|above| ok(above) || source.contains(&(0, params + above)))
            && decl.outer.iter().all(|(up, slot)| {
                source.contains(&(*up, *slot)) || self.slot_is_there(self.outwards(at, *up), *slot)
            })
    }

    /// What has flowed was void: items that were started are dropped.
    pub(crate) fn superseded(&mut self, sink: SinkId, generation: u32) {
        let Some(waiter) = self.listener(sink) else { return };
        if self.frame(waiter.frame).cells[waiter.node as usize].link == NONE {
            let control = MapControl { sink: Some(sink), ..MapControl::default() };
            self.new_control(waiter.frame, waiter.node, Control::Map(Box::new(control)));
        }
        self.restart_map(waiter.frame, waiter.node);
        if let Control::Map(m) = self.control(waiter.frame, waiter.node) {
            m.sink = Some(sink);
            m.generation = generation;
        }
    }

    /// The map that listens to a sink, if it still does.
    fn listener(&self, sink: SinkId) -> Option<Waiter> {
        let (_, waiter) = self.s.cuts.iter().find(|(s, _)| *s == sink)?;
        let waiting = self.is_current(*waiter)
            && self.frame(waiter.frame).cells[waiter.node as usize].state == NodeState::Waiting;
        waiting.then_some(*waiter)
    }

    fn stop_listening(&mut self, at: u32, node: u32) {
        let waiter = self.waiter(at, node);
        self.s.cuts.retain(|(_, w)| *w != waiter);
    }

    /// Drops all items of a map, as if it had not begun.
    fn restart_map(&mut self, at: u32, node: u32) {
        let Control::Map(m) = self.control(at, node) else { return };
        let frames: Vec<u32> = m.children.iter().copied().filter(|c| *c != NONE).collect();
        **m = MapControl { generation: m.generation, ..MapControl::default() };
        let torn = self.kill(&frames, false);
        self.leave_undos_to_graph(at, torn.undos);
        self.reset_flows(at, node);
    }

    /// Drops a map that fails before its items count.
    fn drop_map(&mut self, at: u32, node: u32, fail: Fail) -> Fail {
        if self.frame(at).cells[node as usize].link != NONE {
            self.stop_listening(at, node);
            self.restart_map(at, node);
            self.free_control(at, node);
        }
        fail
    }
}
