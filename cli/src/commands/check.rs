//! `kait check`: every error, without running anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kait_compiler::diagnostics::fixes::{self, Choice};
use kait_compiler::diagnostics::render::{json, terminal};
use kait_compiler::diagnostics::{Diagnostic, FileId, Severity};
use kait_compiler::{grants, labels};
use kait_runtime::Profile;
use serde_json::{Value as Json, json as json_object};

use crate::args::CheckArgs;
use crate::compile::{self, Checked};
use crate::exit::{Coded, Exit};
use crate::grants::Judge;
use crate::{files, out, watch};

/// Checks the paths.
pub fn run(args: &CheckArgs) -> anyhow::Result<Exit> {
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

fn once(args: &CheckArgs) -> anyhow::Result<Exit> {
    let paths = files::programs(&args.paths)?;
    let mut counts = Counts::default();
    let mut reports = Vec::new();
    // A module that several files import is reported once.
    let mut seen = BTreeSet::new();
    let mut fixed = 0;
    // All of them first: a file's findings are also those of what it imports.
    for path in paths.iter().filter(|_| args.fix) {
        fixed += fix(path)?;
    }
    let projects: BTreeSet<PathBuf> = paths
        .iter()
        .filter_map(|path| Profile::project_file(path.parent().unwrap_or(Path::new("."))))
        .collect();
    for error in projects.iter().filter_map(|path| Profile::check_project(path).err()) {
        counts.errors += 1;
        let error = Coded::from(error);
        if args.json {
            reports.push(outside(error.code, &error.message));
        } else {
            let Coded { code, message } = error;
            anstream::eprintln!("error {code}: {message}\n   kait explain {code}\n");
        }
    }
    let mut proofs = Proofs::new(&paths);
    let mut is_held = false;
    for path in &paths {
        let checked = match compile::check(path) {
            Ok(checked) => checked,
            Err(error) => {
                counts.errors += 1;
                if args.json {
                    reports.push(unreadable(path, &error));
                } else {
                    anstream::eprintln!("error K0901: {error:#}\n   kait explain K0901\n");
                }
                continue;
            }
        };
        let mut findings = checked.compilation.diagnostics.clone();
        // As data, findings are the same as in an editor and from a server, which leave what to apply to whoever asks.
        if !args.json {
            proofs.prove(path, &checked, &mut findings);
        }
        if let Some(name) = &args.profile {
            let profile = profile_of(path, name)?;
            let grants = &profile.grants;
            is_held |= grants.restricts() || profile.strict;
            // What a program with errors needs is not known.
            if !checked.compilation.has_errors() {
                let judge = Judge { grants, root: Path::new(".") };
                findings.extend(grants::check(&checked.compilation, &judge));
                if profile.strict {
                    findings.extend(labels::check_private(&checked.compilation));
                }
            }
        }
        findings.retain(|finding| {
            let span = finding.primary.span;
            let file = checked.compilation.files.get(span.file).map(|f| f.path.to_string());
            seen.insert((file, span.start, span.end, finding.code.clone(), finding.message.clone()))
        });
        for finding in &findings {
            match finding.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
                Severity::Note => {}
            }
        }
        let shown = &checked.compilation.files;
        if args.json {
            let report: Json = serde_json::from_str(&json::render(&findings, shown))?;
            reports.extend(report["diagnostics"].as_array().cloned().unwrap_or_default());
        } else if !findings.is_empty() {
            anstream::eprintln!("{}", terminal::render(&findings, shown, compile::style()));
        }
    }
    if args.json {
        let report = json_object!({ "schema": json::SCHEMA, "diagnostics": reports });
        out::line(&serde_json::to_string_pretty(&report)?)?;
    } else {
        let fixed =
            if fixed > 0 { format!(", {} applied", plural(fixed, "fix")) } else { String::new() };
        anstream::eprintln!(
            "{} checked: {}, {}{fixed}",
            plural(paths.len(), "file"),
            plural(counts.errors, "error"),
            plural(counts.warnings, "warning")
        );
    }
    if let (Some(name), false) = (&args.profile, is_held) {
        anstream::eprintln!(
            "neither kait.toml nor the profile `{name}` has a table [grants]: nothing is refused"
        );
    }
    Ok(files::exit_for(&paths, counts.errors > 0))
}

/// What a run of the file would be held to with that profile.
fn profile_of(path: &Path, profile: &str) -> anyhow::Result<Profile> {
    let directory = path.parent().unwrap_or(Path::new("."));
    Ok(Profile::load(directory, Some(profile)).map_err(Coded::from)?)
}

#[derive(Default)]
struct Counts {
    errors: usize,
    warnings: usize,
}

/// `1 file`, `2 files`, `2 fixes`
pub fn plural(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ if what.ends_with('x') => format!("{count} {what}es"),
        _ => format!("{count} {what}s"),
    }
}

