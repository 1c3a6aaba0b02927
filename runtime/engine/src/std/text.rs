//! `std.text`: see `stdlib/text.kait`. A character is a Unicode scalar value.

use kait_ir::{Failure, Value};
use smol_str::SmolStr;
use unicode_segmentation::UnicodeSegmentation;

use super::args::{self, MAX_ITEMS, MAX_TEXT, too_long, too_many};
use super::segment::Segmenter;
use super::{NativeCx, NativeFn};

/// The functions of the module.
pub(super) const TABLE: &[(&str, NativeFn)] = &[
    ("text.chunks", chunks),
    ("text.contains", contains),
    ("text.count", count),
    ("text.ends_with", ends_with),
    ("text.index_of", index_of),
    ("text.is_empty", is_empty),
    ("text.join", join),
    ("text.length", length),
    ("text.lines", lines),
    ("text.lower", lower),
    ("text.pad", pad),
    ("text.paragraphs", paragraphs),
    ("text.repeat", repeat),
    ("text.replace", replace),
    ("text.slice", slice),
    ("text.split", split),
    ("text.starts_with", starts_with),
    ("text.to_float", to_float),
    ("text.to_int", to_int),
    ("text.trim", trim),
    ("text.truncate", truncate),
    ("text.upper", upper),
    ("text.words", words),
];

type Native = Result<Value, Failure>;

fn length_of(s: &str) -> usize {
    s.chars().count()
}

/// A length or position as a value: texts are far shorter than `i64` counts.
fn int(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn length(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(int(length_of(args::text(args, 0)?)))
}

fn is_empty(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Bool(args::text(args, 0)?.is_empty()))
}

fn upper(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::text(args::text(args, 0)?.to_uppercase()))
}

fn lower(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::text(args::text(args, 0)?.to_lowercase()))
}

fn trim(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let s = args::text(args, 0)?;
    let trimmed = s.trim();
    // An untouched text is shared, not copied.
    Ok(if trimmed.len() == s.len() { Value::Text(s.clone()) } else { Value::text(trimmed) })
}

fn split(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, on) = (args::text(args, 0)?, args::text(args, 1)?);
    // A part is larger than its characters: a list of many parts would be many times the text.
    let parts: Vec<Value> = if on.is_empty() {
        let mut utf8 = [0; 4];
        s.chars().take(MAX_ITEMS + 1).map(|c| Value::text(&*c.encode_utf8(&mut utf8))).collect()
    } else {
        s.split(on.as_str()).take(MAX_ITEMS + 1).map(Value::text).collect()
    };
    if parts.len() > MAX_ITEMS { Err(too_many()) } else { Ok(Value::list(parts)) }
}

fn join(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (xs, with) = (args::list(args, 0)?, args::text(args, 1)?);
    let mut out = String::new();
    for (i, x) in xs.iter().enumerate() {
        if i > 0 {
            out.push_str(with);
        }
        out.push_str(x.as_text().unwrap_or_default());
        if out.len() > MAX_TEXT {
            return Err(too_long());
        }
    }
    Ok(Value::text(out))
}

fn contains(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Bool(args::text(args, 0)?.contains(args::text(args, 1)?.as_str())))
}

fn starts_with(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Bool(args::text(args, 0)?.starts_with(args::text(args, 1)?.as_str())))
}

fn ends_with(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::Bool(args::text(args, 0)?.ends_with(args::text(args, 1)?.as_str())))
}

fn replace(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, old, new) = (args::text(args, 0)?, args::text(args, 1)?, args::text(args, 2)?);
    if old.is_empty() || !s.contains(old.as_str()) {
        return Ok(Value::Text(s.clone()));
    }
    let mut out = String::with_capacity(s.len());
    for (i, part) in s.split(old.as_str()).enumerate() {
        if i > 0 {
            out.push_str(new);
        }
        out.push_str(part);
        if out.len() > MAX_TEXT {
            return Err(too_long());
        }
    }
    Ok(Value::text(out))
}

