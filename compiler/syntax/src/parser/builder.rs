//! Building the tree: tokens and finished nodes in post-order, turned into pre-order at the end.
//!
//! A node is written down when it ends, and knows how many elements it covers; so wrapping what was
//! just parsed (`a` becomes `a + b`) is writing one more node that starts where the first one did,
//! and giving up on a node is writing nothing. The builder also keeps the height of what it has
//! finished, so that the parser can bound the tree, and puts trivia where it belongs: between nodes,
//! never at the end of one.

use text_size::TextSize;

use crate::SyntaxKind;
use crate::lexer::{Significant, Token};
use crate::tree::ElementData;

/// An element in post-order.
#[derive(Clone, Copy)]
struct Post {
    start: u32,
    end: u32,
    /// Elements of the subtree, this one included.
    size: u32,
    kind: SyntaxKind,
}

/// Where a node may start.
#[derive(Clone, Copy)]
pub(super) struct Marker {
    /// Number of elements before it.
    before: u32,
    /// Height of the siblings before it.
    height: u32,
}

pub(super) struct Builder {
    out: Vec<Post>,
    /// The first token that is not written down yet.
    next: usize,
    /// Docs before this token are attached to a node.
    docs_until: usize,
    /// Where the last significant token ended.
    pub prev_end: u32,
    /// The greatest height of the children of the node being parsed.
    height: u32,
    /// The height of the node that was finished last.
    pub last_height: u32,
    /// Docs that document nothing: the first token of each run.
    pub stray_docs: Vec<(u32, u32)>,
}

impl Builder {
    pub fn new(tokens: usize) -> Self {
        Self {
            out: Vec::with_capacity(tokens + tokens / 2 + 16),
            next: 0,
            docs_until: 0,
            prev_end: 0,
            height: 0,
            last_height: 0,
            stray_docs: Vec::new(),
        }
    }

    /// Writes down the trivia before a token.
    #[inline]
    fn trivia(&mut self, tokens: &[Token], until: usize) {
        while self.next < until {
            let [token, behind] = match tokens.get(self.next..self.next + 2) {
                Some(&[token, behind]) => [token, behind],
                _ => return,
            };
            if matches!(token.kind, SyntaxKind::Doc | SyntaxKind::FileDoc) {
                self.check_doc(token, behind.start);
            }
            self.out.push(Post {
                start: token.start,
                end: behind.start,
                size: 1,
                kind: token.kind,
            });
            self.next += 1;
        }
    }

    fn check_doc(&mut self, token: Token, end: u32) {
        let fits = match token.kind {
            SyntaxKind::Doc => self.next < self.docs_until,
            // A file's own doc stands before everything else.
            _ => self.prev_end == 0,
        };
        if fits {
            return;
        }
        match self.stray_docs.last_mut() {
            // Lines of one comment are one mistake.
            Some(last)
                if self.out.last().is_some_and(|p| p.kind == SyntaxKind::Newline)
                    && self.out.len() >= 2
                    && self.out.get(self.out.len() - 2).is_some_and(|p| p.end == last.1) =>
            {
                last.1 = end;
            }
            _ => self.stray_docs.push((token.start, end)),
        }
    }

    /// A place where a node may start, before `token`.
    #[inline]
    pub fn start(&mut self, tokens: &[Token], token: Option<Significant>) -> Marker {
        if let Some(token) = token {
            self.trivia(tokens, token.index as usize);
        }
        self.marker()
    }

    /// Like [`Self::start`], but docs before the token belong to the node.
    pub fn start_documented(&mut self, tokens: &[Token], token: Option<Significant>) -> Marker {
        if let Some(token) = token {
            let until = token.index as usize;
            let docs = tokens
                .get(self.next..until)
                .and_then(|run| run.iter().position(|token| token.kind == SyntaxKind::Doc));
            self.docs_until = until;
            self.trivia(tokens, docs.map_or(until, |docs| self.next + docs));
        }
        self.marker()
    }

    fn marker(&mut self) -> Marker {
        let before = u32::try_from(self.out.len()).unwrap_or(u32::MAX);
        Marker { before, height: std::mem::take(&mut self.height) }
    }

    /// Writes down a token, as `kind`, with the trivia before it.
    #[inline]
    pub fn token(&mut self, tokens: &[Token], token: Significant, kind: SyntaxKind) {
        let index = token.index as usize;
        self.trivia(tokens, index);
        let [start, end] = match tokens.get(index..index + 2) {
            Some(&[token, behind]) => [token.start, behind.start],
            _ => return,
        };
        self.out.push(Post { start, end, size: 1, kind });
        self.next = index + 1;
        self.prev_end = end;
    }

    /// Writes down a node over everything since the marker, but for trivia at its end.
    #[inline]
    pub fn finish(&mut self, marker: Marker, kind: SyntaxKind) {
        if self.out.last().is_some_and(|last| last.start >= self.prev_end && last.kind.is_token()) {
            self.finish_before_trivia(marker, kind);
        } else {
            self.finish_here(marker, kind);
        }
    }

