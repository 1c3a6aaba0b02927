//! From a file's name to a program: reads the disk for the compiler, prints what it finds.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, anyhow};
use kait_compiler::diagnostics::Diagnostic;
use kait_compiler::diagnostics::render::terminal::{self, Style};
use kait_compiler::hir::{CallableKind, DefId, DefKind};
use kait_compiler::sources::{SourceError, Sources};
use kait_compiler::{Compilation, Runnable, compile};
use kait_engine::Loaded;
use kait_ide::Overlay;
use kait_ir::Program;
use kait_ir::program::Span;
use kait_runtime::Profile;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::compiled;
use crate::files::{self, Prints};

/// The files of a package on disk.
pub struct DiskSources {
    root: PathBuf,
    /// What the compiler has asked for.
    asked: Mutex<Asked>,
}

#[derive(Default)]
struct Asked {
    files: Vec<PathBuf>,
    listed: Option<Vec<String>>,
}

/// All that the compilation of a file has read, and what stood there.
pub struct Reads {
    file: PathBuf,
    manifest: Option<PathBuf>,
    files: Vec<(PathBuf, Option<blake3::Hash>)>,
    /// The package's directory and the names of its files, if they were asked for.
    listed: Option<(PathBuf, Vec<String>)>,
}

impl Reads {
    /// Of a compiled program, which is one file.
    pub fn of(file: &Path, prints: &mut Prints) -> Self {
        let print = files::print_of(file, prints);
        Self {
            file: file.to_owned(),
            manifest: Profile::project_file(directory_of(file)),
            files: vec![(file.to_owned(), print)],
            listed: None,
        }
    }

    /// Whether the same would be read now.
    pub fn hold(&self, prints: &mut Prints) -> bool {
        let lists = |(root, names): &(PathBuf, Vec<String>)| list(root) == *names;
        self.manifest == Profile::project_file(directory_of(&self.file))
            && self.files.iter().all(|(path, print)| files::print_of(path, prints) == *print)
            && self.listed.as_ref().is_none_or(lists)
    }
}

fn directory_of(file: &Path) -> &Path {
    file.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn list(root: &Path) -> Vec<String> {
    let Ok(found) = files::programs(&[root.to_owned()]) else {
        return Vec::new();
    };
    found
        .iter()
        .filter_map(|path| path.strip_prefix(root).ok()?.to_str())
        .map(|path| path.replace('\\', "/"))
        .collect()
}

impl Sources for DiskSources {
    fn read(&self, shown: &str) -> Result<Arc<str>, SourceError> {
        let path = self.root.join(shown);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).files.push(path.clone());
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(SourceError::NotFound);
            }
            Err(error) => return Err(SourceError::Unreadable(error.to_string())),
            // A pipe would be waited for.
            Ok(data) if !data.is_file() && !data.is_dir() => {
                let why = format!("`{shown}` is a pipe, a socket or a device, not a file");
                return Err(SourceError::Unreadable(why));
            }
            Ok(_) => {}
        }
        files::read_text(&path)
            .map(Into::into)
            .map_err(|e| SourceError::Unreadable(format!("{e:#}")))
    }

    fn list(&self) -> Vec<String> {
        let names = list(&self.root);
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.listed = Some(names.clone());
        names
    }
}

/// A file with everything that it imports, checked.
pub struct Checked {
    /// What the compiler found out. Paths are as the user would write them.
    pub compilation: Compilation,
}

/// Compiles a file: the package's root is where the nearest `kait.toml` is, else the file's own directory.
///
/// # Errors
/// If the file cannot be read.
pub fn check(file: &Path) -> anyhow::Result<Checked> {
    // Read here first: what cannot be read at all is a mistake on the command line, not in a program.
    files::read_program(file)?;
    Ok(check_with(file, None)?.0)
}

/// As [`check`], and what was read for it. `prints` knows what stands in files.
///
/// # Errors
/// If the file cannot be read.
pub fn check_noting(file: &Path, prints: &mut Prints) -> anyhow::Result<(Checked, Reads)> {
    files::read_program(file)?;
    let (checked, sources) = check_with(file, None)?;
    let asked = sources.asked.into_inner().unwrap_or_else(PoisonError::into_inner);
    let print = |path: PathBuf| {
        let print = files::print_of(&path, prints);
        (path, print)
    };
    let reads = Reads {
        file: file.to_owned(),
        manifest: Profile::project_file(directory_of(file)),
        files: asked.files.into_iter().map(print).collect(),
        listed: asked.listed.map(|names| (sources.root, names)),
    };
    Ok((checked, reads))
}

/// Compiles a file as if it had another text.
///
/// # Errors
/// If the file's path is not UTF-8.
pub fn check_text(file: &Path, text: &str) -> anyhow::Result<Checked> {
    Ok(check_with(file, Some(text))?.0)
}

