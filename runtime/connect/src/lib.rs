//! Leaves: where a program meets the world. Model providers, HTTP, files, clock, chance, processes.
//!
//! [`Connections`] starts calls for the driver and gives either an outcome or a future. Nothing in here knows the
//! graph: a leaf sees its arguments, never the program around it. What may be touched is asked of [`Grants`] at the
//! moment of touching it, redirects, symbolic links and resolved addresses included.

mod args;
mod clock;
mod connections;
mod db;
mod emission;
mod externs;
mod files;
mod formats;
mod grants;
pub mod growth;
mod http;
pub mod leaf;
mod model;
mod pace;
mod place;
mod price;
mod process;
pub mod providers;
mod random;
mod secrets;
pub mod structured;
#[cfg(test)]
mod testing;

pub use connections::{Config, Connections, Env, Limits, leaf_names};
pub use emission::{Emission, emission};
pub use files::{blob, is_picture};
pub use grants::{
    Access, All, AllowAll, BadGrant, GrantTable, Grants, Need, Part, ProfileGrants, Reach,
    is_private,
};
pub use growth::{Growth, Path, Step};
pub use leaf::{Ended, Grower, Host, LeafJob, ModelBinding, ModelJob, Started};
pub use price::{Price, Prices};
pub use secrets::{BadSecret, SecretBinding, Secrets};
