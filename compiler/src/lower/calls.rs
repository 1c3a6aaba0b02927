//! Calls: arguments in the order of the declaration, and what a call becomes.

use std::rc::Rc;

use kait_ir::expr::Expr as Ir;
use kait_ir::program::{Call, EffectClass, Gate, LeafCall, LeafDecl, NodeKind, Param};
use kait_ir::types::{Type, TypeId};
use kait_ir::{ExprId as IrId, GraphId, LeafId, Value};
use smol_str::SmolStr;

use super::body::BodyLowerer;
use super::regions::NewNode;
use super::{Instance, Lowerer};
use crate::check::ty::Ty;
use crate::check::{ArgSource, CallTypes};
use crate::effects::{Effect, EffectSet};
use crate::hir::{
    Arg, ArgValue, Callable, CallableKind, Callee, DefId, DefKind, ExprId, Field, Param as HirParam,
};
use crate::labels;

/// A call that is ready to be made.
pub(super) struct Prepared {
    /// What it does.
    pub(super) what: What,
    /// The type of what it gives.
    pub(super) ty: TypeId,
    /// What the node is called if nothing else names it.
    pub(super) callee: SmolStr,
    /// Lets that must stand around it, where no nodes can.
    lets: Vec<(u32, IrId)>,
    /// It answers to a test's stub: how it waits.
    stubbed: Option<DefId>,
    /// It is the clock's `sleep`: everything below waits for it.
    sleeps: bool,
}

pub(super) enum What {
    Expr(IrId),
    Node(NodeKind),
}

/// A plain call of a graph.
pub(super) fn call_of(graph: GraphId, args: Vec<IrId>) -> Call {
    Call { graph, args, model: None, repair: None, target: None }
}

/// Arguments in the order of the declaration.
struct Args {
    values: Vec<IrId>,
    lets: Vec<(u32, IrId)>,
}

