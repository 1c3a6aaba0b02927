//! Policies that the compiler itself counts with: `depth` of a header, `repair` of a prompt or its call. They are whole
//! numbers that it can compute, across constants; so they are looked at when every declaration is known.

use super::rules::{Rules, named};
use super::walk;
use crate::check::ty::Ty;
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{Arg, ArgValue, Body, Callable, DefId, Expr, Literal};

/// Each with the least that makes sense.
const COUNTED: [(&str, i64); 2] = [("depth", 1), ("repair", 0)];

impl Rules<'_> {
    /// The counts in the head of a declaration.
    pub(super) fn head_counts(&mut self, owner: DefId, callable: &Callable, body: Option<&Body>) {
        let Some(body) = body else { return };
        // What reads a parameter was reported as that.
        let reads_none = |arg: &Arg| match arg.value {
            ArgValue::Expr(value) => walk::first_local(body, value).is_none(),
            _ => false,
        };
        let policies: Vec<Arg> =
            callable.policies.iter().filter(|arg| reads_none(arg)).cloned().collect();
        self.counts(owner, body, &policies);
    }

    /// Reports what is no number, or too small a one.
    pub(super) fn counts(&mut self, owner: DefId, body: &Body, policies: &[Arg]) {
        for (name, least) in COUNTED {
            let Some(arg) = policies.iter().find(|arg| named(arg, name)) else { continue };
            let ArgValue::Expr(value) = arg.value else { continue };
            let Some(span) = body.expr_spans.get(value.index()).copied() else { continue };
            let known = walk::whole_number(self.hir, body, value);
            let finding = match known {
                // Literals were looked at with their types.
                Some(n)
                    if n < least
                        && !matches!(walk::expr(body, value), Expr::Literal(Literal::Int(_))) =>
                {
                    Diagnostic::new(
                        Code::PolicyValue,
                        span,
                        format!("`{name}` is at least {least}"),
                    )
                    .here(format!("this is {n}"))
                }
                Some(_) => continue,
                // What is of another type was reported as that.
                None if self.types.ty_of_expr(owner, value) != Ty::INT => continue,
                None => Diagnostic::new(
                    Code::PolicyValue,
                    span,
                    format!("`{name}` is a whole number that is known before anything runs"),
                )
                .here("known only when it runs")
                .help("write a number, a constant, or a sum of such"),
            };
            self.sink.push(finding);
        }
    }
}
