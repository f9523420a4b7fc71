//! Whom a production guard takes for AWS.

use super::super::{
    http::{Proxy, Wire, check_roots},
    testing::{
        Act, Canned, run,
        tls::{authority, dry_run, not_sent, serve},
    },
};
use crate::model::outcome::Permitted;
use sha2::{Digest, Sha256};
use std::{rc::Rc, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

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

#[test]
fn a_server_without_tls_is_not_sent_anything() {
    run(async {
        let server = Canned::start(vec![Act::ok("{}")]).await;
        let answer = dry_run(server.address().port(), None, &Proxy::Direct).await;
        assert!(not_sent(&answer), "{answer:?}");
    });
}

#[test]
fn a_server_that_never_shakes_hands_is_not_sent_anything_and_given_up_soon() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let port = listener.local_addr().expect("bound").port();
        let start = std::time::Instant::now();
        let answer = dry_run(port, None, &Proxy::Direct).await;
        assert!(not_sent(&answer), "{answer:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    });
}

#[test]
fn a_proxy_carries_a_tunnel_and_sees_no_request() {
    run(async {
        let seen = Rc::new(std::cell::Cell::new(0));
        let authority = authority();
        let port = serve(authority.acceptor, seen.clone()).await;
        let (proxy, heard) = tunnel(port).await;
        let through = Proxy::Through { url: format!("http://127.0.0.1:{proxy}"), except: None };
        let answer = dry_run(port, Some(&authority.pem), &through).await;
        assert_eq!(answer, Permitted::Yes);
        let heard = heard.borrow().clone();
        assert!(heard.starts_with(&format!("CONNECT localhost:{port} ")), "{heard}");
        assert!(!heard.contains("authorization"), "{heard}");
        // Trust does not change with the proxy.
        let answer = dry_run(port, None, &through).await;
        assert!(not_sent(&answer), "{answer:?}");
    });
}

#[test]
fn hosts_that_no_proxy_names_are_called_directly() {
    run(async {
        let authority = authority();
        let port = serve(authority.acceptor, Rc::default()).await;
        let dead = Proxy::Through {
            url: "http://127.0.0.1:1".to_owned(),
            except: Some("localhost".to_owned()),
        };
        assert_eq!(dry_run(port, Some(&authority.pem), &dead).await, Permitted::Yes);
        let dead = Proxy::Through { url: "http://127.0.0.1:1".to_owned(), except: None };
        let answer = dry_run(port, Some(&authority.pem), &dead).await;
        assert!(not_sent(&answer), "{answer:?}");
    });
}

/// A proxy that opens one tunnel at a time; what it was asked is kept.
async fn tunnel(to: u16) -> (u16, Rc<std::cell::RefCell<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let port = listener.local_addr().expect("bound").port();
    let heard = Rc::new(std::cell::RefCell::new(String::new()));
    let kept = heard.clone();
    tokio::task::spawn_local(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut head = [0; 2048];
            let Ok(n) = near.read(&mut head).await else { continue };
            *kept.borrow_mut() = String::from_utf8_lossy(&head[..n]).into_owned();
            let mut far = TcpStream::connect(("127.0.0.1", to)).await.expect("the server listens");
            let _ = near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            tokio::task::spawn_local(async move {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (port, heard)
}

#[test]
fn the_bundled_roots_are_the_ones_that_amazon_publishes() {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let file = include_str!("../roots.pem");
    check_roots(file).expect("each can anchor trust");
    let said: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix("# sha256 ")).collect();
    let are: Vec<String> = CertificateDer::pem_slice_iter(file.as_bytes())
        .map(|der| {
            let digest = Sha256::digest(der.expect("a certificate"));
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        })
        .collect();
    assert_eq!(said, are);
    assert_eq!(are.len(), 5);
    // Source: Amazon Trust Services, repository, Amazon Root CA 1.
    assert_eq!(are[0], "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e");
}

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

#[test]
fn a_proxy_that_is_no_url_is_refused_without_showing_its_password() {
    let proxy = Proxy::Through { url: "http://user:secret@bad host".to_owned(), except: None };
    let why = Wire::tls(None, &proxy, Arc::default()).expect_err("a space is no host");
    assert!(!why.contains("secret"), "{why}");
}
