//! Every row, for machines.

use super::{
    DATABASE, ReadError,
    copy::Copy,
    holdings::{Holder, holdings},
    report,
};
use crate::model::time::{Hour, Timestamp};
use rusqlite::{Connection, types::ValueRef};
use serde_json::{Map, Value, json};
use std::{
    io::{self, Write},
    path::Path,
};

/// Columns that hold hours, and such that hold moments: both are said in UTC as well.
const HOURS: &[&str] = &["hour", "from_hour", "to_hour"];
const MOMENTS: &[&str] =
    &["at", "created", "newest", "timestamp", "frozen_at", "settled_at", "expires"];
/// Columns that hold JSON.
const JSON: &[&str] = &["tags", "allocations"];

/// Writes each row of each table as one JSON object a line, with the name of its table, and what is held of the
/// contract in the same form.
///
/// # Errors
/// The ledger cannot be read, or `out` does not take it.
pub fn export(dir: &Path, out: &mut dyn Write) -> Result<(), ReadError> {
    let copy = Copy::of(dir)?;
    tables(&copy.conn, out).map_err(|why| ReadError::at(&dir.join(DATABASE), why))?;
    for held in holdings(dir) {
        let held = held?;
        contract(&held, out).map_err(|why| ReadError::at(&held.file, why))?;
    }
    Ok(())
}

fn tables(conn: &Connection, out: &mut dyn Write) -> Result<(), Box<dyn std::error::Error>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY rowid";
    let names: Vec<String> =
        conn.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for table in names {
        let mut statement = conn.prepare(&format!("SELECT * FROM \"{table}\""))?;
        let columns: Vec<String> =
            statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut object = Map::new();
            object.insert("table".to_owned(), Value::from(table.as_str()));
            for (at, column) in columns.iter().enumerate().filter(|(_, name)| *name != "one") {
                put(&mut object, column, row.get_ref(at)?);
            }
            serde_json::to_writer(&mut *out, &object)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

fn contract(held: &Holder, out: &mut dyn Write) -> Result<(), Box<dyn std::error::Error>> {
    let file = held.file.file_name().unwrap_or_default().to_string_lossy();
    let seats = held.seats.iter().map(|seat| {
        json!({
            "table": "seats", "file": file, "entitlement": seat.entitlement, "count": seat.count,
            "state": seat.state, "at": seat.at.0, "at_utc": seat.at.to_string(),
        })
    });
    let units = held.units.iter().map(|units| {
        json!({
            "table": "units", "file": file, "entitlement": units.entitlement, "drawn": units.drawn,
            "booked": units.booked, "left": units.left, "in_hand": units.in_hand, "disputed": units.disputed,
        })
    });
    let disputes = held.disputes.iter().map(|it| {
        json!({
            "table": "disputes", "file": file, "entitlement": it.entitlement, "client_token": it.client_token,
            "quantity": it.quantity, "begun": it.begun.0, "begun_utc": it.begun.to_string(), "why": it.why,
        })
    });
    for row in seats.chain(units).chain(disputes) {
        serde_json::to_writer(&mut *out, &row)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn put(object: &mut Map<String, Value>, column: &str, value: ValueRef<'_>) {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let said = match value {
        ValueRef::Integer(number) => {
            object.insert(column.to_owned(), Value::from(number));
            let utc = if HOURS.contains(&column) {
                Hour(number).start().to_string()
            } else if MOMENTS.contains(&column) {
                Timestamp(number).to_string()
            } else {
                return;
            };
            object.insert(format!("{column}_utc"), Value::from(utc));
            return;
        }
        ValueRef::Text(bytes) if JSON.contains(&column) => {
            serde_json::from_slice(bytes).unwrap_or_else(|_| Value::from(text(bytes)))
        }
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Value::from(text(bytes)),
        ValueRef::Real(number) => Value::from(number),
        ValueRef::Null => Value::Null,
    };
    object.insert(column.to_owned(), said);
}

/// Writes the records as CSV (RFC 4180), one line each under a line of names.
///
/// # Errors
/// The ledger cannot be read, or `out` does not take it.
pub fn records_csv(dir: &Path, head: bool, out: &mut dyn Write) -> Result<(), ReadError> {
    let report = report(dir)?;
    lines(&report, head, out).map_err(|why| ReadError::at(&dir.join(DATABASE), why))
}

fn lines(report: &report::Report, head: bool, out: &mut dyn Write) -> io::Result<()> {
    if head {
        out.write_all(
            b"ledger_id,product_code,identity,id,dimension,hour,quantity,raw,carried_from,carried_to,state,why,\
              attempts,last_error,record_id,request_id,client_token,frozen_at,settled_at\r\n",
        )?;
    }
    for record in &report.records {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let hours: Vec<String> = record.carried_from.iter().map(Hour::to_string).collect();
        let later: Vec<String> = record.carried_to.iter().map(u64::to_string).collect();
        let cells = [
            report.ledger_id.clone(),
            report.product_code.clone(),
            text(&report.identity),
            record.id.to_string(),
            record.dimension.clone(),
            record.hour.start().to_string(),
            record.units.to_string(),
            record.raw.to_string(),
            hours.join(" "),
            later.join(" "),
            record.state.clone(),
            text(&record.why),
            record.attempts.to_string(),
            text(&record.last_error),
            text(&record.record_id),
            text(&record.request_id),
            record.client_token.clone(),
            record.frozen_at.to_string(),
            record.settled_at.map(|at| at.to_string()).unwrap_or_default(),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
