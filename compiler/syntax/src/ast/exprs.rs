//! Views of expressions.

use super::{
    Arms, AstNode, Block, Body, Guard, Pattern, Policies, Type, child, child_after, children,
    choice, name, token, views,
};
use crate::numbers::NumberLiteral;
use crate::strings::{self, StrPart};
use crate::{SyntaxElement, SyntaxKind, SyntaxToken};

views! {
    /// `fail expr`
    FailExpr;
    /// `done expr`
    DoneExpr;
    /// `next(args)`
    NextExpr;
    /// `expr catch { arms }`
    CatchExpr;
    /// `expr undo { }`
    UndoExpr;
    /// `expr |> expr`
    PipeExpr;
    /// `expr ?? expr`
    CoalesceExpr;
    /// Two operands with an operator between them.
    BinaryExpr;
    /// `not expr`, `-expr`, `try expr`
    UnaryExpr;
    /// `expr in expr`
    InExpr;
    /// `expr is pattern`
    IsExpr;
    /// `expr.name`
    FieldExpr;
    /// `expr?.name`
    OptFieldExpr;
    /// `expr.Name`
    UidFieldExpr;
    /// `expr(args)`
    CallExpr;
    /// `expr with (...)`
    WithExpr;
    /// `expr[expr]`
    IndexExpr;
    /// A lower-case name.
    NameExpr;
    /// An upper-case name.
    UNameExpr;
    /// A number.
    NumberExpr;
    /// A text.
    StrExpr;
    /// `${expr}`
    Interpolation;
    /// `true`, `false`
    BoolExpr;
    /// `none`
    NoneExpr;
    /// `[a, ..b]`
    ListExpr;
    /// `[k: v]`, `[:]`
    MapExpr;
    /// `k: v`
    MapEntry;
    /// `(expr)`
    ParenExpr;
    /// `if expr { } else { }`
    IfExpr;
    /// `match expr { arms }`
    MatchExpr;
    /// `for pattern in expr if expr max expr parallel expr { }`
    ForExpr;
    /// `max expr`
    MaxClause;
    /// `parallel expr`
    ParallelClause;
    /// `loop vars max expr { } else { }`
    LoopExpr;
    /// `name: Type = init`
    LoopVar;
    /// `race 2 { a, b }`
    RaceExpr;
    /// `.name`
    Selector;
    /// `..expr`
    Spread;
    /// `(args)`
    Args;
    /// `expr`, `name: expr`, `..expr`
    Arg;
}

choice! {
    /// An expression, or what may stand in its place among arguments and list elements.
    Expr {
        /// `fail`
        Fail(FailExpr),
        /// `done`
        Done(DoneExpr),
        /// `next`
        Next(NextExpr),
        /// `catch`
        Catch(CatchExpr),
        /// `undo`
        Undo(UndoExpr),
        /// `|>`
        Pipe(PipeExpr),
        /// `??`
        Coalesce(CoalesceExpr),
        /// An operator between two operands.
        Binary(BinaryExpr),
        /// An operator before its operand.
        Unary(UnaryExpr),
        /// `in`
        In(InExpr),
        /// `is`
        Is(IsExpr),
        /// `.name`
        Field(FieldExpr),
        /// `?.name`
        OptField(OptFieldExpr),
        /// `.Name`
        UidField(UidFieldExpr),
        /// A call.
        Call(CallExpr),
        /// `with`
        With(WithExpr),
        /// `[index]`
        Index(IndexExpr),
        /// A lower-case name.
        Name(NameExpr),
        /// An upper-case name.
        UName(UNameExpr),
        /// A number.
        Number(NumberExpr),
        /// A text.
        Str(StrExpr),
        /// A truth value.
        Bool(BoolExpr),
        /// The absent value.
        None(NoneExpr),
        /// A list.
        List(ListExpr),
        /// A map.
        Map(MapExpr),
        /// Parentheses.
        Paren(ParenExpr),
        /// `if`
        If(IfExpr),
        /// `match`
        Match(MatchExpr),
        /// `for`
        For(ForExpr),
        /// `loop`
        Loop(LoopExpr),
        /// `race`
        Race(RaceExpr),
        /// `.name` among arguments or list elements.
        Selector(Selector),
        /// `..expr` among arguments or list elements.
        Spread(Spread),
    }
}

/// The operator of a [`BinaryExpr`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BinaryOp {
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `>`
    Gt,
    /// `<=`
    Le,
    /// `>=`
    Ge,
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
}

