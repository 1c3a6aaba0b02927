//! Every wrong program of the project: pages of diagnostics, the specification, the corpora of errors, of defects and of
//! the fuzzer, and the habits that the parser knows. What is wrong with them is for whoever asks to find out.

use std::{fs, io};

use kait_syntax::codes::Code;

use crate::sources::{Source, files, root};
use crate::spec;

#[path = "../../compiler/syntax/src/parser/habits/tests/cases.rs"]
mod habits;

/// Where wrong programs stand.
const FOLDERS: &[&str] = &["tests/corpus/errors/", "tests/corpus/fuzz/", "tests/corpus/defects/"];

/// All of them, each a whole file. Some give warnings only, and a few of the fuzzer's nothing at all.
///
/// # Errors
/// A file cannot be read.
pub fn programs() -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    for path in files()? {
        let name = path.to_string_lossy().replace('\\', "/");
        let text = || fs::read_to_string(root().join(&path));
        if name.starts_with("docs/diagnostics/") && name.ends_with(".md") {
            let markdown = text()?;
            let blocks = blocks(&markdown, "kait wrong");
            found
                .extend(blocks.map(|(line, text)| Source { name: format!("{name}:{line}"), text }));
        } else if name.starts_with("tests/spec/") && name.ends_with(".md") {
            let cases = spec::cases(&text()?).into_iter().filter(|case| !case.expected.is_empty());
            found.extend(
                cases.map(|case| Source {
                    name: format!("{name}:{}", case.line),
                    text: case.program,
                }),
            );
        } else if name.ends_with(".kait") && FOLDERS.iter().any(|at| name.starts_with(at)) {
            let text = text()?;
            // Beside defects stand their repairs and tests, and of some only the profile says that they are wrong.
            let is_right = name.ends_with(".fixed.kait") || name.ends_with(".test.kait");
            if !is_right && !text.contains("// granted:") {
                found.push(Source { text, name });
            }
        }
    }
    for habits in [habits::BLOCKS, habits::NAMES, habits::EXPRESSIONS, habits::DECLARATIONS] {
        found.extend(habits.cases.iter().map(|(text, _, _)| Source {
            name: format!("habit `{text}`"),
            text: habits.place.replace('@', text),
        }));
    }
    Ok(found)
}

/// The code blocks of a Markdown text that are marked so, with the number of their first line.
fn blocks(markdown: &str, info: &str) -> impl Iterator<Item = (usize, String)> {
    let mut lines = markdown.lines().enumerate();
    std::iter::from_fn(move || {
        loop {
            let (number, line) = lines.next()?;
            let Some(found) = line.strip_prefix("```") else { continue };
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            let body: String = body.flat_map(|line| [line, "\n"]).collect();
            if found == info {
                return Some((number + 2, body));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found() {
        let all = programs().unwrap();
        let count = |start: &str| all.iter().filter(|one| one.name.starts_with(start)).count();
        for (start, least) in [
            ("docs/diagnostics/", 150),
            ("tests/spec/", 50),
            ("tests/corpus/errors/", 30),
            ("tests/corpus/fuzz/", 10),
            ("tests/corpus/defects/", 100),
            ("habit ", 80),
        ] {
            assert!(count(start) >= least, "{start}: {}", count(start));
        }
    }
}
