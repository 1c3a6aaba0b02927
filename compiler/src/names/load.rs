//! Which files belong to a compilation: the roots, what they import, and the std modules that they mention.
//!
//! A file is a module; its path from the package's root is its name. Modules of other packages begin with the word by which
//! `kait.toml` knows them, those of MCP servers with `mcp`: they are made from `kait.lock`. Std modules need no import, so a
//! file asks for one by mentioning its name before a dot; a mention that turns out to be a local costs the parsing of one
//! small file.

use std::sync::{Arc, LazyLock, OnceLock};

use kait_syntax::ast::{self, Decl};
use kait_syntax::{SyntaxKind, SyntaxTree, TextRange};
use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::mcp;
use super::packages::{Fault, PackageId, Packages};
use super::suggest::suggest;
use super::syntax_errors;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Edit, FileId, Span, names_of};
use crate::hir::ModuleId;
use crate::sources::{Files, SourceError, Sources};
use crate::trees::Trees;

/// Most files that one compilation reads.
pub const MAX_FILES: usize = 10_000;

/// Std modules that are designed but not built: their names are known, so that the message can be honest.
const PLANNED: &[&str] = &["image", "pdf"];

/// Functions and types of std modules that are designed but not built.
const PLANNED_MEMBERS: &[(&str, &[&str])] = &[];

/// A file that was read and parsed.
pub(super) struct Loaded {
    pub file: FileId,
    pub name: SmolStr,
    /// The name for messages, which a nameless root has, too.
    pub shown: SmolStr,
    pub is_std: bool,
    /// Of the module of an MCP server: tools that no declaration can say, and why.
    pub left_out: Arc<[(SmolStr, String)]>,
    /// Whose words its `use`s are written in.
    package: PackageId,
    pub tree: Arc<SyntaxTree>,
    /// Places whose text could not be read: whole declarations.
    pub damage: Vec<TextRange>,
    /// Where syntax errors are.
    pub errors: Vec<TextRange>,
    /// What its `use`s stand for, in textual order.
    pub imports: Vec<Import>,
}

/// A `use`.
pub(super) struct Import {
    /// The name by which the module is known here.
    pub name: SmolStr,
    /// Where that name stands.
    pub name_span: Span,
    /// The whole declaration.
    pub span: Span,
    /// The module, unless it could not be had, which was reported.
    pub target: Option<ModuleId>,
}

/// Everything that was loaded.
pub(super) struct Graph {
    pub modules: Vec<Loaded>,
    /// Std modules by name, the prelude left out.
    pub std: FxHashMap<SmolStr, ModuleId>,
    pub prelude: Option<ModuleId>,
}

/// Whether `name` is a std module, loaded or not.
pub(crate) fn is_std_module(name: &str) -> bool {
    name != kait_stdlib::PRELUDE && kait_stdlib::module(name).is_some()
}

/// Whether `name` is a std module of the language that this version does not have.
pub(crate) fn is_planned_module(name: &str) -> bool {
    PLANNED.contains(&name) && !is_std_module(name)
}

/// Whether the module `module` will have a member of that name, but does not have it in this version.
pub(crate) fn is_planned_member(module: &str, name: &str) -> bool {
    PLANNED_MEMBERS.iter().any(|(known, names)| *known == module && names.contains(&name))
}

/// The trees of the std modules that were asked for: parsed once per process, because their texts never change.
static STD_TREES: LazyLock<FxHashMap<&'static str, OnceLock<Arc<SyntaxTree>>>> =
    LazyLock::new(|| {
        kait_stdlib::modules().iter().map(|(name, _)| (*name, OnceLock::new())).collect()
    });

/// The tree of a std module.
fn std_tree(name: &str) -> Option<Arc<SyntaxTree>> {
    let source = kait_stdlib::module(name)?;
    let tree = STD_TREES.get(name)?.get_or_init(|| Arc::new(kait_syntax::parse(source).tree));
    Some(Arc::clone(tree))
}

