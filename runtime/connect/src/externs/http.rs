//! `extern … from http "METHOD https://host/{param}"`: one request for a call, under the grants of the profile at every hop.
//!
//! Secrets go to the host of the declaration and to no other. What is no read is sent once: a redirect of it is not
//! followed, and one that breaks off without a key is `Unknown`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kait_engine::Outcome;
use kait_engine::check::TypeTable;
use kait_ir::program::{Auth, HeaderText, KeyPlace};
use kait_ir::{EffectClass, Failure, LeafDecl, Type, Value};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use serde_json::Value as Json;
use smol_str::SmolStr;

use super::{Answer, Piece, Sending, argument, arguments, object, percent_encoded, pieces, plain};
use crate::connections::Connections;
use crate::http::{Hop, content_type, host_of, http_failure};
use crate::leaf::{Ended, LeafJob, Started};
use crate::pace::retry_after;
use crate::secrets::Sent;

/// A request that is ready to be sent.
struct Request {
    decl: LeafDecl,
    table: std::sync::Arc<TypeTable>,
    method: Method,
    url: Url,
    /// Headers that every hop gets.
    headers: HeaderMap,
    /// Headers for the declared host alone: secrets and keys.
    own: HeaderMap,
    body: Option<Vec<u8>>,
    timeout: Duration,
    sent: Sent,
    /// The call, if it writes and must not be done twice: what is not known to have happened.
    unsure: Option<SmolStr>,
}

pub(crate) fn start(cx: &Connections, job: &LeafJob<'_>) -> Result<Started, Failure> {
    let client = cx.web()?.clone();
    let mut sent = Sent::default();
    let request = match prepare(cx, job, &mut sent) {
        Ok(request) => Request { sent, ..request },
        Err(failure) => return Err(sent.blank_failure(failure)),
    };
    let cx = cx.clone();
    let ended = async move {
        let result = exchange(&client, &cx, &request).await;
        Ended::from(match result {
            Ok(value) => Outcome::Ok(value),
            Err(failure) => Outcome::Failed(request.sent.blank_failure(failure)),
        })
    };
    if !job.decl.class.is_write() {
        return Ok(Started::Later(Box::pin(ended)));
    }
    // A task of its own: a write that was begun runs to its end, also when nobody waits for it any more.
    let task = tokio::spawn(ended);
    Ok(Started::Later(Box::pin(async move {
        task.await.unwrap_or_else(|_| {
            Outcome::Failed(Failure::trap("a request over HTTP broke down")).into()
        })
    })))
}

/// The declaration cannot be followed: it was not made by the compiler.
fn odd(decl: &LeafDecl, what: &str) -> Failure {
    Failure::trap(format!("`{}` cannot be called: {what}", decl.name))
}

