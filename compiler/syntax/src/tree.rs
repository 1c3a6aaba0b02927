//! The syntax tree: flat, lossless, in pre-order.
//!
//! One vector holds every element, node or token, in the order of the text; a node knows how many
//! elements its subtree has, so walking children is skipping. Every byte of the source belongs to
//! exactly one token, and the tokens' texts joined are the source. Handles ([`SyntaxNode`],
//! [`SyntaxToken`]) are a reference and an index, cheap to copy. A node ranges from its first to its
//! last token that is not trivia (docs count as part of what they document); trivia between two
//! nodes belongs to the parent. The root ranges over the whole text.
//!
//! The tree knows nothing about the grammar; typed views are in [`crate::ast`].

use std::fmt::{self, Write as _};
use std::sync::Arc;

use text_size::{TextRange, TextSize};

use crate::SyntaxKind;

/// What a tree stores of one element: 16 bytes, because trees are most of what a compilation holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ElementData {
    /// Offset of the first byte.
    pub start: u32,
    /// Of a token, the offset after the last byte; of a node, the number of elements of the subtree,
    /// itself included. A node ends where the last of these ends.
    pub extent: u32,
    /// Index of the enclosing node; the root names itself.
    pub parent: u32,
    /// The kind.
    pub kind: SyntaxKind,
}

impl ElementData {
    /// A token from `start` to before `end`.
    pub const fn token(start: u32, end: u32, parent: u32, kind: SyntaxKind) -> Self {
        Self { start, extent: end, parent, kind }
    }

    /// A node that starts at `start` and has `size` elements, itself included.
    pub const fn node(start: u32, size: u32, parent: u32, kind: SyntaxKind) -> Self {
        Self { start, extent: size, parent, kind }
    }

    /// Number of elements of the subtree, this one included.
    #[inline]
    pub const fn size(&self) -> u32 {
        if self.kind.is_node() { self.extent } else { 1 }
    }
}

/// A parsed text: its source and the tree over it.
#[derive(Clone)]
pub struct SyntaxTree {
    text: Arc<str>,
    pub(crate) elements: Vec<ElementData>,
}

impl SyntaxTree {
    /// `elements` must hold a root node at index 0 and be a tree in pre-order.
    pub(crate) fn new(text: Arc<str>, mut elements: Vec<ElementData>) -> Self {
        if elements.is_empty() {
            elements.push(ROOT_DATA);
        }
        Self { text, elements }
    }

