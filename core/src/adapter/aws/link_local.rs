//! The platform's servers beside a container, at addresses that no variable can change.

mod instance;

use super::plain::{self, Answer, Ask};
pub(super) use instance::Instance;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// The addresses. Tests put loopback ones in their place.
#[derive(Clone, Debug)]
pub(super) struct LinkLocal {
    /// ECS task metadata and credentials.
    pub(super) ecs: SocketAddr,
    /// EKS Pod Identity agent.
    pub(super) pod_identity: SocketAddr,
    /// The same in a cluster of IPv6.
    pub(super) pod_identity_v6: SocketAddr,
    /// EC2 instance metadata.
    pub(super) instance: SocketAddr,
    /// What its paths begin with; empty but in a sandbox, where each task has its own.
    pub(super) instance_prefix: String,
}

/// Source: ECS developer guide, task metadata endpoint version 4.
const ECS: &str = "169.254.170.2";
/// Source: EKS user guide, Pod Identity.
const POD_IDENTITY: &str = "169.254.170.23";
/// Source: [AC §6.5].
const POD_IDENTITY_V6: &str = "[fd00:ec2::23]";

impl Default for LinkLocal {
    fn default() -> Self {
        let at = |last: [u8; 2]| {
            SocketAddr::new(IpAddr::V4(Ipv4Addr::new(169, 254, last[0], last[1])), 80)
        };
        LinkLocal {
            ecs: at([170, 2]),
            pod_identity: at([170, 23]),
            pod_identity_v6: SocketAddr::new(
                IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
                80,
            ),
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

    /// Everything at one address.
    #[cfg(test)]
    pub(super) fn all_at(address: SocketAddr) -> LinkLocal {
        LinkLocal {
            ecs: address,
            pod_identity: address,
            pod_identity_v6: address,
            instance: address,
            instance_prefix: String::new(),
        }
    }

    /// The path of `url` when it is at the address of ECS task metadata.
    pub(super) fn ecs_path(&self, url: &str) -> Option<String> {
        path_at(url, ECS)
    }

    /// Address and path of `url` when it is at an address of EKS Pod Identity.
    pub(super) fn pod_identity_at(&self, url: &str) -> Option<(SocketAddr, String)> {
        let v4 = path_at(url, POD_IDENTITY).map(|path| (self.pod_identity, path));
        v4.or_else(|| path_at(url, POD_IDENTITY_V6).map(|path| (self.pod_identity_v6, path)))
    }
}

/// Asks an agent beside us, and again while it does not answer or says that it cannot. Source: [faults §6].
///
/// # Errors
/// Why there is no answer.
pub(super) async fn ask(address: SocketAddr, ask: &Ask<'_>) -> Result<Answer, String> {
    let mut tries = 1;
    loop {
        let answer = plain::ask(address, ask).await;
        let passing = answer.as_ref().map_or(true, |answer| is_passing(answer.status.as_u16()));
        if !passing || tries == TRIES {
            return answer;
        }
        tokio::time::sleep(BETWEEN * tries).await;
        tries += 1;
    }
}

const TRIES: u32 = 3;
const BETWEEN: Duration = Duration::from_millis(100);

/// True for a status that another try may change.
fn is_passing(status: u16) -> bool {
    status == 429 || (500..600).contains(&status)
}

/// The path of an `http` URL whose authority is exactly `host`.
fn path_at(url: &str, host: &str) -> Option<String> {
    let rest = url.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find('/')?);
    let fits = authority == host || authority.strip_prefix(host) == Some(":80");
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
        let agent = |url: &str| {
            let (address, path) = places.pod_identity_at(url)?;
            Some(format!("{address}{path}"))
        };
        let v4 = agent("http://169.254.170.23/v1/credentials");
        assert_eq!(v4.as_deref(), Some("169.254.170.23:80/v1/credentials"));
        let v6 = agent("http://[fd00:ec2::23]/v1/credentials");
        assert_eq!(v6.as_deref(), Some("[fd00:ec2::23]:80/v1/credentials"));
        for url in [
            "http://169.254.170.2/v1/credentials",
            "http://fd00:ec2::23/v1/credentials",
            "http://[fd00:ec2::24]/v1/credentials",
            "https://169.254.170.23/v1/credentials",
        ] {
            assert_eq!(agent(url), None, "{url}");
        }
    }
}
