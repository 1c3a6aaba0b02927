//! `kait doctor`: what is installed, bound and reachable, and what to do about what is not.
//!
//! It changes nothing and sends nothing: a model's server is only connected to, and keys are only looked up, never
//! shown. Each finding stands for itself, so one that fails hides no other.

use std::collections::BTreeMap;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use kait_compiler::hir::DefKind;
use kait_connect::{Config, ModelBinding, providers};
use kait_ir::Failure;
use kait_runtime::Profile;
use serde_json::{Value as Json, json};

use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::{compile, files, local_model, out};

/// Longest wait for a connection, names of hosts included.
const PATIENCE: Duration = Duration::from_secs(2);

/// Programs of a project that are looked at.
const MAX_PROGRAMS: usize = 200;

/// How things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing needs to be done.
    Note,
    /// Something will not work.
    Problem,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

struct Finding {
    area: &'static str,
    state: State,
    what: String,
    /// What to do, or what it means.
    todo: Option<String>,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, area: &'static str, state: State, what: impl Into<String>) -> &mut Self {
        self.0.push(Finding { area, state, what: what.into(), todo: None });
        self
    }

    /// What to do about the last finding.
    fn so(&mut self, todo: impl Into<String>) {
        if let Some(last) = self.0.last_mut() {
            last.todo = Some(todo.into());
        }
    }
}

/// Looks at everything and prints it.
pub fn run(args: &DoctorArgs) -> anyhow::Result<Exit> {
    let project = args.path.as_deref().unwrap_or(Path::new("."));
    let mut findings = Findings::default();
    installation(&mut findings);
    let Used { roles, secrets: used } = programs(project, &mut findings);
    match Profile::load(project, args.profile.as_deref()) {
        Ok(profile) => {
            profile_in_force(project, &profile, &mut findings);
            models(&profile, &roles, args.offline, &mut findings);
            secrets(&profile, &used, &mut findings);
            tokens(&profile, &mut findings);
        }
        Err(error) => findings
            .add("profile", State::Problem, error.to_string())
            .so("correct the file; models, keys and tokens were not looked at"),
    }
    directories(project, &mut findings);
    editors(&mut findings);
    let problems = findings.0.iter().filter(|f| f.state == State::Problem).count();
    if args.json {
        out::line(&serde_json::to_string_pretty(&as_json(&findings.0, problems))?)?;
    } else {
        out::write(&page(&findings.0, problems))?;
    }
    Ok(if problems == 0 { Exit::Done } else { Exit::Failed })
}

fn installation(findings: &mut Findings) {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let version = env!("CARGO_PKG_VERSION");
    let own = std::env::current_exe().ok();
    let path = own.as_ref().map(|path| format!(", {}", path.display())).unwrap_or_default();
    findings.add("kait", State::Ok, format!("version {version} for {os} {arch}{path}"));
    match on_path("kait") {
        Some(found) if same_file(&found, own.as_deref()) => {
            findings.add("kait", State::Ok, "`kait` in the PATH is this one");
        }
        Some(found) => findings
            .add(
                "kait",
                State::Note,
                format!("`kait` in the PATH is another one: {}", found.display()),
            )
            .so("editors and scripts start that one; put the directory of the one you want first"),
        None => findings.add("kait", State::Note, "`kait` is not in the PATH").so(
            "editors start `kait lsp` from there; add its directory, or `cargo install --path cli`",
        ),
    }
}

/// A program in the directories of `PATH`.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|dir| dir.join(&file)).find(|file| file.is_file())
}

fn same_file(found: &Path, own: Option<&Path>) -> bool {
    let own = own.and_then(|path| path.canonicalize().ok());
    found.canonicalize().ok() == own
}

/// What the programs of a project declare, each with a file that does.
#[derive(Default)]
struct Used {
    /// Model roles.
    roles: BTreeMap<String, String>,
    /// Secrets.
    secrets: BTreeMap<String, String>,
}

