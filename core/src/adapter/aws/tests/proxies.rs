//! T64: a proxy between the guard and AWS: with credentials, with exceptions, inspecting TLS, and broken.

use super::super::{
    Surroundings,
    client::ATTEMPT,
    http::{Proxy, SECURE},
    testing::{
        Act, Canned, KEY, cloud_beside, cloud_of, run, settings,
        tls::{authority, dry_run, serve, why_not_sent},
    },
};
use crate::{
    model::{
        outcome::Permitted,
        proxy::{NoProxy, ProxyChoice, ProxyUrl},
    },
    port::cloud::{Cloud, CloudSettings},
};
use std::{cell::RefCell, rc::Rc, time::Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

fn through(url: &str, except: &str) -> Proxy {
    Proxy::Through {
        url: ProxyUrl::read(url).expect("it can be read"),
        except: NoProxy::read(except),
    }
}

/// A proxy that opens one tunnel at a time; what it was asked is kept.
async fn tunnel(to: u16) -> (u16, Rc<RefCell<String>>) {
    answering(Some(to), b"HTTP/1.1 200 Connection established\r\nvia: 1.1 x\r\n\r\n").await
}

/// A proxy that says `answer` to each CONNECT, and carries on `to` a server when there is one.
async fn answering(to: Option<u16>, answer: &'static [u8]) -> (u16, Rc<RefCell<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let port = listener.local_addr().expect("bound").port();
    let heard = Rc::new(RefCell::new(String::new()));
    let kept = heard.clone();
    tokio::task::spawn_local(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut head = [0; 2048];
            let Ok(n) = near.read(&mut head).await else { continue };
            kept.borrow_mut().push_str(&String::from_utf8_lossy(&head[..n]));
            let _ = near.write_all(answer).await;
            let Some(to) = to else { continue };
            let mut far = TcpStream::connect(("127.0.0.1", to)).await.expect("the server listens");
            tokio::task::spawn_local(async move {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (port, heard)
}

#[test]
fn a_proxy_carries_a_tunnel_and_sees_no_request() {
    run(async {
        let seen = Rc::default();
        let authority = authority();
        let port = serve(authority.acceptor, Rc::clone(&seen)).await;
        let (proxy, heard) = tunnel(port).await;
        let through = through(&format!("http://127.0.0.1:{proxy}"), "");
        let answer = dry_run(port, Some(&authority.pem), &through).await;
        assert_eq!(answer, Permitted::Yes);
        let connect =
            format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n");
        assert_eq!(*heard.borrow(), connect, "nothing else in the clear");
        assert_eq!(seen.get(), 1);
    });
}

#[test]
fn a_proxy_that_wants_credentials_gets_those_of_its_url_and_nobody_else_sees_them() {
    run(async {
        let authority = authority();
        let port = serve(authority.acceptor, Rc::default()).await;
        let (proxy, heard) = tunnel(port).await;
        let with = through(&format!("http://user:p%40ss%3Aw@127.0.0.1:{proxy}"), "");
        assert_eq!(dry_run(port, Some(&authority.pem), &with).await, Permitted::Yes);
        // `user:p@ss:w`
        let header = "\r\nProxy-Authorization: Basic dXNlcjpwQHNzOnc=\r\n";
        assert!(heard.borrow().contains(header), "{}", heard.borrow());
        assert!(!format!("{with:?}").contains("p@ss") && !format!("{with:?}").contains("p%40ss"));
    });
}

#[test]
fn a_proxy_that_inspects_tls_is_refused_unless_the_seller_trusts_its_authority() {
    run(async {
        // It ends the tunnel itself, with a certificate of its own making for AWS's name.
        let seen = Rc::default();
        let inspector = authority();
        let port = serve(inspector.acceptor, Rc::clone(&seen)).await;
        let (proxy, _) = tunnel(port).await;
        let through = through(&format!("http://127.0.0.1:{proxy}"), "");
        let answer = dry_run(port, None, &through).await;
        let why = why_not_sent(&answer);
        assert!(why.contains("does not prove to be AWS"), "{why}");
        assert!(why.contains("inspects TLS") && why.contains("`extra_ca_pem`"), "{why}");
        assert_eq!(seen.get(), 0);
        let answer = dry_run(port, Some(&inspector.pem), &through).await;
        assert_eq!(answer, Permitted::Yes);
    });
}

#[test]
fn hosts_that_no_proxy_names_are_called_directly() {
    run(async {
        let authority = authority();
        let port = serve(authority.acceptor, Rc::default()).await;
        let dead = through("http://127.0.0.1:1", "169.254.169.254, localhost");
        assert_eq!(dry_run(port, Some(&authority.pem), &dead).await, Permitted::Yes);
        let dead = through("http://127.0.0.1:1", "169.254.169.254, example.com");
        let answer = dry_run(port, Some(&authority.pem), &dead).await;
        let why = why_not_sent(&answer);
        assert!(why.contains("cannot reach proxy `http://127.0.0.1:1`"), "{why}");
    });
}

/// Each says which proxy, what it did, and what to do; none of them what the password is.
#[test]
fn a_proxy_that_opens_no_tunnel_is_named_with_what_to_do() {
    let check = |credentials: &'static str, answer: &'static [u8], words: &'static [&str]| {
        run(async move {
            let (proxy, heard) = answering(None, answer).await;
            let place = format!("127.0.0.1:{proxy}");
            let start = Instant::now();
            let answer =
                dry_run(9, None, &through(&format!("http://{credentials}{place}"), "")).await;
            let why = why_not_sent(&answer);
            for word in words.iter().chain(&[format!("`http://{place}`").as_str()]) {
                assert!(why.contains(word), "`{why}` does not say `{word}`");
            }
            assert!(!why.contains("secret"), "{why}");
            assert!(start.elapsed() < SECURE, "{:?}", start.elapsed());
            let asked_once = heard.borrow().matches("CONNECT").count() == 1;
            assert!(asked_once, "nothing retries inside of one attempt");
        });
    };
    let wants = b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n";
    check("", wants, &["wants credentials", "407", "`http://user:password@host:port`"]);
    check("user:secret@", wants, &["does not accept the credentials", "407", "percent-encoded"]);
    let refuses = b"HTTP/1.1 403 Forbidden\r\n\r\n<html>blocked</html>";
    check("user:secret@", refuses, &["refuses a tunnel to `localhost:9`", "403", "allow CONNECT"]);
    check("", b"HTTP/1.0 502 Bad Gateway\r\n\r\n", &["refuses a tunnel", "502"]);
    check("", b"", &["closed the connection without an answer"]);
    check("", b"HTTP/1.1 200 OK\r\n\r\nhello", &["is not an HTTP proxy"]);
    check("", b"HTTP/2 200\r\n\r\n", &["is not an HTTP proxy"]);
    check("", b"HTTP/1.1 2000 OK\r\n\r\n", &["is not an HTTP proxy"]);
    check("", b"220 smtp.example.com ready\r\n\r\n", &["is not an HTTP proxy"]);
    check("", &[b'x'; 20_000], &["is not an HTTP proxy"]);
    check("", b"HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\n\r\n", &["301"]);
}

#[test]
fn a_proxy_that_says_nothing_is_given_up_before_the_attempt_is() {
    run(async {
        // It takes connections and never reads.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let proxy = listener.local_addr().expect("bound");
        let start = Instant::now();
        let answer = dry_run(9, None, &through(&format!("http://{proxy}"), "")).await;
        let why = why_not_sent(&answer);
        assert!(why.contains(&format!("proxy `http://{proxy}` did not carry")), "{why}");
        assert!(start.elapsed() >= SECURE && start.elapsed() < ATTEMPT);
    });
}

fn environment(variables: &[(&str, &str)]) -> Surroundings {
    let of = |name: &str| {
        variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned())
    };
    Surroundings {
        https_proxy: of("HTTPS_PROXY").map(Into::into),
        all_proxy: of("ALL_PROXY").map(Into::into),
        no_proxy: of("NO_PROXY"),
        ..Surroundings::default()
    }
}

fn production(proxy: ProxyChoice) -> CloudSettings {
    CloudSettings { proxy, ..settings(None) }
}

#[test]
fn the_environment_names_a_proxy_only_where_the_seller_asked_for_it() {
    let of = |choice: ProxyChoice, variables: &[(&str, &str)]| {
        cloud_of(production(choice), environment(variables)).0.proxy()
    };
    let both = [("HTTPS_PROXY", "http://a:1"), ("ALL_PROXY", "http://b:1"), ("NO_PROXY", "c.d")];
    assert_eq!(of(ProxyChoice::None, &both), Ok(Proxy::Direct));
    let url = |url| ProxyUrl::read(url).expect("it can be read");
    let sellers = ProxyChoice::Url(url("http://s:1"), NoProxy::read("e.f"));
    assert_eq!(of(sellers, &both), Ok(through("http://s:1", "e.f")));
    assert_eq!(of(ProxyChoice::Environment, &both), Ok(through("http://a:1", "c.d")));
    assert_eq!(of(ProxyChoice::Environment, &both[1..]), Ok(through("http://b:1", "c.d")));
    assert_eq!(of(ProxyChoice::Environment, &both[2..]), Ok(Proxy::Direct));
}

#[test]
fn a_variable_that_names_no_proxy_of_ours_is_named_before_anything_is_sent() {
    for (variable, url, word) in [
        ("ALL_PROXY", "socks5h://user:secret@proxy:1080", "SOCKS"),
        ("HTTPS_PROXY", "https://user:secret@proxy:443", "`https://`"),
        ("HTTPS_PROXY", "http://user:secret@a b", "not the URL of a proxy"),
    ] {
        let there = environment(&[(variable, url)]);
        let cloud = cloud_of(production(ProxyChoice::Environment), there);
        let why = cloud.0.clients().err().expect("there are no clients without their proxy");
        assert!(why.contains(variable) && why.contains(word), "{why}");
        assert!(!why.contains("secret"), "{why}");
    }
}

/// T64: 169.254.x.x is not asked for through a proxy, with or without `NO_PROXY`.
#[test]
fn metadata_and_credentials_are_never_asked_for_through_a_proxy() {
    run(async {
        let platform = Canned::start(vec![]).await;
        let proxy = Canned::start(vec![Act::ok("{}")]).await;
        let there = Surroundings {
            ecs_metadata: Some("http://169.254.170.2/v4".to_owned()),
            ecs_credentials: Some("/credentials".to_owned()),
            ..environment(&[("HTTPS_PROXY", &proxy.url()), ("ALL_PROXY", &proxy.url())])
        };
        let cloud = cloud_beside(production(ProxyChoice::Environment), there, &platform);
        let identity = cloud.identify().await;
        assert!(identity.is_ok(), "{identity:?}");
        assert_eq!(platform.lines(), ["GET /v4/task", "GET /credentials"]);
        assert!(proxy.requests().is_empty(), "{:?}", proxy.lines());
    });
}

/// A sandbox is on loopback: no proxy could reach it, and none is asked.
#[test]
fn a_sandbox_is_never_called_through_a_proxy() {
    run(async {
        let server = Canned::start(vec![Act::error(400, "DryRunOperation")]).await;
        let proxy = Canned::start(vec![]).await;
        let sandbox = CloudSettings {
            proxy: ProxyChoice::Url(
                ProxyUrl::read(&proxy.url()).expect("it can be read"),
                NoProxy::default(),
            ),
            ..settings(Some(format!("{}/t/app", server.url())))
        };
        let cloud = cloud_of(sandbox, Surroundings::default());
        let answer = cloud.register("abc".into(), KEY.public()).await;
        assert_eq!(server.calls().len(), 1, "{answer:?}");
        assert!(proxy.requests().is_empty(), "{:?}", proxy.lines());
    });
}
