//! What requests carry: a path's part, a query, a JSON body. Each in words of ours when it does not fit.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kait_compiler::diagnostics::Code;

use crate::app::App;
use crate::problem::Problem;
use crate::runs::shown;

/// The one variable part of a path.
pub struct Part(pub String);

impl FromRequestParts<App> for Part {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        // A part is any text, so nothing else can be wrong with it.
        path.map(|Path(part)| Self(part))
            .map_err(|_| Problem::bad_request("a part of the path is not UTF-8 text"))
    }
}

/// What the query of a request may ask for.
pub trait Question: Default {
    /// Takes one of its words. Words that mean nothing are read over, as other routes of the same client may know them.
    ///
    /// # Errors
    /// What the word must be.
    fn take(&mut self, name: &str, value: &str) -> Result<(), &'static str>;
}

/// The query of a request.
pub struct Asked<T>(pub T);

impl<T: Question> FromRequestParts<App> for Asked<T> {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        let words = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| Problem::bad_request("the query is not a list of `name=value`"))?;
        let (mut asked, mut seen) = (T::default(), Vec::new());
        for (name, value) in words.iter() {
            asked.take(name, value).map_err(|must| {
                let value = shown(value);
                Problem::bad_request(format!(
                    "the query does not fit: `{name}` {must}, not `{value}`"
                ))
            })?;
            if seen.contains(&name) {
                let name = shown(name);
                return Err(Problem::bad_request(format!("the query has `{name}` twice")));
            }
            seen.push(name);
        }
        Ok(Self(asked))
    }
}

/// The whole body of a request, within the limits of size and time. It must say that it is JSON, also if it is empty:
/// a page of another origin cannot say that without asking first.
pub struct Whole(pub Bytes);

impl FromRequest<App> for Whole {
    type Rejection = Box<Problem>;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        let media_type = media_type(request.headers())?;
        if !media_type {
            return Err(no_json());
        }
        read(request, app).await.map(Self)
    }
}

/// As [`Whole`], of a route that needs nothing from it: an empty body need not say what it is.
pub struct Little(pub Bytes);

impl FromRequest<App> for Little {
    type Rejection = Box<Problem>;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        let is_json = media_type(request.headers())?;
        let says = request.headers().contains_key(CONTENT_TYPE);
        let body = read(request, app).await?;
        if is_json || (body.is_empty() && !says) { Ok(Self(body)) } else { Err(no_json()) }
    }
}

fn no_json() -> Box<Problem> {
    let detail = "a request that writes must have `Content-Type: application/json`";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BadRequest, detail)
}

/// Whether the body says that it is JSON.
///
/// # Errors
/// If it comes in an encoding, which nothing here undoes.
fn media_type(headers: &HeaderMap) -> Result<bool, Box<Problem>> {
    let other = |name, usual: &str| {
        let words = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?"));
        words
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .find(|word| !word.is_empty() && !word.eq_ignore_ascii_case(usual))
    };
    if let Some(encoding) = other(CONTENT_ENCODING, "identity") {
        let detail = format!("a body in the encoding `{}` is not read", shown(encoding));
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, Code::BadRequest, detail).help("send it as it is"));
    }
    if let Some(coding) = other(TRANSFER_ENCODING, "chunked") {
        let detail = format!("the transfer coding `{}` is not known here", shown(coding));
        let status = StatusCode::NOT_IMPLEMENTED;
        return Err(Problem::new(status, Code::BadRequest, detail).help("`chunked` is"));
    }
    Ok(is_json(headers))
}

async fn read(request: Request, app: &App) -> Result<Bytes, Box<Problem>> {
    let limits = &app.config.limits;
    let body: Body = request.into_body();
    let most = limits.body;
    let too_large = || {
        let detail = format!("the body is larger than {most} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, Code::BadRequest, detail)
    };
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(limits.body_time, Limited::new(body, most).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::bad_request("the body broke off before its end")),
        Err(_) => {
            let detail =
                format!("the body did not arrive within {} seconds", limits.body_time.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, Code::BadRequest, detail))
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}
