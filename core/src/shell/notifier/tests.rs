use super::*;
use std::sync::{
    atomic::{AtomicU64, Ordering},
    mpsc,
};

fn license() -> License {
    License::starting(Timestamp(0), true)
}

fn no_wake() -> io::Result<Box<dyn Wake>> {
    Err(io::Error::other("none in this test"))
}

fn notice(kind: EventKind, text: &str) -> Notice {
    let license = Arc::new(license());
    let details = serde_json::Map::new();
    Notice { kind, old: license.clone(), license, text: text.into(), details }
}

/// A notifier whose thread runs until it is stopped.
fn running(listener: Option<Arc<dyn Listener>>) -> (Arc<Notifier>, thread::JoinHandle<()>) {
    let notifier = Arc::new(Notifier::new(license(), listener, no_wake));
    let on_thread = notifier.clone();
    let thread = thread::spawn(move || on_thread.run());
    while notifier.lock().thread.is_none() {
        thread::yield_now();
    }
    (notifier, thread)
}

fn collecting() -> (Arc<dyn Listener>, mpsc::Receiver<String>) {
    let (send, receive) = mpsc::channel();
    let send = Mutex::new(send);
    let listener = move |event: &Event| {
        let _ = send.lock().expect("one listener").send(event.text.clone());
    };
    (Arc::new(listener), receive)
}

const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_listener_hears_events_in_order_and_a_late_one_the_state_first() {
    let (listener, heard) = collecting();
    let (notifier, thread) = running(Some(listener));
    notifier.announce(notice(EventKind::VerdictChanged, "one"), Timestamp(1));
    assert_eq!(heard.recv_timeout(SOON).as_deref(), Ok("one"));
    let (late, heard_late) = collecting();
    notifier.subscribe(late);
    assert!(heard_late.recv_timeout(SOON).expect("the state").contains("pending"));
    notifier.announce(notice(EventKind::SeatLost, "two"), Timestamp(2));
    assert_eq!(heard_late.recv_timeout(SOON).as_deref(), Ok("two"));
    notifier.stop(SOON);
    thread.join().expect("it ends");
}

#[test]
fn a_stop_before_the_thread_has_begun_still_hands_out_what_waits() {
    let (listener, heard) = collecting();
    let notifier = Arc::new(Notifier::new(license(), Some(listener), no_wake));
    notifier.announce(notice(EventKind::VerdictChanged, "denied"), Timestamp(1));
    let late = notifier.clone();
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50)); // a busy machine
        late.run();
    });
    notifier.stop(SOON);
    thread.join().expect("it ends");
    assert_eq!(heard.try_recv().as_deref(), Ok("denied"));
}

#[test]
fn a_slow_listener_gets_the_newest_event_of_each_topic_and_memory_does_not_grow() {
    let notifier = Notifier::new(license(), None, no_wake);
    assert!(notifier.next_event(Some(Duration::ZERO)).is_some(), "the state comes first");
    for n in 0..10_000 {
        notifier.announce(notice(EventKind::VerdictChanged, &format!("verdict {n}")), Timestamp(n));
        notifier.announce(notice(EventKind::UsageCarried, &format!("usage {n}")), Timestamp(n));
    }
    let next = || notifier.next_event(Some(Duration::ZERO)).map(|event| event.text);
    assert_eq!(next().as_deref(), Some("verdict 9999"));
    assert_eq!(next().as_deref(), Some("usage 9999"));
    assert_eq!(next(), None);
    assert_eq!(notifier.counts().replaced, 2 * 9_999);
}

#[test]
fn events_about_different_seats_or_entitlements_do_not_replace_each_other() {
    let notifier = Notifier::new(license(), None, no_wake);
    assert!(notifier.next_event(Some(Duration::ZERO)).is_some(), "the state comes first");
    let about = |kind, name: &str, value: u64, text: &str| {
        let mut notice = notice(kind, text);
        notice.details.insert("entitlement".into(), "Seats".into());
        notice.details.insert(name.into(), value.into());
        notifier.announce(notice, Timestamp(1));
    };
    about(EventKind::SeatLost, "seat", 1, "seat 1");
    about(EventKind::SeatLost, "seat", 2, "seat 2");
    about(EventKind::SeatLost, "seat", 1, "seat 1 again");
    about(EventKind::DrawdownLow, "left", 5, "low");
    about(EventKind::DrawdownExhausted, "left", 0, "exhausted");
    let next = || notifier.next_event(Some(Duration::ZERO)).map(|event| event.text);
    let heard: Vec<String> = std::iter::from_fn(next).collect();
    assert_eq!(heard, ["seat 2", "seat 1 again", "exhausted"]);
}

