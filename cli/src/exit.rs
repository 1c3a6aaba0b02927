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
    /// A person must be asked, and nobody can be asked here.
    Unasked,
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
            Exit::Unasked => 3,
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

/// A mistake on the command line or in what it names, with the code that `kait explain` knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coded {
    /// The code.
    pub code: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

impl std::fmt::Display for Coded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Coded {}

impl From<kait_runtime::ProfileError> for Coded {
    fn from(error: kait_runtime::ProfileError) -> Self {
        Self { code: error.code(), message: error.to_string() }
    }
}
