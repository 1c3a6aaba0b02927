//! Nodes as text: one line each, blocks indented below.

use super::Dump;
use crate::expr::ExprId;
use crate::program::{Approved, Arm, MessageRole, Node, NodeKind, RegionId};

impl<'p> Dump<'p> {
    pub(super) fn node(&mut self, node: &'p Node) {
        let what = self.kind(node);
        let facts = self.facts(node);
        let open = if Self::is_block(&node.kind) { " {" } else { "" };
        let ty = self.program.type_text(node.ty);
        self.line(&format!("{}: {ty} = {what}{open}{facts}", node.path));
        if open.is_empty() {
            return;
        }
        self.indent += 1;
        self.blocks(&node.kind);
        self.indent -= 1;
        self.line("}");
    }

    fn all(&self, exprs: &[ExprId]) -> String {
        exprs.iter().map(|expr| self.expr(*expr)).collect::<Vec<_>>().join(", ")
    }

    fn optional(&self, word: &str, expr: Option<ExprId>) -> String {
        expr.map_or(String::new(), |expr| format!(" {word} {}", self.expr(expr)))
    }

    fn kind(&self, node: &Node) -> String {
        match &node.kind {
            NodeKind::Pure(expr) => self.expr(*expr),
            NodeKind::Call(call) => {
                let graph = self.program.graphs.get(call.graph.index());
                let name = graph.map_or("?", |graph| graph.name.as_str());
                let model = call.model.as_ref().map_or(String::new(), |m| format!(" model {m}"));
                let repair = call.repair.map_or(String::new(), |n| format!(" repair {n}"));
                let target = call.target.map_or("", |_| "counted ");
                format!("{target}call {name}({}){model}{repair}", self.all(&call.args))
            }
            NodeKind::Leaf(call) => {
                let leaf = self.program.leaves.get(call.leaf.index());
                let name = leaf.map_or("?", |leaf| leaf.name.as_str());
                let key = self.optional("key", call.key);
                let target = call.target.map_or("", |_| "counted ");
                format!("{target}leaf {name}({}){key}", self.all(&call.args))
            }
            NodeKind::Model(call) => {
                let mut text =
                    format!("model {} -> {}", call.role, self.program.type_text(call.output));
                if call.repair > 0 {
                    text += &format!(" repair {}", call.repair);
                }
                for (name, value) in &call.options {
                    text += &format!(" {name} {}", self.expr(*value));
                }
                for message in &call.messages {
                    let role = match message.role {
                        MessageRole::System => "system",
                        MessageRole::User => "user",
                        MessageRole::Assistant => "assistant",
                        MessageRole::Messages => "messages",
                    };
                    text += &format!(" {role} {}", self.expr(message.content));
                }
                text
            }
            NodeKind::Switch { scrutinee, .. } => format!("switch {}", self.expr(*scrutinee)),
            NodeKind::Map(map) => {
                let mut text =
                    format!("map {} in {}", self.pattern(&map.pattern), self.expr(map.source));
                text += &self.optional("if", map.filter);
                text += &self.optional("max", map.max);
                text += &self.optional("parallel", map.parallel);
                text += if map.sequential { " sequential" } else { "" };
                text += if map.early { " early" } else { "" };
                text
            }
            NodeKind::Loop(repeat) => {
                format!("loop ({}) max {}", self.all(&repeat.init), self.expr(repeat.max))
            }
            NodeKind::Race { need, list, .. } => {
                format!("race {need}{}", if *list { " as list" } else { "" })
            }
            NodeKind::Catch { .. } => "catch".into(),
            NodeKind::Try(_) => "try".into(),
            NodeKind::Undo(undo) => format!("undo with ({})", self.all(&undo.args)),
            NodeKind::Policy(policy) => {
                let mut text = String::from("policy");
                text += &self.optional("deadline", policy.deadline);
                text += &self.optional("cache", policy.cache);
                if let Some((name, args)) = &policy.cache_key {
                    text += &format!(" by {name}({})", self.all(args));
                }
                text += &self.optional("retry", policy.retry);
                text += &self.optional("timeout", policy.timeout);
                if let Some(rate) = &policy.rate {
                    text += &format!(" rate {}", rate.name);
                    text += &self.optional("calls", rate.calls);
                    text += &self.optional("per", rate.per);
                    text += &self.optional("parallel", rate.parallel);
                }
                text
            }
            NodeKind::Approve(approve) => {
                let mut text = format!("approve {}(", self.approved(approve.what));
                for (index, arg) in (0u32..).zip(&approve.args) {
                    text += if index > 0 { ", " } else { "" };
                    text += if approve.untrusted.contains(&index) { "untrusted " } else { "" };
                    text += if approve.edit.contains(&index) { "edit " } else { "" };
                    text += &self.expr(*arg);
                }
                text += &format!(") by {}", self.expr(approve.role));
                text += &self.optional("key", approve.key);
                text += &self.optional("within", Some(approve.within));
                text + &self.optional("show", approve.show.map(|(value, _)| value))
            }
            NodeKind::Ask(ask) => {
                let mut text = String::from("ask");
                text += &ask.question.map_or(String::new(), |q| format!(" {}", self.expr(q)));
                if let Some(choose) = &ask.choose {
                    text += &self.optional("of", Some(choose.items));
                    text += &choose.label.map_or(String::new(), |at| format!(" label .{at}"));
                    text += &self.optional("max", choose.max);
                }
                text += &self.optional("to", ask.to);
                text += &self.optional("show", ask.show.map(|(value, _)| value));
                text += &self.optional("start", ask.start);
                text + &self.optional("within", Some(ask.within))
            }
            NodeKind::Stubbed { target, args, .. } => {
                format!("stubbed {}({})", self.target(*target), self.all(args))
            }
            NodeKind::Expect { condition, shows, source } => {
                let shows = shows.iter().map(|(name, value, _)| {
                    format!(" show {:?} {}", name.as_str(), self.expr(*value))
                });
                let condition = self.expr(*condition);
                format!("expect {:?} {condition}{}", source.as_str(), shows.collect::<String>())
            }
        }
    }

