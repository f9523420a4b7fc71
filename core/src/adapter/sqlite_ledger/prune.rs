//! Rows of more than a year ago: their sums stay, they go.

use super::write::run;
use rusqlite::{Connection, params};

/// Age at which settled rows go, in hours: a year for whoever audits, and a month more.
///
/// Counted back from the newest record, because only those hours are by AWS's time: a wrong clock must not
/// wipe the history.
pub(super) const KEEP_HOURS: i64 = 400 * 24;

/// Rows of each kind that go in one commit, so that none takes long. More come per year than are made.
const RECORDS_AT_ONCE: i64 = 64;
const CAPTURES_AT_ONCE: i64 = 8;

/// Folds the oldest rows into `pruned`. It never touches records without a fate, nor counts that wait.
pub(super) fn old_rows(conn: &Connection) -> rusqlite::Result<()> {
    let sql = "SELECT max(hour) FROM records";
    let newest: Option<i64> = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    let Some(newest) = newest else { return Ok(()) };
    let horizon = newest.saturating_sub(KEEP_HOURS);

    let records = ids(conn, OLD_RECORDS, horizon, RECORDS_AT_ONCE)?;
    for id in records {
        run(conn, FOLD_RECORD, [id])?;
        run(conn, "DELETE FROM records WHERE id = ?1", [id])?;
    }
    let captures = ids(conn, OLD_CAPTURES, horizon, CAPTURES_AT_ONCE)?;
    for sequence in captures {
        run(conn, FOLD_CAPTURE, [sequence])?;
        run(conn, "DELETE FROM captures WHERE sequence = ?1", [sequence])?;
    }
    let aside = ids(conn, OLD_ASIDE, horizon, RECORDS_AT_ONCE)?;
    for number in aside {
        run(conn, FOLD_ASIDE, [number])?;
        run(conn, "DELETE FROM set_aside WHERE number = ?1", [number])?;
    }
    Ok(())
}

fn ids(conn: &Connection, sql: &str, horizon: i64, most: i64) -> rusqlite::Result<Vec<i64>> {
    let mut statement = conn.prepare_cached(sql)?;
    statement.query_map(params![horizon, most], |row| row.get(0))?.collect()
}

const OLD_RECORDS: &str = "SELECT id FROM records WHERE hour < ?1 AND fate IS NOT NULL
    ORDER BY hour LIMIT ?2";
const OLD_CAPTURES: &str = "SELECT sequence FROM (SELECT sequence, hour FROM captures ORDER BY sequence LIMIT ?2) WHERE hour < ?1";
const OLD_ASIDE: &str = "SELECT number FROM (SELECT number, hour FROM set_aside ORDER BY number LIMIT ?2) WHERE hour < ?1";

const FOLD_RECORD: &str = "INSERT INTO pruned (dimension, delivered, disputed, held, missed)
    SELECT dimension, iif(fate = 'recorded', raw, 0), iif(fate = 'disputed', raw, 0),
        iif(fate = 'held', raw, 0), iif(fate = 'missed', raw, 0)
    FROM (SELECT dimension, fate, (SELECT coalesce(sum(raw), 0) FROM parts WHERE record = id) AS raw
        FROM records WHERE id = ?1)
    WHERE true ON CONFLICT (dimension) DO UPDATE SET delivered = delivered + excluded.delivered,
        disputed = disputed + excluded.disputed, held = held + excluded.held,
        missed = missed + excluded.missed";
const FOLD_CAPTURE: &str = "INSERT INTO pruned (dimension, added)
    SELECT dimension, sum(raw) FROM counts WHERE sequence = ?1 GROUP BY dimension
    ON CONFLICT (dimension) DO UPDATE SET added = added + excluded.added";
const FOLD_ASIDE: &str = "INSERT INTO pruned (dimension, held, missed)
    SELECT dimension, iif(place = 'held', raw, 0), iif(place = 'missed', raw, 0)
    FROM set_aside WHERE number = ?1
    ON CONFLICT (dimension) DO UPDATE SET held = held + excluded.held, missed = missed + excluded.missed";
