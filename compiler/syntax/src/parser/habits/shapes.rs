//! Habits of other languages that have the form of something else here: units apart from their numbers, parts taken out of
//! what may be missing, alternatives of values, spreads of maps, patterns that compare, failures handled without arms.

use text_size::TextRange;

use super::super::builder::Marker;
use super::super::grammar::exprs;
use super::super::{Context, Parser};
use super::{edit, word_before_operand};
use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;
use crate::lexer::similar_unit;

/// Currencies that are written behind an amount most often. Which words else are codes (ISO 4217) is not known here.
const CURRENCIES: [&str; 10] =
    ["usd", "eur", "gbp", "chf", "jpy", "cny", "inr", "cad", "aud", "brl"];

/// `5 minutes` and `5 usd`; the next token may be the unit. True if it was consumed.
pub(super) fn unit_apart(p: &mut Parser<'_>) -> bool {
    let Some(number) = p.pos.checked_sub(1).filter(|_| p.raw() == K::Lid) else { return false };
    let is_number = p.lexed.significant.get(number).is_some_and(|token| token.kind == K::Number);
    let digits = p.slice(p.range_at(number));
    if !is_number || !digits.ends_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let word = p.text(0);
    let lower = word.to_ascii_lowercase();
    let unit = similar_unit(&lower).or_else(|| CURRENCIES.into_iter().find(|code| *code == lower));
    let Some(unit) = unit else { return false };
    let range = p.range(0);
    let gap = TextRange::new(p.behind().start(), range.end());
    let error = SyntaxError::new(
        Code::BadNumber,
        range,
        format!("write the unit right after its number: `{digits}{unit}`"),
    )
    .with_replacement(format!("write `{digits}{unit}`"), gap, unit);
    p.habit(error);
    p.bump_error();
    true
}

/// `xs?[0]`: the next tokens are `?` and `[`, behind a value that starts at `marker`. True if it was consumed.
pub(super) fn optional_index(p: &mut Parser<'_>, marker: Marker) -> bool {
    if p.current() != K::Question || p.nth(1) != K::LBracket || !p.glued(0) || !p.glued(1) {
        return false;
    }
    let Some(close) = p.closer_of(1) else { return false };
    if p.on_this_level(close + 1, &[K::Colon], &[]).is_some() {
        // A choice between a list and something else.
        return false;
    }
    let start = p.token_start(marker.first);
    let range = p.range(0);
    let value = p.slice(TextRange::new(start, range.start().max(start)));
    let error = SyntaxError::new(
        Code::Unexpected,
        range,
        "an item of a list that may be missing is read in two steps",
    )
    .with_help(format!("give an empty list instead of none: `({value} ?? [])[0]`"))
    .with_fix(
        "take an empty list if there is none",
        vec![edit(TextRange::empty(start), "("), edit(range, " ?? [])")],
    );
    p.habit(error.understood());
    p.bump_error();
    p.skip_one();
    true
}

/// `"a" | "b"` among values; the next token may be the `|`. True if it was consumed.
pub(super) fn alternatives(p: &mut Parser<'_>) -> bool {
    if p.current() != K::Bar || !exprs::starts_expr(p.nth(1)) || p.nth(1) == K::Bar {
        return false;
    }
    let error = SyntaxError::new(Code::Unexpected, p.range(0), "`|` joins patterns, not values")
        .with_help("to test for several values, write `x in [a, b]`, or `A | B` as a pattern");
    p.habit(error);
    p.bump_error();
    p.quietly(|p| exprs::expect_expr(p, "a value"));
    true
}

/// `parallel [f(), g()]`; the next token is the word. It is removed; true if it was.
pub(in super::super) fn parallel_list(p: &mut Parser<'_>) -> bool {
    let is_list = p.raw() == K::ParallelKw
        && p.nth(1) == K::LBracket
        && !p.on_new_line(1)
        && p.on_this_level(2, &[K::Comma], &[]).is_some();
    if is_list {
        p.remove_next(
            Code::Async,
            "KAIT needs no `parallel` here: independent calls run at the same time by themselves",
        );
        p.bump_error();
    }
    is_list
}

/// `let [a, b] = xs`: what is written here instead, by the bracket that comes next.
pub(in super::super) fn taken_apart(next: K) -> &'static str {
    match next {
        K::LBracket => {
            "an item may be missing: read it with `xs[0]`, or write `match xs { [a, b] => …, _ => … }`"
        }
        K::LBrace => "read the fields one by one, `p.x`, or name the record: `let Name(x, y) = p`",
        _ => "two values together are a `Pair`: `let Pair(first, second) = p`",
    }
}

