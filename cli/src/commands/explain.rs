//! `kait explain`: what a code or a name of the standard library means.

use std::io::Write as _;

use kait_compiler::diagnostics::{Code, explain};

use crate::args::ExplainArgs;
use crate::exit::Exit;

/// Prints the page of a code, or the declaration and documentation of a name.
pub fn run(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let mut out = anstream::stdout().lock();
    if let Some(page) = explain(&args.what) {
        write!(out, "{page}")?;
        return Ok(Exit::Done);
    }
    if let Some(text) = declaration(&args.what) {
        writeln!(out, "{text}")?;
        return Ok(Exit::Done);
    }
    if let Some(module) = kait_stdlib::module(&args.what) {
        write!(out, "{module}")?;
        return Ok(Exit::Done);
    }
    drop(out);
    let names = Code::ALL.iter().map(|code| code.as_str().to_owned()).chain(std_names());
    let near = names
        .map(|name| (strsim::jaro_winkler(&args.what, &name), name))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > 0.8);
    let hint = near.map(|(_, name)| format!("; did you mean `{name}`?")).unwrap_or_default();
    anstream::eprintln!("error: there is no code, function or module `{}`{hint}", args.what);
    Ok(Exit::Usage)
}

/// The lines of a declaration in a std module with the documentation above it: `text.trim`, `Failure`.
fn declaration(name: &str) -> Option<String> {
    let (module, item) = name.rsplit_once('.').unwrap_or(("prelude", name));
    let source = kait_stdlib::module(module)?;
    let mut lines: Vec<&str> = Vec::new();
    let mut found = false;
    for line in source.lines() {
        if found {
            // A declaration goes on in indented lines and ends with its bracket.
            if line.starts_with("  ") || line == "}" || line.starts_with(')') {
                lines.push(line);
                continue;
            }
            break;
        }
        if line.starts_with("///") {
            lines.push(line);
        } else if declared_name(line) == Some(item) {
            lines.push(line);
            found = true;
        } else if !line.starts_with("//!") {
            lines.clear();
        }
    }
    found.then(|| {
        let docs = lines.iter().take_while(|line| line.starts_with("///"));
        let docs = docs.map(|line| line.trim_start_matches("///").trim_start_matches(' '));
        let code = lines.iter().skip_while(|line| line.starts_with("///"));
        let (docs, code): (Vec<_>, Vec<_>) = (docs.collect(), code.copied().collect());
        format!("{}\n\n{}", code.join("\n"), docs.join("\n"))
    })
}

/// The name that a line declares.
fn declared_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ")?;
    let (word, rest) = rest.split_once(' ')?;
    if !matches!(word, "extern" | "fn" | "graph" | "record" | "enum" | "type" | "let") {
        return None;
    }
    rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next()
}

fn std_names() -> impl Iterator<Item = String> {
    kait_stdlib::modules().iter().flat_map(|(module, source)| {
        source.lines().filter_map(declared_name).map(move |name| format!("{module}.{name}"))
    })
}
