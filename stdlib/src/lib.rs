//! The standard library's declarations, embedded.
