//! The language reference, `tests/spec/**/*.md`, is true: every program in it is found to be what the text says, and
//! the tests in those without errors pass, or fail as the text says. `UPDATE=1` rewrites the output blocks.

use std::fs;
use std::path::Path;

use kait_compiler::diagnostics::FileId;
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::hir::{CallableKind, Def, DefId, DefKind};
use kait_compiler::sources::MemorySources;
use kait_compiler::{Compilation, compile};
use kait_ir::NodeKind;
use kait_tests::sources;
use kait_tests::spec::{Asked, Case, Reveal, cases};

use crate::running::run_tests;

const NAME: &str = "example.kait";

#[test]
fn the_reference_is_true() {
    let mut wrong = Vec::new();
    let (mut count, mut tests) = (0, 0);
    for path in sources::files().unwrap() {
        let name = path.to_string_lossy().replace('\\', "/");
        if !(name.starts_with("tests/spec/") && name.ends_with(".md")) {
            continue;
        }
        let path = sources::root().join(path);
        let text = fs::read_to_string(&path).unwrap();
        let mut outputs = Vec::new();
        for case in cases(&text) {
            count += 1;
            let mut sources = MemorySources::single(NAME, case.program.as_str());
            for (path, text) in &case.files {
                sources.insert(path.as_str(), text.as_str());
            }
            let compiled = compile(&sources, &[NAME]);
            let mut bad = problems(&case, &compiled);
            if bad.is_empty() && !compiled.has_errors() {
                tests += run(&case, &compiled, &mut bad);
            }
            wrong.extend(bad.iter().map(|problem| format!("{name}:{problem}")));
            if let Some((lines, output)) = &case.output {
                let shown =
                    terminal::render(&compiled.diagnostics, &compiled.files, Style::default());
                if shown != *output && std::env::var_os("UPDATE").is_none() {
                    wrong.push(format!("{name}:{}: a terminal shows\n{shown}", lines.start));
                }
                outputs.push((lines.clone(), shown));
            }
        }
        if std::env::var_os("UPDATE").is_some() {
            update(&path, &text, &outputs);
        }
    }
    assert!(count > 30 && tests > 0, "the specification was not found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn update(path: &Path, text: &str, outputs: &[(std::ops::Range<usize>, String)]) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (range, shown) in outputs.iter().rev() {
        lines.splice(range.clone(), shown.lines().map(str::to_owned));
    }
    let new = lines.join("\n") + "\n";
    if new != text {
        fs::write(path, new).unwrap();
    }
}

/// The type of the last local of that name in the program itself.
fn revealed(name: &str, compiled: &Compilation) -> Option<String> {
    let module = compiled.hir.modules.first()?;
    let types = module.defs.iter().rev().find_map(|def| {
        let body = compiled.hir.body(*def)?;
        let index = body.locals.iter().rposition(|local| local.name == name)?;
        let local = kait_compiler::hir::LocalId(u32::try_from(index).ok()?);
        Some(compiled.types.ty_of_local(*def, local))
    });
    Some(compiled.types.display(&compiled.hir, types?, Some(kait_compiler::hir::ModuleId(0))))
}

/// What marks a line of a test that fails when it runs.
const FAILS: &str = "fails";

/// Runs the tests of a program: how many there are. What fails must be announced, and the other way round.
fn run(case: &Case, compiled: &Compilation, bad: &mut Vec<String>) -> usize {
    let mut expected: Vec<_> = case.expected.iter().filter(|e| e.severity == FAILS).collect();
    let (count, wrong) = run_tests(compiled);
    for wrong in wrong {
        let known = expected.iter().position(|e| {
            e.line == wrong.line && e.code == wrong.code && wrong.message.contains(&e.part)
        });
        if let Some(known) = known {
            expected.remove(known);
        } else {
            let at = case.line + wrong.line - 1;
            let (test, code, message) = (&wrong.test, wrong.code, &wrong.message);
            bad.push(format!("{at}: the test {test:?} fails[{code}]: {message}"));
        }
    }
    for e in expected {
        let at = case.line + e.line - 1;
        bad.push(format!("{at}: no test fails[{}]: {}", e.code, e.part));
    }
    count
}

/// How the value of the next node above of that name is delivered, with the graphs of the program as roots, whose inputs may
/// grow: `grows` (it is seen while it grows) or `waits` (until it is finished). Of a `for` also whether its body begins
/// with the first items of a list that still grows: `starts early`.
fn delivered(reveal: &Reveal, compiled: &Compilation) -> Option<String> {
    let is_graph = |def: &Def| {
        def.module.index() == 0
            && matches!(&def.kind, DefKind::Callable(c) if c.kind == CallableKind::Graph)
    };
    let defs = (0u32..).zip(&compiled.hir.defs);
    let roots: Vec<DefId> =
        defs.filter(|(_, def)| is_graph(def)).map(|(index, _)| DefId(index)).collect();
    let program = compiled.lower(&roots).ok()?;
    let nodes = program.regions.iter().flat_map(|region| &region.nodes);
    let named = nodes.filter(|node| node.path == reveal.name).filter_map(|node| {
        let span = node.span?;
        let file = compiled.files.get(FileId(span.file))?;
        let line = file.lines.line_col(span.start.into()).line as usize + 1;
        (line < reveal.line).then_some((line, node))
    });
    let (_, node) = named.max_by_key(|(line, _)| *line)?;
    let early = matches!(&node.kind, NodeKind::Map(map) if map.early);
    let grows = if node.grows { "grows" } else { "waits" };
    Some(format!("{grows}{}", if early { ", starts early" } else { "" }))
}

/// What does not hold, each with its line in the Markdown.
fn problems(case: &Case, compiled: &Compilation) -> Vec<String> {
    let mut problems = Vec::new();
    let in_markdown = |line: usize| case.line + line - 1;
    let mut expected = case.expected.clone();
    if compiled.has_errors() {
        for e in expected.iter().filter(|e| e.severity == FAILS) {
            problems.push(format!("{}: nothing runs, there are errors", in_markdown(e.line)));
        }
    }
    expected.retain(|e| e.severity != FAILS);
    for finding in &compiled.diagnostics {
        let file = compiled.files.get(finding.primary.span.file).unwrap();
        let line = file.lines.line_col(finding.primary.span.start.into()).line as usize + 1;
        let revealed = finding.code == "K0217"
            && case.reveals.iter().any(|r| finding.message.contains(&format!("`{}`", r.name)));
        let known = expected.iter().position(|e| {
            e.line == line
                && e.code == finding.code
                && e.severity == finding.severity.as_str()
                && finding.message.contains(&e.part)
        });
        match known {
            Some(index) => {
                expected.remove(index);
            }
            None if revealed => {}
            None => problems.push(format!(
                "{}: found {}[{}]: {}",
                in_markdown(line),
                finding.severity.as_str(),
                finding.code,
                finding.message
            )),
        }
    }
    for reveal in &case.reveals {
        let shown = match reveal.asked {
            Asked::Type => revealed(&reveal.name, compiled),
            Asked::Stream => delivered(reveal, compiled),
        };
        if shown.as_deref() != Some(reveal.answer.as_str()) {
            let at = in_markdown(reveal.line);
            let (name, shown) = (&reveal.name, shown.unwrap_or_else(|| "not there".to_owned()));
            problems.push(format!("{at}: `{name}`: {shown}, not {}", reveal.answer));
        }
    }
    for e in expected {
        problems.push(format!(
            "{}: did not find {}[{}]: {}",
            in_markdown(e.line),
            e.severity,
            e.code,
            e.part
        ));
    }
    problems
}
