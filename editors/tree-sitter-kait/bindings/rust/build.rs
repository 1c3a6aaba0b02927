//! Compiles the generated parser and the scanner.

fn main() {
    let src = std::path::Path::new("src");
    cc::Build::new()
        .include(src)
        .files([src.join("parser.c"), src.join("scanner.c")])
        .std("c11")
        .warnings(true)
        // The generated parser has unused labels and parameters.
        .flag_if_supported("-Wno-unused")
        .compile("tree-sitter-kait");
    for file in ["parser.c", "scanner.c", "tree_sitter/parser.h"] {
        println!("cargo:rerun-if-changed={}", src.join(file).display());
    }
}
