//! What must be true on the way and at the end, judged from outside: by what AWS has and by what the disk would
//! hold if the power went now. Neither what the engine believes nor what a sync has said counts as a proof.

use super::{
    aws::{Aws, Holder},
    task::{dimensions, identity},
    vfs::Disk,
};
use mpguard_handless::{
    adapter::sqlite_ledger::{Opened, SqliteLedger, Who},
    model::{
        books::Books,
        ids::Dimension,
        quantity::Raw,
        time::Hour,
        usage::{Account, Record},
    },
};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::OnceLock,
};

pub(crate) const LEDGER: &str = "ledger.db";

pub(crate) fn who() -> Who {
    Who { product_code: "code".into(), identity: Some(identity()) }
}

/// A disk with a ledger that was made and closed.
pub(crate) fn fresh_ledger() -> Disk {
    static MADE: OnceLock<Disk> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let disk = Disk::new();
        let opened = SqliteLedger::open(Path::new(LEDGER), &who(), Box::new(|| true), disk.place());
        assert!(opened.is_ok_and(|opened| opened.fresh), "a ledger is made on a well disk");
        disk
    });
    made.after_power_cut()
}

/// No byte of a record leaves before the disk knows the record and that it was begun (I5).
pub(crate) fn begun_before_sent(disk: &Disk, record: &Record) -> Result<(), String> {
    let disk = disk.after_power_cut();
    let conn = look(&disk)?;
    let sql = "SELECT begun, hour, client_token FROM records WHERE id = ?1 AND fate IS NULL";
    let found: Option<(bool, i64, String)> = conn
        .query_row(sql, [record.id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()
        .map_err(|why| format!("the ledger cannot be read: {why}"))?;
    match found {
        Some((true, hour, token))
            if hour == record.hour.0 && token == record.client_token.as_str() =>
        {
            Ok(())
        }
        other => Err(format!("{record:?} was sent, and a power cut now leaves {other:?} of it")),
    }
}

/// Everything has found its end: all counts in one place each, and AWS has what the ledger says that it has.
pub(crate) fn all_settled(
    disk: &Disk,
    accounts: &[Account],
    added: &BTreeMap<Dimension, Raw>,
    aws: &Aws,
) -> Result<(), String> {
    let disk = disk.after_power_cut();
    // Opening checks the pages, and every total against its rows.
    let opened = SqliteLedger::open(Path::new(LEDGER), &who(), Box::new(|| true), disk.place());
    let Opened { ledger, books, .. } = opened.map_err(|why| format!("it cannot open: {why:?}"))?;
    drop(ledger);
    if let Some(record) = books.records.values().next() {
        return Err(format!("no fate was found for {record:?}"));
    }
    for spec in dimensions() {
        let account = books.account(&spec.name);
        let expected = added.get(&spec.name).copied().unwrap_or(0);
        if account.added != expected || !account.balances() {
            return Err(format!("{expected} were added, and the disk has {account:?}"));
        }
        if !accounts.contains(&account) {
            return Err(format!("the engine has {accounts:?}, and the disk {account:?}"));
        }
        if account.pending >= spec.scale().raw {
            return Err(format!("it never found an hour: {account:?}"));
        }
    }
    billed(&disk, &books, aws)
}

/// Record by record: delivered means that AWS has it, and only a disputed one may be there or not.
fn billed(disk: &Disk, books: &Books, aws: &Aws) -> Result<(), String> {
    let conn = look(disk)?;
    let sql = "SELECT dimension, hour, fate, units, digits,
        (SELECT coalesce(sum(raw), 0) FROM parts WHERE record = id) FROM records";
    let unreadable = |why| format!("the records cannot be read: {why}");
    let mut statement = conn.prepare(sql).map_err(unreadable)?;
    let mut rows = statement.query([]).map_err(unreadable)?;
    let (mut known, mut delivered) = (BTreeSet::new(), BTreeMap::<Dimension, Raw>::new());
    while let Some(row) = rows.next().map_err(unreadable)? {
        let read = || -> rusqlite::Result<(String, i64, Option<String>, u64, u32, Raw)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
        };
        let (dimension, hour, fate, units, digits, raw) = read().map_err(unreadable)?;
        let slot = (Dimension::from(dimension.as_str()), Hour(hour));
        let there = match aws.slots.get(&slot) {
            Some(Holder::Ours(record)) => {
                let same = (record.units.scaled, record.units.digits) == (units, digits);
                if !same || record.raw() != raw {
                    return Err(format!("the ledger has {units} for {slot:?}, AWS {record:?}"));
                }
                true
            }
            _ => false,
        };
        match (fate.as_deref(), there) {
            (Some("recorded"), true) => *delivered.entry(slot.0.clone()).or_default() += raw,
            (Some("disputed"), _) | (Some("carried" | "missed" | "held"), false) => {}
            (fate, true) => {
                return Err(format!("AWS bills {slot:?}, and the ledger says {fate:?}: twice"));
            }
            (fate, false) => {
                return Err(format!("AWS has none for {slot:?}, and the ledger says {fate:?}"));
            }
        }
        if !known.insert(slot.clone()) {
            return Err(format!("the ledger has two records for {slot:?}"));
        }
    }
    for (slot, holder) in &aws.slots {
        if matches!(holder, Holder::Ours(_)) && !known.contains(slot) {
            return Err(format!("AWS bills {slot:?}, and the ledger knows nothing of it"));
        }
    }
    for spec in dimensions() {
        let (account, rows) = (books.account(&spec.name), delivered.get(&spec.name));
        if account.delivered != rows.copied().unwrap_or(0) {
            return Err(format!("AWS has {rows:?} of what {account:?} calls delivered"));
        }
    }
    Ok(())
}

fn look(disk: &Disk) -> Result<Connection, String> {
    // Writable, because a hot journal is rolled back first; this disk is a copy that nobody else sees.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags_and_vfs(LEDGER, flags, disk.vfs_name())
        .map_err(|why| format!("a power cut now leaves no ledger: {why}"))
}
