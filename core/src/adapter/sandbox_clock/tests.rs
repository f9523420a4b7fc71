use super::*;
use std::{cell::RefCell, time::Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::timeout,
};

/// A clock that a test moves, served as the sandbox serves its own.
struct Served {
    address: SocketAddr,
    state: Rc<State>,
}

struct State {
    now_ms: Cell<i64>,
    rate: Cell<f64>,
    version: Cell<u64>,
    changed: Notify,
    asked: RefCell<Vec<String>>,
    up: Cell<bool>,
}

impl Served {
    async fn start(now_ms: i64, rate: f64) -> Served {
        Served::on(TcpListener::bind("127.0.0.1:0").await.expect("a port"), now_ms, rate)
    }

    fn on(listener: TcpListener, now_ms: i64, rate: f64) -> Served {
        let address = listener.local_addr().expect("bound");
        let state = Rc::new(State {
            now_ms: Cell::new(now_ms),
            rate: Cell::new(rate),
            version: Cell::new(1),
            changed: Notify::new(),
            asked: RefCell::default(),
            up: Cell::new(true),
        });
        let served = state.clone();
        tokio::task::spawn_local(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let state = served.clone();
                tokio::task::spawn_local(async move {
                    let mut bytes = [0; 2048];
                    while let Ok(n) = stream.read(&mut bytes).await {
                        let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
                        let Some(path) = text.split(' ').nth(1).map(str::to_owned) else { return };
                        if !state.up.get() {
                            return;
                        }
                        state.asked.borrow_mut().push(path.clone());
                        let known = format!("&version={}&", state.version.get());
                        if path.contains(&known) {
                            state.changed.notified().await;
                        }
                        let body = format!(
                            r#"{{"now_ms":{},"rate":{},"version":{}}}"#,
                            state.now_ms.get(),
                            state.rate.get(),
                            state.version.get()
                        );
                        let head =
                            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Served { address, state }
    }

    fn url(&self) -> String {
        format!("http://{}/t/app", self.address)
    }

    fn move_to(&self, now_ms: i64) {
        self.state.now_ms.set(now_ms);
        self.state.version.set(self.state.version.get() + 1);
        self.state.changed.notify_waiters();
    }

    /// Polls that declared rest, as the version that they named.
    fn rests(&self) -> Vec<String> {
        let asked = self.state.asked.borrow();
        let versions = asked.iter().filter_map(|path| path.split("&version=").nth(1));
        versions.filter_map(|rest| rest.split('&').next().map(str::to_owned)).collect()
    }
}

struct Constant;

impl Entropy for Constant {
    fn seed(&self) -> Result<[u8; 32], String> {
        Ok([7; 32])
    }
}

async fn clock(served: &Served) -> SandboxClock {
    SandboxClock::connect(&served.url(), &Constant).await.expect("a loopback address")
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, test)
}

/// Lets the poller and the server have their turns.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(60)).await;
}

const SOON: Duration = Duration::from_secs(2);
const BRIEF: Duration = Duration::from_millis(150);

#[test]
fn the_first_look_is_the_sandboxs_time() {
    run(async {
        let served = Served::start(1_000, 0.0).await;
        assert_eq!(clock(&served).await.now(), Timestamp(1_000));
        let asked = served.state.asked.borrow().clone();
        assert!(
            matches!(&asked[..], [path] if path.starts_with("/_sandbox/clock?follow=")),
            "{asked:?}"
        );
    });
}

#[test]
fn rest_is_declared_only_after_the_driver_has_said_so() {
    run(async {
        let served = Served::start(1_000, 0.0).await;
        let clock = clock(&served).await;
        clock.now();
        settle().await;
        assert!(served.rests().is_empty(), "a busy driver is not at rest");
        clock.at_rest();
        settle().await;
        assert_eq!(served.rests(), ["1"]);
        clock.at_rest();
        settle().await;
        assert_eq!(served.rests(), ["1"], "one poll at a time");
    });
}

#[test]
fn a_move_wakes_the_driver_and_rest_waits_for_its_next_look() {
    run(async {
        let served = Served::start(1_000, 0.0).await;
        let clock = clock(&served).await;
        clock.now();
        clock.at_rest();
        settle().await;
        served.move_to(5_000);
        timeout(SOON, clock.wait(None)).await.expect("a move wakes");
        // The driver has not looked yet: saying "at rest" now would be about the old time.
        clock.at_rest();
        settle().await;
        assert_eq!(served.rests(), ["1"]);
        assert_eq!(clock.now(), Timestamp(5_000));
        clock.at_rest();
        settle().await;
        assert_eq!(served.rests(), ["1", "2"]);
    });
}

#[test]
fn a_wait_that_begins_after_an_unseen_move_ends_at_once() {
    run(async {
        let served = Served::start(1_000, 0.0).await;
        let clock = clock(&served).await;
        clock.now();
        clock.at_rest();
        settle().await;
        served.move_to(5_000);
        settle().await;
        timeout(BRIEF, clock.wait(None)).await.expect("the move was not seen yet");
    });
}

#[test]
fn nothing_ends_a_wait_on_a_frozen_clock_but_a_move() {
    run(async {
        let served = Served::start(1_000, 0.0).await;
        let clock = clock(&served).await;
        clock.now();
        clock.at_rest();
        assert!(timeout(BRIEF, clock.wait(Some(Timestamp(1_001)))).await.is_err());
        timeout(BRIEF, clock.wait(Some(Timestamp(1_000)))).await.expect("it is due already");
    });
}

#[test]
fn a_fast_clock_arrives_early_and_never_before_it_is_due() {
    run(async {
        let served = Served::start(0, 1000.0).await;
        let clock = clock(&served).await;
        let due = clock.now().after(Duration::from_secs(100));
        clock.at_rest();
        let start = Instant::now();
        timeout(SOON, clock.wait(Some(due))).await.expect("100 s are 0.1 s here");
        assert!(clock.now() >= due);
        assert!(start.elapsed() >= Duration::from_millis(90), "{:?}", start.elapsed());
    });
}

#[test]
fn signatures_read_the_same_time_without_counting_as_a_look() {
    run(async {
        let served = Served::start(1_000, 0.0).await;
        let clock = clock(&served).await;
        let reader = clock.reader();
        clock.now();
        clock.at_rest();
        settle().await;
        served.move_to(7_000);
        settle().await;
        assert_eq!(reader(), Timestamp(7_000));
        timeout(BRIEF, clock.wait(None)).await.expect("the driver has not looked");
    });
}

#[test]
fn without_a_sandbox_the_time_is_this_computers_until_it_comes_up() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        drop(listener);
        let url = format!("http://{address}/t/app");
        let clock = SandboxClock::connect(&url, &Constant).await.expect("it is tried again");
        assert_eq!(clock.anchor(), None, "so far it is a guess");
        let real = View::of_this_computer().now();
        assert!(clock.now().since(real) < Duration::from_secs(1));
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let _served = Served::on(listener, 42, 0.0);
        timeout(SOON, clock.wait(None)).await.expect("it came up");
        assert_eq!(clock.now(), Timestamp(42));
        assert!(clock.anchor().is_some());
    });
}

