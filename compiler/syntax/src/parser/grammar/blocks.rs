//! Blocks, statements, arms and `let` (§13: `block`, `stmt`, `body`, `arms`, `let`, `binder`).

use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;
use crate::lexer::Significant;

use super::super::builder::Marker;
use super::super::{Context, Parser, habits};
use super::{control, exprs, lists, patterns, types};

/// `block = "{" (stmt (SEP stmt)* SEP?)? "}"`; `what` says what the block is for.
pub(crate) fn block(p: &mut Parser<'_>, what: &str) -> bool {
    if !p.enter() {
        return true;
    }
    let marker = p.start();
    let found = match lists::open_braces(p, Context::Lines, what, starts_statement) {
        Some(bracket) => {
            lists::lines(p, bracket, lists::Separators::Lines, "statement", statement);
            p.finish_node(marker, K::Block);
            true
        }
        None => {
            p.finish_error(marker);
            false
        }
    };
    p.leave();
    found
}

/// `stmt = let | expr`
pub(crate) fn statement(p: &mut Parser<'_>) -> bool {
    if p.at(K::LetKw) {
        let marker = p.start();
        let_at(p, marker);
        return true;
    }
    if habits::statement(p) {
        return true;
    }
    exprs::expect_expr(p, "a statement")
}

/// Whether a statement may begin here.
pub(crate) fn starts_statement(p: &Parser<'_>) -> bool {
    exprs::starts_expr(p.current()) && p.text(0) != "_" || p.at(K::LetKw)
}

/// `body = expr | block`
pub(crate) fn body(p: &mut Parser<'_>, what: &str) -> bool {
    if p.at(K::LBrace) { block(p, what) } else { exprs::expect_expr(p, what) }
}

/// `let = "let" binder (":" type)? "=" expr`, finished at `marker`.
pub(crate) fn let_at(p: &mut Parser<'_>, marker: Marker) {
    p.bump();
    habits::let_mut(p);
    binder(p);
    let_rest(p, marker);
}

/// What stands behind the binder.
pub(crate) fn let_rest(p: &mut Parser<'_>, marker: Marker) {
    let name_end = p.behind();
    let mut typed = false;
    if p.at(K::Colon) {
        p.bump();
        types::ty(p);
        typed = true;
    } else if habits::type_without_colon(p) {
        types::ty(p);
        typed = true;
    }
    if p.at(K::ColonEq) {
        habits::colon_equals(p);
        p.bump_as(K::Eq);
        exprs::expect_expr(p, "a value");
    } else if p.at(K::Eq) {
        p.bump();
        exprs::expect_expr(p, "a value");
    } else if matches!(p.current(), K::Separator | K::RBrace | K::Eof) && !p.at_break() {
        let error = SyntaxError::new(
            Code::LetWithoutValue,
            p.behind(),
            "a `let` needs a value: `let name = value`",
        )
        .with_help(if typed {
            "write `= value` after the type: a name keeps the value that it gets here"
        } else {
            "write `= value` after the name"
        });
        p.report(error);
    } else {
        let mut error = p.expected_error("`=` and a value");
        if p.current() == K::EqEq {
            error = error.with_replacement("replace `==` by `=`", p.range(0), "=");
            p.habit(error);
            p.bump();
            exprs::expect_expr(p, "a value");
        } else {
            if exprs::starts_expr(p.current())
                && p.text(0) != "_"
                && name_end == p.behind()
                && !p.on_new_line(0)
                && !p.on_line(0, K::Eq)
            {
                error = error.with_replacement("insert `=`", p.behind(), " =");
            }
            p.report(error);
            if exprs::starts_expr(p.current()) && !p.on_new_line(0) {
                exprs::expr(p);
            }
        }
    }
    p.finish_node(marker, K::Let);
}

/// `binder = LID | tag "(" pargs ")"`
fn binder(p: &mut Parser<'_>) {
    let next = p.current();
    let tag = match next {
        K::Uid => matches!(p.nth(1), K::LParen | K::Dot),
        _ if next.can_be_name() => p.nth(1) == K::Dot,
        _ => false,
    };
    let marker = p.start();
    if tag {
        patterns::tag(p);
        if p.at(K::LParen) {
            patterns::args(p);
        } else {
            p.expected("`(` and the names of the parts");
        }
        p.finish_node(marker, K::VariantPat);
        return;
    }
    match next {
        K::Underscore => {
            let error =
                SyntaxError::new(Code::Unexpected, p.range(0), "`let _` gives the value no name")
                    .with_help("leave out `let _ =` and keep the expression");
            p.habit(error);
            p.bump();
            p.finish_node(marker, K::WildcardPat);
        }
        K::LParen | K::LBracket | K::LBrace => {
            let error = SyntaxError::new(
                Code::Unexpected,
                p.range(0),
                "expected a name, or a record to take apart: `let Pair(first, second) = …`",
            )
            .with_help(habits::taken_apart(next));
            p.report(error);
            p.skip_one();
            p.finish_node(marker, K::Error);
        }
        _ => {
            if p.expect_lower_name("a value") {
                p.finish_node(marker, K::NamePat);
            } else {
                p.finish_error(marker);
            }
        }
    }
}

