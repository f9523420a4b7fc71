//! The virtual clock and its followers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{HOUR_MS, Stage, start_ms};

/// A program that lives by the clock: after each change it works for `work`, then polls again.
struct Follower {
    stop: Arc<AtomicBool>,
    finished_ms: Arc<AtomicU64>,
    thread: Option<JoinHandle<Vec<i64>>>,
}

impl Follower {
    fn start(stage: &Arc<Stage>, name: &str, work: Duration) -> Self {
        let (stop, finished_ms) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stage, stopped, finished) = (stage.clone(), stop.clone(), finished_ms.clone());
        let name = name.to_owned();
        let thread = std::thread::spawn(move || {
            let (mut version, mut seen) = (0, Vec::new());
            while !stopped.load(Ordering::SeqCst) {
                let path = format!("clock?follow={name}&version={version}&wait_ms=20000");
                let reading = stage.get(&path);
                if reading["version"] == version {
                    continue;
                }
                std::thread::sleep(work);
                version = reading["version"].as_u64().expect("a version");
                seen.push(reading["now_ms"].as_i64().expect("a time"));
                finished.store(reading["now_ms"].as_u64().expect("a time"), Ordering::SeqCst);
            }
            seen
        });
        Self { stop, finished_ms, thread: Some(thread) }
    }

    /// The last moment whose work is done.
    fn finished_ms(&self) -> i64 {
        i64::try_from(self.finished_ms.load(Ordering::SeqCst)).expect("a time")
    }

    fn stop(mut self, stage: &Stage) -> Vec<i64> {
        self.stop.store(true, Ordering::SeqCst);
        stage.post("clock", json!({}));
        self.thread.take().expect("stopped once").join().expect("the follower ends well")
    }
}

