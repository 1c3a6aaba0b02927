//! Texts that nobody writes, small: that each is answered, and does not overflow a stack. `--bin stress` tries them at
//! full size and judges time and memory.

use std::sync::Arc;

use kait_tests::stress::{CASES, PASSES};

/// The part of the full size that is tried here.
const PART: usize = 500;

#[test]
fn texts_that_nobody_writes_are_answered() {
    for case in CASES {
        let text: Arc<str> = (case.make)(case.full / PART).into();
        for pass in PASSES {
            (pass.run)(&text);
        }
    }
}
