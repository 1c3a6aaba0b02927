//! Walking programs: what an expression, pattern or node consists of, and facts that follow from a node alone.
//!
//! Whoever needs all parts of something (verifier, dump, drawing, engine tables) asks here, so that a new kind of
//! node or expression is described in one place.

use crate::expr::{Expr, ExprId, LogQuery, Pattern, TemplatePart};
use crate::program::{Approve, Ask, EffectClass, Gate, Loop, Map, NodeKind, Policy, RegionId};

impl Expr {
    /// Calls `f` with every direct operand, in the order of evaluation.
    pub fn for_each_child(&self, mut f: impl FnMut(ExprId)) {
        match self {
            Expr::Const(_) | Expr::Slot { .. } | Expr::Local(_) => {}
            Expr::Let { value, body, .. } => {
                f(*value);
                f(*body);
            }
            Expr::Unary(_, a)
            | Expr::Is(a, _)
            | Expr::Field(a, _)
            | Expr::OptField(a, _)
            | Expr::Try(a)
            | Expr::Fail(a)
            | Expr::Vouch(a, _)
            | Expr::Check(a, ..) => f(*a),
            Expr::Binary(_, a, b)
            | Expr::And(a, b)
            | Expr::Or(a, b)
            | Expr::Coalesce(a, b)
            | Expr::Index(a, b) => {
                f(*a);
                f(*b);
            }
            Expr::If(c, a, b) => {
                f(*c);
                f(*a);
                f(*b);
            }
            Expr::Match { scrutinee: first, arms } | Expr::Catch { body: first, arms } => {
                f(*first);
                for arm in arms {
                    arm.guard.iter().copied().for_each(&mut f);
                    f(arm.body);
                }
            }
            Expr::Record(items)
            | Expr::Variant(_, items)
            | Expr::Native { args: items, .. }
            | Expr::CallFn(_, items) => items.iter().copied().for_each(f),
            Expr::List(items) => items.iter().for_each(|(item, _)| f(*item)),
            Expr::Map(entries) => entries.iter().for_each(|(key, value)| {
                f(*key);
                f(*value);
            }),
            Expr::Template(parts) => parts.iter().for_each(|part| {
                if let TemplatePart::Value(value, _) = part {
                    f(*value);
                }
            }),
            Expr::For { source, filter, body, max, .. } => {
                f(*source);
                max.iter().copied().for_each(&mut f);
                filter.iter().copied().for_each(&mut f);
                f(*body);
            }
            Expr::Loop { state, max, body, otherwise } => {
                state.iter().for_each(|(_, first)| f(*first));
                f(*max);
                f(*body);
                f(*otherwise);
            }
            Expr::CallLog(query) => match &**query {
                LogQuery::Calls(_) | LogQuery::Attempts(_) => {}
                LogQuery::Called(shape) => shape.args.iter().for_each(|(_, arg)| f(*arg)),
                LogQuery::Order(shapes) => {
                    shapes.iter().flat_map(|shape| &shape.args).for_each(|(_, arg)| f(*arg));
                }
            },
        }
    }
}

impl Pattern {
    /// Calls `f` with every local that the pattern writes; those of alternatives only once.
    pub fn for_each_binder(&self, f: &mut impl FnMut(u32)) {
        match self {
            Pattern::Any | Pattern::Const(_) | Pattern::Range(..) => {}
            Pattern::Bind(local) => f(*local),
            Pattern::Variant(_, fields) | Pattern::Record(fields) => {
                fields.iter().for_each(|(_, inner)| inner.for_each_binder(f));
            }
            Pattern::List(items, rest) => {
                items.iter().for_each(|item| item.for_each_binder(f));
                if let Some(Some(local)) = rest {
                    f(*local);
                }
            }
            Pattern::Or(alternatives) => {
                if let Some(first) = alternatives.first() {
                    first.for_each_binder(f);
                }
            }
            Pattern::Some(inner) => inner.for_each_binder(f),
        }
    }

    /// The locals that the pattern writes, ascending.
    pub fn binders(&self) -> Vec<u32> {
        let mut locals = Vec::new();
        self.for_each_binder(&mut |local| locals.push(local));
        locals.sort_unstable();
        locals
    }
}

