//! What a person wants to see of a ledger first.

use super::{ReadError, copy::Copy};
use crate::{
    adapter::sqlite_ledger::load::{self, each, raw},
    model::{
        books::Books,
        quantity::{Raw, Units},
        time::{Hour, Timestamp},
        usage::Account,
    },
};
use std::{collections::BTreeSet, path::Path};

/// A ledger at one moment.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its random id.
    pub ledger_id: String,
    /// Product code.
    pub product_code: String,
    /// Task ARN, pod uid or instance id; `None` while unknown.
    pub identity: Option<String>,
    /// `ecs`, `eks`, `ec2` or `elsewhere`.
    pub platform: Option<String>,
    /// Region of the task or pod.
    pub region: Option<String>,
    /// First transaction.
    pub created: Option<Timestamp>,
    /// Newest time that it has seen.
    pub newest: Timestamp,
    /// Leaders so far.
    pub epoch: u64,
    /// Transactions so far.
    pub commits: u64,
    /// AWS has said once that the buyer is entitled.
    pub entitled: bool,
    /// Slabs up to this number are in it.
    pub captured: u64,
    /// One account a dimension, without the running hour.
    pub accounts: Vec<Account>,
    /// Records that are kept, the oldest first.
    pub records: Vec<RecordRow>,
    /// Counts that no record will hold.
    pub set_aside: Vec<AsideRow>,
    /// Other ledgers whose counts are in it.
    pub taken_over: Vec<OtherLedger>,
    /// The books, as a start would find them.
    pub books: Books,
}

/// One record, with its fate once it is known.
#[derive(Clone, Debug)]
pub struct RecordRow {
    /// Our number for it.
    pub id: u64,
    /// API name of the dimension.
    pub dimension: String,
    /// The hour whose slot it takes at AWS.
    pub hour: Hour,
    /// Billed units.
    pub units: Units,
    /// Raw counts inside.
    pub raw: Raw,
    /// Other hours that a part of it was counted in.
    pub carried_from: BTreeSet<Hour>,
    /// Later records that hold a part of what this one gave back.
    pub carried_to: BTreeSet<u64>,
    /// Token of the request.
    pub client_token: String,
    /// Sends that gave no fate.
    pub attempts: u32,
    /// Why the last one gave none.
    pub last_error: Option<String>,
    /// `recorded`, `carried`, `missed`, `disputed`, `held`; else `frozen`, `begun` or `in doubt`.
    pub state: String,
    /// Why it has this fate.
    pub why: Option<String>,
    /// AWS's metering record id.
    pub record_id: Option<String>,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// When it was frozen.
    pub frozen_at: Timestamp,
    /// When its fate was known.
    pub settled_at: Option<Timestamp>,
}

/// Counts that no record will hold.
#[derive(Clone, Debug)]
pub struct AsideRow {
    /// API name of the dimension.
    pub dimension: String,
    /// When they were counted.
    pub hour: Hour,
    /// `missed` or `held`.
    pub place: String,
    /// Raw counts.
    pub raw: Raw,
    /// Why.
    pub why: String,
}

/// A ledger that was taken over.
#[derive(Clone, Debug)]
pub struct OtherLedger {
    /// Its id.
    pub ledger: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
    /// Raw counts that came with it and were never part of a request.
    pub waiting: Raw,
    /// Raw counts that came with it and may have been recorded.
    pub disputed: Raw,
}

/// Reads the ledger of one identity directory.
///
/// # Errors
/// There is none, or its content makes no sense.
pub fn report(dir: &Path) -> Result<Report, ReadError> {
    let copy = Copy::of(dir)?;
    read(&copy.conn).map_err(|why| ReadError::at(&dir.join(super::DATABASE), why))
}

