//! Entries to rows. What an entry means is said by `Books::apply`; here the same is said in SQL.

use super::load::StoredAllocation;
use crate::model::{
    books::UNKNOWN,
    entry::{Entry, Fate, Place},
    ids::{Dimension, SeriesId},
    quantity::Raw,
    time::{Hour, Timestamp},
    usage::{Lots, Record},
};
use rusqlite::{Connection, Error, OptionalExtension, Params, params};

/// Attempts that stay listed for one record; six hours of them are more only when something hammers.
const ATTEMPTS_KEPT: u32 = 50;
/// Answers of "entitled" that stay listed.
const RECEIPTS_KEPT: i64 = 100;

macro_rules! add {
    ($place:literal) => {
        concat!(
            "INSERT INTO totals (dimension, ",
            $place,
            ") VALUES (?1, ?2)
             ON CONFLICT (dimension) DO UPDATE SET ",
            $place,
            " = ",
            $place,
            " + excluded.",
            $place
        )
    };
}

/// Writes one entry, inside the transaction of its batch.
pub(super) fn entry(conn: &Connection, entry: &Entry, now: Timestamp) -> rusqlite::Result<()> {
    match entry {
        Entry::Named(series) => {
            for (id, series) in series {
                let tags = text(&series.tags)?;
                run(conn, NAME, params![id.0, series.dimension.as_str(), tags])?;
            }
            Ok(())
        }
        Entry::Captured { sequence, hour, provisional, values } => {
            if run(conn, CAPTURE, params![int(*sequence)?])? == 0 {
                return Ok(());
            }
            run(conn, CAPTURED, params![int(*sequence)?, hour.0, provisional, now.0])?;
            for (series, raw) in values {
                let dimension = dimension_of(conn, *series)?;
                let row = params![int(*sequence)?, series.0, dimension, int(*raw)?];
                run(conn, "INSERT INTO counts VALUES (?1, ?2, ?3, ?4)", row)?;
                wait(conn, &dimension, *hour, *series, *raw)?;
                total(conn, "added", &dimension, *raw)?;
            }
            if *provisional && !values.is_empty() {
                run(conn, "INSERT OR IGNORE INTO provisional VALUES (?1)", [hour.0])?;
            }
            Ok(())
        }
        Entry::Relabelled { from, to } => {
            run(conn, "DELETE FROM provisional WHERE hour = ?1", [from.0])?;
            run(conn, RELABELLED, params![from.0, to.0, now.0])?;
            if from != to {
                run(conn, MOVE, [from.0, to.0])?;
                run(conn, "DELETE FROM waiting WHERE hour = ?1", [from.0])?;
            }
            Ok(())
        }
        Entry::Frozen(record) => freeze(conn, record, now),
        Entry::Begun(record) => {
            let sql = "UPDATE records SET begun = 1 WHERE id = ?1 AND fate IS NULL";
            run(conn, sql, [int(record.0)?]).map(drop)
        }
        Entry::Attempted { record, in_doubt, why } => {
            let id = int(record.0)?;
            if run(conn, ATTEMPT, params![id, in_doubt, why])? > 0 {
                run(conn, ATTEMPTED, params![id, now.0, in_doubt, why])?;
                run(conn, FORGET_ATTEMPTS, params![id, ATTEMPTS_KEPT])?;
            }
            Ok(())
        }
        Entry::Settled { record, fate } => settle(conn, int(record.0)?, fate, now),
        Entry::SetAside { dimension, hour, place, why } => {
            set_aside(conn, dimension, *hour, *place, why, now)
        }
        Entry::Entitled { receipt } => {
            run(conn, ENTITLED, [])?;
            run(conn, "INSERT INTO receipts VALUES (NULL, ?1, ?2)", params![receipt, now.0])?;
            let sql =
                "DELETE FROM receipts WHERE number <= (SELECT max(number) FROM receipts) - ?1";
            run(conn, sql, [RECEIPTS_KEPT]).map(drop)
        }
        Entry::TakenOver { ledger, waiting, disputed, missed, why } => {
            if run(conn, TAKE_OVER, params![ledger, why, now.0])? == 0 {
                return Ok(());
            }
            take_over(conn, ledger, "waiting", waiting)?;
            take_over(conn, ledger, "disputed", disputed)?;
            take_over(conn, ledger, "missed", missed)
        }
    }
}

