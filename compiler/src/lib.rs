//! Syntax tree to a checked, lowered program, with diagnostics as data.
