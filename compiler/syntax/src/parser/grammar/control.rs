//! Expressions with bodies (§13: `if`, `match`, `for`, `loop`, `race`) and their clauses.

use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;

use super::super::builder::Marker;
use super::super::{Context, Parser, habits};
use super::exprs::operand;
use super::{blocks, lists, patterns, types};

/// A condition: `=` in it is probably meant as `==`.
fn condition(p: &mut Parser<'_>, what: &str) -> bool {
    let around = std::mem::replace(&mut p.in_condition, true);
    let found = operand_before_block(p, what);
    p.in_condition = around;
    found
}

/// An expression behind which a block stands: a `{` here is the block's.
fn operand_before_block(p: &mut Parser<'_>, what: &str) -> bool {
    let around = std::mem::replace(&mut p.before_block, true);
    let found = operand(p, what);
    p.before_block = around;
    found
}

/// `if = "if" expr block ("else" (if | block))?`
pub(super) fn if_expr(p: &mut Parser<'_>, marker: Marker) {
    p.bump();
    if !habits::if_let(p) {
        condition(p, "a condition");
    }
    if habits::then_value(p) {
        if p.at(K::ElseKw) && p.nth(1) == K::IfKw {
            p.bump();
            let inner = p.start();
            if p.enter() {
                if_expr(p, inner);
                p.leave();
            } else {
                p.abandon(inner);
            }
        }
        p.finish_node(marker, K::Error);
        return;
    }
    habits::then_word(p);
    blocks::block(p, "the block to run");
    habits::elif(p);
    if p.at(K::ElseKw) && !habits::at_else_arm(p) {
        p.bump();
        if p.at(K::IfKw) {
            let inner = p.start();
            if p.enter() {
                if_expr(p, inner);
                p.leave();
            } else {
                p.abandon(inner);
            }
        } else {
            blocks::block(p, "the block to run otherwise");
        }
    }
    p.finish_node(marker, K::IfExpr);
}

/// `"if" expr` of an arm or a `for`.
pub(crate) fn guard(p: &mut Parser<'_>) {
    let marker = p.start();
    p.bump();
    condition(p, "a condition");
    p.finish_node(marker, K::Guard);
}

/// `match = "match" expr "{" arms "}"`
pub(super) fn match_expr(p: &mut Parser<'_>, marker: Marker) {
    p.bump();
    match_rest(p, marker);
}

/// What stands behind `match`.
pub(crate) fn match_rest(p: &mut Parser<'_>, marker: Marker) {
    operand_before_block(p, "a value to match");
    blocks::arms(p, "arms");
    p.finish_node(marker, K::MatchExpr);
}

/// `for = "for" pattern "in" expr ("if" expr)? ("max" expr)? ("parallel" expr)? block`
pub(super) fn for_expr(p: &mut Parser<'_>, marker: Marker) {
    p.bump();
    let parens = habits::for_parens(p);
    let first = p.range(0);
    let named = patterns::pattern(p);
    let both = habits::pair_of_for(p, first);
    if p.at(K::InKw) {
        p.bump();
    } else if !habits::for_of(p) {
        p.expected("`in` and a list");
    }
    let start = p.range(0).start();
    operand_before_block(p, "a list");
    habits::range_of_for(p, start);
    if let Some(both) = both {
        habits::entries_of_for(p, both, start);
    }
    if let Some(bracket) = parens {
        p.close(bracket);
    }
    if p.at(K::IfKw) || habits::for_if_below(p) || habits::for_where(p) {
        guard(p);
    }
    clause(p, K::MaxKw, K::MaxClause);
    clause(p, K::ParallelKw, K::ParallelClause);
    if p.at_clause(K::MaxKw) {
        let error = SyntaxError::new(Code::Unexpected, p.range(0), "write `max` before `parallel`");
        p.habit(error);
        clause(p, K::MaxKw, K::MaxClause);
    }
    if !named && p.on_new_line(0) {
        // What was read as the list had the body.
        p.finish_node(marker, K::ForExpr);
        return;
    }
    blocks::block(p, "a body");
    p.finish_node(marker, K::ForExpr);
}

/// `"max" expr`, `"parallel" expr`
fn clause(p: &mut Parser<'_>, word: K, kind: K) -> bool {
    if !p.at_clause(word) {
        return false;
    }
    p.clear_separator();
    let marker = p.start();
    p.bump_keyword();
    operand_before_block(p, "a number");
    p.finish_node(marker, kind);
    true
}

/// `loop = "loop" lvar ("," lvar)* "max" expr block "else" block`
pub(super) fn loop_expr(p: &mut Parser<'_>, marker: Marker) {
    let word = p.range(0);
    p.bump();
    loop {
        loop_var(p);
        if !p.eat(K::Comma) {
            break;
        }
    }
    if !clause(p, K::MaxKw, K::MaxClause) {
        let error = p
            .expected_error("`max` and the most rounds it may take, such as `max 10`")
            .with_related(word, "every `loop` needs a `max`");
        p.report(error);
    }
    blocks::block(p, "a round");
    if p.at(K::ElseKw) {
        p.bump();
        blocks::block(p, "the value to use when the rounds are used up");
    } else {
        let error = SyntaxError::new(
            Code::Unexpected,
            p.behind(),
            "a `loop` needs an `else` with the value to use after the last round",
        )
        .with_related(word, "this loop");
        p.report(error);
    }
    p.finish_node(marker, K::LoopExpr);
}

/// `lvar = LID (":" type)? "=" expr`
fn loop_var(p: &mut Parser<'_>) {
    let marker = p.start();
    if !p.expect_lower_name("a value of the loop") {
        p.finish_error(marker);
        return;
    }
    if p.at(K::Colon) {
        p.bump();
        types::ty(p);
    }
    if p.at(K::ColonEq) {
        habits::colon_equals(p);
        p.bump_as(K::Eq);
    } else {
        p.expect(K::Eq, "`=` and the first value");
    }
    operand_before_block(p, "the first value");
    p.finish_node(marker, K::LoopVar);
}

/// `race = "race" NUM? "{" body (sep body)* sep? "}"`
pub(super) fn race(p: &mut Parser<'_>, marker: Marker) {
    p.bump();
    if p.at(K::Number) {
        let number = p.start();
        p.bump();
        p.finish_node(number, K::NumberExpr);
    }
    if let Some(bracket) = lists::open_braces(p, Context::Lines, "the arms of the race", |p| {
        super::exprs::starts_expr(p.current())
    }) {
        let opener = p.behind();
        let mut count = 0u32;
        lists::lines(p, bracket, lists::Separators::LinesOrCommas, "arm of a race", |p| {
            count += 1;
            blocks::body(p, "an arm of the race")
        });
        if count == 0 {
            lists::none_inside(p, opener, "a race needs at least one arm");
        }
    }
    p.finish_node(marker, K::RaceExpr);
}
