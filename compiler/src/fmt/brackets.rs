//! Everything in brackets: lists of items that break together, and bodies in braces.

use kait_syntax::SyntaxKind::{self as K};
use kait_syntax::{Children, SyntaxElement, SyntaxNode, SyntaxToken};

use super::Formatter;
use super::doc::Written;
use super::trivia::TokenNo;

impl<'a> Formatter<'a> {
    /// Writes a node that ends in `( )` or `[ ]`, which form a group of their own.
    pub(super) fn list(&mut self, node: SyntaxNode<'a>) {
        let written = self.written_list(node);
        if written != Written::Broken
            && let Some(sole) = self.sole_item(node)
        {
            // The brackets of the sole item do the breaking.
            for child in node.children_with_tokens() {
                match child {
                    SyntaxElement::Node(_) => self.node(sole),
                    // A comma behind a sole item that does not get a line of its own is dropped.
                    SyntaxElement::Token(token)
                        if !token.kind().is_trivia() && token.kind() != K::Comma =>
                    {
                        self.token(token);
                    }
                    SyntaxElement::Token(_) => {}
                }
            }
            return;
        }
        self.open(node, written);
        self.list_in_group(node);
        self.doc.close();
    }

    /// How `( )` or `[ ]` were written: broken if a line ends right behind the opening bracket.
    pub(super) fn written_list(&self, node: SyntaxNode<'a>) -> Written {
        let mut children = node.children_with_tokens().filter(|child| !child.kind().is_trivia());
        children.by_ref().find(|child| matches!(child.kind(), K::LParen | K::LBracket));
        let breaks = |child: SyntaxElement<'a>| self.trivia.breaks(self.first_of(child)) > 0;
        let first = children.next();
        if matches!(first, Some(SyntaxElement::Node(_))) && first.is_some_and(breaks) {
            return Written::Broken;
        }
        // What is moved up to the line of its header may not fit there.
        let moves_up = node.parent().is_some_and(|parent| {
            // Those of an extern stand on lines of their own.
            let has_line = parent.parent().is_some_and(|header| header.kind() == K::Extern);
            parent.kind() == K::Policies
                && !has_line
                && self.trivia.breaks(self.trivia.first(parent)) > 0
        });
        Written::loose_if(moves_up || children.any(breaks))
    }

    /// The same, in the group that is open.
    pub(super) fn list_in_group(&mut self, node: SyntaxNode<'a>) {
        // A list pattern takes no comma behind its last item.
        let last_comma = node.kind() != K::ListPat;
        let mut inside = false;
        let mut items = 0usize;
        let mut comma: Option<TokenNo> = None;
        for child in node.children_with_tokens() {
            match child {
                SyntaxElement::Token(token) => match token.kind() {
                    kind if kind.is_trivia() => {}
                    K::LParen | K::LBracket if !inside => {
                        inside = true;
                        self.token(token);
                        self.doc.indent();
                    }
                    K::RParen | K::RBracket => {
                        if items > 0 && last_comma {
                            self.doc.comma_if_broken();
                        }
                        self.comments_of_comma(comma.take());
                        self.close_bracket(token, items == 0);
                    }
                    K::Comma => comma = Some(self.trivia.number(token)),
                    // `tools` before the bracket, the `:` of an empty map.
                    K::Colon => self.token(token),
                    _ => {
                        self.token(token);
                        self.doc.space();
                    }
                },
                SyntaxElement::Node(item) => {
                    if items > 0 {
                        self.separator(comma.take(), Separator::Comma);
                        self.doc.line();
                    } else {
                        self.doc.soft_line();
                    }
                    self.comments_and_blanks(self.trivia.first(item), items == 0);
                    self.node(item);
                    items += 1;
                }
            }
        }
    }

    /// Ends the indentation and writes the bracket, after the comments before it.
    fn close_bracket(&mut self, bracket: SyntaxToken<'a>, empty: bool) {
        let number = self.trivia.number(bracket);
        if self.trivia.has_own_line(number) {
            self.doc.soft_line();
            self.last_comments(number, empty);
        }
        self.doc.dedent();
        if !empty || self.trivia.has_own_line(number) || self.doc.comment_waits() {
            self.doc.soft_line();
        }
        self.token(bracket);
    }

    /// Writes the comments before a closing bracket, with the blank lines before and between them.
    fn last_comments(&mut self, bracket: TokenNo, empty: bool) {
        let comments = self.trivia.own_line(bracket);
        for (i, number) in comments.enumerate() {
            if number < self.next_comment {
                continue;
            }
            self.next_comment = number + 1;
            let Some(comment) = self.trivia.comment_at(number) else { continue };
            if comment.breaks > 1 && !(i == 0 && empty) {
                self.doc.blank();
            }
            self.doc.own_line_comment(comment.text);
        }
    }

    /// Writes what stands between two items, with the comments around the comma of the source.
    fn separator(&mut self, comma: Option<TokenNo>, separator: Separator) {
        let is_doc =
            |number| self.trivia.comment_at(number).is_some_and(|comment| comment.kind == K::Doc);
        if let Some(comma) = comma
            && self.trivia.own_line(comma).any(is_doc)
        {
            // Documentation that documents nothing must not come to document the next item.
            self.doc.hard_line();
            self.own_line_comments(comma);
            self.doc.comma();
            return self.trailing_comment(comma);
        }
        match separator {
            Separator::Comma => self.doc.comma(),
            Separator::CommaIfFlat => self.doc.comma_if_flat(),
        }
        self.comments_of_comma(comma);
    }

