//! `kait fmt`: files in the one standard form.

use std::io::{Read as _, Write as _};
use std::path::Path;

use kait_compiler::compile;
use kait_compiler::diagnostics::render::terminal;
use kait_compiler::fmt::{FormatError, format};
use kait_compiler::sources::MemorySources;
use similar::{ChangeTag, TextDiff};

use super::check::{plural, write_whole};
use crate::args::FmtArgs;
use crate::compile::style;
use crate::exit::Exit;
use crate::files;

/// Formats the paths.
pub fn run(args: &FmtArgs) -> anyhow::Result<Exit> {
    if args.paths.iter().any(|path| path == Path::new("-")) {
        return stdin(args);
    }
    let paths = files::programs(&args.paths)?;
    let (mut changed, mut broken) = (0, 0);
    for path in &paths {
        let text = match files::read_program(path) {
            Ok(text) => text,
            Err(error) => {
                anstream::eprintln!("error K0901: {error:#}");
                broken += 1;
                continue;
            }
        };
        let Some(formatted) = standard(&path.display().to_string(), &text) else {
            broken += 1;
            continue;
        };
        if formatted == text {
            continue;
        }
        changed += 1;
        if args.diff {
            print_diff(&path.display().to_string(), &text, &formatted)?;
        } else if args.check {
            anstream::eprintln!("{} is not in standard form", path.display());
        } else {
            write_whole(path, &formatted)?;
            anstream::eprintln!("formatted {}", path.display());
        }
    }
    let verb = if args.check || args.diff { "would change" } else { "changed" };
    anstream::eprintln!("{}: {changed} {verb}", plural(paths.len(), "file"));
    let bad = broken > 0 || ((args.check || args.diff) && changed > 0);
    Ok(files::exit_for(&paths, bad))
}

/// Formats standard input to standard output: for editors.
fn stdin(args: &FmtArgs) -> anyhow::Result<Exit> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let Some(formatted) = standard("<stdin>", &text) else { return Ok(Exit::Failed) };
    if args.diff {
        print_diff("<stdin>", &text, &formatted)?;
    } else if !args.check {
        std::io::stdout().write_all(formatted.as_bytes())?;
    }
    let bad = (args.check || args.diff) && formatted != text;
    Ok(if bad { Exit::Failed } else { Exit::Done })
}

/// The standard form; `None` if the text has syntax errors, which are printed.
fn standard(name: &str, text: &str) -> Option<String> {
    match format(&kait_syntax::parse(text)) {
        Ok(formatted) => Some(formatted),
        Err(FormatError::SyntaxErrors) => {
            let mut found = compile(&MemorySources::single(name, text), &[name]);
            // Only what keeps the file from being formatted: mistakes of its form. A later pass may have said it better,
            // with a code of its own.
            if found.diagnostics.iter().any(|d| d.code.as_str() < "K02") {
                found.diagnostics.retain(|d| d.code.as_str() < "K02");
            }
            let drawn = terminal::render(&found.diagnostics, &found.files, style());
            anstream::eprintln!("{drawn}");
            None
        }
        Err(fault) => {
            anstream::eprintln!("error: {name}: {fault}");
            None
        }
    }
}

fn print_diff(name: &str, old: &str, new: &str) -> std::io::Result<()> {
    let diff = TextDiff::from_lines(old, new);
    let mut out = anstream::stdout().lock();
    writeln!(out, "--- {name}\n+++ {name} (standard form)")?;
    for group in diff.grouped_ops(3) {
        for op in group {
            for change in diff.iter_changes(&op) {
                let (sign, color) = match change.tag() {
                    ChangeTag::Delete => ('-', "\x1b[31m"),
                    ChangeTag::Insert => ('+', "\x1b[32m"),
                    ChangeTag::Equal => (' ', ""),
                };
                let end = if color.is_empty() { "" } else { "\x1b[0m" };
                writeln!(out, "{color}{sign}{}{end}", change.value().trim_end_matches('\n'))?;
            }
        }
    }
    Ok(())
}
