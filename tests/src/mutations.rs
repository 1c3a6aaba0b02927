//! Programs with one mistake: a right program in which one token was changed.

use std::io;

use kait_compiler::compile;
use kait_compiler::sources::MemorySources;
use kait_syntax::SyntaxKind;

use crate::sources::{self, Source};

const NAME: &str = "program.kait";

/// A change of one token.
#[derive(Clone, Debug)]
pub struct Change {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What stands there instead.
    pub insert: String,
}

impl Change {
    /// The text with the change.
    #[must_use]
    pub fn of(&self, text: &str) -> String {
        let mut changed = text.to_owned();
        changed.replace_range(self.start..self.end, &self.insert);
        changed
    }
}

/// How a token can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is not there.
    Deleted,
    /// It is there twice.
    Doubled,
    /// Another token of the program is there.
    Replaced,
    /// A name has a letter too many.
    Misspelt,
}

/// All of them.
pub const WAYS: [Way; 4] = [Way::Deleted, Way::Doubled, Way::Replaced, Way::Misspelt];

/// The acceptance programs and examples that stand in one file and are right.
///
/// # Errors
/// A file cannot be read.
pub fn programs() -> io::Result<Vec<Source>> {
    let is_right = |source: &Source| {
        let is_program = source.name.starts_with("tests/corpus/programs/")
            || source.name.starts_with("examples/") && source.name.ends_with(".kait");
        is_program
            && !compile(&MemorySources::single(NAME, source.text.as_str()), &[NAME]).has_errors()
    };
    Ok(sources::kait()?.into_iter().filter(is_right).collect())
}

/// The tokens of a text that can be changed: what they are and where.
#[must_use]
pub fn tokens(text: &str) -> Vec<(SyntaxKind, usize, usize)> {
    let parse = kait_syntax::parse(text);
    parse
        .tree
        .tokens()
        .filter(|token| !token.kind().is_trivia() && !matches!(token.kind(), SyntaxKind::StrText))
        .map(|token| {
            (token.kind(), usize::from(token.range().start()), usize::from(token.range().end()))
        })
        .collect()
}

/// A change of the token with this number, if it changes anything; another token is drawn from `random`.
#[must_use]
pub fn change(
    text: &str,
    tokens: &[(SyntaxKind, usize, usize)],
    number: usize,
    way: Way,
    random: &mut fastrand::Rng,
) -> Option<Change> {
    let (kind, start, end) = *tokens.get(number)?;
    let token = text.get(start..end)?;
    let insert = match way {
        // A blank, so that the neighbours stay two tokens.
        Way::Deleted => " ".to_owned(),
        Way::Doubled => format!("{token} {token}"),
        Way::Replaced => {
            let (_, start, end) = *tokens.get(random.usize(..tokens.len()))?;
            format!(" {} ", text.get(start..end)?)
        }
        Way::Misspelt if matches!(kind, SyntaxKind::Lid | SyntaxKind::Uid) => format!("{token}x"),
        Way::Misspelt => return None,
    };
    (insert.trim() != token).then_some(Change { start, end, insert })
}

/// As [`change`], of any token in any way.
pub fn any_change(
    text: &str,
    tokens: &[(SyntaxKind, usize, usize)],
    random: &mut fastrand::Rng,
) -> Option<Change> {
    let number = random.usize(..tokens.len().max(1));
    let way = WAYS.get(random.usize(..WAYS.len()))?;
    change(text, tokens, number, *way, random)
}
