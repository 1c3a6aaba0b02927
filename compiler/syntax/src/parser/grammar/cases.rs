//! What the cases beside the grammar functions share: a piece of text in its place, and the compact
//! dump of its tree.

use crate::{SyntaxKind, SyntaxNode};

/// Where a piece of text stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Expr,
    Type,
    Pattern,
    Block,
    File,
}

/// Parses each piece without errors and compares its dump.
pub(super) fn check(place: Place, cases: &[(&str, &str)]) {
    for &(source, expected) in cases {
        let (before, behind) = match place {
            Place::Expr => ("let x = ", ""),
            Place::Type => ("let x: ", " = 1"),
            Place::Pattern => ("fn f() -> int { match x { ", " => 1 } }"),
            Place::Block => ("fn f() -> int {\n", "\n}\n"),
            Place::File => ("", ""),
        };
        let text = format!("{before}{source}{behind}");
        let parse = crate::parse(&text);
        assert!(parse.errors.is_empty(), "{text}\n{:?}", parse.errors);
        let root = parse.tree.root();
        let first = |kind| root.descendants().find(|node| node.kind() == kind);
        let nth = |kind, n| first(kind).and_then(|node: SyntaxNode<'_>| node.children().nth(n));
        let node = match place {
            Place::Expr | Place::Type => nth(SyntaxKind::Let, 1),
            Place::Pattern => nth(SyntaxKind::Arm, 0),
            Place::Block => first(SyntaxKind::Block),
            Place::File => Some(root),
        };
        let dump = node.map(SyntaxNode::compact_dump).unwrap_or_default();
        assert_eq!(dump, expected, "{text}");
    }
}
