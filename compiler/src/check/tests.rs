//! Whole programs through the checker: which are accepted, which codes the others raise, which types are found.

use super::Types;
use crate::diagnostics::{Code, Diagnostic};
use crate::hir::{DefId, Hir};
use crate::sources::MemorySources;
use crate::{Compilation, compile};

mod calls;
mod control;
mod one_change;
mod operators;
mod patterns;
mod places;
mod types;

/// Compiles one file.
fn program(text: &str) -> Compilation {
    compile(&MemorySources::single("main.kait", text), &["main.kait"])
}

/// The errors of a program.
fn errors(text: &str) -> Vec<Diagnostic> {
    program(text).diagnostics.into_iter().filter(Diagnostic::is_error).collect()
}

fn shown(text: &str, found: &[Diagnostic]) -> String {
    let mut out = format!("{text}\n--- found:\n");
    for one in found {
        let place = text.get(one.primary.span.start as usize..one.primary.span.end as usize);
        out.push_str(&format!("{}: {} at {place:?}\n", one.code, one.message));
    }
    out
}

/// The program has no errors.
#[track_caller]
fn accepts(text: &str) {
    let found = errors(text);
    assert!(found.is_empty(), "{}", shown(text, &found));
}

/// The program has exactly these errors, in the order of the text: code, a part of the message, the text it is at.
#[track_caller]
fn rejects(text: &str, want: &[(Code, &str, &str)]) {
    let found = errors(text);
    assert_eq!(found.len(), want.len(), "{}", shown(text, &found));
    for (one, (code, words, at)) in found.iter().zip(want) {
        let place = text.get(one.primary.span.start as usize..one.primary.span.end as usize);
        assert_eq!(one.code, code.as_str(), "{}", shown(text, &found));
        assert!(one.message.contains(words), "`{words}` not in: {}", shown(text, &found));
        assert_eq!(place, Some(*at), "{}", shown(text, &found));
    }
}

/// The one error's first fix, applied: the program is then accepted.
#[track_caller]
fn repairs(text: &str, code: Code) {
    let found = errors(text);
    assert_eq!(found.len(), 1, "{}", shown(text, &found));
    assert_eq!(found[0].code, code.as_str(), "{}", shown(text, &found));
    let fix = found[0].fixes.first().unwrap_or_else(|| panic!("no fix: {}", shown(text, &found)));
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse((edit.span.start, edit.span.end)));
    let mut repaired = text.to_owned();
    for edit in edits {
        repaired.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.insert);
    }
    let left = errors(&repaired);
    assert!(left.is_empty(), "after `{}`:\n{}", fix.title, shown(&repaired, &left));
}

/// The type of every `let` in the body of `owner`, by name.
#[track_caller]
fn reveals(text: &str, owner: &str, want: &[(&str, &str)]) {
    let compiled = program(text);
    let bad: Vec<Diagnostic> =
        compiled.diagnostics.iter().filter(|one| one.is_error()).cloned().collect();
    assert!(bad.is_empty(), "{}", shown(text, &bad));
    let (hir, types): (&Hir, &Types) = (&compiled.hir, &compiled.types);
    let index =
        hir.defs.iter().position(|def| def.name == owner).expect("there is such a definition");
    let id = DefId(u32::try_from(index).expect("few"));
    let body = hir.bodies[index].as_ref().expect("it has a body");
    for (name, ty) in want {
        let local = body.locals.iter().position(|local| local.name == *name).expect("a local");
        let found = types.ty_of_local(id, crate::hir::LocalId(u32::try_from(local).expect("few")));
        let found = types.display(hir, found, Some(hir.defs[index].module));
        assert_eq!(found, *ty, "type of `{name}` in\n{text}");
    }
}
