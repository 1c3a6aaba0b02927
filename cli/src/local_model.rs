//! Finds a model that runs on this machine: an Ollama, if one answers.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use kait_connect::ModelBinding;
use serde_json::Value as Json;

/// Where Ollama listens by default.
const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 11_434);
/// On this machine an answer takes a millisecond; whoever takes longer is not asked.
const PATIENCE: Duration = Duration::from_millis(200);
/// Longest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// A binding to the first model of a local Ollama, if it answers and has one.
pub fn find() -> Option<ModelBinding> {
    let address = SocketAddr::from(ADDRESS);
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(b"GET /api/tags HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let body: Json = serde_json::from_str(body.trim()).ok()?;
    let model = body["models"].as_array()?.first()?["name"].as_str()?.into();
    Some(ModelBinding {
        provider: "openai".into(),
        model,
        base_url: Some(format!("http://{address}/v1").into()),
        ..ModelBinding::echo()
    })
}
