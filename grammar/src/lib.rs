//! The normative, executable grammar of KAIT, and programs generated from it.
