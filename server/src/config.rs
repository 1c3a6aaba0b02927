//! What a server is told: whom it answers, and how much it takes at once. Read once; never changed while it runs.

use std::time::Duration;

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Host names (lower case, without port; IPv6 without brackets) that requests may be addressed to.
    pub hosts: Vec<String>,
    /// Origins of pages that may send requests besides the server's own, as browsers write them:
    /// `https://app.example`.
    pub origins: Vec<String>,
    /// How much is taken at once.
    pub limits: Limits,
}

/// How much a server takes at once. What is beyond is refused with the limit's name, never queued.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections that are open at once; further ones get 503 and are closed.
    pub connections: usize,
    /// Runs under way at once; further ones get 429.
    pub runs: usize,
    /// Bytes of a request's body.
    pub body: usize,
    /// Bytes of a request's line and headers.
    pub headers: usize,
    /// Header lines of a request.
    pub header_lines: usize,
    /// How long a request's line and headers may take to arrive.
    pub header_time: Duration,
    /// How long a request's body may take to arrive.
    pub body_time: Duration,
    /// How long a client may read nothing of what waits for it.
    pub write_time: Duration,
    /// Records of a run's log that are kept for clients which come later.
    pub ring_records: usize,
    /// Bytes of a run's log that are kept.
    pub ring_bytes: usize,
    /// Finished runs that are remembered.
    pub finished_runs: usize,
    /// Bytes of finished runs that are remembered.
    pub finished_bytes: usize,
    /// How often an idle stream shows that it is alive.
    pub heartbeat: Duration,
    /// How long runs and streams may go on once the server is to end.
    pub drain: Duration,
    /// Bodies of one `for` at once where the program says nothing.
    pub parallel: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            runs: 256,
            body: 16 << 20,
            headers: 64 << 10,
            header_lines: 100,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            write_time: Duration::from_secs(60),
            ring_records: 65_536,
            ring_bytes: 4 << 20,
            finished_runs: 1_000,
            finished_bytes: 64 << 20,
            heartbeat: Duration::from_secs(15),
            drain: Duration::from_secs(30),
            parallel: 16,
        }
    }
}

impl Config {
    /// A server that answers on this machine only.
    pub fn local() -> Self {
        let hosts = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        Self { hosts, origins: Vec::new(), limits: Limits::default() }
    }
}
