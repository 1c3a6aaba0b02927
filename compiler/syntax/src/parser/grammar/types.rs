//! Types and paths (§13: `type`, `base`, `path`).

use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;

use super::super::{Context, Parser, habits};
use super::exprs;

/// `type = QUAL type | base "?"? ("where" "(" args ")")?`
pub(crate) fn ty(p: &mut Parser<'_>) -> bool {
    if !p.enter() {
        return true;
    }
    let found = ty_inner(p);
    p.leave();
    found
}

fn ty_inner(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    if p.current().is_qualifier() && type_behind_qualifier(p) {
        p.bump_keyword();
        ty(p);
        p.finish_node(marker, K::QualifiedType);
        return true;
    }
    match p.current() {
        K::NoneKw => {
            p.bump();
            p.finish_node(marker, K::NoneType);
        }
        K::LBracket => {
            let bracket = p.open(Context::Inside);
            ty(p);
            let map = p.raw() == K::Colon;
            if map {
                p.bump();
                ty(p);
            }
            close_type(p, bracket);
            p.finish_node(marker, if map { K::MapType } else { K::ListType });
        }
        next if next.can_be_name() || next == K::Uid || is_word_before_colon(p) => {
            path(p);
            if p.at(K::Lt) {
                type_args(p);
            }
            p.finish_node(marker, K::NamedType);
        }
        _ if habits::type_in_brackets(p) => {
            p.finish_node(marker, K::Error);
            return true;
        }
        _ => {
            p.expected("a type");
            p.abandon(marker);
            return false;
        }
    }
    while p.at(K::LBracket) && p.nth(1) == K::RBracket && !p.chain_too_long() {
        let marker = p.again(marker);
        habits::array_type(p);
        p.bump();
        p.bump();
        p.finish_node(marker, K::ListType);
    }
    if p.at(K::Question) || p.at(K::QuestionQuestion) {
        let marker = p.again(marker);
        if p.at(K::QuestionQuestion) {
            let error = SyntaxError::new(
                Code::Unexpected,
                p.range(0),
                "write `?` only once: `T??` is no more than `T?`",
            )
            .with_replacement("replace `??` by `?`", p.range(0), "?");
            p.habit(error);
        }
        p.bump_as(K::Question);
        p.finish_node(marker, K::OptionalType);
    }
    if habits::behind_type(p, marker) {
        let marker = p.again(marker);
        p.finish_node(marker, K::Error);
        return true;
    }
    if p.at_clause(K::WhereKw) {
        let marker = p.again(marker);
        p.clear_separator();
        let bounds = p.start();
        p.bump_keyword();
        exprs::expect_args(p, "`(` and the rules: `where (max: 10)`");
        p.finish_node(bounds, K::Where);
        p.finish_node(marker, K::RefinedType);
    }
    true
}

/// Whether a type follows a word that may be a qualifier; else it is a name like any other. What follows an `as "..."`
/// is a wire name.
fn type_behind_qualifier(p: &Parser<'_>) -> bool {
    let next = p.nth(1);
    (next != K::AsKw || p.nth(2) != K::StrStart)
        && (next.can_be_name() || matches!(next, K::NoneKw | K::Uid | K::LBracket))
        && (p.context == Context::Inside || !p.on_new_line(1))
}

/// A reserved word as the key type of a map: a name, as every word before a `:`.
fn is_word_before_colon(p: &Parser<'_>) -> bool {
    let next = p.raw();
    p.context == Context::Inside
        && p.nth(1) == K::Colon
        && next.is_reserved_word()
        && !matches!(next, K::TrueKw | K::FalseKw | K::NoneKw)
}

fn close_type(p: &mut Parser<'_>, bracket: super::super::Bracket) {
    if p.raw() != K::RBracket && p.raw() != K::Eof && !p.on_new_line(0) {
        p.expected("`]`");
        let marker = p.start();
        while !matches!(
            p.raw(),
            K::RBracket | K::RParen | K::RBrace | K::Eof | K::Comma | K::LBrace | K::Eq
        ) && !p.on_new_line(0)
        {
            p.skip_one();
        }
        p.finish_error(marker);
    }
    p.close(bracket);
}

/// `"<" type ("," type)* ">"`
fn type_args(p: &mut Parser<'_>) {
    let marker = p.start();
    p.bump();
    loop {
        if !ty(p) {
            break;
        }
        if !p.eat(K::Comma) {
            break;
        }
    }
    p.expect(K::Gt, "`>`");
    p.finish_node(marker, K::TypeArgs);
}

/// `path = LID ("." LID)* ("." UID)? | UID ("." UID)?`
pub(crate) fn path(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    let upper = p.at(K::Uid);
    if upper {
        p.bump();
    } else if p.current().can_be_name() || is_word_before_colon(p) {
        p.bump_as(K::Lid);
    } else {
        p.expected("a name");
        p.abandon(marker);
        return false;
    }
    let mut done = false;
    while p.at(K::Dot) && !done {
        p.bump();
        let next = p.raw();
        if next == K::Uid {
            p.bump();
            done = true;
        } else if next.can_be_field_name() && !upper {
            p.bump_as(K::Lid);
        } else {
            p.expected(if upper { "a name in upper case" } else { "a name" });
            break;
        }
    }
    p.finish_node(marker, K::Path);
    true
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Place, check};

    #[test]
    fn types_and_labels() {
        check(
            Place::Type,
            &[
                ("text", "NamedType(Path(text))"),
                ("mail.Message?", "OptionalType(NamedType(Path(mail . Message)) ?)"),
                (
                    "trusted [untrusted text] where (max: 3)",
                    "QualifiedType(trusted RefinedType(ListType([ QualifiedType(untrusted NamedType(Path(text))) ]) Where(where Args(( Arg(max : NumberExpr(3)) )))))",
                ),
                (
                    "[text: [int]]?",
                    "OptionalType(MapType([ NamedType(Path(text)) : ListType([ NamedType(Path(int)) ]) ]) ?)",
                ),
                (
                    "Result<T, [U]>",
                    "NamedType(Path(Result) TypeArgs(< NamedType(Path(T)) , ListType([ NamedType(Path(U)) ]) >))",
                ),
                ("none", "NoneType(none)"),
                ("secret\n", "NamedType(Path(secret))"),
                ("secret as", "QualifiedType(secret NamedType(Path(as)))"),
            ],
        );
    }
}
