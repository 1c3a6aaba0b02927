//! A reader of server-sent events, after the WHATWG's specification: bytes in, in pieces of any size; events out.
//!
//! All three line endings, cut anywhere; comments and unknown fields are left out. An event that the stream's end cuts
//! off is given by [`SseReader::finish`], because some servers forget the last empty line.

/// Longest event, in bytes.
const MAX_EVENT: usize = 4 << 20;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// Its name; empty stands for `message`.
    pub name: String,
    /// Its data: lines joined by `\n`.
    pub data: String,
}

/// An event that is longer than 4 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than 4 MiB")]
pub struct EventTooLong;

/// The state between two pieces.
#[derive(Clone, Debug, Default)]
pub struct SseReader {
    line: Vec<u8>,
    event: SseEvent,
    has_data: bool,
    /// The last byte was `\r`: a `\n` after it belongs to the same line end.
    after_cr: bool,
    /// The first line was read: a byte order mark can only stand before it.
    begun: bool,
}

impl SseReader {
    /// Takes the next piece and appends the events that are complete.
    ///
    /// # Errors
    /// If an event grows beyond the limit.
    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<SseEvent>) -> Result<(), EventTooLong> {
        while let Some(first) = bytes.first() {
            if std::mem::take(&mut self.after_cr) && *first == b'\n' {
                bytes = bytes.get(1..).unwrap_or_default();
                continue;
            }
            let Some(end) = bytes.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
                self.line.extend_from_slice(bytes);
                break;
            };
            let (line, rest) = bytes.split_at(end);
            self.line.extend_from_slice(line);
            self.after_cr = rest.first() == Some(&b'\r');
            bytes = rest.get(1..).unwrap_or_default();
            self.end_line(out);
        }
        if self.line.len() + self.event.data.len() > MAX_EVENT { Err(EventTooLong) } else { Ok(()) }
    }

    /// The stream has ended: appends what is left, if it holds data.
    pub fn finish(&mut self, out: &mut Vec<SseEvent>) {
        if !self.line.is_empty() {
            self.end_line(out);
        }
        self.dispatch(out);
    }

    fn end_line(&mut self, out: &mut Vec<SseEvent>) {
        let bytes = std::mem::take(&mut self.line);
        // Lines are whole here, so no character was cut.
        let text = String::from_utf8_lossy(&bytes);
        let mut line = &*text;
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch(out);
        } else {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => {
                    if self.has_data {
                        self.event.data.push('\n');
                    }
                    self.event.data.push_str(value);
                    self.has_data = true;
                }
                "event" => self.event.name = value.to_owned(),
                // `id` and `retry` are for clients that connect again; a comment has an empty name.
                _ => {}
            }
        }
        // The buffer is used again for the next line.
        self.line = bytes;
        self.line.clear();
    }

    fn dispatch(&mut self, out: &mut Vec<SseEvent>) {
        let event = std::mem::take(&mut self.event);
        if std::mem::take(&mut self.has_data) {
            out.push(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<SseEvent> {
        let (mut reader, mut out) = (SseReader::default(), Vec::new());
        for piece in pieces {
            reader.push(piece, &mut out).unwrap();
        }
        reader.finish(&mut out);
        out
    }

    fn event(name: &str, data: &str) -> SseEvent {
        SseEvent { name: name.into(), data: data.into() }
    }

    #[test]
    fn events_are_read_with_every_line_ending() {
        for end in ["\n", "\r", "\r\n"] {
            let stream = "\u{feff}: hello||event: add|data:  one|data: two|id: 7||data||event: lost||data: last"
                .replace('|', end);
            let expected = [event("add", " one\ntwo"), event("", ""), event("", "last")];
            assert_eq!(read(&[stream.as_bytes()]), expected);
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let (mut reader, mut out) = (SseReader::default(), Vec::new());
        let piece = [b'x'; 1 << 16];
        assert!((0..100).any(|_| reader.push(&piece, &mut out).is_err()));
        let mut reader = SseReader::default();
        let line = [b"data: ".as_slice(), &piece, b"\n"].concat();
        assert!((0..100).any(|_| reader.push(&line, &mut out).is_err()));
    }

    proptest! {
        #[test]
        fn no_event_depends_on_how_the_bytes_were_cut(
            stream in "((data|event|id|x|)(: ?[a-zé…{}\":]{0,6})?(\n|\r\n|\r){1,3}){0,12}(data: x)?",
            cuts in proptest::collection::vec(0usize..300, 0..10),
        ) {
            let bytes = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|at| *at <= bytes.len()).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut last = 0;
            for at in cuts {
                pieces.push(&bytes[last..at]);
                last = at;
            }
            pieces.push(&bytes[last..]);
            prop_assert_eq!(read(&pieces), read(&[bytes]));
        }
    }
}