fn prepare(cx: &Connections, job: &LeafJob<'_>, sent: &mut Sent) -> Result<Request, Failure> {
    let (decl, config) = (job.decl, cx.config());
    let all = arguments(job, config, sent)?;
    let (method, address) =
        decl.locator.split_once(' ').ok_or_else(|| odd(decl, "its address has no method"))?;
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_| odd(decl, "its method is none of HTTP"))?;
    let (address, rest) = filled(decl, address, all)?;
    let mut url = Url::parse(&address).map_err(|_| odd(decl, "its address is not a URL"))?;
    let mut headers = HeaderMap::new();
    let accepts = match super::present(job.table, decl.result) {
        Type::Text | Type::Bytes | Type::None | Type::Image | Type::Audio | Type::File => "*/*",
        _ => "application/json",
    };
    headers.insert("accept", HeaderValue::from_static(accepts));
    let mut body = None;
    if matches!(method, Method::GET | Method::HEAD | Method::DELETE) {
        in_query(&mut url, &rest);
    } else if !rest.is_empty() {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        body = Some(object(rest).to_string().into_bytes());
    }
    let with = &decl.with;
    let mut own = HeaderMap::new();
    for (name, content) in &with.headers {
        match content {
            HeaderText::Text(text) => {
                let (name, value) = header(decl, name, text)?;
                headers.insert(name, value);
            }
            HeaderText::Secret(secret) => {
                let value = sent.resolve(config, secret)?;
                let (name, value) = secret_header(name, &value, secret)?;
                own.insert(name, value);
            }
        }
    }
    match &with.auth {
        Some(Auth::Bearer { secret }) => {
            let value = format!("Bearer {}", sent.resolve(config, secret)?);
            let (name, value) = secret_header("authorization", &value, secret)?;
            own.insert(name, value);
        }
        Some(Auth::Basic { user, secret }) => {
            let pair = BASE64.encode(format!("{user}:{}", sent.resolve(config, secret)?));
            sent.hide(secret, &pair);
            let (name, value) = secret_header("authorization", &format!("Basic {pair}"), secret)?;
            own.insert(name, value);
        }
        Some(Auth::Header { name, secret }) => {
            let value = sent.resolve(config, secret)?;
            let (name, value) = secret_header(name, &value, secret)?;
            own.insert(name, value);
        }
        Some(Auth::Query { name, secret }) => {
            let value = sent.resolve(config, secret)?;
            url.query_pairs_mut().append_pair(name, &value);
        }
        None => {}
    }
    let key = job.key.as_ref().map(kait_engine::render::plain);
    match (&with.key, &key) {
        (Some(KeyPlace::Header(name)), Some(key)) => {
            let (name, value) = header(decl, name, key).map_err(|_| {
                Failure::invalid("key", "it cannot be sent in a header: it holds a line break or another control character")
            })?;
            own.insert(name, value);
        }
        (Some(KeyPlace::Query(name)), Some(key)) => {
            url.query_pairs_mut().append_pair(name, key);
        }
        _ => {}
    }
    let longest = config.limits.request;
    let timeout = with.timeout.map_or(longest, |nanos| Duration::from_nanos(nanos).min(longest));
    let is_unsure =
        matches!(decl.class, EffectClass::Write { .. }) && (key.is_none() || with.key.is_none());
    Ok(Request {
        decl: decl.clone(),
        table: std::sync::Arc::clone(job.table),
        method,
        url,
        headers,
        own,
        body,
        timeout,
        sent: Sent::default(),
        unsure: is_unsure.then(|| job.path.clone()),
    })
}

/// A header of the declaration.
fn header(decl: &LeafDecl, name: &str, text: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    HeaderName::from_bytes(name.as_bytes())
        .ok()
        .zip(HeaderValue::from_str(text).ok())
        .ok_or_else(|| odd(decl, &format!("`{name}` is not a valid header")))
}

/// A header with a secret in it, which nothing prints.
fn secret_header(
    name: &str,
    value: &str,
    secret: &str,
) -> Result<(HeaderName, HeaderValue), Failure> {
    let header =
        HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
    let (name, mut value) = header.ok_or_else(|| Failure::Refused {
        why: format!("the secret `{secret}` cannot be sent in a header: it holds a line break or another control character").into(),
    })?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// The address with its parameters, and the arguments that are none of them.
fn filled(
    decl: &LeafDecl,
    address: &str,
    all: Vec<Sending>,
) -> Result<(String, Vec<Sending>), Failure> {
    let scheme = address.find("://").map(|at| at + 3);
    let scheme = scheme.ok_or_else(|| odd(decl, "its address has no scheme"))?;
    let rest = address.get(scheme..).unwrap_or_default();
    let host_end = scheme + rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = address.split_at(host_end);
    if host.contains(['{', '}', '@', '\\']) {
        return Err(odd(decl, "its host is not fixed"));
    }
    let path_end = path.find(['?', '#']).unwrap_or(path.len());
    let (path, query) = path.split_at(path_end);
    let mut used = Vec::new();
    let mut text = host.to_owned();
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            text.push('/');
        }
        let begin = text.len();
        let mut names = Vec::new();
        put(decl, segment, &all, &mut text, &mut names)?;
        // Servers, and whatever stands before them, take these for other places.
        let made = text.get(begin..).unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
        if let Some(name) = names.first()
            && matches!(made.as_str(), "" | "." | "..")
        {
            let why = match made.as_str() {
                "" => "is empty, which would lead to another place of the address".to_owned(),
                dots => format!("`{dots}` would lead to another place of the address"),
            };
            return Err(Failure::invalid(name.clone(), why));
        }
        used.append(&mut names);
    }
    put(decl, query, &all, &mut text, &mut used)?;
    let rest = all.into_iter().filter(|one| !used.contains(&one.name)).collect();
    Ok((text, rest))
}

