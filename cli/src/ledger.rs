//! `mpguard ledger`: looks at a state directory, also while a guard runs there. Nothing in it changes.

mod show;
mod table;

use clap::Subcommand;
use mpguard_core::ledger;
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What to do with the ledger.
#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Say what was counted, billed, disputed and held, for a person.
    Show {
        /// State directory of the product, or the directory of one identity in it.
        dir: PathBuf,
        /// Newest records to list.
        #[arg(long, default_value_t = 20)]
        records: usize,
    },
    /// Write every row as a line of JSON, or the records as CSV.
    Export {
        /// State directory of the product, or the directory of one identity in it.
        dir: PathBuf,
        /// Records only, as CSV.
        #[arg(long)]
        csv: bool,
    },
    /// Check pages, accounts and slots. Exit status: 0 all is well, 1 something is not, 2 it cannot be read.
    Verify {
        /// State directory of the product, or the directory of one identity in it.
        dir: PathBuf,
    },
}

const UNREADABLE: u8 = 2;

/// Runs one verb.
pub(crate) fn run(verb: &Verb) -> ExitCode {
    let out = &mut io::stdout().lock();
    let (Verb::Show { dir, .. } | Verb::Export { dir, .. } | Verb::Verify { dir }) = verb;
    let done = ledger::directories(dir).map_err(io::Error::other).and_then(|found| match verb {
        Verb::Show { records, .. } => show_all(&found, *records, out),
        Verb::Export { csv, .. } => export_all(&found, *csv, out),
        Verb::Verify { .. } => verify_all(&found, out),
    });
    match done.and_then(|code| out.flush().map(|()| code)) {
        Ok(code) => ExitCode::from(code),
        // Whoever reads our output has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(UNREADABLE)
        }
    }
}

/// A directory that cannot be read does not hide the others.
fn show_all(dirs: &[PathBuf], records: usize, out: &mut dyn Write) -> io::Result<u8> {
    each(dirs, |dir| {
        let report = ledger::report(dir).map_err(io::Error::other)?;
        show::show(dir, &report, &ledger::holdings(dir), records, out)
    })
}

fn export_all(dirs: &[PathBuf], csv: bool, out: &mut dyn Write) -> io::Result<u8> {
    let mut head = true;
    each(dirs, |dir| {
        let first = std::mem::take(&mut head);
        // Into memory first: half a ledger that looks like a whole one would mislead whoever reads it.
        let mut text = Vec::new();
        let done = if csv {
            ledger::records_csv(dir, first, &mut text)
        } else {
            ledger::export(dir, &mut text)
        };
        done.map_err(io::Error::other)?;
        out.write_all(&text)
    })
}

fn each(dirs: &[PathBuf], mut act: impl FnMut(&Path) -> io::Result<()>) -> io::Result<u8> {
    let mut code = 0;
    for dir in dirs {
        match act(dir) {
            Err(error) if error.kind() == io::ErrorKind::Other => {
                eprintln!("error: {error}");
                code = UNREADABLE;
            }
            other => other?,
        }
    }
    Ok(code)
}

fn verify_all(dirs: &[PathBuf], out: &mut dyn Write) -> io::Result<u8> {
    let mut code = 0;
    for dir in dirs {
        let findings = ledger::findings(dir);
        if findings.is_empty() {
            writeln!(out, "{}: ok", dir.display())?;
            continue;
        }
        code = 1;
        for finding in findings {
            writeln!(out, "{finding}")?;
        }
    }
    Ok(code)
}
