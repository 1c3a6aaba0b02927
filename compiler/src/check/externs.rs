//! Externs: whether the locator makes sense, what it takes of the parameters, which types can be sent where the code is,
//! and how secrets and keys are sent. What an extern does to the world is asked by the effects, not here.

use super::infer::{BodyCx, Expect, Why};
use super::locator::{self, Locator};
use super::policies::Place;
use super::ty::{Prim, Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Edit, Span, names_of};
use crate::hir::{
    Arg, ArgValue, Builtin, Callable, Callee, Def, DefKind, Expr, ExprId, Literal, Param, Qualifier,
};
use crate::names::suggest;

impl BodyCx<'_, '_> {
    /// A declaration of an extern: `types` are those of its parameters.
    pub(super) fn external(
        &mut self,
        def: &Def,
        callable: &Callable,
        (kind, text): (&str, &str),
        types: &[Ty],
        result: Ty,
    ) {
        self.header_policies(Place::of_extern(kind), &callable.policies);
        let is_std =
            self.cx.hir.modules.get(def.module.index()).is_some_and(|module| module.is_std);
        if is_std {
            return;
        }
        self.streams(kind, callable, types);
        // One that is computed has no text, which was reported.
        let written = callable.locator_span.map_or(0, |span| span.end - span.start);
        if text.is_empty() && written > 2 {
            return;
        }
        let found = match locator::parse(kind, text) {
            Ok(found) => found,
            Err(flaw) => {
                // Within the text only if it stands there as it is meant, without escapes.
                let at = |range: std::ops::Range<usize>| place_in(callable, text, range);
                let mut finding =
                    Diagnostic::new(Code::BadLocator, at(flaw.range), flaw.message).help(flaw.help);
                if let Some(repair) = flaw.instead
                    && is_verbatim(callable, text)
                {
                    let title = match repair.insert.trim() {
                        "" => "leave it out".to_owned(),
                        word => format!("write `{word}`"),
                    };
                    let edits = vec![Edit::new(at(repair.range), repair.insert)];
                    finding = if repair.safe {
                        finding.fix(title, edits)
                    } else {
                        finding.guess(title, edits)
                    };
                }
                return self.report(finding);
            }
        };
        self.placeholders(callable, text, &found, types);
        self.sent(kind, callable, &found, types, result);
        if let Some(auth) = policy(callable, "auth").filter(|_| found.is_open) {
            self.report(
                Diagnostic::new(
                    Code::BadLocator,
                    place_in(callable, text, 0..text.len()),
                    "the secret would be sent unencrypted",
                )
                .label(auth.span, "this secret")
                .help("use `https://`"),
            );
        }
    }

    /// `{name}`s name parameters, whose values nobody from outside may choose freely.
    fn placeholders(&mut self, callable: &Callable, text: &str, found: &Locator<'_>, types: &[Ty]) {
        for (range, name) in &found.placeholders {
            let at = place_in(callable, text, range.clone());
            let param = callable.params.iter().zip(types).find(|(param, _)| param.name == *name);
            let Some((param, ty)) = param else {
                let all = callable.params.iter().map(|param| param.name.as_str());
                let mut finding = Diagnostic::new(
                    Code::LocatorParameter,
                    at,
                    format!("there is no parameter `{name}`"),
                );
                finding = match suggest(name, all.clone()) {
                    Some(near) => {
                        let finding = finding.help(format!("did you mean `{{{near}}}`?"));
                        if is_verbatim(callable, text) {
                            let edit = Edit::new(at, format!("{{{near}}}"));
                            finding.guess(format!("write `{{{near}}}`"), vec![edit])
                        } else {
                            finding
                        }
                    }
                    None if callable.params.is_empty() => {
                        finding.help("declare it as a parameter of the extern")
                    }
                    None => finding.help(format!("the parameters are {}", names_of(all))),
                };
                self.report(finding);
                continue;
            };
            self.placeholder(param, *ty, at);
        }
    }

    fn placeholder(&mut self, param: &Param, ty: Ty, at: Span) {
        if self.is_error(ty) {
            return;
        }
        if !self.is_plain(ty) {
            let shown = self.show(ty);
            self.report(
                Diagnostic::new(
                    Code::ExternType,
                    param.ty.span,
                    format!("`{shown}` cannot be a part of the address or command"),
                )
                .here(format!("this is `{shown}`"))
                .label(at, "it would be used here")
                .help("use a text or a number"),
            );
            return;
        }
        let is_closed = self.is_closed(ty);
        if is_closed || param.ty.quals.contains(&Qualifier::Trusted) {
            return;
        }
        let finding = Diagnostic::new(
            Code::UntrustedPlaceholder,
            param.ty.span,
            format!(
                "`{}` becomes part of the address or command, so it must be `trusted`",
                param.name
            ),
        )
        .here("could come from anybody")
        .label(at, "used here")
        .help(format!("declare it as `{}: trusted …`", param.name));
        let untrusted = param.ty.quals.contains(&Qualifier::Untrusted);
        self.report(if untrusted {
            finding
        } else {
            finding.fix("mark it `trusted`", vec![Edit::new(param.ty.span.before(), "trusted ")])
        });
    }