    fn approved(&self, what: Approved) -> &str {
        let program = self.program;
        let name = match what {
            Approved::Leaf(id) => program.leaves.get(id.index()).map(|leaf| &leaf.name),
            Approved::Graph(id) => program.graphs.get(id.index()).map(|graph| &graph.name),
            Approved::Stub(id) => program.targets.get(id.index()),
        };
        name.map_or("?", |name| name.as_str())
    }

    fn blocks(&mut self, kind: &'p NodeKind) {
        match kind {
            NodeKind::Switch { arms, .. } => self.arms(arms),
            NodeKind::Catch { body, arms } => {
                self.block("body", *body);
                self.arms(arms);
            }
            NodeKind::Loop(repeat) => {
                self.block("round", repeat.body);
                self.block("else", repeat.otherwise);
            }
            NodeKind::Policy(policy) => {
                self.region(policy.body, &[]);
                if let Some(fallback) = policy.fallback {
                    self.block("fallback", fallback);
                }
            }
            NodeKind::Race { arms, .. } => arms.iter().for_each(|arm| self.block("arm", *arm)),
            other => other.for_each_region(|region| self.region(region, &[])),
        }
    }

    fn arms(&mut self, arms: &[Arm]) {
        for arm in arms {
            let guard = self.optional("if", arm.guard);
            let pattern = self.pattern(&arm.pattern);
            self.block(&format!("{pattern}{guard}"), arm.body);
        }
    }

    fn block(&mut self, head: &str, region: RegionId) {
        self.line(&format!("{head}:"));
        self.indent += 1;
        self.region(region, &[]);
        self.indent -= 1;
    }
}
