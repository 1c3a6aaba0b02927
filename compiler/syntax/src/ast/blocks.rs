//! Views of blocks, statements and arms.

use super::{Expr, Let, Pattern, child, children, views};
use crate::{SyntaxKind, SyntaxNode};

views! {
    /// `{ statements }`
    Block;
    /// `{ arms }`
    Arms;
    /// `pattern if guard => body`
    Arm;
    /// `if expr` of an arm or a `for`
    Guard;
}

/// A statement.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Stmt<'t> {
    /// `let`
    Let(Let<'t>),
    /// A bare expression; the last one of a block is the block's value.
    Expr(Expr<'t>),
}

/// What an arm, an outcome or a `race` gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Body<'t> {
    /// An expression.
    Expr(Expr<'t>),
    /// A block.
    Block(Block<'t>),
}

impl<'t> super::AstNode<'t> for Stmt<'t> {
    fn cast(node: SyntaxNode<'t>) -> Option<Self> {
        Stmt::cast(node)
    }

    fn syntax(self) -> SyntaxNode<'t> {
        Stmt::syntax(self)
    }
}

impl<'t> super::AstNode<'t> for Body<'t> {
    fn cast(node: SyntaxNode<'t>) -> Option<Self> {
        Body::cast(node)
    }

    fn syntax(self) -> SyntaxNode<'t> {
        Body::syntax(self)
    }
}

impl<'t> Stmt<'t> {
    /// The view of a node, if its kind fits.
    #[must_use]
    pub fn cast(node: SyntaxNode<'t>) -> Option<Self> {
        Let::cast(node).map(Self::Let).or_else(|| Expr::cast(node).map(Self::Expr))
    }

    /// The node.
    #[must_use]
    pub fn syntax(self) -> SyntaxNode<'t> {
        match self {
            Self::Let(stmt) => stmt.syntax(),
            Self::Expr(expr) => expr.syntax(),
        }
    }

    /// The bytes of the source that it covers.
    #[must_use]
    pub fn range(self) -> text_size::TextRange {
        self.syntax().range()
    }
}

impl<'t> Body<'t> {
    /// The view of a node, if its kind fits.
    #[must_use]
    pub fn cast(node: SyntaxNode<'t>) -> Option<Self> {
        Block::cast(node).map(Self::Block).or_else(|| Expr::cast(node).map(Self::Expr))
    }

    /// The node.
    #[must_use]
    pub fn syntax(self) -> SyntaxNode<'t> {
        match self {
            Self::Expr(expr) => expr.syntax(),
            Self::Block(block) => block.syntax(),
        }
    }

    /// The bytes of the source that it covers.
    #[must_use]
    pub fn range(self) -> text_size::TextRange {
        self.syntax().range()
    }
}

impl<'t> Block<'t> {
    /// The statements.
    pub fn stmts(self) -> impl Iterator<Item = Stmt<'t>> + 't {
        children(self.0)
    }
}

impl<'t> Arms<'t> {
    /// The arms.
    pub fn arms(self) -> impl Iterator<Item = Arm<'t>> + 't {
        children(self.0)
    }
}

impl<'t> Arm<'t> {
    /// What is matched.
    #[must_use]
    pub fn pattern(self) -> Option<Pattern<'t>> {
        child(self.0)
    }

    /// The condition behind `if`.
    #[must_use]
    pub fn guard(self) -> Option<Expr<'t>> {
        child::<Guard<'_>>(self.0)?.condition()
    }

    /// What stands behind `=>`.
    #[must_use]
    pub fn body(self) -> Option<Body<'t>> {
        super::child_after(self.0, SyntaxKind::FatArrow)
    }
}

impl<'t> Guard<'t> {
    /// The condition.
    #[must_use]
    pub fn condition(self) -> Option<Expr<'t>> {
        child(self.0)
    }
}
