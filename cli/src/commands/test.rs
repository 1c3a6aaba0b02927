//! `kait test`: the tests in the files, in virtual time, with nothing reachable.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use kait_compiler::diagnostics::render::terminal;
use kait_compiler::diagnostics::{Code, Diagnostic};
use kait_compiler::hir::DefKind;
use kait_engine::event::Outcome;
use kait_ir::GraphId;
use kait_ir::program::{GraphKind, Span};
use kait_runtime::report::words;
use kait_runtime::simulate::{TestEnd, simulate};
use serde_json::{Value as Json, json};

use super::check::plural;
use crate::args::TestArgs;
use crate::compile::{self, Checked};
use crate::exit::Exit;
use crate::{files, out, watch};

/// Runs the tests.
pub fn run(args: &TestArgs) -> anyhow::Result<Exit> {
    if !args.watch {
        return once(args);
    }
    watch::watch(&args.paths, || {
        if let Err(error) = once(args) {
            anstream::eprintln!("error: {error:#}");
        }
    })?;
    Ok(Exit::Done)
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    broken: usize,
    /// Tests that were not asked for.
    skipped: usize,
    results: Vec<Json>,
}

fn once(args: &TestArgs) -> anyhow::Result<Exit> {
    let begin = Instant::now();
    let paths = files::programs(&args.paths)?;
    let mut tally = Tally::default();
    for path in &paths {
        file(args, path, &mut tally)?;
    }
    if args.json {
        let report = json!({
            "schema": "kait.test/1",
            "passed": tally.passed,
            "failed": tally.failed,
            "broken_files": tally.broken,
            "tests": tally.results,
        });
        out::line(&serde_json::to_string_pretty(&report)?)?;
    } else {
        let broken = if tally.broken > 0 {
            format!(", {} with errors", plural(tally.broken, "file"))
        } else {
            String::new()
        };
        anstream::eprintln!(
            "{} passed, {} failed{broken} ({} ms)",
            tally.passed,
            tally.failed,
            begin.elapsed().as_millis()
        );
    }
    let none = tally.passed + tally.failed + tally.broken == 0;
    if let Some(words) = args.words.as_deref().filter(|_| none) {
        // A slip in the words must not look like success.
        let hint = match tally.skipped {
            0 => format!("there is no test in {}", plural(paths.len(), "file")),
            count => {
                format!("the name of none of {} has all of these words", plural(count, "test"))
            }
        };
        anstream::eprintln!("error: no test matches `{words}`: {hint}");
        return Ok(Exit::Usage);
    }
    Ok(files::exit_for(&paths, tally.failed + tally.broken > 0))
}

fn file(args: &TestArgs, path: &Path, tally: &mut Tally) -> anyhow::Result<()> {
    let checked = match compile::check(path) {
        Ok(checked) => checked,
        Err(error) => {
            anstream::eprintln!("error K0901: {error:#}");
            tally.broken += 1;
            return Ok(());
        }
    };
    if checked.compilation.has_errors() {
        compile::print_findings(&checked);
        tally.broken += 1;
        return Ok(());
    }
    let hir = &checked.compilation.hir;
    let Some(root) = hir.modules.first() else { return Ok(()) };
    let words: Vec<_> = args.words.iter().flat_map(|words| words.split_whitespace()).collect();
    for id in &root.defs {
        let Some(def) = hir.defs.get(id.index()) else { continue };
        if !matches!(def.kind, DefKind::Test(_)) {
            continue;
        }
        if !words.iter().all(|word| def.name.contains(word)) {
            tally.skipped += 1;
            continue;
        }
        let program = match checked.compilation.lower_test(*id) {
            Ok(program) => program,
            Err(fault) if fault.code == Code::NotSupported.as_str() => {
                not_run(args, path, &def.name, &checked, &fault, tally);
                continue;
            }
            Err(fault) => return Err(compile::fault_of(&fault)),
        };
        let loaded = Arc::new(compile::load(program)?);
        let graphs = &loaded.program().graphs;
        let graph = graphs.iter().position(|g| g.kind == GraphKind::Test).unwrap_or(0);
        let end = simulate(&loaded, GraphId(u32::try_from(graph).unwrap_or(0)));
        report(args, path, &def.name, &checked, &loaded, &end, tally);
    }
    Ok(())
}

