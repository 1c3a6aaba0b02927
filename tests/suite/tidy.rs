//! What reviewers would otherwise have to look for in every change: which crate may use which, how
//! long files are, what no source may contain. Reads the sources as text; it checks no behaviour.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};
use kait_tests::sources;

/// Which of our crates each crate may depend on; its tests may use more.
const MAY_USE: &[(&str, &[&str])] = &[
    ("kait-grammar", &[]),
    ("tree-sitter-kait", &[]),
    ("kait-syntax", &[]),
    ("kait-ir", &[]),
    ("kait-stdlib", &[]),
    ("kait-compiler", &["kait-syntax", "kait-ir", "kait-stdlib"]),
    ("kait-ide", &["kait-compiler", "kait-stdlib", "kait-syntax"]),
    ("kait-engine", &["kait-ir"]),
    ("kait-connect", &["kait-engine", "kait-ir"]),
    ("kait-store", &[]),
    ("kait-runtime", &["kait-store", "kait-engine", "kait-connect", "kait-ir"]),
    ("kait-lsp", &["kait-ide", "kait-compiler", "kait-syntax"]),
    ("kait-server", &["kait-runtime", "kait-engine", "kait-compiler", "kait-ide", "kait-ir"]),
    ("kait", &["*"]),
    ("kait-tests", &["*"]),
];

/// Folders whose code sees no file, clock, network or environment: everything comes in as data.
const PURE: &[&str] = &["compiler", "runtime/engine"];

/// The crates that hold them, and those that these build upon.
const PURE_CRATES: &[&str] =
    &["kait-syntax", "kait-ir", "kait-stdlib", "kait-compiler", "kait-ide", "kait-engine"];

/// What would let one of these in through a dependency.
const IMPURE_CRATES: &[&str] =
    &["tokio", "reqwest", "hyper", "rusqlite", "mio", "axum", "notify", "tempfile"];

/// Lines of a file: wanted, and allowed.
const WANTED: usize = 800;
const ALLOWED: usize = 1_500;

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(sources::root().join(path)).unwrap()).into_owned()
}

/// All Rust sources with their text.
fn rust() -> Vec<(PathBuf, String)> {
    let files = sources::files().unwrap().into_iter();
    let rust: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| (path.clone(), read(&path)))
        .collect();
    assert!(rust.len() > 20, "the sources were not found");
    rust
}

/// The code without its comments, and, if wanted, without its tests.
fn code(text: &str, with_tests: bool) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if !with_tests && line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        let comment = line.find("//").filter(|at| !line.get(..*at).unwrap_or("").ends_with(':'));
        out.push_str(line.get(..comment.unwrap_or(line.len())).unwrap_or(line));
        out.push('\n');
    }
    out
}

