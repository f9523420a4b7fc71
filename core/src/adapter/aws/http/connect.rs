//! Makes connections: name, TCP, the proxy's tunnel, TLS. Each step has its time and its own words.
//!
//! The client above writes the first byte of a request when all of this is done. What fails here was therefore
//! not sent, and says so as a [`NoConnection`].

use super::{
    CONNECT, SECURE, trust,
    tunnel::{self, Proxy},
};
use hyper::{
    Uri,
    rt::{Read, ReadBufCursor, Write},
};
use hyper_util::{
    client::legacy::connect::{Connected, Connection, HttpConnector},
    rt::TokioIo,
};
use rustls::{ClientConfig, pki_types::ServerName};
use std::{
    error::Error,
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tower_service::Service;

/// Makes connections of one guard.
#[derive(Clone)]
pub(super) struct Connect {
    tcp: HttpConnector,
    secure: Option<Arc<Secure>>,
}

struct Secure {
    config: Arc<ClientConfig>,
    proxy: Proxy,
}

impl Connect {
    /// Without TLS, to a sandbox.
    pub(super) fn plain() -> Connect {
        Connect { tcp: tcp(), secure: None }
    }

    /// With TLS and nothing else, through `proxy`.
    pub(super) fn secure(config: ClientConfig, proxy: Proxy) -> Connect {
        let secure = Secure { config: Arc::new(config), proxy };
        Connect { tcp: tcp(), secure: Some(Arc::new(secure)) }
    }

    async fn open(mut self, uri: Uri) -> Result<Stream, NoConnection> {
        match self.secure.take() {
            None => Ok(Stream::of(TokioIo::new(self.reach(uri, None).await?))),
            Some(secure) => self.open_secure(&secure, uri).await,
        }
    }

    async fn open_secure(self, secure: &Secure, uri: Uri) -> Result<Stream, NoConnection> {
        let host = uri.host().unwrap_or_default().to_owned();
        let port = uri.port_u16().unwrap_or(443);
        if uri.scheme_str() != Some("https") {
            return Err(NoConnection(format!("`{host}` is not called without TLS")));
        }
        let name = ServerName::try_from(host.clone())
            .map_err(|error| NoConnection(format!("`{host}` is no host name ({error})")))?;
        let proxy = secure.proxy.of(&host);
        let mut stream = match proxy {
            None => self.reach(uri, None).await?,
            Some(proxy) => {
                let uri = proxy.to_string().parse().map_err(|error| {
                    NoConnection(format!("proxy `{proxy}` cannot be called ({error})"))
                })?;
                self.reach(uri, Some(&proxy.to_string())).await?
            }
        };
        let started = async {
            if let Some(proxy) = proxy {
                tunnel::open(&mut stream, proxy, &host, port).await.map_err(NoConnection)?;
            }
            TlsConnector::from(secure.config.clone())
                .connect(name, stream)
                .await
                .map_err(|error| NoConnection(trust::explain(&host, &error)))
        };
        match timeout(SECURE, started).await {
            Ok(stream) => stream.map(|stream| Stream::of(TokioIo::new(stream))),
            Err(_) => Err(NoConnection(match proxy {
                None => late(&format!("`{host}` did not finish the TLS handshake"), SECURE),
                Some(proxy) => late(
                    &format!("proxy `{proxy}` did not carry a TLS handshake with `{host}:{port}`"),
                    SECURE,
                ),
            })),
        }
    }

    /// Name and TCP.
    async fn reach(mut self, uri: Uri, proxy: Option<&str>) -> Result<TcpStream, NoConnection> {
        let host = uri.host().unwrap_or_default().to_owned();
        let (who, check) = match proxy {
            Some(proxy) => (format!("proxy `{proxy}`"), "check its address, and routes to it"),
            None => (
                format!("`{host}`"),
                "check DNS, routes and VPC endpoints, and whether this network wants a proxy",
            ),
        };
        match timeout(CONNECT, self.tcp.call(uri)).await {
            Ok(Ok(stream)) => Ok(stream.into_inner()),
            Ok(Err(error)) => {
                Err(NoConnection(format!("cannot reach {who} ({}); {check}", innermost(&error))))
            }
            Err(_) => Err(NoConnection(late(&format!("cannot reach {who}; {check}"), CONNECT))),
        }
    }
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    // Divided by the number of addresses, so that a dead one leaves time for the next.
    tcp.set_connect_timeout(Some(CONNECT));
    tcp
}

fn late(what: &str, within: Duration) -> String {
    format!("{what} (nothing within {} s)", within.as_secs())
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

impl Service<Uri> for Connect {
    type Response = Stream;
    type Error = NoConnection;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, NoConnection>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoConnection>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().open(uri))
    }
}

/// Why there is no connection, and what to do. Nothing was sent.
#[derive(Debug)]
pub(in crate::adapter::aws) struct NoConnection(String);

impl fmt::Display for NoConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NoConnection {}

trait Io: Read + Write + Unpin + Send {}

impl<T: Read + Write + Unpin + Send> Io for T {}

/// A connection, with TLS or without.
pub(super) struct Stream(Box<dyn Io>);

impl Stream {
    fn of(io: impl Io + 'static) -> Stream {
        Stream(Box::new(io))
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        // No connection is shared, and a tunnel is no proxy for what travels inside.
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }
}
