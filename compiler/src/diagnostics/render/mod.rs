//! Diagnostics for readers: people at a terminal, and programs that read JSON.

pub mod json;
pub mod terminal;
