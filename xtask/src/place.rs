//! Where things are.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

/// Cargo's build folder.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) if Path::new(&folder).is_absolute() => folder.into(),
        Some(folder) => root().join(folder),
        None => root().join("target"),
    }
}

/// What `cargo build` made in the profile that everything but the bench uses.
pub(crate) fn built(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// The virtual environment of the Python part.
pub(crate) fn venv() -> PathBuf {
    match env::var_os("MPGUARD_BUILD_DIR") {
        Some(folder) => PathBuf::from(folder).join("venv"),
        None => root().join(".venv"),
    }
}

/// Its interpreter.
pub(crate) fn python() -> PathBuf {
    venv().join("bin/python")
}
