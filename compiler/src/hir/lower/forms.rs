//! Forms of the language that are called like functions.

use crate::hir::Builtin;

/// Their names; a file's own names win over them.
pub(super) const BUILTINS: &[(&str, Builtin)] = &[
    ("ask", Builtin::Ask),
    ("choose", Builtin::Choose),
    ("allow", Builtin::Allow),
    ("endorse", Builtin::Endorse),
    ("calls", Builtin::Calls),
    ("attempts", Builtin::Attempts),
    ("called", Builtin::Called),
    ("order", Builtin::Order),
];

/// The form of a name.
pub(super) fn builtin(name: &str) -> Option<Builtin> {
    BUILTINS.iter().find(|(known, _)| *known == name).map(|(_, form)| *form)
}

/// Whether the form means something in tests only.
pub(super) fn is_for_tests(form: Builtin) -> bool {
    matches!(form, Builtin::Calls | Builtin::Attempts | Builtin::Called | Builtin::Order)
}

/// How many leading arguments of a form name something to call instead of being values.
pub(super) fn callable_arguments(form: Builtin) -> usize {
    match form {
        Builtin::Calls | Builtin::Attempts | Builtin::Called => 1,
        Builtin::Order => usize::MAX,
        _ => 0,
    }
}

/// The words of an extern's header that say how a value is sent: `key: header("Idempotency-Key")`.
pub(super) fn transport(name: &str) -> Option<Builtin> {
    Some(match name {
        "header" => Builtin::Header,
        "query" => Builtin::Query,
        "bearer" => Builtin::Bearer,
        "basic" => Builtin::Basic,
        _ => return None,
    })
}

/// Whether a test can stub it: what a person would answer.
pub(super) fn is_asked(form: Builtin) -> bool {
    matches!(form, Builtin::Ask | Builtin::Choose)
}
