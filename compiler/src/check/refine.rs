//! Refinements: whether the bounds of a `where (…)` make sense, and whether a literal keeps them.
//! Other values are checked when the program runs, never here.

use std::cmp::Ordering;
use std::sync::Arc;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;
use rustc_hash::FxHashSet;

use super::Checker;
use super::display::literal;
use super::ty::{Constraint, LiteralKey, Prim, Ty, TyKind};
use crate::diagnostics::{Code, Diagnostic, Edit, Span};
use crate::hir::{BoundRef, BoundValue, Literal};
use crate::names::suggest;

/// All constraints, with what they bound.
const CONSTRAINTS: [(&str, &str); 8] = [
    ("min", "numbers and lists"),
    ("max", "numbers and lists"),
    ("min_len", "texts"),
    ("max_len", "texts"),
    ("pattern", "texts"),
    ("format", "texts"),
    ("multiple_of", "numbers"),
    ("unique", "lists"),
];

/// Formats of JSON Schema (draft 2020-12, section 7.3) that are checked: the values of the bound `format`.
pub const FORMATS: [&str; 10] =
    ["date-time", "date", "time", "duration", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"];

/// What can be said at compile time about a literal and a type.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It keeps all bounds.
    Keeps,
    /// It breaks one: the bound, and in which way.
    Breaks(Constraint, String),
    /// Only the running program can tell.
    Unknown,
}

/// The bounds that a type can have: a list, or a primitive type.
pub fn bound_names(prim: Option<Prim>, is_list: bool) -> impl Iterator<Item = &'static str> {
    let names = CONSTRAINTS.iter().map(|(name, _)| *name);
    names.filter(move |name| wanted(name, prim, is_list).is_some())
}

/// Which literal a bound wants on a type: none if it has no meaning there.
fn wanted(name: &str, prim: Option<Prim>, is_list: bool) -> Option<&'static str> {
    match (name, prim) {
        ("min" | "max", _) if is_list => Some("a whole number of items"),
        ("min" | "max", Some(Prim::Int)) => Some("a whole number"),
        ("min" | "max", Some(Prim::Float)) => Some("a number"),
        ("min" | "max", Some(Prim::Money)) => Some("an amount of money"),
        ("min" | "max", Some(Prim::Duration)) => Some("a duration"),
        ("min" | "max", Some(Prim::Size)) => Some("a size"),
        ("min_len" | "max_len", Some(Prim::Text)) => Some("a whole number of characters"),
        ("pattern", Some(Prim::Text)) => Some("a regular expression, as a text"),
        ("format", Some(Prim::Text)) => Some("the name of a format, as a text"),
        ("multiple_of", Some(Prim::Int)) => Some("a whole number above zero"),
        ("multiple_of", Some(Prim::Float)) => Some("a number above zero"),
        ("unique", _) if is_list => Some("`true` or `false`"),
        _ => None,
    }
}