/// `for x in xs where c`: the word is read as `if`. True if it comes next.
pub(in super::super) fn for_where(p: &mut Parser<'_>) -> bool {
    let word = matches!(p.current(), K::WhereKw | K::Lid) && matches!(p.text(0), "where" | "when");
    if !word || p.on_new_line(0) || p.nth(1) == K::LBrace {
        return false;
    }
    let word = p.text(0);
    let message = format!("write `if` instead of `{word}`: `for x in xs if c {{ … }}`");
    p.replace_next(Code::Unexpected, message, "if");
    p.doubt();
    true
}

/// `if let a = b { }`; the next token is the `let`. True if it was consumed, with its value.
pub(in super::super) fn if_let(p: &mut Parser<'_>) -> bool {
    if p.current() != K::LetKw || !p.on_line(1, K::Eq) || !p.is_balanced() {
        return false;
    }
    let error = SyntaxError::new(Code::Unexpected, p.range(0), "an `if` cannot name a value");
    let reported = p.errors.len();
    p.habit(error);
    let marker = p.start();
    p.bump();
    let name = TextRange::new(p.range(0).start(), p.range(0).end());
    while !matches!(p.raw(), K::Eq | K::LBrace | K::Eof) && !p.on_new_line(0) {
        p.skip_one();
    }
    let name = p.slice(TextRange::new(name.start(), p.behind().start().max(name.start())));
    p.eat(K::Eq);
    let from = p.range(0).start();
    let around = std::mem::replace(&mut p.before_block, true);
    p.quietly(|p| exprs::expect_expr(p, "a value"));
    p.before_block = around;
    p.finish_error(marker);
    let value = p.slice(TextRange::new(from, p.behind().start().max(from)));
    if let Some(error) = p.errors.get_mut(reported) {
        let name = name.trim();
        // What the other language calls the case where there is a value.
        let inner = name.strip_prefix("Some(").and_then(|rest| rest.strip_suffix(')'));
        let arms = match inner {
            Some(inner) => format!("none => …, {inner} => …"),
            None if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                format!("{name} => …, _ => …")
            }
            None => format!("none => …, {name} => …"),
        };
        error.help = Some(format!("write `match {value} {{ {arms} }}`"));
    }
    true
}

/// `1 or 2 =>` and `1, 2 =>` among arms, behind a pattern. Consumes the rest of the pattern.
pub(in super::super) fn pattern_words(
    p: &mut Parser<'_>,
    mut pattern: impl FnMut(&mut Parser<'_>) -> bool,
) {
    let goes_on = |p: &Parser<'_>| {
        let joins = p.at(K::OrKw) || p.at(K::Comma);
        joins && !p.on_new_line(0) && p.on_this_level(1, &[K::FatArrow], &[K::LBrace]).is_some()
    };
    while goes_on(p) {
        let range = p.range(0);
        let text = p.text(0);
        let error = SyntaxError::new(
            Code::LogicOperator,
            range,
            format!("write `|` instead of `{text}` between alternatives"),
        );
        let right = if p.at(K::Comma) { " |" } else { "|" };
        p.habit(error.with_replacement(format!("replace `{text}` by `|`"), range, right));
        p.bump_error();
        if !p.quietly(&mut pattern) {
            return;
        }
    }
}

/// Whether `> 3 => value` stands on a line of its own among arms: no operand can follow the value of the arm above so. That
/// of a guard can.
pub(in super::super) fn at_comparing_arm(p: &Parser<'_>) -> bool {
    p.context == Context::Arms
        && !p.in_condition
        && matches!(p.raw(), K::Gt | K::Lt | K::GtEq | K::LtEq | K::EqEq | K::NotEq)
        && p.on_new_line(0)
        && p.on_this_level(1, &[K::FatArrow], &[]).is_some()
}

/// `> 3 =>` in the place of a pattern. True if it was consumed.
pub(in super::super) fn comparing_pattern(p: &mut Parser<'_>) -> bool {
    let compares = matches!(p.current(), K::Gt | K::Lt | K::GtEq | K::LtEq | K::EqEq | K::NotEq);
    if !compares || p.on_this_level(1, &[K::FatArrow], &[]).is_none() {
        return false;
    }
    let range = p.range(0);
    let error = SyntaxError::new(
        Code::Unexpected,
        range,
        "a pattern cannot compare: name the value, and compare it after `if`",
    )
    .with_help(format!("write `n if n {} … => value`", p.text(0)))
    .with_replacement("name the value", TextRange::empty(range.start()), "n if n ")
    .guessed();
    p.habit(error);
    p.bump_error();
    p.quietly(|p| exprs::expect_expr(p, "a value"));
    true
}

