//! Mistakes that have nothing to do with each other: each is found once, whichever stand beside it.

use std::collections::BTreeMap;

use kait_compiler::compile;
use kait_compiler::diagnostics::Diagnostic;
use kait_compiler::sources::MemorySources;

/// A statement with one mistake, and its code; `#` is a number that makes names different.
const MISTAKES: &[(&str, &str)] = &[
    // Habits of other languages.
    ("let a# = null", "K0013"),
    ("let a# = text.upper('abc')", "K0016"),
    ("let a# = b and !b", "K0014"),
    ("let a# = b && b", "K0014"),
    ("let a# = n === 1", "K0022"),
    ("let a# = list.take(xs, n = 2)", "K0036"),
    ("let a# = match n {\n    0 -> 1\n    _ => 2\n  }", "K0020"),
    ("let a# = await text.upper(t)", "K0024"),
    ("const a# = 1", "K0017"),
    ("let a# = n;", "K0015"),
    ("let a# = f\"hi {t}\"", "K0029"),
    ("let match = n + #", "K0010"),
    ("let aB# = n", "K0101"),
    ("let a# = [...xs]", "K0040"),
    ("let a# = \"\\q\"", "K0008"),
    // Names.
    ("let a# = list.lenght(xs)", "K0204"),
    ("let a# = nothere# + 1", "K0201"),
    ("let a# = t.upper()", "K0214"),
    // Types.
    ("let a#: int = t", "K0401"),
    ("let a# = 1 + true", "K0403"),
    ("let a# = text.pad(t, 10, \"x\")", "K0084"),
    ("let a# = text.upper(1)", "K0401"),
    ("let a# = n / 0", "K0435"),
    ("let a# = 1 == none", "K0405"),
    ("let a# = list.sort([[1]])", "K0403"),
];

const HEAD: &str = "(n: int, t: text, b: bool, xs: [int]) -> int {\n";

fn errors(text: &str) -> Vec<Diagnostic> {
    let compiled = compile(&MemorySources::single("main.kait", text), &["main.kait"]);
    compiled.diagnostics.into_iter().filter(Diagnostic::is_error).collect()
}

fn count<'a>(codes: impl Iterator<Item = &'a str>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for code in codes {
        *counts.entry(code.to_owned()).or_default() += 1;
    }
    counts
}

/// A choice of different mistakes.
fn six(random: &mut fastrand::Rng) -> Vec<(String, &'static str)> {
    let mut all: Vec<_> = MISTAKES.to_vec();
    random.shuffle(&mut all);
    let numbered = |(i, (text, code)): (usize, &(&str, &'static str))| {
        (text.replace('#', &i.to_string()), *code)
    };
    all.iter().take(6).enumerate().map(numbered).collect()
}

fn found(text: &str, mistakes: &[(String, &str)]) {
    let found = errors(text);
    let shown: Vec<_> = found.iter().map(|one| format!("{}: {}", one.code, one.message)).collect();
    assert_eq!(
        count(found.iter().map(|one| one.code.as_str())),
        count(mistakes.iter().map(|(_, code)| *code)),
        "{text}\n{shown:#?}"
    );
}

#[test]
fn each_mistake_alone_is_one_error() {
    for (text, code) in MISTAKES {
        let mistake = (text.replace('#', "1"), *code);
        found(&format!("fn f{HEAD}  {}\n  n\n}}\n", mistake.0), &[mistake]);
    }
}

#[test]
fn six_mistakes_in_one_body_are_six_errors() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..60 {
        let mistakes = six(&mut random);
        let lines: Vec<_> = mistakes.iter().map(|(text, _)| format!("  {text}\n")).collect();
        found(&format!("fn f{HEAD}{}  n\n}}\n", lines.concat()), &mistakes);
    }
}

#[test]
fn six_mistakes_in_six_declarations_are_six_errors() {
    let mut random = fastrand::Rng::with_seed(12);
    for _ in 0..60 {
        let mistakes = six(&mut random);
        let declared = mistakes.iter().enumerate();
        let text: Vec<_> =
            declared.map(|(i, (text, _))| format!("fn f{i}{HEAD}  {text}\n  n\n}}\n\n")).collect();
        found(&text.concat(), &mistakes);
    }
}