pub(super) fn load(
    sources: &dyn Sources,
    roots: &[&str],
    trees: &mut Trees,
    files: &mut Files,
    diagnostics: &mut Diagnostics,
) -> Graph {
    let mut loader = Loader {
        sources,
        trees,
        files,
        diagnostics,
        modules: Vec::new(),
        by_path: FxHashMap::default(),
        std: FxHashMap::default(),
        wanted_std: FxHashSet::default(),
        listed: None,
        packages: Packages::new(),
        faults: Vec::new(),
    };
    for (i, root) in roots.iter().enumerate() {
        loader.root(root, i == 0);
    }
    // The list of modules grows while it is walked: imports of imports are loaded, too.
    let mut next = 0;
    while next < loader.modules.len() && loader.modules.len() < MAX_FILES {
        loader.imports(next);
        next += 1;
    }
    loader.import_cycles();
    let prelude = loader.load_std(kait_stdlib::PRELUDE);
    loader.load_wanted_std();
    Graph { modules: loader.modules, std: loader.std, prelude }
}

struct Loader<'a> {
    sources: &'a dyn Sources,
    trees: &'a mut Trees,
    files: &'a mut Files,
    diagnostics: &'a mut Diagnostics,
    modules: Vec<Loaded>,
    by_path: FxHashMap<String, Option<ModuleId>>,
    std: FxHashMap<SmolStr, ModuleId>,
    wanted_std: FxHashSet<&'static str>,
    listed: Option<Vec<String>>,
    packages: Packages,
    /// What was said of `kait.toml`s and `kait.lock`s already.
    faults: Vec<Fault>,
}

