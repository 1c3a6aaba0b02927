//! Leaves: model providers, HTTP, files, clock, processes.

pub mod growth;

pub use growth::{Growth, Path, Step};
