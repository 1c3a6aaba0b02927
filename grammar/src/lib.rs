//! The normative, executable grammar of KAIT, and programs generated from it.
//!
//! `kait.pest` says what a KAIT file is, character by character. This crate runs it ([`accepts`]),
//! prints it ([`rule`]), draws random programs from it ([`generate`]) and damages programs
//! ([`mutate`]). It must never be on the way of a compilation: the compiler's own parser is forty
//! times faster and recovers from mistakes. That the two agree is tested in `kait-tests`.

mod accept;
mod generate;
mod mutate;
mod text;

pub use accept::{MAX_LEN, Rejection, accepts};
pub use generate::generate;
pub use mutate::{mutate, tokens};
pub use text::{GRAMMAR, RuleText, keywords, rule, rules};
