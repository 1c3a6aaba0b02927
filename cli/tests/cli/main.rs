//! The command as a user meets it: the real binary, real files, real pipes.

mod bad_input;
mod examples;
mod findings;
mod interrupt;
mod peers;
mod streaming;
mod support;
