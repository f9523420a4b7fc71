//! The ledger over a disk that crashes, fills up and fails, at every single step.

#[path = "../src/vfs/mod.rs"]
mod vfs;

use mpguard_handless::{
    adapter::sqlite_ledger::{OpenError, Opened, SqliteLedger, Who},
    model::{
        books::Books,
        entry::{Entry, Fate},
        ids::{ClientToken, Dimension, RecordId, SeriesId},
        quantity::Units,
        time::{Hour, Timestamp},
        usage::{Lot, Lots, Record, Series, Tags},
    },
    port::ledger::{Ledger, LedgerError},
};
use std::path::Path;
use vfs::{CrashKind, Disk, Fault};

const COMMITS: u64 = 50;
/// Enough for every kind of commit to fail and to be followed by others.
const FEWER: u64 = 12;
const PATH: &str = "/state/ledger.db";

/// What commit number `number` says: an hour in three commits, with every fate in turn.
fn batch(number: u64) -> Vec<Entry> {
    let (round, id) = (number / 3, RecordId(number / 3 + 1));
    let hour = Hour(490_000 + i64::try_from(round).expect("small"));
    let raw = 1000 + round;
    let dimension = Dimension::from("requests");
    match number % 3 {
        0 => {
            let tags = Tags::from([("team".to_owned(), "x".repeat(200))]);
            let series = Series { dimension, tags };
            let name = u32::try_from(round).expect("small");
            let named = Entry::Named(vec![(SeriesId(name), series)]);
            let values = [(SeriesId(name), raw)].into();
            vec![named, Entry::Captured { sequence: round + 1, hour, provisional: false, values }]
        }
        1 => {
            let series = SeriesId(u32::try_from(round).expect("small"));
            let parts = Lots::from([(Lot { hour, series }, raw)]);
            let units = Units { scaled: raw, digits: 0 };
            let client_token = ClientToken::from("client");
            let (allocations, timestamp) = (Vec::new(), hour.end());
            let record =
                Record { id, dimension, hour, timestamp, units, allocations, client_token, parts };
            vec![Entry::Frozen(record), Entry::Begun(id)]
        }
        _ => {
            let why = "no answer".to_owned();
            let fate = match round % 3 {
                0 => Fate::Recorded { record_id: "r".to_owned(), request_id: None },
                1 => Fate::Carried { why: why.clone() },
                _ => Fate::Disputed { why: why.clone() },
            };
            let attempted = Entry::Attempted { record: id, in_doubt: true, why };
            vec![attempted, Entry::Settled { record: id, fate }]
        }
    }
}

/// Books after so many commits.
fn after(commits: u64) -> Books {
    let mut books = Books::default();
    (0..commits).flat_map(batch).for_each(|entry| books.apply(&entry));
    books
}

fn open(disk: &Disk) -> Result<Opened, OpenError> {
    let who = Who { product_code: "3xmpl".to_owned(), identity: None };
    SqliteLedger::open(Path::new(PATH), &who, Box::new(|| true), disk.place())
}

/// Opens and commits until something fails. Returns how many commits were acknowledged.
fn run(disk: &Disk, commits: u64) -> (u64, Result<(), LedgerError>) {
    let mut opened = match open(disk) {
        Ok(opened) => opened,
        Err(why) => return (0, Err(LedgerError::Unwritten(format!("{why:?}")))),
    };
    for number in 0..commits {
        let now = Timestamp(i64::try_from(number).expect("small"));
        if let Err(why) = opened.ledger.commit(&batch(number), now) {
            return (number, Err(why));
        }
    }
    (commits, Ok(()))
}

/// What is wrong after a crash at `step`: the books must be those before or after the commit in flight.
fn crash_at(step: u64, kind: CrashKind, lies: bool) -> Result<(), String> {
    let disk = Disk::new();
    if lies {
        disk.lie();
    }
    disk.plan(step, Fault::Crash);
    let (acknowledged, _) = run(&disk, COMMITS);
    disk.crash(kind, step);
    let found = open(&disk).map_err(|why| format!("step {step}: {why:?}"))?.books;
    if found == after(acknowledged) || found == after(acknowledged + 1) {
        return Ok(());
    }
    Err(format!("step {step}: {acknowledged} commits were acknowledged, {} found", found.captured))
}

fn steps_of(commits: u64) -> u64 {
    let disk = Disk::new();
    assert_eq!(run(&disk, commits), (commits, Ok(())));
    disk.steps()
}

