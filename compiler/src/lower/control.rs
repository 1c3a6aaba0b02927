//! Choices, maps, loops, races, handlers: as expressions where everything inside is pure, else as nodes with regions.

use kait_ir::expr::{Expr as Ir, ExprArm, Pattern};
use kait_ir::program::{Arm as IrArm, Loop, Map, NodeKind, RegionId};
use kait_ir::types::TypeId;
use kait_ir::{ExprId as IrId, Value};

use super::body::{BodyLowerer, Place, form};
use super::growth::Growth;
use super::patterns::yes;
use super::regions::NewNode;
use crate::check::ty::Ty;
use crate::hir::{Arg, ArgValue, Arm, Expr, ExprId, LocalId, PatId, TypeRef};

impl<'a> BodyLowerer<'_, 'a> {
    /// A control form, in whichever way it can be.
    pub(super) fn control(&mut self, id: ExprId, name: Option<&str>) -> IrId {
        if self.needs(id) && self.in_region() {
            self.control_node(id, name)
        } else {
            self.pure_control(id)
        }
    }

    // ---- as expressions ----

    /// Lowers a part that may not be evaluated, or more than once: no nodes can stand in it.
    fn apart<T>(&mut self, lower: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.next_local;
        self.pure += 1;
        let lowered = lower(self);
        self.pure -= 1;
        self.next_local = mark;
        lowered
    }

    fn pure_control(&mut self, id: ExprId) -> IrId {
        match self.hir(id) {
            Expr::If { condition, then, otherwise } => {
                let condition = self.value(*condition);
                let then = self.apart(|this| this.value(*then));
                let otherwise = match otherwise {
                    Some(otherwise) => self.apart(|this| this.value(*otherwise)),
                    None => self.nothing(),
                };
                self.low.expr(Ir::If(condition, then, otherwise))
            }
            Expr::Match { scrutinee, arms } => {
                let scrutinee = self.value(*scrutinee);
                let arms = self.pure_arms(arms);
                self.low.expr(Ir::Match { scrutinee, arms })
            }
            Expr::For { pat, source, filter, max, body, .. } => {
                let source = self.value(*source);
                let max = max.map(|max| self.value(max));
                let (pattern, filter, body) = self.apart(|this| {
                    let pattern = this.pattern(*pat);
                    (pattern, filter.map(|filter| this.value(filter)), this.value(*body))
                });
                self.low.expr(Ir::For { source, pattern, filter, body, max })
            }
            Expr::Loop { vars, max, body, otherwise } => {
                let first: Vec<ExprId> = vars.iter().map(|(_, _, first)| *first).collect();
                let first = self.operands(&first);
                let max = self.value(*max);
                let ty = self.ty(id);
                let (state, body, otherwise) = self.apart(|this| {
                    let locals: Vec<u32> = vars.iter().map(|_| this.local()).collect();
                    for ((name, ..), local) in vars.iter().zip(&locals) {
                        this.set_place(*name, Place::Local(*local, Default::default()));
                    }
                    this.loops.push((vars.iter().map(|(name, ..)| *name).collect(), ty));
                    let body = this.value(*body);
                    this.loops.pop();
                    let otherwise = this.value(*otherwise);
                    (locals.into_iter().zip(first).collect(), body, otherwise)
                });
                self.low.expr(Ir::Loop { state, max, body, otherwise })
            }
            Expr::Catch { body, arms } => {
                let body = self.apart(|this| this.value(*body));
                let arms = self.pure_arms(arms);
                self.low.expr(Ir::Catch { body, arms })
            }
            Expr::Try(body) => {
                let body = self.apart(|this| this.value(*body));
                self.low.expr(Ir::Try(body))
            }
            _ => self.broken(id, "a form that cannot be evaluated here"),
        }
    }

    fn pure_arms(&mut self, arms: &'a [Arm]) -> Vec<ExprArm> {
        arms.iter()
            .map(|arm| {
                self.apart(|this| {
                    let pattern = this.pattern(arm.pat);
                    let guard = arm.guard.map(|guard| this.value(guard));
                    ExprArm { pattern, guard, body: this.value(arm.body) }
                })
            })
            .collect()
    }

    /// `next(…)`: the whole state; what it leaves out keeps its value.
    pub(super) fn next(&mut self, id: ExprId, args: &'a [Arg]) -> IrId {
        let state = self.loops.last().map(|(state, _)| state.clone());
        let (Some(state), Some(sources)) = (state, self.types.nexts.get(&id)) else {
            return self.broken(id, "a `next` without loop");
        };
        let given: Vec<ExprId> = args
            .iter()
            .filter_map(|arg| match &arg.value {
                ArgValue::Expr(value) => Some(*value),
                _ => None,
            })
            .collect();
        let values = self.operands(&given);
        let mut fields = Vec::with_capacity(state.len());
        for (index, name) in state.iter().enumerate() {
            let source = sources.get(index).copied().flatten();
            let value = source.and_then(|source| values.get(source as usize).copied());
            fields.push(match value {
                Some(value) => value,
                None => match self.places.get(name.index()).cloned().flatten() {
                    Some(place) => self.read(&place),
                    None => self.broken(id, "a loop's state without value"),
                },
            });
        }
        self.low.expr(Ir::Variant(1, fields))
    }

    // ---- as nodes ----

    fn control_node(&mut self, id: ExprId, name: Option<&str>) -> IrId {
        let kind = match self.hir(id) {
            Expr::If { condition, then, otherwise } => {
                let scrutinee = self.value(*condition);
                let then = self.arm_region(|this| this.value(*then));
                let otherwise = match otherwise {
                    Some(otherwise) => self.arm_region(|this| this.value(*otherwise)),
                    None => self.arm_region(Self::nothing),
                };
                NodeKind::Switch { scrutinee, arms: two(yes(), then, otherwise) }
            }
            Expr::Match { scrutinee, arms } => {
                let scrutinee = self.value(*scrutinee);
                NodeKind::Switch { scrutinee, arms: self.arms(arms) }
            }
            Expr::For { pat, source, filter, max, parallel, body } => {
                self.map(*pat, *source, *filter, *max, *parallel, *body)
            }
            Expr::Loop { vars, max, body, otherwise } => {
                let ty = self.ty(id);
                self.repeat(vars, *max, *body, *otherwise, ty)
            }
            Expr::Race { need, arms } => {
                let regions = arms.iter().map(|arm| self.arm_region(|this| this.value(*arm)));
                NodeKind::Race {
                    arms: regions.collect(),
                    need: need.unwrap_or(1),
                    list: need.is_some(),
                }
            }
            Expr::Catch { body, arms } => {
                let body = self.arm_region(|this| this.value(*body));
                NodeKind::Catch { body, arms: self.arms(arms) }
            }
            Expr::Try(body) => NodeKind::Try(self.arm_region(|this| this.value(*body))),
            _ => return self.broken(id, "a form that is no node"),
        };
        // A choice between `done` and `next` has no type of its own; what can be seen growing is the loop's value.
        let flows = self.types.exprs.get(id.index()) == Some(&Ty::NEVER);
        let ty = match self.loops.last() {
            Some((_, ty)) if flows => *ty,
            _ => self.ty(id),
        };
        self.form_node(id, kind, name, ty)
    }

    pub(super) fn form_node(
        &mut self,
        id: ExprId,
        kind: NodeKind,
        name: Option<&str>,
        ty: TypeId,
    ) -> IrId {
        let name = name.unwrap_or_else(|| form(self.hir(id)));
        let (grows, span) = (self.grows(id), Some(self.span(id)));
        self.node(NewNode { kind, name, ty, grows, span })
    }

    /// A region without parameters.
    pub(super) fn arm_region(&mut self, build: impl FnOnce(&mut Self) -> IrId) -> RegionId {
        self.region(0, build)
    }

    fn arms(&mut self, arms: &'a [Arm]) -> Vec<IrArm> {
        arms.iter()
            .map(|arm| {
                let (pattern, names) = self.arm_pattern(arm.pat);
                let guard = arm.guard.map(|guard| self.apart(|this| this.value(guard)));
                let params = u32::try_from(names.len()).unwrap_or(u32::MAX);
                let body = self.region(params, |this| {
                    this.next_local = 0;
                    this.enter(&names);
                    this.value(arm.body)
                });
                self.next_local = 0;
                IrArm { pattern, guard, body }
            })
            .collect()
    }

    fn map(
        &mut self,
        pat: PatId,
        source: ExprId,
        filter: Option<ExprId>,
        max: Option<ExprId>,
        parallel: Option<ExprId>,
        body: ExprId,
    ) -> NodeKind {
        // Nothing that changes the world reads a value that still grows: also not the items of a list of which
        // nobody knows whether it will ever be complete.
        let changes = self.low.input.effects.of_expr(self.owner, body).writes_anything();
        let steady = self.low.growths.expr(self.owner, source) == Growth::Steady;
        let early = steady && !changes;
        let source = self.value(source);
        let max = max.map(|max| self.value(max));
        let parallel = parallel.map(|parallel| self.value(parallel));
        let (pattern, names) = self.arm_pattern(pat);
        let filter = filter.map(|filter| self.apart(|this| this.value(filter)));
        let params = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let body = self.region(params, |this| {
            this.next_local = 0;
            this.enter(&names);
            this.value(body)
        });
        self.next_local = 0;
        NodeKind::Map(Box::new(Map {
            source,
            pattern,
            filter,
            max,
            parallel,
            sequential: false,
            early,
            body,
        }))
    }

    fn repeat(
        &mut self,
        vars: &'a [(LocalId, Option<TypeRef>, ExprId)],
        max: ExprId,
        body: ExprId,
        otherwise: ExprId,
        ty: TypeId,
    ) -> NodeKind {
        let first: Vec<ExprId> = vars.iter().map(|(_, _, first)| *first).collect();
        let init = self.operands(&first);
        let max = self.value(max);
        let names: Vec<LocalId> = vars.iter().map(|(name, ..)| *name).collect();
        let params = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let round = self.region(params, |this| {
            this.enter(&names);
            this.loops.push((names.clone(), ty));
            let result = this.value(body);
            this.loops.pop();
            result
        });
        let otherwise = self.region(params, |this| {
            this.enter(&names);
            this.value(otherwise)
        });
        NodeKind::Loop(Box::new(Loop { init, max, body: round, otherwise }))
    }

    /// `a and b`, `a or b` where `b` takes nodes: they run only if `a` does not decide.
    pub(super) fn short_circuit(
        &mut self,
        id: ExprId,
        a: ExprId,
        b: ExprId,
        and: bool,
        name: Option<&str>,
    ) -> IrId {
        let scrutinee = self.value(a);
        let more = self.arm_region(|this| this.value(b));
        let decided = self.arm_region(|this| this.low.constant(Value::Bool(!and)));
        let arms = if and { two(yes(), more, decided) } else { two(yes(), decided, more) };
        let ty = self.ty(id);
        self.form_node(id, NodeKind::Switch { scrutinee, arms }, name, ty)
    }

    /// `a ?? b` where `b` takes nodes: they run only if `a` is `none`.
    pub(super) fn coalesce(
        &mut self,
        id: ExprId,
        a: ExprId,
        b: ExprId,
        name: Option<&str>,
    ) -> IrId {
        let scrutinee = self.value(a);
        let there = self.region(1, |this| {
            let depth = this.depth();
            this.slot(depth, 0)
        });
        let instead = self.arm_region(|this| this.value(b));
        let arms = two(Pattern::Some(Box::new(Pattern::Bind(0))), there, instead);
        self.low.program.max_locals = self.low.program.max_locals.max(1);
        let ty = self.ty(id);
        self.form_node(id, NodeKind::Switch { scrutinee, arms }, name, ty)
    }
}

/// An arm, and another one for everything else.
fn two(pattern: Pattern, body: RegionId, otherwise: RegionId) -> Vec<IrArm> {
    vec![
        IrArm { pattern, guard: None, body },
        IrArm { pattern: Pattern::Any, guard: None, body: otherwise },
    ]
}