impl Loader<'_> {
    fn root(&mut self, path: &str, first: bool) {
        if self.by_path.contains_key(path) {
            return;
        }
        let name = if first { SmolStr::default() } else { module_name(path) };
        match self.sources.read(path) {
            Ok(text) => {
                let id = self.parse(path, name, PackageId::ROOT, text);
                self.by_path.insert(path.to_owned(), Some(id));
            }
            Err(error) => {
                // An empty file stands in, so that there is a place to point at.
                let empty = Arc::new(kait_syntax::parse("").tree);
                let file = self.files.add(path.into(), empty);
                let why = match error {
                    SourceError::NotFound => format!("there is no file `{path}`"),
                    SourceError::Unreadable(why) => format!("`{path}` cannot be read: {why}"),
                };
                let place = Span::new(file, 0, 0);
                self.diagnostics.push(Diagnostic::new(Code::UnreadableFile, place, why));
                self.by_path.insert(path.to_owned(), None);
            }
        }
    }

    fn next_id(&self) -> ModuleId {
        ModuleId(u32::try_from(self.modules.len()).unwrap_or(u32::MAX))
    }

    fn parse(&mut self, path: &str, name: SmolStr, package: PackageId, text: Arc<str>) -> ModuleId {
        let (tree, errors) = self.trees.parse(path, text);
        let file = self.files.add(path.into(), Arc::clone(&tree));
        let damage = syntax_errors::damage(&tree, &errors);
        syntax_errors::report(file, &errors, &damage, self.diagnostics);
        self.want_std(&tree);
        let errors = errors
            .iter()
            .filter(|error| error.severity() == kait_syntax::Severity::Error)
            .map(|error| error.range)
            .collect();
        let id = self.next_id();
        let shown = if name.is_empty() { module_name(path) } else { name.clone() };
        self.modules.push(Loaded {
            file,
            name,
            shown,
            is_std: false,
            left_out: Arc::default(),
            package,
            tree,
            damage,
            errors,
            imports: Vec::new(),
        });
        id
    }

    /// Notes the std modules that stand before a dot somewhere in the file.
    fn want_std(&mut self, tree: &SyntaxTree) {
        for dot in tree.tokens_of(SyntaxKind::Dot) {
            let mut before = dot.prev_token();
            while let Some(blank) = before.filter(|token| token.kind().is_trivia()) {
                before = blank.prev_token();
            }
            if let Some(name) = before.filter(|token| token.kind() == SyntaxKind::Lid)
                && let Some((name, _)) = STD_TREES.get_key_value(name.text())
            {
                self.wanted_std.insert(name);
            }
        }
    }

    fn load_std(&mut self, name: &str) -> Option<ModuleId> {
        let tree = std_tree(name)?;
        let file = self.files.add(format!("std/{name}.kait").into(), Arc::clone(&tree));
        self.want_std(&tree);
        let id = self.next_id();
        self.modules.push(Loaded {
            file,
            name: name.into(),
            shown: name.into(),
            is_std: true,
            left_out: Arc::default(),
            package: PackageId::ROOT,
            tree,
            damage: Vec::new(),
            errors: Vec::new(),
            imports: Vec::new(),
        });
        Some(id)
    }

    /// Std modules mention each other, so this runs until nothing new is wanted; in order of name within a round.
    fn load_wanted_std(&mut self) {
        loop {
            let mut round: Vec<&'static str> = self
                .wanted_std
                .iter()
                .copied()
                .filter(|name| *name != kait_stdlib::PRELUDE && !self.std.contains_key(*name))
                .collect();
            if round.is_empty() {
                return;
            }
            round.sort_unstable();
            for name in round {
                if let Some(id) = self.load_std(name) {
                    self.std.insert(name.into(), id);
                }
            }
        }
    }

    /// The `pub` of a declaration, which its documentation may precede.
    fn exported_word(&self, declaration: Span) -> Span {
        let text = self.files.slice(declaration);
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let word = line.trim_start();
            if word.starts_with("pub") {
                at += line.len() - word.len();
                break;
            }
            at += line.len();
        }
        let start = declaration.start + u32::try_from(at).unwrap_or(0);
        Span { start, end: start + 3, ..declaration }
    }

    /// What removes a word with the blanks behind it.
    fn removed_word(&self, word: Span) -> Edit {
        let text = self.files.get(word.file).map_or("", |file| file.text());
        let rest = text.get(word.end as usize..).unwrap_or_default();
        let blanks = rest.bytes().take_while(|b| *b == b' ').count();
        Edit::new(Span { end: word.end + u32::try_from(blanks).unwrap_or(0), ..word }, "")
    }

    fn imports(&mut self, module: usize) {
        let Some(Loaded { tree, file, package, .. }) = self.modules.get(module) else { return };
        let (tree, file, package) = (Arc::clone(tree), *file, *package);
        let Some(source) = ast::SourceFile::cast(tree.root()) else { return };
        let mut imports = Vec::new();
        for decl in source.decls() {
            if let Decl::Test(test) = decl
                && test.is_pub()
            {
                let word = self.exported_word(span_of(file, test.range()));
                let finding =
                    Diagnostic::new(Code::ExportedImport, word, "a `test` cannot be `pub`")
                        .help("nothing calls a test; `kait test` finds it by itself")
                        .fix("remove `pub`", vec![self.removed_word(word)]);
                self.diagnostics.push(finding);
            }
            if let Decl::Trigger(trigger) = decl
                && trigger.is_pub()
            {
                let word = self.exported_word(span_of(file, trigger.range()));
                let finding =
                    Diagnostic::new(Code::ExportedImport, word, "a `trigger` cannot be `pub`")
                        .help("nothing calls a trigger: its source does, wherever it is declared")
                        .fix("remove `pub`", vec![self.removed_word(word)]);
                self.diagnostics.push(finding);
            }
            let Decl::Use(decl) = decl else { continue };
            let (Some(path), Some(bound)) = (decl.path(), decl.bound_name()) else { continue };
            let span = span_of(file, decl.range());
            if decl.is_pub() {
                let word = self.exported_word(span);
                let finding = Diagnostic::new(
                    Code::ExportedImport,
                    word,
                    "a `use` cannot be `pub`",
                )
                .help("let each file import what it uses: then a name shows where it comes from")
                .fix("remove `pub`", vec![self.removed_word(word)]);
                self.diagnostics.push(finding);
            }
            let target = self.import(file, package, path);
            imports.push(Import {
                name: bound.text().into(),
                name_span: span_of(file, bound.range()),
                span,
                target,
            });
        }
        if let Some(module) = self.modules.get_mut(module) {
            module.imports = imports;
        }
    }

    fn import(
        &mut self,
        from: FileId,
        package: PackageId,
        path: ast::Path<'_>,
    ) -> Option<ModuleId> {
        let dotted = path.to_text();
        let span = span_of(from, path.range());
        if let Some(server) =
            dotted.strip_prefix("mcp").filter(|rest| rest.is_empty() || rest.starts_with('.'))
        {
            return self.server(package, server.strip_prefix('.').unwrap_or_default(), span);
        }
        let (word, rest) = dotted.split_once('.').unwrap_or((&*dotted, ""));
        let mut is_known = true;
        let (package, inner) = match self.packages.dependency(self.sources, package, word) {
            Ok(Some(other)) => (other, rest),
            Ok(None) => (package, &*dotted),
            Err(fault) => {
                // Its own modules can still be found; of others it is not known where they lie.
                self.report_fault(fault, span);
                is_known = false;
                (package, &*dotted)
            }
        };
        if inner.is_empty() {
            self.report_bare_package(word, package, span);
            return None;
        }
        let file_path = self.packages.file(package, inner);
        if let Some(known) = self.by_path.get(&file_path) {
            return *known;
        }
        if let Some(owner) = self.packages.owner(self.sources, package, &file_path) {
            self.report_foreign_file(&file_path, &owner, span);
            return None;
        }
        let target = match self.sources.read(&file_path) {
            Ok(text) => {
                let name = self.packages.module(package, inner);
                Some(self.parse(&file_path, name, package, text))
            }
            Err(SourceError::NotFound) if is_std_module(&dotted) => {
                return self.std_by_import(&dotted);
            }
            Err(SourceError::NotFound) if !is_known => None,
            Err(error) => {
                self.report_missing(&dotted, &file_path, package, span, error);
                None
            }
        };
        self.by_path.insert(file_path, target);
        target
    }

    /// The module of an MCP server.
    fn server(&mut self, package: PackageId, server: &str, span: Span) -> Option<ModuleId> {
        if server.is_empty() || server.contains('.') {
            let first = server.split('.').next().unwrap_or_default();
            let finding = Diagnostic::new(
                Code::UnpinnedServer,
                span,
                "`mcp` and the name of a server make a module",
            );
            self.diagnostics.push(match first {
                "" => finding.here("it does not say which server").help("write `use mcp.github`"),
                first => finding.here("this is more than that").guess(
                    format!("import `mcp.{first}`"),
                    vec![Edit::new(span, format!("mcp.{first}"))],
                ),
            });
            return None;
        }
        let lock_path = self.packages.beside(package, mcp::FILE);
        // Nothing lies below a file, so no file of a package has this path.
        let path = format!("{lock_path}/{server}.kait");
        if let Some(known) = self.by_path.get(&path) {
            return *known;
        }
        let made = self.pinned(&lock_path, &path, server, span);
        let target = made.map(|made| {
            let name = self.packages.module(package, &format!("mcp.{server}"));
            // Its tests hold that it has no mistakes.
            let (tree, _) = self.trees.parse(&path, made.text);
            let file = self.files.add(path.as_str().into(), Arc::clone(&tree));
            let id = self.next_id();
            self.modules.push(Loaded {
                file,
                name: name.clone(),
                shown: name,
                is_std: true,
                left_out: made.left_out,
                package,
                tree,
                damage: Vec::new(),
                errors: Vec::new(),
                imports: Vec::new(),
            });
            id
        });
        self.by_path.insert(path, target);
        target
    }

    /// What a lock says about a server.
    fn pinned(
        &mut self,
        lock_path: &str,
        path: &str,
        server: &str,
        span: Span,
    ) -> Option<mcp::Made> {
        let text = match self.sources.read(lock_path) {
            Ok(text) => text,
            Err(SourceError::NotFound) => {
                let message =
                    format!("no `{}` says what the MCP server `{server}` offers", mcp::FILE);
                let finding = Diagnostic::new(Code::UnpinnedServer, span, message)
                    .here(format!("`{lock_path}` does not exist"))
                    .help("pin the tools of the server there: then programs are checked without asking it");
                self.diagnostics.push(finding);
                return None;
            }
            Err(SourceError::Unreadable(why)) => {
                self.report_fault(Fault::Lock(lock_path.to_owned(), why.into()), span);
                return None;
            }
        };
        let made = self.trees.pins().lock(lock_path, &text).and_then(|lock| {
            let made = self.trees.pins().module(path, &lock, server).transpose()?;
            Ok(made.ok_or(lock))
        });
        match made {
            Ok(Ok(made)) => return Some(made),
            Ok(Err(lock)) => self.report_unpinned(lock_path, &lock, server, span),
            Err(flaw) => self.report_fault(Fault::Lock(lock_path.to_owned(), flaw), span),
        }
        None
    }

    fn report_unpinned(&mut self, lock_path: &str, lock: &mcp::Lock, server: &str, span: Span) {
        let message = format!("`{lock_path}` pins no MCP server `{server}`");
        let finding = Diagnostic::new(Code::UnpinnedServer, span, message);
        self.diagnostics.push(match suggest(server, lock.servers()) {
            Some(near) => finding.help(format!("did you mean `mcp.{near}`?")).guess(
                format!("import `mcp.{near}`"),
                vec![Edit::new(span, format!("mcp.{near}"))],
            ),
            None => match lock.servers().next() {
                None => finding.here("it pins none at all"),
                Some(_) => finding.help(format!("it pins {}", names_of(lock.servers()))),
            },
        });
    }

    fn std_by_import(&mut self, name: &str) -> Option<ModuleId> {
        if let Some(id) = self.std.get(name) {
            return Some(*id);
        }
        let id = self.load_std(name)?;
        self.std.insert(name.into(), id);
        Some(id)
    }

    /// A `kait.toml` or `kait.lock` that cannot be used, once.
    fn report_fault(&mut self, fault: Fault, span: Span) {
        if self.faults.contains(&fault) {
            return;
        }
        self.diagnostics.push(match &fault {
            Fault::Manifest(path, why) => {
                Diagnostic::new(Code::BadProfile, span, format!("`{path}` cannot be used: {why}"))
                    .here("its `[dependencies]` are needed here")
            }
            Fault::Lock(path, flaw) => {
                let message = format!("`{path}` cannot be used: {}", flaw.why);
                Diagnostic::new(Code::BadLock, span, message)
                    .here("it says what this server offers")
                    .maybe_help(flaw.help.clone())
            }
            Fault::Dependency(what, help) => {
                Diagnostic::new(Code::BadDependency, span, what.as_str()).help(help.as_str())
            }
        });
        self.faults.push(fault);
    }

    fn report_bare_package(&mut self, word: &str, package: PackageId, span: Span) {
        let directory = self.packages.directory(package);
        let message = format!("`{word}` is a package, not a module");
        let finding = Diagnostic::new(Code::UnknownModule, span, message)
            .here(format!("`kait.toml` says that it is in `{directory}`"))
            .help(format!(
                "import one of its modules: `use {word}.name` is `{directory}/name.kait`"
            ));
        self.diagnostics.push(finding);
    }

    /// A file below the directory of a dependency belongs to that package, whose own words its `use`s are written in.
    fn report_foreign_file(&mut self, path: &str, owner: &str, span: Span) {
        let message = format!("`{path}` belongs to the package `{owner}`");
        let finding = Diagnostic::new(Code::BadDependency, span, message)
            .help(format!("import it from there: `use {owner}.…`"));
        self.diagnostics.push(finding);
    }

    fn report_missing(
        &mut self,
        dotted: &str,
        path: &str,
        package: PackageId,
        span: Span,
        error: SourceError,
    ) {
        if let SourceError::Unreadable(why) = error {
            let message = format!("`{path}` cannot be read: {why}");
            self.diagnostics.push(Diagnostic::new(Code::UnreadableFile, span, message));
            return;
        }
        if is_planned_module(dotted) {
            let what = format!("the standard module `{dotted}`");
            self.diagnostics.push(Diagnostic::not_supported(span, &what));
            return;
        }
        if package != PackageId::ROOT {
            let directory = self.packages.directory(package);
            let message = format!("there is no module `{dotted}`");
            let finding = Diagnostic::new(Code::UnknownModule, span, message)
                .here(format!("`{path}` does not exist"))
                .help(format!("look into `{directory}`, where its package is"));
            self.diagnostics.push(finding);
            return;
        }
        let sources = self.sources;
        let listed = self.listed.get_or_insert_with(|| {
            let mut names: Vec<String> =
                sources.list().iter().map(|path| module_name(path).to_string()).collect();
            names.sort_unstable();
            names
        });
        let near = suggest(dotted, listed.iter().map(String::as_str));
        let standard = dotted.strip_prefix("std.").unwrap_or(dotted);
        let is_standard = kait_stdlib::modules().iter().any(|(name, _)| *name == standard);
        if is_standard && (dotted != standard || near.is_none()) {
            let message = format!("the standard module `{standard}` needs no `use`");
            let finding = Diagnostic::new(Code::UnknownModule, span, message)
                .help(format!("remove the line, and write `{standard}.name` where it is needed"));
            let edits = self.whole_import(span);
            self.diagnostics.push(finding.guess("remove the `use`", edits));
            return;
        }
        let mut finding =
            Diagnostic::new(Code::UnknownModule, span, format!("there is no module `{dotted}`"))
                .here(format!("`{path}` does not exist"));
        finding = match near {
            Some(near) => finding
                .help(format!("did you mean `{near}`?"))
                .guess(format!("import `{near}`"), vec![Edit::new(span, near)]),
            None => finding
                .help("write the path of a file from the root of the package, with dots: `use a.b` is `a/b.kait`"),
        };
        self.diagnostics.push(finding);
    }

    /// What removes the `use` of a path, and the line with it.
    fn whole_import(&self, path: Span) -> Vec<Edit> {
        let Some(file) = self.files.get(path.file) else { return Vec::new() };
        let text = file.text();
        let before = text.get(..path.start as usize).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(path.end as usize..).unwrap_or_default();
        let end = rest.find('\n').map_or(text.len(), |at| path.end as usize + at + 1);
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        vec![Edit::new(Span { start: cut(start), end: cut(end), ..path }, "")]
    }

    /// Reports each circle of imports once, at the import that closes it.
    fn import_cycles(&mut self) {
        let mut state = vec![Visit::New; self.modules.len()];
        let mut cycles = Vec::new();
        for start in 0..self.modules.len() {
            self.visit(start, &mut state, &mut cycles);
        }
        self.diagnostics.extend(cycles);
    }

    /// Depth first without recursion, so that a long chain of files cannot overflow the stack.
    fn visit(&self, start: usize, state: &mut [Visit], cycles: &mut Vec<Diagnostic>) {
        let mut path: Vec<(usize, usize)> = Vec::new();
        if state.get(start) != Some(&Visit::New) {
            return;
        }
        if let Some(state) = state.get_mut(start) {
            *state = Visit::Open;
        }
        path.push((start, 0));
        while let Some((module, next)) = path.last_mut() {
            let (at, index) = (*module, *next);
            *next += 1;
            let Some(import) = self.modules.get(at).and_then(|m| m.imports.get(index)) else {
                if let Some(state) = state.get_mut(at) {
                    *state = Visit::Done;
                }
                path.pop();
                continue;
            };
            let Some(target) = import.target.map(ModuleId::index) else { continue };
            match state.get(target) {
                Some(Visit::New) => {
                    if let Some(state) = state.get_mut(target) {
                        *state = Visit::Open;
                    }
                    path.push((target, 0));
                }
                Some(Visit::Open) => {
                    let from = path.iter().position(|(m, _)| *m == target).unwrap_or(0);
                    let circle: Vec<usize> = path.iter().skip(from).map(|(m, _)| *m).collect();
                    cycles.push(self.cycle(import, &circle));
                }
                _ => {}
            }
        }
    }

    fn cycle(&self, closing: &Import, circle: &[usize]) -> Diagnostic {
        let name = |index: usize| {
            self.modules.get(index).map_or_else(String::new, |module| module.shown.to_string())
        };
        let mut names: Vec<String> = circle.iter().map(|index| name(*index)).collect();
        names.extend(circle.first().map(|index| name(*index)));
        let chain = names.join("` → `");
        let message = match circle.len() {
            1 => "this file imports itself".to_owned(),
            _ => format!("modules import each other in a circle: `{chain}`"),
        };
        let mut finding = Diagnostic::new(Code::ImportCycle, closing.span, message)
            .here("this closes the circle");
        for pair in circle.windows(2) {
            let [from, to] = pair else { continue };
            let step = self.modules.get(*from).and_then(|module| {
                module.imports.iter().find(|import| import.target.map(ModuleId::index) == Some(*to))
            });
            if let Some(step) = step {
                finding =
                    finding.label(step.span, format!("`{}` imports `{}`", name(*from), name(*to)));
            }
        }
        finding.help(match names.len() {
            1 => "remove this line",
            _ => "move what both need into a module of its own",
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    Open,
    Done,
}

/// `a/b.kait` is the module `a.b`.
pub(crate) fn module_name(path: &str) -> SmolStr {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.strip_suffix(".kait").unwrap_or(path).replace('/', ".").into()
}

pub(crate) fn span_of(file: FileId, range: TextRange) -> Span {
    Span::new(file, range.start().into(), range.end().into())
}
