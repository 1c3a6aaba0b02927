//! Building the tree: finished nodes in post-order, laid out in pre-order declaration by declaration.
//!
//! A node is written down when it ends, as the tokens that it covers; so wrapping what was just
//! parsed (`a` becomes `a + b`) is writing one more node that starts where the first one did, giving
//! up on a node is writing nothing, and consuming a token costs nothing at all. A node starts with a
//! significant token (or its docs) and ends with one, which leaves trivia between nodes. The builder
//! also keeps the height of what it has finished, so that the parser can bound the tree.
//!
//! Nodes wait only until their declaration is over: then they and its tokens become elements of the
//! tree ([`Builder::flush`]). So the wait costs no memory worth speaking of, however large the file.

use crate::SyntaxKind;
use crate::lexer::Token;
use crate::tree::ElementData;

/// A finished node that waits to be laid out.
#[derive(Clone, Copy)]
struct Node {
    /// Its first token.
    first: u32,
    /// The token behind its last one; `first` if it has none.
    end: u32,
    /// How many nodes its subtree has, this one included.
    nodes: u32,
    kind: SyntaxKind,
}

/// Where a node may start.
#[derive(Clone, Copy)]
pub(super) struct Marker {
    /// The token.
    pub first: u32,
    /// How many nodes were finished before.
    before: u32,
    /// Height of the siblings before it.
    height: u32,
}

pub(super) struct Builder {
    /// What is laid out already, in pre-order; the root, first, is completed at the end.
    out: Vec<ElementData>,
    /// The tokens before this one are laid out.
    laid_out: u32,
    /// The finished nodes that are not laid out yet, in post-order.
    nodes: Vec<Node>,
    /// The greatest height of the children of the node being parsed.
    height: u32,
    /// The height of the node that was finished last.
    pub last_height: u32,
}

impl Builder {
    pub fn new(tokens: usize) -> Self {
        // Of valid programs, three of seven elements are nodes.
        let mut out = Vec::with_capacity(tokens * 7 / 4 + 16);
        out.push(ElementData::node(0, 1, 0, SyntaxKind::SourceFile));
        Self { out, laid_out: 0, nodes: Vec::new(), height: 0, last_height: 0 }
    }

    /// A place where a node may start, with the token `first`.
    #[inline]
    pub fn start(&mut self, first: u32) -> Marker {
        Marker { first, before: index(self.nodes.len()), height: std::mem::take(&mut self.height) }
    }

    /// Writes down a node from the marker to the token before `end`. Without tokens it stands before
    /// the next one, or at the end of what contains it.
    #[inline]
    pub fn finish(&mut self, marker: Marker, end: u32, kind: SyntaxKind) {
        let nodes = index(self.nodes.len()) - marker.before + 1;
        self.nodes.push(Node { first: marker.first, end: end.max(marker.first), nodes, kind });
        self.last_height = self.height + 1;
        self.height = marker.height.max(self.last_height);
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

    /// Whether no node was finished since the marker.
    pub fn has_no_nodes_since(&self, marker: Marker) -> bool {
        self.nodes.len() == marker.before as usize
    }

    /// Lays out the finished nodes and the tokens before `end`. No node may be unfinished.
    ///
    /// Post-order backwards is pre-order backwards, but that a node comes before what is in it. So the
    /// places are filled from the end: a node, whose subtree is as long as it has tokens and nodes,
    /// leaves its first place to itself, and is complete when all behind that place are filled.
    pub fn flush(&mut self, tokens: &[Token], end: u32) {
        let start = self.out.len();
        let count = (end - self.laid_out) as usize + self.nodes.len();
        self.out.resize(start + count, ElementData::token(0, 0, 0, SyntaxKind::Unknown));
        let mut layout = Layout {
            tokens,
            out: &mut self.out,
            place: index(start + count),
            token: end,
            offset: tokens.get(end as usize).map_or(0, |token| token.start),
            parent: 0,
        };
        for node in self.nodes.drain(..).rev() {
            layout.tokens_behind(node.end);
            layout.open(node);
        }
        layout.tokens_behind(self.laid_out);
        self.laid_out = end;
    }

    /// Ends the file: what is left of its tokens, and the root.
    pub fn into_elements(mut self, tokens: &[Token]) -> Vec<ElementData> {
        let end = index(tokens.len()).saturating_sub(1);
        self.flush(tokens, end);
        let size = index(self.out.len());
        if let Some(root) = self.out.first_mut() {
            *root = ElementData::node(0, size, 0, SyntaxKind::SourceFile);
        }
        self.out
    }
}

/// Fills the places of a declaration, from the last to the first.
struct Layout<'a> {
    tokens: &'a [Token],
    out: &'a mut [ElementData],
    /// Behind here all places are filled, but for those of the nodes that are not complete.
    place: u32,
    /// From here on all tokens have their places.
    token: u32,
    /// Where that token starts.
    offset: u32,
    /// The innermost node that is not complete.
    parent: u32,
}

