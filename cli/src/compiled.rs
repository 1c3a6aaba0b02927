//! Compiled programs on disk: files that `kait build` made, read and verified before anything looks into them.

use std::path::Path;

use kait_compiler::library::library;
use kait_compiler::lower::leaf_not_run;
use kait_engine::{LoadError, Loaded};
use kait_ir::encode::MAX_BYTES;
use kait_ir::file::{FileError, read};
use kait_ir::{GraphId, NodeKind, Program, VerifyError};
use rustc_hash::FxHashSet;

use crate::compile::{self, Vouched};
use crate::exit::Coded;
use crate::files;

/// How names of compiled programs end.
pub const ENDS: [&str; 2] = [".kir", ".kir.json"];

/// Whether a file is one, by its name.
pub fn is_compiled(file: &Path) -> bool {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    ENDS.iter().any(|end| name.ends_with(end))
}

/// Reads one and verifies it, as every program that is loaded, whoever made it.
///
/// # Errors
/// If it cannot be read, is no compiled program, is of another version, is damaged, or is refused.
pub fn load(file: &Path) -> anyhow::Result<Program> {
    files::is_plain(file)?;
    let bytes = files::read_bytes(file, MAX_BYTES as u64)?;
    let shown = file.display();
    let program = read(&bytes).map_err(|error| {
        let (code, help) = match &error {
            FileError::Foreign => ("K9030", "make one with `kait build FILE.kait`"),
            FileError::Format { .. } => ("K9031", "build it again with this version"),
            FileError::Text(_) => ("K9032", "mend it, or build it again"),
            _ => ("K9032", "build or copy it again"),
        };
        Coded { code, message: format!("`{shown}`: {error}\n   = {help}") }
    })?;
    let refused = |why: String| Coded { code: "K9033", message: format!("`{shown}`: {why}") };
    let in_words = |errors: Vec<VerifyError>| {
        let lines = errors.iter().map(|error| error.in_words(&program));
        refused(lines.collect::<Vec<_>>().join("\n   "))
    };
    kait_ir::verify(&program).map_err(in_words)?;
    // What the file says of the library, and that nothing gets around who must be asked.
    kait_ir::trust::check(&program, library()).map_err(in_words)?;
    // What else this version needs of a program: natives that it has, patterns that it understands.
    match Loaded::new(program.clone()) {
        Ok(_) => Ok(program),
        Err(LoadError::Native(name)) => Err(Coded {
            code: "K9031",
            message: format!(
                "`{shown}`: it uses `{name}`, which this version does not have\n   = run it with the version that made it"
            ),
        }
        .into()),
        Err(error) => Err(refused(error.to_string()).into()),
    }
}

/// By the name of a public graph: its parameters that only those may give who may vouch for them.
#[must_use]
pub fn vouched(program: &Program) -> Vouched {
    let Ok(trusted) = kait_ir::trust::check(program, library()) else {
        return compile::all_parameters(program);
    };
    let mut found = Vouched::default();
    for (id, graph) in (0..).map(GraphId).zip(&program.graphs) {
        let at = trusted.vouched(id).iter();
        let params = at.filter_map(|at| graph.params.get(*at as usize));
        let names: Vec<_> = params.map(|param| param.name.clone()).collect();
        if graph.public && !names.is_empty() {
            found.insert(graph.name.clone(), names);
        }
    }
    found
}

/// What a run of a graph may reach that this version does not run, in words.
pub fn not_run(program: &Program, graph: GraphId) -> Option<String> {
    let mut seen = FxHashSet::default();
    let mut open: Vec<_> = program.graphs.get(graph.index()).map(|g| g.body).into_iter().collect();
    while let Some(id) = open.pop() {
        let Some(region) = program.regions.get(id.index()).filter(|_| seen.insert(id)) else {
            continue;
        };
        for node in &region.nodes {
            node.kind.for_each_region(|inside| open.push(inside));
            match &node.kind {
                NodeKind::Call(call) => {
                    open.extend(program.graphs.get(call.graph.index()).map(|graph| graph.body));
                }
                NodeKind::Leaf(call) => {
                    let leaf = program.leaves.get(call.leaf.index());
                    let what = leaf.and_then(|leaf| leaf_not_run(&leaf.kind, &leaf.locator));
                    if what.is_some() {
                        return what;
                    }
                }
                _ => {}
            }
        }
    }
    None
}

/// That this version runs all that a run of a graph may reach: of a source the compiler says so.
///
/// # Errors
/// What it does not run.
pub fn runs(file: &Path, program: &Program, graph: GraphId) -> anyhow::Result<()> {
    let Some(what) = not_run(program, graph) else { return Ok(()) };
    let name = program.graphs.get(graph.index()).map(|graph| graph.name.as_str());
    let message = format!(
        "`{}`: `{}` reaches {what}, which this version does not run yet",
        file.display(),
        name.unwrap_or_default(),
    );
    Err(Coded { code: "K0090", message }.into())
}
