//! Habits that are recognised by what stands behind a form that was complete: labels and brackets behind types, bodies
//! behind a colon, ranges, entries of maps, values of what has none.

use text_size::{TextRange, TextSize};

use super::super::builder::Marker;
use super::super::grammar::{exprs, types};
use super::super::{Context, Parser};
use super::edit;
use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;
use crate::errors::Fix;

/// Behind a type that starts at `marker`: a label, `| none`, arguments in brackets. True if something was consumed.
pub(in super::super) fn behind_type(p: &mut Parser<'_>, marker: Marker) -> bool {
    let start = p.token_start(marker.first);
    let range = p.range(0);
    if p.on_new_line(0) {
        return false;
    }
    match p.current() {
        next if next.is_qualifier()
            && matches!(p.nth(1), K::Comma | K::RParen | K::Eq | K::Eof | K::RBrace) =>
        {
            let label = p.text(0);
            let error = SyntaxError::new(
                Code::TypeForm,
                range,
                format!("a label is written before its type: `{label} text`"),
            )
            .with_fix(
                format!("move `{label}` before the type"),
                vec![
                    edit(TextRange::empty(start), format!("{label} ")),
                    edit(TextRange::new(p.behind().start(), range.end()), ""),
                ],
            );
            p.habit(error);
            p.bump_error();
            true
        }
        K::Bar => {
            let absent =
                p.nth(1) == K::NoneKw || matches!(p.text(1), "null" | "undefined" | "None");
            let mut error = if absent {
                SyntaxError::new(Code::TypeForm, range, "an optional type is written `T?`")
            } else {
                SyntaxError::new(Code::TypeForm, range, "a type is not made of others with `|`")
                    .with_help("declare what it may be: `enum Name { A(value: text), B }`")
            };
            if absent {
                let gap = TextRange::new(p.behind().start(), p.range(1).end());
                error = error.with_replacement("write `?`", gap, "?").understood();
            }
            p.habit(error);
            p.bump_error();
            if absent {
                p.bump_error();
            } else {
                p.quietly(types::ty);
            }
            true
        }
        K::LBracket => {
            let name = p.slice(TextRange::new(start, p.behind().start()));
            let (form, name) = match name {
                "List" | "list" | "Array" | "Sequence" | "Set" | "Iterable" => (Some(1), name),
                "Dict" | "dict" | "Map" | "map" | "Mapping" => (Some(2), name),
                "Optional" | "Option" => (Some(0), name),
                _ => (None, name),
            };
            let error = SyntaxError::new(
                Code::TypeForm,
                range,
                "the arguments of a type are written between `<` and `>`",
            )
            .with_help("a list is `[T]`, a map `[K: V]`, an optional value `T?`");
            let reported = p.errors.len();
            p.habit(error);
            let bracket = p.open(Context::Inside);
            let mut parts = Vec::new();
            p.quietly(|p| {
                loop {
                    let from = p.range(0).start();
                    if !types::ty(p) {
                        break;
                    }
                    parts.push(TextRange::new(from, p.behind().start()));
                    if !p.eat(K::Comma) {
                        break;
                    }
                }
            });
            let closed = p.close(bracket);
            let all = TextRange::new(start, p.behind().start());
            let texts: Vec<_> = parts.iter().map(|part| p.slice(*part)).collect();
            let right = match (form, texts.as_slice()) {
                (Some(0), [item]) => Some(format!("{item}?")),
                (Some(1), [item]) => Some(format!("[{item}]")),
                (Some(2), [key, value]) => Some(format!("[{key}: {value}]")),
                (None, [_, ..]) => Some(format!("{name}<{}>", texts.join(", "))),
                _ => None,
            };
            if let Some(right) = right.filter(|_| closed)
                && let Some(error) = p.errors.get_mut(reported)
            {
                error.fix = Some(Fix {
                    title: format!("write `{right}`"),
                    edits: vec![edit(all, right)],
                    safe: form.is_some(),
                });
            }
            true
        }
        _ => false,
    }
}

