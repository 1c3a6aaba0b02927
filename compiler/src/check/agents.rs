//! Agents: the bounds that they must have, the tools that a model can be given, and whether a role promises what its
//! prompts and agents ask of it. What tools do to the world is asked by the effects, not here.

use super::infer::BodyCx;
use super::policies::Place;
use super::ty::{Prim, Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Arg, ArgValue, Callable, Def, DefId, DefKind, ExprId, Literal, Tool};

/// What one use of a role asks of the model that plays it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    /// The name under which a role says it: `tools`, `images`, …
    pub need: &'static str,
    /// What is asked, as the end of "but …".
    pub what: &'static str,
    /// Where.
    pub span: Span,
}

/// What the header of an agent takes.
const HEADER_POLICIES: [&str; 6] = ["calls", "tokens", "cost", "time", "turns", "history"];

impl BodyCx<'_, '_> {
    /// An agent ends: its header bounds its turns, and its tokens or its cost.
    pub(super) fn agent_bounds(&mut self, def: &Def, callable: &Callable) {
        let has = |name: &str| named(&callable.policies, name).is_some();
        let missing: Vec<(&str, &str)> = [
            (!has("turns"), ("`turns`", "turns: 10")),
            (!has("tokens") && !has("cost"), ("`tokens` or `cost`", "tokens: 50_000")),
        ]
        .into_iter()
        .filter_map(|(missing, words)| missing.then_some(words))
        .collect();
        // A bound under another name is told where it stands.
        let misnamed = callable.policies.iter().any(|policy| {
            policy.name.as_ref().is_some_and(|(name, _)| !HEADER_POLICIES.contains(&name.as_str()))
        });
        if missing.is_empty() || misnamed {
            return;
        }
        let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
        let added: Vec<&str> = missing.iter().map(|(_, policy)| *policy).collect();
        let (names, added) = (names.join(", and "), added.join(", "));
        let finding = Diagnostic::new(
            Code::AgentBounds,
            def.name_span,
            format!("the agent `{}` has no limit for {names}", def.name),
        )
        .here("it could go on forever")
        .help(format!("add a limit to its header, such as `with ({added})`"));
        let title = format!("add `{added}`");
        let header_end = callable.does.last().map_or(callable.result.span, |does| does.span);
        let edit = match callable.policies.last() {
            Some(last) => Edit::new(last.span.after(), format!(", {added}")),
            None => Edit::new(header_end.after(), format!(" with ({added})")),
        };
        self.report(finding.guess(title, vec![edit]));
    }

