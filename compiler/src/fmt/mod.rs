//! The formatter: a syntax tree to its canonical text.
//!
//! There are no options. Line breaks are the author's, as with gofmt: **what was written on one line
//! stays on one line**, however long; what was broken gets its one broken form. Of each construct it
//! is asked only where it was broken, and everything else follows from the tree. 100 columns are a guide:
//! they decide whether line breaks that no rule keeps are joined. Only comments add line breaks. The
//! rules, for users, are in `docs/format.md`; keep the two in step.
//!
//! - **Lines.** Indentation is 2 columns. One statement, field, variant, arm, prompt item and test item
//!   a line. A text is never broken.
//! - **`( )` and `[ ]`** have one item a line, with a comma behind the last, if a line ended right behind
//!   the opening bracket. If one ended elsewhere between the items, they are joined if they fit and
//!   else broken. In a sole argument that has brackets or a block of its own, or is a text over several
//!   lines, such breaks do not count: `list.concat([`. Parameters form one group with the type of the
//!   result, so that a signature is not torn at the end.
//! - **`{ }`** stands on one line, with commas, if it was written so; else it has one item a line, without
//!   commas. The branches of an `if` or `loop` decide together.
//! - **Operators and `|`** begin lines, indented, if the chain was broken at one and does not fit;
//!   **`|>`** also if a line began with it and it fits. `catch` and `undo` behind a chain are its last
//!   links. A list behind a single operator breaks instead: `x in [`.
//! - **Header clauses** follow the header on its line. Those of an `extern`, which has no body, each stand
//!   on a line of their own if one did. The brackets of a `with` that moves up break if they do not fit.
//! - **Blank lines**: at most one is kept, none at the edges of brackets. Declarations of several lines
//!   have one around them, `use` has one behind it, a file's own documentation too.
//! - **`use`** is sorted by path, within stretches that no blank line and no comment on its own line
//!   interrupts; one with documentation keeps its place.
//! - **Comments** stay with the token that they follow on its line or precede on lines of their own. If
//!   no line can end there, one ends nevertheless.
//! - **Texts** are kept. The lines of a triple-quoted text whose closing quotes stand on their own line
//!   are indented, which does not change its value: like its quotes if these begin a line, else one
//!   level deeper than the line that they stand on. A text on the line below its `=>` stays there if it
//!   does not fit behind it. In `${ }` blanks are normalised if the code stands on one line.
//!
//! Four properties are tested over the corpus, generated and damaged programs: formatting twice changes
//! nothing; every comment is kept; tokens (but for commas and the order of `use`) and the shape of the
//! tree stay the same; no input makes it panic. [`format`] itself checks the third on every result,
//! so that a bug here can never damage a program. Time is linear in the length of the file; recursion is
//! as deep as the tree, whose height the parser bounds.
//!
//! Nothing here reads or writes files.

mod brackets;
mod decls;
mod doc;
mod exprs;
mod nodes;
mod text;
mod trivia;
mod verify;

#[cfg(test)]
mod tests;

use std::fmt;

use kait_syntax::{Parse, SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};

use doc::{Doc, Written};
use trivia::{TokenNo, Trivia};

/// Why a file was not formatted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FormatError {
    /// The file has errors; they are in [`Parse::errors`]. Errors of style (K01xx) count too: where there
    /// is one, the parser may not have reported others that could follow from it.
    SyntaxErrors,
    /// The formatted text would not mean the same: a bug of the formatter. The file must be kept.
    WouldChange,
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SyntaxErrors => "a file with syntax errors is not formatted",
            Self::WouldChange => {
                "formatting would have changed what the file means, so it was left alone; \
                 please report this"
            }
        })
    }
}

impl std::error::Error for FormatError {}

/// The canonical text of a file. It ends with a line break, unless it is empty.
///
/// # Errors
///
/// See [`FormatError`].
pub fn format(parse: &Parse) -> Result<String, FormatError> {
    if parse.has_errors() {
        return Err(FormatError::SyntaxErrors);
    }
    let out = print(parse);
    if out == parse.tree.text() {
        return Ok(out);
    }
    let again = kait_syntax::parse(&out);
    if again.has_errors() || !verify::same(parse, &again) {
        return Err(FormatError::WouldChange);
    }
    Ok(out)
}

