//! Leaves: model providers, HTTP, files, clock, processes.

pub mod growth;
pub mod leaf;

pub use growth::{Growth, Path, Step};
pub use leaf::{Ended, Grower, LeafJob, ModelBinding, ModelJob, Started};
