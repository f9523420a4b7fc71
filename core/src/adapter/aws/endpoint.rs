//! Where each service is: computed from a validated Region, never taken from configuration.

use super::region::Region;
use crate::port::cloud::CloudSettings;
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

/// One partition of AWS. Source: botocore 1.44.5 `partitions.json` and the services' endpoint rule sets;
/// `endpoint/hosts.tsv` has what they make of each Region. [AC §3.3]
struct Partition {
    /// First parts of its Regions' names.
    first: &'static str,
    /// Number of parts that its Regions' names have.
    parts: usize,
    suffix: &'static str,
    dualstack_suffix: &'static str,
    /// Metering's host begins with `metering.marketplace`, in the sovereign cloud with a hyphen.
    metering: &'static str,
    /// The sovereign cloud has none.
    metering_dualstack: Option<&'static str>,
}

const DOTTED: &str = "metering.marketplace";
const HYPHENED: &str = "metering-marketplace";
const GOV: &str = "us-gov";
const PARTITIONS: &[Partition] = &[
    Partition {
        first: GOV,
        parts: 4,
        suffix: "amazonaws.com",
        dualstack_suffix: "api.aws",
        metering: DOTTED,
        metering_dualstack: Some(HYPHENED),
    },
    Partition {
        first: "eusc-de",
        parts: 4,
        suffix: "amazonaws.eu",
        dualstack_suffix: "api.amazonwebservices.eu",
        metering: HYPHENED,
        metering_dualstack: None,
    },
    Partition {
        first: "cn",
        parts: 3,
        suffix: "amazonaws.com.cn",
        dualstack_suffix: "api.amazonwebservices.com.cn",
        metering: DOTTED,
        metering_dualstack: Some(HYPHENED),
    },
    // A first part that is new to us belongs to `aws`, as the SDK's own rules decide.
    Partition {
        first: "",
        parts: 3,
        suffix: "amazonaws.com",
        dualstack_suffix: "api.aws",
        metering: DOTTED,
        metering_dualstack: Some(HYPHENED),
    },
];

/// Where License Manager and STS have FIPS hosts. Metering has none anywhere: the rule set would make one up,
/// `metering.marketplace-fips`, and AWS lists no such host. [AC §3.3]
const FIPS: &[&str] =
    &["us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1"];

/// Which of AWS's own hosts the seller's code asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Variant {
    /// Those with FIPS-validated cryptography, where there are some.
    pub(super) fips: bool,
    /// Those that answer over IPv6 as well, where there are some.
    pub(super) dualstack: bool,
}

/// Where calls go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoints {
    /// The Regions' own hosts, over TLS.
    Production(Variant),
    /// `http://address` of a sandbox, which serves every service.
    Sandbox(String),
}

impl Endpoints {
    /// For a guard with these settings.
    pub(super) fn of(settings: &CloudSettings) -> Endpoints {
        let variant = Variant {
            fips: settings.use_fips_endpoint,
            dualstack: settings.use_dualstack_endpoint,
        };
        match settings.sandbox.as_deref() {
            Some(url) => Endpoints::Sandbox(origin(url).to_owned()),
            None => Endpoints::Production(variant),
        }
    }

    /// The URL of `service` in `region`; `None` when the Region belongs to no partition that we know.
    ///
    /// A host of the variant that does not exist is replaced by the one that does: a product that asks for FIPS
    /// must still be able to meter.
    pub(super) fn url(&self, service: Service, region: &Region) -> Option<String> {
        let variant = match self {
            Endpoints::Sandbox(origin) => return Some(origin.clone()),
            Endpoints::Production(variant) => *variant,
        };
        let name = region.name();
        let partition = partition(region)?;
        let fips = variant.fips && FIPS.contains(&name);
        let dualstack = variant.dualstack;
        let beside =
            |host| (host, if dualstack { partition.dualstack_suffix } else { partition.suffix });
        let (host, suffix) = match (service, partition.metering_dualstack) {
            (Service::Metering, Some(host)) if dualstack => beside(host),
            (Service::Metering, _) => (partition.metering, partition.suffix),
            (Service::Licensing, _) if fips => beside("license-manager-fips"),
            (Service::Licensing, _) => beside("license-manager"),
            // In GovCloud the standard host is the FIPS one.
            (Service::Tokens, _) if fips && partition.first == GOV && !dualstack => beside("sts"),
            (Service::Tokens, _) if fips => beside("sts-fips"),
            (Service::Tokens, _) => beside("sts"),
        };
        Some(format!("https://{host}.{name}.{suffix}"))
    }
}

impl Region {
    /// True when both are in one partition: accounts and licenses do not cross its border.
    pub(super) fn is_beside(&self, other: &Region) -> bool {
        match (partition(self), partition(other)) {
            (Some(one), Some(two)) => one.first == two.first,
            _ => false,
        }
    }
}

fn partition(region: &Region) -> Option<&'static Partition> {
    let name = region.name();
    PARTITIONS.iter().find(|p| name.split('-').count() == p.parts && begins(name, p.first))
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
mod tests;
