//! Expressions whose lines belong together: operator chains, handlers, `if` and `loop`.

use kait_syntax::SyntaxKind::{self as K};
use kait_syntax::{SyntaxElement, SyntaxNode, SyntaxToken};

use super::Formatter;
use super::doc::Written;

/// A link of a chain: an operator and what stands behind it.
struct Link<'a> {
    operator: SyntaxToken<'a>,
    operand: Option<SyntaxNode<'a>>,
}

impl<'a> Formatter<'a> {
    /// Writes operands and operators of one level: `a + b - c`, `x |> f() |> g()`. Handlers around it
    /// (`catch`, `undo`) are its last links. In a header the links are indented twice, to stand out
    /// from the body.
    pub(super) fn chain(&mut self, node: SyntaxNode<'a>, in_header: bool) {
        let mut links: Vec<Link<'a>> = Vec::new();
        // Down the left side; links are met from the last to the first.
        let mut first = node;
        while let Some((left, link)) = split(first) {
            let level = level(first.kind(), Some(link.operator.kind()));
            links.push(link);
            let next = operator(left).map(|op| self::level(left.kind(), Some(op.kind())));
            first = left;
            let is_handled = level == Level::Handler && next.is_some();
            if !is_handled && next != Some(level) {
                break;
            }
        }
        let links = links.into_iter().rev().flat_map(unfold).collect::<Vec<_>>();
        if let [link] = links.as_slice()
            && let Some(list) = link.operand
            && self.stays_at_list(link)
        {
            self.node(first);
            self.doc.space();
            self.token(link.operator);
            self.doc.space();
            return self.node(list);
        }
        let piped_down = links.iter().any(|link| {
            link.operator.kind() == K::BarGt
                && self.trivia.breaks(self.trivia.number(link.operator)) > 0
        });
        let is_loose = |link: &Link<'a>| {
            let operand = link.operand.map(|operand| self.trivia.first(operand));
            [Some(self.trivia.number(link.operator)), operand]
                .into_iter()
                .flatten()
                .any(|token| self.trivia.breaks(token) > 0)
        };
        let written = if piped_down {
            Written::Broken
        } else {
            Written::loose_if(links.iter().any(is_loose))
        };
        self.open(node, written);
        self.node(first);
        let levels = if in_header { 2 } else { 1 };
        for _ in 0..levels {
            self.doc.indent();
        }
        for link in links {
            self.doc.line();
            self.token(link.operator);
            self.doc.space();
            if let Some(operand) = link.operand {
                self.node(operand);
            }
        }
        for _ in 0..levels {
            self.doc.dedent();
        }
        self.doc.close();
    }

    /// Writes what stands behind `=>`. A text cannot be broken, so it gets a line if it does not fit.
    pub(super) fn result(&mut self, node: SyntaxNode<'a>) {
        let text = if node.kind() == K::Outcome { node.children().next() } else { Some(node) };
        if !text.is_some_and(|text| text.kind() == K::StrExpr && !text.text().contains('\n')) {
            self.doc.space();
            return self.node(node);
        }
        let written = if self.doc.comment_waits() {
            Written::Broken
        } else {
            Written::loose_if(self.trivia.breaks(self.trivia.first(node)) > 0)
        };
        self.doc.open(written);
        self.doc.indent();
        self.doc.line();
        self.node(node);
        self.doc.dedent();
        self.doc.close();
    }

    /// Whether a single operator is followed by a list, which can break instead of the line: `x in [`.
    fn stays_at_list(&self, link: &Link<'a>) -> bool {
        let Some(list) = link.operand else { return false };
        let operator = self.trivia.number(link.operator);
        matches!(list.kind(), K::ListExpr | K::MapExpr)
            && list.children().next().is_some()
            && !self.trivia.has_own_line(operator)
            && self.trivia.trailing(self.trivia.before(operator)).is_none()
    }

    /// `expr catch { }` and `expr undo { }`.
    pub(super) fn handled(&mut self, node: SyntaxNode<'a>) {
        let mut operand = node;
        while matches!(operand.kind(), K::CatchExpr | K::UndoExpr) {
            let Some(inner) = operand.children().next() else { break };
            operand = inner;
        }
        if is_chain(operand.kind()) {
            return self.chain(node, false);
        }
        let Some((left, link)) = split(node) else { return self.sequence(node) };
        self.node(left);
        self.space_or_line(link.operator);
        self.token(link.operator);
        self.doc.space();
        if let Some(body) = link.operand {
            self.node(body);
        }
    }

    /// `A | B`
    pub(super) fn alternatives(&mut self, node: SyntaxNode<'a>) {
        self.open(node, Written::loose_if(self.is_loose(node)));
        let mut is_first = true;
        for child in node.children_with_tokens() {
            match child {
                SyntaxElement::Token(token) if token.kind().is_trivia() => {}
                SyntaxElement::Token(bar) => {
                    if is_first {
                        is_first = false;
                        self.doc.indent();
                    }
                    self.doc.line();
                    self.token(bar);
                    self.doc.space();
                }
                SyntaxElement::Node(pattern) => self.node(pattern),
            }
        }
        if !is_first {
            self.doc.dedent();
        }
        self.doc.close();
    }

    /// `if c { } else if d { } else { }`: one group, so that the branches look alike.
    pub(super) fn if_expr(&mut self, node: SyntaxNode<'a>) {
        self.open(node, Written::broken_if(self.has_broken_branch(node)));
        let mut next = Some(node);
        while let Some(part) = next.take() {
            next = self.branches(part);
        }
        self.doc.close();
    }

    /// `loop ... { } else { }`
    pub(super) fn loop_expr(&mut self, node: SyntaxNode<'a>) {
        self.open(node, Written::broken_if(self.has_broken_branch(node)));
        self.branches(node);
        self.doc.close();
    }

    /// Whether a block of an `if` or `loop`, or of an `if` behind its `else`, was written over several
    /// lines.
    fn has_broken_branch(&self, node: SyntaxNode<'a>) -> bool {
        let mut next = Some(node);
        while let Some(part) = next.take() {
            for child in part.children() {
                match child.kind() {
                    K::Block => {
                        let mut children = child.children_with_tokens();
                        children.by_ref().find(|child| child.kind() == K::LBrace);
                        if self.is_written_broken(children) {
                            return true;
                        }
                    }
                    K::IfExpr if part.kind() == K::IfExpr => next = Some(child),
                    _ => {}
                }
            }
        }
        false
    }

    /// Writes an `if` or `loop` in the group that is open, up to an `if` behind `else`, which is given
    /// back.
    fn branches(&mut self, node: SyntaxNode<'a>) -> Option<SyntaxNode<'a>> {
        let mut before: Option<K> = None;
        let mut vars = 0usize;
        for child in node.children_with_tokens() {
            let kind = child.kind();
            if kind.is_trivia() {
                continue;
            }
            match child {
                SyntaxElement::Token(token) if kind == K::ElseKw => {
                    self.space_or_line(token);
                    self.token(token);
                }
                SyntaxElement::Token(token) => {
                    if before.is_some() && kind != K::Comma {
                        self.doc.space();
                    }
                    self.token(token);
                }
                SyntaxElement::Node(block) if kind == K::Block => {
                    self.doc.space();
                    self.branch(block);
                }
                SyntaxElement::Node(other) if kind == K::IfExpr && before == Some(K::ElseKw) => {
                    self.doc.space();
                    return Some(other);
                }
                SyntaxElement::Node(var) if kind == K::LoopVar => {
                    // Further variables begin lines if they do not fit, indented like operators.
                    if vars == 0 {
                        self.doc.space();
                        self.doc.open(Written::loose_if(self.has_loose_values(node)));
                        self.doc.indent();
                        self.doc.indent();
                    } else {
                        self.doc.line();
                    }
                    vars += 1;
                    self.node(var);
                }
                SyntaxElement::Node(max) if kind == K::MaxClause && vars > 0 => {
                    self.doc.line();
                    self.node(max);
                    self.doc.dedent();
                    self.doc.dedent();
                    self.doc.close();
                }
                SyntaxElement::Node(other) => {
                    self.doc.space();
                    self.part_of(node.kind(), other);
                }
            }
            before = Some(kind);
        }
        None
    }

    /// Whether a line break stands before a value of a `loop` or its `max`.
    fn has_loose_values(&self, node: SyntaxNode<'a>) -> bool {
        node.children_with_tokens()
            .filter(|child| matches!(child.kind(), K::LoopVar | K::Comma | K::MaxClause))
            .any(|child| self.trivia.breaks(self.first_of(child)) > 0)
    }

    fn branch(&mut self, block: SyntaxNode<'a>) {
        let mut children = block.children_with_tokens();
        while let Some(child) = children.next() {
            if let SyntaxElement::Token(token) = child
                && token.kind() == K::LBrace
            {
                self.braces_in_group(token, &mut children);
            }
        }
    }
}

