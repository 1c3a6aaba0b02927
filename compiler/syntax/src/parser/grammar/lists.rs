//! Lists: between brackets with commas, between braces with lines or commas.

use crate::SyntaxKind as K;
use crate::codes::Code;
use crate::{SyntaxError, TextRange};

use super::super::{Bracket, Context, Parser};

/// Items between the brackets that were opened by `bracket`, separated by commas, and the closing
/// bracket. `item` gives false if it found nothing.
pub(crate) fn comma_list(
    p: &mut Parser<'_>,
    bracket: Bracket,
    what: &str,
    mut item: impl FnMut(&mut Parser<'_>) -> bool,
) -> bool {
    let closer = bracket.kind.closing().unwrap_or(K::RParen);
    // Written over several lines, a missing comma is more likely than a missing bracket.
    let broken = p.on_new_line(0);
    // Whether it is unclear where the list ends.
    let mut lost = bracket.at.is_none();
    loop {
        let next = p.raw();
        if next == closer || next == K::Eof {
            break;
        }
        if next == K::Comma {
            p.expected(what);
            p.bump();
            continue;
        }
        if next == K::LBrace && !p.is_balanced() {
            break;
        }
        let before = p.pos;
        let found = item(p);
        if p.at(K::Comma) {
            list_comma(p, lost);
            continue;
        }
        let next = p.raw();
        if next == closer || next == K::Eof {
            break;
        }
        if list_ends(p, broken) {
            break;
        }
        let closing = closer.fixed_text().unwrap_or(")");
        if found && p.pos > before && super::super::habits::comprehension(p, bracket, before) {
            continue;
        }
        if found && p.pos > before && could_be_item(next) {
            // A text that ends where a word goes on was closed too early, or the one before it was not.
            if p.glued(0) && p.closes_text_before() {
                let error = SyntaxError::new(
                    Code::UnclosedText,
                    p.range(0),
                    format!("the text ends right before `{}`", p.text(0)),
                )
                .with_help("every `\"` of a line needs its partner: one is missing or too many in this line");
                p.report(error);
                continue;
            }
            let error = SyntaxError::new(
                Code::Unexpected,
                p.behind(),
                format!("expected `,` or `{closing}` before `{}`", p.text(0)),
            )
            .with_replacement("insert `,`", p.behind(), ",");
            // A word that is a clause elsewhere, and what sticks together, may be meant otherwise.
            let clear = p.on_new_line(0) || !p.glued(0) && !next.is_reserved_word();
            p.report(if clear || constant(next) { error } else { error.guessed() });
            continue;
        }
        p.expected(&format!("`,` or `{closing}`"));
        lost = true;
        p.skip_in_list();
        if p.at(K::Comma) {
            list_comma(p, lost);
        } else if p.pos == before {
            break;
        }
    }
    p.close(bracket)
}

/// Consumes a comma. At the end of a line of a list that was really opened, what went wrong before
/// is over.
fn list_comma(p: &mut Parser<'_>, lost: bool) {
    p.bump();
    if p.on_new_line(0) && !lost {
        p.recovering = false;
    }
}

/// Whether the list must have been meant to end before the next token, which is no closing bracket
/// of its own.
fn list_ends(p: &mut Parser<'_>, broken: bool) -> bool {
    match p.raw() {
        K::RParen | K::RBracket | K::RBrace | K::InterpEnd => true,
        K::LBrace => true,
        K::Arrow | K::FatArrow => !broken || !p.is_balanced(),
        K::LetKw | K::GraphKw | K::FnKw | K::ElseKw | K::CatchKw | K::UndoKw => {
            p.on_new_line(0) || !p.is_balanced()
        }
        _ => p.on_new_line(0) && !broken,
    }
}

fn constant(next: K) -> bool {
    matches!(next, K::TrueKw | K::FalseKw | K::NoneKw)
}

fn could_be_item(next: K) -> bool {
    next.can_be_name()
        || matches!(
            next,
            K::Uid
                | K::Number
                | K::StrStart
                | K::TrueKw
                | K::FalseKw
                | K::NoneKw
                | K::Underscore
                | K::Dot
                | K::DotDot
                | K::NotKw
                | K::TryKw
                | K::IfKw
                | K::MatchKw
                | K::ForKw
        )
}

/// What may separate the items of a list between braces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separators {
    /// Newlines only: blocks, prompts, tests.
    Lines,
    /// Newlines or commas: records, enums, arms, races.
    LinesOrCommas,
}