#[test]
fn the_time_is_known_as_soon_as_the_sandbox_has_told_it_and_nobody_else_is_believed() {
    run(async {
        let served = Served::start(1_000, 0.0).await;
        let clock = clock(&served).await;
        let anchor = clock.anchor().expect("the sandbox has told");
        assert_eq!((anchor.time, anchor.boot), (Timestamp(1_000), VIRTUAL));
        clock.adopt(Anchor { time: Timestamp(9_000), ..anchor });
        assert_eq!((clock.now(), clock.behind_ms()), (Timestamp(1_000), 0));
        clock.at_rest();
        settle().await;
        served.move_to(5_000);
        timeout(SOON, clock.wait(None)).await.expect("a move wakes");
        assert_eq!((clock.now(), clock.anchor()), (Timestamp(5_000), Some(anchor)));
    });
}

#[test]
fn a_sandbox_that_goes_away_leaves_its_last_time() {
    run(async {
        let served = Served::start(1_000, 0.0).await;
        let clock = clock(&served).await;
        clock.now();
        clock.at_rest();
        settle().await;
        served.state.up.set(false);
        served.move_to(9_000);
        tokio::time::sleep(Duration::from_millis(700)).await;
        // The answer that was on its way still came; what counts is that nothing broke after it.
        let last = clock.now();
        clock.at_rest();
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(clock.now(), last);
        served.state.up.set(true);
        served.move_to(20_000);
        timeout(SOON, clock.wait(None)).await.expect("it is followed again");
        assert_eq!(clock.now(), Timestamp(20_000));
    });
}

#[test]
fn a_clock_that_is_dropped_takes_leave() {
    run(async {
        let served = Served::start(1_000, 0.0).await;
        let clock = clock(&served).await;
        let name = clock.follower.clone();
        assert!(name.starts_with("app-"), "{name}");
        // `drop` waits for the answer, so the server needs a thread of its own turn.
        drop(clock);
        settle().await;
        let path = format!("/_sandbox/clock/followers/{name}");
        assert!(served.state.asked.borrow().contains(&path), "{:?}", served.state.asked.borrow());
    });
}

#[test]
fn only_a_loopback_address_is_followed() {
    run(async {
        for url in
            ["http://10.0.0.1:4000/t/app", "https://127.0.0.1:4000/t/app", "http://localhost:1/t/a"]
        {
            assert!(SandboxClock::connect(url, &Constant).await.is_err(), "{url}");
        }
    });
}
