//! Parsing a text of which most was parsed before.
//!
//! Between declarations the parser knows nothing of what stands before: each is read from its own tokens, and from the
//! two behind it. So of a text without mistakes only those declarations are read that an edit touches, with one more on
//! either side, which must come out as they were; the others are copied. As soon as anything is wrong with what is read,
//! the whole text is parsed: what a mistake means depends on all of it.
//!
//! The result is always that of parsing the whole text.

use std::sync::Arc;

use crate::limits::MAX_FILE_BYTES;
use crate::tree::ElementData;
use crate::{Parse, SyntaxNode, SyntaxTree, parse, parse_shared};

/// Parses a text; `before` is the tree of a similar text in which [`parse`] found no mistake, not even a warning.
#[must_use]
pub fn parse_edited(before: &SyntaxTree, text: Arc<str>) -> Parse {
    match spliced(before, &text) {
        Some(elements) => Parse { tree: SyntaxTree::new(text, elements), errors: Vec::new() },
        None => parse_shared(text),
    }
}

/// The elements of the whole tree, if a part of the old one can be taken over.
fn spliced(before: &SyntaxTree, text: &str) -> Option<Vec<ElementData>> {
    let old = before.text();
    if text.len() > MAX_FILE_BYTES {
        return None;
    }
    let (a, b) = (old.as_bytes(), text.as_bytes());
    let head = common(a.chunks(BLOCK).zip(b.chunks(BLOCK)), a.iter().zip(b));
    let (a, b) = (a.get(head..)?, b.get(head..)?);
    let tail = common(a.rchunks(BLOCK).zip(b.rchunks(BLOCK)), a.iter().rev().zip(b.iter().rev()));
    let changed_end = old.len() - tail;
    let declarations: Vec<SyntaxNode<'_>> = before.root().children().collect();
    // One that an edit touches at its end may go on there, and one that it touches at its start may begin earlier.
    let untouched = declarations.partition_point(|node| usize::from(node.range().end()) < head);
    let margin = untouched.checked_sub(1).and_then(|last| declarations.get(last)).copied();
    let touched =
        declarations.partition_point(|node| usize::from(node.range().start()) <= changed_end);
    let margin_behind = declarations.get(touched).copied();
    let behind = declarations.get(touched + 1).copied();

    let moved = |offset: usize| offset + text.len() - old.len();
    let from = margin.map_or(0, |node| usize::from(node.range().start()));
    let to = behind.map_or(text.len(), |node| moved(node.range().start().into()));
    let part = parse(text.get(from..to)?);
    if !part.errors.is_empty() {
        return None;
    }
    let mut read = part.tree.root().children();
    let stays = |old: SyntaxNode<'_>, new: SyntaxNode<'_>, start: usize| {
        usize::from(new.range().start()) + from == start && new.is_like(old)
    };
    if let Some(old) = margin {
        stays(old, read.next()?, from).then_some(())?;
    }
    if let Some(old) = margin_behind {
        stays(old, read.last()?, moved(old.range().start().into())).then_some(())?;
    }

    let index =
        |node: Option<SyntaxNode<'_>>, or: usize| node.map_or(or, |node| node.index() as usize);
    let first = before.elements.get(..index(margin, 1))?;
    let part = part.tree.elements.get(1..)?;
    let last = before.elements.get(index(behind, before.elements.len())..)?;
    let mut elements = Vec::with_capacity(first.len() + part.len() + last.len());
    elements.extend_from_slice(first);
    append(&mut elements, part, 1, from);
    // What stands behind moves by the difference of the lengths, forwards or backwards.
    let by = text.len().wrapping_sub(old.len());
    append(&mut elements, last, index(behind, 0), by);
    let size = u32::try_from(elements.len()).ok()?;
    *elements.first_mut()? = ElementData::node(0, size, 0, crate::SyntaxKind::SourceFile);
    Some(elements)
}

/// Adds elements of a tree, from the one with that index there on, with their places moved by so many bytes.
fn append(elements: &mut Vec<ElementData>, more: &[ElementData], first: usize, by: usize) {
    // Both wrap, because what is taken over may also move forwards.
    let (by, places) = (by as u32, elements.len().wrapping_sub(first) as u32);
    elements.extend(more.iter().map(|old| ElementData {
        start: old.start.wrapping_add(by),
        extent: if old.kind.is_node() { old.extent } else { old.extent.wrapping_add(by) },
        parent: if old.parent == 0 { 0 } else { old.parent.wrapping_add(places) },
        kind: old.kind,
    }));
}

