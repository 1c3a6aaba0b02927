//! Texts and what is interpolated into them.

use crate::SyntaxError;
use crate::SyntaxKind as K;
use crate::codes::Code;

use super::super::builder::Marker;
use super::super::{Context, Parser, habits};
use super::exprs::operand;

/// A text that must stand here.
pub(crate) fn expect_string(p: &mut Parser<'_>, what: &str) -> bool {
    match p.current() {
        K::StrStart => {
            let marker = p.start();
            string_at(p, marker);
            true
        }
        K::SingleQuoted | K::BacktickQuoted => {
            habits::quotes(p);
            let marker = p.start();
            p.bump();
            p.finish_node(marker, K::StrExpr);
            true
        }
        _ => {
            p.expected(what);
            false
        }
    }
}

/// A text with its interpolations, finished at `marker`.
pub(crate) fn string_at(p: &mut Parser<'_>, marker: Marker) {
    let opener = p.range(0);
    p.bump();
    p.open_texts += 1;
    let mut damaged = false;
    loop {
        match p.raw() {
            K::StrText | K::StrEscape => p.bump(),
            K::InterpStart => {
                if !interpolation(p) {
                    damaged = true;
                    break;
                }
            }
            K::StrEnd => {
                p.bump();
                break;
            }
            _ => {
                damaged = true;
                break;
            }
        }
    }
    p.open_texts -= 1;
    if damaged {
        if !p.pass_break() && !p.at_break() && p.raw() != K::Eof {
            // Lost inside an interpolation: on to the end of the text.
            while !matches!(p.raw(), K::StrEnd | K::Eof) {
                p.skip_one();
            }
            if p.raw() == K::StrEnd {
                p.bump();
            }
        } else {
            let quotes = p.slice(opener);
            let closing = quotes.trim_start_matches('r');
            let mut error =
                SyntaxError::new(Code::UnclosedText, opener, "this text has no closing quote");
            if closing == "\"" {
                let line_end = p.behind();
                error = error
                    .with_related(line_end, "the line ends here without it")
                    .with_help("for a text of several lines, use `\"\"\"` at both ends");
                error = habits::close_text(p, opener, error);
            } else {
                error = error.with_help("write `\"\"\"` where the text ends");
            }
            p.report(error);
        }
    }
    p.finish_node(marker, K::StrExpr);
}

/// `${expr}`; false if it is not closed.
fn interpolation(p: &mut Parser<'_>) -> bool {
    let marker = p.start();
    let opener = p.range(0);
    let bracket = p.open(Context::Inside);
    operand(p, "a value");
    let mut closed = true;
    if p.raw() != K::InterpEnd {
        if p.raw() != K::Eof {
            let error = p.expected_error("`}`").with_related(opener, "to close this");
            p.report(error);
            let skipped = p.start();
            while !matches!(p.raw(), K::InterpEnd | K::Eof | K::StrEnd) {
                p.skip_one();
            }
            p.finish_error(skipped);
        } else if p.at_break() && !p.recovering {
            let error = SyntaxError::new(Code::UnclosedText, opener, "`${` has no closing `}`")
                .with_related(p.behind(), "expected `}` on this line")
                .with_replacement("insert `}\"`", p.behind(), "}\"");
            p.report(error);
        }
        closed = p.raw() == K::InterpEnd;
    }
    if closed {
        p.bump();
    }
    p.leave_bracket(bracket);
    p.finish_node(marker, K::Interpolation);
    closed
}
