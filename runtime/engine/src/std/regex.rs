//! `std.regex`: see `stdlib/regex.kait`. Also the one place where patterns are compiled, for bounds too.

use std::cell::RefCell;
use std::sync::Arc;

use kait_ir::{Failure, Value, ValueMap};
use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::args::{self, MAX_ITEMS, MAX_TEXT, too_long, too_many};
use super::{NativeCx, NativeFn};

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[
    ("regex.captures", captures),
    ("regex.escape", escape),
    ("regex.find", find),
    ("regex.find_all", find_all),
    ("regex.matches", matches),
    ("regex.replace", replace),
    ("regex.split", split),
];

/// Largest compiled pattern, in bytes: keeps `(a{1000}){1000}` from using up the memory.
const MAX_PROGRAM: usize = 1 << 20;

/// Patterns that a thread keeps compiled.
const KEPT: usize = 64;

type Native = Result<Value, Failure>;

thread_local! {
    static COMPILED: RefCell<FxHashMap<SmolStr, Regex>> = RefCell::default();
}

/// The compiled pattern; a thread keeps the last few.
///
/// # Errors
/// `Invalid` at the path `pattern`, with the reason in one line.
pub fn compile(pattern: &str) -> Result<Regex, Failure> {
    if let Some(regex) = COMPILED.with_borrow(|kept| kept.get(pattern).cloned()) {
        return Ok(regex);
    }
    let regex = RegexBuilder::new(pattern).size_limit(MAX_PROGRAM).build().map_err(|error| {
        // The last line of the crate's message says what is wrong; those above draw the pattern.
        let message = error.to_string();
        let why = message.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Failure::invalid("pattern", format!("the pattern `{pattern}` cannot be read: {why}"))
    })?;
    COMPILED.with_borrow_mut(|kept| {
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(pattern.into(), regex.clone());
    });
    Ok(regex)
}

fn matches(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Bool(compile(args::text(args, 1)?)?.is_match(args::text(args, 0)?)))
}

fn find(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let regex = compile(args::text(args, 1)?)?;
    Ok(regex.find(args::text(args, 0)?).map_or(Value::None, |found| Value::text(found.as_str())))
}

/// A list, unless it is longer than natives may make.
fn items(found: Vec<Value>) -> Native {
    if found.len() > MAX_ITEMS { Err(too_many()) } else { Ok(Value::list(found)) }
}

fn find_all(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let regex = compile(args::text(args, 1)?)?;
    let all = regex.find_iter(args::text(args, 0)?).take(MAX_ITEMS + 1);
    items(all.map(|found| Value::text(found.as_str())).collect())
}

fn replace(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, new) = (args::text(args, 0)?, args::text(args, 2)?);
    let regex = compile(args::text(args, 1)?)?;
    if let Some(name) = unknown_group(&regex, new) {
        let why = format!(
            "`${name}` stands for no group of the pattern; a name ends where its letters, digits and `_` end, or write `${{…}}`, and `$$` for a dollar sign"
        );
        return Err(Failure::invalid("new", why));
    }
    let (mut out, mut last) = (String::new(), 0);
    // What one replacement adds at most, besides `new` itself, is the whole match for each reference in it.
    let references = new.matches('$').count();
    for groups in regex.captures_iter(s) {
        let Some(whole) = groups.get(0) else { continue };
        out.push_str(s.get(last..whole.start()).unwrap_or_default());
        if references.saturating_mul(whole.len()).saturating_add(new.len()) > MAX_TEXT {
            return Err(too_long());
        }
        groups.expand(new, &mut out);
        last = whole.end();
        if out.len() > MAX_TEXT {
            return Err(too_long());
        }
    }
    out.push_str(s.get(last..).unwrap_or_default());
    Ok(Value::text(out))
}

/// The first reference in a replacement to a group that the pattern does not have; read as [`regex::Captures::expand`]
/// reads them.
fn unknown_group<'t>(regex: &Regex, mut new: &'t str) -> Option<&'t str> {
    while let Some((_, rest)) = new.split_once('$') {
        let in_braces = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let name = match in_braces {
            Some((name, after)) => {
                new = after;
                name
            }
            None if rest.starts_with('$') => {
                new = rest.get(1..).unwrap_or_default();
                continue;
            }
            None => {
                let ends = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
                let (name, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
                new = after;
                if name.is_empty() {
                    // A dollar sign by itself.
                    continue;
                }
                name
            }
        };
        let known = match name.parse::<usize>() {
            Ok(number) => number < regex.captures_len(),
            Err(_) => regex.capture_names().flatten().any(|known| known == name),
        };
        if !known {
            return Some(name);
        }
    }
    None
}

fn captures(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let regex = compile(args::text(args, 1)?)?;
    let mut map = ValueMap::default();
    if let Some(groups) = regex.captures(args::text(args, 0)?) {
        for (index, name) in regex.capture_names().enumerate() {
            if let Some(found) = groups.get(index) {
                let key = name.map_or_else(|| index.to_string().into(), SmolStr::from);
                map.insert(Value::Text(key), Value::text(found.as_str()));
            }
        }
    }
    Ok(Value::Map(Arc::new(map)))
}

fn split(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let regex = compile(args::text(args, 1)?)?;
    items(regex.split(args::text(args, 0)?).take(MAX_ITEMS + 1).map(Value::text).collect())
}

fn escape(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::text(::regex::escape(args::text(args, 0)?)))
}
