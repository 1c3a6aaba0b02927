//! Literate specification: Markdown whose programs say what the compiler finds in them.
//!
//! A block ```` ```kait ```` is a whole program. What is found on a line stands behind it, or on lines of their own
//! below it:
//!
//! ```text
//! let x = yy  //~ error[K0201]: `yy` is not known
//! //~ warning[K0217]: `x` is never used
//! reveal(x) //~ type: [text]
//! ```
//!
//! The words behind the code are a part of the message. Everything that is found must be announced, and everything that
//! is announced must be found. If nothing is wrong with a program, its tests run, and pass; a line of a test that does
//! not hold is marked `//~ fails[K0804]: part of the message`.
//!
//! Blocks ```` ```kait file NAME ```` and ```` ```toml file NAME ```` are further files, for the programs below them in the
//! same section.
//!
//! `reveal(name)` is not part of the language: it asks for the type of a local, or with `//~ stream: grows` how its value
//! is delivered, and its line is left out of the program. A block ```` ```output ```` behind a program is what a terminal
//! shows of it.

/// A program of the specification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// The line of its first line in the Markdown, from 1.
    pub line: usize,
    /// Other files of its package, by path: the blocks with a file name in the same section above it.
    pub files: Vec<(String, String)>,
    /// The program, with markers as comments and reveals as empty lines.
    pub program: String,
    /// What must be found.
    pub expected: Vec<Expected>,
    /// What is said about locals.
    pub reveals: Vec<Reveal>,
    /// What a terminal shows, if the text says that, with the lines of the block in the Markdown.
    pub output: Option<(std::ops::Range<usize>, String)>,
}

/// A finding that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// `error`, `warning` or `fails`.
    pub severity: String,
    /// `K0201`
    pub code: String,
    /// The line in the program, from 1.
    pub line: usize,
    /// Part of the message.
    pub part: String,
}

/// What is asked about a local.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Its type: `//~ type: [text]`.
    Type,
    /// How its value is delivered: `//~ stream: grows`.
    Stream,
}

/// A local about which something is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// The local.
    pub name: String,
    /// The question.
    pub asked: Asked,
    /// The answer.
    pub answer: String,
    /// The line in the program, from 1.
    pub line: usize,
}

/// The cases of a Markdown text.
#[must_use]
pub fn cases(markdown: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut files: Vec<(String, String)> = Vec::new();
    let mut lines = markdown.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.starts_with('#') {
            files.clear();
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        let first = number + 2;
        match info {
            "kait" => cases.push(Case { files: files.clone(), ..case(first, &body) }),
            "output" => {
                if let Some(case) = cases.last_mut() {
                    let text = body.iter().map(|line| format!("{line}\n")).collect();
                    case.output = Some((first - 1..first - 1 + body.len(), text));
                }
            }
            _ => {
                if let Some(("kait" | "toml", name)) = info.split_once(" file ") {
                    let text = body.iter().map(|line| format!("{line}\n")).collect();
                    files.retain(|(known, _)| known != name);
                    files.push((name.to_owned(), text));
                }
            }
        }
    }
    cases
}

fn case(first: usize, body: &[&str]) -> Case {
    let mut case = Case { line: first, ..Case::default() };
    let mut of_line = 0;
    for (number, line) in (1..).zip(body) {
        let (code, marker) = match line.split_once("//~") {
            Some((code, marker)) => (code, Some(marker.trim())),
            None => (*line, None),
        };
        let alone = code.trim().is_empty() && marker.is_some();
        if !alone {
            of_line = number;
        }
        let mut kept = *line;
        if let Some(marker) = marker {
            let question = [("type:", Asked::Type), ("stream:", Asked::Stream)]
                .into_iter()
                .find_map(|(word, asked)| Some((asked, marker.strip_prefix(word)?)));
            if let Some((asked, answer)) = question {
                let name = code.trim().strip_prefix("reveal(").and_then(|c| c.strip_suffix(')'));
                let (name, answer) = (name.unwrap_or_default().into(), answer.trim().into());
                case.reveals.push(Reveal { name, asked, answer, line: number });
                kept = "";
            } else if let Some(expected) = expected(marker, of_line) {
                case.expected.push(expected);
            } else {
                // Nothing is found with this code, so the mistake in the marker is shown.
                let (severity, code) = ("marker".to_owned(), marker.to_owned());
                let part = String::new();
                case.expected.push(Expected { severity, code, line: of_line, part });
            }
        }
        case.program.push_str(kept);
        case.program.push('\n');
    }
    case
}

/// `error[K0201]: part`
fn expected(marker: &str, line: usize) -> Option<Expected> {
    let (severity, rest) = marker.split_once('[')?;
    let (code, part) = rest.split_once(']')?;
    let part = part.strip_prefix(':').unwrap_or(part).trim().to_owned();
    Some(Expected { severity: severity.to_owned(), code: code.to_owned(), line, part })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_read() {
        let text = "# A\n```kait\nlet a = b //~ error[K0201]: not known\n//~ warning[K0217]\n\
                    reveal(a) //~ type: [text]\n```\n```output\nx\n```\n";
        let found = cases(text);
        assert_eq!(found.len(), 1);
        let case = &found[0];
        assert_eq!(case.line, 3);
        assert_eq!(case.program, "let a = b //~ error[K0201]: not known\n//~ warning[K0217]\n\n");
        let lines: Vec<_> = case.expected.iter().map(|e| (e.code.as_str(), e.line)).collect();
        assert_eq!(lines, [("K0201", 1), ("K0217", 1)]);
        assert_eq!(
            case.reveals[0],
            Reveal { name: "a".into(), asked: Asked::Type, answer: "[text]".into(), line: 3 }
        );
        assert_eq!(case.output, Some((7..8, "x\n".into())));
    }
}