pub(super) fn read(conn: &rusqlite::Connection) -> rusqlite::Result<Report> {
    let books = load::books(conn)?;
    let accounts = books.dimensions().iter().map(|dimension| books.account(dimension)).collect();
    let sql = "SELECT ledger_id, product_code, identity, platform, region, created, newest, epoch,
        commits, entitled, captured FROM meta, state";
    let mut report = conn.query_row(sql, [], |row| {
        Ok(Report {
            ledger_id: row.get(0)?,
            product_code: row.get(1)?,
            identity: row.get(2)?,
            platform: row.get(3)?,
            region: row.get(4)?,
            created: row.get::<_, Option<i64>>(5)?.map(Timestamp),
            newest: Timestamp(row.get(6)?),
            epoch: raw(row, 7)?,
            commits: raw(row, 8)?,
            entitled: row.get(9)?,
            captured: raw(row, 10)?,
            accounts,
            records: Vec::new(),
            set_aside: Vec::new(),
            taken_over: Vec::new(),
            books,
        })
    })?;
    report.records = records(conn)?;
    each(conn, "SELECT dimension, hour, place, raw, why FROM set_aside ORDER BY number", |row| {
        let (dimension, place, why) = (row.get(0)?, row.get(2)?, row.get(4)?);
        let hour = Hour(row.get(1)?);
        report.set_aside.push(AsideRow { dimension, hour, place, raw: raw(row, 3)?, why });
        Ok(())
    })?;
    let sql = "SELECT ledger, why, at, coalesce(sum(raw) FILTER (WHERE place = 'waiting'), 0),
        coalesce(sum(raw) FILTER (WHERE place = 'disputed'), 0)
        FROM taken_over LEFT JOIN taken_lots USING (ledger) GROUP BY ledger ORDER BY at";
    each(conn, sql, |row| {
        let (ledger, why, at) = (row.get(0)?, row.get(1)?, Timestamp(row.get(2)?));
        let (waiting, disputed) = (raw(row, 3)?, raw(row, 4)?);
        report.taken_over.push(OtherLedger { ledger, why, at, waiting, disputed });
        Ok(())
    })?;
    Ok(report)
}

fn records(conn: &rusqlite::Connection) -> rusqlite::Result<Vec<RecordRow>> {
    let mut records = Vec::new();
    each(conn, RECORDS, |row| {
        let hours: String = row.get(15)?;
        let later: String = row.get(16)?;
        records.push(RecordRow {
            id: raw(row, 0)?,
            dimension: row.get(1)?,
            hour: Hour(row.get(2)?),
            units: Units { scaled: raw(row, 3)?, digits: row.get(4)? },
            client_token: row.get(5)?,
            frozen_at: Timestamp(row.get(6)?),
            attempts: row.get(7)?,
            last_error: row.get(8)?,
            state: row.get(9)?,
            why: row.get(10)?,
            record_id: row.get(11)?,
            request_id: row.get(12)?,
            settled_at: row.get::<_, Option<i64>>(13)?.map(Timestamp),
            raw: raw(row, 14)?,
            carried_from: hours.split(',').filter_map(|hour| hour.parse().ok()).map(Hour).collect(),
            carried_to: later.split(',').filter_map(|id| id.parse().ok()).collect(),
        });
        Ok(())
    })?;
    Ok(records)
}

/// Where a part went that AWS does not have: to the next record of the same counter and hour.
const RECORDS: &str = "SELECT id, dimension, hour, units, digits, client_token, frozen_at, attempts, last_error,
    coalesce(fate, iif(in_doubt, 'in doubt', iif(begun, 'begun', 'frozen'))), why, record_id, request_id,
    settled_at,
    (SELECT coalesce(sum(raw), 0) FROM parts WHERE record = id),
    (SELECT coalesce(group_concat(DISTINCT parts.hour), '') FROM parts
        WHERE record = id AND parts.hour <> records.hour),
    iif(fate = 'carried', (SELECT coalesce(group_concat(DISTINCT later), '') FROM (
        SELECT (SELECT min(next.record) FROM parts AS next WHERE next.series = mine.series
            AND next.hour = mine.hour AND next.record > mine.record) AS later
        FROM parts AS mine WHERE mine.record = id)), '')
    FROM records ORDER BY id";
