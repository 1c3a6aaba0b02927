//! Specification, corpus and whole-system tests.
