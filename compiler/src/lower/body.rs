//! Lowering the expressions of one body: values to expressions, hoisting what takes a node in the order of evaluation.

use std::rc::Rc;

use kait_ir::expr::{BinaryOp as IrBinary, Expr as Ir, TemplatePart as IrPart, UnaryOp as IrUnary};
use kait_ir::program::NodeKind;
use kait_ir::types::{Type, TypeId};
use kait_ir::{ExprId as IrId, Value};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use smol_str::SmolStr;

use super::growth::Growth;
use super::regions::{Building, NewNode};
use super::shape::Shape;
use super::values::literal;
use super::{Lowerer, shape};
use crate::check::{BodyTypes, Coercion};
use crate::diagnostics::Span;
use crate::effects::BodyEffects;
use crate::effects::walk;
use crate::hir::{
    BinaryOp, Body, DefId, DefKind, Expr, ExprId, LocalId, Pat, PatId, Stmt, TemplatePart, UnaryOp,
};

/// Where the value of a name is.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// In a slot of the region at an absolute depth, below these fields.
    Slot(u32, u32, SmallVec<[u32; 2]>),
    /// In a local of the evaluation, below these fields.
    Local(u32, SmallVec<[u32; 2]>),
    /// It is a constant.
    Const(Value),
}

/// One body of the HIR that is being lowered.
pub(super) struct BodyLowerer<'l, 'a> {
    pub(super) low: &'l mut Lowerer<'a>,
    pub(super) owner: DefId,
    pub(super) body: &'a Body,
    pub(super) types: &'a BodyTypes,
    pub(super) effects: Option<&'a BodyEffects>,
    /// What the owner's type parameters stand for.
    pub(super) subst: Rc<[TypeId]>,
    pub(super) places: Vec<Option<Place>>,
    pub(super) shape: Rc<Shape>,
    /// Names that alternatives of a pattern bind beside the first one's.
    pub(super) twins: FxHashMap<LocalId, Vec<LocalId>>,
    /// The regions that enclose the place; none in functions and constants.
    pub(super) regions: Vec<Building>,
    /// The first local that is not in use.
    pub(super) next_local: u32,
    /// How many pure choices, maps and loops enclose the place within one expression: nodes cannot stand there.
    pub(super) pure: u32,
    /// The loops around the place: their state, and the type of what they give.
    pub(super) loops: Vec<(Vec<LocalId>, TypeId)>,
}

impl<'l, 'a> BodyLowerer<'l, 'a> {
    /// Begins with a declaration's body; `None` if it has none, which is noted.
    pub(super) fn new(low: &'l mut Lowerer<'a>, owner: DefId, subst: &[TypeId]) -> Option<Self> {
        let input = low.input;
        let body = input.hir.body(owner);
        let (Some(body), Some(types)) = (body, input.types.body(owner)) else {
            let span = low.def(owner).map_or_else(|| input.start(), |def| def.name_span);
            low.broken(span, "a declaration without checked body");
            return None;
        };
        let shape = match low.shapes.get(&owner) {
            Some(known) => Rc::clone(known),
            None => {
                let found = shape::shape(input, owner, body, &low.nodes, &low.growths);
                let found = Rc::new(found);
                low.shapes.insert(owner, Rc::clone(&found));
                found
            }
        };
        Some(Self {
            owner,
            body,
            types,
            effects: input.effects.bodies.get(owner.index()).and_then(Option::as_ref),
            subst: subst.into(),
            places: vec![None; body.locals.len()],
            shape,
            twins: FxHashMap::default(),
            regions: Vec::new(),
            next_local: 0,
            pure: 0,
            loops: Vec::new(),
            low,
        })
    }