const NAME: &str = "INSERT INTO series VALUES (?1, ?2, ?3)
    ON CONFLICT (id) DO UPDATE SET dimension = excluded.dimension, tags = excluded.tags";
const CAPTURE: &str = "UPDATE state SET captured = ?1 WHERE captured < ?1";
const CAPTURED: &str = "INSERT INTO captures VALUES (?1, ?2, ?3, ?4)";
const RELABELLED: &str = "INSERT INTO relabels VALUES (NULL, ?1, ?2, ?3)";
const MOVE: &str =
    "INSERT INTO waiting SELECT dimension, ?2, series, raw FROM waiting WHERE hour = ?1
    ON CONFLICT (dimension, hour, series) DO UPDATE SET raw = raw + excluded.raw";
const ATTEMPT: &str = "UPDATE records SET in_doubt = max(in_doubt, ?2), begun = max(in_doubt, ?2),
    attempts = min(attempts + 1, 4294967295), last_error = ?3 WHERE id = ?1 AND fate IS NULL";
const ATTEMPTED: &str = "INSERT OR REPLACE INTO attempts
    SELECT id, attempts, ?2, ?3, ?4 FROM records WHERE id = ?1";
const FORGET_ATTEMPTS: &str = "DELETE FROM attempts WHERE record = ?1
    AND number <= (SELECT attempts FROM records WHERE id = ?1) - ?2";
const ENTITLED: &str = "UPDATE state SET entitled = 1 WHERE entitled = 0";
const TAKE_OVER: &str = "INSERT OR IGNORE INTO taken_over VALUES (?1, ?2, ?3)";

fn freeze(conn: &Connection, record: &Record, now: Timestamp) -> rusqlite::Result<()> {
    let id = int(record.id.0)?;
    let dimension = record.dimension.as_str();
    let stored: Vec<_> = record.allocations.iter().map(StoredAllocation::from).collect();
    let sql = "INSERT INTO records (id, dimension, hour, timestamp, units, digits, client_token,
        allocations, frozen_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let row = params![
        id,
        dimension,
        record.hour.0,
        record.timestamp.0,
        int(record.units.scaled)?,
        record.units.digits,
        record.client_token.as_str(),
        text(&stored)?,
        now.0
    ];
    run(conn, sql, row)?;
    run(conn, "UPDATE state SET newest_record = ?1 WHERE newest_record < ?1", [id])?;
    for (lot, raw) in &record.parts {
        let raw = int(*raw)?;
        let row = params![id, lot.hour.0, lot.series.0, raw];
        run(conn, "INSERT INTO parts VALUES (?1, ?2, ?3, ?4)", row)?;
        let row = params![dimension, lot.hour.0, lot.series.0, raw];
        if run(conn, TAKE_ALL, row)? == 0 {
            run(conn, TAKE_SOME, row)?;
        }
    }
    Ok(())
}

const TAKE_ALL: &str =
    "DELETE FROM waiting WHERE dimension = ?1 AND hour = ?2 AND series = ?3 AND raw <= ?4";
const TAKE_SOME: &str =
    "UPDATE waiting SET raw = raw - ?4 WHERE dimension = ?1 AND hour = ?2 AND series = ?3";

fn settle(conn: &Connection, id: i64, fate: &Fate, now: Timestamp) -> rusqlite::Result<()> {
    let (name, why, record_id, request_id) = match fate {
        Fate::Recorded { record_id, request_id } => {
            ("recorded", None, Some(record_id), request_id.as_ref())
        }
        Fate::Carried { why } => ("carried", Some(why), None, None),
        Fate::Missed { why } => ("missed", Some(why), None, None),
        Fate::Disputed { why } => ("disputed", Some(why), None, None),
        Fate::Held { why } => ("held", Some(why), None, None),
    };
    let row = params![id, name, why, record_id, request_id, now.0];
    if run(conn, SETTLE, row)? == 0 {
        return Ok(());
    }
    let place = match fate {
        Fate::Recorded { .. } => {
            run(conn, ENTITLED, [])?;
            "delivered"
        }
        Fate::Missed { .. } => "missed",
        Fate::Disputed { .. } => "disputed",
        Fate::Held { .. } => "held",
        Fate::Carried { .. } => {
            run(
                conn,
                "INSERT OR IGNORE INTO totals (dimension) SELECT dimension FROM records WHERE id = ?1",
                [id],
            )?;
            return run(conn, GIVE_BACK, params![id, UNKNOWN]).map(drop);
        }
    };
    let sum = "SELECT dimension, (SELECT coalesce(sum(raw), 0) FROM parts WHERE record = id)
        FROM records WHERE id = ?1";
    let (dimension, raw): (String, i64) =
        conn.prepare_cached(sum)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    run(conn, add_to(place), params![dimension, raw]).map(drop)
}

