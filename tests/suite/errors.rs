//! What a terminal shows of wrong programs: `tests/corpus/errors/NAME.kait` and beside it `NAME.txt`.
//! `UPDATE=1` writes the latter. Read the difference as a user would.

use std::collections::BTreeSet;
use std::fs;

use kait_compiler::compile;
use kait_compiler::diagnostics::Code;
use kait_compiler::diagnostics::fixes::{self, Choice};
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::sources::MemorySources;
use kait_tests::sources;

/// Name and text of every wrong program.
fn programs() -> Vec<(String, String)> {
    let folder = sources::root().join("tests/corpus/errors");
    let mut programs: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "kait"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    programs.sort();
    programs
}

#[test]
fn terminals_show_what_the_goldens_say() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    let all = programs();
    assert!(all.len() > 10, "the corpus was not found");
    for (name, text) in all {
        let sources = MemorySources::single(name.as_str(), text.as_str());
        let compiled = compile(&sources, &[name.as_str()]);
        seen.extend(compiled.diagnostics.iter().map(|finding| finding.code.clone()));
        let mut shown = terminal::render(&compiled.diagnostics, &compiled.files, Style::default());
        if shown.is_empty() {
            wrong.push(format!("{name}: nothing is wrong with it"));
        }
        let id = compiled.files.find(&name).unwrap();
        let (fixed, count) = fixes::apply(id, &text, &compiled.diagnostics, Choice::All);
        if count > 0 {
            shown.push_str(&format!("\n---- with {count} fixes ----\n{fixed}"));
        }
        let golden =
            sources::root().join("tests/corpus/errors").join(name.replace(".kait", ".txt"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&golden, &shown).unwrap();
        } else if fs::read_to_string(&golden).ok().as_deref() != Some(shown.as_str()) {
            wrong.push(format!("{name}:\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Codes of stages that `compile` does not run yet.
const LATER: &[&str] = &[];

#[test]
fn pages_are_right() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let page = code.info().page;
        for (info, line, program) in blocks(page) {
            let is_wrong = info == "kait wrong";
            if !is_wrong && info != "kait" {
                continue;
            }
            let compiled = compile(&MemorySources::single("page.kait", program), &["page.kait"]);
            let raised = compiled.diagnostics.iter().any(|finding| finding.code == code.as_str());
            let found = terminal::render(&compiled.diagnostics, &compiled.files, Style::default());
            if is_wrong && !raised && !LATER.contains(&code.as_str()) {
                wrong.push(format!(
                    "{code}.md:{line}: the wrong program does not raise it\n{found}"
                ));
            }
            if !is_wrong && compiled.has_errors() {
                wrong.push(format!("{code}.md:{line}: the right program has errors\n{found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Codes whose page shows no wrong program, because one file in memory cannot raise them. The other side says which test
/// does.
const RAISED_ELSEWHERE: &[(&str, &str)] = &[
    ("K0004", "deep_code_is_refused, below"),
    ("K0009", "the parser's tests: a file beyond 64 MiB"),
    ("K0091", "none: it would be repaired"),
    ("K0092", "the tests of lowering"),
    ("K0099", "the tests of the sink"),
    ("K0210", "the tests of modules"),
    ("K0212", "the tests of modules"),
    ("K0218", "the tests of modules"),
    ("K0434", "large_matches_are_refused, below"),
    ("K0801", "the tests of the command line, and the specification"),
    ("K0804", "the tests of the command line, and the specification"),
    ("K0901", "the tests of modules"),
    ("K0902", "the tests of the command line"),
];

#[test]
fn every_code_is_raised_by_a_test() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let listed = RAISED_ELSEWHERE.iter().any(|(known, _)| *known == code.as_str());
        // Failures of runs are raised by the tests of the runtime and of the command line.
        let at_run_time = code.as_str() >= "K9000";
        let shown = code.info().page.contains("```kait wrong\n");
        if shown == (listed || at_run_time) {
            wrong.push(format!("{code}: {}", if shown { "is shown" } else { "is not shown" }));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn deep_code_is_refused() {
    let deep = format!("fn f(n: int) -> int {{\n  {}n{}\n}}\n", "(".repeat(400), ")".repeat(400));
    let compiled = compile(&MemorySources::single("deep.kait", deep), &["deep.kait"]);
    let codes: Vec<_> = compiled.diagnostics.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["K0004"]);
}

/// Whether patterns cover everything is as hard as satisfiability: each arm here is a clause of three of forty truths.
#[test]
fn large_matches_are_refused() {
    let mut random = fastrand::Rng::with_seed(3);
    let fields: String = (0..40).map(|i| format!("  f{i}: bool\n")).collect();
    let mut arms = String::new();
    for _ in 0..160 {
        let first = random.usize(..13);
        let parts: Vec<_> = [first, first + 13, first + 26]
            .map(|i| (i + random.usize(..2), random.bool()))
            .map(|(i, value)| format!("f{i}: {value}"))
            .to_vec();
        arms.push_str(&format!("    R({}) => 1\n", parts.join(", ")));
    }
    let text =
        format!("record R {{\n{fields}}}\nfn f(r: R) -> int {{\n  match r {{\n{arms}  }}\n}}\n");
    let compiled = compile(&MemorySources::single("large.kait", text), &["large.kait"]);
    let codes: Vec<_> = compiled.diagnostics.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["K0434"]);
}

/// Code blocks with their info and line.
fn blocks(markdown: &str) -> Vec<(String, usize, String)> {
    let mut blocks = Vec::new();
    let mut lines = (1..).zip(markdown.lines());
    while let Some((number, line)) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let body: String = lines
                .by_ref()
                .take_while(|(_, line)| *line != "```")
                .map(|(_, line)| format!("{line}\n"))
                .collect();
            blocks.push((info.to_owned(), number, body));
        }
    }
    blocks
}
