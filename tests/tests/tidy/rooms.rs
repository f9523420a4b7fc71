//! The arrows between core's rooms; ARCHITECTURE.md draws them.

use super::{files, source};
use std::collections::BTreeSet;

/// Who may name whom inside `core/src`. A room may always name itself.
const ARROWS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("model", &["error"]),
    ("event", &["model", "error"]),
    ("config", &["model", "error"]),
    ("port", &["model", "event", "error"]),
    ("machine", &["model", "event", "error"]),
    ("shell", &["machine", "port", "model", "event", "error", "config"]),
    ("adapter", &["port", "model", "error", "config"]),
    ("testkit", &["port", "machine", "model", "event", "error"]),
    ("guard", &["shell", "adapter", "machine", "port", "model", "event", "error", "config"]),
    // The second door: judges what the adapter has gathered.
    ("doctor", &["adapter", "port", "model", "error", "config"]),
    // What fuzzers and tests call; in no build that anybody ships.
    ("outside", &["adapter", "config", "error"]),
    // The second crate root: the core without its hands.
    ("handless", &["adapter", "shell", "machine", "port", "model", "event", "error"]),
    (
        "lib",
        &[
            "guard", "doctor", "shell", "adapter", "machine", "port", "model", "event", "error",
            "config", "testkit",
        ],
    ),
];

/// `core/src/machine/lease/held.rs` is in the room `machine`, two modules below the root.
fn place(path: &str) -> (String, usize) {
    let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
    (parts[0].to_owned(), if parts == ["lib"] || parts == ["handless"] { 0 } else { parts.len() })
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part.trim_end_matches(".rs") == "tests")
}

#[test]
fn rooms_of_the_core_name_only_what_the_map_allows() {
    let rooms: BTreeSet<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (path, text) in files::texts() {
        let Some(path) = path.strip_prefix("core/src/").filter(|p| p.ends_with(".rs")) else {
            continue;
        };
        if is_test(path) {
            continue;
        }
        seen += 1;
        let (room, depth) = place(path);
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("core/src/{path} is in no known room; add `{room}` to the map"));
            continue;
        };
        for name in source::names_at_root(&source::plain(&text), depth) {
            if !rooms.contains(name.as_str()) {
                wrong.push(format!("core/src/{path} names `crate::{name}`; name its room"));
            } else if name != room && !allowed.contains(&name.as_str()) {
                wrong.push(format!("core/src/{path}: `{room}` may not name `{name}`"));
            }
        }
    }
    assert!(seen > 20, "only {seen} files of the core were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Two copies of one misunderstanding would agree with each other.
#[test]
fn sandbox_and_core_share_no_code() {
    for (path, text) in files::texts() {
        if path == "sandbox/Cargo.toml" {
            assert!(!text.contains("mpguard-core"), "the sandbox depends on the core");
        }
        if path == "core/Cargo.toml" {
            assert!(!text.contains("mpguard-sandbox"), "the core depends on the sandbox");
        }
    }
}

/// A conductor that linked the core would test it with its own opinions.
#[test]
fn conductor_and_xtask_do_not_link_the_core() {
    for (path, text) in files::texts() {
        if path == "xtask/Cargo.toml" || path == "tests/Cargo.toml" {
            let linked = text.split("[dev-dependencies]").next().unwrap_or_default();
            assert!(!linked.contains("mpguard-core"), "{path} links the core");
        }
    }
}