/// Fails with all findings at once.
fn report(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn crates_depend_in_one_direction() {
    let metadata = MetadataCommand::new()
        .manifest_path(sources::root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap();
    let ours: BTreeSet<_> =
        metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let rules: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let Some(may) = rules.get(package.name.as_str()) else {
            findings.push(format!("{}: say in tidy.rs which crates it may use", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            if dependency.kind != DependencyKind::Development
                && ours.contains(&dependency.name)
                && !may.contains(&"*")
                && !may.contains(&dependency.name.as_str())
            {
                findings.push(format!("{} must not use {}", package.name, dependency.name));
            }
        }
    }
    report(&findings);
}

#[test]
fn pure_crates_use_no_impure_ones() {
    // `cargo tree` knows features and the platform; the metadata of cargo list what could be used.
    let mut findings = Vec::new();
    for (name, _) in MAY_USE.iter().filter(|(name, _)| PURE_CRATES.contains(name)) {
        let output = std::process::Command::new(env!("CARGO"))
            .args([
                "tree",
                "--offline",
                "--edges=normal",
                "--prefix=none",
                "--format={p}",
                "-p",
                name,
            ])
            .current_dir(sources::root())
            .output()
            .unwrap();
        let tree = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            // A crate of the table that does not exist yet.
            let why = String::from_utf8_lossy(&output.stderr);
            assert!(why.contains("did not match any packages"), "{name}: {why}");
            continue;
        }
        assert!(tree.starts_with(name), "{name}: {tree}");
        let used: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        for impure in IMPURE_CRATES.iter().filter(|krate| used.contains(**krate)) {
            findings.push(format!("{name} uses {impure}: `cargo tree -i {impure} -p {name}`"));
        }
    }
    report(&findings);
}

#[test]
fn manifests_take_versions_and_lints_from_the_workspace() {
    let mut findings = Vec::new();
    for path in sources::files().unwrap() {
        if path.file_name().is_some_and(|name| name == "Cargo.toml")
            && path.components().count() > 1
        {
            let text = read(&path);
            for wanted in ["[lints]\nworkspace = true", "version.workspace = true"] {
                // It links C, so it cannot forbid `unsafe` as the workspace does.
                let exempt = path.starts_with("editors/tree-sitter-kait")
                    && wanted.starts_with("[lints]")
                    && text.contains("unsafe_code = \"deny\"");
                if !exempt && !text.contains(wanted) {
                    findings.push(format!(
                        "{}: lacks `{}`",
                        path.display(),
                        wanted.replace('\n', " ")
                    ));
                }
            }
            for line in text.lines().filter(|line| line.contains("version = \"")) {
                findings.push(format!("{}: `{line}` belongs into the workspace", path.display()));
            }
        }
    }
    report(&findings);
}

#[test]
fn files_are_short() {
    let (mut long, mut findings) = (Vec::new(), Vec::new());
    for (path, text) in rust() {
        let lines = text.lines().count();
        match lines {
            0..=WANTED => {}
            _ if lines <= ALLOWED => long.push(format!("{} has {lines} lines", path.display())),
            _ => findings
                .push(format!("{} has {lines} lines, {ALLOWED} are allowed", path.display())),
        }
    }
    if !long.is_empty() {
        println!("longer than {WANTED} lines:\n{}", long.join("\n"));
    }
    report(&findings);
}

#[test]
fn files_say_what_they_are_for() {
    let mut findings = Vec::new();
    for (path, text) in rust() {
        if !text.starts_with("//! ") {
            findings.push(format!("{}: begins with no `//!`", path.display()));
        }
    }
    report(&findings);
}

#[test]
fn nothing_is_left_undone() {
    // Put together here, so that this file does not find itself.
    let banned = [["to", "do!"], ["unimpl", "emented!"], ["db", "g!("]].map(|parts| parts.concat());
    let mut findings = Vec::new();
    for (path, text) in rust() {
        for (number, line) in code(&text, true).lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(word.as_str())) {
                findings.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    report(&findings);
}

#[test]
fn pure_code_touches_no_outside_world() {
    const BANNED: &[&str] = &[
        "std::fs",
        // Addresses are data; these are not.
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "ToSocketAddrs",
        "std::env",
        "std::process",
        "std::io::stdin",
        "std::thread",
        "Instant",
        "SystemTime",
        "RandomState",
    ];
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut findings = Vec::new();
    for (path, text) in rust() {
        let name = path.to_string_lossy().replace('\\', "/");
        let pure = PURE.iter().any(|folder| name.starts_with(&format!("{folder}/")));
        if !pure
            || !name.contains("/src/")
            || name.ends_with("/tests.rs")
            || name.contains("/tests/")
        {
            continue;
        }
        // `use std::{fs, env}` reads as `use std::fs, std::env`.
        let code = code(&text, false).replace("std::{", "std::{ ");
        for (number, line) in code.lines().enumerate() {
            let grouped = line.contains("std::{ ").then(|| {
                let inside = line.split("std::{ ").nth(1).unwrap_or_default();
                inside
                    .split([',', '}', ';', ' '])
                    .map(|part| format!("std::{part}"))
                    .collect::<Vec<_>>()
            });
            for banned in BANNED {
                // The compiler works on several threads, and nobody can see from what it gives how many there were.
                if *banned == "std::thread" && name == "compiler/src/threads.rs" {
                    continue;
                }
                let used = line.match_indices(banned).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    let after = line[at + banned.len()..].chars().next();
                    !before.is_some_and(word) && !after.is_some_and(word)
                });
                let used_in_group = grouped
                    .iter()
                    .flatten()
                    .any(|part| part == banned || part.starts_with(&format!("{banned}::")));
                if used || used_in_group {
                    findings.push(format!("{name}:{}: {banned}", number + 1));
                }
            }
        }
    }
    report(&findings);
}

#[test]
fn every_code_that_is_printed_can_be_explained() {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, text) in rust() {
        let shown = path.display().to_string();
        if ["tests", "benches"]
            .iter()
            .any(|folder| path.components().any(|c| c.as_os_str() == *folder))
            || shown.ends_with("tests.rs")
        {
            continue;
        }
        for (number, line) in code(&text, false).lines().enumerate() {
            for (at, _) in line.match_indices('K') {
                let word = line.get(at..at + 5).unwrap_or_default();
                let before = line.get(..at).and_then(|head| head.chars().next_back());
                let after = line.get(at + 5..).and_then(|rest| rest.chars().next());
                let alone = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
                let digits = word.len() == 5 && word.bytes().skip(1).all(|b| b.is_ascii_digit());
                if digits && alone(before) && alone(after) {
                    seen.insert(word.to_owned());
                    if kait_compiler::diagnostics::explain(word).is_none() {
                        findings.push(format!("{shown}:{}: {word} has no page", number + 1));
                    }
                }
            }
        }
    }
    for code in kait_compiler::diagnostics::Code::ALL {
        let page = sources::root().join(format!("docs/diagnostics/{code}.md"));
        if !page.is_file() || !seen.contains(code.as_str()) {
            findings.push(format!("{code}: its row or its page is missing"));
        }
    }
    assert!(seen.contains("K0801") && seen.contains("K9040"), "the command line was not read");
    report(&findings);
}

#[test]
fn nothing_names_the_machine_it_was_written_on() {
    let banned: Vec<String> = [
        ["/wo", "rk/wt"],
        ["/wo", "rk/main"],
        ["/wo", "rk/shared"],
        ["/wo", "rk/tgt"],
        ["/ro", "ot/"],
        ["/Us", "ers/"],
        ["C:\\Us", "ers"],
    ]
    .map(|parts| parts.concat())
    .into();
    let mut findings = Vec::new();
    for path in sources::files().unwrap() {
        for (number, line) in read(&path).lines().enumerate() {
            for word in banned.iter().filter(|word| line.contains(word.as_str())) {
                findings.push(format!("{}:{}: {word}", path.display(), number + 1));
            }
        }
    }
    report(&findings);
}
