//! What no file of the repository may hold.

use super::files;

/// One idea a file. Longer ones stand here with a reason.
const LINES_MAX: usize = 600;
const LONGER: &[(&str, &str)] =
    &[("include/mpguard.hpp", "header-only: a product copies one file")];

/// Written by a tool, read by one, or copied from AWS as they are.
fn is_data(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default();
    ["lock", "svg", "map"].contains(&ending)
        || path.ends_with("package-lock.json")
        || path.starts_with("sandbox/models/")
}

fn is_source(path: &str) -> bool {
    let ending = path.rsplit('.').next().unwrap_or_default();
    ["rs", "c", "h", "hpp", "cpp", "py", "pyi", "mjs", "js", "ts"].contains(&ending)
}

/// Files of which line one says that a tool writes them.
const GENERATED: &[&str] = &[
    "docs/CONFIGURATION.md",
    "docs/DOCTOR.md",
    "docs/ERRORS.md",
    "include/mpguard.h",
    "bindings/python/mpguard/_config.py",
    "bindings/node/config.d.ts",
];

fn check(what: &str, wrong: impl Fn(&str, &str) -> Option<String>) {
    let texts = files::texts();
    assert!(texts.len() > 50, "only {} files were found", texts.len());
    let found: Vec<String> = texts
        .iter()
        .filter(|(path, _)| !is_data(path))
        .filter_map(|(path, text)| wrong(path, text).map(|why| format!("{path}: {why}")))
        .collect();
    assert!(found.is_empty(), "{what}\n{}", found.join("\n"));
}

/// The first line with a needle; needles are joined here so that this file holds none.
fn line_with(text: &str, needles: &[String]) -> Option<String> {
    let mut lines = text.lines().enumerate();
    lines.find_map(|(number, line)| {
        let needle = needles.iter().find(|needle| line.contains(needle.as_str()))?;
        Some(format!("line {} holds `{needle}`", number + 1))
    })
}

#[test]
fn files_stay_the_size_of_one_idea() {
    check("split these, or say in LONGER why not:", |path, text| {
        let lines = text.lines().count();
        let listed = LONGER.iter().any(|(long, _)| *long == path);
        let made =
            text.lines().next().is_some_and(|line| line.to_lowercase().contains("generated"));
        (is_source(path) && !listed && !made && lines > LINES_MAX).then(|| format!("{lines} lines"))
    });
}

#[test]
fn generated_files_say_so_in_line_one() {
    let texts = files::texts();
    for name in GENERATED {
        let Some((_, text)) = texts.iter().find(|(path, _)| path == name) else {
            panic!("`{name}` is missing; `cargo xtask generate` writes it");
        };
        let line = text.lines().next().unwrap_or_default();
        assert!(line.to_lowercase().contains("generated"), "{name} begins with `{line}`");
    }
}

/// A path of somebody's machine works on that machine only.
#[test]
fn no_file_names_a_place_of_one_machine() {
    let needles: Vec<String> = ["root", "home", "Users"]
        .iter()
        .map(|folder| format!("/{folder}/"))
        .chain([["/wo", "rk/"].concat(), ["/tmp/", "mpg"].concat()])
        .collect();
    // Inside a longer path or URL the word is somebody else's folder.
    let foreign = |line: &str, needle: &str| {
        line.match_indices(needle).all(|(at, _)| {
            line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}$~".contains(c))
        })
    };
    check("absolute paths:", |_, text| {
        text.lines().enumerate().find_map(|(number, line)| {
            let needle = needles.iter().find(|n| line.contains(n.as_str()) && !foreign(line, n))?;
            Some(format!("line {} holds `{needle}`", number + 1))
        })
    });
}

/// A skipped test is a promise that nobody keeps.
#[test]
fn no_test_is_skipped() {
    let needles = [
        ["#[ign", "ore"].concat(),
        ["pytest.mark.", "skip"].concat(),
        ["pytest.", "skip("].concat(),
        ["pytest.mark.x", "fail"].concat(),
        ["test.", "skip("].concat(),
        ["it.", "skip("].concat(),
        ["test.", "todo("].concat(),
        ["skip: ", "true"].concat(),
    ];
    check("skipped tests:", |path, text| is_source(path).then(|| line_with(text, &needles))?);
}

/// Packages come through their ordinary clients, wherever those are pointed.
#[test]
fn no_file_names_a_package_registry() {
    let needles = [
        ["crates", ".io"].concat(),
        ["pypi", ".org"].concat(),
        ["pythonhosted", ".org"].concat(),
        ["npmjs", ".org"].concat(),
        ["npmjs", ".com"].concat(),
        ["debian", ".org"].concat(),
    ];
    check("registry hosts:", |_, text| line_with(text, &needles));
    // Lock files must not carry addresses of a mirror either.
    for (path, text) in
        files::texts().iter().filter(|(path, _)| path.ends_with("package-lock.json"))
    {
        let line = line_with(text, &["\"resolved\"".to_owned()]);
        assert!(
            line.is_none(),
            "{path}: {line:?}; `npm install --omit-lockfile-registry-resolved` leaves them out"
        );
    }
}
