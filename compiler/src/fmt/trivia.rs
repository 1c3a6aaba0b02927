//! The tokens of a file in order, each with the comments and line breaks that stand before it.
//!
//! A `//` comment on the line of the token before it is that token's *trailing* comment; there is at
//! most one. All others, and doc comments wherever they stand, are *own-line* comments of the token
//! that follows. Nothing here decides where a comment is printed.

use kait_syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken, SyntaxTree};

/// The number of a token among the tokens that are no trivia.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct TokenNo(u32);

/// A comment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comment<'a> {
    /// The comment with its slashes, without blanks at its end.
    pub(super) text: &'a str,
    /// `//`, `///` or `//!`.
    pub(super) kind: SyntaxKind,
    /// Line breaks between it and what stands before it.
    pub(super) breaks: u32,
}

/// What stands around a token.
#[derive(Clone, Copy, Debug, Default)]
struct Around {
    /// Numbers of its own-line comments: from, to.
    comments: (u32, u32),
    /// The number of its trailing comment.
    trailing: Option<u32>,
    /// Line breaks before its first own-line comment, or before itself if it has none.
    breaks: u32,
    /// Line breaks right before it.
    last_breaks: u32,
}

/// The tokens of a file and what stands around them.
#[derive(Debug, Default)]
pub(super) struct Trivia<'a> {
    tokens: Vec<Around>,
    comments: Vec<Comment<'a>>,
    /// For each element of the tree the number of the first token at or behind it.
    numbers: Vec<u32>,
}

impl<'a> Trivia<'a> {
    /// Reads a tree. The last token is a virtual one at the end of the file. Linear.
    pub(super) fn new(tree: &'a SyntaxTree) -> Self {
        let mut trivia = Self {
            tokens: Vec::with_capacity(tree.len() / 3),
            comments: Vec::new(),
            numbers: Vec::with_capacity(tree.len()),
        };
        let mut around = Around::default();
        let mut breaks = 0;
        for element in tree.elements() {
            trivia.numbers.push(count(trivia.tokens.len()));
            let SyntaxElement::Token(token) = element else { continue };
            match token.kind() {
                SyntaxKind::Whitespace => {}
                SyntaxKind::Newline => breaks += count(token.text().matches('\n').count()),
                kind if kind.is_trivia() => {
                    trivia.comment(token, breaks, &mut around);
                    breaks = 0;
                }
                _ => {
                    trivia.token(breaks, &mut around);
                    breaks = 0;
                }
            }
        }
        trivia.token(breaks, &mut around);
        trivia
    }

    fn comment(&mut self, token: SyntaxToken<'a>, breaks: u32, around: &mut Around) {
        let number = count(self.comments.len());
        let trails = breaks == 0
            && around.comments.0 == around.comments.1
            && token.kind() == SyntaxKind::Comment;
        self.comments.push(Comment { text: token.text().trim_end(), kind: token.kind(), breaks });
        match self.tokens.last_mut() {
            Some(before) if trails && before.trailing.is_none() => before.trailing = Some(number),
            _ => {
                if around.comments.0 == around.comments.1 {
                    around.comments.0 = number;
                    around.breaks = breaks;
                }
                around.comments.1 = number + 1;
            }
        }
    }

    fn token(&mut self, breaks: u32, around: &mut Around) {
        let mut around = std::mem::take(around);
        around.last_breaks = breaks;
        if around.comments.0 == around.comments.1 {
            around.breaks = breaks;
        }
        self.tokens.push(around);
    }

    /// The number of a token.
    pub(super) fn number(&self, token: SyntaxToken<'a>) -> TokenNo {
        self.at(token.index())
    }

    /// The number of a node's first token.
    pub(super) fn first(&self, node: SyntaxNode<'a>) -> TokenNo {
        self.at(node.index())
    }

    /// The number of the virtual token at the end of the file.
    pub(super) fn end(&self) -> TokenNo {
        TokenNo(count(self.tokens.len().saturating_sub(1)))
    }

    fn at(&self, index: u32) -> TokenNo {
        TokenNo(self.numbers.get(index as usize).copied().unwrap_or_default())
    }

    /// The token before.
    pub(super) fn before(&self, token: TokenNo) -> TokenNo {
        TokenNo(token.0.saturating_sub(1))
    }

    fn around(&self, token: TokenNo) -> Around {
        self.tokens.get(token.0 as usize).copied().unwrap_or_default()
    }

    /// Line breaks before a token's first own-line comment, or before itself if it has none; so none
    /// if it stands on the line of the token before, and two or more if a blank line is between.
    pub(super) fn breaks(&self, token: TokenNo) -> u32 {
        self.around(token).breaks
    }

    /// Line breaks right before a token.
    pub(super) fn last_breaks(&self, token: TokenNo) -> u32 {
        self.around(token).last_breaks
    }

    /// The numbers of a token's own-line comments.
    pub(super) fn own_line(&self, token: TokenNo) -> std::ops::Range<u32> {
        let (from, to) = self.around(token).comments;
        from..to
    }

    /// Whether a token has own-line comments.
    pub(super) fn has_own_line(&self, token: TokenNo) -> bool {
        !self.own_line(token).is_empty()
    }

    /// A token's trailing comment.
    pub(super) fn trailing(&self, token: TokenNo) -> Option<Comment<'a>> {
        self.comment_at(self.around(token).trailing?)
    }

    /// The comment of a number.
    pub(super) fn comment_at(&self, number: u32) -> Option<Comment<'a>> {
        self.comments.get(number as usize).copied()
    }
}

fn count(n: usize) -> u32 {
    // The parser refuses files whose size does not fit.
    u32::try_from(n).unwrap_or(u32::MAX)
}
