//! Typed views over the syntax tree: one struct per production of the grammar.
//!
//! A view is a node whose kind was looked at; making one costs nothing. Trees of broken texts lack
//! parts, so every accessor that names one part gives an `Option`, and lists give what is there.
//! Views only read. They never decide whether a program is right.

mod blocks;
mod decls;
mod exprs;
mod patterns;
mod prompts;
mod testing;
mod types;

pub use blocks::*;
pub use decls::*;
pub use exprs::*;
pub use patterns::*;
pub use prompts::*;
pub use testing::*;
pub use types::*;

use text_size::TextRange;

use crate::{SyntaxKind, SyntaxNode, SyntaxToken};

/// What all views have in common.
pub trait AstNode<'t>: Copy + Sized {
    /// The view of a node, if the node's kind fits.
    fn cast(node: SyntaxNode<'t>) -> Option<Self>;

    /// The node.
    fn syntax(self) -> SyntaxNode<'t>;

    /// The bytes of the source that it covers.
    fn range(self) -> TextRange {
        self.syntax().range()
    }
}

/// Structs that view one kind each.
macro_rules! views {
    ($( $(#[$attr:meta])* $name:ident; )*) => { $(
        $(#[$attr])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub struct $name<'t>($crate::SyntaxNode<'t>);

        impl<'t> $name<'t> {
            /// The view of a node, if its kind fits.
            #[must_use]
            pub fn cast(node: $crate::SyntaxNode<'t>) -> Option<Self> {
                (node.kind() == $crate::SyntaxKind::$name).then_some(Self(node))
            }

            /// The node.
            #[must_use]
            pub fn syntax(self) -> $crate::SyntaxNode<'t> {
                self.0
            }

            /// The bytes of the source that it covers.
            #[must_use]
            pub fn range(self) -> text_size::TextRange {
                self.0.range()
            }
        }

        impl<'t> $crate::ast::AstNode<'t> for $name<'t> {
            fn cast(node: $crate::SyntaxNode<'t>) -> Option<Self> {
                $name::cast(node)
            }

            fn syntax(self) -> $crate::SyntaxNode<'t> {
                self.0
            }
        }
    )* };
}

/// Enums that view one of several kinds.
macro_rules! choice {
    ($(#[$attr:meta])* $name:ident { $( $(#[$vattr:meta])* $variant:ident($view:ident), )* }) => {
        $(#[$attr])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $name<'t> {
            $( $(#[$vattr])* $variant($view<'t>), )*
        }

        impl<'t> $name<'t> {
            /// The view of a node, if its kind fits.
            #[must_use]
            pub fn cast(node: $crate::SyntaxNode<'t>) -> Option<Self> {
                match node.kind() {
                    $( $crate::SyntaxKind::$view => $view::cast(node).map(Self::$variant), )*
                    _ => None,
                }
            }

            /// The node.
            #[must_use]
            pub fn syntax(self) -> $crate::SyntaxNode<'t> {
                match self {
                    $( Self::$variant(view) => view.syntax(), )*
                }
            }

            /// The bytes of the source that it covers.
            #[must_use]
            pub fn range(self) -> text_size::TextRange {
                self.syntax().range()
            }
        }

        impl<'t> $crate::ast::AstNode<'t> for $name<'t> {
            fn cast(node: $crate::SyntaxNode<'t>) -> Option<Self> {
                $name::cast(node)
            }

            fn syntax(self) -> $crate::SyntaxNode<'t> {
                $name::syntax(self)
            }
        }
    };
}

pub(crate) use {choice, views};

/// The first child that `N` can view.
pub(crate) fn child<'t, N: AstNode<'t>>(node: SyntaxNode<'t>) -> Option<N> {
    node.children().find_map(N::cast)
}

/// The `n`-th child (from zero) that `N` can view.
pub(crate) fn nth_child<'t, N: AstNode<'t>>(node: SyntaxNode<'t>, n: usize) -> Option<N> {
    node.children().filter_map(N::cast).nth(n)
}

