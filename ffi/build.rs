//! Gives libmpguard.so its name, keeps it loaded, and versions its symbols.
//!
//! rustc hands the linker an anonymous version script with the exported names, and GNU ld accepts no
//! second one; so versions are given by `.symver` directives, and a script names the empty version
//! nodes. LLD, which rustc brings along and uses on x86-64 Linux, takes that. Where the linker does not,
//! the library is built without versions.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const LISTED: &str = "../tests/abi/symbols-in-versions";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={LISTED}");
    println!("cargo:rustc-check-cfg=cfg(symbol_versions)");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    // The number goes up when a program that was linked before would break: never, if we can help it.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libmpguard.so.1");
    // Our threads run code of this library; unloading it would pull the ground away under them.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let listed = fs::read_to_string(LISTED).expect("the list of symbols is part of the project");
    let symbols: BTreeMap<&str, &str> = listed
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .collect();
    let nodes = out.join("versions.map");
    fs::write(&nodes, script(&symbols)).expect("OUT_DIR is writable");
    fs::write(out.join("symbol_versions.rs"), directives(&symbols)).expect("OUT_DIR is writable");
    if linker_takes(&nodes, &out) {
        println!("cargo:rustc-cdylib-link-arg=-Wl,--version-script={}", nodes.display());
        println!("cargo:rustc-cfg=symbol_versions");
        // What takes versions is LLD, and LLD keeps one of several equal functions: generic code has many.
        println!("cargo:rustc-cdylib-link-arg=-Wl,--icf=all");
    } else {
        println!(
            "cargo:warning=this linker cannot version symbols; libmpguard.so is built without versions"
        );
    }
}

/// One empty node for each version, each after the one before.
fn script(symbols: &BTreeMap<&str, &str>) -> String {
    let versions: BTreeSet<&str> = symbols.values().copied().collect();
    let mut text = String::new();
    let mut before = String::new();
    for version in versions {
        text.push_str(&format!("MPGUARD_{version} {{ }}{before};\n"));
        before = format!(" MPGUARD_{version}");
    }
    text
}

fn directives(symbols: &BTreeMap<&str, &str>) -> String {
    symbols
        .iter()
        // Three `@`: the symbol has only the versioned name in the object file, and a static link finds it.
        .map(|(name, version)| {
            format!("core::arch::global_asm!(\".symver {name}, {name}@@@MPGUARD_{version}\");\n")
        })
        .collect()
}

/// Tries the whole on a library of one function.
fn linker_takes(nodes: &Path, out: &Path) -> bool {
    let Some(version) = fs::read_to_string(nodes)
        .ok()
        .and_then(|text| text.split_whitespace().next().map(str::to_owned))
    else {
        return false;
    };
    let source = out.join("trial.rs");
    let text = format!(
        "#[unsafe(no_mangle)] pub extern \"C\" fn mpguard_trial() -> i32 {{ 0 }}\n\
         core::arch::global_asm!(\".symver mpguard_trial, mpguard_trial@@@{version}\");\n"
    );
    let mut rustc = Command::new(env::var_os("RUSTC").expect("cargo sets RUSTC"));
    rustc
        .args(["--edition=2024", "--crate-type=cdylib", "--crate-name=trial", "-Ccodegen-units=1"])
        .arg(format!("--target={}", env::var("TARGET").expect("cargo sets TARGET")))
        .arg(format!("-Clink-arg=-Wl,--version-script={}", nodes.display()))
        .arg("--out-dir")
        .arg(out)
        .arg(&source)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={}", linker.display()));
    }
    fs::write(&source, text).is_ok() && rustc.status().is_ok_and(|status| status.success())
}
