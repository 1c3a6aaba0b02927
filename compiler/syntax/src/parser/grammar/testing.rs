//! Tests (§13: `test`, `titem`, `outcome`).

use crate::SyntaxKind as K;

use super::super::builder::Marker;
use super::super::{Context, Parser, habits};
use super::lists::{self, Separators};
use super::{blocks, exprs, patterns, texts, types};

/// `test = "test" STR policies? "{" (titem (SEP titem)* SEP?)? "}"`
pub(crate) fn test(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    texts::expect_string(p, "the name of the test, in quotes");
    if p.at(K::WithKw) {
        exprs::policies(p);
    }
    if let Some(bracket) =
        lists::open_braces(p, Context::Lines, "the test", blocks::starts_statement)
    {
        lists::lines(p, bracket, Separators::Lines, "item of a test", item);
    }
    p.finish_node(marker, K::Test);
}

/// `titem = "stub" ... | "expect" expr | stmt`
fn item(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    match p.raw() {
        K::StubKw if p.nth(1) != K::Dot => stub(p, marker),
        K::Lid if habits::mock(p) => stub(p, marker),
        K::ExpectKw if p.nth(1) != K::Dot => {
            p.bump_keyword();
            p.in_condition = true;
            exprs::expect_expr(p, "a condition");
            p.in_condition = false;
            p.finish_node(marker, K::Expect);
        }
        _ => {
            p.abandon(marker);
            return blocks::statement(p);
        }
    }
    true
}

/// `"stub" "approve"? path ("(" pargs ")")? "=>" outcome ("then" outcome)*`
fn stub(p: &mut Parser<'_>, marker: Marker) {
    p.bump_keyword();
    if p.raw() == K::ApproveKw && (p.nth(1).can_be_name() || p.nth(1) == K::Uid) {
        p.bump_keyword();
    }
    types::path(p);
    if p.at(K::LParen) {
        patterns::args(p);
    }
    if p.at(K::Arrow) {
        habits::arm_arrow(p);
        p.bump_as(K::FatArrow);
        outcome(p);
    } else if p.expect(K::FatArrow, "`=>` and the result of the call") {
        outcome(p);
    }
    while p.at_clause(K::ThenKw) {
        p.clear_separator();
        p.bump_keyword();
        outcome(p);
    }
    p.finish_node(marker, K::Stub);
}

/// `outcome = body ("after" NUM)?`
fn outcome(p: &mut Parser<'_>) {
    let marker = p.start();
    blocks::body(p, "the result of the call");
    if p.raw() == K::AfterKw && p.nth(1) == K::Number {
        p.clear_separator();
        p.bump_keyword();
        let number = p.start();
        p.bump();
        p.finish_node(number, K::NumberExpr);
    }
    p.finish_node(marker, K::Outcome);
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Place, check};

    #[test]
    fn items_of_a_test() {
        check(
            Place::File,
            &[(
                "test \"t\" {\n  stub approve f.g(_, a: 1) => fail X then 2 after 5s\n  stub h => 1\n  expect a is B\n  let b = 1\n  c\n}",
                "SourceFile(Test(test StrExpr(\" t \") { Stub(stub approve Path(f . g) PatArgs(( PatArg(WildcardPat(_)) , PatArg(a : NumberPat(1)) )) => Outcome(FailExpr(fail UNameExpr(X))) then Outcome(NumberExpr(2) after NumberExpr(5s))) Stub(stub Path(h) => Outcome(NumberExpr(1))) Expect(expect IsExpr(NameExpr(a) is VariantPat(Tag(B)))) Let(let NamePat(b) = NumberExpr(1)) NameExpr(c) }))",
            )],
        );
    }
}
