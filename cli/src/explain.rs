//! `mpguard explain`: what an error, a verdict, a reason or an event means, and what to do.

mod find;
mod json;
mod markdown;
mod meaning;
mod meanings;
mod pages;
mod show;

use crate::{output, terminal::Terminal};
use meaning::Meaning;
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// What to explain, and how.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A code, its number, a reason or an event, in any case: `NOT_ENTITLED`, `301`, `license_upgraded`. Also an
    /// exception of AWS. Without one, everything is listed.
    #[arg(value_name = "CODE")]
    word: Option<String>,
    /// Write JSON.
    #[arg(long)]
    json: bool,
    /// Write everything as the page docs/ERRORS.md.
    #[arg(long, conflicts_with_all = ["word", "json"])]
    markdown: bool,
}

/// Runs the verb.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    output::write(|out| match arguments.word.as_deref() {
        Some(word) => one(word, arguments.json, out),
        None if arguments.markdown => out.write_all(markdown::page().as_bytes()),
        None => all(arguments.json, out),
    })
}

fn one(word: &str, as_json: bool, out: &mut dyn Write) -> io::Result<()> {
    let found = find::find(word);
    if found.is_empty() {
        return Err(io::Error::other(find::unknown(word)));
    }
    if as_json {
        return json::write(&found, out);
    }
    let terminal = &mut Terminal::stdout(out);
    for (index, meaning) in found.iter().enumerate() {
        if index > 0 {
            terminal.line("\n----\n")?;
        }
        show::meaning(meaning, terminal)?;
    }
    Ok(())
}

fn all(as_json: bool, out: &mut dyn Write) -> io::Result<()> {
    if as_json {
        let all: Vec<&Meaning> = meaning::all().collect();
        return json::write(&all, out);
    }
    show::list(&mut Terminal::stdout(out))
}

#[cfg(test)]
mod tests;
