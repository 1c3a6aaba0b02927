//! How a leaf's result grows: the typed steps that a leaf reports while it works.
//!
//! A leaf reports growth as soon as it knows it; the driver moves it to whoever watches. Paths are positions in the
//! typed value (field and item indices), never names on the wire.

use kait_ir::Value;
use smallvec::SmallVec;
use smol_str::SmolStr;

/// One step of a [`Path`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A field of a record, or of the variant that [`Growth::Tag`] named, by its index.
    Field(u32),
    /// An item of a list.
    Item(u32),
}

/// Where in the value something grows; empty for the whole.
pub type Path = SmallVec<[Step; 4]>;

/// One step of growth.
#[derive(Clone, Debug, PartialEq)]
pub enum Growth {
    /// The text at the path grows by this.
    Append {
        /// Where.
        path: Path,
        /// What is added; never empty.
        text: SmolStr,
    },
    /// The enum at the path turned out to be this variant; its payload is still to come.
    Tag {
        /// Where.
        path: Path,
        /// Index of the variant.
        variant: u32,
    },
    /// The value at the path is complete, and this is it, whole (also when it has grown before). A list's items and
    /// a record's fields are completed before the list or record; items in order.
    Set {
        /// Where.
        path: Path,
        /// The finished value.
        value: Value,
    },
    /// Everything so far is void: the answer is made again (a repair, another way of asking).
    Restart,
}

impl Growth {
    /// Growth of a plain text.
    pub fn text(text: impl Into<SmolStr>) -> Self {
        Self::Append { path: Path::new(), text: text.into() }
    }
}