    /// Whether every value of the type has one short written form.
    fn is_plain(&self, ty: Ty) -> bool {
        match self.kind(self.base(ty)) {
            TyKind::Prim(prim) => prim.is_plain(),
            TyKind::Named(..) => self.is_closed(ty),
            TyKind::Error => true,
            _ => false,
        }
    }

    /// Whether the type has only values that the program itself lists: then a value from outside chooses among them.
    fn is_closed(&self, ty: Ty) -> bool {
        match self.kind(self.base(ty)) {
            TyKind::Prim(prim) => matches!(prim, Prim::Bool | Prim::Int),
            TyKind::Named(def, _) => match self.cx.hir.defs.get(def.index()).map(|def| &def.kind) {
                Some(DefKind::Enum(one)) => one.variants.iter().all(|v| v.fields.is_empty()),
                _ => false,
            },
            _ => false,
        }
    }

    /// Parameters and results that have no form in which they could be sent.
    fn sent(
        &mut self,
        kind: &str,
        callable: &Callable,
        found: &Locator<'_>,
        types: &[Ty],
        result: Ty,
    ) {
        let in_address = matches!(found.method, Some("GET" | "HEAD" | "DELETE"));
        for (param, ty) in callable.params.iter().zip(types) {
            if found.placeholders.iter().any(|(_, name)| param.name == *name) {
                continue;
            }
            let base = self.present(*ty);
            let (fits, why) = match kind {
                "http" if in_address && base == Ty::SECRET => {
                    self.report(
                        Diagnostic::new(
                            Code::ExternType,
                            param.ty.span,
                            "a secret cannot be a part of the address",
                        )
                        .here("addresses are kept in logs")
                        .help(
                            "leave this parameter out, and send the secret with `with (auth: …)`",
                        ),
                    );
                    continue;
                }
                "http" if in_address => {
                    let item = self.cx.interner.item(base).unwrap_or(base);
                    let why = "it is sent in the address, which takes only plain values and lists of them";
                    (self.is_plain(item), why)
                }
                "wasm" => (true, ""),
                _ => {
                    let fits = base == Ty::SECRET || self.schema_fits(*ty, &mut Vec::new());
                    (fits, "it cannot be written as JSON")
                }
            };
            if !fits && !self.is_error(*ty) {
                self.unsendable(
                    &format!("an extern from `{kind}` cannot take"),
                    *ty,
                    param.ty.span,
                    why,
                );
            }
        }
        let fits = match kind {
            "http" | "wasm" => {
                let base = self.base(result);
                let is_media =
                    matches!(self.kind(base), TyKind::Prim(Prim::Image | Prim::Audio | Prim::File));
                is_media || self.schema_fits(result, &mut Vec::new())
            }
            _ => self.schema_fits(result, &mut Vec::new()),
        };
        if !fits && !self.is_error(result) {
            self.unsendable(
                &format!("an extern from `{kind}` cannot give"),
                result,
                callable.result.span,
                "it cannot be written as JSON",
            );
        }
    }

    fn unsendable(&mut self, what: &str, ty: Ty, span: Span, why: &str) {
        let shown = self.show(ty);
        self.report(
            Diagnostic::new(Code::ExternType, span, format!("{what} `{shown}`"))
                .here(why)
                .help("use a text, or a type that can be written as JSON"),
        );
    }

    /// `stream` parameters are texts, of externs whose code can take them piece by piece.
    fn streams(&mut self, kind: &str, callable: &Callable, types: &[Ty]) {
        for (param, ty) in callable.params.iter().zip(types) {
            if !param.stream || self.is_error(*ty) {
                continue;
            }
            let finding = if self.base(*ty) != Ty::TEXT {
                let shown = self.show(*ty);
                Diagnostic::new(
                    Code::StreamParameter,
                    param.ty.span,
                    format!("only a text can be marked `stream`, found `{shown}`"),
                )
                .here(format!("this is `{shown}`"))
                .label(param.span, "marked `stream`")
                .help("leave `stream` out: other values are passed when they are complete")
            } else if matches!(kind, "http" | "mcp") {
                Diagnostic::new(
                    Code::StreamParameter,
                    param.span,
                    format!("an extern from `{kind}` cannot take a `stream`"),
                )
                .here("its request is sent when all arguments are complete")
                .help("leave `stream` out, or use an extern from `wasm` or `process`")
            } else {
                continue;
            };
            self.report(match param.stream_span {
                Some(word) => finding.fix("leave `stream` out", vec![Edit::new(word, "")]),
                _ => finding,
            });
        }
    }

    // ---- how a value is sent ----