#[test]
fn a_listener_that_never_comes_back_holds_a_bounded_queue() {
    let notifier = Notifier::new(license(), None, no_wake);
    assert!(notifier.next_event(Some(Duration::ZERO)).is_some(), "the state comes first");
    for seat in 0..5_000_u64 {
        let mut notice = notice(EventKind::SeatLost, &format!("seat {seat}"));
        notice.details.insert("seat".into(), seat.into());
        notifier.announce(notice, Timestamp(1));
    }
    let next = || notifier.next_event(Some(Duration::ZERO)).map(|event| event.text);
    let heard: Vec<String> = std::iter::from_fn(next).collect();
    assert_eq!(heard.len(), WAITING_MAX);
    assert_eq!(heard.last().map(String::as_str), Some("seat 4999"), "the newest are kept");
}

#[test]
fn a_listener_that_panics_is_counted_and_the_next_event_still_comes() {
    let (listener, heard) = collecting();
    let failing: Arc<dyn Listener> = Arc::new(|_: &Event| panic!("the host's own trouble"));
    let (notifier, thread) = running(Some(failing));
    notifier.subscribe(listener);
    notifier.announce(notice(EventKind::VerdictChanged, "one"), Timestamp(1));
    while heard.recv_timeout(SOON).expect("it comes") != "one" {}
    notifier.stop(SOON);
    thread.join().expect("the thread lives on");
    assert_eq!(notifier.counts().failures, 1);
}

#[test]
fn no_listener_runs_after_unsubscribe_or_stop_has_returned() {
    let runs = Arc::new(AtomicU64::new(0));
    let counted = runs.clone();
    let slow: Arc<dyn Listener> = Arc::new(move |_: &Event| {
        thread::sleep(Duration::from_millis(50));
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let (notifier, thread) = running(None);
    let id = notifier.subscribe(slow.clone());
    while !notifier.listener_runs() {
        thread::yield_now();
    }
    notifier.unsubscribe(id);
    assert_eq!(runs.load(Ordering::SeqCst), 1, "it waited for the running call");
    notifier.announce(notice(EventKind::VerdictChanged, "unheard"), Timestamp(1));
    notifier.subscribe(slow);
    notifier.stop(SOON);
    let after = runs.load(Ordering::SeqCst);
    notifier.announce(notice(EventKind::VerdictChanged, "unheard"), Timestamp(2));
    thread.join().expect("it ends");
    assert_eq!(runs.load(Ordering::SeqCst), after);
}

#[test]
fn a_listener_may_call_the_notifier_back() {
    let (send, heard) = mpsc::channel();
    let send = Mutex::new(send);
    let notifier = Arc::new(Notifier::new(license(), None, no_wake));
    let inside = notifier.clone();
    let listener = move |_: &Event| {
        let id = inside.subscribe(Arc::new(|_: &Event| {}));
        inside.unsubscribe(id);
        assert!(inside.on_own_thread());
        inside.defer(Box::new({
            let send = send.lock().expect("one listener").clone();
            move || send.send("deferred").expect("heard")
        }));
    };
    notifier.subscribe(Arc::new(listener));
    let on_thread = notifier.clone();
    let thread = thread::spawn(move || on_thread.run());
    assert_eq!(heard.recv_timeout(SOON), Ok("deferred"));
    notifier.stop(SOON);
    thread.join().expect("it ends");
}

#[test]
fn waiting_for_an_event_ends_when_the_guard_does() {
    let notifier = Arc::new(Notifier::new(license(), None, no_wake));
    assert!(notifier.next_event(None).is_some());
    let waiting = notifier.clone();
    let thread = thread::spawn(move || waiting.next_event(None));
    thread::sleep(Duration::from_millis(20));
    notifier.stop(Duration::ZERO);
    assert!(thread.join().expect("it returns").is_none());
}
