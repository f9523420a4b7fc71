//! Opening what somebody left: nothing, an empty file, a broken one, one of another hand.

use super::{Folder, open, who};
use crate::{
    adapter::sqlite_ledger::{Health, OpenError, Place, SqliteLedger, Who, beside, schema},
    model::{
        entry::Entry,
        time::{Hour, Timestamp},
    },
    port::ledger::{Ledger, LedgerError},
};
use rusqlite::Connection;
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

fn captured(sequence: u64) -> Entry {
    let values = [(crate::model::ids::SeriesId(1), 7)].into();
    Entry::Captured { sequence, hour: Hour(490_000), provisional: false, values }
}

fn broken(result: Result<super::Opened, OpenError>) -> String {
    match result {
        Err(OpenError::Broken(why)) => why,
        Err(other) => panic!("expected a broken ledger, and it is {other:?}"),
        Ok(_) => panic!("expected a broken ledger, and it opened"),
    }
}

/// T02
#[test]
fn an_empty_file_becomes_a_new_ledger_and_says_so() {
    let folder = Folder::new();
    fs::write(folder.ledger(), b"").expect("writable");
    let opened = open(&folder.ledger()).expect("a new ledger");
    assert!(opened.fresh && opened.notes.len() == 1, "{:?}", opened.notes);
    let id = opened.ledger_id.clone();
    drop(opened);
    let again = open(&folder.ledger()).expect("the same ledger");
    assert!(!again.fresh && again.notes.is_empty());
    assert_eq!(again.ledger_id, id);
    assert_eq!(id.len(), 32);
}

/// T03
#[test]
fn a_damaged_file_is_broken_wherever_the_damage_is() {
    let folder = Folder::new();
    let mut opened = open(&folder.ledger()).expect("a new ledger");
    for sequence in 1..=200 {
        opened.ledger.commit(&[captured(sequence)], Timestamp(5)).expect("written");
    }
    drop(opened);
    let whole = fs::read(folder.ledger()).expect("readable");
    let check = |what: &str, content: &[u8]| {
        fs::write(folder.ledger(), content).expect("writable");
        let why = broken(open(&folder.ledger()));
        assert!(!why.is_empty(), "{what}");
        assert_eq!(fs::read(folder.ledger()).expect("readable"), content, "{what}: it was changed");
    };
    check("cut", &whole[..whole.len() - 4096]);
    check("cut inside a page", &whole[..whole.len() / 2 + 100]);
    check("text", b"{\"usage\": 3}");
    let mut head = whole.clone();
    head[3] ^= 0x20;
    check("head", &head);
    let mut middle = whole.clone();
    middle[9 * 4096..10 * 4096].fill(0);
    check("middle", &middle);
}

/// T03: a flipped bit that leaves the pages well is found by the accounts.
#[test]
fn a_changed_count_is_found_by_the_sums() {
    let spoil = |sql: &str| {
        let folder = Folder::new();
        let mut opened = open(&folder.ledger()).expect("a new ledger");
        opened.ledger.commit(&[captured(1)], Timestamp(5)).expect("written");
        drop(opened);
        Connection::open(folder.ledger()).and_then(|c| c.execute_batch(sql)).expect("spoilt");
        broken(open(&folder.ledger()))
    };
    assert!(spoil("UPDATE waiting SET raw = 6").contains("does not balance"));
    assert!(spoil("UPDATE counts SET raw = 6").contains("rows add up"));
    let both = "UPDATE totals SET added = 8; UPDATE waiting SET raw = 8";
    assert!(spoil(both).contains("rows add up"));
    assert!(spoil("DELETE FROM state").contains("no rows"));
    assert!(spoil("DROP TABLE provisional").contains("no such table"));
    assert!(spoil("PRAGMA application_id = 5").contains("another program"));
    assert!(spoil("UPDATE meta SET product_code = 'other'").contains("belongs to product"));
    assert!(spoil("UPDATE meta SET identity = 'pod-2'").contains("pod-2"));
}