impl<'a> BodyLowerer<'_, 'a> {
    /// A call without policies.
    pub(super) fn call(
        &mut self,
        id: ExprId,
        callee: &'a Callee,
        args: &'a [Arg],
        name: Option<&str>,
    ) -> IrId {
        if let Callee::Builtin(builtin) = callee {
            return self.builtin(id, *builtin, args, name);
        }
        match self.prepare(id, callee, args) {
            Some(prepared) => self.make(id, prepared, name),
            None => self.nothing(),
        }
    }

    /// Evaluates the arguments of a call and says what it becomes.
    pub(super) fn prepare(
        &mut self,
        id: ExprId,
        callee: &'a Callee,
        args: &'a [Arg],
    ) -> Option<Prepared> {
        let types = self.types;
        let Some(call) = types.calls.get(&id) else {
            self.broken(id, "a call that was not resolved");
            return None;
        };
        let subst = Rc::clone(&self.subst);
        let type_args: Rc<[TypeId]> =
            call.type_args.iter().map(|ty| self.low.ty(*ty, &subst)).collect();
        let ty = self.low.ty(call.result, &subst);
        let def = match callee {
            Callee::Def(def) | Callee::Variant(def, _) => *def,
            Callee::BareVariant { .. } => match types.variants.get(&id) {
                Some((def, _)) => *def,
                None => {
                    self.broken(id, "a variant of no enum");
                    return None;
                }
            },
            Callee::Missing | Callee::Builtin(_) => {
                self.broken(id, "a call of nothing");
                return None;
            }
        };
        let lowered = self.args(id, def, callee, call, args, &type_args);
        let Args { values, lets } = lowered;
        let expr = |what: IrId| Prepared {
            what: What::Expr(what),
            ty,
            callee: SmolStr::default(),
            lets: Vec::new(),
            stubbed: None,
            sleeps: false,
        };
        let declared = self.low.def(def)?;
        let mut prepared = match &declared.kind {
            DefKind::Record(_) => expr(self.low.expr(Ir::Record(values))),
            DefKind::Enum(_) => {
                let index = match callee {
                    Callee::Variant(_, index) => *index,
                    _ => types.variants.get(&id).map_or(0, |(_, index)| *index),
                };
                expr(self.low.expr(Ir::Variant(index, values)))
            }
            // The checks stand around the argument.
            DefKind::Alias(_) => match values.first() {
                Some(value) => expr(*value),
                None => return None,
            },
            DefKind::Callable(callable) => {
                self.callable(id, def, callable, call, values, ty, &type_args)
            }
            _ => {
                self.broken(id, "a call of what cannot be called");
                return None;
            }
        };
        prepared.lets = lets;
        prepared.callee = self.low.qualified(def);
        Some(prepared)
    }

    #[expect(clippy::too_many_arguments, reason = "all that is known of one call")]
    fn callable(
        &mut self,
        id: ExprId,
        def: DefId,
        callable: &'a Callable,
        call: &CallTypes,
        args: Vec<IrId>,
        ty: TypeId,
        type_args: &Rc<[TypeId]>,
    ) -> Prepared {
        let target = self.low.targets.get(&def).copied();
        let counted = target.map(|target| target.id);
        let mut sleeps = false;
        let what = match &callable.kind {
            _ if target.is_some_and(|target| target.stubbed) => {
                let target = target.map_or(kait_ir::TargetId(0), |target| target.id);
                let model = callable.kind == CallableKind::Prompt;
                What::Node(NodeKind::Stubbed { target, args, model })
            }
            _ if !self.low.in_test && self.low.not_run_yet(callable).is_some() => {
                let what = self.low.not_run_yet(callable).unwrap_or_default();
                let span = self.span(id);
                What::Expr(self.low.not_run(span, &what))
            }
            CallableKind::Fn if !self.low.is_node(def) => {
                let function = self.low.function(def, type_args);
                What::Expr(self.low.expr(Ir::CallFn(function, args)))
            }
            CallableKind::Extern { kind, locator } if kind == "stable" && target.is_none() => {
                let subst = Rc::clone(&self.subst);
                let params = call.params.iter().map(|ty| self.low.ty(*ty, &subst)).collect();
                let name = locator.clone();
                What::Expr(self.low.expr(Ir::Native { name, args, result: ty, params }))
            }
            CallableKind::Extern { kind, locator } if kind != "stable" => {
                sleeps = locator == "clock.sleep";
                let leaf = self.low.leaf(def, callable, type_args, ty);
                What::Node(NodeKind::Leaf(LeafCall { leaf, args, key: None, target: counted }))
            }
            CallableKind::Agent => {
                let leaf = self.low.leaf(def, callable, type_args, ty);
                What::Node(NodeKind::Leaf(LeafCall { leaf, args, key: None, target: counted }))
            }
            _ => {
                let graph = self.low.graph(def, type_args);
                What::Node(NodeKind::Call(Call { target: counted, ..call_of(graph, args) }))
            }
        };
        let stubbed = target.filter(|target| target.stubbed).map(|_| def);
        Prepared { what, ty, callee: SmolStr::default(), lets: Vec::new(), stubbed, sleeps }
    }

    /// Makes a prepared call: an expression, or a node of the innermost region.
    pub(super) fn make(&mut self, id: ExprId, prepared: Prepared, name: Option<&str>) -> IrId {
        let Prepared { what, ty, callee, lets, stubbed, sleeps } = prepared;
        let mut value = match what {
            What::Expr(value) => value,
            What::Node(kind) => {
                let name = name.unwrap_or(&callee);
                let (grows, span) = (self.grows(id), Some(self.span(id)));
                let node = self.node(NewNode { kind, name, ty, grows, span });
                if let Some(def) = stubbed {
                    self.wait_as(node, def);
                }
                if sleeps {
                    self.guard(node);
                }
                node
            }
        };
        for (local, bound) in lets.into_iter().rev() {
            value = self.low.expr(Ir::Let { local, value: bound, body: value });
        }
        value
    }

    /// A stubbed call waits as the call would that it stands for.
    fn wait_as(&mut self, node: IrId, def: DefId) {
        let set = self.low.input.effects.of(def);
        let gate = match (set.is_gated(), set.only_asks()) {
            (false, _) => Gate::Free,
            (true, true) => Gate::Ask,
            (true, false) => Gate::All,
        };
        let reads = self.low.resources(set.reads());
        let writes = self.low.resources(set.writes());
        self.stubbed_as(node, gate, reads, writes);
    }

    fn args(
        &mut self,
        id: ExprId,
        def: DefId,
        callee: &'a Callee,
        call: &CallTypes,
        args: &'a [Arg],
        type_args: &Rc<[TypeId]>,
    ) -> Args {
        // Evaluated in the order in which they are written.
        let mut exprs = Vec::with_capacity(args.len());
        let mut names = Vec::with_capacity(args.len());
        let wire_names = self.wire_names(def, callee, id);
        for (index, arg) in (0u32..).zip(args) {
            if let ArgValue::Expr(value) | ArgValue::Spread(value) = &arg.value {
                let param = call.args.iter().position(|source| *source == ArgSource::Arg(index));
                let name = param.and_then(|param| wire_names.get(param)).cloned();
                exprs.push(*value);
                names.push(name.unwrap_or_default());
            }
        }
        let mut lowered = self.operands_for(&exprs, &names).into_iter().zip(&exprs);
        let mut lets = Vec::new();
        let mut values: Vec<Option<IrId>> = Vec::with_capacity(args.len());
        for (index, arg) in args.iter().enumerate() {
            values.push(match &arg.value {
                ArgValue::Expr(_) => lowered.next().map(|(value, _)| value),
                ArgValue::Spread(_) => lowered.next().map(|(value, of)| {
                    // Several fields are read from it.
                    if self.is_trivial(value) {
                        value
                    } else if self.in_region() {
                        let ty = self.ty(*of);
                        self.pure_node(value, "record", ty, *of)
                    } else {
                        let local = self.local();
                        lets.push((local, value));
                        self.low.expr(Ir::Local(local))
                    }
                }),
                ArgValue::Selector(..) => {
                    let field = call.selectors.iter().find(|(at, _)| *at as usize == index);
                    let field = field.map_or(0, |(_, field)| i64::from(*field));
                    Some(self.low.constant(Value::Int(field)))
                }
                ArgValue::Selectors(_) | ArgValue::Callable(..) => None,
            });
        }
        let defaults = self.defaults(def, callee, id);
        let mut all = Vec::with_capacity(call.args.len());
        for (index, source) in call.args.iter().enumerate() {
            let at = |arg: u32| values.get(arg as usize).copied().flatten();
            let value = match source {
                ArgSource::Arg(arg) => at(*arg),
                ArgSource::Spread(arg, field) => match (at(*arg), args.get(*arg as usize)) {
                    (Some(base), Some(Arg { value: ArgValue::Spread(of), .. })) => {
                        let base = self.low.copy(base);
                        let value = self.low.expr(Ir::Field(base, *field));
                        let param = call.params.get(index).copied();
                        let name = wire_names.get(index).cloned().unwrap_or_default();
                        Some(self.spread_field(value, *of, *field, param, name))
                    }
                    _ => None,
                },
                ArgSource::Default => match defaults.get(index).copied().flatten() {
                    Some(default) => Some(self.low.default(def, default, type_args)),
                    None => None,
                },
                ArgSource::None => Some(self.nothing()),
                ArgSource::Missing => None,
            };
            all.push(match value {
                Some(value) => value,
                None => self.broken(id, "a call with a missing argument"),
            });
        }
        Args { values: all, lets }
    }

    /// The default values of what is called, by parameter or field.
    /// A field of a record that is spread: checked unless the parameter's bounds are those of the field.
    fn spread_field(
        &mut self,
        value: IrId,
        base: ExprId,
        field: u32,
        param: Option<Ty>,
        name: SmolStr,
    ) -> IrId {
        let Some(param) = param else { return value };
        let subst = Rc::clone(&self.subst);
        let (from, to) = (self.ty(base), self.low.ty(param, &subst));
        let types = &self.low.program.types;
        let of_field = match types.base(from) {
            Type::Record(record) => record.fields.get(field as usize).map(|field| field.ty),
            _ => None,
        };
        if of_field == Some(to) {
            return value;
        }
        self.low.expr(Ir::Check(value, to, name))
    }

    /// What fields or parameters are called in the paths of failures, by their index.
    fn wire_names(&self, def: DefId, callee: &Callee, id: ExprId) -> Vec<SmolStr> {
        let fields = |all: &[Field]| {
            all.iter().map(|field| field.wire.clone().unwrap_or(field.name.clone())).collect()
        };
        match self.low.def(def).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => {
                callable.params.iter().map(|param| param.name.clone()).collect()
            }
            Some(DefKind::Record(record)) => fields(&record.fields),
            Some(DefKind::Enum(one)) => {
                let index = self.variant_index(callee, id);
                one.variants.get(index).map_or(Vec::new(), |v| fields(&v.fields))
            }
            _ => Vec::new(),
        }
    }

    fn variant_index(&self, callee: &Callee, id: ExprId) -> usize {
        let index = match callee {
            Callee::Variant(_, index) => *index,
            _ => self.types.variants.get(&id).map_or(0, |(_, index)| *index),
        };
        index as usize
    }

    fn defaults(&self, def: DefId, callee: &Callee, id: ExprId) -> Vec<Option<ExprId>> {
        let params = |all: &[HirParam]| all.iter().map(|param| param.default).collect();
        let fields = |all: &[Field]| all.iter().map(|field| field.default).collect();
        match self.low.def(def).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => params(&callable.params),
            Some(DefKind::Record(record)) => fields(&record.fields),
            Some(DefKind::Enum(one)) => {
                let index = self.variant_index(callee, id);
                one.variants.get(index).map_or(Vec::new(), |v| fields(&v.fields))
            }
            _ => Vec::new(),
        }
    }
}

