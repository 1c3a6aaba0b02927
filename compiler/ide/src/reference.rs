//! The reference: every name of the standard library with its signature, effects, documentation and examples, read
//! from the compiled library, so that nothing is written twice. `kait explain` and the page in `docs/` show it.

use std::sync::LazyLock;

use kait_compiler::hir::{CallableKind, DefId, DefKind};

use crate::{Analysis, Symbol, std_library};

/// A name of the standard library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name as programs write it: `list.sort`, `Failure`; of a variant `Failure.Timeout`.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its declaration, without documentation and origin.
    pub signature: String,
    /// What calling it may do, such as `read net`; `None` for nothing.
    pub effects: Option<String>,
    /// What it is for, as Markdown, without the examples.
    pub docs: String,
    /// Statements that show it, one after the other; those that only compile are marked.
    pub examples: Vec<Shown>,
    /// Names of the library that its documentation mentions.
    pub mentions: Vec<String>,
}

/// An example of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The statements.
    pub code: String,
    /// Whether its expressions hold, rather than only compile.
    pub run: bool,
}

/// What a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryKind {
    /// Called for its value or its effect.
    Function,
    /// A record, enum or alias.
    Type,
    /// A variant of an enum.
    Variant,
}

impl EntryKind {
    /// The word for it.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Type => "type",
            Self::Variant => "variant",
        }
    }
}

/// A module of the standard library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// Its name; the prelude is `prelude`.
    pub name: &'static str,
    /// What it is for, as Markdown.
    pub docs: String,
    /// Its public names, types first, in the order of the file; variants stand behind their enum.
    pub entries: Vec<Entry>,
}

static REFERENCE: LazyLock<Vec<Module>> = LazyLock::new(|| {
    let library = std_library::library();
    let mut modules: Vec<Module> =
        kait_stdlib::modules().iter().filter_map(|(name, _)| module(library, name)).collect();
    let names: Vec<String> =
        modules.iter().flat_map(|m| m.entries.iter().map(|e| e.name.clone())).collect();
    for entry in modules.iter_mut().flat_map(|module| &mut module.entries) {
        entry.mentions = mentioned(&entry.docs)
            .filter(|word| *word != entry.name && names.iter().any(|name| name == word))
            .map(str::to_owned)
            .collect();
        entry.mentions.dedup();
    }
    modules
});

/// Every module of the standard library, the prelude first, then by name.
#[must_use]
pub fn reference() -> &'static [Module] {
    &REFERENCE
}

fn module(library: &Analysis, name: &'static str) -> Option<Module> {
    let file = library.file(&format!("std/{name}.kait"))?;
    let id = library.module_of(file)?;
    let prefix = if name == kait_stdlib::PRELUDE { String::new() } else { format!("{name}.") };
    let module = library.module(id)?;
    let mut entries = Vec::new();
    for def in &module.defs {
        entries.extend(entries_of(library, *def, &prefix));
    }
    entries.sort_by_key(|entry: &Entry| entry.kind == EntryKind::Function);
    Some(Module { name, docs: module.docs.to_string(), entries })
}

/// The entry of a public declaration, and those of its variants.
fn entries_of(library: &Analysis, id: DefId, prefix: &str) -> Vec<Entry> {
    let Some(def) = library.def(id).filter(|def| def.is_pub) else { return Vec::new() };
    let kind = match &def.kind {
        DefKind::Callable(c) if c.kind != CallableKind::Agent => EntryKind::Function,
        DefKind::Record(_) | DefKind::Enum(_) | DefKind::Alias(_) => EntryKind::Type,
        _ => return Vec::new(),
    };
    let signature = library.def_headline(id).unwrap_or_default();
    let effects = library.effects_text(id);
    let mut entries =
        vec![entry(format!("{prefix}{}", def.name), kind, signature, effects, &def.docs)];
    if let DefKind::Enum(declared) = &def.kind {
        for (index, variant) in (0u32..).zip(&declared.variants) {
            let shown = library.signature_text(Symbol::Variant(id, index));
            let shown = shown.filter(|_| !variant.fields.is_empty());
            let signature = shown.map_or_else(|| variant.name.to_string(), |(label, _)| label);
            let name = format!("{prefix}{}.{}", def.name, variant.name);
            entries.push(entry(name, EntryKind::Variant, signature, None, &variant.docs));
        }
    }
    entries
}

fn entry(
    name: String,
    kind: EntryKind,
    signature: String,
    effects: Option<String>,
    docs: &str,
) -> Entry {
    let (mut prose, mut examples) = (String::new(), Vec::new());
    let mut open: Option<Shown> = None;
    for line in docs.lines() {
        match (&mut open, line) {
            (None, "```kait" | "```kait,check") => {
                open = Some(Shown { code: String::new(), run: line == "```kait" });
            }
            (Some(_), "```") => examples.extend(open.take()),
            (Some(example), code) => {
                example.code.push_str(code);
                example.code.push('\n');
            }
            (None, line) => {
                prose.push_str(line);
                prose.push('\n');
            }
        }
    }
    let mut docs = prose.trim().to_owned();
    if !runs(&name) {
        docs.push_str(NOT_RUN);
    }
    Entry { name, kind, signature, effects, docs, examples, mentions: Vec::new() }
}

/// What is said of a function that this version does not run.
const NOT_RUN: &str = "\n\nNot run yet: this version checks it, a test stubs it, and a run that calls it is refused (K0090).";

/// Whether this version runs a function of that name.
fn runs(name: &str) -> bool {
    let inside = format!("{}.{name}", kait_stdlib::PRELUDE);
    let locator = if name.contains('.') { name } else { &inside };
    !kait_stdlib::not_run().contains(&locator)
}

/// What stands between back-ticks, up to a bracket.
fn mentioned(docs: &str) -> impl Iterator<Item = &str> {
    docs.split('`').skip(1).step_by(2).map(|code| code.split('(').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> &'static Entry {
        reference().iter().flat_map(|m| &m.entries).find(|e| e.name == name).unwrap()
    }

    #[test]
    fn entries_say_what_a_caller_needs() {
        assert_eq!(reference().len(), kait_stdlib::modules().len());
        let fetch = find("web.fetch");
        assert_eq!(fetch.kind, EntryKind::Function);
        assert_eq!(fetch.signature, "pub extern fetch(url: text) -> Page does read net");
        assert_eq!(fetch.effects.as_deref(), Some("read net"));
        assert!(fetch.docs.starts_with("Gets a page") && !fetch.docs.contains("```"));
        assert_eq!(fetch.examples.len(), 1);
        assert!(!fetch.examples[0].run);
        assert!(
            !fetch.docs.contains("Not run yet") && find("web.feed").docs.contains("Not run yet")
        );
        assert!(find("embed").docs.contains("Not run yet"));
        assert_eq!(find("list.final").mentions, ["list.last"]);
        assert_eq!(find("Failure.Timeout").docs, "An attempt or a deadline ran out of time.");
        assert!(find("Pair").signature.contains("first: A"));
    }

    #[test]
    fn every_declaration_of_the_library_has_an_entry() {
        let count: usize = kait_stdlib::modules()
            .iter()
            .map(|(_, source)| source.lines().filter(|line| line.starts_with("pub ")).count())
            .sum();
        let entries = reference().iter().flat_map(|m| &m.entries);
        assert_eq!(entries.filter(|e| e.kind != EntryKind::Variant).count(), count);
    }
}
