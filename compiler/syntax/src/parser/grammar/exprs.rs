//! Expressions, from the loosest binding to the tightest (§13: `expr` to `atom`).

use text_size::TextRange;

use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;

use super::super::builder::Marker;
use super::super::{Context, Parser, habits};
use super::{blocks, control, lists, patterns, texts};

/// `expr = "fail" expr | "done" expr | "next" "(" args ")" | caught`
pub(crate) fn expr(p: &mut Parser<'_>) -> bool {
    if !p.enter() {
        return true;
    }
    let marker = p.start();
    let found = expr_at(p, marker);
    p.leave();
    found
}

fn expr_at(p: &mut Parser<'_>, marker: Marker) -> bool {
    match p.current() {
        _ if !p.reserved.is_empty() && p.at_renamed_word() => caught(p, marker),
        K::FailKw => {
            p.bump();
            operand(p, "a reason after `fail`: a text, or a failure such as `Timeout`");
            p.finish_node(marker, K::FailExpr);
            true
        }
        K::DoneKw => {
            p.bump();
            operand(p, "the result of the loop");
            p.finish_node(marker, K::DoneExpr);
            true
        }
        K::NextKw => {
            p.bump();
            expect_args(p, "`(` and the new values: `next(name: value)`");
            p.finish_node(marker, K::NextExpr);
            true
        }
        _ => caught(p, marker),
    }
}

/// An expression that must stand here.
pub(super) fn operand(p: &mut Parser<'_>, what: &str) -> bool {
    let renamed = !p.reserved.is_empty() && p.current() != K::Separator && p.at_renamed_word();
    if !renamed && !starts_expr(p.current()) || p.before_block && p.at(K::LBrace) {
        p.expected(what);
        return false;
    }
    expr(p)
}

/// An expression that must stand here, described by `what` if it is missing.
pub(crate) fn expect_expr(p: &mut Parser<'_>, what: &str) -> bool {
    operand(p, what)
}

/// Whether an expression may start with this token, right or as a habit of another language.
pub(crate) fn starts_expr(kind: K) -> bool {
    kind.can_be_name()
        || matches!(
            kind,
            K::Uid
                | K::Number
                | K::StrStart
                | K::LParen
                | K::LBracket
                | K::Minus
                | K::TrueKw
                | K::FalseKw
                | K::NoneKw
                | K::IfKw
                | K::MatchKw
                | K::ForKw
                | K::LoopKw
                | K::RaceKw
                | K::TryKw
                | K::NotKw
                | K::FailKw
                | K::DoneKw
                | K::NextKw
                | K::Bang
                | K::SingleQuoted
                | K::BacktickQuoted
                | K::LBrace
                | K::Bar
                | K::FnKw
                | K::Underscore
        )
}

/// `caught = pipe | caught "catch" "{" arms "}" | caught "undo" block`
fn caught(p: &mut Parser<'_>, marker: Marker) -> bool {
    if !pipe(p, marker) {
        p.abandon(marker);
        return false;
    }
    loop {
        match p.current() {
            K::CatchKw if !p.chain_too_long() => {
                let marker = p.again(marker);
                p.bump();
                if !habits::catch_without_arms(p) {
                    blocks::arms(p, "the arms for its failures");
                }
                p.finish_node(marker, K::CatchExpr);
            }
            K::UndoKw if !p.chain_too_long() => {
                let marker = p.again(marker);
                p.bump();
                blocks::block(p, "the calls that take it back");
                p.finish_node(marker, K::UndoExpr);
            }
            K::Question => habits::ternary(p, marker),
            K::IfKw if habits::choice_behind_value(p, marker) => {}
            _ => return true,
        }
    }
}

/// `pipe = coal | pipe "|>" coal`
fn pipe(p: &mut Parser<'_>, marker: Marker) -> bool {
    if !coalesce(p, marker) {
        return false;
    }
    while p.at(K::BarGt) && !p.chain_too_long() {
        let marker = p.again(marker);
        p.bump();
        let rhs = p.start();
        if !coalesce(p, rhs) {
            p.abandon(rhs);
        }
        p.finish_node(marker, K::PipeExpr);
    }
    true
}