/// `e catch "x"`, `e catch { "x" }` and `e catch err { }`; what comes next stands behind the `catch`. True if it was
/// consumed: then nothing is left of it.
pub(in super::super) fn catch_without_arms(p: &mut Parser<'_>) -> bool {
    let message = "a `catch` has arms: `catch { pattern => value }`";
    if p.on_new_line(0) || p.recovering || !p.is_balanced() {
        return false;
    }
    let range = p.range(0);
    let error = SyntaxError::new(Code::Unexpected, range, message);
    if p.at(K::LBrace) {
        let Some(close) = p.closer_of(0).filter(|close| *close > 1) else { return false };
        // A single value on one line; whatever looks like an arm is read as arms.
        let arms = (1..close).any(|at| matches!(p.nth(at), K::FatArrow | K::Arrow | K::Colon));
        let lines = (1..=close).any(|at| p.on_new_line(at));
        if arms || lines || !exprs::starts_expr(p.nth(1)) {
            return false;
        }
        let place = TextRange::empty(p.range(1).start());
        p.habit(
            error.with_replacement("handle every failure with it", place, "_ => ").understood(),
        );
        p.skip_one();
        return true;
    }
    let named = p.raw() == K::Lid && p.nth(1) == K::LBrace && !p.on_new_line(1);
    let parens =
        p.at(K::LParen) && p.nth(2) == K::RParen && p.nth(3) == K::LBrace && !p.on_new_line(3);
    if named || parens {
        let brace = if parens { 3 } else { 1 };
        let Some(close) = p.closer_of(brace) else { return false };
        let name = p.text(usize::from(parens));
        let head = TextRange::new(range.start(), p.range(brace).end());
        let edits = vec![
            edit(head, format!("{{ {name} => {{")),
            edit(TextRange::empty(p.range(close).end()), " }"),
        ];
        p.habit(error.with_fix("make it an arm", edits).understood());
        for _ in 0..brace {
            p.bump_error();
        }
        p.skip_one();
        return true;
    }
    if !exprs::starts_expr(p.current()) || p.at(K::LParen) {
        return false;
    }
    let reported = p.errors.len();
    p.habit(error.understood());
    p.quietly(|p| exprs::expect_expr(p, "a value"));
    let end = p.behind();
    if let Some(error) = p.errors.get_mut(reported) {
        let edits = vec![edit(TextRange::empty(range.start()), "{ _ => "), edit(end, " }")];
        error.fix = Some(crate::errors::Fix {
            title: "handle every failure with it".into(),
            edits,
            safe: true,
        });
    }
    true
}

/// `["a" => 1]`: an entry of a map; the next token may be the `=>`. True if it is read as a `:`.
pub(in super::super) fn arrow_entry(p: &mut Parser<'_>) -> bool {
    let before = p.pos.checked_sub(1).and_then(|at| p.lexed.significant.get(at));
    let is_key = before.is_some_and(|token| matches!(token.kind, K::StrEnd | K::Number));
    if p.raw() != K::FatArrow || !is_key {
        return false;
    }
    let range = TextRange::new(p.behind().start(), p.range(0).end());
    let error = SyntaxError::new(
        Code::ArrowKind,
        p.range(0),
        "write `:` instead of `=>` between a key and its value",
    )
    .with_replacement("replace it by `:`", range, ":");
    p.habit(error.understood());
    true
}

/// `..m` among the entries of a map.
pub(in super::super) fn map_spread(p: &mut Parser<'_>, range: TextRange) {
    let error = SyntaxError::new(
        Code::Unexpected,
        range,
        "a map cannot take in another one with `..`",
    )
    .with_help(
        "write `map.merge(m, with: [\"key\": value])`; where both have a key, the second wins",
    );
    p.habit(error);
}

/// `.a.b` where the name of one field is meant; the next token may be the second dot.
pub(in super::super) fn long_selector(p: &mut Parser<'_>) {
    if p.raw() != K::Dot || !p.glued(0) || !p.nth(1).can_be_field_name() {
        return;
    }
    let error = SyntaxError::new(Code::Unexpected, p.range(0), "a selector names one field").with_help(
        "put the inner field beside its value first: `for x in xs { Pair(first: x.a.b, second: x) }`, then take `.first`",
    );
    p.habit(error);
    while p.raw() == K::Dot && p.nth(1).can_be_field_name() {
        p.bump_error();
        p.bump_error();
    }
}

/// `mock f(_) => 1` in a test: the word is read as `stub`. True if it comes next.
pub(in super::super) fn mock(p: &mut Parser<'_>) -> bool {
    let word = p.raw() == K::Lid && matches!(p.text(0), "mock" | "given" | "when");
    let stubs = word && word_before_operand(p) && p.on_line(1, K::FatArrow);
    if stubs {
        let message = format!("write `stub` instead of `{}`", p.text(0));
        p.replace_next(Code::Unexpected, message, "stub");
    }
    stubs
}
