//! `/metrics`, `/healthz` and `/readyz`, over plain HTTP, on loopback unless configured otherwise. Nothing
//! here tells of anybody: names are of databases and of states, values are counts.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use phigate_vitals::Check;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::serve::Parts;

/// Connections at once; more are closed unheard.
const CONNECTIONS: usize = 16;

/// The longest head of a request, in bytes: the least that hyper takes.
const HEAD_BYTES: usize = 8 * 1024;

/// How long a request's head may take.
const HEAD_WITHIN: Duration = Duration::from_secs(5);

/// How long a connection may take in all.
const WITHIN: Duration = Duration::from_secs(15);

/// How long loops may take to turn, and checks to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How long to rest when the system gives no socket.
const REST: Duration = Duration::from_millis(100);

/// The OpenMetrics text format.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Listens; nobody is answered yet.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("monitoring.listen: cannot listen on {address}"))
}

/// Answers for as long as it is polled.
pub(crate) async fn serve(listener: TcpListener, parts: Parts) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            tokio::time::sleep(REST).await;
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            continue;
        };
        let parts = parts.clone();
        tokio::spawn(async move {
            if let Ok(Err(error)) = tokio::time::timeout(WITHIN, connection(socket, parts)).await {
                tracing::debug!(%error, "a monitoring connection broke");
            }
            drop(place);
        });
    }
}

async fn connection(socket: TcpStream, parts: Parts) -> hyper::Result<()> {
    let answer = service_fn(move |request| {
        let parts = parts.clone();
        async move { Ok::<_, Infallible>(answer(&request, &parts).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(socket), answer)
        .await
}

async fn answer(request: &Request<Incoming>, parts: &Parts) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n".to_owned());
    }
    match request.uri().path() {
        "/metrics" => metrics(parts).await,
        "/healthz" => healthy(parts).await,
        "/readyz" => ready(parts).await,
        _ => text(
            StatusCode::NOT_FOUND,
            "/metrics, /healthz or /readyz\n".to_owned(),
        ),
    }
}

/// Whether every loop that must turn does: a process that fails this is to be restarted.
async fn healthy(parts: &Parts) -> Response<Full<Bytes>> {
    match tokio::time::timeout(ANSWER_WITHIN, parts.turned()).await {
        Ok(()) => text(StatusCode::OK, "ok\n".to_owned()),
        Err(_) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "a loop does not turn\n".to_owned(),
        ),
    }
}

/// Whether clients are served: a process that fails this is to be left alone, and not sent anybody.
async fn ready(parts: &Parts) -> Response<Full<Bytes>> {
    let Ok(checks) = tokio::time::timeout(ANSWER_WITHIN, parts.checks()).await else {
        let late = "not ok: the checks take too long\n".to_owned();
        return text(StatusCode::SERVICE_UNAVAILABLE, late);
    };
    let mut body = String::new();
    for Check { what, is_good } in &checks {
        let word = if *is_good { "ok" } else { "not ok" };
        let _ = writeln!(body, "{word}: {what}");
    }
    let all = checks.iter().all(|check| check.is_good);
    let status = if all {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    text(status, body)
}

async fn metrics(parts: &Parts) -> Response<Full<Bytes>> {
    match tokio::time::timeout(ANSWER_WITHIN, parts.metrics()).await {
        Ok(Ok(body)) => {
            let mut response = text(StatusCode::OK, body);
            let format = HeaderValue::from_static(OPENMETRICS);
            response.headers_mut().insert(CONTENT_TYPE, format);
            response
        }
        Ok(Err(_)) | Err(_) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the metrics take too long\n".to_owned(),
        ),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let format = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, format);
    response
}
