//! One ledger, for a person.

use super::table::table;
use mpguard_core::ledger::{RecordRow, Report};
use std::{
    io::{self, Write},
    path::Path,
};

/// Who, where, one account a dimension, the newest records, and what nobody will bill.
pub(crate) fn show(
    dir: &Path,
    report: &Report,
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
    writeln!(out, "  entitled  {entitled}; {} check outs open", report.leases)
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
