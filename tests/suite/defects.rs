//! Defects that other systems run into, each as the program that somebody would write here, and what becomes of it:
//! `tests/corpus/defects`.
//!
//! `NN-what.kait` has one defect, and is refused with one error, where `// refused: K0501` stands. Its first lines (`//!`)
//! say what goes wrong where it is allowed, and where that was seen. `NN-what.fixed.kait` is the smallest honest repair:
//! nothing is found in it. `NN-what.test.kait` shows what happens instead where a defect can only show itself in a run:
//! its tests pass. The tools of servers that the programs use are pinned by the `kait.lock` beside them. Behind
//! `// granted: ` stand the entries of a table `[grants]` that program and repair are checked against, as with `kait check
//! --profile`.
//!
//! `docs/defects.md` lists them; `UPDATE=1` writes it, also when the tests of errors alone are run with it: it repeats what
//! they say.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kait_compiler::diagnostics::Diagnostic;
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::fmt::{FormatError, format};
use kait_compiler::grants::{self, Missing, Verdict};
use kait_compiler::sources::MemorySources;
use kait_compiler::{Compilation, compile};
use kait_connect::{GrantTable, Need, Part, ProfileGrants, Reach};
use kait_tests::sources;

use crate::running::run_tests;

const FOLDER: &str = "tests/corpus/defects";
const LOCK: &str = "kait.lock";
const MARK: &str = "// refused: ";
const GRANTED: &str = "// granted: ";

/// What the programs are about: the first one of each group.
const GROUPS: &[(&str, &str)] = &[
    ("two-branches-write-one-field", "State and data"),
    ("unknown-route", "Routes, loops and bounds"),
    ("write-retried-without-a-key", "Effects and their order"),
    ("payment-that-nobody-approves", "People"),
    ("answer-of-a-model-used-undecoded", "Answers of models"),
    ("seconds-or-milliseconds", "Settings, models and tools"),
    ("secret-in-a-prompt", "Secrets"),
    ("shell-command-put-together-from-text", "Trust"),
    ("update-that-wants-more", "Grants"),
    ("state-read-from-outside-the-conversation", "Sessions and triggers"),
];

/// A program of the folder, with its first lines taken apart.
struct Program {
    number: usize,
    /// The name of its file without the ending.
    name: String,
    /// The file.
    file: String,
    text: String,
    /// The paragraphs of its `//!` lines.
    about: Vec<String>,
}

/// All programs whose file ends so (`.kait` alone: those that are refused), by number.
fn programs(ending: &str) -> Vec<Program> {
    let mut found: Vec<Program> = fs::read_dir(sources::root().join(FOLDER))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter_map(|file| {
            let name = file.strip_suffix(ending).filter(|name| !name.contains('.'))?.to_owned();
            let number = name.split('-').next()?.parse().unwrap();
            let text = fs::read_to_string(sources::root().join(FOLDER).join(&file)).unwrap();
            let about = paragraphs(&text);
            Some(Program { number, name, file, text, about })
        })
        .collect();
    found.sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
    found
}

/// The paragraphs of the `//!` lines at the top.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.trim();
        let last = paragraphs.last_mut().unwrap();
        if line.is_empty() {
            paragraphs.push(String::new());
        } else if last.is_empty() {
            line.clone_into(last);
        } else {
            *last = format!("{last} {line}");
        }
    }
    paragraphs
}

impl Program {
    fn compile(&self) -> Compilation {
        let lock = fs::read_to_string(sources::root().join(FOLDER).join(LOCK)).unwrap();
        let mut sources = MemorySources::single(self.file.as_str(), self.text.as_str());
        sources.insert(LOCK, lock.as_str());
        let mut compiled = compile(&sources, &[self.file.as_str()]);
        let granted: Vec<&str> =
            self.text.lines().filter_map(|line| line.strip_prefix(GRANTED)).collect();
        if !granted.is_empty() && !compiled.has_errors() {
            let table = format!("[grants]\n{}\n", granted.join("\n"));
            let table = GrantTable::parse(&table, "kait.toml", Some(Path::new("/project")), None);
            let profile = Project(ProfileGrants { tables: vec![table.unwrap().unwrap()] });
            let missing = grants::check(&compiled, &profile);
            compiled.diagnostics.extend(missing);
        }
        compiled
    }

