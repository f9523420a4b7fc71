//! The one HTTP client under every SDK client: our roots, our proxy rule, bounded answers.
//!
//! `MeterUsage` and License Manager sign nothing that we could check, so whoever we take for AWS can
//! answer "recorded". Trust therefore starts empty: Amazon's own roots and what the seller adds, never the
//! container's `/etc/ssl` or `SSL_CERT_FILE`. A proxy carries CONNECT only; TLS stays end to end.

use super::{plain::BODY_MAX, server_time::ServerTime};
use aws_smithy_http_client::{
    Connector,
    proxy::ProxyConfig,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// Amazon Trust Services' roots, and nothing else.
const ROOTS: &str = include_str!("roots.pem");

/// Idle connections are dropped before AWS or a NAT gateway does it: a request on a connection that the
/// other side has just closed would have an unknown fate.
const IDLE: Duration = Duration::from_secs(20);

/// Which proxy to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    /// None.
    Direct,
    /// CONNECT through `url`, but for the hosts in `except`.
    Through { url: String, except: Option<String> },
}

/// The client.
pub(super) struct Wire {
    /// `None` speaks plain `http`, to a sandbox on loopback.
    tls: Option<Tls>,
    /// Made at the first call: making TLS costs a millisecond that a start in a sandbox need not pay.
    connector: OnceLock<SharedHttpConnector>,
}

/// How AWS proves that it is AWS.
struct Tls {
    trust: TrustStore,
    proxy: ProxyConfig,
    server_time: Arc<ServerTime>,
}

impl Wire {
    /// For a sandbox.
    pub(super) fn plain() -> Wire {
        Wire { tls: None, connector: OnceLock::new() }
    }

    /// For AWS.
    ///
    /// # Errors
    /// `extra_ca_pem` or the proxy cannot be used.
    pub(super) fn tls(
        extra_ca_pem: Option<&str>,
        proxy: &Proxy,
        server_time: Arc<ServerTime>,
    ) -> Result<Wire, String> {
        let mut trust = TrustStore::empty().with_pem_certificate(ROOTS);
        if let Some(pem) = extra_ca_pem {
            // The client panics on a certificate that it cannot read; look before it does.
            check_roots(pem)?;
            trust.add_pem_certificate(pem);
        }
        let proxy = match proxy {
            Proxy::Direct => ProxyConfig::disabled(),
            Proxy::Through { url, except } => {
                let config = ProxyConfig::https(url.as_str()).map_err(|error| {
                    format!(
                        "cannot use proxy `{}`: {error}; give an `http://` URL",
                        without_password(url)
                    )
                })?;
                match except {
                    Some(except) => config.no_proxy(except),
                    None => config,
                }
            }
        };
        Ok(Wire { tls: Some(Tls { trust, proxy, server_time }), connector: OnceLock::new() })
    }

    fn connect(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> Connector {
        let mut builder = Connector::builder()
            .connector_settings(settings.clone())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(2);
        builder.set_sleep_impl(components.sleep_impl());
        match &self.tls {
            None => builder.build_http(),
            Some(Tls { trust, proxy, .. }) => builder
                .proxy_config(proxy.clone())
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(
                    TlsContext::builder()
                        .with_trust_store(trust.clone())
                        .build()
                        .expect("the builder has no way to fail"),
                )
                .build(),
        }
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        // Every client has the same time-outs, so one connector and its pool serve all.
        self.connector
            .get_or_init(|| {
                SharedHttpConnector::new(Bounded {
                    connector: self.connect(settings, components),
                    server_time: self.tls.as_ref().map(|tls| tls.server_time.clone()),
                })
            })
            .clone()
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// Reads each answer whole and at most `BODY_MAX` of it, and looks at its `Date`.
#[derive(Debug)]
struct Bounded {
    connector: Connector,
    /// `None` where nobody proves who answers.
    server_time: Option<Arc<ServerTime>>,
}

impl HttpConnector for Bounded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.connector.call(request);
        let server_time = self.server_time.clone();
        HttpConnectorFuture::new(async move {
            let sent = server_time.as_ref().map(|time| (time, time.boot_ms()));
            let mut response = answer.await?;
            if let Some((time, sent)) = sent {
                time.observe(response.headers(), sent, time.boot_ms());
            }
            let body = std::mem::replace(response.body_mut(), SdkBody::taken());
            let body = Limited::new(body, BODY_MAX).collect().await.map_err(|error| {
                let error = if error.is::<LengthLimitError>() {
                    format!("the answer has more than {BODY_MAX} bytes").into()
                } else {
                    error
                };
                ConnectorError::other(error, None)
            })?;
            *response.body_mut() = SdkBody::from(body.to_bytes());
            Ok(response)
        })
    }
}

/// Checks that every block of `pem` is a certificate that can anchor trust.
///
/// # Errors
/// Which block is not.
pub(crate) fn check_roots(pem: &str) -> Result<(), String> {
    let fail = |why: String| {
        format!(
            "cannot use extra_ca_pem: {why}; give `BEGIN CERTIFICATE` blocks of root certificates"
        )
    };
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        count += 1;
        certificate
            .map_err(|error| format!("{error:?}"))
            .and_then(|certificate| {
                RootCertStore::empty().add(certificate).map_err(|error| error.to_string())
            })
            .map_err(|why| fail(format!("certificate {count} cannot be read ({why})")))?;
    }
    if count == 0 { Err(fail("it holds no certificate".to_owned())) } else { Ok(()) }
}

/// `url` without user and password, for texts.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}://{}", &url[..scheme], &url[at + 1..])
        }
        _ => url.to_owned(),
    }
}
