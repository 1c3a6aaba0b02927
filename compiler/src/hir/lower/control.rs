//! Blocks and the forms that decide what runs: `if`, `match`, `for`, `loop`, `race`, `catch`, `undo`.

use kait_syntax::ast;

use super::{Lowerer, list_for};
use crate::diagnostics::{Code, Diagnostic, Span};
use crate::hir::{Arm, Expr, ExprId, Literal, LocalId, LocalKind, Pat, Stmt};

impl<'a> Lowerer<'a> {
    pub(super) fn opt_block(&mut self, block: Option<ast::Block<'a>>, place: Span) -> ExprId {
        match block {
            Some(block) => self.block(block),
            None => self.missing(place),
        }
    }

    /// A block in a scope of its own.
    pub(super) fn block(&mut self, block: ast::Block<'a>) -> ExprId {
        let span = self.span(block.range());
        let mark = self.locals.mark();
        let mut stmts = list_for(Some(block));
        for stmt in block.stmts() {
            stmts.push(match stmt {
                ast::Stmt::Let(stmt) => self.let_stmt(stmt),
                ast::Stmt::Expr(expr) => Stmt::Expr(self.expr(expr)),
            });
        }
        self.locals.leave(mark);
        self.alloc(Expr::Block(stmts), span)
    }

    pub(super) fn let_stmt(&mut self, stmt: ast::Let<'a>) -> Stmt {
        let span = self.span(stmt.range());
        let ty = self.annotation(stmt.ty());
        if let Some(ast::Expr::Undo(undo)) = stmt.value() {
            // The compensation may use the name, so the name is bound in between.
            let mut pat = None;
            let value = self.undo(
                undo,
                Some(&mut |lowerer: &mut Self| {
                    pat = Some(lowerer.opt_pattern(stmt.binder(), span, LocalKind::Let));
                }),
            );
            let pat = pat.unwrap_or_else(|| self.alloc_pat(Pat::Missing, span));
            return Stmt::Let { pat, ty, value, span };
        }
        let value = self.opt_expr(stmt.value(), span);
        let pat = self.opt_pattern(stmt.binder(), span, LocalKind::Let);
        Stmt::Let { pat, ty, value, span }
    }

    pub(super) fn body_expr(&mut self, body: Option<ast::Body<'a>>, place: Span) -> ExprId {
        match body {
            Some(ast::Body::Expr(expr)) => self.expr(expr),
            Some(ast::Body::Block(block)) => self.block(block),
            None => self.missing(place),
        }
    }

    pub(super) fn if_expr(&mut self, expr: ast::IfExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let condition = self.opt_expr(expr.condition(), span);
        let then = self.opt_block(expr.then_block(), span);
        let otherwise = expr.else_branch().map(|branch| match branch {
            ast::Else::If(expr) => self.if_expr(expr),
            ast::Else::Block(block) => self.block(block),
        });
        self.alloc(Expr::If { condition, then, otherwise }, span)
    }

    pub(super) fn match_expr(&mut self, expr: ast::MatchExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let scrutinee = self.opt_expr(expr.scrutinee(), span);
        let arms = self.arms(expr.arms());
        self.alloc(Expr::Match { scrutinee, arms }, span)
    }

    fn arms(&mut self, arms: Option<ast::Arms<'a>>) -> Vec<Arm> {
        let mut lowered = list_for(arms);
        lowered.extend(arms.into_iter().flat_map(ast::Arms::arms).map(|arm| self.arm(arm)));
        lowered
    }

    fn arm(&mut self, arm: ast::Arm<'a>) -> Arm {
        let span = self.span(arm.range());
        let mark = self.locals.mark();
        let pat = self.opt_pattern(arm.pattern(), span, LocalKind::Pattern);
        let guard = arm.guard().map(|guard| self.expr(guard));
        let body = self.body_expr(arm.body(), span);
        self.locals.leave(mark);
        Arm { pat, guard, body, span, indent: self.indent(span) }
    }

    /// The spaces before a place that begins its line.
    fn indent(&self, span: Span) -> Option<u32> {
        let text = self.files.get(self.file)?.text();
        let before = text.get(..span.start as usize)?;
        let line = before.trim_end_matches(' ');
        (line.is_empty() || line.ends_with('\n'))
            .then(|| u32::try_from(before.len() - line.len()).ok())?
    }

    pub(super) fn for_expr(&mut self, expr: ast::ForExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let source = self.opt_expr(expr.list(), span);
        let max = expr.max().map(|max| self.expr(max));
        let parallel = expr.parallel().map(|parallel| self.expr(parallel));
        let mark = self.locals.mark();
        let pat = self.opt_pattern(expr.pattern(), span, LocalKind::Pattern);
        let filter = expr.guard().map(|guard| self.expr(guard));
        let body = self.opt_block(expr.body(), span);
        self.locals.leave(mark);
        self.alloc(Expr::For { pat, source, filter, max, parallel, body }, span)
    }

