//! How an extern is called: what stands in the `with` of its header, as data that whoever calls it reads.
//!
//! All of it is known before anything runs. Secrets stand in it by their names.

use kait_ir::Value;
use kait_ir::program::{Auth, Calling, HeaderText, KeyPlace};
use smol_str::SmolStr;

use super::Lowerer;
use super::policies::policy;
use crate::diagnostics::Span;
use crate::effects::walk;
use crate::hir::{Arg, ArgValue, Builtin, Callable, Callee, DefId, DefKind, Expr, ExprId};

impl<'a> Lowerer<'a> {
    /// What the header of an extern says of how it is called.
    pub(super) fn calling(&mut self, def: DefId, kind: &str, callable: &'a Callable) -> Calling {
        let mut with = Calling::default();
        let policies = callable.policies.as_slice();
        if kind == "http" {
            with.auth = policy(policies, "auth").and_then(|auth| self.auth(def, auth));
            with.key = policy(policies, "key").and_then(|key| self.key_place(def, key));
            if let Some(headers) = policy(policies, "headers") {
                with.headers = self.headers(def, headers);
            }
        }
        if matches!(kind, "http" | "process" | "mcp") {
            with.timeout = self.limit(def, policies, "timeout");
        }
        if kind == "process" {
            with.memory = self.limit(def, policies, "memory");
            with.time = self.limit(def, policies, "time");
        }
        with
    }

    fn written(&self, owner: DefId, expr: ExprId) -> Option<&'a Expr> {
        Some(walk::expr(self.input.hir.body(owner)?, expr))
    }

    fn place_of(&self, owner: DefId, expr: ExprId) -> Span {
        let body = self.input.hir.body(owner);
        let span = body.and_then(|body| body.expr_spans.get(expr.index()).copied());
        span.unwrap_or_else(|| self.input.start())
    }

    /// A way to send something: which, and what it is given.
    fn form(&mut self, owner: DefId, expr: ExprId) -> Option<(Builtin, Vec<ExprId>)> {
        let Some(Expr::Call { callee: Callee::Builtin(form), args, .. }) =
            self.written(owner, expr)
        else {
            self.broken(self.place_of(owner, expr), "no way to send a value");
            return None;
        };
        let value = |arg: &Arg| match arg.value {
            ArgValue::Expr(value) => Some(value),
            _ => None,
        };
        Some((*form, args.iter().filter_map(value).collect()))
    }

    fn auth(&mut self, owner: DefId, expr: ExprId) -> Option<Auth> {
        let (form, args) = self.form(owner, expr)?;
        let secret = self.secret(owner, *args.last()?)?;
        let mut name = || self.constant_text(owner, *args.first()?);
        Some(match form {
            Builtin::Bearer => Auth::Bearer { secret },
            Builtin::Basic => Auth::Basic { user: name()?, secret },
            Builtin::Header => Auth::Header { name: name()?, secret },
            Builtin::Query => Auth::Query { name: name()?, secret },
            _ => {
                self.broken(self.place_of(owner, expr), "no way to send a secret");
                return None;
            }
        })
    }

    fn key_place(&mut self, owner: DefId, expr: ExprId) -> Option<KeyPlace> {
        let (form, args) = self.form(owner, expr)?;
        let name = self.constant_text(owner, *args.first()?)?;
        Some(if form == Builtin::Query { KeyPlace::Query(name) } else { KeyPlace::Header(name) })
    }

    fn headers(&mut self, owner: DefId, expr: ExprId) -> Vec<(SmolStr, HeaderText)> {
        let Some(Expr::Map(entries)) = self.written(owner, expr) else {
            self.broken(self.place_of(owner, expr), "headers that are no map");
            return Vec::new();
        };
        let mut found = Vec::with_capacity(entries.len());
        for (name, content) in entries {
            let Some(name) = self.constant_text(owner, *name) else { continue };
            let content = if self.is_secret(owner, *content) {
                self.secret(owner, *content).map(HeaderText::Secret)
            } else {
                self.constant_text(owner, *content).map(HeaderText::Text)
            };
            found.extend(content.map(|content| (name, content)));
        }
        found
    }

    fn is_secret(&self, owner: DefId, expr: ExprId) -> bool {
        let Some(Expr::Def(def)) = self.written(owner, expr) else { return false };
        self.def(*def).is_some_and(|def| matches!(def.kind, DefKind::Secret))
    }

    /// The name of a secret.
    fn secret(&mut self, owner: DefId, expr: ExprId) -> Option<SmolStr> {
        match self.written(owner, expr) {
            Some(Expr::Def(def)) if self.is_secret(owner, expr) => Some(self.qualified(*def)),
            _ => {
                self.broken(self.place_of(owner, expr), "no secret where one is sent");
                None
            }
        }
    }

    /// A value that is known before anything runs.
    fn known(&mut self, owner: DefId, expr: ExprId) -> Option<Value> {
        let value = self.folded(owner, expr, &[]);
        if value.is_none() {
            let span = self.place_of(owner, expr);
            self.not_supported(span, "a computed value in the header of an extern");
        }
        value
    }

    fn constant_text(&mut self, owner: DefId, expr: ExprId) -> Option<SmolStr> {
        match self.known(owner, expr)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A duration or a size; what is below none is none.
    fn limit(&mut self, owner: DefId, policies: &[Arg], name: &str) -> Option<u64> {
        match self.known(owner, policy(policies, name)?)? {
            Value::Duration(nanos) => Some(u64::try_from(nanos).unwrap_or(0)),
            Value::Size(bytes) => Some(bytes),
            _ => None,
        }
    }
}
