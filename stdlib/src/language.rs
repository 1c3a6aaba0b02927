//! The words that the language itself gives a meaning, from `stdlib/language.md`: read once, for `kait explain`, for
//! editors and for the tests that run the examples.

use std::sync::LazyLock;

/// Words of the language that share an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What they are: `type`, `declaration`, `expression`, `policy` …
    pub kind: &'static str,
    /// The words.
    pub names: Vec<&'static str>,
    /// How they are written, a form a line.
    pub form: &'static str,
    /// What they mean, as Markdown.
    pub docs: &'static str,
    /// A whole program, in standard form.
    pub example: &'static str,
    /// Whether the program's tests run, or it is only checked.
    pub run: bool,
    /// Related names, of the language or of the standard library.
    pub see: Vec<&'static str>,
    /// The line of the heading in `language.md`, counted from 1.
    pub line: usize,
}

static WORDS: LazyLock<Vec<Word>> = LazyLock::new(|| {
    let source = include_str!("../language.md");
    // A heading within an example would be none: programs have no line that begins with `## `.
    source.split("\n## ").skip(1).filter_map(|entry| parse(source, entry)).collect()
});

/// Every entry, in the order of the file.
pub fn language() -> &'static [Word] {
    &WORDS
}

fn parse(source: &'static str, entry: &'static str) -> Option<Word> {
    let (heading, body) = entry.split_once('\n')?;
    // The kind is all but the last words, which are the names.
    let first = heading.split(',').next()?;
    let (kind, _) = first.rsplit_once(' ')?;
    let names = heading.get(kind.len()..)?.split(',').map(str::trim).collect();
    let (form, body) = fenced(body, "```form\n")?;
    let run = body.contains("```kait\n");
    let fence = if run { "```kait\n" } else { "```kait,check\n" };
    let docs = body.split(fence).next()?.trim();
    let (example, body) = fenced(body, fence)?;
    let see = body.trim().strip_prefix("See: ")?.split(", ").map(str::trim).collect();
    let offset = entry.as_ptr() as usize - source.as_ptr() as usize;
    // The marks of the heading stand before its words.
    let line = source.get(..offset)?.lines().count();
    Some(Word { kind, names, form: form.trim_end(), docs, example, run, see, line })
}

/// What stands in a fence, and what follows it.
fn fenced(body: &'static str, open: &str) -> Option<(&'static str, &'static str)> {
    let (_, rest) = body.split_once(open)?;
    rest.split_once("```\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_heading_is_an_entry() {
        let source = include_str!("../language.md");
        assert_eq!(language().len(), source.matches("\n## ").count());
        let of = |name: &str| language().iter().find(|word| word.names.contains(&name)).unwrap();
        let each = of("for");
        assert_eq!((each.kind, each.names.as_slice()), ("expression", &["for", "in"][..]));
        assert!(each.form.starts_with("for PATTERN") && each.docs.starts_with("One result"));
        assert!(each.run && each.example.contains("test \"map and filter\""));
        assert_eq!(each.see[0], "loop");
        assert_eq!(source.lines().nth(each.line - 1), Some("## expression for, in"));
        assert_eq!(of("system").kind, "prompt item");
        assert!(!of("agent").run);
    }

    #[test]
    fn no_word_of_a_kind_stands_twice() {
        let mut all: Vec<_> =
            language().iter().flat_map(|w| w.names.iter().map(|n| (w.kind, *n))).collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
