//! Exit codes: the same for every command.

use std::process::ExitCode;

use kait_ir::Failure;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Done,
    /// The program has errors, or its run or a test failed.
    Failed,
    /// Wrong usage, or a fault of ours.
    Usage,
    /// A budget or time limit was reached.
    Limit,
    /// Interrupted.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Limit => 4,
            Exit::Interrupted => 130,
        })
    }
}

impl Exit {
    /// The exit of a run that failed in this way.
    pub fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Budget { .. } | Failure::Timeout => Self::Limit,
            Failure::Cancelled => Self::Interrupted,
            _ => Self::Failed,
        }
    }
}