    /// The source.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The source, shared.
    #[must_use]
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The node of the whole file.
    #[must_use]
    pub fn root(&self) -> SyntaxNode<'_> {
        SyntaxNode { tree: self, index: 0 }
    }

    /// Number of elements. Indices below it are valid.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Never true: there is always a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The element with an index that [`SyntaxNode::index`] or [`SyntaxToken::index`] gave.
    #[must_use]
    pub fn element(&self, index: u32) -> Option<SyntaxElement<'_>> {
        self.elements.get(index as usize).map(|data| SyntaxElement::new(self, index, data.kind))
    }

    /// The node with an index that [`SyntaxNode::index`] gave.
    #[must_use]
    pub fn node(&self, index: u32) -> Option<SyntaxNode<'_>> {
        self.element(index)?.into_node()
    }

    /// Every element in the order of the text.
    pub fn elements(&self) -> impl Iterator<Item = SyntaxElement<'_>> {
        (0u32..).zip(&self.elements).map(|(i, data)| SyntaxElement::new(self, i, data.kind))
    }

    /// Every token in the order of the text, trivia included.
    pub fn tokens(&self) -> impl Iterator<Item = SyntaxToken<'_>> {
        self.elements().filter_map(SyntaxElement::into_token)
    }

    /// Every token of a kind in the order of the text.
    pub fn tokens_of(&self, kind: SyntaxKind) -> impl Iterator<Item = SyntaxToken<'_>> {
        let elements: &[ElementData] = if kind.is_token() { &self.elements } else { &[] };
        let places = elements.iter().enumerate().filter(move |(_, data)| data.kind == kind);
        places.filter_map(|(place, _)| {
            Some(SyntaxToken { tree: self, index: u32::try_from(place).ok()? })
        })
    }

    /// The token that contains `offset`, or that ends the file there. Between two tokens it is the
    /// right one; see [`SyntaxToken::prev_token`] for the other. `None` only in an empty file.
    #[must_use]
    pub fn token_at(&self, offset: TextSize) -> Option<SyntaxToken<'_>> {
        let offset = u32::from(offset);
        // Elements are sorted by start; of those that start at or before the offset the last token
        // is the one that contains it. Only empty nodes can stand behind that token.
        let mut index = self.elements.partition_point(|e| e.start <= offset);
        while index > 0 {
            index -= 1;
            let data = self.elements.get(index)?;
            if data.kind.is_token() {
                let index = u32::try_from(index).ok()?;
                return Some(SyntaxToken { tree: self, index });
            }
        }
        None
    }

    /// The tokens that lie in a range as a whole, in the order of the text.
    pub fn tokens_in(&self, range: TextRange) -> impl Iterator<Item = SyntaxToken<'_>> {
        let (start, end) = (u32::from(range.start()), u32::from(range.end()));
        let first = self.elements.partition_point(|element| element.start < start);
        let rest = self.elements.get(first..).unwrap_or_default();
        (first..)
            .zip(rest)
            .take_while(move |(_, data)| data.start < end)
            .filter(move |(_, data)| data.kind.is_token() && data.extent <= end)
            .filter_map(|(place, _)| {
                Some(SyntaxToken { tree: self, index: u32::try_from(place).ok()? })
            })
    }

    /// The smallest node that contains the whole range.
    #[must_use]
    pub fn covering_node(&self, range: TextRange) -> SyntaxNode<'_> {
        let Some(token) = self.token_at(range.start()) else { return self.root() };
        let mut node = token.parent();
        while !node.range().contains_range(range) {
            match node.parent() {
                Some(parent) => node = parent,
                None => return node,
            }
        }
        node
    }

    fn data(&self, index: u32) -> &ElementData {
        // Handles are only made for indices inside the tree; the root stands in for the impossible.
        self.elements.get(index as usize).unwrap_or(&ROOT_DATA)
    }

    /// The offset after the last byte of an element.
    #[inline]
    fn end(&self, index: u32) -> u32 {
        let data = self.data(index);
        if data.kind.is_token() {
            return data.extent;
        }
        // The last element of a subtree is a token, or a node with nothing in it.
        let last = self.data(index + data.extent.saturating_sub(1));
        if last.kind.is_token() { last.extent } else { last.start }
    }

    /// A dump of the tree, one element a line, trivia left out: for tests and `kait` debugging.
    #[must_use]
    pub fn dump(&self) -> String {
        let mut out = String::new();
        dump_node(self.root(), 0, &mut out);
        out
    }

    /// The tree in one line: nodes as `Kind(...)`, tokens as their text, trivia left out.
    #[must_use]
    pub fn compact_dump(&self) -> String {
        self.root().compact_dump()
    }
}

static ROOT_DATA: ElementData = ElementData::node(0, 1, 0, SyntaxKind::SourceFile);

// Both dumps recurse once per level; the parser bounds the depth of every tree it builds.
fn dump_node(node: SyntaxNode<'_>, depth: usize, out: &mut String) {
    let _ = writeln!(out, "{:depth$}{:?} {:?}", "", node.kind(), node.range(), depth = depth * 2);
    for child in node.children_with_tokens() {
        match child {
            SyntaxElement::Node(child) => dump_node(child, depth + 1, out),
            SyntaxElement::Token(token)
                if token.kind().is_trivia() && !matches!(token.kind(), SyntaxKind::Doc) => {}
            SyntaxElement::Token(token) => {
                let pad = (depth + 1) * 2;
                let _ = writeln!(out, "{:pad$}{:?} {:?}", "", token.kind(), token.text());
            }
        }
    }
}

fn compact_node(node: SyntaxNode<'_>, out: &mut String) {
    let _ = write!(out, "{:?}(", node.kind());
    let mut first = true;
    for child in node.children_with_tokens() {
        if let SyntaxElement::Token(token) = child
            && token.kind().is_trivia()
            && !matches!(token.kind(), SyntaxKind::Doc)
        {
            continue;
        }
        if !first {
            out.push(' ');
        }
        first = false;
        match child {
            SyntaxElement::Node(child) => compact_node(child, out),
            SyntaxElement::Token(token) => out.push_str(token.text()),
        }
    }
    out.push(')');
}

