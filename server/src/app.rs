//! The server as a whole: its routes, its connections, and how it ends.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use hyper_util::rt::{TokioIo, TokioTimer};
use kait_compiler::diagnostics::Code;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer, ExposeHeaders};

use crate::catalog::Catalog;
use crate::config::Config;
use crate::problem::Problem;
use crate::runs::Runs;
use crate::stall::Impatient;
use crate::tokens::Tokens;
use crate::{guard, routes};

/// How long cancelled runs may take to settle before their connections are closed.
const SETTLE: Duration = Duration::from_secs(5);
/// How long to wait after a connection could not be accepted, for want of file descriptors or memory.
const BREATHE: Duration = Duration::from_millis(100);

/// What all requests share.
pub struct Shared {
    /// The settings.
    pub config: Config,
    /// What is hosted.
    pub catalog: Arc<Catalog>,
    /// The runs.
    pub runs: Arc<Runs>,
    /// The tokens.
    pub tokens: Tokens,
    /// Set once nothing new may begin.
    pub draining: CancellationToken,
}

/// A handle on a server. Cheap to clone.
pub type App = Arc<Shared>;

/// Keeps the place of a connection; held by whatever goes on after its request, such as a WebSocket.
#[derive(Clone)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] Arc<OwnedSemaphorePermit>);

/// A server with its settings.
pub fn app(config: Config, catalog: Arc<Catalog>, tokens: Tokens) -> App {
    let draining = CancellationToken::new();
    let runs = Arc::new(Runs::new(config.limits.clone(), draining.clone()));
    Arc::new(Shared { config, catalog, runs, tokens, draining })
}

/// All routes, with everything that stands before them.
pub fn router(app: &App) -> Router {
    let mut router = routes::router(app)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(app), guard::guard));
    let origins: Vec<_> =
        app.config.origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if !origins.is_empty() {
        router = router.layer(
            CorsLayer::new()
                .allow_origin(AllowOrigin::list(origins))
                .allow_methods(AllowMethods::list([http::Method::GET, http::Method::POST]))
                .allow_headers(AllowHeaders::mirror_request())
                .expose_headers(ExposeHeaders::list([
                    http::header::LOCATION,
                    http::header::RETRY_AFTER,
                ])),
        );
    }
    router.layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| -> Response {
        Problem::fault("the server contradicted itself; please report it").into_response()
    }))
}

/// Answers until `stop` is set, then drains: nothing new begins, runs and streams go on until the deadline, then runs
/// are cancelled. `hurry` ends the drain at once.
pub async fn serve(
    app: App,
    listener: TcpListener,
    stop: CancellationToken,
    hurry: CancellationToken,
) {
    let router = router(&app);
    let limits = app.config.limits.clone();
    let connections = limits.connections.clamp(1, Semaphore::MAX_PERMITS >> 1);
    let places = Arc::new(Semaphore::new(connections));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_headers(limits.header_lines)
        .max_buf_size(limits.headers.max(8 << 10));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let Ok((stream, _)) = accepted else {
            // One client's mistake, or too many open files: either way others are served again soon.
            tokio::time::sleep(BREATHE).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tokio::spawn(turn_away(stream, connections));
            continue;
        };
        // Events are small and wanted at once.
        let _ = stream.set_nodelay(true);
        let place = Place(Arc::new(place));
        let router = router.clone();
        let kept = place.clone();
        let service = hyper::service::service_fn(move |mut request: hyper::Request<_>| {
            request.extensions_mut().insert(kept.clone());
            let router = router.clone();
            async move { Ok::<_, Infallible>(answer(router, request).await) }
        });
        let stream = TokioIo::new(Impatient::new(stream, limits.write_time));
        let connection = http.serve_connection(stream, service).with_upgrades();
        let draining = app.draining.clone();
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            // A client that breaks off is no error of ours, and nobody else hears of it.
            tokio::select! {
                _ = connection.as_mut() => {}
                () = draining.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
            }
            drop(place);
        });
    }
    drop(listener);
    drain(&app, &places, connections, hurry).await;
}

async fn answer(router: Router, request: hyper::Request<hyper::body::Incoming>) -> Response {
    let request: Request = request.map(axum::body::Body::new);
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

async fn drain(app: &App, places: &Semaphore, connections: usize, hurry: CancellationToken) {
    app.draining.cancel();
    let over = over(app, places, connections);
    tokio::pin!(over);
    tokio::select! {
        () = &mut over => return,
        () = tokio::time::sleep(app.config.limits.drain) => {}
        () = hurry.cancelled() => {}
    }
    app.runs.cancel_all();
    let _ = tokio::time::timeout(SETTLE, over).await;
}

/// No connection is open, WebSockets included, and no run is under way.
async fn over(app: &App, places: &Semaphore, connections: usize) {
    let all = u32::try_from(connections).unwrap_or(u32::MAX);
    let _ = places.acquire_many(all).await;
    while app.runs.running() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// There is no place for another connection: says so and closes it.
async fn turn_away(mut stream: TcpStream, connections: usize) {
    let detail = format!("{connections} connections are open, and no more are taken");
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::ServerBusy, detail).busy();
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {}\r\ncontent-length: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n",
        crate::problem::MEDIA_TYPE,
        body.len()
    );
    let sent = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), sent).await;
}
