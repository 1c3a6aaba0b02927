//! Views of files and declarations.

use std::borrow::Cow;

use super::{
    Arg, Args, Block, Expr, Pattern, PromptItem, StrExpr, TestItem, Type, child, children, choice,
    documented, exported, join_docs, name, named, token, views,
};
use crate::{SyntaxKind, SyntaxToken};

views! {
    /// A whole file.
    SourceFile;
    /// `use path as name`
    Use;
    /// `let binder: Type = value`, as a declaration or a statement.
    Let;
    /// `record Name<T> { fields }`
    Record;
    /// A field of a record or session.
    Field;
    /// `as "wire-name"`
    WireName;
    /// `enum Name<T> { variants }`
    Enum;
    /// A variant of an enum.
    Variant;
    /// `type Name<T> = Type`
    TypeAlias;
    /// `model name needs (...)`
    Model;
    /// `needs (...)` of a model, `needs approval` of an extern.
    Needs;
    /// `secret name`
    Secret;
    /// `fn name<T>(params) -> Type { }`
    Fn;
    /// `graph name<T>(params) -> Type in Session does ... with (...) { }`
    Graph;
    /// `in Session`
    InSession;
    /// `prompt` or `agent`; see [`Prompt::is_agent`].
    Prompt;
    /// `extern name<T>(params) -> Type does ... needs ... with (...) from kind "locator"`
    Extern;
    /// `from kind "locator"`
    From;
    /// `session Name { fields }`
    Session;
    /// `trigger name on path(args) as event: Type with (...) { }`
    Trigger;
    /// `as event: Type`
    TriggerEvent;
    /// `test "name" with (...) { }`
    Test;
    /// `<A, B>`
    TypeParams;
    /// `(params)`
    Params;
    /// `stream name: Type = default`
    Param;
    /// `does effect, effect`
    Does;
    /// `read net.example`, `write net "api.example.com"`, `model`
    Effect;
    /// `with (...)`
    Policies;
    /// `a.b.C`
    Path;
}

choice! {
    /// A declaration.
    Decl {
        /// `use`
        Use(Use),
        /// `let`
        Let(Let),
        /// `record`
        Record(Record),
        /// `enum`
        Enum(Enum),
        /// `type`
        TypeAlias(TypeAlias),
        /// `model`
        Model(Model),
        /// `secret`
        Secret(Secret),
        /// `fn`
        Fn(Fn),
        /// `graph`
        Graph(Graph),
        /// `prompt` and `agent`
        Prompt(Prompt),
        /// `extern`
        Extern(Extern),
        /// `session`
        Session(Session),
        /// `trigger`
        Trigger(Trigger),
        /// `test`
        Test(Test),
    }
}

documented! {
    Use, Let, Record, Field, Enum, Variant, TypeAlias, Model, Secret, Fn, Graph, Prompt, Extern,
    Session, Trigger, Test, Param,
}

exported! {
    Use, Let, Record, Enum, TypeAlias, Model, Secret, Fn, Graph, Prompt, Extern, Session, Trigger,
    Test,
}

named! {
    Record, Field, Enum, Variant, TypeAlias, Model, Secret, Fn, Graph, Prompt, Extern, Session,
    Trigger, TriggerEvent, Param,
}

/// Type parameters of generic declarations.
macro_rules! generic {
    ($( $view:ident ),*) => { $(
        impl<'t> $view<'t> {
            /// `<A, B>`
            #[must_use]
            pub fn type_params(self) -> Option<TypeParams<'t>> {
                child(self.0)
            }
        }
    )* };
}

generic!(Record, Enum, TypeAlias, Fn, Graph, Prompt, Extern);

/// The signature of what can be called.
macro_rules! callable {
    ($( $view:ident ),*) => { $(
        impl<'t> $view<'t> {
            /// The parameters.
            #[must_use]
            pub fn params(self) -> Option<Params<'t>> {
                child(self.0)
            }

            /// The type of the result, behind `->`.
            #[must_use]
            pub fn result(self) -> Option<Type<'t>> {
                child(self.0)
            }
        }
    )* };
}

callable!(Fn, Graph, Prompt, Extern);

impl<'t> Decl<'t> {
    /// The doc comment.
    #[must_use]
    pub fn doc_text(self) -> Option<String> {
        super::doc_text(self.syntax())
    }

    /// Whether `pub` stands before it.
    #[must_use]
    pub fn is_pub(self) -> bool {
        self.syntax().first_token(SyntaxKind::PubKw).is_some()
    }

    /// The name that it introduces; `let` has a binder, `use` an alias, `test` a text instead.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        match self {
            Self::Use(decl) => decl.bound_name(),
            Self::Let(_) | Self::Test(_) => None,
            _ => name(self.syntax()),
        }
    }
}

impl<'t> SourceFile<'t> {
    /// The declarations in the order of the text.
    pub fn decls(self) -> impl Iterator<Item = Decl<'t>> + 't {
        children(self.0)
    }