const SETTLE: &str = "UPDATE records SET fate = ?2, why = ?3, record_id = ?4, request_id = ?5,
    settled_at = ?6 WHERE id = ?1 AND fate IS NULL";
const GIVE_BACK: &str = "INSERT INTO waiting
    SELECT coalesce(dimension, ?2), hour, series, raw FROM parts LEFT JOIN series ON id = series
    WHERE record = ?1 AND raw > 0
    ON CONFLICT (dimension, hour, series) DO UPDATE SET raw = raw + excluded.raw";

fn set_aside(
    conn: &Connection,
    dimension: &Dimension,
    hour: Hour,
    place: Place,
    why: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let dimension = dimension.as_str();
    let sql = "SELECT coalesce(sum(raw) FILTER (WHERE hour = ?2), 0), count(*) FROM waiting
        WHERE dimension = ?1";
    let (raw, lots): (i64, i64) = conn
        .prepare_cached(sql)?
        .query_row(params![dimension, hour.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if lots == 0 {
        return Ok(());
    }
    let place = match place {
        Place::Missed => "missed",
        Place::Held => "held",
    };
    run(conn, add_to(place), params![dimension, raw])?;
    let sql = "DELETE FROM waiting WHERE dimension = ?1 AND hour = ?2";
    if run(conn, sql, params![dimension, hour.0])? > 0 {
        let row = params![dimension, hour.0, place, raw, why, now.0];
        run(conn, "INSERT INTO set_aside VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)", row)?;
    }
    Ok(())
}

fn take_over(conn: &Connection, ledger: &str, place: &str, lots: &Lots) -> rusqlite::Result<()> {
    for (lot, raw) in lots {
        let dimension = dimension_of(conn, lot.series)?;
        let row = params![ledger, place, dimension, lot.hour.0, lot.series.0, int(*raw)?];
        run(conn, "INSERT INTO taken_lots VALUES (?1, ?2, ?3, ?4, ?5, ?6)", row)?;
        total(conn, "added", &dimension, *raw)?;
        if place == "waiting" {
            wait(conn, &dimension, lot.hour, lot.series, *raw)?;
        } else {
            total(conn, place, &dimension, *raw)?;
        }
    }
    Ok(())
}

fn wait(
    conn: &Connection,
    dimension: &str,
    hour: Hour,
    series: SeriesId,
    raw: Raw,
) -> rusqlite::Result<()> {
    if raw == 0 {
        return Ok(());
    }
    let sql = "INSERT INTO waiting VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (dimension, hour, series) DO UPDATE SET raw = raw + excluded.raw";
    run(conn, sql, params![dimension, hour.0, series.0, int(raw)?]).map(drop)
}

fn total(conn: &Connection, place: &str, dimension: &str, raw: Raw) -> rusqlite::Result<()> {
    run(conn, add_to(place), params![dimension, int(raw)?]).map(drop)
}

/// The statement that adds `?2` to one total of dimension `?1`.
fn add_to(place: &str) -> &'static str {
    match place {
        "added" => add!("added"),
        "delivered" => add!("delivered"),
        "disputed" => add!("disputed"),
        "held" => add!("held"),
        _ => add!("missed"),
    }
}

/// Dimension of a counter, as `Books::dimension_of` says it.
fn dimension_of(conn: &Connection, series: SeriesId) -> rusqlite::Result<String> {
    let mut statement = conn.prepare_cached("SELECT dimension FROM series WHERE id = ?1")?;
    let found = statement.query_row([series.0], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or_else(|| UNKNOWN.to_owned()))
}

/// Runs a statement that stays prepared. Returns how many rows it changed.
pub(super) fn run(conn: &Connection, sql: &str, row: impl Params) -> rusqlite::Result<usize> {
    conn.prepare_cached(sql)?.execute(row)
}

/// SQLite's integers have 63 bits for a count, as our counters do.
fn int(number: u64) -> rusqlite::Result<i64> {
    i64::try_from(number).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}

fn text(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| Error::ToSqlConversionFailure(Box::new(error)))
}
