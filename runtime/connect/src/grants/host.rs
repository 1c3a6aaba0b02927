//! Hosts and addresses as grants name them: `api.example.com`, `*.example.com`, `[::1]:8080`, `10.1.0.0/16`.
//!
//! Names are compared as URLs have them: lower-case, international letters in their ASCII form, no dot at the end, and
//! addresses in whatever notation as the address that they are.

use std::net::IpAddr;

use reqwest::Url;
use smol_str::SmolStr;

/// A host that is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Host {
    name: Name,
    /// All of its ports, if none is named.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// This one.
    Is(SmolStr),
    /// All that end with this, which begins with a dot.
    Below(SmolStr),
    /// This address, by itself and not by a name.
    Address(IpAddr),
}

impl Host {
    /// # Errors
    /// What is wrong with it, and perhaps what was meant.
    pub fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        if let Some((_, rest)) = text.split_once("://") {
            let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
            return Err((
                format!("`{text}` is an address, and a grant names a host"),
                Some(host.to_owned()),
            ));
        }
        if text == "*" {
            return Err(("`*` names no host".to_owned(), Some(String::new())));
        }
        if let Some((host, _)) = text.split_once('/') {
            return Err((
                format!("`{text}` is more than a host: whole hosts are granted"),
                Some(host.to_owned()),
            ));
        }
        let no_host = || (format!("`{text}` is not a host"), None);
        let (name, port) = split_port(text).ok_or_else(no_host)?;
        if let Some(parent) = name.strip_prefix("*.") {
            let parent = normal(parent).ok_or_else(no_host)?;
            if parent.parse::<IpAddr>().is_ok() {
                return Err(no_host());
            }
            return Ok(Self { name: Name::Below(format!(".{parent}").into()), port });
        }
        let name = normal(name).ok_or_else(no_host)?;
        let name = match name.parse::<IpAddr>() {
            Ok(address) => Name::Address(address.to_canonical()),
            Err(_) => Name::Is(name),
        };
        Ok(Self { name, port })
    }

    /// The name and the port of a host as it is written, the name as [`super::Access::Host`] has it.
    pub fn split(text: &str) -> Option<(SmolStr, Option<u16>)> {
        let (name, port) = split_port(text)?;
        Some((normal(name)?, port))
    }

    /// Whether it is that host (as in [`super::Access::Host`]); with `port`, whether that port of it is granted; without,
    /// whether all are.
    pub fn covers(&self, host: &str, port: Option<u16>) -> bool {
        let is_port = self.port.is_none() || self.port == port;
        is_port
            && match &self.name {
                Name::Is(name) => name == host,
                Name::Below(end) => host.len() > end.len() && host.ends_with(end.as_str()),
                Name::Address(own) => {
                    host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical() == *own)
                }
            }
    }

    /// Whether the private address is meant by it: it is named itself, or `localhost` is, which is this machine.
    pub fn means(&self, host: &str, address: IpAddr) -> bool {
        match &self.name {
            Name::Address(own) => self.covers(host, self.port) && address.to_canonical() == *own,
            Name::Is(name) => {
                name == host && is_localhost(name) && address.to_canonical().is_loopback()
            }
            Name::Below(_) => false,
        }
    }
}

/// Whether the name stands for this machine, whoever is asked (RFC 6761).
pub(super) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// A host with its port, if it has one: `a:80`, `[::1]:80`, `::1`.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let port = match port {
        // Not `+80`.
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(port.parse().ok().filter(|port| *port > 0)?)
        }
        Some(_) => return None,
        None => None,
    };
    Some((name, port))
}

/// A name or an address as [`super::Access::Host`] has it.
pub(super) fn normal(name: &str) -> Option<SmolStr> {
    let is_v6 = name.contains(':') && !name.starts_with('[');
    let odd = |c: char| c.is_whitespace() || matches!(c, '/' | '@' | '?' | '#' | '\\' | '*' | '%');
    if name.is_empty() || name.contains(odd) {
        return None;
    }
    let url = if is_v6 { format!("http://[{name}]/") } else { format!("http://{name}/") };
    let url = Url::parse(&url).ok()?;
    (url.port().is_none()).then(|| bare(url.host_str().unwrap_or_default()).into())
}

/// The host of a URL without the brackets of an address, and without the dot at the end of a name.
pub(crate) fn bare(host: &str) -> &str {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host)
}

/// Which hosts may have private addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Private {
    /// Any.
    pub all: bool,
    /// These.
    pub hosts: Vec<SmolStr>,
    /// Any that has an address in one of these.
    pub ranges: Vec<Range>,
}

impl Private {
    pub fn allows(&self, host: &str, address: IpAddr) -> bool {
        self.all
            || self.hosts.iter().any(|own| own == host)
            || self.ranges.iter().any(|range| range.contains(address))
    }

    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, text: &str) -> Result<(), String> {
        if let Some(range) = Range::parse(text) {
            self.ranges.push(range);
            return Ok(());
        }
        if text.contains('/') {
            return Err(format!("`{text}` is not a range of addresses, such as 10.1.0.0/16"));
        }
        let (name, port) = split_port(text).ok_or_else(|| format!("`{text}` is not a host"))?;
        if port.is_some() {
            return Err(format!(
                "`{text}` has a port: `private` says which hosts, `read` and `write` which ports"
            ));
        }
        self.hosts.push(normal(name).ok_or_else(|| format!("`{text}` is not a host"))?);
        Ok(())
    }
}

