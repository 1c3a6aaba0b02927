//! Makes a text that shows a mistake small: takes out ever smaller runs of tokens as long as the
//! mistake stays (delta debugging after Zeller and Hildebrandt, 2002, complements only).

use kait_grammar::tokens;

/// Most calls of the test for one text; what is reached by then is the result.
const STEPS: usize = 4_000;

/// A part of `text`, as small as can be found, for which `shows` still holds. `text` itself if
/// it never does.
pub fn shrink(text: &str, mut shows: impl FnMut(&str) -> bool) -> String {
    let mut parts: Vec<&str> = tokens(text);
    let mut run = parts.len().div_ceil(2);
    let mut steps = 0;
    while run > 0 && steps < STEPS {
        let mut at = 0;
        let mut smaller = false;
        while at < parts.len() && steps < STEPS {
            steps += 1;
            let end = (at + run).min(parts.len());
            let mut without = parts.clone();
            without.drain(at..end);
            if shows(&without.concat()) {
                parts = without;
                smaller = true;
            } else {
                // Short runs are tried at every place: two tokens may only go together.
                at += if run > 8 { run } else { 1 };
            }
        }
        if run == 1 && !smaller {
            break;
        }
        run = if smaller { run.min(parts.len()).max(1) } else { run.div_ceil(2).min(run - 1) };
    }
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_matters_and_nothing_else() {
        let text = "let a = f(1, 2)\nlet b = [x: y]\nlet c = a ?? b".repeat(20);
        let small = shrink(&text, |t| t.contains('[') && t.matches("??").count() > 1);
        assert_eq!(small.len(), "[????".len(), "{small}");
        assert_eq!(shrink("abc", |_| false), "abc");
        assert_eq!(shrink("a b c", |_| true), "");
    }
}
