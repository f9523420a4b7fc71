//! Starting other programs.

use crate::place;
use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
    thread,
};

/// What a verb comes to; the text says what failed, on which thing, and the next step.
pub(crate) type Done<T = ()> = Result<T, String>;

/// A program, started in the root of the repository.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(place::root());
    command
}

/// Cargo, the one that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Set by cargo for us, not for the cargo that we start: build scripts that look at them (ring's) would run
    // again, and everything above them be compiled again, whenever a person's own `cargo build` came in between.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs to the end with our own output.
pub(crate) fn run(command: &mut Command) -> Done {
    let status = command.status().map_err(|e| format!("cannot start {}: {e}", show(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed: {status}", show(command))) }
}

/// Runs to the end in silence; what it printed is shown only when it fails.
pub(crate) fn quiet(command: &mut Command) -> Done {
    let output = command.output().map_err(|e| format!("cannot start {}: {e}", show(command)))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{} failed: {}\n{}{}",
        show(command),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// Runs to the end, shows its output and keeps it. Gives whether it succeeded.
pub(crate) fn tee(command: &mut Command) -> Done<(bool, String)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cannot start {}: {e}", show(command)))?;
    let stdout = child.stdout.take().expect("stdout is piped two lines above");
    let reader = thread::spawn(move || {
        let mut kept = String::new();
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let _ = std::io::stdout().write_all(&line);
            kept.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
        kept
    });
    let kept = reader.join().map_err(|_| format!("cannot read what {} prints", show(command)))?;
    let status = child.wait().map_err(|e| format!("cannot wait for {}: {e}", show(command)))?;
    Ok((status.success(), kept))
}

fn show(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    format!("`{}`", words.join(" "))
}
