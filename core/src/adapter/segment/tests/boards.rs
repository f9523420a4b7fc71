//! Board, anchor and beat: never half-written, whoever dies.

use super::{
    super::{
        super::fork::testing::{child, turn},
        boards::{ACCOUNTS, NAME_BYTES},
    },
    *,
};
use crate::model::{time::Timestamp, usage::Account};
use std::{
    sync::atomic::AtomicBool,
    thread::{scope, sleep},
    time::Duration,
};

/// A board whose every number is `n`, and whose length follows it.
fn board(n: u64) -> Board {
    let account = |at: u64| Account {
        dimension: format!("{at}-").repeat(1 + (n % 7) as usize),
        added: n,
        open: n,
        pending: n,
        delivered: n,
        disputed: n,
        held: n,
        missed: n,
    };
    Board { accounts: (0..n % 11).map(account).collect(), captured: n, entitled: n % 2 == 1 }
}

fn anchor(n: i64) -> Anchor {
    Anchor { time: Timestamp(n), boot_ms: -n, boot: n.cast_unsigned() }
}

#[test]
fn what_is_shown_is_read() {
    let segment = in_memory();
    assert_eq!((segment.read_board(), segment.anchor()), (Board::default(), None));
    for n in [0, 5, 10, u64::MAX] {
        assert!(segment.write_board(&board(n)));
        assert_eq!(segment.read_board(), board(n));
    }
    segment.set_anchor(anchor(1_800_000_000_000));
    assert_eq!(segment.anchor(), Some(anchor(1_800_000_000_000)));
    // Neighbours in the file do not touch each other.
    add(&segment, 3);
    assert_eq!((peek(&segment), segment.read_board()), (3, board(u64::MAX)));
}

#[test]
fn a_full_board_fits_and_what_does_not_is_left_out_with_a_word() {
    let segment = in_memory();
    let account = |length: usize| Account { dimension: "d".repeat(length), ..Account::default() };
    let full = Board { accounts: vec![account(NAME_BYTES); ACCOUNTS], ..Board::default() };
    assert!(segment.write_board(&full));
    assert_eq!(segment.read_board(), full);
    let more = Board { accounts: vec![account(1); ACCOUNTS + 1], ..Board::default() };
    assert!(!segment.write_board(&more));
    assert_eq!(segment.read_board().accounts.len(), ACCOUNTS);
    let long =
        Board { accounts: vec![account(NAME_BYTES + 1), account(2)], captured: 4, entitled: true };
    assert!(!segment.write_board(&long));
    let kept = Board { accounts: vec![account(2)], ..long };
    assert_eq!(segment.read_board(), kept);
}

#[test]
fn a_board_is_never_seen_half_written() {
    let segment = in_memory();
    segment.write_board(&board(1));
    let done = AtomicBool::new(false);
    scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut seen, mut changes) = (1, 0);
            while !done.load(Relaxed) {
                let read = segment.read_board();
                assert_eq!(read, board(read.captured));
                assert!(read.captured >= seen, "boards do not go back");
                changes += u64::from(read.captured > seen);
                seen = read.captured;
            }
            changes
        });
        for n in 2..5_000 {
            segment.write_board(&board(n));
            sleep(Duration::from_micros(20)); // a reader that never finds a quiet moment sees no board at all
        }
        done.store(true, Relaxed);
        assert!(reader.join().expect("it reads whole boards") > 100);
    });
}

#[test]
fn a_spoiled_copy_is_not_read_and_the_other_one_is() {
    let segment = in_memory();
    segment.write_board(&board(9));
    segment.write_board(&board(10));
    let words = segment.map.words(layout::BOARD);
    let at = words
        .iter()
        .rposition(|word| word.load(Relaxed) == 10)
        .expect("a number of the newest board");
    words[at].store(11, Relaxed);
    assert_eq!(segment.read_board(), board(9));
}

#[test]
fn anchors_of_two_writers_do_not_mix() {
    let segment = in_memory();
    let done = AtomicBool::new(false);
    scope(|scope| {
        let write = |from: i64| {
            let segment = &segment;
            scope.spawn(move || (from..from + 100_000).for_each(|n| segment.set_anchor(anchor(n))))
        };
        let reader = scope.spawn(|| {
            let mut read = 0;
            while !done.load(Relaxed) {
                if let Some(seen) = segment.anchor() {
                    assert_eq!(seen, anchor(seen.time.0));
                    read += 1;
                }
            }
            read
        });
        let writers = [write(1), write(1_000_000)];
        writers.into_iter().for_each(|writer| writer.join().expect("it writes"));
        done.store(true, Relaxed);
        assert!(reader.join().expect("it reads whole anchors") > 100);
    });
    segment.set_anchor(anchor(7));
    assert_eq!(segment.anchor(), Some(anchor(7)), "a calm writer is always heard");
}

#[test]
fn a_writer_that_is_killed_leaves_a_whole_board() {
    let _turn = turn();
    let segment = in_memory();
    let mut last = 0;
    for round in 1..=40 {
        let writer = child(|| {
            let from = segment.read_board().captured + 1;
            (from..).all(|n| segment.write_board(&board(n)));
            true
        });
        sleep(Duration::from_millis(5));
        writer.signal(libc::SIGKILL);
        assert!(!writer.good());
        let read = segment.read_board();
        assert_eq!(read, board(read.captured), "round {round}");
        assert!(read.captured >= last);
        last = read.captured;
    }
    assert!(last > 40, "the writers wrote: {last}");
    assert!(segment.write_board(&board(3)), "and the next one is heard");
    assert_eq!(segment.read_board(), board(3));
}

#[test]
fn a_beat_ages_and_does_not_outlive_the_computer() {
    let segment = in_memory();
    assert_eq!(segment.beat_age(5_000), None);
    segment.beat(5_000);
    assert_eq!(segment.beat_age(5_000), Some(0));
    assert_eq!(segment.beat_age(6_500), Some(1_500));
    assert_eq!(segment.beat_age(10), None, "the computer has started anew");
}
