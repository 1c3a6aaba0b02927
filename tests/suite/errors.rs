//! What a terminal shows of wrong programs: `tests/corpus/errors/NAME.kait` and beside it `NAME.txt`.
//! `UPDATE=1` writes the latter. Read the difference as a user would.

use std::fs;

use kait_compiler::diagnostics::fixes::{self, Choice};
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::diagnostics::{Code, Diagnostic};
use kait_compiler::sources::MemorySources;
use kait_compiler::{Compilation, compile};
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
    let all = programs();
    assert!(all.len() > 10, "the corpus was not found");
    for (name, text) in all {
        let sources = MemorySources::single(name.as_str(), text.as_str());
        let compiled = compile(&sources, &[name.as_str()]);
        let shown = rendered(&name, &text, &compiled);
        if shown.is_empty() {
            wrong.push(format!("{name}: nothing is wrong with it"));
        }
        compare(&name.replace(".kait", ".txt"), &shown, &mut wrong);
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Codes of stages that `compile` does not run yet.
const LATER: &[&str] = &[];

/// A program of a page, in a file of its own, with the other files that the page shows above it.
struct Program {
    line: usize,
    is_wrong: bool,
    sources: MemorySources,
    text: String,
}

const PAGE: &str = "page.kait";

impl Program {
    fn compile(&self) -> Compilation {
        compile(&self.sources, &[PAGE])
    }
}

/// The programs of a page: blocks ```` ```kait ```` are right, ```` ```kait wrong ```` raise the page's code, and
/// ```` ```kait file NAME ```` (or `toml file`) is a file for those below it.
fn programs_of(page: &str) -> Vec<Program> {
    let mut files = MemorySources::default();
    let mut programs = Vec::new();
    for (info, line, text) in blocks(page) {
        let file = ["kait file ", "toml file "].iter().find_map(|word| info.strip_prefix(word));
        if let Some(name) = file {
            files.insert(name, text);
        } else if info == "kait" || info == "kait wrong" {
            let mut sources = files.clone();
            sources.insert(PAGE, text.as_str());
            programs.push(Program { line, is_wrong: info == "kait wrong", sources, text });
        }
    }
    programs
}

#[test]
fn pages_are_right() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        for program in programs_of(code.info().page) {
            let compiled = program.compile();
            let raised = compiled.diagnostics.iter().any(|finding| finding.code == code.as_str());
            let found = terminal::render(&compiled.diagnostics, &compiled.files, Style::default());
            let line = program.line;
            if program.is_wrong && !raised && !LATER.contains(&code.as_str()) {
                wrong.push(format!(
                    "{code}.md:{line}: the wrong program does not raise it\n{found}"
                ));
            }
            let others = |f: &&Diagnostic| f.is_error() && f.code != code.as_str();
            if let Some(other) = compiled.diagnostics.iter().find(others)
                && program.is_wrong
            {
                wrong.push(format!(
                    "{code}.md:{line}: the wrong program raises {} as well\n{found}",
                    other.code
                ));
            }
            let is_fixed = |f: &Diagnostic| f.code == code.as_str() && !f.fixes.is_empty();
            if !code.info().has_fix && compiled.diagnostics.iter().any(is_fixed) {
                wrong.push(format!("{code}: the table says that there is no fix"));
            }
            if !program.is_wrong && compiled.has_errors() {
                wrong.push(format!("{code}.md:{line}: the right program has errors\n{found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What a terminal shows of the wrong programs of each page, and what their fixes make of them:
/// `tests/corpus/errors/CODE.txt`.
#[test]
fn every_code_has_its_golden() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        let mut shown = String::new();
        for program in programs_of(code.info().page).iter().filter(|program| program.is_wrong) {
            let compiled = program.compile();
            if !shown.is_empty() {
                shown.push_str("\n---- the next program ----\n");
            }
            shown.push_str(&rendered(PAGE, &program.text, &compiled));
        }
        if !shown.is_empty() {
            compare(&format!("{code}.txt"), &shown, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// `docs/diagnostics/README.md` lists the pages, family by family; `UPDATE=1` writes it.
#[test]
fn the_index_of_pages_is_complete() {
    const FAMILIES: &[(&str, &str)] = &[
        ("K00", "Syntax, and habits of other languages"),
        ("K01", "Style that is enforced"),
        ("K02", "Names"),
        ("K03", "Policies"),
        ("K04", "Types and bounds"),
        ("K05", "Effects, people and triggers"),
        ("K06", "Trust"),
        ("K07", "Agents and budgets"),
        ("K08", "Tests"),
        ("K09", "Files, packages and profiles"),
        ("K90", "Runs, commands and the server"),
    ];
    let mut text = String::from(
        "# Diagnostics\n\nEvery error and warning has a code, and every code a page: what is wrong, why it is refused, a \
         program that has it, and what to do. `kait explain CODE` prints it.\n",
    );
    let mut listed = 0;
    for (prefix, family) in FAMILIES {
        let codes: Vec<_> = Code::ALL.iter().filter(|c| c.as_str().starts_with(prefix)).collect();
        if codes.is_empty() {
            continue;
        }
        listed += codes.len();
        text.push_str(&format!("\n## {family}\n\n| code | what is wrong | fix |\n|---|---|---|\n"));
        for code in codes {
            let fix = if code.info().has_fix { "yes" } else { "" };
            text.push_str(&format!("| [{code}]({code}.md) | {} | {fix} |\n", code.info().title));
        }
    }
    assert_eq!(listed, Code::ALL.len(), "a code belongs to no family");
    let path = sources::root().join("docs/diagnostics/README.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "run it with UPDATE=1");
}

/// A fix that a code promises is there in the program of its page, and takes the mistake away.
#[test]
fn fixes_that_are_promised_help() {
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().filter(|code| code.info().has_fix) {
        let mut offered = 0;
        for program in programs_of(code.info().page).iter().filter(|program| program.is_wrong) {
            let compiled = program.compile();
            let of_code: Vec<_> = compiled
                .diagnostics
                .iter()
                .filter(|finding| finding.code == code.as_str() && !finding.fixes.is_empty())
                .cloned()
                .collect();
            offered += of_code.len();
            if of_code.is_empty() {
                continue;
            }
            let mut sources = program.sources.clone();
            let mut fixed = String::new();
            // What is to be mended may stand in another file.
            for (id, file) in compiled.files.iter().filter(|(_, f)| !f.path.starts_with("std/")) {
                let (text, count) = fixes::apply(id, file.text(), &of_code, Choice::All);
                if count > 0 {
                    fixed.push_str(&text);
                }
                sources.insert(&*file.path, text);
            }
            let again = compile(&sources, &[PAGE]);
            let left = again.diagnostics.iter().filter(|f| f.code == code.as_str()).count();
            let before = compiled.diagnostics.iter().filter(|f| f.code == code.as_str()).count();
            if left + of_code.len() > before {
                let line = program.line;
                wrong.push(format!("{code}.md:{line}: the fix leaves the mistake\n{fixed}"));
            }
        }
        if offered == 0 {
            wrong.push(format!("{code}: no program of its page is offered a fix"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What a terminal shows of a program, and what all its fixes make of it.
fn rendered(name: &str, text: &str, compiled: &Compilation) -> String {
    let mut shown = terminal::render(&compiled.diagnostics, &compiled.files, Style::default());
    let id = compiled.files.find(name).unwrap();
    let (fixed, count) = fixes::apply(id, text, &compiled.diagnostics, Choice::All);
    if count > 0 {
        let fixes = if count == 1 { "1 fix".to_owned() } else { format!("{count} fixes") };
        shown.push_str(&format!("\n---- with {fixes} ----\n{fixed}"));
    }
    shown
}

/// Compares with a golden of the corpus; `UPDATE=1` writes it.
fn compare(golden: &str, shown: &str, wrong: &mut Vec<String>) {
    let path = sources::root().join("tests/corpus/errors").join(golden);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, shown).unwrap();
    } else if fs::read_to_string(&path).ok().as_deref() != Some(shown) {
        wrong.push(format!("{golden}:\n{shown}"));
    }
}

/// Codes whose page shows no wrong program, because one file in memory cannot raise them. The other side says which test
/// does.
const RAISED_ELSEWHERE: &[(&str, &str)] = &[
    ("K0004", "deep_code_is_refused, below"),
    ("K0009", "the parser's tests: a file beyond 64 MiB"),
    ("K0091", "none: it would be repaired"),
    ("K0092", "the tests of lowering"),
    ("K0099", "the tests of the sink"),
    ("K0434", "large_matches_are_refused, below"),
    ("K0510", "the tests of grants, and of the command line"),
    ("K0604", "the tests of labels, and of the command line"),
    ("K0801", "the tests of the command line, and the specification"),
    ("K0804", "the tests of the command line, and the specification"),
    ("K0901", "the tests of modules"),
    ("K0902", "the tests of the command line"),
    ("K0907", "the tests of the command line"),
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