/// `{text: int}` and `(int, text)` where a type is expected. True if it was consumed.
pub(in super::super) fn type_in_brackets(p: &mut Parser<'_>) -> bool {
    let map = p.at(K::LBrace) && p.nth(2) == K::Colon;
    if !map && !p.at(K::LParen) || !p.is_balanced() {
        return false;
    }
    let Some(close) = p.closer_of(0) else { return false };
    let mut error = if map {
        SyntaxError::new(Code::TypeForm, p.range(0), "the type of a map is written `[key: value]`")
    } else {
        SyntaxError::new(Code::TypeForm, p.range(0), "types have no parentheses, and no tuples")
            .with_help("declare a `record`, or use `Pair<A, B>`")
    };
    if map {
        let edits = vec![edit(p.range(0), "["), edit(p.range(close), "]")];
        error = error.with_fix("write it in brackets", edits);
    }
    p.habit(error);
    let marker = p.start();
    p.skip_one();
    p.finish_node(marker, K::Error);
    true
}

/// `if c:` and lines that stand further in: a body as Python has it. The next token is the `:`.
pub(in super::super) fn colon_body(p: &mut Parser<'_>) -> bool {
    if !p.at(K::Colon) || !p.on_new_line(1) || p.nth(1) == K::Eof {
        return false;
    }
    let colon = p.range(0);
    let mut error = SyntaxError::new(
        Code::Unexpected,
        colon,
        "a body is written in braces, `{ … }`, not behind a `:`",
    )
    .with_help("where a line begins says nothing: braces do");
    if let Some((indent, end)) = indented_end(p.text, colon.end()) {
        error = error.with_fix(
            "write the body in braces",
            vec![edit(colon, " {"), edit(TextRange::empty(end), format!("\n{indent}}}"))],
        );
    }
    p.habit(error);
    p.damaged = true;
    true
}

/// Where the lines end that stand further in than the one that ends at `behind`, and how far in that one is.
fn indented_end(text: &str, behind: TextSize) -> Option<(&str, TextSize)> {
    /// Lines that are looked at.
    const FAR: usize = 1_000;
    let behind = usize::from(behind);
    let line_start = text.get(..behind)?.rfind('\n').map_or(0, |at| at + 1);
    let blanks = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let header = text.get(line_start..)?;
    let indent = blanks(header);
    let mut end = None;
    let mut at = behind + text.get(behind..)?.find('\n')? + 1;
    for line in text.get(at..)?.split_inclusive('\n').take(FAR) {
        if !line.trim().is_empty() {
            if blanks(line) <= indent {
                break;
            }
            end = Some(at + line.trim_end().len());
        }
        at += line.len();
    }
    let end = TextSize::try_from(end?).ok()?;
    Some((header.get(..indent)?, end))
}

/// `model fast = "gpt-5"`, `secret token = "abc"`: what the program is told from outside. The next token is the `=`.
pub(in super::super) fn bound_outside(p: &mut Parser<'_>, message: &str, help: &str) {
    if !p.at(K::Eq) || p.on_new_line(1) {
        return;
    }
    let from = p.behind().start();
    let reported = p.errors.len();
    let error =
        SyntaxError::new(Code::ColonForEquals, p.range(0), message).with_help(help).understood();
    p.habit(error);
    p.bump_error();
    let marker = p.start();
    p.quietly(|p| exprs::expect_expr(p, "a value"));
    p.finish_error(marker);
    let all = TextRange::new(from, p.behind().start());
    if let Some(error) = p.errors.get_mut(reported) {
        error.fix = Some(Fix {
            title: "remove the value".into(),
            edits: vec![edit(all, "")],
            // The value would be lost.
            safe: false,
        });
    }
}

/// `Open = "open"` among the variants of an enum; the next token may be the `=`.
pub(in super::super) fn variant_value(p: &mut Parser<'_>) {
    if !p.at(K::Eq) || p.on_new_line(1) {
        return;
    }
    let range = p.range(0);
    let error = SyntaxError::new(
        Code::ColonForEquals,
        range,
        "a variant has no value; its name outside of the program is written `Name as \"name\"`",
    );
    if matches!(p.nth(1), K::StrStart | K::SingleQuoted) {
        p.habit(error.with_replacement("replace `=` by `as`", range, "as").understood());
        p.bump_error();
        exprs::expect_expr(p, "a name");
    } else {
        p.habit(error.with_help("number the variants where they are used, with a `match`"));
        p.bump_error();
        p.quietly(|p| exprs::expect_expr(p, "a value"));
    }
}