/// `"{" arms "}"`
pub(crate) fn arms(p: &mut Parser<'_>, what: &str) -> bool {
    if !p.enter() {
        return true;
    }
    let marker = p.start();
    let found = match lists::open_braces(p, Context::Arms, what, |p| p.on_line(0, K::FatArrow)) {
        Some(bracket) => {
            let opener = p.behind();
            let mut count = 0u32;
            let mut closed = true;
            lists::lines(p, bracket, lists::Separators::LinesOrCommas, "arm", |p| {
                count += 1;
                closed = arm(p);
                closed
            });
            if count == 0 && !p.damaged {
                lists::none_inside(p, opener, "expected at least one arm: `pattern => value`");
            }
            p.finish_node(marker, K::Arms);
            true
        }
        None => {
            p.finish_error(marker);
            false
        }
    };
    p.leave();
    found
}

/// `arm = pattern ("if" expr)? "=>" body`
fn arm(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    habits::case_word(p);
    let other = habits::else_arm(p) || habits::comparing_pattern(p);
    if other {
        // What was consumed is the pattern.
    } else if matches!(p.current(), K::IfKw | K::FatArrow) {
        p.expected("a pattern");
    } else if !(patterns::starts_pattern(p.current())
        || (p.current().is_reserved_word() && p.nth(1) == K::FatArrow && !p.at(K::ElseKw)))
    {
        p.expected("a pattern and `=>`");
        p.abandon(marker);
        return false;
    }
    if !other && !matches!(p.current(), K::FatArrow | K::IfKw) {
        patterns::pattern(p);
        habits::pattern_words(p, patterns::pattern);
    }
    if p.at(K::IfKw) {
        control::guard(p);
    }
    let starts_line =
        p.lexed.significant.get(p.item_start).is_some_and(|t| t.has(Significant::NEWLINE));
    if p.at(K::Arrow) || p.at(K::Colon) && starts_line {
        habits::arm_arrow(p);
        p.bump_as(K::FatArrow);
        body(p, "the value of the arm");
    } else if p.expect(K::FatArrow, "`=>`") {
        body(p, "the value of the arm");
    }
    p.finish_node(marker, K::Arm);
    true
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Place, check};

    #[test]
    fn newlines_end_statements() {
        check(
            Place::Block,
            &[
                (
                    "let a = f\n(b)",
                    "Block({ Let(let NamePat(a) = NameExpr(f)) ParenExpr(( NameExpr(b) )) })",
                ),
                ("a\n[b]", "Block({ NameExpr(a) ListExpr([ NameExpr(b) ]) })"),
                (
                    "a\n  + b\n  |> c\n  .d\n  with (x: 1)",
                    "Block({ PipeExpr(BinaryExpr(NameExpr(a) + NameExpr(b)) |> WithExpr(FieldExpr(NameExpr(c) . d) Policies(with Args(( Arg(x : NumberExpr(1)) ))))) })",
                ),
                (
                    "let Pair(first: a, second: b) = p\na >\nb",
                    "Block({ Let(let VariantPat(Tag(Pair) PatArgs(( PatArg(first : NamePat(a)) , PatArg(second : NamePat(b)) ))) = NameExpr(p)) BinaryExpr(NameExpr(a) > NameExpr(b)) })",
                ),
                (
                    "match x {\n  1 => a\n  -1 => b\n}\n- 1",
                    "Block({ BinaryExpr(MatchExpr(match NameExpr(x) Arms({ Arm(NumberPat(1) => NameExpr(a)) Arm(NumberPat(- 1) => NameExpr(b)) })) - NumberExpr(1)) })",
                ),
                (
                    "f(\n  a\n  , b\n)",
                    "Block({ CallExpr(NameExpr(f) Args(( Arg(NameExpr(a)) , Arg(NameExpr(b)) ))) })",
                ),
                (
                    "for x in xs\n  max 3\n  parallel 2 { x }",
                    "Block({ ForExpr(for NamePat(x) in NameExpr(xs) MaxClause(max NumberExpr(3)) ParallelClause(parallel NumberExpr(2)) Block({ NameExpr(x) })) })",
                ),
                ("x.in\ny\n", "Block({ FieldExpr(NameExpr(x) . in) NameExpr(y) })"),
            ],
        );
    }
}
