//! Habits that put a value together from its end: comprehensions, choices behind their value, thrown errors, arrow
//! functions, choices with `then`. Each knows all of its form before it says anything, so that its fix is whole.

use text_size::TextRange;

use super::super::builder::Marker;
use super::super::grammar::exprs;
use super::super::{Bracket, Parser};
use super::declarations::PRIMITIVES;
use super::edit;
use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;
use crate::errors::Fix;

/// How far the other parts of a form are looked for, in tokens.
const FAR: usize = 200;

impl Parser<'_> {
    /// How far ahead the bracket is closed that is opened `ahead`.
    pub(super) fn closer_of(&self, ahead: usize) -> Option<usize> {
        let mut depth = 0u32;
        for at in ahead..ahead + FAR {
            match self.nth(at) {
                K::LParen | K::LBracket | K::LBrace | K::InterpStart => depth += 1,
                K::RParen | K::RBracket | K::RBrace | K::InterpEnd => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(at);
                    }
                }
                K::Eof => return None,
                _ => {}
            }
        }
        None
    }

    /// How far ahead the first of these stands, outside of brackets, before the line ends and before one of `stops`.
    pub(super) fn on_this_level(&self, from: usize, wanted: &[K], stops: &[K]) -> Option<usize> {
        let mut at = from;
        while at < from + FAR && !self.on_new_line(at) {
            let kind = self.nth(at);
            if wanted.contains(&kind) {
                return Some(at);
            }
            if stops.contains(&kind) {
                return None;
            }
            match kind {
                K::LParen | K::LBracket | K::LBrace | K::InterpStart => at = self.closer_of(at)?,
                K::RParen | K::RBracket | K::RBrace | K::InterpEnd | K::Eof => return None,
                _ => {}
            }
            at += 1;
        }
        None
    }

    /// Whether the token before the next one ends a text.
    pub(in super::super) fn closes_text_before(&self) -> bool {
        let before = self.pos.checked_sub(1).and_then(|at| self.lexed.significant.get(at));
        before.is_some_and(|token| token.kind == K::StrEnd)
    }

    /// From one token of the list to another, both among it.
    fn between(&self, first: usize, last: usize) -> TextRange {
        let (start, end) = (self.range_at(first).start(), self.range_at(last).end());
        TextRange::new(start, end.max(start))
    }

    /// Skips tokens up to this one.
    fn skip_until(&mut self, end: usize) {
        let marker = self.start();
        while self.pos < end && self.raw() != K::Eof {
            self.skip_one();
        }
        self.finish_error(marker);
    }
}

/// `[value for x in xs if test]`; the next token is the `for` behind the value that starts at `first`.
pub(in super::super) fn comprehension(p: &mut Parser<'_>, bracket: Bracket, first: usize) -> bool {
    let Some(open) = bracket.at else { return false };
    if p.raw() != K::ForKw || p.recovering || !p.is_balanced() || open + 1 != first {
        return false;
    }
    let Some(close) = p.closer_of_open(bracket.kind) else { return false };
    let mut error = SyntaxError::new(
        Code::Lambda,
        p.range(0),
        "a list is built with `for x in xs if test { value }`",
    )
    .with_help("the value comes last, in braces");
    let close = p.pos + close;
    let count = |kind: K| {
        (p.pos..close)
            .filter(|&at| p.lexed.significant.get(at).is_some_and(|token| token.kind == kind))
            .count()
    };
    let goes_on = matches!(
        p.nth(close + 1 - p.pos),
        K::Dot | K::QuestionDot | K::LBracket | K::LParen | K::WithKw
    ) && !p.on_new_line(close + 1 - p.pos);
    let is_plain = count(K::ForKw) == 1 && count(K::IfKw) < 2 && count(K::Comma) == 0;
    let is_list = bracket.kind == K::LBracket;
    if is_plain && !(is_list && goes_on) {
        let value = p.slice(p.between(first, p.pos - 1));
        let header = p.slice(p.between(p.pos, close - 1));
        let text = format!("{header} {{ {value} }}");
        let (range, text) = match (is_list, bracket.before_block) {
            (true, true) => (p.between(open, close), format!("({text})")),
            (true, false) => (p.between(open, close), text),
            (false, _) => (p.between(first, close - 1), text),
        };
        error = error.with_replacement("write it with `for`", range, text);
    }
    p.habit(error);
    p.skip_until(close);
    true
}