/// The programs of the project, and what they declare.
fn programs(project: &Path, findings: &mut Findings) -> Used {
    let mut used = Used::default();
    if !project.is_dir() {
        findings
            .add("project", State::Problem, format!("`{}` is not a directory", project.display()))
            .so("name the project's directory, or leave it out for this one");
        return used;
    }
    if let Some(file) = Profile::project_file(project) {
        findings.add("project", State::Ok, format!("its file is {}", file.display()));
    } else {
        findings
            .add("project", State::Note, "there is no kait.toml here or above")
            .so("a program runs without one; `kait new NAME` makes a project that has one");
    }
    let found = files::programs(&[project.to_path_buf()]).unwrap_or_default();
    let mut broken = Vec::new();
    for path in found.iter().take(MAX_PROGRAMS) {
        let Ok(checked) = compile::check(path) else {
            broken.push(path.display().to_string());
            continue;
        };
        if checked.compilation.has_errors() {
            broken.push(path.display().to_string());
        }
        for def in &checked.compilation.hir.defs {
            let declared = match def.kind {
                DefKind::Model { .. } => &mut used.roles,
                DefKind::Secret => &mut used.secrets,
                _ => continue,
            };
            let module = checked.compilation.hir.modules.get(def.module.index());
            let name = match module {
                Some(module) if !module.name.is_empty() && matches!(def.kind, DefKind::Secret) => {
                    format!("{}.{}", module.name, def.name)
                }
                _ => def.name.to_string(),
            };
            declared.entry(name).or_insert_with(|| path.display().to_string());
        }
    }
    let more = if found.len() > MAX_PROGRAMS {
        format!("; the first {MAX_PROGRAMS} were looked at")
    } else {
        String::new()
    };
    let count = match found.len() {
        0 => "no programs".to_owned(),
        1 => "1 program".to_owned(),
        n => format!("{n} programs"),
    };
    if broken.is_empty() {
        findings.add("project", State::Ok, format!("{count}, no errors{more}"));
    } else {
        let shown: Vec<&str> = broken.iter().take(3).map(String::as_str).collect();
        let dots = if broken.len() > 3 { " …" } else { "" };
        findings
            .add(
                "project",
                State::Problem,
                format!("{count}, errors in {}{dots}{more}", shown.join(", ")),
            )
            .so("`kait check` shows them");
    }
    used
}

fn profile_in_force(project: &Path, profile: &Profile, findings: &mut Findings) {
    let user = profile.user_file();
    let user = user.as_deref().filter(|path| path.exists());
    let of_project = Profile::project_file(project).filter(|_| !profile.models.is_empty());
    let from: Vec<String> = of_project
        .iter()
        .map(PathBuf::as_path)
        .chain(user)
        .map(|p| p.display().to_string())
        .collect();
    let from = if from.is_empty() { "nothing".to_owned() } else { from.join(", then ") };
    findings.add(
        "profile",
        State::Ok,
        format!("`{}` is in force; bindings come from {from}", profile.name),
    );
    let tables: Vec<_> = profile.grants.tables.iter().map(|table| table.file.as_str()).collect();
    findings.add(
        "grants",
        State::Ok,
        match tables.as_slice() {
            [] => "no [grants]: a run may do what you may".to_owned(),
            tables => format!("a run may do what is granted in {}", tables.join(" and in ")),
        },
    );
}

fn models(
    profile: &Profile,
    roles: &BTreeMap<String, String>,
    offline: bool,
    findings: &mut Findings,
) {
    for (role, binding) in &profile.models {
        bound(role, binding, offline, findings);
        if role != "default" && !roles.is_empty() && !roles.contains_key(role.as_str()) {
            let near = roles
                .keys()
                .map(|known| (strsim::damerau_levenshtein(known, role), known))
                .filter(|(slips, _)| *slips <= 2)
                .min();
            let hint =
                near.map(|(_, near)| format!("; did you mean `{near}`?")).unwrap_or_default();
            findings
                .add("models", State::Note, format!("no program here declares the role `{role}`"))
                .so(format!("the binding is not used here{hint}"));
        }
    }
    let open: Vec<&str> =
        roles.keys().map(String::as_str).filter(|role| profile.binding(role).is_none()).collect();
    if open.is_empty() {
        return;
    }
    let local = if offline { None } else { local_model::find() };
    let (who, todo) = match &local {
        Some(model) => (
            format!("the model `{}` of the Ollama on this machine answers", model.model),
            "bind the role in kait.toml to choose another".to_owned(),
        ),
        None => (
            "the built-in echo answers, which only repeats what it is given".to_owned(),
            format!(
                "bind it in kait.toml: [models.{}] with provider, model, base_url, key_env; or start an Ollama",
                open.first().copied().unwrap_or("default")
            ),
        ),
    };
    findings
        .add("models", State::Note, format!("no model is bound to {}: {who}", open.join(", ")))
        .so(todo);
}

