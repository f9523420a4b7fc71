//! The contract as AWS confirmed it last, in `license.json`, for a start while License Manager does not answer.
//!
//! The file is sealed by HMAC-SHA256 with a key of what the seller's code alone gives: product, SKU, issuer, public
//! keys. The message holds whose directory it stands in. So a file of another product, account or task is refused, and
//! so is one that was written by hand. It is no secret from a buyer who rebuilds our code; what such a file can bring
//! is bounded by the grace time. `docs/STATE.md` says so too.

use super::{
    place,
    prepare::Site,
    whole::{self, Format, Sealed, Unusable},
};
use crate::model::{ids::Platform, license::Remembered};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

const FORMAT: Format = Format { name: "mpguard license", version: 1 };

const FILE: &str = "license.json";

/// The body of the file. What is beside the contract is under the seal too, and says why a seal does not fit.
#[derive(Serialize, Deserialize)]
struct Kept {
    product: String,
    /// Names the key without telling it.
    maker: String,
    /// Whose it is.
    owner: String,
    remembered: Remembered,
}

/// The cache of one directory.
pub(super) struct Cache<'a> {
    pub(super) site: &'a Site,
    pub(super) seal: &'a [u8; 32],
    /// Id of the ledger beside it.
    pub(super) ledger_id: &'a str,
}

impl Cache<'_> {
    /// What was kept; `None` when there is nothing.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn read(&self) -> Result<Option<Remembered>, String> {
        let path = self.path();
        self.open(&path).map_err(|why| {
            format!(
                "the contract that was kept in `{}` is not used: {why}; it is kept anew as soon as License Manager answers",
                path.display()
            )
        })
    }

    fn open(&self, path: &Path) -> Result<Option<Remembered>, String> {
        let broken = |why: Unusable| match why {
            Unusable::Broken(why) => format!("the file is damaged: {why}"),
            other => other.to_string(),
        };
        let Some(sealed) = FORMAT.read(path).map_err(broken)? else { return Ok(None) };
        let kept: Kept = serde_json::from_slice(&sealed.body)
            .map_err(|why| format!("the file is damaged: {why}"))?;
        if kept.product != self.site.about.product_code {
            return Err(format!("it is of product `{}`", kept.product));
        }
        if kept.maker != self.maker() {
            return Err(
                "it was kept for another SKU, issuer or public key of the product".to_owned()
            );
        }
        if kept.owner != self.owner() {
            return Err("it was kept for another task, pod, instance or account".to_owned());
        }
        if self.mac(&sealed.body).verify_slice(&sealed.check).is_err() {
            return Err("its seal does not fit, so it was damaged or changed by hand".to_owned());
        }
        Ok(Some(kept.remembered))
    }

    /// Keeps the contract in place of the one before.
    ///
    /// # Errors
    /// What was kept before stands.
    pub(super) fn write(&self, remembered: &Remembered) -> Result<(), String> {
        let path = self.path();
        let kept = Kept {
            product: self.site.about.product_code.clone(),
            maker: self.maker(),
            owner: self.owner(),
            remembered: remembered.clone(),
        };
        let cannot = |why: &dyn std::fmt::Display| {
            format!("cannot keep the contract in `{}`: {why}", path.display())
        };
        let body = serde_json::to_vec(&kept).map_err(|why| cannot(&why))?;
        let seal = self.mac(&body).finalize().into_bytes().into();
        whole::put(&path, &FORMAT.wrap(&seal, &body)).map_err(|why| cannot(&why))
    }

    fn path(&self) -> PathBuf {
        self.site.dir.join(FILE)
    }

    fn maker(&self) -> String {
        super::hex(&super::digest(&[b"maker\0".as_slice(), self.seal].concat()))
    }

    /// The directory's identity. Where no platform names it, all directories have one name, and the random id of the
    /// ledger tells them apart.
    fn owner(&self) -> String {
        let mut who = place::hash(&self.site.about).to_vec();
        let platform = self.site.identity.as_ref().map(|identity| identity.platform);
        if platform == Some(Platform::Elsewhere) {
            who.extend(self.ledger_id.as_bytes());
        }
        super::hex(&super::digest(&who))
    }

    fn mac(&self, body: &[u8]) -> Hmac<Sha256> {
        // A key of a whole block: zeros behind a shorter one change nothing. Source: RFC 2104, section 2.
        let mut block = [0; 64];
        block.iter_mut().zip(self.seal).for_each(|(to, from)| *to = *from);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(FORMAT.name.as_bytes());
        mac.update(&FORMAT.version.to_le_bytes());
        mac.update(body);
        mac
    }
}

/// The key that what a seller's code gives comes to.
#[must_use]
pub fn seal(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix("mpguard license seal 1");
    for part in parts {
        // With its length in front no two lists of parts give the same key.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// What is wrong with the file in `dir`, as far as it shows without the key.
pub(in super::super) fn fault(dir: &Path) -> Option<(PathBuf, String)> {
    let path = dir.join(FILE);
    let read = FORMAT.read(&path).map_err(|why| why.to_string());
    let sound = |sealed: Sealed| {
        let kept: Result<Kept, _> = serde_json::from_slice(&sealed.body);
        kept.err().map(|why| format!("its content makes no sense: {why}"))
    };
    read.map_or_else(Some, |sealed| sealed.and_then(sound)).map(|why| (path, why))
}
