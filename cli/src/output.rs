//! How a verb that writes to standard output ends.

use std::{
    io::{self, Write},
    process::ExitCode,
};

/// Exit status when a verb could not do what was asked.
const FAILED: u8 = 2;

/// Runs `write` on standard output; an error goes to standard error, with status 2.
pub(crate) fn write(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> ExitCode {
    let out = &mut io::stdout().lock();
    match write(out).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(FAILED)
        }
    }
}
