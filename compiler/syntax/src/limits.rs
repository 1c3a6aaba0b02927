//! Every limit of this crate, so that no text can make it hang or overflow a stack.

/// How deeply code may be nested: brackets, blocks, interpolations and chains of operators. Whoever
/// walks a tree by recursion may rely on it: expressions, types and patterns are nested at most twice
/// as deep, and the tree, where one construct makes several nodes, is at most four times as high.
pub const MAX_DEPTH: u32 = 256;

/// How many mistakes of one file are reported; one more says that there are others.
pub const MAX_ERRORS: usize = 100;

/// The size of the largest file that is parsed, in bytes. A larger one gives a tree of one token.
pub const MAX_FILE_BYTES: usize = 64 << 20;

/// How many tokens the parser may look at without consuming one: far more than any mistake takes to be
/// understood at the greatest depth (some 1000 on each of [`MAX_DEPTH`] levels). Behind it the parser
/// gives up on the rest of the file, so that no flaw of its recovery can make it hang.
pub const MAX_LOOKS: u32 = 1 << 20;
