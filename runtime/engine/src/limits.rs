//! Limits that keep any program, also a damaged or hostile one, from hanging or exhausting the process.

/// Steps of one evaluation of an expression: about a second. Beyond: `Trap`.
pub const MAX_STEPS: u64 = 100_000_000;

/// How deeply operations of an expression (calls of functions included) may nest. Beyond: `Trap`.
pub const MAX_EXPR_DEPTH: u32 = 256;

/// Bytes of one text that an expression builds: the language's limit of a value. Beyond: `Budget("bytes")`.
pub const MAX_TEXT_BYTES: usize = 16 << 20;

/// Items of one list or map that an expression builds. Beyond: `Budget("items")`.
pub const MAX_ITEMS: usize = 1 << 24;

/// How deeply regions of a run (calls included) may nest. Beyond: `Depth`.
pub const MAX_FRAME_DEPTH: u32 = 10_000;

/// Frames of a run that may be alive at once. Beyond: `Budget("frames")`.
pub const MAX_FRAMES: usize = 1 << 22;

/// Steps that a run may take within one event: seconds. Beyond: the run fails with `Trap`.
pub const MAX_TASKS: u64 = 50_000_000;