/// `coal = disj | disj "??" coal | disj "??" "fail" disj`
fn coalesce(p: &mut Parser<'_>, marker: Marker) -> bool {
    if !binary(p, marker, OR) {
        return false;
    }
    if !p.at(K::QuestionQuestion) || p.chain_too_long() {
        return true;
    }
    let marker = p.again(marker);
    p.bump();
    let rhs = p.start();
    if p.enter() {
        let found = if p.at(K::FailKw) {
            p.bump();
            let value = p.start();
            if !binary(p, value, OR) {
                p.abandon(value);
            }
            p.finish_node(rhs, K::FailExpr);
            true
        } else {
            coalesce(p, rhs)
        };
        if !found {
            p.abandon(rhs);
        }
        p.leave();
    } else {
        p.abandon(rhs);
    }
    p.finish_node(marker, K::CoalesceExpr);
    true
}

// Binding strengths: `or`, `and`, `not`, comparisons, sums, products.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARE: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;

/// How strongly an operator binds, and whether it is one of KAIT's.
fn strength(kind: K) -> Option<(u8, bool)> {
    Some(match kind {
        K::OrKw => (OR, true),
        K::BarBar => (OR, false),
        K::AndKw => (AND, true),
        K::AmpAmp => (AND, false),
        K::EqEq | K::NotEq | K::Lt | K::Gt | K::LtEq | K::GtEq | K::InKw | K::IsKw => {
            (COMPARE, true)
        }
        K::EqEqEq | K::NotEqEq => (COMPARE, false),
        K::Plus | K::Minus => (SUM, true),
        K::Star | K::Slash | K::Percent => (PRODUCT, true),
        _ => return None,
    })
}

/// `disj`, `conj`, `neg`, `cmp`, `sum` and `prod` by precedence climbing: operators that bind at
/// least as strongly as `least`. Comparisons do not chain.
fn binary(p: &mut Parser<'_>, marker: Marker, least: u8) -> bool {
    // Where the right side of a comparison starts.
    let mut compared = None;
    let mut tested = false;
    if p.at(K::NotKw) && (p.reserved.is_empty() || !p.at_renamed_word()) {
        if least > NOT {
            let error = SyntaxError::new(
                Code::Unexpected,
                p.range(0),
                "`not` needs parentheses after this operator",
            )
            .with_help("write `(not …)`");
            p.habit(error);
        }
        p.bump();
        if p.enter() {
            let inner = p.start();
            if !binary(p, inner, NOT) {
                p.abandon(inner);
            }
            p.leave();
        }
        p.finish_node(marker, K::UnaryExpr);
    } else if !unary(p, marker) {
        return false;
    }
    loop {
        let op = p.current();
        let Some((level, ours)) = strength(op) else {
            if habits::operator(p, marker, least) {
                continue;
            }
            return true;
        };
        // Behind `is` stands a pattern, which no tighter operator takes as its left side.
        if level < least || tested && level > COMPARE || p.chain_too_long() {
            return true;
        }
        if op == K::Minus && p.context == Context::Arms && p.on_new_line(0) && p.nth(1) == K::Number
        {
            // A new arm.
            return true;
        }
        if level == COMPARE && habits::at_comparing_arm(p) {
            return true;
        }
        if level == COMPARE {
            if let Some(middle) = compared {
                habits::chained_comparison(p, middle);
            }
            compared = Some(p.range(1).start());
        }
        if !ours {
            habits::foreign_operator(p);
        }
        let marker = p.again(marker);
        let is_test = op == K::IsKw;
        p.bump_as(match op {
            K::AmpAmp => K::AndKw,
            K::BarBar => K::OrKw,
            K::EqEqEq => K::EqEq,
            K::NotEqEq => K::NotEq,
            other => other,
        });
        // Only the `>` of a type ends a line.
        p.clear_separator();
        if is_test {
            if p.at(K::NotKw) {
                habits::is_not(p);
            }
            patterns::pattern(p);
            p.finish_node(marker, K::IsExpr);
            tested = true;
            continue;
        }
        if op == K::EqEq && p.raw() == K::Eq && p.glued(0) {
            p.bump();
        }
        habits::doubled_operator(p, op);
        let rhs = p.start();
        if !binary(p, rhs, level + 1) {
            p.abandon(rhs);
        }
        p.finish_node(marker, if op == K::InKw { K::InExpr } else { K::BinaryExpr });
    }
}

/// `unary = post | "-" unary | "try" unary`
fn unary(p: &mut Parser<'_>, marker: Marker) -> bool {
    match p.current() {
        K::TryKw if !p.reserved.is_empty() && p.at_renamed_word() => postfix(p, marker),
        K::TryKw if habits::try_block(p, marker) => true,
        K::Minus | K::TryKw | K::Bang => {
            let foreign = p.at(K::Bang);
            if foreign {
                habits::bang(p);
            }
            p.bump_as(if foreign { K::NotKw } else { p.raw() });
            if p.enter() {
                let inner = p.start();
                if !unary(p, inner) {
                    p.abandon(inner);
                }
                p.leave();
            }
            p.finish_node(marker, K::UnaryExpr);
            true
        }
        _ => postfix(p, marker),
    }
}

