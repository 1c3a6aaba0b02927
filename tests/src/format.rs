//! What must hold for every text that is formatted, checked from outside: the formatter's own check
//! of its results is not trusted here.

use std::collections::BTreeMap;

use kait_compiler::fmt::{FormatError, format};
use kait_syntax::ast::{Decl, StrExpr};
use kait_syntax::strings::StrPart;
use kait_syntax::{Parse, SyntaxElement, SyntaxKind as K, SyntaxNode};

/// Formats a text and checks the result against it.
///
/// # Errors
/// What does not hold. A text with syntax errors is not formatted; that is no mistake.
pub fn check(text: &str) -> Result<(), String> {
    let before = kait_syntax::parse(text);
    let once = match format(&before) {
        Ok(once) => once,
        Err(FormatError::SyntaxErrors) if before.has_errors() => return Ok(()),
        // The parser should have refused it: the comparison with the grammar will tell.
        Err(_) if kait_grammar::accepts(text).is_err() => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let after = kait_syntax::parse(&once);
    let fail = |what: String| Err(format!("{what}\n--- formatted ---\n{once}"));
    if after.has_errors() {
        return fail(format!("the result has syntax errors: {:?}", after.errors.first()));
    }
    if before.errors.len() < after.errors.len() {
        return fail(format!("the result has new remarks: {:?}", after.errors.last()));
    }
    match format(&after) {
        Ok(twice) if twice == once => {}
        Ok(twice) => return fail(format!("not changed once only; twice:\n{twice}")),
        Err(error) => return fail(format!("the result cannot be formatted: {error}")),
    }
    if let Some(difference) = differ(&before, &after) {
        return fail(difference);
    }
    if !once.is_empty() && (!once.ends_with('\n') || once.ends_with("\n\n")) {
        return fail("the file does not end in one line break".to_owned());
    }
    blanks(&after).map_or(Ok(()), fail)
}

/// How two programs differ in more than their layout.
fn differ(before: &Parse, after: &Parse) -> Option<String> {
    let (before, after) = (Program::of(before), Program::of(after));
    if before.comments != after.comments {
        return Some(format!("comments: {:?} became {:?}", before.comments, after.comments));
    }
    if before.decls.len() != after.decls.len() {
        return Some(format!("{} declarations became {}", before.decls.len(), after.decls.len()));
    }
    let mut pairs = before.decls.iter().zip(&after.decls);
    let (one, other) = pairs.find(|(one, other)| one != other)?;
    let mut words = one.iter().zip(other);
    match words.find(|(one, other)| one != other) {
        Some((one, other)) => Some(format!("{one} became {other}")),
        None => Some(format!("{} words became {}", one.len(), other.len())),
    }
}

/// A program without its layout.
struct Program {
    /// Declarations as words: nodes that open and close, tokens, values of texts. Neighbouring `use`
    /// are sorted.
    decls: Vec<Vec<String>>,
    /// Comments in order. If `use` may have changed places: those on lines with `use` sorted.
    comments: Vec<String>,
}

impl Program {
    fn of(parse: &Parse) -> Self {
        let root = parse.tree.root();
        let mut decls: Vec<(bool, Vec<String>)> = root
            .children()
            .map(|decl| {
                let mut out = Vec::new();
                words(decl, &mut out);
                (decl.kind() == K::Use, out)
            })
            .collect();
        for run in decls.chunk_by_mut(|one, other| one.0 && other.0) {
            run.sort();
        }
        // Comments of `use` may change places with it: they are counted, the others keep their order.
        let mut comments = Vec::new();
        let mut of_uses: BTreeMap<String, usize> = BTreeMap::new();
        let mut in_use = false;
        for element in parse.tree.elements() {
            match element {
                SyntaxElement::Node(node) if node.parent() == Some(root) => {
                    in_use = node.kind() == K::Use;
                }
                SyntaxElement::Token(token) if token.kind().is_comment() => {
                    let text = token.text().trim_end().to_owned();
                    if in_use {
                        *of_uses.entry(text).or_default() += 1;
                    } else {
                        comments.push(text);
                    }
                }
                _ => {}
            }
        }
        comments.extend(of_uses.into_iter().map(|(text, count)| format!("{count} × {text}")));
        Program { decls: decls.into_iter().map(|(_, words)| words).collect(), comments }
    }
}

/// The parser bounds the height of trees, so recursion is safe.
fn words(node: SyntaxNode<'_>, out: &mut Vec<String>) {
    out.push(format!("<{:?}", node.kind()));
    if let Some(text) = StrExpr::cast(node) {
        for part in text.parts() {
            match part {
                StrPart::Text(part) => out.push(format!("{:?}", part.text)),
                StrPart::Interpolation(interpolation) => words(interpolation.syntax(), out),
            }
        }
    } else {
        for child in node.children_with_tokens() {
            match child {
                SyntaxElement::Node(node) => words(node, out),
                SyntaxElement::Token(token) => match token.kind() {
                    K::Comma => {}
                    K::Doc => out.push(token.text().trim_end().to_owned()),
                    kind if kind.is_trivia() => {}
                    _ => out.push(token.text().to_owned()),
                },
            }
        }
    }
    out.push(">".to_owned());
}

/// Blanks at the end of a line, tabs, or two blank lines, outside of texts.
fn blanks(parse: &Parse) -> Option<String> {
    let mut column_zero = true;
    for token in parse.tree.tokens() {
        let text = token.text();
        // Code over several lines in a text is copied.
        if token.parent().ancestors().any(|node| node.kind() == K::Interpolation) {
            continue;
        }
        match token.kind() {
            K::Newline if !text.starts_with('\n') => {
                return Some(format!("blanks before a line break: {text:?}"));
            }
            K::Newline if text.matches('\n').count() > 2 => {
                return Some("two blank lines".to_owned());
            }
            K::Whitespace if text != " " && !column_zero => {
                return Some(format!("blanks: {text:?}"));
            }
            kind if kind.is_comment() && text != text.trim_end() => {
                return Some(format!("blanks behind a comment: {text:?}"));
            }
            _ => {}
        }
        column_zero = token.kind() == K::Newline;
    }
    None
}

/// Whether a text has a declaration that [`check`] would look into.
pub fn is_program(text: &str) -> bool {
    let parse = kait_syntax::parse(text);
    !parse.has_errors() && parse.tree.root().children().any(|node| Decl::cast(node).is_some())
}