/// `??` nests to the right: `?? (b ?? c)` is two links.
fn unfold(link: Link<'_>) -> impl Iterator<Item = Link<'_>> {
    let mut rest = Some(link);
    std::iter::from_fn(move || {
        let Link { operator, operand } = rest.take()?;
        let nested = operand.filter(|operand| {
            operator.kind() == K::QuestionQuestion && operand.kind() == K::CoalesceExpr
        });
        match nested.and_then(split) {
            Some((left, further)) => {
                rest = Some(further);
                Some(Link { operator, operand: Some(left) })
            }
            None => Some(Link { operator, operand }),
        }
    })
}

/// Whether a node is operands and operators in one line.
pub(super) fn is_chain(kind: K) -> bool {
    matches!(kind, K::PipeExpr | K::CoalesceExpr | K::BinaryExpr | K::InExpr | K::IsExpr)
}

/// Operators of one level form one chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Handler,
    Pipe,
    Coalesce,
    Or,
    And,
    Comparison,
    Sum,
    Product,
}

fn level(node: K, operator: Option<K>) -> Level {
    match (node, operator) {
        (K::CatchExpr | K::UndoExpr, _) => Level::Handler,
        (K::PipeExpr, _) => Level::Pipe,
        (K::CoalesceExpr, _) => Level::Coalesce,
        (_, Some(K::OrKw)) => Level::Or,
        (_, Some(K::AndKw)) => Level::And,
        (_, Some(K::Plus | K::Minus)) => Level::Sum,
        (_, Some(K::Star | K::Slash | K::Percent)) => Level::Product,
        _ => Level::Comparison,
    }
}

/// The operator of a chain or handler.
fn operator(node: SyntaxNode<'_>) -> Option<SyntaxToken<'_>> {
    (is_chain(node.kind()) || matches!(node.kind(), K::CatchExpr | K::UndoExpr))
        .then(|| node.tokens().next())
        .flatten()
}

/// The left operand of a chain or handler, and its last link.
fn split<'a>(node: SyntaxNode<'a>) -> Option<(SyntaxNode<'a>, Link<'a>)> {
    let operator = operator(node)?;
    let mut children = node.children();
    let left = children.next()?;
    Some((left, Link { operator, operand: children.next() }))
}
