//! Where the places of a declaration are when something was written in front of it.
//!
//! A declaration that was not touched keeps everything but its places. Each type is taken apart whole, so a place that
//! the HIR gets cannot be forgotten here: what a line names before the `;` moves, what it names behind it has no place.

use super::{
    Alias, Arg, ArgValue, Arm, Body, BoundRef, Callable, Def, DefKind, EffectRef, Enum, Expr,
    Field, InSession, Local, Param, Pat, PatArg, PromptItem, Record, Stmt, Stub, Test, TestItem,
    Tool, TypeRef, TypeRefKind, Variant,
};
use crate::diagnostics::Span;

/// A move of a text within its file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Move {
    from: Span,
    to: Span,
}

impl Move {
    /// What stood in `from` stands in `to`, which is as long and in the same file.
    pub(crate) fn new(from: Span, to: Span) -> Self {
        Self { from, to }
    }

    /// Whether everything stays where it is.
    pub(crate) fn is_none(&self) -> bool {
        self.from.start == self.to.start
    }

    fn offset(&self, offset: &mut u32) {
        // An offset is within the text that moves, so this never wraps.
        *offset = offset.wrapping_sub(self.from.start).wrapping_add(self.to.start);
    }
}

/// What has places.
pub(crate) trait Moved {
    /// Moves them.
    fn moved(&mut self, by: &Move);
}

impl Moved for Span {
    fn moved(&mut self, by: &Move) {
        // What stands elsewhere, such as the empty place of what is missing, does not move.
        if by.from.contains(*self) {
            by.offset(&mut self.start);
            by.offset(&mut self.end);
        }
    }
}

impl<T: Moved> Moved for Vec<T> {
    fn moved(&mut self, by: &Move) {
        self.iter_mut().for_each(|one| one.moved(by));
    }
}

impl<T: Moved> Moved for Option<T> {
    fn moved(&mut self, by: &Move) {
        self.iter_mut().for_each(|one| one.moved(by));
    }
}

impl<T: Moved> Moved for Box<T> {
    fn moved(&mut self, by: &Move) {
        (**self).moved(by);
    }
}

/// A name or an id, and where it stands.
impl<T> Moved for (T, Span) {
    fn moved(&mut self, by: &Move) {
        self.1.moved(by);
    }
}

/// Two names or ids, and where they stand.
impl<T, U> Moved for (T, U, Span) {
    fn moved(&mut self, by: &Move) {
        self.2.moved(by);
    }
}

macro_rules! moved {
    ($($name:ident { $($moved:ident),*; $($still:ident),* })*) => {$(
        impl Moved for $name {
            fn moved(&mut self, by: &Move) {
                let Self { $($moved,)* $($still: _,)* } = self;
                $($moved.moved(by);)*
            }
        }
    )*};
}

moved! {
    Def { name_span, span, kind; name, module, is_pub, docs }
    Record { fields; type_params }
    Field { span, ty; name, docs, default, wire }
    Enum { variants; type_params }
    Variant { span, fields; name, docs, wire }
    Alias { ty; type_params }
    Callable {
        params, result, does, locator_span, needs, policies, session, items; kind, type_params, has_does, source
    }
    Param { span, ty, stream_span; name, docs, default, stream, local }
    EffectRef { span; kind, resource }
    InSession { span; def, name }
    Tool { path_span, policies, span; target, path }
    Test { policies, items; }
    Stub { path_span, params, span; approve, target, form, path, outcomes }
    Local { span; name, kind, uses }
    Arg { name, value, span; }
    Arm { span; pat, guard, body, indent }
    PatArg { name; pat }
    TypeRef { kind, bounds, span; quals }
    BoundRef { span; name, value }
    Body { expr_spans, pat_spans, exprs, pats, locals; root }
}

