//! What a scenario does to files of the state directory behind a product's back.

use crate::Done;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Changes a byte in the middle of every file called `name` under `folder`.
pub(super) fn damage(folder: &Path, name: &str) -> Done {
    for file in some(folder, name)? {
        let mut bytes = read(&file)?;
        let middle = bytes.len() / 2;
        let byte = bytes.get_mut(middle).ok_or_else(|| format!("`{}` is empty", file.display()))?;
        *byte ^= 1;
        write(&file, &bytes)?;
    }
    Ok(())
}

/// Has the two files called `name` under `folder` change places.
pub(super) fn swap(folder: &Path, name: &str) -> Done {
    let files = some(folder, name)?;
    let [one, two] = files.as_slice() else {
        return Err(format!("{} files are called `{name}`, two can change places", files.len()));
    };
    let (first, second) = (read(one)?, read(two)?);
    write(one, &second)?;
    write(two, &first)
}

fn some(folder: &Path, name: &str) -> Done<Vec<PathBuf>> {
    let mut found = Vec::new();
    find(folder, name, &mut found)?;
    found.sort();
    if found.is_empty() { Err(format!("no file is called `{name}`")) } else { Ok(found) }
}

fn find(folder: &Path, name: &str, found: &mut Vec<PathBuf>) -> Done {
    let told = |e: std::io::Error| format!("cannot list `{}`: {e}", folder.display());
    for entry in fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.is_dir() {
            find(&path, name, found)?;
        } else if path.file_name().is_some_and(|is| is == name) {
            found.push(path);
        }
    }
    Ok(())
}

fn read(file: &Path) -> Done<Vec<u8>> {
    fs::read(file).map_err(|e| format!("cannot read `{}`: {e}", file.display()))
}

fn write(file: &Path, bytes: &[u8]) -> Done {
    fs::write(file, bytes).map_err(|e| format!("cannot write `{}`: {e}", file.display()))
}
