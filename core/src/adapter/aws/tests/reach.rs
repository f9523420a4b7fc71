//! How the doctor reaches a host, and what it says when somebody else answers there.

use super::super::{
    http::{
        Proxy,
        reach::{Reached, Unreached, plainly, securely},
    },
    testing::{
        Act, Canned, run,
        tls::{authority, authority_of, serve},
    },
};
use crate::{
    adapter::computer::{Computer, ThisComputer},
    model::proxy::{NoProxy, ProxyUrl},
};
use std::{cell::Cell, rc::Rc};

async fn try_it(port: u16, pem: Option<&str>) -> Result<Reached, Unreached> {
    let url = format!("https://localhost:{port}");
    securely(&url, pem, &Proxy::Direct, std::sync::Arc::default()).await
}

#[test]
fn who_proves_to_be_trusted_is_reached_and_tells_the_time() {
    run(async {
        for (versions, name) in
            [(&rustls::version::TLS12, "TLS 1.2"), (&rustls::version::TLS13, "TLS 1.3")]
        {
            let authority = authority_of("localhost", &[versions]);
            let port = serve(authority.acceptor, Rc::default()).await;
            let reached = try_it(port, Some(&authority.pem)).await.expect("it is trusted");
            assert_eq!(reached.tls, Some(name));
            // The server says that it is 2026-01-01T10:00:00Z.
            let behind = 1_767_261_600_000 - ThisComputer.wall_ms();
            let told = reached.behind_ms.expect("a date");
            assert!((told - behind).abs() < 5_000, "{told} {behind}");
        }
    });
}

/// T64, T67: a proxy that inspects TLS and an entry of the hosts file look alike, and both are named.
#[test]
fn who_shows_another_certificate_is_named_by_its_signer_and_gets_no_request() {
    run(async {
        let seen = Rc::new(Cell::new(0));
        let port = serve(authority().acceptor, seen.clone()).await;
        let unreached = try_it(port, None).await.expect_err("nobody trusts it");
        assert!(unreached.why.contains("does not prove to be AWS"), "{}", unreached.why);
        assert_eq!(unreached.signer.as_deref(), Some("CN=rcgen self signed cert"));
        assert_eq!(seen.get(), 0);
        // Its own authority, and a certificate of somebody else.
        let other = authority_of("other.example", rustls::ALL_VERSIONS);
        let port = serve(other.acceptor, seen.clone()).await;
        assert!(try_it(port, Some(&other.pem)).await.is_err());
        assert_eq!(seen.get(), 0);
    });
}

#[test]
fn who_does_not_answer_is_told_without_a_signer() {
    run(async {
        let closed = try_it(1, None).await.expect_err("nobody listens");
        assert!(closed.why.contains("cannot reach `localhost`"), "{}", closed.why);
        assert_eq!(closed.signer, None);
        let plain = Canned::start(vec![Act::ok("{}")]).await;
        let plain = try_it(plain.address().port(), None).await.expect_err("no TLS");
        assert_eq!(plain.signer, None);
    });
}

#[test]
fn what_a_proxy_says_is_told_without_its_password() {
    run(async {
        let proxy = Canned::start(vec![]).await;
        proxy.then(Act::answer(407, &[], ""));
        let url = format!("http://user:hunter2@{}", proxy.address());
        let url = ProxyUrl::read(&url).expect("a proxy");
        let through = Proxy::Through { url, except: NoProxy::read("") };
        let unreached =
            securely("https://localhost:9", None, &through, std::sync::Arc::default()).await;
        let unreached = unreached.expect_err("the proxy refuses");
        assert!(!format!("{unreached:?}").contains("hunter2"), "{unreached:?}");
        assert!(
            proxy.lines().iter().all(|line| line.starts_with("CONNECT ")),
            "{:?}",
            proxy.lines()
        );
    });
}

#[test]
fn a_sandbox_is_reached_without_tls() {
    run(async {
        let server = Canned::start(vec![]).await;
        let reached = plainly(&server.url()).await.expect("it listens");
        assert_eq!((reached.tls, reached.behind_ms), (None, None));
        assert!(plainly("http://127.0.0.1:1").await.is_err());
    });
}