/// All children that `N` can view.
pub(crate) fn children<'t, N: AstNode<'t> + 't>(
    node: SyntaxNode<'t>,
) -> impl Iterator<Item = N> + Clone + 't {
    node.children().filter_map(N::cast)
}

/// The first child that `N` can view behind the first token of a kind.
pub(crate) fn child_after<'t, N: AstNode<'t>>(
    node: SyntaxNode<'t>,
    after: SyntaxKind,
) -> Option<N> {
    node.children_with_tokens()
        .skip_while(|element| element.kind() != after)
        .filter_map(crate::SyntaxElement::into_node)
        .find_map(N::cast)
}

/// The first child that `N` can view before the first token of a kind, or at all without one.
pub(crate) fn child_before<'t, N: AstNode<'t>>(
    node: SyntaxNode<'t>,
    before: SyntaxKind,
) -> Option<N> {
    node.children_with_tokens()
        .take_while(|element| element.kind() != before)
        .filter_map(crate::SyntaxElement::into_node)
        .find_map(N::cast)
}

/// The first direct token of a kind.
pub(crate) fn token(node: SyntaxNode<'_>, kind: SyntaxKind) -> Option<SyntaxToken<'_>> {
    node.first_token(kind)
}

/// The first direct name, of either case.
pub(crate) fn name(node: SyntaxNode<'_>) -> Option<SyntaxToken<'_>> {
    node.tokens().find(|token| matches!(token.kind(), SyntaxKind::Lid | SyntaxKind::Uid))
}

/// The first direct name behind a token of a kind.
pub(crate) fn name_after(node: SyntaxNode<'_>, after: SyntaxKind) -> Option<SyntaxToken<'_>> {
    node.tokens()
        .skip_while(|token| token.kind() != after)
        .find(|token| matches!(token.kind(), SyntaxKind::Lid | SyntaxKind::Uid))
}

/// The doc comment of a node: the lines joined, without `///` and one blank after it.
pub(crate) fn doc_text(node: SyntaxNode<'_>) -> Option<String> {
    join_docs(node, SyntaxKind::Doc, "///")
}

pub(crate) fn join_docs(node: SyntaxNode<'_>, kind: SyntaxKind, marker: &str) -> Option<String> {
    let mut text: Option<String> = None;
    for element in node.children_with_tokens() {
        let Some(token) = element.into_token() else { continue };
        if token.kind() != kind {
            continue;
        }
        let line = token.text().strip_prefix(marker).unwrap_or_default();
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        match &mut text {
            Some(text) => {
                text.push('\n');
                text.push_str(line);
            }
            None => text = Some(line.to_owned()),
        }
    }
    text
}

/// `doc_text` and `is_pub` of declarations and of what may be documented.
macro_rules! documented {
    ($( $name:ident ),* $(,)?) => { $(
        impl $name<'_> {
            /// The doc comment: its lines joined, without `///` and one blank after it.
            #[must_use]
            pub fn doc_text(self) -> Option<String> {
                $crate::ast::doc_text(self.0)
            }
        }
    )* };
}

macro_rules! exported {
    ($( $name:ident ),* $(,)?) => { $(
        impl $name<'_> {
            /// Whether `pub` stands before it.
            #[must_use]
            pub fn is_pub(self) -> bool {
                self.0.first_token($crate::SyntaxKind::PubKw).is_some()
            }
        }
    )* };
}

/// `name()` of whatever introduces one.
macro_rules! named {
    ($( $name:ident ),* $(,)?) => { $(
        impl<'t> $name<'t> {
            /// The name that it introduces.
            #[must_use]
            pub fn name(self) -> Option<$crate::SyntaxToken<'t>> {
                $crate::ast::name(self.0)
            }
        }
    )* };
}

pub(crate) use {documented, exported, named};
