//! `kait serve` as its clients meet it: the real binary, real sockets, files that change under it.

mod client;
mod corpus;
mod fuzz;
mod openai;
mod reload;
mod runs;
mod safety;
pub mod server;
mod words;
