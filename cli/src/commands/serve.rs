//! `kait serve`: hosts programs over HTTP until it is asked to end.
//!
//! What reads and compiles files is in `hosting`; here are the command line, signals, and what is said.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kait_runtime::Profile;
use kait_server::catalog::{FileState, Snapshot};
use kait_server::{App, Catalog, Config, Limits, Scope, Tokens};
use tokio_util::sync::CancellationToken;

use crate::args::ServeArgs;
use crate::exit::{Coded, Exit};
use crate::hosting::{Disk, directory_of};
use crate::watch::Changes;
use crate::{driving, files};

/// Hosts them.
pub fn run(args: &ServeArgs) -> anyhow::Result<Exit> {
    // Where the first path is: its profile's name decides whose tokens are known.
    let directory = args.paths.first().map_or(Path::new("."), |path| directory_of(path));
    let profile = profile(directory, args.profile.as_deref())?;
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
    // Nothing to host is a mistake on the command line; a file with errors is not, and what vanishes later is another
    // matter.
    files::are_there(&args.paths)?;
    files::hosts_something(&args.paths)?;
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
    let said = Arc::new(Mutex::new(Said::default()));
    said.lock().unwrap_or_else(PoisonError::into_inner).say(&catalog.now(), true);
    reload_on_change(&catalog, changes, &said);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (stop, hurry) = (CancellationToken::new(), CancellationToken::new());
        let drain = args.drain;
        let signals = tokio::spawn(signals(stop.clone(), hurry.clone(), drain));
        let app = kait_server::app(config, catalog, known);
        let reloading = tokio::spawn(reload_when_asked(Arc::clone(&app), said));
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
    Ok(Profile::load(directory, name).map_err(Coded::from)?)
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
        refused(&format!("`{listen}` is not an address; write it like 127.0.0.1:4848"))
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
        parallel: driving::PARALLEL,
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
fn reload_on_change(catalog: &Arc<Catalog>, changes: Changes, said: &Arc<Mutex<Said>>) {
    let (catalog, said) = (Arc::clone(catalog), Arc::clone(said));
    std::thread::spawn(move || {
        while changes.wait() {
            reload(&catalog, &said);
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
async fn reload_when_asked(app: App, said: Arc<Mutex<Said>>) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut asked) = signal(SignalKind::hangup()) else { return };
        while asked.recv().await.is_some() {
            let (app, said) = (Arc::clone(&app), Arc::clone(&said));
            let again = move || {
                if let Err(error) = app.tokens.refresh() {
                    anstream::eprintln!("error K9048: the tokens stay as they were: {error}");
                }
                reload(&app.catalog, &said);
            };
            let _ = tokio::task::spawn_blocking(again).await;
        }
    }
    #[cfg(not(unix))]
    drop((app, said));
}

/// What was said of what is hosted, so that only news is said again.
#[derive(Default)]
struct Said {
    /// Of each file how it stood: its state, its plan, and whether another one had its name.
    files: Vec<(String, Standing)>,
    graphs: Vec<String>,
}

type Standing = (FileState, Option<String>, bool);

impl Said {
    /// Says on stderr what is hosted at first, and later what has changed.
    fn say(&mut self, now: &Snapshot, first: bool) {
        let mut files = Vec::new();
        for file in now.files() {
            // What the compiler found was printed as it was found.
            let taken = file.diagnostics.iter().find(|one| one["code"] == "K9050");
            let standing = (file.state, file.plan.clone(), taken.is_some());
            let before = self.files.iter().find(|(path, _)| *path == file.path);
            let before = before.map(|(_, standing)| standing.clone());
            files.push((file.path.clone(), standing.clone()));
            if before.as_ref() == Some(&standing) {
                continue;
            }
            let path = &file.path;
            match file.state {
                _ if taken.is_some() => {
                    let words = |key: &str| {
                        taken.and_then(|one| one[key].as_str()).unwrap_or_default().to_owned()
                    };
                    anstream::eprintln!(
                        "error K9050: {}\n   = {}",
                        words("message"),
                        words("help")
                    );
                }
                FileState::Current if first => {}
                FileState::Current if before.is_some() => {
                    anstream::eprintln!("{path}: loaded again")
                }
                FileState::Current => anstream::eprintln!("{path}: is hosted now"),
                FileState::Stale => {
                    anstream::eprintln!("{path}: has errors; its last good version is hosted");
                }
                FileState::Broken => {
                    anstream::eprintln!("{path}: has errors; none of its graphs can run");
                }
            }
        }
        for (path, _) in &self.files {
            if !files.iter().any(|(other, _)| other == path) {
                anstream::eprintln!("{path}: is gone, and not hosted any more");
            }
        }
        self.files = files;
        let graphs: Vec<_> = now.graphs().map(|hosted| hosted.name.to_string()).collect();
        let lacks = |these: &[String], others: &[String]| {
            let new: Vec<_> = these.iter().filter(|name| !others.contains(name)).collect();
            new.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ")
        };
        let (new, gone) = (lacks(&graphs, &self.graphs), lacks(&self.graphs, &graphs));
        if graphs.is_empty() && (first || !gone.is_empty()) {
            anstream::eprintln!("no graphs: write `pub` before a graph that is to be hosted");
        } else if first {
            anstream::eprintln!("graphs: {new}");
        } else {
            if !new.is_empty() {
                anstream::eprintln!("new graphs: {new}");
            }
            if !gone.is_empty() {
                anstream::eprintln!("graphs that are gone: {gone}");
            }
        }
        self.graphs = graphs;
    }
}

/// Loads what has changed, and says so.
fn reload(catalog: &Catalog, said: &Mutex<Said>) {
    // Held meanwhile: of two reloads at once, the later one speaks of what the earlier one did.
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    said.say(&catalog.reload(), false);
}
