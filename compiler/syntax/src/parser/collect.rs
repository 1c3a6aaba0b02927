//! The mistakes of a text as they are reported: the parser's, the lexer's, stray docs and hidden controls, without those
//! that only follow from others.

use text_size::TextRange;

use super::Parser;
use super::recovery::FAR;
use crate::codes::{Code, Severity};
use crate::limits::MAX_ERRORS;
use crate::{SyntaxError, SyntaxKind};

/// All mistakes of a text, in its order: the parser's, the lexer's, stray docs and hidden controls.
pub(super) fn collect(parser: &mut Parser<'_>) -> Vec<SyntaxError> {
    let mut errors = std::mem::take(&mut parser.errors);
    let mut lexical = std::mem::take(&mut parser.lexed.errors);
    parser.careful_renames(&mut errors);
    parser.careful_renames(&mut lexical);
    for error in &mut lexical {
        // One token, and the same name wherever it stands.
        if matches!(error.code, Code::LowerCase | Code::UpperCase) {
            error.understood = parser.introduced.contains(parser.slice(error.range));
        }
    }
    // A name that nothing here introduces, behind a dot or called, is one of another place, and whoever looks it up says
    // what it is called there: spelling it otherwise would mend nothing.
    let is_use = |range: TextRange| {
        let significant = &parser.lexed.significant;
        let at =
            significant.partition_point(|token| parser.token_start(token.index) < range.start());
        let kind = |at: usize| significant.get(at).map(|token| token.kind);
        let dot = |at: usize| matches!(kind(at), Some(SyntaxKind::Dot | SyntaxKind::QuestionDot));
        let mut first = at;
        while first >= 2 && dot(first - 1) {
            first -= 2;
        }
        // What an effect reads or writes may be named as one likes.
        let word = first.checked_sub(1).map(|at| parser.slice(parser.range_at(at)));
        let is_resource = matches!(word, Some("read" | "write"));
        !is_resource && (first < at || kind(at + 1) == Some(SyntaxKind::LParen))
    };
    for error in &mut lexical {
        if error.code == Code::LowerCase && !error.understood && is_use(error.range) {
            error.fix = None;
        }
    }
    let first = errors.first().or_else(|| lexical.first()).cloned();
    let mut misread: Vec<u32> = lexical
        .iter()
        .filter(|error| {
            matches!(error.code, Code::UnknownCharacter | Code::BadNumber | Code::Quotes)
        })
        .map(|error| error.range.start().into())
        .collect();
    misread.sort_unstable();
    // A mistake inside a token and one of the parser, on one line: the second follows from the
    // first, for something was read as code that is none, or not as what it is.
    let text = parser.text;
    let on_line_behind = |places: &[u32], start: u32| {
        let before = places.partition_point(|&place| place < start);
        before.checked_sub(1).and_then(|i| places.get(i)).is_some_and(|&place| {
            start - place < FAR
                && text.get(place as usize..start as usize).is_some_and(|gap| !gap.contains('\n'))
        })
    };
    let confusing = |code: Code| {
        matches!(
            code,
            Code::Unexpected
                | Code::UnclosedText
                | Code::MissingNewline
                | Code::StrayCloser
                | Code::UnclosedBracket
                | Code::Ternary
                | Code::LogicOperator
        )
    };
    errors.retain(|error| {
        !(confusing(error.code) && on_line_behind(&misread, error.range.start().into()))
    });
    let mut damaged: Vec<u32> = errors
        .iter()
        .filter(|error| confusing(error.code))
        .map(|error| error.range.start().into())
        .collect();
    damaged.sort_unstable();
    let damage = std::mem::take(&mut parser.damage);
    // Where brackets do not pair up, texts are read as code.
    let around = |place: TextRange| {
        let before = damage.partition_point(|&(range, _)| range.start() <= place.start());
        let (range, balanced) = before.checked_sub(1).and_then(|i| damage.get(i)).copied()?;
        range.contains_range(place).then_some(balanced)
    };
    let unreadable = |place: TextRange| around(place) == Some(false);
    errors.extend(lexical.into_iter().filter(|error| {
        let start = error.range.start().into();
        !unreadable(error.range)
            && !on_line_behind(&damaged, start)
            && !on_line_behind(&misread, start)
    }));
    for range in stray_docs(parser) {
        if around(range).is_some() {
            continue;
        }
        let message = "this `///` comment describes nothing";
        let error = SyntaxError::new(Code::MisplacedDoc, range, message).with_help(
            "put `///` right before a declaration, field, variant or parameter; use `//` for a plain comment, `//!` at the top for the whole file",
        );
        let slashes = TextRange::at(range.start(), 3.into());
        let error = error.with_replacement("make it a comment", slashes, "//");
        errors.push(error);
    }
    hidden_controls(parser, &mut errors);
    let refuses = |error: &SyntaxError| error.severity() == Severity::Error;
    if !errors.iter().any(refuses)
        && let Some(error) = first.or_else(|| parser.suppressed.take())
    {
        // Whatever it was thought to follow from: a damaged text is never accepted.
        errors.push(error);
    }
    errors.sort_by_key(|error| (error.range.start(), error.code));
    if parser.lexed.unclosed_triple
        && let Some(first) = errors.iter().position(refuses)
    {
        // From the first mistake on nobody knows what is text and what is code.
        errors.truncate(first + 1);
    }
    if errors.len() > MAX_ERRORS {
        let place = errors.get(MAX_ERRORS).map_or(parser.behind(), |error| error.range);
        errors.truncate(MAX_ERRORS);
        errors.push(SyntaxError::new(
            Code::FurtherErrors,
            place,
            format!("further errors are not shown: the limit is {MAX_ERRORS} per file"),
        ));
    }
    errors
}

