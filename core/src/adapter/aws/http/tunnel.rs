//! CONNECT through a proxy, which then carries TLS that it cannot read.

use crate::model::proxy::{NoProxy, ProxyUrl};
use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use zeroize::Zeroizing;

/// Which proxy to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::adapter::aws) enum Proxy {
    /// None.
    Direct,
    /// CONNECT through `url`, but for the hosts in `except`.
    Through { url: ProxyUrl, except: NoProxy },
}

impl Proxy {
    /// The proxy to ask for `host`.
    pub(in crate::adapter::aws) fn of(&self, host: &str) -> Option<&ProxyUrl> {
        match self {
            Proxy::Through { url, except } if !except.covers(host) => Some(url),
            _ => None,
        }
    }
}

/// Largest answer to CONNECT.
const HEAD_MAX: usize = 8 * 1024;

/// Asks `proxy`, at the other end of `stream`, for a tunnel to `host:port`.
///
/// # Errors
/// Why there is none, and what to do.
pub(super) async fn open(
    stream: &mut TcpStream,
    proxy: &ProxyUrl,
    host: &str,
    port: u16,
) -> Result<(), String> {
    let mut request = Zeroizing::new(String::with_capacity(HEAD_MAX));
    request.push_str(&format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"));
    if let Some(credentials) = proxy.credentials() {
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&Zeroizing::new(STANDARD.encode(credentials)));
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let broken = |error| format!("proxy `{proxy}` broke off ({error}); check the proxy");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut head = Vec::new();
    let end = loop {
        let mut part = [0; 1024];
        let n = stream.read(&mut part).await.map_err(broken)?;
        if n == 0 {
            return Err(format!(
                "proxy `{proxy}` closed the connection without an answer to CONNECT; check that it is an HTTP proxy \
                 and that it allows `{host}:{port}`"
            ));
        }
        head.extend_from_slice(&part[..n]);
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if head.len() > HEAD_MAX {
            return Err(no_proxy_at(proxy));
        }
    };
    match status(&head) {
        // In TLS it is the client who speaks first.
        Some(200..=299) if end == head.len() => Ok(()),
        Some(200..=299) | None => Err(no_proxy_at(proxy)),
        Some(407) if proxy.credentials().is_some() => Err(format!(
            "proxy `{proxy}` does not accept the credentials of its URL (status 407); correct user and password there, \
             with characters such as `@` and `:` percent-encoded"
        )),
        Some(407) => Err(format!(
            "proxy `{proxy}` wants credentials (status 407); give them in its URL, as in `http://user:password@host:port`"
        )),
        Some(status) => Err(format!(
            "proxy `{proxy}` refuses a tunnel to `{host}:{port}` (status {status}); allow CONNECT to that host in the \
             proxy, or list it in the hosts that no proxy is asked for"
        )),
    }
}

fn no_proxy_at(proxy: &ProxyUrl) -> String {
    format!("what answers at `{proxy}` is not an HTTP proxy; check the proxy's host and port")
}

/// Status of an answer that begins as one of HTTP/1.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (version, rest) = line.split_once(' ')?;
    let status = rest.split(' ').next()?;
    let known = matches!(version, "HTTP/1.1" | "HTTP/1.0");
    if known && status.len() == 3 { status.parse().ok() } else { None }
}