    /// The comment that documents the file: the `//!` lines at its top.
    #[must_use]
    pub fn doc_text(self) -> Option<String> {
        join_docs(self.0, SyntaxKind::FileDoc, "//!")
    }
}

impl<'t> Use<'t> {
    /// The module.
    #[must_use]
    pub fn path(self) -> Option<Path<'t>> {
        child(self.0)
    }

    /// The name after `as`.
    #[must_use]
    pub fn alias(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }

    /// The name by which the module is known here: the alias, else the last segment.
    #[must_use]
    pub fn bound_name(self) -> Option<SyntaxToken<'t>> {
        self.alias().or_else(|| self.path()?.segments().last())
    }
}

impl<'t> Let<'t> {
    /// What is bound: a name, or a variant taken apart.
    #[must_use]
    pub fn binder(self) -> Option<Pattern<'t>> {
        child(self.0)
    }

    /// The written type.
    #[must_use]
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0)
    }

    /// The value.
    #[must_use]
    pub fn value(self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

impl<'t> Record<'t> {
    /// The fields.
    pub fn fields(self) -> impl Iterator<Item = Field<'t>> + Clone + 't {
        children(self.0)
    }
}

impl<'t> Session<'t> {
    /// The fields.
    pub fn fields(self) -> impl Iterator<Item = Field<'t>> + Clone + 't {
        children(self.0)
    }
}

impl<'t> Field<'t> {
    /// The type.
    #[must_use]
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0)
    }

    /// The default, behind `=`.
    #[must_use]
    pub fn default(self) -> Option<Expr<'t>> {
        child(self.0)
    }

    /// The name on the wire, behind `as`.
    #[must_use]
    pub fn wire_name(self) -> Option<StrExpr<'t>> {
        child::<WireName<'_>>(self.0)?.text()
    }
}

impl<'t> WireName<'t> {
    /// The text.
    #[must_use]
    pub fn text(self) -> Option<StrExpr<'t>> {
        child(self.0)
    }
}

impl<'t> Enum<'t> {
    /// The variants.
    pub fn variants(self) -> impl Iterator<Item = Variant<'t>> + 't {
        children(self.0)
    }
}

impl<'t> Variant<'t> {
    /// The payload.
    #[must_use]
    pub fn params(self) -> Option<Params<'t>> {
        child(self.0)
    }

    /// The name on the wire, behind `as`.
    #[must_use]
    pub fn wire_name(self) -> Option<StrExpr<'t>> {
        child::<WireName<'_>>(self.0)?.text()
    }
}

impl<'t> TypeAlias<'t> {
    /// The type that it names.
    #[must_use]
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0)
    }
}

impl<'t> Model<'t> {
    /// What the role needs.
    #[must_use]
    pub fn needs(self) -> Option<Args<'t>> {
        child::<Needs<'_>>(self.0)?.args()
    }
}

impl<'t> Needs<'t> {
    /// `(...)`, for a model.
    #[must_use]
    pub fn args(self) -> Option<Args<'t>> {
        child(self.0)
    }

    /// The word, for an extern: `approval`.
    #[must_use]
    pub fn word(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> Fn<'t> {
    /// The body.
    #[must_use]
    pub fn body(self) -> Option<Block<'t>> {
        child(self.0)
    }
}

impl<'t> Graph<'t> {
    /// The session type after `in`.
    #[must_use]
    pub fn session(self) -> Option<SyntaxToken<'t>> {
        child::<InSession<'_>>(self.0)?.name()
    }

    /// The upper bound of its effects.
    #[must_use]
    pub fn does(self) -> Option<Does<'t>> {
        child(self.0)
    }

    /// The policies of the header.
    #[must_use]
    pub fn policies(self) -> Option<Policies<'t>> {
        child(self.0)
    }

    /// The body.
    #[must_use]
    pub fn body(self) -> Option<Block<'t>> {
        child(self.0)
    }
}

impl<'t> InSession<'t> {
    /// The session type.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> Prompt<'t> {
    /// Whether it is an `agent`.
    #[must_use]
    pub fn is_agent(self) -> bool {
        token(self.0, SyntaxKind::AgentKw).is_some()
    }

    /// The upper bound of its effects.
    #[must_use]
    pub fn does(self) -> Option<Does<'t>> {
        child(self.0)
    }

    /// The policies of the header.
    #[must_use]
    pub fn policies(self) -> Option<Policies<'t>> {
        child(self.0)
    }

    /// The items in the order of the text.
    pub fn items(self) -> impl Iterator<Item = PromptItem<'t>> + 't {
        children(self.0)
    }
}

