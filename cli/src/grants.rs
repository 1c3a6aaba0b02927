//! What runs may touch: from the command line what its user may; for callers of a server less. And what a profile says of a
//! program before it runs.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kait_compiler::grants::{self as checked, Missing, Verdict};
use kait_connect::{Access, Grants, Need, Part, ProfileGrants, Reach, is_private};
use smol_str::SmolStr;

/// The grants of the person at the command line.
pub struct UserGrants {
    /// Nothing leaves this machine.
    pub offline: bool,
}

impl Grants for UserGrants {
    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr> {
        match access {
            Access::Host { host, .. } if self.offline => {
                Err(format!("`{host}` is not asked: the run is offline").into())
            }
            // Cloud machines keep their keys behind these addresses; no program has business there.
            Access::Address { address, .. } if keeps_keys(address) => {
                Err(format!("{address} is a link-local address, which programs may not reach")
                    .into())
            }
            _ => Ok(()),
        }
    }
}

/// Whether a cloud machine asks for its own keys there: 169.254.169.254 and its neighbours, in any notation, and the one of
/// IPv6.
fn keeps_keys(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.segments() == [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254],
    }
}

/// The grants of runs that callers of a server start: what they send may lead programs anywhere, so it leads them to
/// files below the hosted directories and to public addresses only, and starts no processes. Hidden files are nobody's
/// business, and what is hosted itself is not written: it is loaded again when it changes, so that would be a way to
/// programs and models of one's own.
pub struct CallerGrants {
    /// Nothing leaves this machine.
    pub offline: bool,
    /// The hosted directories: absolute, links resolved.
    pub roots: Vec<PathBuf>,
    /// Where profiles and the hashes of tokens are kept: absolute, links resolved. Closed even if it is hosted.
    pub profiles: Option<PathBuf>,
}

impl CallerGrants {
    fn file(&self, path: &Path, shown: &str, write: bool) -> Result<(), SmolStr> {
        let refuse = |why: &str| {
            Err(format!("`{shown}` {why}; `kait serve --unrestricted` allows it").into())
        };
        let below = |root: &PathBuf| path.strip_prefix(root).ok();
        if !self.roots.iter().any(|root| below(root).is_some()) {
            return refuse("is not below a hosted directory");
        }
        let is_hidden = |inner: &Path| {
            inner.iter().any(|part| part.as_encoded_bytes().first().is_some_and(|b| *b == b'.'))
        };
        if self.roots.iter().filter_map(below).all(is_hidden) {
            return refuse("is hidden, and closed to callers of a server");
        }
        if self.profiles.as_ref().is_some_and(|kept| path.starts_with(kept)) {
            return refuse("is where profiles are kept, and closed to callers of a server");
        }
        if write && is_loaded(path) {
            return refuse("is a part of what is hosted, so callers of a server do not write it");
        }
        Ok(())
    }
}

/// Whether the server loads the file: programs, and the package's own file. Some file systems take letters of either
/// case for the same.
fn is_loaded(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    name.ends_with(".kait") || name == "kait.toml" || name == "kait.lock"
}

impl Grants for CallerGrants {
    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr> {
        match access {
            Access::ReadFile { path, shown } => self.file(path, shown, false),
            Access::WriteFile { path, shown } => self.file(path, shown, true),
            Access::Host { host, .. } if self.offline => {
                Err(format!("`{host}` is not asked: the server is offline").into())
            }
            Access::Address { address, .. } if is_private(address) => Err(format!(
                "{address} is a private address; `kait serve --unrestricted` allows it"
            )
            .into()),
            Access::Process { program, .. } => Err(format!(
                "`{program}` is not started for callers of a server; `kait serve --unrestricted` allows it"
            )
            .into()),
            _ => Ok(()),
        }
    }
}

/// The grants of a profile, as the compiler asks them. Nothing is touched but to see where paths lead.
pub struct Judge<'a> {
    /// The grants.
    pub grants: &'a ProfileGrants,
    /// Where relative paths of the program begin when it runs.
    pub root: &'a Path,
}

impl checked::Profile for Judge<'_> {
    fn verdict(&self, need: checked::Need<'_>) -> Verdict {
        let need = in_words_of_leaves(need);
        match self.grants.reach(need, self.root) {
            Reach::All => Verdict::Granted,
            Reach::Part => Verdict::WhenItRuns,
            Reach::None => Verdict::Missing(Missing {
                effect: need.text(),
                files: self.grants.lacking(need, self.root),
                advice: need.advice(),
            }),
        }
    }
}

/// What the compiler knows of a need, as leaves and profiles speak of it.
pub fn in_words_of_leaves(need: checked::Need<'_>) -> Need<'_> {
    match need {
        checked::Need::Resource { write, resource, part } => {
            let part = match part {
                checked::Part::Whole => Part::Whole,
                checked::Part::Unknown => Part::Unknown,
                checked::Part::Known(text) => Part::Known(text),
            };
            Need::Resource { write, resource, part }
        }
        checked::Need::Model(role) => Need::Model(role),
        checked::Need::Human(who) => Need::Person(who),
        checked::Need::Clock => Need::Clock,
        checked::Need::Random => Need::Random,
        checked::Need::Emit => Need::Emit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_asks_a_cloud_machine_for_its_keys() {
        let reaches = |address: &str| {
            let address = address.parse().unwrap();
            let access = Access::Address { host: "x.example", address };
            UserGrants { offline: false }.allow(access).is_ok()
        };
        for address in ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254"] {
            assert!(!reaches(address), "{address}");
        }
        for address in ["127.0.0.1", "10.0.0.1", "fd00::254", "93.184.216.34"] {
            assert!(reaches(address), "{address}");
        }
    }

    #[test]
    fn callers_touch_what_is_hosted_but_not_how_it_is_hosted() {
        let grants = CallerGrants {
            offline: false,
            roots: ["/tmp/.work/app".into(), "/srv/.data".into(), "/srv".into()].into(),
            profiles: Some("/srv/config/kait".into()),
        };
        let reads =
            |path: &str| grants.allow(Access::ReadFile { path: Path::new(path), shown: path });
        let writes =
            |path: &str| grants.allow(Access::WriteFile { path: Path::new(path), shown: path });
        for path in ["/tmp/.work/app/a.txt", "/srv/a/b.txt", "/srv/.data/x", "/srv/kait.tomlx"] {
            assert_eq!((reads(path), writes(path)), (Ok(()), Ok(())), "{path}");
        }
        for path in [
            "/tmp/.work/b.txt",
            "/tmp/.work/application",
            "/srv/.env",
            "/srv/.git/config",
            "/srv/a/.ssh/id",
            "/srv/.data/.x",
            "/srv/config/kait/local.tokens.json",
        ] {
            assert!(reads(path).is_err() && writes(path).is_err(), "{path}");
        }
        for path in
            ["/srv/kait.toml", "/srv/KAIT.Toml", "/srv/a/b.kait", "/srv/x.KAIT", "/srv/kait.lock"]
        {
            assert_eq!(reads(path), Ok(()), "{path}");
            let why = writes(path).unwrap_err();
            assert!(why.contains("a part of what is hosted"), "{why}");
        }
    }
}
