//! The counters that sellers use, installed beside the build: no part of mpguard needs them.

use crate::{
    place,
    run::{Done, cargo, program, quiet, run},
    stamp::Stamp,
};
use std::{fs, path::PathBuf};

fn folder() -> PathBuf {
    place::target().join("bench-peers")
}

/// The interpreter whose environment has the peers of Python.
pub(super) fn python() -> PathBuf {
    folder().join("venv/bin/python")
}

/// Where Node finds its peers.
pub(super) fn node_modules() -> PathBuf {
    folder().join("node/node_modules")
}

/// The Rust program, which holds mpguard's core and its peers.
pub(super) fn rust() -> PathBuf {
    place::target().join("release/mpguard-bench")
}

/// Installs and builds what is not there yet.
pub(super) fn build(built: bool) -> Done {
    in_python()?;
    in_node()?;
    if built {
        return Ok(());
    }
    let manifest = place::root().join("tests/bench/rust/Cargo.toml");
    run(cargo()
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", place::target()))
}

fn in_python() -> Done {
    let needed = place::root().join("tests/bench/requirements.txt");
    let venv = folder().join("venv");
    let stamp = Stamp::new(&venv, std::slice::from_ref(&needed))?;
    if stamp.fits() {
        return Ok(());
    }
    eprintln!("bench: counters for Python into target/bench-peers");
    let _ = fs::remove_dir_all(&venv);
    quiet(program("python3").args(["-m", "venv"]).arg(&venv))?;
    quiet(
        program(python())
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(needed),
    )?;
    stamp.set()
}

fn in_node() -> Done {
    let (bench, to) = (place::root().join("tests/bench"), folder().join("node"));
    let files = ["package.json", "package-lock.json"];
    let stamp = Stamp::new(&node_modules(), &files.map(|name| bench.join(name)))?;
    if stamp.fits() {
        return Ok(());
    }
    eprintln!("bench: counters for Node into target/bench-peers");
    fs::create_dir_all(&to).map_err(|e| format!("cannot make `{}`: {e}", to.display()))?;
    for name in files {
        fs::copy(bench.join(name), to.join(name))
            .map_err(|e| format!("cannot copy `{name}` to `{}`: {e}", to.display()))?;
    }
    quiet(
        program("npm").args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&to),
    )?;
    stamp.set()
}
