//! The programs of the bench, built for release and laid out as a user would have them.

use super::peers;
use crate::{
    build, place,
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
    pub(super) fn build(built: bool) -> Done<Stage> {
        let packages = ["mpguard-ffi", "mpguard-python", "mpguard-node", "mpguard-cli"];
        for package in packages.iter().filter(|_| !built) {
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
        if let Some(name) = Path::new(build::NODE).file_name() {
            file(&release.join("libmpguard_node.so"), &node.join(name))?;
        }
        let sdk = root.join("tests/outside/node_modules/@aws-sdk");
        link(&sdk, &modules.join("@aws-sdk"))?;
        peers::build(built)?;
        for entry in entries(&peers::node_modules())? {
            if let Some(name) = entry.file_name().filter(|_| entry.is_dir()) {
                link(&entry, &modules.join(name))?;
            }
        }
        copy(&bench, &folder, &["py", "mjs"])?;
        stage.compile(&bench, &root.join("include"))?;
        Ok(stage)
    }

    /// Compiles what is written in C and C++.
    fn compile(&self, bench: &Path, include: &Path) -> Done {
        let cc = |compiler: &str, standard: &str, source: &str, made: &str| {
            let mut command = program(compiler);
            command.args([standard, "-O2", "-Wall", "-Wextra", "-Werror", "-o"]);
            command.arg(self.folder.join(made)).arg(bench.join(source)).arg("-I").arg(include);
            command
        };
        let shared = ["-shared", "-fPIC"];
        run(cc("cc", "-std=c11", "start.c", "start").arg("-ldl"))?;
        run(cc("cc", "-std=c11", "border.c", "libborder.so").args(shared))?;
        run(cc("cc", "-std=c11", "border_node.c", "border.node").args(shared))?;
        let headers = headers_of_python()?;
        run(cc("cc", "-std=c11", "border_python.c", "border.abi3.so")
            .args(shared)
            .arg("-isystem")
            .arg(headers))?;
        // Under the name by which programs ask for it when they start.
        link(&self.library, &self.folder.join("libmpguard.so.1"))?;
        let linked = |mut command: Command| {
            command.arg("-D_POSIX_C_SOURCE=200809L").arg("-L").arg(&self.folder);
            command.args(["-l:libmpguard.so.1", "-lborder", "-lpthread"]);
            run(command.arg(format!("-Wl,-rpath,{}", self.folder.display())))
        };
        linked(cc("cc", "-std=c11", "add.c", "add-c"))?;
        linked(cc("cc", "-std=c11", "idle.c", "idle"))?;
        linked(cc("c++", "-std=c++17", "add.cpp", "add-cpp"))
    }

    /// The program that counts in C.
    pub(super) fn add_c(&self) -> PathBuf {
        self.folder.join("add-c")
    }

    /// The program that rests.
    pub(super) fn idle(&self) -> Command {
        Command::new(self.folder.join("idle"))
    }

    /// The program that logs in and out.
    pub(super) fn seats(&self) -> Command {
        let mut command = Command::new(place::python());
        command.arg("-s").arg(self.folder.join("seats.py"));
        command
    }

    /// Every program that counts: its language, its dimension, how it starts.
    pub(super) fn counting(&self) -> Vec<(&'static str, &'static str, Command)> {
        let script = |interpreter: &Path, options: &[&str], name: &str| {
            let mut command = Command::new(interpreter);
            command.args(options).arg(self.folder.join(name));
            command
        };
        vec![
            ("C", "c", Command::new(self.add_c())),
            ("C++", "cpp", Command::new(self.folder.join("add-cpp"))),
            ("Rust", "rust", Command::new(peers::rust())),
            ("Python", "python", script(&peers::python(), &["-s"], "add.py")),
            ("Node", "node", script(Path::new("node"), &[], "add.mjs")),
        ]
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

fn link(to: &Path, from: &Path) -> Done {
    symlink(to, from).map_err(|e| format!("cannot link `{}`: {e}", to.display()))
}

/// The folder of Python.h.
fn headers_of_python() -> Done<PathBuf> {
    let asked = program("python3")
        .args(["-c", "import sysconfig; print(sysconfig.get_paths()['include'])"])
        .output()
        .map_err(|e| format!("cannot start `python3`: {e}"))?;
    let folder = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    if folder.join("Python.h").exists() {
        return Ok(folder);
    }
    Err(format!(
        "`{}` has no Python.h, which an empty method to compare with needs; on Debian and Ubuntu `apt-get install python3-dev`",
        folder.display()
    ))
}
