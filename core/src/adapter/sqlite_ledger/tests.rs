//! The ledger on real files.

mod open;
mod random;
mod same;

use super::{OpenError, Opened, Place, SqliteLedger, Who};
use crate::model::ids::{Identity, Platform};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A directory that is gone after the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mpguard-ledger-{}-{number}", std::process::id());
        // Memory where the system offers it: thousands of syncs are not what is tested here.
        let shared = Path::new("/dev/shm");
        let temporary = std::env::temp_dir();
        let path = if shared.is_dir() { shared } else { &temporary }.join(name);
        fs::create_dir_all(&path).expect("the system has a place for temporary files");
        Folder(path)
    }

    pub(super) fn ledger(&self) -> PathBuf {
        self.0.join("ledger.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn who() -> Who {
    let identity = Identity {
        platform: Platform::Eks,
        name: "pod-1".to_owned(),
        region: "us-east-1".to_owned(),
    };
    Who { product_code: "3xmpl".to_owned(), identity: Some(identity) }
}

pub(super) fn open(path: &Path) -> Result<Opened, OpenError> {
    SqliteLedger::open(path, &who(), Box::new(|| true), Place::default())
}
