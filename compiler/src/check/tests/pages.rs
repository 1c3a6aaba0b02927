//! The pages of the checker's codes: the wrong program raises exactly that code, the right ones nothing.

use super::{errors, shown};
use crate::diagnostics::Code;

/// The blocks of a page: whether it is wrong, and its text.
fn blocks(page: &str) -> Vec<(bool, String)> {
    let mut all = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in page.lines() {
        match (&mut open, line) {
            (None, "```kait wrong") => open = Some((true, String::new())),
            (None, "```kait") => open = Some((false, String::new())),
            (Some(_), "```") => all.extend(open.take()),
            (Some((_, text)), line) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, _) => {}
        }
    }
    all
}

#[test]
fn the_programs_of_the_pages_do_what_the_pages_say() {
    let ours = |code: &Code| {
        let code = code.as_str();
        matches!(code, "K0084" | "K0085" | "K0803")
            || ("K0302".."K0306").contains(&code)
            || ("K0401".."K0439").contains(&code)
    };
    let mut count = 0;
    for code in Code::ALL.iter().filter(|code| ours(code)) {
        let blocks = blocks(code.info().page);
        assert!(blocks.iter().any(|(wrong, _)| !wrong), "{code}: no right program");
        for (wrong, text) in blocks {
            let found = errors(&text);
            if wrong {
                assert_eq!(found.len(), 1, "{code}: {}", shown(&text, &found));
                assert_eq!(found[0].code, code.as_str(), "{}", shown(&text, &found));
                let has_fix = !found[0].fixes.is_empty();
                assert!(
                    code.info().has_fix || !has_fix,
                    "{code}: the table says that there is no fix"
                );
            } else {
                assert!(found.is_empty(), "{code}: {}", shown(&text, &found));
            }
            count += 1;
        }
    }
    assert!(count > 80, "only {count} programs");
}
