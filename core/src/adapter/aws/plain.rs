//! Plain HTTP to servers beside us: link-local metadata and credentials, and a sandbox on loopback.
//!
//! The peer is an IP address that the code chose, so there is no name to resolve, no redirect to follow
//! and no proxy to ask.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Method, Request, StatusCode,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
    header::{CONNECTION, HOST},
};
use hyper_util::rt::TokioIo;
use std::{
    fmt::{self, Display},
    net::SocketAddr,
    time::Duration,
};
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};
use zeroize::Zeroizing;

/// Largest body that is read. The longest documented answer has a few kilobytes.
pub(crate) const BODY_MAX: usize = 1024 * 1024;

/// Largest head that is read.
pub(super) const HEAD_MAX: usize = 64 * 1024;

/// An answer with its whole body.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Wiped when it is dropped, because it may hold credentials; what lay in the connection's own buffers is out of
    /// reach.
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Without the body.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.body.len();
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &bytes).finish()
    }
}

/// One request without a body.
#[derive(Clone)]
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'static str, &'a str)],
    /// For the whole answer, connecting excluded.
    pub(crate) within: Duration,
}

impl<'a> Ask<'a> {
    /// A `GET` of `path`.
    pub(crate) fn get(path: &'a str, within: Duration) -> Ask<'a> {
        Ask { method: Method::GET, path, headers: &[], within }
    }
}

const CONNECT: Duration = Duration::from_secs(1);

/// An open connection. Dropping it closes it.
pub(crate) struct Connection {
    address: SocketAddr,
    sender: SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Connects to `address`.
    ///
    /// # Errors
    /// Why not.
    pub(crate) async fn open(address: SocketAddr) -> Result<Connection, String> {
        let stream = match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(format!("cannot connect: {error}")),
            Err(_) => return Err(format!("no connection within {} s", CONNECT.as_secs())),
        };
        // Small requests must not wait for the acknowledgement of the one before.
        stream.set_nodelay(true).map_err(say("cannot set up the connection"))?;
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(say("cannot connect"))?;
        let driver = tokio::task::spawn_local(async move {
            // Its errors come out of the request that they belong to.
            let _ = connection.await;
        });
        Ok(Connection { address, sender, driver })
    }

    /// Asks once. After an error the connection is of no further use.
    ///
    /// # Errors
    /// Why there is no whole answer.
    pub(crate) async fn ask(&mut self, ask: &Ask<'_>) -> Result<Answer, String> {
        self.ask_keeping(ask, true).await
    }

    async fn ask_keeping(&mut self, ask: &Ask<'_>, keep: bool) -> Result<Answer, String> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(ask.path)
            .header(HOST, self.address.to_string());
        if !keep {
            request = request.header(CONNECTION, "close");
        }
        for (name, value) in ask.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Empty::new()).map_err(say("cannot ask"))?;
        let answer = async {
            self.sender.ready().await.map_err(say("the connection was closed"))?;
            let response = self.sender.send_request(request).await.map_err(say("no answer"))?;
            let (head, body) = response.into_parts();
            let body =
                Limited::new(body, BODY_MAX).collect().await.map_err(say("no whole answer"))?;
            let body = Zeroizing::new(body.to_bytes().to_vec());
            Ok(Answer { status: head.status, body })
        };
        match timeout(ask.within, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} ms", ask.within.as_millis())),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// Asks once over a connection of its own.
///
/// # Errors
/// Why there is no whole answer.
pub(crate) async fn ask(address: SocketAddr, ask: &Ask<'_>) -> Result<Answer, String> {
    Connection::open(address).await?.ask_keeping(ask, false).await
}

/// The body of a `GET` that must be answered with 200.
///
/// # Errors
/// Why there is none, without the body: it may hold secrets.
pub(crate) async fn get(
    address: SocketAddr,
    path: &str,
    within: Duration,
) -> Result<Zeroizing<Vec<u8>>, String> {
    let answer = ask(address, &Ask::get(path, within)).await?;
    if answer.status == StatusCode::OK {
        Ok(answer.body)
    } else {
        Err(format!("status {}", answer.status.as_u16()))
    }
}

fn say<E: Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}
