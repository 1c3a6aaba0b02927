//! Drives programs: calls the leaves that the engine asks for, moves what grows, keeps time, writes the segments.
//!
//! A [`Plan`] is a program with a profile's bindings; [`Run::start`] drives one run of it on tokio; [`simulate`] drives
//! a test in virtual time. The runtime never sees source text or the compiler.

pub mod driver;
pub mod inputs;
pub mod people;
pub mod plan;
pub mod plane;
pub mod profile;
pub mod recorder;
pub mod report;
pub mod segments;
pub mod shared;
pub mod simulate;

pub use kait_connect::Connections;

pub use driver::{Run, RunEnd, RunStart};
pub use inputs::{InputError, Inputs};
pub use plan::Plan;
pub use profile::{Profile, ProfileError};
pub use recorder::Recorder;
pub use segments::{Reader, RunLog};
pub use shared::Shared;
