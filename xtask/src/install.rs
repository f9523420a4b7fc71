//! Lays out an installed mpguard: library, headers, and what pkg-config and CMake look for.
//!
//! ```text
//! lib/libmpguard.so -> libmpguard.so.1 -> libmpguard.so.1.<version>     lib/libmpguard.a
//! include/mpguard.h, mpguard.hpp     lib/pkgconfig/mpguard.pc     lib/cmake/mpguard/*.cmake
//! ```
//!
//! The version is the package's. Nothing in the tree names the prefix, so it may be moved.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// As ffi/build.rs gives it to the linker.
const SONAME: &str = "libmpguard.so.1";

/// Texts that are installed as they are, after their names were filled in.
const TEXTS: &[(&str, &str)] = &[
    ("include/mpguard.h", include_str!("../../include/mpguard.h")),
    ("include/mpguard.hpp", include_str!("../../include/mpguard.hpp")),
    ("lib/pkgconfig/mpguard.pc", include_str!("../../packaging/pkgconfig/mpguard.pc.in")),
    (
        "lib/cmake/mpguard/mpguard-config.cmake",
        include_str!("../../packaging/cmake/mpguard-config.cmake.in"),
    ),
    (
        "lib/cmake/mpguard/mpguard-config-version.cmake",
        include_str!("../../packaging/cmake/mpguard-config-version.cmake.in"),
    ),
];

/// Installs what cargo put into `libdir_of_build` under `prefix`, staged below `destdir` when it is given.
///
/// # Errors
/// What could not be written, where, or that something is not built.
pub(crate) fn install(
    prefix: &Path,
    destdir: Option<&Path>,
    libdir_of_build: &Path,
) -> Result<(), String> {
    let root = staged(prefix, destdir)?;
    let shared = format!("{SONAME}.{VERSION}");
    let libs = static_libs()?;
    let list: Vec<&str> = libs.split(' ').map(|lib| lib.trim_start_matches("-l")).collect();
    for (name, text) in TEXTS {
        let text = text
            .replace("@VERSION@", VERSION)
            .replace("@SONAME@", SONAME)
            .replace("@SHARED_FILE@", &shared)
            .replace("@STATIC_LIBS_LIST@", &list.join(";"))
            .replace("@STATIC_LIBS@", &libs);
        put(&root.join(name), |file| fs::write(file, text))?;
    }
    let lib = root.join("lib");
    copy(&libdir_of_build.join("libmpguard.so"), &lib.join(&shared))?;
    copy(&libdir_of_build.join("libmpguard.a"), &lib.join("libmpguard.a"))?;
    link(&shared, &lib.join(SONAME))?;
    link(SONAME, &lib.join("libmpguard.so"))
}

/// The folder that stands for the prefix.
fn staged(prefix: &Path, destdir: Option<&Path>) -> Result<PathBuf, String> {
    if !prefix.is_absolute() {
        return Err(format!(
            "cannot install under `{}`: a prefix begins with `/`, such as /usr/local",
            prefix.display()
        ));
    }
    Ok(match destdir {
        Some(destdir) => destdir.join(prefix.strip_prefix("/").unwrap_or(prefix)),
        None => prefix.to_owned(),
    })
}

/// What a program must link beside libmpguard.a; the compiler that made the library knows.
fn static_libs() -> Result<String, String> {
    // A folder of this call alone: tests install side by side in one process.
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let (process, call) = (std::process::id(), CALLS.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(format!("mpguard-install-{process}-{call}"));
    fs::create_dir_all(&folder)
        .map_err(|e| format!("cannot make `{}`: {e}; set TMPDIR", folder.display()))?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print=native-static-libs", "--crate-type=staticlib", "--crate-name=empty"])
        .arg("--out-dir")
        .arg(&folder)
        .arg("-") // an empty crate, from stdin
        .stdin(Stdio::null())
        .output();
    let _ = fs::remove_dir_all(&folder);
    let output =
        output.map_err(|e| format!("cannot start rustc to ask for its static libraries: {e}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    said.lines()
        .find_map(|line| line.split_once("native-static-libs: "))
        .map(|(_, libs)| libs.trim().to_owned())
        .ok_or_else(|| format!("rustc named no static libraries: {said}"))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    if !from.exists() {
        return Err(format!(
            "`{}` is not built; run `cargo build --release -p mpguard-ffi` first",
            from.display()
        ));
    }
    put(to, |file| fs::copy(from, file).map(drop))
}

fn link(target: &str, name: &Path) -> Result<(), String> {
    put(name, |file| std::os::unix::fs::symlink(target, file))
}

/// Makes a file beside its place and renames it: a running program keeps what it has mapped.
fn put(to: &Path, make: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), String> {
    let told = |e: std::io::Error| {
        format!(
            "cannot write `{}`: {e}; choose a PREFIX or DESTDIR that you may write",
            to.display()
        )
    };
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).map_err(told)?;
    let beside = folder.join(format!(".mpguard-install-{}", std::process::id()));
    let _ = fs::remove_file(&beside);
    make(&beside).map_err(told)?;
    fs::rename(&beside, to).map_err(told)
}
