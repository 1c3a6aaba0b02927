//! The pure state machine that runs a program: events in, commands out.
//!
//! [`Machine::on`] takes what happened ([`Event`]) and says what is to be done ([`Command`]). There is no clock,
//! randomness, IO or hash order in here, so the same events always give the same commands: production, replay,
//! debugger and simulator drive the same code. Deltas of growing values never come here; the driver moves them
//! between the sinks that the engine asks for.

pub mod builder;
pub mod check;
pub mod eval;
pub mod event;
pub mod journal;
pub mod json;
pub mod limits;
pub mod load;
pub mod machine;
mod moves;
mod path;
pub mod promise;
pub mod render;
pub mod segment;
pub mod std;

pub use event::{
    Arg, Args, Command, EffectId, Event, Nanos, Outcome, SinkId, SinkSpec, Site, Source, Start,
    TimerId, Usage,
};
pub use load::{LoadError, Loaded};
pub use machine::{Machine, State};
pub use segment::{Segment, SegmentLog};
pub use std::{NativeCx, NativeFn};