#[test]
fn a_newer_ledger_is_left_alone() {
    let folder = Folder::new();
    drop(open(&folder.ledger()).expect("a new ledger"));
    let raise = |conn: Connection| conn.pragma_update(None, "user_version", 9);
    Connection::open(folder.ledger()).and_then(raise).expect("raised");
    let before = fs::read(folder.ledger()).expect("readable");
    let found = open(&folder.ledger()).err();
    assert_eq!(found, Some(OpenError::Newer(9)));
    assert_eq!(fs::read(folder.ledger()).expect("readable"), before);
}

#[test]
fn an_older_ledger_is_upgraded_step_by_step() {
    let conn = Connection::open_in_memory().expect("memory");
    let steps = ["CREATE TABLE a (x)", "ALTER TABLE a ADD y", "UPDATE a SET y = x + 1"];
    schema::upgrade(&conn, 0, &steps[..1]).expect("version 1");
    conn.execute_batch("INSERT INTO a VALUES (4)").expect("a row");
    assert_eq!(schema::look(&conn, &steps), Ok(schema::Found::Version(1)));
    schema::upgrade(&conn, 1, &steps).expect("version 3");
    assert_eq!(schema::look(&conn, &steps), Ok(schema::Found::Version(3)));
    let y: i64 = conn.query_row("SELECT y FROM a", [], |row| row.get(0)).expect("a number");
    assert_eq!(y, 5);
    let torn = ["", "", "", "DROP TABLE a", "nonsense"];
    assert!(schema::upgrade(&conn, 3, &torn).is_err());
    assert_eq!(schema::look(&conn, &steps), Ok(schema::Found::Version(3)), "all or nothing");
    conn.query_row("SELECT x FROM a", [], |row| row.get::<_, i64>(0)).expect("the table stays");
}

#[test]
fn a_second_leader_deposes_the_first_for_ever() {
    let folder = Folder::new();
    let mut first = open(&folder.ledger()).expect("a new ledger");
    first.ledger.commit(&[captured(1)], Timestamp(5)).expect("written");
    let mut second = open(&folder.ledger()).expect("the same ledger");
    for _ in 0..2 {
        let refused = first.ledger.commit(&[captured(2)], Timestamp(6));
        assert!(matches!(refused, Err(LedgerError::Deposed(_))), "{refused:?}");
    }
    second.ledger.commit(&[captured(2)], Timestamp(7)).expect("the leader writes");
    drop((first, second));
    let last = open(&folder.ledger()).expect("the same ledger");
    assert_eq!((last.books.captured, last.newest), (2, Timestamp(7)));
}

#[test]
fn without_the_lock_nothing_is_written_and_nothing_is_closed() {
    let folder = Folder::new();
    let ours = Arc::new(AtomicBool::new(true));
    let fence = Arc::clone(&ours);
    let fence = Box::new(move || fence.load(Ordering::Relaxed));
    let opened = SqliteLedger::open(&folder.ledger(), &who(), fence, Place::default());
    let mut ledger = opened.expect("a new ledger").ledger;
    let open_files = || {
        let folder = fs::canonicalize(&folder.0).expect("there");
        let links = fs::read_dir("/proc/self/fd").expect("Linux").flatten();
        links
            .filter_map(|fd| fs::read_link(fd.path()).ok())
            .filter(|p| p.starts_with(&folder))
            .count()
    };
    let before = open_files();
    assert!(before > 0);
    ours.store(false, Ordering::Relaxed);
    let refused = ledger.commit(&[captured(1)], Timestamp(5));
    assert!(matches!(refused, Err(LedgerError::Deposed(_))));
    ours.store(true, Ordering::Relaxed);
    let refused = ledger.commit(&[captured(1)], Timestamp(5));
    assert!(matches!(refused, Err(LedgerError::Deposed(_))), "for ever");
    drop(ledger);
    assert_eq!(open_files(), before, "a descriptor that may be a stranger's was closed");
}