impl Parser<'_> {
    /// How far ahead the bracket around the next token is closed.
    fn closer_of_open(&self, kind: K) -> Option<usize> {
        let mut at = 0;
        while at < FAR {
            match self.nth(at) {
                K::LParen | K::LBracket | K::LBrace | K::InterpStart => at = self.closer_of(at)?,
                next if Some(next) == kind.closing() => return Some(at),
                K::RParen | K::RBracket | K::RBrace | K::InterpEnd | K::Eof => return None,
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// `a if c else b`; the next token is the `if`. False if it is none of those.
pub(in super::super) fn choice_behind_value(p: &mut Parser<'_>, marker: Marker) -> bool {
    if p.before_block || p.on_new_line(0) || !p.is_balanced() {
        return false;
    }
    let stops = [K::LBrace, K::Comma, K::FatArrow, K::Eq];
    if p.on_this_level(1, &[K::ElseKw], &stops).is_none() {
        return false;
    }
    let word = p.range(0);
    let marker = p.again(marker);
    let start = p.token_start(marker.first);
    let value = TextRange::new(start, p.behind().start().max(start));
    p.bump();
    let from = p.range(0).start();
    let parts = p.quietly(|p| {
        exprs::expect_expr(p, "a condition");
        let test = TextRange::new(from, p.behind().start().max(from));
        (p.raw() == K::ElseKw).then(|| {
            p.bump();
            let from = p.range(0).start();
            exprs::expect_expr(p, "a value");
            (test, TextRange::new(from, p.behind().start().max(from)))
        })
    });
    let mut error =
        SyntaxError::new(Code::Ternary, word, "a choice is written `if c { a } else { b }`");
    if let Some((test, other)) = parts {
        let text =
            format!("if {} {{ {} }} else {{ {} }}", p.slice(test), p.slice(value), p.slice(other));
        error = error.with_replacement("write it with `if`", value.cover(other), text);
    }
    p.habit(error);
    p.finish_node(marker, K::Error);
    true
}

/// `throw new Error("why")`, `raise ValueError("why")`; the next token is the word. What is left is the reason in its
/// parentheses. False if it is none of those.
pub(super) fn thrown_error(p: &mut Parser<'_>) -> bool {
    let name = if p.text(1) == "new" { 2 } else { 1 };
    let is_error = p.nth(name) == K::Uid
        && ["Error", "Exception"].iter().any(|end| p.text(name).ends_with(end))
        && p.nth(name + 1) == K::LParen;
    if !is_error {
        return false;
    }
    let word = p.range(0);
    let mut error = SyntaxError::new(Code::Return, word, "a failure is raised with `fail`")
        .with_help("the reason is a text: `fail \"why\"`");
    if let Some(close) = p.closer_of(name + 1).filter(|close| *close > name + 2) {
        let comma = p.on_this_level(name + 2, &[K::Comma], &[]);
        if comma.is_none() {
            let head = TextRange::new(word.start(), p.range(name + 1).end());
            error = error.with_fix(
                "write it with `fail`",
                vec![edit(head, "fail "), edit(p.range(close), "")],
            );
        }
    }
    p.habit(error);
    for _ in 0..=name {
        p.bump_error();
    }
    true
}

/// `if c then a else b`; the next token is the `then`. False if its value does not stand on its line.
pub(in super::super) fn then_value(p: &mut Parser<'_>) -> bool {
    if p.current() != K::ThenKw || p.on_new_line(1) || p.nth(1) == K::LBrace || !p.is_balanced() {
        return false;
    }
    let word = p.range(0);
    let mut edits = vec![edit(word, "{")];
    p.bump_error();
    p.quietly(|p| exprs::expect_expr(p, "a value"));
    let end = p.behind();
    if p.at(K::ElseKw) && p.nth(1) == K::IfKw {
        edits.push(edit(TextRange::empty(p.range(0).start()), "} "));
    } else if p.at(K::ElseKw) {
        let other = p.range(0);
        let is_block = p.nth(1) == K::LBrace;
        p.bump();
        if is_block {
            edits.push(edit(TextRange::empty(other.start()), "} "));
        } else {
            edits.push(edit(other, "} else {"));
        }
        p.quietly(|p| exprs::expect_expr(p, "a value"));
        if !is_block {
            edits.push(edit(p.behind(), " }"));
        }
    } else {
        edits.push(edit(end, " }"));
    }
    let error =
        SyntaxError::new(Code::Ternary, word, "a choice is written `if c { a } else { b }`")
            .with_fix("write it with braces", edits);
    p.habit(error);
    true
}

/// `const f = (x: int): int => x * 2` at the top of a file: a function. True if it was consumed.
pub(in super::super) fn arrow_function(p: &mut Parser<'_>, marker: Marker) -> bool {
    let declares =
        p.raw() == K::LetKw || p.raw() == K::Lid && matches!(p.text(0), "const" | "var" | "val");
    if !declares || !p.nth(1).can_be_name() || p.nth(2) != K::Eq {
        return false;
    }
    let open = if p.text(3) == "async" { 4 } else { 3 };
    let arrow = |p: &Parser<'_>| {
        let close = p.closer_of(open).filter(|_| p.nth(open) == K::LParen)?;
        let arrow = p.on_this_level(close + 1, &[K::FatArrow], &[])?;
        (arrow == close + 1 || p.nth(close + 1) == K::Colon).then_some((close, arrow))
    };
    let Some((close, arrow)) = arrow(p) else { return false };
    let mut error = SyntaxError::new(
        Code::FunctionWord,
        p.range(0),
        "functions are declared with `fn`, or with `graph` if they have effects",
    )
    .with_help("write `fn name(x: int) -> int { x * 2 }`");
    let body = arrow + 1;
    let mut last = body;
    while !p.on_new_line(last + 1) && p.nth(last + 1) != K::Semicolon && last < body + FAR {
        last += 1;
    }
    if arrow > close + 1 && !p.on_new_line(body) && p.is_balanced() {
        let mut edits = vec![
            edit(p.range(0), "fn"),
            edit(TextRange::new(p.range(1).end(), p.range(open).start()), ""),
            edit(p.range(close + 1), " ->"),
        ];
        if p.nth(body) == K::LBrace {
            edits.push(edit(TextRange::new(p.range(arrow).start(), p.range(body).start()), ""));
        } else {
            edits.push(edit(p.range(arrow), "{"));
            edits.push(edit(TextRange::empty(p.range(last).end()), " }"));
        }
        // Whether it is a `fn` or a `graph`, its effects tell.
        error = error.with_fix("declare it with `fn`", edits).guessed();
    }
    p.report(error);
    p.skip_to_line_end(false);
    p.finish_error(marker);
    true
}

/// `let x int = 2`, `let int x = 2`: the type goes behind the name and a colon. True if the type was read.
pub(in super::super) fn type_without_colon(p: &mut Parser<'_>) -> bool {
    let before = p.pos.checked_sub(1).map(|at| p.slice(p.range_at(at))).unwrap_or_default();
    let is_type =
        |p: &Parser<'_>| matches!(p.raw(), K::Uid | K::LBracket) || PRIMITIVES.contains(&p.text(0));
    if p.on_new_line(0) || p.on_this_level(1, &[K::Eq], &[]).is_none() {
        return false;
    }
    let message = "the type of a name is written behind it and a colon: `let name: type = value`";
    if PRIMITIVES.contains(&before) && p.raw().can_be_name() && p.nth(1) == K::Eq {
        let name = p.text(0);
        let range = p.between(p.pos - 1, p.pos);
        let right = format!("{name}: {before}");
        let error = SyntaxError::new(Code::ParameterType, range, message).with_replacement(
            format!("write `{right}`"),
            range,
            right,
        );
        p.habit(error);
        p.bump_error();
        return false;
    }
    if !is_type(p) {
        return false;
    }
    let error = SyntaxError::new(Code::ParameterType, p.range(0), message).with_replacement(
        "insert `:`",
        p.behind(),
        ":",
    );
    p.habit(error.understood());
    true
}

/// `name: type` where the `?` of an optional type stands behind the name: the fix, once the type was read. `mark` is
/// the place of the `?`.
pub(in super::super) fn move_question(p: &mut Parser<'_>, mark: TextRange) {
    let behind = p.behind();
    let optional = p
        .pos
        .checked_sub(1)
        .and_then(|at| p.lexed.significant.get(at))
        .is_some_and(|token| token.kind == K::Question);
    let Some(error) = p.errors.last_mut() else { return };
    if error.code == Code::TypeForm && error.range == mark && error.fix.is_none() {
        let mut edits = vec![edit(mark, "")];
        if !optional {
            edits.push(edit(behind, "?"));
        }
        error.fix = Some(Fix { title: "write the `?` behind the type".into(), edits, safe: true });
    }
}

/// The fix of a text that its line cuts off: `opener` is its quote, and what was consumed last its end.
pub(in super::super) fn close_text(
    p: &Parser<'_>,
    opener: TextRange,
    error: SyntaxError,
) -> SyntaxError {
    let line_end = p.behind();
    let inside = p.slice(TextRange::new(opener.end(), line_end.start().max(opener.end())));
    let behind = usize::from(line_end.start());
    if let Some(close) = end_in_later_line(p.text.get(behind..).unwrap_or_default())
        && let Ok(close) = text_size::TextSize::try_from(behind + close)
        && !inside.trim().is_empty()
    {
        let close = TextRange::at(close, 1.into());
        // The indentation of a text between three quotes is that of its last line.
        return error
            .with_fix(
                "write it between `\"\"\"`",
                vec![edit(opener, "\"\"\""), edit(close, "\"\"\"")],
            )
            .guessed();
    }
    // What would close a bracket, or separate values, may have been meant to stand behind the text.
    let kept = inside.trim_end_matches([')', ']', '}', ',', ';']);
    let opened = kept.matches(['(', '[', '{']).count();
    if kept.len() < inside.len() && opened == 0 {
        let at = opener.end() + text_size::TextSize::of(kept);
        return error.with_replacement("insert `\"`", TextRange::empty(at), "\"").guessed();
    }
    error.with_replacement("insert `\"`", line_end, "\"")
}

/// Where the quote is that ends a text in a later line: alone with closing brackets behind it, so that it starts no text.
fn end_in_later_line(rest: &str) -> Option<usize> {
    /// Lines that are looked at.
    const LINES: usize = 30;
    let mut at = 0;
    for (number, line) in rest.split_inclusive('\n').take(LINES).enumerate() {
        if number > 0
            && let Some(quote) = line.find('"')
        {
            let behind = line.get(quote + 1..)?.trim();
            let before = line.get(..quote)?.trim_end();
            let ends = behind.bytes().all(|b| b")]},;".contains(&b));
            // Behind an operator or an opening bracket a text starts.
            let starts = before.ends_with(['(', '[', ',', ':', '=', '>', '+']) || before.is_empty();
            return (ends && !starts).then_some(at + quote);
        }
        at += line.len();
    }
    None
}
