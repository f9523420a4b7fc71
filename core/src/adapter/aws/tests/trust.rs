//! Whom a production guard takes for AWS.

use super::super::{
    http::{Proxy, Wire, check_roots},
    testing::{
        run,
        tls::{authority, authority_of, dry_run, not_sent, serve, why_not_sent},
    },
};
use crate::model::outcome::Permitted;
use rustls::{
    ALL_VERSIONS, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use sha2::{Digest, Sha256};
use std::{rc::Rc, sync::Arc};

/// T67: a hosts file, or a resolver, that leads AWS's name to a server that answers 200 to everything.
#[test]
fn a_server_of_an_unknown_authority_gets_no_request() {
    run(async {
        let seen = Rc::new(std::cell::Cell::new(0));
        let port = serve(authority().acceptor, seen.clone()).await;
        let answer = dry_run(port, None, &Proxy::Direct).await;
        assert!(not_sent(&answer), "{answer:?}");
        let other = authority().pem;
        let answer = dry_run(port, Some(&other), &Proxy::Direct).await;
        assert!(not_sent(&answer), "{answer:?}");
        assert_eq!(seen.get(), 0);
    });
}

#[test]
fn a_root_that_the_seller_adds_is_trusted() {
    run(async {
        let seen = Rc::new(std::cell::Cell::new(0));
        let authority = authority();
        let port = serve(authority.acceptor, seen.clone()).await;
        let answer = dry_run(port, Some(&authority.pem), &Proxy::Direct).await;
        assert_eq!(answer, Permitted::Yes);
        assert_eq!(seen.get(), 1);
    });
}

/// T67: a server with a certificate of its own name only, whoever signed it.
#[test]
fn a_certificate_of_another_host_is_refused_although_its_authority_is_trusted() {
    run(async {
        let seen = Rc::default();
        let other = authority_of("metering.marketplace.us-east-1.example", ALL_VERSIONS);
        let port = serve(other.acceptor, Rc::clone(&seen)).await;
        let answer = dry_run(port, Some(&other.pem), &Proxy::Direct).await;
        let why = why_not_sent(&answer);
        assert!(why.contains("does not prove to be AWS"), "{why}");
        assert_eq!(seen.get(), 0);
    });
}

#[test]
fn the_bundled_roots_are_the_ones_that_amazon_publishes() {
    let file = include_str!("../roots.pem");
    check_roots(file).expect("each can anchor trust");
    let said: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix("# sha256 ")).collect();
    let ders: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(file.as_bytes())
        .map(|der| der.expect("a certificate"))
        .collect();
    let are: Vec<String> = ders
        .iter()
        .map(|der| Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    assert_eq!(said, are);
    for (der, (name, fingerprint)) in ders.iter().zip(PUBLISHED) {
        let subject = subject_of(der);
        assert!(subject.contains(name), "{name}: {subject}");
        assert!(said.contains(&fingerprint), "{name}");
    }
    assert_eq!(are, PUBLISHED.map(|(_, fingerprint)| fingerprint));
    assert!(file.contains("ca-certificates 20230311+deb12u1"), "it says where it is from");
}

/// The subject's bytes, of which names can be read as they are.
fn subject_of(der: &CertificateDer<'_>) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(der.clone()).expect("it can anchor trust");
    String::from_utf8_lossy(&roots.roots[0].subject).into_owned()
}

/// Subject and SHA-256 of the DER. Source: Amazon Trust Services, repository, "Root CAs": these five are to be in
/// a trust store of one's own.
const PUBLISHED: [(&str, &str); 5] = [
    ("Amazon Root CA 1", "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e"),
    ("Amazon Root CA 2", "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4"),
    ("Amazon Root CA 3", "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4"),
    ("Amazon Root CA 4", "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092"),
    (
        "Starfield Services Root Certificate Authority - G2",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ),
];

#[test]
fn extra_roots_that_cannot_be_read_are_refused_before_the_client_would_panic() {
    let refused = |pem: &str, word: &str| {
        let why = check_roots(pem).expect_err("it must be refused");
        assert!(why.contains(word), "{why}");
        assert!(Wire::tls(Some(pem), &Proxy::Direct, Arc::default()).is_err());
    };
    refused("", "no certificate");
    refused("hello", "no certificate");
    refused("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "cannot be read");
    refused("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1");
    refused("-----BEGIN CERTIFICATE-----\nAAAA\n", "cannot be read");
    let good = authority().pem;
    assert_eq!(check_roots(&good), Ok(()));
    refused(
        &format!("{good}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        "certificate 2",
    );
}
