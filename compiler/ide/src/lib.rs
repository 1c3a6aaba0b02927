//! What editors ask of KAIT programs, answered as plain data.
//!
//! An [`Analysis`] is a compilation of some files with an index of what each name in them means. It is immutable and
//! shared: a server makes one for a state of the texts, gives it to as many workers as it likes, and drops it when the
//! texts have changed. Every question is a method of it, in a file named after the question. Answers speak of files,
//! byte offsets and text: no protocol, no runtime, no file, clock, network or environment access; text comes in
//! through [`kait_compiler::sources::Sources`].
//!
//! Files that are being written are broken most of the time, so every method answers from what could be understood,
//! and none of them may panic, whatever the text and the offset.

mod analysis;
mod completion;
mod definition;
mod fixes;
mod folding;
mod format;
mod hover;
mod index;
mod inlay;
mod locals;
mod names;
pub mod reference;
mod references;
mod rename;
mod signature;
mod std_library;
mod symbol;
mod symbols;
#[cfg(test)]
mod testing;
mod tokens;

pub use analysis::{Analysis, Inputs, Overlay};
pub use completion::{Completion, CompletionKind};
pub use fixes::CodeFix;
pub use folding::{Fold, FoldKind};
pub use format::{TextEdit, difference};
pub use hover::Hover;
pub use inlay::{Inlay, InlayKind, InlayKinds};
pub use references::{Highlight, HighlightKind};
pub use rename::{Rename, RenameRefused};
pub use signature::{SignatureHelp, SignatureParam};
pub use symbol::Symbol;
pub use symbols::{Outline, OutlineKind, WorkspaceSymbol};
pub use tokens::{SemanticToken, TokenKind};