impl Layout<'_> {
    /// Leaves the nodes that are complete and gives places to the tokens from `end` on.
    #[inline]
    fn tokens_behind(&mut self, end: u32) {
        loop {
            while self.place == self.parent + 1 && self.parent > 0 {
                self.place = self.parent;
                self.parent = self.out.get(self.place as usize).map_or(0, |node| node.parent);
            }
            if self.token <= end {
                return;
            }
            self.token -= 1;
            self.place -= 1;
            let Some(&token) = self.tokens.get(self.token as usize) else { return };
            self.fill(ElementData::token(token.start, self.offset, self.parent, token.kind));
            self.offset = token.start;
        }
    }

    /// Gives a node its place, with room for what is in it.
    #[inline]
    fn open(&mut self, node: Node) {
        let first = self.tokens.get(node.first as usize);
        let start = first.map_or(self.offset, |token| token.start.min(self.offset));
        let size = node.end - node.first + node.nodes;
        let behind = self.place;
        self.place -= size;
        self.fill(ElementData::node(start, size, self.parent, node.kind));
        self.parent = self.place;
        self.place = behind;
    }

    #[inline]
    fn fill(&mut self, element: ElementData) {
        if let Some(place) = self.out.get_mut(self.place as usize) {
            *place = element;
        }
    }
}

/// Numbers of tokens and elements fit: larger files are not parsed.
#[inline]
fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use SyntaxKind as K;

    /// Tokens of one byte each, and the one that marks the end.
    fn tokens(kinds: &[K]) -> Vec<Token> {
        (0..)
            .zip(kinds.iter().chain(&[K::Eof]))
            .map(|(start, &kind)| Token { start, kind })
            .collect()
    }

    #[test]
    fn declarations_become_pre_order() {
        let tokens = tokens(&[K::Lid, K::Plus, K::Lid, K::Newline, K::Uid, K::Newline]);
        let mut builder = Builder::new(tokens.len());
        // File(BinaryExpr(NameExpr(a) + NameExpr(b)) newline Error(Error() U) newline)
        let left = builder.start(0);
        builder.finish(left, 1, K::NameExpr);
        let both = builder.again(left);
        let right = builder.start(2);
        builder.finish(right, 3, K::NameExpr);
        builder.finish(both, 3, K::BinaryExpr);
        assert_eq!(builder.last_height, 2);
        builder.flush(&tokens, 3);
        let outer = builder.start(4);
        let empty = builder.start(4);
        builder.finish(empty, 3, K::Error);
        builder.finish(outer, 5, K::Error);
        let elements = builder.into_elements(&tokens);
        let shown: Vec<_> =
            elements.iter().map(|e| (e.kind, e.start, e.extent, e.parent)).collect();
        assert_eq!(
            shown,
            [
                (K::SourceFile, 0, 12, 0),
                (K::BinaryExpr, 0, 6, 0),
                (K::NameExpr, 0, 2, 1),
                (K::Lid, 0, 1, 2),
                (K::Plus, 1, 2, 1),
                (K::NameExpr, 2, 2, 1),
                (K::Lid, 2, 3, 5),
                (K::Newline, 3, 4, 0),
                (K::Error, 4, 3, 0),
                (K::Error, 4, 1, 8),
                (K::Uid, 4, 5, 8),
                (K::Newline, 5, 6, 0),
            ]
        );
    }
}
