//! Who may ask: every request is addressed to a known host, comes from no foreign page, and carries a token.
//!
//! Nothing here looks at a path but to let the two health checks through without a token.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri};
use kait_compiler::diagnostics::Code;
use kait_engine::event::Arg;

use crate::app::App;
use crate::catalog::Hosted;
use crate::config::Config;
use crate::instructions::instructs;
use crate::problem::Problem;
use crate::runs::shown;
use crate::tokens::{Principal, Scope};

/// Paths that need no token.
const OPEN: [&str; 2] = ["/healthz", "/readyz"];

/// The protocol of the WebSocket.
pub const PROTOCOL: &str = "kait.v1";
/// A browser cannot set headers of a WebSocket, so it names its token as a further protocol.
const TOKEN_PROTOCOL: &str = "bearer.";

/// Lets a request through, or answers it.
pub async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let checked = check(&app, request.uri(), request.headers());
    match checked {
        Ok(principal) => {
            if let Some(principal) = principal {
                request.extensions_mut().insert(principal);
            }
            next.run(request).await
        }
        Err(problem) if request.uri().path().starts_with("/v1/") => {
            problem.for_openai().into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

fn check(
    app: &App,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Option<Arc<Principal>>, Box<Problem>> {
    let most = app.config.limits.headers;
    if size_of_head(uri, headers) > most {
        let detail = format!("the request's line and headers are longer than {most} bytes");
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(Problem::new(status, Code::BadRequest, detail));
    }
    let host = host(&app.config, uri, headers)?;
    origin(&app.config, host, headers)?;
    let principal = match token(headers) {
        _ if OPEN.contains(&uri.path()) => None,
        Some(token) => Some(app.tokens.principal(token).ok_or_else(|| {
            Problem::new(StatusCode::UNAUTHORIZED, Code::NoToken, "the token is not known")
                .help("the first token was printed when the server was first started; `kait serve --new-token SCOPES` makes another")
        })?),
        None => {
            let detail = "the request has no token";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, Code::NoToken, detail)
                .help("send the header `Authorization: Bearer TOKEN`"));
        }
    };
    Ok(principal)
}

/// The transport bounds what it reads, but only roughly.
fn size_of_head(uri: &Uri, headers: &HeaderMap) -> usize {
    let line = uri.path_and_query().map_or(0, |path| path.as_str().len());
    line + headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>()
}

/// The host that the request is addressed to, with its port, if it is one of ours.
fn host<'r>(
    config: &Config,
    uri: &'r Uri,
    headers: &'r HeaderMap,
) -> Result<&'r str, Box<Problem>> {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Problem::bad_request("the request must have exactly one `Host` header"));
    };
    let host = host.to_str().unwrap_or_default();
    let known = |host: &str| {
        let name = name_of(host).to_ascii_lowercase();
        config.hosts.contains(&name)
    };
    let asked = uri.authority().map(http::uri::Authority::as_str);
    if known(host) && asked.is_none_or(known) {
        return Ok(host);
    }
    let host = asked.filter(|asked| !known(asked)).unwrap_or(host);
    let detail = format!("this server does not answer for the host `{}`", shown(host));
    Err(Problem::new(StatusCode::FORBIDDEN, Code::ForeignRequest, detail)
        .help("if it is yours: kait serve --allow-host NAME"))
}

/// A host without its port and brackets.
fn name_of(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split_once(']').map_or("", |(name, port)| match port.strip_prefix(':') {
            Some(_) => name,
            None if port.is_empty() => name,
            None => "",
        });
    }
    match host.split_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        Some(_) => "",
        None => host,
    }
}

/// A page of another origin may not ask, unless it is allowed. Requests that no page sends have no origin.
fn origin(config: &Config, host: &str, headers: &HeaderMap) -> Result<(), Box<Problem>> {
    for origin in headers.get_all(ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let own = ["http://", "https://"].iter().any(|scheme| {
            origin.strip_prefix(scheme).is_some_and(|o| o.eq_ignore_ascii_case(host))
        });
        if !own && !config.origins.iter().any(|known| known.eq_ignore_ascii_case(origin)) {
            let detail = format!("pages of `{}` may not send requests here", shown(origin));
            return Err(Problem::new(StatusCode::FORBIDDEN, Code::ForeignRequest, detail)
                .help("if it is yours: kait serve --allow-origin ORIGIN"));
        }
    }
    Ok(())
}

fn token(headers: &HeaderMap) -> Option<&str> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim());
    }
    let protocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter();
    protocols
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|protocol| protocol.trim().strip_prefix(TOKEN_PROTOCOL))
}

/// Whoever sent the request may see graphs and runs.
pub struct MayRead;

/// Whoever sent the request may start and cancel runs.
pub struct MayRun;

/// Whoever sent the request.
pub struct Sender(pub Arc<Principal>);

impl FromRequestParts<App> for Sender {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        match parts.extensions.get::<Arc<Principal>>() {
            Some(principal) => Ok(Self(Arc::clone(principal))),
            None => Err(Problem::fault("a request came through without a token")),
        }
    }
}

/// Whether a principal may; if not, what to say.
pub fn require(principal: &Principal, scope: Scope) -> Result<(), Box<Problem>> {
    if principal.may(scope) {
        return Ok(());
    }
    let detail = format!("the token lacks the scope `{}`", scope.as_str());
    Err(Problem::new(StatusCode::FORBIDDEN, Code::NotAllowed, detail)
        .help(format!("kait serve --new-token {} makes one that has it", scope.as_str())))
}

