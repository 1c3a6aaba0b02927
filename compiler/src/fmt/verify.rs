//! Whether two texts are the same program: the formatter's own check of its result.
//!
//! Compared are the nodes of the trees with their depth and the tokens in them, but for commas; texts
//! over several lines by their value; documentation comments with what they document; the sequences of
//! `use` as sets; and all other comments, wherever they stand. All are compared by their hashes.

use std::hash::{Hash, Hasher};

use kait_syntax::ast::StrExpr;
use kait_syntax::strings::StrPart;
use kait_syntax::{Parse, SyntaxElement, SyntaxKind as K, SyntaxTree};
use rustc_hash::FxHasher;

/// Whether two texts are the same program with the same comments.
pub(super) fn same(one: &Parse, other: &Parse) -> bool {
    summary(&one.tree) == summary(&other.tree)
}

/// A program without its layout.
#[derive(PartialEq, Eq)]
struct Summary {
    /// A hash for each declaration, those of neighbouring `use` sorted.
    decls: Vec<u64>,
    /// The sum of the comments' hashes: their order may change with that of `use`.
    comments: u64,
}

fn summary(tree: &SyntaxTree) -> Summary {
    let mut decls: Vec<(bool, u64)> = Vec::new();
    let mut comments = 0u64;
    let mut depths: Vec<u16> = Vec::with_capacity(tree.len());
    let mut hasher = FxHasher::default();
    for element in tree.elements() {
        let parent = match element {
            SyntaxElement::Node(node) => node.parent().map(|parent| parent.index()),
            SyntaxElement::Token(token) => Some(token.parent().index()),
        };
        let depth =
            parent.and_then(|parent| depths.get(parent as usize)).map_or(0, |depth| depth + 1);
        depths.push(depth);
        match element {
            SyntaxElement::Node(node) => {
                if depth == 1 {
                    decls.push((node.kind() == K::Use, 0));
                    hasher = FxHasher::default();
                }
                (node.kind() as u8, depth).hash(&mut hasher);
                if let Some(text) = StrExpr::cast(node).filter(|text| text.is_triple()) {
                    for part in text.parts() {
                        match part {
                            StrPart::Text(part) => part.text.hash(&mut hasher),
                            StrPart::Interpolation(_) => true.hash(&mut hasher),
                        }
                    }
                }
            }
            SyntaxElement::Token(token) => match token.kind() {
                K::Whitespace | K::Newline | K::Comma => continue,
                K::StrText | K::StrEscape if is_in_triple(token.parent()) => continue,
                K::Doc => token.text().trim_end().hash(&mut hasher),
                kind if kind.is_trivia() => {
                    let mut comment = FxHasher::default();
                    token.text().trim_end().hash(&mut comment);
                    comments = comments.wrapping_add(comment.finish());
                    continue;
                }
                kind => (kind as u8, depth, token.text()).hash(&mut hasher),
            },
        }
        if let Some((_, hash)) = decls.last_mut() {
            *hash = hasher.finish();
        }
    }
    for run in decls.chunk_by_mut(|one, other| one.0 && other.0) {
        run.sort_unstable();
    }
    Summary { decls: decls.into_iter().map(|(_, hash)| hash).collect(), comments }
}

fn is_in_triple(node: kait_syntax::SyntaxNode<'_>) -> bool {
    StrExpr::cast(node).is_some_and(StrExpr::is_triple)
}
