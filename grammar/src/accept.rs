//! Runs the grammar over a text: yes, or no and where. It builds no tree, and recovers from
//! nothing: that is the compiler's own parser's job.

use std::num::NonZeroUsize;
use std::sync::Once;

use pest::Parser as _;
use pest::error::{ErrorVariant, LineColLocation};
use pest_derive::Parser;

/// Texts longer than this many bytes are refused. Grammar checks are for tests and documents.
pub const MAX_LEN: usize = 4 << 20;

/// Most steps of one parse. A byte costs some dozen steps, so a text of [`MAX_LEN`] is within it;
/// it stops a grammar that was made exponential by mistake.
const MAX_STEPS: NonZeroUsize = NonZeroUsize::new(2_000_000_000).expect("not zero");

/// Bytes of stack for a parse, reserved but only used as deep as the text is nested: a level of
/// brackets takes up to 20 KiB in a debug build.
const STACK: usize = 1 << 28;

#[derive(Parser)]
#[grammar = "../kait.pest"]
struct Grammar;

/// Where a text stops being KAIT.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {col}: expected {}", expected.join(", "))]
pub struct Rejection {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub col: usize,
    /// Names of the rules that would have fitted there, sorted; or the one limit that was reached.
    pub expected: Vec<String>,
}

/// Says whether a text is a KAIT file.
///
/// # Errors
/// The furthest place the grammar got to and what it expected there. A text longer than
/// [`MAX_LEN`], or nested too deep for the stack (some ten thousand brackets), is refused too, and
/// `expected` names that limit.
pub fn accepts(text: &str) -> Result<(), Rejection> {
    if text.len() > MAX_LEN {
        let expected = vec![format!("at most {MAX_LEN} bytes")];
        return Err(Rejection { line: 1, col: 1, expected });
    }
    // pest descends recursively; on a stack of its own a deep text cannot exhaust the caller's.
    std::thread::scope(|scope| {
        let parse = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || run(text));
        match parse.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // No thread to be had: the caller's stack, which pest watches, will do for most texts.
            Err(_) => run(text),
        }
    })
}

/// The same on the caller's stack.
pub(crate) fn run(text: &str) -> Result<(), Rejection> {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| pest::set_call_limit(Some(MAX_STEPS)));
    match Grammar::parse(Rule::file, text) {
        Ok(_) => Ok(()),
        Err(error) => {
            let (line, col) = match error.line_col {
                LineColLocation::Pos(at) | LineColLocation::Span(at, _) => at,
            };
            let mut expected = match &error.variant {
                ErrorVariant::ParsingError { positives, .. } => {
                    positives.iter().filter(|r| !is_trivia(**r)).map(|r| readable(*r)).collect()
                }
                ErrorVariant::CustomError { message } => vec![message.clone()],
            };
            expected.sort();
            expected.dedup();
            Err(Rejection { line, col, expected })
        }
    }
}

/// What may stand anywhere, and so explains nothing.
fn is_trivia(rule: Rule) -> bool {
    matches!(rule, Rule::comment | Rule::doc)
}

/// A rule's name as the language reference writes it.
fn readable(rule: Rule) -> String {
    let name = format!("{rule:?}");
    match rule {
        Rule::EOI => "the end of the file".to_owned(),
        _ => name.trim_end_matches('_').to_owned(),
    }
}