impl Checker<'_> {
    /// The constraints of written bounds on `base`; `None` if one makes no sense, which is reported.
    pub(super) fn constraints(
        &mut self,
        base: Ty,
        bounds: &[BoundRef],
        names_params: bool,
    ) -> Option<Arc<[Constraint]>> {
        let mut all: Vec<Constraint> = Vec::with_capacity(bounds.len());
        let mut is_whole = true;
        for bound in bounds {
            let value = match &bound.value {
                BoundValue::Literal(value) => value,
                BoundValue::Param { .. } if names_params => continue,
                BoundValue::Param { .. } | BoundValue::Other => {
                    self.report(
                        Diagnostic::new(
                            Code::BadBound,
                            bound.span,
                            format!("`{}` must be a fixed value", bound.name),
                        )
                        .help(
                            "write the value itself; only the result of an `extern` or `fn` can have a parameter as its limit",
                        ),
                    );
                    return None;
                }
            };
            if all.iter().any(|one| one.name == bound.name) {
                self.report(Diagnostic::new(
                    Code::BadBound,
                    bound.span,
                    format!("`{}` is given twice", bound.name),
                ));
                return None;
            }
            // Of a wrong type the others would say the same; of an unknown name not.
            if !self.bound_fits(base, bound, value) {
                if CONSTRAINTS.iter().any(|(known, _)| *known == bound.name.as_str()) {
                    return None;
                }
                is_whole = false;
                continue;
            }
            all.push(Constraint { name: bound.name.clone(), value: LiteralKey(value.clone()) });
        }
        (self.check_order(&all, bounds) && is_whole).then(|| all.into())
    }

    fn bound_fits(&mut self, base: Ty, bound: &BoundRef, value: &Literal) -> bool {
        let base = self.interner.base(base);
        if base == Ty::ERROR {
            return false;
        }
        let name = bound.name.as_str();
        let Some((_, what)) = CONSTRAINTS.iter().find(|(known, _)| *known == name) else {
            let all = CONSTRAINTS.iter().map(|(known, _)| *known);
            let message = match name {
                "" => "a rule of `where` needs its name".to_owned(),
                _ => format!("`{name}` is not a rule of `where`"),
            };
            let mut finding = Diagnostic::new(Code::BadBound, bound.span, message);
            let near = json_schema_bound(name).or_else(|| suggest(name, all));
            // Of a text the length is meant, of a list the number of items.
            let near = near.map(|near| match (near, self.interner.kind(base)) {
                ("min", TyKind::Prim(Prim::Text)) => "min_len",
                ("max", TyKind::Prim(Prim::Text)) => "max_len",
                ("min_len", TyKind::List(_)) => "min",
                ("max_len", TyKind::List(_)) => "max",
                _ => near,
            });
            finding = finding.help(match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("use one of `{}`", CONSTRAINTS.map(|(known, _)| known).join("`, `"))
                }
            });
            if let Some(near) = near {
                let end = bound.span.start + u32::try_from(name.len()).unwrap_or(0);
                let place = Span { end, ..bound.span };
                finding = finding.guess(format!("write `{near}`"), vec![Edit::new(place, near)]);
            }
            self.report(finding);
            return false;
        };
        let is_list = matches!(self.interner.kind(base), TyKind::List(_));
        let prim = match self.interner.kind(base) {
            TyKind::Prim(prim) => Some(*prim),
            _ => None,
        };
        let wanted = wanted(name, prim, is_list);
        let Some(wanted) = wanted else {
            let module = self.module_of_file(bound.span);
            let shown = self.show(base, module);
            let mut finding = Diagnostic::new(
                Code::BadBound,
                bound.span,
                format!("`{name}` cannot be used with `{shown}`"),
            )
            .here(format!("`{name}` is for {what}"));
            let meant = match (name, prim) {
                ("min", Some(Prim::Text)) => Some("min_len"),
                ("max", Some(Prim::Text)) => Some("max_len"),
                ("min_len", _) if is_list => Some("min"),
                ("max_len", _) if is_list => Some("max"),
                _ => None,
            };
            if let Some(meant) = meant {
                let end = bound.span.start + u32::try_from(name.len()).unwrap_or(0);
                let place = Span { end, ..bound.span };
                finding = finding.fix(format!("write `{meant}`"), vec![Edit::new(place, meant)]);
            }
            self.report(finding);
            return false;
        };
        let fits = match (name, prim, value) {
            ("min_len" | "max_len", _, Literal::Int(n)) => *n >= 0,
            ("min" | "max", Some(Prim::Int), Literal::Int(_))
            | ("min" | "max", Some(Prim::Float), Literal::Int(_) | Literal::Float(_))
            | ("min" | "max", Some(Prim::Money), Literal::Money(..))
            | ("min" | "max", Some(Prim::Duration), Literal::Duration(_))
            | ("min" | "max", Some(Prim::Size), Literal::Size(_))
            | ("unique", _, Literal::Bool(_)) => true,
            ("min" | "max", None, Literal::Int(n)) => *n >= 0,
            ("multiple_of", _, Literal::Int(n)) => *n > 0,
            ("multiple_of", Some(Prim::Float), Literal::Float(x)) => *x > 0.0,
            ("pattern", _, Literal::Text(pattern)) => return self.pattern_fits(bound, pattern),
            ("format", _, Literal::Text(format)) => return self.format_fits(bound, format),
            _ => false,
        };
        if !fits {
            self.report(
                Diagnostic::new(Code::BadBound, bound.span, format!("`{name}` needs {wanted}"))
                    .here(format!("found `{}`", literal(value))),
            );
        }
        fits
    }

    fn pattern_fits(&mut self, bound: &BoundRef, pattern: &smol_str::SmolStr) -> bool {
        // Compiling is by far the dearest thing here, and programs repeat their patterns.
        if let Some(Some(_)) = self.patterns.get(pattern) {
            return true;
        }
        match regex::Regex::new(pattern) {
            Ok(compiled) => {
                self.patterns.insert(pattern.clone(), Some(compiled));
                true
            }
            Err(error) => {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
                self.report(
                    Diagnostic::new(
                        Code::BadBound,
                        bound.span,
                        "the pattern is not a regular expression",
                    )
                    .here(why)
                    .help("write it as a raw text, r\"…\"; look-around and back-references do not exist"),
                );
                self.patterns.insert(pattern.clone(), None);
                false
            }
        }
    }

    fn format_fits(&mut self, bound: &BoundRef, format: &str) -> bool {
        if FORMATS.contains(&format) {
            return true;
        }
        let near = suggest(format, FORMATS);
        self.report(
            Diagnostic::new(Code::BadBound, bound.span, format!("there is no format `{format}`"))
                .maybe_help(near.map(|near| format!("did you mean `{near}`?")))
                .note(format!("the formats are `{}`", FORMATS.join("`, `"))),
        );
        false
    }

    /// A lower bound above the upper one lets nothing through.
    fn check_order(&mut self, all: &[Constraint], written: &[BoundRef]) -> bool {
        let mut fits = true;
        for (low, high) in [("min", "max"), ("min_len", "max_len")] {
            let get = |name: &str| all.iter().find(|one| one.name == name).map(|one| &one.value.0);
            let (Some(low_value), Some(high_value)) = (get(low), get(high)) else { continue };
            let (shown, above) = (literal(low_value), literal(high_value));
            let (what, here) = match compare(low_value, high_value) {
                Some(Ordering::Greater) => ("is above", format!("{shown} is more than {above}")),
                None if currency(low_value) != currency(high_value) => {
                    ("is in another currency than", format!("{shown} beside {above}"))
                }
                _ => continue,
            };
            if let Some(place) = written.iter().find(|bound| bound.name == low) {
                let message = format!("`{low}` {what} `{high}`, so no value fits");
                self.report(Diagnostic::new(Code::BadBound, place.span, message).here(here));
                fits = false;
            }
        }
        fits
    }

    /// Whether a literal keeps the bounds of a refined type.
    pub(super) fn literal_verdict(&mut self, mut ty: Ty, value: &Literal) -> Verdict {
        let mut verdict = Verdict::Keeps;
        while let TyKind::Refined { base, bounds, .. } = self.interner.kind(ty).clone() {
            for bound in bounds.iter() {
                match self.bound_verdict(bound, value) {
                    Verdict::Keeps => {}
                    Verdict::Unknown => verdict = Verdict::Unknown,
                    broken @ Verdict::Breaks(..) => return broken,
                }
            }
            ty = base;
        }
        verdict
    }

    fn bound_verdict(&mut self, bound: &Constraint, value: &Literal) -> Verdict {
        use Ordering::{Greater, Less};
        let limit = &bound.value.0;
        let breaks = |why: String| Verdict::Breaks(bound.clone(), why);
        match (bound.name.as_str(), value) {
            ("min_len" | "max_len", Literal::Text(text)) => {
                let count = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
                let Literal::Int(limit) = limit else { return Verdict::Unknown };
                match bound.name.as_str() {
                    "min_len" if count < *limit => breaks(format!("it has {count} characters")),
                    "max_len" if count > *limit => breaks(format!("it has {count} characters")),
                    _ => Verdict::Keeps,
                }
            }
            ("pattern", Literal::Text(text)) => {
                let Literal::Text(pattern) = limit else { return Verdict::Unknown };
                let compiled = self
                    .patterns
                    .entry(pattern.clone())
                    .or_insert_with(|| regex::Regex::new(pattern).ok());
                match compiled {
                    Some(regex) if !regex.is_match(text) => {
                        breaks("the pattern does not match it".to_owned())
                    }
                    Some(_) => Verdict::Keeps,
                    None => Verdict::Unknown,
                }
            }
            ("format", Literal::Text(text)) => match limit {
                Literal::Text(format) if !may_have_format(format, text) => {
                    breaks("it is not in this format".to_owned())
                }
                // The exact rules are the runtime's.
                _ => Verdict::Unknown,
            },
            ("min" | "max", Literal::Money(_, own))
                if currency(limit).is_some_and(|c| c != *own) =>
            {
                breaks("it is in another currency".to_owned())
            }
            ("min", value) if compare(value, limit) == Some(Less) => {
                breaks(format!("{} is less than {}", literal(value), literal(limit)))
            }
            ("max", value) if compare(value, limit) == Some(Greater) => {
                breaks(format!("{} is more than {}", literal(value), literal(limit)))
            }
            ("min" | "max", value) => {
                if compare(value, limit).is_some() {
                    Verdict::Keeps
                } else {
                    Verdict::Unknown
                }
            }
            ("multiple_of", value) => match is_multiple(value, limit) {
                Some(true) => Verdict::Keeps,
                Some(false) => {
                    breaks(format!("{} is not a multiple of {}", literal(value), literal(limit)))
                }
                None => Verdict::Unknown,
            },
            _ => Verdict::Unknown,
        }
    }

    /// Whether a list literal without spreads keeps the bounds of its type. `items` are the values of its items, `None`
    /// for those that are no literals.
    pub(super) fn list_verdict(&self, mut ty: Ty, items: &[Option<Literal>]) -> Verdict {
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let mut verdict = Verdict::Keeps;
        while let TyKind::Refined { base, bounds, .. } = self.interner.kind(ty) {
            for bound in bounds.iter() {
                match (bound.name.as_str(), &bound.value.0) {
                    ("min", Literal::Int(least)) if count < *least => {
                        return Verdict::Breaks(bound.clone(), how_many(count));
                    }
                    ("max", Literal::Int(most)) if count > *most => {
                        return Verdict::Breaks(bound.clone(), how_many(count));
                    }
                    ("unique", Literal::Bool(true)) => match first_twice(items) {
                        Some(twice) => {
                            let how = format!("{} is in it twice", literal(twice));
                            return Verdict::Breaks(bound.clone(), how);
                        }
                        None if items.len() > 1 && items.iter().any(Option::is_none) => {
                            verdict = Verdict::Unknown;
                        }
                        None => {}
                    },
                    _ => {}
                }
            }
            ty = *base;
        }
        verdict
    }
}

