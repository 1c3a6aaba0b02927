//! Hosts programs over HTTP: their graphs, runs and logs, and a door for clients of the OpenAI API.
//!
//! Every answer is a projection of what the runtime has; the server adds no meaning of its own. It never reads or
//! compiles a file (a [`catalog::Programs`] does), never writes to the terminal, and never repeats a secret.

pub mod app;
pub mod catalog;
pub mod config;
pub mod feed;
mod guard;
mod instructions;
mod openapi;
pub mod problem;
mod routes;
pub mod runs;
mod stall;
pub mod tokens;

pub use app::{App, app, router, serve};
pub use catalog::{Catalog, Program, Programs, Source};
pub use config::{Config, Limits};
pub use routes::stream_of;
pub use tokens::{Scope, TokenError, Tokens};
