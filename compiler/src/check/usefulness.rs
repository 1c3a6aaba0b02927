//! Whether patterns cover every value, and whether each adds something: the algorithm of Luc Maranget, "Warnings for
//! pattern matching" (JFP 17, 2007), over a small language of patterns. Knows nothing of the HIR.

use crate::check::ty::LiteralKey;

/// Most steps (rows looked at) that all questions about one `match` may take together.
pub(super) const MAX_STEPS: u32 = 2_000_000;

/// A constructor: one way to make a value of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Ctor {
    /// The only way: a record, `none` where nothing else is possible.
    Only,
    /// `true`, `false`
    Bool(bool),
    /// A variant by index.
    Variant(u32),
    /// `none`
    None,
    /// Anything but `none`.
    Some,
    /// A list of that length, or of at least that length.
    List(u32, bool),
    /// Whole numbers from the first to the second.
    Range(i64, i64),
    /// A value among endlessly many.
    Literal(LiteralKey),
}

/// A pattern.
#[derive(Clone, Debug)]
pub(super) enum P {
    /// Everything.
    Any,
    /// A constructor with patterns for its parts.
    Ctor(Ctor, Vec<P>),
    /// One of these.
    Or(Vec<P>),
}

/// What the algorithm asks about types: each column has one.
pub(super) trait Shapes {
    /// A column's type.
    type Ty: Copy;
    /// All constructors of the type if they can be listed (and lists, ranges up to what `seen` tells apart).
    fn all(&mut self, ty: Self::Ty, seen: &[Ctor]) -> Option<Vec<Ctor>>;
    /// The types of a constructor's parts.
    fn parts(&mut self, ty: Self::Ty, ctor: &Ctor) -> Vec<Self::Ty>;
}

/// The steps ran out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLarge;

/// Questions about the patterns of one `match`; they share their steps.
pub(super) struct Question<'s, S> {
    shapes: &'s mut S,
    steps: u32,
}

type Row<'p> = Vec<&'p P>;

static ANY: P = P::Any;

impl<'s, S: Shapes> Question<'s, S> {
    pub fn new(shapes: &'s mut S) -> Self {
        Self { shapes, steps: 0 }
    }

    fn step(&mut self, rows: usize) -> Result<(), TooLarge> {
        self.steps = self.steps.saturating_add(1 + u32::try_from(rows).unwrap_or(u32::MAX));
        if self.steps > MAX_STEPS { Err(TooLarge) } else { Ok(()) }
    }

    /// Whether some value matches `pattern` and none of `rows`.
    pub fn useful(&mut self, rows: &[&P], ty: S::Ty, pattern: &P) -> Result<bool, TooLarge> {
        let rows: Vec<Row<'_>> = rows.iter().map(|row| vec![*row]).collect();
        self.useful_in(rows, &[ty], &[pattern])
    }

    /// A value that no row covers, as a pattern; `None` if there is none.
    pub fn missing(&mut self, rows: &[&P], ty: S::Ty) -> Result<Option<P>, TooLarge> {
        let rows: Vec<Row<'_>> = rows.iter().map(|row| vec![*row]).collect();
        Ok(self.missing_in(rows, &[ty])?.and_then(|mut all| all.pop()))
    }

