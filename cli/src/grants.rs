//! What a run from the command line may touch: what its user may, without the network if it is offline.

use std::net::IpAddr;

use kait_connect::{Access, Grants};
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
