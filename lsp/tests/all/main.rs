//! The server as a client meets it: messages over a stream, in the order in which they are sent.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, helpers of tests too"
)]

mod client;
mod features;
mod life;
mod robust;
mod stale;