/// A role's binding: its provider, its key, its server.
fn bound(role: &str, binding: &ModelBinding, offline: bool, findings: &mut Findings) {
    let model = if binding.provider == "echo" {
        "the built-in echo, which only repeats what it is given".to_owned()
    } else {
        let at = binding.base_url.as_deref().map(|url| format!(" at {}", without_user(url)));
        format!("`{}` of {}{}", binding.model, binding.provider, at.unwrap_or_default())
    };
    let title = format!("`{role}` is played by {model}");
    let address = match providers::examine(binding, &Config::default().env) {
        Ok(address) => address,
        Err(failure) => {
            let why = match failure {
                Failure::Refused { why } => why.to_string(),
                other => format!("{other:?}"),
            };
            let todo = match &binding.key_env {
                Some(name) if why.contains(name.as_str()) => {
                    format!("set it where `kait` runs: export {name}=…")
                }
                _ => "correct the binding in kait.toml or in the profile".to_owned(),
            };
            findings.add("models", State::Problem, format!("{title}, but {why}")).so(todo);
            return;
        }
    };
    findings.add("models", State::Ok, title);
    if let Some(name) = &binding.key_env {
        findings.add("models", State::Ok, format!("its key is in the environment as {name}"));
    }
    let Some((host, port)) = address else { return };
    if offline {
        return;
    }
    if let Some(proxy) = proxy() {
        findings
            .add("models", State::Note, format!("`{host}` was not tried: {proxy} sets a proxy"))
            .so("a run goes through the proxy");
        return;
    }
    match reach(&host, port) {
        Ok(()) => {
            findings.add("models", State::Ok, format!("`{host}` can be reached on port {port}"));
        }
        Err(why) => findings
            .add(
                "models",
                State::Problem,
                format!("`{host}` cannot be reached on port {port}: {why}"),
            )
            .so("look at base_url and the network; `--offline` leaves this out"),
    }
}

/// A URL without a user and password that somebody may have written into it.
fn without_user(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let host = authority.rsplit('@').next().unwrap_or(authority);
            // Some services take keys in the query.
            let path = path.split('?').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

fn proxy() -> Option<&'static str> {
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]
        .into_iter()
        .find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Connects and closes again.
fn reach(host: &str, port: u16) -> Result<(), String> {
    let (send, receive) = mpsc::channel();
    let host = host.to_owned();
    // Looking up a name knows no time limit: it is left behind when it takes too long.
    std::thread::spawn(move || {
        let connected = (host.as_str(), port)
            .to_socket_addrs()
            .map_err(|e| e.to_string())
            .and_then(|addresses| {
                let mut last = "it has no address".to_owned();
                for address in addresses {
                    match TcpStream::connect_timeout(&address, PATIENCE) {
                        Ok(_) => return Ok(()),
                        Err(error) => last = error.to_string(),
                    }
                }
                Err(last)
            });
        // Nobody listens any more when it took too long.
        let _ = send.send(connected);
    });
    receive
        .recv_timeout(PATIENCE)
        .unwrap_or_else(|_| Err(format!("no answer within {} seconds", PATIENCE.as_secs())))
}

/// Secrets: where each one is, and whether it is there. Never what it is.
fn secrets(profile: &Profile, used: &BTreeMap<String, String>, findings: &mut Findings) {
    let mut bound: Vec<_> = profile.secrets.iter().collect();
    bound.sort_by_key(|(name, _)| *name);
    for (name, binding) in bound {
        let place = binding.place();
        match binding.examine(&Config::default().env) {
            Ok(()) => findings.add("secrets", State::Ok, format!("`{name}` is in {place}")),
            Err(why) => {
                findings.add("secrets", State::Problem, format!("`{name}` is not there: {why}"))
            }
        };
        if !used.is_empty() && !used.contains_key(name.as_str()) {
            findings
                .add("secrets", State::Note, format!("no program here declares `{name}`"))
                .so("the binding is not used here");
        }
    }
    for (name, file) in used {
        if profile.secrets.contains_key(name.as_str()) {
            continue;
        }
        let variable = name.to_ascii_uppercase().replace(['.', '-'], "_");
        let key = if name.contains('.') { format!("\"{name}\"") } else { name.clone() };
        findings
            .add("secrets", State::Note, format!("nothing says where `{name}` of {file} is"))
            .so(format!("write below [secrets]: {key} = {{ env = \"{variable}\" }}"));
    }
}