    pub(super) fn loop_expr(&mut self, expr: ast::LoopExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        // First values are computed outside of the loop: they do not see the state.
        let mut starts = Vec::new();
        for var in expr.vars() {
            let place = self.span(var.range());
            let ty = self.annotation(var.ty());
            let start = self.opt_expr(var.init(), place);
            starts.push((var.name().map(|name| self.token(name)), ty, start, place));
        }
        let max = self.opt_expr(expr.max(), span);
        let mark = self.locals.mark();
        let mut vars: Vec<(LocalId, _, ExprId)> = Vec::new();
        for (name, ty, start, place) in starts {
            let local = match name {
                Some((name, place)) => self.bind(name, place, LocalKind::LoopVar),
                None => self.alloc_local("_".into(), place, LocalKind::LoopVar),
            };
            vars.push((local, ty, start));
        }
        self.loops += 1;
        let body = self.opt_block(expr.body(), span);
        self.loops -= 1;
        let otherwise = self.opt_block(expr.else_block(), span);
        self.locals.leave(mark);
        self.alloc(Expr::Loop { vars, max, body, otherwise }, span)
    }

    pub(super) fn done(&mut self, expr: ast::DoneExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let value = self.opt_expr(expr.value(), span);
        if self.outside_loop("done", span) {
            return self.missing(span);
        }
        self.alloc(Expr::Done(value), span)
    }

    pub(super) fn next(&mut self, expr: ast::NextExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let args = self.args(expr.args());
        if self.outside_loop("next", span) {
            return self.missing(span);
        }
        self.alloc(Expr::Next(args), span)
    }

    fn outside_loop(&mut self, word: &str, span: Span) -> bool {
        if self.loops > 0 {
            return false;
        }
        if self.in_undo {
            self.report(
                Diagnostic::new(
                    Code::UndoLeaves,
                    span,
                    format!("`{word}` cannot leave the block of an `undo`"),
                )
                .here("it would leave the block")
                .help("use a loop inside the block: those around it are over when the block runs"),
            );
            return true;
        }
        let help = match word {
            "done" => {
                "write the value on the last line of the block; to stop with a failure, use `fail`"
            }
            _ => "leave it out in a `for`, which goes on to the next item by itself",
        };
        self.report(
            Diagnostic::new(
                Code::OutsideLoop,
                span,
                format!("`{word}` can only be used inside a `loop`"),
            )
            .here("not inside a `loop`")
            .help(help),
        );
        true
    }

    pub(super) fn race(&mut self, expr: ast::RaceExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let need = expr.count().and_then(|count| {
            let place = self.span(count.range());
            let text = count.token()?.text();
            match self.number(text, false, place)? {
                Literal::Int(count) if (1..=i64::from(u32::MAX)).contains(&count) => {
                    u32::try_from(count).ok()
                }
                _ => {
                    self.report(
                        Diagnostic::new(
                            Code::OtherLiteral,
                            place,
                            "the number after `race` must be a whole number, 1 or more",
                        )
                        .help("write how many arms must succeed, such as `race 2 { … }`"),
                    );
                    // What it gives depends on the count that was meant.
                    Some(0)
                }
            }
        });
        let mut arms = list_for(Some(expr));
        arms.extend(expr.arms().map(|arm| self.body_expr(Some(arm), span)));
        self.alloc(Expr::Race { need, arms }, span)
    }

    pub(super) fn catch(&mut self, expr: ast::CatchExpr<'a>) -> ExprId {
        let span = self.span(expr.range());
        let body = self.opt_expr(expr.operand(), span);
        let arms = self.arms(expr.arms());
        self.alloc(Expr::Catch { body, arms }, span)
    }

    /// `e undo { … }`; `bind` binds the name of the `let` around it, once `e` is lowered.
    pub(super) fn undo(
        &mut self,
        expr: ast::UndoExpr<'a>,
        bind: Option<&mut dyn FnMut(&mut Self)>,
    ) -> ExprId {
        let span = self.span(expr.range());
        let body = self.opt_expr(expr.operand(), span);
        if let Some(bind) = bind {
            bind(self);
        }
        // It runs when the loops around it are over.
        let loops = std::mem::take(&mut self.loops);
        let outer = std::mem::replace(&mut self.in_undo, true);
        let undo = self.opt_block(expr.block(), span);
        self.loops = loops;
        self.in_undo = outer;
        self.alloc(Expr::Undo { body, undo }, span)
    }
}
