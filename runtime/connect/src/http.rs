//! `std.web` and `std.http`: requests over HTTP, under the grants of the profile at every hop.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Once};

use kait_engine::Outcome;
use kait_ir::{Failure, Value, ValueMap};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, Url, redirect};
use smol_str::SmolStr;

use crate::args;
use crate::connections::{Config, Connections, LeafFn};
use crate::grants::{Access, Grants, bare};
use crate::leaf::{Ended, LeafJob, Started};
use crate::pace::retry_after;

/// The leaves of the module.
pub(crate) const LEAVES: &[(&str, LeafFn)] = &[("http.request", request), ("web.fetch", fetch)];

/// What servers are told about us.
pub(crate) const USER_AGENT: &str = concat!("kait/", env!("CARGO_PKG_VERSION"));

/// Most characters of an error's body that a failure keeps.
const KEPT_BODY: usize = 2000;

/// Makes TLS use the one implementation that this program brings along.
pub(crate) fn prepare_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Another part of the process may have chosen already; then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// An address that the grants refuse.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct AddressRefused(SmolStr);

/// Resolves names and drops the addresses that are not granted, so that no name leads into a private network.
struct GrantedResolver(Arc<dyn Grants>);

impl Resolve for GrantedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let grants = self.0.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let mut allowed = Vec::new();
            let mut refused = None;
            let host = bare(name.as_str()).to_ascii_lowercase();
            for address in found {
                let access = Access::Address { host: &host, address: address.ip() };
                match grants.allow(access) {
                    Ok(()) => allowed.push(address),
                    Err(why) => refused = Some(why),
                }
            }
            match refused {
                Some(why) if allowed.is_empty() => Err(Box::new(AddressRefused(why)) as _),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether requests may go through a proxy, which looks names up itself.
fn has_proxy() -> bool {
    const NAMES: [&str; 3] = ["http_proxy", "https_proxy", "all_proxy"];
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    NAMES.iter().any(|name| is_set(name) || is_set(&name.to_ascii_uppercase()))
}

/// Asks for all addresses of a name, for requests whose connection somebody else makes. A name that is not known here
/// is left to whoever makes it.
async fn ask_for_addresses(grants: &dyn Grants, host: &str) -> Result<(), Failure> {
    let Ok(found) = tokio::net::lookup_host((host, 0)).await else { return Ok(()) };
    for address in found {
        let access = Access::Address { host, address: address.ip() };
        grants.allow(access).map_err(|why| Failure::Refused { why })?;
    }
    Ok(())
}

impl Connections {
    /// The client for pages: made at the first use.
    pub(crate) fn web(&self) -> Result<&Client, Failure> {
        let made = self.shared.web.get_or_init(|| {
            prepare_tls();
            let grants = self.config().grants.clone();
            Client::builder()
                .user_agent(USER_AGENT)
                .redirect(redirect::Policy::none())
                .dns_resolver(Arc::new(GrantedResolver(grants)))
                .timeout(self.config().limits.request)
                .build()
                .map_err(|error| chain(&error))
        });
        made.as_ref().map_err(|why| Failure::Tool {
            name: "web".into(),
            message: format!("the HTTP client cannot be set up: {why}").into(),
        })
    }
}

/// An error with its causes, the most telling last.
pub(crate) fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    if text.is_empty() { error.to_string() } else { text }
}

/// One request, on its way through its hops.
pub(crate) struct Hop<'a> {
    /// The leaf, for messages.
    pub name: &'a str,
    /// Grants and limits.
    pub config: &'a Config,
    /// Whether it may change something.
    pub write: bool,
    /// Whether an answer that does not come, or not whole, is `Http` without status, which may be tried again.
    pub may_try_again: bool,
}

