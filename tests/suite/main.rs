//! Every test of the whole system, in one binary. A group of tests is a module; what groups share
//! is in the library of this crate.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers of tests too"
)]

mod asking;
mod bounds;
mod defects;
mod differential;
mod durable;
mod editors;
mod errors;
mod fixes;
mod format;
mod fuzz;
mod independent;
mod language;
mod mutations;
mod order;
mod programs;
mod proposals;
mod reference;
mod running;
mod spec;
mod std;
mod stress;
mod tidy;
mod tree_sitter;
mod words;
