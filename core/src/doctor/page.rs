//! docs/DOCTOR.md.

use super::table::{TOPICS, Topic};
use std::fmt::Write;

const ORIGIN: &str =
    "Generated from core/src/doctor/table.rs by `cargo xtask generate`; do not edit.";

const OPENING: &str = "\
`mpguard doctor` looks at everything that a guard with a configuration would need, and says what is wrong and what to do.
`mpguard_doctor` in C, `mpguard.doctor` in Python and `doctor` in Node give the same findings. It changes nothing: no usage
is recorded, no billing begins, no seat or unit is taken, no ledger is written, and no leader is disturbed.

Each finding has an `id`, a `status`, a sentence `what`, the reason `why`, what to do (`fix`) and where to read on (`docs`).
The status is `passed`, `warning` (it works, and somebody should look at it), `failed` (it does not work, or will not) or
`skipped` (nobody could look; `why` says what was missing). The exit status is 0 when all is well, 1 with a warning and 2
when something does not work. No finding holds a secret.
";

/// The page of all findings.
#[must_use]
pub fn markdown() -> String {
    let mut out = format!("<!-- {ORIGIN} -->\n\n# The doctor\n\n{OPENING}");
    out.push_str("\n| id | what is looked at |\n| --- | --- |\n");
    for topic in TOPICS {
        let first = topic.meaning.split_once(". ").map_or(topic.meaning, |(first, _)| first);
        let first = first.trim_end_matches('.');
        let _ = writeln!(out, "| [`{}`](#{}) | {first} |", name(topic), slug(topic));
    }
    for topic in TOPICS {
        let _ = write!(out, "\n## {}\n\n", heading(topic));
        if topic.id.ends_with('.') {
            let _ = write!(out, "`{}`: one finding for each {}.\n\n", name(topic), topic.rest);
        }
        let _ = write!(out, "{}\n\n", topic.meaning);
        for (status, when) in topic.statuses {
            let _ = writeln!(out, "- `{status}`: {when}.");
        }
        let _ = write!(out, "\nWhat to do: {}\n", topic.fix);
    }
    out
}

fn name(topic: &Topic) -> String {
    if topic.id.ends_with('.') { format!("{}…", topic.id) } else { topic.id.to_owned() }
}

fn heading(topic: &Topic) -> &'static str {
    topic.id.trim_end_matches('.')
}

/// What a heading is called in an address: letters, digits, `-` and `_`.
fn slug(topic: &Topic) -> String {
    let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    heading(topic).chars().filter(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_topic_names_its_own_section() {
        for topic in TOPICS {
            assert_eq!(topic.docs, format!("docs/DOCTOR.md#{}", slug(topic)));
        }
    }

    #[test]
    fn every_topic_has_a_section() {
        let page = markdown();
        for topic in TOPICS {
            assert!(page.contains(&format!("\n## {}\n", heading(topic))), "{}", topic.id);
        }
    }
}
