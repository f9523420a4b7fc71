//! How bytes travel: versions of TLS, redirects, bounds and time-outs.

use super::super::{
    AwsCloud,
    client::ATTEMPT,
    http::{CONNECT, Proxy, SECURE},
    plain,
    region::{Region, Said},
    server_time::tests::Bench,
    testing::{
        Act, Canned, KEY, NOW, cloud, run,
        tls::{authority, authority_of, dry_run, dry_run_by, dry_run_of, serve, why_not_sent},
    },
};
use crate::{
    model::{
        outcome::{Details, Failure, FailureClass, Permitted, Registered},
        time::Anchor,
    },
    port::cloud::{Cloud, UsageProbe},
};
use rustls::version::{TLS12, TLS13};
use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

#[test]
fn tls_1_2_and_1_3_are_spoken() {
    for version in [&TLS12, &TLS13] {
        run(async {
            let authority = authority_of("localhost", &[version]);
            let port = serve(authority.acceptor, Rc::default()).await;
            let answer = dry_run(port, Some(&authority.pem), &Proxy::Direct).await;
            assert_eq!(answer, Permitted::Yes, "{version:?}");
        });
    }
}

/// No library would answer like this any more, so the bytes stand here.
#[test]
fn an_older_tls_is_neither_offered_nor_taken() {
    for (version, of_version) in [("TLS 1.1", 2), ("TLS 1.0", 1), ("SSL 3", 0)] {
        run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
            let port = listener.local_addr().expect("bound").port();
            let (said, hello) = tokio::sync::oneshot::channel();
            tokio::task::spawn_local(async move {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut hello = [0; 4096];
                let n = stream.read(&mut hello).await.expect("a ClientHello");
                let _ = said.send(hello[..n].to_vec());
                // Source: RFC 4346, section 7.4.1.3: version, random, session id, cipher suite, compression.
                let mut body = vec![3, of_version];
                body.extend_from_slice(&[7; 32]);
                body.extend_from_slice(&[0, 0xc0, 0x13, 0]);
                let mut answer = vec![22, 3, of_version, 0, 42, 2, 0, 0, 38];
                answer.extend_from_slice(&body);
                let _ = stream.write_all(&answer).await;
                let _ = stream.read(&mut [0; 64]).await;
            });
            let answer = dry_run(port, None, &Proxy::Direct).await;
            let why = why_not_sent(&answer);
            assert!(why.contains("does not speak TLS 1.2 or newer"), "{version}: {why}");
            // Extension 43, `supported_versions`: five bytes, a list of four: 1.3 and 1.2.
            let hello = hello.await.expect("it was sent");
            let offered = [0, 43, 0, 5, 4, 3, 4, 3, 3];
            assert!(hello.windows(offered.len()).any(|part| part == offered), "{hello:?}");
        });
    }
}

#[test]
fn nobody_is_called_without_tls_in_production() {
    run(async {
        let server = Canned::start(vec![Act::ok("{}")]).await;
        let answer = dry_run_of(server.url(), None, &Proxy::Direct, Arc::default()).await;
        let why = why_not_sent(&answer);
        assert!(why.contains("is not called without TLS"), "{why}");
        assert!(server.requests().is_empty(), "{:?}", server.lines());

        // One that answers anything with a captive portal's page.
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let port = listener.local_addr().expect("bound").port();
        let portal = tokio::task::spawn_local(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
            let mut heard = Vec::new();
            let _ = stream.read_to_end(&mut heard).await;
            heard
        });
        let answer = dry_run(port, None, &Proxy::Direct).await;
        let why = why_not_sent(&answer);
        assert!(why.contains("does not speak TLS"), "{why}");
        let heard = portal.await.expect("it ran");
        assert_eq!(heard.first(), Some(&22), "a TLS record: {heard:?}");
        let heard = String::from_utf8_lossy(&heard).into_owned();
        assert!(!heard.contains("POST") && !heard.contains("requests"), "{heard}");
    });
}

fn redirect(status: u16, to: &Canned) -> Act {
    Act::answer(status, &[&format!("location: {}/", to.url())], "")
}

async fn dry(cloud: &AwsCloud) -> Permitted {
    let probe =
        UsageProbe { product: "abc".into(), dimension: "requests".to_owned(), timestamp: NOW };
    cloud.check_usage(probe).await
}