/// A mistake that is in no program.
fn outside(code: &str, message: &str) -> Json {
    json_object!({
        "code": code,
        "severity": "error",
        "message": message,
        "primary": { "path": "", "text": "" },
        "labels": [], "notes": [], "help": null, "fixes": [],
    })
}

fn unreadable(path: &Path, error: &anyhow::Error) -> Json {
    json_object!({
        "code": "K0901",
        "severity": "error",
        "message": format!("{error:#}"),
        "primary": { "path": path.display().to_string(), "text": "" },
        "labels": [], "notes": [], "help": null, "fixes": [],
    })
}

/// Applies the certain fixes of one file until none is left, and gives their number. What makes the file worse is left
/// out.
fn fix(path: &Path) -> anyhow::Result<usize> {
    let Ok(checked) = compile::check(path) else { return Ok(0) };
    let Some((file, text)) = root_file(&checked) else { return Ok(0) };
    let findings = &checked.compilation.diagnostics;
    let (fixed, applied) =
        fixes::settle(&text, (file, findings), Choice::Safe, |text: &str| recompile(path, text));
    if fixed != text {
        write_whole(path, &fixed)?;
    }
    Ok(applied)
}

fn recompile(path: &Path, text: &str) -> Option<(FileId, Vec<Diagnostic>)> {
    let checked = compile::check_text(path, text).ok()?;
    let (file, _) = root_file(&checked)?;
    Some((file, checked.compilation.diagnostics))
}

/// Which fixes `--fix` would apply: no other is announced as such.
struct Proofs {
    /// The files that it would change, by where they really are.
    files: BTreeMap<PathBuf, PathBuf>,
    /// What is known of those: the places of the findings that would be mended.
    known: BTreeMap<PathBuf, BTreeSet<Mended>>,
}

/// The code of a finding and its place in its file.
type Mended = (String, u32, u32);

impl Proofs {
    fn new(paths: &[PathBuf]) -> Self {
        let real = |path: &PathBuf| Some((std::fs::canonicalize(path).ok()?, path.clone()));
        Self { files: paths.iter().filter_map(real).collect(), known: BTreeMap::new() }
    }

    /// Calls no fix of a compilation's findings safe that `--fix` leaves out.
    fn prove(&mut self, path: &Path, checked: &Checked, findings: &mut [Diagnostic]) {
        let is_offered = |one: &&mut Diagnostic| one.fixes.iter().any(|fix| fix.safe);
        for finding in findings.iter_mut().filter(is_offered) {
            let span = finding.primary.span;
            let file = checked.compilation.files.get(span.file);
            let real = file.and_then(|file| std::fs::canonicalize(&*file.path).ok());
            let mended = real.and_then(|real| self.of(real, path, checked));
            let key = (finding.code.clone(), span.start, span.end);
            if !mended.is_some_and(|mended| mended.contains(&key)) {
                finding.fixes.iter_mut().for_each(|fix| fix.safe = false);
            }
        }
    }

    /// What would be mended in a file; nothing if it is none of those that are checked.
    fn of(&mut self, real: PathBuf, path: &Path, checked: &Checked) -> Option<&BTreeSet<Mended>> {
        let own = self.files.get(&real)?;
        if !self.known.contains_key(&real) {
            let mended = if own == path {
                mended(path, checked)
            } else {
                compile::check(own).map(|checked| mended(own, &checked)).unwrap_or_default()
            };
            self.known.insert(real.clone(), mended);
        }
        self.known.get(&real)
    }
}

/// The findings of a file that `--fix` would mend.
fn mended(path: &Path, checked: &Checked) -> BTreeSet<Mended> {
    let Some((file, text)) = root_file(checked) else { return BTreeSet::new() };
    let mut findings = checked.compilation.diagnostics.clone();
    fixes::prove(&text, file, &mut findings, |text: &str| recompile(path, text));
    let span = |one: &Diagnostic| one.primary.span;
    let safe = findings.iter().filter(|one| one.fixes.iter().any(|fix| fix.safe));
    safe.filter(|one| span(one).file == file)
        .map(|one| (one.code.clone(), span(one).start, span(one).end))
        .collect()
}

fn root_file(checked: &Checked) -> Option<(FileId, String)> {
    let module = checked.compilation.hir.modules.first()?;
    let file = checked.compilation.files.get(module.file)?;
    Some((module.file, file.text().to_owned()))
}

/// Replaces a file in one step, so that an interruption leaves the old or the new text, never half of one.
///
/// # Errors
/// If the directory cannot be written.
pub fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    // Through a link, the file that it leads to is replaced.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let draft = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = std::fs::write(&draft, text)
        .and_then(|()| match std::fs::metadata(&target) {
            Ok(known) => std::fs::set_permissions(&draft, known.permissions()),
            Err(_) => Ok(()),
        })
        .and_then(|()| std::fs::rename(&draft, &target));
    if written.is_err() {
        let _ = std::fs::remove_file(&draft);
    }
    written.with_context(|| format!("cannot write `{}`", path.display()))
}
