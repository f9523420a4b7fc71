//! `cargo xtask setup`: what the Python and Node parts need, installed beside the project.
//!
//! Each part names its packages in a file of its own; a stamp over these files makes a warm run instant.

use crate::{
    place,
    run::{Done, program, quiet},
    stamp::Stamp,
    tools,
};
use std::{fs, path::PathBuf};

/// Pinned packages, file by file.
const REQUIREMENTS: &[&str] = &[
    "bindings/python/requirements-dev.txt",
    "tests/outside/requirements.txt",
    "tests/process/requirements.txt",
    "tests/requirements.txt",
];

/// Folders with a package-lock.json.
const NPM: &[&str] = &["bindings/node", "tests/outside"];

pub(crate) fn run() -> Done {
    tools::need(&["cc", "c++", "python3", "node", "npm"])?;
    python()?;
    NPM.iter().try_for_each(|folder| npm(folder))
}

/// The virtual environment with every pinned package.
pub(crate) fn python() -> Done {
    let files: Vec<PathBuf> = REQUIREMENTS
        .iter()
        .map(|file| place::root().join(file))
        .filter(|file| file.exists())
        .collect();
    let venv = place::venv();
    let stamp = Stamp::new(&venv, &files)?;
    if stamp.fits() {
        // Another clone may have used the same folder last.
        return on_path(&venv);
    }
    eprintln!("setup: Python packages into {}", shown(&venv));
    if venv.exists() {
        fs::remove_dir_all(&venv)
            .map_err(|e| format!("cannot remove `{}`: {e}", venv.display()))?;
    }
    quiet(program("python3").args(["-m", "venv"]).arg(&venv)).map_err(|why| {
        format!("cannot make a virtual environment; on Debian and Ubuntu `apt-get install python3-venv`\n{why}")
    })?;
    let mut pip = program(place::python());
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    for file in &files {
        pip.arg("-r").arg(file);
    }
    quiet(&mut pip)?;
    on_path(&venv)?;
    stamp.set()
}

/// Makes `import mpguard` find the working tree, without an installer that would build the core again.
fn on_path(venv: &std::path::Path) -> Done {
    let lib = venv.join("lib");
    let versions =
        fs::read_dir(&lib).map_err(|e| format!("cannot read `{}`: {e}", lib.display()))?;
    for version in versions.flatten() {
        let file = version.path().join("site-packages/mpguard-working-tree.pth");
        let line = format!("{}\n", place::root().join("bindings/python").display());
        fs::write(&file, line).map_err(|e| format!("cannot write `{}`: {e}", file.display()))?;
    }
    Ok(())
}

fn npm(folder: &str) -> Done {
    let folder = place::root().join(folder);
    let lock = folder.join("package-lock.json");
    if !lock.exists() {
        return Ok(());
    }
    let stamp = Stamp::new(&folder.join("node_modules"), &[folder.join("package.json"), lock])?;
    if stamp.fits() {
        return Ok(());
    }
    eprintln!("setup: Node packages into {}", shown(&folder.join("node_modules")));
    quiet(
        program("npm")
            .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
            .current_dir(&folder),
    )?;
    stamp.set()
}

fn shown(path: &std::path::Path) -> String {
    path.strip_prefix(place::root()).unwrap_or(path).display().to_string()
}
