//! Patterns (§13: `pattern` to `parg`).

use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;

use super::super::{Context, Parser, habits};
use super::{lists, texts};

/// Whether a pattern may start with this token.
pub(crate) fn starts_pattern(kind: K) -> bool {
    kind.can_be_name()
        || matches!(
            kind,
            K::Uid
                | K::Underscore
                | K::Number
                | K::Minus
                | K::StrStart
                | K::SingleQuoted
                | K::BacktickQuoted
                | K::TrueKw
                | K::FalseKw
                | K::NoneKw
                | K::LBracket
        )
}

/// `pattern = pat1 ("|" pat1)*`
pub(crate) fn pattern(p: &mut Parser<'_>) -> bool {
    if !p.enter() {
        return true;
    }
    let marker = p.start();
    if !alternative(p) {
        p.abandon(marker);
        p.leave();
        return false;
    }
    if p.at(K::Bar) || p.at(K::BarBar) {
        while p.at(K::Bar) || p.at(K::BarBar) {
            if p.at(K::BarBar) {
                let range = p.range(0);
                let error = SyntaxError::new(
                    Code::LogicOperator,
                    range,
                    "write `|` instead of `||` between alternatives",
                )
                .with_replacement("replace `||` by `|`", range, "|");
                p.habit(error);
            }
            p.bump_as(K::Bar);
            if !alternative(p) {
                break;
            }
        }
        p.finish_node(marker, K::OrPat);
    } else {
        p.abandon(marker);
    }
    p.leave();
    true
}

/// `pat1`
fn alternative(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    let next = p.current();
    match next {
        K::Underscore => {
            p.bump();
            p.finish_node(marker, K::WildcardPat);
        }
        K::Minus | K::Number => {
            number(p);
            if p.at(K::DotDot) {
                p.bump();
                number(p);
            }
            p.finish_node(marker, K::NumberPat);
        }
        K::StrStart | K::SingleQuoted | K::BacktickQuoted => {
            texts::expect_string(p, "a text");
            p.finish_node(marker, K::StrPat);
        }
        K::TrueKw | K::FalseKw => {
            p.bump();
            p.finish_node(marker, K::BoolPat);
        }
        K::NoneKw => {
            p.bump();
            p.finish_node(marker, K::NonePat);
        }
        K::LBracket => {
            list(p);
            p.finish_node(marker, K::ListPat);
        }
        _ if next == K::Uid || next.can_be_name() && p.nth(1) == K::Dot => {
            tag(p);
            if p.at(K::LParen) {
                args(p);
            }
            p.finish_node(marker, K::VariantPat);
        }
        _ if next.can_be_name() => {
            p.introduce();
            p.bump_as(K::Lid);
            p.finish_node(marker, K::NamePat);
        }
        _ if next.is_reserved_word() && p.follows_name(next) => {
            p.reserved_name("a value");
            p.finish_node(marker, K::NamePat);
        }
        _ => {
            p.expected("a pattern");
            p.abandon(marker);
            return false;
        }
    }
    true
}

/// `"-"? NUM`
fn number(p: &mut Parser<'_>) {
    p.eat(K::Minus);
    p.expect(K::Number, "a number");
}

/// `tag = UID | UID "." UID | LID "." UID | LID "." UID "." UID`
pub(crate) fn tag(p: &mut Parser<'_>) {
    let marker = p.start();
    let module = p.at(K::Uid);
    p.bump_as(if module { K::Uid } else { K::Lid });
    let most = if module { 1 } else { 2 };
    for n in 0..most {
        if !p.at(K::Dot) {
            break;
        }
        p.bump();
        if p.raw() == K::Uid {
            p.bump();
        } else if n == 0 && p.raw().can_be_name() {
            // `a.b`: a variant in the wrong case, or a field where none can be.
            p.expected("the name of a variant, in upper case");
            p.bump_as(K::Lid);
            break;
        } else {
            p.expected("the name of a variant");
            break;
        }
    }
    p.finish_node(marker, K::Tag);
}

/// `"(" pargs ")"`
pub(crate) fn args(p: &mut Parser<'_>) {
    let marker = p.start();
    let bracket = p.open(Context::Inside);
    lists::comma_list(p, bracket, "a pattern", |p| {
        let arg = p.start();
        if p.raw().can_be_field_name() && p.nth(1) == K::Colon {
            p.bump_as(K::Lid);
            p.bump();
        } else if p.raw().can_be_name() && p.nth(1) == K::Eq {
            p.bump_as(K::Lid);
            habits::pattern_equals(p);
            p.bump_as(K::Colon);
        }
        let found = pattern(p);
        if found || !p.is_empty_since(arg) {
            p.finish_node(arg, K::PatArg);
        } else {
            p.abandon(arg);
        }
        found
    });
    p.finish_node(marker, K::PatArgs);
}

/// `"[" plist "]"` with `plist = (pattern ("," pattern)* ("," ".." LID?)? | ".." LID?)?`
fn list(p: &mut Parser<'_>) {
    let bracket = p.open(Context::Inside);
    let mut rest = false;
    let mut trailing = None;
    lists::comma_list(p, bracket, "a pattern", |p| {
        trailing = None;
        if rest {
            let error = SyntaxError::new(
                Code::Unexpected,
                p.range(0),
                "`..` must be the last part of a list pattern",
            );
            p.habit(error);
        }
        let found = if matches!(p.raw(), K::DotDot | K::DotDotDot) {
            let marker = p.start();
            if p.raw() == K::DotDotDot {
                habits::spread(p);
            }
            p.bump_as(K::DotDot);
            if p.raw().can_be_name() {
                p.bump_as(K::Lid);
            }
            p.finish_node(marker, K::RestPat);
            rest = true;
            true
        } else {
            pattern(p)
        };
        if p.raw() == K::Comma && p.nth(1) == K::RBracket {
            trailing = Some(p.range(0));
        }
        found
    });
    if let Some(comma) = trailing {
        let error = SyntaxError::new(
            Code::Unexpected,
            comma,
            "leave out the comma at the end of a list pattern",
        )
        .with_replacement("remove `,`", comma, "");
        p.habit(error);
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Place, check};

    #[test]
    fn patterns_of_every_form() {
        check(
            Place::Pattern,
            &[
                ("_", "WildcardPat(_)"),
                ("name", "NamePat(name)"),
                ("-1..5", "NumberPat(- 1 .. 5)"),
                ("\"a\" | \"b\"", "OrPat(StrPat(StrExpr(\" a \")) | StrPat(StrExpr(\" b \")))"),
                ("none | true", "OrPat(NonePat(none) | BoolPat(true))"),
                (
                    "Ok(a, why: _)",
                    "VariantPat(Tag(Ok) PatArgs(( PatArg(NamePat(a)) , PatArg(why : WildcardPat(_)) )))",
                ),
                ("mail.Kind.New", "VariantPat(Tag(mail . Kind . New))"),
                (
                    "[a, [b], ..rest]",
                    "ListPat([ NamePat(a) , ListPat([ NamePat(b) ]) , RestPat(.. rest) ])",
                ),
                ("[]\n", "ListPat([ ])"),
            ],
        );
    }
}
