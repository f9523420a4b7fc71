//! The programs of the bench, built for release and laid out as a user would have them.

use crate::{
    place,
    run::{Done, cargo, program, run},
};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// Built things.
pub(super) struct Stage {
    pub(super) library: PathBuf,
    pub(super) c: PathBuf,
    folder: PathBuf,
}

type Program<'a> = (&'a str, Box<dyn Fn() -> Command + 'a>);

impl Stage {
    /// Builds for release, one package at a time: only then is each optimised as a whole.
    pub(super) fn build() -> Done<Stage> {
        for package in ["mpguard-ffi", "mpguard-python", "mpguard-node", "mpguard-cli"] {
            run(cargo().args(["build", "--quiet", "--release", "--package", package]))?;
        }
        let folder = place::target().join("bench");
        let _ = fs::remove_dir_all(&folder);
        let release = place::target().join("release");
        let root = place::root();
        let bench = root.join("tests/bench");
        let stage = Stage {
            library: release.join("libmpguard.so"),
            c: folder.join("start"),
            folder: folder.clone(),
        };

        let python = folder.join("mpguard");
        copy(&root.join("bindings/python/mpguard"), &python, &["py"])?;
        file(&release.join("lib_mpguard.so"), &python.join("_mpguard.abi3.so"))?;
        // As pip does when it installs: boto3 beside it is compiled too.
        run(program(place::python()).args(["-m", "compileall", "-q"]).arg(&python))?;

        let modules = folder.join("node_modules");
        let node = modules.join("mpguard");
        copy(&root.join("bindings/node"), &node, &["js", "mjs", "json"])?;
        copy(&root.join("bindings/node/lib"), &node.join("lib"), &["js"])?;
        for entry in entries(&root.join("bindings/node"))? {
            // Under the name that `cargo xtask build` gave the module of this platform.
            if let Some(name) = entry.file_name().filter(|n| n.to_string_lossy().ends_with(".node"))
            {
                file(&release.join("libmpguard_node.so"), &node.join(name))?;
            }
        }
        let sdk = root.join("tests/outside/node_modules/@aws-sdk");
        symlink(&sdk, modules.join("@aws-sdk"))
            .map_err(|e| format!("cannot link `{}`: {e}", sdk.display()))?;
        copy(&bench, &folder, &["py", "mjs"])?;
        run(program("cc")
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .arg(&stage.c)
            .arg(bench.join("start.c")))?;
        Ok(stage)
    }

    /// Every program that is timed.
    pub(super) fn programs(&self) -> Vec<Program<'_>> {
        let python = |name: &'static str| {
            move || {
                let mut command = Command::new(place::python());
                // `-P` would hide the staged package; `-s -E` keep this user's own ones out.
                command.arg("-s").arg(self.folder.join(name));
                command
            }
        };
        let node = |name: &'static str| {
            move || {
                let mut command = Command::new("node");
                command.arg(self.folder.join(name));
                command
            }
        };
        let c = || {
            let mut command = Command::new(&self.c);
            command.arg(&self.library).arg("--quick");
            command
        };
        vec![
            ("C, mpguard", Box::new(c)),
            ("Python, mpguard", Box::new(python("start.py"))),
            ("Python, boto3", Box::new(python("start_boto3.py"))),
            ("node, nothing", Box::new(node("bare.mjs"))),
            ("Node, mpguard", Box::new(node("start.mjs"))),
            ("Node, AWS SDK", Box::new(node("start_sdk.mjs"))),
        ]
    }
}

/// Copies the files with these endings, not the folders.
fn copy(from: &Path, to: &Path, endings: &[&str]) -> Done {
    fs::create_dir_all(to).map_err(|e| format!("cannot make `{}`: {e}", to.display()))?;
    for entry in entries(from)? {
        let wanted = entry.extension().is_some_and(|e| endings.iter().any(|ending| *ending == e));
        if let Some(name) = entry.file_name().filter(|_| wanted && entry.is_file()) {
            file(&entry, &to.join(name))?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Done<Vec<PathBuf>> {
    let told = |e| format!("cannot read `{}`: {e}", folder.display());
    let entries = fs::read_dir(folder).map_err(told)?;
    entries.map(|entry| entry.map(|entry| entry.path()).map_err(told)).collect()
}

fn file(from: &Path, to: &Path) -> Done {
    fs::copy(from, to)
        .map(drop)
        .map_err(|e| format!("cannot copy `{}` to `{}`: {e}", from.display(), to.display()))
}
