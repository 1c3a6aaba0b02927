//! The program as data: what the compiler hands to the runtime.
