//! Stamps: what a folder was made from, so that a warm run does nothing.

use crate::run::Done;
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
};

/// What a result was made from. It lies beside the result and goes away with it.
pub(crate) struct Stamp {
    file: PathBuf,
    text: String,
}

impl Stamp {
    /// A stamp in `folder` over the contents of `inputs`.
    pub(crate) fn new(folder: &Path, inputs: &[PathBuf]) -> Done<Stamp> {
        let mut hasher = DefaultHasher::new();
        for input in inputs {
            let bytes =
                fs::read(input).map_err(|e| format!("cannot read `{}`: {e}", input.display()))?;
            bytes.hash(&mut hasher);
        }
        Ok(Stamp { file: folder.join(".made-from"), text: format!("{:016x}\n", hasher.finish()) })
    }

    /// True when the result was made from the same inputs.
    pub(crate) fn fits(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text == self.text)
    }

    /// Says that the result is made now.
    pub(crate) fn set(&self) -> Done {
        fs::write(&self.file, &self.text)
            .map_err(|e| format!("cannot write `{}`: {e}", self.file.display()))
    }
}