    /// Code and line, from 1, of what must be found: where the mark stands.
    fn refused(&self) -> Vec<(&str, usize)> {
        let mark = |(line, text): (usize, _)| {
            let (_, code) = str::split_once(text, MARK)?;
            Some((code, line))
        };
        (1..).zip(self.text.lines()).filter_map(mark).collect()
    }

    /// Whether it stands in the one standard form; a program with mistakes of its form has none.
    fn is_formatted(&self) -> bool {
        match format(&kait_syntax::parse(&self.text)) {
            Ok(formatted) => formatted == self.text,
            Err(FormatError::SyntaxErrors) => self.file.matches('.').count() == 1,
            Err(_) => false,
        }
    }
}

/// The grants of a project in `/project`, as the compiler asks them.
struct Project(ProfileGrants);

impl grants::Profile for Project {
    fn verdict(&self, need: grants::Need<'_>) -> Verdict {
        let need = match need {
            grants::Need::Resource { write, resource, part } => {
                let part = match part {
                    grants::Part::Whole => Part::Whole,
                    grants::Part::Unknown => Part::Unknown,
                    grants::Part::Known(text) => Part::Known(text),
                };
                Need::Resource { write, resource, part }
            }
            grants::Need::Model(role) => Need::Model(role),
            grants::Need::Human(who) => Need::Person(who),
            grants::Need::Clock => Need::Clock,
            grants::Need::Random => Need::Random,
            grants::Need::Emit => Need::Emit,
        };
        let root = Path::new("/project");
        match self.0.reach(need, root) {
            Reach::All => Verdict::Granted,
            Reach::Part => Verdict::WhenItRuns,
            Reach::None => Verdict::Missing(Missing {
                effect: need.text(),
                files: self.0.lacking(need, root),
                advice: need.advice(),
            }),
        }
    }
}

fn shown(compiled: &Compilation) -> String {
    terminal::render(&compiled.diagnostics, &compiled.files, Style::default())
}

/// The line of what was found, from 1.
fn line_of(finding: &Diagnostic, compiled: &Compilation) -> usize {
    let span = finding.primary.span;
    let file = compiled.files.get(span.file).unwrap();
    file.lines.line_col(span.start.into()).line as usize + 1
}