    /// The value of `auth:` is a way to send a secret, that of `key:` a way to send a key.
    pub(super) fn transport(&mut self, name: &str, e: ExprId) {
        let (allowed, example): (&[Builtin], &str) = match name {
            "auth" => (
                &[Builtin::Bearer, Builtin::Basic, Builtin::Header, Builtin::Query],
                "`auth: bearer(token)`, with `secret token` declared at the top of the file",
            ),
            _ => (&[Builtin::Header, Builtin::Query], "`key: header(\"Idempotency-Key\")`"),
        };
        let Expr::Call { callee: Callee::Builtin(form), args, .. } = self.node(e) else {
            self.expr(e, Expect::ERROR);
            if matches!(self.node(e), Expr::Missing | Expr::Call { callee: Callee::Missing, .. }) {
                return;
            }
            let is_secret = self.is_secret_name(e);
            let span = self.span(e);
            let finding = Diagnostic::new(
                Code::PolicyValue,
                span,
                format!("`{name}` needs a way to send it"),
            )
            .help(format!("write {example}"));
            self.report(if name == "auth" && is_secret {
                finding.guess(
                    "send it as a bearer token",
                    vec![Edit::new(span.before(), "bearer("), Edit::new(span.after(), ")")],
                )
            } else {
                finding
            });
            return;
        };
        if !allowed.contains(form) {
            self.report(
                Diagnostic::new(
                    Code::PolicyValue,
                    self.span(e),
                    format!("`{name}` cannot be sent that way"),
                )
                .help(format!("write {example}")),
            );
            self.spoil_args(args);
            return;
        }
        // What each way takes: texts that name something, and a secret at the end of `auth`.
        let names = match form {
            Builtin::Header | Builtin::Query | Builtin::Basic => 1,
            _ => 0,
        };
        let secrets = usize::from(name == "auth");
        if args.len() != names + secrets {
            let form = match (form, name) {
                (Builtin::Bearer, _) => "bearer(secret)",
                (Builtin::Basic, _) => "basic(\"user\", secret)",
                (Builtin::Query, "auth") => "query(\"name\", secret)",
                (Builtin::Query, _) => "query(\"name\")",
                (_, "auth") => "header(\"Name\", secret)",
                _ => "header(\"Name\")",
            };
            self.report(
                Diagnostic::new(Code::PolicyValue, self.span(e), format!("write `{form}` here"))
                    .here(format!("found {} values", args.len())),
            );
            self.spoil_args(args);
            return;
        }
        for (index, arg) in args.iter().enumerate() {
            let ArgValue::Expr(value) = arg.value else {
                self.spoil_args(std::slice::from_ref(arg));
                continue;
            };
            let ty = if index < names { Ty::TEXT } else { Ty::SECRET };
            self.expr(value, Expect::of(ty, Why::Nothing));
            if index < names && matches!(form, Builtin::Header) {
                self.header_name(value);
            }
        }
    }

    /// `headers:` is a map of names to texts and secrets.
    pub(super) fn headers(&mut self, e: ExprId) {
        let Expr::Map(entries) = self.node(e) else {
            self.expr(e, Expect::ERROR);
            if !matches!(self.node(e), Expr::Missing) {
                self.report(
                    Diagnostic::new(
                        Code::PolicyValue,
                        self.span(e),
                        "`headers` must be a map that is written in place",
                    )
                    .help("write it as `headers: [\"Accept\": \"application/json\"]`"),
                );
            }
            return;
        };
        let text = self.cx.interner.map(Ty::TEXT, Ty::TEXT);
        for (key, value) in entries {
            self.expr(*key, Expect::of(Ty::TEXT, Why::Nothing));
            self.header_name(*key);
            let ty = if self.is_secret_name(*value) { Ty::SECRET } else { Ty::TEXT };
            self.expr(*value, Expect::of(ty, Why::Nothing));
        }
        self.set(e, text);
    }

    /// A name of a header is a token (RFC 9110, section 5.6.2), known before anything is sent.
    fn header_name(&mut self, e: ExprId) {
        let Some(Literal::Text(name)) = self.literal(e) else { return };
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || !name.chars().all(is_token) {
            self.report(
                Diagnostic::new(
                    Code::PolicyValue,
                    self.span(e),
                    format!("a header cannot be called `{name}`"),
                )
                .help("use letters, digits and `-`, such as \"Idempotency-Key\""),
            );
        }
    }
}

fn policy<'p>(callable: &'p Callable, name: &str) -> Option<&'p Arg> {
    callable.policies.iter().find(|arg| arg.name.as_ref().is_some_and(|(own, _)| own == name))
}

/// Whether the locator stands in the file as it is meant: without escapes.
fn is_verbatim(callable: &Callable, text: &str) -> bool {
    callable.locator_span.is_some_and(|span| (span.end - span.start) as usize == text.len())
}

/// The place of bytes of the locator; the whole text where they cannot be found.
fn place_in(callable: &Callable, text: &str, range: std::ops::Range<usize>) -> Span {
    let Some(span) = callable.locator_span else { return callable.result.span };
    if !is_verbatim(callable, text) {
        return span;
    }
    let at = |offset: usize| span.start + u32::try_from(offset).unwrap_or(0);
    Span { start: at(range.start), end: at(range.end), ..span }
}