impl<'a> Lowerer<'a> {
    /// A default value, in place of an argument.
    pub(super) fn default(&mut self, owner: DefId, default: ExprId, subst: &[TypeId]) -> IrId {
        let span = self.input.start();
        let Some(mut body) = BodyLowerer::new(self, owner, subst) else {
            return self.constant(Value::None);
        };
        let span = body.body.expr_spans.get(default.index()).copied().unwrap_or(span);
        if body.needs(default) {
            return body.low.not_supported(span, "a default value that calls something outside");
        }
        body.value(default)
    }

    /// The value of a constant, if it consists of literals and constructors.
    pub(super) fn constant_value(&mut self, def: DefId) -> Option<Value> {
        if let Some(known) = self.constants.get(&def) {
            return known.clone();
        }
        let root = self.input.hir.body(def)?.root?;
        let value = self.folded(def, root, &[]);
        self.constants.insert(def, value.clone());
        value
    }

    /// The value of an expression of a declaration, if it consists of literals and constructors; nothing of it stays in
    /// the arena then.
    pub(super) fn folded(&mut self, owner: DefId, expr: ExprId, subst: &[TypeId]) -> Option<Value> {
        let mark = self.program.exprs.len();
        let lowered = self.default(owner, expr, subst);
        let value = self.fold(lowered)?;
        self.program.exprs.truncate(mark);
        Some(value)
    }

