//! What the tests of the whole system share: where the sources of the project are, how two parsers
//! are compared, what is fuzzed. The tests themselves are in `suite/`, long runs in `src/bin/`.

pub mod compile;
pub mod differential;
pub mod fixes;
pub mod format;
pub mod fuzz;
pub mod mutations;
pub mod shrink;
pub mod sources;
pub mod spec;
pub mod stress;
pub mod tree_sitter;
pub mod wrong;