impl Hop<'_> {
    fn fail(&self, message: String) -> Failure {
        Failure::Tool { name: self.name.into(), message: message.into() }
    }

    fn no_answer(&self, message: String) -> Failure {
        if self.may_try_again {
            return Failure::Http { status: Failure::NO_ANSWER, body: message.into() };
        }
        self.fail(message)
    }

    /// The URL, if it is one that may be asked.
    pub async fn check(&self, url: &str, base: Option<&Url>) -> Result<Url, Failure> {
        let parsed = match base {
            Some(base) => base.join(url),
            None => Url::parse(url),
        };
        let parsed = parsed.map_err(|error| {
            let hint = if url.contains("://") { "" } else { "; it begins with `https://`" };
            Failure::invalid("url", format!("`{url}` is not a URL: {error}{hint}"))
        })?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(Failure::invalid(
                "url",
                format!("`{}` is not asked for: only `http` and `https` are", parsed.scheme()),
            ));
        }
        let refused = |why| Failure::Refused { why };
        let host = bare(parsed.host_str().unwrap_or_default());
        let port = parsed.port_or_known_default().unwrap_or(0);
        let access = Access::Host { host, port, write: self.write };
        self.config.grants.allow(access).map_err(refused)?;
        // Names are checked when they are resolved; an address in the URL is never resolved.
        if let Ok(address) = host.parse::<IpAddr>() {
            self.config.grants.allow(Access::Address { host, address }).map_err(refused)?;
        } else if has_proxy() {
            ask_for_addresses(&*self.config.grants, host).await?;
        }
        Ok(parsed)
    }

    pub fn explain(&self, url: &Url, error: &reqwest::Error) -> Failure {
        let mut cause = error.source();
        while let Some(inner) = cause {
            if let Some(refused) = inner.downcast_ref::<AddressRefused>() {
                return Failure::Refused { why: refused.0.clone() };
            }
            cause = inner.source();
        }
        let host = url.host_str().unwrap_or_default();
        if error.is_timeout() {
            Failure::Timeout
        } else if error.is_connect() {
            self.no_answer(format!("`{host}` cannot be reached: {}", chain(error)))
        } else {
            self.no_answer(format!("the answer of `{host}` broke off: {}", chain(error)))
        }
    }

    /// The body, up to the limit.
    pub async fn body(&self, url: &Url, mut response: Response) -> Result<Vec<u8>, Failure> {
        let limit = self.config.limits.body;
        let too_large = || {
            self.fail(format!("`{url}` is too large: more than {} MB", limit.div_ceil(1_000_000)))
        };
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > limit => return Err(too_large()),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(error) => return Err(self.explain(url, &error)),
            }
        }
    }
}

/// The MIME type without parameters, and the character set.
pub(crate) fn content_type(headers: &HeaderMap) -> (String, Option<String>) {
    let value =
        headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.eq_ignore_ascii_case("charset").then(|| value.trim_matches('"').to_ascii_lowercase())
    });
    (media_type, charset)
}

fn is_text(media_type: &str) -> bool {
    media_type.is_empty()
        || media_type.starts_with("text/")
        || ["json", "xml", "javascript", "yaml", "x-www-form-urlencoded", "x-ndjson", "graphql"]
            .iter()
            .any(|part| media_type.contains(part))
}

/// The body as text; what is not valid is shown as `U+FFFD`.
pub(crate) fn decode(body: Vec<u8>, charset: Option<&str>) -> Result<String, String> {
    match charset {
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => Ok(match String::from_utf8(body) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }),
        // Its bytes are the first 256 characters; the WHATWG gives the rest of Windows-1252 these places.
        Some("iso-8859-1" | "latin1" | "windows-1252" | "iso-8859-15") => {
            Ok(body.into_iter().map(windows_1252).collect())
        }
        Some(other) => {
            Err(format!("its characters are encoded as `{other}`, which cannot be read"))
        }
    }
}

fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..0xa0 => HIGH.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
        _ => char::from(byte),
    }
}

/// The failure of an answer with that status.
pub(crate) fn http_failure(status: u16, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let cut = match text.char_indices().nth(KEPT_BODY) {
        Some((at, _)) => text.get(..at).unwrap_or_default(),
        None => &text,
    };
    Failure::Http { status: i64::from(status), body: cut.trim().into() }
}

fn finish(result: Result<Value, Failure>) -> Ended {
    Ended::from(match result {
        Ok(value) => Outcome::Ok(value),
        Err(failure) => Outcome::Failed(failure),
    })
}

fn fetch(cx: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let (client, url) = (cx.web()?.clone(), args::text(job.args, 0)?);
    let cx = cx.clone();
    Ok(Started::Later(Box::pin(async move { finish(page(&client, &cx, &url).await) })))
}

/// `web.Page(url, status, body, content_type)`.
async fn page(client: &Client, cx: &Connections, url: &str) -> Result<Value, Failure> {
    let (config, pace) = (cx.config(), &cx.shared.pace);
    let hop = Hop { name: "web.fetch", config, write: false, may_try_again: false };
    let mut url = hop.check(url, None).await?;
    for _ in 0..=config.limits.redirects {
        pace.turn(&host_of(&url)).await?;
        let sent = client
            .get(url.clone())
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .send();
        let response = sent.await.map_err(|error| hop.explain(&url, &error))?;
        let status = response.status();
        if status.is_redirection()
            && let Some(to) = response.headers().get("location")
        {
            let to = to.to_str().map_err(|_| hop.fail(format!("`{url}` redirects to no URL")))?;
            url = hop.check(to, Some(&url)).await?;
            continue;
        }
        let (media_type, charset) = content_type(response.headers());
        if status.is_success() && !is_text(&media_type) {
            return Err(hop.fail(format!("`{url}` is `{media_type}`, not text")));
        }
        let wait = retry_after(response.headers());
        let body = hop.body(&url, response).await?;
        if status.is_client_error() || status.is_server_error() {
            if let Some(wait) = wait {
                pace.hold(&host_of(&url), wait);
            }
            return Err(http_failure(status.as_u16(), &body));
        }
        let body =
            decode(body, charset.as_deref()).map_err(|why| hop.fail(format!("`{url}`: {why}")))?;
        return Ok(Value::record([
            Value::text(url.as_str()),
            Value::Int(i64::from(status.as_u16())),
            Value::text(body),
            Value::text(media_type),
        ]));
    }
    Err(hop.fail(format!("`{url}` redirects more than {} times", config.limits.redirects)))
}

