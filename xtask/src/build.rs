//! `cargo xtask build`: everything once, and the two native modules put where their packages load them.
//!
//! Python and Node get the libraries of the one cargo build. Their own tools (maturin, napi) would build
//! the core again, each with other features; they make the packages for release.

use crate::{
    place,
    run::{Done, cargo, run},
    setup,
};
use std::{fs, path::Path};

/// The native modules: what cargo builds, and the name that the package loads.
const MODULES: &[(&str, &str)] =
    &[("lib_mpguard.so", "bindings/python/mpguard/_mpguard.abi3.so"), ("libmpguard_node.so", NODE)];

/// As bindings/node/platform.js names it.
pub(crate) const NODE: &str = match (cfg!(target_arch = "aarch64"), cfg!(target_env = "musl")) {
    (false, false) => "bindings/node/mpguard.linux-x64-glibc.node",
    (false, true) => "bindings/node/mpguard.linux-x64-musl.node",
    (true, false) => "bindings/node/mpguard.linux-arm64-glibc.node",
    (true, true) => "bindings/node/mpguard.linux-arm64-musl.node",
};

pub(crate) fn run_verb() -> Done {
    setup::run()?;
    all()
}

/// Builds libraries, programs and tests together: one set of features, so nothing is compiled twice.
pub(crate) fn all() -> Done {
    run(cargo().args(["build", "--workspace", "--all-targets"]))?;
    modules()
}

/// Copies the native modules into their packages.
pub(crate) fn modules() -> Done {
    MODULES
        .iter()
        .try_for_each(|(made, wanted)| put(&place::built(made), &place::root().join(wanted)))
}

/// A copy under another name that is then renamed: a running program keeps the file it has mapped.
fn put(made: &Path, wanted: &Path) -> Done {
    let told = |e| format!("cannot copy `{}` to `{}`: {e}", made.display(), wanted.display());
    if same(made, wanted) {
        return Ok(());
    }
    let beside = wanted.with_extension("new");
    fs::copy(made, &beside).map_err(told)?;
    fs::rename(&beside, wanted).map_err(told)
}

fn same(made: &Path, wanted: &Path) -> bool {
    let Ok((made, wanted)) = fs::metadata(made).and_then(|m| Ok((m, fs::metadata(wanted)?))) else {
        return false;
    };
    made.len() == wanted.len()
        && matches!((made.modified(), wanted.modified()), (Ok(m), Ok(w)) if m <= w)
}