    fn useful_in(
        &mut self,
        rows: Vec<Row<'_>>,
        tys: &[S::Ty],
        pattern: &[&P],
    ) -> Result<bool, TooLarge> {
        self.step(rows.len())?;
        let (Some((ty, rest_tys)), Some((head, rest))) = (tys.split_first(), pattern.split_first())
        else {
            return Ok(rows.is_empty());
        };
        let rows = expand(rows);
        match head {
            P::Or(all) => {
                for one in all {
                    let mut pattern = vec![one];
                    pattern.extend(rest);
                    if self.useful_in(rows.clone(), tys, &pattern)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            P::Ctor(ctor, parts) => {
                // A range or open list is split where the rows cut it.
                for piece in self.pieces(*ty, ctor, &rows) {
                    let part_tys = self.shapes.parts(*ty, &piece);
                    let mut pattern: Vec<&P> = fill(parts, part_tys.len());
                    pattern.extend(rest);
                    let tys: Vec<S::Ty> =
                        part_tys.iter().copied().chain(rest_tys.iter().copied()).collect();
                    let rows = specialize(&rows, &piece, part_tys.len());
                    if self.useful_in(rows, &tys, &pattern)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            P::Any => {
                let seen = seen(&rows);
                match self.shapes.all(*ty, &seen) {
                    Some(all) if all.iter().all(|ctor| covered(ctor, &seen)) => {
                        for ctor in all {
                            let part_tys = self.shapes.parts(*ty, &ctor);
                            let mut pattern: Vec<&P> = vec![&ANY; part_tys.len()];
                            pattern.extend(rest);
                            let tys: Vec<S::Ty> =
                                part_tys.iter().copied().chain(rest_tys.iter().copied()).collect();
                            let rows = specialize(&rows, &ctor, part_tys.len());
                            if self.useful_in(rows, &tys, &pattern)? {
                                return Ok(true);
                            }
                        }
                        Ok(false)
                    }
                    _ => self.useful_in(default(&rows), rest_tys, rest),
                }
            }
        }
    }

    fn missing_in(
        &mut self,
        rows: Vec<Row<'_>>,
        tys: &[S::Ty],
    ) -> Result<Option<Vec<P>>, TooLarge> {
        self.step(rows.len())?;
        let Some((ty, rest_tys)) = tys.split_first() else {
            return Ok(rows.is_empty().then(Vec::new));
        };
        let rows = expand(rows);
        let seen = seen(&rows);
        let all = self.shapes.all(*ty, &seen);
        let absent = all.as_ref().map(|all| all.iter().find(|ctor| !covered(ctor, &seen)).cloned());
        match (all, absent) {
            (Some(all), Some(None)) => {
                for ctor in all {
                    let part_tys = self.shapes.parts(*ty, &ctor);
                    let count = part_tys.len();
                    let tys: Vec<S::Ty> =
                        part_tys.into_iter().chain(rest_tys.iter().copied()).collect();
                    let rows = specialize(&rows, &ctor, count);
                    if let Some(mut found) = self.missing_in(rows, &tys)? {
                        let rest = found.split_off(count.min(found.len()));
                        let mut whole = vec![P::Ctor(ctor, found)];
                        whole.extend(rest);
                        return Ok(Some(whole));
                    }
                }
                Ok(None)
            }
            (_, absent) => {
                let Some(rest) = self.missing_in(default(&rows), rest_tys)? else {
                    return Ok(None);
                };
                let head = match absent.flatten() {
                    // Nothing was told apart here, so the witness tells nothing apart, either.
                    Some(_) if seen.is_empty() => P::Any,
                    Some(ctor) => {
                        let count = self.shapes.parts(*ty, &ctor).len();
                        P::Ctor(ctor, vec![P::Any; count])
                    }
                    None => P::Any,
                };
                let mut whole = vec![head];
                whole.extend(rest);
                Ok(Some(whole))
            }
        }
    }

    /// A constructor cut along the constructors of the rows.
    fn pieces(&mut self, ty: S::Ty, ctor: &Ctor, rows: &[Row<'_>]) -> Vec<Ctor> {
        match ctor {
            Ctor::Range(..) | Ctor::List(_, true) => {
                let mut seen = seen(rows);
                seen.push(ctor.clone());
                match self.shapes.all(ty, &seen) {
                    Some(all) => all.into_iter().filter(|piece| covers(ctor, piece)).collect(),
                    None => vec![ctor.clone()],
                }
            }
            _ => vec![ctor.clone()],
        }
    }
}

/// Alternatives at the head become rows of their own.
fn expand(rows: Vec<Row<'_>>) -> Vec<Row<'_>> {
    if !rows.iter().any(|row| matches!(row.first(), Some(P::Or(_)))) {
        return rows;
    }
    let mut out = Vec::with_capacity(rows.len());
    for row in rows {
        push_expanded(row, &mut out);
    }
    out
}

fn push_expanded<'p>(row: Row<'p>, out: &mut Vec<Row<'p>>) {
    match row.first() {
        Some(P::Or(all)) => {
            for one in all {
                let mut new = row.clone();
                new[0] = one;
                push_expanded(new, out);
            }
        }
        _ => out.push(row),
    }
}

/// The constructors at the heads of rows, each once.
fn seen(rows: &[Row<'_>]) -> Vec<Ctor> {
    let mut all = Vec::new();
    let mut known = rustc_hash::FxHashSet::default();
    for row in rows {
        if let Some(P::Ctor(ctor, _)) = row.first()
            && known.insert(ctor.clone())
        {
            all.push(ctor.clone());
        }
    }
    all
}

/// Whether every value of `inner` is one of `outer`.
fn covers(outer: &Ctor, inner: &Ctor) -> bool {
    match (outer, inner) {
        (Ctor::Range(a, b), Ctor::Range(c, d)) => a <= c && d <= b,
        (Ctor::List(n, true), Ctor::List(m, _)) => m >= n,
        (Ctor::List(n, false), Ctor::List(m, open)) => !open && n == m,
        _ => outer == inner,
    }
}

fn covered(ctor: &Ctor, seen: &[Ctor]) -> bool {
    seen.iter().any(|outer| covers(outer, ctor))
}

/// The rows that can match values of `ctor`, its parts in front.
fn specialize<'p>(rows: &[Row<'p>], ctor: &Ctor, count: usize) -> Vec<Row<'p>> {
    let mut out = Vec::new();
    for row in rows {
        let Some((head, rest)) = row.split_first() else { continue };
        match head {
            P::Any => {
                let mut new: Row<'p> = vec![&ANY; count];
                new.extend(rest);
                out.push(new);
            }
            P::Ctor(outer, parts) if covers(outer, ctor) => {
                let mut new = fill(parts, count);
                new.extend(rest);
                out.push(new);
            }
            _ => {}
        }
    }
    out
}

/// The parts of a pattern; an open list has as many more as the piece at hand.
fn fill(parts: &[P], count: usize) -> Vec<&P> {
    let mut all: Vec<&P> = parts.iter().take(count).collect();
    all.resize(count, &ANY);
    all
}

/// The rows that match whatever the head is.
fn default<'p>(rows: &[Row<'p>]) -> Vec<Row<'p>> {
    rows.iter()
        .filter_map(|row| match row.split_first() {
            Some((P::Any, rest)) => Some(rest.to_vec()),
            _ => None,
        })
        .collect()
}

