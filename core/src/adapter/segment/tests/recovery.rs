//! What a new leader finds, and makes of it.

use super::*;

/// A guard's leader died; a new one looks at the same memory.
fn recover(segment: &Arc<Segment>, captured: u64) -> Ring {
    assert!(segment.recover(captured, Hour(90), true).is_empty(), "no header is damaged");
    assert!(segment.ready());
    Segment::counters(segment, false)
}

#[test]
fn a_new_segment_is_ready_after_its_first_leader() {
    let segment = Segment::anonymous().expect("memory");
    assert!(!segment.ready());
    let refused = Segment::adder(&segment).put(ONE, Kind::Sum, 1);
    assert_eq!(refused, Err(CountError::Closed), "zero memory is closed");
    assert_eq!(recover(&segment, 0).hour(), Hour(90));
    add(&segment, 1);
    let closed = Segment::counters(&segment, false).rotate(Hour(91), false).expect("a place");
    assert_eq!((closed.sequence, closed.hour, closed.provisional), (1, Hour(90), true));
}

#[test]
fn a_running_slab_goes_on() {
    let segment = in_memory();
    add(&segment, 5);
    let ring = recover(&segment, 0);
    assert_eq!((ring.hour(), peek(&segment)), (Hour(1), 5));
}

#[test]
fn a_closed_slab_without_a_capture_opens_again_with_its_values() {
    let segment = in_memory();
    add(&segment, 5);
    Segment::counters(&segment, true).close().expect("not captured");
    let ring = recover(&segment, 0);
    add(&segment, 2);
    assert_eq!((ring.hour(), peek(&segment)), (Hour(1), 7));
}

#[test]
fn a_captured_slab_is_followed_by_an_empty_one() {
    let segment = in_memory();
    add(&segment, 5);
    Segment::counters(&segment, true).close().expect("not captured");
    let mut ring = recover(&segment, 1);
    assert_eq!((ring.hour(), peek(&segment)), (Hour(90), 0));
    assert_eq!(ring.uncaptured(), []);
    assert_eq!(ring.rotate(Hour(91), false).expect("a place").sequence, 2);
}

#[test]
fn a_ledger_that_is_ahead_gets_an_empty_slab_with_its_next_number() {
    let segment = in_memory();
    let mut ring = Segment::counters(&segment, false);
    for hour in 2..20 {
        add(&segment, 3);
        let closed = ring.rotate(Hour(hour), false).expect("a place");
        ring.captured(closed.sequence);
    }
    add(&segment, 4); // after a capture of this very slab: the ledger is of another segment
    let mut ring = recover(&segment, 500);
    let old = segment.slot(19, 1).expect("a slot").load(Relaxed);
    assert_eq!(old & OPEN, 0, "what a slow thread would put there would be counted nowhere");
    assert_eq!(peek(&segment), 0, "what stood in its place was captured");
    assert_eq!(ring.rotate(Hour(91), false).expect("a place").sequence, 501);
    assert_eq!(brief(&ring.uncaptured()), [(501, 0)]);
}

#[test]
fn a_rotation_that_died_before_its_end_is_finished_by_the_next_leader() {
    // After publish, before the old slab was closed.
    let segment = in_memory();
    add(&segment, 5);
    segment.name(2, Hour(2), false);
    protocol::prepare(&*segment, 2);
    protocol::publish(&*segment, 2);
    add(&segment, 6);
    let mut ring = recover(&segment, 0);
    assert_eq!(brief(&ring.uncaptured()), [(1, 5)]);
    assert_eq!((ring.hour(), peek(&segment)), (Hour(2), 6));

    // Before publish, with a count that a stalled adder found a way to put there.
    let segment = in_memory();
    add(&segment, 5);
    segment.name(2, Hour(2), false);
    protocol::prepare(&*segment, 2);
    segment.slot(2, 1).expect("a slot").fetch_add(4, Relaxed);
    let mut ring = recover(&segment, 0);
    assert_eq!((ring.hour(), peek(&segment)), (Hour(1), 5));
    assert_eq!(value(&ring.rotate(Hour(91), false).expect("the place is its own")), 5);
    assert_eq!((ring.hour(), peek(&segment)), (Hour(91), 4));
}

#[test]
fn a_rotation_that_died_at_once_does_not_bring_an_old_hour_back() {
    // The place of slab 17 has its number, but holds the captured values of slab 1. Then slab 16 is captured.
    let segment = in_memory();
    let mut ring = Segment::counters(&segment, true);
    for hour in 1..16 {
        add(&segment, 3);
        let closed = ring.rotate(Hour(hour + 1), false).expect("a place");
        ring.captured(closed.sequence);
    }
    segment.name(17, Hour(17), false);
    drop(recover(&segment, 15));
    Segment::counters(&segment, true).close().expect("not captured");
    let ring = recover(&segment, 16);
    assert_eq!((ring.hour(), peek(&segment)), (Hour(90), 0));
}

#[test]
fn a_lost_ledger_can_ask_what_was_captured() {
    let segment = in_memory();
    let mut ring = Segment::counters(&segment, false);
    for hour in 1..=20_i64 {
        add(&segment, hour.cast_unsigned());
        ring.rotate(Hour(hour + 1), false).expect("a place");
        ring.captured(hour.cast_unsigned().saturating_sub(2));
    }
    add(&segment, 21);
    assert_eq!(segment.captured(), 18);
    let known: Vec<_> = (6..=18).map(|n| (n, n)).collect();
    assert_eq!(brief(&segment.captured_slabs()), known);
    // The new ledger goes on behind what the old one had.
    assert_eq!(brief(&recover(&segment, 18).uncaptured()), [(19, 19), (20, 20)]);
    assert_eq!(peek(&segment), 21);
}

#[test]
fn a_damaged_header_is_named_and_its_place_used_again() {
    let segment = in_memory();
    let mut ring = Segment::counters(&segment, false);
    for hour in 2..6 {
        add(&segment, 3);
        ring.rotate(Hour(hour), false).expect("a place");
    }
    let header = |sequence| segment.map.word(layout::header(sequence));
    header(2).store(1 << 40 | 2, Relaxed); // a flipped bit
    header(9).store(77, Relaxed); // in a place that was never used
    assert_eq!(segment.recover(0, Hour(90), false), [2]);
    let mut ring = Segment::counters(&segment, false);
    assert_eq!(brief(&ring.uncaptured()), [(1, 3), (3, 3), (4, 3)]);
    for hour in 6..40 {
        let closed = ring.rotate(Hour(hour), false).expect("no place is lost");
        ring.captured(closed.sequence);
    }
}
