//! Where each service is: computed from a validated Region, never taken from configuration.

use super::region::Region;
use aws_smithy_types::endpoint::Endpoint;

/// A service that we call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// AWS Marketplace Metering.
    Metering,
    /// License Manager.
    Licensing,
    /// Security Token Service.
    Tokens,
}

/// One partition of AWS. Source: botocore 1.44.5 `partitions.json` and the services' endpoint rule sets.
struct Partition {
    /// First parts of its Regions' names.
    first: &'static [&'static str],
    /// Number of parts that its Regions' names have.
    parts: usize,
    suffix: &'static str,
    /// Metering's host begins with `metering.marketplace`, in the sovereign cloud with a hyphen.
    metering: &'static str,
}

const DOTTED: &str = "metering.marketplace";
const PARTITIONS: &[Partition] = &[
    Partition { first: &["us-gov"], parts: 4, suffix: "amazonaws.com", metering: DOTTED },
    Partition {
        first: &["eusc-de"],
        parts: 4,
        suffix: "amazonaws.eu",
        metering: "metering-marketplace",
    },
    Partition { first: &["cn"], parts: 3, suffix: "amazonaws.com.cn", metering: DOTTED },
    // A first part that is new to us belongs to `aws`, as the SDK's own rules decide.
    Partition { first: &[""], parts: 3, suffix: "amazonaws.com", metering: DOTTED },
];

/// Where calls go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoints {
    /// The Regions' own hosts, over TLS.
    Production,
    /// `http://address` of a sandbox, which serves every service.
    Sandbox(String),
}

impl Endpoints {
    /// For a guard whose `sandbox` key is `sandbox`.
    pub(super) fn of(sandbox: Option<&str>) -> Endpoints {
        sandbox.map_or(Endpoints::Production, |url| Endpoints::Sandbox(origin(url).to_owned()))
    }

    /// The URL of `service` in `region`; `None` when the Region belongs to no partition that we know.
    pub(super) fn url(&self, service: Service, region: &Region) -> Option<String> {
        if let Endpoints::Sandbox(origin) = self {
            return Some(origin.clone());
        }
        let name = region.name();
        let partition = partition(region)?;
        let host = match service {
            Service::Metering => partition.metering,
            Service::Licensing => "license-manager",
            Service::Tokens => "sts",
        };
        Some(format!("https://{host}.{name}.{}", partition.suffix))
    }
}

impl Region {
    /// True when both are in one partition: accounts and licenses do not cross its border.
    pub(super) fn is_beside(&self, other: &Region) -> bool {
        match (partition(self), partition(other)) {
            (Some(one), Some(two)) => one.suffix == two.suffix && one.first == two.first,
            _ => false,
        }
    }
}

fn partition(region: &Region) -> Option<&'static Partition> {
    let name = region.name();
    PARTITIONS.iter().find(|p| {
        name.split('-').count() == p.parts && p.first.iter().any(|first| begins(name, first))
    })
}

fn begins(name: &str, first: &str) -> bool {
    first.is_empty() || name.strip_prefix(first).is_some_and(|rest| rest.starts_with('-'))
}

/// Scheme and authority of `url`.
pub(super) fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find('/').map_or(url.len(), |at| start + at);
    &url[..end]
}

/// Answers every question for an endpoint with the same URL, whatever the SDK found elsewhere.
#[derive(Debug)]
pub(super) struct Fixed(pub(super) String);

impl Fixed {
    fn endpoint(&self) -> Endpoint {
        Endpoint::builder().url(self.0.clone()).build()
    }
}

macro_rules! resolver_of {
    ($($sdk:ident)+) => {
        $(impl $sdk::config::endpoint::ResolveEndpoint for Fixed {
            fn resolve_endpoint<'a>(
                &'a self,
                _params: &'a $sdk::config::endpoint::Params,
            ) -> $sdk::config::endpoint::EndpointFuture<'a> {
                $sdk::config::endpoint::EndpointFuture::ready(Ok(self.endpoint()))
            }
        })+
    };
}
resolver_of!(aws_sdk_marketplacemetering aws_sdk_licensemanager aws_sdk_sts);

#[cfg(test)]
mod tests {
    use super::{super::region::Said, *};

    fn url(service: Service, region: &str) -> Option<String> {
        let region = Region::read(region, Said::Region).expect("the Region is well formed");
        Endpoints::Production.url(service, &region)
    }

    #[test]
    fn each_service_has_its_own_host_in_each_partition() {
        use Service::{Licensing, Metering, Tokens};
        let check = |service, region, expected: &str| {
            assert_eq!(url(service, region).as_deref(), Some(expected));
        };
        check(Metering, "us-east-1", "https://metering.marketplace.us-east-1.amazonaws.com");
        check(
            Metering,
            "ap-southeast-2",
            "https://metering.marketplace.ap-southeast-2.amazonaws.com",
        );
        check(
            Metering,
            "eusc-de-east-1",
            "https://metering-marketplace.eusc-de-east-1.amazonaws.eu",
        );
        check(Licensing, "us-gov-west-1", "https://license-manager.us-gov-west-1.amazonaws.com");
        check(
            Licensing,
            "cn-northwest-1",
            "https://license-manager.cn-northwest-1.amazonaws.com.cn",
        );
        check(Tokens, "mx-central-1", "https://sts.mx-central-1.amazonaws.com");
    }

    #[test]
    fn a_region_of_an_unknown_partition_has_no_host() {
        assert_eq!(url(Service::Metering, "us-iso-east-1"), None);
        assert_eq!(url(Service::Metering, "us-isob-east-1"), None);
        assert_eq!(url(Service::Metering, "eu-isoe-west-1"), None);
    }

    #[test]
    fn regions_of_one_partition_are_beside_each_other() {
        let region = |name| Region::read(name, Said::Region).expect("well formed");
        let beside = |one, two| region(one).is_beside(&region(two));
        assert!(beside("us-east-1", "ap-southeast-7"));
        assert!(beside("us-gov-west-1", "us-gov-east-1"));
        assert!(!beside("us-east-1", "cn-north-1"));
        assert!(!beside("us-east-1", "us-gov-west-1"));
        assert!(!beside("us-iso-east-1", "us-iso-east-1"), "not one that we know");
    }

    #[test]
    fn in_a_sandbox_every_service_is_at_its_address() {
        let endpoints = Endpoints::of(Some("http://127.0.0.1:4000/t/app"));
        let region = Region::read("us-east-1", Said::Region).expect("well formed");
        for service in [Service::Metering, Service::Licensing, Service::Tokens] {
            assert_eq!(endpoints.url(service, &region).as_deref(), Some("http://127.0.0.1:4000"));
        }
    }
}