impl Moved for DefKind {
    fn moved(&mut self, by: &Move) {
        match self {
            Self::Const { ty } => ty.moved(by),
            Self::Record(record) | Self::Session(record) => record.moved(by),
            Self::Enum(declared) => declared.moved(by),
            Self::Alias(alias) => alias.moved(by),
            Self::Model { needs } => needs.moved(by),
            Self::Callable(callable) => callable.moved(by),
            Self::Test(test) => test.moved(by),
            Self::Secret => {}
        }
    }
}

impl Moved for PromptItem {
    fn moved(&mut self, by: &Move) {
        match self {
            Self::Model { role: _, name: _, policies, span } => {
                policies.moved(by);
                span.moved(by);
            }
            Self::Message { role: _, expr: _, span } => span.moved(by),
            Self::Tools { tools, span } => {
                tools.moved(by);
                span.moved(by);
            }
        }
    }
}

impl Moved for TestItem {
    fn moved(&mut self, by: &Move) {
        match self {
            Self::Stub(stub) => stub.moved(by),
            Self::Expect { expr: _, span } => span.moved(by),
            Self::Stmt(stmt) => stmt.moved(by),
        }
    }
}

impl Moved for Stmt {
    fn moved(&mut self, by: &Move) {
        match self {
            Self::Let { pat: _, ty, value: _, span } => {
                ty.moved(by);
                span.moved(by);
            }
            Self::Expr(_) => {}
        }
    }
}

impl Moved for Expr {
    fn moved(&mut self, by: &Move) {
        match self {
            Self::Call { callee: _, args, piped: _ } | Self::Next(args) => args.moved(by),
            Self::With { expr: _, policies } => policies.moved(by),
            Self::Field { base: _, name: _, name_span, dot, optional: _ } => {
                name_span.moved(by);
                by.offset(dot);
            }
            Self::Session { def: _, name: _, name_span } => name_span.moved(by),
            Self::Match { scrutinee: _, arms } | Self::Catch { body: _, arms } => arms.moved(by),
            Self::Loop { vars, max: _, body: _, otherwise: _ } => {
                vars.iter_mut().for_each(|(_, ty, _)| ty.moved(by));
            }
            Self::Block(stmts) => stmts.moved(by),
            Self::Missing
            | Self::Literal(_)
            | Self::Template(_)
            | Self::Local(_)
            | Self::Def(_)
            | Self::Variant(..)
            | Self::BareVariant { name: _, candidates: _ }
            | Self::Index { base: _, index: _ }
            | Self::Unary(..)
            | Self::Binary(..)
            | Self::In(..)
            | Self::Is(..)
            | Self::Coalesce(..)
            | Self::If { condition: _, then: _, otherwise: _ }
            | Self::For { pat: _, source: _, filter: _, max: _, parallel: _, body: _ }
            | Self::Race { need: _, arms: _ }
            | Self::Undo { body: _, undo: _ }
            | Self::Try(_)
            | Self::Fail(_)
            | Self::Done(_)
            | Self::List(_)
            | Self::Map(_) => {}
        }
    }
}

impl Moved for ArgValue {
    fn moved(&mut self, by: &Move) {
        match self {
            Self::Selector(_, span) | Self::Callable(_, span) => span.moved(by),
            Self::Selectors(all) => all.moved(by),
            Self::Expr(_) | Self::Spread(_) => {}
        }
    }
}

impl Moved for Pat {
    fn moved(&mut self, by: &Move) {
        match self {
            Self::Tag { target: _, args } => args.moved(by),
            Self::Missing
            | Self::Any
            | Self::Bind(_)
            | Self::Literal(_)
            | Self::Range(..)
            | Self::List { items: _, rest: _ }
            | Self::Or(_) => {}
        }
    }
}

impl Moved for TypeRefKind {
    fn moved(&mut self, by: &Move) {
        match self {
            Self::Named(_, args) => args.moved(by),
            Self::List(of) | Self::Optional(of) => of.moved(by),
            Self::Map(key, value) | Self::Selector(key, value) => {
                key.moved(by);
                value.moved(by);
            }
            Self::Missing | Self::Primitive(_) | Self::Param(_) => {}
        }
    }
}
