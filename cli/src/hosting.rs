//! The files that a server hosts, from the disk: which there are, what they come to, and what of that is news.
//!
//! The server itself never opens a file. Each load reads what programs were made of and compiles again only those of
//! which something has changed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use kait_compiler::diagnostics::render::{json, terminal};
use kait_compiler::sources::Files;
use kait_connect::{All, Grants, ModelBinding};
use kait_ir::GraphId;
use kait_runtime::{Plan, Profile};
use kait_server::{Program, Programs, Source};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value as Json;
use smol_str::SmolStr;

use crate::args::ServeArgs;
use crate::commands::cost;
use crate::commands::run::{connections, default_model, link, models_words};
use crate::compile::{self, Reads, Vouched};
use crate::compiled;
use crate::exit::Coded;
use crate::files::{self, Prints};
use crate::grants::{CallerGrants, UserGrants};

/// The files that are hosted, from the disk.
pub struct Disk {
    paths: Vec<PathBuf>,
    profile: Option<String>,
    offline: bool,
    unrestricted: bool,
    /// Where profiles are kept.
    profiles: Option<PathBuf>,
    known: Mutex<Known>,
}

/// What the last load has found.
#[derive(Default)]
struct Known {
    kept: FxHashMap<PathBuf, Kept>,
    roots: Vec<PathBuf>,
    said: FxHashSet<String>,
}

/// What a file has come to, and all that this depends on.
struct Kept {
    source: Source,
    /// None if it could not be compiled at all: then it is tried again.
    reads: Option<Reads>,
    profile: Result<Profile, Coded>,
    /// What is to be said of it.
    said: Vec<String>,
    /// The model roles of its public graphs that nothing is bound to, and what answers for them.
    open: Vec<SmolStr>,
    default: ModelBinding,
}

/// What one load has looked at, so that it looks only once.
struct Look {
    grants: Arc<dyn Grants>,
    prints: Prints,
    profiles: FxHashMap<PathBuf, Result<Profile, Coded>>,
    /// What answers for roles that nothing is bound to.
    default: Option<ModelBinding>,
}

/// A program that can be hosted.
struct Made {
    program: kait_ir::Program,
    /// What it was made from.
    files: Files,
    /// Which parameters must be vouched for.
    vouched: Vouched,
    /// How often its graphs ask models at most.
    bounds: FxHashMap<SmolStr, String>,
}

impl Disk {
    /// The files of a command line.
    ///
    /// # Errors
    /// If a directory that is to be hosted cannot be used.
    pub fn new(args: &ServeArgs, profile: &Profile) -> anyhow::Result<Self> {
        let profiles = profile.token_file().and_then(|file| Some(file.parent()?.to_path_buf()));
        let disk = Self {
            paths: if args.paths.is_empty() {
                vec![PathBuf::from(".")]
            } else {
                args.paths.clone()
            },
            profile: args.profile.clone(),
            offline: args.offline,
            unrestricted: args.unrestricted,
            profiles: profiles.map(|kept| std::fs::canonicalize(&kept).unwrap_or(kept)),
            known: Mutex::default(),
        };
        for path in &disk.paths {
            let directory = directory_of(path);
            std::fs::canonicalize(directory)
                .with_context(|| format!("cannot use `{}`", directory.display()))?;
        }
        Ok(disk)
    }

    /// The hosted directories as they are now: a link may lead elsewhere than it did.
    fn roots(&self) -> Vec<PathBuf> {
        let roots = self.paths.iter().map(|path| std::fs::canonicalize(directory_of(path)));
        roots.filter_map(Result::ok).collect()
    }

    fn grants(&self, roots: Vec<PathBuf>) -> Arc<dyn Grants> {
        if self.unrestricted {
            return Arc::new(UserGrants { offline: self.offline });
        }
        let profiles = self.profiles.clone();
        Arc::new(CallerGrants { offline: self.offline, roots, profiles })
    }

    /// The profile for programs of a directory.
    fn profile_in(&self, directory: &Path, look: &mut Look) -> Result<Profile, Coded> {
        if let Some(known) = look.profiles.get(directory) {
            return known.clone();
        }
        let loaded = Profile::load(directory, self.profile.as_deref());
        let loaded = loaded.map_err(Coded::from);
        look.profiles.insert(directory.to_owned(), loaded.clone());
        loaded
    }

    /// What answers for roles that nothing is bound to: a model of this machine may come and go.
    fn default_for(&self, open: &[SmolStr], look: &mut Look) -> ModelBinding {
        if open.is_empty() {
            return ModelBinding::echo();
        }
        look.default.get_or_insert_with(|| default_model(self.offline, open)).clone()
    }

