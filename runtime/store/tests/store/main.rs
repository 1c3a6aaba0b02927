//! What every store must do, and what the one on disk must survive.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

mod contract;
mod crash;
mod dump;
mod faults;
mod owners;
mod random;
