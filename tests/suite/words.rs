//! The tables of words of the production parser are those of the grammar.

use std::collections::BTreeSet;

use kait_syntax::{SyntaxKind, keywords};

fn texts(table: &[SyntaxKind]) -> BTreeSet<&'static str> {
    keywords::texts(table).collect()
}

#[test]
fn keywords_are_those_of_the_grammar() {
    let grammar = kait_grammar::keywords();
    assert_eq!(texts(keywords::RESERVED), grammar.reserved);
    assert_eq!(texts(keywords::CONTEXTUAL), grammar.contextual);
}

#[test]
fn tables_are_those_of_the_rules() {
    let literals = |rule: &str| -> BTreeSet<&str> {
        let text = kait_grammar::rule(rule).unwrap();
        let code = text.lines().filter(|line| !line.starts_with("//"));
        code.flat_map(|line| line.split('"').skip(1).step_by(2)).collect()
    };
    let qualifiers: BTreeSet<_> =
        literals("qualifier").into_iter().filter(|s| !["none", "["].contains(s)).collect();
    assert_eq!(texts(keywords::QUALIFIERS), qualifiers);
    assert_eq!(texts(keywords::ROLES), literals("role"));
    let units = keywords::DURATION_UNITS.iter().chain(keywords::SIZE_UNITS).copied();
    assert_eq!(units.collect::<BTreeSet<_>>(), literals("unit"));
}
