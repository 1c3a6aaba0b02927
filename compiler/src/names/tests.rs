//! Modules: which files are read, what they see of each other, and circles.

use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::hir::Hir;
use crate::sources::{Files, MemorySources, SourceError, Sources};

fn sources(files: &[(&str, &str)]) -> MemorySources {
    let mut sources = MemorySources::default();
    for (path, text) in files {
        sources.insert(*path, *text);
    }
    sources
}

fn resolve(sources: &dyn Sources, roots: &[&str]) -> (Files, Hir, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::new();
    let (files, hir) = crate::resolve(sources, roots, &mut diagnostics);
    (files, hir, diagnostics.finish())
}

/// Path, text and code of every finding.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let (files, _, found) = resolve(&sources(files), &["main.kait"]);
    found
        .iter()
        .map(|one| {
            let path = &files.get(one.primary.span.file).unwrap().path;
            format!("{path} {} {:?}", one.code, files.slice(one.primary.span))
        })
        .collect()
}

#[test]
fn imports_are_files_beside_and_below() {
    let main = "use acme.support\nuse acme.support.deep as d\n\
                fn f(x: support.Kind) -> int {\n  support.g(d.limit)\n}\n";
    let support =
        "use helpers\npub enum Kind { A, B }\npub fn g(n: int) -> int {\n  helpers.h(n)\n}\n";
    let files = [
        ("main.kait", main),
        ("acme/support.kait", support),
        ("acme/support/deep.kait", "pub let limit = 3\n"),
        ("helpers.kait", "pub fn h(n: int) -> int {\n  n\n}\n"),
    ];
    assert_eq!(found(&files), [] as [&str; 0]);
    let (_, hir, _) = resolve(&sources(&files), &["main.kait"]);
    let names: Vec<&str> = hir.modules.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["", "acme.support", "acme.support.deep", "helpers", "prelude"]);
    for (index, def) in hir.defs.iter().enumerate() {
        let module = &hir.modules[def.module.index()];
        assert!(module.defs.iter().any(|d| d.index() == index), "{} is in its module", def.name);
    }
    assert_eq!(hir.defs.len(), hir.bodies.len());
}

#[test]
fn only_exported_names_are_visible() {
    let main = "use other\nfn f(x: other.Secret) -> int {\n  other.hidden() + other.shown()\n}\n\
                fn g() -> bool {\n  let v = other.Color.Red\n  v is other.Blue\n}\n";
    let other = "record Secret { a: int }\nfn hidden() -> int {\n  1\n}\n\
                 pub fn shown() -> int {\n  hidden()\n}\nenum Color { Red, Blue }\n";
    assert_eq!(
        found(&[("main.kait", main), ("other.kait", other)]),
        [
            "main.kait K0210 \"Secret\"",
            "main.kait K0210 \"hidden\"",
            "main.kait K0210 \"Color\"",
            "main.kait K0210 \"Blue\"",
        ]
    );
}

#[test]
fn circles_are_named_once() {
    let files = [
        ("main.kait", "use a\nfn f() -> int {\n  a.x()\n}\n"),
        ("a.kait", "use b\npub fn x() -> int {\n  b.y()\n}\n"),
        ("b.kait", "use c\npub fn y() -> int {\n  c.z()\n}\n"),
        ("c.kait", "use a\npub fn z() -> int {\n  a.x()\n}\n"),
    ];
    let (_, _, found) = resolve(&sources(&files), &["main.kait"]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].code, "K0212");
    assert!(found[0].message.ends_with("`a` → `b` → `c` → `a`"), "{}", found[0].message);
    assert_eq!(found[0].labels.len(), 2);
}

#[test]
fn a_file_that_imports_itself() {
    assert_eq!(
        found(&[("main.kait", "use main\nlet a = main.b\npub let b = 1\n")]),
        ["main.kait K0212 \"use main\""]
    );
}

#[test]
fn long_chains_of_imports_are_walked_without_recursion() {
    let mut sources = MemorySources::default();
    for n in 0..3_000 {
        let text = format!("use m{}\npub fn f() -> int {{\n  m{}.f()\n}}\n", n + 1, n + 1);
        sources.insert(format!("m{n}.kait"), text);
    }
    sources.insert("m3000.kait", "pub fn f() -> int {\n  1\n}\n");
    let (files, _, found) = resolve(&sources, &["m0.kait"]);
    assert!(found.is_empty());
    assert!(files.find("m3000.kait").is_some());
}

#[test]
fn missing_modules_are_one_error_with_a_guess() {
    let files = [
        ("main.kait", "use acme.suport as s\nfn f() -> s.Kind {\n  s.g(s.limit) |> s.h()\n}\n"),
        ("acme/support.kait", "pub let limit = 1\n"),
    ];
    let (_, _, found) = resolve(&sources(&files), &["main.kait"]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].help.as_deref(), Some("did you mean `acme.support`?"));
    assert_eq!(found[0].fixes[0].edits[0].insert, "acme.support");
}

#[test]
fn unused_and_double_imports() {
    let files = [
        ("main.kait", "use a\nuse b as a\nuse c\nfn f() -> int {\n  a.x\n}\n"),
        ("a.kait", "pub let x = 1\n"),
        ("b.kait", "pub let x = 1\n"),
        ("c.kait", "pub let x = 1\n"),
    ];
    assert_eq!(found(&files), ["main.kait K0207 \"a\"", "main.kait K0218 \"use c\""]);
    let (compiled, _, found) = resolve(&sources(&files), &["main.kait"]);
    let id = compiled.find("main.kait").unwrap();
    let text = compiled.get(id).unwrap().text();
    let fixed =
        crate::diagnostics::fixes::apply(id, text, &found, crate::diagnostics::fixes::Choice::Safe);
    assert_eq!(fixed.0, "use a\nuse b as a\nfn f() -> int {\n  a.x\n}\n");
}

