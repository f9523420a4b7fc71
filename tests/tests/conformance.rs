//! Every scenario of tests/conformance, played in C, C++, Python and Node. One test per language and topic.

use mpguard_tests::{place::Place, play::play, player::Language};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance")
}

fn files(topic: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder().join(topic)).expect("the topic has a folder");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    files
}

/// Plays every file of a topic; `MPGUARD_SCENARIO=part-of-a-name` chooses.
fn check(language: Language, topic: &str) {
    let place = Place::of_this_test().expect("cargo built this test");
    let only = std::env::var("MPGUARD_SCENARIO").unwrap_or_default();
    let (mut played, mut failures) = (0, Vec::new());
    for file in files(topic) {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !name.contains(&only) {
            continue;
        }
        let start = Instant::now();
        played += 1;
        if let Err(why) = play(&place, language, &file) {
            failures.push(format!("{topic}/{name}.json: {why}"));
        }
        println!("{topic}/{name} in {}: {} ms", language.name(), start.elapsed().as_millis());
    }
    assert!(played > 0 || !only.is_empty(), "no scenario in {topic}");
    assert!(
        failures.is_empty(),
        "{} of {played} failed in {}\n{}",
        failures.len(),
        language.name(),
        failures.join("\n")
    );
}

macro_rules! topics {
    ($($topic:ident)+) => {
        const TOPICS: &[&str] = &[$(stringify!($topic)),+];

        mod rust {
            $(#[test] fn $topic() { super::check(super::Language::Rust, stringify!($topic)); })+
        }
        mod c {
            $(#[test] fn $topic() { super::check(super::Language::C, stringify!($topic)); })+
        }
        mod cpp {
            $(#[test] fn $topic() { super::check(super::Language::Cpp, stringify!($topic)); })+
        }
        mod python {
            $(#[test] fn $topic() { super::check(super::Language::Python, stringify!($topic)); })+
        }
        mod node {
            $(#[test] fn $topic() { super::check(super::Language::Node, stringify!($topic)); })+
        }
    };
}

topics! { bad_input drawdown license metering registration seats shutdown state }

#[test]
fn every_folder_of_scenarios_is_played() {
    let folders: BTreeSet<String> = fs::read_dir(folder())
        .expect("the folder can be read")
        .flatten()
        .filter(|entry| entry.path().is_dir() && entry.file_name() != "players")
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, TOPICS.iter().map(|topic| (*topic).to_owned()).collect());
}
