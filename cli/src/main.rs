//! The `kait` command.

fn main() {}
