//! What leaves may touch: asked at the moment of touching, whatever the compiler said before.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use smol_str::SmolStr;

mod host;
mod profile;
mod table;

pub(crate) use host::bare;
pub use profile::{Need, Part, ProfileGrants, Reach};
pub use table::{BadGrant, GrantTable};

/// Something that a leaf is about to touch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Access<'a> {
    /// Reads that file or directory.
    ReadFile {
        /// Absolute, symbolic links resolved.
        path: &'a Path,
        /// As the program wrote it: for messages.
        shown: &'a str,
    },
    /// Writes that file.
    WriteFile {
        /// Absolute, symbolic links of what exists resolved.
        path: &'a Path,
        /// As the program wrote it: for messages.
        shown: &'a str,
    },
    /// Sends a request to that host: each hop of a redirect is asked for.
    Host {
        /// Name or literal address, lower-case, without brackets and without a dot at its end.
        host: &'a str,
        /// The port.
        port: u16,
        /// Whether the request may change something there.
        write: bool,
    },
    /// Connects to an address.
    Address {
        /// The name that stood for it, as in [`Access::Host`], or the address itself.
        host: &'a str,
        /// The address.
        address: IpAddr,
    },
    /// Starts a program.
    Process {
        /// What the call names.
        program: &'a str,
        /// The file that is started: absolute, the links to its directory resolved. What the call names, if there is no
        /// such program.
        path: &'a Path,
    },
    /// Asks the model of that role.
    Model(&'a str),
    /// Asks a person of that role; of none that is named, if it is empty.
    Person(&'a str),
    /// Calls a tool of that MCP server.
    Server {
        /// Its name in `kait.lock`.
        name: &'a str,
        /// Whether the tool may change something.
        write: bool,
    },
    /// Reads or changes the database of the profile.
    Database {
        /// Whether it is changed.
        write: bool,
    },
    /// Looks at the clock, or waits for it.
    Clock,
    /// Draws by chance.
    Random,
    /// Shows something to whoever watches.
    Emit,
}

/// Decides what leaves may touch. Implemented over a profile's grants.
pub trait Grants: Send + Sync {
    /// # Errors
    /// Why not, in words that a user understands: they become `Refused(why)`.
    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr>;
}

/// Grants everything: for tests, and for profiles that say so.
#[derive(Clone, Copy, Debug)]
pub struct AllowAll;

impl Grants for AllowAll {
    fn allow(&self, _: Access<'_>) -> Result<(), SmolStr> {
        Ok(())
    }
}

/// Grants what each of them grants.
pub struct All(pub Vec<Arc<dyn Grants>>);

impl Grants for All {
    fn allow(&self, access: Access<'_>) -> Result<(), SmolStr> {
        self.0.iter().try_for_each(|grants| grants.allow(access))
    }
}

/// Whether an address belongs to this machine or to a private network, in any of its notations: what a page on the
/// web must not make a program reach. The ranges are those of the IANA special-purpose registries.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 198 && (b == 18 || b == 19))
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_private(v4.into());
            }
            let segments = v6.segments();
            // NAT64 and 6to4 carry an IPv4 address that counts.
            let embedded = |high: u16, low: u16| {
                let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
                is_private(IpAddr::from([a, b, c, d]))
            };
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || (segments[0] == 0x64
                    && segments[1] == 0xff9b
                    && embedded(segments[6], segments[7]))
                || (segments[0] == 0x2002 && embedded(segments[1], segments[2]))
                || segments[..6] == [0; 6]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_notation() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "::127.0.0.1",
            "ff02::1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }
}
