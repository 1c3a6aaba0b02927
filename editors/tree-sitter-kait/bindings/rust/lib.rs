//! The language for tree-sitter, and its queries. It only links what is generated from `grammar.js`;
//! nothing on the way of a compilation may use it.

use tree_sitter_language::LanguageFn;

#[expect(unsafe_code, reason = "names a C function, which has no Rust type")]
unsafe extern "C" {
    fn tree_sitter_kait() -> *const ();
}

/// The language: `parser.set_language(&LANGUAGE.into())`.
#[expect(unsafe_code, reason = "nobody but the author of the function can say what it gives")]
// SAFETY: the function is generated, takes nothing and gives a pointer to a constant table.
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_kait) };

/// What is coloured, and as what.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");

/// Other languages inside: regular expressions, comments.
pub const INJECTIONS_QUERY: &str = include_str!("../../queries/injections.scm");

/// Scopes, definitions and uses of local names.
pub const LOCALS_QUERY: &str = include_str!("../../queries/locals.scm");

/// Declarations and calls, for lists of symbols.
pub const TAGS_QUERY: &str = include_str!("../../queries/tags.scm");