/// `post = atom | post "." LID | post "?." LID | post "." UID | post "(" args ")" | post policies |
/// post "[" expr "]"`
fn postfix(p: &mut Parser<'_>, marker: Marker) -> bool {
    if !atom(p, marker) {
        return false;
    }
    loop {
        match p.current() {
            K::Dot | K::QuestionDot | K::LParen | K::WithKw | K::LBracket => {
                if p.chain_too_long() {
                    return true;
                }
            }
            _ if habits::behind_value(p, marker) => {
                let marker = p.again(marker);
                p.finish_node(marker, K::Error);
                return true;
            }
            _ => return true,
        }
        let marker = p.again(marker);
        match p.current() {
            K::Dot => {
                p.bump();
                let upper = p.raw() == K::Uid;
                field_name(p);
                p.finish_node(marker, if upper { K::UidFieldExpr } else { K::FieldExpr });
            }
            K::QuestionDot => {
                p.bump();
                if p.raw() == K::Uid {
                    p.expected("the name of a field");
                } else {
                    field_name(p);
                }
                p.finish_node(marker, K::OptFieldExpr);
            }
            K::LParen => {
                args(p);
                p.finish_node(marker, K::CallExpr);
            }
            K::WithKw => {
                policies(p);
                p.finish_node(marker, K::WithExpr);
            }
            _ => {
                let bracket = p.open(Context::Inside);
                operand(p, "an index");
                habits::slice(p);
                close_after_expr(p, bracket);
                p.finish_node(marker, K::IndexExpr);
            }
        }
    }
}

/// A closing bracket behind one expression.
fn close_after_expr(p: &mut Parser<'_>, bracket: super::super::Bracket) {
    let closer = bracket.kind.closing().unwrap_or(K::RParen);
    let ends = |p: &Parser<'_>| {
        matches!(p.raw(), K::RParen | K::RBracket | K::RBrace | K::InterpEnd | K::Eof | K::LBrace)
            || p.on_new_line(0)
    };
    if p.raw() != closer && !ends(p) {
        p.expected(&format!("`{}`", closer.fixed_text().unwrap_or(")")));
        let marker = p.start();
        while !ends(p) {
            p.skip_one();
        }
        p.finish_error(marker);
    }
    p.close(bracket);
}

/// A name behind a dot: any word, or an upper-case name.
fn field_name(p: &mut Parser<'_>) -> bool {
    let next = p.raw();
    if next.can_be_field_name() {
        p.bump_as(K::Lid);
        return true;
    }
    if next == K::Uid {
        p.bump();
        return true;
    }
    p.expected("the name of a field");
    false
}

/// `policies = "with" "(" args ")"`
pub(crate) fn policies(p: &mut Parser<'_>) {
    let marker = p.start();
    p.bump_keyword();
    expect_args(p, "`(` and the policies: `with (retry: 3)`");
    p.finish_node(marker, K::Policies);
}

/// `"(" args ")"` behind a word that needs them.
pub(crate) fn expect_args(p: &mut Parser<'_>, what: &str) {
    if p.at(K::LParen) {
        args(p);
        return;
    }
    p.expected(what);
    let policies = what.contains("with");
    if p.raw().can_be_field_name() && p.nth(1) == K::Colon && (policies || !p.on_new_line(0)) {
        let marker = p.start();
        let bracket = p.open_missing(K::LParen, Context::Inside);
        lists::comma_list(p, bracket, "an argument", arg);
        p.finish_node(marker, K::Args);
    }
}

/// `"(" args ")"`
pub(crate) fn args(p: &mut Parser<'_>) {
    let marker = p.start();
    let bracket = p.open(Context::Inside);
    if p.enter() {
        lists::comma_list(p, bracket, "an argument", arg);
        p.leave();
    } else {
        p.close(bracket);
    }
    p.finish_node(marker, K::Args);
}

