//! Refinements: `where (...)` made ready once per program, checked wherever a value meets its type.
//!
//! [`TypeTable`] is the program's types with their patterns compiled. A value that does not fit gives
//! `Invalid(path, why)` with a JSON-pointer-like path of wire names. Nothing in here panics on values of the wrong
//! kind: such a value does not fit.

use std::fmt::Write as _;
use std::sync::Arc;

use kait_ir::{Bound, Failure, Type, TypeId, Types, Value};
use regex::Regex;
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

/// How deeply values may nest.
pub const MAX_NESTING: u32 = 128;

/// The types of a program with everything that checking needs computed once.
#[derive(Clone, Debug)]
pub struct TypeTable {
    types: Arc<Types>,
    /// For each type: the compiled patterns of its bounds, in their order.
    patterns: Vec<Vec<Regex>>,
    /// For each type: whether it or a part of it is refined, so that checking it can find anything.
    refined: Vec<bool>,
    /// For each type: whether a value of it must be finished before anybody may see any of it.
    whole: Vec<bool>,
}

/// A type that cannot be made ready.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// A pattern that is not a regular expression.
    #[error("the pattern `{pattern}` is not a regular expression: {why}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What the regex crate says.
        why: String,
    },
}

impl TypeTable {
    /// Makes the types of a program ready.
    ///
    /// # Errors
    /// If a pattern is not a regular expression that the (linear-time) engine takes.
    pub fn new(types: Types) -> Result<Self, TypeError> {
        let mut patterns = Vec::with_capacity(types.len());
        for (_, ty) in types.iter() {
            let mut compiled = Vec::new();
            if let Type::Refined { bounds, .. } = ty {
                for bound in bounds {
                    if let Bound::Pattern(pattern) = bound {
                        compiled.push(compile(pattern)?);
                    }
                }
            }
            patterns.push(compiled);
        }
        let refined = spread(&types, |_, bounds| !bounds.is_empty());
        let whole = spread(&types, |base, bounds| {
            let is_list = matches!(types.get(base), Type::List(_));
            let grows_under = |bound: &Bound| match bound {
                Bound::MaxLen(_) => true,
                Bound::Max(_) => is_list,
                _ => false,
            };
            !bounds.iter().all(grows_under)
        });
        Ok(Self { types: Arc::new(types), patterns, refined, whole })
    }

    /// The types.
    pub fn types(&self) -> &Types {
        &self.types
    }

    /// The type.
    pub fn get(&self, id: TypeId) -> &Type {
        self.types.get(id)
    }

    /// Whether the type or a part of it is refined.
    pub fn is_refined(&self, id: TypeId) -> bool {
        self.refined.get(id.0 as usize).copied().unwrap_or(false)
    }

    /// Whether only the finished value can be checked, so that nothing of it may be seen before: any bound but a
    /// largest length.
    pub fn is_whole(&self, id: TypeId) -> bool {
        self.whole.get(id.0 as usize).copied().unwrap_or(true)
    }

    /// Checks the refinements of a value and of all its parts. The value is of the (unrefined) type already.
    ///
    /// # Errors
    /// `Invalid` with the path of the first part, in declaration order, that does not fit.
    pub fn check(&self, id: TypeId, value: &Value) -> Result<(), Failure> {
        self.check_for("", id, value)
    }

    /// As [`Self::check`]; the path begins with the field or parameter that the value is for, unless that is empty.
    pub(crate) fn check_for(&self, place: &str, id: TypeId, value: &Value) -> Result<(), Failure> {
        if !self.is_refined(id) {
            return Ok(());
        }
        let mut path = Path::default();
        if place.is_empty() {
            return self.check_at(id, value, &mut path, 0);
        }
        path.key(place, |path| self.check_at(id, value, path, 0))
    }

    /// Checks only the type's own bounds, not those of parts: for decoders, which come from the parts.
    pub(crate) fn check_own(
        &self,
        mut id: TypeId,
        value: &Value,
        path: &Path,
    ) -> Result<(), Failure> {
        for _ in 0..64 {
            let Type::Refined { base, bounds, .. } = self.get(id) else { return Ok(()) };
            self.check_bounds(id, bounds, value, path)?;
            id = *base;
        }
        Ok(())
    }

