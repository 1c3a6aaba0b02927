//! What runs may touch: from the command line what its user may; for callers of a server less.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use kait_connect::{Access, Grants, is_private};
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
            // Cloud machines keep their keys behind this address; no program has business there.
            Access::Address(IpAddr::V4(v4)) if v4.is_link_local() => {
                Err(format!("{v4} is a link-local address, which programs may not reach").into())
            }
            _ => Ok(()),
        }
    }
}

/// The grants of runs that callers of a server start: what they send may lead programs anywhere, so it leads them to
/// files below the hosted directories and to public addresses only, and starts no processes.
pub struct CallerGrants {
    /// Nothing leaves this machine.
    pub offline: bool,
    /// The hosted directories: absolute, links resolved.
    pub roots: Vec<PathBuf>,
}

impl CallerGrants {
    fn file(&self, path: &Path) -> Result<(), SmolStr> {
        if self.roots.iter().any(|root| path.starts_with(root)) {
            return Ok(());
        }
        let shown = path.display();
        Err(format!(
            "`{shown}` is not below a hosted directory; `kait serve --unrestricted` allows it"
        )
        .into())
    }
}

impl Grants for CallerGrants {
    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr> {
        match access {
            Access::ReadFile(path) | Access::WriteFile(path) => self.file(path),
            Access::Host { host, .. } if self.offline => {
                Err(format!("`{host}` is not asked: the server is offline").into())
            }
            Access::Host { .. } => Ok(()),
            Access::Address(address) if is_private(address) => Err(format!(
                "{address} is a private address; `kait serve --unrestricted` allows it"
            )
            .into()),
            Access::Address(_) => Ok(()),
            Access::Process(program) => Err(format!(
                "`{program}` is not started for callers of a server; `kait serve --unrestricted` allows it"
            )
            .into()),
        }
    }
}