fn check_with(file: &Path, text: Option<&str>) -> anyhow::Result<(Checked, DiskSources)> {
    let directory = directory_of(file);
    let (root, path) = match Profile::project_file(directory) {
        Some(manifest) => {
            let root = manifest.parent().unwrap_or(directory).to_path_buf();
            let file = std::path::absolute(file)?;
            match file.strip_prefix(&root) {
                Ok(path) => (root.clone(), path.to_path_buf()),
                Err(_) => (directory.to_path_buf(), file_name(file.as_path())),
            }
        }
        None => (directory.to_path_buf(), file_name(file)),
    };
    let shown = shown_prefix(&root);
    let path = path.to_str().with_context(|| format!("`{}` is not UTF-8", path.display()))?;
    let path = path.replace('\\', "/");
    let sources = DiskSources { root, asked: Mutex::default() };
    let texts = text.into_iter().map(|text| (path.clone(), Arc::from(text))).collect();
    let mut compilation = compile(&Overlay { base: &sources, texts }, &[&path]);
    compilation.files.show_below(&shown);
    Ok((Checked { compilation }, sources))
}

fn file_name(file: &Path) -> PathBuf {
    file.file_name().map(PathBuf::from).unwrap_or_default()
}

/// How a package's root is written before its files: relative to where the command runs, if it is below.
fn shown_prefix(root: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let root = root.strip_prefix(&here).unwrap_or(root);
    let root = root.to_string_lossy();
    let root = root.trim_start_matches("./").trim_end_matches('/');
    if root.is_empty() || root == "." { String::new() } else { format!("{root}/") }
}

/// Prints the findings on stderr, warnings included.
pub fn print_findings(checked: &Checked) {
    let Compilation { files, diagnostics, .. } = &checked.compilation;
    if !diagnostics.is_empty() {
        anstream::eprint!("{}", terminal::render(diagnostics, files, style()));
    }
}

/// How findings are drawn: colours are removed again where stderr shows none.
pub fn style() -> Style {
    Style { color: true, ascii: false }
}

/// A program that can run, and where its nodes stand.
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// The names of the public graphs and prompts, also of those that this version does not run.
    names: Vec<SmolStr>,
    /// Why some of them are not in the program.
    left_out: Vec<Diagnostic>,
    /// What it was made from; nothing, if it was compiled before.
    checked: Option<Checked>,
}

impl Compiled {
    /// A program of which only the compiled form is there.
    pub fn recorded(program: Program) -> Self {
        Self { names: public_names(&program), program, left_out: Vec::new(), checked: None }
    }

    /// The public graphs, if no name says which of them is meant and none is called `main`.
    pub fn ambiguous(&self, wanted: Option<&str>) -> Option<Vec<SmolStr>> {
        let is_open = wanted.is_none() && only(&self.names).is_none();
        (is_open && !self.names.is_empty()).then(|| self.names.clone())
    }

    /// What it was made of, if that was a text.
    pub fn compilation(&self) -> Option<&Compilation> {
        self.checked.as_ref().map(|checked| &checked.compilation)
    }

    /// `path:line:column` of a place.
    pub fn place(&self, span: Span) -> Option<String> {
        self.checked.as_ref()?.compilation.files.place(span)
    }

    /// Prints why some graphs are not in the program.
    pub fn print_left_out(&self) {
        if let Some(checked) = &self.checked {
            let files = &checked.compilation.files;
            anstream::eprint!("{}", terminal::render(&self.left_out, files, style()));
        }
    }
}

/// The graph that is meant where none is named: `main`, or the only one.
fn only(names: &[SmolStr]) -> Option<&SmolStr> {
    match names {
        [one] => Some(one),
        _ => names.iter().find(|name| *name == "main"),
    }
}

/// The program of a file: a compiled one is loaded, a source compiled and lowered. Of that,  the graph `wanted` is to be used (else the one that needs no name). Its findings
/// are printed; with errors among them, or if this version does not run that graph, there is no program.
///
/// # Errors
/// If the file cannot be read, or for a fault of ours.
pub fn program(file: &Path, wanted: Option<&str>) -> anyhow::Result<Result<Compiled, Checked>> {
    program_of(file, wanted, lower)
}

/// As [`program`], for a program that is kept rather than run now: leaves that this version does not reach are in it.
///
/// # Errors
/// As [`program`].
pub fn to_keep(file: &Path, wanted: Option<&str>) -> anyhow::Result<Result<Compiled, Checked>> {
    program_of(file, wanted, |checked| {
        let roots = graphs(&checked.compilation);
        checked.compilation.lower_to_keep(&roots).map_err(|fault| fault_of(&fault))
    })
}

