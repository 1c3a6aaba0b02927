//! Views of patterns.

use super::{StrExpr, child, children, choice, name, views};
use crate::{SyntaxKind, SyntaxToken};

views! {
    /// `_`
    WildcardPat;
    /// `name`
    NamePat;
    /// `1`, `-1`, `1..5`
    NumberPat;
    /// `"text"`
    StrPat;
    /// `true`, `false`
    BoolPat;
    /// `none`
    NonePat;
    /// `Tag`, `Tag(patterns)`
    VariantPat;
    /// `Tag`, `Enum.Tag`, `module.Tag`, `module.Enum.Tag`
    Tag;
    /// `(patterns)`
    PatArgs;
    /// `pattern`, `name: pattern`
    PatArg;
    /// `[a, b, ..rest]`
    ListPat;
    /// `..rest`, `..`
    RestPat;
    /// `A | B`
    OrPat;
}

choice! {
    /// A pattern.
    Pattern {
        /// Matches anything.
        Wildcard(WildcardPat),
        /// Matches anything and binds it.
        Name(NamePat),
        /// A number or a range of numbers.
        Number(NumberPat),
        /// A text.
        Str(StrPat),
        /// A truth value.
        Bool(BoolPat),
        /// The absent value.
        None(NonePat),
        /// A variant or record.
        Variant(VariantPat),
        /// A list.
        List(ListPat),
        /// One of several.
        Or(OrPat),
    }
}

/// A signed number in a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SignedNumber<'t> {
    /// Whether a `-` stands before it.
    pub negative: bool,
    /// The number.
    pub number: SyntaxToken<'t>,
}

impl<'t> NamePat<'t> {
    /// The name that is bound.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> NumberPat<'t> {
    fn signed(tokens: impl Iterator<Item = SyntaxToken<'t>>) -> Option<SignedNumber<'t>> {
        let mut negative = false;
        for token in tokens {
            match token.kind() {
                SyntaxKind::Minus => negative = true,
                SyntaxKind::Number => return Some(SignedNumber { negative, number: token }),
                _ => {}
            }
        }
        None
    }

    /// The number, or the start of the range.
    #[must_use]
    pub fn start(self) -> Option<SignedNumber<'t>> {
        Self::signed(self.0.tokens().take_while(|token| token.kind() != SyntaxKind::DotDot))
    }

    /// The end of the range, which belongs to it.
    #[must_use]
    pub fn end(self) -> Option<SignedNumber<'t>> {
        Self::signed(self.0.tokens().skip_while(|token| token.kind() != SyntaxKind::DotDot))
    }

    /// Whether it is a range.
    #[must_use]
    pub fn is_range(self) -> bool {
        self.0.first_token(SyntaxKind::DotDot).is_some()
    }
}

impl<'t> StrPat<'t> {
    /// The text.
    #[must_use]
    pub fn text(self) -> Option<StrExpr<'t>> {
        child(self.0)
    }
}

impl BoolPat<'_> {
    /// The value.
    #[must_use]
    pub fn value(self) -> bool {
        self.0.first_token(SyntaxKind::TrueKw).is_some()
    }
}

impl<'t> VariantPat<'t> {
    /// The variant's name.
    #[must_use]
    pub fn tag(self) -> Option<Tag<'t>> {
        child(self.0)
    }

    /// The patterns of the payload; without them the payload is ignored.
    #[must_use]
    pub fn args(self) -> Option<PatArgs<'t>> {
        child(self.0)
    }
}

impl<'t> Tag<'t> {
    /// The names between the dots.
    pub fn segments(self) -> impl Iterator<Item = SyntaxToken<'t>> + 't {
        self.0.tokens().filter(|token| matches!(token.kind(), SyntaxKind::Lid | SyntaxKind::Uid))
    }

    /// The last name: the variant.
    #[must_use]
    pub fn variant(self) -> Option<SyntaxToken<'t>> {
        self.segments().last()
    }
}

impl<'t> PatArgs<'t> {
    /// The patterns.
    pub fn args(self) -> impl Iterator<Item = PatArg<'t>> + 't {
        children(self.0)
    }
}

impl<'t> PatArg<'t> {
    /// The name of the field or parameter, before the colon.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }

    /// The pattern.
    #[must_use]
    pub fn pattern(self) -> Option<Pattern<'t>> {
        child(self.0)
    }
}

impl<'t> ListPat<'t> {
    /// The patterns of the first items.
    pub fn items(self) -> impl Iterator<Item = Pattern<'t>> + 't {
        children(self.0)
    }

    /// `..rest` at the end.
    #[must_use]
    pub fn rest(self) -> Option<RestPat<'t>> {
        child(self.0)
    }
}

impl<'t> RestPat<'t> {
    /// The name that the remaining items are bound to.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> OrPat<'t> {
    /// The alternatives.
    pub fn alternatives(self) -> impl Iterator<Item = Pattern<'t>> + 't {
        children(self.0)
    }
}
