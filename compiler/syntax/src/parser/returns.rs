//! Whether a `return` stands where the value of its function is: there the word alone goes. Elsewhere it leaves the
//! function early, which the lines below it have to say.

use text_size::{TextRange, TextSize};

use crate::codes::Code;
use crate::errors::{Edit, Fix};
use crate::tree::SyntaxNode;
use crate::{Parse, SyntaxError, SyntaxKind as K, SyntaxTree};

/// Corrects the fixes of all `return`s, once the tree shows where they stand.
pub(super) fn place(parse: &mut Parse) {
    let Parse { tree, errors } = parse;
    for error in errors.iter_mut().filter(|error| error.code == Code::Return) {
        let is_word =
            tree.text().get(std::ops::Range::<usize>::from(error.range)) == Some("return");
        let removes = error.fix.as_ref().is_some_and(|fix| fix.edits.len() == 1);
        if is_word && removes {
            correct(tree, error);
        }
    }
}

fn correct(tree: &SyntaxTree, error: &mut SyntaxError) {
    let mut child = tree.covering_node(error.range);
    let mut early = None;
    // The word is a node of its own, and behind it stands its value.
    let mut value = 1;
    if child.range() != error.range {
        return;
    }
    while let Some(parent) = child.parent() {
        let behind = parent.children().filter(|node| node.range().start() >= child.range().end());
        match parent.kind() {
            K::Block => {
                if behind.count() > value {
                    early = early.or(Some((parent, child)));
                    break;
                }
                value = 0;
            }
            K::IfExpr | K::MatchExpr | K::Arms | K::Arm | K::CatchExpr => value = 0,
            K::Fn | K::Graph => return,
            // As the start of an expression, the word is in the node of its value.
            _ if child.range() == error.range && value == 1 => value = 0,
            // A `return` there would end more than the form around it.
            _ => {
                early = None;
                break;
            }
        }
        child = parent;
    }
    error.understood = false;
    let Some(removed) = error.fix.as_ref().and_then(|fix| fix.edits.first().cloned()) else {
        return;
    };
    error.help = Some("put what follows into the `else` of the `if`".into());
    match early.and_then(|(block, choice)| rest_as_else(tree.text(), block, choice)) {
        Some(edits) => {
            let edits = std::iter::once(removed).chain(edits).collect();
            error.fix = Some(Fix { title: "put the rest into `else`".into(), edits, safe: true });
        }
        None => error.fix = error.fix.take().map(|fix| Fix { safe: false, ..fix }),
    }
}

/// The edits that put the statements behind an `if` without `else` into one. The block has to be a function's.
fn rest_as_else(text: &str, block: SyntaxNode<'_>, choice: SyntaxNode<'_>) -> Option<[Edit; 2]> {
    let is_body = matches!(block.parent()?.kind(), K::Fn | K::Graph);
    let blocks = choice.children().filter(|node| matches!(node.kind(), K::Block | K::IfExpr));
    if choice.kind() != K::IfExpr || !is_body || blocks.count() != 1 {
        return None;
    }
    let close = block.range().end() - TextSize::from(1);
    let before = text.get(usize::from(choice.range().end())..usize::from(close))?;
    let line =
        before.rsplit_once('\n').map(|(_, indent)| indent).filter(|line| line.trim().is_empty());
    let end = if line.is_some() { "}\n" } else { "} " };
    Some([
        Edit { range: TextRange::empty(choice.range().end()), text: " else {".into() },
        Edit { range: TextRange::empty(close), text: end.into() },
    ])
}