    fn finish_here(&mut self, marker: Marker, kind: SyntaxKind) {
        let before = marker.before as usize;
        let start = self.out.get(before).map_or(self.prev_end, |first| first.start);
        let size = self.out.len().saturating_sub(before) + 1;
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.out.push(Post { start, end: self.prev_end.max(start), size, kind });
        self.last_height = self.height + 1;
        self.height = marker.height.max(self.last_height);
    }

    /// Trivia is written down where a node may start; where none did, it stands behind the node.
    #[cold]
    fn finish_before_trivia(&mut self, marker: Marker, kind: SyntaxKind) {
        let is_trivia = |post: &Post| post.start >= self.prev_end && post.kind.is_token();
        let count = self.out.iter().rev().take_while(|post| is_trivia(post)).count();
        let trivia = self.out.split_off(self.out.len() - count);
        self.finish_here(marker, kind);
        self.out.extend(trivia);
    }

    /// The marker's place is no node after all.
    #[inline]
    pub fn abandon(&mut self, marker: Marker) {
        self.height = self.height.max(marker.height);
    }

    /// The marker again, for a node around the one that was just finished at it.
    #[inline]
    pub fn again(&mut self, marker: Marker) -> Marker {
        self.height = self.last_height;
        marker
    }

    /// Writes down what is left at the end of the file.
    pub fn rest(&mut self, tokens: &[Token]) {
        self.trivia(tokens, tokens.len().saturating_sub(1));
    }

    /// The marker before everything.
    pub fn root(&self) -> Marker {
        Marker { before: 0, height: 0 }
    }

    /// The offset where what was parsed since the marker starts.
    pub fn start_of(&self, marker: Marker) -> TextSize {
        self.out.get(marker.before as usize).map_or(self.prev_end, |first| first.start).into()
    }

    /// Whether anything was written down since the marker.
    pub fn is_empty_since(&self, marker: Marker) -> bool {
        self.out.len() == marker.before as usize
    }

    /// Ends the file: the rest of the trivia, the root node, and pre-order.
    pub fn into_elements(mut self, tokens: &[Token], marker: Marker) -> Vec<ElementData> {
        self.rest(tokens);
        let end = tokens.last().map_or(0, |token| token.start);
        self.finish_here(marker, SyntaxKind::SourceFile);
        if let Some(root) = self.out.last_mut() {
            root.start = 0;
            root.end = end;
        }
        pre_order(&self.out)
    }
}

/// An element's place in pre-order is the place where its subtree starts in post-order plus the
/// number of its ancestors, which stand before it there and behind it here. Going backwards, the
/// ancestors of an element are the nodes met so far whose subtrees reach back to it: a stack.
fn pre_order(post: &[Post]) -> Vec<ElementData> {
    let empty = ElementData { start: 0, end: 0, size: 1, parent: 0, kind: SyntaxKind::Unknown };
    let mut out = vec![empty; post.len()];
    // Of every open ancestor: where its subtree starts in post-order, and its place in pre-order.
    let mut open: Vec<(u32, u32)> = Vec::new();
    let count = u32::try_from(post.len()).unwrap_or(u32::MAX);
    for (place, element) in (0..count).zip(post).rev() {
        while open.last().is_some_and(|&(start, _)| start > place) {
            open.pop();
        }
        let start = place + 1 - element.size;
        let depth = u32::try_from(open.len()).unwrap_or(u32::MAX);
        let index = start + depth;
        let parent = open.last().map_or(0, |&(_, index)| index);
        if let Some(slot) = out.get_mut(index as usize) {
            *slot = ElementData {
                start: element.start,
                end: element.end,
                size: element.size,
                parent,
                kind: element.kind,
            };
        }
        if element.kind.is_node() {
            open.push((start, index));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn post_order_becomes_pre_order() {
        let element = |kind, size| Post { start: 0, end: 0, size, kind };
        // File(Block(a b) c Error())
        let post = [
            element(SyntaxKind::Lid, 1),
            element(SyntaxKind::Lid, 1),
            element(SyntaxKind::Block, 3),
            element(SyntaxKind::Uid, 1),
            element(SyntaxKind::Error, 1),
            element(SyntaxKind::SourceFile, 6),
        ];
        let pre: Vec<_> = pre_order(&post).iter().map(|e| (e.kind, e.size, e.parent)).collect();
        assert_eq!(
            pre,
            [
                (SyntaxKind::SourceFile, 6, 0),
                (SyntaxKind::Block, 3, 0),
                (SyntaxKind::Lid, 1, 1),
                (SyntaxKind::Lid, 1, 1),
                (SyntaxKind::Uid, 1, 0),
                (SyntaxKind::Error, 1, 0),
            ]
        );
    }
}
