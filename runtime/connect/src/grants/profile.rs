//! Grants of profiles: the tables of `kait.toml` and of the user's profile, asked by leaves at run time and by
//! `kait check --profile` and `kait audit` before. Each table must grant it, so a profile narrows what a project says.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use reqwest::Url;
use smol_str::SmolStr;

use super::host::{self, Host};
use super::table::{GrantTable, Names, Program, Resources};
use super::{Access, Grants, is_private};
use crate::{place, process};

/// What the tables of a profile grant. Without any table everything is granted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProfileGrants {
    /// The tables; all of them must grant it.
    pub tables: Vec<GrantTable>,
}

/// An effect that something has before it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Need<'a> {
    /// Reads or changes a resource.
    Resource {
        /// Whether it is changed.
        write: bool,
        /// The dotted path; empty for anything.
        resource: &'a str,
        /// How much of it.
        part: Part<'a>,
    },
    /// Asks the model of that role; of any, if it is not known which.
    Model(Option<&'a str>),
    /// Asks a person; of any role, if it is not known which.
    Person(Option<&'a str>),
    /// Looks at the clock.
    Clock,
    /// Draws by chance.
    Random,
    /// Shows something.
    Emit,
}

/// How much of a resource is touched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part<'a> {
    /// All of it.
    Whole,
    /// What an argument says when it runs.
    Unknown,
    /// What an argument says in the text: a path, the beginning of a URL up to its path at least, a program.
    Known(&'a str),
}

/// How much of what is needed is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nothing.
    None,
    /// Some of it: which, is known when it runs.
    Part,
    /// All.
    All,
}

impl ProfileGrants {
    /// Whether something may be refused.
    pub fn restricts(&self) -> bool {
        !self.tables.is_empty()
    }

    /// How much of a need is granted. Relative paths of programs begin at `root`.
    pub fn reach(&self, need: Need<'_>, root: &Path) -> Reach {
        self.tables.iter().map(|table| table.reach(need, root)).min().unwrap_or(Reach::All)
    }

    /// The files whose tables do not grant it.
    pub fn lacking(&self, need: Need<'_>, root: &Path) -> Vec<SmolStr> {
        let lacks = |table: &&GrantTable| table.reach(need, root) == Reach::None;
        self.tables.iter().filter(lacks).map(|table| table.file.clone()).collect()
    }
}

impl Grants for ProfileGrants {
    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr> {
        self.tables.iter().try_for_each(|table| match table.refusal(access) {
            None => Ok(()),
            Some(why) => Err(why.into()),
        })
    }
}

impl Need<'_> {
    /// As a header writes it: `read net api.example.com`, `model fast`.
    pub fn text(self) -> String {
        let (key, entry) = self.grant();
        match entry {
            Some(entry) => format!("{key} {entry}"),
            None => key.to_owned(),
        }
    }

    /// The key under `[grants]`, and the entry of its list; none where `true` grants it.
    pub fn grant(self) -> (&'static str, Option<String>) {
        match self {
            Self::Resource { write, resource, part } => {
                (if write { "write" } else { "read" }, entry(resource, part))
            }
            Self::Model(role) => ("model", role.map(str::to_owned)),
            Self::Person(role) => ("human", role.map(str::to_owned)),
            Self::Clock => ("clock", None),
            Self::Random => ("random", None),
            Self::Emit => ("emit", None),
        }
    }

    /// What to do so that it is granted: "add \"mail\" to `write`".
    pub fn advice(self) -> String {
        match self.grant() {
            (key, Some(entry)) => {
                let part = match (self, entry.as_str()) {
                    (Self::Resource { part: Part::Unknown, .. }, "file") => "file notes",
                    (Self::Resource { part: Part::Unknown, .. }, "net") => "net api.example.com",
                    (Self::Resource { part: Part::Unknown, .. }, "process") => "process git",
                    _ => return format!("add {} to `{key}`", quoted(&entry)),
                };
                format!("add {} to `{key}`, or a part such as {}", quoted(&entry), quoted(part))
            }
            (key, None) => format!("write `{key} = true`"),
        }
    }
}