/// What every text of a format has for sure: enough to find a wrong literal early, never to refuse a right one.
fn may_have_format(format: &str, text: &str) -> bool {
    let digits_and = |others: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    };
    match format {
        "date" => text.len() == 10 && digits_and("-"),
        "time" => text.contains(':') && digits_and(":.+-"),
        "date-time" => text.contains(':') && text.contains('-') && digits_and(":.+- "),
        "duration" => text.trim_start_matches('-').starts_with('P'),
        "email" => text.split_once('@').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()),
        "uri" => text.contains(':') && !text.contains(char::is_whitespace),
        "uuid" => text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-'),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "hostname" => !text.is_empty() && !text.contains(char::is_whitespace),
        _ => true,
    }
}

/// What JSON Schema calls a bound, and other libraries that check values.
fn json_schema_bound(name: &str) -> Option<&'static str> {
    let plain = name.replace('_', "").to_ascii_lowercase();
    Some(match plain.as_str() {
        "minimum" | "minitems" | "ge" | "gte" | "atleast" => "min",
        "maximum" | "maxitems" | "le" | "lte" | "atmost" => "max",
        "minlength" | "minlen" => "min_len",
        "maxlength" | "maxlen" | "length" | "len" => "max_len",
        "regex" | "matches" => "pattern",
        "multipleof" | "step" => "multiple_of",
        "uniqueitems" | "distinct" => "unique",
        _ => return None,
    })
}

