//! A value that is still growing: what has been seen of it so far.
//!
//! It accepts steps of growth in any order and can replay itself to a reader that comes late. It never decides what
//! the finished value is; that comes from the engine.

use kait_connect::{Growth, Path, Step};
use kait_ir::Value;
use smol_str::SmolStr;

/// What is known of a growing value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Live {
    /// Nothing yet.
    #[default]
    Empty,
    /// A text so far.
    Text(String),
    /// Items so far.
    List(Vec<Live>),
    /// Fields so far, by index; those behind the last known one are missing.
    Record(Vec<Live>),
    /// A variant and its payload so far.
    Variant(u32, Vec<Live>),
    /// Complete.
    Done(Value),
}

/// Items and fields above this index are ignored: no type is that wide and no leaf's limit allows such a list.
const MAX_INDEX: u32 = 4_000_000;

impl Live {
    /// Takes one step of growth.
    pub fn apply(&mut self, growth: &Growth) {
        match growth {
            Growth::Append { path, text } => {
                if let Some(place) = self.place(path) {
                    match place {
                        Self::Text(so_far) => so_far.push_str(text),
                        _ => *place = Self::Text(text.to_string()),
                    }
                }
            }
            Growth::Tag { path, variant } => {
                if let Some(place) = self.place(path)
                    && !matches!(place, Self::Variant(known, _) if known == variant)
                {
                    *place = Self::Variant(*variant, Vec::new());
                }
            }
            Growth::Set { path, value } => {
                if let Some(place) = self.place(path) {
                    *place = Self::Done(value.clone());
                }
            }
            Growth::Restart => *self = Self::Empty,
        }
    }

    /// Forgets what is known at the path.
    pub fn reset(&mut self, path: &[Step]) {
        if let Some(place) = self.place(path) {
            *place = Self::Empty;
        }
    }

    /// What is known at the path.
    pub fn at(&self, path: &[Step]) -> Option<&Self> {
        path.iter().try_fold(self, |place, step| match (place, step) {
            (Self::List(items), Step::Item(i)) => items.get(*i as usize),
            (Self::Record(fields) | Self::Variant(_, fields), Step::Field(i)) => {
                fields.get(*i as usize)
            }
            _ => None,
        })
    }

    /// What is known at the path, to be changed.
    pub fn at_mut(&mut self, path: &[Step]) -> Option<&mut Self> {
        path.iter().try_fold(self, |place, step| match (place, step) {
            (Self::List(items), Step::Item(i)) => items.get_mut(*i as usize),
            (Self::Record(fields) | Self::Variant(_, fields), Step::Field(i)) => {
                fields.get_mut(*i as usize)
            }
            _ => None,
        })
    }

    /// The place at the path, made if it is not there; `None` if it lies inside something complete.
    fn place(&mut self, path: &[Step]) -> Option<&mut Self> {
        path.iter().try_fold(self, |place, step| {
            let (Step::Field(index) | Step::Item(index)) = *step;
            if index > MAX_INDEX || matches!(place, Self::Done(_)) {
                return None;
            }
            let fits = matches!(
                (&*place, step),
                (Self::List(_), Step::Item(_))
                    | (Self::Record(_) | Self::Variant(..), Step::Field(_))
            );
            if !fits {
                *place = match step {
                    Step::Item(_) => Self::List(Vec::new()),
                    Step::Field(_) => Self::Record(Vec::new()),
                };
            }
            let parts = place.parts_mut()?;
            let index = index as usize;
            if parts.len() <= index {
                parts.resize(index + 1, Self::Empty);
            }
            parts.get_mut(index)
        })
    }

    fn parts_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::List(parts) | Self::Record(parts) | Self::Variant(_, parts) => Some(parts),
            _ => None,
        }
    }

    /// The steps that bring a reader from nothing to what is known here.
    pub fn replay(&self, to: &mut impl FnMut(Growth)) {
        self.replay_at(&mut Path::new(), to);
    }

    fn replay_at(&self, path: &mut Path, to: &mut impl FnMut(Growth)) {
        match self {
            Self::Empty => {}
            Self::Text(text) if text.is_empty() => {}
            Self::Text(text) => {
                to(Growth::Append { path: path.clone(), text: SmolStr::new(text) });
            }
            Self::Done(value) => to(Growth::Set { path: path.clone(), value: value.clone() }),
            Self::List(parts) => Self::replay_parts(parts, path, Step::Item, to),
            Self::Record(parts) => Self::replay_parts(parts, path, Step::Field, to),
            Self::Variant(variant, parts) => {
                to(Growth::Tag { path: path.clone(), variant: *variant });
                Self::replay_parts(parts, path, Step::Field, to);
            }
        }
    }

    fn replay_parts(
        parts: &[Self],
        path: &mut Path,
        step: fn(u32) -> Step,
        to: &mut impl FnMut(Growth),
    ) {
        for (index, part) in (0..).zip(parts) {
            path.push(step(index));
            part.replay_at(path, to);
            path.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(steps: &[Step]) -> Path {
        Path::from_slice(steps)
    }

    #[test]
    fn replay_gives_what_was_applied() {
        let steps = [
            Growth::Append { path: path(&[Step::Field(0)]), text: "He".into() },
            Growth::Append { path: path(&[Step::Field(0)]), text: "llo".into() },
            Growth::Set { path: path(&[Step::Field(1), Step::Item(0)]), value: Value::Int(1) },
            Growth::Append { path: path(&[Step::Field(1), Step::Item(1)]), text: "x".into() },
            Growth::Tag { path: path(&[Step::Field(3)]), variant: 2 },
        ];
        let mut first = Live::Empty;
        steps.iter().for_each(|step| first.apply(step));
        let mut second = Live::Empty;
        first.replay(&mut |step| second.apply(&step));
        assert_eq!(first, second);
        assert_eq!(first.at(&[Step::Field(0)]), Some(&Live::Text("Hello".into())));
    }

    #[test]
    fn nothing_grows_inside_what_is_complete() {
        let mut live = Live::Empty;
        live.apply(&Growth::Set { path: path(&[]), value: Value::text("done") });
        live.apply(&Growth::Append { path: path(&[Step::Field(0)]), text: "x".into() });
        assert_eq!(live, Live::Done(Value::text("done")));
    }
}
