//! One loopback port that serves everything.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use tokio::net::TcpListener;

use crate::control::reply::Refusal;
use crate::options::Options;
use crate::store::World;
use crate::wire::connection::{CuttableListener, Scissors};
use crate::wire::time::http_date;
use crate::{container, control, service};

/// Why a sandbox could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is taken, or loopback is not to be had.
    #[error("cannot listen on 127.0.0.1:{port}: {source}; use --port 0 for a free one")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// The seed file cannot be read or holds something that cannot be set up.
    #[error("cannot use seed file `{path}`: {reason}")]
    Seed {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The Region is not one.
    #[error("`{0}` is not a Region; write it as `us-east-1`")]
    Region(String),
    /// The system refused a thread, or the connection loop broke.
    #[error("the sandbox stopped: {0}; start it again")]
    Stopped(#[from] std::io::Error),
}

/// Serves until `stop` resolves. `ready` hears the address as soon as requests are accepted.
///
/// # Errors
///
/// See [`Error`].
pub async fn serve(
    options: Options,
    ready: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()>,
) -> Result<(), Error> {
    if !crate::store::tasks::is_region(&options.region) {
        return Err(Error::Region(options.region));
    }
    let port = options.port;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = listener.map_err(|source| Error::Listen { port, source })?;
    let address = listener.local_addr()?;
    let world = Arc::new(World::new(&options));
    if let Some(path) = &options.seed {
        let seed = |reason: String| Error::Seed { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| seed(error.to_string()))?;
        control::plant(&world, &text).map_err(seed)?;
    }
    ready(address);
    let service = router(world).into_make_service_with_connect_info::<Scissors>();
    let serving = async { axum::serve(CuttableListener(listener), service).await };
    tokio::select! {
        result = serving => Ok(result?),
        () = stop => Ok(()),
    }
}

fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/", post(service::serve))
        .merge(control::routes())
        .merge(container::routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(nothing_here)
        .layer(from_fn_with_state(world.clone(), dated))
        .with_state(world)
}

async fn nothing_here(request: Request) -> Response {
    let error = format!(
        "nothing at {} {}: see sandbox/README.md for what is",
        request.method(),
        request.uri().path()
    );
    Refusal::not_found(error).into_response()
}

/// Every answer carries the virtual time, because clients read AWS's clock off it.
async fn dated(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let date = HeaderValue::from_str(&http_date(world.clock.now_ms()));
    if let Ok(date) = date {
        response.headers_mut().entry(header::DATE).or_insert(date);
    }
    response
}
