//! Where the repository and what cargo built are.

use crate::Done;
use std::{
    env,
    path::{Path, PathBuf},
};

/// The repository and one folder of built things.
#[derive(Clone, Debug)]
pub struct Place {
    /// Root of the repository.
    pub root: PathBuf,
    /// `target/debug` or `target/release`.
    pub built: PathBuf,
    /// The interpreter that has the Python packages.
    pub python: PathBuf,
}

impl Place {
    /// The place of a running test: built things are beside it.
    ///
    /// # Errors
    /// When this program does not lie in a build folder of cargo.
    pub fn of_this_test() -> Done<Place> {
        let exe = env::current_exe().map_err(|e| format!("cannot find this program: {e}"))?;
        let built = exe
            .parent()
            .and_then(Path::parent)
            .ok_or_else(|| format!("`{}` lies in no build folder", exe.display()))?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .ok_or("the crate lies in no repository")?;
        Ok(Place::new(root, built))
    }

    /// A place by its folders.
    #[must_use]
    pub fn new(root: &Path, built: &Path) -> Place {
        let venv = root.join(".venv/bin/python");
        let python = match env::var_os("MPGUARD_PYTHON") {
            Some(python) => python.into(),
            None if venv.exists() => venv,
            None => "python3".into(),
        };
        Place { root: root.to_owned(), built: built.to_owned(), python }
    }

    /// The `mpguard` command, or the one that `MPGUARD_BIN` names.
    ///
    /// # Errors
    /// When it is not built.
    pub fn command(&self) -> Done<PathBuf> {
        env::var_os("MPGUARD_BIN").map_or_else(|| self.built("mpguard"), |file| Ok(file.into()))
    }

    /// A built file that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn built(&self, name: &str) -> Done<PathBuf> {
        let file = self.built.join(name);
        if file.exists() {
            return Ok(file);
        }
        Err(format!("`{}` is not built; run `cargo xtask build`", file.display()))
    }
}
