//! Views of types.

use super::{Arg, Args, Path, child, children, choice, nth_child, views};
use crate::SyntaxToken;

views! {
    /// `text`, `mail.Message`, `Result<T>`
    NamedType;
    /// `<T, U>`
    TypeArgs;
    /// `[T]`
    ListType;
    /// `[K: V]`
    MapType;
    /// `none`
    NoneType;
    /// `T?`
    OptionalType;
    /// `T where (...)`
    RefinedType;
    /// `trusted T`
    QualifiedType;
    /// `where (...)`
    Where;
}

choice! {
    /// A type.
    Type {
        /// A name, with arguments if it is generic.
        Named(NamedType),
        /// A list.
        List(ListType),
        /// A map.
        Map(MapType),
        /// The type of `none`.
        None(NoneType),
        /// A value or `none`.
        Optional(OptionalType),
        /// A type with bounds.
        Refined(RefinedType),
        /// A type with a label.
        Qualified(QualifiedType),
    }
}

impl<'t> NamedType<'t> {
    /// The name.
    #[must_use]
    pub fn path(self) -> Option<Path<'t>> {
        child(self.0)
    }

    /// The type arguments.
    pub fn args(self) -> impl Iterator<Item = Type<'t>> + 't {
        child::<TypeArgs<'_>>(self.0).into_iter().flat_map(|args| children(args.syntax()))
    }
}

impl<'t> TypeArgs<'t> {
    /// The types.
    pub fn types(self) -> impl Iterator<Item = Type<'t>> + 't {
        children(self.0)
    }
}

impl<'t> ListType<'t> {
    /// The type of the items.
    #[must_use]
    pub fn item(self) -> Option<Type<'t>> {
        child(self.0)
    }
}

impl<'t> MapType<'t> {
    /// The type of the keys.
    #[must_use]
    pub fn key(self) -> Option<Type<'t>> {
        super::child_before(self.0, crate::SyntaxKind::Colon)
    }

    /// The type of the values.
    #[must_use]
    pub fn value(self) -> Option<Type<'t>> {
        super::child_after(self.0, crate::SyntaxKind::Colon)
    }
}

impl<'t> OptionalType<'t> {
    /// The type before the `?`.
    #[must_use]
    pub fn inner(self) -> Option<Type<'t>> {
        nth_child(self.0, 0)
    }
}

impl<'t> RefinedType<'t> {
    /// The type before `where`.
    #[must_use]
    pub fn inner(self) -> Option<Type<'t>> {
        child(self.0)
    }

    /// The bounds, one by one.
    pub fn bounds(self) -> impl Iterator<Item = Arg<'t>> + 't {
        child::<Where<'_>>(self.0).and_then(Where::args).into_iter().flat_map(Args::args)
    }
}

impl<'t> Where<'t> {
    /// `(...)`
    #[must_use]
    pub fn args(self) -> Option<Args<'t>> {
        child(self.0)
    }
}

impl<'t> QualifiedType<'t> {
    /// `secret`, `trusted`, `untrusted`, `public` or `private`
    #[must_use]
    pub fn qualifier(self) -> Option<SyntaxToken<'t>> {
        self.0.tokens().find(|token| token.kind().is_qualifier())
    }

    /// The type behind it.
    #[must_use]
    pub fn inner(self) -> Option<Type<'t>> {
        child(self.0)
    }
}