/// The lengths of lists that `seen` tells apart: each fixed one up to the longest, and all longer ones together.
pub(super) fn list_lengths(seen: &[Ctor]) -> Vec<Ctor> {
    let longest = seen
        .iter()
        .map(|ctor| match ctor {
            Ctor::List(n, false) => n + 1,
            Ctor::List(n, true) => *n,
            _ => 0,
        })
        .max()
        .unwrap_or(0);
    let mut all: Vec<Ctor> = (0..longest).map(|n| Ctor::List(n, false)).collect();
    all.push(Ctor::List(longest, true));
    all
}

/// The ranges of whole numbers between `low` and `high` that `seen` tells apart.
pub(super) fn int_ranges(seen: &[Ctor], low: i64, high: i64) -> Vec<Ctor> {
    // Where a range starts or the number after one ends, a new piece begins. In 128 bits nothing overflows.
    let mut cuts: Vec<i128> = vec![i128::from(low), i128::from(high) + 1];
    for ctor in seen {
        if let Ctor::Range(a, b) = ctor {
            cuts.push(i128::from(*a));
            cuts.push(i128::from(*b) + 1);
        }
    }
    cuts.retain(|cut| (i128::from(low)..=i128::from(high) + 1).contains(cut));
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2)
        .filter_map(|pair| match pair {
            [a, b] => Some(Ctor::Range(i64::try_from(*a).ok()?, i64::try_from(b - 1).ok()?)),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Types of a toy: bool, an int between 0 and 9, a pair of bools, a list of bools, an optional bool.
    #[derive(Clone, Copy, PartialEq)]
    enum Toy {
        Bool,
        Digit,
        Pair,
        List,
        Optional,
        Text,
    }

    struct Toys;

    impl Shapes for Toys {
        type Ty = Toy;

        fn all(&mut self, ty: Toy, seen: &[Ctor]) -> Option<Vec<Ctor>> {
            match ty {
                Toy::Bool => Some(vec![Ctor::Bool(false), Ctor::Bool(true)]),
                Toy::Digit => Some(int_ranges(seen, 0, 9)),
                Toy::Pair => Some(vec![Ctor::Only]),
                Toy::List => Some(list_lengths(seen)),
                Toy::Optional => Some(vec![Ctor::None, Ctor::Some]),
                Toy::Text => None,
            }
        }

        fn parts(&mut self, ty: Toy, ctor: &Ctor) -> Vec<Toy> {
            match (ty, ctor) {
                (Toy::Pair, _) => vec![Toy::Bool, Toy::Bool],
                (Toy::List, Ctor::List(n, _)) => vec![Toy::Bool; *n as usize],
                (Toy::Optional, Ctor::Some) => vec![Toy::Bool],
                _ => Vec::new(),
            }
        }
    }

    fn bool(b: bool) -> P {
        P::Ctor(Ctor::Bool(b), vec![])
    }

    fn missing(rows: &[P], ty: Toy) -> Option<P> {
        let rows: Vec<&P> = rows.iter().collect();
        Question::new(&mut Toys).missing(&rows, ty).expect("small")
    }

    fn useful(rows: &[P], ty: Toy, pattern: &P) -> bool {
        let rows: Vec<&P> = rows.iter().collect();
        Question::new(&mut Toys).useful(&rows, ty, pattern).expect("small")
    }

    #[test]
    fn finite_types_are_covered_by_their_constructors() {
        assert!(missing(&[bool(true), bool(false)], Toy::Bool).is_none());
        let found = missing(&[bool(true)], Toy::Bool);
        assert!(matches!(found, Some(P::Ctor(Ctor::Bool(false), _))), "{found:?}");
        assert!(missing(&[], Toy::Bool).is_some());
        assert!(missing(&[P::Any], Toy::Text).is_none());
    }

    #[test]
    fn pairs_are_covered_by_combinations() {
        let pair = |a: P, b: P| P::Ctor(Ctor::Only, vec![a, b]);
        let rows = [pair(bool(true), P::Any), pair(P::Any, bool(true))];
        let found = missing(&rows, Toy::Pair);
        let Some(P::Ctor(Ctor::Only, parts)) = found else { panic!("{found:?}") };
        assert!(parts.iter().all(|part| matches!(part, P::Ctor(Ctor::Bool(false), _))));
        let rows = [rows[0].clone(), rows[1].clone(), pair(bool(false), bool(false))];
        assert!(missing(&rows, Toy::Pair).is_none());
        assert!(!useful(&rows[..2], Toy::Pair, &pair(bool(true), bool(true))));
    }

    #[test]
    fn ranges_are_cut_where_they_meet() {
        let range = |a, b| P::Ctor(Ctor::Range(a, b), vec![]);
        assert!(missing(&[range(0, 4), range(5, 9)], Toy::Digit).is_none());
        let found = missing(&[range(0, 3), range(5, 9)], Toy::Digit);
        assert!(matches!(found, Some(P::Ctor(Ctor::Range(4, 4), _))), "{found:?}");
        assert!(!useful(&[range(0, 4), range(5, 9)], Toy::Digit, &range(3, 6)));
        assert!(useful(&[range(0, 4)], Toy::Digit, &range(3, 6)));
    }

    #[test]
    fn lists_are_told_apart_by_length() {
        let list = |parts: Vec<P>, open| {
            P::Ctor(Ctor::List(u32::try_from(parts.len()).expect("small"), open), parts)
        };
        let rows = [list(vec![], false), list(vec![P::Any], true)];
        assert!(missing(&rows, Toy::List).is_none());
        let rows = [list(vec![], false), list(vec![P::Any, P::Any], true)];
        let found = missing(&rows, Toy::List);
        assert!(matches!(found, Some(P::Ctor(Ctor::List(1, false), _))), "{found:?}");
        assert!(!useful(&rows[1..], Toy::List, &list(vec![P::Any; 3], false)));
    }

    #[test]
    fn optionals_have_none_and_the_rest() {
        let some = |p: P| P::Ctor(Ctor::Some, vec![p]);
        let none = P::Ctor(Ctor::None, vec![]);
        let rows = [none.clone(), some(bool(true))];
        assert!(missing(&rows, Toy::Optional).is_some());
        assert!(missing(&[none, some(P::Any)], Toy::Optional).is_none());
    }

    #[test]
    fn alternatives_count_one_by_one() {
        let both = P::Or(vec![bool(true), bool(false)]);
        assert!(missing(std::slice::from_ref(&both), Toy::Bool).is_none());
        assert!(!useful(&[both], Toy::Bool, &P::Any));
    }

    #[test]
    fn a_question_without_end_is_given_up() {
        // Pairs nested so that each row splits every column would take exponentially many steps.
        struct Wide;
        impl Shapes for Wide {
            type Ty = u32;
            fn all(&mut self, ty: u32, _: &[Ctor]) -> Option<Vec<Ctor>> {
                Some(if ty == 0 {
                    vec![Ctor::Bool(false), Ctor::Bool(true)]
                } else {
                    vec![Ctor::Only]
                })
            }
            fn parts(&mut self, ty: u32, _: &Ctor) -> Vec<u32> {
                vec![0; ty as usize]
            }
        }
        let size = 40usize;
        let rows: Vec<P> = (0..size)
            .map(|at| {
                let mut parts = vec![P::Any; size];
                parts[at] = bool(true);
                parts[(at + 7) % size] = bool(false);
                P::Ctor(Ctor::Only, parts)
            })
            .collect();
        let rows: Vec<&P> = rows.iter().collect();
        let mut wide = Wide;
        let mut question = Question::new(&mut wide);
        let result = question.useful(&rows, 40, &P::Any);
        assert!(matches!(result, Ok(_) | Err(TooLarge)));
        assert!(question.steps <= MAX_STEPS + 1 + 40);
    }
}