    /// A file that was found at, or below, a path of the command line.
    fn source(&self, named: &Path, path: &Path, look: &mut Look) -> Kept {
        let shown = path.to_string_lossy().trim_start_matches("./").to_owned();
        let source = Source {
            path: shown.as_str().into(),
            module: files::hosted_name(named, path),
            graphs: Vec::new(),
            findings: Vec::new(),
            program: None,
        };
        let mut kept = Kept {
            source,
            reads: None,
            profile: self.profile_in(directory_of(path), look),
            said: Vec::new(),
            open: Vec::new(),
            default: ModelBinding::echo(),
        };
        if let Err(error) = self.fill(named, path, &mut kept, look) {
            let code = error.chain().find_map(|cause| cause.downcast_ref::<Coded>());
            let code = code.map_or("K0091", |coded| coded.code);
            kept.said.push(format!("error {code}: {error:#}\n"));
            kept.source.findings.push(finding(&shown, code, &error));
            kept.source.program = None;
        }
        kept
    }

    fn fill(
        &self,
        named: &Path,
        path: &Path,
        kept: &mut Kept,
        look: &mut Look,
    ) -> anyhow::Result<()> {
        let Some(made) = Self::program(path, kept, look)? else {
            return Ok(());
        };
        let source = &mut kept.source;
        let loaded = Arc::new(compile::load(made.program)?);
        let profile = match &kept.profile {
            Ok(profile) => profile,
            Err(fault) => return Err(fault.clone().into()),
        };
        // Offline nothing counts as bound.
        let bound = if self.offline { &Profile::default() } else { profile };
        let graphs = (0..).map(GraphId).zip(&loaded.program().graphs);
        for (graph, _) in graphs.filter(|(_, graph)| graph.public) {
            for role in Plan::open_roles(loaded.program(), graph, bound) {
                if !kept.open.contains(&role) {
                    kept.open.push(role);
                }
            }
        }
        kept.default = self.default_for(&kept.open, look);
        let plan = link(loaded, profile, &kept.default, self.offline);
        // What the server lets nobody do, no profile grants; and the other way round.
        let grants = All(vec![Arc::clone(&look.grants), Arc::new(profile.grants.clone())]);
        let connections = connections(&plan, profile, Arc::new(grants), base(named, path));
        source.program = Some(Program {
            plan: Arc::new(plan),
            connections,
            files: Arc::new(made.files),
            vouched: Arc::new(made.vouched),
            bounds: Arc::new(made.bounds),
        });
        Ok(())
    }

    /// The program of a file; nothing, if it has errors.
    fn program(path: &Path, kept: &mut Kept, look: &mut Look) -> anyhow::Result<Option<Made>> {
        if compiled::is_compiled(path) {
            kept.reads = Some(Reads::of(path, &mut look.prints));
            let mut program = compiled::load(path)?;
            kept.source.graphs = compile::public_names(&program);
            for index in 0..program.graphs.len() {
                let graph = GraphId(u32::try_from(index)?);
                let is_public = program.graphs.get(index).is_some_and(|graph| graph.public);
                if is_public && let Err(error) = compiled::runs(path, &program, graph) {
                    // It is not hosted, and whoever asks for it hears why.
                    kept.said.push(format!("error K0090: {error:#}\n"));
                    kept.source.findings.push(finding(&kept.source.path, "K0090", &error));
                    program.graphs.iter_mut().skip(index).take(1).for_each(|g| g.public = false);
                }
            }
            let vouched = compiled::vouched(&program);
            let (files, bounds) = (Files::default(), FxHashMap::default());
            return Ok(Some(Made { program, files, vouched, bounds }));
        }
        let (checked, reads) = compile::check_noting(path, &mut look.prints)?;
        kept.reads = Some(reads);
        let source = &mut kept.source;
        let (found, shown) = (&checked.compilation.diagnostics, &checked.compilation.files);
        let report: Json = serde_json::from_str(&json::render(found, shown))?;
        source.findings = report["diagnostics"].as_array().cloned().unwrap_or_default();
        source.graphs = compile::public_graphs(&checked);
        kept.said.push(terminal::render(found, shown, compile::style()));
        if checked.compilation.has_errors() {
            return Ok(None);
        }
        if matches!(&kept.profile, Ok(profile) if profile.strict) {
            let leaving = kait_compiler::labels::check_private(&checked.compilation);
            if !leaving.is_empty() {
                let report: Json = serde_json::from_str(&json::render(&leaving, shown))?;
                let more = report["diagnostics"].as_array().cloned().unwrap_or_default();
                source.findings.extend(more);
                kept.said.push(terminal::render(&leaving, shown, compile::style()));
                return Ok(None);
            }
        }
        let runnable = compile::lower(&checked)?;
        if !runnable.left_out.is_empty() {
            // They are not hosted, and whoever asks for them hears why.
            let faults: Vec<_> = runnable.left_out.into_iter().map(|(_, fault)| fault).collect();
            let report: Json = serde_json::from_str(&json::render(&faults, shown))?;
            let more = report["diagnostics"].as_array().cloned().unwrap_or_default();
            source.findings.extend(more);
            kept.said.push(terminal::render(&faults, shown, compile::style()));
        }
        let vouched = compile::vouched(&checked);
        let bounds = cost::calls(&checked.compilation);
        let (program, files) = (runnable.program, checked.compilation.files);
        Ok(Some(Made { program, files, vouched, bounds }))
    }

