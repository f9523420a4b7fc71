//! `cargo xtask install`: builds the release of the C library and lays it out.

use crate::{
    install, place,
    run::{Done, cargo, run},
};
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where programs look for it
    #[arg(long, default_value = "/usr/local")]
    prefix: PathBuf,
    /// Stage the tree below this folder, as package builders do
    #[arg(long, default_value = "")]
    destdir: PathBuf,
}

pub(crate) fn run_verb(options: &Options) -> Done {
    run(cargo().args(["build", "--release", "--package", "mpguard-ffi"]))?;
    let destdir = (!options.destdir.as_os_str().is_empty()).then_some(options.destdir.as_path());
    install::install(&options.prefix, destdir, &place::target().join("release"))?;
    let below = destdir.map_or_else(String::new, |folder| format!(" below {}", folder.display()));
    println!("installed under {}{below}", options.prefix.display());
    Ok(())
}