/// T01: killed between any two things that reach the disk.
#[test]
fn a_crash_at_any_step_leaves_the_books_before_or_after_the_commit() {
    let steps = steps_of(COMMITS);
    assert!(steps > COMMITS * 8, "only {steps} steps: does the disk see everything?");
    for kind in [CrashKind::Clean, CrashKind::Torn] {
        for step in 1..=steps {
            crash_at(step, kind, false).unwrap_or_else(|why| panic!("{kind:?}: {why}"));
        }
    }
}

/// The model bites: on a disk that does not do what a sync promises, the same run does fail.
#[test]
fn a_disk_that_lies_about_syncs_is_caught() {
    let steps = steps_of(COMMITS);
    for kind in [CrashKind::Clean, CrashKind::Torn] {
        let all = (steps / 2..steps).step_by(3);
        let caught = all.clone().filter(|step| crash_at(*step, kind, true).is_err()).count();
        assert!(caught * 2 > all.count(), "{kind:?}: only {caught} crashes did harm");
    }
}

/// T04: the caller is told, and once there is room the same batch is written, once.
#[test]
fn a_full_disk_at_any_step_costs_nothing_but_time() {
    fails_and_goes_on(Fault::Full);
}

/// T04 and the failed sync: whatever fails, what was acknowledged survives a power failure afterwards.
#[test]
fn a_failed_write_sync_or_delete_at_any_step_costs_nothing_but_time() {
    fails_and_goes_on(Fault::Io);
}

fn fails_and_goes_on(fault: Fault) {
    let steps = steps_of(FEWER);
    let mut refusals = 0;
    for step in 1..=steps {
        let disk = Disk::new();
        disk.plan(step, fault);
        let mut opened = match open(&disk) {
            Ok(opened) => opened,
            Err(OpenError::Unwritable(_)) => {
                disk.heal();
                open(&disk).unwrap_or_else(|why| panic!("{fault:?} at step {step}: {why:?}"))
            }
            Err(other) => panic!("{fault:?} at step {step}: {other:?}"),
        };
        for number in 0..FEWER {
            let now = Timestamp(i64::try_from(number).expect("small"));
            let mut tries = 0;
            while let Err(why) = opened.ledger.commit(&batch(number), now) {
                let LedgerError::Unwritten(_) = why else { panic!("{fault:?} at {step}: {why:?}") };
                (refusals, tries) = (refusals + 1, tries + 1);
                assert!(tries < 3, "{fault:?} at step {step} never heals: {why:?}");
                disk.heal();
            }
        }
        drop(opened);
        disk.crash(CrashKind::Torn, step);
        let found = open(&disk).unwrap_or_else(|why| panic!("{fault:?} at step {step}: {why:?}"));
        assert!(found.books == after(FEWER), "{fault:?} at step {step}: other books");
    }
    assert!(refusals > steps / 2, "only {refusals} refusals in {steps} steps");
}

/// I10: the second failure comes while the fresh file is being made, at each of its steps.
#[test]
fn a_crash_while_a_poisoned_file_is_replaced_leaves_one_that_opens() {
    let mut crashes = 0;
    for poison in 0..24 {
        for late in 4..45 {
            let disk = Disk::new();
            let mut opened = open(&disk).expect("a new ledger");
            for number in 0..9 {
                opened.ledger.commit(&batch(number), Timestamp(1)).expect("written");
            }
            let start = disk.steps();
            // Three in a row: SQLite cannot roll back either, and its journal stays hot.
            (1..=3).for_each(|more| disk.plan(start + poison + more, Fault::Io));
            let first = opened.ledger.commit(&batch(9), Timestamp(2));
            disk.heal();
            let start = disk.steps();
            // Closing the old connection fails to roll back as well, two times in three.
            (1..=late % 3).for_each(|more| disk.plan(start + more, Fault::Io));
            let failures = disk.faults() + late % 3;
            disk.plan(start + late, Fault::Crash);
            let second =
                opened.ledger.commit(&batch(if first.is_ok() { 10 } else { 9 }), Timestamp(3));
            let acknowledged = 9 + u64::from(first.is_ok()) + u64::from(second.is_ok());
            drop(opened);
            crashes += disk.faults().saturating_sub(failures);
            disk.crash(CrashKind::Torn, poison * 40 + late);
            let found = open(&disk).unwrap_or_else(|why| panic!("{poison} {late}: {why:?}")).books;
            let fits = found == after(acknowledged) || found == after(acknowledged + 1);
            assert!(fits, "poisoned at {poison}, crashed at {late}: books of another commit");
        }
    }
    assert!(crashes > 300, "only {crashes} crashes came after a failure");
}