/// `arg = LID ":" (expr | sel) | expr | sel | ".." expr`
fn arg(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    if p.nth(1) == K::Colon && (p.raw().can_be_field_name() || p.raw() == K::Uid) {
        if p.raw() == K::Uid {
            // Names are lower case; the lexer knows only that this is a name.
            p.expect_lower_name("an argument");
        } else {
            p.bump_as(K::Lid);
        }
        p.bump();
        if p.raw() == K::Dot {
            selector(p);
        } else {
            operand(p, "the argument's value");
        }
        habits::lambda_body(p);
        p.finish_node(marker, K::Arg);
        return true;
    }
    if p.nth(1) == K::Eq && p.raw().can_be_field_name() {
        p.bump_as(K::Lid);
        habits::named_with_equals(p);
        p.bump_as(K::Colon);
        operand(p, "the argument's value");
        habits::lambda_body(p);
        p.finish_node(marker, K::Arg);
        return true;
    }
    let found = element(p, "an argument");
    if !found {
        p.abandon(marker);
        return false;
    }
    habits::lambda_body(p);
    p.finish_node(marker, K::Arg);
    true
}

/// `elem = expr | sel | ".." expr`
fn element(p: &mut Parser<'_>, what: &str) -> bool {
    match p.raw() {
        K::DotDot | K::DotDotDot | K::Star => {
            let marker = p.start();
            if p.raw() != K::DotDot {
                habits::spread(p);
            }
            p.bump_as(K::DotDot);
            operand(p, "a value after `..`");
            p.finish_node(marker, K::Spread);
            true
        }
        K::Dot => {
            selector(p);
            true
        }
        _ => operand(p, what),
    }
}

/// `sel = "." LID`
fn selector(p: &mut Parser<'_>) {
    let marker = p.start();
    p.bump();
    if p.raw().can_be_field_name() {
        p.bump_as(K::Lid);
        habits::long_selector(p);
    } else {
        p.expected("the name of a field");
    }
    p.finish_node(marker, K::Selector);
}

/// `atom`, finished at `marker`.
fn atom(p: &mut Parser<'_>, marker: Marker) -> bool {
    let next = p.current();
    match next {
        _ if !p.reserved.is_empty() && p.at_renamed_word() && next != K::Separator => {
            p.bump_renamed_word();
            p.finish_node(marker, K::NameExpr);
        }
        K::Lid => {
            if habits::prefixed_operand(p) {
                if !p.enter() {
                    p.finish_error(marker);
                    return true;
                }
                let found = unary(p, marker);
                p.leave();
                return found;
            }
            p.bump();
            p.finish_node(marker, K::NameExpr);
        }
        K::Uid => {
            p.bump();
            p.finish_node(marker, K::UNameExpr);
        }
        K::Number => {
            p.bump();
            p.finish_node(marker, K::NumberExpr);
        }
        K::StrStart => texts::string_at(p, marker),
        K::SingleQuoted | K::BacktickQuoted => {
            habits::quotes(p);
            p.bump();
            p.finish_node(marker, K::StrExpr);
        }
        K::TrueKw | K::FalseKw => {
            p.bump();
            p.finish_node(marker, K::BoolExpr);
        }
        K::NoneKw => {
            p.bump();
            p.finish_node(marker, K::NoneExpr);
        }
        K::LBracket => list_or_map(p, marker),
        K::LParen => paren(p, marker),
        K::IfKw => control::if_expr(p, marker),
        K::MatchKw => control::match_expr(p, marker),
        K::ForKw => control::for_expr(p, marker),
        K::LoopKw => control::loop_expr(p, marker),
        K::RaceKw => control::race(p, marker),
        K::FailKw | K::DoneKw | K::NextKw => {
            let error = SyntaxError::new(
                Code::Unexpected,
                p.range(0),
                format!("`{}` cannot be part of an expression", p.text(0)),
            )
            .with_help(
                "write it on its own line or as the value of an arm; `fail` also after `??`",
            );
            p.habit(error);
            if !p.enter() {
                p.abandon(marker);
                return true;
            }
            let found = expr_at(p, marker);
            p.leave();
            return found;
        }
        K::LBrace if !p.before_block => habits::braces_as_value(p, marker),
        K::Bar | K::FnKw => habits::lambda(p, marker),
        K::Underscore => {
            p.expected("a value");
            p.bump();
            p.finish_node(marker, K::Error);
        }
        K::ParallelKw if habits::parallel_list(p) => list_or_map(p, marker),
        _ if next.can_be_name() => {
            p.bump_as(K::Lid);
            p.finish_node(marker, K::NameExpr);
        }
        _ => {
            p.expected("a value");
            return false;
        }
    }
    true
}

