//! The grammar, one function per production; each file's cases stand at its end.
//!
//! Every function that can fail to find its construct says so by giving `false`, has then consumed
//! nothing, and has reported what is missing. Functions that give nothing start from a token that
//! decides for them.

pub(super) mod blocks;
pub(super) mod control;
pub(super) mod decls;
pub(super) mod exprs;
pub(super) mod lists;
pub(super) mod patterns;
pub(super) mod prompts;
pub(super) mod testing;
pub(super) mod texts;
pub(super) mod types;

#[cfg(test)]
mod cases;
