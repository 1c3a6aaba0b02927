//! Source text to a lossless syntax tree: lexer, resilient parser, typed views.
//!
//! [`parse`] never fails: it gives a tree over every byte of the text and the mistakes it met. The
//! tree ([`SyntaxTree`]) is shared by compiler, formatter and editor support; [`ast`] reads it in the
//! terms of the grammar. Literals are read by [`strings`] and [`numbers`], the tables of words are in
//! [`keywords`], the codes of mistakes in [`codes`].
//!
//! This crate must never touch a file, a clock, the network or the environment, and must never
//! panic or hang, whatever the text: nesting, errors per file and the size of a file are bounded by
//! the constants in [`limits`].

pub mod ast;
pub mod codes;
mod errors;
pub mod keywords;
mod kind;
mod lexer;
pub mod limits;
mod line_index;
pub mod numbers;
mod parser;
mod reparse;
mod source;
pub mod strings;
mod tree;

use std::sync::Arc;

pub use codes::{Code, Severity};
pub use errors::{Edit, Fix, SyntaxError};
pub use kind::SyntaxKind;
pub use lexer::{snake, upper_camel};
pub use line_index::{LineCol, LineIndex};
pub use parser::foreign_name;
pub use reparse::parse_edited;
pub use source::{FileId, SourceFile};
pub use text_size::{TextRange, TextSize};
pub use tree::{Children, SyntaxElement, SyntaxNode, SyntaxToken, SyntaxTree};

/// What [`parse`] gives.
#[derive(Clone, Debug)]
pub struct Parse {
    /// The tree over the whole text, damaged or not.
    pub tree: SyntaxTree,
    /// The mistakes, in the order of the text; at most [`limits::MAX_ERRORS`] and one that says that
    /// there are more.
    pub errors: Vec<SyntaxError>,
}

impl Parse {
    /// The view of the whole file.
    #[must_use]
    pub fn file(&self) -> Option<ast::SourceFile<'_>> {
        ast::SourceFile::cast(self.tree.root())
    }

    /// Whether the text must be refused; warnings do not count.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors.iter().any(|error| error.severity() == Severity::Error)
    }
}

/// Parses a text.
#[must_use]
pub fn parse(text: &str) -> Parse {
    parse_shared(Arc::from(text))
}

/// Parses a text that is already shared, without copying it.
#[must_use]
pub fn parse_shared(text: Arc<str>) -> Parse {
    parser::parse(text)
}

/// How many tokens a text has, trivia included: the lexer alone, for benchmarks.
#[must_use]
pub fn count_tokens(text: &str) -> usize {
    if text.len() > limits::MAX_FILE_BYTES {
        return 0;
    }
    // The last one marks the end.
    lexer::lex(text).tokens.len() - 1
}
