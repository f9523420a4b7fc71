//! Files made from core's tables: of configuration keys, and of the doctor's findings; `MPGUARD_UPDATE=1` writes them.

use mpguard_core::{config::render, doctor};
use std::{env, fs, path::Path};

const KEYS: &str = "core/src/config/keys.rs";

fn compare(path: &str, origin: &str, wanted: &str) {
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
            "{path} is not what {origin} makes, line {}:\n  found  `{found}`\n  wanted `{wanted}`\n\
             `cargo xtask generate` writes it again",
            number + 1
        );
    }
    assert_eq!(found, wanted, "{path} differs in length or line ends");
}

#[test]
fn the_page_of_keys_is_up_to_date() {
    compare("docs/CONFIGURATION.md", KEYS, &render::markdown());
}

#[test]
fn the_json_schema_is_up_to_date() {
    compare("docs/config.schema.json", KEYS, &render::schema());
}

#[test]
fn the_python_types_are_up_to_date() {
    compare("bindings/python/mpguard/_config.py", KEYS, &render::python());
}

#[test]
fn the_typescript_types_are_up_to_date() {
    compare("bindings/node/config.d.ts", KEYS, &render::typescript());
}

#[test]
fn the_page_of_the_doctor_is_up_to_date() {
    compare("docs/DOCTOR.md", "core/src/doctor/table.rs", &doctor::markdown());
}
