//! Connects and says how far it came, for the doctor: the same connection as a call's, with notes taken.

use super::{connect::Connect, issuer, trust, tunnel::Proxy};
use crate::adapter::{
    aws::server_time::{self, ServerTime},
    computer::{Computer, ThisComputer},
};
use http_body_util::Empty;
use hyper::{Request, Uri, body::Bytes, client::conn::http1, header};
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::time::timeout;
use tower_service::Service;

/// For the head of an answer, once there is a connection.
const ANSWER: Duration = Duration::from_secs(5);

/// Somebody who proved to be who we look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Name, TCP, tunnel and TLS.
    pub(crate) took: Duration,
    /// `TLS 1.3`; nothing in a sandbox.
    pub(crate) tls: Option<&'static str>,
    /// How far this computer's clock is behind AWS's, in milliseconds, as the answer's `Date` shows it.
    pub(crate) behind_ms: Option<i64>,
}

/// Why nobody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreached {
    /// What failed, and what to do.
    pub(crate) why: String,
    /// Who signed the certificate that was shown, if one was.
    pub(crate) signer: Option<String>,
}

/// Connects to `url` over plain HTTP: a sandbox.
pub(in crate::adapter::aws) async fn plainly(url: &str) -> Result<Reached, Unreached> {
    reach(Connect::plain(), url, None).await
}

/// Connects to `url` with TLS on our roots, through `proxy`.
pub(in crate::adapter::aws) async fn securely(
    url: &str,
    extra_ca_pem: Option<&str>,
    proxy: &Proxy,
    server_time: Arc<ServerTime>,
) -> Result<Reached, Unreached> {
    let unusable = |why: String| Unreached { why, signer: None };
    let roots = trust::roots(extra_ca_pem).map_err(unusable)?;
    let notes = Arc::new(Notes::default());
    let mut config = trust::client_config(roots.clone(), server_time);
    note(&mut config, roots, notes.clone()).map_err(unusable)?;
    reach(Connect::secure(config, proxy.clone()), url, Some(&notes)).await
}

async fn reach(
    mut connect: Connect,
    url: &str,
    notes: Option<&Notes>,
) -> Result<Reached, Unreached> {
    let uri: Uri = url
        .parse()
        .map_err(|error| Unreached { why: format!("`{url}` is no URL ({error})"), signer: None })?;
    let begun = Instant::now();
    let stream = connect.call(uri.clone()).await.map_err(|error| Unreached {
        why: error.to_string(),
        signer: notes.and_then(Notes::signer),
    })?;
    let took = begun.elapsed();
    // Nobody is asked for anything: the head of whatever answer there is has the time in it.
    let behind_ms = timeout(ANSWER, behind_ms(stream, &uri)).await.ok().flatten();
    Ok(Reached { took, tls: notes.and_then(Notes::version), behind_ms })
}

async fn behind_ms(
    stream: impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    uri: &Uri,
) -> Option<i64> {
    let (mut sender, connection) = http1::handshake(stream).await.ok()?;
    let driver = tokio::task::spawn_local(async move {
        let _ = connection.await;
    });
    let request = Request::get("/")
        .header(header::HOST, uri.authority()?.as_str())
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let (asked, begun) = (ThisComputer.wall_ms(), Instant::now());
    let answer = sender.send_request(request).await;
    driver.abort();
    let answer = answer.ok()?;
    let half = i64::try_from(begun.elapsed().as_millis() / 2).ok()?;
    // An answer out of a cache is as old as it says. Source: RFC 9111, section 5.1.
    if answer.headers().contains_key(header::AGE) {
        return None;
    }
    let date = server_time::read(answer.headers().get(header::DATE)?.to_str().ok()?)?;
    Some(date.0.saturating_sub(asked.saturating_add(half)))
}

/// Has `config` take notes of the certificate that it is shown. What is trusted stays the same.
fn note(config: &mut ClientConfig, roots: RootCertStore, notes: Arc<Notes>) -> Result<(), String> {
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| format!("the roots cannot be used ({error})"))?;
    config.dangerous().set_certificate_verifier(Arc::new(Noting { verifier, notes }));
    Ok(())
}

/// What was seen of a handshake.
#[derive(Debug, Default)]
struct Notes {
    certificate: Mutex<Option<Vec<u8>>>,
    version: Mutex<Option<&'static str>>,
}

impl Notes {
    fn signer(&self) -> Option<String> {
        let certificate = self.certificate.lock().unwrap_or_else(PoisonError::into_inner);
        issuer::of(certificate.as_deref()?)
    }

    fn version(&self) -> Option<&'static str> {
        *self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn saw(&self, version: &'static str) {
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) = Some(version);
    }
}

/// Lets another one verify.
#[derive(Debug)]
struct Noting {
    verifier: Arc<WebPkiServerVerifier>,
    notes: Arc<Notes>,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        *self.notes.certificate.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(end_entity.as_ref().to_owned());
        self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.notes.saw("TLS 1.2");
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.notes.saw("TLS 1.3");
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