/// `for i in 0..n`; the next token may be the `..` behind what was read as the list from `start`.
pub(in super::super) fn range_of_for(p: &mut Parser<'_>, start: TextSize) {
    let dots = matches!(p.raw(), K::DotDot | K::DotDotDot) && !p.on_new_line(0);
    if !dots {
        return;
    }
    let first = TextRange::new(start, p.behind().start().max(start));
    let error = SyntaxError::new(
        Code::Unexpected,
        p.range(0),
        "whole numbers in a row are a list: `list.range(1, to: 10)`",
    )
    .with_help("`list.range(from, to:)` ends with `to`, which is in it");
    let reported = p.errors.len();
    p.habit(error);
    p.bump_error();
    let inclusive = p.at(K::Eq) && p.glued(0);
    if inclusive {
        p.bump_error();
    }
    let from = p.range(0).start();
    let marker = p.start();
    p.quietly(|p| exprs::expect_expr(p, "a number"));
    p.finish_error(marker);
    let last = TextRange::new(from, p.behind().start().max(from));
    if last.is_empty() {
        return;
    }
    let (first_text, last_text) = (p.slice(first), p.slice(last));
    let to = match last_text.parse::<u64>() {
        _ if inclusive => last_text.to_owned(),
        Ok(number) if number > 0 => (number - 1).to_string(),
        _ => format!("{last_text} - 1"),
    };
    let text = format!("list.range({first_text}, to: {to})");
    if let Some(error) = p.errors.get_mut(reported) {
        error.fix = Some(Fix {
            title: format!("write `{text}`"),
            edits: vec![edit(first.cover(last), text)],
            // Elsewhere `..` takes its end with it.
            safe: false,
        });
    }
}

/// `for k, v in m`; the next token may be the comma behind the first name. Gives the place of both.
pub(in super::super) fn pair_of_for(p: &mut Parser<'_>, first: TextRange) -> Option<TextRange> {
    let names = p.raw() == K::Comma && p.nth(1).can_be_name() && p.nth(2) == K::InKw;
    if !names || p.pos.checked_sub(1).map(|at| p.range_at(at)) != Some(first) {
        return None;
    }
    let error = SyntaxError::new(
        Code::Unexpected,
        p.range(0),
        "a `for` binds one item: the entries of a map are pairs",
    )
    .with_help("write `for Pair(first: key, second: value) in map.entries(m) { }`");
    p.habit(error);
    p.bump_error();
    let both = TextRange::new(first.start(), p.range(0).end());
    p.bump_error();
    Some(both)
}

/// Completes what [`pair_of_for`] reported, once the list was read that starts at `start`.
pub(in super::super) fn entries_of_for(p: &mut Parser<'_>, both: TextRange, start: TextSize) {
    let end = p.behind().start().max(start);
    let Some((key, value)) = p.slice(both).split_once(',') else { return };
    let pattern = format!("Pair(first: {}, second: {})", key.trim(), value.trim());
    let list = p.slice(TextRange::new(start, end));
    // The map itself, or already its entries, as other languages ask for them.
    let map = list.strip_suffix(".items()").or_else(|| list.strip_suffix(".entries()"));
    let text = format!("map.entries({})", map.unwrap_or(list));
    let edits = vec![edit(both, pattern), edit(TextRange::new(start, end), text)];
    let reported = p.errors.iter_mut().rev().find(|error| both.contains_range(error.range));
    if let Some(error) = reported {
        // Of a list, the position may have been meant.
        error.fix = Some(Fix { title: "go through the entries".into(), edits, safe: false });
    }
}

/// `use acme/support.kait`: the path of a file. The next token may be the `/`.
pub(in super::super) fn path_of_file(p: &mut Parser<'_>) {
    if p.raw() != K::Slash || p.on_new_line(0) {
        return;
    }
    let start = p.pos.checked_sub(1).map_or(p.behind().start(), |at| p.range_at(at).start());
    let from = p.behind().start();
    let reported = p.errors.len();
    let error = SyntaxError::new(
        Code::ForeignDeclaration,
        p.range(0),
        "the path of a module is written with dots: `use acme.support`",
    );
    p.habit(error);
    while matches!(p.raw(), K::Slash | K::Dot) && !p.on_new_line(0)
        || p.raw().can_be_name() && p.glued(0)
    {
        p.bump_error();
    }
    let rest = TextRange::new(from, p.behind().start());
    let text = p.slice(rest).replace('/', ".");
    let text = text.strip_suffix(".kait").unwrap_or(&text).to_owned();
    let plain =
        text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b));
    let first = p.slice(TextRange::new(start, from));
    if plain
        && !first.is_empty()
        && let Some(error) = p.errors.get_mut(reported)
    {
        let edits = vec![edit(rest, text)];
        error.fix = Some(Fix { title: "write it with dots".into(), edits, safe: true });
    }
}

