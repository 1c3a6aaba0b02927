//! The production parser reports no error exactly where the grammar accepts: the comparison, and
//! the random texts it is made over.

use std::num::NonZeroUsize;
use std::thread;

use kait_grammar::{accepts, generate, mutate};
use kait_syntax::{Code, Severity};

use crate::shrink::shrink;
use crate::sources::Source;

/// A text about which the two do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Where the text is from: a file, or what drew it.
    pub name: String,
    /// The smallest text found that they disagree about.
    pub text: String,
    /// What the grammar says.
    pub grammar: String,
    /// What the production parser says.
    pub parser: String,
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, text, grammar, parser } = self;
        write!(f, "{name}\n---\n{text}\n---\n  grammar: {grammar}\n  parser:  {parser}\n")
    }
}

/// The two verdicts, if they differ. Texts at a limit of one of the two (nesting, size) are not
/// compared: limits are no part of the grammar.
fn differ(text: &str) -> Option<(String, String)> {
    let parse = kait_syntax::parse(text);
    let errors = || parse.errors.iter().filter(|error| error.severity() == Severity::Error);
    if errors().any(|error| matches!(error.code, Code::TooDeep | Code::FileTooLarge)) {
        return None;
    }
    match (accepts(text), errors().next()) {
        (Ok(()), Some(error)) => {
            let at = usize::from(error.range.start());
            let parser = format!("{} at byte {at}: {}", error.code, error.message);
            Some(("accepted".to_owned(), parser))
        }
        (Err(rejection), None) => Some((rejection.to_string(), "accepted".to_owned())),
        _ => None,
    }
}

/// Compares the two over a text, and makes the text small if they differ.
pub fn compare(source: &Source) -> Option<Disagreement> {
    differ(&source.text)?;
    let text = shrink(&source.text, |text| differ(text).is_some());
    let (grammar, parser) = differ(&text)?;
    Some(Disagreement { name: source.name.clone(), text, grammar, parser })
}

/// A text of a reproducible series: every third is a generated program, the others are mutations
/// of generated programs and of the given ones.
pub fn sample(sources: &[Source], seed: u64) -> Source {
    let size = 20 + usize::try_from(seed % 7).unwrap_or(0) * 10;
    if seed.is_multiple_of(3) {
        return Source { name: format!("seed {seed}"), text: generate(seed, size) };
    }
    let mut rng = fastrand::Rng::with_seed(seed);
    let (name, text) = match rng.choice(sources) {
        Some(source) if rng.bool() => (source.name.as_str(), piece(&source.text, &mut rng)),
        _ => ("generated", generate(seed, size)),
    };
    let mut mutated = mutate(&text, seed);
    if rng.u8(0..4) == 0 {
        mutated = mutate(&mutated, seed.wrapping_add(1));
    }
    Source { name: format!("seed {seed}, a mutation of {name}"), text: mutated }
}

/// A run of paragraphs of a text, so that one mutation hits something in each part of a file.
fn piece(text: &str, rng: &mut fastrand::Rng) -> String {
    let paragraphs: Vec<_> = text.split("\n\n").collect();
    let start = rng.usize(0..paragraphs.len().max(1));
    let end = (start + rng.usize(1..4)).min(paragraphs.len());
    paragraphs.get(start..end).unwrap_or_default().join("\n\n")
}

/// Compares the two over `count` texts from `seed` on, on all cores; at most `limit` disagreements
/// are reported.
pub fn run(sources: &[Source], seed: u64, count: u64, limit: usize) -> Vec<Disagreement> {
    let workers = thread::available_parallelism().map_or(1, NonZeroUsize::get) as u64;
    let mut found: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    (seed..seed.saturating_add(count))
                        .filter(|seed| seed % workers == worker)
                        .filter_map(|seed| compare(&sample(sources, seed)))
                        .take(limit)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let join = |worker: thread::ScopedJoinHandle<'_, Vec<_>>| match worker.join() {
            Ok(found) => found,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        workers.into_iter().flat_map(join).collect()
    });
    // The same mistake shows many times: one text of each kind is enough.
    found.sort_by(|a: &Disagreement, b| (a.text.len(), &a.text).cmp(&(b.text.len(), &b.text)));
    found.dedup_by(|a, b| a.text == b.text);
    found.truncate(limit);
    found
}