fn wait_for_followers(stage: &Stage, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let followers = stage.get("clock/followers");
        let version = stage.get("clock")["version"].clone();
        let at_rest = |follower: &&Value| {
            follower["rest_version"] == version && follower["connected"] == true
        };
        let list = followers["followers"].as_array().expect("a list");
        if list.iter().filter(at_rest).count() == count {
            return;
        }
        assert!(Instant::now() < deadline, "followers never came to rest: {followers}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_frozen_clock_stands_and_moves_only_when_told() {
    let stage = Stage::frozen();
    let first = stage.get("clock");
    assert_eq!(first["now_ms"], start_ms());
    assert_eq!(first["rate"], 0);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(stage.get("clock"), first);
    let advanced = stage.post("clock/advance", json!({"by_ms": HOUR_MS, "step_ms": HOUR_MS}));
    assert_eq!(advanced["now_ms"], start_ms() + HOUR_MS);
    assert_eq!(advanced["settled"], true);
    assert_eq!(stage.get("clock")["version"], first["version"].as_u64().expect("a version") + 1);
}

#[test]
fn a_clock_with_a_rate_runs_that_much_faster() {
    let stage = Stage::frozen();
    let began = Instant::now();
    stage.post("clock", json!({"rate": 3600}));
    let before = stage.get("clock")["now_ms"].as_i64().expect("a time");
    std::thread::sleep(Duration::from_millis(100));
    let after = stage.post("clock", json!({"rate": 0}))["now_ms"].as_i64().expect("a time");
    let most = i64::try_from(began.elapsed().as_millis()).expect("a short while") * 3600 + 3600;
    let passed = after - before;
    assert!((360_000..most).contains(&passed), "100 ms became {passed} ms");
    assert_eq!(stage.get("clock")["now_ms"], after);
    assert_eq!(stage.post("clock", json!({"now_ms": 5000}))["now_ms"], 5000);
}

#[test]
fn every_answer_carries_the_virtual_time_in_its_date() {
    let stage = Stage::frozen();
    let got = stage.control("GET", "clock", None);
    assert_eq!(got.header("date"), Some("Thu, 01 Jan 2026 10:00:00 GMT"));
}

#[test]
fn an_advance_waits_for_each_follower_after_each_step() {
    let stage = Arc::new(Stage::frozen());
    let slow = Follower::start(&stage, "slow", Duration::from_millis(40));
    let quick = Follower::start(&stage, "quick", Duration::ZERO);
    wait_for_followers(&stage, 2);
    let before = stage.get("clock")["now_ms"].as_i64().expect("a time");
    for step in 1..=3 {
        let advanced =
            stage.post("clock/advance", json!({"by_ms": 3 * HOUR_MS, "step_ms": HOUR_MS}));
        assert_eq!(advanced["settled"], true);
        let now_ms = before + step * 3 * HOUR_MS;
        assert_eq!((slow.finished_ms(), quick.finished_ms()), (now_ms, now_ms));
    }
    let hours: Vec<i64> = (0..=9).map(|hour| before + hour * HOUR_MS).collect();
    assert_eq!(slow.stop(&stage)[..10], hours);
    assert_eq!(quick.stop(&stage)[..10], hours);
}

#[test]
fn a_change_of_the_clock_is_worked_off_before_the_next_advance_begins() {
    let stage = Arc::new(Stage::frozen());
    let follower = Follower::start(&stage, "slow", Duration::from_millis(80));
    wait_for_followers(&stage, 1);
    stage.post("clock", json!({"now_ms": start_ms() + 1}));
    stage.post("clock/advance", json!({"by_ms": 1, "step_ms": 1}));
    let seen = follower.stop(&stage);
    assert_eq!(seen[..3], [start_ms(), start_ms() + 1, start_ms() + 2]);
}

#[test]
fn a_settle_waits_without_moving() {
    let stage = Arc::new(Stage::frozen());
    let follower = Follower::start(&stage, "slow", Duration::from_millis(60));
    wait_for_followers(&stage, 1);
    let version = stage.get("clock")["version"].as_u64().expect("a version");
    let settled = stage.post("clock/settle", json!({}));
    assert_eq!(settled["settled"], true);
    assert_eq!(settled["now_ms"], start_ms());
    assert_eq!(settled["version"], version + 1);
    assert_eq!(follower.stop(&stage).len(), 3);
}

#[test]
fn concurrent_advances_add_up_and_do_not_interleave() {
    let stage = Arc::new(Stage::frozen());
    let follower = Follower::start(&stage, "one", Duration::from_millis(2));
    wait_for_followers(&stage, 1);
    let advance = |by_ms: i64| {
        let stage = stage.clone();
        std::thread::spawn(move || {
            stage.post("clock/advance", json!({"by_ms": by_ms, "step_ms": by_ms / 4}))
        })
    };
    let (first, second) = (advance(4000), advance(40_000));
    let settled =
        [first, second].map(|thread| thread.join().expect("an answer")["settled"].clone());
    assert_eq!(settled, [true, true]);
    let seen = follower.stop(&stage);
    let steps: Vec<i64> = seen.windows(2).map(|pair| pair[1] - pair[0]).take(8).collect();
    let (one, other) = (vec![1000; 4], vec![10_000; 4]);
    assert!(
        steps == [one.clone(), other.clone()].concat() || steps == [other, one].concat(),
        "{steps:?}"
    );
}

#[test]
fn a_follower_that_never_comes_to_rest_is_waited_for_once_and_then_forgotten() {
    let stage = Stage::frozen();
    // It saw the version and is at work ever since: no open poll, not at rest.
    stage.get("clock?follow=stuck&version=0");
    let began = Instant::now();
    let advanced =
        stage.post("clock/advance", json!({"by_ms": 10, "step_ms": 1, "settle_ms": 400}));
    assert_eq!(advanced["settled"], false);
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(400) && took < Duration::from_millis(3000), "{took:?}");
    let again = stage.post("clock/advance", json!({"by_ms": 1, "settle_ms": 5000}));
    assert_eq!(again["settled"], true);
    assert_eq!(stage.get("clock/followers")["followers"], json!([]));
}