/// T04: the caller is told, and nothing is half written.
#[test]
fn a_full_disk_refuses_the_whole_batch_until_there_is_room() {
    let folder = Folder::new();
    let mut opened = open(&folder.ledger()).expect("a new ledger");
    let limit = |ledger: &SqliteLedger, pages: i64| {
        let conn = ledger.conn.as_ref().expect("open");
        conn.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).expect("set");
    };
    limit(&opened.ledger, 1);
    let series = |id| {
        let tags = [("k".to_owned(), "v".repeat(250))].into();
        let dimension = crate::model::ids::Dimension::from("requests");
        (crate::model::ids::SeriesId(id), crate::model::usage::Series { dimension, tags })
    };
    let batch = [captured(1), Entry::Named((0..200).map(series).collect())];
    let refused = opened.ledger.commit(&batch, Timestamp(5));
    let Err(LedgerError::Unwritten(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("ledger.db") && why.contains("free space"), "{why}");
    assert_eq!(opened.ledger.health, Health::Well);
    limit(&opened.ledger, 100_000);
    opened.ledger.commit(&batch, Timestamp(6)).expect("there is room");
    drop(opened);
    let books = open(&folder.ledger()).expect("the same ledger").books;
    assert_eq!((books.captured, books.series.len()), (1, 200));
}

#[test]
fn damage_met_while_running_is_remembered_for_the_next_start() {
    let folder = Folder::new();
    let mut opened = open(&folder.ledger()).expect("a new ledger");
    opened.ledger.mark_broken("a page is not what it was".to_owned());
    let refused = opened.ledger.commit(&[captured(1)], Timestamp(5));
    assert!(matches!(refused, Err(LedgerError::Unwritten(_))));
    drop(opened);
    assert!(broken(open(&folder.ledger())).contains("damage"));
    // The caller sets it aside; the next ledger begins with a clean slate.
    fs::rename(folder.ledger(), beside(&folder.ledger(), ".aside")).expect("renamed");
    assert!(open(&folder.ledger()).expect("a new ledger").fresh);
    assert!(!open(&folder.ledger()).expect("the same ledger").fresh);
}

#[test]
fn a_ledger_learns_its_identity_and_keeps_it() {
    let folder = Folder::new();
    let unknown = Who { identity: None, ..who() };
    let open_as =
        |who: &Who| SqliteLedger::open(&folder.ledger(), who, Box::new(|| true), Place::default());
    drop(open_as(&unknown).expect("a new ledger"));
    drop(open_as(&who()).expect("it learns"));
    drop(open_as(&unknown).expect("it keeps"));
    let mut other = who();
    other.identity.as_mut().expect("named").name = "pod-2".to_owned();
    assert!(broken(open_as(&other)).contains("pod-1"));
}

/// A ledger of version 1 held check outs, which no process ever wrote.
#[test]
fn a_ledger_of_the_first_version_is_brought_to_ours() {
    let folder = Folder::new();
    let mut opened = open(&folder.ledger()).expect("a new ledger");
    opened.ledger.commit(&[captured(1)], Timestamp(5)).expect("written");
    let id = opened.ledger_id.clone();
    drop(opened);
    // Back to what version 1 made of it.
    let first = include_str!("../schema_1.sql");
    let table = first.find("CREATE TABLE leases").and_then(|at| first.get(at..)).expect("there");
    let lower = |conn: Connection| {
        conn.execute_batch(table)?;
        conn.pragma_update(None, "user_version", 1)
    };
    Connection::open(folder.ledger()).and_then(lower).expect("as it was");
    let opened = open(&folder.ledger()).expect("the same ledger");
    assert_eq!((opened.ledger_id, opened.books.captured, opened.fresh), (id, 1, false));
    drop(opened.ledger);
    let conn = Connection::open(folder.ledger()).expect("opens");
    let version: i64 =
        conn.query_row("PRAGMA user_version", [], |row| row.get(0)).expect("a number");
    assert_eq!(version, 2);
    assert!(conn.prepare("SELECT * FROM leases").is_err(), "the table is gone");
}
