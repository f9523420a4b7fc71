//! A server over TLS whose authority nobody knows but the test.

use super::{
    super::{
        client::Clients,
        endpoint::Endpoints,
        http::{Proxy, Wire},
        server_time::ServerTime,
    },
    Canned, NOW, cloud,
};
use crate::{
    model::outcome::{FailureClass, Permitted},
    port::cloud::{Cloud, UsageProbe},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    SupportedProtocolVersion,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use std::{cell::Cell, rc::Rc, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// An authority, and a server with a certificate that it signed.
pub(in crate::adapter::aws) struct Authority {
    pub(in crate::adapter::aws) pem: String,
    pub(in crate::adapter::aws) acceptor: TlsAcceptor,
}

/// Of `localhost`, with every version of TLS that is any good.
pub(in crate::adapter::aws) fn authority() -> Authority {
    authority_of("localhost", rustls::ALL_VERSIONS)
}

pub(in crate::adapter::aws) fn authority_of(
    name: &str,
    versions: &[&'static SupportedProtocolVersion],
) -> Authority {
    let mut params = CertificateParams::new(vec![]).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec![name.to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .expect("a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("the provider has them")
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .expect("the key fits the certificate");
    Authority { pem: issuer.pem(), acceptor: TlsAcceptor::from(Arc::new(config)) }
}

/// Serves one dry run over TLS and returns the port; `seen` counts requests that came through.
pub(in crate::adapter::aws) async fn serve(acceptor: TlsAcceptor, seen: Rc<Cell<usize>>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let port = listener.local_addr().expect("bound").port();
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok_and(|n| n > 0) {
                seen.set(seen.get() + 1);
                let body = r#"{"MeteringRecordId":"DryRunOperation"}"#;
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 2026 10:00:00 GMT\r\ncontent-length: {}\r\n\
                     connection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    port
}

/// A dry run against `https://localhost:port` with this trust.
pub(in crate::adapter::aws) async fn dry_run(
    port: u16,
    extra_ca_pem: Option<&str>,
    proxy: &Proxy,
) -> Permitted {
    dry_run_by(port, extra_ca_pem, proxy, Arc::default()).await
}

/// The same on a computer with this clock.
pub(in crate::adapter::aws) async fn dry_run_by(
    port: u16,
    extra_ca_pem: Option<&str>,
    proxy: &Proxy,
    server_time: Arc<ServerTime>,
) -> Permitted {
    dry_run_of(format!("https://localhost:{port}"), extra_ca_pem, proxy, server_time).await
}

/// The same against any URL.
pub(in crate::adapter::aws) async fn dry_run_of(
    url: String,
    extra_ca_pem: Option<&str>,
    proxy: &Proxy,
    server_time: Arc<ServerTime>,
) -> Permitted {
    let platform = Canned::start(vec![]).await;
    let cloud = cloud(&platform);
    let knew = server_time.anchor().is_some();
    let clients = Clients::new(
        Endpoints::Sandbox(url),
        Wire::tls(extra_ca_pem, proxy, server_time.clone()).expect("it can be used"),
        cloud.0.now.clone(),
        cloud.0.credentials.clone(),
        None,
    );
    assert!(cloud.0.clients.set(clients).is_ok());
    let probe =
        UsageProbe { product: "abc".into(), dimension: "requests".to_owned(), timestamp: NOW };
    let answer = cloud.check_usage(probe).await;
    let learnt = server_time.anchor().is_some();
    assert_eq!(
        learnt,
        knew || answer == Permitted::Yes,
        "time is learnt from AWS's answers and nobody else's"
    );
    answer
}

/// Nothing left, says the answer.
pub(in crate::adapter::aws) fn not_sent(answer: &Permitted) -> bool {
    matches!(answer, Permitted::Failed(failure) if failure.class == FailureClass::NotSent)
}

/// What the text of a call that was not sent says.
pub(in crate::adapter::aws) fn why_not_sent(answer: &Permitted) -> &str {
    assert!(not_sent(answer), "{answer:?}");
    match answer {
        Permitted::Failed(failure) => &failure.text,
        _ => unreachable!("it was not sent"),
    }
}
