//! The command as a user meets it: the real binary, real files, real pipes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers of tests too; one that is skipped says why"
)]

mod audit;
mod bad_input;
mod compiled;
mod cost;
mod durable;
mod editors;
mod examples;
mod externs;
mod findings;
mod grants;
mod interrupt;
mod lsp;
mod peers;
mod projects;
mod serve;
mod streaming;
mod support;