fn put(
    decl: &LeafDecl,
    template: &str,
    all: &[Sending],
    text: &mut String,
    used: &mut Vec<SmolStr>,
) -> Result<(), Failure> {
    for piece in pieces(template) {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Name(name) => {
                let found = argument(decl, all, name)?;
                text.push_str(&percent_encoded(&plain(&found.json)));
                used.push(found.name.clone());
            }
        }
    }
    Ok(())
}

/// Arguments in the query: lists item by item, and nothing of what is none.
fn in_query(url: &mut Url, rest: &[Sending]) {
    for one in rest {
        let items = match &one.json {
            Json::Null => continue,
            Json::Array(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        for item in items {
            url.query_pairs_mut().append_pair(&one.name, &plain(item));
        }
    }
}

/// Whether what is sent to one goes to the same server as what is sent to the other.
fn is_same_origin(a: &Url, b: &Url) -> bool {
    let of = |url: &Url| (url.scheme().to_owned(), url.host_str().map(str::to_owned));
    of(a) == of(b) && a.port_or_known_default() == b.port_or_known_default()
}

async fn exchange(client: &Client, cx: &Connections, request: &Request) -> Result<Value, Failure> {
    let (config, pace, decl) = (cx.config(), &cx.shared.pace, &request.decl);
    let write = decl.class.is_write();
    let hop = Hop { name: &decl.name, config, write, may_try_again: true };
    let unsure = |failure: Failure| match &request.unsure {
        Some(call) => Failure::Unknown { call: call.clone() },
        None => failure,
    };
    let follows = matches!(request.method, Method::GET | Method::HEAD) && !hop.write;
    let mut url = hop.check(request.url.as_str(), None).await?;
    for _ in 0..=config.limits.redirects {
        pace.turn(&host_of(&url)).await?;
        let mut sending = client
            .request(request.method.clone(), url.clone())
            .timeout(request.timeout)
            .headers(request.headers.clone());
        if is_same_origin(&url, &request.url) {
            sending = sending.headers(request.own.clone());
        }
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        let response = match sending.send().await {
            Ok(response) => response,
            Err(error) => {
                let failure = hop.explain(&url, &error);
                // Without a connection nothing was sent, so it is certain that nothing happened.
                let certain = error.is_connect() || matches!(failure, Failure::Refused { .. });
                return Err(if certain { failure } else { unsure(failure) });
            }
        };
        let status = response.status();
        let location = response.headers().get("location").and_then(|to| to.to_str().ok());
        if status.is_redirection()
            && let Some(to) = location.map(str::to_owned)
        {
            if !follows {
                let body = format!("it redirects to `{to}`, where {} is not sent", request.method);
                return Err(Failure::Http {
                    status: i64::from(status.as_u16()),
                    body: body.into(),
                });
            }
            let next = hop.check(&to, Some(&url)).await?;
            if !is_same_origin(&next, &request.url) && request.sent.is_in(next.as_str()) {
                let why = "the answer would send a secret on to another host";
                return Err(Failure::Refused { why: why.into() });
            }
            url = next;
            continue;
        }
        let is_error = status.is_client_error() || status.is_server_error();
        if is_error && let Some(wait) = retry_after(response.headers()) {
            pace.hold(&host_of(&url), wait);
        }
        let (media_type, charset) = content_type(response.headers());
        let body = hop.body(&url, response).await;
        if is_error {
            let body = request.sent.blank_bytes(body.unwrap_or_default());
            return Err(http_failure(status.as_u16(), &body));
        }
        if status.is_redirection() {
            return Err(http_failure(status.as_u16(), b"it redirects to nowhere"));
        }
        let bytes = body.map_err(unsure)?;
        let mut from = url.clone();
        from.set_query(None);
        let answer = Answer { bytes, charset, media_type, from: from.to_string() };
        return super::answer(decl, &request.table, &request.sent, answer);
    }
    Err(Failure::Tool {
        name: decl.name.clone(),
        message: format!("`{url}` redirects more than {} times", config.limits.redirects).into(),
    })
}
