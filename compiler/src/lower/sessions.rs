//! Sessions of tests: each read and save is a leaf of the host, which keeps the fields as long as the test runs. Other
//! runs have no store yet.

use kait_ir::expr::Expr as Ir;
use kait_ir::program::{Calling, EffectClass, LeafCall, LeafDecl, NodeKind, Param};
use kait_ir::types::{Type, TypeId};
use kait_ir::{ExprId as IrId, LeafId, Value};
use smol_str::{SmolStr, format_smolstr};

use super::body::BodyLowerer;
use super::regions::NewNode;
use crate::check::{ArgSource, SESSION_ID};
use crate::diagnostics::Span;
use crate::effects::{Effect, EffectSet};
use crate::hir::{Arg, ArgValue, Callable, DefId, DefKind, ExprId, Field};

/// The kind of the leaves behind sessions; the locator is `read` or `save`.
const SESSION: &str = "session";

impl<'a> BodyLowerer<'_, 'a> {
    /// `session.field` or `session.id`.
    pub(super) fn session_field(
        &mut self,
        id: ExprId,
        def: DefId,
        name: &SmolStr,
        let_name: Option<&str>,
    ) -> IrId {
        let span = self.span(id);
        if !self.low.in_test || self.chooses_session() {
            return self.low.not_run(span, "sessions");
        }
        if name == SESSION_ID {
            // One session lasts for the test.
            return self.low.constant(Value::text("test"));
        }
        let Some((field, default)) = self.session_default(def, name) else {
            return self.broken(id, "a field of no session");
        };
        let ty = self.ty(id);
        let param = param(field, ty);
        let set = self.low.input.effects.of_expr(self.owner, id).clone();
        let leaf = self.session_leaf("read", def, &set, vec![param], ty);
        self.session_node(leaf, vec![default], let_name.unwrap_or(name), ty, span)
    }

    /// `session.save(field: value, …)`: per field a list of its new value, or an empty one.
    pub(super) fn session_save(&mut self, id: ExprId, args: &'a [Arg]) -> IrId {
        let span = self.span(id);
        if !self.low.in_test || self.chooses_session() {
            return self.low.not_run(span, "sessions");
        }
        let Some(def) = self.session() else {
            return self.broken(id, "a save without session");
        };
        let types = self.types;
        let (Some(call), Some(fields)) = (types.calls.get(&id), self.session_fields(def)) else {
            return self.broken(id, "a save that was not resolved");
        };
        let values: Vec<ExprId> = args
            .iter()
            .filter_map(|arg| match arg.value {
                ArgValue::Expr(value) => Some(value),
                _ => None,
            })
            .collect();
        let lowered = self.operands(&values);
        let mut given = Vec::with_capacity(fields.len());
        let mut params = Vec::with_capacity(fields.len());
        for ((field, source), ty) in fields.iter().zip(&call.args).zip(&call.params) {
            let value = match source {
                ArgSource::Arg(index) => lowered.get(*index as usize).copied(),
                _ => None,
            };
            let items = value.map(|value| (value, false)).into_iter().collect();
            given.push(self.low.expr(Ir::List(items)));
            let ty = self.low.ty(*ty, &[]);
            let list = self.low.plain(Type::List(ty));
            params.push(param(field, list));
        }
        let mut set = EffectSet::default();
        for effect in self.low.input.effects.of(self.owner).iter() {
            if matches!(effect, Effect::Write(one) if self.low.is_session(one)) {
                set.add(effect);
            }
        }
        let none = self.low.plain(Type::None);
        let leaf = self.session_leaf("save", def, &set, params, none);
        self.session_node(leaf, given, "session.save", none, span)
    }

    /// Whether the header says which session it is: a test has one of each kind.
    fn chooses_session(&self) -> bool {
        match self.low.def(self.owner).map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => {
                callable.policies.iter().any(|arg| super::growth::named(arg, "by"))
            }
            _ => false,
        }
    }

    /// The session that the declaration runs in.
    fn session(&self) -> Option<DefId> {
        match &self.low.def(self.owner)?.kind {
            DefKind::Callable(Callable { session: Some(session), .. }) => session.def,
            _ => None,
        }
    }

    fn session_fields(&self, def: DefId) -> Option<&'a [Field]> {
        match &self.low.def(def)?.kind {
            DefKind::Session(record) => Some(&record.fields),
            _ => None,
        }
    }

    fn session_default(&mut self, def: DefId, name: &str) -> Option<(&'a Field, IrId)> {
        let field = self.session_fields(def)?.iter().find(|field| field.name == name)?;
        let default = self.low.default(def, field.default?, &[]);
        Some((field, default))
    }

    fn session_leaf(
        &mut self,
        locator: &str,
        def: DefId,
        set: &EffectSet,
        params: Vec<Param>,
        result: TypeId,
    ) -> LeafId {
        let session = self.low.qualified(def);
        let name = format_smolstr!("session.{session}");
        let known = self.low.program.leaves.iter().position(|leaf| {
            leaf.kind == SESSION
                && leaf.locator == locator
                && leaf.name == name
                && leaf.params == params
        });
        let index = known.unwrap_or_else(|| {
            let class = match locator {
                // It commits together with the record of the run.
                "save" => EffectClass::Write { keyed: true },
                _ => EffectClass::Read,
            };
            let leaf = LeafDecl {
                name,
                kind: SESSION.into(),
                locator: locator.into(),
                params,
                result,
                class,
                reads: self.low.resources(set.reads()),
                writes: self.low.resources(set.writes()),
                guarded: false,
                trust: None,
                with: Calling::default(),
            };
            self.low.program.leaves.push(leaf);
            self.low.program.leaves.len() - 1
        });
        LeafId(u32::try_from(index).unwrap_or(u32::MAX))
    }

    fn session_node(
        &mut self,
        leaf: LeafId,
        args: Vec<IrId>,
        name: &str,
        ty: TypeId,
        span: Span,
    ) -> IrId {
        let kind = NodeKind::Leaf(LeafCall { leaf, args, key: None, target: None });
        self.node(NewNode { kind, name, ty, grows: false, span: Some(span) })
    }
}

fn param(field: &Field, ty: TypeId) -> Param {
    let (name, docs) = (field.name.clone(), SmolStr::default());
    Param { name, docs, ty, default: None, stream: false, trust: None }
}

impl super::Lowerer<'_> {
    /// Whether a resource is the state of a session.
    fn is_session(&self, resource: crate::effects::Resource) -> bool {
        let path = self.input.effects.resources.path(resource);
        path.strip_prefix(SESSION).is_some_and(|rest| rest.starts_with('.'))
    }
}
