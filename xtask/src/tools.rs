//! What a machine must have, said in one line when it has not.

use crate::{
    place,
    run::{Done, cargo, program, quiet},
};
use std::{path::PathBuf, process::Stdio};

/// A program that we start, and where it comes from.
struct Tool {
    name: &'static str,
    install: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "cc",
        install: "a C compiler; on Debian and Ubuntu `apt-get install gcc libc6-dev`",
    },
    Tool { name: "c++", install: "a C++17 compiler; on Debian and Ubuntu `apt-get install g++`" },
    Tool {
        name: "python3",
        install: "Python 3.10 or newer; on Debian and Ubuntu `apt-get install python3 python3-venv`",
    },
    Tool {
        name: "node",
        install: "Node 18 or newer; on Debian and Ubuntu `apt-get install nodejs npm`",
    },
    Tool { name: "openssl", install: "OpenSSL 3; on Debian and Ubuntu `apt-get install openssl`" },
    Tool {
        name: "unshare",
        install: "util-linux, on Linux: the attacks run where nothing can leave the machine",
    },
    Tool {
        name: "mount",
        install: "mount, on Linux; on Debian and Ubuntu `apt-get install mount`",
    },
    Tool { name: "npm", install: "npm; on Debian and Ubuntu `apt-get install npm`" },
];

/// Fails with one line for each tool that is missing.
pub(crate) fn need(names: &[&str]) -> Done {
    let missing: Vec<String> = TOOLS
        .iter()
        .filter(|tool| names.contains(&tool.name) && !there(tool.name))
        .map(|tool| format!("`{}` was not found: install {}", tool.name, tool.install))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(missing.join("\nxtask: ")) }
}

/// A tool of cargo that is compiled when it is missing: the one that is there, else one in the build folder.
pub(crate) fn compiled(name: &str, version: &str) -> Done<PathBuf> {
    let ours = place::target().join("tools/bin").join(name);
    if ours.exists() {
        return Ok(ours);
    }
    if there(name) {
        return Ok(name.into());
    }
    eprintln!("{name}: {version} into target/tools, once; it takes some minutes");
    let mut install = cargo();
    install.args(["install", "--quiet", "--locked", "--version", version, name, "--root"]);
    quiet(install.arg(place::target().join("tools")))?;
    Ok(ours)
}

/// True when the program starts.
pub(crate) fn there(name: &str) -> bool {
    program(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