/// Opens the braces of a body: consumes `{`, or goes on as if it stood here if the body obviously
/// follows. `None` if there is no body. `fits` says whether what comes next can be the first inside.
pub(crate) fn open_braces(
    p: &mut Parser<'_>,
    inside: Context,
    what: &str,
    fits: fn(&Parser<'_>) -> bool,
) -> Option<Bracket> {
    if p.at(K::LBrace) {
        return Some(p.open(inside));
    }
    if p.current() == K::Separator && p.raw() == K::LBrace {
        let range = p.range(0);
        let gap = TextRange::new(p.behind().start(), range.start());
        let mut error = SyntaxError::new(Code::BraceOnNextLine, range, "put `{` on the line above");
        if p.slice(gap).trim().is_empty() {
            error = error.with_replacement("move `{` up", gap, " ");
        }
        p.habit(error);
        p.clear_separator();
        return Some(p.open(inside));
    }
    if super::super::habits::colon_body(p) {
        p.bump();
        p.clear_separator();
        let bracket = p.open_missing(K::LBrace, inside);
        p.recovering = false;
        return Some(bracket);
    }
    let error = p.expected_error(&format!("`{{` and {what}"));
    // With something else in its place, or in the middle of a line, it would open nothing that can be read.
    let opens = p.current() == K::Separator || fits(p) && p.on_line(0, K::RBrace);
    let error = if opens { error.with_replacement("insert `{`", p.behind(), " {") } else { error };
    let on_line = brace_on_line(p);
    let header_damaged = p.recovering;
    // Where all brackets pair up, the closing one is missing, too.
    let both = on_line.is_none() && p.is_balanced();
    p.report(if on_line.is_some() {
        SyntaxError { fix: None, ..error }
    } else if both {
        SyntaxError { fix: None, ..error }.with_help("put the body in braces: `{ … }`")
    } else {
        error
    });
    if let Some(brace) = on_line {
        let marker = p.start();
        while p.pos < brace && p.raw() != K::Eof {
            p.skip_one();
        }
        p.finish_error(marker);
        if p.raw() == K::LBrace {
            let bracket = p.open(inside);
            p.recovering = false;
            return Some(bracket);
        }
    }
    if header_damaged && !p.on_new_line(0) {
        // The rest of a damaged header is no body.
        p.skip_on_line(&[]);
    }
    p.pass_break();
    if matches!(p.raw(), K::Eof | K::RBrace | K::RParen | K::RBracket | K::InterpEnd | K::ElseKw)
        || p.declares_at(p.pos)
    {
        return None;
    }
    p.clear_separator();
    let bracket = p.open_missing(K::LBrace, inside);
    p.recovering = false;
    Some(bracket)
}

/// The place of a `{` further on in this line, outside of other brackets.
fn brace_on_line(p: &Parser<'_>) -> Option<usize> {
    let mut depth = 0u32;
    for ahead in 0..200 {
        if p.on_new_line(ahead) && depth == 0 {
            return None;
        }
        match p.nth(ahead) {
            K::LBrace if depth == 0 => return Some(p.pos + ahead),
            K::LParen | K::LBracket | K::LBrace | K::InterpStart => depth += 1,
            K::RParen | K::RBracket | K::RBrace | K::InterpEnd => {
                depth = depth.checked_sub(1)?;
            }
            K::Eof => return None,
            _ => {}
        }
    }
    None
}

/// Items between braces, and the closing brace. `item` gives false if it found nothing.
pub(crate) fn lines(
    p: &mut Parser<'_>,
    bracket: Bracket,
    separators: Separators,
    what: &str,
    mut item: impl FnMut(&mut Parser<'_>) -> bool,
) -> bool {
    let commas = separators == Separators::LinesOrCommas;
    loop {
        p.eat_separator();
        match p.raw() {
            K::RBrace | K::InterpEnd => break,
            K::Eof => {
                if p.pass_break() {
                    continue;
                }
                break;
            }
            _ => {}
        }
        if !p.second_pass && p.pos > 0 && swallowed_declaration(p) {
            // Only an unclosed bracket leads here: the second pass will tell.
            p.needs_second_pass = true;
            p.decl_end = p.pos;
            p.update_end();
            break;
        }
        if commas && p.raw() == K::LetKw && p.nth(1) != K::Colon && !p.is_balanced() {
            // No statement may stand here: the braces must have been meant to end before it.
            break;
        }
        let before = p.pos;
        if p.raw() == K::Semicolon {
            super::super::habits::semicolon(p);
            continue;
        }
        p.item_start = p.pos;
        item(p);
        if p.pos == before && !matches!(p.raw(), K::RBrace | K::InterpEnd | K::Eof) {
            // Whatever it is, it cannot stay.
            let marker = p.start();
            p.skip_one();
            p.finish_error(marker);
            p.recovering = true;
        }
        end_item(p, commas, what);
    }
    p.close(bracket)
}

/// A declaration where an item may stand. `let` may be an item, and so may what is no declaration
/// after all; the others cannot start one.
fn swallowed_declaration(p: &Parser<'_>) -> bool {
    p.raw() != K::LetKw
        && (p.raw().is_keyword() || p.raw() == K::Lid)
        && p.on_new_line(0)
        && p.declares_at(p.pos)
        && !(p.raw() == K::ModelKw && p.nth(1).can_be_name())
}

/// Consumes what ends an item, or reports what stands there and skips it.
fn end_item(p: &mut Parser<'_>, commas: bool, what: &str) {
    loop {
        match p.current() {
            K::Separator => {
                p.clear_separator();
                p.recovering = false;
                return;
            }
            K::RBrace | K::InterpEnd => {
                p.recovering = false;
                return;
            }
            K::Eof => {
                if p.pass_break() {
                    continue;
                }
                return;
            }
            K::Comma if commas => {
                p.bump();
                if p.on_new_line(0) {
                    p.recovering = false;
                }
                return;
            }
            K::Semicolon => {
                super::super::habits::semicolon(p);
                return;
            }
            K::Minus if p.context == Context::Arms && p.on_new_line(0) => {
                p.recovering = false;
                return;
            }
            _ if super::super::habits::at_comparing_arm(p) => {
                p.recovering = false;
                return;
            }
            // A line that starts with `else` goes on with the line above, but in arms it is one.
            _ if p.on_new_line(0) && super::super::habits::at_else_arm(p) => {
                p.recovering = false;
                return;
            }
            _ if p.recovering && p.starts_line() => {
                p.recovering = false;
                return;
            }
            _ => {}
        }
        if p.recovering {
            p.skip_to_line_end(commas);
            if p.recovering && p.starts_line() {
                p.recovering = false;
                return;
            }
            continue;
        }
        if super::super::habits::after_statement(p) {
            continue;
        }
        let (range, found) = p.found();
        let error = if p.raw() == K::Comma {
            SyntaxError::new(Code::Unexpected, range, "expected a new line, found `,`")
                .with_help(format!("put each {what} on its own line"))
        } else if matches!(p.raw(), K::RParen | K::RBracket) {
            SyntaxError::new(
                Code::StrayCloser,
                p.range(0),
                format!("`{}` has no opening bracket", p.text(0)),
            )
            .with_replacement("remove it", p.range(0), "")
        } else if could_be_item(p.raw()) || p.raw().is_keyword() {
            p.expected_new_line(what)
        } else {
            SyntaxError::new(Code::Unexpected, range, format!("expected a new line, found {found}"))
        };
        p.report(error);
        // Even where the report was suppressed, the rest of the line goes.
        p.recovering = true;
    }
}

/// Reports braces that may not be empty.
pub(crate) fn none_inside(p: &mut Parser<'_>, opener: TextRange, message: &str) {
    if p.damaged || !p.is_balanced() {
        p.expected("something inside");
        return;
    }
    let range = TextRange::new(opener.start() - text_size::TextSize::from(1), opener.end());
    let error = SyntaxError::new(Code::Unexpected, range, message);
    p.habit(error);
}