    fn check_at(
        &self,
        id: TypeId,
        value: &Value,
        path: &mut Path,
        depth: u32,
    ) -> Result<(), Failure> {
        if depth > MAX_NESTING {
            return Err(too_deep(path));
        }
        if !self.is_refined(id) {
            return Ok(());
        }
        match (self.get(id), value) {
            (Type::Refined { base, bounds, .. }, _) => {
                self.check_at(*base, value, path, depth + 1)?;
                self.check_bounds(id, bounds, value, path)
            }
            (Type::Optional(_), Value::None) => Ok(()),
            (Type::Optional(inner), _) => self.check_at(*inner, value, path, depth + 1),
            (Type::List(item), Value::List(items)) => {
                for (index, part) in items.iter().enumerate() {
                    path.index(index, |path| self.check_at(*item, part, path, depth + 1))?;
                }
                Ok(())
            }
            (Type::Map(key_type, value_type), Value::Map(map)) => {
                for (key, part) in map.iter() {
                    let name = key.as_text().unwrap_or("?");
                    path.key(name, |path| {
                        self.check_at(*key_type, key, path, depth + 1)?;
                        self.check_at(*value_type, part, path, depth + 1)
                    })?;
                }
                Ok(())
            }
            (Type::Record(record), Value::Record(parts)) => {
                for (field, part) in record.fields.iter().zip(parts.iter()) {
                    path.key(&field.wire, |path| self.check_at(field.ty, part, path, depth + 1))?;
                }
                Ok(())
            }
            (Type::Enum(choice), Value::Variant(tag, parts)) => {
                let fields = choice.variants.get(*tag as usize).map_or(&[][..], |v| &v.fields);
                for (field, part) in fields.iter().zip(parts.iter()) {
                    path.key(&field.wire, |path| self.check_at(field.ty, part, path, depth + 1))?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_bounds(
        &self,
        id: TypeId,
        bounds: &[Bound],
        value: &Value,
        path: &Path,
    ) -> Result<(), Failure> {
        // An optional is refined as what it holds: `none` fits every bound.
        if matches!(value, Value::None) {
            return Ok(());
        }
        let mut patterns = self.patterns.get(id.0 as usize).map_or(&[][..], Vec::as_slice).iter();
        for bound in bounds {
            let pattern = matches!(bound, Bound::Pattern(_)).then(|| patterns.next()).flatten();
            if let Some(why) = violates(bound, pattern, value) {
                return Err(path.invalid(why));
            }
        }
        Ok(())
    }
}

fn compile(pattern: &str) -> Result<Regex, TypeError> {
    regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build()
        .map_err(|e| TypeError::Pattern { pattern: pattern.to_owned(), why: e.to_string() })
}

/// Which types have, or have parts that have, bounds of which `f` holds: a fixed point, because records may be
/// recursive.
fn spread(types: &Types, f: impl Fn(TypeId, &[Bound]) -> bool) -> Vec<bool> {
    let mut refined = vec![false; types.len()];
    let is = |refined: &[bool], id: TypeId| refined.get(id.0 as usize).copied().unwrap_or(false);
    loop {
        let mut changed = false;
        for (id, ty) in types.iter() {
            let now = match ty {
                Type::Refined { bounds, base, .. } => f(*base, bounds) || is(&refined, *base),
                Type::List(inner) | Type::Optional(inner) => is(&refined, *inner),
                Type::Map(key, value) => is(&refined, *key) || is(&refined, *value),
                Type::Record(record) => record.fields.iter().any(|f| is(&refined, f.ty)),
                Type::Enum(choice) => {
                    choice.variants.iter().any(|v| v.fields.iter().any(|f| is(&refined, f.ty)))
                }
                _ => false,
            };
            if let Some(slot) = refined.get_mut(id.0 as usize)
                && now
                && !*slot
            {
                *slot = true;
                changed = true;
            }
        }
        if !changed {
            return refined;
        }
    }
}

/// Why the value violates the bound, if it does.
fn violates(bound: &Bound, pattern: Option<&Regex>, value: &Value) -> Option<String> {
    let chars = |value: &Value| value.as_text().map(|t| t.chars().count() as u64);
    match bound {
        Bound::Min(Value::Money(limit)) | Bound::Max(Value::Money(limit)) if matches!(value, Value::Money(amount) if amount.currency != limit.currency) => {
            Some(format!("must be an amount in {}", limit.currency.as_str()))
        }
        Bound::Min(least) => match value {
            Value::List(items) => {
                let least = least.as_int()?;
                (i64::try_from(items.len()).ok()? < least)
                    .then(|| format!("has {}, needs at least {least}", count(items.len(), "item")))
            }
            _ => (value < least).then(|| format!("must be at least {}", plain(least))),
        },
        Bound::Max(most) => match value {
            Value::List(items) => {
                let most = most.as_int()?;
                (i64::try_from(items.len()).ok()? > most)
                    .then(|| format!("has {}, may have at most {most}", count(items.len(), "item")))
            }
            _ => (value > most).then(|| format!("must be at most {}", plain(most))),
        },
        Bound::MinLen(least) => {
            let n = chars(value)?;
            (n < *least).then(|| format!("is {n} characters long, needs at least {least}"))
        }
        Bound::MaxLen(most) => {
            let n = chars(value)?;
            (n > *most).then(|| format!("is {n} characters long, may have at most {most}"))
        }
        Bound::Pattern(text) => {
            let matches = pattern?.is_match(value.as_text()?);
            (!matches).then(|| format!("does not match the pattern `{text}`"))
        }
        Bound::Format(name) => {
            let fits = fits_format(name, value.as_text()?);
            (!fits).then(|| format!("is not a valid {name}"))
        }
        Bound::MultipleOf(step) => {
            let fits = is_multiple(value, step)?;
            (!fits).then(|| format!("must be a multiple of {}", plain(step)))
        }
        Bound::Unique => {
            let items = value.as_list()?;
            let mut seen = rustc_hash::FxHashSet::default();
            let twice = items.iter().position(|item| !seen.insert(item))?;
            Some(format!("item {twice} appears twice"))
        }
    }
}

fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// A bound in a message: numbers as they are written, other values as in a template.
fn plain(value: &Value) -> String {
    crate::render::plain(value)
}

fn is_multiple(value: &Value, step: &Value) -> Option<bool> {
    match (value, step) {
        (Value::Int(n), Value::Int(step)) => Some(*step != 0 && n.checked_rem(*step) == Some(0)),
        (Value::Money(a), step) => {
            let step = match step {
                Value::Money(b) => b.amount,
                other => decimal(other)?,
            };
            Some(a.amount.checked_rem(step).is_some_and(|r| r.is_zero()))
        }
        _ => {
            // In decimal, so that 0.3 is a multiple of 0.1; floats beyond its range fall back to binary.
            if let (Some(a), Some(b)) = (decimal(value), decimal(step)) {
                return Some(a.checked_rem(b).is_some_and(|r| r.is_zero()));
            }
            let (a, b) = (float(value)?, float(step)?);
            Some(b != 0.0 && (a / b).fract() == 0.0)
        }
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Int(n) => Some(Decimal::from(*n)),
        Value::Float(x) => Decimal::from_f64(*x),
        Value::Size(n) => Some(Decimal::from(*n)),
        Value::Duration(n) => Some(Decimal::from(*n)),
        Value::Money(money) => Some(money.amount),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Int(n) => n.to_f64(),
        Value::Float(x) => Some(*x),
        _ => None,
    }
}

/// Whether the text has the JSON Schema format. Formats that are not known are not checked, as JSON Schema says.
pub fn fits_format(name: &str, text: &str) -> bool {
    match name {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "time" => text.trim_end_matches('Z').parse::<jiff::civil::Time>().is_ok(),
        "duration" => text.parse::<jiff::Span>().is_ok() && text.starts_with(['P', '-']),
        "email" => is_email(text),
        "hostname" => is_hostname(text),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "uuid" => is_uuid(text),
        "uri" => is_uri(text),
        _ => true,
    }
}

/// The addresses that mail systems really take: one `@`, a local part of RFC 5321's characters, a host name.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let good = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-.".contains(c);
    !local.is_empty()
        && local.len() <= 64
        && local.chars().all(good)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && is_hostname(host)
}

/// RFC 1123.
fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// RFC 9562: 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.chars().enumerate().all(|(i, c)| match i {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// RFC 3986: a scheme, a colon, and only characters that a URI may hold, with well-formed percent escapes.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let mut bytes = rest.bytes();
    let mut ok = scheme_ok && !rest.is_empty();
    while let Some(b) = bytes.next() {
        ok &= match b {
            b'%' => {
                let two = (bytes.next(), bytes.next());
                matches!(two, (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            }
            _ => b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&b),
        };
    }
    ok
}

pub(crate) fn too_deep(path: &Path) -> Failure {
    path.invalid(format!("nests deeper than {MAX_NESTING} levels"))
}

/// Where in a value one is: a JSON pointer that grows and shrinks.
#[derive(Debug, Default)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn index<T>(&mut self, index: usize, f: impl FnOnce(&mut Self) -> T) -> T {
        let len = self.0.len();
        let _ = write!(self.0, "/{index}");
        let result = f(self);
        self.0.truncate(len);
        result
    }

    pub(crate) fn key<T>(&mut self, key: &str, f: impl FnOnce(&mut Self) -> T) -> T {
        let len = self.0.len();
        self.0.push('/');
        for c in key.chars() {
            match c {
                '~' => self.0.push_str("~0"),
                '/' => self.0.push_str("~1"),
                c => self.0.push(c),
            }
        }
        let result = f(self);
        self.0.truncate(len);
        result
    }

    pub(crate) fn invalid(&self, why: impl Into<smol_str::SmolStr>) -> Failure {
        Failure::invalid(self.0.as_str(), why)
    }
}