/// The text, unchecked.
fn print(parse: &Parse) -> String {
    let mut out = String::with_capacity(parse.tree.text().len() + parse.tree.text().len() / 8);
    Formatter::new(parse).file(parse.tree.root(), &mut out);
    out
}

/// Walks the tree and writes the document.
struct Formatter<'a> {
    doc: Doc<'a>,
    trivia: Trivia<'a>,
    /// Own-line comments with smaller numbers are written.
    next_comment: u32,
}

impl<'a> Formatter<'a> {
    fn new(parse: &'a Parse) -> Self {
        Self { doc: Doc::default(), trivia: Trivia::new(&parse.tree), next_comment: 0 }
    }

    /// Writes a token with the comments around it.
    fn token(&mut self, token: SyntaxToken<'a>) {
        let number = self.trivia.number(token);
        self.own_line_comments(number);
        self.doc.text(token.text());
        self.trailing_comment(number);
    }

    /// Writes the own-line comments before a token, if that was not done yet.
    fn own_line_comments(&mut self, token: TokenNo) {
        for number in self.unwritten(token) {
            if let Some(comment) = self.trivia.comment_at(number) {
                self.doc.own_line_comment(comment.text);
            }
        }
    }

    /// The same, with the blank lines before, between and behind them, for tokens that begin a line.
    /// `first` is for the first item in brackets, which has no blank line before it.
    fn comments_and_blanks(&mut self, token: TokenNo, first: bool) {
        let comments = self.unwritten(token);
        let mut blank = !first && self.trivia.breaks(token) > 1;
        let mut last = None;
        for number in comments {
            let Some(comment) = self.trivia.comment_at(number) else { continue };
            if last.is_some() {
                blank = comment.breaks > 1;
            }
            if blank {
                self.doc.blank();
            }
            self.doc.own_line_comment(comment.text);
            last = Some(comment);
        }
        if let Some(comment) = last {
            blank = self.trivia.last_breaks(token) > 1 || comment.kind == SyntaxKind::FileDoc;
        }
        if blank {
            self.doc.blank();
        }
    }

    fn unwritten(&mut self, token: TokenNo) -> std::ops::Range<u32> {
        let comments = self.trivia.own_line(token);
        let from = comments.start.max(self.next_comment);
        self.next_comment = self.next_comment.max(comments.end);
        from..comments.end
    }

    /// Writes the comment behind a token.
    fn trailing_comment(&mut self, token: TokenNo) {
        if let Some(comment) = self.trivia.trailing(token) {
            self.doc.trailing_comment(comment.text);
        }
    }

    /// Opens a group that begins with a node; the comments before the node stand outside of it.
    fn open(&mut self, node: SyntaxNode<'a>, written: Written) {
        self.own_line_comments(self.trivia.first(node));
        self.doc.open(written);
    }

    /// Whether a line break stands right inside a node: before one of its children, but for the first.
    fn is_loose(&self, node: SyntaxNode<'a>) -> bool {
        node.children_with_tokens()
            .filter(|child| !child.kind().is_trivia())
            .skip(1)
            .any(|child| self.trivia.breaks(self.first_of(child)) > 0)
    }

    /// The number of the first token of an element.
    fn first_of(&self, element: SyntaxElement<'a>) -> TokenNo {
        match element {
            SyntaxElement::Token(token) => self.trivia.number(token),
            SyntaxElement::Node(node) => self.trivia.first(node),
        }
    }

    /// A blank; or the end of the line if a comment stands between what was written and `token`.
    fn space_or_line(&mut self, token: SyntaxToken<'a>) {
        if self.doc.comment_waits() || self.trivia.has_own_line(self.trivia.number(token)) {
            self.doc.hard_line();
        } else {
            self.doc.space();
        }
    }
}