/// `try { … } catch (e) { … }`; the next tokens are `try` and `{`. True if it was consumed.
pub(in super::super) fn try_block(p: &mut Parser<'_>, marker: Marker) -> bool {
    if p.raw() != K::TryKw || p.nth(1) != K::LBrace || p.on_new_line(1) {
        return false;
    }
    let error = SyntaxError::new(
        Code::Unexpected,
        p.range(0),
        "failures are handled behind the call that may fail, not around a block",
    )
    .with_help(
        "write `call() catch { Timeout => value, _ => other }`; `try call()` gives a `Result`",
    );
    p.report(error);
    p.bump();
    while p.raw() == K::LBrace && !p.on_new_line(0) {
        p.skip_one();
        let handles = p.raw() == K::CatchKw
            || p.raw() == K::Lid && matches!(p.text(0), "except" | "finally" | "rescue");
        if handles {
            p.clear_separator();
            p.bump();
            while !matches!(p.raw(), K::LBrace | K::Eof) && !p.on_new_line(0) {
                p.skip_one();
            }
        }
    }
    p.finish_node(marker, K::Error);
    true
}

/// `n as text`, `n!`, `n <> m`, `xs[1:3]` and the like behind a value: what is written here instead.
pub(in super::super) fn behind_value(p: &mut Parser<'_>, marker: Marker) -> bool {
    if p.on_new_line(0) || p.recovering {
        return false;
    }
    let range = p.range(0);
    match p.current() {
        K::Question => super::shapes::optional_index(p, marker),
        K::Bar => super::shapes::alternatives(p),
        K::Bang if p.glued(0) && p.nth(1) != K::Eq => {
            let error = SyntaxError::new(
                Code::Unexpected,
                range,
                "`!` does not take a value out: say what to use if there is none",
            )
            .with_help("write `value ?? other`, or `value ?? fail \"why\"`")
            .with_replacement("fail if it is `none`", range, " ?? fail \"missing\"")
            .guessed();
            p.habit(error);
            p.bump_error();
            true
        }
        K::AsKw if p.nth(1).can_be_name() || p.nth(1) == K::Uid => {
            let error = SyntaxError::new(
                Code::Unexpected,
                range,
                format!("a value is not made a `{}` with `as`", p.text(1)),
            )
            .with_help("a text is `\"${n}\"`, a number `text.to_int(s)`; a type is written behind its name: `let n: int = …`");
            p.habit(error);
            p.bump_error();
            p.quietly(types::ty);
            true
        }
        K::Lid => super::shapes::unit_apart(p),
        _ => false,
    }
}

/// `xs[1:3]` and `xs[1..3]`; the next token may be the `:`.
pub(in super::super) fn slice(p: &mut Parser<'_>) {
    if !matches!(p.raw(), K::Colon | K::DotDot | K::DotDotDot) {
        return;
    }
    let error = SyntaxError::new(
        Code::Unexpected,
        p.range(0),
        "a part of a list is taken with `list.slice`, of a text with `text.slice`",
    )
    .with_help("write `list.slice(xs, from: 1, to: 3)`; the first item has the number 0");
    p.habit(error);
    p.bump_error();
    if p.raw() != K::RBracket {
        p.quietly(|p| exprs::expect_expr(p, "a number"));
    }
}

/// `a ** b`, `a // b` and `a <> b`: `first` is the operator that was consumed, the next token may be its second half.
pub(in super::super) fn doubled_operator(p: &mut Parser<'_>, first: K) {
    if !p.glued(0) {
        return;
    }
    let range = p.behind().cover(p.range(0));
    let both = TextRange::new(range.start() - TextSize::from(1), range.end());
    let error = match (first, p.raw()) {
        (K::Star, K::Star) => {
            SyntaxError::new(Code::Unexpected, both, "a power is `math.pow(x, y)`")
                .with_help("`math.pow` takes floats: `math.pow(2.0, 8.0)`")
        }
        (K::Lt, K::Gt) => SyntaxError::new(Code::Equality, both, "inequality is written `!=`")
            .with_replacement("replace `<>` by `!=`", both, "!="),
        _ => return,
    };
    p.habit(error);
    p.bump_error();
}
