//! The files of the working tree: all but what git ignores.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the repository")
        .to_owned()
}

/// Path relative to the root, and text. Files that are not text are left out.
pub(crate) fn texts() -> Vec<(String, String)> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let names: Vec<String> = match listed {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        // A source archive has no git; what lies there is all there is.
        _ => walk(&root(), ""),
    };
    names
        .into_iter()
        .filter_map(|name| fs::read_to_string(root().join(&name)).ok().map(|text| (name, text)))
        .collect()
}

fn walk(folder: &Path, prefix: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if ["target", "node_modules", ".venv", ".git", "__pycache__"].contains(&name.as_str()) {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            names.extend(walk(&entry.path(), &format!("{path}/")));
        } else {
            names.push(path);
        }
    }
    names
}
