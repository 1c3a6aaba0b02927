//! `kait explain`: the page of a code; what a word of the language or a name of the standard library means.
//!
//! Everything shown comes from the table of codes, `stdlib/*.kait` and `stdlib/language.md`: nothing is written here.

use kait_compiler::diagnostics::{Code, explain};
use kait_ide::reference::{Entry, EntryKind, Module, reference};
use kait_stdlib::{PRELUDE, Word, language};
use serde_json::{Value as Json, json};

use crate::args::ExplainArgs;
use crate::exit::Exit;
use crate::out;

/// Something that can be explained.
enum Topic {
    Code(&'static str, String),
    Word(&'static Word),
    Entry(&'static Entry, &'static Module),
    Module(&'static Module),
}

/// Prints what a code or a name means; without one, what there is.
pub fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let Some(what) = args.what.as_deref() else {
        if args.json {
            out::line(&serde_json::to_string_pretty(&everything())?)?;
        } else {
            out::write(&contents())?;
        }
        return Ok(Exit::Done);
    };
    let found = topics(what.trim());
    if found.is_empty() {
        let hint = match similar(what).as_slice() {
            [] => "; `kait explain` lists what there is".to_owned(),
            near => {
                let near: Vec<String> = near.iter().map(|name| format!("`{name}`")).collect();
                format!("; did you mean {}?", near.join(" or "))
            }
        };
        anstream::eprintln!(
            "error: there is no code, word, function, type or module `{what}`{hint}"
        );
        return Ok(Exit::Usage);
    }
    if args.json {
        let found: Vec<Json> = found.iter().map(as_json).collect();
        let document = json!({"schema": "kait.explain/1", "name": what, "found": found});
        out::line(&serde_json::to_string_pretty(&document)?)?;
    } else {
        let pages: Vec<String> = found.iter().map(page).collect();
        out::write(&pages.join("\n----\n\n"))?;
    }
    Ok(Exit::Done)
}

/// Everything of a name: `time` is a type, a policy and a module.
fn topics(what: &str) -> Vec<Topic> {
    let code = what.to_ascii_uppercase();
    if let Some(page) = explain(&code) {
        let known = Code::ALL.iter().map(|known| known.as_str()).find(|known| *known == code);
        return vec![Topic::Code(known.unwrap_or_default(), page.to_owned())];
    }
    // `std.text` and `session.save` are other ways to write these names.
    let what = what.strip_prefix("std.").unwrap_or(what);
    let word = what.strip_prefix("session.").unwrap_or(what);
    let words = language().iter().filter(|entry| entry.names.contains(&word)).map(Topic::Word);
    let entries =
        reference().iter().flat_map(|module| module.entries.iter().map(move |e| (e, module)));
    let named = entries.filter(|(entry, module)| {
        let short = entry.name.strip_prefix("Failure.").or_else(|| {
            let (_, variant) = entry.name.split_once('.')?;
            (entry.kind == EntryKind::Variant && module.name == PRELUDE).then_some(variant)
        });
        entry.name == what
            || short == Some(what)
            // A variant of a module's enum is written `time.Monday`.
            || entry.kind == EntryKind::Variant && written(entry) == what
    });
    let modules = reference().iter().filter(|module| module.name == what).map(Topic::Module);
    words.chain(named.map(|(entry, module)| Topic::Entry(entry, module))).chain(modules).collect()
}

/// A variant as programs write it: without its enum.
fn written(entry: &Entry) -> String {
    match entry.name.split('.').collect::<Vec<_>>().as_slice() {
        [module, _, variant] => format!("{module}.{variant}"),
        _ => entry.name.clone(),
    }
}

/// Names that were probably meant, the nearest first: a full name with few slips, or a function of that name.
fn similar(what: &str) -> Vec<String> {
    let wanted = what.to_lowercase();
    let names = Code::ALL
        .iter()
        .map(|code| code.as_str().to_owned())
        .chain(language().iter().flat_map(|word| word.names.iter().map(|n| (*n).to_owned())))
        .chain(reference().iter().flat_map(|m| m.entries.iter().map(|e| e.name.clone())))
        .chain(reference().iter().map(|module| module.name.to_owned()));
    let mut scored: Vec<(f64, String)> = names
        .map(|name| {
            let lower = name.to_lowercase();
            let last = lower.rsplit('.').next().unwrap_or_default();
            // Someone who knows another language has the name, but not the module.
            let score = if last == wanted || wanted.rsplit('.').next() == Some(last) {
                0.97
            } else {
                let alone =
                    if wanted.contains('.') { 0.0 } else { strsim::jaro_winkler(&wanted, last) };
                strsim::jaro_winkler(&wanted, &lower).max(alone - 0.02)
            };
            (score, name)
        })
        .filter(|(score, _)| *score > 0.86)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.dedup_by(|a, b| a.1 == b.1);
    let best = scored.first().map_or(1.0, |(score, _)| *score);
    scored.into_iter().filter(|(score, _)| *score > best - 0.03).take(3).map(|(_, n)| n).collect()
}

fn page(topic: &Topic) -> String {
    match topic {
        Topic::Code(_, page) => page.clone(),
        Topic::Word(word) => {
            let runs = if word.run { "Example, with its test:" } else { "Example:" };
            format!(
                "{} ({})\n\n{}\n{}\n\n{runs}\n\n{}\nSee also: {}\n",
                word.names.join(", "),
                word.kind,
                indented(word.form),
                word.docs,
                indented(word.example),
                word.see.join(", "),
            )
        }
        Topic::Entry(entry, module) => {
            let mut text =
                format!("{} ({})\n\n{}", entry.name, entry.kind.noun(), indented(&entry.signature));
            if entry.kind == EntryKind::Function {
                let effects = entry.effects.as_deref().unwrap_or("none");
                text.push_str(&format!("\nEffects: {effects}\n"));
            }
            if !entry.docs.is_empty() {
                text.push_str(&format!("\n{}\n", entry.docs));
            }
            for example in &entry.examples {
                let runs = if example.run { "Example (what holds):" } else { "Example:" };
                text.push_str(&format!("\n{runs}\n\n{}", indented(&example.code)));
            }
            let related = related(entry, module);
            if !related.is_empty() {
                text.push_str(&format!("\n{}", wrapped("See also: ", &related)));
            }
            text
        }
        Topic::Module(module) => {
            let title = if module.name == PRELUDE {
                "names that need no module"
            } else {
                "module of the standard library"
            };
            let mut text = format!("{} ({title})\n\n{}\n", module.name, module.docs);
            for kind in [EntryKind::Type, EntryKind::Function] {
                let entries = module.entries.iter().filter(|entry| entry.kind == kind);
                for entry in entries {
                    text.push_str(&format!(
                        "\n{}\n    {}\n",
                        entry.name,
                        first_sentence(&entry.docs)
                    ));
                }
            }
            text
        }
    }
}

/// What the documentation mentions, then the neighbours in the module.
fn related(entry: &Entry, module: &Module) -> Vec<String> {
    let mut names = entry.mentions.clone();
    let variants_of = format!("{}.", entry.name);
    let neighbours = module.entries.iter().filter(|other| {
        other.name != entry.name
            && match entry.kind {
                EntryKind::Function => other.kind != EntryKind::Variant,
                EntryKind::Type => {
                    other.name.starts_with(&variants_of) || other.kind == EntryKind::Function
                }
                EntryKind::Variant => {
                    entry.name.rsplit_once('.').is_some_and(|(of, _)| other.name == of)
                }
            }
    });
    for other in neighbours {
        if !names.contains(&other.name) {
            names.push(other.name.clone());
        }
    }
    names
}

fn first_sentence(docs: &str) -> String {
    let line = docs.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    line.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
}

fn indented(code: &str) -> String {
    code.lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") })
        .collect()
}

/// Names in lines of at most 100 columns.
fn wrapped(title: &str, names: &[String]) -> String {
    let mut text = title.to_owned();
    let mut column = title.len();
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { ", " } else { "" };
        if column + name.len() + 1 > 100 {
            text.truncate(text.trim_end().len());
            text.push_str("\n    ");
            column = 4;
        }
        text.push_str(name);
        text.push_str(comma);
        column += name.len() + comma.len();
    }
    text.push('\n');
    text
}

/// The names of everything, by kind.
fn groups() -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let mut add = |group: &str, name: String| match groups.iter_mut().find(|(g, _)| g == group) {
        Some((_, names)) => names.push(name),
        None => groups.push((group.to_owned(), vec![name])),
    };
    for word in language() {
        for name in &word.names {
            add(word.kind, (*name).to_owned());
        }
    }
    for module in reference() {
        for entry in &module.entries {
            match entry.kind {
                EntryKind::Variant => {}
                _ => add(
                    if module.name == PRELUDE { "prelude" } else { module.name },
                    entry.name.clone(),
                ),
            }
        }
    }
    groups
}

