//! `mpguard policy`: the smallest IAM policy for a configuration, and what its role must be.
//!
//! It knows what mpguard calls, so nothing here asks AWS. Source: IAM service authorization reference, and the managed
//! policies as AWS's reference prints them.

mod advice;
mod cloudformation;
mod needs;
mod terraform;
mod trust;

use crate::{config_file::ConfigFile, output};
use clap::{ArgGroup, ValueEnum};
use mpguard_core::{Config, config::Pricing};
use needs::Needs;
use std::{io, process::ExitCode};

/// For what, and how to write it.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("for").required(true).args(["config", "pricing"])))]
pub(crate) struct Arguments {
    /// Configuration as `init` takes it: a JSON file, or `-` for standard input.
    #[arg(long, value_name = "FILE")]
    config: Option<ConfigFile>,
    /// Pricing of the listing instead of a configuration: `hourly` (also fixed monthly), `usage`, `contract`, or several
    /// joined by `+`.
    #[arg(long, value_parser = parse_pricing)]
    pricing: Option<Pricing>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Leave the diagnostic actions out, and say what is missing then.
    #[arg(long)]
    minimal: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A policy document.
    Json,
    /// An inline policy of a role, in HCL.
    Terraform,
    /// A template with a policy for a role, in JSON.
    Cloudformation,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    output::write(|out| {
        let needs = needs(arguments).map_err(io::Error::other)?;
        match arguments.format {
            Format::Json => {
                serde_json::to_writer_pretty(&mut *out, &needs.document())?;
                writeln!(out)?;
            }
            Format::Terraform => out.write_all(terraform::text(&needs).as_bytes())?,
            Format::Cloudformation => {
                serde_json::to_writer_pretty(&mut *out, &cloudformation::template(&needs))?;
                writeln!(out)?;
            }
        }
        out.flush()?;
        let mut notes = needs.missing();
        if let Format::Json = arguments.format {
            // A policy document has no place for a comment.
            notes.extend(advice::managed(&needs));
            notes.push(advice::whose(&needs));
            notes.push(
                "`--format terraform` and `--format cloudformation` show its trust policy as well"
                    .to_owned(),
            );
        }
        notes.iter().for_each(|note| eprintln!("note: {note}"));
        Ok(())
    })
}

fn needs(arguments: &Arguments) -> Result<Needs, String> {
    let Some(file) = &arguments.config else {
        let pricing = arguments.pricing.ok_or("give --config or --pricing")?;
        return Ok(Needs { pricing, kinds: None, minimal: arguments.minimal });
    };
    let settings = Config::from_json(&file.text()?).and_then(|config| config.settings());
    let settings = settings.map_err(|error| {
        let why = error.text().trim_end_matches('.');
        format!(
            "cannot use configuration {}: {why}; `--pricing` needs no configuration",
            file.name()
        )
    })?;
    if settings.sandbox.is_some() {
        eprintln!(
            "note: the configuration names a sandbox, which asks for no permission; this is for AWS"
        );
    }
    let kinds = settings.entitlements.iter().map(|spec| spec.kind).collect();
    Ok(Needs { pricing: settings.pricing, kinds: Some(kinds), minimal: arguments.minimal })
}

/// The words of the key `pricing`, their parts in any order.
fn parse_pricing(text: &str) -> Result<Pricing, String> {
    let mut pricing = Pricing { hourly: false, usage: false, contract: false };
    for part in text.split('+') {
        let field = match part.trim() {
            "hourly" => &mut pricing.hourly,
            "usage" => &mut pricing.usage,
            "contract" => &mut pricing.contract,
            other => {
                return Err(format!(
                    "`{}` is not `hourly` (also fixed monthly), `usage` (custom metering) or `contract`, or several joined \
                     by `+`",
                    other.escape_debug()
                ));
            }
        };
        if std::mem::replace(field, true) {
            return Err(format!("`{part}` is given twice"));
        }
    }
    Ok(pricing)
}
