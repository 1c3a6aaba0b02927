//! Small damage to programs, for tests of recovery and of the agreement of two parsers: what
//! people's typing looks like between two valid programs. It knows tokens, but no syntax.

use fastrand::Rng;

use crate::text::keywords;

/// Tokens that are put in the place of others, besides keywords and tokens of the text itself.
const SYMBOLS: &[&str] = &[
    "(", ")", "[", "]", "{", "}", "${", "\"", "\"\"\"", "r\"", "\\", ",", ":", ".", "..", "?.",
    "?", "??", "|", "|>", "->", "=>", "=", "==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/",
    "%", "_", "\n", " ", "//", "///", "//!", "0", "1_000", "2.5s", "10usd", "x", "T", "é", ";",
    "'", "&&", "!", "return", "#", "\u{0}", "\r\n",
];

/// The text with one token deleted, doubled, swapped with its neighbour or replaced. The same seed
/// does the same. A text without tokens gets one.
pub fn mutate(text: &str, seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let mut parts = tokens(text);
    // Blanks are kept, but seldom the target.
    let solid: Vec<_> =
        (0..parts.len()).filter(|i| parts.get(*i).is_some_and(|t| *t != " ")).collect();
    let new = |rng: &mut Rng| -> &str {
        let known = keywords();
        match rng.usize(0..3) {
            0 => known.reserved.iter().chain(&known.contextual).nth(rng.usize(0..60)).copied(),
            1 => None,
            _ => rng.choice(tokens(text)),
        }
        .unwrap_or_else(|| rng.choice(SYMBOLS).copied().unwrap_or(" "))
    };
    let Some(at) = rng.choice(&solid).copied() else {
        return new(&mut rng).to_owned();
    };
    match rng.usize(0..4) {
        0 => drop(parts.remove(at)),
        1 => {
            if let Some(token) = parts.get(at).copied() {
                parts.insert(at, token);
            }
        }
        2 => {
            let other = solid.iter().copied().find(|i| *i > at).unwrap_or(at);
            parts.swap(at, other);
        }
        _ => {
            if let Some(token) = parts.get_mut(at) {
                *token = new(&mut rng);
            }
        }
    }
    parts.concat()
}

/// Cuts a text into pieces that put together give it again: words, numbers, operators, quotes,
/// newlines, runs of blanks, single other characters. Texts and comments are cut like code.
pub fn tokens(text: &str) -> Vec<&str> {
    const LONG: &[&str] = &[
        "\"\"\"", "///", "//!", "//", "${", "|>", "?.", "??", "..", "->", "=>", "==", "!=", "<=",
        ">=",
    ];
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let length = if first.is_ascii_alphanumeric() || first == '_' {
            run(|c| c.is_ascii_alphanumeric() || c == '_')
        } else if first == ' ' {
            run(|c| c == ' ')
        } else if let Some(long) = LONG.iter().find(|long| rest.starts_with(**long)) {
            long.len()
        } else {
            first.len_utf8()
        };
        let (token, tail) = rest.split_at(length);
        out.push(token);
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_put_together_give_the_text() {
        let text = "let x = \"a${b}\" // é\n  ??1_000ms\u{0}|>f()";
        assert_eq!(tokens(text).concat(), text);
        assert_eq!(tokens("a  |>b"), ["a", "  ", "|>", "b"]);
    }

    #[test]
    fn a_mutation_is_small_and_repeatable() {
        let text = "let x = f(1, b: 2)\nlet y = x";
        let mut changed = 0;
        for seed in 0..200 {
            let new = mutate(text, seed);
            assert_eq!(new, mutate(text, seed));
            assert!(new.len().abs_diff(text.len()) < 12, "{new}");
            changed += usize::from(new != text);
        }
        assert!(changed > 180);
        mutate("", 1);
    }
}
