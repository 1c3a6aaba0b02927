//! Nodes whose children stand one behind the other, and who else takes care of the others.

use kait_syntax::SyntaxKind::{self as K};
use kait_syntax::{SyntaxElement, SyntaxNode};

use super::Formatter;

impl<'a> Formatter<'a> {
    /// Writes a node.
    pub(super) fn node(&mut self, node: SyntaxNode<'a>) {
        match node.kind() {
            K::StrExpr => self.string(node),
            K::Args
            | K::Params
            | K::PatArgs
            | K::ListExpr
            | K::MapExpr
            | K::PromptTools
            | K::ListPat => self.list(node),
            K::ParenExpr => self.parens(node),
            K::PipeExpr | K::CoalesceExpr | K::BinaryExpr | K::InExpr | K::IsExpr => {
                self.chain(node, false);
            }
            K::CatchExpr | K::UndoExpr => self.handled(node),
            K::OrPat => self.alternatives(node),
            K::IfExpr => self.if_expr(node),
            K::LoopExpr => self.loop_expr(node),
            K::Fn | K::Graph | K::Prompt => self.callable(node),
            K::Extern => self.extern_decl(node),
            K::Does => self.does(node),
            K::Stub => self.stub(node),
            _ => self.sequence(node),
        }
    }

    /// Writes a node's children one behind the other. Braces become a body.
    pub(super) fn sequence(&mut self, node: SyntaxNode<'a>) {
        let parent = node.kind();
        let mut before: Option<K> = None;
        let mut children = node.children_with_tokens();
        while let Some(child) = children.next() {
            let kind = child.kind();
            if kind.is_trivia() {
                continue;
            }
            if before == Some(K::FatArrow)
                && let SyntaxElement::Node(result) = child
            {
                before = Some(kind);
                self.result(result);
                continue;
            }
            if before.is_some_and(|before| !is_glued(parent, before, kind)) {
                self.doc.space();
            }
            before = Some(kind);
            match child {
                SyntaxElement::Token(brace) if kind == K::LBrace => {
                    self.braces(brace, &mut children);
                }
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(child) => self.part_of(parent, child),
            }
        }
    }

    /// Writes a child; an operator chain in a header is told apart from the body below it.
    pub(super) fn part_of(&mut self, parent: K, child: SyntaxNode<'a>) {
        let in_header = matches!(
            parent,
            K::IfExpr
                | K::MatchExpr
                | K::ForExpr
                | K::LoopExpr
                | K::Guard
                | K::MaxClause
                | K::ParallelClause
        );
        if in_header && super::exprs::is_chain(child.kind()) {
            self.chain(child, true);
        } else {
            self.node(child);
        }
    }
}

/// Whether two neighbouring children of a node stand without a blank between them.
pub(super) fn is_glued(parent: K, before: K, behind: K) -> bool {
    match parent {
        K::Path
        | K::Tag
        | K::NumberPat
        | K::RestPat
        | K::Selector
        | K::Spread
        | K::FieldExpr
        | K::OptFieldExpr
        | K::UidFieldExpr
        | K::CallExpr
        | K::IndexExpr
        | K::NextExpr
        | K::VariantPat
        | K::OptionalType
        | K::NamedType
        | K::Interpolation => true,
        K::UnaryExpr => before == K::Minus,
        K::ListType | K::MapType | K::TypeParams | K::TypeArgs => {
            !matches!(before, K::Comma | K::Colon)
        }
        _ => {
            matches!(behind, K::Comma | K::Colon | K::Params | K::TypeParams | K::PatArgs)
                || (parent == K::Trigger && behind == K::Args)
        }
    }
}