#[test]
fn std_modules_are_read_only_if_they_are_mentioned() {
    let names = |text: &str| -> Vec<String> {
        let (_, hir, _) = resolve(&sources(&[("main.kait", text)]), &["main.kait"]);
        hir.modules.iter().map(|m| m.name.to_string()).collect()
    };
    assert_eq!(names("fn f() -> int {\n  1\n}\n"), ["", "prelude"]);
    assert_eq!(names("fn f(s: text) -> text {\n  text.upper(s)\n}\n"), ["", "prelude", "text"]);
    assert_eq!(names("fn f(p: web.Page) -> text {\n  p.body\n}\n"), ["", "prelude", "web"]);
}

#[test]
fn the_standard_library_has_no_mistakes() {
    for (name, _) in kait_stdlib::modules() {
        let main = format!("use {name} as it\n");
        let (files, _, found) = resolve(&sources(&[("main.kait", &main)]), &["main.kait"]);
        let id = files.find("main.kait").unwrap();
        let others: Vec<_> = found.iter().filter(|one| one.primary.span.file != id).collect();
        assert!(others.is_empty(), "{name}: {others:#?}");
    }
}

#[test]
fn a_root_that_another_root_imports_has_a_name_in_messages() {
    let files = [("lib.kait", "pub let x = 1\n"), ("b.kait", "use lib\nlet y = lib.zzz\n")];
    let (_, _, found) = resolve(&sources(&files), &["lib.kait", "b.kait"]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].message, "the module `lib` has no `zzz`");
}

struct Broken;

impl Sources for Broken {
    fn read(&self, path: &str) -> Result<Arc<str>, SourceError> {
        match path {
            "main.kait" => Ok("use locked\nlet a = locked.b\n".into()),
            "locked.kait" => Err(SourceError::Unreadable("permission denied".into())),
            _ => Err(SourceError::NotFound),
        }
    }
}

#[test]
fn files_that_cannot_be_read() {
    let (_, hir, found) = resolve(&Broken, &["main.kait", "gone.kait"]);
    let messages: Vec<&str> = found.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(
        messages,
        ["`locked.kait` cannot be read: permission denied", "there is no file `gone.kait`"]
    );
    assert_eq!(hir.modules[0].defs.len(), 1);
}

#[test]
fn several_roots_share_their_imports() {
    let files = [
        ("a.kait", "use c\nlet x = c.y\n"),
        ("b.kait", "use c\nlet x = c.y\n"),
        ("c.kait", "pub let y = 1\n"),
    ];
    let (_, hir, found) = resolve(&sources(&files), &["a.kait", "b.kait", "a.kait"]);
    assert!(found.is_empty(), "{found:#?}");
    let names: Vec<&str> = hir.modules.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["", "b", "c", "prelude"]);
}

/// An application, a package beside it, and one that only the latter knows.
const PACKAGES: &[(&str, &str)] = &[
    ("kait.toml", "[package]\nname = \"app\"\n[dependencies]\nacme = { path = \"../acme\" }\n"),
    ("../acme/kait.toml", "[dependencies]\nutil = { path = \"../util/\" }\n"),
    (
        "../acme/support.kait",
        "use util.words\nuse own.deep as deep\npub let x = words.y\npub let z = deep.w\n",
    ),
    ("../acme/own/deep.kait", "pub let w = 2\n"),
    ("../util/words.kait", "pub let y = 1\nlet hidden = 2\n"),
];

#[test]
fn modules_of_other_packages_are_found_where_kait_toml_says() {
    let main =
        [PACKAGES, &[("main.kait", "use acme.support\nlet a = support.x + support.z\n")]].concat();
    let (files, hir, found) = resolve(&sources(&main), &["main.kait"]);
    assert!(found.is_empty(), "{found:#?}");
    let names: Vec<&str> = hir.modules.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["", "acme.support", "acme.util.words", "acme.own.deep", "prelude"]);
    assert!(files.find("../util/words.kait").is_some());
}

#[test]
fn what_is_wrong_with_packages_is_said() {
    let toml = |row: &str| format!("[dependencies]\n{row}\n");
    let both = "acme = { path = \"../acme\" }\nlocal = { path = \"libs/local\" }";
    for (manifest, import, words) in [
        (toml(both), "util.words", "there is no module `util.words`"),
        (toml(both), "acme.missing", "there is no module `acme.missing`"),
        (toml(both), "acme", "`acme` is a package, not a module"),
        (toml(both), "libs.local.a", "`libs/local/a.kait` belongs to the package `local`"),
        (
            toml("Acme = { path = \"../acme\" }"),
            "acme.support",
            "`Acme` in `kait.toml` cannot be the name",
        ),
        (toml("text = { path = \"../acme\" }"), "acme.support", "a module that is always there"),
        (toml("acme = { path = \"/acme\" }"), "acme.support", "must be relative"),
        (toml("acme = { path = \".\" }"), "acme.support", "is the package itself"),
        (toml("acme = \"1.0\""), "acme.support", "`kait.toml` cannot be used"),
        ("[dependencies".to_owned(), "acme.support", "`kait.toml` cannot be used"),
    ] {
        let main = format!("use {import} as it\nlet a = it.x\n");
        let files = [PACKAGES, &[("kait.toml", &manifest), ("main.kait", &main)]].concat();
        let (_, _, found) = resolve(&sources(&files), &["main.kait"]);
        let first = found.first().map_or("", |one| one.message.as_str());
        assert!(first.contains(words), "{manifest}{main}{found:#?}");
    }
}