/// `"(" expr ")"`
fn paren(p: &mut Parser<'_>, marker: Marker) {
    let start = p.pos;
    let bracket = p.open(Context::Inside);
    if p.raw() == K::RParen {
        if p.nth(1) == K::FatArrow {
            p.close(bracket);
            p.finish_node(marker, K::ParenExpr);
            return;
        }
        p.expected("a value");
        p.close(bracket);
        p.finish_node(marker, K::ParenExpr);
        return;
    }
    operand(p, "a value");
    if p.raw() == K::Comma && !p.recovering {
        habits::tuple(p, start);
        while p.eat(K::Comma) {
            if p.raw() == K::RParen {
                break;
            }
            operand(p, "a value");
        }
    }
    close_after_expr(p, bracket);
    p.finish_node(marker, K::ParenExpr);
}

/// `list | map`: which one, the first entry tells.
fn list_or_map(p: &mut Parser<'_>, marker: Marker) {
    let bracket = p.open(Context::Inside);
    if p.raw() == K::Colon && p.nth(1) == K::RBracket {
        p.bump();
        p.close(bracket);
        p.finish_node(marker, K::MapExpr);
        return;
    }
    if !p.enter() {
        p.close(bracket);
        p.finish_node(marker, K::ListExpr);
        return;
    }
    let mut is_map = None;
    // The first item, if it is no key.
    let mut spread = None;
    lists::comma_list(p, bracket, "an item of the list", |p| {
        let entry = p.start();
        let word_key = p.nth(1) == K::Colon
            && p.raw().can_be_field_name()
            && !matches!(p.raw(), K::TrueKw | K::FalseKw | K::NoneKw);
        // Spreads and selectors are no keys.
        let key = !matches!(p.raw(), K::DotDot | K::Dot);
        let start = p.range(0).start();
        let found = if word_key {
            let name = p.start();
            p.bump_as(K::Lid);
            p.finish_node(name, K::NameExpr);
            true
        } else {
            element(p, "an item of the list")
        };
        if !found {
            p.abandon(entry);
            return false;
        }
        let colon = p.raw() == K::Colon || habits::arrow_entry(p);
        if colon
            && key
            && !p.recovering
            && p.is_balanced()
            && let Some(spread) = spread.take()
        {
            // What was taken for a list is none after all.
            habits::map_spread(p, spread);
            is_map = Some(true);
        }
        if !key && is_map.is_none() {
            spread = Some(TextRange::new(start, p.behind().start().max(start)));
        }
        let map = *is_map.get_or_insert(key && colon);
        if map && key && colon {
            p.bump_as(K::Colon);
            operand(p, "the entry's value");
            p.finish_node(entry, K::MapEntry);
        } else if map && !key {
            habits::map_spread(p, TextRange::new(start, p.behind().start().max(start)));
            p.finish_node(entry, K::MapEntry);
        } else if map {
            p.expected("`:` and the entry's value");
            p.finish_node(entry, K::MapEntry);
        } else {
            p.abandon(entry);
            habits::lambda_body(p);
        }
        true
    });
    p.leave();
    p.finish_node(marker, if is_map == Some(true) { K::MapExpr } else { K::ListExpr });
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Place, check};

    #[test]
    fn expressions() {
        check(
            Place::Expr,
            &[
                (
                    "a + b * c - d",
                    "BinaryExpr(BinaryExpr(NameExpr(a) + BinaryExpr(NameExpr(b) * NameExpr(c))) - NameExpr(d))",
                ),
                (
                    "not a == b and c or d",
                    "BinaryExpr(BinaryExpr(UnaryExpr(not BinaryExpr(NameExpr(a) == NameExpr(b))) and NameExpr(c)) or NameExpr(d))",
                ),
                (
                    "-a.b(1)",
                    "UnaryExpr(- CallExpr(FieldExpr(NameExpr(a) . b) Args(( Arg(NumberExpr(1)) ))))",
                ),
                (
                    "try f(x) with (retry: 2) |> g",
                    "PipeExpr(UnaryExpr(try WithExpr(CallExpr(NameExpr(f) Args(( Arg(NameExpr(x)) ))) Policies(with Args(( Arg(retry : NumberExpr(2)) ))))) |> NameExpr(g))",
                ),
                (
                    "a ?? b ?? fail \"no\"",
                    "CoalesceExpr(NameExpr(a) ?? CoalesceExpr(NameExpr(b) ?? FailExpr(fail StrExpr(\" no \"))))",
                ),
                (
                    "fail x catch { _ => 1 }",
                    "FailExpr(fail CatchExpr(NameExpr(x) catch Arms({ Arm(WildcardPat(_) => NumberExpr(1)) })))",
                ),
                (
                    "x is Some(y) and z in [1]",
                    "BinaryExpr(IsExpr(NameExpr(x) is VariantPat(Tag(Some) PatArgs(( PatArg(NamePat(y)) )))) and InExpr(NameExpr(z) in ListExpr([ NumberExpr(1) ])))",
                ),
                (
                    "m.f(1, k: 2, ..r, by: .name, .other)",
                    "CallExpr(FieldExpr(NameExpr(m) . f) Args(( Arg(NumberExpr(1)) , Arg(k : NumberExpr(2)) , Arg(Spread(.. NameExpr(r))) , Arg(by : Selector(. name)) , Arg(Selector(. other)) )))",
                ),
                (
                    "a.in?.type.B[0]",
                    "IndexExpr(UidFieldExpr(OptFieldExpr(FieldExpr(NameExpr(a) . in) ?. type) . B) [ NumberExpr(0) ])",
                ),
                ("[]", "ListExpr([ ])"),
                ("[:]", "MapExpr([ : ])"),
                (
                    "[1, ..xs, .f,]",
                    "ListExpr([ NumberExpr(1) , Spread(.. NameExpr(xs)) , Selector(. f) , ])",
                ),
                (
                    "[\"a\": 1, in: 2, true: 3]",
                    "MapExpr([ MapEntry(StrExpr(\" a \") : NumberExpr(1)) , MapEntry(NameExpr(in) : NumberExpr(2)) , MapEntry(BoolExpr(true) : NumberExpr(3)) ])",
                ),
                (
                    "\"a${b + \"${c}\"}\\n\"",
                    "StrExpr(\" a Interpolation(${ BinaryExpr(NameExpr(b) + StrExpr(\" Interpolation(${ NameExpr(c) }) \")) }) \\n \")",
                ),
                ("r\"\\d${\"", "StrExpr(r\" \\d${ \")"),
                (
                    "if a { 1 } else if b { 2 } else { 3 }",
                    "IfExpr(if NameExpr(a) Block({ NumberExpr(1) }) else IfExpr(if NameExpr(b) Block({ NumberExpr(2) }) else Block({ NumberExpr(3) })))",
                ),
                (
                    "match x { A => 1, B(c) if c > 1 => { 2 } }",
                    "MatchExpr(match NameExpr(x) Arms({ Arm(VariantPat(Tag(A)) => NumberExpr(1)) , Arm(VariantPat(Tag(B) PatArgs(( PatArg(NamePat(c)) ))) Guard(if BinaryExpr(NameExpr(c) > NumberExpr(1))) => Block({ NumberExpr(2) })) }))",
                ),
                (
                    "for Ok(v) in xs if v > 1 max 10 parallel 2 { v }",
                    "ForExpr(for VariantPat(Tag(Ok) PatArgs(( PatArg(NamePat(v)) ))) in NameExpr(xs) Guard(if BinaryExpr(NameExpr(v) > NumberExpr(1))) MaxClause(max NumberExpr(10)) ParallelClause(parallel NumberExpr(2)) Block({ NameExpr(v) }))",
                ),
                (
                    "loop a = 1, b: int = 2 max 3 { next(a: b) } else { a }",
                    "LoopExpr(loop LoopVar(a = NumberExpr(1)) , LoopVar(b : NamedType(Path(int)) = NumberExpr(2)) MaxClause(max NumberExpr(3)) Block({ NextExpr(next Args(( Arg(a : NameExpr(b)) ))) }) else Block({ NameExpr(a) }))",
                ),
                (
                    "race 2 { a, b, { c } }",
                    "RaceExpr(race NumberExpr(2) { NameExpr(a) , NameExpr(b) , Block({ NameExpr(c) }) })",
                ),
                (
                    "f(x) undo { g() } catch { Timeout => h }",
                    "CatchExpr(UndoExpr(CallExpr(NameExpr(f) Args(( Arg(NameExpr(x)) ))) undo Block({ CallExpr(NameExpr(g) Args(( ))) })) catch Arms({ Arm(VariantPat(Tag(Timeout)) => NameExpr(h)) }))",
                ),
                ("(a)", "ParenExpr(( NameExpr(a) ))"),
                (
                    "max + user.from\n",
                    "BinaryExpr(NameExpr(max) + FieldExpr(NameExpr(user) . from))",
                ),
            ],
        );
    }
}
