//! `about.json`: whose directory it is, to be read without opening the ledger.
//!
//! It is written whenever a leader has opened the ledger. What counts is the ledger; this is what a process of
//! another identity reads to learn whether the directory concerns it.

use crate::model::ids::{Identity, Platform};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// Name of the file.
pub(super) const FILE: &str = "about.json";
/// More than any such file has.
const BYTES_MAX: u64 = 64 << 10;

/// Whose directory it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) product_code: String,
    /// Empty when nobody knew who we are.
    pub(super) platform: String,
    pub(super) name: String,
    pub(super) region: String,
    /// URL of the sandbox; empty in production.
    pub(super) sandbox: String,
    /// Id of the ledger; empty before it is opened.
    pub(super) ledger: String,
}

impl About {
    pub(super) fn new(
        product_code: &str,
        identity: Option<&Identity>,
        sandbox: Option<&str>,
    ) -> About {
        let platform = identity.map_or("", |identity| match identity.platform {
            Platform::Ecs => "ecs",
            Platform::Eks => "eks",
            Platform::Ec2 => "ec2",
            Platform::Elsewhere => "generated",
        });
        About {
            product_code: product_code.to_owned(),
            platform: platform.to_owned(),
            name: identity.map_or_else(String::new, |identity| identity.name.clone()),
            region: identity.map_or_else(String::new, |identity| identity.region.clone()),
            sandbox: sandbox.unwrap_or_default().to_owned(),
            ledger: String::new(),
        }
    }

    /// What stands in `folder`; `None` when there is no such file, or it is none of ours.
    pub(super) fn read(folder: &Path) -> Option<About> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let file = options.open(folder.join(FILE)).ok()?;
        let mut text = Vec::new();
        file.take(BYTES_MAX).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Puts it into `folder`, whole or not at all.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        if About::read(folder).as_ref() == Some(self) {
            return Ok(());
        }
        let new = folder.join(format!("{FILE}.new"));
        let _ = fs::remove_file(&new); // left from a leader that died here
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            fs::rename(&new, folder.join(FILE))
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&new);
        })
    }
}
