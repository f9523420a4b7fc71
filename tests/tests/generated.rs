//! Files made from core's table of configuration keys; `MPGUARD_UPDATE=1` writes them.

use mpguard_core::config::render;
use std::{env, fs, path::Path};

fn compare(path: &str, wanted: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if env::var_os("MPGUARD_UPDATE").is_some() {
        fs::create_dir_all(file.parent().expect("every path here has a folder"))
            .expect("the folder can be made");
        fs::write(&file, wanted).expect("the file can be written");
    }
    let found = fs::read_to_string(&file).unwrap_or_default();
    if let Some((number, (found, wanted))) = found
        .lines()
        .chain([""])
        .zip(wanted.lines().chain([""]))
        .enumerate()
        .find(|(_, (a, b))| a != b)
    {
        panic!(
            "{path} is not what core/src/config/keys.rs makes, line {}:\n  found  `{found}`\n  wanted `{wanted}`\n\
             `cargo xtask generate` writes it again",
            number + 1
        );
    }
    assert_eq!(found, wanted, "{path} differs in length or line ends");
}

#[test]
fn the_page_of_keys_is_up_to_date() {
    compare("docs/CONFIGURATION.md", &render::markdown());
}

#[test]
fn the_json_schema_is_up_to_date() {
    compare("docs/config.schema.json", &render::schema());
}

#[test]
fn the_python_types_are_up_to_date() {
    compare("bindings/python/mpguard/_config.py", &render::python());
}

#[test]
fn the_typescript_types_are_up_to_date() {
    compare("bindings/node/config.d.ts", &render::typescript());
}
