//! What requests carry: a path's part, a query, a JSON body. Each in words of ours when it does not fit.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body::Body as _;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use kait_compiler::diagnostics::Code;
use serde::de::DeserializeOwned;

use crate::app::App;
use crate::problem::Problem;

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

/// The query of a request.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Box<Problem>;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        query.map(|Query(query)| Self(query)).map_err(|error| {
            let words = error.body_text();
            let why = words.strip_prefix("Failed to deserialize query string: ").unwrap_or(&words);
            Problem::bad_request(format!("the query does not fit: {why}"))
        })
    }
}

/// The whole body of a request, within the limits of size and time. It must say that it is JSON, also if it is empty:
/// a page of another origin cannot say that without asking first.
pub struct Whole(pub Bytes);

impl FromRequest<App> for Whole {
    type Rejection = Box<Problem>;

    async fn from_request(request: Request, app: &App) -> Result<Self, Self::Rejection> {
        let limits = &app.config.limits;
        if !is_json(request.headers()) {
            let detail = "a request that writes must have `Content-Type: application/json`";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, Code::BadRequest, detail));
        }
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
            Ok(Ok(body)) => Ok(Self(body.to_bytes())),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err(Problem::bad_request("the body broke off before its end")),
            Err(_) => {
                let detail = format!(
                    "the body did not arrive within {} seconds",
                    limits.body_time.as_secs()
                );
                Err(Problem::new(StatusCode::REQUEST_TIMEOUT, Code::BadRequest, detail))
            }
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case("application/json")
}
