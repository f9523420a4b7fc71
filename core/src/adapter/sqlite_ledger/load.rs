//! Rows to books: what a start finds.

use crate::model::{
    books::{Books, Kept, Totals},
    ids::{ClientToken, Dimension, RecordId, SeriesId},
    quantity::{Raw, Units},
    time::{Hour, Timestamp},
    usage::{Allocation, Lot, Lots, Record, Series, Tags},
};
use rusqlite::{Connection, Error, Row, types::Type};
use std::collections::BTreeMap;

/// Hours for which slots stay known: far more than AWS's window, counted back from the newest record.
///
/// The newest record and not the clock, because a record is frozen only when AWS's time is known.
pub(super) const SLOT_HOURS: i64 = 24;

/// The same books that applying every entry gives, but for slots older than [`SLOT_HOURS`].
pub(super) fn books(conn: &Connection) -> rusqlite::Result<Books> {
    let mut books = Books::default();
    let sql = "SELECT captured, newest_record, entitled FROM state";
    (books.captured, books.newest_record, books.entitled) =
        conn.query_row(sql, [], |row| Ok((raw(row, 0)?, raw(row, 1)?, row.get(2)?)))?;
    each(conn, "SELECT id, dimension, tags FROM series", |row| {
        let tags: Tags = json(row, 2)?;
        books.series.insert(series_id(row, 0)?, Series { dimension: dimension(row, 1)?, tags });
        Ok(())
    })?;
    each(conn, "SELECT hour, series, raw, dimension FROM waiting", |row| {
        let (lot, raw) = lot(row, 0)?;
        books.waiting.entry(dimension(row, 3)?).or_default().insert(lot, raw);
        Ok(())
    })?;
    each(conn, "SELECT hour FROM provisional", |row| {
        books.provisional.insert(Hour(row.get(0)?));
        Ok(())
    })?;
    let sql = format!(
        "SELECT DISTINCT dimension, hour FROM records
         WHERE hour >= (SELECT max(hour) FROM records) - {SLOT_HOURS}"
    );
    each(conn, &sql, |row| {
        books.used.insert((dimension(row, 0)?, Hour(row.get(1)?)));
        Ok(())
    })?;
    each(conn, "SELECT dimension, added, delivered, disputed, held, missed FROM totals", |row| {
        let (added, delivered, disputed) = (raw(row, 1)?, raw(row, 2)?, raw(row, 3)?);
        let (held, missed) = (raw(row, 4)?, raw(row, 5)?);
        let totals = Totals { added, delivered, disputed, held, missed };
        books.totals.insert(dimension(row, 0)?, totals);
        Ok(())
    })?;
    each(conn, "SELECT ledger FROM taken_over", |row| {
        books.taken_over.insert(row.get(0)?);
        Ok(())
    })?;
    books.records = records(conn)?;
    Ok(books)
}

fn records(conn: &Connection) -> rusqlite::Result<BTreeMap<RecordId, Kept>> {
    let mut parts: BTreeMap<u64, Lots> = BTreeMap::new();
    let sql = "SELECT parts.hour, series, raw, record FROM parts
               JOIN records ON records.id = record WHERE fate IS NULL";
    each(conn, sql, |row| {
        let (lot, sum) = lot(row, 0)?;
        parts.entry(raw(row, 3)?).or_default().insert(lot, sum);
        Ok(())
    })?;
    let mut records = BTreeMap::new();
    let sql =
        "SELECT id, dimension, hour, timestamp, units, digits, client_token, allocations, begun,
               in_doubt, attempts FROM records WHERE fate IS NULL";
    each(conn, sql, |row| {
        let id = raw(row, 0)?;
        let token: String = row.get(6)?;
        let stored: Vec<StoredAllocation> = json(row, 7)?;
        let record = Record {
            id: RecordId(id),
            dimension: dimension(row, 1)?,
            hour: Hour(row.get(2)?),
            timestamp: Timestamp(row.get(3)?),
            units: Units { scaled: raw(row, 4)?, digits: row.get(5)? },
            allocations: stored.into_iter().map(Allocation::from).collect(),
            client_token: ClientToken::from(token.as_str()),
            parts: parts.remove(&id).unwrap_or_default(),
        };
        let (begun, in_doubt, attempts) = (row.get(8)?, row.get(9)?, row.get(10)?);
        records.insert(record.id, Kept { record, begun, in_doubt, attempts });
        Ok(())
    })?;
    Ok(records)
}

/// Compares `totals` with the sum of the rows that they stand for. The first difference, if any.
pub(super) fn totals_fault(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let mut fault = None;
    each(conn, include_str!("totals_check.sql"), |row| {
        let name: String = row.get(0)?;
        for (at, place) in PLACES.iter().enumerate() {
            let (total, rows): (i64, i64) = (row.get(1 + 2 * at)?, row.get(2 + 2 * at)?);
            if total != rows && fault.is_none() {
                fault = Some(format!(
                    "`{place}` of dimension `{name}` says {total}, and its rows add up to {rows}"
                ));
            }
        }
        Ok(())
    })?;
    Ok(fault)
}

const PLACES: [&str; 5] = ["added", "delivered", "disputed", "held", "missed"];

/// Part of a record as its column holds it.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct StoredAllocation {
    units: u64,
    digits: u32,
    tags: Tags,
}

impl From<&Allocation> for StoredAllocation {
    fn from(part: &Allocation) -> Self {
        let Units { scaled, digits } = part.units;
        StoredAllocation { units: scaled, digits, tags: part.tags.clone() }
    }
}

impl From<StoredAllocation> for Allocation {
    fn from(part: StoredAllocation) -> Self {
        let units = Units { scaled: part.units, digits: part.digits };
        Allocation { units, tags: part.tags }
    }
}

pub(super) fn each(
    conn: &Connection,
    sql: &str,
    mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

pub(super) fn raw(row: &Row<'_>, at: usize) -> rusqlite::Result<Raw> {
    let number: i64 = row.get(at)?;
    u64::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(at, number))
}

pub(super) fn dimension(row: &Row<'_>, at: usize) -> rusqlite::Result<Dimension> {
    Ok(Dimension::from(row.get_ref(at)?.as_str()?))
}

fn series_id(row: &Row<'_>, at: usize) -> rusqlite::Result<SeriesId> {
    row.get(at).map(SeriesId)
}

/// Hour, counter and raw count in three columns from `at` on.
fn lot(row: &Row<'_>, at: usize) -> rusqlite::Result<(Lot, Raw)> {
    let lot = Lot { hour: Hour(row.get(at)?), series: series_id(row, at + 1)? };
    Ok((lot, raw(row, at + 2)?))
}

pub(super) fn json<T: serde::de::DeserializeOwned>(
    row: &Row<'_>,
    at: usize,
) -> rusqlite::Result<T> {
    let text = row.get_ref(at)?.as_str()?;
    serde_json::from_str(text)
        .map_err(|error| Error::FromSqlConversionFailure(at, Type::Text, Box::new(error)))
}
