//! What can be folded: bodies and brackets over several lines, comments, documentation, imports.

use kait_compiler::diagnostics::{FileId, Span};
use kait_syntax::{SyntaxElement, SyntaxKind};

use crate::Analysis;
use crate::analysis::span_of;

/// Lines that can be folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// From where to where; both ends on different lines.
    pub span: Span,
    /// What is there.
    pub kind: FoldKind,
}

/// What can be folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FoldKind {
    /// Code between brackets.
    Region,
    /// Comments and documentation.
    Comment,
    /// Imports.
    Imports,
}

impl Analysis {
    /// Everything that can be folded in a file, in the order of the text.
    #[must_use]
    pub fn folds(&self, file: FileId) -> Vec<Fold> {
        let (Some(tree), Some(source)) = (self.tree(file), self.source(file)) else {
            return Vec::new();
        };
        let line = |offset: u32| source.lines.line_col(offset.into()).line;
        let mut folds = Vec::new();
        let mut open: Vec<(SyntaxKind, u32)> = Vec::new();
        let mut run: Option<(FoldKind, Span)> = None;
        let finish = |run: &mut Option<(FoldKind, Span)>, folds: &mut Vec<Fold>| {
            if let Some((kind, span)) = run.take()
                && line(span.start) < line(span.end)
            {
                folds.push(Fold { span, kind });
            }
        };
        for token in tree.tokens() {
            let kind = token.kind();
            let span = span_of(file, token.range());
            if let Some(closing) = kind.closing() {
                open.push((closing, span.start));
            } else if open.last().is_some_and(|(closing, _)| *closing == kind)
                && let Some((_, start)) = open.pop()
                && line(start) < line(span.start)
            {
                folds.push(Fold { span: Span::new(file, start, span.end), kind: FoldKind::Region });
            }
            match kind {
                SyntaxKind::Whitespace => {}
                // A blank line ends a run.
                SyntaxKind::Newline if token.text().matches('\n').count() < 2 => {}
                _ if kind.is_comment() => match &mut run {
                    Some((FoldKind::Comment, known)) => known.end = span.end,
                    _ => {
                        finish(&mut run, &mut folds);
                        run = Some((FoldKind::Comment, span));
                    }
                },
                _ => finish(&mut run, &mut folds),
            }
        }
        finish(&mut run, &mut folds);
        let mut imports: Option<Span> = None;
        for element in tree.root().children_with_tokens() {
            match element {
                SyntaxElement::Node(node) if node.kind() == SyntaxKind::Use => {
                    let span = span_of(file, node.range());
                    imports = Some(imports.map_or(span, |known| known.to(span)));
                }
                SyntaxElement::Token(token) if token.kind().is_trivia() => {}
                _ => break,
            }
        }
        if let Some(span) = imports.filter(|span| line(span.start) < line(span.end)) {
            folds.push(Fold { span, kind: FoldKind::Imports });
        }
        folds.sort_unstable_by_key(|fold| (fold.span.start, fold.span.end));
        folds
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::snapshot;

    #[test]
    fn folding() {
        snapshot(
            "folding",
            &[
                (
                    "bodies, lists, comments and imports",
                    "use b\nuse c\n\n// One\n// two.\n\n// Three.\nfn f() -> [int] {\n  [\n    1,\n    2,\n  ]\n}\n\n/// Docs\n/// of g.\nfn g() -> int { 1 }\n",
                ),
                (
                    "brackets that are not closed",
                    "fn f() -> int {\n  g(1,\n\nfn g(n: int) -> int {\n  n\n}\n",
                ),
            ],
            |analysis, file, _| {
                let source = analysis.source(file).unwrap();
                let line = |offset: u32| source.lines.line_col(offset.into()).line + 1;
                let folds = analysis.folds(file);
                folds
                    .iter()
                    .map(|fold| {
                        format!(
                            "{}-{} {:?}\n",
                            line(fold.span.start),
                            line(fold.span.end),
                            fold.kind
                        )
                    })
                    .collect()
            },
        );
    }
}
