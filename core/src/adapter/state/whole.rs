//! Small files that are there whole or not at all, and that say themselves whether they are as they were written.
//!
//! Such a file is one line of JSON with a fixed beginning: `{"format":"…","check":"…","body":…}`. The check is over
//! the bytes of the body as they stand, so nobody has to agree on how JSON is spelled.

use super::{hex, unhex};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// More than any of them has: seats of a process by the thousand, and a contract's entitlements.
const BYTES_MAX: u64 = 16 << 20;

/// Why a file cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It is not what was written.
    Broken(String),
    /// A newer mpguard wrote it.
    Newer,
    /// The place does not let us look.
    Unreadable(io::Error),
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unusable::Broken(why) => f.write_str(why),
            Unusable::Newer => f.write_str("a newer mpguard wrote it"),
            Unusable::Unreadable(why) => write!(f, "it cannot be read: {why}"),
        }
    }
}

/// Name and version of what stands in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    pub(super) name: &'static str,
    pub(super) version: u32,
}

/// What was found under a check that is still to be compared.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) check: [u8; 32],
    pub(super) body: Vec<u8>,
}

impl Format {
    /// The bytes of a file.
    pub(super) fn wrap(self, check: &[u8; 32], body: &[u8]) -> Vec<u8> {
        let Format { name, version } = self;
        let check = hex(check);
        let mut text =
            format!(r#"{{"format":"{name} {version}","check":"{check}","body":"#).into_bytes();
        text.extend_from_slice(body);
        text.extend_from_slice(b"}\n");
        text
    }

    /// The file at `path`; `None` when there is none.
    pub(super) fn read(self, path: &Path) -> Result<Option<Sealed>, Unusable> {
        let Some(text) = get(path)? else { return Ok(None) };
        self.unwrap(&text).map(Some)
    }

    fn unwrap(self, text: &[u8]) -> Result<Sealed, Unusable> {
        let broken = |why: &str| Unusable::Broken(why.to_owned());
        if text.is_empty() {
            return Err(broken("it is empty"));
        }
        let rest = text.strip_prefix(br#"{"format":""#);
        let rest = rest.and_then(|rest| rest.strip_prefix(self.name.as_bytes()));
        let rest = rest.and_then(|rest| rest.strip_prefix(b" "));
        let (version, rest) = rest
            .and_then(|rest| split(rest, br#"","check":""#))
            .ok_or_else(|| broken("it does not begin as such a file does"))?;
        let version: Option<u32> = std::str::from_utf8(version).ok().and_then(|it| it.parse().ok());
        match version {
            Some(version) if version == self.version => {}
            Some(version) if version > self.version => return Err(Unusable::Newer),
            _ => return Err(broken("it does not say its version")),
        }
        let sealed = || {
            let (check, body) = split(rest, br#"","body":"#)?;
            let body = body.strip_suffix(b"}\n")?.to_vec();
            let check = unhex(std::str::from_utf8(check).ok()?)?;
            Some(Sealed { check, body })
        };
        sealed().ok_or_else(|| broken("it is not whole"))
    }
}

/// Splits at the first `mark`.
fn split<'t>(text: &'t [u8], mark: &[u8]) -> Option<(&'t [u8], &'t [u8])> {
    let at = text.windows(mark.len()).position(|there| there == mark)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// A check that finds accidents.
pub(super) fn sum(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

/// Puts `text` in the place of the file at `path`. When this has returned, the disk has it. For the only writer: a
/// rest of one that died in here goes.
///
/// # Errors
/// What stood there before stands, but for an error of the very last step: then either may.
pub(super) fn put(path: &Path, text: &[u8]) -> io::Result<()> {
    let new = beside(path);
    let _ = fs::remove_file(&new);
    let write = || {
        let mut options = OpenOptions::new();
        // `create_new` follows no link.
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&new)?;
        file.write_all(text)?;
        // A file whose sync failed is never synced again: the next try makes another one.
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })?;
    sync_names(path)
}

/// Removes the file for good; one that is not there is fine. Takes no room on the disk.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sync_names(path),
    }
}

/// Waits until the disk has the names in the folder of `path`.
pub(super) fn sync_names(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// What stands in the file. No link is followed and no pipe waited for.
fn get(path: &Path) -> Result<Option<Vec<u8>>, Unusable> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ELOOP) => {
            return Err(Unusable::Broken("it is a link".to_owned()));
        }
        Err(error) => return Err(Unusable::Unreadable(error)),
    };
    if !file.metadata().map_err(Unusable::Unreadable)?.is_file() {
        return Err(Unusable::Broken("it is no file".to_owned()));
    }
    let mut text = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut text).map_err(Unusable::Unreadable)?;
    if text.len() as u64 > BYTES_MAX {
        return Err(Unusable::Broken("it is far too large".to_owned()));
    }
    Ok(Some(text))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    name.into()
}

/// For those who put bytes from outside into such files.
#[cfg(any(test, fuzzing))]
pub(super) mod outside {
    use super::{hex, split, sum};

    /// Gives what stands in `text` the checksum that fits. False when there is no place for one.
    pub(in super::super) fn reseal(text: &mut Vec<u8>) -> bool {
        let resealed = || {
            let (head, rest) = split(text, br#""check":""#)?;
            let (_, body) = split(rest, br#"","body":"#)?;
            let check = hex(&sum(body.strip_suffix(b"}\n")?));
            Some([head, br#""check":""#, check.as_bytes(), br#"","body":"#, body].concat())
        };
        match resealed() {
            Some(new) => *text = new,
            None => return false,
        }
        true
    }
}
