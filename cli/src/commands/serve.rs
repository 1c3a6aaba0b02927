//! `kait serve`: hosts programs over HTTP until it is asked to end.
//!
//! The server itself never opens a file; what reads, compiles and watches them is here.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use kait_compiler::diagnostics::render::{json, terminal};
use kait_connect::Grants;
use kait_ir::GraphId;
use kait_runtime::{Plan, Profile};
use kait_server::catalog::{FileState, Snapshot};
use kait_server::{App, Catalog, Config, Limits, Program, Programs, Scope, Source, Tokens};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value as Json;
use smol_str::SmolStr;
use tokio_util::sync::CancellationToken;

use super::run::{self, connections, default_model, link};
use crate::args::ServeArgs;
use crate::exit::{Coded, Exit};
use crate::grants::{CallerGrants, UserGrants};
use crate::watch::Changes;
use crate::{compile, files};

/// Hosts them.
pub fn run(args: &ServeArgs) -> anyhow::Result<Exit> {
    let directory = first_directory(&args.paths);
    let profile = profile(&directory, args.profile.as_deref())?;
    let tokens = profile.token_file().ok_or_else(|| {
        refused("there is no home directory, so there is no place for the tokens: set HOME")
    })?;
    if !args.new_token.is_empty() {
        return new_token(&tokens, &args.new_token);
    }
    let address = address(args)?;
    let config = config(args, address)?;
    // Before compiling: what changes meanwhile is seen.
    let changes = Changes::of(&args.paths)?;
    // Nothing to host is a mistake on the command line; a file with errors is not.
    files::programs(&args.paths)?;
    // What vanishes later is another matter.
    files::are_there(&args.paths)?;
    let programs = Disk::new(args, &profile)?;
    let known = Tokens::load(&tokens).map_err(|error| refused(&error.to_string()))?;
    let catalog = Arc::new(Catalog::load(Box::new(programs)));
    let listener = std::net::TcpListener::bind(address)
        .map_err(|error| refused(&format!("cannot listen on {address}: {error}")))?;
    listener.set_nonblocking(true)?;
    let bound = listener.local_addr()?;
    if known.is_empty() {
        let first = known.add("first", &[Scope::Admin]);
        let first = first.map_err(|error| refused(&error.to_string()))?;
        anstream::eprintln!("token: {first}\n   it is shown only this once, and may do everything");
    }
    anstream::eprintln!("listening on http://{bound}");
    say_files(&catalog.now());
    reload_on_change(&catalog, changes);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (stop, hurry) = (CancellationToken::new(), CancellationToken::new());
        let drain = args.drain;
        let signals = tokio::spawn(signals(stop.clone(), hurry.clone(), drain));
        let app = kait_server::app(config, catalog, known);
        let reloading = tokio::spawn(reload_when_asked(Arc::clone(&app)));
        let tokens = tokio::spawn(follow_tokens(Arc::clone(&app)));
        kait_server::serve(app, listener, stop, hurry).await;
        signals.abort();
        reloading.abort();
        tokens.abort();
        anyhow::Ok(())
    })?;
    runtime.shutdown_background();
    anstream::eprintln!("ended");
    Ok(Exit::Done)
}

fn refused(message: &str) -> anyhow::Error {
    Coded { code: "K9048", message: message.to_owned() }.into()
}

fn profile(directory: &Path, name: Option<&str>) -> anyhow::Result<Profile> {
    Profile::load(directory, name)
        .map_err(|error| Coded { code: "K0902", message: error.to_string() }.into())
}

/// Where the first path is: its profile's name decides whose tokens are known.
fn first_directory(paths: &[PathBuf]) -> PathBuf {
    match paths.first() {
        Some(path) if path.is_dir() => path.clone(),
        Some(path) => path.parent().map(Path::to_path_buf).unwrap_or_default(),
        None => PathBuf::from("."),
    }
}