impl NodeKind {
    /// Calls `f` with every expression that the node itself evaluates, in the region in which it stands.
    pub fn for_each_expr(&self, mut f: impl FnMut(ExprId)) {
        match self {
            NodeKind::Pure(expr) => f(*expr),
            NodeKind::Call(call) => call.args.iter().copied().for_each(f),
            NodeKind::Leaf(call) => call.args.iter().copied().chain(call.key).for_each(f),
            NodeKind::Undo(undo) => undo.args.iter().copied().for_each(f),
            NodeKind::Model(call) => {
                call.options.iter().for_each(|(_, value)| f(*value));
                call.messages.iter().for_each(|message| f(message.content));
            }
            NodeKind::Switch { scrutinee, arms } => {
                f(*scrutinee);
                arms.iter().filter_map(|arm| arm.guard).for_each(f);
            }
            NodeKind::Catch { arms, .. } => arms.iter().filter_map(|arm| arm.guard).for_each(f),
            NodeKind::Map(map) => {
                let Map { source, filter, max, parallel, .. } = &**map;
                f(*source);
                max.iter().chain(parallel).chain(filter).copied().for_each(f);
            }
            NodeKind::Loop(repeat) => {
                let Loop { init, max, .. } = &**repeat;
                init.iter().copied().for_each(&mut f);
                f(*max);
            }
            NodeKind::Race { .. } | NodeKind::Try(_) => {}
            NodeKind::Policy(policy) => {
                let Policy { deadline, cache, cache_key, retry, timeout, rate, .. } = &**policy;
                [deadline, cache, retry, timeout].into_iter().flatten().copied().for_each(&mut f);
                cache_key.iter().flat_map(|(_, args)| args).copied().for_each(&mut f);
                if let Some(rate) = rate {
                    let limits = [rate.calls, rate.per, rate.parallel];
                    limits.into_iter().flatten().for_each(f);
                }
            }
            NodeKind::Approve(approve) => {
                let Approve { args, key, role, within, show, .. } = &**approve;
                let show = show.map(|(value, _)| value);
                args.iter().copied().chain(*key).chain([*role, *within]).chain(show).for_each(f);
            }
            NodeKind::Ask(ask) => {
                let Ask { question, to, show, start, choose, within, .. } = &**ask;
                let show = show.map(|(value, _)| value);
                [*question, *to, show, *start].into_iter().flatten().for_each(&mut f);
                if let Some(choose) = choose {
                    f(choose.items);
                    choose.max.into_iter().for_each(&mut f);
                }
                f(*within);
            }
            NodeKind::Stubbed { args, .. } => args.iter().copied().for_each(f),
            NodeKind::Expect { condition, shows, .. } => {
                f(*condition);
                shows.iter().for_each(|(_, value, _)| f(*value));
            }
        }
    }

    /// Calls `f` with every region inside it, in textual order.
    pub fn for_each_region(&self, mut f: impl FnMut(RegionId)) {
        match self {
            NodeKind::Pure(_)
            | NodeKind::Call(_)
            | NodeKind::Leaf(_)
            | NodeKind::Model(_)
            | NodeKind::Approve(_)
            | NodeKind::Ask(_)
            | NodeKind::Stubbed { .. }
            | NodeKind::Expect { .. } => {}
            NodeKind::Switch { arms, .. } => arms.iter().for_each(|arm| f(arm.body)),
            NodeKind::Map(map) => f(map.body),
            NodeKind::Loop(repeat) => {
                f(repeat.body);
                f(repeat.otherwise);
            }
            NodeKind::Race { arms, .. } => arms.iter().copied().for_each(f),
            NodeKind::Catch { body, arms } => {
                f(*body);
                arms.iter().for_each(|arm| f(arm.body));
            }
            NodeKind::Try(body) => f(*body),
            NodeKind::Undo(undo) => f(undo.body),
            NodeKind::Policy(policy) => {
                f(policy.body);
                policy.fallback.into_iter().for_each(f);
            }
        }
    }

    /// Whether it calls something itself: the kinds that [`crate::Node::gate`] and [`crate::Node::reads`] are about.
    pub fn is_leaf(&self) -> bool {
        matches!(
            self,
            NodeKind::Leaf(_)
                | NodeKind::Model(_)
                | NodeKind::Approve(_)
                | NodeKind::Ask(_)
                | NodeKind::Stubbed { .. }
                | NodeKind::Expect { .. }
        )
    }
}

impl EffectClass {
    /// How a leaf of this class waits for what stands above it (language reference, order).
    pub fn gate(self) -> Gate {
        match self {
            EffectClass::Read | EffectClass::Random | EffectClass::Model => Gate::Free,
            EffectClass::Write { .. } | EffectClass::Emit | EffectClass::Clock => Gate::All,
            EffectClass::Human => Gate::Ask,
        }
    }

    /// Whether it changes something that others can read.
    pub fn is_write(self) -> bool {
        matches!(self, EffectClass::Write { .. })
    }
}