/// T67: whoever answers for AWS cannot send a call on to another server.
#[test]
fn a_redirect_of_http_is_never_followed() {
    for status in [301, 302, 303, 307, 308] {
        run(async {
            let decoy = Canned::start(vec![Act::ok(r#"{"MeteringRecordId":"x"}"#)]).await;
            let answers = vec![redirect(status, &decoy), redirect(status, &decoy)];
            let server = Canned::start(answers).await;
            let cloud = cloud(&server);
            let answer = dry(&cloud).await;
            assert!(matches!(&answer, Permitted::Failed(f) if f.class == FailureClass::Unknown));
            let answer = cloud.details(None).await;
            let failed = |f: &Failure| f.class == FailureClass::Unknown;
            assert!(matches!(&answer, Details::Failed(f) if failed(f)), "{answer:?}");
            assert_eq!(server.calls().len(), 2);

            // STS, as the exchange of a web identity asks it.
            server.then(redirect(status, &decoy));
            let region = Region::read("us-east-1", Said::Region).expect("well formed");
            let sts = cloud.0.clients().and_then(|c| c.tokens(&region)).expect("a client");
            let call = sts.assume_role_with_web_identity().role_arn("a").role_session_name("s");
            assert!(call.web_identity_token("t").send().await.is_err());
            assert_eq!(server.calls().len(), 3);

            // The plain client of metadata and credentials.
            server.at("/latest", redirect(status, &decoy));
            let answer = plain::get(server.address(), "/latest", Duration::from_secs(1)).await;
            assert_eq!(answer.expect_err("it is no 200"), format!("status {status}"));
            assert!(decoy.requests().is_empty(), "{status}: {:?}", decoy.lines());
        });
    }
}

#[test]
fn an_answer_whose_head_never_ends_is_cut_off() {
    let head = format!("HTTP/1.1 200 OK\r\nx-more: {}", "0123456789".repeat(400_000));
    run(async {
        let server = Canned::start(vec![Act::Say(head.clone())]).await;
        server.at("/latest", Act::Say(head));
        let start = Instant::now();
        let answer = cloud(&server).register("abc".into(), KEY.public()).await;
        let Registered::Failed(Failure { class, .. }) = &answer else { panic!("{answer:?}") };
        assert_eq!(*class, FailureClass::Unknown);
        let answer = plain::get(server.address(), "/latest", Duration::from_secs(5)).await;
        assert!(answer.is_err(), "{answer:?}");
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    });
}

#[test]
fn a_head_that_drips_ends_with_the_attempt() {
    run(async {
        let server = Canned::start(vec![Act::Drip("HTTP/1.1 200 OK\r\nx: ".to_owned())]).await;
        server.at("/latest", Act::Drip("HTTP/1.1 200 OK\r\nx: ".to_owned()));
        let cloud = cloud(&server);
        let start = Instant::now();
        let both = async {
            tokio::join!(
                cloud.register("abc".into(), KEY.public()),
                plain::get(server.address(), "/latest", Duration::from_secs(1))
            )
        };
        let both = tokio::time::timeout(ATTEMPT * 2, both).await;
        let (answer, metadata) = both.expect("each ends by itself");
        assert_eq!(metadata.expect_err("it never ends"), "no answer within 1000 ms");
        let Registered::Failed(Failure { class, text }) = &answer else { panic!("{answer:?}") };
        assert_eq!(*class, FailureClass::Unknown);
        assert!(text.contains("did not come in time"), "{text}");
        assert!(start.elapsed() >= ATTEMPT - Duration::from_millis(50));
    });
}

#[test]
fn a_connection_that_does_not_come_to_be_ends_before_its_attempt_and_is_known_as_not_sent() {
    // Source: the call policy, "connect 3 s, TLS 5 s, whole attempt 10 s".
    assert_eq!([CONNECT, SECURE, ATTEMPT].map(|time| time.as_secs()), [3, 5, 10]);
    assert!(CONNECT + SECURE < ATTEMPT);
}

#[test]
fn a_server_that_never_shakes_hands_is_not_sent_anything_and_given_up_soon() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let port = listener.local_addr().expect("bound").port();
        let start = Instant::now();
        let answer = dry_run(port, None, &Proxy::Direct).await;
        let why = why_not_sent(&answer);
        assert!(why.contains("did not finish the TLS handshake"), "{why}");
        assert!(start.elapsed() >= SECURE && start.elapsed() < ATTEMPT);
    });
}

/// T65: certificates are judged by AWS's time where that is known, and by the container's until then.
#[test]
fn certificates_are_judged_by_the_guards_clock() {
    run(async {
        let authority = authority();
        let port = serve(authority.acceptor, Rc::default()).await;
        let computer = Bench::default();
        computer.pass(1_000_000);
        let time = Arc::new(computer.time());
        // A minute after 1970 began no certificate is valid yet.
        let answer = dry_run_by(port, Some(&authority.pem), &Proxy::Direct, time.clone()).await;
        let why = why_not_sent(&answer);
        assert!(why.contains("this container's clock") && why.contains("set the clock"), "{why}");
        time.adopt(Anchor { time: NOW, boot_ms: 1_000_000, boot: 7 });
        let answer = dry_run_by(port, Some(&authority.pem), &Proxy::Direct, time).await;
        assert_eq!(answer, Permitted::Yes);
    });
}

/// Whoever decides about the next try is told only then. Source: the call policy, up to 5 s.
#[test]
fn aws_says_how_long_nobody_is_to_ask_again() {
    let check = |status, code: &'static str, wish: &'static str, from_ms: u64, until_ms: u64| {
        run(async move {
            let body = match code {
                "" => "{}".to_owned(),
                code => format!(r#"{{"__type":"{code}"}}"#),
            };
            let wish = format!("x-amz-retry-after: {wish}");
            let server = Canned::start(vec![Act::answer(status, &[&wish], &body)]).await;
            let cloud = cloud(&server);
            cloud.identify().await.expect("a task of the sandbox");
            let start = Instant::now();
            dry(&cloud).await;
            let took = start.elapsed();
            let expected = Duration::from_millis(from_ms)..Duration::from_millis(until_ms);
            assert!(expected.contains(&took), "{code} {wish}: {took:?}");
        });
    };
    check(400, "ThrottlingException", "1500", 1500, 5000);
    check(429, "", "1500", 1500, 5000);
    check(503, "ServiceUnavailable", "1500", 1500, 5000);
    check(400, "ThrottlingException", "60000", 5000, 9000);
    check(400, "CustomerNotEntitledException", "60000", 0, 4000);
    check(400, "ThrottlingException", "soon", 0, 4000);
}
