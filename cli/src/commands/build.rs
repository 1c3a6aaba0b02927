//! `kait build`: a program as one file that runs without its source.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use kait_ir::file::{write, write_json};

use crate::args::BuildArgs;
use crate::compiled;
use crate::exit::{Coded, Exit};
use crate::{compile, files};

/// Builds it.
pub fn run(args: &BuildArgs) -> anyhow::Result<Exit> {
    let (file, wanted) = files::split(&args.file);
    let path = Path::new(file);
    let Ok(built) = compile::to_keep(path, wanted)? else { return Ok(Exit::Failed) };
    // The others are built; whoever asks for these hears why they are not in it.
    built.print_left_out();
    let mut program = built.program;
    if let Some(wanted) = wanted {
        for graph in &mut program.graphs {
            graph.public &= graph.name == wanted;
        }
    }
    if let Err(errors) = kait_ir::trust::check(&program, kait_compiler::library::library()) {
        let lines: Vec<String> = errors.iter().map(|error| error.in_words(&program)).collect();
        let message = format!("`{file}` would not be loaded: {}", lines.join("\n   "));
        return Err(Coded { code: "K9033", message }.into());
    }
    let names: Vec<&str> =
        program.graphs.iter().filter(|g| g.public).map(|graph| graph.name.as_str()).collect();
    if names.is_empty() {
        let what =
            wanted.map_or("no `pub graph`".to_owned(), |name| format!("no `pub graph {name}`"));
        let message = format!("`{file}` has {what}, so there is nothing to build");
        return Err(Coded { code: "K9040", message }.into());
    }
    let json = args.json || args.output.as_deref().is_some_and(|out| ends_with(out, ".kir.json"));
    let out = args.output.clone().unwrap_or_else(|| default_output(path, json));
    if !compiled::is_compiled(&out) {
        let shown = out.display();
        let message = format!(
            "`{shown}` would not be known as a compiled program: let its name end in .kir or .kir.json"
        );
        return Err(Coded { code: "K9030", message }.into());
    }
    let content = if json { write_json(&program)?.into_bytes() } else { write(&program) };
    write_whole(&out, &content)?;
    let hash = kait_ir::hash(&program).to_string();
    anstream::eprintln!(
        "{}: {} (plan {})",
        out.display(),
        names.join(", "),
        hash.get(..16).unwrap_or(&hash)
    );
    Ok(Exit::Done)
}

fn ends_with(path: &Path, end: &str) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(end))
}

/// `examples/refine.kait` → `refine.kir`, where the command runs.
fn default_output(file: &Path, json: bool) -> PathBuf {
    let name = file.file_name().unwrap_or_default();
    let stem = name.to_str().and_then(|name| name.strip_suffix(".kir.json"));
    let stem = stem.map_or_else(|| file.file_stem().unwrap_or_default(), OsStr::new);
    let mut name = stem.to_os_string();
    name.push(if json { ".kir.json" } else { ".kir" });
    name.into()
}

/// Puts a file in its place at once: nobody reads half of it.
fn write_whole(out: &Path, content: &[u8]) -> anyhow::Result<()> {
    let cannot = || format!("cannot write `{}`", out.display());
    let mut beside = out.as_os_str().to_os_string();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = PathBuf::from(beside);
    std::fs::write(&beside, content).with_context(cannot)?;
    std::fs::rename(&beside, out).with_context(cannot).inspect_err(|_| {
        let _ = std::fs::remove_file(&beside);
    })
}