    /// Writes the comments around a comma of the source, behind the comma that stands for it.
    fn comments_of_comma(&mut self, comma: Option<TokenNo>) {
        let Some(comma) = comma else { return };
        let trailing = self.trivia.trailing(comma);
        let waits = self.doc.comment_waits() && trailing.is_some();
        if !waits && !self.trivia.has_own_line(comma) {
            return self.trailing_comment(comma);
        }
        // There is a comment on the line already.
        self.doc.hard_line();
        self.own_line_comments(comma);
        if let Some(comment) = trailing {
            self.doc.own_line_comment(comment.text);
        }
    }

    /// The only item of a list whose brackets can do the breaking for those around them.
    fn sole_item(&self, node: SyntaxNode<'a>) -> Option<SyntaxNode<'a>> {
        if node.kind() != K::Args {
            return None;
        }
        let mut children = node.children();
        let item = children.next()?;
        if children.next().is_some() || item.kind() != K::Arg {
            return None;
        }
        let value = item.children().next()?;
        let has_lines = match value.kind() {
            K::ListExpr | K::MapExpr => value.children().next().is_some(),
            K::CallExpr => {
                value.first_child(K::Args).is_some_and(|args| args.children().next().is_some())
            }
            K::IfExpr | K::MatchExpr | K::ForExpr | K::LoopExpr | K::RaceExpr => true,
            K::StrExpr => super::text::can_indent(value),
            _ => false,
        };
        // A comment at the brackets or a comma needs a line of its own.
        let mut tokens = node.tokens();
        let open = self.trivia.number(tokens.next()?);
        let first = self.trivia.first(item);
        let mut calm = self.trivia.trailing(open).is_none() && !self.trivia.has_own_line(first);
        for token in tokens {
            let number = self.trivia.number(token);
            let before = self.trivia.before(number);
            calm &= self.trivia.trailing(before).is_none() && !self.trivia.has_own_line(number);
        }
        (has_lines && calm).then_some(item)
    }

    /// `(expr)`
    pub(super) fn parens(&mut self, node: SyntaxNode<'a>) {
        self.open(node, self.written_list(node));
        for child in node.children_with_tokens() {
            match child {
                SyntaxElement::Token(token) if token.kind() == K::LParen => {
                    self.token(token);
                    self.doc.indent();
                    self.doc.soft_line();
                }
                SyntaxElement::Token(token) if token.kind() == K::RParen => {
                    self.close_bracket(token, false);
                }
                SyntaxElement::Token(_) => {}
                SyntaxElement::Node(inner) => self.node(inner),
            }
        }
        self.doc.close();
    }

    /// Writes a body from its `{` on, as a group of its own; takes the children up to its `}`.
    pub(super) fn braces(&mut self, open: SyntaxToken<'a>, rest: &mut Children<'a>) {
        self.own_line_comments(self.trivia.number(open));
        let broken = self.is_written_broken(rest.clone());
        self.doc.open(Written::broken_if(broken));
        self.braces_in_group(open, rest);
        self.doc.close();
    }

    /// The same, in the group that is open.
    pub(super) fn braces_in_group(&mut self, open: SyntaxToken<'a>, rest: &mut Children<'a>) {
        self.token(open);
        self.doc.indent();
        let in_race = open.parent().kind() == K::RaceExpr;
        let mut items = 0usize;
        let mut comma: Option<TokenNo> = None;
        for child in rest {
            let number = match child {
                SyntaxElement::Token(token) => match token.kind() {
                    kind if kind.is_trivia() => continue,
                    K::Comma => {
                        comma = Some(self.trivia.number(token));
                        continue;
                    }
                    K::RBrace => {
                        self.comments_of_comma(comma.take());
                        self.close_brace(token, items == 0);
                        return;
                    }
                    _ => self.trivia.number(token),
                },
                SyntaxElement::Node(node) => self.trivia.first(node),
            };
            if items > 0 {
                // A line that starts with `-` would go on with the one above.
                let is_needed = in_race && begins_with_minus(child);
                let separator = if is_needed { Separator::Comma } else { Separator::CommaIfFlat };
                self.separator(comma.take(), separator);
            }
            self.doc.line();
            self.comments_and_blanks(number, items == 0);
            match child {
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(node) => self.node(node),
            }
            items += 1;
        }
    }

    fn close_brace(&mut self, brace: SyntaxToken<'a>, empty: bool) {
        let number = self.trivia.number(brace);
        if self.trivia.has_own_line(number) {
            self.doc.hard_line();
            self.last_comments(number, empty);
        }
        self.doc.dedent();
        if self.trivia.has_own_line(number) || self.doc.comment_waits() {
            self.doc.hard_line();
        } else if !empty {
            self.doc.line();
        }
        self.token(brace);
    }

    /// Whether the author ended a line directly inside braces that have something in them.
    pub(super) fn is_written_broken(&self, rest: Children<'a>) -> bool {
        let mut items = 0usize;
        let mut broken = false;
        for child in rest {
            if child.kind().is_trivia() {
                continue;
            }
            broken |= self.trivia.breaks(self.first_of(child)) > 0;
            if child.kind() == K::RBrace {
                break;
            }
            items += 1;
        }
        items > 0 && broken
    }
}

/// What stands between two items.
#[derive(Clone, Copy)]
enum Separator {
    Comma,
    CommaIfFlat,
}

fn begins_with_minus(element: SyntaxElement<'_>) -> bool {
    let SyntaxElement::Node(node) = element else { return element.kind() == K::Minus };
    node.descendant_tokens().find(|token| !token.kind().is_trivia()).map(SyntaxToken::kind)
        == Some(K::Minus)
}