/// A test that reaches what this version does not run.
fn not_run(
    args: &TestArgs,
    path: &Path,
    name: &str,
    checked: &Checked,
    fault: &Diagnostic,
    tally: &mut Tally,
) {
    tally.failed += 1;
    let shown = std::slice::from_ref(fault);
    let files = &checked.compilation.files;
    if args.json {
        let text = terminal::render(shown, files, terminal::Style::default());
        tally.results.push(json!({
            "file": path.display().to_string(),
            "test": name,
            "passed": false,
            "virtual_ms": 0,
            "messages": text.lines().collect::<Vec<_>>(),
        }));
        return;
    }
    anstream::eprintln!("\x1b[31mFAILED\x1b[0m {}: {name}", path.display());
    anstream::eprint!("{}", terminal::render(shown, files, compile::style()));
}

fn report(
    args: &TestArgs,
    path: &Path,
    name: &str,
    checked: &Checked,
    loaded: &kait_engine::Loaded,
    end: &TestEnd,
    tally: &mut Tally,
) {
    let span = |site: kait_engine::Site| -> Option<Span> {
        let region = loaded.program().regions.get(site.region.index())?;
        region.nodes.get(site.node as usize)?.span
    };
    let place = |site| span(site).and_then(|span| checked.compilation.files.place(span));
    let mut lines = Vec::new();
    for call in &end.unstubbed {
        let at = place(call.site).unwrap_or_default();
        let given = call.args.join(", ");
        lines.push(format!("error K0801: `{}` has no stub that fits this call", call.name));
        lines.push(format!("   {at}"));
        if !given.is_empty() {
            lines.push(format!("   called with: {given}"));
        }
        lines.push(format!("   = add to the test: stub {}(_) => …", call.name));
    }
    for failed in &end.failed {
        let at = place(failed.site).unwrap_or_default();
        lines.push(format!("error K0804: expected {}", failed.source));
        lines.push(format!("   {at}"));
        for (source, value) in &failed.shows {
            lines.push(format!("   {source} is {value}"));
        }
        if let Some(failure) = &failed.failure {
            let (code, words, _) = words(failure);
            lines.push(format!("   it failed: {words} ({code})"));
        }
    }
    // A failure that only follows from a missing stub says nothing new.
    if let Outcome::Failed(failure) = &end.outcome
        && end.unstubbed.is_empty()
    {
        let (code, words, _) = words(failure);
        lines.push(format!("error {code}: the test itself failed: {words}"));
        let at = end.failed_at.as_ref();
        if let Some(at) =
            at.and_then(|at| at.span).and_then(|span| checked.compilation.files.place(span))
        {
            lines.push(format!("   {at}"));
        }
        if let Some(limit) = at.and_then(|at| at.limit.as_ref()) {
            lines.push(format!("   the limit is {limit}"));
        }
    }
    let passed = end.passed();
    if passed {
        tally.passed += 1;
    } else {
        tally.failed += 1;
    }
    if args.json {
        tally.results.push(json!({
            "file": path.display().to_string(),
            "test": name,
            "passed": passed,
            "virtual_ms": end.elapsed / 1_000_000,
            "messages": lines,
        }));
        return;
    }
    let mark = if passed { "\x1b[32mok\x1b[0m    " } else { "\x1b[31mFAILED\x1b[0m" };
    anstream::eprintln!("{mark} {}: {name}", path.display());
    for line in lines {
        anstream::eprintln!("       {line}");
    }
}
