//! Files, declarations and their headers.

use kait_syntax::SyntaxKind::{self as K};
use kait_syntax::{SyntaxElement, SyntaxNode};

use super::Formatter;
use super::doc::Written;

/// What the next declaration must know about the one before.
#[derive(Clone, Copy)]
struct Before {
    is_use: bool,
    has_lines: bool,
}

impl<'a> Formatter<'a> {
    /// Writes a file to `out`, declaration by declaration: whether there is a blank line between two
    /// depends on how many lines they take.
    pub(super) fn file(&mut self, file: SyntaxNode<'a>, out: &mut String) {
        let decls: Vec<_> = file.children().collect();
        let mut printed = String::new();
        let mut before: Option<Before> = None;
        let mut rest = decls.as_slice();
        while let Some((&decl, behind)) = rest.split_first() {
            let run = if is_sorted(decl) { 1 + self.further_uses(behind) } else { 1 };
            let (run, behind) = rest.split_at(run);
            rest = behind;
            let mut sorted = run.to_vec();
            sorted.sort_by_cached_key(|&decl| use_key(decl));
            let above = self.trivia.first(decl);
            for (i, &decl) in sorted.iter().enumerate() {
                // Comments before the first one stay above all; the others have none.
                self.doc.clear();
                if i == 0 {
                    self.next_comment = self.trivia.own_line(above).start;
                    self.comments_and_blanks(above, true);
                }
                self.next_comment = self.trivia.own_line(self.trivia.first(decl)).end;
                self.doc.code_start();
                self.node(decl);
                printed.clear();
                let code_start = self.doc.print(&mut printed).code_start;
                let now = Before {
                    is_use: decl.kind() == K::Use,
                    has_lines: printed.get(code_start..).is_some_and(|code| code.contains('\n')),
                };
                if let Some(before) = before {
                    out.push('\n');
                    if before.has_lines
                        || now.has_lines
                        || (before.is_use && !now.is_use)
                        || (i == 0 && self.trivia.breaks(above) > 1)
                    {
                        out.push('\n');
                    }
                }
                out.push_str(&printed);
                before = Some(now);
            }
        }
        self.end_of_file(before, out);
        if !out.is_empty() {
            out.push('\n');
        }
    }

    /// Comments behind the last declaration.
    fn end_of_file(&mut self, before: Option<Before>, out: &mut String) {
        let end = self.trivia.end();
        let comments = self.trivia.own_line(end);
        if comments.is_empty() {
            return;
        }
        if let Some(before) = before {
            out.push('\n');
            if before.has_lines || before.is_use || self.trivia.breaks(end) > 1 {
                out.push('\n');
            }
        }
        self.next_comment = comments.start;
        self.doc.clear();
        for (i, number) in comments.enumerate() {
            let Some(comment) = self.trivia.comment_at(number) else { continue };
            if i > 0 && comment.breaks > 1 {
                self.doc.blank();
            }
            self.doc.own_line_comment(comment.text);
        }
        self.doc.print(out);
    }