fn truncate(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, n) = (args::text(args, 0)?, args::count(args, 1)?);
    if s.chars().nth(n).is_none() {
        return Ok(Value::Text(s.clone()));
    }
    if n == 0 {
        return Ok(Value::text(""));
    }
    let (mut chars, mut end) = (0, 0);
    for (at, cluster) in s.grapheme_indices(true) {
        chars += length_of(cluster);
        if chars > n - 1 {
            break;
        }
        end = at + cluster.len();
    }
    let mut out = String::with_capacity(end + '…'.len_utf8());
    out.push_str(s.get(..end).unwrap_or_default());
    out.push('…');
    Ok(Value::text(out))
}

/// The byte position of a character, or of the end.
fn byte_at(s: &str, char_index: usize) -> usize {
    s.char_indices().nth(char_index).map_or(s.len(), |(at, _)| at)
}

fn slice(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, to) = (args::text(args, 0)?, args::int(args, 2)?);
    let from = args::count(args, 1)?;
    let Ok(to) = usize::try_from(to) else { return Ok(Value::text("")) };
    if to < from {
        return Ok(Value::text(""));
    }
    let rest = s.get(byte_at(s, from)..).unwrap_or_default();
    Ok(Value::text(rest.get(..byte_at(rest, (to - from).saturating_add(1))).unwrap_or_default()))
}

fn repeat(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, n) = (args::text(args, 0)?, args::count(args, 1)?);
    if s.len().saturating_mul(n) > MAX_TEXT {
        return Err(too_long());
    }
    Ok(Value::text(if s.is_empty() { String::new() } else { s.repeat(n) }))
}

fn pad(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, n) = (args::text(args, 0)?, args::count(args, 1)?);
    let (with, start) = (args::text(args, 2)?, args::bool(args, 3)?);
    let missing = n.saturating_sub(length_of(s));
    if missing == 0 || with.is_empty() {
        return Ok(Value::Text(s.clone()));
    }
    if missing > MAX_TEXT {
        return Err(too_long());
    }
    let padding: String = with.chars().cycle().take(missing).collect();
    if padding.len().saturating_add(s.len()) > MAX_TEXT {
        return Err(too_long());
    }
    Ok(Value::text(if start { padding + s } else { format!("{s}{padding}") }))
}

fn count(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, part) = (args::text(args, 0)?, args::text(args, 1)?);
    Ok(int(if part.is_empty() { 0 } else { s.matches(part.as_str()).count() }))
}

fn index_of(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let (s, part) = (args::text(args, 0)?, args::text(args, 1)?);
    Ok(match s.find(part.as_str()).and_then(|at| s.get(..at)) {
        Some(before) => int(length_of(before)),
        None => Value::None,
    })
}

fn words(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(Value::list(args::text(args, 0)?.unicode_words().map(Value::text).collect()))
}

fn to_int(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(args::text(args, 0)?.trim().parse().map_or(Value::None, Value::Int))
}

fn to_float(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let parsed: Result<f64, _> = args::text(args, 0)?.trim().parse();
    // Rust also reads `inf` and `nan`, which are no numbers of the language.
    Ok(parsed.ok().filter(|x| x.is_finite()).map_or(Value::None, Value::Float))
}

fn segments(mut segmenter: Segmenter, s: &SmolStr) -> Value {
    let mut out = Vec::new();
    segmenter.push(s, &mut out);
    segmenter.finish(&mut out);
    Value::list(out.into_iter().map(Value::Text).collect())
}

fn lines(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(segments(Segmenter::lines(), args::text(args, 0)?))
}

fn paragraphs(_: &NativeCx<'_>, args: &[Value]) -> Native {
    Ok(segments(Segmenter::paragraphs(), args::text(args, 0)?))
}

fn chunks(_: &NativeCx<'_>, args: &[Value]) -> Native {
    let segmenter = Segmenter::chunks(args::int(args, 1)?, args::int(args, 2)?)?;
    Ok(segments(segmenter, args::text(args, 0)?))
}
