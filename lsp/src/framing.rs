//! What arrives, cut into messages and checked before the transport sees it.
//!
//! The transport ends with the first message that it cannot read. Here such a message is replaced by a request with the
//! id `null`, which is answered as JSON-RPC wants it: with a parse error. So a faulty client costs nobody the session.

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
    DuplexStream, duplex,
};
use tokio::task::JoinHandle;
use tower_lsp::jsonrpc::{Request, Response};

/// Most bytes of one message. The largest hold a whole file.
pub(crate) const MAX_MESSAGE: usize = 256 << 20;

/// Most bytes of a header line; what is longer is no header.
const MAX_HEADER: u64 = 8 << 10;

/// Bytes that wait between here and the transport.
const BUFFER: usize = 1 << 16;

/// The method of the request that stands in for what is no message.
pub(crate) const MALFORMED: &str = "kait/malformed";

/// A method that there is not.
const UNKNOWN: &str = "kait/unknown";

/// A stream that holds only messages, and the task that feeds it.
pub(crate) fn checked<I>(input: I) -> (DuplexStream, JoinHandle<()>)
where
    I: AsyncRead + Unpin + Send + 'static,
{
    let (mut to, from) = duplex(BUFFER);
    let task = tokio::spawn(async move {
        let mut input = BufReader::new(input);
        loop {
            let body = match message(&mut input).await {
                Ok(Some(body)) => body,
                // The client has hung up, or the stream broke off: there is nothing more to come.
                Ok(None) | Err(_) => return,
            };
            let head = format!("Content-Length: {}\r\n\r\n", body.len());
            if to.write_all(head.as_bytes()).await.is_err() || to.write_all(&body).await.is_err() {
                return;
            }
        }
    });
    (from, task)
}

/// The next message, or what stands in for it; `None` at the end.
async fn message<I>(input: &mut BufReader<I>) -> std::io::Result<Option<Vec<u8>>>
where
    I: AsyncRead + Unpin,
{
    let mut length: Option<Option<usize>> = None;
    let mut headers = 0;
    loop {
        let mut line = Vec::new();
        let count = (&mut *input).take(MAX_HEADER).read_until(b'\n', &mut line).await?;
        if count == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            if headers == 0 {
                continue;
            }
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        headers += 1;
        if name.trim().eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse().ok());
        }
    }
    let stand_in =
        || format!(r#"{{"jsonrpc":"2.0","id":null,"method":"{MALFORMED}"}}"#).into_bytes();
    let Some(Some(length)) = length else { return Ok(Some(stand_in())) };
    if length > MAX_MESSAGE {
        let skipped = u64::try_from(length).unwrap_or(u64::MAX);
        tokio::io::copy(&mut input.take(skipped), &mut tokio::io::sink()).await?;
        return Ok(Some(stand_in()));
    }
    // Grows as it comes: what a header claims is not believed.
    let mut body = Vec::new();
    let wanted = u64::try_from(length).unwrap_or(u64::MAX);
    input.take(wanted).read_to_end(&mut body).await?;
    if body.len() < length {
        return Ok(None);
    }
    if let Ok(request) = serde_json::from_slice::<Request>(&body) {
        return Ok(Some(match request.id() {
            // The transport drops all of them, though a request wants an answer: that there is no such method.
            Some(id) if request.method().starts_with("$/") => {
                let unknown = Request::build(UNKNOWN).id(id.clone()).finish();
                serde_json::to_vec(&unknown).unwrap_or_else(|_| stand_in())
            }
            _ => body,
        }));
    }
    let is_answer = serde_json::from_slice::<Response>(&body).is_ok();
    Ok(Some(if is_answer { body } else { stand_in() }))
}
