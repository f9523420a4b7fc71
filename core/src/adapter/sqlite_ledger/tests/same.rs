//! What a start reads is what the entries come to.

use super::{Folder, open, random::Draw};
use crate::{
    adapter::sqlite_ledger::{load::SLOT_HOURS, prune::KEEP_HOURS},
    model::{
        books::Books,
        entry::{Entry, Fate},
        ids::{ClientToken, Dimension, RecordId, SeriesId},
        quantity::Units,
        time::{Hour, Timestamp},
        usage::{Lot, Lots, Record, Series, Tags},
    },
    port::ledger::Ledger,
};

/// Both sides without slots that no machine asks for any more.
fn same(loaded: &Books, applied: &Books, what: &str) {
    let mut applied = applied.clone();
    if let Some(newest) = applied.used.iter().map(|(_, hour)| hour.0).max() {
        applied.forget_slots_before(Hour(newest - SLOT_HOURS));
    }
    assert_eq!(*loaded, applied, "{what}");
}

/// I1, I2: every total is the sum of its rows as well, or the ledger would not open.
#[test]
fn loaded_books_are_the_applied_ones_whatever_was_committed() {
    let mut compared = 0;
    for seed in 1..=60 {
        let folder = Folder::new();
        let mut draw = Draw::new(seed);
        let mut opened = open(&folder.ledger()).expect("a new ledger");
        for step in 0..150 {
            let batch = draw.batch();
            let now = draw.now();
            opened.ledger.commit(&batch, now).expect("the disk takes it");
            if draw.below(25) == 0 {
                drop(opened);
                opened = open(&folder.ledger()).expect("a sound ledger");
                same(&opened.books, &draw.books, &format!("seed {seed}, step {step}"));
                compared += 1;
            }
        }
        drop(opened);
        let books = open(&folder.ledger()).expect("a sound ledger").books;
        same(&books, &draw.books, &format!("seed {seed}, end"));
    }
    assert!(compared > 200, "only {compared} starts were compared");
}

#[test]
fn rows_of_last_year_go_and_their_sums_stay() {
    let folder = Folder::new();
    let mut opened = open(&folder.ledger()).expect("a new ledger");
    let mut books = Books::default();
    let mut commit = |entries: Vec<Entry>| {
        entries.iter().for_each(|entry| books.apply(entry));
        opened.ledger.commit(&entries, Timestamp(1)).expect("the disk takes it");
    };
    let dimension = Dimension::from("requests");
    let series = Series { dimension: dimension.clone(), tags: Tags::new() };
    commit(vec![Entry::Named(vec![(SeriesId(0), series)])]);
    for number in 1..=40 {
        // A record every 20 days; every fourth stays without a fate.
        let hour = Hour(400_000 + i64::try_from(number).expect("small") * 480);
        let parts = Lots::from([(Lot { hour, series: SeriesId(0) }, number)]);
        let values = [(SeriesId(0), number)].into();
        let record = Record {
            id: RecordId(number),
            dimension: dimension.clone(),
            hour,
            timestamp: hour.end(),
            units: Units { scaled: number, digits: 0 },
            allocations: Vec::new(),
            client_token: ClientToken::from("client"),
            parts,
        };
        commit(vec![Entry::Captured { sequence: number, hour, provisional: false, values }]);
        commit(vec![Entry::Frozen(record)]);
        let fate = match number % 4 {
            0 => continue,
            1 => Fate::Disputed { why: "late".to_owned() },
            2 => Fate::Held { why: "refused".to_owned() },
            _ => Fate::Recorded { record_id: "r".to_owned(), request_id: None },
        };
        commit(vec![Entry::Settled { record: RecordId(number), fate }]);
    }
    drop(opened);
    let opened = open(&folder.ledger()).expect("totals still are the sums of rows");
    same(&opened.books, &books, "after pruning");
    let conn = rusqlite::Connection::open(folder.ledger()).expect("the file is there");
    let one = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    let oldest = one("SELECT min(hour) FROM records WHERE fate IS NOT NULL");
    // The last capture pruned by the record before it.
    assert!(oldest >= 400_000 + 39 * 480 - KEEP_HOURS, "oldest settled record is of {oldest}");
    assert!(one("SELECT count(*) FROM records") < 40 && one("SELECT count(*) FROM captures") < 40);
    assert_eq!(
        one("SELECT count(*) FROM records WHERE fate IS NULL"),
        10,
        "none without a fate went"
    );
}