impl<'t> Extern<'t> {
    /// The effects that it declares.
    #[must_use]
    pub fn does(self) -> Option<Does<'t>> {
        child(self.0)
    }

    /// The word after `needs`: `approval`.
    #[must_use]
    pub fn needs(self) -> Option<SyntaxToken<'t>> {
        child::<Needs<'_>>(self.0)?.word()
    }

    /// The policies.
    #[must_use]
    pub fn policies(self) -> Option<Policies<'t>> {
        child(self.0)
    }

    /// Where it comes from.
    #[must_use]
    pub fn from(self) -> Option<From<'t>> {
        child(self.0)
    }
}

impl<'t> From<'t> {
    /// `native`, `wasm`, `process`, `http`, `mcp`
    #[must_use]
    pub fn kind(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }

    /// The locator.
    #[must_use]
    pub fn locator(self) -> Option<StrExpr<'t>> {
        child(self.0)
    }
}

impl<'t> Trigger<'t> {
    /// The source of events, behind `on`.
    #[must_use]
    pub fn source(self) -> Option<Path<'t>> {
        child(self.0)
    }

    /// The arguments of the source.
    #[must_use]
    pub fn args(self) -> Option<Args<'t>> {
        child(self.0)
    }

    /// The event's name and type, behind `as`.
    #[must_use]
    pub fn event(self) -> Option<TriggerEvent<'t>> {
        child(self.0)
    }

    /// The policies.
    #[must_use]
    pub fn policies(self) -> Option<Policies<'t>> {
        child(self.0)
    }

    /// The body.
    #[must_use]
    pub fn body(self) -> Option<Block<'t>> {
        child(self.0)
    }
}

impl<'t> TriggerEvent<'t> {
    /// The type of the event.
    #[must_use]
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0)
    }
}

impl<'t> Test<'t> {
    /// What the test says.
    #[must_use]
    pub fn title(self) -> Option<StrExpr<'t>> {
        child(self.0)
    }

    /// The policies.
    #[must_use]
    pub fn policies(self) -> Option<Policies<'t>> {
        child(self.0)
    }

    /// Stubs, expectations and statements in the order of the text.
    pub fn items(self) -> impl Iterator<Item = TestItem<'t>> + 't {
        // The title is an expression too; items stand behind the opening brace.
        self.0
            .children_with_tokens()
            .skip_while(|element| element.kind() != SyntaxKind::LBrace)
            .filter_map(crate::SyntaxElement::into_node)
            .filter_map(TestItem::cast)
    }
}

impl<'t> TypeParams<'t> {
    /// The names.
    pub fn names(self) -> impl Iterator<Item = SyntaxToken<'t>> + 't {
        self.0.tokens().filter(|token| token.kind() == SyntaxKind::Uid)
    }
}

impl<'t> Params<'t> {
    /// The parameters.
    pub fn params(self) -> impl Iterator<Item = Param<'t>> + 't {
        children(self.0)
    }
}

impl<'t> Param<'t> {
    /// Whether `stream` stands before it: it is read while it grows.
    #[must_use]
    pub fn is_stream(self) -> bool {
        token(self.0, SyntaxKind::StreamKw).is_some()
    }

    /// The type.
    #[must_use]
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0)
    }

    /// The default.
    #[must_use]
    pub fn default(self) -> Option<Expr<'t>> {
        child(self.0)
    }
}

impl<'t> Does<'t> {
    /// The effects.
    pub fn effects(self) -> impl Iterator<Item = Effect<'t>> + 't {
        children(self.0)
    }
}

impl<'t> Effect<'t> {
    /// `read`, `write`, `model`, `human`, `clock`, `random`, `emit`
    #[must_use]
    pub fn word(self) -> Option<SyntaxToken<'t>> {
        self.0.tokens().find(|token| matches!(token.kind(), SyntaxKind::Lid | SyntaxKind::ModelKw))
    }

    /// The dotted resource.
    #[must_use]
    pub fn resource(self) -> Option<Path<'t>> {
        child(self.0)
    }

    /// The quoted part of the resource, where a name does not fit.
    #[must_use]
    pub fn quoted(self) -> Option<StrExpr<'t>> {
        child(self.0)
    }
}

impl<'t> Policies<'t> {
    /// `(...)`
    #[must_use]
    pub fn args(self) -> Option<Args<'t>> {
        child(self.0)
    }

    /// The policies, one by one.
    pub fn iter(self) -> impl Iterator<Item = Arg<'t>> + 't {
        self.args().into_iter().flat_map(Args::args)
    }
}

impl<'t> Path<'t> {
    /// The names between the dots.
    pub fn segments(self) -> impl Iterator<Item = SyntaxToken<'t>> + 't {
        self.0.tokens().filter(|token| matches!(token.kind(), SyntaxKind::Lid | SyntaxKind::Uid))
    }

    /// The path as it would be written without blanks.
    #[must_use]
    pub fn to_text(self) -> Cow<'t, str> {
        let mut segments = self.segments();
        let Some(first) = segments.next() else { return Cow::Borrowed("") };
        let mut text = Cow::Borrowed(first.text());
        for segment in segments {
            let text = text.to_mut();
            text.push('.');
            text.push_str(segment.text());
        }
        text
    }
}
