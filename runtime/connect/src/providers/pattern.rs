//! Texts that match a regular expression: a walk over its syntax tree that takes one of the possible ways.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Longest text that is made; patterns that need more get none.
const LONGEST: usize = 8192;

/// A text that the pattern should match; `attempt` lets repetitions be longer, so that smallest lengths can be met.
/// `None` if the pattern cannot be read, or needs a text beyond [`LONGEST`]. Word boundaries and other conditions on
/// neighbours are not looked at: the caller checks what it gets.
pub(super) fn matching(
    pattern: &str,
    attempt: u64,
    random: &mut dyn FnMut() -> u64,
) -> Option<String> {
    let tree = regex_syntax::Parser::new().parse(pattern).ok()?;
    let mut text = String::new();
    walk(&tree, attempt, random, &mut text).then_some(text)
}

/// Appends what matches; false if the text grew too long. The parser bounds the depth of the tree.
fn walk(tree: &Hir, attempt: u64, random: &mut dyn FnMut() -> u64, text: &mut String) -> bool {
    if text.len() > LONGEST {
        return false;
    }
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            text.push_str(&String::from_utf8_lossy(&literal.0));
            true
        }
        HirKind::Class(class) => match member(class, random) {
            Some(c) => {
                text.push(c);
                true
            }
            None => false,
        },
        HirKind::Repetition(repetition) => {
            let more = if attempt == 0 { random() % 2 } else { random() % (attempt * 2 + 1) };
            let most = repetition.max.map_or(u64::MAX, u64::from);
            let times = u64::from(repetition.min).saturating_add(more).min(most);
            (0..times).all(|_| walk(&repetition.sub, attempt, random, text))
        }
        HirKind::Capture(capture) => walk(&capture.sub, attempt, random, text),
        HirKind::Concat(parts) => parts.iter().all(|part| walk(part, attempt, random, text)),
        HirKind::Alternation(ways) => {
            let way = usize::try_from(random() % (ways.len().max(1) as u64)).unwrap_or(0);
            ways.get(way).is_none_or(|way| walk(way, attempt, random, text))
        }
    }
}

/// A character of the class, one that people read well if there is one.
fn member(class: &Class, random: &mut dyn FnMut() -> u64) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.iter().map(|r| (u32::from(r.start()), u32::from(r.end()))).collect()
        }
        Class::Bytes(class) => {
            class.iter().map(|r| (u32::from(r.start()), u32::from(r.end()))).collect()
        }
    };
    let inside =
        |c: &char| ranges.iter().any(|(low, high)| (*low..=*high).contains(&u32::from(*c)));
    for readable in [
        "abcdefghijklmnopqrstuvwxyz",
        "0123456789",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "-_. ,:;!?/@#+*=()",
    ] {
        let members: Vec<char> = readable.chars().filter(inside).collect();
        if !members.is_empty() {
            // Digits are drawn among letters where both are possible, as in most identifiers.
            let pool = if readable.starts_with('a') && inside(&'0') && random().is_multiple_of(3) {
                "0123456789".chars().filter(inside).collect()
            } else {
                members
            };
            let drawn = usize::try_from(random() % (pool.len().max(1) as u64)).unwrap_or(0);
            return pool.get(drawn).copied();
        }
    }
    ranges.iter().find_map(|(low, high)| (*low..=*high).take(4096).find_map(char::from_u32))
}
