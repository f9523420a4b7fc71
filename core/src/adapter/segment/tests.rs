mod boards;
mod files;
mod processes;
mod recovery;

use super::{super::fork::testing::Folder, layout::SLABS, *};
use crate::{
    model::{
        quantity::RAW_MAX,
        usage::{Closed, Kind},
    },
    port::counters::{CountError, Counters},
};

const ONE: SeriesId = SeriesId(1);
const LEDGER: [u8; 16] = *b"ledger-of-a-test";
const IDENTITY: [u8; 16] = *b"identity-of-test";

/// A new file, mapped, its first slab running under hour 1.
fn fresh(folder: &Folder) -> Arc<Segment> {
    let path = folder.file("usage.seg");
    Segment::create(&path, LEDGER, IDENTITY).expect("there is room");
    let segment = Segment::open(&path).expect("it is whole");
    assert!(segment.recover(0, Hour(1), false).is_empty());
    segment
}

/// The same in memory.
fn in_memory() -> Arc<Segment> {
    let segment = Segment::anonymous().expect("memory");
    assert!(segment.recover(0, Hour(1), false).is_empty());
    segment
}

fn add(segment: &Arc<Segment>, value: Raw) {
    Segment::adder(segment).put(ONE, Kind::Sum, value).expect("a slab is open");
}

fn peek(segment: &Arc<Segment>) -> Raw {
    Segment::adder(segment).peek(ONE)
}

fn value(closed: &Closed) -> Raw {
    closed.values.get(&ONE).copied().unwrap_or(0)
}

/// Number and value of each slab.
fn brief(slabs: &[Closed]) -> Vec<(u64, Raw)> {
    slabs.iter().map(|closed| (closed.sequence, value(closed))).collect()
}

#[test]
fn kinds_combine_the_values_of_an_hour() {
    let check = |kind, values: &[u64], whole| {
        let segment = in_memory();
        let adder = Segment::adder(&segment);
        for value in values {
            adder.put(ONE, kind, *value).expect("open");
        }
        assert_eq!(adder.peek(ONE), whole);
        let closed = Segment::counters(&segment, true).rotate(Hour(2), false).expect("a place");
        assert_eq!((closed.sequence, closed.hour, value(&closed)), (1, Hour(1), whole));
        assert_eq!(adder.peek(ONE), 0, "a new hour begins at zero");
    };
    check(Kind::Sum, &[3, 0, 4], 7);
    check(Kind::Max, &[3, 9, 4], 9);
    check(Kind::Last, &[3, 9, 4], 4);
    check(Kind::Sum, &[], 0);
}

#[test]
fn an_overflow_is_refused_whole_and_leaves_the_count() {
    let segment = in_memory();
    let adder = Segment::adder(&segment);
    adder.put(ONE, Kind::Sum, RAW_MAX - 1).expect("fits");
    assert_eq!(adder.put(ONE, Kind::Sum, 2), Err(CountError::Overflow));
    for beyond in [RAW_MAX + 1, i64::MAX as u64, u64::MAX] {
        for kind in [Kind::Sum, Kind::Max, Kind::Last] {
            assert_eq!(adder.put(ONE, kind, beyond), Err(CountError::Overflow), "{beyond}");
        }
    }
    adder.put(ONE, Kind::Sum, 1).expect("fits just");
    assert_eq!(peek(&segment), RAW_MAX);
}

#[test]
fn the_end_of_one_guard_is_not_the_end_of_another() {
    let segment = in_memory();
    let (ending, going_on) = (Segment::adder(&segment), Segment::adder(&segment));
    ending.put(ONE, Kind::Sum, 5).expect("open");
    ending.end();
    assert_eq!(ending.put(ONE, Kind::Sum, 1), Err(CountError::Closed));
    going_on.put(ONE, Kind::Sum, 2).expect("open");
    assert_eq!(going_on.peek(ONE), 7);
    assert_eq!(going_on.put(SeriesId(4096), Kind::Sum, 1), Err(CountError::Closed));
    assert_eq!(going_on.peek(SeriesId(4096)), 0);
    going_on.put(SeriesId(4095), Kind::Sum, 1).expect("the last counter");
}