    /// What a callable is, if this version checks such and does not run it.
    fn not_run_yet(&self, callable: &Callable) -> Option<String> {
        match &callable.kind {
            CallableKind::Extern { .. } if self.keeps => None,
            CallableKind::Agent => Some("agents".to_owned()),
            CallableKind::Extern { kind, locator } => match kind.as_str() {
                "stable" => None,
                kind => super::leaf_not_run(kind, locator),
            },
            _ => None,
        }
    }

    /// The declaration of a leaf, as instantiated.
    pub(super) fn leaf(
        &mut self,
        def: DefId,
        callable: &'a Callable,
        type_args: &Rc<[TypeId]>,
        result: TypeId,
    ) -> LeafId {
        let key: Instance = (def, Rc::clone(type_args));
        if let Some(known) = self.leaves.get(&key) {
            return *known;
        }
        let (kind, locator) = match &callable.kind {
            CallableKind::Extern { kind, locator } => (kind.clone(), locator.clone()),
            _ => (SmolStr::new_static("agent"), self.qualified(def)),
        };
        let set = self.input.effects.of(def).clone();
        let keyed = callable.policies.iter().any(|arg| super::growth::named(arg, "key"));
        let class = class(&set, keyed);
        let params = self.params(def, callable, type_args);
        let with = self.calling(def, &kind, callable);
        let decl = LeafDecl {
            name: self.qualified(def),
            kind,
            locator,
            params,
            result,
            class,
            reads: self.resources(set.reads()),
            writes: self.resources(set.writes()),
            guarded: callable.needs.as_ref().is_some_and(|(word, _)| word == "approval"),
            trust: labels::word(self.input.hir, &callable.result),
            with,
        };
        let id = LeafId(u32::try_from(self.program.leaves.len()).unwrap_or(u32::MAX));
        self.program.leaves.push(decl);
        self.leaves.insert(key, id);
        id
    }

    /// The parameters of a callable, as instantiated.
    pub(super) fn params(
        &mut self,
        def: DefId,
        callable: &Callable,
        subst: &[TypeId],
    ) -> Vec<Param> {
        let types = self.input.types;
        let tys = types.signature(def).map(|s| s.params.as_slice()).unwrap_or_default();
        callable
            .params
            .iter()
            .zip(tys)
            .map(|(param, ty)| Param {
                name: param.name.clone(),
                docs: param.docs.clone(),
                ty: self.ty(*ty, subst),
                default: param.default.map(|default| self.default(def, default, subst)),
                stream: param.stream,
                trust: labels::word(self.input.hir, &param.ty),
            })
            .collect()
    }
}

/// A leaf's class: the strongest of its effects. A leaf without effects is recorded like a read.
pub(crate) fn class(set: &EffectSet, keyed: bool) -> EffectClass {
    let has = |effect: Effect| set.contains(effect);
    if set.writes_anything() {
        EffectClass::Write { keyed }
    } else if has(Effect::Human) {
        EffectClass::Human
    } else if has(Effect::Emit) {
        EffectClass::Emit
    } else if has(Effect::Clock) {
        EffectClass::Clock
    } else if has(Effect::Random) {
        EffectClass::Random
    } else if has(Effect::Model) {
        EffectClass::Model
    } else {
        EffectClass::Read
    }
}
