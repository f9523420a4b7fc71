//! The page that is made from the table of meanings; `MPGUARD_UPDATE=1` writes it.

use std::{env, fs, path::Path, process::Command};

#[test]
fn the_page_of_errors_is_up_to_date() {
    let made = Command::new(env!("CARGO_BIN_EXE_mpguard"))
        .args(["explain", "--markdown"])
        .output()
        .expect("the command runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let wanted = String::from_utf8(made.stdout).expect("UTF-8");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ERRORS.md");
    if env::var_os("MPGUARD_UPDATE").is_some() {
        fs::write(&file, &wanted).expect("the file can be written");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    let lines = found.lines().chain([""]).zip(wanted.lines().chain([""]));
    if let Some((number, (found, wanted))) = lines.enumerate().find(|(_, (a, b))| a != b) {
        panic!(
            "docs/ERRORS.md is not what cli/src/explain/meanings makes, line {}:\n  found  `{found}`\n  wanted `{wanted}`\n\
             `cargo xtask generate` writes it again",
            number + 1
        );
    }
    assert_eq!(found, wanted, "docs/ERRORS.md differs in length or line ends");
}
