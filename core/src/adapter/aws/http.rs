//! The one HTTP client under every SDK client: our roots, our proxy rule, bounded answers, our clock.
//!
//! `MeterUsage` and License Manager sign nothing that we could check, so whoever we take for AWS can
//! answer "recorded". Trust therefore starts empty: Amazon's own roots and what the seller adds, never the
//! container's `/etc/ssl` or `SSL_CERT_FILE`: no code that reads them is linked. A proxy carries CONNECT
//! only; TLS stays end to end. Redirects are answers like others, and nobody follows them.

mod connect;
mod issuer;
pub(crate) mod reach;
mod trust;
mod tunnel;

use super::{
    plain::{BODY_MAX, HEAD_MAX},
    server_time::ServerTime,
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
    runtime_components::RuntimeComponents,
};
use aws_smithy_types::body::SdkBody;
use connect::Connect;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::http::Response;
use hyper_util::{
    client::legacy::Client,
    rt::{TokioExecutor, TokioTimer},
};
use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};
pub(crate) use trust::check_roots;
pub(super) use tunnel::Proxy;

/// Name and TCP. Source of the figures: [faults §6], AWS's own license sample.
pub(super) const CONNECT: Duration = Duration::from_secs(3);

/// CONNECT and TLS. With `CONNECT` it ends before an attempt does, so a call whose connection never came to be
/// is known as not sent.
pub(super) const SECURE: Duration = Duration::from_secs(5);

/// Idle connections are dropped before AWS or a NAT gateway does it: a request on a connection that the
/// other side has just closed would have an unknown fate.
const IDLE: Duration = Duration::from_secs(20);

/// The client.
pub(super) struct Wire {
    /// `None` speaks plain `http`, to a sandbox on loopback.
    tls: Option<Tls>,
    /// Made at the first call: making TLS costs a millisecond that a start in a sandbox need not pay.
    connector: OnceLock<SharedHttpConnector>,
}

/// How AWS proves that it is AWS.
struct Tls {
    roots: rustls::RootCertStore,
    proxy: Proxy,
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
    /// `extra_ca_pem` cannot be used.
    pub(super) fn tls(
        extra_ca_pem: Option<&str>,
        proxy: &Proxy,
        server_time: Arc<ServerTime>,
    ) -> Result<Wire, String> {
        let roots = trust::roots(extra_ca_pem)?;
        let tls = Tls { roots, proxy: proxy.clone(), server_time };
        Ok(Wire { tls: Some(tls), connector: OnceLock::new() })
    }

    fn connector(&self) -> Bounded {
        let (connect, server_time) = match &self.tls {
            None => (Connect::plain(), None),
            Some(Tls { roots, proxy, server_time }) => {
                let config = trust::client_config(roots.clone(), server_time.clone());
                (Connect::secure(config, proxy.clone()), Some(server_time.clone()))
            }
        };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(2)
            .http1_max_buf_size(HEAD_MAX)
            .build(connect);
        Bounded { client, server_time }
    }
}

impl HttpClient for Wire {
    /// The settings say no more than `CONNECT` does.
    fn http_connector(
        &self,
        _settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        // Every client has the same time-outs, so one connector and its pool serve all.
        self.connector.get_or_init(|| SharedHttpConnector::new(self.connector())).clone()
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

/// Reads each answer whole and at most `BODY_MAX` of it, and looks at its `Date`.
struct Bounded {
    client: Client<Connect, SdkBody>,
    /// `None` where nobody proves who answers.
    server_time: Option<Arc<ServerTime>>,
}

impl HttpConnector for Bounded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let answer = self.client.request(request);
        let server_time = self.server_time.clone();
        HttpConnectorFuture::new(async move {
            let sent = server_time.as_ref().map(|time| (time, time.boot_ms()));
            let answer = answer.await.map_err(|error| ConnectorError::io(error.into()))?;
            let received = server_time.as_ref().map_or(0, |time| time.boot_ms());
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, BODY_MAX).collect().await.map_err(|error| {
                let error = if error.is::<LengthLimitError>() {
                    format!("the answer has more than {BODY_MAX} bytes").into()
                } else {
                    error
                };
                ConnectorError::other(error, None)
            })?;
            let body = SdkBody::from(body.to_bytes());
            let response = HttpResponse::try_from(Response::from_parts(head, body))
                .map_err(|error| ConnectorError::other(error.into(), None))?;
            if let Some((time, sent)) = sent {
                time.observe(response.headers(), sent, received);
            }
            Ok(response)
        })
    }
}

impl fmt::Debug for Bounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bounded").finish_non_exhaustive()
    }
}
