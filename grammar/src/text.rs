//! The grammar as text for people: the whole file, single rules with their comments, and the
//! keywords that it knows. It must not interpret the rules; that is for `accept` and `generate`.

use std::collections::BTreeSet;
use std::sync::OnceLock;

/// The whole grammar, as written.
pub const GRAMMAR: &str = include_str!("../kait.pest");

/// One rule of the grammar, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// Its name in the grammar. A trailing `_` keeps it apart from a word of the host language.
    pub name: &'static str,
    /// The rule with its comment, without the newline at its end.
    pub text: &'static str,
}

/// All rules, in the order of the file.
pub fn rules() -> &'static [RuleText] {
    static RULES: OnceLock<Vec<RuleText>> = OnceLock::new();
    RULES.get_or_init(|| {
        // A blank line ends a rule, and no rule has one inside; a test holds the file to it.
        GRAMMAR
            .split("\n\n")
            .filter_map(|block| {
                let text = block.trim_matches('\n');
                let head = text.lines().find(|line| !line.starts_with("//"))?;
                let (name, _) = head.split_once(" = ")?;
                Some(RuleText { name, text })
            })
            .collect()
    })
}

/// The text of one rule with its comment. `let` finds `let_` too.
pub fn rule(name: &str) -> Option<&'static str> {
    let find = |wanted: &str| rules().iter().find(|r| r.name == wanted).map(|r| r.text);
    find(name).or_else(|| find(&format!("{name}_")))
}

/// The words that are keywords somewhere in the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keywords {
    /// Refused as names.
    pub reserved: BTreeSet<&'static str>,
    /// Keywords in one place, names everywhere else.
    pub contextual: BTreeSet<&'static str>,
}

/// The keywords of the grammar, read from its text: what lexers and editors know is tested
/// against this.
pub fn keywords() -> Keywords {
    let words = |text: &'static str| {
        text.lines()
            .filter(|line| !line.starts_with("//"))
            .flat_map(|line| line.split('"').skip(1).step_by(2))
            .filter(|s| s.len() > 1 && s.bytes().all(|b| b.is_ascii_lowercase()))
    };
    let lexical = ["unit", "escape", "scalar", "str_"];
    let reserved: BTreeSet<_> = rule("reserved").map(words).into_iter().flatten().collect();
    let contextual = rules()
        .iter()
        .filter(|rule| !lexical.contains(&rule.name))
        .flat_map(|rule| words(rule.text))
        .filter(|word| !reserved.contains(word))
        .collect();
    Keywords { reserved, contextual }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_grammar_can_be_printed() {
        let pairs = pest_meta::parser::parse(pest_meta::parser::Rule::grammar_rules, GRAMMAR);
        let ast = pest_meta::parser::consume_rules(pairs.unwrap()).unwrap();
        let executed: Vec<_> = ast.iter().map(|rule| rule.name.as_str()).collect();
        let printed: Vec<_> = rules().iter().map(|rule| rule.name).collect();
        assert_eq!(executed, printed);
        for rule in rules() {
            assert!(rule.text.ends_with('}'), "{} is cut", rule.name);
        }
    }

    #[test]
    fn rules_are_found_by_the_word_they_begin_with() {
        assert!(rule("graph").unwrap().contains("\"graph\" ~ kw"));
        assert!(rule("let").unwrap().starts_with("/// A constant"));
        assert_eq!(rule("let"), rule("let_"));
        assert_eq!(rule("lets"), None);
    }

    #[test]
    fn keywords_are_those_of_the_language() {
        let words = |s: &'static str| s.split(' ').collect::<BTreeSet<_>>();
        let found = keywords();
        assert_eq!(
            found.reserved,
            words(
                "let if else match for in loop race try catch undo fail done next with and or not \
                 is true false none fn graph"
            )
        );
        assert_eq!(
            found.contextual,
            words(
                "stream use as pub record enum type model needs secret prompt agent extern from \
                 session trigger on test stub approve expect does where max parallel then after \
                 tools system user assistant messages trusted untrusted public private"
            )
        );
    }
}
