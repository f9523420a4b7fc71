//! The tables, their version, and the way from an older version to ours.

use super::{OpenError, Who, platform_text, trouble};
use rusqlite::{Connection, params};

/// What leads from each version to the next: step 0 makes version 1. Steps are only ever added.
pub(super) const STEPS: &[&str] = &[include_str!("schema_1.sql"), include_str!("schema_2.sql")];

/// Marks the file as ours in its header: "mpgL".
const APPLICATION: i64 = 0x6d70_674c;

/// What was found in the header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// No table yet.
    Nothing,
    /// A ledger of this version, which is not newer than ours.
    Version(usize),
}

/// Looks at the header and changes nothing.
pub(super) fn look(conn: &Connection, steps: &[&str]) -> Result<Found, OpenError> {
    let one = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let read = || Ok((one("PRAGMA user_version")?, one("PRAGMA application_id")?, one(TABLES)?));
    let (version, application, tables) = read().map_err(trouble::at_open)?;
    if version == 0 && application == 0 && tables == 0 {
        return Ok(Found::Nothing);
    }
    if application != APPLICATION {
        return Err(OpenError::Broken("it is a database of another program".to_owned()));
    }
    match usize::try_from(version) {
        Ok(version) if version > steps.len() => {
            Err(OpenError::Newer(u32::try_from(version).unwrap_or(u32::MAX)))
        }
        Ok(version) if version > 0 => Ok(Found::Version(version)),
        _ => Err(OpenError::Broken(format!("its version is {version}"))),
    }
}

const TABLES: &str = "SELECT count(*) FROM sqlite_schema";

/// Brings a ledger of version `from` to the newest of `steps`, in one transaction. Version 0 is an empty file.
pub(super) fn upgrade(conn: &Connection, from: usize, steps: &[&str]) -> rusqlite::Result<()> {
    if from == steps.len() {
        return Ok(());
    }
    let whole = conn.unchecked_transaction()?;
    for step in steps.iter().skip(from) {
        whole.execute_batch(step)?;
    }
    whole.pragma_update(None, "application_id", APPLICATION)?;
    whole.pragma_update(None, "user_version", steps.len())?;
    whole.commit()
}

/// Makes a new ledger. Tables and owner come in one transaction: a crash leaves an empty file or a whole ledger.
pub(super) fn create(conn: &Connection, who: &Who) -> rusqlite::Result<()> {
    let whole = conn.unchecked_transaction()?;
    for step in STEPS {
        whole.execute_batch(step)?;
    }
    whole.pragma_update(None, "application_id", APPLICATION)?;
    whole.pragma_update(None, "user_version", STEPS.len())?;
    let identity = who.identity.as_ref();
    whole.execute(
        "INSERT INTO meta VALUES (1, lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, NULL)",
        params![
            who.product_code,
            identity.map(|who| who.name.as_str()),
            identity.map(|who| platform_text(who.platform)),
            identity.map(|who| who.region.as_str()),
        ],
    )?;
    whole.execute("INSERT INTO state VALUES (1, 0, 0, 0, 0, 0, 0)", [])?;
    whole.commit()
}
