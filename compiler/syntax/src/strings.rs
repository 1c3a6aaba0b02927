//! What a text literal says: escapes resolved, triple-quoted texts dedented.
//!
//! The rule of §3: a triple-quoted text drops the line break next to its opening quotes, and, if the
//! closing quotes stand alone on their line, the line break before them and their indentation in
//! every line (as much of it as a line has). Only line breaks of the source count, never `\n`.
//! `\r\n` in the source reads as `\n`, so that a text does not depend on how a file was checked out.
//! Malformed escapes were reported by the lexer; here they stand for themselves.

use text_size::{TextRange, TextSize};

use crate::ast::{Interpolation, StrExpr};
use crate::{SyntaxElement, SyntaxKind};

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StrPart<'t> {
    /// Literal characters.
    Text(TextPart),
    /// `${expr}`
    Interpolation(Interpolation<'t>),
}

/// Literal characters of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPart {
    /// The characters, escapes resolved.
    pub text: String,
    /// Where they are written: from the first to the last token that contributes.
    pub range: TextRange,
}

/// The character that an escape sequence stands for; `None` if it is malformed.
#[must_use]
pub fn unescape(escape: &str) -> Option<char> {
    match escape {
        "\\n" => Some('\n'),
        "\\t" => Some('\t'),
        "\\\"" => Some('"'),
        "\\\\" => Some('\\'),
        "\\$" => Some('$'),
        _ => {
            let digits = escape.strip_prefix("\\u{")?.strip_suffix('}')?;
            if digits.is_empty()
                || digits.len() > 6
                || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                return None;
            }
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        }
    }
}

/// Writes a text as it would stand between double quotes.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '$' if chars.peek() == Some(&'{') => out.push_str("\\$"),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// The parts of a text, in order; neighbouring literal characters make one part, empty ones none.
#[must_use]
pub fn parts(expr: StrExpr<'_>) -> Vec<StrPart<'_>> {
    let mut builder = Builder { parts: Vec::new(), text: String::new(), range: None };
    let triple = expr.is_triple();
    let elements = expr.syntax().children_with_tokens();
    let content: Vec<_> = elements
        .filter(|element| {
            matches!(
                element.kind(),
                SyntaxKind::StrText | SyntaxKind::StrEscape | SyntaxKind::Interpolation
            )
        })
        .collect();
    let indent = if triple { closing_indent(&content) } else { None };
    let last = content.len().wrapping_sub(1);
    let mut line_start = false;
    for (i, element) in content.iter().enumerate() {
        match *element {
            SyntaxElement::Node(node) => {
                builder.flush();
                builder.parts.extend(Interpolation::cast(node).map(StrPart::Interpolation));
                line_start = false;
            }
            SyntaxElement::Token(token) if token.kind() == SyntaxKind::StrEscape => {
                match unescape(token.text()) {
                    Some(c) => builder.text.push(c),
                    None => builder.text.push_str(token.text()),
                }
                builder.cover(token.range());
                line_start = false;
            }
            SyntaxElement::Token(token) => {
                let (mut text, mut start) = (token.text(), token.range().start());
                if triple && i == 0 {
                    let rest = without_first_break(text);
                    if rest.len() < text.len() {
                        line_start = true;
                    }
                    start += TextSize::of(text) - TextSize::of(rest);
                    text = rest;
                }
                if let (true, Some(indent)) = (i == last, indent) {
                    text = text.strip_suffix(indent).unwrap_or(text);
                    text = text.strip_suffix('\n').unwrap_or(text);
                    text = text.strip_suffix('\r').unwrap_or(text);
                }
                for line in text.split_inclusive('\n') {
                    let line = match indent {
                        Some(indent) if line_start => without_indent(line, indent),
                        _ => line,
                    };
                    match line.strip_suffix("\r\n") {
                        Some(line) => {
                            builder.text.push_str(line);
                            builder.text.push('\n');
                        }
                        None => builder.text.push_str(line),
                    }
                    line_start = line.ends_with('\n');
                }
                if !text.is_empty() {
                    builder.cover(TextRange::at(start, TextSize::of(text)));
                }
            }
        }
    }
    builder.flush();
    builder.parts
}

/// The text as it stands in the source, if it says itself: one line without escapes and interpolations, as most are.
#[must_use]
pub fn plain(expr: StrExpr<'_>) -> Option<&str> {
    let mut plain = "";
    for element in expr.syntax().children_with_tokens() {
        match element {
            SyntaxElement::Token(token) if token.kind() == SyntaxKind::StrText => {
                if !plain.is_empty() || token.text().contains('\n') {
                    return None;
                }
                plain = token.text();
            }
            SyntaxElement::Token(token) if token.kind() == SyntaxKind::StrEscape => return None,
            SyntaxElement::Token(_) => {}
            SyntaxElement::Node(_) => return None,
        }
    }
    Some(plain)
}

/// The whole text, if nothing is interpolated.
#[must_use]
pub fn constant(expr: StrExpr<'_>) -> Option<String> {
    if let Some(plain) = plain(expr) {
        return Some(plain.to_owned());
    }
    if expr.interpolations().next().is_some() {
        return None;
    }
    Some(
        parts(expr)
            .into_iter()
            .filter_map(|part| match part {
                StrPart::Text(part) => Some(part.text),
                StrPart::Interpolation(_) => None,
            })
            .collect(),
    )
}

/// The blanks before the closing quotes, if nothing else stands on their line.
fn closing_indent<'t>(content: &[SyntaxElement<'t>]) -> Option<&'t str> {
    let token = content.last()?.into_token()?;
    if token.kind() != SyntaxKind::StrText {
        return None;
    }
    let (_, indent) = token.text().rsplit_once('\n')?;
    indent.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then_some(indent)
}

/// The text behind its first line break, if only blanks stand before that.
fn without_first_break(text: &str) -> &str {
    match text.split_once('\n') {
        Some((before, rest)) if before.bytes().all(|b| matches!(b, b' ' | b'\t' | b'\r')) => rest,
        _ => text,
    }
}

/// The line without as much of the indentation as it has.
fn without_indent<'l>(line: &'l str, indent: &str) -> &'l str {
    let common = line.bytes().zip(indent.bytes()).take_while(|(a, b)| a == b).count();
    // The indentation is ASCII, so a common prefix ends at a character boundary.
    line.get(common..).unwrap_or(line)
}

struct Builder<'t> {
    parts: Vec<StrPart<'t>>,
    text: String,
    range: Option<TextRange>,
}

impl Builder<'_> {
    fn cover(&mut self, range: TextRange) {
        self.range = Some(self.range.map_or(range, |before| before.cover(range)));
    }

    fn flush(&mut self) {
        if let Some(range) = self.range.take()
            && !self.text.is_empty()
        {
            self.parts
                .push(StrPart::Text(TextPart { text: std::mem::take(&mut self.text), range }));
        }
        self.text.clear();
    }
}
