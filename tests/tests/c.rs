//! The header in C, and the programs of tests/c: each compiled with sanitizers and run against a sandbox.

mod stage;

use mpguard_tests::{native, place::Place, tool};
use stage::check;
use std::{collections::BTreeSet, fs, process::Command};

macro_rules! programs {
    ($($name:ident)+) => {
        const PROGRAMS: &[&str] = &[$(stringify!($name)),+];

        $(#[test] fn $name() { check(&[concat!("tests/c/", stringify!($name), ".c")]); })+
    };
}

programs! { callback config doctor drawdown handles license metering null queue seat shutdown signal text threads }

/// In a network of its own, which leads nowhere: without a sandbox the doctor looks for AWS.
#[test]
fn doctor_of_the_surroundings() {
    let place = Place::of_this_test().expect("cargo built this test");
    let source = place.root.join("tests/c/doctor.c");
    let program = native::compile_checked(&place, &[&source]).unwrap_or_else(|why| panic!("{why}"));
    tool::run(
        Command::new("unshare").args(["-r", "-n"]).arg(program).args(["surroundings", "nowhere"]),
    )
    .unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn every_program_of_the_folder_is_run() {
    let place = Place::of_this_test().expect("cargo built this test");
    let found: BTreeSet<String> = fs::read_dir(place.root.join("tests/c"))
        .expect("the folder can be read")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".c").map(str::to_owned))
        .collect();
    assert_eq!(found, PROGRAMS.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn the_header_compiles_alone_in_each_c() {
    let place = Place::of_this_test().expect("cargo built this test");
    let folder = tool::scratch(env!("CARGO_TARGET_TMPDIR"), "alone-c").expect("a folder");
    let source = folder.join("alone.c");
    fs::write(&source, "#include \"mpguard.h\"\n#include \"mpguard.h\"\n").expect("writable");
    for standard in ["c99", "c11", "c17"] {
        tool::run(
            Command::new("cc")
                .args([&format!("-std={standard}"), "-pedantic", "-Wall", "-Wextra", "-Werror"])
                .args(["-Wstrict-prototypes", "-Wmissing-prototypes", "-Wshadow", "-Wconversion"])
                .args(["-Wundef", "-Wc++-compat", "-fsyntax-only", "-I"])
                .arg(place.root.join("include"))
                .arg(&source),
        )
        .unwrap_or_else(|why| panic!("{why}"));
    }
}
