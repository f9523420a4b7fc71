//! A configuration that somebody names on the command line.

use std::{fs, io, path::PathBuf, str::FromStr};

/// A JSON file with what `init` takes, or `-` for standard input.
#[derive(Clone, Debug)]
pub(crate) enum ConfigFile {
    Stdin,
    File(PathBuf),
}

impl FromStr for ConfigFile {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<ConfigFile, Self::Err> {
        Ok(if text == "-" { ConfigFile::Stdin } else { ConfigFile::File(text.into()) })
    }
}

impl ConfigFile {
    /// What it holds.
    ///
    /// # Errors
    /// That it cannot be read, and why.
    pub(crate) fn text(&self) -> Result<String, String> {
        let read = match self {
            ConfigFile::Stdin => io::read_to_string(io::stdin()),
            ConfigFile::File(path) => fs::read_to_string(path),
        };
        read.map_err(|error| format!("cannot read configuration {}: {error}", self.name()))
    }

    /// For a text about it, behind the word `configuration`.
    pub(crate) fn name(&self) -> String {
        match self {
            ConfigFile::Stdin => "of standard input".to_owned(),
            ConfigFile::File(path) => format!("`{}`", path.display()),
        }
    }
}
