//! A proxy by its URL, and the hosts that it is not asked for.

use std::fmt;
use zeroize::Zeroizing;

/// Where the seller's code says a proxy is to be found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// Nowhere: AWS is called directly.
    #[default]
    None,
    /// In the buyer's environment: `HTTPS_PROXY`, else `ALL_PROXY`, with `NO_PROXY`.
    Environment,
    /// Here.
    Url(ProxyUrl, NoProxy),
}

/// A proxy that takes CONNECT over plain HTTP. Shown without its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl {
    host: String,
    port: u16,
    credentials: Option<Zeroizing<Vec<u8>>>,
}

impl ProxyUrl {
    /// Reads `http://user:password@host:port`; scheme, credentials and port may be left out.
    ///
    /// # Errors
    /// What is wrong, and what to do, without any part of `url` that may be a password.
    pub fn read(url: &str) -> Result<ProxyUrl, String> {
        let url = url.trim();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let scheme = scheme.to_ascii_lowercase();
        match scheme.as_str() {
            "http" => {}
            "https" => {
                return Err(
                    "a proxy that is itself reached over TLS (`https://`) is not supported; \
                            give its `http://` address: TLS to AWS stays end to end inside of it"
                        .to_owned(),
                );
            }
            "socks" | "socks4" | "socks4a" | "socks5" | "socks5h" => {
                return Err(
                    "a SOCKS proxy is not supported; give the `http://` address of a proxy that takes CONNECT"
                        .to_owned(),
                );
            }
            _ => return Err(SHAPE.to_owned()),
        }
        // A password may hold an `@`; a host may not.
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, rest),
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        let (host, port) = host_and_port(place).ok_or_else(|| SHAPE.to_owned())?;
        Ok(ProxyUrl { host, port, credentials: credentials.map(decoded) })
    }

    /// Name or address of its host, an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `user:password`, percent-decoded.
    #[must_use]
    pub fn credentials(&self) -> Option<&[u8]> {
        self.credentials.as_ref().map(|credentials| credentials.as_slice())
    }
}

const SHAPE: &str = "it is not the URL of a proxy; give one such as `http://proxy.example.com:3128`, with \
                     `user:password@` before the host where the proxy wants credentials";

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let credentials = if self.credentials.is_some() { ", with credentials" } else { "" };
        write!(f, "ProxyUrl({self}{credentials})")
    }
}

fn host_and_port(place: &str) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            address.parse::<std::net::Ipv6Addr>().ok()?;
            let port = if port.is_empty() { None } else { Some(port.strip_prefix(':')?) };
            (format!("[{address}]"), port)
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (place.to_owned(), None),
        },
    };
    let named = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if host.is_empty() || !(host.starts_with('[') || host.chars().all(named)) {
        return None;
    }
    // Source: RFC 9110, section 4.2.1: the default port of `http` is 80.
    let port = port.map_or(Some(80), |port| port.parse().ok().filter(|port| *port != 0))?;
    Some((host, port))
}

/// Percent-decoded; a `%` that begins no code stands for itself.
fn decoded(text: &str) -> Zeroizing<Vec<u8>> {
    let digit = |byte: Option<&u8>| byte.and_then(|b| char::from(*b).to_digit(16));
    let bytes = text.as_bytes();
    let (mut all, mut at) = (Zeroizing::new(Vec::with_capacity(bytes.len())), 0);
    while at < bytes.len() {
        match (bytes[at], digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                all.push(u8::try_from(high * 16 + low).expect("two hex digits make a byte"));
                at += 3;
            }
            (byte, ..) => {
                all.push(byte);
                at += 1;
            }
        }
    }
    all
}

/// Hosts that no proxy is asked for, as `NO_PROXY` lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoProxy(Vec<String>);

impl NoProxy {
    /// Reads names between commas: `example.com` and `.example.com` stand for the domain and all below it, `*`
    /// for everything. Addresses and networks may stand there too; no host of AWS is called by its address.
    #[must_use]
    pub fn read(list: &str) -> NoProxy {
        let entries = list.split([',', ' ']).map(|entry| {
            let entry = entry.trim().to_ascii_lowercase();
            let entry = entry.strip_prefix("*.").unwrap_or(&entry);
            let entry = entry.trim_start_matches('.');
            entry.strip_suffix(":443").unwrap_or(entry).trim_end_matches('.').to_owned()
        });
        NoProxy(entries.filter(|entry| !entry.is_empty()).collect())
    }

