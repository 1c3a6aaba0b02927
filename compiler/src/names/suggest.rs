//! Did-you-mean: the known name that a wrong one most likely stands for.

use strsim::damerau_levenshtein;

/// The longest name that is compared letter by letter, in bytes: the cost grows with the square of it.
const MAX_COMPARED: usize = 128;

/// So many names are compared letter by letter; those behind them are too many for anybody's patience.
const MAX_COMPARISONS: usize = 20_000;

/// The candidate that is most like `wrong`, if one is like it at all: one changed character in three, or another ending.
///
/// Names that differ in case only or in the order of their words come first. Ties go to the first candidate, so the
/// order of the candidates should be that of nearness.
pub fn suggest<'n>(wrong: &str, candidates: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let limit = wrong.chars().count() / 3;
    let mut best: Option<(usize, &'n str)> = None;
    let mut with_stem = None;
    let mut comparisons = 0;
    for candidate in candidates {
        if candidate == wrong {
            continue;
        }
        if with_stem.is_none() && same_stem(wrong, candidate) {
            with_stem = Some(candidate);
        }
        if candidate.len().abs_diff(wrong.len()) > limit.max(2) && !same_words(wrong, candidate) {
            continue;
        }
        let is_long = candidate.len().max(wrong.len()) > MAX_COMPARED;
        let distance = if candidate.eq_ignore_ascii_case(wrong) || same_words(wrong, candidate) {
            0
        } else if is_long || comparisons == MAX_COMPARISONS {
            continue;
        } else {
            comparisons += 1;
            damerau_levenshtein(wrong, candidate)
        };
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate).or(with_stem)
}

/// Whether two names differ in a short ending only: `retries` and `retry`.
fn same_stem(a: &str, b: &str) -> bool {
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    common >= 4 && a.chars().count() <= common + 3 && b.chars().count() <= common + 3
}

/// Whether two names consist of the same words, whatever their order.
fn same_words(a: &str, b: &str) -> bool {
    if a.len() != b.len() || !a.contains('_') {
        return false;
    }
    let sorted = |name: &str| {
        let mut words: Vec<_> = name.split('_').map(str::to_owned).collect();
        words.sort_unstable();
        words
    };
    sorted(a) == sorted(b)
}

/// What other languages call a type of ours.
pub fn foreign_type(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "string" | "str" | "char" | "varchar" => "text",
        "integer" | "i32" | "i64" | "u32" | "u64" | "long" | "number" => "int",
        "double" | "f32" | "f64" | "decimal" | "real" => "float",
        "boolean" => "bool",
        "any" | "object" | "dict" | "value" | "dynamic" => "json",
        "date" | "datetime" | "timestamp" | "instant" => "time",
        "void" | "unit" | "null" | "nothing" | "undefined" => "none",
        "blob" | "buffer" => "bytes",
        _ => return None,
    })
}

/// What a function that other languages have is called here, whatever its module.
pub fn our_member(name: &str) -> Option<&'static str> {
    Some(match name {
        "len" | "size" | "count" => "length",
        "push" | "add" | "extend" | "concat" => "append",
        "uppercase" | "to_upper" | "to_upper_case" | "upcase" => "upper",
        "lowercase" | "to_lower" | "to_lower_case" | "downcase" => "lower",
        "strip" | "trim_end" | "trim_start" => "trim",
        "substring" | "substr" => "slice",
        "head" => "first",
        "sort_by" | "sorted" | "order_by" => "sort",
        "group_by" => "group",
        "parse" | "loads" | "from_json" => "decode",
        "stringify" | "dumps" | "to_json" => "encode",
        "find" => "index_of",
        "distinct" | "dedup" => "unique",
        "has" | "includes" => "contains",
        "get" | "download" | "load" | "open" => "fetch",
        "post" | "put" | "patch" => "request",
        _ => return None,
    })
}

/// What to write instead of a function that takes a function in other languages.
pub fn foreign_member(name: &str) -> Option<&'static str> {
    Some(match name {
        "map" | "for_each" | "flat_map" => {
            "`for x in xs { … }` gives the list of what its block gives"
        }
        "filter" => "`for x in xs if … { x }` keeps the items for which the condition holds",
        "reduce" | "fold" => {
            "a `loop` carries a value through its rounds; `list.sum` and others add up"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let names = ["customer", "order_id", "Label", "reply"];
        assert_eq!(suggest("custmer", names), Some("customer"));
        assert_eq!(suggest("id_order", names), Some("order_id"));
        assert_eq!(suggest("label", names), Some("Label"));
        assert_eq!(suggest("teh", ["the", "ten"]), Some("the"));
        assert_eq!(suggest("entirely_different", names), None);
        assert_eq!(suggest("retries", ["rate", "retry"]), Some("retry"));
        assert_eq!(suggest("customs_office", names), None);
        assert_eq!(suggest("x", ["y"]), None);
        assert_eq!(suggest("reply", ["reply"]), None);
    }

    #[test]
    fn foreign_types_are_known() {
        assert_eq!(foreign_type("String"), Some("text"));
        assert_eq!(foreign_type("boolean"), Some("bool"));
        assert_eq!(foreign_type("Ticket"), None);
    }
}
