//! One file a command.

pub mod audit;
pub mod build;
pub mod check;
pub mod completions;
pub mod cost;
pub mod doctor;
pub mod explain;
pub mod fmt;
pub mod grammar;
pub mod graph;
pub mod inbox;
pub mod lsp;
pub mod new;
pub mod plan;
pub mod resume;
pub mod run;
pub mod runs;
pub mod serve;
pub mod test;
