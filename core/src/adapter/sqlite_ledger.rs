//! The durable account in one SQLite file, for the leader of a task.
//!
//! Rows say what happened ([`write`](self)), and from them a start reads the same books that the process before
//! had ([`load`](self)). One `commit` is one transaction of a rollback journal with `synchronous=EXTRA`: it is
//! on the disk when it returns. `docs/decisions/0004-ledger.md` has the reasons.
//!
//! Two things are not left to SQLite. A connection must never be closed by a process that does not own its
//! descriptors any more, so the fence is asked before every step and on drop. And after a failed sync nobody
//! knows what the disk holds, so the file is copied to a fresh one before it is written again (`repair.rs`).
#![allow(unreachable_pub, reason = "the proofs build these files as a door of their own crate")]

mod files;
mod load;
mod prune;
pub mod read;
mod repair;
mod schema;
mod trouble;
mod write;

#[cfg(test)]
mod tests;

pub use files::{Files, OsFiles};

use crate::{
    model::{
        books::Books,
        entry::Entry,
        ids::{Identity, Platform},
        time::Timestamp,
    },
    port::ledger::{Ledger, LedgerError},
};
use rusqlite::{Connection, OpenFlags, params};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};
use trouble::Trouble;

/// True while this process holds the lock of the leader, and is the process that opened the ledger.
pub type Fence = Box<dyn Fn() -> bool + Send>;

/// Whose usage a ledger holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Product code.
    pub product_code: String,
    /// Task or pod, once it is known.
    pub identity: Option<Identity>,
}

/// Where files are: the operating system's, or a proof's own disk.
pub struct Place {
    /// Name of a registered VFS; `None` is SQLite's own for this system.
    pub vfs: Option<String>,
    /// What SQLite does not do.
    pub files: Box<dyn Files>,
}

impl Default for Place {
    fn default() -> Self {
        Place { vfs: None, files: Box::new(OsFiles) }
    }
}

/// What a start finds.
pub struct Opened {
    /// Takes further entries.
    pub ledger: SqliteLedger,
    /// The books so far.
    pub books: Books,
    /// Random id of this ledger.
    pub ledger_id: String,
    /// The newest time that it has seen.
    pub newest: Timestamp,
    /// It was made just now.
    pub fresh: bool,
    /// What a person should know, such as a file that was found empty.
    pub notes: Vec<String>,
}

/// Why a ledger was not opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Its content cannot be trusted; it is to be set aside.
    Broken(String),
    /// A newer mpguard wrote it, in this version. Nothing was touched.
    Newer(u32),
    /// The place does not let us; the content may be well.
    Unwritable(String),
}

/// The ledger of one identity, as its leader holds it.
pub struct SqliteLedger {
    /// `None` after it was given up.
    conn: Option<Connection>,
    path: PathBuf,
    place: Place,
    fence: Fence,
    epoch: i64,
    commits: i64,
    health: Health,
    uncertain: Option<Uncertain>,
}

/// Whether the file takes entries.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Health {
    Well,
    /// A read, write or sync failed. It is copied before it is written again.
    Poisoned,
    /// Its content makes no sense.
    Broken(String),
    /// Somebody else leads.
    Deposed(String),
}

/// A batch whose `COMMIT` failed in a way that does not tell whether it holds.
struct Uncertain {
    commit: i64,
    entries: Vec<Entry>,
}

/// How long a transaction waits for somebody who reads the file with another tool.
const BUSY: Duration = Duration::from_millis(500);

