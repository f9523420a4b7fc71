//! Meanings for a person at a terminal.

use super::meaning::{self, KINDS, Meaning, Role, advice};
use crate::terminal::{Ink, Terminal};
use mpguard_core::{EventKind, Topic};
use std::io;

/// Everything about one word.
pub(crate) fn meaning(meaning: &Meaning, terminal: &mut Terminal<'_>) -> io::Result<()> {
    let title = terminal.ink(Ink::Strong, meaning.title());
    terminal.line(&title)?;
    for role in meaning.roles() {
        let text = terminal.ink(Ink::Faint, &format!("  {}", role.describe()));
        terminal.line(&text)?;
    }
    block("What happened", &[meaning.what], terminal)?;
    block(if meaning.why.len() > 1 { "Usual causes" } else { "Why" }, meaning.why, terminal)?;
    block("What the buyer does", &[meaning.buyer], terminal)?;
    block("What the seller does", &[meaning.seller], terminal)?;
    block("AWS calls it", &[&meaning.aws.join(", ")], terminal)?;
    if !meaning.pages.is_empty() {
        heading("AWS documents it", terminal)?;
        for page in meaning.pages {
            terminal.paragraph("  ", page.title)?;
            let url = terminal.ink(Ink::Faint, &format!("    {}", page.url));
            terminal.line(&url)?;
        }
    }
    block("See also", &[&meaning.see.join(", ")], terminal)
}

/// A heading and its paragraphs; several become a list, and nothing none.
fn block(title: &str, texts: &[&str], terminal: &mut Terminal<'_>) -> io::Result<()> {
    if texts.iter().all(|text| text.is_empty()) {
        return Ok(());
    }
    heading(title, terminal)?;
    let lead = if texts.len() > 1 { "  - " } else { "  " };
    texts.iter().try_for_each(|text| terminal.paragraph(lead, text))
}

fn heading(title: &str, terminal: &mut Terminal<'_>) -> io::Result<()> {
    terminal.line("")?;
    let title = terminal.ink(Ink::Heading, title);
    terminal.line(&title)
}

/// Every word with its first sentence.
pub(crate) fn list(terminal: &mut Terminal<'_>) -> io::Result<()> {
    for kind in KINDS {
        let is = |role: Role| matches!(role, Role::Error(code) if code.kind() == *kind);
        rows(&format!("Errors of kind {}: {}", kind.as_str(), advice(*kind)), is, terminal)?;
    }
    rows("Verdicts", |role| matches!(role, Role::Verdict(_)), terminal)?;
    rows("Reasons of a verdict", |role| matches!(role, Role::Reason(_)), terminal)?;
    let mut topics: Vec<Topic> = Vec::new();
    for topic in EventKind::ALL.iter().map(|kind| kind.topic()) {
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    for topic in topics {
        let is = |role: Role| matches!(role, Role::Event(kind) if kind.topic() == topic);
        rows(&format!("Events of topic {}", topic.as_str()), is, terminal)?;
    }
    terminal.paragraph("", "`mpguard explain CODE` says why and what to do; `mpguard doctor` looks for the cause where the product runs.")
}

fn rows(title: &str, is: impl Fn(Role) -> bool, terminal: &mut Terminal<'_>) -> io::Result<()> {
    let title = terminal.ink(Ink::Heading, title);
    terminal.line(&title)?;
    let width = Role::all().map(|role| role.word().len()).max().unwrap_or_default();
    for role in Role::all().filter(|role| is(*role)) {
        let word = role.word();
        let number = role.number().map_or_else(String::new, |number| number.to_string());
        let found = meaning::all().find(|meaning| meaning.word.eq_ignore_ascii_case(word));
        let brief = found.map_or("", Meaning::brief);
        terminal.paragraph(&format!("  {number:>3}  {word:<width$}  "), brief)?;
    }
    terminal.line("")
}