/// Whether a principal may give a graph these parameters: some must be trusted, and not everybody may vouch for them.
pub fn vouches<'n>(
    principal: &Principal,
    hosted: &Hosted,
    mut given: impl Iterator<Item = &'n str>,
) -> Result<(), Box<Problem>> {
    if hosted.vouched().is_empty() || principal.may(Scope::Vouch) {
        return Ok(());
    }
    let Some(name) = given.find(|name| hosted.vouched().iter().any(|known| known == name)) else {
        return Ok(());
    };
    let detail = format!(
        "`{name}` of `{}` must be trusted, and the token lacks the scope `vouch`",
        hosted.name
    );
    Err(Problem::new(StatusCode::FORBIDDEN, Code::NotAllowed, detail)
        .help("kait serve --new-token run,vouch makes one that has it"))
}

/// Whether a principal may give a graph these values: among messages, only who may vouch for them sends instructions.
pub fn vouches_for_instructions(
    principal: &Principal,
    hosted: &Hosted,
    args: &[Arg],
    mut is_given: impl FnMut(&str) -> bool,
) -> Result<(), Box<Problem>> {
    if principal.may(Scope::Vouch) {
        return Ok(());
    }
    let loaded = &hosted.program.plan.loaded;
    let graph = loaded.program().graphs.get(hosted.graph.index());
    let params = graph.map_or(&[][..], |graph| &graph.params);
    let found = params.iter().zip(args).find(|(param, arg)| match arg {
        Arg::Ready(value) => {
            is_given(&param.name) && instructs(loaded.table().types(), param.ty, value)
        }
        Arg::Growing => false,
    });
    match found {
        Some((param, _)) => Err(unvouched_instructions(&param.name, hosted)),
        None => Ok(()),
    }
}

/// What is said of a `System` message from who may not vouch for it.
pub fn unvouched_instructions(name: &str, hosted: &Hosted) -> Box<Problem> {
    let detail = format!(
        "`{name}` of `{}` holds a message of the role `system`, which instructs the model, and the token lacks the scope \
         `vouch`",
        hosted.name
    );
    Problem::new(StatusCode::FORBIDDEN, Code::NotAllowed, detail).help(
        "send what the user and the model said only; or kait serve --new-token run,vouch makes a token that may instruct",
    )
}

async fn may(parts: &mut Parts, app: &App, scope: Scope) -> Result<(), Box<Problem>> {
    let Sender(principal) = Sender::from_request_parts(parts, app).await?;
    require(&principal, scope).map_err(|problem| {
        if parts.uri.path().starts_with("/v1/") { problem.for_openai() } else { problem }
    })
}

impl FromRequestParts<App> for MayRead {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        may(parts, app, Scope::Read).await.map(|()| Self)
    }
}

impl FromRequestParts<App> for MayRun {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        may(parts, app, Scope::Run).await.map(|()| Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_taken_apart() {
        for (host, name) in [
            ("localhost", "localhost"),
            ("localhost:4848", "localhost"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("[::1]:4848", "::1"),
            ("[::1]", "::1"),
            ("localhost:80@evil.example", ""),
            ("[::1]evil.example", ""),
            ("a:b:c", ""),
            ("", ""),
        ] {
            assert_eq!(name_of(host), name, "{host}");
        }
    }

    fn headers(pairs: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs.map(|(name, value)| (name.clone(), http::HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn only_known_hosts_and_own_pages_may_ask() {
        let mut config = Config::local();
        config.origins.push("https://app.example".into());
        let uri: Uri = "/api/graphs".parse().unwrap();
        let asks = |uri: &Uri, pairs: &[(http::HeaderName, &'static str)]| {
            let headers = headers(pairs);
            host(&config, uri, &headers).and_then(|host| origin(&config, host, &headers)).is_ok()
        };
        assert!(asks(&uri, &[(HOST, "localhost:4848")]));
        assert!(asks(&uri, &[(HOST, "LOCALHOST")]));
        assert!(asks(&uri, &[(HOST, "[::1]:9")]));
        assert!(!asks(&uri, &[]));
        assert!(!asks(&uri, &[(HOST, "localhost"), (HOST, "localhost")]));
        assert!(!asks(&uri, &[(HOST, "evil.example")]));
        assert!(!asks(&uri, &[(HOST, "localhost.evil.example")]));
        let absolute: Uri = "http://evil.example/api/graphs".parse().unwrap();
        assert!(!asks(&absolute, &[(HOST, "localhost")]));
        let own = (HOST, "localhost:4848");
        assert!(asks(&uri, &[own.clone(), (ORIGIN, "http://localhost:4848")]));
        assert!(asks(&uri, &[own.clone(), (ORIGIN, "https://app.example")]));
        for foreign in ["http://localhost:3000", "null", "https://evil.example", "file://", ""] {
            assert!(!asks(&uri, &[own.clone(), (ORIGIN, foreign)]), "{foreign}");
        }
    }

    #[test]
    fn a_token_comes_in_a_header_or_as_a_protocol() {
        assert_eq!(token(&headers(&[(AUTHORIZATION, "Bearer  abc ")])), Some("abc"));
        assert_eq!(token(&headers(&[(AUTHORIZATION, "bearer abc")])), Some("abc"));
        assert_eq!(token(&headers(&[(AUTHORIZATION, "Basic abc")])), None);
        let protocols = headers(&[(SEC_WEBSOCKET_PROTOCOL, "kait.v1, bearer.abc")]);
        assert_eq!(token(&protocols), Some("abc"));
        assert_eq!(token(&headers(&[])), None);
    }
}