/// The addresses that begin with the same bits: `10.1.0.0/16`, or one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    first: IpAddr,
    bits: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let first: IpAddr = address.parse().ok()?;
        let all = if first.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok()?,
            Some(_) => return None,
            None => all,
        };
        (bits <= all).then_some(Self { first, bits })
    }

    fn contains(self, address: IpAddr) -> bool {
        // An IPv4 address in the form of an IPv6 address is the IPv4 address, unless the range is of such forms.
        let address = if self.first.is_ipv4() { address.to_canonical() } else { address };
        let same = |own: u128, other: u128, all: u32| {
            let rest = all - self.bits;
            own.checked_shr(rest).unwrap_or(0) == other.checked_shr(rest).unwrap_or(0)
        };
        match (self.first, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same(own.to_bits().into(), other.to_bits().into(), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_as_urls_have_them() {
        let covers = |grant: &str, host: &str, port: u16| {
            Host::parse(grant).unwrap().covers(host, Some(port))
        };
        for (grant, host, port) in [
            ("api.example.com", "api.example.com", 443),
            ("API.Example.com.", "api.example.com", 8443),
            ("api.example.com:8443", "api.example.com", 8443),
            ("*.example.com", "a.b.example.com", 80),
            ("*.example.com:80", "a.example.com", 80),
            ("bücher.example", "xn--bcher-kva.example", 443),
            ("BÜCHER.example", "xn--bcher-kva.example", 443),
            ("127.0.0.1", "127.0.0.1", 1),
            ("0x7f.1", "127.0.0.1", 1),
            ("::1", "::1", 1),
            ("[::1]:80", "::1", 80),
            ("[0:0:0:0:0:0:0:1]", "::1", 1),
            ("10.0.0.1", "::ffff:10.0.0.1", 1),
        ] {
            assert!(covers(grant, host, port), "{grant} {host}:{port}");
        }
        for (grant, host, port) in [
            ("api.example.com", "example.com", 443),
            ("example.com", "api.example.com", 443),
            ("example.com", "notexample.com", 443),
            ("*.example.com", "example.com", 443),
            ("*.example.com", ".example.com", 443),
            ("*.example.com", "badexample.com", 443),
            ("api.example.com:8443", "api.example.com", 443),
            ("[::1]:80", "::1", 81),
            ("127.0.0.1", "localhost", 80),
            ("::1", "::2", 80),
        ] {
            assert!(!covers(grant, host, port), "{grant} {host}:{port}");
        }
        assert!(!Host::parse("a.example:80").unwrap().covers("a.example", None));
    }

    #[test]
    fn what_is_no_host_says_so() {
        for (text, meant) in [
            ("https://api.example.com/v1", Some("api.example.com")),
            ("api.example.com/v1", Some("api.example.com")),
            ("*", Some("")),
            ("", None),
            ("a b", None),
            ("a.*.example", None),
            ("a.example:", None),
            ("a.example:0", None),
            ("a.example:+80", None),
            ("a.example:70000", None),
            ("*.10.0.0.1", None),
            ("user@host", None),
            ("[::1", None),
        ] {
            let (why, found) = Host::parse(text).unwrap_err();
            assert_eq!(found.as_deref(), meant, "{text}: {why}");
        }
    }

    #[test]
    fn private_addresses_are_allowed_by_name_and_range() {
        let mut private = Private::default();
        for text in ["crm.internal", "10.1.0.0/16", "fd00::/8", "192.168.1.7", "0.0.0.0/32"] {
            private.add(text).unwrap();
        }
        let allows = |host: &str, address: &str| private.allows(host, address.parse().unwrap());
        assert!(allows("crm.internal", "172.16.0.1") && allows("x", "10.1.255.9"));
        assert!(
            allows("x", "::ffff:10.1.2.3") && allows("x", "fd12::1") && allows("x", "192.168.1.7")
        );
        assert!(!allows("x", "10.2.0.1") && !allows("x", "fc00::1") && !allows("x", "192.168.1.8"));
        assert!(!allows("y.crm.internal", "172.16.0.1"));
        for text in
            ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "a/8", "crm.internal:80", "", "::/129"]
        {
            assert!(private.add(text).is_err(), "{text}");
        }
        let mut all = Private::default();
        all.add("0.0.0.0/0").unwrap();
        assert!(all.allows("x", "127.0.0.1".parse().unwrap()));
        assert!(!all.allows("x", "::1".parse().unwrap()));
    }

    #[test]
    fn an_address_that_is_named_itself_may_be_private() {
        let means = |grant: &str, host: &str, address: &str| {
            Host::parse(grant).unwrap().means(host, address.parse().unwrap())
        };
        assert!(means("127.0.0.1:80", "127.0.0.1", "127.0.0.1"));
        assert!(
            means("localhost", "localhost", "::1") && means("localhost", "localhost", "127.0.0.1")
        );
        assert!(!means("localhost", "localhost", "10.0.0.1"));
        // A name that stands for an address which is granted is not that address.
        assert!(!means("127.0.0.1", "evil.example", "127.0.0.1"));
        assert!(!means("evil.example", "evil.example", "127.0.0.1"));
        assert!(!means("*.localhost", "a.localhost", "127.0.0.1"));
    }
}