/// The first literal of a list that is the same as one before it.
fn first_twice(items: &[Option<Literal>]) -> Option<&Literal> {
    let mut seen = FxHashSet::default();
    items.iter().flatten().find(|item| !seen.insert(LiteralKey((*item).clone())))
}

/// Whether a number is a multiple of another: in decimal, as the runtime has it, so that 0.3 is one of 0.1. `None` if
/// only the runtime can tell.
fn is_multiple(value: &Literal, step: &Literal) -> Option<bool> {
    let decimal = |value: &Literal| match value {
        Literal::Int(n) => Some(Decimal::from(*n)),
        Literal::Float(x) => Decimal::from_f64(*x),
        _ => None,
    };
    Some(decimal(value)?.checked_rem(decimal(step)?)?.is_zero())
}

fn currency(value: &Literal) -> Option<[u8; 3]> {
    match value {
        Literal::Money(_, currency) => Some(*currency),
        _ => None,
    }
}

fn how_many(count: i64) -> String {
    if count == 1 { "it has 1 item".to_owned() } else { format!("it has {count} items") }
}

/// The order of two literals of one kind; a whole number and a float are compared as floats.
pub(super) fn compare(a: &Literal, b: &Literal) -> Option<Ordering> {
    #[expect(clippy::cast_precision_loss, reason = "the language converts such a literal, too")]
    match (a, b) {
        (Literal::Int(a), Literal::Int(b)) | (Literal::Duration(a), Literal::Duration(b)) => {
            Some(a.cmp(b))
        }
        (Literal::Size(a), Literal::Size(b)) => Some(a.cmp(b)),
        (Literal::Float(a), Literal::Float(b)) => a.partial_cmp(b),
        (Literal::Int(a), Literal::Float(b)) => (*a as f64).partial_cmp(b),
        (Literal::Float(a), Literal::Int(b)) => a.partial_cmp(&(*b as f64)),
        (Literal::Money(a, x), Literal::Money(b, y)) if x == y => Some(a.cmp(b)),
        (Literal::Text(a), Literal::Text(b)) => Some(a.cmp(b)),
        _ => None,
    }
}