#[test]
fn a_private_close_is_for_good() {
    let segment = in_memory();
    add(&segment, 5);
    let mut ring = Segment::counters(&segment, true);
    let closed = ring.close().expect("not captured");
    assert_eq!((closed.sequence, value(&closed)), (1, 5));
    let refused = Segment::adder(&segment).put(ONE, Kind::Sum, 1);
    assert_eq!(refused, Err(CountError::Closed));
    assert!(!segment.ready());
    assert_eq!(ring.close(), Some(closed.clone()), "a second close reads the same");
    assert_eq!(ring.uncaptured(), [closed]);
    assert_eq!(ring.rotate(Hour(2), false), None, "nothing opens again");
    ring.captured(1);
    assert_eq!((ring.close(), ring.uncaptured()), (None, vec![]));
}

#[test]
fn a_shared_close_leaves_a_slab_with_the_same_label() {
    let segment = in_memory();
    let mut ring = Segment::counters(&segment, false);
    ring.label(Hour(7), true);
    add(&segment, 5);
    let closed = ring.close().expect("a place");
    assert_eq!((closed.hour, closed.provisional, value(&closed)), (Hour(7), true, 5));
    add(&segment, 6);
    assert_eq!((ring.hour(), peek(&segment)), (Hour(7), 6));
    let next = ring.rotate(Hour(8), false).expect("a place");
    assert_eq!((next.hour, next.provisional, value(&next)), (Hour(7), true, 6));
}

#[test]
fn a_full_ring_goes_on_counting_in_its_last_hour() {
    let segment = in_memory();
    let mut ring = Segment::counters(&segment, false);
    for hour in 1..SLABS as i64 {
        add(&segment, hour.cast_unsigned());
        assert_eq!(ring.rotate(Hour(hour + 1), false).expect("a place").hour, Hour(hour));
    }
    for _ in 0..3 {
        add(&segment, 100);
        assert_eq!(ring.rotate(Hour(17), false), None);
        assert_eq!(ring.close(), None);
        assert_eq!(ring.hour(), Hour(16));
    }
    let waiting = brief(&ring.uncaptured());
    assert_eq!(waiting, (1..16).map(|n| (n, n)).collect::<Vec<_>>(), "oldest first, complete");
    assert_eq!(brief(&ring.uncaptured()), waiting, "a second call gives the same");
    ring.captured(1);
    assert_eq!(value(&ring.rotate(Hour(17), false).expect("one place")), 300);
    assert_eq!(ring.rotate(Hour(18), false), None, "and no second one");
    ring.captured(16);
    assert_eq!(ring.uncaptured(), []);
    assert_eq!(value(&ring.rotate(Hour(18), false).expect("all places")), 0);
}

#[test]
fn adds_of_eight_threads_over_a_thousand_hours_are_all_in_exactly_one_hour() {
    // T07, T08 within one process.
    const EACH: u64 = 50_000;
    let segment = in_memory();
    let mut ring = Segment::counters(&segment, false);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let adder = Segment::adder(&segment);
            std::thread::spawn(move || {
                for _ in 0..EACH {
                    adder.put(ONE, Kind::Sum, 1).expect("a slab is always open");
                }
            })
        })
        .collect();
    let mut sum = 0;
    for hour in 2..1002 {
        let closed = ring.rotate(Hour(hour), false).expect("all are captured");
        sum += value(&closed);
        ring.captured(closed.sequence);
    }
    for thread in threads {
        thread.join().expect("it counts");
    }
    sum += value(&Segment::counters(&segment, true).close().expect("not captured"));
    assert_eq!(sum, 8 * EACH);
}