fn new_token(path: &Path, words: &[String]) -> anyhow::Result<Exit> {
    let mut scopes = Vec::new();
    for word in words {
        let known = Scope::ALL.map(Scope::as_str).join(", ");
        scopes
            .push(Scope::parse(word).ok_or_else(|| {
                refused(&format!("there is no scope `{word}`; there is {known}"))
            })?);
    }
    let token = Tokens::load(path).and_then(|tokens| tokens.add(&words.join(","), &scopes));
    crate::out::line(&token.map_err(|error| refused(&error.to_string()))?)?;
    anstream::eprintln!("it is shown only this once; a server that runs knows it within a second");
    Ok(Exit::Done)
}

/// The address to listen on: of this machine only, unless the user says that others may reach it.
fn address(args: &ServeArgs) -> anyhow::Result<SocketAddr> {
    let listen = &args.listen;
    let found = listen.to_socket_addrs().ok().and_then(|mut found| found.next());
    let address = found.ok_or_else(|| {
        refused(&format!("`{listen}` is no address; write it like 127.0.0.1:4848"))
    })?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    if !args.expose {
        return Err(refused(&format!(
            "{address} can be reached from other machines; if that is meant, add --expose, and --allow-host with the \
             name that it is reached by"
        )));
    }
    if args.allow_host.is_empty() {
        return Err(refused(
            "--expose needs --allow-host with the name that the server is reached by",
        ));
    }
    Ok(address)
}

/// The settings; those that could never fit a request are refused.
fn config(args: &ServeArgs, address: SocketAddr) -> anyhow::Result<Config> {
    for (option, number) in [
        ("--max-runs", args.max_runs),
        ("--max-connections", args.max_connections),
        ("--max-body", args.max_body),
    ] {
        if number == 0 {
            return Err(refused(&format!(
                "with `{option} 0` nothing could be asked of the server"
            )));
        }
    }
    let mut config = Config::local();
    for host in &args.allow_host {
        let name = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let is_v6 = name.parse::<std::net::Ipv6Addr>().is_ok();
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '*');
        if name.is_empty() || name.contains(odd) || (name.contains(':') && !is_v6) {
            return Err(refused(&format!(
                "`--allow-host {host}`: a host is written without scheme, port and path, like app.example"
            )));
        }
        config.hosts.push(name.to_ascii_lowercase());
    }
    for origin in &args.allow_origin {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let odd =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '@' | '*' | '?');
        if host.is_none_or(|host| host.is_empty() || host.contains(odd)) {
            return Err(refused(&format!(
                "`--allow-origin {origin}`: an origin is written as browsers do, with its scheme and without a path, \
                 like https://app.example"
            )));
        }
    }
    if !address.ip().is_unspecified() {
        config.hosts.push(address.ip().to_string());
    }
    config.origins.clone_from(&args.allow_origin);
    config.limits = Limits {
        connections: args.max_connections,
        runs: args.max_runs,
        body: args.max_body,
        finished_runs: args.keep_runs,
        drain: Duration::from_secs(args.drain),
        write_time: Duration::from_secs(args.write_timeout),
        parallel: run::PARALLEL,
        ..Limits::default()
    };
    Ok(config)
}

/// The first signal drains, the second ends the drain.
async fn signals(stop: CancellationToken, hurry: CancellationToken, drain: u64) {
    signal().await;
    anstream::eprintln!(
        "ending: nothing new begins, runs under way have {drain} s (again: end at once)"
    );
    stop.cancel();
    signal().await;
    hurry.cancel();
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// Loads files again when they change, on a thread of its own: compiling takes milliseconds that answers should not
/// wait for.
fn reload_on_change(catalog: &Arc<Catalog>, changes: Changes) {
    let catalog = Arc::clone(catalog);
    std::thread::spawn(move || {
        while changes.wait() {
            say_files(&catalog.reload());
        }
    });
}

/// How often the file of the tokens is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Takes tokens that were added to or deleted from their file.
async fn follow_tokens(app: App) {
    let mut last = String::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let looking = Arc::clone(&app);
        let looked = tokio::task::spawn_blocking(move || looking.tokens.refresh()).await;
        let said = match looked {
            Ok(Ok(false)) => {
                last.clear();
                continue;
            }
            Ok(Ok(true)) => "the tokens have changed, and were read again".to_owned(),
            Ok(Err(error)) => format!("error K9048: the tokens stay as they were: {error}"),
            Err(_) => continue,
        };
        if said != last {
            anstream::eprintln!("{said}");
            last = said;
        }
    }
}