impl fmt::Debug for SyntaxTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.dump())
    }
}

/// A node of a tree.
#[derive(Clone, Copy)]
pub struct SyntaxNode<'t> {
    tree: &'t SyntaxTree,
    index: u32,
}

/// A token of a tree.
#[derive(Clone, Copy)]
pub struct SyntaxToken<'t> {
    tree: &'t SyntaxTree,
    index: u32,
}

/// A node or a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyntaxElement<'t> {
    /// A node.
    Node(SyntaxNode<'t>),
    /// A token.
    Token(SyntaxToken<'t>),
}

macro_rules! handle {
    ($name:ident) => {
        impl<'t> $name<'t> {
            /// The kind.
            #[must_use]
            pub fn kind(self) -> SyntaxKind {
                self.tree.data(self.index).kind
            }

            /// The bytes of the source that it covers.
            #[must_use]
            pub fn range(self) -> TextRange {
                let start = self.tree.data(self.index).start;
                TextRange::new(start.into(), self.tree.end(self.index).into())
            }

            /// The text that it covers.
            #[must_use]
            pub fn text(self) -> &'t str {
                let (start, end) = (self.tree.data(self.index).start, self.tree.end(self.index));
                self.tree.text.get(start as usize..end as usize).unwrap_or_default()
            }

            /// Its number in its tree: stable while the tree lives, increasing in the text's order.
            #[must_use]
            pub fn index(self) -> u32 {
                self.index
            }

            /// The tree that it belongs to.
            #[must_use]
            pub fn tree(self) -> &'t SyntaxTree {
                self.tree
            }
        }

        impl PartialEq for $name<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.index == other.index && std::ptr::eq(self.tree, other.tree)
            }
        }

        impl Eq for $name<'_> {}

        impl std::hash::Hash for $name<'_> {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.index.hash(state);
            }
        }
    };
}

handle!(SyntaxNode);
handle!(SyntaxToken);

impl<'t> SyntaxNode<'t> {
    /// The enclosing node; `None` for the root.
    #[must_use]
    pub fn parent(self) -> Option<SyntaxNode<'t>> {
        (self.index != 0)
            .then(|| SyntaxNode { tree: self.tree, index: self.tree.data(self.index).parent })
    }

    /// The subtree in one line; see [`SyntaxTree::compact_dump`].
    #[must_use]
    pub fn compact_dump(self) -> String {
        let mut out = String::new();
        compact_node(self, &mut out);
        out
    }

    /// Whether another node has the same text and the same structure, wherever the two stand. Linear in their size,
    /// for nodes of two trees.
    #[must_use]
    pub fn is_like(self, other: SyntaxNode<'_>) -> bool {
        let (ours, theirs) = (self.elements(), other.elements());
        let (Some(first), Some(other_first)) = (ours.first(), theirs.first()) else { return false };
        if std::ptr::eq(first, other_first) {
            return true;
        }
        let same = |(a, b): (&ElementData, &ElementData)| {
            let (start, other_start) = if a.kind.is_token() {
                (a.extent - first.start, b.extent.wrapping_sub(other_first.start))
            } else {
                (a.extent, b.extent)
            };
            a.kind == b.kind
                && start == other_start
                && a.start - first.start == b.start.wrapping_sub(other_first.start)
        };
        ours.len() == theirs.len()
            && self.text() == other.text()
            && ours.iter().zip(theirs).all(same)
    }

    /// The elements of the subtree.
    fn elements(self) -> &'t [ElementData] {
        let start = self.index as usize;
        let size = self.tree.data(self.index).size() as usize;
        self.tree.elements.get(start..start + size).unwrap_or_default()
    }

    /// This node and the nodes around it, from the inside out.
    pub fn ancestors(self) -> impl Iterator<Item = SyntaxNode<'t>> {
        std::iter::successors(Some(self), |node| node.parent())
    }

    /// Direct children, nodes and tokens, trivia included.
    #[must_use]
    pub fn children_with_tokens(self) -> Children<'t> {
        let end = self.index + self.tree.data(self.index).size();
        Children { tree: self.tree, next: self.index + 1, end }
    }

    /// Direct child nodes.
    pub fn children(self) -> impl Iterator<Item = SyntaxNode<'t>> + Clone {
        self.children_with_tokens().filter_map(SyntaxElement::into_node)
    }

    /// Direct child tokens, trivia left out.
    pub fn tokens(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.children_with_tokens()
            .filter_map(SyntaxElement::into_token)
            .filter(|token| !token.kind().is_trivia())
    }

    /// The first direct child node of a kind.
    #[must_use]
    pub fn first_child(self, kind: SyntaxKind) -> Option<SyntaxNode<'t>> {
        self.children().find(|node| node.kind() == kind)
    }

    /// The first direct child token of a kind.
    #[must_use]
    pub fn first_token(self, kind: SyntaxKind) -> Option<SyntaxToken<'t>> {
        self.children_with_tokens()
            .filter_map(SyntaxElement::into_token)
            .find(|token| token.kind() == kind)
    }

    /// This node and every node below it, in the order of the text.
    pub fn descendants(self) -> impl Iterator<Item = SyntaxNode<'t>> {
        self.descendants_with_tokens().filter_map(SyntaxElement::into_node)
    }

    /// This node and every element below it, in the order of the text.
    pub fn descendants_with_tokens(self) -> impl Iterator<Item = SyntaxElement<'t>> {
        let end = self.index + self.tree.data(self.index).size();
        let tree = self.tree;
        (self.index..end).filter_map(move |index| tree.element(index))
    }

    /// Every token below this node, trivia included.
    pub fn descendant_tokens(self) -> impl Iterator<Item = SyntaxToken<'t>> {
        self.descendants_with_tokens().filter_map(SyntaxElement::into_token)
    }
}

