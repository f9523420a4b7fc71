//! Where a sandbox is: a loopback address, and nothing else.

use std::net::SocketAddr;

/// Address and path of a sandbox task's URL, such as `http://127.0.0.1:4000/t/app`.
pub(super) fn sandbox_address(url: &str) -> Option<(SocketAddr, String)> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let address: SocketAddr = authority.parse().ok()?;
    address.ip().is_loopback().then(|| (address, path.trim_end_matches('/').to_owned()))
}