/// SIGHUP loads files and tokens again, for systems that tell nobody of changes.
async fn reload_when_asked(app: App) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut asked) = signal(SignalKind::hangup()) else { return };
        while asked.recv().await.is_some() {
            let app = Arc::clone(&app);
            let reload = move || {
                if let Err(error) = app.tokens.refresh() {
                    anstream::eprintln!("error K9048: the tokens stay as they were: {error}");
                }
                say_files(&app.catalog.reload());
            };
            let _ = tokio::task::spawn_blocking(reload).await;
        }
    }
    #[cfg(not(unix))]
    drop(app);
}

/// What is hosted, on stderr.
fn say_files(now: &Snapshot) {
    for file in now.files() {
        // What the compiler found was printed as it was found.
        for finding in file.diagnostics.iter().filter(|one| one["code"] == "K9050") {
            let (message, help) = (&finding["message"], &finding["help"]);
            let words = |json: &Json| json.as_str().unwrap_or_default().to_owned();
            anstream::eprintln!("error K9050: {}\n   = {}", words(message), words(help));
        }
        match file.state {
            FileState::Current => {}
            FileState::Stale => {
                anstream::eprintln!("{}: has errors; its last good version is hosted", file.path);
            }
            FileState::Broken => {
                anstream::eprintln!("{}: has errors; none of its graphs can run", file.path);
            }
        }
    }
    let names: Vec<_> = now.graphs().map(|hosted| hosted.name.as_str()).collect();
    match names.as_slice() {
        [] => anstream::eprintln!("no graphs: write `pub` before a graph that is to be hosted"),
        names => anstream::eprintln!("graphs: {}", names.join(", ")),
    }
}

/// The name that a file is hosted by: its path below the directory that was named, with dots; so it does not depend on
/// what else is there. A file that was named itself is called like itself.
fn hosted_name(named: &Path, path: &Path) -> SmolStr {
    let inner = path.strip_prefix(named).ok().filter(|inner| !inner.as_os_str().is_empty());
    let inner = inner.unwrap_or_else(|| Path::new(path.file_name().unwrap_or_default()));
    let inner = inner.with_extension("");
    let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
    parts.join(".").into()
}

/// The files that are hosted, from the disk.
struct Disk {
    paths: Vec<PathBuf>,
    profile: Option<String>,
    offline: bool,
    grants: Arc<dyn Grants>,
    /// What was printed last of each file, so that a reload prints only what is new.
    printed: Mutex<FxHashMap<String, String>>,
}

