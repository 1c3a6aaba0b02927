//! `catch` and `try`: a body, and what becomes of its failure.

use kait_ir::{Failure, NodeKind, RegionId, Value};

use super::Run;
use super::state::{Fail, NONE, Role};
use crate::eval::covers_failure;

impl Run<'_> {
    pub(crate) fn start_body(&mut self, at: u32, node: u32, body: RegionId) -> Result<(), Fail> {
        let scope = self.frame(at).scope;
        let child = self.spawn(at, node, body, Role::Body, 1, scope, [])?;
        self.adopt(at, node, child);
        Ok(())
    }

    /// The body of a catch, a try or a policy has ended.
    pub(crate) fn body_ended(&mut self, at: u32, node: u32, result: Result<Value, Fail>) {
        match &self.node(at, node).kind {
            NodeKind::Policy(policy) => self.attempt_ended(at, node, policy, result),
            NodeKind::Try(_) => {
                let result = match result {
                    Ok(value) => Ok(Value::Variant(0, [value].into())),
                    Err(fail) if fail.bound.is_some() || is_unknown(&fail) => Err(fail),
                    Err(fail) => {
                        self.reset_flows(at, node);
                        Ok(Value::Variant(1, [fail.failure.to_value()].into()))
                    }
                };
                self.node_ended(at, node, result);
            }
            NodeKind::Catch { arms, .. } => {
                let fail = match result {
                    Ok(value) => return self.node_ok(at, node, value),
                    Err(fail) => fail,
                };
                if fail.bound.is_some() {
                    return self.node_failed(at, node, fail);
                }
                self.frame_mut(at).cells[node as usize].link = NONE;
                let value = fail.failure.to_value();
                let chosen = self.eval_now(at, |e| {
                    e.choose_arm(arms, &value, |arm| covers_failure(&arm.pattern, &fail.failure))
                });
                let started = match chosen {
                    Ok(Some((index, params))) => {
                        self.reset_flows(at, node);
                        self.start_arm(at, node, arms, index, Role::Handler, params)
                    }
                    Ok(None) => Err(fail),
                    Err(other) => Err(other),
                };
                if let Err(fail) = started {
                    self.node_failed(at, node, fail);
                }
            }
            _ => {}
        }
    }
}

fn is_unknown(fail: &Fail) -> bool {
    matches!(*fail.failure, Failure::Unknown { .. })
}
