//! One ledger, for a person.

use super::table::table;
use mpguard_core::ledger::{Holder, ReadError, RecordRow, Report};
use std::{
    io::{self, Write},
    path::Path,
};

/// Who, where, one account a dimension, the newest records, what nobody will bill, and what is held of the contract.
pub(crate) fn show(
    dir: &Path,
    report: &Report,
    held: &[Result<Holder, ReadError>],
    newest: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    head(dir, report, out)?;
    accounts(report, out)?;
    let alive = report.records.iter().filter(|record| record.settled_at.is_none()).count();
    let (count, shown) = (report.records.len(), newest.min(report.records.len()));
    writeln!(out, "\nrecords: {count} kept, {alive} without a fate, the newest {shown}")?;
    records(&report.records[count - shown..], out)?;
    for (state, next) in [
        ("disputed", "compare with the bill of AWS; mpguard does not send them again"),
        ("held", "repair what the reason names; mpguard does not send them again by itself"),
    ] {
        let these: Vec<RecordRow> =
            report.records.iter().filter(|record| record.state == state).cloned().collect();
        if !these.is_empty() {
            writeln!(out, "\n{state}: {} records; {next}", these.len())?;
            records(&these, out)?;
        }
    }
    aside(report, out)?;
    contract(held, out)?;
    writeln!(out)
}

fn head(dir: &Path, report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "not known yet".to_owned());
    writeln!(out, "{}", dir.display())?;
    writeln!(out, "  product   {}", report.product_code)?;
    let (platform, region) = (or(&report.platform), or(&report.region));
    match &report.identity {
        Some(identity) => writeln!(out, "  identity  {identity} ({platform}, {region})")?,
        None => writeln!(out, "  identity  not known yet")?,
    }
    let created = report.created.map_or_else(|| "never written".to_owned(), |at| at.to_string());
    writeln!(out, "  ledger    {}, since {created}, newest {}", report.ledger_id, report.newest)?;
    let (epoch, commits, slabs) = (report.epoch, report.commits, report.captured);
    writeln!(out, "  so far    {epoch} leaders, {commits} transactions, {slabs} slabs captured")?;
    let entitled = if report.entitled { "AWS has said yes" } else { "AWS has not answered yet" };
    writeln!(out, "  entitled  {entitled}")
}

fn accounts(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\naccounts in raw counts, without the running hour")?;
    let head =
        ["dimension", "added", "pending", "delivered", "disputed", "held", "missed", "balance"];
    let rows: Vec<Vec<String>> = report
        .accounts
        .iter()
        .map(|account| {
            let numbers = [
                account.added,
                account.pending,
                account.delivered,
                account.disputed,
                account.held,
                account.missed,
            ];
            let mut row = vec![account.dimension.clone()];
            row.extend(numbers.iter().map(u64::to_string));
            row.push(if account.balances() { "ok" } else { "BROKEN" }.to_owned());
            row
        })
        .collect();
    if rows.is_empty() {
        writeln!(out, "  nothing counted yet")?;
    }
    table(&head, &head[1..7], &rows, out)
}

fn records(records: &[RecordRow], out: &mut dyn Write) -> io::Result<()> {
    let head = [
        "id",
        "dimension",
        "hour",
        "quantity",
        "raw",
        "state",
        "tries",
        "AWS record",
        "request",
        "notes",
    ];
    let rows: Vec<Vec<String>> = records
        .iter()
        .map(|record| {
            let text = |value: &Option<String>| value.clone().unwrap_or_default();
            vec![
                record.id.to_string(),
                record.dimension.clone(),
                record.hour.to_string(),
                record.units.to_string(),
                record.raw.to_string(),
                record.state.clone(),
                record.attempts.to_string(),
                text(&record.record_id),
                text(&record.request_id),
                notes(record),
            ]
        })
        .collect();
    table(&head, &["id", "quantity", "raw", "tries"], &rows, out)
}

