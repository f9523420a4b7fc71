//! docs/ERRORS.md.

use super::meaning::{self, KINDS, Meaning, Role, advice};
use std::fmt::Write;

const ORIGIN: &str =
    "Generated from cli/src/explain/meanings by `cargo xtask generate`; do not edit.";

const INTRODUCTION: &str = "\
What each error, verdict, reason and event means, and what to do. `mpguard explain CODE` says the same in a terminal.
`mpguard doctor`, run where the product runs, looks for the cause ([DOCTOR.md](DOCTOR.md)).

The words are the same in every language: the error `NO_SEAT` is `MPGUARD_ERROR_NO_SEAT` in C, `NoSeatError` in Python and \
`error.code === 'NO_SEAT'` in Node; the event `seat_lost` is `MPGUARD_EVENT_SEAT_LOST` in C. Errors and events are numbered \
apart. Every error, license and event also carries a text that says what failed, on which thing, and the next step.
";

/// The whole page.
pub(crate) fn page() -> String {
    let mut out = format!("<!-- {ORIGIN} -->\n\n# Errors, verdicts and events\n\n{INTRODUCTION}");
    out.push_str("\n## Errors\n\n| kind | what the program does |\n| --- | --- |\n");
    for kind in KINDS {
        let _ = writeln!(out, "| `{}` | {} |", kind.as_str(), advice(*kind));
    }
    table(&mut out, &["number", "code", "kind"], |role| match role {
        Role::Error(code) => Some(vec![code.kind().as_str().to_owned()]),
        _ => None,
    });
    out.push_str("\n## Verdicts and their reasons\n");
    table(&mut out, &["word", "is a"], |role| match role {
        Role::Verdict(_) | Role::Reason(_) => Some(vec![role.name().to_owned()]),
        _ => None,
    });
    out.push_str("\n## Events\n");
    table(&mut out, &["number", "kind", "topic"], |role| match role {
        Role::Event(kind) => Some(vec![kind.topic().as_str().to_owned()]),
        _ => None,
    });
    out.push_str("\n## Each in turn\n");
    meaning::all().for_each(|meaning| section(&mut out, meaning));
    out
}

/// One row for each role that `more` has cells for, with a link to its section.
fn table(out: &mut String, head: &[&str], more: impl Fn(Role) -> Option<Vec<String>>) {
    let _ = write!(
        out,
        "\n| {} | in short |\n|{}\n",
        head.join(" | "),
        " --- |".repeat(head.len() + 1)
    );
    for role in Role::all() {
        let Some(cells) = more(role) else { continue };
        let found = meaning::all().find(|meaning| meaning.word.eq_ignore_ascii_case(role.word()));
        let number = role.number().map_or_else(String::new, |number| format!("{number} | "));
        let link = format!("[`{}`](#{})", role.word(), role.word().to_lowercase());
        let brief = found.map_or("", Meaning::brief);
        let _ = writeln!(out, "| {number}{link} | {} | {brief} |", cells.join(" | "));
    }
}

fn section(out: &mut String, meaning: &Meaning) {
    let roles: Vec<String> = meaning.roles().iter().map(|role| role.describe()).collect();
    let _ =
        write!(out, "\n### {}\n\n*{}*\n\n{}\n", meaning.title(), roles.join("; "), meaning.what);
    if !meaning.why.is_empty() {
        out.push('\n');
        for why in meaning.why {
            let _ = writeln!(out, "- {why}");
        }
    }
    for (who, text) in [("Buyer", meaning.buyer), ("Seller", meaning.seller)] {
        if !text.is_empty() {
            let _ = write!(out, "\n**{who}:** {text}\n");
        }
    }
    let aws: Vec<String> = meaning.aws.iter().map(|name| format!("`{name}`")).collect();
    let pages: Vec<String> =
        meaning.pages.iter().map(|page| format!("[{}]({})", page.title, page.url)).collect();
    let see: Vec<String> = meaning.see.iter().map(|word| format!("[`{word}`](#{word})")).collect();
    for (title, items) in [("AWS calls it", aws), ("AWS documents it", pages), ("See also", see)] {
        if !items.is_empty() {
            let _ = write!(out, "\n{title}: {}\n", items.join(", "));
        }
    }
}