/// As a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A resource as an entry of the table: `net api.example.com`.
fn entry(resource: &str, part: Part<'_>) -> Option<String> {
    let (head, tail) = split(resource);
    let known = match part {
        Part::Known(known) if head == "net" => {
            host_of(known).map(|(host, port)| shown(&host, port))
        }
        Part::Known(known) => Some(known.to_owned()),
        _ => None,
    };
    match (resource, known) {
        ("", _) => None,
        (_, Some(known)) => Some(format!("{head} {known}")),
        _ if is_special(head) && !tail.is_empty() => Some(format!("{head} {tail}")),
        _ => Some(resource.to_owned()),
    }
}

fn is_special(head: &str) -> bool {
    matches!(head, "file" | "net" | "process")
}

/// The first word of a resource, and what follows, without the quotes that it may have.
fn split(resource: &str) -> (&str, &str) {
    let (head, tail) = resource.split_once('.').unwrap_or((resource, ""));
    let bare = tail.strip_prefix('"').and_then(|tail| tail.strip_suffix('"'));
    (head, bare.unwrap_or(tail))
}

/// Host and port of a URL.
fn host_of(url: &str) -> Option<(SmolStr, u16)> {
    let url = Url::parse(url).ok()?;
    Some((host::bare(url.host_str()?).into(), url.port_or_known_default()?))
}

/// A host as an entry names it; the ports that everybody has are left out.
fn shown(host: &str, port: u16) -> String {
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    if matches!(port, 80 | 443) { host } else { format!("{host}:{port}") }
}

impl GrantTable {
    fn resources(&self, write: bool) -> &Resources {
        if write { &self.write } else { &self.read }
    }

    /// Whether a private address may be reached by a name.
    fn is_private_granted(&self, host: &str, address: IpAddr) -> bool {
        let named = self.read.hosts.iter().chain(&self.write.hosts);
        self.private.allows(host, address) || named.into_iter().any(|own| own.means(host, address))
    }

    /// Why an access is refused; `None` if it is granted.
    fn refusal(&self, access: Access<'_>) -> Option<String> {
        let file = &self.file;
        let unless = |granted: bool, key: &str, entry: &str| {
            let advice = format!("add {} to `{key}` under [grants]", quoted(entry));
            (!granted).then(|| format!("`{key} {entry}` is not granted in {file}: {advice}"))
        };
        let flag = |granted: bool, key: &str| {
            (!granted).then(|| {
                format!("`{key}` is not granted in {file}: write `{key} = true` under [grants]")
            })
        };
        match access {
            Access::ReadFile { path, shown } => {
                unless(self.read.has_file(path), "read", &format!("file {shown}"))
            }
            Access::WriteFile { path, shown } => {
                unless(self.write.has_file(path), "write", &format!("file {shown}"))
            }
            Access::Host { host, port, write } => {
                let key = if write { "write" } else { "read" };
                let granted = self.resources(write).has_host(host, Some(port));
                unless(granted, key, &format!("net {}", self::shown(host, port)))
            }
            Access::Address { host, address } => {
                let granted = !is_private(address) || self.is_private_granted(host, address);
                (!granted).then(|| {
                    let what = match host.parse::<IpAddr>() {
                        Ok(_) => format!("{address} is a private address"),
                        Err(_) => format!("`{host}` stands for {address}, a private address"),
                    };
                    format!(
                        "{what}, which is not granted in {file}: add {} to `private` under [grants]",
                        quoted(host)
                    )
                })
            }
            Access::Process { program, path } => unless(
                self.write.has_program(program, path),
                "write",
                &format!("process {program}"),
            ),
            Access::Model(role) => unless(self.model.has(role), "model", role),
            Access::Person("") => flag(self.human.all, "human"),
            Access::Person(role) => unless(self.human.has(role), "human", role),
            Access::Server { name, write } => {
                let resource = format!("mcp.{name}");
                let key = if write { "write" } else { "read" };
                unless(self.resources(write).has_path(&resource), key, &resource)
            }
            Access::Database { write } => {
                let key = if write { "write" } else { "read" };
                unless(self.resources(write).has_path("db"), key, "db")
            }
            Access::Clock => flag(self.clock, "clock"),
            Access::Random => flag(self.random, "random"),
            Access::Emit => flag(self.emit, "emit"),
        }
    }

