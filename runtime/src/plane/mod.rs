//! The data plane: moves what grows from its sources to whoever watches.
//!
//! The engine wires it (`Sink`, `Bind`, `Put`, `Reset`) and never sees a delta. Sources are effects and growing
//! inputs; what flows out is the result's segment and the complete items that a `for` waits for. Order between the
//! parts of a text is kept here; no decision of the program is made here.

pub mod live;
mod sinks;

pub use live::Live;
pub use sinks::{Plane, Watcher};
