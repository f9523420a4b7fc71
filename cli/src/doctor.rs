//! `mpguard doctor`: what is wrong with a set-up, and how to mend it.

use crate::{config_file::ConfigFile, output, terminal};
use mpguard_core::{doctor, model::finding::Report};
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// For what, and how to write it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Configuration as `init` takes it: a JSON file, or `-` for standard input. Without one, only the surroundings are
    /// looked at.
    #[arg(long, value_name = "FILE")]
    config: Option<ConfigFile>,
    /// Write JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let text = match arguments.config.as_ref().map(ConfigFile::text).transpose() {
        Ok(text) => text,
        Err(why) => return output::fail(&why),
    };
    let report = doctor::examine_json(text.as_deref());
    output::with_status(report.exit_code(), |out| write(&report, arguments.json, out))
}

fn write(report: &Report, as_json: bool, out: &mut dyn Write) -> io::Result<()> {
    if as_json {
        serde_json::to_writer_pretty(&mut *out, &report.to_json())?;
        return writeln!(out);
    }
    let style = terminal::style();
    out.write_all(report.to_text(style.colour, style.width).as_bytes())
}