    fn reach(&self, need: Need<'_>, root: &Path) -> Reach {
        let whether = |granted: bool| if granted { Reach::All } else { Reach::None };
        match need {
            Need::Resource { write, resource, part } => {
                let reach = self.resources(write).reach(resource, part, root);
                match part {
                    // A private address is refused even where its host is granted.
                    Part::Known(url) if split(resource).0 == "net" => {
                        reach.min(whether(self.is_address_granted(url)))
                    }
                    _ => reach,
                }
            }
            Need::Model(role) => self.model.reach(role),
            Need::Person(role) => self.human.reach(role),
            Need::Clock => whether(self.clock),
            Need::Random => whether(self.random),
            Need::Emit => whether(self.emit),
        }
    }

    /// Whether the address in a URL is granted, as far as it is known without asking anybody.
    fn is_address_granted(&self, url: &str) -> bool {
        let Some((host, _)) = host_of(url) else { return true };
        let address = match host.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) if host::is_localhost(&host) => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            Err(_) => return true,
        };
        !is_private(address) || self.is_private_granted(&host, address)
    }
}

impl Names {
    fn reach(&self, name: Option<&str>) -> Reach {
        match name {
            Some(name) if self.has(name) => Reach::All,
            None if self.all => Reach::All,
            None if !self.some.is_empty() => Reach::Part,
            _ => Reach::None,
        }
    }
}

impl Resources {
    /// Whether a dotted path, or one above it, is granted.
    fn has_path(&self, resource: &str) -> bool {
        let covers = |own: &SmolStr| {
            resource
                .strip_prefix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.all || self.paths.iter().any(covers)
    }

    fn has_file(&self, path: &Path) -> bool {
        self.has_path("file") || self.files.iter().any(|own| path.starts_with(own))
    }

    fn has_host(&self, host: &str, port: Option<u16>) -> bool {
        self.has_path("net") || self.hosts.iter().any(|own| own.covers(host, port))
    }

    fn has_program(&self, name: &str, path: &Path) -> bool {
        self.has_path("process") || self.programs.iter().any(|own| own.is(name, path))
    }

    fn reach(&self, resource: &str, part: Part<'_>, root: &Path) -> Reach {
        let whether = |granted: bool| if granted { Reach::All } else { Reach::None };
        let (head, tail) = split(resource);
        let part = match part {
            // What a header quotes is the part that is meant.
            Part::Whole if is_special(head) && !tail.is_empty() => Part::Known(tail),
            part => part,
        };
        match (head, part) {
            ("file" | "net" | "process", Part::Unknown) => {
                let some = match head {
                    "file" => !self.files.is_empty(),
                    "net" => !self.hosts.is_empty(),
                    _ => !self.programs.is_empty(),
                };
                match self.has_path(head) {
                    true => Reach::All,
                    false if some => Reach::Part,
                    false => Reach::None,
                }
            }
            ("file", Part::Known(path)) => {
                let path =
                    std::path::absolute(root.join(path)).and_then(|path| place::resolve(&path));
                path.map_or(Reach::None, |path| whether(self.has_file(&path)))
            }
            ("net", Part::Known(host)) => {
                let (host, port) = match host.contains("://") {
                    true => match host_of(host) {
                        Some((host, port)) => (host, Some(port)),
                        None => return Reach::Part,
                    },
                    false => match Host::split(host) {
                        Some(found) => found,
                        None => return Reach::None,
                    },
                };
                whether(self.has_host(&host, port))
            }
            ("process", Part::Known(program)) => {
                let path = process::find(program, root).unwrap_or_else(|| PathBuf::from(program));
                whether(self.has_program(program, &path))
            }
            _ => whether(self.has_path(resource)),
        }
    }
}

impl Program {
    /// Whether it is the program of that name, which is that file.
    fn is(&self, name: &str, path: &Path) -> bool {
        if self.name == Path::new(name) && !path.is_absolute() {
            // There is no such program: let that be said.
            return true;
        }
        let own = self.name.to_str().and_then(|own| process::find(own, Path::new("/")));
        own.is_some_and(|own| own == path)
    }
}
