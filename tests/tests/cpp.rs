//! The C++ header, and the programs of tests/cpp: each compiled with sanitizers and run against a sandbox.

mod stage;

use mpguard_tests::{place::Place, tool};
use stage::check;
use std::{collections::BTreeSet, fs, process::Command};

#[test]
fn guard() {
    check(&["tests/cpp/guard.cpp"]);
}

#[test]
fn listener() {
    check(&["tests/cpp/listener.cpp"]);
}

#[test]
fn two_files_that_include_the_header_link() {
    check(&["tests/cpp/units.cpp", "tests/cpp/units_other.cpp"]);
}

#[test]
fn every_program_of_the_folder_is_run() {
    let place = Place::of_this_test().expect("cargo built this test");
    let found: BTreeSet<String> = fs::read_dir(place.root.join("tests/cpp"))
        .expect("the folder can be read")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".cpp").map(str::to_owned))
        .collect();
    let run = ["guard", "listener", "units", "units_other"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(run));
}

#[test]
fn both_headers_compile_alone_in_each_cpp() {
    let place = Place::of_this_test().expect("cargo built this test");
    let folder = tool::scratch(env!("CARGO_TARGET_TMPDIR"), "alone-cpp").expect("a folder");
    for (header, standards) in
        [("mpguard.h", &["c++11", "c++17", "c++20"][..]), ("mpguard.hpp", &["c++17", "c++20"][..])]
    {
        let source = folder.join(format!("{header}.cpp"));
        let text = format!("#include \"{header}\"\n#include \"{header}\"\n");
        fs::write(&source, text).expect("writable");
        for standard in standards {
            tool::run(
                Command::new("c++")
                    .args([&format!("-std={standard}"), "-pedantic", "-Wall", "-Wextra", "-Werror"])
                    .args(["-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wundef"])
                    .args(["-Wnon-virtual-dtor", "-Wold-style-cast", "-fsyntax-only", "-I"])
                    .arg(place.root.join("include"))
                    .arg(&source),
            )
            .unwrap_or_else(|why| panic!("{standard}: {why}"));
        }
    }
}