    /// How many `use` follow without a blank line or a comment of its own line between.
    fn further_uses(&self, decls: &[SyntaxNode<'a>]) -> usize {
        decls
            .iter()
            .take_while(|decl| {
                let first = self.trivia.first(**decl);
                decl.kind() == K::Use
                    && self.trivia.breaks(first) <= 1
                    && !self.trivia.has_own_line(first)
            })
            .count()
    }

    /// A header with parameters, clauses and a body.
    pub(super) fn callable(&mut self, node: SyntaxNode<'a>) {
        let mut before: Option<K> = None;
        let mut in_signature = false;
        let mut children = node.children_with_tokens();
        while let Some(child) = children.next() {
            let kind = child.kind();
            if kind.is_trivia() {
                continue;
            }
            if before.is_some_and(|before| !super::nodes::is_glued(node.kind(), before, kind)) {
                self.doc.space();
            }
            before = Some(kind);
            match child {
                SyntaxElement::Token(brace) if kind == K::LBrace => {
                    self.braces(brace, &mut children);
                }
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(child) => self.header_part(child, &mut in_signature),
            }
        }
        if in_signature {
            self.doc.close();
        }
    }

    /// Writes a part of a header. Parameters and the type of the result form one group, so that a long
    /// signature breaks at its parameters.
    fn header_part(&mut self, child: SyntaxNode<'a>, in_signature: &mut bool) {
        if child.kind() == K::Params {
            self.open(child, self.written_list(child));
            self.list_in_group(child);
            *in_signature = true;
            return;
        }
        self.node(child);
        if *in_signature {
            self.doc.close();
            *in_signature = false;
        }
    }

    /// An extern: its clauses stand on lines of their own if one was written so.
    pub(super) fn extern_decl(&mut self, node: SyntaxNode<'a>) {
        let is_clause = |kind| matches!(kind, K::Does | K::Needs | K::Policies | K::From);
        let broken = node.children().any(|child| {
            is_clause(child.kind()) && self.trivia.breaks(self.trivia.first(child)) > 0
        });
        self.open(node, Written::broken_if(broken));
        let mut before: Option<K> = None;
        let mut in_signature = false;
        let mut clauses = 0usize;
        for child in node.children_with_tokens() {
            let kind = child.kind();
            if kind.is_trivia() {
                continue;
            }
            if is_clause(kind) {
                if clauses == 0 {
                    self.doc.indent();
                }
                clauses += 1;
                self.doc.line();
            } else if before.is_some_and(|before| !super::nodes::is_glued(K::Extern, before, kind))
            {
                self.doc.space();
            }
            before = Some(kind);
            match child {
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(child) => self.header_part(child, &mut in_signature),
            }
        }
        if in_signature {
            self.doc.close();
        }
        if clauses > 0 {
            self.doc.dedent();
        }
        self.doc.close();
    }

    /// `does effect, effect`
    pub(super) fn does(&mut self, node: SyntaxNode<'a>) {
        self.open(node, Written::loose_if(self.is_loose(node)));
        let mut effects = 0usize;
        for child in node.children_with_tokens() {
            match child {
                SyntaxElement::Token(token) if token.kind().is_trivia() => {}
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(effect) => {
                    if effects == 0 {
                        self.doc.space();
                        self.doc.indent();
                        self.doc.indent();
                    } else {
                        self.doc.line();
                    }
                    effects += 1;
                    self.node(effect);
                }
            }
        }
        if effects > 0 {
            self.doc.dedent();
            self.doc.dedent();
        }
        self.doc.close();
    }

    /// `stub path(patterns) => outcome then outcome`
    pub(super) fn stub(&mut self, node: SyntaxNode<'a>) {
        let breaks = |child: SyntaxElement<'a>| self.trivia.breaks(self.first_of(child)) > 0;
        let mut words = node.children_with_tokens().filter(|child| child.kind() == K::ThenKw);
        self.open(node, Written::loose_if(words.any(breaks)));
        let mut before: Option<K> = None;
        let mut further = 0usize;
        for child in node.children_with_tokens() {
            let kind = child.kind();
            if kind.is_trivia() {
                continue;
            }
            if before == Some(K::FatArrow)
                && let SyntaxElement::Node(outcome) = child
            {
                before = Some(kind);
                self.result(outcome);
                continue;
            }
            if kind == K::ThenKw {
                if further == 0 {
                    self.doc.indent();
                }
                further += 1;
                self.doc.line();
            } else if before.is_some_and(|before| !super::nodes::is_glued(K::Stub, before, kind)) {
                self.doc.space();
            }
            before = Some(kind);
            match child {
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(child) => self.node(child),
            }
        }
        if further > 0 {
            self.doc.dedent();
        }
        self.doc.close();
    }
}

/// Whether a declaration may change places with those behind it: its documentation would stay behind.
fn is_sorted(decl: SyntaxNode<'_>) -> bool {
    decl.kind() == K::Use && decl.first_token(K::Doc).is_none()
}

/// What `use` is sorted by: its path, its alias; nothing for other declarations.
fn use_key(decl: SyntaxNode<'_>) -> Vec<&str> {
    if decl.kind() != K::Use {
        return Vec::new();
    }
    decl.descendant_tokens()
        .filter(|token| matches!(token.kind(), K::Lid | K::Uid))
        .map(|token| token.text())
        .collect()
}