    /// Whether nothing has changed that a file depends on.
    fn holds(&self, path: &Path, kept: &Kept, look: &mut Look) -> bool {
        kept.profile == self.profile_in(directory_of(path), look)
            && kept.reads.as_ref().is_some_and(|reads| reads.hold(&mut look.prints))
            && kept.default == self.default_for(&kept.open, look)
    }
}

impl Programs for Disk {
    fn load(&self) -> Vec<Source> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let roots = self.roots();
        if roots != known.roots {
            // What runs may touch has changed.
            known.kept.clear();
            known.roots.clone_from(&roots);
        }
        let mut look = Look {
            grants: self.grants(roots),
            prints: Prints::default(),
            profiles: FxHashMap::default(),
            default: None,
        };
        let mut before = std::mem::take(&mut known.kept);
        let (mut sources, mut seen, mut said) = (Vec::new(), FxHashSet::default(), Vec::new());
        let (mut open, mut default) = (Vec::new(), ModelBinding::echo());
        for named in &self.paths {
            let found = files::hosted(named);
            said.extend(found.left_out);
            for path in found.programs {
                // Named twice, it is hosted once.
                if !seen.insert(below(named, &path)) {
                    continue;
                }
                let kept = before.remove(&path).filter(|kept| self.holds(&path, kept, &mut look));
                let kept = kept.unwrap_or_else(|| self.source(named, &path, &mut look));
                said.extend(kept.said.iter().cloned());
                if !kept.open.is_empty() {
                    default = kept.default.clone();
                }
                for role in &kept.open {
                    if !open.contains(role) {
                        open.push(role.clone());
                    }
                }
                sources.push(kept.source.clone());
                known.kept.insert(path, kept);
            }
        }
        said.extend(models_words(self.offline, &open, &default).map(|words| format!("{words}\n")));
        // What was said before is not said again, and what holds for many files is said once.
        let mut now = FxHashSet::default();
        for text in said.into_iter().filter(|text| !text.is_empty()) {
            if !now.contains(&text) && !known.said.contains(&text) {
                anstream::eprint!("{text}");
            }
            now.insert(text);
        }
        known.said = now;
        sources
    }
}

/// What keeps a file from being hosted, as a finding of the compiler.
fn finding(path: &str, code: &str, error: &anyhow::Error) -> Json {
    serde_json::json!({
        "code": code,
        "severity": "error",
        "message": format!("{error:#}"),
        "primary": { "path": path, "text": "" },
        "labels": [], "notes": [], "help": null, "fixes": [],
    })
}

/// The directory that a path of the command line names, or that it lies in.
pub fn directory_of(path: &Path) -> &Path {
    let directory = if path.is_dir() { path } else { path.parent().unwrap_or(path) };
    if directory.as_os_str().is_empty() { Path::new(".") } else { directory }
}

/// Where the relative paths of a program's files begin: its package, else what was named on the command line.
fn base(named: &Path, path: &Path) -> PathBuf {
    let manifest = Profile::project_file(directory_of(path));
    let base = manifest.as_deref().and_then(Path::parent).unwrap_or_else(|| directory_of(named));
    std::fs::canonicalize(base).unwrap_or_else(|_| base.to_owned())
}

