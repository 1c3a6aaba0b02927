//! Graphs, prompts, and functions: one body each.

use kait_ir::expr::Expr as Ir;
use kait_ir::program::{
    Graph, GraphKind, Message, MessageRole as IrRole, ModelCall, NodeKind, RegionId,
};
use kait_ir::types::{Type, TypeId};
use kait_ir::{ExprId as IrId, FunctionId, GraphId, Value};

use super::Lowerer;
use super::body::{BodyLowerer, Place};
use super::growth::Growth;
use super::policies::policy;
use super::regions::NewNode;
use crate::effects::walk;
use crate::hir::{Arg, Callable, CallableKind, DefId, DefKind, MessageRole, PromptItem};

/// Budgets that a header may set.
const BUDGETS: [&str; 5] = ["calls", "tokens", "cost", "time", "turns"];

impl Lowerer<'_> {
    /// The head of a graph; its body is lowered later.
    pub(super) fn new_graph(&mut self, def: DefId, subst: &[TypeId]) -> GraphId {
        let id = GraphId(u32::try_from(self.program.graphs.len()).unwrap_or(u32::MAX));
        let name = self.instance_name(def, subst);
        let declared = self.def(def);
        let types = self.input.types;
        let (params, result, kind, budgets, depth) = match declared.map(|def| &def.kind) {
            Some(DefKind::Callable(callable)) => {
                let params = self.params(def, callable, subst);
                let signature = types.signature(def);
                let result = signature.map(|s| s.result);
                let kind = match callable.kind {
                    CallableKind::Prompt | CallableKind::Agent => GraphKind::Prompt,
                    _ => GraphKind::Graph,
                };
                let budgets = BUDGETS.iter().filter_map(|name| {
                    let value = policy(&callable.policies, name)?;
                    Some(((*name).into(), self.default(def, value, subst)))
                });
                let budgets = budgets.collect();
                (params, result, kind, budgets, self.depth(def, callable))
            }
            Some(DefKind::Test(_)) => (Vec::new(), None, GraphKind::Test, Vec::new(), None),
            _ => (Vec::new(), types.constant(def), GraphKind::Graph, Vec::new(), None),
        };
        let result = match result {
            Some(ty) => self.ty(ty, subst),
            None => self.plain(Type::None),
        };
        let is_root = declared.is_some_and(|def| def.module.index() == 0);
        self.program.graphs.push(Graph {
            name,
            kind,
            // Nobody is offered what a test's stubs answer.
            public: declared.is_some_and(|def| def.is_pub) && is_root && !self.in_test,
            docs: declared.map(|def| def.docs.clone()).unwrap_or_default(),
            params,
            result,
            body: RegionId(u32::MAX),
            budgets,
            depth,
            span: declared.and_then(|def| Self::span(def.name_span)),
        });
        id
    }

    fn depth(&self, def: DefId, callable: &Callable) -> Option<u32> {
        let body = self.input.hir.body(def)?;
        let depth = policy(&callable.policies, "depth")?;
        let depth = walk::whole_number(self.input.hir, body, depth)?;
        Some(u32::try_from(depth).unwrap_or(u32::MAX))
    }

    /// Lowers the body of a graph whose head exists.
    pub(super) fn graph_body(&mut self, id: GraphId, def: DefId, subst: &[TypeId]) {
        let Some(declared) = self.def(def) else { return };
        let region = match &declared.kind {
            DefKind::Callable(callable) => match &callable.kind {
                CallableKind::Prompt | CallableKind::Agent => self.prompt(def, callable, subst),
                CallableKind::Extern { locator, .. } => {
                    // A stable native whose calls a test counts.
                    self.wrapper(id, def, callable, locator, subst)
                }
                CallableKind::Graph | CallableKind::Fn | CallableKind::Trigger => {
                    self.block(def, callable, subst)
                }
            },
            _ => {
                let root = self.input.hir.body(def);
                let root = root.and_then(|body| body.root);
                BodyLowerer::new(self, def, subst).map(|mut body| {
                    body.region(0, |this| match root {
                        Some(root) => this.value(root),
                        None => this.nothing(),
                    })
                })
            }
        };
        if let (Some(region), Some(graph)) = (region, self.program.graphs.get_mut(id.index())) {
            graph.body = region;
        }
    }

    fn block(&mut self, def: DefId, callable: &Callable, subst: &[TypeId]) -> Option<RegionId> {
        let mut body = BodyLowerer::new(self, def, subst)?;
        let root = body.body.root;
        let params = u32::try_from(callable.params.len()).unwrap_or(u32::MAX);
        Some(body.region(params, |this| {
            this.enter_params(callable);
            match root {
                // Nobody waits for what a trigger's block gives.
                Some(root) if callable.kind == CallableKind::Trigger => {
                    this.bare(root);
                    this.nothing()
                }
                Some(root) => this.value(root),
                None => this.nothing(),
            }
        }))
    }

    fn wrapper(
        &mut self,
        id: GraphId,
        def: DefId,
        callable: &Callable,
        locator: &smol_str::SmolStr,
        subst: &[TypeId],
    ) -> Option<RegionId> {
        let graph = self.program.graphs.get(id.index())?;
        let (result, params) = (graph.result, graph.params.iter().map(|p| p.ty).collect());
        let mut body = BodyLowerer::new(self, def, subst)?;
        let count = u32::try_from(callable.params.len()).unwrap_or(u32::MAX);
        Some(body.region(count, |this| {
            let depth = this.depth();
            let args: Vec<IrId> = (0..count).map(|slot| this.slot(depth, slot)).collect();
            let name = locator.clone();
            this.low.expr(Ir::Native { name, args, result, params })
        }))
    }

    /// Lowers the body of a function whose head exists.
    pub(super) fn function_body(&mut self, id: FunctionId, def: DefId, subst: &[TypeId]) {
        let Some(mut body) = BodyLowerer::new(self, def, subst) else { return };
        if let Some(DefKind::Callable(callable)) = body.low.def(def).map(|def| &def.kind) {
            for param in &callable.params {
                let local = body.local();
                body.set_place(param.local, Place::Local(local, Default::default()));
            }
        }
        let value = match body.body.root {
            Some(root) => body.value(root),
            None => body.low.constant(Value::None),
        };
        if let Some(function) = self.program.functions.get_mut(id.index()) {
            function.body = value;
        }
    }

    /// A prompt: one model call; what its messages need is evaluated before.
    fn prompt(&mut self, def: DefId, callable: &Callable, subst: &[TypeId]) -> Option<RegionId> {
        let declared = self.def(def)?;
        let name = self.qualified(def);
        let signature = self.input.types.signature(def)?.result;
        let output = self.ty(signature, subst);
        let grows = self.growths.result(def) != Growth::No;
        let mut body = BodyLowerer::new(self, def, subst)?;
        let params = u32::try_from(callable.params.len()).unwrap_or(u32::MAX);
        Some(body.region(params, |this| {
            this.enter_params(callable);
            let is_text = *this.low.program.types.get(output) == Type::Text;
            let mut call = ModelCall {
                prompt: name,
                docs: declared.docs.clone(),
                role: Default::default(),
                options: Vec::new(),
                messages: Vec::new(),
                output,
                repair: u32::from(!is_text),
            };
            this.items(callable, &mut call);
            if let Some(n) = this.repairs(&callable.policies).filter(|_| !is_text) {
                call.repair = n;
            }
            if is_text {
                call.repair = 0;
            }
            let kind = NodeKind::Model(Box::new(call));
            let span = Some(declared.name_span);
            this.node(NewNode { kind, name: "model", ty: output, grows, span })
        }))
    }
}

