//! `extern … from process "program word {param}"`: a program with arguments, never through a shell.
//!
//! What stands in no argument is its input: one text as it is, everything else as one JSON object. What it writes is the
//! value; a status other than 0 is a failure.

use std::time::Duration;

use kait_engine::Outcome;
use kait_ir::{Failure, LeafDecl};

use super::{Answer, Piece, Sending, answer, argument, arguments, object, pieces, plain};
use crate::connections::Connections;
use crate::leaf::{Ended, LeafJob, Started};
use crate::process::{Finished, Launch, code, lossy};
use crate::secrets::Sent;

/// Longest run of a program, unless its declaration says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Most characters of a program's complaints that a failure keeps.
const KEPT: usize = 2000;

pub(crate) fn start(cx: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let mut sent = Sent::default();
    let (launch, input) = match prepare(cx, job, &mut sent) {
        Ok(ready) => ready,
        Err(failure) => return Err(sent.blank_failure(failure)),
    };
    let (decl, table) = (job.decl.clone(), std::sync::Arc::clone(job.table));
    let timeout = decl.with.timeout.map_or(TIMEOUT, Duration::from_nanos);
    Ok(Started::Later(Box::pin(async move {
        let result = match tokio::time::timeout(timeout, launch.finish(&input)).await {
            Err(_) => Err(Failure::Timeout),
            Ok(Err(failure)) => Err(failure),
            Ok(Ok(finished)) => output(&decl, finished).and_then(|bytes| {
                let from = decl.name.to_string();
                let media_type = String::new();
                answer(&decl, &table, &sent, Answer { bytes, charset: None, media_type, from })
            }),
        };
        Ended::from(match result {
            Ok(value) => Outcome::Ok(value),
            Err(failure) => Outcome::Failed(sent.blank_failure(failure)),
        })
    })))
}

/// The program with its arguments, and its input.
fn prepare(
    cx: &Connections,
    job: &LeafJob<'_>,
    sent: &mut Sent,
) -> Result<(Launch, Vec<u8>), Failure> {
    let decl = job.decl;
    let all = arguments(job, cx.config(), sent)?;
    let mut used = Vec::new();
    let mut argv = Vec::new();
    for word in words(&decl.locator) {
        let mut text = String::new();
        for piece in pieces(&word) {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Name(name) => {
                    let found = argument(decl, &all, name)?;
                    let value = plain(&found.json);
                    if value.contains('\0') {
                        let why = "holds the character U+0000, which no argument can hold";
                        return Err(Failure::invalid(name, why));
                    }
                    text.push_str(&value);
                    used.push(found.name.clone());
                }
            }
        }
        argv.push(text);
    }
    let mut launch = Launch::new(cx, &decl.name, &argv, ".")?;
    launch.memory = decl.with.memory;
    launch.time = decl.with.time;
    let rest: Vec<Sending> = all.into_iter().filter(|one| !used.contains(&one.name)).collect();
    let input = match rest.as_slice() {
        [] => String::new(),
        [one] if one.is_text => plain(&one.json),
        _ => object(rest).to_string(),
    };
    Ok((launch, input.into_bytes()))
}

/// The words of a command; `'…'` keeps blanks.
fn words(command: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    for c in command.chars() {
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !is_quoted => found.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word);
    found
}

/// What a program has written, if it has succeeded.
fn output(decl: &LeafDecl, finished: Finished) -> Result<Vec<u8>, Failure> {
    let Finished { status, stdout, stderr } = finished;
    if status.success() {
        return Ok(stdout);
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        let is_out_of_time = status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
            || status.signal() == Some(rustix::process::Signal::KILL.as_raw());
        if decl.with.time.is_some() && is_out_of_time {
            return Err(Failure::Budget { kind: "time".into() });
        }
    }
    let said = lossy(stderr);
    let said = said.trim();
    let cut = said.char_indices().nth(KEPT).map_or(said, |(at, _)| said.get(..at).unwrap_or(said));
    let program = words(&decl.locator).into_iter().next().unwrap_or_default();
    let colon = if cut.is_empty() { "" } else { ": " };
    let message = format!("`{program}` ended with status {}{colon}{cut}", code(status));
    Err(Failure::Tool { name: decl.name.clone(), message: message.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_its_words() {
        assert_eq!(words("sed  -e 's/a b/c/' {file}"), ["sed", "-e", "s/a b/c/", "{file}"]);
        assert_eq!(words("a '' b'c d'e"), ["a", "", "bc de"]);
        assert!(words(" ").is_empty());
    }
}