/// The path of a file below what was named, the same however that was written. A link has a path of its own.
fn below(named: &Path, path: &Path) -> PathBuf {
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    match path.strip_prefix(named) {
        Ok(inner) if !inner.as_os_str().is_empty() => real(named).join(inner),
        _ => real(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(directory: &Path) -> Disk {
        Disk {
            paths: vec![directory.to_owned()],
            profile: None,
            offline: true,
            unrestricted: false,
            profiles: None,
            known: Mutex::default(),
        }
    }

    fn plans(disk: &Disk) -> Vec<(String, Option<Arc<Plan>>)> {
        let sources = disk.load();
        let plan = |source: Source| {
            (source.module.to_string(), source.program.map(|program| program.plan))
        };
        sources.into_iter().map(plan).collect()
    }

    fn same(a: &(String, Option<Arc<Plan>>), b: &(String, Option<Arc<Plan>>)) -> bool {
        match (&a.1, &b.1) {
            (Some(one), Some(other)) => a.0 == b.0 && Arc::ptr_eq(one, other),
            _ => false,
        }
    }

    #[test]
    fn only_what_depends_on_a_change_is_compiled_again() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("a/kait.toml", "");
        write("a/lib.kait", "pub fn one() -> int {\n  1\n}\n");
        write("a/main.kait", "use lib\n\npub graph go() -> int {\n  lib.one()\n}\n");
        write("b/main.kait", "pub graph go() -> int {\n  5\n}\n");
        let disk = disk(directory.path());
        let first = plans(&disk);
        assert_eq!(
            first.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
            ["a.lib", "a.main", "b.main"]
        );
        let again = plans(&disk);
        assert!(first.iter().zip(&again).all(|(a, b)| same(a, b)));

        write("a/lib.kait", "pub fn one() -> int {\n  2\n}\n");
        let changed = plans(&disk);
        assert!(!same(&again[1], &changed[1]) && same(&again[2], &changed[2]));

        // A file that was missed comes, another one breaks and is made good again.
        write("b/main.kait", "use lib\n\npub graph go() -> int {\n  lib.one()\n}\n");
        assert!(plans(&disk)[2].1.is_none());
        write("b/lib.kait", "pub fn one() -> int {\n  7\n}\n");
        let found = plans(&disk);
        assert!(found[3].1.is_some() && same(&found[1], &changed[1]));

        // Models of a package are its own.
        write("a/kait.toml", "[models.fast]\nprovider = \"echo\"\nmodel = \"m\"\n");
        let bound = plans(&disk);
        assert!(!same(&bound[1], &found[1]) && same(&bound[3], &found[3]));
    }

    #[test]
    fn compiled_programs_are_hosted_where_they_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let source = directory.path().join("two.kait");
        std::fs::write(&source, "pub graph two() -> int {\n  2\n}\n").unwrap();
        let Ok(Ok(compiled)) = compile::program(&source, None) else { panic!("it compiles") };
        let out = directory.path().join("built.kir");
        std::fs::write(&out, kait_ir::file::write(&compiled.program)).unwrap();
        let names = |path: &Path| -> Vec<String> {
            plans(&disk(path)).into_iter().filter(|p| p.1.is_some()).map(|p| p.0).collect()
        };
        assert_eq!(
            names(directory.path()),
            ["two"],
            "what lies in a directory is not hosted twice"
        );
        assert_eq!(names(&out), ["built"]);
        std::fs::write(&out, b"something else").unwrap();
        let sources = disk(&out).load();
        assert!(sources[0].program.is_none());
        assert_eq!(sources[0].findings[0]["code"], "K9030");
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_as_far_as_what_is_hosted() {
        use std::os::unix::fs::symlink;
        let (directory, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = directory.path();
        let graph = "pub graph go() -> int {\n  5\n}\n";
        for path in ["releases/7", "..2026_11"] {
            std::fs::create_dir_all(root.join(path)).unwrap();
        }
        std::fs::write(root.join("releases/7/app.kait"), graph).unwrap();
        std::fs::write(root.join("..2026_11/conf.kait"), graph).unwrap();
        std::fs::write(outside.path().join("far.kait"), graph).unwrap();
        // As a deployment, and as a mounted ConfigMap has them.
        symlink("releases/7", root.join("current")).unwrap();
        symlink("..2026_11", root.join("..data")).unwrap();
        symlink("..data/conf.kait", root.join("conf.kait")).unwrap();
        // A circle, a way out, and nothing.
        symlink("..", root.join("releases/up")).unwrap();
        symlink(outside.path(), root.join("out")).unwrap();
        symlink(outside.path().join("far.kait"), root.join("far.kait")).unwrap();
        symlink("nowhere.kait", root.join("gone.kait")).unwrap();
        let found = files::hosted(root);
        let names: Vec<_> =
            found.programs.iter().map(|path| files::hosted_name(root, path)).collect();
        assert_eq!(names, ["conf", "current.app", "releases.7.app"]);
        let left_out = found.left_out.join("");
        for (name, why) in [
            ("out", "outside"),
            ("far.kait", "outside"),
            ("gone.kait", "nothing"),
            ("up", "circle"),
        ] {
            let line = left_out.lines().find(|line| line.contains(&format!("{name}`")));
            assert!(line.is_some_and(|line| line.contains(why)), "{name}: {left_out}");
        }
        assert_eq!(plans(&disk(root)).iter().filter(|(_, plan)| plan.is_some()).count(), 3);
    }
}
