//! Prepares the link, and the folder for type definitions that `.cargo/config.toml` names.

fn main() {
    if let Some(folder) = std::env::var_os("NAPI_TYPE_DEF_TMP_FOLDER") {
        // The macro appends to a file in it and makes no folder. Without the folder only types are missing.
        let _ = std::fs::create_dir_all(folder);
    }
    napi_build::setup();
}
