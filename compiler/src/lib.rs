//! From syntax trees to a checked, lowered program, with every mistake as data.
//!
//! One way through: `names` → `hir` → `check` → `effects` → `lower`; each stage has its own result type and nothing
//! reaches back. No file, clock, network or environment access: source text comes in through a trait.

pub mod check;
pub mod diagnostics;
pub mod hir;
