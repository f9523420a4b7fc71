//! What the built library shows to the linker and loader.

use mpguard_tests::{place::Place, tool};
use std::{collections::BTreeSet, fs, process::Command};

fn place() -> Place {
    Place::of_this_test().expect("cargo built this test")
}

fn of_the_library(command: &mut Command) -> String {
    let library = place().built("deps/libmpguard.so").expect("cargo built the library");
    tool::run(command.arg(library)).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn it_exports_the_listed_functions_under_their_version_and_nothing_else() {
    let symbols = of_the_library(Command::new("nm").args(["-D", "--defined-only"]));
    let exported: BTreeSet<String> = symbols
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            let (kind, name) = (words.next()?, words.next()?);
            // `A` are the version nodes themselves.
            (kind != "A").then(|| name.to_owned())
        })
        .collect();
    let list = place().root.join("tests/abi/symbols-in-versions");
    let listed: BTreeSet<String> = fs::read_to_string(list)
        .expect("the list is part of the project")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, since)| format!("{name}@@MPGUARD_{since}"))
        .collect();
    assert!(listed.len() > 60, "only {} symbols are listed", listed.len());
    assert_eq!(exported, listed);
}

#[test]
fn it_carries_its_soname_and_is_never_unloaded() {
    let dynamic = of_the_library(Command::new("readelf").arg("-d"));
    assert!(dynamic.contains("Library soname: [libmpguard.so.1]"), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

#[test]
fn it_needs_nothing_but_the_c_library() {
    let dynamic = of_the_library(Command::new("readelf").arg("-d"));
    let needed: Vec<&str> = dynamic
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| line.split(['[', ']']).nth(1))
        .collect();
    let known = [
        "libc.so.6",
        "libm.so.6",
        "libgcc_s.so.1",
        "ld-linux-x86-64.so.2",
        "libdl.so.2",
        "libpthread.so.0",
    ];
    assert!(needed.contains(&"libc.so.6"), "{needed:?}");
    assert!(needed.iter().all(|name| known.contains(name)), "{needed:?}");
}