    /// The tools of an agent: each once, and each one that a model can call.
    pub(super) fn tools(&mut self, tools: &[Tool]) {
        let mut seen: Vec<(DefId, Span)> = Vec::new();
        for (index, tool) in tools.iter().enumerate() {
            self.header_policies(Place::Tool, &tool.policies);
            let Some(target) = tool.target else { continue };
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == target) {
                let mut finding = Diagnostic::new(
                    Code::RepeatedTool,
                    tool.path_span,
                    format!("the tool `{}` is listed twice", tool.path),
                )
                .label(*first, "first listed here");
                // With the comma in front of it, which stands between it and the tool before.
                let before = index.checked_sub(1).and_then(|index| tools.get(index));
                if let Some(before) = before {
                    let whole = Span { start: before.span.end, ..tool.span };
                    finding = finding.fix("remove it", vec![Edit::new(whole, "")]);
                }
                self.report(finding);
                continue;
            }
            seen.push((target, tool.path_span));
            self.tool_types(tool, target);
        }
    }

    /// A model writes the arguments of a tool as JSON and reads its result: both must have a form for that.
    fn tool_types(&mut self, tool: &Tool, target: DefId) {
        let hir = self.cx.hir;
        let Some(declared) = hir.defs.get(target.index()) else { return };
        let DefKind::Callable(callable) = &declared.kind else { return };
        let Some(super::DefTypes::Callable(signature)) = self.cx.defs.get(target.index()) else {
            return;
        };
        if !callable.type_params.is_empty() {
            let finding = Diagnostic::new(
                Code::ToolType,
                tool.path_span,
                format!("`{}` cannot be a tool: it is generic", tool.path),
            )
            .here("a model would have to choose the types")
            .help("declare a graph with fixed types that calls it, and list that");
            return self.report_tool(finding, declared);
        }
        for (param, ty) in callable.params.iter().zip(&signature.params) {
            // What may be left out is left out of the tool's schema.
            let is_optional = param.default.is_some() || self.cx.interner.is_optional(*ty);
            if is_optional || self.schema_fits(*ty, &mut Vec::new()) {
                continue;
            }
            let shown = self.show(*ty);
            let finding = Diagnostic::new(
                Code::ToolType,
                tool.path_span,
                format!(
                    "`{}` cannot be a tool: no model can write its `{}`",
                    tool.path, param.name
                ),
            )
            .here(format!("its parameter `{}` is `{shown}`", param.name))
            .help("declare a graph that gets this value itself and calls it, and list that");
            return self.report_tool(finding, declared);
        }
        if !self.schema_fits(signature.result, &mut Vec::new()) {
            let shown = self.show(signature.result);
            let finding = Diagnostic::new(
                Code::ToolType,
                tool.path_span,
                format!("`{}` cannot be a tool: no model can read what it gives", tool.path),
            )
            .here(format!("it gives `{shown}`"))
            .help("declare a graph that makes a text or a record of it, and list that");
            self.report_tool(finding, declared);
        }
    }

    fn report_tool(&mut self, finding: Diagnostic, declared: &Def) {
        let is_std =
            self.cx.hir.modules.get(declared.module.index()).is_some_and(|module| module.is_std);
        // Nobody reads the library's own files here.
        let finding =
            if is_std { finding } else { finding.label(declared.name_span, "declared here") };
        self.report(finding);
    }

    /// What a message of that type asks of the model, if anything.
    pub(super) fn media_need(&self, ty: Ty) -> Option<(&'static str, &'static str)> {
        match self.kind(self.present(ty)) {
            TyKind::Prim(Prim::Image) => Some(("images", "it is sent an image")),
            TyKind::Prim(Prim::Audio) => Some(("audio", "it is sent audio")),
            TyKind::Prim(Prim::File) => Some(("files", "it is sent a file")),
            TyKind::List(item) => self.media_need(*item),
            _ => None,
        }
    }

    /// Reports a role that says it does without what is asked of it. `place` is where the role is named.
    pub(super) fn role_keeps(&mut self, role: DefId, place: Span, demands: &[Demand]) {
        for demand in demands {
            let Some((value, span)) = self.need_of(role, demand.need) else { continue };
            if value != Literal::Bool(false) {
                continue;
            }
            let name = self.def_name(role);
            let finding = Diagnostic::new(
                Code::RoleContradiction,
                demand.span,
                format!(
                    "the role `{name}` does not ask for `{}`, but {}",
                    demand.need, demand.what
                ),
            );
            let finding = if place == demand.span {
                finding
            } else {
                finding.label(place, "this role answers")
            };
            self.report(
                finding
                    .label(span, "its declaration says so")
                    .help(format!(
                        "declare the role with `{}: true`, or use another one",
                        demand.need
                    ))
                    .guess(
                        format!("let `{name}` need `{}`", demand.need),
                        vec![Edit::new(span, format!("{}: true", demand.need))],
                    ),
            );
        }
        if let Some((_, span)) = self.need_of(role, "embedding") {
            let name = self.def_name(role);
            self.report(
                Diagnostic::new(
                    Code::RoleContradiction,
                    place,
                    format!("the role `{name}` makes embeddings: it answers no questions"),
                )
                .label(span, "its declaration says so")
                .help("declare another role for this, with `model name`"),
            );
        }
    }

    /// Reports a number of tokens that is more than the whole context that the role asks for.
    pub(super) fn tokens_fit(&mut self, role: DefId, policies: &[Arg], name: &str) {
        let Some(Arg { value: ArgValue::Expr(value), .. }) = named(policies, name) else { return };
        let Some((Literal::Int(context), span)) = self.need_of(role, "context") else { return };
        let Some(tokens) = self.int_literal(*value).filter(|tokens| *tokens > context) else {
            return;
        };
        let role = self.def_name(role);
        self.report(
            Diagnostic::new(
                Code::RoleContradiction,
                self.span(*value),
                format!("`{name}` is {tokens}, more than the context of the role `{role}`"),
            )
            .here(format!("more than {context} tokens"))
            .label(span, "the context of the role")
            .help(format!("give less, or let the role need `context: {tokens}`")),
        );
    }

    /// `with (model: role)` at a call of a prompt or agent: the other role must do for it, too.
    pub(super) fn role_of_call(&mut self, callee: DefId, role: ExprId) {
        let crate::hir::Expr::Def(role_def) = self.node(role) else { return };
        let (role_def, place) = (*role_def, self.span(role));
        let hir = self.cx.hir;
        let Some(DefKind::Callable(callable)) = hir.defs.get(callee.index()).map(|def| &def.kind)
        else {
            return;
        };
        let is_asked = matches!(
            callable.kind,
            crate::hir::CallableKind::Agent | crate::hir::CallableKind::Prompt
        );
        if !is_asked {
            let name = self.def_name(callee);
            let finding = Diagnostic::new(
                Code::MisplacedPolicy,
                place,
                format!("`{name}` is no prompt, so no role answers it"),
            )
            .here("`model` names another role for one call of a prompt or agent")
            .help("put it behind the call of the prompt itself");
            return self.report(finding);
        }
        // What is sent stands in the body of another declaration, which may change without this one.
        self.cx.trouble();
        let uses_tools = callable.items.iter().any(
            |item| matches!(item, crate::hir::PromptItem::Tools { tools, .. } if !tools.is_empty()),
        );
        let mut demands = Vec::new();
        if uses_tools {
            demands.push(Demand { need: "tools", what: "the agent has tools", span: place });
        }
        for item in &callable.items {
            let crate::hir::PromptItem::Message { expr, .. } = item else { continue };
            let Some(body) = hir.body(callee) else { continue };
            // A list of lists is no message, so one step is enough.
            let parts = match crate::effects::walk::expr(body, *expr) {
                crate::hir::Expr::List(items) => items.iter().map(|(item, _)| *item).collect(),
                _ => vec![*expr],
            };
            for part in parts {
                let sent = self.type_of_param(callee, body, part);
                if let Some((need, what)) = self.media_need(sent)
                    && !demands.iter().any(|demand: &Demand| demand.need == need)
                {
                    demands.push(Demand { need, what, span: place });
                }
            }
        }
        self.role_keeps(role_def, place, &demands);
    }

    /// The type of a parameter that an expression of another declaration names: its signature tells, whether or not its
    /// body was checked.
    fn type_of_param(&self, callee: DefId, body: &crate::hir::Body, expr: ExprId) -> Ty {
        let Some(DefKind::Callable(callable)) =
            self.cx.hir.defs.get(callee.index()).map(|def| &def.kind)
        else {
            return Ty::ERROR;
        };
        let crate::hir::Expr::Local(local) = crate::effects::walk::expr(body, expr) else {
            return Ty::ERROR;
        };
        let Some(super::DefTypes::Callable(signature)) = self.cx.defs.get(callee.index()) else {
            return Ty::ERROR;
        };
        let param = callable.params.iter().position(|param| param.local == *local);
        param.and_then(|index| signature.params.get(index)).copied().unwrap_or(Ty::ERROR)
    }

    /// What a role says about one of its needs, and where.
    fn need_of(&self, role: DefId, need: &str) -> Option<(Literal, Span)> {
        match &self.cx.hir.defs.get(role.index())?.kind {
            DefKind::Model { needs } => needs
                .iter()
                .find(|(name, ..)| name == need)
                .map(|(_, value, span)| (value.clone(), *span)),
            _ => None,
        }
    }

    fn def_name(&self, def: DefId) -> smol_str::SmolStr {
        self.cx.hir.defs.get(def.index()).map(|def| def.name.clone()).unwrap_or_default()
    }
}

fn named<'p>(policies: &'p [Arg], name: &str) -> Option<&'p Arg> {
    policies.iter().find(|arg| arg.name.as_ref().is_some_and(|(own, _)| own == name))
}
