//! Names of others as names of KAIT: `getFile` and `get-file` are `get_file`, and `GetFile` as a type.

use kait_syntax::keywords::RESERVED;
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::{SmolStr, format_smolstr};

/// Longest name that is made; what is longer is cut.
const MAX_NAME: usize = 80;

/// A name for a value: of a tool, a parameter or a field. `otherwise` if nothing of it can be a name.
pub(super) fn value_name(name: &str, otherwise: &str) -> String {
    if is_value_name(name) {
        return name.to_owned();
    }
    let mut made = String::new();
    for word in words(name) {
        if !made.is_empty() {
            made.push('_');
        }
        made.push_str(&word);
    }
    match made.as_bytes().first() {
        None => otherwise.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{made}"),
        Some(_) => made,
    }
}

/// A name for a type or a variant. `otherwise` if nothing of it can be a name.
pub(super) fn type_name(name: &str, otherwise: &str) -> String {
    let mut made = String::new();
    for word in words(name) {
        let mut letters = word.chars();
        made.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        made.push_str(letters.as_str());
    }
    match made.as_bytes().first() {
        None => otherwise.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("{otherwise}{made}"),
        Some(_) => made,
    }
}

/// Whether a word can be the name of something that is called: it is reserved otherwise.
pub(super) fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|kind| kind.fixed_text() == Some(name))
}

fn is_value_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
        && name.bytes().any(|c| c != b'_')
}

/// The words of a name, in lower case: they end where a sign stands, and where a capital begins a new one.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut length = 0;
    let letters: Vec<char> = name.chars().take(4 * MAX_NAME).collect();
    for (index, c) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|at| letters.get(at));
        let after = letters.get(index + 1);
        // `getFile` has two words, and so has `HTTPServer`.
        let begins = c.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || before.is_ascii_uppercase()
                        && after.is_some_and(|after| after.is_ascii_lowercase())
            });
        if !c.is_ascii_alphanumeric() || begins {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric()
            && length < MAX_NAME
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
            length += 1;
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Names that are taken in one scope.
#[derive(Default)]
pub(super) struct Taken {
    names: FxHashSet<SmolStr>,
    /// With which number to go on for a name that was wanted more than once.
    next: FxHashMap<SmolStr, u32>,
}

impl Taken {
    /// Takes a name, or one like it with a number behind it if it is taken already.
    pub fn take(&mut self, wanted: &str, sign: &str) -> SmolStr {
        let wanted = SmolStr::from(wanted);
        if self.names.insert(wanted.clone()) {
            return wanted;
        }
        let mut number = self.next.get(&wanted).copied().unwrap_or(2);
        loop {
            let name = format_smolstr!("{wanted}{sign}{number}");
            number += 1;
            if self.names.insert(name.clone()) {
                self.next.insert(wanted, number);
                return name;
            }
        }
    }

    /// Names for all of a list, in its order: who has the wanted name already keeps it, whoever else wants it.
    pub fn take_all(&mut self, all: &[(&str, String)], sign: &str) -> Vec<SmolStr> {
        let kept = |(own, wanted): &(&str, String)| *own == wanted.as_str();
        let mut names = vec![SmolStr::default(); all.len()];
        for is_kept in [true, false] {
            for (name, one) in names.iter_mut().zip(all).filter(|(_, one)| kept(one) == is_kept) {
                *name = self.take(&one.1, sign);
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_one_would_guess() {
        for (name, value, ty) in [
            ("add_labels", "add_labels", "AddLabels"),
            ("getFile", "get_file", "GetFile"),
            ("get-file.contents", "get_file_contents", "GetFileContents"),
            ("HTTPServer", "http_server", "HttpServer"),
            ("needs-info", "needs_info", "NeedsInfo"),
            ("page2Size", "page2_size", "Page2Size"),
            ("2fa", "_2fa", "X2fa"),
            ("_", "x", "X"),
            ("", "x", "X"),
            ("naïve", "na_ve", "NaVe"),
            ("名前", "x", "X"),
            ("C++", "c", "C"),
            ("_private", "_private", "Private"),
        ] {
            assert_eq!(value_name(name, "x"), value, "{name}");
            assert_eq!(type_name(name, "X"), ty, "{name}");
        }
        assert!(is_reserved("match") && is_reserved("none") && !is_reserved("max"));
        assert!(value_name(&"a".repeat(10_000), "x").len() <= 2 * MAX_NAME);
    }

    #[test]
    fn two_never_have_one_name() {
        let mut taken = Taken::default();
        let all = ["get-file", "get_file", "getFile", "get_file_2"];
        let all: Vec<_> = all.iter().map(|name| (*name, value_name(name, "x"))).collect();
        let names = taken.take_all(&all, "_");
        assert_eq!(names, ["get_file_3", "get_file", "get_file_4", "get_file_2"]);
    }
}