impl SqliteLedger {
    /// Opens the ledger at `path`, or makes it where there is none or an empty file. Only for the leader.
    ///
    /// # Errors
    /// See [`OpenError`]; a ledger that is there was not changed.
    pub fn open(path: &Path, who: &Who, fence: Fence, place: Place) -> Result<Opened, OpenError> {
        let mut notes = Vec::new();
        let size = |path: &Path| {
            let unreadable = |why| OpenError::Unwritable(format!("cannot look at it: {why}"));
            place.files.size(path).map_err(unreadable)
        };
        let there = size(path)?;
        if size(&beside(path, "-broken"))?.is_some() {
            if there.is_some() {
                let why = "an earlier process met damage in it".to_owned();
                return Err(OpenError::Broken(why));
            }
            let forget = place.files.remove(&beside(path, "-broken"));
            notes.extend(
                forget.err().map(|why| format!("the mark of a broken ledger stays: {why}")),
            );
        }
        let conn = connect(path, place.vfs.as_deref(), true).map_err(trouble::at_open)?;
        let fresh = match schema::look(&conn, schema::STEPS)? {
            schema::Found::Nothing => {
                if there == Some(0) {
                    notes.push("the ledger was an empty file; a new one begins".to_owned());
                }
                prepare(&conn)
                    .and_then(|()| schema::create(&conn, who))
                    .map_err(trouble::at_open)?;
                true
            }
            schema::Found::Version(version) => {
                check(&conn)?;
                prepare(&conn).map_err(trouble::at_open)?;
                schema::upgrade(&conn, version, schema::STEPS).map_err(trouble::at_open)?;
                false
            }
        };
        belongs_to(&conn, who)?;
        let books = trusted_books(&conn)?;
        let lead = || {
            conn.execute("UPDATE state SET epoch = epoch + 1, commits = commits + 1", [])?;
            conn.query_row("SELECT epoch, commits, newest, ledger_id FROM state, meta", [], |row| {
                Ok((row.get(0)?, row.get(1)?, Timestamp(row.get(2)?), row.get(3)?))
            })
        };
        let (epoch, commits, newest, ledger_id) = lead().map_err(trouble::at_open)?;
        let ledger = SqliteLedger {
            conn: Some(conn),
            path: path.to_owned(),
            place,
            fence,
            epoch,
            commits,
            health: Health::Well,
            uncertain: None,
        };
        Ok(Opened { ledger, books, ledger_id, newest, fresh, notes })
    }

    /// What stands in the way of a commit, if anything. Repairs a poisoned file.
    fn ready<'e>(&mut self, entries: &'e [Entry]) -> Result<&'e [Entry], LedgerError> {
        if let Health::Deposed(why) = &self.health {
            return Err(LedgerError::Deposed(why.clone()));
        }
        if !(self.fence)() {
            // The descriptors in it may be somebody else's by now: closing them would hurt a stranger.
            std::mem::forget(self.conn.take());
            return Err(self.depose("the lock of the leader is lost".to_owned()));
        }
        if self.health == Health::Poisoned {
            self.repair()?;
        }
        if let Health::Broken(why) = &self.health {
            return Err(unwritten(&self.path, why, "it is set aside when the product starts next"));
        }
        match self.uncertain.take() {
            Some(uncertain) if uncertain.commit == self.commits => {
                // It did hold. Whoever asked was told that it did not, and asks for the same again.
                match entries.strip_prefix(uncertain.entries.as_slice()) {
                    Some(rest) => Ok(rest),
                    None => Err(self.depose("it holds a batch that was given up".to_owned())),
                }
            }
            _ => Ok(entries),
        }
    }

    fn depose(&mut self, why: String) -> LedgerError {
        self.health = Health::Deposed(why.clone());
        LedgerError::Deposed(why)
    }

    /// One transaction. `Err` tells whether the `COMMIT` itself failed.
    fn transact(
        &self,
        entries: &[Entry],
        now: Timestamp,
    ) -> Result<Done, (Stage, rusqlite::Error)> {
        let Some(conn) = &self.conn else { return Ok(Done::Deposed) };
        let inside = || {
            write::run(conn, "BEGIN IMMEDIATE", [])?;
            if write::run(conn, FENCED, params![self.epoch, now.0])? != 1 {
                return Ok(Done::Deposed);
            }
            write::run(conn, "UPDATE meta SET created = ?1 WHERE created IS NULL", [now.0])?;
            for entry in entries {
                write::entry(conn, entry, now)?;
            }
            if entries.iter().any(|entry| matches!(entry, Entry::Captured { .. })) {
                prune::old_rows(conn)?;
            }
            Ok(Done::Written)
        };
        let done = inside().map_err(|error| (Stage::Body, error));
        let done = match done {
            Ok(Done::Written) => write::run(conn, "COMMIT", [])
                .map(|_| Done::Written)
                .map_err(|e| (Stage::Commit, e)),
            other => other,
        };
        if !conn.is_autocommit() {
            // Where this fails too, the journal stays and the next reader rolls back.
            let _ = conn.execute_batch("ROLLBACK");
        }
        done
    }

    fn failed(&mut self, stage: Stage, error: &rusqlite::Error, entries: &[Entry]) -> LedgerError {
        match trouble::kind(error) {
            Trouble::Disk => {
                self.health = Health::Poisoned;
                if stage == Stage::Commit {
                    let commit = self.commits + 1;
                    self.uncertain = Some(Uncertain { commit, entries: entries.to_vec() });
                }
            }
            Trouble::Broken => self.mark_broken(error.to_string()),
            Trouble::Refused | Trouble::Bug => {}
        }
        unwritten(&self.path, &error.to_string(), trouble::next_step(error))
    }

    /// Leaves a mark for the next start, as a quick check need not find what we have met.
    fn mark_broken(&mut self, why: String) {
        let mark = beside(&self.path, "-broken");
        // The mark is a convenience: without it the next start finds most damage by itself.
        let _ = self.place.files.mark(&mark);
        self.health = Health::Broken(why);
    }
}

