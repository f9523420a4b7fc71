//! Real processes: what `add` returned for is counted, whoever is killed.

use super::{
    super::super::fork::testing::{Child, child, turn},
    *,
};
use std::{
    thread::{JoinHandle, sleep, spawn},
    time::{Duration, Instant},
};

/// Adds one, so many times, in so many threads. True when every add was taken.
fn add_in_threads(adder: &Arc<dyn Add>, threads: u64, each: u64) -> bool {
    let add = |_| {
        let adder = adder.clone();
        spawn(move || (0..each).all(|_| adder.put(ONE, Kind::Sum, 1).is_ok()))
    };
    let threads: Vec<JoinHandle<bool>> = (0..threads).map(add).collect();
    threads.into_iter().all(|thread| thread.join().unwrap_or(false))
}

/// Rotates and captures until `until` says so; gives what was in all slabs.
fn lead(segment: &Arc<Segment>, mut until: impl FnMut() -> bool) -> Raw {
    let mut ring = Segment::counters(segment, false);
    let (mut sum, mut hour) = (0, 1);
    while !until() {
        hour += 1;
        if let Some(closed) = ring.rotate(Hour(hour), false) {
            sum += value(&closed);
            ring.captured(closed.sequence);
        }
        sleep(Duration::from_micros(500));
    }
    sum + value(&Segment::counters(segment, true).close().expect("not captured"))
}

#[test]
fn a_million_adds_of_32_threads_in_8_processes_are_exact() {
    // T08. Half of the processes count in what they inherited, half in the file that they opened.
    const EACH: u64 = 1_000_000 / (32 * 8);
    let _turn = turn();
    let folder = Folder::new();
    let (segment, path) = (fresh(&folder), folder.file("usage.seg"));
    let inherited = Segment::adder(&segment);
    let mut children: Vec<Child> = (0..8)
        .map(|number| {
            child(|| {
                let adder = if number % 2 == 0 {
                    inherited.clone()
                } else {
                    Segment::open(&path).map_or(inherited.clone(), |it| Segment::adder(&it))
                };
                add_in_threads(&adder, 32, EACH)
            })
        })
        .collect();
    let rest = 1_000_000 - EACH * 32 * 8;
    assert!(add_in_threads(&inherited, 1, rest));
    let mut started = Instant::now();
    let sum = lead(&segment, || {
        // One child's end is waited for at a time, so that most of the hours pass while they count.
        if started.elapsed() > Duration::from_millis(50) {
            started = Instant::now();
            children.pop().is_some_and(|child| !child.good()) || children.is_empty()
        } else {
            false
        }
    });
    assert!(children.is_empty(), "a child had an add refused");
    assert_eq!(sum, 1_000_000);
}

#[test]
fn eight_threads_and_a_hundred_forks_lose_and_double_nothing() {
    const EACH: u64 = 40_000;
    let _turn = turn();
    let segment = in_memory();
    let adder = Segment::adder(&segment);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let adder = adder.clone();
            spawn(move || (0..EACH).all(|_| adder.put(ONE, Kind::Sum, 1).is_ok()))
        })
        .collect();
    let mut forks = 0;
    let sum = lead(&segment, || {
        if forks < 100 {
            forks += 1;
            // The child's child counts as well.
            let counted = child(|| {
                let put = || (0..500).all(|_| adder.put(ONE, Kind::Sum, 1).is_ok());
                put() && child(put).good()
            });
            assert!(counted.good());
        }
        forks == 100 && threads.iter().all(JoinHandle::is_finished)
    });
    assert!(threads.into_iter().all(|thread| thread.join().expect("it counts")));
    assert_eq!(sum, 8 * EACH + 100 * 1000);
}

#[test]
fn a_kill_takes_nothing_but_what_was_in_flight() {
    // Faults, 1: every add that returned is counted; the one in flight of each thread, once or not at all.
    const THREADS: u32 = 4;
    let _turn = turn();
    let (segment, returned) = (in_memory(), in_memory());
    let (adder, note) = (Segment::adder(&segment), Segment::adder(&returned));
    let mut ring = Segment::counters(&segment, false);
    let (mut sum, mut in_flight) = (0, 0);
    for round in 0..40 {
        let victim = child(|| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (adder, note) = (adder.clone(), note.clone());
                    spawn(move || {
                        while adder.put(ONE, Kind::Sum, 1).is_ok() {
                            let _ = note.put(SeriesId(thread), Kind::Sum, 1);
                        }
                    })
                })
                .collect();
            threads.into_iter().for_each(|thread| drop(thread.join()));
            false
        });
        let start = Instant::now();
        while start.elapsed() < Duration::from_micros(3_000 + round * 137) {
            let closed = ring.rotate(Hour(2), false).expect("all are captured");
            sum += value(&closed);
            ring.captured(closed.sequence);
        }
        victim.signal(libc::SIGKILL);
        assert!(!victim.good());
        in_flight += u64::from(THREADS);
        let counted = sum + peek(&segment);
        let noted: Raw = (0..THREADS).map(|thread| note.peek(SeriesId(thread))).sum();
        assert!(counted >= noted && counted <= noted + in_flight, "{noted} <= {counted}");
    }
    assert!(sum > 1000, "the victims counted {sum}");
}

#[test]
fn leaders_that_are_killed_at_any_moment_lose_and_double_nothing() {
    // The ledger here is shared memory too: counter n holds what slab n had, plus one for "captured".
    const HOURS_A_ROUND: u64 = 60;
    const ROUNDS: u64 = 60;
    const EACH: u64 = 300_000;
    let _turn = turn();
    let (segment, ledger) = (in_memory(), in_memory());
    let rows = Segment::adder(&ledger);
    let row = |sequence: u64| SeriesId(u32::try_from(sequence).unwrap_or(u32::MAX));
    let captured =
        || (1..).take_while(|sequence| rows.peek(row(*sequence)) > 0).last().unwrap_or(0);
    let write =
        |closed: &Closed| rows.put(row(closed.sequence), Kind::Last, value(closed) + 1).is_ok();

    let adder = Segment::adder(&segment);
    let adders: Vec<_> = (0..2).map(|_| child(|| add_in_threads(&adder, 2, EACH))).collect();
    for round in 1..=ROUNDS {
        let leader = child(|| {
            let damaged = segment.recover(captured(), Hour(1), false);
            let mut ring = Segment::counters(&segment, false);
            loop {
                let whole = ring.uncaptured().iter().all(|closed| {
                    let written = write(closed);
                    ring_captured(&segment, closed.sequence);
                    written
                });
                if !whole || !damaged.is_empty() {
                    return true;
                }
                if captured() < round * HOURS_A_ROUND {
                    ring.rotate(Hour(1), false);
                }
            }
        });
        sleep(Duration::from_micros(1_500 + round * 71));
        leader.signal(libc::SIGKILL);
        assert!(!leader.good(), "it found a damaged slab, or could not write");
    }
    assert!(adders.into_iter().all(Child::good), "an add was refused");
    assert!(segment.recover(captured(), Hour(1), false).is_empty());
    let mut ring = Segment::counters(&segment, true);
    assert!(ring.uncaptured().iter().chain(&ring.close()).all(write));
    let last = captured();
    let billed: Raw = (1..=last).map(|sequence| rows.peek(row(sequence)) - 1).sum();
    assert_eq!(billed, 4 * EACH);
    assert!(last > ROUNDS, "{last} hours only");
}

fn ring_captured(segment: &Arc<Segment>, sequence: u64) {
    Segment::counters(segment, false).captured(sequence);
}