fn contents() -> String {
    let mut text = String::from(
        "`kait explain NAME` says what one of these means, `kait explain K0201` what an error means.\n",
    );
    let modules: Vec<&str> = reference().iter().map(|module| module.name).collect();
    let mut library = false;
    for (group, names) in groups() {
        if modules.contains(&group.as_str()) && !library {
            library = true;
            text.push_str("\nTHE STANDARD LIBRARY\n");
        } else if text.lines().count() == 1 {
            text.push_str("\nTHE LANGUAGE\n");
        }
        text.push_str(&format!("\n{}", wrapped(&format!("{group}: "), &names)));
    }
    let codes: Vec<String> = Code::ALL.iter().map(|code| code.as_str().to_owned()).collect();
    text.push_str(&format!("\nERRORS AND WARNINGS\n\n{}", wrapped("codes: ", &codes)));
    text
}

fn everything() -> Json {
    let groups: serde_json::Map<String, Json> =
        groups().into_iter().map(|(group, names)| (group, json!(names))).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({"schema": "kait.explain/1", "names": groups, "codes": codes})
}

fn as_json(topic: &Topic) -> Json {
    match topic {
        Topic::Code(code, page) => json!({"kind": "code", "name": code, "docs": page}),
        Topic::Word(word) => json!({
            "kind": word.kind, "names": word.names, "signature": word.form, "docs": word.docs,
            "examples": [{"code": word.example, "run": word.run}], "related": word.see,
        }),
        Topic::Entry(entry, module) => {
            let examples: Vec<Json> =
                entry.examples.iter().map(|e| json!({"code": e.code, "run": e.run})).collect();
            json!({
                "kind": entry.kind.noun(), "name": entry.name, "module": module.name,
                "signature": entry.signature, "effects": entry.effects, "docs": entry.docs,
                "examples": examples, "related": related(entry, module),
            })
        }
        Topic::Module(module) => {
            let entries = module.entries.iter().filter(|e| e.kind != EntryKind::Variant);
            let names: Vec<&str> = entries.map(|e| e.name.as_str()).collect();
            json!({"kind": "module", "name": module.name, "docs": module.docs, "names": names})
        }
    }
}