impl BinaryOp {
    /// The operator of a token.
    #[must_use]
    pub fn from_kind(kind: SyntaxKind) -> Option<Self> {
        Some(match kind {
            SyntaxKind::OrKw => Self::Or,
            SyntaxKind::AndKw => Self::And,
            SyntaxKind::EqEq => Self::Eq,
            SyntaxKind::NotEq => Self::Ne,
            SyntaxKind::Lt => Self::Lt,
            SyntaxKind::Gt => Self::Gt,
            SyntaxKind::LtEq => Self::Le,
            SyntaxKind::GtEq => Self::Ge,
            SyntaxKind::Plus => Self::Add,
            SyntaxKind::Minus => Self::Sub,
            SyntaxKind::Star => Self::Mul,
            SyntaxKind::Slash => Self::Div,
            SyntaxKind::Percent => Self::Rem,
            _ => return None,
        })
    }
}

/// The operator of a [`UnaryExpr`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Neg,
    /// `try`
    Try,
}

/// Expressions of one operand.
macro_rules! one_operand {
    ($( $view:ident . $accessor:ident : $doc:literal; )*) => { $(
        impl<'t> $view<'t> {
            #[doc = $doc]
            #[must_use]
            pub fn $accessor(self) -> Option<Expr<'t>> {
                child(self.0)
            }
        }
    )* };
}

one_operand! {
    FailExpr.value: "The failure, or a text that says what failed.";
    DoneExpr.value: "The result of the loop.";
    CatchExpr.operand: "What may fail.";
    UndoExpr.operand: "What is compensated.";
    UnaryExpr.operand: "The operand.";
    InExpr.item: "What is looked for.";
    IsExpr.operand: "What is tested.";
    FieldExpr.base: "What has the field.";
    OptFieldExpr.base: "What may have the field.";
    UidFieldExpr.base: "The module or enum.";
    CallExpr.callee: "What is called.";
    WithExpr.operand: "What the policies apply to.";
    IndexExpr.base: "What is indexed.";
    ParenExpr.inner: "What stands inside.";
    IfExpr.condition: "The condition.";
    MatchExpr.scrutinee: "What is taken apart.";
    MaxClause.value: "The bound.";
    ParallelClause.value: "How many at once.";
    LoopVar.init: "The first value.";
    Spread.value: "What is spread.";
    Interpolation.expr: "What is put into the text.";
    Arg.value: "The value: an expression, a selector or a spread.";
}

/// Expressions of two operands.
macro_rules! second_operand {
    ($( $view:ident . $accessor:ident : $doc:literal; )*) => { $(
        impl<'t> $view<'t> {
            #[doc = $doc]
            #[must_use]
            pub fn $accessor(self) -> Option<Expr<'t>> {
                operand_after_operator(self.0)
            }
        }
    )* };
}

/// Operands are told apart by the operator between them, so that a missing left one does not make
/// the right one the left one.
fn operand_after_operator(node: crate::SyntaxNode<'_>) -> Option<Expr<'_>> {
    node.children_with_tokens()
        .skip_while(|element| element.kind().is_node() || element.kind().is_trivia())
        .filter_map(SyntaxElement::into_node)
        .find_map(Expr::cast)
}

second_operand! {
    PipeExpr.target: "The call that takes the value.";
    CoalesceExpr.fallback: "What stands in for `none`; may be a `fail`.";
    BinaryExpr.rhs: "The right operand.";
    InExpr.list: "Where it is looked for.";
    IndexExpr.index: "The index.";
    MapEntry.value: "The value.";
}

impl<'t> PipeExpr<'t> {
    /// The value that is passed on.
    #[must_use]
    pub fn value(self) -> Option<Expr<'t>> {
        left_operand(self.0)
    }
}

impl<'t> CoalesceExpr<'t> {
    /// The value that may be `none`.
    #[must_use]
    pub fn value(self) -> Option<Expr<'t>> {
        left_operand(self.0)
    }
}

impl<'t> BinaryExpr<'t> {
    /// The left operand.
    #[must_use]
    pub fn lhs(self) -> Option<Expr<'t>> {
        left_operand(self.0)
    }

    /// The operator's token.
    #[must_use]
    pub fn op_token(self) -> Option<SyntaxToken<'t>> {
        self.0.tokens().find(|token| BinaryOp::from_kind(token.kind()).is_some())
    }

    /// The operator.
    #[must_use]
    pub fn op(self) -> Option<BinaryOp> {
        BinaryOp::from_kind(self.op_token()?.kind())
    }
}

impl<'t> MapEntry<'t> {
    /// The key.
    #[must_use]
    pub fn key(self) -> Option<Expr<'t>> {
        left_operand(self.0)
    }
}