impl<'t> SyntaxToken<'t> {
    /// The enclosing node.
    #[must_use]
    pub fn parent(self) -> SyntaxNode<'t> {
        SyntaxNode { tree: self.tree, index: self.tree.data(self.index).parent }
    }

    /// The token before, trivia included.
    #[must_use]
    pub fn prev_token(self) -> Option<SyntaxToken<'t>> {
        (0..self.index).rev().find_map(|index| self.tree.element(index)?.into_token())
    }

    /// The token after, trivia included.
    #[must_use]
    pub fn next_token(self) -> Option<SyntaxToken<'t>> {
        let end = u32::try_from(self.tree.len()).unwrap_or(u32::MAX);
        (self.index + 1..end).find_map(|index| self.tree.element(index)?.into_token())
    }
}

impl<'t> SyntaxElement<'t> {
    fn new(tree: &'t SyntaxTree, index: u32, kind: SyntaxKind) -> Self {
        if kind.is_node() {
            Self::Node(SyntaxNode { tree, index })
        } else {
            Self::Token(SyntaxToken { tree, index })
        }
    }

    /// The node, if it is one.
    #[must_use]
    pub fn into_node(self) -> Option<SyntaxNode<'t>> {
        match self {
            Self::Node(node) => Some(node),
            Self::Token(_) => None,
        }
    }

    /// The token, if it is one.
    #[must_use]
    pub fn into_token(self) -> Option<SyntaxToken<'t>> {
        match self {
            Self::Token(token) => Some(token),
            Self::Node(_) => None,
        }
    }

    /// The kind.
    #[must_use]
    pub fn kind(self) -> SyntaxKind {
        match self {
            Self::Node(node) => node.kind(),
            Self::Token(token) => token.kind(),
        }
    }

    /// The bytes of the source that it covers.
    #[must_use]
    pub fn range(self) -> TextRange {
        match self {
            Self::Node(node) => node.range(),
            Self::Token(token) => token.range(),
        }
    }

    /// Its number in its tree.
    #[must_use]
    pub fn index(self) -> u32 {
        match self {
            Self::Node(node) => node.index(),
            Self::Token(token) => token.index(),
        }
    }
}

/// The direct children of a node; see [`SyntaxNode::children_with_tokens`].
#[derive(Clone)]
pub struct Children<'t> {
    tree: &'t SyntaxTree,
    next: u32,
    end: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = SyntaxElement<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        let index = self.next;
        let data = self.tree.elements.get(index as usize)?;
        self.next = index + data.size();
        Some(SyntaxElement::new(self.tree, index, data.kind))
    }
}

impl fmt::Debug for SyntaxNode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.kind(), self.range())
    }
}

impl fmt::Debug for SyntaxToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?} {:?}", self.kind(), self.range(), self.text())
    }
}