#[test]
fn each_is_refused_with_its_code_and_nothing_else() {
    let mut wrong = Vec::new();
    let mut codes = BTreeSet::new();
    let all = programs(".kait");
    for program in &all {
        let compiled = program.compile();
        let found: Vec<_> = compiled
            .diagnostics
            .iter()
            .map(|one| (one.code.as_str(), line_of(one, &compiled)))
            .collect();
        let expected = program.refused();
        if expected.len() != 1 || found != expected || !compiled.has_errors() {
            wrong.push(format!(
                "{}: expected {expected:?}, found {found:?}\n{}",
                program.file,
                shown(&compiled)
            ));
        }
        if program.about.len() < 2 {
            wrong.push(format!("{}: its first lines do not say what goes wrong", program.file));
        }
        if !program.is_formatted() {
            wrong.push(format!("{}: not in the standard form", program.file));
        }
        codes.extend(expected.iter().map(|(code, _)| (*code).to_owned()));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(all.len() >= 100 && codes.len() >= 60, "{} programs, {} codes", all.len(), codes.len());
}

#[test]
fn each_has_a_repair_in_which_nothing_is_found() {
    let mut wrong = Vec::new();
    let repairs: BTreeMap<String, Program> =
        programs(".fixed.kait").into_iter().map(|one| (one.name.clone(), one)).collect();
    let names: BTreeSet<String> = programs(".kait").into_iter().map(|one| one.name).collect();
    if let Some(alone) = repairs.keys().find(|name| !names.contains(*name)) {
        wrong.push(format!("{alone}: there is no program that it repairs"));
    }
    for name in &names {
        let Some(repair) = repairs.get(name) else {
            wrong.push(format!("{name}: there is no repair"));
            continue;
        };
        let compiled = repair.compile();
        if !compiled.diagnostics.is_empty() {
            wrong.push(format!("{}:\n{}", repair.file, shown(&compiled)));
            continue;
        }
        if repair.about[0].is_empty() || !repair.is_formatted() {
            wrong.push(format!("{}: it says nothing, or not in the standard form", repair.file));
        }
        let (_, failed) = run_tests(&compiled);
        wrong.extend(
            failed.iter().map(|one| format!("{}:{}: {}", repair.file, one.line, one.message)),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_only_shows_in_a_run_is_shown_by_tests() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for program in programs(".test.kait") {
        let compiled = program.compile();
        if !compiled.diagnostics.is_empty() {
            wrong.push(format!("{}:\n{}", program.file, shown(&compiled)));
            continue;
        }
        let (tests, failed) = run_tests(&compiled);
        count += tests;
        if tests == 0 || program.about.len() < 2 || !program.is_formatted() {
            wrong
                .push(format!("{}: no tests, no words, or not in the standard form", program.file));
        }
        wrong.extend(
            failed
                .iter()
                .map(|one| format!("{}:{}: {}: {}", program.file, one.line, one.code, one.message)),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count >= 10, "{count} tests");
}

/// `[what](…)` to a file of the folder, from `docs/`.
fn link(what: &str, file: &str) -> String {
    format!("[{what}](../{FOLDER}/{file})")
}

#[test]
fn the_page_lists_them_with_their_errors() {
    let repairs: BTreeMap<String, Program> =
        programs(".fixed.kait").into_iter().map(|one| (one.name.clone(), one)).collect();
    let all = programs(".kait");
    let codes: BTreeSet<&str> =
        all.iter().flat_map(|one| one.refused()).map(|(code, _)| code).collect();
    let mut page = format!(
        "# Defects that do not get through\n\n<!-- Written by a test from tests/corpus/defects; `UPDATE=1 cargo test -p \
         kait-tests defects` writes it. -->\n\nWhat goes wrong in workflows elsewhere, and what `kait check` says before \
         anything runs: {} programs, refused with {} different codes. Each is a whole program as somebody would write it \
         first; beside it stands the smallest repair, in which nothing is found. \"Seen\" names reports of the same kind of \
         defect elsewhere. At the end stand defects that only a run can show, with tests of what happens here instead.\n",
        all.len(),
        codes.len()
    );
    for program in &all {
        if let Some((_, group)) =
            GROUPS.iter().find(|(first, _)| program.name.ends_with(&format!("-{first}")))
        {
            write!(page, "\n## {group}\n").unwrap();
        }
        let compiled = program.compile();
        let finding = compiled.diagnostics.first().unwrap();
        let (code, file) = (&finding.code, &program.file);
        let title = program.about[0].trim_end_matches('.');
        let about = program.about[1..].join("\n\n");
        let repair = repairs.get(&program.name).map_or("", |one| one.about[0].as_str());
        let (refused, repaired) =
            (link("Refused", file), link("Repaired", &file.replace(".kait", ".fixed.kait")));
        write!(
            page,
            "\n### {}. {title}\n\n{about}\n\n* {refused}: [{code}](diagnostics/{code}.md), {}.\n* {repaired}: {repair}\n",
            program.number, finding.message,
        )
        .unwrap();
    }
    page.push_str("\n## What only shows in a run\n");
    for program in programs(".test.kait") {
        let title = program.about[0].trim_end_matches('.');
        let about = program.about[1..].join("\n\n");
        let link = link("The program, with its tests", &program.file);
        write!(page, "\n### {}. {title}\n\n{about}\n\n{link}.\n", program.number).unwrap();
    }
    let path = sources::root().join("docs/defects.md");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let is_current = fs::read_to_string(&path).unwrap_or_default() == page;
    assert!(
        is_current,
        "docs/defects.md is out of date: `UPDATE=1 cargo test -p kait-tests defects` writes it"
    );
}
