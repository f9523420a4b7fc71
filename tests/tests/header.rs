//! `include/mpguard.h` is what cbindgen makes of `ffi/src`, says everything that it should, and only
//! grows: golden lists hold its functions and numbers. `MPGUARD_UPDATE=1` writes header and lists.

#[path = "header/calm.rs"]
mod calm;
#[path = "header/golden.rs"]
mod golden;

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// The topics of the header, in reading order.
const TOPICS: &[&str] = &[
    "version", "number", "error", "config", "guard", "license", "metering", "seat", "event",
    "report", "doctor",
];

#[test]
fn the_checked_in_header_is_the_generated_one() {
    if env::var_os("MPGUARD_UPDATE").is_some() {
        fs::write(root().join("include/mpguard.h"), &*HEADER).expect("include/ is writable");
    }
    assert!(
        read("include/mpguard.h") == *HEADER,
        "include/mpguard.h is not what ffi/src makes; run `cargo xtask generate`, or this test with MPGUARD_UPDATE=1"
    );
}

#[test]
fn every_function_says_thread_owns_errors_source_and_since() {
    let functions = functions();
    assert!(functions.len() > 60, "found only {} functions", functions.len());
    for (name, doc) in functions {
        let mut from = 0;
        for heading in ["Thread:  ", "Owns:    ", "Errors:  ", "Source:  ", "Since:   "] {
            let heading = format!("\n * {heading}");
            match doc[from..].find(&heading) {
                Some(at) => from += at + heading.len(),
                None => panic!("`{name}` does not say `{}` in its place", heading.trim()),
            }
        }
        let first = doc.lines().nth(1).unwrap_or_default().trim_start_matches(" * ");
        let ends = first.ends_with(['.', '?', ':'])
            || first.contains(". ")
            || doc.lines().nth(2) != Some(" *");
        assert!(ends && first.len() > 10, "`{name}` begins with no whole sentence: {first}");
    }
}

#[test]
fn no_name_is_exported_that_belongs_to_the_host() {
    for line in HEADER.lines() {
        let word = line.strip_prefix("#define ").and_then(|rest| rest.split([' ', '(']).next());
        assert!(word.is_none_or(|word| word.starts_with("MPGUARD_")), "{line}");
        if let Some(rest) = line.strip_prefix("typedef struct ") {
            let words: Vec<_> = rest.trim_end_matches(';').split(' ').collect();
            assert!(
                matches!(words[..], [tag, name] if tag == name && name.starts_with("mpguard_") && name.ends_with("_t")),
                "{line}"
            );
        }
    }
}

#[test]
fn each_function_of_the_header_is_listed_with_the_version_that_brought_it() {
    let now: BTreeSet<String> = functions()
        .into_iter()
        .map(|(name, doc)| {
            let since = doc.split("Since:   ").nth(1).and_then(|rest| rest.lines().next());
            format!("{name} {}", since.unwrap_or_else(|| panic!("`{name}` has no `Since:`")))
        })
        .collect();
    golden::only_grows("tests/abi/symbols-in-versions", &now);
}

#[test]
fn each_number_of_the_header_is_listed_and_none_changes() {
    let now: BTreeSet<String> = HEADER
        .lines()
        .filter_map(|line| line.strip_prefix("#define "))
        .filter(|rest| {
            [
                "MPGUARD_OK",
                "MPGUARD_ERROR_",
                "MPGUARD_EVENT_",
                "MPGUARD_VERDICT_",
                "MPGUARD_FOREVER",
            ]
            .iter()
            .any(|prefix| rest.starts_with(prefix))
        })
        .map(str::to_owned)
        .collect();
    assert!(now.len() > 40, "found only {} numbers", now.len());
    golden::only_grows("tests/abi/numbers", &now);
}

/// What cbindgen makes of the sources.
static HEADER: LazyLock<String> = LazyLock::new(generate);

fn generate() -> String {
    let ffi = root().join("ffi");
    let mut config =
        cbindgen::Config::from_file(ffi.join("cbindgen.toml").to_str().expect("UTF-8"))
            .expect("ffi/cbindgen.toml is valid");
    config.after_includes = Some(versions());
    let builder =
        TOPICS.iter().fold(cbindgen::Builder::new().with_config(config), |builder, topic| {
            builder.with_src(ffi.join(format!("src/{topic}.rs")))
        });
    let mut text = Vec::new();
    builder.generate().expect("ffi/src is readable for cbindgen").write(&mut text);
    calm::calm(&String::from_utf8(text).expect("UTF-8"))
}

/// The version of the header, from the package.
fn versions() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut parts = version.split(['.', '-']);
    let mut part = || parts.next().expect("three numbers");
    format!(
        "\n/** Version of this header; `mpguard_version` gives the library's. */\n\
         #define MPGUARD_VERSION \"{version}\"\n\
         #define MPGUARD_VERSION_MAJOR {}\n#define MPGUARD_VERSION_MINOR {}\n#define MPGUARD_VERSION_PATCH {}",
        part(),
        part(),
        part()
    )
}

/// Each function of the header with the comment before it.
fn functions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut doc = String::new();
    let mut inside = false;
    for line in HEADER.lines() {
        if line.starts_with("/**") {
            doc.clear();
            inside = true;
        }
        if inside {
            doc.push_str(line);
            doc.push('\n');
            inside = !line.ends_with("*/");
        } else if let Some(name) = declared(line) {
            found.push((name.to_owned(), std::mem::take(&mut doc)));
        }
    }
    found
}

/// The function that a line begins to declare.
fn declared(line: &str) -> Option<&str> {
    if line.starts_with([' ', '#', '/', '*', '}']) || line.starts_with("typedef") {
        return None;
    }
    let name = line.split('(').next().filter(|before| before.len() < line.len())?;
    let name = name.rsplit([' ', '*']).next()?;
    name.starts_with("mpguard_").then_some(name)
}

/// Root of the project.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ stands in the root").to_owned()
}

/// Reads a file of the project; empty when there is none yet.
fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_default()
}