impl BodyLowerer<'_, '_> {
    /// The parameters of a callable are the first slots of its block.
    fn enter_params(&mut self, callable: &Callable) {
        let depth = self.depth();
        for (slot, param) in (0u32..).zip(&callable.params) {
            self.set_place(param.local, Place::Slot(depth, slot, Default::default()));
        }
    }

    fn items(&mut self, callable: &Callable, call: &mut ModelCall) {
        for item in &callable.items {
            match item {
                PromptItem::Model { role, policies, span, .. } => {
                    match role {
                        Some(role) => call.role = self.low.role(*role),
                        None => {
                            self.low.broken(*span, "a prompt without role");
                        }
                    }
                    for arg in policies {
                        let Some((name, _)) = &arg.name else { continue };
                        if name == "repair" {
                            continue;
                        }
                        if let Some(value) = policy(policies, name) {
                            let value = self.value(value);
                            call.options.push((name.clone(), value));
                        }
                    }
                    if let Some(n) = self.repairs(policies) {
                        call.repair = n;
                    }
                }
                PromptItem::Message { role, expr, .. } => {
                    let ty = self.ty(*expr);
                    let content = self.value(*expr);
                    let role = match role {
                        MessageRole::System => IrRole::System,
                        MessageRole::User => IrRole::User,
                        MessageRole::Assistant => IrRole::Assistant,
                        MessageRole::Messages => IrRole::Messages,
                    };
                    call.messages.push(Message { role, content, ty });
                }
                PromptItem::Tools { span, .. } => {
                    self.low.not_supported(*span, "tools of an agent");
                }
            }
        }
    }

    /// `repair: n` among policies.
    pub(super) fn repairs(&self, policies: &[Arg]) -> Option<u32> {
        let repairs = policy(policies, "repair")?;
        let repairs = walk::whole_number(self.low.input.hir, self.body, repairs)?;
        Some(u32::try_from(repairs).unwrap_or(u32::MAX))
    }
}