fn notes(record: &RecordRow) -> String {
    let mut notes: Vec<String> = Vec::new();
    notes.extend(record.why.clone().or_else(|| record.last_error.clone()));
    if !record.carried_from.is_empty() {
        let hours: Vec<String> = record.carried_from.iter().map(ToString::to_string).collect();
        notes.push(format!("holds counts of {}", hours.join(", ")));
    }
    if !record.carried_to.is_empty() {
        let later: Vec<String> = record.carried_to.iter().map(ToString::to_string).collect();
        notes.push(format!("carried to record {}", later.join(", ")));
    }
    notes.join("; ")
}

fn aside(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if !report.set_aside.is_empty() {
        writeln!(out, "\nset aside: counts that no record will hold")?;
        let head = ["dimension", "hour", "place", "raw", "why"];
        let row = |row: &mpguard_core::ledger::AsideRow| {
            let (hour, raw) = (row.hour.to_string(), row.raw.to_string());
            vec![row.dimension.clone(), hour, row.place.clone(), raw, row.why.clone()]
        };
        let rows: Vec<Vec<String>> = report.set_aside.iter().map(row).collect();
        table(&head, &["raw"], &rows, out)?;
    }
    if !report.taken_over.is_empty() {
        writeln!(out, "\ntaken over from other ledgers")?;
        let head = ["ledger", "when", "waiting", "disputed", "why"];
        let row = |other: &mpguard_core::ledger::OtherLedger| {
            let (waiting, disputed) = (other.waiting.to_string(), other.disputed.to_string());
            vec![other.ledger.clone(), other.at.to_string(), waiting, disputed, other.why.clone()]
        };
        let rows: Vec<Vec<String>> = report.taken_over.iter().map(row).collect();
        table(&head, &["waiting", "disputed"], &rows, out)?;
    }
    Ok(())
}

/// Seats and prepaid units, file by file: each process of the task has its own.
fn contract(held: &[Result<Holder, ReadError>], out: &mut dyn Write) -> io::Result<()> {
    for broken in held.iter().filter_map(|it| it.as_ref().err()) {
        writeln!(out, "\n{broken}")?;
    }
    let whole: Vec<&Holder> = held.iter().filter_map(|it| it.as_ref().ok()).collect();
    let rows = |row: &dyn Fn(&Holder, &str) -> Vec<Vec<String>>| -> Vec<Vec<String>> {
        let name =
            |it: &Holder| it.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        whole.iter().flat_map(|it| row(it, &name(it))).collect()
    };
    let seats = rows(&|it, file| {
        let seat = |seat: &mpguard_core::ledger::SeatRow| {
            let at = match seat.state.as_str() {
                "held" => format!("until {}", seat.at),
                _ => format!("since {}", seat.at),
            };
            vec![
                seat.entitlement.clone(),
                seat.count.to_string(),
                seat.state.clone(),
                at,
                file.to_owned(),
            ]
        };
        it.seats.iter().map(seat).collect()
    });
    if !seats.is_empty() {
        writeln!(out, "\nseats of the contract")?;
        table(&["entitlement", "seats", "state", "when", "file"], &["seats"], &seats, out)?;
    }
    let units = rows(&|it, file| {
        let row = |units: &mpguard_core::ledger::UnitsRow| {
            let numbers = [units.drawn, units.booked, units.left, units.in_hand, units.disputed]
                .map(|n| n.to_string());
            let mut row = vec![units.entitlement.clone()];
            row.extend(numbers);
            row.push(file.to_owned());
            row
        };
        it.units.iter().map(row).collect()
    });
    if !units.is_empty() {
        writeln!(out, "\nprepaid units of the contract")?;
        let head = ["entitlement", "drawn", "booked", "left", "in hand", "disputed", "file"];
        table(&head, &head[1..6], &units, out)?;
    }
    let disputes = rows(&|it, _| {
        let row = |it: &mpguard_core::ledger::DisputeRow| {
            let quantity = it.quantity.to_string();
            vec![
                it.entitlement.clone(),
                quantity,
                it.begun.to_string(),
                it.client_token.clone(),
                it.why.clone(),
            ]
        };
        it.disputes.iter().map(row).collect()
    });
    if !disputes.is_empty() {
        writeln!(
            out,
            "\ndisputed draws: compare with the license's usage at AWS, whose support finds them by their token"
        )?;
        let head = ["entitlement", "units", "begun", "client token", "why"];
        table(&head, &["units"], &disputes, out)?;
    }
    Ok(())
}