    pub(super) fn hir(&self, id: ExprId) -> &'a Expr {
        walk::expr(self.body, id)
    }

    pub(super) fn span(&self, id: ExprId) -> Span {
        self.body.expr_spans.get(id.index()).copied().unwrap_or_else(|| self.low.input.start())
    }

    /// The type of an expression where it stands.
    pub(super) fn ty(&mut self, id: ExprId) -> TypeId {
        match self.types.exprs.get(id.index()) {
            Some(ty) => {
                let subst = Rc::clone(&self.subst);
                self.low.ty(*ty, &subst)
            }
            None => self.low.plain(Type::None),
        }
    }

    pub(super) fn grows(&self, id: ExprId) -> bool {
        self.low.growths.expr(self.owner, id) != Growth::No
    }

    pub(super) fn needs(&self, id: ExprId) -> bool {
        self.shape.needs(id)
    }

    fn is_dead(&self, value: ExprId) -> bool {
        self.effects.is_some_and(|effects| effects.dead.contains(&value))
    }

    fn may_fail(&self, id: ExprId) -> bool {
        self.effects.is_some_and(|e| e.exprs.get(id.index()).is_some_and(|found| found.guards))
    }

    pub(super) fn broken(&mut self, id: ExprId, what: &str) -> IrId {
        let span = self.span(id);
        self.low.broken(span, what)
    }

    /// A local that is not in use.
    pub(super) fn local(&mut self) -> u32 {
        let local = self.next_local;
        self.next_local += 1;
        self.low.program.max_locals = self.low.program.max_locals.max(self.next_local);
        local
    }

    pub(super) fn set_place(&mut self, local: LocalId, place: Place) {
        if let Some(slot) = self.places.get_mut(local.index()) {
            *slot = Some(place);
        }
    }

    pub(super) fn read(&mut self, place: &Place) -> IrId {
        let (mut value, fields) = match place {
            Place::Slot(depth, slot, fields) => (self.slot(*depth, *slot), fields),
            Place::Local(local, fields) => (self.low.expr(Ir::Local(*local)), fields),
            Place::Const(value) => return self.low.constant(value.clone()),
        };
        for field in fields {
            value = self.low.expr(Ir::Field(value, *field));
        }
        value
    }

    /// The value of an expression: nodes that it takes are added to the innermost region.
    pub(super) fn value(&mut self, id: ExprId) -> IrId {
        self.named_value(id, None)
    }

    /// As [`Self::value`]; `name` is what the node is called that gives the value, if one does.
    pub(super) fn named_value(&mut self, id: ExprId, name: Option<&str>) -> IrId {
        let value = self.bare_value(id, name);
        self.stands(id, value);
        let value = self.coerced(id, value);
        self.stands(id, value);
        value
    }

    /// Notes where an expression stands, if that is not known more exactly. Only what may fail is worth it.
    fn stands(&mut self, id: ExprId, value: IrId) {
        match self.low.get(value) {
            None | Some(Ir::Const(_) | Ir::Slot { .. } | Ir::Local(_)) => return,
            Some(_) => {}
        }
        let span = Lowerer::span(self.span(id));
        let spans = &mut self.low.program.expr_spans;
        let at = value.0 as usize;
        if spans.len() <= at {
            spans.resize(at + 1, None);
        }
        if let Some(known) = spans.get_mut(at) {
            *known = known.or(span);
        }
    }

    /// Puts the conversions of the checker around a value.
    pub(super) fn coerced(&mut self, id: ExprId, mut value: IrId) -> IrId {
        let types = self.types;
        for coercion in types.coercions.get(&id).into_iter().flatten() {
            let subst = Rc::clone(&self.subst);
            value = match coercion {
                Coercion::ToFloat => match self.low.get(value) {
                    Some(Ir::Const(Value::Int(n))) => {
                        let float = Value::Float(*n as f64);
                        self.low.constant(float)
                    }
                    _ => self.low.expr(Ir::Unary(IrUnary::ToFloat, value)),
                },
                Coercion::Check(ty) => {
                    let ty = self.low.ty(*ty, &subst);
                    self.low.expr(Ir::Check(value, ty, SmolStr::default()))
                }
                Coercion::Decode(ty) => {
                    let result = self.low.ty(*ty, &subst);
                    let json = self.low.plain(Type::Json);
                    self.low.expr(Ir::Native {
                        name: "json.decode".into(),
                        args: vec![value],
                        result,
                        params: vec![json],
                    })
                }
            };
        }
        value
    }

    fn bare_value(&mut self, id: ExprId, name: Option<&str>) -> IrId {
        match self.hir(id) {
            Expr::Missing => self.broken(id, "an expression that could not be read"),
            Expr::Literal(value) => self.low.constant(literal(value)),
            Expr::Template(parts) => self.template(parts),
            Expr::Local(local) => match self.places.get(local.index()).cloned().flatten() {
                Some(place) => self.read(&place),
                None => self.broken(id, "a name without value"),
            },
            Expr::Def(def) => self.definition(id, *def, name),
            Expr::Variant(_, index) => self.low.expr(Ir::Variant(*index, Vec::new())),
            Expr::BareVariant { .. } => match self.types.variants.get(&id) {
                Some((_, index)) => self.low.expr(Ir::Variant(*index, Vec::new())),
                None => self.broken(id, "a variant of no enum"),
            },
            Expr::Call { callee, args, .. } => self.call(id, callee, args, name),
            Expr::With { expr, policies } => self.with(id, *expr, policies, name),
            Expr::Field { base, optional, .. } => match self.types.fields.get(&id) {
                Some(index) => {
                    let base = self.value(*base);
                    self.low.expr(if *optional {
                        Ir::OptField(base, *index)
                    } else {
                        Ir::Field(base, *index)
                    })
                }
                None => self.broken(id, "a field of no record"),
            },
            Expr::Session { def, name: field, .. } => self.session_field(id, *def, field, name),
            Expr::Index { base, index } => {
                let parts = self.operands(&[*base, *index]);
                self.binary(&parts, Ir::Index)
            }
            Expr::Unary(op, operand) => {
                let operand = self.value(*operand);
                let op = match op {
                    UnaryOp::Not => IrUnary::Not,
                    UnaryOp::Neg => IrUnary::Neg,
                };
                let whole = self.low.expr(Ir::Unary(op, operand));
                match self.low.fold(whole) {
                    Some(value) => self.low.constant(value),
                    None => whole,
                }
            }
            Expr::Binary(BinaryOp::And, a, b) if self.needs(*b) => {
                self.short_circuit(id, *a, *b, true, name)
            }
            Expr::Binary(BinaryOp::Or, a, b) if self.needs(*b) => {
                self.short_circuit(id, *a, *b, false, name)
            }
            Expr::Binary(op, a, b) => {
                let parts = self.operands(&[*a, *b]);
                let op = match op {
                    BinaryOp::And => return self.binary(&parts, Ir::And),
                    BinaryOp::Or => return self.binary(&parts, Ir::Or),
                    BinaryOp::Add => IrBinary::Add,
                    BinaryOp::Sub => IrBinary::Sub,
                    BinaryOp::Mul => IrBinary::Mul,
                    BinaryOp::Div => IrBinary::Div,
                    BinaryOp::Rem => IrBinary::Rem,
                    BinaryOp::Eq => IrBinary::Eq,
                    BinaryOp::Ne => IrBinary::Ne,
                    BinaryOp::Lt => IrBinary::Lt,
                    BinaryOp::Le => IrBinary::Le,
                    BinaryOp::Gt => IrBinary::Gt,
                    BinaryOp::Ge => IrBinary::Ge,
                };
                self.binary(&parts, |a, b| Ir::Binary(op, a, b))
            }
            Expr::In(a, b) => {
                let parts = self.operands(&[*a, *b]);
                self.binary(&parts, |a, b| Ir::Binary(IrBinary::In, a, b))
            }
            Expr::Is(value, pat) => {
                let value = self.value(*value);
                let mark = self.next_local;
                let pattern = self.pattern(*pat);
                self.next_local = mark;
                self.low.expr(Ir::Is(value, pattern))
            }
            Expr::Coalesce(a, b) if self.needs(*b) => self.coalesce(id, *a, *b, name),
            Expr::Coalesce(a, b) => {
                let parts = [self.value(*a), self.value(*b)];
                self.binary(&parts, Ir::Coalesce)
            }
            // It goes through its list for the effects of its body.
            Expr::For { .. }
                if self.types.exprs.get(id.index()) == Some(&crate::check::ty::Ty::NONE) =>
            {
                self.control(id, name);
                self.nothing()
            }
            Expr::If { .. }
            | Expr::Match { .. }
            | Expr::For { .. }
            | Expr::Loop { .. }
            | Expr::Race { .. }
            | Expr::Catch { .. }
            | Expr::Try(_) => self.control(id, name),
            Expr::Undo { body, undo } => self.undo(id, *body, *undo, name, None),
            Expr::Fail(reason) => self.fail(*reason),
            Expr::Done(value) => {
                let value = self.value(*value);
                self.low.expr(Ir::Variant(0, vec![value]))
            }
            Expr::Next(args) => self.next(id, args),
            Expr::Block(stmts) => self.block(stmts),
            Expr::List(items) => {
                let values: Vec<ExprId> = items.iter().map(|(item, _)| *item).collect();
                let values = self.operands(&values);
                let spreads = items.iter().map(|(_, spread)| *spread);
                let items = values.into_iter().zip(spreads).collect();
                self.low.expr(Ir::List(items))
            }
            Expr::Map(entries) => {
                let flat: Vec<ExprId> = entries.iter().flat_map(|(k, v)| [*k, *v]).collect();
                let flat = self.operands(&flat);
                let pairs = flat.chunks_exact(2).filter_map(|pair| match pair {
                    [key, value] => Some((*key, *value)),
                    _ => None,
                });
                let entries = pairs.collect();
                self.low.expr(Ir::Map(entries))
            }
        }
    }

    fn binary(&mut self, parts: &[IrId], make: impl FnOnce(IrId, IrId) -> Ir) -> IrId {
        match parts {
            [a, b] => self.low.expr(make(*a, *b)),
            _ => self.nothing(),
        }
    }

    /// The values of operands, which are evaluated from left to right. What may fail is evaluated by a node of its own if
    /// something that others can notice follows, so that it does not happen after the failure.
    pub(super) fn operands(&mut self, ids: &[ExprId]) -> Vec<IrId> {
        self.operands_for(ids, &[])
    }

    /// As [`Self::operands`]; the names are those of the fields or parameters that they are for.
    pub(super) fn operands_for(&mut self, ids: &[ExprId], names: &[SmolStr]) -> Vec<IrId> {
        let gated =
            |this: &Self, id: &ExprId| this.low.input.effects.of_expr(this.owner, *id).is_gated();
        let last_gated = ids.iter().rposition(|id| gated(self, id)).unwrap_or(0);
        let mut values = Vec::with_capacity(ids.len());
        for (index, id) in ids.iter().enumerate() {
            let mut value = self.value(*id);
            if let Some(name) = names.get(index) {
                self.low.check_is_for(value, name);
            }
            if index < last_gated && self.in_region() && !self.is_trivial(value) {
                let ty = self.ty(*id);
                value = self.pure_node(value, "value", ty, *id);
            }
            values.push(value);
        }
        values
    }

    /// Whether evaluating it takes no time and cannot fail.
    pub(super) fn is_trivial(&self, value: IrId) -> bool {
        matches!(self.low.get(value), Some(Ir::Const(_) | Ir::Slot { .. } | Ir::Local(_)))
    }

    pub(super) fn pure_node(&mut self, value: IrId, name: &str, ty: TypeId, of: ExprId) -> IrId {
        let grows = self.grows(of);
        let span = Some(self.span(of));
        self.node(NewNode { kind: NodeKind::Pure(value), name, ty, grows, span })
    }

    fn template(&mut self, parts: &'a [TemplatePart]) -> IrId {
        let values: Vec<ExprId> = parts
            .iter()
            .filter_map(|part| match part {
                TemplatePart::Expr(value) => Some(*value),
                TemplatePart::Text(_) => None,
            })
            .collect();
        let mut lowered = self.operands(&values).into_iter();
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            match part {
                TemplatePart::Text(text) => all.push(IrPart::Text(text.clone())),
                TemplatePart::Expr(value) => {
                    if let Some(lowered) = lowered.next() {
                        let ty = self.ty(*value);
                        all.push(IrPart::Value(lowered, ty));
                    }
                }
            }
        }
        self.low.expr(Ir::Template(all))
    }

    /// `fail "…"` is a `Custom` failure, `fail Denied(…)` the failure itself.
    fn fail(&mut self, reason: ExprId) -> IrId {
        let ty = self.ty(reason);
        let is_text = matches!(self.low.program.types.base(ty), Type::Text);
        let value = self.value(reason);
        let failure = if is_text {
            let custom = kait_ir::Failure::failed("").tag();
            let code = self.low.constant(Value::text("failed"));
            self.low.expr(Ir::Variant(custom, vec![code, value]))
        } else {
            value
        };
        self.low.expr(Ir::Fail(failure))
    }

    /// The value of a constant, or the name of a model role.
    fn definition(&mut self, id: ExprId, def: DefId, name: Option<&str>) -> IrId {
        match self.low.def(def).map(|def| &def.kind) {
            Some(DefKind::Model { .. }) => {
                let role = self.low.role(def);
                self.low.constant(Value::Text(role))
            }
            Some(DefKind::Const { .. }) if self.low.is_node(def) => {
                let graph = self.low.graph(def, &[]);
                let ty = self.ty(id);
                let label = self.low.qualified(def);
                let call = super::calls::call_of(graph, Vec::new());
                let span = Some(self.span(id));
                let grows = false;
                let name = name.unwrap_or(&label);
                self.node(NewNode { kind: NodeKind::Call(call), name, ty, grows, span })
            }
            Some(DefKind::Const { .. }) => {
                let value = self.low.constant_value(def);
                match value {
                    Some(value) => self.low.constant(value),
                    None => {
                        let function = self.low.function(def, &[]);
                        self.low.expr(Ir::CallFn(function, Vec::new()))
                    }
                }
            }
            // Only its name goes through the program: what it stands for is looked up where it is sent.
            Some(DefKind::Secret) => {
                let name = self.low.qualified(def);
                self.low.constant(Value::Text(name))
            }
            _ => self.broken(id, "a name that is no value"),
        }
    }

    /// The statements of a block; its value is that of the last one.
    pub(super) fn block(&mut self, stmts: &'a [Stmt]) -> IrId {
        if !self.in_region() {
            return self.pure_block(stmts);
        }
        let Some((last, before)) = stmts.split_last() else { return self.nothing() };
        for stmt in before {
            self.stmt(stmt);
        }
        match last {
            Stmt::Expr(value) => self.value(*value),
            Stmt::Let { .. } => {
                self.stmt(last);
                self.nothing()
            }
        }
    }

    /// A statement that is not a block's value.
    pub(super) fn stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Expr(id) => self.bare(*id),
            Stmt::Let { value, .. } if self.is_dead(*value) => {}
            Stmt::Let { pat, value, .. } => {
                let name = self.let_name(*pat);
                let lowered = match self.hir(*value) {
                    Expr::Undo { body, undo } => {
                        let done = self.undo(*value, *body, *undo, name, Some(*pat));
                        self.coerced(*value, done)
                    }
                    _ => self.named_value(*value, name),
                };
                let place = self.place(*value, lowered, name);
                self.bind(*pat, place);
            }
        }
    }

    /// A bare statement: it always runs, and if it may `fail`, everything below waits for it.
    pub(super) fn bare(&mut self, id: ExprId) {
        let guards = self.may_fail(id);
        let mut value = self.value(id);
        if self.as_node(value).is_none() && (guards || !self.is_trivial(value)) {
            let name = form(self.hir(id));
            let ty = self.ty(id);
            value = self.pure_node(value, name, ty, id);
        }
        if guards {
            self.guard(value);
        }
    }

    fn let_name(&self, pat: PatId) -> Option<&'a str> {
        match self.body.pats.get(pat.index()) {
            Some(Pat::Bind(local)) => {
                self.body.locals.get(local.index()).map(|local| local.name.as_str())
            }
            _ => None,
        }
    }

    /// Where a value is from now on; if it is not anywhere yet, a node or local takes it.
    fn place(&mut self, of: ExprId, value: IrId, name: Option<&str>) -> Place {
        match self.low.get(value) {
            Some(Ir::Const(value)) => return Place::Const(value.clone()),
            Some(Ir::Local(local)) => return Place::Local(*local, SmallVec::new()),
            _ => {}
        }
        if let Some((depth, slot)) = self.as_slot(value) {
            return Place::Slot(depth, slot, SmallVec::new());
        }
        let ty = self.ty(of);
        let name = name.unwrap_or_else(|| form(self.hir(of)));
        let node = self.pure_node(value, name, ty, of);
        match self.as_slot(node) {
            Some((depth, slot)) => Place::Slot(depth, slot, SmallVec::new()),
            None => Place::Const(Value::None),
        }
    }

    /// Gives the names of an irrefutable pattern their places within a value.
    pub(super) fn bind(&mut self, pat: PatId, place: Place) {
        match self.body.pats.get(pat.index()) {
            Some(Pat::Bind(local)) => self.set_place(*local, place),
            Some(Pat::Tag { args: Some(args), .. }) => {
                let fields = self.types.pat_fields.get(&pat);
                for (index, arg) in args.iter().enumerate() {
                    let Some(field) = fields.and_then(|fields| fields.get(index)).copied() else {
                        continue;
                    };
                    let mut inner = place.clone();
                    match &mut inner {
                        Place::Slot(_, _, path) | Place::Local(_, path) => path.push(field),
                        Place::Const(value) => {
                            *value =
                                value.fields().get(field as usize).cloned().unwrap_or_default();
                        }
                    }
                    self.bind(arg.pat, inner);
                }
            }
            _ => {}
        }
    }

    /// A block in a function: each statement is a `let` around the rest.
    fn pure_block(&mut self, stmts: &'a [Stmt]) -> IrId {
        let mark = self.next_local;
        let mut lets: Vec<(u32, IrId)> = Vec::new();
        let mut result = None;
        for (index, stmt) in stmts.iter().enumerate() {
            match stmt {
                Stmt::Expr(value) if index + 1 == stmts.len() => result = Some(self.value(*value)),
                Stmt::Expr(value) => {
                    let value = self.value(*value);
                    if !self.is_trivial(value) {
                        lets.push((self.local(), value));
                    }
                }
                Stmt::Let { value, .. } if self.is_dead(*value) => {}
                Stmt::Let { pat, value, .. } => {
                    let lowered = self.value(*value);
                    let place = match self.low.get(lowered) {
                        Some(Ir::Const(value)) => Place::Const(value.clone()),
                        Some(Ir::Local(local)) => Place::Local(*local, SmallVec::new()),
                        _ => {
                            let local = self.local();
                            lets.push((local, lowered));
                            Place::Local(local, SmallVec::new())
                        }
                    };
                    self.bind(*pat, place);
                }
            }
        }
        let mut result = match result {
            Some(result) => result,
            None => self.nothing(),
        };
        for (local, value) in lets.into_iter().rev() {
            result = self.low.expr(Ir::Let { local, value, body: result });
        }
        self.next_local = mark;
        result
    }
}

/// What a node is called that no `let` and no callee names.
pub(super) fn form(expr: &Expr) -> &'static str {
    match expr {
        Expr::If { .. } => "if",
        Expr::Match { .. } => "match",
        Expr::For { .. } => "for",
        Expr::Loop { .. } => "loop",
        Expr::Race { .. } => "race",
        Expr::Catch { .. } => "catch",
        Expr::Try(_) => "try",
        Expr::Coalesce(..) => "or_else",
        Expr::Binary(BinaryOp::And, ..) => "and",
        Expr::Binary(BinaryOp::Or, ..) => "or",
        Expr::Template(_) => "text",
        Expr::List(_) => "list",
        Expr::Fail(_) => "fail",
        _ => "value",
    }
}
