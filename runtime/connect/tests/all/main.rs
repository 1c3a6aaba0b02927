//! The crate as its driver uses it: real files, real processes, real HTTP on the loopback interface.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod db;
mod declarations;
mod externs;
mod files;
mod grants;
mod model_server;
mod models;
mod support;
mod web;