/// One row only while nobody has led after us.
const FENCED: &str =
    "UPDATE state SET commits = commits + 1, newest = max(newest, ?2) WHERE epoch = ?1";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Body,
    Commit,
}

enum Done {
    Written,
    Deposed,
}

impl Ledger for SqliteLedger {
    fn holds(&self) -> bool {
        (self.fence)()
    }

    fn commit(&mut self, entries: &[Entry], now: Timestamp) -> Result<(), LedgerError> {
        let entries = self.ready(entries)?;
        if entries.is_empty() {
            return Ok(());
        }
        match self.transact(entries, now) {
            Ok(Done::Written) => {
                self.commits += 1;
                Ok(())
            }
            Ok(Done::Deposed) => Err(self.depose("another process has led since".to_owned())),
            Err((stage, error)) => Err(self.failed(stage, &error, entries)),
        }
    }
}

impl Drop for SqliteLedger {
    fn drop(&mut self) {
        if !(self.fence)() {
            std::mem::forget(self.conn.take());
        }
    }
}

fn unwritten(path: &Path, why: &str, next: &str) -> LedgerError {
    LedgerError::Unwritten(format!("cannot write the ledger `{}`: {why}; {next}", path.display()))
}

/// Opens a connection that trusts nothing in the file.
fn connect(path: &Path, vfs: Option<&str>, create: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let conn = match vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
        None => Connection::open_with_flags(path, flags),
    }?;
    conn.busy_timeout(BUSY)?;
    conn.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY; PRAGMA locking_mode = NORMAL; PRAGMA synchronous = EXTRA;",
    )?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Sets what is kept in the file or needs it. EXTRA also syncs the directory after the journal is removed, so
/// that a commit cannot come undone. Source: SQLite, PRAGMA synchronous.
fn prepare(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0)).map(drop)
}

/// Asks SQLite whether the pages make sense.
fn check(conn: &Connection) -> Result<(), OpenError> {
    let found: rusqlite::Result<String> =
        conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match found.map_err(trouble::at_open)?.as_str() {
        "ok" => Ok(()),
        why => Err(OpenError::Broken(why.to_owned())),
    }
}

/// The books, if every account balances and every total is the sum of its rows.
fn trusted_books(conn: &Connection) -> Result<Books, OpenError> {
    let books = load::books(conn).map_err(trouble::at_open)?;
    let fault = match books.fault() {
        Some(fault) => Some(fault),
        None => load::totals_fault(conn).map_err(trouble::at_open)?,
    };
    match fault {
        Some(fault) => Err(OpenError::Broken(fault)),
        None => Ok(books),
    }
}

/// A ledger of somebody else is no ledger of ours. One that did not know its identity learns it.
fn belongs_to(conn: &Connection, who: &Who) -> Result<(), OpenError> {
    let sql = "SELECT product_code, identity FROM meta";
    let (product, identity): (String, Option<String>) =
        conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map_err(trouble::at_open)?;
    if product != who.product_code {
        return Err(OpenError::Broken(format!("it belongs to product `{product}`")));
    }
    match (&who.identity, identity) {
        (Some(ours), Some(theirs)) if ours.name != theirs => {
            Err(OpenError::Broken(format!("it belongs to `{theirs}`")))
        }
        (Some(ours), None) => {
            let row = params![ours.name, platform_text(ours.platform), ours.region];
            conn.execute("UPDATE meta SET identity = ?1, platform = ?2, region = ?3", row)
                .map_err(trouble::at_open)
                .map(drop)
        }
        _ => Ok(()),
    }
}

fn platform_text(platform: Platform) -> &'static str {
    match platform {
        Platform::Ecs => "ecs",
        Platform::Eks => "eks",
        Platform::Ec2 => "ec2",
        Platform::Elsewhere => "elsewhere",
    }
}

/// `ledger.db` and `-journal` give `ledger.db-journal`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