    /// True when `host` is to be called directly.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.0.iter().any(|entry| {
            entry == "*"
                || host
                    .strip_suffix(entry.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> (String, Option<String>) {
        let url = ProxyUrl::read(url).expect("it can be read");
        let credentials = url.credentials().map(|c| String::from_utf8_lossy(c).into_owned());
        (url.to_string(), credentials)
    }

    #[test]
    fn a_url_is_read_with_or_without_scheme_credentials_and_port() {
        let check = |url, shown: &str, credentials: Option<&str>| {
            assert_eq!(read(url), (shown.to_owned(), credentials.map(str::to_owned)), "{url}");
        };
        check("http://proxy.example.com:3128", "http://proxy.example.com:3128", None);
        check("http://proxy.example.com:3128/", "http://proxy.example.com:3128", None);
        check(" HTTP://10.0.0.1 ", "http://10.0.0.1:80", None);
        check("proxy:8080", "http://proxy:8080", None);
        check("http://[fd00::1]:3128", "http://[fd00::1]:3128", None);
        check("http://user:pass@proxy:3128", "http://proxy:3128", Some("user:pass"));
        check("user:pass@proxy:3128", "http://proxy:3128", Some("user:pass"));
        check("http://user@proxy", "http://proxy:80", Some("user"));
    }

    #[test]
    fn credentials_are_percent_decoded_and_may_hold_what_urls_reserve() {
        let check = |url, credentials: &str| {
            assert_eq!(read(url).1.as_deref(), Some(credentials), "{url}");
        };
        check("http://u%40corp:p%3Aw%2Fd%20%C3%A9@proxy:1", "u@corp:p:w/d é");
        check("http://u:p@ss@proxy:1", "u:p@ss");
        check("http://u:100%@proxy:1", "u:100%");
        check("http://u:%zz%4@proxy:1", "u:%zz%4");
        check("http://u:%0d%0aX@proxy:1", "u:\r\nX");
    }

    #[test]
    fn what_is_no_proxy_that_we_speak_to_is_refused_without_showing_its_password() {
        let check = |url: &str, word: &str| {
            let why = ProxyUrl::read(url).expect_err(url);
            assert!(why.contains(word), "{url}: {why}");
            assert!(!why.contains("secret"), "{why}");
        };
        check("https://user:secret@proxy:443", "`https://`");
        check("socks5h://user:secret@proxy:1080", "SOCKS");
        check("ftp://user:secret@proxy", "not the URL of a proxy");
        for url in [
            "",
            "http://",
            "http://user:secret@",
            "http://user:secret@bad host:1",
            "http://user:secret@proxy:port",
            "http://user:secret@proxy:0",
            "http://user:secret@proxy:70000",
            "http://user:secret@proxy:1/path",
            "http://user:secret@[fd00::1",
            "http://user:secret@[not]:1",
            "http://user:secret@pro\r\nxy:1",
        ] {
            check(url, "not the URL of a proxy");
        }
    }

    #[test]
    fn a_url_is_never_shown_with_its_credentials() {
        let url = ProxyUrl::read("http://user:secret@proxy:1").expect("it can be read");
        let choice = ProxyChoice::Url(url, NoProxy::default());
        assert!(!format!("{choice:?}").contains("secret"), "{choice:?}");
        assert!(format!("{choice:?}").contains("http://proxy:1, with credentials"), "{choice:?}");
    }

    #[test]
    fn no_proxy_covers_a_name_and_what_is_below_it() {
        let check = |list, host, covered| {
            assert_eq!(NoProxy::read(list).covers(host), covered, "{list} {host}");
        };
        let host = "metering.marketplace.eu-west-1.amazonaws.com";
        check("", host, false);
        check(" , ,", host, false);
        check("*", host, true);
        check("localhost,169.254.169.254,10.0.0.0/8", host, false);
        check("localhost, amazonaws.com", host, true);
        check("localhost .amazonaws.com", host, true);
        check("*.AmazonAWS.com:443", host, true);
        check("amazonaws.com.", host, true);
        check("metering.marketplace.eu-west-1.amazonaws.com", host, true);
        check("zonaws.com", host, false);
        check("us-east-1.amazonaws.com", host, false);
        check("x.metering.marketplace.eu-west-1.amazonaws.com", host, false);
    }
}
