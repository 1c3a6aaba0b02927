//! Types in the language's own syntax, as messages and hovers show them. Never a second notation.

use std::fmt::Write as _;

use super::ty::{Constraint, Interner, Ty, TyKind};
use crate::hir::{Hir, Literal, ModuleId};

/// How deep a type is printed before the rest becomes `…`; generic records can nest as deep as the program says.
const MAX_DEPTH: u32 = 12;

/// A type as it would be written in `module`: names of other modules are shown with their module.
#[must_use]
pub fn display(hir: &Hir, interner: &Interner, ty: Ty, module: Option<ModuleId>) -> String {
    let mut out = String::new();
    write_ty(hir, interner, ty, module, 0, &mut out);
    out
}

fn write_ty(
    hir: &Hir,
    interner: &Interner,
    ty: Ty,
    module: Option<ModuleId>,
    depth: u32,
    out: &mut String,
) {
    if depth > MAX_DEPTH {
        out.push('…');
        return;
    }
    let inner = |ty: Ty, out: &mut String| {
        write_ty(hir, interner, ty, module, depth + 1, out);
    };
    match interner.kind(ty) {
        TyKind::Error => out.push('?'),
        TyKind::Never => out.push_str("never"),
        TyKind::Var(_) => out.push('_'),
        TyKind::Prim(prim) => out.push_str(prim.as_str()),
        TyKind::List(item) => {
            out.push('[');
            inner(*item, out);
            out.push(']');
        }
        TyKind::Map(key, value) => {
            out.push('[');
            inner(*key, out);
            out.push_str(": ");
            inner(*value, out);
            out.push(']');
        }
        // The optional of a type with bounds is written with the bounds behind the `?`.
        TyKind::Optional(item) => match interner.kind(*item) {
            TyKind::Refined { alias: None, base, bounds } => {
                inner(*base, out);
                out.push('?');
                write_bounds(bounds, out);
            }
            _ => {
                inner(*item, out);
                out.push('?');
            }
        },
        TyKind::Named(def, args) => {
            write_name(hir, def.index(), module, out);
            if !args.is_empty() {
                out.push('<');
                for (index, arg) in args.iter().enumerate() {
                    if index > 0 {
                        out.push_str(", ");
                    }
                    inner(*arg, out);
                }
                out.push('>');
            }
        }
        TyKind::Refined { alias: Some(def), .. } => write_name(hir, def.index(), module, out),
        TyKind::Refined { alias: None, base, bounds } => {
            inner(*base, out);
            write_bounds(bounds, out);
        }
        TyKind::Param(index) => out.push_str(&param_name(*index)),
        TyKind::Selector(record, field) => {
            out.push_str("field<");
            inner(*record, out);
            out.push_str(", ");
            inner(*field, out);
            out.push('>');
        }
    }
}

/// Type parameters are known by their place here; `T`, `U`, … are what declarations usually call them.
fn param_name(index: u32) -> String {
    match index {
        0 => "T".to_owned(),
        1 => "U".to_owned(),
        2 => "V".to_owned(),
        _ => format!("T{index}"),
    }
}

fn write_name(hir: &Hir, def: usize, module: Option<ModuleId>, out: &mut String) {
    let Some(def) = hir.defs.get(def) else {
        out.push('?');
        return;
    };
    if module.is_some_and(|module| module != def.module)
        && let Some(home) = hir.modules.get(def.module.index())
        && !home.name.is_empty()
        && home.name != kait_stdlib::PRELUDE
    {
        out.push_str(home.name.rsplit('.').next().unwrap_or(&home.name));
        out.push('.');
    }
    out.push_str(&def.name);
}

fn write_bounds(bounds: &[Constraint], out: &mut String) {
    out.push_str(" where (");
    for (index, bound) in bounds.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        let _ = write!(out, "{}: {}", bound.name, literal(&bound.value.0));
    }
    out.push(')');
}

/// A literal as it would be written.
#[must_use]
pub fn literal(value: &Literal) -> String {
    match value {
        Literal::Int(n) => n.to_string(),
        Literal::Float(x) if x.fract() == 0.0 && x.abs() < 1e15 => format!("{x:.1}"),
        Literal::Float(x) => x.to_string(),
        Literal::Text(text) => quoted(text),
        Literal::Bool(b) => b.to_string(),
        Literal::None => "none".to_owned(),
        Literal::Duration(nanos) => duration(*nanos),
        Literal::Size(bytes) => size(*bytes),
        Literal::Money(amount, currency) => {
            format!("{amount}{}", String::from_utf8_lossy(currency))
        }
    }
}

/// A text between quotes, escaped as the language does, cut after 60 characters.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for (count, c) in text.chars().enumerate() {
        if count == 60 {
            out.push('…');
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '$' => out.push_str("\\$"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

pub(crate) fn duration(nanos: i64) -> String {
    const UNITS: [(i64, &str); 5] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
    ];
    UNITS.iter().find(|(unit, _)| nanos != 0 && nanos % unit == 0).map_or_else(
        || format!("{}ms", nanos / 1_000_000),
        |(unit, name)| format!("{}{name}", nanos / unit),
    )
}

fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "gb"), (1_000_000, "mb"), (1_000, "kb")];
    UNITS
        .iter()
        .find(|(unit, _)| bytes != 0 && bytes.is_multiple_of(*unit))
        .map_or_else(|| format!("{bytes} bytes"), |(unit, name)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::ty::LiteralKey;

    #[test]
    fn types_are_shown_as_they_are_written() {
        let hir = Hir::default();
        let mut interner = Interner::default();
        let bound = Constraint { name: "max_len".into(), value: LiteralKey(Literal::Int(3)) };
        let short = interner.intern(TyKind::Refined {
            alias: None,
            base: Ty::TEXT,
            bounds: [bound].into(),
        });
        let optional = interner.optional(short);
        let list = interner.list(optional);
        let map = interner.map(Ty::TEXT, list);
        assert_eq!(display(&hir, &interner, map, None), "[text: [text? where (max_len: 3)]]");
    }

    #[test]
    fn literals_are_shown_as_they_are_written() {
        assert_eq!(literal(&Literal::Float(2.0)), "2.0");
        assert_eq!(literal(&Literal::Duration(90_000_000_000)), "90s");
        assert_eq!(literal(&Literal::Size(64_000_000)), "64mb");
        assert_eq!(literal(&Literal::Text("a\"$\n".into())), r#""a\"\$\n""#);
    }
}
