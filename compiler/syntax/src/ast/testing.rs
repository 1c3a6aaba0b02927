//! Views of what stands in a `test`.

use super::{
    Body, Expr, Let, NumberExpr, PatArgs, Path, child, child_after, child_before, children, views,
};
use crate::{SyntaxKind, SyntaxNode};

views! {
    /// `stub path(patterns) => outcome then outcome`
    Stub;
    /// `body after 5s`
    Outcome;
    /// `expect expr`
    Expect;
}

/// An item of a test.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TestItem<'t> {
    /// `stub`
    Stub(Stub<'t>),
    /// `expect`
    Expect(Expect<'t>),
    /// `let`
    Let(Let<'t>),
    /// A bare expression.
    Expr(Expr<'t>),
}

impl<'t> TestItem<'t> {
    /// The view of a node, if its kind fits.
    #[must_use]
    pub fn cast(node: SyntaxNode<'t>) -> Option<Self> {
        match node.kind() {
            SyntaxKind::Stub => Stub::cast(node).map(Self::Stub),
            SyntaxKind::Expect => Expect::cast(node).map(Self::Expect),
            SyntaxKind::Let => Let::cast(node).map(Self::Let),
            _ => Expr::cast(node).map(Self::Expr),
        }
    }

    /// The node.
    #[must_use]
    pub fn syntax(self) -> SyntaxNode<'t> {
        match self {
            Self::Stub(item) => item.syntax(),
            Self::Expect(item) => item.syntax(),
            Self::Let(item) => item.syntax(),
            Self::Expr(item) => item.syntax(),
        }
    }

    /// The bytes of the source that it covers.
    #[must_use]
    pub fn range(self) -> text_size::TextRange {
        self.syntax().range()
    }
}

impl<'t> Stub<'t> {
    /// Whether the approval of the call is stubbed, not the call.
    #[must_use]
    pub fn is_approve(self) -> bool {
        self.0.first_token(SyntaxKind::ApproveKw).is_some()
    }

    /// What is called.
    #[must_use]
    pub fn path(self) -> Option<Path<'t>> {
        child(self.0)
    }

    /// The patterns of the arguments.
    #[must_use]
    pub fn args(self) -> Option<PatArgs<'t>> {
        child(self.0)
    }

    /// What the calls give, one after the other; the last repeats.
    pub fn outcomes(self) -> impl Iterator<Item = Outcome<'t>> + 't {
        children(self.0)
    }
}

impl<'t> Outcome<'t> {
    /// The value, or `fail ...`.
    #[must_use]
    pub fn body(self) -> Option<Body<'t>> {
        child_before(self.0, SyntaxKind::AfterKw)
    }

    /// The virtual time that the call takes, behind `after`.
    #[must_use]
    pub fn after(self) -> Option<NumberExpr<'t>> {
        child_after(self.0, SyntaxKind::AfterKw)
    }
}

impl<'t> Expect<'t> {
    /// What must hold.
    #[must_use]
    pub fn condition(self) -> Option<Expr<'t>> {
        child(self.0)
    }
}