/// Bytes that are compared at once.
const BLOCK: usize = 256;

/// How many bytes two texts have in common from one end on: by blocks, then by bytes.
fn common<'a, T: PartialEq + 'a>(
    blocks: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    bytes: impl Iterator<Item = (T, T)>,
) -> usize {
    let whole = BLOCK * blocks.take_while(|(a, b)| a == b && a.len() == BLOCK).count();
    whole + bytes.skip(whole).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;

    /// Programs without a mistake.
    fn programs() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folders = ["tests/corpus/programs", "stdlib", "examples"];
        let entries =
            folders.iter().flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "kait"));
        paths.sort();
        let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap());
        let clean: Vec<String> = texts.filter(|text| parse(text).errors.is_empty()).collect();
        assert!(clean.len() >= 20, "only {} programs found", clean.len());
        clean
    }

    fn shown(parse: &Parse) -> String {
        format!("{:?} {:?} {:?}", parse.tree.text(), parse.tree.elements, parse.errors)
    }

    /// Whether anything was taken over; the result is that of parsing the whole text.
    #[track_caller]
    fn check(before: &str, after: &str) -> bool {
        let tree = parse(before).tree;
        let edited = parse_edited(&tree, after.into());
        assert_eq!(shown(&edited), shown(&parse(after)), "{before}\n----\n{after}");
        spliced(&tree, after).is_some()
    }

    #[test]
    fn only_what_is_touched_is_read() {
        let text = "//! File.\nmodel a\n\n/// Docs.\nlet b = 1\n\nlet c = 2 // c\nlet d = 3\n\nlet e = 4\n";
        let edit = |from: &str, to: &str| check(text, &text.replacen(from, to, 1));
        assert!(edit("nothing", ""));
        assert!(edit("b = 1", "b = 12"));
        assert!(edit("let c = 2 // c\n", ""));
        assert!(edit("let c", "/// C.\nlet c"));
        assert!(edit("let c", "let cc = 5\nlet c"));
        assert!(edit("model a", "use x\nmodel a"));
        assert!(edit("e = 4\n", "e = 4 +\n  5\n"));
        // What is wrong, or may be, is judged by all of the text.
        assert!(!edit("c = 2", "c = (2"));
        assert!(!edit("c = 2", "c = \"\"\""));
        assert!(!edit("let c", "//! Not here.\nlet c"));
        assert!(!edit("let c", "let c = 2 let c"));
        assert!(!edit("2 // c\nlet d", "2 let d"));
        assert!(check("", "model a\n"));
        assert!(check("model a\n", ""));
    }

    /// Pieces of programs, whole and broken.
    const PIECES: &[&str] = &[
        "x",
        " ",
        "\n",
        "\n\n",
        "\"",
        "\"\"\"",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "${",
        "1",
        ".a",
        ",",
        ":",
        "|>",
        "=",
        "=>",
        "-",
        "//",
        "///",
        "//!",
        "/// said\n",
        "// said\n",
        "let a = 1\n",
        "model m\n",
        "fn f() -> int {\n  1\n}\n",
        "fn",
        "pub ",
        "with (",
        "else",
        "catch {",
        "use a\n",
        "test \"t\" {\n}\n",
        "as b",
        "? ",
        "is ",
        "é",
        "#",
        "/*",
        "r\"",
        "'",
        ";",
        "\r\n",
        "where (min: 1)",
        "record R {\n  a: int\n}\n",
    ];

    proptest! {
        #[test]
        fn an_edited_text_is_read_as_a_new_one(
            program in any::<Index>(),
            edits in prop::collection::vec((any::<Index>(), 0usize..12, select(PIECES), any::<bool>()), 1..5),
        ) {
            let programs = programs();
            let mut clean = program.get(&programs).clone();
            let mut text = clean.clone();
            for (at, deleted, piece, insert) in edits {
                let place = (0..=at.index(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap();
                let end = (place + deleted..).find(|at| text.is_char_boundary((*at).min(text.len()))).unwrap();
                let end = end.min(text.len());
                text.replace_range(place..end, if insert { piece } else { "" });
                check(&clean, &text);
                if parse(&text).errors.is_empty() {
                    clean.clone_from(&text);
                }
            }
        }
    }
}