fn left_operand(node: crate::SyntaxNode<'_>) -> Option<Expr<'_>> {
    Expr::cast(node.children_with_tokens().next()?.into_node()?)
}

impl<'t> NextExpr<'t> {
    /// The new values.
    #[must_use]
    pub fn args(self) -> Option<Args<'t>> {
        child(self.0)
    }
}

impl<'t> CatchExpr<'t> {
    /// The handlers.
    #[must_use]
    pub fn arms(self) -> Option<Arms<'t>> {
        child(self.0)
    }
}

impl<'t> UndoExpr<'t> {
    /// The compensation.
    #[must_use]
    pub fn block(self) -> Option<Block<'t>> {
        child(self.0)
    }
}

impl<'t> UnaryExpr<'t> {
    /// The operator's token.
    #[must_use]
    pub fn op_token(self) -> Option<SyntaxToken<'t>> {
        self.0.tokens().next()
    }

    /// The operator.
    #[must_use]
    pub fn op(self) -> Option<UnaryOp> {
        match self.op_token()?.kind() {
            SyntaxKind::NotKw => Some(UnaryOp::Not),
            SyntaxKind::Minus => Some(UnaryOp::Neg),
            SyntaxKind::TryKw => Some(UnaryOp::Try),
            _ => None,
        }
    }
}

impl<'t> IsExpr<'t> {
    /// What it is tested against.
    #[must_use]
    pub fn pattern(self) -> Option<Pattern<'t>> {
        child(self.0)
    }
}

impl<'t> FieldExpr<'t> {
    /// The `.` in front of the name.
    #[must_use]
    pub fn dot(self) -> Option<SyntaxToken<'t>> {
        token(self.0, SyntaxKind::Dot)
    }

    /// The field's name.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> OptFieldExpr<'t> {
    /// The `?.` in front of the name.
    #[must_use]
    pub fn dot(self) -> Option<SyntaxToken<'t>> {
        token(self.0, SyntaxKind::QuestionDot)
    }

    /// The field's name.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> UidFieldExpr<'t> {
    /// The type's or variant's name.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> CallExpr<'t> {
    /// The arguments.
    #[must_use]
    pub fn args(self) -> Option<Args<'t>> {
        child(self.0)
    }
}

impl<'t> WithExpr<'t> {
    /// The policies.
    #[must_use]
    pub fn policies(self) -> Option<Policies<'t>> {
        child(self.0)
    }
}

impl<'t> NameExpr<'t> {
    /// The name.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> UNameExpr<'t> {
    /// The name.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> NumberExpr<'t> {
    /// The token.
    #[must_use]
    pub fn token(self) -> Option<SyntaxToken<'t>> {
        self.0.first_token(SyntaxKind::Number)
    }

    /// The number and its unit; `None` if it is malformed, which the lexer has reported.
    #[must_use]
    pub fn literal(self) -> Option<NumberLiteral> {
        NumberLiteral::parse(self.token()?.text())
    }
}

impl<'t> StrExpr<'t> {
    /// Whether escapes and `${}` have no meaning in it.
    #[must_use]
    pub fn is_raw(self) -> bool {
        self.0.first_token(SyntaxKind::StrStart).is_some_and(|token| token.text().starts_with('r'))
    }

    /// Whether it is written with three quotes.
    #[must_use]
    pub fn is_triple(self) -> bool {
        self.0
            .first_token(SyntaxKind::StrStart)
            .is_some_and(|token| token.text().ends_with("\"\"\""))
    }

    /// The interpolations.
    pub fn interpolations(self) -> impl Iterator<Item = Interpolation<'t>> + 't {
        children(self.0)
    }

    /// The text's parts, unescaped and dedented, in order; see [`crate::strings`].
    #[must_use]
    pub fn parts(self) -> Vec<StrPart<'t>> {
        strings::parts(self)
    }

    /// The text as it stands in the source, if it says itself; see [`strings::plain`].
    #[must_use]
    pub fn plain(self) -> Option<&'t str> {
        strings::plain(self)
    }

    /// The whole text, if nothing is interpolated.
    #[must_use]
    pub fn constant(self) -> Option<String> {
        strings::constant(self)
    }
}

impl BoolExpr<'_> {
    /// The value.
    #[must_use]
    pub fn value(self) -> bool {
        self.0.first_token(SyntaxKind::TrueKw).is_some()
    }
}

impl<'t> ListExpr<'t> {
    /// The elements: expressions, selectors and spreads.
    pub fn elements(self) -> impl Iterator<Item = Expr<'t>> + 't {
        children(self.0)
    }
}

impl<'t> MapExpr<'t> {
    /// The entries.
    pub fn entries(self) -> impl Iterator<Item = MapEntry<'t>> + 't {
        children(self.0)
    }
}

