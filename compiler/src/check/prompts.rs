//! Prompts: one model line, what may stand in a message, and which results a model can be asked for.

use super::agents::Demand;
use super::infer::{BodyCx, Expect, Why};
use super::policies::Place;
use super::ty::{Prim, Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{Callable, CallableKind, Def, DefId, ExprId, MessageRole, PromptItem};

impl BodyCx<'_, '_> {
    /// The lines of a prompt or agent.
    pub(super) fn prompt(&mut self, def: &Def, callable: &Callable, result: Ty) {
        let is_agent = callable.kind == CallableKind::Agent;
        let mut model: Option<Span> = None;
        let mut says_something = false;
        let mut before: Option<Span> = None;
        let mut role: Option<(DefId, Span)> = None;
        let mut demands: Vec<Demand> = Vec::new();
        let mut tools_at: Option<Span> = None;
        if is_agent {
            self.agent_bounds(def, callable);
        }
        for item in &callable.items {
            match item {
                PromptItem::Model { role: named, policies, span, .. } => {
                    self.header_policies(Place::Model, policies);
                    if let Some(first) = model {
                        self.report(
                            Diagnostic::new(
                                Code::PromptModel,
                                *span,
                                "there can be only one `model` line",
                            )
                            .label(first, "first written here"),
                        );
                    } else {
                        model = Some(*span);
                        role = named.map(|role| (role, *span));
                        if let Some(role) = named {
                            self.tokens_fit(*role, policies, "max_tokens");
                            self.tokens_fit(*role, &callable.policies, "history");
                        }
                        if let Some(first) = before {
                            self.report(
                                Diagnostic::new(
                                    Code::PromptModel,
                                    *span,
                                    "the `model` line must be the first",
                                )
                                .label(first, "this comes before it")
                                .help("move it up"),
                            );
                        }
                    }
                }
                PromptItem::Message { role, expr, span } => {
                    before.get_or_insert(*span);
                    says_something |= *role != MessageRole::System;
                    self.message(*role, *expr);
                    let ty = self.out.exprs.get(expr.index()).copied().unwrap_or(Ty::ERROR);
                    if let Some((need, what)) = self.media_need(ty) {
                        demands.push(Demand { need, what, span: self.span(*expr) });
                    }
                }
                PromptItem::Tools { tools, span } if is_agent => {
                    self.tools(tools);
                    if let Some(first) = tools_at.replace(*span) {
                        self.report(
                            Diagnostic::new(
                                Code::PromptContent,
                                *span,
                                "there can be only one `tools` line",
                            )
                            .label(first, "first written here")
                            .help("write all tools into one list"),
                        );
                    } else if !tools.is_empty() {
                        let what = "the agent has tools";
                        demands.push(Demand { need: "tools", what, span: *span });
                    }
                }
                PromptItem::Tools { tools, span } => {
                    for tool in tools {
                        self.spoil_args(&tool.policies);
                    }
                    self.report(
                        Diagnostic::new(Code::PromptContent, *span, "a prompt cannot use tools")
                            .help("declare it as an `agent`"),
                    );
                }
            }
        }
        if model.is_none() {
            let finding = Diagnostic::new(
                Code::PromptModel,
                def.name_span,
                format!("`{}` does not say which model it asks", def.name),
            );
            let roles = self.roles();
            let first = before;
            self.report(match (roles.as_slice(), first) {
                ([], _) => finding
                    .help("declare a role at the top of the file, `model fast`, and add a line `model fast`"),
                ([role], Some(first)) => {
                    let at = Edit::new(first.before(), format!("model {role}\n  "));
                    finding
                        .help(format!("add a line `model {role}`"))
                        .guess(format!("add `model {role}`"), vec![at])
                }
                (roles, _) => {
                    let all = crate::diagnostics::names_of(roles.iter().map(|role| role.as_str()));
                    finding.help(format!("add a line `model role` with one of {all}"))
                }
            });
        } else if !says_something {
            self.report(
                Diagnostic::new(
                    Code::PromptContent,
                    def.name_span,
                    format!("`{}` has no message for the model", def.name),
                )
                .help("add a line `user \"…\"`"),
            );
        }
        if let Some((role, place)) = role {
            self.role_keeps(role, place, &demands);
        }
        self.model_result(callable, result);
    }

    fn message(&mut self, role: MessageRole, e: ExprId) {
        if role == MessageRole::Messages {
            let expect = match self.cx.lang.message {
                Some(def) => {
                    let message = self.cx.interner.named(def, &[]);
                    Expect::of(self.cx.interner.list(message), Why::Nothing)
                }
                None => Expect::ERROR,
            };
            self.expr(e, expect);
            return;
        }
        let ty = self.expr(e, Expect::ANY);
        let media = role == MessageRole::User;
        if self.content_fits(ty, media) {
            return;
        }
        let places = self.origins(e);
        if self.blamed(&places, Ty::TEXT) {
            return;
        }
        let shown = self.show(ty);
        let word = match role {
            MessageRole::System => "system",
            MessageRole::User | MessageRole::Messages => "user",
            MessageRole::Assistant => "assistant",
        };
        let what = if media { "a text, image, audio, file, or a list of them" } else { "a text" };
        let at = self.span(e);
        let finding =
            Diagnostic::new(Code::PromptContent, at, format!("`{word}` cannot send `{shown}`"))
                .here(format!("this must be {what}"));
        let finding = match self.kind(ty).clone() {
            TyKind::Optional(_) => finding.help("it may be `none`: give another value with `??`"),
            TyKind::Prim(Prim::Image | Prim::Audio | Prim::File) => {
                finding.help("write it in a `user` line")
            }
            TyKind::Prim(Prim::Secret | Prim::Role) => finding,
            _ => finding.help("put it into a text: `\"${…}\"`").fix(
                "put it into a text",
                vec![Edit::new(at.before(), "\"${"), Edit::new(at.after(), "}\"")],
            ),
        };
        self.report(finding);
    }

    fn content_fits(&self, ty: Ty, media: bool) -> bool {
        match self.kind(ty) {
            TyKind::Prim(Prim::Text) | TyKind::Error | TyKind::Never | TyKind::Var(_) => true,
            TyKind::Prim(Prim::Image | Prim::Audio | Prim::File) => media,
            TyKind::List(item) => media && self.content_fits(*item, media),
            _ => false,
        }
    }

    /// Whether a model can be asked for a result: it has a JSON Schema.
    fn model_result(&mut self, callable: &Callable, result: Ty) {
        let base = self.base(result);
        let part =
            if base == Ty::NONE { Some(base) } else { self.not_in_schema(base, &mut Vec::new()) };
        let Some(part) = part else { return };
        let (shown, part) = (self.show(result), self.show(part));
        let here = if part == shown {
            "a model cannot answer with this type".to_owned()
        } else {
            format!("a model cannot answer with the `{part}` in it")
        };
        self.report(
            Diagnostic::new(
                Code::ModelResult,
                callable.result.span,
                format!("a model cannot be asked for `{shown}`"),
            )
            .here(here)
            .help(
                "ask for a text, or for records, enums, lists and values that can be written as JSON",
            ),
        );
    }

    /// Whether values of a type can be written as JSON that a schema describes.
    pub(super) fn schema_fits(&mut self, ty: Ty, seen: &mut Vec<Ty>) -> bool {
        self.not_in_schema(ty, seen).is_none()
    }

    /// A part of a type whose values no JSON that a schema describes can hold.
    fn not_in_schema(&mut self, ty: Ty, seen: &mut Vec<Ty>) -> Option<Ty> {
        let base = self.base(ty);
        if seen.contains(&base) {
            return None;
        }
        match self.kind(base).clone() {
            TyKind::Prim(Prim::Image | Prim::Audio | Prim::File | Prim::Role | Prim::Secret)
            | TyKind::Selector(..) => Some(base),
            TyKind::List(item) | TyKind::Optional(item) => self.not_in_schema(item, seen),
            TyKind::Map(key, value) => {
                self.not_in_schema(key, seen).or_else(|| self.not_in_schema(value, seen))
            }
            TyKind::Named(def, args) => {
                seen.push(base);
                let fields: Vec<Ty> = match self.cx.defs.get(def.index()) {
                    Some(super::DefTypes::Record(fields)) => fields.clone(),
                    Some(super::DefTypes::Enum(all)) => all.iter().flatten().copied().collect(),
                    _ => Vec::new(),
                };
                fields.into_iter().find_map(|ty| {
                    let ty = self.cx.interner.subst(ty, &args);
                    self.not_in_schema(ty, seen)
                })
            }
            _ => None,
        }
    }
}
