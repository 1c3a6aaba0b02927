//! Generates the tree-sitter parser from its grammar: `cargo run -p kait-tests --bin tree-sitter`.
#![expect(clippy::print_stdout, reason = "a command for developers")]

use kait_tests::tree_sitter::{Evaluate, folder, generate};

fn main() -> anyhow::Result<()> {
    let src = folder().join("src");
    generate(Evaluate::Javascript, &src)?;
    println!("written: {}", src.display());
    Ok(())
}