#[test]
fn a_follower_whose_connection_broke_is_given_up_long_before_the_limit() {
    let stage = Stage::frozen();
    let mut stream = TcpStream::connect(stage.sandbox.address()).expect("a connection");
    let version = stage.get("clock")["version"].clone();
    let request = format!(
        "GET /_sandbox/clock?follow=dead&version={version} HTTP/1.1\r\nHost: sandbox\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    wait_for_followers(&stage, 1);
    drop(stream);
    let began = Instant::now();
    let advanced = stage.post("clock/advance", json!({"by_ms": 1, "settle_ms": 5000}));
    assert_eq!(advanced["settled"], true);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_follower_that_polls_again_after_a_broken_connection_is_still_waited_for() {
    let stage = Arc::new(Stage::frozen());
    let mut stream = TcpStream::connect(stage.sandbox.address()).expect("a connection");
    let version = stage.get("clock")["version"].clone();
    let request = format!(
        "GET /_sandbox/clock?follow=back&version={version} HTTP/1.1\r\nHost: sandbox\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    wait_for_followers(&stage, 1);
    drop(stream);
    let follower = Follower::start(&stage, "back", Duration::from_millis(700));
    std::thread::sleep(Duration::from_millis(100));
    let advanced = stage.post("clock/advance", json!({"by_ms": 1, "settle_ms": 5000}));
    assert_eq!(advanced["settled"], true);
    assert_eq!(follower.finished_ms(), start_ms() + 1);
    follower.stop(&stage);
}

#[test]
fn a_poll_ends_after_its_wait_and_the_follower_stays_at_rest() {
    let stage = Stage::frozen();
    let version = stage.get("clock")["version"].clone();
    let reading = stage.get(&format!("clock?follow=one&version={version}&wait_ms=30"));
    assert_eq!(reading["version"], version);
    let followers = stage.get("clock/followers");
    assert_eq!(
        followers["followers"],
        json!([{"name": "one", "rest_version": version, "connected": false}])
    );
    assert_eq!(stage.control("DELETE", "clock/followers/one", None).good()["forgotten"], true);
    assert_eq!(stage.get("clock/followers")["followers"], json!([]));
}

#[test]
fn an_answer_that_is_read_late_still_counts_as_an_answer() {
    let stage = Stage::frozen();
    let mut stream = TcpStream::connect(stage.sandbox.address()).expect("a connection");
    let version = stage.get("clock")["version"].clone();
    let request = format!(
        "GET /_sandbox/clock?follow=late&version={version} HTTP/1.1\r\nHost: sandbox\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    wait_for_followers(&stage, 1);
    // It is answered but works on: the settle may end only at its limit.
    let advanced = stage.post("clock/advance", json!({"by_ms": 1, "settle_ms": 700}));
    assert_eq!(advanced["settled"], false);
    let mut buffer = [0; 1024];
    let length = stream.read(&mut buffer).expect("an answer");
    assert!(String::from_utf8_lossy(&buffer[..length]).contains("\"version\""));
}

#[test]
fn a_reset_keeps_time_and_connected_followers() {
    let stage = Arc::new(Stage::frozen());
    stage.get("clock?follow=absent&version=0");
    let follower = Follower::start(&stage, "here", Duration::ZERO);
    wait_for_followers(&stage, 1);
    stage.post("reset", json!({}));
    wait_for_followers(&stage, 1);
    let followers = stage.get("clock/followers");
    assert_eq!(followers["followers"].as_array().map(Vec::len), Some(1));
    assert_eq!(stage.get("clock")["now_ms"], start_ms());
    assert_eq!(stage.get("products"), json!({"products": []}));
    follower.stop(&stage);
}

#[test]
fn a_senseless_order_to_the_clock_is_refused_with_the_way_out() {
    let stage = Stage::frozen();
    let refused = |path: &str, body: Value| stage.refused(path, body);
    assert!(refused("clock", json!({"rate": -1})).contains("use 0 to freeze"));
    assert!(refused("clock", json!({"now_ms": -1})).contains("epoch milliseconds"));
    assert!(refused("clock", json!({"speed": 1})).contains("unknown field `speed`"));
    assert!(refused("clock/advance", json!({"by_ms": -1})).contains("set now_ms to go back"));
    assert!(
        refused("clock/advance", json!({"by_ms": HOUR_MS, "step_ms": 0}))
            .contains("longer step_ms")
    );
    assert!(refused("clock/advance", json!({})).contains("by_ms"));
}

#[test]
fn a_forgotten_follower_is_known_again_with_its_next_poll() {
    let stage = Arc::new(Stage::frozen());
    let slow = Follower::start(&stage, "slow", Duration::from_millis(400));
    wait_for_followers(&stage, 1);
    let advance =
        |settle_ms: u64| stage.post("clock/advance", json!({"by_ms": 1, "settle_ms": settle_ms}));
    assert_eq!(advance(50)["settled"], false);
    assert_eq!(stage.get("clock/followers")["followers"], json!([]));
    wait_for_followers(&stage, 1);
    assert_eq!(advance(5000)["settled"], true);
    assert_eq!(slow.finished_ms(), start_ms() + 2);
    slow.stop(&stage);
}

#[test]
fn a_day_with_many_followers_loses_no_step_and_takes_seconds() {
    let stage = Arc::new(Stage::frozen());
    let start = |n: u64| Follower::start(&stage, &format!("f-{n}"), Duration::from_micros(n * 100));
    let followers: Vec<Follower> = (0..12).map(start).collect();
    wait_for_followers(&stage, followers.len());
    let began = Instant::now();
    for hour in 1..=24 {
        let advanced =
            stage.post("clock/advance", json!({"by_ms": HOUR_MS, "step_ms": HOUR_MS / 4}));
        assert_eq!(advanced["settled"], true);
        let behind = followers
            .iter()
            .filter(|follower| follower.finished_ms() != start_ms() + hour * HOUR_MS);
        assert_eq!(behind.count(), 0, "hour {hour}");
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    for follower in followers {
        let quarters = follower.stop(&stage);
        let steps = quarters.windows(2).filter(|pair| pair[1] - pair[0] == HOUR_MS / 4).count();
        assert_eq!(steps, 96);
    }
}
