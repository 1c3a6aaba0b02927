//! Texts that nobody writes, small: that each is answered, and does not overflow a stack. `--bin stress` tries them at
//! full size and judges time and memory.

use std::sync::Arc;

use kait_tests::fuzz::{Runner, TARGETS};
use kait_tests::stress::{CASES, PASSES, edits, programs};

/// The part of the full size that is tried here.
const PART: usize = 500;

/// Of all edits of all programs, one in so many is tried.
const STEP: usize = 401;

#[test]
fn programs_that_are_being_written_are_answered() {
    let runner = Runner::new().unwrap();
    let programs = programs().unwrap();
    assert!(programs.len() > 20, "only {} programs", programs.len());
    let all = programs.iter().flat_map(|program| edits(&program.text));
    for text in all.step_by(STEP) {
        for target in TARGETS {
            if let Err(failure) = runner.run(target, &text) {
                panic!("{}: {}\n{text}", failure.target, failure.what);
            }
        }
    }
}

#[test]
fn texts_that_nobody_writes_are_answered() {
    for case in CASES {
        let text: Arc<str> = (case.make)(case.full / PART).into();
        for pass in PASSES {
            (pass.run)(&text);
        }
    }
}
