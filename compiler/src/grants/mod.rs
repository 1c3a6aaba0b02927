//! Grants: what each graph needs of the world, with the way to whoever needs it, and what a profile does not grant (K0510).
//!
//! What a leaf touches is told apart as far as the text says it: a path, the host of a URL, a program or a role that is
//! written at the call. What only a run knows is asked again by the leaf. What is granted stands in files, so it comes in
//! from outside, as [`Profile`]; this stage reads the effects, changes nothing, and only tools ask for it.

mod check;
mod needs;
#[cfg(test)]
mod tests;
mod uses;

use smol_str::SmolStr;

pub use check::check;
pub use needs::{Needed, Needs, needs, roots};
pub(crate) use uses::{Looker, named};

use crate::effects::{Effect, Resources};
use crate::hir::DefId;

/// One thing that is done to the world, as far as the text says which.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum What {
    /// Reads a resource: its dotted path.
    Read(SmolStr, Part),
    /// Changes a resource.
    Write(SmolStr, Part),
    /// Asks the model that plays a role; which role, if it is known.
    Model(Option<DefId>),
    /// Asks a person: who, if the text says it.
    Human(Option<SmolStr>),
    /// Looks at the clock, or waits for it.
    Clock,
    /// Draws by chance.
    Random,
    /// Shows something.
    Emit,
}

/// How much of a resource is touched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// All of it.
    Whole,
    /// What an argument says when it runs: a path, a URL, a program.
    Unknown,
    /// What an argument says in the text: a path, a URL (or its beginning, which ends behind its host), a program.
    Known(SmolStr),
}

impl What {
    /// An effect of which nothing more is known.
    fn whole(effect: Effect, resources: &Resources) -> Self {
        match effect {
            Effect::Read(resource) => Self::Read(resources.path(resource).into(), Part::Whole),
            Effect::Write(resource) => Self::Write(resources.path(resource).into(), Part::Whole),
            Effect::Model => Self::Model(None),
            Effect::Human => Self::Human(None),
            Effect::Clock => Self::Clock,
            Effect::Random => Self::Random,
            Effect::Emit => Self::Emit,
        }
    }

    /// What someone does who does it: "reads `net`", "asks a model".
    #[must_use]
    pub fn verb(&self) -> String {
        let with = |word: &str, path: &str| match path {
            "" => format!("{word} something outside"),
            path => format!("{word} `{path}`"),
        };
        match self {
            Self::Read(path, _) => with("reads", path),
            Self::Write(path, _) => with("writes", path),
            Self::Model(_) => "calls a model".into(),
            Self::Human(_) => "asks a person".into(),
            Self::Clock => "looks at the clock".into(),
            Self::Random => "draws by chance".into(),
            Self::Emit => "shows something".into(),
        }
    }
}

/// A need in words that a profile understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need<'a> {
    /// Reads or changes a resource.
    Resource {
        /// Whether it is changed.
        write: bool,
        /// Its dotted path.
        resource: &'a str,
        /// How much of it.
        part: &'a Part,
    },
    /// Asks the model that plays a role: its name, with its module in front if it is not of this file.
    Model(Option<&'a str>),
    /// Asks a person.
    Human(Option<&'a str>),
    /// Looks at the clock.
    Clock,
    /// Draws by chance.
    Random,
    /// Shows something.
    Emit,
}

/// What a profile says of a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All of it is granted.
    Granted,
    /// Some of it is: whether it is that, is known when it runs.
    WhenItRuns,
    /// Nothing of it is.
    Missing(Missing),
}

/// What is missing, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The effect as a header writes it: `write net api.example.com`.
    pub effect: String,
    /// The files that do not grant it: at least one.
    pub files: Vec<SmolStr>,
    /// What to write there: "add \"mail\" to `write`".
    pub advice: String,
}

/// What is granted. The files in which it stands are read by whoever implements it.
pub trait Profile {
    /// Whether a need is granted.
    fn verdict(&self, need: Need<'_>) -> Verdict;
}
