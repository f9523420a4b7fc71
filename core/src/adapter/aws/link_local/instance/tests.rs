use super::*;
use crate::adapter::aws::testing::{Act, Canned, run};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

const REGION: &str = "/latest/meta-data/placement/region";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

fn at(address: SocketAddr) -> Instance {
    Instance::at(&LinkLocal::all_at(address))
}

/// What three functions of a start would ask.
async fn ask_all(instance: &Instance) -> (Vec<Result<String, String>>, Duration) {
    let began = Instant::now();
    let mut answers = Vec::new();
    for path in [REGION, "/latest/meta-data/instance-id", ROLES] {
        answers.push(instance.get(path).await);
    }
    (answers, began.elapsed())
}

const PROMISED: Duration = Duration::from_secs(2);

/// T61: a black hole. A hop limit of 1 looks the same: it lets us connect, and the answer dies on its way.
#[test]
fn whoever_accepts_and_never_answers_costs_two_seconds_in_all() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/latest/api/token", Act::Wait(Duration::from_secs(60)));
        let (answers, took) = ask_all(&at(server.address())).await;
        assert!(took < PROMISED, "{took:?}");
        for answer in answers {
            let why = answer.expect_err("nobody answers");
            assert!(why.contains("hop limit may be 1"), "{why}");
        }
        assert_eq!(server.lines().len(), 2, "two tries, and then its silence is known");
    });
}

/// T61: the answer comes a byte at a time, for ever.
#[test]
fn whoever_answers_without_end_costs_two_seconds_in_all() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/latest/api/token", Act::Drip("HTTP/1.1 200 OK\r\n\r\n".to_owned()));
        let (answers, took) = ask_all(&at(server.address())).await;
        assert!(took < PROMISED, "{took:?}");
        assert!(answers.iter().all(Result::is_err));
    });
}

/// T61: packets are dropped, as a network policy does.
#[test]
fn whoever_drops_packets_costs_two_seconds_in_all() {
    run(async {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a loopback port");
        let listener = socket.listen(1).expect("it is bound");
        let address = listener.local_addr().expect("it is bound");
        // Whoever comes after the queue is full gets no answer to its SYN.
        let mut queue = Vec::new();
        while let Ok(Ok(stream)) =
            timeout(Duration::from_millis(200), TcpStream::connect(address)).await
        {
            queue.push(stream);
            assert!(queue.len() < 100, "the queue never fills");
        }
        let (answers, took) = ask_all(&at(address)).await;
        assert!(took < PROMISED, "{took:?}");
        assert!(answers.iter().all(Result::is_err));
    });
}

/// T61: each answer comes, and all of them together come too late.
#[test]
fn whoever_is_slow_costs_two_seconds_in_all() {
    run(async {
        let server = Canned::start(vec![]).await;
        let late = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx".to_owned();
        for path in ["/latest/api/token", REGION, "/latest/meta-data/instance-id", ROLES] {
            server.at(path, Act::Late(Duration::from_millis(500), late.clone()));
        }
        let (answers, took) = ask_all(&at(server.address())).await;
        assert!(took < PROMISED, "{took:?}");
        assert_eq!(answers[0].as_deref(), Ok("x"));
        assert!(answers[2].is_err(), "the time was spent on the others");
    });
}

#[test]
fn where_nobody_listens_the_answer_is_there_at_once() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        drop(listener);
        let (answers, took) = ask_all(&at(address)).await;
        assert!(took < Duration::from_millis(500), "{took:?}");
        assert!(answers.iter().all(Result::is_err));
    });
}

#[test]
fn two_who_ask_at_once_pay_once() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/latest/api/token", Act::Wait(Duration::from_secs(60)));
        let instance = at(server.address());
        let began = Instant::now();
        let (one, other) = tokio::join!(instance.get(REGION), instance.get(ROLES));
        assert!(one.is_err() && other.is_err());
        assert!(began.elapsed() < PROMISED, "{:?}", began.elapsed());
    });
}

/// T61: version 2 only: every read carries a session's token, and a session that ended is replaced.
#[test]
fn a_session_serves_all_and_is_replaced_when_it_is_refused() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/latest/api/token", Act::ok("one"));
        server.at(REGION, Act::ok("eu-west-1"));
        let instance = at(server.address());
        for _ in 0..3 {
            assert_eq!(instance.get(REGION).await.as_deref(), Ok("eu-west-1"));
        }
        let sessions = || server.lines().iter().filter(|line| line.starts_with("PUT")).count();
        assert_eq!(sessions(), 1);
        server.at("/latest/api/token", Act::ok("two"));
        server.once(REGION, Act::answer(401, &[], ""));
        assert_eq!(instance.get(REGION).await.as_deref(), Ok("eu-west-1"));
        assert_eq!(sessions(), 2);
        let last = server.requests().pop().expect("it was asked");
        assert_eq!(last.header("x-aws-ec2-metadata-token"), Some("two"));

        server.at(REGION, Act::answer(401, &[], ""));
        let why = instance.get(REGION).await.expect_err("no session helps");
        assert!(why.contains("status 401"), "{why}");
    });
}

#[test]
fn trouble_that_passes_is_waited_for_and_a_no_is_not() {
    run(async {
        let server = Canned::start(vec![]).await;
        server.at("/latest/api/token", Act::ok("t"));
        server.at(REGION, Act::ok("eu-west-1"));
        server.once("/latest/api/token", Act::answer(503, &[], ""));
        server.once(REGION, Act::answer(500, &[], ""));
        server.once(REGION, Act::answer(429, &[], ""));
        let instance = at(server.address());
        assert_eq!(instance.get(REGION).await.as_deref(), Ok("eu-west-1"));

        let before = server.lines().len();
        let why = instance.get(ROLES).await.expect_err("the instance has no role");
        assert!(why.contains("status 404"), "{why}");
        assert_eq!(server.lines().len(), before + 1, "it is asked once");
        assert_eq!(instance.get(REGION).await.as_deref(), Ok("eu-west-1"), "and it is not silent");
    });
}

#[test]
fn a_token_that_would_be_another_header_is_none() {
    run(async {
        for token in ["", "a b", "a\r\nx-evil: 1"] {
            let server = Canned::start(vec![]).await;
            server.at("/latest/api/token", Act::ok(token));
            let why = at(server.address()).get(REGION).await.expect_err("no token");
            assert!(why.contains("no token"), "{why}");
            assert_eq!(server.lines().len(), 1);
        }
    });
}
