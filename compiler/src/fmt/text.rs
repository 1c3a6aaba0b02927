//! Text literals: kept as they are, but for the indentation of texts over several lines, which is not
//! part of their value, and blanks in interpolations.

use kait_syntax::SyntaxKind::{self as K};
use kait_syntax::{SyntaxElement, SyntaxNode};

use super::Formatter;

impl<'a> Formatter<'a> {
    /// Writes a text, of an expression or a pattern.
    pub(super) fn string(&mut self, node: SyntaxNode<'a>) {
        let (mut first, mut last) = (None, None);
        for token in node.tokens() {
            first = first.or(Some(token));
            last = Some(token);
        }
        if let Some(first) = first {
            self.own_line_comments(self.trivia.number(first));
        }
        if !node.text().contains('\n') {
            for part in node.children_with_tokens() {
                self.part(part);
            }
        } else if let Some(indent) = closing_indent(node) {
            self.indented(node, indent);
        } else {
            self.doc.verbatim(node.text());
        }
        if let Some(last) = last {
            self.trailing_comment(self.trivia.number(last));
        }
    }

    fn part(&mut self, part: SyntaxElement<'a>) {
        match part {
            SyntaxElement::Token(token) => self.doc.text(token.text()),
            SyntaxElement::Node(node) => self.interpolation(node),
        }
    }

    /// `${expr}`, on one line if it was on one: a line break would not change the text's value, but make
    /// it hard to read.
    fn interpolation(&mut self, node: SyntaxNode<'a>) {
        if node.text().contains('\n') {
            return self.doc.verbatim(node.text());
        }
        // Nothing in it was broken, and comments would have needed a line break.
        self.sequence(node);
    }

    /// A triple-quoted text whose closing quotes stand alone on their line: its lines lose the
    /// indentation of the closing quotes, as much of it as they have, and get the canonical one.
    fn indented(&mut self, node: SyntaxNode<'a>, indent: &str) {
        self.doc.open_text();
        let mut is_first = true;
        // Whether the last token ended a line of the text.
        let mut at_line_start = false;
        for part in node.children_with_tokens() {
            let SyntaxElement::Token(token) = part else {
                self.part(part);
                (is_first, at_line_start) = (false, false);
                continue;
            };
            if token.kind() != K::StrText {
                self.part(part);
                is_first &= token.kind() == K::StrStart;
                at_line_start = false;
                continue;
            }
            let mut text = token.text();
            if is_first {
                is_first = false;
                text = from_first_break(text);
            }
            let mut lines = text.split('\n').peekable();
            let mut begins_line = at_line_start;
            while let Some(line) = lines.next() {
                let is_whole = lines.peek().is_some();
                // Line breaks of a text are `\n`, however the file was checked out.
                let line = if is_whole { line.strip_suffix('\r').unwrap_or(line) } else { line };
                at_line_start = begins_line && line.is_empty();
                let line = if begins_line { without_indent(line, indent) } else { line };
                self.doc.text(line);
                if is_whole {
                    self.doc.text_line();
                    begins_line = true;
                }
            }
        }
    }
}

/// Whether the lines of a text can be indented without a change of its value.
pub(super) fn can_indent(node: SyntaxNode<'_>) -> bool {
    closing_indent(node).is_some()
}

/// The blanks before the closing quotes of a triple-quoted text, if nothing else stands on their line.
/// The rule is that of `kait_syntax::strings`.
fn closing_indent<'a>(node: SyntaxNode<'a>) -> Option<&'a str> {
    if !node.first_token(K::StrStart)?.text().ends_with("\"\"\"") {
        return None;
    }
    let is_content = |kind: K| matches!(kind, K::StrText | K::StrEscape | K::Interpolation);
    let last = node.children_with_tokens().filter(|part| is_content(part.kind())).last()?;
    let token = last.into_token().filter(|token| token.kind() == K::StrText)?;
    let (_, indent) = token.text().rsplit_once('\n')?;
    indent.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then_some(indent)
}

/// The text from its first line break on, if only blanks stand before that.
fn from_first_break(text: &str) -> &str {
    match text.find('\n') {
        Some(at) if text.bytes().take(at).all(|b| matches!(b, b' ' | b'\t' | b'\r')) => {
            text.get(at..).unwrap_or(text)
        }
        _ => text,
    }
}

fn without_indent<'l>(line: &'l str, indent: &str) -> &'l str {
    let common = line.bytes().zip(indent.bytes()).take_while(|(a, b)| a == b).count();
    // The indentation is ASCII, so a common prefix ends at a character boundary.
    line.get(common..).unwrap_or(line)
}
