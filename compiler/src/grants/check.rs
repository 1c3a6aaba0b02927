//! K0510: what graphs need and a profile does not grant.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::needs::{Needed, needs, roots};
use super::{Missing, Profile, Verdict, What};
use crate::Compilation;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Span};
use crate::effects::Step;
use crate::hir::{CallableKind, DefId, DefKind};

/// Steps of a way that are marked; a terminal shows the first ones of them.
const MAX_STEPS: usize = 32;

/// Something that is needed and not granted.
struct Lack {
    needed: Needed,
    what: Missing,
    /// Who needs it; the way is that of the first one.
    roots: Vec<DefId>,
}

/// What the graphs that are begun from outside need, and the profile does not grant.
#[must_use]
pub fn check(compiled: &Compilation, profile: &dyn Profile) -> Vec<Diagnostic> {
    let mut needs = needs(compiled);
    let mut verdicts: IndexMap<What, Verdict, FxBuildHasher> = IndexMap::default();
    // One finding for each thing at one place; whoever comes there, too, is named.
    let mut missing: IndexMap<(What, Span), Lack, FxBuildHasher> = IndexMap::default();
    for root in roots(compiled) {
        for needed in needs.of(root) {
            let verdict = match verdicts.get(&needed.what) {
                Some(known) => known.clone(),
                None => {
                    let verdict = needs.say(&needed.what, |need| profile.verdict(need));
                    verdicts.insert(needed.what.clone(), verdict.clone());
                    verdict
                }
            };
            let Verdict::Missing(what) = verdict else { continue };
            let Some(place) = place(compiled, &needed.way) else { continue };
            let key = (needed.what.clone(), place);
            let lack = missing.entry(key);
            lack.or_insert_with(|| Lack { needed, what, roots: Vec::new() }).roots.push(root);
        }
    }
    let mut sink = Diagnostics::new();
    for ((_, place), lack) in &missing {
        sink.push(finding(compiled, *place, lack));
    }
    sink.finish()
}

/// The last place on the way where something of the user's own does it, or calls the leaf that does.
fn place(compiled: &Compilation, way: &[Step]) -> Option<Span> {
    let own = |step: &&Step| is_own(compiled, step.def);
    let found = way.iter().rev().filter(own).find(|step| !is_extern(compiled, step.def));
    found.or_else(|| way.iter().rev().find(own)).map(|step| step.span)
}

fn is_extern(compiled: &Compilation, def: DefId) -> bool {
    let kind = compiled.hir.defs.get(def.index()).map(|def| &def.kind);
    let callable = match kind {
        Some(DefKind::Callable(callable)) => callable,
        _ => return false,
    };
    matches!(callable.kind, CallableKind::Extern { .. })
}

fn is_own(compiled: &Compilation, def: DefId) -> bool {
    let module = compiled.hir.defs.get(def.index()).map(|def| def.module);
    let module = module.and_then(|module| compiled.hir.modules.get(module.index()));
    module.is_some_and(|module| !module.is_std)
}

fn name(compiled: &Compilation, def: DefId) -> String {
    let hir = &compiled.hir;
    let Some(declared) = hir.defs.get(def.index()) else { return "?".into() };
    match hir.modules.get(declared.module.index()).map(|module| module.name.as_str()) {
        Some("" | kait_stdlib::PRELUDE) | None => declared.name.to_string(),
        Some(module) => format!("{module}.{}", declared.name),
    }
}

fn finding(compiled: &Compilation, place: Span, lack: &Lack) -> Diagnostic {
    let Lack { needed, what: missing, roots } = lack;
    let name = |def: DefId| name(compiled, def);
    let root = roots.first().map(|root| name(*root)).unwrap_or_default();
    let files = listed(missing.files.iter().map(ToString::to_string).collect());
    let (effect, do_not) =
        (&missing.effect, if missing.files.len() > 1 { "do not" } else { "does not" });
    let verb = needed.what.verb();
    let mut finding = Diagnostic::new(
        Code::NotGranted,
        place,
        format!("`{root}` needs `{effect}`, which {files} {do_not} grant"),
    )
    .here(match needed.way.last() {
        Some(last) if last.span != place => format!("`{}` {verb}", name(last.def)),
        _ => format!("this {verb}"),
    });
    if let Some(last) = needed.way.last()
        && last.span != place
        && is_own(compiled, last.def)
    {
        finding = finding.label(last.span, "declared here");
    }
    if let Some(root) = roots.first().and_then(|root| compiled.hir.defs.get(root.index()))
        && needed.way.len() > 1
    {
        finding = finding.label(root.name_span, "this is what is run");
    }
    // Whoever is called on the way there, and where. Its beginning and end say most, so these come first.
    let mut links: Vec<(usize, &Step, &Step)> = Vec::new();
    for (at, pair) in needed.way.windows(2).enumerate() {
        if let [from, to] = pair
            && from.span != place
            && is_own(compiled, from.def)
        {
            links.push((at, from, to));
        }
    }
    let count = links.len();
    links.sort_by_key(|(at, ..)| (*at).min(count.saturating_sub(at + 1)));
    for (_, from, to) in links.iter().take(MAX_STEPS) {
        let text = format!("`{}` calls `{}` here", name(from.def), name(to.def));
        finding = finding.label(from.span, text);
    }
    if let Some(left @ 1..) = count.checked_sub(MAX_STEPS) {
        finding = finding.note(format!("{left} more calls are between them"));
    }
    let others: Vec<String> =
        roots.iter().skip(1).map(|root| format!("`{}`", name(*root))).collect();
    if !others.is_empty() {
        let verb = if others.len() == 1 { "needs" } else { "need" };
        finding = finding.note(format!("{} {verb} it, too", listed(others)));
    }
    finding.help(format!("{} under [grants] in {files}, or do without it", missing.advice))
}

/// `a, b and c`; at most four of them.
fn listed(mut all: Vec<String>) -> String {
    let more = all.len().saturating_sub(4);
    if more > 0 {
        all.truncate(3);
        all.push(format!("{} more", more + 1));
    }
    match all.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, front)) => format!("{} and {last}", front.join(", ")),
        None => String::new(),
    }
}
