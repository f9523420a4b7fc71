//! How a verb that writes to standard output ends.

use std::{
    fmt::Display,
    io::{self, Write},
    process::ExitCode,
};

/// Exit status when a verb could not do what was asked.
const FAILED: u8 = 2;

/// Runs `write` on standard output; an error goes to standard error, with status 2.
pub(crate) fn write(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> ExitCode {
    with_status(0, write)
}

/// The same for a verb whose status says more than that it could write.
pub(crate) fn with_status(
    status: u8,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> ExitCode {
    let out = &mut io::stdout().lock();
    match write(out).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::from(status),
        // Whoever reads our output has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::from(status),
        Err(error) => fail(&error),
    }
}

/// Says on standard error why a verb could not do what was asked.
pub(crate) fn fail(why: &impl Display) -> ExitCode {
    eprintln!("error: {why}");
    ExitCode::from(FAILED)
}