/// The docs that document nothing. Lines of one comment are one mistake.
fn stray_docs(parser: &Parser<'_>) -> Vec<TextRange> {
    let mut ranges: Vec<TextRange> = Vec::new();
    let mut next_line = None;
    for &doc in &parser.stray_docs {
        let (start, end) = (parser.token_start(doc), parser.token_start(doc + 1));
        match ranges.last_mut() {
            Some(comment) if next_line == Some(doc) => {
                *comment = TextRange::new(comment.start(), end);
            }
            _ => ranges.push(TextRange::new(start, end)),
        }
        next_line = (parser.token_kind(doc + 1) == SyntaxKind::Newline).then_some(doc + 2);
    }
    ranges
}

/// Warns of characters that change the direction of the text on a screen, so that it does not look
/// like what it is (CVE-2021-42574). In code they were reported as characters without meaning.
fn hidden_controls(parser: &Parser<'_>, errors: &mut Vec<SyntaxError>) {
    if parser.text.is_ascii() {
        return;
    }
    let is_control = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    for (at, c) in parser.text.char_indices().filter(|&(_, c)| is_control(c)).take(MAX_ERRORS + 1) {
        let Ok(start) = u32::try_from(at) else { return };
        let index = parser.lexed.tokens.partition_point(|token| token.start <= start);
        let kind = index
            .checked_sub(1)
            .and_then(|index| parser.lexed.tokens.get(index))
            .map_or(SyntaxKind::Unknown, |token| token.kind);
        if kind == SyntaxKind::Unknown {
            continue;
        }
        let range = TextRange::at(start.into(), text_size::TextSize::of(c));
        let number = u32::from(c);
        let message = format!(
            "the invisible character U+{number:04X} makes the code look different from what it is"
        );
        let error = SyntaxError::new(Code::BidiControl, range, message);
        let error = if kind == SyntaxKind::StrText {
            let escape = format!("\\u{{{number:x}}}");
            error.with_replacement(format!("write it as `{escape}`"), range, escape)
        } else {
            error.with_replacement("remove it", range, "")
        };
        errors.push(error);
    }
}
