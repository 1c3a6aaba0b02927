//! What a failed run says on a terminal: a code, plain words, where it arose, and what to do.

use kait_ir::Failure;
use kait_runtime::RunEnd;
use kait_runtime::report::{UNASKED, UNASKED_HELP, short_path, words};

use crate::compile::Compiled;

/// Prints it on stderr.
pub fn print(failure: &Failure, end: &RunEnd, compiled: &Compiled) {
    let (mut code, message, mut help) = words(failure);
    if end.unasked {
        (code, help) = (UNASKED, Some(UNASKED_HELP.to_owned()));
    }
    let at = end.failed_at.as_ref();
    anstream::eprintln!("error {code}: {message}");
    if let Some(at) = at {
        let place = at.span.and_then(|span| compiled.place(span));
        let path = short_path(&at.path);
        match place {
            Some(place) => anstream::eprintln!("   {place} in {path}"),
            None => anstream::eprintln!("   in {path}"),
        }
        if let Some(limit) = &at.limit {
            anstream::eprintln!("   the limit is {limit}");
        }
    }
    if let Some(help) = help {
        anstream::eprintln!("   = {help}");
    }
    anstream::eprintln!("   kait explain {code}");
}