/// Whom a wish to wait concerns.
pub(crate) fn host_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

fn request(cx: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let client = cx.web()?.clone();
    let (url, method) = (args::text(job.args, 0)?, args::text(job.args, 1)?);
    let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
        .map_err(|_| Failure::invalid("method", format!("`{method}` is not an HTTP method")))?;
    let mut headers = HeaderMap::new();
    let named = |name: &str, value: &str| {
        let header =
            HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        header.ok_or_else(|| Failure::invalid("headers", format!("`{name}` is not a valid header")))
    };
    for (name, value) in args::map(job.args, 2)? {
        let (name, value) =
            named(name.as_text().unwrap_or_default(), value.as_text().unwrap_or_default())?;
        headers.insert(name, value);
    }
    if let Some(key) = &job.key {
        let (name, value) = named("idempotency-key", &kait_engine::render::plain(key))?;
        headers.insert(name, value);
    }
    let keyed = job.key.is_some();
    let (body, cx, path) = (args::text(job.args, 3)?, cx.clone(), job.path.clone());
    // A task of its own: a write that was begun runs to its end, also when nobody waits for it any more.
    let sent = tokio::spawn(async move {
        let config = cx.config();
        let hop = Hop { name: "http.request", config, write: true, may_try_again: false };
        let url = hop.check(&url, None).await?;
        let unknown = |failure: Failure| {
            if keyed { failure } else { Failure::Unknown { call: path.clone() } }
        };
        cx.shared.pace.turn(&host_of(&url)).await?;
        let sent = client
            .request(method, url.clone())
            .headers(headers)
            .body(body.to_string())
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                let failure = hop.explain(&url, &error);
                // Without a connection nothing was sent, so it is certain that nothing happened.
                let certain = error.is_connect() || matches!(failure, Failure::Refused { .. });
                return Err(if certain { failure } else { unknown(failure) });
            }
        };
        let status = response.status();
        if let Some(wait) = retry_after(response.headers())
            && (status.is_client_error() || status.is_server_error())
        {
            cx.shared.pace.hold(&host_of(&url), wait);
        }
        let mut answer_headers = ValueMap::default();
        for (name, value) in response.headers() {
            let value = String::from_utf8_lossy(value.as_bytes());
            answer_headers.insert(Value::text(name.as_str()), Value::text(value));
        }
        let (_, charset) = content_type(response.headers());
        let body = hop.body(&url, response).await;
        if status.is_client_error() || status.is_server_error() {
            return Err(http_failure(status.as_u16(), &body.unwrap_or_default()));
        }
        let body = body.map_err(unknown)?;
        let body =
            decode(body, charset.as_deref()).map_err(|why| hop.fail(format!("`{url}`: {why}")))?;
        Ok(Value::record([
            Value::Int(i64::from(status.as_u16())),
            Value::Map(Arc::new(answer_headers)),
            Value::text(body),
        ]))
    });
    Ok(Started::Later(Box::pin(async move {
        finish(sent.await.unwrap_or_else(|_| Err(Failure::trap("the HTTP leaf broke down"))))
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Public;

    impl Grants for Public {
        fn allow(&self, access: Access<'_>) -> Result<(), SmolStr> {
            match access {
                Access::Address { host, address } if crate::is_private(address) => {
                    Err(format!("{host} is private").into())
                }
                _ => Ok(()),
            }
        }
    }

    #[tokio::test]
    async fn names_that_a_proxy_would_look_up_are_looked_up_first() {
        let asked = ask_for_addresses(&Public, "localhost").await;
        assert_eq!(asked, Err(Failure::Refused { why: "localhost is private".into() }));
        assert_eq!(ask_for_addresses(&Public, "nowhere.invalid").await, Ok(()));
    }

    #[test]
    fn types_and_character_sets_are_read() {
        let headers = |value: &'static str| {
            HeaderMap::from_iter([(
                HeaderName::from_static("content-type"),
                HeaderValue::from_static(value),
            )])
        };
        let (media_type, charset) = content_type(&headers("Text/HTML; Charset=\"ISO-8859-1\""));
        assert_eq!((media_type.as_str(), charset.as_deref()), ("text/html", Some("iso-8859-1")));
        assert_eq!(decode(vec![b'a', 0xe4, 0x80], charset.as_deref()).unwrap(), "aä€");
        assert_eq!(decode(vec![b'a', 0xff], None).unwrap(), "a\u{fffd}");
        assert!(decode(vec![], Some("utf-7")).is_err());
        assert!(
            is_text("application/atom+xml") && !is_text("image/png") && !is_text("application/pdf")
        );
    }
}
