//! What is wrong with a state directory.

use super::{DATABASE, copy::Copy, holdings::ASIDE as HOLDINGS_ASIDE, report};
use crate::{
    adapter::{
        sqlite_ledger::load::{self, each},
        state,
    },
    model::time::Hour,
};
use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// With which thing.
    pub thing: String,
    /// What to do.
    pub next: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; {}", self.thing, self.what, self.next)
    }
}

const ASIDE: &str =
    "keep a copy of the directory for a dispute; the product sets it aside when it starts";
const REPORT: &str = "keep a copy of the directory and report this as a bug of mpguard";

/// Checks an identity directory: pages, rows, accounts, slots, the head of the counters' file, and holdings.
#[must_use]
pub fn findings(dir: &Path) -> Vec<Finding> {
    let mut found = Vec::new();
    let database = dir.join(DATABASE).display().to_string();
    let mut say = |what: String, next: &str| {
        found.push(Finding { what, thing: database.clone(), next: next.to_owned() });
    };
    match fs::metadata(dir.join(DATABASE)) {
        Err(why) => {
            say(format!("it cannot be read: {why}"), "name the state directory of the product")
        }
        Ok(file) if file.len() == 0 => {
            let next =
                "the product begins a new ledger when it starts; what an older one held is lost";
            say("it is empty".to_owned(), next);
        }
        Ok(_) => match Copy::taken(&dir.join(DATABASE)) {
            Err(why) => say(format!("it cannot be read: {why}"), ASIDE),
            Ok(copy) => {
                if let Err(why) = content(&copy, &mut say) {
                    say(format!("its rows make no sense: {why}"), ASIDE);
                }
            }
        },
    }
    if dir.join(format!("{DATABASE}-broken")).exists() {
        say("a process met damage in it".to_owned(), ASIDE);
    }
    found.extend(counters(&dir.join("usage.seg")));
    let held = state::holdings::look(dir).into_iter();
    found.extend(held.filter_map(|(file, it)| Some(broken(&file, it.err()?, HOLDINGS_ASIDE))));
    if let Some((file, why)) = state::kept_contract_fault(dir) {
        let next = "the product keeps it anew as soon as License Manager answers";
        found.push(broken(&file, why, next));
    }
    found
}

fn broken(file: &Path, what: String, next: &str) -> Finding {
    Finding { what, thing: file.display().to_string(), next: next.to_owned() }
}

fn content(copy: &Copy, say: &mut impl FnMut(String, &str)) -> rusqlite::Result<()> {
    let conn = &copy.conn;
    let check: String = conn.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if check != "ok" {
        say(check, ASIDE);
        return Ok(());
    }
    // SQLite reads a last page that is cut short as one that ends in zeros.
    let page: u64 = conn.query_row("PRAGMA page_size", [], |row| load::raw(row, 0))?;
    let size = copy.size;
    if !size.is_multiple_of(page.max(1)) {
        say(format!("its {size} bytes end inside a page"), ASIDE);
    }
    each(conn, "PRAGMA foreign_key_check", |row| {
        let (child, parent): (String, String) = (row.get(0)?, row.get(2)?);
        say(format!("a row of `{child}` names a row of `{parent}` that is not there"), REPORT);
        Ok(())
    })?;
    let report = report::read(conn)?;
    for account in report.accounts.iter().filter(|account| !account.balances()) {
        let name = &account.dimension;
        say(format!("the account of dimension `{name}` does not balance: {account:?}"), REPORT);
    }
    if let Some(fault) = load::totals_fault(conn)? {
        say(fault, REPORT);
    }
    let sql = "SELECT dimension, hour, group_concat(id) FROM records GROUP BY dimension, hour
        HAVING count(*) > 1";
    each(conn, sql, |row| {
        let (dimension, hour, ids): (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let hour = Hour(hour);
        say(format!("records {ids} are all of dimension `{dimension}` and hour {hour}"), REPORT);
        Ok(())
    })
}

/// First word of `usage.seg`, in the order of bytes of the computer that made it.
const MAGIC: u64 = u64::from_be_bytes(*b"mpguardu");
/// Bytes of `usage.seg` by its version, which is its second word.
const SIZES: &[(u64, u64)] = &[(1, 626_688)];

/// Looks at the head of the counters' file. One that is not there is fine: no process has counted yet.
fn counters(path: &Path) -> Option<Finding> {
    let say = |what: String| {
        Finding {
        what,
        thing: path.display().to_string(),
        next: "the product makes a new one when it starts; what was counted since the last full hour is lost"
            .to_owned(),
    }
    };
    let head = || -> io::Result<(u64, u64, u64)> {
        let mut file = fs::File::open(path)?;
        let mut words = [0; 16];
        let size = file.metadata()?.len();
        if size >= 16 {
            file.read_exact(&mut words)?;
        }
        let [magic, version] = [0, 8].map(|at| {
            let mut word = [0; 8];
            word.copy_from_slice(&words[at..at + 8]);
            u64::from_ne_bytes(word)
        });
        Ok((size, magic, version))
    };
    match head() {
        Err(why) if why.kind() == io::ErrorKind::NotFound => None,
        Err(why) => Some(say(format!("it cannot be read: {why}"))),
        Ok((_, magic, _)) if magic == MAGIC.swap_bytes() => {
            Some(say("a computer with another order of bytes made it".to_owned()))
        }
        Ok((size, magic, _)) if magic != MAGIC => {
            Some(say(format!("its {size} bytes do not begin as counters do")))
        }
        Ok((size, _, version)) => match SIZES.iter().find(|(known, _)| *known == version) {
            None => Some(say(format!("its version {version} is not known here"))),
            Some((_, right)) if size != *right => {
                Some(say(format!("it has {size} bytes, and version {version} has {right}")))
            }
            Some(_) => None,
        },
    }
}
