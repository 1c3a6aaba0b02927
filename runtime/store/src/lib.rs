//! The durable store of a profile: runs, their records, questions to people, sessions, and what may happen only once.
//!
//! It knows nothing of programs or events: payloads are bytes, and the clock is the caller's. Whoever runs programs puts
//! what must not be lost into a [`Batch`] and commits it; the [`Ticket`] says when it is durable. A batch happens as a
//! whole or not at all, and batches happen in the order in which they were committed: whoever waits for a ticket knows
//! that all that was committed before it is durable, too, or was refused.
//!
//! ```
//! use kait_store::{Batch, Hash, MemoryStore, NewRun, Read, Record, Store};
//!
//! let store = MemoryStore::new();
//! let program = Hash::of(b"a program");
//! let mut batch = Batch::new();
//! batch.program(program, b"a program");
//! batch.start(NewRun::new("r_1", program, "main", 0));
//! batch.append(&"r_1".into(), Record { seq: 0, at: 0, kind: 1, payload: b"started".to_vec() });
//! store.commit(batch).wait()?;
//!
//! let records: Result<Vec<_>, _> = store.records(&"r_1".into(), 0)?.collect();
//! assert_eq!(records?.len(), 1);
//! # Ok::<(), kait_store::StoreError>(())
//! ```
//!
//! # What a store promises
//!
//! * What a ticket acknowledged is there after a crash of the process or the machine. What it did not acknowledge is there
//!   whole or not at all, and only if all before it is.
//! * A batch that does not fit what the store holds ([`Refused`]) changes nothing.
//! * Order never depends on a clock: runs are numbered as they start, records as they are appended.
//! * Reads see what is durable, and never wait for a writer.
//! * Any number of processes may write. A run is changed by one of them at a time: by its owner while it is running, by
//!   whoever resumes it if it waits or its owner is gone ([`Batch::resume`]). Others are [`Refused::OwnedElsewhere`], and so
//!   is an owner from whom a run was taken.
//! * What was changed on disk behind the store's back is found when it is read: [`StoreError::Damaged`] names the run, and
//!   others go on.

mod batch;
mod error;
mod faulty;
mod memory;
mod rules;
mod sqlite;
mod store;
mod ticket;
mod types;

pub use batch::Batch;
pub use error::{Damage, Holder, Refused, StoreError};
pub use faulty::{Fault, FaultyStore};
pub use memory::MemoryStore;
pub use sqlite::{Options, Point, Probe, SqliteReader, SqliteStore};
pub use store::{Pruned, Read, Records, Store};
pub use ticket::Ticket;
pub use types::{
    Answer, Hash, Info, Nanos, NewRun, Once, Parent, Promise, PromiseQuery, PromiseState, Question,
    Record, Run, RunId, RunQuery, RunState, Session, StartKey, Started,
};

/// Values longer than this, in bytes, belong into blobs: [`Batch::blob`]. A payload that is longer is put there by the
/// store itself.
pub const BLOB_FROM: usize = 64 * 1024;
/// The longest name, key or id, in bytes.
pub const MAX_NAME: usize = 1024;
/// The longest metadata or summary of a run, in bytes: lists of runs carry them.
pub const MAX_META: usize = 64 * 1024;
/// The longest of all else, in bytes: a payload, a blob, a program, the cells of a session.
pub const MAX_BYTES: usize = 256 * 1024 * 1024;
/// The most records of a run.
pub const MAX_RECORDS: u32 = u32::MAX - 1;
