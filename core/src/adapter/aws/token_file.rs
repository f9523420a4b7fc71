//! A token that somebody projects or mounts: a file that is replaced while we run.
//!
//! It is read anew each time. The kubelet replaces it by moving a link (`..data`), so a reader sees the old file
//! or the new one; other tools truncate and write, so it may be empty or absent for a moment.

use crate::model::secret::Secret;
use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read},
    path::Path,
    time::Duration,
};
use tokio::time::sleep;
use zeroize::Zeroizing;

/// Longest token that is read. Source: STS service model: 20000; License Manager's is 4096.
const MAX: usize = 20_000;
/// Times that a file which is absent or empty is looked at, and the wait before the second look.
const TRIES: u32 = 4;
const BETWEEN: Duration = Duration::from_millis(50);

/// What is wrong with a file.
#[derive(Debug, PartialEq, Eq)]
enum Bad {
    /// It may be whole in a moment.
    Passing(String),
    /// It stays as it is until somebody mends it.
    Lasting(String),
}

/// The token in the file at `path`, without white space around it.
///
/// # Errors
/// What is wrong with the file, never what it holds.
pub(super) async fn read(path: &Path) -> Result<Secret, String> {
    let mut tries = 1;
    loop {
        match read_once(path) {
            Ok(token) => return Ok(token),
            Err(Bad::Passing(_)) if tries < TRIES => {
                sleep(BETWEEN * tries).await;
                tries += 1;
            }
            Err(Bad::Passing(why) | Bad::Lasting(why)) => return Err(why),
        }
    }
}

fn read_once(path: &Path) -> Result<Secret, Bad> {
    let shown = path.display();
    let cannot =
        |why: &dyn std::fmt::Display| format!("cannot read the token file `{shown}`: {why}");
    let file = open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Bad::Passing(cannot(&error)),
        _ => Bad::Lasting(cannot(&error)),
    })?;
    let kind = file.metadata().map_err(|error| Bad::Lasting(cannot(&error)))?.file_type();
    if !kind.is_file() {
        return Err(Bad::Lasting(cannot(&"it is no file, but a folder, a pipe or a device")));
    }
    // As long as it may become: a buffer that grows leaves a copy behind that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX + 1));
    let limit = u64::try_from(MAX).unwrap_or(u64::MAX) + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| Bad::Passing(cannot(&error)))?;
    if bytes.len() > MAX {
        return Err(Bad::Lasting(format!(
            "the token file `{shown}` is longer than any token ({MAX} bytes)"
        )));
    }
    let Ok(text) = str::from_utf8(&bytes) else {
        return Err(Bad::Lasting(format!("the token file `{shown}` holds no text")));
    };
    let token = text.trim();
    if token.is_empty() {
        return Err(Bad::Passing(format!("the token file `{shown}` is empty")));
    }
    // It becomes part of a request; and where it is a header, no line of it may become another one.
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Bad::Lasting(format!(
            "the token file `{shown}` holds no token: it must be one word"
        )));
    }
    Ok(Secret::from(token))
}

/// Without waiting for the other end, where the path is a pipe's.
fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    options.open(path)
}

#[cfg(test)]
mod tests;