impl Disk {
    fn new(args: &ServeArgs, profile: &Profile) -> anyhow::Result<Self> {
        let grants: Arc<dyn Grants> = if args.unrestricted {
            Arc::new(UserGrants { offline: args.offline })
        } else {
            let here = [PathBuf::from(".")];
            let paths = if args.paths.is_empty() { &here[..] } else { &args.paths };
            let mut roots = Vec::new();
            for path in paths {
                let directory =
                    if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(path) };
                let directory =
                    if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
                let root = std::fs::canonicalize(directory);
                roots.push(root.with_context(|| format!("cannot use `{}`", directory.display()))?);
            }
            let profiles = profile.token_file().and_then(|file| Some(file.parent()?.to_path_buf()));
            let profiles = profiles.map(|kept| std::fs::canonicalize(&kept).unwrap_or(kept));
            Arc::new(CallerGrants { offline: args.offline, roots, profiles })
        };
        Ok(Self {
            paths: args.paths.clone(),
            profile: args.profile.clone(),
            offline: args.offline,
            grants,
            printed: Mutex::default(),
        })
    }

    /// A file that was found at, or below, a path of the command line.
    fn source(&self, named: &Path, path: &Path) -> Source {
        let shown = path.to_string_lossy().trim_start_matches("./").to_owned();
        let mut source = Source {
            path: shown.as_str().into(),
            module: hosted_name(named, path),
            graphs: Vec::new(),
            findings: Vec::new(),
            program: None,
        };
        if let Err(error) = self.fill(path, &mut source) {
            let code = error.chain().find_map(|cause| cause.downcast_ref::<Coded>());
            let code = code.map_or("K0091", |coded| coded.code);
            let message = format!("{error:#}");
            self.print_once(&shown, format!("error {code}: {message}\n"));
            source.findings.push(serde_json::json!({
                "code": code,
                "severity": "error",
                "message": message,
                "primary": { "path": shown, "text": "" },
                "labels": [], "notes": [], "help": null, "fixes": [],
            }));
            source.program = None;
        }
        source
    }

    fn fill(&self, path: &Path, source: &mut Source) -> anyhow::Result<()> {
        let checked = compile::check(path)?;
        let (found, shown) = (&checked.compilation.diagnostics, &checked.compilation.files);
        let report: Json = serde_json::from_str(&json::render(found, shown))?;
        source.findings = report["diagnostics"].as_array().cloned().unwrap_or_default();
        source.graphs = compile::public_graphs(&checked);
        self.print_once(&source.path, terminal::render(found, shown, compile::style()));
        if checked.compilation.has_errors() {
            return Ok(());
        }
        let runnable = compile::lower(&checked)?;
        if !runnable.left_out.is_empty() {
            // They are not hosted, and whoever asks for them hears why.
            let faults: Vec<_> = runnable.left_out.into_iter().map(|(_, fault)| fault).collect();
            let report: Json = serde_json::from_str(&json::render(&faults, shown))?;
            let more = report["diagnostics"].as_array().cloned().unwrap_or_default();
            source.findings.extend(more);
            let text = terminal::render(&faults, shown, compile::style());
            self.print_once(&format!("{}: left out", source.path), text);
        }
        let loaded = Arc::new(compile::load(runnable.program)?);
        let directory = path.parent().unwrap_or(Path::new("."));
        let profile = profile(directory, self.profile.as_deref())?;
        // Offline nothing counts as bound.
        let bound = if self.offline { &Profile::default() } else { &profile };
        let mut open = Vec::new();
        let graphs = (0..).map(GraphId).zip(&loaded.program().graphs);
        for (graph, _) in graphs.filter(|(_, graph)| graph.public) {
            for role in Plan::open_roles(loaded.program(), graph, bound) {
                if !open.contains(&role) {
                    open.push(role);
                }
            }
        }
        let default = default_model(self.offline, &open);
        let plan = link(loaded, &profile, &default, self.offline);
        if let Some(words) = run::models_words(self.offline, &open, &default) {
            self.print_once(&format!("models: {words}"), format!("{words}\n"));
        }
        let connections = connections(&plan, Arc::clone(&self.grants));
        source.program = Some(Program { plan: Arc::new(plan), connections });
        Ok(())
    }

    /// Prints findings of a file, unless they are those that were printed last.
    fn print_once(&self, path: &str, text: String) {
        let mut printed = self.printed.lock().unwrap_or_else(PoisonError::into_inner);
        if printed.get(path).is_none_or(|last| *last != text) {
            anstream::eprint!("{text}");
            printed.insert(path.to_owned(), text);
        }
    }
}

impl Programs for Disk {
    fn load(&self) -> Vec<Source> {
        let here = [PathBuf::from(".")];
        let paths = if self.paths.is_empty() { &here[..] } else { &self.paths };
        let (mut sources, mut seen) = (Vec::new(), FxHashSet::default());
        for named in paths {
            // A directory that is empty for a moment is no reason to end.
            for path in files::programs(std::slice::from_ref(named)).unwrap_or_default() {
                // Named twice, it is hosted once.
                if seen.insert(std::fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
                    sources.push(self.source(named, &path));
                }
            }
        }
        sources
    }
}
