//! Where a `use` belongs that is to be added to a file.

use kait_syntax::SyntaxTree;
use kait_syntax::ast::{Decl, SourceFile};

/// The offset and the text that add `use path` to a file: among its imports in their order, else above its first
/// declaration.
#[must_use]
pub fn added_use(tree: &SyntaxTree, path: &str) -> (u32, String) {
    let text = tree.text();
    let decls = || SourceFile::cast(tree.root()).into_iter().flat_map(SourceFile::decls);
    let uses = decls().filter_map(|decl| match decl {
        Decl::Use(decl) => Some(decl),
        _ => None,
    });
    let mut last = None;
    for decl in uses {
        if decl.path().is_some_and(|known| &*known.to_text() > path) {
            return (decl.syntax().range().start().into(), format!("use {path}\n"));
        }
        last = Some(decl.syntax().range().end());
    }
    if let Some(end) = last {
        return (end.into(), format!("\nuse {path}"));
    }
    let Some(first) = decls().next() else {
        let line = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return (u32::try_from(text.len()).unwrap_or(u32::MAX), format!("{line}use {path}\n"));
    };
    // Comments that stand directly above a declaration belong to it.
    let mut start = usize::from(first.syntax().range().start());
    while let Some(line) = text.get(..start).and_then(|before| before.strip_suffix('\n')) {
        let begin = line.rfind('\n').map_or(0, |at| at + 1);
        let line = line.get(begin..).unwrap_or_default();
        if !line.starts_with("//") || line.starts_with("//!") {
            break;
        }
        start = begin;
    }
    (u32::try_from(start).unwrap_or(u32::MAX), format!("use {path}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::added_use;

    fn added(text: &str, path: &str) -> String {
        let (at, insert) = added_use(&kait_syntax::parse(text).tree, path);
        let (before, behind) = text.split_at(at as usize);
        format!("{before}{insert}{behind}")
    }

    #[test]
    fn a_use_is_added_where_it_belongs() {
        assert_eq!(added("", "shop"), "use shop\n");
        assert_eq!(added("use b\n\nlet x = 1\n", "a"), "use a\nuse b\n\nlet x = 1\n");
        assert_eq!(added("use b\nuse d\n\nlet x = 1\n", "c"), "use b\nuse c\nuse d\n\nlet x = 1\n");
        assert_eq!(added("use b\n\nlet x = 1\n", "c"), "use b\nuse c\n\nlet x = 1\n");
        assert_eq!(added("let x = 1\n", "c"), "use c\n\nlet x = 1\n");
        assert_eq!(
            added("//! The file.\n\n/// Docs.\nlet x = 1\n", "c"),
            "//! The file.\n\nuse c\n\n/// Docs.\nlet x = 1\n"
        );
        assert_eq!(
            added("// Legal.\n\n// Why.\nlet x = 1\n", "c"),
            "// Legal.\n\nuse c\n\n// Why.\nlet x = 1\n"
        );
        assert_eq!(added("//! Only words.", "c"), "//! Only words.\nuse c\n");
    }
}
