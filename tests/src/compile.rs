//! What must hold for every text that is compiled: it ends, findings have registered codes and
//! places inside of files, can be shown and repaired, a syntax error is never lost, and what has no
//! errors can be lowered.

use kait_compiler::diagnostics::render::{json, terminal};
use kait_compiler::diagnostics::{Code, Diagnostic, fixes};
use kait_compiler::hir::{CallableKind, DefId, DefKind};
use kait_compiler::sources::{Files, MemorySources};
use kait_compiler::{Compilation, compile};

/// The name of the text in findings.
const NAME: &str = "fuzz.kait";

/// Compiles a text as a program of one file, and lowers what it declares if it has no errors.
///
/// # Errors
/// What does not hold.
pub fn check(text: &str) -> Result<(), String> {
    let compiled = compile(&MemorySources::single(NAME, text), &[NAME]);
    for finding in &compiled.diagnostics {
        sound(finding, &compiled.files)?;
    }
    if kait_syntax::parse(text).has_errors() && !compiled.has_errors() {
        return Err("a syntax error was lost".to_owned());
    }
    let style = terminal::Style::default();
    let shown = terminal::render(&compiled.diagnostics, &compiled.files, style);
    if shown.is_empty() != compiled.diagnostics.is_empty() {
        return Err("nothing is shown".to_owned());
    }
    if !json::render(&compiled.diagnostics, &compiled.files).starts_with('{') {
        return Err("no JSON".to_owned());
    }
    if let Some(id) = compiled.files.find(NAME) {
        let (fixed, count) = fixes::apply(id, text, &compiled.diagnostics, fixes::Choice::All);
        if count == 0 && fixed != text {
            return Err("no fix changes the text".to_owned());
        }
    }
    if compiled.has_errors() { Ok(()) } else { lower(&compiled) }
}

/// A finding has a registered code, blames the text and not the compiler, and points into files.
fn sound(finding: &Diagnostic, files: &Files) -> Result<(), String> {
    let code = Code::parse(&finding.code).ok_or_else(|| format!("no code {}", finding.code))?;
    if code == Code::Internal {
        return Err(describe(finding));
    }
    let places = std::iter::once(&finding.primary).chain(&finding.labels).map(|l| l.span);
    let edits = finding.fixes.iter().flat_map(|fix| &fix.edits).map(|edit| edit.span);
    for span in places.chain(edits) {
        let file = files.get(span.file).ok_or("a place in no file")?;
        if file.text().get(span.start as usize..span.end as usize).is_none() {
            return Err(format!("{}: a place outside of its file", finding.code));
        }
    }
    Ok(())
}

/// Lowers every graph and every test. What is nested too deeply may be refused, and what is only checked; nothing else.
fn lower(compiled: &Compilation) -> Result<(), String> {
    for (index, def) in (0..).zip(&compiled.hir.defs) {
        let id = DefId(index);
        let lowered = match &def.kind {
            DefKind::Callable(callable)
                if callable.kind == CallableKind::Graph && callable.type_params.is_empty() =>
            {
                compiled.lower(&[id])
            }
            DefKind::Test(_) => compiled.lower_test(id),
            _ => continue,
        };
        match lowered {
            Err(fault)
                if ![Code::NestedTooDeep, Code::NotSupported]
                    .map(Code::as_str)
                    .contains(&&*fault.code) =>
            {
                return Err(format!("`{}` cannot be lowered: {}", def.name, describe(&fault)));
            }
            _ => {}
        }
    }
    Ok(())
}

fn describe(finding: &Diagnostic) -> String {
    format!("{}: {} ({})", finding.code, finding.message, finding.notes.join("; "))
}
