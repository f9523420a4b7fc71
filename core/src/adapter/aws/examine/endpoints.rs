//! Which hosts a guard would call, and whether it gets there.

use super::super::{
    Inner,
    credentials::Source,
    endpoint::{Endpoints, Service},
    http::{
        Proxy,
        reach::{self, Reached, Unreached},
    },
    region::Region,
};
use crate::adapter::examine::{Look, Until};

/// One host.
#[derive(Debug)]
pub(crate) struct Endpoint {
    /// `metering`, `license-manager`, `sts` or `sandbox`.
    pub(crate) service: &'static str,
    pub(crate) host: String,
    /// The product does not work without it.
    pub(crate) needed: bool,
    pub(crate) reached: Look<Result<Reached, Unreached>>,
}

/// Through what calls go.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Through {
    /// Nothing: a sandbox.
    Sandbox,
    /// Nothing.
    Direct,
    /// This proxy, but for hosts that it is not asked for; without credentials.
    Proxy(String),
    /// The proxy that is wanted cannot be used, because of this.
    Unusable(String),
}

/// Which services the pricing needs; `None` without a configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needs {
    pub(crate) metering: bool,
    pub(crate) contract: bool,
}

/// What the proxy is.
pub(super) fn through(inner: &Inner) -> Through {
    match (&inner.endpoints, inner.proxy()) {
        (Endpoints::Sandbox(_), _) => Through::Sandbox,
        (_, Ok(Proxy::Direct)) => Through::Direct,
        (_, Ok(Proxy::Through { url, .. })) => Through::Proxy(url.to_string()),
        (_, Err(why)) => Through::Unusable(why),
    }
}

/// Connects to each host, side by side.
pub(super) async fn endpoints(
    inner: &Inner,
    region: Option<&Region>,
    needs: Option<Needs>,
    until: Until,
) -> Vec<Endpoint> {
    if let Endpoints::Sandbox(url) = &inner.endpoints {
        let reached = until.look(reach::plainly(url)).await;
        return vec![Endpoint { service: "sandbox", host: host(url), needed: true, reached }];
    }
    let wanted = |wants: fn(Needs) -> bool| needs.is_none_or(wants);
    let by_token = match region {
        Some(_) => inner.source().await.is_ok_and(|source| {
            matches!(source, Source::WebIdentity { .. } | Source::LicenseToken { .. })
        }),
        None => false,
    };
    let known = needs.is_some();
    let one = |name, service, wanted: bool, needed| async move {
        if !wanted {
            return None;
        }
        Some(endpoint(inner, name, service, region, needed, until).await)
    };
    // STS tells the others who signs, and no more.
    let (metering, licensing, tokens) = tokio::join!(
        one("metering", Service::Metering, wanted(|needs| needs.metering), known),
        one("license-manager", Service::Licensing, wanted(|needs| needs.contract), known),
        one("sts", Service::Tokens, true, by_token),
    );
    [metering, licensing, tokens].into_iter().flatten().collect()
}

async fn endpoint(
    inner: &Inner,
    name: &'static str,
    service: Service,
    region: Option<&Region>,
    needed: bool,
    until: Until,
) -> Endpoint {
    let not = |why: &str| Look::Not(why.to_owned());
    let Some(region) = region else {
        let reached = not("no Region is known, and it is part of the host's name");
        return Endpoint { service: name, host: String::new(), needed, reached };
    };
    let Some(url) = inner.endpoints.url(service, region) else {
        let reached = Look::Seen(Err(Unreached {
            why: format!(
                "Region {region} is in a partition of AWS that mpguard does not know; use a newer version"
            ),
            signer: None,
        }));
        return Endpoint { service: name, host: String::new(), needed, reached };
    };
    let reached = match inner.proxy() {
        Ok(proxy) => {
            let pem = inner.settings.extra_ca_pem.as_deref();
            let time = inner.server_time.clone();
            until.look(reach::securely(&url, pem, &proxy, time)).await
        }
        Err(_) => not("the proxy cannot be used: see the finding `proxy`"),
    };
    Endpoint { service: name, host: host(&url), needed, reached }
}

/// Scheme and path are no part of it.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default().to_owned()
}
