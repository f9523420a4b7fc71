//! The platform's servers beside a container, at addresses that no variable can change.

use super::plain::{self, Ask};
use hyper::Method;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

/// The addresses. Tests put loopback ones in their place.
#[derive(Clone, Debug)]
pub(super) struct LinkLocal {
    /// ECS task metadata and credentials.
    pub(super) ecs: SocketAddr,
    /// EKS Pod Identity agent.
    pub(super) pod_identity: SocketAddr,
    /// EC2 instance metadata.
    pub(super) instance: SocketAddr,
    /// What its paths begin with; empty but in a sandbox, where each task has its own.
    pub(super) instance_prefix: String,
}

/// Source: ECS developer guide, task metadata endpoint version 4.
const ECS: &str = "169.254.170.2";
/// Source: EKS user guide, Pod Identity.
const POD_IDENTITY: [&str; 2] = ["169.254.170.23", "[fd00:ec2::23]"];

impl Default for LinkLocal {
    fn default() -> Self {
        let at = |last: [u8; 2]| {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, last[0], last[1])), 80)
        };
        LinkLocal {
            ecs: at([170, 2]),
            pod_identity: at([170, 23]),
            instance: at([169, 254]),
            instance_prefix: String::new(),
        }
    }
}

impl LinkLocal {
    /// Instance metadata of the sandbox task at `path`.
    pub(super) fn of_sandbox(address: SocketAddr, path: &str) -> LinkLocal {
        LinkLocal { instance: address, instance_prefix: path.to_owned(), ..LinkLocal::default() }
    }

    /// The path of `url` when it is at the address of ECS task metadata.
    pub(super) fn ecs_path(&self, url: &str) -> Option<String> {
        path_at(url, &[ECS])
    }

    /// The path of `url` when it is at an address of EKS Pod Identity.
    pub(super) fn pod_identity_path(&self, url: &str) -> Option<String> {
        path_at(url, &POD_IDENTITY)
    }

    /// A session with instance metadata, version 2 only.
    ///
    /// # Errors
    /// Why not; a container behind a bridge is often one hop too far away.
    pub(super) async fn instance_session(&self) -> Result<Session, String> {
        let ask = Ask {
            method: Method::PUT,
            path: &format!("{}/latest/api/token", self.instance_prefix),
            headers: &[("x-aws-ec2-metadata-token-ttl-seconds", "300")],
            within: WITHIN,
        };
        let hint = "the instance's hop limit may be 1, and a container needs 2";
        let answer = plain::ask(self.instance, &ask)
            .await
            .map_err(|why| format!("instance metadata gave none ({why}); {hint}"))?;
        let token = String::from_utf8(answer.body.to_vec()).unwrap_or_default();
        if answer.status.as_u16() != 200 || token.is_empty() {
            return Err(format!(
                "instance metadata gave no token (status {})",
                answer.status.as_u16()
            ));
        }
        Ok(Session { address: self.instance, prefix: self.instance_prefix.clone(), token })
    }
}

/// Guide: it may be one hop too far, so a short time must do. Source: EC2 user guide, hop limit.
const WITHIN: Duration = Duration::from_secs(1);

/// A session with instance metadata.
pub(super) struct Session {
    address: SocketAddr,
    prefix: String,
    token: String,
}

impl Session {
    /// The text at `path`.
    pub(super) async fn get(&self, path: &str) -> Result<String, String> {
        let headers = [("x-aws-ec2-metadata-token", self.token.as_str())];
        let path = format!("{}{path}", self.prefix);
        let ask = Ask { headers: &headers, ..Ask::get(&path, WITHIN) };
        let answer = plain::ask(self.address, &ask).await?;
        match (answer.status.as_u16(), String::from_utf8(answer.body.to_vec())) {
            (200, Ok(text)) => Ok(text),
            (status, _) => Err(format!("instance metadata has no `{path}` (status {status})")),
        }
    }
}

/// The path of an `http` URL whose authority is exactly one of `hosts`.
fn path_at(url: &str, hosts: &[&str]) -> Option<String> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let fits = hosts.iter().any(|host| {
        authority == *host || authority.strip_prefix(host).is_some_and(|port| port == ":80")
    });
    (fits && path.bytes().all(|b| b.is_ascii_graphic()))
        .then(|| path.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_platforms_own_addresses_are_taken() {
        let places = LinkLocal::default();
        assert_eq!(places.ecs_path("http://169.254.170.2/v4/abc").as_deref(), Some("/v4/abc"));
        assert_eq!(places.ecs_path("http://169.254.170.2:80/v4/abc").as_deref(), Some("/v4/abc"));
        for url in [
            "http://127.0.0.1/v4/abc",
            "https://169.254.170.2/v4/abc",
            "http://169.254.170.2.evil.example/v4",
            "http://169.254.170.2@evil.example/v4",
            "http://169.254.170.2:8080/v4",
            "http://169.254.170.23/v4",
            "http://169.254.170.2",
            "http://169.254.170.2/v4 HTTP/1.1\r\n",
            "169.254.170.2/v4",
        ] {
            assert_eq!(places.ecs_path(url), None, "{url}");
        }
        assert_eq!(
            places.pod_identity_path("http://169.254.170.23/v1/credentials").as_deref(),
            Some("/v1/credentials")
        );
        assert_eq!(places.pod_identity_path("http://169.254.170.2/v1/credentials"), None);
    }
}
