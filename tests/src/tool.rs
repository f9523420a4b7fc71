//! Running compilers and other tools.

use crate::Done;
use std::{path::PathBuf, process::Command};

/// Runs a tool to its end; what it printed on stdout.
///
/// # Errors
/// Everything that it said, when it fails or cannot be started.
pub fn run(command: &mut Command) -> Done<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().map_err(|e| format!("cannot start `{name}`: {e}; install it first"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "`{name}` ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// A fresh folder under cargo's folder for tests.
///
/// # Errors
/// When it cannot be made.
pub fn scratch(parent: &str, name: &str) -> Done<PathBuf> {
    let folder = PathBuf::from(parent).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)
        .map_err(|e| format!("cannot make `{}`: {e}", folder.display()))?;
    Ok(folder)
}