/// The server's tokens: there or not, and for whose eyes.
fn tokens(profile: &Profile, findings: &mut Findings) {
    let Some(file) = profile.token_file() else {
        findings
            .add("server", State::Problem, "there is not a directory for your settings")
            .so("set HOME (or XDG_CONFIG_HOME): `kait serve` keeps its tokens there");
        return;
    };
    if !file.exists() {
        findings.add("server", State::Ok, "no tokens yet: `kait serve` makes the first one");
        return;
    }
    #[cfg(unix)]
    if let Ok(meta) = std::fs::metadata(&file) {
        use std::os::unix::fs::PermissionsExt as _;
        if meta.permissions().mode() & 0o077 != 0 {
            findings
                .add(
                    "server",
                    State::Problem,
                    format!("others can read the tokens in {}", file.display()),
                )
                .so(format!("chmod 600 {}", file.display()));
            return;
        }
    }
    findings.add("server", State::Ok, format!("its tokens are in {}", file.display()));
}

fn directories(project: &Path, findings: &mut Findings) {
    let settings = Profile::user_directory();
    let all = [
        ("the project's directory", Some(project.to_path_buf())),
        ("the directory of your profiles", settings),
        ("the directory for temporary files", Some(std::env::temp_dir())),
    ];
    for (name, directory) in all {
        let Some(directory) = directory else { continue };
        // What is not there yet is made in the nearest directory that is.
        let existing = directory.ancestors().find(|dir| dir.is_dir() || dir.as_os_str().is_empty());
        let existing = existing.filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        match writable(existing) {
            Ok(()) => {
                let made = if existing == directory { "" } else { ", which is made when needed," };
                let shown = directory.display();
                findings.add(
                    "directories",
                    State::Ok,
                    format!("{name}{made} can be written: {shown}"),
                );
            }
            Err(error) => findings
                .add(
                    "directories",
                    State::Problem,
                    format!("{name} cannot be written: {}: {error}", existing.display()),
                )
                .so("change its owner or its permissions"),
        }
    }
}

/// Makes a file and takes it away again.
fn writable(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(format!(".kait-doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)
}

/// Editors of this machine, and what each needs.
fn editors(findings: &mut Findings) {
    let known = [
        ("code", "Visual Studio Code", "editors/vscode"),
        ("nvim", "Neovim", "editors/neovim"),
        ("hx", "Helix", "editors/helix"),
    ];
    let mut any = false;
    for (program, name, folder) in known {
        if on_path(program).is_some() {
            any = true;
            findings
                .add("editors", State::Ok, format!("{name} is here"))
                .so(format!("{folder} says how it learns KAIT"));
        }
    }
    if !any {
        findings
            .add("editors", State::Note, "no editor that KAIT knows was found")
            .so("any editor that speaks LSP can start `kait lsp`: docs/editor.md");
    }
}

fn page(findings: &[Finding], problems: usize) -> String {
    let mut text = String::new();
    let mut area = "";
    for finding in findings {
        if finding.area != area {
            area = finding.area;
            text.push_str(&format!("{}{area}\n", if text.is_empty() { "" } else { "\n" }));
        }
        text.push_str(&format!("  {:8} {}\n", finding.state.word(), finding.what));
        if let Some(todo) = &finding.todo {
            text.push_str(&format!("           = {todo}\n"));
        }
    }
    let end = match problems {
        0 => "nothing needs to be done".to_owned(),
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    text.push_str(&format!("\n{end}\n"));
    text
}

fn as_json(findings: &[Finding], problems: usize) -> Json {
    let findings: Vec<Json> = findings
        .iter()
        .map(|f| json!({"area": f.area, "state": f.state.word(), "what": f.what, "todo": f.todo}))
        .collect();
    json!({
        "schema": "kait.doctor/1", "version": env!("CARGO_PKG_VERSION"), "ok": problems == 0,
        "findings": findings,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_url_besides_the_server_is_not_shown() {
        assert_eq!(without_user("https://me:secret@a.example/v1"), "https://a.example/v1");
        assert_eq!(without_user("https://a.example/v1?key=secret"), "https://a.example/v1");
        assert_eq!(without_user("http://127.0.0.1:1/v1@x"), "http://127.0.0.1:1/v1@x");
    }

    #[test]
    fn a_closed_port_is_said_to_be_closed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(reach("127.0.0.1", port), Ok(()));
        drop(listener);
        assert!(reach("127.0.0.1", port).is_err());
        assert!(reach("no-such-host.invalid", 1).is_err());
    }
}
