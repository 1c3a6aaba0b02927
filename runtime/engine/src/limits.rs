//! Limits that keep any program, also a damaged or hostile one, from hanging or exhausting the process.

/// Steps of one evaluation of an expression: about a second. Beyond: `Trap`.
pub const MAX_STEPS: u64 = 100_000_000;

/// Steps of one evaluation within an event: fractions of a millisecond. Beyond, it becomes a
/// [`crate::event::Command::Compute`].
pub const SOFT_STEPS: u64 = 50_000;

/// Steps of an evaluation between two looks at whether anybody still wants its result.
pub const STEPS_PER_LOOK: u64 = 4_096;

/// Nodes, and steps of evaluations, within one event. Beyond, the rest waits for [`crate::event::Event::Resume`].
pub const STEPS_PER_EVENT: u64 = 200_000;

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

/// Steps that a run may take without anything happening outside: seconds. Beyond: the run fails with `Trap`.
pub const MAX_TASKS: u64 = 50_000_000;

/// How deeply a value may nest that a loop or a recursion builds: dropping and comparing values needs stack. Beyond:
/// `Trap`. (What crosses a boundary may nest [`crate::check::MAX_NESTING`] levels.)
pub const MAX_VALUE_DEPTH: u32 = 1_000;

/// A loop looks at the depth of its state once in as many rounds.
pub(crate) const DEPTH_CHECK_EVERY: u32 = 16;

/// Whether a recursion looks at the depth of its value at this level: at about one of 16, whatever steps it goes down
/// by (the finalizer of MurmurHash3, which has no such regularity).
pub(crate) fn is_sample(level: u32) -> bool {
    let mut hash = level;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
    (hash ^ (hash >> 16)).is_multiple_of(16)
}

/// Whether a value nests deeper than [`MAX_VALUE_DEPTH`]. Costs what the value has parts.
pub(crate) fn is_too_deep(value: &kait_ir::Value) -> bool {
    fn below(value: &kait_ir::Value, left: u32) -> bool {
        use kait_ir::Value;
        let parts: &[Value] = match value {
            Value::List(items) => items,
            Value::Record(fields) | Value::Variant(_, fields) => fields,
            Value::Map(map) => {
                return left == 0 || map.values().any(|part| below(part, left - 1));
            }
            _ => return false,
        };
        left == 0 || parts.iter().any(|part| below(part, left - 1))
    }
    below(value, MAX_VALUE_DEPTH)
}

/// The failure for a value that nests too deep.
pub(crate) fn too_deep() -> Box<kait_ir::Failure> {
    let why = format!("a value nests deeper than {MAX_VALUE_DEPTH} levels");
    Box::new(kait_ir::Failure::trap(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_down_is_looked_at() {
        for step in 1..40 {
            for first in 0..step {
                let gaps = (0..400u32).map(|i| first + i * step).collect::<Vec<_>>();
                let longest = gaps.split(|level| is_sample(*level)).map(<[u32]>::len).max();
                // Sampling one of 16 at random leaves gaps of 200 in as many tries; the stack has room for more.
                assert!(longest < Some(300), "step {step} from {first}: {longest:?}");
            }
        }
    }
}
