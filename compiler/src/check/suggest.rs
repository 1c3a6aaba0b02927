//! Did-you-mean: the nearest of some names, or none if none is near.

/// The candidate that `name` most probably stands for: other case, or a small edit distance (Damerau-Levenshtein),
/// at most a third of the longer name.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let fold = |text: &str| text.replace('_', "").to_lowercase();
    let wanted = fold(name);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate == name {
            continue;
        }
        let distance = if fold(candidate) == wanted {
            0
        } else {
            let longer = name.chars().count().max(candidate.chars().count());
            let distance = strsim::damerau_levenshtein(name, candidate);
            if distance > longer.div_ceil(3) || distance >= longer {
                continue;
            }
            distance
        };
        if best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, name)| name)
}

/// `` `a` ``, `` `b` and `c` ``: a short list for a message, at most six names.
pub(crate) fn names<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = all.into_iter().collect();
    let shown: Vec<String> = all.iter().take(6).map(|name| format!("`{name}`")).collect();
    let more = all.len().saturating_sub(shown.len());
    if more > 0 {
        return format!("{} and {more} more", shown.join(", "));
    }
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, front)) => format!("{} and {last}", front.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let fields = ["headline", "points", "from_address"];
        assert_eq!(nearest("headlin", fields), Some("headline"));
        assert_eq!(nearest("fromAddress", fields), Some("from_address"));
        assert_eq!(nearest("colour", fields), None);
        assert_eq!(nearest("x", ["y"]), None);
    }

    #[test]
    fn lists_of_names_read_well() {
        assert_eq!(names(["a"]), "`a`");
        assert_eq!(names(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(names([]), "");
    }
}
