//! Whom we take for AWS: Amazon's roots, and what the seller adds.

use super::super::server_time::ServerTime;
use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, UnixTime, pem::PemObject},
    time_provider::TimeProvider,
    version::{TLS12, TLS13},
};
use std::{error::Error, fmt, sync::Arc, time::Duration};

/// Amazon Trust Services' roots, and nothing else.
const ROOTS: &str = include_str!("../roots.pem");

/// Amazon's roots and those of `extra_ca_pem`.
///
/// # Errors
/// `extra_ca_pem` cannot be used.
pub(super) fn roots(extra_ca_pem: Option<&str>) -> Result<RootCertStore, String> {
    let mut roots = read(ROOTS)?;
    if let Some(pem) = extra_ca_pem {
        roots.extend(read(pem)?.roots);
    }
    Ok(roots)
}

/// Checks that every block of `pem` is a certificate that can anchor trust.
///
/// # Errors
/// Which block is not.
pub(crate) fn check_roots(pem: &str) -> Result<(), String> {
    read(pem).map(|_| ())
}

fn read(pem: &str) -> Result<RootCertStore, String> {
    let fail = |why: String| {
        format!(
            "cannot use extra_ca_pem: {why}; give `BEGIN CERTIFICATE` blocks of root certificates"
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let number = roots.len() + 1;
        certificate
            .map_err(|error| format!("{error:?}"))
            .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()))
            .map_err(|why| fail(format!("certificate {number} cannot be read ({why})")))?;
    }
    if roots.is_empty() { Err(fail("it holds no certificate".to_owned())) } else { Ok(roots) }
}

/// TLS 1.3 and 1.2 on these roots. Certificates are judged by the guard's clock, which follows AWS's once that is
/// known: a container's clock that is set or jumps later does not lock a running guard out.
pub(super) fn client_config(roots: RootCertStore, server_time: Arc<ServerTime>) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_details(provider, Arc::new(GuardTime(server_time)))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("ring has cipher suites of both")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

struct GuardTime(Arc<ServerTime>);

impl TimeProvider for GuardTime {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.0.now().0).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
    }
}

impl fmt::Debug for GuardTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GuardTime")
    }
}

/// Why TLS with `host` did not come to be, and what to do.
pub(super) fn explain(host: &str, error: &(dyn Error + 'static)) -> String {
    use CertificateError as Bad;
    let Some(error) = rustls_error(error) else {
        return format!(
            "`{host}` broke off the TLS handshake ({error}); check proxies and firewalls between this container and \
             AWS"
        );
    };
    match error {
        rustls::Error::InvalidCertificate(
            Bad::Expired
            | Bad::ExpiredContext { .. }
            | Bad::NotValidYet
            | Bad::NotValidYetContext { .. },
        ) => format!(
            "the certificate of `{host}` is not valid at the time of this container's clock ({error}); set the clock \
             of the host"
        ),
        rustls::Error::InvalidCertificate(_) => format!(
            "what answers as `{host}` does not prove to be AWS ({error}); if a proxy or firewall inspects TLS, exempt \
             AWS's hosts from inspection, or ask the seller to trust its CA with `extra_ca_pem`"
        ),
        error => format!(
            "`{host}` does not speak TLS 1.2 or newer as AWS does ({error}); check proxies and firewalls between this \
             container and AWS"
        ),
    }
}

/// An `io::Error` has what it wraps not in its `source`.
fn rustls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(error) = error.downcast_ref::<rustls::Error>() {
        return Some(error);
    }
    let inside = match error.downcast_ref::<std::io::Error>() {
        Some(io) => io.get_ref().map(|inside| inside as &(dyn Error + 'static)),
        None => error.source(),
    };
    inside.and_then(rustls_error)
}
