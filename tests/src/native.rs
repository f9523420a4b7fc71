//! Compiles C and C++ programs against the library that cargo built.

use crate::{Done, place::Place};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

/// One compiler at a time: two tests may want the same program.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Compiles `source` unless that was done since it and the headers last changed.
///
/// # Errors
/// What the compiler said. Warnings are errors.
pub fn compile(place: &Place, source: &Path) -> Done<PathBuf> {
    let guarded = ONE_AT_A_TIME.lock();
    let made = compile_alone(place, &[source], "", &[]);
    drop(guarded);
    made
}

/// Compiles a program of one or more sources with the address and undefined behaviour sanitizers.
///
/// # Errors
/// As [`compile`].
pub fn compile_checked(place: &Place, sources: &[&Path]) -> Done<PathBuf> {
    let flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let guarded = ONE_AT_A_TIME.lock();
    let made = compile_alone(place, sources, "-checked", &flags);
    drop(guarded);
    made
}

fn compile_alone(place: &Place, sources: &[&Path], suffix: &str, flags: &[&str]) -> Done<PathBuf> {
    let source = *sources.first().ok_or("a program needs a source")?;
    // In `deps` it is of this very build; the copy above it is only made when it is built for itself.
    let library = place.built("deps/libmpguard.so")?;
    let include = place.root.join("include");
    let folder = place.built.join("native");
    let lib = folder.join("lib");
    fs::create_dir_all(&lib).map_err(|e| format!("cannot make `{}`: {e}", lib.display()))?;
    for name in ["libmpguard.so", "libmpguard.so.1"] {
        link(&library, &lib.join(name))?;
    }
    let plain = source.extension().is_some_and(|ending| ending == "c");
    let stem = source.file_stem().unwrap_or_default().to_string_lossy();
    let program = folder.join(format!("{stem}-{}{suffix}", if plain { "c" } else { "cpp" }));
    let beside_it = source.parent().unwrap_or(source);
    let mut inputs =
        vec![include.join("mpguard.h"), include.join("mpguard.hpp"), beside_it.join("check.h")];
    inputs.retain(|input| input.exists());
    inputs.extend(sources.iter().map(|source| source.to_path_buf()));
    if inputs.iter().all(|input| newer(&program, input)) {
        return Ok(program);
    }
    let (compiler, standard) = if plain { ("cc", "-std=c99") } else { ("c++", "-std=c++17") };
    let beside = folder.join(format!("{stem}.new"));
    let output = Command::new(compiler)
        .args([standard, "-g", "-O1", "-Wall", "-Wextra", "-pedantic", "-Werror"])
        // clock_gettime, getline and others of POSIX, which strict C99 hides.
        .args(["-D_POSIX_C_SOURCE=200809L", "-I"])
        .arg(&include)
        .args(flags)
        .args(sources)
        .arg("-o")
        .arg(&beside)
        .arg("-L")
        .arg(&lib)
        .arg("-lmpguard")
        .arg(format!("-Wl,-rpath,{}", lib.display()))
        .args(["-lpthread", "-ldl"])
        .output()
        .map_err(|e| format!("cannot start `{compiler}`: {e}; install a C and C++ compiler"))?;
    if !output.status.success() {
        return Err(format!(
            "`{}` does not compile:\n{}",
            source.display(),
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    fs::rename(&beside, &program)
        .map_err(|e| format!("cannot rename `{}`: {e}", beside.display()))?;
    Ok(program)
}

/// The loader asks for the SONAME, which cargo does not make.
fn link(library: &Path, name: &Path) -> Done {
    if fs::read_link(name).is_ok_and(|target| target == library) {
        return Ok(());
    }
    let _ = fs::remove_file(name);
    std::os::unix::fs::symlink(library, name)
        .map_err(|e| format!("cannot link `{}`: {e}", name.display()))
}

fn newer(made: &Path, from: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    matches!((time(made), time(from)), (Some(made), Some(from)) if made > from)
}