fn program_of(
    file: &Path,
    wanted: Option<&str>,
    lower: impl FnOnce(&Checked) -> anyhow::Result<Runnable>,
) -> anyhow::Result<Result<Compiled, Checked>> {
    if compiled::is_compiled(file) {
        let program = compiled::load(file)?;
        let names = public_names(&program);
        return Ok(Ok(Compiled { program, names, left_out: Vec::new(), checked: None }));
    }
    let mut checked = check(file)?;
    print_findings(&checked);
    if checked.compilation.has_errors() {
        return Ok(Err(checked));
    }
    let Runnable { program, left_out } = lower(&checked)?;
    let names = public_graphs(&checked);
    let wanted = wanted.or_else(|| only(&names).map(SmolStr::as_str));
    let defs = &checked.compilation.hir.defs;
    let is_wanted = |id: &DefId| {
        let def = defs.get(id.index());
        def.is_some_and(|def| Some(def.name.as_str()) == wanted)
    };
    let fault = left_out.iter().find(|(id, _)| is_wanted(id)).map(|(_, fault)| fault.clone());
    let is_public = |id: &DefId| defs.get(id.index()).is_some_and(|def| def.is_pub);
    let left_out =
        left_out.into_iter().filter(|(id, _)| is_public(id)).map(|(_, fault)| fault).collect();
    if let Some(fault) = fault {
        let shown = std::slice::from_ref(&fault);
        anstream::eprint!("{}", terminal::render(shown, &checked.compilation.files, style()));
        checked.compilation.diagnostics.push(fault);
        return Ok(Err(checked));
    }
    Ok(Ok(Compiled { program, names, left_out, checked: Some(checked) }))
}

/// The names of the graphs that a program offers.
pub fn public_names(program: &Program) -> Vec<SmolStr> {
    program.graphs.iter().filter(|graph| graph.public).map(|graph| graph.name.clone()).collect()
}

/// What can run of a file without errors.
///
/// # Errors
/// For a fault of ours.
pub fn lower(checked: &Checked) -> anyhow::Result<Runnable> {
    let roots = graphs(&checked.compilation);
    checked.compilation.lower_runnable(&roots).map_err(|fault| fault_of(&fault))
}

/// The names of the file's public graphs and prompts, also if it has errors.
pub fn public_graphs(checked: &Checked) -> Vec<SmolStr> {
    let defs = &checked.compilation.hir.defs;
    let found = graphs(&checked.compilation).into_iter().filter_map(|id| defs.get(id.index()));
    found.filter(|def| def.is_pub).map(|def| def.name.clone()).collect()
}

/// By the name of a public graph: its parameters that only those may give who may vouch for them.
pub type Vouched = FxHashMap<SmolStr, Vec<SmolStr>>;

/// All parameters of the public graphs of a program.
pub fn all_parameters(program: &Program) -> Vouched {
    let public = program.graphs.iter().filter(|graph| graph.public && !graph.params.is_empty());
    let params = |graph: &kait_ir::Graph| graph.params.iter().map(|p| p.name.clone()).collect();
    public.map(|graph| (graph.name.clone(), params(graph))).collect()
}

/// The parameters of a source's graphs that only those may give who may vouch for them.
pub fn vouched(checked: &Checked) -> Vouched {
    let compilation = &checked.compilation;
    let labels = kait_compiler::labels::labels(compilation);
    let mut found = FxHashMap::default();
    for id in graphs(compilation) {
        let Some(def) = compilation.hir.defs.get(id.index()) else { continue };
        let names = labels.vouched(&compilation.hir, id);
        if def.is_pub && !names.is_empty() {
            found.insert(def.name.clone(), names);
        }
    }
    found
}

/// The graph or prompt of the file itself that is meant: by its name, else the one that needs none.
pub fn meant(compilation: &Compilation, wanted: Option<&str>) -> Option<DefId> {
    let named = |id: &DefId| compilation.hir.defs.get(id.index());
    let all = graphs(compilation);
    let public = all.iter().filter_map(|id| named(id).filter(|def| def.is_pub));
    let names: Vec<_> = public.map(|def| def.name.clone()).collect();
    let wanted = wanted.or_else(|| only(&names).map(SmolStr::as_str))?;
    all.into_iter().find(|id| named(id).is_some_and(|def| def.name == wanted))
}

/// The graphs and prompts of the file itself, public ones first.
fn graphs(compilation: &Compilation) -> Vec<DefId> {
    let hir = &compilation.hir;
    let Some(root) = hir.modules.first() else { return Vec::new() };
    let mut found: Vec<_> = root
        .defs
        .iter()
        .filter_map(|id| Some((*id, hir.defs.get(id.index())?)))
        .filter(|(_, def)| matches!(&def.kind, DefKind::Callable(c) if matches!(c.kind, CallableKind::Graph | CallableKind::Prompt)))
        .collect();
    found.sort_by_key(|(_, def)| !def.is_pub);
    found.into_iter().map(|(id, _)| id).collect()
}

/// What the compiler says of itself.
pub fn fault_of(fault: &Diagnostic) -> anyhow::Error {
    internal(&format!("{}: {}", fault.code, fault.message))
}

/// A fault of ours, in words that ask for a report.
pub fn internal(fault: &dyn std::fmt::Display) -> anyhow::Error {
    anyhow!("K0091: the compiler contradicted itself; please report it with the program: {fault}")
}

/// Makes a program ready to run; it is verified again, like every program that is loaded.
///
/// # Errors
/// For a fault of ours.
pub fn load(program: Program) -> anyhow::Result<Loaded> {
    Loaded::new(program).map_err(|error| internal(&error))
}