/// What stands behind `else`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Else<'t> {
    /// `else if`
    If(IfExpr<'t>),
    /// `else { }`
    Block(Block<'t>),
}

impl<'t> AstNode<'t> for Else<'t> {
    fn cast(node: crate::SyntaxNode<'t>) -> Option<Self> {
        IfExpr::cast(node).map(Self::If).or_else(|| Block::cast(node).map(Self::Block))
    }

    fn syntax(self) -> crate::SyntaxNode<'t> {
        match self {
            Self::If(view) => view.syntax(),
            Self::Block(view) => view.syntax(),
        }
    }
}

impl<'t> IfExpr<'t> {
    /// The block if the condition holds.
    #[must_use]
    pub fn then_block(self) -> Option<Block<'t>> {
        super::child_before(self.0, SyntaxKind::ElseKw)
    }

    /// What stands behind `else`.
    #[must_use]
    pub fn else_branch(self) -> Option<Else<'t>> {
        child_after(self.0, SyntaxKind::ElseKw)
    }
}

impl<'t> MatchExpr<'t> {
    /// The arms.
    #[must_use]
    pub fn arms(self) -> Option<Arms<'t>> {
        child(self.0)
    }
}

impl<'t> ForExpr<'t> {
    /// What each item is bound to.
    #[must_use]
    pub fn pattern(self) -> Option<Pattern<'t>> {
        child(self.0)
    }

    /// The list, behind `in`.
    #[must_use]
    pub fn list(self) -> Option<Expr<'t>> {
        child_after(self.0, SyntaxKind::InKw)
    }

    /// The filter, behind `if`.
    #[must_use]
    pub fn guard(self) -> Option<Expr<'t>> {
        child::<Guard<'_>>(self.0)?.condition()
    }

    /// The bound, behind `max`.
    #[must_use]
    pub fn max(self) -> Option<Expr<'t>> {
        child::<MaxClause<'_>>(self.0)?.value()
    }

    /// How many at once, behind `parallel`.
    #[must_use]
    pub fn parallel(self) -> Option<Expr<'t>> {
        child::<ParallelClause<'_>>(self.0)?.value()
    }

    /// The body.
    #[must_use]
    pub fn body(self) -> Option<Block<'t>> {
        child(self.0)
    }
}

impl<'t> LoopExpr<'t> {
    /// The state.
    pub fn vars(self) -> impl Iterator<Item = LoopVar<'t>> + 't {
        children(self.0)
    }

    /// The bound, behind `max`.
    #[must_use]
    pub fn max(self) -> Option<Expr<'t>> {
        child::<MaxClause<'_>>(self.0)?.value()
    }

    /// The body.
    #[must_use]
    pub fn body(self) -> Option<Block<'t>> {
        super::child_before(self.0, SyntaxKind::ElseKw)
    }

    /// What is given when the rounds are used up.
    #[must_use]
    pub fn else_block(self) -> Option<Block<'t>> {
        child_after(self.0, SyntaxKind::ElseKw)
    }
}

impl<'t> LoopVar<'t> {
    /// The name.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }

    /// The written type.
    #[must_use]
    pub fn ty(self) -> Option<Type<'t>> {
        child(self.0)
    }
}

impl<'t> RaceExpr<'t> {
    /// How many must succeed; one if it is not said.
    #[must_use]
    pub fn count(self) -> Option<NumberExpr<'t>> {
        super::child_before(self.0, SyntaxKind::LBrace)
    }

    /// The competitors.
    pub fn arms(self) -> impl Iterator<Item = Body<'t>> + 't {
        self.0
            .children_with_tokens()
            .skip_while(|element| element.kind() != SyntaxKind::LBrace)
            .filter_map(SyntaxElement::into_node)
            .filter_map(Body::cast)
    }
}

impl<'t> Selector<'t> {
    /// The field's name.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> Args<'t> {
    /// The arguments.
    pub fn args(self) -> impl Iterator<Item = Arg<'t>> + 't {
        children(self.0)
    }
}

impl<'t> Arg<'t> {
    /// The name before the colon.
    #[must_use]
    pub fn name(self) -> Option<SyntaxToken<'t>> {
        name(self.0)
    }
}

impl<'t> Expr<'t> {
    /// The expression without parentheses around it.
    #[must_use]
    pub fn without_parens(self) -> Self {
        let mut expr = self;
        while let Self::Paren(paren) = expr {
            match paren.inner() {
                Some(inner) => expr = inner,
                None => break,
            }
        }
        expr
    }

    /// The text, if it is one without interpolations.
    #[must_use]
    pub fn constant_text(self) -> Option<String> {
        match self.without_parens() {
            Self::Str(text) => text.constant(),
            _ => None,
        }
    }
}
